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
    const fl_node *counted; /* whose rows leave memory */
    fl_program *keys;       /* NULL: they are columns of the batches, behind the others */
    int32_t n_values;       /* that it computes: the keys, and perhaps more */
    int32_t n_keys;
    fl_sort_column *columns;
    fl_row_layout layout; /* the values, then the output columns */
    int32_t *from;        /* per output column: position in the input; NULL: the same */
    int32_t n_cols;
    int64_t keep;       /* rows to keep per worker; 0 = all */
    bool is_in_order;   /* the rows come in the order of the keys: in memory they need not be sorted */
    int64_t used_bytes; /* what who puts the rows out takes beside them: where it does not fit, they leave memory */
    struct fl_runtime_filter *threshold; /* what the worst row kept says to the scan below; NULL: nothing */
    fl_status (*finish)(struct fl_sort_sink *sink, fl_err *err);
    void *owner;
    void *const *locals;
    int32_t n_locals;
    bool is_spilled; /* when finished: the rows are in `runs` */
    fl_sorted_runs runs;
} fl_sort_sink;

/** Builds the sink, the input's pipelines into it, and its finish task, which calls `finish`. filters_scan: the scan that makes the first
 *  key is told of the worst row kept. */
fl_status fl_sort_sink_build(fl_exec *exec, const fl_node *node, const fl_sort_key *keys, int32_t n_keys, int64_t keep,
                             bool filters_scan, fl_status (*finish)(fl_sort_sink *sink, fl_err *err), void *owner,
                             fl_sort_sink **ret, fl_err *err);

/* What rows hold: values over the input, of which the first are the keys, then columns of the input. */
typedef struct fl_sort_rows_of {
    const fl_expr *const *values;
    int32_t n_values;
    const fl_col_id *cols;
    int32_t n_cols;
    /** Puts a stage in front of the sink, through which the rows come. NULL: none. */
    fl_status (*put_before)(fl_exec *exec, const fl_node *node, fl_stage *sink, fl_stage **ret, fl_err *err);
} fl_sort_rows_of;

/** The same for such rows, in this order, instead of the node's columns. */
fl_status fl_sort_sink_build_of(fl_exec *exec, const fl_node *node, const fl_sort_rows_of *of, const fl_sort_key *keys,
                                int32_t n_keys, fl_status (*finish)(fl_sort_sink *sink, fl_err *err), void *owner,
                                fl_sort_sink **ret, fl_err *err);

/** Adds a sink for batches of a node's columns and, behind them, keys of whole numbers, in whose order the rows are wanted. What feeds it,
 *  and its finish task, are added by the caller. The time that it takes is not counted as the node's. */
fl_status fl_sort_sink_new(fl_exec *exec, const fl_node *node, int32_t n_keys,
                           fl_status (*finish)(fl_sort_sink *sink, fl_err *err), void *owner, fl_sort_sink **ret,
                           fl_err *err);

/** For finish: all rows of all workers in their order, in memory to be freed with fl_free; or sink->is_spilled, and no rows. */
fl_status fl_sort_finish(fl_sort_sink *sink, uint8_t ***ret_rows, int64_t *ret_n, fl_err *err);

/** Gives the memory of rows that stayed in it back, when they were put out. They may be in the worker's batch, which is reset. */
void fl_sort_forget(fl_sort_sink *sink, fl_worker *worker);

/** Puts rows out as one batch of `node`. Resets the worker's arena. */
fl_status fl_sort_emit(fl_sort_sink *sink, const fl_node *node, fl_worker *worker, fl_stage *to, uint8_t **rows,
                       int32_t count, fl_err *err);

#endif
