/* Making a region's graph: sites, conjuncts and classes as they come; edges once all are there. */
#include "opt/join_graph.h"

#include "opt/join_conflict.h"
#include "opt/join_cross.h"
#include "opt/join_rows.h"

#include <math.h>

#define CLASS_MAX 32 /* members, where each two must be looked at because not all joins are inner */
#define SPLIT_MAX 5  /* relations of an inner conjunct that has an edge for each way to part them */

/* Doubles a list in the graph's arena, which keeps the old one. */
static fl_status make_room(fl_join_graph *graph, void **list, int32_t n, int64_t *capacity, int64_t bytes, fl_err *err)
{
    void *grown = NULL;
    int64_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    if (n < *capacity)
        return FL_OK;
    fl_status st = fl_arena_get_zero(graph->arena, wanted * bytes, &grown, err);
    if (st != FL_OK)
        return st;
    if (n > 0)
        memcpy(grown, *list, (size_t)(n * bytes));
    *list = grown;
    *capacity = wanted;
    return FL_OK;
}

fl_status fl_join_graph_init(fl_join_graph *graph, fl_arena *arena, int32_t n_relations, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(n_relations > 0 && n_relations <= FL_JOIN_RELATIONS_MAX);
    *graph = (fl_join_graph){
        .arena = arena, .n_relations = n_relations, .n_words = (n_relations + 63) / 64, .is_inner = true};
    fl_index_map_init(&graph->class_of, arena);
    FL_TRY(FL_NEW_ARRAY(arena, n_relations, &graph->relations, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_relations, &graph->sites, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_relations, &graph->site_of, err));
    FL_TRY(FL_NEW_ARRAY(arena, (int64_t)n_relations * graph->n_words, &graph->neighbors, err));
    for (int32_t i = 0; i < n_relations; i++)
        graph->site_of[i] = -1;
cleanup:
    return st;
}

fl_status fl_join_graph_add_site(fl_join_graph *graph, fl_reorder_kind kind, int32_t left, int32_t right, int32_t *ret,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(graph->n_sites < graph->n_relations - 1);
    fl_join_site *site = &graph->sites[graph->n_sites];
    *site = (fl_join_site){.kind = kind, .sides = {left, right}, .parent = -1, .has_outer = kind != FL_REORDER_INNER};
    for (int32_t s = 0; s < 2; s++) {
        uint64_t *set = NULL;
        int32_t side = site->sides[s];
        FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_words, &set, err));
        if (side < graph->n_relations) {
            fl_relation_set_add(set, side);
            graph->site_of[side] = graph->n_sites;
        } else {
            fl_join_site *below = &graph->sites[side - graph->n_relations];
            fl_relation_set_unite(set, below->set[0], below->set[1], graph->n_words);
            below->parent = graph->n_sites;
            site->has_outer |= below->has_outer;
        }
        site->set[s] = set;
    }
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_words, &site->used, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_words, &site->rejected, err));
    graph->is_inner &= kind == FL_REORDER_INNER;
    *ret = graph->n_relations + graph->n_sites++;
cleanup:
    return st;
}

fl_status fl_join_graph_add_operator(fl_join_graph *graph, const fl_join_operator *op, fl_err *err)
{
    fl_status st = make_room(graph, (void **)&graph->operators, graph->n_operators, &graph->operators_capacity,
                             (int64_t)sizeof(*graph->operators), err);
    if (st == FL_OK)
        graph->operators[graph->n_operators++] = *op;
    return st;
}

fl_status fl_join_graph_add_conjunct(fl_join_graph *graph, int32_t site, int32_t conjunct, const uint64_t *used,
                                     const uint64_t *rejected, double share, bool is_equality, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_site *s = &graph->sites[site - graph->n_relations];
    uint64_t *set = NULL;
    fl_relation_set_add_all(s->used, used, graph->n_words);
    fl_relation_set_add_all(s->rejected, rejected, graph->n_words);
    s->share += share;
    if (s->kind != FL_REORDER_INNER)
        return FL_OK;
    FL_TRY(fl_relation_set_copy(graph->arena, used, graph->n_words, &set, err));
    fl_join_operator op = {.kind = FL_REORDER_INNER,
                           .site = site - graph->n_relations,
                           .conjunct = conjunct,
                           .is_equality = is_equality && fl_relation_set_count(used, graph->n_words) == 2,
                           .set = set,
                           .share = share};
    st = fl_join_graph_add_operator(graph, &op, err);
cleanup:
    return st;
}

int32_t fl_join_graph_meeting(const fl_join_graph *graph, int32_t a, int32_t b)
{
    int32_t site = graph->site_of[a];
    while (site >= 0 && !fl_relation_set_has(graph->sites[site].set[0], b) &&
           !fl_relation_set_has(graph->sites[site].set[1], b))
        site = graph->sites[site].parent;
    FL_ASSERT(site >= 0);
    return site;
}

/* The class of a column; -1: none yet. */
static int32_t find_class(const fl_join_graph *graph, fl_col_id col)
{
    int32_t at = fl_index_map_find(&graph->class_of, (uint64_t)col.n);
    while (at >= 0 && graph->classes[at].into >= 0)
        at = graph->classes[at].into;
    return at;
}

const fl_equality_class *fl_join_graph_class(const fl_join_graph *graph, fl_col_id col)
{
    int32_t at = find_class(graph, col);
    return at < 0 ? NULL : &graph->classes[at];
}

static fl_status add_member(fl_join_graph *graph, int32_t class, const fl_class_member *member, fl_err *err)
{
    fl_status st = FL_OK;
    fl_equality_class *c = &graph->classes[class];
    FL_TRY(make_room(graph, (void **)&c->members, c->n, &c->capacity, (int64_t)sizeof(*c->members), err));
    int32_t at = c->n++;
    for (; at > 0 && c->members[at - 1].log_distinct < member->log_distinct; at--)
        c->members[at] = c->members[at - 1];
    c->members[at] = *member;
    fl_relation_set_add(c->set, member->relation);
cleanup:
    return st;
}

static fl_status make_class(fl_join_graph *graph, const fl_class_member *member, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(make_room(graph, (void **)&graph->classes, graph->n_classes, &graph->classes_capacity,
                     (int64_t)sizeof(*graph->classes), err));
    fl_equality_class *class = &graph->classes[graph->n_classes];
    *class = (fl_equality_class){.into = -1};
    FL_TRY(FL_NEW_ARRAY(graph->arena, graph->n_words, &class->set, err));
    FL_TRY(add_member(graph, graph->n_classes, member, err));
    FL_TRY(fl_index_map_add(&graph->class_of, (uint64_t)member->col.n, graph->n_classes, err));
    *ret = graph->n_classes++;
cleanup:
    return st;
}

/* Whether what holds the members of two classes, which an equality brings together, may be one. */
static bool may_unite(const fl_join_graph *graph, const fl_class_member *a, int32_t n_a, const fl_class_member *b,
                      int32_t n_b)
{
    if (!graph->is_inner && n_a + n_b > CLASS_MAX)
        return false;
    for (int32_t i = 0; i < n_a && !graph->is_inner; i++)
        for (int32_t k = 0; k < n_b; k++)
            if (a[i].relation == b[k].relation ||
                graph->sites[fl_join_graph_meeting(graph, a[i].relation, b[k].relation)].kind != FL_REORDER_INNER)
                return false;
    return true;
}

fl_status fl_join_graph_add_equality(fl_join_graph *graph, int32_t site, const fl_class_member *a,
                                     const fl_class_member *b, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_site *s = &graph->sites[site - graph->n_relations];
    int32_t at[2] = {find_class(graph, a->col), find_class(graph, b->col)};
    const fl_class_member *members[2] = {at[0] < 0 ? a : graph->classes[at[0]].members,
                                         at[1] < 0 ? b : graph->classes[at[1]].members};
    int32_t n[2] = {at[0] < 0 ? 1 : graph->classes[at[0]].n, at[1] < 0 ? 1 : graph->classes[at[1]].n};
    bool is_one = at[0] >= 0 && at[0] == at[1];
    *ret = s->kind == FL_REORDER_INNER && a->relation != b->relation;
    if (*ret && !is_one) {
        bool overlaps = at[0] >= 0 && at[1] >= 0 ? fl_relation_set_meets(graph->classes[at[0]].set,
                                                                         graph->classes[at[1]].set, graph->n_words)
                        : at[0] >= 0             ? fl_relation_set_has(graph->classes[at[0]].set, b->relation)
                                     : at[1] >= 0 && fl_relation_set_has(graph->classes[at[1]].set, a->relation);
        *ret = !overlaps && may_unite(graph, members[0], n[0], members[1], n[1]);
    }
    if (!*ret)
        return FL_OK;
    fl_relation_set_add(s->used, a->relation);
    fl_relation_set_add(s->used, b->relation);
    fl_relation_set_add(s->rejected, a->relation);
    fl_relation_set_add(s->rejected, b->relation);
    if (is_one)
        return FL_OK;
    if (at[0] < 0)
        FL_TRY(make_class(graph, a, &at[0], err));
    if (at[1] < 0) {
        FL_TRY(add_member(graph, at[0], b, err));
        FL_TRY(fl_index_map_add(&graph->class_of, (uint64_t)b->col.n, at[0], err));
        return FL_OK;
    }
    bool swaps = n[0] < n[1]; /* the smaller goes into the larger */
    fl_equality_class *from = &graph->classes[at[!swaps]];
    for (int32_t i = 0; i < from->n; i++)
        FL_TRY(add_member(graph, at[swaps], &from->members[i], err));
    from->into = at[swaps];
    from->n = 0;
cleanup:
    return st;
}

/* Joins that are no inner ones become operators, in the order of sites. */
static fl_status add_outer_operators(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < graph->n_sites; i++) {
        const fl_join_site *site = &graph->sites[i];
        if (site->kind == FL_REORDER_INNER)
            continue;
        fl_join_operator op = {.kind = site->kind, .site = i, .conjunct = -1, .set = site->used};
        FL_TRY(fl_join_graph_add_operator(graph, &op, err));
    }
cleanup:
    return st;
}

/* What must be there at either side: what is read, or the whole side where nothing of it is, with what conflicts want. */
static fl_status find_sides(fl_join_graph *graph, fl_join_operator *op, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_site *site = &graph->sites[op->site];
    int32_t n_words = graph->n_words;
    uint64_t *all = NULL, *sides[2] = {NULL, NULL};
    FL_TRY(fl_relation_set_copy(graph->arena, op->set, n_words, &all, err));
    for (int32_t s = 0; s < 2; s++)
        if (!fl_relation_set_meets(site->set[s], op->set, n_words))
            fl_relation_set_add_all(all, site->set[s], n_words);
    if (!fl_relation_set_is_equal(all, op->set, n_words)) {
        uint64_t *set = NULL;
        FL_TRY(fl_relation_set_copy(graph->arena, all, n_words, &set, err));
        op->set = set;
    }
    op->rules = site->rules;
    op->n_rules = site->n_rules;
    fl_conflict_rules_close(op->rules, op->n_rules, all, n_words);
    for (int32_t s = 0; s < 2; s++) {
        FL_TRY(fl_relation_set_copy(graph->arena, all, n_words, &sides[s], err));
        for (int32_t w = 0; w < n_words; w++)
            sides[s][w] &= site->set[s][w];
    }
    op->left = sides[0];
    op->right = sides[1];
cleanup:
    return st;
}

fl_status fl_join_graph_add_edge(fl_join_graph *graph, const uint64_t *left, const uint64_t *right, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_words = graph->n_words;
    if (fl_relation_set_count(left, n_words) == 1 && fl_relation_set_count(right, n_words) == 1) {
        int32_t a = fl_relation_set_next(left, 0, n_words), b = fl_relation_set_next(right, 0, n_words);
        fl_relation_set_add(graph->neighbors + (int64_t)a * n_words, b);
        fl_relation_set_add(graph->neighbors + (int64_t)b * n_words, a);
        return FL_OK;
    }
    for (int32_t i = 0; i < graph->n_hyperedges; i++)
        if (fl_relation_set_is_equal(graph->hyperedges[i].left, left, n_words) &&
            fl_relation_set_is_equal(graph->hyperedges[i].right, right, n_words))
            return FL_OK;
    FL_TRY(make_room(graph, (void **)&graph->hyperedges, graph->n_hyperedges, &graph->hyperedges_capacity,
                     (int64_t)sizeof(*graph->hyperedges), err));
    graph->hyperedges[graph->n_hyperedges++] = (fl_hyperedge){left, right};
cleanup:
    return st;
}

/* An inner conjunct of several relations does not mind which of them are at which side. */
static fl_status add_splits(fl_join_graph *graph, fl_join_operator *op, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_words = graph->n_words, n = fl_relation_set_count(op->set, n_words);
    op->is_split = n > 1 && n <= SPLIT_MAX;
    for (uint32_t part = 1; op->is_split && part < 1u << (n - 1); part++) { /* the last one is always at the right */
        uint64_t *left = NULL, *right = NULL;
        int32_t at = 0;
        FL_TRY(FL_NEW_ARRAY(graph->arena, n_words, &left, err));
        FL_TRY(FL_NEW_ARRAY(graph->arena, n_words, &right, err));
        for (FL_EACH_RELATION(i, op->set, n_words))
            fl_relation_set_add((part >> at++) & 1 ? left : right, i);
        FL_TRY(fl_join_graph_add_edge(graph, left, right, err));
    }
cleanup:
    return st;
}

static fl_status add_edges(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_words = graph->n_words;
    for (int32_t i = 0; i < graph->n_operators; i++) {
        fl_join_operator *op = &graph->operators[i];
        FL_TRY(find_sides(graph, op, err));
        FL_TRY(fl_join_graph_add_edge(graph, op->left, op->right, err));
        if (op->kind == FL_REORDER_INNER)
            FL_TRY(add_splits(graph, op, err));
    }
    for (int32_t c = 0; c < graph->n_classes; c++)
        for (int32_t m = 0; m < graph->classes[c].n; m++) {
            int32_t relation = graph->classes[c].members[m].relation;
            uint64_t *neighbors = graph->neighbors + (int64_t)relation * n_words;
            fl_relation_set_add_all(neighbors, graph->classes[c].set, n_words);
            neighbors[relation >> 6] &= ~(1ull << (relation & 63));
        }
cleanup:
    return st;
}

fl_status fl_join_graph_finish(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(graph->n_sites == graph->n_relations - 1);
    FL_TRY(add_outer_operators(graph, err));
    if (!graph->is_inner)
        FL_TRY(fl_join_graph_find_conflicts(graph, err));
    FL_TRY(add_edges(graph, err));
    FL_TRY(fl_join_graph_find_shares(graph, err));
    st = fl_join_graph_add_crosses(graph, err);
cleanup:
    return st;
}

int32_t fl_join_graph_width(const fl_join_graph *graph, const uint64_t *set)
{
    int64_t width = 0;
    for (FL_EACH_RELATION(i, set, graph->n_words))
        width += graph->relations[i].width;
    return width > INT32_MAX ? INT32_MAX : (int32_t)width;
}

bool fl_equality_class_connects(const fl_join_graph *graph, const fl_equality_class *class, const uint64_t *a,
                                const uint64_t *b, const uint64_t *both, bool *ret_crosses)
{
    int32_t n_words = graph->n_words;
    *ret_crosses =
        class->n > 0 && fl_relation_set_meets(class->set, a, n_words) && fl_relation_set_meets(class->set, b, n_words);
    if (!*ret_crosses || graph->is_inner)
        return *ret_crosses;
    for (int32_t i = 0; i < class->n; i++)
        for (int32_t k = 0; k < class->n; k++) {
            if (!fl_relation_set_has(a, class->members[i].relation) ||
                !fl_relation_set_has(b, class->members[k].relation))
                continue;
            const fl_join_site *site =
                &graph->sites[fl_join_graph_meeting(graph, class->members[i].relation, class->members[k].relation)];
            if (fl_conflict_rules_hold(site->rules, site->n_rules, both, n_words))
                return true;
        }
    return false;
}
