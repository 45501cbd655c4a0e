/* The named arguments of read_csv. */
#include "base/nearest.h"
#include "format/csv/table.h"

#define SAMPLE_ROWS 20480

static fl_status fail_value(const fl_option *o, fl_err *err, const char *wanted)
{
    FL_FAIL(err, FL_ERR_CONFIG, "read_csv's option %.*s is %s", FL_STR_ARG(o->name), wanted);
    fl_err_at(err, o->pos);
    return FL_ERR_CONFIG;
}

static fl_status read_bool(const fl_option *o, bool *ret, fl_err *err)
{
    if (o->value.is_null || o->value.type.id != FL_BOOL)
        return fail_value(o, err, "true or false");
    *ret = o->value.b;
    return FL_OK;
}

/* A single byte; "\t" is a tab. An empty text is allowed where may_be_empty: 0. */
static fl_status read_char(const fl_option *o, bool may_be_empty, char *ret, fl_err *err)
{
    fl_str s = o->value.type.id == FL_UTF8 && !o->value.is_null ? o->value.s : (fl_str){NULL, -1};
    if (s.len == 2 && s.data[0] == '\\' && s.data[1] == 't')
        *ret = '\t';
    else if (s.len == 1 && s.data[0] != '\n' && s.data[0] != '\r' && s.data[0] != 0 && (s.data[0] & 0x80) == 0)
        *ret = s.data[0];
    else if (s.len == 0 && may_be_empty)
        *ret = 0;
    else
        return fail_value(o, err, may_be_empty ? "one ASCII character, or empty for none" : "one ASCII character");
    return FL_OK;
}

/* A type's name with its modifiers: "decimal(10,2)". */
static bool read_type(fl_str name, fl_type *ret)
{
    int precision = -1, scale = -1;
    const char *open = name.len > 0 ? memchr(name.data, '(', (size_t)name.len) : NULL;
    if (open != NULL) {
        int *number = &precision;
        precision = 0;
        const char *end = name.data + name.len - 1;
        if (*end != ')')
            return false;
        for (const char *p = open + 1; p < end; p++) {
            if (*p == ',' && number == &precision) {
                number = &scale;
                scale = 0;
            } else if (*p >= '0' && *p <= '9' && *number < 1000) {
                *number = *number * 10 + (*p - '0');
            } else if (*p != ' ') {
                return false;
            }
        }
        name.len = open - name.data;
    }
    while (name.len > 0 && name.data[name.len - 1] == ' ')
        name.len--;
    return fl_type_from_name(name, precision, scale, ret);
}

static fl_status read_columns(fl_arena *arena, const fl_option *o, fl_csv_options *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *columns = NULL;
    const fl_value *v = &o->value;
    if (v->is_null || v->type.id != FL_STRUCT || v->type.n_fields < 1)
        return fail_value(o, err, "names and types, as in {'a': 'integer', 'b': 'text'}");
    FL_TRY(FL_NEW_ARRAY(arena, v->type.n_fields, &columns, err));
    for (int32_t i = 0; i < v->type.n_fields; i++) {
        const fl_value *type = &v->list.items[i];
        FL_TRY(fl_arena_copy_str(arena, v->type.fields[i].name, &columns[i].name, err));
        columns[i].nullable = true;
        if (type->is_null || type->type.id != FL_UTF8 || !read_type(type->s, &columns[i].type) ||
            columns[i].type.id == FL_NULL || fl_type_is_nested(columns[i].type)) {
            if (type->type.id == FL_UTF8 && !type->is_null)
                FL_FAIL(err, FL_ERR_CONFIG, "column \"%.*s\" cannot be of type \"%.*s\"", FL_STR_ARG(columns[i].name),
                        FL_STR_ARG(type->s));
            else
                FL_FAIL(err, FL_ERR_CONFIG, "the type of column \"%.*s\" is a text such as 'integer'",
                        FL_STR_ARG(columns[i].name));
            fl_err_at(err, o->pos);
            return FL_ERR_CONFIG;
        }
    }
    ret->columns = columns;
    ret->n_columns = v->type.n_fields;
cleanup:
    return st;
}

static fl_status fail_name(const fl_option *o, fl_err *err)
{
    static const char *const names[] = {"delim",   "sep",     "quote",       "escape",     "header",
                                        "nullstr", "columns", "all_varchar", "sample_size"};
    fl_nearest near;
    FL_FAIL(err, FL_ERR_CONFIG, "read_csv has no option \"%.*s\"", FL_STR_ARG(o->name));
    fl_err_state(err, "42703", FL_ERR_CONFIG);
    fl_nearest_init(&near, o->name);
    for (int64_t i = 0; i < FL_LEN(names); i++)
        fl_nearest_offer(&near, fl_str_of(names[i]));
    fl_nearest_hint(&near, err);
    fl_err_at(err, o->pos);
    return FL_ERR_CONFIG;
}

static fl_status read_option(fl_arena *arena, const fl_option *o, fl_csv_options *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str name = o->name;
    if (fl_str_is_equal_nocase(name, FL_STR("delim")) || fl_str_is_equal_nocase(name, FL_STR("sep"))) {
        ret->wishes.has_delim = true;
        return read_char(o, false, &ret->wishes.delim, err);
    }
    if (fl_str_is_equal_nocase(name, FL_STR("quote"))) {
        ret->wishes.has_quote = true;
        return read_char(o, true, &ret->wishes.quote, err);
    }
    if (fl_str_is_equal_nocase(name, FL_STR("escape"))) {
        st = read_char(o, true, &ret->wishes.escape, err);
        ret->wishes.has_escape = ret->wishes.escape != 0;
        return st;
    }
    if (fl_str_is_equal_nocase(name, FL_STR("header"))) {
        ret->has_header = true;
        return read_bool(o, &ret->header, err);
    }
    if (fl_str_is_equal_nocase(name, FL_STR("all_varchar")))
        return read_bool(o, &ret->all_varchar, err);
    if (fl_str_is_equal_nocase(name, FL_STR("columns")))
        return read_columns(arena, o, ret, err);
    if (fl_str_is_equal_nocase(name, FL_STR("nullstr"))) {
        if (o->value.is_null || o->value.type.id != FL_UTF8)
            return fail_value(o, err, "a text such as 'NA'");
        ret->has_nullstr = true;
        return fl_arena_copy_str(arena, o->value.s, &ret->nullstr, err);
    }
    if (fl_str_is_equal_nocase(name, FL_STR("sample_size"))) {
        if (o->value.is_null || !fl_type_is_signed(o->value.type) || o->value.i == 0 || o->value.i < -1)
            return fail_value(o, err, "a number of rows, or -1 for all");
        ret->sample_rows = o->value.i;
        return FL_OK;
    }
    if (fl_str_is_equal_nocase(name, FL_STR("ignore_errors"))) {
        FL_FAIL(err, FL_ERR_UNSUPPORTED, "read_csv never skips broken lines: there is no ignore_errors");
        fl_err_hint(err,
                    "all_varchar = true reads every well-formed line; TRY_CAST then gives NULL for what is no value");
        fl_err_at(err, o->pos);
        return FL_ERR_UNSUPPORTED;
    }
    return fail_name(o, err);
}

fl_status fl_csv_options_read(fl_arena *arena, const fl_option *options, int32_t n_options, fl_csv_options *ret,
                              fl_err *err)
{
    *ret = (fl_csv_options){.sample_rows = SAMPLE_ROWS};
    for (int32_t i = 0; i < n_options; i++) {
        fl_status st = read_option(arena, &options[i], ret, err);
        if (st != FL_OK)
            return st;
    }
    char quote = ret->wishes.has_quote ? ret->wishes.quote : '"';
    if (ret->wishes.has_delim &&
        (ret->wishes.delim == quote || (ret->wishes.has_escape && ret->wishes.escape == ret->wishes.delim)))
        return FL_FAIL(err, FL_ERR_CONFIG, "read_csv's delim cannot be its quote or escape, too");
    return FL_OK;
}
