/* eliminate_limit: a limit over a limit is one, and one over no more rows than it lets through goes.
 *
 * Over what may raise a limit stays: behind its rows it stops, where there might be an error. */
#include "op/limit/node.h"
#include "plan/props.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

#include <math.h>

#define PASSES_LIMIT (FL_ROWS_ONE_FOR_ONE | FL_ROWS_ORDERED | FL_ROWS_ALONE)
#define BETWEEN_MAX 16 /* operators between two limits */

/* What stands between the limit and another one: a row of each row in their order. *ret is that limit; NULL: there is none. */
static int32_t find_limit(const fl_node *node, const fl_node **between, const fl_node **ret)
{
    int32_t n = 0;
    const fl_node *below = node->inputs[0];
    while (below->op != node->op && n < BETWEEN_MAX && below->n_inputs == 1 && fl_rows_are(below, PASSES_LIMIT)) {
        between[n++] = below;
        below = below->inputs[0];
    }
    *ret = below->op == node->op ? below : NULL;
    return n;
}

/* Both as one, in the place of the lower: rows behind both offsets, as many as either lets through. */
static fl_status join_limits(fl_rule_call *call, const fl_node *lower, const fl_node *const *between, int32_t n,
                             fl_err *err)
{
    fl_status st = FL_OK;
    const fl_limit_attrs *above = fl_limit_of(call->node), *below = fl_limit_of(lower);
    const fl_node *out = NULL;
    int64_t rows = above->limit;
    if (above->offset > INT64_MAX - below->offset)
        return FL_OK;
    if (below->limit >= 0) {
        int64_t left = below->limit > above->offset ? below->limit - above->offset : 0;
        rows = rows < 0 || rows > left ? left : rows;
    }
    FL_TRY(fl_limit_build(call->plan, lower->inputs[0], rows, above->offset + below->offset, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, lower->cols, lower->n_cols, &out, err));
    for (int32_t i = n - 1; i >= 0; i--)
        FL_TRY(fl_node_with_inputs(call->plan, between[i], &out, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_limit_attrs *limit = fl_limit_of(call->node);
    const fl_node *below = call->node->inputs[0], *out = NULL;
    const fl_props *props = NULL;
    const fl_node *between[BETWEEN_MAX], *lower = NULL;
    int32_t n = find_limit(call->node, between, &lower);
    if (lower != NULL)
        return join_limits(call, lower, between, n, err);
    if (limit->offset > 0 || below->can_fail)
        return FL_OK;
    FL_TRY(fl_node_props(call->plan, below, &props, err));
    if (props->rows_max > (limit->limit < 0 ? INFINITY : (double)limit->limit))
        return FL_OK;
    FL_TRY(fl_node_with_cols(call->plan, below, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_eliminate_limit = {FL_DESC(fl_rule_desc),
                                              .name = "eliminate_limit",
                                              .phase = "normalize",
                                              .pattern = "limit",
                                              .scope = FL_SCOPE_BOTH,
                                              .promise = 65,
                                              .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT |
                                                       FL_KEEPS_ORDER,
                                              .on_match = on_match,
                                              .doc = "limits over limits are one, those over fewer rows go"};
