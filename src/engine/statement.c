/* What each kind of statement does with its plan. A statement that fails changes nothing. */
#include "engine/internal.h"

#include "exec/eval.h"
#include "plan/rule.h"

/* What binding needs of the session, and the statement's own memory. */
typedef struct binding {
    fl_sql_env env;
    fl_session_catalog catalog;
    fl_session *session;
    fl_evaluator evaluator;
    fl_session_state state;
} binding;

static fl_status fold(fl_evaluator *evaluator, fl_plan *plan, const fl_expr *expr, fl_arena *arena, fl_value *ret, fl_err *err)
{
    binding *b = (binding *)((char *)evaluator - offsetof(binding, evaluator));
    return fl_eval_once(arena, plan, &b->state, expr, ret, err);
}

static fl_status get_default(fl_sql_env *env, fl_table *table, int32_t col, fl_str *ret, fl_err *err)
{
    (void)env;
    (void)err;
    const fl_column_rules *rules = fl_memory_table_rules(table);
    *ret = rules != NULL ? rules[col].default_text : (fl_str){0};
    return FL_OK;
}

/* LIMIT (SELECT …): runs the query now. */
static fl_status get_scalar(fl_sql_env *env, const fl_query *query, fl_arena *arena, fl_value *ret, fl_err *err)
{
    fl_status st = FL_OK;
    binding *b = env->owner;
    fl_query copy = *query;
    fl_rows rows = {0};
    fl_value value = {.type = fl_plan_col(query->plan, query->outputs[0])->type, .is_null = true};
    FL_TRY(fl_session_run(b->session, &copy, env->params, env->n_params, FL_SEGMENT_RESULT, &b->session->memory, &rows, NULL, NULL, err));
    int64_t n = 0;
    for (int64_t i = 0; i < rows.n_segments; i++) {
        if (rows.segments[i]->rows > 0)
            FL_TRY(fl_value_from_vec(arena, &rows.segments[i]->vecs[0], 0, &value, err));
        n += rows.segments[i]->rows;
    }
    if (n > 1) {
        st = FL_FAIL(err, FL_ERR_CARDINALITY, "a subquery used as an expression returned more than one row");
        goto cleanup;
    }
    st = fl_value_copy(arena, &value, ret, err);
cleanup:
    fl_rows_drop(&rows);
    return st;
}

static void init_binding(binding *b, fl_session *session, fl_arena *arena, const fl_type *types, const fl_value *params, int32_t n_params)
{
    *b = (binding){.session = session, .evaluator = {.fold = fold}};
    fl_session_catalog_init(&b->catalog, session, arena);
    b->state = (fl_session_state){.vector_rows = session->settings.vector_rows, .threads = 1, .params = params, .n_params = n_params};
    b->env = (fl_sql_env){.memory = &session->memory, .registry = session->engine->registry, .catalog = &b->catalog.base,
                          .evaluator = &b->evaluator, .param_types = types, .n_param_types = n_params, .params = params,
                          .n_params = n_params, .get_scalar = get_scalar, .get_default = get_default, .owner = b};
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

static fl_status check_not_null(const fl_rows *rows, const fl_column_rules *rules, const fl_field *fields, int32_t n_cols,
                                fl_str table, fl_err *err)
{
    for (int32_t c = 0; rules != NULL && c < n_cols; c++)
        for (int64_t s = 0; rules[c].is_not_null && s < rows->n_segments; s++)
            if (rows->segments[s]->nulls[c] > 0)
                return FL_FAIL(err, FL_ERR_CONSTRAINT, "null value in column \"%.*s\" of table \"%.*s\", which is NOT NULL",
                               FL_STR_ARG(fields[c].name), FL_STR_ARG(table));
    return FL_OK;
}

/* A new version of a table with these segments, put in its place. */
static fl_status replace_table(fl_session *session, fl_table *old, fl_str name, fl_segment *const *segments, int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table *table = NULL;
    const fl_column_rules *rules = fl_memory_table_rules(old);
    FL_TRY(fl_memory_table_new(&session->engine->memory, old->name, old->fields, old->n_cols, segments, n, &table, err));
    if (rules != NULL)
        FL_TRY(fl_memory_table_set_rules(table, rules, err));
    FL_TRY(fl_engine_put_table(session->engine, name, table, true, err));
    table = NULL;
cleanup:
    fl_table_unref(table);
    return st;
}

static fl_status check_changeable(const fl_table *table, fl_err *err)
{
    int64_t n = 0;
    if (fl_memory_table_segments(table, &n) != NULL || n == 0)
        if (table->format != NULL && strcmp(table->format, "memory") == 0)
            return FL_OK;
    FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%.*s\" is a file and cannot be changed", FL_STR_ARG(table->name));
    fl_err_hint(err, "CREATE TABLE t AS FROM '…' makes a table of its rows");
    return FL_ERR_UNSUPPORTED;
}

static fl_status run_into(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params, fl_rows *ret, fl_err *err)
{
    return fl_session_run(session, &bound->query, params, n_params, FL_SEGMENT_TABLE, &session->engine->memory, ret, NULL, NULL, err);
}

static fl_status create_table(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params, fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {0};
    fl_table *table = NULL;
    fl_arena arena;
    fl_field *fields = NULL;
    fl_column_rules *rules = NULL;
    int known = fl_engine_has(session->engine, bound->name);
    fl_arena_init(&arena, &session->memory);
    if (known != 0 && bound->if_not_exists)
        return FL_OK;
    if (known != 0 && !bound->or_replace) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "%s \"%.*s\" exists already", known == 1 ? "table" : "view", FL_STR_ARG(bound->name));
        fl_err_hint(err, "CREATE OR REPLACE TABLE replaces it");
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    FL_TRY(FL_NEW_ARRAY(&arena, bound->n_columns + 1, &fields, err));
    FL_TRY(FL_NEW_ARRAY(&arena, bound->n_columns + 1, &rules, err));
    for (int32_t i = 0; i < bound->n_columns; i++) {
        fields[i] = (fl_field){.name = bound->columns[i].name, .type = bound->columns[i].type, .nullable = !bound->columns[i].is_not_null};
        rules[i] = (fl_column_rules){.default_text = bound->columns[i].default_text, .is_not_null = bound->columns[i].is_not_null};
    }
    if (bound->query.plan != NULL && !bound->is_empty)
        FL_TRY(run_into(session, bound, params, n_params, &rows, err));
    FL_TRY(fl_memory_table_new(&session->engine->memory, bound->name, fields, bound->n_columns, rows.segments, rows.n_segments, &table, err));
    FL_TRY(fl_memory_table_set_rules(table, rules, err));
    FL_TRY(fl_engine_put_table(session->engine, bound->name, table, bound->or_replace, err));
    table = NULL;
cleanup:
    fl_table_unref(table);
    fl_rows_drop(&rows);
    fl_arena_drop(&arena);
    return st;
}

/* Appends rows: small last segments are merged with what comes, so that single inserts do not make a segment each. */
static fl_status insert(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params, fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {0};
    fl_segment **all = NULL, *merged = NULL;
    fl_segment_builder *builder = NULL;
    fl_arena arena;
    fl_table *table = bound->table;
    int64_t n_old = 0, n = 0;
    fl_arena_init(&arena, &session->memory);
    FL_TRY(check_changeable(table, err));
    FL_TRY(run_into(session, bound, params, n_params, &rows, err));
    FL_TRY(check_not_null(&rows, fl_memory_table_rules(table), table->fields, table->n_cols, bound->name, err));
    fl_segment *const *old = fl_memory_table_segments(table, &n_old);
    FL_TRY(FL_NEW_ARRAY(&arena, n_old + rows.n_segments + 1, &all, err));
    for (int64_t i = 0; i < n_old; i++)
        all[n++] = old[i];
    if (n > 0 && rows.n_segments == 1 && all[n - 1]->rows + rows.segments[0]->rows <= 4096) {
        fl_type *types = NULL;
        FL_TRY(FL_NEW_ARRAY(&arena, table->n_cols + 1, &types, err));
        for (int32_t c = 0; c < table->n_cols; c++)
            types[c] = table->fields[c].type;
        FL_TRY(fl_segment_builder_new(&session->engine->memory, types, table->n_cols, FL_SEGMENT_TABLE, &builder, err));
        FL_TRY(fl_segment_builder_add(builder, all[n - 1]->vecs, NULL, (int32_t)all[n - 1]->rows, err));
        FL_TRY(fl_segment_builder_add(builder, rows.segments[0]->vecs, NULL, (int32_t)rows.segments[0]->rows, err));
        FL_TRY(fl_segment_builder_finish(builder, &merged, err));
        all[n - 1] = merged;
    } else {
        for (int64_t i = 0; i < rows.n_segments; i++)
            all[n++] = rows.segments[i];
    }
    st = replace_table(session, table, bound->name, all, n, err);
cleanup:
    fl_segment_builder_free(builder);
    fl_segment_unref(merged);
    fl_rows_drop(&rows);
    fl_arena_drop(&arena);
    return st;
}

/* UPDATE's query gives every row with a last column "changed"; DELETE's the rows that stay; TRUNCATE has none. */
static fl_status rewrite_table(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params, fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {0};
    FL_TRY(check_changeable(bound->table, err));
    if (bound->kind == FL_AST_UPDATE)
        bound->query.n_outputs = bound->table->n_cols;
    if (bound->query.plan != NULL && bound->kind != FL_AST_TRUNCATE)
        FL_TRY(run_into(session, bound, params, n_params, &rows, err));
    if (bound->kind == FL_AST_UPDATE)
        FL_TRY(check_not_null(&rows, fl_memory_table_rules(bound->table), bound->table->fields, bound->table->n_cols, bound->name, err));
    st = replace_table(session, bound->table, bound->name, rows.segments, rows.n_segments, err);
cleanup:
    fl_rows_drop(&rows);
    return st;
}

static fl_status create_view(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    int known = fl_engine_has(session->engine, bound->name);
    if (known != 0 && bound->if_not_exists)
        return FL_OK;
    fl_status st = fl_engine_put_view(session->engine, bound->name, bound->view_text, bound->names, bound->n_names, bound->or_replace, err);
    if (st != FL_OK)
        fl_err_at(err, bound->name_pos);
    return st;
}

static fl_status drop(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    if (bound->object == FL_AST_OBJECT_INDEX) /* CREATE INDEX is accepted without effect; so is this */
        return FL_OK;
    for (int32_t i = 0; i < bound->n_names && st == FL_OK; i++)
        st = fl_engine_drop(session->engine, bound->names[i], bound->object == FL_AST_OBJECT_VIEW, bound->if_exists,
                            bound->names_pos != NULL ? bound->names_pos[i] : bound->name_pos, err);
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
    fl_arena_init(&arena, &session->memory);
    FL_TRY(FL_NEW_ARRAY(&arena, query->n_outputs * 3 + 1, &cells, err));
    for (int32_t i = 0; i < query->n_outputs; i++) {
        const fl_col_info *info = fl_plan_col(query->plan, query->outputs[i]);
        fl_text type;
        fl_text_init(&type, NULL);
        fl_type_print(&type, info->type);
        cells[i * 3] = query->names[i];
        st = fl_arena_copy_str(&arena, fl_text_str(&type), &cells[i * 3 + 1], err);
        fl_text_drop(&type);
        FL_TRY(st);
        cells[i * 3 + 2] = info->table != NULL && !info->is_nullable ? FL_STR("NO") : FL_STR("YES");
    }
    st = fl_rows_of_text(&session->engine->memory, names, 3, cells, query->n_outputs, ret, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

static fl_status show_tables(fl_session *session, fl_rows *ret, fl_err *err)
{
    static const char *const names[] = {"name"};
    fl_status st = FL_OK;
    fl_arena arena;
    fl_str *cells = NULL;
    int32_t n = 0;
    fl_arena_init(&arena, &session->memory);
    FL_TRY(fl_engine_names(session->engine, &arena, &cells, &n, err));
    st = fl_rows_of_text(&session->engine->memory, names, 1, cells, n, ret, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

static fl_status show(fl_session *session, const fl_sql_bound *bound, fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool all = bound->name.len == 0 || fl_str_is_equal_nocase(bound->name, FL_STR("all"));
    fl_arena arena;
    fl_str *cells = NULL;
    int32_t n = 0;
    fl_arena_init(&arena, &session->memory);
    FL_TRY(FL_NEW_ARRAY(&arena, 64, &cells, err));
    for (int32_t i = 0; all ? fl_settings_name(i).len > 0 : i < 1; i++) {
        fl_str name = all ? fl_settings_name(i) : bound->name;
        fl_text text;
        fl_text_init(&text, NULL);
        st = fl_settings_print(session, name, &text, bound->name_pos, err);
        if (all)
            cells[n++] = name;
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

static fl_status explain(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params, fl_rows *ret, fl_err *err)
{
    static const char *const names[] = {"plan"};
    fl_status st = FL_OK;
    fl_sql_bound *inner = bound->inner;
    fl_optimize_report report = {0};
    fl_rows rows = {0};
    fl_text text;
    fl_arena arena;
    fl_str *cells = NULL;
    int64_t n = 0;
    fl_text_init(&text, &session->memory);
    fl_arena_init(&arena, &session->memory);
    if (inner->query.plan == NULL) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "EXPLAIN shows queries; this statement has no plan");
        goto cleanup;
    }
    fl_explain x = {.rules_fired = report.rules_fired};
    if (bound->is_analyze)
        FL_TRY(fl_session_run(session, &inner->query, params, n_params, FL_SEGMENT_RESULT, &session->engine->memory, &rows, &x, &report, err));
    else
        FL_TRY(fl_session_optimize(session, &inner->query, params, n_params, &report, err));
    x.plan = inner->query.plan;
    x.root = inner->query.root;
    if (bound->format == FL_AST_FORMAT_JSON)
        fl_explain_json(&text, &x);
    else
        fl_explain_text(&text, &x);
    FL_TRY(fl_text_status(&text, err));
    FL_TRY(FL_NEW_ARRAY(&arena, text.len + 1, &cells, err));
    for (int64_t start = 0; start < text.len;) { /* a row a line */
        int64_t end = start;
        while (end < text.len && (text.data[end] != '\n' || bound->format == FL_AST_FORMAT_JSON))
            end++;
        cells[n++] = (fl_str){text.data + start, end - start};
        start = end + 1;
    }
    st = fl_rows_of_text(&session->engine->memory, names, 1, cells, n, ret, err);
cleanup:
    fl_rows_drop(&rows);
    fl_text_drop(&text);
    fl_arena_drop(&arena);
    return st;
}

/* ---- prepared statements by name ---------------------------------------------------------------------------------- */

static void free_prepared(fl_prepared *p)
{
    fl_free(p->name);
    fl_free(p->text);
    fl_free(p->param_types);
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
    for (int32_t i = 0; i < p->n_params; i++)
        p->param_types[i] = fl_type_is_nested(query->param_types[i]) ? FL_TYPE(FL_NULL) : query->param_types[i];
    p->next = session->prepared;
    session->prepared = p;
    p = NULL;
cleanup:
    if (p != NULL)
        free_prepared(p);
    return st;
}

static fl_status deallocate(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    if (bound->name.len == 0) {
        while (session->prepared != NULL) {
            fl_prepared *next = session->prepared->next;
            free_prepared(session->prepared);
            session->prepared = next;
        }
        return FL_OK;
    }
    fl_prepared **at = look_up_prepared(session, bound->name);
    if (*at == NULL) {
        fl_status st = FL_FAIL(err, FL_ERR_PARAMETER, "prepared statement \"%.*s\" does not exist", FL_STR_ARG(bound->name));
        fl_err_state(err, "26000", st);
        fl_err_at(err, bound->name_pos);
        return st;
    }
    fl_prepared *gone = *at;
    *at = gone->next;
    free_prepared(gone);
    return FL_OK;
}

static fl_status execute(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params, fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_prepared *p = *look_up_prepared(session, bound->name);
    fl_rows args = {0};
    fl_value *values = NULL;
    fl_arena arena;
    fl_sql_parser parser = {0};
    fl_ast_statement *ast = NULL;
    char *text = NULL;
    fl_arena_init(&arena, &session->memory);
    if (p == NULL) {
        st = FL_FAIL(err, FL_ERR_PARAMETER, "prepared statement \"%.*s\" does not exist", FL_STR_ARG(bound->name));
        fl_err_state(err, "26000", st);
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    int32_t n_args = bound->query.plan == NULL ? 0 : bound->query.n_outputs;
    if (n_args != p->n_params) {
        st = FL_FAIL(err, FL_ERR_SYNTAX, "prepared statement \"%s\" takes %d parameters, %d were given", p->name, p->n_params, n_args);
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    FL_TRY(FL_NEW_ARRAY(&arena, n_args + 1, &values, err));
    if (n_args > 0) {
        FL_TRY(fl_session_run(session, &bound->query, params, n_params, FL_SEGMENT_RESULT, &session->memory, &args, NULL, NULL, err));
        for (int32_t i = 0; i < n_args; i++) {
            fl_value value;
            FL_TRY(fl_value_from_vec(&arena, &args.segments[0]->vecs[i], 0, &value, err));
            FL_TRY(fl_value_copy(&arena, &value, &values[i], err));
            if (p->param_types[i].id != FL_NULL)
                FL_TRY(fl_value_cast(&values[i], p->param_types[i], &values[i], err));
        }
    }
    FL_TRY(fl_alloc(NULL, (int64_t)strlen(p->text) + 1, (void **)&text, err)); /* the statement may deallocate itself */
    memcpy(text, p->text, strlen(p->text) + 1);
    FL_TRY(fl_sql_parser_init(&parser, &session->memory, fl_str_of(text), err));
    FL_TRY(fl_sql_parser_next(&parser, &arena, &ast, err));
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

static fl_status dispatch(fl_session *session, fl_str text, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                          fl_rows *ret, fl_err *err)
{
    switch (bound->kind) {
    case FL_AST_QUERY:
        return fl_session_run(session, &bound->query, params, n_params, FL_SEGMENT_RESULT, &session->engine->memory, ret, NULL, NULL, err);
    case FL_AST_CREATE_TABLE:
        return create_table(session, bound, params, n_params, err);
    case FL_AST_CREATE_VIEW:
        return create_view(session, bound, err);
    case FL_AST_CREATE_INDEX:
        return FL_OK; /* accepted, without effect */
    case FL_AST_INSERT:
        return insert(session, bound, params, n_params, err);
    case FL_AST_UPDATE:
    case FL_AST_DELETE:
    case FL_AST_TRUNCATE:
        return rewrite_table(session, bound, params, n_params, err);
    case FL_AST_DROP:
        return drop(session, bound, err);
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
        return execute(session, bound, params, n_params, ret, err);
    case FL_AST_DEALLOCATE:
        return deallocate(session, bound, err);
    }
    return FL_FAIL(err, FL_ERR_INTERNAL, "a statement of unknown kind");
}

fl_status fl_session_execute(fl_session *session, fl_str text, const fl_ast_statement *ast, const fl_value *params,
                             int32_t n_params, fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_sql_bound bound = {0};
    binding b;
    fl_type *types = NULL;
    bool is_bound = false;
    fl_arena_init(&arena, &session->memory);
    FL_TRY(FL_NEW_ARRAY(&arena, n_params + 1, &types, err));
    for (int32_t i = 0; i < n_params; i++)
        types[i] = params[i].type;
    init_binding(&b, session, &arena, types, params, n_params);
    b.env.is_final = ast->kind != FL_AST_PREPARE; /* there parameters are still to be given */
    FL_TRY(fl_sql_bind(&b.env, &arena, text, ast, &bound, err));
    is_bound = true;
    st = dispatch(session, text, &bound, params, n_params, ret, err);
cleanup:
    if (is_bound)
        fl_sql_bound_drop(&bound);
    fl_arena_drop(&arena);
    return st;
}

fl_status fl_session_bind_only(fl_session *session, fl_arena *arena, fl_str text, const fl_ast_statement *ast, fl_sql_bound *ret, fl_err *err)
{
    binding b;
    init_binding(&b, session, arena, NULL, NULL, 0);
    return fl_sql_bind(&b.env, arena, text, ast, ret, err);
}
