/* Dates, times and intervals under + - * /. Months are added on the calendar, then days, then time (PostgreSQL's order). */
#include "func/arith/interval.h"

#include "base/datetime.h"
#include "base/simd.h"
#include "func/arith/kernel.h"

#include <math.h>

static fl_status fail_range(const char *what, fl_err *err)
{
    FL_FAIL(err, FL_ERR_RANGE, "%s out of range", what);
    return fl_err_state(err, "22008", FL_ERR_RANGE);
}

#define ROWS(call, row)                              \
    for (int32_t row = 0; row < (call)->rows; row++) \
        if (fl_call_wants((call), row))

static bool add_us(int64_t us, fl_interval v, int64_t sign, int64_t *ret)
{
    if (us == INT64_MAX || us == INT64_MIN) { /* infinity stays */
        *ret = us;
        return true;
    }
    int64_t days = fl_floor_div(us, FL_US_PER_DAY), rest = us - days * FL_US_PER_DAY, out;
    if (v.months != 0)
        days = fl_days_add_months(days, sign * v.months);
    days += sign * v.days;
    return !__builtin_mul_overflow(days, FL_US_PER_DAY, &out) && !__builtin_add_overflow(out, rest, &out) &&
           !__builtin_add_overflow(out, sign * (v.nanos / 1000), ret);
}

#define TIMESTAMP_INTERVAL(name, sign)                             \
    static fl_status name(fl_call *call, fl_err *err)              \
    {                                                              \
        const int64_t *x = fl_arg_i64(call, 0);                    \
        const fl_interval *v = fl_arg_interval(call, 1);           \
        ROWS(call, row)                                            \
        if (!add_us(x[row], v[row], sign, &fl_ret_i64(call)[row])) \
            return fail_range("timestamp", err);                   \
        return FL_OK;                                              \
    }
TIMESTAMP_INTERVAL(timestamp_add, 1)
TIMESTAMP_INTERVAL(timestamp_sub, -1)

static fl_status interval_add_timestamp(fl_call *call, fl_err *err)
{
    const fl_interval *v = fl_arg_interval(call, 0);
    const int64_t *x = fl_arg_i64(call, 1);
    ROWS(call, row)
    if (!add_us(x[row], v[row], 1, &fl_ret_i64(call)[row]))
        return fail_range("timestamp", err);
    return FL_OK;
}

static int64_t wrap_day(int64_t us)
{
    return us - fl_floor_div(us, FL_US_PER_DAY) * FL_US_PER_DAY;
}

static fl_status time_add(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_i64(call)[row] =
            wrap_day(fl_arg_i64(call, 0)[row] + fl_arg_interval(call, 1)[row].nanos / 1000 % FL_US_PER_DAY);
    return FL_OK;
}

static fl_status time_sub(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_i64(call)[row] =
            wrap_day(fl_arg_i64(call, 0)[row] - fl_arg_interval(call, 1)[row].nanos / 1000 % FL_US_PER_DAY);
    return FL_OK;
}

static fl_status time_minus_time(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_interval(call)[row] = (fl_interval){0, 0, (fl_arg_i64(call, 0)[row] - fl_arg_i64(call, 1)[row]) * 1000};
    return FL_OK;
}

/* The days after or before a date, in the order in which the call has them; see integers() in arith.c. */
#define DATE_INTEGER(name, op, builtin)                                                          \
    static fl_status name(fl_call *call, fl_err *err)                                            \
    {                                                                                            \
        const int32_t *a = fl_arg_i32(call, 0), *b = fl_arg_i32(call, 1);                        \
        int32_t *ret = fl_ret_i32(call);                                                         \
        if (!FL_SIMD_CHOOSE(fl_arith_kernels)->checked[op][FL_ARITH_I32](a, b, call->rows, ret)) \
            return FL_OK;                                                                        \
        ROWS(call, row)                                                                          \
        if (builtin(a[row], b[row], &ret[row]))                                                  \
            return fail_range("date", err);                                                      \
        return FL_OK;                                                                            \
    }
DATE_INTEGER(date_add_days, FL_ARITH_ADD, __builtin_add_overflow)
DATE_INTEGER(date_sub_days, FL_ARITH_SUB, __builtin_sub_overflow)

static fl_status date_minus_date(fl_call *call, fl_err *err)
{
    (void)err;
    const int32_t *x = fl_arg_i32(call, 0), *y = fl_arg_i32(call, 1);
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_i32(call)[row] = (int32_t)((uint32_t)x[row] - (uint32_t)y[row]);
    return FL_OK;
}

static fl_status date_add_time(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t us = fl_date_to_us(fl_arg_i32(call, 0)[row]), sum;
        bool is_finite =
            us != INT64_MAX && us != INT64_MIN && !__builtin_add_overflow(us, fl_arg_i64(call, 1)[row], &sum);
        fl_ret_i64(call)[row] = is_finite ? sum : us < 0 ? INT64_MIN : INT64_MAX;
    }
    return FL_OK;
}

static fl_status timestamp_minus_timestamp(fl_call *call, fl_err *err)
{
    const int64_t *x = fl_arg_i64(call, 0), *y = fl_arg_i64(call, 1);
    ROWS(call, row)
    {
        int64_t us, nanos;
        if (__builtin_sub_overflow(x[row], y[row], &us))
            return fail_range("interval", err);
        int64_t days = us / FL_US_PER_DAY; /* towards zero: -25 hours are -1 day -1 hour */
        nanos = (us - days * FL_US_PER_DAY) * 1000;
        if (days != (int32_t)days)
            return fail_range("interval", err);
        fl_ret_interval(call)[row] = (fl_interval){0, (int32_t)days, nanos};
    }
    return FL_OK;
}

#define INTERVAL_INTERVAL(name, op)                                                      \
    static fl_status name(fl_call *call, fl_err *err)                                    \
    {                                                                                    \
        const fl_interval *x = fl_arg_interval(call, 0), *y = fl_arg_interval(call, 1);  \
        ROWS(call, row)                                                                  \
        {                                                                                \
            fl_interval *ret = &fl_ret_interval(call)[row];                              \
            if (__builtin_##op##_overflow(x[row].months, y[row].months, &ret->months) || \
                __builtin_##op##_overflow(x[row].days, y[row].days, &ret->days) ||       \
                __builtin_##op##_overflow(x[row].nanos, y[row].nanos, &ret->nanos))      \
                return fail_range("interval", err);                                      \
        }                                                                                \
        return FL_OK;                                                                    \
    }
INTERVAL_INTERVAL(interval_add, add)
INTERVAL_INTERVAL(interval_sub, sub)

/* Fractions of months become days of 30, fractions of days become time. */
static bool scale(fl_interval v, double by, fl_interval *ret)
{
    double months = v.months * by, whole_months = trunc(months);
    double days = v.days * by + (months - whole_months) * 30, whole_days = trunc(days);
    double nanos = (double)v.nanos * by + round((days - whole_days) * 86400e6) * 1000;
    if (!(fabs(whole_months) < 2147483648.0 && fabs(whole_days) < 2147483648.0 && fabs(nanos) < 9.2e18))
        return false;
    *ret = (fl_interval){(int32_t)whole_months, (int32_t)whole_days, (int64_t)(round(nanos / 1000) * 1000)};
    return true;
}

#define SCALED(name, interval, number, by)                                          \
    static fl_status name(fl_call *call, fl_err *err)                               \
    {                                                                               \
        const fl_interval *v = fl_arg_interval(call, interval);                     \
        const double *x = fl_arg_f64(call, number);                                 \
        ROWS(call, row)                                                             \
        {                                                                           \
            double f = x[row];                                                      \
            if ((by) == 0 && f == 0)                                                \
                return FL_FAIL(err, FL_ERR_DIVISION, "division by zero");           \
            if (!scale(v[row], (by) == 0 ? 1 / f : f, &fl_ret_interval(call)[row])) \
                return fail_range("interval", err);                                 \
        }                                                                           \
        return FL_OK;                                                               \
    }
SCALED(interval_times, 0, 1, 1)
SCALED(times_interval, 1, 0, 1)
SCALED(interval_over, 0, 1, 0)

fl_status fl_interval_negate(fl_call *call, fl_err *err)
{
    const fl_interval *v = fl_arg_interval(call, 0);
    ROWS(call, row)
    {
        fl_interval *ret = &fl_ret_interval(call)[row];
        if (__builtin_sub_overflow(0, v[row].months, &ret->months) ||
            __builtin_sub_overflow(0, v[row].days, &ret->days) || __builtin_sub_overflow(0, v[row].nanos, &ret->nanos))
            return fail_range("interval", err);
    }
    return FL_OK;
}

bool fl_interval_resolve(char sign, fl_type a, fl_type b, fl_func_choice *ret)
{
    static const struct {
        char sign;
        uint8_t a, b, ret;
        bool can_fail;
        fl_func_run run;
    } forms[] = {
        {'+', FL_TIMESTAMP, FL_INTERVAL, FL_TIMESTAMP, true, timestamp_add},
        {'+', FL_INTERVAL, FL_TIMESTAMP, FL_TIMESTAMP, true, interval_add_timestamp},
        {'-', FL_TIMESTAMP, FL_INTERVAL, FL_TIMESTAMP, true, timestamp_sub},
        {'-', FL_TIMESTAMP, FL_TIMESTAMP, FL_INTERVAL, true, timestamp_minus_timestamp},
        {'+', FL_TIME, FL_INTERVAL, FL_TIME, false, time_add},
        {'-', FL_TIME, FL_INTERVAL, FL_TIME, false, time_sub},
        {'-', FL_TIME, FL_TIME, FL_INTERVAL, false, time_minus_time},
        {'+', FL_DATE, FL_I32, FL_DATE, true, date_add_days},
        {'+', FL_I32, FL_DATE, FL_DATE, true, date_add_days},
        {'-', FL_DATE, FL_I32, FL_DATE, true, date_sub_days},
        {'-', FL_DATE, FL_DATE, FL_I32, false, date_minus_date},
        {'+', FL_DATE, FL_TIME, FL_TIMESTAMP, false, date_add_time},
        {'+', FL_INTERVAL, FL_INTERVAL, FL_INTERVAL, true, interval_add},
        {'-', FL_INTERVAL, FL_INTERVAL, FL_INTERVAL, true, interval_sub},
        {'*', FL_INTERVAL, FL_F64, FL_INTERVAL, true, interval_times},
        {'*', FL_F64, FL_INTERVAL, FL_INTERVAL, true, times_interval},
        {'/', FL_INTERVAL, FL_F64, FL_INTERVAL, true, interval_over},
    };
    bool zoned = a.id == FL_TIMESTAMPTZ || b.id == FL_TIMESTAMPTZ;
    if (a.id == FL_NULL && b.id == FL_NULL)
        return false;
    for (int pass = 0; pass < 2; pass++) /* as they are; then with dates as timestamps and numbers as doubles */
        for (int64_t i = 0; i < FL_LEN(forms); i++) {
            fl_type x = FL_TYPE(forms[i].a), y = FL_TYPE(forms[i].b);
            fl_type out = FL_TYPE(forms[i].ret);
            bool untyped_interval =
                pass == 1 && ((a.id == FL_NULL && x.id == b.id) || (b.id == FL_NULL && y.id == a.id));
            if (zoned && x.id == FL_TIMESTAMP)
                x = FL_TYPE(FL_TIMESTAMPTZ);
            if (zoned && y.id == FL_TIMESTAMP)
                y = FL_TYPE(FL_TIMESTAMPTZ);
            if (zoned && out.id == FL_TIMESTAMP)
                out = FL_TYPE(FL_TIMESTAMPTZ);
            bool fits_a = a.id == x.id || (pass == 1 && fl_cast_is_implicit(a, x, NULL) && a.id != FL_NULL);
            bool fits_b = b.id == y.id || (pass == 1 && fl_cast_is_implicit(b, y, NULL) && b.id != FL_NULL);
            if (pass == 0 && x.id == FL_I32 && fl_type_is_integer(a))
                fits_a = fl_type_width(a) <= 4;
            if (pass == 0 && y.id == FL_I32 && fl_type_is_integer(b))
                fits_b = fl_type_width(b) <= 4;
            if (forms[i].sign != sign || forms[i].run == NULL || !((fits_a && fits_b) || untyped_interval))
                continue;
            ret->args[0] = x;
            ret->args[1] = y;
            ret->n_args = 2;
            ret->ret = out;
            ret->run = forms[i].run;
            if (forms[i].can_fail)
                ret->traits |= FL_CAN_FAIL;
            return true;
        }
    return false;
}
