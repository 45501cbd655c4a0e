/* lower_set_op: UNION becomes DISTINCT over UNION ALL; UNION ALL streams, INTERSECT and EXCEPT count in a hash table. */
#include "op/aggregate/node.h"
#include "op/set_op/node.h"
#include "opt/lower.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_set_op_attrs *set = fl_set_op_of(call->node);
    if (set->kind != FL_UNION || set->is_all)
        return fl_lower(call, set->kind == FL_UNION ? FL_IMPL_STREAM : FL_IMPL_HASH, err);
    fl_set_op_attrs all = *set;
    const fl_node *united = NULL, *distinct = NULL;
    all.is_all = true;
    FL_TRY(fl_node_make(call->plan, &fl_op_set_op, &all, NULL, call->node->inputs, 2, NULL, 0, &united, err));
    FL_TRY(fl_distinct_build(call->plan, united, set->cols, set->n_cols, &distinct, err));
    st = fl_rule_call_transform_to(call, distinct, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_lower_set_op = {FL_DESC(fl_rule_desc),
                                           .name = "lower_set_op",
                                           .phase = "lower",
                                           .pattern = "set_op[convention=logical]",
                                           .scope = FL_SCOPE_BOTH,
                                           .is_required = true,
                                           .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                           .on_match = on_match,
                                           .doc = "UNION is DISTINCT over UNION ALL; INTERSECT and EXCEPT are hashed"};
