/* Fields of dates and times by name: what extract, date_part and date_trunc take, usually as a constant. */
#ifndef FL_FUNC_TIME_FIELD_H
#define FL_FUNC_TIME_FIELD_H

#include "exec/func.h"

typedef enum fl_time_field {
    FL_FIELD_NONE,
    FL_FIELD_MICROSECONDS, /* these two: of the minute */
    FL_FIELD_MILLISECONDS,
    FL_FIELD_SECOND,
    FL_FIELD_MINUTE,
    FL_FIELD_HOUR,
    FL_FIELD_DAY,
    FL_FIELD_WEEK,
    FL_FIELD_MONTH,
    FL_FIELD_QUARTER,
    FL_FIELD_YEAR,
    FL_FIELD_DECADE,
    FL_FIELD_CENTURY,
    FL_FIELD_MILLENNIUM,
    FL_FIELD_DOW, /* from here on: extract only */
    FL_FIELD_ISODOW,
    FL_FIELD_DOY,
    FL_FIELD_ISOYEAR,
    FL_FIELD_EPOCH,
    FL_FIELD_JULIAN,
    FL_FIELD_TIMEZONE, /* the offset in seconds; these two: its parts */
    FL_FIELD_TIMEZONE_HOUR,
    FL_FIELD_TIMEZONE_MINUTE,
    FL_FIELD_NANOSECONDS,   /* of the minute */
    FL_FIELD_ERA,
    FL_FIELD_YEARWEEK
} fl_time_field;

/** FL_FIELD_NONE where there is none of that name. */
fl_time_field fl_time_field_of(fl_str name);

/** prepare of functions whose first argument is a field: state is NULL (not constant) or points to a fl_time_field. */
fl_status fl_time_field_prepare(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                                void **ret_state, fl_err *err);

/** The field of row i, by state or by the argument; FL_ERR_VALUE (22023) when its name is unknown. */
fl_status fl_time_field_get(const fl_call *call, int32_t row, fl_time_field *ret, fl_err *err);

/** A field of a time of day in microseconds as *ret / *ret_per; false: a time has no such field. */
bool fl_time_part(fl_time_field field, int64_t us, int64_t *ret, int64_t *ret_per);

/** "unit hour is not supported for type date", 0A000. */
fl_status fl_time_field_fail(const fl_call *call, int32_t row, fl_type type, fl_err *err);

#endif
