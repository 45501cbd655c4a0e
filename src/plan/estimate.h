/* Estimates: selectivity of predicates and distinct values of columns, from samples and statistics of the tables.
 *
 * Where neither tells: uniform values between min and max, independent conjuncts, containment of join keys. An estimate is
 * never 0 and never overflows. */
#ifndef FL_PLAN_ESTIMATE_H
#define FL_PLAN_ESTIMATE_H

#include "plan/node.h"
#include "plan/table.h"

/** The share of rows that satisfy the expression: (0, 1]. */
double fl_estimate_selectivity(const fl_plan *plan, const fl_expr *predicate);

/** The same of conjuncts. */
double fl_estimate_conjuncts(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n);

/** The same of a condition of a join, among the pairs of rows that are left by what was derived from it and is asked of a side
 *  already (fl_plan_note_implied). */
double fl_estimate_condition(const fl_plan *plan, const fl_expr *condition);

/** The share of the pairs of two inputs' rows that satisfy all conjuncts. Equalities of several columns are a key together. */
double fl_estimate_join(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n, const fl_node *left,
                        const fl_node *right);

/** Distinct values of an expression among `rows` rows: [1, rows]. */
double fl_estimate_distinct(const fl_plan *plan, const fl_expr *expr, double rows);

/** Rows of a table: at least 1. */
double fl_estimate_table_rows(const fl_plan *plan, fl_table *table);

/** Statistics of the base column behind a column; false when it is computed. */
bool fl_estimate_col_stats(const fl_plan *plan, fl_col_id col, fl_col_stats *ret, double *ret_rows);

#endif
