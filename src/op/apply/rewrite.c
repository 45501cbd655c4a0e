/* apply: what rules may do with it. Nothing is moved through it: it is gone before they would. */
#include "op/apply/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    return fl_join_flow((fl_join_kind)fl_apply_of(node)->kind);
}

static fl_status free_exprs(fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    (void)plan, (void)node, (void)ret;
    return FL_FAIL(err, FL_ERR_UNSUPPORTED, "subqueries in the condition of a dependent join are not supported yet");
}

const fl_op_rewrites fl_apply_rewrites = {FL_DESC(fl_op_rewrites), .flow = flow, .free_exprs = free_exprs};
