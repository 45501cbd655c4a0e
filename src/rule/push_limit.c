/* push_limit: a limit runs below a projection, and in a scan that has enough rows; limits of limits are one. */
#include "op/limit/node.h"
#include "op/project/node.h"
#include "op/scan/node.h"
#include "plan/rule.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_limit_attrs *limit = fl_limit_of(call->node);
    const fl_node *below = call->node->inputs[0], *out = NULL;
    if (below->op == &fl_op_project) {
        if (below->inputs[0]->op == &fl_op_limit && fl_limit_of(below->inputs[0])->limit >= 0)
            return FL_OK;
        FL_TRY(fl_limit_build(call->plan, below->inputs[0], limit->limit, limit->offset, &out, err));
        FL_TRY(fl_node_with_inputs(call->plan, below, &out, &out, err));
        FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
        return fl_rule_call_transform_to(call, out, err);
    }
    if (below->op == &fl_op_scan && limit->limit >= 0 && fl_scan_of(below)->limit < 0 &&
        limit->limit < INT64_MAX - limit->offset) {
        fl_scan_attrs attrs = *fl_scan_of(below);
        attrs.limit = limit->limit + limit->offset;
        FL_TRY(fl_node_make(call->plan, &fl_op_scan, &attrs, below->traits, NULL, 0, below->cols, below->n_cols, &out,
                            err));
        FL_TRY(fl_node_with_inputs(call->plan, call->node, &out, &out, err));
        return fl_rule_call_transform_to(call, out, err);
    }
cleanup:
    return st;
}

const fl_rule_desc fl_rule_push_limit = {FL_DESC(fl_rule_desc),
                                         .name = "push_limit",
                                         .phase = "refine",
                                         .pattern = "limit",
                                         .scope = FL_SCOPE_BOTH,
                                         .promise = 30,
                                         .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                         .on_match = on_match,
                                         .doc = "limits run below projections and inside scans"};
