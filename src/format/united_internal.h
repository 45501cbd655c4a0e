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

/** Whether a part's column has another type than the table's. */
static inline bool fl_united_is_converted(const fl_united *t, int32_t part, int32_t col)
{
    const fl_united_part *p = &t->parts[part];
    return p->cols[col] != FL_UNITED_CONSTANT &&
           !fl_type_is_equal(p->table->fields[p->cols[col]].type, t->table.fields[col].type);
}

/** Whether values of one type can be converted to another one, and the values, of which those of `mask` are wanted (NULL: all). FL_ERR_RANGE
 *  for a value that the type does not hold. */
bool fl_united_can_convert(fl_type from, fl_type to);
fl_status fl_united_convert(fl_arena *arena, const fl_vec *from, int32_t rows, const uint64_t *mask, fl_type to,
                            fl_vec *ret, fl_err *err);

/** fl_table_ops.scan_new of united files. */
fl_status fl_united_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

#endif
