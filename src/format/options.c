/* Reading named arguments by their table. */
#include "format/options.h"

#include "base/nearest.h"
#include "format/united_files.h"

fl_status fl_option_bool(fl_arena *arena, const fl_value *value, void *ret_bool, fl_err *err)
{
    (void)arena, (void)err;
    if (value->is_null || value->type.id != FL_BOOL)
        return FL_ERR_TYPE;
    *(bool *)ret_bool = value->b;
    return FL_OK;
}

fl_status fl_option_text(fl_arena *arena, const fl_value *value, void *ret_str, fl_err *err)
{
    if (value->is_null || value->type.id != FL_UTF8)
        return FL_ERR_TYPE;
    return fl_arena_copy_str(arena, value->s, ret_str, err);
}

fl_status fl_option_texts_read(fl_arena *arena, const fl_value *value, void *ret_texts, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *items = NULL;
    bool is_list = !value->is_null && value->type.id == FL_LIST;
    int64_t n = is_list ? value->list.n : 1;
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &items, err));
    for (int64_t i = 0; i < n && st == FL_OK; i++)
        st = fl_option_text(arena, is_list ? &value->list.items[i] : value, &items[i], err);
    if (st == FL_OK)
        *(fl_option_texts *)ret_texts = (fl_option_texts){items, (int32_t)n};
cleanup:
    return st;
}

fl_status fl_option_rows(fl_arena *arena, const fl_value *value, void *ret_i64, fl_err *err)
{
    (void)arena, (void)err;
    if (value->is_null || !fl_type_is_signed(value->type) || value->i == 0 || value->i < -1)
        return FL_ERR_TYPE;
    *(int64_t *)ret_i64 = value->i;
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
    return fl_type_from_name(name, precision, scale, ret) && ret->id != FL_NULL && !fl_type_is_nested(*ret);
}

bool fl_option_type_read(fl_str name, fl_type *ret)
{
    return read_type(name, ret);
}

fl_status fl_option_columns(fl_arena *arena, const fl_value *value, void *ret_fields, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    if (value->is_null || value->type.id != FL_STRUCT || value->type.n_fields < 1)
        return FL_ERR_TYPE;
    FL_TRY(FL_NEW_ARRAY(arena, value->type.n_fields, &fields, err));
    for (int32_t i = 0; i < value->type.n_fields; i++) {
        const fl_value *type = &value->list.items[i];
        FL_TRY(fl_arena_copy_str(arena, value->type.fields[i].name, &fields[i].name, err));
        fields[i].nullable = true;
        if (type->is_null || type->type.id != FL_UTF8)
            return FL_FAIL(err, FL_ERR_CONFIG, "the type of column \"%.*s\" is a text such as 'integer'",
                           FL_STR_ARG(fields[i].name));
        if (!read_type(type->s, &fields[i].type))
            return FL_FAIL(err, FL_ERR_CONFIG, "column \"%.*s\" cannot be of type \"%.*s\"", FL_STR_ARG(fields[i].name),
                           FL_STR_ARG(type->s));
    }
    *(fl_option_fields *)ret_fields = (fl_option_fields){fields, value->type.n_fields};
cleanup:
    return st;
}

fl_status fl_option_types(fl_arena *arena, const fl_value *value, void *ret_fields, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    if (value->is_null || value->type.id != FL_LIST || value->list.n < 1 || value->list.n > INT32_MAX)
        return fl_option_columns(arena, value, ret_fields, err);
    FL_TRY(FL_NEW_ARRAY(arena, value->list.n, &fields, err));
    for (int64_t i = 0; i < value->list.n; i++) {
        const fl_value *type = &value->list.items[i];
        if (type->is_null || type->type.id != FL_UTF8)
            return FL_ERR_TYPE;
        fields[i].nullable = true;
        if (!fl_option_type_read(type->s, &fields[i].type))
            return FL_FAIL(err, FL_ERR_CONFIG, "column %lld cannot be of type \"%.*s\"", (long long)i + 1,
                           FL_STR_ARG(type->s));
    }
    *(fl_option_fields *)ret_fields = (fl_option_fields){fields, (int32_t)value->list.n};
cleanup:
    return st;
}

static const fl_option_desc *find_option(const fl_option_desc *known, int64_t n_known, fl_str name)
{
    for (int64_t i = 0; i < n_known; i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(known[i].name)))
            return &known[i];
    return NULL;
}

static fl_status fail_name(const char *function, const fl_option_desc *known, int64_t n_known, fl_str name, fl_err *err)
{
    fl_nearest near;
    FL_FAIL(err, FL_ERR_CONFIG, "%s has no option \"%.*s\"", function, FL_STR_ARG(name));
    fl_err_state(err, "42703", FL_ERR_CONFIG);
    fl_nearest_init(&near, name);
    for (int64_t i = 0; i < n_known; i++)
        if (known[i].wanted != NULL)
            fl_nearest_offer(&near, fl_str_of(known[i].name));
    fl_united_offer_options(&near);
    fl_nearest_hint(&near, err);
    return FL_ERR_CONFIG;
}

fl_status fl_options_read(const char *function, const fl_option_desc *known, int64_t n_known, const fl_option *options,
                          int32_t n_options, fl_arena *arena, void *ret, fl_err *err)
{
    for (int32_t i = 0; i < n_options; i++) {
        const fl_option *o = &options[i];
        const fl_option_desc *desc = find_option(known, n_known, o->name);
        fl_status st = desc == NULL ? fail_name(function, known, n_known, o->name, err)
                                    : desc->read(arena, &o->value, (char *)ret + desc->at, err);
        if (st == FL_ERR_TYPE)
            st = FL_FAIL(err, FL_ERR_CONFIG, "%s's option %s is %s", function, desc->name, desc->wanted);
        if (st != FL_OK) {
            fl_err_at(err, o->pos);
            return st;
        }
        if (desc->given_at >= 0)
            *((bool *)ret + desc->given_at) = true;
    }
    return FL_OK;
}
