/* Printing values of vectors. */
#include "format/print.h"

#include "base/number.h"

#define NUMBER_BYTES 48

static void print_i64(fl_text *text, int64_t value)
{
    char *room = fl_text_room(text, NUMBER_BYTES);
    if (room == NULL)
        return;
    int64_t sign = value < 0;
    if (sign)
        room[0] = '-';
    text->len += sign + fl_u64_print(sign ? 0 - (uint64_t)value : (uint64_t)value, room + sign);
}

static void print_decimal(fl_text *text, const fl_vec *vec, int64_t row)
{
    char *room = fl_text_room(text, NUMBER_BYTES);
    if (room != NULL)
        text->len += fl_decimal_print(fl_vec_i128(vec, row), vec->type.scale, room);
}

fl_status fl_print_value(fl_text *text, const fl_vec *vec, int64_t row, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value value;
    FL_ASSERT(fl_vec_is_valid(vec, row));
    if (vec->layout == FL_FLAT) {
        switch (vec->type.id) {
        case FL_I8:
            print_i64(text, ((const int8_t *)vec->data)[row]);
            return FL_OK;
        case FL_I16:
            print_i64(text, ((const int16_t *)vec->data)[row]);
            return FL_OK;
        case FL_I32:
            print_i64(text, ((const int32_t *)vec->data)[row]);
            return FL_OK;
        case FL_I64:
            print_i64(text, ((const int64_t *)vec->data)[row]);
            return FL_OK;
        case FL_DECIMAL:
            print_decimal(text, vec, row);
            return FL_OK;
        case FL_UTF8:
            fl_text_add(text, fl_vec_str(vec, row));
            return FL_OK;
        default:
            break;
        }
    }
    FL_TRY(fl_value_from_vec(arena, vec, row, &value, err));
    fl_value_print(text, &value);
cleanup:
    return st;
}
