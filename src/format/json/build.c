/* From trees to vectors. */
#include "format/json/build.h"

#include "arrow/value.h"
#include "base/number.h"
#include "format/json/shape.h"

#include <math.h>

#define SHOWN_BYTES 80  /* of a value in a message */
#define PADDING 64      /* kernels read past the end */
#define SEARCHED_MAX 32 /* fields of an object that are looked at one by one */

typedef struct builder {
    fl_arena *arena;
    bool is_guessed;
    fl_json_misfit *misfit;
    fl_err *err;
} builder;

int32_t fl_json_find_name(const fl_str *names, const fl_name_index *index, int32_t n, int32_t at, fl_str key)
{
    if (at < n && fl_str_is_equal(names[at], key))
        return at;
    if (index != NULL)
        return fl_name_index_find(index, names, key);
    for (int32_t i = 0; i < n; i++)
        if (fl_str_is_equal(names[i], key))
            return i;
    return -1;
}

static bool is_null(yyjson_val *value)
{
    return value == NULL || yyjson_is_null(value);
}

/* The value does not fit; `inner` says more, or is NULL. */
static fl_status fail_value(const builder *b, const fl_field *field, yyjson_val *value, int64_t row,
                            const fl_err *inner)
{
    fl_str text = {0};
    fl_json_misfit *m = b->misfit;
    fl_status st = yyjson_is_str(value) || yyjson_is_raw(value) ? FL_OK : fl_json_print(b->arena, value, &text, b->err);
    if (st != FL_OK)
        return st;
    if (text.data == NULL)
        text = fl_json_text(value);
    int shown = (int)(text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES);
    while (shown < text.len && shown > 0 && (text.data[shown] & 0xC0) == 0x80)
        shown--;
    const char *quote = yyjson_is_str(value) ? "\"" : "";
    double unused;
    bool is_beyond = yyjson_is_raw(value) && fl_double_parse(text, &unused) != 0;
    st = is_beyond || (inner != NULL && inner->code == FL_ERR_RANGE) ? FL_ERR_RANGE : FL_ERR_VALUE;
    FL_FAIL(&m->complaint, st, "%s%.*s%s%s is no %s (\"%.*s\")", quote, shown, text.data, shown < text.len ? "..." : "",
            quote, FL_TYPE_NAME(field->type), FL_STR_ARG(field->name));
    m->row = row;
    m->is_string = yyjson_is_str(value);
    m->text = yyjson_is_str(value) || yyjson_is_raw(value) ? unsafe_yyjson_get_str(value) : NULL;
    return st;
}

/* Whether a number's digits may be others than the file's by now: a double's are. */
static bool has_real(yyjson_val *value)
{
    if (yyjson_is_arr(value)) {
        yyjson_arr_iter iter = yyjson_arr_iter_with(value);
        for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter)) != NULL;)
            if (has_real(item))
                return true;
    } else if (yyjson_is_obj(value)) {
        yyjson_obj_iter iter = yyjson_obj_iter_with(value);
        for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;)
            if (has_real(yyjson_obj_iter_get_val(key)))
                return true;
    }
    return yyjson_is_real(value);
}

static fl_status fail_digits(const builder *b)
{
    b->misfit->needs_digits = true;
    return FL_ERR_VALUE;
}

/* A value as a scalar of its own type, for casts. False for what has no type of ours. */
static bool to_value(yyjson_val *value, fl_value *ret)
{
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_BOOL:
        *ret = (fl_value){.type = FL_TYPE(FL_BOOL), .b = yyjson_get_bool(value)};
        return true;
    case YYJSON_TYPE_NUM:
        if (yyjson_is_real(value))
            *ret = (fl_value){.type = FL_TYPE(FL_F64), .f = yyjson_get_real(value)};
        else if (yyjson_is_uint(value))
            *ret = (fl_value){.type = FL_TYPE(FL_U64), .u = yyjson_get_uint(value)};
        else
            *ret = (fl_value){.type = FL_TYPE(FL_I64), .i = yyjson_get_sint(value)};
        return true;
    default:
        return false;
    }
}

/* Whether a cast would take a value for one of a guessed type that it is not: "007" for a number, a time for a day. */
static bool is_of_other_kind(fl_type type, yyjson_val *value)
{
    int64_t time;
    if (yyjson_is_bool(value))
        return type.id != FL_BOOL;
    if (!yyjson_is_str(value))
        return !fl_type_is_numeric(type);
    return fl_type_is_numeric(type) || type.id == FL_BOOL || !fl_json_read_time(type, fl_json_text(value), &time);
}

/* Any simple type, as a cast reads it. */
static fl_status cast_value(const builder *b, const fl_field *field, yyjson_val *value, int64_t row, fl_value *ret)
{
    fl_value from;
    fl_err inner = {0};
    fl_status st;
    double f;
    int64_t i;
    if (b->is_guessed && is_of_other_kind(field->type, value))
        return fail_value(b, field, value, row, NULL);
    fl_str text = yyjson_is_str(value) || yyjson_is_raw(value) ? fl_json_text(value) : (fl_str){0};
    if (yyjson_is_real(value) && fl_type_is_decimal(field->type))
        return fail_digits(b);
    if (yyjson_is_raw(value) && fl_type_is_integer(field->type) && fl_i64_parse(text, &i) != 0 &&
        fl_double_parse(text, &f) == 0 && f == __builtin_trunc(f) && fabs(f) < 0x1p63) { /* "1.0", "1e3" */
        from = (fl_value){.type = FL_TYPE(FL_I64), .i = (int64_t)f};
        st = fl_value_cast(&from, field->type, ret, &inner);
    } else if (text.data != NULL)
        st = fl_value_from_text(field->type, text, ret, &inner);
    else if (to_value(value, &from))
        st = fl_value_cast(&from, field->type, ret, &inner);
    else
        return fail_value(b, field, value, row, NULL);
    return st == FL_OK ? FL_OK : fail_value(b, field, value, row, &inner);
}

static void store_value(char *to, const fl_value *v, int32_t width)
{
    if (v->type.id == FL_F32) {
        float f = (float)v->f;
        memcpy(to, &f, 4);
    } else if (v->type.id == FL_F64) {
        memcpy(to, &v->f, 8);
    } else if (v->type.id == FL_INTERVAL) {
        memcpy(to, &v->interval, sizeof(v->interval));
    } else if (v->type.id == FL_DECIMAL) {
        memcpy(to, &v->d, (size_t)width);
    } else if (fl_type_is_string(v->type)) {
        fl_view view = fl_view_of(v->s.data, v->s.len);
        memcpy(to, &view, sizeof(view));
    } else {
        memcpy(to, &v->i, (size_t)width);
    }
}

/* Reads what a sampled column mostly holds, without a detour. False: the slow way decides. */
static bool store_fast(fl_type type, yyjson_val *value, char *to)
{
    int64_t i;
    if (type.extension != FL_PLAIN) {
        return false;
    } else if (type.id == FL_I64 && yyjson_is_int(value) &&
               (!yyjson_is_uint(value) || yyjson_get_uint(value) <= INT64_MAX)) {
        i = yyjson_get_sint(value);
    } else if (type.id == FL_F64 && yyjson_is_num(value)) {
        double f = yyjson_get_num(value);
        memcpy(to, &f, 8);
        return true;
    } else if ((type.id == FL_TIMESTAMP || type.id == FL_TIMESTAMPTZ) && type.unit == FL_MICRO && type.scale == 0 &&
               yyjson_is_str(value)) {
        if (!fl_json_read_time(type, fl_json_text(value), &i))
            return false;
    } else {
        return false;
    }
    memcpy(to, &i, 8);
    return true;
}

static fl_status build_scalars(const builder *b, const fl_field *field, yyjson_val *const *values, int64_t rows,
                               char *data, int32_t width)
{
    /* a cast would round fractions: here they are a misfit */
    for (int64_t row = 0; row < rows; row++) {
        char *to = data + row * width;
        if (is_null(values[row]) || store_fast(field->type, values[row], to))
            continue;
        if (fl_type_is_integer(field->type) && yyjson_is_real(values[row]) &&
            yyjson_get_real(values[row]) != __builtin_trunc(yyjson_get_real(values[row])))
            return fail_value(b, field, values[row], row, NULL);
        fl_value value;
        fl_status st = cast_value(b, field, values[row], row, &value);
        if (st != FL_OK)
            return st;
        store_value(to, &value, width);
    }
    return FL_OK;
}

static fl_status build_bools(const builder *b, const fl_field *field, yyjson_val *const *values, int64_t rows,
                             uint64_t *bits)
{
    for (int64_t row = 0; row < rows; row++) {
        fl_value value = {0};
        if (is_null(values[row]))
            continue;
        if (yyjson_is_bool(values[row])) {
            value.b = yyjson_get_bool(values[row]);
        } else {
            fl_status st = cast_value(b, field, values[row], row, &value);
            if (st != FL_OK)
                return st;
        }
        if (value.b)
            fl_bit_set(bits, row);
    }
    return FL_OK;
}

/* Strings as they are; any other value as its JSON. */
static fl_status build_texts(const builder *b, yyjson_val *const *values, int64_t rows, fl_view *views)
{
    for (int64_t row = 0; row < rows; row++) {
        fl_str text;
        if (is_null(values[row]))
            continue;
        if (yyjson_is_str(values[row]) || yyjson_is_raw(values[row])) {
            text = fl_json_text(values[row]);
        } else if (has_real(values[row])) {
            return fail_digits(b);
        } else {
            fl_status st = fl_json_print(b->arena, values[row], &text, b->err);
            if (st != FL_OK)
                return st;
        }
        views[row] = fl_view_of(text.data, text.len);
    }
    return FL_OK;
}

/* Any value as its JSON. */
static fl_status build_json(const builder *b, yyjson_val *const *values, int64_t rows, fl_view *views)
{
    for (int64_t row = 0; row < rows; row++) {
        fl_str text;
        if (is_null(values[row]))
            continue;
        if (has_real(values[row]))
            return fail_digits(b);
        fl_status st = fl_json_print(b->arena, values[row], &text, b->err);
        if (st != FL_OK)
            return st;
        views[row] = fl_view_of(text.data, text.len);
    }
    return FL_OK;
}

static fl_status build_vec(const builder *b, const fl_field *field, yyjson_val *const *values, int64_t rows,
                           fl_vec *ret);

static fl_status build_list(const builder *b, const fl_field *field, yyjson_val *const *values, int64_t rows,
                            fl_list_entry *entries, fl_vec *ret)
{
    fl_status st = FL_OK;
    int64_t items = 0, item = 0;
    yyjson_val **children = NULL;
    int64_t *owners = NULL;
    fl_vec *child = NULL;
    for (int64_t row = 0; row < rows; row++) {
        if (is_null(values[row]))
            continue;
        if (!yyjson_is_arr(values[row]))
            return fail_value(b, field, values[row], row, NULL);
        items += (int64_t)yyjson_arr_size(values[row]);
    }
    if (items > INT32_MAX)
        return FL_FAIL(b->err, FL_ERR_LIMIT, "lists of a batch have more than 2^31 elements");
    FL_TRY(FL_NEW_ARRAY(b->arena, items + 1, &children, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, items + 1, &owners, b->err));
    FL_TRY(FL_NEW(b->arena, &child, b->err));
    for (int64_t row = 0; row < rows; row++) {
        entries[row].start = (int32_t)item;
        if (is_null(values[row]))
            continue;
        yyjson_arr_iter iter = yyjson_arr_iter_with(values[row]);
        for (yyjson_val *value; (value = yyjson_arr_iter_next(&iter)) != NULL;) {
            owners[item] = row;
            children[item++] = value;
        }
        entries[row].len = (int32_t)item - entries[row].start;
    }
    st = build_vec(b, &field->type.fields[0], children, items, child);
    if (st == FL_ERR_VALUE || st == FL_ERR_RANGE || st == FL_ERR_COLUMN)
        b->misfit->row = owners[b->misfit->row];
    ret->child = child;
    ret->child_rows = items;
cleanup:
    return st;
}

/* A key that no record of the sample had. */
static fl_status fail_key(const builder *b, const fl_field *field, yyjson_val *key, int64_t row)
{
    fl_str name = fl_json_text(key);
    b->misfit->row = row;
    b->misfit->text = name.data;
    b->misfit->is_string = true;
    return FL_FAIL(&b->misfit->complaint, FL_ERR_COLUMN, "the key \"%.*s\" in \"%.*s\" is in no record before",
                   (int)(name.len < SHOWN_BYTES ? name.len : SHOWN_BYTES), name.data, FL_STR_ARG(field->name));
}

static fl_status build_struct(const builder *b, const fl_field *field, yyjson_val *const *values, int64_t rows,
                              fl_vec *ret)
{
    fl_status st = FL_OK;
    int32_t n = field->type.n_fields;
    yyjson_val ***slots = NULL;
    fl_vec *children = NULL;
    fl_str *names = NULL;
    fl_name_index index = {0};
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &slots, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &children, b->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(FL_NEW_ARRAY(b->arena, rows + 1, &slots[i], b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n, &names, b->err));
    for (int32_t i = 0; i < n; i++) {
        names[i] = field->type.fields[i].name;
        if (n > SEARCHED_MAX)
            FL_TRY(fl_name_index_add(&index, b->arena, names, b->err));
    }
    for (int64_t row = 0; row < rows; row++) {
        if (is_null(values[row]))
            continue;
        if (!yyjson_is_obj(values[row]))
            return fail_value(b, field, values[row], row, NULL);
        int32_t at = 0;
        yyjson_obj_iter iter = yyjson_obj_iter_with(values[row]);
        for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
            int32_t i = fl_json_find_name(names, n > SEARCHED_MAX ? &index : NULL, n, at, fl_json_text(key));
            if (i < 0 && b->is_guessed)
                return fail_key(b, field, key, row);
            if (i >= 0)
                slots[i][row] = yyjson_obj_iter_get_val(key);
            at = i + 1;
        }
    }
    for (int32_t i = 0; i < n; i++)
        FL_TRY(build_vec(b, &field->type.fields[i], slots[i], rows, &children[i]));
    ret->child = children;
    ret->child_rows = rows;
cleanup:
    return st;
}

static fl_status build_vec(const builder *b, const fl_field *field, yyjson_val *const *values, int64_t rows,
                           fl_vec *ret)
{
    fl_status st = FL_OK;
    fl_type type = field->type;
    int32_t width = type.id == FL_LIST ? (int32_t)sizeof(fl_list_entry) : fl_type_width(type);
    uint64_t *valid = NULL;
    void *data = NULL;
    int64_t bytes = type.id == FL_BOOL ? fl_bitmap_words(rows) * 8 : rows * width;
    FL_TRY(fl_arena_get_zero(b->arena, bytes + PADDING, &data, b->err));
    FL_TRY(fl_arena_get_zero(b->arena, fl_bitmap_words(rows) * 8 + PADDING, (void **)&valid, b->err));
    for (int64_t row = 0; row < rows; row++)
        if (!is_null(values[row]))
            fl_bit_set(valid, row);
    fl_vec_set_flat(ret, type, data, fl_bitmap_count(valid, rows) == rows ? NULL : valid);
    if (type.id == FL_LIST)
        return build_list(b, field, values, rows, data, ret);
    if (type.id == FL_STRUCT)
        return build_struct(b, field, values, rows, ret);
    if (type.id == FL_BOOL)
        return build_bools(b, field, values, rows, data);
    if (type.extension == FL_JSON)
        return build_json(b, values, rows, data);
    if (fl_type_is_text(type))
        return build_texts(b, values, rows, data);
    return build_scalars(b, field, values, rows, data, width);
cleanup:
    return st;
}

fl_status fl_json_build(fl_arena *arena, const fl_field *field, bool is_guessed, yyjson_val *const *values,
                        int64_t rows, fl_vec *ret, fl_json_misfit *misfit, fl_err *err)
{
    builder b = {arena, is_guessed, misfit, err};
    *misfit = (fl_json_misfit){0};
    return build_vec(&b, field, values, rows, ret);
}
