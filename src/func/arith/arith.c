/* + - * / % and unary minus over numbers; dates and intervals are in interval.c.
 *
 * Overflow is an error. A kernel first computes all rows and or-s what went wrong into a flag; only when the flag is up
 * does it look for the row (and whether anybody wants it). Decimals multiply in 64 bits while the batch's values allow it:
 * the highest bits in use are or-ed up first, which costs less than a check per row. */
#include "exec/func.h"

#include "arrow/value.h"
#include "func/arith/interval.h"

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
    fl_status st = FL_FAIL(err, FL_ERR_RANGE, "%s is out of range for type %s", text.data == NULL ? "result" : text.data,
                           FL_TYPE_NAME(call->ret->type));
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

/* Narrow types compute in a wider one and see what is lost; 64 bits look at the carry. */
#define NARROW(name, type, wide, op, sign)                                                        \
    static fl_status name(fl_call *call, fl_err *err)                                             \
    {                                                                                             \
        const type *a = call->args[0].data, *b = call->args[1].data;                              \
        type *ret = (type *)(uintptr_t)call->ret->data;                                           \
        wide bad = 0;                                                                             \
        for (int32_t row = 0; row < call->rows; row++) {                                          \
            wide r = (wide)a[row] op (wide)b[row];                                                \
            ret[row] = (type)r;                                                                   \
            bad |= r ^ (wide)(type)r;                                                             \
        }                                                                                         \
        if (bad == 0)                                                                             \
            return FL_OK;                                                                         \
        for (int32_t row = 0; row < call->rows; row++) {                                          \
            wide r = (wide)a[row] op (wide)b[row];                                                \
            if (r != (wide)(type)r && fl_call_wants(call, row))                                   \
                return fail_overflow(call, row, sign, err);                                       \
        }                                                                                         \
        return FL_OK;                                                                             \
    }
#define NARROW3(suffix, type, wide)                 \
    NARROW(add_##suffix, type, wide, +, "+")        \
    NARROW(sub_##suffix, type, wide, -, "-")        \
    NARROW(mul_##suffix, type, wide, *, "*")
NARROW3(i8, int8_t, int32_t)
NARROW3(i16, int16_t, int32_t)
NARROW3(i32, int32_t, int64_t)
NARROW3(u8, uint8_t, int32_t)
NARROW3(u16, uint16_t, int64_t)
NARROW3(u32, uint32_t, int64_t)

#define WIDE(name, type, builtin, sign)                                                           \
    static fl_status name(fl_call *call, fl_err *err)                                             \
    {                                                                                             \
        const type *a = call->args[0].data, *b = call->args[1].data;                              \
        type *ret = (type *)(uintptr_t)call->ret->data;                                           \
        bool bad = false;                                                                         \
        for (int32_t row = 0; row < call->rows; row++)                                            \
            bad |= builtin(a[row], b[row], &ret[row]);                                            \
        for (int32_t row = 0; bad && row < call->rows; row++)                                     \
            if (builtin(a[row], b[row], &ret[row]) && fl_call_wants(call, row))                   \
                return fail_overflow(call, row, sign, err);                                       \
        return FL_OK;                                                                             \
    }
WIDE(add_i64, int64_t, __builtin_add_overflow, "+")
WIDE(sub_i64, int64_t, __builtin_sub_overflow, "-")
WIDE(mul_i64_checked, int64_t, __builtin_mul_overflow, "*")
WIDE(add_u64, uint64_t, __builtin_add_overflow, "+")
WIDE(sub_u64, uint64_t, __builtin_sub_overflow, "-")
WIDE(mul_u64, uint64_t, __builtin_mul_overflow, "*")

/* Bits that the values of a vector need, without the sign: the or of all of them tells. */
static int bits_used(const int64_t *x, int32_t rows)
{
    uint64_t all = 0;
    for (int32_t row = 0; row < rows; row++)
        all |= (uint64_t)(x[row] ^ (x[row] >> 63));
    return all == 0 ? 0 : 64 - __builtin_clzll(all);
}

static fl_status mul_i64(fl_call *call, fl_err *err)
{
    const int64_t *a = fl_arg_i64(call, 0), *b = fl_arg_i64(call, 1);
    int64_t *ret = fl_ret_i64(call);
    if (bits_used(a, call->rows) + bits_used(b, call->rows) > 62)
        return mul_i64_checked(call, err);
    for (int32_t row = 0; row < call->rows; row++)
        ret[row] = a[row] * b[row];
    return FL_OK;
}

#define DIVIDE(suffix, type, is_signed)                                                           \
    static fl_status div_##suffix(fl_call *call, fl_err *err)                                     \
    {                                                                                             \
        const type *a = call->args[0].data, *b = call->args[1].data;                              \
        type *ret = (type *)(uintptr_t)call->ret->data;                                           \
        for (int32_t row = 0; row < call->rows; row++) {                                          \
            if (!fl_call_wants(call, row))                                                        \
                continue;                                                                         \
            if (b[row] == 0)                                                                      \
                return fail_division(err);                                                        \
            if ((is_signed) && b[row] == (type)-1) {                                              \
                if (__builtin_sub_overflow((type)0, a[row], &ret[row]))                           \
                    return fail_overflow(call, row, "/", err);                                    \
            } else {                                                                              \
                ret[row] = (type)(a[row] / b[row]);                                               \
            }                                                                                     \
        }                                                                                         \
        return FL_OK;                                                                             \
    }                                                                                             \
    static fl_status mod_##suffix(fl_call *call, fl_err *err)                                     \
    {                                                                                             \
        const type *a = call->args[0].data, *b = call->args[1].data;                              \
        type *ret = (type *)(uintptr_t)call->ret->data;                                           \
        for (int32_t row = 0; row < call->rows; row++) {                                          \
            if (!fl_call_wants(call, row))                                                        \
                continue;                                                                         \
            if (b[row] == 0)                                                                      \
                return fail_division(err);                                                        \
            ret[row] = (is_signed) && b[row] == (type)-1 ? 0 : (type)(a[row] % b[row]);           \
        }                                                                                         \
        return FL_OK;                                                                             \
    }
DIVIDE(i8, int8_t, true)
DIVIDE(i16, int16_t, true)
DIVIDE(i32, int32_t, true)
DIVIDE(i64, int64_t, true)
DIVIDE(u8, uint8_t, false)
DIVIDE(u16, uint16_t, false)
DIVIDE(u32, uint32_t, false)
DIVIDE(u64, uint64_t, false)

#define NEGATE(suffix, type)                                                                      \
    static fl_status neg_##suffix(fl_call *call, fl_err *err)                                     \
    {                                                                                             \
        const type *a = call->args[0].data;                                                       \
        type *ret = (type *)(uintptr_t)call->ret->data;                                           \
        for (int32_t row = 0; row < call->rows; row++)                                            \
            if (__builtin_sub_overflow((type)0, a[row], &ret[row]) && fl_call_wants(call, row))   \
                return fail_overflow(call, row, "-", err);                                        \
        return FL_OK;                                                                             \
    }
NEGATE(i8, int8_t)
NEGATE(i16, int16_t)
NEGATE(i32, int32_t)
NEGATE(i64, int64_t)

/* ---- floats ------------------------------------------------------------------------------------------------------- */

#define FLOAT(suffix, type, name, op, sign)                                                       \
    static fl_status name##_##suffix(fl_call *call, fl_err *err)                                  \
    {                                                                                             \
        const type *a = call->args[0].data, *b = call->args[1].data;                              \
        type *ret = (type *)(uintptr_t)call->ret->data;                                           \
        int bad = 0;                                                                              \
        for (int32_t row = 0; row < call->rows; row++) {                                          \
            ret[row] = a[row] op b[row];                                                          \
            bad |= !(ret[row] - ret[row] == 0); /* not finite */                                  \
        }                                                                                         \
        for (int32_t row = 0; bad && row < call->rows; row++)                                     \
            if (isinf(ret[row]) && isfinite(a[row]) && isfinite(b[row]) && fl_call_wants(call, row)) \
                return fail_overflow(call, row, sign, err);                                       \
        return FL_OK;                                                                             \
    }
#define FLOATS(suffix, type, fmod_fn)                                                             \
    FLOAT(suffix, type, add, +, "+")                                                              \
    FLOAT(suffix, type, sub, -, "-")                                                              \
    FLOAT(suffix, type, mul, *, "*")                                                              \
    static fl_status div_##suffix(fl_call *call, fl_err *err)                                     \
    {                                                                                             \
        const type *a = call->args[0].data, *b = call->args[1].data;                              \
        type *ret = (type *)(uintptr_t)call->ret->data;                                           \
        int bad = 0;                                                                              \
        for (int32_t row = 0; row < call->rows; row++) {                                          \
            ret[row] = a[row] / b[row];                                                           \
            bad |= b[row] == 0 || !(ret[row] - ret[row] == 0);                                    \
        }                                                                                         \
        for (int32_t row = 0; bad && row < call->rows; row++) {                                   \
            if (!fl_call_wants(call, row))                                                        \
                continue;                                                                         \
            if (b[row] == 0 && !isnan(a[row]))                                                    \
                return fail_division(err);                                                        \
            if (isinf(ret[row]) && isfinite(a[row]) && isfinite(b[row]))                          \
                return fail_overflow(call, row, "/", err);                                        \
        }                                                                                         \
        return FL_OK;                                                                             \
    }                                                                                             \
    static fl_status mod_##suffix(fl_call *call, fl_err *err)                                     \
    {                                                                                             \
        const type *a = call->args[0].data, *b = call->args[1].data;                              \
        type *ret = (type *)(uintptr_t)call->ret->data;                                           \
        for (int32_t row = 0; row < call->rows; row++) {                                          \
            if (b[row] == 0 && fl_call_wants(call, row))                                          \
                return fail_division(err);                                                        \
            ret[row] = fmod_fn(a[row], b[row]);                                                   \
        }                                                                                         \
        return FL_OK;                                                                             \
    }                                                                                             \
    static fl_status neg_##suffix(fl_call *call, fl_err *err)                                     \
    {                                                                                             \
        (void)err;                                                                                \
        const type *a = call->args[0].data;                                                       \
        for (int32_t row = 0; row < call->rows; row++)                                            \
            ((type *)(uintptr_t)call->ret->data)[row] = -a[row];                                  \
        return FL_OK;                                                                             \
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

/* In 64 bits where the values in use leave room for the result and for its precision. */
#define DECIMAL(name, sign, builtin, op, bits_of_result)                                          \
    static fl_status name(fl_call *call, fl_err *err)                                             \
    {                                                                                             \
        const fl_vec *va = &call->args[0], *vb = &call->args[1];                                  \
        if (va->width == 8 && vb->width == 8) {                                                   \
            const int64_t *a = va->data, *b = vb->data;                                           \
            int bits_a = bits_used(a, call->rows), bits_b = bits_used(b, call->rows);             \
            int bits = bits_of_result;                                                            \
            int p = call->ret->type.precision;                                                    \
            if (bits <= 62 && (p >= 19 || bits <= (p * 3321) / 1000)) { /* 10^p > 2^(3.321 p) */ \
                int64_t *ret = fl_ret_i64(call);                                                  \
                for (int32_t row = 0; row < call->rows; row++)                                    \
                    ret[row] = a[row] op b[row];                                                  \
                call->ret->width = 8;                                                             \
                return FL_OK;                                                                     \
            }                                                                                     \
        }                                                                                         \
        DECIMAL_WIDE(call, sign, builtin);                                                        \
    }
DECIMAL(add_decimal, "+", __builtin_add_overflow, +, (bits_a > bits_b ? bits_a : bits_b) + 1)
DECIMAL(sub_decimal, "-", __builtin_sub_overflow, -, (bits_a > bits_b ? bits_a : bits_b) + 1)
DECIMAL(mul_decimal, "*", __builtin_mul_overflow, *, bits_a + bits_b)

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
    if (a->width == 8) {
        for (int32_t row = 0; row < call->rows; row++)
            fl_ret_i64(call)[row] = -((const int64_t *)a->data)[row];
        call->ret->width = 8;
        return FL_OK;
    }
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_i128(call)[row] = -((const fl_i128 *)a->data)[row];
    return FL_OK;
}

/* ---- resolution --------------------------------------------------------------------------------------------------- */

#define BY_TYPE(name)                                                                             \
    {[FL_I8] = name##_i8, [FL_I16] = name##_i16, [FL_I32] = name##_i32, [FL_I64] = name##_i64,    \
     [FL_U8] = name##_u8, [FL_U16] = name##_u16, [FL_U32] = name##_u32, [FL_U64] = name##_u64,    \
     [FL_F32] = name##_f32, [FL_F64] = name##_f64}

static const fl_func_run adds[FL_TYPE_COUNT] = BY_TYPE(add), subs[FL_TYPE_COUNT] = BY_TYPE(sub);
static const fl_func_run muls[FL_TYPE_COUNT] = BY_TYPE(mul), divs[FL_TYPE_COUNT] = BY_TYPE(div), mods[FL_TYPE_COUNT] = BY_TYPE(mod);

static fl_type as_decimal(fl_type t)
{
    return t.id == FL_DECIMAL ? t : FL_TYPE_DECIMAL(fl_type_int_digits(t), 0);
}

static int min_int(int a, int b) { return a < b ? a : b; }
static int max_int(int a, int b) { return a > b ? a : b; }

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

static fl_status resolve(char sign, const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_type a = n_args > 0 ? args[0] : FL_TYPE(FL_NULL), b = n_args > 1 ? args[1] : FL_TYPE(FL_NULL), common;
    const fl_func_run *runs = sign == '+' ? adds : sign == '-' ? subs : sign == '*' ? muls : sign == '/' ? divs : mods;
    ret->traits |= FL_CAN_FAIL;
    if (n_args == 1 && (sign == '-' || sign == '+')) {
        static const fl_func_run negs[FL_TYPE_COUNT] = {[FL_I8] = neg_i8, [FL_I16] = neg_i16, [FL_I32] = neg_i32,
                                                        [FL_I64] = neg_i64, [FL_F32] = neg_f32, [FL_F64] = neg_f64,
                                                        [FL_DECIMAL] = neg_decimal, [FL_INTERVAL] = fl_interval_negate};
        static const uint8_t signed_of[] = {[FL_U8] = FL_I16, [FL_U16] = FL_I32, [FL_U32] = FL_I64, [FL_U64] = FL_DECIMAL};
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

static bool is_whole(const fl_bounds *args, const fl_type *types, int32_t n_args)
{
    return n_args == 2 && args[0].is_known && args[1].is_known && fl_type_is_integer(types[0]) && fl_type_is_integer(types[1]);
}

static fl_bounds bounds_add(const fl_bounds *args, const fl_type *types, int32_t n_args)
{
    return is_whole(args, types, n_args) ? (fl_bounds){true, args[0].low + args[1].low, args[0].high + args[1].high} : (fl_bounds){0};
}

static fl_bounds bounds_sub(const fl_bounds *args, const fl_type *types, int32_t n_args)
{
    return is_whole(args, types, n_args) ? (fl_bounds){true, args[0].low - args[1].high, args[0].high - args[1].low} : (fl_bounds){0};
}

/* A remainder is nearer to zero than the divisor, and has the dividend's sign. */
static fl_bounds bounds_mod(const fl_bounds *args, const fl_type *types, int32_t n_args)
{
    if (n_args != 2 || !args[1].is_known || !fl_type_is_integer(types[0]) || !fl_type_is_integer(types[1]))
        return (fl_bounds){0};
    fl_i128 below = args[1].low < 0 ? -args[1].low : args[1].low, above = args[1].high < 0 ? -args[1].high : args[1].high;
    fl_i128 far = (below > above ? below : above) - 1;
    fl_bounds ret = {far >= 0, -far, far};
    if (args[0].is_known && args[0].low >= -far)
        ret.low = args[0].low < 0 ? args[0].low : 0;
    if (args[0].is_known && args[0].high <= far)
        ret.high = args[0].high > 0 ? args[0].high : 0;
    return ret;
}

/* ---- the functions ------------------------------------------------------------------------------------------------ */

#define RESOLVE(name, sign)                                                                               \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                     \
        return resolve(sign, args, n_args, ret, err);                                                     \
    }
RESOLVE(add, '+')
RESOLVE(sub, '-')
RESOLVE(mul, '*')
RESOLVE(div, '/')
RESOLVE(mod, '%')

#define ARITH(sign, op, bounds_of, text)                                                                     \
    {FL_DESC(fl_func_desc), .name = sign, .traits = FL_PURE | FL_NULL_GIVES_NULL, .resolve = resolve_##op,   \
     .bounds = bounds_of, .doc = text}

static const fl_func_desc funcs[] = {
    ARITH("+", add, bounds_add, "a + b: numbers, date + days, date or timestamp + interval"),
    ARITH("-", sub, bounds_sub, "a - b: numbers, dates, timestamps, intervals; -a"),
    ARITH("*", mul, NULL, "a * b: numbers, interval * number"),
    ARITH("/", div, NULL, "a / b: integers give an integer, decimals a double; interval / number"),
    ARITH("%", mod, bounds_mod, "a % b: the remainder, with the sign of a"),
    ARITH("mod", mod, bounds_mod, "mod(a, b): the remainder, with the sign of a"),
};

FL_FUNC_SET(arith, funcs);
