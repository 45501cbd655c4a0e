/* Where the nodes of a plan come from: which rules made them, in order. EXPLAIN (WHY) shows it.
 *
 * A node is made by a rule, of the node that its pattern matched; or it is made again of another node, over other inputs or with other
 * traits or columns, and comes from where that came from. Who only put other inputs below a node did not make it. A plan keeps this only for those who ask, from then on. */
#ifndef FL_PLAN_PROVENANCE_H
#define FL_PLAN_PROVENANCE_H

#include "base/text.h"
#include "plan/node.h"

#define FL_PROVENANCE_RULES_MAX 16 /* that are told of one node: the last ones */

/** Keeps from now on where nodes come from. For a plan that is being made. */
fl_status fl_plan_keep_provenance(fl_plan *plan, fl_err *err);

/** Notes that the rule, matched at `node`, made all nodes behind the first n_before; `rule` is borrowed. Does nothing where
 *  provenance is not kept. */
fl_status fl_provenance_note_rule(fl_plan *plan, const char *rule, const fl_node *node, int32_t n_before, fl_err *err);

/** The rules that the node comes from, the last one first, without repeats in a row; 0: it is as the query has it, or provenance is
 *  not kept. */
int32_t fl_provenance_rules(const fl_plan *plan, const fl_node *node, const char *ret[FL_PROVENANCE_RULES_MAX]);

#endif
