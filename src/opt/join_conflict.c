/* Conflict rules, from the tables of the paper's equivalences; e1, e2 and e3 are its names of the three inputs. */
#include "opt/join_conflict.h"

#define RULES_MAX 64 /* of a site: each is looked at for each two sets that meet */

/* When a pair of joins has a property: never, always, or if a predicate rejects nulls of what both share. */
typedef enum condition {
    NO,
    YES,
    FIRST, /* the first join's predicate does */
    SECOND,
    BOTH
} condition;

/* By kind of the first and of the second join: inner, semi, anti, left, full. */

/* (e1 a e2) b e3 = e1 a (e2 b e3), where b reads e2 and e3; the nulls are those of e2. */
static const uint8_t associates[5][5] = {
    {YES, YES, YES, YES, NO}, {NO, NO, NO, NO, NO},       {NO, NO, NO, NO, NO},
    {NO, NO, NO, SECOND, NO}, {NO, NO, NO, SECOND, BOTH},
};

/* (e1 a e2) b e3 = (e1 b e3) a e2, where b reads e1 and e3; the nulls are those of e1. */
static const uint8_t commutes_left[5][5] = {
    {YES, YES, YES, YES, NO},    {YES, YES, YES, YES, NO},   {YES, YES, YES, YES, NO},
    {YES, YES, YES, YES, FIRST}, {NO, NO, NO, SECOND, BOTH},
};

/* e1 a (e2 b e3) = e2 b (e1 a e3), where a reads e1 and e3; the nulls are those of e3. */
static const uint8_t commutes_right[5][5] = {
    {YES, NO, NO, NO, NO}, {NO, NO, NO, NO, NO}, {NO, NO, NO, NO, NO}, {NO, NO, NO, NO, NO}, {NO, NO, NO, NO, BOTH},
};

static bool holds(uint8_t entry, const fl_join_site *first, const fl_join_site *second, const uint64_t *shared,
                  int32_t n_words)
{
    if (entry == NO || entry == YES)
        return entry == YES;
    if (entry != SECOND && !fl_relation_set_meets(first->rejected, shared, n_words))
        return false;
    return entry == FIRST || fl_relation_set_meets(second->rejected, shared, n_words);
}

typedef struct finding {
    fl_join_graph *graph;
    fl_join_site *site;
    fl_conflict_rule rules[RULES_MAX];
    int32_t n; /* more than RULES_MAX: too many */
} finding;

/* Whoever meets side `from` of the site below must hold what its predicate reads of the other, or all of that where it reads
 * nothing. */
static fl_status add_rule(finding *f, const fl_join_site *below, int32_t from, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_words = f->graph->n_words;
    const uint64_t *other = below->set[1 - from];
    uint64_t *to = NULL;
    if (f->n >= RULES_MAX) {
        f->n = RULES_MAX + 1;
        return FL_OK;
    }
    FL_TRY(fl_relation_set_copy(f->graph->arena, other, n_words, &to, err));
    if (fl_relation_set_meets(other, below->used, n_words))
        for (int32_t w = 0; w < n_words; w++)
            to[w] &= below->used[w];
    if (!fl_relation_set_has_all(f->site->used, to, n_words) || f->site->kind == FL_REORDER_INNER)
        f->rules[f->n++] = (fl_conflict_rule){below->set[from], to};
cleanup:
    return st;
}

/* Holds the site against all below one of its sides. */
static fl_status add_rules_below(finding *f, int32_t side, int32_t below, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_graph *graph = f->graph;
    if (below < graph->n_relations || f->n > RULES_MAX)
        return FL_OK;
    const fl_join_site *site = f->site, *a = &graph->sites[below - graph->n_relations];
    if (site->kind == FL_REORDER_INNER && !a->has_outer) /* inner joins do not conflict */
        return FL_OK;
    if (side == 0) {
        if (!holds(associates[a->kind][site->kind], a, site, a->set[1], graph->n_words))
            FL_TRY(add_rule(f, a, 1, err));
        if (!holds(commutes_left[a->kind][site->kind], a, site, a->set[0], graph->n_words))
            FL_TRY(add_rule(f, a, 0, err));
    } else {
        if (!holds(associates[site->kind][a->kind], site, a, a->set[0], graph->n_words))
            FL_TRY(add_rule(f, a, 0, err));
        if (!holds(commutes_right[site->kind][a->kind], site, a, a->set[1], graph->n_words))
            FL_TRY(add_rule(f, a, 1, err));
    }
    FL_TRY(add_rules_below(f, side, a->sides[0], err));
    FL_TRY(add_rules_below(f, side, a->sides[1], err));
cleanup:
    return st;
}

static fl_status find_rules(fl_join_graph *graph, fl_join_site *site, fl_err *err)
{
    fl_status st = FL_OK;
    finding f = {.graph = graph, .site = site};
    FL_TRY(add_rules_below(&f, 0, site->sides[0], err));
    FL_TRY(add_rules_below(&f, 1, site->sides[1], err));
    if (f.n > RULES_MAX) {
        uint64_t *all = NULL;
        FL_TRY(fl_relation_set_copy(graph->arena, site->set[0], graph->n_words, &all, err));
        fl_relation_set_add_all(all, site->set[1], graph->n_words);
        f.rules[0] = (fl_conflict_rule){all, all};
        f.n = 1;
    }
    FL_TRY(FL_NEW_ARRAY(graph->arena, f.n, &site->rules, err));
    if (f.n > 0)
        memcpy(site->rules, f.rules, (size_t)f.n * sizeof(*f.rules));
    site->n_rules = f.n;
cleanup:
    return st;
}

fl_status fl_join_graph_find_conflicts(fl_join_graph *graph, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < graph->n_sites; i++)
        FL_TRY(find_rules(graph, &graph->sites[i], err));
cleanup:
    return st;
}

void fl_conflict_rules_close(const fl_conflict_rule *rules, int32_t n, uint64_t *set, int32_t n_words)
{
    for (bool grows = true; grows;) {
        grows = false;
        for (int32_t i = 0; i < n; i++)
            if (fl_relation_set_meets(rules[i].from, set, n_words) &&
                !fl_relation_set_has_all(set, rules[i].to, n_words)) {
                fl_relation_set_add_all(set, rules[i].to, n_words);
                grows = true;
            }
    }
}
