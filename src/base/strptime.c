/* Reading dates and times by a format. */
#include "base/strptime.h"

#include "base/date_names.h"
#include "base/datetime.h"

typedef struct parsed {
    int64_t year, month, day, day_of_year; /* day_of_year 0: not given */
    int64_t hour, minute, second, us, zone_minutes;
    bool has_12, is_pm, has_half;
} parsed;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Up to `digits` digits; false: none, or out of [low, high]. */
static bool take_number(fl_str *x, int digits, int64_t low, int64_t high, int64_t *ret)
{
    int64_t n = 0, value = 0;
    for (; n < digits && n < x->len && is_digit(x->data[n]); n++)
        value = value * 10 + (x->data[n] - '0');
    *x = (fl_str){x->data + n, x->len - n};
    *ret = value;
    return n > 0 && value >= low && value <= high;
}

/* Digits behind the point: missing ones are zeros. */
static bool take_fraction(fl_str *x, int digits, int64_t unit, int64_t *ret)
{
    int64_t before = x->len, value;
    if (!take_number(x, digits, 0, INT64_MAX, &value))
        return false;
    for (int64_t n = before - x->len; n < digits; n++)
        value *= 10;
    *ret = value * unit;
    return true;
}

/* One of the names, its first three letters only where is_short; *ret is its number. */
static bool take_name(fl_str *x, const char *const *names, int n_names, bool is_short, int64_t *ret)
{
    for (int i = 0; i < n_names; i++) {
        fl_str name = {names[i], is_short ? 3 : (int64_t)strlen(names[i])};
        if (x->len < name.len || !fl_str_is_equal_nocase((fl_str){x->data, name.len}, name))
            continue;
        *x = (fl_str){x->data + name.len, x->len - name.len};
        *ret = i;
        return true;
    }
    return false;
}

/* +hh, +hhmm or +hh:mm */
static bool take_zone(fl_str *x, int64_t *ret_minutes)
{
    int64_t hours, minutes = 0;
    bool is_negative = x->len > 0 && x->data[0] == '-';
    if (x->len == 0 || (x->data[0] != '+' && x->data[0] != '-'))
        return false;
    *x = (fl_str){x->data + 1, x->len - 1};
    if (!take_number(x, 2, 0, 15, &hours))
        return false;
    bool has_colon = x->len > 1 && x->data[0] == ':' && is_digit(x->data[1]);
    if (has_colon)
        *x = (fl_str){x->data + 1, x->len - 1};
    if (x->len > 0 && is_digit(x->data[0]) && !take_number(x, 2, 0, 59, &minutes))
        return false;
    *ret_minutes = (hours * 60 + minutes) * (is_negative ? -1 : 1);
    return true;
}

/* Four digits where other digits follow: 20240229. */
static bool take_year(fl_str *x, bool is_fixed, int64_t *ret)
{
    bool is_negative = x->len > 0 && x->data[0] == '-';
    if (is_negative)
        *x = (fl_str){x->data + 1, x->len - 1};
    bool is_ok = take_number(x, is_fixed ? 4 : 6, 0, 294247, ret);
    *ret = is_negative ? -*ret : *ret;
    return is_ok;
}

/* Whether what the format says next begins with a digit. */
static bool begins_with_digit(fl_str format)
{
    if (format.len > 0 && format.data[0] == '%') {
        int64_t at = 1 + (format.len > 1 && format.data[1] == '-');
        return at < format.len && strchr("dmyYHIMSfgj", format.data[at]) != NULL;
    }
    return format.len > 0 && is_digit(format.data[0]);
}

/* 1: read; 0: the text is not of the form; -1: no such specifier to read. `next` is the format behind it. */
static int take(char specifier, fl_str next, fl_str *x, parsed *t)
{
    int64_t ignored;
    switch (specifier) {
    case 'a':
        return take_name(x, fl_weekday_names, 7, true, &ignored);
    case 'A':
        return take_name(x, fl_weekday_names, 7, false, &ignored);
    case 'b':
    case 'B': {
        bool is_ok = take_name(x, fl_month_names, 12, specifier == 'b', &t->month);
        t->month += is_ok;
        return is_ok;
    }
    case 'd':
        return take_number(x, 2, 1, 31, &t->day);
    case 'm':
        return take_number(x, 2, 1, 12, &t->month);
    case 'y': {
        bool is_ok = take_number(x, 2, 0, 99, &t->year);
        t->year += t->year < 69 ? 2000 : 1900; /* as POSIX has it */
        return is_ok;
    }
    case 'Y':
        return take_year(x, begins_with_digit(next), &t->year);
    case 'H':
        return take_number(x, 2, 0, 23, &t->hour);
    case 'I':
        t->has_12 = true;
        return take_number(x, 2, 1, 12, &t->hour);
    case 'M':
        return take_number(x, 2, 0, 59, &t->minute);
    case 'S':
        return take_number(x, 2, 0, 59, &t->second);
    case 'f':
        return take_fraction(x, 6, 1, &t->us);
    case 'g':
        return take_fraction(x, 3, 1000, &t->us);
    case 'j':
        return take_number(x, 3, 1, 366, &t->day_of_year);
    case 'z':
        return take_zone(x, &t->zone_minutes);
    case 'p': {
        if (x->len < 2)
            return 0;
        t->is_pm = fl_str_is_equal_nocase((fl_str){x->data, 2}, FL_STR("PM"));
        t->has_half = t->is_pm || fl_str_is_equal_nocase((fl_str){x->data, 2}, FL_STR("AM"));
        *x = (fl_str){x->data + 2, x->len - 2};
        return t->has_half;
    }
    case '%': {
        bool is_ok = x->len > 0 && x->data[0] == '%';
        if (is_ok)
            *x = (fl_str){x->data + 1, x->len - 1};
        return is_ok;
    }
    default:
        return -1;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_blanks(fl_str *x)
{
    while (x->len > 0 && is_blank(x->data[0]))
        *x = (fl_str){x->data + 1, x->len - 1};
}

/* 1: read, *t is set; 0, -1 as take(). */
static int parse(fl_str x, fl_str format, parsed *t)
{
    *t = (parsed){.year = 1900, .month = 1, .day = 1};
    skip_blanks(&x);
    for (int64_t i = 0; i < format.len; i++) {
        if (format.data[i] == '%') {
            i += i + 1 < format.len && format.data[i + 1] == '-' ? 2 : 1;
            if (i >= format.len)
                return -1;
            fl_str next = {format.data + i + 1, format.len - i - 1};
            int is_ok = take(format.data[i], next, &x, t);
            if (is_ok != 1)
                return is_ok;
        } else if (is_blank(format.data[i])) {
            skip_blanks(&x);
        } else {
            if (x.len == 0 || x.data[0] != format.data[i])
                return 0;
            x = (fl_str){x.data + 1, x.len - 1};
        }
    }
    skip_blanks(&x);
    return x.len == 0;
}

/* False: there is no such date. */
static bool to_timestamp(const parsed *t, int64_t *ret)
{
    int64_t hour = t->hour, days, us;
    if (t->has_12 && t->has_half)
        hour = hour % 12 + (t->is_pm ? 12 : 0);
    if (t->day > fl_days_in_month((int32_t)t->year, (int32_t)t->month))
        return false;
    days = fl_days_from_civil((int32_t)t->year, (int32_t)t->month, (int32_t)t->day);
    if (t->day_of_year > 0)
        days = fl_days_from_civil((int32_t)t->year, 1, 1) + t->day_of_year - 1;
    us = ((hour * 60 + t->minute - t->zone_minutes) * 60 + t->second) * FL_US_PER_SECOND + t->us;
    return !__builtin_mul_overflow(days, FL_US_PER_DAY, ret) && !__builtin_add_overflow(*ret, us, ret) &&
           fl_us_fits(*ret);
}

fl_strptime_result fl_strptime(fl_str text, fl_str format, int64_t *ret_us)
{
    parsed t;
    int is_ok = parse(text, format, &t);
    if (is_ok != 1)
        return is_ok == 0 ? FL_STRPTIME_OTHER_FORM : FL_STRPTIME_BAD_FORMAT;
    return to_timestamp(&t, ret_us) ? FL_STRPTIME_OK : FL_STRPTIME_NO_DATE;
}
