/* The built-in phases, in the order in which they run. */
#include "plan/rule.h"

const fl_phase_desc fl_phase_unnest = {FL_DESC(fl_phase_desc), .name = "unnest", .after = NULL, .is_reference = true,
                                       .doc = "subqueries become joins"};
const fl_phase_desc fl_phase_normalize = {FL_DESC(fl_phase_desc), .name = "normalize", .after = "unnest",
                                          .doc = "constants folded, predicates simplified and pushed down"};
const fl_phase_desc fl_phase_join_order = {FL_DESC(fl_phase_desc), .name = "join_order", .after = "normalize",
                                           .strategy = FL_PHASE_ONCE, .doc = "inner joins ordered by cost"};
const fl_phase_desc fl_phase_refine = {FL_DESC(fl_phase_desc), .name = "refine", .after = "join_order",
                                       .doc = "what the join order left behind is pushed down, limits and columns too"};
const fl_phase_desc fl_phase_lower = {FL_DESC(fl_phase_desc), .name = "lower", .after = "refine", .is_reference = true,
                                      .doc = "operators get implementations"};
const fl_phase_desc fl_phase_physical = {FL_DESC(fl_phase_desc), .name = "physical", .after = "lower",
                                         .doc = "choices among implementations, run-time filters"};
