/* scan: what rules may do with it. Conjuncts go into it when the order of joins is settled, by a rule of its own
 * (push_filter_into_scan). */
#include "op/scan/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    const fl_scan_attrs *scan = fl_scan_of(node);
    return scan->limit < 0 && scan->offset < 0 ? FL_ROWS_CHOSEN : 0;
}

static fl_status stop(fl_plan *plan, const fl_node *node, int64_t rows, const fl_node **ret, fl_err *err)
{
    fl_scan_attrs attrs = *fl_scan_of(node);
    if (attrs.limit < 0)
        attrs.limit = rows;
    return fl_node_make(plan, &fl_op_scan, &attrs, node->traits, NULL, 0, node->cols, node->n_cols, ret, err);
}

/* Rows that do not come out are not read, but for what filters ask. */
static fl_status skip(fl_plan *plan, const fl_node *node, int64_t rows, const fl_node **ret, fl_err *err)
{
    fl_scan_attrs attrs = *fl_scan_of(node);
    *ret = node;
    if (attrs.limit >= 0 || attrs.offset >= 0)
        return FL_OK;
    attrs.offset = rows;
    return fl_node_make(plan, &fl_op_scan, &attrs, node->traits, NULL, 0, node->cols, node->n_cols, ret, err);
}

const fl_op_rewrites fl_scan_rewrites = {FL_DESC(fl_op_rewrites), .flow = flow, .stop = stop, .skip = skip,
                                         .tests = "filters"};
