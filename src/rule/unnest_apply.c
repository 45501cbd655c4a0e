/* unnest_apply: every dependent join becomes a join (Neumann & Kemper 2015, "Unnesting Arbitrary Queries").
 *
 * Two ways, on which each operator says itself what becomes of it (plan/unnesting.h). Pulling up: where the right side uses outer
 * columns in filters only, the conjuncts move into the join's condition; through an aggregate they go as equalities, whose
 * inner side becomes a group key. Otherwise pushing down: the domain, the distinct values of the outer columns, is joined into
 * the right side where they are used, carried up as columns, and equated with the left side's (nulls equal) at the end.
 *
 * The domain is taken from what the left side had before joins added columns that nothing outside reads, so that many
 * subqueries beside each other do not hold each other. Where one is made of another, the left side is materialized: its
 * plan would double with each of them. */
#include "op/aggregate/node.h"
#include "op/apply/node.h"
#include "op/materialize/node.h"
#include "op/project/node.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

#define SHARED_NODES 64 /* a left side of more is computed once, and not again for its domain */

/* Inner dependent joins go first. */
static bool check(const fl_rule_call *call)
{
    return !(call->node->inputs[1]->holds & FL_HOLDS_DEPENDENT);
}

/* EXISTS (… LIMIT n): whether there is a row does not depend on what leaves out some rows but never all. */
static const fl_node *drop_limit(const fl_apply_attrs *apply, const fl_node *right)
{
    bool exists = (apply->kind == FL_JOIN_SEMI || apply->kind == FL_JOIN_ANTI) && apply->n_conjuncts == 0;
    exists |= apply->kind == FL_JOIN_MARK && fl_expr_is_true(apply->conjuncts[0]);
    if (exists && right->n_inputs == 1 && fl_rows_are(right, FL_ROWS_SOME) && !fl_rows_are(right, FL_ROWS_ALL) &&
        right->can_fail == right->inputs[0]->can_fail)
        return right->inputs[0];
    return right;
}

static fl_status make_join(fl_rule_call *call, const fl_node *left, const fl_node *right, const fl_expr *const *more,
                           int32_t n_more, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_apply_attrs *apply = fl_apply_of(call->node);
    const fl_expr **tests = NULL;
    const fl_node *join = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), apply->n_conjuncts + n_more + 1, &tests, err));
    for (int32_t i = 0; i < apply->n_conjuncts; i++)
        tests[n++] = apply->conjuncts[i];
    for (int32_t i = 0; i < n_more; i++)
        tests[n++] = more[i];
    FL_TRY(fl_join_build_all(call->plan, (fl_join_kind)apply->kind, left, right, tests, n, apply->mark, &join, err));
    FL_TRY(fl_node_with_cols(call->plan, join, call->node->cols, call->node->n_cols, &join, err));
    st = fl_rule_call_transform_to(call, join, err);
cleanup:
    return st;
}

/* The smallest plan that has the same values in the columns as `node`. */
static const fl_node *source_of(const fl_node *node, const fl_col_id *cols, int32_t n)
{
    while (fl_rows_are(node, FL_ROWS_ALL)) {
        for (int32_t i = 0; i < n; i++)
            if (!fl_col_set_has(&node->inputs[0]->made, cols[i]))
                return node;
        node = node->inputs[0];
    }
    return node;
}

/* Takes the nodes of the tree from what is left of the number; shared ones as often as they would be run. */
static void take_nodes(const fl_node *node, int32_t *left)
{
    if ((*left)-- <= 0 || node->op->is_computed_once)
        return;
    for (int32_t i = 0; i < node->n_inputs; i++)
        take_nodes(node->inputs[i], left);
}

static bool is_large(const fl_node *node)
{
    int32_t left = SHARED_NODES;
    take_nodes(node, &left);
    return left < 0;
}

/* Two readers of the node's rows: one under its own column ids, one with copies of some. */
static fl_status share(const fl_unnesting *u, const fl_node *node, const fl_node **ret, const fl_node **ret_copy,
                       fl_col_id *ret_cols, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *kept = NULL, *copy = NULL;
    fl_col_id *from = NULL, *copies = NULL;
    FL_ASSERT(node->n_cols > 0 && fl_col_set_is_empty(&node->outer));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), node->n_cols, &from, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(u->plan), node->n_cols, &copies, err));
    FL_TRY(fl_project_copy(u->plan, node, node->cols, node->n_cols, from, &kept, err));
    fl_materialize_attrs attrs = {
        .name = FL_STR("outer rows"), .n_cols = node->n_cols, .cols = node->cols, .n_from = node->n_cols, .from = from};
    FL_TRY(fl_node_make(u->plan, &fl_op_materialize, &attrs, NULL, &kept, 1, NULL, 0, ret, err));
    FL_TRY(fl_materialize_build(u->plan, kept, attrs.name, from, node->n_cols, false, copies, &copy, err));
    for (int32_t i = 0; i < u->n_cols; i++)
        for (int32_t c = 0; c < node->n_cols; c++)
            if (node->cols[c].n == u->cols[i].n)
                ret_cols[i] = copies[c];
    *ret_copy = copy;
cleanup:
    return st;
}

/* Every row for every value of the domain. */
static fl_status cross_with_domain(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols,
                                   fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *copy = NULL;
    FL_TRY(fl_project_copy(u->plan, u->domain, u->domain_cols, u->n_cols, ret_cols, &copy, err));
    st = fl_join_build_all(u->plan, FL_JOIN_INNER, copy, node, NULL, 0, (fl_col_id){0}, ret, err);
cleanup:
    return st;
}

/* The domain of the outer columns that `right` uses. *left is what the join reads then. */
static fl_status make_domain(fl_unnesting *u, const fl_node *right, const fl_node **left, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = fl_plan_arena(u->plan);
    const fl_node *source = NULL, *distinct = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, (*left)->n_cols + 1, &u->cols, err));
    for (int32_t i = 0; i < (*left)->n_cols; i++)
        if (fl_col_set_has(&right->outer, (*left)->cols[i]))
            u->cols[u->n_cols++] = (*left)->cols[i];
    FL_TRY(FL_NEW_ARRAY(arena, u->n_cols + 1, &u->domain_cols, err));
    source = source_of(*left, u->cols, u->n_cols);
    if (is_large(source) && u->n_cols > 0 && fl_col_set_is_empty(&(*left)->outer)) {
        FL_TRY(share(u, *left, left, &source, u->domain_cols, err));
        st = fl_distinct_build(u->plan, source, u->domain_cols, u->n_cols, &u->domain, err);
    } else {
        FL_TRY(fl_distinct_build(u->plan, source, u->cols, u->n_cols, &distinct, err));
        st = fl_project_copy(u->plan, distinct, u->cols, u->n_cols, u->domain_cols, &u->domain, err);
    }
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_apply_attrs *apply = fl_apply_of(call->node);
    const fl_node *left = call->node->inputs[0], *right = drop_limit(apply, call->node->inputs[1]), *out = NULL;
    fl_unnesting u = {.plan = call->plan, .outer = &left->made, .push_domain = cross_with_domain};
    fl_col_id *cols = NULL;
    const fl_expr **tests = NULL;
    FL_TRY(fl_unnesting_pull(&u, right, apply->kind == FL_JOIN_SINGLE || apply->kind == FL_JOIN_LEFT, &out, err));
    if (out != NULL)
        return make_join(call, left, out, u.pulled, u.n_pulled, err);
    FL_TRY(make_domain(&u, right, &left, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), u.n_cols + 1, &cols, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(call->plan), u.n_cols + 1, &tests, err));
    FL_TRY(fl_unnesting_push(&u, right, &out, cols, err));
    FL_TRY(fl_unnesting_equate(&u, u.cols, cols, tests, err));
    st = make_join(call, left, out, tests, u.n_cols, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_unnest_apply = {FL_DESC(fl_rule_desc),    .name = "unnest_apply",
                                           .phase = "unnest",        .pattern = "apply",
                                           .scope = FL_SCOPE_GLOBAL, .is_required = true,
                                           .keeps = FL_KEEPS_COLS,   .check = check,
                                           .on_match = on_match,     .doc = "dependent joins become joins"};
