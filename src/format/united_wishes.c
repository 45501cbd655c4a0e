/* Options that say how several files are put together. */
#include "format/hive_paths.h"
#include "format/options.h"
#include "format/united_files.h"

typedef struct said {
    fl_united_wishes wishes;
    bool has_filename;
    fl_value filename; /* true, or the column's name */
} said;

static fl_status read_filename(fl_arena *arena, const fl_value *value, void *ret, fl_err *err)
{
    bool is_bool = !value->is_null && value->type.id == FL_BOOL;
    bool is_name = !value->is_null && value->type.id == FL_UTF8 && value->s.len > 0;
    return is_bool || is_name ? fl_value_copy(arena, value, ret, err) : FL_ERR_TYPE;
}

static fl_status read_value(fl_arena *arena, const fl_value *value, void *ret, fl_err *err)
{
    return value->is_null || value->type.id != FL_STRUCT ? FL_ERR_TYPE : fl_value_copy(arena, value, ret, err);
}

static const fl_option_desc known[] = {
    {"union_by_name", FL_OPTION_BOOL, fl_option_bool, offsetof(said, wishes.by_name), -1},
    {"filename", "true, or the name of the column", read_filename, offsetof(said, filename),
     offsetof(said, has_filename)},
    {"hive_partitioning", FL_OPTION_BOOL, fl_option_bool, offsetof(said, wishes.hive), offsetof(said, wishes.has_hive)},
    {"hive_types_autocast", FL_OPTION_BOOL, fl_option_bool, offsetof(said, wishes.hive_autocast), -1},
    {"hive_types", FL_OPTION_COLUMNS, read_value, offsetof(said, wishes.hive_types), -1},
};

static bool is_known(fl_str name)
{
    for (int64_t i = 0; i < FL_LEN(known); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(known[i].name)))
            return true;
    return false;
}

void fl_united_offer_options(fl_nearest *near)
{
    for (int64_t i = 0; i < FL_LEN(known); i++)
        fl_nearest_offer(near, fl_str_of(known[i].name));
}

fl_status fl_united_wishes_take(const char *function, fl_arena *arena, fl_option *options, int32_t *n_options,
                                const fl_str *paths, int64_t n_paths, fl_united_wishes *ret, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    said s = {.wishes = {.hive_autocast = true, .hive_types = {.type = FL_TYPE(FL_NULL)}}};
    int32_t left = 0;
    FL_ASSERT(n_paths > 0);
    for (int32_t i = 0; i < *n_options; i++) {
        if (!is_known(options[i].name)) {
            options[left++] = options[i];
            continue;
        }
        FL_TRY(fl_options_read(function, known, FL_LEN(known), &options[i], 1, arena, &s, err));
    }
    *n_options = left;
    if (s.has_filename && s.filename.type.id == FL_UTF8)
        s.wishes.filename = s.filename.s;
    else if (s.has_filename && s.filename.b)
        s.wishes.filename = FL_STR("filename");
    if (!s.wishes.has_hive)
        s.wishes.hive = fl_hive_is_common(paths, n_paths);
    *ret_any = s.wishes.by_name || s.wishes.filename.len > 0 || s.wishes.hive || s.wishes.hive_types.type.id != FL_NULL;
    *ret = s.wishes;
cleanup:
    return st;
}
