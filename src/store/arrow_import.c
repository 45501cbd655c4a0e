/* A stream arrives as segments. Fixed-width columns of types that lie alike keep the producer's memory; what differs
 * (validity or booleans at an odd offset, seconds as dates, narrow decimals) is copied. Lengths, offsets and null counts
 * are checked before anything is read, and values are held against their types: text is UTF-8 from here on. */
#include "store/arrow_stream.h"

#include "base/datetime.h"
#include "base/names.h"
#include "base/utf8.h"
#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DECIMAL256_PRECISION_MAX 76
#define NAME_BYTES 256
#define MS_PER_DAY (FL_US_PER_DAY / 1000)
#define OFFSET_MAX (INT64_MAX / 64) /* rows; so that places in bytes do not overflow */

/* What the import of one batch works with. */
typedef struct importer {
    fl_arena *arena; /* the segment's */
    fl_work work;
} importer;

/* Where in a batch an array lies: its own description, and how its rows are found in the rows of what holds it. */
typedef struct array_place {
    const struct ArrowSchema *schema;
    const struct array_place *parent; /* NULL: a column */
    const fl_list_entry *entries;     /* of the parent's rows, where that is a list; NULL: the same rows */
    int64_t rows;                     /* in entries */
    bool is_dictionary;               /* values of the parent's dictionary: they are in no row */
} array_place;

static fl_status fail_type(const char *name, const char *format, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_TYPE, "column \"%s\" has the Arrow type \"%s\", which is not known",
                   name == NULL ? "" : name, format == NULL ? "" : format);
}

static bool unit_of(char c, uint8_t *ret)
{
    *ret = c == 's' ? FL_SECOND : c == 'm' ? FL_MILLI : c == 'u' ? FL_MICRO : FL_NANO;
    return c == 's' || c == 'm' || c == 'u' || c == 'n';
}

static fl_status value_type_of(fl_arena *arena, const struct ArrowSchema *schema, fl_type *ret, fl_err *err, int depth);

/* "d:precision,scale", with the bits of a value behind it or 128. Decimals of more digits than fit are read as far as their
 * values do. */
static bool read_decimal(const char *format, int *ret_precision, int *ret_scale, int *ret_bits)
{
    char *end = NULL;
    if (strncmp(format, "d:", 2) != 0)
        return false;
    long precision = strtol(format + 2, &end, 10);
    if (*end != ',' || precision < 1 || precision > DECIMAL256_PRECISION_MAX)
        return false;
    long scale = strtol(end + 1, &end, 10), bits = 128;
    if (*end == ',')
        bits = strtol(end + 1, &end, 10);
    if (*end != 0 || scale < 0 || scale > precision || scale > FL_DECIMAL_PRECISION_MAX ||
        (bits != 32 && bits != 64 && bits != 128 && bits != 256))
        return false;
    *ret_precision = (int)(precision < FL_DECIMAL_PRECISION_MAX ? precision : FL_DECIMAL_PRECISION_MAX);
    *ret_scale = (int)scale;
    *ret_bits = (int)bits;
    return true;
}

static bool has_all_children(const struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children == NULL || schema->children[i] == NULL)
            return false;
    return true;
}

static fl_status name_of(fl_arena *arena, const struct ArrowSchema *schema, fl_str *ret, fl_err *err)
{
    fl_str name = fl_str_of(schema->name == NULL ? "" : schema->name);
    int64_t bad = fl_utf8_check(name.data, name.len);
    if (bad < 0)
        return fl_arena_copy_str(arena, name, ret, err);
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "the name of Arrow column \"%s\" is no UTF-8: byte 0x%02x at offset %lld",
                           name.data, (unsigned char)name.data[bad], (long long)bad);
    return fl_err_state(err, "22021", st);
}

/* Arrow's name of the extension type that the metadata tell; empty: none. */
static fl_str extension_name(const struct ArrowSchema *schema)
{
    const char *at = schema->metadata;
    int32_t pairs = 0;
    if (at == NULL)
        return (fl_str){0};
    memcpy(&pairs, at, 4);
    at += 4;
    for (int32_t i = 0; i < pairs; i++) {
        fl_str parts[2];
        for (int p = 0; p < 2; p++) {
            int32_t len;
            memcpy(&len, at, 4);
            if (len < 0)
                return (fl_str){0};
            parts[p] = (fl_str){at + 4, len};
            at += 4 + (int64_t)len;
        }
        if (fl_str_is_equal(parts[0], FL_STR("ARROW:extension:name")))
            return parts[1];
    }
    return (fl_str){0};
}

/* Bytes of a value of a fixed size, "w:16"; 0: another format. */
static int64_t fixed_bytes(const char *format)
{
    char *end;
    int64_t bytes = strncmp(format, "w:", 2) == 0 ? strtol(format + 2, &end, 10) : 0;
    return bytes > 0 && *end == 0 && bytes < INT32_MAX ? bytes : 0;
}

/* The type that the format says; of a dictionary's column, that is its indices'. */
static fl_status type_of(fl_arena *arena, const struct ArrowSchema *schema, fl_type *ret, fl_err *err, int depth)
{
    fl_status st = FL_OK;
    const char *f = schema->format;
    static const struct {
        char c;
        uint8_t id;
    } plain[] = {{'n', FL_NULL}, {'b', FL_BOOL}, {'c', FL_I8},     {'C', FL_U8},    {'s', FL_I16}, {'S', FL_U16},
                 {'i', FL_I32},  {'I', FL_U32},  {'l', FL_I64},    {'L', FL_U64},   {'f', FL_F32}, {'g', FL_F64},
                 {'u', FL_UTF8}, {'U', FL_UTF8}, {'z', FL_BINARY}, {'Z', FL_BINARY}};
    *ret = (fl_type){0};
    if (f == NULL || f[0] == 0 || depth > 100)
        return fail_type(schema->name, f, err);
    if (f[1] == 0)
        for (int64_t i = 0; i < FL_LEN(plain); i++)
            if (plain[i].c == f[0]) {
                *ret = FL_TYPE(plain[i].id);
                if (ret->id == FL_UTF8 && fl_str_is_equal(extension_name(schema), FL_STR("arrow.json")))
                    *ret = FL_TYPE_JSON;
                return FL_OK;
            }
    if (fixed_bytes(f) > 0) {
        bool is_uuid = fixed_bytes(f) == 16 && fl_str_is_equal(extension_name(schema), FL_STR("arrow.uuid"));
        *ret = is_uuid ? FL_TYPE_UUID : FL_TYPE(FL_BINARY);
        return FL_OK;
    }
    int p, s, bits;
    if (read_decimal(f, &p, &s, &bits)) {
        *ret = FL_TYPE_DECIMAL(p, s);
        return FL_OK;
    }
    if (strcmp(f, "tdD") == 0 || strcmp(f, "tdm") == 0) {
        *ret = FL_TYPE(FL_DATE);
        return FL_OK;
    }
    if (strncmp(f, "tt", 2) == 0 && f[2] != 0 && f[3] == 0) {
        uint8_t unit;
        *ret = FL_TYPE(FL_TIME);
        return unit_of(f[2], &unit) ? FL_OK : fail_type(schema->name, f, err);
    }
    if (strncmp(f, "ts", 2) == 0 && f[2] != 0 && f[3] == ':') {
        *ret = FL_TYPE(f[4] != 0 ? FL_TIMESTAMPTZ : FL_TIMESTAMP);
        return unit_of(f[2], &ret->unit) ? FL_OK : fail_type(schema->name, f, err);
    }
    if (strcmp(f, "tin") == 0) {
        *ret = FL_TYPE(FL_INTERVAL);
        return FL_OK;
    }
    bool is_map = strcmp(f, "+m") == 0, is_list = is_map || strcmp(f, "+l") == 0 || strcmp(f, "+L") == 0;
    if ((is_list && schema->n_children == 1) || strcmp(f, "+s") == 0) {
        fl_field *fields = NULL;
        if (schema->n_children < 0 || schema->n_children >= INT32_MAX || !has_all_children(schema))
            return fail_type(schema->name, f, err);
        FL_TRY(FL_NEW_ARRAY(arena, schema->n_children + 1, &fields, err));
        for (int64_t i = 0; i < schema->n_children; i++) {
            fields[i].nullable = true;
            FL_TRY(name_of(arena, schema->children[i], &fields[i].name, err));
            FL_TRY(value_type_of(arena, schema->children[i], &fields[i].type, err, depth + 1));
        }
        FL_TRY(fl_type_check_size(fields, (int32_t)schema->n_children, err));
        *ret = FL_TYPE(is_list ? FL_LIST : FL_STRUCT);
        ret->fields = fields;
        ret->n_fields = (int32_t)schema->n_children;
        if (is_map && (fields[0].type.id != FL_STRUCT || fields[0].type.n_fields != 2))
            return fail_type(schema->name, f, err);
        if (is_map)
            return fl_type_map_of(arena, fl_type_map_key(*ret), fl_type_map_value(*ret), ret, err);
        return FL_OK;
    }
    return fail_type(schema->name, f, err);
cleanup:
    return st;
}

/* The type of a column's values, whether they lie in a dictionary or not. */
static fl_status value_type_of(fl_arena *arena, const struct ArrowSchema *schema, fl_type *ret, fl_err *err, int depth)
{
    fl_status st = FL_OK;
    if (schema->dictionary != NULL) {
        FL_TRY(type_of(arena, schema, ret, err, depth));
        if (!fl_type_is_integer(*ret) || schema->dictionary->dictionary != NULL)
            return fail_type(schema->name, schema->format, err);
        schema = schema->dictionary;
    }
    FL_TRY(type_of(arena, schema, ret, err, depth));
cleanup:
    return st;
}

/* "column" or "struct.field": elements of lists and values of dictionaries go by the name of what holds them. */
static int print_name(const array_place *place, char *ret, int bytes)
{
    int len = place->parent == NULL ? 0 : print_name(place->parent, ret, bytes);
    if (len >= bytes - 1 || (place->parent != NULL && (place->is_dictionary || place->entries != NULL)))
        return len;
    int more = snprintf(ret + len, (size_t)(bytes - len), "%s%s", place->parent == NULL ? "" : ".",
                        place->schema->name == NULL ? "" : place->schema->name);
    return more < 0 ? len : len + more < bytes ? len + more : bytes - 1;
}

static fl_status corrupt(const array_place *place, const char *what, fl_err *err)
{
    char name[NAME_BYTES] = {0};
    (void)print_name(place, name, sizeof(name));
    return FL_FAIL(err, FL_ERR_CORRUPT, "Arrow data of column \"%s\" %s", name, what);
}

/* A value that is none of its type, in a row counted from the first one asked for. */
static fl_status fail_row(const array_place *place, int64_t row, const char *what, fl_err *err)
{
    char name[NAME_BYTES] = {0};
    bool is_in_dictionary = false;
    (void)print_name(place, name, sizeof(name));
    for (; place != NULL && !is_in_dictionary; place = place->parent) {
        is_in_dictionary = place->is_dictionary;
        if (place->entries == NULL)
            continue;
        int64_t outer = 0;
        while (outer < place->rows && row >= place->entries[outer].start + (int64_t)place->entries[outer].len)
            outer++;
        row = outer;
    }
    return FL_FAIL(err, FL_ERR_CORRUPT, "Arrow data of column \"%s\" has in %s %lld %s", name,
                   is_in_dictionary ? "dictionary value" : "row", (long long)row + 1, what);
}

static fl_status fail_text(const array_place *place, int64_t row, fl_str text, fl_err *err)
{
    char what[80];
    int64_t bad = fl_utf8_check(text.data, text.len);
    FL_ASSERT(bad >= 0);
    (void)snprintf(what, sizeof(what), "text that is no UTF-8: byte 0x%02x at offset %lld",
                   (unsigned char)text.data[bad], (long long)bad);
    (void)fail_row(place, row, what, err);
    if (err != NULL)
        err->code = FL_ERR_VALUE;
    (void)fl_err_state(err, "22021", FL_ERR_VALUE);
    return FL_ERR_VALUE;
}

static fl_status import_column(importer *in, const array_place *place, const struct ArrowArray *array, fl_type type,
                               int64_t skip, int64_t rows, fl_vec *ret, fl_err *err);

static int64_t offset_at(const void *offsets, bool is_wide, int64_t i)
{
    return is_wide ? ((const int64_t *)offsets)[i] : ((const int32_t *)offsets)[i];
}

/* Offsets into characters or children must ascend within bounds that nobody tells: at least they must not descend. */
static fl_status check_offsets(importer *in, const array_place *place, const void *offsets, bool is_wide, int64_t rows,
                               int64_t limit, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t last = offset_at(offsets, is_wide, 0);
    if (last < 0)
        return corrupt(place, "has a negative offset", err);
    for (int64_t i = 0; i < rows; i++) {
        int64_t next = offset_at(offsets, is_wide, i + 1);
        if (next < last)
            return corrupt(place, "has descending offsets", err);
        if (next - last > INT32_MAX)
            return fail_row(place, i, "a value of more than 2 GB", err);
        last = next;
        FL_TRY(fl_work_add(&in->work, 8, err));
    }
    if (last > limit)
        return corrupt(place, "has an offset beyond its child", err);
cleanup:
    return st;
}

/* Copies values that do not lie where their width wants them: the interface recommends alignment, no more. */
static fl_status align(importer *in, const uint8_t **at, int64_t count, int32_t width, fl_err *err)
{
    fl_status st = FL_OK;
    void *copy = NULL;
    if (((uintptr_t)*at & (uintptr_t)(width - 1)) == 0 || count == 0)
        return FL_OK;
    FL_TRY(fl_arena_get(in->arena, count * width + 64, &copy, err));
    memcpy(copy, *at, (size_t)(count * width));
    *at = copy;
cleanup:
    return st;
}

static fl_status import_bits(importer *in, const void *bits, int64_t offset, int64_t rows, const uint64_t **ret,
                             fl_err *err)
{
    uint64_t *copy = NULL; /* always a copy: the producer's last word may not be readable to its end */
    fl_status st = fl_arena_get_zero(in->arena, fl_bitmap_words(rows) * 8 + 16, (void **)&copy, err);
    if (st == FL_OK) {
        fl_bitmap_copy(copy, bits, offset, rows);
        *ret = copy;
    }
    return st;
}

/* Which rows are not null, by the bitmap alone: what the array says of their number is held against it by nobody. *ret is
 * NULL when all are. */
static fl_status import_validity(importer *in, const array_place *place, const struct ArrowArray *array, int64_t offset,
                                 int64_t rows, const uint64_t **ret, fl_err *err)
{
    *ret = NULL;
    if (array->null_count < -1 || array->null_count > array->length)
        return corrupt(place, "has more nulls than rows", err);
    if (array->buffers[0] == NULL)
        return array->null_count > 0 ? corrupt(place, "has nulls, but does not say where", err) : FL_OK;
    fl_status st = import_bits(in, array->buffers[0], offset, rows, ret, err);
    if (st == FL_OK && fl_bitmap_count(*ret, rows) == rows)
        *ret = NULL;
    return st;
}

/* Indices shorter than 64 bits keep their sign. */
static int64_t index_at(const uint8_t *at, fl_type key)
{
    int64_t index = 0;
    int32_t bytes = fl_type_width(key);
    memcpy(&index, at, (size_t)bytes);
    bool is_signed = key.id == FL_I8 || key.id == FL_I16 || key.id == FL_I32;
    return is_signed && (at[bytes - 1] & 0x80) != 0 ? -1 : index; /* any index below zero is as wrong as -1 */
}

static fl_status import_dictionary(importer *in, const array_place *place, const struct ArrowArray *array, fl_type type,
                                   int64_t offset, int64_t rows, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec values, flat;
    fl_type key;
    int32_t *list = NULL;
    if (array->dictionary == NULL)
        return corrupt(place, "has no dictionary", err);
    int64_t n_values = array->dictionary->length;
    array_place inner = {.schema = place->schema->dictionary, .parent = place, .is_dictionary = true};
    FL_TRY(import_column(in, &inner, array->dictionary, type, 0, n_values, &values, err));
    FL_TRY(type_of(in->arena, place->schema, &key, err, 1));
    if (array->n_buffers != 2 || (array->buffers[1] == NULL && rows > 0))
        return corrupt(place, "has no indices", err);
    const uint64_t *valid = NULL;
    FL_TRY(import_validity(in, place, array, offset, rows, &valid, err));
    FL_TRY(fl_arena_get(in->arena, rows * 4 + 64, (void **)&list, err));
    for (int64_t i = 0; i < rows; i++) {
        int64_t code = index_at((const uint8_t *)array->buffers[1] + (offset + i) * fl_type_width(key), key);
        if (!fl_is_valid(valid, i)) {
            list[i] = -1;
            continue;
        }
        if (code < 0 || code >= n_values)
            return fail_row(place, i, "an index beyond its dictionary", err);
        list[i] = (int32_t)code;
        FL_TRY(fl_work_add(&in->work, 8, err));
    }
    FL_TRY(fl_vec_flatten(in->arena, &values, n_values, &flat, err));
    if (n_values == 0) {
        fl_vec_set_const(&flat, type, NULL);
        FL_TRY(fl_vec_flatten(in->arena, &flat, rows, ret, err));
    } else if (fl_type_is_string(type) && flat.valid == NULL) { /* stays a dictionary */
        fl_vec *dict = NULL;
        uint32_t *codes = (uint32_t *)list;
        FL_TRY(FL_NEW(in->arena, &dict, err));
        *dict = flat;
        for (int64_t i = 0; i < rows; i++)
            codes[i] = list[i] < 0 ? 0 : (uint32_t)list[i];
        *ret = (fl_vec){.type = type,
                        .layout = FL_DICT,
                        .width = 4,
                        .data = codes,
                        .valid = valid,
                        .child = dict,
                        .child_rows = n_values,
                        .dict_id = fl_dict_id_new()};
    } else {
        FL_TRY(fl_vec_gather32(in->arena, &flat, list, rows, ret, err));
    }
cleanup:
    return st;
}

/* Whole numbers of 4 or 8 bytes. */
static int64_t number_at(const uint8_t *at, int64_t i, bool is_narrow)
{
    return is_narrow ? ((const int32_t *)at)[i] : ((const int64_t *)at)[i];
}

/* Milliseconds as days, and times of other units than microseconds. */
static fl_status import_times(importer *in, const array_place *place, fl_type type, const uint8_t *data, int64_t offset,
                              int64_t rows, const uint64_t *valid, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    void *out = NULL;
    char unit = place->schema->format[2];
    bool is_date = type.id == FL_DATE, is_narrow = !is_date && (unit == 's' || unit == 'm');
    const uint8_t *from = data + offset * (is_narrow ? 4 : 8);
    FL_TRY(align(in, &from, rows, is_narrow ? 4 : 8, err));
    FL_TRY(fl_arena_get_zero(in->arena, rows * 8 + 64, &out, err));
    for (int64_t i = 0; i < rows; i++) {
        int64_t v = number_at(from, i, is_narrow), us = 0;
        FL_TRY(fl_work_add(&in->work, 8, err));
        if (!fl_is_valid(valid, i))
            continue;
        if (is_date) {
            if (v % MS_PER_DAY != 0 || v / MS_PER_DAY != (int32_t)(v / MS_PER_DAY))
                return fail_row(place, i, v % MS_PER_DAY != 0 ? "a date that is no whole day" : "a date out of range",
                                err);
            ((int32_t *)out)[i] = (int32_t)(v / MS_PER_DAY);
            continue;
        }
        if (unit == 'n' && v % 1000 != 0)
            return fail_row(place, i, "a time with nanoseconds; times have microseconds", err);
        if (unit == 'n')
            us = v / 1000;
        else if (__builtin_mul_overflow(v, unit == 's' ? FL_US_PER_SECOND : 1000, &us))
            us = -1;
        if (us < 0 || us > FL_US_PER_DAY)
            return fail_row(place, i, "a time beyond 24 hours", err);
        ((int64_t *)out)[i] = us;
    }
    fl_vec_set_flat(ret, type, out, valid);
cleanup:
    return st;
}

/* A decimal's value, which has 4, 8, 16 or 32 bytes; false beyond 128 bits. */
static bool decimal_at(const uint8_t *at, int bits, fl_i128 *ret)
{
    int32_t narrow;
    int64_t wide;
    fl_i128 high = 0;
    switch (bits) {
    case 32:
        memcpy(&narrow, at, 4);
        *ret = narrow;
        return true;
    case 64:
        memcpy(&wide, at, 8);
        *ret = wide;
        return true;
    case 256:
        memcpy(&high, at + 16, 16);
        memcpy(ret, at, 16);
        return high == (*ret < 0 ? -1 : 0);
    default:
        memcpy(ret, at, 16);
        return true;
    }
}

static fl_status import_decimals(importer *in, const array_place *place, fl_type type, const uint8_t *data,
                                 int64_t offset, int64_t rows, const uint64_t *valid, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    void *out = NULL;
    int precision = 0, scale = 0, bits = 128, width = fl_type_width(type);
    (void)read_decimal(place->schema->format, &precision, &scale, &bits);
    const uint8_t *from = data + offset * (bits / 8);
    fl_i128 limit = fl_pow10_i128[type.precision];
    bool is_as_it_lies = width * 8 == bits && ((uintptr_t)from & (uintptr_t)(width - 1)) == 0;
    if (!is_as_it_lies)
        FL_TRY(fl_arena_get_zero(in->arena, rows * width + 64, &out, err));
    for (int64_t i = 0; i < rows; i++) {
        fl_i128 value;
        FL_TRY(fl_work_add(&in->work, 8, err));
        if (!fl_is_valid(valid, i))
            continue;
        if (!decimal_at(from + i * (bits / 8), bits, &value) || value <= -limit || value >= limit)
            return fail_row(place, i, "a decimal of more digits than its type has, or than 38", err);
        if (!is_as_it_lies)
            memcpy((uint8_t *)out + i * width, &value, (size_t)width);
    }
    fl_vec_set_flat(ret, type, is_as_it_lies ? (const void *)from : out, valid);
cleanup:
    return st;
}

/* Values that lie as ours do, but may be more than the type holds. */
static fl_status check_range(importer *in, const array_place *place, fl_type type, const uint8_t *at, int64_t rows,
                             const uint64_t *valid, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t low = INT64_MIN, high = INT64_MAX;
    if (type.id == FL_TIME) {
        low = 0;
        high = FL_US_PER_DAY;
    } else if (fl_type_is_timestamp(type) && (type.unit == FL_SECOND || type.unit == FL_MILLI)) {
        high = INT64_MAX / (type.unit == FL_SECOND ? FL_US_PER_SECOND : 1000); /* what microseconds hold */
        low = -high;
    }
    if (low == INT64_MIN)
        return FL_OK;
    for (int64_t i = 0; i < rows; i++) {
        int64_t value = ((const int64_t *)at)[i];
        if ((value < low || value > high) && fl_is_valid(valid, i))
            return fail_row(place, i, type.id == FL_TIME ? "a time beyond 24 hours" : "a timestamp out of range", err);
        FL_TRY(fl_work_add(&in->work, 8, err));
    }
cleanup:
    return st;
}

/* Whether all of it is UTF-8, a piece at a time. */
static fl_status check_utf8(importer *in, const char *chars, int64_t bytes, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = true;
    while (bytes > 0 && *ret) {
        int64_t piece = bytes < FL_WORK_STEPS ? bytes : FL_WORK_STEPS;
        while (piece > 0 && piece < bytes && fl_utf8_is_continuation(chars[piece]))
            piece--;
        *ret = piece > 0 && fl_utf8_is_valid(chars, piece);
        chars += piece;
        bytes -= piece;
        FL_TRY(fl_work_add(&in->work, piece, err));
    }
cleanup:
    return st;
}

/* All characters are looked at in one go, and where values begin; that fails where any that no row shows are none, too. Then
 * every row is looked at by itself, and rows that are null get empty texts, as kernels may look at them. */
static fl_status check_text(importer *in, const array_place *place, int64_t rows, fl_vec *vec, fl_err *err)
{
    fl_status st = FL_OK;
    fl_view *views = NULL;
    bool is_wide = vec->width == 8, is_utf8;
    int64_t first = offset_at(vec->data, is_wide, 0), end = offset_at(vec->data, is_wide, rows);
    FL_TRY(check_utf8(in, vec->chars + first, end - first, &is_utf8, err));
    for (int64_t i = 1; i < rows && is_utf8; i++) {
        int64_t start = offset_at(vec->data, is_wide, i);
        is_utf8 = start == end || !fl_utf8_is_continuation(vec->chars[start]);
        FL_TRY(fl_work_add(&in->work, 8, err));
    }
    if (is_utf8)
        goto cleanup;
    FL_TRY(fl_arena_get_zero(in->arena, rows * (int64_t)sizeof(*views) + 64, (void **)&views, err));
    for (int64_t i = 0; i < rows; i++) {
        if (!fl_is_valid(vec->valid, i))
            continue;
        fl_str text = fl_vec_str(vec, i);
        FL_TRY(check_utf8(in, text.data, text.len, &is_utf8, err));
        if (!is_utf8)
            return fail_text(place, i, text, err);
        views[i] = fl_view_of(text.data, text.len);
        FL_TRY(fl_work_add(&in->work, 16, err));
    }
    fl_vec_set_flat(vec, vec->type, views, vec->valid);
cleanup:
    return st;
}

static fl_status import_strings(importer *in, const array_place *place, const struct ArrowArray *array, fl_type type,
                                int64_t offset, int64_t rows, const uint64_t *valid, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    static const uint8_t empty[64] __attribute__((aligned(64)));
    bool is_wide = place->schema->format[0] == 'U' || place->schema->format[0] == 'Z';
    const uint8_t *at = empty; /* without rows even offset 0 may be none */
    const char *chars = array->buffers[2] != NULL ? array->buffers[2] : (const char *)empty;
    if (rows > 0) {
        at = (const uint8_t *)array->buffers[1] + offset * (is_wide ? 8 : 4);
        FL_TRY(align(in, &at, rows + 1, is_wide ? 8 : 4, err));
        FL_TRY(check_offsets(in, place, at, is_wide, rows, INT64_MAX, err));
        if (array->buffers[2] == NULL && offset_at(at, is_wide, rows) > 0)
            return corrupt(place, "has no characters", err);
    }
    fl_vec_set_flat(ret, type, at, valid);
    ret->form = FL_OFFSETS;
    ret->width = is_wide ? 8 : 4;
    ret->chars = chars;
    if (type.id == FL_UTF8 && rows > 0)
        FL_TRY(check_text(in, place, rows, ret, err));
cleanup:
    return st;
}

/* Values of a fixed number of bytes: UUIDs, or any. */
static fl_status import_fixed(importer *in, const struct ArrowArray *array, fl_type type, int64_t bytes, int64_t offset,
                              int64_t rows, const uint64_t *valid, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    void *out = NULL;
    const uint8_t *at = (const uint8_t *)array->buffers[1] + offset * bytes;
    FL_ASSERT(fl_type_width(type) == 16 && (type.extension != FL_UUID || bytes == 16));
    FL_TRY(fl_arena_get_zero(in->arena, rows * 16 + 64, &out, err));
    for (int64_t i = 0; i < rows; i++, at += bytes) {
        FL_TRY(fl_work_add(&in->work, 8, err));
        if (!fl_is_valid(valid, i))
            continue;
        if (type.extension == FL_UUID)
            ((fl_i128 *)out)[i] = fl_uuid_of_bytes(at);
        else
            ((fl_view *)out)[i] = fl_view_of((const char *)at, bytes);
    }
    fl_vec_set_flat(ret, type, out, valid);
cleanup:
    return st;
}

/* Of the child, what the rows use. */
static fl_status import_list(importer *in, const array_place *place, const struct ArrowArray *array, fl_type type,
                             int64_t offset, int64_t rows, const uint64_t *valid, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_wide = place->schema->format[1] == 'L';
    fl_list_entry *entries = NULL;
    fl_vec *child = NULL;
    int64_t first = 0, child_rows = 0;
    FL_TRY(fl_arena_get_zero(in->arena, rows * 8 + 64, (void **)&entries, err));
    FL_TRY(FL_NEW(in->arena, &child, err));
    if (array->children[0]->length < 0 || array->children[0]->length > INT32_MAX)
        return corrupt(place, "has no list of a length that could be", err);
    if (rows > 0) {
        const uint8_t *at = (const uint8_t *)array->buffers[1] + offset * (is_wide ? 8 : 4);
        FL_TRY(align(in, &at, rows + 1, is_wide ? 8 : 4, err));
        FL_TRY(check_offsets(in, place, at, is_wide, rows, array->children[0]->length, err));
        first = offset_at(at, is_wide, 0);
        child_rows = offset_at(at, is_wide, rows) - first;
        for (int64_t i = 0; i < rows; i++) {
            int64_t start = offset_at(at, is_wide, i), end = offset_at(at, is_wide, i + 1);
            entries[i] = (fl_list_entry){(int32_t)(start - first), (int32_t)(end - start)};
        }
    }
    array_place inner = {.schema = place->schema->children[0], .parent = place, .entries = entries, .rows = rows};
    FL_TRY(import_column(in, &inner, array->children[0], type.fields[0].type, first, child_rows, child, err));
    fl_vec_set_flat(ret, type, entries, valid);
    ret->child = child;
    ret->child_rows = child_rows;
cleanup:
    return st;
}

static fl_status import_struct(importer *in, const array_place *place, const struct ArrowArray *array, fl_type type,
                               int64_t offset, int64_t rows, const uint64_t *valid, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *fields = NULL;
    FL_TRY(FL_NEW_ARRAY(in->arena, type.n_fields + 1, &fields, err));
    for (int32_t i = 0; i < type.n_fields; i++) {
        array_place inner = {.schema = place->schema->children[i], .parent = place};
        FL_TRY(import_column(in, &inner, array->children[i], type.fields[i].type, offset, rows, &fields[i], err));
    }
    fl_vec_set_flat(ret, type, NULL, valid);
    ret->child = fields;
cleanup:
    return st;
}

/* Rows skip .. skip + rows of the array: what a struct's offset asks of its children comes on top of their own. */
static fl_status import_column(importer *in, const array_place *place, const struct ArrowArray *array, fl_type type,
                               int64_t skip, int64_t rows, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const char *f = place->schema->format;
    const uint64_t *valid = NULL;
    if (array->release == NULL)
        return corrupt(place, "was released already", err);
    if (array->length < 0 || array->offset < 0 || array->length > INT32_MAX || array->offset > OFFSET_MAX || rows < 0 ||
        skip > array->length - rows)
        return corrupt(place, "is shorter than its array says", err);
    int64_t offset = array->offset + skip;
    if (array->n_buffers > 0 && array->buffers == NULL)
        return corrupt(place, "lacks buffers or children", err);
    FL_TRY(fl_work_add(&in->work, rows, err));
    if (place->schema->dictionary != NULL)
        return import_dictionary(in, place, array, type, offset, rows, ret, err);
    int64_t fixed = fixed_bytes(f);
    int64_t buffers = type.id == FL_NULL ? 0 : type.id == FL_STRUCT ? 1 : fl_type_is_string(type) && fixed == 0 ? 3 : 2;
    if (array->n_buffers < buffers || array->n_children < type.n_fields)
        return corrupt(place, "lacks buffers or children", err);
    for (int32_t i = 0; i < type.n_fields; i++)
        if (array->children == NULL || array->children[i] == NULL)
            return corrupt(place, "lacks buffers or children", err);
    if (type.id == FL_NULL) {
        fl_vec none;
        fl_vec_set_const(&none, type, NULL);
        return fl_vec_flatten(in->arena, &none, rows, ret, err);
    }
    FL_TRY(import_validity(in, place, array, offset, rows, &valid, err));
    if (type.id == FL_STRUCT)
        return import_struct(in, place, array, type, offset, rows, valid, ret, err);
    static const uint8_t empty[64] __attribute__((aligned(64)));
    const uint8_t *data = array->buffers[1] != NULL ? array->buffers[1] : empty;
    if (data == empty && rows > 0)
        return corrupt(place, "has no data", err);
    if (fixed > 0)
        return import_fixed(in, array, type, fixed, offset, rows, valid, ret, err);
    if (type.id == FL_LIST)
        return import_list(in, place, array, type, offset, rows, valid, ret, err);
    if (fl_type_is_string(type))
        return import_strings(in, place, array, type, offset, rows, valid, ret, err);
    if (type.id == FL_BOOL) {
        const uint64_t *bits = NULL;
        FL_TRY(import_bits(in, data, offset, rows, &bits, err));
        fl_vec_set_flat(ret, type, bits, valid);
        return FL_OK;
    }
    if (type.id == FL_DECIMAL)
        return import_decimals(in, place, type, data, offset, rows, valid, ret, err);
    bool is_millis = strcmp(f, "tdm") == 0, is_time = type.id == FL_TIME && f[2] != 'u';
    if (is_millis || is_time)
        return import_times(in, place, type, data, offset, rows, valid, ret, err);
    int32_t width = fl_type_width(type);
    const uint8_t *at = data + offset * width;
    FL_TRY(align(in, &at, rows, width, err));
    FL_TRY(check_range(in, place, type, at, rows, valid, err));
    fl_vec_set_flat(ret, type, at, valid);
cleanup:
    return st;
}

static void release_array(fl_segment *segment)
{
    struct ArrowArray *array = segment->owner;
    array->release(array);
    free(array);
}

static void count_nulls(fl_segment *segment)
{
    for (int32_t c = 0; c < segment->n_cols; c++)
        segment->nulls[c] =
            segment->vecs[c].valid == NULL ? 0 : segment->rows - fl_bitmap_count(segment->vecs[c].valid, segment->rows);
}

/* A batch is a struct, but its rows are rows: they cannot be null. */
static fl_status check_batch(const struct ArrowArray *array, fl_err *err)
{
    const uint8_t *bits = array->n_buffers > 0 && array->buffers != NULL ? array->buffers[0] : NULL;
    if (array->n_children > 0 && array->children == NULL)
        return FL_FAIL(err, FL_ERR_CORRUPT, "an Arrow array has columns, but does not say where");
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i] == NULL)
            return FL_FAIL(err, FL_ERR_CORRUPT, "an Arrow array lacks column %lld", (long long)i + 1);
    for (int64_t i = array->offset; bits != NULL && i < array->offset + array->length; i++)
        if ((bits[i >> 3] >> (i & 7) & 1) == 0)
            return FL_FAIL(err, FL_ERR_CORRUPT, "an Arrow array of rows says that row %lld is null as a whole",
                           (long long)(i - array->offset) + 1);
    if (bits == NULL && array->null_count > 0)
        return FL_FAIL(err, FL_ERR_CORRUPT, "an Arrow array of rows says that %lld of them are null",
                       (long long)array->null_count);
    return FL_OK;
}

static fl_status import_array(fl_memory *memory, fl_interrupt *interrupt, const struct ArrowSchema *schema,
                              struct ArrowArray *array, fl_arrow_import *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *segment = NULL;
    struct ArrowArray *kept = NULL;
    if (array->length < 0 || array->length > INT32_MAX || array->offset < 0 || array->offset > OFFSET_MAX) {
        st = FL_FAIL(err, FL_ERR_CORRUPT, "an Arrow array has %lld rows from row %lld", (long long)array->length,
                     (long long)array->offset);
        goto cleanup;
    }
    if (array->n_children != schema->n_children) {
        st = FL_FAIL(err, FL_ERR_CORRUPT, "an Arrow array has %lld columns, its schema %lld",
                     (long long)array->n_children, (long long)schema->n_children);
        goto cleanup;
    }
    FL_TRY(check_batch(array, err));
    FL_TRY(fl_segment_new(memory, ret->n_cols, &segment, err));
    segment->rows = array->length;
    importer in = {.arena = &segment->arena, .work = {interrupt, FL_WORK_STEPS}};
    for (int32_t c = 0; c < ret->n_cols; c++) {
        fl_type type; /* the segment's own: a table keeps segments longer than the import's fields */
        FL_TRY(fl_type_copy(&segment->arena, ret->fields[c].type, &type, err));
        array_place place = {.schema = schema->children[c]};
        FL_TRY(
            import_column(&in, &place, array->children[c], type, array->offset, array->length, &segment->vecs[c], err));
    }
    count_nulls(segment);
    for (int32_t c = 0; c < ret->n_cols; c++)
        FL_TRY(fl_vec_find_order(&segment->vecs[c], segment->rows, &in.work, &segment->order[c], err));
    for (int32_t c = 0; c < ret->n_cols; c++) /* what is there counts, not what was promised */
        ret->fields[c].nullable |= segment->nulls[c] > 0 || segment->vecs[c].type.id == FL_NULL;
    kept = malloc(sizeof(*kept));
    if (kept == NULL) {
        st = FL_FAIL(err, FL_ERR_MEMORY, "out of memory");
        goto cleanup;
    }
    FL_TRY(fl_grow(NULL, (void **)&ret->segments, &ret->capacity, ret->n_segments + 1, 8, err));
    *kept = *array;
    array->release = NULL; /* moved */
    segment->owner = kept;
    segment->release = release_array;
    ret->segments[ret->n_segments++] = segment;
    return FL_OK;
cleanup:
    free(kept);
    fl_segment_unref(segment);
    return st;
}

static fl_status name_columns(fl_memory *memory, fl_arrow_import *import, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *names = NULL, note;
    FL_TRY(FL_NEW_ARRAY(&import->arena, import->n_cols + 1, &names, err));
    for (int32_t c = 0; c < import->n_cols; c++)
        names[c] = import->fields[c].name;
    FL_TRY(fl_names_tell_apart(&import->arena, memory, names, import->n_cols, &note, err));
    for (int32_t c = 0; c < import->n_cols; c++)
        import->fields[c].name = names[c];
cleanup:
    return st;
}

/* A producer tells of what happened by an errno; ours by these two, among others. */
static fl_status fail_stream(struct ArrowArrayStream *stream, int failure, const char *how, fl_err *err)
{
    const char *why = stream->get_last_error(stream);
    fl_status code = failure == ENOMEM ? FL_ERR_MEMORY : failure == ECANCELED ? FL_ERR_CANCELLED : FL_ERR_IO;
    return FL_FAIL(err, code, "the Arrow stream %s: %s", how, why == NULL ? "no reason given" : why);
}

fl_status fl_arrow_import_stream(fl_memory *memory, fl_interrupt *interrupt, struct ArrowArrayStream *stream,
                                 fl_arrow_import *ret, fl_err *err)
{
    fl_status st = FL_OK;
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    int failure;
    *ret = (fl_arrow_import){0};
    fl_arena_init(&ret->arena, memory);
    if (stream->release == NULL)
        return FL_FAIL(err, FL_ERR_CORRUPT, "the Arrow stream was released already");
    if (stream->get_schema == NULL || stream->get_next == NULL || stream->get_last_error == NULL) {
        st = FL_FAIL(err, FL_ERR_CORRUPT, "the Arrow stream lacks a function");
        goto cleanup;
    }
    failure = stream->get_schema(stream, &schema);
    if (failure != 0) {
        st = fail_stream(stream, failure, "gives no schema", err);
        schema.release = NULL;
        goto cleanup;
    }
    if (schema.release == NULL) {
        st = FL_FAIL(err, FL_ERR_CORRUPT, "the Arrow stream's schema was released already");
        goto cleanup;
    }
    if (schema.format == NULL || strcmp(schema.format, "+s") != 0) {
        st = FL_FAIL(err, FL_ERR_TYPE, "an Arrow stream of structs was expected, found \"%s\"",
                     schema.format == NULL ? "" : schema.format);
        goto cleanup;
    }
    if (schema.n_children < 0 || schema.n_children >= INT32_MAX || !has_all_children(&schema)) {
        st = FL_FAIL(err, FL_ERR_CORRUPT, "an Arrow schema has %lld columns", (long long)schema.n_children);
        goto cleanup;
    }
    ret->n_cols = (int32_t)schema.n_children;
    FL_TRY(FL_NEW_ARRAY(&ret->arena, ret->n_cols + 1, &ret->fields, err));
    for (int32_t c = 0; c < ret->n_cols; c++) {
        const struct ArrowSchema *child = schema.children[c];
        ret->fields[c].nullable = (child->flags & ARROW_FLAG_NULLABLE) != 0;
        FL_TRY(name_of(&ret->arena, child, &ret->fields[c].name, err));
        FL_TRY(value_type_of(&ret->arena, child, &ret->fields[c].type, err, 0));
    }
    FL_TRY(name_columns(memory, ret, err));
    for (;;) {
        FL_TRY(fl_interrupt_check(interrupt, err));
        failure = stream->get_next(stream, &array);
        if (failure != 0) {
            st = fail_stream(stream, failure, "failed", err);
            array.release = NULL;
            goto cleanup;
        }
        if (array.release == NULL)
            break;
        st = import_array(memory, interrupt, &schema, &array, ret, err);
        if ((st == FL_ERR_CORRUPT || st == FL_ERR_VALUE) && ret->n_segments > 0)
            fl_err_prefix(err, "batch %lld: ", (long long)ret->n_segments + 1);
        FL_TRY(st);
        array = (struct ArrowArray){0};
    }
cleanup:
    if (array.release != NULL)
        array.release(&array);
    if (schema.release != NULL)
        schema.release(&schema);
    stream->release(stream);
    if (st != FL_OK)
        fl_arrow_import_drop(ret);
    return st;
}

void fl_arrow_import_drop(fl_arrow_import *import)
{
    for (int64_t i = 0; i < import->n_segments; i++)
        fl_segment_unref(import->segments[i]);
    fl_free(import->segments);
    fl_arena_drop(&import->arena);
    *import = (fl_arrow_import){0};
}
