/* Doubles as they are stored, and functions of theirs that few need: isnan, isinf, isfinite, signbit, nextafter, gamma, lgamma, factorial, binom,
 * even, fmod, fdiv. */
#include "func/math/math.h"

#include "base/datetime.h"

/* ---- tests --------------------------------------------------------------------------------------------------------- */

#define TEST(name, arg, x_type, condition)                   \
    static fl_status name(fl_call *call, fl_err *err)        \
    {                                                        \
        (void)err;                                           \
        for (int32_t row = 0; row < call->rows; row++) {     \
            x_type x = fl_arg_##arg(call, 0)[row];           \
            fl_bit_put(fl_ret_bits(call), row, (condition)); \
        }                                                    \
        return FL_OK;                                        \
    }
TEST(isnan_f32, f32, float, isnan(x))
TEST(isnan_f64, f64, double, isnan(x))
TEST(isinf_f32, f32, float, isinf(x))
TEST(isinf_f64, f64, double, isinf(x))
TEST(isinf_date, i32, int32_t, !fl_date_is_finite(x))
TEST(isinf_stamp, i64, int64_t, !fl_timestamp_is_finite(x))
TEST(isfinite_f32, f32, float, isfinite(x))
TEST(isfinite_f64, f64, double, isfinite(x))
TEST(isfinite_date, i32, int32_t, fl_date_is_finite(x))
TEST(isfinite_stamp, i64, int64_t, fl_timestamp_is_finite(x))
TEST(signbit_f32, f32, float, signbit(x) != 0)
TEST(signbit_f64, f64, double, signbit(x) != 0)

/* ---- functions of one double ---------------------------------------------------------------------------------------- */

/* Away from zero to the next even number. */
static double even_of(double x)
{
    double up = x >= 0 ? ceil(x) : ceil(-x);
    if (fmod(up, 2) != 0)
        up += 1;
    return x >= 0 ? up : -up;
}

FL_MATH_F64(even, even_of(x))
/* Of zero and of negative whole numbers there is none. */
FL_MATH_F64_CHECKED(gamma_of, tgamma(x), (isinf(r) || isnan(r)) && isfinite(x), fl_math_fail_range(err, "gamma", x))

/* The library's lgamma writes a sign to a variable of the process. */
static double lgamma_of(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

FL_MATH_F64_CHECKED(log_gamma, lgamma_of(x), isinf(r) && !isinf(x), fl_math_fail_range(err, "lgamma", x))

/* 33! is the greatest that has 38 digits or fewer. */
#define FACTORIAL_MAX 33

static fl_status factorial(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        int32_t x = fl_arg_i32(call, 0)[row];
        fl_i128 product = 1;
        for (int32_t i = 2; i <= x && i <= FACTORIAL_MAX; i++)
            product *= i;
        fl_math_put_decimal(call, row, product);
        if ((x < 0 || x > FACTORIAL_MAX) && fl_call_wants(call, row))
            return FL_FAIL(err, FL_ERR_RANGE, "factorial(%d) is not in 0! to %d!", x, FACTORIAL_MAX);
    }
    return FL_OK;
}

/* The number of ways to choose k of n: each product is a whole number of ways, so that the division leaves no rest. */
static fl_status binom(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t n = fl_arg_i32(call, 0)[row], k = fl_arg_i32(call, 1)[row];
        fl_i128 ways = k > n ? 0 : 1;
        bool fits = n >= 0 && k >= 0;
        k = k > n - k ? n - k : k;
        for (int64_t i = 1; i <= k && fits; i++) {
            fits = !__builtin_mul_overflow(ways, (fl_i128)(n - k + i), &ways);
            ways /= i;
            fits &= ways < fl_pow10_i128[38];
        }
        fl_math_put_decimal(call, row, fits ? ways : 0);
        if (!fits && fl_call_wants(call, row))
            return FL_FAIL(err, FL_ERR_RANGE, "binom(%d, %d) is out of range", fl_arg_i32(call, 0)[row],
                           fl_arg_i32(call, 1)[row]);
    }
    return FL_OK;
}

static fl_status resolve_wide(const fl_type *args, int32_t n_args, int32_t n_wanted, fl_func_run run,
                              fl_func_choice *ret, fl_err *err)
{
    for (int32_t i = 0; i < n_args; i++)
        if (n_args != n_wanted || (args[i].id != FL_NULL && !fl_cast_is_implicit(args[i], FL_TYPE(FL_I32), NULL)))
            return FL_FAIL(err, FL_ERR_FUNCTION, "integers were expected");
    if (n_args != n_wanted)
        return FL_FAIL(err, FL_ERR_FUNCTION, "integers were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_I32), FL_TYPE(FL_I32)},
                            .n_args = n_args,
                            .ret = FL_TYPE_DECIMAL(38, 0),
                            .traits = FL_CAN_FAIL,
                            .run = run};
    return FL_OK;
}

static fl_status resolve_factorial(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_wide(args, n_args, 1, factorial, ret, err);
}

static fl_status resolve_binom(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_wide(args, n_args, 2, binom, ret, err);
}

/* ---- functions of two ---------------------------------------------------------------------------------------------- */

static fl_status nextafter_f32(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        ((float *)(uintptr_t)call->ret->data)[row] = nextafterf(fl_arg_f32(call, 0)[row], fl_arg_f32(call, 1)[row]);
    return FL_OK;
}

static fl_status nextafter_f64(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_f64(call)[row] = nextafter(fl_arg_f64(call, 0)[row], fl_arg_f64(call, 1)[row]);
    return FL_OK;
}

/* floor(x / y), and what is left of x then. */
static fl_status floor_division(fl_call *call, bool wants_rest, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        double x = fl_arg_f64(call, 0)[row], y = fl_arg_f64(call, 1)[row], whole = floor(x / y);
        fl_ret_f64(call)[row] = wants_rest ? x - y * whole : whole;
        if (y == 0 && fl_call_wants(call, row)) {
            fl_status st = FL_FAIL(err, FL_ERR_DIVISION, "division by zero");
            fl_err_hint(err, "NULLIF(divisor, 0) gives NULL instead");
            return st;
        }
    }
    return FL_OK;
}

static fl_status floor_quotient(fl_call *call, fl_err *err)
{
    return floor_division(call, false, err);
}

static fl_status floor_rest(fl_call *call, fl_err *err)
{
    return floor_division(call, true, err);
}

/* ---- descriptors --------------------------------------------------------------------------------------------------- */

#define TIMES(run)                                                                                       \
    {FL_ARGS(FL_DATE), FL_BOOL, 0, run##_date}, {FL_ARGS(FL_TIMESTAMP), FL_BOOL, FL_NANOS, run##_stamp}, \
    {                                                                                                    \
        FL_ARGS(FL_TIMESTAMPTZ), FL_BOOL, FL_NANOS, run##_stamp                                          \
    }

static const fl_func_desc funcs[] = {
    FL_MATH_FUNC("isnan", "isnan(x): whether x is NaN", {FL_ARGS(FL_F32), FL_BOOL, 0, isnan_f32},
                 {FL_ARGS(FL_F64), FL_BOOL, 0, isnan_f64}),
    FL_MATH_FUNC("isinf", "isinf(x): whether x is infinite", {FL_ARGS(FL_F32), FL_BOOL, 0, isinf_f32},
                 {FL_ARGS(FL_F64), FL_BOOL, 0, isinf_f64}, TIMES(isinf)),
    FL_MATH_FUNC("isfinite", "isfinite(x): whether x is neither infinite nor NaN",
                 {FL_ARGS(FL_F32), FL_BOOL, 0, isfinite_f32}, {FL_ARGS(FL_F64), FL_BOOL, 0, isfinite_f64},
                 TIMES(isfinite)),
    FL_MATH_FUNC("signbit", "signbit(x): whether x has a minus sign, as -0 and some NaN do",
                 {FL_ARGS(FL_F32), FL_BOOL, 0, signbit_f32}, {FL_ARGS(FL_F64), FL_BOOL, 0, signbit_f64}),
    FL_MATH_FUNC("even", "even(x): rounded away from zero to an even number", {FL_ARGS(FL_F64), FL_F64, 0, even}),
    FL_MATH_FUNC("gamma", "gamma(x): the gamma function, (x - 1)! of whole numbers",
                 {FL_ARGS(FL_F64), FL_F64, FL_CAN_FAIL, gamma_of}),
    FL_MATH_FUNC("lgamma", "lgamma(x): the logarithm of the gamma function's magnitude",
                 {FL_ARGS(FL_F64), FL_F64, FL_CAN_FAIL, log_gamma}),
    {FL_DESC(fl_func_desc), .name = "factorial", .traits = FL_MATH_TRAITS, .resolve = resolve_factorial,
     .signature = "factorial(integer) → decimal(38,0)", .doc = "factorial(n): the product of 1 to n"},
    {FL_DESC(fl_func_desc), .name = "binom", .traits = FL_MATH_TRAITS, .resolve = resolve_binom,
     .signature = "binom(integer, integer) → decimal(38,0)", .doc = "binom(n, k): the number of ways to choose k of n"},
    FL_MATH_FUNC("nextafter", "nextafter(x, y): the number next to x on the way to y",
                 {FL_ARGS(FL_F32, FL_F32), FL_F32, 0, nextafter_f32},
                 {FL_ARGS(FL_F64, FL_F64), FL_F64, 0, nextafter_f64}),
    FL_MATH_FUNC("fdiv", "fdiv(x, y): the whole number at or below x / y",
                 {FL_ARGS(FL_F64, FL_F64), FL_F64, FL_CAN_FAIL, floor_quotient}),
    FL_MATH_FUNC("fmod", "fmod(x, y): x - y * fdiv(x, y)", {FL_ARGS(FL_F64, FL_F64), FL_F64, FL_CAN_FAIL, floor_rest}),
};

FL_FUNC_SET(special, funcs);
