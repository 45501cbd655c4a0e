/* reduce_group_keys: keys that are determined by the others are not hashed and compared: any of their values in a group is the
 * only one. */
#include "op/aggregate/node.h"
#include "plan/props.h"
#include "plan/rule.h"

/* Whether key number `key` is a column that the other keys which are left determine. */
static fl_status is_determined(fl_rule_call *call, const fl_props *props, const fl_aggregate_attrs *attrs,
                               const bool *is_out, int32_t key, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set others;
    int32_t n_others = 0;
    *ret = false;
    if (attrs->keys[key]->kind != FL_EXPR_COLUMN)
        return FL_OK;
    fl_col_set_init(&others);
    for (int32_t i = 0; i < attrs->n_keys; i++) {
        if (i == key || is_out[i])
            continue;
        n_others++; /* one key stays: without any there would be a group of no rows */
        if (attrs->keys[i]->kind == FL_EXPR_COLUMN)
            FL_TRY(fl_col_set_add(call->scratch, &others, attrs->keys[i]->col, err));
    }
    if (n_others == 0)
        return FL_OK;
    FL_TRY(fl_props_has_key(call->plan, props, &others, ret, err));
    FL_TRY(fl_props_close(call->plan, props, &others, err));
    *ret |= fl_col_set_has(&others, attrs->keys[key]->col);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_aggregate_attrs attrs = *fl_aggregate_of(call->node);
    const fl_node *input = call->node->inputs[0], *out = NULL;
    const fl_props *props = NULL;
    const fl_expr **keys = NULL;
    fl_col_id *cols = NULL;
    fl_agg *aggs = NULL;
    bool *is_out = NULL;
    int32_t n_keys = 0, n_aggs = attrs.n_aggs;
    if (attrs.n_keys < 2 || input->can_fail)
        return FL_OK;
    FL_TRY(fl_node_props(call->plan, input, &props, err));
    if (props->n_keys == 0 && props->n_dependencies == 0 && props->n_equal == 0 &&
        fl_col_set_is_empty(&props->constant))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_keys, &is_out, err));
    for (int32_t i = attrs.n_keys - 1; i >= 0; i--)
        FL_TRY(is_determined(call, props, &attrs, is_out, i, &is_out[i], err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_keys, &keys, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_keys, &cols, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_aggs + attrs.n_keys, &aggs, err));
    if (attrs.n_aggs > 0)
        memcpy(aggs, attrs.aggs, (size_t)attrs.n_aggs * sizeof(*aggs));
    for (int32_t i = 0; i < attrs.n_keys; i++) {
        if (!is_out[i]) {
            keys[n_keys] = attrs.keys[i];
            cols[n_keys++] = attrs.cols[i];
            continue;
        }
        fl_agg *any = &aggs[n_aggs++];
        FL_TRY(fl_agg_make(call->plan, FL_STR("any_value"), &attrs.keys[i], 1, false, NULL, NULL, 0, -1, any, err));
        any->out = attrs.cols[i];
    }
    if (n_keys == attrs.n_keys)
        return FL_OK;
    attrs.n_keys = attrs.n_cols = n_keys;
    attrs.keys = keys;
    attrs.cols = cols;
    attrs.n_aggs = n_aggs;
    attrs.aggs = aggs;
    FL_TRY(fl_node_make(call->plan, &fl_op_aggregate, &attrs, call->node->traits, &input, 1, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_reduce_group_keys = {FL_DESC(fl_rule_desc),
                                                .name = "reduce_group_keys",
                                                .phase = "refine",
                                                .pattern = "aggregate",
                                                .scope = FL_SCOPE_BOTH,
                                                .promise = 20,
                                                .keeps = FL_KEEPS_COLS | FL_KEEPS_ROW_COUNT,
                                                .on_match = on_match,
                                                .doc = "keys that others determine are no keys"};
