/* time_bucket(width, x [, offset | origin]) and date_bin(width, x, origin): the start of the stretch of time that holds x, where
 * stretches of that width lie side by side.
 *
 * Widths are months or a fixed time, never both. Without an origin stretches of fixed time begin on Monday, 2000-01-03, those of months
 * in January 2000 (time_bucket, as in DuckDB). date_bin takes no months (PostgreSQL, section 9.9.3). */
#include "func/time/moment.h"

#define MONDAY_2000 10959 /* days */
#define JANUARY_2000 360  /* months since January 1970 */

/* What a row asks for. */
typedef struct bucket {
    int64_t months;
    fl_i128 nanos;
    fl_interval offset;
    bool has_origin;
    int64_t origin_days, origin_nanos;
} bucket;

static fl_status fail_range(fl_err *err)
{
    return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
}

static fl_status read_width(fl_call *call, int32_t row, bool takes_months, bucket *ret, fl_err *err)
{
    fl_interval width = fl_arg_interval(call, 0)[row];
    ret->months = width.months;
    ret->nanos = (fl_i128)width.days * FL_NS_PER_DAY + width.nanos;
    if (width.months != 0 && (ret->nanos != 0 || !takes_months))
        return FL_FAIL(err, FL_ERR_UNSUPPORTED,
                       takes_months ? "a width is of months, or of days and times, not of both"
                                    : "timestamps cannot be binned into months or years");
    if (ret->months < 0 || ret->nanos < 0 || (ret->months == 0 && ret->nanos == 0))
        return fl_err_state(err, takes_months ? "22023" : "22008",
                            FL_FAIL(err, FL_ERR_VALUE, "the width of a stretch of time is greater than zero"));
    return FL_OK;
}

/* Infinity has no place to begin: false. */
static bool read_moment(const fl_vec *x, int32_t row, int64_t *ret_days, int64_t *ret_nanos)
{
    if (x->type.id == FL_DATE) {
        *ret_days = ((const int32_t *)x->data)[row];
        *ret_nanos = 0;
        return fl_date_is_finite(*ret_days);
    }
    int64_t value = ((const int64_t *)x->data)[row];
    if (!fl_timestamp_is_finite(value))
        return false;
    fl_moment moment = fl_moment_of(value, x->type.unit);
    *ret_days = moment.days;
    *ret_nanos = moment.nanos;
    return true;
}

static fl_i128 floor_div(fl_i128 a, fl_i128 b)
{
    return a / b - (a % b != 0 && a % b < 0);
}

/* Days and nanoseconds of `days` moved by an interval. */
static void move(int64_t *days, int64_t *nanos, fl_interval by, int64_t sign)
{
    if (by.months != 0)
        *days = fl_days_add_months(*days, sign * by.months);
    fl_i128 all = ((fl_i128)*days + sign * by.days) * FL_NS_PER_DAY + *nanos + (fl_i128)sign * by.nanos;
    *days = (int64_t)floor_div(all, FL_NS_PER_DAY);
    *nanos = (int64_t)(all - (fl_i128)*days * FL_NS_PER_DAY);
}

static int64_t month_of(int64_t days)
{
    fl_civil civil = fl_civil_from_days(days);
    return (civil.year - 1970LL) * 12 + civil.month - 1;
}

/* Where the stretch begins that holds the moment, which is replaced. */
static void find_start(const bucket *b, int64_t *days, int64_t *nanos)
{
    if (b->months > 0) {
        int64_t origin = b->has_origin ? month_of(b->origin_days) : JANUARY_2000;
        int64_t month = origin + fl_floor_div(month_of(*days) - origin, b->months) * b->months;
        *days = fl_days_from_civil((int32_t)(1970 + fl_floor_div(month, 12)), (int32_t)fl_floor_mod(month, 12) + 1, 1);
        *nanos = 0;
        return;
    }
    fl_i128 origin = b->has_origin ? (fl_i128)b->origin_days * FL_NS_PER_DAY + b->origin_nanos
                                   : (fl_i128)MONDAY_2000 * FL_NS_PER_DAY;
    fl_i128 at = (fl_i128)*days * FL_NS_PER_DAY + *nanos;
    at = origin + floor_div(at - origin, b->nanos) * b->nanos;
    *days = (int64_t)floor_div(at, FL_NS_PER_DAY);
    *nanos = (int64_t)(at - (fl_i128)*days * FL_NS_PER_DAY);
}

/* Writes a moment in the result's type; false: it is out of range. */
static bool put(fl_call *call, int32_t row, int64_t days, int64_t nanos)
{
    if (call->ret->type.id == FL_DATE) {
        fl_ret_i32(call)[row] = (int32_t)days;
        return fl_date_fits(days);
    }
    bool is_nano = call->ret->type.unit == FL_NANO;
    fl_i128 value = (fl_i128)days * fl_units_per_day(call->ret->type.unit) + nanos / (is_nano ? 1 : 1000);
    fl_ret_i64(call)[row] = (int64_t)value;
    return value == (int64_t)value && (is_nano ? fl_timestamp_is_finite((int64_t)value) : fl_us_fits((int64_t)value));
}

/* An infinite x is its own stretch. */
static void put_infinity(fl_call *call, int32_t row)
{
    if (call->ret->type.id == FL_DATE)
        fl_ret_i32(call)[row] = fl_arg_i32(call, 1)[row];
    else
        fl_ret_i64(call)[row] = fl_arg_i64(call, 1)[row];
}

static fl_status run(fl_call *call, bool takes_months, fl_err *err)
{
    fl_status st = FL_OK;
    bool has_offset = call->n_args == 3 && call->args[2].type.id == FL_INTERVAL;
    for (int32_t row = 0; row < call->rows; row++) {
        bucket b = {0};
        int64_t days, nanos;
        if (call->ret->type.id == FL_DATE)
            fl_ret_i32(call)[row] = 0;
        else
            fl_ret_i64(call)[row] = 0;
        if (!fl_call_wants(call, row))
            continue;
        FL_TRY(read_width(call, row, takes_months, &b, err));
        if (has_offset)
            b.offset = fl_arg_interval(call, 2)[row];
        else if (call->n_args == 3)
            b.has_origin = read_moment(&call->args[2], row, &b.origin_days, &b.origin_nanos);
        if (call->n_args == 3 && !has_offset && !b.has_origin)
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "the origin is out of range"));
        if (!read_moment(&call->args[1], row, &days, &nanos)) {
            put_infinity(call, row);
            continue;
        }
        move(&days, &nanos, b.offset, -1);
        find_start(&b, &days, &nanos);
        move(&days, &nanos, b.offset, 1);
        if (!put(call, row, days, nanos))
            return fail_range(err);
    }
cleanup:
    return st;
}

static fl_status time_bucket(fl_call *call, fl_err *err)
{
    return run(call, true, err);
}

static fl_status date_bin(fl_call *call, fl_err *err)
{
    return run(call, false, err);
}

#define TRAITS (FL_PURE | FL_NULL_GIVES_NULL | FL_NANOS | FL_CAN_FAIL | FL_LOCAL_TIME)
#define BUCKETS(type)                                                    \
    {FL_ARGS(FL_INTERVAL, type), type, 0, time_bucket},                  \
        {FL_ARGS(FL_INTERVAL, type, FL_INTERVAL), type, 0, time_bucket}, \
    {                                                                    \
        FL_ARGS(FL_INTERVAL, type, type), type, 0, time_bucket           \
    }

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "time_bucket", .traits = TRAITS,
     .doc = "time_bucket(width, x [, offset | origin]): the start of the stretch of time of that width that holds x",
     .overloads = (const fl_func_overload[]){BUCKETS(FL_DATE), BUCKETS(FL_TIMESTAMP), BUCKETS(FL_TIMESTAMPTZ)},
     .n_overloads = 9},
    {FL_DESC(fl_func_desc), .name = "date_bin", .traits = TRAITS,
     .doc = "date_bin(width, x, origin): the start of the stretch of time, counted from the origin, that holds x",
     .overloads =
         (const fl_func_overload[]){
             {FL_ARGS(FL_INTERVAL, FL_TIMESTAMP, FL_TIMESTAMP), FL_TIMESTAMP, 0, date_bin},
             {FL_ARGS(FL_INTERVAL, FL_TIMESTAMPTZ, FL_TIMESTAMPTZ), FL_TIMESTAMPTZ, 0, date_bin}},
     .n_overloads = 2},
};

FL_FUNC_SET(time_bucket, funcs);
