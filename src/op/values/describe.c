/* values: its class, and how one is built. */
#include "op/values/node.h"

#include "plan/null.h"
#include "plan/props.h"

#include <stddef.h>
#include <stdio.h>

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)inputs;
    const fl_values_attrs *values = attrs;
    memcpy(ret, values->cols, (size_t)values->n_cols * sizeof(*ret));
    return values->n_cols;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    return fl_values_of(node)->n_rows;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    (void)inputs;
    fl_status st = FL_OK;
    const fl_values_attrs *values = fl_values_of(node);
    ret->rows_min = ret->rows_max = values->n_rows;
    for (int32_t c = 0; c < values->n_cols; c++) {
        bool can_be_null = false;
        for (int32_t r = 0; r < values->n_rows && !can_be_null; r++)
            can_be_null = fl_expr_can_be_null(values->exprs[(int64_t)r * values->n_cols + c], &ret->not_null);
        if (!can_be_null)
            FL_TRY(fl_col_set_add(fl_plan_arena(plan), &ret->not_null, values->cols[c], err));
    }
cleanup:
    return st;
}

static const fl_attr_field fields[] = {
    {"n_rows", FL_FIELD_I32, offsetof(fl_values_attrs, n_rows), 0, NULL, true, false},
    {"cols", FL_FIELD_COLS, offsetof(fl_values_attrs, cols), offsetof(fl_values_attrs, n_cols), NULL, true, false},
    {"rows", FL_FIELD_EXPRS, offsetof(fl_values_attrs, exprs), offsetof(fl_values_attrs, n_exprs), NULL, false, false},
};

extern const fl_op_rewrites fl_values_rewrites;
extern const struct fl_op_exec fl_values_exec;

const fl_op_desc fl_op_values = {FL_DESC(fl_op_desc),
                                 .name = "values",
                                 .n_inputs = 0,
                                 .attr_bytes = sizeof(fl_values_attrs),
                                 .fields = fields,
                                 .n_fields = FL_LEN(fields),
                                 .derive_cols = derive_cols,
                                 .derive_rows = derive_rows,
                                 .derive_props = derive_props,
                                 .rewrites = &fl_values_rewrites,
                                 .exec = &fl_values_exec,
                                 .doc = "rows of constants"};

fl_status fl_values_build(fl_plan *plan, const fl_expr *const *exprs, int32_t n_rows, int32_t n_cols,
                          const fl_str *names, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **cast = NULL, **column = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), (int64_t)n_rows * n_cols + 1, &cast, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_rows + 1, &column, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_cols + 1, &cols, err));
    for (int32_t c = 0; c < n_cols; c++) {
        fl_type type;
        int32_t odd;
        char name[24];
        for (int32_t r = 0; r < n_rows; r++)
            column[r] = exprs[(int64_t)r * n_cols + c];
        FL_TRY(fl_expr_common_type(plan, column, n_rows, &type, &odd, err));
        if (odd >= 0) {
            st = FL_FAIL(err, FL_ERR_TYPE, "column %d of VALUES has types %s and %s, which have no common type", c + 1,
                         FL_TYPE_NAME(type), FL_TYPE_NAME(column[odd]->type));
            fl_err_at(err, column[odd]->pos);
            goto cleanup;
        }
        if (type.id == FL_NULL)
            type = FL_TYPE(FL_UTF8);
        for (int32_t r = 0; r < n_rows; r++) {
            const fl_expr *e = exprs[r * n_cols + c];
            FL_TRY(fl_expr_cast(plan, e, type, false, e->pos, &cast[r * n_cols + c], err));
        }
        snprintf(name, sizeof(name), "col%d", c + 1);
        fl_col_info info = {.name = names != NULL ? names[c] : fl_str_of(name), .type = type};
        FL_TRY(fl_plan_add_col(plan, &info, &cols[c], err));
    }
    fl_values_attrs attrs = {
        .n_rows = n_rows, .n_cols = n_cols, .cols = cols, .n_exprs = n_rows * n_cols, .exprs = cast};
    st = fl_node_make(plan, &fl_op_values, &attrs, NULL, NULL, 0, NULL, 0, ret, err);
cleanup:
    return st;
}
