/* date_diff(part, a, b): how many borders of years, months, hours, ... lie between a and b; date_sub: how many of these fit between
 * them as a whole. Both are negative where b is before a. Infinity is no number of parts away: null. */
#include "func/time/field.h"

#include "func/time/moment.h"

typedef fl_i128 (*counter)(fl_time_field field, const fl_moment *a, const fl_moment *b);

#define UNKNOWN_PART ((fl_i128)1 << 100) /* more than any difference */

/* Nanoseconds of a part of fixed length of at most a day, 0 of others. */
static int64_t nanos_of(fl_time_field field)
{
    switch (field) {
    case FL_FIELD_NANOSECONDS:
        return 1;
    case FL_FIELD_MICROSECONDS:
        return 1000;
    case FL_FIELD_MILLISECONDS:
        return 1000000;
    case FL_FIELD_SECOND:
    case FL_FIELD_EPOCH:
        return 1000000000;
    case FL_FIELD_MINUTE:
        return 60000000000LL;
    case FL_FIELD_HOUR:
        return 3600000000000LL;
    case FL_FIELD_DAY:
    case FL_FIELD_DOW:
    case FL_FIELD_ISODOW:
    case FL_FIELD_DOY:
    case FL_FIELD_JULIAN:
        return FL_NS_PER_DAY;
    default:
        return 0;
    }
}

/* Months of a part, 0 where it is none of months. */
static int64_t months_of(fl_time_field field)
{
    return field == FL_FIELD_MONTH        ? 1
           : field == FL_FIELD_QUARTER    ? 3
           : field == FL_FIELD_YEAR       ? 12
           : field == FL_FIELD_ISOYEAR    ? 12
           : field == FL_FIELD_DECADE     ? 120
           : field == FL_FIELD_CENTURY    ? 1200
           : field == FL_FIELD_MILLENNIUM ? 12000
                                          : 0;
}

static bool is_week(fl_time_field field)
{
    return field == FL_FIELD_WEEK || field == FL_FIELD_YEARWEEK;
}

static fl_i128 count_borders(fl_time_field field, const fl_moment *a, const fl_moment *b)
{
    int64_t nanos = nanos_of(field), months = months_of(field);
    if (nanos > 0) /* a day has a whole number of them */
        return ((fl_i128)b->days - a->days) * (FL_NS_PER_DAY / nanos) + b->nanos / nanos - a->nanos / nanos;
    if (is_week(field))
        return ((fl_i128)b->days - a->days) / 7; /* whole weeks: DuckDB's are no borders */
    if (field == FL_FIELD_ISOYEAR) {
        int32_t from, to;
        fl_iso_week(a->days, &from);
        fl_iso_week(b->days, &to);
        return (fl_i128)to - from;
    }
    if (months == 0)
        return UNKNOWN_PART;
    int64_t from = a->date.year * 12LL + a->date.month - 1, to = b->date.year * 12LL + b->date.month - 1;
    return fl_floor_div(to, months) - fl_floor_div(from, months);
}

/* From a to b, which is not before it. The last day of a month that is shorter than a's counts as a's day. */
static int64_t whole_months(const fl_moment *a, const fl_moment *b)
{
    int64_t months = (b->date.year - a->date.year) * 12LL + b->date.month - a->date.month;
    int32_t last = fl_days_in_month(b->date.year, b->date.month);
    int32_t day = a->date.day > last ? last : a->date.day;
    return months - (b->date.day < day || (b->date.day == day && b->nanos < a->nanos));
}

static bool is_before(const fl_moment *a, const fl_moment *b)
{
    return a->days != b->days ? a->days < b->days : a->nanos < b->nanos;
}

static fl_i128 count_whole(fl_time_field field, const fl_moment *a, const fl_moment *b)
{
    int64_t nanos = is_week(field) ? 7 * FL_NS_PER_DAY : nanos_of(field), months = months_of(field);
    if (nanos > 0)
        return (((fl_i128)b->days - a->days) * FL_NS_PER_DAY + b->nanos - a->nanos) / nanos;
    if (months == 0)
        return UNKNOWN_PART;
    return (is_before(b, a) ? -whole_months(b, a) : whole_months(a, b)) / months;
}

/* False: it is infinite. */
static bool moment_at(const fl_vec *x, int32_t row, fl_moment *ret)
{
    int64_t at = fl_vec_row(x, row);
    if (x->type.id == FL_TIME) {
        *ret = (fl_moment){.nanos = ((const int64_t *)x->data)[at] * 1000};
        return true;
    }
    if (x->type.id == FL_DATE) {
        int32_t days = ((const int32_t *)x->data)[at];
        *ret = (fl_moment){.days = days};
        if (fl_date_is_finite(days))
            ret->date = fl_civil_from_days(days);
        return fl_date_is_finite(days);
    }
    int64_t value = ((const int64_t *)x->data)[at];
    if (!fl_timestamp_is_finite(value))
        return false;
    *ret = fl_moment_of(value, x->type.unit);
    return true;
}

static bool is_wanted(const fl_call *call, int32_t row)
{
    bool wanted = fl_call_wants(call, row);
    for (int32_t a = 0; a < 3; a++)
        wanted &= fl_vec_is_valid(&call->args[a], row);
    return wanted;
}

static fl_status run(fl_call *call, counter count, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_time_field field;
        fl_moment a, b;
        fl_ret_i64(call)[row] = 0;
        if (!is_wanted(call, row))
            continue;
        FL_TRY(fl_time_field_get(call, row, &field, err));
        if (!moment_at(&call->args[1], row, &a) || !moment_at(&call->args[2], row, &b)) {
            if (valid == NULL)
                FL_TRY(fl_call_own_valid(call, &valid, err));
            fl_bit_clear(valid, row);
            continue;
        }
        bool is_time = call->args[1].type.id == FL_TIME;
        fl_i128 n = is_time && nanos_of(field) == 0 ? UNKNOWN_PART : count(field, &a, &b);
        if (n == UNKNOWN_PART || (is_time && nanos_of(field) == FL_NS_PER_DAY))
            return fl_time_field_fail(call, row, call->args[1].type, err);
        if (n < INT64_MIN || n > INT64_MAX)
            return FL_FAIL(err, FL_ERR_RANGE, "the difference is out of range for type bigint");
        fl_ret_i64(call)[row] = (int64_t)n;
    }
cleanup:
    return st;
}

static int32_t month_number(int32_t days)
{
    fl_civil day = fl_civil_from_near_days(days);
    return day.year * 12 + day.month - 1;
}

/* The common case, days and what months are counted in, a block at a time. */
static fl_status date_diff(fl_call *call, fl_err *err)
{
    fl_time_field field = call->state == NULL ? FL_FIELD_NONE : *(const fl_time_field *)call->state;
    const fl_vec *x = &call->args[1], *y = &call->args[2];
    int32_t months = field == FL_FIELD_ISOYEAR ? 0 : (int32_t)months_of(field), from[FL_NEAR_DAYS_ROWS],
            to[FL_NEAR_DAYS_ROWS];
    bool has_days = x->type.id == FL_DATE || (fl_type_is_timestamp(x->type) && x->type.unit == FL_MICRO);
    if (!has_days || (months == 0 && field != FL_FIELD_DAY))
        return run(call, count_borders, err);
    for (int32_t first = 0, n; first < call->rows; first += n) {
        int64_t *ret = fl_ret_i64(call) + first;
        n = call->rows - first < FL_NEAR_DAYS_ROWS ? call->rows - first : FL_NEAR_DAYS_ROWS;
        if (!fl_near_days(x, first, n, from) || !fl_near_days(y, first, n, to))
            return run(call, count_borders, err);
        for (int32_t i = 0; i < n && months == 0; i++)
            ret[i] = to[i] - from[i];
        for (int32_t i = 0; i < n && months == 1; i++)
            ret[i] = month_number(to[i]) - month_number(from[i]);
        for (int32_t i = 0; i < n && months > 1; i++)
            ret[i] = fl_floor_div(month_number(to[i]), months) - fl_floor_div(month_number(from[i]), months);
    }
    return FL_OK;
}

static fl_status date_sub(fl_call *call, fl_err *err)
{
    return run(call, count_whole, err);
}

#define TRAITS                                                                                                 \
    (FL_PURE | FL_NULL_GIVES_NULL | FL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_NANOS | FL_CAN_FAIL | \
     FL_LOCAL_TIME)

#define DIFFERENCE(name_, run_, doc_)                                                                             \
    {FL_DESC(fl_func_desc),                                                                                       \
     .name = name_,                                                                                               \
     .traits = TRAITS,                                                                                            \
     .prepare = fl_time_field_prepare,                                                                            \
     .doc = name_ "(part, a, b): " doc_,                                                                          \
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_DATE, FL_DATE), FL_I64, 0, run_},               \
                                             {FL_ARGS(FL_UTF8, FL_TIMESTAMP, FL_TIMESTAMP), FL_I64, 0, run_},     \
                                             {FL_ARGS(FL_UTF8, FL_TIMESTAMPTZ, FL_TIMESTAMPTZ), FL_I64, 0, run_}, \
                                             {FL_ARGS(FL_UTF8, FL_TIME, FL_TIME), FL_I64, 0, run_}},              \
     .n_overloads = 4}

static const fl_func_desc funcs[] = {
    DIFFERENCE("date_diff", date_diff, "how many borders of that part of time lie from a to b"),
    DIFFERENCE("date_sub", date_sub, "how many whole parts of time of that kind lie from a to b"),
};

FL_FUNC_SET(time_difference, funcs);
