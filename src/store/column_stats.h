/* Figures of one column of segments: bounds and nulls, common values, a histogram and the number of distinct values. */
#ifndef FL_STORE_COLUMN_STATS_H
#define FL_STORE_COLUMN_STATS_H

#include "base/interrupt.h"
#include "plan/table.h"
#include "store/row_sample.h"

typedef struct fl_stats_column {
    fl_segment *const *segments;
    int64_t n_segments;
    int32_t col;
    fl_type type;
    double rows;
    bool is_unique; /* a key by itself: its values differ, but for nulls */
} fl_stats_column;

/** What the segments say of themselves. */
void fl_column_stats_init(const fl_stats_column *column, fl_col_stats *ret);

/** Counts distinct values of all rows. FL_ERR_CANCELLED, FL_ERR_TIMEOUT, FL_ERR_MEMORY. */
fl_status fl_column_stats_count(const fl_stats_column *column, fl_memory *memory, fl_col_stats *stats, fl_err *err);

/** Adds common values and a histogram, and distinct values where they are not known better. What the figures hold lies in
 *  `arena` and in the segments. */
fl_status fl_column_stats_add_sample(const fl_stats_column *column, const fl_row_sample *sample, fl_arena *arena,
                                     fl_memory *memory, fl_col_stats *stats, fl_err *err);

#endif
