/* Registering the caller's records: their description is held against itself and against the stride before a row is read. */
#include "base/nearest.h"
#include "base/utf8.h"
#include "engine/internal.h"
#include "fletch/records.h"
#include "store/record_table.h"

#include <stdlib.h>

#define FIELDS_MAX 2000 /* names are compared with each other */

static const char *const type_names[] = {
    "boolean",     "tinyint", "smallint", "integer", "bigint",  "utinyint", "usmallint", "uinteger", "ubigint",
    "real",        "double",  "decimal",  "text",    "varchar", "bytea",    "date",      "time",     "timestamp",
    "timestamptz", "int",     "float",    "numeric", "blob",    "bool",     "string",
};

static fl_status fail_field(const fl_record_field *field, const char *what, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_CONFIG, "field \"%s\" of the records %s", field->name, what);
}

static fl_status fail_type(const fl_record_field *field, fl_str name, fl_err *err)
{
    fl_nearest near;
    fl_status st = FL_FAIL(err, FL_ERR_TYPE, "field \"%s\" of the records has the type \"%s\", which there is not",
                           field->name, field->type);
    fl_nearest_init(&near, name);
    for (int64_t i = 0; i < FL_LEN(type_names); i++)
        fl_nearest_offer(&near, fl_str_of(type_names[i]));
    fl_nearest_hint(&near, err);
    return fl_err_state(err, "42704", st);
}

/* "decimal(12, 2)": a name, and up to two numbers in parentheses. */
static bool read_sizes(const char *text, int *ret_sizes)
{
    char *end = NULL;
    for (int i = 0; i < 2; i++) {
        long size = strtol(text, &end, 10);
        if (end == text || size < 0 || size > 99)
            return false;
        ret_sizes[i] = (int)size;
        while (*end == ' ')
            end++;
        if (*end == ')')
            return end[1] == 0;
        if (*end != ',')
            return false;
        text = end + 1;
    }
    return false;
}

static fl_status read_type(const fl_record_field *field, fl_type *ret, fl_err *err)
{
    int sizes[2] = {-1, -1};
    fl_type plain;
    if (field->type == NULL)
        return fail_field(field, "has no type", err);
    const char *paren = strchr(field->type, '(');
    fl_str name = {field->type, paren != NULL ? paren - field->type : (int64_t)strlen(field->type)};
    while (name.len > 0 && name.data[name.len - 1] == ' ')
        name.len--;
    if (!fl_type_from_name(name, -1, -1, &plain))
        return fail_type(field, name, err);
    if ((paren != NULL && !read_sizes(paren + 1, sizes)) || !fl_type_from_name(name, sizes[0], sizes[1], ret)) {
        FL_FAIL(err, FL_ERR_TYPE, "field \"%s\" of the records has the type \"%s\", whose sizes it cannot have",
                field->name, field->type);
        if (plain.id == FL_DECIMAL)
            fl_err_hint(err, "write decimal(precision, scale): precision from 1 to 38, scale from 0 to the precision");
        return fl_err_state(err, "22023", FL_ERR_TYPE);
    }
    if (!fl_record_type_is_held(*ret))
        return FL_FAIL(err, FL_ERR_TYPE, "field \"%s\" of the records has the type %s, which records cannot hold",
                       field->name, FL_TYPE_NAME(*ret));
    return FL_OK;
}

static fl_status check_place(const fl_records *records, const fl_record_field *field, const char *what, int64_t offset,
                             int64_t bytes, fl_err *err)
{
    if (offset >= 0 && offset <= records->stride - bytes)
        return FL_OK;
    FL_FAIL(err, FL_ERR_CONFIG,
            "%s of field \"%s\" lies beyond its record: it takes bytes %lld to %lld, records are %lld bytes apart",
            what, field->name, (long long)offset, (long long)offset + bytes - 1, (long long)records->stride);
    fl_err_hint(err, "offset is offsetof(record, field), stride is sizeof(record)");
    return FL_ERR_CONFIG;
}

static fl_status check_null_value(const fl_record_column *column, fl_err *err)
{
    fl_type type = column->type;
    const fl_record_field *field = &column->field;
    bool is_whole = fl_type_is_integer(type) || type.id == FL_DATE || type.id == FL_TIME ||
                    fl_type_is_timestamp(type) || type.id == FL_DECIMAL;
    if (!is_whole) {
        fail_field(field, "is of a type that has no value for null", err);
        fl_err_hint(err, "FL_RECORD_NULL_VALUE is for whole numbers, dates, times, timestamps and decimals");
        return FL_ERR_CONFIG;
    }
    bool fits = type.id != FL_DATE || field->null_value == (int32_t)field->null_value;
    if (fl_type_is_integer(type))
        fits = type.id == FL_U64 /* all 64 bits say something */ ||
               (field->null_value >= fl_type_int_min(type) && field->null_value <= fl_type_int_max(type));
    return fits ? FL_OK : fail_field(field, "has a value for null that its type cannot hold", err);
}

static fl_status check_nulls(const fl_records *records, const fl_record_column *column, fl_err *err)
{
    const fl_record_field *field = &column->field;
    switch (field->nulls) {
    case FL_RECORD_NEVER_NULL:
        return FL_OK;
    case FL_RECORD_NULL_BYTE:
    case FL_RECORD_VALID_BYTE:
        return check_place(records, field, "the byte for null", field->null_offset, 1, err);
    case FL_RECORD_NULL_BIT:
    case FL_RECORD_VALID_BIT:
        return check_place(records, field, "the bit for null", field->null_offset, (int64_t)field->null_bit / 8 + 1,
                           err);
    case FL_RECORD_NULL_VALUE:
        return check_null_value(column, err);
    case FL_RECORD_NULL_NAN:
        return fl_type_is_float(column->type)
                   ? FL_OK
                   : fail_field(field, "is null where it is no number, but its type is not real or double", err);
    default:
        return fail_field(field, "has in `nulls` none of FL_RECORD_NEVER_NULL and its like", err);
    }
}

static fl_status check_text(const fl_records *records, const fl_record_column *column, fl_err *err)
{
    const fl_record_field *field = &column->field;
    uint32_t bytes = field->length_bytes;
    if (field->text > FL_RECORD_TEXT_ARRAY)
        return fail_field(field, "has in `text` none of FL_RECORD_TEXT_POINTER and its like", err);
    if (field->text == FL_RECORD_TEXT_POINTER && column->type.id == FL_BINARY) {
        fail_field(field, "is bytea behind a pointer without a length", err);
        fl_err_hint(err, "bytes may be 0: FL_RECORD_TEXT_SIZED says how many there are");
        return FL_ERR_CONFIG;
    }
    if (field->text == FL_RECORD_TEXT_ARRAY && bytes == 0)
        return fail_field(field, "is an array of length_bytes 0", err);
    if (field->text != FL_RECORD_TEXT_SIZED)
        return FL_OK;
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
        return fail_field(field, "has a length of length_bytes other than 1, 2, 4 or 8", err);
    return check_place(records, field, "the length", field->length_offset, bytes, err);
}

static fl_status check_field(const fl_records *records, fl_record_column *column, int32_t number, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_record_field *field = &column->field;
    if (field->name == NULL || field->name[0] == 0)
        return FL_FAIL(err, FL_ERR_CONFIG, "field %d of the records has no name", number);
    column->name = fl_str_of(field->name);
    int64_t bad = fl_utf8_check(column->name.data, column->name.len);
    if (bad >= 0) {
        st = FL_FAIL(err, FL_ERR_VALUE, "the name of field %d of the records is no UTF-8: byte 0x%02x at offset %lld",
                     number, (unsigned char)field->name[bad], (long long)bad);
        return fl_err_state(err, "22021", st);
    }
    FL_TRY(read_type(field, &column->type, err));
    if (fl_type_is_string(column->type))
        FL_TRY(check_text(records, column, err));
    FL_TRY(check_place(records, field, "the value", field->offset, fl_record_column_bytes(column), err));
    FL_TRY(check_nulls(records, column, err));
cleanup:
    return st;
}

static fl_status check_records(const fl_records *records, fl_err *err)
{
    if (records->size != sizeof(*records))
        return FL_FAIL(err, FL_ERR_CONFIG, "fl_records.size is %u, not %zu", records->size, sizeof(*records));
    if (records->n_fields < 1 || records->n_fields > FIELDS_MAX || records->fields == NULL)
        return FL_FAIL(err, FL_ERR_CONFIG, "records have 1 to %d fields, not %d", FIELDS_MAX,
                       records->fields == NULL ? 0 : records->n_fields);
    if (records->rows < 0 || records->stride < 1)
        return FL_FAIL(err, FL_ERR_CONFIG, "there cannot be %lld records, %lld bytes apart", (long long)records->rows,
                       (long long)records->stride);
    if (records->rows > INT64_MAX / records->stride)
        return FL_FAIL(err, FL_ERR_CONFIG, "%lld records of %lld bytes are more than memory has",
                       (long long)records->rows, (long long)records->stride);
    if (records->data == NULL && records->rows > 0)
        return FL_FAIL(err, FL_ERR_CONFIG, "there are %lld records, but their address is NULL",
                       (long long)records->rows);
    return FL_OK;
}

/* Whatever the case of their letters. */
static fl_status check_names(const fl_record_column *columns, int32_t n, fl_err *err)
{
    for (int32_t i = 0; i < n; i++)
        for (int32_t k = 0; k < i; k++)
            if (fl_str_is_equal_nocase(columns[i].name, columns[k].name)) {
                fl_status st =
                    FL_FAIL(err, FL_ERR_DUPLICATE, "fields %d and %d of the records are both called \"%.*s\"", k + 1,
                            i + 1, FL_STR_ARG(columns[i].name));
                return fl_err_state(err, "42701", st);
            }
    return FL_OK;
}

/* The fields as columns, in arena memory. */
static fl_status describe(const fl_records *records, fl_arena *arena, fl_record_column **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_record_column *columns = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, records->n_fields, &columns, err));
    for (int32_t i = 0; i < records->n_fields; i++) {
        columns[i].field = records->fields[i];
        FL_TRY(check_field(records, &columns[i], i + 1, err));
    }
    FL_TRY(check_names(columns, records->n_fields, err));
    *ret = columns;
cleanup:
    return st;
}

fl_status fl_session_register_records(fl_session *session, const char *name, const fl_records *records, bool replace,
                                      fl_err *err)
{
    fl_status st = FL_OK;
    fl_table *table = NULL;
    fl_record_column *columns = NULL;
    fl_arena arena;
    if (records == NULL)
        return FL_FAIL(err, FL_ERR_CONFIG, "the records are NULL");
    fl_engine *engine = session->engine;
    bool is_ours = true; /* to release, where it fails */
    int64_t started_ns = fl_session_begin(session);
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_session_check_table_name(name, err));
    FL_TRY(check_records(records, err));
    FL_TRY(describe(records, &arena, &columns, err));
    FL_TRY(fl_record_table_new(&engine->memory, fl_str_of(name), records, columns, records->n_fields, &table, err));
    is_ours = false;
    FL_TRY(fl_session_begin_change(session, err)); /* no INSERT puts its version over this one */
    st = fl_engine_put_table(engine, fl_str_of(name), table, NULL, replace, err);
    fl_session_end_change(session);
    FL_TRY(st);
    table = NULL;
cleanup:
    if (is_ours && records->size == sizeof(*records) && records->release != NULL)
        records->release(records->owner);
    fl_table_unref(table);
    fl_arena_drop(&arena);
    return fl_session_end(session, started_ns, st, err);
}

fl_status fl_session_unregister(fl_session *session, const char *name, fl_err *err)
{
    fl_status st = FL_OK;
    struct ArrowArrayStream rows;
    fl_text sql;
    fl_text_init(&sql, NULL);
    FL_TRY(fl_session_check_table_name(name, err));
    fl_text_addf(&sql, "DROP TABLE ");
    fl_text_add_quoted(&sql, fl_str_of(name), '"');
    FL_TRY(fl_text_status(&sql, err));
    FL_TRY(fl_session_query_text(session, sql.data, (size_t)sql.len, &rows, err));
    rows.release(&rows);
cleanup:
    fl_text_drop(&sql);
    return st;
}
