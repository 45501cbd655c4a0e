/* copy: its class, and how one is built. What comes out is a count, so nothing above moves through it; its input keeps its order. */
#include "op/copy/node.h"

#include "opt/cost.h"
#include "plan/props.h"

#include <stddef.h>

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)inputs;
    ret[0] = ((const fl_copy_attrs *)attrs)->count;
    return 1;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    (void)node;
    return 1;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    (void)inputs;
    ret->rows_min = ret->rows_max = 1;
    return fl_col_set_add(fl_plan_arena(plan), &ret->not_null, fl_copy_of(node)->count, err);
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    (void)plan;
    fl_cost_add_kept(cost, node->inputs[0]->rows, fl_copy_of(node)->n_from);
}

static const fl_attr_field fields[] = {
    {"path", FL_FIELD_STR, offsetof(fl_copy_attrs, path), 0, NULL, false, false},
    {"folder", FL_FIELD_BOOL, offsetof(fl_copy_attrs, is_folder), 0, NULL, false, false},
    {"format", FL_FIELD_STR, offsetof(fl_copy_attrs, format), 0, NULL, false, false},
    {"options", FL_FIELD_VALUE, offsetof(fl_copy_attrs, options), 0, NULL, false, false},
    {"from", FL_FIELD_COLS_USED, offsetof(fl_copy_attrs, from), offsetof(fl_copy_attrs, n_from), NULL, true, false},
    {"names", FL_FIELD_VALUE, offsetof(fl_copy_attrs, names), 0, NULL, true, false},
    {"partition", FL_FIELD_COLS_USED, offsetof(fl_copy_attrs, parts), offsetof(fl_copy_attrs, n_parts), NULL, false,
     false},
    {"partition_names", FL_FIELD_VALUE, offsetof(fl_copy_attrs, part_names), 0, NULL, true, false},
    {"overwrite", FL_FIELD_BOOL, offsetof(fl_copy_attrs, may_overwrite), 0, NULL, false, false},
    {"by_worker", FL_FIELD_BOOL, offsetof(fl_copy_attrs, is_by_worker), 0, NULL, false, false},
    {"file_bytes", FL_FIELD_I64, offsetof(fl_copy_attrs, file_bytes), 0, NULL, false, false},
    {"count", FL_FIELD_COL, offsetof(fl_copy_attrs, count), 0, NULL, true, false},
};

extern const struct fl_op_exec fl_copy_exec;

const fl_op_desc fl_op_copy = {FL_DESC(fl_op_desc),
                               .name = "copy",
                               .n_inputs = 1,
                               .attr_bytes = sizeof(fl_copy_attrs),
                               .fields = fields,
                               .n_fields = FL_LEN(fields),
                               .derive_cols = derive_cols,
                               .derive_rows = derive_rows,
                               .derive_props = derive_props,
                               .cost = cost,
                               .exec = &fl_copy_exec,
                               .doc = "rows are written to files"};

fl_status fl_copy_build(fl_plan *plan, const fl_node *input, const fl_copy_attrs *attrs, fl_col_id *ret_count,
                        const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_copy_attrs made = *attrs;
    fl_col_info info = {.name = FL_STR("Count"), .type = FL_TYPE(FL_I64)};
    FL_ASSERT(attrs->path.len > 0 && attrs->names != NULL && attrs->names->list.n == attrs->n_from);
    FL_TRY(fl_plan_add_col(plan, &info, &made.count, err));
    *ret_count = made.count;
    st = fl_node_make(plan, &fl_op_copy, &made, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

fl_status fl_copy_options(fl_arena *arena, const fl_value *options, fl_option **ret, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = options == NULL ? 0 : options->type.n_fields;
    FL_ASSERT(n == 0 || options->list.n == n);
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, ret, err));
    for (int32_t i = 0; i < n; i++)
        (*ret)[i] = (fl_option){.name = options->type.fields[i].name, .value = options->list.items[i], .pos = -1};
    *ret_n = n;
cleanup:
    return st;
}
