/* subquery_to_in: a filter's conjunct `x = (SELECT ...)`, of a subquery that reads no outer columns, becomes `x IN (SELECT ...)`.
 *
 * That is a semi join, which goes to where x is made and hands its keys to scans, while the column of a scalar subquery is only there
 * above all that the filter reads. Where the subquery may have several rows, `(SELECT ...) IS NOT NULL` is asked of those that are
 * left: it is true of them, and fails as the text says. So that it has several is not
 * seen where no row meets any of them. */
#include "op/filter/node.h"
#include "plan/props.h"
#include "plan/rule.h"

/* The argument that is the subquery; -1: none is, or it cannot be asked in another way. */
static int32_t find_scalar(const fl_expr *e)
{
    if (e->kind != FL_EXPR_CALL || e->n_args != 2 || strcmp(e->func->name, "=") != 0)
        return -1;
    for (int32_t i = 0; i < 2; i++) {
        const fl_expr *scalar = e->args[i], *other = e->args[1 - i];
        if (scalar->kind == FL_EXPR_SUBQUERY && scalar->subquery->kind == FL_SUBQUERY_SCALAR &&
            fl_col_set_is_empty(&scalar->subquery->query->outer) &&
            !(scalar->subquery->query->holds & FL_HOLDS_VOLATILE) && (other->flags & FL_EXPR_HAS_COLUMN) &&
            !(other->flags & (FL_EXPR_HAS_SUBQUERY | FL_EXPR_VOLATILE)))
            return i;
    }
    return -1;
}

static bool check(const fl_rule_call *call)
{
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    for (int32_t i = 0; i < filter->n_conjuncts; i++)
        if (find_scalar(filter->conjuncts[i]) >= 0)
            return true;
    return false;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_expr **conjuncts = NULL;
    const fl_node *out = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), 2 * filter->n_conjuncts, &conjuncts, err));
    for (int32_t i = 0; i < filter->n_conjuncts; i++) {
        const fl_expr *e = filter->conjuncts[i];
        const fl_props *props = NULL;
        int32_t at = find_scalar(e);
        if (at < 0) {
            conjuncts[n++] = e;
            continue;
        }
        fl_subquery in = {.kind = FL_SUBQUERY_ANY,
                          .compare = "=",
                          .query = e->args[at]->subquery->query,
                          .n_left = 1,
                          .left = &e->args[1 - at]};
        FL_TRY(fl_node_props(call->plan, in.query, &props, err));
        FL_TRY(fl_expr_subquery(call->plan, &in, e->pos, &conjuncts[n++], err));
        if (props->rows_max <= 1)
            continue;
        FL_TRY(fl_expr_is_null(call->plan, e->args[at], e->pos, &conjuncts[n], err));
        FL_TRY(fl_expr_not(call->plan, conjuncts[n], e->pos, &conjuncts[n], err));
        n++;
    }
    FL_TRY(fl_filter_build_all(call->plan, call->node->inputs[0], conjuncts, n, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_subquery_to_in = {
    FL_DESC(fl_rule_desc),
    .name = "subquery_to_in",
    .phase = "unnest",
    .pattern = "filter",
    .scope = FL_SCOPE_GLOBAL,
    .promise = 12,
    .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
    .check = check,
    .on_match = on_match,
    .doc = "equality with a scalar subquery without outer columns is IN, a semi join"};
