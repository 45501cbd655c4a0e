/* What each kind of statement does with its plan. A statement that fails changes nothing. */
#include "engine/binding.h"
#include "engine/change.h"

#include "base/clock.h"
#include "exec/eval.h"
#include "op/project/node.h"
#include "opt/cost.h"
#include "plan/plan_copy.h"
#include "plan/props.h"
#include "plan/provenance.h"
#include "plan/rule.h"

#define CHANGE_WAIT_NS 20000000 /* between looks at whether the session was interrupted */

static fl_status fold(fl_evaluator *evaluator, fl_plan *plan, const fl_expr *expr, fl_arena *arena, fl_value *ret,
                      fl_err *err)
{
    fl_binding *b = (fl_binding *)((char *)evaluator - offsetof(fl_binding, evaluator));
    return fl_eval_folded(arena, plan, &b->state, expr, ret, err);
}

static void get_rules(fl_sql_env *env, const fl_table *table, const fl_column_rules **ret_rules,
                      const fl_table_constraints **ret_constraints)
{
    (void)env;
    *ret_rules = fl_memory_table_rules(table);
    *ret_constraints = fl_memory_table_constraints(table);
}

fl_status fl_session_scalar(fl_session *session, const fl_query *query, const fl_value *params, int32_t n_params,
                            fl_arena *arena, fl_value *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_query copy = *query; /* the caller keeps its own */
    fl_rows rows = {0};
    fl_value value = {.type = fl_plan_col(query->plan, query->outputs[0])->type, .is_null = true};
    fl_plan_ref(copy.plan);
    FL_TRY(fl_session_run(session, &copy, params, n_params, FL_SEGMENT_RESULT, &session->statement_memory, &rows, err));
    int64_t n = 0;
    for (int64_t i = 0; i < rows.n_segments; i++) {
        if (rows.segments[i]->rows > 0)
            FL_TRY(fl_value_from_vec(arena, &rows.segments[i]->vecs[0], 0, &value, err));
        n += rows.segments[i]->rows;
    }
    if (n > 1) {
        st = FL_FAIL(err, FL_ERR_CARDINALITY, "a subquery used as an expression returned more than one row");
        fl_err_hint(err, "LIMIT 1 in it takes the first one, an aggregate such as max(…) one value of all");
        goto cleanup;
    }
    st = fl_value_copy(arena, &value, ret, err);
cleanup:
    fl_rows_drop(&rows);
    fl_plan_unref(copy.plan);
    return st;
}

/* LIMIT (SELECT …): runs the query now. */
static fl_status get_scalar(fl_sql_env *env, const fl_query *query, fl_arena *arena, fl_value *ret, fl_err *err)
{
    fl_binding *b = env->owner;
    return fl_session_scalar(b->session, query, env->params, env->n_params, arena, ret, err);
}

static const fl_value *get_variable(fl_sql_env *env, fl_str name)
{
    fl_binding *b = env->owner;
    return fl_session_variable(b->session, name);
}

static void init_binding(fl_binding *b, fl_session *session, fl_arena *arena, const fl_type *types,
                         const fl_value *params, int32_t n_params)
{
    session->now_us = fl_clock_wall_us(session->memory.system);
    *b = (fl_binding){.session = session, .evaluator = {.fold = fold}};
    fl_session_catalog_init(&b->catalog, session, arena);
    b->state = (fl_session_state){.now_us = session->now_us,
                                  .vector_rows = session->settings.vector_rows,
                                  .threads = 1,
                                  .params = params,
                                  .n_params = n_params,
                                  .facts = &session->facts};
    b->env = (fl_sql_env){.memory = &session->statement_memory,
                          .registry = session->registry,
                          .catalog = &b->catalog.base,
                          .evaluator = &b->evaluator,
                          .param_types = types,
                          .n_param_types = n_params,
                          .params = params,
                          .n_params = n_params,
                          .null_order = session->settings.null_order,
                          .zone = fl_str_of(session->settings.zone),
                          .false_statistics = (uint64_t)session->settings.false_statistics,
                          .get_scalar = get_scalar,
                          .get_rules = get_rules,
                          .get_variable = get_variable,
                          .get_changed = fl_binding_get_changed,
                          .owner = b};
}

/* ---- views ------------------------------------------------------------------------------------------------------- */

static fl_status create_view(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    int known = fl_engine_has(session->engine, bound->name);
    if (known != 0 && bound->if_not_exists)
        return FL_OK;
    if (fl_engine_has_sequence(session->engine, bound->name)) {
        fl_status st = FL_FAIL(err, FL_ERR_DUPLICATE, "sequence \"%.*s\" exists already", FL_STR_ARG(bound->name));
        fl_err_at(err, bound->name_pos);
        return st;
    }
    fl_catalog_entry view = {.view_text = bound->view_text,
                             .view_cols = bound->names,
                             .n_view_cols = bound->n_names,
                             .database = session->home->database,
                             .schema = session->home->schema};
    fl_status st = fl_engine_put_view(session->engine, bound->name, &view, bound->or_replace, err);
    if (st != FL_OK)
        fl_err_at(err, bound->name_pos);
    else
        fl_engine_set_temporary(session->engine, bound->name, bound->is_temporary);
    return st;
}

/* Tables and views: all of them, or none. Nothing but what goes, too, may refer to a table. */
static fl_status drop_items(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    bool is_view = bound->object == FL_AST_OBJECT_VIEW;
    for (int32_t i = 0; i < bound->n_names; i++) {
        if (bound->names[i].len == 0)
            continue;
        FL_TRY(fl_engine_check_drop(engine, bound->names[i], is_view, bound->if_exists, bound->names_pos[i], err));
        if (is_view || fl_engine_has(engine, bound->names[i]) != 1)
            continue;
        st = fl_check_unreferred(session, bound->names[i], NULL, bound->cascades, bound->names, bound->n_names, err);
        if (st != FL_OK)
            fl_err_at(err, bound->names_pos[i]);
        FL_TRY(st);
    }
    fl_session_publish(session);
    for (int32_t i = 0; i < bound->n_names; i++) /* one may be named twice */
        if (bound->names[i].len > 0)
            FL_TRY(fl_engine_drop(engine, bound->names[i], is_view, true, bound->names_pos[i], err));
cleanup:
    return st;
}

static fl_status drop(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    if (bound->object == FL_AST_OBJECT_TABLE || bound->object == FL_AST_OBJECT_VIEW)
        return drop_items(session, bound, err);
    bool are_macros =
        bound->object == FL_AST_OBJECT_FUNCTION && bound->n_names > 0; /* CREATE FUNCTION makes them, too */
    for (int32_t i = 0; i < bound->n_names && are_macros; i++)
        are_macros = bound->names[i].len > 0 && fl_engine_has_macro(session->engine, bound->names[i], FL_MACRO_VALUE);
    if (bound->object == FL_AST_OBJECT_FUNCTION && !are_macros)
        return fl_session_drop_functions(session, bound->names, bound->names_pos, bound->n_names, bound->if_exists,
                                         err);
    for (int32_t i = 0; i < bound->n_names && st == FL_OK; i++)
        if (bound->names[i].len == 0)
            continue; /* in a schema that is not there, with IF EXISTS */
        else if (bound->object == FL_AST_OBJECT_SCHEMA)
            st = fl_session_drop_schema(session, bound->names[i], bound->if_exists, bound->cascades,
                                        bound->names_pos[i], err);
        else if (bound->object == FL_AST_OBJECT_MACRO || bound->object == FL_AST_OBJECT_TYPE || are_macros)
            st = fl_session_drop_macro(session, bound->names[i], bound->macro_kind, bound->if_exists,
                                       bound->names_pos[i], err);
        else if (bound->object == FL_AST_OBJECT_INDEX)
            st = fl_session_drop_index(session, bound->names[i], bound->if_exists, bound->names_pos[i], err);
        else
            st = fl_session_drop_sequence(session, bound->names[i], bound->if_exists, bound->cascades,
                                          bound->names_pos[i], err);
    return st;
}

/* ---- statistics --------------------------------------------------------------------------------------------------- */

/* Of one table, or of all. Waits for no other statement: a table that is replaced meanwhile goes with its statistics. */
static fl_status analyze(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_str *names = NULL;
    int32_t n = 0;
    if (bound->table != NULL)
        return fl_memory_table_analyze(bound->table, &session->statement_memory, err);
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_engine_names(session->engine, &arena, &names, &n, err));
    for (int32_t i = 0; i < n; i++) {
        fl_table *table = fl_engine_table(session->engine, names[i]);
        st = table != NULL ? fl_memory_table_analyze(table, &session->statement_memory, err) : FL_OK;
        fl_table_unref(table);
        FL_TRY(st);
    }
cleanup:
    fl_arena_drop(&arena);
    return st;
}

/* ---- telling ------------------------------------------------------------------------------------------------------ */

static fl_status describe(fl_session *session, const fl_sql_bound *bound, fl_rows *ret, fl_err *err)
{
    static const char *const names[] = {"column_name", "column_type", "null"};
    fl_status st = FL_OK;
    fl_arena arena;
    fl_str *cells = NULL;
    const fl_query *query = &bound->query;
    const fl_props *props = NULL;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_node_props(query->plan, query->root, &props, err));
    FL_TRY(FL_NEW_ARRAY(&arena, query->n_outputs * 3 + 1, &cells, err));
    for (int32_t i = 0; i < query->n_outputs; i++) {
        const fl_col_info *info = fl_plan_col(query->plan, query->outputs[i]);
        fl_text type;
        fl_text_init(&type, NULL);
        fl_type_print(&type, info->type);
        cells[i * 3] = query->names[i];
        st = fl_text_status(&type, err);
        if (st == FL_OK)
            st = fl_arena_copy_str(&arena, fl_text_str(&type), &cells[i * 3 + 1], err);
        fl_text_drop(&type);
        FL_TRY(st);
        bool is_not_null = info->table != NULL && fl_col_set_has(&props->not_null, query->outputs[i]);
        cells[i * 3 + 2] = is_not_null ? FL_STR("NO") : FL_STR("YES");
    }
    st = fl_rows_of_text(&session->engine->memory, names, 3, cells, query->n_outputs, ret, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

/* Of the session's database; with their schema where that is another than the session's. */
static fl_status show_tables(fl_session *session, fl_rows *ret, fl_err *err)
{
    static const char *const names[] = {"name"};
    fl_status st = FL_OK;
    fl_arena arena;
    fl_str *cells = NULL;
    int32_t n = 0, n_shown = 0;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_engine_names(session->engine, &arena, &cells, &n, err));
    for (int32_t i = 0; i < n; i++) {
        fl_full_name full;
        FL_TRY(fl_full_name_of_key(&arena, cells[i], &full, err));
        bool is_here = fl_str_is_equal_nocase(full.schema, session->home->schema);
        if (!fl_str_is_equal_nocase(full.database, session->home->database))
            continue;
        const fl_str parts[] = {full.schema, full.name};
        cells[n_shown] = full.name;
        if (!is_here)
            FL_TRY(fl_name_join(&arena, parts, 2, &cells[n_shown], err));
        n_shown++;
    }
    st = fl_rows_of_text(&session->engine->memory, names, 1, cells, n_shown, ret, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

static fl_status show(fl_session *session, const fl_sql_bound *bound, fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (fl_str_is_equal_nocase(bound->name, FL_STR("queries")))
        return fl_running_show(session, ret, err);
    if (fl_str_is_equal_nocase(bound->name, FL_STR("functions")))
        return fl_session_show_functions(session, ret, err);
    if (fl_str_is_equal_nocase(bound->name, FL_STR("databases")))
        return fl_engine_show_databases(session->engine, ret, err);
    bool all = bound->name.len == 0 || fl_str_is_equal_nocase(bound->name, FL_STR("all"));
    fl_arena arena;
    fl_str *cells = NULL;
    int32_t n = 0;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(FL_NEW_ARRAY(&arena, 64, &cells, err));
    for (int32_t i = 0; all ? fl_settings_name(i).len > 0 : i < 1; i++) {
        fl_str name = all ? fl_settings_name(i) : bound->name;
        fl_text text;
        fl_text_init(&text, NULL);
        st = fl_settings_print(session, name, &text, bound->name_pos, err);
        if (all)
            cells[n++] = name;
        if (st == FL_OK)
            st = fl_text_status(&text, err);
        if (st == FL_OK)
            st = fl_arena_copy_str(&arena, fl_text_str(&text), &cells[n++], err);
        fl_text_drop(&text);
        FL_TRY(st);
    }
    char name[128];
    int32_t len = (int32_t)(bound->name.len < 127 ? bound->name.len : 127);
    if (len > 0)
        memcpy(name, bound->name.data, (size_t)len);
    name[len] = 0;
    const char *const one[] = {name}, *const two[] = {"name", "setting"};
    st = fl_rows_of_text(&session->engine->memory, all ? two : one, all ? 2 : 1, cells, all ? n / 2 : n, ret, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

typedef struct all_props {
    fl_plan *plan;
    const fl_props **props; /* by node id */
} all_props;

static fl_status note_props(void *ctx, const fl_node *node, fl_err *err)
{
    all_props *all = ctx;
    return fl_node_props(all->plan, node, &all->props[node->id], err);
}

typedef struct all_costs {
    fl_plan *plan;
    double *costs; /* by node id, with all below */
} all_costs;

static fl_status note_cost(void *ctx, const fl_node *node, fl_err *err)
{
    (void)err;
    all_costs *all = ctx;
    fl_cost own = fl_cost_of(all->plan, node);
    all->costs[node->id] = fl_cost_total(&own);
    for (int32_t i = 0; i < node->n_inputs; i++)
        all->costs[node->id] += all->costs[node->inputs[i]->id];
    return FL_OK;
}

/* What an EXPLAIN works with until its rows are made. */
typedef struct explaining {
    fl_session *session;
    const fl_sql_bound *bound;
    fl_arena arena;
    fl_text text, memo, answer;
    fl_rule_inquiry inquiry;
    fl_optimize_report report;
    fl_query copy; /* of the plan that was chosen, where the one that it was chosen in is not wanted */
    fl_rows rows;  /* of the run */
    fl_call_tally tally;
    fl_explain shown;
} explaining;

static void init_explaining(explaining *e, fl_session *session, const fl_sql_bound *bound)
{
    *e = (explaining){.session = session, .bound = bound};
    fl_text_init(&e->text, &session->statement_memory);
    fl_text_init(&e->memo, &session->statement_memory);
    fl_text_init(&e->answer, &session->statement_memory);
    fl_arena_init(&e->arena, &session->statement_memory);
    fl_call_tally_init(&e->tally);
    e->report.memo = bound->has_memo ? &e->memo : NULL;
}

static void drop_explaining(explaining *e)
{
    fl_rows_drop(&e->rows);
    fl_plan_unref(e->copy.plan);
    fl_text_drop(&e->text);
    fl_text_drop(&e->memo);
    fl_text_drop(&e->answer);
    fl_call_tally_drop(&e->tally);
    if (e->report.inquiry != NULL)
        fl_rule_inquiry_drop(&e->inquiry);
    fl_arena_drop(&e->arena);
}

/* Begins the inquiry after the rule that is asked about. */
static fl_status ask_rule(explaining *e, fl_err *err)
{
    const fl_rule_desc *asked = NULL;
    fl_status st = fl_session_find_rule(e->session, e->bound->name, &asked, err);
    if (st != FL_OK) {
        fl_err_at(err, e->bound->name_pos);
        return st;
    }
    fl_rule_inquiry_init(&e->inquiry, asked, &e->answer);
    e->report.inquiry = &e->inquiry;
    return FL_OK;
}

/* Figures of the nodes, where they are wanted. */
static fl_status add_figures(explaining *e, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_query *query = e->shown.query;
    all_props props = {.plan = query->plan};
    all_costs costs = {.plan = query->plan};
    if (e->bound->has_properties) {
        FL_TRY(FL_NEW_ARRAY(&e->arena, fl_plan_nodes(query->plan) + 1, &props.props, err));
        FL_TRY(fl_node_visit(query->root, note_props, &props, err));
    }
    if (e->bound->has_costs) {
        FL_TRY(FL_NEW_ARRAY(&e->arena, fl_plan_nodes(query->plan) + 1, &costs.costs, err));
        FL_TRY(fl_node_visit(query->root, note_cost, &costs, err));
    }
    e->shown.props = props.props;
    e->shown.costs = costs.costs;
cleanup:
    return st;
}

/* What the search and the rule's inquiry told. */
static fl_status add_answers(explaining *e, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_text_status(&e->memo, err));
    FL_TRY(fl_text_status(&e->answer, err));
    e->shown.why_not = fl_text_str(&e->answer);
    if (e->bound->has_memo)
        e->shown.memo =
            e->memo.len > 0 ? fl_text_str(&e->memo) : FL_STR("no memo was made: rules alone chose this plan\n");
cleanup:
    return st;
}

/* A row a line of text, or one for a document. */
static fl_status rows_of_lines(explaining *e, bool is_document, fl_rows *ret, fl_err *err)
{
    static const char *const names[] = {"plan"};
    fl_status st = FL_OK;
    fl_str *cells = NULL;
    int64_t n = 0;
    FL_TRY(fl_text_status(&e->text, err));
    FL_TRY(FL_NEW_ARRAY(&e->arena, e->text.len + 1, &cells, err));
    for (int64_t start = 0, end; start < e->text.len; start = end + 1) {
        for (end = start; end < e->text.len && (e->text.data[end] != '\n' || is_document);)
            end++;
        cells[n++] = (fl_str){e->text.data + start, end - start};
    }
    st = fl_rows_of_text(&e->session->engine->memory, names, 1, cells, n, ret, err);
cleanup:
    return st;
}

static fl_status execute(fl_session *session, fl_sql_bound *bound, const fl_sql_bound *explained,
                         const fl_value *params, int32_t n_params, fl_rows *ret, fl_err *err);

/* Statements that change something with the rows of their query. */
static bool changes_by_query(fl_ast_statement_kind kind)
{
    return kind == FL_AST_INSERT || kind == FL_AST_UPDATE || kind == FL_AST_DELETE || kind == FL_AST_MERGE ||
           kind == FL_AST_CREATE_TABLE || kind == FL_AST_COPY_FROM;
}

/* Runs a change whole; what it returns nobody wants. */
static fl_status run_change(explaining *e, const fl_value *params, int32_t n_params, fl_err *err)
{
    fl_session *session = e->session;
    fl_sql_bound *inner = e->bound->inner;
    fl_observed observed = {.query = &inner->query, .report = &e->report, .explain = &e->shown, .arena = &e->arena};
    session->observed = &observed;
    fl_status st = fl_session_dispatch(session, (fl_str){0}, inner, params, n_params, &e->rows, err);
    session->observed = NULL;
    session->changed_rows = -1;
    return st;
}

static fl_status explain(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                         fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_query *query = &bound->inner->query;
    if (bound->inner->kind == FL_AST_EXECUTE) /* its plan is that of the arguments */
        return execute(session, bound->inner, bound, params, n_params, ret, err);
    bool is_json = bound->format == FL_AST_FORMAT_JSON;
    bool runs_change = bound->is_analyze && changes_by_query(bound->inner->kind);
    explaining e;
    init_explaining(&e, session, bound);
    if (query->plan == NULL) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "EXPLAIN shows queries; this statement has no plan");
        goto cleanup;
    }
    if (bound->name.len > 0)
        FL_TRY(ask_rule(&e, err));
    if (bound->has_provenance)
        FL_TRY(fl_plan_keep_provenance(query->plan, err));
    e.shown = (fl_explain){.query = query, .has_provenance = bound->has_provenance, .tally = &e.tally};
    if (runs_change)
        FL_TRY(run_change(&e, params, n_params, err));
    else
        FL_TRY(fl_session_optimize_open(session, query, params, n_params, &e.report, err));
    e.shown.expanded = fl_plan_expanded(query->plan, &e.shown.n_expanded);
    if (!runs_change && !bound->has_properties && !bound->has_provenance) { /* which the plan that is open knows */
        FL_TRY(fl_query_copy(query, &session->statement_memory, &e.copy, err));
        e.shown.query = &e.copy;
    }
    if (bound->is_analyze && !runs_change)
        FL_TRY(fl_session_run_plan(session, e.shown.query, params, n_params, FL_SEGMENT_RESULT,
                                   &session->engine->memory, &e.rows, &e.shown, err));
    e.shown.rules_fired = e.report.rules_fired;
    FL_TRY(add_figures(&e, err));
    FL_TRY(add_answers(&e, err));
    if (is_json)
        fl_explain_json(&e.text, &e.shown);
    else
        fl_explain_text(&e.text, &e.shown);
    st = rows_of_lines(&e, is_json, ret, err);
cleanup:
    drop_explaining(&e);
    return st;
}

/* ---- prepared statements by name ---------------------------------------------------------------------------------- */

void fl_free_param_names(char **names, int32_t n)
{
    for (int32_t i = 0; names != NULL && i < n; i++)
        fl_free(names[i]);
    fl_free(names);
}

fl_status fl_copy_param_names(const fl_ast_statement *statement, char ***ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = statement->parameter_names != NULL ? statement->parameter_count : 0;
    *ret = NULL;
    if (n == 0)
        return FL_OK;
    FL_TRY(fl_alloc_zero(NULL, n * (int64_t)sizeof(**ret), (void **)ret, err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_copy_name(statement->parameter_names[i], &(*ret)[i], err));
cleanup:
    if (st != FL_OK) {
        fl_free_param_names(*ret, n);
        *ret = NULL;
    }
    return st;
}

void fl_prepared_free(fl_prepared *p)
{
    if (p != NULL) {
        fl_free(p->name);
        fl_free(p->text);
        fl_free(p->param_types);
        fl_free_param_names(p->param_names, p->n_params);
    }
    fl_free(p);
}

static fl_prepared **look_up_prepared(fl_session *session, fl_str name)
{
    fl_prepared **at = &session->prepared;
    while (*at != NULL && !fl_str_is_equal_nocase(fl_str_of((*at)->name), name))
        at = &(*at)->next;
    return at;
}

static fl_status prepare(fl_session *session, fl_str text, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_prepared *p = NULL;
    const fl_ast_statement *statement = bound->ast->prepare->statement;
    if (*look_up_prepared(session, bound->name) != NULL) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "prepared statement \"%.*s\" exists already", FL_STR_ARG(bound->name));
        fl_err_state(err, "42P05", st);
        fl_err_at(err, bound->name_pos);
        return st;
    }
    const fl_query *query = &bound->inner->query;
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*p), (void **)&p, err));
    FL_TRY(fl_alloc_zero(NULL, bound->name.len + 1, (void **)&p->name, err));
    FL_TRY(fl_alloc_zero(NULL, statement->end - statement->start + 1, (void **)&p->text, err));
    FL_TRY(fl_alloc_zero(NULL, (query->n_params + 1) * (int64_t)sizeof(fl_type), (void **)&p->param_types, err));
    memcpy(p->name, bound->name.data, (size_t)bound->name.len);
    memcpy(p->text, text.data + statement->start, (size_t)(statement->end - statement->start));
    p->n_params = query->n_params;
    FL_TRY(fl_copy_param_names(statement, &p->param_names, err));
    for (int32_t i = 0; i < p->n_params; i++)
        p->param_types[i] = fl_type_is_nested(query->param_types[i]) ? FL_TYPE(FL_NULL) : query->param_types[i];
    p->next = session->prepared;
    session->prepared = p;
    p = NULL;
cleanup:
    fl_prepared_free(p);
    return st;
}

static fl_status deallocate(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    if (bound->name.len == 0) {
        while (session->prepared != NULL) {
            fl_prepared *next = session->prepared->next;
            fl_prepared_free(session->prepared);
            session->prepared = next;
        }
        return FL_OK;
    }
    fl_prepared **at = look_up_prepared(session, bound->name);
    if (*at == NULL) {
        fl_status st =
            FL_FAIL(err, FL_ERR_PARAMETER, "prepared statement \"%.*s\" does not exist", FL_STR_ARG(bound->name));
        fl_err_state(err, "26000", st);
        fl_err_at(err, bound->name_pos);
        return st;
    }
    fl_prepared *gone = *at;
    *at = gone->next;
    fl_prepared_free(gone);
    return FL_OK;
}

/* Casts the arguments' row to the types of the parameters; one of unknown type is given as it is, and one whose type has modifiers
 * is cast as a value, without them. */
static fl_status cast_arguments(fl_query *query, const fl_type *types, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = fl_plan_arena(query->plan);
    const fl_expr **exprs = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, query->n_outputs, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(arena, query->n_outputs, &cols, err));
    for (int32_t i = 0; i < query->n_outputs; i++) {
        FL_TRY(fl_expr_column(query->plan, query->outputs[i], -1, &exprs[i], err));
        bool has_digits = types[i].id == FL_DECIMAL || (types[i].id >= FL_TIME && types[i].id <= FL_INTERVAL);
        if (types[i].id != FL_NULL && !has_digits)
            FL_TRY(fl_expr_cast(query->plan, exprs[i], types[i], false, -1, &exprs[i], err));
    }
    FL_TRY(fl_project_extend(query->plan, query->root, exprs, NULL, query->n_outputs, cols, &query->root, err));
    query->outputs = cols;
cleanup:
    return st;
}

static fl_status fail_argument(const fl_prepared *p, const char *format, fl_str name, int32_t pos, fl_err *err)
{
    fl_nearest near;
    fl_status st = FL_FAIL(err, FL_ERR_PARAMETER, format, FL_STR_ARG(name));
    bool is_known = false;
    fl_nearest_init(&near, name);
    for (int32_t i = 0; p->param_names != NULL && i < p->n_params; i++) {
        is_known |= fl_str_is_equal_nocase(fl_str_of(p->param_names[i]), name);
        fl_nearest_offer(&near, fl_str_of(p->param_names[i]));
    }
    if (!is_known)
        fl_nearest_hint(&near, err);
    fl_err_at(err, pos);
    return fl_err_state(err, "42P02", st);
}

/* Puts the arguments of EXECUTE into the order of the parameters, where these have names. */
static fl_status order_arguments(const fl_prepared *p, fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = bound->n_names;
    fl_col_id *cols = NULL;
    bool *is_given = NULL;
    for (int32_t i = 0; i < n; i++) {
        bool has_name = bound->names[i].len > 0;
        if (has_name && p->param_names == NULL)
            return fail_argument(p, "the parameters have numbers: \"%.*s\" is the name of none", bound->names[i],
                                 bound->names_pos[i], err);
        if (!has_name && p->param_names != NULL)
            return fail_argument(p, "the parameters have names: write %.*s := …", fl_str_of(p->param_names[0]),
                                 bound->names_pos[i], err);
    }
    if (p->param_names == NULL || n == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(bound->query.plan), n, &cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(bound->query.plan), n, &is_given, err));
    for (int32_t i = 0; i < n; i++) {
        int32_t at = 0;
        while (at < p->n_params && !fl_str_is_equal_nocase(fl_str_of(p->param_names[at]), bound->names[i]))
            at++;
        if (at == p->n_params)
            return fail_argument(p, "there is no parameter $%.*s", bound->names[i], bound->names_pos[i], err);
        if (at >= n)
            continue; /* there are too few of them, which is told next */
        if (is_given[at])
            return fail_argument(p, "parameter $%.*s is given twice", bound->names[i], bound->names_pos[i], err);
        is_given[at] = true;
        cols[at] = bound->query.outputs[i];
    }
    for (int32_t at = 0; at < p->n_params; at++)
        if (at >= n || !is_given[at])
            return fail_argument(p, "parameter $%.*s has no value", fl_str_of(p->param_names[at]), bound->name_pos,
                                 err);
    bound->query.outputs = cols;
cleanup:
    return st;
}

/* `explained` as EXPLAIN of a statement would be. */
static fl_ast_explain explain_as(const fl_sql_bound *explained, fl_ast_statement *statement)
{
    return (fl_ast_explain){.is_analyze = explained->is_analyze,
                            .has_properties = explained->has_properties,
                            .has_costs = explained->has_costs,
                            .has_memo = explained->has_memo,
                            .has_provenance = explained->has_provenance,
                            .why_not = {.text = explained->name, .start = explained->name_pos},
                            .format = explained->format,
                            .statement = statement};
}

/* explained: the EXPLAIN of it; NULL: it is run. */
static fl_status execute(fl_session *session, fl_sql_bound *bound, const fl_sql_bound *explained,
                         const fl_value *params, int32_t n_params, fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_prepared *p = *look_up_prepared(session, bound->name);
    fl_rows args = {0};
    fl_value *values = NULL;
    fl_arena arena;
    fl_sql_parser parser = {0};
    fl_ast_statement *ast = NULL;
    fl_ast_explain explain_ast;
    fl_ast_statement explain_statement = {.kind = FL_AST_EXPLAIN, .explain = &explain_ast};
    char *text = NULL;
    fl_arena_init(&arena, &session->statement_memory);
    if (p == NULL) {
        st = FL_FAIL(err, FL_ERR_PARAMETER, "prepared statement \"%.*s\" does not exist", FL_STR_ARG(bound->name));
        fl_err_state(err, "26000", st);
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    int32_t n_args = bound->query.plan == NULL ? 0 : bound->query.n_outputs;
    FL_TRY(order_arguments(p, bound, err));
    if (n_args != p->n_params) {
        st = FL_FAIL(err, FL_ERR_SYNTAX, "prepared statement \"%s\" takes %d parameters, %d were given", p->name,
                     p->n_params, n_args);
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    FL_TRY(FL_NEW_ARRAY(&arena, n_args + 1, &values, err));
    if (n_args > 0) {
        FL_TRY(cast_arguments(&bound->query, p->param_types, err));
        FL_TRY(fl_session_run(session, &bound->query, params, n_params, FL_SEGMENT_RESULT, &session->statement_memory,
                              &args, err));
        for (int32_t i = 0; i < n_args; i++) {
            fl_value value;
            FL_TRY(fl_value_from_vec(&arena, &args.segments[0]->vecs[i], 0, &value, err));
            FL_TRY(fl_param_cast(&arena, &value, p->param_types[i], &value, err));
            FL_TRY(fl_value_copy(&arena, &value, &values[i], err));
        }
    }
    FL_TRY(fl_alloc(NULL, (int64_t)strlen(p->text) + 1, (void **)&text, err)); /* the statement may deallocate itself */
    memcpy(text, p->text, strlen(p->text) + 1);
    FL_TRY(fl_sql_parser_init(&parser, &session->statement_memory, fl_str_of(text), err));
    FL_TRY(fl_sql_parser_next(&parser, &arena, &ast, err));
    if (explained != NULL) {
        explain_ast = explain_as(explained, ast);
        explain_statement.start = ast->start;
        explain_statement.end = ast->end;
        explain_statement.parameter_count = ast->parameter_count;
        explain_statement.parameter_names = ast->parameter_names;
        ast = &explain_statement;
    }
    st = fl_session_execute(session, fl_str_of(text), ast, values, n_args, ret, err);
cleanup:
    if (st != FL_OK && ast != NULL && err != NULL)
        err->position = 0; /* it counts in the prepared text, which the caller does not see */
    fl_sql_parser_drop(&parser);
    fl_rows_drop(&args);
    fl_arena_drop(&arena);
    fl_free(text);
    return st;
}

/* ---- dispatch ----------------------------------------------------------------------------------------------------- */

fl_status fl_session_dispatch(fl_session *session, fl_str text, fl_sql_bound *bound, const fl_value *params,
                              int32_t n_params, fl_rows *ret, fl_err *err)
{
    switch (bound->kind) {
    case FL_AST_QUERY:
        return fl_session_open_stream(session, &bound->query, params, n_params, ret, err);
    case FL_AST_CREATE_TABLE:
        return fl_session_create_table(session, bound, params, n_params, err);
    case FL_AST_CREATE_VIEW:
        return create_view(session, bound, err);
    case FL_AST_CREATE_INDEX:
        return fl_session_create_index(session, bound, err);
    case FL_AST_CREATE_FUNCTION:
        return fl_session_create_function(session, bound, err);
    case FL_AST_INSERT:
        return fl_session_insert(session, bound, params, n_params, ret, err);
    case FL_AST_MERGE:
        return fl_session_merge(session, bound, params, n_params, ret, err);
    case FL_AST_UPDATE:
    case FL_AST_DELETE:
    case FL_AST_TRUNCATE:
        return fl_session_change_rows(session, bound, params, n_params, ret, err);
    case FL_AST_DROP:
        return drop(session, bound, err);
    case FL_AST_ALTER:
        return fl_session_alter(session, bound, params, n_params, err);
    case FL_AST_CREATE_SEQUENCE:
        return fl_session_create_sequence(session, bound, err);
    case FL_AST_ALTER_SEQUENCE:
        return fl_session_alter_sequence(session, bound, err);
    case FL_AST_CREATE_SCHEMA:
        return fl_session_create_schema(session, bound, err);
    case FL_AST_COMMENT:
        return fl_session_comment(session, bound, err);
    case FL_AST_SET_VARIABLE:
        return fl_session_set_variable(session, bound, params, n_params, err);
    case FL_AST_RESET_VARIABLE:
        fl_session_reset_variable(session, bound->name);
        return FL_OK;
    case FL_AST_CREATE_MACRO:
    case FL_AST_CREATE_TYPE:
        return fl_session_create_macro(session, bound, err);
    case FL_AST_ATTACH:
        return fl_session_attach(session, bound, err);
    case FL_AST_DETACH:
        return fl_session_detach(session, bound, err);
    case FL_AST_USE:
        return fl_session_use(session, bound, err);
    case FL_AST_ANALYZE:
        return analyze(session, bound, err);
    case FL_AST_DESCRIBE:
        return describe(session, bound, ret, err);
    case FL_AST_SHOW_TABLES:
        return show_tables(session, ret, err);
    case FL_AST_SHOW:
        return show(session, bound, ret, err);
    case FL_AST_SET:
        return fl_settings_set(session, bound->name, bound->values, bound->n_values, bound->name_pos, err);
    case FL_AST_RESET:
        return fl_settings_reset(session, bound->name, bound->name_pos, err);
    case FL_AST_EXPLAIN:
        return explain(session, bound, params, n_params, ret, err);
    case FL_AST_PREPARE:
        return prepare(session, text, bound, err);
    case FL_AST_EXECUTE:
        return execute(session, bound, NULL, params, n_params, ret, err);
    case FL_AST_DEALLOCATE:
        return deallocate(session, bound, err);
    case FL_AST_KILL:
        return fl_running_kill(session, bound->name, bound->name_pos, err);
    case FL_AST_COPY_TO:
        return fl_session_copy_to(session, bound, params, n_params, ret, err);
    case FL_AST_COPY_FROM:
        return fl_session_copy_from(session, bound, params, n_params, ret, err);
    case FL_AST_EXPORT:
        return fl_session_export(session, bound, err);
    case FL_AST_IMPORT:
        return fl_session_import(session, bound, err);
    }
    return FL_FAIL(err, FL_ERR_INTERNAL, "a statement of unknown kind");
}

/* Statements that compute something, and so need memory that others may have; the rest is told, set and stopped at any time. */
static bool computes(fl_ast_statement_kind kind)
{
    switch (kind) {
    case FL_AST_QUERY:
    case FL_AST_CREATE_TABLE:
    case FL_AST_INSERT:
    case FL_AST_UPDATE:
    case FL_AST_DELETE:
    case FL_AST_MERGE:
    case FL_AST_ALTER:
    case FL_AST_ANALYZE:
    case FL_AST_EXPLAIN:
    case FL_AST_EXECUTE:
    case FL_AST_COPY_TO:
    case FL_AST_COPY_FROM:
    case FL_AST_EXPORT:
    case FL_AST_IMPORT:
    case FL_AST_SET_VARIABLE:
        return true;
    default:
        return false;
    }
}

/* Statements that replace a table's version do it one after the other, so that none works on a version that is replaced
 * meanwhile. Queries do not wait for them. */
static bool is_writer(fl_ast_statement_kind kind)
{
    switch (kind) {
    case FL_AST_CREATE_TABLE:
    case FL_AST_CREATE_VIEW:
    case FL_AST_CREATE_INDEX:
    case FL_AST_INSERT:
    case FL_AST_UPDATE:
    case FL_AST_DELETE:
    case FL_AST_TRUNCATE:
    case FL_AST_MERGE:
    case FL_AST_ALTER:
    case FL_AST_CREATE_SEQUENCE:
    case FL_AST_ALTER_SEQUENCE:
    case FL_AST_CREATE_SCHEMA:
    case FL_AST_CREATE_MACRO:
    case FL_AST_CREATE_TYPE:
    case FL_AST_COMMENT:
    case FL_AST_ATTACH:
    case FL_AST_DETACH:
    case FL_AST_DROP:
    case FL_AST_COPY_FROM:
        return true;
    default:
        return false;
    }
}

fl_status fl_session_begin_change(fl_session *session, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    const fl_system *system = engine->memory.system;
    pthread_mutex_lock(&engine->lock);
    while (engine->is_changing && (st = fl_interrupt_check(&session->interrupt, err)) == FL_OK)
        (void)fl_system_wait(system, &engine->changed, &engine->lock, fl_clock_ns(system) + CHANGE_WAIT_NS);
    engine->is_changing |= st == FL_OK;
    pthread_mutex_unlock(&engine->lock);
    if (st != FL_OK)
        fl_err_hint(err, "it waited for another statement that changes tables");
    return st;
}

void fl_session_end_change(fl_session *session)
{
    fl_engine *engine = session->engine;
    pthread_mutex_lock(&engine->lock);
    FL_ASSERT(engine->is_changing);
    engine->is_changing = false;
    pthread_cond_signal(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
}

/* What PostgreSQL's shell calls a statement that changes something. */
static const char *command_of(const fl_ast_statement *ast)
{
    static const char *const drops[] = {
        [FL_AST_OBJECT_TABLE] = "DROP TABLE",       [FL_AST_OBJECT_VIEW] = "DROP VIEW",
        [FL_AST_OBJECT_INDEX] = "DROP INDEX",       [FL_AST_OBJECT_FUNCTION] = "DROP FUNCTION",
        [FL_AST_OBJECT_SEQUENCE] = "DROP SEQUENCE", [FL_AST_OBJECT_SCHEMA] = "DROP SCHEMA",
        [FL_AST_OBJECT_MACRO] = "DROP MACRO",       [FL_AST_OBJECT_TYPE] = "DROP TYPE"};
    switch (ast->kind) {
    case FL_AST_CREATE_TABLE:
        return "CREATE TABLE";
    case FL_AST_CREATE_VIEW:
        return "CREATE VIEW";
    case FL_AST_CREATE_INDEX:
        return "CREATE INDEX";
    case FL_AST_CREATE_FUNCTION:
        return "CREATE FUNCTION";
    case FL_AST_CREATE_SCHEMA:
        return "CREATE SCHEMA";
    case FL_AST_CREATE_SEQUENCE:
        return "CREATE SEQUENCE";
    case FL_AST_ALTER_SEQUENCE:
        return "ALTER SEQUENCE";
    case FL_AST_COMMENT:
        return "COMMENT";
    case FL_AST_CREATE_MACRO:
        return "CREATE MACRO";
    case FL_AST_CREATE_TYPE:
        return "CREATE TYPE";
    case FL_AST_ATTACH:
        return "ATTACH";
    case FL_AST_DETACH:
        return "DETACH";
    case FL_AST_USE:
        return "USE";
    case FL_AST_ALTER:
        return ast->alter->is_view ? "ALTER VIEW" : "ALTER TABLE";
    case FL_AST_INSERT:
        return "INSERT";
    case FL_AST_UPDATE:
        return "UPDATE";
    case FL_AST_DELETE:
        return "DELETE";
    case FL_AST_MERGE:
        return "MERGE";
    case FL_AST_TRUNCATE:
        return "TRUNCATE TABLE";
    case FL_AST_DROP:
        return drops[ast->drop->object];
    default:
        return "";
    }
}

/* A statement's own piece of the text; one that was built has none. */
static fl_str text_of_statement(fl_str text, const fl_ast_statement *ast)
{
    if (text.len == 0 || ast->end > text.len || ast->start >= ast->end)
        return FL_STR("");
    return (fl_str){text.data + ast->start, ast->end - ast->start};
}

fl_status fl_session_execute(fl_session *session, fl_str text, const fl_ast_statement *ast, const fl_value *params,
                             int32_t n_params, fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_sql_bound bound = {0};
    fl_binding b;
    fl_type *types = NULL;
    bool is_bound = false;
    bool is_locked = false, is_outermost = false, has_binding = false;
    fl_versions versions;
    fl_arena_init(&arena, &session->statement_memory);
    fl_versions_init(&versions, &session->statement_memory);
    session->changed_rows = -1;
    session->command = "";
    if (computes(ast->kind))
        FL_TRY(fl_running_begin(session, text_of_statement(text, ast), &is_outermost, err));
    FL_TRY(FL_NEW_ARRAY(&arena, n_params + 1, &types, err));
    for (int32_t i = 0; i < n_params; i++)
        types[i] = params[i].type;
    const fl_ast_statement *run =
        ast->kind == FL_AST_EXPLAIN && ast->explain->is_analyze ? ast->explain->statement : ast;
    bool changes = fl_has_changes(run);
    if (is_writer(run->kind) || changes) {
        FL_TRY(fl_session_begin_change(session, err));
        is_locked = true;
        versions.keeps_places = changes;
        session->versions = &versions;
    }
    init_binding(&b, session, &arena, types, params, n_params);
    b.env.is_final = ast->kind != FL_AST_PREPARE; /* there parameters are still to be given */
    has_binding = true;
    session->binding_ns = 0;
    b.runs_changes = run->kind != FL_AST_PREPARE && run->kind != FL_AST_EXPLAIN;
    if (changes)
        FL_TRY(fl_binding_run_changes(&b, &arena, text, run, params, n_params, err));
    int64_t began_ns = fl_clock_ns(session->memory.system);
    FL_TRY(fl_sql_bind(&b.env, &arena, text, ast, &bound, err));
    session->binding_ns = fl_clock_ns(session->memory.system) - began_ns;
    is_bound = true;
    if (bound.kind == FL_AST_PREPARE && bound.inner->query.plan != NULL)
        fl_binding_add_param_types(&b, &bound.inner->query);
    if (changes && bound.kind == FL_AST_QUERY) /* all of it has to succeed before anything takes effect */
        FL_TRY(fl_session_run(session, &bound.query, params, n_params, FL_SEGMENT_RESULT, &session->engine->memory, ret,
                              err));
    else
        FL_TRY(fl_session_dispatch(session, text, &bound, params, n_params, ret, err));
    if (is_locked)
        fl_session_publish(session);
    if (ast->kind != FL_AST_EXECUTE && ast->kind != FL_AST_EXPLAIN)
        session->command = command_of(ast);
cleanup:
    if (st != FL_OK) { /* what RETURNING gave already */
        fl_rows_drop(ret);
        *ret = (fl_rows){0};
        session->changed_rows = -1;
    }
    if (is_locked) {
        session->versions = NULL;
        fl_session_end_change(session);
    }
    if (has_binding)
        fl_binding_drop_changed(&b);
    fl_versions_drop(&versions);
    if (is_bound)
        fl_sql_bound_drop(&bound);
    fl_files_in_use_end(&session->files);
    fl_arena_drop(&arena);
    if (is_outermost)
        fl_running_end(session);
    return st;
}

fl_status fl_session_bind_only(fl_session *session, fl_arena *arena, fl_str text, const fl_ast_statement *ast,
                               fl_sql_bound *ret, fl_err *err)
{
    fl_binding b;
    init_binding(&b, session, arena, NULL, NULL, 0);
    fl_status st = fl_sql_bind(&b.env, arena, text, ast, ret, err);
    if (st == FL_OK && ret->query.plan != NULL)
        fl_binding_add_param_types(&b, &ret->query);
    fl_binding_drop_changed(&b);
    fl_files_in_use_end(&session->files);
    return st;
}
