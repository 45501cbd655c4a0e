/* project: computed columns. Columns of the input pass through by their ids; new ids are given to computed ones. */
#ifndef FL_OP_PROJECT_NODE_H
#define FL_OP_PROJECT_NODE_H

#include "plan/node.h"

typedef struct fl_project_attrs {
    int32_t n_cols;        /* computed columns */
    const fl_col_id *cols; /* their ids */
    int32_t n_exprs;       /* same as n_cols */
    const fl_expr *const *exprs;
    int32_t n_passed; /* input columns that pass through */
    const fl_col_id *passed;
} fl_project_attrs;

extern const fl_op_desc fl_op_project;

/** Projects `input` to the expressions; ret_cols[i] is the column that holds exprs[i] (an input column for a plain column
 *  reference, a new one otherwise). The node puts out exactly these columns, each once. names[i] may be empty. */
fl_status fl_project_build(fl_plan *plan, const fl_node *input, const fl_expr *const *exprs, const fl_str *names,
                           int32_t n, fl_col_id *ret_cols, const fl_node **ret, fl_err *err);

/** Adds computed columns to all of the input's. */
fl_status fl_project_extend(fl_plan *plan, const fl_node *input, const fl_expr *const *exprs, const fl_str *names,
                            int32_t n, fl_col_id *ret_cols, const fl_node **ret, fl_err *err);

/** The input's rows with nothing but copies of columns, under new ids: ret_cols[i] is cols[i]'s. */
fl_status fl_project_copy(fl_plan *plan, const fl_node *input, const fl_col_id *cols, int32_t n, fl_col_id *ret_cols,
                          const fl_node **ret, fl_err *err);

static inline const fl_project_attrs *fl_project_of(const fl_node *node)
{
    return node->attrs;
}

#endif
