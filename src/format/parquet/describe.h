/* What a Parquet file's footer says, as it says it: for who asks about the file and not for its rows.
 *
 * metadata.h keeps what reading needs, checked; this keeps what is written there, believed or not. Names are those of
 * parquet.thrift. Texts point into the footer, which lives in the arena. */
#ifndef FL_FORMAT_PARQUET_DESCRIBE_H
#define FL_FORMAT_PARQUET_DESCRIBE_H

#include "format/parquet/metadata.h"

#define FL_PQ_ENCODINGS_MAX 8

typedef struct fl_pq_described_chunk {
    int64_t file_offset;
    int32_t physical, codec;
    int64_t values, bytes, unpacked_bytes;
    int64_t data_at, index_at, dictionary_at, bloom_at, bloom_bytes; /* negative: not said */
    int32_t encodings[FL_PQ_ENCODINGS_MAX];                          /* the first ones */
    int32_t n_encodings;
    fl_pq_statistics stats;
    int8_t min_is_exact, max_is_exact; /* negative: not said */
} fl_pq_described_chunk;

typedef struct fl_pq_described_group {
    int64_t rows, bytes, packed_bytes; /* negative: not said */
    fl_pq_described_chunk *chunks;
    int32_t n_chunks;
} fl_pq_described_group;

typedef struct fl_pq_pair {
    fl_str key, value; /* data NULL: none */
} fl_pq_pair;

typedef struct fl_pq_description {
    fl_pq_metadata meta; /* as readers see the file */
    int64_t version, file_bytes;
    fl_str created_by;    /* data NULL: not said */
    int64_t footer_bytes; /* of what follows the last page, without its length and the magic */
    fl_pq_pair *pairs;    /* of the file */
    int64_t n_pairs;
    const fl_pq_element *elements;
    int64_t n_elements;
    fl_pq_described_group *groups;
    int32_t n_groups;
} fl_pq_description;

/** Reads what the footer says; fails as fl_pq_metadata_read does, so that what is described can be read. */
fl_status fl_pq_describe(fl_arena *arena, fl_file *file, fl_pq_description *ret, fl_err *err);

/* Names as parquet.thrift has them; NULL: there is no such number. */
const char *fl_pq_physical_name(int32_t physical);
const char *fl_pq_stored_codec_name(int32_t codec);
const char *fl_pq_encoding_name(int32_t encoding);
const char *fl_pq_converted_name(int32_t converted);

#endif
