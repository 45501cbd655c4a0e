/* sort: what rules may do with it. */
#include "op/sort/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    (void)node;
    return FL_ROWS_ONE_FOR_ONE | FL_ROWS_CHOSEN | FL_ROWS_ARRANGED;
}

/* The order of a subquery's rows means nothing outside. */
static fl_status pull(fl_unnesting *u, const fl_node *node, bool missing_is_null, const fl_node **ret, fl_err *err)
{
    (void)missing_is_null;
    return fl_unnesting_pull(u, node->inputs[0], false, ret, err);
}

static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    return fl_unnesting_push(u, node->inputs[0], ret, ret_cols, err);
}

const fl_op_rewrites fl_sort_rewrites = {FL_DESC(fl_op_rewrites),      .flow = flow, .order = fl_order_is_passed,
                                         .passes = fl_passes_as_it_is, .pull = pull, .push = push};
