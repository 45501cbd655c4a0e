/* Arrow values as text and JSON: one function per family of formats.
 *
 * Formats that fletch never exports print as "?", and their types as the Arrow format itself, so that a newer library
 * under an older program shows where it stands. */
#include "cli/value.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <yyjson.h>

typedef __int128 i128;
typedef unsigned __int128 u128;

#define EXACT_IN_DOUBLE 9007199254740992LL /* 2^53: JSON readers keep integers up to here */

static bool get_bit(const void *bits, int64_t at)
{
    return ((const uint8_t *)bits)[at >> 3] >> (at & 7) & 1;
}

/* Whether the metadata (a count of pairs, each text behind its length) name this extension type. */
static bool is_extension(const struct ArrowSchema *schema, const char *wanted)
{
    static const char key[] = "ARROW:extension:name";
    const char *at = schema->metadata;
    int32_t pairs = 0;
    if (at == NULL)
        return false;
    memcpy(&pairs, at, 4);
    at += 4;
    for (int32_t i = 0; i < pairs; i++) {
        int32_t len[2];
        const char *parts[2];
        for (int p = 0; p < 2; p++) {
            memcpy(&len[p], at, 4);
            parts[p] = at + 4;
            at += 4 + len[p];
        }
        if (len[0] == (int32_t)strlen(key) && memcmp(parts[0], key, strlen(key)) == 0)
            return len[1] == (int32_t)strlen(wanted) && memcmp(parts[1], wanted, strlen(wanted)) == 0;
    }
    return false;
}

bool fl_cli_value_is_null(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row)
{
    if (schema->format[0] == 'n')
        return true;
    return array->n_buffers > 0 && array->buffers[0] != NULL && !get_bit(array->buffers[0], array->offset + row);
}

/* ---- numbers ---- */

static bool get_integer(const char *format, const struct ArrowArray *array, int64_t at, i128 *ret)
{
    if (format[1] != 0)
        return false;
    const void *data = array->buffers[1];
    switch (format[0]) {
    case 'c':
        *ret = ((const int8_t *)data)[at];
        return true;
    case 'C':
        *ret = ((const uint8_t *)data)[at];
        return true;
    case 's':
        *ret = ((const int16_t *)data)[at];
        return true;
    case 'S':
        *ret = ((const uint16_t *)data)[at];
        return true;
    case 'i':
        *ret = ((const int32_t *)data)[at];
        return true;
    case 'I':
        *ret = ((const uint32_t *)data)[at];
        return true;
    case 'l':
        *ret = ((const int64_t *)data)[at];
        return true;
    case 'L':
        *ret = ((const uint64_t *)data)[at];
        return true;
    default:
        return false;
    }
}

/* "d:precision,scale" with 128 bits. */
static int scale_of(const char *format)
{
    const char *comma = strchr(format, ',');
    return comma == NULL ? 0 : (int)strtol(comma + 1, NULL, 10);
}

static i128 get_decimal(const struct ArrowArray *array, int64_t at)
{
    i128 value;
    memcpy(&value, (const char *)array->buffers[1] + at * (int64_t)sizeof(value), sizeof(value));
    return value;
}

static void add_scaled(fl_cli_text *text, i128 value, int scale)
{
    char digits[48];
    size_t at = sizeof(digits);
    u128 rest = value < 0 ? -(u128)value : (u128)value;
    int written = 0;
    while (rest > 0 || written <= scale) { /* a digit before the point at least */
        if (written == scale && scale > 0)
            digits[--at] = '.';
        digits[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
        written++;
    }
    if (value < 0)
        digits[--at] = '-';
    fl_cli_text_add(text, digits + at, sizeof(digits) - at);
}

/* Shortest digits that read back. A value of at most 15 (6) digits is found by the first try, as %e rounds to nearest; the
 * numbers next to zero have fewer digits than that. */
static void add_float(fl_cli_text *text, double value, bool is_single)
{
    if (isnan(value)) {
        fl_cli_text_add_str(text, "NaN");
        return;
    }
    if (isinf(value)) {
        fl_cli_text_add_str(text, value < 0 ? "-Infinity" : "Infinity");
        return;
    }
    char shown[40];
    int digits = is_single ? 6 : 15, digits_max = is_single ? 9 : 17, plain_max = digits;
    if (fabs(value) < (is_single ? (double)FLT_MIN : DBL_MIN))
        digits = 1;
    for (;; digits++) {
        snprintf(shown, sizeof(shown), "%.*e", digits - 1, value);
        if (digits == digits_max || (is_single ? strtof(shown, NULL) == (float)value : strtod(shown, NULL) == value))
            break;
    }
    char *e = strchr(shown, 'e');
    int exponent = (int)strtol(e + 1, NULL, 10);
    char *mantissa = shown + (shown[0] == '-');
    while (e > mantissa + 2 && e[-1] == '0')
        e--;
    if (e == mantissa + 2) /* no decimals left: the point goes, too */
        e--;
    if (exponent < -4 || exponent >= plain_max) {
        fl_cli_text_add(text, shown, (size_t)(e - shown));
        fl_cli_text_addf(text, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    int decimals = (int)(e - mantissa) - 2 - exponent;
    fl_cli_text_addf(text, "%.*f",
                     e == mantissa + 1 ? (exponent < 0 ? -exponent : 0)
                     : decimals > 0    ? decimals
                                       : 0,
                     value);
}

static double get_float(const char *format, const struct ArrowArray *array, int64_t at)
{
    return format[0] == 'f' ? (double)((const float *)array->buffers[1])[at] : ((const double *)array->buffers[1])[at];
}

/* ---- times ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Civil date of a day count, in the proleptic Gregorian calendar. Years begin in March here, so that the leap day is the
 * year's last; 400 years, an era, have 146,097 days. */
static void add_date(fl_cli_text *text, int64_t days, bool *ret_is_bc)
{
    int64_t since = days + 719468; /* days since 0000-03-01 */
    int64_t era = floor_div(since, 146097), day = since - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    int64_t month = (5 * day + 2) / 153; /* from March */
    day -= (153 * month + 2) / 5;
    year += era * 400 + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;
    *ret_is_bc = year <= 0;
    fl_cli_text_addf(text, "%04lld-%02lld-%02lld", (long long)(year <= 0 ? 1 - year : year), (long long)month,
                     (long long)day + 1);
}

/* Digits of a second's fraction by unit; *ret_per_second: units in a second. */
static int unit_digits(char unit, int64_t *ret_per_second)
{
    *ret_per_second = unit == 's' ? 1 : unit == 'm' ? 1000 : unit == 'u' ? 1000000 : 1000000000;
    return unit == 's' ? 0 : unit == 'm' ? 3 : unit == 'u' ? 6 : 9;
}

static void add_clock(fl_cli_text *text, uint64_t units, char unit)
{
    int64_t per_second;
    int digits = unit_digits(unit, &per_second);
    uint64_t seconds = units / (uint64_t)per_second, fraction = units % (uint64_t)per_second;
    fl_cli_text_addf(text, "%02llu:%02llu:%02llu", (unsigned long long)(seconds / 3600),
                     (unsigned long long)(seconds / 60 % 60), (unsigned long long)(seconds % 60));
    if (fraction == 0)
        return;
    fl_cli_text_addf(text, ".%0*llu", digits, (unsigned long long)fraction);
    while (text->data[text->len - 1] == '0')
        text->len--;
}

/* Seconds that clocks of a zone are ahead of UTC at a moment, by the system's rules. */
static int64_t zone_offset(const char *zone, int64_t seconds)
{
    const char *before = getenv("TZ");
    char *kept = before == NULL ? NULL : strdup(before);
    time_t moment = (time_t)seconds;
    struct tm local = {0};
    if (strcmp(zone, "UTC") == 0) {
        free(kept);
        return 0;
    }
    setenv("TZ", zone, 1);
    tzset();
    (void)localtime_r(&moment, &local);
    if (kept != NULL)
        setenv("TZ", kept, 1);
    else
        unsetenv("TZ");
    tzset();
    free(kept);
    return local.tm_gmtoff;
}

static void add_offset(fl_cli_text *text, int64_t offset)
{
    int64_t seconds = offset < 0 ? -offset : offset;
    fl_cli_text_addf(text, "%c%02d", offset < 0 ? '-' : '+', (int)(seconds / 3600));
    if (seconds % 3600 != 0)
        fl_cli_text_addf(text, ":%02d", (int)(seconds / 60 % 60));
    if (seconds % 60 != 0)
        fl_cli_text_addf(text, ":%02d", (int)(seconds % 60));
}

/* zone: NULL for timestamps without one. */
static void add_timestamp(fl_cli_text *text, int64_t value, char unit, const char *zone)
{
    if (value == INT64_MAX || value == INT64_MIN) {
        fl_cli_text_add_str(text, value > 0 ? "infinity" : "-infinity");
        return;
    }
    int64_t per_second;
    unit_digits(unit, &per_second);
    int64_t offset = zone != NULL ? zone_offset(zone, floor_div(value, per_second)) : 0;
    if (__builtin_add_overflow(value, offset * per_second, &value))
        value = offset < 0 ? INT64_MIN : INT64_MAX; /* no moment lies there */
    int64_t day = floor_div(value, 86400 * per_second);
    bool is_bc;
    add_date(text, day, &is_bc);
    fl_cli_text_add_char(text, ' ');
    add_clock(text, (uint64_t)(value - day * 86400 * per_second), unit);
    if (zone != NULL)
        add_offset(text, offset);
    if (is_bc)
        fl_cli_text_add_str(text, " BC");
}

/* One field of an interval; a positive one behind a negative one has its sign written. */
static void add_interval_field(fl_cli_text *text, size_t start, int64_t value, const char *unit, bool *is_after_minus)
{
    if (value == 0)
        return;
    fl_cli_text_addf(text, "%s%s%lld %s%s", text->len > start ? " " : "", *is_after_minus && value > 0 ? "+" : "",
                     (long long)value, unit, value == 1 ? "" : "s");
    *is_after_minus = value < 0;
}

static void add_interval(fl_cli_text *text, const char *bytes)
{
    int32_t months, days;
    int64_t nanos;
    memcpy(&months, bytes, sizeof(months));
    memcpy(&days, bytes + 4, sizeof(days));
    memcpy(&nanos, bytes + 8, sizeof(nanos));
    size_t start = text->len;
    bool is_after_minus = false;
    add_interval_field(text, start, months / 12, "year", &is_after_minus);
    add_interval_field(text, start, months % 12, "mon", &is_after_minus);
    add_interval_field(text, start, days, "day", &is_after_minus);
    if (nanos == 0 && text->len > start)
        return;
    if (text->len > start)
        fl_cli_text_add_char(text, ' ');
    if (nanos < 0 || is_after_minus)
        fl_cli_text_add_char(text, nanos < 0 ? '-' : '+');
    add_clock(text, nanos < 0 ? -(uint64_t)nanos : (uint64_t)nanos, 'n');
}

static void add_time(fl_cli_text *text, const char *format, const struct ArrowArray *array, int64_t at)
{
    const void *data = array->buffers[1];
    bool is_bc;
    if (strcmp(format, "tdD") == 0) {
        int32_t days = ((const int32_t *)data)[at];
        if (days == INT32_MAX || days == INT32_MIN) {
            fl_cli_text_add_str(text, days > 0 ? "infinity" : "-infinity");
            return;
        }
        add_date(text, days, &is_bc);
        if (is_bc)
            fl_cli_text_add_str(text, " BC");
    } else if (format[1] == 't') {
        bool is_narrow = format[2] == 's' || format[2] == 'm';
        add_clock(text, is_narrow ? (uint64_t)((const int32_t *)data)[at] : (uint64_t)((const int64_t *)data)[at],
                  format[2]);
    } else if (format[1] == 's') {
        add_timestamp(text, ((const int64_t *)data)[at], format[2],
                      format[3] == ':' && format[4] != 0 ? format + 4 : NULL);
    } else if (strcmp(format, "tin") == 0) {
        add_interval(text, (const char *)data + at * 16);
    } else {
        fl_cli_text_add_char(text, '?');
    }
}

/* ---- strings and nested values ---- */

static bool get_bytes(const char *format, const struct ArrowArray *array, int64_t at, const char **ret, size_t *ret_len)
{
    if (format[0] == 'u' || format[0] == 'z') {
        const int32_t *offsets = (const int32_t *)array->buffers[1] + at;
        *ret = (const char *)array->buffers[2] + offsets[0];
        *ret_len = (size_t)(offsets[1] - offsets[0]);
        return true;
    }
    if (format[0] == 'U' || format[0] == 'Z') {
        const int64_t *offsets = (const int64_t *)array->buffers[1] + at;
        *ret = (const char *)array->buffers[2] + offsets[0];
        *ret_len = (size_t)(offsets[1] - offsets[0]);
        return true;
    }
    if (format[0] == 'w') { /* w:16, bytes of a fixed number */
        *ret_len = (size_t)strtol(format + 2, NULL, 10);
        *ret = (const char *)array->buffers[1] + at * (int64_t)*ret_len;
        return true;
    }
    if (format[0] == 'v') { /* views: 12 bytes inside, or a buffer's number and an offset */
        const char *view = (const char *)array->buffers[1] + at * 16;
        int32_t place[4];
        memcpy(place, view, sizeof(place));
        *ret_len = (size_t)place[0];
        *ret = place[0] <= 12 ? view + 4 : (const char *)array->buffers[2 + place[2]] + place[3];
        return true;
    }
    return false;
}

static bool is_binary(const char *format)
{
    return format[0] == 'z' || format[0] == 'Z' || format[0] == 'w' || (format[0] == 'v' && format[1] == 'z');
}

static void add_hex(fl_cli_text *text, const char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    fl_cli_text_add(text, "\\x", 2);
    for (size_t i = 0; i < len; i++) {
        fl_cli_text_add_char(text, digits[(uint8_t)bytes[i] >> 4]);
        fl_cli_text_add_char(text, digits[bytes[i] & 15]);
    }
}

static void add_uuid(fl_cli_text *text, const char *bytes)
{
    for (int i = 0; i < 16; i++)
        fl_cli_text_addf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", (uint8_t)bytes[i]);
}

/* Whether the value is a list; its elements are rows [*ret_begin, *ret_end) of the child. */
static bool get_list(const char *format, const struct ArrowArray *array, int64_t at, int64_t *ret_begin,
                     int64_t *ret_end)
{
    if (format[0] != '+' || (format[1] != 'l' && format[1] != 'L' && format[1] != 'm'))
        return false;
    if (format[1] == 'L') {
        *ret_begin = ((const int64_t *)array->buffers[1])[at];
        *ret_end = ((const int64_t *)array->buffers[1])[at + 1];
    } else {
        *ret_begin = ((const int32_t *)array->buffers[1])[at];
        *ret_end = ((const int32_t *)array->buffers[1])[at + 1];
    }
    return true;
}

/* Fields called f1, f2, ...: what ROW(...) makes. */
static bool is_row(const struct ArrowSchema *schema)
{
    char name[16];
    for (int64_t i = 0; i < schema->n_children; i++) {
        snprintf(name, sizeof(name), "f%d", (int)i + 1);
        if (strcmp(schema->children[i]->name, name) != 0)
            return false;
    }
    return schema->n_children > 0;
}

/* (1,"a b",), as PostgreSQL prints rows: nulls are empty, what could be misread is quoted. */
static void add_row(fl_cli_text *text, const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t at)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *field = schema->children[i];
        fl_cli_text one = {0};
        fl_cli_text_add_char(text, i == 0 ? '(' : ',');
        if (fl_cli_value_is_null(field, array->children[i], at))
            continue;
        fl_cli_value_add_text(&one, field, array->children[i], at);
        if (field->format[0] == 'b')
            one.len = 1; /* t, f */
        bool is_quoted = one.len == 0;
        for (size_t k = 0; k < one.len && !is_quoted; k++)
            is_quoted = one.data[k] != 0 && strchr("\"\\(), \t\n\v\f\r", one.data[k]) != NULL;
        if (is_quoted)
            fl_cli_text_add_char(text, '"');
        for (size_t k = 0; k < one.len; k++) {
            if (one.data[k] == '"' || one.data[k] == '\\')
                fl_cli_text_add_char(text, one.data[k]);
            fl_cli_text_add_char(text, one.data[k]);
        }
        if (is_quoted)
            fl_cli_text_add_char(text, '"');
        fl_cli_text_drop(&one);
    }
    fl_cli_text_add_char(text, ')');
}

static void add_quoted(fl_cli_text *text, const char *bytes, size_t len)
{
    fl_cli_text_add_char(text, '\'');
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\'' || bytes[i] == '\\')
            fl_cli_text_add_char(text, '\\');
        fl_cli_text_add_char(text, bytes[i]);
    }
    fl_cli_text_add_char(text, '\'');
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether a text among others, without quotes, would be read as another, or as more than one. */
static bool needs_quotes(const char *bytes, size_t len)
{
    if (len == 0 || is_blank(bytes[0]) || is_blank(bytes[len - 1]) || (len == 4 && strncasecmp(bytes, "NULL", 4) == 0))
        return true;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0 && strchr("'\"\\[]{}():=,", bytes[i]) != NULL)
            return true;
    return false;
}

/* A list's element or a struct's field, as a cast to text writes it. */
static void add_item(fl_cli_text *text, const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row)
{
    fl_cli_text one = {0};
    if (schema->format[0] == '+' || fl_cli_value_is_null(schema, array, row)) {
        fl_cli_value_add_text(text, schema, array, row);
        return;
    }
    fl_cli_value_add_text(&one, schema, array, row);
    if (needs_quotes(one.data, one.len))
        add_quoted(text, one.data, one.len);
    else
        fl_cli_text_add(text, one.data, one.len);
    fl_cli_text_drop(&one);
}

/* {a=1, b=NULL} */
static void add_map(fl_cli_text *text, const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t begin,
                    int64_t end)
{
    const struct ArrowSchema *entry = schema->children[0];
    const struct ArrowArray *entries = array->children[0];
    fl_cli_text_add_char(text, '{');
    for (int64_t i = begin; i < end; i++) {
        if (i > begin)
            fl_cli_text_add(text, ", ", 2);
        add_item(text, entry->children[0], entries->children[0], entries->offset + i);
        fl_cli_text_add_char(text, '=');
        add_item(text, entry->children[1], entries->children[1], entries->offset + i);
    }
    fl_cli_text_add_char(text, '}');
}

void fl_cli_value_add_text(fl_cli_text *text, const struct ArrowSchema *schema, const struct ArrowArray *array,
                           int64_t row)
{
    const char *format = schema->format, *bytes;
    int64_t at = array->offset + row, begin, end;
    i128 integer;
    size_t len;
    if (fl_cli_value_is_null(schema, array, row)) {
        fl_cli_text_add_str(text, "NULL");
    } else if (schema->dictionary != NULL) {
        if (get_integer(format, array, at, &integer))
            fl_cli_value_add_text(text, schema->dictionary, array->dictionary, (int64_t)integer);
    } else if (format[0] == 'b') {
        fl_cli_text_add_str(text, get_bit(array->buffers[1], at) ? "true" : "false");
    } else if (get_integer(format, array, at, &integer)) {
        add_scaled(text, integer, 0);
    } else if (format[0] == 'f' || format[0] == 'g') {
        add_float(text, get_float(format, array, at), format[0] == 'f');
    } else if (format[0] == 'd') {
        add_scaled(text, get_decimal(array, at), scale_of(format));
    } else if (format[0] == 't') {
        add_time(text, format, array, at);
    } else if (get_bytes(format, array, at, &bytes, &len)) {
        if (is_extension(schema, "arrow.uuid") && len == 16)
            add_uuid(text, bytes);
        else if (is_binary(format))
            add_hex(text, bytes, len);
        else
            fl_cli_text_add(text, bytes, len);
    } else if (strcmp(format, "+m") == 0 && get_list(format, array, at, &begin, &end)) {
        add_map(text, schema, array, begin, end);
    } else if (get_list(format, array, at, &begin, &end)) {
        fl_cli_text_add_char(text, '[');
        for (int64_t i = begin; i < end; i++) {
            if (i > begin)
                fl_cli_text_add(text, ", ", 2);
            add_item(text, schema->children[0], array->children[0], i);
        }
        fl_cli_text_add_char(text, ']');
    } else if (strcmp(format, "+s") == 0 && is_row(schema)) {
        add_row(text, schema, array, at);
    } else if (strcmp(format, "+s") == 0) {
        fl_cli_text_add_char(text, '{');
        for (int64_t i = 0; i < schema->n_children; i++) {
            const char *name = schema->children[i]->name;
            fl_cli_text_add_str(text, i > 0 ? ", " : "");
            add_quoted(text, name, strlen(name));
            fl_cli_text_add_str(text, ": ");
            add_item(text, schema->children[i], array->children[i], at);
        }
        fl_cli_text_add_char(text, '}');
    } else {
        fl_cli_text_add_char(text, '?');
    }
}

/* A double stays one for readers that tell 1 from 1.0. */
static void add_json_float(fl_cli_text *text, double value, bool is_single)
{
    if (!isfinite(value)) {
        fl_cli_text_add_char(text, '"');
        add_float(text, value, is_single);
        fl_cli_text_add_char(text, '"');
        return;
    }
    size_t start = text->len;
    add_float(text, value, is_single);
    for (size_t i = start; i < text->len; i++)
        if (text->data[i] == '.' || text->data[i] == 'e')
            return;
    fl_cli_text_add(text, ".0", 2);
}

/* An object whose names are the texts of the keys. */
/* A text that is said to be JSON, in one line: as it is, but for ends of lines, which stand between its values alone. What a file
 * claims and is none becomes a string, so that the whole stays JSON. */
static void add_json_text(fl_cli_text *text, const char *data, size_t len)
{
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)data, len, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
    if (doc == NULL) {
        fl_cli_text_add_json(text, data, len);
        return;
    }
    for (size_t i = 0, from = 0; i <= len; i++) {
        if (i < len && data[i] != '\n' && data[i] != '\r')
            continue;
        fl_cli_text_add(text, data + from, i - from);
        if (i < len)
            fl_cli_text_add_char(text, ' ');
        from = i + 1;
    }
    yyjson_doc_free(doc);
}

static void add_json_map(fl_cli_text *text, const struct ArrowSchema *schema, const struct ArrowArray *array,
                         int64_t begin, int64_t end)
{
    const struct ArrowSchema *entry = schema->children[0];
    const struct ArrowArray *entries = array->children[0];
    fl_cli_text_add_char(text, '{');
    for (int64_t i = begin; i < end; i++) {
        fl_cli_text key = {0};
        if (i > begin)
            fl_cli_text_add_char(text, ',');
        fl_cli_value_add_text(&key, entry->children[0], entries->children[0], entries->offset + i);
        fl_cli_text_add_json(text, key.data, key.len);
        fl_cli_text_drop(&key);
        fl_cli_text_add_char(text, ':');
        fl_cli_value_add_json(text, entry->children[1], entries->children[1], entries->offset + i);
    }
    fl_cli_text_add_char(text, '}');
}

void fl_cli_value_add_json(fl_cli_text *text, const struct ArrowSchema *schema, const struct ArrowArray *array,
                           int64_t row)
{
    const char *format = schema->format, *bytes;
    int64_t at = array->offset + row, begin, end;
    i128 integer;
    size_t len;
    if (fl_cli_value_is_null(schema, array, row)) {
        fl_cli_text_add_str(text, "null");
    } else if (schema->dictionary != NULL) {
        if (get_integer(format, array, at, &integer))
            fl_cli_value_add_json(text, schema->dictionary, array->dictionary, (int64_t)integer);
    } else if (format[0] == 'b') {
        fl_cli_value_add_text(text, schema, array, row);
    } else if (get_integer(format, array, at, &integer) && integer <= EXACT_IN_DOUBLE && integer >= -EXACT_IN_DOUBLE) {
        add_scaled(text, integer, 0);
    } else if (format[0] == 'f' || format[0] == 'g') {
        add_json_float(text, get_float(format, array, at), format[0] == 'f');
    } else if (format[0] != 'd' && !is_binary(format) && get_bytes(format, array, at, &bytes, &len)) {
        if (is_extension(schema, "arrow.json"))
            add_json_text(text, bytes, len);
        else
            fl_cli_text_add_json(text, bytes, len);
    } else if (strcmp(format, "+m") == 0 && get_list(format, array, at, &begin, &end)) {
        add_json_map(text, schema, array, begin, end);
    } else if (get_list(format, array, at, &begin, &end)) {
        fl_cli_text_add_char(text, '[');
        for (int64_t i = begin; i < end; i++) {
            if (i > begin)
                fl_cli_text_add_char(text, ',');
            fl_cli_value_add_json(text, schema->children[0], array->children[0], i);
        }
        fl_cli_text_add_char(text, ']');
    } else if (strcmp(format, "+s") == 0) {
        fl_cli_text_add_char(text, '{');
        for (int64_t i = 0; i < schema->n_children; i++) {
            if (i > 0)
                fl_cli_text_add_char(text, ',');
            fl_cli_text_add_json(text, schema->children[i]->name, strlen(schema->children[i]->name));
            fl_cli_text_add_char(text, ':');
            fl_cli_value_add_json(text, schema->children[i], array->children[i], at);
        }
        fl_cli_text_add_char(text, '}');
    } else {
        fl_cli_text value = {0};
        fl_cli_value_add_text(&value, schema, array, row);
        fl_cli_text_add_json(text, value.data, value.len);
        fl_cli_text_drop(&value);
    }
}

/* ---- types ---- */

static const char *time_name(const char *format)
{
    static const char *const plain[] = {"timestamp(0)", "timestamp(3)", "timestamp", "timestamp(9)"};
    static const char *const zoned[] = {"timestamptz(0)", "timestamptz(3)", "timestamptz", "timestamptz(9)"};
    if (format[1] == 'd')
        return "date";
    if (format[1] == 't')
        return "time";
    if (format[1] == 'i')
        return "interval";
    int unit = format[2] == 's' ? 0 : format[2] == 'm' ? 1 : format[2] == 'u' ? 2 : 3;
    return format[3] == ':' && format[4] != 0 ? zoned[unit] : plain[unit];
}

/* A field's name as SQL reads it back. */
static void add_name(fl_cli_text *text, const char *name)
{
    bool is_plain = name[0] != 0 && !(name[0] >= '0' && name[0] <= '9');
    for (const char *c = name; *c != 0; c++)
        is_plain &=
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_' || *c < 0;
    if (!is_plain)
        fl_cli_text_add_char(text, '"');
    for (; *name != 0; name++) {
        if (*name == '"')
            fl_cli_text_add_char(text, '"');
        fl_cli_text_add_char(text, *name);
    }
    if (!is_plain)
        fl_cli_text_add_char(text, '"');
}

void fl_cli_type_add_name(fl_cli_text *text, const struct ArrowSchema *schema)
{
    static const struct {
        char format;
        const char *name;
    } names[] = {{'n', "null"},     {'b', "boolean"},   {'c', "tinyint"}, {'C', "utinyint"},
                 {'s', "smallint"}, {'S', "usmallint"}, {'i', "integer"}, {'I', "uinteger"},
                 {'l', "bigint"},   {'L', "ubigint"},   {'f', "real"},    {'g', "double"},
                 {'u', "text"},     {'U', "text"},      {'z', "bytea"},   {'Z', "bytea"}};
    const char *format = schema->format;
    if (schema->dictionary != NULL) {
        fl_cli_type_add_name(text, schema->dictionary);
        return;
    }
    if (is_extension(schema, "arrow.json") || is_extension(schema, "arrow.uuid")) {
        fl_cli_text_add_str(text, is_extension(schema, "arrow.json") ? "json" : "uuid");
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && format[1] == 0; i++)
        if (names[i].format == format[0]) {
            fl_cli_text_add_str(text, names[i].name);
            return;
        }
    if (format[0] == 'd') {
        fl_cli_text_addf(text, "decimal(%d,%d)", (int)strtol(format + 2, NULL, 10), scale_of(format));
    } else if (format[0] == 't') {
        fl_cli_text_add_str(text, time_name(format));
    } else if (format[0] == 'v' || format[0] == 'w') {
        fl_cli_text_add_str(text, is_binary(format) ? "bytea" : "text");
    } else if (strcmp(format, "+m") == 0) {
        fl_cli_text_add_str(text, "map(");
        fl_cli_type_add_name(text, schema->children[0]->children[0]);
        fl_cli_text_add_str(text, ", ");
        fl_cli_type_add_name(text, schema->children[0]->children[1]);
        fl_cli_text_add_char(text, ')');
    } else if (format[0] == '+' && (format[1] == 'l' || format[1] == 'L')) {
        fl_cli_type_add_name(text, schema->children[0]);
        fl_cli_text_add(text, "[]", 2);
    } else if (strcmp(format, "+s") == 0) {
        fl_cli_text_add_str(text, "struct(");
        for (int64_t i = 0; i < schema->n_children; i++) {
            fl_cli_text_add_str(text, i > 0 ? ", " : "");
            add_name(text, schema->children[i]->name);
            fl_cli_text_add_char(text, ' ');
            fl_cli_type_add_name(text, schema->children[i]);
        }
        fl_cli_text_add_char(text, ')');
    } else {
        fl_cli_text_add_str(text, format);
    }
}

bool fl_cli_type_is_number(const struct ArrowSchema *schema)
{
    return schema->dictionary == NULL &&
           (schema->format[0] == 'd' || (schema->format[1] == 0 && strchr("cCsSiIlLfg", schema->format[0]) != NULL));
}
