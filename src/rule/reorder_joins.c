/* reorder_joins: a search gets other orders of joins beside the one that was found for it, where they cost about as little.
 *
 * What an order costs is estimated by rows alone. What it really costs, with run-time filters, orders that sides come in and groups that are
 * made early, the search finds out. Where plans are taken by number it gets dear ones, too. */
#include "rule/join_region.h"

static bool check(const fl_rule_call *call)
{
    return call->is_costed;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    return fl_join_regions_explore(call, err);
}

const fl_rule_desc fl_rule_reorder_joins = {
    FL_DESC(fl_rule_desc), .name = "reorder_joins",  .phase = "search",
    .pattern = "root",     .scope = FL_SCOPE_GLOBAL, .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
    .check = check,        .on_match = on_match,     .doc = "other orders of joins that cost about as little"};
