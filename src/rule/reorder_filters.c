/* reorder_filters: of a scan's or filter's conjuncts, the cheap and selective run first.
 *
 * A conjunct that can raise stays behind all that the text puts before it, and nothing that the text puts behind it moves
 * in front of it: only runs of conjuncts that cannot raise are sorted. */
#include "op/filter/node.h"
#include "op/scan/node.h"
#include "plan/estimate.h"
#include "plan/rule.h"

#include <stdlib.h>

typedef struct ranked {
    const fl_expr *expr;
    double rank;
    int32_t index;
} ranked;

#define PARTS_MAX 100000 /* that are looked at: shared ones are met as often as they occur */

static double cost_of(const fl_expr *e)
{
    double cost = e->kind == FL_EXPR_CALL ? 1 : 0.2;
    if (e->size > PARTS_MAX)
        return e->size;
    if (e->kind == FL_EXPR_CALL && e->n_args > 0 && fl_type_is_string(e->args[0]->type))
        cost = 4;
    if (e->kind == FL_EXPR_IN)
        cost = fl_type_is_string(e->args[0]->type) ? 6 : 3;
    for (int32_t i = 0; i < e->n_args && e->kind != FL_EXPR_IN; i++)
        cost += cost_of(e->args[i]);
    return cost;
}

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->index - y->index;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_scan = call->node->op == &fl_op_scan;
    int32_t n = is_scan ? fl_scan_of(call->node)->n_filters : fl_filter_of(call->node)->n_conjuncts;
    const fl_expr *const *old = is_scan ? fl_scan_of(call->node)->filters : fl_filter_of(call->node)->conjuncts;
    ranked *order = NULL;
    const fl_expr **sorted = NULL;
    const fl_node *out = NULL;
    if (n < 2)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->scratch, n, &order, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), n, &sorted, err));
    for (int32_t i = 0; i < n; i++) {
        double keeps = fl_estimate_selectivity(call->plan, old[i]);
        order[i] = (ranked){old[i], cost_of(old[i]) / (1.0001 - keeps), i}; /* cost per row that is dropped */
    }
    for (int32_t start = 0; start < n;) {
        int32_t end = start;
        while (end < n && !(old[end]->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE)))
            end++;
        if (end > start)
            qsort(order + start, (size_t)(end - start), sizeof(*order), by_rank);
        start = end + 1;
    }
    bool same = true;
    for (int32_t i = 0; i < n; i++) {
        sorted[i] = order[i].expr;
        same &= sorted[i] == old[i];
    }
    if (same)
        return FL_OK;
    if (is_scan) {
        fl_scan_attrs attrs = *fl_scan_of(call->node);
        attrs.filters = sorted;
        FL_TRY(fl_node_make(call->plan, &fl_op_scan, &attrs, call->node->traits, NULL, 0, call->node->cols,
                            call->node->n_cols, &out, err));
    } else {
        fl_filter_attrs attrs = {.n_conjuncts = n, .conjuncts = sorted};
        FL_TRY(fl_node_make(call->plan, &fl_op_filter, &attrs, call->node->traits, call->node->inputs, 1,
                            call->node->cols, call->node->n_cols, &out, err));
    }
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

static bool check(const fl_rule_call *call)
{
    return call->node->op == &fl_op_scan || call->node->op == &fl_op_filter;
}

const fl_rule_desc fl_rule_reorder_filters = {FL_DESC(fl_rule_desc),
                                              .name = "reorder_filters",
                                              .phase = "refine",
                                              .pattern = "?",
                                              .scope = FL_SCOPE_BOTH,
                                              .promise = 5,
                                              .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                              .check = check,
                                              .on_match = on_match,
                                              .doc = "cheap and selective conjuncts first"};
