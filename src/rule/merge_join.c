/* merge_join: two inputs in the order of their keys are merged: nothing is hashed, and the rows come in that order again.
 *
 * For searches, which hold it against hashing. Where an input does not come in an order that begins with a key it would have to be sorted,
 * which costs more than a table: then it is not looked at. Keys that are not in an input's order are conditions on the pairs; a join
 * with one that can raise is not merged, since a table evaluates it for all rows. */
#include "op/join/node.h"
#include "opt/lower.h"
#include "plan/ordering.h"
#include "plan/props.h"

/* The equalities of a join, one for a left column. */
typedef struct equalities {
    fl_col_id sides[2][FL_JOIN_ORDER_MAX];
    int32_t n;
} equalities;

static bool check(const fl_rule_call *call)
{
    const fl_join_attrs *join = fl_join_of(call->node);
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        if (fl_expr_is_equality(join->conjuncts[i]) && (join->conjuncts[i]->flags & FL_EXPR_CAN_FAIL))
            return false;
    switch (join->kind) {
    case FL_JOIN_RIGHT:
    case FL_JOIN_FULL:
        return false;
    case FL_JOIN_MARK: /* its one condition is three-valued, others are not keys */
        return call->is_costed && join->n_conjuncts == 1;
    default:
        return call->is_costed;
    }
}

/* None where no order of both sides can begin with one. */
static fl_status collect(fl_rule_call *call, equalities *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node;
    const fl_join_attrs *join = fl_join_of(node);
    bool has_order[2] = {false, false}, is_first = false;
    ret->n = 0;
    for (int32_t i = 0; i < join->n_conjuncts && ret->n < FL_JOIN_ORDER_MAX; i++) {
        fl_col_id cols[2];
        bool is_new = fl_join_equality(node, join->conjuncts[i], cols);
        for (int32_t k = 0; k < ret->n && is_new; k++)
            is_new = !fl_col_is_equal(ret->sides[0][k], cols[0]);
        for (int32_t side = 0; side < 2 && is_new; side++) {
            ret->sides[side][ret->n] = cols[side];
            if (!is_first)
                FL_TRY(fl_ordering_may_have(call->plan, node->inputs[side], cols[side], &has_order[side], err));
        }
        is_first |= is_new && has_order[0] && has_order[1];
        ret->n += is_new;
    }
    if (!is_first)
        ret->n = 0;
cleanup:
    return st;
}

static fl_status hand_over(fl_rule_call *call, const fl_sort_key *order, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_attrs join = *fl_join_of(call->node);
    const fl_trait_set *traits = NULL;
    const fl_node *out = NULL;
    join.order = order;
    join.n_order = n;
    FL_TRY(fl_lower_traits(call->plan, call->node->traits, FL_IMPL_MERGE, &traits, err));
    FL_TRY(fl_node_make(call->plan, call->node->op, &join, traits, call->node->inputs, 2, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

/* Merging by the equalities that orders of both sides begin with. */
static fl_status go_by_orders(fl_rule_call *call, const equalities *equal, const fl_ordering *orders, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_key keys[FL_JOIN_ORDER_MAX];
    int32_t places[2][FL_JOIN_ORDER_MAX], n_places[2], n = 0;
    for (int32_t side = 0; side < 2; side++)
        n_places[side] = fl_ordering_match(orders[side], equal->sides[side], equal->n, places[side]);
    for (; n < n_places[0] && n < n_places[1] && places[0][n] == places[1][n] &&
           orders[0].keys[n].is_descending == orders[1].keys[n].is_descending;
         n++) {
        const fl_order_key *key = &orders[0].keys[n];
        keys[n] = (fl_sort_key){.is_descending = key->is_descending, .nulls_first = key->nulls_first};
        FL_TRY(fl_expr_column(call->plan, equal->sides[0][places[0][n]], -1, &keys[n].expr, err));
    }
    if (n > 0)
        st = hand_over(call, keys, n, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    equalities equal;
    fl_ordering left[FL_ORDERINGS_MAX], right[FL_ORDERINGS_MAX];
    int32_t n_left = 0, n_right = 0;
    FL_TRY(collect(call, &equal, err));
    if (equal.n > 0)
        FL_TRY(fl_orderings_of_node(call->plan, call->node->inputs[0], left, &n_left, err));
    if (n_left > 0)
        FL_TRY(fl_orderings_of_node(call->plan, call->node->inputs[1], right, &n_right, err));
    for (int32_t l = 0; l < n_left && n_right > 0; l++)
        for (int32_t r = 0; r < n_right; r++)
            FL_TRY(go_by_orders(call, &equal, (const fl_ordering[]){left[l], right[r]}, err));
cleanup:
    return st;
}

const fl_rule_desc fl_rule_merge_join = {FL_DESC(fl_rule_desc),
                                         .name = "merge_join",
                                         .phase = "search",
                                         .pattern = "join[convention=logical]",
                                         .scope = FL_SCOPE_BOTH,
                                         .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                         .check = check,
                                         .on_match = on_match,
                                         .doc = "sorted inputs are merged"};
