/* Lowering: traits change, the operator stays. */
#include "opt/lower.h"

fl_status fl_lower_traits(fl_plan *plan, const fl_trait_set *from, int32_t implementation, const fl_trait_set **ret,
                          fl_err *err)
{
    fl_status st = fl_trait_with(plan, from, &fl_trait_convention, FL_VECTORIZED, ret, err);
    if (st == FL_OK)
        st = fl_trait_with(plan, *ret, &fl_trait_implementation, implementation, ret, err);
    return st;
}

fl_status fl_lower(fl_rule_call *call, int32_t implementation, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_trait_set *traits = NULL;
    const fl_node *node = NULL;
    FL_TRY(fl_lower_traits(call->plan, call->node->traits, implementation, &traits, err));
    FL_TRY(fl_node_with_traits(call->plan, call->node, traits, &node, err));
    st = fl_rule_call_transform_to(call, node, err);
cleanup:
    return st;
}
