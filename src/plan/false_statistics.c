/* Statistics that lie: pseudo-random numbers of the seed and of what they are about. */
#include "plan/false_statistics.h"

#include "base/hash.h"
#include "plan/plan_internal.h"

#include <math.h>

#define FACTOR_LOG10_MAX 6.0
#define MUCH 1e18
#define ROWS_ABOUT (-1) /* in the place of a column */

/* In [0, 1): the n-th number about the thing. */
static double draw(const fl_plan *plan, uint64_t about, uint64_t n)
{
    uint64_t bits = fl_hash_combine(fl_hash_u64(about, plan->false_statistics), n);
    return (double)(bits >> 11) * 0x1p-53;
}

static uint64_t about_column(const fl_table *table, int32_t col)
{
    return fl_hash_combine(fl_hash_str(table->name.data, table->name.len, 0), (uint64_t)(int64_t)col);
}

void fl_plan_tell_falsely(fl_plan *plan, uint64_t seed)
{
    plan->false_statistics = seed;
}

/* The figure, or what is told instead; never NaN where the truth is none. */
static double figure(const fl_plan *plan, double truth, uint64_t about)
{
    if (plan->false_statistics == 0)
        return truth;
    double how = draw(plan, about, 0);
    if (how < 0.1)
        return 0;
    if (how < 0.2)
        return MUCH;
    return truth * pow(10, FACTOR_LOG10_MAX * (2 * draw(plan, about, 1) - 1));
}

double fl_false_share(const fl_plan *plan, double truth, const fl_expr *const *conjuncts, int32_t n)
{
    uint64_t about = 0;
    if (plan->false_statistics == 0 || plan->making == NULL)
        return truth;
    for (int32_t i = 0; i < n; i++)
        about += fl_expr_head_of(conjuncts[i])->hash;
    return figure(plan, truth, about);
}

double fl_false_table_rows(const fl_plan *plan, const fl_table *table, double rows)
{
    return plan->false_statistics == 0 ? rows : figure(plan, rows, about_column(table, ROWS_ABOUT));
}

/* Bounds that no row keeps: turned round, of one value, or of none. */
static void falsify_bounds(double how, fl_col_stats *stats)
{
    fl_value min = stats->min;
    if (how < 0.25) {
        stats->has_bounds = false;
    } else if (how < 0.5) {
        stats->min = stats->max;
        stats->max = min;
    } else if (how < 0.75) {
        stats->max = min;
    } else if (stats->min.type.id == FL_F64) {
        stats->min.f = NAN;
        stats->max.f = NAN;
    } else {
        stats->min = stats->max;
    }
}

void fl_false_col_stats(const fl_plan *plan, const fl_table *table, int32_t col, fl_col_stats *stats)
{
    if (plan->false_statistics == 0)
        return;
    uint64_t about = about_column(table, col);
    if (stats->has_bounds && draw(plan, about, 2) < 0.7)
        falsify_bounds(draw(plan, about, 3), stats);
    if (draw(plan, about, 4) < 0.7)
        stats->null_fraction = floor(draw(plan, about, 5) * 5) / 4;
    if (stats->distinct >= 0)
        stats->distinct = figure(plan, stats->distinct, about);
    if (draw(plan, about, 6) < 0.5)
        stats->n_common = stats->n_common < 1 ? 0 : 1;
    if (draw(plan, about, 7) < 0.5)
        stats->n_histogram = 0;
}
