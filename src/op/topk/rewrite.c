/* topk: what rules may do with it. */
#include "op/topk/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    const fl_topk_attrs *topk = fl_topk_of(node);
    return FL_ROWS_ONCE | (topk->offset == 0 && topk->limit != 0 ? FL_ROWS_SOME : 0);
}

const fl_op_rewrites fl_topk_rewrites = {FL_DESC(fl_op_rewrites), .flow = flow};
