/* Figures of a column from a sample of its rows: common values, a histogram and how many values there are, for tables in memory
 * and for files alike.
 *
 * Where rows lie together in places of the table, a value that is frequent in one of them alone is not common: the rows that
 * have it are counted as the fewer that would tell as much if they had been picked by themselves (fl_sample_likeness). Where the
 * column's rows of a place are alike, as in a sorted file, new values come from place to place: then their number
 * follows from how many there are in a place, and few rows tell how values spread. */
#ifndef FL_PLAN_SAMPLE_STATS_H
#define FL_PLAN_SAMPLE_STATS_H

#include "plan/sample_values.h"
#include "plan/table.h"

#define FL_HISTOGRAM_PARTS 64

typedef struct fl_sampled_column {
    fl_sample_column column; /* its picks are the rows of the sample */
    fl_table_sample sample;
    double place_rows;   /* of the table, from which those of a place were picked; where there are places */
    double rows;         /* of the table */
    double distinct_max; /* more values there cannot be, bounds aside; INFINITY: not known */
    bool is_unique;      /* a key by itself: its values differ, but for nulls */
} fl_sampled_column;

/** Adds to what is known of the column without a sample. Distinct values that are known better stay: counted ones, and those of
 *  a footer where they are fewer than there could be. What the figures hold lies in `arena` and in the vectors; `memory` is for
 *  what is not kept. FL_ERR_MEMORY. */
fl_status fl_sample_stats_add(const fl_sampled_column *column, fl_arena *arena, fl_memory *memory, fl_col_stats *stats,
                              fl_err *err);

#endif
