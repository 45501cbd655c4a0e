/* eager_aggregate: rows are grouped before they are joined, where the join does not tell the rows of a group apart.
 *
 * One side's rows are grouped by what the join's conditions and the keys read of them (Yan and Larson: Eager aggregation and lazy
 * aggregation, VLDB 1995). Behind the join either nothing is left to do, since each row of the other side is a group of its own (their
 * invariant grouping, which a group-join computes in one go); or partial results are merged. Offered in a search, where costs decide.
 *
 * Rows are grouped that the join may drop later, so nothing may be computed that can raise; and by equality, so types in which
 * equal values differ (0 and -0, 1 month and 30 days) are left alone. */
#include "op/aggregate/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "plan/estimate.h"
#include "plan/props.h"
#include "plan/rule.h"

#define REDUCTION_MIN 0.2 /* partial results are offered for no more groups than this share of the rows */

typedef struct eager {
    fl_rule_call *call;
    const fl_aggregate_attrs *aggregate;
    const fl_node *join;
    int32_t side; /* whose rows are grouped */
    const fl_node *input, *other;
    bool is_outer;      /* rows of the other side without a partner come with nulls on this one */
    fl_col_set grouped; /* the input's columns that conditions and keys read */
    fl_col_set fixed;   /* those that a condition makes equal to something of the other side */
    bool *is_late;      /* [n_aggs]: of the other side's columns; how often a row comes does not matter to it */
    fl_agg *early;      /* the others, of the input */
    bool *is_changed;   /* [n_aggs]: what an early one gives is not the result */
} eager;

/* Whether an aggregate's arguments and filter are plain, and read this side alone. */
static fl_status reads_only(const eager *g, const fl_agg *agg, const fl_node *side, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set used;
    bool ok = true;
    fl_col_set_init(&used);
    for (int32_t i = 0; i < agg->n_args; i++) {
        ok &= fl_expr_is_movable(agg->args[i]);
        FL_TRY(fl_expr_add_cols(g->call->scratch, agg->args[i], &used, err));
    }
    if (agg->filter != NULL) {
        ok &= fl_expr_is_movable(agg->filter);
        FL_TRY(fl_expr_add_cols(g->call->scratch, agg->filter, &used, err));
    }
    *ret = ok && fl_col_set_has_all(&side->made, &used);
cleanup:
    return st;
}

/* Whether a side's rows may be grouped below a join of the kind. */
static bool may_group(int32_t kind, int32_t side, bool *ret_is_outer)
{
    *ret_is_outer = (kind == FL_JOIN_LEFT && side == 1) || (kind == FL_JOIN_RIGHT && side == 0);
    return kind == FL_JOIN_INNER || kind == FL_JOIN_LEFT || kind == FL_JOIN_RIGHT ||
           ((kind == FL_JOIN_SEMI || kind == FL_JOIN_ANTI) && side == 0);
}

/* Whether an aggregate may be computed before the join. Of rows without a partner it sees nulls: all must be the input's, and
 * skipped. */
static fl_status may_be_early(const eager *g, const fl_agg *agg, bool *ret, fl_err *err)
{
    *ret = false;
    if (!agg->never_fails || agg->is_distinct || agg->n_order > 0 || (g->is_outer && agg->filter != NULL) ||
        (g->is_outer && agg->n_args == 0 && !agg->agg->empty_is_zero))
        return FL_OK;
    for (int32_t i = 0; i < agg->n_args && g->is_outer; i++)
        if (!agg->agg->skips_nulls || agg->args[i]->kind != FL_EXPR_COLUMN)
            return FL_OK;
    return reads_only(g, agg, g->input, ret, err);
}

/* Whether an aggregate can wait, although rows then come less often: it is of one value what that value is. */
static fl_status may_be_late(const eager *g, const fl_agg *agg, bool *ret, fl_err *err)
{
    *ret = false;
    if (!agg->agg->ignores_distinct || agg->n_order > 0 || agg->n_args != 1 || agg->filter != NULL ||
        !fl_type_is_equal(agg->args[0]->type, agg->type))
        return FL_OK;
    return reads_only(g, agg, g->other, ret, err);
}

/* Adds the input's columns that an expression reads; *ret false: rows that agree in one may still differ in it. */
static fl_status add_grouped(eager *g, const fl_expr *e, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set used;
    fl_col_set_init(&used);
    FL_TRY(fl_expr_add_cols(g->call->scratch, e, &used, err));
    fl_col_set_keep_all(&used, &g->input->made);
    FL_TRY(fl_col_set_add_all(g->call->scratch, &g->grouped, &used, err));
    for (int32_t i = 0; i < g->input->n_cols; i++) {
        fl_type type = fl_plan_col(g->call->plan, g->input->cols[i])->type;
        if (fl_col_set_has(&used, g->input->cols[i]))
            *ret &= !fl_type_is_float(type) && !fl_type_is_nested(type) && type.id != FL_INTERVAL;
    }
cleanup:
    return st;
}

/* A condition that makes one of the input's columns equal to something of the other side. */
static fl_status add_fixed(eager *g, const fl_expr *e, fl_err *err)
{
    fl_status st = FL_OK;
    if (!fl_expr_is_equality(e))
        return FL_OK;
    for (int32_t i = 0; i < 2; i++) {
        fl_col_set used;
        fl_col_set_init(&used);
        if (e->args[i]->kind != FL_EXPR_COLUMN || !fl_col_set_has(&g->input->made, e->args[i]->col))
            continue;
        FL_TRY(fl_expr_add_cols(g->call->scratch, e->args[1 - i], &used, err));
        if (!fl_col_set_meets(&used, &g->input->made))
            FL_TRY(fl_col_set_add(g->call->scratch, &g->fixed, e->args[i]->col, err));
    }
cleanup:
    return st;
}

/* Finds out what the input would be grouped by; *ret false: it must not be, or it is already. */
static fl_status look(eager *g, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_attrs *join = fl_join_of(g->join);
    const fl_props *props = NULL;
    bool ok = may_group(join->kind, g->side, &g->is_outer), is_key = false;
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, g->aggregate->n_aggs + 1, &g->is_late, err));
    for (int32_t i = 0; i < g->aggregate->n_aggs && ok; i++) {
        FL_TRY(may_be_early(g, &g->aggregate->aggs[i], &ok, err));
        if (!ok)
            FL_TRY(may_be_late(g, &g->aggregate->aggs[i], &g->is_late[i], err));
        ok |= g->is_late[i];
    }
    for (int32_t i = 0; i < join->n_conjuncts && ok; i++) {
        ok = fl_expr_is_movable(join->conjuncts[i]);
        FL_TRY(add_grouped(g, join->conjuncts[i], &ok, err));
        FL_TRY(add_fixed(g, join->conjuncts[i], err));
    }
    for (int32_t i = 0; i < g->aggregate->n_keys && ok; i++) {
        ok = fl_expr_is_movable(g->aggregate->keys[i]);
        FL_TRY(add_grouped(g, g->aggregate->keys[i], &ok, err));
    }
    *ret = ok && !fl_col_set_is_empty(&g->grouped);
    if (!*ret)
        return FL_OK;
    FL_TRY(fl_node_props(g->call->plan, g->input, &props, err));
    FL_TRY(fl_props_has_key(g->call->plan, props, &g->grouped, &is_key, err));
    *ret = !is_key;
cleanup:
    return st;
}

/* Whether each row of the other side is a group: the keys determine it, and it meets one row of the grouped input at most. */
static fl_status is_whole(const eager *g, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t kind = fl_join_of(g->join)->kind;
    const fl_props *props = NULL;
    fl_col_set keys;
    fl_col_set_init(&keys);
    *ret = false;
    if (g->aggregate->n_keys == 0 || !fl_col_set_has_all(&g->fixed, &g->grouped) ||
        (kind != FL_JOIN_INNER && !g->is_outer))
        return FL_OK;
    for (int32_t i = 0; i < g->aggregate->n_keys; i++) {
        const fl_expr *key = g->aggregate->keys[i];
        if (key->kind == FL_EXPR_COLUMN && !fl_type_is_float(key->type))
            FL_TRY(fl_col_set_add(g->call->scratch, &keys, key->col, err));
    }
    for (int32_t i = 0; i < fl_join_of(g->join)->n_conjuncts && !g->is_outer; i++) {
        const fl_expr *e = fl_join_of(g->join)->conjuncts[i];
        for (int32_t a = 0; a < 2 && fl_expr_is_equality(e); a++)
            if (e->args[a]->kind == FL_EXPR_COLUMN && fl_col_set_has(&keys, e->args[a]->col) &&
                e->args[1 - a]->kind == FL_EXPR_COLUMN)
                FL_TRY(fl_col_set_add(g->call->scratch, &keys, e->args[1 - a]->col, err));
    }
    fl_col_set_keep_all(&keys, &g->other->made);
    FL_TRY(fl_node_props(g->call->plan, g->other, &props, err));
    st = fl_props_has_key(g->call->plan, props, &keys, ret, err);
cleanup:
    return st;
}

/* Whether grouping leaves few of the input's rows. */
static fl_status is_worthwhile(const eager *g, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    double groups = 1;
    const fl_expr *col = NULL;
    for (int32_t i = 0; i < g->input->n_cols; i++) {
        if (!fl_col_set_has(&g->grouped, g->input->cols[i]))
            continue;
        FL_TRY(fl_expr_column(g->call->plan, g->input->cols[i], -1, &col, err));
        groups *= fl_estimate_distinct(g->call->plan, col, g->input->rows);
    }
    *ret = groups <= REDUCTION_MIN * g->input->rows;
cleanup:
    return st;
}

/* The grouped input. What its aggregates give is the result itself, or has a column of its own. */
static fl_status group_input(eager *g, bool whole, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = g->call->plan;
    const fl_expr **keys = NULL;
    fl_col_id *cols = NULL;
    int32_t n = 0, n_early = 0, n_aggs = g->aggregate->n_aggs;
    fl_agg *aggs = NULL;
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, g->input->n_cols, &keys, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, g->input->n_cols, &cols, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, n_aggs + 1, &aggs, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, n_aggs + 1, &g->early, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, n_aggs + 1, &g->is_changed, err));
    for (int32_t i = 0; i < g->input->n_cols; i++)
        if (fl_col_set_has(&g->grouped, g->input->cols[i]))
            FL_TRY(fl_expr_column(plan, g->input->cols[i], -1, &keys[n++], err));
    for (int32_t i = 0; i < n_aggs; i++) {
        g->early[i] = g->aggregate->aggs[i];
        if (g->is_late[i])
            continue;
        g->is_changed[i] = !whole || (g->is_outer && g->early[i].agg->empty_is_zero);
        if (g->is_changed[i]) {
            fl_col_info info = {.name = fl_plan_col(plan, g->early[i].out)->name, .type = g->early[i].type};
            FL_TRY(fl_plan_add_col(plan, &info, &g->early[i].out, err));
        }
        aggs[n_early++] = g->early[i];
    }
    for (int32_t i = 0; i < n; i++)
        cols[i] = keys[i]->col;
    fl_aggregate_attrs attrs = {
        .n_keys = n, .keys = keys, .n_cols = n, .cols = cols, .n_aggs = n_early, .aggs = aggs, .is_early = true};
    st = fl_node_make(plan, &fl_op_aggregate, &attrs, NULL, &g->input, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

/* The join over the grouped input, with what is read above it. */
static fl_status join_again(const eager *g, const fl_node *grouped, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *inputs[2], *joined = NULL;
    fl_col_set used;
    fl_col_id *cols = NULL;
    int32_t n = 0;
    fl_col_set_init(&used);
    inputs[g->side] = grouped;
    inputs[1 - g->side] = g->other;
    FL_TRY(fl_node_make(g->call->plan, g->join->op, g->join->attrs, g->join->traits, inputs, 2, NULL, 0, &joined, err));
    for (int32_t i = 0; i < g->aggregate->n_keys; i++)
        FL_TRY(fl_expr_add_cols(g->call->scratch, g->aggregate->keys[i], &used, err));
    for (int32_t i = 0; i < g->aggregate->n_aggs; i++)
        FL_TRY(g->is_late[i] ? fl_expr_add_cols(g->call->scratch, g->early[i].args[0], &used, err)
                             : fl_col_set_add(g->call->scratch, &used, g->early[i].out, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, joined->n_cols, &cols, err));
    for (int32_t i = 0; i < joined->n_cols; i++)
        if (fl_col_set_has(&used, joined->cols[i]))
            cols[n++] = joined->cols[i];
    st = fl_node_with_cols(g->call->plan, joined, cols, n, ret, err);
cleanup:
    return st;
}

/* The expression, or a number where it is null. */
static fl_status or_number(fl_plan *plan, const fl_expr *e, int64_t number, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value value = {.type = FL_TYPE(FL_I64), .i = number};
    const fl_expr *args[3];
    FL_TRY(fl_expr_is_null(plan, e, -1, &args[0], err));
    FL_TRY(fl_expr_const(plan, &value, -1, &args[1], err));
    args[2] = e;
    FL_TRY(fl_expr_case(plan, args, 3, -1, ret, err));
    st = fl_expr_cast(plan, *ret, e->type, false, -1, ret, err);
cleanup:
    return st;
}

/* What an early aggregate gave, for each row behind the join: counts of rows that found no partner are those of one row. */
static fl_status early_value(const eager *g, int32_t i, const fl_expr **ret, fl_err *err)
{
    const fl_agg *agg = &g->early[i];
    fl_status st = fl_expr_column(g->call->plan, agg->out, -1, ret, err);
    if (st == FL_OK && g->is_outer && agg->agg->empty_is_zero)
        st = or_number(g->call->plan, *ret, agg->n_args == 0 ? 1 : 0, ret, err);
    return st;
}

/* Puts out the aggregate's columns under their ids: those of `exprs` that are not NULL are computed, the others are there. */
static fl_status put_out(const eager *g, const fl_node *rows, const fl_expr *const *keys, const fl_expr *const *results,
                         fl_err *err)
{
    fl_status st = FL_OK;
    const fl_aggregate_attrs *a = g->aggregate;
    const fl_expr **exprs = NULL;
    fl_col_id *cols = NULL, *passed = NULL;
    int32_t n = 0, n_passed = 0;
    const fl_node *out = rows;
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, a->n_keys + a->n_aggs, &exprs, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, a->n_keys + a->n_aggs, &cols, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, g->call->node->n_cols, &passed, err));
    for (int32_t i = 0; i < a->n_keys; i++)
        if (keys != NULL && !(keys[i]->kind == FL_EXPR_COLUMN && fl_col_is_equal(keys[i]->col, a->cols[i]))) {
            exprs[n] = keys[i];
            cols[n++] = a->cols[i];
        }
    for (int32_t i = 0; i < a->n_aggs; i++)
        if (results[i] != NULL) {
            exprs[n] = results[i];
            cols[n++] = a->aggs[i].out;
        }
    for (int32_t i = 0; i < g->call->node->n_cols; i++)
        if (fl_col_set_has(&rows->made, g->call->node->cols[i]))
            passed[n_passed++] = g->call->node->cols[i];
    if (n > 0) {
        fl_project_attrs project = {
            .n_cols = n, .cols = cols, .n_exprs = n, .exprs = exprs, .n_passed = n_passed, .passed = passed};
        FL_TRY(fl_node_make(g->call->plan, &fl_op_project, &project, NULL, &rows, 1, NULL, 0, &out, err));
    }
    FL_TRY(fl_node_with_cols(g->call->plan, out, g->call->node->cols, g->call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(g->call, out, err);
cleanup:
    return st;
}

static fl_status hand_over_whole(eager *g, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *grouped = NULL, *joined = NULL;
    const fl_expr **results = NULL;
    FL_TRY(group_input(g, true, &grouped, err));
    FL_TRY(join_again(g, grouped, &joined, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, g->aggregate->n_aggs + 1, &results, err));
    for (int32_t i = 0; i < g->aggregate->n_aggs; i++)
        if (g->is_late[i])
            results[i] = g->early[i].args[0];
        else if (g->is_changed[i])
            FL_TRY(early_value(g, i, &results[i], err));
    st = put_out(g, joined, g->aggregate->keys, results, err);
cleanup:
    return st;
}

/* Merges partial results. A count of no rows is 0, and its sum is wider than it. */
static fl_status hand_over_partial(eager *g, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = g->call->plan;
    const fl_node *grouped = NULL, *joined = NULL, *merged = NULL;
    const fl_expr **results = NULL, *value = NULL;
    fl_aggregate_attrs attrs = *g->aggregate;
    fl_agg *aggs = NULL;
    bool is_less = false;
    for (int32_t i = 0; i < attrs.n_aggs; i++)
        if (attrs.aggs[i].agg->merge == NULL && !g->is_late[i])
            return FL_OK;
    FL_TRY(is_worthwhile(g, &is_less, err));
    if (!is_less)
        return FL_OK;
    FL_TRY(group_input(g, false, &grouped, err));
    FL_TRY(join_again(g, grouped, &joined, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, attrs.n_aggs + 1, &results, err));
    FL_TRY(FL_NEW_ARRAY(g->call->scratch, attrs.n_aggs + 1, &aggs, err));
    for (int32_t i = 0; i < attrs.n_aggs; i++) {
        const fl_agg *agg = &attrs.aggs[i];
        bool is_zero = agg->agg->empty_is_zero && attrs.n_keys == 0;
        aggs[i] = *agg;
        if (g->is_late[i])
            continue;
        FL_TRY(early_value(g, i, &value, err));
        FL_TRY(fl_agg_make(plan, fl_str_of(agg->agg->merge), &value, 1, false, NULL, NULL, 0, -1, &aggs[i], err));
        if (!is_zero && fl_type_is_equal(aggs[i].type, agg->type)) {
            aggs[i].out = agg->out;
            continue;
        }
        FL_TRY(fl_expr_column(plan, aggs[i].out, -1, &value, err));
        if (is_zero)
            FL_TRY(or_number(plan, value, 0, &value, err));
        FL_TRY(fl_expr_cast(plan, value, agg->type, false, -1, &results[i], err));
    }
    attrs.aggs = aggs;
    FL_TRY(fl_node_make(plan, &fl_op_aggregate, &attrs, NULL, &joined, 1, NULL, 0, &merged, err));
    st = put_out(g, merged, NULL, results, err);
cleanup:
    return st;
}

static bool check(const fl_rule_call *call)
{
    return call->is_costed && !fl_aggregate_of(call->node)->is_early;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *join = fl_rule_call_bound(call, "join");
    for (int32_t side = 0; side < 2; side++) {
        bool ok = false, whole = false;
        eager g = {.call = call,
                   .aggregate = fl_aggregate_of(call->node),
                   .join = join,
                   .side = side,
                   .input = join->inputs[side],
                   .other = join->inputs[1 - side]};
        fl_col_set_init(&g.grouped);
        fl_col_set_init(&g.fixed);
        FL_TRY(look(&g, &ok, err));
        if (!ok)
            continue;
        FL_TRY(is_whole(&g, &whole, err));
        FL_TRY(whole ? hand_over_whole(&g, err) : hand_over_partial(&g, err));
    }
cleanup:
    return st;
}

const fl_rule_desc fl_rule_eager_aggregate = {FL_DESC(fl_rule_desc),
                                              .name = "eager_aggregate",
                                              .phase = "search",
                                              .pattern = "aggregate[convention=logical](join:join[convention=logical])",
                                              .scope = FL_SCOPE_BOTH,
                                              .keeps = FL_KEEPS_COLS,
                                              .check = check,
                                              .on_match = on_match,
                                              .doc = "rows are grouped before they are joined"};
