/* SELECT: from FROM to LIMIT, in the order in which SQL means it.
 *
 * All expressions are bound over FROM's columns first; then, if there is anything to group, the aggregate operator goes
 * below them; then one projection computes the list and the sort keys that are not in it. */
#include "front/sql/bind.h"

#include "op/aggregate/node.h"
#include "op/project/node.h"
#include "op/sort/node.h"
#include "op/values/node.h"

/* A SELECT under way. */
typedef struct select_state {
    scope s;
    const fl_node *node;
    select_item *items;
    int32_t n_items;
    item_index names;
    fl_index_map exprs; /* of items, once ORDER BY asks */
    const fl_expr **groups;
    int32_t n_groups;
    grouping_sets *sets; /* NULL: all groups */
    const fl_expr *having;
    const fl_expr *qualify;
    const fl_expr **sort_exprs; /* NULL where the key is an item */
    int32_t *sort_items;        /* the item, or -1 */
    int32_t n_sorts;
    const fl_ast_order *orders; /* [n_sorts]; for ORDER BY ALL the one entry serves all */
    bool order_all;
    const fl_expr **ons; /* of DISTINCT ON */
    int32_t n_ons;
} select_state;

/* ---- ordinals and names of the list ---- */

fl_status fl_sql_bind_ordinal(binder *b, const fl_ast_expr *ast, const char *what, int32_t n, int32_t *ret)
{
    *ret = 0;
    switch ((fl_ast_kind)ast->kind) {
    case FL_AST_INTEGER:
        break;
    case FL_AST_DECIMAL:
    case FL_AST_FLOAT:
    case FL_AST_STRING:
    case FL_AST_BLOB:
    case FL_AST_BOOL:
    case FL_AST_NULL:
        fl_sql_bind_fail(b, ast->start, FL_ERR_SYNTAX, "non-integer constant in %s", what);
        fl_err_hint(b->err, "a constant there is the position of a column in the select list");
        return FL_ERR_SYNTAX;
    default:
        return FL_OK;
    }
    int64_t value = 0;
    for (int64_t i = 0; i < ast->text.len && value <= n; i++)
        value = value * 10 + (ast->text.data[i] - '0');
    if (value < 1 || value > n)
        return fl_sql_bind_fail_state(b, ast->start, FL_ERR_COLUMN, "42P10",
                                      "%s position %.*s is not in the select list of %d", what, FL_STR_ARG(ast->text),
                                      n);
    *ret = (int32_t)value;
    return FL_OK;
}

static bool is_plain_name(const fl_ast_expr *ast)
{
    return ast->kind == FL_AST_COLUMN && ast->path.count == 1;
}

static fl_status index_items(binder *b, const select_state *q, bool by_alias, item_index *ret)
{
    fl_status st = FL_OK;
    fl_name_map_init(&ret->first, b->arena);
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_items + 1, &ret->next, b->err));
    for (int32_t i = 0; i < q->n_items; i++) {
        fl_str name = by_alias ? q->items[i].alias : q->items[i].name;
        int32_t first = -1;
        if (name.len == 0)
            continue;
        FL_TRY(fl_name_map_add(&ret->first, name, i, &first, b->err));
        if (first >= 0) {
            ret->next[i] = ret->next[first];
            ret->next[first] = i + 1;
        }
    }
cleanup:
    return st;
}

/* The item that a plain name in ORDER BY means: output names come first there. -1: none. */
static fl_status find_item(binder *b, const select_state *q, const fl_ast_expr *ast, int32_t *ret)
{
    fl_str name = ast->path.parts[0].text;
    *ret = -1;
    for (int32_t i = fl_name_map_find(&q->names.first, name); i >= 0; i = q->names.next[i] - 1) {
        if (*ret >= 0 && q->items[*ret].expr != q->items[i].expr)
            return fl_sql_bind_fail(b, ast->start, FL_ERR_AMBIGUOUS,
                                    "\"%.*s\" is ambiguous: the select list has it twice", FL_STR_ARG(name));
        *ret = i;
    }
    return FL_OK;
}

/* ---- GROUP BY ---- */

static fl_status reads_aggregate(binder *b, const scope *s, const fl_expr *expr, bool *ret)
{
    fl_status st = FL_OK;
    fl_col_set used;
    *ret = false;
    if (s->n_aggs == 0)
        return FL_OK;
    fl_col_set_init(&used);
    FL_TRY(fl_expr_add_cols(fl_plan_arena(b->plan), expr, &used, b->err));
    *ret = fl_col_set_meets(&used, &s->agg_cols);
cleanup:
    return st;
}

/* fl_sql_key_binder */
typedef struct key_binder {
    binder *b;
    select_state *q;
} key_binder;

static fl_status bind_group_key(void *ctx, const fl_ast_expr *ast, const fl_expr **ret)
{
    fl_status st = FL_OK;
    binder *b = ((key_binder *)ctx)->b;
    select_state *q = ((key_binder *)ctx)->q;
    int32_t ordinal = 0, item = -1;
    const scope_col *col = NULL;
    bool is_aggregate;
    FL_TRY(fl_sql_bind_ordinal(b, ast, "GROUP BY", q->n_items, &ordinal));
    if (ordinal > 0) {
        item = ordinal - 1;
    } else if (is_plain_name(ast)) {
        FL_TRY(fl_sql_scope_find(b, &q->s, ast->path.parts[0].text, ast->start, &col));
        if (col == NULL)
            FL_TRY(find_item(b, q, ast, &item));
    }
    if (item >= 0)
        *ret = q->items[item].expr;
    else
        FL_TRY(fl_sql_bind_expr(b, &q->s, ast, ret));
    FL_TRY(reads_aggregate(b, &q->s, *ret, &is_aggregate));
    if (is_aggregate)
        return fl_sql_bind_fail(b, ast->start, FL_ERR_GROUPING, "aggregate functions are not allowed in GROUP BY");
    FL_TRY(fl_sql_refuse_windows(b, &q->s, *ret, ast->start, "GROUP BY"));
cleanup:
    return st;
}

static fl_status bind_groups(binder *b, select_state *q, const fl_ast_select *ast)
{
    fl_status st = FL_OK;
    key_binder keys = {b, q};
    q->s.clause = CLAUSE_GROUP;
    fl_ast_expr *const *elements;
    int32_t n_elements;
    FL_TRY(fl_sql_expand_groups(b, &q->s, ast->groups, ast->group_count, &elements, &n_elements));
    if (!ast->group_all)
        return fl_sql_bind_grouping_sets(b, elements, n_elements, bind_group_key, &keys, &q->groups, &q->n_groups,
                                         &q->sets);
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_items + 1, &q->groups, b->err));
    for (int32_t i = 0; i < q->n_items; i++) {
        bool is_aggregate, is_window;
        FL_TRY(reads_aggregate(b, &q->s, q->items[i].expr, &is_aggregate));
        FL_TRY(fl_sql_reads_windows(b, &q->s, q->items[i].expr, &is_window));
        if (!is_aggregate && !is_window && (q->items[i].expr->flags & FL_EXPR_HAS_COLUMN))
            q->groups[q->n_groups++] = q->items[i].expr;
    }
cleanup:
    return st;
}

/* ---- ORDER BY ---- */

static fl_status fail_not_listed(binder *b, const fl_ast_expr *key)
{
    return fl_sql_bind_fail_state(b, key->start, FL_ERR_COLUMN, "42P10",
                                  "with SELECT DISTINCT the keys of ORDER BY must be in the select list");
}

static fl_status find_sort_key(binder *b, select_state *q, const fl_ast_select *ast, const fl_ast_expr *key, int32_t n)
{
    fl_status st = FL_OK;
    int32_t ordinal;
    q->sort_items[n] = -1;
    FL_TRY(fl_sql_bind_ordinal(b, key, "ORDER BY", q->n_items, &ordinal));
    if (ordinal > 0) {
        q->sort_items[n] = ordinal - 1;
        return FL_OK;
    }
    if (is_plain_name(key))
        FL_TRY(find_item(b, q, key, &q->sort_items[n]));
    if (q->sort_items[n] >= 0)
        return FL_OK;
    FL_TRY(fl_sql_bind_expr(b, &q->s, key, &q->sort_exprs[n]));
    if (!(q->sort_exprs[n]->flags & FL_EXPR_VOLATILE))
        q->sort_items[n] = fl_index_map_find(&q->exprs, fl_index_map_key(q->sort_exprs[n]));
    if (q->sort_items[n] >= 0)
        q->sort_exprs[n] = NULL;
    else if (ast->is_distinct && ast->distinct_on_count == 0)
        return fail_not_listed(b, key);
cleanup:
    return st;
}

static fl_status bind_sort_key(binder *b, select_state *q, const fl_ast_select *ast, const fl_ast_expr *key, int32_t n)
{
    fl_status st = FL_OK;
    int32_t item;
    FL_TRY(find_sort_key(b, q, ast, key, n));
    item = q->sort_items[n];
    if (!fl_sql_is_collated(item >= 0 ? q->items[item].expr : q->sort_exprs[n]))
        return FL_OK;
    if (item >= 0)
        q->sort_exprs[n] = q->items[item].expr;
    q->sort_items[n] = -1;
    FL_TRY(fl_sql_collate_key(b, &q->sort_exprs[n]));
    if (ast->is_distinct && ast->distinct_on_count == 0 && item < 0)
        return fail_not_listed(b, key);
cleanup:
    return st;
}

static fl_status bind_sorts(binder *b, select_state *q, const fl_ast_select *ast, const fl_ast_query *tail)
{
    fl_status st = FL_OK;
    q->s.clause = CLAUSE_ORDER;
    fl_index_map_init(&q->exprs, b->arena);
    for (int32_t i = 0; i < q->n_items && tail->order_count > 0; i++)
        FL_TRY(fl_index_map_add(&q->exprs, fl_index_map_key(q->items[i].expr), i, b->err));
    sort_list sorts = {0};
    q->orders = tail->order;
    q->order_all = tail->order_all;
    q->n_sorts = q->n_items;
    if (!tail->order_all) {
        FL_TRY(fl_sql_expand_orders(b, &q->s, tail->order, tail->order_count, &sorts));
        q->orders = sorts.orders;
        q->n_sorts = sorts.n;
    }
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_sorts + 1, &q->sort_exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_sorts + 1, &q->sort_items, b->err));
    for (int32_t i = 0; i < q->n_sorts; i++) {
        if (tail->order_all) {
            q->sort_items[i] = i;
            if (fl_sql_is_collated(q->items[i].expr)) {
                q->sort_items[i] = -1;
                q->sort_exprs[i] = q->items[i].expr;
                FL_TRY(fl_sql_collate_key(b, &q->sort_exprs[i]));
            }
            continue;
        }
        q->s.picked = sorts.picked[i];
        FL_TRY(bind_sort_key(b, q, ast, sorts.orders[i].expr, i));
    }
cleanup:
    q->s.picked = NULL;
    return st;
}

/* ---- the parts in order ---- */

static fl_status bind_items(binder *b, select_state *q)
{
    fl_status st = FL_OK;
    q->s.clause = CLAUSE_SELECT;
    for (int32_t i = 0; i < q->n_items; i++) {
        select_item *item = &q->items[i];
        if (item->ast == NULL)
            continue;
        const fl_expr *expr;
        item->is_binding = true;
        q->s.picked = item->picked;
        q->s.filter = item->filter;
        st = fl_sql_bind_expr(b, &q->s, item->ast, &expr);
        q->s.picked = NULL;
        q->s.filter = NULL;
        item->is_binding = false;
        FL_TRY(st);
        item->expr = expr;
    }
cleanup:
    return st;
}

static fl_status bind_distinct_on(binder *b, select_state *q, const fl_ast_select *ast)
{
    fl_status st = FL_OK;
    q->s.clause = CLAUSE_ORDER;
    FL_TRY(FL_NEW_ARRAY(b->arena, ast->distinct_on_count + 1, &q->ons, b->err));
    for (int32_t i = 0; i < ast->distinct_on_count; i++) {
        const fl_ast_expr *key = ast->distinct_on[i];
        int32_t item = -1, ordinal;
        FL_TRY(fl_sql_bind_ordinal(b, key, "DISTINCT ON", q->n_items, &ordinal));
        if (ordinal > 0)
            item = ordinal - 1;
        else if (is_plain_name(key))
            FL_TRY(find_item(b, q, key, &item));
        if (item >= 0)
            q->ons[q->n_ons++] = q->items[item].expr;
        else
            FL_TRY(fl_sql_bind_expr(b, &q->s, key, &q->ons[q->n_ons++]));
        FL_TRY(fl_sql_collate_key(b, &q->ons[i]));
    }
cleanup:
    return st;
}

/* SELECT DISTINCT of texts with a collation is DISTINCT ON their keys: of rows that are the same by them the first one stays. */
static fl_status bind_distinct_keys(binder *b, select_state *q)
{
    fl_status st = FL_OK;
    bool is_collated = false;
    for (int32_t i = 0; i < q->n_items; i++)
        is_collated |= fl_sql_is_collated(q->items[i].expr);
    if (!is_collated)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_items + 1, &q->ons, b->err));
    for (int32_t i = 0; i < q->n_items; i++) {
        q->ons[q->n_ons++] = q->items[i].expr;
        FL_TRY(fl_sql_collate_key(b, &q->ons[i]));
    }
cleanup:
    return st;
}

/* Puts the grouping below all expressions bound so far. */
static fl_status group(binder *b, select_state *q)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL, ***over = NULL;
    int32_t *pos = NULL, n_over = 0, n = 0;
    FL_TRY(fl_sql_window_exprs(b, &q->s, &over, &n_over));
    int32_t room = q->n_items + q->n_sorts + q->n_ons + q->s.n_lists + n_over + 2;
    FL_TRY(FL_NEW_ARRAY(b->arena, room, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, room, &pos, b->err));
    for (int32_t i = 0; i < q->n_items; i++, n++) {
        exprs[n] = q->items[i].expr;
        pos[n] = q->items[i].pos;
    }
    exprs[n++] = q->having;
    exprs[n++] = q->qualify;
    for (int32_t i = 0; i < q->n_sorts; i++)
        exprs[n++] = q->sort_exprs[i];
    for (int32_t i = 0; i < q->n_ons; i++)
        exprs[n++] = q->ons[i];
    for (int32_t i = 0; i < n_over; i++)
        exprs[n++] = *over[i];
    FL_TRY(fl_sql_expand_keys(b, &q->s, q->groups, q->n_groups, &q->node));
    for (int32_t i = 0; i < q->s.n_lists; i++, n++) {
        exprs[n] = q->s.lists[i].is_done ? NULL : q->s.lists[i].list;
        pos[n] = q->s.lists[i].pos;
    }
    FL_TRY(fl_sql_bind_group(b, &q->s, q->sets, q->groups, q->n_groups, exprs, pos, n, &q->node));
    n = 0;
    for (int32_t i = 0; i < q->n_items; i++)
        q->items[i].expr = exprs[n++];
    q->having = exprs[n++];
    q->qualify = exprs[n++];
    for (int32_t i = 0; i < q->n_sorts; i++)
        q->sort_exprs[i] = exprs[n++];
    for (int32_t i = 0; i < q->n_ons; i++)
        q->ons[i] = exprs[n++];
    for (int32_t i = 0; i < n_over; i++)
        *over[i] = exprs[n++];
    for (int32_t i = 0; i < q->s.n_lists; i++, n++)
        if (!q->s.lists[i].is_done)
            q->s.lists[i].list = exprs[n];
cleanup:
    return st;
}

static fl_status put_windows(binder *b, select_state *q)
{
    fl_status st = FL_OK;
    const fl_expr ***over = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_items + q->n_sorts + q->n_ons + q->s.n_lists + 1, &over, b->err));
    for (int32_t i = 0; i < q->n_items; i++)
        over[n++] = &q->items[i].expr;
    for (int32_t i = 0; i < q->n_sorts; i++)
        over[n++] = &q->sort_exprs[i];
    for (int32_t i = 0; i < q->n_ons; i++)
        over[n++] = &q->ons[i];
    for (int32_t i = 0; i < q->s.n_lists; i++)
        over[n++] = &q->s.lists[i].list;
    over[n++] = &q->qualify;
    st = fl_sql_put_windows(b, &q->s, over, n, &q->node);
cleanup:
    return st;
}

/* One projection: the list, and behind it the keys that it does not have. */
static fl_status project(binder *b, select_state *q, fl_col_id **ret_cols, output *out)
{
    fl_status st = FL_OK;
    int32_t n = q->n_items, room = q->n_items + q->n_sorts + q->n_ons + 1;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, room, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, room, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, room, ret_cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_items + 1, &out->cols, b->err));
    for (int32_t i = 0; i < q->n_items; i++) {
        exprs[i] = q->items[i].expr;
        names[i] = q->items[i].name;
    }
    for (int32_t i = 0; i < q->n_sorts; i++)
        if (q->sort_items[i] < 0)
            exprs[n++] = q->sort_exprs[i];
    for (int32_t i = 0; i < q->n_ons; i++)
        exprs[n++] = q->ons[i];
    FL_TRY(fl_project_build(b->plan, q->node, exprs, names, n, *ret_cols, &q->node, b->err));
    out->n_cols = q->n_items;
    for (int32_t i = 0; i < q->n_items; i++)
        out->cols[i] = (out_col){.name = names[i],
                                 .col = (*ret_cols)[i],
                                 .pos = q->items[i].pos,
                                 .literal = exprs[i]->flags & FL_EXPR_UNTYPED ? exprs[i] : NULL};
cleanup:
    return st;
}

static fl_status make_sort_keys(binder *b, const select_state *q, const fl_col_id *cols, fl_sort_key **ret)
{
    fl_status st = FL_OK;
    int32_t extra = q->n_items;
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_sorts + 1, ret, b->err));
    for (int32_t i = 0; i < q->n_sorts; i++) {
        const fl_ast_order *order = &q->orders[q->order_all ? 0 : i];
        fl_col_id col = q->sort_items[i] >= 0 ? cols[q->sort_items[i]] : cols[extra++];
        FL_TRY(fl_expr_column(b->plan, col, order->start, &(*ret)[i].expr, b->err));
        (*ret)[i].is_descending = order->is_descending;
        (*ret)[i].nulls_first = fl_sql_nulls_first(b, order);
    }
cleanup:
    return st;
}

/* DISTINCT ON: of each group the row that ORDER BY puts first; every column is the first element of its ordered list,
 * which, unlike an aggregate of values, keeps nulls. */
static fl_status distinct_on(binder *b, select_state *q, fl_col_id *cols, fl_sort_key *keys, output *out)
{
    fl_status st = FL_OK;
    int32_t n_extra = 0, n = 0;
    for (int32_t i = 0; i < q->n_sorts; i++)
        n_extra += q->sort_items[i] < 0;
    int32_t n_cols = q->n_items + n_extra;
    const fl_expr **ons = NULL, **firsts = NULL, *one;
    fl_agg *aggs = NULL;
    fl_col_id *group_cols = NULL, *first_cols = NULL;
    fl_str *names = NULL;
    fl_value one_value = {.type = FL_TYPE(FL_I64), .i = 1};
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_ons + 1, &ons, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &firsts, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &aggs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, q->n_ons + 1, &group_cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + 1, &first_cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_cols + q->n_ons + 1, &names, b->err));
    for (int32_t i = 0; i < q->n_ons; i++)
        FL_TRY(fl_expr_column(b->plan, cols[n_cols + i], -1, &ons[i], b->err));
    for (int32_t s = 0; s < q->n_sorts && s < q->n_ons; s++) { /* else "first" would mean nothing */
        bool matches = false;
        for (int32_t i = 0; i < q->n_ons; i++)
            matches |= keys[s].expr == ons[i];
        if (!matches) {
            st = fl_sql_bind_fail_state(b, keys[s].expr->pos, FL_ERR_SYNTAX, "42P10",
                                        "ORDER BY must begin with the expressions of DISTINCT ON");
            goto cleanup;
        }
    }
    for (n = 0; n < n_cols; n++) {
        const fl_expr *arg;
        FL_TRY(fl_expr_column(b->plan, cols[n], -1, &arg, b->err));
        FL_TRY(fl_agg_make(b->plan, FL_STR("array_agg"), &arg, 1, false, NULL, keys, q->n_sorts, -1, &aggs[n], b->err));
    }
    FL_TRY(fl_aggregate_build(b->plan, q->node, ons, names, q->n_ons, aggs, n_cols, group_cols, &q->node, b->err));
    FL_TRY(fl_expr_const(b->plan, &one_value, -1, &one, b->err));
    for (int32_t i = 0; i < n_cols; i++) {
        const fl_expr *list;
        FL_TRY(fl_expr_column(b->plan, aggs[i].out, -1, &list, b->err));
        FL_TRY(fl_expr_call_args(b->plan, "list_extract", -1, &firsts[i], b->err, 2, list, one));
        if (i < q->n_items)
            names[i] = q->items[i].name;
    }
    FL_TRY(fl_project_build(b->plan, q->node, firsts, names, n_cols, first_cols, &q->node, b->err));
    for (int32_t i = 0; i < n_cols; i++)
        cols[i] = first_cols[i];
    for (int32_t i = 0; i < q->n_items; i++) {
        out->cols[i].col = cols[i];
        out->cols[i].literal = NULL;
    }
cleanup:
    return st;
}

static fl_status bind_qualify(binder *b, select_state *q, const fl_ast_select *ast)
{
    fl_status st = FL_OK;
    q->s.clause = CLAUSE_QUALIFY;
    FL_TRY(fl_sql_bind_bool(b, &q->s, ast->qualify, "argument of QUALIFY", &q->qualify));
    if (q->s.n_windows > 0)
        return FL_OK;
    st = fl_sql_bind_fail(b, ast->qualify->start, FL_ERR_SYNTAX, "QUALIFY without a window function");
    fl_err_hint(b->err, "WHERE tests rows, HAVING groups, QUALIFY what windows give");
cleanup:
    return st;
}

/* Two names of one column are two keys of grouping sets: a set may have one of them without the other. So they get columns of their own. */
static fl_status tell_apart(binder *b, select_state *q, const fl_ast_select *ast)
{
    fl_status st = FL_OK;
    output out = {.root = q->node, .n_cols = q->s.n_cols};
    fl_col_set seen;
    bool has_sets = false, has_twins = false;
    fl_col_set_init(&seen);
    for (int32_t i = 0; i < ast->group_count; i++)
        has_sets |= ast->groups[i]->kind == FL_AST_ROLLUP || ast->groups[i]->kind == FL_AST_CUBE ||
                    ast->groups[i]->kind == FL_AST_SETS;
    if (!has_sets)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(b->arena, out.n_cols + 1, &out.cols, b->err));
    for (int32_t i = 0; i < out.n_cols; i++) {
        out.cols[i] = (out_col){.name = q->s.cols[i].name, .col = q->s.cols[i].col, .pos = -1};
        has_twins |= !q->s.cols[i].is_hidden && fl_col_set_has(&seen, q->s.cols[i].col);
        if (!q->s.cols[i].is_hidden)
            FL_TRY(fl_col_set_add(b->arena, &seen, q->s.cols[i].col, b->err));
    }
    if (!has_twins)
        return FL_OK;
    FL_TRY(fl_sql_output_exact(b, &out));
    q->node = out.root;
    for (int32_t i = 0; i < out.n_cols; i++)
        q->s.cols[i].col = out.cols[i].col;
cleanup:
    return st;
}

static fl_status bind_source(binder *b, scope *outer, cte *ctes, const fl_ast_select *ast, select_state *q)
{
    fl_status st = FL_OK;
    fl_sql_scope_init(&q->s, outer, CLAUSE_FROM);
    q->s.ctes = ctes;
    if (ast->from != NULL)
        FL_TRY(fl_sql_bind_from(b, outer, ast->from, &q->s, &q->node));
    else
        FL_TRY(fl_values_build(b->plan, NULL, 1, 0, NULL, &q->node, b->err));
    if (ast->sample != NULL)
        FL_TRY(fl_sql_sample(b, outer, ast->sample, &q->node));
    FL_TRY(tell_apart(b, q, ast));
    FL_TRY(fl_sql_expand_items(b, &q->s, ast, &q->items, &q->n_items));
    FL_TRY(index_items(b, q, false, &q->names));
    FL_TRY(index_items(b, q, true, &q->s.aliases));
    q->s.items = q->items;
    q->s.n_items = q->n_items;
    if (ast->where != NULL) {
        const fl_expr *where;
        q->s.clause = CLAUSE_WHERE;
        FL_TRY(fl_sql_bind_where(b, &q->s, ast, &where));
        FL_TRY(fl_sql_filter(b, q->node, where, &q->node));
        q->s.n_refs = 0; /* what is told of columns that are not grouped lies behind WHERE */
    }
cleanup:
    return st;
}

fl_status fl_sql_bind_select(binder *b, scope *outer, cte *ctes, const fl_ast_select *ast, const fl_ast_query *tail,
                             output *ret)
{
    fl_status st = FL_OK;
    select_state q = {0};
    fl_col_id *cols;
    fl_sort_key *keys = NULL;
    FL_TRY(bind_source(b, outer, ctes, ast, &q));
    FL_TRY(fl_sql_check_windows(b, &q.s, ast));
    FL_TRY(bind_items(b, &q));
    if (ast->has_group)
        FL_TRY(bind_groups(b, &q, ast));
    if (ast->having != NULL) {
        q.s.clause = CLAUSE_HAVING;
        FL_TRY(fl_sql_bind_bool(b, &q.s, ast->having, "argument of HAVING", &q.having));
        FL_TRY(fl_sql_refuse_windows(b, &q.s, q.having, ast->having->start, "HAVING"));
    }
    if (ast->qualify != NULL)
        FL_TRY(bind_qualify(b, &q, ast));
    if (tail->order_count > 0)
        FL_TRY(bind_sorts(b, &q, ast, tail));
    if (ast->distinct_on_count > 0)
        FL_TRY(bind_distinct_on(b, &q, ast));
    else if (ast->is_distinct)
        FL_TRY(bind_distinct_keys(b, &q));
    if (ast->has_group || ast->having != NULL || q.s.n_aggs > 0 || q.s.n_groupings > 0)
        FL_TRY(group(b, &q));
    if (q.having != NULL)
        FL_TRY(fl_sql_filter(b, q.node, q.having, &q.node));
    if (q.s.n_windows > 0)
        FL_TRY(put_windows(b, &q));
    if (q.qualify != NULL)
        FL_TRY(fl_sql_filter(b, q.node, q.qualify, &q.node));
    FL_TRY(fl_sql_expand_lists(b, &q.s, &q.node));
    FL_TRY(project(b, &q, &cols, ret));
    if (ast->is_distinct && q.n_ons == 0)
        FL_TRY(fl_distinct_build(b->plan, q.node, cols, q.n_items, &q.node, b->err));
    FL_TRY(make_sort_keys(b, &q, cols, &keys));
    if (q.n_ons > 0) {
        FL_TRY(distinct_on(b, &q, cols, keys, ret));
        FL_TRY(make_sort_keys(b, &q, cols, &keys));
    }
    if (q.n_sorts > 0)
        FL_TRY(fl_sort_build(b->plan, q.node, keys, q.n_sorts, &q.node, b->err));
    FL_TRY(fl_sql_bind_limit(b, outer, tail, keys, q.n_sorts, &q.node));
    ret->root = q.node;
cleanup:
    return st;
}
