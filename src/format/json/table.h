/* A table of one or several JSON files, and what its scans share with it. */
#ifndef FL_FORMAT_JSON_TABLE_H
#define FL_FORMAT_JSON_TABLE_H

#include "format/files_table.h"
#include "format/json/shape.h"
#include "format/text_sample.h"

typedef struct fl_json_table {
    fl_files_table base;
    fl_json_source *sources; /* per file */
    fl_str *keys;            /* per column: its name in the files */
    fl_name_index index;     /* of the keys */
    fl_text_wishes text;
    int64_t sample_rows;      /* negative: all */
    fl_option_fields columns; /* said by the user */
} fl_json_table;

extern const fl_format_desc fl_format_json;

/** fl_table_ops.scan_new of JSON tables. */
fl_status fl_json_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

/** fl_file_sampling.scan_new of JSON tables. */
fl_status fl_json_sample_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

/** Finds the windows that a sample is read from; none of arrays and sequences. */
fl_status fl_json_find_windows(fl_json_table *table, fl_memory *memory, const fl_text_windows **ret, fl_err *err);

#endif
