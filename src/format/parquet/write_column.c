/* Pages. A page ends between two rows, after some thousand of them or a megabyte, so that the page index tells small pieces apart. Of
 * encodings the one is taken that is smallest before compression: a dictionary, deltas of whole numbers, lengths apart from characters,
 * or the values as they are. */
#include "format/parquet/write_column.h"

#include "base/interrupt.h"
#include "format/parquet/codec.h"
#include "format/parquet/encode.h"
#include "format/parquet/metadata.h"
#include "format/parquet/write_bounds.h"
#include "format/parquet/write_dictionary.h"
#include "format/parquet/write_thrift.h"

#define PAGE_ROWS 20480
#define PAGE_BYTES (1 << 20)
#define SMALL_DICTIONARY 512 /* entries */
#define TRIED_VALUES 8192    /* to see whether a codec makes them smaller, */
#define GAIN_PART 16         /* by such a part at least */

enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };

typedef struct column_writer {
    fl_arena *scratch, *keep;
    const fl_pq_out_leaf *leaf;
    const fl_pq_shred *shred;
    fl_pq_out_codec codec;
    fl_text *to;
    int64_t base; /* where the chunk begins in `to` */
    fl_text raw, packed, head;
    fl_pq_out_dictionary dictionary;
    uint32_t *levels; /* of a page */
    int64_t levels_capacity;
    fl_pq_out_chunk chunk;
    int64_t pages_capacity;
} column_writer;

/* ---- values -------------------------------------------------------------------------------------------------------- */

static void add_bits(fl_text *to, const uint8_t *values, int64_t n)
{
    char *room = fl_text_room(to, (n + 7) / 8);
    if (room == NULL)
        return;
    memset(room, 0, (size_t)((n + 7) / 8));
    for (int64_t i = 0; i < n; i++)
        room[i >> 3] = (char)(room[i >> 3] | (values[i] & 1) << (i & 7));
    to->len += (n + 7) / 8;
}

static void add_u32(fl_text *to, uint32_t value)
{
    fl_text_add(to, (fl_str){(const char *)&value, 4});
}

static void add_plain(fl_text *to, const fl_pq_out_leaf *leaf, const void *values, int64_t start, int64_t end)
{
    int64_t width = fl_pq_lay_bytes(leaf->lay);
    if (leaf->lay == FL_PQ_LAY_1) {
        add_bits(to, (const uint8_t *)values + start, end - start);
    } else if (leaf->lay != FL_PQ_LAY_BYTES) {
        fl_text_add(to, (fl_str){(const char *)values + start * width, (end - start) * width});
    } else {
        for (int64_t i = start; i < end; i++) {
            fl_str s = ((const fl_str *)values)[i];
            if (leaf->physical != FL_PQ_FIXED)
                add_u32(to, (uint32_t)s.len);
            fl_text_add(to, s);
        }
    }
}

/* DELTA_LENGTH_BYTE_ARRAY: all lengths, then all characters. */
static fl_status add_lengths(column_writer *w, int64_t start, int64_t end, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_str *values = w->shred->values;
    int32_t *lengths = NULL;
    int64_t bytes = 0;
    FL_TRY(fl_alloc(w->raw.memory, (end - start + 1) * 4, (void **)&lengths, err));
    for (int64_t i = start; i < end; i++) {
        lengths[i - start] = (int32_t)values[i].len;
        bytes += values[i].len;
    }
    fl_pq_delta_write(&w->raw, lengths, end - start, 4);
    char *room = fl_text_room(&w->raw, bytes);
    for (int64_t i = start; i < end && room != NULL; i++) {
        if (values[i].len > 0)
            memcpy(room, values[i].data, (size_t)values[i].len);
        room += values[i].len;
    }
    w->raw.len += room != NULL ? bytes : 0;
cleanup:
    fl_free(lengths);
    return st;
}

static fl_status add_values(column_writer *w, int64_t start, int64_t end, fl_err *err)
{
    const fl_pq_out_leaf *leaf = w->leaf;
    int64_t width = fl_pq_lay_bytes(leaf->lay);
    switch (w->chunk.encoding) {
    case FL_PQ_RLE_DICTIONARY: {
        int32_t bits = fl_pq_bits_of((uint64_t)w->dictionary.n - 1);
        fl_text_add_char(&w->raw, (char)bits);
        fl_pq_hybrid_write(&w->raw, w->dictionary.codes + start, end - start, bits);
        return FL_OK;
    }
    case FL_PQ_DELTA_BINARY_PACKED:
        fl_pq_delta_write(&w->raw, (const char *)w->shred->values + start * width, end - start, (int32_t)width);
        return FL_OK;
    case FL_PQ_DELTA_LENGTH_BYTE_ARRAY:
        return add_lengths(w, start, end, err);
    default:
        add_plain(&w->raw, leaf, w->shred->values, start, end);
        return FL_OK;
    }
}

/* ---- pages --------------------------------------------------------------------------------------------------------- */

/* Levels of a page: their bytes' length in front. */
static fl_status add_levels(column_writer *w, const uint8_t *levels, int64_t n, int32_t max, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t width = fl_pq_bits_of((uint64_t)max);
    if (max == 0)
        return FL_OK;
    int64_t at = w->raw.len;
    add_u32(&w->raw, 0);
    if (levels == NULL) {
        fl_pq_hybrid_write_run(&w->raw, (uint32_t)max, n, width);
    } else {
        FL_TRY(fl_grow(w->raw.memory, (void **)&w->levels, &w->levels_capacity, n, 4, err));
        for (int64_t i = 0; i < n; i++)
            w->levels[i] = levels[i];
        fl_pq_hybrid_write(&w->raw, w->levels, n, width);
    }
    FL_TRY(fl_text_status(&w->raw, err));
    uint32_t bytes = (uint32_t)(w->raw.len - at - 4);
    memcpy(w->raw.data + at, &bytes, 4);
cleanup:
    return st;
}

/* Values that are packed into as few bits as they need rarely get smaller: where the first page does not, the chunk is written as it
 * is, which is faster to write and to read. */
static fl_status choose_codec(column_writer *w, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = w->shred->n_values < TRIED_VALUES ? w->shred->n_values : TRIED_VALUES;
    bool is_packed =
        w->chunk.encoding == FL_PQ_DELTA_BINARY_PACKED || (w->chunk.has_dictionary && w->leaf->lay != FL_PQ_LAY_BYTES);
    if (!is_packed || w->codec.codec == FL_PQ_UNCOMPRESSED)
        return FL_OK;
    fl_text_clear(&w->raw);
    fl_text_clear(&w->packed);
    FL_TRY(add_values(w, 0, n, err));
    FL_TRY(fl_text_status(&w->raw, err));
    FL_TRY(fl_pq_compress(w->codec, fl_text_str(&w->raw), &w->packed, err));
    if (w->packed.len > w->raw.len - w->raw.len / GAIN_PART)
        w->codec.codec = FL_PQ_UNCOMPRESSED;
    fl_text_clear(&w->raw);
cleanup:
    return st;
}

/* Compresses what is in `raw` and adds it behind its head. */
static fl_status put_page(column_writer *w, bool is_dictionary, int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_thrift_out t;
    FL_TRY(fl_text_status(&w->raw, err));
    fl_text_clear(&w->packed);
    fl_text_clear(&w->head);
    FL_TRY(fl_pq_compress(w->codec, fl_text_str(&w->raw), &w->packed, err));
    if (w->packed.len > INT32_MAX || w->raw.len > INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "column \"%.*s\" has a value that is too large for a page of Parquet",
                       FL_STR_ARG(w->leaf->path[0]));
    fl_pq_thrift_out_init(&t, &w->head);
    fl_pq_write_struct(&t);
    fl_pq_write_i32(&t, 1, is_dictionary ? PAGE_DICTIONARY : PAGE_DATA);
    fl_pq_write_i32(&t, 2, (int32_t)w->raw.len);
    fl_pq_write_i32(&t, 3, (int32_t)w->packed.len + w->codec.seal_bytes);
    if (w->codec.seal_bytes == 0)
        fl_pq_write_i32(&t, 4, (int32_t)fl_pq_crc32((const uint8_t *)w->packed.data, w->packed.len));
    fl_pq_write_struct_field(&t, is_dictionary ? 7 : 5);
    fl_pq_write_i32(&t, 1, (int32_t)n);
    fl_pq_write_i32(&t, 2, is_dictionary ? FL_PQ_PLAIN : w->chunk.encoding);
    if (!is_dictionary) {
        fl_pq_write_i32(&t, 3, FL_PQ_RLE);
        fl_pq_write_i32(&t, 4, FL_PQ_RLE);
    }
    fl_pq_write_end(&t);
    fl_pq_write_end(&t);
    w->chunk.raw_bytes += w->head.len + w->raw.len;
    fl_text_add_text(w->to, &w->head);
    fl_text_add_text(w->to, &w->packed);
    st = fl_text_status(w->to, err);
cleanup:
    return st;
}

/* The bounds of values [start, end): of a small dictionary those of its entries that are among them. */
static fl_status find_bounds(column_writer *w, int64_t start, int64_t end, fl_pq_out_bounds *ret, fl_err *err)
{
    uint64_t seen[SMALL_DICTIONARY / 64] = {0};
    fl_str texts[SMALL_DICTIONARY];
    int64_t n = 0;
    const fl_pq_out_dictionary *d = &w->dictionary;
    bool is_small = w->chunk.has_dictionary && d->n <= SMALL_DICTIONARY && w->leaf->lay == FL_PQ_LAY_BYTES;
    if (!is_small)
        return fl_pq_bounds_of(w->keep, w->leaf, w->shred->values, start, end, ret, err);
    for (int64_t i = start; i < end; i++)
        seen[d->codes[i] >> 6] |= 1ull << (d->codes[i] & 63);
    for (int64_t i = 0; i < d->n; i++)
        if (seen[i >> 6] >> (i & 63) & 1)
            texts[n++] = ((const fl_str *)d->values)[i];
    return fl_pq_bounds_of(w->keep, w->leaf, texts, 0, n, ret, err);
}

/* A page of levels [from, to) and values [start, end). */
static fl_status write_page(column_writer *w, int64_t from, int64_t to, int64_t start, int64_t end, int64_t row,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_shred *shred = w->shred;
    int64_t at = w->to->len;
    FL_TRY(fl_grow(NULL, (void **)&w->chunk.pages, &w->pages_capacity, w->chunk.n_pages + 1,
                   (int64_t)sizeof(*w->chunk.pages), err));
    fl_pq_out_page *page = &w->chunk.pages[w->chunk.n_pages];
    fl_text_clear(&w->raw);
    FL_TRY(add_levels(w, shred->rep == NULL ? NULL : shred->rep + from, to - from, w->leaf->rep_max, err));
    FL_TRY(add_levels(w, shred->def == NULL ? NULL : shred->def + from, to - from, w->leaf->def_max, err));
    FL_TRY(add_values(w, start, end, err));
    FL_TRY(put_page(w, false, to - from, err));
    *page = (fl_pq_out_page){.at = at - w->base,
                             .row = row,
                             .bytes = (int32_t)(w->to->len - at),
                             .head_bytes = (int32_t)w->head.len,
                             .nulls = (to - from) - (end - start),
                             .is_all_null = start == end};
    FL_TRY(find_bounds(w, start, end, &page->bounds, err));
    fl_pq_bounds_add(w->leaf, &w->chunk.bounds, &page->bounds);
    w->chunk.n_pages++;
cleanup:
    return st;
}

static int64_t bytes_of_value(const column_writer *w, int64_t i)
{
    if (w->leaf->lay != FL_PQ_LAY_BYTES)
        return fl_pq_lay_bytes(w->leaf->lay);
    return w->chunk.encoding == FL_PQ_RLE_DICTIONARY ? 4 : ((const fl_str *)w->shred->values)[i].len + 4;
}

static fl_status write_pages(column_writer *w, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_shred *shred = w->shred;
    fl_work work = fl_work_of(w->raw.memory);
    int64_t from = 0, start = 0, value = 0, bytes = 0, row = -1, first_row = 0;
    for (int64_t i = 0; i < shred->n_levels; i++) {
        bool is_row = shred->rep == NULL || shred->rep[i] == 0;
        row += is_row;
        if (is_row && (row - first_row >= PAGE_ROWS || bytes >= PAGE_BYTES)) {
            FL_TRY(write_page(w, from, i, start, value, first_row, err));
            from = i;
            start = value;
            first_row = row;
            bytes = 0;
        }
        if (shred->def == NULL || shred->def[i] == w->leaf->def_max) {
            bytes += bytes_of_value(w, value);
            value++;
        }
        FL_TRY(fl_work_add(&work, 1, err));
    }
    FL_ASSERT(value == shred->n_values);
    if (shred->n_levels > from)
        FL_TRY(write_page(w, from, shred->n_levels, start, value, first_row, err));
    w->chunk.values = shred->n_levels;
    w->chunk.nulls = shred->n_levels - shred->n_values;
cleanup:
    return st;
}

/* ---- the chunk ----------------------------------------------------------------------------------------------------- */

static fl_status choose_encoding(column_writer *w, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_out_leaf *leaf = w->leaf;
    const fl_pq_shred *shred = w->shred;
    int64_t n = shred->n_values, width = fl_pq_lay_bytes(leaf->lay), bytes = n * width;
    bool is_whole = leaf->physical == FL_PQ_INT32 || leaf->physical == FL_PQ_INT64;
    w->chunk.encoding = FL_PQ_PLAIN;
    w->chunk.distinct = -1;
    if (leaf->lay == FL_PQ_LAY_1 || n == 0)
        return FL_OK;
    if (is_whole) {
        int64_t deltas = fl_pq_delta_bytes(shred->values, n, (int32_t)width);
        if (deltas < bytes / 8 * 7) {
            bytes = deltas;
            w->chunk.encoding = FL_PQ_DELTA_BINARY_PACKED;
        }
        if (deltas < n / 4) /* two bits a value: no dictionary has less to say of it */
            return FL_OK;
    } else if (leaf->physical == FL_PQ_BYTE_ARRAY) {
        bytes = shred->bytes + n;
        w->chunk.encoding = FL_PQ_DELTA_LENGTH_BYTE_ARRAY;
    } else if (leaf->lay == FL_PQ_LAY_BYTES) {
        bytes = shred->bytes;
    }
    FL_TRY(fl_pq_dictionary_make(w->scratch, leaf, shred, bytes, &w->dictionary, &w->chunk.has_dictionary, err));
    if (w->chunk.has_dictionary) {
        w->chunk.encoding = FL_PQ_RLE_DICTIONARY;
        w->chunk.distinct = w->dictionary.n;
    }
cleanup:
    return st;
}

fl_status fl_pq_column_write(fl_arena *scratch, fl_arena *keep, const fl_pq_out_leaf *leaf, const fl_pq_shred *shred,
                             fl_pq_out_codec codec, fl_text *to, fl_pq_out_chunk *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_out_page *pages = NULL;
    column_writer w = {.scratch = scratch,
                       .keep = keep,
                       .leaf = leaf,
                       .shred = shred,
                       .codec = codec,
                       .to = to,
                       .base = to->len,
                       .chunk = {.at = to->len}};
    fl_text_init(&w.raw, to->memory);
    fl_text_init(&w.packed, to->memory);
    fl_text_init(&w.head, to->memory);
    FL_TRY(choose_encoding(&w, err));
    FL_TRY(choose_codec(&w, err));
    w.chunk.codec = w.codec.codec;
    if (w.chunk.has_dictionary) {
        add_plain(&w.raw, leaf, w.dictionary.values, 0, w.dictionary.n);
        FL_TRY(put_page(&w, true, w.dictionary.n, err));
        w.chunk.dictionary_head_bytes = (int32_t)w.head.len;
    }
    w.chunk.data_at = to->len - w.base;
    FL_TRY(write_pages(&w, err));
    w.chunk.bytes = to->len - w.base;
    if (w.chunk.has_dictionary && codec.seal_bytes == 0) {
        w.chunk.bloom_at = to->len - w.base;
        fl_pq_bloom_write(to, leaf, &w.dictionary);
        FL_TRY(fl_text_status(to, err));
        w.chunk.bloom_bytes = to->len - w.base - w.chunk.bloom_at;
    }
    FL_TRY(FL_NEW_ARRAY(keep, w.chunk.n_pages + 1, &pages, err));
    if (w.chunk.n_pages > 0)
        memcpy(pages, w.chunk.pages, (size_t)w.chunk.n_pages * sizeof(*pages));
    *ret = w.chunk;
    ret->pages = pages;
cleanup:
    fl_free(w.chunk.pages);
    fl_free(w.levels);
    fl_text_drop(&w.raw);
    fl_text_drop(&w.packed);
    fl_text_drop(&w.head);
    return st;
}
