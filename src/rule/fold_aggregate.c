/* fold_aggregate: count, min and max of a whole table are what the table knows of itself, without reading it.
 *
 * Only what is counted is believed (fl_table_ops.facts): a version of a table in memory, a range of numbers, the number of rows of
 * Parquet files. All of an aggregate's results must be known, since what is left would read the rows anyway. */
#include "op/aggregate/node.h"
#include "op/scan/node.h"
#include "op/values/node.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

/* Whether all rows count for it, by themselves. */
static bool is_plain(const fl_agg *agg)
{
    return agg->agg->answer != FL_ANSWER_NONE && agg->filter == NULL && !agg->is_distinct && agg->n_order == 0 &&
           (agg->n_args == 0 || agg->args[0]->kind == FL_EXPR_COLUMN);
}

static bool check(const fl_rule_call *call)
{
    const fl_aggregate_attrs *aggregate = fl_aggregate_of(call->node);
    const fl_node *node = fl_rule_call_bound(call, "scan");
    const fl_scan_attrs *scan = fl_scan_of(node);
    bool ok = aggregate->n_keys == 0 && aggregate->n_aggs > 0 && scan->n_filters == 0 &&
              fl_rows_are(node, FL_ROWS_CHOSEN) && scan->table->ops->facts != NULL;
    for (int32_t i = 0; i < aggregate->n_aggs && ok; i++)
        ok = is_plain(&aggregate->aggs[i]);
    return ok;
}

/* The result as a constant; *ret NULL: it is not known. */
static fl_status answer(const fl_rule_call *call, const fl_agg *agg, const fl_expr **ret, fl_err *err)
{
    const fl_scan_attrs *scan = fl_scan_of(fl_rule_call_bound(call, "scan"));
    fl_table_facts facts;
    fl_value value = {.type = agg->type};
    int32_t col = -1;
    *ret = NULL;
    for (int32_t i = 0; i < scan->n_cols && agg->n_args > 0 && col < 0; i++)
        if (fl_col_is_equal(scan->cols[i], agg->args[0]->col))
            col = i;
    if (agg->n_args > 0 && col < 0) /* of an outer query */
        return FL_OK;
    scan->table->ops->facts(scan->table, col, &facts);
    if (agg->agg->answer == FL_ANSWER_COUNT) {
        int64_t nulls = col < 0 ? 0 : facts.nulls;
        if (nulls < 0)
            return FL_OK;
        value.i = facts.rows - nulls;
    } else {
        if (col < 0 || !facts.has_extremes)
            return FL_OK;
        value = agg->agg->answer == FL_ANSWER_MIN ? facts.min : facts.max;
    }
    return fl_type_is_equal(value.type, agg->type) ? fl_expr_const(call->plan, &value, -1, ret, err) : FL_OK;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *aggregate = fl_aggregate_of(call->node);
    int32_t n = aggregate->n_aggs;
    const fl_node *out = NULL;
    const fl_expr **exprs = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, n, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, n, &cols, err));
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(answer(call, &aggregate->aggs[i], &exprs[i], err));
        cols[i] = aggregate->aggs[i].out;
        if (exprs[i] == NULL)
            return FL_OK;
    }
    fl_values_attrs values = {.n_rows = 1, .n_cols = n, .cols = cols, .n_exprs = n, .exprs = exprs};
    FL_TRY(fl_node_make(call->plan, &fl_op_values, &values, NULL, NULL, 0, call->node->cols, call->node->n_cols, &out,
                        err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_fold_aggregate = {FL_DESC(fl_rule_desc),
                                             .name = "fold_aggregate",
                                             .phase = "normalize",
                                             .pattern = "aggregate(scan:scan)",
                                             .scope = FL_SCOPE_BOTH,
                                             .promise = 72,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT |
                                                      FL_KEEPS_ORDER,
                                             .check = check,
                                             .on_match = on_match,
                                             .doc = "count, min and max of a whole table that knows them"};
