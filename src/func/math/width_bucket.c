/* width_bucket (PostgreSQL): into which of n stretches of one width between two ends a number falls, 0 and n + 1 beside them; or between
 * which of the thresholds of a list in order a value lies. */
#include "arrow/value.h"
#include "func/math/math.h"

static fl_status fail_bucket(fl_err *err, const char *what)
{
    return fl_err_state(err, "2201G", FL_FAIL(err, FL_ERR_VALUE, "width_bucket: %s", what));
}

/* The ends may come in either order. */
static int64_t bucket_of(double x, double low, double high, int64_t n)
{
    if (low > high) {
        x = -x;
        low = -low;
        high = -high;
    }
    if (x < low)
        return 0;
    if (x >= high)
        return n + 1;
    double way = isfinite(high - low) ? (x - low) / (high - low) : (x / 2 - low / 2) / (high / 2 - low / 2);
    int64_t at = (int64_t)floor(way * (double)n);
    return at >= n ? n : at + 1; /* rounding may reach the end */
}

static fl_status of_ends(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        double x = fl_arg_f64(call, 0)[row], low = fl_arg_f64(call, 1)[row], high = fl_arg_f64(call, 2)[row];
        int64_t n = fl_arg_i32(call, 3)[row], found;
        fl_ret_i32(call)[row] = 0;
        if (!fl_call_wants(call, row))
            continue;
        if (n <= 0)
            return fail_bucket(err, "the number of stretches is greater than zero");
        if (isnan(x) || isnan(low) || isnan(high))
            return fail_bucket(err, "no number is NaN");
        if (!isfinite(low) || !isfinite(high))
            return fail_bucket(err, "the ends are finite");
        if (low == high)
            return fail_bucket(err, "the ends differ");
        found = bucket_of(x, low, high, n);
        if (found > INT32_MAX)
            return FL_FAIL(err, FL_ERR_RANGE, "width_bucket is out of range for type integer");
        fl_ret_i32(call)[row] = (int32_t)found;
    }
    return FL_OK;
}

/* How many thresholds are not above the value. */
static fl_status of_thresholds(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_list_entry *lists = call->args[1].data;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_value x, item;
        fl_ret_i32(call)[row] = 0;
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(&call->args[0], row) || !fl_vec_is_valid(&call->args[1], row))
            continue;
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], row, &x, err));
        int32_t low = 0, high = lists[row].len;
        while (low < high) {
            int32_t middle = low + (high - low) / 2;
            FL_TRY(fl_value_from_vec(call->heap, call->args[1].child, lists[row].start + middle, &item, err));
            if (item.is_null)
                return fl_err_state(err, "22004",
                                    FL_FAIL(err, FL_ERR_VALUE, "width_bucket takes no null among the thresholds"));
            if (fl_value_compare(&item, &x) <= 0)
                low = middle + 1;
            else
                high = middle;
        }
        fl_ret_i32(call)[row] = low;
        FL_TRY(fl_call_work(call, 256, err));
    }
cleanup:
    return st;
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type common;
    *ret = (fl_func_choice){.n_args = n_args, .ret = FL_TYPE(FL_I32), .traits = FL_CAN_FAIL, .run = of_ends};
    if (n_args == 2 && args[1].id == FL_LIST && fl_type_common_in(arena, args[1].fields[0].type, args[0], &common)) {
        ret->run = of_thresholds;
        ret->args[0] = common;
        return fl_type_list_of(arena, common, &ret->args[1], err);
    }
    for (int32_t i = 0; i < n_args; i++) {
        bool fits = n_args == 4 &&
                    (args[i].id == FL_NULL ||
                     (i < 3 ? fl_type_is_numeric(args[i]) : fl_cast_is_implicit(args[i], FL_TYPE(FL_I32), NULL)));
        if (!fits)
            return FL_FAIL(err, FL_ERR_FUNCTION,
                           "a number, two ends and a number of stretches, or a value and a list were expected");
        ret->args[i] = FL_TYPE(i < 3 ? FL_F64 : FL_I32);
    }
    return n_args == 4 ? FL_OK
                       : FL_FAIL(err, FL_ERR_FUNCTION, "a number, two ends and a number of stretches were expected");
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "width_bucket", .traits = FL_MATH_TRAITS, .resolve = resolve,
     .doc = "width_bucket(x, low, high, n): in which of n stretches x lies; width_bucket(x, thresholds): behind how "
            "many of them"},
};

FL_FUNC_SET(width_bucket, funcs);
