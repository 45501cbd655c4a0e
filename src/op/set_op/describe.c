/* set_op: its class, and how one is built. */
#include "op/set_op/node.h"

#include "op/project/node.h"

#include "opt/cost.h"
#include "plan/props.h"

#include <math.h>
#include <stddef.h>

static const char *const kinds[] = {"union", "intersect", "except"};

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)inputs;
    const fl_set_op_attrs *set = attrs;
    if (set->n_cols > 0)
        memcpy(ret, set->cols, (size_t)set->n_cols * sizeof(*ret));
    return set->n_cols;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    double left = node->inputs[0]->rows, right = node->inputs[1]->rows;
    if (fl_set_op_of(node)->kind == FL_UNION)
        return left + right;
    return fl_set_op_of(node)->kind == FL_INTERSECT ? fmin(left, right) * 0.5 : left * 0.7;
}

/* Rows of a union have what both sides' have; those of the others are the left side's under new names. */
static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const fl_set_op_attrs *set = fl_set_op_of(node);
    const fl_props *left = inputs[0], *right = inputs[1];
    if (set->kind == FL_UNION) {
        for (int32_t i = 0; i < set->n_cols; i++)
            if (fl_col_set_has(&left->not_null, set->left[i]) && fl_col_set_has(&right->not_null, set->right[i]))
                FL_TRY(fl_col_set_add(fl_plan_arena(plan), &ret->not_null, set->cols[i], err));
        ret->rows_min = set->is_all ? left->rows_min + right->rows_min : left->rows_min + right->rows_min > 0 ? 1 : 0;
        ret->rows_max = left->rows_max + right->rows_max;
    } else {
        FL_TRY(fl_props_add_all(plan, ret, left, err));
        for (int32_t i = 0; i < set->n_cols; i++) {
            FL_TRY(fl_props_add_equal(plan, ret, set->left[i], set->cols[i], err));
            if (set->kind == FL_INTERSECT && fl_col_set_has(&right->not_null, set->right[i]))
                FL_TRY(fl_col_set_add(fl_plan_arena(plan), &ret->not_null, set->cols[i], err));
        }
        ret->rows_max = set->kind == FL_INTERSECT ? fmin(left->rows_max, right->rows_max) : left->rows_max;
    }
    if (!set->is_all) {
        fl_col_set all;
        fl_col_set_init(&all);
        FL_TRY(fl_col_set_add_cols(fl_plan_arena(plan), &all, set->cols, set->n_cols, err));
        FL_TRY(fl_props_add_key(plan, ret, &all, err));
    }
cleanup:
    return st;
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    (void)plan;
    const fl_set_op_attrs *set = fl_set_op_of(node);
    double rows = node->inputs[0]->rows + node->inputs[1]->rows;
    if (set->kind == FL_UNION)
        return;
    fl_cost_add_random(cost, FL_COST_GROUP, rows, node->inputs[0]->rows * fl_cost_row_bytes(set->n_cols));
    fl_cost_add_kept(cost, node->inputs[0]->rows, set->n_cols);
}

static const fl_attr_field fields[] = {
    {"kind", FL_FIELD_ENUM, offsetof(fl_set_op_attrs, kind), 0, kinds, false, false},
    {"all", FL_FIELD_BOOL, offsetof(fl_set_op_attrs, is_all), 0, NULL, false, false},
    {"cols", FL_FIELD_COLS, offsetof(fl_set_op_attrs, cols), offsetof(fl_set_op_attrs, n_cols), NULL, true, false},
    {"left", FL_FIELD_COLS_USED, offsetof(fl_set_op_attrs, left), offsetof(fl_set_op_attrs, n_left), NULL, true, false},
    {"right", FL_FIELD_COLS_USED, offsetof(fl_set_op_attrs, right), offsetof(fl_set_op_attrs, n_right), NULL, true,
     false},
};

extern const fl_op_rewrites fl_set_op_rewrites;
extern const struct fl_op_exec fl_set_op_exec;

const fl_op_desc fl_op_set_op = {FL_DESC(fl_op_desc),
                                 .name = "set_op",
                                 .n_inputs = 2,
                                 .attr_bytes = sizeof(fl_set_op_attrs),
                                 .fields = fields,
                                 .n_fields = FL_LEN(fields),
                                 .derive_cols = derive_cols,
                                 .derive_rows = derive_rows,
                                 .derive_props = derive_props,
                                 .cost = cost,
                                 .rewrites = &fl_set_op_rewrites,
                                 .exec = &fl_set_op_exec,
                                 .doc = "union, intersect, except"};

/* Casts the columns of a side to the wanted types. */
static fl_status cast_side(fl_plan *plan, const fl_node **node, const fl_col_id *cols, const fl_type *types, int32_t n,
                           fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    bool same = true;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &names, err));
    for (int32_t i = 0; i < n; i++) {
        const fl_col_info *info = fl_plan_col(plan, cols[i]);
        same &= fl_type_is_equal(info->type, types[i]);
        names[i] = info->name;
        FL_TRY(fl_expr_column(plan, cols[i], -1, &exprs[i], err));
        FL_TRY(fl_expr_cast(plan, exprs[i], types[i], false, -1, &exprs[i], err));
    }
    if (same)
        memcpy(ret_cols, cols, (size_t)n * sizeof(*cols));
    else
        FL_TRY(fl_project_build(plan, *node, exprs, names, n, ret_cols, node, err));
cleanup:
    return st;
}

fl_status fl_set_op_build(fl_plan *plan, fl_set_op_kind kind, bool is_all, const fl_node *left,
                          const fl_col_id *left_cols, const fl_node *right, const fl_col_id *right_cols, int32_t n,
                          fl_col_id *ret_cols, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *cols = NULL, *from_left = NULL, *from_right = NULL;
    fl_type *types = NULL;
    static const char *const words[] = {"UNION", "INTERSECT", "EXCEPT"};
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &from_left, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &from_right, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &types, err));
    for (int32_t i = 0; i < n; i++) {
        fl_type a = fl_plan_col(plan, left_cols[i])->type, b = fl_plan_col(plan, right_cols[i])->type;
        if (!fl_type_common_in(fl_plan_arena(plan), a, b, &types[i])) {
            st = FL_FAIL(err, FL_ERR_TYPE, "%s types %s and %s of column %d have no common type", words[kind],
                         FL_TYPE_NAME(a), FL_TYPE_NAME(b), i + 1);
            goto cleanup;
        }
    }
    FL_TRY(cast_side(plan, &left, left_cols, types, n, from_left, err));
    FL_TRY(cast_side(plan, &right, right_cols, types, n, from_right, err));
    for (int32_t i = 0; i < n; i++) {
        const fl_col_info *a = fl_plan_col(plan, from_left[i]);
        fl_col_info info = {.name = a->name, .type = types[i]};
        FL_TRY(fl_plan_add_col(plan, &info, &cols[i], err));
        ret_cols[i] = cols[i];
    }
    fl_set_op_attrs attrs = {.kind = kind,
                             .is_all = is_all,
                             .n_cols = n,
                             .cols = cols,
                             .n_left = n,
                             .left = from_left,
                             .n_right = n,
                             .right = from_right};
    const fl_node *inputs[2] = {left, right};
    st = fl_node_make(plan, &fl_op_set_op, &attrs, NULL, inputs, 2, NULL, 0, ret, err);
cleanup:
    return st;
}
