/* inline_row: a join with one row of constants is a projection of them, and its condition a filter: what a scalar subquery, a table
 * expression of parameters or an aggregate that is known gives then takes part in folding, in filters and in what scans skip.
 *
 * Which rows the other side has does not change where nothing is compared, or where rows without a partner do not come out. What can
 * raise when the row is computed stays where it is: it might be asked for no row, and then raise nothing. */
#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "plan/expr_walk.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

static bool is_constant(const fl_expr *e)
{
    return e->kind == FL_EXPR_CONST || e->kind == FL_EXPR_PARAM;
}

/* The constants of a side's only row; *ret NULL: it is not that. */
static fl_status row_of(const fl_rule_call *call, const fl_node *side, const fl_expr ***ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_op_rewrites *rewrites = fl_rewrites_of(side);
    const fl_expr **values = NULL;
    bool is_one = false;
    *ret = NULL;
    if (rewrites->row == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->scratch, side->n_cols + 1, &values, err));
    FL_TRY(rewrites->row(call->plan, side, values, &is_one, err));
    for (int32_t i = 0; i < side->n_cols && is_one; i++) {
        fl_value value;
        if (is_constant(values[i]))
            continue;
        is_one =
            !(values[i]->flags & (FL_EXPR_HAS_COLUMN | FL_EXPR_VOLATILE | FL_EXPR_HAS_PARAM | FL_EXPR_HAS_SUBQUERY)) &&
            call->evaluator != NULL && !fl_type_is_nested(values[i]->type) &&
            call->evaluator->fold(call->evaluator, call->plan, values[i], call->scratch, &value, NULL) == FL_OK;
        if (!is_one)
            continue;
        value.type = values[i]->type;
        FL_TRY(fl_expr_const(call->plan, &value, values[i]->pos, &values[i], err));
    }
    if (is_one)
        *ret = values;
cleanup:
    return st;
}

/* Whether the side's row may be taken into the other side's, whose rows come out once each or, where the condition does not hold, not. */
static bool may_go(const fl_join_attrs *join, int32_t side)
{
    switch (join->kind) {
    case FL_JOIN_INNER:
        return true;
    case FL_JOIN_SEMI:
        return side == 1;
    case FL_JOIN_MARK:
        return side == 1 && join->n_conjuncts > 0;
    case FL_JOIN_LEFT:
    case FL_JOIN_SINGLE:
    case FL_JOIN_FIRST:
        return side == 1 && join->n_conjuncts == 0;
    default:
        return false;
    }
}

/* Whether the expressions read a column that the projection computes. */
static fl_status reads_computed(fl_rule_call *call, const fl_project_attrs *below, const fl_expr *const *exprs,
                                int32_t n, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_set_init(&used);
    *ret = false;
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_add_cols(fl_plan_arena(call->plan), exprs[i], &used, err));
    for (int32_t i = 0; i < below->n_cols; i++)
        *ret |= fl_col_set_has(&used, below->cols[i]);
cleanup:
    return st;
}

/* A projection that has the columns beside what is there; in a projection that is there already, so that many rows make no tower, but
 * over it where a mark is made of what it computes. */
static fl_status add_columns(fl_rule_call *call, const fl_node *node, const fl_col_id *cols,
                             const fl_expr *const *exprs, int32_t n, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_project_attrs none = {0}, *below = node->op == &fl_op_project ? fl_project_of(node) : &none;
    fl_col_id *all_cols = NULL;
    const fl_expr **all_exprs = NULL;
    bool stays = false;
    FL_TRY(reads_computed(call, below, exprs, n, &stays, err));
    below = stays ? &none : below;
    int32_t n_below = below->n_cols;
    fl_project_attrs all = {
        .n_cols = n_below + n, .n_exprs = n_below + n, .n_passed = node->n_cols, .passed = node->cols};
    FL_TRY(FL_NEW_ARRAY(call->scratch, all.n_cols + 1, &all_cols, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, all.n_cols + 1, &all_exprs, err));
    for (int32_t i = 0; i < all.n_cols; i++) {
        all_cols[i] = i < n_below ? below->cols[i] : cols[i - n_below];
        all_exprs[i] = i < n_below ? below->exprs[i] : exprs[i - n_below];
    }
    if (below != &none) {
        all.n_passed = below->n_passed;
        all.passed = below->passed;
        node = node->inputs[0];
    }
    all.cols = all_cols;
    all.exprs = all_exprs;
    st = fl_node_make(call->plan, &fl_op_project, &all, NULL, &node, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static fl_status take_in(fl_rule_call *call, int32_t side, const fl_expr *const *row, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *gone = node->inputs[side], *out = node->inputs[1 - side];
    const fl_join_attrs *join = fl_join_of(node);
    const fl_expr **tests = NULL, **exprs = NULL;
    fl_col_id *cols = NULL;
    int32_t n = 0;
    fl_substitution s = {0};
    FL_TRY(fl_substitution_init(&s, call->plan, gone->cols, row, gone->n_cols, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, join->n_conjuncts + 1, &tests, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, node->n_cols + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, node->n_cols + 1, &cols, err));
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        FL_TRY(fl_substitute(&s, join->conjuncts[i], &tests[i], err));
    for (int32_t i = 0; i < gone->n_cols; i++)
        if (fl_col_set_has(&node->made, gone->cols[i])) {
            cols[n] = gone->cols[i];
            exprs[n++] = row[i];
        }
    if (join->kind == FL_JOIN_MARK && fl_col_set_has(&node->made, join->mark)) {
        cols[n] = join->mark;
        FL_TRY(fl_expr_and(call->plan, tests, join->n_conjuncts, -1, &exprs[n++], err));
    } else if (join->kind != FL_JOIN_MARK) {
        FL_TRY(fl_filter_build_all(call->plan, out, tests, join->n_conjuncts, &out, err));
    }
    if (n > 0)
        FL_TRY(add_columns(call, out, cols, exprs, n, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, node->cols, node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    fl_substitution_drop(&s);
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **row = NULL;
    for (int32_t side = 1; side >= 0 && row == NULL; side--) {
        if (!may_go(fl_join_of(call->node), side))
            continue;
        FL_TRY(row_of(call, call->node->inputs[side], &row, err));
        if (row != NULL)
            FL_TRY(take_in(call, side, row, err));
    }
cleanup:
    return st;
}

const fl_rule_desc fl_rule_inline_row = {FL_DESC(fl_rule_desc),
                                         .name = "inline_row",
                                         .phase = "normalize",
                                         .pattern = "join",
                                         .scope = FL_SCOPE_BOTH,
                                         .promise = 74,
                                         .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                         .on_match = on_match,
                                         .doc = "a join with one row of constants is a projection and a filter"};
