/* Conflicts: which joins a join must not be moved past.
 *
 * The CD-C of Moerkotte, Fender and Eich (SIGMOD 2013). For two joins, one below the other, tables say whether the pair is
 * associative, left or right asscommutative; some entries hold only where a predicate rejects nulls. What a pair is not
 * becomes a rule of the upper join. */
#ifndef FL_OPT_JOIN_CONFLICT_H
#define FL_OPT_JOIN_CONFLICT_H

#include "opt/join_graph.h"

/** Gives each site its rules. Where they get too many the site is held to the whole of its sides instead. */
fl_status fl_join_graph_find_conflicts(fl_join_graph *graph, fl_err *err);

/** Adds to `set` all that the rules want with it. */
void fl_conflict_rules_close(const fl_conflict_rule *rules, int32_t n, uint64_t *set, int32_t n_words);

#endif
