/* order_joins: each region of joins in the order of least cost. */
#include "rule/join_region.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    const fl_node *out = NULL;
    fl_status st = fl_join_regions_order(call, &out, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, out, err) : st;
}

const fl_rule_desc fl_rule_order_joins = {FL_DESC(fl_rule_desc),    .name = "order_joins",
                                          .phase = "join_order",    .pattern = "root",
                                          .scope = FL_SCOPE_GLOBAL, .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                          .on_match = on_match,     .doc = "joins in the order of least cost"};
