/* materialize: the rows of its input, computed once a run and read by every materialize over the same input.
 *
 * A common table expression that is computed once is such an input: each reference makes a node over it with column ids of
 * its own, so that a join may read it twice. The ids that are read (`from`) are the same in all of them and tell that they
 * belong together, also after rules rewrote the input; so every node reads all columns that the references share.
 * Rules move nothing through it. */
#ifndef FL_OP_MATERIALIZE_NODE_H
#define FL_OP_MATERIALIZE_NODE_H

#include "plan/node.h"

typedef struct fl_materialize_attrs {
    fl_str name; /* of the table expression */
    int32_t n_cols;
    const fl_col_id *cols; /* made, one for each of: */
    int32_t n_from;        /* same as n_cols, at least 1 */
    const fl_col_id *from; /* the input's */
    bool is_always;        /* also when there is one reader only */
} fl_materialize_attrs;

extern const fl_op_desc fl_op_materialize;

/** Reads the columns `from` (none twice) of an input without outer references; *ret_cols are the node's own, one for each. */
fl_status fl_materialize_build(fl_plan *plan, const fl_node *input, fl_str name, const fl_col_id *from, int32_t n,
                               bool is_always, fl_col_id *ret_cols, const fl_node **ret, fl_err *err);

static inline const fl_materialize_attrs *fl_materialize_of(const fl_node *node)
{
    return node->attrs;
}

/** What nodes that read the same rows have in common, and others have not. */
static inline int32_t fl_materialize_key(const fl_node *node)
{
    return fl_materialize_of(node)->from[0].n;
}

#endif
