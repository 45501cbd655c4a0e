/* The sample of a table of files: read when a plan asks for a column, kept as long as the table, and what it tells of the
 * column's values (plan/sample_stats.h), found at the same time.
 *
 * Rows come from up to 8 places, one of each of as many parts of the table that have as many rows; where in its part a place
 * lies, and which rows of its batch count, is drawn, the same way on every machine. Places are read in rounds of 2, 4 and 8 in
 * all, spread over the table as evenly as these can be. A column has another round while the bytes that are read and
 * unpacked for it stay within a budget: of one in large pages there are fewer places, the first ones. Text files have windows
 * (format/text_sample.h), each of them a place. */
#ifndef FL_FORMAT_FILE_SAMPLE_H
#define FL_FORMAT_FILE_SAMPLE_H

#include "plan/table.h"

#include <pthread.h>

#define FL_FILE_SAMPLE_PLACES FL_SAMPLE_PLACES_MAX
#define FL_FILE_SAMPLE_BATCH_ROWS 2048 /* of the scans that read it */

/* A batch of a morsel, and which of its rows are in the sample. */
typedef struct fl_file_place {
    int64_t morsel;
    int32_t batch; /* of the morsel's, from 0 on */
    int32_t n_rows;
    int32_t span;         /* rows of the batch that these were picked from */
    const uint16_t *rows; /* ascending */
} fl_file_place;

typedef struct fl_file_places {
    int32_t n;
    bool is_whole; /* all rows of the table */
    fl_file_place items[FL_FILE_SAMPLE_PLACES];
    int32_t ends[FL_FILE_SAMPLE_PLACES]; /* sums of n_rows */
} fl_file_places;

/* How a reader's tables are sampled. */
typedef struct fl_file_sampling {
    /** As fl_table_ops.scan_new, of a fl_file_scan whose morsels can be claimed in any order. The sample is locked. */
    fl_status (*scan_new)(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);
    /** The rows of a morsel. */
    int64_t (*rows_of)(const fl_scan *scan, int64_t morsel);
    bool has_windows; /* its morsels are windows, a place each; else they are all of the table */
} fl_file_sampling;

/** Picks places among morsels of rows_of(scan, 0 .. n_morsels) rows, none of them empty. Lists are the arena's. */
fl_status fl_file_places_pick(fl_arena *arena, const fl_scan *scan, int64_t n_morsels,
                              int64_t (*rows_of)(const fl_scan *scan, int64_t morsel), fl_file_places *ret,
                              fl_err *err);

/* Thread-safe but for init and drop. */
typedef struct fl_file_sample {
    fl_memory *memory;
    pthread_mutex_t lock; /* guards what follows; held while a column is read */
    fl_arena arena;
    fl_file_places *places;       /* NULL: nobody asked */
    struct fl_file_column **cols; /* [n_cols]; NULL where nobody asked */
    int32_t n_cols;
    double rows; /* of the table, where a look at it tells more than is known without; else 0 */
} fl_file_sample;

/** An empty sample; `memory` is what it will be charged to. Takes no memory. */
void fl_file_sample_init(fl_file_sample *sample, fl_memory *memory);
void fl_file_sample_drop(fl_file_sample *sample);

/** As fl_table_ops.sample, sample_stats and sample_rows. */
fl_status fl_file_sample_get(fl_file_sample *sample, fl_table *table, const fl_file_sampling *how, fl_memory *memory,
                             const int32_t *cols, int32_t n_cols, fl_vec *ret_vecs, fl_table_sample *ret, fl_err *err);
fl_status fl_file_sample_stats(fl_file_sample *sample, fl_table *table, const fl_file_sampling *how, fl_memory *memory,
                               int32_t col, fl_col_stats *ret, fl_err *err);
fl_status fl_file_sample_rows(fl_file_sample *sample, fl_table *table, const fl_file_sampling *how, fl_memory *memory,
                              double *ret, fl_err *err);

#endif
