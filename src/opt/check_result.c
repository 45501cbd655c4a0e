/* A column's type is the plan's, so a column that is put out has kept it. */
#include "opt/check_result.h"

#include "plan/props.h"

/* Columns: all that the node puts out, or where a rule of the whole plan may drop some, those that the query puts out. */
static fl_status check_cols(const fl_rule_call *call, const fl_node *result, fl_err *err)
{
    const fl_node *node = call->node;
    bool keeps_all = call->rule->keeps & FL_KEEPS_COLS;
    if (fl_col_set_has_all(&result->made, keeps_all ? &node->made : call->wanted))
        return FL_OK;
    for (int32_t i = 0; i < node->n_cols; i++) {
        fl_col_id col = node->cols[i];
        if (fl_col_set_has(&result->made, col) || !(keeps_all || fl_col_set_has(call->wanted, col)))
            continue;
        return FL_FAIL(err, FL_ERR_INTERNAL, "rule %s lost column #%d \"%.*s\" of %s: %s does not put it out",
                       call->rule->name, col.n, FL_STR_ARG(fl_plan_col(call->plan, col)->name), node->op->name,
                       result->op->name);
    }
    return FL_OK;
}

/* A column that had no null may have one; where there are no rows there are none. Not held where outer columns are read: a
 * node says nothing of them, so what two conditions together say of a column that equals one is lost where they part. */
static fl_status check_nulls(const fl_rule_call *call, const fl_props *before, const fl_props *after,
                             const fl_node *result, fl_err *err)
{
    bool is_held =
        (call->rule->keeps & FL_KEEPS_NOT_NULL) && after->rows_max > 0 && fl_col_set_is_empty(&call->node->outer);
    for (int32_t i = 0; i < result->n_cols && is_held; i++) {
        fl_col_id col = result->cols[i];
        if (fl_col_set_has(&call->node->made, col) && fl_col_set_has(&before->not_null, col) &&
            !fl_col_set_has(&after->not_null, col))
            return FL_FAIL(err, FL_ERR_INTERNAL, "rule %s lets column #%d \"%.*s\" of %s be null, which it was not",
                           call->rule->name, col.n, FL_STR_ARG(fl_plan_col(call->plan, col)->name),
                           call->node->op->name);
    }
    return FL_OK;
}

/* Bounds that exclude each other, or that became closer though the rule says that it keeps all rows and adds none. */
static fl_status check_rows(const fl_rule_call *call, const fl_props *before, const fl_props *after, fl_err *err)
{
    bool is_other = after->rows_max < before->rows_min || after->rows_min > before->rows_max;
    bool is_closer = after->rows_max < before->rows_max || after->rows_min > before->rows_min;
    if (!is_other && !(is_closer && (call->rule->keeps & FL_KEEPS_ROW_COUNT)))
        return FL_OK;
    return FL_FAIL(err, FL_ERR_INTERNAL,
                   "rule %s does not keep the rows of %s: there were %g to %g, there are %g to %g", call->rule->name,
                   call->node->op->name, before->rows_min, before->rows_max, after->rows_min, after->rows_max);
}

/* An order as far as columns tell it that are still put out. */
static fl_status check_order(const fl_rule_call *call, const fl_ordering *order, const fl_props *after,
                             const fl_node *result, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sort_key *keys = NULL;
    int32_t n = 0;
    bool is_ordered = true;
    FL_TRY(FL_NEW_ARRAY(call->scratch, order->n_keys, &keys, err));
    for (; n < order->n_keys && fl_col_set_has(&result->made, order->keys[n].cols[0]); n++) {
        const fl_order_key *key = &order->keys[n];
        keys[n] = (fl_sort_key){.is_descending = key->is_descending, .nulls_first = key->nulls_first};
        FL_TRY(fl_expr_column(call->plan, key->cols[0], -1, &keys[n].expr, err));
    }
    FL_TRY(fl_props_is_ordered(call->plan, after, keys, n, &is_ordered, err));
    if (!is_ordered)
        return FL_FAIL(err, FL_ERR_INTERNAL, "rule %s does not keep the order of %s", call->rule->name,
                       call->node->op->name);
cleanup:
    return st;
}

fl_status fl_check_result(const fl_rule_call *call, const fl_node *result, bool verifies_properties, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_props *before = NULL, *after = NULL;
    FL_TRY(check_cols(call, result, err));
    if (!verifies_properties)
        return FL_OK;
    FL_TRY(fl_node_props(call->plan, call->node, &before, err));
    FL_TRY(fl_node_props(call->plan, result, &after, err));
    FL_TRY(check_nulls(call, before, after, result, err));
    FL_TRY(check_rows(call, before, after, err));
    for (int32_t i = 0; i < before->n_orders && (call->rule->keeps & FL_KEEPS_ORDER) && after->rows_max > 1; i++)
        FL_TRY(check_order(call, &before->orders[i], after, result, err));
cleanup:
    return st;
}
