/* date_trunc, and justify_hours, justify_days, justify_interval. */
#include "func/time/field.h"

#include "func/time/moment.h"
#include "plan/expr.h"

static fl_status fail_range(fl_err *err)
{
    return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
}

/* The first year of the span that holds it; spans of centuries and millennia begin with year 1, and there is no year 0. */
static int64_t first_year(int64_t year, int64_t span)
{
    if (span == 10)
        return fl_floor_div(year, 10) * 10;
    return year > 0 ? (year + span - 1) / span * span - (span - 1) : -((span - 1 - (year - 1)) / span) * span + 1;
}

static int multiply(int64_t n, int64_t unit, bool is_nano, int64_t *ret)
{
    bool fits = !__builtin_mul_overflow(n, unit, ret) && (is_nano ? fl_timestamp_is_finite(*ret) : fl_us_fits(*ret));
    return fits ? 0 : 2;
}

/* x in microseconds or nanoseconds. 0 done, 1 not a unit of timestamps, 2 out of range. */
static inline __attribute__((always_inline)) int trunc_in(fl_time_field field, int64_t x, uint8_t time_unit,
                                                          int64_t *ret)
{
    bool is_nano = time_unit == FL_NANO;
    int64_t per_day = fl_units_per_day(time_unit), per_us = per_day / FL_US_PER_DAY;
    int64_t unit = field == FL_FIELD_MICROSECONDS   ? per_us
                   : field == FL_FIELD_MILLISECONDS ? 1000 * per_us
                   : field == FL_FIELD_SECOND       ? 1000000 * per_us
                   : field == FL_FIELD_MINUTE       ? 60000000 * per_us
                   : field == FL_FIELD_HOUR         ? 3600000000LL * per_us
                   : field == FL_FIELD_DAY          ? per_day
                                                    : 0;
    if (!fl_timestamp_is_finite(x)) { /* infinity stays */
        *ret = x;
        return 0;
    }
    if (unit > 0)
        return multiply(fl_floor_div(x, unit), unit, is_nano, ret);
    int64_t days = fl_floor_div(x, per_day);
    fl_civil civil = fl_civil_from_days(days);
    int64_t year = civil.year;
    int32_t month = 1;
    switch (field) {
    case FL_FIELD_WEEK:
        days -= ((days + 3) % 7 + 7) % 7;
        return multiply(days, per_day, is_nano, ret);
    case FL_FIELD_MONTH:
        month = civil.month;
        break;
    case FL_FIELD_QUARTER:
        month = (civil.month - 1) / 3 * 3 + 1;
        break;
    case FL_FIELD_YEAR:
        break;
    case FL_FIELD_DECADE:
        year = first_year(year, 10);
        break;
    case FL_FIELD_CENTURY:
        year = first_year(year, 100);
        break;
    case FL_FIELD_MILLENNIUM:
        year = first_year(year, 1000);
        break;
    default:
        return 1;
    }
    return multiply(fl_days_from_civil((int32_t)year, month, 1), per_day, is_nano, ret);
}

/* Once for each unit, so that constants divide. */
static int trunc_units(fl_time_field field, int64_t x, uint8_t time_unit, int64_t *ret)
{
    return time_unit == FL_NANO ? trunc_in(field, x, FL_NANO, ret) : trunc_in(field, x, FL_MICRO, ret);
}

static bool is_wanted(const fl_call *call, int32_t row)
{
    return fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row) && fl_vec_is_valid(&call->args[1], row);
}

static fl_status trunc_timestamp(fl_call *call, fl_err *err)
{
    const fl_vec *x = &call->args[1];
    int64_t *ret = fl_ret_i64(call);
    fl_time_field field = FL_FIELD_NONE; /* a constant is looked up once */
    for (int32_t row = 0; row < call->rows; row++) {
        if (call->state == NULL || field == FL_FIELD_NONE) {
            ret[row] = 0;
            if (!is_wanted(call, row))
                continue;
            fl_status st = fl_time_field_get(call, row, &field, err);
            if (st != FL_OK)
                return st;
        }
        int result = trunc_units(field, ((const int64_t *)x->data)[fl_vec_row(x, row)], x->type.unit, &ret[row]);
        if (result == 1 && is_wanted(call, row))
            return fl_time_field_fail(call, row, x->type, err);
        if (result == 2 && is_wanted(call, row))
            return fail_range(err);
    }
    return FL_OK;
}

/* As their midnights: a cast could fail, and what can fail is not moved. */
static fl_status trunc_date(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *x = &call->args[1];
    fl_vec midnights;
    int64_t *us = NULL;
    int32_t rows = x->layout == FL_CONST ? 1 : call->rows;
    FL_TRY(FL_NEW_ARRAY(call->heap, rows + 1, &us, err));
    for (int32_t row = 0; row < rows; row++)
        if (!fl_date_to_us(((const int32_t *)x->data)[row], &us[row]) &&
            (x->layout == FL_CONST || is_wanted(call, row)))
            return fail_range(err);
    fl_vec_set_flat(&midnights, FL_TYPE(FL_TIMESTAMP), us, x->valid);
    midnights.layout = x->layout;
    fl_vec args[] = {call->args[0], midnights};
    fl_call inner = *call;
    inner.args = args;
    st = trunc_timestamp(&inner, err);
cleanup:
    return st;
}

static bool trunc_one_interval(fl_time_field field, fl_interval x, fl_interval *ret)
{
    int64_t unit = field == FL_FIELD_MICROSECONDS   ? 1000
                   : field == FL_FIELD_MILLISECONDS ? 1000000
                   : field == FL_FIELD_SECOND       ? 1000000000LL
                   : field == FL_FIELD_MINUTE       ? 60000000000LL
                                                    : 3600000000000LL;
    int32_t months = field == FL_FIELD_MONTH        ? 1
                     : field == FL_FIELD_QUARTER    ? 3
                     : field == FL_FIELD_YEAR       ? 12
                     : field == FL_FIELD_DECADE     ? 120
                     : field == FL_FIELD_CENTURY    ? 1200
                     : field == FL_FIELD_MILLENNIUM ? 12000
                                                    : 0;
    *ret = x;
    if (months > 0)
        *ret = (fl_interval){x.months / months * months, 0, 0};
    else if (field == FL_FIELD_DAY)
        ret->nanos = 0;
    else if (field >= FL_FIELD_MICROSECONDS && field <= FL_FIELD_HOUR)
        ret->nanos = x.nanos / unit * unit;
    else
        return false;
    return true;
}

static fl_status trunc_interval(fl_call *call, fl_err *err)
{
    const fl_vec *x = &call->args[1];
    for (int32_t row = 0; row < call->rows; row++) {
        fl_time_field field;
        fl_ret_interval(call)[row] = (fl_interval){0};
        if (!is_wanted(call, row))
            continue;
        fl_status st = fl_time_field_get(call, row, &field, err);
        if (st != FL_OK)
            return st;
        if (!trunc_one_interval(field, ((const fl_interval *)x->data)[fl_vec_row(x, row)], &fl_ret_interval(call)[row]))
            return fl_time_field_fail(call, row, x->type, err);
    }
    return FL_OK;
}

/* ---- justify ------------------------------------------------------------------------------------------------------- */

#define NANOS_PER_DAY 86400000000000LL

/* Whole spans of the small unit go up to the large one; then both get the same sign. */
static bool carry(int64_t *large, int64_t *small, int64_t span)
{
    *large += *small / span;
    *small %= span;
    if (*large > 0 && *small < 0) {
        *small += span;
        --*large;
    } else if (*large < 0 && *small > 0) {
        *small -= span;
        ++*large;
    }
    return *large == (int32_t)*large;
}

static fl_status justify(fl_call *call, bool hours, bool days, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        fl_interval x = fl_arg_interval(call, 0)[row];
        int64_t months = x.months, day = x.days, nanos = x.nanos;
        bool fits = true;
        if (hours)
            fits &= carry(&day, &nanos, NANOS_PER_DAY);
        if (days)
            fits &= carry(&months, &day, 30);
        if (hours && days && months != 0) { /* the time, too, takes the sign of the months */
            if (months > 0 && (day < 0 || (day == 0 && nanos < 0))) {
                day += 30;
                months--;
            } else if (months < 0 && (day > 0 || (day == 0 && nanos > 0))) {
                day -= 30;
                months++;
            }
            fits &= carry(&day, &nanos, NANOS_PER_DAY);
        }
        fl_ret_interval(call)[row] = (fl_interval){(int32_t)months, (int32_t)day, nanos};
        if (!fits && fl_call_wants(call, row))
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "interval out of range"));
    }
    return FL_OK;
}

static fl_status justify_hours(fl_call *call, fl_err *err)
{
    return justify(call, true, false, err);
}
static fl_status justify_days(fl_call *call, fl_err *err)
{
    return justify(call, false, true, err);
}
static fl_status justify_interval(fl_call *call, fl_err *err)
{
    return justify(call, true, true, err);
}

#define JUSTIFY(text, run_, help)                                                                     \
    {FL_DESC(fl_func_desc),                                                                           \
     .name = text,                                                                                    \
     .traits = FL_PURE | FL_NULL_GIVES_NULL,                                                          \
     .doc = help,                                                                                     \
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_INTERVAL), FL_INTERVAL, FL_CAN_FAIL, run_}}, \
     .n_overloads = 1}

/* The start of a unit ascends with what it holds. */
static fl_bounds bounds_trunc(const fl_expr *call, const fl_bounds *args)
{
    const fl_expr *name = call->args[0];
    int64_t low, high;
    if (name->kind != FL_EXPR_CONST || name->value->is_null || !fl_type_is_timestamp(call->type) || !args[1].is_known ||
        args[1].low < INT64_MIN || args[1].high > INT64_MAX)
        return (fl_bounds){0};
    uint8_t unit = call->type.unit;
    int64_t per = call->args[1]->type.id == FL_DATE ? FL_US_PER_DAY : 1;
    if (per > 1 && (args[1].low < FL_US_MIN / per || args[1].high > FL_US_MAX / per))
        return (fl_bounds){0};
    fl_time_field field = fl_time_field_of(name->value->s);
    if (trunc_units(field, (int64_t)args[1].low * per, unit, &low) != 0 ||
        trunc_units(field, (int64_t)args[1].high * per, unit, &high) != 0)
        return (fl_bounds){0};
    return (fl_bounds){true, low, high};
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "date_trunc", .bounds = bounds_trunc,
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_NANOS | FL_PREPARED | FL_LOCAL_TIME,
     .prepare = fl_time_field_prepare, .doc = "date_trunc(unit, x): the start of the unit that holds x",
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_TIMESTAMP), FL_TIMESTAMP, 0, trunc_timestamp},
                                             {FL_ARGS(FL_UTF8, FL_TIMESTAMPTZ), FL_TIMESTAMPTZ, 0, trunc_timestamp},
                                             {FL_ARGS(FL_UTF8, FL_INTERVAL), FL_INTERVAL, 0, trunc_interval},
                                             {FL_ARGS(FL_UTF8, FL_DATE), FL_TIMESTAMP, 0, trunc_date}},
     .n_overloads = 4},
    JUSTIFY("justify_hours", justify_hours, "justify_hours(x): 24 hours become a day"),
    JUSTIFY("justify_days", justify_days, "justify_days(x): 30 days become a month"),
    JUSTIFY("justify_interval", justify_interval,
            "justify_interval(x): hours to days, days to months, signs made alike"),
};

FL_FUNC_SET(date_trunc, funcs);
