/* Bounds of expressions: what functions, casts and CASE make of the bounds of their arguments.
 *
 * Functions say it themselves (fl_func_desc.bounds); casts and CASE are here. The evaluator asks step by step, with proved
 * bounds of vectors, to leave checks out; grouping asks for whole expressions, with statistics of tables, to size its
 * arrays; scans ask with the statistics of a zone, whether a predicate can hold in it. */
#ifndef FL_PLAN_BOUNDS_H
#define FL_PLAN_BOUNDS_H

#include "plan/expr.h"

/** What a call's or cast's results lie between, before any overflow, when its arguments do within `args`. Unknown for other
 *  kinds of expressions and for calls of more than FL_FUNC_ARGS_MAX arguments. */
fl_bounds fl_expr_bounds_step(const fl_expr *e, const fl_bounds *args);

/** Bounds of a column or parameter; ctx is the caller's. */
typedef fl_bounds (*fl_bounds_leaf)(void *ctx, const fl_expr *leaf);

/** What the values of a whole expression lie between, when columns and parameters do within what `leaf` says. Known only if
 *  evaluating it raises nothing but in conditions of CASE. Null branches of CASE do not count. Cost: O(size of the tree). */
fl_bounds fl_expr_bounds(const fl_expr *e, fl_bounds_leaf leaf, void *ctx);

#endif
