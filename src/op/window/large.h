/* A partition of very many rows, or one that no other shares the rows with: all workers of the run work on it.
 *
 * It is cut into stretches of rows, of the same length whoever works on them. What its functions need of its rows is prepared in phases:
 * in each, workers take steps side by side, and the next phase begins when all steps of the one before are done. In the last phase
 * stretches are put out.
 *
 *     feed     of a stretch: where groups of peers begin, states of its rows
 *     join     of a function: what goes on from stretch to stretch
 *     spread   of a stretch: what the stretches before it told
 *     put out  a stretch
 *
 * Steps are claimed and counted under the lock of the source that has the partition. What they prepare lies in memory of the partition; each
 * worker has a chunk of its own, which is set up for it. */
#ifndef FL_OP_WINDOW_LARGE_H
#define FL_OP_WINDOW_LARGE_H

#include "op/window/run.h"

/** Fewer rows than these, some 65536, are worked on by one worker. */
static inline int64_t window_large_rows(const window_shape *shape)
{
    return window_chunk_rows(shape) * 8;
}

/** Some 16384 rows, a power of four: nodes of the lower levels of a tree lie in one stretch each. */
int64_t fl_window_stretch_rows(const window_shape *shape);

typedef enum window_phase {
    WINDOW_FEED,
    WINDOW_JOIN_PEERS,
    WINDOW_JOIN,
    WINDOW_SPREAD,
    WINDOW_PUT_OUT,
    WINDOW_ALL_OUT /* nothing is left */
} window_phase;

typedef struct window_large {
    struct window_large *next; /* the source's */
    uint64_t number;
    window_chunk shared; /* of which workers' chunks have what was prepared */
    fl_arena *arenas;    /* by part: what is prepared of it */
    int64_t *n_peers;    /* by stretch: groups that begin in it, then in all before it */
    window_phase phase;
    int64_t n_claimed, n_done; /* steps of the phase */
} window_large;

typedef struct window_step {
    window_large *large;
    window_phase phase;
    int64_t number; /* of a stretch, or of a function */
} window_step;

/** Of rows that are one partition and stay where they are. */
fl_status fl_window_large_new(const window_shape *shape, uint8_t **rows, int64_t n, uint64_t number, window_large **ret,
                              fl_err *err);
void fl_window_large_free(window_large *large);

/** Whether there is a step to claim now. Under the lock. */
bool fl_window_large_has_step(const window_large *large);

/** Claims a step; false: none is to be had now, and there will be more when others are done, unless all are out. Under the lock. */
bool fl_window_large_claim(window_large *large, window_step *ret);

/** Takes the step, with the worker's chunk. Without the lock. */
fl_status fl_window_large_step(const window_step *step, window_chunk *c, fl_worker *worker, fl_stage *to, fl_err *err);

/** Counts a step that was taken; true: it was the last one of its phase. Under the lock. */
bool fl_window_large_did(const window_step *step);

#endif
