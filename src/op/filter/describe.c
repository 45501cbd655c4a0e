/* filter: its class, and how one is built. */
#include "op/filter/node.h"

#include "opt/cost.h"
#include "plan/estimate.h"
#include "plan/ordering.h"
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
    double rows = node->inputs[0]->rows *
                  fl_estimate_conjuncts(plan, fl_filter_of(node)->conjuncts, fl_filter_of(node)->n_conjuncts);
    return rows < 1 ? 1 : rows;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_props_pass(plan, node, inputs, ret, err));
    FL_TRY(fl_props_add_conjuncts(plan, ret, fl_filter_of(node)->conjuncts, fl_filter_of(node)->n_conjuncts, err));
    for (int32_t i = 0; i < fl_filter_of(node)->n_conjuncts; i++) {
        const fl_expr *e = fl_filter_of(node)->conjuncts[i];
        ret->rows_min = fl_expr_is_true(e) ? ret->rows_min : 0;
        ret->rows_max = fl_expr_is_false_or_null(e) ? 0 : ret->rows_max;
    }
cleanup:
    return st;
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    const fl_filter_attrs *filter = fl_filter_of(node);
    fl_cost_add_tests(plan, filter->conjuncts, filter->n_conjuncts, node->inputs[0]->rows, cost);
}

static const fl_attr_field fields[] = {
    {"where", FL_FIELD_EXPRS, offsetof(fl_filter_attrs, conjuncts), offsetof(fl_filter_attrs, n_conjuncts), NULL, false,
     true},
};

extern const fl_op_rewrites fl_filter_rewrites;
extern const struct fl_op_exec fl_filter_exec;

const fl_op_desc fl_op_filter = {FL_DESC(fl_op_desc),
                                 .name = "filter",
                                 .n_inputs = 1,
                                 .attr_bytes = sizeof(fl_filter_attrs),
                                 .fields = fields,
                                 .n_fields = FL_LEN(fields),
                                 .derive_cols = derive_cols,
                                 .derive_rows = derive_rows,
                                 .derive_props = derive_props,
                                 .cost = cost,
                                 .needs = fl_ordering_needs_passed,
                                 .gives = fl_ordering_gives_passed,
                                 .n_ways = 2,
                                 .rewrites = &fl_filter_rewrites,
                                 .exec = &fl_filter_exec,
                                 .doc = "rows for which every conjunct is true"};

fl_status fl_filter_build_all(fl_plan *plan, const fl_node *input, const fl_expr *const *conjuncts, int32_t n,
                              const fl_node **ret, fl_err *err)
{
    if (n == 0) {
        *ret = input;
        return FL_OK;
    }
    fl_filter_attrs attrs = {.n_conjuncts = n, .conjuncts = conjuncts};
    return fl_node_make(plan, &fl_op_filter, &attrs, NULL, &input, 1, NULL, 0, ret, err);
}

fl_status fl_filter_build(fl_plan *plan, const fl_node *input, const fl_expr *predicate, const fl_node **ret,
                          fl_err *err)
{
    const fl_expr *test = NULL;
    fl_status st = fl_expr_coerce(plan, predicate, FL_TYPE(FL_BOOL), &test, NULL);
    if (st != FL_OK) {
        st = FL_FAIL(err, FL_ERR_TYPE, "a condition must be boolean, not %s", FL_TYPE_NAME(predicate->type));
        fl_err_at(err, predicate->pos);
        return st;
    }
    if (test->kind == FL_EXPR_AND)
        return fl_filter_build_all(plan, input, test->args, test->n_args, ret, err);
    return fl_filter_build_all(plan, input, &test, 1, ret, err);
}
