/* eliminate_distinct: rows that are told apart by a key are not made distinct. */
#include "op/aggregate/node.h"
#include "op/project/node.h"
#include "plan/props.h"
#include "plan/rule.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *attrs = fl_aggregate_of(call->node);
    const fl_node *input = call->node->inputs[0], *out = NULL;
    const fl_props *props = NULL;
    fl_col_set keys;
    bool is_key = false;
    if (attrs->n_aggs > 0 || attrs->n_keys == 0)
        return FL_OK;
    fl_col_set_init(&keys);
    for (int32_t i = 0; i < attrs->n_keys; i++) {
        bool is_base =
            attrs->keys[i]->kind == FL_EXPR_COLUMN && fl_plan_col(call->plan, attrs->keys[i]->col)->table != NULL;
        if (!is_base && (input->can_fail || (attrs->keys[i]->flags & FL_EXPR_CAN_FAIL)))
            return FL_OK; /* without groups, who does not read it would not compute it */
    }
    for (int32_t i = 0; i < attrs->n_keys; i++)
        if (attrs->keys[i]->kind == FL_EXPR_COLUMN)
            FL_TRY(fl_col_set_add(call->scratch, &keys, attrs->keys[i]->col, err));
    FL_TRY(fl_node_props(call->plan, input, &props, err));
    FL_TRY(fl_props_has_key(call->plan, props, &keys, &is_key, err));
    if (!is_key)
        return FL_OK;
    /* Keys that are columns keep their ids and pass; what is computed keeps the id that the groups gave it. */
    fl_col_id *cols = NULL, *passed = NULL;
    const fl_expr **exprs = NULL;
    int32_t n = 0, n_passed = 0;
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs->n_keys, &cols, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs->n_keys, &passed, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs->n_keys, &exprs, err));
    for (int32_t i = 0; i < attrs->n_keys; i++) {
        if (attrs->keys[i]->kind == FL_EXPR_COLUMN && attrs->keys[i]->col.n == attrs->cols[i].n) {
            passed[n_passed++] = attrs->cols[i];
        } else {
            cols[n] = attrs->cols[i];
            exprs[n++] = attrs->keys[i];
        }
    }
    if (n == 0) {
        FL_TRY(fl_node_with_cols(call->plan, input, call->node->cols, call->node->n_cols, &out, err));
    } else {
        fl_project_attrs project = {
            .n_cols = n, .cols = cols, .n_exprs = n, .exprs = exprs, .n_passed = n_passed, .passed = passed};
        FL_TRY(fl_node_make(call->plan, &fl_op_project, &project, NULL, &input, 1, call->node->cols, call->node->n_cols,
                            &out, err));
    }
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_eliminate_distinct = {FL_DESC(fl_rule_desc),
                                                 .name = "eliminate_distinct",
                                                 .phase = "normalize",
                                                 .pattern = "aggregate",
                                                 .scope = FL_SCOPE_BOTH,
                                                 .promise = 50,
                                                 .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                                 .on_match = on_match,
                                                 .doc = "rows that a key tells apart are distinct"};
