/* choose_perfect_hash: where the keys' values are few, their combination is the index of the group's row in an array.
 *
 * Bounds of integers and the size of strings' dictionaries decide, from the tables' statistics. They need not hold: rows
 * outside of them are hashed as before. */
#include "op/aggregate/node.h"
#include "opt/lower.h"

static bool check(const fl_rule_call *call)
{
    return fl_aggregate_has_places(call->plan, call->node, NULL);
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    return fl_lower(call, FL_IMPL_PERFECT_HASH, err);
}

const fl_rule_desc fl_rule_choose_perfect_hash = {FL_DESC(fl_rule_desc),
                                                  .name = "choose_perfect_hash",
                                                  .phase = "physical",
                                                  .pattern = "aggregate[implementation=hash]",
                                                  .scope = FL_SCOPE_BOTH,
                                                  .promise = 20,
                                                  .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                                  .check = check,
                                                  .on_match = on_match,
                                                  .doc = "groups of keys with few values are found by an index"};
