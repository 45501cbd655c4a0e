/* Thrift's compact protocol, writing: the counterpart of thrift.h. Fields are written in the order of their numbers.
 *
 *     fl_pq_write_struct(&w);                 opens one
 *     fl_pq_write_i64(&w, 3, rows);           field 3
 *     fl_pq_write_end(&w);                    closes it */
#ifndef FL_FORMAT_PARQUET_WRITE_THRIFT_H
#define FL_FORMAT_PARQUET_WRITE_THRIFT_H

#include "base/text.h"

#define FL_PQ_WRITE_DEPTH 16

typedef struct fl_pq_thrift_out {
    fl_text *text;
    int32_t last[FL_PQ_WRITE_DEPTH]; /* number of the last field, of each open struct */
    int32_t depth;
} fl_pq_thrift_out;

void fl_pq_thrift_out_init(fl_pq_thrift_out *w, fl_text *text);

/** Opens the struct at the top, one that is a list's element, or the one of a field. */
void fl_pq_write_struct(fl_pq_thrift_out *w);
void fl_pq_write_struct_field(fl_pq_thrift_out *w, int32_t id);
void fl_pq_write_end(fl_pq_thrift_out *w);

void fl_pq_write_bool(fl_pq_thrift_out *w, int32_t id, bool value);
void fl_pq_write_i8(fl_pq_thrift_out *w, int32_t id, int8_t value);
void fl_pq_write_i16(fl_pq_thrift_out *w, int32_t id, int16_t value);
void fl_pq_write_i32(fl_pq_thrift_out *w, int32_t id, int32_t value);
void fl_pq_write_i64(fl_pq_thrift_out *w, int32_t id, int64_t value);
void fl_pq_write_bytes(fl_pq_thrift_out *w, int32_t id, fl_str value);

/** A list's head; its n elements follow: structs, or by the functions below. */
void fl_pq_write_list(fl_pq_thrift_out *w, int32_t id, int32_t element_kind, int64_t n);
void fl_pq_write_bool_element(fl_pq_thrift_out *w, bool value);
void fl_pq_write_int_element(fl_pq_thrift_out *w, int64_t value);
void fl_pq_write_bytes_element(fl_pq_thrift_out *w, fl_str value);

#endif
