/* window: its class, and how one is built. */
#include "op/window/node.h"

#include "opt/cost.h"
#include "plan/estimate.h"
#include "plan/ordering.h"
#include "plan/props.h"

#include <math.h>
#include <stddef.h>

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    const fl_window_attrs *window = attrs;
    int32_t n = inputs[0]->n_cols;
    memcpy(ret, inputs[0]->cols, (size_t)n * sizeof(*ret));
    for (int32_t i = 0; i < window->n_functions; i++)
        ret[n++] = window->functions[i].out;
    return n;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    const fl_window_attrs *window = fl_window_of(node);
    double rows = node->inputs[0]->rows, partitions = 1;
    for (int32_t i = 0; i < window->n_partition && window->limit >= 0; i++)
        partitions *= fl_estimate_distinct(plan, window->partition[i], rows);
    return window->limit < 0 ? rows : fmin(rows, partitions * (double)window->limit);
}

static bool is_among(const fl_sort_key *keys, int32_t n, const fl_expr *expr)
{
    for (int32_t i = 0; i < n; i++)
        if (keys[i].expr == expr)
            return true;
    return false;
}

fl_status fl_window_keys(fl_arena *arena, const fl_window_attrs *window, fl_sort_key **ret, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_key *keys = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(arena, window->n_partition + window->n_order + 1, &keys, err));
    for (int32_t i = 0; i < window->n_partition; i++)
        if (!is_among(keys, n, window->partition[i]))
            keys[n++] = (fl_sort_key){.expr = window->partition[i]};
    for (int32_t i = 0; i < window->n_order; i++)
        if (!is_among(keys, n, window->order[i].expr))
            keys[n++] = window->order[i];
    *ret = keys;
    *ret_n = n;
cleanup:
    return st;
}

/* Rows of a partition have numbers of their own. */
static fl_status add_number_key(fl_plan *plan, const fl_window_attrs *window, fl_col_id number, fl_props *ret,
                                fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set key;
    fl_col_set_init(&key);
    for (int32_t i = 0; i < window->n_partition; i++) {
        if (window->partition[i]->kind != FL_EXPR_COLUMN)
            return FL_OK;
        FL_TRY(fl_col_set_add(fl_plan_arena(plan), &key, window->partition[i]->col, err));
    }
    FL_TRY(fl_col_set_add(fl_plan_arena(plan), &key, number, err));
    FL_TRY(fl_props_add_key(plan, ret, &key, err));
cleanup:
    return st;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const fl_window_attrs *window = fl_window_of(node);
    fl_sort_key *keys = NULL;
    int32_t n_keys = 0;
    bool is_ordered = false;
    FL_TRY(fl_props_pass(plan, node, inputs, ret, err));
    if (window->limit >= 0)
        ret->rows_min = 0;
    FL_TRY(fl_window_keys(fl_plan_arena(plan), window, &keys, &n_keys, err));
    FL_TRY(fl_props_is_ordered(plan, ret, keys, n_keys, &is_ordered, err));
    if (!is_ordered)
        FL_TRY(fl_props_put_order(plan, ret, keys, n_keys, err));
    for (int32_t i = 0; i < window->n_functions; i++) {
        const fl_agg *function = &window->functions[i];
        bool is_number = function->agg->window != FL_OVER_NONE && function->agg->window < FL_OVER_NTILE;
        if (is_number || function->agg->empty_is_zero)
            FL_TRY(fl_col_set_add(fl_plan_arena(plan), &ret->not_null, function->out, err));
        if (function->agg->window == FL_OVER_ROW_NUMBER)
            FL_TRY(add_number_key(plan, window, function->out, ret, err));
    }
cleanup:
    return st;
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    (void)plan;
    const fl_window_attrs *window = fl_window_of(node);
    double rows = node->inputs[0]->rows;
    if (fl_trait_get(node->traits, &fl_trait_implementation) == FL_IMPL_SORT &&
        window->n_partition + window->n_order > 0)
        fl_cost_add(cost, FL_COST_SORT, rows * log2(rows + 2));
    fl_cost_add(cost, FL_COST_RUN, rows);
    fl_cost_add(cost, FL_COST_AGGREGATE, rows * window->n_functions);
    fl_cost_add_kept(cost, rows, node->n_cols);
}

/* ---- orders --------------------------------------------------------------------------------------------------------- */

static fl_status own_order(fl_plan *plan, const fl_node *node, int32_t *ret, bool *ret_is_whole, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_key *keys = NULL;
    int32_t n_keys = 0;
    FL_TRY(fl_window_keys(fl_plan_arena(plan), fl_window_of(node), &keys, &n_keys, err));
    st = fl_ordering_of_keys(plan, keys, n_keys, ret, ret_is_whole, err);
cleanup:
    return st;
}

static fl_status needs(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want, int32_t way,
                       const fl_trait_set **ret, fl_err *err)
{
    (void)input;
    (void)want;
    (void)way;
    fl_status st = FL_OK;
    int32_t order = 0;
    *ret = fl_trait_none(plan);
    if (fl_trait_get(node->traits, &fl_trait_implementation) != FL_IMPL_SORTED)
        return FL_OK;
    FL_TRY(own_order(plan, node, &order, NULL, err));
    st = fl_trait_with(plan, *ret, &fl_trait_ordering, order, ret, err);
cleanup:
    return st;
}

/* Where it takes rows as they come it may pass on more of an order than its own. */
static fl_status gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs, const fl_trait_set **ret,
                       fl_err *err)
{
    fl_status st = FL_OK;
    int32_t order = 0;
    if (fl_trait_get(node->traits, &fl_trait_implementation) == FL_IMPL_SORTED)
        return fl_ordering_gives_passed(plan, node, inputs, ret, err);
    FL_TRY(own_order(plan, node, &order, NULL, err));
    st = fl_trait_with(plan, *ret, &fl_trait_ordering, order, ret, err);
cleanup:
    return st;
}

/* Whether rows may come in its order, so that they need not be sorted. */
static fl_status has_choice(fl_plan *plan, const fl_node *node, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ordering orders[FL_ORDERINGS_MAX];
    int32_t own = 0, n = 0;
    bool is_whole = false;
    *ret = false;
    FL_TRY(own_order(plan, node, &own, &is_whole, err));
    if (!is_whole || own == 0)
        return FL_OK;
    FL_TRY(fl_orderings_of_node(plan, node->inputs[0], orders, &n, err));
    for (int32_t i = 0; i < n && !*ret; i++) {
        int32_t order = 0;
        FL_TRY(fl_ordering_make(plan, orders[i].keys, orders[i].n_keys, &order, err));
        *ret = fl_trait_satisfies(plan, &fl_trait_ordering, order, own);
    }
cleanup:
    return st;
}

static const fl_attr_field fields[] = {
    {"functions", FL_FIELD_AGGS, offsetof(fl_window_attrs, functions), offsetof(fl_window_attrs, n_functions), NULL,
     false, false},
    {"partition", FL_FIELD_EXPRS, offsetof(fl_window_attrs, partition), offsetof(fl_window_attrs, n_partition), NULL,
     false, false},
    {"order", FL_FIELD_SORT_KEYS, offsetof(fl_window_attrs, order), offsetof(fl_window_attrs, n_order), NULL, false,
     false},
    {"limit", FL_FIELD_I64, offsetof(fl_window_attrs, limit), 0, NULL, false, false},
};

extern const fl_op_rewrites fl_window_rewrites;
extern const struct fl_op_exec fl_window_exec;

const fl_op_desc fl_op_window = {FL_DESC(fl_op_desc),
                                 .name = "window",
                                 .in_memory = "one partition lies in memory, partitions go to the disk",
                                 .n_inputs = 1,
                                 .attr_bytes = sizeof(fl_window_attrs),
                                 .fields = fields,
                                 .n_fields = FL_LEN(fields),
                                 .derive_cols = derive_cols,
                                 .derive_rows = derive_rows,
                                 .derive_props = derive_props,
                                 .cost = cost,
                                 .needs = needs,
                                 .has_choice = has_choice,
                                 .gives = gives,
                                 .rewrites = &fl_window_rewrites,
                                 .exec = &fl_window_exec,
                                 .doc = "functions of the rows near each row"};

fl_status fl_window_build(fl_plan *plan, const fl_node *input, const fl_window_attrs *attrs, const fl_node **ret,
                          fl_err *err)
{
    for (int32_t i = 0; i < attrs->n_functions; i++)
        FL_ASSERT(attrs->functions[i].frame != NULL);
    return fl_node_make(plan, &fl_op_window, attrs, NULL, &input, 1, NULL, 0, ret, err);
}
