/* Times and numbers: to_days(n) and others make intervals of one unit; epoch_ms(x) and others count units since 1970, or make a
 * timestamp of such a count, as make_timestamp_ms(n) and others do. */
#include "func/time/moment.h"

#include <math.h>

static fl_status fail_range(fl_err *err, const char *what)
{
    return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "%s out of range", what));
}

/* ---- intervals ----------------------------------------------------------------------------------------------------- */

/* x of a unit: as months, days or nanoseconds. */
typedef struct unit {
    int64_t months, days, nanos;
} unit;

static bool interval_of(int64_t x, unit u, fl_interval *ret)
{
    int64_t months, days;
    bool fits = !__builtin_mul_overflow(x, u.months, &months) && !__builtin_mul_overflow(x, u.days, &days) &&
                months == (int32_t)months && days == (int32_t)days && !__builtin_mul_overflow(x, u.nanos, &ret->nanos);
    ret->months = fits ? (int32_t)months : 0;
    ret->days = fits ? (int32_t)days : 0;
    return fits;
}

static fl_status of_whole(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++)
        if (!interval_of(fl_arg_i64(call, 0)[row], *(const unit *)call->func->ctx, &fl_ret_interval(call)[row]) &&
            fl_call_wants(call, row))
            return fail_range(err, "interval");
    return FL_OK;
}

/* Rounded to microseconds, as all that is read or made is. */
static fl_status of_double(fl_call *call, fl_err *err)
{
    const unit *u = call->func->ctx;
    for (int32_t row = 0; row < call->rows; row++) {
        double us = rint(fl_arg_f64(call, 0)[row] * ((double)u->nanos / 1000));
        bool fits = fabs(us) < 9.2e15;
        fl_ret_interval(call)[row] = (fl_interval){.nanos = fits ? (int64_t)us * 1000 : 0};
        if (!fits && fl_call_wants(call, row))
            return fail_range(err, "interval");
    }
    return FL_OK;
}

static const unit millennia = {12000, 0, 0}, centuries = {1200, 0, 0}, decades = {120, 0, 0}, years = {12, 0, 0},
                  quarters = {3, 0, 0}, months = {1, 0, 0}, weeks = {0, 7, 0}, days = {0, 1, 0},
                  hours = {0, 0, 3600000000000LL}, minutes = {0, 0, 60000000000LL}, seconds = {0, 0, 1000000000},
                  milliseconds = {0, 0, 1000000}, microseconds = {0, 0, 1000};

/* ---- counts since 1970 --------------------------------------------------------------------------------------------- */

/* What a value is in nanoseconds; false: it is infinite. */
static bool nanos_at(const fl_vec *x, int32_t row, fl_i128 *ret)
{
    if (x->type.id == FL_DATE) {
        int32_t day = ((const int32_t *)x->data)[row];
        *ret = (fl_i128)day * FL_NS_PER_DAY;
        return fl_date_is_finite(day);
    }
    if (x->type.id == FL_INTERVAL) { /* as its epoch is: a year has 365.25 days, another month 30 */
        fl_interval v = ((const fl_interval *)x->data)[row];
        *ret = (fl_i128)v.nanos + ((fl_i128)v.days + v.months % 12 * 30LL) * FL_NS_PER_DAY +
               (fl_i128)(v.months / 12) * (FL_NS_PER_DAY / 4 * 1461);
        return true;
    }
    int64_t value = ((const int64_t *)x->data)[row];
    *ret = (fl_i128)value * (fl_type_is_timestamp(x->type) && x->type.unit == FL_NANO ? 1 : 1000);
    return x->type.id == FL_TIME || fl_timestamp_is_finite(value);
}

static fl_status count(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    int64_t per = ((const unit *)call->func->ctx)->nanos;
    bool is_stamp = fl_type_is_timestamp(call->args[0].type) && per > 1;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_i128 nanos;
        if (!nanos_at(&call->args[0], row, &nanos)) {
            if (valid == NULL)
                FL_TRY(fl_call_own_valid(call, &valid, err));
            fl_bit_clear(valid, row);
            nanos = 0;
        }
        fl_i128 rest = nanos % per,
                half = is_stamp ? (per + 1) / 2 : per; /* DuckDB rounds timestamps and cuts off what else there is */
        nanos = nanos / per + (rest >= half) - (-rest >= half);
        fl_ret_i64(call)[row] = (int64_t)nanos;
        if (nanos != (int64_t)nanos && fl_call_wants(call, row))
            return FL_FAIL(err, FL_ERR_RANGE, "%s is out of range for type bigint", call->func->name);
    }
cleanup:
    return st;
}

static fl_status stamp_of(fl_call *call, int64_t numerator, int64_t divisor, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t us, x = fl_arg_i64(call, 0)[row];
        bool fits = !__builtin_mul_overflow(fl_floor_div(x, divisor), numerator, &us) && fl_us_fits(us);
        fl_ret_i64(call)[row] = fits ? us : 0;
        if (!fits && fl_call_wants(call, row))
            return fail_range(err, "timestamp");
    }
    return FL_OK;
}

static fl_status stamp_of_ms(fl_call *call, fl_err *err)
{
    return stamp_of(call, 1000, 1, err);
}

static fl_status stamp_of_us(fl_call *call, fl_err *err)
{
    return stamp_of(call, 1, 1, err);
}

/* Nanoseconds stay what they are: the type's unit is set by the resolver. */
static fl_status stamp_of_ns(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t x = fl_arg_i64(call, 0)[row];
        fl_ret_i64(call)[row] = x;
        if (!fl_timestamp_is_finite(x) && fl_call_wants(call, row))
            return fail_range(err, "timestamp");
    }
    return FL_OK;
}

static fl_status resolve_ns(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1 || (args[0].id != FL_NULL && !fl_cast_is_implicit(args[0], FL_TYPE(FL_I64), NULL)))
        return FL_FAIL(err, FL_ERR_FUNCTION, "an integer was expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_I64)},
                            .n_args = 1,
                            .ret = {.id = FL_TIMESTAMP, .unit = FL_NANO},
                            .traits = FL_CAN_FAIL,
                            .run = stamp_of_ns};
    return FL_OK;
}

/* ---- descriptors --------------------------------------------------------------------------------------------------- */

#define FUNC(name_, ctx_, traits_, doc_, ...)              \
    {FL_DESC(fl_func_desc),                                \
     .name = name_,                                        \
     .ctx = (void *)(uintptr_t)(ctx_),                     \
     .traits = FL_PURE | FL_NULL_GIVES_NULL | (traits_),   \
     .doc = doc_,                                          \
     .overloads = (const fl_func_overload[]){__VA_ARGS__}, \
     .n_overloads = (int32_t)FL_LEN(((const fl_func_overload[]){__VA_ARGS__}))}
#define WHOLE(name)                                                          \
    FUNC("to_" #name, &name, 0, "to_" #name "(n): the interval of n " #name, \
         {FL_ARGS(FL_I64), FL_INTERVAL, FL_CAN_FAIL, of_whole})
#define REAL(name)                                                           \
    FUNC("to_" #name, &name, 0, "to_" #name "(n): the interval of n " #name, \
         {FL_ARGS(FL_F64), FL_INTERVAL, FL_CAN_FAIL, of_double})
#define COUNTS                                                                                                 \
    {FL_ARGS(FL_DATE), FL_I64, FL_CAN_FAIL, count}, {FL_ARGS(FL_TIMESTAMP), FL_I64, FL_CAN_FAIL, count},       \
        {FL_ARGS(FL_TIMESTAMPTZ), FL_I64, FL_CAN_FAIL, count}, {FL_ARGS(FL_TIME), FL_I64, FL_CAN_FAIL, count}, \
    {                                                                                                          \
        FL_ARGS(FL_INTERVAL), FL_I64, FL_CAN_FAIL, count                                                       \
    }
static const unit nanoseconds = {0, 0, 1};

static const fl_func_desc funcs[] = {
    WHOLE(millennia),
    WHOLE(centuries),
    WHOLE(decades),
    WHOLE(years),
    WHOLE(quarters),
    WHOLE(months),
    WHOLE(weeks),
    WHOLE(days),
    WHOLE(hours),
    WHOLE(minutes),
    REAL(seconds),
    REAL(milliseconds),
    WHOLE(microseconds),
    FUNC("epoch_ms", &milliseconds, FL_NANOS | FL_GIVES_NULL,
         "epoch_ms(x): milliseconds since 1970; epoch_ms(n): the timestamp of so many", COUNTS,
         {FL_ARGS(FL_I64), FL_TIMESTAMP, FL_CAN_FAIL, stamp_of_ms}),
    FUNC("epoch_us", &microseconds, FL_NANOS | FL_GIVES_NULL, "epoch_us(x): microseconds since 1970", COUNTS),
    FUNC("epoch_ns", &nanoseconds, FL_NANOS | FL_GIVES_NULL, "epoch_ns(x): nanoseconds since 1970", COUNTS),
    FUNC("make_timestamp_ms", NULL, 0, "make_timestamp_ms(n): the timestamp n milliseconds after 1970-01-01",
         {FL_ARGS(FL_I64), FL_TIMESTAMP, FL_CAN_FAIL, stamp_of_ms}),
    FUNC("make_timestamp_us", NULL, 0, "make_timestamp_us(n): the timestamp n microseconds after 1970-01-01",
         {FL_ARGS(FL_I64), FL_TIMESTAMP, FL_CAN_FAIL, stamp_of_us}),
    {FL_DESC(fl_func_desc), .name = "make_timestamp_ns", .traits = FL_PURE | FL_NULL_GIVES_NULL, .resolve = resolve_ns,
     .doc = "make_timestamp_ns(n): the timestamp n nanoseconds after 1970-01-01"},
};

FL_FUNC_SET(time_number, funcs);
