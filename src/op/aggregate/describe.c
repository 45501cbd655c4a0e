/* aggregate: its class, and how one is built. */
#include "op/aggregate/node.h"

#include "base/index_map.h"

#include "opt/cost.h"
#include "plan/estimate.h"
#include "plan/props.h"

#include <math.h>
#include <stddef.h>

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)inputs;
    const fl_aggregate_attrs *a = attrs;
    int32_t n = 0;
    for (int32_t i = 0; i < a->n_cols; i++)
        ret[n++] = a->cols[i];
    for (int32_t i = 0; i < a->n_aggs; i++)
        ret[n++] = a->aggs[i].out;
    return n;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    const fl_aggregate_attrs *a = fl_aggregate_of(node);
    double in = node->inputs[0]->rows, groups = 1;
    for (int32_t i = 0; i < a->n_keys; i++)
        groups *= fl_estimate_distinct(plan, a->keys[i], in);
    return a->n_keys == 0 ? 1 : fmax(1, fmin(groups, in));
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *a = fl_aggregate_of(node);
    fl_col_set keys;
    fl_col_set_init(&keys);
    FL_TRY(fl_props_add_all(plan, ret, inputs[0], err)); /* a group's keys are those of one of its rows */
    for (int32_t i = 0; i < a->n_keys; i++)
        FL_TRY(fl_props_add_computed(plan, ret, a->cols[i], a->keys[i], err));
    FL_TRY(fl_col_set_add_cols(fl_plan_arena(plan), &keys, a->cols, a->n_cols, err));
    FL_TRY(fl_props_add_key(plan, ret, &keys, err));
    for (int32_t i = 0; i < a->n_aggs; i++)
        if (a->aggs[i].agg->empty_is_zero)
            FL_TRY(fl_col_set_add(fl_plan_arena(plan), &ret->not_null, a->aggs[i].out, err));
    ret->rows_min = a->n_keys == 0 || inputs[0]->rows_min > 0 ? 1 : 0;
    ret->rows_max = a->n_keys == 0 ? 1 : inputs[0]->rows_max;
cleanup:
    return st;
}

#define SEAM_ROWS 100000 /* about as many has a morsel: runs are cut where it ends */

/* Rows that are ordered by some keys: the groups of a run are at hand, and looked up once more where it is cut. */
static void cost_in_runs(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    const fl_aggregate_attrs *a = fl_aggregate_of(node);
    double rows = node->inputs[0]->rows, runs = 1;
    for (int32_t i = 0; i < a->n_order; i++)
        runs *= fl_estimate_distinct(plan, a->order[i].expr, rows);
    runs = fmax(1, fmin(runs, node->rows));
    double groups = node->rows / runs;
    fl_cost_add(cost, FL_COST_RUN, rows);
    fl_cost_add_random(cost, FL_COST_RUN_GROUP, rows, groups * fl_cost_row_bytes(node->n_cols));
    fl_cost_add(cost, FL_COST_GROUP, rows / SEAM_ROWS * fmin(groups, SEAM_ROWS));
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    const fl_aggregate_attrs *a = fl_aggregate_of(node);
    double rows = node->inputs[0]->rows, bytes = node->rows * fl_cost_row_bytes(node->n_cols);
    for (int32_t i = 0; i < a->n_keys; i++)
        fl_cost_add(cost, FL_COST_COMPUTE, a->keys[i]->kind == FL_EXPR_COLUMN ? 0 : rows);
    int32_t implementation = fl_trait_get(node->traits, &fl_trait_implementation);
    if (a->n_keys > 0 && implementation == FL_IMPL_SORTED)
        fl_cost_add(cost, FL_COST_RUN, rows);
    else if (a->n_keys > 0 && implementation == FL_IMPL_PARTLY_SORTED)
        cost_in_runs(plan, node, cost);
    else if (a->n_keys > 0 && implementation == FL_IMPL_PERFECT_HASH)
        fl_cost_add_random(cost, FL_COST_PLACE, rows, bytes);
    else if (a->n_keys > 0)
        fl_cost_add_random(cost, FL_COST_GROUP, rows, bytes);
    fl_cost_add(cost, FL_COST_AGGREGATE, rows * a->n_aggs);
    fl_cost_add_kept(cost, node->rows, node->n_cols);
}

static const fl_attr_field fields[] = {
    {"by", FL_FIELD_EXPRS, offsetof(fl_aggregate_attrs, keys), offsetof(fl_aggregate_attrs, n_keys), NULL, false,
     false},
    {"cols", FL_FIELD_COLS, offsetof(fl_aggregate_attrs, cols), offsetof(fl_aggregate_attrs, n_cols), NULL, true,
     false},
    {"aggregates", FL_FIELD_AGGS, offsetof(fl_aggregate_attrs, aggs), offsetof(fl_aggregate_attrs, n_aggs), NULL, false,
     false},
    {"early", FL_FIELD_BOOL, offsetof(fl_aggregate_attrs, is_early), 0, NULL, true, false},
    {"order", FL_FIELD_SORT_KEYS, offsetof(fl_aggregate_attrs, order), offsetof(fl_aggregate_attrs, n_order), NULL,
     false, false},
};

extern const fl_op_rewrites fl_aggregate_rewrites;
extern const struct fl_op_exec fl_aggregate_exec;

const fl_op_desc fl_op_aggregate = {FL_DESC(fl_op_desc),
                                    .name = "aggregate",
                                    .in_memory = "what is kept of one group lies in memory, groups go to the disk",
                                    .n_inputs = 1,
                                    .attr_bytes = sizeof(fl_aggregate_attrs),
                                    .fields = fields,
                                    .n_fields = FL_LEN(fields),
                                    .holds = FL_HOLDS_GROUPS,
                                    .derive_cols = derive_cols,
                                    .derive_rows = derive_rows,
                                    .derive_props = derive_props,
                                    .cost = cost,
                                    .needs = fl_aggregate_needs,
                                    .has_choice = fl_aggregate_has_choice,
                                    .gives = fl_aggregate_gives,
                                    .n_ways = 2,
                                    .rewrites = &fl_aggregate_rewrites,
                                    .exec = &fl_aggregate_exec,
                                    .doc = "groups and aggregates"};

fl_status fl_aggregate_build(fl_plan *plan, const fl_node *input, const fl_expr *const *keys, const fl_str *names,
                             int32_t n_keys, const fl_agg *aggs, int32_t n_aggs, fl_col_id *ret_cols,
                             const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **kept = NULL;
    fl_col_id *cols = NULL;
    int32_t n = 0;
    fl_index_map known; /* keys */
    fl_index_map_init(&known, fl_plan_arena(plan));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_keys + 1, &kept, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_keys + 1, &cols, err));
    for (int32_t i = 0; i < n_keys; i++) {
        const fl_expr *key = keys[i];
        if ((key->flags & FL_EXPR_UNTYPED) && key->type.id != FL_LIST)
            FL_TRY(fl_expr_cast(plan, key, FL_TYPE(FL_UTF8), false, key->pos, &key, err));
        int32_t same = fl_index_map_find(&known, fl_index_map_key(key));
        if (same >= 0) {
            ret_cols[i] = cols[same];
            continue;
        }
        kept[n] = key;
        FL_TRY(fl_index_map_add(&known, fl_index_map_key(key), n, err));
        if (key->kind == FL_EXPR_COLUMN && fl_col_set_has(&input->made, key->col)) {
            cols[n] = key->col;
        } else {
            fl_str name = names != NULL ? names[i] : (fl_str){0};
            fl_text text;
            fl_text_init(&text, NULL);
            if (name.len == 0) {
                fl_expr_print(&text, plan, key);
                name = fl_text_str(&text);
            }
            fl_col_info info = {.name = name, .type = key->type};
            st = fl_text_status(&text, err);
            if (st == FL_OK)
                st = fl_plan_add_col(plan, &info, &cols[n], err);
            fl_text_drop(&text);
            FL_TRY(st);
        }
        ret_cols[i] = cols[n++];
    }
    fl_aggregate_attrs attrs = {.n_keys = n, .keys = kept, .n_cols = n, .cols = cols, .n_aggs = n_aggs, .aggs = aggs};
    st = fl_node_make(plan, &fl_op_aggregate, &attrs, NULL, &input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

fl_status fl_distinct_build(fl_plan *plan, const fl_node *input, const fl_col_id *cols, int32_t n, const fl_node **ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **keys = NULL;
    fl_col_id *out = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &keys, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n + 1, &out, err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_column(plan, cols[i], -1, &keys[i], err));
    st = fl_aggregate_build(plan, input, keys, NULL, n, NULL, 0, out, ret, err);
cleanup:
    return st;
}
