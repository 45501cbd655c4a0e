/* From a bound query to rows: optimize, build pipelines, run, gather the result. */
#include "engine/internal.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "exec/eval.h"
#include "op/materialize/gather.h"
#include "plan/plan_copy.h"

/* What runs once is frozen only where that gives back so much memory: copying takes 0.6 to 6 µs, one part in ten of the smallest
 * query's time and one in twenty-five of a join of six small tables. Where steps beyond an object are found, all is. */
#define FROZEN_BYTES_MIN (FL_ARENA_IS_EXACT ? 0 : 16 << 20)

#define MANY_ROWS_BYTES_MIN (256ll << 20) /* that a statement may have, for its batches to be large */

void fl_rows_drop(fl_rows *rows)
{
    for (int64_t i = 0; i < rows->n_segments; i++)
        fl_segment_unref(rows->segments[i]);
    fl_arena_drop(&rows->arena);
    fl_result_stream_free(rows->stream);
    *rows = (fl_rows){0};
}

/* ---- the evaluator that the optimizer folds constants with ------------------------------------------------------------ */

typedef struct session_evaluator {
    fl_evaluator base;
    const fl_session_state *state;
    fl_memory *memory;
} session_evaluator;

static fl_status fold(fl_evaluator *base, fl_plan *plan, const fl_expr *expr, fl_arena *arena, fl_value *ret,
                      fl_err *err)
{
    return fl_eval_folded(arena, plan, ((session_evaluator *)base)->state, expr, ret, err);
}

static fl_status select(fl_evaluator *base, const fl_plan *plan, const fl_expr *conjunct, const fl_col_id *cols,
                        const fl_vec *vecs, int32_t n_cols, int32_t rows, uint64_t *mask, fl_err *err)
{
    fl_status st = FL_OK;
    fl_program *program = NULL;
    fl_eval *eval = NULL;
    fl_arena arena;
    fl_session_state state = *((session_evaluator *)base)->state;
    state.vector_rows = rows > state.vector_rows ? rows : state.vector_rows;
    fl_batch batch = {.rows = rows, .kept = rows, .cols = n_cols};
    int32_t kept = 0;
    fl_arena_init(&arena, ((session_evaluator *)base)->memory);
    FL_TRY(FL_NEW_ARRAY(&arena, n_cols, &batch.vec, err));
    memcpy(batch.vec, vecs, (size_t)n_cols * sizeof(*vecs));
    FL_TRY(fl_program_new(&arena, plan, &state, &conjunct, 1, cols, n_cols, &program, err));
    FL_TRY(fl_eval_new(program, arena.memory, rows, &eval, err));
    fl_eval_begin(eval, &batch, &arena);
    st = fl_eval_filter(eval, 0, mask, &kept, err);
cleanup:
    fl_eval_free(eval);
    fl_arena_drop(&arena);
    return st;
}

void fl_session_state_fit(const fl_session *session, fl_session_state *state, const fl_plan *plan)
{
    int64_t limit = 0;
    if (state->vector_rows == FL_VECTOR_ROWS && fl_plan_wants_many_rows(plan) &&
        fl_memory_left(&session->statement_memory, &limit) >= MANY_ROWS_BYTES_MIN)
        state->vector_rows = FL_VECTOR_ROWS_MAX;
}

fl_session_state fl_session_state_of(const fl_session *session, const fl_value *params, int32_t n_params)
{
    return (fl_session_state){.now_us = session->now_us,
                              .rounds_max = session->settings.recursion_limit,
                              .vector_rows = session->settings.vector_rows,
                              .threads = session->settings.threads,
                              .seed = session->engine->seed,
                              .params = params,
                              .n_params = n_params,
                              .sequences = (fl_sequences *)(uintptr_t)&session->sequences,
                              .facts = &session->facts,
                              .metrics = session->memory.metrics};
}

fl_status fl_session_optimize_open(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                                   fl_optimize_report *report, fl_err *err)
{
    fl_str *disabled = NULL;
    int32_t n = 0;
    fl_session_state state = fl_session_state_of(session, params, n_params);
    const fl_system *system = session->memory.system;
    int64_t began_ns = fl_clock_ns(system) - session->binding_ns;
    state.metrics = NULL;
    state.sequences = NULL;
    session->binding_ns = 0;
    if (report == NULL && session->observed != NULL && session->observed->query == query)
        report = session->observed->report;
    session_evaluator evaluator = {
        .base = {.fold = fold, .select = select}, .state = &state, .memory = &session->statement_memory};
    fl_str list = fl_str_of(session->settings.disabled_rules);
    fl_status st = FL_NEW_ARRAY(fl_plan_arena(query->plan), list.len + 1, &disabled, err); /* names at most */
    if (st != FL_OK)
        return st;
    for (int64_t at = 0; at < list.len;) {
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
    fl_optimize_options options = {.is_reference = session->settings.optimizer == FL_OPTIMIZER_NONE,
                                   .searches = session->settings.optimizer == FL_OPTIMIZER_SEARCH,
                                   .ticks_max = FL_OPTIMIZE_TICKS,
                                   .threshold = session->settings.optimizer_threshold,
                                   .plan_number = session->settings.plan_number,
                                   .verifies_properties = session->settings.verifies_rules,
                                   .disabled_rules = disabled,
                                   .n_disabled = n,
                                   .evaluator = &evaluator.base};
    st = fl_optimize(query, &options, report, err);
    fl_metrics_observe(session->memory.metrics, FL_METRIC_QUERY_PLANNING_DURATION, fl_clock_ns(system) - began_ns);
    return st;
}

/* Puts a copy of what was chosen in the place of the plan that it was chosen in. */
static fl_status freeze(fl_query *query, fl_err *err)
{
    fl_query copy = {0};
    fl_status st = fl_query_copy(query, fl_plan_memory(query->plan), &copy, err);
    if (st != FL_OK)
        return st;
    fl_plan_unref(query->plan);
    *query = copy;
    return FL_OK;
}

fl_status fl_session_optimize(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                              fl_err *err)
{
    fl_status st = fl_session_optimize_open(session, query, params, n_params, NULL, err);
    return st == FL_OK ? freeze(query, err) : st;
}

/* ---- running ------------------------------------------------------------------------------------------------------ */

fl_status fl_rows_name_columns(fl_rows *rows, const fl_query *query, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(&rows->arena, query->n_outputs + 1, &rows->fields, err));
    rows->n_cols = query->n_outputs;
    for (int32_t i = 0; i < query->n_outputs; i++) {
        rows->fields[i].nullable = true;
        FL_TRY(fl_arena_copy_str(&rows->arena, query->names[i], &rows->fields[i].name, err));
        FL_TRY(
            fl_type_copy(&rows->arena, fl_plan_col(query->plan, query->outputs[i])->type, &rows->fields[i].type, err));
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

/* What it does behind its last row is not measured. */
void fl_exec_tell_progress(fl_exec *exec, fl_status st, fl_err *err)
{
    double percent = 100 * fl_exec_progress(exec);
    double seconds = (double)(fl_clock_ns(exec->context.memory->system) - exec->started_ns) / 1e9;
    const char *how = st == FL_ERR_CANCELLED ? "cancelled" : "stopped at its timeout,";
    if (percent < 99.5)
        FL_FAIL(err, st, "the query was %s after %.1f s, at %.0f %% of its rows", how, seconds, percent);
    else
        FL_FAIL(err, st, "the query was %s after %.1f s, with all rows read", how, seconds);
}

fl_status fl_session_run_plan(fl_session *session, const fl_query *query, const fl_value *params, int32_t n_params,
                              fl_segment_use use, fl_memory *keep, fl_rows *ret, fl_explain *explain, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = NULL;
    fl_gather *result = NULL;
    fl_session_state state = fl_session_state_of(session, params, n_params);
    state.tally = explain != NULL ? explain->tally : NULL;
    fl_memory memory;
    fl_rows rows = {0};
    fl_arena_init(&rows.arena, keep);
    fl_memory_init(&memory, &session->statement_memory, "query's memory", 0);
    FL_TRY(fl_rows_name_columns(&rows, query, err));
    fl_session_state_fit(session, &state, query->plan);
    fl_exec_context context = {.plan = query->plan,
                               .session = &state,
                               .memory = &memory,
                               .workers = session->engine->workers,
                               .temp_directory = fl_str_of(session->settings.temp_directory),
                               .spill_quota = &session->spill_quota};
    FL_TRY(fl_exec_new(&context, &exec, err));
    FL_TRY(fl_gather_new(exec, query->outputs, query->n_outputs, query->root, use, keep, &result, err));
    FL_TRY(fl_exec_build(exec, query->root, &result->base, err));
    FL_TRY(fl_exec_add_finish(exec, &result->base, err));
    set_current(session, exec);
    st = fl_exec_run(exec, err);
    set_current(session, NULL);
    if (fl_interrupt_is_cause(st))
        fl_exec_tell_progress(exec, st, err);
    if (st != FL_OK)
        goto cleanup;
    if (explain != NULL) {
        fl_node_actual *actual = NULL;
        highest_id h = {0};
        FL_TRY(fl_node_visit(query->root, note_id, &h, err));
        fl_arena *arena = session->observed != NULL ? session->observed->arena : &rows.arena;
        FL_TRY(FL_NEW_ARRAY(arena, h.id + 2, &actual, err));
        fl_exec_actual(exec, actual, h.id + 1);
        explain->actual = actual;
    }
    FL_TRY(FL_NEW_ARRAY(&rows.arena, result->n_segments + 1, &rows.segments, err));
    for (int64_t i = 0; i < result->n_segments; i++)
        rows.segments[i] = fl_segment_ref(result->segments[i]);
    rows.n_segments = result->n_segments;
    FL_TRY(fl_exec_commit(exec, err));
    *ret = rows;
    rows = (fl_rows){0};
cleanup:
    fl_exec_free(exec);
    fl_rows_drop(&rows);
    return st;
}

fl_status fl_session_optimize_once(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                                   fl_err *err)
{
    fl_status st = fl_session_optimize_open(session, query, params, n_params, NULL, err);
    if (st == FL_OK && fl_plan_arena(query->plan)->bytes >= FROZEN_BYTES_MIN)
        st = freeze(query, err);
    return st;
}

fl_status fl_session_run(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                         fl_segment_use use, fl_memory *keep, fl_rows *ret, fl_err *err)
{
    fl_status st = fl_session_optimize_open(session, query, params, n_params, NULL, err);
    return st != FL_OK ? st : fl_session_run_optimized(session, query, params, n_params, use, keep, ret, err);
}

fl_status fl_session_run_optimized(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                                   fl_segment_use use, fl_memory *keep, fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_observed = session->observed != NULL && session->observed->query == query;
    if (!is_observed && fl_plan_arena(query->plan)->bytes >= FROZEN_BYTES_MIN) /* what is told lies in the plan */
        FL_TRY(freeze(query, err));
    st = fl_session_run_plan(session, query, params, n_params, use, keep, ret,
                             is_observed ? session->observed->explain : NULL, err);
cleanup:
    return st;
}

fl_status fl_rows_of_text(fl_memory *memory, const char *const *names, int32_t n_cols, const fl_str *cells,
                          int64_t n_rows, fl_rows *ret, fl_err *err)
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
            fl_value value = {
                .type = types[c], .s = cells[r * n_cols + c], .is_null = cells[r * n_cols + c].data == NULL};
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
