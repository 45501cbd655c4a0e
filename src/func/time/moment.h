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

#endif
