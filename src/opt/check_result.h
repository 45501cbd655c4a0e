/* What a rule hands over is held to what the rule promises to keep, after every application and in every build. */
#ifndef FL_OPT_CHECK_RESULT_H
#define FL_OPT_CHECK_RESULT_H

#include "plan/rule.h"

/** FL_ERR_INTERNAL, naming rule, operator and column, when `result` is no replacement of call->node. */
fl_status fl_check_result(const fl_rule_call *call, const fl_node *result, fl_err *err);

#endif
