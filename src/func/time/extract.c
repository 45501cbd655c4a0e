/* extract (a bigint) and date_part (a double): one field of a date, time, timestamp or interval. And the fields' names. */
#include "func/time/field.h"

#include "func/time/moment.h"
#include "plan/expr.h"

#include <math.h>

static const struct {
    const char *name;
    fl_time_field field;
} names[] = {
    {"year", FL_FIELD_YEAR},
    {"month", FL_FIELD_MONTH},
    {"day", FL_FIELD_DAY},
    {"hour", FL_FIELD_HOUR},
    {"minute", FL_FIELD_MINUTE},
    {"second", FL_FIELD_SECOND},
    {"milliseconds", FL_FIELD_MILLISECONDS},
    {"microseconds", FL_FIELD_MICROSECONDS},
    {"week", FL_FIELD_WEEK},
    {"quarter", FL_FIELD_QUARTER},
    {"decade", FL_FIELD_DECADE},
    {"century", FL_FIELD_CENTURY},
    {"millennium", FL_FIELD_MILLENNIUM},
    {"dow", FL_FIELD_DOW},
    {"isodow", FL_FIELD_ISODOW},
    {"doy", FL_FIELD_DOY},
    {"isoyear", FL_FIELD_ISOYEAR},
    {"epoch", FL_FIELD_EPOCH},
    {"julian", FL_FIELD_JULIAN},
    {"timezone", FL_FIELD_TIMEZONE},
    {"timezone_hour", FL_FIELD_TIMEZONE_HOUR},
    {"timezone_minute", FL_FIELD_TIMEZONE_MINUTE},
    {"nanoseconds", FL_FIELD_NANOSECONDS},
    {"nanosecond", FL_FIELD_NANOSECONDS},
    {"era", FL_FIELD_ERA},
    {"yearweek", FL_FIELD_YEARWEEK},
    {"years", FL_FIELD_YEAR},
    {"months", FL_FIELD_MONTH},
    {"days", FL_FIELD_DAY},
    {"hours", FL_FIELD_HOUR},
    {"minutes", FL_FIELD_MINUTE},
    {"seconds", FL_FIELD_SECOND},
    {"millisecond", FL_FIELD_MILLISECONDS},
    {"microsecond", FL_FIELD_MICROSECONDS},
    {"weeks", FL_FIELD_WEEK},
    {"quarters", FL_FIELD_QUARTER},
    {"decades", FL_FIELD_DECADE},
    {"centuries", FL_FIELD_CENTURY},
    {"millennia", FL_FIELD_MILLENNIUM},
    {"dayofweek", FL_FIELD_DOW},
    {"weekday", FL_FIELD_DOW},
    {"dayofmonth", FL_FIELD_DAY},
    {"weekofyear", FL_FIELD_WEEK},
    {"dayofyear", FL_FIELD_DOY},
    {"mon", FL_FIELD_MONTH},
    {"min", FL_FIELD_MINUTE},
    {"sec", FL_FIELD_SECOND},
    {"ms", FL_FIELD_MILLISECONDS},
    {"us", FL_FIELD_MICROSECONDS},
    {"h", FL_FIELD_HOUR},
};

fl_time_field fl_time_field_of(fl_str name)
{
    for (int64_t i = 0; i < FL_LEN(names); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(names[i].name)))
            return names[i].field;
    return FL_FIELD_NONE;
}

fl_status fl_time_field_prepare(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                                void **ret_state, fl_err *err)
{
    (void)func;
    *ret_state = NULL;
    if (n_args == 0 || args[0] == NULL || args[0]->is_null)
        return FL_OK;
    fl_time_field *field;
    fl_status st = FL_NEW(arena, &field, err);
    if (st != FL_OK)
        return st;
    *field = fl_time_field_of(args[0]->s);
    if (*field != FL_FIELD_NONE)
        *ret_state = field;
    return FL_OK;
}

fl_status fl_time_field_get(const fl_call *call, int32_t row, fl_time_field *ret, fl_err *err)
{
    fl_str name = fl_vec_str(&call->args[0], row);
    *ret = call->state != NULL ? *(const fl_time_field *)call->state : fl_time_field_of(name);
    if (*ret != FL_FIELD_NONE)
        return FL_OK;
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "unit \"%.*s\" is not known", FL_STR_ARG(name));
    fl_err_hint(err, "units are year, quarter, month, week, day, hour, minute, second, ...");
    return fl_err_state(err, "22023", st);
}

fl_status fl_time_field_fail(const fl_call *call, int32_t row, fl_type type, fl_err *err)
{
    fl_str name = fl_vec_str(&call->args[0], row);
    return FL_FAIL(err, FL_ERR_UNSUPPORTED, "unit \"%.*s\" is not supported for type %s", FL_STR_ARG(name),
                   FL_TYPE_NAME(type));
}

/* What a field of one value is: value / per (per is 1 but for seconds and the like). */
typedef struct part {
    int64_t value;
    int64_t per;
} part;

/* Of a time in microseconds (per_us 1) or nanoseconds (1000). */
static inline __attribute__((always_inline)) bool part_of_time(fl_time_field field, int64_t x, int64_t per_us,
                                                               part *ret)
{
    *ret = (part){0, 1};
    switch (field) {
    case FL_FIELD_MICROSECONDS:
        *ret = (part){x % (60000000 * per_us), per_us};
        return true;
    case FL_FIELD_MILLISECONDS:
        *ret = (part){x % (60000000 * per_us), 1000 * per_us};
        return true;
    case FL_FIELD_SECOND:
        *ret = (part){x % (60000000 * per_us), 1000000 * per_us};
        return true;
    case FL_FIELD_NANOSECONDS:
        ret->value = x % (60000000 * per_us) * (1000 / per_us);
        return true;
    case FL_FIELD_MINUTE:
        ret->value = x / (60000000 * per_us) % 60;
        return true;
    case FL_FIELD_HOUR:
        ret->value = x / (3600000000LL * per_us);
        return true;
    default:
        return false;
    }
}

bool fl_time_part(fl_time_field field, int64_t us, int64_t *ret, int64_t *ret_per)
{
    part made;
    bool is = part_of_time(field, us, 1, &made);
    *ret = made.value;
    *ret_per = made.per;
    return is;
}

/* Years count without a year 0: 1 BC is -1. */
static int64_t age_of(int64_t year, int64_t span)
{
    return year > 0 ? (year + span - 1) / span : -((span - 1 - (year - 1)) / span);
}

static bool part_of_days(fl_time_field field, int64_t days, part *ret)
{
    *ret = (part){0, 1};
    switch (field) {
    case FL_FIELD_DOW:
        ret->value = ((days + 4) % 7 + 7) % 7;
        return true;
    case FL_FIELD_ISODOW:
        ret->value = ((days + 3) % 7 + 7) % 7 + 1;
        return true;
    case FL_FIELD_WEEK: {
        int32_t year;
        ret->value = fl_iso_week(days, &year);
        return true;
    }
    case FL_FIELD_ISOYEAR: {
        int32_t year;
        fl_iso_week(days, &year);
        ret->value = year > 0 ? year : year - 1;
        return true;
    }
    case FL_FIELD_YEARWEEK: {
        int32_t year, week = fl_iso_week(days, &year);
        ret->value = (year > 0 ? year : year - 1) * 100LL + (year > 0 ? week : -week);
        return true;
    }
    case FL_FIELD_JULIAN:
        ret->value = days + 2440588;
        return true;
    default:
        break;
    }
    fl_civil civil = fl_civil_from_days(days);
    int64_t year = civil.year;
    switch (field) {
    case FL_FIELD_DAY:
        ret->value = civil.day;
        return true;
    case FL_FIELD_MONTH:
        ret->value = civil.month;
        return true;
    case FL_FIELD_QUARTER:
        ret->value = (civil.month - 1) / 3 + 1;
        return true;
    case FL_FIELD_YEAR:
        ret->value = year > 0 ? year : year - 1;
        return true;
    case FL_FIELD_ERA:
        ret->value = year > 0;
        return true;
    case FL_FIELD_DECADE:
        ret->value = fl_floor_div(year, 10);
        return true;
    case FL_FIELD_CENTURY:
        ret->value = age_of(year, 100);
        return true;
    case FL_FIELD_MILLENNIUM:
        ret->value = age_of(year, 1000);
        return true;
    case FL_FIELD_DOY:
        ret->value = days - fl_days_from_civil(civil.year, 1, 1) + 1;
        return true;
    default:
        return false;
    }
}

static inline __attribute__((always_inline)) bool part_in(fl_time_field field, int64_t x, uint8_t unit, part *ret)
{
    int64_t per_day = fl_units_per_day(unit), per_us = per_day / FL_US_PER_DAY;
    int64_t days = fl_floor_div(x, per_day), rest = fl_floor_rest(x, days, per_day);
    if (field == FL_FIELD_EPOCH) {
        *ret = (part){x, 1000000 * per_us};
        return true;
    }
    return part_of_time(field, rest, per_us, ret) || part_of_days(field, days, ret);
}

/* Once for each unit, so that constants divide. */
static bool part_of_timestamp(fl_time_field field, int64_t x, uint8_t unit, part *ret)
{
    return unit == FL_NANO ? part_in(field, x, FL_NANO, ret) : part_in(field, x, FL_MICRO, ret);
}

static bool part_of_interval(fl_time_field field, fl_interval x, part *ret)
{
    int64_t years = x.months / 12, us = x.nanos / 1000;
    *ret = (part){0, 1};
    switch (field) {
    case FL_FIELD_NANOSECONDS:
    case FL_FIELD_MICROSECONDS:
    case FL_FIELD_MILLISECONDS:
    case FL_FIELD_SECOND:
    case FL_FIELD_MINUTE:
    case FL_FIELD_HOUR:
        return part_of_time(field, x.nanos, 1000, ret);
    case FL_FIELD_DAY:
        ret->value = x.days;
        return true;
    case FL_FIELD_MONTH:
        ret->value = x.months % 12;
        return true;
    case FL_FIELD_QUARTER:
        ret->value = x.months % 12 / 3 + 1;
        return true;
    case FL_FIELD_YEAR:
        ret->value = years;
        return true;
    case FL_FIELD_DECADE:
        ret->value = years / 10;
        return true;
    case FL_FIELD_CENTURY:
        ret->value = years / 100;
        return true;
    case FL_FIELD_MILLENNIUM:
        ret->value = years / 1000;
        return true;
    case FL_FIELD_EPOCH: { /* a year has 365.25 days, a month 30 */
        fl_i128 all = us + (fl_i128)(x.days + (int64_t)(x.months % 12) * 30) * FL_US_PER_DAY +
                      (fl_i128)years * (FL_US_PER_DAY / 4 * 1461);
        int64_t whole = (int64_t)all, nanos;
        if (all != whole) { /* so many seconds that a double has no room for their fraction */
            *ret = (part){(int64_t)(all / 1000000), 1};
            return true;
        }
        *ret = (part){whole, 1000000};
        if (!__builtin_mul_overflow(whole, 1000LL, &nanos) && !__builtin_add_overflow(nanos, x.nanos % 1000, &nanos))
            *ret = (part){nanos, 1000000000};
        return true;
    }
    default:
        return false;
    }
}

static bool part_of(const fl_call *call, fl_time_field field, int32_t row, part *ret)
{
    const fl_vec *x = &call->args[1];
    int64_t at = fl_vec_row(x, row);
    switch (x->type.id) {
    case FL_DATE: {
        int64_t days = ((const int32_t *)x->data)[at];
        if (field == FL_FIELD_EPOCH) {
            *ret = (part){days * 86400, 1};
            return true;
        }
        return part_of_days(field, days, ret) || (call->ret->type.id == FL_F64 && part_of_time(field, 0, 1, ret));
    }
    case FL_TIME:
        if (field == FL_FIELD_EPOCH) {
            *ret = (part){((const int64_t *)x->data)[at], 1000000};
            return true;
        }
        return part_of_time(field, ((const int64_t *)x->data)[at], 1, ret);
    case FL_INTERVAL:
        return part_of_interval(field, ((const fl_interval *)x->data)[at], ret);
    case FL_TIMESTAMPTZ:
        if (field >= FL_FIELD_TIMEZONE && field <= FL_FIELD_TIMEZONE_MINUTE) { /* the session's zone is UTC */
            *ret = (part){0, 1};
            return true;
        }
        break;
    default:
        break;
    }
    return part_of_timestamp(field, ((const int64_t *)x->data)[at], x->type.unit, ret);
}

/* -1 and 1 for dates and timestamps that stand for infinity. */
static int infinity_at(const fl_vec *x, int32_t row)
{
    int64_t at = fl_vec_row(x, row);
    if (x->type.id == FL_DATE) {
        int32_t days = ((const int32_t *)x->data)[at];
        return fl_date_is_finite(days) ? 0 : days < 0 ? -1 : 1;
    }
    if (!fl_type_is_timestamp(x->type))
        return 0;
    int64_t value = ((const int64_t *)x->data)[at];
    return fl_timestamp_is_finite(value) ? 0 : value < 0 ? -1 : 1;
}

static bool is_wanted(const fl_call *call, int32_t row)
{
    return fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row) && fl_vec_is_valid(&call->args[1], row);
}

static fl_status run(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_double = call->ret->type.id == FL_F64;
    fl_time_field field = FL_FIELD_NONE;
    uint64_t *own_valid = NULL;
    for (int32_t row = 0; row < call->rows; row++) {
        part value = {0, 1};
        if (call->state == NULL || field == FL_FIELD_NONE) {
            if (!is_wanted(call, row)) {
                ((int64_t *)(uintptr_t)call->ret->data)[row] = 0;
                continue;
            }
            FL_TRY(fl_time_field_get(call, row, &field, err));
        }
        int infinity = infinity_at(&call->args[1], row);
        if (FL_UNLIKELY(infinity != 0)) { /* infinity has an epoch, and no other field */
            ((int64_t *)(uintptr_t)call->ret->data)[row] = 0;
            if (is_double && field == FL_FIELD_EPOCH) {
                fl_ret_f64(call)[row] = infinity * INFINITY;
                continue;
            }
            if (own_valid == NULL)
                FL_TRY(fl_call_own_valid(call, &own_valid, err));
            fl_bit_clear(own_valid, row);
            continue;
        }
        if (!part_of(call, field, row, &value) && is_wanted(call, row)) /* a row before it may have been infinite */
            return fl_time_field_fail(call, row, call->args[1].type, err);
        if (is_double)
            fl_ret_f64(call)[row] = value.per == 1 ? (double)value.value : (double)value.value / (double)value.per;
        else
            fl_ret_i64(call)[row] = value.per == 1 ? value.value : fl_floor_div(value.value, value.per);
    }
cleanup:
    return st;
}

/* The common case, a year, month or day of dates or timestamps: a loop without a choice in it. */
static fl_status extract_day(fl_call *call, fl_err *err)
{
    const fl_vec *x = &call->args[1];
    fl_time_field field = call->state == NULL ? FL_FIELD_NONE : *(const fl_time_field *)call->state;
    bool is_known = field == FL_FIELD_YEAR || field == FL_FIELD_MONTH || field == FL_FIELD_DAY;
    int32_t days[FL_NEAR_DAYS_ROWS];
    if (!is_known || x->layout == FL_CONST || (x->type.id != FL_DATE && x->type.unit != FL_MICRO))
        return run(call, err);
    for (int32_t first = 0, n; first < call->rows; first += n) {
        int64_t *ret = fl_ret_i64(call) + first;
        n = call->rows - first < FL_NEAR_DAYS_ROWS ? call->rows - first : FL_NEAR_DAYS_ROWS;
        if (!fl_near_days(x, first, n, days))
            return run(call, err);
        for (int32_t i = 0; i < n && field == FL_FIELD_DAY; i++)
            ret[i] = fl_civil_from_near_days(days[i]).day;
        for (int32_t i = 0; i < n && field == FL_FIELD_MONTH; i++)
            ret[i] = fl_civil_from_near_days(days[i]).month;
        for (int32_t i = 0; i < n && field == FL_FIELD_YEAR; i++) {
            int32_t year = fl_civil_from_near_days(days[i]).year;
            ret[i] = year - (year <= 0);
        }
    }
    return FL_OK;
}

/* Ages ascend with time, so that their ends lie where time's do; what comes round has a range of its own. */
static fl_bounds bounds_extract(const fl_expr *call, const fl_bounds *args)
{
    static const struct {
        fl_time_field field;
        int32_t low, high;
        bool is_of_day; /* dates have none */
    } rounds[] = {{FL_FIELD_MONTH, 1, 12, false}, {FL_FIELD_QUARTER, 1, 4, false}, {FL_FIELD_WEEK, 1, 53, false},
                  {FL_FIELD_DAY, 1, 31, false},   {FL_FIELD_DOY, 1, 366, false},   {FL_FIELD_DOW, 0, 6, false},
                  {FL_FIELD_ISODOW, 1, 7, false}, {FL_FIELD_HOUR, 0, 23, true},    {FL_FIELD_MINUTE, 0, 59, true}};
    const fl_expr *name = call->args[0];
    fl_type type = call->args[1]->type;
    part low, high;
    if (name->kind != FL_EXPR_CONST || name->value->is_null || (type.id != FL_DATE && !fl_type_is_timestamp(type)))
        return (fl_bounds){0};
    fl_time_field field = fl_time_field_of(name->value->s);
    for (int64_t i = 0; i < FL_LEN(rounds); i++)
        if (rounds[i].field == field && !(rounds[i].is_of_day && type.id == FL_DATE))
            return (fl_bounds){true, rounds[i].low, rounds[i].high};
    if (field != FL_FIELD_YEAR && field != FL_FIELD_DECADE && field != FL_FIELD_CENTURY &&
        field != FL_FIELD_MILLENNIUM && field != FL_FIELD_ISOYEAR)
        return (fl_bounds){0};
    if (!args[1].is_known || args[1].low <= INT64_MIN || args[1].high >= INT64_MAX ||
        (type.id == FL_DATE && (args[1].low <= INT32_MIN || args[1].high >= INT32_MAX))) /* infinity has no year */
        return (fl_bounds){0};
    int64_t per_day = type.id == FL_DATE ? 1 : fl_units_per_day(type.unit);
    if (!part_of_days(field, fl_floor_div((int64_t)args[1].low, per_day), &low) ||
        !part_of_days(field, fl_floor_div((int64_t)args[1].high, per_day), &high))
        return (fl_bounds){0};
    return (fl_bounds){true, low.value, high.value};
}

#define TRAITS                                                                                                 \
    (FL_PURE | FL_NULL_GIVES_NULL | FL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_NANOS | FL_PREPARED | \
     FL_LOCAL_TIME)

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "extract", .traits = TRAITS, .prepare = fl_time_field_prepare,
     .bounds = bounds_extract,
     .doc = "extract(field FROM x): a field of a date, time, timestamp or interval, as an integer",
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_DATE), FL_I64, 0, extract_day},
                                             {FL_ARGS(FL_UTF8, FL_TIMESTAMP), FL_I64, 0, extract_day},
                                             {FL_ARGS(FL_UTF8, FL_TIMESTAMPTZ), FL_I64, 0, extract_day},
                                             {FL_ARGS(FL_UTF8, FL_TIME), FL_I64, 0, run},
                                             {FL_ARGS(FL_UTF8, FL_INTERVAL), FL_I64, 0, run}},
     .n_overloads = 5},
    {FL_DESC(fl_func_desc), .name = "date_part", .traits = TRAITS, .prepare = fl_time_field_prepare,
     .doc = "date_part(field, x): a field of a date, time, timestamp or interval, as a double",
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_TIMESTAMP), FL_F64, 0, run},
                                             {FL_ARGS(FL_UTF8, FL_DATE), FL_F64, 0, run},
                                             {FL_ARGS(FL_UTF8, FL_TIMESTAMPTZ), FL_F64, 0, run},
                                             {FL_ARGS(FL_UTF8, FL_TIME), FL_F64, 0, run},
                                             {FL_ARGS(FL_UTF8, FL_INTERVAL), FL_F64, 0, run}},
     .n_overloads = 5},
};

FL_FUNC_SET(extract, funcs);
