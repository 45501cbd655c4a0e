/* sorted_aggregate: where rows come in an order of the grouping keys, groups are runs of rows, which takes no table.
 *
 * For searches, which hold it against hashing. Not where rows would have to be sorted for it, nor for aggregates over DISTINCT values or
 * with an order of their own: those look groups up when all rows are in. */
#include "op/aggregate/node.h"
#include "opt/lower.h"
#include "plan/ordering.h"

static bool check(const fl_rule_call *call)
{
    return call->is_costed;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_aggregate_attrs a = *fl_aggregate_of(call->node);
    const fl_trait_set *traits = NULL;
    const fl_node *out = NULL;
    FL_TRY(fl_aggregate_find_order(call->plan, call->node, &a.order, &a.n_order, NULL, err));
    if (a.n_order < a.n_keys || a.n_keys == 0)
        return FL_OK;
    FL_TRY(fl_lower_traits(call->plan, call->node->traits, FL_IMPL_SORTED, &traits, err));
    FL_TRY(fl_node_make(call->plan, call->node->op, &a, traits, call->node->inputs, 1, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_sorted_aggregate = {FL_DESC(fl_rule_desc),
                                               .name = "sorted_aggregate",
                                               .phase = "search",
                                               .pattern = "aggregate[convention=logical]",
                                               .scope = FL_SCOPE_BOTH,
                                               .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                               .check = check,
                                               .on_match = on_match,
                                               .doc = "groups of sorted rows are runs"};
