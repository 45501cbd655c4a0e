/* bit_and, bit_or and bit_xor of bit strings. */
#ifndef FL_FUNC_AGGREGATE_BIT_STRING_H
#define FL_FUNC_AGGREGATE_BIT_STRING_H

#include "exec/agg.h"

/** What each of them calls, in bit_string.c. Bit strings of one group are of one length, else FL_ERR_VALUE (22026). */
extern const fl_agg_kernel fl_bit_string_and, fl_bit_string_or, fl_bit_string_xor;

#endif
