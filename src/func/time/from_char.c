/* to_date(text, pattern) and to_timestamp(text, pattern), by the patterns that to_char writes; and to_timestamp(seconds).
 *
 * As in PostgreSQL, blanks before a value are passed over, and so is a separator where the pattern has one, whichever it is; a number is
 * read as far as its pattern is long, or up to what is no digit where the pattern goes on with something else. What the pattern
 * does not say is the first of January of the year 1 BC, at midnight UTC. */
#include "base/date_names.h"
#include "func/time/moment.h"
#include "func/time/pattern.h"

#include <math.h>

/* What was read so far. */
typedef struct parts {
    int64_t year, month, day, day_of_year, julian;
    bool has_year, has_day_of_year, has_julian, is_bc, has_half, is_pm;
    int year_digits;
    int64_t hour, minute, second, second_of_day, us;
    int64_t zone_seconds;
    bool is_west;
} parts;

typedef struct reader {
    fl_str text, pattern;
    int64_t at, pattern_at;
} reader;

static fl_status fail_text(const reader *r, const char *wanted, fl_err *err)
{
    int64_t from = r->at < r->text.len ? r->at : r->text.len;
    return fl_err_state(err, "22007",
                        FL_FAIL(err, FL_ERR_VALUE, "%s was expected in \"%.*s\", from byte %lld on", wanted,
                                (int)(r->text.len < 60 ? r->text.len : 60), r->text.data, (long long)from + 1));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_blanks(reader *r)
{
    while (r->at < r->text.len &&
           (r->text.data[r->at] == ' ' || r->text.data[r->at] == '\t' || r->text.data[r->at] == '\n'))
        r->at++;
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

/* Whether the pattern goes on with another number, so that this one ends where its pattern does. */
static bool next_is_number(const reader *r)
{
    fl_str rest = {r->pattern.data + r->pattern_at, r->pattern.len - r->pattern_at};
    for (int64_t i = 0; i < FL_LEN(patterns); i++)
        if (letters_of(rest, patterns[i].text, patterns[i].is_name) != NOT_THERE)
            return !patterns[i].is_name && patterns[i].pattern != P_HALF && patterns[i].pattern != P_ERA;
    return false;
}

static fl_status read_number(reader *r, int digits, int64_t *ret, int *ret_digits, fl_err *err)
{
    int64_t value = 0;
    int n = 0, most = next_is_number(r) ? digits : 18;
    skip_blanks(r);
    bool is_negative = r->at < r->text.len && r->text.data[r->at] == '-' && r->at + 1 < r->text.len &&
                       is_digit(r->text.data[r->at + 1]);
    if (is_negative || (r->at < r->text.len && r->text.data[r->at] == '+'))
        r->at++;
    for (; r->at < r->text.len && n < most && is_digit(r->text.data[r->at]); r->at++, n++)
        value = value * 10 + (r->text.data[r->at] - '0');
    if (n == 0)
        return fail_text(r, "a number", err);
    *ret = is_negative ? -value : value;
    if (ret_digits != NULL)
        *ret_digits = n;
    return FL_OK;
}

/* Digits behind a point: .5 is 500 milliseconds. */
static fl_status read_fraction(reader *r, int digits, int64_t *ret_us, fl_err *err)
{
    static const int64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    int64_t value;
    int n;
    fl_status st = read_number(r, digits, &value, &n, err);
    if (st == FL_OK && (n > digits || value < 0))
        return fail_text(r, "a fraction of that many digits", err);
    if (st == FL_OK)
        *ret_us = value * tens[6 - n];
    return st;
}

/* A word of a list, at least its first three letters where it is short; gives its number. */
static fl_status read_word(reader *r, const char *const *words, int n, bool is_short, int *ret, fl_err *err)
{
    skip_blanks(r);
    fl_str rest = {r->text.data + r->at, r->text.len - r->at};
    for (int i = 0; i < n; i++) {
        int64_t len = is_short ? 3 : (int64_t)strlen(words[i]);
        if (rest.len >= len && fl_str_is_equal_nocase((fl_str){rest.data, len}, (fl_str){words[i], len})) {
            r->at += len;
            *ret = i;
            return FL_OK;
        }
    }
    return fail_text(r, "a name", err);
}

/* +hh, -hh:mm, Z, UTC */
static fl_status read_zone(reader *r, parts *p, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t hours, minutes = 0;
    static const char *const names[] = {"UTC", "GMT", "Z"};
    int unused;
    skip_blanks(r);
    char c = r->at < r->text.len ? r->text.data[r->at] : 0;
    if (c != '+' && c != '-')
        return read_word(r, names, 3, false, &unused, err);
    p->is_west = c == '-';
    r->at++;
    FL_TRY(read_number(r, 2, &hours, NULL, err));
    if (r->at < r->text.len && r->text.data[r->at] == ':') {
        r->at++;
        FL_TRY(read_number(r, 2, &minutes, NULL, err));
    }
    p->zone_seconds = hours * 3600 + minutes * 60;
cleanup:
    return st;
}

/* Years of fewer than four digits are those nearest to 2020. */
static int64_t full_year(int64_t year, int digits)
{
    if (digits >= 4 || year < 0)
        return year;
    if (digits == 3)
        return year < 520 ? year + 2000 : year + 1000;
    return digits == 2 ? (year < 70 ? year + 2000 : year + 1900) : year < 10 ? year + 2000 : year;
}

static fl_status read_pattern(reader *r, pattern which, int length, parts *p, fl_err *err)
{
    fl_status st = FL_OK;
    int word = 0;
    int64_t number;
    static const char *const eras[] = {"AD", "A.D.", "BC", "B.C."}, *const halves[] = {"AM", "A.M.", "PM", "P.M."};
    switch (which) {
    case P_YYYY:
    case P_YYY:
    case P_YY:
    case P_Y:
        FL_TRY(read_number(r, length, &p->year, &p->year_digits, err));
        p->has_year = true;
        break;
    case P_MM:
        return read_number(r, 2, &p->month, NULL, err);
    case P_MONTH:
    case P_MON:
        FL_TRY(read_word(r, fl_month_names, 12, which == P_MON, &word, err));
        p->month = word + 1;
        break;
    case P_DD:
        return read_number(r, 2, &p->day, NULL, err);
    case P_DDD:
        p->has_day_of_year = true;
        return read_number(r, 3, &p->day_of_year, NULL, err);
    case P_DAY:
    case P_DY:
        return read_word(r, fl_weekday_names, 7, which == P_DY, &word, err);
    case P_D:
    case P_Q:
    case P_W:
    case P_WW:
        return read_number(r, length, &number, NULL, err); /* says nothing that the date does not */
    case P_J:
        p->has_julian = true;
        return read_number(r, 18, &p->julian, NULL, err);
    case P_HH24:
    case P_HH12:
        return read_number(r, 2, &p->hour, NULL, err);
    case P_MI:
        return read_number(r, 2, &p->minute, NULL, err);
    case P_SS:
        return read_number(r, 2, &p->second, NULL, err);
    case P_SSSS:
        return read_number(r, 5, &p->second_of_day, NULL, err);
    case P_MS:
        return read_fraction(r, 3, &p->us, err);
    case P_US:
        return read_fraction(r, 6, &p->us, err);
    case P_FRACTION:
        return read_fraction(r, r->pattern.data[r->pattern_at - 1] - '0', &p->us, err);
    case P_ERA:
    case P_ERA_DOTS:
        FL_TRY(read_word(r, eras, 4, false, &word, err));
        p->is_bc = word >= 2;
        break;
    case P_HALF:
    case P_HALF_DOTS:
        FL_TRY(read_word(r, halves, 4, false, &word, err));
        p->has_half = true;
        p->is_pm = word >= 2;
        break;
    case P_TZ:
    case P_OF:
    case P_TZH:
        return read_zone(r, p, err);
    case P_TZM:
        FL_TRY(read_number(r, 2, &number, NULL, err));
        p->zone_seconds += number * 60;
        break;
    case P_FX:
        break;
    default:
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%.*s\" cannot be read by that pattern",
                       (int)(r->pattern.len < 60 ? r->pattern.len : 60), r->pattern.data);
    }
cleanup:
    return st;
}

/* ---- reading by a pattern ------------------------------------------------------------------------------------------ */

static bool starts_with(const reader *r, const char *word)
{
    fl_str rest = {r->pattern.data + r->pattern_at, r->pattern.len - r->pattern_at};
    return letters_of(rest, word, false) != NOT_THERE;
}

/* What is no pattern: quoted text as long as it is, a separator where there is one, a blank, any other character. */
static void skip_other(reader *r)
{
    char c = r->pattern.data[r->pattern_at++];
    if (c == '"') {
        for (; r->pattern_at < r->pattern.len && r->pattern.data[r->pattern_at] != '"'; r->pattern_at++)
            r->at += r->at < r->text.len;
        r->pattern_at += r->pattern_at < r->pattern.len;
        return;
    }
    if (c == ' ') {
        skip_blanks(r);
        return;
    }
    char small = fl_char_lower(c);
    bool is_letter = (small >= 'a' && small <= 'z') || is_digit(c);
    if (!is_letter)
        skip_blanks(r);
    char here = r->at < r->text.len ? r->text.data[r->at] : 0, here_small = fl_char_lower(here);
    bool is_separator =
        here != 0 && !is_digit(here) && !(here_small >= 'a' && here_small <= 'z') && (uint8_t)here < 0x80;
    if (is_letter ? here != 0 : is_separator)
        r->at++;
}

static fl_status read_all(reader *r, parts *p, fl_err *err)
{
    fl_status st = FL_OK;
    while (r->pattern_at < r->pattern.len && st == FL_OK) {
        fl_str rest = {r->pattern.data + r->pattern_at, r->pattern.len - r->pattern_at};
        int64_t i = 0;
        if (starts_with(r, "FM") || starts_with(r, "TM") || starts_with(r, "TH")) {
            if (starts_with(r, "TH")) /* an ordinal's ending */
                r->at += r->at + 2 <= r->text.len ? 2 : 0;
            r->pattern_at += 2;
            continue;
        }
        while (i < FL_LEN(patterns) && letters_of(rest, patterns[i].text, patterns[i].is_name) == NOT_THERE)
            i++;
        if (i == FL_LEN(patterns)) {
            skip_other(r);
            continue;
        }
        int length = (int)strlen(patterns[i].text);
        r->pattern_at += length;
        st = read_pattern(r, patterns[i].pattern, length, p, err);
    }
    return st;
}

static fl_status fail_range(fl_str text, fl_err *err)
{
    return fl_err_state(err, "22008",
                        FL_FAIL(err, FL_ERR_RANGE, "date/time field value out of range: \"%.*s\"",
                                (int)(text.len < 60 ? text.len : 60), text.data));
}

/* Days of what was read; false: there is no such day. */
static bool days_of(const parts *p, int64_t *ret)
{
    int64_t year = !p->has_year ? 0 : p->is_bc ? p->year : full_year(p->year, p->year_digits);
    if (p->has_julian) {
        *ret = p->julian - 2440588;
        return fl_date_fits(*ret);
    }
    if (p->is_bc)
        year = 1 - year;
    else if (p->has_year && year < 0)
        year++;
    if (year < -4713 || year > 5874897)
        return false;
    if (p->has_day_of_year) {
        int64_t most = fl_days_in_month((int32_t)year, 2) == 29 ? 366 : 365;
        *ret = fl_days_from_civil((int32_t)year, 1, 1) + p->day_of_year - 1;
        return p->day_of_year >= 1 && p->day_of_year <= most && fl_date_fits(*ret);
    }
    if (p->month < 1 || p->month > 12 || p->day < 1 || p->day > fl_days_in_month((int32_t)year, (int32_t)p->month))
        return false;
    *ret = fl_days_from_civil((int32_t)year, (int32_t)p->month, (int32_t)p->day);
    return fl_date_fits(*ret);
}

static bool us_of(const parts *p, int64_t days, int64_t *ret)
{
    int64_t hour = p->hour;
    if (p->has_half) {
        if (hour < 1 || hour > 12)
            return false;
        hour = hour % 12 + (p->is_pm ? 12 : 0);
    }
    if (hour < 0 || hour > 24 || p->minute < 0 || p->minute > 59 || p->second < 0 || p->second > 60 ||
        p->second_of_day < 0 || p->second_of_day > 86400)
        return false;
    int64_t seconds = hour * 3600 + p->minute * 60 + p->second + p->second_of_day;
    seconds -= p->is_west ? -p->zone_seconds : p->zone_seconds;
    return !__builtin_mul_overflow(days, FL_US_PER_DAY, ret) &&
           !__builtin_add_overflow(*ret, seconds * 1000000 + p->us, ret) && fl_us_fits(*ret);
}

static bool is_wanted(const fl_call *call, int32_t row)
{
    return fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row) && fl_vec_is_valid(&call->args[1], row);
}

static fl_status read_row(fl_call *call, int32_t row, parts *p, int64_t *ret_days, fl_err *err)
{
    reader r = {.text = fl_vec_str(&call->args[0], row), .pattern = fl_vec_str(&call->args[1], row)};
    *p = (parts){.month = 1, .day = 1};
    fl_status st = fl_call_work(call, 64 * r.pattern.len + r.text.len, err);
    if (st == FL_OK)
        st = read_all(&r, p, err);
    if (st == FL_OK && !days_of(p, ret_days))
        st = fail_range(r.text, err);
    return st;
}

static fl_status to_date(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        parts p;
        int64_t days;
        fl_ret_i32(call)[row] = 0;
        if (!is_wanted(call, row))
            continue;
        fl_status st = read_row(call, row, &p, &days, err);
        if (st != FL_OK)
            return st;
        fl_ret_i32(call)[row] = (int32_t)days;
    }
    return FL_OK;
}

static fl_status to_timestamp_by(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        parts p;
        int64_t days;
        fl_ret_i64(call)[row] = 0;
        if (!is_wanted(call, row))
            continue;
        fl_status st = read_row(call, row, &p, &days, err);
        if (st == FL_OK && !us_of(&p, days, &fl_ret_i64(call)[row]))
            st = fail_range(fl_vec_str(&call->args[0], row), err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

static fl_status to_timestamp(fl_call *call, fl_err *err)
{
    const fl_vec *from = &call->args[0];
    for (int32_t row = 0; row < call->rows; row++) {
        double x = ((const double *)from->data)[fl_vec_row(from, row)], us = rint(x * 1e6);
        bool ok = fabs(us) < 9.2e18 && fl_us_fits((int64_t)us);
        fl_ret_i64(call)[row] = 0;
        if (isinf(x))
            fl_ret_i64(call)[row] = x > 0 ? INT64_MAX : INT64_MIN;
        else if (ok)
            fl_ret_i64(call)[row] = (int64_t)us;
        else if (fl_call_wants(call, row))
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "timestamp out of range"));
    }
    return FL_OK;
}

#define TRAITS (FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS)

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "to_date", .traits = TRAITS, .n_overloads = 1,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_UTF8), FL_DATE, FL_CAN_FAIL, to_date}},
     .doc = "to_date(text, pattern): the date that a text says by a pattern such as 'DD Mon YYYY'"},
    {FL_DESC(fl_func_desc), .name = "to_timestamp", .traits = TRAITS, .n_overloads = 2,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_F64), FL_TIMESTAMPTZ, FL_CAN_FAIL, to_timestamp},
                                             {FL_ARGS(FL_UTF8, FL_UTF8), FL_TIMESTAMPTZ, FL_CAN_FAIL, to_timestamp_by}},
     .doc = "to_timestamp(n): n seconds after 1970-01-01 UTC; to_timestamp(text, pattern): as to_date, with its time"},
};

FL_FUNC_SET(from_char, funcs);
