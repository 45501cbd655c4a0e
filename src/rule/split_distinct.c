/* split_distinct: aggregates over the DISTINCT values of one expression are plain ones over rows grouped by it first.
 *
 *     count(DISTINCT v), sum(x) by k   =   count(v), sum(s) by k   of   sum(x) AS s by k, v
 *
 * Both groupings are done by all workers, and the values lie in one table with what else is computed, where the aggregate itself would keep
 * them apart and feed them to its groups at the end. Other aggregates must be such that results over parts of the rows can be
 * merged. Types in which equal values differ are left alone: which of them is kept should not depend on the plan. */
#include "op/aggregate/node.h"
#include "op/project/node.h"
#include "plan/rule.h"

static bool may_group_by(const fl_expr *key)
{
    return !fl_type_is_float(key->type) && !fl_type_is_nested(key->type) && key->type.id != FL_INTERVAL;
}

static bool is_distinct(const fl_agg *agg)
{
    return agg->is_distinct && !agg->agg->ignores_distinct;
}

static bool check(const fl_rule_call *call)
{
    const fl_aggregate_attrs *a = fl_aggregate_of(call->node);
    const fl_expr *value = NULL;
    bool ok = !a->is_early;
    for (int32_t i = 0; i < a->n_keys && ok; i++)
        ok = may_group_by(a->keys[i]);
    for (int32_t i = 0; i < a->n_aggs && ok; i++) {
        const fl_agg *agg = &a->aggs[i];
        ok = agg->n_order == 0 && agg->agg->ignores_order;
        if (!is_distinct(agg)) {
            ok &= agg->agg->merge != NULL && agg->never_fails;
            continue;
        }
        ok &= agg->n_args == 1 && agg->filter == NULL && may_group_by(agg->args[0]) &&
              (value == NULL || value == agg->args[0]);
        value = agg->args[0];
    }
    return ok && value != NULL;
}

typedef struct splitting {
    fl_rule_call *call;
    const fl_aggregate_attrs *aggregate;
    fl_col_id value;  /* of the distinct values */
    fl_col_id *parts; /* by aggregate that is not over them: its result over a part of the rows */
} splitting;

/* The rows grouped by the keys and the value. */
static fl_status group_values(splitting *s, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = s->call->plan;
    const fl_aggregate_attrs *a = s->aggregate;
    const fl_expr **keys = NULL, *value = NULL;
    fl_col_id *cols = NULL;
    fl_agg *aggs = NULL;
    int32_t n = 0, known = -1;
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, a->n_keys + 1, &keys, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, a->n_keys + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, a->n_aggs, &aggs, err));
    for (int32_t i = 0; i < a->n_aggs; i++) {
        const fl_agg *agg = &a->aggs[i];
        fl_col_info info = {.name = fl_plan_col(plan, agg->out)->name, .type = agg->type};
        if (is_distinct(agg)) {
            value = agg->args[0];
            continue;
        }
        aggs[n] = *agg;
        FL_TRY(fl_plan_add_col(plan, &info, &aggs[n].out, err));
        s->parts[i] = aggs[n++].out;
    }
    for (int32_t k = 0; k < a->n_keys; k++) {
        keys[k] = a->keys[k];
        cols[k] = a->cols[k];
        known = keys[k] == value ? k : known;
    }
    fl_aggregate_attrs attrs = {.n_keys = a->n_keys + (known < 0),
                                .keys = keys,
                                .n_cols = a->n_keys + (known < 0),
                                .cols = cols,
                                .n_aggs = n,
                                .aggs = aggs,
                                .is_early = n > 0};
    if (known >= 0) {
        s->value = cols[known];
    } else if (value->kind == FL_EXPR_COLUMN) {
        s->value = value->col;
    } else {
        fl_col_info info = {.name = FL_STR("value"), .type = value->type};
        FL_TRY(fl_plan_add_col(plan, &info, &s->value, err));
    }
    if (known < 0) {
        keys[a->n_keys] = value;
        cols[a->n_keys] = s->value;
    }
    st = fl_node_make(plan, s->call->node->op, &attrs, NULL, s->call->node->inputs, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

/* The result over a part of the rows merged with the others: *ret_exprs, where it has another type or is null where there is no row. */
static fl_status merge_parts(splitting *s, int32_t i, fl_agg *ret, const fl_expr **ret_expr, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = s->call->plan;
    const fl_agg *agg = &s->aggregate->aggs[i];
    bool is_zero = agg->agg->empty_is_zero && s->aggregate->n_keys == 0;
    const fl_expr *value = NULL, *args[3];
    fl_value zero = {.type = FL_TYPE(FL_I64)};
    FL_TRY(fl_expr_column(plan, s->parts[i], -1, &value, err));
    FL_TRY(fl_agg_make(plan, fl_str_of(agg->agg->merge), &value, 1, false, NULL, NULL, 0, -1, ret, err));
    if (!is_zero && fl_type_is_equal(ret->type, agg->type)) {
        ret->out = agg->out;
        return FL_OK;
    }
    FL_TRY(fl_expr_column(plan, ret->out, -1, &value, err));
    if (is_zero) {
        FL_TRY(fl_expr_is_null(plan, value, -1, &args[0], err));
        FL_TRY(fl_expr_const(plan, &zero, -1, &args[1], err));
        FL_TRY(fl_expr_cast(plan, args[1], value->type, false, -1, &args[1], err));
        args[2] = value;
        FL_TRY(fl_expr_case(plan, args, 3, -1, &value, err));
    }
    st = fl_expr_cast(plan, value, agg->type, false, -1, ret_expr, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = call->plan;
    const fl_node *node = call->node, *out = NULL;
    fl_aggregate_attrs attrs = *fl_aggregate_of(node);
    splitting s = {.call = call, .aggregate = fl_aggregate_of(node)};
    const fl_expr **keys = NULL, **exprs = NULL;
    fl_agg *aggs = NULL;
    fl_col_id *made = NULL, *passed = NULL;
    int32_t n = 0, n_passed = 0;
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs, &s.parts, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_keys + 1, &keys, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs, &aggs, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs, &made, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, node->n_cols + 1, &passed, err));
    FL_TRY(group_values(&s, &out, err));
    for (int32_t k = 0; k < attrs.n_keys; k++)
        FL_TRY(fl_expr_column(plan, attrs.cols[k], -1, &keys[k], err));
    for (int32_t i = 0; i < attrs.n_aggs; i++) {
        const fl_expr *expr = NULL;
        if (is_distinct(&attrs.aggs[i])) {
            aggs[i] = attrs.aggs[i];
            aggs[i].is_distinct = false;
            FL_TRY(fl_expr_column(plan, s.value, -1, &aggs[i].args[0], err));
            continue;
        }
        FL_TRY(merge_parts(&s, i, &aggs[i], &expr, err));
        if (expr != NULL && fl_col_set_has(&node->made, attrs.aggs[i].out)) {
            made[n] = attrs.aggs[i].out;
            exprs[n++] = expr;
        }
    }
    attrs.is_early |= fl_aggregate_of(out)->n_aggs > 0;
    attrs.keys = keys;
    attrs.aggs = aggs;
    FL_TRY(fl_node_make(plan, node->op, &attrs, NULL, &out, 1, NULL, 0, &out, err));
    for (int32_t i = 0; i < node->n_cols; i++)
        if (fl_col_set_has(&out->made, node->cols[i]))
            passed[n_passed++] = node->cols[i];
    fl_project_attrs project = {
        .n_cols = n, .cols = made, .n_exprs = n, .exprs = exprs, .n_passed = n_passed, .passed = passed};
    if (n > 0)
        FL_TRY(fl_node_make(plan, &fl_op_project, &project, NULL, &out, 1, NULL, 0, &out, err));
    FL_TRY(fl_node_with_cols(plan, out, node->cols, node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_split_distinct = {FL_DESC(fl_rule_desc),
                                             .name = "split_distinct",
                                             .phase = "normalize",
                                             .pattern = "aggregate",
                                             .scope = FL_SCOPE_BOTH,
                                             .promise = 10,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_ROW_COUNT,
                                             .check = check,
                                             .on_match = on_match,
                                             .doc = "DISTINCT values are grouped first"};
