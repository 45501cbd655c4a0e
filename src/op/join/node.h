/* join: rows of two inputs that meet.
 *
 * kind      puts out
 * inner     left and right columns of each pair that satisfies all conjuncts (none: the cross product)
 * left      as inner, and unmatched left rows with nulls at the right; right and full likewise
 * semi      left rows with at least one partner; anti: with none
 * mark      left columns and the boolean `mark`: true with a partner, null when a comparison was null and none is true
 *           (three-valued IN), else false
 * single    as left, but more than one partner is FL_ERR_CARDINALITY (scalar subqueries)
 * first     as left, but of several partners any one (UPDATE ... FROM) */
#ifndef FL_OP_JOIN_NODE_H
#define FL_OP_JOIN_NODE_H

#include "plan/node.h"

typedef enum fl_join_kind {
    FL_JOIN_INNER,
    FL_JOIN_LEFT,
    FL_JOIN_RIGHT,
    FL_JOIN_FULL,
    FL_JOIN_SEMI,
    FL_JOIN_ANTI,
    FL_JOIN_MARK,
    FL_JOIN_SINGLE,
    FL_JOIN_FIRST
} fl_join_kind;

typedef struct fl_join_attrs {
    int32_t kind;
    int32_t n_conjuncts;
    const fl_expr *const *conjuncts; /* over columns of both sides */
    fl_col_id mark;                  /* FL_JOIN_MARK */
    bool build_left;                 /* lowered semi and anti joins: the table holds the left side's rows */
    bool filters_probe;              /* lowered: the build's keys are handed to the probe side's scans */
    int32_t
        n_order; /* lowered to merging, at most FL_JOIN_ORDER_MAX: the order of the left rows, by columns in equalities; */
    const fl_sort_key *order; /* that of the right rows is of the columns that are equal to them */
} fl_join_attrs;

#define FL_JOIN_ORDER_MAX 8

extern const fl_op_desc fl_op_join;

/** Joins; `predicate` NULL = none. For FL_JOIN_MARK *ret_mark is the new column (else it may be NULL). */
fl_status fl_join_build(fl_plan *plan, fl_join_kind kind, const fl_node *left, const fl_node *right,
                        const fl_expr *predicate, fl_col_id *ret_mark, const fl_node **ret, fl_err *err);
fl_status fl_join_build_all(fl_plan *plan, fl_join_kind kind, const fl_node *left, const fl_node *right,
                            const fl_expr *const *conjuncts, int32_t n, fl_col_id mark, const fl_node **ret,
                            fl_err *err);

/** derive_props of a join of these attributes over the node's inputs; also of an apply (`is_dependent`). */
fl_status fl_join_derive_props(fl_plan *plan, const fl_node *node, const fl_join_attrs *attrs, bool is_dependent,
                               const fl_props *const *inputs, fl_props *ret, fl_err *err);

/** Whether a row of the other input meets at most one of this one (`side` 0: left, 1: right): the conjuncts fix a key of it. */
fl_status fl_join_meets_one(fl_plan *plan, const fl_node *node, int32_t side, bool *ret, fl_err *err);

/** Whether a conjunct is an equality that rows can be merged by: of a column of each side, of one type whose order tells equal
 *  values. ret_sides: both columns, the left one first. */
bool fl_join_equality(const fl_node *node, const fl_expr *conjunct, fl_col_id *ret_sides);

/** Of a merge join, the conjunct by which key k of its order is: the first equality of that left column. */
const fl_expr *fl_join_merge_key(const fl_node *node, int32_t k, fl_col_id *ret_sides);

/** fl_op_desc.needs and .gives. */
fl_status fl_join_needs(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want, int32_t way,
                        const fl_trait_set **ret, fl_err *err);
fl_status fl_join_gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs, const fl_trait_set **ret,
                        fl_err *err);

/** Whether rows come in the order of the left input: it is probed, and no row waits till its batch or the probe is done. */
bool fl_join_keeps_left_order(const fl_node *node);

/** How rows go through a join of this kind (FL_ROWS_... of plan/rewrites.h), and through an apply. */
uint32_t fl_join_flow(fl_join_kind kind);

/** Whether rows of the side (0: left, 1: right) that meet none do not show, so that they may be dropped below. What a mark says
 *  of its right side's depends on their nulls. */
bool fl_join_drops_unmet(fl_join_kind kind, int32_t side);

/** Whether a hash join of these inputs is in a recursion and builds what is the same in each round, so that it is built once. */
bool fl_join_is_kept(const fl_node *left, const fl_node *right, const fl_join_attrs *join);

static inline const fl_join_attrs *fl_join_of(const fl_node *node)
{
    return node->attrs;
}

#endif
