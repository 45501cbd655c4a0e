/* Numbers as words that compare as the values do: -0 is 0, and NaN is one value above infinity. */
#ifndef FL_ARROW_SORT_KEY_H
#define FL_ARROW_SORT_KEY_H

#include "arrow/vec.h"

/** Words that a value of the type takes: 1, or 2 for long decimals; 0 where there is no such key: strings,
 *  intervals, nested types. */
int fl_sort_key_words(fl_type type);

/** The word of a valid row of a type that takes one; the two words of a long decimal, as an unsigned number. */
uint64_t fl_sort_key(const fl_vec *vec, int64_t row);
fl_u128 fl_sort_key_wide(const fl_vec *vec, int64_t row);

#endif
