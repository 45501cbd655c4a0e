/* semi_join: a filter's conjunct that is EXISTS, NOT EXISTS, IN or (where nothing can be null) NOT IN becomes a dependent
 * semi or anti join, which needs no mark column and stops at the first partner. */
#include "op/apply/node.h"
#include "op/filter/node.h"
#include "plan/rule.h"

typedef struct match {
    int32_t index;
    fl_join_kind kind;
    const fl_subquery *subquery;
} match;

static bool can_be_null(const fl_plan *plan, const fl_subquery *s)
{
    for (int32_t i = 0; i < s->n_left; i++)
        if ((s->left[i]->flags & FL_EXPR_NULLABLE) || fl_plan_col(plan, s->query->cols[i])->is_nullable)
            return true;
    return false;
}

static bool find(const fl_rule_call *call, match *ret)
{
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    for (int32_t i = 0; i < filter->n_conjuncts; i++) {
        const fl_expr *e = filter->conjuncts[i];
        bool negated = e->kind == FL_EXPR_NOT;
        if (negated)
            e = e->args[0];
        if (e->kind != FL_EXPR_SUBQUERY)
            continue;
        const fl_subquery *s = e->subquery;
        bool left_has_subquery = false;
        for (int32_t l = 0; l < s->n_left; l++)
            left_has_subquery |= (s->left[l]->flags & FL_EXPR_HAS_SUBQUERY) != 0;
        *ret = (match){i, negated ? FL_JOIN_ANTI : FL_JOIN_SEMI, s};
        if (left_has_subquery)
            continue;
        if (s->kind == FL_SUBQUERY_EXISTS)
            return true;
        if (s->n_left > 1 && strcmp(s->compare, "=") != 0) /* rows that differ: no conjunction of pairs */
            continue;
        if (s->kind == FL_SUBQUERY_ANY && (!negated || !can_be_null(call->plan, s)))
            return true;
        if (s->kind == FL_SUBQUERY_ALL && !negated && s->n_left == 1 && strcmp(s->compare, "<>") == 0 &&
            !can_be_null(call->plan, s)) {
            ret->kind = FL_JOIN_ANTI;
            return true;
        }
    }
    return false;
}

static bool check(const fl_rule_call *call)
{
    match m;
    return find(call, &m);
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    match m;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_expr **rest = NULL, **tests = NULL;
    const fl_node *input = call->node->inputs[0], *apply = NULL, *out = NULL;
    int32_t n_rest = 0;
    if (!find(call, &m))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), filter->n_conjuncts, &rest, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), m.subquery->n_left + 1, &tests, err));
    /* Plain conjuncts in front of it run first: below the join. */
    int32_t before = 0;
    for (int32_t i = 0; i < filter->n_conjuncts; i++)
        if (i != m.index)
            rest[n_rest++] = filter->conjuncts[i];
    while (before < m.index && !(filter->conjuncts[before]->flags & FL_EXPR_HAS_SUBQUERY))
        before++;
    FL_TRY(fl_filter_build_all(call->plan, input, rest, before, &input, err));
    const char *compare = m.subquery->kind == FL_SUBQUERY_ALL ? "=" : m.subquery->compare;
    for (int32_t i = 0; i < m.subquery->n_left; i++) {
        const fl_expr *col = NULL;
        FL_TRY(fl_expr_column(call->plan, m.subquery->query->cols[i], -1, &col, err));
        FL_TRY(fl_expr_call_args(call->plan, compare, -1, &tests[i], err, 2, m.subquery->left[i], col));
    }
    FL_TRY(fl_apply_build(call->plan, m.kind, input, m.subquery->query, tests, m.subquery->n_left, (fl_col_id){0},
                          &apply, err));
    FL_TRY(fl_filter_build_all(call->plan, apply, rest + before, n_rest - before, &out, err));
    FL_TRY(fl_node_with_cols(call->plan, out, call->node->cols, call->node->n_cols, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_semi_join = {
    FL_DESC(fl_rule_desc),    .name = "semi_join",
    .phase = "unnest",        .pattern = "filter",
    .scope = FL_SCOPE_GLOBAL, .promise = 10,
    .keeps = FL_KEEPS_COLS,   .check = check,
    .on_match = on_match,     .doc = "EXISTS, IN and NOT IN in filters become semi and anti joins"};
