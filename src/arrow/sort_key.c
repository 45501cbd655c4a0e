/* Keys for sorting and counting the values of a sample. */
#include "arrow/sort_key.h"

#include <math.h>

#define SIGN (1ull << 63)

int fl_sort_key_words(fl_type type)
{
    if (fl_type_is_string(type) || fl_type_is_nested(type) || type.id == FL_INTERVAL || type.id == FL_NULL)
        return 0;
    return type.id == FL_DECIMAL && type.precision > FL_DECIMAL64_PRECISION_MAX ? 2 : 1;
}

static uint64_t key_of_double(double value)
{
    uint64_t bits;
    if (isnan(value))
        return UINT64_MAX;
    value = value == 0 ? 0 : value; /* -0 */
    memcpy(&bits, &value, sizeof(bits));
    return (bits & SIGN) != 0 ? ~bits : bits | SIGN;
}

/* Where the value of a row lies. */
static const fl_vec *find_value(const fl_vec *vec, int64_t *row)
{
    *row = fl_vec_row(vec, *row);
    if (vec->layout != FL_DICT)
        return vec;
    *row = ((const uint32_t *)vec->data)[*row];
    return vec->child;
}

fl_u128 fl_sort_key_wide(const fl_vec *vec, int64_t row)
{
    vec = find_value(vec, &row);
    return (fl_u128)fl_vec_i128(vec, row) ^ (fl_u128)SIGN << 64;
}

uint64_t fl_sort_key(const fl_vec *vec, int64_t row)
{
    vec = find_value(vec, &row);
    switch (vec->type.id) {
    case FL_BOOL:
        return vec->layout == FL_CONST ? *(const uint8_t *)vec->data != 0 : fl_bit_get(vec->data, row);
    case FL_I8:
        return (uint64_t)((const int8_t *)vec->data)[row] ^ SIGN;
    case FL_I16:
        return (uint64_t)((const int16_t *)vec->data)[row] ^ SIGN;
    case FL_I32:
    case FL_DATE:
        return (uint64_t)((const int32_t *)vec->data)[row] ^ SIGN;
    case FL_U8:
        return ((const uint8_t *)vec->data)[row];
    case FL_U16:
        return ((const uint16_t *)vec->data)[row];
    case FL_U32:
        return ((const uint32_t *)vec->data)[row];
    case FL_U64:
        return ((const uint64_t *)vec->data)[row];
    case FL_F32:
        return key_of_double(((const float *)vec->data)[row]);
    case FL_F64:
        return key_of_double(((const double *)vec->data)[row]);
    default: /* 64 bits wide and signed */
        return (uint64_t)((const int64_t *)vec->data)[row] ^ SIGN;
    }
}
