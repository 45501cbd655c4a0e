/* Roots, powers, logarithms, over doubles; arguments out of their domain are errors, as in PostgreSQL. */
#include "func/math/math.h"

static fl_status fail_root(fl_err *err)
{
    return fl_err_state(err, "2201F", FL_FAIL(err, FL_ERR_VALUE, "the square root of a negative number is not real"));
}

static fl_status fail_log(fl_err *err, double x)
{
    return fl_err_state(
        err, "2201E", FL_FAIL(err, FL_ERR_VALUE, "there is no logarithm of %s", x == 0 ? "zero" : "a negative number"));
}

FL_MATH_F64_CHECKED(root2, sqrt(x), x < 0, fail_root(err))
FL_MATH_F64(root3, cbrt(x))
FL_MATH_F64_CHECKED(exponential, exp(x), (isinf(r) && !isinf(x)) || (r == 0 && !isinf(x)),
                    fl_math_fail_range(err, "exp", x))
FL_MATH_F64_CHECKED(log_e, log(x), x <= 0, fail_log(err, x))
FL_MATH_F64_CHECKED(log_10, log10(x), x <= 0, fail_log(err, x))
FL_MATH_F64_CHECKED(log_2, log2(x), x <= 0, fail_log(err, x))

static fl_status log_base(fl_call *call, fl_err *err)
{
    const double *base = fl_arg_f64(call, 0), *x = fl_arg_f64(call, 1);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_f64(call)[row] = base[row] == 10  ? log10(x[row])
                                : base[row] == 2 ? log2(x[row])
                                                 : log(x[row]) / log(base[row]);
        if (!fl_call_wants(call, row))
            continue;
        if (base[row] <= 0 || x[row] <= 0)
            return fail_log(err, base[row] <= 0 ? base[row] : x[row]);
        if (base[row] == 1)
            return FL_FAIL(err, FL_ERR_DIVISION, "there is no logarithm to base 1");
    }
    return FL_OK;
}

static fl_status power(fl_call *call, fl_err *err)
{
    const double *a = fl_arg_f64(call, 0), *b = fl_arg_f64(call, 1);
    double *ret = fl_ret_f64(call);
    for (int32_t row = 0; row < call->rows; row++) {
        double x = a[row], y = b[row], r = pow(x, y);
        ret[row] = r;
        if (isfinite(r) && r != 0)
            continue;
        if (!isfinite(x) || !isfinite(y) || !fl_call_wants(call, row))
            continue;
        if (x == 0 && y < 0)
            return fl_err_state(err, "2201F", FL_FAIL(err, FL_ERR_VALUE, "zero to a negative power is not defined"));
        if (x < 0 && y != floor(y))
            return fl_err_state(err, "2201F",
                                FL_FAIL(err, FL_ERR_VALUE, "a negative number to a power with a fraction is not real"));
        if (x != 0)
            return FL_FAIL(err, FL_ERR_RANGE, "%g to the power of %g is out of range", x, y);
    }
    return FL_OK;
}

#define ONE FL_ARGS(FL_F64), FL_F64
#define TWO FL_ARGS(FL_F64, FL_F64), FL_F64

static const fl_func_desc funcs[] = {
    FL_MATH_FUNC("sqrt", "sqrt(x): square root", {ONE, FL_CAN_FAIL, root2}),
    FL_MATH_FUNC("cbrt", "cbrt(x): cube root", {ONE, 0, root3}),
    FL_MATH_FUNC("exp", "exp(x): e to the power of x", {ONE, FL_CAN_FAIL, exponential}),
    FL_MATH_FUNC("ln", "ln(x): natural logarithm", {ONE, FL_CAN_FAIL, log_e}),
    FL_MATH_FUNC("log", "log(x): logarithm to base 10; log(b, x): to base b", {ONE, FL_CAN_FAIL, log_10},
                 {TWO, FL_CAN_FAIL, log_base}),
    FL_MATH_FUNC("log10", "log10(x): logarithm to base 10", {ONE, FL_CAN_FAIL, log_10}),
    FL_MATH_FUNC("log2", "log2(x): logarithm to base 2", {ONE, FL_CAN_FAIL, log_2}),
    FL_MATH_FUNC("power", "power(a, b): a to the power of b", {TWO, FL_CAN_FAIL, power}),
    FL_MATH_FUNC("pow", "pow(a, b): as power", {TWO, FL_CAN_FAIL, power}),
    FL_MATH_FUNC("^", "a ^ b: a to the power of b", {TWO, FL_CAN_FAIL, power}),
};

FL_FUNC_SET(power, funcs);
