/* timezone(zone, x): what AT TIME ZONE calls. */
#include "func/time/zone.h"

#include "base/date_words.h"
#include "base/datetime.h"
#include "func/time/moment.h"

#include <stdio.h>

fl_status fl_zone_prepare(fl_arena *arena, const fl_value *name, void **ret, fl_err *err)
{
    const fl_zone *zone;
    fl_err why = {0};
    *ret = NULL;
    if (name == NULL || name->is_null || name->type.id != FL_UTF8)
        return FL_OK;
    fl_status st = fl_zone_open(arena, name->s, &zone, &why);
    if (st == FL_OK)
        *ret = (void *)(uintptr_t)zone;
    if (st == FL_OK || st == FL_ERR_VALUE)
        return FL_OK;
    if (err != NULL)
        *err = why;
    return st;
}

static fl_status prepare(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                         void **ret, fl_err *err)
{
    (void)func;
    FL_ASSERT(n_args > 0);
    return fl_zone_prepare(arena, args[0], ret, err);
}

/* x, so many seconds later. False: out of range. */
static bool shift(int64_t x, uint8_t unit, int64_t seconds, int64_t *ret)
{
    int64_t per_second = fl_units_per_day(unit) / 86400;
    if (!fl_timestamp_is_finite(x)) { /* infinity stays */
        *ret = x;
        return true;
    }
    return !__builtin_add_overflow(x, seconds * per_second, ret) &&
           (unit == FL_NANO ? fl_timestamp_is_finite(*ret) : fl_us_fits(*ret));
}

static fl_status run(fl_call *call, fl_err *err)
{
    const fl_vec *x = &call->args[1];
    bool to_local = x->type.id == FL_TIMESTAMPTZ;
    const fl_zone *zone = call->state;
    fl_str name = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_i64(call)[row] = 0;
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(&call->args[0], row) || !fl_vec_is_valid(x, row))
            continue;
        fl_str wanted = fl_vec_str(&call->args[0], row);
        if (call->state == NULL && (zone == NULL || !fl_str_is_equal(wanted, name))) {
            fl_status st = fl_zone_open(call->heap, wanted, &zone, err);
            if (st != FL_OK)
                return st;
            name = wanted;
        }
        int64_t value = ((const int64_t *)x->data)[fl_vec_row(x, row)];
        int64_t seconds = fl_floor_div(value, fl_units_per_day(x->type.unit) / 86400);
        int64_t offset = to_local ? fl_zone_offset(zone, seconds) : -fl_zone_offset_local(zone, seconds);
        if (!shift(value, x->type.unit, offset, &fl_ret_i64(call)[row]))
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
    }
    return FL_OK;
}

/* Zones as intervals count east of Greenwich. */
static fl_status run_interval(fl_call *call, fl_err *err)
{
    const fl_vec *zone = &call->args[0], *x = &call->args[1];
    bool to_local = x->type.id == FL_TIMESTAMPTZ;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_interval east = ((const fl_interval *)zone->data)[fl_vec_row(zone, row)];
        int64_t offset = east.nanos / 1000000000;
        if (!fl_call_wants(call, row))
            continue;
        if (east.months != 0 || east.days != 0)
            return fl_err_state(
                err, "22023",
                FL_FAIL(err, FL_ERR_VALUE, "a time zone given as an interval must not have months or days"));
        if (!shift(((const int64_t *)x->data)[fl_vec_row(x, row)], x->type.unit, to_local ? offset : -offset,
                   &fl_ret_i64(call)[row]))
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
    }
    return FL_OK;
}

/* ---- texts of a session's zone ------------------------------------------------------------------------------------- */

static fl_status zone_of_row(fl_call *call, int32_t arg, int32_t row, const fl_zone **ret, fl_err *err)
{
    *ret = call->state;
    return call->state != NULL ? FL_OK : fl_zone_open(call->heap, fl_vec_str(&call->args[arg], row), ret, err);
}

/* +01, +05:30, -00:44:30 */
static int32_t print_offset(int64_t offset, char *ret)
{
    int64_t seconds = offset < 0 ? -offset : offset;
    int32_t len = snprintf(ret, 16, "%c%02d", offset < 0 ? '-' : '+', (int)(seconds / 3600));
    if (seconds % 3600 != 0)
        len += snprintf(ret + len, 8, ":%02d", (int)(seconds / 60 % 60));
    if (seconds % 60 != 0)
        len += snprintf(ret + len, 8, ":%02d", (int)(seconds % 60));
    return len;
}

/* timestamptz_text(x, zone): as it is printed in a session of that zone. */
static fl_status to_text(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *x = &call->args[0];
    for (int32_t row = 0; row < call->rows; row++) {
        char text[96], offset_text[16];
        const fl_zone *zone;
        int64_t value, local;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(x, row) || !fl_vec_is_valid(&call->args[1], row))
            continue;
        FL_TRY(zone_of_row(call, 1, row, &zone, err));
        value = ((const int64_t *)x->data)[fl_vec_row(x, row)];
        int64_t offset = fl_zone_offset(zone, fl_floor_div(value, fl_units_per_day(x->type.unit) / 86400));
        if (!shift(value, x->type.unit, offset, &local))
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
        int32_t len = x->type.unit == FL_NANO ? fl_timestamp_print_ns(local, false, text)
                                              : fl_timestamp_print(local, false, text);
        if (fl_timestamp_is_finite(value)) { /* the era stands behind the offset */
            int32_t more = print_offset(offset, offset_text), at = len;
            if (len > 3 && memcmp(text + len - 3, " BC", 3) == 0)
                at -= 3;
            memmove(text + at + more, text + at, (size_t)(len - at));
            memcpy(text + at, offset_text, (size_t)more);
            len += more;
        }
        char *room = text;
        if (len > FL_VIEW_INLINE_MAX) {
            FL_TRY(fl_call_room(call, len, &room, err));
            memcpy(room, text, (size_t)len);
        }
        fl_ret_view(call)[row] = fl_view_of(room, len);
    }
cleanup:
    return st;
}

/* text_timestamptz(text, zone, tries): a text that says no zone is of that one; what is none is an error, or null. */
static fl_status of_text(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t row = 0; row < call->rows; row++) {
        const fl_zone *zone;
        fl_value value;
        int64_t moment = 0;
        bool is_zoned = false;
        fl_ret_i64(call)[row] = 0;
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(&call->args[0], row) ||
            !fl_vec_is_valid(&call->args[1], row) || !fl_vec_is_valid(&call->args[2], row))
            continue;
        fl_str text = fl_vec_str(&call->args[0], row);
        bool tries = fl_bit_get(call->args[2].data, fl_vec_row(&call->args[2], row));
        if (fl_timestamp_parse_words(text, false, &moment, &is_zoned) != 0) {
            if (!tries)
                return fl_value_from_text(call->ret->type, text, &value, err);
            fl_bit_clear(valid, row);
            continue;
        }
        FL_TRY(zone_of_row(call, 1, row, &zone, err));
        int64_t offset = is_zoned ? 0 : fl_zone_offset_local(zone, fl_floor_div(moment, FL_US_PER_SECOND));
        if (!shift(moment, FL_MICRO, -offset, &fl_ret_i64(call)[row]))
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
    }
cleanup:
    return st;
}

/* Months and days go by the clocks of a zone, hours by the moment (PostgreSQL's rule). False: out of range. */
static bool add_in_zone(int64_t x, uint8_t unit, fl_interval v, const fl_zone *zone, int64_t *ret)
{
    int64_t per_day = fl_units_per_day(unit), per_second = per_day / 86400, nanos_per_unit = 1000000000 / per_second;
    if (!fl_timestamp_is_finite(x)) {
        *ret = x;
        return true;
    }
    if (v.months != 0 || v.days != 0) {
        int64_t local, time, days;
        if (!shift(x, unit, fl_zone_offset(zone, fl_floor_div(x, per_second)), &local))
            return false;
        days = fl_floor_div(local, per_day);
        time = fl_floor_rest(local, days, per_day);
        days = fl_days_add_months(days, v.months);
        if (__builtin_add_overflow(days, (int64_t)v.days, &days) || __builtin_mul_overflow(days, per_day, &local) ||
            __builtin_add_overflow(local, time, &local) ||
            !shift(local, unit, -fl_zone_offset_local(zone, fl_floor_div(local, per_second)), &x))
            return false;
    }
    return !__builtin_add_overflow(x, v.nanos / nanos_per_unit, ret) &&
           (unit == FL_NANO ? fl_timestamp_is_finite(*ret) : fl_us_fits(*ret));
}

/* timestamptz_add(x, interval, zone) */
static fl_status add(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *x = &call->args[0], *v = &call->args[1];
    for (int32_t row = 0; row < call->rows; row++) {
        const fl_zone *zone;
        fl_ret_i64(call)[row] = 0;
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(x, row) || !fl_vec_is_valid(v, row) ||
            !fl_vec_is_valid(&call->args[2], row))
            continue;
        FL_TRY(zone_of_row(call, 2, row, &zone, err));
        if (!add_in_zone(((const int64_t *)x->data)[fl_vec_row(x, row)], x->type.unit,
                         ((const fl_interval *)v->data)[fl_vec_row(v, row)], zone, &fl_ret_i64(call)[row]))
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
    }
cleanup:
    return st;
}

static fl_status prepare_third(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                               void **ret, fl_err *err)
{
    return prepare(func, arena, &args[2], n_args - 2, ret, err);
}

/* Both have the zone behind. */
static fl_status prepare_second(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                                void **ret, fl_err *err)
{
    return prepare(func, arena, &args[1], n_args - 1, ret, err);
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "timestamptz_text",
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_CAN_FAIL | FL_NANOS,
     .prepare = prepare_second, .doc = "timestamptz_text(x, zone): x as it is printed in a session of that zone",
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_TIMESTAMPTZ, FL_UTF8), FL_UTF8, 0, to_text}},
     .n_overloads = 1},
    {FL_DESC(fl_func_desc), .name = "timestamptz_add",
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_CAN_FAIL | FL_NANOS,
     .prepare = prepare_third,
     .doc =
         "timestamptz_add(x, interval, zone): months and days later by the clocks of a zone, hours later by the moment",
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_TIMESTAMPTZ, FL_INTERVAL, FL_UTF8), FL_TIMESTAMPTZ, 0, add}},
     .n_overloads = 1},
    {FL_DESC(fl_func_desc), .name = "text_timestamptz",
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_CAN_FAIL,
     .prepare = prepare_second,
     .doc = "text_timestamptz(text, zone, tries): the moment that a text means in that zone; null, not an error, where "
            "it tries",
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_UTF8, FL_BOOL), FL_TIMESTAMPTZ, 0, of_text}},
     .n_overloads = 1},
    {FL_DESC(fl_func_desc), .name = "timezone",
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_CAN_FAIL | FL_NANOS,
     .prepare = prepare,
     .doc = "x AT TIME ZONE zone: a timestamp read as local there; a timestamptz as clocks there show it",
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_TIMESTAMP), FL_TIMESTAMPTZ, 0, run},
                                             {FL_ARGS(FL_UTF8, FL_TIMESTAMPTZ), FL_TIMESTAMP, 0, run},
                                             {FL_ARGS(FL_INTERVAL, FL_TIMESTAMP), FL_TIMESTAMPTZ, 0, run_interval},
                                             {FL_ARGS(FL_INTERVAL, FL_TIMESTAMPTZ), FL_TIMESTAMP, 0, run_interval}},
     .n_overloads = 4},
};

FL_FUNC_SET(timezone, funcs);
