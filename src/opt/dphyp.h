/* DPhyp: the best order of joins, found through pairs of sets that edges connect (Moerkotte and Neumann: Dynamic programming
 * strikes back, SIGMOD 2008).
 *
 * Sets are words, so at most 64 relations. What is known of a set is an entry of a table by it, and a pair costs some ten
 * nanoseconds; how many pairs there are depends on the graph, from n^3 / 6 for a chain to 3^n / 2 for a clique, so they are
 * counted first. */
#ifndef FL_OPT_DPHYP_H
#define FL_OPT_DPHYP_H

#include "opt/join_order.h"

#define FL_DPHYP_RELATIONS_MAX 64

typedef struct fl_dphyp_count {
    int64_t pairs; /* with hyperedges an upper bound: sets that cannot be joined are counted, too */
    int64_t sets;  /* of more than one relation that begin a pair */
    bool is_over;  /* more than the limit: it was not counted further */
} fl_dphyp_count;

fl_dphyp_count fl_dphyp_count_pairs(const fl_join_graph *graph, int64_t pairs_max);

/** The tree of least cost; *ret NULL: conflicts leave none that edges lead to. Time and memory as the pairs counted. */
fl_status fl_dphyp(const fl_join_graph *graph, int64_t sets, const fl_join_tree **ret, fl_err *err);

/** As fl_join_order_splits. */
fl_status fl_dphyp_splits(const fl_join_graph *graph, int64_t sets, const fl_join_splits_wanted *wanted,
                          const fl_join_split **ret, int32_t *ret_n, fl_err *err);

#endif
