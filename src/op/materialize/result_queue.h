/* The sink of a query whose rows are read while it runs: a queue of segments in the source's order, bounded.
 *
 * Each worker makes segments of its morsels and puts them into the queue. A segment leaves when no worker can bring rows that
 * come before it: morsels are claimed in their order, so a worker that is about to claim one will bring rows behind all that
 * are known. While more than some bytes wait the sink is full, and workers claim no more.
 *
 *     FL_TRY(fl_result_queue_new(exec, cols, n_cols, input, memory, &queue, err));
 *     FL_TRY(fl_exec_build(exec, input, &queue->base, err));
 *     FL_TRY(fl_exec_run_until(exec, fl_result_queue_has_any, queue, &has_ended, err));
 *     FL_TRY(fl_result_queue_take(queue, &segment, err));        NULL: nothing is ready */
#ifndef FL_OP_MATERIALIZE_RESULT_QUEUE_H
#define FL_OP_MATERIALIZE_RESULT_QUEUE_H

#include "exec/exec.h"
#include "store/segment.h"

typedef struct fl_result_piece fl_result_piece;

typedef struct fl_result_queue {
    fl_stage base;
    fl_exec *exec;
    fl_memory *keep; /* what the segments are charged to: they may outlive the run */
    int32_t n_cols;
    fl_type *types;
    int32_t *from;
    int64_t bytes_max;       /* that wait, before the sink is full */
    int64_t rows_enough;     /* when so many are ready the pipelines end; 0: never */
    _Atomic int64_t *bounds; /* [workers]: no rows come from it before this place; INT64_MAX: it holds no morsel */
    _Atomic int64_t highest; /* place that is known to be claimed */
    _Atomic int64_t morsels; /* that ended */
    _Atomic int64_t rows;    /* that were put in */
    _Atomic int64_t bytes;   /* that wait */
    bool is_read;            /* the reader's: rows were taken */
    _Atomic bool is_told;    /* the reader knows that there is something */
    pthread_mutex_t lock;    /* guards the pieces */
    fl_result_piece *first, *last;
} fl_result_queue;

/** A sink for the columns `cols` of `input`. It goes with the run. */
fl_status fl_result_queue_new(fl_exec *exec, const fl_col_id *cols, int32_t n_cols, const fl_node *input,
                              fl_memory *keep, fl_result_queue **ret, fl_err *err);

/** Ends the pipelines when the first n > 0 rows are there, which nobody reads before. What comes behind them may be left out. */
void fl_result_queue_keep_first(fl_result_queue *queue, int64_t n);

/** Whether rows are ready to be taken: for fl_exec_run_until. */
bool fl_result_queue_has_any(void *queue);

/** Whether so much waits that nobody brings more. */
bool fl_result_queue_is_full(const fl_result_queue *queue);

/** The next rows, the caller's reference; small pieces that are ready are put together. *ret NULL: none is ready. Worker 0's
 *  thread, outside of fl_exec_run_until. */
fl_status fl_result_queue_take(fl_result_queue *queue, fl_segment **ret, fl_err *err);

#endif
