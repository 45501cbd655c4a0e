/* Arrow values as text; see arrow_text.h. One function per family of types, chosen by the schema's format string. */
#include "arrow_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

__extension__ typedef __int128 int128;

void text_add(struct text *text, const char *data, size_t len)
{
    if (text->len + len + 1 > text->capacity) {
        text->capacity = (text->len + len + 1) * 2;
        text->data = realloc(text->data, text->capacity);
        if (text->data == NULL) {
            fprintf(stderr, "slt_runner: out of memory\n");
            exit(2);
        }
    }
    if (len > 0)
        memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void text_addf(struct text *text, const char *format, ...)
{
    char piece[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    text_add(text, piece, (size_t)len < sizeof piece ? (size_t)len : sizeof piece - 1);
}

static bool bit(const void *bits, int64_t at)
{
    return ((const uint8_t *)bits)[at / 8] >> (at % 8) & 1;
}

bool arrow_is_null(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row)
{
    if (strcmp(schema->format, "n") == 0)
        return true;
    return array->n_buffers > 0 && array->buffers[0] != NULL && !bit(array->buffers[0], array->offset + row);
}

/* ---- numbers ---- */

/* Shortest digits that read back as the same value, laid out as PostgreSQL does: plain for exponents -4 up to the
 * type's `plain_digits`, else with an exponent of at least two digits. */
static void add_double(struct text *text, double value, bool is_float)
{
    if (isnan(value)) {
        text_add(text, "NaN", 3);
        return;
    }
    if (isinf(value)) {
        text_addf(text, "%sInfinity", value < 0 ? "-" : "");
        return;
    }
    int digits_max = is_float ? 9 : 17, plain_digits = is_float ? 6 : 15;
    char digits[40];
    for (int digits_count = 1; digits_count <= digits_max; digits_count++) {
        snprintf(digits, sizeof digits, "%.*e", digits_count - 1, value);
        if (is_float ? strtof(digits, NULL) == (float)value : strtod(digits, NULL) == value)
            break;
    }
    char *e = strchr(digits, 'e');
    int exponent = atoi(e + 1);
    if (exponent < -4 || exponent >= plain_digits) {
        text_addf(text, "%.*se%c%02d", (int)(e - digits), digits, exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    int mantissa = (int)(e - digits) - (digits[0] == '-'); /* digits and, from the second one on, a point */
    int decimals = (mantissa > 1 ? mantissa - 2 : 0) - exponent;
    text_addf(text, "%.*f", decimals > 0 ? decimals : 0, value);
}

static void add_decimal(struct text *text, int128 value, int scale)
{
    char digits[64];
    int len = 0;
    unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    while (rest > 0 || len <= scale) { /* at least one digit before the point */
        digits[len++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    if (value < 0)
        text_add(text, "-", 1);
    while (len > 0) {
        if (len == scale)
            text_add(text, ".", 1);
        text_add(text, &digits[--len], 1);
    }
}

/* d:precision,scale[,bits] */
static void read_decimal(const char *format, const void *data, int64_t at, int128 *ret_value, int *ret_scale)
{
    int precision = 0, scale = 0, bits = 128;
    if (sscanf(format, "d:%d,%d,%d", &precision, &scale, &bits) < 2) {
        fprintf(stderr, "slt_runner: strange decimal format %s\n", format);
        exit(2);
    }
    *ret_scale = scale;
    if (bits == 32) {
        *ret_value = ((const int32_t *)data)[at];
    } else if (bits == 64) {
        *ret_value = ((const int64_t *)data)[at];
    } else {
        /* a 256-bit decimal's low half is enough: fletch has 38 digits */
        const char *bytes = (const char *)data + at * (bits / 8);
        memcpy(ret_value, bytes, sizeof *ret_value);
    }
}

static bool read_integer(char format, const void *data, int64_t at, int128 *ret_value)
{
    switch (format) {
    case 'c':
        *ret_value = ((const int8_t *)data)[at];
        return true;
    case 'C':
        *ret_value = ((const uint8_t *)data)[at];
        return true;
    case 's':
        *ret_value = ((const int16_t *)data)[at];
        return true;
    case 'S':
        *ret_value = ((const uint16_t *)data)[at];
        return true;
    case 'i':
        *ret_value = ((const int32_t *)data)[at];
        return true;
    case 'I':
        *ret_value = ((const uint32_t *)data)[at];
        return true;
    case 'l':
        *ret_value = ((const int64_t *)data)[at];
        return true;
    case 'L':
        *ret_value = ((const uint64_t *)data)[at];
        return true;
    default:
        return false;
    }
}

bool arrow_number(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row, double *ret_value)
{
    const char *format = schema->format;
    int64_t at = array->offset + row;
    int128 integer;
    if (format[1] == '\0' && read_integer(format[0], array->buffers[1], at, &integer)) {
        *ret_value = (double)integer;
    } else if (strcmp(format, "b") == 0) {
        *ret_value = bit(array->buffers[1], at);
    } else if (strcmp(format, "f") == 0) {
        *ret_value = ((const float *)array->buffers[1])[at];
    } else if (strcmp(format, "g") == 0) {
        *ret_value = ((const double *)array->buffers[1])[at];
    } else if (strncmp(format, "d:", 2) == 0) {
        /* through its text, so that the double is the nearest one */
        struct text digits = {0};
        int scale;
        read_decimal(format, array->buffers[1], at, &integer, &scale);
        add_decimal(&digits, integer, scale);
        *ret_value = strtod(digits.data, NULL);
        free(digits.data);
    } else {
        return false;
    }
    return true;
}

/* ---- times ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* False: it is neither. */
static bool add_infinity(struct text *text, bool is_positive, bool is_negative)
{
    if (is_positive)
        text_add(text, "infinity", 8);
    else if (is_negative)
        text_add(text, "-infinity", 9);
    return is_positive || is_negative;
}

/* Days since 1970 to a proleptic Gregorian date; years start in March here, so that leap days come last. Gives what
 * stands behind it, and behind a time. */
static const char *add_date(struct text *text, int64_t days)
{
    int64_t shifted = days + 719468; /* since 0000-03-01 */
    int64_t era = floor_div(shifted, 146097), day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    bool is_bc = year <= 0;
    text_addf(text, "%04lld-%02d-%02d", (long long)(is_bc ? 1 - year : year), (int)month, (int)day);
    return is_bc ? " BC" : "";
}

static void add_fraction(struct text *text, int64_t value, int digits)
{
    if (value == 0)
        return;
    char piece[16];
    int len = snprintf(piece, sizeof piece, ".%0*lld", digits, (long long)value);
    while (piece[len - 1] == '0')
        len--;
    text_add(text, piece, (size_t)len);
}

static void add_clock(struct text *text, int64_t value, int64_t per_second, int digits)
{
    int64_t seconds = value / per_second;
    text_addf(text, "%02lld:%02lld:%02lld", (long long)(seconds / 3600), (long long)(seconds / 60 % 60),
              (long long)(seconds % 60));
    add_fraction(text, value % per_second, digits);
}

static int64_t unit_per_second(char unit, int *ret_digits)
{
    *ret_digits = unit == 's' ? 0 : unit == 'm' ? 3 : unit == 'u' ? 6 : 9;
    return unit == 's' ? 1 : unit == 'm' ? 1000 : unit == 'u' ? 1000000 : 1000000000;
}

static void add_interval_part(struct text *text, size_t start, int64_t value, const char *unit, bool *minus_before)
{
    if (value == 0)
        return;
    text_addf(text, "%s%s%lld %s%s", text->len > start ? " " : "", *minus_before && value > 0 ? "+" : "",
              (long long)value, unit, value == 1 ? "" : "s");
    *minus_before = value < 0;
}

static void add_interval(struct text *text, int32_t months, int32_t days, int64_t nanoseconds)
{
    size_t start = text->len;
    bool minus_before = false;
    add_interval_part(text, start, months / 12, "year", &minus_before);
    add_interval_part(text, start, months % 12, "mon", &minus_before);
    add_interval_part(text, start, days, "day", &minus_before);
    if (nanoseconds != 0 || text->len == start) {
        if (text->len > start)
            text_add(text, " ", 1);
        if (nanoseconds < 0)
            text_add(text, "-", 1);
        else if (minus_before)
            text_add(text, "+", 1);
        add_clock(text, nanoseconds < 0 ? -nanoseconds : nanoseconds, 1000000000, 9);
    }
}

/* Seconds that clocks of a zone are ahead of UTC, by the system's rules. */
static int64_t zone_offset(const char *zone, int64_t seconds)
{
    time_t moment = (time_t)seconds;
    struct tm local = {0};
    if (strcmp(zone, "UTC") == 0)
        return 0;
    setenv("TZ", zone, 1);
    tzset();
    (void)localtime_r(&moment, &local);
    return local.tm_gmtoff;
}

static void add_time(const char *format, const struct ArrowArray *array, int64_t at, struct text *text)
{
    const void *data = array->buffers[1];
    int digits;
    int64_t per_second = unit_per_second(format[2], &digits);
    if (strcmp(format, "tdD") == 0) {
        int32_t days = ((const int32_t *)data)[at];
        if (!add_infinity(text, days == INT32_MAX, days == INT32_MIN)) {
            const char *era = add_date(text, days);
            text_add(text, era, strlen(era));
        }
    } else if (strcmp(format, "tdm") == 0) {
        const char *era = add_date(text, floor_div(((const int64_t *)data)[at], 86400000));
        text_add(text, era, strlen(era));
    } else if (format[1] == 't') {
        int64_t value =
            format[2] == 's' || format[2] == 'm' ? ((const int32_t *)data)[at] : ((const int64_t *)data)[at];
        add_clock(text, value, per_second, digits);
    } else if (format[1] == 's') {
        int64_t value = ((const int64_t *)data)[at], per_day = 86400 * per_second;
        if (add_infinity(text, value == INT64_MAX, value == INT64_MIN))
            return;
        bool has_zone = format[3] == ':' && format[4] != '\0';
        int64_t offset = has_zone ? zone_offset(format + 4, floor_div(value, per_second)) : 0;
        value += offset * per_second;
        int64_t day = floor_div(value, per_day);
        const char *era = add_date(text, day);
        text_add(text, " ", 1);
        add_clock(text, value - day * per_day, per_second, digits);
        if (has_zone) {
            int64_t seconds = offset < 0 ? -offset : offset;
            text_addf(text, "%c%02d", offset < 0 ? '-' : '+', (int)(seconds / 3600));
            if (seconds % 3600 != 0)
                text_addf(text, ":%02d", (int)(seconds / 60 % 60));
            if (seconds % 60 != 0)
                text_addf(text, ":%02d", (int)(seconds % 60));
        }
        text_add(text, era, strlen(era));
    } else if (strcmp(format, "tin") == 0) {
        const char *value = (const char *)data + at * 16;
        int32_t months, days;
        int64_t nanoseconds;
        memcpy(&months, value, sizeof months);
        memcpy(&days, value + 4, sizeof days);
        memcpy(&nanoseconds, value + 8, sizeof nanoseconds);
        add_interval(text, months, days, nanoseconds);
    } else if (strcmp(format, "tiM") == 0) {
        add_interval(text, ((const int32_t *)data)[at], 0, 0);
    } else {
        fprintf(stderr, "slt_runner: no text for Arrow type %s\n", format);
        exit(2);
    }
}

/* ---- strings, nested types ---- */

/* The bytes of a value of type u, U, z, Z, vu, vz or w:n. */
static bool get_bytes(const char *format, const struct ArrowArray *array, int64_t at, const char **ret_data,
                      size_t *ret_len)
{
    if (format[0] == 'w') {
        *ret_len = (size_t)atoi(format + 2);
        *ret_data = (const char *)array->buffers[1] + (size_t)at * *ret_len;
    } else if (format[0] == 'v') {
        const char *view = (const char *)array->buffers[1] + at * 16;
        int32_t len, buffer, offset;
        memcpy(&len, view, sizeof len);
        *ret_len = (size_t)len;
        if (len <= 12) {
            *ret_data = view + 4;
        } else {
            memcpy(&buffer, view + 8, sizeof buffer);
            memcpy(&offset, view + 12, sizeof offset);
            *ret_data = (const char *)array->buffers[2 + buffer] + offset;
        }
    } else if (strchr("UZ", format[0]) != NULL) {
        const int64_t *offsets = (const int64_t *)array->buffers[1] + at;
        *ret_len = (size_t)(offsets[1] - offsets[0]);
        *ret_data = (const char *)array->buffers[2] + offsets[0];
    } else if (strchr("uz", format[0]) != NULL) {
        const int32_t *offsets = (const int32_t *)array->buffers[1] + at;
        *ret_len = (size_t)(offsets[1] - offsets[0]);
        *ret_data = (const char *)array->buffers[2] + offsets[0];
    } else {
        return false;
    }
    return true;
}

static void add_list(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t at, struct text *text)
{
    int64_t begin, end;
    if (schema->format[1] == 'w') {
        int64_t size = atoll(schema->format + 3);
        begin = at * size;
        end = begin + size;
    } else if (schema->format[1] == 'L') {
        begin = ((const int64_t *)array->buffers[1])[at];
        end = ((const int64_t *)array->buffers[1])[at + 1];
    } else {
        begin = ((const int32_t *)array->buffers[1])[at];
        end = ((const int32_t *)array->buffers[1])[at + 1];
    }
    if (strcmp(schema->format, "+m") == 0) { /* {key=value, key=value} */
        const struct ArrowSchema *entry = schema->children[0];
        const struct ArrowArray *entries = array->children[0];
        text_add(text, "{", 1);
        for (int64_t item = begin; item < end; item++) {
            text_add(text, ", ", item > begin ? 2 : 0);
            arrow_text(entry->children[0], entries->children[0], entries->offset + item, text);
            text_add(text, "=", 1);
            arrow_text(entry->children[1], entries->children[1], entries->offset + item, text);
        }
        text_add(text, "}", 1);
        return;
    }
    text_add(text, "[", 1);
    for (int64_t item = begin; item < end; item++) {
        if (item > begin)
            text_add(text, ", ", 2);
        arrow_text(schema->children[0], array->children[0], item, text);
    }
    text_add(text, "]", 1);
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

/* As PostgreSQL prints rows: nulls are empty, what could be misread is quoted. */
static void add_row(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t at, struct text *text)
{
    for (int64_t field = 0; field < schema->n_children; field++) {
        struct text one = {0};
        text_add(text, field == 0 ? "(" : ",", 1);
        if (arrow_is_null(schema->children[field], array->children[field], at))
            continue;
        arrow_text(schema->children[field], array->children[field], at, &one);
        if (schema->children[field]->format[0] == 'b')
            one.len = 1; /* t, f */
        bool is_quoted = one.len == 0;
        for (size_t i = 0; i < one.len; i++)
            is_quoted |= memchr("\"\\(), \t\n\v\f\r", one.data[i], 11) != NULL;
        if (is_quoted)
            text_add(text, "\"", 1);
        for (size_t i = 0; i < one.len; i++) {
            if (one.data[i] == '"' || one.data[i] == '\\')
                text_add(text, &one.data[i], 1);
            text_add(text, &one.data[i], 1);
        }
        if (is_quoted)
            text_add(text, "\"", 1);
        free(one.data);
    }
    text_add(text, ")", 1);
}

static void add_struct(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t at, struct text *text)
{
    if (is_row(schema)) {
        add_row(schema, array, at, text);
        return;
    }
    text_add(text, "{", 1);
    for (int64_t field = 0; field < schema->n_children; field++) {
        text_addf(text, "%s'%s': ", field > 0 ? ", " : "", schema->children[field]->name);
        arrow_text(schema->children[field], array->children[field], at, text);
    }
    text_add(text, "}", 1);
}

void arrow_text(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row, struct text *text)
{
    const char *format = schema->format;
    int64_t at = array->offset + row;
    int128 integer;
    const char *bytes;
    size_t len;

    if (arrow_is_null(schema, array, row)) {
        text_add(text, "NULL", 4);
    } else if (schema->dictionary != NULL) {
        if (!read_integer(format[0], array->buffers[1], at, &integer))
            integer = 0;
        arrow_text(schema->dictionary, array->dictionary, (int64_t)integer, text);
    } else if (strcmp(format, "b") == 0) {
        text_addf(text, "%s", bit(array->buffers[1], at) ? "true" : "false");
    } else if (format[1] == '\0' && read_integer(format[0], array->buffers[1], at, &integer)) {
        add_decimal(text, integer, 0);
    } else if (strcmp(format, "f") == 0) {
        add_double(text, ((const float *)array->buffers[1])[at], true);
    } else if (strcmp(format, "g") == 0) {
        add_double(text, ((const double *)array->buffers[1])[at], false);
    } else if (format[0] == 'd') {
        int scale;
        read_decimal(format, array->buffers[1], at, &integer, &scale);
        add_decimal(text, integer, scale);
    } else if (format[0] == 't') {
        add_time(format, array, at, text);
    } else if (get_bytes(format, array, at, &bytes, &len)) {
        if (strcmp(format, "w:16") == 0) { /* UUIDs alone leave so */
            for (size_t i = 0; i < len; i++)
                text_addf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", (unsigned char)bytes[i]);
        } else if (strpbrk(format, "zZw") != NULL) {
            text_add(text, "\\x", 2);
            for (size_t i = 0; i < len; i++)
                text_addf(text, "%02x", (unsigned char)bytes[i]);
        } else {
            text_add(text, bytes, len);
        }
    } else if (strcmp(format, "+s") == 0) {
        add_struct(schema, array, at, text);
    } else if (strncmp(format, "+l", 2) == 0 || strncmp(format, "+L", 2) == 0 || strncmp(format, "+w", 2) == 0 ||
               strncmp(format, "+m", 2) == 0) {
        add_list(schema, array, at, text);
    } else {
        fprintf(stderr, "slt_runner: no text for Arrow type %s\n", format);
        exit(2);
    }
}
