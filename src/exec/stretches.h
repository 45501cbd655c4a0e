/* Stretches: rows that several workers keep, and the order in which they came.
 *
 * Workers take turns at the morsels of a pipeline, so each has rows of some morsels in its store. It notes how many of each
 * follow each other there; by that the rows of all stores are put in the order of the source. */
#ifndef FL_EXEC_STRETCHES_H
#define FL_EXEC_STRETCHES_H

#include "exec/exec.h"
#include "exec/rows.h"

/* Rows of one morsel, side by side in the store. */
typedef struct fl_stretch {
    int32_t pipeline;
    int64_t morsel;
    int64_t n_rows;
} fl_stretch;

/* Of one store, in its order. Begins cleared. */
typedef struct fl_stretches {
    fl_stretch *items;
    int64_t n, capacity;
} fl_stretches;

/** Whether the worker is at the morsel of the last stretch. */
static inline bool fl_stretches_go_on(const fl_stretches *stretches, const fl_worker *worker)
{
    const fl_stretch *last = stretches->n > 0 ? &stretches->items[stretches->n - 1] : NULL;
    return last != NULL && last->morsel == worker->morsel && last->pipeline == worker->pipeline;
}

/** Notes that `count` more rows of the worker's morsel are in the store. */
fl_status fl_stretches_add(fl_stretches *stretches, const fl_worker *worker, int32_t count, fl_err *err);
void fl_stretches_drop(fl_stretches *stretches);

/* A store with its stretches, which tell all of its rows. */
typedef struct fl_stretched_rows {
    const fl_row_store *store;
    const fl_stretches *stretches;
} fl_stretched_rows;

/** The rows of all stores in the order of their morsels: that of the input. ret_rows has room for all. ret_starts (may be NULL, else
 *  room for all stretches): where each stretch begins among them. For finish(). */
fl_status fl_stretches_gather(fl_exec *exec, const fl_stretched_rows *stores, int32_t n_stores, uint8_t **ret_rows,
                              int64_t *ret_starts, fl_err *err);

#endif
