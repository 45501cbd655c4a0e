/* aggregate: what rules may do with it. */
#include "op/aggregate/node.h"
#include "op/join/node.h"
#include "op/project/node.h"

#include "plan/rewrites.h"

/* A group has one value in each column that is put out of an input's. */
static uint32_t flow(const fl_node *node)
{
    (void)node;
    return FL_ROWS_CHOSEN;
}

/* Groups come in no order. Functions that have an order of their own leave rows that it holds equal as they come. */
static fl_order_use order(const fl_node *node, int32_t input)
{
    const fl_aggregate_attrs *aggregate = fl_aggregate_of(node);
    for (int32_t i = 0; i < aggregate->n_aggs; i++)
        if (!aggregate->aggs[i].agg->ignores_order || aggregate->aggs[i].agg->obeys_order ||
            aggregate->aggs[i].n_order > 0)
            return FL_ORDER_USED;
    return aggregate->n_order > 0 || fl_order_is_passed(node, input) == FL_ORDER_USED ? FL_ORDER_USED
                                                                                      : FL_ORDER_IGNORED;
}

/* What reads keys alone, and one at least, is the same for all rows of a group; without keys there is a row that no conjunct
 * below takes away. */
static fl_status passes(fl_plan *plan, const fl_node *node, int32_t input, const fl_expr *const *conjuncts, int32_t n,
                        const fl_expr **ret, fl_err *err)
{
    (void)input;
    fl_status st = FL_OK;
    const fl_aggregate_attrs *aggregate = fl_aggregate_of(node);
    fl_substitution s = {0};
    fl_col_set keys;
    fl_col_set_init(&keys);
    FL_TRY(fl_col_set_add_cols(fl_plan_arena(plan), &keys, aggregate->cols, aggregate->n_keys, err));
    FL_TRY(fl_substitution_init(&s, plan, aggregate->cols, aggregate->keys, aggregate->n_keys, err));
    for (int32_t i = 0; i < n; i++) {
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), conjuncts[i], &used, err));
        if (fl_col_set_has_all(&keys, &used) && !fl_col_set_is_empty(&used))
            FL_TRY(fl_substitute(&s, conjuncts[i], &ret[i], err));
    }
cleanup:
    fl_substitution_drop(&s);
    return st;
}

static fl_status thin(fl_plan *plan, const fl_node *node, const fl_col_set *wanted, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_aggregate_attrs attrs = *fl_aggregate_of(node);
    fl_agg *aggs = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), attrs.n_aggs + 1, &aggs, err));
    for (int32_t i = 0; i < attrs.n_aggs; i++)
        if (fl_col_set_has(wanted, attrs.aggs[i].out))
            aggs[n++] = attrs.aggs[i];
    attrs.aggs = aggs;
    attrs.n_aggs = n;
    st = fl_node_make(plan, &fl_op_aggregate, &attrs, node->traits, node->inputs, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

/* ---- outer columns: conjuncts that come from below ------------------------------------------------------------------ */

/* Whether conjuncts may be pulled from below: nothing that it computes reads outer columns, and a group that is missing need
 * not be told from one that is there. */
static fl_status lets_through(fl_unnesting *u, const fl_aggregate_attrs *aggregate, bool missing_is_null, bool *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    *ret = aggregate->n_keys > 0 || missing_is_null;
    for (int32_t i = 0; i < aggregate->n_aggs && aggregate->n_keys == 0; i++)
        *ret &= !aggregate->aggs[i].agg->empty_is_zero;
    for (int32_t i = 0; i < aggregate->n_keys; i++) {
        bool is_outer = false;
        FL_TRY(fl_unnesting_reads_outer(u, aggregate->keys[i], &is_outer, err));
        *ret &= !is_outer;
    }
    for (int32_t i = 0; i < aggregate->n_aggs; i++)
        for (int32_t a = 0; a <= aggregate->aggs[i].n_args; a++) {
            const fl_agg *agg = &aggregate->aggs[i];
            const fl_expr *e = a < agg->n_args ? agg->args[a] : agg->filter;
            bool is_outer = false;
            if (e != NULL)
                FL_TRY(fl_unnesting_reads_outer(u, e, &is_outer, err));
            *ret &= !is_outer && agg->n_order == 0;
        }
cleanup:
    return st;
}

/* An equality with outer columns on one side only, inner ones on the other. */
static fl_status split_equality(fl_unnesting *u, const fl_expr *e, const fl_node *input, const fl_expr **ret_outer,
                                const fl_expr **ret_inner, fl_err *err)
{
    fl_status st = FL_OK;
    *ret_inner = NULL;
    if (e->kind != FL_EXPR_CALL || e->n_args != 2 || strcmp(e->func->name, "=") != 0)
        return FL_OK;
    for (int32_t side = 0; side < 2; side++) {
        fl_col_set a, b;
        fl_col_set_init(&a);
        fl_col_set_init(&b);
        FL_TRY(fl_expr_add_cols(fl_plan_arena(u->plan), e->args[side], &a, err));
        FL_TRY(fl_expr_add_cols(fl_plan_arena(u->plan), e->args[1 - side], &b, err));
        if (!fl_col_set_meets(&a, &input->made) && !fl_col_set_meets(&b, u->outer) &&
            fl_col_set_has_all(&input->made, &b)) {
            *ret_outer = e->args[side];
            *ret_inner = e->args[1 - side];
            return FL_OK;
        }
    }
cleanup:
    return st;
}

/* The inner side of each equality becomes a key. */
static fl_status pull(fl_unnesting *u, const fl_node *node, bool missing_is_null, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_aggregate_attrs attrs = *fl_aggregate_of(node);
    const fl_node *input = NULL;
    const fl_expr **keys = NULL;
    fl_col_id *cols = NULL;
    int32_t from = u->n_pulled, n = attrs.n_keys;
    bool is_through = false;
    FL_TRY(lets_through(u, &attrs, missing_is_null, &is_through, err));
    if (!is_through)
        return FL_OK;
    FL_TRY(fl_unnesting_pull(u, node->inputs[0], false, &input, err));
    if (input == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), n + u->n_pulled + 1, &keys, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), n + u->n_pulled + 1, &cols, err));
    for (int32_t i = 0; i < n; i++) {
        keys[i] = attrs.keys[i];
        cols[i] = attrs.cols[i];
    }
    for (int32_t p = from; p < u->n_pulled; p++) {
        const fl_expr *outer = NULL, *inner = NULL, *col = NULL;
        FL_TRY(split_equality(u, u->pulled[p], input, &outer, &inner, err));
        if (inner == NULL)
            return FL_OK;
        int32_t k = 0;
        while (k < n && keys[k] != inner)
            k++;
        if (k == n) {
            keys[n] = inner;
            if (inner->kind == FL_EXPR_COLUMN) {
                cols[n] = inner->col;
            } else {
                fl_col_info info = {.name = FL_STR("key"), .type = inner->type};
                FL_TRY(fl_plan_add_col(u->plan, &info, &cols[n], err));
            }
            n++;
        }
        FL_TRY(fl_expr_column(u->plan, cols[k], -1, &col, err));
        FL_TRY(fl_expr_call_args(u->plan, "=", u->pulled[p]->pos, &u->pulled[p], err, 2, outer, col));
    }
    attrs.keys = keys;
    attrs.cols = cols;
    attrs.n_keys = attrs.n_cols = n;
    st = fl_node_make(u->plan, &fl_op_aggregate, &attrs, node->traits, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

/* ---- outer columns: the domain goes down ---------------------------------------------------------------------------- */

/* The same grouped by the domain's columns, too. */
static fl_status group_by_domain(fl_unnesting *u, const fl_node *node, const fl_col_id *cols, fl_aggregate_attrs *ret,
                                 fl_agg **ret_aggs, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *old = fl_aggregate_of(node);
    const fl_expr **keys = NULL;
    fl_col_id *keys_out = NULL;
    fl_agg *aggs = NULL;
    fl_arena *arena = fl_plan_arena(u->plan);
    int32_t n = old->n_keys + u->n_cols;
    FL_TRY(FL_NEW_ARRAY(arena, n, &keys, err));
    FL_TRY(FL_NEW_ARRAY(arena, n, &keys_out, err));
    FL_TRY(FL_NEW_ARRAY(arena, old->n_aggs + 1, &aggs, err));
    for (int32_t i = 0; i < old->n_keys; i++) {
        FL_TRY(fl_unnesting_rename(u, cols, old->keys[i], &keys[i], err));
        keys_out[i] = old->cols[i];
    }
    for (int32_t i = 0; i < u->n_cols; i++) {
        FL_TRY(fl_expr_column(u->plan, cols[i], -1, &keys[old->n_keys + i], err));
        keys_out[old->n_keys + i] = cols[i];
    }
    for (int32_t i = 0; i < old->n_aggs; i++) {
        aggs[i] = old->aggs[i];
        for (int32_t a = 0; a < aggs[i].n_args; a++)
            FL_TRY(fl_unnesting_rename(u, cols, aggs[i].args[a], &aggs[i].args[a], err));
        if (aggs[i].filter != NULL)
            FL_TRY(fl_unnesting_rename(u, cols, aggs[i].filter, &aggs[i].filter, err));
    }
    *ret = (fl_aggregate_attrs){
        .n_keys = n, .keys = keys, .n_cols = n, .cols = keys_out, .n_aggs = old->n_aggs, .aggs = aggs};
    *ret_aggs = aggs;
cleanup:
    return st;
}

/* Counts of nothing are 0, and come out under their own ids: those that are counted get others. */
static fl_status take_zeros(fl_unnesting *u, fl_agg *aggs, int32_t n_aggs, fl_project_attrs *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = fl_plan_arena(u->plan);
    fl_col_id *cols = NULL;
    const fl_expr **exprs = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(arena, n_aggs + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_aggs + 1, &cols, err));
    for (int32_t i = 0; i < n_aggs; i++) {
        if (!aggs[i].agg->empty_is_zero)
            continue;
        fl_col_id raw;
        fl_col_info info = *fl_plan_col(u->plan, aggs[i].out);
        const fl_expr *value = NULL, *is_null = NULL, *zero = NULL;
        fl_value none = {.type = info.type};
        FL_TRY(fl_plan_add_col(u->plan, &info, &raw, err));
        cols[n] = aggs[i].out;
        aggs[i].out = raw;
        FL_TRY(fl_expr_column(u->plan, raw, -1, &value, err));
        FL_TRY(fl_expr_is_null(u->plan, value, -1, &is_null, err));
        FL_TRY(fl_expr_const(u->plan, &none, -1, &zero, err));
        const fl_expr *branches[3] = {is_null, zero, value};
        FL_TRY(fl_expr_case(u->plan, branches, 3, -1, &exprs[n++], err));
    }
    *ret = (fl_project_attrs){.n_cols = n, .cols = cols, .n_exprs = n, .exprs = exprs};
cleanup:
    return st;
}

static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *input = NULL, *grouped = NULL, *copy = NULL, *joined = NULL;
    fl_aggregate_attrs attrs;
    fl_project_attrs zeros;
    fl_agg *aggs = NULL;
    fl_col_id *cols = NULL;
    const fl_expr **tests = NULL;
    fl_arena *arena = fl_plan_arena(u->plan);
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols, &cols, err));
    FL_TRY(fl_unnesting_push(u, node->inputs[0], &input, cols, err));
    FL_TRY(group_by_domain(u, node, cols, &attrs, &aggs, err));
    if (fl_aggregate_of(node)->n_keys > 0) {
        memcpy(ret_cols, cols, (size_t)u->n_cols * sizeof(*cols));
        return fl_node_make(u->plan, &fl_op_aggregate, &attrs, NULL, &input, 1, NULL, 0, ret, err);
    }
    /* Without keys there is a row even for no input: the groups are joined to the domain. */
    FL_TRY(fl_project_copy(u->plan, u->domain, u->domain_cols, u->n_cols, ret_cols, &copy, err));
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols, &tests, err));
    FL_TRY(fl_unnesting_equate(u, ret_cols, cols, tests, err));
    FL_TRY(take_zeros(u, aggs, attrs.n_aggs, &zeros, err));
    FL_TRY(fl_node_make(u->plan, &fl_op_aggregate, &attrs, NULL, &input, 1, NULL, 0, &grouped, err));
    FL_TRY(fl_join_build_all(u->plan, FL_JOIN_LEFT, copy, grouped, tests, u->n_cols, (fl_col_id){0}, &joined, err));
    *ret = joined;
    if (zeros.n_cols > 0) {
        zeros.n_passed = joined->n_cols;
        zeros.passed = joined->cols;
        st = fl_node_make(u->plan, &fl_op_project, &zeros, NULL, &joined, 1, NULL, 0, ret, err);
    }
cleanup:
    return st;
}

const fl_op_rewrites fl_aggregate_rewrites = {
    FL_DESC(fl_op_rewrites), .flow = flow, .order = order, .passes = passes, .thin = thin, .pull = pull, .push = push};
