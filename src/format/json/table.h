/* A table of one or several JSON files, and what its scans share with it. */
#ifndef FL_FORMAT_JSON_TABLE_H
#define FL_FORMAT_JSON_TABLE_H

#include "format/json/shape.h"
#include "plan/table.h"

#define FL_JSON_CHUNK_BYTES (1 << 20) /* a morsel of lines */

typedef struct fl_json_table {
    fl_table base;
    fl_arena arena;
    fl_json_source *sources;
    int32_t n_sources;
    int64_t sample_rows; /* negative: all */
    bool has_columns;    /* said by the user, not found by looking */
    int64_t chunk_bytes; /* FL_JSON_CHUNK_BYTES, but for tests */
} fl_json_table;

extern const fl_format_desc fl_format_json;

/** fl_table_ops.scan_new of JSON tables. */
fl_status fl_json_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

#endif
