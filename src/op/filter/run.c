/* filter: narrows the batch's mask, conjunct by conjunct; where few rows are left, compacts the batch. */
#include "exec/eval.h"
#include "exec/exec.h"
#include "op/filter/node.h"

#define COMPACT_BELOW 8 /* compact when fewer than one row in this many is left: later operators touch all slots */

typedef struct filter_stage {
    fl_stage base;
    fl_program *program;
    int32_t *cols; /* positions of the output columns in the input batch */
} filter_stage;

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    filter_stage *stage = (filter_stage *)base;
    return fl_eval_new(stage->program, worker->exec->context.memory, worker->exec->context.session->vector_rows,
                       (fl_eval **)ret, err);
}

static void local_free(fl_stage *base, void *local)
{
    (void)base;
    fl_eval_free(local);
}

static fl_status push(fl_stage *base, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    filter_stage *stage = (filter_stage *)base;
    const fl_filter_attrs *filter = fl_filter_of(base->node);
    uint64_t *mask = NULL;
    int32_t kept = 0;
    int64_t words = fl_bitmap_words(batch->rows);
    fl_vec *vecs = NULL;
    FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&mask, err));
    if (batch->mask != NULL)
        memcpy(mask, batch->mask, (size_t)words * 8);
    else
        fl_bitmap_fill(mask, batch->rows, true);
    mask[words - 1] &= fl_bitmap_tail(batch->rows);
    fl_eval_begin(local, batch, &worker->arena);
    for (int32_t i = 0; i < filter->n_conjuncts; i++) {
        FL_TRY(fl_eval_filter(local, i, mask, &kept, err));
        if (kept == 0)
            return FL_OK;
    }
    FL_TRY(FL_NEW_ARRAY(&worker->arena, base->node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < base->node->n_cols; c++)
        vecs[c] = batch->vec[stage->cols[c]];
    fl_batch out = {.rows = batch->rows,
                    .cols = base->node->n_cols,
                    .vec = vecs,
                    .mask = kept == batch->rows ? NULL : mask,
                    .kept = kept};
    if (kept * COMPACT_BELOW < batch->rows)
        FL_TRY(fl_batch_compact(&worker->arena, &out, err));
    st = fl_push(base->node, base->next, worker, &out, err);
cleanup:
    return st;
}

static const fl_stage_ops stage_ops = {.local_new = local_new, .push = push, .local_free = local_free};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    filter_stage *stage = NULL;
    const fl_filter_attrs *filter = fl_filter_of(node);
    const fl_node *input = node->inputs[0];
    FL_TRY(fl_exec_add_stage(exec, &stage_ops, (int64_t)sizeof(*stage), node, next, &stage, err));
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, filter->conjuncts, filter->n_conjuncts,
                          input->cols, input->n_cols, &stage->program, err));
    FL_TRY(fl_exec_col_map(exec, node->cols, node->n_cols, input, &stage->cols, err));
    st = fl_exec_build(exec, input, &stage->base, err);
cleanup:
    return st;
}

const fl_op_exec fl_filter_exec = {.build = build};
