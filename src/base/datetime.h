/* Dates and times: the proleptic Gregorian calendar, read and printed as PostgreSQL does (ISO style).
 *
 * Days count from 1970-01-01, microseconds from its midnight. The least and the greatest number of a type stand for infinity;
 * between them and the ends of the range, which begins as PostgreSQL's does, there is room: what is out of range is no
 * infinity. Algorithms of days from civil dates after Hinnant, "chrono-compatible low-level date algorithms". */
#ifndef FL_BASE_DATETIME_H
#define FL_BASE_DATETIME_H

#include "base/str.h"

#define FL_US_PER_SECOND 1000000LL
#define FL_US_PER_DAY 86400000000LL
#define FL_NS_PER_DAY 86400000000000LL

#define FL_DATE_MIN (-2440588) /* 4714-11-24 BC, the first day of the Julian calendar */
#define FL_DATE_MAX 2145042905 /* 5874897-12-31 */
#define FL_US_MIN (FL_DATE_MIN * FL_US_PER_DAY)
#define FL_US_MAX (INT64_MAX - 2) /* in 294247 */

static inline bool fl_date_is_finite(int64_t days)
{
    return days != INT32_MAX && days != INT32_MIN;
}
/** Of timestamps in any unit. */
static inline bool fl_timestamp_is_finite(int64_t value)
{
    return value != INT64_MAX && value != INT64_MIN;
}
/** Whether a date or timestamp that was computed is one. */
static inline bool fl_date_fits(int64_t days)
{
    return days >= FL_DATE_MIN && days <= FL_DATE_MAX;
}
static inline bool fl_us_fits(int64_t us)
{
    return us >= FL_US_MIN && us <= FL_US_MAX;
}

typedef struct fl_civil {
    int32_t year; /* astronomical: 0 is 1 BC */
    int32_t month;
    int32_t day;
} fl_civil;

/** Days of a civil date; the date must exist. */
int64_t fl_days_from_civil(int32_t year, int32_t month, int32_t day);
fl_civil fl_civil_from_days(int64_t days);

#define FL_NEAR_DAYS 11000000 /* some 30,000 years */

/** The same of a day at most so far from 1970-01-01, by multiplications of 32 and 64 bits alone (Neri and Schneider 2023, "Euclidean affine
 *  functions and their application to calendar algorithms"): for loops over many. */
static inline fl_civil fl_civil_from_near_days(int32_t days)
{
    const uint32_t cycles = 82; /* of 400 years: so many are added before, that nothing is negative */
    uint32_t since = (uint32_t)(days + 719468) + 146097 * cycles; /* from the first of March of a year 0 on */
    uint32_t quarters = 4 * since + 3, century = quarters / 146097;
    uint32_t in_century = quarters % 146097 | 3; /* quarters of days */
    uint64_t product = 2939745ull * in_century;
    uint32_t year_of_century = (uint32_t)(product >> 32), day_of_year = (uint32_t)product / 2939745 / 4;
    uint32_t month = 2141 * day_of_year + 197913; /* 3 for March, in the upper half */
    bool is_next = day_of_year >= 306;            /* January and February are the next year's */
    return (fl_civil){(int32_t)(100 * century + year_of_century + is_next) - 400 * (int32_t)cycles,
                      (int32_t)(month >> 16) - (is_next ? 12 : 0), (int32_t)((month & 0xFFFF) / 2141 + 1)};
}
int32_t fl_days_in_month(int32_t year, int32_t month);

/** Adds months; the day is cut to the month's last. */
int64_t fl_days_add_months(int64_t days, int64_t months);

/** ISO week and its year. */
int32_t fl_iso_week(int64_t days, int32_t *ret_year);

/** Rounds a timestamp that has `per_second` units a second to whole pieces of so many units, and gives the pieces: halves
 *  away from 2000-01-01, from which PostgreSQL counts. */
int64_t fl_timestamp_pieces(int64_t value, int64_t per_second, int64_t piece);

/** Floor division, for negative times. */
static inline int64_t fl_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

/** a - quotient * b, where quotient = fl_floor_div(a, b): in 0 .. b - 1, also where the product is below what 64 bits hold. */
static inline int64_t fl_floor_rest(int64_t a, int64_t quotient, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)quotient * (uint64_t)b);
}

/** a modulo b > 0, in 0 .. b - 1. */
static inline int64_t fl_floor_mod(int64_t a, int64_t b)
{
    return fl_floor_rest(a, fl_floor_div(a, b), b);
}

/** Readers return 0 read, 1 not of the form, 2 field out of range (a day that does not exist). White space around is
 *  allowed; the whole text must be used. */
/** Also 'infinity' and '-infinity' (INT32_MAX, INT32_MIN). */
int fl_date_parse(fl_str text, int32_t *ret_days);
int fl_time_parse(fl_str text, int64_t *ret_us);
/** Date, optionally with a time behind ' ' or 'T'; a zone (Z, +hh[:mm]) is applied when ret_zoned is not NULL (then it
 *  says whether there was one), else it is skipped as PostgreSQL's timestamp does. Nine fraction digits are read, rounded
 *  to microseconds. Also 'infinity', '-infinity' (INT64_MAX, INT64_MIN) and 'epoch'. */
int fl_timestamp_parse(fl_str text, int64_t *ret_us, bool *ret_zoned);
/** The same with all nine fraction digits; 2 also for what lies outside of 1677 to 2262. */
int fl_timestamp_parse_ns(fl_str text, int64_t *ret_ns, bool *ret_zoned);
/** "1 year 2 days 03:04:05", "P1Y2DT3H", "3 hours ago", "1-2". */
int fl_interval_parse(fl_str text, int32_t *ret_months, int32_t *ret_days, int64_t *ret_nanos);

/** Midnight in microseconds; infinity stays infinity. False: out of range. */
bool fl_date_to_us(int32_t days, int64_t *ret_us);
/** The same for comparisons with timestamps: a day out of range lies between them and infinity. */
int64_t fl_date_to_us_beside(int32_t days);
/** The day of a time; infinity stays infinity. */
int32_t fl_date_of_us(int64_t us);

/** Printers return the length; ret needs 64 bytes (interval: 96). */
int32_t fl_date_print(int32_t days, char *ret);
int32_t fl_time_print(int64_t us, char *ret);
int32_t fl_timestamp_print(int64_t us, bool zoned, char *ret);
int32_t fl_timestamp_print_ns(int64_t ns, bool zoned, char *ret);
int32_t fl_interval_print(int32_t months, int32_t days, int64_t nanos, char *ret);

#endif
