/* outer_to_inner: a filter that no null-extended row can pass makes an outer join an inner one (or a full join a left or
 * right one). If a side has no rows, it is then known that the join has none. */
#include "op/filter/node.h"
#include "op/join/node.h"
#include "plan/rule.h"

#define PARTS_MAX 100000 /* of an expression that is looked into: shared parts are met as often as they occur */

/* Whether the expression is null when all columns of the side are. */
static bool is_null_for_null(const fl_expr *e, const fl_col_set *side)
{
    if (e->size > PARTS_MAX)
        return false;
    switch (e->kind) {
    case FL_EXPR_COLUMN:
        return fl_col_set_has(side, e->col);
    case FL_EXPR_CAST:
    case FL_EXPR_IN:
    case FL_EXPR_FIELD:
    case FL_EXPR_NOT:
        return is_null_for_null(e->args[0], side);
    case FL_EXPR_CALL:
        for (int32_t i = 0; i < e->n_args && (e->traits & FL_NULL_GIVES_NULL); i++)
            if (is_null_for_null(e->args[i], side))
                return true;
        return false;
    default:
        return false;
    }
}

/* Whether the conjunct is not true when all columns of the side are null. */
static bool rejects_null(const fl_expr *e, const fl_col_set *side)
{
    if (e->size > PARTS_MAX)
        return false;
    if (e->kind == FL_EXPR_NOT && e->args[0]->kind == FL_EXPR_IS_NULL) /* x IS NOT NULL */
        return is_null_for_null(e->args[0]->args[0], side);
    if (e->kind != FL_EXPR_OR && e->kind != FL_EXPR_AND)
        return is_null_for_null(e, side);
    for (int32_t i = 0; i < e->n_args; i++) { /* every branch of an OR, one part of an AND */
        bool rejects = rejects_null(e->args[i], side);
        if (rejects != (e->kind == FL_EXPR_OR))
            return rejects;
    }
    return e->kind == FL_EXPR_OR;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_node *join = fl_rule_call_bound(call, "join"), *out = NULL;
    fl_join_attrs attrs = *fl_join_of(join);
    bool rejects[2] = {false, false};
    for (int32_t i = 0; i < filter->n_conjuncts; i++)
        for (int32_t s = 0; s < 2; s++)
            rejects[s] |= rejects_null(filter->conjuncts[i], &join->inputs[s]->made);
    int32_t kind = attrs.kind;
    if (kind == FL_JOIN_FULL && rejects[0]) /* unmatched right rows have null left columns */
        kind = FL_JOIN_LEFT;
    if (kind == FL_JOIN_FULL && rejects[1])
        kind = FL_JOIN_RIGHT;
    if (kind == FL_JOIN_LEFT && rejects[1])
        kind = FL_JOIN_INNER;
    if (kind == FL_JOIN_RIGHT && rejects[0])
        kind = FL_JOIN_INNER;
    if (kind == attrs.kind)
        return FL_OK;
    attrs.kind = kind;
    FL_TRY(fl_node_make(call->plan, &fl_op_join, &attrs, join->traits, join->inputs, 2, join->cols, join->n_cols, &out,
                        err));
    FL_TRY(fl_node_with_inputs(call->plan, call->node, &out, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_outer_to_inner = {FL_DESC(fl_rule_desc),
                                             .name = "outer_to_inner",
                                             .phase = "normalize",
                                             .pattern = "filter(join:join)",
                                             .scope = FL_SCOPE_BOTH,
                                             .promise = 65,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                             .on_match = on_match,
                                             .doc = "outer joins whose nulls are filtered out are inner joins"};
