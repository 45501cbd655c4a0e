/* apply: its class, and how one is built. It has no way to run: the unnesting rules remove it. */
#include "op/apply/node.h"

#include <stddef.h>

static const char *const kinds[] = {"inner", "left", "right", "full", "semi", "anti", "mark", "single", "first"};

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    const fl_apply_attrs *apply = attrs;
    fl_join_attrs join = {.kind = apply->kind, .mark = apply->mark};
    return fl_op_join.derive_cols(plan, &join, inputs, ret);
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    return node->inputs[0]->rows;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    const fl_apply_attrs *apply = fl_apply_of(node);
    fl_join_attrs join = {
        .kind = apply->kind, .n_conjuncts = apply->n_conjuncts, .conjuncts = apply->conjuncts, .mark = apply->mark};
    return fl_join_derive_props(plan, node, &join, true, inputs, ret, err);
}

static const fl_attr_field fields[] = {
    {"kind", FL_FIELD_ENUM, offsetof(fl_apply_attrs, kind), 0, kinds, false, false},
    {"on", FL_FIELD_EXPRS, offsetof(fl_apply_attrs, conjuncts), offsetof(fl_apply_attrs, n_conjuncts), NULL, false,
     true},
    {"mark", FL_FIELD_COL, offsetof(fl_apply_attrs, mark), 0, NULL, false, false},
};

extern const fl_op_rewrites fl_apply_rewrites;

const fl_op_desc fl_op_apply = {FL_DESC(fl_op_desc),
                                .name = "apply",
                                .n_inputs = 2,
                                .attr_bytes = sizeof(fl_apply_attrs),
                                .fields = fields,
                                .n_fields = FL_LEN(fields),
                                .holds = FL_HOLDS_DEPENDENT,
                                .derive_cols = derive_cols,
                                .derive_rows = derive_rows,
                                .derive_props = derive_props,
                                .rewrites = &fl_apply_rewrites,
                                .doc = "a dependent join"};

fl_status fl_apply_build(fl_plan *plan, fl_join_kind kind, const fl_node *left, const fl_node *right,
                         const fl_expr *const *conjuncts, int32_t n, fl_col_id mark, const fl_node **ret, fl_err *err)
{
    const fl_node *inputs[2] = {left, right};
    fl_apply_attrs attrs = {.kind = kind, .n_conjuncts = n, .conjuncts = conjuncts, .mark = mark};
    return fl_node_make(plan, &fl_op_apply, &attrs, NULL, inputs, 2, NULL, 0, ret, err);
}
