/* What the table of united files and its scans share. */
#ifndef FL_FORMAT_UNITED_INTERNAL_H
#define FL_FORMAT_UNITED_INTERNAL_H

#include "format/united_files.h"

#define FL_UNITED_CONSTANT (-1) /* of a part's column: the file has no bytes for it */

typedef struct fl_united_part {
    fl_table *table;
    int32_t *cols;     /* per column: the file's, or FL_UNITED_CONSTANT */
    fl_value *values;  /* per column: what is constant */
    fl_vec *constants; /* likewise, as a vector of one value */
} fl_united_part;

typedef struct fl_united {
    fl_table table;
    fl_arena arena;
    fl_united_part *parts;
    int32_t n_parts;
} fl_united;

/** fl_table_ops.scan_new of united files. */
fl_status fl_united_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

#endif
