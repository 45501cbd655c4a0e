/* stop_topk: the first rows of those that come in order from what can end early are its first rows: it ends after them.
 *
 * For searches: of an input that stands for several plans only those count that have the order themselves. */
#include "op/limit/node.h"
#include "op/topk/node.h"
#include "plan/ordering.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

static bool check(const fl_rule_call *call)
{
    const fl_topk_attrs *topk = fl_topk_of(call->node);
    return call->is_costed && topk->limit >= 0 && topk->limit < INT64_MAX - topk->offset &&
           fl_rewrites_of(fl_rule_call_bound(call, "in"))->stop != NULL;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_topk_attrs *topk = fl_topk_of(call->node);
    const fl_node *in = fl_rule_call_bound(call, "in"), *out = NULL;
    int32_t want = 0, have = fl_trait_get(in->traits, &fl_trait_ordering);
    bool is_whole = false;
    FL_TRY(fl_ordering_of_keys(call->plan, topk->keys, topk->n_keys, &want, &is_whole, err));
    if (!is_whole || !fl_trait_satisfies(call->plan, &fl_trait_ordering, have, want))
        return FL_OK;
    FL_TRY(fl_rewrites_of(in)->stop(call->plan, in, topk->limit + topk->offset, &out, err));
    FL_TRY(fl_limit_build(call->plan, out, topk->limit, topk->offset, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_stop_topk = {FL_DESC(fl_rule_desc),
                                        .name = "stop_topk",
                                        .phase = "search",
                                        .pattern = "topk[convention=logical](in:?[convention=vectorized])",
                                        .scope = FL_SCOPE_BOTH,
                                        .keeps =
                                            FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                        .check = check,
                                        .on_match = on_match,
                                        .doc = "what comes in order ends after its first rows"};
