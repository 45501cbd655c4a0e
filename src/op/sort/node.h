/* sort: all rows in the order of the keys; equal rows keep the order of the input. */
#ifndef FL_OP_SORT_NODE_H
#define FL_OP_SORT_NODE_H

#include "plan/node.h"

typedef struct fl_sort_attrs {
    int32_t n_keys;
    const fl_sort_key *keys;
} fl_sort_attrs;

extern const fl_op_desc fl_op_sort;

fl_status fl_sort_build(fl_plan *plan, const fl_node *input, const fl_sort_key *keys, int32_t n_keys,
                        const fl_node **ret, fl_err *err);

static inline const fl_sort_attrs *fl_sort_of(const fl_node *node)
{
    return node->attrs;
}

#endif
