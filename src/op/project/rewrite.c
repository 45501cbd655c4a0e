/* project: what rules may do with it. */
#include "op/project/node.h"

#include "plan/expr_walk.h"
#include "plan/rewrites.h"

#define STRICT_PARTS_MAX 1000 /* of an expression that is looked into: shared parts are met as often as they occur */

static uint32_t flow(const fl_node *node)
{
    (void)node;
    return FL_ROWS_ONE_FOR_ONE | FL_ROWS_ORDERED | FL_ROWS_ALONE | FL_ROWS_CHOSEN;
}

/* Whether what the conjunct reads can be computed a second time. */
static bool is_repeatable(const fl_project_attrs *project, const fl_col_set *used)
{
    for (int32_t c = 0; c < project->n_cols; c++)
        if (fl_col_set_has(used, project->cols[c]) &&
            (project->exprs[c]->flags & (FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY)))
            return false;
    return true;
}

/* Below, computed columns are the expressions that they are computed by. */
static fl_status passes(fl_plan *plan, const fl_node *node, int32_t input, const fl_expr *const *conjuncts, int32_t n,
                        const fl_expr **ret, fl_err *err)
{
    (void)input;
    fl_status st = FL_OK;
    const fl_project_attrs *project = fl_project_of(node);
    fl_substitution s = {0};
    FL_TRY(fl_substitution_init(&s, plan, project->cols, project->exprs, project->n_cols, err));
    for (int32_t i = 0; i < n; i++) {
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(fl_plan_arena(plan), conjuncts[i], &used, err));
        if (is_repeatable(project, &used))
            FL_TRY(fl_substitute(&s, conjuncts[i], &ret[i], err));
    }
cleanup:
    fl_substitution_drop(&s);
    return st;
}

static fl_status thin(fl_plan *plan, const fl_node *node, const fl_col_set *wanted, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_project_attrs *old = fl_project_of(node);
    fl_project_attrs attrs = {0};
    fl_col_id *cols = NULL, *passed = NULL;
    const fl_expr **exprs = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), old->n_cols + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), old->n_cols + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), old->n_passed + 1, &passed, err));
    for (int32_t i = 0; i < old->n_cols; i++)
        if (fl_col_set_has(wanted, old->cols[i]) || (old->exprs[i]->flags & FL_EXPR_VOLATILE)) {
            cols[attrs.n_cols] = old->cols[i];
            exprs[attrs.n_cols++] = old->exprs[i];
        }
    for (int32_t i = 0; i < old->n_passed; i++)
        if (fl_col_set_has(wanted, old->passed[i]))
            passed[attrs.n_passed++] = old->passed[i];
    attrs.n_exprs = attrs.n_cols;
    attrs.cols = cols;
    attrs.exprs = exprs;
    attrs.passed = passed;
    st = fl_node_make(plan, &fl_op_project, &attrs, node->traits, node->inputs, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static fl_status widen(fl_plan *plan, const fl_node *node, const fl_node *input, const fl_node **ret, fl_err *err)
{
    fl_project_attrs attrs = *fl_project_of(node);
    *ret = input;
    if (attrs.n_cols == 0)
        return FL_OK;
    attrs.passed = input->cols;
    attrs.n_passed = input->n_cols;
    return fl_node_make(plan, &fl_op_project, &attrs, node->traits, &input, 1, NULL, 0, ret, err);
}

/* ---- outer columns ------------------------------------------------------------------------------------------------- */

/* Whether it gives null where all of its columns are null. */
static bool is_strict(const fl_expr *e)
{
    if (e->kind == FL_EXPR_COLUMN)
        return true;
    if (e->kind == FL_EXPR_CAST)
        return is_strict(e->args[0]);
    if (e->kind != FL_EXPR_CALL || !(e->traits & FL_NULL_GIVES_NULL) || e->size > STRICT_PARTS_MAX)
        return false;
    for (int32_t i = 0; i < e->n_args; i++)
        if (e->args[i]->kind != FL_EXPR_CONST && is_strict(e->args[i]))
            return true;
    return false;
}

/* Passed columns, and more that are not among them yet. */
static fl_status pass_more(fl_plan *plan, fl_project_attrs *project, const fl_col_id *more, int32_t n_more, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *passed = NULL;
    int32_t n = project->n_passed;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + n_more + 1, &passed, err));
    for (int32_t i = 0; i < n; i++)
        passed[i] = project->passed[i];
    for (int32_t i = 0; i < n_more; i++) {
        bool is_known = false;
        for (int32_t j = 0; j < project->n_passed; j++)
            is_known |= passed[j].n == more[i].n;
        if (!is_known)
            passed[n++] = more[i];
    }
    project->passed = passed;
    project->n_passed = n;
cleanup:
    return st;
}

static fl_status pull(fl_unnesting *u, const fl_node *node, bool missing_is_null, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_project_attrs attrs = *fl_project_of(node);
    const fl_node *input = NULL;
    fl_col_id *more = NULL;
    int32_t n_more = 0, from = u->n_pulled;
    for (int32_t i = 0; i < attrs.n_exprs; i++) {
        bool is_outer = false;
        FL_TRY(fl_unnesting_reads_outer(u, attrs.exprs[i], &is_outer, err));
        if (is_outer)
            return FL_OK;
        missing_is_null &= is_strict(attrs.exprs[i]);
    }
    for (int32_t i = 0; i < attrs.n_passed; i++)
        if (fl_col_set_has(u->outer, attrs.passed[i]))
            return FL_OK;
    FL_TRY(fl_unnesting_pull(u, node->inputs[0], missing_is_null, &input, err));
    if (input == NULL)
        return FL_OK;
    FL_TRY(fl_unnesting_pulled_cols(u, from, input, &more, &n_more, err));
    FL_TRY(pass_more(u->plan, &attrs, more, n_more, err));
    st = fl_node_make(u->plan, &fl_op_project, &attrs, node->traits, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static fl_status row(fl_plan *plan, const fl_node *node, const fl_expr **ret, bool *ret_is_one, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_project_attrs *project = fl_project_of(node);
    const fl_node *input = node->inputs[0];
    const fl_op_rewrites *below = fl_rewrites_of(input);
    const fl_expr **values = NULL;
    fl_substitution s = {0}, made = {0};
    bool is_one = false;
    if (below->row == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), input->n_cols + 1, &values, err));
    FL_TRY(below->row(plan, input, values, &is_one, err));
    for (int32_t i = 0; i < input->n_cols && is_one; i++)
        is_one = !(values[i]->flags & FL_EXPR_VOLATILE);
    if (!is_one)
        return FL_OK;
    FL_TRY(fl_substitution_init(&s, plan, input->cols, values, input->n_cols, err));
    FL_TRY(fl_substitution_init(&made, plan, project->cols, project->exprs, project->n_cols, err));
    for (int32_t i = 0; i < node->n_cols; i++) {
        const fl_expr *col = NULL;
        FL_TRY(fl_expr_column(plan, node->cols[i], -1, &col, err));
        FL_TRY(fl_substitute(&made, col, &ret[i], err));
        FL_TRY(fl_substitute(&s, ret[i], &ret[i], err));
    }
    *ret_is_one = true;
cleanup:
    fl_substitution_drop(&s);
    fl_substitution_drop(&made);
    return st;
}

static fl_status push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    fl_project_attrs attrs = *fl_project_of(node);
    const fl_node *input = NULL;
    const fl_expr **exprs = NULL;
    FL_TRY(fl_unnesting_push(u, node->inputs[0], &input, ret_cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), attrs.n_exprs + 1, &exprs, err));
    for (int32_t i = 0; i < attrs.n_exprs; i++)
        FL_TRY(fl_unnesting_rename(u, ret_cols, attrs.exprs[i], &exprs[i], err));
    attrs.exprs = exprs;
    FL_TRY(pass_more(u->plan, &attrs, ret_cols, u->n_cols, err));
    st = fl_node_make(u->plan, &fl_op_project, &attrs, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

const fl_op_rewrites fl_project_rewrites = {FL_DESC(fl_op_rewrites),
                                            .flow = flow,
                                            .order = fl_order_is_passed,
                                            .passes = passes,
                                            .thin = thin,
                                            .widen = widen,
                                            .row = row,
                                            .pull = pull,
                                            .push = push};
