/* single_to_left: a scalar subquery that is grouped by the very columns that it is joined by has one row at the most: the
 * join that would count them is a left join. Filters, join order and run-time filters then treat it as one. */
#include "op/aggregate/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "plan/rule.h"

static bool is_equated(const fl_join_attrs *join, fl_col_id col)
{
    for (int32_t i = 0; i < join->n_conjuncts; i++) {
        const fl_expr *e = join->conjuncts[i];
        if (e->kind != FL_EXPR_CALL || e->n_args != 2 ||
            (strcmp(e->func->name, "=") != 0 && strcmp(e->func->name, "is_not_distinct_from") != 0))
            continue;
        for (int32_t a = 0; a < 2; a++)
            if (e->args[a]->kind == FL_EXPR_COLUMN && e->args[a]->col.n == col.n)
                return true;
    }
    return false;
}

static bool check(const fl_rule_call *call)
{
    const fl_join_attrs *join = fl_join_of(call->node);
    const fl_node *right = call->node->inputs[1];
    if (join->kind != FL_JOIN_SINGLE)
        return false;
    while (right->op == &fl_op_project)
        right = right->inputs[0];
    if (right->op != &fl_op_aggregate || fl_aggregate_of(right)->n_keys == 0)
        return false;
    for (int32_t k = 0; k < fl_aggregate_of(right)->n_keys; k++)
        if (!is_equated(join, fl_aggregate_of(right)->cols[k]))
            return false;
    return true;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_attrs attrs = *fl_join_of(call->node);
    const fl_node *out = NULL;
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
