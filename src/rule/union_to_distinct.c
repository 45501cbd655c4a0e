/* union_to_distinct: UNION is DISTINCT over UNION ALL, for the rules that know either: aggregate_union makes the branches' rows distinct
 * first. lower_set_op would do as much at the end. */
#include "op/aggregate/node.h"
#include "op/set_op/node.h"
#include "plan/rule.h"

static bool check(const fl_rule_call *call)
{
    const fl_set_op_attrs *set = fl_set_op_of(call->node);
    return set->kind == FL_UNION && !set->is_all;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_set_op_attrs all = *fl_set_op_of(call->node);
    const fl_node *out = NULL;
    all.is_all = true;
    FL_TRY(fl_node_make(call->plan, call->node->op, &all, NULL, call->node->inputs, 2, NULL, 0, &out, err));
    FL_TRY(fl_distinct_build(call->plan, out, all.cols, all.n_cols, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_union_to_distinct = {FL_DESC(fl_rule_desc),
                                                .name = "union_to_distinct",
                                                .phase = "normalize",
                                                .pattern = "set_op",
                                                .scope = FL_SCOPE_BOTH,
                                                .promise = 25,
                                                .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                                .check = check,
                                                .on_match = on_match,
                                                .doc = "UNION is DISTINCT over UNION ALL"};
