/* The words and numbers of a date are gathered in whatever order they come, and written anew as ISO has them, for the readers
 * of datetime.c. */
#include "base/date_words.h"

#include "base/arena.h"
#include "base/datetime.h"
#include "base/zone.h"

#include <stdio.h>

#define TEXT_BYTES_MAX 128
#define CLOCK_BYTES_MAX 48

typedef struct found {
    int64_t numbers[3];
    int widths[3]; /* digits */
    int n;
    int64_t month; /* by its name; 0: none */
    int64_t julian;
    bool has_julian, is_bc, has_era;
    fl_str clock;   /* 10:00:00.5 PM */
    fl_str compact; /* 101530 */
    fl_str offset;  /* -05:00 */
    fl_str zone;    /* America/New_York */
} found;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(fl_str word, const char *wanted)
{
    return fl_str_is_equal_nocase(word, fl_str_of(wanted));
}

/* 1 to 12; a name or its first three letters. 0: none. */
static int month_of(fl_str word)
{
    static const char *const names[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december"};
    for (int i = 0; i < 12; i++)
        if (is_word(word, names[i]) || fl_str_is_equal_nocase(word, (fl_str){names[i], 3}))
            return i + 1;
    return is_word(word, "sept") ? 9 : 0;
}

static bool is_weekday(fl_str word)
{
    static const char *const names[] = {"sunday",   "monday", "tuesday", "wednesday", "thursday", "friday",
                                        "saturday", "sun",    "mon",     "tue",       "wed",      "thu",
                                        "fri",      "sat",    "tues",    "weds",      "thur",     "thurs"};
    for (int64_t i = 0; i < FL_LEN(names); i++)
        if (is_word(word, names[i]))
            return true;
    return false;
}

/* Abbreviations are offsets, whatever the time of the year (PostgreSQL's default set; those of two continents). */
static bool abbreviation(fl_str word, int64_t *ret_seconds)
{
    static const struct {
        const char *name;
        int hours;
    } known[] = {{"UTC", 0},   {"GMT", 0},   {"UT", 0},    {"Z", 0},    {"ZULU", 0}, {"WET", 0},  {"EST", -5},
                 {"EDT", -4},  {"CST", -6},  {"CDT", -5},  {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7},
                 {"HST", -10}, {"AKST", -9}, {"AKDT", -8}, {"WEST", 1}, {"BST", 1},  {"CET", 1},  {"MET", 1},
                 {"CEST", 2},  {"EET", 2},   {"EEST", 3},  {"MSK", 3},  {"IST", 2},  {"JST", 9},  {"KST", 9}};
    for (int64_t i = 0; i < FL_LEN(known); i++)
        if (is_word(word, known[i].name)) {
            *ret_seconds = known[i].hours * 3600;
            return true;
        }
    return false;
}

static bool has_time(const found *f)
{
    return f->clock.len > 0 || f->compact.len > 0;
}

static bool has_date(const found *f)
{
    return f->has_julian || f->n + (f->month > 0) == 3;
}

/* 20240403 and 240403 are a date of their own. */
static bool add_number(found *f, fl_str digits)
{
    int64_t value = 0;
    if (digits.len > 8 || has_date(f))
        return false;
    for (int64_t i = 0; i < digits.len; i++)
        value = value * 10 + (digits.data[i] - '0');
    if ((digits.len == 8 || digits.len == 6) && f->n == 0 && f->month == 0) {
        int64_t parts[] = {value / 10000, value / 100 % 100, value % 100};
        memcpy(f->numbers, parts, sizeof(parts));
        f->widths[0] = digits.len == 8 ? 4 : 2;
        f->widths[1] = -1; /* year, month and day in order, whatever their widths */
        f->n = 3;
        return true;
    }
    f->widths[f->n] = (int)digits.len;
    f->numbers[f->n++] = value;
    return true;
}

/* A word, or a zone's name; false: it is none. */
static bool add_word(found *f, fl_str word)
{
    int month = month_of(word);
    if (month > 0 && f->month == 0 && f->n < 3) {
        f->month = month;
    } else if ((is_word(word, "bc") || is_word(word, "ad")) && !f->has_era) {
        f->has_era = true;
        f->is_bc = is_word(word, "bc");
    } else if (!is_weekday(word) && !is_word(word, "at") && !is_word(word, "on")) {
        if (f->zone.len > 0 || f->offset.len > 0 || !(has_time(f) || has_date(f)))
            return false;
        f->zone = word;
    }
    return true;
}

static int64_t run_of(fl_str x, bool (*is_part)(char))
{
    int64_t n = 0;
    while (n < x.len && is_part(x.data[n]))
        n++;
    return n;
}

static bool is_of_clock(char c)
{
    return is_digit(c) || c == ':' || c == '.';
}

static bool is_of_offset(char c)
{
    return is_digit(c) || c == ':' || c == '+' || c == '-';
}

static bool is_of_zone(char c)
{
    return is_letter(c) || is_digit(c) || c == '/' || c == '_' || c == '+' || c == '-' || c == ':';
}

/* 10:00:00.5, and the half of the day behind it. */
static int64_t clock_bytes(fl_str x)
{
    int64_t n = run_of(x, is_of_clock), half = n;
    while (half < x.len && is_blank(x.data[half]))
        half++;
    bool has_half = half + 2 <= x.len && (x.data[half + 1] | 32) == 'm' &&
                    ((x.data[half] | 32) == 'a' || (x.data[half] | 32) == 'p') &&
                    (half + 2 == x.len || !is_letter(x.data[half + 2]));
    return has_half ? half + 2 : n;
}

/* Between the numbers of a date. */
static bool is_of_date(char c)
{
    return c == '-' || c == '/' || c == '.';
}

static bool gather(fl_str x, found *f)
{
    bool is_behind_time = false; /* a sign is a zone's there */
    *f = (found){0};
    for (int64_t at = 0; at < x.len;) {
        fl_str rest = {x.data + at, x.len - at};
        char c = rest.data[0];
        int64_t n = 1;
        if (is_digit(c)) {
            n = run_of(rest, is_digit);
            bool is_clock = n <= 2 && n < rest.len && rest.data[n] == ':';
            if (is_clock && (has_time(f) || (at > 0 && is_of_date(rest.data[-1]))))
                return false;
            if (is_clock) {
                n = clock_bytes(rest);
                f->clock = (fl_str){rest.data, n};
            } else if (has_date(f) && !has_time(f) && (n == 4 || n == 6)) {
                f->compact = (fl_str){rest.data, n};
            } else if (!add_number(f, (fl_str){rest.data, n})) {
                return false;
            }
            is_behind_time = is_clock || f->compact.data == rest.data;
        } else if ((c == 'J' || c == 'j') && rest.len > 1 && is_digit(rest.data[1]) && !has_date(f) && f->n == 0) {
            n = 1 + run_of((fl_str){rest.data + 1, rest.len - 1}, is_digit);
            for (int64_t i = 1; i < n && i < 9; i++)
                f->julian = f->julian * 10 + (rest.data[i] - '0');
            f->has_julian = true;
        } else if ((c == 'T' || c == 't') && rest.len > 1 && is_digit(rest.data[1]) && !has_time(f)) {
            n = 1; /* between date and time */
        } else if (is_letter(c)) {
            n = run_of(rest, is_letter);
            if ((has_time(f) || has_date(f)) && month_of((fl_str){rest.data, n}) == 0 &&
                !is_weekday((fl_str){rest.data, n}))
                n = run_of(rest, is_of_zone);
            if (!add_word(f, (fl_str){rest.data, n}))
                return false;
        } else if ((c == '+' || c == '-') && f->offset.len == 0 && f->zone.len == 0 &&
                   (has_time(f) ? is_behind_time || has_date(f)
                                : has_date(f) && (c == '+' || is_blank(rest.data[-1])))) {
            n = run_of(rest, is_of_offset);
            f->offset = (fl_str){rest.data, n};
        } else if (is_blank(c)) {
            n = 1;
        } else if (c != ',' && !is_of_date(c)) {
            return false;
        }
        is_behind_time &= is_digit(c) || is_blank(c);
        at += n;
    }
    return true;
}

/* A year of two digits is near, but before Christ. */
static int64_t year_of(const found *f, int64_t value, int width)
{
    return width <= 2 && !f->is_bc ? value + (value < 70 ? 2000 : 1900) : value;
}

/* Month first, unless the year is, by its width. */
static void date_of(const found *f, int64_t *year, int64_t *month, int64_t *day)
{
    const int64_t *x = f->numbers;
    const int *widths = f->widths;
    if (f->month > 0) {
        int at = widths[0] >= 3 ? 0 : 1;
        *year = year_of(f, x[at], widths[at]);
        *month = f->month;
        *day = x[1 - at];
    } else if (widths[0] >= 3 || widths[1] < 0) {
        *year = year_of(f, x[0], widths[0]);
        *month = x[1];
        *day = x[2];
    } else {
        *year = year_of(f, x[2], widths[2]);
        *month = x[0];
        *day = x[1];
    }
}

/* The date as ISO writes it, with its time and offset. False: it is none. */
static bool rewrite(const found *f, char *ret, fl_str *ret_text)
{
    int64_t year, month, day, len;
    if (!has_date(f) || f->clock.len > CLOCK_BYTES_MAX || f->offset.len > 16)
        return false;
    if (f->has_julian) {
        if (f->julian > FL_DATE_MAX - (int64_t)FL_DATE_MIN)
            return false;
        len = fl_date_print((int32_t)(f->julian + FL_DATE_MIN), ret);
    } else {
        date_of(f, &year, &month, &day);
        len = snprintf(ret, TEXT_BYTES_MAX, "%04lld-%02d-%02d", (long long)year, (int)month, (int)day);
    }
    if (f->clock.len > 0)
        len += snprintf(ret + len, (size_t)(TEXT_BYTES_MAX - len), " %.*s%.*s", FL_STR_ARG(f->clock),
                        FL_STR_ARG(f->offset));
    else if (f->compact.len > 0)
        len += snprintf(ret + len, (size_t)(TEXT_BYTES_MAX - len), " %.2s:%.2s:%.2s%.*s", f->compact.data,
                        f->compact.data + 2, f->compact.len == 6 ? f->compact.data + 4 : "00", FL_STR_ARG(f->offset));
    else if (f->offset.len > 0)
        len += snprintf(ret + len, (size_t)(TEXT_BYTES_MAX - len), " 00:00%.*s", FL_STR_ARG(f->offset));
    if (f->is_bc)
        len += snprintf(ret + len, (size_t)(TEXT_BYTES_MAX - len), " BC");
    *ret_text = (fl_str){ret, len};
    return true;
}

/* Seconds east at a local time; 3: there is no such zone, 1: and it does not look like one. */
static int offset_of(fl_str name, int64_t local_seconds, int64_t *ret)
{
    fl_arena arena;
    const fl_zone *zone;
    if (abbreviation(name, ret))
        return 0;
    fl_arena_init(&arena, NULL);
    bool is_zone = fl_zone_open(&arena, name, &zone, NULL) == FL_OK;
    if (is_zone)
        *ret = fl_zone_offset_local(zone, local_seconds);
    fl_arena_drop(&arena);
    return is_zone ? 0 : name.len > 0 && memchr(name.data, '/', (size_t)name.len) != NULL ? 3 : 1;
}

int fl_date_parse_words(fl_str text, int32_t *ret_days)
{
    found f;
    char buffer[TEXT_BYTES_MAX];
    fl_str iso;
    int64_t ignored;
    int rc = fl_date_parse(text, ret_days);
    if (rc != 1 || !gather(text, &f) || !rewrite(&f, buffer, &iso))
        return rc;
    if (f.zone.len > 0)
        rc = offset_of(f.zone, 0, &ignored);
    else
        rc = 0;
    return rc != 0 ? rc : fl_date_parse(iso, ret_days);
}

int fl_time_parse_words(fl_str text, int64_t *ret_us)
{
    found f;
    int64_t ignored;
    int rc = fl_time_parse(text, ret_us);
    if (rc != 1 || !gather(text, &f) || f.clock.len == 0)
        return rc;
    if (has_date(&f)) { /* which must be one, as its offset */
        bool is_zoned;
        rc = fl_timestamp_parse_words(text, false, &ignored, &is_zoned);
    } else if (f.n > 0 || f.month > 0 || f.has_era || (f.zone.len > 0 && !abbreviation(f.zone, &ignored))) {
        return 1; /* what a zone's name says of a time depends on the day */
    } else {
        rc = 0;
    }
    return rc == 0 ? fl_time_parse(f.clock, ret_us) : rc;
}

int fl_timestamp_parse_words(fl_str text, bool in_nanos, int64_t *ret, bool *ret_zoned)
{
    found f;
    char buffer[TEXT_BYTES_MAX];
    fl_str iso;
    int64_t offset = 0, per_second = in_nanos ? 1000000000 : FL_US_PER_SECOND;
    int rc = in_nanos ? fl_timestamp_parse_ns(text, ret, ret_zoned) : fl_timestamp_parse(text, ret, ret_zoned);
    if (rc != 1 || !gather(text, &f) || !rewrite(&f, buffer, &iso))
        return rc;
    rc = in_nanos ? fl_timestamp_parse_ns(iso, ret, ret_zoned) : fl_timestamp_parse(iso, ret, ret_zoned);
    if (rc != 0 || f.zone.len == 0)
        return rc;
    rc = offset_of(f.zone, fl_floor_div(*ret, per_second), &offset);
    if (rc != 0 || ret_zoned == NULL)
        return rc;
    *ret_zoned = true;
    if (__builtin_sub_overflow(*ret, offset * per_second, ret) ||
        !(in_nanos ? fl_timestamp_is_finite(*ret) : fl_us_fits(*ret)))
        return 2;
    return 0;
}
