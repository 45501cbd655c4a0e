/* Types: Arrow's, with SQL's names. A type is a small value, compared structurally.
 *
 * A type says how its values lie (`id`) and, where SQL has a type of its own over that, which one (`extension`, Arrow's word). Who
 * moves, hashes or compares values goes by the id; who reads a meaning into them asks for the extension first: the tests
 * fl_type_is_integer, fl_type_is_numeric and the like are of plain types alone, fl_type_is_string and fl_type_is_nested of how values lie.
 *
 * How values of each type lie in a flat vector ("width" bytes each, canonical):
 *
 *     bool                 bits                     date             int32, days since 1970-01-01
 *     int8 .. uint64       as named                 time             int64, microseconds since midnight
 *     float32, float64     IEEE                     timestamp        int64, in `unit` since 1970-01-01, no zone
 *     decimal(p ≤ 18, s)   int64                    timestamptz      int64, in `unit` since 1970-01-01 UTC
 *     decimal(p > 18, s)   __int128, or int64       interval         fl_interval: months, days, nanoseconds
 *                          where vec.width is 8     list             fl_list_entry: start and length in the child
 *     utf8, binary         fl_view or offsets       struct           children of the same length
 *
 * Field arrays of nested types are borrowed from an arena that outlives every use of the type. */
#ifndef FL_ARROW_TYPE_H
#define FL_ARROW_TYPE_H

#include "base/arena.h"
#include "base/text.h"

typedef __int128 fl_i128;
typedef unsigned __int128 fl_u128;

typedef enum fl_type_id {
    FL_NULL, /* the type of a bare NULL; coerces to any */
    FL_BOOL,
    FL_I8,
    FL_I16,
    FL_I32,
    FL_I64,
    FL_U8,
    FL_U16,
    FL_U32,
    FL_U64,
    FL_F32,
    FL_F64,
    FL_DECIMAL,
    FL_UTF8,
    FL_BINARY,
    FL_DATE,
    FL_TIME,
    FL_TIMESTAMP,
    FL_TIMESTAMPTZ,
    FL_INTERVAL,
    FL_LIST,
    FL_STRUCT,
    FL_TYPE_COUNT
} fl_type_id;

typedef enum fl_time_unit { FL_MICRO, FL_SECOND, FL_MILLI, FL_NANO } fl_time_unit; /* the default is 0 */

/* Types of SQL over others. */
typedef enum fl_extension {
    FL_PLAIN,  /* none: the id says it all */
    FL_JSON,   /* text that is JSON, as it was written */
    FL_BIT,    /* text of 0 and 1, whose order is that of bit strings */
    FL_ENUM,   /* uint32, the place of the value's name among `fields` */
    FL_TIMETZ, /* int64, base/time_zoned.h */
    FL_UUID,   /* decimal(38, 0) in 16 bytes, base/uuid.h */
    FL_MAP,    /* list of structs of key and value, each key once */
    FL_EXTENSION_COUNT
} fl_extension;

typedef struct fl_field fl_field;

typedef struct fl_type {
    uint8_t id;        /* fl_type_id */
    uint8_t precision; /* decimal: 1 .. 38; text: its collation (base/collation.h), a list: see fl_type_list_length */
    int8_t scale;      /* decimal; times and intervals: digits of the unit that are left out, time(2): 4 */
    uint8_t unit;      /* timestamp, timestamptz: fl_time_unit */
    int32_t n_fields : 24;  /* struct: fields; list: 1 (the element); enum: names; else 0 */
    uint32_t extension : 8; /* fl_extension */
    const fl_field *fields;
} fl_type;

struct fl_field {
    fl_str name;
    fl_type type;
    bool nullable;
};

typedef struct fl_interval {
    int32_t months;
    int32_t days;
    int64_t nanos;
} fl_interval;

typedef struct fl_list_entry {
    int32_t start;
    int32_t len;
} fl_list_entry;

#define FL_TYPE(type_id) ((fl_type){.id = (type_id)})
#define FL_TYPE_DECIMAL(p, s) ((fl_type){.id = FL_DECIMAL, .precision = (uint8_t)(p), .scale = (int8_t)(s)})
#define FL_TYPE_JSON ((fl_type){.id = FL_UTF8, .extension = FL_JSON})
#define FL_TYPE_UUID ((fl_type){.id = FL_DECIMAL, .precision = 38, .extension = FL_UUID})
#define FL_DECIMAL_PRECISION_MAX 38
#define FL_DECIMAL64_PRECISION_MAX 18

static inline bool fl_type_is_integer(fl_type t)
{
    return t.id >= FL_I8 && t.id <= FL_U64 && t.extension == FL_PLAIN;
}
static inline bool fl_type_is_signed(fl_type t)
{
    return t.id >= FL_I8 && t.id <= FL_I64 && t.extension == FL_PLAIN;
}
static inline bool fl_type_is_float(fl_type t)
{
    return t.id == FL_F32 || t.id == FL_F64;
}
static inline bool fl_type_is_numeric(fl_type t)
{
    return t.id >= FL_I8 && t.id <= FL_DECIMAL && t.extension == FL_PLAIN;
}
static inline bool fl_type_is_string(fl_type t)
{
    return t.id == FL_UTF8 || t.id == FL_BINARY;
}
static inline bool fl_type_is_decimal(fl_type t)
{
    return t.id == FL_DECIMAL && t.extension == FL_PLAIN;
}
static inline bool fl_type_is_text(fl_type t)
{
    return t.id == FL_UTF8 && t.extension == FL_PLAIN;
}
static inline bool fl_type_is_nested(fl_type t)
{
    return t.id == FL_LIST || t.id == FL_STRUCT;
}
static inline bool fl_type_is_timestamp(fl_type t)
{
    return t.id == FL_TIMESTAMP || t.id == FL_TIMESTAMPTZ;
}

/** Bytes of one value in a flat vector in canonical form; 0 for bool (bits), null and struct. */
int32_t fl_type_width(fl_type type);

/** Whether values are whole numbers of 4 or 8 bytes: integers, dates, timestamps, decimals of up to 18 digits. */
static inline bool fl_type_is_whole_word(fl_type type)
{
    int32_t width = fl_type_width(type);
    return (fl_type_is_signed(type) || type.id == FL_DATE || fl_type_is_timestamp(type) || type.id == FL_DECIMAL) &&
           (width == 4 || width == 8);
}

bool fl_type_is_equal(fl_type a, fl_type b);

/** Stable across processes. */
uint64_t fl_type_hash(fl_type type);

/** Adds the SQL name: "integer", "decimal(15,2)", "timestamp", "struct(a integer, b text)", "integer[]". */
void fl_type_print(fl_text *text, fl_type type);

#define FL_TYPE_LIST_LENGTH_MAX 100000

/** How many elements a list's type says that it has, integer[3]; 0: any number. Kept where a decimal has its digits; types that differ in
 *  it alone are equal. */
static inline int32_t fl_type_list_length(fl_type type)
{
    return type.id == FL_LIST && type.extension == FL_PLAIN
               ? type.precision | (int32_t)(uint8_t)type.scale << 8 | (int32_t)type.unit << 16
               : 0;
}

static inline fl_type fl_type_with_length(fl_type list, int32_t length)
{
    list.precision = (uint8_t)length;
    list.scale = (int8_t)(length >> 8);
    list.unit = (uint8_t)(length >> 16);
    return list;
}

/** What an extension is called where functions over it have names of their own, "bit length"; empty: there is none. */
const char *fl_extension_name(fl_extension extension);

/** The SQL name in a buffer of the caller's; cut where it does not fit. Returns `ret`. */
const char *fl_type_name(fl_type type, char *ret, int64_t bytes);
#define FL_TYPE_NAME(type) fl_type_name((type), (char[96]){0}, 96)

/** Reads a type name as SQL writes it (with modifiers given apart: `decimal` and precision, scale; -1 = not given).
 *  Understands PostgreSQL's and DuckDB's names. False when there is no such type. */
bool fl_type_from_name(fl_str name, int precision, int scale, fl_type *ret);

/** Digits of a second that values of a time, timestamp or interval have: time(2): 2. */
int32_t fl_type_time_digits(fl_type type);

/** The plain type that a function takes a value for which knows nothing of its type: JSON and enums are text. The type itself where there
 *  is none. */
fl_type fl_type_plain(fl_type type);

/** *ret = the type in which values of `type` go to a place that knows, of the types over others, those in `known` alone (bits of
 *  FL_KNOWS): the others become text, in lists, structs and maps, too. Fields of a type that changes lie in the arena. */
fl_status fl_type_as_known(fl_arena *arena, fl_type type, uint32_t known, fl_type *ret, fl_err *err);
#define FL_KNOWS(extension) (1u << (extension))

/** *ret = a map, its fields in the arena. FL_ERR_LIMIT as fl_type_check_size. */
fl_status fl_type_map_of(fl_arena *arena, fl_type key, fl_type value, fl_type *ret, fl_err *err);

/* The types of a map's keys and values. */
static inline fl_type fl_type_map_key(fl_type map)
{
    return map.fields[0].type.fields[0].type;
}
static inline fl_type fl_type_map_value(fl_type map)
{
    return map.fields[0].type.fields[1].type;
}

/** Whether two types of times or intervals differ at most in digits that the second has more. */
bool fl_type_is_longer_time(fl_type from, fl_type to);

/** The smallest and largest value of an integer type. */
fl_i128 fl_type_int_min(fl_type type);
fl_i128 fl_type_int_max(fl_type type);

/** Decimal digits that hold every value of an integer type (uint64: 20). */
int32_t fl_type_int_digits(fl_type type);

/** 10^n for n in 0 .. 38. */
extern const fl_i128 fl_pow10_i128[39];
extern const int64_t fl_pow10_i64[19];

/** The type that two branches of a CASE, UNION or comparison meet in (PostgreSQL's rules with fletch's integer ladder):
 *  null with any; integers to the smallest signed type holding both (uint64 with signed: decimal(20,0)); integer with
 *  decimal: decimal; anything numeric with float64: float64; date with timestamp: timestamp; timestamp with timestamptz:
 *  timestamptz; lists and structs of the same names in the one of them that holds both. False when there is none (text
 *  meets only text: literals are coerced by the binder). */
bool fl_type_common(fl_type a, fl_type b, fl_type *ret);

/** The same; lists and structs of which neither holds the other's values (decimal(3,1)[] and decimal(3,2)[]) meet in a type whose
 *  fields are made in the arena and whose names are a's. Also false where there is no memory. */
bool fl_type_common_in(fl_arena *arena, fl_type a, fl_type b, fl_type *ret);

/** Whether no type holds the values of both exactly: decimals (and integers beside them) that would need more than 38
 *  digits, timestamps of different units (the range of the finer one ends in 2262). They are compared as they are, by
 *  fl_value_compare_scaled. */
bool fl_type_is_scaled_apart(fl_type a, fl_type b);

/** *ret = a list of `element`, its field in the arena. */
fl_status fl_type_list_of(fl_arena *arena, fl_type element, fl_type *ret, fl_err *err);

/* Lists in lists, structs in structs. */
#define FL_TYPE_DEPTH_MAX 64

/* Fields of a type, of its fields' types, and so on. */
#define FL_TYPE_PARTS_MAX 1000000

/** FL_ERR_LIMIT when a list or struct of these elements or fields would be nested deeper than FL_TYPE_DEPTH_MAX (54001), or have
 *  more than FL_TYPE_PARTS_MAX fields (54000). Whoever makes a nested type asks, so that walking types may recurse. */
fl_status fl_type_check_size(const fl_field *fields, int32_t n, fl_err *err);

/** Whether a struct is a row: its fields are called f1, f2, ..., as those of ROW(...) are. Rows are printed as PostgreSQL
 *  prints them, "(1,a b)", other structs as "{'a': 1}". */
bool fl_type_is_row(fl_type type);

/** Copies the field arrays of a nested type into an arena. */
fl_status fl_type_copy(fl_arena *arena, fl_type type, fl_type *ret, fl_err *err);

#endif
