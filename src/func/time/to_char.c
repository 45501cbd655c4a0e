/* to_char(date, time or interval, pattern): PostgreSQL's patterns (section 9.8), all of them.
 *
 * A pattern is found where its text stands, the first in the list that fits: in capitals or small letters, names also with a
 * capital; what is no pattern stands for itself, "quoted text", too. In front of a pattern FM leaves padding out and TM names
 * the months in the server's language, ours is English; behind a number TH and th add an ordinal's ending, SP nothing. FX,
 * which is for readers, is nothing. */
#include "base/date_names.h"
#include "func/time/moment.h"
#include "func/time/pattern.h"
#include "func/time/to_char_number.h"

#include <stdio.h>

#define PIECE_BYTES_MAX 24 /* of one pattern's text */
#define DAYS_PER_MONTH 30  /* of an interval */

/* What is written. Of an interval `t.date` holds years, months and days, and `t.nanos` all hours; each has a sign of its own. */
typedef struct shown {
    fl_moment t;
    bool is_zoned, is_interval;
} shown;

static const char *const roman_months[] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};

static bool skip(fl_str *text, const char *word)
{
    int64_t len = (int64_t)strlen(word);
    if (letters_of(*text, word, false) == NOT_THERE)
        return false;
    *text = (fl_str){text->data + len, text->len - len};
    return true;
}

/* A name in the letters of its pattern; padded with spaces to `width`. */
static int put_name(char *ret, const char *name, letters how, int cut, int width)
{
    int len = 0;
    for (; name[len] != 0 && len < cut; len++) {
        char small = fl_char_lower(name[len]);
        bool is_letter = small >= 'a' && small <= 'z', up = how == LARGE || (how == CAPITAL && len == 0);
        ret[len] = up && is_letter ? (char)(small - 32) : small;
    }
    while (len < width)
        ret[len++] = ' ';
    return len;
}

static int put_number(char *ret, int64_t value, int digits, bool bare)
{
    char reversed[PIECE_BYTES_MAX];
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int n = 0, len = 0;
    for (; rest > 0 || n == 0 || (!bare && n < digits); rest /= 10)
        reversed[n++] = (char)('0' + rest % 10);
    if (value < 0)
        ret[len++] = '-';
    while (n > 0)
        ret[len++] = reversed[--n];
    return len;
}

/* Sunday 0 */
static int weekday(const fl_moment *t)
{
    return (int)(((t->days + 4) % 7 + 7) % 7);
}

static int64_t day_of_year(const fl_moment *t)
{
    return t->days - fl_days_from_civil(t->date.year, 1, 1) + 1;
}

/* Numbers: what a TH may follow. */
static int put_field(pattern p, const char *text, const fl_moment *t, bool bare, char *ret)
{
    int64_t us = t->nanos / 1000, seconds = us / 1000000, hour = seconds / 3600;
    int64_t year = t->date.year > 0 ? t->date.year : 1 - t->date.year;
    int32_t iso_year = 1, week = 0;
    if (p >= P_IDDD && p <= P_I)
        week = fl_iso_week(t->days, &iso_year);
    int64_t iso = iso_year > 0 ? iso_year : 1 - iso_year;
    switch (p) {
    case P_FRACTION: {
        int digits = text[2] - '0';
        return put_number(ret, us % 1000000 / fl_pow10_i64[6 - digits], digits, false);
    }
    case P_HH24:
        return put_number(ret, hour, 2, bare);
    case P_HH12:
        return put_number(ret, hour % 12 == 0 ? 12 : hour % 12, 2, bare);
    case P_MI:
        return put_number(ret, seconds / 60 % 60, 2, bare);
    case P_SSSS:
        return put_number(ret, seconds, 1, bare);
    case P_SS:
        return put_number(ret, seconds % 60, 2, bare);
    case P_MS:
        return put_number(ret, us / 1000 % 1000, 3, false);
    case P_US:
        return put_number(ret, us % 1000000, 6, false);
    case P_YCOMMA:
        return snprintf(ret, PIECE_BYTES_MAX, "%lld,%03lld", (long long)(year / 1000), (long long)(year % 1000));
    case P_YYYY:
        return put_number(ret, year, 4, bare);
    case P_YYY:
        return put_number(ret, year % 1000, 3, bare);
    case P_YY:
        return put_number(ret, year % 100, 2, bare);
    case P_Y:
        return put_number(ret, year % 10, 1, bare);
    case P_IYYY:
        return put_number(ret, iso, 4, bare);
    case P_IYY:
        return put_number(ret, iso % 1000, 3, bare);
    case P_IY:
        return put_number(ret, iso % 100, 2, bare);
    case P_I:
        return put_number(ret, iso % 10, 1, bare);
    case P_IW:
        return put_number(ret, week, 2, bare);
    case P_MM:
        return put_number(ret, t->date.month, 2, bare);
    case P_DDD:
        return put_number(ret, day_of_year(t), 3, bare);
    case P_IDDD:
        return put_number(ret, (week - 1) * 7LL + (weekday(t) + 6) % 7 + 1, 3, bare);
    case P_DD:
        return put_number(ret, t->date.day, 2, bare);
    case P_D:
        return put_number(ret, weekday(t) + 1, 1, bare);
    case P_ID:
        return put_number(ret, (weekday(t) + 6) % 7 + 1, 1, bare);
    case P_WW:
        return put_number(ret, (day_of_year(t) - 1) / 7 + 1, 2, bare);
    case P_W:
        return put_number(ret, (t->date.day - 1) / 7 + 1, 1, bare);
    case P_Q:
        return put_number(ret, (t->date.month - 1) / 3 + 1, 1, bare);
    case P_CC:
        return put_number(ret, t->date.year > 0 ? (year + 99) / 100 : -((year + 99) / 100), 2, bare);
    case P_J:
        return put_number(ret, t->days + 2440588, 1, bare);
    default:
        return 0;
    }
}

static int put_word(pattern p, letters how, const fl_moment *t, bool zoned, padding padding, char *ret)
{
    bool is_morning = t->nanos < FL_NS_PER_DAY / 2, is_ad = t->date.year > 0;
    switch (p) {
    case P_ERA:
        return put_name(ret, is_ad ? "AD" : "BC", how, 2, 0);
    case P_ERA_DOTS:
        return put_name(ret, is_ad ? "A.D." : "B.C.", how, 4, 0);
    case P_HALF:
        return put_name(ret, is_morning ? "AM" : "PM", how, 2, 0);
    case P_HALF_DOTS:
        return put_name(ret, is_morning ? "A.M." : "P.M.", how, 4, 0);
    case P_MONTH:
        return put_name(ret, fl_month_names[t->date.month - 1], how, 9, padding == PADDED ? 9 : 0);
    case P_MON:
        return put_name(ret, fl_month_names[t->date.month - 1], how, 3, 0);
    case P_DAY:
        return put_name(ret, fl_weekday_names[weekday(t)], how, 9, padding == PADDED ? 9 : 0);
    case P_DY:
        return put_name(ret, fl_weekday_names[weekday(t)], how, 3, 0);
    case P_RM:
        return put_name(ret, roman_months[t->date.month - 1], how, 4, padding == BARE ? 0 : 4);
    case P_TZ: /* the session's zone is UTC */
        return put_name(ret, zoned ? "UTC" : "", how, 3, 0);
    case P_TZH:
        return put_name(ret, "+00", how, 3, 0);
    case P_TZM:
        return put_name(ret, "00", how, 2, 0);
    case P_OF:
        return put_name(ret, padding == BARE ? "+0" : "+00", how, 3, 0);
    default:
        return 0;
    }
}

/* ---- intervals ------------------------------------------------------------------------------------------------------- */

/* A day's minus stands in a digit's place, as PostgreSQL has it. -1: the pattern is of days that a calendar has, of which an interval knows nothing. */
static int put_interval(pattern p, const char *text, letters how, const fl_moment *t, padding padding, char *ret)
{
    bool bare = padding == BARE;
    int64_t us = t->nanos / 1000, seconds = us / 1000000, hour = seconds / 3600, year = t->date.year;
    int64_t month = t->date.month, days = (year * 12 + month) * DAYS_PER_MONTH + t->date.day;
    int64_t roman = month > 0 ? month - 1 : month < 0 ? month + 12 : year < 0 ? 0 : 11;
    switch (p) {
    case P_FRACTION: {
        int digits = text[2] - '0';
        return put_number(ret, us % 1000000 / fl_pow10_i64[6 - digits], digits, false);
    }
    case P_HH24:
        return put_number(ret, hour, 2, bare);
    case P_HH12:
        return put_number(ret, hour % 12 == 0 ? 12 : hour % 12, 2, bare);
    case P_MI:
        return put_number(ret, seconds / 60 % 60, 2, bare);
    case P_SS:
        return put_number(ret, seconds % 60, 2, bare);
    case P_SSSS:
        return put_number(ret, seconds, 1, bare);
    case P_MS:
        return put_number(ret, us / 1000 % 1000, 3, false);
    case P_US:
        return put_number(ret, us % 1000000, 6, false);
    case P_HALF:
        return put_name(ret, hour % 24 >= 12 ? "PM" : "AM", how, 2, 0);
    case P_HALF_DOTS:
        return put_name(ret, hour % 24 >= 12 ? "P.M." : "A.M.", how, 4, 0);
    case P_YCOMMA:
        return snprintf(ret, PIECE_BYTES_MAX, "%lld,%03lld", (long long)(year / 1000), (long long)(year % 1000));
    case P_YYYY:
        return put_number(ret, year, 4, bare);
    case P_YYY:
        return put_number(ret, year % 1000, 3, bare);
    case P_YY:
        return put_number(ret, year % 100, 2, bare);
    case P_Y:
        return put_number(ret, year % 10, 1, bare);
    case P_CC:
        return put_number(ret, year / 100, 2, bare);
    case P_MM:
        return put_number(ret, month, 2, bare);
    case P_DDD:
        return put_number(ret, days, 3 - (days < 0), bare);
    case P_DD:
        return put_number(ret, t->date.day, 2 - (t->date.day < 0), bare);
    case P_WW:
        return put_number(ret, (days - 1) / 7 + 1, 2 - (days < -6), bare);
    case P_W:
        return put_number(ret, (t->date.day - 1) / 7 + 1, 1, bare);
    case P_Q:
        return month != 0 ? put_number(ret, (month - 1) / 3 + 1, 1, bare) : 0;
    case P_RM:
        return month != 0 || year != 0 ? put_name(ret, roman_months[roman], how, 4, bare ? 0 : 4) : 0;
    default:
        return -1;
    }
}

static int put_ordinal(char *ret, const char *number, int len, bool is_large)
{
    char last = number[len - 1], before = len > 1 ? number[len - 2] : '0';
    const char *ending = before == '1' ? "TH" : last == '1' ? "ST" : last == '2' ? "ND" : last == '3' ? "RD" : "TH";
    return put_name(ret, ending, is_large ? LARGE : SMALL, 2, 0);
}

/* Takes "quoted text" off the pattern; \ stands before a quote that is meant itself. */
static int64_t put_quoted(fl_str *pattern, char *ret)
{
    int64_t len = 0, i = 1;
    for (; i < pattern->len && pattern->data[i] != '"'; i++) {
        i += pattern->data[i] == '\\' && i + 1 < pattern->len;
        ret[len++] = pattern->data[i];
    }
    i += i < pattern->len;
    *pattern = (fl_str){pattern->data + i, pattern->len - i};
    return len;
}

typedef enum put_result { PUT, NO_PATTERN, NO_MEANING /* of an interval */ } put_result;

/* Takes a pattern off the text and writes what it stands for. */
static put_result put_pattern(fl_str *text, const shown *x, padding padding, char *ret, int64_t *len)
{
    for (int64_t i = 0; i < FL_LEN(patterns); i++) {
        if ((patterns[i].text[0] | 32) != (text->data[0] | 32))
            continue;
        letters how = letters_of(*text, patterns[i].text, patterns[i].is_name);
        if (how == NOT_THERE)
            continue;
        int64_t took = (int64_t)strlen(patterns[i].text);
        char *at = ret + *len;
        int n = x->is_interval ? put_interval(patterns[i].pattern, patterns[i].text, how, &x->t, padding, at)
                               : put_field(patterns[i].pattern, patterns[i].text, &x->t, padding == BARE, at);
        if (n < 0)
            return NO_MEANING;
        *text = (fl_str){text->data + took, text->len - took};
        *len += n > 0 || x->is_interval ? n : put_word(patterns[i].pattern, how, &x->t, x->is_zoned, padding, at);
        char after = text->len > 0 ? text->data[0] : 0;
        if (!skip(text, "TH"))
            (void)(letters_of(*text, "SP", false) == LARGE && skip(text, "SP"));
        else if (n > 0)
            *len += put_ordinal(at + n, at, n, after == 'T');
        return PUT;
    }
    return NO_PATTERN;
}

/* The length; -1: the pattern has no meaning for an interval. */
static int64_t format(fl_str pattern, const shown *x, char *ret)
{
    int64_t len = 0;
    while (pattern.len > 0) {
        padding padding = skip(&pattern, "FM") ? BARE : skip(&pattern, "TM") ? BARE_NAMES : PADDED;
        put_result put = pattern.len > 0 ? put_pattern(&pattern, x, padding, ret, &len) : PUT;
        if (put == NO_MEANING)
            return -1;
        if (put == PUT)
            continue;
        if (pattern.data[0] == '"') {
            len += put_quoted(&pattern, ret + len);
            continue;
        }
        int64_t skipped = pattern.data[0] == '\\' && pattern.len > 1 && pattern.data[1] == '"';
        ret[len++] = pattern.data[skipped];
        pattern = (fl_str){pattern.data + skipped + 1, pattern.len - skipped - 1};
    }
    return len;
}

static fl_status to_char(fl_call *call, fl_err *err)
{
    const fl_vec *x = &call->args[0];
    uint64_t *own_valid = NULL;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t value = ((const int64_t *)x->data)[fl_vec_row(x, row)];
        fl_str pattern = fl_vec_str(&call->args[1], row);
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_timestamp_is_finite(value) || pattern.len == 0) { /* infinity has no fields */
            fl_status st = own_valid == NULL ? fl_call_own_valid(call, &own_valid, err) : FL_OK;
            if (st != FL_OK)
                return st;
            fl_bit_clear(own_valid, row);
            continue;
        }
        fl_status st = fl_call_room(call, pattern.len * PIECE_BYTES_MAX + PIECE_BYTES_MAX, &out, err);
        if (st != FL_OK)
            return st;
        shown moment = {.t = fl_moment_of(value, x->type.unit), .is_zoned = x->type.id == FL_TIMESTAMPTZ};
        fl_ret_view(call)[row] = fl_view_of(out, format(pattern, &moment, out));
    }
    return FL_OK;
}

/* A time of day is taken for an interval of that length. */
static fl_status to_char_interval(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *x = &call->args[0];
    uint64_t *valid = NULL;
    for (int32_t row = 0; row < call->rows; row++) {
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(x, row) || !fl_vec_is_valid(&call->args[1], row))
            continue;
        fl_str pattern = fl_vec_str(&call->args[1], row);
        if (pattern.len == 0) {
            if (valid == NULL)
                FL_TRY(fl_call_own_valid(call, &valid, err));
            fl_bit_clear(valid, row);
            continue;
        }
        fl_interval span = x->type.id == FL_INTERVAL
                               ? ((const fl_interval *)x->data)[fl_vec_row(x, row)]
                               : (fl_interval){0, 0, ((const int64_t *)x->data)[fl_vec_row(x, row)] * 1000};
        shown interval = {
            .t = {.date = {.year = span.months / 12, .month = span.months % 12, .day = span.days}, .nanos = span.nanos},
            .is_interval = true};
        FL_TRY(fl_call_room(call, pattern.len * PIECE_BYTES_MAX + PIECE_BYTES_MAX, &out, err));
        int64_t len = format(pattern, &interval, out);
        if (len < 0)
            return fl_err_state(err, "22007",
                                FL_FAIL(err, FL_ERR_VALUE,
                                        "an interval has nothing to show by pattern \"%.*s\": it knows no "
                                        "calendar",
                                        FL_STR_ARG(pattern)));
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

#define FORM(type, traits, run) {FL_ARGS(type, FL_UTF8), FL_UTF8, traits, run}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "to_char",
     .traits =
         FL_PURE | FL_NULL_GIVES_NULL | FL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_NANOS | FL_LOCAL_TIME,
     .doc = "to_char(timestamp, pattern): text by a pattern such as 'YYYY-MM-DD HH24:MI:SS'; to_char(number, pattern): "
            "'9,990.99'; also of intervals and times",
     .overloads = (const fl_func_overload[]){FORM(FL_TIMESTAMP, 0, to_char), FORM(FL_TIMESTAMPTZ, 0, to_char),
                                             FORM(FL_INTERVAL, FL_CAN_FAIL, to_char_interval),
                                             FORM(FL_TIME, FL_CAN_FAIL, to_char_interval),
                                             FORM(FL_I64, FL_CAN_FAIL, fl_to_char_number),
                                             FORM(FL_ANY_DECIMAL, FL_CAN_FAIL, fl_to_char_number),
                                             FORM(FL_F64, FL_CAN_FAIL, fl_to_char_number)},
     .n_overloads = 7},
};

FL_FUNC_SET(to_char, funcs);
