/* limit: what rules may do with it. */
#include "op/aggregate/node.h"
#include "op/limit/node.h"
#include "op/project/node.h"
#include "op/sort/node.h"
#include "op/unnest/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    const fl_limit_attrs *limit = fl_limit_of(node);
    return FL_ROWS_ONCE | FL_ROWS_ORDERED | (limit->offset == 0 && limit->limit != 0 ? FL_ROWS_SOME : 0);
}

/* ---- outer columns: LIMIT and OFFSET per domain value --------------------------------------------------------------- */

/* Of the list in a column what LIMIT and OFFSET leave: its first element, or a slice. */
static fl_status part_of_list(fl_plan *plan, fl_col_id col, const fl_limit_attrs *limit, bool is_first,
                              const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *list = NULL, *from = NULL, *to = NULL;
    fl_value first = {.type = FL_TYPE(FL_I64), .i = limit->offset + 1}, last = first;
    bool is_open = limit->limit < 0 || limit->limit > INT64_MAX - first.i;
    last.i = is_open ? INT64_MAX : limit->offset + limit->limit;
    FL_TRY(fl_expr_column(plan, col, -1, &list, err));
    FL_TRY(fl_expr_const(plan, &first, -1, &from, err));
    FL_TRY(fl_expr_const(plan, &last, -1, &to, err));
    st = is_first ? fl_expr_call_args(plan, "list_extract", -1, ret, err, 2, list, from)
                  : fl_expr_call_args(plan, "list_slice", -1, ret, err, 3, list, from, to);
cleanup:
    return st;
}

/* The rows of each domain value as lists, one for each column and each in the order of the sort below; they keep nulls. */
static fl_status gather_lists(fl_unnesting *u, const fl_node *node, fl_col_id *ret_lists, fl_col_id *ret_cols,
                              const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = fl_plan_arena(u->plan);
    const fl_node *below = node->inputs[0], *input = NULL;
    const fl_sort_key *order = NULL;
    fl_sort_key *keys = NULL;
    fl_col_id *cols = NULL;
    const fl_expr **groups = NULL;
    fl_agg *aggs = NULL;
    int32_t n_keys = 0;
    if (below->op == &fl_op_sort) {
        order = fl_sort_of(below)->keys;
        n_keys = fl_sort_of(below)->n_keys;
        below = below->inputs[0];
    }
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols + 1, &cols, err));
    FL_TRY(fl_unnesting_push(u, below, &input, cols, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_keys + 1, &keys, err));
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols + 1, &groups, err));
    FL_TRY(FL_NEW_ARRAY(arena, node->n_cols + 1, &aggs, err));
    for (int32_t k = 0; k < n_keys; k++) {
        keys[k] = order[k];
        FL_TRY(fl_unnesting_rename(u, cols, order[k].expr, &keys[k].expr, err));
    }
    for (int32_t i = 0; i < u->n_cols; i++)
        FL_TRY(fl_expr_column(u->plan, cols[i], -1, &groups[i], err));
    for (int32_t c = 0; c < node->n_cols; c++) {
        const fl_expr *value = NULL;
        FL_TRY(fl_expr_column(u->plan, node->cols[c], -1, &value, err));
        FL_TRY(fl_agg_make(u->plan, FL_STR("array_agg"), &value, 1, false, NULL, keys, n_keys, -1, &aggs[c], err));
        ret_lists[c] = aggs[c].out;
    }
    st = fl_aggregate_build(u->plan, input, groups, NULL, u->n_cols, aggs, node->n_cols, ret_cols, ret, err);
cleanup:
    return st;
}

/* Of the lists one element, or a slice that is unnested again. */
static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = fl_plan_arena(u->plan);
    const fl_limit_attrs *limit = fl_limit_of(node);
    const fl_node *grouped = NULL, *parted = NULL;
    const fl_expr **parts = NULL;
    fl_col_id *lists = NULL, *made = NULL;
    bool is_first = limit->limit == 1 && limit->offset == 0;
    if (node->n_cols == 0)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "%s inside a correlated subquery is not supported yet", node->op->name);
    FL_TRY(FL_NEW_ARRAY(arena, node->n_cols, &lists, err));
    FL_TRY(FL_NEW_ARRAY(arena, node->n_cols, &parts, err));
    FL_TRY(FL_NEW_ARRAY(arena, node->n_cols, &made, err));
    FL_TRY(gather_lists(u, node, lists, ret_cols, &grouped, err));
    for (int32_t c = 0; c < node->n_cols; c++) {
        FL_TRY(part_of_list(u->plan, lists[c], limit, is_first, &parts[c], err));
        made[c] = node->cols[c];
        if (!is_first) {
            fl_col_info info = *fl_plan_col(u->plan, lists[c]);
            FL_TRY(fl_plan_add_col(u->plan, &info, &made[c], err));
        }
    }
    fl_project_attrs attrs = {.n_cols = node->n_cols,
                              .cols = made,
                              .n_exprs = node->n_cols,
                              .exprs = parts,
                              .n_passed = u->n_cols,
                              .passed = ret_cols};
    FL_TRY(fl_node_make(u->plan, &fl_op_project, &attrs, NULL, &grouped, 1, NULL, 0, &parted, err));
    fl_unnest_attrs unnest = {.n_cols = node->n_cols, .cols = node->cols, .n_lists = node->n_cols, .lists = made};
    *ret = parted;
    if (!is_first)
        st = fl_node_make(u->plan, &fl_op_unnest, &unnest, NULL, &parted, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

const fl_op_rewrites fl_limit_rewrites = {FL_DESC(fl_op_rewrites), .flow = flow, .push = push};
