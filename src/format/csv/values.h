/* Fields as values: strict readers for what files hold by the million, and the kinds of value that a field may be.
 *
 * Numbers may have blanks around them; dates and times are ISO's alone. All readers take a field's text without quotes. */
#ifndef FL_FORMAT_CSV_VALUES_H
#define FL_FORMAT_CSV_VALUES_H

#include "arrow/type.h"

/** [+-]digits within int64. */
bool fl_csv_read_i64(fl_str text, int64_t *ret);

/** A decimal number, or NaN and infinities by name; the nearest double. False out of range, too. */
bool fl_csv_read_f64(fl_str text, double *ret);

/** true or false, whatever the case. */
bool fl_csv_read_bool(fl_str text, bool *ret);

/** yyyy-mm-dd, a day that exists. */
bool fl_csv_read_date(fl_str text, int32_t *ret_days);

/** yyyy-mm-dd, then T or a blank and hh:mm[:ss[.ffffff]], and a zone (Z, +hh[:mm]) where has_zone. A day alone is its
 *  midnight (not where has_zone). In microseconds; digits beyond them make it none. */
bool fl_csv_read_timestamp(fl_str text, bool has_zone, int64_t *ret_us);

/** hh:mm[:ss[.ffffff]]. */
bool fl_csv_read_time(fl_str text, int64_t *ret_us);

/* Kinds of value as bits: a column's type is the first in this order that all its values are of. */
enum {
    FL_CSV_BOOL = 1,
    FL_CSV_I64 = 2,
    FL_CSV_DECIMAL = 4, /* integers beyond int64 */
    FL_CSV_F64 = 8,
    FL_CSV_DATE = 16,
    FL_CSV_TIMESTAMP = 32,
    FL_CSV_TIMESTAMPTZ = 64,
    FL_CSV_TIME = 128,
    FL_CSV_DATE_FORM = 256, /* dates and timestamps in another form (forms.h), which who asks looks for */
    FL_CSV_TIMESTAMP_FORM = 512,
    FL_CSV_ANY = 1023
};

/** Which of the kinds `wanted` the text is of. A number that would not look the same again is text: with a plus sign, with
 *  zeros in front (but for "0.5" and behind a minus), with more digits than a decimal has. */
uint32_t fl_csv_kinds_of(fl_str text, uint32_t wanted);

/** Whether the text is a sign that stands for a number, NaN or an infinity, in letters. */
bool fl_csv_is_number_word(fl_str text);

/** Whether a number is written as one that a guess would change: "+1", "007". */
bool fl_csv_is_padded(fl_str number);

/** Whether a number's text is digits alone, behind a sign perhaps. */
bool fl_csv_is_whole(fl_str text);

/** Whether the text looks like a value rather than like a name: a number in any of the forms that people use ("$1,200.50",
 *  "5%", "01234"), a date or time in any order of its parts. */
bool fl_csv_looks_like_number(fl_str text);
bool fl_csv_looks_like_time(fl_str text);

/** The type for values that are of all these kinds; text when there is none. */
fl_type fl_csv_type_of(uint32_t kinds);

#endif
