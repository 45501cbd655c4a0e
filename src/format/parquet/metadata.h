/* What a Parquet file says about itself: schema, row groups, column chunks, statistics, page indexes.
 *
 * Read once when a table is opened, immutable after that, shared by all scans and threads. Strings and statistics point
 * into the footer, which lives in the same arena. Names are those of parquet.thrift. */
#ifndef FL_FORMAT_PARQUET_METADATA_H
#define FL_FORMAT_PARQUET_METADATA_H

#include "arrow/value.h"
#include "base/file.h"
#include "format/parquet/crypt.h"

#define FL_PQ_COLUMNS_MAX 100000
#define FL_PQ_ROW_GROUPS_MAX 500000
#define FL_PQ_NESTING_MAX 100

typedef enum fl_pq_physical {
    FL_PQ_BOOLEAN,
    FL_PQ_INT32,
    FL_PQ_INT64,
    FL_PQ_INT96,
    FL_PQ_FLOAT,
    FL_PQ_DOUBLE,
    FL_PQ_BYTE_ARRAY,
    FL_PQ_FIXED,
    FL_PQ_PHYSICAL_COUNT
} fl_pq_physical;

typedef enum fl_pq_codec {
    FL_PQ_UNCOMPRESSED,
    FL_PQ_SNAPPY,
    FL_PQ_GZIP,
    FL_PQ_LZO,
    FL_PQ_BROTLI,
    FL_PQ_LZ4_HADOOP,
    FL_PQ_ZSTD,
    FL_PQ_LZ4_RAW,
    FL_PQ_CODEC_COUNT
} fl_pq_codec;

typedef enum fl_pq_encoding {
    FL_PQ_PLAIN = 0,
    FL_PQ_PLAIN_DICTIONARY = 2,
    FL_PQ_RLE = 3,
    FL_PQ_BIT_PACKED = 4,
    FL_PQ_DELTA_BINARY_PACKED = 5,
    FL_PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
    FL_PQ_DELTA_BYTE_ARRAY = 7,
    FL_PQ_RLE_DICTIONARY = 8,
    FL_PQ_BYTE_STREAM_SPLIT = 9,
} fl_pq_encoding;

/* How a stored value becomes one of fletch's. What is not copied is checked on the way. */
typedef enum fl_pq_convert {
    FL_PQ_COPY,     /* same width, same meaning */
    FL_PQ_BITS,     /* boolean */
    FL_PQ_NARROW_8, /* int32 to 8 bits */
    FL_PQ_NARROW_16,
    FL_PQ_WIDEN_64,      /* int32 to int64: decimals */
    FL_PQ_MILLI_TIME,    /* int32 milliseconds to int64 microseconds */
    FL_PQ_MICRO_TIME,    /* int64 microseconds */
    FL_PQ_NANO_TIME,     /* int64 nanoseconds to microseconds */
    FL_PQ_INT96_MICRO,   /* nanoseconds of the day and Julian day to microseconds */
    FL_PQ_INT96_NANO,    /* … to nanoseconds */
    FL_PQ_DECIMAL_64,    /* int64 decimals */
    FL_PQ_MILLI_STAMP,   /* int64 timestamps in milliseconds */
    FL_PQ_BIG_ENDIAN_64, /* decimals in bytes */
    FL_PQ_BIG_ENDIAN_128,
    FL_PQ_HALF,     /* float16 to float32 */
    FL_PQ_UUID,     /* 16 bytes to text */
    FL_PQ_INTERVAL, /* months, days, milliseconds */
    FL_PQ_STRING,   /* byte array or fixed bytes to views */
} fl_pq_convert;

/* A column of the file: a leaf of the schema. */
typedef struct fl_pq_leaf {
    fl_str path; /* "a.list.element" */
    uint8_t physical;
    uint8_t convert;
    uint8_t def_max;
    uint8_t rep_max;
    int32_t stored_width; /* bytes of a plain value; 0 = byte array, boolean */
    int32_t width;        /* bytes of a value in a vector; booleans: 1 while dense */
    bool is_nested;       /* part of a struct or list: read by levels, not as slots */
    bool is_text;         /* UTF-8 is checked */
    bool is_null_type;    /* annotated as nothing but nulls */
    bool is_order_known;  /* the annotation is one whose order is ours */
    bool has_type_order;  /* min_value and max_value follow the type's order */
    bool is_signed_order; /* the deprecated min and max may be believed, too */
    fl_type type;
} fl_pq_leaf;

/* FL_PQ_ROW_NUMBER: no column of the file; the number of a row in it */
typedef enum fl_pq_node_kind { FL_PQ_LEAF, FL_PQ_STRUCT, FL_PQ_LIST, FL_PQ_VARIANT, FL_PQ_ROW_NUMBER } fl_pq_node_kind;

/* A place of the schema as fletch sees it: lists lost their wrapping groups. */
typedef struct fl_pq_node {
    uint8_t kind;
    uint8_t def;      /* definition level from which on it is not null */
    uint8_t item_def; /* list: level from which on there is an element */
    uint8_t item_rep; /* list: repetition level of its elements */
    fl_type type;
    int32_t leaf; /* first leaf below it */
    int32_t leaves;
    int32_t n_children; /* list, variant: 1 */
    struct fl_pq_node *children;
    fl_str path; /* variant: its name and those of the groups around it */
} fl_pq_node;

typedef struct fl_pq_statistics {
    fl_str min, max; /* deprecated order; data NULL: not given */
    fl_str min_value, max_value;
    int64_t null_count; /* negative = unknown */
    int64_t distinct_count;
    bool is_max_exact; /* else it may be cut off: writers do not agree on rounding it up */
} fl_pq_statistics;

typedef struct fl_pq_chunk {
    int64_t values;
    int64_t begin; /* first page, dictionary included */
    int64_t bytes;
    int64_t data_begin; /* first data page as written; may be wrong where writers forgot the dictionary */
    int64_t offset_index_at, column_index_at;
    int32_t offset_index_bytes, column_index_bytes;
    int32_t coded_pages, other_pages; /* data pages with and without the dictionary; both 0: not said */
    uint8_t codec;
    bool has_dictionary;
    bool is_sealed; /* its pages are encrypted, by: */
    fl_str key;     /* empty: one that was not given */
    fl_pq_statistics stats;
} fl_pq_chunk;

/* A column that the rows of a row group are said to be sorted by, NaN and nulls where the writer put them. */
typedef struct fl_pq_sorting {
    int32_t leaf;
    bool is_descending;
    bool nulls_first;
} fl_pq_sorting;

typedef struct fl_pq_row_group {
    int64_t rows;
    fl_pq_chunk *chunks;    /* one per leaf */
    fl_pq_sorting *sorting; /* the first one decides first */
    int32_t n_sorting;
} fl_pq_row_group;

/* What the user says of types that files say too little about. */
typedef struct fl_pq_type_options {
    bool has_text_in_bytes; /* byte arrays that are not annotated are text */
    bool has_nanoseconds;   /* INT96 holds nanoseconds: fewer years, more digits */
    const fl_pq_keys *keys; /* of encrypted files; NULL: none */
} fl_pq_type_options;

typedef struct fl_pq_metadata {
    fl_file *file;
    fl_pq_type_options options; /* set before reading */
    int64_t rows;
    int32_t n_leaves;
    int32_t n_columns;
    fl_pq_leaf *leaves;
    fl_pq_node *columns; /* top-level fields, in file order; behind them FL_PQ_ROW_NUMBER */
    fl_field *fields;    /* the same as types */
    int32_t n_groups;
    fl_pq_row_group *groups;
    fl_pq_crypt crypt;                    /* of an encrypted file */
    fl_str footer;                        /* as it is stored, opened */
    const struct fl_pq_element *elements; /* of the schema, as it is stored */
    int64_t n_elements;
} fl_pq_metadata;

/* Where a page lies, from the offset index. */
typedef struct fl_pq_page_place {
    int64_t at;
    int64_t row;   /* first row, within the row group */
    int32_t bytes; /* with its header */
} fl_pq_page_place;

/** Reads and checks footer and schema. All memory is the arena's; `file` is borrowed.
 *  FL_ERR_CORRUPT, FL_ERR_UNSUPPORTED (encrypted), FL_ERR_LIMIT, FL_ERR_IO, FL_ERR_MEMORY. */
fl_status fl_pq_metadata_read(fl_arena *arena, fl_file *file, fl_pq_type_options options, fl_pq_metadata *ret,
                              fl_err *err);

/** Makes nodes, leaves and fields from the flat list of schema elements. */
typedef struct fl_pq_element {
    fl_str name;
    int32_t physical; /* negative: a group */
    int32_t type_length;
    int32_t repetition; /* 0 required, 1 optional, 2 repeated */
    int32_t n_children;
    int32_t converted; /* negative: none */
    int32_t logical;   /* field number in the LogicalType union; 0: none */
    int32_t scale, precision;
    int32_t unit; /* TIME, TIMESTAMP: 1 milliseconds, 2 microseconds, 3 nanoseconds */
    int32_t bit_width;
    int32_t field_id; /* negative: none */
    bool is_signed;
    bool is_utc;
} fl_pq_element;

fl_status fl_pq_schema_build(fl_arena *arena, const fl_pq_element *elements, int64_t n_elements, fl_pq_metadata *ret,
                             fl_err *err);

/** A stored statistic (plain encoding without a length) as a value. False when it cannot be one, or must not be
 *  believed (NaN, a wrong length). Strings are borrowed. */
bool fl_pq_statistic_value(const fl_pq_leaf *leaf, fl_str stored, fl_value *ret);

/* What a file says of the values of a chunk or a page. */
typedef struct fl_pq_claim {
    fl_str min, max; /* stored; data NULL: not said */
    int64_t rows;
    int64_t null_count; /* negative: not said */
    bool is_all_null;   /* said in so many words */
} fl_pq_claim;

/* What is believed of them. */
typedef struct fl_pq_zone {
    fl_value min, max;
    bool has_min, has_max;
    bool is_all_null;
} fl_pq_zone;

/** Believes a claim about a flat column as far as nothing speaks against it: the column's nullability, the number of its
 *  nulls and rows, the type, one bound against the other. Floating columns have no upper bound: NaN is greatest and is
 *  not in the statistics. */
void fl_pq_zone_of(const fl_pq_leaf *leaf, const fl_pq_claim *claim, fl_pq_zone *ret);

/** The zone of a chunk of `rows` rows, by its statistics. */
void fl_pq_chunk_zone(const fl_pq_leaf *leaf, const fl_pq_chunk *chunk, int64_t rows, fl_pq_zone *ret);

/** The number of rows in the file before a row group. Cost: O(row groups). */
int64_t fl_pq_group_row(const fl_pq_metadata *meta, int32_t group);

/** Reads a chunk's offset index. *ret_count is 0 when there is none or it is not to be trusted. */
fl_status fl_pq_offset_index_read(fl_arena *arena, const fl_pq_metadata *meta, const fl_pq_chunk *chunk, int64_t rows,
                                  fl_pq_page_place **ret, int32_t *ret_count, fl_err *err);

/** Reads a flat chunk's column index as the zones of its pages, whose places are given; *ret is NULL when there is none
 *  or it contradicts itself, the places or the chunk's statistics. */
fl_status fl_pq_column_index_read(fl_arena *arena, const fl_pq_metadata *meta, const fl_pq_leaf *leaf,
                                  const fl_pq_chunk *chunk, int64_t rows, const fl_pq_page_place *places, int32_t pages,
                                  fl_pq_zone **ret, fl_err *err);

#endif
