/* sort: its class, and how one is built. */
#include "op/sort/node.h"

#include "opt/cost.h"
#include "opt/lower.h"
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
    return node->inputs[0]->rows;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = fl_props_pass(plan, node, inputs, ret, err);
    return st != FL_OK ? st : fl_props_put_order(plan, ret, fl_sort_of(node)->keys, fl_sort_of(node)->n_keys, err);
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    (void)plan;
    double rows = node->inputs[0]->rows;
    fl_cost_add(cost, FL_COST_SORT, rows * log2(rows + 2));
    fl_cost_add_kept(cost, rows, node->n_cols);
}

static fl_status gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs, const fl_trait_set **ret,
                       fl_err *err)
{
    (void)inputs;
    fl_status st = FL_OK;
    int32_t order = 0;
    FL_TRY(fl_ordering_of_keys(plan, fl_sort_of(node)->keys, fl_sort_of(node)->n_keys, &order, NULL, err));
    st = fl_trait_with(plan, *ret, &fl_trait_ordering, order, ret, err);
cleanup:
    return st;
}

/* A sort by columns that the node puts out, any of those that a key names. */
static fl_status enforce(fl_plan *plan, const fl_node *node, int32_t want, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ordering ordering = fl_ordering_of(plan, want);
    fl_sort_key *keys = NULL;
    const fl_trait_set *traits = NULL;
    *ret = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), ordering.n_keys, &keys, err));
    for (int32_t i = 0; i < ordering.n_keys; i++) {
        const fl_order_key *key = &ordering.keys[i];
        int32_t c = 0;
        while (c < key->n_cols && !fl_col_set_has(&node->made, key->cols[c]))
            c++;
        if (c == key->n_cols)
            return FL_OK;
        keys[i] = (fl_sort_key){.is_descending = key->is_descending, .nulls_first = key->nulls_first};
        FL_TRY(fl_expr_column(plan, key->cols[c], -1, &keys[i].expr, err));
    }
    fl_sort_attrs attrs = {.n_keys = ordering.n_keys, .keys = keys};
    FL_TRY(fl_lower_traits(plan, fl_trait_none(plan), FL_IMPL_SORT, &traits, err));
    st = fl_node_make(plan, &fl_op_sort, &attrs, traits, &node, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static const fl_attr_field fields[] = {
    {"keys", FL_FIELD_SORT_KEYS, offsetof(fl_sort_attrs, keys), offsetof(fl_sort_attrs, n_keys), NULL, false, false},
};

extern const fl_op_rewrites fl_sort_rewrites;
extern const struct fl_op_exec fl_sort_exec;

const fl_op_desc fl_op_sort = {FL_DESC(fl_op_desc),
                               .name = "sort",
                               .n_inputs = 1,
                               .attr_bytes = sizeof(fl_sort_attrs),
                               .fields = fields,
                               .n_fields = FL_LEN(fields),
                               .derive_cols = derive_cols,
                               .derive_rows = derive_rows,
                               .derive_props = derive_props,
                               .cost = cost,
                               .gives = gives,
                               .enforce = enforce,
                               .enforces = &fl_trait_ordering,
                               .rewrites = &fl_sort_rewrites,
                               .exec = &fl_sort_exec,
                               .doc = "all rows in the order of the keys"};

fl_status fl_sort_build(fl_plan *plan, const fl_node *input, const fl_sort_key *keys, int32_t n_keys,
                        const fl_node **ret, fl_err *err)
{
    fl_sort_attrs attrs = {.n_keys = n_keys, .keys = keys};
    return fl_node_make(plan, &fl_op_sort, &attrs, NULL, &input, 1, NULL, 0, ret, err);
}
