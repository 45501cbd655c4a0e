/* sorted_aggregate: where rows come in an order of the grouping keys, groups are runs of rows, which takes no table.
 *
 * For searches, which hold it against hashing. Where nothing below makes an order it is not looked at. Keys may come in any order,
 * so it begins with what is known of the input's. Not for aggregates over DISTINCT values or with an order of their own: those
 * look groups up when all rows are in. */
#include "op/aggregate/node.h"
#include "opt/lower.h"
#include "plan/ordering.h"

static bool check(const fl_rule_call *call)
{
    const fl_aggregate_attrs *a = fl_aggregate_of(call->node);
    if (!call->is_costed || a->n_keys == 0)
        return false;
    for (int32_t i = 0; i < a->n_keys; i++)
        if (a->keys[i]->kind != FL_EXPR_COLUMN || !fl_ordering_is_equality(a->keys[i]->type) ||
            !fl_col_set_has(&call->node->inputs[0]->made, a->keys[i]->col))
            return false;
    for (int32_t i = 0; i < a->n_aggs; i++)
        if (!fl_aggregate_is_direct(&a->aggs[i]))
            return false;
    return true;
}

/* Whether key i of the aggregate is among the first n of the order. */
static bool has_key(const fl_sort_key *order, int32_t n, const fl_expr *key)
{
    for (int32_t i = 0; i < n; i++)
        if (fl_col_is_equal(order[i].expr->col, key->col))
            return true;
    return false;
}

/* The keys that the input's order begins with, then the others as they are written. */
static fl_status choose_order(fl_rule_call *call, fl_sort_key *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *a = fl_aggregate_of(call->node);
    int32_t value = 0, n = 0;
    FL_TRY(fl_ordering_of_node(call->plan, call->node->inputs[0], &value, err));
    fl_ordering known = fl_ordering_of(call->plan, value);
    for (bool goes_on = true; n < known.n_keys && n < a->n_keys && goes_on; n += goes_on) {
        const fl_order_key *key = &known.keys[n];
        goes_on = false;
        for (int32_t i = 0; i < a->n_keys && !goes_on; i++)
            for (int32_t c = 0; c < key->n_cols && !goes_on; c++)
                if (fl_col_is_equal(key->cols[c], a->keys[i]->col) && !has_key(ret, n, a->keys[i])) {
                    ret[n] = (fl_sort_key){a->keys[i], key->is_descending, key->nulls_first};
                    goes_on = true;
                }
    }
    for (int32_t i = 0; i < a->n_keys; i++)
        if (!has_key(ret, n, a->keys[i]))
            ret[n++] = (fl_sort_key){.expr = a->keys[i]};
    FL_ASSERT(n == a->n_keys);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_aggregate_attrs a = *fl_aggregate_of(call->node);
    const fl_trait_set *traits = NULL;
    const fl_node *out = NULL;
    fl_sort_key *order = NULL;
    bool has_maker = false;
    FL_TRY(fl_ordering_has_maker(call->plan, call->node->inputs[0], &has_maker, err));
    if (!has_maker)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), a.n_keys, &order, err));
    FL_TRY(choose_order(call, order, err));
    a.order = order;
    a.n_order = a.n_keys;
    FL_TRY(fl_lower_traits(call->plan, call->node->traits, FL_IMPL_SORTED, &traits, err));
    FL_TRY(fl_node_make(call->plan, call->node->op, &a, traits, call->node->inputs, 1, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_sorted_aggregate = {FL_DESC(fl_rule_desc),
                                               .name = "sorted_aggregate",
                                               .phase = "search",
                                               .pattern = "aggregate[convention=logical]",
                                               .scope = FL_SCOPE_BOTH,
                                               .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                               .check = check,
                                               .on_match = on_match,
                                               .doc = "groups of sorted rows are runs"};
