/* recursion: its class, and how one is built. Nothing moves through it: what is done to the rows of one round is done to what the next
 * one is made of. */
#include "op/recursion/node.h"

#include "opt/cost.h"
#include "plan/props.h"
#include "plan/rewrites.h"

#include <stddef.h>

#define ROUNDS 10 /* that there may be: nobody knows */

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)inputs;
    const fl_recursion_attrs *recursion = attrs;
    memcpy(ret, recursion->cols, (size_t)recursion->n_cols * sizeof(*ret));
    return recursion->n_cols;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    return node->inputs[0]->rows + ROUNDS * node->inputs[1]->rows;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const fl_recursion_attrs *recursion = fl_recursion_of(node);
    fl_col_set all;
    fl_col_set_init(&all);
    bool is_all = recursion->is_all && recursion->n_keys < 0;
    ret->rows_min = is_all ? inputs[0]->rows_min : inputs[0]->rows_min > 0 ? 1 : 0;
    if (is_all)
        return FL_OK;
    FL_TRY(fl_col_set_add_cols(fl_plan_arena(plan), &all, recursion->cols,
                               recursion->n_keys < 0 ? recursion->n_cols : (int32_t)recursion->n_keys, err));
    st = fl_props_add_key(plan, ret, &all, err);
cleanup:
    return st;
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    (void)plan;
    const fl_recursion_attrs *recursion = fl_recursion_of(node);
    if (!recursion->is_all || recursion->n_keys >= 0)
        fl_cost_add_random(cost, FL_COST_GROUP, node->rows, node->rows * fl_cost_row_bytes(recursion->n_cols));
    fl_cost_add_kept(cost, node->rows, recursion->n_cols);
}

static const fl_attr_field fields[] = {
    {"number", FL_FIELD_I64, offsetof(fl_recursion_attrs, number), 0, NULL, false, false},
    {"all", FL_FIELD_BOOL, offsetof(fl_recursion_attrs, is_all), 0, NULL, false, false},
    {"keys", FL_FIELD_I64, offsetof(fl_recursion_attrs, n_keys), 0, NULL, false, false},
    {"cols", FL_FIELD_COLS, offsetof(fl_recursion_attrs, cols), offsetof(fl_recursion_attrs, n_cols), NULL, true,
     false},
    {"first", FL_FIELD_COLS_USED, offsetof(fl_recursion_attrs, first), offsetof(fl_recursion_attrs, n_first), NULL,
     true, false},
    {"step", FL_FIELD_COLS_USED, offsetof(fl_recursion_attrs, step), offsetof(fl_recursion_attrs, n_step), NULL, true,
     false},
};

extern const fl_op_rewrites fl_recursion_rewrites;
extern const struct fl_op_exec fl_recursion_exec;

const fl_op_desc fl_op_recursion = {FL_DESC(fl_op_desc),
                                    .name = "recursion",
                                    .n_inputs = 2,
                                    .attr_bytes = sizeof(fl_recursion_attrs),
                                    .fields = fields,
                                    .n_fields = FL_LEN(fields),
                                    .derive_cols = derive_cols,
                                    .derive_rows = derive_rows,
                                    .derive_props = derive_props,
                                    .cost = cost,
                                    .rewrites = &fl_recursion_rewrites,
                                    .exec = &fl_recursion_exec,
                                    .hides = FL_HOLDS_ROUND,
                                    .doc = "rows that are made of rows, round by round"};

fl_status fl_recursion_build(fl_plan *plan, int64_t number, bool is_all, int64_t n_keys, const fl_node *first,
                             const fl_col_id *first_cols, const fl_node *step, const fl_col_id *step_cols,
                             const fl_str *names, int32_t n, fl_col_id *ret_cols, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n; i++) {
        fl_col_info info = {.name = names[i], .type = fl_plan_col(plan, first_cols[i])->type};
        FL_ASSERT(fl_type_is_equal(info.type, fl_plan_col(plan, step_cols[i])->type));
        FL_TRY(fl_plan_add_col(plan, &info, &ret_cols[i], err));
    }
    fl_recursion_attrs attrs = {.number = number,
                                .is_all = is_all,
                                .n_keys = n_keys,
                                .n_cols = n,
                                .cols = ret_cols,
                                .n_first = n,
                                .first = first_cols,
                                .n_step = n,
                                .step = step_cols};
    const fl_node *inputs[2] = {first, step};
    st = fl_node_make(plan, &fl_op_recursion, &attrs, NULL, inputs, 2, NULL, 0, ret, err);
cleanup:
    return st;
}
