/* The order of a region's joins: exact while the pairs to look at are few, then linearized, then greedy. */
#ifndef FL_OPT_JOIN_ORDER_H
#define FL_OPT_JOIN_ORDER_H

#include "opt/join_tree.h"

/** The cheapest tree that is found; *ret NULL: none, so that the query's own order stays. `graph` is finished. */
fl_status fl_join_order(fl_join_graph *graph, const fl_join_tree **ret, fl_err *err);

#endif
