/* The worker pool: one per engine; the caller of a run is worker 0, so `threads = 1` makes no thread at all.
 *
 * A run hands the same function to up to `count` workers and returns when all are done. Runs from several threads take
 * turns. Idle workers spin briefly, then sleep. */
#ifndef FL_BASE_WORKERS_H
#define FL_BASE_WORKERS_H

#include "base/interrupt.h"

typedef struct fl_workers fl_workers;

/** Starts no thread yet; threads come with the first run that wants them, up to `count_max` - 1. */
fl_status fl_workers_new(int32_t count_max, fl_workers **ret, fl_err *err);

/** Ends the threads; no run may be under way. */
void fl_workers_free(fl_workers *workers);

/** Runs fn(task, worker) for worker = 0 .. count-1, worker 0 on the calling thread. Fewer workers run where threads
 *  cannot be had: fn must not wait for the others. */
void fl_workers_run(fl_workers *workers, int32_t count, void (*fn)(void *task, int32_t worker), void *task);

/** Runs fn(ctx, i) for i in 0 .. n-1 on up to `count` workers; looks at the interrupt (may be NULL) behind each. The first failure stops
 *  all and is returned. One worker, or `workers` NULL: in order. */
fl_status fl_workers_each(fl_workers *workers, int32_t count, int32_t n,
                          fl_status (*fn)(void *ctx, int32_t i, fl_err *err), void *ctx, fl_interrupt *interrupt,
                          fl_err *err);

#endif
