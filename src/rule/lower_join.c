/* lower_join: joins with an equality between their sides are hashed, others compare every pair. */
#include "op/join/node.h"
#include "opt/lower.h"

static fl_status has_key(fl_rule_call *call, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(call->node);
    const fl_col_set *left = &call->node->inputs[0]->made, *right = &call->node->inputs[1]->made;
    *ret = false;
    for (int32_t i = 0; i < join->n_conjuncts && !*ret; i++) {
        const fl_expr *e = join->conjuncts[i];
        fl_col_set a, b;
        if (e->kind != FL_EXPR_CALL || e->n_args != 2 ||
            (strcmp(e->func->name, "=") != 0 && strcmp(e->func->name, "is_not_distinct_from") != 0))
            continue;
        FL_TRY(fl_col_set_init(call->plan, &a, err));
        FL_TRY(fl_col_set_init(call->plan, &b, err));
        FL_TRY(fl_expr_add_cols(call->plan, e->args[0], &a, err));
        FL_TRY(fl_expr_add_cols(call->plan, e->args[1], &b, err));
        if (fl_col_set_is_empty(&a) || fl_col_set_is_empty(&b))
            continue;
        *ret = (fl_col_set_has_all(left, &a) && fl_col_set_has_all(right, &b)) ||
               (fl_col_set_has_all(right, &a) && fl_col_set_has_all(left, &b));
    }
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    bool hashed = false;
    fl_status st = has_key(call, &hashed, err);
    return st != FL_OK ? st : fl_lower(call, hashed ? FL_IMPL_HASH : FL_IMPL_NESTED_LOOP, err);
}

const fl_rule_desc fl_rule_lower_join = {FL_DESC(fl_rule_desc),
                                         .name = "lower_join",
                                         .phase = "lower",
                                         .pattern = "join[logical]",
                                         .scope = FL_SCOPE_BOTH,
                                         .is_required = true,
                                         .keeps = FL_KEEPS_COLS | FL_KEEPS_ROW_COUNT,
                                         .on_match = on_match,
                                         .doc = "joins are hashed where there is an equality, else nested loops"};
