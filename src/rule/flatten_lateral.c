/* flatten_lateral: a dependent join with rows that are made of one left row alone is no join but what makes them, put on
 * the left side: FROM t, unnest(t.l) expands the rows of t.
 *
 *     apply(t, project(unnest(values of one row)))   becomes   project(unnest(t))
 *
 * The right side is a chain of operators over one row of which each treats every row by itself. A left join keeps rows without a
 * partner: there a single operator of the chain may have no row for one, with nothing but passed columns above it, and then
 * keeps them itself. */
#include "op/apply/node.h"
#include "op/filter/node.h"
#include "plan/props.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

typedef struct flattening {
    fl_plan *plan;
    const fl_node *left;
    const fl_node *keeper; /* of a left join: the operator that keeps rows; else NULL */
} flattening;

static bool check(const fl_rule_call *call)
{
    const fl_apply_attrs *apply = fl_apply_of(call->node);
    if (apply->kind == FL_JOIN_LEFT)
        return apply->n_conjuncts == 0 || (apply->n_conjuncts == 1 && fl_expr_is_true(apply->conjuncts[0]));
    return apply->kind == FL_JOIN_INNER;
}

static bool is_link(const fl_node *node)
{
    return node->n_inputs == 1 && fl_rows_are(node, FL_ROWS_ALONE);
}

static fl_status is_chain(fl_plan *plan, const fl_node *node, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_props *props = NULL;
    while (is_link(node))
        node = node->inputs[0];
    *ret = false;
    if (node->n_inputs > 0)
        return FL_OK;
    FL_TRY(fl_node_props(plan, node, &props, err));
    *ret = props->rows_min == 1 && props->rows_max == 1;
cleanup:
    return st;
}

/* Whether columns that are made below the keeper can be seen above the chain: there they are null beside its nulls. What it
 * reads itself, as the elements' list, has no name in FROM where it is the whole right side. */
static fl_status shows_inputs(fl_arena *arena, const fl_node *right, const fl_node *keeper, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set seen;
    fl_col_set_init(&seen);
    FL_TRY(fl_col_set_add_all(arena, &seen, &right->made, err));
    fl_col_set_keep_all(&seen, &keeper->inputs[0]->made);
    if (right == keeper) {
        fl_col_set used;
        fl_col_set_init(&used);
        FL_TRY(fl_node_add_used_cols(arena, keeper, &used, err));
        fl_col_set_remove_all(&seen, &used);
    }
    *ret = !fl_col_set_is_empty(&seen);
cleanup:
    return st;
}

/* The one operator of a chain that need not have a row for each of its input's; NULL where a left join cannot do with it. */
static fl_status find_keeper(fl_rule_call *call, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *right = call->node->inputs[1], *keeper = right;
    bool is_shown = true;
    *ret = NULL;
    while (is_link(keeper) && fl_rows_are(keeper, FL_ROWS_ONE_FOR_ONE)) {
        if (!fl_col_set_has_all(&keeper->inputs[0]->made, &keeper->made))
            return FL_OK;
        keeper = keeper->inputs[0];
    }
    if (!is_link(keeper) || fl_rewrites_of(keeper)->keep_all == NULL)
        return FL_OK;
    const fl_node *below = keeper->inputs[0];
    while (is_link(below) && fl_rows_are(below, FL_ROWS_ONE_FOR_ONE))
        below = below->inputs[0];
    FL_TRY(shows_inputs(call->scratch, right, keeper, &is_shown, err));
    if (!is_link(below) && !is_shown)
        *ret = keeper;
cleanup:
    return st;
}

/* The chain over the left side instead of the one row; *ret is NULL where that cannot be. */
static fl_status put_over(const flattening *f, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *input = NULL;
    *ret = NULL;
    if (node->n_inputs == 0 && node->n_cols == 0) {
        *ret = f->left;
        return FL_OK;
    }
    if (node->n_inputs == 0) {
        if (fl_rewrites_of(node)->free_exprs != NULL)
            FL_TRY(fl_rewrites_of(node)->free_exprs(f->plan, node, &node, err));
        return is_link(node) ? put_over(f, node, ret, err) : FL_OK;
    }
    FL_TRY(put_over(f, node->inputs[0], &input, err));
    if (input == NULL)
        return FL_OK;
    if (node == f->keeper)
        FL_TRY(fl_rewrites_of(node)->keep_all(f->plan, node, &node, err));
    st = fl_node_widen(f->plan, node, input, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_apply_attrs *apply = fl_apply_of(call->node);
    const fl_node *right = call->node->inputs[1], *out = NULL;
    flattening f = {.plan = call->plan, .left = call->node->inputs[0]};
    bool is_flat = false, is_left = apply->kind == FL_JOIN_LEFT;
    FL_TRY(is_chain(call->plan, right, &is_flat, err));
    if (is_flat && is_left)
        FL_TRY(find_keeper(call, &f.keeper, err));
    if (!is_flat || (is_left && f.keeper == NULL))
        return FL_OK;
    FL_TRY(put_over(&f, right, &out, err));
    if (out == NULL || !fl_col_set_has_all(&out->made, &call->node->made))
        return FL_OK;
    if (!is_left)
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
