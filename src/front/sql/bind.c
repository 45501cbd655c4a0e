/* The binder's ground floor: faults, memory, types, parameters; and one statement's way through it. */
#include "front/sql/bind_statement.h"

#include "base/hash.h"
#include "base/index_map.h"
#include "base/nearest.h"
#include "plan/false_statistics.h"
#include "plan/local_time.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- faults and memory ---- */

static void fail_with(binder *b, int32_t at, fl_status code, const char *format, va_list args)
{
    char message[FL_ERR_MESSAGE_MAX];
    vsnprintf(message, sizeof(message), format, args);
    fl_err_set(b->err, code, "%s", message);
    fl_err_at(b->err, at);
}

fl_status fl_sql_bind_fail(binder *b, int32_t at, fl_status code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_with(b, at, code, format, args);
    va_end(args);
    return code;
}

fl_status fl_sql_bind_fail_state(binder *b, int32_t at, fl_status code, const char *state, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_with(b, at, code, format, args);
    va_end(args);
    return fl_err_state(b->err, state, code);
}

fl_status fl_sql_bind_grow(binder *b, void *items, int32_t count, int32_t *capacity, int64_t bytes)
{
    fl_status st = FL_OK;
    void *old, *made;
    if (count < *capacity)
        return FL_OK;
    int32_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    memcpy(&old, items, sizeof(old));
    FL_TRY(fl_arena_get_zero(b->arena, wanted * bytes, &made, b->err));
    if (count > 0)
        memcpy(made, old, (size_t)(count * bytes));
    memcpy(items, &made, sizeof(made));
    *capacity = wanted;
cleanup:
    return st;
}

fl_status fl_sql_bind_keep(binder *b, fl_str text, fl_str *ret)
{
    return fl_arena_copy_str(b->arena, text, ret, b->err);
}

/* ---- types ---- */

static fl_status fail_type(binder *b, const fl_ast_type *type)
{
    static const char *const names[] = {
        "boolean",   "bool",        "tinyint",  "smallint", "integer", "int",    "bigint",  "utinyint",
        "usmallint", "uinteger",    "ubigint",  "real",     "float",   "double", "decimal", "numeric",
        "text",      "varchar",     "char",     "string",   "bytea",   "blob",   "date",    "time",
        "timestamp", "timestamptz", "interval", "json",     "uuid",    "timetz", "hugeint",
    };
    fl_nearest near;
    fl_sql_bind_fail_state(b, type->start, FL_ERR_TYPE, "42704", "there is no type \"%.*s\"", FL_STR_ARG(type->name));
    fl_nearest_init(&near, type->name);
    for (int64_t i = 0; i < FL_LEN(names); i++)
        fl_nearest_offer(&near, fl_str_of(names[i]));
    if (b->env->catalog != NULL && b->env->catalog->offer_macros != NULL)
        b->env->catalog->offer_macros(b->env->catalog, FL_MACRO_TYPE, &near);
    fl_nearest_hint(&near, b->err);
    return FL_ERR_TYPE;
}

/* `plain` is the type without the sizes that it does not take. */
static fl_status fail_sizes(binder *b, const fl_ast_type *type, fl_type plain)
{
    fl_text sizes;
    fl_text_init(&sizes, NULL);
    for (int32_t i = 0; i < type->modifier_count; i++)
        fl_text_addf(&sizes, "%s%lld", i > 0 ? ", " : "", (long long)type->modifiers[i]);
    fl_sql_bind_fail_state(b, type->start, FL_ERR_TYPE, "22023", "%.*s does not take (%s)", FL_STR_ARG(type->name),
                           sizes.data == NULL ? "" : sizes.data);
    if (plain.id == FL_DECIMAL)
        fl_err_hint(b->err, "write decimal(precision, scale): precision from 1 to 38, scale from 0 to the precision");
    else if (plain.id == FL_TIME || fl_type_is_timestamp(plain))
        fl_err_hint(b->err, "the digits behind seconds are 0 to %d", plain.id == FL_TIME ? 6 : 9);
    fl_text_drop(&sizes);
    return FL_ERR_TYPE;
}

static fl_status bind_struct_type(binder *b, const fl_ast_type *type, fl_type *ret)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, type->field_count, &fields, b->err));
    for (int32_t i = 0; i < type->field_count; i++) {
        fields[i].nullable = true;
        FL_TRY(fl_sql_bind_keep(b, type->fields[i].name.text, &fields[i].name));
        FL_TRY(fl_sql_bind_type(b, type->fields[i].type, &fields[i].type));
    }
    FL_TRY(fl_type_check_size(fields, type->field_count, b->err));
    *ret = (fl_type){.id = FL_STRUCT, .n_fields = type->field_count, .fields = fields};
cleanup:
    return st;
}

/* No value twice. */
static fl_status bind_enum_type(binder *b, const fl_ast_type *type, fl_type *ret)
{
    fl_status st = FL_OK;
    fl_field *names = NULL;
    fl_index_map known; /* by hash */
    fl_index_map_init(&known, b->arena);
    FL_TRY(FL_NEW_ARRAY(b->arena, type->field_count, &names, b->err));
    for (int32_t i = 0; i < type->field_count; i++) {
        fl_str name = type->fields[i].name.text;
        uint64_t hash = fl_hash_bytes(name.data, name.len) | 1;
        int32_t other = fl_index_map_find(&known, hash);
        FL_TRY(fl_index_map_add(&known, hash, i, b->err));
        if (other >= 0 && fl_str_is_equal(names[other].name, name))
            return fl_sql_bind_fail_state(b, type->fields[i].name.start, FL_ERR_DUPLICATE, "42710",
                                          "the enum has the value '%.*s' twice", FL_STR_ARG(name));
        FL_TRY(fl_sql_bind_keep(b, name, &names[i].name));
    }
    FL_TRY(fl_type_check_size(names, type->field_count, b->err));
    *ret = (fl_type){.id = FL_U32, .extension = FL_ENUM, .n_fields = type->field_count, .fields = names};
cleanup:
    return st;
}

static fl_status bind_map_type(binder *b, const fl_ast_type *type, fl_type *ret)
{
    fl_type parts[2];
    fl_status st = FL_OK;
    FL_ASSERT(type->field_count == 2);
    for (int i = 0; i < 2; i++)
        FL_TRY(fl_sql_bind_type(b, type->fields[i].type, &parts[i]));
    st = fl_type_map_of(b->arena, parts[0], parts[1], ret, b->err);
cleanup:
    return st;
}

/* A type of the catalog: its text, which was written out whole when it was made. *ret_found false: there is none of that name. */
static fl_status bind_named_type(binder *b, const fl_ast_type *type, bool *ret_found, fl_type *ret)
{
    fl_status st = FL_OK;
    fl_ast_name part = {type->name, type->start, type->end};
    fl_ast_path path = {.parts = &part, .count = 1};
    fl_catalog *catalog = b->env->catalog;
    fl_catalog_macro found;
    fl_str key;
    fl_ast_type *written;
    *ret_found = false;
    if (catalog == NULL || catalog->find_macro == NULL || type->modifier_count > 0)
        return FL_OK;
    FL_TRY(fl_sql_qualify(b->env, b->arena, path, false, &key, b->err));
    *ret_found = catalog->find_macro(catalog, key, FL_MACRO_TYPE, &found);
    if (!*ret_found)
        return FL_OK;
    fl_sql_fragment fragment = {.memory = b->env->memory, .arena = b->arena};
    FL_TRY(fl_sql_bind_keep(b, found.text, &fragment.text));
    FL_TRY(fl_sql_fragment_type(&fragment, &written, b->err));
    st = fl_sql_bind_type(b, written, ret);
cleanup:
    return st;
}

fl_status fl_sql_bind_type(binder *b, const fl_ast_type *type, fl_type *ret)
{
    fl_status st = FL_OK;
    fl_type made;
    if (type->field_count > 0 && type->fields[0].type == NULL) {
        FL_TRY(bind_enum_type(b, type, &made));
    } else if (type->field_count > 0 && type->fields[0].name.text.data == NULL) {
        FL_TRY(bind_map_type(b, type, &made));
    } else if (type->field_count > 0) {
        FL_TRY(bind_struct_type(b, type, &made));
    } else {
        int64_t precision = type->modifier_count > 0 ? type->modifiers[0] : -1;
        int64_t scale = type->modifier_count > 1 ? type->modifiers[1] : -1;
        if (!fl_type_from_name(type->name, (int)precision, (int)scale, &made)) {
            if (precision >= 0 && fl_type_from_name(type->name, -1, -1, &made))
                return fail_sizes(b, type, made);
            bool is_found;
            FL_TRY(bind_named_type(b, type, &is_found, &made));
            if (!is_found)
                return fail_type(b, type);
        }
    }
    for (int32_t i = 0; i < type->list_depth; i++) {
        FL_TRY(fl_type_list_of(b->arena, made, &made, b->err));
        if (type->list_lengths != NULL && type->list_lengths[i] > 0)
            made = fl_type_with_length(made, type->list_lengths[i]);
    }
    *ret = made;
cleanup:
    return st;
}

/* ---- sort keys ---- */

bool fl_sql_nulls_first(const binder *b, const fl_ast_order *order)
{
    if (order->has_nulls)
        return order->nulls_first;
    switch (b->env->null_order) {
    case FL_SQL_NULLS_FIRST:
        return true;
    case FL_SQL_NULLS_LAST:
        return false;
    case FL_SQL_NULLS_LEAST:
        return !order->is_descending;
    default:
        return order->is_descending;
    }
}

/* ---- parameters ---- */

/* The types that parameters have in a plan; a conflict is settled by binding once more with the common type. */
typedef struct param_types {
    binder *b;
    fl_expr_walk walk;
    fl_type *types;
    bool *is_seen;
    int32_t n;
    bool has_conflict;
} param_types;

static fl_status collect_node(void *ctx, const fl_node *node, fl_err *err);

static fl_status collect_expr(void *ctx, const fl_expr *expr, fl_err *err)
{
    param_types *p = ctx;
    fl_status st = FL_OK;
    bool is_new = true;
    if (expr == NULL || !(expr->flags & (FL_EXPR_HAS_PARAM | FL_EXPR_HAS_SUBQUERY)))
        return FL_OK;
    if (expr->kind == FL_EXPR_PARAM && expr->param < p->n) {
        fl_type *type = &p->types[expr->param], common;
        if (!p->is_seen[expr->param]) {
            *type = expr->type;
            p->is_seen[expr->param] = true;
        } else if (!fl_type_is_equal(*type, expr->type)) {
            p->has_conflict = true;
            if (fl_type_common_in(p->b->arena, *type, expr->type, &common))
                *type = common;
        }
        return FL_OK;
    }
    FL_TRY(fl_expr_walk_enter(&p->walk, expr, &is_new, err));
    if (!is_new)
        return FL_OK;
    for (int32_t i = 0; i < expr->n_args; i++)
        FL_TRY(collect_expr(ctx, expr->args[i], err));
    if (expr->kind == FL_EXPR_SUBQUERY) {
        for (int32_t i = 0; i < expr->subquery->n_left; i++)
            FL_TRY(collect_expr(ctx, expr->subquery->left[i], err));
        FL_TRY(fl_node_visit(expr->subquery->query, collect_node, ctx, err));
    }
cleanup:
    return st;
}

static fl_status collect_node(void *ctx, const fl_node *node, fl_err *err)
{
    return fl_node_visit_exprs(node, collect_expr, ctx, err);
}

/* Fills types[n] from the plan; *ret_again: the statement must be bound again with these types fixed. */
static fl_status infer_params(binder *b, const fl_node *root, int32_t n, fl_type *types, bool *ret_again)
{
    fl_status st = FL_OK;
    param_types p = {.b = b, .types = types, .n = n};
    fl_expr_walk_init(&p.walk, b->plan);
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &p.is_seen, b->err));
    FL_TRY(fl_node_visit(root, collect_node, &p, b->err));
    for (int32_t i = 0; i < n; i++) {
        if (!p.is_seen[i]) {
            types[i] = i < b->n_limit_types ? b->limit_types[i] : FL_TYPE(FL_NULL);
        } else if (types[i].id == FL_NULL) {
            types[i] = FL_TYPE(FL_UTF8); /* SELECT $1: text, as in PostgreSQL */
            p.has_conflict = true;
        }
    }
    *ret_again = p.has_conflict;
cleanup:
    fl_expr_walk_drop(&p.walk);
    return st;
}

/* ---- statements ---- */

static fl_status fill_query(binder *b, const output *out, fl_query *ret)
{
    fl_status st = FL_OK;
    fl_col_id *cols = NULL;
    fl_str *names = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &names, b->err));
    for (int32_t i = 0; i < out->n_cols; i++) {
        cols[i] = out->cols[i].col;
        FL_TRY(fl_sql_bind_keep(b, out->cols[i].name, &names[i]));
    }
    *ret = (fl_query){.plan = b->plan, .root = out->root, .n_outputs = out->n_cols, .outputs = cols, .names = names};
cleanup:
    return st;
}

fl_status fl_sql_bind_plan(fl_sql_env *env, const fl_ast_statement *ast, fl_sql_planner fn, void *ctx, fl_query *ret,
                           fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = NULL, *previous = NULL;
    binder b = {.env = env, .err = err};
    fl_type *fixed = NULL;
    int32_t n = ast->parameter_count;
    *ret = (fl_query){0};
    FL_TRY(fl_alloc_zero(env->memory, (n + 1) * (int64_t)sizeof(*fixed), (void **)&fixed, err));
    for (int32_t i = 0; i < n && i < env->n_param_types; i++)
        fixed[i] = env->param_types[i];
    for (int round = 0; round < 2; round++) {
        output out = {0};
        bool again = false;
        FL_TRY(fl_plan_new(env->memory, env->registry, &plan, err));
        fl_plan_tell_falsely(plan, env->false_statistics);
        fl_plan_set_zone(plan, env->zone);
        for (int32_t i = 0; i < n; i++) /* fields of lists and structs are the previous plan's */
            FL_TRY(fl_type_copy(fl_plan_arena(plan), fixed[i], &fixed[i], err));
        fl_plan_unref(previous);
        previous = NULL;
        b = (binder){.env = env,
                     .plan = plan,
                     .arena = fl_plan_arena(plan),
                     .err = err,
                     .param_types = fixed,
                     .n_params = n,
                     .has_rowid = ast->has_rowid,
                     .n_limit_types = n};
        FL_TRY(FL_NEW_ARRAY(b.arena, n + 1, &b.limit_types, err));
        FL_TRY(fn(&b, ctx, &out));
        FL_TRY(fill_query(&b, &out, ret));
        ret->n_params = n;
        FL_TRY(FL_NEW_ARRAY(b.arena, n + 1, &ret->param_types, err));
        if (n > 0)
            FL_TRY(infer_params(&b, out.root, n, ret->param_types, &again));
        if (!again || round == 1)
            break;
        memcpy(fixed, ret->param_types, (size_t)n * sizeof(*fixed));
        previous = plan;
        plan = NULL;
    }
    plan = NULL;
cleanup:
    fl_plan_unref(previous);
    fl_plan_unref(plan);
    fl_free(fixed);
    if (st != FL_OK)
        *ret = (fl_query){0};
    return st;
}

typedef fl_status (*statement_binder)(fl_sql_env *env, fl_arena *arena, fl_str text, const fl_ast_statement *ast,
                                      fl_sql_bound *ret, fl_err *err);

/* By fl_ast_statement_kind. */
static const statement_binder binders[] = {
    [FL_AST_QUERY] = fl_sql_bind_query_statement,
    [FL_AST_CREATE_TABLE] = fl_sql_bind_create_table,
    [FL_AST_CREATE_VIEW] = fl_sql_bind_create_view,
    [FL_AST_CREATE_INDEX] = fl_sql_bind_create_index,
    [FL_AST_CREATE_FUNCTION] = fl_sql_bind_create_function,
    [FL_AST_INSERT] = fl_sql_bind_insert,
    [FL_AST_UPDATE] = fl_sql_bind_update,
    [FL_AST_DELETE] = fl_sql_bind_delete,
    [FL_AST_TRUNCATE] = fl_sql_bind_delete,
    [FL_AST_MERGE] = fl_sql_bind_merge,
    [FL_AST_ALTER] = fl_sql_bind_alter,
    [FL_AST_CREATE_SEQUENCE] = fl_sql_bind_sequence,
    [FL_AST_ALTER_SEQUENCE] = fl_sql_bind_sequence,
    [FL_AST_CREATE_SCHEMA] = fl_sql_bind_create_schema,
    [FL_AST_DROP] = fl_sql_bind_drop,
    [FL_AST_ANALYZE] = fl_sql_bind_analyze,
    [FL_AST_DESCRIBE] = fl_sql_bind_query_statement,
    [FL_AST_SHOW_TABLES] = fl_sql_bind_setting,
    [FL_AST_SHOW] = fl_sql_bind_setting,
    [FL_AST_SET] = fl_sql_bind_setting,
    [FL_AST_RESET] = fl_sql_bind_setting,
    [FL_AST_EXPLAIN] = fl_sql_bind_explain,
    [FL_AST_PREPARE] = fl_sql_bind_prepare,
    [FL_AST_EXECUTE] = fl_sql_bind_execute,
    [FL_AST_DEALLOCATE] = fl_sql_bind_setting,
    [FL_AST_KILL] = fl_sql_bind_setting,
    [FL_AST_COPY_TO] = fl_sql_bind_copy_to,
    [FL_AST_COPY_FROM] = fl_sql_bind_copy_from,
    [FL_AST_EXPORT] = fl_sql_bind_export,
    [FL_AST_IMPORT] = fl_sql_bind_export,
    [FL_AST_ATTACH] = fl_sql_bind_database,
    [FL_AST_DETACH] = fl_sql_bind_database,
    [FL_AST_USE] = fl_sql_bind_use,
    [FL_AST_CREATE_MACRO] = fl_sql_bind_create_macro,
    [FL_AST_CREATE_TYPE] = fl_sql_bind_create_type,
    [FL_AST_SET_VARIABLE] = fl_sql_bind_variable,
    [FL_AST_RESET_VARIABLE] = fl_sql_bind_variable,
    [FL_AST_COMMENT] = fl_sql_bind_comment,
};

fl_status fl_sql_bind(fl_sql_env *env, fl_arena *arena, fl_str text, const fl_ast_statement *ast, fl_sql_bound *ret,
                      fl_err *err)
{
    *ret = (fl_sql_bound){.kind = ast->kind, .ast = ast};
    FL_ASSERT(ast->kind < FL_LEN(binders));
    fl_status st = binders[ast->kind](env, arena, text, ast, ret, err);
    if (st == FL_ERR_COLUMN && err != NULL && strstr(err->hint, "did you mean") == NULL && text.len > 0)
        fl_sql_hint_keyword(env->memory, text, ast, err);
    if (st != FL_OK)
        fl_sql_bound_drop(ret);
    return st;
}

void fl_sql_bound_drop(fl_sql_bound *bound)
{
    if (bound->inner != NULL)
        fl_sql_bound_drop(bound->inner);
    fl_plan_unref(bound->query.plan);
    if (bound->holds_table)
        fl_table_unref(bound->table);
    *bound = (fl_sql_bound){0};
}
