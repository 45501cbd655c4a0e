/* values: what rules may do with it. One row of expressions is a projection over a row of nothing, which has an input where
 * VALUES has none. */
#include "op/project/node.h"
#include "op/values/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    (void)node;
    return FL_ROWS_CHOSEN;
}

static fl_status free_exprs(fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_values_attrs *values = fl_values_of(node);
    const fl_node *row = NULL;
    if (values->n_rows != 1)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "subqueries in VALUES with more than one row are not supported yet");
    FL_TRY(fl_values_build(plan, NULL, 1, 0, NULL, &row, err));
    fl_project_attrs attrs = {
        .n_cols = values->n_cols, .cols = values->cols, .n_exprs = values->n_cols, .exprs = values->exprs};
    st = fl_node_make(plan, &fl_op_project, &attrs, NULL, &row, 1, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

static fl_status row(fl_plan *plan, const fl_node *node, const fl_expr **ret, bool *ret_is_one, fl_err *err)
{
    (void)plan, (void)err;
    const fl_values_attrs *values = fl_values_of(node);
    *ret_is_one = values->n_rows == 1;
    for (int32_t i = 0; i < node->n_cols && *ret_is_one; i++)
        for (int32_t c = 0; c < values->n_cols; c++)
            if (fl_col_is_equal(values->cols[c], node->cols[i]))
                ret[i] = values->exprs[c];
    return FL_OK;
}

static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_values_attrs *values = fl_values_of(node);
    const fl_node *copy = NULL;
    const fl_expr **exprs = NULL;
    if (values->n_rows != 1)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "outer columns in VALUES with more than one row are not supported yet");
    FL_TRY(fl_project_copy(u->plan, u->domain, u->domain_cols, u->n_cols, ret_cols, &copy, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), values->n_cols + 1, &exprs, err));
    for (int32_t i = 0; i < values->n_cols; i++)
        FL_TRY(fl_unnesting_rename(u, ret_cols, values->exprs[i], &exprs[i], err));
    fl_project_attrs attrs = {.n_cols = values->n_cols,
                              .cols = values->cols,
                              .n_exprs = values->n_cols,
                              .exprs = exprs,
                              .n_passed = copy->n_cols,
                              .passed = copy->cols};
    st = fl_node_make(u->plan, &fl_op_project, &attrs, NULL, &copy, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

const fl_op_rewrites fl_values_rewrites = {FL_DESC(fl_op_rewrites), .flow = flow, .free_exprs = free_exprs, .row = row,
                                           .push = push};
