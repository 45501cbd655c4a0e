/* Readers of fields. Doubles: digits and exponent that a double holds exactly need one multiplication or division (after
 * Clinger 1990, "How to read floating point numbers accurately"); all others go the slow, exact way. */
#include "format/csv/values.h"

#include "base/datetime.h"
#include "base/number.h"

static fl_str trim(fl_str s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static bool is_digit(char c)
{
    return (uint8_t)(c - '0') < 10;
}

bool fl_csv_read_i64(fl_str text, int64_t *ret)
{
    const char *p = text.data, *end = p + text.len;
    bool is_negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end || end - p > 18 || !is_digit(*p))
        return fl_i64_parse(text, ret) == 0;
    uint64_t value = 0;
    for (; p < end; p++) {
        if (!is_digit(*p))
            return fl_i64_parse(text, ret) == 0;
        value = value * 10 + (uint64_t)(*p - '0');
    }
    *ret = is_negative ? -(int64_t)value : (int64_t)value;
    return true;
}

#define EXACT_POWER 22 /* 10^22 is the last power of ten that a double holds exactly */

bool fl_csv_read_f64(fl_str text, double *ret)
{
    static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *p = text.data, *end = p + text.len;
    bool is_negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    uint64_t digits = 0;
    int count = 0, behind_point = 0;
    bool has_point = false;
    for (; p < end && count < 19; p++) {
        if (is_digit(*p)) {
            digits = digits * 10 + (uint64_t)(*p - '0');
            count++;
            behind_point += has_point;
        } else if (*p == '.' && !has_point) {
            has_point = true;
        } else {
            break;
        }
    }
    if (p < end || count == 0 || digits > 1ull << 53 || behind_point > EXACT_POWER)
        return fl_double_parse(text, ret) == 0;
    double value = (double)digits / powers[behind_point];
    *ret = is_negative ? -value : value;
    return true;
}

bool fl_csv_is_padded(fl_str number)
{
    while (number.len > 0 && number.data[0] == ' ')
        number = (fl_str){number.data + 1, number.len - 1};
    return number.len > 1 && (number.data[0] == '+' || (number.data[0] == '0' && is_digit(number.data[1])));
}

bool fl_csv_read_bool(fl_str text, bool *ret)
{
    *ret = text.len == 4;
    return fl_str_is_equal_nocase(text, FL_STR("true")) || fl_str_is_equal_nocase(text, FL_STR("false"));
}

/* Two digits at p. */
static bool read_two(const char *p, int32_t *ret)
{
    *ret = (p[0] - '0') * 10 + (p[1] - '0');
    return is_digit(p[0]) && is_digit(p[1]);
}

bool fl_csv_read_date(fl_str text, int32_t *ret_days)
{
    int32_t century, year, month, day;
    const char *p = text.data;
    if (text.len != 10 || p[4] != '-' || p[7] != '-' || !read_two(p, &century) || !read_two(p + 2, &year) ||
        !read_two(p + 5, &month) || !read_two(p + 8, &day))
        return false;
    year += century * 100;
    if (month < 1 || month > 12 || day < 1 || day > fl_days_in_month(year, month))
        return false;
    *ret_days = (int32_t)fl_days_from_civil(year, month, day);
    return true;
}

/* [+-]hh[:mm] or [+-]hhmm behind a time. */
static bool read_zone(const char *p, const char *end, int64_t *ret_minutes)
{
    int32_t hours, minutes = 0;
    if (end - p == 1 && *p == 'Z') {
        *ret_minutes = 0;
        return true;
    }
    if (end - p < 3 || (*p != '+' && *p != '-') || !read_two(p + 1, &hours) || hours > 15)
        return false;
    const char *rest = p + 3;
    if (rest < end && *rest == ':')
        rest++;
    if (rest != end && (end - rest != 2 || !read_two(rest, &minutes) || minutes > 59))
        return false;
    *ret_minutes = (*p == '-' ? -1 : 1) * (int64_t)(hours * 60 + minutes);
    return true;
}

/* hh:mm[:ss[.ffffff]] from *at on. */
static bool read_clock(const char **at, const char *end, int64_t *ret_us)
{
    int32_t hour, minute, second = 0;
    int64_t us = 0;
    const char *p = *at;
    if (end - p < 5 || p[2] != ':' || !read_two(p, &hour) || !read_two(p + 3, &minute))
        return false;
    p += 5;
    if (end - p >= 3 && *p == ':') {
        if (!read_two(p + 1, &second))
            return false;
        p += 3;
        if (end - p >= 2 && *p == '.' && is_digit(p[1])) {
            int64_t unit = 100000;
            for (p++; p < end && is_digit(*p); p++, unit /= 10) {
                us += (*p - '0') * unit;
                if (unit == 0 && *p != '0')
                    return false;
            }
        }
    }
    *at = p;
    *ret_us = ((int64_t)(hour * 60 + minute) * 60 + second) * FL_US_PER_SECOND + us;
    return hour <= 23 && minute <= 59 && second <= 59;
}

bool fl_csv_read_time(fl_str text, int64_t *ret_us)
{
    const char *p = text.data;
    return read_clock(&p, text.data + text.len, ret_us) && p == text.data + text.len;
}

bool fl_csv_read_timestamp(fl_str text, bool has_zone, int64_t *ret_us)
{
    int32_t days;
    int64_t us = 0, zone = 0;
    if (text.len < 10 || !fl_csv_read_date((fl_str){text.data, 10}, &days))
        return false;
    if (text.len == 10) {
        *ret_us = days * FL_US_PER_DAY;
        return !has_zone;
    }
    const char *p = text.data + 10, *end = text.data + text.len;
    if (end - p < 6 || (*p != ' ' && *p != 'T'))
        return false;
    p++;
    if (!read_clock(&p, end, &us) || (has_zone ? !read_zone(p, end, &zone) : p != end))
        return false;
    *ret_us = days * FL_US_PER_DAY + us - zone * 60 * FL_US_PER_SECOND;
    return true;
}

bool fl_csv_is_whole(fl_str text)
{
    int64_t sign = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    for (int64_t i = sign; i < text.len; i++)
        if (!is_digit(text.data[i]))
            return false;
    return text.len > sign;
}

bool fl_csv_is_number_word(fl_str text)
{
    static const fl_str words[] = {FL_STR("nan"), FL_STR("inf"), FL_STR("infinity")};
    text = trim(text);
    if (text.len > 0 && text.data[0] == '-')
        text = (fl_str){text.data + 1, text.len - 1};
    for (int64_t i = 0; i < FL_LEN(words); i++)
        if (fl_str_is_equal_nocase(text, words[i]))
            return true;
    return false;
}

/* What may stand before or behind the digits of a number or time that people write. */
static bool has_only(fl_str text, const char *allowed, int *ret_digits, int *ret_others)
{
    *ret_digits = *ret_others = 0;
    for (int64_t i = 0; i < text.len; i++) {
        bool digit = is_digit(text.data[i]);
        if (!digit && (text.data[i] == 0 || strchr(allowed, text.data[i]) == NULL))
            return false;
        *ret_digits += digit;
        *ret_others += !digit;
    }
    return *ret_digits > 0;
}

bool fl_csv_looks_like_number(fl_str text)
{
    static const fl_str currencies[] = {FL_STR("$"), FL_STR("€"), FL_STR("£"), FL_STR("¥")};
    int digits, others;
    text = trim(text);
    if (text.len > 0 && strchr("+-(", text.data[0]) != NULL)
        text = (fl_str){text.data + 1, text.len - 1};
    for (int64_t i = 0; i < FL_LEN(currencies); i++)
        if (fl_str_has_prefix(text, currencies[i]))
            text = (fl_str){text.data + currencies[i].len, text.len - currencies[i].len};
    return has_only(text, ".,'_ %eE+)", &digits, &others) && (is_digit(text.data[0]) || text.data[0] == '.');
}

bool fl_csv_looks_like_time(fl_str text)
{
    int digits, others;
    text = trim(text);
    return has_only(text, "-/.: TZ+", &digits, &others) && digits >= 3 && others >= 1 && is_digit(text.data[0]);
}

uint32_t fl_csv_kinds_of(fl_str text, uint32_t wanted)
{
    const uint32_t numbers = FL_CSV_I64 | FL_CSV_DECIMAL | FL_CSV_F64;
    uint32_t kinds = 0;
    int64_t i;
    int32_t days;
    double f;
    bool b;
    if ((wanted & FL_CSV_BOOL) != 0 && fl_csv_read_bool(text, &b))
        return FL_CSV_BOOL;
    if ((wanted & numbers) != 0) {
        fl_str number = trim(text);
        if (number.len > 0 && (is_digit(number.data[0]) || number.data[0] == '-' || number.data[0] == '.')) {
            if (fl_csv_is_padded(number)) {
                kinds = 0; /* text, unless it is a day or time */
            } else if (fl_csv_is_whole(number)) {
                int64_t digits = number.len - (number.data[0] == '-');
                uint32_t wide = digits <= FL_DECIMAL_PRECISION_MAX ? FL_CSV_DECIMAL | FL_CSV_F64 : 0;
                return wanted & (fl_csv_read_i64(number, &i) ? numbers : wide);
            } else if (fl_csv_read_f64(number, &f)) {
                return FL_CSV_F64 & wanted;
            }
        }
        if (fl_csv_is_number_word(number))
            return FL_CSV_F64 & wanted;
    }
    if ((wanted & FL_CSV_DATE) != 0 && fl_csv_read_date(text, &days))
        kinds |= FL_CSV_DATE;
    if ((wanted & FL_CSV_TIMESTAMP) != 0 && fl_csv_read_timestamp(text, false, &i))
        kinds |= FL_CSV_TIMESTAMP;
    if ((wanted & FL_CSV_TIMESTAMPTZ) != 0 && fl_csv_read_timestamp(text, true, &i))
        kinds |= FL_CSV_TIMESTAMPTZ;
    if ((wanted & FL_CSV_TIME) != 0 && fl_csv_read_time(text, &i))
        kinds |= FL_CSV_TIME;
    return kinds;
}

fl_type fl_csv_type_of(uint32_t kinds)
{
    static const uint8_t types[] = {FL_BOOL,      FL_I64,         FL_DECIMAL, FL_F64,  FL_DATE,
                                    FL_TIMESTAMP, FL_TIMESTAMPTZ, FL_TIME,    FL_DATE, FL_TIMESTAMP};
    if (kinds == 0)
        return FL_TYPE(FL_UTF8);
    uint8_t id = types[__builtin_ctz(kinds)];
    return id == FL_DECIMAL ? FL_TYPE_DECIMAL(FL_DECIMAL_PRECISION_MAX, 0) : FL_TYPE(id);
}
