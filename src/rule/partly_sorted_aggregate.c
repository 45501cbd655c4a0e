/* partly_sorted_aggregate: where rows come in an order of some of the grouping keys, groups lie in runs of rows; a table of those of one
 * run at a time stays in the cache.
 *
 * For searches, which hold it against hashing all rows: of runs of a row or two, or of few groups, that is cheaper. Not for aggregates over
 * DISTINCT values or with an order of their own: those look groups up when all rows are in. */
#include "op/aggregate/node.h"
#include "opt/lower.h"
#include "plan/ordering.h"

static bool check(const fl_rule_call *call)
{
    return call->is_costed;
}

/* The keys of the order first, as a row of the table lays them out. */
static fl_status put_first(fl_plan *plan, fl_aggregate_attrs *a, const int32_t *places, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **keys = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), a->n_keys, &keys, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), a->n_keys, &cols, err));
    for (int32_t k = 0; k < a->n_keys; k++) {
        keys[k] = a->keys[places[k]];
        cols[k] = a->cols[places[k]];
    }
    a->keys = keys;
    a->cols = cols;
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_aggregate_attrs a = *fl_aggregate_of(call->node);
    const fl_trait_set *traits = NULL;
    const fl_node *out = NULL;
    const int32_t *places = NULL;
    FL_TRY(fl_aggregate_find_order(call->plan, call->node, &a.order, &a.n_order, &places, err));
    if (a.n_order == 0 || a.n_order == a.n_keys)
        return FL_OK;
    FL_TRY(put_first(call->plan, &a, places, err));
    FL_TRY(fl_lower_traits(call->plan, call->node->traits, FL_IMPL_PARTLY_SORTED, &traits, err));
    FL_TRY(fl_node_make(call->plan, call->node->op, &a, traits, call->node->inputs, 1, call->node->cols,
                        call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_partly_sorted_aggregate = {FL_DESC(fl_rule_desc),
                                                      .name = "partly_sorted_aggregate",
                                                      .phase = "search",
                                                      .pattern = "aggregate[convention=logical]",
                                                      .scope = FL_SCOPE_BOTH,
                                                      .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                                      .check = check,
                                                      .on_match = on_match,
                                                      .doc = "groups of partly sorted rows are found run by run"};
