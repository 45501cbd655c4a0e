/* IKKBZ, and dynamic programming over stretches of its line. */
#include "opt/linearized.h"

#include "base/interrupt.h"
#include "opt/join_rows.h"

#include <math.h>

/* ---- the line ------------------------------------------------------------------------------------------------------------ */

/* Relations that stay together. A module's factor is what it does to the rows of what stands before it, its cost the rows
 * that it puts out for each of those. */
typedef struct module {
    double factor, cost;
    int32_t last; /* its last relation; its first one names it */
    int32_t next; /* module of the chain; -1 */
} module;

typedef struct linearizing {
    const fl_join_graph *graph;
    double *shares;   /* of pairs: what their operators keep; a logarithm */
    bool *has_edge;   /* of pairs */
    int32_t *tree_to; /* by relation: where its edges of the spanning tree begin; by n + 1 */
    int32_t *tree;    /* the other ends */
    module *modules;  /* by first relation */
    int32_t *behind;  /* by relation: the next one in its module; -1 */
} linearizing;

static void note_pair(linearizing *l, int32_t a, int32_t b, double share)
{
    int64_t n = l->graph->n_relations;
    l->has_edge[a * n + b] = l->has_edge[b * n + a] = true;
    l->shares[a * n + b] += share;
    l->shares[b * n + a] += share;
}

static void note_pairs(linearizing *l)
{
    const fl_join_graph *graph = l->graph;
    for (int32_t i = 0; i < graph->n_operators; i++) {
        const fl_join_operator *op = &graph->operators[i];
        int32_t a = fl_relation_set_next(op->set, 0, graph->n_words);
        int32_t b = fl_relation_set_next(op->set, a + 1, graph->n_words);
        if (fl_relation_set_count(op->set, graph->n_words) == 2)
            note_pair(l, a, b, op->share);
    }
    for (int32_t i = 0; i < graph->n_classes; i++) {
        const fl_equality_class *class = &graph->classes[i];
        for (int32_t a = 0; a < class->n; a++)
            for (int32_t b = a + 1; b < class->n; b++)
                note_pair(l, class->members[a].relation, class->members[b].relation, -class->members[a].log_distinct);
    }
    for (int32_t i = 0; i < graph->n_correlations; i++)
        note_pair(l, graph->correlations[i].a, graph->correlations[i].b, graph->correlations[i].log_factor);
}

/* Prim's spanning tree of the pairs that keep least; *ret false: it does not reach all. */
static fl_status span(linearizing *l, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = l->graph->n_relations, *parent = NULL, *places = NULL;
    bool *is_in = NULL;
    FL_TRY(FL_NEW_ARRAY(l->graph->arena, n, &parent, err));
    FL_TRY(FL_NEW_ARRAY(l->graph->arena, n, &is_in, err));
    FL_TRY(FL_NEW_ARRAY(l->graph->arena, n + 1, &places, err));
    *ret = true;
    for (int32_t i = 0; i < n; i++)
        parent[i] = -1;
    for (int32_t added = 0; added < n; added++) {
        int32_t best = added == 0 ? 0 : -1;
        for (int32_t i = 0; i < n && added > 0; i++)
            if (!is_in[i] && parent[i] >= 0 &&
                (best < 0 || l->shares[(int64_t)i * n + parent[i]] < l->shares[(int64_t)best * n + parent[best]]))
                best = i;
        if (best < 0) {
            *ret = false;
            return FL_OK;
        }
        is_in[best] = true;
        for (int32_t i = 0; i < n; i++)
            if (!is_in[i] && l->has_edge[(int64_t)best * n + i] &&
                (parent[i] < 0 || l->shares[(int64_t)best * n + i] < l->shares[(int64_t)parent[i] * n + i]))
                parent[i] = best;
    }
    FL_TRY(FL_NEW_ARRAY(l->graph->arena, n + 1, &l->tree_to, err));
    FL_TRY(FL_NEW_ARRAY(l->graph->arena, 2 * n, &l->tree, err));
    for (int32_t i = 1; i < n; i++) {
        l->tree_to[i + 1]++;
        l->tree_to[parent[i] + 1]++;
    }
    for (int32_t i = 0; i < n; i++) {
        l->tree_to[i + 1] += l->tree_to[i];
        places[i + 1] = l->tree_to[i + 1];
    }
    for (int32_t i = 1; i < n; i++) {
        l->tree[places[i]++] = parent[i];
        l->tree[places[parent[i]]++] = i;
    }
cleanup:
    return st;
}

static double rank(const module *m)
{
    return (m->factor - 1) / m->cost;
}

/* Two chains in the order of ranks. */
static int32_t merge(linearizing *l, int32_t a, int32_t b)
{
    int32_t first = -1, *end = &first;
    while (a >= 0 && b >= 0) {
        int32_t *from = rank(&l->modules[a]) <= rank(&l->modules[b]) ? &a : &b;
        *end = *from;
        end = &l->modules[*from].next;
        *from = *end;
    }
    *end = a >= 0 ? a : b;
    return first;
}

/* The chain of what hangs below a relation, it first: what comes behind it but should come before it stays with it. */
static int32_t make_chain(linearizing *l, int32_t at, int32_t parent)
{
    int32_t chain = -1, n = l->graph->n_relations;
    for (int32_t i = l->tree_to[at]; i < l->tree_to[at + 1]; i++)
        if (l->tree[i] != parent)
            chain = merge(l, chain, make_chain(l, l->tree[i], at));
    double log_factor = l->graph->relations[at].log_rows + (parent < 0 ? 0 : l->shares[(int64_t)at * n + parent]);
    module *m = &l->modules[at];
    *m = (module){.factor = fl_join_rows(log_factor), .last = at, .next = chain};
    m->cost = m->factor;
    l->behind[at] = -1;
    while (parent >= 0 && m->next >= 0 && rank(m) > rank(&l->modules[m->next])) {
        const module *other = &l->modules[m->next];
        l->behind[m->last] = m->next;
        m->cost = fmin(m->cost + m->factor * other->cost, 1e300);
        m->factor = fmin(m->factor * other->factor, 1e300);
        m->last = other->last;
        m->next = other->next;
    }
    return at;
}

static double chain_cost(const linearizing *l, int32_t chain)
{
    double cost = 0, rows = 1;
    for (int32_t m = chain; m >= 0; m = l->modules[m].next) {
        cost = fmin(cost + rows * l->modules[m].cost, 1e300);
        rows = fmin(rows * l->modules[m].factor, 1e300);
    }
    return cost;
}

fl_status fl_ikkbz(const fl_join_graph *graph, int32_t *ret, bool *ret_found, fl_err *err)
{
    fl_status st = FL_OK;
    linearizing l = {.graph = graph};
    int64_t n = graph->n_relations;
    double least = INFINITY;
    FL_TRY(FL_NEW_ARRAY(graph->arena, n * n, &l.shares, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n * n, &l.has_edge, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n, &l.modules, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n, &l.behind, err));
    note_pairs(&l);
    FL_TRY(span(&l, ret_found, err));
    for (int32_t root = 0; root < n && *ret_found; root++) {
        int32_t chain = make_chain(&l, root, -1), at = 0;
        double cost = chain_cost(&l, chain);
        if (!(cost < least) && root > 0)
            continue;
        least = cost;
        for (int32_t m = chain; m >= 0; m = l.modules[m].next)
            for (int32_t i = m; i >= 0; i = l.behind[i])
                ret[at++] = i;
        FL_ASSERT(at == n);
    }
cleanup:
    return st;
}

/* ---- the trees over it --------------------------------------------------------------------------------------------------- */

typedef struct stretch {
    double rows, cost;
    int32_t width;
    int32_t split; /* where its right part begins; -1: it cannot be joined */
} stretch;

typedef struct programming {
    const fl_join_graph *graph;
    const int32_t *line;
    stretch *best;       /* of stretches [first, last] */
    uint64_t *sets;      /* their relations */
    uint64_t *neighbors; /* and what simple edges connect those with */
    fl_work work;
} programming;

static int64_t place(int32_t first, int32_t last)
{
    return (int64_t)last * (last + 1) / 2 + first;
}

static fl_status find_split(programming *p, int32_t first, int32_t last, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_graph *graph = p->graph;
    int32_t n_words = graph->n_words;
    stretch *both = &p->best[place(first, last)];
    *both = (stretch){.cost = INFINITY, .split = -1, .rows = -1};
    FL_TRY(fl_work_add(&p->work, 16 * (last - first), err));
    for (int32_t split = first + 1; split <= last; split++) {
        int64_t at_a = place(first, split - 1), at_b = place(split, last);
        const stretch *a = &p->best[at_a], *b = &p->best[at_b];
        const uint64_t *set_a = p->sets + at_a * n_words, *set_b = p->sets + at_b * n_words;
        fl_join_meeting meeting = {.site = -1};
        if (a->split < 0 || b->split < 0 ||
            !fl_join_graph_connects(graph, set_a, p->neighbors + at_a * n_words, set_b, n_words))
            continue;
        if (!graph->is_inner) {
            meeting = fl_join_graph_meet(graph, set_a, set_b, n_words);
            if (!meeting.is_legal)
                continue;
        }
        if (both->rows < 0) {
            const uint64_t *set = p->sets + place(first, last) * n_words;
            both->rows = fl_join_rows(fl_join_graph_log_rows(graph, set));
            both->width = fl_join_graph_width(graph, set);
        }
        double cost = a->cost + b->cost +
                      fl_join_tree_cost(graph, (fl_join_side){a->rows, a->width}, (fl_join_side){b->rows, b->width},
                                        both->rows, meeting.site);
        if (cost < both->cost) {
            both->cost = cost;
            both->split = split;
        }
    }
cleanup:
    return st;
}

static fl_status to_tree(const programming *p, int32_t first, int32_t last, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_tree *a = NULL, *b = NULL;
    int32_t split = p->best[place(first, last)].split;
    if (first == last)
        return fl_join_tree_leaf(p->graph, p->line[first], ret, err);
    FL_TRY(to_tree(p, first, split - 1, &a, err));
    FL_TRY(to_tree(p, split, last, &b, err));
    st = fl_join_tree_join(p->graph, a, b, ret, err);
cleanup:
    return st;
}

fl_status fl_linearized(const fl_join_graph *graph, const int32_t *line, int32_t n, const fl_join_tree **ret,
                        fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n_words = graph->n_words, n_stretches = place(0, n);
    programming p = {.graph = graph, .line = line, .work = fl_work_of(graph->arena->memory)};
    FL_ASSERT(n > 0 && n <= FL_LINEARIZED_MAX);
    FL_TRY(FL_NEW_ARRAY(graph->arena, n_stretches, &p.best, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n_stretches * n_words, &p.sets, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n_stretches * n_words, &p.neighbors, err));
    for (int32_t last = 0; last < n; last++) {
        uint64_t *set = p.sets + place(last, last) * n_words;
        fl_relation_set_add(set, line[last]);
        memcpy(p.neighbors + place(last, last) * n_words, fl_join_graph_neighbors(graph, line[last]),
               (size_t)n_words * sizeof(*set));
        p.best[place(last, last)] = (stretch){.rows = fl_join_rows(fl_join_graph_log_rows(graph, set)),
                                              .width = graph->relations[line[last]].width,
                                              .split = last};
        for (int32_t first = last - 1; first >= 0; first--) {
            int64_t at = place(first, last), shorter = place(first + 1, last), own = place(first, first);
            fl_relation_set_unite(p.sets + at * n_words, p.sets + shorter * n_words, p.sets + own * n_words,
                                  graph->n_words);
            fl_relation_set_unite(p.neighbors + at * n_words, p.neighbors + shorter * n_words,
                                  p.neighbors + own * n_words, graph->n_words);
            FL_TRY(find_split(&p, first, last, err));
        }
    }
    *ret = NULL;
    if (p.best[place(0, n - 1)].split >= 0)
        st = to_tree(&p, 0, n - 1, ret, err);
cleanup:
    return st;
}
