/* apply: a dependent join, the right input is evaluated for each left row (outer references are free in it). Frontends
 * write it for LATERAL; subqueries in expressions become it; the unnesting rules turn every one into joins: no apply is
 * ever executed. Kinds and columns are those of op/join. */
#ifndef FL_OP_APPLY_NODE_H
#define FL_OP_APPLY_NODE_H

#include "op/join/node.h"

typedef struct fl_apply_attrs {
    int32_t kind; /* fl_join_kind: inner, left, semi, anti, mark, single */
    int32_t n_conjuncts;
    const fl_expr *const *conjuncts;
    fl_col_id mark;
} fl_apply_attrs;

extern const fl_op_desc fl_op_apply;

fl_status fl_apply_build(fl_plan *plan, fl_join_kind kind, const fl_node *left, const fl_node *right,
                         const fl_expr *const *conjuncts, int32_t n, fl_col_id mark, const fl_node **ret, fl_err *err);

static inline const fl_apply_attrs *fl_apply_of(const fl_node *node)
{
    return node->attrs;
}

#endif
