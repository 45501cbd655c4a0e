/* Cast kernels. Numbers among each other and dates run in typed loops; to and from text goes value by value, through the
 * same code that reads literals, so that a cast means the same everywhere. */
#include "exec/cast.h"

#include "arrow/value.h"
#include "base/datetime.h"
#include "base/number.h"
#include "base/simd.h"
#include "exec/cast_extension.h"
#include "exec/cast_kernel.h"
#include "exec/cast_nested.h"

#include <math.h>

static bool wants(const fl_call *call, int32_t row)
{
    return call->mask == NULL || fl_bit_get(call->mask, row);
}

/* A value of the vector that did not fit: raises, or makes the row null. */
static fl_status reject(fl_call *call, int32_t row, bool is_try, fl_err *err)
{
    if (is_try) {
        fl_bit_clear(fl_call_valid(call), row);
        return FL_OK;
    }
    fl_value value, out;
    fl_status st = fl_value_from_vec(call->heap, &call->args[0], row, &value, err);
    if (st != FL_OK)
        return st;
    st = fl_value_cast(&value, call->ret->type, &out, err);
    if (st == FL_OK)
        st = FL_FAIL(err, FL_ERR_RANGE, "value out of range for type %s", FL_TYPE_NAME(call->ret->type));
    return st;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

/* Casts between plain number types that cannot fail, or provably don't; false: not one of them. */
static bool widen(fl_call *call)
{
    fl_type from = call->args[0].type, to = call->ret->type;
    const fl_cast_kernels *kernels = FL_SIMD_CHOOSE(fl_cast_kernels);
    fl_cast_loop loop = NULL;
    if (!fl_type_is_numeric(from) || !fl_type_is_numeric(to) || (fl_cast_can_fail(from, to) && !call->ret->has_bounds))
        return false;
    if (fl_type_is_integer(from) && fl_type_is_integer(to))
        loop = kernels->to_integer[from.id - FL_I8][__builtin_ctz(call->ret->width)];
    else if (fl_type_is_integer(from) && to.id == FL_F32)
        loop = kernels->to_f32[from.id - FL_I8];
    else if ((fl_type_is_integer(from) || from.id == FL_F32) && to.id == FL_F64)
        loop = kernels->to_f64[from.id - FL_I8];
    if (loop != NULL)
        loop(call->args[0].data, call->rows, (void *)(uintptr_t)call->ret->data);
    return loop != NULL;
}

static int64_t integer_at(const fl_vec *vec, int32_t row)
{
    switch (vec->type.id) {
    case FL_I8:
        return ((const int8_t *)vec->data)[row];
    case FL_I16:
        return ((const int16_t *)vec->data)[row];
    case FL_I32:
        return ((const int32_t *)vec->data)[row];
    case FL_U8:
        return ((const uint8_t *)vec->data)[row];
    case FL_U16:
        return ((const uint16_t *)vec->data)[row];
    case FL_U32:
        return ((const uint32_t *)vec->data)[row];
    default:
        return ((const int64_t *)vec->data)[row];
    }
}

/* By a factor, in 64 bits; slots of nulls may wrap around. */
#define SCALE(from_t)                                                  \
    do {                                                               \
        const from_t *x = arg->data;                                   \
        for (int32_t row = 0; row < call->rows; row++)                 \
            ret[row] = (int64_t)((uint64_t)x[row] * (uint64_t)factor); \
        return FL_OK;                                                  \
    } while (0)

/* Integer or decimal to decimal: a multiplication, or a rounding division, by a power of ten. */
static fl_status to_decimal(fl_call *call, bool is_try, fl_err *err)
{
    const fl_vec *arg = &call->args[0];
    fl_type from = arg->type, to = call->ret->type;
    bool from_decimal = from.id == FL_DECIMAL;
    int32_t shift = to.scale - (from_decimal ? from.scale : 0);
    fl_i128 limit = fl_pow10_i128[to.precision == 38 ? 37 : to.precision];
    limit = to.precision == 38 ? limit * 10 - 1 : limit - 1;
    bool wide = fl_type_width(to) == 16;
    int64_t factor = shift >= 0 && shift <= 18 ? fl_pow10_i64[shift] : 0;
    if (call->ret->has_bounds && factor != 0 && arg->width <= 8) {
        int64_t *ret = (int64_t *)(uintptr_t)call->ret->data;
        call->ret->width = 8;
        if (factor == 1 && arg->width == 8) { /* only the type changes */
            call->ret->data = arg->data;
            return FL_OK;
        }
        switch (from_decimal ? FL_I64 : from.id) {
        case FL_I8:
            SCALE(int8_t);
        case FL_I16:
            SCALE(int16_t);
        case FL_I32:
            SCALE(int32_t);
        case FL_U8:
            SCALE(uint8_t);
        case FL_U16:
            SCALE(uint16_t);
        case FL_U32:
            SCALE(uint32_t);
        default:
            SCALE(uint64_t);
        }
    }
    for (int32_t row = 0; row < call->rows; row++) {
        if (!wants(call, row))
            continue;
        fl_i128 x = from_decimal        ? fl_vec_i128(arg, row)
                    : from.id == FL_U64 ? (fl_i128)((const uint64_t *)arg->data)[row]
                                        : integer_at(arg, row);
        bool overflow = false;
        if (shift >= 0) {
            overflow = __builtin_mul_overflow(x, fl_pow10_i128[shift], &x);
        } else {
            fl_i128 by = fl_pow10_i128[-shift];
            x = x < 0 ? -((-x + by / 2) / by) : (x + by / 2) / by;
        }
        if (overflow || x > limit || x < -limit) {
            fl_status st = reject(call, row, is_try, err);
            if (st != FL_OK)
                return st;
            x = 0;
        }
        if (wide)
            fl_ret_i128(call)[row] = x;
        else
            fl_ret_i64(call)[row] = (int64_t)x;
    }
    return FL_OK;
}

static void decimal_to_double(fl_call *call)
{
    const fl_vec *arg = &call->args[0];
    int32_t scale = arg->type.scale;
    double *ret = fl_ret_f64(call);
    if (arg->width == 8 && scale <= 18) { /* dividing by an exact power is right to the last bit up to 2^53 */
        double by = (double)fl_pow10_i64[scale];
        const int64_t *x = arg->data;
        uint64_t beyond = 0;
        for (int32_t row = 0; row < call->rows; row++) {
            ret[row] = (double)x[row] / by;
            beyond |= (uint64_t)(x[row] < 0 ? ~x[row] : x[row]);
        }
        if (beyond < 1ull << 53)
            return;
    }
    for (int32_t row = 0; row < call->rows; row++)
        ret[row] = fl_decimal_to_double(fl_vec_i128(arg, row), scale);
}

/* ---- everything else: a value at a time --------------------------------------------------------------------------- */

static void store(fl_vec *ret, int32_t row, const fl_value *v)
{
    void *data = (void *)(uintptr_t)ret->data;
    switch (ret->type.id) {
    case FL_BOOL:
        fl_bit_put(data, row, v->b);
        break;
    case FL_F32:
        ((float *)data)[row] = (float)v->f;
        break;
    case FL_F64:
        ((double *)data)[row] = v->f;
        break;
    case FL_DECIMAL:
        if (ret->width == 16)
            ((fl_i128 *)data)[row] = v->d;
        else
            ((int64_t *)data)[row] = (int64_t)v->d;
        break;
    case FL_UTF8:
    case FL_BINARY:
        ((fl_view *)data)[row] = fl_view_of(v->s.data, v->s.len);
        break;
    case FL_INTERVAL:
        ((fl_interval *)data)[row] = v->interval;
        break;
    default:
        memcpy((uint8_t *)data + (int64_t)row * ret->width, &v->i, ret->width);
    }
}

/* Whole numbers of at most 64 bits, without a value for each. */
static fl_status whole_to_text(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *arg = &call->args[0];
    fl_view *ret = fl_ret_view(call);
    char text[24];
    for (int32_t row = 0; row < call->rows; row++) {
        ret[row] = (fl_view){0};
        if (!wants(call, row) || !fl_vec_is_valid(arg, row))
            continue;
        int64_t i = fl_vec_row(arg, row), value = 0;
        const uint8_t *at = (const uint8_t *)arg->data + i * arg->width;
        switch (arg->type.id) {
        case FL_I8:
            value = *(const int8_t *)at;
            break;
        case FL_I16:
            value = *(const int16_t *)at;
            break;
        case FL_I32:
            value = *(const int32_t *)at;
            break;
        default:
            FL_ASSERT(arg->type.id == FL_I64);
            memcpy(&value, at, 8);
        }
        uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
        text[0] = '-';
        int32_t len = fl_u64_print(magnitude, text + (value < 0)) + (value < 0);
        char *room = text;
        if (len > FL_VIEW_INLINE_MAX) {
            FL_TRY(fl_call_room(call, len, &room, err));
            memcpy(room, text, (size_t)len);
        }
        ret[row] = fl_view_of(room, len);
    }
cleanup:
    return st;
}

static fl_status to_text(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, NULL);
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_value value;
        ret[row] = (fl_view){0};
        if (!wants(call, row))
            continue;
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], row, &value, err));
        if (value.is_null)
            continue;
        fl_text_clear(&text);
        fl_value_print(&text, &value);
        FL_TRY(fl_text_status(&text, err));
        char *room = NULL;
        if (text.len > FL_VIEW_INLINE_MAX) {
            FL_TRY(fl_call_room(call, text.len, &room, err));
            memcpy(room, text.data, (size_t)text.len);
        } else {
            room = text.data;
        }
        ret[row] = text.len == 0 ? (fl_view){0} : fl_view_of(room, text.len);
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

static int hex_digit(char c)
{
    c = fl_char_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* PostgreSQL's escape format: \\ is a backslash, \ooo a byte in octal digits. False: another backslash. */
static bool read_escapes(fl_str s, char *ret, int64_t *ret_len)
{
    int64_t n = 0;
    for (int64_t i = 0; i < s.len; i++) {
        const char *at = s.data + i;
        if (*at != '\\') {
            ret[n++] = *at;
        } else if (i + 1 < s.len && at[1] == '\\') {
            ret[n++] = '\\';
            i++;
        } else if (i + 3 < s.len && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' && at[3] >= '0' &&
                   at[3] <= '7') {
            ret[n++] = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            i += 3;
        } else {
            return false;
        }
    }
    *ret_len = n;
    return true;
}

static fl_status reject_binary(fl_call *call, int32_t row, bool is_try, fl_err *err, const char *state,
                               const char *message)
{
    fl_str s = fl_vec_str(&call->args[0], row);
    if (is_try) {
        fl_bit_clear(fl_call_valid(call), row);
        return FL_OK;
    }
    FL_FAIL(err, FL_ERR_VALUE, "%s: \"%.*s\"", message, (int)(s.len > 100 ? 100 : s.len), s.data);
    return fl_err_state(err, state, FL_ERR_VALUE);
}

/* '\x0a 0b' is hexadecimal, with or without blanks between the bytes; other text its bytes with escapes. */
static fl_status text_to_binary(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        ret[row] = (fl_view){0};
        if (!wants(call, row))
            continue;
        fl_str s = fl_vec_str(&call->args[0], row);
        char *room = NULL;
        int64_t n = 0;
        if (s.len < 2 || s.data[0] != '\\' || s.data[1] != 'x') {
            ret[row] = fl_arg_view(call, 0)[row];
            if (s.len == 0 || memchr(s.data, '\\', (size_t)s.len) == NULL)
                continue;
            FL_TRY(fl_call_room(call, s.len, &room, err));
            if (read_escapes(s, room, &n))
                ret[row] = fl_view_of(room, n);
            else
                FL_TRY(reject_binary(call, row, is_try, err, "22P02", "invalid escape in binary text"));
            continue;
        }
        FL_TRY(fl_call_room(call, s.len / 2 + 1, &room, err));
        bool is_hex = true;
        int64_t at = 2;
        while (at < s.len && is_hex) {
            if (strchr(" \t\n\r", s.data[at]) != NULL && s.data[at] != 0) {
                at++;
                continue;
            }
            if (at + 1 == s.len)
                break;
            int high = hex_digit(s.data[at]), low = hex_digit(s.data[at + 1]);
            is_hex = high >= 0 && low >= 0;
            room[n++] = (char)(high * 16 + low);
            at += 2;
        }
        if (!is_hex)
            FL_TRY(reject_binary(call, row, is_try, err, "22023", "invalid hexadecimal digit"));
        else if (at < s.len)
            FL_TRY(reject_binary(call, row, is_try, err, "22023", "odd number of hexadecimal digits"));
        else
            ret[row] = fl_view_of(room, n);
    }
cleanup:
    return st;
}

static fl_status by_value(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *own_valid = NULL;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_value value, out;
        if (!wants(call, row) || !fl_is_valid(call->ret->valid, row))
            continue;
        FL_TRY(fl_value_from_vec(NULL, &call->args[0], row, &value, err));
        st = fl_value_cast(&value, call->ret->type, &out, is_try ? NULL : err);
        if (st != FL_OK && is_try && st != FL_ERR_MEMORY) {
            fl_bit_clear(fl_call_valid(call), row);
            st = FL_OK;
            continue;
        }
        FL_TRY(st);
        if (out.is_null) { /* infinity has no time of day */
            if (own_valid == NULL)
                FL_TRY(fl_call_own_valid(call, &own_valid, err));
            fl_bit_clear(own_valid, row);
            continue;
        }
        store(call->ret, row, &out);
    }
cleanup:
    return st;
}

static fl_status list_to_list(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *arg = &call->args[0];
    fl_vec *child = NULL, flat;
    fl_type type = call->ret->type.fields[0].type;
    void *data = NULL;
    uint64_t *valid = NULL;
    int64_t rows = arg->child == NULL ? 0 : arg->child_rows; /* lists that are all null may come without elements */
    FL_TRY(FL_NEW(call->heap, &child, err));
    FL_TRY(fl_arena_get_zero(call->heap, rows * 16 + 64, &data, err));
    if (rows > 0)
        FL_TRY(fl_vec_flatten(call->heap, arg->child, rows, &flat, err));
    else
        fl_vec_set_flat(&flat, arg->type.fields[0].type, data, NULL);
    FL_TRY(fl_arena_get(call->heap, fl_bitmap_words(rows) * 8 + 8, (void **)&valid, err));
    fl_bitmap_fill(valid, rows, true);
    if (flat.valid != NULL)
        memcpy(valid, flat.valid, (size_t)fl_bitmap_words(rows) * 8);
    fl_vec_set_flat(child, type, data, valid);
    fl_call inner = {.rows = (int32_t)rows,
                     .n_args = 1,
                     .args = &flat,
                     .ret = child,
                     .mask = flat.valid,
                     .heap = call->heap,
                     .session = call->session};
    FL_TRY(fl_cast_run(&inner, is_try, err));
    if (call->rows > 0)
        memcpy((void *)(uintptr_t)call->ret->data, arg->data, (size_t)call->rows * sizeof(fl_list_entry));
    call->ret->child = child;
    call->ret->child_rows = rows;
    if (call->ret->type.extension == FL_MAP && rows > 0) /* keys may have become null or the same */
        st = fl_cast_check_keys(call, &child->child[0], is_try, err);
cleanup:
    return st;
}

static fl_status struct_to_struct(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *arg = &call->args[0];
    fl_vec *fields = NULL;
    int64_t rows = call->rows;
    FL_TRY(FL_NEW_ARRAY(call->heap, arg->type.n_fields + 1, &fields, err));
    for (int32_t i = 0; i < arg->type.n_fields; i++) {
        fl_vec flat;
        fl_type type = call->ret->type.fields[i].type;
        void *data = NULL;
        uint64_t *valid = NULL, *mask = NULL;
        fl_vec none; /* structs that are all null may come without fields */
        fl_vec_set_const(&none, arg->type.fields[i].type, NULL);
        FL_TRY(fl_vec_flatten(call->heap, arg->child != NULL ? &arg->child[i] : &none, rows, &flat, err));
        if (fl_type_is_equal(flat.type, type)) {
            fields[i] = flat;
            continue;
        }
        FL_TRY(fl_arena_get_zero(call->heap, rows * 16 + 64, &data, err));
        FL_TRY(fl_arena_get(call->heap, fl_bitmap_words(rows) * 8 + 8, (void **)&valid, err));
        FL_TRY(fl_arena_get(call->heap, fl_bitmap_words(rows) * 8 + 8, (void **)&mask, err));
        fl_bitmap_fill(valid, rows, true);
        if (flat.valid != NULL)
            memcpy(valid, flat.valid, (size_t)fl_bitmap_words(rows) * 8);
        for (int64_t w = 0; w < fl_bitmap_words(rows); w++)
            mask[w] = valid[w] & (call->mask == NULL ? ~0ull : call->mask[w]);
        fl_vec_set_flat(&fields[i], type, data, valid);
        fl_call inner = {.rows = (int32_t)rows,
                         .n_args = 1,
                         .args = &flat,
                         .ret = &fields[i],
                         .mask = mask,
                         .heap = call->heap,
                         .session = call->session};
        FL_TRY(fl_cast_run(&inner, is_try, err));
    }
    call->ret->child = fields;
    call->ret->child_rows = rows;
cleanup:
    return st;
}

/* Slots of nulls may wrap around. */
static int64_t midnight(int32_t days)
{
    return (int64_t)((uint64_t)days * (uint64_t)FL_US_PER_DAY);
}

void fl_cast_compared(fl_call *call)
{
    const int32_t *x = call->args[0].data;
    int64_t *ret = fl_ret_i64(call);
    uint8_t unit = call->ret->type.unit;
    FL_ASSERT(call->args[0].type.id == FL_DATE && fl_type_is_timestamp(call->ret->type) && unit != FL_NANO);
    if (unit == FL_MICRO) {
        for (int32_t row = 0; row < call->rows; row++)
            ret[row] = call->ret->has_bounds ? midnight(x[row]) : fl_date_to_us_beside(x[row]);
        return;
    }
    for (int32_t row = 0; row < call->rows; row++)
        ret[row] = fl_date_is_finite(x[row]) ? (int64_t)x[row] * (unit == FL_MILLI ? 86400000 : 86400)
                                             : fl_date_to_us_beside(x[row]);
}

fl_status fl_cast_run(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type from = call->args[0].type, to = call->ret->type;
    if (from.id == FL_NULL) {
        fl_vec_set_const(call->ret, to, NULL);
        return FL_OK;
    }
    if (from.extension != FL_PLAIN || to.extension != FL_PLAIN) {
        bool is_done;
        st = fl_cast_extension(call, is_try, &is_done, err);
        if (st != FL_OK || is_done)
            return st;
    }
    if (from.id == FL_LIST && to.id == FL_LIST)
        return list_to_list(call, is_try, err);
    if (from.id == FL_UTF8 && to.id == FL_LIST)
        return fl_cast_text_to_list(call, is_try, err);
    if (from.id == FL_UTF8 && to.id == FL_STRUCT)
        return fl_cast_text_to_struct(call, is_try, err);
    if (from.id == FL_STRUCT && to.id == FL_STRUCT)
        return struct_to_struct(call, is_try, err);
    if (widen(call))
        return FL_OK;
    if (fl_type_is_longer_time(from, to)) { /* only the type changes */
        call->ret->data = call->args[0].data;
        return FL_OK;
    }
    if (from.extension != FL_PLAIN || to.extension != FL_PLAIN)
        return fl_type_is_text(to) ? to_text(call, err) : by_value(call, is_try, err);
    if (to.id == FL_DECIMAL && (from.id == FL_DECIMAL || fl_type_is_integer(from)))
        return to_decimal(call, is_try, err);
    if (from.id == FL_DECIMAL && to.id == FL_F64) {
        decimal_to_double(call);
        return FL_OK;
    }
    if (from.id == FL_DATE && fl_type_is_timestamp(to) && to.unit == FL_MICRO) {
        const int32_t *x = call->args[0].data;
        int64_t *ret = fl_ret_i64(call);
        if (call->ret->has_bounds) { /* none is infinite or out of range */
            for (int32_t row = 0; row < call->rows; row++)
                ret[row] = midnight(x[row]);
            return FL_OK;
        }
        for (int32_t row = 0; row < call->rows; row++)
            if (FL_UNLIKELY(!fl_date_to_us(x[row], &ret[row])) && wants(call, row))
                FL_TRY(reject(call, row, is_try, err));
        return FL_OK;
    }
    if (to.id == FL_UTF8) {
        if (from.id == FL_I8 || from.id == FL_I16 || from.id == FL_I32 || from.id == FL_I64)
            return whole_to_text(call, err);
        if (from.id == FL_UTF8)
            memcpy((void *)(uintptr_t)call->ret->data, call->args[0].data, (size_t)call->rows * sizeof(fl_view));
        else
            return to_text(call, err);
        return FL_OK;
    }
    if (to.id == FL_BINARY)
        return text_to_binary(call, is_try, err);
    return by_value(call, is_try, err);
cleanup:
    return st;
}
