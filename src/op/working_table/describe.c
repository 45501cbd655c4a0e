/* working_table: its class, and how one is built. Of its rows nothing is known before a round has made them. */
#include "op/working_table/node.h"

#include "plan/rewrites.h"

#include <stddef.h>

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)inputs;
    const fl_working_table_attrs *table = attrs;
    memcpy(ret, table->cols, (size_t)table->n_cols * sizeof(*ret));
    return table->n_cols;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    (void)plan;
    return (double)fl_working_table_of(node)->guess;
}

static const fl_attr_field fields[] = {
    {"name", FL_FIELD_NAME, offsetof(fl_working_table_attrs, name), 0, NULL, false, false},
    {"number", FL_FIELD_I64, offsetof(fl_working_table_attrs, number), 0, NULL, false, false},
    {"recurring", FL_FIELD_BOOL, offsetof(fl_working_table_attrs, is_recurring), 0, NULL, false, false},
    {"cols", FL_FIELD_COLS, offsetof(fl_working_table_attrs, cols), offsetof(fl_working_table_attrs, n_cols), NULL,
     true, false},
    {"outer", FL_FIELD_COLS_USED, offsetof(fl_working_table_attrs, outer), offsetof(fl_working_table_attrs, n_outer),
     NULL, true, false},
};

extern const fl_op_rewrites fl_working_table_rewrites;
extern const struct fl_op_exec fl_working_table_exec;

const fl_op_desc fl_op_working_table = {FL_DESC(fl_op_desc),
                                        .name = "working_table",
                                        .n_inputs = 0,
                                        .attr_bytes = sizeof(fl_working_table_attrs),
                                        .fields = fields,
                                        .n_fields = FL_LEN(fields),
                                        .derive_cols = derive_cols,
                                        .derive_rows = derive_rows,
                                        .rewrites = &fl_working_table_rewrites,
                                        .exec = &fl_working_table_exec,
                                        .holds = FL_HOLDS_ROUND,
                                        .doc = "the rows of a recursion's last round"};

fl_status fl_working_table_build(fl_plan *plan, int64_t number, fl_str name, bool is_recurring, int64_t guess,
                                 const fl_type *types, const fl_str *names, int32_t n, fl_col_id *ret_cols,
                                 const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n; i++) {
        fl_col_info info = {.name = names[i], .type = types[i]};
        FL_TRY(fl_plan_add_col(plan, &info, &ret_cols[i], err));
    }
    fl_working_table_attrs attrs = {
        .number = number, .name = name, .is_recurring = is_recurring, .guess = guess, .n_cols = n, .cols = ret_cols};
    st = fl_node_make(plan, &fl_op_working_table, &attrs, NULL, NULL, 0, NULL, 0, ret, err);
cleanup:
    return st;
}
