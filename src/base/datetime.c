/* Dates and times. Days from civil dates: Hinnant's algorithms over 400-year eras. */
#include "base/datetime.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

int64_t fl_days_from_civil(int32_t year, int32_t month, int32_t day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = fl_floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

fl_civil fl_civil_from_days(int64_t days)
{
    if (days >= -FL_NEAR_DAYS && days <= FL_NEAR_DAYS)
        return fl_civil_from_near_days((int32_t)days);
    int64_t z = days + 719468;
    int64_t era = fl_floor_div(z, 146097);
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t mp = (5 * day_of_year + 2) / 153;
    int32_t month = (int32_t)(mp < 10 ? mp + 3 : mp - 9);
    return (fl_civil){(int32_t)(year_of_era + era * 400 + (month <= 2)), month,
                      (int32_t)(day_of_year - (153 * mp + 2) / 5 + 1)};
}

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int32_t fl_days_in_month(int32_t year, int32_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

int64_t fl_days_add_months(int64_t days, int64_t months)
{
    fl_civil c = fl_civil_from_days(days);
    int64_t total = (int64_t)c.year * 12 + (c.month - 1) + months;
    int32_t year = (int32_t)fl_floor_div(total, 12), month = (int32_t)(total - fl_floor_div(total, 12) * 12) + 1;
    int32_t last = fl_days_in_month(year, month);
    return fl_days_from_civil(year, month, c.day > last ? last : c.day);
}

int64_t fl_timestamp_pieces(int64_t value, int64_t per_second, int64_t piece)
{
    const __int128 epoch = (__int128)10957 * 86400 * per_second; /* 2000-01-01 */
    __int128 since = value - epoch, half = piece / 2;
    FL_ASSERT(epoch % piece == 0);
    return (int64_t)((since < 0 ? -((half - since) / piece) : (since + half) / piece) + epoch / piece);
}

int32_t fl_iso_week(int64_t days, int32_t *ret_year)
{
    int64_t weekday = ((days + 3) % 7 + 7) % 7; /* Monday 0 */
    int64_t thursday = days - weekday + 3;
    int32_t year = fl_civil_from_days(thursday).year;
    if (ret_year != NULL)
        *ret_year = year;
    return (int32_t)((thursday - fl_days_from_civil(year, 1, 1)) / 7 + 1);
}

/* A reader's place in the text. */
typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(cursor *c)
{
    while (c->at < c->end && is_blank(*c->at))
        c->at++;
}

static bool take(cursor *c, char wanted)
{
    if (c->at < c->end && *c->at == wanted) {
        c->at++;
        return true;
    }
    return false;
}

static int digits(cursor *c, int max, int64_t *ret)
{
    int n = 0;
    int64_t value = 0;
    while (c->at < c->end && n < max && *c->at >= '0' && *c->at <= '9') {
        value = value * 10 + (*c->at++ - '0');
        n++;
    }
    *ret = value;
    return n;
}

static cursor open_text(fl_str text)
{
    cursor c = {text.data, text.data + text.len};
    skip_space(&c);
    return c;
}

static int finish(cursor *c)
{
    skip_space(c);
    return c->at == c->end ? 0 : 1;
}

/* " BC", behind a date or at the end. */
static bool take_bc(cursor *c)
{
    bool is_bc = c->end - c->at >= 3 && c->at[0] == ' ' && (c->at[1] | 32) == 'b' && (c->at[2] | 32) == 'c' &&
                 (c->end - c->at == 3 || c->at[3] == ' ');
    c->at += is_bc ? 3 : 0;
    return is_bc;
}

static bool ends_with_bc(cursor c)
{
    while (c.end > c.at && is_blank(c.end[-1]))
        c.end--;
    c.at = c.end - c.at >= 3 ? c.end - 3 : c.end;
    return take_bc(&c);
}

static int read_date(cursor *c, int64_t *ret_days)
{
    int64_t year, month, day;
    bool negative = take(c, '-');
    int n = digits(c, 7, &year);
    if (n == 0)
        return 1;
    if (n == 8 - 1 && c->at < c->end && *c->at >= '0' && *c->at <= '9') { /* 20240131 */
        year = year * 10 + (*c->at++ - '0');
        day = year % 100, month = year / 100 % 100, year /= 10000;
    } else {
        char separator = c->at < c->end ? *c->at : 0;
        if ((separator != '-' && separator != '/') || n < 3)
            return 1;
        c->at++;
        if (digits(c, 2, &month) == 0 || !take(c, separator) || digits(c, 2, &day) == 0)
            return 1;
    }
    if (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        return 1;
    if (year == 0) /* 1 BC is followed by 1 */
        return 2;
    if (take_bc(c) || (!negative && ends_with_bc(*c))) {
        negative = true;
        year -= 1;
    }
    if (negative)
        year = -year;
    if (month < 1 || month > 12 || day < 1 || day > fl_days_in_month((int32_t)year, (int32_t)month))
        return 2;
    *ret_days = fl_days_from_civil((int32_t)year, (int32_t)month, (int32_t)day);
    return fl_date_fits(*ret_days) ? 0 : 2;
}

/* hh:mm[:ss[.fraction]] [AM|PM]; the fraction in nanoseconds is rounded to microseconds, or cut to them where ret_rest takes
 * the nanoseconds behind them. */
static int read_time(cursor *c, int64_t *ret_us, int64_t *ret_rest)
{
    int64_t hour, minute, second = 0, us = 0, rest = 0;
    if (digits(c, 2, &hour) == 0 || !take(c, ':') || digits(c, 2, &minute) == 0)
        return 1;
    if (take(c, ':')) {
        if (digits(c, 2, &second) == 0)
            return 1;
        if (take(c, '.')) {
            int64_t nanos = 0, scale = 100000000;
            const char *start = c->at;
            for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, scale /= 10)
                nanos += (*c->at - '0') * scale;
            if (c->at == start)
                return 1;
            us = (ret_rest == NULL ? nanos + 500 : nanos) / 1000;
            rest = ret_rest == NULL ? 0 : nanos % 1000;
        }
    }
    if (c->end - c->at >= 2) {
        cursor ahead = *c;
        skip_space(&ahead);
        if (ahead.end - ahead.at >= 2 && (ahead.at[1] | 32) == 'm' &&
            ((ahead.at[0] | 32) == 'a' || (ahead.at[0] | 32) == 'p') &&
            (ahead.end - ahead.at == 2 || (ahead.at[2] | 32) < 'a' || (ahead.at[2] | 32) > 'z')) {
            if (hour < 1 || hour > 12)
                return 2;
            hour = hour % 12 + ((ahead.at[0] | 32) == 'p' ? 12 : 0);
            ahead.at += 2;
            *c = ahead;
        }
    }
    if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && (minute | second | us | rest) != 0))
        return 2;
    *ret_us = ((hour * 60 + minute) * 60 + second) * FL_US_PER_SECOND + us;
    if (ret_rest != NULL)
        *ret_rest = rest;
    return 0;
}

/* "infinity" 1, "-infinity" -1, else 0. */
static int read_infinity(cursor c)
{
    fl_str rest = {c.at, c.end - c.at};
    while (rest.len > 0 && rest.data[rest.len - 1] == ' ')
        rest.len--;
    if (fl_str_is_equal_nocase(rest, FL_STR("-infinity")))
        return -1;
    return fl_str_is_equal_nocase(rest, FL_STR("infinity"));
}

static bool is_epoch(cursor c)
{
    fl_str rest = {c.at, c.end - c.at};
    while (rest.len > 0 && rest.data[rest.len - 1] == ' ')
        rest.len--;
    return fl_str_is_equal_nocase(rest, FL_STR("epoch"));
}

bool fl_date_to_us(int32_t days, int64_t *ret_us)
{
    if (!fl_date_is_finite(days)) {
        *ret_us = days < 0 ? INT64_MIN : INT64_MAX;
        return true;
    }
    return !__builtin_mul_overflow((int64_t)days, FL_US_PER_DAY, ret_us) && fl_us_fits(*ret_us);
}

int64_t fl_date_to_us_beside(int32_t days)
{
    int64_t us;
    if (!fl_date_is_finite(days))
        return days < 0 ? INT64_MIN : INT64_MAX;
    if (__builtin_mul_overflow((int64_t)days, FL_US_PER_DAY, &us))
        return days < 0 ? INT64_MIN + 1 : INT64_MAX - 1;
    return us;
}

int32_t fl_date_of_us(int64_t us)
{
    if (!fl_timestamp_is_finite(us))
        return us < 0 ? INT32_MIN : INT32_MAX;
    return (int32_t)fl_floor_div(us, FL_US_PER_DAY);
}

int fl_date_parse(fl_str text, int32_t *ret_days)
{
    cursor c = open_text(text);
    int64_t days = 0;
    int infinity = read_infinity(c);
    if (infinity != 0) {
        *ret_days = infinity < 0 ? INT32_MIN : INT32_MAX;
        return 0;
    }
    if (is_epoch(c)) {
        *ret_days = 0;
        return 0;
    }
    int rc = read_date(&c, &days);
    if (rc == 0 && c.at < c.end && (*c.at == ' ' || *c.at == 'T')) { /* a time behind a date is read and dropped */
        int64_t us;
        rc = fl_timestamp_parse(text, &us, NULL);
        c.at = c.end;
    }
    if (rc == 0)
        rc = finish(&c);
    if (rc == 0)
        *ret_days = (int32_t)days;
    return rc;
}

int fl_time_parse(fl_str text, int64_t *ret_us)
{
    cursor c = open_text(text);
    int64_t us = 0;
    int rc = read_time(&c, &us, NULL);
    if (rc == 0)
        rc = finish(&c);
    if (rc == 0)
        *ret_us = us;
    return rc;
}

/* Z, UTC, +hh, +hhmm, +hh:mm, +hh:mm:ss. Gives the offset east in seconds. */
static int read_zone(cursor *c, int64_t *ret_seconds, bool *ret_any)
{
    cursor ahead = *c;
    skip_space(&ahead);
    *ret_any = false;
    *ret_seconds = 0;
    if (ahead.at == ahead.end)
        return 0;
    if (*ahead.at == 'Z' || *ahead.at == 'z') {
        ahead.at++;
    } else if (ahead.end - ahead.at >= 3 && fl_str_is_equal_nocase((fl_str){ahead.at, 3}, FL_STR("utc"))) {
        ahead.at += 3;
    } else if (*ahead.at == '+' || *ahead.at == '-') {
        int64_t sign = *ahead.at++ == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;
        if (digits(&ahead, 2, &hours) == 0)
            return 1;
        bool has_colon = ahead.at < ahead.end && *ahead.at == ':';
        if (take(&ahead, ':')
                ? digits(&ahead, 2, &minutes) != 2
                : (ahead.at < ahead.end && *ahead.at >= '0' && *ahead.at <= '9' && digits(&ahead, 2, &minutes) != 2))
            return 1;
        if (has_colon && take(&ahead, ':') && digits(&ahead, 2, &seconds) != 2)
            return 1;
        if (hours > 15 || minutes > 59 || seconds > 59)
            return 2;
        *ret_seconds = sign * (hours * 3600 + minutes * 60 + seconds);
    } else {
        return 0;
    }
    *ret_any = true;
    *c = ahead;
    return 0;
}

/* ret_rest: the nanoseconds behind the microseconds; NULL: they are rounded. */
static int parse_timestamp(fl_str text, int64_t *ret_us, int64_t *ret_rest, bool *ret_zoned)
{
    cursor c = open_text(text);
    int infinity = read_infinity(c);
    if (ret_zoned != NULL)
        *ret_zoned = false;
    if (ret_rest != NULL)
        *ret_rest = 0;
    if (infinity != 0) {
        *ret_us = infinity < 0 ? INT64_MIN : INT64_MAX;
        return 0;
    }
    if (is_epoch(c)) {
        *ret_us = 0;
        return 0;
    }
    int64_t days = 0, us = 0, zone_seconds = 0;
    bool has_zone = false;
    int rc = read_date(&c, &days);
    if (rc == 0 && c.at < c.end && (*c.at == 'T' || *c.at == 't' || *c.at == ' ')) {
        cursor ahead = c;
        ahead.at++;
        skip_space(&ahead);
        if (ahead.at < ahead.end) {
            c = ahead;
            rc = read_time(&c, &us, ret_rest);
            if (rc == 0)
                rc = read_zone(&c, &zone_seconds, &has_zone);
            (void)take_bc(&c); /* read_date has looked for it */
        }
    }
    if (rc == 0)
        rc = finish(&c);
    if (rc != 0)
        return rc;
    int64_t total;
    if (__builtin_mul_overflow(days, FL_US_PER_DAY, &total) || __builtin_add_overflow(total, us, &total))
        return 2;
    if (ret_zoned != NULL) {
        *ret_zoned = has_zone;
        total -= zone_seconds * FL_US_PER_SECOND;
    }
    *ret_us = total;
    return fl_us_fits(total) ? 0 : 2;
}

int fl_timestamp_parse(fl_str text, int64_t *ret_us, bool *ret_zoned)
{
    return parse_timestamp(text, ret_us, NULL, ret_zoned);
}

int fl_timestamp_parse_ns(fl_str text, int64_t *ret_ns, bool *ret_zoned)
{
    int64_t us = 0, rest = 0, ns;
    int rc = parse_timestamp(text, &us, &rest, ret_zoned);
    if (rc != 0)
        return rc;
    if (us == INT64_MAX || us == INT64_MIN) {
        *ret_ns = us;
        return 0;
    }
    if (__builtin_mul_overflow(us + (us < 0), 1000LL, &ns) ||
        __builtin_add_overflow(ns, us < 0 ? rest - 1000 : rest, &ns) || ns == INT64_MAX || ns == INT64_MIN)
        return 2;
    *ret_ns = ns;
    return 0;
}

/* Unit of an interval: months, days or nanoseconds per one. */
static bool interval_unit(fl_str word, int64_t *months, int64_t *days, int64_t *nanos)
{
    static const struct {
        const char *name;
        int64_t months, days, nanos;
    } units[] = {
        {"year", 12, 0, 0},
        {"y", 12, 0, 0},
        {"yr", 12, 0, 0},
        {"decade", 120, 0, 0},
        {"century", 1200, 0, 0},
        {"centurie", 1200, 0, 0},
        {"millennium", 12000, 0, 0},
        {"millennia", 12000, 0, 0},
        {"quarter", 3, 0, 0},
        {"month", 1, 0, 0},
        {"mon", 1, 0, 0},
        {"week", 0, 7, 0},
        {"w", 0, 7, 0},
        {"day", 0, 1, 0},
        {"d", 0, 1, 0},
        {"hour", 0, 0, 3600000000000},
        {"h", 0, 0, 3600000000000},
        {"hr", 0, 0, 3600000000000},
        {"minute", 0, 0, 60000000000},
        {"min", 0, 0, 60000000000},
        {"m", 0, 0, 60000000000},
        {"second", 0, 0, 1000000000},
        {"sec", 0, 0, 1000000000},
        {"s", 0, 0, 1000000000},
        {"millisecond", 0, 0, 1000000},
        {"msec", 0, 0, 1000000},
        {"ms", 0, 0, 1000000},
        {"microsecond", 0, 0, 1000},
        {"usec", 0, 0, 1000},
        {"us", 0, 0, 1000},
        {"nanosecond", 0, 0, 1},
        {"ns", 0, 0, 1},
    };
    for (int pass = 0; pass < 2; pass++) { /* as written, then without a plural's s */
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
            if (fl_str_is_equal_nocase(word, fl_str_of(units[i].name))) {
                *months = units[i].months;
                *days = units[i].days;
                *nanos = units[i].nanos;
                return true;
            }
        if (word.len < 2 || fl_char_lower(word.data[word.len - 1]) != 's')
            return false;
        word.len--;
    }
    return false;
}

typedef struct interval_sum {
    __int128 months, days, nanos;
} interval_sum;

/* Adds whole + fraction (in 1e-9) units; what a fraction of a month or day gives flows down, as PostgreSQL has it. */
static void add_units(interval_sum *sum, int64_t sign, int64_t whole, int64_t fraction, int64_t months, int64_t days,
                      int64_t nanos)
{
    sum->months += (__int128)sign * whole * months;
    sum->days += (__int128)sign * whole * days;
    sum->nanos += (__int128)sign * whole * nanos;
    if (fraction == 0)
        return;
    __int128 part_months = (__int128)fraction * months; /* in 1e-9 */
    sum->months += sign * (part_months / 1000000000);
    __int128 part_days = (part_months % 1000000000) * (months == 0 ? 0 : 30) + (__int128)fraction * days;
    if (months >= 12)
        part_days = 0; /* fractions of years give months only */
    sum->days += sign * (part_days / 1000000000);
    sum->nanos += sign * ((part_days % 1000000000) * 86400 + (__int128)fraction * nanos / 1000000000);
}

static int read_fraction(cursor *c, int64_t *ret_nano_parts)
{
    int64_t parts = 0, scale = 100000000;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, scale /= 10)
        parts += (*c->at - '0') * scale;
    *ret_nano_parts = parts;
    return 0;
}

static int read_iso_interval(cursor *c, interval_sum *sum)
{
    bool in_time = false, any = false;
    c->at++; /* P */
    while (c->at < c->end && *c->at != ' ') {
        if (take(c, 'T')) {
            in_time = true;
            continue;
        }
        int64_t sign = take(c, '-') ? -1 : 1, whole, fraction = 0;
        if (digits(c, 18, &whole) == 0)
            return 1;
        if (take(c, '.'))
            read_fraction(c, &fraction);
        if (c->at == c->end)
            return 1;
        char unit = *c->at++;
        any = true;
        if (!in_time && unit == 'Y')
            add_units(sum, sign, whole, fraction, 12, 0, 0);
        else if (!in_time && unit == 'M')
            add_units(sum, sign, whole, fraction, 1, 0, 0);
        else if (!in_time && unit == 'W')
            add_units(sum, sign, whole, fraction, 0, 7, 0);
        else if (!in_time && unit == 'D')
            add_units(sum, sign, whole, fraction, 0, 1, 0);
        else if (in_time && unit == 'H')
            add_units(sum, sign, whole, fraction, 0, 0, 3600000000000);
        else if (in_time && unit == 'M')
            add_units(sum, sign, whole, fraction, 0, 0, 60000000000);
        else if (in_time && unit == 'S')
            add_units(sum, sign, whole, fraction, 0, 0, 1000000000);
        else
            return 1;
    }
    return any ? 0 : 1;
}

/* -2:03, with or without a sign. */
static bool is_before_clock(cursor c)
{
    int64_t hours;
    if (!take(&c, '-'))
        (void)take(&c, '+');
    return digits(&c, 18, &hours) > 0 && take(&c, ':');
}

int fl_interval_parse(fl_str text, int32_t *ret_months, int32_t *ret_days, int64_t *ret_nanos)
{
    cursor c = open_text(text);
    interval_sum sum = {0};
    bool any = false, has_days = false;
    if (c.at < c.end && *c.at == '@')
        c.at++, skip_space(&c);
    if (c.at < c.end && *c.at == 'P') {
        int rc = read_iso_interval(&c, &sum);
        if (rc != 0)
            return rc;
        any = true;
    }
    while (skip_space(&c), c.at < c.end) {
        if (any && c.end - c.at >= 3 && fl_str_is_equal_nocase((fl_str){c.at, 3}, FL_STR("ago"))) {
            c.at += 3;
            sum.months = -sum.months, sum.days = -sum.days, sum.nanos = -sum.nanos;
            continue;
        }
        int64_t sign = take(&c, '-') ? -1 : (take(&c, '+'), 1), whole = 0, fraction = 0;
        cursor start = c;
        int n = digits(&c, 18, &whole);
        if (c.at < c.end && *c.at == ':') { /* hh:mm[:ss[.f]] */
            int64_t minute, second = 0, nanos = 0;
            c.at++;
            if (n == 0 || digits(&c, 2, &minute) == 0)
                return 1;
            if (take(&c, ':') && digits(&c, 2, &second) == 0)
                return 1;
            if (take(&c, '.'))
                read_fraction(&c, &nanos);
            if (minute > 59 || second > 59)
                return 2;
            sum.nanos += sign * ((((__int128)whole * 60 + minute) * 60 + second) * 1000000000 + nanos);
            any = true;
            continue;
        }
        if (n > 0 && c.at < c.end && *c.at == '-') { /* years-months */
            int64_t months;
            c.at++;
            if (digits(&c, 2, &months) == 0 || months > 11 || (c.at < c.end && !is_blank(*c.at)))
                return 1;
            sum.months += sign * ((__int128)whole * 12 + months);
            any = true;
            continue;
        }
        if (take(&c, '.'))
            read_fraction(&c, &fraction);
        if (c.at == start.at)
            return 1;
        skip_space(&c);
        const char *word = c.at;
        while (c.at < c.end && ((*c.at | 32) >= 'a' && (*c.at | 32) <= 'z'))
            c.at++;
        int64_t months = 0, days = 0, nanos = 1000000000; /* a bare number counts seconds */
        if (c.at > word && !interval_unit((fl_str){word, c.at - word}, &months, &days, &nanos))
            return 1;
        if (c.at == word && c.at < c.end) { /* but days before a clock, 1 10:00 */
            if (has_days || !is_before_clock(c))
                return 1;
            days = 1, nanos = 0;
        }
        has_days |= days != 0;
        add_units(&sum, sign, whole, fraction, months, days, nanos);
        any = true;
    }
    if (!any)
        return 1;
    if (sum.months != (int32_t)sum.months || sum.days != (int32_t)sum.days || sum.nanos != (int64_t)sum.nanos)
        return 2;
    *ret_months = (int32_t)sum.months;
    *ret_days = (int32_t)sum.days;
    *ret_nanos = (int64_t)sum.nanos;
    return 0;
}

int32_t fl_date_print(int32_t days, char *ret)
{
    if (days == INT32_MAX || days == INT32_MIN)
        return sprintf(ret, days > 0 ? "infinity" : "-infinity");
    fl_civil c = fl_civil_from_days(days);
    if (c.year <= 0)
        return sprintf(ret, "%04d-%02d-%02d BC", 1 - c.year, c.month, c.day);
    return sprintf(ret, "%04d-%02d-%02d", c.year, c.month, c.day);
}

static int32_t print_fraction(int64_t parts, int digits_max, char *ret)
{
    if (parts == 0)
        return 0;
    int32_t len = sprintf(ret, ".%0*lld", digits_max, (long long)parts);
    while (ret[len - 1] == '0')
        ret[--len] = 0;
    return len;
}

int32_t fl_time_print(int64_t us, char *ret)
{
    int64_t seconds = us / FL_US_PER_SECOND;
    int32_t len = sprintf(ret, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
    return len + print_fraction(us % FL_US_PER_SECOND, 6, ret + len);
}

static int32_t print_timestamp(int64_t days, int64_t us, int64_t rest, bool zoned, char *ret)
{
    fl_civil c = fl_civil_from_days(days);
    int64_t seconds = us / FL_US_PER_SECOND;
    int32_t len = sprintf(ret, "%04d-%02d-%02d ", c.year <= 0 ? 1 - c.year : c.year, c.month, c.day);
    if (rest == 0) {
        len += fl_time_print(us, ret + len);
    } else {
        len += fl_time_print(seconds * FL_US_PER_SECOND, ret + len);
        len += print_fraction((us - seconds * FL_US_PER_SECOND) * 1000 + rest, 9, ret + len);
    }
    if (zoned)
        len += sprintf(ret + len, "+00");
    if (c.year <= 0)
        len += sprintf(ret + len, " BC");
    return len;
}

int32_t fl_timestamp_print(int64_t us, bool zoned, char *ret)
{
    if (us == INT64_MAX || us == INT64_MIN)
        return sprintf(ret, us > 0 ? "infinity" : "-infinity");
    int64_t days = fl_floor_div(us, FL_US_PER_DAY);
    return print_timestamp(days, fl_floor_rest(us, days, FL_US_PER_DAY), 0, zoned, ret);
}

int32_t fl_timestamp_print_ns(int64_t ns, bool zoned, char *ret)
{
    if (ns == INT64_MAX || ns == INT64_MIN)
        return sprintf(ret, ns > 0 ? "infinity" : "-infinity");
    int64_t us = fl_floor_div(ns, 1000), days = fl_floor_div(us, FL_US_PER_DAY);
    return print_timestamp(days, fl_floor_rest(us, days, FL_US_PER_DAY), fl_floor_rest(ns, us, 1000), zoned, ret);
}

int32_t fl_interval_print(int32_t months, int32_t days, int64_t nanos, char *ret)
{
    int32_t len = 0;
    int32_t years = months / 12, rest = months % 12;
    bool was_negative = false;
#define PART(value, one, many)                                                                                      \
    if ((value) != 0) {                                                                                             \
        len += sprintf(ret + len, "%s%s%d %s", len > 0 ? " " : "", was_negative && (value) > 0 ? "+" : "", (value), \
                       (value) == 1 ? (one) : (many));                                                              \
        was_negative = (value) < 0;                                                                                 \
    }
    PART(years, "year", "years")
    PART(rest, "mon", "mons")
    PART(days, "day", "days")
#undef PART
    if (nanos != 0 || len == 0) {
        uint64_t size = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
        uint64_t seconds = size / 1000000000, parts = size % 1000000000;
        len += sprintf(ret + len, "%s%s%02llu:%02d:%02d", len > 0 ? " " : "",
                       nanos < 0      ? "-"
                       : was_negative ? "+"
                                      : "",
                       (unsigned long long)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
        len += parts % 1000 == 0 ? print_fraction((int64_t)(parts / 1000), 6, ret + len)
                                 : print_fraction((int64_t)parts, 9, ret + len);
    }
    return len;
}
