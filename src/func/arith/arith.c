/* + - * / % and unary minus over numbers; dates and intervals are in interval.c.
 *
 * Overflow is an error. Where bounds prove that there is none, a kernel is the plain loop of kernel_simd.c, for decimals in 64
 * bits; else all rows are computed and what went wrong is or-ed into a flag, and only when the flag is up is the row looked
 * for (and whether anybody wants it). Decimals without a proof go row by row in 128 bits. */
#include "exec/func.h"

#include "arrow/value.h"
#include "base/datetime.h"
#include "base/simd.h"
#include "func/arith/interval.h"
#include "func/arith/kernel.h"
#include "plan/expr.h"

#include <math.h>

static fl_status fail_overflow(fl_call *call, int32_t row, const char *sign, fl_err *err)
{
    fl_text text;
    fl_value a, b;
    fl_text_init(&text, NULL);
    if (fl_value_from_vec(call->heap, &call->args[0], row, &a, err) == FL_OK)
        fl_value_print(&text, &a);
    if (call->n_args == 2 && fl_value_from_vec(call->heap, &call->args[1], row, &b, err) == FL_OK) {
        fl_text_addf(&text, " %s ", sign);
        fl_value_print(&text, &b);
    }
    fl_status st = FL_FAIL(err, FL_ERR_RANGE, "%s is out of range for type %s",
                           text.data == NULL ? "result" : text.data, FL_TYPE_NAME(call->ret->type));
    fl_err_hint(err, "cast an argument to a wider type");
    fl_text_drop(&text);
    return st;
}

static fl_status fail_division(fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_DIVISION, "division by zero");
    fl_err_hint(err, "NULLIF(divisor, 0) gives NULL instead");
    return st;
}

/* ---- integers ----------------------------------------------------------------------------------------------------- */

static fl_arith_type arith_type(fl_type type)
{
    return fl_type_is_integer(type) ? (fl_arith_type)(type.id - FL_I8 + FL_ARITH_I8)
           : type.id == FL_DATE     ? FL_ARITH_I32
                                    : FL_ARITH_I64;
}

static fl_i128 integer_at(const fl_vec *vec, int32_t row)
{
    switch (arith_type(vec->type)) {
    case FL_ARITH_I8:
        return ((const int8_t *)vec->data)[row];
    case FL_ARITH_I16:
        return ((const int16_t *)vec->data)[row];
    case FL_ARITH_I32:
        return ((const int32_t *)vec->data)[row];
    case FL_ARITH_U8:
        return ((const uint8_t *)vec->data)[row];
    case FL_ARITH_U16:
        return ((const uint16_t *)vec->data)[row];
    case FL_ARITH_U32:
        return ((const uint32_t *)vec->data)[row];
    case FL_ARITH_U64:
        return ((const uint64_t *)vec->data)[row];
    default:
        return ((const int64_t *)vec->data)[row];
    }
}

/* a op b; a number of up to 64 bits each, so 128 bits hold it but for the products of two uint64. */
static bool exact(fl_arith_op op, fl_i128 a, fl_i128 b, fl_i128 *ret)
{
    return op == FL_ARITH_ADD   ? !__builtin_add_overflow(a, b, ret)
           : op == FL_ARITH_SUB ? !__builtin_sub_overflow(a, b, ret)
                                : !__builtin_mul_overflow(a, b, ret);
}

static const char *const signs[] = {[FL_ARITH_ADD] = "+", [FL_ARITH_SUB] = "-", [FL_ARITH_MUL] = "*"};

/* Proved rows need no look. The others are computed all the same, and only if one went wrong is it looked for: it may be a
 * null's slot or one that nobody wants. */
static fl_status integers(fl_call *call, fl_arith_op op, fl_err *err)
{
    const fl_arith_kernels *kernels = FL_SIMD_CHOOSE(fl_arith_kernels);
    const fl_vec *a = &call->args[0], *b = &call->args[1];
    void *ret = (void *)(uintptr_t)call->ret->data;
    fl_arith_type type = arith_type(call->ret->type);
    if (call->ret->has_bounds) {
        kernels->plain[op][type % 4](a->data, b->data, call->rows, ret);
        return FL_OK;
    }
    if (!kernels->checked[op][type](a->data, b->data, call->rows, ret))
        return FL_OK;
    fl_bounds room = fl_bounds_of_type(call->ret->type);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_i128 r;
        if (fl_call_wants(call, row) &&
            (!exact(op, integer_at(a, row), integer_at(b, row), &r) || r < room.low || r > room.high))
            return fail_overflow(call, row, signs[op], err);
    }
    return FL_OK;
}

static fl_status add_integer(fl_call *call, fl_err *err)
{
    return integers(call, FL_ARITH_ADD, err);
}
static fl_status sub_integer(fl_call *call, fl_err *err)
{
    return integers(call, FL_ARITH_SUB, err);
}
static fl_status mul_integer(fl_call *call, fl_err *err)
{
    return integers(call, FL_ARITH_MUL, err);
}

#define DIVIDE(suffix, type, is_signed)                                                   \
    static fl_status div_##suffix(fl_call *call, fl_err *err)                             \
    {                                                                                     \
        const type *a = call->args[0].data, *b = call->args[1].data;                      \
        type *ret = (type *)(uintptr_t)call->ret->data;                                   \
        for (int32_t row = 0; row < call->rows; row++) {                                  \
            if (!fl_call_wants(call, row))                                                \
                continue;                                                                 \
            if (b[row] == 0)                                                              \
                return fail_division(err);                                                \
            if ((is_signed) && b[row] == (type) - 1) {                                    \
                if (__builtin_sub_overflow((type)0, a[row], &ret[row]))                   \
                    return fail_overflow(call, row, "/", err);                            \
            } else {                                                                      \
                ret[row] = (type)(a[row] / b[row]);                                       \
            }                                                                             \
        }                                                                                 \
        return FL_OK;                                                                     \
    }                                                                                     \
    static fl_status mod_##suffix(fl_call *call, fl_err *err)                             \
    {                                                                                     \
        const type *a = call->args[0].data, *b = call->args[1].data;                      \
        type *ret = (type *)(uintptr_t)call->ret->data;                                   \
        for (int32_t row = 0; row < call->rows; row++) {                                  \
            if (!fl_call_wants(call, row))                                                \
                continue;                                                                 \
            if (b[row] == 0)                                                              \
                return fail_division(err);                                                \
            ret[row] = (is_signed) && b[row] == (type) - 1 ? 0 : (type)(a[row] % b[row]); \
        }                                                                                 \
        return FL_OK;                                                                     \
    }
DIVIDE(i8, int8_t, true)
DIVIDE(i16, int16_t, true)
DIVIDE(i32, int32_t, true)
DIVIDE(i64, int64_t, true)
DIVIDE(u8, uint8_t, false)
DIVIDE(u16, uint16_t, false)
DIVIDE(u32, uint32_t, false)
DIVIDE(u64, uint64_t, false)

/* The least number of a type has no counterpart. */
static fl_status neg_integer(fl_call *call, fl_err *err)
{
    const fl_vec *a = &call->args[0];
    fl_i128 least = fl_type_int_min(a->type);
    if (!FL_SIMD_CHOOSE(fl_arith_kernels)
             ->negate[arith_type(a->type)](a->data, call->rows, (void *)(uintptr_t)call->ret->data))
        return FL_OK;
    for (int32_t row = 0; row < call->rows && !call->ret->has_bounds; row++)
        if (integer_at(a, row) == least && fl_call_wants(call, row))
            return fail_overflow(call, row, "-", err);
    return FL_OK;
}

/* ---- floats ------------------------------------------------------------------------------------------------------- */

#define FLOAT(suffix, type, name, op)                                                                \
    static fl_status name##_##suffix(fl_call *call, fl_err *err)                                     \
    {                                                                                                \
        const type *a = call->args[0].data, *b = call->args[1].data;                                 \
        type *ret = (type *)(uintptr_t)call->ret->data;                                              \
        if (!FL_SIMD_CHOOSE(fl_arith_kernels)->suffix[op](a, b, call->rows, ret))                    \
            return FL_OK;                                                                            \
        for (int32_t row = 0; row < call->rows; row++)                                               \
            if (isinf(ret[row]) && isfinite(a[row]) && isfinite(b[row]) && fl_call_wants(call, row)) \
                return fail_overflow(call, row, signs[op], err);                                     \
        return FL_OK;                                                                                \
    }
#define FLOATS(suffix, type, fmod_fn)                                    \
    FLOAT(suffix, type, add, FL_ARITH_ADD)                               \
    FLOAT(suffix, type, sub, FL_ARITH_SUB)                               \
    FLOAT(suffix, type, mul, FL_ARITH_MUL)                               \
    static fl_status div_##suffix(fl_call *call, fl_err *err)            \
    {                                                                    \
        const type *a = call->args[0].data, *b = call->args[1].data;     \
        type *ret = (type *)(uintptr_t)call->ret->data;                  \
        int bad = 0;                                                     \
        for (int32_t row = 0; row < call->rows; row++) {                 \
            ret[row] = a[row] / b[row];                                  \
            bad |= b[row] == 0 || !(ret[row] - ret[row] == 0);           \
        }                                                                \
        for (int32_t row = 0; bad && row < call->rows; row++) {          \
            if (!fl_call_wants(call, row))                               \
                continue;                                                \
            if (b[row] == 0 && !isnan(a[row]))                           \
                return fail_division(err);                               \
            if (isinf(ret[row]) && isfinite(a[row]) && isfinite(b[row])) \
                return fail_overflow(call, row, "/", err);               \
        }                                                                \
        return FL_OK;                                                    \
    }                                                                    \
    static fl_status mod_##suffix(fl_call *call, fl_err *err)            \
    {                                                                    \
        const type *a = call->args[0].data, *b = call->args[1].data;     \
        type *ret = (type *)(uintptr_t)call->ret->data;                  \
        for (int32_t row = 0; row < call->rows; row++) {                 \
            if (b[row] == 0 && fl_call_wants(call, row))                 \
                return fail_division(err);                               \
            ret[row] = fmod_fn(a[row], b[row]);                          \
        }                                                                \
        return FL_OK;                                                    \
    }                                                                    \
    static fl_status neg_##suffix(fl_call *call, fl_err *err)            \
    {                                                                    \
        (void)err;                                                       \
        const type *a = call->args[0].data;                              \
        for (int32_t row = 0; row < call->rows; row++)                   \
            ((type *)(uintptr_t)call->ret->data)[row] = -a[row];         \
        return FL_OK;                                                    \
    }
FLOATS(f32, float, fmodf)
FLOATS(f64, double, fmod)

/* ---- decimals ----------------------------------------------------------------------------------------------------- */

static fl_i128 decimal_limit(fl_type type)
{
    return type.precision >= 38 ? fl_pow10_i128[37] * 10 - 1 : fl_pow10_i128[type.precision] - 1;
}

/* Result in 128 bits, row by row; what does not fit the precision raises. */
#define DECIMAL_WIDE(call, sign, builtin)                                                         \
    do {                                                                                          \
        const fl_vec *x = &(call)->args[0], *y = &(call)->args[1];                                \
        fl_i128 limit = decimal_limit((call)->ret->type);                                         \
        bool wide = fl_type_width((call)->ret->type) == 16;                                       \
        for (int32_t row = 0; row < (call)->rows; row++) {                                        \
            fl_i128 r = 0;                                                                        \
            if (!fl_call_wants((call), row))                                                      \
                continue;                                                                         \
            if (builtin(fl_vec_i128(x, row), fl_vec_i128(y, row), &r) || r > limit || r < -limit) \
                return fail_overflow((call), row, (sign), err);                                   \
            if (wide)                                                                             \
                fl_ret_i128(call)[row] = r;                                                       \
            else                                                                                  \
                fl_ret_i64(call)[row] = (int64_t)r;                                               \
        }                                                                                         \
        return FL_OK;                                                                             \
    } while (0)

/* In 64 bits where bounds prove that result and precision allow it. */
#define DECIMAL(name, op, builtin)                                                                          \
    static fl_status name(fl_call *call, fl_err *err)                                                       \
    {                                                                                                       \
        const fl_vec *a = &call->args[0], *b = &call->args[1];                                              \
        if (call->ret->has_bounds && a->width == 8 && b->width == 8) {                                      \
            FL_SIMD_CHOOSE(fl_arith_kernels)->plain[op][3](a->data, b->data, call->rows, fl_ret_i64(call)); \
            call->ret->width = 8;                                                                           \
            return FL_OK;                                                                                   \
        }                                                                                                   \
        DECIMAL_WIDE(call, signs[op], builtin);                                                             \
    }
DECIMAL(add_decimal, FL_ARITH_ADD, __builtin_add_overflow)
DECIMAL(sub_decimal, FL_ARITH_SUB, __builtin_sub_overflow)
DECIMAL(mul_decimal, FL_ARITH_MUL, __builtin_mul_overflow)

static fl_status mod_decimal(fl_call *call, fl_err *err)
{
    bool wide = fl_type_width(call->ret->type) == 16;
    for (int32_t row = 0; row < call->rows; row++) {
        if (!fl_call_wants(call, row))
            continue;
        fl_i128 b = fl_vec_i128(&call->args[1], row);
        if (b == 0)
            return fail_division(err);
        fl_i128 r = fl_vec_i128(&call->args[0], row) % b;
        if (wide)
            fl_ret_i128(call)[row] = r;
        else
            fl_ret_i64(call)[row] = (int64_t)r;
    }
    return FL_OK;
}

static fl_status neg_decimal(fl_call *call, fl_err *err)
{
    (void)err;
    const fl_vec *a = &call->args[0];
    if (a->width == 8 && (call->ret->has_bounds || fl_type_width(call->ret->type) == 8)) {
        FL_SIMD_CHOOSE(fl_arith_kernels)->negate[FL_ARITH_I64](a->data, call->rows, fl_ret_i64(call));
        call->ret->width = 8;
        return FL_OK;
    }
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_i128(call)[row] = (fl_i128)(0 - (fl_u128)fl_vec_i128(a, row));
    return FL_OK;
}

/* ---- resolution --------------------------------------------------------------------------------------------------- */

#define ONE_FOR_INTEGERS(name) {[FL_I8... FL_U64] = name##_integer, [FL_F32] = name##_f32, [FL_F64] = name##_f64}
#define BY_TYPE(name)                                                                               \
    {                                                                                               \
        [FL_I8] = name##_i8,   [FL_I16] = name##_i16, [FL_I32] = name##_i32, [FL_I64] = name##_i64, \
        [FL_U8] = name##_u8,   [FL_U16] = name##_u16, [FL_U32] = name##_u32, [FL_U64] = name##_u64, \
        [FL_F32] = name##_f32, [FL_F64] = name##_f64}

static const fl_func_run adds[FL_TYPE_COUNT] = ONE_FOR_INTEGERS(add), subs[FL_TYPE_COUNT] = ONE_FOR_INTEGERS(sub);
static const fl_func_run muls[FL_TYPE_COUNT] = ONE_FOR_INTEGERS(mul);
static const fl_func_run divs[FL_TYPE_COUNT] = BY_TYPE(div), mods[FL_TYPE_COUNT] = BY_TYPE(mod);

static fl_type as_decimal(fl_type t)
{
    return t.id == FL_DECIMAL ? t : FL_TYPE_DECIMAL(fl_type_int_digits(t), 0);
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}
static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static fl_status resolve_decimal(char sign, fl_type a, fl_type b, fl_func_choice *ret, fl_err *err)
{
    a = as_decimal(a);
    b = as_decimal(b);
    int scale = max_int(a.scale, b.scale), whole = max_int(a.precision - a.scale, b.precision - b.scale);
    ret->n_args = 2;
    if (sign == '/') {
        ret->args[0] = ret->args[1] = ret->ret = FL_TYPE(FL_F64);
        ret->run = div_f64;
        return FL_OK;
    }
    if (sign == '*') {
        if (a.scale + b.scale > FL_DECIMAL_PRECISION_MAX)
            return FL_FAIL(err, FL_ERR_RANGE, "the product of %s and %s needs more than %d digits behind the point",
                           FL_TYPE_NAME(a), FL_TYPE_NAME(b), FL_DECIMAL_PRECISION_MAX);
        ret->args[0] = a;
        ret->args[1] = b;
        ret->ret = FL_TYPE_DECIMAL(min_int(a.precision + b.precision, FL_DECIMAL_PRECISION_MAX), a.scale + b.scale);
        ret->run = mul_decimal;
        return FL_OK;
    }
    ret->args[0] = FL_TYPE_DECIMAL(min_int(a.precision - a.scale + scale, FL_DECIMAL_PRECISION_MAX), scale);
    ret->args[1] = FL_TYPE_DECIMAL(min_int(b.precision - b.scale + scale, FL_DECIMAL_PRECISION_MAX), scale);
    ret->ret = FL_TYPE_DECIMAL(min_int(whole + scale + (sign != '%'), FL_DECIMAL_PRECISION_MAX), scale);
    ret->run = sign == '+' ? add_decimal : sign == '-' ? sub_decimal : mod_decimal;
    return FL_OK;
}

/* +x */
static fl_status keep(fl_call *call, fl_err *err)
{
    (void)err;
    *call->ret = (fl_vec){.type = call->ret->type,
                          .layout = FL_FLAT,
                          .width = call->args[0].width,
                          .data = call->args[0].data,
                          .valid = call->ret->valid};
    return FL_OK;
}

static fl_status resolve(char sign, const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_type a = n_args > 0 ? args[0] : FL_TYPE(FL_NULL), b = n_args > 1 ? args[1] : FL_TYPE(FL_NULL), common;
    const fl_func_run *runs = sign == '+' ? adds : sign == '-' ? subs : sign == '*' ? muls : sign == '/' ? divs : mods;
    ret->traits |= FL_CAN_FAIL;
    if (n_args == 1 && sign == '+' && (fl_type_is_numeric(a) || a.id == FL_INTERVAL)) {
        ret->args[0] = ret->ret = a;
        ret->n_args = 1;
        ret->run = keep;
        return FL_OK;
    }
    if (n_args == 1 && sign == '-') {
        static const fl_func_run negs[FL_TYPE_COUNT] = {[FL_I8... FL_I64] = neg_integer,
                                                        [FL_F32] = neg_f32,
                                                        [FL_F64] = neg_f64,
                                                        [FL_DECIMAL] = neg_decimal,
                                                        [FL_INTERVAL] = fl_interval_negate};
        static const uint8_t signed_of[] = {
            [FL_U8] = FL_I16, [FL_U16] = FL_I32, [FL_U32] = FL_I64, [FL_U64] = FL_DECIMAL};
        if (a.id == FL_NULL)
            a = FL_TYPE(FL_F64);
        if (a.id >= FL_U8 && a.id <= FL_U64)
            a = a.id == FL_U64 ? FL_TYPE_DECIMAL(20, 0) : FL_TYPE(signed_of[a.id]);
        ret->args[0] = ret->ret = a;
        ret->n_args = 1;
        ret->run = negs[a.id];
        return ret->run != NULL ? FL_OK : FL_FAIL(err, FL_ERR_FUNCTION, "a number was expected");
    }
    if (n_args != 2)
        return FL_FAIL(err, FL_ERR_FUNCTION, "two arguments were expected");
    if (fl_type_is_numeric(a) && b.id == FL_NULL)
        b = a;
    if (a.id == FL_NULL && fl_type_is_numeric(b))
        a = b;
    if (a.id == FL_NULL && b.id == FL_NULL)
        a = b = FL_TYPE(FL_I32);
    if (!fl_type_is_numeric(a) || !fl_type_is_numeric(b)) {
        uint32_t traits = ret->traits;
        ret->traits &= ~(uint32_t)FL_CAN_FAIL;
        if (sign != '%' && fl_interval_resolve(sign, a, b, ret))
            return FL_OK;
        ret->traits = traits;
        return FL_FAIL(err, FL_ERR_FUNCTION, "numbers were expected");
    }
    if ((a.id == FL_DECIMAL || b.id == FL_DECIMAL) && !fl_type_is_float(a) && !fl_type_is_float(b))
        return resolve_decimal(sign, a, b, ret, err);
    if (!fl_type_common(a, b, &common))
        return FL_FAIL(err, FL_ERR_FUNCTION, "no common type");
    if (common.id == FL_DECIMAL) /* uint64 with a signed integer */
        return resolve_decimal(sign, a, b, ret, err);
    ret->args[0] = ret->args[1] = ret->ret = common;
    ret->n_args = 2;
    ret->run = runs[common.id];
    return ret->run != NULL ? FL_OK : FL_FAIL(err, FL_ERR_FUNCTION, "numbers were expected");
}

/* ---- bounds ------------------------------------------------------------------------------------------------------- */

/* Infinity is no number: it stays, or raises. */
static bool may_be_infinite(fl_type type, fl_bounds b)
{
    return (type.id == FL_DATE && (b.low < FL_DATE_MIN || b.high > FL_DATE_MAX)) ||
           (fl_type_is_timestamp(type) && (b.low <= INT64_MIN || b.high >= INT64_MAX));
}

/* Whole numbers on one scale (arguments were cast to it), dates and days. */
static bool is_whole(const fl_expr *call, const fl_bounds *args)
{
    for (int32_t i = 0; i < call->n_args; i++)
        if (!args[i].is_known || call->args[i]->type.id == FL_INTERVAL || may_be_infinite(call->args[i]->type, args[i]))
            return false;
    return fl_bounds_apply(call->type);
}

static fl_bounds bounds_add(const fl_expr *call, const fl_bounds *args)
{
    fl_bounds ret = {0};
    if (!is_whole(call, args) || call->args[0]->type.id == FL_TIME ||
        call->args[call->n_args - 1]->type.id == FL_TIME) /* date + time: days and microseconds */
        return ret;
    if (call->n_args == 1)
        return args[0];
    ret.is_known = !__builtin_add_overflow(args[0].low, args[1].low, &ret.low) &&
                   !__builtin_add_overflow(args[0].high, args[1].high, &ret.high);
    ret.is_known &= !may_be_infinite(call->type, ret);
    return ret;
}

static fl_bounds bounds_sub(const fl_expr *call, const fl_bounds *args)
{
    fl_bounds ret = {0}, zero = {true, 0, 0};
    if (!is_whole(call, args))
        return ret;
    const fl_bounds *from = call->n_args == 1 ? &zero : &args[0], *take = &args[call->n_args - 1];
    ret.is_known = !__builtin_sub_overflow(from->low, take->high, &ret.low) &&
                   !__builtin_sub_overflow(from->high, take->low, &ret.high);
    ret.is_known &= !may_be_infinite(call->type, ret);
    return ret;
}

/* A product is extreme where both factors are. */
static fl_bounds bounds_mul(const fl_expr *call, const fl_bounds *args)
{
    fl_bounds ret = {0};
    fl_i128 corner;
    if (!is_whole(call, args))
        return ret;
    for (int i = 0; i < 4; i++) {
        if (__builtin_mul_overflow(i & 1 ? args[0].high : args[0].low, i & 2 ? args[1].high : args[1].low, &corner))
            return (fl_bounds){0};
        ret = i == 0 ? (fl_bounds){true, corner, corner} : fl_bounds_hull(ret, (fl_bounds){true, corner, corner});
    }
    return ret;
}

static bool has_zero(fl_bounds b)
{
    return b.low <= 0 && b.high >= 0;
}

/* A quotient of integers is no farther from zero than the dividend. */
static fl_bounds bounds_div(const fl_expr *call, const fl_bounds *args)
{
    if (!is_whole(call, args) || !fl_type_is_integer(call->type) || has_zero(args[1]))
        return (fl_bounds){0};
    if (args[1].low > 0) /* towards zero by the least divisor, or not at all */
        return (fl_bounds){true, args[0].low < 0 ? args[0].low / args[1].low : 0,
                           args[0].high > 0 ? args[0].high / args[1].low : 0};
    fl_i128 below = args[0].low < 0 ? -args[0].low : args[0].low,
            above = args[0].high < 0 ? -args[0].high : args[0].high;
    fl_i128 far = below > above ? below : above;
    return (fl_bounds){true, -far, far};
}

/* A remainder is nearer to zero than the divisor, and has the dividend's sign. */
static fl_bounds bounds_mod(const fl_expr *call, const fl_bounds *args)
{
    if (call->n_args != 2 || !args[1].is_known || !fl_bounds_apply(call->type) || has_zero(args[1]))
        return (fl_bounds){0};
    fl_i128 below = args[1].low < 0 ? -args[1].low : args[1].low,
            above = args[1].high < 0 ? -args[1].high : args[1].high;
    fl_i128 far = (below > above ? below : above) - 1;
    fl_bounds ret = {true, -far, far};
    if (args[0].is_known && args[0].low >= -far)
        ret.low = args[0].low < 0 ? args[0].low : 0;
    if (args[0].is_known && args[0].high <= far)
        ret.high = args[0].high > 0 ? args[0].high : 0;
    return ret;
}

/* ---- the functions ------------------------------------------------------------------------------------------------ */

#define RESOLVE(name, sign)                                                                                \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                      \
        return resolve(sign, args, n_args, ret, err);                                                      \
    }
RESOLVE(add, '+')
RESOLVE(sub, '-')
RESOLVE(mul, '*')
RESOLVE(div, '/')
RESOLVE(mod, '%')

#define ARITH(sign, op, mirrored_sign, bounds_of, text)      \
    {FL_DESC(fl_func_desc),                                  \
     .name = sign,                                           \
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_LOCAL_TIME, \
     .mirror = mirrored_sign,                                \
     .resolve = resolve_##op,                                \
     .bounds = bounds_of,                                    \
     .doc = text}

static const fl_func_desc funcs[] = {
    ARITH("+", add, "+", bounds_add, "a + b: numbers, date + days, date or timestamp + interval"),
    ARITH("-", sub, NULL, bounds_sub, "a - b: numbers, dates, timestamps, intervals; -a"),
    ARITH("*", mul, "*", bounds_mul, "a * b: numbers, interval * number"),
    ARITH("/", div, NULL, bounds_div, "a / b: integers give an integer, decimals a double; interval / number"),
    ARITH("%", mod, NULL, bounds_mod, "a % b: the remainder, with the sign of a"),
    ARITH("mod", mod, NULL, bounds_mod, "mod(a, b): the remainder, with the sign of a"),
};

FL_FUNC_SET(arith, funcs);
