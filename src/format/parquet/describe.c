/* The footer once more, for all that it says. It was read and checked by metadata.c before, so that its form is known to be
 * right; counts are held against the bytes left all the same. */
#include "format/parquet/describe.h"

#include "format/parquet/thrift.h"

static void read_flag(fl_pq_thrift *t, int32_t kind, void *ret_flag)
{
    *(int8_t *)ret_flag = fl_pq_thrift_bool(t, kind);
}

static void read_encodings(fl_pq_thrift *t, int32_t kind, void *ret_chunk)
{
    fl_pq_described_chunk *c = ret_chunk;
    int32_t element = 0;
    int64_t count = fl_pq_thrift_list(t, kind, 1, &element);
    for (int64_t i = 0; i < count && !t->is_bad; i++) {
        int64_t encoding = fl_pq_thrift_int(t, element);
        if (c->n_encodings < FL_PQ_ENCODINGS_MAX)
            c->encodings[c->n_encodings++] = (int32_t)encoding;
    }
}

#define CHUNK(kind, member) FL_PQ_THRIFT_VALUE(kind, fl_pq_described_chunk, member)

static const fl_pq_thrift_member statistics[] = {
    [1] = CHUNK(STR, stats.max),
    [2] = CHUNK(STR, stats.min),
    [3] = CHUNK(I64, stats.null_count),
    [4] = CHUNK(I64, stats.distinct_count),
    [5] = CHUNK(STR, stats.max_value),
    [6] = CHUNK(STR, stats.min_value),
    [7] = FL_PQ_THRIFT_CALL(offsetof(fl_pq_described_chunk, max_is_exact), read_flag),
    [8] = FL_PQ_THRIFT_CALL(offsetof(fl_pq_described_chunk, min_is_exact), read_flag),
};

static const fl_pq_thrift_member column_metadata[] = {
    [1] = CHUNK(I32, physical),       [2] = FL_PQ_THRIFT_CALL(0, read_encodings),
    [4] = CHUNK(I32, codec),          [5] = CHUNK(I64, values),
    [6] = CHUNK(I64, unpacked_bytes), [7] = CHUNK(I64, bytes),
    [9] = CHUNK(I64, data_at),        [10] = CHUNK(I64, index_at),
    [11] = CHUNK(I64, dictionary_at), [12] = FL_PQ_THRIFT_MEMBERS(0, statistics),
    [14] = CHUNK(I64, bloom_at),      [15] = CHUNK(I64, bloom_bytes),
};

static const fl_pq_thrift_member column_chunk[] = {
    [2] = CHUNK(I64, file_offset),
    [3] = FL_PQ_THRIFT_MEMBERS(0, column_metadata),
};

static const fl_pq_thrift_member pair_members[] = {
    [1] = FL_PQ_THRIFT_VALUE(STR, fl_pq_pair, key),
    [2] = FL_PQ_THRIFT_VALUE(STR, fl_pq_pair, value),
};

static fl_status read_group(fl_pq_thrift *t, fl_arena *arena, fl_pq_described_group *g, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t id = 0, k = 0, element = 0;
    *g = (fl_pq_described_group){.rows = -1, .bytes = -1, .packed_bytes = -1};
    while (fl_pq_thrift_field(t, &id, &k)) {
        if (id == 1 && g->chunks == NULL) {
            int64_t count = fl_pq_thrift_list(t, k, 1, &element);
            FL_TRY(FL_NEW_ARRAY(arena, count, &g->chunks, err));
            for (int64_t i = 0; i < count && fl_pq_thrift_struct(t, element); i++) {
                g->chunks[i] = (fl_pq_described_chunk){.physical = -1,
                                                       .codec = -1,
                                                       .data_at = -1,
                                                       .index_at = -1,
                                                       .dictionary_at = -1,
                                                       .bloom_at = -1,
                                                       .bloom_bytes = -1,
                                                       .stats = {.null_count = -1, .distinct_count = -1},
                                                       .min_is_exact = -1,
                                                       .max_is_exact = -1};
                fl_pq_thrift_read(t, column_chunk, FL_LEN(column_chunk), &g->chunks[i]);
                g->n_chunks = (int32_t)i + 1;
            }
        } else if (id == 2) {
            g->bytes = fl_pq_thrift_int(t, k);
        } else if (id == 3) {
            g->rows = fl_pq_thrift_int(t, k);
        } else if (id == 6) {
            g->packed_bytes = fl_pq_thrift_int(t, k);
        } else {
            fl_pq_thrift_skip(t, k);
        }
    }
cleanup:
    return st;
}

static fl_status read_groups(fl_pq_thrift *t, int32_t kind, fl_arena *arena, fl_pq_description *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t element = 0;
    int64_t count = fl_pq_thrift_list(t, kind, 1, &element);
    FL_TRY(FL_NEW_ARRAY(arena, count, &ret->groups, err));
    for (int64_t i = 0; i < count && fl_pq_thrift_struct(t, element); i++) {
        FL_TRY(read_group(t, arena, &ret->groups[i], err));
        ret->n_groups = (int32_t)i + 1;
    }
cleanup:
    return st;
}

static fl_status read_pairs(fl_pq_thrift *t, int32_t kind, fl_arena *arena, fl_pq_description *ret, fl_err *err)
{
    int32_t element = 0;
    int64_t count = fl_pq_thrift_list(t, kind, 1, &element);
    fl_status st = FL_NEW_ARRAY(arena, count, &ret->pairs, err);
    for (int64_t i = 0; i < count && st == FL_OK && fl_pq_thrift_struct(t, element); i++) {
        fl_pq_thrift_read(t, pair_members, FL_LEN(pair_members), &ret->pairs[i]);
        ret->n_pairs = i + 1;
    }
    return st;
}

fl_status fl_pq_describe(fl_arena *arena, fl_file *file, fl_pq_description *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_thrift t;
    int32_t id = 0, k = 0;
    *ret = (fl_pq_description){0};
    FL_TRY(fl_pq_metadata_read(arena, file, (fl_pq_type_options){0}, &ret->meta, err));
    FL_ASSERT(ret->meta.footer.data != NULL);
    ret->file_bytes = file->bytes;
    ret->footer_bytes = ret->meta.footer.len;
    ret->elements = ret->meta.elements;
    ret->n_elements = ret->meta.n_elements;
    fl_pq_thrift_init(&t, ret->meta.footer.data, ret->meta.footer.len);
    while (fl_pq_thrift_field(&t, &id, &k)) {
        if (id == 1)
            ret->version = fl_pq_thrift_int(&t, k);
        else if (id == 4 && ret->groups == NULL)
            FL_TRY(read_groups(&t, k, arena, ret, err));
        else if (id == 5 && ret->pairs == NULL)
            FL_TRY(read_pairs(&t, k, arena, ret, err));
        else if (id == 6)
            ret->created_by = fl_pq_thrift_str(&t, k);
        else
            fl_pq_thrift_skip(&t, k);
    }
    if (t.is_bad)
        st = FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is damaged: its footer is malformed", file->path);
cleanup:
    return st;
}

/* ---- names ---- */

static const char *name_of(const char *const *names, int64_t n, int32_t number)
{
    return number < 0 || number >= n ? NULL : names[number];
}

const char *fl_pq_physical_name(int32_t physical)
{
    static const char *const names[] = {"BOOLEAN", "INT32",  "INT64",      "INT96",
                                        "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};
    return name_of(names, FL_LEN(names), physical);
}

const char *fl_pq_stored_codec_name(int32_t codec)
{
    static const char *const names[] = {"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"};
    return name_of(names, FL_LEN(names), codec);
}

const char *fl_pq_encoding_name(int32_t encoding)
{
    static const char *const names[] = {"PLAIN",
                                        NULL,
                                        "PLAIN_DICTIONARY",
                                        "RLE",
                                        "BIT_PACKED",
                                        "DELTA_BINARY_PACKED",
                                        "DELTA_LENGTH_BYTE_ARRAY",
                                        "DELTA_BYTE_ARRAY",
                                        "RLE_DICTIONARY",
                                        "BYTE_STREAM_SPLIT"};
    return name_of(names, FL_LEN(names), encoding);
}

const char *fl_pq_converted_name(int32_t converted)
{
    static const char *const names[] = {"UTF8",
                                        "MAP",
                                        "MAP_KEY_VALUE",
                                        "LIST",
                                        "ENUM",
                                        "DECIMAL",
                                        "DATE",
                                        "TIME_MILLIS",
                                        "TIME_MICROS",
                                        "TIMESTAMP_MILLIS",
                                        "TIMESTAMP_MICROS",
                                        "UINT_8",
                                        "UINT_16",
                                        "UINT_32",
                                        "UINT_64",
                                        "INT_8",
                                        "INT_16",
                                        "INT_32",
                                        "INT_64",
                                        "JSON",
                                        "BSON",
                                        "INTERVAL"};
    return name_of(names, FL_LEN(names), converted);
}
