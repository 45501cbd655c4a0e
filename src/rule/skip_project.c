/* skip_project: an aggregate that reads nothing of what a projection computes reads the projection's input.
 *
 * prune_columns would take away as much, when joins have been put in order: rules that know an aggregate over a scan or a union
 * come before. */
#include "op/aggregate/node.h"
#include "op/project/node.h"
#include "plan/rule.h"

static bool check(const fl_rule_call *call)
{
    const fl_project_attrs *project = fl_project_of(fl_rule_call_bound(call, "below"));
    for (int32_t i = 0; i < project->n_exprs; i++)
        if (project->exprs[i]->flags & (FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY))
            return false;
    return true;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *input = fl_rule_call_bound(call, "below")->inputs[0], *out = NULL;
    fl_col_set used;
    fl_col_set_init(&used);
    FL_TRY(fl_node_add_used_cols(call->scratch, call->node, &used, err));
    if (!fl_col_set_has_all(&input->made, &used))
        return FL_OK;
    FL_TRY(fl_node_with_inputs(call->plan, call->node, &input, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_skip_project = {FL_DESC(fl_rule_desc),
                                           .name = "skip_project",
                                           .phase = "normalize",
                                           .pattern = "aggregate(below:project)",
                                           .scope = FL_SCOPE_BOTH,
                                           .promise = 73,
                                           .keeps =
                                               FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                           .check = check,
                                           .on_match = on_match,
                                           .doc = "aggregates read below projections of which they read nothing"};
