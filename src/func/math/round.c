/* abs, sign, ceil, floor, round, round_even, trunc: integers stay what they are where PostgreSQL keeps them, decimals stay decimals,
 * doubles round halves to even.
 *
 * A decimal's scale belongs to its type: round(x) has none, round(x, n) keeps that of x with zeros behind the n-th digit. */
#include "func/math/math.h"

/* ---- abs, sign ----------------------------------------------------------------------------------------------------- */

#define ABS(suffix, ctype)                                                                                     \
    static fl_status abs_##suffix(fl_call *call, fl_err *err)                                                  \
    {                                                                                                          \
        const ctype *x = call->args[0].data;                                                                   \
        ctype *ret = (ctype *)(uintptr_t)call->ret->data;                                                      \
        for (int32_t row = 0; row < call->rows; row++) {                                                       \
            ret[row] = x[row];                                                                                 \
            if (x[row] < 0 && __builtin_sub_overflow((ctype)0, x[row], &ret[row]) && fl_call_wants(call, row)) \
                return FL_FAIL(err, FL_ERR_RANGE, "abs(%lld) is out of range for type %s", (long long)x[row],  \
                               FL_TYPE_NAME(call->ret->type));                                                 \
        }                                                                                                      \
        return FL_OK;                                                                                          \
    }
ABS(i8, int8_t)
ABS(i16, int16_t)
ABS(i32, int32_t)
ABS(i64, int64_t)
FL_MATH_F64(abs_f64, fabs(x))
FL_MATH_F64(sign_f64, x > 0 ? 1 : x < 0 ? -1 : x)

static fl_status same(fl_call *call, fl_err *err)
{
    (void)err;
    *call->ret = (fl_vec){.type = call->ret->type,
                          .layout = FL_FLAT,
                          .width = call->args[0].width,
                          .data = call->args[0].data,
                          .valid = call->ret->valid};
    return FL_OK;
}

static fl_status abs_f32(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_f32(call)[row] = fabsf(fl_arg_f32(call, 0)[row]);
    return FL_OK;
}

/* ---- decimals ------------------------------------------------------------------------------------------------------ */

typedef enum mode { MODE_CEIL, MODE_FLOOR, MODE_ROUND, MODE_EVEN, MODE_TRUNC } mode;

/* x / unit by the mode; unit > 0. */
static fl_i128 divide(fl_i128 x, fl_i128 unit, mode how)
{
    fl_i128 whole = x / unit, rest = x % unit;
    switch (how) {
    case MODE_CEIL:
        return whole + (rest > 0);
    case MODE_FLOOR:
        return whole - (rest < 0);
    case MODE_ROUND:
        return rest >= unit - rest && rest > 0 ? whole + 1 : -rest >= unit + rest && rest < 0 ? whole - 1 : whole;
    case MODE_EVEN: {
        fl_i128 size = rest < 0 ? -rest : rest;
        bool is_up = size > unit - size || (size == unit - size && whole % 2 != 0);
        return !is_up ? whole : rest < 0 ? whole - 1 : whole + 1;
    }
    case MODE_TRUNC:
        break;
    }
    return whole;
}

static fl_status decimal_whole(fl_call *call, mode how)
{
    const fl_vec *x = &call->args[0];
    fl_i128 unit = fl_pow10_i128[x->type.scale];
    for (int32_t row = 0; row < call->rows; row++)
        fl_math_put_decimal(call, row, divide(fl_vec_i128(x, row), unit, how));
    return FL_OK;
}

static fl_status decimal_digits(fl_call *call, mode how, fl_err *err)
{
    const fl_vec *x = &call->args[0];
    const int32_t *digits = fl_arg_i32(call, 1);
    int32_t scale = x->type.scale;
    fl_i128 limit =
        call->ret->type.precision >= 38 ? fl_pow10_i128[37] * 10 - 1 : fl_pow10_i128[call->ret->type.precision] - 1;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_i128 value = fl_vec_i128(x, row);
        int64_t cut = (int64_t)scale - digits[row];
        if (cut > 38)
            value = 0;
        else if (cut > 0) {
            fl_i128 unit = fl_pow10_i128[cut];
            value = divide(value, unit, how);
            if (__builtin_mul_overflow(value, unit, &value) || value > limit || value < -limit) {
                if (fl_call_wants(call, row))
                    return FL_FAIL(err, FL_ERR_RANGE, "a rounded value is out of range for type %s",
                                   FL_TYPE_NAME(call->ret->type));
                value = 0;
            }
        }
        fl_math_put_decimal(call, row, value);
    }
    return FL_OK;
}

static fl_status ceil_decimal(fl_call *call, fl_err *err)
{
    (void)err;
    return decimal_whole(call, MODE_CEIL);
}
static fl_status floor_decimal(fl_call *call, fl_err *err)
{
    (void)err;
    return decimal_whole(call, MODE_FLOOR);
}
static fl_status round_decimal(fl_call *call, fl_err *err)
{
    (void)err;
    return decimal_whole(call, MODE_ROUND);
}
static fl_status trunc_decimal(fl_call *call, fl_err *err)
{
    (void)err;
    return decimal_whole(call, MODE_TRUNC);
}
static fl_status round_digits(fl_call *call, fl_err *err)
{
    return decimal_digits(call, MODE_ROUND, err);
}
static fl_status round_even_decimal(fl_call *call, fl_err *err)
{
    (void)err;
    return decimal_whole(call, MODE_EVEN);
}
static fl_status even_digits(fl_call *call, fl_err *err)
{
    return decimal_digits(call, MODE_EVEN, err);
}
static fl_status trunc_digits(fl_call *call, fl_err *err)
{
    return decimal_digits(call, MODE_TRUNC, err);
}

static fl_status abs_decimal(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_i128 x = fl_vec_i128(&call->args[0], row);
        fl_math_put_decimal(call, row, x < 0 ? -x : x);
    }
    return FL_OK;
}

static fl_status sign_decimal(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_i128 x = fl_vec_i128(&call->args[0], row);
        fl_math_put_decimal(call, row, (x > 0) - (x < 0));
    }
    return FL_OK;
}

/* ---- doubles ------------------------------------------------------------------------------------------------------- */

FL_MATH_F64(ceil_f64, ceil(x))
FL_MATH_F64(floor_f64, floor(x))
FL_MATH_F64(round_f64, rint(x))
FL_MATH_F64(round_even_f64, rint(x))
FL_MATH_F64(trunc_f64, trunc(x))

/* To n digits, halves away from zero or to even: scaled up, rounded, scaled down; untouched where the scaled value has no fraction. */
static double double_digits(double x, int32_t n, mode how)
{
    if (!isfinite(x) || n > 300)
        return x;
    if (n < -308)
        return 0;
    double unit = pow(10, n < 0 ? -n : n), scaled = n < 0 ? x / unit : x * unit;
    if (fabs(scaled) >= 4503599627370496.0)
        return x;
    scaled = how == MODE_ROUND ? round(scaled) : how == MODE_EVEN ? rint(scaled) : trunc(scaled);
    return n < 0 ? scaled * unit : scaled / unit;
}

static fl_status round_f64_digits(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_f64(call)[row] = double_digits(fl_arg_f64(call, 0)[row], fl_arg_i32(call, 1)[row], MODE_ROUND);
    return FL_OK;
}

static fl_status even_f64_digits(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_f64(call)[row] = double_digits(fl_arg_f64(call, 0)[row], fl_arg_i32(call, 1)[row], MODE_EVEN);
    return FL_OK;
}

static fl_status trunc_f64_digits(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_f64(call)[row] = double_digits(fl_arg_f64(call, 0)[row], fl_arg_i32(call, 1)[row], MODE_TRUNC);
    return FL_OK;
}

/* ---- resolution ---------------------------------------------------------------------------------------------------- */

static fl_status fail(fl_err *err)
{
    return FL_FAIL(err, FL_ERR_FUNCTION, "a number was expected");
}

static fl_type decimal_of(int whole_digits, int scale)
{
    int precision = whole_digits + scale;
    return FL_TYPE_DECIMAL(precision < 1                          ? 1
                           : precision > FL_DECIMAL_PRECISION_MAX ? FL_DECIMAL_PRECISION_MAX
                                                                  : precision,
                           scale);
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_run decimal, fl_func_run f64,
                         fl_func_run decimal_n, fl_func_run f64_n, fl_func_choice *ret, fl_err *err)
{
    if (n_args < 1 || n_args > (decimal_n != NULL ? 2 : 1))
        return FL_FAIL(err, FL_ERR_FUNCTION, "%s expected",
                       decimal_n != NULL ? "one or two arguments were" : "one argument was");
    fl_type x = args[0];
    if (!fl_type_is_numeric(x) && x.id != FL_NULL)
        return fail(err);
    ret->n_args = n_args;
    ret->args[0] = ret->ret = FL_TYPE(FL_F64);
    ret->run = f64;
    if (n_args == 2) {
        if (args[1].id != FL_NULL && !fl_cast_is_implicit(args[1], FL_TYPE(FL_I32), NULL))
            return FL_FAIL(err, FL_ERR_FUNCTION, "the number of digits must be an integer");
        ret->args[1] = FL_TYPE(FL_I32);
        ret->run = f64_n;
        if (fl_type_is_float(x))
            return FL_OK;
        if (x.id == FL_NULL)
            x = FL_TYPE(FL_I32);
        if (fl_type_is_integer(x))
            x = FL_TYPE_DECIMAL(fl_type_int_digits(x), 0);
        ret->args[0] = x;
        ret->ret = decimal_of(x.precision - x.scale + 1, x.scale);
        ret->traits = FL_CAN_FAIL;
        ret->run = decimal_n;
        return FL_OK;
    }
    if (x.id == FL_DECIMAL) {
        ret->args[0] = x;
        ret->ret = decimal_of(x.precision - x.scale + 1, 0);
        ret->run = decimal;
    }
    return FL_OK;
}

#define RESOLVE(name, digits, f64_digits)                                                                  \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                      \
        return resolve(args, n_args, name##_decimal, name##_f64, digits, f64_digits, ret, err);            \
    }
RESOLVE(ceil, NULL, NULL)
RESOLVE(floor, NULL, NULL)
RESOLVE(round, round_digits, round_f64_digits)
RESOLVE(round_even, even_digits, even_f64_digits)
RESOLVE(trunc, trunc_digits, trunc_f64_digits)

static fl_status resolve_abs(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    static const fl_func_run runs[FL_TYPE_COUNT] = {
        [FL_I8] = abs_i8,   [FL_I16] = abs_i16, [FL_I32] = abs_i32,        [FL_I64] = abs_i64,
        [FL_U8] = same,     [FL_U16] = same,    [FL_U32] = same,           [FL_U64] = same,
        [FL_F32] = abs_f32, [FL_F64] = abs_f64, [FL_DECIMAL] = abs_decimal};
    fl_type x = n_args == 1 ? args[0] : FL_TYPE(FL_UTF8);
    if (x.id == FL_NULL)
        x = FL_TYPE(FL_F64);
    if (runs[x.id] == NULL)
        return fail(err);
    *ret = (fl_func_choice){
        .args = {x}, .n_args = 1, .ret = x, .run = runs[x.id], .traits = fl_type_is_signed(x) ? FL_CAN_FAIL : 0};
    return FL_OK;
}

static fl_status resolve_sign(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_type x = n_args == 1 ? args[0] : FL_TYPE(FL_UTF8);
    if (!fl_type_is_numeric(x) && x.id != FL_NULL)
        return fail(err);
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_F64)}, .n_args = 1, .ret = FL_TYPE(FL_F64), .run = sign_f64};
    if (x.id == FL_DECIMAL)
        *ret = (fl_func_choice){.args = {x}, .n_args = 1, .ret = FL_TYPE_DECIMAL(1, 0), .run = sign_decimal};
    return FL_OK;
}

#define FUNC(text, op, help) \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_MATH_TRAITS, .resolve = resolve_##op, .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("abs", abs, "abs(x): x without its sign"),
    FUNC("sign", sign, "sign(x): -1, 0 or 1 as x is below, at or above zero"),
    FUNC("ceil", ceil, "ceil(x): the least whole number not below x"),
    FUNC("ceiling", ceil, "ceiling(x): as ceil"),
    FUNC("floor", floor, "floor(x): the greatest whole number not above x"),
    FUNC("round", round,
         "round(x [, n]): to n digits behind the point (none); halves of decimals away from zero, of doubles to even"),
    FUNC("round_even", round_even, "round_even(x [, n]): to n digits behind the point (none), halves to even"),
    FUNC("trunc", trunc, "trunc(x [, n]): cut to n digits behind the point (none)"),
};

FL_FUNC_SET(round, funcs);
