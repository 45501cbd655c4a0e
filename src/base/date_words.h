/* Dates and times as people write them: whatever PostgreSQL reads with its settings ISO and MDY.
 *
 *     April 3, 2024     3 Apr 2024      2024-Apr-03    Jan 8 99 BC     20240403     4/3/2024 (month first)
 *     2024-04-03 10:00 America/New_York      10:00 PM PST Wed 3 Apr 2024        J2460404
 *
 * Files are read by base/datetime.h alone, whose ISO forms nobody takes for something else. */
#ifndef FL_BASE_DATE_WORDS_H
#define FL_BASE_DATE_WORDS_H

#include "base/str.h"

/** As fl_date_parse. */
int fl_date_parse_words(fl_str text, int32_t *ret_days);

/** As fl_time_parse; a date and a zone beside the time are read and dropped. */
int fl_time_parse_words(fl_str text, int64_t *ret_us);

/** As fl_timestamp_parse, or in nanoseconds as fl_timestamp_parse_ns. A zone's name is looked up in the system's database;
 *  ret_zoned is NULL: it must be one, and says nothing. 3: it is none. */
int fl_timestamp_parse_words(fl_str text, bool in_nanos, int64_t *ret, bool *ret_zoned);

#endif
