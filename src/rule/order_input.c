/* order_input: rows may come sorted from below, so a sort's input may be asked for the order instead of being sorted.
 *
 * For searches: an input that stands for a group of plans carries, as traits, what is asked of them. Where nothing below has the
 * order, a sort is put in at the height where it costs least. */
#include "op/sort/node.h"
#include "plan/ordering.h"
#include "plan/rule.h"

static bool check(const fl_rule_call *call)
{
    return call->is_costed;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_sort_attrs *sort = fl_sort_of(call->node);
    const fl_node *input = call->node->inputs[0];
    const fl_trait_set *traits = NULL;
    int32_t order = 0;
    bool is_whole = false;
    FL_TRY(fl_ordering_of_keys(call->plan, sort->keys, sort->n_keys, &order, &is_whole, err));
    if (!is_whole || order == 0)
        return FL_OK;
    FL_TRY(fl_trait_with(call->plan, input->traits, &fl_trait_ordering, order, &traits, err));
    FL_TRY(fl_trait_with(call->plan, traits, &fl_trait_convention, FL_VECTORIZED, &traits, err));
    FL_TRY(fl_node_with_traits(call->plan, input, traits, &input, err));
    st = fl_rule_call_transform_to(call, input, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_order_input = {FL_DESC(fl_rule_desc),
                                          .name = "order_input",
                                          .phase = "search",
                                          .pattern = "sort[convention=logical]",
                                          .scope = FL_SCOPE_BOTH,
                                          .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                          .check = check,
                                          .on_match = on_match,
                                          .doc = "a sort's input may be asked for the order"};
