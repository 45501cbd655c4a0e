/* Scalar values: order, identity, text, casts. */
#include "arrow/value.h"

#include "base/date_words.h"
#include "base/datetime.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/time_zoned.h"
#include "base/utf8.h"
#include "base/uuid.h"

#include <math.h>

/* Months count 30 days and days 24 hours, as PostgreSQL compares. */
static fl_i128 interval_span(fl_interval v)
{
    return ((fl_i128)v.months * 30 + v.days) * 86400000000000LL + v.nanos;
}

int fl_value_compare(const fl_value *a, const fl_value *b)
{
    switch (a->type.id) {
    case FL_BOOL:
        return (int)a->b - (int)b->b;
    case FL_U64:
        return (a->u > b->u) - (a->u < b->u);
    case FL_F32:
    case FL_F64:
        return fl_double_compare(a->f, b->f);
    case FL_DECIMAL:
        return (a->d > b->d) - (a->d < b->d);
    case FL_UTF8:
    case FL_BINARY:
        return fl_str_compare(a->s, b->s);
    case FL_INTERVAL: {
        fl_i128 x = interval_span(a->interval), y = interval_span(b->interval);
        return (x > y) - (x < y);
    }
    case FL_LIST:
    case FL_STRUCT:
        for (int64_t i = 0; i < a->list.n && i < b->list.n; i++) {
            const fl_value *x = &a->list.items[i], *y = &b->list.items[i];
            int order = x->is_null || y->is_null ? (int)x->is_null - (int)y->is_null : fl_value_compare(x, y);
            if (order != 0)
                return order;
        }
        return (a->list.n > b->list.n) - (a->list.n < b->list.n);
    case FL_NULL:
        return 0;
    default:
        return (a->i > b->i) - (a->i < b->i);
    }
}

/* How many of the value make one of the coarsest: a unit of 10^0, or a day. */
static fl_i128 parts_of_whole(fl_type type)
{
    static const int64_t per_day[] = {[FL_MICRO] = FL_US_PER_DAY,
                                      [FL_SECOND] = FL_US_PER_DAY / 1000000,
                                      [FL_MILLI] = FL_US_PER_DAY / 1000,
                                      [FL_NANO] = FL_US_PER_DAY * 1000};
    if (type.id == FL_DECIMAL)
        return fl_pow10_i128[type.scale];
    return type.id == FL_DATE || fl_type_is_integer(type) ? 1 : per_day[type.unit];
}

/* -1 and 1 for dates and times that stand for infinity, else 0. */
static int infinity_of(fl_i128 value, fl_type type)
{
    int64_t end = type.id == FL_DATE ? INT32_MAX : INT64_MAX;
    if (type.id == FL_DECIMAL || fl_type_is_integer(type))
        return 0;
    return value == end ? 1 : value == -(fl_i128)end - 1 ? -1 : 0;
}

/* A coarse value beside a fine one, of which `factor` make one of it. */
static int compare_coarse(fl_i128 coarse, fl_i128 fine, fl_i128 factor)
{
    fl_i128 whole = fine / factor, rest = fine % factor;
    if (coarse != whole)
        return coarse < whole ? -1 : 1;
    return (rest < 0) - (rest > 0);
}

fl_i128 fl_value_scaled(const fl_value *v)
{
    return v->type.id == FL_DECIMAL ? v->d : v->type.id == FL_U64 ? (fl_i128)v->u : v->i;
}

int fl_value_compare_scaled(fl_i128 a, fl_type a_type, fl_i128 b, fl_type b_type)
{
    int a_infinity = infinity_of(a, a_type), b_infinity = infinity_of(b, b_type);
    if (a_infinity != 0 || b_infinity != 0)
        return (a_infinity > b_infinity) - (a_infinity < b_infinity);
    fl_i128 a_parts = parts_of_whole(a_type), b_parts = parts_of_whole(b_type);
    return a_parts <= b_parts ? compare_coarse(a, b, b_parts / a_parts) : -compare_coarse(b, a, a_parts / b_parts);
}

bool fl_value_is_same(const fl_value *a, const fl_value *b)
{
    if (!fl_type_is_equal(a->type, b->type) || a->is_null != b->is_null)
        return false;
    if (a->is_null)
        return true;
    if (fl_type_is_float(a->type)) /* -0 and 0 print differently */
        return fl_double_compare(a->f, b->f) == 0 && signbit(a->f) == signbit(b->f);
    if (a->type.id == FL_INTERVAL) /* 1 month and 30 days compare equal, but are not the same */
        return a->interval.months == b->interval.months && a->interval.days == b->interval.days &&
               a->interval.nanos == b->interval.nanos;
    if (fl_type_is_nested(a->type)) {
        bool same = a->list.n == b->list.n;
        for (int64_t i = 0; same && i < a->list.n; i++)
            same = fl_value_is_same(&a->list.items[i], &b->list.items[i]);
        return same;
    }
    return fl_value_compare(a, b) == 0;
}

/* `hash`: that of the type. */
static uint64_t hash_value(const fl_value *v, uint64_t hash)
{
    if (v->is_null)
        return fl_hash_combine(hash, 1);
    switch (v->type.id) {
    case FL_NULL:
        return hash;
    case FL_BOOL:
        return fl_hash_combine(hash, v->b + 2u);
    case FL_F32:
    case FL_F64: {
        uint64_t bits;
        double f = isnan(v->f) ? NAN : v->f;
        memcpy(&bits, &f, 8);
        return fl_hash_combine(hash, bits);
    }
    case FL_DECIMAL:
        return fl_hash_combine(fl_hash_combine(hash, (uint64_t)v->d), (uint64_t)(v->d >> 64));
    case FL_UTF8:
    case FL_BINARY:
        return fl_hash_combine(hash, fl_hash_bytes(v->s.data, v->s.len));
    case FL_INTERVAL:
        hash = fl_hash_combine(hash, (uint64_t)(uint32_t)v->interval.months << 32 | (uint32_t)v->interval.days);
        return fl_hash_combine(hash, (uint64_t)v->interval.nanos);
    case FL_LIST:
    case FL_STRUCT:
        for (int64_t i = 0; i < v->list.n; i++) {
            const fl_value *item = &v->list.items[i]; /* a nested one's type is in that of the whole */
            hash = fl_hash_combine(hash, hash_value(item, item->type.n_fields > 0 ? 0 : fl_type_hash(item->type)));
        }
        return hash;
    default:
        return fl_hash_combine(hash, (uint64_t)v->i);
    }
}

uint64_t fl_value_hash(const fl_value *v)
{
    return hash_value(v,
                      v->type.n_fields > 0 ? v->type.id : fl_type_hash(v->type)); /* a nested one's items have types */
}

/* With a type that was copied already. */
static fl_status copy_as(fl_arena *arena, const fl_value *value, fl_type type, fl_value *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = *value;
    ret->type = type;
    if (value->is_null)
        return FL_OK;
    if (fl_type_is_string(value->type))
        FL_TRY(fl_arena_copy_str(arena, value->s, &ret->s, err));
    if (fl_type_is_nested(value->type)) {
        fl_value *items = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, value->list.n + 1, &items, err));
        for (int64_t i = 0; i < value->list.n; i++) {
            const fl_value *item = &value->list.items[i];
            fl_type item_type = item->type;
            if (item_type.n_fields > 0) {
                item_type = type.fields[type.id == FL_LIST ? 0 : i].type;
                FL_ASSERT(item_type.id == item->type.id && item_type.n_fields == item->type.n_fields);
            }
            FL_TRY(copy_as(arena, item, item_type, &items[i], err));
        }
        ret->list.items = items;
    }
cleanup:
    return st;
}

fl_status fl_value_copy(fl_arena *arena, const fl_value *value, fl_value *ret, fl_err *err)
{
    fl_type type;
    fl_status st = fl_type_copy(arena, value->type, &type, err);
    return st != FL_OK ? st : copy_as(arena, value, type, ret, err);
}

fl_status fl_value_from_vec(fl_arena *arena, const fl_vec *vec, int64_t row, fl_value *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = (fl_value){.type = vec->type};
    if (vec->type.id == FL_NULL || !fl_vec_is_valid(vec, row)) {
        ret->is_null = true;
        return FL_OK;
    }
    int64_t i = fl_vec_row(vec, row);
    if (fl_type_is_string(vec->type)) {
        ret->s = fl_vec_str(vec, row);
        if (ret->s.len <= FL_VIEW_INLINE_MAX && arena != NULL) /* inline bytes lie in the vector itself, or in a copy */
            FL_TRY(fl_arena_copy_str(arena, ret->s, &ret->s, err));
        return FL_OK;
    }
    if (vec->layout == FL_DICT) {
        i = ((const uint32_t *)vec->data)[i];
        vec = vec->child;
    }
    switch (vec->type.id) {
    case FL_BOOL:
        ret->b = vec->layout == FL_CONST ? *(const uint8_t *)vec->data != 0 : fl_bit_get(vec->data, i);
        break;
    case FL_I8:
        ret->i = ((const int8_t *)vec->data)[i];
        break;
    case FL_I16:
        ret->i = ((const int16_t *)vec->data)[i];
        break;
    case FL_I32:
    case FL_DATE:
        ret->i = ((const int32_t *)vec->data)[i];
        break;
    case FL_U8:
        ret->i = ((const uint8_t *)vec->data)[i];
        break;
    case FL_U16:
        ret->i = ((const uint16_t *)vec->data)[i];
        break;
    case FL_U32:
        ret->i = ((const uint32_t *)vec->data)[i];
        break;
    case FL_F32:
        ret->f = (double)((const float *)vec->data)[i];
        break;
    case FL_F64:
        ret->f = ((const double *)vec->data)[i];
        break;
    case FL_DECIMAL:
        ret->d = vec->width == 16 ? ((const fl_i128 *)vec->data)[i] : ((const int64_t *)vec->data)[i];
        break;
    case FL_INTERVAL:
        ret->interval = ((const fl_interval *)vec->data)[i];
        break;
    case FL_LIST: {
        fl_list_entry entry = ((const fl_list_entry *)vec->data)[i];
        fl_value *items = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, entry.len + 1, &items, err));
        for (int32_t e = 0; e < entry.len; e++)
            FL_TRY(fl_value_from_vec(arena, vec->child, entry.start + e, &items[e], err));
        ret->list.items = items;
        ret->list.n = entry.len;
        break;
    }
    case FL_STRUCT: {
        fl_value *items = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, vec->type.n_fields + 1, &items, err));
        for (int32_t f = 0; f < vec->type.n_fields; f++)
            FL_TRY(fl_value_from_vec(arena, &vec->child[f], i, &items[f], err));
        ret->list.items = items;
        ret->list.n = vec->type.n_fields;
        break;
    }
    default:
        ret->i = ((const int64_t *)vec->data)[i];
    }
cleanup:
    return st;
}

static fl_status store(fl_arena *arena, const fl_value *v, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_i128 *slot = NULL;
    FL_TRY(fl_arena_get_zero(arena, 64, (void **)&slot, err));
    *ret = slot;
    switch (v->type.id) {
    case FL_BOOL:
        *(uint8_t *)slot = v->b;
        break;
    case FL_F32:
        *(float *)slot = (float)v->f;
        break;
    case FL_F64:
        *(double *)slot = v->f;
        break;
    case FL_DECIMAL:
        if (fl_type_width(v->type) == 16)
            *slot = v->d;
        else
            *(int64_t *)slot = (int64_t)v->d;
        break;
    case FL_UTF8:
    case FL_BINARY: {
        fl_str copy;
        FL_TRY(fl_arena_copy_str(arena, v->s, &copy, err));
        *(fl_view *)slot = fl_view_of(copy.data, copy.len);
        break;
    }
    case FL_INTERVAL:
        *(fl_interval *)slot = v->interval;
        break;
    default: /* little-endian: the low bytes come first at any width */
        *(int64_t *)slot = v->i;
    }
cleanup:
    return st;
}

/* The value of a row, or NULL. */
static const fl_value *value_at(const fl_value *const *values, int64_t i)
{
    return values[i] == NULL || values[i]->is_null ? NULL : values[i];
}

/* Whether a row has the very value of the row before it, as the rows have that a join makes of one row: then lists share their
 * elements. */
static bool is_as_before(const fl_value *const *values, int64_t i)
{
    return i > 0 && values[i] == values[i - 1];
}

fl_status fl_vec_from_values(fl_arena *arena, fl_type type, const fl_value *const *values, int64_t count, fl_vec *ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    uint8_t *data = NULL;
    fl_work work = fl_work_of(arena->memory);
    int32_t width = fl_type_width(type);
    FL_TRY(fl_arena_get_zero(arena, fl_bitmap_words(count) * 8 + 8, (void **)&valid, err));
    FL_TRY(fl_arena_get_zero(arena, count * (width > 0 ? width : 1) + 64, (void **)&data, err));
    for (int64_t i = 0; i < count; i++)
        if (value_at(values, i) != NULL)
            fl_bit_set(valid, i);
    fl_vec_set_flat(ret, type, data, valid);
    if (type.id == FL_STRUCT) {
        fl_vec *fields = NULL;
        const fl_value **inner = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, type.n_fields + 1, &fields, err));
        FL_TRY(FL_NEW_ARRAY(arena, count + 1, &inner, err));
        for (int32_t f = 0; f < type.n_fields; f++) {
            for (int64_t i = 0; i < count; i++) {
                const fl_value *v = value_at(values, i);
                inner[i] = v != NULL ? &v->list.items[f] : NULL;
            }
            FL_TRY(fl_vec_from_values(arena, type.fields[f].type, inner, count, &fields[f], err));
        }
        ret->child = fields;
        return FL_OK;
    }
    if (type.id == FL_LIST) {
        int64_t total = 0;
        const fl_value **inner = NULL;
        fl_vec *child = NULL;
        for (int64_t i = 0; i < count; i++) {
            const fl_value *v = value_at(values, i);
            total += v != NULL && !is_as_before(values, i) ? v->list.n : 0;
        }
        if (total > INT32_MAX)
            return FL_FAIL(err, FL_ERR_LIMIT, "lists would have more than 2,147,483,647 elements");
        FL_TRY(FL_NEW_ARRAY(arena, total + 1, &inner, err));
        FL_TRY(FL_NEW(arena, &child, err));
        total = 0;
        for (int64_t i = 0; i < count; i++) {
            const fl_value *v = value_at(values, i);
            if (v == NULL)
                continue;
            FL_TRY(fl_work_add(&work, 4 * v->list.n + 1, err));
            if (is_as_before(values, i)) {
                ((fl_list_entry *)data)[i] = ((fl_list_entry *)data)[i - 1];
                continue;
            }
            ((fl_list_entry *)data)[i] = (fl_list_entry){(int32_t)total, (int32_t)v->list.n};
            for (int64_t e = 0; e < v->list.n; e++)
                inner[total++] = &v->list.items[e];
        }
        FL_TRY(fl_vec_from_values(arena, type.fields[0].type, inner, total, child, err));
        ret->child = child;
        ret->child_rows = total;
        return FL_OK;
    }
    for (int64_t i = 0; i < count; i++) {
        const fl_value *v = value_at(values, i);
        FL_TRY(fl_work_add(&work, 8, err));
        if (v == NULL)
            continue;
        switch (type.id) {
        case FL_BOOL:
            fl_bit_put((uint64_t *)data, i, v->b);
            break;
        case FL_F32:
            ((float *)data)[i] = (float)v->f;
            break;
        case FL_F64:
            ((double *)data)[i] = v->f;
            break;
        case FL_DECIMAL:
            if (width == 16)
                ((fl_i128 *)data)[i] = v->d;
            else
                ((int64_t *)data)[i] = (int64_t)v->d;
            break;
        case FL_UTF8:
        case FL_BINARY:
            ((fl_view *)data)[i] = fl_view_of(v->s.data, v->s.len);
            break;
        case FL_INTERVAL:
            ((fl_interval *)data)[i] = v->interval;
            break;
        default:
            memcpy(data + i * width, &v->i, (size_t)width);
        }
    }
cleanup:
    return st;
}

/* A list's elements as a flat child vector. */
static fl_status list_child(fl_arena *arena, const fl_value *v, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_value **items = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, v->list.n + 1, &items, err));
    for (int64_t i = 0; i < v->list.n; i++)
        items[i] = &v->list.items[i];
    st = fl_vec_from_values(arena, v->type.fields[0].type, items, v->list.n, ret, err);
cleanup:
    return st;
}

fl_status fl_value_to_vec(fl_arena *arena, const fl_value *value, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    void *data = NULL;
    if (value->is_null || value->type.id == FL_NULL) {
        fl_vec_set_const(ret, value->type, NULL);
        return FL_OK;
    }
    if (value->type.id == FL_LIST) {
        fl_list_entry *entry = NULL;
        fl_vec *child = NULL;
        FL_TRY(FL_NEW(arena, &entry, err));
        FL_TRY(FL_NEW(arena, &child, err));
        FL_TRY(list_child(arena, value, child, err));
        entry->len = (int32_t)value->list.n;
        fl_vec_set_const(ret, value->type, entry);
        ret->child = child;
        ret->child_rows = value->list.n;
        return FL_OK;
    }
    if (value->type.id == FL_STRUCT) {
        fl_vec *fields = NULL;
        FL_TRY(FL_NEW_ARRAY(arena, value->list.n + 1, &fields, err));
        for (int64_t i = 0; i < value->list.n; i++)
            FL_TRY(fl_value_to_vec(arena, &value->list.items[i], &fields[i], err));
        fl_vec_set_const(ret, value->type, fields);
        ret->child = fields;
        return FL_OK;
    }
    FL_TRY(store(arena, value, &data, err));
    fl_vec_set_const(ret, value->type, data);
cleanup:
    return st;
}

/* Infinity has no unit; what is out of range becomes infinity. */
static int64_t to_micros(int64_t value, uint8_t unit)
{
    int64_t micros = value;
    if (!fl_timestamp_is_finite(value))
        return value;
    if (unit == FL_NANO)
        return fl_floor_div(value, 1000);
    if (unit != FL_MICRO && __builtin_mul_overflow(value, unit == FL_SECOND ? 1000000LL : 1000LL, &micros))
        return value < 0 ? INT64_MIN : INT64_MAX;
    return micros;
}

/* (1,"a b",): nulls are empty, what could be misread is quoted; PostgreSQL 15, section 8.16.6. */
static void print_row(fl_text *text, const fl_value *v)
{
    fl_text one;
    fl_text_init(&one, text->memory);
    for (int64_t i = 0; i < v->list.n; i++) {
        const fl_value *item = &v->list.items[i];
        fl_text_add_char(text, i == 0 ? '(' : ',');
        if (item->is_null)
            continue;
        if (item->type.id == FL_BOOL) {
            fl_text_add_char(text, item->b ? 't' : 'f');
            continue;
        }
        fl_text_clear(&one);
        fl_value_print(&one, item);
        bool is_quoted = one.len == 0;
        for (int64_t k = 0; k < one.len && !is_quoted; k++)
            is_quoted = strchr("\"\\(), \t\n\v\f\r", one.data[k]) != NULL;
        if (is_quoted)
            fl_text_add_char(text, '"');
        for (int64_t k = 0; k < one.len; k++) {
            if (one.data[k] == '"' || one.data[k] == '\\')
                fl_text_add_char(text, one.data[k]);
            fl_text_add_char(text, one.data[k]);
        }
        if (is_quoted)
            fl_text_add_char(text, '"');
    }
    fl_text_add_char(text, ')');
    if (one.st != FL_OK)
        text->st = one.st;
    fl_text_drop(&one);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void add_quoted(fl_text *text, fl_str x)
{
    fl_text_add_char(text, '\'');
    for (int64_t i = 0; i < x.len; i++) {
        if (x.data[i] == '\'' || x.data[i] == '\\')
            fl_text_add_char(text, '\\');
        fl_text_add_char(text, x.data[i]);
    }
    fl_text_add_char(text, '\'');
}

/* Whether a text among others, without quotes, would be read as another, or as more than one (DuckDB's rule). */
static bool needs_quotes(fl_str x)
{
    if (x.len == 0 || is_blank(x.data[0]) || is_blank(x.data[x.len - 1]) || fl_str_is_equal_nocase(x, FL_STR("NULL")))
        return true;
    for (int64_t i = 0; i < x.len; i++)
        if (x.data[i] != 0 && strchr("'\"\\[]{}():=,", x.data[i]) != NULL)
            return true;
    return false;
}

/* A list's element or a struct's field. */
static void print_item(fl_text *text, const fl_value *item)
{
    fl_text one;
    if (item->is_null || fl_type_is_nested(item->type) || fl_type_is_numeric(item->type)) {
        fl_value_print(text, item);
        return;
    }
    fl_text_init(&one, text->memory);
    fl_value_print(&one, item);
    if (needs_quotes(fl_text_str(&one)))
        add_quoted(text, fl_text_str(&one));
    else
        fl_text_add(text, fl_text_str(&one));
    if (one.st != FL_OK)
        text->st = one.st;
    fl_text_drop(&one);
}

/* {a=1, b=2}, as DuckDB prints maps. */
static void print_map(fl_text *text, const fl_value *v)
{
    fl_text_add_char(text, '{');
    for (int64_t i = 0; i < v->list.n; i++) {
        const fl_value *entry = v->list.items[i].list.items;
        if (i > 0)
            fl_text_add(text, FL_STR(", "));
        print_item(text, &entry[0]);
        fl_text_add_char(text, '=');
        print_item(text, &entry[1]);
    }
    fl_text_add_char(text, '}');
}

/* A value of a type over another one, as text. */
static void print_extension(fl_text *text, const fl_value *v)
{
    char buffer[64];
    int32_t len = FL_UUID_TEXT;
    switch ((fl_extension)v->type.extension) {
    case FL_ENUM:
        FL_ASSERT(v->i >= 0 && v->i < v->type.n_fields);
        fl_text_add(text, v->type.fields[v->i].name);
        return;
    case FL_MAP:
        print_map(text, v);
        return;
    case FL_UUID:
        fl_uuid_print(v->d, buffer);
        break;
    case FL_TIMETZ:
        len = fl_time_zoned_print(v->i, buffer);
        break;
    default:
        fl_text_add(text, v->s);
        return;
    }
    fl_text_add(text, (fl_str){buffer, len});
}

void fl_value_print(fl_text *text, const fl_value *v)
{
    char buffer[128];
    int32_t len = 0;
    if (v->is_null) {
        fl_text_add(text, FL_STR("NULL"));
        return;
    }
    if (v->type.extension != FL_PLAIN) {
        print_extension(text, v);
        return;
    }
    switch (v->type.id) {
    case FL_NULL:
        fl_text_add(text, FL_STR("NULL"));
        return;
    case FL_BOOL:
        fl_text_add(text, v->b ? FL_STR("true") : FL_STR("false"));
        return;
    case FL_U64:
        len = fl_u64_print(v->u, buffer);
        break;
    case FL_F32:
        len = fl_float_print((float)v->f, buffer);
        break;
    case FL_F64:
        len = fl_double_print(v->f, buffer);
        break;
    case FL_DECIMAL:
        len = fl_decimal_print(v->d, v->type.scale, buffer);
        break;
    case FL_UTF8:
        fl_text_add(text, v->s);
        return;
    case FL_BINARY:
        fl_text_add(text, FL_STR("\\x"));
        for (int64_t i = 0; i < v->s.len; i++)
            fl_text_addf(text, "%02x", (uint8_t)v->s.data[i]);
        return;
    case FL_DATE:
        len = fl_date_print((int32_t)v->i, buffer);
        break;
    case FL_TIME:
        len = fl_time_print(v->i, buffer);
        break;
    case FL_TIMESTAMP:
    case FL_TIMESTAMPTZ:
        if (v->type.unit == FL_NANO)
            len = fl_timestamp_print_ns(v->i, v->type.id == FL_TIMESTAMPTZ, buffer);
        else
            len = fl_timestamp_print(to_micros(v->i, v->type.unit), v->type.id == FL_TIMESTAMPTZ, buffer);
        break;
    case FL_INTERVAL:
        len = fl_interval_print(v->interval.months, v->interval.days, v->interval.nanos, buffer);
        break;
    case FL_LIST:
    case FL_STRUCT:
        if (fl_type_is_row(v->type)) {
            print_row(text, v);
            return;
        }
        fl_text_add_char(text, v->type.id == FL_LIST ? '[' : '{');
        for (int64_t i = 0; i < v->list.n; i++) {
            if (i > 0)
                fl_text_add(text, FL_STR(", "));
            if (v->type.id == FL_STRUCT) {
                add_quoted(text, v->type.fields[i].name);
                fl_text_add(text, FL_STR(": "));
            }
            print_item(text, &v->list.items[i]);
        }
        fl_text_add_char(text, v->type.id == FL_LIST ? ']' : '}');
        return;
    default:
        len = fl_i128_print(v->i, buffer);
    }
    fl_text_add(text, (fl_str){buffer, len});
}

void fl_value_print_sql(fl_text *text, const fl_value *v)
{
    bool quoted = !v->is_null && (fl_type_is_string(v->type) || v->type.id == FL_DATE || v->type.id == FL_TIME ||
                                  fl_type_is_timestamp(v->type) || v->type.id == FL_INTERVAL ||
                                  (v->type.extension != FL_PLAIN && v->type.extension != FL_MAP));
    if (quoted && !fl_type_is_text(v->type)) {
        fl_type_print(text, v->type);
        fl_text_add_char(text, ' ');
    }
    if (!quoted) {
        fl_value_print(text, v);
        return;
    }
    fl_text inner;
    fl_text_init(&inner, text->memory);
    fl_value_print(&inner, v);
    fl_text_add_char(text, '\'');
    for (int64_t i = 0; i < inner.len; i++) {
        if (inner.data[i] == '\'')
            fl_text_add_char(text, '\'');
        fl_text_add_char(text, inner.data[i]);
    }
    fl_text_add_char(text, '\'');
    if (inner.st != FL_OK)
        text->st = inner.st;
    fl_text_drop(&inner);
}

static fl_status fail_text(fl_type type, fl_str text, int rc, fl_err *err)
{
    bool is_time = type.id == FL_DATE || type.id == FL_TIME || fl_type_is_timestamp(type) || type.id == FL_INTERVAL ||
                   type.extension == FL_TIMETZ;
    fl_str shown = {text.data, text.len > 200 ? 200 : text.len};
    if (rc == 3)
        return fl_err_state(
            err, "22023",
            FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" names a time zone that is not known", FL_STR_ARG(shown)));
    if (rc == 2 && is_time) {
        FL_FAIL(err, FL_ERR_VALUE, "%s field value out of range: \"%.*s\"", FL_TYPE_NAME(type), FL_STR_ARG(shown));
        return fl_err_state(err, "22008", FL_ERR_VALUE);
    }
    if (rc == 2)
        return FL_FAIL(err, FL_ERR_RANGE, "value \"%.*s\" is out of range for type %s", FL_STR_ARG(shown),
                       FL_TYPE_NAME(type));
    FL_FAIL(err, FL_ERR_VALUE, "invalid input for type %s: \"%.*s\"", FL_TYPE_NAME(type), FL_STR_ARG(shown));
    fl_err_hint(err, "TRY_CAST gives NULL instead of an error");
    return is_time ? fl_err_state(err, "22007", FL_ERR_VALUE) : FL_ERR_VALUE;
}

static bool parse_bool(fl_str text, bool *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"t", true},  {"true", true},   {"yes", true}, {"y", true},  {"on", true},   {"1", true},
                 {"f", false}, {"false", false}, {"no", false}, {"n", false}, {"off", false}, {"0", false}};
    while (text.len > 0 && text.data[0] == ' ')
        text = (fl_str){text.data + 1, text.len - 1};
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    for (int64_t i = 0; i < FL_LEN(words); i++)
        if (fl_str_is_equal_nocase(text, fl_str_of(words[i].word))) {
            *ret = words[i].value;
            return true;
        }
    return false;
}

/* A timestamp in the unit and digits of another type. 0, or 2: out of range. Infinity has no unit. */
static int change_unit(int64_t value, uint8_t unit, fl_type to, int64_t *ret)
{
    int32_t from_digits = fl_type_time_digits((fl_type){.id = to.id, .unit = unit}),
            to_digits = fl_type_time_digits(to);
    int32_t unit_digits = to_digits + to.scale;
    *ret = value;
    if (!fl_timestamp_is_finite(value) || (unit == to.unit && to.scale == 0))
        return 0;
    if (to_digits >= from_digits)
        return __builtin_mul_overflow(value, fl_pow10_i64[unit_digits - from_digits], ret) ||
                       !fl_timestamp_is_finite(*ret)
                   ? 2
                   : 0;
    *ret = fl_timestamp_pieces(value, fl_pow10_i64[from_digits], fl_pow10_i64[from_digits - to_digits]) *
           fl_pow10_i64[to.scale];
    return 0;
}

/* Rounds a time or interval to the digits that its type has. */
static void round_time(fl_value *v)
{
    int64_t piece = fl_pow10_i64[v->type.scale];
    if (v->type.scale == 0 || v->is_null)
        return;
    if (v->type.id == FL_TIME) {
        v->i = (v->i + piece / 2) / piece * piece;
    } else if (v->type.id == FL_INTERVAL) {
        int64_t nanos = v->interval.nanos, rest = nanos % piece; /* halves away from zero, but where nothing is there */
        int64_t step = rest >= piece / 2 ? piece - rest : rest <= -(piece / 2) ? -piece - rest : -rest;
        if (__builtin_add_overflow(nanos, step, &v->interval.nanos))
            v->interval.nanos = nanos - rest;
    }
}

/* The place of a name among an enum's. */
static fl_status enum_from_text(fl_type type, fl_str text, int64_t *ret, fl_err *err)
{
    for (int32_t i = 0; i < type.n_fields; i++)
        if (fl_str_is_equal(type.fields[i].name, text)) {
            *ret = i;
            return FL_OK;
        }
    FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no value of %s", (int)(text.len > 100 ? 100 : text.len), text.data,
            FL_TYPE_NAME(type));
    if (err != NULL) {
        fl_nearest nearest;
        fl_nearest_init(&nearest, text);
        for (int32_t i = 0; i < type.n_fields; i++)
            fl_nearest_offer(&nearest, type.fields[i].name);
        fl_nearest_hint(&nearest, err);
    }
    return fl_err_state(err, "22P02", FL_ERR_VALUE);
}

static fl_status extension_from_text(fl_type type, fl_str text, fl_value *ret, fl_err *err)
{
    fl_value v = {.type = type};
    int rc = 0;
    switch ((fl_extension)type.extension) {
    case FL_ENUM: {
        fl_status st = enum_from_text(type, text, &v.i, err);
        if (st != FL_OK)
            return st;
        break;
    }
    case FL_UUID:
        rc = fl_uuid_parse(text, &v.d) ? 0 : 1;
        break;
    case FL_TIMETZ:
        rc = fl_time_zoned_parse(text, &v.i);
        break;
    case FL_BIT:
        for (int64_t i = 0; i < text.len && rc == 0; i++)
            rc = text.data[i] == '0' || text.data[i] == '1' ? 0 : 1;
        v.s = text;
        break;
    default: /* needs room to be looked at: the cast kernel's business */
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "text cannot be read as %s here", FL_TYPE_NAME(type));
    }
    if (rc != 0)
        return fail_text(type, text, rc, err);
    *ret = v;
    return FL_OK;
}

fl_status fl_value_from_text(fl_type type, fl_str text, fl_value *ret, fl_err *err)
{
    fl_value v = {.type = type};
    int rc = 0;
    if (type.extension != FL_PLAIN)
        return extension_from_text(type, text, ret, err);
    switch (type.id) {
    case FL_UTF8:
        v.s = text;
        break;
    case FL_BINARY: /* what is escaped needs room for its bytes: the cast kernel's business */
        if (text.len > 0 && memchr(text.data, '\\', (size_t)text.len) != NULL)
            return FL_FAIL(err, FL_ERR_UNSUPPORTED, "escaped text cannot be read as binary here");
        v.s = text;
        break;
    case FL_BOOL:
        rc = parse_bool(text, &v.b) ? 0 : 1;
        break;
    case FL_U64:
        rc = fl_u64_parse(text, &v.u);
        break;
    case FL_F64:
        rc = fl_double_parse(text, &v.f);
        break;
    case FL_F32:
        rc = fl_double_parse(text, &v.f);
        if (rc == 0 && isfinite(v.f) && (fabs(v.f) > 3.4028235677973366e38 || (v.f != 0 && (float)v.f == 0)))
            rc = 2;
        v.f = (double)(float)v.f;
        break;
    case FL_DECIMAL:
        rc = fl_decimal_parse(text, type.precision, type.scale, &v.d);
        break;
    case FL_DATE: {
        int32_t days = 0;
        rc = fl_date_parse_words(text, &days);
        v.i = days;
        break;
    }
    case FL_TIME:
        rc = fl_time_parse_words(text, &v.i);
        break;
    case FL_TIMESTAMP:
    case FL_TIMESTAMPTZ: {
        bool zoned, *ret_zoned = type.id == FL_TIMESTAMPTZ ? &zoned : NULL;
        rc = fl_timestamp_parse_words(text, type.unit == FL_NANO, &v.i, ret_zoned);
        if (rc == 0)
            rc = change_unit(v.i, type.unit == FL_NANO ? FL_NANO : FL_MICRO, type, &v.i);
        break;
    }
    case FL_INTERVAL:
        rc = fl_interval_parse(text, &v.interval.months, &v.interval.days, &v.interval.nanos);
        break;
    case FL_LIST:
    case FL_STRUCT:
    case FL_NULL:
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "text cannot be cast to %s yet", FL_TYPE_NAME(type));
    default:
        rc = fl_i64_parse(text, &v.i);
        if (rc == 0 && (v.i < fl_type_int_min(type) || v.i > fl_type_int_max(type)))
            rc = 2;
    }
    if (rc != 0)
        return fail_text(type, text, rc, err);
    if (type.id == FL_TIME || type.id == FL_INTERVAL)
        round_time(&v);
    *ret = v;
    return FL_OK;
}

static fl_status fail_range(const fl_value *value, fl_type type, fl_err *err)
{
    bool is_time = value->type.id == FL_DATE || fl_type_is_timestamp(value->type);
    fl_text text;
    fl_text_init(&text, NULL);
    fl_value_print(&text, value);
    fl_status st = FL_FAIL(err, FL_ERR_RANGE, "value %s of type %s is out of range for type %s",
                           text.data == NULL ? "" : text.data, FL_TYPE_NAME(value->type), FL_TYPE_NAME(type));
    fl_text_drop(&text);
    return is_time ? fl_err_state(err, "22008", st) : st;
}

/* Rounds half away from zero. */
static fl_i128 divide_rounded(fl_i128 value, fl_i128 by)
{
    fl_i128 half = by / 2;
    return value < 0 ? -((-value + half) / by) : (value + half) / by;
}

static fl_status cast_to_integer(const fl_value *value, fl_type type, fl_value *ret, fl_err *err)
{
    fl_i128 whole = 0;
    fl_type from = value->type;
    if (fl_type_is_float(from)) {
        double rounded = nearbyint(value->f); /* to even, as PostgreSQL casts doubles */
        if (!(rounded >= -9.3e18 && rounded <= 1.9e19))
            return fail_range(value, type, err);
        whole = (fl_i128)rounded;
    } else if (from.id == FL_DECIMAL) {
        whole = divide_rounded(value->d, fl_pow10_i128[from.scale]);
    } else if (from.id == FL_BOOL) {
        whole = value->b;
    } else {
        whole = from.id == FL_U64 ? (fl_i128)value->u : value->i;
    }
    if (whole < fl_type_int_min(type) || whole > fl_type_int_max(type))
        return fail_range(value, type, err);
    if (type.id == FL_U64)
        ret->u = (uint64_t)whole;
    else
        ret->i = (int64_t)whole;
    return FL_OK;
}

static fl_status cast_to_decimal(const fl_value *value, fl_type type, fl_value *ret, fl_err *err)
{
    fl_type from = value->type;
    fl_i128 d = 0;
    if (fl_type_is_float(from)) {
        char text[32];
        int32_t len = fl_double_print(value->f, text);
        int rc = isfinite(value->f) ? fl_decimal_parse((fl_str){text, len}, type.precision, type.scale, &d) : 2;
        if (rc != 0)
            return fail_range(value, type, err);
    } else {
        int32_t scale = from.id == FL_DECIMAL ? from.scale : 0;
        d = from.id == FL_DECIMAL ? value->d
            : from.id == FL_U64   ? (fl_i128)value->u
            : from.id == FL_BOOL  ? value->b
                                  : value->i;
        if (type.scale < scale)
            d = divide_rounded(d, fl_pow10_i128[scale - type.scale]);
        else if (__builtin_mul_overflow(d, fl_pow10_i128[type.scale - scale], &d))
            return fail_range(value, type, err);
        fl_i128 limit = type.precision == 38 ? fl_pow10_i128[37] * 10 - 1 : fl_pow10_i128[type.precision] - 1;
        if (d > limit || d < -limit)
            return fail_range(value, type, err);
    }
    ret->d = d;
    return FL_OK;
}

/* Enums by name, times with an offset and without; the offset of a time that has none is UTC's. */
static fl_status cast_extension(const fl_value *value, fl_type type, fl_value *ret, fl_err *err)
{
    fl_type from = value->type;
    if (from.extension == FL_ENUM && type.extension == FL_ENUM)
        return enum_from_text(type, from.fields[value->i].name, &ret->i, err);
    if (from.extension == FL_TIMETZ && type.id == FL_TIME) {
        ret->i = fl_time_zoned_local(value->i);
        round_time(ret);
        return FL_OK;
    }
    if (type.extension == FL_TIMETZ && from.id == FL_TIME) {
        ret->i = fl_time_zoned_of(value->i, 0);
        return FL_OK;
    }
    if (type.extension == FL_TIMETZ && from.id == FL_TIMESTAMPTZ) {
        ret->is_null = !fl_timestamp_is_finite(value->i); /* infinity has no time of day */
        if (!ret->is_null)
            ret->i = fl_time_zoned_of(fl_floor_mod(to_micros(value->i, from.unit), FL_US_PER_DAY), 0);
        return FL_OK;
    }
    return FL_FAIL(err, FL_ERR_UNSUPPORTED, "cannot cast %s to %s here", FL_TYPE_NAME(from), FL_TYPE_NAME(type));
}

static fl_status cast_time(const fl_value *value, fl_type type, fl_value *ret, fl_err *err)
{
    fl_type from = value->type;
    int rc = 0;
    if (from.id == FL_DATE && fl_type_is_timestamp(type)) {
        int64_t us = 0;
        rc = fl_date_to_us((int32_t)value->i, &us) ? change_unit(us, FL_MICRO, type, &ret->i) : 2;
    } else if (fl_type_is_timestamp(from) && fl_type_is_timestamp(type)) {
        rc = change_unit(value->i, from.unit, type, &ret->i);
    } else if (from.id == type.id && from.id == FL_TIME) {
        ret->i = value->i;
    } else if (from.id == type.id && from.id == FL_INTERVAL) {
        ret->interval = value->interval;
    } else if (fl_type_is_timestamp(from) && type.id == FL_DATE) {
        ret->i = fl_date_of_us(to_micros(value->i, from.unit));
    } else if (fl_type_is_timestamp(from) && type.id == FL_TIME && !fl_timestamp_is_finite(value->i)) {
        ret->is_null = true; /* as PostgreSQL has it */
    } else if (fl_type_is_timestamp(from) && type.id == FL_TIME) {
        int64_t us = to_micros(value->i, from.unit);
        ret->i = fl_floor_mod(us, FL_US_PER_DAY);
        if (from.unit == FL_NANO) /* halves up, as a time's text */
            ret->i += fl_floor_mod(value->i, 1000) >= 500;
    } else if (from.id == FL_TIME && type.id == FL_INTERVAL) {
        ret->interval = (fl_interval){0, 0, value->i * 1000};
    } else if (from.id == FL_INTERVAL && type.id == FL_TIME) {
        int64_t us = fl_floor_div(value->interval.nanos, 1000);
        ret->i = fl_floor_mod(us, FL_US_PER_DAY);
    } else {
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "cannot cast %s to %s", FL_TYPE_NAME(from), FL_TYPE_NAME(type));
    }
    if (rc != 0)
        return fail_range(value, type, err);
    if (type.id == FL_TIME || type.id == FL_INTERVAL)
        round_time(ret);
    return FL_OK;
}

fl_status fl_value_cast(const fl_value *value, fl_type type, fl_value *ret, fl_err *err)
{
    fl_value out = {.type = type};
    fl_type from = value->type;
    fl_status st = FL_OK;
    if (value->is_null || from.id == FL_NULL) {
        out.is_null = true;
    } else if (fl_type_is_equal(from, type)) {
        out = *value;
    } else if (fl_type_is_text(from)) {
        st = fl_value_from_text(type, value->s, &out, err);
    } else if (from.extension != FL_PLAIN || type.extension != FL_PLAIN) {
        st = cast_extension(value, type, &out, err);
    } else if (fl_type_is_integer(type) && (fl_type_is_numeric(from) || from.id == FL_BOOL)) {
        st = cast_to_integer(value, type, &out, err);
    } else if (type.id == FL_DECIMAL && (fl_type_is_numeric(from) || from.id == FL_BOOL)) {
        st = cast_to_decimal(value, type, &out, err);
    } else if (fl_type_is_float(type) && (fl_type_is_numeric(from) || from.id == FL_BOOL)) {
        fl_value_to_double(value, &out.f);
        if (type.id == FL_F32 && isfinite(out.f) && fabs(out.f) > 3.4028235677973366e38)
            st = fail_range(value, type, err);
        if (type.id == FL_F32)
            out.f = (double)(float)out.f;
    } else if (type.id == FL_BOOL && fl_type_is_numeric(from)) {
        out.b = fl_type_is_float(from) ? value->f != 0 : from.id == FL_DECIMAL ? value->d != 0 : value->i != 0;
    } else if (type.id == FL_BINARY || type.id == FL_UTF8 || fl_type_is_nested(type) || fl_type_is_nested(from)) {
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "cannot cast %s to %s here", FL_TYPE_NAME(from), FL_TYPE_NAME(type));
    } else {
        st = cast_time(value, type, &out, err);
    }
    if (st == FL_OK)
        *ret = out;
    return st;
}

bool fl_value_to_double(const fl_value *v, double *ret)
{
    if (v->is_null)
        return false;
    switch (v->type.id) {
    case FL_BOOL:
        *ret = v->b;
        return true;
    case FL_U64:
        *ret = (double)v->u;
        return true;
    case FL_F32:
    case FL_F64:
        *ret = v->f;
        return true;
    case FL_DECIMAL:
        *ret = fl_decimal_to_double(v->d, v->type.scale);
        return true;
    case FL_UTF8:
    case FL_BINARY: {
        double value = 0, scale = 1;
        for (int64_t i = 0; i < 8; i++, scale /= 256)
            value += (i < v->s.len ? (double)(uint8_t)v->s.data[i] : 0) * scale;
        *ret = value;
        return true;
    }
    case FL_INTERVAL:
        *ret = (double)interval_span(v->interval);
        return true;
    case FL_NULL:
    case FL_LIST:
    case FL_STRUCT:
        return false;
    default:
        *ret = (double)v->i;
        return true;
    }
}
