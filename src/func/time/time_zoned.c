/* Times of day with an offset: sums, fields, other zones, and those of a session's zone, as PostgreSQL has them (9.9). A name with
 * "timetz " in front is called where an argument is one. Relies on base/time_zoned.h. */
#include "base/time_zoned.h"

#include "func/time/field.h"

#include "exec/session_state.h"
#include "func/time/moment.h"
#include "func/time/zone.h"
#include "plan/expr.h"

#define TIMETZ ((fl_type){.id = FL_I64, .extension = FL_TIMETZ})

static bool wants(const fl_call *call, int32_t row)
{
    bool is = fl_call_wants(call, row);
    for (int32_t a = 0; a < call->n_args && is; a++)
        is = fl_vec_is_valid(&call->args[a], row);
    return is;
}

static int64_t number_at(const fl_vec *vec, int32_t row)
{
    return ((const int64_t *)vec->data)[fl_vec_row(vec, row)];
}

/* The time of day in microseconds, of whatever day it falls on, with that offset. */
static int64_t in_day(int64_t local, int32_t offset)
{
    return fl_time_zoned_of(fl_floor_mod(local, FL_US_PER_DAY), offset);
}

/* ---- sums ------------------------------------------------------------------------------------------------------------ */

/* Clocks go round: months and days change nothing. */
static fl_status add_interval(fl_call *call, int32_t time, int64_t sign)
{
    const fl_vec *spans = &call->args[1 - time];
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_i64(call)[row] = 0;
        if (!wants(call, row))
            continue;
        int64_t x = number_at(&call->args[time], row);
        int64_t us = ((const fl_interval *)spans->data)[fl_vec_row(spans, row)].nanos / 1000 % FL_US_PER_DAY;
        fl_ret_i64(call)[row] = in_day(fl_time_zoned_local(x) + sign * us, fl_time_zoned_offset(x));
    }
    return FL_OK;
}

static fl_status add_date(fl_call *call, int32_t time, fl_err *err)
{
    const fl_vec *days = &call->args[1 - time];
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t us, x;
        fl_ret_i64(call)[row] = 0;
        if (!wants(call, row))
            continue;
        x = number_at(&call->args[time], row);
        bool is_in_range = fl_date_to_us(((const int32_t *)days->data)[fl_vec_row(days, row)], &us);
        if (is_in_range && fl_timestamp_is_finite(us))
            is_in_range = !__builtin_add_overflow(us, fl_time_zoned_local(x), &us) &&
                          !__builtin_sub_overflow(us, fl_time_zoned_offset(x) * FL_US_PER_SECOND, &us) &&
                          fl_us_fits(us);
        if (!is_in_range)
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
        fl_ret_i64(call)[row] = us;
    }
    return FL_OK;
}

static fl_status plus(fl_call *call, fl_err *err)
{
    int32_t time = call->args[0].type.extension == FL_TIMETZ ? 0 : 1;
    return call->args[1 - time].type.id == FL_DATE ? add_date(call, time, err) : add_interval(call, time, 1);
}

static fl_status minus(fl_call *call, fl_err *err)
{
    (void)err;
    return add_interval(call, 0, -1);
}

static fl_status resolve_plus(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    int32_t time = n_args == 2 && args[1].extension == FL_TIMETZ ? 1 : 0;
    fl_type other = n_args == 2 ? args[1 - time] : FL_TYPE(FL_NULL);
    bool is_date = other.id == FL_DATE;
    if (n_args != 2 || (!is_date && other.id != FL_INTERVAL && other.id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "an interval or a date was expected");
    *ret = (fl_func_choice){.n_args = 2, .ret = is_date ? FL_TYPE(FL_TIMESTAMPTZ) : TIMETZ, .run = plus};
    ret->args[time] = TIMETZ;
    ret->args[1 - time] = is_date ? other : FL_TYPE(FL_INTERVAL);
    return FL_OK;
}

static fl_status resolve_minus(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 2 || args[0].extension != FL_TIMETZ || (args[1].id != FL_INTERVAL && args[1].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a timetz and an interval were expected");
    *ret = (fl_func_choice){.args = {TIMETZ, FL_TYPE(FL_INTERVAL)}, .n_args = 2, .ret = TIMETZ, .run = minus};
    return FL_OK;
}

/* ---- fields ---------------------------------------------------------------------------------------------------------- */

/* *ret / *ret_per; false: a time has no such field. */
static bool part_of(fl_time_field field, int64_t x, int64_t *ret, int64_t *ret_per)
{
    int64_t local = fl_time_zoned_local(x), offset = fl_time_zoned_offset(x);
    *ret_per = 1;
    switch (field) {
    case FL_FIELD_EPOCH:
        *ret = local - offset * FL_US_PER_SECOND;
        *ret_per = FL_US_PER_SECOND;
        return true;
    case FL_FIELD_TIMEZONE:
        *ret = offset;
        return true;
    case FL_FIELD_TIMEZONE_HOUR:
        *ret = offset / 3600;
        return true;
    case FL_FIELD_TIMEZONE_MINUTE:
        *ret = offset / 60 % 60;
        return true;
    default:
        return fl_time_part(field, local, ret, ret_per);
    }
}

static fl_status fields(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_time_field field;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t value, per;
        fl_ret_i64(call)[row] = 0; /* of as many bytes as a double */
        if (!wants(call, row))
            continue;
        FL_TRY(fl_time_field_get(call, row, &field, err));
        if (!part_of(field, number_at(&call->args[1], row), &value, &per))
            return fl_time_field_fail(call, row, TIMETZ, err);
        if (call->ret->type.id == FL_F64)
            fl_ret_f64(call)[row] = (double)value / (double)per;
        else
            fl_ret_i64(call)[row] = fl_floor_div(value, per);
    }
cleanup:
    return st;
}

static fl_status resolve_fields(const fl_type *args, int32_t n_args, fl_type made, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 2 || !(fl_type_is_text(args[0]) || args[0].id == FL_NULL) || args[1].extension != FL_TIMETZ)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a field's name and a timetz were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), TIMETZ}, .n_args = 2, .ret = made, .run = fields};
    return FL_OK;
}

static fl_status resolve_extract(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_fields(args, n_args, FL_TYPE(FL_I64), ret, err);
}

static fl_status resolve_date_part(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_fields(args, n_args, FL_TYPE(FL_F64), ret, err);
}

/* hour(x) and its kin become extract, epoch(x) date_part. */
static fl_status expand_field(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                              int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *field = NULL;
    const char *name = func->ctx;
    fl_value value = {.type = FL_TYPE(FL_UTF8), .s = fl_str_of(name)};
    FL_ASSERT(n_args == 1);
    FL_TRY(fl_expr_const(plan, &value, pos, &field, err));
    st =
        fl_expr_call_args(plan, strcmp(name, "epoch") == 0 ? "date_part" : "extract", pos, ret, err, 2, field, args[0]);
cleanup:
    return st;
}

static fl_status resolve_field(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1 || args[0].extension != FL_TIMETZ)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a timetz was expected");
    *ret = (fl_func_choice){.args = {TIMETZ}, .n_args = 1, .ret = FL_TYPE(FL_I64)};
    return FL_OK;
}

/* ---- zones ----------------------------------------------------------------------------------------------------------- */

static fl_status prepare_first(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                               void **ret, fl_err *err)
{
    (void)func;
    FL_ASSERT(n_args == 2);
    return fl_zone_prepare(arena, args[0], ret, err);
}

static fl_status prepare_second(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                                void **ret, fl_err *err)
{
    (void)func;
    FL_ASSERT(n_args == 2);
    return fl_zone_prepare(arena, args[1], ret, err);
}

static fl_status check_offset(int64_t offset, int32_t *ret, fl_err *err)
{
    *ret = (int32_t)offset;
    if (offset >= -FL_TIME_OFFSET_MAX && offset <= FL_TIME_OFFSET_MAX)
        return FL_OK;
    return fl_err_state(
        err, "22009",
        FL_FAIL(err, FL_ERR_RANGE, "a time's offset is less than 16 hours, not %lld seconds", (long long)offset));
}

/* The seconds that the zone in a row of `vec`, a name or an interval, is ahead of UTC at a moment in seconds. */
static fl_status offset_at(fl_call *call, const fl_vec *vec, int32_t row, int64_t moment, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_zone *zone = call->state;
    if (vec->type.id == FL_INTERVAL) {
        fl_interval east = ((const fl_interval *)vec->data)[fl_vec_row(vec, row)];
        if (east.months != 0 || east.days != 0)
            return fl_err_state(
                err, "22023",
                FL_FAIL(err, FL_ERR_VALUE, "a time zone given as an interval must not have months or days"));
        return check_offset(east.nanos / 1000000000, ret, err);
    }
    if (zone == NULL)
        FL_TRY(fl_zone_open(call->heap, fl_vec_str(vec, row), &zone, err));
    st = check_offset(fl_zone_offset(zone, moment), ret, err);
cleanup:
    return st;
}

/* timezone(zone, x): the same moment of a day there, by the zone's offset when the statement began. */
static fl_status in_zone(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t now = fl_floor_div(call->session->now_us, FL_US_PER_SECOND);
    for (int32_t row = 0; row < call->rows; row++) {
        int32_t offset;
        fl_ret_i64(call)[row] = 0;
        if (!wants(call, row))
            continue;
        int64_t x = number_at(&call->args[1], row);
        FL_TRY(offset_at(call, &call->args[0], row, now, &offset, err));
        fl_ret_i64(call)[row] =
            in_day(fl_time_zoned_local(x) + (offset - fl_time_zoned_offset(x)) * FL_US_PER_SECOND, offset);
    }
cleanup:
    return st;
}

static fl_status resolve_in_zone(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    bool is_interval = n_args == 2 && args[0].id == FL_INTERVAL;
    if (n_args == 1)
        return resolve_field(args, n_args, ret, err);
    if (n_args != 2 || args[1].extension != FL_TIMETZ ||
        !(is_interval || fl_type_is_text(args[0]) || args[0].id == FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a zone and a timetz were expected");
    *ret = (fl_func_choice){
        .args = {FL_TYPE(is_interval ? FL_INTERVAL : FL_UTF8), TIMETZ}, .n_args = 2, .ret = TIMETZ, .run = in_zone};
    return FL_OK;
}

/* timestamptz_timetz(x, zone), timetz_of_time(x, zone): casts in a session of that zone. */
static fl_status of_moment(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    const fl_vec *x = &call->args[0];
    for (int32_t row = 0; row < call->rows; row++) {
        int32_t offset;
        fl_ret_i64(call)[row] = 0;
        if (!wants(call, row))
            continue;
        int64_t value = number_at(x, row), per_us = fl_units_per_day(x->type.unit) / FL_US_PER_DAY;
        if (!fl_timestamp_is_finite(value)) { /* infinity has no time of day */
            if (valid == NULL)
                FL_TRY(fl_call_own_valid(call, &valid, err));
            fl_bit_clear(valid, row);
            continue;
        }
        int64_t us = fl_floor_div(value, per_us);
        FL_TRY(offset_at(call, &call->args[1], row, fl_floor_div(us, FL_US_PER_SECOND), &offset, err));
        fl_ret_i64(call)[row] = in_day(fl_floor_mod(us, FL_US_PER_DAY) + offset * FL_US_PER_SECOND, offset);
    }
cleanup:
    return st;
}

static fl_status of_time(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t now = fl_floor_div(call->session->now_us, FL_US_PER_SECOND);
    for (int32_t row = 0; row < call->rows; row++) {
        int32_t offset;
        fl_ret_i64(call)[row] = 0;
        if (!wants(call, row))
            continue;
        FL_TRY(offset_at(call, &call->args[1], row, now, &offset, err));
        fl_ret_i64(call)[row] = fl_time_zoned_of(number_at(&call->args[0], row), offset);
    }
cleanup:
    return st;
}

static fl_status resolve_zoned(const fl_type *args, int32_t n_args, fl_type from, fl_func_run run, fl_func_choice *ret,
                               fl_err *err)
{
    if (n_args != 2 || args[0].id != from.id || !fl_type_is_text(args[1]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a %s and a zone were expected", FL_TYPE_NAME(from));
    *ret = (fl_func_choice){.args = {args[0], FL_TYPE(FL_UTF8)}, .n_args = 2, .ret = TIMETZ, .run = run};
    return FL_OK;
}

static fl_status resolve_of_moment(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_zoned(args, n_args, FL_TYPE(FL_TIMESTAMPTZ), of_moment, ret, err);
}

static fl_status resolve_of_time(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_zoned(args, n_args, FL_TYPE(FL_TIME), of_time, ret, err);
}

/* ---- descriptors ----------------------------------------------------------------------------------------------------- */

#define ANY (FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_ANY_TYPE)
#define FUNC(name_, traits_, ...) \
    {FL_DESC(fl_func_desc), .name = name_, .traits = ANY | (traits_), .doc = "", __VA_ARGS__}
#define FIELD(name_, field) \
    FUNC("timetz " name_, FL_PURE, .resolve = resolve_field, .expand = expand_field, .ctx = (void *)(uintptr_t)field)

static const fl_func_desc funcs[] = {
    FUNC("timetz +", FL_PURE | FL_CAN_FAIL, .resolve = resolve_plus),
    FUNC("timetz -", FL_PURE, .resolve = resolve_minus),
    FUNC("timetz extract", FL_PURE | FL_CAN_FAIL, .resolve = resolve_extract, .prepare = fl_time_field_prepare),
    FUNC("timetz date_part", FL_PURE | FL_CAN_FAIL, .resolve = resolve_date_part, .prepare = fl_time_field_prepare),
    FUNC("timetz timezone", FL_STABLE | FL_CAN_FAIL, .resolve = resolve_in_zone, .prepare = prepare_first),
    FUNC("timestamptz_timetz", FL_PURE | FL_CAN_FAIL | FL_GIVES_NULL, .resolve = resolve_of_moment,
         .prepare = prepare_second),
    FUNC("time_timetz", FL_STABLE | FL_CAN_FAIL, .resolve = resolve_of_time, .prepare = prepare_second),
    FIELD("hour", "hour"),
    FIELD("minute", "minute"),
    FIELD("second", "second"),
    FIELD("millisecond", "milliseconds"),
    FIELD("microsecond", "microseconds"),
    FIELD("nanosecond", "nanoseconds"),
    FIELD("timezone_hour", "timezone_hour"),
    FIELD("timezone_minute", "timezone_minute"),
    FIELD("epoch", "epoch"),
};

FL_FUNC_SET(time_zoned, funcs);
