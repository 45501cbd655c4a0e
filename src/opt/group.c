/* group: its class. */
#include "opt/group.h"

#include "plan/props.h"
#include "plan/rewrites.h"

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

/* As an alternative: the group's rows, asked for as its own traits say. */
static fl_status needs(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want, int32_t way,
                       const fl_trait_set **ret, fl_err *err)
{
    (void)plan, (void)input, (void)want, (void)way, (void)err;
    *ret = node->traits;
    return FL_OK;
}

static fl_status gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs, const fl_trait_set **ret,
                       fl_err *err)
{
    (void)plan, (void)node, (void)err;
    *ret = inputs[0];
    return FL_OK;
}

static uint32_t flow(const fl_node *node)
{
    (void)node;
    return FL_ROWS_ONE_FOR_ONE | FL_ROWS_ORDERED | FL_ROWS_ALONE | FL_ROWS_CHOSEN;
}

static const fl_op_rewrites rewrites = {FL_DESC(fl_op_rewrites), .flow = flow};

static const fl_attr_field fields[] = {
    {"group", FL_FIELD_I32, offsetof(fl_group_attrs, id), 0, NULL, false, false},
};

const fl_op_desc fl_op_group = {FL_DESC(fl_op_desc),
                                .name = "group",
                                .n_inputs = 1,
                                .attr_bytes = sizeof(fl_group_attrs),
                                .fields = fields,
                                .n_fields = FL_LEN(fields),
                                .derive_cols = derive_cols,
                                .derive_rows = derive_rows,
                                .derive_props = fl_props_pass,
                                .rewrites = &rewrites,
                                .needs = needs,
                                .gives = gives,
                                .doc = "a group of equal plans in a memo"};

fl_status fl_group_make(fl_plan *plan, int32_t id, const fl_node *first, const fl_node **ret, fl_err *err)
{
    fl_group_attrs attrs = {.id = id};
    return fl_node_make(plan, &fl_op_group, &attrs, NULL, &first, 1, first->cols, first->n_cols, ret, err);
}
