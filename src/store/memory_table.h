/* Tables in memory: a list of shared segments, immutable. Changing a table makes a new one that shares what stays. */
#ifndef FL_STORE_MEMORY_TABLE_H
#define FL_STORE_MEMORY_TABLE_H

#include "plan/table.h"
#include "plan/table_rules.h"
#include "store/segment.h"

/** A table of these segments; takes a reference to each. Name and fields are copied. */
fl_status fl_memory_table_new(fl_memory *memory, fl_str name, const fl_field *fields, int32_t n_cols,
                              fl_segment *const *segments, int64_t n_segments, fl_table **ret, fl_err *err);

/* Where a row lies: its segment, and its row in that. What the last column of fl_table_ops.numbered holds. */
static inline int64_t fl_row_place(int64_t segment, int64_t row)
{
    return segment << 40 | row;
}

static inline int64_t fl_row_place_segment(int64_t place)
{
    return place >> 40;
}

static inline int64_t fl_row_place_row(int64_t place)
{
    return place & ((1ll << 40) - 1);
}

/** The segments of a table made here; borrowed. NULL and 0 when the table is of another kind. */
fl_segment *const *fl_memory_table_segments(const fl_table *table, int64_t *ret_n);

/** What the table asks of each column, and of rows; copied. Nothing unless set. */
fl_status fl_memory_table_set_rules(fl_table *table, const fl_column_rules *rules, fl_err *err);
fl_status fl_memory_table_set_constraints(fl_table *table, const fl_table_constraints *constraints, fl_err *err);

/** The table's unique keys, copied; that its rows keep them is the caller's promise. */
fl_status fl_memory_table_set_keys(fl_table *table, const fl_table_key *keys, int32_t n_keys, fl_err *err);
const fl_column_rules *fl_memory_table_rules(const fl_table *table);            /* NULL: none */
const fl_table_constraints *fl_memory_table_constraints(const fl_table *table); /* never NULL */

/** The order that the table's rows were put in, copied, before anybody asks for its orders; that they have it is the caller's
 *  promise. Orders of single columns are found without it. Its keys may be none. */
fl_status fl_memory_table_set_order(fl_table *table, const fl_table_order *order, fl_err *err);
/** Says that the table is another version of `old` (of the same columns and keys, which are set) in which so many rows were changed or
 *  added: what is known of that is taken over as far as it holds. Before anybody asks for statistics. */
void fl_memory_table_inherit(fl_table *table, fl_table *old, double n_changed);
const fl_table_order *fl_memory_table_order(const fl_table *table); /* n_keys 0: none was set */

/** Looks at all rows for better statistics, once; `memory` is the statement's. Does nothing to a table of another kind.
 *  FL_ERR_CANCELLED, FL_ERR_TIMEOUT, FL_ERR_MEMORY. Thread-safe. */
fl_status fl_memory_table_analyze(fl_table *table, fl_memory *memory, fl_err *err);

#endif
