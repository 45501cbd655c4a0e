/* What goals ask for and get, and plans out of the memo: the winners', or any by number. */
#include "opt/search_internal.h"
#include "plan/registry.h"

#include <math.h>

#define PLANS_MAX 1e15 /* beyond, plans are not told apart by numbers */
#define DEPTH_MAX 100000

fl_status fl_search_needs(fl_search_state *s, int32_t goal, int32_t expr, int32_t way, int32_t input,
                          const fl_trait_set **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = s->memo.exprs[expr].node;
    const fl_memo_goal *g = &s->memo.goals[goal];
    *ret = fl_trait_none(s->plan);
    if (expr == g->enforcer)
        return fl_trait_with(s->plan, g->want, node->op->enforces, 0, ret, err);
    if (node->op->needs != NULL)
        FL_TRY(node->op->needs(s->plan, node, input, g->want, way, ret, err));
    if (*ret == fl_trait_none(s->plan))
        *ret = s->plain;
    else if (*ret != NULL)
        st = fl_trait_with(s->plan, *ret, &fl_trait_convention, s->convention, ret, err);
cleanup:
    return st;
}

fl_status fl_search_make_enforcer(fl_search_state *s, int32_t goal, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = 0;
    const fl_node *node = NULL;
    const fl_op_desc *const *ops = fl_registry_ops(fl_plan_registry(s->plan), &n);
    const fl_trait_set *want = s->memo.goals[goal].want;
    if (want == s->plain || s->memo.goals[goal].enforcer != FL_MEMO_NONE)
        return FL_OK;
    for (int32_t i = 0; i < n && node == NULL; i++) {
        int32_t value = ops[i]->enforces == NULL ? 0 : fl_trait_get(want, ops[i]->enforces);
        if (value != 0)
            FL_TRY(ops[i]->enforce(s->plan, s->memo.groups[fl_memo_find(&s->memo, s->memo.goals[goal].group)].leaf,
                                   value, &node, err));
    }
    if (node != NULL)
        st = fl_memo_add_enforcer(&s->memo, goal, node, err);
cleanup:
    return st;
}

fl_status fl_search_gives(fl_search_state *s, const fl_node *node, const fl_trait_set *const *inputs,
                          const fl_trait_set **ret, fl_err *err)
{
    *ret = node->traits;
    return node->op->gives == NULL ? FL_OK : node->op->gives(s->plan, node, inputs, ret, err);
}

/* ---- counting ----------------------------------------------------------------------------------------------------- */

/* One way of an expression to a goal: its inputs' goals. */
typedef struct candidate {
    int32_t expr;
    int32_t way;
    int32_t *goals; /* [n_inputs], in the memo's arena */
    double n_plans; /* 0: it is no way */
} candidate;

/* What the inputs give is known to be what is asked of them, so this counts no plan whose order comes by itself. */
static fl_status count_candidate(fl_search_state *s, int32_t goal, candidate *c, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = s->memo.exprs[c->expr].node;
    const fl_trait_set **wants = NULL, *given = NULL;
    int32_t n = fl_search_inputs(node);
    double below = 0;
    FL_TRY(FL_NEW_ARRAY(&s->memo.arena, n + 1, &wants, err));
    FL_TRY(FL_NEW_ARRAY(&s->memo.arena, n + 1, &c->goals, err));
    c->n_plans = 1;
    for (int32_t i = 0; i < n && c->n_plans > 0; i++) {
        FL_TRY(fl_search_needs(s, goal, c->expr, c->way, i, &wants[i], err));
        if (wants[i] == NULL) {
            c->n_plans = 0;
            return FL_OK;
        }
        FL_TRY(fl_memo_goal_of(&s->memo, fl_memo_input(&s->memo, node, i), wants[i], &c->goals[i], err));
        FL_TRY(fl_search_count(s, c->goals[i], &below, err));
        c->n_plans = fmin(PLANS_MAX, c->n_plans * below);
    }
    if (c->n_plans <= 0)
        return FL_OK;
    FL_TRY(fl_search_gives(s, node, wants, &given, err));
    if (!fl_trait_set_satisfies(s->plan, given, s->memo.goals[goal].want))
        c->n_plans = 0;
cleanup:
    return st;
}

/* The candidate behind this one; false: it was the last. A fresh one has the expression FL_MEMO_NONE. */
static bool next_candidate(const fl_search_state *s, int32_t goal, candidate *c)
{
    const fl_memo *memo = &s->memo;
    int32_t enforcer = memo->goals[goal].enforcer, expr = c->expr;
    if (expr != FL_MEMO_NONE && expr == enforcer)
        return false;
    if (expr != FL_MEMO_NONE && c->way + 1 < fl_search_ways(memo->exprs[expr].node)) {
        c->way++;
        return true;
    }
    expr =
        expr == FL_MEMO_NONE ? memo->groups[fl_memo_find(memo, memo->goals[goal].group)].first : memo->exprs[expr].next;
    while (expr != FL_MEMO_NONE && !fl_search_is_executable(s, &memo->exprs[expr]))
        expr = memo->exprs[expr].next;
    c->expr = expr != FL_MEMO_NONE ? expr : enforcer;
    c->way = 0;
    return c->expr != FL_MEMO_NONE;
}

fl_status fl_search_count(fl_search_state *s, int32_t goal, double *ret, fl_err *err)
{
    fl_status st = FL_OK;
    double n = 0;
    *ret = s->memo.goals[goal].n_plans;
    if (*ret >= 0)
        return FL_OK;
    *ret = 0;
    if (s->memo.goals[goal].is_counting) /* a plan does not contain itself */
        return FL_OK;
    s->memo.goals[goal].is_counting = true;
    FL_TRY(fl_search_make_enforcer(s, goal, err));
    for (candidate c = {.expr = FL_MEMO_NONE}; next_candidate(s, goal, &c);) {
        FL_TRY(count_candidate(s, goal, &c, err));
        n += c.n_plans;
    }
    *ret = fmin(PLANS_MAX, n);
    s->memo.goals[goal].n_plans = *ret;
cleanup:
    s->memo.goals[goal].is_counting = false;
    return st;
}

/* ---- extracting --------------------------------------------------------------------------------------------------- */

static fl_status extract(fl_search_state *s, int32_t goal, int64_t number, int32_t depth, const fl_node **ret,
                         const fl_trait_set **ret_given, fl_err *err);

/* The plan of an expression over the plans of its inputs. What it gives is derived again, of the plan as it is. */
static fl_status extract_candidate(fl_search_state *s, int32_t goal, const candidate *c, int64_t number, int32_t depth,
                                   const fl_node **ret, const fl_trait_set **ret_given, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = s->memo.exprs[c->expr].node, **inputs = NULL;
    const fl_trait_set **given = NULL;
    int32_t n = fl_search_inputs(node);
    double below = 0;
    FL_TRY(FL_NEW_ARRAY(&s->memo.arena, n + 1, &inputs, err));
    FL_TRY(FL_NEW_ARRAY(&s->memo.arena, n + 1, &given, err));
    for (int32_t i = 0; i < n; i++) {
        int64_t its = -1;
        if (number >= 0) {
            FL_TRY(fl_search_count(s, c->goals[i], &below, err));
            its = number % (int64_t)below;
            number /= (int64_t)below;
        }
        FL_TRY(extract(s, c->goals[i], its, depth + 1, &inputs[i], &given[i], err));
    }
    if (fl_is_group(node))
        *ret = inputs[0];
    else
        FL_TRY(fl_node_with_inputs(s->plan, node, inputs, ret, err));
    FL_TRY(fl_search_gives(s, fl_is_group(node) ? node : *ret, given, ret_given, err));
    if (!fl_trait_set_satisfies(s->plan, *ret_given, s->memo.goals[goal].want))
        return FL_FAIL(err, FL_ERR_INTERNAL, "the operator %s of the chosen plan does not give what is wanted of it",
                       node->op->name);
cleanup:
    return st;
}

static fl_status extract(fl_search_state *s, int32_t goal, int64_t number, int32_t depth, const fl_node **ret,
                         const fl_trait_set **ret_given, fl_err *err)
{
    fl_status st = FL_OK;
    candidate c = {.expr = FL_MEMO_NONE};
    FL_ASSERT(depth < DEPTH_MAX);
    if (number < 0) {
        c.expr = s->memo.goals[goal].expr;
        c.way = s->memo.goals[goal].way;
        const fl_node *node = s->memo.exprs[c.expr].node;
        FL_TRY(FL_NEW_ARRAY(&s->memo.arena, fl_search_inputs(node) + 1, &c.goals, err));
        for (int32_t i = 0; i < fl_search_inputs(node); i++) {
            const fl_trait_set *want = NULL;
            FL_TRY(fl_search_needs(s, goal, c.expr, c.way, i, &want, err));
            FL_TRY(fl_memo_goal_of(&s->memo, fl_memo_input(&s->memo, node, i), want, &c.goals[i], err));
        }
        return extract_candidate(s, goal, &c, -1, depth, ret, ret_given, err);
    }
    while (next_candidate(s, goal, &c)) {
        FL_TRY(count_candidate(s, goal, &c, err));
        if (number < (int64_t)c.n_plans)
            return extract_candidate(s, goal, &c, number, depth, ret, ret_given, err);
        number -= (int64_t)c.n_plans;
    }
    FL_ASSERT(!"a plan's number is below their count");
cleanup:
    return st;
}

fl_status fl_search_extract(fl_search_state *s, int32_t goal, int64_t number, const fl_node **ret, fl_err *err)
{
    const fl_trait_set *given = NULL;
    return extract(s, goal, number, 0, ret, &given, err);
}
