/* strftime(x, format) and strptime(text, format), with C's specifiers as DuckDB has them:
 *
 *     %a %A %b %B     names, short and long        %H %I %p %M %S     time of day
 *     %d %m %y %Y     date                         %f %g %n           micro-, milli- and nanoseconds
 *     %j              day of the year              %z %Z              +00, UTC
 *     %U %W %V %G     week from Sunday, from       %w %u              weekday from 0 (Sunday), from 1 (Monday)
 *                     Monday, ISO's and its year   %x %X %c %%        ISO date, time, both; a percent sign
 *
 * A - behind the % leaves leading zeros out. How texts are read says base/strptime.h. */
#include "base/date_names.h"
#include "base/strptime.h"
#include "func/time/moment.h"

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

static fl_status run_strptime(fl_call *call, bool is_try, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_i64(call)[row] = 0;
        bool is_null = !fl_vec_is_valid(&call->args[0], row) || !fl_vec_is_valid(&call->args[1], row);
        if (is_null || !fl_call_wants(call, row)) {
            if (is_try && is_null)
                fl_bit_clear(fl_call_valid(call), row);
            continue;
        }
        fl_str x = fl_vec_str(&call->args[0], row), format = fl_vec_str(&call->args[1], row);
        fl_strptime_result result = fl_strptime(x, format, &fl_ret_i64(call)[row]);
        if (result == FL_STRPTIME_BAD_FORMAT)
            return fail_format(format, err);
        if (result == FL_STRPTIME_OK)
            continue;
        if (is_try) {
            fl_bit_clear(fl_call_valid(call), row);
            continue;
        }
        FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is not of the form \"%.*s\"", (int)(x.len > 100 ? 100 : x.len), x.data,
                (int)(format.len > 100 ? 100 : format.len), format.data);
        return fl_err_state(err, result == FL_STRPTIME_NO_DATE ? "22008" : "22007", FL_ERR_VALUE);
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

#define TIME(text, more, help, ...)                            \
    {FL_DESC(fl_func_desc),                                    \
     .name = text,                                             \
     .traits = FL_PURE | FL_CAN_FAIL | FL_LOCAL_TIME | (more), \
     .doc = help,                                              \
     .overloads = (const fl_func_overload[]){__VA_ARGS__},     \
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
