/* stop_topk: the first rows of those that come in order from what can end early are its first rows: it ends after them.
 *
 * For searches. Which rows come first is the order's, so what ends is made with it: in no order it would end after any rows. */
#include "op/limit/node.h"
#include "op/topk/node.h"
#include "plan/props.h"
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
    const fl_trait_set *traits = NULL;
    fl_ordering orders[FL_ORDERINGS_MAX];
    int32_t want = 0, have = 0, n = 0;
    bool is_whole = false;
    FL_TRY(fl_ordering_of_keys(call->plan, topk->keys, topk->n_keys, &want, &is_whole, err));
    if (is_whole)
        FL_TRY(fl_orderings_of_node(call->plan, in, orders, &n, err));
    for (int32_t i = 0; i < n && !fl_trait_ordering.satisfies(call->plan, have, want); i++)
        FL_TRY(fl_ordering_make(call->plan, orders[i].keys, orders[i].n_keys, &have, err));
    if (!is_whole || !fl_trait_ordering.satisfies(call->plan, have, want))
        return FL_OK;
    FL_TRY(fl_rewrites_of(in)->stop(call->plan, in, topk->limit + topk->offset, &out, err));
    FL_TRY(fl_trait_with(call->plan, out->traits, &fl_trait_ordering, have, &traits, err));
    FL_TRY(fl_node_with_traits(call->plan, out, traits, &out, err));
    FL_TRY(fl_limit_build(call->plan, out, topk->limit, topk->offset, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_stop_topk = {FL_DESC(fl_rule_desc),
                                        .name = "stop_topk",
                                        .phase = "search",
                                        .pattern = "topk[convention=logical](in:?[convention=logical])",
                                        .scope = FL_SCOPE_BOTH,
                                        .keeps =
                                            FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                        .check = check,
                                        .on_match = on_match,
                                        .doc = "what comes in order ends after its first rows"};
