/* Scalar values: literals, parameters, bounds and statistics, one at a time. Not for rows: those are vectors. */
#ifndef FL_ARROW_VALUE_H
#define FL_ARROW_VALUE_H

#include "arrow/vec.h"

typedef struct fl_value {
    fl_type type;
    bool is_null;
    union {
        bool b;
        int64_t i;  /* integers but uint64, date, time, timestamps */
        uint64_t u; /* uint64 */
        double f;   /* float32 (exactly), float64 */
        fl_i128 d;  /* decimal, unscaled */
        fl_str s;   /* utf8, binary: borrowed */
        fl_interval interval;
        struct {
            const struct fl_value *items; /* list elements; struct fields in order */
            int64_t n;
        } list;
    };
} fl_value;

/** Order of two numbers: below, at, above zero. NaN equals NaN and is greatest, -0 is 0. */
static inline int fl_double_compare(double a, double b)
{
    if (a != a || b != b)
        return (a != a) - (b != b);
    return (a > b) - (a < b);
}

/** Order of two values of the same type, not null: below, at, above zero. NaN equals NaN and is greatest. */
int fl_value_compare(const fl_value *a, const fl_value *b);

/** Order of two numbers that are integers or decimals, or of two dates or timestamps, of any scale and unit, given as they lie in
 *  vectors; infinity is beyond all else. */
int fl_value_compare_scaled(fl_i128 a, fl_type a_type, fl_i128 b, fl_type b_type);

/** The number of a value as fl_value_compare_scaled takes it. */
fl_i128 fl_value_scaled(const fl_value *v);

/** Same type, and same value (nulls are the same). */
bool fl_value_is_same(const fl_value *a, const fl_value *b);

/** Stable across processes; equal for values that are the same. */
uint64_t fl_value_hash(const fl_value *value);

/** Copies strings and lists into the arena. */
fl_status fl_value_copy(fl_arena *arena, const fl_value *value, fl_value *ret, fl_err *err);

/** The value in row i of any vector; strings are borrowed from the vector, lists are built in the arena. */
fl_status fl_value_from_vec(fl_arena *arena, const fl_vec *vec, int64_t row, fl_value *ret, fl_err *err);

/** A constant vector of the value, in arena memory. */
fl_status fl_value_to_vec(fl_arena *arena, const fl_value *value, fl_vec *ret, fl_err *err);

/** A flat vector of values of one type, nested ones too (NULL pointers and null values are null), in arena memory; long
 *  strings are borrowed. */
fl_status fl_vec_from_values(fl_arena *arena, fl_type type, const fl_value *const *values, int64_t count, fl_vec *ret,
                             fl_err *err);

/** Adds the value as text, as PostgreSQL's text output has it (null: "NULL"; doubles: shortest that reads back; lists
 *  "[1, 'a, b']", structs "{'a': 1}", with quotes where a cast would read something else; rows "(1,\"a b\")"; binary "\x0a"). */
void fl_value_print(fl_text *text, const fl_value *value);

/** As fl_value_print, but as an SQL literal: strings quoted, dates with their type's name. */
void fl_value_print_sql(fl_text *text, const fl_value *value);

/** Reads text as a value of `type`, as a cast does (strings are borrowed from `text`; lists, structs and binaries with
 *  backslashes are not read: they need room).
 *  FL_ERR_VALUE (22P02; dates 22007, 22008), FL_ERR_RANGE with the text in the message. */
fl_status fl_value_from_text(fl_type type, fl_str text, fl_value *ret, fl_err *err);

/** Casts among numbers, booleans, dates and times, and from text; exactly as the engine's cast kernels do. FL_ERR_RANGE,
 *  FL_ERR_VALUE; FL_ERR_UNSUPPORTED when only a kernel can (to text, nested types). */
fl_status fl_value_cast(const fl_value *value, fl_type type, fl_value *ret, fl_err *err);

/** The value as a double, for estimates (dates: days, strings: their first bytes). False for null, lists and such. */
bool fl_value_to_double(const fl_value *value, double *ret);

#endif
