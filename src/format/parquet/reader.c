/* Pages of a chunk: finding, checking, decompressing, skipping; flat slots.
 *
 *     [page header][body]  …    v1 body: compressed( repetition levels, definition levels, values )
 *                               v2 body: repetition levels, definition levels, compressed( values )
 *
 * Holds: page_left slots of the page are unread, values_left slots lie in pages behind it; `at` is behind the page. */
#include "format/parquet/reader.h"

#include "format/parquet/thrift.h"

#include <stdarg.h>
#include <stdio.h>

#define ROWS_STEP 192
#define HEADER_BYTES 1024           /* most page headers are far smaller */
#define HEADER_BYTES_MAX (16 << 20) /* statistics with long strings are in it */

#define NO_CRC INT64_MIN

enum { PAGE_DATA = 0, PAGE_INDEX = 1, PAGE_DICTIONARY = 2, PAGE_DATA_V2 = 3 };

typedef struct page_header {
    int64_t type;
    int64_t unpacked_bytes, packed_bytes;
    int64_t values;
    int64_t encoding, def_encoding, rep_encoding;
    int64_t nulls, rows, def_bytes, rep_bytes; /* v2 */
    int64_t crc;                               /* its 32 bits, or NO_CRC */
    bool is_compressed;
    int64_t header_bytes;
} page_header;

fl_status fl_pq_reader_fail(fl_pq_reader *r, fl_err *err, const char *format, ...)
{
    char text[FL_ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is damaged: row group %d, column \"%.*s\", page at byte %lld: %s",
            r->meta->file->path, r->group, FL_STR_ARG(r->leaf->path), (long long)r->page_at, text);
    return FL_ERR_CORRUPT;
}

/* The number of the value, of the n that cannot be read, that is the first wrong one; -1 where it is the encoding that is
 * wrong. */
static int64_t find_wrong_value(const fl_pq_values *before, int64_t n, uint32_t *scratch)
{
    fl_pq_values v = *before;
    uint8_t value[16 + 64] __attribute__((aligned(16)));
    for (int64_t i = 0; i < n; i++) {
        fl_pq_values at = v;
        if (fl_pq_values_read(&v, 1, value, scratch) != NULL)
            return fl_pq_values_skip(&at, 1) == NULL ? i : -1;
    }
    return -1;
}

/* A value that lies in the file as it should, but is none of the column's type. */
static fl_status fail_row(const fl_pq_reader *r, int64_t row, const char *wrong, fl_err *err)
{
    FL_FAIL(err, FL_ERR_RANGE, "\"%s\", column \"%.*s\", row %lld (row group %d): %s", r->meta->file->path,
            FL_STR_ARG(r->leaf->path), (long long)(fl_pq_group_row(r->meta, r->group) + row + 1), r->group, wrong);
    if (fl_type_is_timestamp(r->leaf->type) || r->leaf->type.id == FL_TIME || r->leaf->type.id == FL_INTERVAL)
        fl_err_state(err, "22008", FL_ERR_RANGE);
    return FL_ERR_RANGE;
}

static void close_chunk(fl_pq_reader *r)
{
    fl_pq_dict_unref(r->dict);
    r->dict = NULL;
    r->page_left = 0;
    r->page_bytes = r->level_bytes = NULL;
    r->values.undone = NULL;
}

void fl_pq_reader_drop(fl_pq_reader *r)
{
    close_chunk(r);
    fl_pq_pool_drop(&r->pool);
    fl_buffer_unref(r->window);
    fl_buffer_unref(r->opened);
    r->window = r->opened = NULL;
}

void fl_pq_reader_open(fl_pq_reader *r, const fl_pq_metadata *meta, int32_t group, int32_t leaf,
                       const fl_pq_page_place *places, int32_t n_places, fl_pq_dict_slot *slot)
{
    const fl_pq_chunk *chunk = &meta->groups[group].chunks[leaf];
    close_chunk(r);
    if (r->chunk != chunk) /* the next piece of the same chunk may find its first page in the window */
        r->window_bytes = 0;
    r->meta = meta;
    r->leaf = &meta->leaves[leaf];
    r->group = group;
    r->chunk = chunk;
    r->places = places;
    r->n_places = n_places;
    r->dict_slot = slot;
    r->dict_header_bytes = 0;
    r->at = r->page_at = r->chunk->begin;
    r->row = 0;
    r->values_left = r->chunk->values;
    r->data_page = 0;
}

/* ---- bytes ---- */

static int64_t chunk_end(const fl_pq_reader *r)
{
    int64_t end = r->chunk->begin + r->chunk->bytes + r->dict_header_bytes;
    return end < r->meta->file->bytes ? end : r->meta->file->bytes;
}

/* Bytes [at, at + need) of the chunk, which has them; reads ahead. Valid until the next call. */
static fl_status look(fl_pq_reader *r, int64_t at, int64_t need, const uint8_t **ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (at >= r->window_at && at + need <= r->window_at + r->window_bytes) {
        *ret = r->window->data + (at - r->window_at);
        return FL_OK;
    }
    int64_t bytes = need > r->read_ahead_bytes ? need : r->read_ahead_bytes;
    if (bytes > chunk_end(r) - at)
        bytes = chunk_end(r) - at;
    /* what the window has of it already is moved, not read again */
    int64_t kept = at >= r->window_at && at < r->window_at + r->window_bytes ? r->window_at + r->window_bytes - at : 0;
    const uint8_t *from = kept > 0 ? r->window->data + (at - r->window_at) : NULL;
    r->window_bytes = 0;
    if (r->window == NULL || r->window->bytes < bytes) {
        fl_buffer *window = NULL;
        FL_TRY(fl_buffer_new(r->memory, bytes, &window, err));
        if (kept > 0)
            memcpy(window->data, from, (size_t)kept);
        fl_buffer_unref(r->window);
        r->window = window;
    } else if (kept > 0) {
        memmove(r->window->data, from, (size_t)kept);
    }
    FL_TRY(fl_file_read_at(r->meta->file, at + kept, r->window->data + kept, bytes - kept, err));
    r->window_at = at;
    r->window_bytes = bytes;
    r->work_bytes += bytes - kept;
    *ret = r->window->data;
cleanup:
    return st;
}

#define TO_I64(member) FL_PQ_THRIFT_VALUE(I64, page_header, member)

static const fl_pq_thrift_member data_members[] = {
    [1] = TO_I64(values), [2] = TO_I64(encoding), [3] = TO_I64(def_encoding), [4] = TO_I64(rep_encoding)};

static const fl_pq_thrift_member dictionary_members[] = {[1] = TO_I64(values), [2] = TO_I64(encoding)};

static const fl_pq_thrift_member data_v2_members[] = {
    [1] = TO_I64(values),
    [2] = TO_I64(nulls),
    [3] = TO_I64(rows),
    [4] = TO_I64(encoding),
    [5] = TO_I64(def_bytes),
    [6] = TO_I64(rep_bytes),
    [7] = FL_PQ_THRIFT_VALUE(BOOL, page_header, is_compressed),
};

static const fl_pq_thrift_member header_members[] = {
    [1] = TO_I64(type),
    [2] = TO_I64(unpacked_bytes),
    [3] = TO_I64(packed_bytes),
    [4] = TO_I64(crc),
    [5] = FL_PQ_THRIFT_MEMBERS(0, data_members),
    [7] = FL_PQ_THRIFT_MEMBERS(0, dictionary_members),
    [8] = FL_PQ_THRIFT_MEMBERS(0, data_v2_members),
};

static void parse_header(fl_pq_thrift *t, page_header *h)
{
    *h = (page_header){.type = -1,
                       .unpacked_bytes = -1,
                       .packed_bytes = -1,
                       .values = -1,
                       .encoding = -1,
                       .def_encoding = FL_PQ_RLE,
                       .rep_encoding = FL_PQ_RLE,
                       .nulls = -1,
                       .rows = -1,
                       .crc = NO_CRC,
                       .is_compressed = true};
    fl_pq_thrift_read(t, header_members, FL_LEN(header_members), h);
    h->header_bytes = t->at - t->begin;
}

static fl_status fail_sealed(fl_pq_reader *r, fl_err *err)
{
    fl_pq_reader_fail(r, err, "it cannot be opened: it was encrypted with another key, or changed");
    return FL_ERR_CORRUPT;
}

/* Opens a module of the chunk's pages into r->opened. */
static fl_status open_module(fl_pq_reader *r, fl_pq_module module, const uint8_t *sealed, int64_t bytes,
                             int64_t *ret_bytes, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t leaf = (int32_t)(r->leaf - r->meta->leaves);
    fl_pq_module_place place = {.module = module, .group = r->group, .column = leaf, .page = r->data_page};
    if (r->opened == NULL || r->opened->bytes < bytes + 64) {
        fl_buffer_unref(r->opened);
        r->opened = NULL;
        FL_TRY(fl_buffer_new(r->memory, bytes + 64, &r->opened, err));
    }
    st = fl_pq_module_open(&r->meta->crypt, r->chunk->key, place, (fl_str){(const char *)sealed, bytes},
                           r->opened->data, ret_bytes, err);
cleanup:
    return st;
}

/* A sealed header: of the dictionary, which comes first, or of the next data page. */
static fl_status read_sealed_header(fl_pq_reader *r, int64_t at, int64_t left, page_header *h, fl_err *err)
{
    fl_status st = FL_OK;
    const uint8_t *data = NULL;
    fl_pq_thrift t;
    int64_t opened = -1;
    bool is_first = at == r->chunk->begin;
    if (left < FL_PQ_MODULE_EXTRA)
        return fl_pq_reader_fail(r, err, "malformed page header");
    FL_TRY(look(r, at, 4, &data, err));
    int64_t bytes =
        4 + (int64_t)((uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24);
    if (bytes > left || bytes > HEADER_BYTES_MAX)
        return fl_pq_reader_fail(r, err, "malformed page header");
    FL_TRY(look(r, at, bytes, &data, err));
    bool is_dictionary = is_first && r->chunk->has_dictionary;
    FL_TRY(open_module(r, is_dictionary ? FL_PQ_MODULE_DICTIONARY_HEADER : FL_PQ_MODULE_DATA_HEADER, data, bytes,
                       &opened, err));
    if (opened < 0 && is_first && !is_dictionary) /* not every writer says that there is one */
        FL_TRY(open_module(r, FL_PQ_MODULE_DICTIONARY_HEADER, data, bytes, &opened, err));
    if (opened < 0)
        return fail_sealed(r, err);
    fl_pq_thrift_init(&t, r->opened->data, opened);
    parse_header(&t, h);
    if (t.is_bad)
        return fl_pq_reader_fail(r, err, "malformed page header");
    h->header_bytes = bytes;
    if (r->meta->crypt.is_bare && h->packed_bytes >= 0) /* who leaves places out counts the page without its seal */
        h->packed_bytes += FL_PQ_MODULE_EXTRA;
cleanup:
    return st;
}

static fl_status read_header(fl_pq_reader *r, int64_t at, page_header *h, fl_err *err)
{
    if (r->chunk->is_sealed && r->chunk->key.len == 0) {
        FL_FAIL(err, FL_ERR_CONFIG, "\"%s\": column \"%.*s\" is encrypted, and there is no key of it",
                r->meta->file->path, FL_STR_ARG(r->leaf->path));
        fl_err_hint(err, "give it: encryption_config = {'column_keys': {'%.*s': '…'}}", FL_STR_ARG(r->leaf->path));
        return fl_err_state(err, "28000", FL_ERR_CONFIG);
    }
    int64_t left = chunk_end(r) - at;
    r->page_at = at;
    if (left <= 0)
        return fl_pq_reader_fail(r, err, "the column ends %lld values too early", (long long)r->values_left);
    if (r->chunk->is_sealed) {
        fl_status st = read_sealed_header(r, at, left, h, err);
        if (st != FL_OK)
            return st;
    }
    for (int64_t bytes = HEADER_BYTES; !r->chunk->is_sealed; bytes *= 16) {
        const uint8_t *data = NULL;
        fl_pq_thrift t;
        int64_t take = bytes < left ? bytes : left;
        fl_status st = look(r, at, take, &data, err);
        if (st != FL_OK)
            return st;
        fl_pq_thrift_init(&t, data, take);
        parse_header(&t, h);
        if (!t.is_bad)
            break;
        if (!t.is_short || take == left || bytes >= HEADER_BYTES_MAX)
            return fl_pq_reader_fail(r, err, "malformed page header");
    }
    if (h->packed_bytes < 0 || h->packed_bytes > left - h->header_bytes)
        return fl_pq_reader_fail(r, err, "the page header says %lld bytes, the column has %lld left",
                                 (long long)h->packed_bytes, (long long)(left - h->header_bytes));
    if (h->unpacked_bytes < 0 || h->unpacked_bytes > r->page_bytes_max)
        return fl_pq_reader_fail(r, err, "a page of %lld bytes; %lld are the most", (long long)h->unpacked_bytes,
                                 (long long)r->page_bytes_max);
    bool has_values = h->type == PAGE_DATA || h->type == PAGE_DATA_V2 || h->type == PAGE_DICTIONARY;
    if (has_values && (h->values < 0 || h->values > INT32_MAX))
        return fl_pq_reader_fail(r, err, "the page header has no valid number of values");
    return FL_OK;
}

/* The page's body, decompressed; levels of v2 pages lie before it as they are in the file. The pool's buffer. */
static fl_status read_body(fl_pq_reader *r, int64_t at, const page_header *h, uint8_t **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const uint8_t *packed = NULL;
    uint8_t *body = NULL;
    int64_t plain_bytes = h->type == PAGE_DATA_V2 ? h->def_bytes + h->rep_bytes : 0;
    if (h->type == PAGE_DATA_V2 && (h->def_bytes < 0 || h->rep_bytes < 0 || h->def_bytes > h->packed_bytes ||
                                    h->rep_bytes > h->packed_bytes - h->def_bytes || plain_bytes > h->unpacked_bytes))
        return fl_pq_reader_fail(r, err, "the levels are longer than the page");
    int codec = h->is_compressed ? r->chunk->codec : FL_PQ_UNCOMPRESSED;
    if (fl_pq_codec_name(codec) == NULL)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%s\", column \"%.*s\": its codec (%s, number %d) cannot be read",
                       r->meta->file->path, FL_STR_ARG(r->leaf->path), codec == FL_PQ_LZO ? "LZO" : "unknown", codec);
    FL_TRY(look(r, at + h->header_bytes, h->packed_bytes, &packed, err));
    int64_t packed_bytes = h->packed_bytes;
    if (h->crc != NO_CRC && r->verifies_checksums && fl_pq_crc32(packed, h->packed_bytes) != (uint32_t)h->crc)
        return fl_pq_reader_fail(r, err, "the page's checksum is wrong");
    if (r->chunk->is_sealed) {
        FL_TRY(open_module(r, h->type == PAGE_DICTIONARY ? FL_PQ_MODULE_DICTIONARY_PAGE : FL_PQ_MODULE_DATA_PAGE,
                           packed, packed_bytes, &packed_bytes, err));
        if (packed_bytes < plain_bytes)
            return fail_sealed(r, err);
        packed = r->opened->data;
    }
    FL_TRY(fl_pq_pool_take(&r->pool, h->unpacked_bytes + 64, &body, err));
    memcpy(body, packed, (size_t)plain_bytes);
    const char *wrong = fl_pq_decompress(r->codecs, codec, packed + plain_bytes, packed_bytes - plain_bytes,
                                         body + plain_bytes, h->unpacked_bytes - plain_bytes);
    if (wrong != NULL)
        return fl_pq_reader_fail(r, err, "cannot decompress (%s): %s", fl_pq_codec_name(codec), wrong);
    r->work_bytes += h->unpacked_bytes;
    /* what kernels read past the end must not depend on the page before */
    memset(body + h->unpacked_bytes, 0, 64);
    *ret = body;
cleanup:
    return st;
}

/* ---- the dictionary ---- */

/* Marks the values that cannot be fletch's: rows that have them fail, the dictionary does not. *ret_wrong is NULL unless
 * it is the encoding that is wrong. */
static fl_status find_bad_values(const fl_pq_reader *r, fl_pq_values *v, fl_pq_dict *dict, const char **ret_wrong,
                                 fl_err *err)
{
    fl_status st = fl_alloc_zero(r->dict_memory, fl_bitmap_words(dict->n) * 8, (void **)&dict->bad, err);
    *ret_wrong = NULL;
    for (int64_t i = 0; i < dict->n && st == FL_OK && *ret_wrong == NULL; i++) {
        if (fl_pq_values_read(v, 1, dict->values->data + i * r->leaf->width, NULL) == NULL)
            continue;
        fl_bit_set(dict->bad, i);
        *ret_wrong = fl_pq_values_skip(v, 1);
    }
    return st;
}

static fl_status make_dict(fl_pq_reader *r, fl_pq_dict **ret, fl_err *err)
{
    fl_status st = FL_OK;
    page_header h = {0};
    fl_pq_dict *dict = NULL;
    fl_pq_pool pool = {.memory = r->dict_memory};
    fl_pq_values v;
    uint8_t *body = NULL;
    const char *wrong = NULL;
    int64_t page_at = r->page_at;
    FL_TRY(read_header(r, r->chunk->begin, &h, err));
    if (h.type != PAGE_DICTIONARY || (h.encoding != FL_PQ_PLAIN && h.encoding != FL_PQ_PLAIN_DICTIONARY) ||
        r->leaf->physical == FL_PQ_BOOLEAN) {
        st = fl_pq_reader_fail(r, err, "there is no dictionary page where one must be");
        goto cleanup;
    }
    if (h.values > h.unpacked_bytes / (r->leaf->stored_width > 0 ? r->leaf->stored_width : 4)) {
        st = fl_pq_reader_fail(r, err, "a dictionary of %lld values in %lld bytes", (long long)h.values,
                               (long long)h.unpacked_bytes);
        goto cleanup;
    }
    FL_TRY(read_body(r, r->chunk->begin, &h, &body, err));
    FL_TRY(fl_alloc_zero(r->dict_memory, (int64_t)sizeof(*dict), (void **)&dict, err));
    atomic_init(&dict->refs, 1);
    dict->n = h.values;
    dict->id = fl_dict_id_new();
    FL_TRY(fl_buffer_new(r->dict_memory, h.values * r->leaf->width + 64, &dict->values, err));
    st = fl_pq_values_begin(&v, r->leaf, r->kernels, &pool, FL_PQ_PLAIN, body, h.unpacked_bytes, h.values, NULL, &wrong,
                            err);
    if (st == FL_OK) {
        /* views must point to memory of the dictionary's own */
        if (r->leaf->convert == FL_PQ_STRING) {
            FL_TRY(fl_buffer_new(r->dict_memory, h.unpacked_bytes + 64, &dict->bytes, err));
            memcpy(dict->bytes->data, body, (size_t)h.unpacked_bytes + 64);
            v.end = dict->bytes->data + (v.end - v.at);
            v.at = dict->bytes->data;
        } else if (v.undone != NULL) {
            for (int32_t i = 0; i < pool.n; i++)
                if (pool.buffers[i]->data == v.undone)
                    dict->bytes = fl_buffer_ref(pool.buffers[i]);
        }
        fl_pq_values begin = v;
        wrong = fl_pq_values_read(&v, h.values, dict->values->data, NULL);
        if (wrong != NULL && r->leaf->convert != FL_PQ_STRING) {
            dict->bad_wrong = wrong;
            FL_TRY(find_bad_values(r, &begin, dict, &wrong, err));
        }
        if (wrong != NULL)
            st = FL_ERR_CORRUPT;
    }
    if (st == FL_ERR_CORRUPT) {
        st = fl_pq_reader_fail(r, err, "the dictionary has %s", wrong);
        goto cleanup;
    }
    FL_TRY(st);
    fl_vec_set_flat(&dict->vec, r->leaf->type, dict->values->data, NULL);
    *ret = dict;
    dict = NULL;
    r->page_at = page_at;
cleanup:
    fl_pq_pool_drop(&pool);
    fl_pq_dict_unref(dict);
    return st;
}

bool fl_pq_dict_count(const fl_pq_metadata *meta, int32_t group, int32_t leaf, int64_t *ret)
{
    fl_pq_reader r = {.read_ahead_bytes = HEADER_BYTES, .page_bytes_max = FL_PQ_PAGE_BYTES_MAX};
    page_header h = {0};
    fl_pq_reader_open(&r, meta, group, leaf, NULL, 0, NULL);
    bool is_read = r.chunk->bytes <= 0 || read_header(&r, r.at, &h, NULL) == FL_OK;
    *ret = is_read && h.type == PAGE_DICTIONARY ? h.values : 0;
    fl_pq_reader_drop(&r);
    return is_read;
}

/* Whether what was found at place `i` is the page that is said to be there. Rows of nested columns are not in every
 * header. */
static bool is_page_of(const fl_pq_reader *r, int32_t i, const page_header *h)
{
    int64_t end = i + 1 < r->n_places ? r->places[i + 1].row : r->meta->groups[r->group].rows;
    int64_t rows = end - r->places[i].row;
    if ((h->type != PAGE_DATA && h->type != PAGE_DATA_V2) || h->header_bytes + h->packed_bytes != r->places[i].bytes)
        return false;
    return r->leaf->rep_max == 0 ? h->values == rows : h->type == PAGE_DATA || h->rows == rows;
}

bool fl_pq_are_places_true(const fl_pq_metadata *meta, int32_t group, int32_t leaf, const fl_pq_page_place *places,
                           int32_t n_places)
{
    fl_pq_reader r = {.read_ahead_bytes = HEADER_BYTES, .page_bytes_max = FL_PQ_PAGE_BYTES_MAX};
    page_header h = {0};
    bool is_true = true;
    fl_pq_reader_open(&r, meta, group, leaf, places, n_places, NULL);
    for (int32_t i = 0; i < n_places && is_true; i++)
        is_true = read_header(&r, places[i].at, &h, NULL) == FL_OK && is_page_of(&r, i, &h);
    fl_pq_reader_drop(&r);
    return is_true;
}

static fl_status need_dict(fl_pq_reader *r, fl_err *err)
{
    if (r->dict != NULL)
        return FL_OK;
    if (r->dict_slot == NULL)
        return make_dict(r, &r->dict, err);
    fl_status st = FL_OK;
    pthread_mutex_lock(&r->dict_slot->lock);
    if (r->dict_slot->dict == NULL)
        st = make_dict(r, &r->dict_slot->dict, err);
    if (st == FL_OK) {
        r->dict = r->dict_slot->dict;
        atomic_fetch_add_explicit(&r->dict->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&r->dict_slot->lock);
    return st;
}

/* ---- pages ---- */

static uint32_t level_width(int max)
{
    return max == 0 ? 0 : 32 - (uint32_t)__builtin_clz((unsigned)max);
}

/* The oldest levels are packed with the most significant bit first: turned around, they are a packed run. */
static fl_status turn_levels(fl_pq_reader *r, const uint8_t *from, int64_t n, uint32_t width, fl_pq_hybrid *ret,
                             fl_err *err)
{
    uint8_t *to = NULL;
    int64_t bits = n * width;
    fl_status st = fl_pq_pool_take(&r->pool, bits / 8 + 72, &to, err);
    if (st != FL_OK)
        return st;
    memset(to, 0, (size_t)(bits / 8 + 72));
    for (int64_t i = 0; i < n; i++)
        for (uint32_t b = 0; b < width; b++) {
            int64_t bit = i * width + b, turned = i * width + (width - 1 - b);
            to[turned >> 3] |= (uint8_t)((from[bit >> 3] >> (7 - (bit & 7)) & 1) << (turned & 7));
        }
    fl_pq_hybrid_init_packed(ret, to, n, width);
    return FL_OK;
}

/* Levels of a v1 page at *at; moves it behind them. */
static fl_status begin_levels_v1(fl_pq_reader *r, const uint8_t **at, const uint8_t *end, int64_t encoding, int max,
                                 int64_t n, fl_pq_hybrid *ret, fl_err *err)
{
    uint32_t width = level_width(max);
    if (encoding == FL_PQ_BIT_PACKED) {
        int64_t bytes = (n * width + 7) / 8;
        if (bytes > end - *at)
            return fl_pq_reader_fail(r, err, "the levels are longer than the page");
        const uint8_t *from = *at;
        *at += bytes;
        return turn_levels(r, from, n, width, ret, err);
    }
    uint32_t bytes = 0;
    if (end - *at >= 4)
        memcpy(&bytes, *at, 4);
    if (end - *at < 4 || bytes > end - *at - 4 || encoding != FL_PQ_RLE)
        return fl_pq_reader_fail(
            r, err, encoding == FL_PQ_RLE ? "the levels are longer than the page" : "levels in an unknown encoding");
    fl_pq_hybrid_init(ret, *at + 4, bytes, width);
    *at += 4 + bytes;
    return FL_OK;
}

/* Levels as bytes, checked against their largest. */
static bool spread_levels(fl_pq_reader *r, fl_pq_hybrid *h, int64_t n, int max, uint8_t *to)
{
    for (int64_t done = 0; done < n;) {
        int64_t take = n - done < r->block_rows ? n - done : r->block_rows;
        if (!fl_pq_hybrid_read(h, r->kernels, take, r->scratch) || (int)r->kernels->max_u32(r->scratch, take) > max)
            return false;
        r->kernels->narrow(r->scratch, take, to + done);
        done += take;
    }
    return true;
}

static fl_status begin_nested_levels(fl_pq_reader *r, fl_pq_hybrid *reps, int64_t n, int64_t *ret_present, fl_err *err)
{
    const fl_pq_leaf *leaf = r->leaf;
    FL_ASSERT(leaf->is_nested);
    uint8_t *levels = NULL;
    fl_status st = fl_pq_pool_take(&r->pool, 2 * n + 64, &levels, err);
    if (st != FL_OK)
        return st;
    r->level_bytes = levels;
    r->def_levels = levels;
    r->rep_levels = levels + n;
    memset(levels, 0, (size_t)(2 * n));
    if ((leaf->def_max > 0 && !spread_levels(r, &r->defs, n, leaf->def_max, levels)) ||
        (leaf->rep_max > 0 && !spread_levels(r, reps, n, leaf->rep_max, levels + n)))
        return fl_pq_reader_fail(r, err, "malformed levels");
    *ret_present = r->kernels->count_equal(levels, n, leaf->def_max);
    return FL_OK;
}

/* Undoes a data page whose header was read, and stands before its first slot. */
static fl_status load_page(fl_pq_reader *r, const page_header *h, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_leaf *leaf = r->leaf;
    uint8_t *body = NULL;
    fl_pq_hybrid reps = {0};
    int64_t present = h->values;
    const char *wrong = NULL;
    r->page_left = 0;
    if (r->leaf->convert != FL_PQ_STRING)
        fl_pq_pool_release(&r->pool, NULL, 0); /* nothing points into the page before */
    FL_TRY(read_body(r, r->at, h, &body, err));
    r->page_bytes = body;
    r->level_bytes = NULL;
    const uint8_t *at = body, *end = body + h->unpacked_bytes;
    r->has_nulls = leaf->def_max > 0;
    if (h->type == PAGE_DATA_V2) {
        fl_pq_hybrid_init(&reps, at, h->rep_bytes, level_width(leaf->rep_max));
        fl_pq_hybrid_init(&r->defs, at + h->rep_bytes, h->def_bytes, level_width(leaf->def_max));
        at += h->rep_bytes + h->def_bytes;
        r->has_nulls &= h->nulls != 0 || h->def_bytes > 0; /* what is there counts, not what is said of it */
    } else {
        if (leaf->rep_max > 0)
            FL_TRY(begin_levels_v1(r, &at, end, h->rep_encoding, leaf->rep_max, h->values, &reps, err));
        if (leaf->def_max > 0)
            FL_TRY(begin_levels_v1(r, &at, end, h->def_encoding, leaf->def_max, h->values, &r->defs, err));
    }
    if (leaf->is_nested)
        FL_TRY(begin_nested_levels(r, &reps, h->values, &present, err));
    bool is_coded = h->encoding == FL_PQ_PLAIN_DICTIONARY || h->encoding == FL_PQ_RLE_DICTIONARY;
    if (is_coded)
        FL_TRY(need_dict(r, err));
    r->page_at = r->at;
    int64_t bytes = end - at;
    int encoding = (int)h->encoding;
    st = fl_pq_values_begin(&r->values, leaf, r->kernels, &r->pool, encoding, at, bytes, present, r->dict, &wrong, err);
    if (st == FL_ERR_CORRUPT)
        st = fl_pq_reader_fail(r, err, "%s (encoding %d)", wrong, encoding);
    FL_TRY(st);
    r->page_left = h->values;
    r->values_left -= h->values;
    r->at += h->header_bytes + h->packed_bytes;
    r->data_page++;
cleanup:
    return st;
}

/* Stands before the next data page's header; other pages are passed over. */
static fl_status find_page(fl_pq_reader *r, page_header *h, fl_err *err)
{
    for (;;) {
        fl_status st = read_header(r, r->at, h, err);
        if (st != FL_OK)
            return st;
        if (h->type == PAGE_DATA || h->type == PAGE_DATA_V2)
            break;
        if (h->type == PAGE_DICTIONARY && r->at == r->chunk->begin) {
            r->dict_header_bytes = h->header_bytes;
            if ((st = need_dict(r, err)) != FL_OK)
                return st;
        }
        r->at += h->header_bytes + h->packed_bytes;
    }
    if (h->values > r->values_left)
        return fl_pq_reader_fail(r, err, "the pages have more values than the column");
    return FL_OK;
}

static void release_pages(fl_pq_reader *r)
{
    uint8_t *kept[] = {r->page_left > 0 ? r->page_bytes : NULL, r->page_left > 0 ? r->values.undone : NULL,
                       r->page_left > 0 ? r->level_bytes : NULL,
                       r->page_left > 0 ? (uint8_t *)(uintptr_t)r->defs.packed : NULL};
    fl_pq_pool_release(&r->pool, kept, 4);
}

/* Nested: loads the page at hand and says whether it begins a row and has as many as its place says. */
static bool has_page_rows(fl_pq_reader *r, int32_t i, const page_header *h)
{
    int64_t end = i + 1 < r->n_places ? r->places[i + 1].row : r->meta->groups[r->group].rows;
    release_pages(r);
    return load_page(r, h, NULL) == FL_OK && r->page_left > 0 && r->rep_levels[0] == 0 &&
           r->kernels->count_equal(r->rep_levels, r->page_left, 0) == end - r->places[i].row;
}

/* With an offset index: goes straight to the page that holds the row, if that lies behind the page at hand. The page is
 * compared with what the index says of it; an index that is wrong is not asked again, and the chunk is walked instead,
 * from the page at hand or, where that is given up by then, from its first one. */
static void jump(fl_pq_reader *r, int64_t row)
{
    if (r->places == NULL)
        return;
    int32_t low = 0, high = r->n_places - 1;
    while (low < high) {
        int32_t middle = (low + high + 1) / 2;
        if (r->places[middle].row <= row)
            low = middle;
        else
            high = middle - 1;
    }
    const fl_pq_page_place *place = &r->places[low];
    if (place->at <= r->at || place->row < r->row)
        return;
    page_header h = {0};
    int64_t page_at = r->page_at;
    bool is_true = read_header(r, place->at, &h, NULL) == FL_OK && is_page_of(r, low, &h);
    r->page_at = page_at;
    if (!is_true) {
        r->places = NULL;
        return;
    }
    r->at = place->at;
    r->row = place->row;
    r->page_left = 0;
    if (r->leaf->rep_max == 0)
        r->values_left = r->chunk->values - place->row;
    else if (!has_page_rows(r, low, &h))
        fl_pq_reader_open(r, r->meta, r->group, (int32_t)(r->leaf - r->meta->leaves), NULL, 0, r->dict_slot);
}

/* ---- flat slots ---- */

static fl_status skip_slots(fl_pq_reader *r, int64_t n, fl_err *err)
{
    uint64_t bits[64];
    while (n > 0) {
        int64_t take = n < 4096 ? n : 4096, present = take;
        if (!r->has_nulls)
            take = present = n;
        if (r->has_nulls) {
            memset(bits, 0, sizeof(bits));
            if (!fl_pq_hybrid_read_bits(&r->defs, take, bits, 0, &present))
                return fl_pq_reader_fail(r, err, "malformed levels");
        }
        const char *wrong = fl_pq_values_skip(&r->values, present);
        if (wrong != NULL)
            return fl_pq_reader_fail(r, err, "%s", wrong);
        r->page_left -= take;
        r->row += take;
        n -= take;
    }
    return FL_OK;
}

static fl_status skip_to(fl_pq_reader *r, int64_t row, fl_err *err)
{
    fl_status st = FL_OK;
    while (r->row < row) {
        if (r->row + r->page_left <= row) {
            jump(r, row);
            if (r->page_left > 0 && r->row + r->page_left <= row) {
                r->row += r->page_left; /* the rest of this page is not wanted */
                r->page_left = 0;
                continue;
            }
            if (r->row == row)
                break;
            if (r->page_left == 0) {
                page_header h = {0};
                FL_TRY(find_page(r, &h, err));
                if (h.values <= row - r->row) { /* not this page: its bytes stay packed */
                    r->row += h.values;
                    r->values_left -= h.values;
                    r->at += h.header_bytes + h.packed_bytes;
                    r->data_page++;
                    continue;
                }
                release_pages(r);
                FL_TRY(load_page(r, &h, err));
            }
        }
        int64_t n = row - r->row < r->page_left ? row - r->row : r->page_left;
        FL_TRY(skip_slots(r, n, err));
    }
cleanup:
    return st;
}

/* Puts dense values where the validity bits [at, at + n) are set. Null slots get the value that would come next, which
 * is one that may be read; `dense` has one more, zero. */
#define SPREAD(value_type)                       \
    do {                                         \
        const value_type *from = dense;          \
        value_type *out = (value_type *)to + at; \
        for (int64_t i = 0; i < n; i++) {        \
            out[i] = *from;                      \
            from += fl_bit_get(valid, at + i);   \
        }                                        \
    } while (0)

static void spread(const fl_pq_kernels *kernels, const void *dense, int32_t width, const uint64_t *valid, int64_t at,
                   int64_t n, void *to)
{
    switch (width) {
    case 1:
        SPREAD(uint8_t);
        break;
    case 2:
        SPREAD(uint16_t);
        break;
    case 4:
        kernels->spread_4(dense, valid, at, n, (uint32_t *)to + at);
        break;
    case 8:
        kernels->spread_8(dense, valid, at, n, (uint64_t *)to + at);
        break;
    default:
        SPREAD(fl_i128);
        break;
    }
}

static void codes_to_views(const fl_pq_reader *r, fl_pq_slots *s, int64_t n)
{
    const fl_view *views = (const fl_view *)r->dict->values->data;
    FL_ASSERT(s->codes != NULL);
    for (int64_t i = 0; i < n; i++)
        ((fl_view *)s->values)[i] = views[s->codes[i]];
    s->is_coded = false;
}

/* Names the row of the first wrong value of n slots, of which `present` have one. */
static fl_status fail_slots(fl_pq_reader *r, const fl_pq_values *before, const fl_pq_slots *s, int64_t at, int64_t n,
                            int64_t present, const char *wrong, fl_err *err)
{
    int64_t value = r->leaf->convert == FL_PQ_STRING ? -1 : find_wrong_value(before, present, r->scratch), row = 0;
    if (value < 0)
        return fl_pq_reader_fail(r, err, "%s", wrong);
    for (int64_t values = 0; row < n; row++) {
        bool is_present = present == n || fl_bit_get(s->valid, at + row);
        if (is_present && values++ == value)
            break;
    }
    return fail_row(r, r->row + row, wrong, err);
}

/* The next n slots of the page, as rows `at` on of the batch. */
static fl_status read_page_slots(fl_pq_reader *r, int64_t at, int64_t n, fl_pq_slots *s, fl_err *err)
{
    int64_t present = n;
    if (r->has_nulls) {
        if (!fl_pq_hybrid_read_bits(&r->defs, n, s->valid, at, &present))
            return fl_pq_reader_fail(r, err, "malformed levels");
    } else if (r->leaf->def_max > 0) {
        for (int64_t i = at; i < at + n; i++)
            fl_bit_set(s->valid, i);
    }
    bool is_coded = s->codes != NULL && r->values.kind == FL_PQ_VALUES_CODES && r->dict->n > 0;
    if (at == 0)
        s->is_coded = is_coded;
    else if (s->is_coded && !is_coded)
        codes_to_views(r, s, at);
    int32_t width = s->is_coded ? 4 : r->leaf->width;
    uint8_t *to = s->is_coded ? (uint8_t *)s->codes : s->values;
    void *dense = present == n ? to + at * width : r->dense;
    fl_pq_values before = r->values;
    const char *wrong = s->is_coded ? fl_pq_values_read_codes(&r->values, present, dense)
                                    : fl_pq_values_read(&r->values, present, dense, r->scratch);
    if (wrong != NULL)
        return fail_slots(r, &before, s, at, n, present, wrong, err);
    if (present < n) {
        s->has_nulls = true;
        memset(r->dense + present * width, 0, (size_t)width);
        spread(r->kernels, r->dense, width, s->valid, at, n, to);
    }
    r->page_left -= n;
    r->row += n;
    return FL_OK;
}

fl_status fl_pq_reader_read_slots(fl_pq_reader *r, int64_t row, int64_t rows, fl_pq_slots *s, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(!r->leaf->is_nested && row >= r->row && rows <= r->block_rows);
    s->has_nulls = false;
    s->is_coded = false;
    if (r->leaf->def_max > 0)
        memset(s->valid, 0, (size_t)fl_bitmap_words(rows) * 8);
    release_pages(r);
    FL_TRY(skip_to(r, row, err));
    for (int64_t done = 0; done < rows;) {
        if (r->page_left == 0) {
            page_header h = {0};
            FL_TRY(find_page(r, &h, err));
            FL_TRY(load_page(r, &h, err));
            continue;
        }
        int64_t take = rows - done < r->page_left ? rows - done : r->page_left;
        FL_TRY(read_page_slots(r, done, take, s, err));
        done += take;
    }
cleanup:
    if (st != FL_OK)
        r->page_left = 0;
    return st;
}

/* ---- levels of nested columns ---- */

/* The row, from the first of the levels on, of a present value. */
static int64_t row_of_value(const fl_pq_reader *r, const fl_pq_levels *l, int64_t value)
{
    int64_t row = -1;
    for (int64_t i = 0; i < l->n; i++) {
        row += l->rep[i] == 0;
        if (l->def[i] == r->leaf->def_max && value-- == 0)
            break;
    }
    return row;
}

/* Appends the page's next n slots, or passes over them where levels is NULL. */
static fl_status take_levels(fl_pq_reader *r, int64_t n, fl_pq_levels *l, fl_err *err)
{
    fl_status st = FL_OK;
    const char *wrong = NULL;
    int64_t width = r->leaf->width;
    if (n == 0) /* a page may be empty; memcpy takes no NULL */
        return FL_OK;
    int64_t present = r->kernels->count_equal(r->def_levels, n, r->leaf->def_max);
    if (l == NULL) {
        wrong = fl_pq_values_skip(&r->values, present);
    } else {
        FL_TRY(fl_grow(r->memory, (void **)&l->def, &l->def_capacity, l->n + n, 1, err));
        FL_TRY(fl_grow(r->memory, (void **)&l->rep, &l->rep_capacity, l->n + n, 1, err));
        FL_TRY(
            fl_grow(r->memory, (void **)&l->values, &l->value_capacity, (l->n_values + present) * width + 64, 1, err));
        memcpy(l->def + l->n, r->def_levels, (size_t)n);
        memcpy(l->rep + l->n, r->rep_levels, (size_t)n);
        l->n += n;
        for (int64_t done = 0; done < present && wrong == NULL;) {
            int64_t take = present - done < r->block_rows ? present - done : r->block_rows, value = -1;
            fl_pq_values before = r->values;
            wrong = fl_pq_values_read(&r->values, take, l->values + l->n_values * width, r->scratch);
            if (wrong != NULL && r->leaf->convert != FL_PQ_STRING)
                value = find_wrong_value(&before, take, r->scratch);
            if (value >= 0)
                return fail_row(r, r->row + row_of_value(r, l, l->n_values + value), wrong, err);
            l->n_values += take;
            done += take;
        }
    }
    if (wrong != NULL)
        return fl_pq_reader_fail(r, err, "%s", wrong);
    r->def_levels += n;
    r->rep_levels += n;
    r->page_left -= n;
cleanup:
    return st;
}

/* Whether a page that is not yet loaded holds nothing but rows that are to be passed over. Its repetition levels, which are
 * not compressed, are asked whether it has the rows that its header says. */
static fl_status can_pass_page(fl_pq_reader *r, const page_header *h, int64_t rows_left, bool *ret, fl_err *err)
{
    const uint8_t *levels = NULL;
    fl_pq_hybrid reps;
    int64_t rows = 0;
    *ret = h->type == PAGE_DATA_V2 && h->rows >= 0 && h->rows <= rows_left && r->page_left == 0;
    if (!*ret || r->leaf->rep_max == 0) {
        *ret &= h->rows == h->values;
        return FL_OK;
    }
    *ret = h->rep_bytes >= 0 && h->rep_bytes <= h->packed_bytes;
    if (!*ret)
        return FL_OK; /* loading it says what is wrong */
    uint8_t *padded = NULL;
    release_pages(r);
    fl_status st = look(r, r->at + h->header_bytes, h->rep_bytes, &levels, err);
    if (st == FL_OK)
        st = fl_pq_pool_take(&r->pool, h->rep_bytes + 64, &padded, err);
    if (st != FL_OK)
        return st;
    memcpy(padded, levels, (size_t)h->rep_bytes);
    memset(padded + h->rep_bytes, 0, 64);
    fl_pq_hybrid_init(&reps, padded, h->rep_bytes, level_width(r->leaf->rep_max));
    for (int64_t done = 0; done < h->values && *ret;) {
        int64_t n = h->values - done < r->block_rows ? h->values - done : r->block_rows;
        *ret = fl_pq_hybrid_read(&reps, r->kernels, n, r->scratch) && (done > 0 || r->scratch[0] == 0);
        for (int64_t i = 0; *ret && i < n; i++)
            rows += r->scratch[i] == 0;
        done += n;
    }
    *ret &= rows == h->rows;
    return FL_OK;
}

/* Takes whole rows; a row ends where the next one begins, which may be on another page. */
static fl_status take_rows(fl_pq_reader *r, int64_t rows, fl_pq_levels *l, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t begun = 0;
    for (;;) {
        if (r->page_left == 0) {
            page_header h = {0};
            if (begun == rows && (r->values_left == 0 || r->at >= r->chunk->begin + r->chunk->bytes))
                break;
            FL_TRY(find_page(r, &h, err));
            bool can_pass = false;
            if (l == NULL)
                FL_TRY(can_pass_page(r, &h, rows - begun, &can_pass, err));
            if (can_pass) {
                begun += h.rows;
                r->values_left -= h.values;
                r->at += h.header_bytes + h.packed_bytes;
                continue;
            }
            if (l == NULL)
                release_pages(r);
            FL_TRY(load_page(r, &h, err));
        }
        int64_t n = 0;
        while (n + ROWS_STEP <= r->page_left) { /* steps that end no row too many */
            int64_t rows_in_step = r->kernels->count_equal(r->rep_levels + n, ROWS_STEP, 0);
            if (begun + rows_in_step > rows)
                break;
            begun += rows_in_step;
            n += ROWS_STEP;
        }
        while (n < r->page_left && (r->rep_levels[n] != 0 || begun < rows))
            begun += r->rep_levels[n++] == 0;
        if (begun == 0 && r->page_left > 0) {
            st = fl_pq_reader_fail(r, err, "its first value belongs to no row");
            goto cleanup;
        }
        FL_TRY(take_levels(r, n, l, err));
        if (r->page_left > 0)
            break;
    }
    r->row += rows;
cleanup:
    return st;
}

fl_status fl_pq_reader_read_levels(fl_pq_reader *r, int64_t row, int64_t rows, fl_pq_levels *l, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(r->leaf->is_nested && row >= r->row && rows > 0);
    l->n = l->n_values = 0;
    release_pages(r);
    if (row > r->row) {
        jump(r, row);
        if (row > r->row)
            FL_TRY(take_rows(r, row - r->row, NULL, err));
        release_pages(r);
    }
    FL_TRY(take_rows(r, rows, l, err));
cleanup:
    if (st != FL_OK)
        r->page_left = 0;
    return st;
}
