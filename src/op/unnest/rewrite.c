/* unnest: what rules may do with it. What the elements have no part in is tested once per list; lists are columns of the input,
 * which keep their ids. */
#include "op/project/node.h"
#include "op/unnest/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    return FL_ROWS_ORDERED | FL_ROWS_ALONE | FL_ROWS_CHOSEN |
           (fl_unnest_of(node)->keeps_all ? FL_ROWS_SOME | FL_ROWS_ALL : 0);
}

/* Whether a projection makes nothing but copies of columns; `lists`: where each that is unnested comes from. */
static bool only_copies(const fl_node *input, fl_col_id *lists, int32_t n_lists)
{
    if (input->op != &fl_op_project)
        return false;
    const fl_project_attrs *project = fl_project_of(input);
    for (int32_t i = 0; i < project->n_cols; i++) {
        const fl_expr *made = project->exprs[i];
        if (made->kind != FL_EXPR_COLUMN || !fl_col_set_has(&input->inputs[0]->made, made->col))
            return false;
        for (int32_t l = 0; l < n_lists; l++)
            if (fl_col_is_equal(lists[l], project->cols[i]))
                lists[l] = made->col;
    }
    return true;
}

/* Lists that are copied below are read where they come from, and copied above, where hardly anyone wants them. */
static fl_status widen(fl_plan *plan, const fl_node *node, const fl_node *input, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_unnest_attrs attrs = *fl_unnest_of(node);
    fl_col_id *lists = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), attrs.n_lists, &lists, err));
    memcpy(lists, attrs.lists, (size_t)attrs.n_lists * sizeof(*lists));
    if (!only_copies(input, lists, attrs.n_lists))
        return fl_node_make(plan, &fl_op_unnest, &attrs, node->traits, &input, 1, NULL, 0, ret, err);
    attrs.lists = lists;
    FL_TRY(fl_node_make(plan, &fl_op_unnest, &attrs, node->traits, input->inputs, 1, NULL, 0, ret, err));
    fl_project_attrs copies = *fl_project_of(input);
    const fl_node *below = *ret;
    copies.passed = below->cols;
    copies.n_passed = below->n_cols;
    st = fl_node_make(plan, &fl_op_project, &copies, input->traits, &below, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static fl_status keep_all(fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_unnest_attrs attrs = *fl_unnest_of(node);
    attrs.keeps_all = true;
    return fl_node_make(plan, &fl_op_unnest, &attrs, node->traits, node->inputs, 1, node->cols, node->n_cols, ret, err);
}

const fl_op_rewrites fl_unnest_rewrites = {FL_DESC(fl_op_rewrites),       .flow = flow,   .order = fl_order_is_passed,
                                           .passes = fl_passes_as_it_is,  .widen = widen, .keep_all = keep_all,
                                           .push = fl_unnesting_push_rows};
