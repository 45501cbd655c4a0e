/* eliminate_window: a window of which nobody reads a result is its input. */
#include "op/window/node.h"
#include "plan/rule.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *input = call->node->inputs[0];
    if (fl_window_of(call->node)->n_functions > 0)
        return FL_OK;
    st = fl_rule_call_transform_to(call, input, err);
    return st;
}

const fl_rule_desc fl_rule_eliminate_window = {FL_DESC(fl_rule_desc),
                                               .name = "eliminate_window",
                                               .phase = "refine",
                                               .pattern = "window[convention=logical]",
                                               .scope = FL_SCOPE_BOTH,
                                               .promise = 39,
                                               .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                               .on_match = on_match,
                                               .doc = "windows of which nobody reads a result are left out"};
