/* Statistics, orders and a sample of a table of segments, made when they are asked for the first time and kept as long as the table.
 * Thread-safe but for init and drop. */
#ifndef FL_STORE_TABLE_STATS_H
#define FL_STORE_TABLE_STATS_H

#include "plan/table.h"
#include "store/row_sample.h"

#include <pthread.h>

typedef struct fl_table_stats {
    const fl_table *table;
    fl_segment *const *segments;
    int64_t n_segments;
    fl_memory *memory;
    pthread_mutex_t lock; /* guards what follows; held while a column is looked at */
    fl_arena arena;
    fl_row_sample rows;           /* which the statistics are made of; none until then */
    const fl_col_stats **cols;    /* [n_cols]; NULL where nobody asked */
    fl_arena analyzed_arena;      /* ANALYZE's */
    const fl_col_stats *analyzed; /* [n_cols]; NULL: not analyzed */
    fl_row_sample picks;          /* of the table's sample */
    fl_segment **samples;         /* [n_cols]: a segment with the column alone; NULL where nobody asked */
    int32_t sample_rows;
    bool is_sample_inherited;     /* then no other columns' rows can be added to it, */
    fl_segment **retired;         /* and where one is asked for it is kept here: it was given out */
    double drift;                 /* rows that changed since the version that figures and samples are of */
    const fl_table_order *orders; /* NULL: nobody asked */
    int32_t n_orders;
} fl_table_stats;

/** For a table that has its keys and segments when it is asked; all are borrowed. Takes no memory. */
void fl_table_stats_init(fl_table_stats *stats, const fl_table *table, fl_memory *memory);
void fl_table_stats_set_segments(fl_table_stats *stats, fl_segment *const *segments, int64_t n_segments);
void fl_table_stats_drop(fl_table_stats *stats);

/** Takes over what is known of the version before, of which so many rows were changed, or as many came: figures that come of samples, and the
 *  sample itself, as long as few rows changed since they were picked; bounds and nulls are this version's own. Before anybody asks
 *  for anything. Where there is no memory, less. */
void fl_table_stats_inherit(fl_table_stats *stats, fl_table_stats *old, double n_changed);

/** As fl_table_ops.stats: a millisecond or two for a column's first time. Where there is no memory, what costs none. */
void fl_table_stats_get(fl_table_stats *stats, int32_t col, fl_col_stats *ret);

/** As fl_table_ops.orders, with the order that the rows were put in (see fl_table_order_find). Where there is no memory, none. */
int32_t fl_table_stats_orders(fl_table_stats *stats, const fl_table_order *declared, const fl_table_order **ret);

/** As fl_table_ops.sample. */
fl_status fl_table_stats_sample(fl_table_stats *stats, const int32_t *cols, int32_t n_cols, fl_vec *ret_vecs,
                                fl_table_sample *ret, fl_err *err);

/** Looks at all rows, once: a table does not change. `memory` is the statement's. */
fl_status fl_table_stats_analyze(fl_table_stats *stats, fl_memory *memory, fl_err *err);

#endif
