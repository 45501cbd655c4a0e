/* Writing Parquet: a chunk of rows is a row group, whose columns are made into pages one after the other (write_column.h). Behind all row
 * groups come the page indexes, Bloom filters lie with their columns, and the footer says where everything is. */
#include "base/nearest.h"
#include "base/system.h"
#include "format/options.h"
#include "format/parquet/metadata.h"
#include "format/parquet/thrift.h"
#include "format/parquet/write_column.h"
#include "format/parquet/write_schema.h"
#include "plan/writer.h"

#define GROUP_ROWS 122880
#define GROUP_BYTES (256ll << 20)
#define MAGIC FL_STR("PAR1")
#define SEALED_MAGIC FL_STR("PARE")
#define ORDINALS_MAX 32767 /* of row groups and pages that are encrypted */

#define FILE_BYTES 8

typedef struct parquet_options {
    fl_pq_out_codec codec;
    int64_t group_rows, group_bytes;
    const fl_pq_keys *keys; /* NULL: it is not encrypted */
    const fl_value *pairs;  /* a struct of texts, written as they are; NULL: none */
} parquet_options;

/* What is known of a row group that lies in the file. */
typedef struct placed_group {
    fl_pq_out_chunk *chunks;
    int64_t at, bytes, rows;
} placed_group;

typedef struct parquet_writer {
    fl_writer base;
    parquet_options options;
    const fl_field *fields;
    int32_t n_fields;
    fl_pq_out_leaf *leaves;
    int32_t n_leaves;
    const fl_pq_column_key **own_keys; /* of leaves of an encrypted file; NULL: the footer's */
    fl_arena arena;
    placed_group *groups;
    int64_t n_groups, groups_capacity;
    int64_t rows;
    fl_pq_crypt crypt;
    char unique[FILE_BYTES]; /* what tells an encrypted file from others */
} parquet_writer;

/* ---- options ------------------------------------------------------------------------------------------------------- */

static fl_status read_codec(fl_arena *arena, const fl_value *value, void *ret_codec, fl_err *err)
{
    (void)arena, (void)err;
    static const struct {
        const char *name;
        fl_pq_codec codec;
    } known[] = {{"none", FL_PQ_UNCOMPRESSED}, {"uncompressed", FL_PQ_UNCOMPRESSED},
                 {"snappy", FL_PQ_SNAPPY},     {"gzip", FL_PQ_GZIP},
                 {"zstd", FL_PQ_ZSTD},         {"lz4", FL_PQ_LZ4_RAW},
                 {"lz4_raw", FL_PQ_LZ4_RAW}};
    if (value->is_null || value->type.id != FL_UTF8)
        return FL_ERR_TYPE;
    for (int64_t i = 0; i < FL_LEN(known); i++)
        if (fl_str_is_equal_nocase(value->s, fl_str_of(known[i].name))) {
            *(int32_t *)ret_codec = known[i].codec;
            return FL_OK;
        }
    return FL_ERR_TYPE;
}

static fl_status read_level(fl_arena *arena, const fl_value *value, void *ret_i32, fl_err *err)
{
    (void)arena, (void)err;
    if (value->is_null || !fl_type_is_signed(value->type) || value->i < 1 || value->i > 22)
        return FL_ERR_TYPE;
    *(int32_t *)ret_i32 = (int32_t)value->i;
    return FL_OK;
}

static fl_status read_rows(fl_arena *arena, const fl_value *value, void *ret_i64, fl_err *err)
{
    (void)arena, (void)err;
    if (value->is_null || !fl_type_is_signed(value->type) || value->i < 1 || value->i > INT32_MAX / 2)
        return FL_ERR_TYPE;
    *(int64_t *)ret_i64 = (value->i + 63) / 64 * 64;
    return FL_OK;
}

static fl_status read_size(fl_arena *arena, const fl_value *value, void *ret_i64, fl_err *err)
{
    (void)arena, (void)err;
    int64_t bytes = 0;
    if (!value->is_null && fl_type_is_signed(value->type))
        bytes = value->i;
    else if (value->is_null || value->type.id != FL_UTF8 || !fl_size_read(value->s, &bytes))
        return FL_ERR_TYPE;
    *(int64_t *)ret_i64 = bytes;
    return bytes > 0 ? FL_OK : FL_ERR_TYPE;
}

#define AT(field) (int32_t)offsetof(parquet_options, field)
#define CODECS "'snappy', 'zstd', 'gzip', 'lz4' or 'uncompressed'"

static fl_status read_pairs(fl_arena *arena, const fl_value *value, void *ret_pairs, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *pairs = NULL;
    if (value->is_null || value->type.id != FL_STRUCT || value->type.n_fields == 0)
        return FL_ERR_TYPE;
    for (int32_t i = 0; i < value->type.n_fields; i++)
        if (value->list.items[i].is_null || !fl_type_is_string(value->list.items[i].type))
            return FL_ERR_TYPE;
    FL_TRY(FL_NEW(arena, &pairs, err));
    FL_TRY(fl_value_copy(arena, value, pairs, err));
    FL_TRY(fl_type_copy(arena, value->type, &pairs->type, err));
    *(const fl_value **)ret_pairs = pairs;
cleanup:
    return st;
}

static const fl_option_desc known[] = {
    {"compression", CODECS, read_codec, AT(codec.codec), -1},
    {"codec", CODECS, read_codec, AT(codec.codec), -1},
    {"compression_level", "a level of zstd from 1 to 22", read_level, AT(codec.level), -1},
    {"row_group_size", "a number of rows", read_rows, AT(group_rows), -1},
    {"encryption_config", FL_PQ_OPTION_KEYS, fl_pq_keys_read, AT(keys), -1},
    {"kv_metadata", "texts by names, as {author: 'me'}", read_pairs, AT(pairs), -1},
    {"row_group_size_bytes", "a size such as '128MB'", read_size, AT(group_bytes), -1},
};

/* ---- row groups ---------------------------------------------------------------------------------------------------- */

static fl_status begin(fl_writer *base, fl_text *head, fl_err *err)
{
    const parquet_writer *writer = (const parquet_writer *)base;
    fl_text_add(head, writer->options.keys != NULL ? SEALED_MAGIC : MAGIC);
    return fl_text_status(head, err);
}

static fl_status encode(fl_writer *base, const fl_batch *batches, int32_t n, fl_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    const parquet_writer *writer = (const parquet_writer *)base;
    fl_pq_out_chunk *chunks = NULL;
    fl_arena scratch;
    fl_arena_init(&scratch, chunk->bytes.memory);
    FL_TRY(FL_NEW_ARRAY(&chunk->arena, writer->n_leaves + 1, &chunks, err));
    for (int32_t i = 0; i < writer->n_leaves; i++) {
        fl_pq_shred shred;
        fl_arena_reset(&scratch);
        FL_TRY(fl_pq_shred_make(&scratch, &writer->leaves[i], batches, n, &shred, err));
        FL_TRY(fl_pq_column_write(&scratch, &chunk->arena, &writer->leaves[i], &shred, writer->options.codec,
                                  &chunk->bytes, &chunks[i], err));
    }
    chunk->more = chunks;
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

static fl_status copy_bound(fl_arena *arena, fl_str *bound, fl_err *err)
{
    return bound->data == NULL ? FL_OK : fl_arena_copy_str(arena, *bound, bound, err);
}

/* The chunk's own memory goes: what the footer says of it is copied. */
static fl_status copy_chunk(fl_arena *arena, fl_pq_out_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_out_page *pages = NULL;
    FL_TRY(copy_bound(arena, &chunk->bounds.min, err));
    FL_TRY(copy_bound(arena, &chunk->bounds.max, err));
    FL_TRY(FL_NEW_ARRAY(arena, chunk->n_pages + 1, &pages, err));
    for (int32_t i = 0; i < chunk->n_pages; i++) {
        pages[i] = chunk->pages[i];
        FL_TRY(copy_bound(arena, &pages[i].bounds.min, err));
        FL_TRY(copy_bound(arena, &pages[i].bounds.max, err));
    }
    chunk->pages = pages;
cleanup:
    return st;
}

static fl_status seal_page(const parquet_writer *writer, fl_pq_module_place place, bool is_dictionary, fl_str page,
                           int32_t head_bytes, fl_text *to, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_column_key *own = writer->own_keys[place.column];
    fl_str key = own != NULL ? own->key : writer->options.keys->footer, head = {page.data, head_bytes},
           body = {page.data + head_bytes, page.len - head_bytes};
    place.module = is_dictionary ? FL_PQ_MODULE_DICTIONARY_HEADER : FL_PQ_MODULE_DATA_HEADER;
    FL_TRY(fl_pq_module_seal(&writer->crypt, key, place, head, to, err));
    place.module = is_dictionary ? FL_PQ_MODULE_DICTIONARY_PAGE : FL_PQ_MODULE_DATA_PAGE;
    FL_TRY(fl_pq_module_seal(&writer->crypt, key, place, body, to, err));
cleanup:
    return st;
}

/* A row group's pages are sealed when its number is known. */
static fl_status seal_group(const parquet_writer *writer, fl_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_out_chunk *chunks = chunk->more;
    fl_text sealed;
    fl_text_init(&sealed, chunk->bytes.memory);
    if (writer->n_groups > ORDINALS_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "an encrypted file has at most %d row groups", ORDINALS_MAX);
    for (int32_t i = 0; i < writer->n_leaves; i++) {
        fl_pq_out_chunk *c = &chunks[i];
        const char *from = chunk->bytes.data + c->at;
        fl_pq_module_place place = {.group = (int32_t)writer->n_groups, .column = i};
        if (c->n_pages > ORDINALS_MAX || writer->n_leaves > ORDINALS_MAX) {
            st = FL_FAIL(err, FL_ERR_LIMIT, "an encrypted row group has at most %d columns, and pages of one",
                         ORDINALS_MAX);
            goto cleanup;
        }
        c->at = sealed.len;
        if (c->has_dictionary)
            FL_TRY(seal_page(writer, place, true, (fl_str){from, c->data_at}, c->dictionary_head_bytes, &sealed, err));
        c->data_at = sealed.len - c->at;
        for (int32_t p = 0; p < c->n_pages; p++) {
            place.page = p;
            FL_TRY(seal_page(writer, place, false, (fl_str){from + c->pages[p].at, c->pages[p].bytes},
                             c->pages[p].head_bytes, &sealed, err));
        }
        c->bytes = sealed.len - c->at;
    }
    fl_text plain = chunk->bytes;
    chunk->bytes = sealed;
    sealed = plain;
cleanup:
    fl_text_drop(&sealed);
    return st;
}

static fl_status place(fl_writer *base, fl_chunk *chunk, int64_t offset, fl_err *err)
{
    fl_status st = FL_OK;
    parquet_writer *writer = (parquet_writer *)base;
    if (writer->options.keys != NULL)
        FL_TRY(seal_group(writer, chunk, err));
    placed_group group = {.at = offset, .bytes = chunk->bytes.len, .rows = chunk->rows};
    FL_TRY(FL_NEW_ARRAY(&writer->arena, writer->n_leaves + 1, &group.chunks, err));
    memcpy(group.chunks, chunk->more, (size_t)writer->n_leaves * sizeof(*group.chunks));
    for (int32_t i = 0; i < writer->n_leaves; i++)
        FL_TRY(copy_chunk(&writer->arena, &group.chunks[i], err));
    FL_TRY(fl_grow(writer->arena.memory, (void **)&writer->groups, &writer->groups_capacity, writer->n_groups + 1,
                   (int64_t)sizeof(*writer->groups), err));
    writer->groups[writer->n_groups++] = group;
    writer->rows += chunk->rows;
cleanup:
    return st;
}

/* ---- page indexes -------------------------------------------------------------------------------------------------- */

/* Where a chunk's indexes lie in the file. */
typedef struct index_places {
    int64_t columns_at, offsets_at;
    int32_t columns_bytes, offsets_bytes; /* 0: none */
} index_places;

/* Whether each page has bounds, or nothing but nulls: there is no index for others. */
static bool has_column_index(const fl_pq_out_chunk *chunk)
{
    for (int32_t i = 0; i < chunk->n_pages; i++)
        if (!chunk->pages[i].is_all_null && chunk->pages[i].bounds.min.data == NULL)
            return false;
    return chunk->n_pages > 0;
}

/* 1: bounds ascend from page to page, 2: they descend, 0: neither. Pages of nulls do not count. */
static int32_t order_of(const fl_pq_out_leaf *leaf, const fl_pq_out_chunk *chunk)
{
    const fl_pq_out_page *last = NULL;
    bool ascends = true, descends = true;
    for (int32_t i = 0; i < chunk->n_pages; i++) {
        const fl_pq_out_page *page = &chunk->pages[i];
        if (page->is_all_null)
            continue;
        if (last != NULL) {
            int min = fl_pq_bound_compare(leaf, last->bounds.min, page->bounds.min);
            int max = fl_pq_bound_compare(leaf, last->bounds.max, page->bounds.max);
            ascends &= min <= 0 && max <= 0;
            descends &= min >= 0 && max >= 0;
        }
        last = page;
    }
    return ascends ? 1 : descends ? 2 : 0;
}

static void write_column_index(fl_text *to, const fl_pq_out_leaf *leaf, const fl_pq_out_chunk *chunk)
{
    fl_pq_thrift_out w;
    fl_pq_thrift_out_init(&w, to);
    fl_pq_write_struct(&w);
    fl_pq_write_list(&w, 1, FL_PQ_THRIFT_TRUE, chunk->n_pages);
    for (int32_t i = 0; i < chunk->n_pages; i++)
        fl_pq_write_bool_element(&w, chunk->pages[i].is_all_null);
    fl_pq_write_list(&w, 2, FL_PQ_THRIFT_BINARY, chunk->n_pages);
    for (int32_t i = 0; i < chunk->n_pages; i++)
        fl_pq_write_bytes_element(&w, chunk->pages[i].bounds.min);
    fl_pq_write_list(&w, 3, FL_PQ_THRIFT_BINARY, chunk->n_pages);
    for (int32_t i = 0; i < chunk->n_pages; i++)
        fl_pq_write_bytes_element(&w, chunk->pages[i].bounds.max);
    fl_pq_write_i32(&w, 4, order_of(leaf, chunk));
    fl_pq_write_list(&w, 5, FL_PQ_THRIFT_I64, chunk->n_pages);
    for (int32_t i = 0; i < chunk->n_pages; i++)
        fl_pq_write_int_element(&w, chunk->pages[i].nulls);
    fl_pq_write_end(&w);
}

static void write_offset_index(fl_text *to, const fl_pq_out_chunk *chunk, int64_t at)
{
    fl_pq_thrift_out w;
    fl_pq_thrift_out_init(&w, to);
    fl_pq_write_struct(&w);
    fl_pq_write_list(&w, 1, FL_PQ_THRIFT_STRUCT, chunk->n_pages);
    for (int32_t i = 0; i < chunk->n_pages; i++) {
        fl_pq_write_struct(&w);
        fl_pq_write_i64(&w, 1, at + chunk->pages[i].at);
        fl_pq_write_i32(&w, 2, chunk->pages[i].bytes);
        fl_pq_write_i64(&w, 3, chunk->pages[i].row);
        fl_pq_write_end(&w);
    }
    fl_pq_write_end(&w);
}

static void write_indexes(const parquet_writer *writer, int64_t offset, fl_text *tail, index_places *places)
{
    for (int64_t g = 0; g < writer->n_groups; g++)
        for (int32_t i = 0; i < writer->n_leaves; i++) {
            const fl_pq_out_chunk *chunk = &writer->groups[g].chunks[i];
            index_places *p = &places[g * writer->n_leaves + i];
            if (!has_column_index(chunk))
                continue;
            p->columns_at = offset + tail->len;
            write_column_index(tail, &writer->leaves[i], chunk);
            p->columns_bytes = (int32_t)(offset + tail->len - p->columns_at);
        }
    for (int64_t g = 0; g < writer->n_groups; g++)
        for (int32_t i = 0; i < writer->n_leaves; i++) {
            const fl_pq_out_chunk *chunk = &writer->groups[g].chunks[i];
            index_places *p = &places[g * writer->n_leaves + i];
            p->offsets_at = offset + tail->len;
            write_offset_index(tail, chunk, writer->groups[g].at + chunk->at);
            p->offsets_bytes = (int32_t)(offset + tail->len - p->offsets_at);
        }
}

/* ---- the footer ---------------------------------------------------------------------------------------------------- */

static void write_statistics(fl_pq_thrift_out *w, const fl_pq_out_leaf *leaf, const fl_pq_out_chunk *chunk)
{
    const fl_pq_out_bounds *b = &chunk->bounds;
    fl_pq_write_struct_field(w, 12);
    if (leaf->rep_max == 0) /* else levels without an element are no nulls */
        fl_pq_write_i64(w, 3, chunk->nulls);
    if (chunk->distinct >= 0)
        fl_pq_write_i64(w, 4, chunk->distinct);
    if (b->min.data != NULL) {
        fl_pq_write_bytes(w, 5, b->max);
        fl_pq_write_bytes(w, 6, b->min);
        fl_pq_write_bool(w, 7, b->is_max_exact);
        fl_pq_write_bool(w, 8, b->is_min_exact);
    }
    fl_pq_write_end(w);
}

static void write_encoding_stats(fl_pq_thrift_out *w, const fl_pq_out_chunk *chunk)
{
    fl_pq_write_list(w, 13, FL_PQ_THRIFT_STRUCT, 1 + chunk->has_dictionary);
    for (int32_t i = chunk->has_dictionary ? 0 : 1; i < 2; i++) {
        fl_pq_write_struct(w);
        fl_pq_write_i32(w, 1, i == 0 ? 2 : 0); /* the dictionary; data pages */
        fl_pq_write_i32(w, 2, i == 0 ? FL_PQ_PLAIN : chunk->encoding);
        fl_pq_write_i32(w, 3, i == 0 ? 1 : chunk->n_pages);
        fl_pq_write_end(w);
    }
}

/* The fields of a chunk's metadata, but for the end. */
static void write_chunk_metadata(fl_pq_thrift_out *w, const fl_pq_out_leaf *leaf, const fl_pq_out_chunk *chunk,
                                 int64_t at)
{
    fl_pq_write_i32(w, 1, leaf->physical);
    fl_pq_write_list(w, 2, FL_PQ_THRIFT_I32, 2 + chunk->has_dictionary);
    if (chunk->has_dictionary)
        fl_pq_write_int_element(w, FL_PQ_PLAIN);
    fl_pq_write_int_element(w, FL_PQ_RLE); /* levels */
    fl_pq_write_int_element(w, chunk->encoding);
    fl_pq_write_list(w, 3, FL_PQ_THRIFT_BINARY, leaf->n_path);
    for (int32_t i = 0; i < leaf->n_path; i++)
        fl_pq_write_bytes_element(w, leaf->path[i]);
    fl_pq_write_i32(w, 4, chunk->codec);
    fl_pq_write_i64(w, 5, chunk->values);
    fl_pq_write_i64(w, 6, chunk->raw_bytes);
    fl_pq_write_i64(w, 7, chunk->bytes);
    fl_pq_write_i64(w, 9, at + chunk->data_at);
    if (chunk->has_dictionary)
        fl_pq_write_i64(w, 11, at);
    write_statistics(w, leaf, chunk);
    write_encoding_stats(w, chunk);
    if (chunk->bloom_bytes > 0) {
        fl_pq_write_i64(w, 14, at + chunk->bloom_at);
        fl_pq_write_i32(w, 15, (int32_t)chunk->bloom_bytes);
    }
    fl_pq_write_end(w);
}

/* By a key of its own: which, and its metadata, sealed by it. */
static fl_status write_own_key(fl_pq_thrift_out *w, const parquet_writer *writer, int64_t g, int32_t leaf_at,
                               fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_out_leaf *leaf = &writer->leaves[leaf_at];
    const fl_pq_out_chunk *chunk = &writer->groups[g].chunks[leaf_at];
    const fl_pq_column_key *own = writer->own_keys[leaf_at];
    fl_pq_module_place place = {.module = FL_PQ_MODULE_COLUMN_METADATA, .group = (int32_t)g, .column = leaf_at};
    fl_text plain, sealed;
    fl_pq_thrift_out metadata;
    fl_text_init(&plain, w->text->memory);
    fl_text_init(&sealed, w->text->memory);
    fl_pq_thrift_out_init(&metadata, &plain);
    fl_pq_write_struct(&metadata);
    write_chunk_metadata(&metadata, leaf, chunk, writer->groups[g].at + chunk->at);
    FL_TRY(fl_text_status(&plain, err));
    FL_TRY(fl_pq_module_seal(&writer->crypt, own->key, place, fl_text_str(&plain), &sealed, err));
    FL_TRY(fl_text_status(&sealed, err));
    fl_pq_write_struct_field(w, 8);
    fl_pq_write_struct_field(w, 2);
    fl_pq_write_list(w, 1, FL_PQ_THRIFT_BINARY, leaf->n_path);
    for (int32_t i = 0; i < leaf->n_path; i++)
        fl_pq_write_bytes_element(w, leaf->path[i]);
    if (own->metadata.len > 0)
        fl_pq_write_bytes(w, 2, own->metadata);
    fl_pq_write_end(w);
    fl_pq_write_end(w);
    fl_pq_write_bytes(w, 9, fl_text_str(&sealed));
cleanup:
    fl_text_drop(&plain);
    fl_text_drop(&sealed);
    return st;
}

static fl_status write_chunk(fl_pq_thrift_out *w, const parquet_writer *writer, int64_t g, int32_t leaf_at,
                             const index_places *places, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_out_chunk *chunk = &writer->groups[g].chunks[leaf_at];
    int64_t at = writer->groups[g].at + chunk->at;
    bool has_own_key = writer->options.keys != NULL && writer->own_keys[leaf_at] != NULL;
    fl_pq_write_struct(w);
    fl_pq_write_i64(w, 2, at);
    if (!has_own_key) {
        fl_pq_write_struct_field(w, 3);
        write_chunk_metadata(w, &writer->leaves[leaf_at], chunk, at);
    }
    if (places->offsets_bytes > 0) {
        fl_pq_write_i64(w, 4, places->offsets_at);
        fl_pq_write_i32(w, 5, places->offsets_bytes);
    }
    if (places->columns_bytes > 0) {
        fl_pq_write_i64(w, 6, places->columns_at);
        fl_pq_write_i32(w, 7, places->columns_bytes);
    }
    if (has_own_key) {
        FL_TRY(write_own_key(w, writer, g, leaf_at, err));
    } else if (writer->options.keys != NULL) { /* by the footer's key */
        fl_pq_write_struct_field(w, 8);
        fl_pq_write_struct_field(w, 1);
        fl_pq_write_end(w);
        fl_pq_write_end(w);
    }
    fl_pq_write_end(w);
cleanup:
    return st;
}

static fl_status write_group(fl_pq_thrift_out *w, const parquet_writer *writer, int64_t g, const index_places *places,
                             fl_err *err)
{
    fl_status st = FL_OK;
    const placed_group *group = &writer->groups[g];
    int64_t raw = 0, packed = 0;
    fl_pq_write_struct(w);
    fl_pq_write_list(w, 1, FL_PQ_THRIFT_STRUCT, writer->n_leaves);
    for (int32_t i = 0; i < writer->n_leaves; i++) {
        FL_TRY(write_chunk(w, writer, g, i, &places[g * writer->n_leaves + i], err));
        raw += group->chunks[i].raw_bytes;
        packed += group->chunks[i].bytes;
    }
    fl_pq_write_i64(w, 2, raw);
    fl_pq_write_i64(w, 3, group->rows);
    fl_pq_write_i64(w, 5, group->at);
    fl_pq_write_i64(w, 6, packed);
    if (writer->options.keys != NULL) /* readers open what is sealed by it */
        fl_pq_write_i16(w, 7, (int16_t)g);
    fl_pq_write_end(w);
cleanup:
    return st;
}

/* Puts the footer, which begins at `at`, sealed behind what is said of how it is. */
static fl_status seal_footer(const parquet_writer *writer, fl_text *tail, int64_t at, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text sealed;
    fl_pq_thrift_out w;
    fl_pq_module_place footer = {.module = FL_PQ_MODULE_FOOTER};
    fl_text_init(&sealed, tail->memory);
    fl_pq_thrift_out_init(&w, &sealed);
    fl_pq_write_struct(&w);
    fl_pq_write_struct_field(&w, 1); /* the algorithm: */
    fl_pq_write_struct_field(&w, 1); /* AES_GCM_V1 */
    fl_pq_write_bytes(&w, 2, (fl_str){writer->unique, FILE_BYTES});
    fl_pq_write_end(&w);
    fl_pq_write_end(&w);
    if (writer->options.keys->footer_metadata.len > 0)
        fl_pq_write_bytes(&w, 2, writer->options.keys->footer_metadata);
    fl_pq_write_end(&w);
    FL_TRY(fl_text_status(tail, err));
    FL_TRY(fl_pq_module_seal(&writer->crypt, writer->options.keys->footer, footer,
                             (fl_str){tail->data + at, tail->len - at}, &sealed, err));
    tail->len = at;
    fl_text_add_text(tail, &sealed);
    st = fl_text_status(tail, err);
cleanup:
    fl_text_drop(&sealed);
    return st;
}

static void write_pairs(fl_pq_thrift_out *w, const fl_value *pairs)
{
    if (pairs == NULL)
        return;
    fl_pq_write_list(w, 5, FL_PQ_THRIFT_STRUCT, pairs->type.n_fields);
    for (int32_t i = 0; i < pairs->type.n_fields; i++) {
        fl_pq_write_struct(w);
        fl_pq_write_bytes(w, 1, pairs->type.fields[i].name);
        fl_pq_write_bytes(w, 2, pairs->list.items[i].s);
        fl_pq_write_end(w);
    }
}

static fl_status finish(fl_writer *base, int64_t offset, fl_text *tail, fl_err *err)
{
    fl_status st = FL_OK;
    parquet_writer *writer = (parquet_writer *)base;
    index_places *places = NULL;
    fl_pq_thrift_out w;
    FL_TRY(FL_NEW_ARRAY(&writer->arena, writer->n_groups * writer->n_leaves + 1, &places, err));
    if (writer->options.keys == NULL) /* else they would tell what is encrypted */
        write_indexes(writer, offset, tail, places);
    int64_t at = tail->len;
    fl_pq_thrift_out_init(&w, tail);
    fl_pq_write_struct(&w);
    fl_pq_write_i32(&w, 1, 2); /* version */
    fl_pq_schema_write(&w, 2, writer->fields, writer->n_fields);
    fl_pq_write_i64(&w, 3, writer->rows);
    fl_pq_write_list(&w, 4, FL_PQ_THRIFT_STRUCT, writer->n_groups);
    for (int64_t g = 0; g < writer->n_groups; g++)
        FL_TRY(write_group(&w, writer, g, places, err));
    write_pairs(&w, writer->options.pairs);
    fl_pq_write_bytes(&w, 6, FL_STR("fletch version " FLETCH_VERSION " (build fletch)"));
    fl_pq_write_list(&w, 7, FL_PQ_THRIFT_STRUCT, writer->n_leaves);
    for (int32_t i = 0; i < writer->n_leaves; i++) { /* the type's order */
        fl_pq_write_struct(&w);
        fl_pq_write_struct_field(&w, 1);
        fl_pq_write_end(&w);
        fl_pq_write_end(&w);
    }
    fl_pq_write_end(&w);
    if (writer->options.keys != NULL)
        FL_TRY(seal_footer(writer, tail, at, err));
    uint32_t bytes = (uint32_t)(tail->len - at);
    fl_text_add(tail, (fl_str){(const char *)&bytes, 4});
    fl_text_add(tail, writer->options.keys != NULL ? SEALED_MAGIC : MAGIC);
    st = fl_text_status(tail, err);
cleanup:
    return st;
}

static void writer_free(fl_writer *base)
{
    parquet_writer *writer = (parquet_writer *)base;
    fl_free(writer->groups);
    fl_arena_drop(&writer->arena);
    fl_free(writer);
}

static const fl_writer_ops ops = {
    .begin = begin, .encode = encode, .place = place, .finish = finish, .free = writer_free};

static const char *const suffixes[] = {".parquet", ".pq", NULL};

/* The keys of leaves; one that is no column's is refused. */
static fl_status find_own_keys(parquet_writer *writer, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_keys *keys = writer->options.keys;
    fl_str *paths = NULL;
    FL_TRY(FL_NEW_ARRAY(&writer->arena, writer->n_leaves + 1, &writer->own_keys, err));
    FL_TRY(FL_NEW_ARRAY(&writer->arena, writer->n_leaves + 1, &paths, err));
    for (int32_t i = 0; i < writer->n_leaves; i++) {
        const fl_pq_out_leaf *leaf = &writer->leaves[i];
        fl_text path;
        fl_text_init(&path, writer->arena.memory);
        for (int32_t p = 0; p < leaf->n_path; p++) {
            fl_text_add(&path, p > 0 ? FL_STR(".") : FL_STR(""));
            fl_text_add(&path, leaf->path[p]);
        }
        st = fl_text_status(&path, err);
        if (st == FL_OK)
            st = fl_arena_copy_str(&writer->arena, fl_text_str(&path), &paths[i], err);
        fl_text_drop(&path);
        FL_TRY(st);
        writer->own_keys[i] = fl_pq_key_of(keys, paths[i]);
    }
    for (int32_t k = 0; k < keys->n_columns; k++) {
        fl_pq_keys alone = {.columns = &keys->columns[k], .n_columns = 1};
        fl_nearest near;
        int32_t i = 0;
        while (i < writer->n_leaves && fl_pq_key_of(&alone, paths[i]) == NULL)
            i++;
        if (i < writer->n_leaves)
            continue;
        FL_FAIL(err, FL_ERR_CONFIG, "there is a key of column \"%.*s\", which is not written",
                FL_STR_ARG(keys->columns[k].path));
        fl_nearest_init(&near, keys->columns[k].path);
        for (i = 0; i < writer->n_fields; i++)
            fl_nearest_offer(&near, writer->fields[i].name);
        fl_nearest_hint(&near, err);
        return fl_err_state(err, "42703", FL_ERR_CONFIG);
    }
cleanup:
    return st;
}

static fl_status open(fl_memory *memory, const fl_field *fields, int32_t n_fields, const fl_option *options,
                      int32_t n_options, fl_writer **ret, fl_err *err)
{
    fl_status st = FL_OK;
    parquet_writer *writer = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*writer), (void **)&writer, err));
    fl_arena_init(&writer->arena, memory);
    writer->fields = fields;
    writer->n_fields = n_fields;
    writer->options =
        (parquet_options){.codec = {.codec = FL_PQ_SNAPPY}, .group_rows = GROUP_ROWS, .group_bytes = GROUP_BYTES};
    FL_TRY(fl_options_read("COPY", known, FL_LEN(known), options, n_options, &writer->arena, &writer->options, err));
    if (writer->options.keys != NULL) {
        if (writer->options.keys->footer.len == 0) {
            st = FL_FAIL(err, FL_ERR_CONFIG, "COPY encrypts the footer, and there is no key for it");
            fl_err_hint(err, "write encryption_config {'footer_key': '…', 'column_keys': {'a': '…'}}");
            fl_err_state(err, "22023", FL_ERR_CONFIG);
            goto cleanup;
        }
        if (fl_system_random(fl_memory_system(memory), writer->unique, FILE_BYTES) < 0) {
            st = FL_FAIL(err, FL_ERR_IO, "there are no random numbers to encrypt with");
            goto cleanup;
        }
        writer->options.codec.seal_bytes = FL_PQ_MODULE_EXTRA;
        FL_TRY(fl_arena_copy_str(&writer->arena, (fl_str){writer->unique, FILE_BYTES}, &writer->crypt.aad, err));
    }
    FL_TRY(fl_pq_leaves_make(&writer->arena, fields, n_fields, &writer->leaves, &writer->n_leaves, err));
    if (writer->options.keys != NULL)
        FL_TRY(find_own_keys(writer, err));
    writer->base = (fl_writer){.ops = &ops,
                               .suffix = FL_STR(".parquet"),
                               .chunk_rows = writer->options.group_rows,
                               .chunk_bytes = writer->options.group_bytes};
    *ret = &writer->base;
    return FL_OK;
cleanup:
    if (writer != NULL)
        writer_free(&writer->base);
    return st;
}

const fl_writer_desc fl_writer_parquet = {
    .size = (uint32_t)sizeof(fl_writer_desc),
    .extensions = FL_KNOWS(FL_JSON) | FL_KNOWS(FL_UUID) | FL_KNOWS(FL_MAP),
    .name = "parquet",
    .suffixes = suffixes,
    .reader = "read_parquet",
    .open = open,
    .doc = "COPY … TO 'file.parquet' (COMPRESSION, COMPRESSION_LEVEL, "
           "ROW_GROUP_SIZE, ROW_GROUP_SIZE_BYTES, ENCRYPTION_CONFIG, KV_METADATA) writes row "
           "groups with statistics, page indexes, Bloom filters and checksums"};
