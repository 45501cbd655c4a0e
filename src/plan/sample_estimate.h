/* Selectivity by looking: conjuncts over one table's columns are evaluated on a sample of its rows.
 *
 * What a conjunct is true for is remembered, so that a set of them costs an AND of bits, and correlation between them counts
 * as it is. Where few rows of the sample are left it only says that there are few. */
#ifndef FL_PLAN_SAMPLE_ESTIMATE_H
#define FL_PLAN_SAMPLE_ESTIMATE_H

#include "plan/evaluator.h"
#include "plan/table.h"

/* Rows that lie together in their table tell less than as many picked by themselves: they are counted as the fewer that would
 * tell as much. */
typedef struct fl_sample_estimate {
    double rows; /* of the sample; 0: nothing was looked at */
    double hits; /* rows for which all conjuncts that were looked at are true */
} fl_sample_estimate;

#define FL_SAMPLE_HITS_MIN 8 /* hits below it are no measure by themselves */

/** Whose evaluator looks at samples from now on; NULL ends it. What was seen is kept. The evaluator is borrowed. */
fl_status fl_plan_look_at_samples(fl_plan *plan, fl_evaluator *evaluator, fl_err *err);

/** What a column's sample tells of its values, where it has to be read for that and reading it is worth it: in a plan that is being
 *  made, of several scans. False: there is no more than the table's `stats`. */
bool fl_sample_estimate_stats(const fl_plan *plan, fl_table *table, int32_t col, fl_col_stats *ret);

/** In the same way, how many rows the table has. */
bool fl_sample_estimate_rows(const fl_plan *plan, fl_table *table, double *ret);

/** How much more the share of rows for which all of the n ≥ 1 bitmaps are set differs from place to place than it would among
 *  rows that were picked by themselves: 1, or the factor. */
double fl_sample_likeness(const fl_table_sample *sample, const uint64_t *const *masks, int32_t n);

/** The same by the rows of each place that are counted. */
double fl_sample_likeness_of_hits(const fl_table_sample *sample, const int32_t *hits);

/** Looks at all conjuncts together that read columns of the same table as the first of them that can be looked at does;
 *  ret_seen[i]: whether conjunct i is among them. For a plan that is being made. */
void fl_sample_estimate_conjuncts(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n, bool *ret_seen,
                                  fl_sample_estimate *ret);

#define FL_SAMPLE_GROWING_MAX 64

/* Rows of a sample by two of its columns that grow together, ascending; all rows lie between the first and the last. */
typedef struct fl_sample_growing {
    int32_t n;
    double keys[FL_SAMPLE_GROWING_MAX];
    double values[FL_SAMPLE_GROWING_MAX];
} fl_sample_growing;

/** Some rows of a sample, where `value` grows with `key`, both numbers or dates of one scan; NULL: it does not, or that was not seen. Looked
 *  at once. For a plan that is being made. */
const fl_sample_growing *fl_sample_estimate_growing(const fl_plan *plan, fl_col_id key, fl_col_id value);

/** How much more often rows of a table satisfy both sets of conjuncts, of two scans of it, than if these were independent: a factor, 1
 *  where that was not seen. */
double fl_sample_estimate_overlap(const fl_plan *plan, const fl_expr *const *a, int32_t n_a, const fl_expr *const *b,
                                  int32_t n_b);

#endif
