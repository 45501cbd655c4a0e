/* Ranges of grouping keys, from the statistics of the tables below.
 *
 * They are hints: statistics of files may be wrong, and the group index sends what lies outside to its hash directory. */
#include "op/aggregate/node.h"

#include "exec/group_index.h"
#include "op/project/node.h"
#include "plan/bounds.h"
#include "plan/estimate.h"

#define DEPTH_MAX 32 /* of projections that are looked through */

/* The expression that an operator at or below `node` computes as the column: a projection's, or a grouping key. NULL: there
 * is none. *ret_input is what the expression reads. */
static const fl_expr *computed(const fl_node *node, fl_col_id col, const fl_node **ret_input)
{
    for (;;) {
        const fl_col_id *cols = NULL;
        const fl_expr *const *exprs = NULL;
        int32_t n = 0;
        if (node->op == &fl_op_project) {
            cols = fl_project_of(node)->cols;
            exprs = fl_project_of(node)->exprs;
            n = fl_project_of(node)->n_cols;
        } else if (node->op == &fl_op_aggregate) {
            cols = fl_aggregate_of(node)->cols;
            exprs = fl_aggregate_of(node)->keys;
            n = fl_aggregate_of(node)->n_keys;
        }
        for (int32_t i = 0; i < n; i++)
            if (fl_col_is_equal(cols[i], col)) {
                *ret_input = node->inputs[0];
                return exprs[i];
            }
        const fl_node *from = NULL;
        for (int32_t i = 0; i < node->n_inputs && from == NULL; i++)
            if (fl_col_set_has(&node->inputs[i]->made, col))
                from = node->inputs[i];
        if (from == NULL)
            return NULL;
        node = from;
    }
}

/* Where an expression's columns come from. */
typedef struct reading {
    const fl_plan *plan;
    const fl_node *input;
    int32_t depth;
} reading;

/* fl_bounds_leaf: of the expression that makes the column below, or of its table's statistics. */
static fl_bounds column_bounds(void *ctx, const fl_expr *column)
{
    if (column->kind != FL_EXPR_COLUMN)
        return (fl_bounds){0};
    const reading *above = ctx;
    reading below = {.plan = above->plan, .depth = above->depth + 1};
    const fl_expr *made = computed(above->input, column->col, &below.input);
    fl_col_stats stats;
    double rows;
    if (made != NULL)
        return below.depth < DEPTH_MAX ? fl_expr_bounds(made, column_bounds, &below) : (fl_bounds){0};
    return fl_estimate_col_stats(above->plan, column->col, &stats, &rows) && stats.has_bounds
               ? fl_bounds_of_values(&stats.min, &stats.max)
               : (fl_bounds){0};
}

/* How many values a string column's dictionaries have; 0: that is not known. */
static double coded_values(const fl_plan *plan, const fl_expr *e)
{
    fl_table *table = e->kind == FL_EXPR_COLUMN ? fl_plan_col(plan, e->col)->table : NULL;
    fl_col_stats stats = {.distinct = -1};
    if (table == NULL || table->ops->stats == NULL)
        return 0;
    table->ops->stats(table, fl_plan_col(plan, e->col)->table_col, &stats);
    return stats.distinct > 0 ? stats.distinct : 0;
}

bool fl_aggregate_has_places(const fl_plan *plan, const fl_node *node, fl_bounds *ret)
{
    const fl_aggregate_attrs *attrs = fl_aggregate_of(node);
    double places = 1, rows = node->inputs[0]->rows;
    reading from = {.plan = plan, .input = node->inputs[0]};
    for (int32_t k = 0; k < attrs->n_keys; k++) {
        const fl_expr *key = attrs->keys[k];
        fl_bounds bounds = {0};
        double values;
        if (fl_type_is_string(key->type)) {
            values = coded_values(plan, key);
        } else {
            bounds = key->type.id == FL_BOOL ? (fl_bounds){true, 0, 1} : fl_expr_bounds(key, column_bounds, &from);
            if (!bounds.is_known || bounds.low < INT64_MIN || bounds.high > INT64_MAX ||
                bounds.high - bounds.low >= FL_GROUP_PLACES_MAX)
                return false;
            values = (double)(bounds.high - bounds.low) + 1;
        }
        if (values < 1)
            return false;
        places *= values + 1;
        if (places > FL_GROUP_PLACES_MAX && places > FL_GROUP_PACKED_PLACES_MAX)
            return false;
        if (ret != NULL)
            ret[k] = bounds;
    }
    if (attrs->n_keys == 1 && !fl_type_is_string(attrs->keys[0]->type) && places <= 2 * rows)
        return places <= FL_GROUP_PLACES_MAX;
    return attrs->n_keys > 0 && places <= FL_GROUP_PACKED_PLACES_MAX && places <= 8 * rows + 1024;
}
