/* single_to_left: a scalar subquery that is grouped by the very columns that it is joined by has one row at the most: the
 * join that would count them is a left join. Filters, join order and run-time filters then treat it as one. */
#include "op/join/node.h"
#include "plan/props.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

/* Columns of the right side that a left row fixes. */
static fl_status add_fixed(fl_rule_call *call, fl_col_set *fixed, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(call->node);
    const fl_node *right = call->node->inputs[1];
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        for (int32_t a = 0; a < 2 && fl_expr_is_equality(join->conjuncts[i]); a++) {
            const fl_expr *col = join->conjuncts[i]->args[a], *other = join->conjuncts[i]->args[1 - a];
            fl_col_set used;
            fl_col_set_init(&used);
            FL_TRY(fl_expr_add_cols(call->scratch, other, &used, err));
            if (col->kind == FL_EXPR_COLUMN && fl_col_set_has(&right->made, col->col) &&
                !fl_col_set_meets(&used, &right->made) && !(other->flags & FL_EXPR_VOLATILE))
                FL_TRY(fl_col_set_add(call->scratch, fixed, col->col, err));
        }
cleanup:
    return st;
}

static bool check(const fl_rule_call *call)
{
    const fl_node *right = call->node->inputs[1];
    while (right->n_inputs == 1 && fl_rows_are(right, FL_ROWS_ONE_FOR_ONE))
        right = right->inputs[0];
    return fl_join_of(call->node)->kind == FL_JOIN_SINGLE && (right->op->holds & FL_HOLDS_GROUPS);
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_attrs attrs = *fl_join_of(call->node);
    const fl_node *out = NULL;
    const fl_props *right = NULL;
    fl_col_set fixed;
    bool is_key = false;
    fl_col_set_init(&fixed);
    FL_TRY(fl_node_props(call->plan, call->node->inputs[1], &right, err));
    FL_TRY(add_fixed(call, &fixed, err));
    FL_TRY(fl_props_has_key(call->plan, right, &fixed, &is_key, err));
    if (!is_key || right->rows_max <= 1) /* one row without keys has nothing to be counted */
        return FL_OK;
    attrs.kind = FL_JOIN_LEFT;
    FL_TRY(fl_node_make(call->plan, &fl_op_join, &attrs, call->node->traits, call->node->inputs, 2, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_single_to_left = {FL_DESC(fl_rule_desc),
                                             .name = "single_to_left",
                                             .phase = "normalize",
                                             .pattern = "join",
                                             .scope = FL_SCOPE_BOTH,
                                             .promise = 68,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                             .check = check,
                                             .on_match = on_match,
                                             .doc = "scalar subqueries grouped by their join columns are left joins"};
