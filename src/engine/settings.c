/* Session settings: SET, SHOW, RESET. One row in the table below is one setting. */
#include "engine/internal.h"

#include "base/file.h"
#include "base/nearest.h"
#include "base/zone.h"
#include "plan/rule.h"

#include <stdlib.h>

#define MEMORY_LIMIT_MIN 64000 /* with less, a session could not set another */

static const char *const names[] = {"default_null_order", "disabled_rules",      "false_statistics", "memory_limit",
                                    "optimizer",          "optimizer_threshold", "plan_number",      "recursion_limit",
                                    "temp_directory",     "temp_limit",          "threads",          "timeout",
                                    "timezone",           "vector_size",         "verify_rules"};

/* By FL_OPTIMIZER_... */
static const char *const optimizers[] = {"search", "simple", "none"};

/* By fl_sql_null_order; the names are DuckDB's. */
static const char *const null_orders[] = {"nulls_last_on_asc_first_on_desc", "nulls_first_on_asc_last_on_desc",
                                          "nulls_first", "nulls_last"};

/* Deriving properties for each application costs as much as planning does: builds that look for faults do it. */
#if defined(FLETCH_VERIFY_RULES)
#define FL_VERIFIES_RULES true
#else
#define FL_VERIFIES_RULES false
#endif

void fl_settings_init(fl_settings *s, const fl_engine *engine)
{
    *s = (fl_settings){.threads = engine->threads,
                       .vector_rows = FL_VECTOR_ROWS,
                       .optimizer = FL_OPTIMIZER_SEARCH,
                       .optimizer_threshold = FL_OPTIMIZE_THRESHOLD,
                       .verifies_rules = FL_VERIFIES_RULES};
    memcpy(s->temp_directory, engine->temp_directory, sizeof(s->temp_directory));
    memcpy(s->zone, "UTC", sizeof("UTC"));
}

fl_str fl_settings_name(int32_t i)
{
    return i < FL_LEN(names) ? fl_str_of(names[i]) : (fl_str){0};
}

static fl_status fail_unknown(fl_str name, int32_t pos, fl_err *err)
{
    fl_nearest near;
    FL_FAIL(err, FL_ERR_CONFIG, "there is no setting \"%.*s\"", FL_STR_ARG(name));
    fl_err_state(err, "42704", FL_ERR_CONFIG);
    fl_nearest_init(&near, name);
    for (int64_t i = 0; i < FL_LEN(names); i++)
        fl_nearest_offer(&near, fl_str_of(names[i]));
    fl_nearest_hint(&near, err);
    if (near.count == 0)
        fl_err_hint(err, "SHOW ALL lists the settings");
    fl_err_at(err, pos);
    return FL_ERR_CONFIG;
}

static bool is(fl_str name, const char *wanted)
{
    return fl_str_is_equal_nocase(name, fl_str_of(wanted));
}

/* A zone that there is, or 'local', the system's. */
static fl_status set_zone(fl_settings *s, const fl_value *value, fl_err *err)
{
    fl_arena arena;
    const fl_zone *zone;
    const char *system = getenv("TZ");
    if (value->is_null || value->type.id != FL_UTF8)
        return FL_FAIL(err, FL_ERR_CONFIG, "timezone must be a zone's name, as 'Europe/Berlin'");
    fl_str name = value->s;
    if (is(name, "local") || is(name, "default"))
        name = fl_str_of(system != NULL && system[0] != 0 && system[0] != ':' ? system : "UTC");
    if (name.len >= (int64_t)sizeof(s->zone))
        return FL_FAIL(err, FL_ERR_CONFIG, "a zone's name has at most %d bytes", (int)sizeof(s->zone) - 1);
    fl_arena_init(&arena, NULL);
    fl_status st = fl_zone_open(&arena, name, &zone, err);
    fl_arena_drop(&arena);
    if (st != FL_OK)
        return fl_err_state(err, "22023", FL_ERR_CONFIG);
    bool is_utc = is(name, "utc") || is(name, "gmt") || is(name, "etc/utc") || is(name, "z");
    name = is_utc ? FL_STR("UTC") : name;
    memcpy(s->zone, name.data, (size_t)name.len);
    s->zone[name.len] = 0;
    return FL_OK;
}

static fl_status fail_range(const fl_value *value, fl_str name, int64_t min, int64_t max, fl_err *err)
{
    fl_text printed;
    fl_text_init(&printed, NULL);
    fl_value_print(&printed, value);
    fl_status st = fl_text_status(&printed, err);
    if (st == FL_OK)
        st = FL_FAIL(err, FL_ERR_CONFIG, "%.*s must be a whole number from %lld to %lld, not %s", FL_STR_ARG(name),
                     (long long)min, (long long)max, printed.data == NULL ? "" : printed.data);
    fl_text_drop(&printed);
    return st;
}

static fl_status integer_of(const fl_value *value, fl_str name, int64_t min, int64_t max, int64_t *ret, fl_err *err)
{
    fl_value out, again;
    if (fl_value_cast(value, FL_TYPE(FL_I64), &out, NULL) != FL_OK || out.is_null || out.i < min || out.i > max)
        return fail_range(value, name, min, max, err);
    if (fl_type_is_numeric(value->type) && /* casts round */
        (fl_value_cast(&out, value->type, &again, NULL) != FL_OK || fl_value_compare(value, &again) != 0))
        return fail_range(value, name, min, max, err);
    *ret = out.i;
    return FL_OK;
}

/* "512 MB", "1.5GB", "1000000"; 0 for none. */
static fl_status bytes_of(const fl_value *value, fl_str name, int64_t *ret, fl_err *err)
{
    char text[64] = "";
    fl_text printed;
    fl_text_init(&printed, NULL);
    fl_value_print(&printed, value);
    if (printed.data != NULL && printed.len < (int64_t)sizeof(text))
        memcpy(text, printed.data, (size_t)printed.len + 1);
    fl_status st = fl_text_status(&printed, err);
    fl_text_drop(&printed);
    if (st != FL_OK)
        return st;
    if (fl_size_read(fl_str_of(text), ret))
        return FL_OK;
    FL_FAIL(err, FL_ERR_CONFIG,
            "%.*s must be a size from 0 (no limit but the %s) on, such as '512MB' or '2GB', "
            "not '%s'",
            FL_STR_ARG(name), is(name, "temp_limit") ? "disk's" : "engine's", text);
    return FL_ERR_CONFIG;
}

fl_status fl_session_find_rule(fl_session *session, fl_str name, const fl_rule_desc **ret, fl_err *err)
{
    int32_t n = 0;
    fl_nearest near;
    const fl_rule_desc *const *rules = fl_registry_rules(session->registry, &n);
    for (int32_t i = 0; i < n; i++)
        if (fl_str_is_equal_nocase(fl_str_of(rules[i]->name), name)) {
            *ret = rules[i];
            return FL_OK;
        }
    fl_status st = FL_FAIL(err, FL_ERR_CONFIG, "there is no rule \"%.*s\"", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < n; i++)
        fl_nearest_offer(&near, fl_str_of(rules[i]->name));
    fl_nearest_hint(&near, err);
    return st;
}

static fl_status check_rules(fl_session *session, fl_str list, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_rule_desc *rule = NULL;
    for (int64_t at = 0; at < list.len;) {
        int64_t end = at;
        while (end < list.len && list.data[end] != ',')
            end++;
        fl_str name = {list.data + at, end - at};
        while (name.len > 0 && name.data[0] == ' ')
            name = (fl_str){name.data + 1, name.len - 1};
        while (name.len > 0 && name.data[name.len - 1] == ' ')
            name.len--;
        if (name.len > 0)
            FL_TRY(fl_session_find_rule(session, name, &rule, err));
        at = end + 1;
    }
cleanup:
    return st;
}

static fl_status set_temp_directory(fl_session *session, const fl_value *value, fl_err *err)
{
    fl_settings *s = &session->settings;
    fl_file_info info;
    char path[FL_TEMP_DIRECTORY_BYTES];
    fl_str text = value->type.id == FL_UTF8 && !value->is_null ? value->s : (fl_str){0};
    if (text.len == 0 || text.len >= (int64_t)sizeof(path) || memchr(text.data, 0, (size_t)text.len) != NULL)
        return FL_FAIL(err, FL_ERR_CONFIG,
                       "temp_directory must be the name of a folder of up to %d characters, such as '/tmp'",
                       (int)sizeof(path) - 1);
    memcpy(path, text.data, (size_t)text.len);
    path[text.len] = 0;
    int failure = fl_system_look(session->memory.system, path, true, &info);
    if (failure < 0) {
        FL_FAIL(err, FL_ERR_CONFIG, "temp_directory: there is no folder \"%s\" (%s)", path, fl_system_reason(failure));
        fl_file_hint_nearest(session->memory.system, path, err);
        return FL_ERR_CONFIG;
    }
    if (info.kind != FL_FILE_FOLDER)
        return FL_FAIL(err, FL_ERR_CONFIG, "temp_directory must be a folder; \"%s\" is none", path);
    memcpy(s->temp_directory, path, sizeof(path));
    return FL_OK;
}

fl_status fl_settings_set(fl_session *session, fl_str name, const fl_value *values, int32_t n_values, int32_t pos,
                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_settings *s = &session->settings;
    int64_t number = 0;
    if (n_values == 0)
        return fl_settings_reset(session, name, pos, err);
    const fl_value *value = &values[0];
    if (is(name, "threads")) {
        FL_TRY(integer_of(value, name, 1, FL_THREADS_MAX, &number, err));
        s->threads = (int32_t)number;
    } else if (is(name, "vector_size")) {
        FL_TRY(integer_of(value, name, 1, FL_VECTOR_ROWS_MAX, &number, err));
        s->vector_rows = (int32_t)number;
    } else if (is(name, "timeout")) {
        FL_TRY(integer_of(value, name, 0, INT64_MAX / 1000000, &number, err));
        s->timeout_ms = number;
    } else if (is(name, "memory_limit")) {
        FL_TRY(bytes_of(value, name, &number, err));
        if (number > 0 && number < MEMORY_LIMIT_MIN) {
            st = FL_FAIL(err, FL_ERR_CONFIG, "memory_limit must be 0 (the engine's) or at least 64kB, not %lld bytes",
                         (long long)number);
            goto cleanup;
        }
        s->memory_limit_bytes = number;
        session->memory.limit_bytes = number;
    } else if (is(name, "temp_limit")) {
        FL_TRY(bytes_of(value, name, &number, err));
        s->temp_limit_bytes = number;
        session->spill_quota.limit_bytes = number;
    } else if (is(name, "temp_directory")) {
        FL_TRY(set_temp_directory(session, value, err));
    } else if (is(name, "optimizer")) {
        fl_str word = value->type.id == FL_UTF8 && !value->is_null ? value->s : (fl_str){0};
        int32_t optimizer = 0;
        while (optimizer < FL_LEN(optimizers) && !is(word, optimizers[optimizer]))
            optimizer++;
        if (is(word, "default") || is(word, "on"))
            return fl_settings_reset(session, name, pos, err);
        if (optimizer == FL_LEN(optimizers))
            return FL_FAIL(err, FL_ERR_CONFIG, "optimizer must be 'search', 'simple' or 'none'");
        s->optimizer = optimizer;
    } else if (is(name, "optimizer_threshold")) {
        fl_value share;
        if (fl_value_cast(value, FL_TYPE(FL_F64), &share, NULL) != FL_OK || share.is_null ||
            !(share.f >= 0 && share.f <= 1))
            return FL_FAIL(err, FL_ERR_CONFIG, "optimizer_threshold must be a share from 0 to 1, such as 0.01");
        s->optimizer_threshold = share.f;
    } else if (is(name, "plan_number")) {
        FL_TRY(integer_of(value, name, 0, INT64_MAX, &number, err));
        s->plan_number = number;
    } else if (is(name, "recursion_limit")) {
        FL_TRY(integer_of(value, name, 0, INT64_MAX, &number, err));
        s->recursion_limit = number;
    } else if (is(name, "false_statistics")) {
        FL_TRY(integer_of(value, name, 0, INT64_MAX, &number, err));
        s->false_statistics = number;
    } else if (is(name, "verify_rules")) {
        fl_value on;
        if (fl_value_cast(value, FL_TYPE(FL_BOOL), &on, NULL) != FL_OK || on.is_null)
            return FL_FAIL(err, FL_ERR_CONFIG, "verify_rules must be true or false");
        s->verifies_rules = on.b;
    } else if (is(name, "default_null_order")) {
        int32_t order = 0;
        while (order < FL_LEN(null_orders) &&
               (value->is_null || value->type.id != FL_UTF8 || !is(value->s, null_orders[order])))
            order++;
        if (order == FL_LEN(null_orders))
            return FL_FAIL(err, FL_ERR_CONFIG, "default_null_order must be '%s', '%s', '%s' or '%s'", null_orders[0],
                           null_orders[1], null_orders[2], null_orders[3]);
        s->null_order = (fl_sql_null_order)order;
    } else if (is(name, "timezone")) {
        FL_TRY(set_zone(s, value, err));
    } else if (is(name, "disabled_rules")) {
        char list[sizeof(s->disabled_rules)] = "";
        size_t used = 0;
        for (int32_t i = 0; i < n_values; i++) {
            fl_str word = values[i].type.id == FL_UTF8 && !values[i].is_null ? values[i].s : (fl_str){0};
            if (used + (size_t)word.len + 2 > sizeof(list))
                return FL_FAIL(err, FL_ERR_CONFIG, "disabled_rules is longer than %d characters", (int)sizeof(list));
            FL_TRY(check_rules(session, word, err));
            if (i > 0)
                list[used++] = ',';
            if (word.len > 0)
                memcpy(list + used, word.data, (size_t)word.len);
            used += (size_t)word.len;
            list[used] = 0;
        }
        memcpy(s->disabled_rules, list, sizeof(list));
    } else {
        return fail_unknown(name, pos, err);
    }
cleanup:
    if (st != FL_OK)
        fl_err_at(err, pos);
    return st;
}

fl_status fl_settings_reset(fl_session *session, fl_str name, int32_t pos, fl_err *err)
{
    fl_settings fresh, *s = &session->settings;
    fl_settings_init(&fresh, session->engine);
    bool all = name.len == 0 || is(name, "all"), known = all;
#define RESET_ONE(setting, field)   \
    if (all || is(name, setting)) { \
        s->field = fresh.field;     \
        known = true;               \
    }
    RESET_ONE("threads", threads)
    RESET_ONE("vector_size", vector_rows)
    RESET_ONE("timeout", timeout_ms)
    RESET_ONE("memory_limit", memory_limit_bytes)
    RESET_ONE("optimizer", optimizer)
    RESET_ONE("optimizer_threshold", optimizer_threshold)
    RESET_ONE("plan_number", plan_number)
    RESET_ONE("recursion_limit", recursion_limit)
    RESET_ONE("false_statistics", false_statistics)
    RESET_ONE("verify_rules", verifies_rules)
    RESET_ONE("default_null_order", null_order)
    RESET_ONE("temp_limit", temp_limit_bytes)
#undef RESET_ONE
    if (all || is(name, "timezone")) {
        memcpy(s->zone, fresh.zone, sizeof(s->zone));
        known = true;
    }
    if (all || is(name, "disabled_rules")) {
        s->disabled_rules[0] = 0;
        known = true;
    }
    if (all || is(name, "temp_directory")) {
        memcpy(s->temp_directory, fresh.temp_directory, sizeof(s->temp_directory));
        known = true;
    }
    session->memory.limit_bytes = s->memory_limit_bytes;
    session->spill_quota.limit_bytes = s->temp_limit_bytes;
    return known ? FL_OK : fail_unknown(name, pos, err);
}

fl_status fl_settings_print(const fl_session *session, fl_str name, fl_text *text, int32_t pos, fl_err *err)
{
    const fl_settings *s = &session->settings;
    if (is(name, "threads"))
        fl_text_addf(text, "%d", s->threads);
    else if (is(name, "vector_size"))
        fl_text_addf(text, "%d", s->vector_rows);
    else if (is(name, "timeout"))
        fl_text_addf(text, "%lld", (long long)s->timeout_ms);
    else if (is(name, "memory_limit"))
        fl_text_addf(
            text, "%lld",
            (long long)(s->memory_limit_bytes > 0 ? s->memory_limit_bytes : session->engine->memory.limit_bytes));
    else if (is(name, "temp_limit"))
        fl_text_addf(text, "%lld", (long long)s->temp_limit_bytes);
    else if (is(name, "temp_directory"))
        fl_text_add(text, fl_str_of(s->temp_directory));
    else if (is(name, "optimizer"))
        fl_text_add(text, fl_str_of(optimizers[s->optimizer]));
    else if (is(name, "optimizer_threshold"))
        fl_text_addf(text, "%g", s->optimizer_threshold);
    else if (is(name, "plan_number"))
        fl_text_addf(text, "%lld", (long long)s->plan_number);
    else if (is(name, "recursion_limit"))
        fl_text_addf(text, "%lld", (long long)s->recursion_limit);
    else if (is(name, "false_statistics"))
        fl_text_addf(text, "%lld", (long long)s->false_statistics);
    else if (is(name, "verify_rules"))
        fl_text_add(text, s->verifies_rules ? FL_STR("true") : FL_STR("false"));
    else if (is(name, "default_null_order"))
        fl_text_add(text, fl_str_of(null_orders[s->null_order]));
    else if (is(name, "timezone"))
        fl_text_add(text, fl_str_of(s->zone));
    else if (is(name, "disabled_rules"))
        fl_text_add(text, fl_str_of(s->disabled_rules));
    else
        return fail_unknown(name, pos, err);
    return FL_OK;
}
