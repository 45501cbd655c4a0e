/* window_to_join: aggregates over whole partitions are computed by grouping, and joined to the rows.
 *
 *     sum(x) OVER (PARTITION BY k) of t   =   t join (sum(x) by k of t) on k IS NOT DISTINCT FROM k
 *
 * A window sorts its rows, or collects them in order; a grouping keeps a state per partition, and the join needs no order either. The rows
 * are read twice: that is done where they are a table's in memory, which gives the same ones again. Aggregates for which it matters in which
 * order rows come stay, and keys of types in which equal values differ: which of them is shown should not depend on the plan. */
#include "op/aggregate/node.h"
#include "op/join/node.h"
#include "op/scan/node.h"
#include "op/window/node.h"
#include "plan/expr_walk.h"
#include "plan/rule.h"

static bool may_group_by(const fl_expr *key)
{
    return key->kind == FL_EXPR_COLUMN && !fl_type_is_float(key->type) && !fl_type_is_nested(key->type) &&
           key->type.id != FL_INTERVAL;
}

/* The frame of each row is its partition, where there is no order. */
static bool is_whole(const fl_frame *frame)
{
    bool by_peers = frame->unit != FL_FRAME_ROWS; /* all of a partition are peers */
    return frame->exclude == FL_EXCLUDE_NO_OTHERS &&
           (frame->start == FL_FRAME_UNBOUNDED_PRECEDING || (by_peers && frame->start == FL_FRAME_CURRENT_ROW)) &&
           (frame->end == FL_FRAME_UNBOUNDED_FOLLOWING || (by_peers && frame->end == FL_FRAME_CURRENT_ROW));
}

static bool check(const fl_rule_call *call)
{
    const fl_window_attrs *window = fl_window_of(call->node);
    const fl_scan_attrs *scan = fl_scan_of(fl_rule_call_bound(call, "rows"));
    bool ok = window->n_partition > 0 && window->n_order == 0 && window->limit < 0 && window->n_functions > 0 &&
              scan->limit < 0 && scan->offset < 0 && scan->table->format != NULL &&
              strcmp(scan->table->format, "memory") == 0;
    for (int32_t i = 0; i < window->n_partition && ok; i++)
        ok = may_group_by(window->partition[i]);
    for (int32_t i = 0; i < window->n_functions && ok; i++) {
        const fl_agg *agg = &window->functions[i];
        ok = agg->agg->window == FL_OVER_NONE && agg->agg->ignores_order && agg->n_order == 0 && is_whole(agg->frame);
    }
    for (int32_t i = 0; i < scan->n_filters && ok; i++)
        ok = (scan->filters[i]->flags & FL_EXPR_VOLATILE) == 0;
    return ok;
}

/* The scan once more, under ids of its own; `to` gets them as expressions. */
static fl_status scan_again(fl_rule_call *call, const fl_node *scan, fl_substitution *to_second, const fl_expr **to,
                            const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = call->plan;
    fl_scan_attrs attrs = *fl_scan_of(scan);
    fl_col_id *cols = NULL, *put_out = NULL;
    const fl_expr **filters = NULL, *col = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_cols + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, scan->n_cols + 1, &put_out, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, attrs.n_filters + 1, &filters, err));
    for (int32_t i = 0; i < attrs.n_cols; i++) {
        fl_col_info info = *fl_plan_col(plan, attrs.cols[i]);
        FL_TRY(fl_plan_add_col(plan, &info, &cols[i], err));
        FL_TRY(fl_expr_column(plan, cols[i], -1, &to[i], err));
    }
    FL_TRY(fl_substitution_init(to_second, plan, attrs.cols, to, attrs.n_cols, err));
    for (int32_t i = 0; i < attrs.n_filters; i++)
        FL_TRY(fl_substitute(to_second, attrs.filters[i], &filters[i], err));
    for (int32_t i = 0; i < scan->n_cols; i++) {
        FL_TRY(fl_expr_column(plan, scan->cols[i], -1, &col, err));
        FL_TRY(fl_substitute(to_second, col, &col, err));
        put_out[i] = col->col;
    }
    attrs.cols = cols;
    attrs.filters = filters;
    st = fl_node_make(plan, scan->op, &attrs, scan->traits, NULL, 0, put_out, scan->n_cols, ret, err);
cleanup:
    return st;
}

/* The partitions' keys and the functions' results. */
static fl_status group(fl_rule_call *call, fl_substitution *to_second, const fl_node *rows, fl_col_id *ret_keys,
                       const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_window_attrs *window = fl_window_of(call->node);
    const fl_expr **keys = NULL;
    fl_agg *aggs = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, window->n_partition, &keys, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, window->n_functions, &aggs, err));
    for (int32_t k = 0; k < window->n_partition; k++) {
        FL_TRY(fl_substitute(to_second, window->partition[k], &keys[k], err));
        ret_keys[k] = keys[k]->col;
    }
    for (int32_t i = 0; i < window->n_functions; i++) {
        aggs[i] = window->functions[i];
        aggs[i].frame = NULL;
        for (int32_t a = 0; a < aggs[i].n_args; a++)
            FL_TRY(fl_substitute(to_second, aggs[i].args[a], &aggs[i].args[a], err));
        if (aggs[i].filter != NULL)
            FL_TRY(fl_substitute(to_second, aggs[i].filter, &aggs[i].filter, err));
    }
    fl_aggregate_attrs attrs = {.n_keys = window->n_partition,
                                .keys = keys,
                                .n_cols = window->n_partition,
                                .cols = ret_keys,
                                .n_aggs = window->n_functions,
                                .aggs = aggs};
    st = fl_node_make(call->plan, &fl_op_aggregate, &attrs, NULL, &rows, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = call->plan;
    const fl_window_attrs *window = fl_window_of(call->node);
    const fl_node *scan = fl_rule_call_bound(call, "rows"), *groups = NULL, *out = NULL;
    fl_substitution to_second = {0};
    const fl_expr **to = NULL, **conjuncts = NULL, *key = NULL;
    fl_col_id *keys = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_scan_of(scan)->n_cols + 1, &to, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, window->n_partition, &conjuncts, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, window->n_partition, &keys, err));
    FL_TRY(scan_again(call, scan, &to_second, to, &groups, err));
    FL_TRY(group(call, &to_second, groups, keys, &groups, err));
    for (int32_t k = 0; k < window->n_partition; k++) {
        FL_TRY(fl_expr_column(plan, keys[k], -1, &key, err));
        FL_TRY(fl_expr_call_args(plan, "is_not_distinct_from", -1, &conjuncts[k], err, 2, window->partition[k], key));
    }
    FL_TRY(fl_join_build_all(plan, FL_JOIN_INNER, scan, groups, conjuncts, window->n_partition, (fl_col_id){0}, &out,
                             err));
    FL_TRY(fl_node_with_cols(plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    fl_substitution_drop(&to_second);
    return st;
}

const fl_rule_desc fl_rule_window_to_join = {
    FL_DESC(fl_rule_desc),  .name = "window_to_join",
    .phase = "normalize",   .pattern = "window(rows:scan)",
    .scope = FL_SCOPE_BOTH, .promise = 5,
    .keeps = FL_KEEPS_COLS, .check = check,
    .on_match = on_match,   .doc = "aggregates over whole partitions are grouped and joined"};
