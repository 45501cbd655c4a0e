/* threshold_filter: the worst row that a top-k keeps filters the scan that makes its first key.
 *
 * As a join's run-time filter does: where all operators on the way stand it that rows are dropped below them, and none may raise, since it
 * differs from run to run which rows are dropped. Where nulls come first they are kept, and there must be no operator of two inputs on
 * the way: a row without a partner, made because partners were dropped, would be taken for one of the first. */
#include "op/topk/node.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

typedef struct looking {
    bool lets_through;
    bool nulls_first;
} looking;

static fl_status look(void *ctx, const fl_node *node, fl_err *err)
{
    (void)err;
    looking *l = ctx;
    l->lets_through &= fl_rows_are(node, FL_ROWS_CHOSEN) && (node->n_inputs <= 1 || !l->nulls_first);
    return FL_OK;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_topk_attrs attrs = *fl_topk_of(call->node);
    const fl_node *input = call->node->inputs[0], *out = NULL;
    looking l = {.lets_through = true, .nulls_first = attrs.keys[0].nulls_first};
    bool can_fail = input->can_fail;
    for (int32_t i = 0; i < attrs.n_keys; i++)
        can_fail |= (attrs.keys[i].expr->flags & FL_EXPR_CAN_FAIL) != 0;
    if (attrs.filters_scan || can_fail || attrs.keys[0].expr->kind != FL_EXPR_COLUMN ||
        !fl_type_is_whole_word(attrs.keys[0].expr->type))
        return FL_OK;
    FL_TRY(fl_node_visit(input, look, &l, err));
    if (!l.lets_through)
        return FL_OK;
    attrs.filters_scan = true;
    FL_TRY(fl_node_make(call->plan, &fl_op_topk, &attrs, call->node->traits, call->node->inputs, 1, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_threshold_filter = {FL_DESC(fl_rule_desc),
                                               .name = "threshold_filter",
                                               .phase = "physical",
                                               .pattern = "topk[implementation=heap]",
                                               .scope = FL_SCOPE_BOTH,
                                               .promise = 5,
                                               .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT |
                                                        FL_KEEPS_ORDER,
                                               .on_match = on_match,
                                               .doc = "the worst row that a top-k keeps filters the scan"};
