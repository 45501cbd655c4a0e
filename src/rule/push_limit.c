/* push_limit: a limit runs below what makes a row of each row and keeps their order, and in a scan that has enough rows or leaves the
 * first ones out. Of each input of
 * a union no more rows are needed than come out, which are counted again. */
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

/* A union of the first rows of its inputs; *ret is `below` where none has more. */
static fl_status limit_inputs(fl_rule_call *call, const fl_node *below, int64_t rows, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node **inputs = NULL;
    bool is_changed = false;
    *ret = below;
    FL_TRY(FL_NEW_ARRAY(call->scratch, below->n_inputs, &inputs, err));
    for (int32_t i = 0; i < below->n_inputs; i++) {
        const fl_props *props = NULL;
        inputs[i] = below->inputs[i];
        FL_TRY(fl_node_props(call->plan, inputs[i], &props, err));
        if (props->rows_max <= (double)rows)
            continue;
        FL_TRY(fl_limit_build(call->plan, inputs[i], rows, 0, &inputs[i], err));
        is_changed = true;
    }
    if (is_changed)
        st = fl_node_with_inputs(call->plan, below, inputs, ret, err);
cleanup:
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
    if (limit->offset > 0 && rewrites->skip != NULL) {
        FL_TRY(rewrites->skip(call->plan, below, limit->offset, &out, err));
        if (out != below) {
            if (limit->limit >= 0)
                FL_TRY(fl_limit_build(call->plan, out, limit->limit, 0, &out, err));
            FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
            return fl_rule_call_transform_to(call, out, err);
        }
    }
    if (limit->limit < 0 || limit->limit >= INT64_MAX - limit->offset)
        return FL_OK;
    bool is_united = fl_rows_are(below, FL_ROWS_UNITED);
    if (is_united || rewrites->stop != NULL) {
        if (is_united)
            FL_TRY(limit_inputs(call, below, limit->limit + limit->offset, &out, err));
        else
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
                                         .doc = "limits run below projections, in unions and inside scans"};
