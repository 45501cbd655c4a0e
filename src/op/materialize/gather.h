/* A sink that keeps all rows in segments, in the source's order: a query's result, and what is read more than once. What is read by
 * the run alone may leave memory: as runs that are sorted by where their rows come from (exec/sorted_runs.h).
 *
 *     FL_TRY(fl_gather_new(exec, cols, n_cols, input, FL_SEGMENT_RESULT, memory, &gather, err));
 *     FL_TRY(fl_exec_build(exec, input, &gather->base, err));
 *     FL_TRY(fl_exec_add_finish(exec, &gather->base, err));
 *     ...                                   behind the finish: gather->segments */
#ifndef FL_OP_MATERIALIZE_GATHER_H
#define FL_OP_MATERIALIZE_GATHER_H

#include "exec/sorted_runs.h"
#include "store/segment.h"

typedef struct fl_gather {
    fl_stage base;
    fl_exec *exec;
    fl_memory *keep; /* what the segments are charged to: they may outlive the run */
    fl_segment_use use;
    int32_t n_cols;
    fl_type *types;
    int32_t *from;
    fl_segment **segments; /* when finished; the stage's references */
    int64_t n_segments, segments_capacity;
    const fl_node *spills; /* rows may leave memory, counted for this node; NULL: they may not */
    bool is_spilled;       /* when finished: the rows are in `runs`, and there are no segments */
    fl_sorted_runs runs;
    fl_row_layout layout; /* of the columns */
} fl_gather;

/** A sink for the columns `cols` of `input`. It goes with the run. */
fl_status fl_gather_new(fl_exec *exec, const fl_col_id *cols, int32_t n_cols, const fl_node *input, fl_segment_use use,
                        fl_memory *keep, fl_gather **ret, fl_err *err);

/** The rows may leave memory. Before the run. */
fl_status fl_gather_let_spill(fl_gather *gather, const fl_node *node, fl_err *err);

#endif
