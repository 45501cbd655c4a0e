/* Properties: what is true of the rows that an operator puts out, whatever the data.
 *
 * A class says in derive_props what it makes of its inputs' properties; rules ask for properties and never for classes. They
 * are derived when they are asked for, once a node, and belong to where they are looked at: a column that is not null below an
 * outer join can be null above it.
 *
 * Keys, constants and equal columns go by `IS NOT DISTINCT FROM`, so nulls are equal to each other. */
#ifndef FL_PLAN_PROPS_H
#define FL_PLAN_PROPS_H

#include "plan/null.h"
#include "plan/ordering.h"

#define FL_PROPS_KEYS_MAX 8
#define FL_PROPS_DEPENDENCIES_MAX 16
#define FL_PROPS_TESTS_MAX 16
#define FL_PROPS_MARKS_MAX 16
#define FL_PROPS_ORDERS_MAX 8
#define FL_ORDERINGS_MAX (FL_PROPS_ORDERS_MAX + 1) /* of a node: with the one that its operators give */

/* Rows that agree in all columns of `from` agree in those of `to`. */
typedef struct fl_dependency {
    fl_col_set from;
    fl_col_set to;
} fl_dependency;

struct fl_props {
    fl_col_set not_null; /* columns that hold no null */
    fl_col_set constant; /* columns that hold the same in all rows */
    int32_t n_keys;      /* FL_PROPS_KEYS_MAX at most: more are not kept */
    fl_col_set *keys;    /* no two rows agree in all columns of one; an empty one: there is one row at most */
    int32_t n_equal;
    fl_col_set *equal; /* columns of one hold the same in each row; no column is in two */
    int64_t equal_capacity;
    int32_t n_dependencies;      /* FL_PROPS_DEPENDENCIES_MAX at most */
    fl_dependency *dependencies; /* beyond what keys, constants and equal columns say */
    int32_t n_tests;             /* FL_PROPS_TESTS_MAX at most */
    const fl_expr **tests; /* true of each row; of one column, and such as may be said of another that is equal to it */
    int32_t n_marks;       /* FL_PROPS_MARKS_MAX at most */
    fl_mark *marks;        /* boolean columns that tell of others, when true, that they are not null */
    int32_t n_orders;      /* FL_PROPS_ORDERS_MAX at most */
    const fl_ordering *orders; /* the rows come in each of them; columns of a key are all that are equal to it */
    double rows_min;           /* never more than the rows there are */
    double rows_max;           /* never less; INFINITY: no bound is known */
};

/** The node's properties; they live as long as the plan. For a plan that is being made. */
fl_status fl_node_props(fl_plan *plan, const fl_node *node, const fl_props **ret, fl_err *err);

/** Columns that are not null in the rows which the node's own expressions see: those of its inputs. */
fl_status fl_node_input_not_null(fl_plan *plan, const fl_node *node, fl_col_set *ret, fl_err *err);

/** Whether no two rows agree in all of these columns, by keys and by all that determines columns. */
fl_status fl_props_has_key(fl_plan *plan, const fl_props *props, const fl_col_set *cols, bool *ret, fl_err *err);

/** Whether the rows come in the order of the keys: by their own orders, by columns that are constant or determined by those
 *  before them. Keys that are no columns are not known. */
fl_status fl_props_is_ordered(fl_plan *plan, const fl_props *props, const fl_sort_key *keys, int32_t n, bool *ret,
                              fl_err *err);

/** Whether a further sort key decides nothing between rows that agree in the columns `fixed`, which is closed (fl_props_close). */
fl_status fl_props_decides_nothing(fl_plan *plan, const fl_props *props, const fl_col_set *fixed, const fl_expr *key,
                                   bool *ret, fl_err *err);

/** Adds to `set` what it determines: columns that agree where all of its columns do. */
fl_status fl_props_close(fl_plan *plan, const fl_props *props, fl_col_set *set, fl_err *err);

/** `not null: a, b; keys: (a), (b, c); rows: 0..10`, of what is known. */
void fl_props_print(fl_text *text, const fl_plan *plan, const fl_props *props);

/* For derive_props. `ret` begins with nothing known: no rows at least, no bound above. What speaks of columns that the node
 * does not put out is taken away afterwards. */

fl_status fl_props_add_key(fl_plan *plan, fl_props *props, const fl_col_set *cols, fl_err *err);
fl_status fl_props_add_dependency(fl_plan *plan, fl_props *props, const fl_col_set *from, const fl_col_set *to,
                                  fl_err *err);

/** Whether it is `a = b` or `a IS NOT DISTINCT FROM b`. */
bool fl_expr_is_equality(const fl_expr *expr);

fl_status fl_props_add_equal(fl_plan *plan, fl_props *props, fl_col_id a, fl_col_id b, fl_err *err);

/** Where the boolean column is true all conjuncts are. */
fl_status fl_props_add_mark(fl_plan *plan, fl_props *props, fl_col_id mark, const fl_expr *const *conjuncts, int32_t n,
                            fl_err *err);

/** What is true of rows that satisfy all conjuncts. */
fl_status fl_props_add_conjuncts(fl_plan *plan, fl_props *props, const fl_expr *const *conjuncts, int32_t n,
                                 fl_err *err);

/** `col` is computed of other columns of the rows by this expression. */
fl_status fl_props_add_computed(fl_plan *plan, fl_props *props, fl_col_id col, const fl_expr *expr, fl_err *err);

/** All that is known of other rows, whose columns these have: but for their number. */
fl_status fl_props_add_all(fl_plan *plan, fl_props *props, const fl_props *other, fl_err *err);

/** The rows come in this order, too. The keys are borrowed for as long as the plan lives. */
fl_status fl_props_add_order(fl_plan *plan, fl_props *props, fl_ordering order, fl_err *err);

/** The rows come in the order of these keys, equal ones in the orders that `ret` has so far. */
fl_status fl_props_put_order(fl_plan *plan, fl_props *props, const fl_sort_key *keys, int32_t n, fl_err *err);

/** derive_props of a class that puts out its first input's rows as they are, in their order. */
fl_status fl_props_pass(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret, fl_err *err);

#endif
