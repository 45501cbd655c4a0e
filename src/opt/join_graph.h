/* A join region as a graph: what its joins may be reordered to.
 *
 * Relations are the region's leaves. A site is one of its joins as the query has it; sites are a tree over the relations. Each
 * inner conjunct and each other join is an operator, which sets of relations take up when they meet. Where other joins than
 * inner ones are about, an operator has conflict rules (Moerkotte, Fender, Eich: On the correct and complete enumeration of
 * the core search space, SIGMOD 2013; their CD-C): a set that meets `from` must hold all of `to`.
 *
 * Columns that inner conjuncts make equal form a class. Its equalities are no operators: any two of its relations may
 * meet by it, whether the query wrote that equality or it is implied, and one for each join is enough.
 *
 * Rows of a set of relations are a product: of the relations' rows and one share for each operator within the set, and for
 * classes all distinct values but the least, or what their grid tells of values. So they depend on the set alone, never on how it is built. They are logarithms to
 * base 2 and have no floor.
 *
 * A graph is made relations first, sites from the leaves up, then operators, then fl_join_graph_finish. Everything lies in
 * its arena. One thread at a time. */
#ifndef FL_OPT_JOIN_GRAPH_H
#define FL_OPT_JOIN_GRAPH_H

#include "base/index_map.h"
#include "opt/join_cost.h"
#include "opt/relation_set.h"
#include "plan/props.h"
#include "plan/value_grid.h"

#define FL_JOIN_RELATIONS_MAX 1024

typedef enum fl_reorder_kind {
    FL_REORDER_INNER,
    FL_REORDER_SEMI,
    FL_REORDER_ANTI,
    FL_REORDER_LEFT,
    FL_REORDER_FULL
} fl_reorder_kind;

typedef struct fl_join_relation {
    double log_rows;
    double log_base_rows; /* before filters: what distinct values are among */
    int32_t width;        /* bytes of a row */
    bool is_one_row;      /* one row at most, provably: products with it are free */
    const fl_col_set *keys;
    int32_t n_keys;
} fl_join_relation;

typedef struct fl_conflict_rule {
    const uint64_t *from;
    const uint64_t *to;
} fl_conflict_rule;

typedef struct fl_join_site {
    fl_reorder_kind kind;
    int32_t sides[2]; /* relations: their numbers; sites: n_relations + theirs */
    int32_t parent;   /* a site; -1: none */
    int32_t depth;
    bool has_outer;         /* one here or below is no inner join */
    const uint64_t *set[2]; /* relations of the sides */
    uint64_t *used;         /* that its conjuncts read */
    uint64_t *rejected;     /* whose null makes one of its conjuncts not true */
    double share;           /* of the pairs that its conjuncts keep; a logarithm */
    fl_conflict_rule *rules;
    int32_t n_rules;
} fl_join_site;

typedef struct fl_join_operator {
    fl_reorder_kind kind;
    int32_t site;
    int32_t conjunct;    /* the caller's; inner joins only */
    bool is_cross;       /* joins what nothing connects; must not be taken up */
    bool is_equality;    /* of one relation with one other */
    bool is_split;       /* an inner conjunct: whichever way its relations are parted, it connects the two sides */
    const uint64_t *set; /* that must be there before it can hold */
    const uint64_t *left;
    const uint64_t *right;
    fl_conflict_rule *rules;
    int32_t n_rules;
    double share; /* what it does to the number of rows; a logarithm */
} fl_join_operator;

typedef struct fl_class_member {
    int32_t relation;
    fl_col_id col;
    double log_distinct;
} fl_class_member;

typedef struct fl_equality_class {
    fl_class_member *members; /* of different relations; the most distinct values first */
    int32_t n;
    int64_t capacity;
    uint64_t *set; /* of the members' relations */
    int32_t into;  /* the class that it went into, and has no members since; -1: none */
    const fl_value_grid *grid;
    int32_t *places; /* of the members' columns in it */
    double *
        log_shares; /* by members as bits: of all combinations of their rows that have one value; NaN: nobody asked. NULL: there
                           is no grid, distinct values tell */
} fl_equality_class;

#define FL_CLASS_GRID_MAX 10 /* members of a class that has one */

/* Two sets that an operator connects, of which one has more than one relation. */
typedef struct fl_hyperedge {
    const uint64_t *left;
    const uint64_t *right;
} fl_hyperedge;

/* What several equalities between two relations keep beyond the product of their shares: they are not independent. */
typedef struct fl_correlation {
    int32_t a, b;
    double log_factor;
} fl_correlation;

typedef struct fl_join_graph {
    fl_arena *arena;
    int32_t n_relations;
    int32_t n_words;
    bool is_inner; /* all joins are: no conflicts, whatever is connected may meet */
    fl_join_relation *relations;
    fl_join_site *sites;
    int32_t n_sites;
    fl_join_operator *operators;
    int32_t n_operators;
    int64_t operators_capacity;
    fl_equality_class *classes;
    int32_t n_classes;
    int64_t classes_capacity;
    uint64_t *neighbors; /* n_words for each relation: what simple edges and classes connect it with */
    fl_hyperedge *hyperedges;
    int32_t n_hyperedges;
    int64_t hyperedges_capacity;
    fl_correlation *correlations;
    int32_t n_correlations;
    int64_t correlations_capacity;
    int32_t *site_of;      /* by relation: the site above it; -1: none */
    fl_index_map class_of; /* by column: its class, or one that went into it */
} fl_join_graph;

/** Begins a graph of n ≤ FL_JOIN_RELATIONS_MAX relations, whose descriptions the caller fills in. */
fl_status fl_join_graph_init(fl_join_graph *graph, fl_arena *arena, int32_t n_relations, fl_err *err);

/** Adds a join over relations or sites that were added before. *ret is what a later site names it by. */
fl_status fl_join_graph_add_site(fl_join_graph *graph, fl_reorder_kind kind, int32_t left, int32_t right, int32_t *ret,
                                 fl_err *err);

/** Adds a conjunct of a site: what it reads, which relations' nulls make it not true, and the share of pairs that it keeps.
 *  All conjuncts of a join that is no inner one are one operator. Sets are copied. */
fl_status fl_join_graph_add_conjunct(fl_join_graph *graph, int32_t site, int32_t conjunct, const uint64_t *used,
                                     const uint64_t *rejected, double share, bool is_equality, fl_err *err);

/** Adds an equality of two columns of different relations, a conjunct of an inner join. *ret false: it cannot be one of a
 *  class (a class would have two columns of a relation, or columns of two sides of another join), so it is a conjunct. */
fl_status fl_join_graph_add_equality(fl_join_graph *graph, int32_t site, const fl_class_member *a,
                                     const fl_class_member *b, bool *ret, fl_err *err);

/** Finds conflicts, edges, what nothing connects, and shares. */
fl_status fl_join_graph_finish(fl_join_graph *graph, fl_err *err);

/** Adds an operator as it is, and an edge between two sets, which are borrowed for the graph's life: for what makes the graph. */
fl_status fl_join_graph_add_operator(fl_join_graph *graph, const fl_join_operator *op, fl_err *err);
fl_status fl_join_graph_add_edge(fl_join_graph *graph, const uint64_t *left, const uint64_t *right, fl_err *err);

/** The class that a column is a member of; NULL: of none. */
const fl_equality_class *fl_join_graph_class(const fl_join_graph *graph, fl_col_id col);

/** The innermost site that has both relations below it. */
int32_t fl_join_graph_meeting(const fl_join_graph *graph, int32_t a, int32_t b);

/** Bytes of a row of the set. */
int32_t fl_join_graph_width(const fl_join_graph *graph, const uint64_t *set);

static inline const uint64_t *fl_join_graph_neighbors(const fl_join_graph *graph, int32_t relation)
{
    return graph->neighbors + (int64_t)relation * graph->n_words;
}

/** How two sets may meet. */
typedef struct fl_join_meeting {
    bool is_legal;
    bool is_swapped; /* the second set is the left side */
    int32_t site;    /* of the join that is no inner one; -1: inner */
} fl_join_meeting;

static inline bool fl_conflict_rules_hold(const fl_conflict_rule *rules, int32_t n, const uint64_t *set,
                                          int32_t n_words)
{
    for (int32_t i = 0; i < n; i++)
        if (fl_relation_set_meets(rules[i].from, set, n_words) && !fl_relation_set_has_all(set, rules[i].to, n_words))
            return false;
    return true;
}

/** Whether a class lets relations of a meet those of b, all of which are in `both`. *ret_crosses: it has some in each. */
bool fl_equality_class_connects(const fl_join_graph *graph, const fl_equality_class *class, const uint64_t *a,
                                const uint64_t *b, const uint64_t *both, bool *ret_crosses);

/** Whether a and b, disjoint, may meet and how: every operator whose relations are then there is taken up by this join, or it
 *  would be lost; and if one is no inner join, it is the only one. n_words is the graph's. */
static inline fl_join_meeting fl_join_graph_meet(const fl_join_graph *graph, const uint64_t *a, const uint64_t *b,
                                                 int32_t n_words)
{
    uint64_t both[FL_JOIN_RELATIONS_MAX / 64];
    fl_join_meeting ret = {.site = -1};
    bool is_connected = false, may_cross = false, is_taken = false; /* an operator is taken up */
    fl_relation_set_unite(both, a, b, n_words);
    for (int32_t i = 0; i < graph->n_operators; i++) {
        const fl_join_operator *op = &graph->operators[i];
        if (!fl_relation_set_has_all(both, op->set, n_words) || fl_relation_set_has_all(a, op->set, n_words) ||
            fl_relation_set_has_all(b, op->set, n_words))
            continue;
        bool straight = fl_relation_set_has_all(a, op->left, n_words) && fl_relation_set_has_all(b, op->right, n_words);
        bool swapped = fl_relation_set_has_all(b, op->left, n_words) && fl_relation_set_has_all(a, op->right, n_words);
        bool holds = fl_conflict_rules_hold(op->rules, op->n_rules, both, n_words);
        if (op->is_cross) {
            may_cross |= holds && (straight || swapped);
            continue;
        }
        if (!holds || (op->kind != FL_REORDER_INNER && (is_taken || !(straight || swapped))))
            return ret;
        if (op->kind != FL_REORDER_INNER) {
            ret.site = op->site;
            ret.is_swapped = swapped;
        } else if (ret.site >= 0) {
            return ret;
        }
        is_taken = true;
        is_connected |= op->is_split || straight || swapped;
    }
    for (int32_t i = 0; i < graph->n_classes; i++) {
        bool crosses;
        bool connects = fl_equality_class_connects(graph, &graph->classes[i], a, b, both, &crosses);
        if (crosses && (!connects || ret.site >= 0))
            return ret;
        is_connected |= connects;
    }
    ret.is_legal = is_connected || may_cross;
    return ret;
}

/** Whether an edge connects the sets; `neighbors` are those of the first's relations. */
static inline bool fl_join_graph_connects(const fl_join_graph *graph, const uint64_t *a, const uint64_t *neighbors,
                                          const uint64_t *b, int32_t n_words)
{
    if (fl_relation_set_meets(neighbors, b, n_words))
        return true;
    for (int32_t i = 0; i < graph->n_hyperedges; i++) {
        const fl_hyperedge *e = &graph->hyperedges[i];
        if ((fl_relation_set_has_all(a, e->left, n_words) && fl_relation_set_has_all(b, e->right, n_words)) ||
            (fl_relation_set_has_all(b, e->left, n_words) && fl_relation_set_has_all(a, e->right, n_words)))
            return true;
    }
    return false;
}

#endif
