/* Regions of joins: what the rules order_joins and reorder_joins share.
 *
 * A region is a maximal tree of joins that may be put in another order: inner, left, right, full, semi and anti joins together, up
 * to 64 relations; larger regions are of inner joins alone. Conjuncts that can raise stay where the text has them: a join with one is
 * a region's border, as are joins that put out marks or single rows. */
#ifndef FL_RULE_JOIN_REGION_H
#define FL_RULE_JOIN_REGION_H

#include "plan/rule.h"

/** The whole plan with the joins of each region in the order of least cost (opt/join_order.h). */
fl_status fl_join_regions_order(fl_rule_call *call, const fl_node **ret, fl_err *err);

/** For a search: hands over other orders of each region's joins, those that are estimated to cost about as little as the best, as
 *  equals of what they are other orders of (fl_rule_call_equate). */
fl_status fl_join_regions_explore(fl_rule_call *call, fl_err *err);

#endif
