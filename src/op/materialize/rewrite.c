/* materialize: what rules may do with it. Others read its rows, so nothing moves through it; its columns are its own. */
#include "op/materialize/node.h"

#include "plan/rewrites.h"

static uint32_t flow(const fl_node *node)
{
    (void)node;
    return FL_ROWS_CHOSEN;
}

const fl_op_rewrites fl_materialize_rewrites = {FL_DESC(fl_op_rewrites), .flow = flow};
