/* Values as numbers, and what they may mean. */
#include "format/csv/forms.h"

#include "base/datetime.h"

/* Which number is which, the preferred order first. */
typedef struct order {
    int8_t year, month, day;
    int8_t year_digits;
    char letters[4]; /* of the format */
} order;

static const order orders[] = {{0, 1, 2, 2, "ymd"}, {0, 1, 2, 4, "Ymd"}, {2, 1, 0, 2, "dmy"},
                               {2, 1, 0, 4, "dmY"}, {2, 0, 1, 2, "mdy"}, {2, 0, 1, 4, "mdY"}};

static const char *const times[] = {"%H:%M:%S", "%H:%M:%S.%f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"};
enum { SECONDS, FRACTION, MINUTES, HALF_SECONDS, HALF_MINUTES };

/* Up to digits_max digits at *at. */
static bool read_number(fl_str text, int64_t *at, int32_t digits_max, int32_t *ret, int32_t *ret_digits)
{
    *ret = *ret_digits = 0;
    for (; *at < text.len && (uint8_t)(text.data[*at] - '0') < 10 && *ret_digits < digits_max; (*at)++, (*ret_digits)++)
        *ret = *ret * 10 + (text.data[*at] - '0');
    return *ret_digits > 0;
}

/* The form of a time of day that goes from `at` to the text's end; -1: it is none. */
static int time_of(fl_str text, int64_t at)
{
    int32_t hour, minute, second = 0, fraction, digits;
    bool has_seconds = false, has_fraction = false;
    if (!read_number(text, &at, 2, &hour, &digits) || at == text.len || text.data[at++] != ':' ||
        !read_number(text, &at, 2, &minute, &digits) || digits != 2)
        return -1;
    if (at < text.len && text.data[at] == ':') {
        at++;
        has_seconds = true;
        if (!read_number(text, &at, 2, &second, &digits) || digits != 2)
            return -1;
        if (at < text.len && text.data[at] == '.') {
            at++;
            has_fraction = true;
            if (!read_number(text, &at, 6, &fraction, &digits))
                return -1;
        }
    }
    if (minute > 59 || second > 59)
        return -1;
    if (at == text.len)
        return hour > 23 ? -1 : has_fraction ? FRACTION : has_seconds ? SECONDS : MINUTES;
    fl_str rest = {text.data + at, text.len - at};
    bool is_half = fl_str_is_equal_nocase(rest, FL_STR(" am")) || fl_str_is_equal_nocase(rest, FL_STR(" pm"));
    return !is_half || has_fraction || hour < 1 || hour > 12 ? -1 : has_seconds ? HALF_SECONDS : HALF_MINUTES;
}

bool fl_csv_forms_add(fl_csv_forms *f, fl_str text)
{
    int32_t numbers[3], digits[3];
    int64_t at = 0;
    char separator = 0;
    for (int i = 0; i < 3; i++) {
        if (!read_number(text, &at, 4, &numbers[i], &digits[i]))
            return false;
        if (i == 2)
            break;
        if (at == text.len || (text.data[at] != '-' && text.data[at] != '/' && text.data[at] != '.') ||
            (i == 1 && text.data[at] != separator))
            return false;
        separator = text.data[at++];
    }
    bool has_time = at < text.len;
    if (has_time) {
        int time = text.data[at] == ' ' ? time_of(text, at + 1) : -1;
        f->times &= time < 0 ? 0 : (uint8_t)(1u << time);
    }
    uint8_t possible = 0;
    for (int i = 0; i < FL_LEN(orders); i++) {
        const order *o = &orders[i];
        int32_t year = numbers[o->year], month = numbers[o->month], day = numbers[o->day];
        bool has_widths = digits[o->year] == o->year_digits && digits[o->month] <= 2 && digits[o->day] <= 2;
        year += o->year_digits == 2 ? 2000 : 0;
        if (has_widths && year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= fl_days_in_month(year, month))
            possible |= (uint8_t)(1u << i);
    }
    if (f->separator != 0 && f->separator != separator)
        return false;
    f->separator = separator;
    f->orders &= possible;
    f->has_times |= has_time;
    f->has_dates |= !has_time;
    return f->orders != 0 && f->has_times != f->has_dates && (!has_time || f->times != 0);
}

fl_status fl_csv_forms_format(const fl_csv_forms *f, fl_arena *arena, fl_str *ret, fl_err *err)
{
    FL_ASSERT(f->orders != 0 && f->separator != 0);
    const char *letters = orders[__builtin_ctz(f->orders)].letters;
    const char *time = f->has_times ? times[__builtin_ctz(f->times)] : "";
    return fl_arena_format(arena, ret, err, "%%%c%c%%%c%c%%%c%s%s", letters[0], f->separator, letters[1], f->separator,
                           letters[2], f->has_times ? " " : "", time);
}
