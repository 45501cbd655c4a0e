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
    WINDOW_MOVING, /* frames that only move on: a segment's rows have the state of all behind them in it, and that of all before */
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
    bool is_whole;        /* each frame is its partition */
    bool is_narrow;       /* frames reach over rows so few that a stretch makes the states of its own */
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
    bool needs_peers;  /* a function asks for groups of peers */
    bool is_divisible; /* all functions can be computed of stretches of a partition, side by side */
} window_shape;

typedef struct window_span {
    int64_t start, end;
} window_span;

/* What a function has prepared of all rows of the chunk: it is read alone when rows are put out. All lies in the chunk's arena unless it
 * says otherwise. */
typedef struct window_prepared {
    fl_arena *arena;
    uint8_t *states;     /* by partition, or by row */
    uint8_t *levels[24]; /* of a tree: [0] is `states` */
    int32_t n_levels;
    uint8_t *totals; /* by stretch: of its rows, then of all before it */
    /* Of frames that move on: the state of a row's segment up to it; `states` has that of the segment from it on. */
    uint8_t *sums;
    int64_t *segments; /* where each begins, then where the last one ends; a block of its own */
    int64_t n_segments, segments_capacity;
    uint8_t *results;   /* rows of the part's result layout, by partition */
    int64_t *counts;    /* nulls are ignored: rows before each that have a value; [n + 1] */
    int64_t *positions; /* those rows */
    int64_t *n_values;  /* by stretch: of its rows, then of all before it */
    fl_vec *args;       /* fed anew: by block of rows and argument */
    int64_t *ids;       /* DISTINCT: the same for rows that are the same, below n_ids */
    int64_t n_ids;
    int64_t *ranks, *by_rank; /* in the aggregate's own order */
} window_prepared;

/* States of rows [first, end): of all, or near those that are put out. */
typedef struct window_reach {
    uint8_t *states;
    uint8_t *sums; /* see window_prepared */
    int64_t first, end;
} window_reach;

/* Where a worker is with a function. */
typedef struct window_part_state {
    window_reach reach;
    int64_t partition; /* of the two places below; -1: none */
    int64_t low, high; /* where the last row's frame began and ended by its key */
    int64_t *stamps;   /* by id: the frame that saw it last */
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
    fl_arena results; /* of frames that were fed anew */
    uint8_t **rows;
    int64_t n;
    int64_t *partitions, n_partitions; /* where each begins; then n */
    int64_t *peers, n_peers;           /* the same of groups of peers; where nobody asks for them, of partitions */
    int64_t *first_peers;              /* of each partition the number of its first group; then n_peers */
    window_prepared *prepared;         /* by part: its own, or of a large partition */
    window_prepared *own;
    window_part_state *parts;
    int64_t rows_before, peers_before; /* is_streamed: of the first partition, in chunks before */
    int64_t stretch_rows;              /* what is prepared is prepared a stretch at a time; n: there is one */
    int64_t n_stretches;
    uint64_t large; /* number of the large partition that it is set up for; 0: none */
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

/** About as many rows are worked on at once: they and what is made of them stay in the cache. */
static inline int64_t window_chunk_rows(const window_shape *shape)
{
    return shape->exec->context.session->vector_rows * 4ll;
}

/** Of a worker, or of rows that come in order. To be dropped in any case. */
fl_status fl_window_chunk_init(window_chunk *c, const window_shape *shape, fl_err *err);
void fl_window_chunk_drop(window_chunk *c);

/** Puts out rows of whole partitions, or of whole groups of peers where they are streamed: `goes_on`: the last partition does in the next
 *  chunk. They stay where they are until then. */
fl_status fl_window_run_chunk(window_chunk *c, uint8_t **rows, int64_t n, bool goes_on, fl_worker *worker, fl_stage *to,
                              fl_err *err);

/** Writes those rows of [start, end) that begin a group of peers in their partition. is_first: the first one begins the partition. */
int64_t fl_window_find_peers(const window_chunk *c, int64_t start, int64_t end, bool is_first, int64_t *ret);

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

/** Notes of which partition and group of peers each row of the batch is. `partition` and `peer` are those of the row before it, or earlier ones. */
void fl_window_place_rows(window_chunk *c, const window_batch *batch, int64_t *partition, int64_t *peer);

/* Before rows are put out, each part is prepared in steps. Stretches of one step may be worked on side by side by chunks that share
 * `prepared`, and so may parts; a step begins when the one before it is done. */

/** Takes the memory that is known to be needed. */
fl_status fl_window_begin(window_chunk *c, int32_t part, fl_err *err);

/** Reads the rows of a stretch. */
fl_status fl_window_feed(window_chunk *c, int32_t part, int64_t stretch, fl_err *err);

/** Does what goes from stretch to stretch. */
fl_status fl_window_join(window_chunk *c, int32_t part, fl_err *err);

/** Finishes the rows of a stretch, with what the others told. */
fl_status fl_window_spread(window_chunk *c, int32_t part, int64_t stretch, fl_err *err);

/** Whether there is anything to spread. */
bool fl_window_has_spread(const window_part *part);

/** Forgets where the worker was: rows of any place are put out next. is_new: other rows were prepared. */
void fl_window_restart(window_chunk *c, bool is_new);

/** Makes what the frames of rows [start, end) need beside what was prepared. */
fl_status fl_window_reach(window_chunk *c, int32_t part, int64_t start, int64_t end, fl_err *err);

/** How far from a row of a partition of n rows a frame of ROWS begins and ends; neither is further than n. */
window_span fl_window_distances(const window_part *part, int64_t n);

/** Puts out rows [start, end), which were prepared. peer: the first one's group, or an earlier one. */
fl_status fl_window_put_out(window_chunk *c, int64_t start, int64_t end, int64_t peer, fl_worker *worker, fl_stage *to,
                            fl_err *err);

/* The same of what is fed to aggregates, and of nulls that are ignored. */
fl_status fl_window_begin_aggregate(window_chunk *c, int32_t part, fl_err *err);
fl_status fl_window_feed_aggregate(window_chunk *c, int32_t part, int64_t stretch, fl_err *err);
fl_status fl_window_join_aggregate(window_chunk *c, int32_t part, fl_err *err);
fl_status fl_window_spread_aggregate(window_chunk *c, int32_t part, int64_t stretch, fl_err *err);
fl_status fl_window_begin_values(window_chunk *c, int32_t part, fl_err *err);
void fl_window_feed_values(window_chunk *c, int32_t part, int64_t stretch);
void fl_window_join_values(window_chunk *c, int32_t part);
void fl_window_spread_values(window_chunk *c, int32_t part, int64_t stretch);

static inline int64_t window_stretch_start(const window_chunk *c, int64_t stretch)
{
    return stretch * c->stretch_rows;
}

static inline int64_t window_stretch_end(const window_chunk *c, int64_t stretch)
{
    int64_t end = (stretch + 1) * c->stretch_rows;
    return end < c->n ? end : c->n;
}

/** The results of a batch's rows, in the arena. */
fl_status fl_window_aggregate(window_chunk *c, int32_t part, const window_batch *batch, fl_arena *arena, fl_vec *ret,
                              fl_err *err);
fl_status fl_window_values(window_chunk *c, int32_t part, const window_batch *batch, fl_arena *arena, fl_vec *ret,
                           fl_err *err);

/** Whether a function looks at no row behind its own peers. */
bool fl_window_is_streamed(const window_part *part);

/** Whether its frames ask for groups of peers. */
bool fl_window_needs_peers(const window_part *part);

/** Whether the frames, which have a state for each row, reach over no more than so many rows. */
bool fl_window_is_narrow(const window_part *part, int64_t rows_max);

/** Whether stretches of a partition can be computed without what was computed for the rows before them. */
bool fl_window_is_divisible(const window_part *part);

/** Whether the frame is its partition, of whichever row. */
bool fl_window_is_whole(const fl_frame *frame, int32_t n_order_keys);

/** How the aggregate is computed. */
window_feed fl_window_feed_of(const fl_agg *agg, int32_t n_order_keys);

#endif
