/* Dates and times by a format of C's specifiers, as DuckDB has them:
 *
 *     %a %A %b %B     names, short and long        %H %I %p %M %S     time of day
 *     %d %m %y %Y     date                         %f %g              micro- and milliseconds
 *     %j              day of the year              %z %%              +hh, +hhmm or +hh:mm; a percent sign
 *
 * A - behind the % changes nothing: numbers are taken with leading zeros and without. Years have four digits where other digits
 * follow; what a format does not say is 1900-01-01 00:00:00. Blanks match any number of them. */
#ifndef FL_BASE_STRPTIME_H
#define FL_BASE_STRPTIME_H

#include "base/str.h"

#include <stdint.h>

typedef enum fl_strptime_result {
    FL_STRPTIME_OK,
    FL_STRPTIME_OTHER_FORM, /* the text does not follow the format */
    FL_STRPTIME_NO_DATE,    /* it does, but there is no such date, or none that a timestamp holds */
    FL_STRPTIME_BAD_FORMAT  /* a specifier that is not known, or not to be read */
} fl_strptime_result;

/** In microseconds since 1970, UTC; *ret_us is set on success alone. */
fl_strptime_result fl_strptime(fl_str text, fl_str format, int64_t *ret_us);

#endif
