/* Groups, expressions, merging. */
#include "opt/memo.h"

#include "opt/cost.h"

#include <math.h>

void fl_memo_init(fl_memo *memo, fl_plan *plan, int32_t n_rules)
{
    *memo = (fl_memo){.plan = plan, .n_rules = n_rules};
    fl_arena_init(&memo->arena, fl_plan_arena(plan)->memory);
}

void fl_memo_drop(fl_memo *memo)
{
    fl_free(memo->exprs);
    fl_free(memo->groups);
    fl_free(memo->goals);
    fl_free(memo->trials);
    fl_free(memo->places);
    fl_arena_drop(&memo->arena);
}

int32_t fl_memo_find(const fl_memo *memo, int32_t group)
{
    while (memo->groups[group].parent != group)
        group = memo->groups[group].parent;
    return group;
}

int32_t fl_memo_input(const fl_memo *memo, const fl_node *expr, int32_t input)
{
    const fl_node *leaf = fl_is_group(expr) ? expr : expr->inputs[input];
    return fl_memo_find(memo, fl_group_id(leaf));
}

/* ---- places ------------------------------------------------------------------------------------------------------- */

static int32_t place_of(const fl_memo *memo, const fl_node *node)
{
    return node->id < memo->places_capacity ? memo->places[node->id] : 0;
}

static fl_status set_place(fl_memo *memo, const fl_node *node, int32_t place, fl_err *err)
{
    int64_t old = memo->places_capacity;
    fl_status st = fl_grow(memo->arena.memory, (void **)&memo->places, &memo->places_capacity, node->id + 1,
                           (int64_t)sizeof(*memo->places), err);
    if (st != FL_OK)
        return st;
    if (memo->places_capacity > old)
        memset(memo->places + old, 0, (size_t)(memo->places_capacity - old) * sizeof(*memo->places));
    memo->places[node->id] = place;
    return FL_OK;
}

/* The group of a plan that is known; FL_MEMO_NONE: it is not. */
static int32_t known_group(const fl_memo *memo, const fl_node *node)
{
    int32_t place = place_of(memo, node);
    if (fl_is_group(node) && node->traits == fl_trait_none(memo->plan))
        return fl_memo_find(memo, fl_group_id(node));
    return place > 0   ? fl_memo_find(memo, memo->exprs[place - 1].group)
           : place < 0 ? fl_memo_find(memo, -1 - place)
                       : FL_MEMO_NONE;
}

/* ---- adding ------------------------------------------------------------------------------------------------------- */

static fl_status new_expr(fl_memo *memo, const fl_node *node, int32_t group, int32_t born_of, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memo_expr expr = {.node = node, .group = group, .next = FL_MEMO_NONE, .born_of = born_of};
    FL_TRY(FL_NEW_ARRAY(&memo->arena, fl_bitmap_words(memo->n_rules + 1), &expr.fired, err));
    FL_TRY(fl_grow(memo->arena.memory, (void **)&memo->exprs, &memo->exprs_capacity, memo->n_exprs + 1,
                   (int64_t)sizeof(*memo->exprs), err));
    *ret = memo->n_exprs;
    memo->exprs[memo->n_exprs++] = expr;
cleanup:
    return st;
}

/* An expression at the end of its group's list, to be found by its node. */
static fl_status add_expr(fl_memo *memo, const fl_node *node, int32_t group, int32_t born_of, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t expr = 0;
    FL_TRY(new_expr(memo, node, group, born_of, &expr, err));
    FL_TRY(set_place(memo, node, expr + 1, err));
    fl_memo_group *g = &memo->groups[group];
    if (g->last == FL_MEMO_NONE)
        g->first = expr;
    else
        memo->exprs[g->last].next = expr;
    g->last = expr;
cleanup:
    return st;
}

static fl_status new_group(fl_memo *memo, const fl_node *first, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memo_group group = {.parent = memo->n_groups,
                           .first = FL_MEMO_NONE,
                           .last = FL_MEMO_NONE,
                           .first_goal = FL_MEMO_NONE,
                           .bound = fl_cost_bound(first->rows)};
    FL_TRY(fl_group_make(memo->plan, memo->n_groups, first, &group.leaf, err));
    FL_TRY(fl_grow(memo->arena.memory, (void **)&memo->groups, &memo->groups_capacity, memo->n_groups + 1,
                   (int64_t)sizeof(*memo->groups), err));
    *ret = memo->n_groups;
    memo->groups[memo->n_groups++] = group;
cleanup:
    return st;
}

/* The node over groups in the place of its inputs. */
static fl_status over_groups(fl_memo *memo, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node **leaves = NULL;
    *ret = node;
    if (node->n_inputs == 0 || fl_is_group(node))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&memo->arena, node->n_inputs, &leaves, err));
    for (int32_t i = 0; i < node->n_inputs; i++) {
        int32_t group = 0;
        FL_TRY(fl_memo_add_plan(memo, node->inputs[i], &group, err));
        leaves[i] = memo->groups[group].leaf;
    }
    st = fl_node_with_inputs(memo->plan, node, leaves, ret, err);
cleanup:
    return st;
}

fl_status fl_memo_add_plan(fl_memo *memo, const fl_node *node, int32_t *ret_group, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *over = NULL;
    int32_t group = known_group(memo, node);
    *ret_group = group;
    if (group != FL_MEMO_NONE)
        return FL_OK;
    FL_TRY(over_groups(memo, node, &over, err));
    group = known_group(memo, over);
    if (group == FL_MEMO_NONE) {
        FL_TRY(new_group(memo, node, &group, err));
        FL_TRY(add_expr(memo, over, group, FL_MEMO_NONE, err));
    }
    if (over != node)
        FL_TRY(set_place(memo, node, -1 - group, err));
    *ret_group = group;
cleanup:
    return st;
}

/* ---- merging ------------------------------------------------------------------------------------------------------ */

/* Whether a node puts out the columns of a group's plans, and no others. */
static bool has_cols_of(const fl_memo *memo, int32_t group, const fl_node *node)
{
    const fl_col_set *x = &memo->groups[group].leaf->made, *y = &node->made;
    return fl_col_set_has_all(x, y) && fl_col_set_has_all(y, x);
}

/* `gone` becomes `kept`: expressions and goals are those of both. */
static void unite(fl_memo *memo, int32_t kept, int32_t gone)
{
    fl_memo_group *k = &memo->groups[kept], *g = &memo->groups[gone];
    for (int32_t e = g->first; e != FL_MEMO_NONE; e = memo->exprs[e].next)
        memo->exprs[e].group = kept;
    if (k->last == FL_MEMO_NONE)
        k->first = g->first;
    else
        memo->exprs[k->last].next = g->first;
    k->last = g->last != FL_MEMO_NONE ? g->last : k->last;
    k->explored_in = 0;
    k->bound = fmin(k->bound, g->bound); /* which one's cheapest plan it is now is not known */
    int32_t *end = &k->first_goal;
    while (*end != FL_MEMO_NONE)
        end = &memo->goals[*end].next;
    *end = g->first_goal;
    for (int32_t i = g->first_goal; i != FL_MEMO_NONE; i = memo->goals[i].next)
        memo->goals[i].group = kept;
    g->parent = kept;
    memo->n_merges++;
}

static fl_status merge(fl_memo *memo, int32_t a, int32_t b, fl_err *err);

/* Makes an expression again over the groups that its inputs have become. Where it becomes another that is known, the two groups
 * are one, and it goes. */
static fl_status renew(fl_memo *memo, int32_t expr, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = memo->exprs[expr].node, *again = NULL, **leaves = NULL;
    FL_TRY(FL_NEW_ARRAY(&memo->arena, node->n_inputs + 1, &leaves, err));
    if (fl_is_group(node)) {
        FL_TRY(fl_node_with_traits(memo->plan, memo->groups[fl_memo_input(memo, node, 0)].leaf, node->traits, &again,
                                   err));
    } else {
        for (int32_t i = 0; i < node->n_inputs; i++)
            leaves[i] = memo->groups[fl_memo_input(memo, node, i)].leaf;
        FL_TRY(fl_node_with_inputs(memo->plan, node, leaves, &again, err));
    }
    int32_t place = again == node || memo->exprs[expr].is_enforcer ? 0 : place_of(memo, again);
    if (place > 0) {
        memo->exprs[expr].node = NULL;
        for (int32_t g = 0; g < memo->n_goals; g++)
            if (memo->goals[g].expr == expr)
                memo->goals[g].expr = place - 1;
        st = merge(memo, memo->exprs[expr].group, memo->exprs[place - 1].group, err);
    } else if (again != node) {
        memo->exprs[expr].node = again;
        memset(memo->exprs[expr].fired, 0, (size_t)fl_bitmap_words(memo->n_rules + 1) * 8);
        if (!memo->exprs[expr].is_enforcer)
            st = set_place(memo, again, expr + 1, err);
    }
cleanup:
    return st;
}

/* The lower number stays, so that it does not matter from which side a merge comes. */
static fl_status merge(fl_memo *memo, int32_t a, int32_t b, fl_err *err)
{
    fl_status st = FL_OK;
    a = fl_memo_find(memo, a);
    b = fl_memo_find(memo, b);
    if (a == b || !has_cols_of(memo, a, memo->groups[b].leaf))
        return FL_OK;
    int32_t kept = a < b ? a : b, gone = a < b ? b : a;
    unite(memo, kept, gone);
    for (int32_t e = 0; e < memo->n_exprs; e++) {
        const fl_node *node = memo->exprs[e].node;
        bool is_over = false;
        for (int32_t i = 0; node != NULL && i < node->n_inputs; i++)
            is_over |= fl_group_id(fl_is_group(node) ? node : node->inputs[i]) == gone;
        if (is_over)
            FL_TRY(renew(memo, e, err));
    }
cleanup:
    return st;
}

fl_status fl_memo_add_equal(fl_memo *memo, int32_t group, const fl_node *node, int32_t born_of, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *over = NULL;
    int32_t known = known_group(memo, node);
    group = fl_memo_find(memo, group);
    if (known == FL_MEMO_NONE && !has_cols_of(memo, group, node))
        FL_TRY(fl_node_with_cols(memo->plan, node, memo->groups[group].leaf->cols, memo->groups[group].leaf->n_cols,
                                 &node, err));
    if (known == FL_MEMO_NONE) {
        FL_TRY(over_groups(memo, node, &over, err));
        known = known_group(memo, over);
    }
    group = fl_memo_find(memo, group);
    if (known == group)
        return FL_OK;
    if (known != FL_MEMO_NONE)
        return merge(memo, group, known, err);
    st = add_expr(memo, over, group, born_of, err);
cleanup:
    return st;
}

fl_status fl_memo_add_enforcer(fl_memo *memo, int32_t goal, const fl_node *node, fl_err *err)
{
    int32_t expr = 0;
    fl_status st = new_expr(memo, node, memo->goals[goal].group, FL_MEMO_NONE, &expr, err);
    if (st == FL_OK) {
        memo->exprs[expr].is_enforcer = true;
        memo->goals[goal].enforcer = expr;
    }
    return st;
}

fl_status fl_memo_goal_of(fl_memo *memo, int32_t group, const fl_trait_set *want, int32_t *ret, fl_err *err)
{
    group = fl_memo_find(memo, group);
    for (int32_t g = memo->groups[group].first_goal; g != FL_MEMO_NONE; g = memo->goals[g].next)
        if (memo->goals[g].want == want) {
            *ret = g;
            return FL_OK;
        }
    fl_status st = fl_grow(memo->arena.memory, (void **)&memo->goals, &memo->goals_capacity, memo->n_goals + 1,
                           (int64_t)sizeof(*memo->goals), err);
    if (st != FL_OK)
        return st;
    *ret = memo->n_goals;
    memo->goals[memo->n_goals++] = (fl_memo_goal){.group = group,
                                                  .next = memo->groups[group].first_goal,
                                                  .want = want,
                                                  .expr = FL_MEMO_NONE,
                                                  .enforcer = FL_MEMO_NONE,
                                                  .total = INFINITY,
                                                  .n_plans = -1};
    memo->groups[group].first_goal = *ret;
    return FL_OK;
}

fl_status fl_memo_note(fl_memo *memo, const fl_memo_trial *trial, fl_err *err)
{
    fl_status st = FL_OK;
    if (!memo->keeps_trials)
        return FL_OK;
    FL_TRY(fl_grow(memo->arena.memory, (void **)&memo->trials, &memo->trials_capacity, memo->n_trials + 1,
                   (int64_t)sizeof(*memo->trials), err));
    memo->trials[memo->n_trials++] = *trial;
cleanup:
    return st;
}
