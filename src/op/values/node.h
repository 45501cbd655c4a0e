/* values: rows of constant expressions. A leaf. With one row and no columns it is what SELECT without FROM reads. */
#ifndef FL_OP_VALUES_NODE_H
#define FL_OP_VALUES_NODE_H

#include "plan/node.h"

typedef struct fl_values_attrs {
    int32_t n_rows;
    int32_t n_cols;
    const fl_col_id *cols;
    int32_t n_exprs;             /* n_rows * n_cols, row by row */
    const fl_expr *const *exprs; /* without columns; outer references are allowed until they are unnested */
} fl_values_attrs;

extern const fl_op_desc fl_op_values;

/** Rows of expressions (row by row); each column's type is the common one of its rows; names[i] names column i ("col1" …
 *  where NULL). FL_ERR_TYPE when rows don't meet. */
fl_status fl_values_build(fl_plan *plan, const fl_expr *const *exprs, int32_t n_rows, int32_t n_cols,
                          const fl_str *names, const fl_node **ret, fl_err *err);

static inline const fl_values_attrs *fl_values_of(const fl_node *node)
{
    return node->attrs;
}

#endif
