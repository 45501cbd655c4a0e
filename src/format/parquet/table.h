/* A table of one or several Parquet files, and what its scans share with it. */
#ifndef FL_FORMAT_PARQUET_TABLE_H
#define FL_FORMAT_PARQUET_TABLE_H

#include "format/files_table.h"
#include "format/parquet/metadata.h"

/* A column's statistics, found when they are first asked for: the planner asks hundreds of times in one plan. Whoever asks
 * while another thread puts them there finds them for itself. */
typedef struct fl_pq_known_stats {
    _Atomic int32_t state; /* FL_PQ_STATS_* */
    fl_col_stats stats;
} fl_pq_known_stats;

enum { FL_PQ_STATS_UNKNOWN, FL_PQ_STATS_COMING, FL_PQ_STATS_KNOWN };

typedef struct fl_pq_table {
    fl_files_table base;
    fl_pq_metadata *files;
    int32_t *models; /* per column: the file whose type it has, the first that says more than "nothing but nulls" */
    fl_pq_known_stats *stats; /* per column */
    fl_table_order order;     /* that the files claim; n_keys 0: none */
    bool verifies_checksums;
    bool has_row_numbers; /* the last column */
    fl_pq_type_options types;
} fl_pq_table;

extern const fl_format_desc fl_format_parquet;

/** fl_table_ops.scan_new of Parquet tables. */
fl_status fl_pq_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

/** Finds the order in which the files claim that the rows of the table come. */
fl_status fl_pq_table_find_order(fl_pq_table *table, fl_err *err);

/** The rows of a morsel of a scan that fl_pq_scan_new made. */
int64_t fl_pq_scan_morsel_rows(const fl_scan *scan, int64_t morsel);

/** fl_table_ops.stats of Parquet tables. */
void fl_pq_table_stats(fl_table *table, int32_t col, fl_col_stats *ret);

#endif
