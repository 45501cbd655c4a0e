/* What the functions of numbers share: kernels over doubles from one expression, decimal results, their errors. */
#ifndef FL_FUNC_MATH_MATH_H
#define FL_FUNC_MATH_MATH_H

#include "exec/func.h"

#include <math.h>

#define FL_MATH_TRAITS (FL_PURE | FL_NULL_GIVES_NULL)

#define FL_MATH_FUNC(name_, doc_, ...)                     \
    {FL_DESC(fl_func_desc),                                \
     .name = name_,                                        \
     .traits = FL_MATH_TRAITS,                             \
     .doc = doc_,                                          \
     .overloads = (const fl_func_overload[]){__VA_ARGS__}, \
     .n_overloads = (int32_t)(sizeof((const fl_func_overload[]){__VA_ARGS__}) / sizeof(fl_func_overload))}

/* A kernel of one double, x, that cannot fail. */
#define FL_MATH_F64(name, expression)                    \
    static fl_status name(fl_call *call, fl_err *err)    \
    {                                                    \
        (void)err;                                       \
        const double *from = fl_arg_f64(call, 0);        \
        double *ret = fl_ret_f64(call);                  \
        for (int32_t row = 0; row < call->rows; row++) { \
            double x = from[row];                        \
            ret[row] = (expression);                     \
        }                                                \
        return FL_OK;                                    \
    }

/* A kernel of one double, x, that fails where `bad` holds (r is the result). */
#define FL_MATH_F64_CHECKED(name, expression, bad, failure) \
    static fl_status name(fl_call *call, fl_err *err)       \
    {                                                       \
        const double *from = fl_arg_f64(call, 0);           \
        double *ret = fl_ret_f64(call);                     \
        for (int32_t row = 0; row < call->rows; row++) {    \
            double x = from[row], r = (expression);         \
            ret[row] = r;                                   \
            if ((bad) && fl_call_wants(call, row))          \
                return failure;                             \
        }                                                   \
        return FL_OK;                                       \
    }

static inline fl_status fl_math_fail_range(fl_err *err, const char *name, double x)
{
    return FL_FAIL(err, FL_ERR_RANGE, "%s(%g) is out of range", name, x);
}

/** Writes a decimal in the width of the result's type. */
static inline void fl_math_put_decimal(fl_call *call, int32_t row, fl_i128 value)
{
    if (call->ret->width == 16)
        fl_ret_i128(call)[row] = value;
    else
        fl_ret_i64(call)[row] = (int64_t)value;
}

#endif
