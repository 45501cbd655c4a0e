/* reorder_filters: of conjuncts by which rows are tested one after the other, the cheap and selective run first.
 *
 * A conjunct that can raise stays behind all that the text puts before it, and nothing that the text puts behind it moves
 * in front of it: only runs of conjuncts that cannot raise are sorted. Where it can raise because it calls what may take long (a user's
 * function: fl_func_desc.cost_ns), what is cheaper and cannot raise does move in front of it, and keeps rows from it. */
#include "plan/estimate.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

#include <stdlib.h>

typedef struct ranked {
    const fl_expr *expr;
    double rank;
    int32_t place; /* how many barriers are in front of it, or of a barrier, up to it */
    int32_t index;
    bool is_barrier, may_pass; /* what is cheaper may pass it */
} ranked;

#define PARTS_MAX 100000 /* that are looked at: shared ones are met as often as they occur */
#define PASSED_MAX 100   /* barriers by one conjunct */

/* Nanoseconds a row, roughly. *ret_calls: a call in it says what it costs. */
static double cost_of(const fl_expr *e, bool *ret_calls)
{
    double cost = e->kind == FL_EXPR_CALL ? 1 : 0.2;
    if (e->size > PARTS_MAX)
        return e->size;
    if (e->kind == FL_EXPR_CALL && e->n_args > 0 && fl_type_is_string(e->args[0]->type))
        cost = 4;
    if (e->kind == FL_EXPR_CALL && e->func->cost_ns != NULL) {
        cost = e->func->cost_ns(e->func);
        *ret_calls = true;
    }
    if (e->kind == FL_EXPR_IN)
        cost = fl_type_is_string(e->args[0]->type) ? 6 : 3;
    for (int32_t i = 0; i < (e->kind == FL_EXPR_IN ? 1 : e->n_args); i++)
        cost += cost_of(e->args[i], ret_calls);
    return cost;
}

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->place != y->place)
        return x->place - y->place;
    if (x->is_barrier != y->is_barrier)
        return x->is_barrier - y->is_barrier;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->index - y->index;
}

/* The field of the node's conjuncts; NULL: its rows are not tested. */
static const fl_attr_field *tests_of(const fl_node *node)
{
    const char *name = fl_rewrites_of(node)->tests;
    for (int32_t i = 0; name != NULL && i < node->op->n_fields; i++)
        if (strcmp(node->op->fields[i].name, name) == 0)
            return &node->op->fields[i];
    return NULL;
}

static void rank_tests(const fl_plan *plan, const fl_expr *const *tests, int32_t n, ranked *order,
                       const ranked **barriers)
{
    int32_t n_barriers = 0;
    for (int32_t i = 0; i < n; i++) {
        ranked *r = &order[i];
        bool calls = false;
        double keeps = fl_estimate_selectivity(plan, tests[i]), cost = cost_of(tests[i], &calls);
        *r = (ranked){.expr = tests[i], .rank = cost / (1.0001 - keeps), .place = n_barriers, .index = i};
        r->is_barrier = (tests[i]->flags & (FL_EXPR_CAN_FAIL | FL_EXPR_VOLATILE)) != 0;
        if (r->is_barrier) {
            r->may_pass = calls && !(tests[i]->flags & FL_EXPR_VOLATILE);
            barriers[n_barriers++] = r;
            continue;
        }
        while (r->place > 0 && n_barriers - r->place < PASSED_MAX && barriers[r->place - 1]->may_pass &&
               r->rank < barriers[r->place - 1]->rank)
            r->place--;
    }
}

/* The conjuncts in their best order; *ret_same: which they have. Ranks are costs per row that is dropped. */
static fl_status sort_tests(fl_rule_call *call, const fl_expr *const *old, int32_t n, const fl_expr ***ret,
                            bool *ret_same, fl_err *err)
{
    fl_status st = FL_OK;
    ranked *order = NULL;
    const ranked **barriers = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, n, &order, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, n, &barriers, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, n, ret, err));
    rank_tests(call->plan, old, n, order, barriers);
    qsort(order, (size_t)n, sizeof(*order), by_rank);
    *ret_same = true;
    for (int32_t i = 0; i < n; i++) {
        (*ret)[i] = order[i].expr;
        *ret_same &= order[i].expr == old[i];
    }
cleanup:
    return st;
}

static bool check(const fl_rule_call *call)
{
    const fl_attr_field *tests = tests_of(call->node);
    return tests != NULL && fl_field_count(tests, call->node->attrs) > 1;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, *out = NULL;
    const fl_attr_field *tests = tests_of(node);
    const fl_expr **sorted = NULL;
    void *attrs = NULL;
    bool is_same = false;
    FL_TRY(sort_tests(call, FL_FIELD_AT(const fl_expr *const *, node->attrs, tests->offset),
                      fl_field_count(tests, node->attrs), &sorted, &is_same, err));
    if (is_same)
        return FL_OK;
    FL_TRY(fl_arena_get(call->scratch, node->op->attr_bytes, &attrs, err));
    memcpy(attrs, node->attrs, (size_t)node->op->attr_bytes);
    *FL_FIELD_SLOT(const fl_expr *const *, attrs, tests->offset) = sorted;
    FL_TRY(fl_node_make(call->plan, node->op, attrs, node->traits, node->inputs, node->n_inputs, node->cols,
                        node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_reorder_filters = {FL_DESC(fl_rule_desc),
                                              .name = "reorder_filters",
                                              .phase = "refine",
                                              .pattern = "?",
                                              .scope = FL_SCOPE_BOTH,
                                              .promise = 5,
                                              .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT |
                                                       FL_KEEPS_ORDER,
                                              .check = check,
                                              .on_match = on_match,
                                              .doc = "cheap and selective conjuncts first"};
