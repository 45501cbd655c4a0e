/* A column's type is the plan's, so a column that is put out has kept it. */
#include "opt/check_result.h"

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

fl_status fl_check_result(const fl_rule_call *call, const fl_node *result, fl_err *err)
{
    return check_cols(call, result, err);
}
