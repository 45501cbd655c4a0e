/* Least and greatest values of pages and chunks, as Parquet stores and orders them. */
#ifndef FL_FORMAT_PARQUET_WRITE_BOUNDS_H
#define FL_FORMAT_PARQUET_WRITE_BOUNDS_H

#include "format/parquet/write_column.h"

/** The bounds of values [start, end) of the leaf; none where there are none or their order is not known. */
fl_status fl_pq_bounds_of(fl_arena *keep, const fl_pq_out_leaf *leaf, const void *values, int64_t start, int64_t end,
                          fl_pq_out_bounds *ret, fl_err *err);

/** Widens bounds by others. */
void fl_pq_bounds_add(const fl_pq_out_leaf *leaf, fl_pq_out_bounds *to, const fl_pq_out_bounds *other);

#endif
