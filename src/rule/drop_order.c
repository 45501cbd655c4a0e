/* drop_order: what only brings rows in an order goes where nobody above sees it: below groups, sets and tests for partners, also through
 * what passes the order on.
 *
 * What the order of an input is to an operator its class says (plan/rewrites.h). Where an aggregate goes by the order of its rows, it
 * is kept, though SQL promises none: who writes ORDER BY there means it. Keys that may raise are still computed. */
#include "plan/rewrites.h"
#include "plan/rule.h"

#define DEPTH_MAX 500
#define NODES_MAX 10000 /* that one application looks at */

typedef struct dropping {
    fl_plan *plan;
    int32_t n_seen;
} dropping;

static bool check(const fl_rule_call *call)
{
    for (int32_t i = 0; i < call->node->n_inputs; i++)
        if (fl_order_of_input(call->node, i) == FL_ORDER_IGNORED)
            return true;
    return false;
}

typedef struct keys {
    const fl_plan *plan;
    const fl_node *input;
    bool may_go;
} keys;

/* A key that nobody else reads can go without saving an error. */
static fl_status look_at_key(void *ctx, const fl_expr *key, fl_err *err)
{
    (void)err;
    keys *k = ctx;
    bool is_base = key->kind == FL_EXPR_COLUMN && fl_plan_col(k->plan, key->col)->table != NULL;
    k->may_go &= is_base || (!k->input->can_fail && fl_expr_is_movable(key));
    return FL_OK;
}

/* The node without what makes an order in it or below, as far as that reaches through; itself where there is none. */
static fl_status unordered(dropping *d, const fl_node *node, int32_t depth, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node **inputs = NULL, *input = NULL;
    *ret = node;
    if (depth == DEPTH_MAX || d->n_seen++ >= NODES_MAX)
        return FL_OK;
    if (fl_rows_are(node, FL_ROWS_ARRANGED)) {
        keys k = {d->plan, node->inputs[0], true};
        FL_TRY(fl_node_visit_exprs(node, look_at_key, &k, err));
        if (k.may_go) {
            FL_TRY(unordered(d, node->inputs[0], depth + 1, &input, err));
            return fl_node_with_cols(d->plan, input, node->cols, node->n_cols, ret, err);
        }
    }
    for (int32_t i = 0; i < node->n_inputs; i++) {
        if (fl_order_of_input(node, i) != FL_ORDER_PASSED)
            continue;
        FL_TRY(unordered(d, node->inputs[i], depth + 1, &input, err));
        if (input == node->inputs[i])
            continue;
        if (inputs == NULL) {
            FL_TRY(FL_NEW_ARRAY(fl_plan_arena(d->plan), node->n_inputs, &inputs, err));
            memcpy(inputs, node->inputs, (size_t)node->n_inputs * sizeof(*inputs));
        }
        inputs[i] = input;
    }
    if (inputs != NULL)
        st = fl_node_with_inputs(d->plan, node, inputs, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = call->node, **inputs = NULL, *out = NULL;
    dropping d = {.plan = call->plan};
    bool is_changed = false;
    FL_TRY(FL_NEW_ARRAY(call->scratch, node->n_inputs, &inputs, err));
    for (int32_t i = 0; i < node->n_inputs; i++) {
        inputs[i] = node->inputs[i];
        if (fl_order_of_input(node, i) == FL_ORDER_IGNORED)
            FL_TRY(unordered(&d, node->inputs[i], 0, &inputs[i], err));
        is_changed |= inputs[i] != node->inputs[i];
    }
    if (!is_changed)
        return FL_OK;
    FL_TRY(fl_node_with_inputs(call->plan, node, inputs, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_drop_order = {FL_DESC(fl_rule_desc),
                                         .name = "drop_order",
                                         .phase = "normalize",
                                         .pattern = "?",
                                         .scope = FL_SCOPE_BOTH,
                                         .promise = 50,
                                         .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT,
                                         .check = check,
                                         .on_match = on_match,
                                         .doc = "rows are not sorted for who does not see their order"};
