/* range(start, stop, step) without and generate_series(start, stop, step) with its end, as lists: of integers, or of timestamps an
 * interval apart. As tables they are elsewhere (store/range_table.h). */
#include "func/list/list.h"

#include "base/datetime.h"

#define SERIES_MAX 100000000 /* elements */

static fl_status fail_long(fl_err *err)
{
    return FL_FAIL(err, FL_ERR_LIMIT, "the list would have more than %d elements", SERIES_MAX);
}

/* Elements of all lists of a batch, of 64 bits each, in the call's heap. */
typedef struct numbers {
    int64_t *items;
    int64_t n, capacity;
} numbers;

static fl_status reserve(fl_call *call, numbers *to, int64_t more, fl_err *err)
{
    int64_t *grown;
    if (to->n + more <= to->capacity)
        return FL_OK;
    if (to->n + more > INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "lists would have more than 2,147,483,647 elements");
    int64_t capacity = to->n + more > 2 * to->n ? to->n + more : 2 * to->n;
    fl_status st = fl_arena_get(call->heap, capacity * 8, (void **)&grown, err);
    if (st == FL_OK)
        st = fl_work_copy(&call->work, grown, to->items, to->n * 8, err);
    if (st != FL_OK)
        return st;
    to->items = grown;
    to->capacity = capacity;
    return FL_OK;
}

static fl_status finish(fl_call *call, const numbers *all, fl_err *err)
{
    fl_vec *child;
    int64_t *none;
    fl_status st = FL_NEW(call->heap, &child, err);
    if (st == FL_OK)
        st = FL_NEW(call->heap, &none, err);
    if (st != FL_OK)
        return st;
    fl_vec_set_flat(child, call->ret->type.fields[0].type, all->items != NULL ? all->items : none, NULL);
    call->ret->child = child;
    call->ret->child_rows = all->n;
    return FL_OK;
}

static fl_status integers(fl_call *call, bool is_closed, fl_err *err)
{
    fl_status st = FL_OK;
    numbers all = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t begin = all.n, start = call->n_args > 1 ? fl_arg_i64(call, 0)[row] : 0,
                stop = fl_arg_i64(call, call->n_args > 1 ? 1 : 0)[row],
                step = call->n_args > 2 ? fl_arg_i64(call, 2)[row] : 1;
        ret[row] = (fl_list_entry){(int32_t)begin, 0};
        if (!fl_list_wants(call, row) || step == 0)
            continue;
        fl_i128 span = step > 0 ? (fl_i128)stop - start : (fl_i128)start - stop,
                size = step > 0 ? step : -(fl_i128)step;
        fl_i128 n = span < 0 ? 0 : is_closed ? span / size + 1 : (span + size - 1) / size;
        if (n > SERIES_MAX)
            return fail_long(err);
        FL_TRY(reserve(call, &all, (int64_t)n, err));
        for (int64_t i = 0; i < n; i++)
            all.items[all.n++] = (int64_t)((uint64_t)start + (uint64_t)i * (uint64_t)step);
        FL_TRY(fl_call_work(call, (int64_t)n, err));
        ret[row].len = (int32_t)n;
    }
    st = finish(call, &all, err);
cleanup:
    return st;
}

/* ---- timestamps ---------------------------------------------------------------------------------------------------- */

/* The sign of an interval whose parts have one; 2: they differ. */
static int sign_of(fl_interval x)
{
    bool is_up = x.months > 0 || x.days > 0 || x.nanos > 0, is_down = x.months < 0 || x.days < 0 || x.nanos < 0;
    return is_up && is_down ? 2 : is_up - is_down;
}

/* A step on, as adding the interval goes: the day of a month that was cut stays cut. False: out of range. */
static bool step_on(int64_t at, fl_interval step, int64_t *ret)
{
    int64_t days = fl_floor_div(at, FL_US_PER_DAY), rest = fl_floor_rest(at, days, FL_US_PER_DAY);
    if (step.months != 0)
        days = fl_days_add_months(days, step.months);
    fl_i128 next = ((fl_i128)days + step.days) * FL_US_PER_DAY + rest + step.nanos / 1000;
    *ret = (int64_t)next;
    return next == *ret && fl_us_fits(*ret) && *ret != at;
}

static fl_status stamps(fl_call *call, bool is_closed, fl_err *err)
{
    fl_status st = FL_OK;
    numbers all = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = fl_arg_i64(call, 0)[row], stop = fl_arg_i64(call, 1)[row], at = start, n = 0;
        ret[row] = (fl_list_entry){(int32_t)all.n, 0};
        if (!fl_list_wants(call, row))
            continue;
        fl_interval step = fl_arg_interval(call, 2)[row];
        int sign = sign_of(step);
        if (sign == 2)
            return fl_err_state(err, "22023", FL_FAIL(err, FL_ERR_VALUE, "a step goes forward or back, not both"));
        if (!fl_timestamp_is_finite(start) || !fl_timestamp_is_finite(stop))
            return fl_err_state(err, "22023", FL_FAIL(err, FL_ERR_VALUE, "a series has finite ends"));
        while (sign != 0 && ((sign > 0 ? at < stop : at > stop) || (at == stop && is_closed))) {
            if (n++ >= SERIES_MAX)
                return fail_long(err);
            FL_TRY(reserve(call, &all, 1, err));
            all.items[all.n++] = at;
            FL_TRY(fl_call_work(call, 16, err));
            if (!step_on(at, step, &at))
                break;
        }
        ret[row].len = (int32_t)n;
    }
    st = finish(call, &all, err);
cleanup:
    return st;
}

static fl_status open_integers(fl_call *call, fl_err *err)
{
    return integers(call, false, err);
}
static fl_status closed_integers(fl_call *call, fl_err *err)
{
    return integers(call, true, err);
}
static fl_status open_stamps(fl_call *call, fl_err *err)
{
    return stamps(call, false, err);
}
static fl_status closed_stamps(fl_call *call, fl_err *err)
{
    return stamps(call, true, err);
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static bool is_stamp(fl_type type)
{
    return type.id == FL_DATE || fl_type_is_timestamp(type);
}

static fl_status resolve(const fl_type *args, int32_t n_args, bool is_closed, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type stamp = FL_TYPE(FL_TIMESTAMP);
    *ret = (fl_func_choice){.n_args = n_args, .traits = FL_CAN_FAIL};
    if (n_args == 3 && (args[2].id == FL_INTERVAL || args[2].id == FL_NULL) &&
        (is_stamp(args[0]) || is_stamp(args[1])) && (is_stamp(args[0]) || args[0].id == FL_NULL) &&
        (is_stamp(args[1]) || args[1].id == FL_NULL)) {
        if (args[0].id == FL_TIMESTAMPTZ || args[1].id == FL_TIMESTAMPTZ)
            stamp = FL_TYPE(FL_TIMESTAMPTZ);
        ret->args[0] = ret->args[1] = stamp;
        ret->args[2] = FL_TYPE(FL_INTERVAL);
        ret->run = is_closed ? closed_stamps : open_stamps;
        return fl_type_list_of(arena, stamp, &ret->ret, err);
    }
    if (n_args < 1 || n_args > 3)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one to three integers were expected");
    for (int32_t i = 0; i < n_args; i++) {
        if (args[i].id != FL_NULL && !fl_cast_is_implicit(args[i], FL_TYPE(FL_I64), NULL))
            return FL_FAIL(err, FL_ERR_FUNCTION, "integers, or two timestamps and an interval were expected");
        ret->args[i] = FL_TYPE(FL_I64);
    }
    ret->run = is_closed ? closed_integers : open_integers;
    return fl_type_list_of(arena, FL_TYPE(FL_I64), &ret->ret, err);
}

static fl_status resolve_range(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, false, ret, err);
}

static fl_status resolve_series(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, true, ret, err);
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "range", .traits = FL_PURE | FL_NULL_GIVES_NULL, .resolve = resolve_range,
     .doc = "range([start,] stop [, step]): the list of numbers, or of timestamps an interval apart, without its end"},
    {FL_DESC(fl_func_desc), .name = "generate_series", .traits = FL_PURE | FL_NULL_GIVES_NULL,
     .resolve = resolve_series, .doc = "generate_series([start,] stop [, step]): as range, with its end"},
};

FL_FUNC_SET(series, funcs);
