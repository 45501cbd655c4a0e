/* The graph of a region (opt/join_graph.h): relations, joins as sites, conjuncts as operators, equalities as classes. */
#include "rule/join_region.h"

#include "op/join/node.h"
#include "opt/join_rows.h"
#include "plan/estimate.h"
#include "plan/null.h"
#include "plan/rewrites.h"

#include <math.h>

#define OUTER_MAX \
    64 /* relations of a region that has others than inner joins: whether two sets may meet takes a look at each */
#define WIDTH_UNKNOWN 16 /* bytes of a value that has no fixed width */

bool fl_join_is_inner(const fl_node *node)
{
    return fl_join_of(node)->kind == FL_JOIN_INNER;
}

bool fl_join_is_ordered(const fl_node *node, bool has_outer)
{
    if (node->op != &fl_op_join || (!has_outer && !fl_join_is_inner(node)) || fl_join_of(node)->kind > FL_JOIN_ANTI)
        return false;
    for (int32_t i = 0; i < fl_join_of(node)->n_conjuncts; i++)
        if (!fl_expr_is_movable(fl_join_of(node)->conjuncts[i]))
            return false;
    return true;
}

/* Counts relations and conjuncts, up to more relations than there may be: long chains go down at the left. */
static void count(fl_join_region *r, const fl_node *node)
{
    for (; fl_join_is_ordered(node, r->has_outer) && r->n_relations <= FL_JOIN_RELATIONS_MAX; node = node->inputs[0]) {
        r->n_conjuncts += fl_join_of(node)->n_conjuncts;
        r->n_sites += !fl_join_is_inner(node);
        count(r, node->inputs[1]);
    }
    r->n_relations++;
}

bool fl_join_region_measure(fl_join_region *r, const fl_node *node)
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

static fl_status find_relations(fl_join_region *r, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    if (!fl_join_is_ordered(node, r->has_outer)) {
        r->relations[r->n_relations] = node;
        if (r->regions->of_relation != NULL)
            FL_TRY(r->regions->of_relation(r->regions, node, &r->relations[r->n_relations], err));
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
static double base_rows(const fl_join_region *r, const fl_node *relation)
{
    fl_col_stats stats;
    double rows = relation->rows;
    const fl_node *node = relation;
    while (node->n_inputs == 1 && fl_rows_are(node, FL_ROWS_ONCE | FL_ROWS_ALONE))
        node = node->inputs[0];
    for (int32_t i = 0; i < node->n_cols && node->n_inputs == 0; i++)
        if (fl_estimate_col_stats(r->regions->plan, node->cols[i], &stats, &rows))
            break;
    return fmax(fmax(rows, relation->rows), 1);
}

/* *ret false: two relations make the same column, so that its name does not say which is meant. */
static fl_status describe_relations(fl_join_region *r, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = true;
    for (int32_t i = 0; i < r->n_relations; i++) {
        const fl_node *node = r->relations[i];
        const fl_props *props = NULL;
        fl_join_relation *relation = &r->graph.relations[i];
        FL_TRY(fl_node_props(r->regions->plan, node, &props, err));
        relation->log_rows = log_of(fmax(node->rows, 1));
        relation->log_base_rows = log_of(base_rows(r, node));
        relation->is_one_row = props->rows_max <= 1;
        relation->keys = props->keys;
        relation->n_keys = props->n_keys;
        for (int32_t c = 0; c < node->n_cols; c++) {
            int32_t width = fl_type_width(fl_plan_col(r->regions->plan, node->cols[c])->type);
            *ret &= r->regions->owners[node->cols[c].n] == 0;
            r->regions->owners[node->cols[c].n] = i + 1;
            if (fl_col_set_has(&r->regions->read, node->cols[c]))
                relation->width += width > 0 ? width : WIDTH_UNKNOWN;
        }
    }
cleanup:
    return st;
}

static void add_owners(const fl_join_region *r, const fl_col_set *cols, uint64_t *ret)
{
    for (int32_t w = 0; w < cols->n_words; w++)
        for (uint64_t word = cols->words[w]; word != 0; word &= word - 1) {
            int32_t owner = r->regions->owners[(cols->first_word + w) * 64 + __builtin_ctzll(word)];
            if (owner > 0)
                fl_relation_set_add(ret, owner - 1);
        }
}

/* A column of an equality, with its distinct values: in a key there are as many as rows. */
static fl_status to_member(const fl_join_region *r, const fl_expr *col, fl_class_member *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = r->regions->plan;
    int32_t owner = r->regions->owners[col->col.n] - 1;
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
    FL_TRY(fl_col_set_add(r->regions->scratch, &self, col->col, err));
    FL_TRY(fl_props_has_key(plan, props, &self, &is_key, err));
    *ret = (fl_class_member){.relation = owner, .col = col->col, .log_distinct = log_of(fmax(distinct, 1))};
    if (is_key)
        ret->log_distinct = fmax(ret->log_distinct, r->graph.relations[owner].log_base_rows);
cleanup:
    return st;
}

/* Whether the conjunct went into a class of columns. */
static fl_status add_to_class(fl_join_region *r, int32_t site, const fl_expr *e, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_class_member a, b;
    *ret = false;
    if (e->kind != FL_EXPR_CALL || e->n_args != 2 || strcmp(e->func->name, "=") != 0 ||
        e->args[0]->kind != FL_EXPR_COLUMN || e->args[1]->kind != FL_EXPR_COLUMN ||
        !fl_type_is_equal(e->args[0]->type, e->args[1]->type) || r->regions->owners[e->args[0]->col.n] == 0 ||
        r->regions->owners[e->args[1]->col.n] == 0)
        return FL_OK;
    FL_TRY(to_member(r, e->args[0], &a, err));
    FL_TRY(to_member(r, e->args[1], &b, err));
    FL_TRY(fl_join_graph_add_equality(&r->graph, site, &a, &b, ret, err));
    if (*ret)
        r->equalities[r->n_equalities++] =
            (fl_written_equality){e, r->n_conjuncts, site - r->graph.n_relations, a.relation, b.relation, .next = -1};
cleanup:
    return st;
}

/* How often each value occurs, where that is known and matters. */
static fl_status find_grids(fl_join_region *r, fl_err *err)
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
        FL_TRY(FL_NEW_ARRAY(r->regions->scratch, class->n, &class->places, err));
        class->grid = fl_estimate_value_grid(r->regions->plan, cols, class->n, class->places);
        if (class->grid == NULL)
            continue;
        FL_TRY(FL_NEW_ARRAY(r->regions->scratch, 1 << class->n, &shares, err));
        for (int32_t i = 0; i < 1 << class->n; i++)
            shares[i] = NAN;
        class->log_shares = shares;
    }
cleanup:
    return st;
}

/* A table that is joined with itself by its key is the same rows twice; keys that a filter leaves may be those that the other side
 * has. */
static fl_status find_same_rows(fl_join_region *r, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t c = 0; c < r->graph.n_classes; c++) {
        const fl_equality_class *class = &r->graph.classes[c];
        for (int32_t i = 0; i < class->n && class->n <= FL_CLASS_GRID_MAX; i++)
            for (int32_t k = i + 1; k < class->n; k++) {
                const fl_class_member *a = &class->members[i], *b = &class->members[k];
                double factor = fl_estimate_same_rows(r->regions->plan, r->relations[a->relation], a->col,
                                                      r->relations[b->relation], b->col);
                factor *= fl_estimate_kept_in_range(r->regions->plan, r->relations[a->relation], a->col, b->col);
                factor *= fl_estimate_kept_in_range(r->regions->plan, r->relations[b->relation], b->col, a->col);
                if (factor != 1)
                    FL_TRY(fl_join_graph_add_correlation(&r->graph, a->relation, b->relation, log_of(factor), err));
            }
    }
cleanup:
    return st;
}

/* Conjuncts of an inner join are operators each; several about the same relations depend on each other, so the second and
 * later ones count by their square root, but for equalities, whose distinct values are bounded together. */
static fl_status add_inner(fl_join_region *r, int32_t site, const fl_expr *e, fl_index_map *seen, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *scratch = r->regions->scratch;
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
    double share = log_of(fl_estimate_condition(r->regions->plan, e));
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
static fl_status meets_key(const fl_join_region *r, const fl_join_attrs *join, int32_t right, bool *ret, fl_err *err)
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
            FL_TRY(fl_expr_add_cols(r->regions->scratch, other, &others, err));
            if (!fl_col_set_meets(&others, &relation->made))
                FL_TRY(fl_col_set_add(r->regions->scratch, &fixed, col->col, err));
        }
    FL_TRY(fl_node_props(r->regions->plan, relation, &props, err));
    st = fl_props_has_key(r->regions->plan, props, &fixed, ret, err);
cleanup:
    return st;
}

/* All conjuncts of another join are one operator. */
static fl_status add_outer(fl_join_region *r, int32_t site, const fl_join_attrs *join, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t right = r->graph.sites[site - r->n_relations].sides[1];
    bool is_key = false;
    fl_arena *scratch = r->regions->scratch;
    fl_col_set cols, rejected;
    uint64_t *used = NULL, *nulls = NULL;
    fl_col_set_init(&cols);
    fl_col_set_init(&rejected);
    FL_TRY(FL_NEW_ARRAY(scratch, r->graph.n_words, &used, err));
    FL_TRY(FL_NEW_ARRAY(scratch, r->graph.n_words, &nulls, err));
    for (int32_t i = 0; i < join->n_conjuncts; i++) {
        FL_TRY(fl_expr_add_cols(scratch, join->conjuncts[i], &cols, err));
        FL_TRY(fl_expr_add_null_rejected(scratch, join->conjuncts[i], NULL, 0, &rejected, err));
    }
    add_owners(r, &cols, used);
    add_owners(r, &rejected, nulls);
    double share = log_of(fl_estimate_conjuncts(r->regions->plan, join->conjuncts, join->n_conjuncts));
    for (int32_t i = 0; i < join->n_conjuncts; i++) /* what a side is asked already counts there */
        share += log_of(fl_estimate_condition(r->regions->plan, join->conjuncts[i])) -
                 log_of(fl_estimate_selectivity(r->regions->plan, join->conjuncts[i]));
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
static fl_status add_sites(fl_join_region *r, const fl_node *node, int32_t *n_seen, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t sides[2];
    if (!fl_join_is_ordered(node, r->has_outer)) {
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

static fl_status make_graph(fl_join_region *r, const fl_node *top, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_seen = 0, whole;
    fl_index_map seen;
    fl_index_map_init(&seen, r->regions->scratch);
    FL_TRY(fl_join_graph_init(&r->graph, r->regions->scratch, r->n_relations, err));
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

/* Lists the equalities of each class, in the order of the text. */
static fl_status list_equalities(fl_join_region *r, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(r->regions->scratch, r->graph.n_classes, &r->first_equality, err));
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

fl_status fl_join_region_prepare(fl_join_region *r, const fl_node *node, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *scratch = r->regions->scratch;
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
            r->regions->owners[r->relations[i]->cols[c].n] = 0;
    if (*ret)
        st = list_equalities(r, err);
cleanup:
    return st;
}

static fl_status add_read(void *ctx, const fl_node *node, fl_err *err)
{
    fl_join_regions *o = ctx;
    return fl_node_add_used_cols(o->scratch, node, &o->read, err);
}

fl_status fl_join_regions_init(fl_join_regions *o, const fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    *o = (fl_join_regions){.plan = call->plan, .scratch = call->scratch};
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_plan_nodes(call->plan) + 1, &o->done, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_plan_cols(call->plan) + 1, &o->owners, err));
    FL_TRY(fl_col_set_add_all(call->scratch, &o->read, call->wanted, err));
    st = fl_node_visit(call->root, add_read, o, err);
cleanup:
    return st;
}
