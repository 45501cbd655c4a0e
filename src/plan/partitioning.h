/* partitioning: the trait that says how rows are spread over those who work on them.
 *
 *     none        in any way
 *     hash        rows that are equal in the columns lie together
 *     range       they lie together, and each part holds the rows between two values of the columns, compared in this order
 *     single      all rows lie together
 *     broadcast   everyone has all rows
 *
 * Rows that are equal in a and b are equal in a: so hash(a) satisfies hash(a, b), not the other way about. In the same way
 * range(a) satisfies range(a, b); range(a, b) satisfies hash(b, a); single satisfies all but broadcast. Broadcast satisfies
 * nothing else, since a row that is there several times would be counted several times. */
#ifndef FL_PLAN_PARTITIONING_H
#define FL_PLAN_PARTITIONING_H

#include "plan/trait.h"

typedef enum fl_partitioning_kind {
    FL_PARTITION_NONE,
    FL_PARTITION_SINGLE,
    FL_PARTITION_HASH,
    FL_PARTITION_RANGE,
    FL_PARTITION_BROADCAST
} fl_partitioning_kind;

typedef struct fl_partitioning {
    int32_t kind;          /* fl_partitioning_kind */
    const fl_col_id *cols; /* hash: by id; range: the first one decides first */
    int32_t n_cols;
} fl_partitioning;

/** The value for a way of spreading, brought to one form: no column twice; hash and range without columns are single. Columns
 *  of other kinds are left out. */
fl_status fl_partitioning_make(fl_plan *plan, fl_partitioning_kind kind, const fl_col_id *cols, int32_t n_cols,
                               int32_t *ret, fl_err *err);

/** What a value says. Valid as long as the plan. */
fl_partitioning fl_partitioning_of(const fl_plan *plan, int32_t value);

#endif
