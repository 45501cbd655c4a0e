/* Greedy operator ordering (Fegaras: A new heuristic for optimizing large queries, DEXA 1998): of all pairs that may meet the
 * cheapest is joined, until one is left. Every pair is costed when one of its sides is new, so it takes about as many steps as
 * there are pairs of relations with an operator between them, a relation's neighbors in each step once more. */
#ifndef FL_OPT_GREEDY_H
#define FL_OPT_GREEDY_H

#include "opt/join_tree.h"

/** *ret NULL: conflicts leave no pair that may meet. */
fl_status fl_greedy(const fl_join_graph *graph, const fl_join_tree **ret, fl_err *err);

#endif
