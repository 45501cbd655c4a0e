/* A table of one or several CSV files: what is known of them, and what its scans share with it. */
#ifndef FL_FORMAT_CSV_TABLE_H
#define FL_FORMAT_CSV_TABLE_H

#include "format/csv/chunk.h"
#include "format/files_table.h"
#include "format/text_sample.h"

typedef struct fl_csv_file {
    fl_text_file *file; /* the table's */
    fl_csv_layout layout;
    int64_t first_line; /* offset of the first line that is none of the blank ones before it */
} fl_csv_file;

typedef struct fl_csv_options {
    fl_text_wishes text;
    fl_csv_wishes wishes;
    bool has_header, header; /* said; and what */
    bool has_nullstr;
    fl_str nullstr;
    bool all_varchar;
    int64_t skip; /* lines at the start of each file */
    bool has_skip;
    int64_t sample_rows; /* negative: all */
    fl_option_fields columns;
} fl_csv_options;

typedef struct fl_csv_table {
    fl_files_table base;
    fl_csv_file *files;
    int32_t first; /* the first file that is not empty: whose header and dialect are the others', too */
    fl_csv_options options;
    bool has_header;
} fl_csv_table;

extern const fl_format_desc fl_format_csv;

/** Finds dialect, header, names and types of the table's opened files. FL_ERR_FORMAT and all that chunks can fail with. */
fl_status fl_csv_sniff(fl_csv_table *table, fl_memory *memory, fl_err *err);

/** fl_table_ops.scan_new of CSV tables. */
fl_status fl_csv_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

/** fl_file_sampling.scan_new of CSV tables. */
fl_status fl_csv_sample_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

/** Finds the windows that a sample is read from. */
fl_status fl_csv_find_windows(fl_csv_table *table, fl_memory *memory, const fl_text_windows **ret, fl_err *err);

/** Whether a field's text stands for NULL in a column of this type. */
static inline bool fl_csv_is_null(const fl_csv_options *options, fl_str text, bool is_quoted, bool is_text)
{
    if (options->has_nullstr && !is_quoted && fl_str_is_equal(text, options->nullstr))
        return true;
    return text.len == 0 && (!is_text || (!is_quoted && !options->has_nullstr));
}

#endif
