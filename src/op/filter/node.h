/* filter: the rows for which every conjunct is true (null is not). */
#ifndef FL_OP_FILTER_NODE_H
#define FL_OP_FILTER_NODE_H

#include "plan/node.h"

typedef struct fl_filter_attrs {
    int32_t n_conjuncts; /* in the order in which they run */
    const fl_expr *const *conjuncts;
} fl_filter_attrs;

extern const fl_op_desc fl_op_filter;

/** Filters `input` by a boolean expression; ANDs are taken apart. FL_ERR_TYPE when it is not boolean. */
fl_status fl_filter_build(fl_plan *plan, const fl_node *input, const fl_expr *predicate, const fl_node **ret,
                          fl_err *err);

/** The same from conjuncts; none gives `input` itself. */
fl_status fl_filter_build_all(fl_plan *plan, const fl_node *input, const fl_expr *const *conjuncts, int32_t n,
                              const fl_node **ret, fl_err *err);

static inline const fl_filter_attrs *fl_filter_of(const fl_node *node)
{
    return node->attrs;
}

#endif
