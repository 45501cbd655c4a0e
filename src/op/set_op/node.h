/* set_op: UNION, INTERSECT, EXCEPT, each with ALL (multisets) or without (sets). Nulls are equal here. */
#ifndef FL_OP_SET_OP_NODE_H
#define FL_OP_SET_OP_NODE_H

#include "plan/node.h"

typedef enum fl_set_op_kind { FL_UNION, FL_INTERSECT, FL_EXCEPT } fl_set_op_kind;

typedef struct fl_set_op_attrs {
    int32_t kind;
    bool is_all;
    int32_t n_cols;
    const fl_col_id *cols; /* new ids of the result's columns */
    int32_t n_left;        /* same as n_cols: which input columns they are made of */
    const fl_col_id *left;
    int32_t n_right;
    const fl_col_id *right;
} fl_set_op_attrs;

extern const fl_op_desc fl_op_set_op;

/** Combines n columns of each side; both sides are cast to the common types. FL_ERR_TYPE when there is none. ret_cols[i]
 *  is the result's i-th column. */
fl_status fl_set_op_build(fl_plan *plan, fl_set_op_kind kind, bool is_all, const fl_node *left,
                          const fl_col_id *left_cols, const fl_node *right, const fl_col_id *right_cols, int32_t n,
                          fl_col_id *ret_cols, const fl_node **ret, fl_err *err);

static inline const fl_set_op_attrs *fl_set_op_of(const fl_node *node)
{
    return node->attrs;
}

#endif
