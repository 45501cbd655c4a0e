/* Frames whose rows are fed to an aggregate anew, and what they share with other ways to compute aggregates. */
#ifndef FL_OP_WINDOW_ANEW_H
#define FL_OP_WINDOW_ANEW_H

#include "op/window/run.h"

fl_agg_call fl_window_call(const window_part *part, const fl_vec *args, fl_arena *heap);

/** Whether a row counts, by FILTER. */
static inline bool window_is_kept(const window_chunk *c, const window_part *part, int64_t row)
{
    const fl_row_layout *layout = c->shape->layout;
    return part->filter < 0 ||
           (!fl_row_is_null(layout, c->rows[row], part->filter) && c->rows[row][layout->offsets[part->filter]] != 0);
}

/** The aggregate's arguments in some of the chunk's rows. */
fl_status fl_window_read_args(window_chunk *c, const window_part *part, int64_t first, int32_t rows, fl_arena *arena,
                              fl_vec *args, fl_err *err);

/** The results of `rows` states, c->states. */
fl_status fl_window_finish(window_chunk *c, const window_part *part, int32_t rows, fl_arena *arena, fl_vec *ret,
                           fl_err *err);

/** Gives rows their numbers, by which they are found again when they were sorted. */
void fl_window_feed_anew(window_chunk *c, int32_t part, int64_t stretch);

/** Reads the arguments, and finds which rows are the same, or their order. A result that all rows of a large partition share is computed. */
fl_status fl_window_join_anew(window_chunk *c, int32_t part, fl_err *err);

/** The results of the batch's rows: rows of the part's result layout, which last until the chunk is restarted. */
fl_status fl_window_find_anew(window_chunk *c, int32_t part, const window_batch *batch, uint8_t **ret, fl_err *err);

#endif
