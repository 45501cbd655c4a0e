/* An order of joins: a tree over a graph's relations, made when it is found, so that nothing of it is a plan yet. */
#ifndef FL_OPT_JOIN_TREE_H
#define FL_OPT_JOIN_TREE_H

#include "opt/join_graph.h"

typedef struct fl_join_tree {
    int32_t relation; /* of a leaf; -1: a join */
    int32_t site;     /* of a join that is no inner one; -1 */
    const struct fl_join_tree *left,
        *right; /* as the kind of join wants them; of an inner one the right side is built */
    const uint64_t *set;
    double rows;
    double cost; /* of all joins in it */
} fl_join_tree;

fl_status fl_join_tree_leaf(const fl_join_graph *graph, int32_t relation, const fl_join_tree **ret, fl_err *err);

/** Joins two trees, whose sets may meet (fl_join_graph_meet). */
fl_status fl_join_tree_join(const fl_join_graph *graph, const fl_join_tree *a, const fl_join_tree *b,
                            const fl_join_tree **ret, fl_err *err);

/** What a join of two sets costs by itself; of a full join with the cheaper side at the right. */
double fl_join_tree_cost(const fl_join_graph *graph, fl_join_side a, fl_join_side b, double rows, int32_t site);

/** The relations from left to right; `ret` has room for them. Returns how many. */
int32_t fl_join_tree_leaves(const fl_join_tree *tree, int32_t *ret);

#endif
