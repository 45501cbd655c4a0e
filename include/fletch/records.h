/* fletch: the caller's own records as a table.
 *
 *     typedef struct order { int64_t id; double amount; const char *region; bool has_amount; } order;
 *
 *     static const fl_record_field fields[] = {
 *         {.name = "id", .type = "bigint", .offset = offsetof(order, id)},
 *         {.name = "amount", .type = "double", .offset = offsetof(order, amount),
 *          .nulls = FL_RECORD_VALID_BYTE, .null_offset = offsetof(order, has_amount)},
 *         {.name = "region", .type = "text", .offset = offsetof(order, region)},
 *     };
 *     fl_records records = {.size = sizeof(records), .data = orders, .rows = n, .stride = sizeof(order),
 *                           .fields = fields, .n_fields = 3};
 *     fl_session_register_records(session, "orders", &records, false, &err);
 *
 * Nothing is copied: a query reads from the records the columns that it needs, a few thousand rows at a time, and texts are
 * pointed to where they lie. So the records, and what they point to, must neither change nor go until they are released. */
#ifndef FLETCH_RECORDS_H
#define FLETCH_RECORDS_H

#include "fletch/fletch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a field says that it is null. */
enum {
    FL_RECORD_NEVER_NULL = 0,
    FL_RECORD_NULL_BYTE = 1,  /* the byte at null_offset, a bool for one, is not 0 */
    FL_RECORD_VALID_BYTE = 2, /* it is 0 */
    FL_RECORD_NULL_BIT =
        3, /* bit null_bit from there on is set: 0 is the lowest of the first byte, 8 that of the next */
    FL_RECORD_VALID_BIT = 4,  /* it is not set */
    FL_RECORD_NULL_VALUE = 5, /* the value is null_value; of whole numbers, dates, times, timestamps and decimals */
    FL_RECORD_NULL_NAN = 6,   /* it is no number; of real and double */
};

/* How a field holds text or bytes. */
enum {
    FL_RECORD_TEXT_POINTER = 0, /* const char *, up to a 0; not of bytea. NULL is null */
    FL_RECORD_TEXT_SIZED =
        1, /* a pointer, and at length_offset an unsigned length of length_bytes: 1, 2, 4 or 8. NULL is null */
    FL_RECORD_TEXT_ARRAY =
        2, /* char[length_bytes] in the record itself, up to a 0 or to its end; of bytea: all of it */
};

/* A column. Clear it, set what it needs. Values may lie at any offset: nothing is asked of their alignment.
 *
 *     type                            what lies at the offset            type                what lies at the offset
 *     boolean                         a byte: bool                       date                int32_t, days since 1970-01-01
 *     tinyint … bigint, utinyint …    int8_t … int64_t, uint8_t …        time                int64_t, microseconds
 *     real, double                    float, double                      timestamp,          int64_t since 1970-01-01: microseconds,
 *     decimal(p, s), p up to 18       int64_t, in units of 10^-s         timestamptz         seconds of (0), milliseconds of (3), nanoseconds of (9)
 *     decimal(p, s), beyond           __int128                           text, bytea         see above */
typedef struct fl_record_field {
    const char *name;
    const char *type; /* as SQL writes it */
    int64_t offset;   /* of the value in the record; bytes, as all offsets */
    uint32_t nulls;
    uint32_t null_bit;
    int64_t null_offset;
    int64_t null_value;
    uint32_t text;
    uint32_t length_bytes;
    int64_t length_offset;
} fl_record_field;

/* An array of records. */
typedef struct fl_records {
    uint32_t size;    /* sizeof(fl_records) */
    int32_t n_fields; /* 1 or more */
    const fl_record_field *fields;
    const void *data; /* may be NULL without rows */
    int64_t rows;
    int64_t stride;               /* bytes from one record to the next */
    void (*release)(void *owner); /* called once, when nobody reads the records any more; may be NULL */
    void *owner;
} fl_records;

/** Registers records as table `name`, which all sessions of the engine see. The description is copied, the records are not: they stay as
 *  they are until `release` is called, which is when the table is gone (fl_session_unregister, DROP TABLE, a registration that
 *  replaces it, fl_engine_close) and the last query that reads it has ended; and before this call returns where it fails. `release` may
 *  be called on any thread and must not call fletch.
 *
 *  Values are looked at when a query reads them: text that is no UTF-8 is FL_ERR_VALUE (22021), a value that its type cannot hold, as
 *  a decimal of too many digits, FL_ERR_CORRUPT, with row and column. The table cannot be changed by INSERT and its like.
 *  Errors: FL_ERR_DUPLICATE when the name is taken and `replace` is false, or for two fields of one name; FL_ERR_TYPE for a type that is
 *  none, or that records cannot hold; FL_ERR_CONFIG for a field that does not lie within the stride, for a NULL where there are
 *  rows, and for what else contradicts itself. */
FL_API fl_status fl_session_register_records(fl_session *session, const char *name, const fl_records *records,
                                             bool replace, fl_err *err);

/** Takes a registered table, of records or of a stream, out of the catalog: DROP TABLE without the need to quote the name. Queries that run
 *  go on with it. FL_ERR_TABLE when there is none. */
FL_API fl_status fl_session_unregister(fl_session *session, const char *name, fl_err *err);

#ifdef __cplusplus
}
#endif

#endif
