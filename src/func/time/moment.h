/* A timestamp taken apart into day and time of day, in nanoseconds whatever its unit. */
#ifndef FL_FUNC_TIME_MOMENT_H
#define FL_FUNC_TIME_MOMENT_H

#include "base/datetime.h"
#include "exec/func.h"

typedef struct fl_moment {
    fl_civil date;
    int64_t days, nanos; /* nanos of the day */
} fl_moment;

/** Of a unit's value how many make a day: functions of timestamps take microseconds, and nanoseconds with FL_NANOS. */
static inline int64_t fl_units_per_day(uint8_t unit)
{
    FL_ASSERT(unit == FL_MICRO || unit == FL_NANO);
    return unit == FL_NANO ? FL_NS_PER_DAY : FL_US_PER_DAY;
}

/** Of a finite timestamp. */
static inline fl_moment fl_moment_of(int64_t value, uint8_t unit)
{
    fl_moment ret;
    if (unit == FL_NANO) { /* each divided by a constant */
        ret.days = fl_floor_div(value, FL_NS_PER_DAY);
        ret.nanos = fl_floor_rest(value, ret.days, FL_NS_PER_DAY);
    } else {
        FL_ASSERT(unit == FL_MICRO);
        ret.days = fl_floor_div(value, FL_US_PER_DAY);
        ret.nanos = fl_floor_rest(value, ret.days, FL_US_PER_DAY) * 1000;
    }
    ret.date = fl_civil_from_days(ret.days);
    return ret;
}

#define FL_NEAR_DAYS_ROWS 256 /* of a block */

/** The days of rows first .. first + n - 1 of dates or of timestamps in microseconds; false where one is far from 1970 (FL_NEAR_DAYS), or
 *  infinite. Slots of nulls count, too: what is in them is as good as any other day. */
static inline bool fl_near_days(const fl_vec *x, int32_t first, int32_t n, int32_t *ret)
{
    bool is_far = false;
    int32_t step = x->layout != FL_CONST;
    FL_ASSERT(x->type.id == FL_DATE || (fl_type_is_timestamp(x->type) && x->type.unit == FL_MICRO));
    for (int32_t i = 0; i < n; i++) {
        int64_t at = (int64_t)(first + i) * step;
        int64_t days = x->type.id == FL_DATE ? ((const int32_t *)x->data)[at]
                                             : fl_floor_div(((const int64_t *)x->data)[at], FL_US_PER_DAY);
        is_far |= days < -FL_NEAR_DAYS || days > FL_NEAR_DAYS;
        ret[i] = (int32_t)days;
    }
    return !is_far;
}

#endif
