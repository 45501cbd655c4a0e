/* Grouping: the aggregate operator below a SELECT's expressions, and the rule that what is not aggregated is grouped. */
#include "front/sql/bind.h"

#include "base/index_map.h"

#include "op/apply/node.h"
#include "plan/plan_hash.h"

typedef struct key_map {
    fl_index_map places; /* of keys in cols */
    const fl_col_id *cols;
    const fl_expr *const *keys;
    int32_t n_keys;
    const fl_node *input; /* whose rows are grouped */
    bool has_sets;        /* keys have columns of their own, which are null in sets without them */
} key_map;

static fl_status read_keys(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err);

/* Whether two subqueries over the same rows are the same: each text makes columns of its own. */
static fl_status is_same_subquery(const key_map *map, fl_plan *plan, const fl_subquery *a, const fl_subquery *b,
                                  bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *roots[2];
    *ret = a->kind == b->kind && a->n_left == b->n_left && (a->n_left == 0 || strcmp(a->compare, b->compare) == 0) &&
           fl_col_set_has_all(&map->input->made, &a->query->outer) &&
           fl_col_set_has_all(&map->input->made, &b->query->outer);
    for (int32_t i = 0; i < a->n_left && *ret; i++)
        *ret = a->left[i] == b->left[i];
    if (!*ret)
        return FL_OK;
    /* beside the rows whose columns they read, so that these are told apart */
    FL_TRY(fl_apply_build(plan, FL_JOIN_LEFT, map->input, a->query, NULL, 0, (fl_col_id){0}, &roots[0], err));
    FL_TRY(fl_apply_build(plan, FL_JOIN_LEFT, map->input, b->query, NULL, 0, (fl_col_id){0}, &roots[1], err));
    int32_t n = a->kind == FL_SUBQUERY_SCALAR ? 1 : a->n_left;
    fl_query x = {.plan = plan, .root = roots[0], .n_outputs = n, .outputs = a->query->cols};
    fl_query y = {.plan = plan, .root = roots[1], .n_outputs = n, .outputs = b->query->cols};
    st = fl_plan_is_equal(&x, &y, true, ret, err);
cleanup:
    return st;
}

/* Expressions are the same when they are one pointer: a plan makes each once. Of a + 1 and a, both keys, the larger one is meant: in a set
 * that has only one of them the other is null. */
static fl_status replace_key(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const key_map *map = ctx;
    *ret = expr;
    int32_t at = fl_expr_is_const(expr) ? -1 : fl_index_map_find(&map->places, fl_index_map_key(expr));
    for (int32_t i = 0; i < map->n_keys && at < 0 && expr->kind == FL_EXPR_SUBQUERY; i++) {
        bool is_same = map->keys[i]->kind == FL_EXPR_SUBQUERY;
        if (is_same)
            FL_TRY(is_same_subquery(map, plan, map->keys[i]->subquery, expr->subquery, &is_same, err));
        at = is_same ? i : -1;
    }
    if (at >= 0)
        st = fl_expr_column(plan, map->cols[at], expr->pos, ret, err);
    else if (expr->kind == FL_EXPR_SUBQUERY && map->has_sets)
        st = read_keys(ctx, plan, expr, ret, err);
cleanup:
    return st;
}

/* A node of a subquery's plan: keys that it reads as outer columns are those of the set. */
static fl_status read_keys_in_node(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    *ret = node;
    return fl_col_set_is_empty(&node->outer) ? FL_OK : fl_node_replace_exprs(plan, node, replace_key, ctx, ret, err);
}

static fl_status read_keys(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_subquery made = *expr->subquery;
    const fl_expr **left = NULL;
    fl_expr_walk walk;
    fl_expr_walk_init(&walk, plan);
    walk.is_top_down = true;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), made.n_left + 1, &left, err));
    for (int32_t i = 0; i < made.n_left; i++)
        FL_TRY(fl_expr_walk_rewrite(&walk, made.left[i], replace_key, ctx, &left[i], err));
    made.left = made.n_left > 0 ? left : NULL;
    FL_TRY(fl_node_rewrite(plan, made.query, read_keys_in_node, ctx, &made.query, err));
    st = fl_expr_subquery(plan, &made, expr->pos, ret, err);
cleanup:
    fl_expr_walk_drop(&walk);
    return st;
}

static fl_status fail_ungrouped(binder *b, const scope *s, const scope_col *col, int32_t pos)
{
    for (int32_t i = 0; i < s->n_refs; i++) {
        if (fl_col_is_equal(s->refs[i].col, col->col)) {
            pos = s->refs[i].pos;
            break;
        }
    }
    fl_status st = fl_sql_bind_fail(b, pos, FL_ERR_GROUPING, "column \"%.*s\" is neither grouped nor aggregated",
                                    FL_STR_ARG(col->name));
    fl_err_hint(b->err, "add it to GROUP BY, or take any of its values: any_value(%.*s)", FL_STR_ARG(col->name));
    return st;
}

static fl_status check_grouped(binder *b, const scope *s, const fl_expr *expr, const fl_node *node, int32_t pos)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_set_init(&used);
    FL_TRY(fl_expr_add_cols(fl_plan_arena(b->plan), expr, &used, b->err));
    fl_col_set_remove_all(&used, &node->made);
    if (fl_col_set_is_empty(&used))
        return FL_OK;
    for (int32_t i = 0; i < s->n_cols; i++)
        if (fl_col_set_has(&used, s->cols[i].col) && !fl_col_set_has(&node->made, s->cols[i].col))
            return fail_ungrouped(b, s, &s->cols[i], pos);
    for (int32_t i = 0; i < s->n_lists; i++) {
        if (!s->lists[i].is_done || !fl_col_set_has(&used, s->lists[i].col) ||
            fl_col_set_has(&node->made, s->lists[i].col))
            continue;
        return fl_sql_bind_fail(b, s->lists[i].pos, FL_ERR_GROUPING, "this unnest is neither grouped nor aggregated");
    }
cleanup:
    return st;
}

/* Texts with a collation are grouped by their keys; what reads them in the result is given one of each group. */
static fl_status group_by_collation(binder *b, scope *s, const grouping_sets *sets, const fl_expr *const **keys,
                                    int32_t n_keys, fl_col_id *ret_cols)
{
    fl_status st = FL_OK;
    const fl_expr **made = NULL;
    for (int32_t i = 0; i < n_keys; i++) {
        fl_agg any;
        const fl_expr *out;
        ret_cols[i] = (fl_col_id){0};
        if (!fl_sql_is_collated((*keys)[i]))
            continue;
        if (made == NULL) {
            FL_TRY(FL_NEW_ARRAY(b->arena, n_keys, &made, b->err));
            memcpy(made, *keys, (size_t)n_keys * sizeof(*made));
            *keys = made;
        }
        if (sets == NULL || sets->n <= 1) { /* else it would have to be null where the set has not the key */
            FL_TRY(fl_agg_make(b->plan, FL_STR("any_value"), &made[i], 1, false, NULL, NULL, 0, made[i]->pos, &any,
                               b->err));
            FL_TRY(fl_sql_add_aggregate(b, s, &any, made[i]->pos, &out));
            ret_cols[i] = out->col;
        }
        FL_TRY(fl_sql_collate_key(b, &made[i]));
    }
cleanup:
    return st;
}

fl_status fl_sql_bind_group(binder *b, scope *s, const grouping_sets *sets, const fl_expr *const *keys, int32_t n_keys,
                            const fl_expr **exprs, const int32_t *pos, int32_t n_exprs, const fl_node **node)
{
    fl_status st = FL_OK;
    fl_col_id *cols = NULL;
    fl_expr_walk walk;
    key_map map = {.keys = keys, .n_keys = n_keys, .input = *node, .has_sets = sets != NULL && sets->n > 1};
    fl_expr_walk_init(&walk, b->plan);
    walk.is_top_down = true;
    FL_TRY(FL_NEW_ARRAY(b->arena, n_keys * 2 + 1, &cols, b->err));
    FL_TRY(group_by_collation(b, s, sets, &map.keys, n_keys, cols + n_keys));
    FL_TRY(fl_sql_build_groups(b, s, sets, map.keys, n_keys, cols, node));
    map.cols = cols;
    fl_index_map_init(&map.places, b->arena);
    for (int32_t i = 0; i < n_keys; i++)
        if (cols[n_keys + i].n != 0)
            FL_TRY(fl_index_map_add(&map.places, fl_index_map_key(keys[i]), n_keys + i, b->err));
    for (int32_t i = 0; i < n_keys; i++)
        FL_TRY(fl_index_map_add(&map.places, fl_index_map_key(map.keys[i]), i, b->err));
    for (int32_t i = 0; i < n_exprs; i++) {
        if (exprs[i] == NULL)
            continue;
        int32_t key = sets != NULL && sets->n > 1 ? fl_index_map_find(&map.places, fl_index_map_key(exprs[i])) : -1;
        if (key >= 0) /* a constant, too, where it is the key itself and not a part of something */
            FL_TRY(fl_expr_column(b->plan, cols[key], exprs[i]->pos, &exprs[i], b->err));
        else
            FL_TRY(fl_expr_walk_rewrite(&walk, exprs[i], replace_key, &map, &exprs[i], b->err));
        st = check_grouped(b, s, exprs[i], *node, pos[i]);
        if (st == FL_ERR_GROUPING && map.keys != keys && map.has_sets)
            fl_err_hint(b->err,
                        "where there are several grouping sets, a text with a collation is grouped by its key alone: "
                        "select that, for example lower(x)");
        FL_TRY(st);
    }
cleanup:
    fl_expr_walk_drop(&walk);
    return st;
}
