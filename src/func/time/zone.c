/* timezone(zone, x): what AT TIME ZONE calls. */
#include "base/zone.h"

#include "func/time/moment.h"

static fl_status prepare(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                         void **ret, fl_err *err)
{
    (void)func;
    (void)n_args;
    const fl_zone *zone;
    *ret = NULL;
    if (args[0] == NULL || args[0]->is_null || args[0]->type.id != FL_UTF8)
        return FL_OK;
    fl_status st = fl_zone_open(arena, args[0]->s, &zone, NULL); /* a mistake is told about when a row asks for it */
    if (st == FL_OK)
        *ret = (void *)(uintptr_t)zone;
    return st == FL_ERR_MEMORY ? FL_FAIL(err, FL_ERR_MEMORY, "out of memory while a time zone was read") : FL_OK;
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

static const fl_func_desc funcs[] = {
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
