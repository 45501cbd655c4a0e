/* flatten_lateral: a dependent join with rows that are made of one left row alone is no join but what makes them, put on
 * the left side: FROM t, unnest(t.l) expands the rows of t.
 *
 *     apply(t, project(unnest(values of one row)))   becomes   project(unnest(t))
 *
 * The right side is a chain of projections, filters and unnests over VALUES with one row. A left join keeps rows without a
 * partner: there the chain is an unnest with nothing but passed columns above it, which then keeps them itself. */
#include "op/apply/node.h"
#include "op/filter/node.h"
#include "op/project/node.h"
#include "op/unnest/node.h"
#include "op/values/node.h"
#include "plan/rule.h"

static bool is_chain(const fl_node *node)
{
    while (node->op == &fl_op_project || node->op == &fl_op_filter || node->op == &fl_op_unnest)
        node = node->inputs[0];
    return node->op == &fl_op_values && fl_values_of(node)->n_rows == 1;
}

/* The unnest of a chain whose rows are its rows, or NULL. */
static const fl_node *top_unnest(const fl_node *node)
{
    while (node->op == &fl_op_project && fl_project_of(node)->n_cols == 0)
        node = node->inputs[0];
    return node->op == &fl_op_unnest ? node : NULL;
}

/* One row for each left row, which is what an unnest that keeps rows must stand on. */
static bool is_one_row(const fl_node *node)
{
    while (node->op == &fl_op_project)
        node = node->inputs[0];
    return node->op == &fl_op_values;
}

static bool check(const fl_rule_call *call)
{
    const fl_apply_attrs *apply = fl_apply_of(call->node);
    const fl_node *right = call->node->inputs[1], *unnest = top_unnest(right);
    if (!is_chain(right))
        return false;
    if (apply->kind == FL_JOIN_LEFT)
        return unnest != NULL && is_one_row(unnest->inputs[0]) &&
               (apply->n_conjuncts == 0 || (apply->n_conjuncts == 1 && fl_expr_is_true(apply->conjuncts[0])));
    return apply->kind == FL_JOIN_INNER;
}

/* A projection that passes all of the input's columns, too. */
static fl_status extend(fl_plan *plan, const fl_node *input, const fl_expr *const *exprs, const fl_col_id *cols,
                        int32_t n, const fl_node **ret, fl_err *err)
{
    fl_project_attrs attrs = {
        .n_cols = n, .cols = cols, .n_exprs = n, .exprs = exprs, .n_passed = input->n_cols, .passed = input->cols};
    return fl_node_make(plan, &fl_op_project, &attrs, NULL, &input, 1, NULL, 0, ret, err);
}

/* Lists that a projection only copies are read where they come from: the projection goes, when it holds nothing else. */
static fl_status skip_copies(fl_plan *plan, const fl_node **input, fl_unnest_attrs *unnest, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *lists = NULL;
    if ((*input)->op != &fl_op_project)
        return FL_OK;
    const fl_project_attrs *project = fl_project_of(*input);
    const fl_node *below = (*input)->inputs[0];
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), unnest->n_lists, &lists, err));
    memcpy(lists, unnest->lists, (size_t)unnest->n_lists * sizeof(*lists));
    for (int32_t i = 0; i < project->n_cols; i++) {
        const fl_expr *made = project->exprs[i];
        if (made->kind != FL_EXPR_COLUMN || !fl_col_set_has(&below->made, made->col))
            return FL_OK;
        for (int32_t l = 0; l < unnest->n_lists; l++)
            if (fl_col_is_equal(lists[l], project->cols[i]))
                lists[l] = made->col;
    }
    unnest->lists = lists;
    *input = below;
cleanup:
    return st;
}

/* The chain over the left side instead of the one row. */
static fl_status put_over(fl_plan *plan, const fl_node *left, const fl_node *node, bool keeps_all, const fl_node **ret,
                          fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *input = NULL;
    if (node->op == &fl_op_values) {
        const fl_values_attrs *values = fl_values_of(node);
        *ret = left;
        return values->n_cols == 0 ? FL_OK : extend(plan, left, values->exprs, values->cols, values->n_cols, ret, err);
    }
    FL_TRY(put_over(plan, left, node->inputs[0], keeps_all, &input, err));
    if (node->op == &fl_op_filter) {
        const fl_filter_attrs *filter = fl_filter_of(node);
        st = fl_filter_build_all(plan, input, filter->conjuncts, filter->n_conjuncts, ret, err);
    } else if (node->op == &fl_op_unnest) {
        fl_unnest_attrs attrs = *fl_unnest_of(node);
        attrs.keeps_all |= keeps_all;
        FL_TRY(skip_copies(plan, &input, &attrs, err));
        st = fl_node_make(plan, &fl_op_unnest, &attrs, NULL, &input, 1, NULL, 0, ret, err);
    } else {
        const fl_project_attrs *project = fl_project_of(node);
        *ret = input;
        if (project->n_cols > 0)
            st = extend(plan, input, project->exprs, project->cols, project->n_cols, ret, err);
    }
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_apply_attrs *apply = fl_apply_of(call->node);
    const fl_node *out = NULL;
    bool is_left = apply->kind == FL_JOIN_LEFT;
    FL_TRY(put_over(call->plan, call->node->inputs[0], call->node->inputs[1], is_left, &out, err));
    if (!is_left && apply->n_conjuncts > 0)
        FL_TRY(fl_filter_build_all(call->plan, out, apply->conjuncts, apply->n_conjuncts, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_flatten_lateral = {FL_DESC(fl_rule_desc),
                                              .name = "flatten_lateral",
                                              .phase = "unnest",
                                              .pattern = "apply",
                                              .scope = FL_SCOPE_GLOBAL,
                                              .is_required = true,
                                              .promise = 20,
                                              .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                              .check = check,
                                              .on_match = on_match,
                                              .doc = "what one row makes of itself needs no join"};
