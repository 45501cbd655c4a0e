/* aggregate: orders. Groups that are runs of rows are put out in the order of the input. */
#include "op/aggregate/node.h"

#include "plan/ordering.h"

bool fl_aggregate_is_direct(const fl_agg *agg)
{
    return agg->agg->ignores_order && agg->n_order == 0 && !agg->is_distinct;
}

static bool is_key(const fl_aggregate_attrs *a, const fl_order_key *key)
{
    for (int32_t i = 0; i < a->n_keys; i++)
        for (int32_t c = 0; c < key->n_cols; c++)
            if (fl_col_is_equal(a->keys[i]->col, key->cols[c]))
                return true;
    return false;
}

/* The wanted order, and behind it the keys that it leaves out; 0: it has others than the keys. */
static fl_status whole_order(fl_plan *plan, const fl_aggregate_attrs *a, int32_t want, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ordering wanted = fl_ordering_of(plan, want);
    fl_order_key *keys = NULL;
    *ret = 0;
    for (int32_t i = 0; i < wanted.n_keys; i++)
        if (!is_key(a, &wanted.keys[i]))
            return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), wanted.n_keys + a->n_keys + 1, &keys, err));
    for (int32_t i = 0; i < wanted.n_keys; i++)
        keys[i] = wanted.keys[i];
    for (int32_t i = 0; i < a->n_keys; i++)
        keys[wanted.n_keys + i] = (fl_order_key){.cols = &a->keys[i]->col, .n_cols = 1};
    st = fl_ordering_make(plan, keys, wanted.n_keys + a->n_keys, ret, err);
cleanup:
    return st;
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
    if (fl_trait_get(node->traits, &fl_trait_implementation) != FL_IMPL_SORTED)
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
    if (fl_trait_get(node->traits, &fl_trait_implementation) != FL_IMPL_SORTED)
        return FL_OK;
    return fl_ordering_gives_passed(plan, node, inputs, ret, err);
}
