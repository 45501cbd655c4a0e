/* meeting_range: how the filters of one side of a join choose among its keys those that the other side has.
 *
 * A calendar has the days of two hundred years, sales are of five of them: a filter by year leaves few days, but those that
 * were sold on. That filtered column and key grow together is seen in a sample of the table, or not believed. */
#ifndef FL_PLAN_MEETING_RANGE_H
#define FL_PLAN_MEETING_RANGE_H

#include "plan/expr.h"

/** How much more often rows of `key`'s table lie between the least and the greatest value of `other`, which is to be equal to it, when
 *  all conjuncts hold of them, than any rows of it do: a factor, 1 where nothing is known. For a plan that is being made.
 *  Cost: a look at a sample for each column that is filtered, once a plan. */
double fl_meeting_range_factor(const fl_plan *plan, fl_col_id key, fl_col_id other, const fl_expr *const *conjuncts,
                               int32_t n);

#endif
