/* to_char(date or time, pattern): the core of PostgreSQL's patterns (section 9.8).
 *
 * HH24 HH12 HH MI SS MS US SSSS AM PM YYYY YYY YY Y IYYY IW MM MONTH Month month MON Mon mon DD DDD D ID DAY Day day DY Dy dy
 * W WW Q CC J TZ OF; FM or TM in front leaves padding out, TH behind adds an ordinal's ending; "quoted text" stands for itself. */
#include "func/time/moment.h"
#include "func/time/names.h"

#include <stdio.h>

typedef struct moment {
    fl_civil date;
    int64_t days, us;
    bool zoned;
} moment;

/* Longest patterns first where one begins another. */
typedef enum pattern {
    P_HH24,
    P_HH12,
    P_HH,
    P_MI,
    P_SSSS,
    P_SS,
    P_MS,
    P_US,
    P_AM,
    P_AM_DOTS,
    P_IYYY,
    P_YCOMMA,
    P_YYYY,
    P_YYY,
    P_YY,
    P_Y,
    P_IW,
    P_MONTH,
    P_MON,
    P_MM,
    P_DAY,
    P_DY,
    P_IDDD,
    P_DDD,
    P_DD,
    P_ID,
    P_D,
    P_WW,
    P_W,
    P_Q,
    P_CC,
    P_J,
    P_TZ,
    P_OF
} pattern;

static const struct {
    const char *text;
    pattern pattern;
} patterns[] = {
    {"HH24", P_HH24},   {"HH12", P_HH12},    {"HH", P_HH},        {"MI", P_MI},     {"SSSSS", P_SSSS},
    {"SSSS", P_SSSS},   {"SS", P_SS},        {"MS", P_MS},        {"US", P_US},     {"AM", P_AM},
    {"PM", P_AM},       {"A.M.", P_AM_DOTS}, {"P.M.", P_AM_DOTS}, {"IYYY", P_IYYY}, {"Y,YYY", P_YCOMMA},
    {"YYYY", P_YYYY},   {"YYY", P_YYY},      {"YY", P_YY},        {"Y", P_Y},       {"IW", P_IW},
    {"MONTH", P_MONTH}, {"MON", P_MON},      {"MM", P_MM},        {"DAY", P_DAY},   {"DY", P_DY},
    {"IDDD", P_IDDD},   {"DDD", P_DDD},      {"DD", P_DD},        {"ID", P_ID},     {"D", P_D},
    {"WW", P_WW},       {"W", P_W},          {"Q", P_Q},          {"CC", P_CC},     {"J", P_J},
    {"TZ", P_TZ},       {"OF", P_OF},
};

static bool has_prefix(fl_str text, const char *prefix)
{
    int64_t len = (int64_t)strlen(prefix);
    return text.len >= len && fl_str_is_equal_nocase((fl_str){text.data, len}, (fl_str){prefix, len});
}

/* A name in the case of its pattern: LARGE, Capital, small; padded with spaces to 9 unless `bare`. */
static int put_name(char *ret, const char *name, const char *how, int cut, bool bare)
{
    bool large = how[0] >= 'A' && how[0] <= 'Z', second_large = how[1] >= 'A' && how[1] <= 'Z';
    int len = 0;
    for (; name[len] != 0 && len < cut; len++) {
        char small = fl_char_lower(name[len]);
        bool up = len == 0 ? large : large && second_large;
        ret[len] = up ? (char)(small - 32) : small;
    }
    for (; !bare && cut == 9 && len < 9; len++)
        ret[len] = ' ';
    return len;
}

static int put_number(char *ret, long long value, int digits, bool bare)
{
    return snprintf(ret, 24, "%0*lld", bare ? 1 : digits, value);
}

/* Writes one pattern's text (at most 24 bytes); returns its length. *ret_value is its number, for TH. */
static int put(pattern p, const char *how, const moment *t, bool bare, char *ret, bool *ret_is_number)
{
    int64_t seconds = t->us / 1000000, hour = seconds / 3600,
            doy = t->days - fl_days_from_civil(t->date.year, 1, 1) + 1;
    int32_t dow = (int32_t)(((t->days + 4) % 7 + 7) % 7), iso_year, week = fl_iso_week(t->days, &iso_year);
    int64_t year = t->date.year > 0 ? t->date.year : 1 - t->date.year;
    *ret_is_number = true;
    switch (p) {
    case P_HH24:
        return put_number(ret, hour, 2, bare);
    case P_HH12:
    case P_HH:
        return put_number(ret, hour % 12 == 0 ? 12 : hour % 12, 2, bare);
    case P_MI:
        return put_number(ret, seconds / 60 % 60, 2, bare);
    case P_SSSS:
        return put_number(ret, seconds, 1, bare);
    case P_SS:
        return put_number(ret, seconds % 60, 2, bare);
    case P_MS:
        return put_number(ret, t->us / 1000 % 1000, 3, bare);
    case P_US:
        return put_number(ret, t->us % 1000000, 6, bare);
    case P_YCOMMA:
        return snprintf(ret, 24, "%lld,%03lld", (long long)(year / 1000), (long long)(year % 1000));
    case P_YYYY:
        return put_number(ret, year, 4, bare);
    case P_YYY:
        return put_number(ret, year % 1000, 3, bare);
    case P_YY:
        return put_number(ret, year % 100, 2, bare);
    case P_Y:
        return put_number(ret, year % 10, 1, bare);
    case P_IYYY:
        return put_number(ret, iso_year, 4, bare);
    case P_IW:
        return put_number(ret, week, 2, bare);
    case P_MM:
        return put_number(ret, t->date.month, 2, bare);
    case P_DDD:
        return put_number(ret, doy, 3, bare);
    case P_IDDD:
        return put_number(ret, (week - 1) * 7LL + (dow == 0 ? 7 : dow), 3, bare);
    case P_DD:
        return put_number(ret, t->date.day, 2, bare);
    case P_D:
        return put_number(ret, dow + 1, 1, bare);
    case P_ID:
        return put_number(ret, dow == 0 ? 7 : dow, 1, bare);
    case P_WW:
        return put_number(ret, (doy - 1) / 7 + 1, 2, bare);
    case P_W:
        return put_number(ret, (t->date.day - 1) / 7 + 1, 1, bare);
    case P_Q:
        return put_number(ret, (t->date.month - 1) / 3 + 1, 1, bare);
    case P_CC:
        return put_number(ret, t->date.year > 0 ? (year + 99) / 100 : -((year + 98) / 100), 2, bare);
    case P_J:
        return put_number(ret, t->days + 2440588, 1, bare);
    default:
        break;
    }
    *ret_is_number = false;
    switch (p) {
    case P_MONTH:
        return put_name(ret, fl_month_names[t->date.month - 1], how, 9, bare);
    case P_MON:
        return put_name(ret, fl_month_names[t->date.month - 1], how, 3, bare);
    case P_DAY:
        return put_name(ret, fl_weekday_names[dow], how, 9, bare);
    case P_DY:
        return put_name(ret, fl_weekday_names[dow], how, 3, bare);
    case P_AM:
        return snprintf(ret, 24, "%s", how[0] >= 'a' ? (hour < 12 ? "am" : "pm") : (hour < 12 ? "AM" : "PM"));
    case P_AM_DOTS:
        return snprintf(ret, 24, "%s", how[0] >= 'a' ? (hour < 12 ? "a.m." : "p.m.") : (hour < 12 ? "A.M." : "P.M."));
    case P_TZ:
        return snprintf(ret, 24, "%s", !t->zoned ? "" : how[0] >= 'a' ? "utc" : "UTC");
    case P_OF:
        return snprintf(ret, 24, "+00");
    default:
        return 0;
    }
}

static int put_ordinal(char *ret, const char *number, int len, bool large)
{
    char last = number[len - 1], before = len > 1 ? number[len - 2] : '0';
    const char *ending = before == '1' ? "TH" : last == '1' ? "ST" : last == '2' ? "ND" : last == '3' ? "RD" : "TH";
    ret[0] = large ? ending[0] : fl_char_lower(ending[0]);
    ret[1] = large ? ending[1] : fl_char_lower(ending[1]);
    return 2;
}

static int64_t format(fl_str pattern, const moment *t, char *ret)
{
    int64_t len = 0;
    bool bare = false;
    while (pattern.len > 0) {
        int64_t took = 0;
        if (pattern.data[0] == '"') {
            for (took = 1; took < pattern.len && pattern.data[took] != '"'; took++) {
                took += pattern.data[took] == '\\' && took + 1 < pattern.len;
                ret[len++] = pattern.data[took];
            }
            took += took < pattern.len;
        } else if (pattern.data[0] == '\\' && pattern.len > 1) {
            ret[len++] = pattern.data[1];
            took = 2;
        } else if (has_prefix(pattern, "FM")) {
            bare = true;
            pattern = (fl_str){pattern.data + 2, pattern.len - 2};
            continue;
        } else if (has_prefix(pattern, "TM")) { /* names in the language of the server: ours are English */
            pattern = (fl_str){pattern.data + 2, pattern.len - 2};
            bare = true;
            continue;
        }
        for (int64_t i = 0; took == 0 && i < FL_LEN(patterns); i++) {
            if (!has_prefix(pattern, patterns[i].text))
                continue;
            bool is_number;
            char piece[32];
            int n = put(patterns[i].pattern, pattern.data, t, bare, piece, &is_number);
            memcpy(ret + len, piece, (size_t)n);
            took = (int64_t)strlen(patterns[i].text);
            fl_str rest = {pattern.data + took, pattern.len - took};
            len += n;
            if (is_number && has_prefix(rest, "TH")) {
                len += put_ordinal(ret + len, piece, n, rest.data[0] == 'T');
                took += 2;
            }
        }
        if (took == 0) {
            ret[len++] = pattern.data[0];
            took = 1;
        }
        bare = false;
        pattern = (fl_str){pattern.data + took, pattern.len - took};
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
        if (!fl_timestamp_is_finite(value)) { /* infinity has no fields */
            fl_status st = own_valid == NULL ? fl_call_own_valid(call, &own_valid, err) : FL_OK;
            if (st != FL_OK)
                return st;
            fl_bit_clear(own_valid, row);
            continue;
        }
        fl_status st = fl_call_room(call, pattern.len * 24 + 8, &out, err);
        if (st != FL_OK)
            return st;
        fl_moment m = fl_moment_of(value, x->type.unit);
        moment t = {m.date, m.days, m.nanos / 1000, x->type.id == FL_TIMESTAMPTZ};
        fl_ret_view(call)[row] = fl_view_of(out, format(pattern, &t, out));
    }
    return FL_OK;
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "to_char",
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_NANOS,
     .doc = "to_char(timestamp, pattern): text by a pattern such as 'YYYY-MM-DD HH24:MI:SS'",
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_TIMESTAMP, FL_UTF8), FL_UTF8, 0, to_char},
                                             {FL_ARGS(FL_TIMESTAMPTZ, FL_UTF8), FL_UTF8, 0, to_char}},
     .n_overloads = 2},
};

FL_FUNC_SET(to_char, funcs);
