/* Numbers and text: integers of 128 bits, decimals and doubles, read and printed exactly. */
#ifndef FL_BASE_NUMBER_H
#define FL_BASE_NUMBER_H

#include "base/str.h"

/** Prints an integer; ret needs 21 bytes. Returns the length. */
int32_t fl_u64_print(uint64_t value, char *ret);

/** Prints an integer; ret needs 41 bytes. Returns the length. */
int32_t fl_i128_print(__int128 value, char *ret);

/** Prints value / 10^scale with exactly `scale` digits behind the point; ret needs 44 bytes. Returns the length. */
int32_t fl_decimal_print(__int128 value, int32_t scale, char *ret);

/** Prints the shortest text that reads back as the same double, as PostgreSQL does ("1", "0.1", "1e+20", "NaN",
 *  "Infinity"); ret needs 32 bytes. Returns the length. */
int32_t fl_double_print(double value, char *ret);
int32_t fl_float_print(float value, char *ret);

/** Reads [+-]digits, white space around allowed. 0 read; 1 no number; 2 out of range of int64 (or uint64). */
int fl_i64_parse(fl_str text, int64_t *ret);
int fl_u64_parse(fl_str text, uint64_t *ret);

/** Reads [+-]digits[.digits][e[+-]digits] as an integer of `scale` digits behind the point, rounding half away from zero.
 *  0 read; 1 no number; 2 more than `precision` digits. */
int fl_decimal_parse(fl_str text, int32_t precision, int32_t scale, __int128 *ret);

/** Reads a double, also NaN, [+-]Infinity, inf. 0 read; 1 no number; 2 out of range. */
int fl_double_parse(fl_str text, double *ret);

/** value / 10^scale as the nearest double. */
double fl_decimal_to_double(__int128 value, int32_t scale);

#endif
