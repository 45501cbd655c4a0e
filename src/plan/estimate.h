/* Estimates: selectivity of predicates and distinct values of columns, from samples and statistics of the tables.
 *
 * Where neither tells: uniform values between min and max, independent conjuncts, containment of join keys. An estimate is
 * never 0 and never overflows. */
#ifndef FL_PLAN_ESTIMATE_H
#define FL_PLAN_ESTIMATE_H

#include "plan/node.h"
#include "plan/table.h"
#include "plan/value_grid.h"

/** The share of rows that satisfy the expression: (0, 1]. */
double fl_estimate_selectivity(const fl_plan *plan, const fl_expr *predicate);

/** The same of conjuncts. */
double fl_estimate_conjuncts(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n);

/** The same of a condition of a join, among the pairs of rows that are left by what was derived from it and is asked of a side
 *  already (fl_plan_note_implied). */
double fl_estimate_condition(const fl_plan *plan, const fl_expr *condition);

#define FL_EQUAL_COLS_MAX 8

/* Columns that hold the same value in each row of a node that is counted, and to be counted as often as they are there. */
typedef struct fl_equal_cols {
    fl_col_id cols[FL_EQUAL_COLS_MAX];
    int32_t n;
} fl_equal_cols;

/** The share of the pairs of two inputs' rows that satisfy all conjuncts. Equalities of several columns are a key together.
 *  find_equal adds the columns that the joins of an input made equal to the first one: whose values count there, too. */
double fl_estimate_join(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n, const fl_node *left,
                        const fl_node *right, void (*find_equal)(const fl_node *input, fl_equal_cols *cols));

/** A grid with the values of columns of one type, found once while the plan is optimized; ret_places[i]: which of the grid's columns
 *  cols[i] is. NULL where nothing but numbers of values matters: values of one column at the most are more frequent than others, or
 *  not known. n ≤ 2 * FL_EQUAL_COLS_MAX. */
const fl_value_grid *fl_estimate_value_grid(const fl_plan *plan, const fl_col_id *cols, int32_t n, int32_t *ret_places);

/** What equal keys do to pairs of a table's rows with each other beyond the share that their values tell: rows that meet are the same row,
 *  so that conjuncts of both scans hold of it, or exclude each other. a_col is made below the node a. 1: they are no such keys. */
double fl_estimate_same_rows(const fl_plan *plan, const fl_node *a, fl_col_id a_col, const fl_node *b, fl_col_id b_col);

/** What filters of the scan that makes the column do to how often its values meet those of the other column, beyond the share of rows
 *  that they leave (plan/meeting_range.h): a factor. */
double fl_estimate_kept_in_range(const fl_plan *plan, const fl_node *node, fl_col_id col, fl_col_id other);

/** Distinct values of an expression among `rows` rows: [1, rows]. */
double fl_estimate_distinct(const fl_plan *plan, const fl_expr *expr, double rows);

/** Rows of a table: at least 1. */
double fl_estimate_table_rows(const fl_plan *plan, fl_table *table);

/** Statistics of the base column behind a column; false when it is computed. */
bool fl_estimate_col_stats(const fl_plan *plan, fl_col_id col, fl_col_stats *ret, double *ret_rows);

#endif
