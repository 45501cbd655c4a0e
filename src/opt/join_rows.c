/* Rows of sets of relations.
 *
 * A class of n relations' columns counts as n - 1 equalities, each of which keeps one pair in so many as the side with more
 * distinct values has of them: so all distinct values but the least count; where more is known of the values, how often each of them
 * occurs counts (plan/value_grid.h). Several equalities between two relations are
 * those of a composite key: together they have no more distinct values than the smaller relation has rows, and where they
 * cover a key of one, no fewer than that has. */
#include "opt/join_rows.h"

#include <math.h>

#define SEMI_SHARE 0.8 /* of the left rows that find a partner by the numbers */
#define ANTI_SHARE 0.3
#define LOG_ROWS_MAX 1000.0

double fl_join_rows(double log_rows)
{
    return exp2(fmax(-LOG_ROWS_MAX, fmin(LOG_ROWS_MAX, log_rows)));
}

/* By how often each value occurs in each of the members. */
static double grid_share(const fl_equality_class *class, const uint64_t *set)
{
    int32_t list[FL_CLASS_GRID_MAX], n = 0, members = 0;
    for (int32_t i = 0; i < class->n; i++)
        if (fl_relation_set_has(set, class->members[i].relation)) {
            list[n++] = class->places[i];
            members |= 1 << i;
        }
    if (n < 2)
        return 0;
    if (isnan(class->log_shares[members]))
        class->log_shares[members] = log2(fmax(fl_value_grid_share(class->grid, list, n), 1e-300));
    return class->log_shares[members];
}

double fl_equality_class_log_share(const fl_equality_class *class, const uint64_t *set)
{
    double sum = 0, least = 0;
    if (class->log_shares != NULL)
        return grid_share(class, set);
    for (int32_t i = 0; i < class->n; i++)
        if (fl_relation_set_has(set, class->members[i].relation)) {
            sum += least;
            least = class->members[i].log_distinct;
        }
    return -sum;
}

/* Of correlated relations that form a ring the last pair follows from the others, so it counts no more. */
static double correlation_share(const fl_join_graph *graph, const uint64_t *set)
{
    double sum = 0;
    int16_t above[FL_JOIN_RELATIONS_MAX];
    if (graph->n_correlations > 0)
        for (FL_EACH_RELATION(i, set, graph->n_words))
            above[i] = (int16_t)i;
    for (int32_t i = 0; i < graph->n_correlations; i++) {
        const fl_correlation *c = &graph->correlations[i];
        int32_t a = c->a, b = c->b;
        if (!fl_relation_set_has(set, a) || !fl_relation_set_has(set, b))
            continue;
        while (above[a] != a)
            a = above[a];
        while (above[b] != b)
            b = above[b];
        if (a == b)
            continue;
        above[b] = (int16_t)a;
        sum += c->log_factor;
    }
    return sum;
}

double fl_join_graph_log_rows(const fl_join_graph *graph, const uint64_t *set)
{
    double sum = 0;
    int32_t n_words = graph->n_words;
    for (FL_EACH_RELATION(i, set, n_words))
        sum += graph->relations[i].log_rows;
    for (int32_t i = 0; i < graph->n_operators; i++)
        if (fl_relation_set_has_all(set, graph->operators[i].set, n_words))
            sum += graph->operators[i].share;
    for (int32_t i = 0; i < graph->n_classes; i++)
        if (graph->classes[i].n > 0)
            sum += fl_equality_class_log_share(&graph->classes[i], set);
    return sum + correlation_share(graph, set);
}

static double log_add(double a, double b)
{
    return fmax(a, b) + log2(1 + exp2(-fabs(a - b)));
}

/* What a join that is no inner one makes of the product of its sides' rows. */
static double outer_share(const fl_join_graph *graph, const fl_join_operator *op)
{
    double pairs = graph->sites[op->site].share;
    double left = fl_join_graph_log_rows(graph, op->left), right = fl_join_graph_log_rows(graph, op->right);
    switch (op->kind) {
    case FL_REORDER_LEFT: /* each left row at least once */
        return fmax(pairs, -right);
    case FL_REORDER_FULL:
        return fmax(pairs, log_add(-left, -right));
    case FL_REORDER_SEMI:
        return fmin(0, right + pairs) + log2(SEMI_SHARE) - right;
    case FL_REORDER_ANTI: /* a pair takes one row away at the most */
        return log2(fmax(ANTI_SHARE, 1 - exp2(right + pairs))) - right;
    default:
        return op->share;
    }
}

/* What links a relation to each of those behind it. */
typedef struct link {
    int32_t n;
    double log_product; /* of the equalities' distinct values, as if they were independent */
    fl_col_set cols[2];
} link;

static bool has_key(const fl_join_relation *relation, const fl_col_set *cols)
{
    for (int32_t i = 0; i < relation->n_keys; i++)
        if (fl_col_set_has_all(cols, &relation->keys[i]))
            return true;
    return false;
}

static fl_status add_links(const fl_join_graph *graph, int32_t a, link *links, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t c = 0; c < graph->n_classes; c++) {
        const fl_equality_class *class = &graph->classes[c];
        const fl_class_member *own = NULL;
        if (class->n < 2 || !fl_relation_set_has(class->set, a))
            continue;
        for (int32_t m = 0; m < class->n; m++)
            if (class->members[m].relation == a)
                own = &class->members[m];
        FL_ASSERT(own != NULL);
        for (int32_t m = 0; m < class->n; m++) {
            const fl_class_member *other = &class->members[m];
            link *l = &links[other->relation];
            if (other->relation <= a)
                continue;
            l->n++;
            l->log_product += fmax(own->log_distinct, other->log_distinct);
            FL_TRY(fl_col_set_add(graph->arena, &l->cols[0], own->col, err));
            FL_TRY(fl_col_set_add(graph->arena, &l->cols[1], other->col, err));
        }
    }
cleanup:
    return st;
}

fl_status fl_join_graph_add_correlation(fl_join_graph *graph, int32_t a, int32_t b, double log_factor, fl_err *err)
{
    if (graph->n_correlations == graph->correlations_capacity) {
        fl_correlation *grown = NULL;
        int64_t capacity = graph->n_correlations == 0 ? 8 : graph->n_correlations * 2;
        fl_status st = FL_NEW_ARRAY(graph->arena, capacity, &grown, err);
        if (st != FL_OK)
            return st;
        if (graph->n_correlations > 0)
            memcpy(grown, graph->correlations, (size_t)graph->n_correlations * sizeof(*grown));
        graph->correlations = grown;
        graph->correlations_capacity = capacity;
    }
    graph->correlations[graph->n_correlations++] = (fl_correlation){a, b, log_factor};
    return FL_OK;
}

static fl_status add_correlation(fl_join_graph *graph, int32_t a, int32_t b, const link *l, fl_err *err)
{
    const fl_join_relation *x = &graph->relations[a], *y = &graph->relations[b];
    double distinct = fmin(l->log_product, fmin(x->log_base_rows, y->log_base_rows));
    if (has_key(x, &l->cols[0]))
        distinct = fmax(distinct, x->log_base_rows);
    if (has_key(y, &l->cols[1]))
        distinct = fmax(distinct, y->log_base_rows);
    return distinct == l->log_product ? FL_OK
                                      : fl_join_graph_add_correlation(graph, a, b, l->log_product - distinct, err);
}

/* A relation that has one equality only is correlated with none. */
static fl_status find_correlations(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *equalities = NULL;
    link *links = NULL;
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_relations, &equalities, err));
    for (int32_t c = 0; c < graph->n_classes; c++)
        for (int32_t m = 0; m < graph->classes[c].n; m++)
            equalities[graph->classes[c].members[m].relation]++;
    for (int32_t i = 0; i < graph->n_operators; i++)
        for (FL_EACH_RELATION(r, graph->operators[i].set, graph->n_words))
            equalities[r] += graph->operators[i].is_equality;
    for (int32_t a = 0; a < graph->n_relations; a++) {
        if (equalities[a] < 2)
            continue;
        if (links == NULL)
            FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_relations, &links, err));
        memset(links, 0, (size_t)graph->n_relations * sizeof(*links));
        FL_TRY(add_links(graph, a, links, err));
        for (int32_t i = 0; i < graph->n_operators; i++) {
            const fl_join_operator *op = &graph->operators[i];
            int32_t b = op->is_equality && fl_relation_set_next(op->set, 0, graph->n_words) == a
                            ? fl_relation_set_next(op->set, a + 1, graph->n_words)
                            : -1;
            if (b >= 0) {
                links[b].n++;
                links[b].log_product -= op->share;
            }
        }
        for (int32_t b = a + 1; b < graph->n_relations; b++)
            if (links[b].n > 1)
                FL_TRY(add_correlation(graph, a, b, &links[b], err));
    }
cleanup:
    return st;
}

fl_status fl_join_graph_find_shares(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(find_correlations(graph, err));
    for (int32_t i = 0; i < graph->n_operators; i++) /* from the leaves up: a side's joins come first */
        graph->operators[i].share = outer_share(graph, &graph->operators[i]);
cleanup:
    return st;
}
