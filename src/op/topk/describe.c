/* topk: its class, and how one is built. */
#include "op/topk/node.h"

#include "opt/cost.h"
#include "plan/ordering.h"
#include "plan/props.h"

#include <math.h>
#include <stddef.h>

#define FILTERED_PART 0.5

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
    double rows = node->inputs[0]->rows - (double)fl_topk_of(node)->offset;
    double limit = (double)fl_topk_of(node)->limit;
    return rows < 0 ? 0 : rows < limit ? rows : limit;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    const fl_topk_attrs *topk = fl_topk_of(node);
    fl_status st = fl_props_pass(plan, node, inputs, ret, err);
    double most = topk->limit < 0 ? INFINITY : (double)topk->limit;
    ret->rows_min = fmin(most, fmax(0, ret->rows_min - (double)topk->offset));
    ret->rows_max = fmin(most, fmax(0, ret->rows_max - (double)topk->offset));
    ret->n_orders = 0; /* equal rows come in any order */
    return st != FL_OK ? st : fl_props_put_order(plan, ret, topk->keys, topk->n_keys, err);
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    (void)plan;
    double part = fl_topk_of(node)->filters_scan ? FILTERED_PART : 1; /* of the rows come here */
    fl_cost_add(cost, FL_COST_HEAP, node->inputs[0]->rows * part);
    fl_cost_add_kept(cost, node->rows, node->n_cols);
}

static fl_status gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs, const fl_trait_set **ret,
                       fl_err *err)
{
    (void)inputs;
    fl_status st = FL_OK;
    int32_t order = 0;
    FL_TRY(fl_ordering_of_keys(plan, fl_topk_of(node)->keys, fl_topk_of(node)->n_keys, &order, NULL, err));
    st = fl_trait_with(plan, *ret, &fl_trait_ordering, order, ret, err);
cleanup:
    return st;
}

static const fl_attr_field fields[] = {
    {"keys", FL_FIELD_SORT_KEYS, offsetof(fl_topk_attrs, keys), offsetof(fl_topk_attrs, n_keys), NULL, false, false},
    {"limit", FL_FIELD_I64, offsetof(fl_topk_attrs, limit), 0, NULL, false, false},
    {"offset", FL_FIELD_I64, offsetof(fl_topk_attrs, offset), 0, NULL, false, false},
    {"runtime_filter", FL_FIELD_BOOL, offsetof(fl_topk_attrs, filters_scan), 0, NULL, false, false},
};

extern const fl_op_rewrites fl_topk_rewrites;
extern const struct fl_op_exec fl_topk_exec;

const fl_op_desc fl_op_topk = {FL_DESC(fl_op_desc),
                               .name = "topk",
                               .n_inputs = 1,
                               .attr_bytes = sizeof(fl_topk_attrs),
                               .fields = fields,
                               .n_fields = FL_LEN(fields),
                               .derive_cols = derive_cols,
                               .derive_rows = derive_rows,
                               .derive_props = derive_props,
                               .cost = cost,
                               .gives = gives,
                               .rewrites = &fl_topk_rewrites,
                               .exec = &fl_topk_exec,
                               .doc = "the first rows in the order of the keys"};

fl_status fl_topk_build(fl_plan *plan, const fl_node *input, const fl_sort_key *keys, int32_t n_keys, int64_t limit,
                        int64_t offset, const fl_node **ret, fl_err *err)
{
    fl_topk_attrs attrs = {.n_keys = n_keys, .keys = keys, .limit = limit, .offset = offset};
    return fl_node_make(plan, &fl_op_topk, &attrs, NULL, &input, 1, NULL, 0, ret, err);
}
