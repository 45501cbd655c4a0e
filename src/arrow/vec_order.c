/* Neighbours are compared block by block, without a branch in a block: a column that is in no order is known for one after a
 * block or two, one that is takes a fraction of a nanosecond a number. */
#include "arrow/vec_order.h"

#include "arrow/value.h"

#define BLOCK_ROWS 1024
#define STRETCH_ROWS 16384 /* of numbers, between looks at whether to stop */

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
        return fl_double_compare((double)((const float *)a->data)[i], (double)((const float *)b->data)[j]);
    case FL_F64:
        return fl_double_compare(((const double *)a->data)[i], ((const double *)b->data)[j]);
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

/* What comparing a value with the next one looks at. */
static int64_t value_bytes(const fl_vec *vec, int64_t i)
{
    vec = find_value(vec, &i);
    return fl_type_is_string(vec->type) ? 16 + (int64_t)fl_vec_view(vec, i).len : 1;
}

/* Strings, bits and codes: value by value; equal codes are equal values. */
static fl_status are_in_order(const fl_vec *vec, int64_t from, int64_t to, bool is_descending, fl_work *work, bool *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const uint32_t *codes = vec->layout == FL_DICT ? vec->data : NULL;
    *ret = true;
    for (int64_t i = from; i + 1 < to && *ret; i++) {
        FL_TRY(fl_work_add(work, value_bytes(vec, i), err));
        if (codes != NULL && codes[i] == codes[i + 1])
            continue;
        int order = fl_vec_compare(vec, i, vec, i + 1);
        *ret = is_descending ? order >= 0 : order <= 0;
    }
cleanup:
    return st;
}

static bool are_numbers_in_order(const fl_vec *vec, int64_t from, int64_t to, bool is_descending)
{
    switch (vec->type.id) {
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

static fl_status is_in_order(const fl_vec *vec, int64_t from, int64_t to, bool is_descending, fl_work *work, bool *ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    *ret = true;
    if (vec->layout == FL_CONST)
        return FL_OK;
    if (vec->layout == FL_DICT || vec->type.id == FL_BOOL || fl_type_is_string(vec->type))
        return are_in_order(vec, from, to, is_descending, work, ret, err);
    for (int64_t end; from < to && *ret; from = end) { /* a stretch and the first row behind it */
        end = from + STRETCH_ROWS < to ? from + STRETCH_ROWS : to;
        FL_TRY(fl_work_add(work, (end - from) * vec->width, err));
        *ret = are_numbers_in_order(vec, from, end < to ? end + 1 : to, is_descending);
    }
cleanup:
    return st;
}

fl_status fl_vec_find_order(const fl_vec *vec, int64_t rows, fl_work *work, fl_vec_order *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec_order order = {0};
    int64_t from = 0, to = rows;
    bool is_const = vec->layout == FL_CONST;
    int64_t valid = vec->valid == NULL ? rows
                    : is_const         ? (fl_bit_get(vec->valid, 0) ? rows : 0)
                                       : fl_bitmap_count(vec->valid, rows);
    *ret = order;
    if (!fl_type_is_ordered(vec->type))
        return FL_OK;
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
        return FL_OK;
    }
    FL_TRY(is_in_order(vec, from, to, false, work, &order.ascends, err));
    FL_TRY(is_in_order(vec, from, to, true, work, &order.descends, err));
    if (order.ascends || order.descends)
        *ret = order;
cleanup:
    return st;
}

fl_vec_order fl_vec_order_of(const fl_vec *vec, int64_t rows)
{
    fl_work work = fl_work_of(NULL);
    fl_vec_order order = {0};
    (void)fl_vec_find_order(vec, rows, &work, &order, NULL); /* which nothing stops */
    return order;
}
