/* limit: at most `limit` rows behind the first `offset` ones, in the order in which they come. */
#ifndef FL_OP_LIMIT_NODE_H
#define FL_OP_LIMIT_NODE_H

#include "plan/node.h"

typedef struct fl_limit_attrs {
    int64_t limit;  /* -1: no limit */
    int64_t offset; /* 0: none */
} fl_limit_attrs;

extern const fl_op_desc fl_op_limit;

fl_status fl_limit_build(fl_plan *plan, const fl_node *input, int64_t limit, int64_t offset, const fl_node **ret,
                         fl_err *err);

static inline const fl_limit_attrs *fl_limit_of(const fl_node *node)
{
    return node->attrs;
}

#endif
