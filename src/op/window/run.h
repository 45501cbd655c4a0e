/* What the parts of a window's run share.
 *
 * Rows come sorted, as pointers to rows of one layout that holds all that any function reads. They are worked on a chunk at a time: whole
 * partitions. Of a chunk it is first noted where partitions and groups of peers begin, then each function prepares what it needs of all
 * rows of the chunk, then batches are put out. */
#ifndef FL_OP_WINDOW_RUN_H
#define FL_OP_WINDOW_RUN_H

#include "exec/agg.h"
#include "exec/exec.h"
#include "exec/rows.h"
#include "op/window/node.h"

/* How an aggregate is computed. */
typedef enum window_feed {
    WINDOW_NO_FEED,       /* a function of windows only */
    WINDOW_PER_PARTITION, /* one state a partition: its frame is all of it */
    WINDOW_RUNNING,       /* a state a row, of all rows from the partition's first one on; others by taking away */
    WINDOW_MOVING, /* frames that only move on: the front of one is states of rows with all behind them, its back is added up */
    WINDOW_TREE, /* states of rows, of 4 rows, of 16, ...: a frame is put together of those that it covers */
    WINDOW_ANEW  /* each frame's rows are fed, only the new ones where the frame before goes on */
} window_feed;

typedef struct window_part {
    const fl_agg *agg;
    window_feed feed;
    int32_t args[FL_AGG_ARGS_MAX]; /* columns of the layout, as are the next three */
    int32_t filter;                /* -1: none */
    int32_t exprs[FL_FRAME_EXPRS]; /* of FL_FRAME_KEY, FL_FRAME_LOW, FL_FRAME_HIGH; -1: none */
    int32_t order[8];
    int64_t start_offset, end_offset; /* of ROWS and GROUPS */
    fl_type arg_types[FL_AGG_ARGS_MAX];
    uint64_t run;         /* fl_agg_call.run */
    fl_row_layout result; /* one column: a result that several rows share */
} window_part;

typedef struct window_shape {
    fl_exec *exec;
    const fl_node *node;
    const fl_row_layout *layout; /* partition keys, order keys, others */
    int32_t n_partition;
    int32_t n_keys;     /* of both */
    bool is_descending; /* the order's first key */
    int32_t order_key;  /* it; -1: there is none */
    window_part *parts;
    int32_t n_parts;
    int32_t *from; /* per output column: of the layout, or -1 - part */
    bool
        is_streamed; /* no function looks behind a row's peers: what a chunk leaves of a partition is known by what was before */
} window_shape;

typedef struct window_span {
    int64_t start, end;
} window_span;

/* What a function knows of the chunk. All lies in the chunk's arena unless it says otherwise. */
typedef struct window_part_state {
    uint8_t *states;     /* by partition, or by row */
    uint8_t *levels[24]; /* of a tree: [0] is `states` */
    int32_t n_levels;
    uint8_t *back;            /* of frames that move on: the state of rows [middle, back_end) */
    int64_t middle, back_end; /* each row before has the state of rows up to the middle */
    uint8_t *results;         /* rows of the part's result layout, by partition */
    int64_t *counts;          /* nulls are ignored: rows before each that have a value; [n + 1] */
    int64_t *positions;       /* those rows */
    int64_t partition;        /* of the two places below; -1: none */
    int64_t low, high;        /* where the last row's frame began and ended by its key */
    fl_vec *args;             /* fed anew: by block of rows and argument */
    uint16_t *list;           /* rows of a block */
    int64_t *ids;             /* DISTINCT: the same for rows that are the same */
    int64_t *stamps;          /* by id: the frame that saw it last */
    int64_t *ranks, *by_rank; /* in the aggregate's own order */
    int64_t *gathered;
    int64_t serial; /* of frames */
    uint8_t *state;
    bool has_state;
    uint8_t *result; /* of the last frame */
    window_span last[3];
    int32_t n_last;
    fl_arena heap;  /* of the state */
    uint8_t *carry; /* is_streamed: the state of the last row of the chunk before; outlives it */
} window_part_state;

typedef struct window_chunk {
    const window_shape *shape;
    fl_memory *memory;
    int32_t block_rows;
    fl_arena arena, scratch;
    uint8_t **rows;
    int64_t n;
    int64_t *partitions, n_partitions; /* where each begins; then n */
    int64_t *peers, n_peers;           /* the same of groups of peers */
    int64_t *first_peers;              /* of each partition the number of its first group; then n_peers */
    window_part_state *parts;
    int64_t rows_before, peers_before; /* is_streamed: of the first partition, in chunks before */
    /* of a batch: by row */
    int64_t *partition, *peer, *start, *end;
    uint8_t **pointers, **states;
    uint16_t *list;
} window_chunk;

/* Rows that are put out together. */
typedef struct window_batch {
    int64_t first;
    int32_t rows;
} window_batch;

static inline int64_t window_partition_start(const window_chunk *c, int32_t i)
{
    return c->partitions[c->partition[i]];
}

static inline int64_t window_partition_end(const window_chunk *c, int32_t i)
{
    return c->partitions[c->partition[i] + 1];
}

/** Writes the frame of each row of the batch to c->start and c->end: nothing is left out of it yet. */
void fl_window_frames(window_chunk *c, int32_t part, const window_batch *batch);

/** The rows of row i's frame, 3 spans at the most, in their order. */
int32_t fl_window_spans(const window_chunk *c, const window_part *part, const window_batch *batch, int32_t i,
                        window_span ret[3]);

/** What an aggregate, or another function, needs of the whole chunk. */
fl_status fl_window_prepare_aggregate(window_chunk *c, int32_t part, fl_err *err);
fl_status fl_window_prepare_values(window_chunk *c, int32_t part, fl_err *err);

/** The results of a batch's rows, in the arena. */
fl_status fl_window_aggregate(window_chunk *c, int32_t part, const window_batch *batch, fl_arena *arena, fl_vec *ret,
                              fl_err *err);
fl_status fl_window_values(window_chunk *c, int32_t part, const window_batch *batch, fl_arena *arena, fl_vec *ret,
                           fl_err *err);

/** Whether a function looks at no row behind its own peers. */
bool fl_window_is_streamed(const window_part *part);

/** How the aggregate is computed. */
window_feed fl_window_feed_of(const fl_agg *agg, int32_t n_order_keys);

#endif
