/* Types as Parquet's: what is stored, how it is annotated (parquet-format, LogicalTypes.md). All columns, fields and elements may be null
 * but the keys of maps; a list is a group of a repeated group `list` of `element`, a map of a repeated group `key_value`. */
#include "format/parquet/write_schema.h"

#include "base/uuid.h"
#include "format/parquet/metadata.h"
#include "format/parquet/thrift.h"

enum { REQUIRED = 0, OPTIONAL = 1, REPEATED = 2, CONVERTED_MAP = 1, CONVERTED_LIST = 3, CONVERTED_INTERVAL = 21 };

/* Fields of the LogicalType union. */
enum {
    LOGICAL_STRING = 1,
    LOGICAL_MAP = 2,
    LOGICAL_LIST = 3,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIME = 7,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10,
    LOGICAL_UNKNOWN = 11,
    LOGICAL_JSON = 12,
    LOGICAL_UUID = 14
};

/* How a type is stored. The older annotation is there for readers that know no other; negative: none says the same. */
typedef struct storage {
    int32_t physical, type_length;
    uint8_t lay, rank;
    int32_t logical; /* 0: none */
    int32_t converted;
} storage;

static storage storage_of(fl_type type)
{
    if (type.extension == FL_UUID)
        return (storage){FL_PQ_FIXED, FL_UUID_BYTES, FL_PQ_LAY_BYTES, FL_PQ_RANK_BYTES, LOGICAL_UUID, -1};
    if (type.extension == FL_JSON)
        return (storage){FL_PQ_BYTE_ARRAY, 0, FL_PQ_LAY_BYTES, FL_PQ_RANK_BYTES, LOGICAL_JSON, 19};
    FL_ASSERT(type.extension == FL_PLAIN);
    switch (type.id) {
    case FL_NULL:
        return (storage){FL_PQ_INT32, 0, FL_PQ_LAY_4, FL_PQ_RANK_NONE, LOGICAL_UNKNOWN, -1};
    case FL_BOOL:
        return (storage){FL_PQ_BOOLEAN, 0, FL_PQ_LAY_1, FL_PQ_RANK_UNSIGNED, 0, -1};
    case FL_I8:
        return (storage){FL_PQ_INT32, 0, FL_PQ_LAY_4, FL_PQ_RANK_SIGNED, LOGICAL_INTEGER, 15};
    case FL_I16:
        return (storage){FL_PQ_INT32, 0, FL_PQ_LAY_4, FL_PQ_RANK_SIGNED, LOGICAL_INTEGER, 16};
    case FL_I32:
        return (storage){FL_PQ_INT32, 0, FL_PQ_LAY_4, FL_PQ_RANK_SIGNED, 0, -1};
    case FL_I64:
        return (storage){FL_PQ_INT64, 0, FL_PQ_LAY_8, FL_PQ_RANK_SIGNED, 0, -1};
    case FL_U8:
        return (storage){FL_PQ_INT32, 0, FL_PQ_LAY_4, FL_PQ_RANK_UNSIGNED, LOGICAL_INTEGER, 11};
    case FL_U16:
        return (storage){FL_PQ_INT32, 0, FL_PQ_LAY_4, FL_PQ_RANK_UNSIGNED, LOGICAL_INTEGER, 12};
    case FL_U32:
        return (storage){FL_PQ_INT32, 0, FL_PQ_LAY_4, FL_PQ_RANK_UNSIGNED, LOGICAL_INTEGER, 13};
    case FL_U64:
        return (storage){FL_PQ_INT64, 0, FL_PQ_LAY_8, FL_PQ_RANK_UNSIGNED, LOGICAL_INTEGER, 14};
    case FL_F32:
        return (storage){FL_PQ_FLOAT, 0, FL_PQ_LAY_4, FL_PQ_RANK_FLOAT, 0, -1};
    case FL_F64:
        return (storage){FL_PQ_DOUBLE, 0, FL_PQ_LAY_8, FL_PQ_RANK_FLOAT, 0, -1};
    case FL_DECIMAL:
        if (type.precision <= 9)
            return (storage){FL_PQ_INT32, 0, FL_PQ_LAY_4, FL_PQ_RANK_SIGNED, LOGICAL_DECIMAL, 5};
        if (type.precision <= FL_DECIMAL64_PRECISION_MAX)
            return (storage){FL_PQ_INT64, 0, FL_PQ_LAY_8, FL_PQ_RANK_SIGNED, LOGICAL_DECIMAL, 5};
        return (storage){FL_PQ_FIXED, 16, FL_PQ_LAY_BYTES, FL_PQ_RANK_BIG_ENDIAN, LOGICAL_DECIMAL, 5};
    case FL_UTF8:
        return (storage){FL_PQ_BYTE_ARRAY, 0, FL_PQ_LAY_BYTES, FL_PQ_RANK_BYTES, LOGICAL_STRING, 0};
    case FL_BINARY:
        return (storage){FL_PQ_BYTE_ARRAY, 0, FL_PQ_LAY_BYTES, FL_PQ_RANK_BYTES, 0, -1};
    case FL_DATE:
        return (storage){FL_PQ_INT32, 0, FL_PQ_LAY_4, FL_PQ_RANK_SIGNED, LOGICAL_DATE, 6};
    case FL_TIME:
        return (storage){FL_PQ_INT64, 0, FL_PQ_LAY_8, FL_PQ_RANK_SIGNED, LOGICAL_TIME, -1};
    case FL_TIMESTAMP:
        return (storage){FL_PQ_INT64, 0, FL_PQ_LAY_8, FL_PQ_RANK_SIGNED, LOGICAL_TIMESTAMP, -1};
    case FL_TIMESTAMPTZ:
        return (storage){FL_PQ_INT64,       0,
                         FL_PQ_LAY_8,       FL_PQ_RANK_SIGNED,
                         LOGICAL_TIMESTAMP, type.unit == FL_MICRO ? 10 : type.unit == FL_NANO ? -1 : 9};
    default:
        FL_ASSERT(type.id == FL_INTERVAL);
        return (storage){FL_PQ_FIXED, 12, FL_PQ_LAY_BYTES, FL_PQ_RANK_NONE, 0, CONVERTED_INTERVAL};
    }
}

/* ---- elements ------------------------------------------------------------------------------------------------------ */

static void write_empty(fl_pq_thrift_out *w, int32_t id)
{
    fl_pq_write_struct_field(w, id);
    fl_pq_write_end(w);
}

/* Milliseconds, which also stand for whole seconds, microseconds, nanoseconds. */
static int32_t unit_of(fl_type type)
{
    return type.id == FL_TIME || type.unit == FL_MICRO ? 2 : type.unit == FL_NANO ? 3 : 1;
}

static void write_logical(fl_pq_thrift_out *w, fl_type type, int32_t logical)
{
    fl_pq_write_struct_field(w, 10);
    fl_pq_write_struct_field(w, logical);
    switch (logical) {
    case LOGICAL_DECIMAL:
        fl_pq_write_i32(w, 1, type.scale);
        fl_pq_write_i32(w, 2, type.precision);
        break;
    case LOGICAL_TIME:
    case LOGICAL_TIMESTAMP:
        fl_pq_write_bool(w, 1, type.id == FL_TIMESTAMPTZ);
        fl_pq_write_struct_field(w, 2);
        write_empty(w, unit_of(type));
        fl_pq_write_end(w);
        break;
    case LOGICAL_INTEGER:
        fl_pq_write_i8(w, 1, (int8_t)(fl_type_width(type) * 8));
        fl_pq_write_bool(w, 2, fl_type_is_signed(type));
        break;
    default:
        break;
    }
    fl_pq_write_end(w);
    fl_pq_write_end(w);
}

static void write_leaf(fl_pq_thrift_out *w, const fl_field *field, int32_t repetition)
{
    storage s = storage_of(field->type);
    fl_pq_write_struct(w);
    fl_pq_write_i32(w, 1, s.physical);
    if (s.type_length > 0)
        fl_pq_write_i32(w, 2, s.type_length);
    fl_pq_write_i32(w, 3, repetition);
    fl_pq_write_bytes(w, 4, field->name);
    if (s.converted >= 0)
        fl_pq_write_i32(w, 6, s.converted);
    if (s.logical == LOGICAL_DECIMAL) {
        fl_pq_write_i32(w, 7, field->type.scale);
        fl_pq_write_i32(w, 8, field->type.precision);
    }
    if (s.logical != 0)
        write_logical(w, field->type, s.logical);
    fl_pq_write_end(w);
}

/* logical: LOGICAL_LIST, LOGICAL_MAP, or 0. */
static void write_group(fl_pq_thrift_out *w, fl_str name, int32_t repetition, int32_t n_children, int32_t logical)
{
    fl_pq_write_struct(w);
    fl_pq_write_i32(w, 3, repetition);
    fl_pq_write_bytes(w, 4, name);
    fl_pq_write_i32(w, 5, n_children);
    if (logical != 0) {
        fl_pq_write_i32(w, 6, logical == LOGICAL_MAP ? CONVERTED_MAP : CONVERTED_LIST);
        write_logical(w, FL_TYPE(FL_LIST), logical);
    }
    fl_pq_write_end(w);
}

static void write_field(fl_pq_thrift_out *w, const fl_field *field, int32_t repetition)
{
    if (field->type.extension == FL_MAP) {
        const fl_field *entry = field->type.fields[0].type.fields;
        write_group(w, field->name, repetition, 1, LOGICAL_MAP);
        write_group(w, FL_STR("key_value"), REPEATED, 2, 0);
        write_field(w, &entry[0], REQUIRED);
        write_field(w, &entry[1], OPTIONAL);
    } else if (field->type.id == FL_LIST) {
        fl_field element = {.name = FL_STR("element"), .type = field->type.fields[0].type};
        write_group(w, field->name, repetition, 1, LOGICAL_LIST);
        write_group(w, FL_STR("list"), REPEATED, 1, 0);
        write_field(w, &element, OPTIONAL);
    } else if (field->type.id == FL_STRUCT) {
        write_group(w, field->name, repetition, field->type.n_fields, 0);
        for (int32_t i = 0; i < field->type.n_fields; i++)
            write_field(w, &field->type.fields[i], OPTIONAL);
    } else {
        write_leaf(w, field, repetition);
    }
}

static int64_t count_elements(fl_type type)
{
    int64_t n = type.id == FL_LIST && type.extension != FL_MAP ? 2 : 1; /* a map's repeated group is its struct */
    for (int32_t i = 0; i < type.n_fields; i++)
        n += count_elements(type.fields[i].type);
    return n;
}

void fl_pq_schema_write(fl_pq_thrift_out *w, int32_t id, const fl_field *fields, int32_t n)
{
    int64_t elements = 1;
    for (int32_t i = 0; i < n; i++)
        elements += count_elements(fields[i].type);
    fl_pq_write_list(w, id, FL_PQ_THRIFT_STRUCT, elements);
    fl_pq_write_struct(w); /* the root: it has no repetition */
    fl_pq_write_bytes(w, 4, FL_STR("schema"));
    fl_pq_write_i32(w, 5, n);
    fl_pq_write_end(w);
    for (int32_t i = 0; i < n; i++)
        write_field(w, &fields[i], OPTIONAL);
}

/* ---- leaves -------------------------------------------------------------------------------------------------------- */

typedef struct leaves {
    fl_arena *arena;
    fl_pq_out_leaf *list;
    int32_t n, capacity;
    int32_t column;
    fl_pq_step steps[FL_TYPE_DEPTH_MAX + 2];
    int32_t n_steps;
    fl_str path[3 * FL_TYPE_DEPTH_MAX + 3];
    int32_t n_path;
    int32_t def, rep;
} leaves;

/* What a field is to the map that it is part of: entries and keys are never null. */
typedef enum role { ROLE_NONE, ROLE_ENTRY, ROLE_KEY } role;

static fl_status add_leaf(leaves *l, fl_type type, bool is_required, fl_err *err)
{
    fl_status st = FL_OK;
    storage s = storage_of(type);
    if (l->n == l->capacity) {
        fl_pq_out_leaf *list = NULL;
        l->capacity = l->capacity * 2 + 16;
        FL_TRY(FL_NEW_ARRAY(l->arena, l->capacity, &list, err));
        if (l->n > 0)
            memcpy(list, l->list, (size_t)l->n * sizeof(*list));
        l->list = list;
    }
    fl_pq_out_leaf *leaf = &l->list[l->n];
    *leaf = (fl_pq_out_leaf){.column = l->column,
                             .n_steps = l->n_steps,
                             .n_path = l->n_path,
                             .type = type,
                             .physical = s.physical,
                             .type_length = s.type_length,
                             .lay = s.lay,
                             .rank = s.rank,
                             .is_required = is_required,
                             .def_max = l->def + !is_required,
                             .rep_max = l->rep};
    FL_TRY(FL_NEW_ARRAY(l->arena, l->n_steps + 1, &leaf->steps, err));
    FL_TRY(FL_NEW_ARRAY(l->arena, l->n_path, &leaf->path, err));
    memcpy(leaf->steps, l->steps, (size_t)l->n_steps * sizeof(*leaf->steps));
    memcpy(leaf->path, l->path, (size_t)l->n_path * sizeof(*leaf->path));
    l->n++;
cleanup:
    return st;
}

static fl_status add_leaves(leaves *l, const fl_field *field, role part, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_required = part != ROLE_NONE;
    int32_t before = l->n_path;
    l->path[l->n_path++] = field->name;
    if (!fl_type_is_nested(field->type)) {
        st = add_leaf(l, field->type, is_required, err);
        l->n_path = before;
        return st;
    }
    if (field->type.id == FL_STRUCT && field->type.n_fields == 0) {
        FL_FAIL(err, FL_ERR_UNSUPPORTED, "column \"%.*s\" has a struct without fields, which Parquet cannot hold",
                FL_STR_ARG(l->path[0]));
        return FL_ERR_UNSUPPORTED;
    }
    for (int32_t i = 0; i < field->type.n_fields; i++) {
        bool is_list = field->type.id == FL_LIST, is_map = field->type.extension == FL_MAP;
        fl_field child = field->type.fields[i];
        int32_t n_path = l->n_path;
        l->steps[l->n_steps++] = (fl_pq_step){.is_list = is_list, .is_required = is_required, .field = i};
        l->def += !is_required + is_list;
        l->rep += is_list;
        if (is_map) { /* the entries' struct is the repeated group itself */
            child.name = FL_STR("key_value");
        } else if (is_list) {
            l->path[l->n_path++] = FL_STR("list");
            child.name = FL_STR("element");
        }
        FL_TRY(add_leaves(l, &child, is_map ? ROLE_ENTRY : part == ROLE_ENTRY && i == 0 ? ROLE_KEY : ROLE_NONE, err));
        l->n_steps--;
        l->n_path = n_path;
        l->def -= !is_required + is_list;
        l->rep -= is_list;
    }
    l->n_path = before;
cleanup:
    return st;
}

fl_status fl_pq_leaves_make(fl_arena *arena, const fl_field *fields, int32_t n, fl_pq_out_leaf **ret, int32_t *ret_n,
                            fl_err *err)
{
    fl_status st = FL_OK;
    leaves l = {.arena = arena};
    for (int32_t i = 0; i < n; i++) {
        l.column = i;
        FL_TRY(add_leaves(&l, &fields[i], ROLE_NONE, err));
    }
    *ret = l.list;
    *ret_n = l.n;
cleanup:
    return st;
}
