/* limit_window: where a filter keeps the first rows of each partition alone, by row_number() or rank(), the window may leave others out.
 *
 * Not where a function of the window looks behind a row's peers. The filter stays: the window leaves out what is easily told. */
#include "op/filter/node.h"
#include "op/window/node.h"
#include "plan/rule.h"

/* Whether a function gives the same for a row whatever comes behind its peers. */
static bool looks_back(const fl_agg *function)
{
    const fl_frame *frame = function->frame;
    if (function->agg->window != FL_OVER_NONE)
        return function->agg->window <= FL_OVER_DENSE_RANK;
    return frame->start == FL_FRAME_UNBOUNDED_PRECEDING && frame->end == FL_FRAME_CURRENT_ROW &&
           frame->exclude == FL_EXCLUDE_NO_OTHERS;
}

static bool is_place(const fl_window_attrs *window, const fl_expr *expr)
{
    for (int32_t i = 0; i < window->n_functions; i++)
        if (expr->kind == FL_EXPR_COLUMN && fl_col_is_equal(window->functions[i].out, expr->col))
            return window->functions[i].agg->window == FL_OVER_ROW_NUMBER ||
                   window->functions[i].agg->window == FL_OVER_RANK;
    return false;
}

/* The greatest place for which the conjunct holds; -1: it tells none. */
static int64_t greatest_place(const fl_window_attrs *window, const fl_expr *e)
{
    if (e->kind != FL_EXPR_CALL || e->n_args != 2)
        return -1;
    bool is_mirrored = fl_expr_is_const(e->args[0]);
    const fl_expr *place = e->args[is_mirrored], *value = e->args[!is_mirrored];
    if (!fl_expr_is_const(value) || value->value->is_null || value->type.id != FL_I64 || !is_place(window, place) ||
        value->value->i < 0)
        return -1;
    const char *below = is_mirrored ? ">" : "<", *up_to = is_mirrored ? ">=" : "<=";
    if (strcmp(e->func->name, "=") == 0 || strcmp(e->func->name, up_to) == 0)
        return value->value->i;
    return strcmp(e->func->name, below) == 0 && value->value->i > 0 ? value->value->i - 1 : -1;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_node *below = fl_rule_call_bound(call, "below"), *out = NULL;
    fl_window_attrs window = *fl_window_of(below);
    int64_t limit = window.limit;
    for (int32_t i = 0; i < window.n_functions; i++)
        if (!looks_back(&window.functions[i]))
            return FL_OK;
    for (int32_t i = 0; i < filter->n_conjuncts; i++) {
        int64_t place = greatest_place(&window, filter->conjuncts[i]);
        if (place >= 0 && (limit < 0 || place < limit))
            limit = place;
    }
    if (limit == window.limit)
        return FL_OK;
    window.limit = limit;
    FL_TRY(fl_node_make(call->plan, below->op, &window, below->traits, below->inputs, 1, below->cols, below->n_cols,
                        &out, err));
    FL_TRY(fl_node_with_inputs(call->plan, call->node, &out, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_limit_window = {
    FL_DESC(fl_rule_desc),
    .name = "limit_window",
    .phase = "refine",
    .pattern = "filter(below:window)",
    .scope = FL_SCOPE_BOTH,
    .promise = 38,
    .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL | FL_KEEPS_ROW_COUNT | FL_KEEPS_ORDER,
    .on_match = on_match,
    .doc = "of each partition a window keeps no more rows than a filter lets through"};
