/* What every lowering rule does: the same operator, convention vectorized, with an implementation. */
#ifndef FL_OPT_LOWER_H
#define FL_OPT_LOWER_H

#include "plan/rule.h"

/** Hands over call->node with the traits convention = vectorized and the implementation (FL_IMPL_…). */
fl_status fl_lower(fl_rule_call *call, int32_t implementation, fl_err *err);

/** The vectorized traits themselves, for rules that change attributes as well. */
fl_status fl_lower_traits(fl_plan *plan, const fl_trait_set *from, int32_t implementation, const fl_trait_set **ret,
                          fl_err *err);

#endif
