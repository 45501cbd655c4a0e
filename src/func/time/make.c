/* make_date and others; now, current_date and others; age. */
#include "exec/session_state.h"
#include "func/time/moment.h"
#include "plan/expr.h"

#include <math.h>

static fl_status fail_range(fl_err *err, const char *what)
{
    return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "%s", what));
}

static bool make_days(int32_t year, int32_t month, int32_t day, int64_t *ret)
{
    if (year < 0)
        year++; /* -1 is 1 BC, the astronomical year 0 */
    else if (year == 0)
        return false;
    if (year < -4713 || year > 5874897 || month < 1 || month > 12 || day < 1 || day > fl_days_in_month(year, month))
        return false;
    *ret = fl_days_from_civil(year, month, day);
    return fl_date_fits(*ret);
}

static bool make_us(int32_t hour, int32_t minute, double second, int64_t *ret)
{
    if (hour < 0 || minute < 0 || minute > 59 || !(second >= 0 && second <= 60))
        return false;
    *ret = (hour * 60LL + minute) * 60000000 + (int64_t)rint(second * 1e6);
    return *ret <= FL_US_PER_DAY;
}

static fl_status make_date(fl_call *call, fl_err *err)
{
    const int32_t *y = fl_arg_i32(call, 0), *m = fl_arg_i32(call, 1), *d = fl_arg_i32(call, 2);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t days = 0;
        if (!make_days(y[row], m[row], d[row], &days) && fl_call_wants(call, row))
            return fl_err_state(err, "22008",
                                FL_FAIL(err, FL_ERR_RANGE, "there is no date %d-%02d-%02d", y[row], m[row], d[row]));
        fl_ret_i32(call)[row] = (int32_t)days;
    }
    return FL_OK;
}

static fl_status make_time(fl_call *call, fl_err *err)
{
    const int32_t *h = fl_arg_i32(call, 0), *m = fl_arg_i32(call, 1);
    const double *s = fl_arg_f64(call, 2);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t us = 0;
        if (!make_us(h[row], m[row], s[row], &us) && fl_call_wants(call, row))
            return fl_err_state(err, "22008",
                                FL_FAIL(err, FL_ERR_RANGE, "there is no time %d:%02d:%02g", h[row], m[row], s[row]));
        fl_ret_i64(call)[row] = us;
    }
    return FL_OK;
}

static fl_status make_timestamp(fl_call *call, fl_err *err)
{
    const double *s = fl_arg_f64(call, 5);
    const int32_t *a[5];
    for (int i = 0; i < 5; i++)
        a[i] = fl_arg_i32(call, i);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t days = 0, us = 0, all = 0;
        bool ok = make_days(a[0][row], a[1][row], a[2][row], &days) && make_us(a[3][row], a[4][row], s[row], &us) &&
                  !__builtin_mul_overflow(days, FL_US_PER_DAY, &all) && !__builtin_add_overflow(all, us, &all) &&
                  fl_us_fits(all);
        if (!ok && fl_call_wants(call, row))
            return fail_range(err, "there is no such date and time");
        fl_ret_i64(call)[row] = all;
    }
    return FL_OK;
}

/* Years, months, weeks, days, hours, minutes (integers), seconds (a double): as many as are given. */
static fl_status make_interval(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t part[6] = {0}, nanos;
        double seconds = call->n_args == 7 ? fl_arg_f64(call, 6)[row] : 0;
        for (int i = 0; i < 6 && i < call->n_args; i++)
            part[i] = fl_arg_i32(call, i)[row];
        int64_t months = part[0] * 12 + part[1], days = part[2] * 7 + part[3];
        bool ok = months == (int32_t)months && days == (int32_t)days && fabs(seconds) < 9e9 &&
                  !__builtin_mul_overflow(part[4] * 3600 + part[5] * 60, 1000000000LL, &nanos) &&
                  !__builtin_add_overflow(nanos, (int64_t)rint(seconds * 1e6) * 1000, &nanos);
        if (!ok && fl_call_wants(call, row))
            return fail_range(err, "interval out of range");
        fl_ret_interval(call)[row] = ok ? (fl_interval){(int32_t)months, (int32_t)days, nanos} : (fl_interval){0};
    }
    return FL_OK;
}

static fl_status make_timestamp_us(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_i64(call)[row] = fl_arg_i64(call, 0)[row];
        if (!fl_us_fits(fl_ret_i64(call)[row]) && fl_call_wants(call, row))
            return fail_range(err, "timestamp out of range");
    }
    return FL_OK;
}

/* ---- now ----------------------------------------------------------------------------------------------------------- */

static fl_status now(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_i64(call)[row] = call->session->now_us;
    return FL_OK;
}

static fl_status today(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_i32(call)[row] = (int32_t)fl_floor_div(call->session->now_us, FL_US_PER_DAY);
    return FL_OK;
}

static fl_status time_now(fl_call *call, fl_err *err)
{
    (void)err;
    int64_t us = call->session->now_us;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_i64(call)[row] = fl_floor_mod(us, FL_US_PER_DAY);
    return FL_OK;
}

static fl_status expand_current_time(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args,
                                     int32_t n_args, int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *start = NULL;
    (void)func;
    (void)args;
    FL_ASSERT(n_args == 0);
    FL_TRY(fl_expr_call_args(plan, "now", pos, &start, err, 0));
    st = fl_expr_cast(plan, start, (fl_type){.id = FL_I64, .extension = FL_TIMETZ}, false, pos, ret, err);
cleanup:
    return st;
}

static fl_status expand_ago(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                            int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *start = NULL;
    (void)func;
    FL_ASSERT(n_args == 1);
    FL_TRY(fl_expr_call_args(plan, "now", pos, &start, err, 0));
    st = fl_expr_call_args(plan, "-", pos, ret, err, 2, start, args[0]);
cleanup:
    return st;
}

/* ---- age ----------------------------------------------------------------------------------------------------------- */

/* From b to a on the calendar: years, months and days as one would count them, by PostgreSQL's rule: days that are missing
 * are borrowed from the month of the earlier of the two. */
static fl_interval age_of(int64_t a, int64_t b, uint8_t unit)
{
    int64_t sign = 1;
    if (a < b) {
        int64_t swap = a;
        a = b;
        b = swap;
        sign = -1;
    }
    fl_moment later = fl_moment_of(a, unit), earlier = fl_moment_of(b, unit);
    fl_civil x = later.date, y = earlier.date;
    int64_t nanos = later.nanos - earlier.nanos, day = x.day - y.day;
    int64_t months = (x.year - y.year) * 12LL + x.month - y.month;
    if (nanos < 0) {
        nanos += FL_NS_PER_DAY;
        day--;
    }
    while (day < 0) {
        day += fl_days_in_month(y.year, y.month);
        months--;
    }
    return (fl_interval){(int32_t)(sign * months), (int32_t)(sign * day), sign * nanos};
}

static fl_status age2(fl_call *call, fl_err *err)
{
    const int64_t *a = fl_arg_i64(call, 0), *b = fl_arg_i64(call, 1);
    for (int32_t row = 0; row < call->rows; row++) {
        if (fl_timestamp_is_finite(a[row]) && fl_timestamp_is_finite(b[row]))
            fl_ret_interval(call)[row] = age_of(a[row], b[row], call->args[0].type.unit);
        else if (fl_call_wants(call, row))
            return fail_range(err, "infinity has no age");
    }
    return FL_OK;
}

static fl_status age1(fl_call *call, fl_err *err)
{
    uint8_t unit = call->args[0].type.unit;
    int64_t midnight = fl_floor_div(call->session->now_us, FL_US_PER_DAY) * fl_units_per_day(unit);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t x = fl_arg_i64(call, 0)[row];
        if (fl_timestamp_is_finite(x))
            fl_ret_interval(call)[row] = age_of(midnight, x, unit);
        else if (fl_call_wants(call, row))
            return fail_range(err, "infinity has no age");
    }
    return FL_OK;
}

/* ---- descriptors --------------------------------------------------------------------------------------------------- */

#define PARAM(name_) {.name = name_}
#define PARAM_OR_ZERO(name_) {.name = name_, .otherwise = "0"}
static const fl_func_param date_params[] = {PARAM("year"), PARAM("month"), PARAM("day")};
static const fl_func_param time_params[] = {PARAM("hour"), PARAM("min"), PARAM("sec")};
static const fl_func_param timestamp_params[] = {PARAM("year"), PARAM("month"), PARAM("mday"),
                                                 PARAM("hour"), PARAM("min"),   PARAM("sec")};
static const fl_func_param interval_params[] = {PARAM_OR_ZERO("years"), PARAM_OR_ZERO("months"), PARAM_OR_ZERO("weeks"),
                                                PARAM_OR_ZERO("days"),  PARAM_OR_ZERO("hours"),  PARAM_OR_ZERO("mins"),
                                                PARAM_OR_ZERO("secs")};

#define FIELDS(name_, traits_, doc_, ...)                                 \
    FL_DESC(fl_func_desc), .name = name_, .traits = traits_, .doc = doc_, \
        .overloads = (const fl_func_overload[]){__VA_ARGS__},             \
        .n_overloads = (int32_t)(sizeof((const fl_func_overload[]){__VA_ARGS__}) / sizeof(fl_func_overload))
#define FUNC(...) {FIELDS(__VA_ARGS__)}
#define NAMED(array, ...) {.params = (array), .n_params = (int32_t)FL_LEN(array), FIELDS(__VA_ARGS__)}
#define PURE (FL_PURE | FL_NULL_GIVES_NULL)
#define FIVE FL_I32, FL_I32, FL_I32, FL_I32, FL_I32
#define INTERVAL_OF(...) {FL_ARGS(__VA_ARGS__), FL_INTERVAL, FL_CAN_FAIL, make_interval}

static const fl_func_desc funcs[] = {
    NAMED(date_params, "make_date", PURE, "make_date(year, month, day): that date",
          {FL_ARGS(FL_I32, FL_I32, FL_I32), FL_DATE, FL_CAN_FAIL, make_date}),
    NAMED(time_params, "make_time", PURE, "make_time(hour, min, sec): that time of day",
          {FL_ARGS(FL_I32, FL_I32, FL_F64), FL_TIME, FL_CAN_FAIL, make_time}),
    NAMED(timestamp_params, "make_timestamp", PURE,
          "make_timestamp(year, month, mday, hour, min, sec): that timestamp; make_timestamp(n): n microseconds after "
          "1970",
          {FL_ARGS(FIVE, FL_F64), FL_TIMESTAMP, FL_CAN_FAIL, make_timestamp},
          {FL_ARGS(FL_I64), FL_TIMESTAMP, FL_CAN_FAIL, make_timestamp_us}),
    NAMED(timestamp_params, "make_timestamptz", PURE,
          "make_timestamptz(year, month, mday, hour, min, sec): that moment, in UTC; make_timestamptz(n): n "
          "microseconds after 1970",
          {FL_ARGS(FIVE, FL_F64), FL_TIMESTAMPTZ, FL_CAN_FAIL, make_timestamp},
          {FL_ARGS(FL_I64), FL_TIMESTAMPTZ, FL_CAN_FAIL, make_timestamp_us}),
    NAMED(interval_params, "make_interval", PURE,
          "make_interval(years, months, weeks, days, hours, mins, secs): an interval of all that are given",
          INTERVAL_OF(), INTERVAL_OF(FL_I32), INTERVAL_OF(FL_I32, FL_I32), INTERVAL_OF(FL_I32, FL_I32, FL_I32),
          INTERVAL_OF(FL_I32, FL_I32, FL_I32, FL_I32), INTERVAL_OF(FIVE), INTERVAL_OF(FIVE, FL_I32),
          INTERVAL_OF(FIVE, FL_I32, FL_F64)),
    FUNC("now", FL_STABLE, "now(): when the statement began", {FL_ARGS(), FL_TIMESTAMPTZ, 0, now}),
    FUNC("current_timestamp", FL_STABLE, "current_timestamp: when the statement began",
         {FL_ARGS(), FL_TIMESTAMPTZ, 0, now}),
    FUNC("transaction_timestamp", FL_STABLE, "transaction_timestamp(): when the statement began",
         {FL_ARGS(), FL_TIMESTAMPTZ, 0, now}),
    FUNC("statement_timestamp", FL_STABLE, "statement_timestamp(): when the statement began",
         {FL_ARGS(), FL_TIMESTAMPTZ, 0, now}),
    {.expand = expand_ago,
     FIELDS("ago", FL_STABLE | FL_NULL_GIVES_NULL, "ago(x): an interval before the statement began",
            {FL_ARGS(FL_INTERVAL), FL_TIMESTAMPTZ, 0, NULL})},
    FUNC("localtimestamp", FL_STABLE | FL_LOCAL_TIME, "localtimestamp: when the statement began, without a zone",
         {FL_ARGS(), FL_TIMESTAMP, 0, now}),
    FUNC("current_date", FL_STABLE | FL_LOCAL_TIME, "current_date: the day on which the statement began",
         {FL_ARGS(), FL_DATE, 0, today}),
    {.expand = expand_current_time,
     FIELDS("current_time", FL_STABLE,
            "current_time: the time of day at which the statement began, with the session's offset",
            {FL_ARGS(), FL_TIME, 0, NULL})},
    FUNC("localtime", FL_STABLE | FL_LOCAL_TIME, "localtime: the time of day at which the statement began",
         {FL_ARGS(), FL_TIME, 0, time_now}),
    FUNC("age", FL_NULL_GIVES_NULL | FL_NANOS | FL_LOCAL_TIME,
         "age(a, b): from b to a in years, months, days; age(b): to today",
         {FL_ARGS(FL_TIMESTAMP, FL_TIMESTAMP), FL_INTERVAL, FL_PURE | FL_CAN_FAIL, age2},
         {FL_ARGS(FL_TIMESTAMPTZ, FL_TIMESTAMPTZ), FL_INTERVAL, FL_PURE | FL_CAN_FAIL, age2},
         {FL_ARGS(FL_TIMESTAMP), FL_INTERVAL, FL_CAN_FAIL, age1},
         {FL_ARGS(FL_TIMESTAMPTZ), FL_INTERVAL, FL_CAN_FAIL, age1}),
};

FL_FUNC_SET(make_time, funcs);
