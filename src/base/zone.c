/* Reading zones. */
#include "base/zone.h"

#include "base/datetime.h"
#include "base/file.h"

#include <stdio.h>

#define ZONE_FOLDER "/usr/share/zoneinfo/"
#define ZONE_BYTES_MAX (1 << 20)

/* When a rule's switch happens: day of a year and seconds of that day, in local time. */
typedef struct change {
    enum { CHANGE_JULIAN, CHANGE_DAY, CHANGE_WEEKDAY } kind;
    int32_t month, week, day;
    int64_t seconds;
} change;

/* What holds behind the last transition: "CET-1CEST,M3.5.0,M10.5.0/3". */
typedef struct rule {
    bool has_summer;
    int64_t standard, summer; /* seconds east */
    change start, end;        /* of summer */
} rule;

struct fl_zone {
    int32_t n;
    int64_t *moments; /* [n] */
    int64_t *offsets; /* [n]: from moments[i] on */
    int64_t first;    /* before moments[0] */
    bool has_rule;
    rule rule;
};

/* ---- POSIX rules --------------------------------------------------------------------------------------------------- */

typedef struct cursor {
    const char *at, *end;
} cursor;

static bool take(cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool read_number(cursor *c, int64_t *ret)
{
    const char *start = c->at;
    for (*ret = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9' && c->at - start < 9; c->at++)
        *ret = *ret * 10 + (*c->at - '0');
    return c->at > start;
}

static bool read_clock(cursor *c, int64_t *ret)
{
    int64_t sign = take(c, '-') ? -1 : 1, part;
    if (sign == 1)
        (void)take(c, '+');
    if (!read_number(c, ret))
        return false;
    int64_t unit = 3600;
    *ret *= unit;
    while (unit > 1 && take(c, ':')) {
        unit /= 60;
        if (!read_number(c, &part))
            return false;
        *ret += part * unit;
    }
    *ret *= sign;
    return true;
}

static bool skip_name(cursor *c)
{
    const char *start = c->at;
    if (take(c, '<')) {
        while (c->at < c->end && *c->at != '>')
            c->at++;
        return take(c, '>');
    }
    while (c->at < c->end && ((*c->at >= 'A' && *c->at <= 'Z') || (*c->at >= 'a' && *c->at <= 'z')))
        c->at++;
    return c->at > start;
}

static bool read_change(cursor *c, change *ret)
{
    int64_t month = 0, week = 0, day = 0;
    *ret = (change){.seconds = 7200};
    if (!take(c, ','))
        return false;
    if (take(c, 'M')) {
        ret->kind = CHANGE_WEEKDAY;
        if (!read_number(c, &month) || !take(c, '.') || !read_number(c, &week) || !take(c, '.') ||
            !read_number(c, &day) || month < 1 || month > 12 || week < 1 || week > 5 || day > 6)
            return false;
    } else {
        ret->kind = take(c, 'J') ? CHANGE_JULIAN : CHANGE_DAY;
        if (!read_number(c, &day) || day > 366)
            return false;
    }
    ret->month = (int32_t)month;
    ret->week = (int32_t)week;
    ret->day = (int32_t)day;
    return !take(c, '/') || read_clock(c, &ret->seconds);
}

static bool read_rule(fl_str text, rule *ret)
{
    cursor c = {text.data, text.data + text.len};
    *ret = (rule){0};
    if (!skip_name(&c) || !read_clock(&c, &ret->standard))
        return false;
    ret->standard = -ret->standard;
    if (c.at == c.end)
        return true;
    ret->has_summer = true;
    ret->summer = ret->standard + 3600;
    if (!skip_name(&c))
        return false;
    if (c.at < c.end && *c.at != ',') {
        if (!read_clock(&c, &ret->summer))
            return false;
        ret->summer = -ret->summer;
    }
    return read_change(&c, &ret->start) && read_change(&c, &ret->end) && c.at == c.end;
}

/* The local second (since 1970) at which the change falls in a year. */
static int64_t change_at(const change *change, int32_t year)
{
    int64_t first = fl_days_from_civil(year, 1, 1), days;
    bool is_leap = fl_days_in_month(year, 2) == 29;
    if (change->kind == CHANGE_WEEKDAY) {
        int64_t start = fl_days_from_civil(year, change->month, 1);
        int64_t dow = ((start + 4) % 7 + 7) % 7;
        days = start + (change->day - dow + 7) % 7 + (change->week - 1) * 7;
        while (days >= start + fl_days_in_month(year, change->month))
            days -= 7;
    } else if (change->kind == CHANGE_JULIAN) { /* the 29th of February is never counted */
        days = first + change->day - 1 + (is_leap && change->day >= 60);
    } else {
        days = first + change->day;
    }
    return days * 86400 + change->seconds;
}

static int64_t rule_offset(const rule *rule, int64_t seconds)
{
    if (!rule->has_summer)
        return rule->standard;
    int32_t year = fl_civil_from_days(fl_floor_div(seconds + rule->standard, 86400)).year;
    int64_t start = change_at(&rule->start, year) - rule->standard, end = change_at(&rule->end, year) - rule->summer;
    bool is_summer = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end;
    return is_summer ? rule->summer : rule->standard;
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

static int64_t big_endian(const uint8_t *p, int bytes)
{
    uint64_t x = p[0] & 0x80 ? ~0ull : 0;
    for (int i = 0; i < bytes; i++)
        x = x << 8 | p[i];
    return (int64_t)x;
}

typedef struct header {
    int64_t utc, standard, leaps, times, types, chars;
    int version;
} header;

static bool read_header(const uint8_t *p, int64_t left, header *ret)
{
    if (left < 44 || memcmp(p, "TZif", 4) != 0)
        return false;
    int64_t counts[6];
    for (int i = 0; i < 6; i++) {
        counts[i] = big_endian(p + 20 + 4 * i, 4);
        if (counts[i] < 0 || counts[i] > ZONE_BYTES_MAX)
            return false;
    }
    *ret = (header){counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], p[4] == 0 ? 1 : p[4] - '0'};
    return true;
}

static int64_t body_bytes(const header *h, int64_t width)
{
    return h->times * (width + 1) + h->types * 6 + h->chars + h->leaps * (width + 4) + h->standard + h->utc;
}

/* 0 read, 1 not of the form, 2 out of memory. */
static fl_status read_zone(fl_arena *arena, const uint8_t *p, int64_t bytes, fl_zone *zone, bool *ret_is_one,
                           fl_err *err)
{
    fl_status st = FL_OK;
    const uint8_t *end = p + bytes;
    header h;
    int64_t width = 4;
    *ret_is_one = false;
    if (!read_header(p, bytes, &h) || body_bytes(&h, 4) > bytes - 44)
        return FL_OK;
    p += 44;
    if (h.version >= 2) { /* the same again in 64 bits */
        p += body_bytes(&h, 4);
        width = 8;
        if (!read_header(p, end - p, &h) || body_bytes(&h, 8) > end - p - 44)
            return FL_OK;
        p += 44;
    }
    if (h.types == 0)
        return FL_OK;
    const uint8_t *times = p, *kinds = p + h.times * width, *types = kinds + h.times;
    const uint8_t *footer = p + body_bytes(&h, width);
    FL_TRY(FL_NEW_ARRAY(arena, h.times + 1, &zone->moments, err));
    FL_TRY(FL_NEW_ARRAY(arena, h.times + 1, &zone->offsets, err));
    zone->n = (int32_t)h.times;
    zone->first = big_endian(types, 4);
    for (int64_t i = 0; i < h.times; i++) {
        if (kinds[i] >= h.types)
            return FL_OK;
        zone->moments[i] = big_endian(times + i * width, (int)width);
        zone->offsets[i] = big_endian(types + kinds[i] * 6, 4);
    }
    if (width == 8 && end - footer > 2 && footer[0] == '\n') {
        const uint8_t *stop = memchr(footer + 1, '\n', (size_t)(end - footer - 1));
        if (stop != NULL)
            zone->has_rule = read_rule((fl_str){(const char *)footer + 1, stop - footer - 1}, &zone->rule);
    }
    *ret_is_one = true;
cleanup:
    return st;
}

static bool is_name(fl_str name)
{
    if (name.len == 0 || name.len > 64 || name.data[0] == '/' || name.data[0] == '.')
        return false;
    for (int64_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_letter && c != '_' && c != '-' && c != '+' && c != '/')
            return false;
    }
    return true;
}

/* "+02", "-05:30", "UTC+3": an offset alone or behind a name. */
static bool read_fixed(fl_str name, int64_t *ret)
{
    cursor c = {name.data, name.data + name.len};
    if (c.at < c.end && *c.at != '+' && *c.at != '-' && !(*c.at >= '0' && *c.at <= '9') && !skip_name(&c))
        return false;
    return c.at < c.end && read_clock(&c, ret) && c.at == c.end && *ret > -160000 && *ret < 160000;
}

static fl_status fail_name(fl_str name, fl_err *err)
{
    return fl_err_state(err, "22023", FL_FAIL(err, FL_ERR_VALUE, "time zone \"%.*s\" is not known", FL_STR_ARG(name)));
}

/* As written, else with capitals as nearly all names have them, america/new_york, else in capitals, est5edt. NULL: no file. */
static fl_file *open_zone_file(const fl_system *system, fl_str name)
{
    char path[128];
    fl_file *file = NULL;
    for (int spelling = 0; spelling < 3 && file == NULL; spelling++) {
        int len = snprintf(path, sizeof(path), ZONE_FOLDER "%.*s", FL_STR_ARG(name));
        char *start = path + len - name.len;
        for (int64_t i = 0; i < name.len && spelling > 0; i++) {
            bool is_start = i == 0 || strchr("/_-+", start[i - 1]) != NULL;
            if (start[i] >= 'A' && start[i] <= 'Z' && spelling == 1 && !is_start)
                start[i] |= 32;
            else if (start[i] >= 'a' && start[i] <= 'z' && (spelling == 2 || is_start))
                start[i] &= ~32;
        }
        if (fl_file_open(system, (fl_str){path, len}, &file, NULL) != FL_OK)
            file = NULL;
    }
    return file;
}

fl_status fl_zone_open(fl_arena *arena, fl_str name, const fl_zone **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_zone *zone;
    fl_file *file = NULL;
    uint8_t *bytes;
    int64_t west;
    bool is_zone;
    FL_TRY(FL_NEW(arena, &zone, err));
    *ret = zone;
    if (fl_str_is_equal_nocase(name, FL_STR("UTC")) || fl_str_is_equal_nocase(name, FL_STR("GMT")) ||
        fl_str_is_equal_nocase(name, FL_STR("Z")))
        return FL_OK;
    if (read_fixed(name, &west)) {
        zone->first = -west;
        return FL_OK;
    }
    if (!is_name(name))
        return fail_name(name, err);
    if ((file = open_zone_file(fl_memory_system(arena->memory), name)) == NULL)
        return fail_name(name, err);
    if (file->bytes > ZONE_BYTES_MAX) {
        st = fail_name(name, err);
        goto cleanup;
    }
    FL_TRY(fl_arena_get(arena, file->bytes + 1, (void **)&bytes, err));
    FL_TRY(fl_file_read_at(file, 0, bytes, file->bytes, err));
    FL_TRY(read_zone(arena, bytes, file->bytes, zone, &is_zone, err));
    if (!is_zone)
        st = fail_name(name, err);
cleanup:
    if (file != NULL)
        fl_file_unref(file);
    return st;
}

int64_t fl_zone_offset(const fl_zone *zone, int64_t seconds)
{
    if (zone->n == 0 || seconds >= zone->moments[zone->n - 1])
        return zone->has_rule ? rule_offset(&zone->rule, seconds)
               : zone->n == 0 ? zone->first
                              : zone->offsets[zone->n - 1];
    if (seconds < zone->moments[0])
        return zone->first;
    int32_t low = 0, high = zone->n - 1; /* moments[low] <= seconds < moments[high] */
    while (high - low > 1) {
        int32_t mid = (low + high) / 2;
        if (zone->moments[mid] <= seconds)
            low = mid;
        else
            high = mid;
    }
    return zone->offsets[low];
}

int64_t fl_zone_offset_local(const fl_zone *zone, int64_t local_seconds)
{
    int64_t before = fl_zone_offset(zone, local_seconds - 86400), after = fl_zone_offset(zone, local_seconds + 86400);
    if (before == after)
        return before;
    bool before_holds = fl_zone_offset(zone, local_seconds - before) == before;
    bool after_holds = fl_zone_offset(zone, local_seconds - after) == after;
    if (before_holds != after_holds)
        return before_holds ? before : after;
    return before < after ? before : after;
}
