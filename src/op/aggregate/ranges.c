/* Ranges of grouping keys, from the statistics of the tables below.
 *
 * They are hints: statistics of files may be wrong, and the group index sends what lies outside to its hash directory. */
#include "op/aggregate/node.h"

#include "exec/group_index.h"
#include "op/project/node.h"
#include "plan/estimate.h"

#define DEPTH_MAX 32 /* of expressions and projections that are looked through */

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

static bool whole_of(const fl_value *value, fl_i128 *ret)
{
    switch (value->type.id) {
    case FL_BOOL:
        *ret = value->b;
        return true;
    case FL_U64:
        *ret = value->u;
        return true;
    case FL_DECIMAL:
        *ret = value->d;
        return true;
    case FL_DATE:
    case FL_TIME:
    case FL_TIMESTAMP:
    case FL_TIMESTAMPTZ:
        *ret = value->i;
        return true;
    default:
        *ret = value->i;
        return fl_type_is_integer(value->type);
    }
}

static fl_bounds bounds_of_values(const fl_value *min, const fl_value *max)
{
    fl_bounds bounds = {0};
    bounds.is_known = whole_of(min, &bounds.low) && whole_of(max, &bounds.high);
    return bounds;
}

/* What the values of an expression over `input` lie between. */
static fl_bounds bounds_of(const fl_plan *plan, const fl_node *input, const fl_expr *e, int32_t depth)
{
    fl_bounds unknown = {0}, args[FL_FUNC_ARGS_MAX];
    fl_type types[FL_FUNC_ARGS_MAX];
    fl_col_stats stats;
    double rows;
    if (depth >= DEPTH_MAX)
        return unknown;
    switch (e->kind) {
    case FL_EXPR_CONST:
        return e->value->is_null ? unknown : bounds_of_values(e->value, e->value);
    case FL_EXPR_COLUMN: {
        const fl_node *below = NULL;
        const fl_expr *made = computed(input, e->col, &below);
        if (made != NULL)
            return bounds_of(plan, below, made, depth + 1);
        return fl_estimate_col_stats(plan, e->col, &stats, &rows) && stats.has_bounds
                   ? bounds_of_values(&stats.min, &stats.max)
                   : unknown;
    }
    case FL_EXPR_CAST: /* between integers values stay what they are */
        return fl_type_is_integer(e->type) && fl_type_is_integer(e->args[0]->type)
                   ? bounds_of(plan, input, e->args[0], depth + 1)
                   : unknown;
    case FL_EXPR_CALL:
        if (e->func->bounds == NULL || e->n_args > FL_FUNC_ARGS_MAX)
            return unknown;
        for (int32_t i = 0; i < e->n_args; i++) {
            args[i] = bounds_of(plan, input, e->args[i], depth + 1);
            types[i] = e->args[i]->type;
        }
        return e->func->bounds(args, types, e->n_args);
    default:
        return unknown;
    }
}

/* How many values a string column's dictionaries have; 0: that is not known. */
static double coded_values(const fl_plan *plan, const fl_expr *e)
{
    const fl_table *table = e->kind == FL_EXPR_COLUMN ? fl_plan_col(plan, e->col)->table : NULL;
    fl_col_stats stats = {.distinct = -1};
    if (table == NULL || table->ops->stats == NULL)
        return 0;
    table->ops->stats((fl_table *)(uintptr_t)table, fl_plan_col(plan, e->col)->table_col, &stats);
    return stats.distinct > 0 ? stats.distinct : 0;
}

bool fl_aggregate_has_places(const fl_plan *plan, const fl_node *node, fl_bounds *ret)
{
    const fl_aggregate_attrs *attrs = fl_aggregate_of(node);
    double places = 1, rows = node->inputs[0]->rows;
    for (int32_t k = 0; k < attrs->n_keys; k++) {
        const fl_expr *key = attrs->keys[k];
        fl_bounds bounds = {0};
        double values;
        if (fl_type_is_string(key->type)) {
            values = coded_values(plan, key);
        } else {
            bounds = key->type.id == FL_BOOL ? (fl_bounds){true, 0, 1} : bounds_of(plan, node->inputs[0], key, 0);
            if (!bounds.is_known || bounds.low < INT64_MIN || bounds.high > INT64_MAX ||
                bounds.high - bounds.low >= FL_GROUP_PLACES_MAX)
                return false;
            values = (double)(bounds.high - bounds.low) + 1;
        }
        if (values < 1)
            return false;
        places *= values + 1;
        if (ret != NULL)
            ret[k] = bounds;
    }
    if (attrs->n_keys == 1 && !fl_type_is_string(attrs->keys[0]->type) && places <= 2 * rows)
        return places <= FL_GROUP_PLACES_MAX;
    return attrs->n_keys > 0 && places <= FL_GROUP_PACKED_PLACES_MAX && places <= 8 * rows + 1024;
}
