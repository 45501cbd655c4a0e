/* lower_window: all rows are collected and sorted by partition and order; taken as they come where that is their order anyhow. */
#include "op/window/node.h"
#include "opt/lower.h"
#include "plan/props.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_key *keys = NULL;
    const fl_props *props = NULL;
    int32_t n_keys = 0;
    bool is_ordered = false;
    FL_TRY(fl_window_keys(fl_plan_arena(call->plan), fl_window_of(call->node), &keys, &n_keys, err));
    if (n_keys == 0 || call->is_costed)
        return fl_lower(call, FL_IMPL_SORT, err);
    FL_TRY(fl_node_props(call->plan, call->node->inputs[0], &props, err));
    FL_TRY(fl_props_is_ordered(call->plan, props, keys, n_keys, &is_ordered, err));
    st = fl_lower(call, is_ordered ? FL_IMPL_SORTED : FL_IMPL_SORT, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_lower_window = {FL_DESC(fl_rule_desc),
                                           .name = "lower_window",
                                           .phase = "lower",
                                           .pattern = "window[convention=logical]",
                                           .scope = FL_SCOPE_BOTH,
                                           .is_required = true,
                                           .keeps =
                                               FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                           .on_match = on_match,
                                           .doc = "rows are sorted by partition and order, unless they come so"};
