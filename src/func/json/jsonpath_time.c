/* Reading and comparing dates and times in paths. A bit of the value's tag, which its reader leaves alone, says that there is more behind it. */
#include "func/json/jsonpath_time.h"

#include "base/datetime.h"

#include <stdio.h>

#define IS_TIME 0x20 /* a bit of YYJSON_RESERVED_MASK */
#define TEXT_BYTES 64

enum { HAS_DATE = 1, HAS_TIME = 2, HAS_ZONE = 4 };

typedef struct time_value {
    yyjson_val value; /* first */
    int parts;
    int64_t us;     /* of the day, or since 1970, as clocks there show it */
    int64_t offset; /* seconds east of UTC */
    char text[TEXT_BYTES];
} time_value;

typedef struct scan {
    const char *at, *end;
} scan;

/* So many digits, at most; -1: there are none, or too few. */
static int64_t digits(scan *s, int least, int most)
{
    int64_t value = 0;
    int n = 0;
    for (; n < most && s->at < s->end && *s->at >= '0' && *s->at <= '9'; n++)
        value = value * 10 + (*s->at++ - '0');
    return n >= least ? value : -1;
}

static bool skip(scan *s, char c)
{
    bool is = s->at < s->end && *s->at == c;
    s->at += is;
    return is;
}

static bool read_date(scan *s, int64_t *us)
{
    int64_t year = digits(s, 4, 4), month = skip(s, '-') ? digits(s, 2, 2) : -1,
            day = skip(s, '-') ? digits(s, 2, 2) : -1;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > fl_days_in_month((int32_t)year, (int32_t)month))
        return false;
    *us = fl_days_from_civil((int32_t)year, (int32_t)month, (int32_t)day) * FL_US_PER_DAY;
    return true;
}

static bool read_clock(scan *s, int64_t *us)
{
    int64_t hour = digits(s, 2, 2), minute = skip(s, ':') ? digits(s, 2, 2) : -1,
            second = skip(s, ':') ? digits(s, 2, 2) : -1;
    int64_t fraction = 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    if (skip(s, '.')) {
        const char *from = s->at;
        fraction = digits(s, 1, 6);
        if (fraction < 0)
            return false;
        for (int64_t n = s->at - from; n < 6; n++)
            fraction *= 10;
    }
    *us += ((hour * 60 + minute) * 60 + second) * FL_US_PER_SECOND + fraction;
    return true;
}

static bool read_offset(scan *s, int64_t *ret)
{
    bool is_west = s->at < s->end && *s->at == '-';
    if (skip(s, 'Z'))
        return true;
    if (!skip(s, '+') && !skip(s, '-'))
        return false;
    int64_t hours = digits(s, 2, 2), minutes = 0;
    if (skip(s, ':'))
        minutes = digits(s, 2, 2);
    *ret = (hours * 60 + minutes) * (is_west ? -60 : 60);
    return hours >= 0 && hours < 16 && minutes >= 0 && minutes < 60;
}

static bool read_all(scan s, time_value *ret)
{
    bool has_date = s.end - s.at > 4 && s.at[4] == '-';
    if (has_date && !read_date(&s, &ret->us))
        return false;
    ret->parts = has_date ? HAS_DATE : 0;
    if (has_date && s.at == s.end)
        return true;
    if (has_date && !skip(&s, 'T') && !skip(&s, ' '))
        return false;
    if (!read_clock(&s, &ret->us))
        return false;
    ret->parts |= HAS_TIME;
    if (s.at == s.end)
        return true;
    skip(&s, ' ');
    ret->parts |= HAS_ZONE;
    return read_offset(&s, &ret->offset) && s.at == s.end;
}

static void print(time_value *t)
{
    int len = 0;
    int64_t days = fl_floor_div(t->us, FL_US_PER_DAY), us = fl_floor_mod(t->us, FL_US_PER_DAY);
    int64_t seconds = us / FL_US_PER_SECOND, fraction = us % FL_US_PER_SECOND,
            offset = t->offset < 0 ? -t->offset : t->offset;
    fl_civil date = fl_civil_from_days(days);
    if (t->parts & HAS_DATE)
        len += snprintf(t->text, TEXT_BYTES, "%04d-%02d-%02d%s", (int)date.year, (int)date.month, (int)date.day,
                        t->parts & HAS_TIME ? "T" : "");
    if (t->parts & HAS_TIME)
        len += snprintf(t->text + len, TEXT_BYTES - (size_t)len, "%02d:%02d:%02d", (int)(seconds / 3600),
                        (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (fraction != 0) {
        len += snprintf(t->text + len, TEXT_BYTES - (size_t)len, ".%06d", (int)fraction);
        while (t->text[len - 1] == '0')
            len--;
    }
    if (t->parts & HAS_ZONE)
        len += snprintf(t->text + len, TEXT_BYTES - (size_t)len, "%c%02d:%02d", t->offset < 0 ? '-' : '+',
                        (int)(offset / 3600), (int)(offset / 60 % 60));
    yyjson_set_strn(&t->value, t->text, (size_t)len);
    t->value.tag |= IS_TIME;
}

fl_status fl_jsonpath_time_read(fl_arena *arena, fl_str text, yyjson_val **ret, fl_err *err)
{
    time_value *t = NULL;
    fl_status st = FL_NEW(arena, &t, err);
    *ret = NULL;
    if (st == FL_OK && read_all((scan){text.data, text.data + text.len}, t)) {
        print(t);
        *ret = &t->value;
    }
    return st;
}

bool fl_jsonpath_is_time(const yyjson_val *value)
{
    return (value->tag & IS_TIME) != 0;
}

const char *fl_jsonpath_time_type(const yyjson_val *value)
{
    int parts = ((const time_value *)value)->parts;
    FL_ASSERT(fl_jsonpath_is_time(value));
    if (!(parts & HAS_TIME))
        return "date";
    if (parts & HAS_DATE)
        return parts & HAS_ZONE ? "timestamp with time zone" : "timestamp without time zone";
    return parts & HAS_ZONE ? "time with time zone" : "time without time zone";
}

fl_jsonpath_order fl_jsonpath_time_compare(const yyjson_val *a, const yyjson_val *b, bool uses_zone)
{
    const time_value *x = (const time_value *)a, *y = (const time_value *)b;
    FL_ASSERT(fl_jsonpath_is_time(a) && fl_jsonpath_is_time(b));
    if ((x->parts & HAS_DATE) != (y->parts & HAS_DATE))
        return FL_JP_APART;
    if ((x->parts & HAS_ZONE) != (y->parts & HAS_ZONE) && !uses_zone)
        return FL_JP_NEEDS_ZONE;
    int64_t u = x->us - x->offset * FL_US_PER_SECOND, v = y->us - y->offset * FL_US_PER_SECOND;
    bool are_clocks = !(x->parts & HAS_DATE) && u == v; /* of the same moment the eastern clock comes first */
    return u != v                                 ? (u < v ? FL_JP_LESS : FL_JP_MORE)
           : are_clocks && x->offset != y->offset ? (x->offset > y->offset ? FL_JP_LESS : FL_JP_MORE)
                                                  : FL_JP_SAME;
}
