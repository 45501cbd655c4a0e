/* Pairs: what all joins have in common, however they find the rows that may be partners.
 *
 * A join keeps the rows of its build side in the row layout (keys, then the columns that anybody reads), and goes through the
 * batches of its probe side. Candidates are collected as pairs of a probe row's number and a build row, at most a batch of
 * them; they are settled together: what else the condition asks is evaluated over them, and what the kind of join makes of
 * the true ones is passed on. When a probe batch is done, what depends on rows without partners follows.
 *
 * Mark joins: conjunct 0 is the three-valued comparison of IN; the others are plain conditions. Where it is an equality and
 * alone, it is the key, and nulls are remembered as flags; else it is evaluated per pair. */
#ifndef FL_OP_JOIN_PAIRS_H
#define FL_OP_JOIN_PAIRS_H

#include "exec/eval.h"
#include "exec/exec.h"
#include "exec/rows.h"
#include "op/join/node.h"

#define FL_JOIN_PLACE_COLS 2 /* where a probe row came: its morsel, and its number in it */

/* Of a run: shared by all workers. */
typedef struct fl_join_pairs {
    fl_exec *exec;
    const fl_node *node;
    int32_t kind;
    bool build_left;
    bool is_mark_fast; /* a mark join whose one condition is the key */
    const fl_node *build_side, *probe_side;
    int32_t n_keys;
    const fl_expr **build_exprs, **probe_exprs; /* the keys */
    bool *is_null_safe;                         /* per key: nulls are equal (IS NOT DISTINCT FROM) */
    fl_program *build_keys, *probe_keys;
    int32_t n_payload;
    int32_t *payload_from; /* per payload column: position in the build input */
    fl_col_id *payload_cols;
    fl_row_layout layout; /* keys, payload; extra room is the join's own */
    fl_vec *payload_dict; /* per payload column: a dictionary without codes, or of another layout; NULL: none at all */
    int32_t code_offset;  /* in a build row: its code in the dictionaries */
    int32_t match_offset; /* in a build row: the byte that is set when it has a partner; 0: nobody asks */
    int32_t n_residual;
    fl_program *residual;           /* over pair columns */
    bool residual_has_three_valued; /* mark joins: residual 0 is three-valued */
    int32_t n_pair_cols;            /* columns of a pair batch for the residual */
    int32_t *pair_from;             /* >= 0: position in the probe input; else -1 - payload column */
    int32_t n_out;      /* columns that are put out: the node's, and FL_JOIN_PLACE_COLS where rows need their place */
    int32_t *out_from;  /* per column that is put out: same; INT32_MIN: the mark */
    uint8_t *null_row;  /* outer joins: a build row of nulls, beside a probe row that has no partner */
    int64_t build_rows; /* known when the build side is done, as is the next one */
    bool has_null_key;  /* of build rows, for mark joins */
} fl_join_pairs;

/* Of a worker: the candidates at hand, and what is known of the rows of the probe batch. */
typedef struct fl_pair_list {
    fl_eval *keys_eval, *residual_eval;
    uint16_t *probe;   /* [rows of a batch]: row of the probe batch */
    uint8_t **build;   /* its candidate; NULL: nulls */
    uint64_t *found;   /* per probe row: it has a partner */
    uint64_t *unknown; /* mark joins: the comparison was null for some candidate */
    bool
        is_all; /* set by who settles: the pairs at hand are all candidates of the batch; outer joins put out its rows at once then */
} fl_pair_list;

/** Plans a join: which conjuncts are keys (those of attrs->order, else all equalities between the sides) and which are evaluated over
 *  pairs; what is kept of build rows, and the programs. `extra_bytes`: the join's own room in a row. */
fl_status fl_join_pairs_plan(fl_exec *exec, const fl_node *node, int32_t extra_bytes, fl_join_pairs *ret, fl_err *err);

/** list begins cleared, and is dropped also after a failure. */
fl_status fl_pair_list_init(fl_pair_list *list, const fl_join_pairs *pairs, fl_worker *worker, fl_err *err);
void fl_pair_list_drop(fl_pair_list *list);

/** The rows of a batch that are kept. Returns how many. */
int32_t fl_join_list_rows(const fl_batch *batch, uint16_t *list);

/** Drops rows with a null in a key that nulls cannot match. Returns how many are left. */
int32_t fl_join_drop_null_keys(const fl_join_pairs *pairs, const fl_vec *keys, uint16_t *list, int32_t count);

/** Begins a probe batch: evaluates the keys, in the worker's arena. */
fl_status fl_join_begin_batch(const fl_join_pairs *pairs, fl_pair_list *list, fl_worker *worker, const fl_batch *batch,
                              fl_vec **ret_keys, fl_err *err);

/** Writes the keys and the payload of rows of a build batch. */
fl_status fl_join_write_rows(const fl_join_pairs *pairs, const fl_batch *batch, const fl_vec *keys,
                             const uint16_t *list, int32_t count, uint8_t *const *rows, fl_arena *heap, fl_err *err);

/** Keeps the pairs that satisfy the residual conjuncts; notes unknowns of a three-valued one. *count is narrowed. */
fl_status fl_join_filter_pairs(const fl_join_pairs *pairs, fl_pair_list *list, fl_worker *worker, const fl_batch *batch,
                               int32_t *count, fl_err *err);

/** Passes pairs on. */
fl_status fl_join_emit_pairs(const fl_join_pairs *pairs, fl_worker *worker, fl_stage *next, const fl_batch *batch,
                             const uint16_t *probe, uint8_t *const *build, int32_t count, fl_err *err);

/** Filters, notes and passes on the first `count` pairs; what that took of the worker's arena is given back, since one probe batch
 *  may make any number of batches of pairs. */
fl_status fl_join_settle_pairs(const fl_join_pairs *pairs, fl_pair_list *list, fl_worker *worker, fl_stage *next,
                               const fl_batch *batch, int32_t count, fl_err *err);

/** A probe row has a second partner where one is allowed. */
fl_status fl_join_fail_second_row(const fl_join_pairs *pairs, fl_err *err);

/** Ends a probe batch: passes on its rows, or those without partners, as the kind of join asks. */
fl_status fl_join_finish_batch(const fl_join_pairs *pairs, const fl_pair_list *list, fl_worker *worker, fl_stage *next,
                               const fl_batch *batch, const fl_vec *keys, fl_err *err);

/** Whether the probe side need not be read: without build rows no probe row has a partner, and only pairs are wanted. Not where
 *  reading it may raise. */
bool fl_join_is_probe_idle(const fl_join_pairs *pairs);

/** Whether probe rows are put out with or without a mark, and build rows never. */
static inline bool fl_join_is_existence(const fl_join_pairs *pairs)
{
    return pairs->kind == FL_JOIN_SEMI || pairs->kind == FL_JOIN_ANTI || pairs->kind == FL_JOIN_MARK;
}

/** Whether a probe row that has a partner needs no other. */
static inline bool fl_join_wants_one(const fl_join_pairs *pairs)
{
    return (fl_join_is_existence(pairs) && !pairs->build_left) || pairs->kind == FL_JOIN_FIRST;
}

/** Whether there may be several rows for a probe row. */
static inline bool fl_join_multiplies(const fl_join_pairs *pairs)
{
    return !fl_join_is_existence(pairs) && pairs->kind != FL_JOIN_FIRST && pairs->kind != FL_JOIN_SINGLE;
}

#endif
