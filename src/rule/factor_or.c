/* factor_or: (a AND b) OR (a AND c) is a AND (b OR c): what all branches say may be pushed down or join tables.
 *
 * Of filters and joins, whose ANDs other rules take apart into conjuncts. Only where nothing can raise: the order in which arguments
 * are looked at changes. */
#include "plan/rewrites.h"
#include "plan/rule.h"

/* Operators that take conjuncts have some. */
static bool check(const fl_rule_call *call)
{
    return fl_rewrites_of(call->node)->takes != NULL;
}

static bool branch_has(const fl_expr *branch, const fl_expr *e)
{
    if (branch->kind != FL_EXPR_AND)
        return branch == e;
    for (int32_t i = 0; i < branch->n_args; i++)
        if (branch->args[i] == e)
            return true;
    return false;
}

static fl_status factor(void *ctx, fl_plan *plan, const fl_expr *e, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_rule_call *call = ctx;
    const fl_expr **common = NULL, **branches = NULL, **rest = NULL;
    int32_t n_common = 0, n_branches = 0;
    *ret = e;
    if (e->kind != FL_EXPR_OR || e->n_args > 64 || !fl_expr_is_movable(e))
        return FL_OK;
    const fl_expr *first = e->args[0];
    int32_t n_first = first->kind == FL_EXPR_AND ? first->n_args : 1;
    FL_TRY(FL_NEW_ARRAY(call->scratch, n_first + 1, &common, err));
    for (int32_t i = 0; i < n_first; i++) {
        const fl_expr *candidate = first->kind == FL_EXPR_AND ? first->args[i] : first;
        bool in_all = true;
        for (int32_t b = 1; b < e->n_args && in_all; b++)
            in_all = branch_has(e->args[b], candidate);
        if (in_all)
            common[n_common++] = candidate;
    }
    if (n_common == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->scratch, e->n_args, &branches, err));
    for (int32_t b = 0; b < e->n_args; b++) {
        const fl_expr *branch = e->args[b];
        int32_t n = branch->kind == FL_EXPR_AND ? branch->n_args : 1, n_rest = 0;
        FL_TRY(FL_NEW_ARRAY(call->scratch, n, &rest, err));
        for (int32_t i = 0; i < n; i++) {
            const fl_expr *part = branch->kind == FL_EXPR_AND ? branch->args[i] : branch;
            bool taken = false;
            for (int32_t c = 0; c < n_common; c++)
                taken |= common[c] == part;
            if (!taken)
                rest[n_rest++] = part;
        }
        if (n_rest == 0) { /* this branch says no more than the others together: the OR is the common part */
            return fl_expr_and(plan, common, n_common, e->pos, ret, err);
        }
        FL_TRY(fl_expr_and(plan, rest, n_rest, branch->pos, &branches[n_branches++], err));
    }
    FL_TRY(fl_expr_or(plan, branches, n_branches, e->pos, &common[n_common++], err));
    st = fl_expr_and(plan, common, n_common, e->pos, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *out = NULL;
    FL_TRY(fl_node_rewrite_exprs(call->plan, call->node, factor, call, &out, err));
    if (out == call->node)
        return FL_OK;
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_factor_or = {FL_DESC(fl_rule_desc),
                                        .name = "factor_or",
                                        .phase = "normalize",
                                        .pattern = "?",
                                        .scope = FL_SCOPE_BOTH,
                                        .promise = 70,
                                        .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ORDER,
                                        .check = check,
                                        .on_match = on_match,
                                        .doc = "what all branches of an OR say stands once, in front of it"};
