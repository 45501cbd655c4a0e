/* The table of what work takes, and the sums over it. */
#include "opt/cost.h"

#include "plan/estimate.h"

#include <math.h>

/* Nanoseconds on one core, as bench/calibrate_cost.py prints them, rounded. */
static const double kind_ns[] = {
    [FL_COST_ROW] = 0.2,     [FL_COST_READ] = 1,        [FL_COST_TEST] = 1.2,  [FL_COST_TEST_TEXT] = 4,
    [FL_COST_COMPUTE] = 0.8, [FL_COST_BUILD] = 25,      [FL_COST_PROBE] = 3,   [FL_COST_FILTER_ROW] = 0.6,
    [FL_COST_PAIR] = 8,      [FL_COST_GROUP] = 6,       [FL_COST_PLACE] = 2.5, [FL_COST_AGGREGATE] = 0.6,
    [FL_COST_SORT] = 1.8,    [FL_COST_HEAP] = 0.6,      [FL_COST_KEEP] = 1.5,  [FL_COST_MERGE] = 2,
    [FL_COST_RUN] = 2,       [FL_COST_RUN_GROUP] = 3.5,
};

#define NS_PER_BYTE 0.05         /* memory that is taken: cleared, and given back */
#define ROW_BYTES 24             /* of a kept row: hash, null bits, room */
#define VALUE_BYTES 10           /* of its columns, short and long ones together */
#define CACHE_BYTES (1 << 20)    /* what is near at any time */
#define SLOWER_PER_DOUBLING 0.35 /* for each doubling beyond the cache */
#define SLOWER_MAX 4.0

void fl_cost_add(fl_cost *cost, fl_cost_kind kind, double times)
{
    cost->ns += kind_ns[kind] * times;
    cost->rows += times;
}

void fl_cost_add_random(fl_cost *cost, fl_cost_kind kind, double times, double bytes)
{
    double doublings = bytes > CACHE_BYTES ? log2(bytes / CACHE_BYTES) : 0;
    cost->ns += kind_ns[kind] * times * fmin(SLOWER_MAX, 1 + SLOWER_PER_DOUBLING * doublings);
    cost->rows += times;
}

double fl_cost_row_bytes(int32_t n_cols)
{
    return ROW_BYTES + VALUE_BYTES * (double)n_cols;
}

void fl_cost_add_kept(fl_cost *cost, double rows, int32_t n_cols)
{
    cost->ns += kind_ns[FL_COST_KEEP] * rows * n_cols;
    cost->bytes += rows * fl_cost_row_bytes(n_cols);
}

static bool reads_text(const fl_expr *e)
{
    for (int32_t i = 0; i < e->n_args; i++)
        if (fl_type_is_string(e->args[i]->type))
            return true;
    return false;
}

void fl_cost_add_tests(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n, double rows, fl_cost *cost)
{
    for (int32_t i = 0; i < n; i++) {
        fl_cost_add(cost, reads_text(conjuncts[i]) ? FL_COST_TEST_TEXT : FL_COST_TEST, rows);
        if (i + 1 < n)
            rows *= fl_estimate_selectivity(plan, conjuncts[i]);
    }
}

fl_cost fl_cost_of(const fl_plan *plan, const fl_node *node)
{
    fl_cost cost = {0};
    fl_cost_add(&cost, FL_COST_ROW, node->rows);
    if (node->op->cost != NULL)
        node->op->cost(plan, node, &cost);
    return cost;
}

double fl_cost_total(const fl_cost *cost)
{
    return cost->ns + cost->bytes * NS_PER_BYTE;
}

double fl_cost_bound(double rows)
{
    return kind_ns[FL_COST_ROW] * rows;
}

void fl_cost_sum(fl_cost *to, const fl_cost *cost)
{
    to->ns += cost->ns;
    to->bytes += cost->bytes;
    to->rows += cost->rows;
}
