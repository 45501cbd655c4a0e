/* lower_recursion: rounds one after the other. */
#include "opt/lower.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    return fl_lower(call, FL_IMPL_STREAM, err);
}

const fl_rule_desc fl_rule_lower_recursion = {FL_DESC(fl_rule_desc),
                                              .name = "lower_recursion",
                                              .phase = "lower",
                                              .pattern = "recursion[convention=logical]",
                                              .scope = FL_SCOPE_BOTH,
                                              .is_required = true,
                                              .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT |
                                                       FL_KEEPS_ORDER,
                                              .on_match = on_match,
                                              .doc = "rounds one after the other"};
