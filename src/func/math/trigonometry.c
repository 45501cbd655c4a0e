/* Trigonometric and hyperbolic functions in radians, and degrees, radians, pi. */
#include "func/math/math.h"

#define PI 3.14159265358979323846

/* Periodic functions have no value at infinity, inverse ones outside their range. */
#define PERIODIC(name, expression) \
    FL_MATH_F64_CHECKED(name##_f64, expression, isinf(x), fl_math_fail_range(err, #name, x))
PERIODIC(sin, sin(x))
PERIODIC(cos, cos(x))
PERIODIC(tan, tan(x))
PERIODIC(cot, 1 / tan(x))
FL_MATH_F64_CHECKED(asin_f64, asin(x), fabs(x) > 1, fl_math_fail_range(err, "asin", x))
FL_MATH_F64_CHECKED(acos_f64, acos(x), fabs(x) > 1, fl_math_fail_range(err, "acos", x))
FL_MATH_F64_CHECKED(acosh_f64, acosh(x), x < 1, fl_math_fail_range(err, "acosh", x))
FL_MATH_F64_CHECKED(atanh_f64, atanh(x), fabs(x) > 1, fl_math_fail_range(err, "atanh", x))
FL_MATH_F64_CHECKED(degrees_f64, x / (PI / 180), isinf(r) && !isinf(x), fl_math_fail_range(err, "degrees", x))
FL_MATH_F64(radians_f64, x *(PI / 180))
FL_MATH_F64(atan_f64, atan(x))
FL_MATH_F64(sinh_f64, sinh(x))
FL_MATH_F64(cosh_f64, cosh(x))
FL_MATH_F64(tanh_f64, tanh(x))
FL_MATH_F64(asinh_f64, asinh(x))

static fl_status atan2_f64(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_f64(call)[row] = atan2(fl_arg_f64(call, 0)[row], fl_arg_f64(call, 1)[row]);
    return FL_OK;
}

static fl_status pi_f64(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_f64(call)[row] = PI;
    return FL_OK;
}

#define ONE(name, traits, doc) FL_MATH_FUNC(#name, doc, {FL_ARGS(FL_F64), FL_F64, traits, name##_f64})

static const fl_func_desc funcs[] = {
    ONE(sin, FL_CAN_FAIL, "sin(x): sine"),
    ONE(cos, FL_CAN_FAIL, "cos(x): cosine"),
    ONE(tan, FL_CAN_FAIL, "tan(x): tangent"),
    ONE(cot, FL_CAN_FAIL, "cot(x): cotangent"),
    ONE(asin, FL_CAN_FAIL, "asin(x): arc sine"),
    ONE(acos, FL_CAN_FAIL, "acos(x): arc cosine"),
    ONE(atan, 0, "atan(x): arc tangent"),
    ONE(sinh, 0, "sinh(x): hyperbolic sine"),
    ONE(cosh, 0, "cosh(x): hyperbolic cosine"),
    ONE(tanh, 0, "tanh(x): hyperbolic tangent"),
    ONE(asinh, 0, "asinh(x): inverse hyperbolic sine"),
    ONE(acosh, FL_CAN_FAIL, "acosh(x): inverse hyperbolic cosine"),
    ONE(atanh, FL_CAN_FAIL, "atanh(x): inverse hyperbolic tangent"),
    ONE(degrees, FL_CAN_FAIL, "degrees(x): radians as degrees"),
    ONE(radians, 0, "radians(x): degrees as radians"),
    FL_MATH_FUNC("atan2", "atan2(y, x): the angle of the point (x, y)",
                 {FL_ARGS(FL_F64, FL_F64), FL_F64, 0, atan2_f64}),
    FL_MATH_FUNC("pi", "pi(): the circumference of a circle of diameter 1", {FL_ARGS(), FL_F64, 0, pi_f64}),
};

FL_FUNC_SET(trigonometry, funcs);
