/* Columns as Parquet's schema: its elements, and the leaves that values are written for. */
#ifndef FL_FORMAT_PARQUET_WRITE_SCHEMA_H
#define FL_FORMAT_PARQUET_WRITE_SCHEMA_H

#include "format/parquet/write_thrift.h"
#include "format/parquet/write_values.h"

/** The leaves of the columns, in the order of the schema. FL_ERR_UNSUPPORTED for types that Parquet has no place for. */
fl_status fl_pq_leaves_make(fl_arena *arena, const fl_field *fields, int32_t n, fl_pq_out_leaf **ret, int32_t *ret_n,
                            fl_err *err);

/** Adds the list of schema elements as field `id`, the root first. */
void fl_pq_schema_write(fl_pq_thrift_out *w, int32_t id, const fl_field *fields, int32_t n);

#endif
