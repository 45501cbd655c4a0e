/* propagate_empty: what has no rows, whatever the data, is a constant without rows; LIMIT 0 reads nothing. An input without rows goes
 * where others are left.
 *
 * Whether there are none is a property of the operator (plan/props.h): aggregates without keys and outer joins that keep the
 * other side have rows all the same. What is left of an operator without an input its class says (plan/rewrites.h). An input that
 * may raise is kept: the query as written runs it. */
#include "op/values/node.h"
#include "plan/props.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

/* Whether an input may go, as far as errors count. Properties are only asked for where an estimate is that low, as it is of constants
 * without rows. */
static bool may_go(const fl_node *input)
{
    return input->rows < 1 && !input->can_fail;
}

static bool check(const fl_rule_call *call)
{
    const fl_node *node = call->node;
    bool may_be_empty = node->rows < 1;
    for (int32_t i = 0; i < node->n_inputs; i++)
        may_be_empty |= may_go(node->inputs[i]);
    return may_be_empty && node->n_inputs > 0;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *out = node;
    const fl_props *props = NULL;
    fl_values_attrs none = {.n_cols = node->n_cols, .cols = node->cols};
    bool can_fail = false;
    for (int32_t i = 0; i < node->n_inputs; i++)
        can_fail |= node->inputs[i]->can_fail;
    FL_TRY(fl_node_props(call->plan, node, &props, err));
    if (props->rows_max == 0 && !can_fail) {
        FL_TRY(fl_node_make(call->plan, &fl_op_values, &none, NULL, NULL, 0, NULL, 0, &out, err));
        return fl_rule_call_transform_to(call, out, err);
    }
    for (int32_t i = 0; i < node->n_inputs && out == node; i++) {
        if (!may_go(node->inputs[i]))
            continue;
        FL_TRY(fl_node_props(call->plan, node->inputs[i], &props, err));
        if (props->rows_max == 0)
            FL_TRY(fl_node_without(call->plan, node, i, &out, err));
    }
    if (out != node)
        st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_propagate_empty = {
    FL_DESC(fl_rule_desc),
    .name = "propagate_empty",
    .phase = "normalize",
    .pattern = "?",
    .scope = FL_SCOPE_BOTH,
    .promise = 70,
    .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ORDER,
    .check = check,
    .on_match = on_match,
    .doc = "operators over inputs without rows have none, or go; LIMIT 0 reads nothing"};
