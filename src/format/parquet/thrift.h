/* Thrift's compact protocol, reading only: how Parquet writes its footer, page headers and page indexes.
 *
 * A reader is a window on bytes. The first malformed byte makes it bad for good: every later call gives zero, so that
 * callers check once, at the end. No length is believed before it was compared with the bytes left. Structs are read by
 * a table of the fields that are wanted, by their numbers in parquet.thrift:
 *
 *     static const fl_pq_thrift_member members[] = {
 *         [1] = FL_PQ_THRIFT_VALUE(I64, page, rows),
 *         [5] = FL_PQ_THRIFT_MEMBERS(offsetof(page, header), header_members),
 *     };
 *     fl_pq_thrift_read(t, members, FL_LEN(members), &page);
 *     if (t->is_bad) … */
#ifndef FL_FORMAT_PARQUET_THRIFT_H
#define FL_FORMAT_PARQUET_THRIFT_H

#include "base/status.h"
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

/* What a field becomes; a member that a table leaves out is passed over. */
typedef enum fl_pq_thrift_to {
    FL_PQ_THRIFT_TO_NOTHING,
    FL_PQ_THRIFT_TO_BOOL,
    FL_PQ_THRIFT_TO_I32,
    FL_PQ_THRIFT_TO_I64,
    FL_PQ_THRIFT_TO_STR,
    FL_PQ_THRIFT_TO_STRUCT, /* its members are read into what lies at `at` */
    FL_PQ_THRIFT_TO_CALL,   /* `read` is called with what lies at `at`, and reads the field's value */
} fl_pq_thrift_to;

typedef struct fl_pq_thrift_member {
    fl_pq_thrift_to to;
    size_t at; /* offset in the struct that is filled */
    const struct fl_pq_thrift_member *members;
    int64_t n_members;
    void (*read)(fl_pq_thrift *t, int32_t kind, void *ret);
} fl_pq_thrift_member;

/* Rows of a table: a plain value (BOOL, I32, I64, STR), a struct with a table of its own, a call. */
#define FL_PQ_THRIFT_VALUE(kind, target, member) {FL_PQ_THRIFT_TO_##kind, offsetof(target, member), NULL, 0, NULL}
#define FL_PQ_THRIFT_MEMBERS(at, table) {FL_PQ_THRIFT_TO_STRUCT, (at), (table), FL_LEN(table), NULL}
#define FL_PQ_THRIFT_CALL(at, function) {FL_PQ_THRIFT_TO_CALL, (at), NULL, 0, (function)}

/** Reads the open struct to its end. members[i] is field i; fields that are not there leave `ret` as it is. */
void fl_pq_thrift_read(fl_pq_thrift *t, const fl_pq_thrift_member *members, int64_t n_members, void *ret);

#endif
