/* A field of a date or time by a function of its own: year(x), hour(x), yearweek(x); and what else is read from a day: dayname(x),
 * monthname(x), last_day(x), days_in_month(x).
 *
 * A field's function is another way to write extract or date_part: it becomes a call of it, so that rules, bounds and kernels know
 * one form. */
#include "base/date_names.h"
#include "func/time/field.h"

#include "func/time/moment.h"
#include "plan/expr.h"

/* ---- fields -------------------------------------------------------------------------------------------------------- */

static fl_status expand_part(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t pos,
                             const char *part, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *field = NULL;
    const char *name = func->ctx;
    fl_value value = {.type = FL_TYPE(FL_UTF8), .s = fl_str_of(name)};
    FL_TRY(fl_expr_const(plan, &value, pos, &field, err));
    st = fl_expr_call_args(plan, part, pos, ret, err, 2, field, args[0]);
cleanup:
    return st;
}

static fl_status expand_whole(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                              int32_t pos, const fl_expr **ret, fl_err *err)
{
    FL_ASSERT(n_args == 1);
    return expand_part(func, plan, args, pos, "extract", ret, err);
}

static fl_status expand_double(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                               int32_t pos, const fl_expr **ret, fl_err *err)
{
    FL_ASSERT(n_args == 1);
    return expand_part(func, plan, args, pos, "date_part", ret, err);
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

static int64_t weekday_of(int64_t days)
{
    return ((days + 4) % 7 + 7) % 7;
}

/* The day in a row of a date or timestamp, whose infinities have none. */
static bool day_at(const fl_call *call, int32_t row, int64_t *ret)
{
    const fl_vec *x = &call->args[0];
    if (x->type.id == FL_DATE) {
        *ret = ((const int32_t *)x->data)[row];
        return fl_date_is_finite(*ret);
    }
    int64_t value = ((const int64_t *)x->data)[row];
    *ret = fl_floor_div(value, fl_units_per_day(x->type.unit));
    return fl_timestamp_is_finite(value);
}

static fl_status name_of(fl_call *call, bool is_month, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t days;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!day_at(call, row, &days)) {
            if (valid == NULL)
                FL_TRY(fl_call_own_valid(call, &valid, err));
            fl_bit_clear(valid, row);
            continue;
        }
        const char *name =
            is_month ? fl_month_names[fl_civil_from_days(days).month - 1] : fl_weekday_names[weekday_of(days)];
        fl_ret_view(call)[row] = fl_view_of(name, (int64_t)strlen(name));
    }
cleanup:
    return st;
}

static fl_status dayname(fl_call *call, fl_err *err)
{
    return name_of(call, false, err);
}

static fl_status monthname(fl_call *call, fl_err *err)
{
    return name_of(call, true, err);
}

/* ---- months -------------------------------------------------------------------------------------------------------- */

/* Infinity is no month's. The last day of the last month that there is lies beyond the range of dates. */
static fl_status last_day(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    int32_t *ret = fl_ret_i32(call);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t days;
        ret[row] = 0;
        if (!day_at(call, row, &days)) {
            if (valid == NULL)
                FL_TRY(fl_call_own_valid(call, &valid, err));
            fl_bit_clear(valid, row);
            continue;
        }
        fl_civil civil = fl_civil_from_days(days);
        days += fl_days_in_month(civil.year, civil.month) - civil.day;
        ret[row] = (int32_t)days;
        if (!fl_date_fits(days) && fl_call_wants(call, row))
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "date out of range"));
    }
cleanup:
    return st;
}

static fl_status days_in_month(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    int64_t *ret = fl_ret_i64(call);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t days;
        ret[row] = 0;
        if (day_at(call, row, &days)) {
            fl_civil civil = fl_civil_from_days(days);
            ret[row] = fl_days_in_month(civil.year, civil.month);
            continue;
        }
        if (valid == NULL)
            FL_TRY(fl_call_own_valid(call, &valid, err));
        fl_bit_clear(valid, row);
    }
cleanup:
    return st;
}

/* ---- descriptors --------------------------------------------------------------------------------------------------- */

/* `run` is never called: the function becomes another's call. */
#define OF_DAYS(ret_) {FL_ARGS(FL_DATE), ret_, 0, NULL}
#define OF_STAMPS(ret_)                        \
    {FL_ARGS(FL_TIMESTAMP), ret_, 0, NULL},    \
    {                                          \
        FL_ARGS(FL_TIMESTAMPTZ), ret_, 0, NULL \
    }
#define OF_TIMES(ret_)                      \
    {FL_ARGS(FL_TIME), ret_, 0, NULL},      \
    {                                       \
        FL_ARGS(FL_INTERVAL), ret_, 0, NULL \
    }

#define PART(name_, field_, expand_, doc_, ...)                                 \
    {FL_DESC(fl_func_desc),                                                     \
     .name = name_,                                                             \
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_NANOS | FL_LOCAL_TIME,         \
     .doc = name_ "(x): " doc_,                                                 \
     .overloads = (const fl_func_overload[]){__VA_ARGS__},                      \
     .n_overloads = (int32_t)FL_LEN(((const fl_func_overload[]){__VA_ARGS__})), \
     .expand = expand_,                                                         \
     .ctx = (void *)(uintptr_t)(field_)}
#define OF_DATES(name_, field_, doc_) PART(name_, field_, expand_whole, doc_, OF_DAYS(FL_I64), OF_STAMPS(FL_I64))
#define OF_DATES_AND_INTERVALS(name_, field_, doc_) \
    PART(name_, field_, expand_whole, doc_, OF_DAYS(FL_I64), OF_STAMPS(FL_I64), {FL_ARGS(FL_INTERVAL), FL_I64, 0, NULL})
#define OF_CLOCKS(name_, field_, doc_) PART(name_, field_, expand_whole, doc_, OF_STAMPS(FL_I64), OF_TIMES(FL_I64))

#define OF_DAY(name_, ret_, traits_, run_, doc_)                                                    \
    {FL_DESC(fl_func_desc),                                                                         \
     .name = name_,                                                                                 \
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_GIVES_NULL | FL_NANOS | FL_LOCAL_TIME | (traits_), \
     .doc = name_ "(x): " doc_,                                                                     \
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_DATE), ret_, 0, run_},                     \
                                             {FL_ARGS(FL_TIMESTAMP), ret_, 0, run_},                \
                                             {FL_ARGS(FL_TIMESTAMPTZ), ret_, 0, run_}},             \
     .n_overloads = 3}

static const fl_func_desc funcs[] = {
    OF_DATES_AND_INTERVALS("year", "year", "its year"),
    OF_DATES_AND_INTERVALS("quarter", "quarter", "its quarter, from 1"),
    OF_DATES_AND_INTERVALS("month", "month", "its month, from 1"),
    OF_DATES_AND_INTERVALS("day", "day", "its day of the month, from 1"),
    OF_DATES_AND_INTERVALS("decade", "decade", "its year divided by 10"),
    OF_DATES_AND_INTERVALS("century", "century", "its century"),
    OF_DATES_AND_INTERVALS("millennium", "millennium", "its millennium"),
    OF_DATES("week", "week", "its ISO week, from 1"),
    OF_DATES("isoyear", "isoyear", "the year of its ISO week"),
    OF_DATES("yearweek", "yearweek", "the year of its ISO week and that week, 202401"),
    OF_DATES("dayofweek", "dow", "its day of the week, 0 on Sundays"),
    OF_DATES("isodow", "isodow", "its day of the week, 1 on Mondays and 7 on Sundays"),
    OF_DATES("dayofyear", "doy", "its day of the year, from 1"),
    OF_DATES("era", "era", "1, and 0 before Christ"),
    OF_CLOCKS("hour", "hour", "its hour"),
    OF_CLOCKS("minute", "minute", "its minute"),
    OF_CLOCKS("second", "second", "its second"),
    OF_CLOCKS("millisecond", "milliseconds", "its second in milliseconds"),
    OF_CLOCKS("microsecond", "microseconds", "its second in microseconds"),
    OF_CLOCKS("nanosecond", "nanoseconds", "its second in nanoseconds"),
    PART("timezone_hour", "timezone_hour", expand_whole, "hours of its zone's offset",
         {FL_ARGS(FL_TIMESTAMPTZ), FL_I64, 0, NULL}),
    PART("timezone_minute", "timezone_minute", expand_whole, "minutes of its zone's offset",
         {FL_ARGS(FL_TIMESTAMPTZ), FL_I64, 0, NULL}),
    PART("epoch", "epoch", expand_double, "seconds since 1970, or of an interval", OF_DAYS(FL_F64), OF_STAMPS(FL_F64),
         OF_TIMES(FL_F64)),
    PART("julian", "julian", expand_double, "its Julian day", OF_DAYS(FL_F64), OF_STAMPS(FL_F64)),
    OF_DAY("dayname", FL_UTF8, 0, dayname, "the weekday's English name"),
    OF_DAY("monthname", FL_UTF8, 0, monthname, "the month's English name"),
    OF_DAY("last_day", FL_DATE, FL_CAN_FAIL, last_day, "the last day of its month"),
    OF_DAY("days_in_month", FL_I64, 0, days_in_month, "how many days its month has"),
};

FL_FUNC_SET(time_part, funcs);
