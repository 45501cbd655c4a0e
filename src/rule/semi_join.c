/* semi_join: a filter's conjunct that is EXISTS, NOT EXISTS, IN or (where nothing can be null) NOT IN becomes a dependent
 * semi or anti join, which needs no mark column and stops at the first partner. */
#include "op/apply/node.h"
#include "op/filter/node.h"
#include "plan/null.h"
#include "plan/props.h"
#include "plan/rule.h"

typedef struct match {
    int32_t index;
    fl_join_kind kind;
    const fl_subquery *subquery;
} match;

/* Rows that differ are no conjunction of pairs; a single column may be compared by any operator. */
static bool is_conjunction_of_pairs(const fl_subquery *s)
{
    return s->n_left == 1 || strcmp(s->compare, "=") == 0;
}

/* Whether something that is compared may be null. Columns of outer queries may. */
static fl_status can_be_null(const fl_rule_call *call, const fl_subquery *s, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set not_null;
    const fl_props *query = NULL;
    *ret = false;
    FL_TRY(fl_node_input_not_null(call->plan, call->node, &not_null, err));
    FL_TRY(fl_node_props(call->plan, s->query, &query, err));
    for (int32_t i = 0; i < s->n_left; i++)
        *ret |= fl_expr_can_be_null(s->left[i], &not_null) || !fl_col_set_has(&query->not_null, s->query->cols[i]);
cleanup:
    return st;
}

static fl_status find(const fl_rule_call *call, match *ret, bool *ret_found, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    *ret_found = false;
    for (int32_t i = 0; i < filter->n_conjuncts && !*ret_found; i++) {
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
        if (s->kind == FL_SUBQUERY_EXISTS || (s->kind == FL_SUBQUERY_ANY && !negated && is_conjunction_of_pairs(s))) {
            *ret_found = true;
            continue;
        }
        bool is_not_in = s->kind == FL_SUBQUERY_ANY ? negated && is_conjunction_of_pairs(s)
                                                    : s->kind == FL_SUBQUERY_ALL && !negated && s->n_left == 1 &&
                                                          strcmp(s->compare, "<>") == 0;
        bool has_null = true;
        if (is_not_in)
            FL_TRY(can_be_null(call, s, &has_null, err));
        ret->kind = is_not_in ? FL_JOIN_ANTI : ret->kind;
        *ret_found = !has_null;
    }
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    match m;
    const fl_filter_attrs *filter = fl_filter_of(call->node);
    const fl_expr **rest = NULL, **tests = NULL;
    const fl_node *input = call->node->inputs[0], *apply = NULL, *out = NULL;
    int32_t n_rest = 0;
    bool found;
    FL_TRY(find(call, &m, &found, err));
    if (!found)
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

const fl_rule_desc fl_rule_semi_join = {FL_DESC(fl_rule_desc),
                                        .name = "semi_join",
                                        .phase = "unnest",
                                        .pattern = "filter",
                                        .scope = FL_SCOPE_GLOBAL,
                                        .promise = 10,
                                        .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                        .on_match = on_match,
                                        .doc = "EXISTS, IN and NOT IN in filters become semi and anti joins"};
