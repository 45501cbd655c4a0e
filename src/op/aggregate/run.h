/* What the parts of an aggregate's run share: the stage that takes rows in, a worker's state, and the source that puts groups out. */
#ifndef FL_OP_AGGREGATE_RUN_H
#define FL_OP_AGGREGATE_RUN_H

#include "exec/agg.h"
#include "exec/eval.h"
#include "exec/exec.h"
#include "exec/run_groups.h"
#include "exec/spilled_groups.h"
#include "exec/spilled_stretches.h"
#include "op/aggregate/node.h"

/* Where an aggregate's rows go. */
typedef enum feed { FEED_DIRECT, FEED_DISTINCT, FEED_ORDERED } feed;

typedef struct agg_part {
    const fl_agg *agg;
    feed feed;
    int32_t offset;                /* of the state in a group's row */
    int32_t args[FL_AGG_ARGS_MAX]; /* numbers of expressions in the program */
    fl_type arg_types[FL_AGG_ARGS_MAX];
    uint64_t run; /* fl_agg_call.run */
    struct fl_call_tally *tally;
    int32_t filter; /* -1: none */
    int32_t order[8];
    fl_row_layout side; /* collected rows: group keys, arguments, order keys, sequence */
    int32_t n_side;
    int32_t kind; /* of the collected rows where they are spilled; -1: they are not */
} agg_part;

typedef struct aggregate_stage {
    fl_stage base;
    fl_exec *exec;
    fl_program *program;
    fl_row_layout layout; /* keys; extra: states */
    int32_t n_keys;
    bool is_sorted;       /* groups are runs, or lie in runs */
    int32_t n_ordered;    /* is_sorted: the first keys, which make the runs */
    fl_key_range *ranges; /* of keys; NULL: the groups are hashed */
    agg_part *parts;
    int32_t n_parts;
    int32_t n_masked;    /* parts that run once a group where a batch has few */
    int32_t n_collected; /* parts whose rows are collected */
    int32_t state_bytes;
    struct aggregate_source *result;
    fl_arena heap; /* of states that are fed in finish() */
    bool can_spill;
    bool is_spilled; /* the groups come back from piles, or pages; without keys: collected values do, in finish() */
    fl_group_kinds kinds;
    fl_row_states states;
    fl_group_piles piles;
    fl_ordered_pages pages; /* is_sorted and is_spilled, when finished: of all groups */
} aggregate_stage;

typedef struct aggregate_local {
    fl_eval *eval;
    fl_group_table groups;    /* is_sorted: its store alone */
    fl_stretches stretches;   /* is_sorted */
    uint8_t *last;            /* is_sorted: the group of the last row */
    uint8_t *starts;          /* is_sorted: by row of the list, whether a run begins */
    fl_run_groups in_runs;    /* is_sorted, by some of the keys */
    fl_group_table *distinct; /* per part */
    fl_row_store *ordered;    /* per part */
    int64_t *kept_bytes;      /* per part: of those rows when all but one were forgotten */
    uint8_t *single;          /* without keys: the one row */
    int64_t sequence;
    fl_spill_holder holder;
    fl_group_parts spilled;
    fl_spilled_stretches spilled_runs; /* is_sorted */
    int64_t n_seen;                    /* rows whose groups are in memory */
    bool appends;  /* the rows of a group are put together when workers' are, or when they come back */
    bool looks_up; /* it appended, and too many rows were of known groups */
    int32_t pause; /* batches for which groups are not split: there were too many */
    uint16_t *list;
    uint8_t **rows;
    uint8_t **side_rows;
    fl_vec *keys;
} aggregate_local;

typedef struct aggregate_source {
    fl_source base;
    aggregate_stage *stage;
    fl_group_result groups;
    uint8_t ***rows; /* per table: its rows */
    int64_t *n_rows;
    _Atomic int32_t next_table;
    _Atomic int64_t next_row; /* of table 0 when there is one only; is_sorted and is_spilled: the next pages */
    int32_t *from;            /* per output column: key number, or -1 - aggregate number */
} aggregate_source;

/* Groups that are fed from collected rows. */
typedef struct fed_groups {
    uint8_t *single;        /* without keys */
    fl_group_table *tables; /* one, or one per partition of the hash */
    int32_t n_tables;
    fl_arena *heap; /* of the states */
} fed_groups;

/* Whether one of the collected rows is enough. */
static inline bool aggregate_takes_one(const aggregate_stage *stage, const agg_part *part)
{
    return stage->n_keys == 0 && part->feed == FEED_ORDERED && part->agg->kernel->wanted != FL_ROWS_ALL;
}

/* Whether hardly a row had a group in memory already. */
static inline bool aggregate_repeats_few(const aggregate_local *local)
{
    return local->groups.store.rows >= local->n_seen / 32 * 31;
}

static inline fl_agg_call aggregate_call(const agg_part *part, const fl_vec *args, fl_arena *heap)
{
    return (fl_agg_call){.n_args = part->agg->n_args,
                         .args = args,
                         .heap = heap,
                         .agg = part->agg->agg,
                         .run = part->run,
                         .tally = part->tally,
                         .arg_types = part->arg_types,
                         .ret_type = part->agg->type};
}

/** Feeds collected rows of a part to their groups, all of which exist. */
fl_status fl_aggregate_feed(aggregate_stage *stage, int32_t a, const fed_groups *groups, uint8_t **rows, int64_t n,
                            fl_err *err);

/** Puts collected rows of an aggregate with an order in that order; DISTINCT ones once each. exec as for fl_sort_rows. */
fl_status fl_aggregate_order_rows(aggregate_stage *stage, int32_t a, fl_exec *exec, uint8_t **rows, int64_t *n,
                                  fl_err *err);

/** fl_group_combine, over the stage: the states that were fed directly. */
fl_status fl_aggregate_combine_row(void *ctx, uint8_t *into, const uint8_t *row, fl_arena *heap, fl_err *err);

/** Puts out rows of groups. */
fl_status fl_aggregate_emit(aggregate_source *source, fl_worker *worker, fl_stage *to, uint8_t **rows, int32_t count,
                            fl_err *err);

/* Spilling (op/aggregate/spill.c). */

/** Says how the stage's groups are spilled, when its parts are planned. */
fl_status fl_aggregate_plan_spill(aggregate_stage *stage, fl_err *err);
void fl_aggregate_drop_spill(aggregate_stage *stage);

/** Writes the worker's groups and collected rows away if memory is short. Between batches. */
fl_status fl_aggregate_spill_if_due(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, fl_err *err);

/** Writes away all that the worker has, or what was collected for one part. */
fl_status fl_aggregate_spill(aggregate_stage *stage, aggregate_local *local, fl_err *err);
fl_status fl_aggregate_spill_side(aggregate_stage *stage, aggregate_local *local, int32_t a, fl_err *err);

/** Whether there is memory to merge what workers have, and to feed what they collected. */
bool fl_aggregate_can_finish(const aggregate_stage *stage, aggregate_local *const *locals, int32_t n_locals);

/** The end of the input, where a worker spilled: what all have left goes to the piles, too. Without keys, the values of DISTINCT parts are
 *  fed from there to the single row. */
fl_status fl_aggregate_finish_spill(aggregate_stage *stage, aggregate_local *const *locals, int32_t n_locals,
                                    uint8_t *single, fl_err *err);

/** fl_source_ops.run where the groups come from piles. */
fl_status fl_aggregate_run_spilled(aggregate_source *source, fl_worker *worker, fl_stage *to, bool *ret_any,
                                   fl_err *err);

/* Spilling of groups that are runs, or lie in runs (op/aggregate/spill_runs.c). */

/** Begins with an empty store. */
fl_status fl_aggregate_begin_runs(aggregate_stage *stage, aggregate_local *local, fl_err *err);

/** Writes the worker's groups away, the one under way, too: what belongs to it is put together when it comes back. */
fl_status fl_aggregate_spill_runs(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, fl_err *err);

/** The end of the input, where a worker spilled, or groups cannot be listed: all groups go to pages. */
fl_status fl_aggregate_finish_runs(aggregate_stage *stage, aggregate_local *const *locals, int32_t n_locals,
                                   fl_err *err);

/** fl_source_ops.run where the groups come from pages: some pages of them, in their order. */
fl_status fl_aggregate_run_pages(aggregate_source *source, fl_worker *worker, fl_stage *to, bool *ret_any, fl_err *err);

/** Groups in the order of the input, of which those of a stretch are distinct: the first of a stretch are combined with those before
 *  that are the same. starts[n_stretches + 1]; what is left, ret_n rows, is moved to the front. */
fl_status fl_aggregate_join_runs(aggregate_stage *stage, uint8_t **rows, const int64_t *starts, int64_t n_stretches,
                                 fl_arena *heap, int64_t *ret_n, fl_err *err);

#endif
