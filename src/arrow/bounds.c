/* Bounds of types, values and vectors. What functions do to them is theirs to say: plan/bounds.h. */
#include "arrow/bounds.h"

#include "base/simd.h"

bool fl_bounds_apply(fl_type type)
{
    return fl_type_is_integer(type) || type.id == FL_DECIMAL || type.id == FL_DATE || type.id == FL_TIME ||
           fl_type_is_timestamp(type);
}

fl_bounds fl_bounds_of_type(fl_type type)
{
    if (fl_type_is_integer(type))
        return (fl_bounds){true, fl_type_int_min(type), fl_type_int_max(type)};
    if (type.id == FL_DATE)
        return (fl_bounds){true, INT32_MIN, INT32_MAX};
    if (type.id == FL_TIME || fl_type_is_timestamp(type))
        return (fl_bounds){true, INT64_MIN, INT64_MAX};
    return (fl_bounds){0};
}

static fl_i128 whole_of(const fl_value *value)
{
    return value->type.id == FL_DECIMAL ? value->d : value->type.id == FL_U64 ? (fl_i128)value->u : value->i;
}

fl_bounds fl_bounds_of_values(const fl_value *min, const fl_value *max)
{
    if (min->is_null || max->is_null || !fl_bounds_apply(min->type) || min->type.id != max->type.id)
        return (fl_bounds){0};
    return (fl_bounds){true, whole_of(min), whole_of(max)};
}

fl_bounds fl_bounds_hull(fl_bounds a, fl_bounds b)
{
    if (!a.is_known || !b.is_known)
        return (fl_bounds){0};
    return (fl_bounds){true, a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high};
}

bool fl_bounds_fit(fl_bounds bounds, fl_type type)
{
    fl_bounds room = fl_bounds_of_type(type);
    if (type.id == FL_DECIMAL) {
        room.high = type.precision >= 38 ? fl_pow10_i128[37] * 10 - 1 : fl_pow10_i128[type.precision] - 1;
        room = (fl_bounds){true, -room.high, room.high};
    }
    return bounds.is_known && room.is_known && bounds.low >= room.low && bounds.high <= room.high;
}

fl_bounds fl_vec_bounds(const fl_vec *vec)
{
    return vec->has_bounds ? (fl_bounds){true, vec->low, vec->high} : fl_bounds_of_type(vec->type);
}

void fl_vec_set_bounds(fl_vec *vec, fl_bounds bounds)
{
    vec->has_bounds = bounds.is_known && bounds.low >= INT64_MIN && bounds.high <= INT64_MAX;
    vec->low = vec->has_bounds ? (int64_t)bounds.low : 0;
    vec->high = vec->has_bounds ? (int64_t)bounds.high : 0;
}

void fl_vec_measure(fl_vec *vec, int64_t rows)
{
    if (vec->has_bounds || vec->layout != FL_FLAT || !fl_bounds_apply(vec->type) || vec->width > 8 || rows == 0)
        return;
    const fl_bounds_kernels *kernels = FL_SIMD_CHOOSE(fl_bounds_kernels);
    int width = __builtin_ctz(vec->width);
    if (fl_type_is_integer(vec->type) && !fl_type_is_signed(vec->type)) {
        uint64_t low, high;
        kernels->of_unsigned[width](vec->data, rows, &low, &high);
        fl_vec_set_bounds(vec, (fl_bounds){true, low, high});
    } else {
        kernels->of_signed[width](vec->data, rows, &vec->low, &vec->high);
        vec->has_bounds = true;
    }
}

bool fl_vec_bounds_hold(const fl_vec *vec, const uint64_t *mask, int64_t rows)
{
    for (int64_t row = 0; vec->has_bounds && row < rows; row++) {
        fl_value value;
        if (!fl_is_valid(mask, row) || !fl_vec_is_valid(vec, row) ||
            fl_value_from_vec(NULL, vec, row, &value, NULL) != FL_OK)
            continue;
        fl_bounds one = fl_bounds_of_values(&value, &value);
        if (!one.is_known || one.low < vec->low || one.high > vec->high)
            return false;
    }
    return true;
}
