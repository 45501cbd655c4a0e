/* Dates, times and intervals under + - * /. Months are added on the calendar, then days, then time (PostgreSQL's order). */
#include "func/arith/interval.h"

#include "base/datetime.h"
#include "base/simd.h"
#include "exec/func.h"
#include "func/arith/kernel.h"

#include <math.h>

static fl_status fail_range(const char *what, fl_err *err)
{
    FL_FAIL(err, FL_ERR_RANGE, "%s out of range", what);
    return fl_err_state(err, "22008", FL_ERR_RANGE);
}

static fl_status fail_infinite(const char *what, fl_err *err)
{
    FL_FAIL(err, FL_ERR_RANGE, "infinite %s cannot be subtracted", what);
    return fl_err_state(err, "22008", FL_ERR_RANGE);
}

#define ROWS(call, row)                              \
    for (int32_t row = 0; row < (call)->rows; row++) \
        if (fl_call_wants((call), row))

/* Nanoseconds of an interval in whole units, halves away from zero. */
static int64_t units_of(int64_t nanos, int64_t nanos_per_unit)
{
    int64_t half = nanos_per_unit / 2;
    return nanos / nanos_per_unit + (nanos % nanos_per_unit >= half && half > 0) -
           (nanos % nanos_per_unit <= -half && half > 0);
}

/* A timestamp in microseconds or nanoseconds. False: out of range. */
static bool add_interval(int64_t x, uint8_t unit, fl_interval v, int64_t sign, int64_t *ret)
{
    int64_t nanos_per_unit = unit == FL_NANO ? 1 : 1000, per_day = FL_NS_PER_DAY / nanos_per_unit, out;
    if (!fl_timestamp_is_finite(x)) { /* infinity stays */
        *ret = x;
        return true;
    }
    int64_t days = fl_floor_div(x, per_day), rest = fl_floor_rest(x, days, per_day);
    if (v.months != 0)
        days = fl_days_add_months(days, sign * v.months);
    days += sign * v.days;
    if (rest >= per_day / 2) { /* from the nearer midnight, so that the last day of the range can be reached */
        days++;
        rest -= per_day;
    }
    return !__builtin_mul_overflow(days, per_day, &out) && !__builtin_add_overflow(out, rest, &out) &&
           !(sign > 0 ? __builtin_add_overflow(out, units_of(v.nanos, nanos_per_unit), ret)
                      : __builtin_sub_overflow(out, units_of(v.nanos, nanos_per_unit), ret)) &&
           (unit == FL_NANO ? fl_timestamp_is_finite(*ret) : fl_us_fits(*ret));
}

#define TIMESTAMP_INTERVAL(name, sign, timestamp, interval)                                    \
    static fl_status name(fl_call *call, fl_err *err)                                          \
    {                                                                                          \
        const int64_t *x = fl_arg_i64(call, timestamp);                                        \
        const fl_interval *v = fl_arg_interval(call, interval);                                \
        ROWS(call, row)                                                                        \
        if (!add_interval(x[row], call->ret->type.unit, v[row], sign, &fl_ret_i64(call)[row])) \
            return fail_range("timestamp", err);                                               \
        return FL_OK;                                                                          \
    }
TIMESTAMP_INTERVAL(timestamp_add, 1, 0, 1)
TIMESTAMP_INTERVAL(timestamp_sub, -1, 0, 1)
TIMESTAMP_INTERVAL(interval_add_timestamp, 1, 1, 0)

static int64_t wrap_day(int64_t us)
{
    return fl_floor_mod(us, FL_US_PER_DAY);
}

#define TIME_INTERVAL(name, sign, time, interval)                                                       \
    static fl_status name(fl_call *call, fl_err *err)                                                   \
    {                                                                                                   \
        (void)err;                                                                                      \
        const int64_t *x = fl_arg_i64(call, time);                                                      \
        const fl_interval *v = fl_arg_interval(call, interval);                                         \
        for (int32_t row = 0; row < call->rows; row++)                                                  \
            fl_ret_i64(call)[row] = wrap_day(x[row] sign units_of(v[row].nanos, 1000) % FL_US_PER_DAY); \
        return FL_OK;                                                                                   \
    }
TIME_INTERVAL(time_add, +, 0, 1)
TIME_INTERVAL(time_sub, -, 0, 1)
TIME_INTERVAL(interval_add_time, +, 1, 0)

static fl_status time_minus_time(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_interval(call)[row] = (fl_interval){0, 0, (fl_arg_i64(call, 0)[row] - fl_arg_i64(call, 1)[row]) * 1000};
    return FL_OK;
}

/* Where bounds prove that all is finite and fits. */
#define PLAIN(op) FL_SIMD_CHOOSE(fl_arith_kernels)->plain[op][2]

/* The days after or before a date. All rows are computed; only when one of them is no date is it looked for. */
static fl_status add_days(fl_call *call, const int32_t *date, const int32_t *days, int64_t sign, fl_err *err)
{
    int32_t *ret = fl_ret_i32(call);
    bool is_beyond = false;
    if (call->ret->has_bounds) {
        PLAIN(sign > 0 ? FL_ARITH_ADD : FL_ARITH_SUB)(date, days, call->rows, ret);
        return FL_OK;
    }
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t sum = date[row] + sign * days[row];
        ret[row] = (int32_t)sum;
        is_beyond |= !fl_date_fits(sum);
        is_beyond |= !fl_date_is_finite(date[row]);
    }
    for (int32_t row = 0; row < call->rows && is_beyond; row++) {
        if (!fl_date_is_finite(date[row])) /* infinity stays */
            ret[row] = date[row];
        else if (!fl_date_fits(date[row] + sign * days[row]) && fl_call_wants(call, row))
            return fail_range("date", err);
    }
    return FL_OK;
}

static fl_status date_add_days(fl_call *call, fl_err *err)
{
    return add_days(call, fl_arg_i32(call, 0), fl_arg_i32(call, 1), 1, err);
}

static fl_status days_add_date(fl_call *call, fl_err *err)
{
    return add_days(call, fl_arg_i32(call, 1), fl_arg_i32(call, 0), 1, err);
}

static fl_status date_sub_days(fl_call *call, fl_err *err)
{
    return add_days(call, fl_arg_i32(call, 0), fl_arg_i32(call, 1), -1, err);
}

static fl_status date_minus_date(fl_call *call, fl_err *err)
{
    const int32_t *x = fl_arg_i32(call, 0), *y = fl_arg_i32(call, 1);
    bool is_beyond = false;
    if (call->ret->has_bounds) {
        PLAIN(FL_ARITH_SUB)(x, y, call->rows, fl_ret_i32(call));
        return FL_OK;
    }
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t days = (int64_t)x[row] - y[row];
        fl_ret_i32(call)[row] = (int32_t)days;
        is_beyond |= days != (int32_t)days;
        is_beyond |= !fl_date_is_finite(x[row]) | !fl_date_is_finite(y[row]);
    }
    for (int32_t row = 0; row < call->rows && is_beyond; row++) {
        if (!fl_call_wants(call, row))
            continue;
        if (!fl_date_is_finite(x[row]) || !fl_date_is_finite(y[row]))
            return fail_infinite("dates", err);
        if ((int64_t)x[row] - y[row] != (int32_t)((int64_t)x[row] - y[row]))
            return fail_range("number of days", err);
    }
    return FL_OK;
}

#define DATE_TIME(name, date, time)                                                                            \
    static fl_status name(fl_call *call, fl_err *err)                                                          \
    {                                                                                                          \
        ROWS(call, row)                                                                                        \
        {                                                                                                      \
            int64_t us;                                                                                        \
            bool is_in_range = fl_date_to_us(fl_arg_i32(call, date)[row], &us);                                \
            if (is_in_range && fl_timestamp_is_finite(us))                                                     \
                is_in_range = !__builtin_add_overflow(us, fl_arg_i64(call, time)[row], &us) && fl_us_fits(us); \
            if (!is_in_range)                                                                                  \
                return fail_range("timestamp", err);                                                           \
            fl_ret_i64(call)[row] = us;                                                                        \
        }                                                                                                      \
        return FL_OK;                                                                                          \
    }
DATE_TIME(date_add_time, 0, 1)
DATE_TIME(time_add_date, 1, 0)

static fl_status timestamp_minus_timestamp(fl_call *call, fl_err *err)
{
    const int64_t *x = fl_arg_i64(call, 0), *y = fl_arg_i64(call, 1);
    int64_t nanos_per_unit = call->args[0].type.unit == FL_NANO ? 1 : 1000, per_day = FL_NS_PER_DAY / nanos_per_unit;
    ROWS(call, row)
    {
        int64_t units, nanos;
        if (!fl_timestamp_is_finite(x[row]) || !fl_timestamp_is_finite(y[row]))
            return fail_infinite("timestamps", err);
        if (__builtin_sub_overflow(x[row], y[row], &units))
            return fail_range("interval", err);
        int64_t days = units / per_day; /* towards zero: -25 hours are -1 day -1 hour */
        nanos = (units - days * per_day) * nanos_per_unit;
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

/* Fractions of months become days of 30, fractions of days become time. Whole microseconds stay ones, as PostgreSQL has them;
 * an interval with nanoseconds keeps them. */
static bool scale(fl_interval v, double by, fl_interval *ret)
{
    double months = v.months * by, whole_months = trunc(months);
    double days = v.days * by + (months - whole_months) * 30, whole_days = trunc(days);
    double nanos = (double)v.nanos * by + round((days - whole_days) * 86400e6) * 1000;
    double piece = v.nanos % 1000 == 0 ? 1000 : 1;
    if (!(fabs(whole_months) < 2147483648.0 && fabs(whole_days) < 2147483648.0 && fabs(nanos) < 9.2e18))
        return false;
    *ret = (fl_interval){(int32_t)whole_months, (int32_t)whole_days, (int64_t)(round(nanos / piece) * piece)};
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

/* How a type meets that of a form: as it is, or as it may be cast without being asked; a time becomes an interval, too. */
static bool fits(fl_type type, fl_type wanted, bool is_exact)
{
    if (is_exact && wanted.id == FL_I32 && fl_type_is_integer(type))
        return fl_type_width(type) <= 4;
    if (is_exact || type.id == FL_NULL)
        return type.id == wanted.id;
    return fl_cast_is_implicit(type, wanted, NULL) || (type.id == FL_TIME && wanted.id == FL_INTERVAL);
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
        {'+', FL_INTERVAL, FL_TIME, FL_TIME, false, interval_add_time},
        {'-', FL_TIME, FL_INTERVAL, FL_TIME, false, time_sub},
        {'-', FL_TIME, FL_TIME, FL_INTERVAL, false, time_minus_time},
        {'+', FL_DATE, FL_I32, FL_DATE, true, date_add_days},
        {'+', FL_I32, FL_DATE, FL_DATE, true, days_add_date},
        {'-', FL_DATE, FL_I32, FL_DATE, true, date_sub_days},
        {'-', FL_DATE, FL_DATE, FL_I32, true, date_minus_date},
        {'+', FL_DATE, FL_TIME, FL_TIMESTAMP, true, date_add_time},
        {'+', FL_TIME, FL_DATE, FL_TIMESTAMP, true, time_add_date},
        {'+', FL_INTERVAL, FL_INTERVAL, FL_INTERVAL, true, interval_add},
        {'-', FL_INTERVAL, FL_INTERVAL, FL_INTERVAL, true, interval_sub},
        {'*', FL_INTERVAL, FL_F64, FL_INTERVAL, true, interval_times},
        {'*', FL_F64, FL_INTERVAL, FL_INTERVAL, true, times_interval},
        {'/', FL_INTERVAL, FL_F64, FL_INTERVAL, true, interval_over},
    };
    bool zoned = a.id == FL_TIMESTAMPTZ || b.id == FL_TIMESTAMPTZ;
    bool in_nanos = (fl_type_is_timestamp(a) && a.unit == FL_NANO) || (fl_type_is_timestamp(b) && b.unit == FL_NANO);
    if ((a.id == FL_NULL && b.id == FL_NULL) || (sign == '+' && a.id == FL_TIME && b.id == FL_TIME))
        return false;
    /* As they are, where an untyped literal takes the other's type if there is a form of both (PostgreSQL, section 10.2); then with
     * any type for it; then with casts. */
    for (int pass = 0; pass < 3; pass++)
        for (int64_t i = 0; i < FL_LEN(forms); i++) {
            fl_type x = FL_TYPE(forms[i].a), y = FL_TYPE(forms[i].b);
            fl_type out = FL_TYPE(forms[i].ret), *types[] = {&x, &y, &out};
            for (int t = 0; t < 3; t++) {
                if (zoned && types[t]->id == FL_TIMESTAMP)
                    types[t]->id = FL_TIMESTAMPTZ;
                if (in_nanos && fl_type_is_timestamp(*types[t]))
                    types[t]->unit = FL_NANO;
            }
            bool fits_a = fits(a.id == FL_NULL && pass == 0 ? b : a, x, pass < 2) || (a.id == FL_NULL && pass > 0);
            bool fits_b = fits(b.id == FL_NULL && pass == 0 ? a : b, y, pass < 2) || (b.id == FL_NULL && pass > 0);
            if (forms[i].sign != sign || !fits_a || !fits_b)
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
