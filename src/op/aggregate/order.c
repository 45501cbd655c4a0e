/* aggregate: orders. Groups that are runs of rows, or lie in runs, are put out in the order in which each was seen first. */
#include "op/aggregate/node.h"

#include "arrow/vec_order.h"
#include "plan/props.h"

bool fl_aggregate_is_direct(const fl_agg *agg)
{
    return agg->agg->ignores_order && agg->n_order == 0 && !agg->is_distinct;
}

static bool is_key(const fl_aggregate_attrs *a, const fl_order_key *key)
{
    for (int32_t i = 0; i < a->n_order; i++)
        if (fl_order_key_has(key, a->order[i].expr->col))
            return true;
    return false;
}

/* The wanted order, and behind it the keys of the own order that it leaves out; 0: it has others, which would cut runs in pieces. */
static fl_status whole_order(fl_plan *plan, const fl_aggregate_attrs *a, int32_t want, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ordering wanted = fl_ordering_of(plan, want);
    fl_order_key *keys = NULL;
    *ret = 0;
    for (int32_t i = 0; i < wanted.n_keys; i++)
        if (!is_key(a, &wanted.keys[i]))
            return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), wanted.n_keys + a->n_order + 1, &keys, err));
    for (int32_t i = 0; i < wanted.n_keys; i++)
        keys[i] = wanted.keys[i];
    for (int32_t i = 0; i < a->n_order; i++)
        keys[wanted.n_keys + i] = (fl_order_key){.cols = &a->order[i].expr->col, .n_cols = 1};
    st = fl_ordering_make(plan, keys, wanted.n_keys + a->n_order, ret, err);
cleanup:
    return st;
}

static bool has_runs(const fl_node *node)
{
    int32_t implementation = fl_trait_get(node->traits, &fl_trait_implementation);
    return implementation == FL_IMPL_SORTED || implementation == FL_IMPL_PARTLY_SORTED;
}

/* Way 0: the order that was chosen for it; way 1: the one that is wanted, where that is of keys. */
fl_status fl_aggregate_needs(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want, int32_t way,
                             const fl_trait_set **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *a = fl_aggregate_of(node);
    int32_t own = 0, wanted = 0;
    (void)input;
    *ret = way == 0 ? fl_trait_none(plan) : NULL;
    if (!has_runs(node))
        return FL_OK;
    FL_TRY(fl_ordering_of_keys(plan, a->order, a->n_order, &own, NULL, err));
    if (way > 0) {
        FL_TRY(whole_order(plan, a, fl_trait_get(want, &fl_trait_ordering), &wanted, err));
        if (wanted == 0 || wanted == own)
            return FL_OK;
    }
    st = fl_trait_with(plan, fl_trait_none(plan), &fl_trait_ordering, way == 0 ? own : wanted, ret, err);
cleanup:
    return st;
}

fl_status fl_aggregate_gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs,
                             const fl_trait_set **ret, fl_err *err)
{
    if (!has_runs(node))
        return FL_OK;
    return fl_ordering_gives_passed(plan, node, inputs, ret, err);
}

/* Whether groups can be runs of rows, or lie in runs: keys' values can be held against each other, aggregates need no second look. */
static bool may_be_runs(const fl_node *node)
{
    const fl_aggregate_attrs *a = fl_aggregate_of(node);
    for (int32_t i = 0; i < a->n_keys; i++)
        if (!fl_type_is_ordered(a->keys[i]->type))
            return false;
    for (int32_t i = 0; i < a->n_aggs; i++)
        if (!fl_aggregate_is_direct(&a->aggs[i]))
            return false;
    return a->n_keys > 0;
}

/* Appends the places of [0, n) that are not among the first n_done. */
static void append_others(int32_t *places, int32_t n_done, int32_t n)
{
    for (int32_t i = 0, at = n_done; i < n; i++) {
        bool is_done = false;
        for (int32_t k = 0; k < n_done; k++)
            is_done |= places[k] == i;
        if (!is_done)
            places[at++] = i;
    }
}

fl_status fl_aggregate_find_order(fl_plan *plan, const fl_node *node, const fl_sort_key **ret, int32_t *ret_n,
                                  const int32_t **ret_places, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *a = fl_aggregate_of(node);
    fl_ordering orders[FL_ORDERINGS_MAX];
    fl_sort_key *keys = NULL;
    fl_col_id *cols = NULL;
    int32_t *places = NULL, *of_cols = NULL, *matched = NULL, n = 0, n_cols = 0, best = 0;
    *ret = NULL;
    *ret_n = 0;
    if (!may_be_runs(node))
        return FL_OK;
    FL_TRY(fl_orderings_of_node(plan, node->inputs[0], orders, &n, err));
    if (n == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), a->n_keys, &keys, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), a->n_keys, &cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), a->n_keys, &of_cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), a->n_keys, &places, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), a->n_keys, &matched, err));
    for (int32_t i = 0; i < a->n_keys; i++)
        if (a->keys[i]->kind == FL_EXPR_COLUMN && fl_col_set_has(&node->inputs[0]->made, a->keys[i]->col)) {
            of_cols[n_cols] = i;
            cols[n_cols++] = a->keys[i]->col;
        }
    for (int32_t i = 0; i < n; i++) {
        int32_t n_matched = fl_ordering_match(orders[i], cols, n_cols, matched);
        if (n_matched <= best)
            continue;
        best = n_matched;
        for (int32_t k = 0; k < best; k++) {
            const fl_order_key *key = &orders[i].keys[k];
            places[k] = of_cols[matched[k]];
            keys[k] = (fl_sort_key){a->keys[places[k]], key->is_descending, key->nulls_first};
        }
    }
    append_others(places, best, a->n_keys);
    *ret = keys;
    *ret_n = best;
    if (ret_places != NULL)
        *ret_places = places;
cleanup:
    return st;
}

fl_status fl_aggregate_has_choice(fl_plan *plan, const fl_node *node, bool *ret, fl_err *err)
{
    const fl_sort_key *order = NULL;
    int32_t n_order = 0;
    fl_status st = fl_aggregate_find_order(plan, node, &order, &n_order, NULL, err);
    *ret = n_order > 0;
    return st;
}
