/* limit: passes rows until there are enough, then ends the pipeline. Runs on one worker, in the source's order. */
#include "exec/exec.h"
#include "op/limit/node.h"

typedef struct limit_stage {
    fl_stage base;
    int64_t skipped;
    int64_t passed;
    int32_t *cols;
} limit_stage;

/* Keeps the first `n` ones. */
static void keep_first(uint64_t *mask, int64_t words, int64_t n)
{
    for (int64_t w = 0; w < words; w++) {
        uint64_t word = mask[w], kept = 0;
        while (word != 0 && n > 0) {
            kept |= word & -word;
            word &= word - 1;
            n--;
        }
        mask[w] = kept;
    }
}

static fl_status push(fl_stage *base, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    limit_stage *stage = (limit_stage *)base;
    const fl_limit_attrs *limit = fl_limit_of(base->node);
    int64_t skip = limit->offset - stage->skipped, kept = batch->kept;
    uint64_t *mask = NULL;
    fl_vec *vecs = NULL;
    int64_t words = fl_bitmap_words(batch->rows);
    skip = skip > kept ? kept : skip < 0 ? 0 : skip;
    stage->skipped += skip;
    kept -= skip;
    int64_t left = limit->limit < 0 ? kept : limit->limit - stage->passed;
    bool is_last = limit->limit >= 0 && kept >= left;
    if (kept > left)
        kept = left;
    stage->passed += kept;
    if (kept > 0) {
        FL_TRY(FL_NEW_ARRAY(&worker->arena, base->node->n_cols + 1, &vecs, err));
        for (int32_t c = 0; c < base->node->n_cols; c++)
            vecs[c] = batch->vec[stage->cols[c]];
        fl_batch out = {
            .rows = batch->rows, .cols = base->node->n_cols, .vec = vecs, .mask = batch->mask, .kept = (int32_t)kept};
        if (kept < batch->kept) {
            FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&mask, err));
            if (batch->mask != NULL)
                memcpy(mask, batch->mask, (size_t)words * 8);
            else
                fl_bitmap_fill(mask, batch->rows, true);
            mask[words - 1] &= fl_bitmap_tail(batch->rows);
            fl_bitmap_clear_first(mask, skip);
            keep_first(mask, words, kept);
            out.mask = mask;
        }
        FL_TRY(fl_push(base->node, base->next, worker, &out, err));
    }
    st = is_last ? FL_DONE : FL_OK;
cleanup:
    return st;
}

static const fl_stage_ops stage_ops = {.push = push};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    limit_stage *stage = NULL;
    FL_TRY(fl_exec_add_stage(exec, &stage_ops, (int64_t)sizeof(*stage), node, next, &stage, err));
    stage->base.is_ordered = true;
    FL_TRY(fl_exec_col_map(exec, node->cols, node->n_cols, node->inputs[0], &stage->cols, err));
    st = fl_exec_build(exec, node->inputs[0], &stage->base, err);
cleanup:
    return st;
}

const fl_op_exec fl_limit_exec = {.build = build};
