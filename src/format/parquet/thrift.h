/* Thrift's compact protocol, reading only: how Parquet writes its footer, page headers and page indexes.
 *
 * A reader is a window on bytes. The first malformed byte makes it bad for good: every later call gives zero, so that
 * callers check once, at the end. No length is believed before it was compared with the bytes left.
 *
 *     int32_t id = 0, kind;
 *     while (fl_pq_thrift_field(t, &id, &kind))
 *         switch (id) {
 *         case 1: rows = fl_pq_thrift_int(t, kind); break;
 *         default: fl_pq_thrift_skip(t, kind);
 *         }
 *     if (t->is_bad) … */
#ifndef FL_FORMAT_PARQUET_THRIFT_H
#define FL_FORMAT_PARQUET_THRIFT_H

#include "base/str.h"

typedef struct fl_pq_thrift {
    const uint8_t *begin;
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad;
    bool is_short; /* bad because the bytes ended: more of them may help */
    int32_t depth; /* structs and lists that are open */
} fl_pq_thrift;

/* Kinds of fields and elements. Booleans of fields lie in the kind itself. */
enum {
    FL_PQ_THRIFT_TRUE = 1,
    FL_PQ_THRIFT_FALSE = 2,
    FL_PQ_THRIFT_I8 = 3,
    FL_PQ_THRIFT_I16 = 4,
    FL_PQ_THRIFT_I32 = 5,
    FL_PQ_THRIFT_I64 = 6,
    FL_PQ_THRIFT_DOUBLE = 7,
    FL_PQ_THRIFT_BINARY = 8,
    FL_PQ_THRIFT_LIST = 9,
    FL_PQ_THRIFT_SET = 10,
    FL_PQ_THRIFT_MAP = 11,
    FL_PQ_THRIFT_STRUCT = 12,
    FL_PQ_THRIFT_UUID = 13,
};

/** Begins reading. The bytes are borrowed. */
void fl_pq_thrift_init(fl_pq_thrift *t, const void *data, int64_t bytes);

/** The next field of the open struct; *id carries the last one's number (0 at first). False at the struct's end. */
bool fl_pq_thrift_field(fl_pq_thrift *t, int32_t *id, int32_t *kind);

/** An integer of any width. */
int64_t fl_pq_thrift_int(fl_pq_thrift *t, int32_t kind);

bool fl_pq_thrift_bool(fl_pq_thrift *t, int32_t kind);

/** Bytes, borrowed from the window. */
fl_str fl_pq_thrift_str(fl_pq_thrift *t, int32_t kind);

/** A list's element kind and count; each element has at least `element_bytes_min` bytes, so that a count that cannot be
 *  true is refused before anybody allocates for it. */
int64_t fl_pq_thrift_list(fl_pq_thrift *t, int32_t kind, int64_t element_bytes_min, int32_t *ret_element_kind);

/** A boolean as an element of a list: a byte of its own. */
bool fl_pq_thrift_bool_element(fl_pq_thrift *t);

/** True when the field is a struct, whose fields then follow; else the field is skipped as malformed. */
bool fl_pq_thrift_struct(fl_pq_thrift *t, int32_t kind);

/** Passes over a value of any kind. */
void fl_pq_thrift_skip(fl_pq_thrift *t, int32_t kind);

#endif
