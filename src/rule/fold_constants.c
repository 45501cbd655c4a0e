/* fold_constants: expressions without columns are computed now; TRUE, FALSE, NOT NOT and constant CASE branches vanish.
 *
 * What raises is left for the run, where it raises only if it is reached. A constant in AND or OR decides only what comes
 * behind it: arguments in front may raise, and are kept. */
#include "plan/null.h"
#include "plan/props.h"
#include "plan/rule.h"

typedef struct folding {
    fl_rule_call *call;
    bool knows_not_null; /* what: below */
    fl_col_set not_null; /* columns, where the expressions are computed */
} folding;

static fl_status know_not_null(folding *f, fl_err *err)
{
    if (f->knows_not_null)
        return FL_OK;
    f->knows_not_null = true;
    return fl_node_input_not_null(f->call->plan, f->call->node, &f->not_null, err);
}

static bool is_const_bool(const fl_expr *e, bool *ret)
{
    if (e->kind != FL_EXPR_CONST || e->type.id != FL_BOOL || e->value->is_null)
        return false;
    *ret = e->value->b;
    return true;
}

static fl_status fold_junction(fl_plan *plan, fl_arena *scratch, const fl_expr *e, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **kept = NULL;
    int32_t n = 0;
    bool decides = e->kind == FL_EXPR_OR, can_fail = false;
    FL_TRY(FL_NEW_ARRAY(scratch, e->n_args, &kept, err));
    for (int32_t i = 0; i < e->n_args; i++) {
        bool value;
        if (is_const_bool(e->args[i], &value)) {
            if (value != decides)
                continue; /* neutral */
            if (!can_fail) {
                *ret = e->args[i];
                return FL_OK;
            }
            kept[n++] = e->args[i];
            break;
        }
        bool known = false; /* said twice */
        for (int32_t k = 0; k < n && n < 64; k++)
            known |= kept[k] == e->args[i];
        if (known && !(e->args[i]->flags & FL_EXPR_VOLATILE))
            continue;
        can_fail |= (e->args[i]->flags & FL_EXPR_CAN_FAIL) != 0;
        kept[n++] = e->args[i];
    }
    if (n == 0) {
        fl_value value = {.type = FL_TYPE(FL_BOOL), .b = !decides};
        return fl_expr_const(plan, &value, e->pos, ret, err);
    }
    if (n == e->n_args) {
        *ret = e;
        return FL_OK;
    }
    st = decides ? fl_expr_or(plan, kept, n, e->pos, ret, err) : fl_expr_and(plan, kept, n, e->pos, ret, err);
cleanup:
    return st;
}

static fl_status fold_case(fl_plan *plan, fl_arena *scratch, const fl_expr *e, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **kept = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(scratch, e->n_args, &kept, err));
    for (int32_t i = 0; i + 1 < e->n_args; i += 2) {
        if (fl_expr_is_false_or_null(e->args[i]))
            continue;
        if (fl_expr_is_true(e->args[i])) {
            kept[n++] = e->args[i + 1];
            break;
        }
        kept[n++] = e->args[i];
        kept[n++] = e->args[i + 1];
    }
    if (n % 2 == 0)
        kept[n++] = e->args[e->n_args - 1];
    if (n == e->n_args)
        *ret = e;
    else if (n == 1)
        *ret = kept[0];
    else
        st = fl_expr_case(plan, kept, n, e->pos, ret, err);
cleanup:
    return st;
}

static fl_status fold(void *ctx, fl_plan *plan, const fl_expr *e, const fl_expr **ret, fl_err *err)
{
    folding *f = ctx;
    const fl_rule_call *call = f->call;
    *ret = e;
    if (e->kind == FL_EXPR_AND || e->kind == FL_EXPR_OR)
        return fold_junction(plan, call->scratch, e, ret, err);
    if (e->kind == FL_EXPR_NOT && e->args[0]->kind == FL_EXPR_NOT) {
        *ret = e->args[0]->args[0];
        return FL_OK;
    }
    if (e->kind == FL_EXPR_CASE) {
        fl_status st = fold_case(plan, call->scratch, e, ret, err);
        if (st != FL_OK || *ret != e)
            return st;
    }
    if (e->kind == FL_EXPR_IS_NULL && fl_expr_is_movable(e->args[0])) {
        fl_value no = {.type = FL_TYPE(FL_BOOL)};
        fl_status st = know_not_null(f, err);
        if (st != FL_OK)
            return st;
        if (!fl_expr_can_be_null(e->args[0], &f->not_null))
            return fl_expr_const(plan, &no, e->pos, ret, err);
    }
    if (e->n_args == 0 ||
        (e->flags & (FL_EXPR_HAS_COLUMN | FL_EXPR_VOLATILE | FL_EXPR_HAS_PARAM | FL_EXPR_HAS_SUBQUERY)) ||
        call->evaluator == NULL || fl_type_is_nested(e->type))
        return FL_OK;
    for (int32_t i = 0; i < e->n_args; i++)
        if (e->args[i]->kind != FL_EXPR_CONST)
            return FL_OK;
    fl_value value;
    if (call->evaluator->fold(call->evaluator, plan, e, call->scratch, &value, NULL) != FL_OK)
        return FL_OK;
    value.type = e->type;
    return fl_expr_const(plan, &value, e->pos, ret, err);
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    const fl_node *out = NULL;
    folding f = {.call = call};
    fl_status st = fl_node_rewrite_exprs(call->plan, call->node, fold, &f, &out, err);
    return st == FL_OK ? fl_rule_call_transform_to(call, out, err) : st;
}

const fl_rule_desc fl_rule_fold_constants = {FL_DESC(fl_rule_desc),
                                             .name = "fold_constants",
                                             .phase = "normalize",
                                             .pattern = "?",
                                             .scope = FL_SCOPE_BOTH,
                                             .promise = 90,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ORDER,
                                             .on_match = on_match,
                                             .doc = "constant expressions are computed once"};
