/* Statistics that lie, for tests: SET false_statistics = k. Whatever is believed of tables, answers are the same.
 *
 * Each figure is another one, drawn by the seed and by what it is about: up to a million times more or less, 0, 1e18; nulls,
 * bounds and values that are not those of the column. So one seed gives one set of plans, on every machine. */
#ifndef FL_PLAN_FALSE_STATISTICS_H
#define FL_PLAN_FALSE_STATISTICS_H

#include "plan/plan.h"
#include "plan/table.h"

/** From now on figures of this plan are false; 0: as they are. For a plan in which nothing was made yet. */
void fl_plan_tell_falsely(fl_plan *plan, uint64_t seed);

/** The share of rows for which all conjuncts are true, as it is told: in any order of them. */
double fl_false_share(const fl_plan *plan, double truth, const fl_expr *const *conjuncts, int32_t n);

/** Rows of the table, as they are told. */
double fl_false_table_rows(const fl_plan *plan, const fl_table *table, double rows);

/** Makes the statistics of a table's column those that are told. */
void fl_false_col_stats(const fl_plan *plan, const fl_table *table, int32_t col, fl_col_stats *stats);

#endif
