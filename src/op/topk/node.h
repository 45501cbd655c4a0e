/* topk: the first `limit` rows behind `offset` in the order of the keys; made of sort and limit by a rule. */
#ifndef FL_OP_TOPK_NODE_H
#define FL_OP_TOPK_NODE_H

#include "plan/node.h"

typedef struct fl_topk_attrs {
    int32_t n_keys;
    const fl_sort_key *keys;
    int64_t limit;
    int64_t offset;
    bool filters_scan; /* lowered: what the worst row kept says of the first key is handed to the scan that makes it */
} fl_topk_attrs;

extern const fl_op_desc fl_op_topk;

fl_status fl_topk_build(fl_plan *plan, const fl_node *input, const fl_sort_key *keys, int32_t n_keys, int64_t limit,
                        int64_t offset, const fl_node **ret, fl_err *err);

static inline const fl_topk_attrs *fl_topk_of(const fl_node *node)
{
    return node->attrs;
}

#endif
