/* sorted_window: where rows come in the order of a window's partition and order, they are taken as they come.
 *
 * For searches, which hold it against sorting. One sort so serves several windows of which each has the first keys of the one below. */
#include "op/window/node.h"
#include "opt/lower.h"
#include "plan/ordering.h"

static bool check(const fl_rule_call *call)
{
    return call->is_costed;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_key *keys = NULL;
    int32_t n_keys = 0, order = 0;
    bool is_whole = false;
    FL_TRY(fl_window_keys(call->scratch, fl_window_of(call->node), &keys, &n_keys, err));
    FL_TRY(fl_ordering_of_keys(call->plan, keys, n_keys, &order, &is_whole, err));
    if (is_whole && order != 0)
        st = fl_lower(call, FL_IMPL_SORTED, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_sorted_window = {FL_DESC(fl_rule_desc),
                                            .name = "sorted_window",
                                            .phase = "search",
                                            .pattern = "window[convention=logical]",
                                            .scope = FL_SCOPE_BOTH,
                                            .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                            .check = check,
                                            .on_match = on_match,
                                            .doc = "windows take rows that come in their order as they come"};
