/* reorder_joins: a search gets other orders of joins beside the one that was found for it, where they cost about as little.
 *
 * What an order costs is estimated by rows alone. What it really costs, with run-time filters, orders that sides come in and groups that are
 * made early, the search finds out. Where plans are taken by number it gets dear ones, too. */
#include "op/join/node.h"
#include "rule/join_region.h"

#include <math.h>

#define SPLITS_MAX 4 /* beside the best ones: each makes groups for a search to look at */
#define SPLITS_MAX_BY_NUMBER 64
#define NEAR 1.2        /* times what the best order costs: what an order is estimated at says no more */
#define NEAR_IN_ORDER 2 /* where sides come in the order of their keys, which the estimate does not know of */
#define COST_MIN 500000 /* rows put out, some milliseconds: what costs less is not worth a second look at its order */

/* Plans of sets of a region's relations: those of the plan at hand, and those that are made. */
typedef struct exploring {
    fl_rule_call *call;
    fl_join_region *region;
    const fl_node *top;
    const fl_join_split *splits;
    int32_t n_splits;
    fl_index_map places; /* of plans, by set */
    const fl_node **plans;
    int32_t n_plans;
} exploring;

static fl_status plan_of(exploring *e, uint64_t set, const fl_node **ret, fl_err *err);

static fl_status note_plan(exploring *e, uint64_t set, const fl_node *plan, fl_err *err)
{
    e->plans[e->n_plans] = plan;
    return fl_index_map_add(&e->places, set, e->n_plans++, err);
}

static fl_status tree_of(exploring *e, uint64_t set, const fl_join_tree **ret, fl_err *err);

static fl_status tree_of_split(exploring *e, const fl_join_split *split, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_tree *left = NULL, *right = NULL;
    FL_TRY(tree_of(e, split->left, &left, err));
    FL_TRY(tree_of(e, split->set & ~split->left, &right, err));
    st = fl_join_tree_join(&e->region->graph, left, right, ret, err);
cleanup:
    return st;
}

/* By the first split of the set, which is its best one. */
static fl_status tree_of(exploring *e, uint64_t set, const fl_join_tree **ret, fl_err *err)
{
    int32_t i = 0;
    if ((set & (set - 1)) == 0)
        return fl_join_tree_leaf(&e->region->graph, __builtin_ctzll(set), ret, err);
    while (e->splits[i].set != set)
        i++;
    return tree_of_split(e, &e->splits[i], ret, err);
}

/* Columns of a set's plan that what comes above may read: of columns that are equal one is enough. */
static fl_status keep_cols(exploring *e, uint64_t set, const fl_node *plan, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_region *r = e->region;
    fl_arena *scratch = r->regions->scratch;
    fl_col_set read;
    fl_col_id *cols = NULL;
    int32_t n = 0;
    fl_col_set_init(&read);
    FL_TRY(fl_col_set_add_all(scratch, &read, &e->top->made, err));
    for (int32_t i = 0; i < r->graph.n_operators; i++) {
        const fl_join_operator *op = &r->graph.operators[i];
        if (op->conjunct >= 0 && (*op->set & ~set) != 0)
            FL_TRY(fl_expr_add_cols(scratch, r->conjuncts[op->conjunct], &read, err));
    }
    for (int32_t s = 0; s < r->n_sites; s++)
        for (int32_t i = 0; i < fl_join_of(r->joins[s])->n_conjuncts && !fl_join_is_inner(r->joins[s]); i++)
            FL_TRY(fl_expr_add_cols(scratch, fl_join_of(r->joins[s])->conjuncts[i], &read, err));
    for (int32_t c = 0; c < r->graph.n_classes; c++) {
        const fl_equality_class *class = &r->graph.classes[c];
        bool is_kept = class->n < 2 || (*class->set & ~set) == 0;
        for (int32_t i = 0; i < class->n; i++)
            is_kept |= fl_col_set_has(&read, class->members[i].col) && fl_join_puts_out(plan, class->members[i].col);
        for (int32_t i = 0; i < class->n && !is_kept; i++) {
            is_kept = fl_join_puts_out(plan, class->members[i].col);
            FL_TRY(fl_col_set_add(scratch, &read, class->members[i].col, err));
        }
    }
    FL_TRY(FL_NEW_ARRAY(scratch, plan->n_cols + 1, &cols, err));
    for (int32_t i = 0; i < plan->n_cols; i++)
        if (fl_col_set_has(&read, plan->cols[i]))
            cols[n++] = plan->cols[i];
    st = fl_node_with_cols(r->regions->plan, plan, cols, n, ret, err);
cleanup:
    return st;
}

/* The plan of a split over those of its sides; *ret NULL: they do not put out what it takes. */
static fl_status plan_of_split(exploring *e, const fl_join_split *split, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_tree *tree = NULL;
    const fl_node *left = NULL, *right = NULL;
    *ret = NULL;
    FL_TRY(tree_of_split(e, split, &tree, err));
    FL_TRY(plan_of(e, *tree->left->set, &left, err));
    FL_TRY(plan_of(e, *tree->right->set, &right, err));
    if (left != NULL && right != NULL)
        FL_TRY(fl_join_region_join(e->region, tree, left, right, ret, err));
    if (*ret != NULL)
        st = keep_cols(e, split->set, *ret, ret, err);
cleanup:
    return st;
}

/* The set's own plan, of which others are equals; *ret NULL: it has none. */
static fl_status plan_of(exploring *e, uint64_t set, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t at = fl_index_map_find(&e->places, set), i = 0;
    if (at >= 0) {
        *ret = e->plans[at];
        return FL_OK;
    }
    while (e->splits[i].set != set)
        i++;
    FL_TRY(plan_of_split(e, &e->splits[i], ret, err));
    st = note_plan(e, set, *ret, err);
cleanup:
    return st;
}

/* Whether two relations may come in the order of columns that are equal. */
static fl_status has_orders(const fl_join_region *r, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = false;
    for (int32_t c = 0; c < r->graph.n_classes && !*ret; c++) {
        int32_t n = 0;
        for (int32_t i = 0; i < r->graph.classes[c].n; i++) {
            const fl_class_member *m = &r->graph.classes[c].members[i];
            bool is_one = false;
            FL_TRY(fl_ordering_may_have(r->regions->plan, r->relations[m->relation], m->col, &is_one, err));
            n += is_one;
        }
        *ret = n > 1;
    }
cleanup:
    return st;
}

static fl_status explore_region(fl_join_region *r, const fl_node *top, fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    exploring e = {.call = call, .region = r, .top = top};
    fl_join_splits_wanted wanted = {.n_max = call->is_numbered ? SPLITS_MAX_BY_NUMBER : SPLITS_MAX, .near = NEAR};
    bool can_order = false, is_ordered_too = false;
    FL_TRY(fl_join_region_prepare(r, top, &can_order, err));
    if (!can_order)
        return FL_OK;
    FL_TRY(has_orders(r, &is_ordered_too, err));
    if (is_ordered_too)
        wanted.near = NEAR_IN_ORDER;
    if (call->is_numbered)
        wanted.near = INFINITY;
    FL_TRY(fl_join_order_splits(&r->graph, &wanted, &e.splits, &e.n_splits, err));
    if (e.n_splits == 0)
        return FL_OK;
    fl_index_map_init(&e.places, r->regions->scratch);
    FL_TRY(FL_NEW_ARRAY(r->regions->scratch, r->n_relations * 2 + e.n_splits, &e.plans, err));
    for (int32_t i = 0; i < r->n_relations; i++)
        FL_TRY(note_plan(&e, 1ull << i, r->relations[i], err));
    for (int32_t s = 0; s < r->n_sites; s++)
        FL_TRY(note_plan(&e, *r->graph.sites[s].set[0] | *r->graph.sites[s].set[1], r->joins[s], err));
    for (int32_t i = 0; i < e.n_splits; i++) {
        const fl_node *plan = NULL, *other = NULL;
        FL_TRY(plan_of(&e, e.splits[i].set, &plan, err));
        if (plan != NULL)
            FL_TRY(plan_of_split(&e, &e.splits[i], &other, err));
        if (other != NULL && other != plan && fl_col_set_has_all(&other->made, &plan->made))
            FL_TRY(fl_rule_call_equate(call, plan, other, err));
    }
cleanup:
    return st;
}

/* What the region's joins cost as they stand. */
static double cost_as_it_is(const fl_join_region *r, const fl_node *node)
{
    if (!fl_join_is_ordered(node, r->has_outer))
        return 0;
    const fl_node *left = node->inputs[0], *right = node->inputs[1];
    return fl_join_cost((fl_join_side){left->rows, 0}, (fl_join_side){right->rows, 0}, node->rows, false) +
           cost_as_it_is(r, left) + cost_as_it_is(r, right);
}

typedef struct walking {
    fl_join_regions regions;
    fl_rule_call *call;
} walking;

/* Every region below and including the node, which is none's inner join. */
static fl_status explore(walking *w, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_region *r = NULL;
    if (w->regions.done[node->id] != NULL)
        return FL_OK;
    w->regions.done[node->id] = node;
    FL_TRY(FL_NEW(w->regions.scratch, &r, err));
    r->regions = &w->regions;
    bool is_region = fl_join_region_measure(r, node) && r->n_relations > 2;
    is_region = is_region && (w->call->is_numbered || cost_as_it_is(r, node) >= COST_MIN);
    if (is_region)
        FL_TRY(explore_region(r, node, w->call, err));
    for (int32_t i = 0; i < r->n_relations && is_region; i++)
        FL_TRY(explore(w, r->relations[i], err));
    for (int32_t i = 0; i < node->n_inputs && !is_region; i++)
        FL_TRY(explore(w, node->inputs[i], err));
cleanup:
    return st;
}

static bool check(const fl_rule_call *call)
{
    return call->is_costed;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    walking w = {.call = call};
    fl_status st = fl_join_regions_init(&w.regions, call, err);
    return st == FL_OK ? explore(&w, call->root, err) : st;
}

const fl_rule_desc fl_rule_reorder_joins = {
    FL_DESC(fl_rule_desc), .name = "reorder_joins",  .phase = "search",
    .pattern = "root",     .scope = FL_SCOPE_GLOBAL, .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
    .check = check,        .on_match = on_match,     .doc = "other orders of joins that cost about as little"};
