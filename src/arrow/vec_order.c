/* Neighbours are compared block by block, without a branch in a block: a column that is in no order is known for one after a
 * block or two, one that is takes a fraction of a nanosecond a number. */
#include "arrow/vec_order.h"

#define BLOCK_ROWS 1024

bool fl_type_is_ordered(fl_type type)
{
    return !fl_type_is_nested(type) && type.id != FL_INTERVAL && type.id != FL_NULL;
}

/* ---- one value beside another ------------------------------------------------------------------------------------- */

/* Where the value of a row lies: in a dictionary, if there is one. */
static const fl_vec *find_value(const fl_vec *vec, int64_t *row)
{
    *row = fl_vec_row(vec, *row);
    if (vec->layout != FL_DICT)
        return vec;
    *row = ((const uint32_t *)vec->data)[*row];
    return vec->child;
}

static int compare_doubles(double a, double b)
{
    if (a != a || b != b)
        return (a != a) - (b != b);
    return (a > b) - (a < b);
}

static int compare_bools(const fl_vec *a, int64_t i, const fl_vec *b, int64_t j)
{
    bool x = a->layout == FL_CONST ? *(const uint8_t *)a->data != 0 : fl_bit_get(a->data, i);
    bool y = b->layout == FL_CONST ? *(const uint8_t *)b->data != 0 : fl_bit_get(b->data, j);
    return (int)x - (int)y;
}

#define COMPARE(type)                                                        \
    do {                                                                     \
        type x = ((const type *)a->data)[i], y = ((const type *)b->data)[j]; \
        return (x > y) - (x < y);                                            \
    } while (0)

int fl_vec_compare(const fl_vec *a, int64_t i, const fl_vec *b, int64_t j)
{
    FL_ASSERT(fl_type_is_ordered(a->type) && a->type.id == b->type.id);
    a = find_value(a, &i);
    b = find_value(b, &j);
    switch (a->type.id) {
    case FL_BOOL:
        return compare_bools(a, i, b, j);
    case FL_I8:
        COMPARE(int8_t);
    case FL_I16:
        COMPARE(int16_t);
    case FL_I32:
    case FL_DATE:
        COMPARE(int32_t);
    case FL_U8:
        COMPARE(uint8_t);
    case FL_U16:
        COMPARE(uint16_t);
    case FL_U32:
        COMPARE(uint32_t);
    case FL_U64:
        COMPARE(uint64_t);
    case FL_F32:
        return compare_doubles((double)((const float *)a->data)[i], (double)((const float *)b->data)[j]);
    case FL_F64:
        return compare_doubles(((const double *)a->data)[i], ((const double *)b->data)[j]);
    case FL_DECIMAL: {
        fl_i128 x = fl_vec_i128(a, i), y = fl_vec_i128(b, j);
        return (x > y) - (x < y);
    }
    case FL_UTF8:
    case FL_BINARY: {
        fl_view x = fl_vec_view(a, i), y = fl_vec_view(b, j);
        return fl_view_compare(&x, &y);
    }
    default: /* times, of 64 bits */
        COMPARE(int64_t);
    }
}

/* ---- neighbours --------------------------------------------------------------------------------------------------- */

/* Whether none of the values [from, to) is `out of order` beside the next one, x before y. */
#define NO_PAIR(type, out_of_order)                                          \
    do {                                                                     \
        const type *values = vec->data;                                      \
        for (int64_t i = from; i + 1 < to;) {                                \
            int64_t end = i + BLOCK_ROWS < to - 1 ? i + BLOCK_ROWS : to - 1; \
            uint32_t is_out = 0;                                             \
            for (; i < end; i++) {                                           \
                type x = values[i], y = values[i + 1];                       \
                is_out |= (uint32_t)(out_of_order);                          \
            }                                                                \
            if (is_out != 0)                                                 \
                return false;                                                \
        }                                                                    \
        return true;                                                         \
    } while (0)

#define NO_NUMBERS(type)          \
    do {                          \
        if (is_descending)        \
            NO_PAIR(type, x < y); \
        NO_PAIR(type, x > y);     \
    } while (0)

#define NO_FLOATS(type)                                               \
    do {                                                              \
        if (is_descending)                                            \
            NO_PAIR(type, !(x >= y) & (x == x)); /* NaN before all */ \
        NO_PAIR(type, !(x <= y) & (y == y));                          \
    } while (0)

/* Strings, bits and codes: value by value; equal codes are equal values. */
static bool is_in_order_by_value(const fl_vec *vec, int64_t from, int64_t to, bool is_descending)
{
    const uint32_t *codes = vec->layout == FL_DICT ? vec->data : NULL;
    for (int64_t i = from; i + 1 < to; i++) {
        if (codes != NULL && codes[i] == codes[i + 1])
            continue;
        int order = fl_vec_compare(vec, i, vec, i + 1);
        if (is_descending ? order < 0 : order > 0)
            return false;
    }
    return true;
}

static bool is_in_order(const fl_vec *vec, int64_t from, int64_t to, bool is_descending)
{
    if (vec->layout == FL_CONST)
        return true;
    if (vec->layout == FL_DICT)
        return is_in_order_by_value(vec, from, to, is_descending);
    switch (vec->type.id) {
    case FL_BOOL:
    case FL_UTF8:
    case FL_BINARY:
        return is_in_order_by_value(vec, from, to, is_descending);
    case FL_I8:
        NO_NUMBERS(int8_t);
    case FL_I16:
        NO_NUMBERS(int16_t);
    case FL_I32:
    case FL_DATE:
        NO_NUMBERS(int32_t);
    case FL_U8:
        NO_NUMBERS(uint8_t);
    case FL_U16:
        NO_NUMBERS(uint16_t);
    case FL_U32:
        NO_NUMBERS(uint32_t);
    case FL_U64:
        NO_NUMBERS(uint64_t);
    case FL_F32:
        NO_FLOATS(float);
    case FL_F64:
        NO_FLOATS(double);
    case FL_DECIMAL:
        if (vec->width == 16)
            NO_NUMBERS(fl_i128);
        NO_NUMBERS(int64_t);
    default:
        NO_NUMBERS(int64_t);
    }
}

fl_vec_order fl_vec_order_of(const fl_vec *vec, int64_t rows)
{
    fl_vec_order order = {0};
    int64_t from = 0, to = rows;
    bool is_const = vec->layout == FL_CONST;
    int64_t valid = vec->valid == NULL ? rows
                    : is_const         ? (fl_bit_get(vec->valid, 0) ? rows : 0)
                                       : fl_bitmap_count(vec->valid, rows);
    if (!fl_type_is_ordered(vec->type))
        return order;
    if (valid == 0 || valid == rows) {
        to = valid;
        order.nulls_first = order.nulls_last = true;
    } else if (fl_bitmap_count(vec->valid, valid) == valid) {
        to = valid;
        order.nulls_last = true;
    } else if (fl_bitmap_count(vec->valid, rows - valid) == 0) {
        from = rows - valid;
        order.nulls_first = true;
    } else {
        return order;
    }
    order.ascends = is_in_order(vec, from, to, false);
    order.descends = is_in_order(vec, from, to, true);
    if (!order.ascends && !order.descends)
        order = (fl_vec_order){0};
    return order;
}
