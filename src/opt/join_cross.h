/* Cross products of a region: where a side is one row at most, and where nothing connects. All others are left out, as they
 * multiply the orders to look at and are seldom cheap. */
#ifndef FL_OPT_JOIN_CROSS_H
#define FL_OPT_JOIN_CROSS_H

#include "opt/join_graph.h"

/** Adds those two kinds; once all other edges are there. */
fl_status fl_join_graph_add_crosses(fl_join_graph *graph, fl_err *err);

/** Adds the products that the query itself has: where not all joins are inner ones, conflicts may leave no other way. For a
 *  finished graph. */
fl_status fl_join_graph_cross_sites(fl_join_graph *graph, fl_err *err);

#endif
