/* outer_to_anti: a filter that only rows without a partner can pass makes a left or right join an anti join.
 *
 * `LEFT JOIN r ON r.k = l.k WHERE r.k IS NULL` asks for them: of rows that meet, a column is not null where its input says so, or
 * where the condition is not true for a null. The other side's columns are null in all that is left. An anti join keeps no
 * pairs, and takes part in the order of joins. */
#include "op/filter/node.h"
#include "op/join/node.h"
#include "plan/null.h"
#include "plan/props.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

static bool check(const fl_rule_call *call)
{
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    int32_t kind = fl_join_of(call->node->inputs[0])->kind;
    bool asks = false;
    for (int32_t i = 0; i < filter->n_conjuncts; i++)
        asks |= filter->conjuncts[i]->kind == FL_EXPR_IS_NULL && filter->conjuncts[i]->args[0]->kind == FL_EXPR_COLUMN;
    return asks && (kind == FL_JOIN_LEFT || kind == FL_JOIN_RIGHT);
}

/* The conjunct that is true only of rows without a partner; n_conjuncts: none is. */
static fl_status find_conjunct(fl_rule_call *call, const fl_node *join, int32_t side, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_join_attrs *attrs = fl_join_of(join);
    const fl_props *props = NULL;
    fl_col_set met;
    fl_col_set_init(&met);
    FL_TRY(fl_node_props(call->plan, join->inputs[side], &props, err));
    for (int32_t i = 0; i < attrs->n_conjuncts; i++)
        FL_TRY(fl_expr_add_null_rejected(call->scratch, attrs->conjuncts[i], NULL, 0, &met, err));
    for (*ret = 0; *ret < filter->n_conjuncts; ++*ret) {
        const fl_expr *e = filter->conjuncts[*ret];
        if (e->flags & FL_EXPR_CAN_FAIL) { /* nothing moves in front of it: rows that are left out hide its error */
            *ret = filter->n_conjuncts;
            break;
        }
        if (e->kind != FL_EXPR_IS_NULL || e->args[0]->kind != FL_EXPR_COLUMN)
            continue;
        fl_col_id col = e->args[0]->col;
        if (fl_col_set_has(&join->inputs[side]->made, col) &&
            (fl_col_set_has(&met, col) || fl_col_set_has(&props->not_null, col)))
            break;
    }
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_node *join = fl_rule_call_bound(call, "join"), *out = NULL, *inputs[2];
    int32_t side = fl_join_of(join)->kind == FL_JOIN_LEFT ? 1 : 0, at = 0, n = 0;
    const fl_expr **kept = NULL;
    FL_TRY(find_conjunct(call, join, side, &at, err));
    if (at == filter->n_conjuncts)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), filter->n_conjuncts, &kept, err));
    for (int32_t i = 0; i < filter->n_conjuncts; i++)
        if (i != at)
            kept[n++] = filter->conjuncts[i];
    inputs[0] = join->inputs[0];
    inputs[1] = join->inputs[1];
    FL_TRY(fl_join_build_all(call->plan, FL_JOIN_ANTI, inputs[1 - side], inputs[side], fl_join_of(join)->conjuncts,
                             fl_join_of(join)->n_conjuncts, (fl_col_id){0}, &inputs[1 - side], err));
    FL_TRY(fl_node_with_inputs(call->plan, join, inputs, &out, err));
    /* all rows that are left have nulls for the side's columns */
    FL_TRY(fl_node_without(call->plan, out, side, &out, err));
    FL_TRY(fl_filter_build_all(call->plan, out, kept, n, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_outer_to_anti = {
    FL_DESC(fl_rule_desc),
    .name = "outer_to_anti",
    .phase = "normalize",
    .pattern = "filter(join:join)",
    .scope = FL_SCOPE_BOTH,
    .promise = 64,
    .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
    .check = check,
    .on_match = on_match,
    .doc = "outer joins of which only rows without a partner are asked for are anti joins"};
