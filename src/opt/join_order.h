/* The order of a region's joins: exact while the pairs to look at are few, then linearized, then greedy. */
#ifndef FL_OPT_JOIN_ORDER_H
#define FL_OPT_JOIN_ORDER_H

#include "opt/join_tree.h"

/** The cheapest tree that is found; *ret NULL: none, so that the query's own order stays. `graph` is finished. */
fl_status fl_join_order(fl_join_graph *graph, const fl_join_tree **ret, fl_err *err);

/* Which ways to split a region's joins are wanted. */
typedef struct fl_join_splits_wanted {
    int32_t n_max; /* beside the best one of each set */
    double near;   /* times what the set's best one costs, at the most */
} fl_join_splits_wanted;

/* A way to join a set of relations, of two others. */
typedef struct fl_join_split {
    uint64_t set;
    uint64_t left; /* the other side is the rest */
} fl_join_split;

#define FL_JOIN_SPLIT_RELATIONS_MAX 12

/** Ways to join the region's relations and what they are joined of, each set's best one first; all sets of more than one relation that
 *  occur as a side have one. None for regions of more than FL_JOIN_SPLIT_RELATIONS_MAX relations, or whose pairs are many. */
fl_status fl_join_order_splits(fl_join_graph *graph, const fl_join_splits_wanted *wanted, const fl_join_split **ret,
                               int32_t *ret_n, fl_err *err);

#endif
