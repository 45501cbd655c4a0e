/* The enumeration, by the paper's names: a set that grows from its least relation, and the complements that it can meet. One
 * walk serves counting and optimizing. */
#include "opt/dphyp.h"

#include "base/hash.h"
#include "base/interrupt.h"
#include "opt/join_rows.h"

#include <math.h>

#define PAIR_STEPS 64 /* of work, for looks at cancellation */
#define SETS_FIRST \
    8192 /* entries that room is made for at once: with hyperedges fewer may be needed than were counted */

typedef struct entry {
    uint64_t set;
    uint64_t left; /* the first of the two sets that it is best joined of; 0: a relation */
    double rows;
    double cost;
    int32_t width;
    int32_t site; /* of the join, where it is no inner one; -1 */
} entry;

typedef struct search {
    const fl_join_graph *graph;
    bool is_counting;
    bool is_simple; /* no hyperedges: whatever neighbors is connected */
    fl_dphyp_count count;
    int64_t pairs_max;
    int64_t steps, steps_max; /* walks through hyperedges may find little: counting stops then, too */
    fl_work work;
    entry *entries;
    int64_t n_entries, entries_capacity;
    int32_t *slots; /* number + 1 of an entry; 0: free */
    int64_t n_slots;
    uint64_t first, first_neighbors; /* of the pairs that are looked for */
    int32_t first_entry;
} search;

static uint64_t below_and(int32_t relation)
{
    return relation == 63 ? ~0ull : (2ull << relation) - 1;
}

static int64_t slot_of(const search *s, uint64_t set)
{
    int64_t at = (int64_t)(set * 0x9E3779B97F4A7C15ull >> 20) & (s->n_slots - 1);
    while (s->slots[at] != 0 && s->entries[s->slots[at] - 1].set != set)
        at = (at + 1) & (s->n_slots - 1);
    return at;
}

/* The number of a set's entry; -1: it has none. */
static int32_t find(const search *s, uint64_t set)
{
    return s->slots[slot_of(s, set)] - 1;
}

static fl_status grow(search *s, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = s->graph->arena;
    entry *entries = NULL;
    s->entries_capacity *= 2;
    s->n_slots *= 2;
    FL_TRY(FL_NEW_ARRAY(arena, s->entries_capacity, &entries, err));
    memcpy(entries, s->entries, (size_t)s->n_entries * sizeof(*entries));
    s->entries = entries;
    FL_TRY(FL_NEW_ARRAY(arena, s->n_slots, &s->slots, err));
    for (int64_t i = 0; i < s->n_entries; i++)
        s->slots[slot_of(s, entries[i].set)] = (int32_t)i + 1;
cleanup:
    return st;
}

static fl_status add(search *s, uint64_t set, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (s->n_entries == s->entries_capacity)
        FL_TRY(grow(s, err));
    s->entries[s->n_entries] = (entry){.set = set,
                                       .rows = fl_join_rows(fl_join_graph_log_rows(s->graph, &set)),
                                       .cost = INFINITY,
                                       .width = fl_join_graph_width(s->graph, &set),
                                       .site = -1};
    *ret = (int32_t)s->n_entries++;
    s->slots[slot_of(s, set)] = (int32_t)s->n_entries;
cleanup:
    return st;
}

static uint64_t simple_neighbors(const search *s, uint64_t set)
{
    uint64_t ret = 0;
    for (; set != 0; set &= set - 1)
        ret |= s->graph->neighbors[__builtin_ctzll(set)];
    return ret;
}

/* What a set may grow by: neighbors, and for each hyperedge that begins in it the least relation of the other end. */
static uint64_t neighborhood(const search *s, uint64_t set, uint64_t neighbors, uint64_t excluded)
{
    uint64_t ret = neighbors & ~(set | excluded);
    for (int32_t i = 0; i < s->graph->n_hyperedges; i++) {
        uint64_t left = *s->graph->hyperedges[i].left, right = *s->graph->hyperedges[i].right;
        if ((left & ~set) == 0 && (right & (set | excluded)) == 0)
            ret |= right & -right;
        if ((right & ~set) == 0 && (left & (set | excluded)) == 0)
            ret |= left & -left;
    }
    return ret;
}

/* Whether a set is all that it can grow to once it has grown by what is around it. */
static bool is_final(const search *s, uint64_t set, uint64_t neighbors, uint64_t around, uint64_t excluded)
{
    return s->is_simple && ((neighbors | simple_neighbors(s, around)) & ~(set | around | excluded)) == 0;
}

/* Counts a step through sets, which may be no pair. */
static void count_step(search *s)
{
    s->steps++;
    s->count.is_over |= s->is_counting && s->steps > s->steps_max;
}

/* The pair of s->first and an entry. */
static fl_status emit(search *s, int32_t second, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_graph *graph = s->graph;
    uint64_t a = s->first, b = s->entries[second].set;
    fl_join_meeting meeting = {.site = -1};
    FL_TRY(fl_work_add(&s->work, PAIR_STEPS, err));
    if (!graph->is_inner) {
        meeting = fl_join_graph_meet(graph, &a, &b, 1);
        if (!meeting.is_legal)
            return FL_OK;
    }
    int32_t number = find(s, a | b);
    if (number < 0)
        FL_TRY(add(s, a | b, &number, err));
    const entry *x = &s->entries[s->first_entry], *y = &s->entries[second];
    entry *both = &s->entries[number];
    double cost = x->cost + y->cost +
                  fl_join_tree_cost(graph, (fl_join_side){x->rows, x->width}, (fl_join_side){y->rows, y->width},
                                    both->rows, meeting.site);
    if (cost < both->cost) {
        both->cost = cost;
        both->left = a;
        both->site = meeting.site;
    }
cleanup:
    return st;
}

/* While counting all sets are taken for ones that can be built. */
static fl_status emit_if_connected(search *s, uint64_t b, fl_err *err)
{
    int32_t second = s->is_counting ? 0 : find(s, b);
    if (second < 0 || !(s->is_simple || fl_join_graph_connects(s->graph, &s->first, &s->first_neighbors, &b, 1)))
        return FL_OK;
    s->count.pairs++;
    if (!s->is_counting)
        return emit(s, second, err);
    s->count.is_over |= s->count.pairs > s->pairs_max;
    return FL_OK;
}

/* Grows the complement b of s->first. */
static fl_status grow_complement(search *s, uint64_t b, uint64_t neighbors, uint64_t excluded, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t around = neighborhood(s, b, neighbors, excluded);
    for (uint64_t part = -around & around; part != 0 && !s->count.is_over; part = (part - around) & around)
        FL_TRY(emit_if_connected(s, b | part, err));
    if (is_final(s, b, neighbors, around, excluded))
        return FL_OK;
    for (uint64_t part = -around & around; part != 0 && !s->count.is_over; part = (part - around) & around) {
        count_step(s);
        FL_TRY(grow_complement(s, b | part, neighbors | simple_neighbors(s, part), excluded | around, err));
    }
cleanup:
    return st;
}

/* All pairs of a set with complements behind its least relation. */
static fl_status emit_pairs(search *s, uint64_t set, uint64_t neighbors, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t excluded = set | below_and(__builtin_ctzll(set)), around = neighborhood(s, set, neighbors, excluded);
    s->first = set;
    s->first_neighbors = neighbors;
    s->count.sets++;
    if (!s->is_counting) {
        s->first_entry = find(s, set);
        if (s->first_entry < 0)
            return FL_OK;
    }
    for (uint64_t left = around; left != 0 && !s->count.is_over;) {
        int32_t relation = 63 - __builtin_clzll(left);
        uint64_t b = 1ull << relation;
        left &= ~b;
        FL_TRY(emit_if_connected(s, b, err));
        FL_TRY(grow_complement(s, b, s->graph->neighbors[relation], excluded | (around & below_and(relation)), err));
    }
cleanup:
    return st;
}

/* Grows a set, which need not be one that can be built. */
static fl_status grow_set(search *s, uint64_t set, uint64_t neighbors, uint64_t excluded, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t around = neighborhood(s, set, neighbors, excluded);
    for (uint64_t part = -around & around; part != 0 && !s->count.is_over; part = (part - around) & around)
        FL_TRY(emit_pairs(s, set | part, neighbors | simple_neighbors(s, part), err));
    if (is_final(s, set, neighbors, around, excluded))
        return FL_OK;
    for (uint64_t part = -around & around; part != 0 && !s->count.is_over; part = (part - around) & around) {
        count_step(s);
        FL_TRY(grow_set(s, set | part, neighbors | simple_neighbors(s, part), excluded | around, err));
    }
cleanup:
    return st;
}

static fl_status enumerate(search *s, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(s->graph->n_relations <= FL_DPHYP_RELATIONS_MAX);
    for (int32_t i = s->graph->n_relations - 1; i >= 0 && !s->count.is_over; i--) {
        FL_TRY(emit_pairs(s, 1ull << i, s->graph->neighbors[i], err));
        FL_TRY(grow_set(s, 1ull << i, s->graph->neighbors[i], below_and(i), err));
    }
cleanup:
    return st;
}

fl_dphyp_count fl_dphyp_count_pairs(const fl_join_graph *graph, int64_t pairs_max)
{
    search s = {.graph = graph,
                .is_counting = true,
                .is_simple = graph->n_hyperedges == 0,
                .pairs_max = pairs_max,
                .steps_max = 4 * pairs_max};
    for (int32_t i = 0; i < graph->n_relations; i++) { /* one with d neighbors is the center of a star */
        int32_t d = __builtin_popcountll(graph->neighbors[i]);
        if (d > 1 && (d > 50 || (int64_t)d << (d - 1) > pairs_max))
            return (fl_dphyp_count){.is_over = true};
    }
    fl_status st = enumerate(&s, NULL); /* cannot fail: it allocates nothing */
    FL_ASSERT(st == FL_OK);
    return s.count;
}

static fl_status to_tree(const search *s, uint64_t set, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const entry *e = &s->entries[find(s, set)];
    const fl_join_tree *a = NULL, *b = NULL;
    if (e->left == 0)
        return fl_join_tree_leaf(s->graph, __builtin_ctzll(set), ret, err);
    FL_TRY(to_tree(s, e->left, &a, err));
    FL_TRY(to_tree(s, set & ~e->left, &b, err));
    st = fl_join_tree_join(s->graph, a, b, ret, err);
cleanup:
    return st;
}

/* Fills the table. */
static fl_status run(search *s, const fl_join_graph *graph, int64_t sets, fl_err *err)
{
    fl_status st = FL_OK;
    *s = (search){.graph = graph,
                  .is_simple = graph->n_hyperedges == 0,
                  .entries_capacity = (sets < SETS_FIRST ? sets : SETS_FIRST) + graph->n_relations + 1,
                  .n_slots = 64,
                  .work = fl_work_of(graph->arena->memory)};
    FL_ASSERT(graph->n_relations <= FL_DPHYP_RELATIONS_MAX);
    while (s->n_slots < s->entries_capacity * 2)
        s->n_slots *= 2;
    FL_TRY(FL_NEW_ARRAY(graph->arena, s->entries_capacity, &s->entries, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, s->n_slots, &s->slots, err));
    for (int32_t i = 0; i < graph->n_relations; i++) {
        int32_t number;
        FL_TRY(add(s, 1ull << i, &number, err));
        s->entries[number].cost = 0;
    }
    st = enumerate(s, err);
cleanup:
    return st;
}

fl_status fl_dphyp(const fl_join_graph *graph, int64_t sets, const fl_join_tree **ret, fl_err *err)
{
    fl_status st = FL_OK;
    search s;
    uint64_t all = below_and(graph->n_relations - 1);
    FL_TRY(run(&s, graph, sets, err));
    *ret = NULL;
    if (find(&s, all) >= 0)
        st = to_tree(&s, all, ret, err);
cleanup:
    return st;
}

/* ---- more than one order -------------------------------------------------------------------------------------------------- */

/* Whether two sets may meet, and what their join costs with all below. */
static bool price(const search *s, uint64_t a, uint64_t b, double *ret)
{
    const fl_join_graph *graph = s->graph;
    int32_t x = find(s, a), y = find(s, b), both = find(s, a | b);
    uint64_t neighbors = simple_neighbors(s, a);
    fl_join_meeting meeting = {.site = -1};
    if (x < 0 || y < 0 || !fl_join_graph_connects(graph, &a, &neighbors, &b, 1))
        return false;
    if (!graph->is_inner) {
        meeting = fl_join_graph_meet(graph, &a, &b, 1);
        if (!meeting.is_legal)
            return false;
    }
    const entry *left = &s->entries[x], *right = &s->entries[y];
    *ret = left->cost + right->cost +
           fl_join_tree_cost(graph, (fl_join_side){left->rows, left->width}, (fl_join_side){right->rows, right->width},
                             s->entries[both].rows, meeting.site);
    return true;
}

typedef struct listing {
    search *search;
    const fl_join_splits_wanted *wanted;
    fl_join_split *splits; /* room for the wanted ones, and for one of each set */
    int32_t n_splits, n_more;
    uint64_t *sets; /* that are to be split; those before `done` are */
    int32_t n_sets, done;
} listing;

static void want_set(listing *l, uint64_t set)
{
    bool is_known = (set & (set - 1)) == 0;
    for (int32_t i = 0; i < l->n_sets && !is_known; i++)
        is_known = l->sets[i] == set;
    if (!is_known)
        l->sets[l->n_sets++] = set;
}

static void add_split(listing *l, uint64_t set, uint64_t left)
{
    l->splits[l->n_splits++] = (fl_join_split){set, left};
    want_set(l, left);
    want_set(l, set & ~left);
}

/* The set's best split, then others: each pair of sides once, the first one with the least relation. */
static fl_status split_set(listing *l, uint64_t set, fl_err *err)
{
    fl_status st = FL_OK;
    const entry *e = &l->search->entries[find(l->search, set)];
    uint64_t least = set & -set, rest = set & ~least, best = e->left & least ? e->left : set & ~e->left;
    double cost = 0, cost_max = e->cost * l->wanted->near;
    add_split(l, set, e->left);
    for (uint64_t part = 0; l->n_more < l->wanted->n_max; part = (part - rest) & rest) {
        uint64_t left = least | part;
        FL_TRY(fl_work_add(&l->search->work, PAIR_STEPS, err));
        if (left == set)
            break;
        if (left == best || !price(l->search, left, set & ~left, &cost) || !(cost <= cost_max))
            continue;
        add_split(l, set, left);
        l->n_more++;
    }
cleanup:
    return st;
}

fl_status fl_dphyp_splits(const fl_join_graph *graph, int64_t sets, const fl_join_splits_wanted *wanted,
                          const fl_join_split **ret, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    search s;
    listing l = {.search = &s, .wanted = wanted};
    uint64_t all = below_and(graph->n_relations - 1);
    FL_TRY(run(&s, graph, sets, err));
    if (find(&s, all) < 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(graph->arena, s.n_entries + wanted->n_max, &l.splits, err));
    FL_TRY(FL_NEW_ARRAY(graph->arena, s.n_entries, &l.sets, err));
    want_set(&l, all);
    for (; l.done < l.n_sets; l.done++)
        FL_TRY(split_set(&l, l.sets[l.done], err));
    FL_ASSERT(l.n_splits >= l.n_sets && l.n_sets <= s.n_entries);
    *ret = l.splits;
    *ret_n = l.n_splits;
cleanup:
    return st;
}
