/* Values of parameters: what is given for $1 becomes a value of the type that the statement asks for.
 *
 * That type has no modifiers (plan/literal.h): beside a decimal(3,1) a parameter keeps all digits of its value, and the statement
 * is bound with the type that the value then has. */
#include "engine/internal.h"
#include "plan/literal.h"

static fl_status print_value(fl_arena *arena, const fl_value *value, fl_str *ret, fl_err *err)
{
    fl_text text;
    fl_text_init(&text, NULL);
    fl_value_print(&text, value);
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(&text), ret, err);
    fl_text_drop(&text);
    return st;
}

/* A number with as many digits as it is written with. A double that is no decimal of 38 digits stays one. */
static fl_status to_decimal(fl_arena *arena, const fl_value *value, fl_type type, fl_value *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str text = value->s;
    bool is_float = fl_type_is_float(value->type);
    *ret = *value;
    if (value->type.id == FL_DECIMAL)
        return FL_OK;
    if (value->type.id != FL_UTF8)
        FL_TRY(print_value(arena, value, &text, err));
    st = fl_literal_type(arena, text, type, &type, is_float ? NULL : err);
    if (st == FL_OK)
        st = fl_value_from_text(type, text, ret, is_float ? NULL : err);
    if (st != FL_OK && is_float) {
        *ret = *value;
        st = FL_OK;
    }
cleanup:
    return st;
}

static fl_status to_timestamp(fl_arena *arena, const fl_value *value, fl_type type, fl_value *ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (value->type.id == FL_UTF8)
        FL_TRY(fl_literal_type(arena, value->s, type, &type, err));
    else
        type = (fl_type){.id = type.id, .unit = fl_type_is_timestamp(value->type) ? value->type.unit : FL_MICRO};
    st = fl_value_cast(value, type, ret, err);
cleanup:
    return st;
}

fl_status fl_param_cast(fl_arena *arena, const fl_value *value, fl_type type, fl_value *ret, fl_err *err)
{
    if (type.id == FL_NULL || value->is_null) {
        *ret = *value;
        if (type.id != FL_NULL)
            ret->type = type;
        return FL_OK;
    }
    if (!fl_cast_exists(value->type, type)) {
        fl_status st = FL_FAIL(err, FL_ERR_TYPE, "a parameter of type %s takes no %s", FL_TYPE_NAME(type),
                               FL_TYPE_NAME(value->type));
        return fl_err_state(err, "42804", st);
    }
    if (type.id == FL_DECIMAL)
        return to_decimal(arena, value, type, ret, err);
    if (fl_type_is_timestamp(type))
        return to_timestamp(arena, value, type, ret, err);
    if (type.id == FL_TIME || type.id == FL_INTERVAL)
        type.scale = 0;
    if (type.id == FL_UTF8 && value->type.id != FL_UTF8) {
        fl_str text = {0};
        fl_status st = print_value(arena, value, &text, err);
        *ret = (fl_value){.type = type, .s = text};
        return st;
    }
    return fl_value_cast(value, type, ret, err);
}
