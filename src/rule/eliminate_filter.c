/* eliminate_filter: conjuncts that are always true go; one that never is makes the input empty.
 *
 * Folding leaves ANDs, of which more is known when they are laid flat. */
#include "op/filter/node.h"
#include "op/values/node.h"
#include "plan/rule.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_expr **kept = NULL;
    const fl_node *out = NULL;
    int32_t n = 0;
    bool can_fail = call->node->inputs[0]->can_fail;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), filter->n_conjuncts, &kept, err));
    for (int32_t i = 0; i < filter->n_conjuncts; i++) {
        const fl_expr *e = filter->conjuncts[i];
        if (fl_expr_is_true(e))
            continue;
        if (e->kind == FL_EXPR_AND) { /* folding made one: flatten */
            FL_TRY(fl_filter_build_all(call->plan, call->node->inputs[0], filter->conjuncts, i, &out, err));
            FL_TRY(fl_filter_build(call->plan, out, e, &out, err));
            FL_TRY(fl_filter_build_all(call->plan, out, filter->conjuncts + i + 1, filter->n_conjuncts - i - 1, &out,
                                       err));
            FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
            return fl_rule_call_transform_to(call, out, err);
        }
        if (fl_expr_is_false_or_null(e) && !can_fail) {
            fl_values_attrs none = {.n_cols = call->node->n_cols, .cols = call->node->cols};
            FL_TRY(fl_node_make(call->plan, &fl_op_values, &none, NULL, NULL, 0, NULL, 0, &out, err));
            return fl_rule_call_transform_to(call, out, err);
        }
        can_fail |= (e->flags & FL_EXPR_CAN_FAIL) != 0;
        kept[n++] = e;
    }
    if (n == filter->n_conjuncts)
        return FL_OK;
    FL_TRY(fl_filter_build_all(call->plan, call->node->inputs[0], kept, n, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_eliminate_filter = {FL_DESC(fl_rule_desc),
                                               .name = "eliminate_filter",
                                               .phase = "normalize",
                                               .pattern = "filter",
                                               .scope = FL_SCOPE_BOTH,
                                               .promise = 80,
                                               .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ORDER,
                                               .on_match = on_match,
                                               .doc = "conjuncts that are always true or never true"};
