/* Gathering: each worker fills segments of its own and notes the morsel of each run of rows; the end puts runs in order. */
#include "op/materialize/gather.h"

#include <stdlib.h>

/* Rows of one morsel, in a worker's segments. */
typedef struct run_of_rows {
    int32_t pipeline;
    int64_t morsel;
    int64_t segment; /* of the worker; the builder's open one is n_segments */
    int64_t start;
    int64_t count;
    struct gather_local *local;
} run_of_rows;

typedef struct gather_local {
    fl_memory *memory; /* of the run: what the lists below are charged to */
    fl_segment_builder *builder;
    fl_segment **segments;
    int64_t n_segments, segments_capacity;
    run_of_rows *runs;
    int64_t n_runs, runs_capacity;
    fl_vec *vecs;
    uint16_t *list;
} gather_local;

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_gather *stage = (fl_gather *)base;
    fl_memory *memory = worker->exec->context.memory;
    gather_local *local = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    local->memory = memory;
    FL_TRY(fl_segment_builder_new(stage->keep, stage->types, stage->n_cols, stage->use, &local->builder, err));
    FL_TRY(fl_alloc_zero(memory, (stage->n_cols + 1) * (int64_t)sizeof(fl_vec), (void **)&local->vecs, err));
    FL_TRY(fl_alloc(memory, worker->exec->context.session->vector_rows * 2 + 64, (void **)&local->list, err));
cleanup:
    return st;
}

static void local_free(fl_stage *base, void *ptr)
{
    (void)base;
    gather_local *local = ptr;
    fl_segment_builder_free(local->builder);
    for (int64_t i = 0; i < local->n_segments; i++)
        fl_segment_unref(local->segments[i]);
    fl_free(local->segments);
    fl_free(local->runs);
    fl_free(local->vecs);
    fl_free(local->list);
    fl_free(local);
}

static fl_status close_segment(gather_local *local, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_grow(local->memory, (void **)&local->segments, &local->segments_capacity, local->n_segments + 1, 8, err));
    FL_TRY(fl_segment_builder_finish(local->builder, &local->segments[local->n_segments], err));
    local->n_segments++;
cleanup:
    return st;
}

static fl_status push(fl_stage *base, fl_worker *worker, void *ptr, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_gather *stage = (fl_gather *)base;
    gather_local *local = ptr;
    fl_memory *memory = worker->exec->context.memory;
    int32_t count = batch->rows;
    run_of_rows *run = local->n_runs > 0 ? &local->runs[local->n_runs - 1] : NULL;
    for (int32_t c = 0; c < stage->n_cols; c++)
        local->vecs[c] = batch->vec[stage->from[c]];
    if (batch->mask != NULL)
        count = fl_bitmap_to_list(batch->mask, batch->rows, local->list);
    if (run == NULL || run->pipeline != worker->pipeline || run->morsel != worker->morsel ||
        run->segment != local->n_segments) {
        FL_TRY(fl_grow(memory, (void **)&local->runs, &local->runs_capacity, local->n_runs + 1, (int64_t)sizeof(*run),
                       err));
        run = &local->runs[local->n_runs++];
        *run = (run_of_rows){
            worker->pipeline, worker->morsel, local->n_segments, fl_segment_builder_rows(local->builder), 0, local};
    }
    FL_TRY(fl_segment_builder_add(local->builder, local->vecs, batch->mask != NULL ? local->list : NULL, count, err));
    run->count += count;
    if (fl_segment_builder_is_full(local->builder))
        st = close_segment(local, err);
cleanup:
    return st;
}

static int compare_runs(const void *a, const void *b)
{
    const run_of_rows *x = a, *y = b;
    if (x->pipeline != y->pipeline)
        return x->pipeline < y->pipeline ? -1 : 1;
    if (x->morsel != y->morsel)
        return x->morsel < y->morsel ? -1 : 1;
    if (x->segment != y->segment)
        return x->segment < y->segment ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

static fl_status take_segment(fl_gather *stage, fl_segment *segment, fl_memory *memory, fl_err *err)
{
    fl_status st = fl_grow(memory, (void **)&stage->segments, &stage->segments_capacity, stage->n_segments + 1, 8, err);
    if (st == FL_OK)
        stage->segments[stage->n_segments++] = segment;
    return st;
}

/* Puts the runs in order into new segments. */
static fl_status reorder(fl_gather *stage, run_of_rows *runs, int64_t n_runs, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *builder = NULL;
    fl_segment *made = NULL;
    fl_arena scratch;
    fl_vec *vecs = NULL;
    fl_arena_init(&scratch, memory);
    FL_TRY(fl_segment_builder_new(stage->keep, stage->types, stage->n_cols, stage->use, &builder, err));
    for (int64_t r = 0; r < n_runs; r++) {
        const fl_segment *segment = runs[r].local->segments[runs[r].segment];
        fl_arena_reset(&scratch);
        FL_TRY(FL_NEW_ARRAY(&scratch, stage->n_cols + 1, &vecs, err));
        for (int32_t c = 0; c < stage->n_cols; c++)
            FL_TRY(fl_vec_slice(&scratch, &segment->vecs[c], runs[r].start, runs[r].count, &vecs[c], err));
        FL_TRY(fl_segment_builder_add(builder, vecs, NULL, (int32_t)runs[r].count, err));
        if (!fl_segment_builder_is_full(builder) && r + 1 < n_runs)
            continue;
        FL_TRY(fl_segment_builder_finish(builder, &made, err));
        FL_TRY(take_segment(stage, made, memory, err));
        made = NULL;
    }
cleanup:
    fl_segment_unref(made);
    fl_segment_builder_free(builder);
    fl_arena_drop(&scratch);
    return st;
}

static fl_status finish(fl_stage *base, void *const *locals, int32_t n_locals, fl_err *err)
{
    fl_status st = FL_OK;
    fl_gather *stage = (fl_gather *)base;
    run_of_rows *all = NULL;
    int64_t n = 0, capacity = 0;
    fl_memory *memory = stage->keep;
    gather_local *only = NULL;
    int32_t present = 0;
    for (int32_t w = 0; w < n_locals; w++) {
        gather_local *local = locals[w];
        if (local == NULL || local->n_runs == 0)
            continue;
        if (fl_segment_builder_rows(local->builder) > 0)
            FL_TRY(close_segment(local, err));
        FL_TRY(fl_grow(memory, (void **)&all, &capacity, n + local->n_runs, (int64_t)sizeof(*all), err));
        memcpy(all + n, local->runs, (size_t)local->n_runs * sizeof(*all));
        n += local->n_runs;
        only = local;
        present++;
    }
    bool in_order = present <= 1;
    for (int64_t i = 1; i < n && in_order; i++)
        in_order = compare_runs(&all[i - 1], &all[i]) <= 0;
    if (!in_order) {
        qsort(all, (size_t)n, sizeof(*all), compare_runs);
        FL_TRY(reorder(stage, all, n, memory, err));
    } else if (only != NULL) {
        for (int64_t i = 0; i < only->n_segments; i++) {
            FL_TRY(take_segment(stage, only->segments[i], memory, err));
            fl_segment_ref(only->segments[i]);
        }
    }
cleanup:
    fl_free(all);
    return st;
}

static void stage_free(fl_stage *base)
{
    fl_gather *stage = (fl_gather *)base;
    for (int64_t i = 0; i < stage->n_segments; i++)
        fl_segment_unref(stage->segments[i]);
    fl_free(stage->segments);
}

static const fl_stage_ops gather_ops = {.what = "the gathering of the result",
                                        .local_new = local_new,
                                        .push = push,
                                        .finish = finish,
                                        .local_free = local_free,
                                        .free = stage_free};

fl_status fl_gather_new(fl_exec *exec, const fl_col_id *cols, int32_t n_cols, const fl_node *input, fl_segment_use use,
                        fl_memory *keep, fl_gather **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_gather *stage = NULL;
    FL_TRY(fl_exec_add_stage(exec, &gather_ops, (int64_t)sizeof(*stage), NULL, NULL, &stage, err));
    stage->keep = keep;
    stage->use = use;
    stage->n_cols = n_cols;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n_cols + 1, &stage->types, err));
    for (int32_t i = 0; i < n_cols; i++)
        stage->types[i] = fl_plan_col(exec->plan, cols[i])->type;
    FL_TRY(fl_exec_col_map(exec, cols, n_cols, input, &stage->from, err));
    *ret = stage;
cleanup:
    return st;
}
