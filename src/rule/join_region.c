/* Regions of joins as graphs (opt/join_graph.h), and plans of the orders that are found for them; no operator is made before that. */
#include "rule/join_region.h"

#include "op/join/node.h"
#include "opt/join_order.h"
#include "opt/join_rows.h"
#include "plan/estimate.h"
#include "plan/null.h"
#include "plan/rewrites.h"

#include <math.h>

#define OUTER_MAX \
    64 /* relations of a region that has others than inner joins: whether two sets may meet takes a look at each */
#define WIDTH_UNKNOWN 16 /* bytes of a value that has no fixed width */
#define SPLITS_MAX 4     /* beside the best ones: each makes groups for a search to look at */
#define SPLITS_MAX_BY_NUMBER 64
#define NEAR 1.2        /* times what the best order costs: what an order is estimated at says no more */
#define NEAR_IN_ORDER 2 /* where sides come in the order of their keys, which the estimate does not know of */
#define COST_MIN 500000 /* rows put out, some milliseconds: what costs less is not worth a second look at its order */

typedef struct ordering {
    fl_plan *plan;
    fl_arena *scratch;
    const fl_node **done; /* by node id: what became of a node, which may be the input of several */
    fl_col_set read;      /* columns that anything in the plan reads */
    int32_t *owners;      /* by column, of the region whose graph is made: the relation that makes it, + 1 */
    bool keeps_relations; /* nothing becomes of nodes: relations stand as they are */
} ordering;

/* An equality of a class, as the query has it. */
typedef struct written {
    const fl_expr *expr;
    int32_t number; /* among the region's conjuncts */
    int32_t site;
    int32_t a, b; /* relations of its columns */
    int32_t next; /* of its class; -1: none */
} written;

typedef struct region {
    ordering *ordering;
    bool has_outer;
    int32_t n_relations, n_sites, n_conjuncts;
    const fl_node **relations;
    const fl_node **joins; /* by site */
    const fl_expr **conjuncts;
    written *equalities;
    int32_t n_equalities;
    fl_join_graph graph;
    int32_t *first_equality; /* by class; -1: none */
} region;

static fl_status order(ordering *o, const fl_node *node, const fl_node **ret, fl_err *err);

static bool is_inner(const fl_node *node)
{
    return fl_join_of(node)->kind == FL_JOIN_INNER;
}

/* Whether a node is a join of a region, or of one of inner joins alone. */
static bool is_ordered(const fl_node *node, bool has_outer)
{
    if (node->op != &fl_op_join || (!has_outer && !is_inner(node)) || fl_join_of(node)->kind > FL_JOIN_ANTI)
        return false;
    for (int32_t i = 0; i < fl_join_of(node)->n_conjuncts; i++)
        if (!fl_expr_is_movable(fl_join_of(node)->conjuncts[i]))
            return false;
    return true;
}

/* Counts relations and conjuncts, up to more relations than there may be: long chains go down at the left. */
static void count(region *r, const fl_node *node)
{
    for (; is_ordered(node, r->has_outer) && r->n_relations <= FL_JOIN_RELATIONS_MAX; node = node->inputs[0]) {
        r->n_conjuncts += fl_join_of(node)->n_conjuncts;
        r->n_sites += !is_inner(node);
        count(r, node->inputs[1]);
    }
    r->n_relations++;
}

/* Sizes the region below a node; false: there is none to order. */
static bool measure(region *r, const fl_node *node)
{
    for (int32_t tries = 0; tries < 2; tries++) {
        r->has_outer = tries == 0;
        r->n_relations = r->n_conjuncts = r->n_sites = 0;
        count(r, node);
        if (r->n_sites == 0 || r->n_relations <= OUTER_MAX)
            break;
    }
    r->has_outer = r->n_sites > 0;
    return r->n_relations <= FL_JOIN_RELATIONS_MAX && r->n_relations > (r->has_outer ? 2 : 1);
}

static fl_status find_relations(region *r, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    if (!is_ordered(node, r->has_outer)) {
        r->relations[r->n_relations] = node;
        if (!r->ordering->keeps_relations)
            FL_TRY(order(r->ordering, node, &r->relations[r->n_relations], err));
        r->n_relations++;
        return FL_OK;
    }
    FL_TRY(find_relations(r, node->inputs[0], err));
    FL_TRY(find_relations(r, node->inputs[1], err));
cleanup:
    return st;
}

/* ---- the graph ----------------------------------------------------------------------------------------------------------- */

static double log_of(double rows)
{
    return log2(fmax(rows, 1e-300));
}

/* Rows of the table behind filters and a scan, among which its columns' distinct values are; else of the relation itself. */
static double base_rows(const region *r, const fl_node *relation)
{
    fl_col_stats stats;
    double rows = relation->rows;
    const fl_node *node = relation;
    while (node->n_inputs == 1 && fl_rows_are(node, FL_ROWS_ONCE | FL_ROWS_ALONE))
        node = node->inputs[0];
    for (int32_t i = 0; i < node->n_cols && node->n_inputs == 0; i++)
        if (fl_estimate_col_stats(r->ordering->plan, node->cols[i], &stats, &rows))
            break;
    return fmax(fmax(rows, relation->rows), 1);
}

/* *ret false: two relations make the same column, so that its name does not say which is meant. */
static fl_status describe_relations(region *r, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = true;
    for (int32_t i = 0; i < r->n_relations; i++) {
        const fl_node *node = r->relations[i];
        const fl_props *props = NULL;
        fl_join_relation *relation = &r->graph.relations[i];
        FL_TRY(fl_node_props(r->ordering->plan, node, &props, err));
        relation->log_rows = log_of(fmax(node->rows, 1));
        relation->log_base_rows = log_of(base_rows(r, node));
        relation->is_one_row = props->rows_max <= 1;
        relation->keys = props->keys;
        relation->n_keys = props->n_keys;
        for (int32_t c = 0; c < node->n_cols; c++) {
            int32_t width = fl_type_width(fl_plan_col(r->ordering->plan, node->cols[c])->type);
            *ret &= r->ordering->owners[node->cols[c].n] == 0;
            r->ordering->owners[node->cols[c].n] = i + 1;
            if (fl_col_set_has(&r->ordering->read, node->cols[c]))
                relation->width += width > 0 ? width : WIDTH_UNKNOWN;
        }
    }
cleanup:
    return st;
}

static void add_owners(const region *r, const fl_col_set *cols, uint64_t *ret)
{
    for (int32_t w = 0; w < cols->n_words; w++)
        for (uint64_t word = cols->words[w]; word != 0; word &= word - 1) {
            int32_t owner = r->ordering->owners[(cols->first_word + w) * 64 + __builtin_ctzll(word)];
            if (owner > 0)
                fl_relation_set_add(ret, owner - 1);
        }
}

/* A column of an equality, with its distinct values: in a key there are as many as rows. */
static fl_status to_member(const region *r, const fl_expr *col, fl_class_member *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = r->ordering->plan;
    int32_t owner = r->ordering->owners[col->col.n] - 1;
    const fl_node *relation = r->relations[owner];
    fl_col_stats stats;
    double rows, distinct;
    fl_col_set self;
    const fl_props *props = NULL;
    bool is_key = false;
    fl_col_set_init(&self);
    distinct = fl_estimate_col_stats(plan, col->col, &stats, &rows) ? stats.distinct
                                                                    : fl_estimate_distinct(plan, col, relation->rows);
    FL_TRY(fl_node_props(plan, relation, &props, err));
    FL_TRY(fl_col_set_add(r->ordering->scratch, &self, col->col, err));
    FL_TRY(fl_props_has_key(plan, props, &self, &is_key, err));
    *ret = (fl_class_member){.relation = owner, .col = col->col, .log_distinct = log_of(fmax(distinct, 1))};
    if (is_key)
        ret->log_distinct = fmax(ret->log_distinct, r->graph.relations[owner].log_base_rows);
cleanup:
    return st;
}

/* Whether the conjunct went into a class of columns. */
static fl_status add_to_class(region *r, int32_t site, const fl_expr *e, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_class_member a, b;
    *ret = false;
    if (e->kind != FL_EXPR_CALL || e->n_args != 2 || strcmp(e->func->name, "=") != 0 ||
        e->args[0]->kind != FL_EXPR_COLUMN || e->args[1]->kind != FL_EXPR_COLUMN ||
        !fl_type_is_equal(e->args[0]->type, e->args[1]->type) || r->ordering->owners[e->args[0]->col.n] == 0 ||
        r->ordering->owners[e->args[1]->col.n] == 0)
        return FL_OK;
    FL_TRY(to_member(r, e->args[0], &a, err));
    FL_TRY(to_member(r, e->args[1], &b, err));
    FL_TRY(fl_join_graph_add_equality(&r->graph, site, &a, &b, ret, err));
    if (*ret)
        r->equalities[r->n_equalities++] =
            (written){e, r->n_conjuncts, site - r->graph.n_relations, a.relation, b.relation, .next = -1};
cleanup:
    return st;
}

/* How often each value occurs, where that is known and matters. */
static fl_status find_grids(region *r, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t c = 0; c < r->graph.n_classes; c++) {
        fl_equality_class *class = &r->graph.classes[c];
        fl_col_id cols[FL_CLASS_GRID_MAX];
        double *shares = NULL;
        if (class->n < 2 || class->n > FL_CLASS_GRID_MAX)
            continue;
        for (int32_t m = 0; m < class->n; m++)
            cols[m] = class->members[m].col;
        FL_TRY(FL_NEW_ARRAY(r->ordering->scratch, class->n, &class->places, err));
        class->grid = fl_estimate_value_grid(r->ordering->plan, cols, class->n, class->places);
        if (class->grid == NULL)
            continue;
        FL_TRY(FL_NEW_ARRAY(r->ordering->scratch, 1 << class->n, &shares, err));
        for (int32_t i = 0; i < 1 << class->n; i++)
            shares[i] = NAN;
        class->log_shares = shares;
    }
cleanup:
    return st;
}

/* A table that is joined with itself by its key is the same rows twice. */
static fl_status find_same_rows(region *r, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t c = 0; c < r->graph.n_classes; c++) {
        const fl_equality_class *class = &r->graph.classes[c];
        for (int32_t i = 0; i < class->n && class->n <= FL_CLASS_GRID_MAX; i++)
            for (int32_t k = i + 1; k < class->n; k++) {
                const fl_class_member *a = &class->members[i], *b = &class->members[k];
                double factor = fl_estimate_same_rows(r->ordering->plan, r->relations[a->relation], a->col,
                                                      r->relations[b->relation], b->col);
                if (factor != 1)
                    FL_TRY(fl_join_graph_add_correlation(&r->graph, a->relation, b->relation, log_of(factor), err));
            }
    }
cleanup:
    return st;
}

/* Conjuncts of an inner join are operators each; several about the same relations depend on each other, so the second and
 * later ones count by their square root, but for equalities, whose distinct values are bounded together. */
static fl_status add_inner(region *r, int32_t site, const fl_expr *e, fl_index_map *seen, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *scratch = r->ordering->scratch;
    bool is_done = false, is_equality = fl_expr_is_equality(e);
    fl_col_set cols;
    uint64_t *used = NULL, *none = NULL, key = 1;
    fl_col_set_init(&cols);
    FL_TRY(add_to_class(r, site, e, &is_done, err));
    if (is_done)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(scratch, r->graph.n_words, &used, err));
    FL_TRY(FL_NEW_ARRAY(scratch, r->graph.n_words, &none, err));
    FL_TRY(fl_expr_add_cols(scratch, e, &cols, err));
    add_owners(r, &cols, used);
    double share = log_of(fl_estimate_condition(r->ordering->plan, e));
    for (int32_t w = 0; w < r->graph.n_words; w++)
        key = key * 0x9E3779B97F4A7C15ull + used[w];
    if (!is_equality && fl_index_map_find(seen, key | 1) >= 0)
        share /= 2;
    FL_TRY(fl_index_map_add(seen, key | 1, r->n_conjuncts, err));
    FL_TRY(fl_join_graph_add_conjunct(&r->graph, site, r->n_conjuncts, used, none, share, is_equality, err));
cleanup:
    return st;
}

/* Whether the join's equalities fix a key of its right side, so that a left row meets one row at most. */
static fl_status meets_key(const region *r, const fl_join_attrs *join, int32_t right, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *relation = r->relations[right];
    const fl_props *props = NULL;
    fl_col_set fixed, others;
    fl_col_set_init(&fixed);
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        for (int32_t a = 0; a < 2 && fl_expr_is_equality(join->conjuncts[i]); a++) {
            const fl_expr *col = join->conjuncts[i]->args[a], *other = join->conjuncts[i]->args[1 - a];
            if (col->kind != FL_EXPR_COLUMN || !fl_col_set_has(&relation->made, col->col))
                continue;
            fl_col_set_init(&others);
            FL_TRY(fl_expr_add_cols(r->ordering->scratch, other, &others, err));
            if (!fl_col_set_meets(&others, &relation->made))
                FL_TRY(fl_col_set_add(r->ordering->scratch, &fixed, col->col, err));
        }
    FL_TRY(fl_node_props(r->ordering->plan, relation, &props, err));
    st = fl_props_has_key(r->ordering->plan, props, &fixed, ret, err);
cleanup:
    return st;
}

/* All conjuncts of another join are one operator. */
static fl_status add_outer(region *r, int32_t site, const fl_join_attrs *join, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t right = r->graph.sites[site - r->n_relations].sides[1];
    bool is_key = false;
    fl_arena *scratch = r->ordering->scratch;
    fl_col_set cols, rejected;
    uint64_t *used = NULL, *nulls = NULL;
    fl_col_set_init(&cols);
    fl_col_set_init(&rejected);
    FL_TRY(FL_NEW_ARRAY(scratch, r->graph.n_words, &used, err));
    FL_TRY(FL_NEW_ARRAY(scratch, r->graph.n_words, &nulls, err));
    for (int32_t i = 0; i < join->n_conjuncts; i++) {
        FL_TRY(fl_expr_add_cols(scratch, join->conjuncts[i], &cols, err));
        FL_TRY(fl_expr_add_null_rejected(scratch, join->conjuncts[i], &rejected, err));
    }
    add_owners(r, &cols, used);
    add_owners(r, &rejected, nulls);
    double share = log_of(fl_estimate_conjuncts(r->ordering->plan, join->conjuncts, join->n_conjuncts));
    for (int32_t i = 0; i < join->n_conjuncts; i++) /* what a side is asked already counts there */
        share += log_of(fl_estimate_condition(r->ordering->plan, join->conjuncts[i])) -
                 log_of(fl_estimate_selectivity(r->ordering->plan, join->conjuncts[i]));
    share = fmin(share, 0);
    if (right < r->n_relations)
        FL_TRY(meets_key(r, join, right, &is_key, err));
    if (is_key)
        share = fmin(share, -r->graph.relations[right].log_base_rows);
    st = fl_join_graph_add_conjunct(&r->graph, site, -1, used, nulls, share, false, err);
cleanup:
    return st;
}

static fl_reorder_kind kind_of(int32_t kind)
{
    switch (kind) {
    case FL_JOIN_LEFT:
    case FL_JOIN_RIGHT:
        return FL_REORDER_LEFT;
    case FL_JOIN_FULL:
        return FL_REORDER_FULL;
    case FL_JOIN_SEMI:
        return FL_REORDER_SEMI;
    case FL_JOIN_ANTI:
        return FL_REORDER_ANTI;
    default:
        return FL_REORDER_INNER;
    }
}

/* Right joins are left ones with the sides exchanged. */
static fl_status add_sites(region *r, const fl_node *node, int32_t *n_seen, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t sides[2];
    if (!is_ordered(node, r->has_outer)) {
        *ret = (*n_seen)++;
        return FL_OK;
    }
    int32_t kind = fl_join_of(node)->kind;
    FL_TRY(add_sites(r, node->inputs[0], n_seen, &sides[0], err));
    FL_TRY(add_sites(r, node->inputs[1], n_seen, &sides[1], err));
    bool swaps = kind == FL_JOIN_RIGHT;
    FL_TRY(fl_join_graph_add_site(&r->graph, kind_of(kind), sides[swaps], sides[!swaps], ret, err));
    r->joins[r->n_sites++] = node;
cleanup:
    return st;
}

static fl_status make_graph(region *r, const fl_node *top, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_seen = 0, whole;
    fl_index_map seen;
    fl_index_map_init(&seen, r->ordering->scratch);
    FL_TRY(fl_join_graph_init(&r->graph, r->ordering->scratch, r->n_relations, err));
    FL_TRY(describe_relations(r, ret, err));
    if (!*ret)
        return FL_OK;
    FL_TRY(add_sites(r, top, &n_seen, &whole, err));
    FL_ASSERT(n_seen == r->n_relations && r->n_sites == r->n_relations - 1);
    for (int32_t s = 0; s < r->n_sites; s++) {
        const fl_join_attrs *join = fl_join_of(r->joins[s]);
        if (join->kind != FL_JOIN_INNER)
            FL_TRY(add_outer(r, r->n_relations + s, join, err));
        for (int32_t i = 0; i < join->n_conjuncts && join->kind == FL_JOIN_INNER; i++) {
            r->conjuncts[r->n_conjuncts] = join->conjuncts[i];
            FL_TRY(add_inner(r, r->n_relations + s, join->conjuncts[i], &seen, err));
            r->n_conjuncts++;
        }
    }
    FL_TRY(find_grids(r, err));
    FL_TRY(find_same_rows(r, err));
    st = fl_join_graph_finish(&r->graph, err);
cleanup:
    return st;
}

/* ---- the plan of an order ------------------------------------------------------------------------------------------------ */

/* The conjuncts of one join. */
typedef struct condition {
    const fl_node *left, *right; /* what is joined */
    const fl_expr **exprs;
    int32_t *numbers; /* as the text has them */
    int32_t n;
    bool is_whole; /* the sides put out all columns that it takes */
} condition;

static bool puts_out(const fl_node *side, fl_col_id col)
{
    return fl_col_set_has(&side->made, col);
}

static fl_status note_missing(const region *r, condition *c, const fl_expr *expr, fl_err *err)
{
    fl_col_set used;
    fl_col_set_init(&used);
    fl_status st = fl_expr_add_cols(r->ordering->scratch, expr, &used, err);
    fl_col_set_remove_all(&used, &c->left->made);
    fl_col_set_remove_all(&used, &c->right->made);
    c->is_whole &= fl_col_set_is_empty(&used);
    return st;
}

static void put_conjunct(condition *c, const fl_expr *expr, int32_t number)
{
    int32_t at = c->n++;
    for (; at > 0 && c->numbers[at - 1] > number; at--) {
        c->numbers[at] = c->numbers[at - 1];
        c->exprs[at] = c->exprs[at - 1];
    }
    c->numbers[at] = number;
    c->exprs[at] = expr;
}

static bool may_apply(const region *r, int32_t site, const uint64_t *set)
{
    const fl_join_site *s = &r->graph.sites[site];
    return fl_conflict_rules_hold(s->rules, s->n_rules, set, r->graph.n_words);
}

/* One equality of the class between the sides: one that the query has, else one that follows from those below. */
static fl_status put_equality(const region *r, const fl_equality_class *class, const fl_join_tree *tree, condition *c,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const uint64_t *left = tree->left->set, *right = tree->right->set;
    for (int32_t i = r->first_equality[class - r->graph.classes]; i >= 0; i = r->equalities[i].next) {
        const written *w = &r->equalities[i];
        bool crosses = fl_relation_set_has(left, w->a)
                           ? fl_relation_set_has(right, w->b)
                           : fl_relation_set_has(left, w->b) && fl_relation_set_has(right, w->a);
        const fl_col_id *cols[2] = {&w->expr->args[0]->col, &w->expr->args[1]->col};
        crosses &= puts_out(c->left, *cols[0]) ? puts_out(c->right, *cols[1])
                                               : puts_out(c->left, *cols[1]) && puts_out(c->right, *cols[0]);
        if (crosses && may_apply(r, w->site, tree->set)) {
            put_conjunct(c, w->expr, w->number);
            return FL_OK;
        }
    }
    for (int32_t i = 0; i < class->n; i++)
        for (int32_t k = 0; k < class->n && fl_relation_set_has(left, class->members[i].relation); k++) {
            const fl_class_member *a = &class->members[i], *b = &class->members[k];
            const fl_expr *sides[2], *e = NULL;
            if (!fl_relation_set_has(right, b->relation) || !puts_out(c->left, a->col) || !puts_out(c->right, b->col) ||
                !may_apply(r, fl_join_graph_meeting(&r->graph, a->relation, b->relation), tree->set))
                continue;
            FL_TRY(fl_expr_column(r->ordering->plan, a->col, -1, &sides[0], err));
            FL_TRY(fl_expr_column(r->ordering->plan, b->col, -1, &sides[1], err));
            FL_TRY(fl_expr_call(r->ordering->plan, FL_STR("="), sides, 2, -1, &e, err));
            put_conjunct(c, e, r->n_conjuncts);
            return FL_OK;
        }
    c->is_whole = false;
cleanup:
    return st;
}

static fl_status put_conjuncts(const region *r, const fl_join_tree *tree, condition *c, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_graph *graph = &r->graph;
    int32_t n_words = graph->n_words;
    FL_TRY(FL_NEW_ARRAY(r->ordering->scratch, r->n_conjuncts + graph->n_classes, &c->exprs, err));
    FL_TRY(FL_NEW_ARRAY(r->ordering->scratch, r->n_conjuncts + graph->n_classes, &c->numbers, err));
    for (int32_t i = 0; i < graph->n_operators; i++) {
        const fl_join_operator *op = &graph->operators[i];
        if (op->conjunct >= 0 && fl_relation_set_has_all(tree->set, op->set, n_words) &&
            !fl_relation_set_has_all(tree->left->set, op->set, n_words) &&
            !fl_relation_set_has_all(tree->right->set, op->set, n_words)) {
            put_conjunct(c, r->conjuncts[op->conjunct], op->conjunct);
            FL_TRY(note_missing(r, c, r->conjuncts[op->conjunct], err));
        }
    }
    for (int32_t i = 0; i < graph->n_classes; i++) {
        const fl_equality_class *class = &graph->classes[i];
        if (class->n > 1 && fl_relation_set_meets(class->set, tree->left->set, n_words) &&
            fl_relation_set_meets(class->set, tree->right->set, n_words))
            FL_TRY(put_equality(r, class, tree, c, err));
    }
cleanup:
    return st;
}

/* The join of a tree over plans of its sides; *ret NULL: these do not put out all that it takes. */
static fl_status join_sides(const region *r, const fl_join_tree *tree, const fl_node *left, const fl_node *right,
                            const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    condition c = {.left = left, .right = right, .is_whole = true};
    fl_plan *plan = r->ordering->plan;
    *ret = NULL;
    if (tree->site < 0) {
        FL_TRY(put_conjuncts(r, tree, &c, err));
        if (c.is_whole)
            st = fl_join_build_all(plan, FL_JOIN_INNER, left, right, c.exprs, c.n, (fl_col_id){0}, ret, err);
        return st;
    }
    const fl_join_attrs *join = fl_join_of(r->joins[tree->site]);
    fl_join_kind kind = join->kind == FL_JOIN_RIGHT ? FL_JOIN_LEFT : (fl_join_kind)join->kind;
    for (int32_t i = 0; i < join->n_conjuncts; i++)
        FL_TRY(note_missing(r, &c, join->conjuncts[i], err));
    if (c.is_whole)
        st = fl_join_build_all(plan, kind, left, right, join->conjuncts, join->n_conjuncts, (fl_col_id){0}, ret, err);
cleanup:
    return st;
}

static fl_status to_plan(const region *r, const fl_join_tree *tree, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *left = NULL, *right = NULL;
    if (tree->relation >= 0) {
        *ret = r->relations[tree->relation];
        return FL_OK;
    }
    FL_TRY(to_plan(r, tree->left, &left, err));
    FL_TRY(to_plan(r, tree->right, &right, err));
    FL_TRY(join_sides(r, tree, left, right, ret, err));
    FL_ASSERT(*ret != NULL); /* nothing was taken away from the relations, and the sides may meet */
cleanup:
    return st;
}

/* The region in the query's order, over what became of its relations. */
static fl_status keep_order(const region *r, const fl_node *node, int32_t *n_seen, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *inputs[2];
    if (!is_ordered(node, r->has_outer)) {
        *ret = r->relations[(*n_seen)++];
        return FL_OK;
    }
    FL_TRY(keep_order(r, node->inputs[0], n_seen, &inputs[0], err));
    FL_TRY(keep_order(r, node->inputs[1], n_seen, &inputs[1], err));
    st = fl_node_with_inputs(r->ordering->plan, node, inputs, ret, err);
cleanup:
    return st;
}

/* Lists the equalities of each class, in the order of the text. */
static fl_status list_equalities(region *r, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(r->ordering->scratch, r->graph.n_classes, &r->first_equality, err));
    for (int32_t i = 0; i < r->graph.n_classes; i++)
        r->first_equality[i] = -1;
    for (int32_t i = r->n_equalities - 1; i >= 0; i--) {
        const fl_equality_class *class = fl_join_graph_class(&r->graph, r->equalities[i].expr->args[0]->col);
        if (class == NULL)
            continue;
        int32_t *first = &r->first_equality[class - r->graph.classes];
        r->equalities[i].next = *first;
        *first = i;
    }
cleanup:
    return st;
}

/* Makes the graph of a region whose size is known; *ret false: it stays as it is. */
static fl_status prepare(region *r, const fl_node *node, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *scratch = r->ordering->scratch;
    int32_t n_relations = r->n_relations, n_conjuncts = r->n_conjuncts;
    FL_TRY(FL_NEW_ARRAY(scratch, n_relations, &r->relations, err));
    FL_TRY(FL_NEW_ARRAY(scratch, n_relations, &r->joins, err));
    FL_TRY(FL_NEW_ARRAY(scratch, n_conjuncts, &r->conjuncts, err));
    FL_TRY(FL_NEW_ARRAY(scratch, n_conjuncts, &r->equalities, err));
    r->n_relations = r->n_sites = r->n_conjuncts = 0;
    FL_TRY(find_relations(r, node, err));
    FL_ASSERT(r->n_relations == n_relations);
    FL_TRY(make_graph(r, node, ret, err));
    for (int32_t i = 0; i < n_relations; i++)
        for (int32_t c = 0; c < r->relations[i]->n_cols; c++)
            r->ordering->owners[r->relations[i]->cols[c].n] = 0;
    if (*ret)
        st = list_equalities(r, err);
cleanup:
    return st;
}

static fl_status order_region(region *r, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_tree *tree = NULL;
    const fl_node *joined = NULL;
    int32_t n_seen = 0;
    bool can_order = false;
    FL_TRY(prepare(r, node, &can_order, err));
    if (can_order)
        FL_TRY(fl_join_order(&r->graph, &tree, err));
    if (tree == NULL)
        return keep_order(r, node, &n_seen, ret, err);
    FL_TRY(to_plan(r, tree, &joined, err));
    st = fl_node_with_cols(r->ordering->plan, joined, node->cols, node->n_cols, ret, err);
cleanup:
    return st;
}

/* Orders every region below and including the node. */
static fl_status order(ordering *o, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node **inputs = NULL;
    region *r = NULL;
    *ret = o->done[node->id];
    if (*ret != NULL)
        return FL_OK;
    FL_TRY(FL_NEW(o->scratch, &r, err));
    r->ordering = o;
    if (measure(r, node)) {
        FL_TRY(order_region(r, node, ret, err));
    } else {
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(o->plan), node->n_inputs, &inputs, err));
        for (int32_t i = 0; i < node->n_inputs; i++)
            FL_TRY(order(o, node->inputs[i], &inputs[i], err));
        FL_TRY(fl_node_with_inputs(o->plan, node, inputs, ret, err));
    }
    o->done[node->id] = *ret;
cleanup:
    return st;
}

static fl_status add_read(void *ctx, const fl_node *node, fl_err *err)
{
    ordering *o = ctx;
    return fl_node_add_used_cols(o->scratch, node, &o->read, err);
}

static fl_status begin(ordering *o, const fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    *o = (ordering){.plan = call->plan, .scratch = call->scratch};
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_plan_nodes(call->plan) + 1, &o->done, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_plan_cols(call->plan) + 1, &o->owners, err));
    FL_TRY(fl_col_set_add_all(call->scratch, &o->read, call->wanted, err));
    st = fl_node_visit(call->root, add_read, o, err);
cleanup:
    return st;
}

fl_status fl_join_regions_order(fl_rule_call *call, const fl_node **ret, fl_err *err)
{
    ordering o;
    fl_status st = begin(&o, call, err);
    return st == FL_OK ? order(&o, call->root, ret, err) : st;
}

/* ---- other orders -------------------------------------------------------------------------------------------------------- */

/* Plans of sets of a region's relations: those of the plan at hand, and those that are made. */
typedef struct exploring {
    fl_rule_call *call;
    region *region;
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
    const region *r = e->region;
    fl_arena *scratch = r->ordering->scratch;
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
        for (int32_t i = 0; i < fl_join_of(r->joins[s])->n_conjuncts && !is_inner(r->joins[s]); i++)
            FL_TRY(fl_expr_add_cols(scratch, fl_join_of(r->joins[s])->conjuncts[i], &read, err));
    for (int32_t c = 0; c < r->graph.n_classes; c++) {
        const fl_equality_class *class = &r->graph.classes[c];
        bool is_kept = class->n < 2 || (*class->set & ~set) == 0;
        for (int32_t i = 0; i < class->n; i++)
            is_kept |= fl_col_set_has(&read, class->members[i].col) && puts_out(plan, class->members[i].col);
        for (int32_t i = 0; i < class->n && !is_kept; i++) {
            is_kept = puts_out(plan, class->members[i].col);
            FL_TRY(fl_col_set_add(scratch, &read, class->members[i].col, err));
        }
    }
    FL_TRY(FL_NEW_ARRAY(scratch, plan->n_cols + 1, &cols, err));
    for (int32_t i = 0; i < plan->n_cols; i++)
        if (fl_col_set_has(&read, plan->cols[i]))
            cols[n++] = plan->cols[i];
    st = fl_node_with_cols(r->ordering->plan, plan, cols, n, ret, err);
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
        FL_TRY(join_sides(e->region, tree, left, right, ret, err));
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
static fl_status has_orders(const region *r, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = false;
    for (int32_t c = 0; c < r->graph.n_classes && !*ret; c++) {
        int32_t n = 0;
        for (int32_t i = 0; i < r->graph.classes[c].n; i++) {
            const fl_class_member *m = &r->graph.classes[c].members[i];
            bool is_one = false;
            FL_TRY(fl_ordering_may_have(r->ordering->plan, r->relations[m->relation], m->col, &is_one, err));
            n += is_one;
        }
        *ret = n > 1;
    }
cleanup:
    return st;
}

static fl_status explore_region(region *r, const fl_node *top, fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    exploring e = {.call = call, .region = r, .top = top};
    fl_join_splits_wanted wanted = {.n_max = call->is_numbered ? SPLITS_MAX_BY_NUMBER : SPLITS_MAX, .near = NEAR};
    bool can_order = false, is_ordered_too = false;
    FL_TRY(prepare(r, top, &can_order, err));
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
    fl_index_map_init(&e.places, r->ordering->scratch);
    FL_TRY(FL_NEW_ARRAY(r->ordering->scratch, r->n_relations * 2 + e.n_splits, &e.plans, err));
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
static double cost_as_it_is(const region *r, const fl_node *node)
{
    if (!is_ordered(node, r->has_outer))
        return 0;
    const fl_node *left = node->inputs[0], *right = node->inputs[1];
    return fl_join_cost((fl_join_side){left->rows, 0}, (fl_join_side){right->rows, 0}, node->rows, false) +
           cost_as_it_is(r, left) + cost_as_it_is(r, right);
}

typedef struct walking {
    ordering ordering;
    fl_rule_call *call;
} walking;

/* Every region below and including the node, which is none's inner join. */
static fl_status explore(walking *w, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    region *r = NULL;
    if (w->ordering.done[node->id] != NULL)
        return FL_OK;
    w->ordering.done[node->id] = node;
    FL_TRY(FL_NEW(w->ordering.scratch, &r, err));
    r->ordering = &w->ordering;
    bool is_region = measure(r, node) && r->n_relations > 2;
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

fl_status fl_join_regions_explore(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    walking w = {.call = call};
    FL_TRY(begin(&w.ordering, call, err));
    w.ordering.keeps_relations = true;
    st = explore(&w, call->root, err);
cleanup:
    return st;
}
