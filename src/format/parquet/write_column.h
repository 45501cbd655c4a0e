/* A leaf's column chunk as bytes: the dictionary, pages, the Bloom filter; and what is to be said of them elsewhere in the file. */
#ifndef FL_FORMAT_PARQUET_WRITE_COLUMN_H
#define FL_FORMAT_PARQUET_WRITE_COLUMN_H

#include "format/parquet/write_values.h"

/* How pages are compressed. */
typedef struct fl_pq_out_codec {
    int32_t codec;      /* fl_pq_codec */
    int32_t level;      /* zstd's; 0: the library's own choice */
    int32_t seal_bytes; /* that encryption will add to each page; 0: they are not encrypted, and have checksums */
} fl_pq_out_codec;

/* Bounds of values, as they are stored; data NULL: not said. Text may be cut: then the greatest is rounded up. */
typedef struct fl_pq_out_bounds {
    fl_str min, max;
    bool is_min_exact, is_max_exact;
} fl_pq_out_bounds;

typedef struct fl_pq_out_page {
    int64_t at;    /* from the chunk's bytes' begin */
    int64_t row;   /* the first one */
    int32_t bytes; /* with its head */
    int32_t head_bytes;
    int64_t nulls;
    bool is_all_null;
    fl_pq_out_bounds bounds;
} fl_pq_out_page;

typedef struct fl_pq_out_chunk {
    int64_t at, bytes; /* of its pages, in the bytes of the row group */
    int64_t raw_bytes; /* as if nothing were compressed */
    int64_t values;    /* levels: nulls, too */
    int64_t nulls;
    int64_t distinct;              /* entries of the dictionary that holds all values; negative: unknown */
    int64_t bloom_at, bloom_bytes; /* 0 bytes: none */
    bool has_dictionary;
    int64_t data_at; /* the first data page */
    int32_t dictionary_head_bytes;
    int32_t encoding, codec;
    fl_pq_out_page *pages;
    int32_t n_pages;
    fl_pq_out_bounds bounds;
} fl_pq_out_chunk;

/** Adds the chunk of a leaf's values to `to`. What `ret` points to lies in `keep`, or in what the values point to. */
fl_status fl_pq_column_write(fl_arena *scratch, fl_arena *keep, const fl_pq_out_leaf *leaf, const fl_pq_shred *shred,
                             fl_pq_out_codec codec, fl_text *to, fl_pq_out_chunk *ret, fl_err *err);

/** Whether one bound is below another, in the leaf's order: negative, 0 or positive. */
int fl_pq_bound_compare(const fl_pq_out_leaf *leaf, fl_str a, fl_str b);

/** Compresses as a page is; adds to `to`. */
fl_status fl_pq_compress(fl_pq_out_codec codec, fl_str from, fl_text *to, fl_err *err);

#endif
