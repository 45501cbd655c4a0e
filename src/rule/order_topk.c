/* order_topk: the first rows of those that come in order need no heap.
 *
 * For searches: a top-k is also the limit of a sort, and order_input finds out whether the sort's input can have the order. A limit
 * ends the pipeline as soon as it has its rows. */
#include "op/limit/node.h"
#include "op/sort/node.h"
#include "op/topk/node.h"
#include "plan/rule.h"

static bool check(const fl_rule_call *call)
{
    return call->is_costed;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_topk_attrs *topk = fl_topk_of(call->node);
    const fl_node *out = NULL;
    FL_TRY(fl_sort_build(call->plan, call->node->inputs[0], topk->keys, topk->n_keys, &out, err));
    FL_TRY(fl_limit_build(call->plan, out, topk->limit, topk->offset, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_order_topk = {FL_DESC(fl_rule_desc),
                                         .name = "order_topk",
                                         .phase = "search",
                                         .pattern = "topk[convention=logical]",
                                         .scope = FL_SCOPE_BOTH,
                                         .keeps =
                                             FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                         .check = check,
                                         .on_match = on_match,
                                         .doc = "the first rows of those in order are a limit"};
