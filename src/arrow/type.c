/* Types: names, widths, meeting points. */
#include "arrow/type.h"

#include "base/hash.h"

#include <stdio.h>

static const struct {
    const char *name; /* as DESCRIBE prints it */
    int32_t width;
} types[FL_TYPE_COUNT] = {
    [FL_NULL] = {"null", 0},
    [FL_BOOL] = {"boolean", 0},
    [FL_I8] = {"tinyint", 1},
    [FL_I16] = {"smallint", 2},
    [FL_I32] = {"integer", 4},
    [FL_I64] = {"bigint", 8},
    [FL_U8] = {"utinyint", 1},
    [FL_U16] = {"usmallint", 2},
    [FL_U32] = {"uinteger", 4},
    [FL_U64] = {"ubigint", 8},
    [FL_F32] = {"real", 4},
    [FL_F64] = {"double", 8},
    [FL_DECIMAL] = {"decimal", 8},
    [FL_UTF8] = {"text", 16},
    [FL_BINARY] = {"bytea", 16},
    [FL_DATE] = {"date", 4},
    [FL_TIME] = {"time", 8},
    [FL_TIMESTAMP] = {"timestamp", 8},
    [FL_TIMESTAMPTZ] = {"timestamptz", 8},
    [FL_INTERVAL] = {"interval", 16},
    [FL_LIST] = {"list", 8},
    [FL_STRUCT] = {"struct", 0},
};

static const struct {
    const char *name;
    uint8_t id;
} names[] = {
    {"bool", FL_BOOL},
    {"boolean", FL_BOOL},
    {"tinyint", FL_I8},
    {"int1", FL_I8},
    {"smallint", FL_I16},
    {"int2", FL_I16},
    {"int16", FL_I16},
    {"short", FL_I16},
    {"integer", FL_I32},
    {"int", FL_I32},
    {"int4", FL_I32},
    {"int32", FL_I32},
    {"signed", FL_I32},
    {"bigint", FL_I64},
    {"int8", FL_I64},
    {"int64", FL_I64},
    {"long", FL_I64},
    {"utinyint", FL_U8},
    {"uint8", FL_U8},
    {"usmallint", FL_U16},
    {"uint16", FL_U16},
    {"uinteger", FL_U32},
    {"uint32", FL_U32},
    {"ubigint", FL_U64},
    {"uint64", FL_U64},
    {"real", FL_F32},
    {"float4", FL_F32},
    {"float32", FL_F32},
    {"double", FL_F64},
    {"double precision", FL_F64},
    {"float8", FL_F64},
    {"float64", FL_F64},
    {"float", FL_F64},
    {"decimal", FL_DECIMAL},
    {"numeric", FL_DECIMAL},
    {"dec", FL_DECIMAL},
    {"text", FL_UTF8},
    {"varchar", FL_UTF8},
    {"char", FL_UTF8},
    {"character varying", FL_UTF8},
    {"character", FL_UTF8},
    {"bpchar", FL_UTF8},
    {"string", FL_UTF8},
    {"utf8", FL_UTF8},
    {"bytea", FL_BINARY},
    {"blob", FL_BINARY},
    {"binary", FL_BINARY},
    {"varbinary", FL_BINARY},
    {"date", FL_DATE},
    {"time", FL_TIME},
    {"time without time zone", FL_TIME},
    {"timestamp", FL_TIMESTAMP},
    {"timestamp without time zone", FL_TIMESTAMP},
    {"datetime", FL_TIMESTAMP},
    {"timestamptz", FL_TIMESTAMPTZ},
    {"timestamp with time zone", FL_TIMESTAMPTZ},
    {"interval", FL_INTERVAL},
};

/* Names that stand for a type with its sizes, or for one over another. */
static const struct {
    const char *name;
    fl_type type;
} whole_names[] = {
    {"hugeint", FL_TYPE_DECIMAL(38, 0)},
    {"int128", FL_TYPE_DECIMAL(38, 0)},
    {"uhugeint", FL_TYPE_DECIMAL(38, 0)},
    {"uint128", FL_TYPE_DECIMAL(38, 0)},
    {"timestamp_s", {.id = FL_TIMESTAMP, .unit = FL_SECOND}},
    {"timestamp_ms", {.id = FL_TIMESTAMP, .unit = FL_MILLI}},
    {"timestamp_us", {.id = FL_TIMESTAMP, .unit = FL_MICRO}},
    {"timestamp_ns", {.id = FL_TIMESTAMP, .unit = FL_NANO}},
    {"json", FL_TYPE_JSON},
    {"jsonb", FL_TYPE_JSON},
    {"jsonpath", {.id = FL_UTF8}},
    {"uuid", FL_TYPE_UUID},
    {"guid", FL_TYPE_UUID},
    {"bit", {.id = FL_UTF8, .extension = FL_BIT}},
    {"varbit", {.id = FL_UTF8, .extension = FL_BIT}},
    {"bit varying", {.id = FL_UTF8, .extension = FL_BIT}},
    {"bitstring", {.id = FL_UTF8, .extension = FL_BIT}},
    {"timetz", {.id = FL_I64, .extension = FL_TIMETZ}},
    {"time with time zone", {.id = FL_I64, .extension = FL_TIMETZ}},
};

static const char *const extension_names[FL_EXTENSION_COUNT] = {
    [FL_JSON] = "json",     [FL_BIT] = "bit",   [FL_ENUM] = "enum",
    [FL_TIMETZ] = "timetz", [FL_UUID] = "uuid", [FL_MAP] = "map",
};

const fl_i128 fl_pow10_i128[39] = {
#define E(n) ((fl_i128)n)
#define E18 1000000000000000000LL
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000LL,
    100000000000LL,
    1000000000000LL,
    10000000000000LL,
    100000000000000LL,
    1000000000000000LL,
    10000000000000000LL,
    100000000000000000LL,
    E18,
    E(E18) * 10,
    E(E18) * 100,
    E(E18) * 1000,
    E(E18) * 10000,
    E(E18) * 100000,
    E(E18) * 1000000,
    E(E18) * 10000000,
    E(E18) * 100000000,
    E(E18) * 1000000000,
    E(E18) * 10000000000LL,
    E(E18) * 100000000000LL,
    E(E18) * 1000000000000LL,
    E(E18) * 10000000000000LL,
    E(E18) * 100000000000000LL,
    E(E18) * 1000000000000000LL,
    E(E18) * 10000000000000000LL,
    E(E18) * 100000000000000000LL,
    E(E18) * E18,
    E(E18) * E18 * 10,
    E(E18) * E18 * 100,
#undef E18
#undef E
};

const int64_t fl_pow10_i64[19] = {1,
                                  10,
                                  100,
                                  1000,
                                  10000,
                                  100000,
                                  1000000,
                                  10000000,
                                  100000000,
                                  1000000000,
                                  10000000000LL,
                                  100000000000LL,
                                  1000000000000LL,
                                  10000000000000LL,
                                  100000000000000LL,
                                  1000000000000000LL,
                                  10000000000000000LL,
                                  100000000000000000LL,
                                  1000000000000000000LL};

int32_t fl_type_width(fl_type type)
{
    if (type.id == FL_DECIMAL)
        return type.precision > FL_DECIMAL64_PRECISION_MAX ? 16 : 8;
    return types[type.id].width;
}

static bool has_digits(fl_type type)
{
    return type.id >= FL_TIME && type.id <= FL_INTERVAL;
}

fl_type fl_type_plain(fl_type type)
{
    return type.extension == FL_JSON || type.extension == FL_ENUM ? FL_TYPE(FL_UTF8) : type;
}

int32_t fl_type_time_digits(fl_type type)
{
    static const int8_t digits[] = {[FL_MICRO] = 6, [FL_SECOND] = 0, [FL_MILLI] = 3, [FL_NANO] = 9};
    FL_ASSERT(has_digits(type));
    return (type.id == FL_INTERVAL ? 9 : digits[type.unit]) - type.scale;
}

/* The finest unit that times of so many digits need. */
static fl_type type_of_digits(uint8_t id, int digits)
{
    fl_type type = FL_TYPE(id);
    if (id == FL_TIMESTAMP || id == FL_TIMESTAMPTZ)
        type.unit = digits == 0 ? FL_SECOND : digits <= 3 ? FL_MILLI : digits <= 6 ? FL_MICRO : FL_NANO;
    type.scale = (int8_t)(fl_type_time_digits(type) - digits);
    return type;
}

bool fl_type_is_longer_time(fl_type from, fl_type to)
{
    return has_digits(from) && from.id == to.id && from.unit == to.unit && from.scale >= to.scale;
}

const char *fl_extension_name(fl_extension extension)
{
    FL_ASSERT(extension < FL_EXTENSION_COUNT);
    return extension_names[extension] != NULL ? extension_names[extension] : "";
}

bool fl_type_is_equal(fl_type a, fl_type b)
{
    if (a.id != b.id || a.n_fields != b.n_fields || a.extension != b.extension)
        return false;
    if (a.n_fields > 0 && a.fields == b.fields)
        return true;
    if (a.id == FL_DECIMAL)
        return a.precision == b.precision && a.scale == b.scale;
    if (has_digits(a))
        return a.unit == b.unit && a.scale == b.scale;
    for (int32_t i = 0; i < a.n_fields; i++)
        if (!fl_type_is_equal(a.fields[i].type, b.fields[i].type) ||
            ((a.id == FL_STRUCT || a.extension == FL_ENUM) && !fl_str_is_equal(a.fields[i].name, b.fields[i].name)))
            return false;
    return true;
}

uint64_t fl_type_hash(fl_type type)
{
    uint64_t hash = fl_hash_combine(type.id | (uint64_t)type.extension << 8,
                                    (uint64_t)type.precision << 16 | (uint64_t)(uint8_t)type.scale << 8 | type.unit);
    for (int32_t i = 0; i < type.n_fields; i++) {
        hash = fl_hash_combine(hash, fl_hash_bytes(type.fields[i].name.data, type.fields[i].name.len));
        hash = fl_hash_combine(hash, fl_type_hash(type.fields[i].type));
    }
    return hash;
}

/* A field's name as SQL reads it back. */
static void print_name(fl_text *text, fl_str name)
{
    bool is_plain = name.len > 0 && !(name.data[0] >= '0' && name.data[0] <= '9');
    for (int64_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        is_plain &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c < 0;
    }
    if (!is_plain)
        fl_text_add_char(text, '"');
    for (int64_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"')
            fl_text_add_char(text, '"');
        fl_text_add_char(text, name.data[i]);
    }
    if (!is_plain)
        fl_text_add_char(text, '"');
}

/* enum('a', 'b'), map(text, integer), json. */
static void print_extension(fl_text *text, fl_type type)
{
    fl_text_add(text, fl_str_of(extension_names[type.extension]));
    if (type.extension == FL_MAP) {
        fl_text_add_char(text, '(');
        fl_type_print(text, fl_type_map_key(type));
        fl_text_add(text, FL_STR(", "));
        fl_type_print(text, fl_type_map_value(type));
        fl_text_add_char(text, ')');
    } else if (type.extension == FL_ENUM) {
        for (int32_t i = 0; i < type.n_fields; i++) {
            fl_text_add(text, i == 0 ? FL_STR("(") : FL_STR(", "));
            fl_text_add_quoted(text, type.fields[i].name, '\'');
        }
        fl_text_add_char(text, ')');
    }
}

void fl_type_print(fl_text *text, fl_type type)
{
    if (type.extension != FL_PLAIN) {
        print_extension(text, type);
        return;
    }
    if (type.id == FL_LIST) {
        fl_type_print(text, type.fields[0].type);
        if (fl_type_list_length(type) > 0)
            fl_text_addf(text, "[%d]", fl_type_list_length(type));
        else
            fl_text_add(text, FL_STR("[]"));
        return;
    }
    fl_text_add(text, fl_str_of(types[type.id].name));
    if (type.id == FL_DECIMAL)
        fl_text_addf(text, "(%d,%d)", type.precision, type.scale);
    else if (has_digits(type) && (type.unit != FL_MICRO || type.scale != 0))
        fl_text_addf(text, "(%d)", fl_type_time_digits(type));
    else if (type.id == FL_STRUCT) {
        for (int32_t i = 0; i < type.n_fields; i++) {
            fl_text_add(text, i == 0 ? FL_STR("(") : FL_STR(", "));
            print_name(text, type.fields[i].name);
            fl_text_add_char(text, ' ');
            fl_type_print(text, type.fields[i].type);
        }
        fl_text_add_char(text, ')');
    }
}

const char *fl_type_name(fl_type type, char *ret, int64_t bytes)
{
    fl_text text;
    fl_text_init(&text, NULL);
    fl_type_print(&text, type);
    snprintf(ret, (size_t)bytes, "%s", text.data == NULL ? types[type.id].name : text.data);
    fl_text_drop(&text);
    return ret;
}

bool fl_type_from_name(fl_str name, int precision, int scale, fl_type *ret)
{
    for (int64_t i = 0; i < FL_LEN(whole_names); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(whole_names[i].name))) {
            *ret = whole_names[i].type;
            return precision < 0 || ret->extension == FL_BIT; /* whose length is not enforced, as that of varchar */
        }
    for (int64_t i = 0; i < FL_LEN(names); i++) {
        if (!fl_str_is_equal_nocase(name, fl_str_of(names[i].name)))
            continue;
        fl_type type = FL_TYPE(names[i].id);
        if (type.id == FL_DECIMAL) {
            type.precision = precision < 0 ? 18 : (uint8_t)precision;
            type.scale = scale >= 0 ? (int8_t)scale : precision < 0 ? 3 : 0;
            if (precision == 0 || precision > FL_DECIMAL_PRECISION_MAX || type.scale > (int8_t)type.precision)
                return false;
        }
        if (has_digits(type) && precision >= 0) {
            if (precision > (type.id == FL_TIME ? 6 : 9))
                return false;
            type = type_of_digits(type.id, precision);
        }
        *ret = type;
        return true;
    }
    return false;
}

fl_i128 fl_type_int_min(fl_type type)
{
    if (!fl_type_is_signed(type))
        return 0;
    return -((fl_i128)1 << (fl_type_width(type) * 8 - 1));
}

fl_i128 fl_type_int_max(fl_type type)
{
    int bits = fl_type_width(type) * 8;
    FL_ASSERT(bits <= 64);
    return ((fl_i128)1 << (fl_type_is_signed(type) ? bits - 1 : bits)) - 1;
}

int32_t fl_type_int_digits(fl_type type)
{
    static const int8_t digits[] = {[FL_I8] = 3, [FL_I16] = 5, [FL_I32] = 10, [FL_I64] = 19,
                                    [FL_U8] = 3, [FL_U16] = 5, [FL_U32] = 10, [FL_U64] = 20};
    return digits[type.id];
}

static bool common_integer(fl_type a, fl_type b, fl_type *ret)
{
    if (a.id == b.id) {
        *ret = a;
        return true;
    }
    fl_i128 low = fl_type_int_min(a) < fl_type_int_min(b) ? fl_type_int_min(a) : fl_type_int_min(b);
    fl_i128 high = fl_type_int_max(a) > fl_type_int_max(b) ? fl_type_int_max(a) : fl_type_int_max(b);
    if (low == 0) { /* both unsigned: the wider */
        *ret = fl_type_width(a) > fl_type_width(b) ? a : b;
        return true;
    }
    for (int id = FL_I8; id <= FL_I64; id++)
        if (fl_type_int_min(FL_TYPE(id)) <= low && fl_type_int_max(FL_TYPE(id)) >= high) {
            *ret = FL_TYPE(id);
            return true;
        }
    *ret = FL_TYPE_DECIMAL(20, 0);
    return true;
}

static fl_type as_decimal(fl_type type)
{
    return type.id == FL_DECIMAL ? type : FL_TYPE_DECIMAL(fl_type_int_digits(type), 0);
}

static bool common_numeric(fl_type a, fl_type b, fl_type *ret)
{
    if (fl_type_is_integer(a) && fl_type_is_integer(b))
        return common_integer(a, b, ret);
    if (fl_type_is_float(a) || fl_type_is_float(b)) {
        *ret = a.id == FL_F32 && b.id == FL_F32 ? a : FL_TYPE(FL_F64);
        return true;
    }
    a = as_decimal(a);
    b = as_decimal(b);
    int scale = a.scale > b.scale ? a.scale : b.scale;
    int whole = a.precision - a.scale > b.precision - b.scale ? a.precision - a.scale : b.precision - b.scale;
    int precision = whole + scale > FL_DECIMAL_PRECISION_MAX ? FL_DECIMAL_PRECISION_MAX : whole + scale;
    *ret = FL_TYPE_DECIMAL(precision, scale);
    return true;
}

/* One side where it does for both, else a type whose fields are made in the arena. */
static bool common_nested(fl_arena *arena, fl_type a, fl_type b, fl_type *ret)
{
    bool a_holds = true, b_holds = true;
    fl_field *fields = NULL;
    if (a.id != b.id || a.n_fields != b.n_fields || a.extension != b.extension)
        return false;
    for (int32_t i = 0; i < a.n_fields; i++) {
        fl_type common;
        if (!fl_type_common_in(arena, a.fields[i].type, b.fields[i].type, &common) ||
            (a.id == FL_STRUCT && !fl_str_is_equal_nocase(a.fields[i].name, b.fields[i].name)))
            return false;
        a_holds &= fl_type_is_equal(a.fields[i].type, common);
        b_holds &= fl_type_is_equal(b.fields[i].type, common);
    }
    *ret = a_holds ? a : b;
    if (a_holds || b_holds)
        return true;
    if (arena == NULL || FL_NEW_ARRAY(arena, a.n_fields, &fields, NULL) != FL_OK)
        return false;
    for (int32_t i = 0; i < a.n_fields; i++) {
        fields[i] = a.fields[i];
        fl_type_common_in(arena, a.fields[i].type, b.fields[i].type, &fields[i].type);
    }
    ret->fields = fields;
    return true;
}

bool fl_type_common_in(fl_arena *arena, fl_type a, fl_type b, fl_type *ret)
{
    if (a.id == FL_NULL || fl_type_is_equal(a, b)) {
        *ret = fl_type_is_text(a) && b.precision == 0 ? a : b; /* the one with a collation */
        return true;
    }
    if (b.id == FL_NULL) {
        *ret = a;
        return true;
    }
    if (fl_type_is_numeric(a) && fl_type_is_numeric(b))
        return common_numeric(a, b, ret);
    if ((a.extension == FL_TIMETZ && b.id == FL_TIME) || (a.id == FL_TIME && b.extension == FL_TIMETZ)) {
        *ret = a.id == FL_TIME ? b : a;
        return true;
    }
    if ((a.extension != FL_PLAIN || b.extension != FL_PLAIN) && a.extension != FL_MAP) {
        *ret = fl_type_plain(a);
        return fl_type_is_text(*ret) && fl_type_is_text(fl_type_plain(b));
    }
    if ((a.id == FL_DATE || fl_type_is_timestamp(a)) && (b.id == FL_DATE || fl_type_is_timestamp(b))) {
        uint8_t id = a.id == FL_TIMESTAMPTZ || b.id == FL_TIMESTAMPTZ ? FL_TIMESTAMPTZ : FL_TIMESTAMP;
        *ret = FL_TYPE(id);
        if (a.id == FL_DATE || b.id == FL_DATE) {
            ret->unit = a.id == FL_DATE ? b.unit : a.unit;
            ret->scale = a.id == FL_DATE ? b.scale : a.scale;
        } else if (a.unit == b.unit) {
            ret->unit = a.unit;
            ret->scale = a.scale < b.scale ? a.scale : b.scale;
        } else {
            ret->unit = a.unit == FL_NANO || b.unit == FL_NANO ? FL_NANO : FL_MICRO;
        }
        return true;
    }
    if (has_digits(a) && a.id == b.id) {
        *ret = a.scale < b.scale ? a : b;
        return true;
    }
    return fl_type_is_nested(a) && common_nested(arena, a, b, ret);
}

bool fl_type_common(fl_type a, fl_type b, fl_type *ret)
{
    return fl_type_common_in(NULL, a, b, ret);
}

bool fl_type_is_scaled_apart(fl_type a, fl_type b)
{
    if ((a.id == FL_DECIMAL || b.id == FL_DECIMAL) && fl_type_is_numeric(a) && fl_type_is_numeric(b) &&
        !fl_type_is_float(a) && !fl_type_is_float(b)) {
        a = as_decimal(a);
        b = as_decimal(b);
        int scale = a.scale > b.scale ? a.scale : b.scale;
        int whole = a.precision - a.scale > b.precision - b.scale ? a.precision - a.scale : b.precision - b.scale;
        return whole + scale > FL_DECIMAL_PRECISION_MAX;
    }
    if (fl_type_is_timestamp(a) && fl_type_is_timestamp(b))
        return a.unit != b.unit;
    return (a.id == FL_DATE && fl_type_is_timestamp(b) && b.unit == FL_NANO) ||
           (b.id == FL_DATE && fl_type_is_timestamp(a) && a.unit == FL_NANO);
}

typedef struct measure {
    int32_t parts;
    int32_t depth; /* the deepest */
} measure;

static void measure_type(fl_type type, int32_t depth, measure *m)
{
    m->depth = depth > m->depth ? depth : m->depth;
    for (int32_t i = 0; i < type.n_fields && m->parts <= FL_TYPE_PARTS_MAX && m->depth <= FL_TYPE_DEPTH_MAX; i++) {
        m->parts++;
        measure_type(type.fields[i].type, depth + (type.fields[i].type.n_fields > 0), m);
    }
}

fl_status fl_type_check_size(const fl_field *fields, int32_t n, fl_err *err)
{
    measure m = {0};
    measure_type((fl_type){.id = FL_STRUCT, .n_fields = n, .fields = fields}, 1, &m);
    if (m.depth > FL_TYPE_DEPTH_MAX)
        return fl_err_state(
            err, "54001",
            FL_FAIL(err, FL_ERR_LIMIT, "lists and structs are nested at most %d deep", FL_TYPE_DEPTH_MAX));
    if (m.parts > FL_TYPE_PARTS_MAX) /* fields of structs in structs multiply */
        return FL_FAIL(err, FL_ERR_LIMIT, "a type has at most %d fields, with those of its fields", FL_TYPE_PARTS_MAX);
    return FL_OK;
}

fl_status fl_type_list_of(fl_arena *arena, fl_type element, fl_type *ret, fl_err *err)
{
    fl_field *field;
    fl_status st = FL_NEW(arena, &field, err);
    if (st != FL_OK)
        return st;
    *field = (fl_field){.name = FL_STR("item"), .type = element, .nullable = true};
    st = fl_type_check_size(field, 1, err);
    if (st != FL_OK)
        return st;
    *ret = (fl_type){.id = FL_LIST, .n_fields = 1, .fields = field};
    return FL_OK;
}

fl_status fl_type_as_known(fl_arena *arena, fl_type type, uint32_t known, fl_type *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    *ret = type;
    if (type.extension != FL_PLAIN && (known & FL_KNOWS(type.extension)) == 0) {
        *ret = FL_TYPE(FL_UTF8);
        return FL_OK;
    }
    for (int32_t i = 0; i < type.n_fields && fl_type_is_nested(type); i++) {
        fl_type inner;
        FL_TRY(fl_type_as_known(arena, type.fields[i].type, known, &inner, err));
        if (fl_type_is_equal(inner, type.fields[i].type))
            continue;
        if (fields == NULL) {
            FL_TRY(FL_NEW_ARRAY(arena, type.n_fields, &fields, err));
            memcpy(fields, type.fields, (size_t)type.n_fields * sizeof(*fields));
            ret->fields = fields;
        }
        fields[i].type = inner;
    }
cleanup:
    return st;
}

fl_status fl_type_map_of(fl_arena *arena, fl_type key, fl_type value, fl_type *ret, fl_err *err)
{
    fl_field *entry;
    fl_status st = FL_NEW_ARRAY(arena, 2, &entry, err);
    if (st != FL_OK)
        return st;
    entry[0] = (fl_field){.name = FL_STR("key"), .type = key};
    entry[1] = (fl_field){.name = FL_STR("value"), .type = value, .nullable = true};
    st = fl_type_list_of(arena, (fl_type){.id = FL_STRUCT, .n_fields = 2, .fields = entry}, ret, err);
    ret->extension = FL_MAP;
    return st;
}

bool fl_type_is_row(fl_type type)
{
    char name[16];
    for (int32_t i = 0; i < type.n_fields; i++) {
        int len = snprintf(name, sizeof(name), "f%d", i + 1);
        if (!fl_str_is_equal(type.fields[i].name, (fl_str){name, len}))
            return false;
    }
    return type.id == FL_STRUCT && type.n_fields > 0;
}

fl_status fl_type_copy(fl_arena *arena, fl_type type, fl_type *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    *ret = type;
    if (type.n_fields == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(arena, type.n_fields, &fields, err));
    for (int32_t i = 0; i < type.n_fields; i++) {
        fields[i].nullable = type.fields[i].nullable;
        FL_TRY(fl_arena_copy_str(arena, type.fields[i].name, &fields[i].name, err));
        FL_TRY(fl_type_copy(arena, type.fields[i].type, &fields[i].type, err));
    }
    ret->fields = fields;
cleanup:
    return st;
}
