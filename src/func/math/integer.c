/* Whole numbers: div, gcd, lcm, bit_count, and the operators of bits: & | # << >> (the complement ~ is in text/regexp.c). */
#include "func/math/math.h"

static fl_status fail_range(fl_call *call, const char *name, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_RANGE, "%s is out of range for type %s", name, FL_TYPE_NAME(call->ret->type));
}

static fl_status fail_division(fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_DIVISION, "division by zero");
    fl_err_hint(err, "NULLIF(divisor, 0) gives NULL instead");
    return st;
}

/* ---- div, gcd, lcm ------------------------------------------------------------------------------------------------- */

static fl_status div_i64(fl_call *call, fl_err *err)
{
    const int64_t *a = fl_arg_i64(call, 0), *b = fl_arg_i64(call, 1);
    for (int32_t row = 0; row < call->rows; row++) {
        if (!fl_call_wants(call, row))
            continue;
        if (b[row] == 0)
            return fail_division(err);
        if (b[row] != -1)
            fl_ret_i64(call)[row] = a[row] / b[row];
        else if (__builtin_sub_overflow((int64_t)0, a[row], &fl_ret_i64(call)[row]))
            return fail_range(call, "div", err);
    }
    return FL_OK;
}

/* Decimals of different scales: both are brought to the larger one first. */
static fl_status div_decimal(fl_call *call, fl_err *err)
{
    const fl_vec *a = &call->args[0], *b = &call->args[1];
    int scale = a->type.scale > b->type.scale ? a->type.scale : b->type.scale;
    for (int32_t row = 0; row < call->rows; row++) {
        if (!fl_call_wants(call, row))
            continue;
        fl_i128 x = fl_vec_i128(a, row), y = fl_vec_i128(b, row);
        if (y == 0)
            return fail_division(err);
        if (__builtin_mul_overflow(x, fl_pow10_i128[scale - a->type.scale], &x) ||
            __builtin_mul_overflow(y, fl_pow10_i128[scale - b->type.scale], &y))
            return fail_range(call, "div", err);
        fl_math_put_decimal(call, row, x / y);
    }
    return FL_OK;
}

static fl_status div_f64(fl_call *call, fl_err *err)
{
    const double *a = fl_arg_f64(call, 0), *b = fl_arg_f64(call, 1);
    for (int32_t row = 0; row < call->rows; row++) {
        if (b[row] == 0 && fl_call_wants(call, row))
            return fail_division(err);
        fl_ret_f64(call)[row] = trunc(a[row] / b[row]);
    }
    return FL_OK;
}

static uint64_t magnitude(int64_t x)
{
    return x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
}

static uint64_t gcd_of(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#define GCD_LCM(suffix, type, max)                                                                               \
    static fl_status gcd_##suffix(fl_call *call, fl_err *err)                                                    \
    {                                                                                                            \
        for (int32_t row = 0; row < call->rows; row++) {                                                         \
            uint64_t a = magnitude(fl_arg_##suffix(call, 0)[row]), b = magnitude(fl_arg_##suffix(call, 1)[row]); \
            uint64_t gcd = gcd_of(a, b);                                                                         \
            fl_ret_##suffix(call)[row] = (type)gcd;                                                              \
            if (gcd > (uint64_t)(max) && fl_call_wants(call, row))                                               \
                return fail_range(call, "gcd", err);                                                             \
        }                                                                                                        \
        return FL_OK;                                                                                            \
    }                                                                                                            \
    static fl_status lcm_##suffix(fl_call *call, fl_err *err)                                                    \
    {                                                                                                            \
        for (int32_t row = 0; row < call->rows; row++) {                                                         \
            uint64_t a = magnitude(fl_arg_##suffix(call, 0)[row]), b = magnitude(fl_arg_##suffix(call, 1)[row]); \
            uint64_t gcd = gcd_of(a, b);                                                                         \
            fl_u128 lcm = gcd == 0 ? 0 : (fl_u128)(a / gcd) * b;                                                 \
            fl_ret_##suffix(call)[row] = (type)lcm;                                                              \
            if (lcm > (fl_u128)(max) && fl_call_wants(call, row))                                                \
                return fail_range(call, "lcm", err);                                                             \
        }                                                                                                        \
        return FL_OK;                                                                                            \
    }
GCD_LCM(i32, int32_t, INT32_MAX)
GCD_LCM(i64, int64_t, INT64_MAX)

static fl_status resolve_div(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 2)
        return FL_FAIL(err, FL_ERR_FUNCTION, "two arguments were expected");
    fl_type types[2] = {args[0], args[1]};
    for (int i = 0; i < 2; i++) {
        if (types[i].id == FL_NULL)
            types[i] = FL_TYPE(FL_I32);
        if (!fl_type_is_numeric(types[i]))
            return FL_FAIL(err, FL_ERR_FUNCTION, "numbers were expected");
    }
    *ret = (fl_func_choice){.n_args = 2, .traits = FL_CAN_FAIL};
    if (fl_type_is_float(types[0]) || fl_type_is_float(types[1])) {
        ret->args[0] = ret->args[1] = ret->ret = FL_TYPE(FL_F64);
        ret->run = div_f64;
        return FL_OK;
    }
    bool is_decimal = false;
    for (int i = 0; i < 2; i++)
        is_decimal |= types[i].id == FL_DECIMAL || types[i].id == FL_U64;
    for (int i = 0; i < 2; i++) {
        if (!is_decimal)
            ret->args[i] = FL_TYPE(FL_I64);
        else
            ret->args[i] = types[i].id == FL_DECIMAL ? types[i] : FL_TYPE_DECIMAL(fl_type_int_digits(types[i]), 0);
    }
    ret->ret = is_decimal ? FL_TYPE_DECIMAL(38, 0) : FL_TYPE(FL_I64);
    ret->run = is_decimal ? div_decimal : div_i64;
    return FL_OK;
}

/* ---- bit_count ---------------------------------------------------------------------------------------------------- */

#define BIT_COUNT(suffix, unsigned_type)                                                                       \
    static fl_status count_##suffix(fl_call *call, fl_err *err)                                                \
    {                                                                                                          \
        (void)err;                                                                                             \
        for (int32_t row = 0; row < call->rows; row++)                                                         \
            fl_ret_i8(call)[row] = (int8_t)__builtin_popcountll((unsigned_type)fl_arg_##suffix(call, 0)[row]); \
        return FL_OK;                                                                                          \
    }
BIT_COUNT(i8, uint8_t)
BIT_COUNT(i16, uint16_t)
BIT_COUNT(i32, uint32_t)
BIT_COUNT(i64, uint64_t)
BIT_COUNT(u64, uint64_t)

static fl_status count_bytes(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_str x = fl_vec_str(&call->args[0], row);
        int64_t bits = 0;
        for (int64_t i = 0; i < x.len; i++)
            bits += __builtin_popcount((uint8_t)x.data[i]);
        fl_ret_i64(call)[row] = bits;
        st = fl_call_work(call, x.len, err);
    }
    return st;
}

/* ---- bits ---------------------------------------------------------------------------------------------------------- */

/* Shifts count modulo the width, of types narrower than 32 bits modulo 32, as the machine does. */
#define BITS(suffix, type, bits, unsigned_type)                                                                  \
    static fl_status and_##suffix(fl_call *call, fl_err *err)                                                    \
    {                                                                                                            \
        (void)err;                                                                                               \
        for (int32_t row = 0; row < call->rows; row++)                                                           \
            fl_ret_##suffix(call)[row] = (type)(fl_arg_##suffix(call, 0)[row] & fl_arg_##suffix(call, 1)[row]);  \
        return FL_OK;                                                                                            \
    }                                                                                                            \
    static fl_status or_##suffix(fl_call *call, fl_err *err)                                                     \
    {                                                                                                            \
        (void)err;                                                                                               \
        for (int32_t row = 0; row < call->rows; row++)                                                           \
            fl_ret_##suffix(call)[row] = (type)(fl_arg_##suffix(call, 0)[row] | fl_arg_##suffix(call, 1)[row]);  \
        return FL_OK;                                                                                            \
    }                                                                                                            \
    static fl_status xor_##suffix(fl_call *call, fl_err *err)                                                    \
    {                                                                                                            \
        (void)err;                                                                                               \
        for (int32_t row = 0; row < call->rows; row++)                                                           \
            fl_ret_##suffix(call)[row] = (type)(fl_arg_##suffix(call, 0)[row] ^ fl_arg_##suffix(call, 1)[row]);  \
        return FL_OK;                                                                                            \
    }                                                                                                            \
    static fl_status left_##suffix(fl_call *call, fl_err *err)                                                   \
    {                                                                                                            \
        (void)err;                                                                                               \
        for (int32_t row = 0; row < call->rows; row++)                                                           \
            fl_ret_##suffix(call)[row] =                                                                         \
                (type)((unsigned_type)fl_arg_##suffix(call, 0)[row] << (fl_arg_i32(call, 1)[row] & (bits - 1))); \
        return FL_OK;                                                                                            \
    }                                                                                                            \
    static fl_status right_##suffix(fl_call *call, fl_err *err)                                                  \
    {                                                                                                            \
        (void)err;                                                                                               \
        for (int32_t row = 0; row < call->rows; row++)                                                           \
            fl_ret_##suffix(call)[row] =                                                                         \
                (type)(fl_arg_##suffix(call, 0)[row] >> (fl_arg_i32(call, 1)[row] & (bits - 1)));                \
        return FL_OK;                                                                                            \
    }
BITS(i8, int8_t, 32, uint32_t)
BITS(i16, int16_t, 32, uint32_t)
BITS(i32, int32_t, 32, uint32_t)
BITS(i64, int64_t, 64, uint64_t)
BITS(u8, uint8_t, 32, uint32_t)
BITS(u16, uint16_t, 32, uint32_t)
BITS(u32, uint32_t, 32, uint32_t)
BITS(u64, uint64_t, 64, uint64_t)

#define SAME_TYPES(op, second)                                                                                      \
    {FL_ARGS(FL_I8, second(FL_I8)), FL_I8, 0, op##_i8}, {FL_ARGS(FL_I16, second(FL_I16)), FL_I16, 0, op##_i16},     \
        {FL_ARGS(FL_I32, second(FL_I32)), FL_I32, 0, op##_i32},                                                     \
        {FL_ARGS(FL_I64, second(FL_I64)), FL_I64, 0, op##_i64}, {FL_ARGS(FL_U8, second(FL_U8)), FL_U8, 0, op##_u8}, \
        {FL_ARGS(FL_U16, second(FL_U16)), FL_U16, 0, op##_u16},                                                     \
        {FL_ARGS(FL_U32, second(FL_U32)), FL_U32, 0, op##_u32},                                                     \
    {                                                                                                               \
        FL_ARGS(FL_U64, second(FL_U64)), FL_U64, 0, op##_u64                                                        \
    }
#define ALIKE(type) type
#define COUNT(type) FL_I32

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "div", .traits = FL_MATH_TRAITS, .resolve = resolve_div,
     .doc = "div(a, b): the whole part of a / b"},
    {FL_DESC(fl_func_desc), .name = "//", .traits = FL_MATH_TRAITS, .resolve = resolve_div,
     .doc = "a // b: the whole part of a / b"},
    FL_MATH_FUNC("gcd", "gcd(a, b): greatest common divisor", {FL_ARGS(FL_I32, FL_I32), FL_I32, FL_CAN_FAIL, gcd_i32},
                 {FL_ARGS(FL_I64, FL_I64), FL_I64, FL_CAN_FAIL, gcd_i64}),
    FL_MATH_FUNC("lcm", "lcm(a, b): least common multiple", {FL_ARGS(FL_I32, FL_I32), FL_I32, FL_CAN_FAIL, lcm_i32},
                 {FL_ARGS(FL_I64, FL_I64), FL_I64, FL_CAN_FAIL, lcm_i64}),
    FL_MATH_FUNC("bit_count", "bit_count(x): bits that are set, of a bytea in all bytes",
                 {FL_ARGS(FL_I8), FL_I8, 0, count_i8}, {FL_ARGS(FL_I16), FL_I8, 0, count_i16},
                 {FL_ARGS(FL_I32), FL_I8, 0, count_i32}, {FL_ARGS(FL_I64), FL_I8, 0, count_i64},
                 {FL_ARGS(FL_U64), FL_I8, 0, count_u64}, {FL_ARGS(FL_BINARY), FL_I64, 0, count_bytes}),
    FL_MATH_FUNC("&", "a & b: bits set in both", SAME_TYPES(and, ALIKE)),
    FL_MATH_FUNC("|", "a | b: bits set in one of them", SAME_TYPES(or, ALIKE)),
    FL_MATH_FUNC("#", "a # b: bits set in just one of them", SAME_TYPES(xor, ALIKE)),
    FL_MATH_FUNC("xor", "xor(a, b): bits set in just one of them", SAME_TYPES(xor, ALIKE)),
    FL_MATH_FUNC("<<", "a << n: bits moved up by n", SAME_TYPES(left, COUNT)),
    FL_MATH_FUNC(">>", "a >> n: bits moved down by n", SAME_TYPES(right, COUNT)),
};

FL_FUNC_SET(integer, funcs);
