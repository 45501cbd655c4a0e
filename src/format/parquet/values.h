/* The values of one page, or of a dictionary: a cursor that gives them in fletch's form, whatever the encoding.
 *
 * Only values that are present lie in a page; putting them where rows are is the reader's business. Encodings that can
 * only be read from the start (the delta family, split bytes) are undone for the whole page at once. */
#ifndef FL_FORMAT_PARQUET_VALUES_H
#define FL_FORMAT_PARQUET_VALUES_H

#include "format/parquet/hybrid.h"
#include "format/parquet/metadata.h"
#include "format/parquet/pool.h"

#define FL_PQ_PAGE_BYTES_MAX ((int64_t)1 << 30)

typedef enum fl_pq_values_kind {
    FL_PQ_VALUES_FIXED, /* plain, stored_width bytes each */
    FL_PQ_VALUES_BYTES, /* plain byte arrays */
    FL_PQ_VALUES_VIEWS, /* undone strings */
    FL_PQ_VALUES_BITS,  /* plain booleans */
    FL_PQ_VALUES_RUNS,  /* booleans in runs */
    FL_PQ_VALUES_CODES, /* codes of a dictionary */
} fl_pq_values_kind;

/* The dictionary of a chunk: values in fletch's form, immutable once made. */
typedef struct fl_pq_dict {
    _Atomic int32_t refs;
    fl_buffer *bytes;  /* what views point to */
    fl_buffer *values; /* n of leaf->width bytes */
    int64_t n;
    uint64_t *bad;         /* bits of values that cannot be fletch's; NULL: none */
    const char *bad_wrong; /* what is wrong with the first of them */
    fl_vec vec;            /* the values as a vector, for strings */
    uint64_t id;
} fl_pq_dict;

typedef struct fl_pq_values {
    const fl_pq_leaf *leaf;
    const fl_pq_kernels *kernels;
    uint8_t kind;
    bool is_utf8; /* text: the bytes as a whole are UTF-8, so that values are if they are not cut within a character */
    const uint8_t *at;
    const uint8_t *end;
    const fl_view *views;
    int64_t left; /* VIEWS, BITS: values left */
    int64_t bit;
    fl_pq_hybrid hybrid;
    const fl_pq_dict *dict; /* CODES */
    uint8_t *undone;        /* the pool's buffer that holds undone values; NULL when there is none */
} fl_pq_values;

/** Begins with `n` present values in `bytes` bytes (padded, borrowed, outliving the cursor). Buffers come from the
 *  pool. dict may be NULL unless the encoding is a dictionary's. On bad data returns FL_ERR_CORRUPT with *ret_wrong in
 *  words and `err` untouched; else FL_ERR_MEMORY, with `err`. */
fl_status fl_pq_values_begin(fl_pq_values *v, const fl_pq_leaf *leaf, const fl_pq_kernels *kernels, fl_pq_pool *pool,
                             int encoding, const uint8_t *data, int64_t bytes, int64_t n, const fl_pq_dict *dict,
                             const char **ret_wrong, fl_err *err);

/** The next n values, leaf->width bytes each (strings: views into the page or dictionary; booleans: bytes 0 and 1).
 *  scratch has room for n + 16 codes. NULL, or what is wrong in words. Whether it is one of the values, and which, is
 *  found by reading them one by one again, with a copy of the cursor made before: what is wrong with the encoding cannot
 *  be skipped either. */
const char *fl_pq_values_read(fl_pq_values *v, int64_t n, void *to, uint32_t *scratch);

/** The next n values as codes of the dictionary; kind CODES only. */
const char *fl_pq_values_read_codes(fl_pq_values *v, int64_t n, uint32_t *to);

/** Passes over n values. */
const char *fl_pq_values_skip(fl_pq_values *v, int64_t n);

/** Stored fixed-width values as fletch's. NULL, or what is wrong with one of them. Not for strings. */
const char *fl_pq_convert_fixed(const fl_pq_leaf *leaf, const uint8_t *from, int64_t n, void *to);

/** Whether a decimal has no more digits than its type. */
bool fl_pq_is_decimal_within(fl_type type, fl_i128 value);

/** A big-endian two's complement number. False when it has more than 128 bits. */
bool fl_pq_load_big_endian(const uint8_t *data, int64_t bytes, fl_i128 *ret);

void fl_pq_dict_unref(fl_pq_dict *dict);

#endif
