/* unnest: a row for each element of its lists, beside the columns of the row that the lists are of.
 *
 *     input          unnest lists: l, m    ordinality
 *     a  l       m       a  x  y     n
 *     1  [7, 8]  [9]     1  7  9     1
 *                        1  8  NULL  2
 *
 * Several lists go in step; shorter ones end with NULL. A row without elements gives no row, or with `keeps_all` one of
 * NULLs. Lists are columns of the input: what computes them stands in a projection below. */
#ifndef FL_OP_UNNEST_NODE_H
#define FL_OP_UNNEST_NODE_H

#include "plan/node.h"

typedef struct fl_unnest_attrs {
    int32_t n_cols;
    const fl_col_id *cols;  /* made, the elements of: */
    int32_t n_lists;        /* same as n_cols, at least 1 */
    const fl_col_id *lists; /* the input's */
    fl_col_id ordinality;   /* made: the element's number in its list, from 1; n = 0: none */
    bool keeps_all;         /* a row without elements is kept, as by a left join */
} fl_unnest_attrs;

extern const fl_op_desc fl_op_unnest;

/** A new column for the elements of lists of this type. */
fl_status fl_unnest_add_col(fl_plan *plan, fl_type list, fl_str name, fl_col_id *ret, fl_err *err);

/** Expands the lists, expressions over the input's or outer columns, into cols[i] (of fl_unnest_add_col). The input's
 *  columns are kept. `ordinality` n = 0: none. */
fl_status fl_unnest_build(fl_plan *plan, const fl_node *input, const fl_expr *const *lists, const fl_col_id *cols,
                          int32_t n, fl_col_id ordinality, const fl_node **ret, fl_err *err);

static inline const fl_unnest_attrs *fl_unnest_of(const fl_node *node)
{
    return node->attrs;
}

#endif
