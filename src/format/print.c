/* Printing values of vectors. */
#include "format/print.h"

#include "base/datetime.h"
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

static void print_double(fl_text *text, double value)
{
    char *room = fl_text_room(text, NUMBER_BYTES);
    if (room != NULL)
        text->len += fl_double_print(value, room);
}

static char *put_two(char *to, int32_t value)
{
    to[0] = (char)('0' + value / 10);
    to[1] = (char)('0' + value % 10);
    return to + 2;
}

/* A day of the years 1 to 9999; NULL: another one. */
static char *put_day(char *to, int64_t days)
{
    if (days < -719162 || days > 2932896)
        return NULL;
    fl_civil day = fl_civil_from_days(days);
    to = put_two(put_two(to, day.year / 100), day.year % 100);
    *to++ = '-';
    to = put_two(to, day.month);
    *to++ = '-';
    return put_two(to, day.day);
}

static void print_date(fl_text *text, int32_t days)
{
    char *room = fl_text_room(text, 64);
    if (room == NULL)
        return;
    char *end = put_day(room, days);
    text->len += end != NULL ? end - room : fl_date_print(days, room);
}

static void print_micros(fl_text *text, int64_t us, bool is_zoned)
{
    char *room = fl_text_room(text, 64);
    if (room == NULL)
        return;
    int64_t days = fl_floor_div(us, FL_US_PER_DAY), rest = fl_floor_rest(us, days, FL_US_PER_DAY);
    int32_t seconds = (int32_t)(rest / FL_US_PER_SECOND), fraction = (int32_t)(rest % FL_US_PER_SECOND);
    char *end = fl_timestamp_is_finite(us) ? put_day(room, days) : NULL;
    if (end == NULL) {
        text->len += fl_timestamp_print(us, is_zoned, room);
        return;
    }
    *end++ = ' ';
    end = put_two(end, seconds / 3600);
    *end++ = ':';
    end = put_two(end, seconds / 60 % 60);
    *end++ = ':';
    end = put_two(end, seconds % 60);
    if (fraction > 0) {
        *end++ = '.';
        end = put_two(put_two(put_two(end, fraction / 10000), fraction / 100 % 100), fraction % 100);
        while (end[-1] == '0')
            end--;
    }
    if (is_zoned) {
        memcpy(end, "+00", 3);
        end += 3;
    }
    text->len += end - room;
}

fl_status fl_print_value(fl_text *text, const fl_vec *vec, int64_t row, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value value;
    FL_ASSERT(fl_vec_is_valid(vec, row));
    if (vec->layout == FL_FLAT && vec->type.extension == FL_PLAIN) {
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
        case FL_F64:
            print_double(text, ((const double *)vec->data)[row]);
            return FL_OK;
        case FL_DATE:
            print_date(text, ((const int32_t *)vec->data)[row]);
            return FL_OK;
        case FL_TIMESTAMP:
        case FL_TIMESTAMPTZ:
            if (vec->type.unit != FL_MICRO)
                break;
            print_micros(text, ((const int64_t *)vec->data)[row], vec->type.id == FL_TIMESTAMPTZ);
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
