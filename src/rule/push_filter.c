/* push_filter: conjuncts move down to where their columns are made, or into the condition of the operator below.
 *
 * How they pass and what takes them is the operator's to say (plan/rewrites.h). What is volatile stays. What can raise passes
 * where it sees the same rows below as above: where one input gives one row for each of its own, never across a join. */
#include "op/filter/node.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

typedef struct pushing {
    fl_rule_call *call;
    fl_plan *plan;
    const fl_expr *const *conjuncts;
    int32_t n;
    bool *is_moved; /* by conjunct: nothing is left of it above */
    const fl_node *below;
} pushing;

/* What passes to inputs of the operator below goes over them. */
static fl_status push_to_inputs(pushing *p, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *below = p->below, **inputs = NULL;
    const fl_expr **passed = NULL, **over = NULL;
    const fl_op_rewrites *rewrites = fl_rewrites_of(below);
    bool is_same_rows = below->n_inputs == 1 && fl_rows_are(below, FL_ROWS_ONE_FOR_ONE);
    uint32_t stays = FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY | (is_same_rows ? 0 : FL_EXPR_CAN_FAIL);
    if (rewrites->passes == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(p->call->scratch, below->n_inputs, &inputs, err));
    for (int32_t input = 0; input < below->n_inputs; input++) {
        int32_t n_over = 0;
        FL_TRY(FL_NEW_ARRAY(p->call->scratch, p->n, &passed, err));
        FL_TRY(FL_NEW_ARRAY(p->call->scratch, p->n, &over, err));
        FL_TRY(rewrites->passes(p->plan, below, input, p->conjuncts, p->n, passed, err));
        for (int32_t i = 0; i < p->n; i++)
            if (passed[i] != NULL && !(p->conjuncts[i]->flags & stays)) {
                over[n_over++] = passed[i];
                p->is_moved[i] = true;
            }
        FL_TRY(fl_filter_build_all(p->plan, below->inputs[input], over, n_over, &inputs[input], err));
    }
    st = fl_node_with_inputs(p->plan, below, inputs, &p->below, err);
cleanup:
    return st;
}

/* What is left may become a part of the operator's own condition. */
static fl_status push_into(pushing *p, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_op_rewrites *rewrites = fl_rewrites_of(p->below);
    const fl_expr **left = NULL;
    int32_t *places = NULL, n_left = 0;
    bool *is_taken = NULL;
    if (rewrites->takes == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(p->call->scratch, p->n, &left, err));
    FL_TRY(FL_NEW_ARRAY(p->call->scratch, p->n, &places, err));
    FL_TRY(FL_NEW_ARRAY(p->call->scratch, p->n, &is_taken, err));
    for (int32_t i = 0; i < p->n; i++)
        if (!p->is_moved[i]) {
            left[n_left] = p->conjuncts[i];
            places[n_left++] = i;
        }
    if (n_left > 0)
        FL_TRY(rewrites->takes(p->plan, p->below, left, n_left, is_taken, &p->below, err));
    for (int32_t i = 0; i < n_left; i++)
        p->is_moved[places[i]] = is_taken[i];
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_node *out = NULL;
    const fl_expr **kept = NULL;
    int32_t n_kept = 0;
    pushing p = {.call = call,
                 .plan = call->plan,
                 .conjuncts = filter->conjuncts,
                 .n = filter->n_conjuncts,
                 .below = call->node->inputs[0]};
    FL_TRY(FL_NEW_ARRAY(call->scratch, p.n, &p.is_moved, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, p.n, &kept, err));
    FL_TRY(push_to_inputs(&p, err));
    FL_TRY(push_into(&p, err));
    for (int32_t i = 0; i < p.n; i++)
        if (!p.is_moved[i])
            kept[n_kept++] = p.conjuncts[i];
    if (n_kept == p.n)
        return FL_OK;
    FL_TRY(fl_filter_build_all(p.plan, p.below, kept, n_kept, &out, err));
    FL_TRY(fl_node_with_cols(p.plan, out, call->node->cols, call->node->n_cols, &out, err));
    bool merges = call->node->inputs[0]->op == call->node->op; /* the whole filter, into the one below */
    fl_rule_call_count(call, merges ? FL_METRIC_FILTER_MERGES : FL_METRIC_PREDICATE_PUSHDOWNS,
                       merges ? 1 : p.n - n_kept);
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_push_filter = {FL_DESC(fl_rule_desc),
                                          .name = "push_filter",
                                          .phase = "normalize",
                                          .pattern = "filter",
                                          .scope = FL_SCOPE_BOTH,
                                          .promise = 60,
                                          .keeps = FL_KEEPS_COLS | FL_KEEPS_ORDER,
                                          .on_match = on_match,
                                          .doc = "filters run where their columns are made"};
