/* PIVOT: a column for each value of its keys, or for each of their combinations, and each aggregate:
 *
 *     PIVOT t ON k IN ('a', 'b') USING sum(v) GROUP BY g
 *     SELECT g, sum(v) FILTER (WHERE k = 'a') AS a, sum(v) FILTER (WHERE k = 'b') AS b FROM t GROUP BY g
 *
 * The source is bound once and the query over it is put together of it. Values that the text does not give are those that the source has
 * when the statement is bound, which a query of its own tells (fl_sql_env.get_scalar); a prepared statement and a view are bound
 * anew each time. Without GROUP BY the groups are the columns that neither a key nor an aggregate reads. */
#include "front/sql/ast_make.h"
#include "front/sql/bind_statement.h"

#define COLUMNS_MAX 100000
#define GROUPED_FIRST_FROM 16 /* columns */
#define DEPTH_MAX 8 /* of PIVOTs in each other's sources whose values are looked for: each source is bound twice */

typedef struct pivot_value {
    fl_str name;
    fl_ast_expr **parts; /* as many as its key has */
    bool *is_null;       /* of each */
} pivot_value;

typedef struct pivot_values {
    pivot_value *list;
    int32_t n;
} pivot_values;

/* ---- which values there are ---- */

typedef struct look_up {
    const fl_ast_table *source;
    const fl_ast_pivot_key *key;
    cte *ctes;
    int32_t start, end;
} look_up;

/* Table expressions for another plan: nothing of them is bound there yet. */
static fl_status copy_ctes(binder *b, const cte *from, int32_t pos, cte **ret)
{
    fl_status st = FL_OK;
    cte **end = ret;
    *ret = NULL;
    for (; from != NULL; from = from->next) {
        if (from->self != NULL) {
            fl_sql_bind_fail(b, pos, FL_ERR_UNSUPPORTED,
                             "PIVOT inside of a recursive query needs its values: they are looked for before it runs");
            fl_err_hint(b->err, "write ON key IN (value, …)");
            return FL_ERR_UNSUPPORTED;
        }
        FL_TRY(FL_NEW(b->arena, end, b->err));
        **end = (cte){.ast = from->ast, .name_hash = from->name_hash, .is_recursive = from->is_recursive};
        end = &(*end)->next;
    }
cleanup:
    return st;
}

/* SELECT array_agg(k ORDER BY k) FROM (SELECT DISTINCT key AS k FROM source) WHERE k IS NOT NULL */
static fl_status plan_values(binder *b, void *ctx, output *ret)
{
    fl_status st = FL_OK;
    const look_up *look = ctx;
    fl_str k = FL_STR("value of a key");
    fl_ast_maker m = fl_sql_maker(b->arena, look->start, look->end, b->err);
    fl_ast_item inner = {.expr = look->key->key, .alias = fl_sql_make_name(&m, k)};
    fl_ast_table *source = NULL;
    cte *ctes;
    FL_TRY(FL_NEW(b->arena, &source, b->err));
    *source = *look->source;
    if (look->key->query != NULL) {
        fl_ast_table *made = fl_sql_make_table_of(&m, look->key->query, FL_STR("values"));
        fl_ast_name *column = NULL;
        FL_TRY(m.st);
        FL_TRY(FL_NEW(b->arena, &column, b->err));
        *column = fl_sql_make_name(&m, k);
        made->columns = column;
        made->column_count = 1;
        source = made;
        inner.expr = fl_sql_make_column(&m, (fl_str){0}, k);
    }
    fl_ast_query *distinct = fl_sql_make_query(&m, &inner, 1, source);
    fl_ast_expr *value = fl_sql_make_column(&m, (fl_str){0}, k);
    fl_ast_item item = {.expr = fl_sql_make_call(&m, "array_agg", 1, &value)};
    fl_ast_query *whole = fl_sql_make_query(&m, &item, 1, fl_sql_make_table_of(&m, distinct, FL_STR("keys")));
    fl_ast_expr *is_there = fl_sql_make_is_null(&m, value, true);
    FL_TRY(m.st);
    distinct->body->select->is_distinct = true;
    whole->body->select->where = is_there;
    FL_TRY(FL_NEW(b->arena, &item.expr->call->order, b->err));
    item.expr->call->order[0] = (fl_ast_order){.expr = value, .start = look->start, .end = look->end};
    item.expr->call->order_count = 1;
    FL_TRY(copy_ctes(b, look->ctes, look->start, &ctes));
    FL_TRY(fl_sql_bind_query(b, NULL, ctes, whole, ret));
cleanup:
    return st;
}

/* The values of a key, as a list; null where there is none. */
static fl_status find_values(binder *b, look_up *look, fl_value *ret)
{
    fl_status st = FL_OK;
    fl_query query = {0};
    const fl_ast_statement statement = {.parameter_count = b->n_params};
    if (b->env->get_scalar == NULL)
        return fl_sql_bind_fail(b, look->start, FL_ERR_UNSUPPORTED,
                                "PIVOT needs its values here: ON key IN (value, …)");
    if (b->env->pivot_depth >= DEPTH_MAX)
        return fl_sql_bind_fail_state(b, look->start, FL_ERR_LIMIT, "54001",
                                      "PIVOTs in each other deeper than %d need their values: ON key IN (value, …)",
                                      DEPTH_MAX);
    b->env->pivot_depth++;
    st = fl_sql_bind_plan(b->env, &statement, plan_values, look, &query, b->err);
    if (st == FL_OK) {
        st = b->env->get_scalar(b->env, &query, b->arena, ret, b->err);
        if (st != FL_OK)
            fl_err_at(b->err, look->start);
    }
    b->env->pivot_depth--;
    fl_plan_unref(query.plan);
    return st;
}

/* ---- values and their tests ---- */

static fl_status add_text(binder *b, const fl_value *value, fl_text *text)
{
    bool is_empty = !value->is_null && value->type.id == FL_UTF8 && value->s.len == 0;
    if (is_empty) /* nothing is no name */
        fl_text_add(text, FL_STR("''"));
    else
        fl_value_print(text, value);
    return fl_text_status(text, b->err);
}

static int32_t parts_of(const fl_ast_pivot_key *key)
{
    return key->key->kind == FL_AST_ROW ? key->key->list.count : 1;
}

static fl_ast_expr *part_of(const fl_ast_pivot_key *key, int32_t i)
{
    return key->key->kind == FL_AST_ROW ? key->key->list.items[i] : key->key;
}

static fl_status new_value(binder *b, int32_t n_parts, pivot_value *ret)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_parts, &ret->parts, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_parts, &ret->is_null, b->err));
cleanup:
    return st;
}

/* One of IN's values: a constant, or for a key of several columns a row of them. */
static fl_status given_value(binder *b, scope *s, const fl_ast_pivot_key *key, const fl_ast_item *item,
                             pivot_value *ret)
{
    fl_status st = FL_OK;
    bool is_row = key->key->kind == FL_AST_ROW;
    int32_t n = parts_of(key);
    fl_text name;
    fl_text_init(&name, b->env->memory);
    if (is_row && (item->expr->kind != FL_AST_ROW || item->expr->list.count != n)) {
        st = fl_sql_bind_fail(b, item->expr->start, FL_ERR_SYNTAX, "a value of this key is a row of %d", n);
        goto cleanup;
    }
    FL_TRY(new_value(b, n, ret));
    for (int32_t i = 0; i < n; i++) {
        fl_ast_expr *part = is_row ? item->expr->list.items[i] : item->expr;
        fl_value value;
        FL_TRY(fl_sql_bind_constant(b, s, part, "a value of PIVOT", &value));
        if (i > 0)
            fl_text_add(&name, FL_STR("_"));
        FL_TRY(add_text(b, &value, &name));
        ret->parts[i] = part;
        ret->is_null[i] = value.is_null;
    }
    FL_TRY(fl_sql_bind_keep(b, item->alias.text.len > 0 ? item->alias.text : fl_text_str(&name), &ret->name));
cleanup:
    fl_text_drop(&name);
    return st;
}

static fl_status found_value(binder *b, const fl_ast_pivot_key *key, const fl_value *value, pivot_value *ret)
{
    fl_status st = FL_OK;
    fl_ast_maker m = fl_sql_maker(b->arena, key->key->start, key->key->end, b->err);
    fl_text name;
    fl_text_init(&name, b->env->memory);
    FL_TRY(add_text(b, value, &name));
    FL_TRY(new_value(b, 1, ret));
    ret->parts[0] = fl_sql_make_value(&m, value);
    FL_TRY(m.st);
    FL_TRY(fl_sql_bind_keep(b, fl_text_str(&name), &ret->name));
cleanup:
    fl_text_drop(&name);
    return st;
}

static fl_status fail_twice(binder *b, fl_str name, int32_t pos)
{
    return fl_sql_bind_fail_state(b, pos, FL_ERR_DUPLICATE, "42701", "PIVOT has the value \"%.*s\" twice",
                                  FL_STR_ARG(name));
}

static fl_status values_of(binder *b, scope *s, const fl_ast_table *ast, const fl_ast_pivot_key *key, cte *ctes,
                           pivot_values *ret)
{
    fl_status st = FL_OK;
    fl_value found = {.is_null = true};
    bool is_given = key->query == NULL && key->value_count > 0;
    if (!is_given) {
        look_up look = {ast->pivot->source, key, ctes, key->key->start, key->key->end};
        if (key->key->kind == FL_AST_ROW) {
            fl_sql_bind_fail(b, key->key->start, FL_ERR_UNSUPPORTED, "a key of several columns needs its values");
            fl_err_hint(b->err, "write ON (a, b) IN ((1, 'x'), …), or ON a || '_' || b");
            return FL_ERR_UNSUPPORTED;
        }
        FL_TRY(find_values(b, &look, &found));
    }
    int64_t n = is_given ? key->value_count : found.is_null ? 0 : found.list.n;
    if (!is_given && n == 0 && b->n_params > b->env->n_params) {
        fl_sql_bind_fail(b, key->key->start, FL_ERR_UNSUPPORTED,
                         "PIVOT finds no value before the parameters have theirs: a prepared one needs its values");
        fl_err_hint(b->err, "write ON key IN (value, …)");
        return FL_ERR_UNSUPPORTED;
    }
    if (n > COLUMNS_MAX)
        return fl_sql_bind_fail_state(b, key->key->start, FL_ERR_LIMIT, "54011",
                                      "PIVOT of %lld values: %d columns are the limit", (long long)n, COLUMNS_MAX);
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &ret->list, b->err));
    fl_name_map names;
    fl_name_map_init(&names, b->arena);
    for (int32_t i = 0; i < n; i++) {
        int32_t known;
        pivot_value *value = &ret->list[i];
        FL_TRY(is_given ? given_value(b, s, key, &key->values[i], value)
                        : found_value(b, key, &found.list.items[i], value));
        if (!is_given || key->values[i].alias.text.len > 0)
            continue;
        FL_TRY(fl_name_map_add(&names, value->name, i, &known, b->err));
        if (known >= 0)
            return fail_twice(b, value->name, key->values[i].expr->start);
    }
    ret->n = (int32_t)n;
cleanup:
    return st;
}

/* ---- groups ---- */

/* Columns that keys and aggregates read. */
static fl_status used_columns(binder *b, scope *outer, cte *ctes, const fl_ast_pivot *pivot, const scope *source,
                              fl_col_set *ret)
{
    fl_status st = FL_OK;
    scope probe;
    const fl_expr *expr;
    fl_arena *arena = fl_plan_arena(b->plan);
    fl_sql_scope_init(&probe, outer, CLAUSE_SELECT);
    probe.ctes = ctes;
    FL_TRY(fl_sql_scope_add_all(b, &probe, source));
    for (int32_t k = 0; k < pivot->key_count; k++) {
        for (int32_t i = 0; i < parts_of(&pivot->keys[k]); i++) {
            FL_TRY(fl_sql_bind_expr(b, &probe, part_of(&pivot->keys[k], i), &expr));
            FL_TRY(fl_expr_add_cols(arena, expr, ret, b->err));
        }
    }
    for (int32_t i = 0; i < pivot->using_count; i++) {
        fl_col_set read;
        fl_col_set_init(&read);
        FL_TRY(fl_sql_bind_expr(b, &probe, pivot->usings[i].expr, &expr));
        FL_TRY(fl_expr_add_cols(arena, expr, &read, b->err));
        if (!fl_col_set_meets(&read, &probe.agg_cols)) {
            fl_sql_bind_fail(b, pivot->usings[i].expr->start, FL_ERR_GROUPING, "USING takes aggregates");
            fl_err_hint(b->err, "write first(x) for any of a group's values, max(x) for the greatest");
            return FL_ERR_GROUPING;
        }
    }
    for (int32_t i = 0; i < probe.n_aggs; i++) {
        for (int32_t a = 0; a < probe.aggs[i].n_args; a++)
            FL_TRY(fl_expr_add_cols(arena, probe.aggs[i].args[a], ret, b->err));
        if (probe.aggs[i].filter != NULL)
            FL_TRY(fl_expr_add_cols(arena, probe.aggs[i].filter, ret, b->err));
        for (int32_t o = 0; o < probe.aggs[i].n_order; o++)
            FL_TRY(fl_expr_add_cols(arena, probe.aggs[i].order[o].expr, ret, b->err));
    }
cleanup:
    return st;
}

/* The items and expressions of GROUP BY: those that are written, or all columns that nothing reads. */
static fl_status make_groups(binder *b, scope *outer, cte *ctes, const fl_ast_table *ast, const scope *source,
                             fl_ast_item **ret_items, fl_ast_expr ***ret_groups, int32_t *ret_n)
{
    fl_status st = FL_OK;
    const fl_ast_pivot *pivot = ast->pivot;
    fl_col_set used;
    fl_ast_maker m = fl_sql_maker(b->arena, ast->start, ast->start, b->err);
    int32_t n = 0, room = pivot->has_group ? pivot->group_count : source->n_cols;
    fl_col_set_init(&used);
    FL_TRY(used_columns(b, outer, ctes, pivot, source, &used));
    FL_TRY(FL_NEW_ARRAY(b->arena, room + 1, ret_items, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, room + 1, ret_groups, b->err));
    for (int32_t i = 0; i < room; i++) {
        fl_ast_item *item = &(*ret_items)[n];
        if (pivot->has_group) {
            item->expr = pivot->groups[i];
        } else if (source->cols[i].is_hidden || fl_col_set_has(&used, source->cols[i].col)) {
            continue;
        } else {
            item->expr = fl_sql_make_bound(&m, source->cols[i].col.n);
            item->alias = fl_sql_make_name(&m, source->cols[i].name);
        }
        (*ret_groups)[n++] = item->expr;
    }
    FL_TRY(m.st);
    *ret_n = n;
cleanup:
    return st;
}

/* ---- columns ---- */

/* A pivot under way. */
typedef struct pivot_state {
    const fl_ast_table *ast;
    const fl_ast_pivot *pivot;
    pivot_values *values; /* of each key */
    fl_ast_expr ***keys;  /* the parts of each key, as the query that makes the columns reads them */
    fl_ast_item *usings;
    int32_t n_usings;
    int64_t n_columns; /* without groups */
    fl_ast_item *items;
    int32_t n_items, capacity;
} pivot_state;

/* What the columns of a combination of values have in common: at[k] is the place of the k-th key's value. NULL: there are no keys. */
static fl_status make_filter(binder *b, fl_ast_maker *m, const pivot_state *p, const int32_t *at, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_ast_expr **tests = NULL;
    int32_t n = 0, room = 0;
    for (int32_t k = 0; k < p->pivot->key_count; k++)
        room += parts_of(&p->pivot->keys[k]);
    *ret = NULL;
    if (room == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, room, &tests, b->err));
    for (int32_t k = 0; k < p->pivot->key_count; k++) {
        const pivot_value *value = &p->values[k].list[at[k]];
        for (int32_t i = 0; i < parts_of(&p->pivot->keys[k]); i++)
            tests[n++] = value->is_null[i] ? fl_sql_make_is_null(m, p->keys[k][i], false)
                                           : fl_sql_make_binary(m, FL_AST_OP_EQ, p->keys[k][i], value->parts[i]);
    }
    *ret = fl_sql_make_list(m, FL_AST_AND, tests, n);
    st = m->st;
cleanup:
    return st;
}

static fl_status add_combination(binder *b, pivot_state *p, const int32_t *at)
{
    fl_status st = FL_OK;
    int32_t n_keys = p->pivot->key_count;
    fl_ast_maker m = fl_sql_maker(b->arena, p->usings[0].expr->start, p->usings[0].expr->end, b->err);
    fl_ast_expr *filter;
    fl_text name;
    fl_text_init(&name, b->env->memory);
    FL_TRY(make_filter(b, &m, p, at, &filter));
    for (int32_t u = 0; u < p->n_usings; u++) {
        fl_text_clear(&name);
        for (int32_t k = 0; k < n_keys; k++) {
            fl_text_add(&name, k > 0 ? FL_STR("_") : FL_STR(""));
            fl_text_add(&name, p->values[k].list[at[k]].name);
        }
        if (p->usings[u].alias.text.len > 0) {
            fl_text_add(&name, n_keys > 0 ? FL_STR("_") : FL_STR(""));
            fl_text_add(&name, p->usings[u].alias.text);
        }
        FL_TRY(fl_text_status(&name, b->err));
        FL_TRY(fl_sql_bind_grow(b, &p->items, p->n_items, &p->capacity, sizeof(*p->items)));
        fl_ast_item *item = &p->items[p->n_items++];
        *item = (fl_ast_item){.expr = p->usings[u].expr, .filter = filter};
        if (fl_text_str(&name).len > 0) {
            item->alias = fl_sql_make_name(&m, (fl_str){0});
            FL_TRY(fl_sql_bind_keep(b, fl_text_str(&name), &item->alias.text));
        }
    }
cleanup:
    fl_text_drop(&name);
    return st;
}

static fl_status count_columns(binder *b, pivot_state *p)
{
    p->n_columns = p->n_usings;
    for (int32_t k = 0; k < p->pivot->key_count; k++) {
        p->n_columns *= p->values[k].n;
        if (p->n_columns > COLUMNS_MAX)
            return fl_sql_bind_fail_state(
                b, p->ast->start, FL_ERR_LIMIT, "54011",
                "PIVOT to more than %d columns: give the values that are wanted, ON key IN (…)", COLUMNS_MAX);
    }
    return FL_OK;
}

/* All combinations, the last key's values going round fastest. */
static fl_status add_columns(binder *b, pivot_state *p)
{
    fl_status st = FL_OK;
    int32_t *at = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, p->pivot->key_count + 1, &at, b->err));
    for (int64_t c = 0; c < p->n_columns / p->n_usings; c++) {
        int64_t rest = c;
        for (int32_t k = p->pivot->key_count - 1; k >= 0; k--) {
            at[k] = (int32_t)(rest % p->values[k].n);
            rest /= p->values[k].n;
        }
        FL_TRY(add_combination(b, p, at));
    }
cleanup:
    return st;
}

/* ---- many columns ---- */

/* The aggregate that an expression is a plain call of; NULL: it is more than that. */
static const fl_agg_desc *plain_aggregate(const binder *b, const fl_ast_expr *expr)
{
    if (expr->kind != FL_AST_CALL || expr->call->over != NULL)
        return NULL;
    return fl_registry_agg(b->env->registry, expr->call->path.parts[expr->call->path.count - 1].text);
}

/* Whether rows are better grouped by groups and keys first: the filters of many columns then look at few rows. */
static bool is_grouped_first(const binder *b, const pivot_state *p)
{
    for (int32_t u = 0; u < p->n_usings; u++)
        if (plain_aggregate(b, p->usings[u].expr) == NULL)
            return false;
    return p->n_columns >= GROUPED_FIRST_FROM;
}

static fl_status number_name(binder *b, char letter, int32_t n, fl_str *ret)
{
    return fl_arena_format(b->arena, ret, b->err, "%c %d", letter, n);
}

/* Puts one item of the inner query, and gives the column by which the outer one reads it. */
static fl_status put_inner(binder *b, fl_ast_maker *m, fl_ast_expr *expr, char letter, fl_ast_item *items, int32_t *n,
                           fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_str name;
    FL_TRY(number_name(b, letter, *n, &name));
    items[(*n)++] = (fl_ast_item){.expr = expr, .alias = fl_sql_make_name(m, name)};
    *ret = fl_sql_make_column(m, (fl_str){0}, name);
    st = m->st;
cleanup:
    return st;
}

/* SELECT groups, keys, aggregates FROM source GROUP BY groups, keys becomes the source; each of its rows holds the value of one
 * column, if any, which any_value(x) FILTER (WHERE key = value) takes. A count of no rows is 0. */
static fl_status group_first(binder *b, pivot_state *p, fl_ast_select *select)
{
    fl_status st = FL_OK;
    fl_ast_maker m = fl_sql_maker(b->arena, p->ast->start, p->ast->end, b->err);
    fl_ast_item *inner = NULL;
    fl_ast_expr **groups = NULL;
    int32_t n = 0, room = select->group_count + p->n_usings;
    for (int32_t k = 0; k < p->pivot->key_count; k++)
        room += parts_of(&p->pivot->keys[k]);
    FL_TRY(FL_NEW_ARRAY(b->arena, room + 1, &inner, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, room + 1, &groups, b->err));
    for (int32_t i = 0; i < select->group_count; i++) {
        groups[i] = select->groups[i];
        fl_str name = p->items[i].alias.text.len > 0 ? p->items[i].alias.text : fl_sql_name_of(select->groups[i]);
        FL_TRY(put_inner(b, &m, groups[i], 'g', inner, &n, &select->groups[i]));
        p->items[i] = (fl_ast_item){.expr = select->groups[i], .alias = fl_sql_make_name(&m, name)};
    }
    for (int32_t k = 0; k < p->pivot->key_count; k++) {
        for (int32_t i = 0; i < parts_of(&p->pivot->keys[k]); i++) {
            groups[n] = p->keys[k][i];
            FL_TRY(put_inner(b, &m, groups[n], 'k', inner, &n, &p->keys[k][i]));
        }
    }
    int32_t n_groups = n;
    for (int32_t u = 0; u < p->n_usings; u++) {
        const fl_agg_desc *agg = plain_aggregate(b, p->usings[u].expr);
        fl_ast_expr *value;
        FL_TRY(put_inner(b, &m, p->usings[u].expr, 'u', inner, &n, &value));
        fl_ast_expr *parts[2] = {fl_sql_make_call(&m, "any_value", 1, &value), fl_sql_make_integer(&m, 0)};
        p->usings[u].expr = agg->empty_is_zero ? fl_sql_make_call(&m, "coalesce", 2, parts) : parts[0];
    }
    fl_ast_query *query = fl_sql_make_query(&m, inner, n, select->from);
    FL_TRY(m.st);
    query->body->select->has_group = true;
    query->body->select->groups = groups;
    query->body->select->group_count = n_groups;
    select->from = fl_sql_make_table_of(&m, query, FL_STR("groups and keys"));
    st = m.st;
cleanup:
    return st;
}

/* ---- the whole ---- */

/* Columns of one name are told apart by numbers: q, q_1, q_2. */
static fl_status tell_apart(binder *b, output *out)
{
    fl_status st = FL_OK;
    fl_name_map names;
    int32_t *counts = NULL;
    fl_name_map_init(&names, b->arena);
    FL_TRY(FL_NEW_ARRAY(b->arena, out->n_cols + 1, &counts, b->err));
    for (int32_t i = 0; i < out->n_cols; i++) {
        fl_str name = out->cols[i].name, made = name;
        int32_t first, known;
        FL_TRY(fl_name_map_add(&names, name, i, &first, b->err));
        for (known = first; known >= 0;) {
            FL_TRY(fl_arena_format(b->arena, &made, b->err, "%.*s_%d", FL_STR_ARG(name), ++counts[first]));
            FL_TRY(fl_name_map_add(&names, made, i, &known, b->err));
        }
        out->cols[i].name = made;
    }
cleanup:
    return st;
}

static fl_status init_state(binder *b, scope *outer, cte *ctes, pivot_state *p)
{
    fl_status st = FL_OK;
    const fl_ast_pivot *pivot = p->pivot;
    fl_ast_maker m = fl_sql_maker(b->arena, p->ast->start, p->ast->end, b->err);
    scope constants;
    fl_sql_scope_init(&constants, outer, CLAUSE_FROM);
    constants.ctes = ctes;
    p->n_usings = pivot->using_count > 0 ? pivot->using_count : 1;
    FL_TRY(FL_NEW_ARRAY(b->arena, pivot->key_count + 1, &p->values, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, pivot->key_count + 1, &p->keys, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, p->n_usings, &p->usings, b->err));
    for (int32_t k = 0; k < pivot->key_count; k++) {
        FL_TRY(values_of(b, &constants, p->ast, &pivot->keys[k], ctes, &p->values[k]));
        FL_TRY(FL_NEW_ARRAY(b->arena, parts_of(&pivot->keys[k]), &p->keys[k], b->err));
        for (int32_t i = 0; i < parts_of(&pivot->keys[k]); i++)
            p->keys[k][i] = part_of(&pivot->keys[k], i);
    }
    if (pivot->using_count > 0) {
        memcpy(p->usings, pivot->usings, (size_t)p->n_usings * sizeof(*p->usings));
    } else {
        p->usings[0].expr = fl_sql_make_call(&m, "count", 0, NULL);
        FL_TRY(m.st);
        p->usings[0].expr->call->is_star = true;
    }
    FL_TRY(count_columns(b, p));
cleanup:
    return st;
}

fl_status fl_sql_bind_pivot(binder *b, scope *outer, cte *ctes, const fl_ast_table *ast, output *ret)
{
    static const fl_ast_query no_tail = {0};
    fl_status st = FL_OK;
    pivot_state p = {.ast = ast, .pivot = ast->pivot};
    scope source;
    fl_sql_source bound = {.scope = &source};
    fl_ast_table from = {
        .kind = FL_AST_TABLE_BOUND, .height = 1, .start = ast->start, .end = ast->end, .bound = &bound};
    fl_ast_select select = {.from = &from};
    fl_sql_scope_init(&source, outer, CLAUSE_FROM);
    source.ctes = ctes;
    FL_TRY(fl_sql_bind_from(b, outer, ast->pivot->source, &source, &bound.node));
    FL_TRY(make_groups(b, outer, ctes, ast, &source, &p.items, &select.groups, &select.group_count));
    FL_TRY(init_state(b, outer, ctes, &p));
    p.n_items = select.group_count;
    p.capacity = select.group_count + 1;
    if (is_grouped_first(b, &p))
        FL_TRY(group_first(b, &p, &select));
    FL_TRY(add_columns(b, &p));
    if (p.n_items == 0)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX,
                                "PIVOT has no column: its key has no value, and no group is left");
    select.items = p.items;
    select.item_count = p.n_items;
    select.has_group = select.group_count > 0;
    FL_TRY(fl_sql_bind_select(b, outer, ctes, &select, &no_tail, ret));
    FL_TRY(tell_apart(b, ret));
cleanup:
    return st;
}
