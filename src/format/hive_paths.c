/* Folders that say what is in them: "year=2024/month=1/a.parquet". */
#include "format/hive_paths.h"

#include "arrow/value.h"

#include <stdlib.h>

#define HIVE_NULL FL_STR("__HIVE_DEFAULT_PARTITION__")

/* The next folder of a path that is a key with a value, from *at on. */
static bool next_partition(fl_str path, int64_t *at, fl_str *ret_key, fl_str *ret_value)
{
    while (*at < path.len) {
        const char *begin = path.data + *at, *end = memchr(begin, '/', (size_t)(path.len - *at));
        if (end == NULL)
            return false;
        *at = end + 1 - path.data;
        const char *equals = memchr(begin, '=', (size_t)(end - begin));
        if (equals == NULL || equals == begin)
            continue;
        *ret_key = (fl_str){begin, equals - begin};
        *ret_value = (fl_str){equals + 1, end - equals - 1};
        return true;
    }
    return false;
}

static bool find(fl_str path, fl_str key, fl_str *ret)
{
    fl_str found;
    int64_t at = 0;
    while (next_partition(path, &at, &found, ret))
        if (fl_str_is_equal_nocase(found, key))
            return true;
    return false;
}

static int32_t count(fl_str path)
{
    fl_str key, value;
    int64_t at = 0;
    int32_t n = 0;
    while (next_partition(path, &at, &key, &value))
        n++;
    return n;
}

bool fl_hive_is_common(const fl_str *paths, int64_t n_paths)
{
    int32_t n = count(paths[0]);
    for (int64_t i = 1; i < n_paths && n > 0; i++) {
        fl_str key, value;
        int64_t at = 0;
        if (count(paths[i]) != n)
            return false;
        while (next_partition(paths[0], &at, &key, &value))
            if (!find(paths[i], key, &value))
                return false;
    }
    return n > 0;
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The value in a folder's name: %XX are bytes. */
static fl_status decode(fl_arena *arena, fl_str raw, fl_str *ret, fl_err *err)
{
    char *text = NULL;
    int64_t len = 0;
    fl_status st = fl_arena_get(arena, raw.len + 1, (void **)&text, err);
    if (st != FL_OK)
        return st;
    for (int64_t i = 0; i < raw.len; i++) {
        bool is_coded =
            raw.data[i] == '%' && i + 2 < raw.len && hex_of(raw.data[i + 1]) >= 0 && hex_of(raw.data[i + 2]) >= 0;
        text[len++] = is_coded ? (char)(hex_of(raw.data[i + 1]) << 4 | hex_of(raw.data[i + 2])) : raw.data[i];
        i += is_coded ? 2 : 0;
    }
    *ret = (fl_str){text, len};
    return FL_OK;
}

/* A number that would not be written the same way again. */
static bool is_padded(fl_str text)
{
    return text.len > 1 && (text.data[0] == '+' || (text.data[0] == '0' && text.data[1] >= '0' && text.data[1] <= '9'));
}

/* A cast to a date takes the time behind it, too. */
static bool has_time(fl_str text)
{
    return text.len > 0 && memchr(text.data, ':', (size_t)text.len) != NULL;
}

static bool all_are(fl_type type, const fl_str *texts, int64_t n)
{
    fl_value value;
    bool has_any = false;
    for (int64_t i = 0; i < n; i++) {
        if (texts[i].data == NULL)
            continue;
        has_any = true;
        if (fl_value_from_text(type, texts[i], &value, NULL) != FL_OK || (type.id == FL_I64 && is_padded(texts[i])) ||
            (type.id == FL_DATE && has_time(texts[i])))
            return false;
    }
    return has_any;
}

fl_type fl_hive_guess_type(const fl_str *texts, int64_t n)
{
    static const fl_type_id ids[] = {FL_I64, FL_DATE, FL_TIMESTAMP};
    for (int64_t i = 0; i < FL_LEN(ids); i++)
        if (all_are(FL_TYPE(ids[i]), texts, n))
            return FL_TYPE(ids[i]);
    return FL_TYPE(FL_UTF8);
}

fl_status fl_hive_value(fl_arena *arena, fl_str path, fl_str key, fl_str *ret, fl_err *err)
{
    fl_str raw = {0};
    *ret = (fl_str){0};
    return find(path, key, &raw) && !fl_str_is_equal(raw, HIVE_NULL) ? decode(arena, raw, ret, err) : FL_OK;
}

static int compare_strs(const void *a, const void *b)
{
    return fl_str_compare(*(const fl_str *)a, *(const fl_str *)b);
}

fl_status fl_hive_keys(fl_arena *arena, fl_str path, fl_str **ret, int32_t *ret_n, fl_err *err)
{
    fl_str key, value;
    int64_t at = 0;
    fl_status st = FL_NEW_ARRAY(arena, count(path) + 1, ret, err);
    *ret_n = 0;
    while (st == FL_OK && next_partition(path, &at, &key, &value))
        (*ret)[(*ret_n)++] = key;
    if (st == FL_OK)
        qsort(*ret, (size_t)*ret_n, sizeof(**ret), compare_strs);
    return st;
}
