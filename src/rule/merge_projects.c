/* merge_projects: a projection over a projection is one, where no expression would be computed twice; a projection that
 * changes nothing goes. */
#include "op/project/node.h"
#include "plan/rule.h"

static fl_status count_uses(fl_plan *plan, const fl_expr *e, const fl_project_attrs *below, int32_t *uses, fl_err *err)
{
    (void)plan;
    fl_status st = FL_OK;
    if (e->kind == FL_EXPR_COLUMN)
        for (int32_t i = 0; i < below->n_cols; i++)
            uses[i] += below->cols[i].n == e->col.n;
    for (int32_t i = 0; i < e->n_args && st == FL_OK; i++)
        st = count_uses(plan, e->args[i], below, uses, err);
    return st;
}

static bool is_identity(const fl_node *node)
{
    const fl_project_attrs *project = fl_project_of(node);
    return project->n_cols == 0 && node->n_cols == node->inputs[0]->n_cols;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *below = node->inputs[0], *out = NULL;
    if (is_identity(node))
        return fl_rule_call_transform_to(call, below, err);
    if (below->op != &fl_op_project)
        return FL_OK;
    const fl_project_attrs *upper = fl_project_of(node), *lower = fl_project_of(below);
    int32_t *uses = NULL;
    fl_arena *arena = fl_plan_arena(call->plan);
    FL_TRY(FL_NEW_ARRAY(arena, lower->n_cols + 1, &uses, err));
    for (int32_t i = 0; i < upper->n_exprs; i++) {
        if (upper->exprs[i]->flags & FL_EXPR_HAS_SUBQUERY)
            return FL_OK;
        FL_TRY(count_uses(call->plan, upper->exprs[i], lower, uses, err));
    }
    for (int32_t c = 0; c < lower->n_cols; c++) {
        for (int32_t i = 0; i < upper->n_passed; i++)
            uses[c] += upper->passed[i].n == lower->cols[c].n;
        bool cheap = lower->exprs[c]->n_args == 0;
        if ((uses[c] > 1 && !cheap) || (lower->exprs[c]->flags & (FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY)) ||
            (uses[c] == 0 && (lower->exprs[c]->flags & FL_EXPR_CAN_FAIL)))
            return FL_OK;
    }
    fl_project_attrs attrs = {0};
    fl_col_id *cols = NULL, *passed = NULL;
    const fl_expr **exprs = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, upper->n_cols + lower->n_cols + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(arena, upper->n_cols + lower->n_cols + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(arena, upper->n_passed + 1, &passed, err));
    for (int32_t i = 0; i < upper->n_cols; i++) {
        cols[attrs.n_cols] = upper->cols[i];
        FL_TRY(fl_expr_substitute(call->plan, upper->exprs[i], lower->cols, lower->exprs, lower->n_cols,
                                  &exprs[attrs.n_cols++], err));
    }
    for (int32_t i = 0; i < upper->n_passed; i++) {
        int32_t c = 0;
        while (c < lower->n_cols && lower->cols[c].n != upper->passed[i].n)
            c++;
        if (c < lower->n_cols) {
            cols[attrs.n_cols] = lower->cols[c];
            exprs[attrs.n_cols++] = lower->exprs[c];
        } else {
            passed[attrs.n_passed++] = upper->passed[i];
        }
    }
    attrs.n_exprs = attrs.n_cols;
    attrs.cols = cols;
    attrs.exprs = exprs;
    attrs.passed = passed;
    FL_TRY(fl_node_make(call->plan, &fl_op_project, &attrs, node->traits, below->inputs, 1, node->cols, node->n_cols,
                        &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_merge_projects = {FL_DESC(fl_rule_desc),
                                             .name = "merge_projects",
                                             .phase = "refine",
                                             .pattern = "project",
                                             .scope = FL_SCOPE_BOTH,
                                             .promise = 45,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                             .on_match = on_match,
                                             .doc = "projections over projections are one"};
