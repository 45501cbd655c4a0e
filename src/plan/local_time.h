/* Times in a session whose zone is not UTC. A timestamptz is a moment; what is seen of it (its day, its text) depends on a zone, and so
 * does the moment that a time without one means. Casts and calls say so when they are made: they become those of the local time, which
 * the function timezone gives, so that nothing that runs knows of the session's zone. */
#ifndef FL_PLAN_LOCAL_TIME_H
#define FL_PLAN_LOCAL_TIME_H

#include "plan/expr.h"
#include "plan/func.h"

/* Bytes of a zone's name, and a zero. */
#define FL_PLAN_ZONE_BYTES 64

/** Sets the zone of a plan before anything is made in it; "UTC" is none. Names are at most FL_PLAN_ZONE_BYTES - 1 long. */
void fl_plan_set_zone(fl_plan *plan, fl_str zone);

/** Whether a cast depends on the plan's zone. */
bool fl_cast_is_local(const fl_plan *plan, fl_type from, fl_type to);

/** That cast. */
fl_status fl_expr_cast_local(fl_plan *plan, const fl_expr *expr, fl_type type, bool is_try, int32_t pos,
                             const fl_expr **ret, fl_err *err);

/** Whether a call of a function (FL_LOCAL_TIME) with arguments of these types depends on the plan's zone. */
bool fl_call_is_local(const fl_plan *plan, const fl_func_desc *func, const fl_expr *const *args, int32_t n_args);

/** That call, whose result has the type that it would have without a zone. */
fl_status fl_expr_call_local(fl_plan *plan, const fl_func_desc *func, const fl_expr *const *args, int32_t n_args,
                             fl_type made, int32_t pos, const fl_expr **ret, fl_err *err);

#endif
