/* Regions of joins: what the rules order_joins and reorder_joins share.
 *
 * A region is a maximal tree of joins that may be put in another order: inner, left, right, full, semi and anti joins together, up
 * to 64 relations; larger regions are of inner joins alone. Conjuncts that can raise stay where the text has them: a join with one is
 * a region's border, as are joins that put out marks or single rows. Everything lies in the scratch of a rule's call. */
#ifndef FL_RULE_JOIN_REGION_H
#define FL_RULE_JOIN_REGION_H

#include "opt/join_order.h"
#include "plan/rule.h"

typedef struct fl_join_regions fl_join_regions;

/* What the regions of a plan have in common. */
struct fl_join_regions {
    fl_plan *plan;
    fl_arena *scratch;
    fl_col_set read;      /* columns that anything in the plan reads */
    int32_t *owners;      /* by column, of the region whose graph is made: the relation that makes it, + 1 */
    const fl_node **done; /* by node id: what became of a node, which may be the input of several */
    /* What becomes of a relation; NULL: it stays as it is. */
    fl_status (*of_relation)(fl_join_regions *regions, const fl_node *node, const fl_node **ret, fl_err *err);
};

/* An equality of a class, as the query has it. */
typedef struct fl_written_equality {
    const fl_expr *expr;
    int32_t number; /* among the region's conjuncts */
    int32_t site;
    int32_t a, b; /* relations of its columns */
    int32_t next; /* of its class; -1: none */
} fl_written_equality;

typedef struct fl_join_region {
    fl_join_regions *regions;
    bool has_outer;
    int32_t n_relations, n_sites, n_conjuncts;
    const fl_node **relations;
    const fl_node **joins; /* by site */
    const fl_expr **conjuncts;
    fl_written_equality *equalities;
    int32_t n_equalities;
    fl_join_graph graph;
    int32_t *first_equality; /* by class; -1: none */
} fl_join_region;

fl_status fl_join_regions_init(fl_join_regions *regions, const fl_rule_call *call, fl_err *err);

bool fl_join_is_inner(const fl_node *join);

/** Whether a node is a join of a region, or of one of inner joins alone. */
bool fl_join_is_ordered(const fl_node *node, bool has_outer);

/** Sizes the region below a node; false: there is none to order. */
bool fl_join_region_measure(fl_join_region *region, const fl_node *node);

/** Makes the graph of a region that was measured; *ret false: it stays as it is, since two relations make one column. */
fl_status fl_join_region_prepare(fl_join_region *region, const fl_node *node, bool *ret, fl_err *err);

/** The join of a tree over plans of its sides (join_sides.c); *ret NULL: these do not put out all that it takes. */
fl_status fl_join_region_join(const fl_join_region *region, const fl_join_tree *tree, const fl_node *left,
                              const fl_node *right, const fl_node **ret, fl_err *err);

static inline bool fl_join_puts_out(const fl_node *side, fl_col_id col)
{
    return fl_col_set_has(&side->made, col);
}

#endif
