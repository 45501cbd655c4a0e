/* limit: passes rows until there are enough, then ends the pipeline.
 *
 * Rows must come in the source's order, so one worker does so as they come. Where many rows are gone through until there are
 * enough, all workers do: each keeps what its morsels give until the first rows of all are known (op/materialize/result_queue.h),
 * which are passed on then. Not where a row behind these may raise what it would not have. */
#include "exec/exec.h"
#include "op/limit/node.h"
#include "op/materialize/result_queue.h"

#define KEPT_ROWS_MAX 65536      /* that workers may have to keep, each */
#define SEARCHED_ROWS_MIN 500000 /* some milliseconds of one worker */

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
    FL_ASSERT(kept >= 0 && stage->skipped <= limit->offset && (limit->limit < 0 || stage->passed <= limit->limit));
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

/* ---- by all workers ------------------------------------------------------------------------------------------------ */

typedef struct limit_source {
    fl_source base;
    fl_result_queue *queue;
    int64_t skip, left;
    int64_t n_morsels; /* one worker at a time, but not always the same */
} limit_source;

static fl_status pass_on(limit_source *source, fl_worker *worker, fl_stage *to, const fl_segment *segment, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = source->base.node;
    int64_t rows_max = worker->exec->context.session->vector_rows;
    int64_t start = source->skip < segment->rows ? source->skip : segment->rows;
    source->skip -= start;
    while (start < segment->rows && source->left > 0) {
        int64_t rows = segment->rows - start < rows_max ? segment->rows - start : rows_max;
        fl_vec *vecs = NULL;
        rows = rows < source->left ? rows : source->left;
        fl_arena_reset(&worker->arena);
        FL_TRY(FL_NEW_ARRAY(&worker->arena, node->n_cols + 1, &vecs, err));
        for (int32_t c = 0; c < node->n_cols; c++)
            FL_TRY(fl_vec_slice(&worker->arena, &segment->vecs[c], start, rows, &vecs[c], err));
        fl_batch batch = {.rows = (int32_t)rows, .cols = node->n_cols, .vec = vecs, .kept = (int32_t)rows};
        FL_TRY(fl_push(node, to, worker, &batch, err));
        start += rows;
        source->left -= rows;
    }
cleanup:
    return st;
}

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    limit_source *source = (limit_source *)base;
    fl_segment *segment = NULL;
    FL_TRY(fl_result_queue_take(source->queue, &segment, err));
    *ret_any = segment != NULL && source->left > 0;
    worker->morsel = source->n_morsels++;
    if (*ret_any)
        st = pass_on(source, worker, to, segment, err);
cleanup:
    fl_segment_unref(segment);
    return st;
}

static const fl_source_ops source_ops = {.run = run};

/* The most rows that one of the nodes below has. */
static double most_rows(const fl_node *node)
{
    double most = node->rows;
    for (int32_t i = 0; i < node->n_inputs; i++) {
        double below = most_rows(node->inputs[i]);
        most = below > most ? below : most;
    }
    return most;
}

static bool is_searched(const fl_exec *exec, const fl_node *node)
{
    const fl_limit_attrs *limit = fl_limit_of(node);
    const fl_node *input = node->inputs[0];
    if (exec->n_workers < 2 || limit->limit <= 0 || limit->limit > KEPT_ROWS_MAX ||
        limit->offset > KEPT_ROWS_MAX - limit->limit || input->can_fail)
        return false;
    double part = (double)(limit->limit + limit->offset) / (input->rows > 1 ? input->rows : 1);
    return most_rows(input) * (part < 1 ? part : 1) >= SEARCHED_ROWS_MIN;
}

static fl_status build_searched(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_limit_attrs *limit = fl_limit_of(node);
    limit_source *source = NULL;
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    source->base.workers_max = 1;
    source->skip = limit->offset;
    source->left = limit->limit;
    FL_TRY(fl_result_queue_new(exec, node->cols, node->n_cols, node->inputs[0], exec->context.memory, &source->queue,
                               err));
    fl_result_queue_keep_first(source->queue, limit->limit + limit->offset);
    FL_TRY(fl_exec_build(exec, node->inputs[0], &source->queue->base, err));
    FL_TRY(fl_exec_add_finish(exec, &source->queue->base, err));
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->queue->base, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

/* ---- building ------------------------------------------------------------------------------------------------------ */

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    limit_stage *stage = NULL;
    if (is_searched(exec, node))
        return build_searched(exec, node, next, err);
    FL_TRY(fl_exec_add_stage(exec, &stage_ops, (int64_t)sizeof(*stage), node, next, &stage, err));
    stage->base.is_ordered = true;
    FL_TRY(fl_exec_col_map(exec, node->cols, node->n_cols, node->inputs[0], &stage->cols, err));
    st = fl_exec_build(exec, node->inputs[0], &stage->base, err);
cleanup:
    return st;
}

const fl_op_exec fl_limit_exec = {.build = build};
