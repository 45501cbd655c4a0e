/* scan: rows of a table. Columns wanted, filters and limits are pushed into it by rules. A leaf. Its trait ordering is what the
 * plan asks of it beyond what is known of the table: it holds the rows against it as they are read. */
#ifndef FL_OP_SCAN_NODE_H
#define FL_OP_SCAN_NODE_H

#include "plan/ordering.h"
#include "plan/table.h"

typedef struct fl_scan_attrs {
    fl_table *table;       /* held by the plan */
    int32_t n_cols;        /* as the table has */
    const fl_col_id *cols; /* ids of the table's columns, all of them: cols[i] is table column i */
    int32_t n_filters;     /* conjuncts over cols, applied in this order */
    const fl_expr *const *filters;
    int64_t limit; /* rows that suffice; -1 = all */
    int64_t
        offset; /* of the rows that filters leave, as many do not come out; -1 = none. Those before the limit is counted */
} fl_scan_attrs;

extern const fl_op_desc fl_op_scan;

/** A scan of all columns. The plan takes a reference of its own to the table. */
fl_status fl_scan_build(fl_plan *plan, fl_table *table, const fl_node **ret, fl_err *err);

/** An order of the scan's table in terms of the scan's columns; it lies in the plan. */
fl_status fl_scan_order(fl_plan *plan, const fl_node *node, const fl_table_order *order, fl_ordering *ret, fl_err *err);

/** Whether the scan is asked for an order that its table claims, and so has to hold the rows to it. */
bool fl_scan_checks_order(const fl_node *node);

static inline const fl_scan_attrs *fl_scan_of(const fl_node *node)
{
    return node->attrs;
}

#endif
