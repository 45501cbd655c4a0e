/* eliminate_join: a left join goes when nobody reads its right side and each left row meets one row of it at most. */
#include "op/join/node.h"
#include "plan/props.h"
#include "plan/rule.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *join = call->node, *left = join->inputs[0], *out = NULL;
    int32_t kind = fl_join_of(join)->kind;
    bool meets_one = kind == FL_JOIN_FIRST;
    if ((kind != FL_JOIN_LEFT && kind != FL_JOIN_FIRST) || !fl_col_set_has_all(&left->made, &join->made) ||
        join->inputs[1]->can_fail || (join->holds & FL_HOLDS_VOLATILE))
        return FL_OK;
    for (int32_t i = 0; i < fl_join_of(join)->n_conjuncts; i++)
        if (fl_join_of(join)->conjuncts[i]->flags & FL_EXPR_CAN_FAIL)
            return FL_OK;
    if (!meets_one)
        FL_TRY(fl_join_meets_one(call->plan, join, 1, &meets_one, err));
    if (!meets_one)
        return FL_OK;
    FL_TRY(fl_node_with_cols(call->plan, left, join->cols, join->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_eliminate_join = {FL_DESC(fl_rule_desc),
                                             .name = "eliminate_join",
                                             .phase = "refine",
                                             .pattern = "join",
                                             .scope = FL_SCOPE_BOTH,
                                             .promise = 35,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                             .on_match = on_match,
                                             .doc = "left joins whose right side nobody reads and no row needs"};
