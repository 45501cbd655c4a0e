/* Values of a file as values of the type that all files' meet in: exactly as casts, one by one. Files whose types differ are rare. */
#include "base/text.h"
#include "format/united_internal.h"

bool fl_united_can_convert(fl_type from, fl_type to)
{
    if (fl_type_is_equal(from, to) || from.id == FL_NULL)
        return true;
    if (fl_type_is_nested(from) || fl_type_is_nested(to) || from.id == FL_BINARY || to.id == FL_BINARY)
        return false;
    bool are_numbers = fl_type_is_numeric(from) && fl_type_is_numeric(to);
    bool are_times = (from.id == FL_DATE || fl_type_is_timestamp(from)) && fl_type_is_timestamp(to);
    return to.id == FL_UTF8 || are_numbers || are_times;
}

static fl_status convert_value(fl_arena *arena, const fl_value *value, fl_type to, fl_value *ret, fl_err *err)
{
    fl_text text;
    if (to.id != FL_UTF8 || value->is_null || value->type.id == FL_UTF8)
        return fl_value_cast(value, to, ret, err);
    *ret = (fl_value){.type = to};
    fl_text_init(&text, arena->memory);
    fl_value_print(&text, value);
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(&text), &ret->s, err);
    fl_text_drop(&text);
    return st;
}

fl_status fl_united_convert(fl_arena *arena, const fl_vec *from, int32_t rows, const uint64_t *mask, fl_type to,
                            fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *values = NULL;
    const fl_value **wanted = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, rows, &values, err));
    FL_TRY(FL_NEW_ARRAY(arena, rows, &wanted, err));
    for (int32_t row = 0; row < rows; row++) {
        fl_value value;
        if (mask != NULL && !fl_bit_get(mask, row))
            continue;
        FL_TRY(fl_value_from_vec(arena, from, row, &value, err));
        FL_TRY(convert_value(arena, &value, to, &values[row], err));
        wanted[row] = &values[row];
    }
    FL_TRY(fl_vec_from_values(arena, to, wanted, rows, ret, err));
cleanup:
    return st;
}
