/* Order words of vectors. */
#include "exec/order_words.h"

#include "arrow/vec_check.h"
#include "arrow/vec_order.h"

/* Rows without gaps go through a loop that compilers make vectors of. */
#define WORD_LOOP(word_of_row)                                    \
    if (is_constant || list[count - 1] - list[0] != count - 1) {  \
        for (int32_t i = 0; i < count; i++) {                     \
            int64_t row = is_constant ? 0 : list[i];              \
            ret[i] = (uint64_t)(word_of_row) ^ flipped;           \
        }                                                         \
    } else {                                                      \
        for (int64_t row = list[0], i = 0; i < count; i++, row++) \
            ret[i] = (uint64_t)(word_of_row) ^ flipped;           \
    }

#define SIGN (1ull << 63)

/* Decimals beyond 64 bits have the least or the greatest word. */
static inline uint64_t word_of_i128(fl_i128 v)
{
    int64_t near = v < INT64_MIN ? INT64_MIN : v > INT64_MAX ? INT64_MAX : (int64_t)v;
    return (uint64_t)near ^ SIGN;
}

void fl_order_words(const fl_vec *vec, const uint16_t *list, int32_t count, bool is_descending, uint64_t *ret)
{
    bool is_constant = vec->layout == FL_CONST;
    uint64_t flipped = is_descending ? ~0ull : 0;
    const void *x = vec->data;
    FL_ASSERT(fl_type_is_ordered(vec->type));
    FL_ASSERT(vec->layout != FL_DICT || fl_type_is_string(vec->type));
    FL_ASSERT_NO_FAULT(fl_list_fault(list, count, UINT16_MAX + 1)); /* rows without gaps are told by its ends */
    if (count == 0)
        return;
    switch (vec->type.id) {
    case FL_UTF8:
    case FL_BINARY:
        for (int32_t i = 0; i < count; i++) {
            fl_view view = fl_vec_view(vec, list[i]);
            ret[i] = fl_order_word_str(&view, 0) ^ flipped;
        }
        return;
    case FL_BOOL:
        WORD_LOOP(is_constant ? *(const uint8_t *)x != 0 : fl_bit_get(x, row))
        return;
    case FL_I8:
        WORD_LOOP((int64_t)((const int8_t *)x)[row] ^ (int64_t)SIGN)
        return;
    case FL_I16:
        WORD_LOOP((int64_t)((const int16_t *)x)[row] ^ (int64_t)SIGN)
        return;
    case FL_I32:
    case FL_DATE:
        WORD_LOOP((int64_t)((const int32_t *)x)[row] ^ (int64_t)SIGN)
        return;
    case FL_U8:
        WORD_LOOP(((const uint8_t *)x)[row])
        return;
    case FL_U16:
        WORD_LOOP(((const uint16_t *)x)[row])
        return;
    case FL_U32:
        WORD_LOOP(((const uint32_t *)x)[row])
        return;
    case FL_U64:
        WORD_LOOP(((const uint64_t *)x)[row])
        return;
    case FL_F32:
        WORD_LOOP(fl_order_word_f64((double)((const float *)x)[row]))
        return;
    case FL_F64:
        WORD_LOOP(fl_order_word_f64(((const double *)x)[row]))
        return;
    case FL_DECIMAL:
        if (vec->width == 16) {
            WORD_LOOP(word_of_i128(((const fl_i128 *)x)[row]))
            return;
        }
        break;
    default:
        break;
    }
    WORD_LOOP(((const uint64_t *)x)[row] ^ SIGN)
}

int fl_order_compare_tied(const fl_vec *vec, int32_t row, const uint8_t *value)
{
    if (fl_type_is_string(vec->type)) {
        fl_view own = fl_vec_view(vec, row), other;
        memcpy(&other, value, 16);
        return fl_view_compare(&own, &other);
    }
    FL_ASSERT(vec->type.id == FL_DECIMAL);
    fl_i128 own = fl_vec_i128(vec, row), other;
    memcpy(&other, value, 16);
    return (own > other) - (own < other);
}
