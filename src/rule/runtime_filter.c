/* runtime_filter: the keys of a join's build side filter the scans of its probe side, before the probe begins.
 *
 * For joins that drop probe rows without a partner; where all operators on the probe side stand it that rows are dropped below
 * them. A limit does not: it would see fewer rows. */
#include "op/join/node.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

static fl_status look(void *ctx, const fl_node *node, fl_err *err)
{
    (void)err;
    *(bool *)ctx &= fl_rows_are(node, FL_ROWS_CHOSEN);
    return FL_OK;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_attrs attrs = *fl_join_of(call->node);
    const fl_node *probe = call->node->inputs[attrs.build_left ? 1 : 0], *out = NULL;
    bool drops = attrs.kind == FL_JOIN_INNER || attrs.kind == FL_JOIN_RIGHT || (attrs.kind == FL_JOIN_SEMI) ||
                 (attrs.kind == FL_JOIN_ANTI && attrs.build_left);
    bool lets_through = true;
    if (attrs.filters_probe || !drops)
        return FL_OK;
    FL_TRY(fl_node_visit(probe, look, &lets_through, err));
    if (!lets_through)
        return FL_OK;
    attrs.filters_probe = true;
    FL_TRY(fl_node_make(call->plan, &fl_op_join, &attrs, call->node->traits, call->node->inputs, 2, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_runtime_filter = {FL_DESC(fl_rule_desc),
                                             .name = "runtime_filter",
                                             .phase = "physical",
                                             .pattern = "join[implementation=hash]",
                                             .scope = FL_SCOPE_BOTH,
                                             .promise = 10,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                             .on_match = on_match,
                                             .doc = "keys of the build side filter the scans of the probe side"};
