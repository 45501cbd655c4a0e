/* What a join costs: the one place that says so while joins are put in order.
 *
 * A hash join: rows that are built, rows that probe, rows that come out, in units of a row put out. The smaller side is built,
 * of two as large the narrower, but of a full join always the right one. Rows may be fractions: so early in an order nothing is rounded up to one. */
#ifndef FL_OPT_JOIN_COST_H
#define FL_OPT_JOIN_COST_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fl_join_side {
    double rows;
    int32_t width; /* bytes of a row, of the columns that are read above it */
} fl_join_side;

static inline bool fl_join_builds_left(fl_join_side left, fl_join_side right)
{
    return left.rows < right.rows || (left.rows == right.rows && left.width < right.width);
}

/** `builds_right`: the kind of join leaves no choice. */
double fl_join_cost(fl_join_side left, fl_join_side right, double rows, bool builds_right);

#endif
