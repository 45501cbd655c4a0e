/* greatest and least of their arguments, nulls left out. NaN is greatest. */
#include "arrow/value.h"
#include "exec/func.h"

#include <math.h>

#define LESS(a, b) ((a) < (b))

static bool less_f64(double a, double b)
{
    return isnan(b) ? !isnan(a) : a < b;
}

static fl_i128 interval_nanos(fl_interval x)
{
    return ((fl_i128)x.months * 30 + x.days) * 86400000000000LL + x.nanos;
}

static bool less_interval(fl_interval a, fl_interval b)
{
    return interval_nanos(a) < interval_nanos(b);
}
static bool less_view(fl_view a, fl_view b)
{
    return fl_view_compare(&a, &b) < 0;
}

/* One loop for each stored type; `read` gets a value of argument i. */
#define PICK(suffix, type, read, less)                                  \
    static fl_status pick_##suffix(fl_call *call, bool greatest)        \
    {                                                                   \
        type *ret = (type *)(uintptr_t)call->ret->data;                 \
        for (int32_t row = 0; row < call->rows; row++) {                \
            bool has = false;                                           \
            type best = {0};                                            \
            for (int32_t i = 0; i < call->n_args; i++) {                \
                const fl_vec *arg = &call->args[i];                     \
                if (!fl_is_valid(arg->valid, row))                      \
                    continue;                                           \
                type x = read;                                          \
                if (!has || (greatest ? less(best, x) : less(x, best))) \
                    best = x;                                           \
                has = true;                                             \
            }                                                           \
            ret[row] = best;                                            \
            if (!has)                                                   \
                fl_bit_clear(fl_call_valid(call), row);                 \
        }                                                               \
        return FL_OK;                                                   \
    }
#define PICK_PLAIN(suffix, type, less) PICK(suffix, type, ((const type *)arg->data)[row], less)
PICK_PLAIN(i8, int8_t, LESS)
PICK_PLAIN(i16, int16_t, LESS)
PICK_PLAIN(i32, int32_t, LESS)
PICK_PLAIN(i64, int64_t, LESS)
PICK_PLAIN(u8, uint8_t, LESS)
PICK_PLAIN(u16, uint16_t, LESS)
PICK_PLAIN(u32, uint32_t, LESS)
PICK_PLAIN(u64, uint64_t, LESS)
PICK_PLAIN(f32, float, less_f64)
PICK_PLAIN(f64, double, less_f64)
PICK_PLAIN(interval, fl_interval, less_interval)
PICK_PLAIN(view, fl_view, less_view)
PICK(decimal8, int64_t, (int64_t)fl_vec_i128(arg, row), LESS)
PICK(decimal16, fl_i128, fl_vec_i128(arg, row), LESS)

static fl_status pick_bool(fl_call *call, bool greatest)
{
    for (int32_t row = 0; row < call->rows; row++) {
        bool has = false, best = !greatest;
        for (int32_t i = 0; i < call->n_args; i++) {
            if (!fl_is_valid(call->args[i].valid, row))
                continue;
            has = true;
            if (fl_bit_get(call->args[i].data, row) == greatest)
                best = greatest;
        }
        fl_bit_put(fl_ret_bits(call), row, best);
        if (!has)
            fl_bit_clear(fl_call_valid(call), row);
    }
    return FL_OK;
}

/* Lists and structs, value by value. */
static fl_status pick_value(fl_call *call, bool greatest, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_value **best = NULL;
    fl_vec made;
    FL_TRY(FL_NEW_ARRAY(call->heap, call->rows + 1, &best, err));
    for (int32_t row = 0; row < call->rows; row++) {
        for (int32_t i = 0; i < call->n_args; i++) {
            fl_value *x = NULL;
            if (!fl_is_valid(call->args[i].valid, row))
                continue;
            FL_TRY(FL_NEW(call->heap, &x, err));
            FL_TRY(fl_value_from_vec(call->heap, &call->args[i], row, x, err));
            int order = best[row] == NULL ? 0 : fl_value_compare(x, best[row]);
            if (best[row] == NULL || (greatest ? order > 0 : order < 0))
                best[row] = x;
        }
    }
    FL_TRY(fl_vec_from_values(call->heap, call->ret->type, best, call->rows, &made, err));
    *call->ret = made;
cleanup:
    return st;
}

static fl_status pick(fl_call *call, bool greatest, fl_err *err)
{
    switch (call->ret->type.id) {
    case FL_BOOL:
        return pick_bool(call, greatest);
    case FL_I8:
        return pick_i8(call, greatest);
    case FL_I16:
        return pick_i16(call, greatest);
    case FL_I32:
    case FL_DATE:
        return pick_i32(call, greatest);
    case FL_U8:
        return pick_u8(call, greatest);
    case FL_U16:
        return pick_u16(call, greatest);
    case FL_U32:
        return pick_u32(call, greatest);
    case FL_U64:
        return pick_u64(call, greatest);
    case FL_F32:
        return pick_f32(call, greatest);
    case FL_F64:
        return pick_f64(call, greatest);
    case FL_INTERVAL:
        return pick_interval(call, greatest);
    case FL_UTF8:
    case FL_BINARY:
        return pick_view(call, greatest);
    case FL_DECIMAL:
        return call->ret->width == 16 ? pick_decimal16(call, greatest) : pick_decimal8(call, greatest);
    case FL_LIST:
    case FL_STRUCT:
        return pick_value(call, greatest, err);
    default:
        return pick_i64(call, greatest);
    }
}

static fl_status run_greatest(fl_call *call, fl_err *err)
{
    return pick(call, true, err);
}

static fl_status run_least(fl_call *call, fl_err *err)
{
    return pick(call, false, err);
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_run run, fl_func_choice *ret, fl_err *err)
{
    fl_type common = FL_TYPE(FL_NULL);
    if (n_args == 0)
        return FL_FAIL(err, FL_ERR_FUNCTION, "an argument was expected");
    for (int32_t i = 0; i < n_args; i++)
        if (!fl_type_common_in(ret->arena, common, args[i], &common))
            return FL_FAIL(err, FL_ERR_TYPE, "%s and %s have no common type", FL_TYPE_NAME(common),
                           FL_TYPE_NAME(args[i]));
    if (common.id == FL_NULL)
        common = FL_TYPE(FL_UTF8);
    ret->n_args = n_args < FL_FUNC_ARGS_MAX ? n_args : FL_FUNC_ARGS_MAX;
    for (int32_t i = 0; i < ret->n_args; i++)
        ret->args[i] = common;
    ret->ret = common;
    ret->run = run;
    return FL_OK;
}

static fl_status resolve_greatest(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, run_greatest, ret, err);
}

static fl_status resolve_least(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, run_least, ret, err);
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "greatest", .traits = FL_PURE | FL_SETS_VALID | FL_ANY_TYPE,
     .resolve = resolve_greatest, .doc = "greatest(a, b, ...): the greatest argument that is not null"},
    {FL_DESC(fl_func_desc), .name = "least", .traits = FL_PURE | FL_SETS_VALID | FL_ANY_TYPE, .resolve = resolve_least,
     .doc = "least(a, b, ...): the least argument that is not null"},
};

FL_FUNC_SET(greatest, funcs);
