/* Parquet's VARIANT, values that carry their types with them, as JSON.
 *
 *     metadata   header  number of names  offsets  names
 *     value      header (2 bits: primitive, short text, object, array; 6 bits: more of it)  what the kind has
 *
 * A value may be made so that its parts overlap, and be far longer as text than it is as bytes. Honest values have each byte once: what
 * was read is counted, and when that is more than there is, the value is broken. */
#include "format/parquet/variant.h"

#include "base/interrupt.h"
#include "base/utf8.h"
#include "base/uuid.h"

#include <math.h>

#define VARIANT_VERSION 1
#define VARIANT_DEPTH_MAX 250

enum { BASIC_PRIMITIVE, BASIC_SHORT_TEXT, BASIC_OBJECT, BASIC_ARRAY };

typedef enum physical {
    PRIMITIVE_NULL,
    PRIMITIVE_TRUE,
    PRIMITIVE_FALSE,
    PRIMITIVE_I8,
    PRIMITIVE_I16,
    PRIMITIVE_I32,
    PRIMITIVE_I64,
    PRIMITIVE_DOUBLE,
    PRIMITIVE_DECIMAL4,
    PRIMITIVE_DECIMAL8,
    PRIMITIVE_DECIMAL16,
    PRIMITIVE_DATE,
    PRIMITIVE_STAMP_ZONED,
    PRIMITIVE_STAMP,
    PRIMITIVE_FLOAT,
    PRIMITIVE_BINARY,
    PRIMITIVE_TEXT,
    PRIMITIVE_TIME,
    PRIMITIVE_NANO_STAMP_ZONED,
    PRIMITIVE_NANO_STAMP,
    PRIMITIVE_UUID,
    PRIMITIVE_COUNT
} physical;

typedef struct bytes {
    const uint8_t *at;
    int64_t n;
} bytes;

typedef struct printer {
    fl_text *text;
    fl_text *printed; /* a value before it is put in quotes */
    fl_arena *arena;
    fl_work work;
    const char *wrong;
    /* the row's names */
    bytes offsets, names;
    int64_t n_names;
    int32_t offset_width;
    int64_t left; /* bytes of the value that may yet be read */
    int32_t depth;
} printer;

/* Holds a place of a shredded value: a struct of `value` and `typed_value`, either of which may not be there. */
typedef struct shreds {
    const fl_vec *value, *typed;
    int64_t slot;
} shreds;

static fl_status fail(printer *p, const char *wrong)
{
    p->wrong = wrong;
    return FL_OK;
}

static uint64_t load(const uint8_t *at, int32_t width)
{
    uint64_t value = 0;
    for (int32_t i = 0; i < width; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static int64_t load_signed(const uint8_t *at, int32_t width)
{
    return (int64_t)(load(at, width) << (64 - 8 * width)) >> (64 - 8 * width);
}

/* ---- the schema ---------------------------------------------------------------------------------------------------- */

static const fl_pq_node *child_of(const fl_pq_node *group, fl_str name)
{
    for (int32_t i = 0; i < group->n_children; i++)
        if (fl_str_is_equal(group->type.fields[i].name, name))
            return &group->children[i];
    return NULL;
}

static bool is_binary(const fl_pq_node *node)
{
    return node != NULL && node->kind == FL_PQ_LEAF && node->type.id == FL_BINARY;
}

static const char *fault_of_shreds(const fl_pq_node *group)
{
    if (group->kind != FL_PQ_STRUCT)
        return "a shredded part of it is no group of value and typed_value";
    const fl_pq_node *value = child_of(group, FL_STR("value")), *typed = child_of(group, FL_STR("typed_value"));
    if (value == NULL && typed == NULL)
        return "a part of it has neither value nor typed_value";
    if (value != NULL && !is_binary(value))
        return "a value of it is not binary";
    if (typed == NULL || typed->kind == FL_PQ_LEAF)
        return NULL;
    if (typed->kind == FL_PQ_LIST && typed->type.extension != FL_MAP)
        return fault_of_shreds(&typed->children[0]);
    if (typed->kind != FL_PQ_STRUCT)
        return "a typed_value of it is none of a scalar, a list and a group";
    for (int32_t i = 0; i < typed->n_children; i++) {
        const char *fault = fault_of_shreds(&typed->children[i]);
        if (fault != NULL)
            return fault;
    }
    return NULL;
}

const char *fl_pq_variant_fault(const fl_pq_node *group)
{
    FL_ASSERT(group->kind == FL_PQ_STRUCT);
    if (!is_binary(child_of(group, FL_STR("metadata"))))
        return "it has no binary metadata";
    return fault_of_shreds(group);
}

/* ---- scalars ------------------------------------------------------------------------------------------------------- */

/* Bytes as base64, in quotes. */
static void add_base64(fl_text *text, fl_str data)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    fl_text_add_char(text, '"');
    for (int64_t i = 0; i < data.len; i += 3) {
        uint32_t bits = 0;
        int64_t left = data.len - i < 3 ? data.len - i : 3;
        for (int64_t b = 0; b < left; b++)
            bits |= (uint32_t)(uint8_t)data.data[i + b] << (16 - 8 * b);
        for (int64_t d = 0; d < 4; d++)
            fl_text_add_char(text, d <= left ? digits[bits >> (18 - 6 * d) & 63] : '=');
    }
    fl_text_add_char(text, '"');
}

/* Numbers as they are printed, a floating one with a point or an exponent; those that JSON has not and all else in quotes. */
static fl_status add_scalar(printer *p, const fl_value *value, fl_err *err)
{
    fl_type type = value->type;
    fl_text_clear(p->printed);
    if (type.id == FL_UTF8) {
        if (!fl_utf8_is_valid(value->s.data, value->s.len))
            return fail(p, "a text of it is not UTF-8");
        fl_text_add_json(p->text, value->s);
        return FL_OK;
    }
    if (type.id == FL_BINARY) {
        add_base64(p->text, value->s);
        return FL_OK;
    }
    fl_value_print(p->printed, value);
    fl_status st = fl_text_status(p->printed, err);
    if (st != FL_OK)
        return st;
    fl_str text = fl_text_str(p->printed);
    bool is_float = fl_type_is_float(type);
    if (type.id != FL_BOOL && (!fl_type_is_numeric(type) || (is_float && !isfinite(value->f)))) {
        fl_text_add_json(p->text, text);
        return FL_OK;
    }
    fl_text_add(p->text, text);
    if (is_float && memchr(text.data, '.', (size_t)text.len) == NULL &&
        memchr(text.data, 'e', (size_t)text.len) == NULL)
        fl_text_add(p->text, FL_STR(".0"));
    return FL_OK;
}

static fl_status add_decimal(printer *p, const uint8_t *at, int32_t width, fl_err *err)
{
    static const uint8_t digits[] = {[4] = 9, [8] = 18, [16] = FL_DECIMAL_PRECISION_MAX};
    int32_t scale = at[0];
    if (scale > FL_DECIMAL_PRECISION_MAX)
        return fail(p, "a decimal of it has more than 38 digits behind its point");
    fl_value value = {.type = FL_TYPE_DECIMAL(digits[width] > scale ? digits[width] : scale, scale)};
    if (width == 16)
        memcpy(&value.d, at + 1, 16);
    else
        value.d = load_signed(at + 1, width);
    return add_scalar(p, &value, err);
}

static fl_status add_time(printer *p, physical kind, const uint8_t *at, fl_err *err)
{
    bool is_zoned = kind == PRIMITIVE_STAMP_ZONED || kind == PRIMITIVE_NANO_STAMP_ZONED;
    bool is_nano = kind == PRIMITIVE_NANO_STAMP || kind == PRIMITIVE_NANO_STAMP_ZONED;
    fl_value value = {.type = FL_TYPE(kind == PRIMITIVE_DATE   ? FL_DATE
                                      : kind == PRIMITIVE_TIME ? FL_TIME
                                      : is_zoned               ? FL_TIMESTAMPTZ
                                                               : FL_TIMESTAMP)};
    if (kind != PRIMITIVE_DATE && kind != PRIMITIVE_TIME)
        value.type.unit = is_nano ? FL_NANO : FL_MICRO;
    value.i = load_signed(at, kind == PRIMITIVE_DATE ? 4 : 8);
    if (kind == PRIMITIVE_TIME && (value.i < 0 || value.i > 86400000000))
        return fail(p, "a time of it is beyond 24 hours");
    return add_scalar(p, &value, err);
}

static fl_status add_float(printer *p, const uint8_t *at, int32_t width, fl_err *err)
{
    fl_value value = {.type = FL_TYPE(width == 8 ? FL_F64 : FL_F32)};
    float narrow = 0;
    if (width == 8) {
        memcpy(&value.f, at, 8);
    } else {
        memcpy(&narrow, at, 4);
        value.f = narrow;
    }
    return add_scalar(p, &value, err);
}

static fl_status add_text(printer *p, const uint8_t *at, int64_t n, bool is_binary, fl_err *err)
{
    fl_value value = {.type = FL_TYPE(is_binary ? FL_BINARY : FL_UTF8), .s = {(const char *)at, n}};
    return add_scalar(p, &value, err);
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

/* Takes the first n bytes, of which every one of an honest value is taken once. */
static const uint8_t *take(printer *p, bytes *value, int64_t n)
{
    const uint8_t *at = value->at;
    if (n > value->n || n > p->left) {
        fail(p, n > value->n ? "its value is cut off" : "parts of its value overlap");
        return NULL;
    }
    p->left -= n;
    value->at += n;
    value->n -= n;
    return at;
}

static fl_status add_primitive(printer *p, physical kind, bytes value, fl_err *err)
{
    static const uint8_t widths[PRIMITIVE_COUNT] = {[PRIMITIVE_I8] = 1,         [PRIMITIVE_I16] = 2,
                                                    [PRIMITIVE_I32] = 4,        [PRIMITIVE_I64] = 8,
                                                    [PRIMITIVE_DOUBLE] = 8,     [PRIMITIVE_DECIMAL4] = 5,
                                                    [PRIMITIVE_DECIMAL8] = 9,   [PRIMITIVE_DECIMAL16] = 17,
                                                    [PRIMITIVE_DATE] = 4,       [PRIMITIVE_STAMP_ZONED] = 8,
                                                    [PRIMITIVE_STAMP] = 8,      [PRIMITIVE_FLOAT] = 4,
                                                    [PRIMITIVE_BINARY] = 4,     [PRIMITIVE_TEXT] = 4,
                                                    [PRIMITIVE_TIME] = 8,       [PRIMITIVE_NANO_STAMP_ZONED] = 8,
                                                    [PRIMITIVE_NANO_STAMP] = 8, [PRIMITIVE_UUID] = 16};
    if (kind >= PRIMITIVE_COUNT)
        return fail(p, "a value of it is of an unknown type");
    const uint8_t *at = take(p, &value, widths[kind]);
    if (at == NULL)
        return FL_OK;
    switch (kind) {
    case PRIMITIVE_NULL:
        fl_text_add(p->text, FL_STR("null"));
        return FL_OK;
    case PRIMITIVE_TRUE:
    case PRIMITIVE_FALSE:
        fl_text_add(p->text, kind == PRIMITIVE_TRUE ? FL_STR("true") : FL_STR("false"));
        return FL_OK;
    case PRIMITIVE_I8:
    case PRIMITIVE_I16:
    case PRIMITIVE_I32:
    case PRIMITIVE_I64:
        return add_scalar(p, &(fl_value){.type = FL_TYPE(FL_I64), .i = load_signed(at, widths[kind])}, err);
    case PRIMITIVE_DECIMAL4:
    case PRIMITIVE_DECIMAL8:
    case PRIMITIVE_DECIMAL16:
        return add_decimal(p, at, widths[kind] - 1, err);
    case PRIMITIVE_DOUBLE:
    case PRIMITIVE_FLOAT:
        return add_float(p, at, widths[kind], err);
    case PRIMITIVE_BINARY:
    case PRIMITIVE_TEXT: {
        int64_t n = (int64_t)load(at, 4);
        at = take(p, &value, n);
        return at == NULL ? FL_OK : add_text(p, at, n, kind == PRIMITIVE_BINARY, err);
    }
    case PRIMITIVE_UUID: {
        char text[FL_UUID_TEXT];
        fl_uuid_print(fl_uuid_of_bytes(at), text);
        return add_text(p, (const uint8_t *)text, FL_UUID_TEXT, false, err);
    }
    default:
        return add_time(p, kind, at, err);
    }
}

static bool find_name(printer *p, uint64_t id, fl_str *ret)
{
    if (id >= (uint64_t)p->n_names) {
        fail(p, "a field of it has a name that its metadata has not");
        return false;
    }
    uint64_t start = load(p->offsets.at + (int64_t)id * p->offset_width, p->offset_width);
    uint64_t end = load(p->offsets.at + ((int64_t)id + 1) * p->offset_width, p->offset_width);
    if (start > end || end > (uint64_t)p->names.n) {
        fail(p, "its metadata is malformed");
        return false;
    }
    *ret = (fl_str){(const char *)p->names.at + start, (int64_t)(end - start)};
    if (!fl_utf8_is_valid(ret->data, ret->len))
        fail(p, "a name of it is not UTF-8");
    return p->wrong == NULL;
}

static fl_status add_encoded(printer *p, bytes value, fl_err *err);

/* Whether a group of shredded fields has one of the name. */
static bool has_field(const fl_vec *typed, fl_str name)
{
    for (int32_t i = 0; typed != NULL && i < typed->type.n_fields; i++)
        if (fl_str_is_equal(typed->type.fields[i].name, name))
            return true;
    return false;
}

/* Objects and arrays: elements at offsets; behind the last one's offset nothing is theirs. An object's fields that `typed` has are left to
 * it; `is_first` is for the comma. */
static fl_status add_elements(printer *p, uint8_t header, bytes value, const fl_vec *typed, bool is_first, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_object = (header & 3) == BASIC_OBJECT;
    int32_t more = header >> 2;
    int32_t offset_width = (more & 3) + 1, id_width = is_object ? (more >> 2 & 3) + 1 : 0;
    bool is_large = (is_object ? more >> 4 : more >> 2) & 1;
    const uint8_t *count = take(p, &value, is_large ? 4 : 1);
    if (count == NULL)
        return FL_OK;
    int64_t n = (int64_t)load(count, is_large ? 4 : 1);
    const uint8_t *ids = take(p, &value, n * id_width);
    const uint8_t *offsets = ids == NULL ? NULL : take(p, &value, (n + 1) * offset_width);
    if (offsets == NULL)
        return FL_OK;
    int64_t end = (int64_t)load(offsets + n * offset_width, offset_width);
    if (end > value.n)
        return fail(p, "its value is cut off");
    for (int64_t i = 0; i < n && p->wrong == NULL; i++) {
        int64_t at = (int64_t)load(offsets + i * offset_width, offset_width);
        fl_str name = {NULL, 0};
        FL_TRY(fl_work_add(&p->work, 1, err));
        if (at >= end)
            return fail(p, "its value is cut off");
        if (is_object && !find_name(p, load(ids + i * id_width, id_width), &name))
            return FL_OK;
        if (is_object && has_field(typed, name))
            continue;
        if (!is_first)
            fl_text_add_char(p->text, ',');
        is_first = false;
        if (is_object) {
            fl_text_add_json(p->text, name);
            fl_text_add_char(p->text, ':');
        }
        FL_TRY(add_encoded(p, (bytes){value.at + at, end - at}, err));
    }
cleanup:
    return st;
}

static fl_status add_encoded(printer *p, bytes value, fl_err *err)
{
    fl_status st = FL_OK;
    const uint8_t *header = take(p, &value, 1);
    if (header == NULL)
        return FL_OK;
    int basic = header[0] & 3, more = header[0] >> 2;
    if (basic == BASIC_PRIMITIVE)
        return add_primitive(p, (physical)more, value, err);
    if (basic == BASIC_SHORT_TEXT) {
        const uint8_t *at = take(p, &value, more);
        return at == NULL ? FL_OK : add_text(p, at, more, false, err);
    }
    if (p->depth >= VARIANT_DEPTH_MAX)
        return fail(p, "its value is nested deeper than 250");
    p->depth++;
    fl_text_add_char(p->text, basic == BASIC_OBJECT ? '{' : '[');
    FL_TRY(add_elements(p, header[0], value, NULL, true, err));
    fl_text_add_char(p->text, basic == BASIC_OBJECT ? '}' : ']');
    p->depth--;
cleanup:
    return st;
}

static fl_status begin_bytes(printer *p, const fl_vec *vec, int64_t slot, bytes *ret)
{
    fl_str data = fl_vec_str(vec, slot);
    *ret = (bytes){(const uint8_t *)data.data, data.len};
    p->left = data.len;
    return data.len > 0 ? FL_OK : fail(p, "its value is cut off");
}

/* ---- shredded values ----------------------------------------------------------------------------------------------- */

static const fl_vec *field_of(const fl_vec *group, fl_str name)
{
    for (int32_t i = 0; i < group->type.n_fields; i++)
        if (fl_str_is_equal(group->type.fields[i].name, name))
            return &group->child[i];
    return NULL;
}

static shreds shreds_of(const fl_vec *group, int64_t slot)
{
    shreds s = {field_of(group, FL_STR("value")), field_of(group, FL_STR("typed_value")), slot};
    if (s.value != NULL && !fl_vec_is_valid(s.value, slot))
        s.value = NULL;
    if (s.typed != NULL && !fl_vec_is_valid(s.typed, slot))
        s.typed = NULL;
    return s;
}

static fl_status add_shreds(printer *p, shreds s, fl_err *err);

/* The fields that are there, and behind them those of a value that has no columns. */
static fl_status add_object(printer *p, shreds s, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_first = true;
    bytes rest;
    fl_text_add_char(p->text, '{');
    for (int32_t i = 0; i < s.typed->type.n_fields && p->wrong == NULL; i++) {
        const fl_vec *group = &s.typed->child[i];
        if (!fl_vec_is_valid(group, s.slot))
            return fail(p, "a shredded field of it is null where its value must be");
        shreds field = shreds_of(group, s.slot);
        if (field.value == NULL && field.typed == NULL)
            continue;
        if (!is_first)
            fl_text_add_char(p->text, ',');
        is_first = false;
        fl_text_add_json(p->text, s.typed->type.fields[i].name);
        fl_text_add_char(p->text, ':');
        FL_TRY(add_shreds(p, field, err));
    }
    if (s.value != NULL && p->wrong == NULL) {
        FL_TRY(begin_bytes(p, s.value, s.slot, &rest));
        const uint8_t *header = p->wrong == NULL ? take(p, &rest, 1) : NULL;
        if (header != NULL && (header[0] & 3) != BASIC_OBJECT)
            return fail(p, "it has a shredded object and another value that is none");
        if (header != NULL)
            FL_TRY(add_elements(p, header[0], rest, s.typed, is_first, err));
    }
    fl_text_add_char(p->text, '}');
cleanup:
    return st;
}

static fl_status add_array(printer *p, const fl_vec *list, int64_t slot, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_entry entry = ((const fl_list_entry *)list->data)[fl_vec_row(list, slot)];
    fl_text_add_char(p->text, '[');
    for (int32_t i = 0; i < entry.len && p->wrong == NULL; i++) {
        int64_t at = fl_vec_row(list->child, (int64_t)entry.start + i);
        if (i > 0)
            fl_text_add_char(p->text, ',');
        if (!fl_vec_is_valid(list->child, at))
            return fail(p, "an element of it is null where its value must be");
        FL_TRY(add_shreds(p, shreds_of(list->child, at), err));
    }
    fl_text_add_char(p->text, ']');
cleanup:
    return st;
}

/* A value that is neither here nor there is null. */
static fl_status add_shreds(printer *p, shreds s, fl_err *err)
{
    fl_status st = FL_OK;
    bytes value;
    fl_value scalar;
    FL_TRY(fl_work_add(&p->work, 1, err));
    if (s.typed != NULL && s.typed->type.id == FL_STRUCT)
        return add_object(p, s, err);
    if (s.typed != NULL && s.value != NULL)
        return fail(p, "it has a value and another one of a type");
    if (s.typed != NULL && s.typed->type.id == FL_LIST)
        return add_array(p, s.typed, s.slot, err);
    if (s.typed != NULL) {
        FL_TRY(fl_value_from_vec(p->arena, s.typed, s.slot, &scalar, err));
        return add_scalar(p, &scalar, err);
    }
    if (s.value == NULL) {
        fl_text_add(p->text, FL_STR("null"));
        return FL_OK;
    }
    FL_TRY(begin_bytes(p, s.value, s.slot, &value));
    if (p->wrong == NULL)
        st = add_encoded(p, value, err);
cleanup:
    return st;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static void begin_names(printer *p, fl_str metadata)
{
    bytes m = {(const uint8_t *)metadata.data, metadata.len};
    if (m.n < 1 || (m.at[0] & 15) != VARIANT_VERSION) {
        fail(p, m.n < 1 ? "its metadata is cut off" : "its metadata is of an unknown version");
        return;
    }
    p->offset_width = (m.at[0] >> 6) + 1;
    int64_t n = m.n > p->offset_width ? (int64_t)load(m.at + 1, p->offset_width) : -1;
    int64_t offsets_at = 1 + p->offset_width;
    if (n < 0 || (n + 1) * p->offset_width > m.n - offsets_at) {
        fail(p, "its metadata is cut off");
        return;
    }
    p->n_names = n;
    p->offsets = (bytes){m.at + offsets_at, (n + 1) * p->offset_width};
    p->names = (bytes){p->offsets.at + p->offsets.n, m.n - offsets_at - p->offsets.n};
}

fl_status fl_pq_variant_print(const fl_vec *group, int64_t slot, fl_arena *arena, fl_text *text, const char **ret_wrong,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_text printed;
    const fl_vec *metadata = field_of(group, FL_STR("metadata"));
    FL_ASSERT(group->type.id == FL_STRUCT && metadata != NULL);
    fl_text_init(&printed, text->memory);
    printer p = {.text = text, .printed = &printed, .arena = arena, .work = fl_work_of(text->memory)};
    if (!fl_vec_is_valid(metadata, slot))
        fail(&p, "it has no metadata");
    else
        begin_names(&p, fl_vec_str(metadata, slot));
    if (p.wrong == NULL)
        FL_TRY(add_shreds(&p, shreds_of(group, slot), err));
    FL_TRY(fl_text_status(text, err));
    *ret_wrong = p.wrong;
cleanup:
    fl_text_drop(&printed);
    return st;
}
