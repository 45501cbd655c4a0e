/* choose_build_side: the smaller input of a hash join is the one whose rows go into the table.
 *
 * Inner joins swap their inputs, left and right joins turn into each other; semi and anti joins build their left side where
 * that is much smaller, and mark its rows. Those then look at all partners, where a row of the left side else has enough of one: a
 * condition that can raise would raise for more. In a recursion the side that is the same in each round is built, which is done once.
 * Where plans are costed, both sides are handed over. */
#include "op/join/node.h"
#include "plan/rule.h"

#define MUCH 2.0

/* Whether a condition of the join can raise. */
static bool can_raise(const fl_join_attrs *join)
{
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        if (join->conjuncts[i]->flags & FL_EXPR_CAN_FAIL)
            return true;
    return false;
}

/* Whether the sides, exchanged, have one that is built once for all rounds of a recursion. */
static bool would_be_kept(const fl_node *left, const fl_node *right, const fl_join_attrs *join)
{
    fl_join_attrs other = *join;
    other.kind = join->kind == FL_JOIN_RIGHT ? FL_JOIN_LEFT : FL_JOIN_INNER;
    return (join->kind == FL_JOIN_RIGHT || join->kind == FL_JOIN_INNER) && fl_join_is_kept(right, left, &other);
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_attrs attrs = *fl_join_of(call->node);
    const fl_node *left = call->node->inputs[0], *right = call->node->inputs[1], *out = NULL;
    const fl_node *swapped[2] = {right, left};
    if (attrs.filters_probe) /* it was chosen what is built, and by that what is filtered */
        return FL_OK;
    bool is_small = left->rows * MUCH < right->rows || (attrs.kind == FL_JOIN_INNER && left->rows < right->rows);
    if (!call->is_costed && (fl_join_is_kept(left, right, &attrs) || !(is_small || would_be_kept(left, right, &attrs))))
        return FL_OK;
    switch (attrs.kind) {
    case FL_JOIN_INNER:
        break;
    case FL_JOIN_LEFT:
        attrs.kind = FL_JOIN_RIGHT;
        break;
    case FL_JOIN_RIGHT:
        attrs.kind = FL_JOIN_LEFT;
        break;
    case FL_JOIN_SEMI:
    case FL_JOIN_ANTI:
        if (attrs.build_left || can_raise(&attrs))
            return FL_OK;
        attrs.build_left = true;
        swapped[0] = left;
        swapped[1] = right;
        break;
    default:
        return FL_OK;
    }
    FL_TRY(fl_node_make(call->plan, &fl_op_join, &attrs, call->node->traits, swapped, 2, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_choose_build_side = {FL_DESC(fl_rule_desc),
                                                .name = "choose_build_side",
                                                .phase = "physical",
                                                .pattern = "join[implementation=hash]",
                                                .scope = FL_SCOPE_BOTH,
                                                .promise = 20,
                                                .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                                .on_match = on_match,
                                                .doc = "the smaller side of a hash join is built"};
