/* Numbers are gone through in typed loops, 64 rows at a time: without a look at each row's validity where all are valid. What
 * comes out is put into a vector of one row, which becomes a value as any other does. */
#include "arrow/vec_extremes.h"

#include "arrow/vec_order.h"

#include <math.h>

/* What the loops find: raw values of the vector's width, in `low` and `high`. False: there is no value. */
typedef bool extremes_fn(const fl_vec *vec, int64_t rows, void *low, void *high);

static uint64_t valid_word(const fl_vec *vec, int64_t row, int64_t rows)
{
    uint64_t word = vec->valid == NULL ? ~0ull : vec->valid[row / 64];
    return rows - row < 64 ? word & fl_bitmap_tail(rows - row) : word;
}

#define NUMBERS(suffix, type, least, greatest)                                              \
    static bool of_##suffix(const fl_vec *vec, int64_t rows, void *ret_low, void *ret_high) \
    {                                                                                       \
        const type *x = vec->data;                                                          \
        type low = (greatest), high = (least);                                              \
        bool any = false;                                                                   \
        for (int64_t row = 0; row < rows; row += 64) {                                      \
            uint64_t word = valid_word(vec, row, rows);                                     \
            any |= word != 0;                                                               \
            if (word == ~0ull) {                                                            \
                for (int64_t i = row; i < row + 64; i++) {                                  \
                    low = x[i] < low ? x[i] : low;                                          \
                    high = x[i] > high ? x[i] : high;                                       \
                }                                                                           \
                continue;                                                                   \
            }                                                                               \
            for (; word != 0; word &= word - 1) {                                           \
                type value = x[row + __builtin_ctzll(word)];                                \
                low = value < low ? value : low;                                            \
                high = value > high ? value : high;                                         \
            }                                                                               \
        }                                                                                   \
        *(type *)ret_low = low;                                                             \
        *(type *)ret_high = high;                                                           \
        return any;                                                                         \
    }

#define I128_MAX ((fl_i128)(~(unsigned __int128)0 >> 1))

NUMBERS(i8, int8_t, INT8_MIN, INT8_MAX)
NUMBERS(i16, int16_t, INT16_MIN, INT16_MAX)
NUMBERS(i32, int32_t, INT32_MIN, INT32_MAX)
NUMBERS(i64, int64_t, INT64_MIN, INT64_MAX)
NUMBERS(u8, uint8_t, 0, UINT8_MAX)
NUMBERS(u16, uint16_t, 0, UINT16_MAX)
NUMBERS(u32, uint32_t, 0, UINT32_MAX)
NUMBERS(u64, uint64_t, 0, UINT64_MAX)
NUMBERS(i128, fl_i128, -I128_MAX - 1, I128_MAX)

/* NaN is above all others: it loses each comparison, and is counted. */
#define FLOATS(suffix, type)                                                                \
    static bool of_##suffix(const fl_vec *vec, int64_t rows, void *ret_low, void *ret_high) \
    {                                                                                       \
        const type *x = vec->data;                                                          \
        type low = (type)INFINITY, high = -(type)INFINITY;                                  \
        bool any = false, any_number = false, any_nan = false;                              \
        for (int64_t row = 0; row < rows; row += 64)                                        \
            for (uint64_t word = valid_word(vec, row, rows); word != 0; word &= word - 1) { \
                type value = x[row + __builtin_ctzll(word)];                                \
                low = value < low ? value : low;                                            \
                high = value > high ? value : high;                                         \
                any = true;                                                                 \
                any_number |= value == value;                                               \
                any_nan |= value != value;                                                  \
            }                                                                               \
        *(type *)ret_low = any_number ? low : (type)NAN;                                    \
        *(type *)ret_high = any_nan ? (type)NAN : high;                                     \
        return any;                                                                         \
    }

FLOATS(f32, float)
FLOATS(f64, double)

static extremes_fn *find_loop(const fl_vec *vec)
{
    switch (vec->type.id) {
    case FL_I8:
        return of_i8;
    case FL_I16:
        return of_i16;
    case FL_I32:
    case FL_DATE:
        return of_i32;
    case FL_U8:
        return of_u8;
    case FL_U16:
        return of_u16;
    case FL_U32:
        return of_u32;
    case FL_U64:
        return of_u64;
    case FL_F32:
        return of_f32;
    case FL_F64:
        return of_f64;
    case FL_DECIMAL:
        return vec->width == 16 ? of_i128 : of_i64;
    default: /* times too */
        return of_i64;
    }
}

static fl_status find_numbers(fl_arena *arena, const fl_vec *vec, int64_t rows, fl_value *ret_min, fl_value *ret_max,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_i128 low = 0, high = 0;
    fl_vec one = *vec;
    if (!find_loop(vec)(vec, rows, &low, &high))
        return FL_OK;
    one.valid = NULL;
    one.data = &low;
    FL_TRY(fl_value_from_vec(arena, &one, 0, ret_min, err));
    one.data = &high;
    FL_TRY(fl_value_from_vec(arena, &one, 0, ret_max, err));
cleanup:
    return st;
}

/* Where the extremes are among rows, by comparing the values of all that are valid and wanted (NULL: all). */
static void find_texts(const fl_vec *vec, const uint64_t *wanted, int64_t rows, int64_t *ret_low, int64_t *ret_high)
{
    fl_view low = {0}, high = {0};
    for (int64_t i = 0; i < rows; i++) {
        if (!fl_is_valid(wanted, i) || !fl_vec_is_valid(vec, i))
            continue;
        fl_view view = fl_vec_view(vec, i);
        if (*ret_low < 0 || fl_view_compare(&view, &low) < 0) {
            *ret_low = i;
            low = view;
        }
        if (*ret_high < 0 || fl_view_compare(&view, &high) > 0) {
            *ret_high = i;
            high = view;
        }
    }
}

static void find_values(const fl_vec *vec, const uint64_t *wanted, int64_t rows, int64_t *ret_low, int64_t *ret_high)
{
    for (int64_t i = 0; i < rows; i++) {
        if (!fl_is_valid(wanted, i) || !fl_vec_is_valid(vec, i))
            continue;
        if (*ret_low < 0 || fl_vec_compare(vec, i, vec, *ret_low) < 0)
            *ret_low = i;
        if (*ret_high < 0 || fl_vec_compare(vec, i, vec, *ret_high) > 0)
            *ret_high = i;
    }
}

/* Which values of the dictionary there are rows of. */
static fl_status find_used(fl_arena *arena, const fl_vec *vec, int64_t rows, uint64_t **ret, fl_err *err)
{
    const uint32_t *codes = vec->data;
    fl_status st = FL_NEW_ARRAY(arena, fl_bitmap_words(vec->child_rows) + 1, ret, err);
    for (int64_t i = 0; i < rows && st == FL_OK; i++)
        if (fl_vec_is_valid(vec, i))
            fl_bit_set(*ret, codes[i]);
    return st;
}

fl_status fl_vec_extremes(fl_arena *arena, const fl_vec *vec, int64_t rows, fl_value *ret_min, fl_value *ret_max,
                          fl_err *err)
{
    fl_status st = FL_OK;
    int64_t low = -1, high = -1;
    uint64_t *used = NULL;
    *ret_min = *ret_max = (fl_value){.type = vec->type, .is_null = true};
    if (!fl_type_is_ordered(vec->type))
        return FL_OK;
    rows = vec->layout == FL_CONST && rows > 1 ? 1 : rows;
    if (vec->layout == FL_DICT) {
        FL_TRY(find_used(arena, vec, rows, &used, err));
        rows = vec->child_rows;
        vec = vec->child;
    }
    if (fl_type_is_string(vec->type)) {
        find_texts(vec, used, rows, &low, &high);
    } else if (vec->layout == FL_FLAT && vec->type.id != FL_BOOL && used == NULL) {
        return find_numbers(arena, vec, rows, ret_min, ret_max, err);
    } else {
        find_values(vec, used, rows, &low, &high);
    }
    if (low >= 0) {
        FL_TRY(fl_value_from_vec(arena, vec, low, ret_min, err));
        FL_TRY(fl_value_from_vec(arena, vec, high, ret_max, err));
    }
cleanup:
    return st;
}
