/* The sink of sort and topk: evaluates the keys, keeps keys and columns as rows, per worker.
 *
 * With a limit k, a worker keeps about the best k rows: when it has several times as many it sorts them and forgets the
 * rest, and from then on compares each row with the worst one kept before it copies it.
 *
 * Where memory is short a worker sorts what it keeps and writes it to the disk (exec/sorted_runs.h); what is left at the end follows, and
 * all is merged where the rows are put out. */
#ifndef FL_EXEC_COLLECT_H
#define FL_EXEC_COLLECT_H

#include "exec/eval.h"
#include "exec/exec.h"
#include "exec/sorted_runs.h"

typedef struct fl_sort_sink {
    fl_stage base;
    fl_exec *exec;
    fl_program *keys;
    int32_t n_keys;
    fl_sort_column *columns;
    fl_row_layout layout; /* keys, then the output columns */
    int32_t *from;        /* per output column: position in the input */
    int32_t n_cols;
    int64_t keep; /* rows to keep per worker; 0 = all */
    fl_status (*finish)(struct fl_sort_sink *sink, fl_err *err);
    void *owner;
    void *const *locals;
    int32_t n_locals;
    bool is_spilled; /* when finished: the rows are in `runs` */
    fl_sorted_runs runs;
} fl_sort_sink;

/** Builds the sink, the input's pipelines into it, and its finish task, which calls `finish`. */
fl_status fl_sort_sink_build(fl_exec *exec, const fl_node *node, const fl_sort_key *keys, int32_t n_keys, int64_t keep,
                             fl_status (*finish)(fl_sort_sink *sink, fl_err *err), void *owner, fl_sort_sink **ret,
                             fl_err *err);

/** For finish: all rows of all workers in their order, in memory to be freed with fl_free; or sink->is_spilled, and no rows. */
fl_status fl_sort_finish(fl_sort_sink *sink, uint8_t ***ret_rows, int64_t *ret_n, fl_err *err);

/** Puts rows out as one batch of `node`. Resets the worker's arena. */
fl_status fl_sort_emit(fl_sort_sink *sink, const fl_node *node, fl_worker *worker, fl_stage *to, uint8_t **rows,
                       int32_t count, fl_err *err);

#endif
