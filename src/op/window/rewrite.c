/* window: what rules may do with it. */
#include "op/window/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    return fl_window_of(node)->limit < 0 ? FL_ROWS_ONE_FOR_ONE : FL_ROWS_ONCE;
}

/* What is the same for all rows of a partition takes away whole partitions. */
static fl_status passes(fl_plan *plan, const fl_node *node, int32_t input, const fl_expr *const *conjuncts, int32_t n,
                        const fl_expr **ret, fl_err *err)
{
    (void)input;
    fl_status st = FL_OK;
    const fl_window_attrs *window = fl_window_of(node);
    fl_col_set keys;
    fl_col_set_init(&keys);
    for (int32_t i = 0; i < window->n_partition; i++)
        if (window->partition[i]->kind == FL_EXPR_COLUMN)
            FL_TRY(fl_col_set_add(fl_plan_arena(plan), &keys, window->partition[i]->col, err));
    for (int32_t i = 0; i < n; i++) {
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), conjuncts[i], &used, err));
        if (fl_col_set_has_all(&keys, &used) && !fl_col_set_is_empty(&used) &&
            !(conjuncts[i]->flags & FL_EXPR_VOLATILE))
            ret[i] = conjuncts[i];
    }
cleanup:
    return st;
}

static fl_status thin(fl_plan *plan, const fl_node *node, const fl_col_set *wanted, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_window_attrs attrs = *fl_window_of(node);
    fl_agg *functions = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), attrs.n_functions + 1, &functions, err));
    for (int32_t i = 0; i < attrs.n_functions; i++)
        if (fl_col_set_has(wanted, attrs.functions[i].out))
            functions[n++] = attrs.functions[i];
    attrs.functions = functions;
    attrs.n_functions = n;
    st = fl_node_make(plan, &fl_op_window, &attrs, node->traits, node->inputs, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

/* ---- outer columns: each value of the domain has partitions of its own ---------------------------------------------- */

static fl_status rename_outer(void *ctx, fl_plan *plan, const fl_expr *expr, const fl_expr **ret, fl_err *err)
{
    (void)plan;
    const void *const *pair = ctx;
    return fl_unnesting_rename(pair[0], pair[1], expr, ret, err);
}

static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *input = NULL, *renamed = NULL;
    const fl_expr **partition = NULL;
    FL_TRY(fl_unnesting_push(u, node->inputs[0], &input, ret_cols, err));
    const void *pair[] = {u, ret_cols};
    FL_TRY(fl_node_rewrite_exprs(u->plan, node, rename_outer, pair, &renamed, err));
    fl_window_attrs attrs = *fl_window_of(renamed);
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), attrs.n_partition + u->n_cols, &partition, err));
    for (int32_t i = 0; i < attrs.n_partition; i++)
        partition[u->n_cols + i] = attrs.partition[i];
    for (int32_t i = 0; i < u->n_cols; i++)
        FL_TRY(fl_expr_column(u->plan, ret_cols[i], -1, &partition[i], err));
    attrs.partition = partition;
    attrs.n_partition += u->n_cols;
    st = fl_node_make(u->plan, &fl_op_window, &attrs, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

const fl_op_rewrites fl_window_rewrites = {FL_DESC(fl_op_rewrites), .flow = flow, .passes = passes, .thin = thin,
                                           .push = push};
