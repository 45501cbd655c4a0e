/* propagate_empty: what reads an input without rows has none either; LIMIT 0 reads nothing.
 *
 * An input that may raise is kept: the query as written runs it. Aggregates without keys and outer joins that keep the
 * other side have rows all the same. */
#include "op/aggregate/node.h"
#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/limit/node.h"
#include "op/project/node.h"
#include "op/sort/node.h"
#include "op/values/node.h"
#include "plan/rule.h"

static bool is_empty(const fl_node *node)
{
    return node->op == &fl_op_values && fl_values_of(node)->n_rows == 0;
}

static bool is_empty_join(const fl_node *node)
{
    bool left = is_empty(node->inputs[0]), right = is_empty(node->inputs[1]);
    switch ((fl_join_kind)fl_join_of(node)->kind) {
    case FL_JOIN_INNER:
    case FL_JOIN_SEMI:
        return left || right;
    case FL_JOIN_LEFT:
    case FL_JOIN_ANTI:
    case FL_JOIN_MARK:
    case FL_JOIN_SINGLE:
    case FL_JOIN_FIRST:
        return left;
    case FL_JOIN_RIGHT:
        return right;
    case FL_JOIN_FULL:
        return left && right;
    }
    return false;
}

static bool has_no_rows(const fl_node *node)
{
    if (node->op == &fl_op_join)
        return is_empty_join(node);
    if (node->op == &fl_op_limit && fl_limit_of(node)->limit == 0)
        return true;
    bool passes_rows = node->op == &fl_op_filter || node->op == &fl_op_project || node->op == &fl_op_sort ||
                       node->op == &fl_op_limit || (node->op == &fl_op_aggregate && fl_aggregate_of(node)->n_keys > 0);
    return passes_rows && is_empty(node->inputs[0]);
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    const fl_node *node = call->node, *out = NULL;
    if (!has_no_rows(node))
        return FL_OK;
    for (int32_t i = 0; i < node->n_inputs; i++)
        if (node->inputs[i]->can_fail)
            return FL_OK;
    fl_values_attrs none = {.n_cols = node->n_cols, .cols = node->cols};
    fl_status st = fl_node_make(call->plan, &fl_op_values, &none, NULL, NULL, 0, NULL, 0, &out, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, out, err) : st;
}

const fl_rule_desc fl_rule_propagate_empty = {
    FL_DESC(fl_rule_desc),
    .name = "propagate_empty",
    .phase = "normalize",
    .pattern = "?",
    .scope = FL_SCOPE_BOTH,
    .promise = 70,
    .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ORDER,
    .on_match = on_match,
    .doc = "operators over inputs without rows have none; LIMIT 0 reads nothing"};
