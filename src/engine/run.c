/* From a bound query to rows: optimize, build pipelines, run, gather the result in order. */
#include "engine/internal.h"

#include "base/clock.h"
#include "exec/eval.h"

#include <stdlib.h>

void fl_rows_drop(fl_rows *rows)
{
    for (int64_t i = 0; i < rows->n_segments; i++)
        fl_segment_unref(rows->segments[i]);
    fl_arena_drop(&rows->arena);
    *rows = (fl_rows){0};
}

/* ---- the evaluator that the optimizer folds constants with ------------------------------------------------------------ */

typedef struct session_evaluator {
    fl_evaluator base;
    const fl_session_state *state;
} session_evaluator;

static fl_status fold(fl_evaluator *base, fl_plan *plan, const fl_expr *expr, fl_arena *arena, fl_value *ret, fl_err *err)
{
    return fl_eval_once(arena, plan, ((session_evaluator *)base)->state, expr, ret, err);
}

static fl_session_state state_of(const fl_session *session, const fl_value *params, int32_t n_params)
{
    return (fl_session_state){.now_us = fl_clock_wall_us(), .vector_rows = session->settings.vector_rows,
                              .threads = session->settings.threads, .seed = session->engine->seed,
                              .params = params, .n_params = n_params};
}

static fl_status optimize(fl_session *session, fl_query *query, const fl_session_state *state, fl_optimize_report *report, fl_err *err)
{
    fl_str disabled[FL_RULES_MAX];
    int32_t n = 0;
    session_evaluator evaluator = {.base = {.fold = fold}, .state = state};
    fl_str list = fl_str_of(session->settings.disabled_rules);
    for (int64_t at = 0; at < list.len && n < FL_RULES_MAX;) {
        int64_t end = at;
        while (end < list.len && list.data[end] != ',')
            end++;
        fl_str name = {list.data + at, end - at};
        while (name.len > 0 && name.data[0] == ' ')
            name = (fl_str){name.data + 1, name.len - 1};
        while (name.len > 0 && name.data[name.len - 1] == ' ')
            name.len--;
        disabled[n++] = name;
        at = end + 1;
    }
    fl_optimize_options options = {.is_reference = session->settings.is_reference, .disabled_rules = disabled, .n_disabled = n,
                                   .evaluator = &evaluator.base};
    return fl_optimize(query, &options, report, err);
}

fl_status fl_session_optimize(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                              fl_optimize_report *report, fl_err *err)
{
    fl_session_state state = state_of(session, params, n_params);
    return optimize(session, query, &state, report, err);
}

/* ---- the result's sink -------------------------------------------------------------------------------------------- */

/* Rows of one morsel, in a worker's segments. */
typedef struct run_of_rows {
    int32_t pipeline;
    int64_t morsel;
    int64_t segment; /* of the worker; the builder's open one is n_segments */
    int64_t start;
    int64_t count;
    struct result_local *local;
} run_of_rows;

typedef struct result_local {
    fl_memory *memory; /* of the run: what the lists below are charged to */
    fl_segment_builder *builder;
    fl_segment **segments;
    int64_t n_segments, segments_capacity;
    run_of_rows *runs;
    int64_t n_runs, runs_capacity;
    fl_vec *vecs;
    uint16_t *list;
} result_local;

typedef struct result_stage {
    fl_stage base;
    fl_memory *keep; /* what the result is charged to: it outlives the run */
    fl_segment_use use;
    int32_t n_cols;
    fl_type *types;
    int32_t *from;
    fl_segment **segments; /* the result, when finished */
    int64_t n_segments, segments_capacity;
} result_stage;

static fl_status local_new(fl_stage *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    result_stage *stage = (result_stage *)base;
    fl_memory *memory = worker->exec->context.memory;
    result_local *local = NULL;
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
    result_local *local = ptr;
    fl_segment_builder_free(local->builder);
    for (int64_t i = 0; i < local->n_segments; i++)
        fl_segment_unref(local->segments[i]);
    fl_free(local->segments);
    fl_free(local->runs);
    fl_free(local->vecs);
    fl_free(local->list);
    fl_free(local);
}

static fl_status close_segment(result_local *local, fl_err *err)
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
    result_stage *stage = (result_stage *)base;
    result_local *local = ptr;
    fl_memory *memory = worker->exec->context.memory;
    int32_t count = batch->rows;
    run_of_rows *run = local->n_runs > 0 ? &local->runs[local->n_runs - 1] : NULL;
    for (int32_t c = 0; c < stage->n_cols; c++)
        local->vecs[c] = batch->vec[stage->from[c]];
    if (batch->mask != NULL)
        count = fl_bitmap_to_list(batch->mask, batch->rows, local->list);
    if (run == NULL || run->pipeline != worker->pipeline || run->morsel != worker->morsel || run->segment != local->n_segments) {
        FL_TRY(fl_grow(memory, (void **)&local->runs, &local->runs_capacity, local->n_runs + 1, (int64_t)sizeof(*run), err));
        run = &local->runs[local->n_runs++];
        *run = (run_of_rows){worker->pipeline, worker->morsel, local->n_segments, fl_segment_builder_rows(local->builder), 0, local};
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

static fl_status take_segment(result_stage *stage, fl_segment *segment, fl_memory *memory, fl_err *err)
{
    fl_status st = fl_grow(memory, (void **)&stage->segments, &stage->segments_capacity, stage->n_segments + 1, 8, err);
    if (st == FL_OK)
        stage->segments[stage->n_segments++] = segment;
    return st;
}

/* Puts the runs in order into new segments. */
static fl_status reorder(result_stage *stage, run_of_rows *runs, int64_t n_runs, fl_memory *memory, fl_err *err)
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
    result_stage *stage = (result_stage *)base;
    run_of_rows *all = NULL;
    int64_t n = 0, capacity = 0;
    fl_memory *memory = stage->keep;
    result_local *only = NULL;
    int32_t present = 0;
    for (int32_t w = 0; w < n_locals; w++) {
        result_local *local = locals[w];
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
    result_stage *stage = (result_stage *)base;
    for (int64_t i = 0; i < stage->n_segments; i++)
        fl_segment_unref(stage->segments[i]);
    fl_free(stage->segments);
}

static const fl_stage_ops result_ops = {.local_new = local_new, .push = push, .finish = finish, .local_free = local_free, .free = stage_free};

static fl_status add_result(fl_exec *exec, const fl_query *query, fl_segment_use use, fl_memory *keep, result_stage **ret, fl_err *err)
{
    fl_status st = FL_OK;
    result_stage *stage = NULL;
    FL_TRY(fl_exec_add_stage(exec, &result_ops, (int64_t)sizeof(*stage), NULL, NULL, &stage, err));
    stage->keep = keep;
    stage->use = use;
    stage->n_cols = query->n_outputs;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, query->n_outputs + 1, &stage->types, err));
    for (int32_t i = 0; i < query->n_outputs; i++)
        stage->types[i] = fl_plan_col(query->plan, query->outputs[i])->type;
    FL_TRY(fl_exec_col_map(exec, query->outputs, query->n_outputs, query->root, &stage->from, err));
    *ret = stage;
cleanup:
    return st;
}

/* ---- running ------------------------------------------------------------------------------------------------------ */

static fl_status name_columns(const fl_query *query, fl_rows *rows, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(&rows->arena, query->n_outputs + 1, &rows->fields, err));
    rows->n_cols = query->n_outputs;
    for (int32_t i = 0; i < query->n_outputs; i++) {
        rows->fields[i].nullable = true;
        FL_TRY(fl_arena_copy_str(&rows->arena, query->names[i], &rows->fields[i].name, err));
        FL_TRY(fl_type_copy(&rows->arena, fl_plan_col(query->plan, query->outputs[i])->type, &rows->fields[i].type, err));
    }
cleanup:
    return st;
}

static void set_current(fl_session *session, fl_exec *exec)
{
    pthread_mutex_lock(&session->lock);
    session->exec = exec;
    pthread_mutex_unlock(&session->lock);
}

typedef struct highest_id {
    int32_t id;
} highest_id;

static fl_status note_id(void *ctx, const fl_node *node, fl_err *err)
{
    (void)err;
    highest_id *h = ctx;
    h->id = node->id > h->id ? node->id : h->id;
    return FL_OK;
}

fl_status fl_session_run(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params, fl_segment_use use,
                         fl_memory *keep, fl_rows *ret, fl_explain *explain, fl_optimize_report *report, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = NULL;
    result_stage *result = NULL;
    fl_session_state state = state_of(session, params, n_params);
    fl_memory memory;
    fl_rows rows = {0};
    fl_arena_init(&rows.arena, keep);
    fl_memory_init(&memory, &session->memory, "query's memory", 0);
    FL_TRY(optimize(session, query, &state, report, err));
    FL_TRY(name_columns(query, &rows, err));
    fl_exec_context context = {.plan = query->plan, .session = &state, .memory = &memory, .workers = session->engine->workers,
                               .is_cancelled = &session->is_cancelled,
                               .deadline_ns = session->settings.timeout_ms > 0 ? fl_clock_ns() + session->settings.timeout_ms * 1000000 : 0};
    FL_TRY(fl_exec_new(&context, &exec, err));
    FL_TRY(add_result(exec, query, use, keep, &result, err));
    FL_TRY(fl_exec_build(exec, query->root, &result->base, err));
    FL_TRY(fl_exec_add_finish(exec, &result->base, err));
    set_current(session, exec);
    st = fl_exec_run(exec, err);
    set_current(session, NULL);
    if (st != FL_OK)
        goto cleanup;
    if (explain != NULL) {
        fl_node_actual *actual = NULL;
        highest_id h = {0};
        FL_TRY(fl_node_visit(query->root, note_id, &h, err));
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(query->plan), h.id + 2, &actual, err));
        fl_exec_actual(exec, actual, h.id + 1);
        explain->plan = query->plan;
        explain->root = query->root;
        explain->actual = actual;
    }
    FL_TRY(FL_NEW_ARRAY(&rows.arena, result->n_segments + 1, &rows.segments, err));
    for (int64_t i = 0; i < result->n_segments; i++)
        rows.segments[i] = fl_segment_ref(result->segments[i]);
    rows.n_segments = result->n_segments;
    *ret = rows;
    rows = (fl_rows){0};
cleanup:
    fl_exec_free(exec);
    fl_rows_drop(&rows);
    return st;
}

fl_status fl_rows_of_text(fl_memory *memory, const char *const *names, int32_t n_cols, const fl_str *cells, int64_t n_rows,
                          fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *builder = NULL;
    fl_type *types = NULL;
    fl_rows rows = {.n_cols = n_cols};
    fl_arena scratch;
    fl_vec *vecs = NULL;
    fl_arena_init(&rows.arena, memory);
    fl_arena_init(&scratch, memory);
    FL_TRY(FL_NEW_ARRAY(&rows.arena, n_cols + 1, &rows.fields, err));
    FL_TRY(FL_NEW_ARRAY(&rows.arena, 1, &rows.segments, err));
    FL_TRY(FL_NEW_ARRAY(&scratch, n_cols + 1, &types, err));
    FL_TRY(FL_NEW_ARRAY(&scratch, n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < n_cols; c++) {
        rows.fields[c] = (fl_field){.type = FL_TYPE(FL_UTF8), .nullable = true};
        FL_TRY(fl_arena_copy_str(&rows.arena, fl_str_of(names[c]), &rows.fields[c].name, err));
        types[c] = FL_TYPE(FL_UTF8);
    }
    FL_TRY(fl_segment_builder_new(memory, types, n_cols, FL_SEGMENT_RESULT, &builder, err));
    for (int64_t r = 0; r < n_rows; r++) {
        for (int32_t c = 0; c < n_cols; c++) {
            fl_value value = {.type = types[c], .s = cells[r * n_cols + c], .is_null = cells[r * n_cols + c].data == NULL};
            FL_TRY(fl_value_to_vec(&scratch, &value, &vecs[c], err));
        }
        FL_TRY(fl_segment_builder_add(builder, vecs, NULL, 1, err));
    }
    FL_TRY(fl_segment_builder_finish(builder, &rows.segments[0], err));
    rows.n_segments = 1;
    *ret = rows;
    rows = (fl_rows){0};
cleanup:
    fl_segment_builder_free(builder);
    fl_arena_drop(&scratch);
    fl_rows_drop(&rows);
    return st;
}
