/* Vectors: making, flattening, gathering, slicing. */
#include "arrow/vec.h"

uint64_t fl_dict_id_new(void)
{
    static _Atomic uint64_t last; /* an identity must be the process's own; nothing else depends on its value */
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static const uint64_t no_row_valid[FL_VECTOR_ROWS_MAX / 64 + 1];

void fl_vec_set_const(fl_vec *vec, fl_type type, const void *value)
{
    static const uint8_t zero[sizeof(fl_view)] __attribute__((aligned(16)));
    *vec = (fl_vec){.type = type, .layout = FL_CONST, .width = (uint8_t)fl_type_width(type)};
    vec->data = value != NULL ? value : zero;
    vec->valid = value != NULL ? NULL : no_row_valid;
}

void fl_vec_set_flat(fl_vec *vec, fl_type type, const void *data, const uint64_t *valid)
{
    *vec =
        (fl_vec){.type = type, .layout = FL_FLAT, .width = (uint8_t)fl_type_width(type), .data = data, .valid = valid};
}

/* Copies count values of `width` bytes from rows list[i] (or i, or 0 where constant). */
#define GATHER(bytes_type, index)           \
    do {                                    \
        const bytes_type *src = from_data;  \
        bytes_type *dst = to;               \
        for (int64_t i = 0; i < count; i++) \
            dst[i] = src[index];            \
    } while (0)

#define GATHER_BY_WIDTH(index)   \
    switch (width) {             \
    case 1:                      \
        GATHER(uint8_t, index);  \
        break;                   \
    case 2:                      \
        GATHER(uint16_t, index); \
        break;                   \
    case 4:                      \
        GATHER(uint32_t, index); \
        break;                   \
    case 8:                      \
        GATHER(uint64_t, index); \
        break;                   \
    default:                     \
        GATHER(fl_i128, index);  \
        break;                   \
    }

static void fill_const(void *to, const void *from_data, int32_t width, int64_t count)
{
    GATHER_BY_WIDTH(0)
}

/* Turns bool constants' byte into bits. */
static void fill_bits(uint64_t *to, bool on, int64_t count)
{
    fl_bitmap_fill(to, count, on);
}

static fl_status new_bits(fl_arena *arena, int64_t rows, uint64_t **ret, fl_err *err)
{
    return fl_arena_get(arena, fl_bitmap_words(rows) * 8 + 8, (void **)ret, err);
}

static fl_status flatten_const(fl_arena *arena, const fl_vec *from, int64_t rows, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_null = from->valid != NULL && !fl_bit_get(from->valid, 0);
    uint64_t *valid = NULL;
    void *data = NULL;
    if (is_null) {
        FL_TRY(new_bits(arena, rows, &valid, err));
        fl_bitmap_fill(valid, rows, false);
    }
    fl_type type = from->type;
    if (type.id == FL_BOOL) {
        FL_TRY(new_bits(arena, rows, (uint64_t **)&data, err));
        fill_bits(data, !is_null && *(const uint8_t *)from->data != 0, rows);
    } else if (type.id == FL_STRUCT) {
        fl_vec *fields = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, type.n_fields, &fields, err));
        for (int32_t i = 0; i < type.n_fields; i++) {
            if (from->child == NULL)
                fl_vec_set_const(&fields[i], type.fields[i].type, NULL);
            else
                fields[i] = from->child[i];
            fields[i].layout = FL_CONST;
            FL_TRY(flatten_const(arena, &fields[i], rows, &fields[i], err));
        }
        *ret = *from;
        ret->layout = FL_FLAT;
        ret->valid = valid;
        ret->child = fields;
        return FL_OK;
    } else {
        int32_t width = fl_type_width(type);
        FL_TRY(fl_arena_get(arena, rows * width + 64, &data, err));
        if (width == 0)
            ;
        else if (type.id == FL_DECIMAL && width != from->width) {
            fl_i128 value = fl_vec_i128(from, 0);
            int64_t narrow = (int64_t)value;
            fill_const(data, width == 16 ? (const void *)&value : (const void *)&narrow, width, rows);
        } else
            fill_const(data, from->data, width, rows);
    }
    const fl_vec *child = from->child;
    int64_t child_rows = from->child_rows;
    fl_vec_set_flat(ret, type, data, valid);
    ret->child = child;
    ret->child_rows = child_rows;
cleanup:
    return st;
}

static fl_status flatten_dict(fl_arena *arena, const fl_vec *from, int64_t rows, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const uint32_t *codes = from->data;
    const uint64_t *valid = from->valid;
    const fl_vec *values = from->child;
    if (from->type.id == FL_BOOL) {
        uint64_t *bits = NULL;
        const uint64_t *src = values->data;
        FL_TRY(new_bits(arena, rows, &bits, err));
        memset(bits, 0, (size_t)fl_bitmap_words(rows) * 8);
        for (int64_t i = 0; i < rows; i++)
            bits[i >> 6] |= (uint64_t)fl_bit_get(src, codes[i]) << (i & 63);
        fl_vec_set_flat(ret, from->type, bits, valid);
        return FL_OK;
    }
    void *to = NULL;
    if (fl_type_is_string(from->type) && values->form == FL_OFFSETS) {
        FL_TRY(fl_arena_get(arena, rows * 16 + 64, &to, err));
        for (int64_t i = 0; i < rows; i++)
            ((fl_view *)to)[i] = fl_vec_view(values, codes[i]);
        fl_vec_set_flat(ret, from->type, to, valid);
        return FL_OK;
    }
    int32_t width = values->width;
    int64_t count = rows;
    const void *from_data = values->data;
    FL_TRY(fl_arena_get(arena, rows * width + 64, &to, err));
    GATHER_BY_WIDTH(codes[i])
    fl_vec_set_flat(ret, from->type, to, valid);
    ret->width = (uint8_t)width;
cleanup:
    return st;
}

static fl_status widen_decimal(fl_arena *arena, const fl_vec *from, int64_t rows, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const uint64_t *valid = from->valid;
    fl_type type = from->type;
    void *to = NULL;
    FL_TRY(fl_arena_get(arena, rows * 16 + 64, &to, err));
    if (fl_type_width(type) == 16) {
        const int64_t *src = from->data;
        for (int64_t i = 0; i < rows; i++)
            ((fl_i128 *)to)[i] = src[i];
    } else {
        const fl_i128 *src = from->data;
        for (int64_t i = 0; i < rows; i++)
            ((int64_t *)to)[i] = (int64_t)src[i];
    }
    fl_vec_set_flat(ret, type, to, valid);
cleanup:
    return st;
}

fl_status fl_vec_flatten(fl_arena *arena, const fl_vec *from, int64_t rows, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec flat = *from;
    bool has_bounds = from->has_bounds; /* values stay what they are, also where ret is from */
    int64_t low = from->low, high = from->high;
    if (from->layout == FL_CONST)
        FL_TRY(flatten_const(arena, from, rows, &flat, err));
    if (from->layout == FL_DICT)
        FL_TRY(flatten_dict(arena, from, rows, &flat, err));
    if (fl_type_is_string(flat.type) && flat.form == FL_OFFSETS) {
        fl_view *views = NULL;
        FL_TRY(fl_arena_get(arena, rows * 16 + 64, (void **)&views, err));
        for (int64_t i = 0; i < rows; i++)
            views[i] = fl_is_valid(flat.valid, i) ? fl_vec_view(&flat, i) : (fl_view){0};
        fl_vec_set_flat(&flat, flat.type, views, flat.valid);
    } else if (flat.type.id == FL_DECIMAL && flat.width != fl_type_width(flat.type)) {
        FL_TRY(widen_decimal(arena, &flat, rows, &flat, err));
    }
    flat.has_bounds = has_bounds;
    flat.low = low;
    flat.high = high;
    *ret = flat;
cleanup:
    return st;
}

/* One gather for both index widths. */
static fl_status gather(fl_arena *arena, const fl_vec *from, const uint16_t *list16, const int32_t *list32,
                        int64_t count, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool has_negative = false;
    uint64_t *valid = NULL;
    fl_vec out = *from;
    FL_ASSERT(list16 != NULL || list32 != NULL);
    if (list32 != NULL)
        for (int64_t i = 0; i < count; i++)
            has_negative |= list32[i] < 0;
    if (from->layout == FL_CONST && !has_negative) {
        *ret = *from;
        return FL_OK;
    }
    int32_t *safe = NULL; /* list32 with negative rows as 0, which always may be read: there is at least a padded row */
    if (has_negative) {
        FL_TRY(fl_arena_get(arena, count * 4 + 64, (void **)&safe, err));
        for (int64_t i = 0; i < count; i++)
            safe[i] = list32[i] < 0 ? 0 : list32[i];
    }
    const int32_t *rows32 = has_negative ? safe : list32;
    if (from->valid != NULL || has_negative) {
        FL_TRY(new_bits(arena, count, &valid, err));
        memset(valid, 0, (size_t)fl_bitmap_words(count) * 8);
        for (int64_t i = 0; i < count; i++) {
            int64_t row = list16 != NULL ? list16[i] : list32[i];
            if (row >= 0)
                valid[i >> 6] |= (uint64_t)fl_vec_is_valid(from, row) << (i & 63);
        }
    }
    out.valid = valid;
    if (from->layout == FL_CONST) {
        FL_TRY(flatten_const(arena, from, count, &out, err));
        out.valid = valid;
        *ret = out;
        return FL_OK;
    }
#define ROW (list16 != NULL ? (int64_t)list16[i] : (int64_t)rows32[i])
    if (from->type.id == FL_STRUCT) {
        fl_vec *fields = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, from->type.n_fields, &fields, err));
        for (int32_t f = 0; f < from->type.n_fields; f++)
            FL_TRY(gather(arena, &from->child[f], list16, list32, count, &fields[f], err));
        out.child = fields;
    } else if (from->type.id == FL_BOOL && from->layout == FL_FLAT) {
        uint64_t *bits = NULL;
        const uint64_t *src = from->data;
        FL_TRY(new_bits(arena, count, &bits, err));
        memset(bits, 0, (size_t)fl_bitmap_words(count) * 8);
        for (int64_t i = 0; i < count; i++)
            bits[i >> 6] |= (uint64_t)fl_bit_get(src, ROW) << (i & 63);
        out.data = bits;
    } else if (from->layout == FL_FLAT && fl_type_is_string(from->type) && from->form == FL_OFFSETS) {
        fl_view *views = NULL;
        FL_TRY(fl_arena_get(arena, count * 16 + 64, (void **)&views, err));
        for (int64_t i = 0; i < count; i++)
            views[i] = fl_is_valid(valid, i) ? fl_vec_view(from, ROW) : (fl_view){0};
        out.data = views;
        out.form = FL_VIEWS;
        out.width = 16;
        out.chars = NULL;
    } else {
        int32_t width = from->layout == FL_DICT ? 4 : from->width;
        const void *from_data = from->data;
        void *to = NULL;
        if (width > 0) {
            FL_TRY(fl_arena_get(arena, count * width + 64, &to, err));
            if (list16 != NULL) {
                GATHER_BY_WIDTH(list16[i])
            } else {
                GATHER_BY_WIDTH(rows32[i])
            }
        }
        out.data = to;
    }
#undef ROW
    *ret = out;
cleanup:
    return st;
}

fl_status fl_vec_gather(fl_arena *arena, const fl_vec *from, const uint16_t *list, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    return gather(arena, from, list, NULL, count, ret, err);
}

fl_status fl_vec_gather32(fl_arena *arena, const fl_vec *from, const int32_t *list, int64_t count, fl_vec *ret,
                          fl_err *err)
{
    return gather(arena, from, NULL, list, count, ret, err);
}

static fl_status slice_bits(fl_arena *arena, const uint64_t *bits, int64_t start, int64_t count, const uint64_t **ret,
                            fl_err *err)
{
    if (bits == NULL || (start & 63) == 0) {
        *ret = bits == NULL ? NULL : bits + (start >> 6);
        return FL_OK;
    }
    uint64_t *copy = NULL;
    fl_status st = new_bits(arena, count, &copy, err);
    if (st == FL_OK) {
        fl_bitmap_copy(copy, bits, start, count);
        *ret = copy;
    }
    return st;
}

fl_status fl_vec_slice(fl_arena *arena, const fl_vec *from, int64_t start, int64_t count, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec out = *from;
    if (from->layout == FL_CONST) {
        *ret = *from;
        return FL_OK;
    }
    FL_TRY(slice_bits(arena, from->valid, start, count, &out.valid, err));
    if (from->type.id == FL_STRUCT) {
        fl_vec *fields = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, from->type.n_fields, &fields, err));
        for (int32_t f = 0; f < from->type.n_fields; f++)
            FL_TRY(fl_vec_slice(arena, &from->child[f], start, count, &fields[f], err));
        out.child = fields;
    } else if (from->layout == FL_FLAT && from->type.id == FL_BOOL) {
        const uint64_t *bits = NULL;
        FL_TRY(slice_bits(arena, from->data, start, count, &bits, err));
        out.data = bits;
    } else {
        int32_t width = from->layout == FL_DICT ? 4 : from->width;
        out.data = (const uint8_t *)from->data + start * width;
    }
    *ret = out;
cleanup:
    return st;
}
