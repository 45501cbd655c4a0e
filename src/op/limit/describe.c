/* limit: its class, and how one is built. */
#include "op/limit/node.h"

#include "plan/ordering.h"
#include "plan/props.h"

#include <math.h>
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
    const fl_limit_attrs *limit = fl_limit_of(node);
    double rows = node->inputs[0]->rows - (double)limit->offset;
    if (rows < 0)
        rows = 0;
    return limit->limit >= 0 && rows > (double)limit->limit ? (double)limit->limit : rows;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    const fl_limit_attrs *limit = fl_limit_of(node);
    fl_status st = fl_props_pass(plan, node, inputs, ret, err);
    double most = limit->limit < 0 ? INFINITY : (double)limit->limit;
    ret->rows_min = fmin(most, fmax(0, ret->rows_min - (double)limit->offset));
    ret->rows_max = fmin(most, fmax(0, ret->rows_max - (double)limit->offset));
    return st;
}

static const fl_attr_field fields[] = {
    {"limit", FL_FIELD_I64, offsetof(fl_limit_attrs, limit), 0, NULL, false, false},
    {"offset", FL_FIELD_I64, offsetof(fl_limit_attrs, offset), 0, NULL, false, false},
};

extern const fl_op_rewrites fl_limit_rewrites;
extern const struct fl_op_exec fl_limit_exec;

const fl_op_desc fl_op_limit = {FL_DESC(fl_op_desc),
                                .name = "limit",
                                .n_inputs = 1,
                                .attr_bytes = sizeof(fl_limit_attrs),
                                .fields = fields,
                                .n_fields = FL_LEN(fields),
                                .derive_cols = derive_cols,
                                .derive_rows = derive_rows,
                                .derive_props = derive_props,
                                .gives = fl_ordering_gives_passed,
                                .rewrites = &fl_limit_rewrites,
                                .exec = &fl_limit_exec,
                                .doc = "the first rows"};

fl_status fl_limit_build(fl_plan *plan, const fl_node *input, int64_t limit, int64_t offset, const fl_node **ret,
                         fl_err *err)
{
    fl_limit_attrs attrs = {.limit = limit, .offset = offset};
    return fl_node_make(plan, &fl_op_limit, &attrs, NULL, &input, 1, NULL, 0, ret, err);
}
