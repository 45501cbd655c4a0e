/* order_scan: a table whose rows come in order can give it to whoever wants it.
 *
 * For searches: an order that is wanted is a scan of its own beside the one that gives none, so that EXPLAIN shows where a plan goes by
 * the order of a table. What costs nothing where an order is known costs a look at each row where a file claims it: that scan is chosen
 * only where it saves a sort. */
#include "op/scan/node.h"
#include "plan/props.h"
#include "plan/rule.h"

static bool check(const fl_rule_call *call)
{
    return call->want != NULL && fl_trait_get(call->want, &fl_trait_ordering) != 0 &&
           fl_trait_get(call->node->traits, &fl_trait_ordering) == 0;
}

static fl_status hand_over(fl_rule_call *call, fl_ordering order, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_trait_set *traits = NULL;
    const fl_node *ordered = NULL;
    int32_t value = 0;
    FL_TRY(fl_ordering_make(call->plan, order.keys, order.n_keys, &value, err));
    if (!fl_trait_ordering.satisfies(call->plan, value, fl_trait_get(call->want, &fl_trait_ordering)))
        return FL_OK;
    FL_TRY(fl_trait_with(call->plan, call->node->traits, &fl_trait_ordering, value, &traits, err));
    FL_TRY(fl_node_with_traits(call->plan, call->node, traits, &ordered, err));
    st = fl_rule_call_transform_to(call, ordered, err);
cleanup:
    return st;
}

/* Orders that are known are properties of the scan's rows; of those that are claimed, as much as the rows show. */
static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_props *props = NULL;
    const fl_table_order *orders = NULL;
    int32_t n = fl_table_orders(fl_scan_of(call->node)->table, &orders);
    FL_TRY(fl_node_props(call->plan, call->node, &props, err));
    for (int32_t i = 0; i < props->n_orders; i++)
        FL_TRY(hand_over(call, props->orders[i], err));
    for (int32_t i = 0; i < n; i++) {
        fl_ordering order = {0};
        int32_t shown = 0;
        if (!orders[i].is_claimed)
            continue;
        FL_TRY(fl_scan_order(call->plan, call->node, &orders[i], &order, err));
        while (shown < order.n_keys && fl_col_set_has(&call->node->made, order.keys[shown].cols[0]))
            shown++;
        FL_TRY(hand_over(call, (fl_ordering){order.keys, shown}, err));
    }
cleanup:
    return st;
}

const fl_rule_desc fl_rule_order_scan = {FL_DESC(fl_rule_desc),
                                         .name = "order_scan",
                                         .phase = "search",
                                         .pattern = "scan[convention=vectorized]",
                                         .scope = FL_SCOPE_BOTH,
                                         .answers_wants = true,
                                         .keeps =
                                             FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                         .check = check,
                                         .on_match = on_match,
                                         .doc = "scans give the orders of their tables"};
