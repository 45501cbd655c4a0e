/* working_table: in the second input of a recursion (op/recursion/node.h), the rows that the round before made; or,
 * of one with keys, the last row of each key so far (`recurring`). */
#ifndef FL_OP_WORKING_TABLE_NODE_H
#define FL_OP_WORKING_TABLE_NODE_H

#include "plan/node.h"

typedef struct fl_working_table_attrs {
    int64_t number; /* the recursion's */
    fl_str name;    /* what it is called */
    bool is_recurring;
    int64_t guess; /* of its rows; no field: plans that differ in it alone are the same */
    int32_t n_cols;
    const fl_col_id *cols;  /* made */
    int32_t n_outer;        /* while its recursion is freed of outer columns: */
    const fl_col_id *outer; /* those that the recursion reads, of which each row will have one value */
} fl_working_table_attrs;

extern const fl_op_desc fl_op_working_table;

/** Columns of these types and names; ret_cols gets their ids. */
fl_status fl_working_table_build(fl_plan *plan, int64_t number, fl_str name, bool is_recurring, int64_t guess,
                                 const fl_type *types, const fl_str *names, int32_t n, fl_col_id *ret_cols,
                                 const fl_node **ret, fl_err *err);

/** The plan with `outer` in the working tables of this number: so all that reads them is seen to read outer columns. */
fl_status fl_working_table_mark(fl_plan *plan, const fl_node *node, int64_t number, const fl_col_id *outer, int32_t n,
                                const fl_node **ret, fl_err *err);

static inline const fl_working_table_attrs *fl_working_table_of(const fl_node *node)
{
    return node->attrs;
}

#endif
