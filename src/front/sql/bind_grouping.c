/* Grouping sets: GROUP BY ROLLUP, CUBE and GROUPING SETS, and grouping().
 *
 *     aggregate by all keys                          where results of parts can be merged: groups that all sets are made of; where all
 *                                                    is of one value's different ones, by it, too
 *     unnest [0, 1, …]                               a copy for each set, with its number
 *     project CASE WHEN set IN (…) THEN key END      keys that the set does not have are null
 *     aggregate by set, keys
 *     full join with the numbers of empty sets       of no rows, too, the empty set has a group
 *     project                                        results, and what grouping() gives, under the columns' ids
 *
 * So a finer grouping is computed once, and nothing behind the binder knows of sets. */
#include "front/sql/bind.h"

#include "op/aggregate/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "op/unnest/node.h"
#include "op/values/node.h"

#define SETS_MAX 4096
#define CUBE_MAX 12 /* elements, as in PostgreSQL */
#define GROUPING_ARGS_MAX 31

/* ---- the sets that are meant --------------------------------------------------------------------------------------- */

static grouping_sets *sets_new(binder *b, int32_t n_keys_max, int32_t room)
{
    grouping_sets *sets = NULL;
    int32_t n_words = (n_keys_max + 63) / 64 + 1;
    if (FL_NEW(b->arena, &sets, b->err) != FL_OK ||
        FL_NEW_ARRAY(b->arena, (int64_t)n_words * (room + 1), &sets->bits, b->err) != FL_OK)
        return NULL;
    sets->n_words = n_words;
    return sets;
}

static uint64_t *set_of(const grouping_sets *sets, int32_t i)
{
    return sets->bits + (int64_t)i * sets->n_words;
}

static bool has_key(const grouping_sets *sets, int32_t i, int32_t key)
{
    return set_of(sets, i)[key / 64] >> (key % 64) & 1;
}

static bool is_empty(const grouping_sets *sets, int32_t i)
{
    for (int32_t w = 0; w < sets->n_words; w++)
        if (set_of(sets, i)[w] != 0)
            return false;
    return true;
}

/* What binds elements: keys get numbers as they come. */
typedef struct set_maker {
    binder *b;
    fl_sql_key_binder bind_key;
    void *ctx;
    const fl_expr **keys;
    int32_t n_keys, n_keys_max;
} set_maker;

static fl_status fail_many(const set_maker *m, int32_t pos, int64_t n)
{
    return fl_sql_bind_fail_state(m->b, pos, FL_ERR_LIMIT, "54001", "GROUP BY has %lld grouping sets, there may be %d",
                                  (long long)n, SETS_MAX);
}

static fl_status add_key(set_maker *m, const fl_ast_expr *ast, uint64_t *set)
{
    const fl_expr *key = NULL;
    int32_t at = 0;
    fl_status st = m->bind_key(m->ctx, ast, &key);
    if (st != FL_OK)
        return st;
    while (at < m->n_keys && m->keys[at] != key)
        at++;
    FL_ASSERT(at < m->n_keys_max);
    m->keys[at] = key;
    m->n_keys = at < m->n_keys ? m->n_keys : at + 1;
    set[at / 64] |= 1ull << (at % 64);
    return FL_OK;
}

static fl_status make_sets(set_maker *m, const fl_ast_expr *ast, grouping_sets **ret);

/* An element of one set. */
static fl_status make_one(set_maker *m, const fl_ast_expr *ast, uint64_t *set)
{
    fl_status st = FL_OK;
    if (ast->kind != FL_AST_ROW)
        return add_key(m, ast, set);
    for (int32_t i = 0; i < ast->list.count; i++)
        FL_TRY(add_key(m, ast->list.items[i], set));
cleanup:
    return st;
}

static fl_status make_rollup_or_cube(set_maker *m, const fl_ast_expr *ast, grouping_sets **ret)
{
    fl_status st = FL_OK;
    int32_t n = ast->list.count;
    bool is_cube = ast->kind == FL_AST_CUBE;
    grouping_sets *parts = NULL;
    if (is_cube && n > CUBE_MAX)
        return fl_sql_bind_fail_state(m->b, ast->start, FL_ERR_LIMIT, "54011", "CUBE of %d elements, there may be %d",
                                      n, CUBE_MAX);
    if (n >= SETS_MAX)
        return fail_many(m, ast->start, n + 1);
    int32_t n_sets = is_cube ? 1 << n : n + 1;
    parts = sets_new(m->b, m->n_keys_max, n);
    *ret = sets_new(m->b, m->n_keys_max, n_sets);
    if (parts == NULL || *ret == NULL)
        return FL_ERR_MEMORY;
    for (int32_t i = 0; i < n; i++)
        FL_TRY(make_one(m, ast->list.items[i], set_of(parts, i)));
    (*ret)->n = n_sets;
    for (int32_t s = 0; s < n_sets; s++) /* the finest set first */
        for (int32_t i = 0; i < n; i++)
            for (int32_t w = 0; w < parts->n_words; w++)
                if (is_cube ? !(s >> (n - 1 - i) & 1) : i < n - s)
                    set_of(*ret, s)[w] |= set_of(parts, i)[w];
cleanup:
    return st;
}

/* The sets of all elements, one after the other. */
static fl_status make_list(set_maker *m, const fl_ast_expr *ast, grouping_sets **ret)
{
    fl_status st = FL_OK;
    grouping_sets **parts = NULL;
    int64_t n = 0;
    FL_TRY(FL_NEW_ARRAY(m->b->arena, ast->list.count + 1, &parts, m->b->err));
    for (int32_t i = 0; i < ast->list.count; i++) {
        FL_TRY(make_sets(m, ast->list.items[i], &parts[i]));
        n += parts[i]->n;
        if (n > SETS_MAX)
            return fail_many(m, ast->list.items[i]->start, n);
    }
    *ret = sets_new(m->b, m->n_keys_max, (int32_t)n);
    if (*ret == NULL)
        return FL_ERR_MEMORY;
    for (int32_t i = 0; i < ast->list.count; i++) {
        memcpy(set_of(*ret, (*ret)->n), parts[i]->bits, (size_t)parts[i]->n * (size_t)parts[i]->n_words * 8);
        (*ret)->n += parts[i]->n;
    }
cleanup:
    return st;
}

static fl_status make_sets(set_maker *m, const fl_ast_expr *ast, grouping_sets **ret)
{
    if (ast->kind == FL_AST_ROLLUP || ast->kind == FL_AST_CUBE)
        return make_rollup_or_cube(m, ast, ret);
    if (ast->kind == FL_AST_SETS)
        return make_list(m, ast, ret);
    *ret = sets_new(m->b, m->n_keys_max, 1);
    if (*ret == NULL)
        return FL_ERR_MEMORY;
    (*ret)->n = 1;
    return make_one(m, ast, set_of(*ret, 0));
}

static int32_t count_keys(const fl_ast_expr *ast)
{
    bool is_list =
        ast->kind == FL_AST_ROW || ast->kind == FL_AST_ROLLUP || ast->kind == FL_AST_CUBE || ast->kind == FL_AST_SETS;
    int32_t n = is_list ? 0 : 1;
    for (int32_t i = 0; is_list && i < ast->list.count; i++)
        n += count_keys(ast->list.items[i]);
    return n;
}

fl_status fl_sql_bind_grouping_sets(binder *b, fl_ast_expr *const *elements, int32_t n, fl_sql_key_binder bind_key,
                                    void *ctx, const fl_expr ***ret_keys, int32_t *ret_n_keys, grouping_sets **ret)
{
    fl_status st = FL_OK;
    set_maker m = {.b = b, .bind_key = bind_key, .ctx = ctx};
    grouping_sets *known = NULL, *more = NULL, *all = NULL;
    for (int32_t i = 0; i < n; i++)
        m.n_keys_max += count_keys(elements[i]);
    FL_TRY(FL_NEW_ARRAY(b->arena, m.n_keys_max + 1, &m.keys, b->err));
    known = sets_new(b, m.n_keys_max, 1);
    if (known == NULL)
        return FL_ERR_MEMORY;
    known->n = 1; /* the empty one, which each element is added to */
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(make_sets(&m, elements[i], &more));
        int64_t product = (int64_t)known->n * more->n;
        if (product > SETS_MAX)
            return fail_many(&m, elements[i]->start, product);
        all = sets_new(b, m.n_keys_max, (int32_t)product);
        if (all == NULL)
            return FL_ERR_MEMORY;
        for (int32_t k = 0; k < known->n; k++)
            for (int32_t j = 0; j < more->n; j++, all->n++)
                for (int32_t w = 0; w < all->n_words; w++)
                    set_of(all, all->n)[w] = set_of(known, k)[w] | set_of(more, j)[w];
        known = all;
    }
    *ret_keys = m.keys;
    *ret_n_keys = m.n_keys;
    *ret = known;
cleanup:
    return st;
}

/* ---- grouping() ---------------------------------------------------------------------------------------------------- */

fl_status fl_sql_bind_grouping(binder *b, scope *s, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_ast_call *call = ast->call;
    grouping_call made = {.n_args = call->arg_count, .pos = ast->start};
    fl_col_info info = {.name = FL_STR("grouping"), .type = FL_TYPE(FL_I32)};
    scope *owner;
    if (call->is_star || call->is_distinct || call->order_count > 0 || call->filter != NULL || call->over != NULL)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_FUNCTION, "grouping() takes keys of GROUP BY, and nothing else");
    if (call->arg_count > GROUPING_ARGS_MAX)
        return fl_sql_bind_fail_state(b, ast->start, FL_ERR_LIMIT, "54023", "grouping() of %d keys, there may be %d",
                                      call->arg_count, GROUPING_ARGS_MAX);
    FL_TRY(FL_NEW_ARRAY(b->arena, call->arg_count + 1, &made.args, b->err));
    for (int32_t i = 0; i < call->arg_count; i++) {
        if (call->args[i].name.text.len > 0)
            return fl_sql_bind_fail(b, call->args[i].name.start, FL_ERR_FUNCTION,
                                    "grouping() takes its arguments by place, not by name");
        FL_TRY(fl_sql_bind_expr(b, s, call->args[i].value, &made.args[i]));
    }
    FL_TRY(fl_sql_owner_of(b, s, made.args, made.n_args, &owner));
    bool is_placed = owner->clause == CLAUSE_SELECT || owner->clause == CLAUSE_HAVING ||
                     owner->clause == CLAUSE_ORDER || owner->clause == CLAUSE_QUALIFY;
    if (!is_placed || owner->in_aggregate)
        return fl_sql_bind_fail(
            b, ast->start, FL_ERR_GROUPING,
            "grouping() stands in the select list, in HAVING, QUALIFY and ORDER BY, outside of aggregates");
    FL_TRY(fl_plan_add_col(b->plan, &info, &made.col, b->err));
    FL_TRY(fl_sql_bind_grow(b, &owner->groupings, owner->n_groupings, &owner->groupings_capacity,
                            sizeof(*owner->groupings)));
    owner->groupings[owner->n_groupings++] = made;
    FL_TRY(fl_expr_column(b->plan, made.col, ast->start, ret, b->err));
cleanup:
    return st;
}

/* ---- the plan ------------------------------------------------------------------------------------------------------ */

/* What is built, step by step. */
typedef struct building {
    binder *b;
    const scope *s;
    const grouping_sets *sets;
    const fl_expr *const *keys;
    int32_t n_keys;
    const fl_expr *set; /* the set's number, of the rows of `node` */
    const fl_node *node;
    fl_agg *aggs; /* of `node`, as long as they are to be computed */
    int32_t n_aggs;
    int32_t *part;  /* [s->n_aggs]: which of aggs it is made of; of an avg that is split the sum, */
    int32_t *count; /* and the count */
} building;

static fl_status number_expr(binder *b, int32_t number, const fl_expr **ret)
{
    fl_value value = {.type = FL_TYPE(FL_I32), .i = number};
    return fl_expr_const(b->plan, &value, -1, ret, b->err);
}

/* A column of its own for what an aggregate gives. */
static fl_status rename_agg(const building *g, fl_agg *agg)
{
    fl_col_info info = {.name = fl_plan_col(g->b->plan, agg->out)->name, .type = agg->type};
    return fl_plan_add_col(g->b->plan, &info, &agg->out, g->b->err);
}

static bool is_avg_of_numbers(const fl_agg *agg)
{
    return strcmp(agg->agg->name, "avg") == 0 && agg->type.id == FL_F64;
}

/* Whether all results can be made of results over parts of the rows. */
static bool can_split(const building *g)
{
    for (int32_t i = 0; i < g->s->n_aggs; i++) {
        const fl_agg *agg = &g->s->aggs[i];
        if (agg->is_distinct || agg->n_order > 0 || (agg->agg->merge == NULL && !is_avg_of_numbers(agg)))
            return false;
    }
    return true;
}

static bool is_same_part(const fl_agg *a, const fl_agg *b)
{
    bool is_same = a->agg == b->agg && a->n_args == b->n_args && a->filter == b->filter;
    for (int32_t i = 0; i < a->n_args && is_same; i++)
        is_same = a->args[i] == b->args[i];
    return is_same;
}

/* An aggregate of the finest groups, each once. */
static fl_status add_part(building *g, const char *name, const fl_agg *of, int32_t *ret)
{
    fl_status st = FL_OK;
    fl_agg *part = &g->aggs[g->n_aggs];
    *ret = 0;
    FL_TRY(fl_agg_make(g->b->plan, fl_str_of(name), of->args, of->n_args, false, of->filter, NULL, 0, -1, part,
                       g->b->err));
    while (!is_same_part(part, &g->aggs[*ret]))
        ++*ret;
    g->n_aggs += *ret == g->n_aggs;
cleanup:
    return st;
}

/* The groups of all keys, with parts of results; the aggregates that merge them follow. */
static fl_status group_finest(building *g, fl_col_id *key_cols, const fl_str *names)
{
    fl_status st = FL_OK;
    binder *b = g->b;
    for (int32_t i = 0; i < g->s->n_aggs; i++) {
        const fl_agg *agg = &g->s->aggs[i];
        FL_TRY(add_part(g, is_avg_of_numbers(agg) ? "sum" : agg->agg->name, agg, &g->part[i]));
        if (is_avg_of_numbers(agg))
            FL_TRY(add_part(g, "count", agg, &g->count[i]));
    }
    FL_TRY(fl_aggregate_build(b->plan, g->node, g->keys, names, g->n_keys, g->aggs, g->n_aggs, key_cols, &g->node,
                              b->err));
    for (int32_t i = 0; i < g->n_aggs; i++) {
        const fl_expr *part = NULL;
        const char *merge = g->aggs[i].agg->merge;
        FL_TRY(fl_expr_column(b->plan, g->aggs[i].out, -1, &part, b->err));
        FL_TRY(fl_agg_make(b->plan, fl_str_of(merge), &part, 1, false, NULL, NULL, 0, -1, &g->aggs[i], b->err));
    }
cleanup:
    return st;
}

/* What all aggregates are of, where equal values of it count once in all of them; NULL: they differ, or rows count. */
static const fl_expr *distinct_value(const building *g)
{
    const fl_expr *value = NULL;
    for (int32_t i = 0; i < g->s->n_aggs; i++) {
        const fl_agg *agg = &g->s->aggs[i];
        bool is_once = agg->is_distinct || agg->agg->ignores_distinct;
        if (!is_once || !agg->agg->ignores_order || agg->n_order > 0 || agg->filter != NULL || agg->n_args != 1 ||
            (value != NULL && value != agg->args[0]))
            return NULL;
        value = agg->args[0];
    }
    return value;
}

/* The values in the groups of all keys, each once: those of a coarser group are among them. */
static fl_status group_values(building *g, const fl_expr *value, fl_col_id *key_cols, const fl_str *names)
{
    fl_status st = FL_OK;
    binder *b = g->b;
    const fl_expr **keys = NULL;
    fl_col_id *cols = NULL;
    int32_t at = 0, n = g->n_keys;
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &keys, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n + 1, &cols, b->err));
    for (int32_t k = 0; k < n; k++)
        keys[k] = g->keys[k];
    keys[n] = value;
    while (keys[at] != value)
        at++;
    FL_TRY(fl_aggregate_build(b->plan, g->node, keys, names, n + (at == n), NULL, 0, cols, &g->node, b->err));
    memcpy(key_cols, cols, (size_t)n * sizeof(*cols));
    for (int32_t i = 0; i < g->s->n_aggs; i++) {
        fl_agg *agg = &g->aggs[g->n_aggs];
        g->part[i] = g->n_aggs++;
        *agg = g->s->aggs[i];
        FL_TRY(fl_expr_column(b->plan, cols[at], -1, &agg->args[0], b->err));
        FL_TRY(rename_agg(g, agg));
    }
cleanup:
    return st;
}

/* All rows, with the keys as columns. */
static fl_status keep_rows(building *g, fl_col_id *key_cols, const fl_str *names)
{
    fl_status st = FL_OK;
    FL_TRY(fl_project_extend(g->b->plan, g->node, g->keys, names, g->n_keys, key_cols, &g->node, g->b->err));
    for (int32_t i = 0; i < g->s->n_aggs; i++) {
        g->part[i] = g->n_aggs;
        g->aggs[g->n_aggs] = g->s->aggs[i];
        FL_TRY(rename_agg(g, &g->aggs[g->n_aggs++]));
    }
cleanup:
    return st;
}

/* A copy of each row for each set. */
static fl_status copy_for_sets(building *g)
{
    fl_status st = FL_OK;
    binder *b = g->b;
    fl_value *numbers = NULL, list = {0};
    const fl_expr *lists[1];
    fl_col_id col;
    FL_TRY(FL_NEW_ARRAY(b->arena, g->sets->n, &numbers, b->err));
    for (int32_t i = 0; i < g->sets->n; i++)
        numbers[i] = (fl_value){.type = FL_TYPE(FL_I32), .i = i};
    list.list.items = numbers;
    list.list.n = g->sets->n;
    FL_TRY(fl_type_list_of(b->arena, FL_TYPE(FL_I32), &list.type, b->err));
    FL_TRY(fl_expr_const(b->plan, &list, -1, &lists[0], b->err));
    FL_TRY(fl_unnest_add_col(b->plan, list.type, FL_STR("grouping_set"), &col, b->err));
    FL_TRY(fl_unnest_build(b->plan, g->node, lists, &col, 1, (fl_col_id){0}, &g->node, b->err));
    FL_TRY(fl_expr_column(b->plan, col, -1, &g->set, b->err));
cleanup:
    return st;
}

/* Whether the row's set is one of those that are marked. */
static fl_status set_is_among(const building *g, const bool *marked, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr **numbers = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(g->b->arena, g->sets->n, &numbers, g->b->err));
    for (int32_t i = 0; i < g->sets->n; i++)
        if (marked[i])
            FL_TRY(number_expr(g->b, i, &numbers[n++]));
    FL_ASSERT(n > 0);
    st = fl_expr_in(g->b->plan, g->set, numbers, n, -1, ret, g->b->err);
cleanup:
    return st;
}

/* Null in rows of a set that does not have the key. */
static fl_status key_in_sets(const building *g, int32_t key, fl_col_id col, const fl_expr **ret)
{
    fl_status st = FL_OK;
    const fl_expr *args[3] = {NULL};
    bool *marked = NULL, is_everywhere = true;
    FL_TRY(FL_NEW_ARRAY(g->b->arena, g->sets->n, &marked, g->b->err));
    for (int32_t i = 0; i < g->sets->n; i++) {
        marked[i] = has_key(g->sets, i, key);
        is_everywhere &= marked[i];
    }
    FL_TRY(fl_expr_column(g->b->plan, col, -1, &args[1], g->b->err));
    *ret = args[1];
    if (is_everywhere)
        return FL_OK;
    FL_TRY(set_is_among(g, marked, &args[0]));
    st = fl_expr_case(g->b->plan, args, 3, -1, ret, g->b->err);
cleanup:
    return st;
}

/* The groups of all sets. */
static fl_status group_sets(building *g, const fl_col_id *key_cols, fl_col_id *ret_cols)
{
    fl_status st = FL_OK;
    binder *b = g->b;
    const fl_expr **keys = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, g->n_keys + 1, &keys, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, g->n_keys + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, g->n_keys + 1, &cols, b->err));
    keys[0] = g->set;
    names[0] = FL_STR("grouping_set");
    for (int32_t k = 0; k < g->n_keys; k++) {
        FL_TRY(key_in_sets(g, k, key_cols[k], &keys[k + 1]));
        names[k + 1] = fl_plan_col(b->plan, key_cols[k])->name;
    }
    FL_TRY(
        fl_aggregate_build(b->plan, g->node, keys, names, g->n_keys + 1, g->aggs, g->n_aggs, cols, &g->node, b->err));
    memcpy(ret_cols, cols + 1, (size_t)g->n_keys * sizeof(*cols));
    FL_TRY(fl_expr_column(b->plan, cols[0], -1, &g->set, b->err));
cleanup:
    return st;
}

/* Groups of the empty sets, where no row made them. A subquery that reads outer columns may have no full join, and needs none for one
 * set: where it has no group, no set has. */
static fl_status add_empty_sets(building *g, bool *ret_any)
{
    fl_status st = FL_OK;
    binder *b = g->b;
    const fl_expr **numbers = NULL, *number = NULL, *is_same = NULL, *args[3];
    const fl_node *values = NULL;
    fl_str name = FL_STR("grouping_set");
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, g->sets->n, &numbers, b->err));
    for (int32_t i = 0; i < g->sets->n; i++)
        if (is_empty(g->sets, i))
            FL_TRY(number_expr(b, i, &numbers[n++]));
    *ret_any = n > 0;
    if (n == 0)
        return FL_OK;
    FL_TRY(fl_values_build(b->plan, numbers, n, 1, &name, &values, b->err));
    FL_TRY(fl_expr_column(b->plan, values->cols[0], -1, &number, b->err));
    if (n == 1 && !fl_col_set_is_empty(&g->node->outer)) {
        FL_TRY(fl_join_build(b->plan, FL_JOIN_LEFT, values, g->node, NULL, NULL, &g->node, b->err));
    } else {
        FL_TRY(fl_expr_call_args(b->plan, "=", -1, &is_same, b->err, 2, g->set, number));
        FL_TRY(fl_join_build(b->plan, FL_JOIN_FULL, g->node, values, is_same, NULL, &g->node, b->err));
    }
    FL_TRY(fl_expr_is_null(b->plan, g->set, -1, &args[0], b->err));
    args[1] = number;
    args[2] = g->set;
    st = fl_expr_case(b->plan, args, 3, -1, &g->set, b->err);
cleanup:
    return st;
}

/* Of no rows a count is 0; a sum of counts is wider than one. */
static fl_status result_of(const building *g, int32_t i, bool has_empty, const fl_expr **ret)
{
    fl_status st = FL_OK;
    binder *b = g->b;
    const fl_agg *wanted = &g->s->aggs[i], *agg = &g->aggs[g->part[i]];
    const fl_expr *args[3], *parts[2];
    FL_TRY(fl_expr_column(b->plan, agg->out, -1, &parts[0], b->err));
    *ret = parts[0];
    if (agg->agg != wanted->agg && is_avg_of_numbers(wanted)) {
        FL_TRY(fl_expr_column(b->plan, g->aggs[g->count[i]].out, -1, &parts[1], b->err));
        for (int32_t p = 0; p < 2; p++)
            FL_TRY(fl_expr_cast(b->plan, parts[p], FL_TYPE(FL_F64), false, -1, &parts[p], b->err));
        FL_TRY(fl_expr_call_args(b->plan, "/", -1, ret, b->err, 2, parts[0], parts[1]));
    }
    FL_TRY(fl_expr_cast(b->plan, *ret, wanted->type, false, -1, ret, b->err));
    if (!has_empty || !wanted->agg->empty_is_zero)
        return FL_OK;
    FL_TRY(fl_expr_is_null(b->plan, parts[0], -1, &args[0], b->err));
    FL_TRY(number_expr(b, 0, &args[1]));
    FL_TRY(fl_expr_cast(b->plan, args[1], wanted->type, false, -1, &args[1], b->err));
    args[2] = *ret;
    st = fl_expr_case(b->plan, args, 3, -1, ret, b->err);
cleanup:
    return st;
}

/* Bits from the last argument on: 1 where the set does not have the key. */
static fl_status grouping_value(const building *g, const grouping_call *call, const fl_expr **ret)
{
    fl_status st = FL_OK;
    binder *b = g->b;
    int32_t *values = NULL, n = 0;
    bool *marked = NULL, *is_done = NULL;
    const fl_expr **args = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, g->sets->n, &values, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, g->sets->n, &is_done, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, 2 * (int64_t)g->sets->n + 1, &args, b->err));
    for (int32_t a = 0; a < call->n_args; a++) {
        int32_t key = 0;
        while (key < g->n_keys && g->keys[key] != call->args[a])
            key++;
        if (key == g->n_keys)
            return fl_sql_bind_fail(b, call->args[a]->pos, FL_ERR_GROUPING,
                                    "arguments of grouping() must be keys of GROUP BY");
        for (int32_t i = 0; i < g->sets->n; i++)
            values[i] = (int32_t)((uint32_t)values[i] << 1 | !has_key(g->sets, i, key));
    }
    for (int32_t i = 0; i < g->sets->n; i++) { /* a branch for each value, the last one for all that are left */
        bool is_last = true;
        if (is_done[i])
            continue;
        FL_TRY(FL_NEW_ARRAY(b->arena, g->sets->n, &marked, b->err));
        for (int32_t j = i; j < g->sets->n; j++) {
            marked[j] = values[j] == values[i];
            is_done[j] |= marked[j];
            is_last &= is_done[j];
        }
        if (!is_last)
            FL_TRY(set_is_among(g, marked, &args[n++]));
        FL_TRY(number_expr(b, values[i], &args[n++]));
    }
    *ret = args[0];
    if (n > 1)
        st = fl_expr_case(b->plan, args, n, -1, ret, b->err);
cleanup:
    return st;
}

/* Results and what grouping() gives, under the columns that expressions know them by. */
static fl_status put_out(building *g, const fl_col_id *key_cols, bool has_empty)
{
    fl_status st = FL_OK;
    binder *b = g->b;
    int32_t n = 0, room = g->s->n_aggs + g->s->n_groupings + 1;
    const fl_expr **exprs = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, room, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, room, &cols, b->err));
    for (int32_t i = 0; i < g->s->n_aggs; i++) {
        FL_TRY(result_of(g, i, has_empty, &exprs[n]));
        cols[n++] = g->s->aggs[i].out;
    }
    for (int32_t i = 0; i < g->s->n_groupings; i++) {
        FL_TRY(grouping_value(g, &g->s->groupings[i], &exprs[n]));
        cols[n++] = g->s->groupings[i].col;
    }
    fl_project_attrs attrs = {
        .n_cols = n, .cols = cols, .n_exprs = n, .exprs = exprs, .n_passed = g->n_keys, .passed = key_cols};
    st = fl_node_make(b->plan, &fl_op_project, &attrs, NULL, &g->node, 1, NULL, 0, &g->node, b->err);
cleanup:
    return st;
}

/* One set is what GROUP BY always was; beside it stand the constants that grouping() gives. */
static fl_status build_one(building *g, fl_col_id *key_cols, const fl_str *names)
{
    fl_status st = FL_OK;
    binder *b = g->b;
    const fl_expr **exprs = NULL;
    fl_col_id *cols = NULL, *passed = NULL;
    FL_TRY(fl_aggregate_build(b->plan, g->node, g->keys, names, g->n_keys, g->s->aggs, g->s->n_aggs, key_cols, &g->node,
                              b->err));
    if (g->s->n_groupings == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, g->s->n_groupings, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, g->s->n_groupings, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, g->node->n_cols + 1, &passed, b->err));
    for (int32_t i = 0; i < g->s->n_groupings; i++) {
        FL_TRY(grouping_value(g, &g->s->groupings[i], &exprs[i]));
        cols[i] = g->s->groupings[i].col;
    }
    memcpy(passed, g->node->cols, (size_t)g->node->n_cols * sizeof(*passed));
    fl_project_attrs attrs = {.n_cols = g->s->n_groupings,
                              .cols = cols,
                              .n_exprs = g->s->n_groupings,
                              .exprs = exprs,
                              .n_passed = g->node->n_cols,
                              .passed = passed};
    st = fl_node_make(b->plan, &fl_op_project, &attrs, NULL, &g->node, 1, NULL, 0, &g->node, b->err);
cleanup:
    return st;
}

fl_status fl_sql_build_groups(binder *b, const scope *s, const grouping_sets *sets, const fl_expr *const *keys,
                              int32_t n_keys, fl_col_id *ret_cols, const fl_node **node)
{
    fl_status st = FL_OK;
    building g = {.b = b, .s = s, .sets = sets, .keys = keys, .n_keys = n_keys, .node = *node};
    fl_col_id *key_cols = NULL;
    fl_str *names = NULL;
    bool has_empty = false;
    grouping_sets *one = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_keys + 1, &names, b->err));
    if (sets == NULL) {
        one = sets_new(b, n_keys, 1);
        if (one == NULL)
            return FL_ERR_MEMORY;
        one->n = 1;
        memset(one->bits, 0xFF, (size_t)one->n_words * 8);
        g.sets = one;
    }
    if (g.sets->n == 1) {
        FL_TRY(build_one(&g, ret_cols, names));
        *node = g.node;
        return FL_OK;
    }
    FL_TRY(FL_NEW_ARRAY(b->arena, n_keys + 1, &key_cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, 2 * (int64_t)s->n_aggs + 1, &g.aggs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_aggs + 1, &g.part, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, s->n_aggs + 1, &g.count, b->err));
    const fl_expr *value = distinct_value(&g);
    FL_TRY(can_split(&g)   ? group_finest(&g, key_cols, names)
           : value != NULL ? group_values(&g, value, key_cols, names)
                           : keep_rows(&g, key_cols, names));
    FL_TRY(copy_for_sets(&g));
    FL_TRY(group_sets(&g, key_cols, ret_cols));
    FL_TRY(add_empty_sets(&g, &has_empty));
    FL_TRY(put_out(&g, ret_cols, has_empty));
    *node = g.node;
cleanup:
    return st;
}
