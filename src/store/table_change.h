/* What a statement does to some rows of a table: the new version's segments.
 *
 * Segments are immutable. Those without a row that is changed go into the new version as they are. Where few rows of a segment are
 * deleted the new one shares its columns and says which rows are left; where many are, rows that are left are put together anew.
 * Where rows are updated, columns that nothing is assigned to are shared, the others are made anew. Rows keep their order.
 *
 *     fl_table_change_init(&change, keep, statement, fields, old, n_old);      change.workers: who helps
 *     FL_TRY(fl_table_change_mark(&change, rows, n_rows, err));
 *     FL_TRY(fl_table_change_delete(&change, err));            or: fl_table_change_update(&change, rows, n_rows, cols, n, err)
 *     ...                                                      change.segments
 *     fl_table_change_drop(&change);
 *
 * Which rows: segments whose first column holds places (store/memory_table.h), the others what is assigned. */
#ifndef FL_STORE_TABLE_CHANGE_H
#define FL_STORE_TABLE_CHANGE_H

#include "base/workers.h"
#include "store/segment.h"

typedef struct fl_table_change {
    fl_workers *workers; /* NULL: none but the caller; up to n_workers */
    int32_t n_workers;
    fl_memory *keep; /* what the new segments are charged to */
    fl_arena arena;  /* what is below; of the statement */
    const fl_field *fields;
    fl_segment *const *old;
    int64_t n_old;
    uint64_t **marks; /* [n_old]: the rows that are changed; NULL: none of the segment */
    int64_t *n_marked;
    int64_t n_changed;     /* rows that are marked */
    fl_segment **segments; /* of the new version, a reference each */
    int64_t n_segments;
} fl_table_change;

/** Borrows the old segments and the table's fields. `statement` is charged for what is needed meanwhile. */
void fl_table_change_init(fl_table_change *change, fl_memory *keep, fl_memory *statement, const fl_field *fields,
                          fl_segment *const *old, int64_t n_old);
void fl_table_change_drop(fl_table_change *change);

/** Notes which rows are meant, in any order; none twice. What follows may fail with FL_ERR_MEMORY, FL_ERR_CANCELLED and
 *  FL_ERR_TIMEOUT. */
fl_status fl_table_change_mark(fl_table_change *change, fl_segment *const *rows, int64_t n_rows, fl_err *err);

/** Makes the segments without the marked rows. */
fl_status fl_table_change_delete(fl_table_change *change, fl_err *err);

/** Makes the segments in which each marked row has new values in the columns cols[0 .. n). `rows` are those that were marked,
 *  in the table's order; column 1 + i is of cols[i]. */
fl_status fl_table_change_update(fl_table_change *change, fl_segment *const *rows, int64_t n_rows, const int32_t *cols,
                                 int32_t n, fl_err *err);

#endif
