/* fold_join_condition: conjuncts of a join that are always true go, ANDs that folding left are laid flat; where one is never true, no
 * row meets any, and a side whose rows do not show then has none.
 *
 * What becomes of a join with a side without rows is propagate_empty's business. A side that may raise is kept, and so is it behind
 * a conjunct that may. Marks keep their condition, whose nulls show. */
#include "op/join/node.h"
#include "op/values/node.h"
#include "plan/rule.h"

static bool check(const fl_rule_call *call)
{
    const fl_join_attrs *join = fl_join_of(call->node);
    if (join->kind == FL_JOIN_MARK)
        return false;
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        if (join->conjuncts[i]->kind == FL_EXPR_CONST || join->conjuncts[i]->kind == FL_EXPR_AND)
            return true;
    return false;
}

/* The join of sides that are empty where they may be; *ret is the node where none may. */
static fl_status empty_sides(fl_rule_call *call, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *inputs[2] = {node->inputs[0], node->inputs[1]};
    fl_join_attrs join = *fl_join_of(node);
    *ret = node;
    for (int32_t side = 0; side < 2; side++) {
        fl_values_attrs none = {.n_cols = inputs[side]->n_cols, .cols = inputs[side]->cols};
        if (fl_join_drops_unmet((fl_join_kind)join.kind, side) && !inputs[side]->can_fail)
            FL_TRY(fl_node_make(call->plan, &fl_op_values, &none, NULL, NULL, 0, NULL, 0, &inputs[side], err));
    }
    if (inputs[0] == node->inputs[0] && inputs[1] == node->inputs[1])
        return FL_OK;
    join.n_conjuncts = 0;
    st = fl_node_make(call->plan, node->op, &join, node->traits, inputs, 2, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_attrs join = *fl_join_of(call->node);
    const fl_expr **kept = NULL;
    const fl_node *out = NULL;
    int32_t n = 0, n_parts = 0;
    bool can_fail = false, is_changed = false;
    for (int32_t i = 0; i < join.n_conjuncts; i++)
        n_parts += join.conjuncts[i]->kind == FL_EXPR_AND ? join.conjuncts[i]->n_args : 1;
    FL_TRY(FL_NEW_ARRAY(call->scratch, n_parts, &kept, err));
    for (int32_t i = 0; i < join.n_conjuncts; i++) {
        const fl_expr *e = join.conjuncts[i];
        is_changed |= fl_expr_is_true(e) || e->kind == FL_EXPR_AND;
        if (fl_expr_is_true(e))
            continue;
        if (fl_expr_is_false_or_null(e) && !can_fail) {
            FL_TRY(empty_sides(call, &out, err));
            if (out != call->node)
                return fl_rule_call_transform_to(call, out, err);
        }
        can_fail |= (e->flags & FL_EXPR_CAN_FAIL) != 0;
        if (e->kind == FL_EXPR_AND)
            for (int32_t a = 0; a < e->n_args; a++)
                kept[n++] = e->args[a];
        else
            kept[n++] = e;
    }
    if (!is_changed)
        return FL_OK;
    join.conjuncts = kept;
    join.n_conjuncts = n;
    FL_TRY(fl_node_make(call->plan, call->node->op, &join, call->node->traits, call->node->inputs, 2, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_fold_join_condition = {FL_DESC(fl_rule_desc),
                                                  .name = "fold_join_condition",
                                                  .phase = "normalize",
                                                  .pattern = "join",
                                                  .scope = FL_SCOPE_BOTH,
                                                  .promise = 75,
                                                  .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                                  .check = check,
                                                  .on_match = on_match,
                                                  .doc = "conditions of joins that are always true or never true"};
