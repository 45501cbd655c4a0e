/* strftime(x, format) and strptime(text, format), with C's specifiers as DuckDB has them:
 *
 *     %a %A %b %B     names, short and long        %H %I %p %M %S     time of day
 *     %d %m %y %Y     date                         %f %g %n           micro-, milli- and nanoseconds
 *     %j              day of the year              %z %Z              +00, UTC
 *     %U %W %V %G     week from Sunday, from       %w %u              weekday from 0 (Sunday), from 1 (Monday)
 *                     Monday, ISO's and its year   %x %X %c %%        ISO date, time, both; a percent sign
 *
 * A - behind the % leaves leading zeros out. Readers take numbers with or without them, years of four digits where other digits
 * follow; what a format does not say is 1900-01-01 00:00:00. */
#include "func/time/moment.h"
#include "func/time/names.h"

#include <stdio.h>

#define PIECE_BYTES_MAX 32 /* of one specifier's text */

static fl_status fail_format(fl_str format, fl_err *err)
{
    FL_FAIL(err, FL_ERR_VALUE, "the format \"%.*s\" has a specifier that is not known",
            (int)(format.len > 100 ? 100 : format.len), format.data);
    return fl_err_state(err, "22023", FL_ERR_VALUE);
}

/* The specifier behind a %: its letter, and whether a - stands before it. False: there is none. */
static bool read_specifier(fl_str format, int64_t *at, char *ret, bool *ret_bare)
{
    ++*at;
    *ret_bare = *at < format.len && format.data[*at] == '-';
    *at += *ret_bare;
    if (*at >= format.len)
        return false;
    *ret = format.data[*at];
    return true;
}

/* ---- strftime ------------------------------------------------------------------------------------------------------ */

static int put_number(char *ret, int64_t value, int digits, bool bare)
{
    return snprintf(ret, PIECE_BYTES_MAX, "%0*lld", bare ? 1 : digits, (long long)value);
}

/* Writes a specifier's text; returns its length, -1 where it is not known. */
static int put(char specifier, bool bare, const fl_moment *t, char *ret)
{
    int64_t seconds = t->nanos / 1000000000, parts = t->nanos % 1000000000, hour = seconds / 3600;
    int64_t day_of_year = t->days - fl_days_from_civil(t->date.year, 1, 1) + 1;
    int64_t weekday = ((t->days + 4) % 7 + 7) % 7;
    int32_t iso_year, week = fl_iso_week(t->days, &iso_year);
    switch (specifier) {
    case 'a':
        return snprintf(ret, PIECE_BYTES_MAX, "%.3s", fl_weekday_names[weekday]);
    case 'A':
        return snprintf(ret, PIECE_BYTES_MAX, "%s", fl_weekday_names[weekday]);
    case 'b':
        return snprintf(ret, PIECE_BYTES_MAX, "%.3s", fl_month_names[t->date.month - 1]);
    case 'B':
        return snprintf(ret, PIECE_BYTES_MAX, "%s", fl_month_names[t->date.month - 1]);
    case 'd':
        return put_number(ret, t->date.day, 2, bare);
    case 'm':
        return put_number(ret, t->date.month, 2, bare);
    case 'y':
        return put_number(ret, (t->date.year % 100 + 100) % 100, 2, bare);
    case 'Y':
        return put_number(ret, t->date.year, 4, bare);
    case 'H':
        return put_number(ret, hour, 2, bare);
    case 'I':
        return put_number(ret, hour % 12 == 0 ? 12 : hour % 12, 2, bare);
    case 'p':
        return snprintf(ret, PIECE_BYTES_MAX, "%s", hour < 12 ? "AM" : "PM");
    case 'M':
        return put_number(ret, seconds / 60 % 60, 2, bare);
    case 'S':
        return put_number(ret, seconds % 60, 2, bare);
    case 'f':
        return put_number(ret, parts / 1000, 6, false);
    case 'g':
        return put_number(ret, parts / 1000000, 3, false);
    case 'n':
        return put_number(ret, parts, 9, false);
    case 'j':
        return put_number(ret, day_of_year, 3, bare);
    case 'w':
        return put_number(ret, weekday, 1, bare);
    case 'u':
        return put_number(ret, weekday == 0 ? 7 : weekday, 1, bare);
    case 'U':
        return put_number(ret, (day_of_year + 6 - weekday) / 7, 2, bare);
    case 'W':
        return put_number(ret, (day_of_year + 6 - (weekday + 6) % 7) / 7, 2, bare);
    case 'V':
        return put_number(ret, week, 2, bare);
    case 'G':
        return put_number(ret, iso_year, 4, bare);
    case 'z':
        return snprintf(ret, PIECE_BYTES_MAX, "+00");
    case 'Z':
        return snprintf(ret, PIECE_BYTES_MAX, "UTC");
    case 'x':
        return fl_date_print((int32_t)t->days, ret);
    case 'X':
        return snprintf(ret, PIECE_BYTES_MAX, "%02d:%02d:%02d", (int)hour, (int)(seconds / 60 % 60),
                        (int)(seconds % 60));
    case '%':
        return snprintf(ret, PIECE_BYTES_MAX, "%%");
    default:
        return -1;
    }
}

static fl_status format_row(fl_call *call, const fl_moment *t, fl_str format, fl_view *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char *out;
    int64_t len = 0;
    FL_TRY(fl_arena_get(call->heap, format.len * PIECE_BYTES_MAX + 2 * PIECE_BYTES_MAX, (void **)&out, err));
    for (int64_t i = 0; i < format.len; i++) {
        char specifier;
        bool bare;
        if (format.data[i] != '%') {
            out[len++] = format.data[i];
            continue;
        }
        if (!read_specifier(format, &i, &specifier, &bare))
            return fail_format(format, err);
        if (specifier == 'c') {
            len += put('x', false, t, out + len);
            out[len++] = ' ';
            specifier = 'X';
        }
        int n = put(specifier, bare, t, out + len);
        if (n < 0)
            return fail_format(format, err);
        len += n;
    }
    *ret = fl_view_of(out, len);
cleanup:
    return st;
}

static fl_status run_strftime(fl_call *call, int32_t time_at, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        int64_t value = fl_arg_i64(call, time_at)[row];
        if (!fl_timestamp_is_finite(value)) { /* infinity has no fields */
            fl_ret_view(call)[row] = value > 0 ? fl_view_of("infinity", 8) : fl_view_of("-infinity", 9);
            continue;
        }
        fl_moment t = fl_moment_of(value, call->args[time_at].type.unit);
        FL_TRY(format_row(call, &t, fl_vec_str(&call->args[1 - time_at], row), &fl_ret_view(call)[row], err));
    }
cleanup:
    return st;
}

static fl_status strftime_first(fl_call *call, fl_err *err)
{
    return run_strftime(call, 0, err);
}

static fl_status strftime_last(fl_call *call, fl_err *err)
{
    return run_strftime(call, 1, err);
}

/* ---- strptime ------------------------------------------------------------------------------------------------------ */

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
        char specifier;
        bool bare;
        if (format.data[i] == '%') {
            if (!read_specifier(format, &i, &specifier, &bare))
                return -1;
            fl_str next = {format.data + i + 1, format.len - i - 1};
            int is_ok = take(specifier, next, &x, t);
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

static fl_status run_strptime(fl_call *call, bool is_try, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        parsed t;
        fl_ret_i64(call)[row] = 0;
        bool is_null = !fl_vec_is_valid(&call->args[0], row) || !fl_vec_is_valid(&call->args[1], row);
        if (is_null || !fl_call_wants(call, row)) {
            if (is_try && is_null)
                fl_bit_clear(fl_call_valid(call), row);
            continue;
        }
        fl_str x = fl_vec_str(&call->args[0], row), format = fl_vec_str(&call->args[1], row);
        int is_ok = parse(x, format, &t);
        if (is_ok < 0)
            return fail_format(format, err);
        if (is_ok && to_timestamp(&t, &fl_ret_i64(call)[row]))
            continue;
        if (is_try) {
            fl_bit_clear(fl_call_valid(call), row);
            continue;
        }
        FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is not of the form \"%.*s\"", (int)(x.len > 100 ? 100 : x.len), x.data,
                (int)(format.len > 100 ? 100 : format.len), format.data);
        return fl_err_state(err, is_ok ? "22008" : "22007", FL_ERR_VALUE);
    }
    return FL_OK;
}

static fl_status strptime_fails(fl_call *call, fl_err *err)
{
    return run_strptime(call, false, err);
}

static fl_status strptime_tries(fl_call *call, fl_err *err)
{
    return run_strptime(call, true, err);
}

#define TIME(text, more, help, ...)                        \
    {FL_DESC(fl_func_desc),                                \
     .name = text,                                         \
     .traits = FL_PURE | FL_CAN_FAIL | (more),             \
     .doc = help,                                          \
     .overloads = (const fl_func_overload[]){__VA_ARGS__}, \
     .n_overloads = (int32_t)(sizeof((const fl_func_overload[]){__VA_ARGS__}) / sizeof(fl_func_overload))}

static const fl_func_desc funcs[] = {
    TIME("strftime", FL_NULL_GIVES_NULL | FL_NANOS, "strftime(x, format): text by a format such as '%Y-%m-%d %H:%M:%S'",
         {FL_ARGS(FL_TIMESTAMP, FL_UTF8), FL_UTF8, 0, strftime_first},
         {FL_ARGS(FL_TIMESTAMPTZ, FL_UTF8), FL_UTF8, 0, strftime_first},
         {FL_ARGS(FL_UTF8, FL_TIMESTAMP), FL_UTF8, 0, strftime_last}),
    TIME("strptime", FL_NULL_GIVES_NULL, "strptime(text, format): the timestamp that a text of this format says",
         {FL_ARGS(FL_UTF8, FL_UTF8), FL_TIMESTAMP, 0, strptime_fails}),
    TIME("try_strptime", FL_SETS_VALID, "try_strptime(text, format): as strptime, null where the text has another form",
         {FL_ARGS(FL_UTF8, FL_UTF8), FL_TIMESTAMP, 0, strptime_tries}),
};

FL_FUNC_SET(strftime, funcs);
