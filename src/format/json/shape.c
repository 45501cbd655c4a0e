/* Learning shapes. */
#include "format/json/shape.h"

#include "base/datetime.h"

enum { SEES_BOOL = 1, SEES_INT = 2, SEES_REAL = 4, SEES_TEXT = 8, SEES_LIST = 16, SEES_OBJECT = 32 };
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
    for (int32_t tried = 0; tried < shape->n_fields; tried++) {
        int32_t i = *at + tried < shape->n_fields ? *at + tried : *at + tried - shape->n_fields;
        if (fl_str_is_equal(shape->fields[i]->name, name)) {
            *ret = shape->fields[i];
            *at = i + 1 < shape->n_fields ? i + 1 : 0;
            return FL_OK;
        }
    }
    if (shape->n_fields == shape->fields_max) {
        int32_t more = shape->fields_max == 0 ? 8 : shape->fields_max * 2;
        fl_json_shape **fields = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, more, &fields, err));
        if (shape->n_fields > 0)
            memcpy(fields, shape->fields, (size_t)shape->n_fields * sizeof(*fields));
        shape->fields = fields;
        shape->fields_max = more;
    }
    FL_TRY(fl_json_shape_new(arena, ret, err));
    FL_TRY(fl_arena_copy_str(arena, name, &(*ret)->name, err));
    shape->fields[shape->n_fields++] = *ret;
    *at = 0;
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

fl_status fl_json_shape_add(fl_arena *arena, fl_json_shape *shape, yyjson_val *value, fl_err *err)
{
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_BOOL:
        shape->kinds |= SEES_BOOL;
        break;
    case YYJSON_TYPE_NUM:
        if (yyjson_is_uint(value) && yyjson_get_uint(value) > INT64_MAX)
            return FL_FAIL(err, FL_ERR_RANGE, "the number %llu is beyond bigint",
                           (unsigned long long)yyjson_get_uint(value));
        shape->kinds |= yyjson_is_real(value) ? SEES_REAL : SEES_INT;
        break;
    case YYJSON_TYPE_RAW: {
        fl_str text = fl_json_text(value);
        return FL_FAIL(err, FL_ERR_RANGE, "the number %.*s is beyond bigint and double",
                       (int)(text.len < 60 ? text.len : 60), text.data);
    }
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
        fields[i].name = shape->fields[i]->name;
        fields[i].nullable = true;
        FL_TRY(fl_json_shape_type(arena, shape->fields[i], &fields[i].type, err));
    }
    *ret = (fl_type){.id = FL_STRUCT, .n_fields = shape->n_fields, .fields = fields};
cleanup:
    return st;
}

fl_status fl_json_shape_type(fl_arena *arena, const fl_json_shape *shape, fl_type *ret, fl_err *err)
{
    switch (shape->kinds) {
    case SEES_BOOL:
        *ret = FL_TYPE(FL_BOOL);
        return FL_OK;
    case SEES_INT:
        *ret = FL_TYPE(FL_I64);
        return FL_OK;
    case SEES_REAL:
    case SEES_INT | SEES_REAL:
        *ret = FL_TYPE(FL_F64);
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
        if (shape->n_fields > 0)
            return struct_type(arena, shape, ret, err);
        break;
    default:
        break;
    }
    *ret = FL_TYPE(FL_UTF8);
    return FL_OK;
}
