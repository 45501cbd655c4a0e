/* sort: its class, and how one is built. */
#include "op/sort/node.h"

#include "plan/props.h"

#include <stddef.h>

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)attrs;
    memcpy(ret, inputs[0]->cols, (size_t)inputs[0]->n_cols * sizeof(*ret));
    return inputs[0]->n_cols;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    return node->inputs[0]->rows;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = fl_props_pass(plan, node, inputs, ret, err);
    return st != FL_OK ? st : fl_props_put_order(plan, ret, fl_sort_of(node)->keys, fl_sort_of(node)->n_keys, err);
}

static const fl_attr_field fields[] = {
    {"keys", FL_FIELD_SORT_KEYS, offsetof(fl_sort_attrs, keys), offsetof(fl_sort_attrs, n_keys), NULL, false, false},
};

extern const fl_op_rewrites fl_sort_rewrites;
extern const struct fl_op_exec fl_sort_exec;

const fl_op_desc fl_op_sort = {FL_DESC(fl_op_desc),
                               .name = "sort",
                               .n_inputs = 1,
                               .attr_bytes = sizeof(fl_sort_attrs),
                               .fields = fields,
                               .n_fields = FL_LEN(fields),
                               .derive_cols = derive_cols,
                               .derive_rows = derive_rows,
                               .derive_props = derive_props,
                               .rewrites = &fl_sort_rewrites,
                               .exec = &fl_sort_exec,
                               .doc = "all rows in the order of the keys"};

fl_status fl_sort_build(fl_plan *plan, const fl_node *input, const fl_sort_key *keys, int32_t n_keys,
                        const fl_node **ret, fl_err *err)
{
    fl_sort_attrs attrs = {.n_keys = n_keys, .keys = keys};
    return fl_node_make(plan, &fl_op_sort, &attrs, NULL, &input, 1, NULL, 0, ret, err);
}
