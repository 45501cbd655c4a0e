/* The rows of a recursion with keys (WITH RECURSIVE … USING KEY): of each key the one that came last.
 *
 * Rows lie in the segments that the rounds made; one that is replaced is marked as deleted there, and a table from keys to places
 * finds it. Where many rows are deleted, or lie in many small segments, those that live are put together anew.
 *
 * One thread at a time; while a round reads the rows, nobody changes them. */
#ifndef FL_OP_RECURSION_KEYED_ROWS_H
#define FL_OP_RECURSION_KEYED_ROWS_H

#include "exec/group_table.h"
#include "store/segment.h"

typedef struct fl_keyed_rows {
    fl_memory *memory;
    const fl_type *types;
    int32_t n_cols, n_keys; /* keys are the first columns */
    int32_t rows_max;
    uint64_t seed;
    fl_row_layout layout; /* the keys, and the place of the row: its segment and where in it, 0 for none */
    fl_group_table places;
    fl_segment **segments; /* references */
    uint64_t **live;       /* of each: the bits of its `live`, which is set here */
    int64_t n_segments, segments_capacity, live_capacity;
    int64_t n_live, n_deleted;
    uint16_t *list; /* 0, 1, 2 …: all rows of a batch */
    uint8_t **rows;
} fl_keyed_rows;

/** types: of all columns, borrowed; the first n_keys (at least one) are the keys. Arrays lie in the arena. To be dropped also after a
 *  failure. */
fl_status fl_keyed_rows_init(fl_keyed_rows *keyed, fl_arena *arena, const fl_type *types, int32_t n_cols,
                             int32_t n_keys, int32_t rows_max, uint64_t seed, fl_memory *memory, fl_err *err);
void fl_keyed_rows_drop(fl_keyed_rows *keyed);

/** Takes the rows of a round in, in their order; references are made. The segments are no one's who reads others' rows: their `live`
 *  is set. keeps_same: a row that is the same as its key's row so far is left out (UNION), so the rows of a round that live are those
 *  that are new. */
fl_status fl_keyed_rows_put(fl_keyed_rows *keyed, fl_segment *const *segments, int64_t n, bool keeps_same, fl_err *err);

#endif
