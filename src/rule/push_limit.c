/* push_limit: a limit runs below what makes a row of each row and keeps their order, and in a scan that has enough rows. */
#include "op/limit/node.h"
#include "plan/props.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

#define PASSES_LIMIT (FL_ROWS_ONE_FOR_ONE | FL_ROWS_ORDERED | FL_ROWS_ALONE)

/* Whether there are no more rows than the limit lets through anyhow. */
static fl_status is_useless(fl_plan *plan, const fl_limit_attrs *limit, const fl_node *below, bool *ret, fl_err *err)
{
    const fl_props *props = NULL;
    fl_status st = fl_node_props(plan, below, &props, err);
    *ret = st == FL_OK && limit->offset == 0 && limit->limit >= 0 && props->rows_max <= (double)limit->limit;
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_limit_attrs *limit = fl_limit_of(call->node);
    const fl_node *below = call->node->inputs[0], *out = NULL;
    const fl_op_rewrites *rewrites = fl_rewrites_of(below);
    if (below->n_inputs == 1 && fl_rows_are(below, PASSES_LIMIT)) {
        bool useless = false;
        FL_TRY(is_useless(call->plan, limit, below->inputs[0], &useless, err));
        if (useless)
            return FL_OK;
        FL_TRY(fl_limit_build(call->plan, below->inputs[0], limit->limit, limit->offset, &out, err));
        FL_TRY(fl_node_with_inputs(call->plan, below, &out, &out, err));
        FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
        return fl_rule_call_transform_to(call, out, err);
    }
    if (rewrites->stop != NULL && limit->limit >= 0 && limit->limit < INT64_MAX - limit->offset) {
        FL_TRY(rewrites->stop(call->plan, below, limit->limit + limit->offset, &out, err));
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
                                         .keeps =
                                             FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                         .on_match = on_match,
                                         .doc = "limits run below projections and inside scans"};
