/* push_join_condition: a join's conjunct about one side only becomes a filter of that side, where the kind of join allows:
 * both sides of inner and semi joins, the right of left and anti joins, the left of right joins. */
#include "op/filter/node.h"
#include "op/join/node.h"
#include "plan/rule.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(call->node);
    const fl_node *sides[2] = {call->node->inputs[0], call->node->inputs[1]}, *out = NULL;
    const fl_expr **moved[2] = {NULL, NULL}, **on = NULL;
    int32_t n_moved[2] = {0, 0}, n_on = 0;
    fl_join_kind kind = (fl_join_kind)join->kind;
    bool may[2] = {fl_join_drops_unmet(kind, 0), fl_join_drops_unmet(kind, 1)};
    for (int32_t s = 0; s < 2; s++)
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), join->n_conjuncts + 1, &moved[s], err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), join->n_conjuncts + 1, &on, err));
    for (int32_t i = 0; i < join->n_conjuncts; i++) {
        const fl_expr *e = join->conjuncts[i];
        fl_col_set used;
        int32_t to = -1;
        fl_col_set_init(&used);
        FL_TRY(fl_expr_add_cols(call->scratch, e, &used, err));
        for (int32_t s = 0; s < 2 && to < 0; s++)
            if (may[s] && !fl_col_set_is_empty(&used) && fl_col_set_has_all(&sides[s]->made, &used) &&
                fl_expr_is_movable(e))
                to = s;
        if (to >= 0)
            moved[to][n_moved[to]++] = e;
        else
            on[n_on++] = e;
    }
    if (n_on == join->n_conjuncts)
        return FL_OK;
    for (int32_t s = 0; s < 2; s++)
        FL_TRY(fl_filter_build_all(call->plan, sides[s], moved[s], n_moved[s], &sides[s], err));
    FL_TRY(fl_join_build_all(call->plan, kind, sides[0], sides[1], on, n_on, join->mark, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    fl_rule_call_count(call, FL_METRIC_PREDICATE_PUSHDOWNS, join->n_conjuncts - n_on);
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_push_join_condition = {FL_DESC(fl_rule_desc),
                                                  .name = "push_join_condition",
                                                  .phase = "normalize",
                                                  .pattern = "join",
                                                  .scope = FL_SCOPE_BOTH,
                                                  .promise = 55,
                                                  .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                                  .on_match = on_match,
                                                  .doc = "conditions of one side filter that side"};
