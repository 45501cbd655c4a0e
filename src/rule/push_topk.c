/* push_topk: the best rows are chosen before what is done to each row.
 *
 * Below what makes one row of each and keeps their order (a projection) nothing is left above. Below what makes one or more of each
 * (a left join) and in each input of a union no more rows are needed than come out, and the best of them are chosen again. */
#include "op/topk/node.h"
#include "plan/props.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

#define ONE_OR_MORE (FL_ROWS_SOME | FL_ROWS_ALL | FL_ROWS_ALONE)
#define ONE_EACH (FL_ROWS_ONE_FOR_ONE | FL_ROWS_ORDERED | FL_ROWS_ALONE)

/* The keys as an input has them; *ret NULL: it has not all of them, or one can raise. */
static fl_status keys_of_input(const fl_rule_call *call, int32_t input, bool is_passed, const fl_sort_key **ret,
                               fl_err *err)
{
    fl_status st = FL_OK;
    const fl_topk_attrs *topk = fl_topk_of(call->node);
    const fl_node *below = call->node->inputs[0];
    fl_sort_key *keys = NULL;
    const fl_expr **exprs = NULL, **passed = NULL;
    fl_col_set used;
    fl_col_set_init(&used);
    *ret = NULL;
    FL_TRY(FL_NEW_ARRAY(call->scratch, topk->n_keys, &keys, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, topk->n_keys, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, topk->n_keys, &passed, err));
    for (int32_t i = 0; i < topk->n_keys; i++)
        exprs[i] = topk->keys[i].expr;
    if (is_passed)
        FL_TRY(fl_rewrites_of(below)->passes(call->plan, below, input, exprs, topk->n_keys, passed, err));
    for (int32_t i = 0; i < topk->n_keys; i++) {
        keys[i] = topk->keys[i];
        keys[i].expr = is_passed ? passed[i] : exprs[i];
        if (keys[i].expr == NULL || !fl_expr_is_movable(keys[i].expr))
            return FL_OK;
        FL_TRY(fl_expr_add_cols(call->scratch, keys[i].expr, &used, err));
    }
    if (fl_col_set_has_all(&below->inputs[input]->made, &used))
        *ret = keys;
cleanup:
    return st;
}

/* The best `rows` rows of an input; it itself where it has no more. */
static fl_status best_of(const fl_rule_call *call, const fl_node *input, const fl_sort_key *keys, int64_t rows,
                         const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_props *props = NULL;
    *ret = input;
    FL_TRY(fl_node_props(call->plan, input, &props, err));
    if (props->rows_max > (double)rows)
        st = fl_topk_build(call->plan, input, keys, fl_topk_of(call->node)->n_keys, rows, 0, ret, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_topk_attrs *topk = fl_topk_of(call->node);
    const fl_node *below = call->node->inputs[0], *out = NULL, **inputs = NULL;
    const fl_sort_key *keys = NULL;
    bool is_united = fl_rows_are(below, FL_ROWS_UNITED), is_changed = false;
    int32_t n = is_united ? below->n_inputs : 1;
    if (below->n_inputs == 0 || !(is_united || fl_rows_are(below, ONE_OR_MORE)) ||
        topk->limit > INT64_MAX - topk->offset || topk->limit < 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->scratch, below->n_inputs, &inputs, err));
    memcpy(inputs, below->inputs, (size_t)below->n_inputs * sizeof(*inputs));
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(keys_of_input(call, i, is_united, &keys, err));
        if (keys == NULL)
            return FL_OK;
        if (fl_rows_are(below, ONE_EACH)) {
            FL_TRY(
                fl_topk_build(call->plan, inputs[0], keys, topk->n_keys, topk->limit, topk->offset, &inputs[0], err));
            FL_TRY(fl_node_with_inputs(call->plan, below, inputs, &out, err));
            FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
            return fl_rule_call_transform_to(call, out, err);
        }
        FL_TRY(best_of(call, inputs[i], keys, topk->limit + topk->offset, &inputs[i], err));
        is_changed |= inputs[i] != below->inputs[i];
    }
    if (!is_changed)
        return FL_OK;
    FL_TRY(fl_node_with_inputs(call->plan, below, inputs, &out, err));
    FL_TRY(fl_node_with_inputs(call->plan, call->node, &out, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_push_topk = {FL_DESC(fl_rule_desc),
                                        .name = "push_topk",
                                        .phase = "refine",
                                        .pattern = "topk",
                                        .scope = FL_SCOPE_BOTH,
                                        .promise = 32,
                                        .keeps =
                                            FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
                                        .on_match = on_match,
                                        .doc = "the best rows are chosen below projections, left joins and unions"};
