/* Unnesting: a plan that reads columns of an outer one is freed of them, so that a join can stand between both (Neumann &
 * Kemper 2015, "Unnesting Arbitrary Queries"). The rule unnest_apply drives it; each class says what becomes of its operators.
 *
 * Pulling up: conjuncts with outer columns leave the plan and become the join's condition. A class's `pull` gives the node
 * without them, over inputs that were pulled (fl_unnesting_pull), and puts out all inner columns that they read. A class without
 * one is pushed.
 *
 * Pushing down: the domain, the distinct values of the outer columns, is joined into the plan where they are used. A class's
 * `push` gives the node's rows for each value of the domain, over inputs that were pushed (fl_unnesting_push), with all of its
 * columns and those of the domain: ret_cols[i] is then what cols[i] was.
 *
 * A plan with an operator whose class has neither is refused, by the operator's name. */
#ifndef FL_PLAN_UNNESTING_H
#define FL_PLAN_UNNESTING_H

#include "plan/node.h"

typedef struct fl_unnesting fl_unnesting;

/** `missing_is_null`: where the node has no row for some outer values, the plan above may see the nulls of an outer join instead
 *  of what it would make of that. *ret stays NULL when it cannot be pulled. */
typedef fl_status (*fl_unnesting_pull_fn)(fl_unnesting *u, const fl_node *node, bool missing_is_null,
                                          const fl_node **ret, fl_err *err);
/** ret_cols has room for u->n_cols. */
typedef fl_status (*fl_unnesting_push_fn)(fl_unnesting *u, const fl_node *node, const fl_node **ret,
                                          fl_col_id *ret_cols, fl_err *err);

struct fl_unnesting {
    fl_plan *plan;
    const fl_col_set *outer; /* columns to be free of */
    /* pulling */
    const fl_expr *
        *pulled; /* conjuncts on their way up: a class that renames what they read changes those that came from below */
    int32_t n_pulled;
    int64_t pulled_capacity;
    /* pushing */
    fl_col_id *cols; /* outer columns that are used */
    int32_t n_cols;
    const fl_node *domain;
    fl_col_id *domain_cols;           /* its columns, parallel to cols; each use makes copies of them */
    fl_unnesting_push_fn push_domain; /* of a plan without outer columns: all its rows for each value of the domain */
};

/** Whether the node or one below it uses outer columns; whether an expression does. */
bool fl_unnesting_is_needed(const fl_unnesting *u, const fl_node *node);
fl_status fl_unnesting_reads_outer(const fl_unnesting *u, const fl_expr *expr, bool *ret, fl_err *err);

/** The node without outer columns, if its class can do it: else *ret is NULL. */
fl_status fl_unnesting_pull(fl_unnesting *u, const fl_node *node, bool missing_is_null, const fl_node **ret,
                            fl_err *err);

/** Puts a conjunct on its way up. */
fl_status fl_unnesting_add_pulled(fl_unnesting *u, const fl_expr *conjunct, fl_err *err);

/** Parts conjuncts: those with outer columns go up, others are in ret_kept, which has room for n. */
fl_status fl_unnesting_part(fl_unnesting *u, const fl_expr *const *conjuncts, int32_t n, const fl_expr **ret_kept,
                            int32_t *ret_n_kept, fl_err *err);

/** Columns of `input` that the pulled conjuncts from number `from` on read; in the plan's arena. */
fl_status fl_unnesting_pulled_cols(fl_unnesting *u, int32_t from, const fl_node *input, fl_col_id **ret, int32_t *ret_n,
                                   fl_err *err);

/** The node's rows for each value of the domain. FL_ERR_UNSUPPORTED, with the operator's name, when its class cannot do it. */
fl_status fl_unnesting_push(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols,
                            fl_err *err);

/** push of a class whose nodes have one input, put out all of its columns and treat each row by itself. */
fl_status fl_unnesting_push_rows(fl_unnesting *u, const fl_node *node, const fl_node **ret, fl_col_id *ret_cols,
                                 fl_err *err);

/** The expression with to[i] in the place of the outer column cols[i]. */
fl_status fl_unnesting_rename(const fl_unnesting *u, const fl_col_id *to, const fl_expr *expr, const fl_expr **ret,
                              fl_err *err);

/** ret[i] is `a[i] IS NOT DISTINCT FROM b[i]`, for each of u->n_cols. */
fl_status fl_unnesting_equate(const fl_unnesting *u, const fl_col_id *a, const fl_col_id *b, const fl_expr **ret,
                              fl_err *err);

#endif
