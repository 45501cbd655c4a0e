/* group: in a memo, the class of the nodes that stand for a group of equal plans as an input of others.
 *
 * Below it lies the plan that the group began with. So columns, rows and properties are derived through it as through any
 * other node, and a rule that looks further down than its pattern sees a whole plan. It is not registered: no pattern names it,
 * and no plan that is given out holds it. With traits it asks for the group's rows as they say, and may be an alternative
 * itself. */
#ifndef FL_OPT_GROUP_H
#define FL_OPT_GROUP_H

#include "plan/node.h"

typedef struct fl_group_attrs {
    int32_t id;
} fl_group_attrs;

extern const fl_op_desc fl_op_group;

fl_status fl_group_make(fl_plan *plan, int32_t id, const fl_node *first, const fl_node **ret, fl_err *err);

static inline int32_t fl_group_id(const fl_node *node)
{
    return ((const fl_group_attrs *)node->attrs)->id;
}

/** Whether a node stands for a group. It is the memo's own class, which no rule meets as what its pattern names. */
static inline bool fl_is_group(const fl_node *node)
{
    return node->op == &fl_op_group;
}

#endif
