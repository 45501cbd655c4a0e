/* push_filter_into_scan: filters over a scan run inside it, where zone maps skip and other columns are read late.
 *
 * A unique column that the filters keep from being null is a key there, so it may be found out that there are fewer rows. */
#include "op/filter/node.h"
#include "op/scan/node.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_node *scan = fl_rule_call_bound(call, "scan"), *out = NULL;
    fl_scan_attrs attrs = *fl_scan_of(scan);
    const fl_expr **all = NULL;
    if (!fl_rows_are(scan, FL_ROWS_CHOSEN)) /* it counts rows behind the filters that it has */
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), attrs.n_filters + filter->n_conjuncts, &all, err));
    for (int32_t i = 0; i < attrs.n_filters; i++)
        all[i] = attrs.filters[i];
    for (int32_t i = 0; i < filter->n_conjuncts; i++) {
        if (filter->conjuncts[i]->flags & FL_EXPR_HAS_SUBQUERY)
            return FL_OK;
        all[attrs.n_filters + i] = filter->conjuncts[i];
    }
    attrs.filters = all;
    attrs.n_filters += filter->n_conjuncts;
    FL_TRY(fl_node_make(call->plan, &fl_op_scan, &attrs, scan->traits, NULL, 0, call->node->cols, call->node->n_cols,
                        &out, err));
    fl_rule_call_count(call, FL_METRIC_PREDICATE_PUSHDOWNS, filter->n_conjuncts);
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_push_filter_into_scan = {FL_DESC(fl_rule_desc),
                                                    .name = "push_filter_into_scan",
                                                    .phase = "refine",
                                                    .pattern = "filter(scan:scan)",
                                                    .scope = FL_SCOPE_BOTH,
                                                    .promise = 50,
                                                    .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ORDER,
                                                    .on_match = on_match,
                                                    .doc = "filters over scans run inside them"};
