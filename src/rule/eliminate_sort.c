/* eliminate_sort: rows that come in the wanted order are not sorted again, and keys that decide nothing are left out: those
 * that are constant or determined by keys before them. What may raise is still computed. */
#include "op/sort/node.h"
#include "plan/props.h"
#include "plan/rule.h"

/* Whether a key that nobody else reads can go without saving an error. */
static bool can_go(const fl_rule_call *call, const fl_expr *key)
{
    bool is_base = key->kind == FL_EXPR_COLUMN && fl_plan_col(call->plan, key->col)->table != NULL;
    return is_base || (!call->node->inputs[0]->can_fail && !(key->flags & FL_EXPR_CAN_FAIL));
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_sort_attrs *sort = fl_sort_of(call->node);
    const fl_node *input = call->node->inputs[0], *out = NULL;
    const fl_props *props = NULL;
    fl_sort_key *kept = NULL;
    fl_col_set fixed; /* what all rows agree in that agree in the keys so far */
    int32_t n = 0;
    bool is_ordered = false;
    FL_TRY(fl_node_props(call->plan, input, &props, err));
    FL_TRY(fl_props_is_ordered(call->plan, props, sort->keys, sort->n_keys, &is_ordered, err));
    for (int32_t i = 0; i < sort->n_keys && is_ordered; i++)
        is_ordered = can_go(call, sort->keys[i].expr);
    if (is_ordered) {
        FL_TRY(fl_node_with_cols(call->plan, input, call->node->cols, call->node->n_cols, &out, err));
        return fl_rule_call_transform_to(call, out, err);
    }
    FL_TRY(FL_NEW_ARRAY(call->scratch, sort->n_keys, &kept, err));
    fl_col_set_init(&fixed);
    FL_TRY(fl_props_close(call->plan, props, &fixed, err));
    for (int32_t i = 0; i < sort->n_keys; i++) {
        const fl_expr *key = sort->keys[i].expr;
        bool decides_nothing = false;
        FL_TRY(fl_props_decides_nothing(call->plan, props, &fixed, key, &decides_nothing, err));
        if (decides_nothing && can_go(call, key))
            continue;
        kept[n++] = sort->keys[i];
        if (key->kind == FL_EXPR_COLUMN && !fl_col_set_has(&fixed, key->col)) {
            FL_TRY(fl_col_set_add(fl_plan_arena(call->plan), &fixed, key->col, err));
            FL_TRY(fl_props_close(call->plan, props, &fixed, err));
        }
    }
    if (n == sort->n_keys)
        return FL_OK;
    FL_TRY(fl_sort_build(call->plan, input, kept, n, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_eliminate_sort = {
    FL_DESC(fl_rule_desc),
    .name = "eliminate_sort",
    .phase = "refine",
    .pattern = "sort",
    .scope = FL_SCOPE_BOTH,
    .promise = 55,
    .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
    .on_match = on_match,
    .doc = "rows that are in order are not sorted, keys that decide nothing go"};
