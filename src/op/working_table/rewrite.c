/* working_table: what rules may do with it. Of a recursion that reads outer columns each row is of one value of them: the table has them as
 * columns (op/recursion/rewrite.c). */
#include "op/working_table/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    (void)node;
    return FL_ROWS_CHOSEN;
}

static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_working_table_attrs attrs = *fl_working_table_of(node);
    fl_col_id *cols = NULL;
    FL_ASSERT(attrs.n_outer == u->n_cols);
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), attrs.n_cols + u->n_cols, &cols, err));
    memcpy(cols + u->n_cols, attrs.cols, (size_t)attrs.n_cols * sizeof(*cols)); /* as its recursion has them */
    for (int32_t i = 0; i < u->n_cols; i++) {
        fl_col_info info = {.name = fl_plan_col(u->plan, u->cols[i])->name,
                            .type = fl_plan_col(u->plan, u->cols[i])->type};
        FL_TRY(fl_plan_add_col(u->plan, &info, &ret_cols[i], err));
        cols[i] = ret_cols[i];
    }
    attrs.n_cols += u->n_cols;
    attrs.cols = cols;
    attrs.n_outer = 0;
    attrs.outer = NULL;
    st = fl_node_make(u->plan, &fl_op_working_table, &attrs, NULL, NULL, 0, NULL, 0, ret, err);
cleanup:
    return st;
}

const fl_op_rewrites fl_working_table_rewrites = {FL_DESC(fl_op_rewrites), .flow = flow, .push = push};

typedef struct marking {
    int64_t number;
    const fl_col_id *outer;
    int32_t n;
} marking;

static fl_status look_for_subquery(void *ctx, const fl_expr *expr, fl_err *err)
{
    (void)err;
    *(bool *)ctx |= (expr->flags & FL_EXPR_HAS_SUBQUERY) != 0;
    return FL_OK;
}

static fl_status mark(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    const marking *m = ctx;
    bool has_subquery = false;
    fl_status st = fl_node_visit_exprs(node, look_for_subquery, &has_subquery, err);
    *ret = node;
    if (st != FL_OK)
        return st;
    if (has_subquery) /* which may read the table, too */
        return FL_FAIL(err, FL_ERR_UNSUPPORTED,
                       "subqueries inside of a recursive query that reads outer columns are not supported yet");
    if (node->op != &fl_op_working_table || fl_working_table_of(node)->number != m->number)
        return FL_OK;
    fl_working_table_attrs attrs = *fl_working_table_of(node);
    attrs.outer = m->outer;
    attrs.n_outer = m->n;
    return fl_node_make(plan, &fl_op_working_table, &attrs, node->traits, NULL, 0, node->cols, node->n_cols, ret, err);
}

fl_status fl_working_table_mark(fl_plan *plan, const fl_node *node, int64_t number, const fl_col_id *outer, int32_t n,
                                const fl_node **ret, fl_err *err)
{
    marking m = {number, outer, n};
    return fl_node_rewrite(plan, node, mark, &m, ret, err);
}
