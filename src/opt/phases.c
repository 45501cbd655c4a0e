/* The built-in phases. Each gives a name for what holds of the plan behind it, and the next one needs that. */
#include "plan/rule.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

const fl_phase_desc fl_phase_unnest = {FL_DESC(fl_phase_desc), .name = "unnest", .gives = NAMES("no_subqueries"),
                                       .is_reference = true, .doc = "subqueries become joins"};
const fl_phase_desc fl_phase_normalize = {FL_DESC(fl_phase_desc), .name = "normalize", .needs = NAMES("no_subqueries"),
                                          .gives = NAMES("pushed_down"),
                                          .doc = "constants folded, predicates simplified and pushed down"};
const fl_phase_desc fl_phase_join_order = {FL_DESC(fl_phase_desc),        .name = "join_order",
                                           .needs = NAMES("pushed_down"), .gives = NAMES("joins_ordered"),
                                           .strategy = FL_PHASE_ONCE,     .doc = "joins ordered by cost"};
const fl_phase_desc fl_phase_refine = {FL_DESC(fl_phase_desc), .name = "refine", .needs = NAMES("joins_ordered"),
                                       .gives = NAMES("refined"),
                                       .doc = "what the join order left behind is pushed down, limits and columns too"};
const fl_phase_desc fl_phase_lower = {
    FL_DESC(fl_phase_desc),        .name = "lower",      .needs = NAMES("no_subqueries", "refined"),
    .gives = NAMES("implemented"), .is_reference = true, .doc = "operators get implementations"};
const fl_phase_desc fl_phase_physical = {FL_DESC(fl_phase_desc), .name = "physical", .needs = NAMES("implemented"),
                                         .doc = "choices among implementations, run-time filters"};
const fl_phase_desc fl_phase_search = {FL_DESC(fl_phase_desc),
                                       .name = "search",
                                       .needs = NAMES("no_subqueries", "refined"),
                                       .replaces = NAMES("lower", "physical"),
                                       .strategy = FL_PHASE_SEARCH,
                                       .doc = "all implementations are kept, the cheapest plan is taken"};
