/* Learning shapes. */
#include "format/json/shape.h"

#include "base/datetime.h"

enum {
    SEES_BOOL = 1,
    SEES_INT = 2,
    SEES_NEGATIVE = 4, /* besides SEES_INT or SEES_WIDE */
    SEES_U64 = 8,      /* integers beyond bigint */
    SEES_WIDE = 16,    /* … beyond ubigint */
    SEES_REAL = 32,
    SEES_HUGE = 64, /* numbers that no type holds */
    SEES_TEXT = 128,
    SEES_LIST = 256,
    SEES_OBJECT = 512,
    SEES_INTEGERS = SEES_INT | SEES_NEGATIVE | SEES_U64 | SEES_WIDE
};
enum { TIME_DATE = 1, TIME_PLAIN = 2, TIME_ZONED = 4, TIME_ALL = 7 };

fl_status fl_json_shape_new(fl_arena *arena, fl_json_shape **ret, fl_err *err)
{
    fl_status st = FL_NEW(arena, ret, err);
    if (st == FL_OK)
        (*ret)->times = TIME_ALL;
    return st;
}

static bool is_digit(char c)
{
    return (uint8_t)(c - '0') < 10;
}

/* yyyy-mm-dd */
static bool has_date_form(fl_str s)
{
    for (int i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? s.data[i] != '-' : !is_digit(s.data[i]))
            return false;
    return true;
}

bool fl_json_read_time(fl_type type, fl_str text, int64_t *ret)
{
    int32_t days;
    bool zoned = false;
    if (text.len < 10 || text.len > 40 || !has_date_form(text))
        return false;
    if (text.len == 10 && type.id != FL_TIMESTAMPTZ) {
        if (fl_date_parse(text, &days) != 0)
            return false;
        *ret = type.id == FL_DATE ? days : days * FL_US_PER_DAY;
        return true;
    }
    if (type.id == FL_DATE || text.len < 16 || (text.data[10] != 'T' && text.data[10] != ' ') || text.data[13] != ':')
        return false;
    if (text.len > 26 && text.data[19] == '.')
        for (int64_t i = 26; i < text.len && is_digit(text.data[i]); i++)
            if (text.data[i] != '0')
                return false; /* digits beyond microseconds would be lost */
    return fl_timestamp_parse(text, ret, &zoned) == 0 && zoned == (type.id == FL_TIMESTAMPTZ);
}

static uint32_t times_of(fl_str text, uint32_t wanted)
{
    int64_t value;
    uint32_t times = 0;
    if ((wanted & TIME_DATE) != 0 && fl_json_read_time(FL_TYPE(FL_DATE), text, &value))
        times |= TIME_DATE;
    if ((wanted & TIME_PLAIN) != 0 && fl_json_read_time(FL_TYPE(FL_TIMESTAMP), text, &value))
        times |= TIME_PLAIN;
    if ((wanted & TIME_ZONED) != 0 && fl_json_read_time(FL_TYPE(FL_TIMESTAMPTZ), text, &value))
        times |= TIME_ZONED;
    return times;
}

/* The field of that name, made when it is new. Objects mostly have the same keys in the same order: `*at` is where the
 * search begins, and is moved behind the field found. */
static fl_status find_field(fl_arena *arena, fl_json_shape *shape, fl_str name, int32_t *at, fl_json_shape **ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    if (*at < shape->n_fields && fl_str_is_equal(shape->names[*at], name)) {
        *ret = shape->fields[(*at)++];
        return FL_OK;
    }
    int32_t number = fl_name_index_find(&shape->index, shape->names, name);
    if (number >= 0) {
        *ret = shape->fields[number];
        *at = number + 1;
        return FL_OK;
    }
    if (shape->n_fields == shape->fields_max) {
        int32_t more = shape->fields_max == 0 ? 8 : shape->fields_max * 2;
        fl_json_shape **fields = NULL;
        fl_str *names = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, more, &fields, err));
        FL_TRY(FL_NEW_ARRAY(arena, more, &names, err));
        if (shape->n_fields > 0) {
            memcpy(fields, shape->fields, (size_t)shape->n_fields * sizeof(*fields));
            memcpy(names, shape->names, (size_t)shape->n_fields * sizeof(*names));
        }
        shape->fields = fields;
        shape->names = names;
        shape->fields_max = more;
    }
    FL_TRY(fl_json_shape_new(arena, ret, err));
    FL_TRY(fl_arena_copy_str(arena, name, &shape->names[shape->n_fields], err));
    FL_TRY(fl_name_index_add(&shape->index, arena, shape->names, err));
    shape->fields[shape->n_fields++] = *ret;
    *at = shape->n_fields;
cleanup:
    return st;
}

static fl_status add_object(fl_arena *arena, fl_json_shape *shape, yyjson_val *value, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t at = 0;
    yyjson_obj_iter iter = yyjson_obj_iter_with(value);
    shape->kinds |= SEES_OBJECT;
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        fl_json_shape *field = NULL;
        FL_TRY(find_field(arena, shape, fl_json_text(key), &at, &field, err));
        FL_TRY(fl_json_shape_add(arena, field, yyjson_obj_iter_get_val(key), err));
    }
cleanup:
    return st;
}

static fl_status add_list(fl_arena *arena, fl_json_shape *shape, yyjson_val *value, fl_err *err)
{
    fl_status st = FL_OK;
    yyjson_arr_iter iter = yyjson_arr_iter_with(value);
    shape->kinds |= SEES_LIST;
    if (shape->element == NULL)
        FL_TRY(fl_json_shape_new(arena, &shape->element, err));
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter)) != NULL;)
        FL_TRY(fl_json_shape_add(arena, shape->element, item, err));
cleanup:
    return st;
}

/* A number that neither 64 bits nor a double hold. */
static uint32_t kinds_of_raw(fl_str text)
{
    bool is_negative = text.len > 0 && text.data[0] == '-';
    int64_t digits = text.len - is_negative;
    for (int64_t i = is_negative; i < text.len; i++)
        if (!is_digit(text.data[i]))
            return SEES_HUGE;
    return digits > FL_DECIMAL_PRECISION_MAX ? SEES_HUGE : SEES_WIDE | (is_negative ? SEES_NEGATIVE : 0u);
}

fl_status fl_json_shape_add(fl_arena *arena, fl_json_shape *shape, yyjson_val *value, fl_err *err)
{
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_BOOL:
        shape->kinds |= SEES_BOOL;
        break;
    case YYJSON_TYPE_NUM:
        if (yyjson_is_real(value))
            shape->kinds |= SEES_REAL;
        else if (yyjson_is_uint(value))
            shape->kinds |= yyjson_get_uint(value) > INT64_MAX ? SEES_U64 : SEES_INT;
        else
            shape->kinds |= SEES_INT | (yyjson_get_sint(value) < 0 ? SEES_NEGATIVE : 0);
        break;
    case YYJSON_TYPE_RAW:
        shape->kinds |= kinds_of_raw(fl_json_text(value));
        break;
    case YYJSON_TYPE_STR:
        shape->kinds |= SEES_TEXT;
        if (shape->times != 0)
            shape->times = times_of(fl_json_text(value), shape->times);
        break;
    case YYJSON_TYPE_ARR:
        return add_list(arena, shape, value, err);
    case YYJSON_TYPE_OBJ:
        return add_object(arena, shape, value, err);
    default: /* null says nothing */
        break;
    }
    return FL_OK;
}

static fl_status list_type(fl_arena *arena, const fl_json_shape *shape, fl_type *ret, fl_err *err)
{
    fl_field *element = NULL;
    fl_status st = FL_NEW(arena, &element, err);
    if (st != FL_OK)
        return st;
    element->name = FL_STR("item");
    element->nullable = true;
    *ret = (fl_type){.id = FL_LIST, .n_fields = 1, .fields = element};
    return fl_json_shape_type(arena, shape->element, &element->type, err);
}

static fl_status struct_type(fl_arena *arena, const fl_json_shape *shape, fl_type *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, shape->n_fields, &fields, err));
    for (int32_t i = 0; i < shape->n_fields; i++) {
        fields[i].name = shape->names[i];
        fields[i].nullable = true;
        FL_TRY(fl_json_shape_type(arena, shape->fields[i], &fields[i].type, err));
    }
    *ret = (fl_type){.id = FL_STRUCT, .n_fields = shape->n_fields, .fields = fields};
cleanup:
    return st;
}

/* Names of a struct's fields leave as C strings. */
static bool has_nul_in_name(const fl_json_shape *shape)
{
    for (int32_t i = 0; i < shape->n_fields; i++)
        if (shape->names[i].len > 0 && memchr(shape->names[i].data, 0, (size_t)shape->names[i].len) != NULL)
            return true;
    return false;
}

static fl_type number_type(uint32_t kinds)
{
    if ((kinds & SEES_REAL) != 0)
        return FL_TYPE(FL_F64);
    if ((kinds & SEES_WIDE) != 0 || (kinds & (SEES_U64 | SEES_NEGATIVE)) == (SEES_U64 | SEES_NEGATIVE))
        return FL_TYPE_DECIMAL(FL_DECIMAL_PRECISION_MAX, 0);
    return FL_TYPE((kinds & SEES_U64) != 0 ? FL_U64 : FL_I64);
}

fl_status fl_json_shape_type(fl_arena *arena, const fl_json_shape *shape, fl_type *ret, fl_err *err)
{
    if (shape->kinds != 0 && (shape->kinds & ~(SEES_INTEGERS | SEES_REAL)) == 0) {
        *ret = number_type(shape->kinds);
        return FL_OK;
    }
    switch (shape->kinds) {
    case SEES_BOOL:
        *ret = FL_TYPE(FL_BOOL);
        return FL_OK;
    case SEES_TEXT:
        *ret = FL_TYPE((shape->times & TIME_DATE) != 0    ? FL_DATE
                       : (shape->times & TIME_PLAIN) != 0 ? FL_TIMESTAMP
                       : (shape->times & TIME_ZONED) != 0 ? FL_TIMESTAMPTZ
                                                          : FL_UTF8);
        return FL_OK;
    case SEES_LIST:
        return list_type(arena, shape, ret, err);
    case SEES_OBJECT:
        if (shape->n_fields > 0 && !has_nul_in_name(shape))
            return struct_type(arena, shape, ret, err);
        break;
    default:
        break;
    }
    *ret = FL_TYPE(FL_UTF8);
    return FL_OK;
}
