/* What classes say to rules: asking, and answers that several give. */
#include "plan/rewrites.h"

const fl_op_rewrites *fl_rewrites_of(const fl_node *node)
{
    static const fl_op_rewrites nothing = {FL_DESC(fl_op_rewrites)};
    return node->op->rewrites != NULL ? node->op->rewrites : &nothing;
}

bool fl_rows_are(const fl_node *node, uint32_t flow)
{
    const fl_op_rewrites *rewrites = fl_rewrites_of(node);
    return rewrites->flow != NULL && (rewrites->flow(node) & flow) == flow;
}

fl_order_use fl_order_of_input(const fl_node *node, int32_t input)
{
    const fl_op_rewrites *rewrites = fl_rewrites_of(node);
    return rewrites->order != NULL ? rewrites->order(node, input) : FL_ORDER_USED;
}

static fl_status look_for_volatile(void *ctx, const fl_expr *expr, fl_err *err)
{
    (void)err;
    *(bool *)ctx |= (expr->flags & FL_EXPR_VOLATILE) != 0;
    return FL_OK;
}

fl_order_use fl_order_is_passed(const fl_node *node, int32_t input)
{
    (void)input;
    bool is_volatile = false;
    (void)fl_node_visit_exprs(node, look_for_volatile, &is_volatile, NULL);
    return is_volatile ? FL_ORDER_USED : FL_ORDER_PASSED;
}

fl_status fl_node_widen(fl_plan *plan, const fl_node *node, const fl_node *input, const fl_node **ret, fl_err *err)
{
    const fl_op_rewrites *rewrites = fl_rewrites_of(node);
    if (rewrites->widen != NULL)
        return rewrites->widen(plan, node, input, ret, err);
    return fl_node_make(plan, node->op, node->attrs, node->traits, &input, 1, NULL, 0, ret, err);
}

fl_status fl_node_without(fl_plan *plan, const fl_node *node, int32_t input, const fl_node **ret, fl_err *err)
{
    const fl_op_rewrites *rewrites = fl_rewrites_of(node);
    *ret = node;
    return rewrites->without == NULL ? FL_OK : rewrites->without(plan, node, input, ret, err);
}

fl_status fl_passes_as_it_is(fl_plan *plan, const fl_node *node, int32_t input, const fl_expr *const *conjuncts,
                             int32_t n, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n; i++) {
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), conjuncts[i], &used, err));
        if (fl_col_set_has_all(&node->inputs[input]->made, &used))
            ret[i] = conjuncts[i];
    }
cleanup:
    return st;
}
