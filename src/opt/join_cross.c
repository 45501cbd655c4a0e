/* Products as operators that need not be taken up: what a query's inner joins allow, with their conflict rules. */
#include "opt/join_cross.h"

#define ONE_ROWS_MAX 10 /* relations of a region in which those of one row are crossed: each adds many orders */
#define PARTS_MAX 12    /* that are crossed in any order; of more each with the next */

/* Lets two sets be crossed, where only inner joins have them at different sides: it is none of theirs, but must not be moved
 * past what they must not. */
static fl_status add_cross(fl_join_graph *graph, const uint64_t *a, const uint64_t *b, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_words = graph->n_words, n_rules = 0;
    uint64_t *set = NULL, *left = NULL, *right = NULL;
    fl_conflict_rule *rules = NULL;
    bool *is_met = NULL;
    if (!graph->is_inner) {
        FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_sites, &is_met, err));
        for (FL_EACH_RELATION(i, a, n_words))
            for (FL_EACH_RELATION(k, b, n_words)) {
                int32_t site = fl_join_graph_meeting(graph, i, k);
                if (graph->sites[site].kind != FL_REORDER_INNER)
                    return FL_OK;
                n_rules += is_met[site] ? 0 : graph->sites[site].n_rules;
                is_met[site] = true;
            }
        FL_TRY(FL_NEW_ARRAY(graph->arena, n_rules, &rules, err));
        n_rules = 0;
        for (int32_t s = 0; s < graph->n_sites; s++)
            for (int32_t r = 0; is_met[s] && r < graph->sites[s].n_rules; r++)
                rules[n_rules++] = graph->sites[s].rules[r];
    }
    FL_TRY(fl_relation_set_copy(graph->arena, a, n_words, &left, err));
    FL_TRY(fl_relation_set_copy(graph->arena, b, n_words, &right, err));
    FL_TRY(fl_relation_set_copy(graph->arena, a, n_words, &set, err));
    fl_relation_set_add_all(set, b, n_words);
    fl_join_operator op = {.kind = FL_REORDER_INNER,
                           .conjunct = -1,
                           .is_cross = true,
                           .set = set,
                           .left = left,
                           .right = right,
                           .rules = rules,
                           .n_rules = n_rules};
    FL_TRY(fl_join_graph_add_operator(graph, &op, err));
    st = fl_join_graph_add_edge(graph, left, right, err);
cleanup:
    return st;
}

/* A relation of one row may be crossed with what a third one connects it with: both can then be keys of one join. */
static fl_status cross_one_rows(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_words = graph->n_words;
    uint64_t *near = NULL, *a = NULL, *b = NULL;
    FL_TRY(FL_NEW_ARRAY(graph->arena, n_words, &near, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n_words, &a, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, n_words, &b, err));
    for (int32_t i = 0; i < graph->n_relations && graph->n_relations <= ONE_ROWS_MAX; i++) {
        if (!graph->relations[i].is_one_row)
            continue;
        memset(near, 0, (size_t)n_words * sizeof(*near));
        for (FL_EACH_RELATION(k, fl_join_graph_neighbors(graph, i), n_words))
            fl_relation_set_add_all(near, fl_join_graph_neighbors(graph, k), n_words);
        for (FL_EACH_RELATION(k, near, n_words)) {
            if (k == i || fl_relation_set_has(fl_join_graph_neighbors(graph, i), k) ||
                (k < i && graph->relations[k].is_one_row))
                continue;
            memset(a, 0, (size_t)n_words * sizeof(*a));
            memset(b, 0, (size_t)n_words * sizeof(*b));
            fl_relation_set_add(a, i);
            fl_relation_set_add(b, k);
            FL_TRY(add_cross(graph, a, b, err));
        }
    }
cleanup:
    return st;
}

/* Relations that edges let be joined one by one are a part. */
typedef struct parting {
    uint64_t *sets; /* n_words each; the first n are the parts */
    int32_t n;
} parting;

static void unite(parting *p, int32_t a, int32_t b, int32_t n_words)
{
    fl_relation_set_add_all(p->sets + (int64_t)a * n_words, p->sets + (int64_t)b * n_words, n_words);
    p->n--;
    memmove(p->sets + (int64_t)b * n_words, p->sets + (int64_t)p->n * n_words, (size_t)n_words * sizeof(*p->sets));
}

static int32_t part_of(const parting *p, const uint64_t *set, int32_t n_words)
{
    for (int32_t i = 0; i < p->n; i++)
        if (fl_relation_set_has_all(p->sets + (int64_t)i * n_words, set, n_words))
            return i;
    return -1;
}

static fl_status find_parts(const fl_join_graph *graph, parting *p, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_words = graph->n_words;
    uint64_t *seen = NULL;
    int32_t *waiting = NULL;
    FL_TRY(FL_NEW_ARRAY(graph->arena, n_words, &seen, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_relations, &waiting, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, (int64_t)graph->n_relations * n_words, &p->sets, err));
    for (int32_t i = 0; i < graph->n_relations; i++) { /* by simple edges */
        int32_t n = 0;
        uint64_t *part = p->sets + (int64_t)p->n * n_words;
        if (fl_relation_set_has(seen, i))
            continue;
        waiting[n++] = i;
        fl_relation_set_add(seen, i);
        while (n > 0) {
            int32_t at = waiting[--n];
            fl_relation_set_add(part, at);
            for (FL_EACH_RELATION(k, fl_join_graph_neighbors(graph, at), n_words))
                if (!fl_relation_set_has(seen, k)) {
                    fl_relation_set_add(seen, k);
                    waiting[n++] = k;
                }
        }
        p->n++;
    }
    for (bool grows = p->n > 1; grows;) {
        grows = false;
        for (int32_t e = 0; e < graph->n_hyperedges; e++) {
            int32_t a = part_of(p, graph->hyperedges[e].left, n_words);
            int32_t b = part_of(p, graph->hyperedges[e].right, n_words);
            if (a < 0 || b < 0 || a == b)
                continue;
            unite(p, a < b ? a : b, a < b ? b : a, n_words);
            grows = true;
        }
    }
cleanup:
    return st;
}

/* Whether a conjunct or a class is what the two sides of an inner site are joined by. */
static bool is_connected(const fl_join_graph *graph, int32_t site)
{
    const fl_join_site *s = &graph->sites[site];
    for (int32_t i = 0; i < graph->n_operators; i++)
        if (graph->operators[i].site == site && !graph->operators[i].is_cross)
            return true;
    for (int32_t i = 0; i < graph->n_classes; i++)
        if (graph->classes[i].n > 0 && fl_relation_set_meets(graph->classes[i].set, s->set[0], graph->n_words) &&
            fl_relation_set_meets(graph->classes[i].set, s->set[1], graph->n_words))
            return true;
    return false;
}

fl_status fl_join_graph_cross_sites(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < graph->n_sites; i++)
        if (graph->sites[i].kind == FL_REORDER_INNER && !is_connected(graph, i))
            FL_TRY(add_cross(graph, graph->sites[i].set[0], graph->sites[i].set[1], err));
cleanup:
    return st;
}

/* What nothing connects is crossed, each part as a whole. */
static fl_status cross_parts(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    parting p = {0};
    int32_t n_words = graph->n_words;
    FL_TRY(find_parts(graph, &p, err));
    if (p.n > 1 && !graph->is_inner)
        FL_TRY(fl_join_graph_cross_sites(graph, err));
    if (p.n <= PARTS_MAX) {
        for (int32_t i = 0; i < p.n; i++)
            for (int32_t k = i + 1; k < p.n; k++)
                FL_TRY(add_cross(graph, p.sets + (int64_t)i * n_words, p.sets + (int64_t)k * n_words, err));
        return FL_OK;
    }
    for (int32_t i = 1; i < p.n; i++)
        FL_TRY(add_cross(graph, p.sets + (int64_t)(i - 1) * n_words, p.sets + (int64_t)i * n_words, err));
cleanup:
    return st;
}

fl_status fl_join_graph_add_crosses(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(cross_one_rows(graph, err));
    st = cross_parts(graph, err);
cleanup:
    return st;
}
