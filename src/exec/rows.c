/* The row layout: hashing, writing, comparing, reading, by typed loops a column at a time. */
#include "exec/rows.h"

#include "arrow/vec_check.h"
#include "base/hash.h"
#include "base/region_pool.h"

#include <math.h>

#define BLOCK_BYTES_MIN (16 * 1024) /* small results stay small */
#define BLOCK_BYTES_MAX (256 * 1024)
#define GROWTH_PART 4 /* of what a store has: what it grows by, so that it fits as long as spilling has room */
#define HUGE_STORE_BYTES (8 << 20)   /* from here on a block is a huge page, where it comes from a pool, */
#define LARGE_STORE_BYTES (32 << 20) /* and from here on it is several */
#define HUGE_BLOCK_BYTES (FL_HUGE_PAGE_BYTES - 64)
#define LARGE_BLOCK_BYTES (4 * FL_HUGE_PAGE_BYTES - 64)
#define NULL_HASH 0x8F2E5A1C9B7D3E61ull

static int32_t value_bytes(fl_type type)
{
    if (type.id == FL_BOOL || type.id == FL_NULL)
        return 1;
    return fl_type_is_nested(type) ? 8 : fl_type_width(type);
}

fl_status fl_row_layout_init(fl_row_layout *layout, fl_arena *arena, const fl_type *types, int32_t n,
                             int32_t extra_bytes, fl_err *err)
{
    fl_status st = FL_OK;
    *layout = (fl_row_layout){.n_cols = n};
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &layout->types, err));
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &layout->offsets, err));
    int32_t at = 8, n_placed = 0;
    static const int32_t widths[] = {16, 8, 4, 2, 1}; /* widest first: no padding between */
    for (int32_t w = 0; w < 5; w++)
        for (int32_t i = 0; i < n; i++)
            if (value_bytes(types[i]) == widths[w]) {
                layout->types[i] = types[i];
                layout->offsets[i] = at;
                at += widths[w];
                n_placed++;
            }
    FL_ASSERT(n_placed == n); /* each width is one of those */
    layout->nulls_offset = at;
    at += (n + 7) / 8;
    layout->extra_offset = (at + 7) & ~7;
    layout->bytes = (layout->extra_offset + extra_bytes + 7) & ~7;
cleanup:
    return st;
}

/* ---- hashing ------------------------------------------------------------------------------------------------------ */

static inline uint64_t canonical_f64(double v)
{
    uint64_t bits;
    v = v == 0 ? 0 : isnan(v) ? NAN : v;
    memcpy(&bits, &v, 8);
    return bits;
}

static inline uint64_t decimal_bits(fl_i128 v)
{
    uint64_t low = (uint64_t)v, high = (uint64_t)(v >> 64);
    return high == (uint64_t)((int64_t)low >> 63) ? low : low ^ fl_hash_fold(high, 0xA0761D6478BD642Full);
}

/* The bits that stand for a flat value when it is hashed. */
#define HASH_LOOP(bits_of_row)                                                                                \
    for (int32_t i = 0; i < count; i++) {                                                                     \
        int64_t row = constant ? 0 : list[i];                                                                 \
        uint64_t bits = fl_is_valid(valid, row) ? (uint64_t)(bits_of_row) : NULL_HASH;                        \
        ret[i] = first ? fl_hash_u64(bits, seed) : fl_hash_fold(ret[i] ^ bits, 0xE7037ED1A0B428DBull ^ seed); \
    }

static void hash_col(const fl_vec *vec, const uint16_t *list, int32_t count, uint64_t seed, bool first, uint64_t *ret)
{
    bool constant = vec->layout == FL_CONST;
    const uint64_t *valid = vec->valid;
    const void *data = vec->data;
    if (fl_type_is_string(vec->type)) {
        for (int32_t i = 0; i < count; i++) {
            uint64_t bits = NULL_HASH;
            if (fl_vec_is_valid(vec, list[i])) {
                fl_str s = fl_vec_str(vec, list[i]);
                bits = fl_hash_str(s.data, s.len, seed);
            }
            ret[i] = first ? bits : fl_hash_fold(ret[i] ^ bits, 0xE7037ED1A0B428DBull ^ seed);
        }
        return;
    }
    switch (vec->type.id) {
    case FL_NULL:
        HASH_LOOP(NULL_HASH)
        break;
    case FL_BOOL:
        HASH_LOOP(constant ? *(const uint8_t *)data : fl_bit_get(data, row))
        break;
    case FL_F32:
        HASH_LOOP(canonical_f64((double)((const float *)data)[row]))
        break;
    case FL_F64:
        HASH_LOOP(canonical_f64(((const double *)data)[row]))
        break;
    case FL_INTERVAL: {
        const fl_interval *v = data;
        HASH_LOOP(decimal_bits(((fl_i128)v[row].months * 30 + v[row].days) * 86400000000000LL + v[row].nanos))
        break;
    }
    case FL_LIST:
    case FL_STRUCT: {
        fl_arena arena;
        fl_arena_init(&arena, NULL);
        for (int32_t i = 0; i < count; i++) {
            fl_value value = {0};
            uint64_t bits = NULL_HASH;
            if (fl_value_from_vec(&arena, vec, list[i], &value, NULL) == FL_OK && !value.is_null)
                bits = fl_value_hash(&value);
            ret[i] = first ? fl_hash_u64(bits, seed) : fl_hash_fold(ret[i] ^ bits, 0xE7037ED1A0B428DBull ^ seed);
        }
        fl_arena_drop(&arena);
        break;
    }
    default:
        switch (vec->width) {
        case 1:
            HASH_LOOP((int64_t)((const int8_t *)data)[row])
            break;
        case 2:
            HASH_LOOP((int64_t)((const int16_t *)data)[row])
            break;
        case 4:
            HASH_LOOP((int64_t)((const int32_t *)data)[row])
            break;
        case 8:
            HASH_LOOP(((const uint64_t *)data)[row])
            break;
        default:
            HASH_LOOP(decimal_bits(((const fl_i128 *)data)[row]))
        }
    }
}

void fl_rows_hash(const fl_vec *keys, int32_t n_keys, const uint16_t *list, int32_t count, uint64_t seed, uint64_t *ret)
{
    if (n_keys == 0)
        memset(ret, 0, (size_t)count * 8);
    for (int32_t k = 0; k < n_keys; k++)
        hash_col(&keys[k], list, count, seed, k == 0, ret);
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

#define WRITE_LOOP(type)                                         \
    do {                                                         \
        const type *x = vec->data;                               \
        for (int32_t i = 0; i < count; i++)                      \
            *(type *)(rows[i] + at) = x[constant ? 0 : list[i]]; \
    } while (0)

typedef fl_i128 __attribute__((aligned(8))) i128_in_row; /* rows are 8-byte aligned */

static void write_nulls(const fl_row_layout *layout, int32_t col, const fl_vec *vec, const uint16_t *list,
                        int32_t count, uint8_t *const *rows)
{
    int32_t byte = layout->nulls_offset + (col >> 3);
    uint8_t bit = (uint8_t)(1 << (col & 7));
    if (vec->valid == NULL && vec->type.id != FL_NULL)
        return;
    for (int32_t i = 0; i < count; i++)
        if (vec->type.id == FL_NULL || !fl_vec_is_valid(vec, list[i]))
            rows[i][byte] |= bit;
}

fl_status fl_rows_write(const fl_row_layout *layout, int32_t col, const fl_vec *vec, const uint16_t *list,
                        int32_t count, uint8_t *const *rows, fl_arena *heap, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t at = layout->offsets[col];
    bool constant = vec->layout == FL_CONST;
    FL_ASSERT(col < layout->n_cols && vec->type.id == layout->types[col].id);
    write_nulls(layout, col, vec, list, count, rows);
    if (fl_type_is_string(vec->type)) {
        for (int32_t i = 0; i < count; i++) {
            fl_view view = {0};
            if (fl_vec_is_valid(vec, list[i])) {
                view = fl_vec_view(vec, list[i]);
                if (view.len > FL_VIEW_INLINE_MAX) {
                    char *copy = NULL;
                    FL_TRY(fl_arena_get(heap, view.len, (void **)&copy, err));
                    memcpy(copy, view.ptr, view.len);
                    view.ptr = copy;
                }
            }
            memcpy(rows[i] + at, &view, 16);
        }
        return FL_OK;
    }
    if (fl_type_is_nested(vec->type)) {
        for (int32_t i = 0; i < count; i++) {
            fl_value value, *copy = NULL;
            FL_TRY(fl_value_from_vec(heap, vec, list[i], &value, err));
            if (!value.is_null) {
                FL_TRY(FL_NEW(heap, &copy, err));
                FL_TRY(fl_value_copy(heap, &value, copy, err));
            }
            memcpy(rows[i] + at, &copy, 8);
        }
        return FL_OK;
    }
    if (vec->type.id == FL_BOOL) {
        for (int32_t i = 0; i < count; i++)
            rows[i][at] = constant ? *(const uint8_t *)vec->data : fl_bit_get(vec->data, list[i]);
        return FL_OK;
    }
    if (vec->type.id == FL_NULL)
        return FL_OK;
    if (vec->type.id == FL_DECIMAL && fl_type_width(vec->type) == 16) {
        for (int32_t i = 0; i < count; i++)
            *(i128_in_row *)(rows[i] + at) = fl_vec_i128(vec, list[i]);
        return FL_OK;
    }
    switch (vec->width) {
    case 1:
        WRITE_LOOP(uint8_t);
        break;
    case 2:
        WRITE_LOOP(uint16_t);
        break;
    case 4:
        WRITE_LOOP(uint32_t);
        break;
    case 8:
        WRITE_LOOP(uint64_t);
        break;
    default:
        for (int32_t i = 0; i < count; i++)
            memcpy(rows[i] + at, (const uint8_t *)vec->data + (constant ? 0 : (int64_t)list[i] * 16), 16);
    }
cleanup:
    return st;
}

/* ---- comparing ---------------------------------------------------------------------------------------------------- */

#define MATCH_LOOP(equal)                                                                 \
    for (int32_t m = 0; m < count; m++) {                                                 \
        int32_t c = match[m];                                                             \
        int64_t row = constant ? 0 : list[c];                                             \
        const uint8_t *value = rows[c] + at;                                              \
        bool null_in_row = rows[c][null_byte] & null_bit;                                 \
        bool same = fl_is_valid(vec->valid, row) ? !null_in_row && (equal) : null_in_row; \
        if (same)                                                                         \
            match[kept++] = (uint16_t)c;                                                  \
        else                                                                              \
            differ[(*n_differ)++] = (uint16_t)c;                                          \
    }

#define LOADED(type) (*(const type *)value)

static bool is_same_nested(const fl_vec *vec, int64_t row, const uint8_t *value)
{
    fl_arena arena;
    fl_value own = {0};
    const fl_value *other;
    memcpy(&other, value, 8);
    fl_arena_init(&arena, NULL);
    bool same =
        fl_value_from_vec(&arena, vec, row, &own, NULL) == FL_OK && other != NULL && fl_value_compare(&own, other) == 0;
    fl_arena_drop(&arena);
    return same;
}

static bool is_same_double(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static int32_t match_col(const fl_row_layout *layout, int32_t col, const fl_vec *vec, const uint16_t *list,
                         uint8_t *const *rows, uint16_t *match, int32_t count, uint16_t *differ, int32_t *n_differ)
{
    int32_t at = layout->offsets[col], kept = 0;
    int32_t null_byte = layout->nulls_offset + (col >> 3);
    uint8_t null_bit = (uint8_t)(1 << (col & 7));
    bool constant = vec->layout == FL_CONST;
    const void *x = vec->data;
    if (fl_type_is_string(vec->type)) {
        for (int32_t m = 0; m < count; m++) { /* their texts lie anywhere */
            const fl_view *text = (const fl_view *)(rows[match[m]] + at);
            if (text->len > FL_VIEW_INLINE_MAX)
                __builtin_prefetch(text->ptr);
        }
        if (vec->layout == FL_FLAT && vec->form == FL_VIEWS) {
            const fl_view *views = x;
            MATCH_LOOP(fl_view_is_equal(&views[row], (const fl_view *)value))
        } else {
            for (int32_t m = 0; m < count; m++) {
                int32_t c = match[m];
                bool null_in_row = rows[c][null_byte] & null_bit;
                bool same = null_in_row;
                if (fl_vec_is_valid(vec, list[c])) {
                    fl_view view = fl_vec_view(vec, list[c]);
                    same = !null_in_row && fl_view_is_equal(&view, (const fl_view *)(rows[c] + at));
                }
                if (same)
                    match[kept++] = (uint16_t)c;
                else
                    differ[(*n_differ)++] = (uint16_t)c;
            }
        }
        return kept;
    }
    switch (vec->type.id) {
    case FL_NULL:
        return count;
    case FL_BOOL:
        MATCH_LOOP((constant ? *(const uint8_t *)x != 0 : fl_bit_get(x, row)) == (*value != 0))
        return kept;
    case FL_F32:
        MATCH_LOOP(is_same_double((double)((const float *)x)[row], (double)LOADED(float)))
        return kept;
    case FL_F64:
        MATCH_LOOP(is_same_double(((const double *)x)[row], LOADED(double)))
        return kept;
    case FL_INTERVAL: {
        for (int32_t m = 0; m < count; m++) {
            int32_t c = match[m];
            int64_t row = constant ? 0 : list[c];
            bool null_in_row = rows[c][null_byte] & null_bit, same = null_in_row;
            if (fl_is_valid(vec->valid, row)) {
                fl_value a = {.type = vec->type}, b = {.type = vec->type};
                a.interval = ((const fl_interval *)x)[row];
                memcpy(&b.interval, rows[c] + at, 16);
                same = !null_in_row && fl_value_compare(&a, &b) == 0;
            }
            if (same)
                match[kept++] = (uint16_t)c;
            else
                differ[(*n_differ)++] = (uint16_t)c;
        }
        return kept;
    }
    case FL_LIST:
    case FL_STRUCT:
        MATCH_LOOP(is_same_nested(vec, row, value))
        return kept;
    case FL_DECIMAL:
        if (fl_type_width(vec->type) == 16) {
            MATCH_LOOP(fl_vec_i128(vec, row) == LOADED(i128_in_row))
            return kept;
        }
        break;
    default:
        break;
    }
    switch (vec->width) {
    case 1:
        MATCH_LOOP(((const uint8_t *)x)[row] == LOADED(uint8_t))
        break;
    case 2:
        MATCH_LOOP(((const uint16_t *)x)[row] == LOADED(uint16_t))
        break;
    case 4:
        MATCH_LOOP(((const uint32_t *)x)[row] == LOADED(uint32_t))
        break;
    default:
        MATCH_LOOP(((const uint64_t *)x)[row] == LOADED(uint64_t))
    }
    return kept;
}

int32_t fl_rows_match(const fl_row_layout *layout, int32_t col, const fl_vec *vec, const uint16_t *list,
                      uint8_t *const *rows, uint16_t *match, int32_t count, uint16_t *differ, int32_t *n_differ)
{
    int32_t before = *n_differ;
    FL_ASSERT(col < layout->n_cols && vec->type.id == layout->types[col].id);
    int32_t kept = match_col(layout, col, vec, list, rows, match, count, differ, n_differ);
    FL_ASSERT(kept + (*n_differ - before) == count); /* no candidate is lost */
    return kept;
}

static bool is_same_value(fl_type type, const uint8_t *a, const uint8_t *b)
{
    switch (type.id) {
    case FL_NULL:
        return true;
    case FL_F32:
        return is_same_double((double)*(const float *)a, (double)*(const float *)b);
    case FL_F64:
        return is_same_double(*(const double *)a, *(const double *)b);
    case FL_UTF8:
    case FL_BINARY:
        return fl_view_is_equal((const fl_view *)a, (const fl_view *)b);
    case FL_INTERVAL: {
        fl_value x = {.type = type}, y = {.type = type};
        memcpy(&x.interval, a, 16);
        memcpy(&y.interval, b, 16);
        return fl_value_compare(&x, &y) == 0;
    }
    case FL_LIST:
    case FL_STRUCT:
        return fl_value_compare(*(const fl_value *const *)a, *(const fl_value *const *)b) == 0;
    default:
        break;
    }
    switch (value_bytes(type)) { /* most keys are of these, and memcmp of a size that is not known is a call */
    case 4:
        return *(const uint32_t *)a == *(const uint32_t *)b;
    case 8:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    default:
        return memcmp(a, b, (size_t)value_bytes(type)) == 0;
    }
}

bool fl_rows_same_col(const fl_row_layout *layout, int32_t col, const uint8_t *a, const uint8_t *b)
{
    bool null_a = fl_row_is_null(layout, a, col), null_b = fl_row_is_null(layout, b, col);
    int32_t at = layout->offsets[col];
    return null_a == null_b && (null_a || is_same_value(layout->types[col], a + at, b + at));
}

int32_t fl_rows_same_cols(const fl_row_layout *layout, int32_t n, const uint8_t *a, const uint8_t *b)
{
    FL_ASSERT(n <= layout->n_cols);
    for (int32_t col = 0; col < n; col++)
        if (!fl_rows_same_col(layout, col, a, b))
            return col;
    return n;
}

bool fl_rows_are_same(const fl_row_layout *layout, int32_t n, const uint8_t *a, const uint8_t *b)
{
    return fl_rows_same_cols(layout, n, a, b) == n;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

#define READ_LOOP(type)                                                            \
    do {                                                                           \
        type *to = data;                                                           \
        if (all_there)                                                             \
            for (int32_t i = 0; i < count; i++)                                    \
                to[i] = *(const type *)(rows[i] + at);                             \
        else                                                                       \
            for (int32_t i = 0; i < count; i++)                                    \
                to[i] = rows[i] == NULL ? (type)0 : *(const type *)(rows[i] + at); \
    } while (0)

static bool are_present(uint8_t *const *rows, int32_t count)
{
    bool are = true;
    for (int32_t i = 0; i < count; i++)
        are &= rows[i] != NULL;
    return are;
}

/* Validity of a column of the rows, of which NULL ones are null; *ret NULL: none is. Mostly there are none, which one look at all
 * rows tells. */
static fl_status read_valid(const fl_row_layout *layout, int32_t col, uint8_t *const *rows, int32_t count,
                            bool all_there, fl_arena *arena, uint64_t **ret, fl_err *err)
{
    int32_t null_byte = layout->nulls_offset + (col >> 3), shift = col & 7;
    int64_t words = fl_bitmap_words(count);
    uint8_t any = 0;
    *ret = NULL;
    for (int32_t i = 0; i < count && all_there; i++)
        any |= rows[i][null_byte];
    if (all_there && (any >> shift & 1) == 0)
        return FL_OK;
    fl_status st = fl_arena_get(arena, words * 8 + 8, (void **)ret, err);
    if (st != FL_OK)
        return st;
    for (int64_t w = 0; w < words; w++) {
        uint64_t word = 0;
        int32_t end = count - (int32_t)w * 64 < 64 ? count - (int32_t)w * 64 : 64;
        for (int32_t i = 0; i < end; i++) {
            const uint8_t *row = rows[w * 64 + i];
            uint64_t null = row == NULL ? 1 : (row[null_byte] >> shift & 1);
            word |= (null ^ 1) << i;
        }
        (*ret)[w] = word;
    }
    return FL_OK;
}

fl_status fl_rows_read(const fl_row_layout *layout, int32_t col, uint8_t *const *rows, int32_t count, fl_arena *arena,
                       fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t at = layout->offsets[col];
    fl_type type = layout->types[col];
    uint64_t *valid = NULL;
    void *data = NULL;
    int64_t words = fl_bitmap_words(count);
    bool all_there = are_present(rows, count);
    FL_TRY(read_valid(layout, col, rows, count, all_there, arena, &valid, err));
    if (fl_type_is_nested(type)) {
        const fl_value **values = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, count + 1, &values, err));
        for (int32_t i = 0; i < count; i++)
            if (rows[i] != NULL)
                memcpy(&values[i], rows[i] + at, 8);
        return fl_vec_from_values(arena, type, values, count, ret, err);
    }
    if (type.id == FL_BOOL) {
        FL_TRY(fl_arena_get_zero(arena, words * 8 + 8, &data, err));
        for (int32_t i = 0; i < count; i++)
            if (rows[i] != NULL && rows[i][at])
                fl_bit_set(data, i);
        fl_vec_set_flat(ret, type, data, valid);
        return FL_OK;
    }
    int32_t width = value_bytes(type);
    FL_TRY(fl_arena_get(arena, (int64_t)count * width + 64, &data, err));
    switch (width) {
    case 1:
        READ_LOOP(uint8_t);
        break;
    case 2:
        READ_LOOP(uint16_t);
        break;
    case 4:
        READ_LOOP(uint32_t);
        break;
    case 8:
        READ_LOOP(uint64_t);
        break;
    default:
        for (int32_t i = 0; i < count; i++) {
            if (rows[i] == NULL)
                memset((uint8_t *)data + (int64_t)i * 16, 0, 16);
            else
                memcpy((uint8_t *)data + (int64_t)i * 16, rows[i] + at, 16);
        }
    }
    fl_vec_set_flat(ret, type, data, valid);
    FL_ASSERT_NO_FAULT(fl_vec_fault(ret, NULL, count));
cleanup:
    return st;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------- */

void fl_row_store_init(fl_row_store *store, const fl_row_layout *layout, fl_memory *memory)
{
    *store = (fl_row_store){.layout = layout, .memory = memory};
    fl_arena_init(&store->heap, memory);
}

static int64_t bytes_of_block(const fl_row_store *store, int32_t rows_max)
{
    return (int64_t)sizeof(fl_row_block) + (int64_t)rows_max * store->layout->bytes;
}

#if defined(FLETCH_SLOW_ASSERTS)
/* What is wrong with the blocks of a store, NULL: nothing is. */
static const char *store_fault(const fl_row_store *store)
{
    int64_t rows = 0, bytes = 0;
    const fl_row_block *last = NULL;
    for (const fl_row_block *b = store->first; b != NULL; b = b->next) {
        if (b->rows < 0 || b->rows > b->rows_max || (b->rows == 0 && b->next != NULL))
            return "a block of rows has none, or more than it has room for";
        rows += b->rows;
        bytes += bytes_of_block(store, b->rows_max);
        last = b;
    }
    if (rows != store->rows || bytes != store->block_bytes || last != store->last)
        return "a store is not what its blocks are";
    return NULL;
}
#endif

void fl_row_store_drop(fl_row_store *store)
{
    FL_ASSERT_NO_FAULT(store_fault(store));
    for (fl_row_block *b = store->first; b != NULL;) {
        fl_row_block *next = b->next;
        fl_free(b);
        b = next;
    }
    fl_arena_drop(&store->heap);
    store->first = store->last = NULL;
    store->rows = store->block_bytes = 0;
}

fl_row_mark fl_row_store_mark(const fl_row_store *store)
{
    return (fl_row_mark){store->last, store->last != NULL ? store->last->rows : 0, store->rows};
}

void fl_row_store_rewind(fl_row_store *store, fl_row_mark mark)
{
    FL_ASSERT(mark.rows <= store->rows && (mark.last != NULL) == (mark.rows > 0));
    FL_ASSERT(mark.last == NULL || mark.last_rows <= mark.last->rows);
    fl_row_block *block = mark.last != NULL ? mark.last->next : store->first;
    while (block != NULL) {
        fl_row_block *next = block->next;
        store->block_bytes -= bytes_of_block(store, block->rows_max);
        fl_free(block);
        block = next;
    }
    store->last = mark.last;
    store->rows = mark.rows;
    if (mark.last == NULL) {
        store->first = NULL;
    } else {
        mark.last->next = NULL;
        mark.last->rows = mark.last_rows;
    }
    FL_ASSERT_NO_FAULT(store_fault(store));
}

static int64_t next_block_bytes(const fl_row_store *store)
{
    int64_t bytes = store->block_bytes / GROWTH_PART;
    if (store->rows * store->layout->bytes >= LARGE_STORE_BYTES)
        return LARGE_BLOCK_BYTES;
    if (store->rows * store->layout->bytes >= HUGE_STORE_BYTES && store->memory != NULL &&
        fl_region_is_filled(store->memory->pool, HUGE_BLOCK_BYTES))
        return HUGE_BLOCK_BYTES;
    return bytes < BLOCK_BYTES_MIN ? BLOCK_BYTES_MIN : bytes > BLOCK_BYTES_MAX ? BLOCK_BYTES_MAX : bytes;
}

fl_status fl_row_store_add(fl_row_store *store, int32_t count, uint8_t **ret, fl_err *err)
{
    int32_t bytes = store->layout->bytes;
    for (int32_t done = 0; done < count;) {
        fl_row_block *b = store->last;
        if (b == NULL || b->rows == b->rows_max) {
            int64_t block_bytes = next_block_bytes(store);
            int32_t rows_max = (int32_t)(block_bytes / bytes) < 1 ? 1 : (int32_t)(block_bytes / bytes);
            fl_status st = fl_alloc(store->memory, bytes_of_block(store, rows_max), (void **)&b, err);
            if (st != FL_OK)
                return st;
            store->block_bytes += bytes_of_block(store, rows_max);
            *b = (fl_row_block){.data = (uint8_t *)(b + 1), .rows_max = rows_max};
            if (store->last == NULL)
                store->first = b;
            else
                store->last->next = b;
            store->last = b;
        }
        int32_t n = b->rows_max - b->rows < count - done ? b->rows_max - b->rows : count - done;
        uint8_t *row = b->data + (int64_t)b->rows * bytes;
        memset(row, 0, (size_t)n * (size_t)bytes);
        for (int32_t i = 0; i < n; i++, row += bytes)
            ret[done + i] = row;
        b->rows += n;
        done += n;
        store->rows += n;
    }
    return FL_OK;
}
