/* materialize: its class, and how one is built. */
#include "op/materialize/node.h"

#include "opt/cost.h"
#include "plan/props.h"

#include <stddef.h>

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)inputs;
    const fl_materialize_attrs *materialize = attrs;
    memcpy(ret, materialize->cols, (size_t)materialize->n_cols * sizeof(*ret));
    return materialize->n_cols;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    return node->inputs[0]->rows;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const fl_materialize_attrs *m = fl_materialize_of(node);
    FL_TRY(fl_props_pass(plan, node, inputs, ret, err));
    ret->n_orders = 0; /* readers share the rows and take them as they come */
    for (int32_t i = 0; i < m->n_cols; i++)
        FL_TRY(fl_props_add_equal(plan, ret, m->from[i], m->cols[i], err));
cleanup:
    return st;
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    (void)plan;
    fl_cost_add_kept(cost, node->rows, node->n_cols);
}

static const fl_attr_field fields[] = {
    {"name", FL_FIELD_NAME, offsetof(fl_materialize_attrs, name), 0, NULL, false, false},
    {"cols", FL_FIELD_COLS, offsetof(fl_materialize_attrs, cols), offsetof(fl_materialize_attrs, n_cols), NULL, true,
     false},
    {"from", FL_FIELD_COLS_USED, offsetof(fl_materialize_attrs, from), offsetof(fl_materialize_attrs, n_from), NULL,
     true, false},
    {"always", FL_FIELD_BOOL, offsetof(fl_materialize_attrs, is_always), 0, NULL, true, false},
};

extern const fl_op_rewrites fl_materialize_rewrites;
extern const struct fl_op_exec fl_materialize_exec;

const fl_op_desc fl_op_materialize = {FL_DESC(fl_op_desc),
                                      .name = "materialize",
                                      .n_inputs = 1,
                                      .attr_bytes = sizeof(fl_materialize_attrs),
                                      .fields = fields,
                                      .n_fields = FL_LEN(fields),
                                      .derive_cols = derive_cols,
                                      .derive_rows = derive_rows,
                                      .derive_props = derive_props,
                                      .cost = cost,
                                      .is_computed_once = true,
                                      .rewrites = &fl_materialize_rewrites,
                                      .exec = &fl_materialize_exec,
                                      .doc = "rows that are computed once and read several times"};

fl_status fl_materialize_build(fl_plan *plan, const fl_node *input, fl_str name, const fl_col_id *from, int32_t n,
                               bool is_always, fl_col_id *ret_cols, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *cols = NULL, *read = NULL;
    fl_materialize_attrs attrs = {.n_cols = n, .n_from = n, .is_always = is_always};
    FL_ASSERT(n > 0 && fl_col_set_is_empty(&input->outer));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n, &cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n, &read, err));
    FL_TRY(fl_arena_copy_str(fl_plan_arena(plan), name, &attrs.name, err));
    for (int32_t i = 0; i < n; i++) {
        fl_col_info info = *fl_plan_col(plan, from[i]);
        info.subquery_at = 0;
        FL_TRY(fl_plan_add_col(plan, &info, &cols[i], err));
        read[i] = from[i];
        ret_cols[i] = cols[i];
    }
    attrs.cols = cols;
    attrs.from = read;
    st = fl_node_make(plan, &fl_op_materialize, &attrs, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}
