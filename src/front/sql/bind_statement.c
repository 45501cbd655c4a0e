/* Statements that are no changes of rows: queries, CREATE, DROP, settings, EXPLAIN, PREPARE, EXECUTE. */
#include "front/sql/bind_statement.h"

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

/* What is created or changed lies in the one schema that there is. */
static fl_status check_schema(fl_ast_path path, fl_err *err)
{
    if (path.count == 1)
        return FL_OK;
    fl_str schema = path.parts[path.count - 2].text;
    if (fl_str_is_equal_nocase(schema, FL_STR("main")) || fl_str_is_equal_nocase(schema, FL_STR("public")))
        return FL_OK;
    FL_FAIL(err, FL_ERR_TABLE, "there is no schema \"%.*s\"", FL_STR_ARG(schema));
    fl_err_at(err, path.parts[0].start);
    return fl_err_state(err, "3F000", FL_ERR_TABLE);
}

static fl_status fail_twice(fl_str name, int32_t pos, fl_err *err)
{
    FL_FAIL(err, FL_ERR_DUPLICATE, "column \"%.*s\" is named twice", FL_STR_ARG(name));
    fl_err_at(err, pos);
    return fl_err_state(err, "42701", FL_ERR_DUPLICATE);
}

fl_status fl_sql_set_name(fl_arena *arena, fl_ast_path path, fl_sql_bound *ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(check_schema(path, err));
    FL_TRY(fl_arena_copy_str(arena, last_name(path), &ret->name, err));
    ret->name_pos = path.parts[0].start;
cleanup:
    return st;
}

/* ---- CREATE TABLE ---- */

typedef struct default_ctx {
    const fl_ast_column_def *def;
    fl_sql_column *column;
} default_ctx;

/* A DEFAULT is bound once here, so that its faults are told when it is written. */
static fl_status plan_default(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    default_ctx *d = ctx;
    const fl_expr *expr;
    scope s;
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    FL_TRY(fl_sql_bind_expr(b, &s, d->def->otherwise, &expr));
    FL_TRY(fl_sql_assign(b, expr, d->column->type, d->column->name, d->def->otherwise->start, &expr));
    FL_TRY(fl_values_build(b->plan, &expr, 1, 1, &d->column->name, &ret->root, b->err));
cleanup:
    return st;
}

static fl_status plan_type(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    default_ctx *d = ctx;
    fl_type type;
    FL_TRY(fl_sql_bind_type(b, d->def->type, &type));
    d->column->type = type;
    FL_TRY(fl_values_build(b->plan, NULL, 1, 0, NULL, &ret->root, b->err));
cleanup:
    return st;
}

static fl_status bind_column_def(fl_sql_env *env, fl_arena *arena, fl_str text, const fl_ast_statement *ast,
                                 const fl_ast_column_def *def, fl_sql_column *column, fl_err *err)
{
    fl_status st = FL_OK;
    fl_query scratch = {0};
    default_ctx ctx = {def, column};
    FL_TRY(fl_arena_copy_str(arena, def->name.text, &column->name, err));
    FL_TRY(fl_sql_bind_plan(env, ast, plan_type, &ctx, &scratch, err));
    FL_TRY(fl_type_copy(arena, column->type, &column->type, err));
    column->is_not_null = def->is_not_null;
    if (def->otherwise != NULL) {
        fl_plan_unref(scratch.plan);
        scratch = (fl_query){0};
        FL_TRY(fl_sql_bind_plan(env, ast, plan_default, &ctx, &scratch, err));
        fl_str written = {text.data + def->otherwise_start, def->otherwise_end - def->otherwise_start};
        FL_TRY(fl_arena_copy_str(arena, written, &column->default_text, err));
    }
cleanup:
    fl_plan_unref(scratch.plan);
    return st;
}

/* CREATE TABLE AS: the query's columns, renamed where names are given. */
static fl_status columns_of_query(fl_arena *arena, const fl_ast_create_table *create, fl_sql_bound *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_query *query = &ret->query;
    if (create->column_count > query->n_outputs) {
        FL_FAIL(err, FL_ERR_SYNTAX, "%d names for the %d columns of the query", create->column_count, query->n_outputs);
        fl_err_at(err, create->columns[query->n_outputs].name.start);
        return FL_ERR_SYNTAX;
    }
    ret->n_columns = query->n_outputs;
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_columns + 1, &ret->columns, err));
    for (int32_t i = 0; i < ret->n_columns; i++) {
        fl_str name = i < create->column_count ? create->columns[i].name.text : query->names[i];
        FL_TRY(fl_arena_copy_str(arena, name, &ret->columns[i].name, err));
        FL_TRY(fl_type_copy(arena, fl_plan_col(query->plan, query->outputs[i])->type, &ret->columns[i].type, err));
    }
cleanup:
    return st;
}

static fl_status fail_no_column(fl_str name, const fl_str *columns, int32_t n_columns, fl_str table, int32_t pos,
                                fl_err *err)
{
    fl_nearest near;
    fl_status st =
        FL_FAIL(err, FL_ERR_COLUMN, "there is no column \"%.*s\" in \"%.*s\"", FL_STR_ARG(name), FL_STR_ARG(table));
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < n_columns; i++)
        fl_nearest_offer(&near, columns[i]);
    fl_nearest_hint(&near, err);
    fl_err_at(err, pos);
    return st;
}

/* A key of the columns named; without a name of its own it is called as PostgreSQL does: t_pkey, t_a_b_key. */
static fl_status bind_key(fl_arena *arena, const fl_ast_table_key *ast, fl_str table, const fl_str *columns,
                          const fl_type *types, int32_t n_columns, fl_table_key *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *cols = NULL;
    fl_text name;
    fl_text_init(&name, NULL);
    fl_text_add(&name, table);
    FL_TRY(FL_NEW_ARRAY(arena, ast->column_count, &cols, err));
    for (int32_t i = 0; i < ast->column_count; i++) {
        const fl_ast_name *column = &ast->columns[i];
        int32_t c = 0;
        while (c < n_columns && !fl_str_is_equal_nocase(columns[c], column->text))
            c++;
        if (c == n_columns) {
            st = fail_no_column(column->text, columns, n_columns, table, column->start, err);
            goto cleanup;
        }
        for (int32_t k = 0; k < i; k++)
            if (cols[k] == c) {
                st = fail_twice(column->text, column->start, err);
                goto cleanup;
            }
        if (fl_type_is_nested(types[c])) {
            st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "keys of type %s are not supported yet", FL_TYPE_NAME(types[c]));
            fl_err_hint(err, "make its parts columns of their own, or keep its text: CAST(… AS text)");
            fl_err_at(err, column->start);
            goto cleanup;
        }
        cols[i] = c;
        if (!ast->is_primary) {
            fl_text_add_char(&name, '_');
            fl_text_add(&name, columns[c]);
        }
    }
    fl_text_add(&name, ast->is_primary ? FL_STR("_pkey") : FL_STR("_key"));
    FL_TRY(fl_text_status(&name, err));
    *ret = (fl_table_key){.cols = cols, .n_cols = ast->column_count, .is_primary = ast->is_primary};
    FL_TRY(fl_arena_copy_str(arena, ast->name.text.len > 0 ? ast->name.text : fl_text_str(&name), &ret->name, err));
cleanup:
    fl_text_drop(&name);
    return st;
}

static fl_status bind_keys(fl_arena *arena, const fl_ast_create_table *create, fl_sql_bound *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    fl_type *types = NULL;
    int32_t n = 0;
    bool has_primary = false;
    for (const fl_ast_table_key *key = create->keys; key != NULL; key = key->next)
        n++;
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &ret->keys, err));
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_columns + 1, &names, err));
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_columns + 1, &types, err));
    for (int32_t i = 0; i < ret->n_columns; i++) {
        names[i] = ret->columns[i].name;
        types[i] = ret->columns[i].type;
    }
    for (const fl_ast_table_key *key = create->keys; key != NULL; key = key->next) {
        fl_table_key *made = &ret->keys[ret->n_keys];
        if (key->is_primary && has_primary) {
            FL_FAIL(err, FL_ERR_DUPLICATE, "table \"%.*s\" has a primary key already", FL_STR_ARG(ret->name));
            fl_err_at(err, key->start);
            return fl_err_state(err, "42P16", FL_ERR_DUPLICATE);
        }
        FL_TRY(bind_key(arena, key, ret->name, names, types, ret->n_columns, made, err));
        for (int32_t i = 0; key->is_primary && i < made->n_cols; i++)
            ret->columns[made->cols[i]].is_not_null = true;
        has_primary |= key->is_primary;
        ret->n_keys++;
    }
cleanup:
    return st;
}

FL_SQL_STATEMENT_BINDER(fl_sql_bind_create_table)
{
    fl_status st = FL_OK;
    const fl_ast_create_table *create = ast->create_table;
    fl_name_map known;
    ret->or_replace = create->or_replace;
    ret->if_not_exists = create->if_not_exists;
    ret->is_empty = create->is_empty;
    FL_TRY(fl_sql_set_name(arena, create->path, ret, err));
    if (create->query != NULL) {
        FL_TRY(fl_sql_bind_plan(env, ast, plan_query, create->query, &ret->query, err));
        FL_TRY(columns_of_query(arena, create, ret, err));
    } else {
        ret->n_columns = create->column_count;
        FL_TRY(FL_NEW_ARRAY(arena, ret->n_columns + 1, &ret->columns, err));
        for (int32_t i = 0; i < ret->n_columns; i++)
            FL_TRY(bind_column_def(env, arena, text, ast, &create->columns[i], &ret->columns[i], err));
    }
    int32_t behind =
        create->query != NULL ? create->query->start : ret->name_pos; /* of columns that only the query names */
    fl_name_map_init(&known, arena);
    for (int32_t i = 0; i < ret->n_columns; i++) {
        int32_t other;
        FL_TRY(fl_name_map_add(&known, ret->columns[i].name, i, &other, err));
        if (other >= 0)
            return fail_twice(ret->columns[i].name, i < create->column_count ? create->columns[i].name.start : behind,
                              err);
    }
    FL_TRY(bind_keys(arena, create, ret, err));
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
    FL_TRY(fl_sql_set_name(arena, create->path, ret, err));
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
            st = fail_twice(name, i < ret->n_names ? create->columns[i].start : create->query->start, err);
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
    FL_TRY(bind_key(arena, &key, ret->table_name, names, types, table->n_cols, ret->keys, err));
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
    FL_TRY(fl_arena_copy_str(arena, last_name(path), &ret->table_name, err));
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
        FL_TRY(fl_sql_set_name(arena, create->name, ret, err));
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

FL_SQL_STATEMENT_BINDER(fl_sql_bind_drop)
{
    (void)env;
    (void)text;
    fl_status st = FL_OK;
    const fl_ast_drop *drop = ast->drop;
    ret->object = drop->object;
    ret->if_exists = drop->if_exists;
    ret->n_names = drop->path_count;
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_names, &ret->names, err));
    FL_TRY(FL_NEW_ARRAY(arena, ret->n_names, &ret->names_pos, err));
    for (int32_t i = 0; i < ret->n_names; i++) {
        FL_TRY(check_schema(drop->paths[i], err));
        FL_TRY(fl_arena_copy_str(arena, last_name(drop->paths[i]), &ret->names[i], err));
        ret->names_pos[i] = drop->paths[i].parts[0].start;
    }
cleanup:
    return st;
}

/* ---- settings ---- */

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
    for (int32_t i = 0; i < prepare->type_count; i++) {
        fl_ast_column_def def = {.type = prepare->types[i]};
        fl_sql_column column = {0};
        default_ctx ctx = {&def, &column};
        fl_query scratch = {0};
        FL_TRY(fl_sql_bind_plan(env, ast, plan_type, &ctx, &scratch, err));
        st = fl_type_copy(arena, column.type, &types[i], err);
        fl_plan_unref(scratch.plan);
        FL_TRY(st);
    }
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
        FL_TRY(fl_sql_bind_expr(b, &s, execute->args[i], &exprs[i]));
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
cleanup:
    return st;
}
