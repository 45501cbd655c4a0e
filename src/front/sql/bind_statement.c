/* Statements that are no changes of rows: queries, CREATE, DROP, settings, EXPLAIN, PREPARE, EXECUTE. */
#include "front/sql/ast_make.h"
#include "front/sql/bind_definition.h"

#include "base/nearest.h"
#include "op/values/node.h"

/* ---- queries ---- */

static fl_status plan_query(binder *b, void *ctx, output *ret)
{
    return fl_sql_bind_query(b, NULL, NULL, ctx, ret);
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_query_statement)
{
    (void)arena;
    (void)text;
    fl_ast_query *query = ast->kind == FL_AST_DESCRIBE ? ast->describe : ast->query;
    return fl_sql_bind_plan(env, ast, plan_query, query, &ret->query, err);
}

/* ---- names ---- */

static fl_str last_name(fl_ast_path path)
{
    return path.parts[path.count - 1].text;
}

fl_status fl_sql_qualify(fl_sql_env *env, fl_arena *arena, fl_ast_path path, bool is_new, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *parts = NULL;
    if (env->catalog == NULL || env->catalog->qualify == NULL)
        return fl_arena_copy_str(arena, last_name(path), ret, err);
    FL_TRY(FL_NEW_ARRAY(arena, path.count, &parts, err));
    for (int32_t i = 0; i < path.count; i++)
        parts[i] = path.parts[i].text;
    st = env->catalog->qualify(env->catalog, parts, path.count, is_new, arena, ret, err);
    if (st != FL_OK)
        fl_err_at(err, path.parts[0].start);
cleanup:
    return st;
}

/* What is called otherwise stays in its schema. */
fl_status fl_sql_rename(fl_arena *arena, fl_str key, fl_str name, fl_str *ret, fl_err *err)
{
    fl_full_name full;
    fl_status st = fl_full_name_of_key(arena, key, &full, err);
    full.name = name;
    return st != FL_OK ? st : fl_full_name_key(arena, &full, ret, err);
}

fl_status fl_sql_fail_twice(fl_str name, int32_t pos, fl_err *err)
{
    FL_FAIL(err, FL_ERR_DUPLICATE, "column \"%.*s\" is named twice", FL_STR_ARG(name));
    fl_err_at(err, pos);
    return fl_err_state(err, "42701", FL_ERR_DUPLICATE);
}

/* A schema whose tables tell what there is. */
static bool is_told(fl_str schema)
{
    return fl_str_is_equal_nocase(schema, FL_STR("information_schema")) ||
           fl_str_is_equal_nocase(schema, FL_STR("pg_catalog"));
}

fl_status fl_sql_set_name(fl_sql_env *env, fl_arena *arena, fl_ast_path path, bool is_new, fl_sql_bound *ret,
                          fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_sql_qualify(env, arena, path, is_new, &ret->name, err));
    ret->name_pos = path.parts[0].start;
    if (path.count > 1 && is_told(path.parts[path.count - 2].text)) {
        FL_FAIL(err, FL_ERR_UNSUPPORTED, "what is in \"%.*s\" cannot be made or changed",
                FL_STR_ARG(path.parts[path.count - 2].text));
        fl_err_at(err, ret->name_pos);
        return fl_err_state(err, "42501", FL_ERR_UNSUPPORTED);
    }
cleanup:
    return st;
}

/* ---- CREATE VIEW, CREATE INDEX, DROP ---- */

FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_view)
{
    fl_status st = FL_OK;
    fl_name_map known;
    const fl_ast_create_view *create = ast->create_view;
    fl_query query = {0};
    ret->or_replace = create->or_replace;
    ret->if_not_exists = create->if_not_exists;
    ret->is_temporary = create->is_temporary;
    FL_TRY(fl_sql_set_name(env, arena, create->path, true, ret, err));
    if (ast->parameter_count > 0) {
        FL_FAIL(err, FL_ERR_PARAMETER, "a view has no parameters");
        fl_err_at(err, create->query->start);
        st = fl_err_state(err, "42P02", FL_ERR_PARAMETER);
        goto cleanup;
    }
    FL_TRY(fl_sql_bind_plan(env, ast, plan_query, create->query, &query, err));
    if (create->column_count > query.n_outputs) {
        st = FL_FAIL(err, FL_ERR_SYNTAX, "%d names for the %d columns of the query", create->column_count,
                     query.n_outputs);
        fl_err_at(err, create->columns[query.n_outputs].start);
        goto cleanup;
    }
    fl_str written = {text.data + create->query->start, create->query->end - create->query->start};
    FL_TRY(fl_arena_copy_str(arena, written, &ret->view_text, err));
    ret->n_names = create->column_count;
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_names + 1, &ret->names, err));
    for (int32_t i = 0; i < ret->n_names; i++)
        FL_TRY(fl_arena_copy_str(arena, create->columns[i].text, &ret->names[i], err));
    fl_name_map_init(&known, arena);
    for (int32_t i = 0; i < query.n_outputs; i++) {
        fl_str name = i < ret->n_names ? ret->names[i] : query.names[i];
        int32_t other;
        FL_TRY(fl_name_map_add(&known, name, i, &other, err));
        if (other >= 0) {
            st = fl_sql_fail_twice(name, i < ret->n_names ? create->columns[i].start : create->query->start, err);
            goto cleanup;
        }
    }
cleanup:
    fl_plan_unref(query.plan);
    return st;
}

/* The columns of an index as a key; of a plain index they are only looked up. */
static fl_status bind_index_key(fl_arena *arena, const fl_ast_create_index *create, fl_sql_bound *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_table *table = ret->table;
    fl_ast_table_key key = {.column_count = create->key_count};
    fl_str *names = NULL;
    fl_type *types = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, create->key_count, &key.columns, err));
    for (int32_t i = 0; i < create->key_count; i++) {
        const fl_ast_expr *expr = create->keys[i];
        if (expr->kind != FL_AST_COLUMN) {
            if (!create->is_unique)
                return FL_OK;
            st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "unique indexes over expressions are not supported yet");
            fl_err_hint(err, "keep the expression's value in a column, and index that");
            fl_err_at(err, expr->start);
            return st;
        }
        key.columns[i] = expr->path.parts[expr->path.count - 1];
    }
    FL_TRY(FL_NEW_ARRAY(arena, table->n_cols + 1, &names, err));
    FL_TRY(FL_NEW_ARRAY(arena, table->n_cols + 1, &types, err));
    for (int32_t i = 0; i < table->n_cols; i++) {
        names[i] = table->fields[i].name;
        types[i] = table->fields[i].type;
    }
    if (create->name.count > 0)
        key.name = create->name.parts[create->name.count - 1];
    FL_TRY(FL_NEW(arena, &ret->keys, err));
    FL_TRY(fl_sql_bind_key(arena, &key, ret->table_name, names, types, table->n_cols, ret->keys, err));
    ret->n_keys = create->is_unique ? 1 : 0;
cleanup:
    return st;
}

/* The table of that name; `not_of_view` says why a view will not do. */
static fl_status find_table(fl_sql_env *env, fl_arena *arena, fl_ast_path path, const char *not_of_view,
                            fl_sql_bound *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_catalog_entry entry = {0};
    FL_TRY(fl_sql_qualify(env, arena, path, false, &ret->table_name, err));
    st = env->catalog->find(env->catalog, ret->table_name, &entry, err);
    if (st != FL_OK) {
        fl_err_at(err, path.parts[0].start);
        goto cleanup;
    }
    if (entry.table == NULL) {
        st = FL_FAIL(err, FL_ERR_TABLE, "\"%.*s\" is a view: %s", FL_STR_ARG(ret->table_name), not_of_view);
        fl_err_at(err, path.parts[0].start);
        st = fl_err_state(err, "42809", st);
        goto cleanup;
    }
    ret->table = entry.table;
    ret->holds_table = true;
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_index)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_create_index *create = ast->create_index;
    ret->if_not_exists = create->if_not_exists;
    if (create->name.count > 0)
        FL_TRY(fl_sql_set_name(env, arena, create->name, true, ret, err));
    FL_TRY(find_table(env, arena, create->table, "it has no indexes", ret, err));
    st = bind_index_key(arena, create, ret, err);
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_analyze)
{
    (void)text;
    if (ast->analyze.count == 0)
        return FL_OK;
    return find_table(env, arena, ast->analyze, "there are statistics of its tables only", ret, err);
}

/* A schema as it is written, `s` or `d.s`, as one text. */
static fl_status join_path(fl_arena *arena, fl_ast_path path, fl_str *ret, fl_err *err)
{
    fl_str parts[2];
    int32_t n = path.count < 2 ? path.count : 2;
    if (path.count > 2) {
        FL_FAIL(err, FL_ERR_SYNTAX, "a schema is called by its name, or by its database's and its own");
        fl_err_at(err, path.parts[0].start);
        return FL_ERR_SYNTAX;
    }
    for (int32_t i = 0; i < n; i++)
        parts[i] = path.parts[i].text;
    return fl_name_join(arena, parts, n, ret, err);
}

/* Functions are in no schema; a macro that CREATE FUNCTION made is. */
static fl_status name_function(fl_sql_env *env, fl_arena *arena, fl_ast_path path, fl_str *ret, fl_err *err)
{
    fl_catalog_macro macro;
    if (env->catalog->find_macro != NULL && fl_sql_qualify(env, arena, path, false, ret, NULL) == FL_OK &&
        env->catalog->find_macro(env->catalog, *ret, FL_MACRO_VALUE, &macro))
        return FL_OK;
    return path.count == 1 ? fl_arena_copy_str(arena, last_name(path), ret, err)
                           : fl_sql_qualify(env, arena, path, false, ret, err);
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_drop)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_drop *drop = ast->drop;
    ret->object = drop->object;
    ret->if_exists = drop->if_exists;
    ret->cascades = drop->cascades;
    ret->macro_kind = drop->object == FL_AST_OBJECT_TYPE ? FL_MACRO_TYPE
                      : drop->is_table_macro             ? FL_MACRO_TABLE
                                                         : FL_MACRO_VALUE;
    ret->n_names = drop->path_count;
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_names, &ret->names, err));
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_names, &ret->names_pos, err));
    for (int32_t i = 0; i < ret->n_names; i++) {
        if (drop->object == FL_AST_OBJECT_SCHEMA)
            FL_TRY(join_path(arena, drop->paths[i], &ret->names[i], err));
        else if (drop->object == FL_AST_OBJECT_FUNCTION)
            FL_TRY(name_function(env, arena, drop->paths[i], &ret->names[i], err));
        else if (!drop->if_exists)
            FL_TRY(fl_sql_qualify(env, arena, drop->paths[i], false, &ret->names[i], err));
        else if (fl_sql_qualify(env, arena, drop->paths[i], false, &ret->names[i], NULL) != FL_OK)
            continue; /* in a schema that is not there nothing is */
        ret->names_pos[i] = drop->paths[i].parts[0].start;
    }
cleanup:
    return st;
}

/* ---- COMMENT ---- */

/* SELECT * of what is called so. */
static fl_status bind_all_columns(fl_sql_env *env, fl_arena *arena, fl_ast_path path, fl_query *ret, fl_err *err)
{
    const fl_ast_statement no_params = {0};
    fl_ast_maker m = fl_sql_maker(arena, path.parts[0].start, path.parts[path.count - 1].end, err);
    fl_ast_item star = fl_sql_make_star(&m);
    fl_ast_table table = {.kind = FL_AST_TABLE_NAME, .height = 1, .start = m.start, .end = m.end, .path = path};
    fl_ast_query *query = fl_sql_make_query(&m, &star, 1, &table);
    return m.st != FL_OK ? m.st : fl_sql_bind_plan(env, &no_params, plan_query, query, ret, err);
}

static fl_status bind_commented_column(fl_sql_env *env, fl_arena *arena, const fl_ast_comment *comment,
                                       fl_sql_bound *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_query query = {0};
    fl_nearest near;
    const fl_ast_name *column = &comment->path.parts[comment->path.count - 1];
    fl_ast_path table = {comment->path.parts, comment->path.count - 1};
    bool is_there = false;
    FL_TRY(fl_sql_set_name(env, arena, table, false, ret, err));
    FL_TRY(bind_all_columns(env, arena, table, &query, err));
    fl_nearest_init(&near, column->text);
    for (int32_t i = 0; i < query.n_outputs; i++) {
        is_there |= fl_str_is_equal_nocase(query.names[i], column->text);
        fl_nearest_offer(&near, query.names[i]);
    }
    if (!is_there) {
        st = FL_FAIL(err, FL_ERR_COLUMN, "there is no column \"%.*s\" in \"%.*s\"", FL_STR_ARG(column->text),
                     FL_STR_ARG(ret->name));
        fl_nearest_hint(&near, err);
        fl_err_at(err, column->start);
        goto cleanup;
    }
    FL_TRY(fl_arena_copy_str(arena, column->text, &ret->old_column, err));
cleanup:
    fl_plan_unref(query.plan);
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_comment)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_comment *comment = ast->comment;
    fl_catalog_entry entry = {0};
    bool is_view = comment->object == FL_AST_OBJECT_VIEW;
    ret->object = comment->object;
    ret->macro_kind = comment->object == FL_AST_OBJECT_TYPE ? FL_MACRO_TYPE
                      : comment->is_table_macro             ? FL_MACRO_TABLE
                                                            : FL_MACRO_VALUE;
    ret->is_empty = comment->is_null;
    ret->name_pos = comment->path.parts[0].start;
    FL_TRY(fl_arena_copy_str(arena, comment->text, &ret->view_text, err));
    if (comment->object == FL_AST_OBJECT_SCHEMA)
        return join_path(arena, comment->path, &ret->name, err);
    if (comment->object == FL_AST_OBJECT_COLUMN)
        return bind_commented_column(env, arena, comment, ret, err);
    FL_TRY(fl_sql_set_name(env, arena, comment->path, false, ret, err));
    if (comment->object != FL_AST_OBJECT_TABLE && !is_view)
        return FL_OK;
    st = env->catalog->find(env->catalog, ret->name, &entry, err);
    if (st == FL_OK && (entry.table == NULL) != is_view) {
        st = FL_FAIL(err, FL_ERR_TABLE, "\"%.*s\" is a %s", FL_STR_ARG(ret->name), is_view ? "table" : "view");
        fl_err_hint(err, "COMMENT ON %s describes it", is_view ? "TABLE" : "VIEW");
        fl_err_state(err, "42809", st);
    }
    fl_table_unref(entry.table);
    if (st != FL_OK)
        fl_err_at(err, ret->name_pos);
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_schema)
{
    (void)env;
    (void)text;
    ret->if_not_exists = ast->schema->if_not_exists;
    ret->name_pos = ast->schema->path.parts[0].start;
    return join_path(arena, ast->schema->path, &ret->name, err);
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_database)
{
    (void)env;
    (void)text;
    ret->if_not_exists = ast->database->if_not_exists;
    ret->if_exists = ast->database->if_exists;
    ret->name_pos = ast->database->name.start;
    return fl_arena_copy_str(arena, ast->database->name.text, &ret->name, err);
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_use)
{
    (void)env;
    (void)text;
    fl_status st = FL_OK;
    ret->name_pos = ast->use.parts[0].start;
    ret->n_names = ast->use.count;
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_names, &ret->names, err));
    for (int32_t i = 0; i < ret->n_names; i++)
        FL_TRY(fl_arena_copy_str(arena, ast->use.parts[i].text, &ret->names[i], err));
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_sequence)
{
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_sequence *sequence = ast->sequence;
    ret->or_replace = sequence->or_replace;
    ret->if_not_exists = sequence->if_not_exists;
    ret->if_exists = sequence->if_exists;
    ret->sequence = &sequence->options;
    FL_TRY(fl_sql_set_name(env, arena, sequence->path, ast->kind == FL_AST_CREATE_SEQUENCE, ret, err));
    if (sequence->to.text.len > 0)
        FL_TRY(fl_sql_rename(arena, ret->name, sequence->to.text, &ret->new_name, err));
    fl_ast_path owner = sequence->options.owner;
    owner.count--; /* the last part is a column */
    if (owner.count > 0)
        FL_TRY(fl_sql_qualify(env, arena, owner, false, &ret->table_name, err));
cleanup:
    return st;
}

/* ---- settings ---- */

fl_status fl_sql_bind_nothing(binder *b, output *ret)
{
    return fl_values_build(b->plan, NULL, 1, 0, NULL, &ret->root, b->err);
}

typedef struct setting_ctx {
    const fl_ast_setting *setting;
    fl_arena *arena;
    fl_value *values;
} setting_ctx;

static fl_status plan_setting(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    setting_ctx *c = ctx;
    scope s;
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    for (int32_t i = 0; i < c->setting->value_count; i++) {
        fl_value value;
        FL_TRY(fl_sql_bind_constant(b, &s, c->setting->values[i], "a setting's value", &value));
        FL_TRY(fl_value_copy(c->arena, &value, &c->values[i], b->err));
    }
    FL_TRY(fl_values_build(b->plan, NULL, 1, 0, NULL, &ret->root, b->err));
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_setting)
{
    (void)text;
    fl_status st = FL_OK;
    fl_query scratch = {0};
    if (ast->kind == FL_AST_SHOW_TABLES)
        return FL_OK;
    FL_TRY(fl_arena_copy_str(arena, ast->setting->name.text, &ret->name, err));
    ret->name_pos = ast->setting->name.start;
    if (ast->kind == FL_AST_SET) {
        ret->n_values = ast->setting->value_count;
        FL_TRY(FL_NEW_ARRAY(arena, ret->n_values, &ret->values, err));
        setting_ctx ctx = {ast->setting, arena, ret->values};
        FL_TRY(fl_sql_bind_plan(env, ast, plan_setting, &ctx, &scratch, err));
    }
cleanup:
    fl_plan_unref(scratch.plan);
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_variable)
{
    (void)text;
    fl_status st = FL_OK;
    FL_TRY(fl_arena_copy_str(arena, ast->variable->name.text, &ret->name, err));
    ret->name_pos = ast->variable->name.start;
    if (ast->kind == FL_AST_SET_VARIABLE)
        FL_TRY(fl_sql_bind_plan(env, ast, plan_query, ast->variable->query, &ret->query, err));
cleanup:
    return st;
}

/* ---- EXPLAIN, PREPARE, EXECUTE ---- */

FL_SQL_STATEMENT_BINDER(fl_sql_bind_explain)
{
    fl_status st = FL_OK;
    fl_sql_bound *inner = NULL;
    ret->is_analyze = ast->explain->is_analyze;
    ret->has_properties = ast->explain->has_properties;
    ret->has_costs = ast->explain->has_costs;
    ret->has_memo = ast->explain->has_memo;
    ret->has_provenance = ast->explain->has_provenance;
    ret->name = ast->explain->why_not.text;
    ret->name_pos = ast->explain->why_not.start;
    ret->format = ast->explain->format;
    ast->explain->statement->parameter_count = ast->parameter_count;
    ast->explain->statement->has_rowid = ast->has_rowid;
    FL_TRY(FL_NEW(arena, &inner, err));
    FL_TRY(fl_sql_bind(env, arena, text, ast->explain->statement, inner, err));
    ret->inner = inner;
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_prepare)
{
    fl_status st = FL_OK;
    const fl_ast_prepare *prepare = ast->prepare;
    fl_type *types = NULL;
    fl_sql_bound *inner = NULL;
    fl_sql_env typed = *env;
    FL_TRY(fl_arena_copy_str(arena, prepare->name.text, &ret->name, err));
    ret->name_pos = prepare->name.start;
    FL_TRY(FL_NEW_ARRAY(arena, prepare->type_count + 1, &types, err));
    for (int32_t i = 0; i < prepare->type_count; i++)
        FL_TRY(fl_sql_bind_type_alone(env, arena, ast, prepare->types[i], &types[i], err));
    typed.param_types = types;
    typed.n_param_types = prepare->type_count;
    FL_TRY(FL_NEW(arena, &inner, err));
    FL_TRY(fl_sql_bind(&typed, arena, text, prepare->statement, inner, err));
    ret->inner = inner;
cleanup:
    return st;
}

static fl_status plan_arguments(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    const fl_ast_execute *execute = ctx;
    int32_t n = execute->arg_count;
    const fl_expr **exprs = NULL;
    scope s;
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &exprs, b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_sql_bind_expr(b, &s, execute->args[i].value, &exprs[i]));
    FL_TRY(fl_values_build(b->plan, exprs, 1, n, NULL, &ret->root, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &ret->cols, b->err));
    ret->n_cols = n;
    for (int32_t i = 0; i < n; i++)
        ret->cols[i] = (out_col){.name = FL_STR("argument"), .col = fl_values_of(ret->root)->cols[i]};
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_execute)
{
    (void)text;
    fl_status st = FL_OK;
    FL_TRY(fl_arena_copy_str(arena, ast->execute->name.text, &ret->name, err));
    ret->name_pos = ast->execute->name.start;
    if (ast->execute->arg_count > 0)
        FL_TRY(fl_sql_bind_plan(env, ast, plan_arguments, ast->execute, &ret->query, err));
    ret->n_names = ast->execute->arg_count;
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_names + 1, &ret->names, err));
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_names + 1, &ret->names_pos, err));
    for (int32_t i = 0; i < ret->n_names; i++) {
        const fl_ast_arg *arg = &ast->execute->args[i];
        FL_TRY(fl_arena_copy_str(arena, arg->name.text, &ret->names[i], err));
        ret->names_pos[i] = arg->name.text.len > 0 ? arg->name.start : arg->value->start;
    }
cleanup:
    return st;
}
