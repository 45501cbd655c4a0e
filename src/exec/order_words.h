/* Order words: 64 bits of a value that compare, as numbers do, like the values themselves.
 *
 * Values of different words are in the order of their words. Those of the same word are equal, unless the word does not tell
 * (fl_order_word_decides): texts longer than it holds, decimals beyond 64 bits. The order is that of sorting
 * (exec/sorter.h): -0 is 0, NaN is the greatest number, text goes by code points. */
#ifndef FL_EXEC_ORDER_WORDS_H
#define FL_EXEC_ORDER_WORDS_H

#include "arrow/vec.h"
#include "plan/ordering.h"

#include <math.h>

#define FL_ORDER_STRING_BYTES 7 /* of a string in a word; the low four bits say how many there are, 8 for more */

static inline uint64_t fl_order_word_f64(double v)
{
    uint64_t bits;
    if (isnan(v))
        return ~0ull;
    v = v == 0 ? 0 : v;
    memcpy(&bits, &v, 8);
    return bits >> 63 ? ~bits : bits | 1ull << 63;
}

/** Of the bytes of a string from `depth` on; 0 where there are none. */
static inline uint64_t fl_order_word_str(const fl_view *view, int32_t depth)
{
    uint64_t word = 0;
    if (depth >= (int32_t)view->len)
        return 0;
    uint32_t left = view->len - (uint32_t)depth;
    memcpy(&word, fl_view_data(view) + depth, left < FL_ORDER_STRING_BYTES ? left : FL_ORDER_STRING_BYTES);
    return __builtin_bswap64(word) | (left > FL_ORDER_STRING_BYTES ? FL_ORDER_STRING_BYTES + 1 : left);
}

/** Whether each word of a type tells its value. */
static inline bool fl_order_words_decide(fl_type type)
{
    return !fl_type_is_string(type) && !(type.id == FL_DECIMAL && fl_type_width(type) == 16);
}

/** Whether all values of this (ascending) word are equal. */
static inline bool fl_order_word_decides(fl_type type, uint64_t word)
{
    if (fl_type_is_string(type))
        return (word & 15) <= FL_ORDER_STRING_BYTES;
    return fl_order_words_decide(type) || (word != 0 && word != ~0ull);
}

/** The words of rows list[0 .. count), none of which is null; of descending ones the complement. The vector is flat or constant,
 *  strings lie in any way. */
void fl_order_words(const fl_vec *vec, const uint16_t *list, int32_t count, bool is_descending, uint64_t *ret);

/** Order of a row of such a vector and a value that lies in the row layout (exec/rows.h): below, at or above zero. For values of
 *  the same word. */
int fl_order_compare_tied(const fl_vec *vec, int32_t row, const uint8_t *value);

#endif
