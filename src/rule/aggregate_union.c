/* aggregate_union: rows are grouped in each branch of a UNION ALL, and the branches' groups are merged.
 *
 * A branch knows the statistics of its tables, so that its groups may be places of an array, and may be known altogether
 * (fold_aggregate); the union's columns have none. Only where a branch's groups are far fewer than its rows, or there is one: then merging
 * costs next to nothing, and grouping a row costs the same on either side of the union. Nothing that can raise is moved: rows of a
 * branch that comes later would raise before an earlier one's are merged. Types in which equal values differ are left alone. */
#include "op/aggregate/node.h"
#include "op/project/node.h"
#include "op/set_op/node.h"
#include "plan/estimate.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

#define ROWS_MIN 10000
#define REDUCTION_MIN 0.05 /* no branch has more groups than this share of its rows */
#define BRANCHES_MAX 64

typedef struct splitting {
    fl_rule_call *call;
    const fl_aggregate_attrs *aggregate;
    int32_t n;       /* columns of each branch: keys and aggregates */
    int32_t n_exprs; /* what is computed of the union's rows: keys, then arguments and filters of aggregates */
    const fl_op_desc *set_op;
    int32_t n_branches;
} splitting;

static bool may_be_split(const fl_agg *agg)
{
    bool ok = agg->agg->merge != NULL && agg->never_fails && !agg->is_distinct && agg->n_order == 0 &&
              (agg->filter == NULL || fl_expr_is_movable(agg->filter));
    for (int32_t i = 0; i < agg->n_args; i++)
        ok &= fl_expr_is_movable(agg->args[i]);
    return ok;
}

static bool may_group_by(const fl_expr *key)
{
    return fl_expr_is_movable(key) && !fl_type_is_float(key->type) && !fl_type_is_nested(key->type) &&
           key->type.id != FL_INTERVAL;
}

static bool check(const fl_rule_call *call)
{
    const fl_aggregate_attrs *a = fl_aggregate_of(call->node);
    const fl_node *below = fl_rule_call_bound(call, "union");
    bool ok =
        fl_rows_are(below, FL_ROWS_UNITED) && below->rows >= ROWS_MIN && !a->is_early && a->n_keys + a->n_aggs > 0;
    for (int32_t i = 0; i < a->n_keys && ok; i++)
        ok = may_group_by(a->keys[i]);
    for (int32_t i = 0; i < a->n_aggs && ok; i++)
        ok = may_be_split(&a->aggs[i]);
    return ok;
}

/* Whether grouping leaves few of a branch's rows. */
static bool is_worthwhile(const splitting *s, const fl_node *branch, const fl_expr *const *exprs)
{
    double groups = 1;
    for (int32_t i = 0; i < s->aggregate->n_keys; i++)
        groups *= fl_estimate_distinct(s->call->plan, exprs[i], branch->rows);
    return s->aggregate->n_keys == 0 || groups <= REDUCTION_MIN * branch->rows;
}

/* The branch grouped; *ret NULL: it must not be, or need not. */
static fl_status group_branch(splitting *s, const fl_node *branch, const fl_expr *const *exprs, fl_col_id *ret_cols,
                              const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *a = s->aggregate;
    fl_agg *aggs = NULL;
    int32_t at = a->n_keys;
    *ret = NULL;
    if (++s->n_branches > BRANCHES_MAX || !is_worthwhile(s, branch, exprs))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, a->n_aggs + 1, &aggs, err));
    for (int32_t i = 0; i < a->n_aggs; i++) {
        fl_col_info info = {.name = fl_plan_col(s->call->plan, a->aggs[i].out)->name, .type = a->aggs[i].type};
        aggs[i] = a->aggs[i];
        for (int32_t k = 0; k < aggs[i].n_args; k++)
            aggs[i].args[k] = exprs[at++];
        if (aggs[i].filter != NULL)
            aggs[i].filter = exprs[at++];
        FL_TRY(fl_plan_add_col(s->call->plan, &info, &aggs[i].out, err));
        ret_cols[a->n_keys + i] = aggs[i].out;
    }
    FL_TRY(fl_aggregate_build(s->call->plan, branch, exprs, NULL, a->n_keys, aggs, a->n_aggs, ret_cols, ret, err));
    if (fl_aggregate_of(*ret)->n_keys < a->n_keys) /* two keys of the union are one here */
        *ret = NULL;
cleanup:
    return st;
}

/* The union of grouped branches, in the order of the branches. */
static fl_status split(splitting *s, const fl_node *node, const fl_expr *const *exprs, fl_col_id *ret_cols,
                       const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = s->call->plan;
    const fl_node *sides[2] = {NULL, NULL};
    const fl_expr **passed = NULL;
    fl_col_id *cols[2] = {NULL, NULL};
    if (node->op != s->set_op || !fl_rows_are(node, FL_ROWS_UNITED))
        return group_branch(s, node, exprs, ret_cols, ret, err);
    *ret = NULL;
    for (int32_t side = 0; side < 2; side++) {
        FL_TRY(FL_NEW_ARRAY(s->call->scratch, s->n_exprs + 1, &passed, err));
        FL_TRY(FL_NEW_ARRAY(s->call->scratch, s->n, &cols[side], err));
        FL_TRY(fl_rewrites_of(node)->passes(plan, node, side, exprs, s->n_exprs, passed, err));
        for (int32_t i = 0; i < s->n_exprs; i++)
            if (passed[i] == NULL)
                return FL_OK;
        FL_TRY(split(s, node->inputs[side], passed, cols[side], &sides[side], err));
        if (sides[side] == NULL)
            return FL_OK;
    }
    st = fl_set_op_build(plan, FL_UNION, true, sides[0], cols[0], sides[1], cols[1], s->n, ret_cols, ret, err);
cleanup:
    return st;
}

/* Merges the branches' groups. The sum of counts is wider than a count. */
static fl_status merge(splitting *s, const fl_node *groups, const fl_col_id *cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = s->call->plan;
    const fl_node *node = s->call->node, *out = NULL;
    fl_aggregate_attrs attrs = *s->aggregate;
    const fl_expr **keys = NULL, **exprs = NULL, *value = NULL;
    fl_agg *aggs = NULL;
    fl_col_id *made = NULL, *passed = NULL;
    int32_t n = 0, n_passed = 0;
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, attrs.n_keys + 1, &keys, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, attrs.n_aggs + 1, &aggs, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, attrs.n_aggs + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, attrs.n_aggs + 1, &made, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, node->n_cols + 1, &passed, err));
    for (int32_t i = 0; i < attrs.n_keys; i++)
        FL_TRY(fl_expr_column(plan, cols[i], -1, &keys[i], err));
    for (int32_t i = 0; i < attrs.n_aggs; i++) {
        const fl_agg *agg = &attrs.aggs[i];
        FL_TRY(fl_expr_column(plan, cols[attrs.n_keys + i], -1, &value, err));
        FL_TRY(fl_agg_make(plan, fl_str_of(agg->agg->merge), &value, 1, false, NULL, NULL, 0, -1, &aggs[i], err));
        if (fl_type_is_equal(aggs[i].type, agg->type)) {
            aggs[i].out = agg->out;
        } else if (fl_col_set_has(&node->made, agg->out)) {
            FL_TRY(fl_expr_column(plan, aggs[i].out, -1, &value, err));
            made[n] = agg->out;
            FL_TRY(fl_expr_cast(plan, value, agg->type, false, -1, &exprs[n++], err));
        }
    }
    attrs.keys = keys;
    attrs.aggs = aggs;
    attrs.is_early = true; /* it is split already */
    FL_TRY(fl_node_make(plan, node->op, &attrs, NULL, &groups, 1, NULL, 0, &out, err));
    for (int32_t i = 0; i < node->n_cols; i++)
        if (fl_col_set_has(&out->made, node->cols[i]))
            passed[n_passed++] = node->cols[i];
    fl_project_attrs project = {
        .n_cols = n, .cols = made, .n_exprs = n, .exprs = exprs, .n_passed = n_passed, .passed = passed};
    if (n > 0)
        FL_TRY(fl_node_make(plan, &fl_op_project, &project, NULL, &out, 1, NULL, 0, &out, err));
    FL_TRY(fl_node_with_cols(plan, out, node->cols, node->n_cols, &out, err));
    st = fl_rule_call_transform_to(s->call, out, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *below = fl_rule_call_bound(call, "union"), *groups = NULL;
    const fl_aggregate_attrs *a = fl_aggregate_of(call->node);
    splitting s = {.call = call, .aggregate = a, .n = a->n_keys + a->n_aggs, .set_op = below->op};
    const fl_expr **exprs = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, a->n_keys + 3 * a->n_aggs + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, s.n, &cols, err));
    for (int32_t i = 0; i < a->n_keys; i++)
        exprs[s.n_exprs++] = a->keys[i];
    for (int32_t i = 0; i < a->n_aggs; i++) {
        for (int32_t k = 0; k < a->aggs[i].n_args; k++)
            exprs[s.n_exprs++] = a->aggs[i].args[k];
        if (a->aggs[i].filter != NULL)
            exprs[s.n_exprs++] = a->aggs[i].filter;
    }
    FL_TRY(split(&s, below, exprs, cols, &groups, err));
    if (groups != NULL)
        st = merge(&s, groups, cols, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_aggregate_union = {
    FL_DESC(fl_rule_desc),  .name = "aggregate_union",
    .phase = "normalize",   .pattern = "aggregate(union:set_op)",
    .scope = FL_SCOPE_BOTH, .promise = 20,
    .keeps = FL_KEEPS_COLS, .check = check,
    .on_match = on_match,   .doc = "rows are grouped in each branch of a union"};
