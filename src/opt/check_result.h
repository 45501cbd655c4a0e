/* What a rule hands over is held to what the rule promises to keep, after every application.
 *
 * Columns in every build. Properties (plan/props.h) where they are asked for, which debug builds always do: deriving them costs
 * as much as planning. They cannot prove that two plans are equal, but often that they are not. */
#ifndef FL_OPT_CHECK_RESULT_H
#define FL_OPT_CHECK_RESULT_H

#include "plan/rule.h"

/** FL_ERR_INTERNAL, naming rule, operator and what was lost, when `result` is no replacement of call->node. */
fl_status fl_check_result(const fl_rule_call *call, const fl_node *result, bool verifies_properties, fl_err *err);

#endif
