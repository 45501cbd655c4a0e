/* Fields of a schema: their types as the C data interface writes them, and what buffers they have. */
#include "format/arrow/schema.h"

#include "format/arrow/ipc.h"

#include <stdio.h>

#define DEPTH_MAX 64
#define COLUMNS_MAX 100000

typedef struct schema_reader {
    fl_arena *arena;
    fl_flat *f;
    const fl_ipc_file *file;
    int32_t nodes, buffers; /* so far */
} schema_reader;

static void release_nothing(struct ArrowSchema *schema)
{
    schema->release = NULL; /* all is the table's */
}

static fl_status fail_type(const schema_reader *r, const char *name, int64_t kind, fl_err *err)
{
    static const char *const names[] = {
        [14] = "union",       [16] = "fixed-size list", [18] = "duration",  [22] = "run-end encoded",
        [23] = "binary view", [24] = "utf8 view",       [25] = "list view", [26] = "large list view"};
    const char *known = kind >= 0 && kind < FL_LEN(names) && names[kind] != NULL ? names[kind] : "of a type";
    return FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%s\": column \"%s\" is %s, which is not read", r->file->file->path, name,
                   known);
}

static char unit_letter(int64_t unit)
{
    return unit >= 0 && unit < 4 ? "smun"[unit] : '?';
}

static const char *int_format(int64_t bits, bool is_signed)
{
    switch (bits) {
    case 8:
        return is_signed ? "c" : "C";
    case 16:
        return is_signed ? "s" : "S";
    case 32:
        return is_signed ? "i" : "I";
    case 64:
        return is_signed ? "l" : "L";
    default:
        return NULL;
    }
}

/* Sets the format of a type and what buffers it has. A type that is not known has none. */
static fl_status set_type(schema_reader *r, int64_t kind, int64_t table, fl_ipc_field *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char text[FL_IPC_FORMAT_BYTES + 64] = "";
    fl_str zone, format;
    const char *known = NULL;
    int64_t bits = 0, unit = 0;
    ret->n_buffers = 2;
    switch (kind) {
    case FL_IPC_NULL:
        known = "n";
        ret->n_buffers = 0;
        break;
    case FL_IPC_BOOL:
        known = "b";
        ret->width = 1;
        break;
    case FL_IPC_INT:
        bits = fl_flat_int(r->f, table, 0, 4, 0);
        known = int_format(bits, fl_flat_int(r->f, table, 1, 1, 0) != 0);
        ret->width = (int32_t)bits;
        break;
    case FL_IPC_FLOAT:
        unit = fl_flat_int(r->f, table, 0, 2, 0);
        known = unit == 1 ? "f" : unit == 2 ? "g" : NULL;
        ret->width = unit == 1 ? 32 : 64;
        break;
    case FL_IPC_DECIMAL:
        bits = fl_flat_int(r->f, table, 2, 4, 128);
        snprintf(text, sizeof(text), "d:%d,%d,%d", (int)fl_flat_int(r->f, table, 0, 4, 0),
                 (int)fl_flat_int(r->f, table, 1, 4, 0), (int)bits);
        ret->width = bits == 32 || bits == 64 || bits == 128 || bits == 256 ? (int32_t)bits : 0;
        known = ret->width > 0 ? text : NULL;
        break;
    case FL_IPC_DATE:
        unit = fl_flat_int(r->f, table, 0, 2, 1);
        known = unit == 0 ? "tdD" : "tdm";
        ret->width = unit == 0 ? 32 : 64;
        break;
    case FL_IPC_TIME:
        unit = fl_flat_int(r->f, table, 0, 2, FL_IPC_MILLI);
        snprintf(text, sizeof(text), "tt%c", unit_letter(unit));
        ret->width = unit == FL_IPC_SECOND || unit == FL_IPC_MILLI ? 32 : 64;
        known = text;
        break;
    case FL_IPC_TIMESTAMP:
        zone = fl_flat_str(r->f, table, 1);
        snprintf(text, sizeof(text), "ts%c:%.*s", unit_letter(fl_flat_int(r->f, table, 0, 2, 0)),
                 (int)(zone.len < 64 ? zone.len : 64), zone.data);
        ret->width = 64;
        known = text;
        break;
    case FL_IPC_INTERVAL:
        known = fl_flat_int(r->f, table, 0, 2, 0) == 2 ? "tin" : NULL;
        ret->width = 128;
        break;
    case FL_IPC_UTF8:
    case FL_IPC_BINARY:
    case FL_IPC_LARGE_UTF8:
    case FL_IPC_LARGE_BINARY:
        known = kind == FL_IPC_UTF8 ? "u" : kind == FL_IPC_BINARY ? "z" : kind == FL_IPC_LARGE_UTF8 ? "U" : "Z";
        ret->offset_bytes = kind == FL_IPC_UTF8 || kind == FL_IPC_BINARY ? 4 : 8;
        ret->n_buffers = 3;
        break;
    case FL_IPC_LIST:
    case FL_IPC_LARGE_LIST:
    case FL_IPC_MAP:
        known = kind == FL_IPC_LARGE_LIST ? "+L" : kind == FL_IPC_MAP ? "+m" : "+l";
        ret->offset_bytes = kind == FL_IPC_LARGE_LIST ? 8 : 4;
        break;
    case FL_IPC_FIXED_BINARY:
        bits = fl_flat_int(r->f, table, 0, 4, 0);
        if (bits > 0 && bits < INT32_MAX / 8) {
            snprintf(text, sizeof(text), "w:%d", (int)bits);
            ret->width = (int32_t)bits * 8;
            known = text;
        }
        break;
    case FL_IPC_STRUCT:
        known = "+s";
        ret->n_buffers = 1;
        break;
    default:
        break;
    }
    if (known == NULL || strchr(known, '?') != NULL)
        return fail_type(r, ret->schema.name, kind, err);
    FL_TRY(fl_arena_copy_str(r->arena, fl_str_of(known), &format, err));
    ret->schema.format = format.data;
cleanup:
    return st;
}

static fl_status read_field(schema_reader *r, int64_t table, int32_t depth, fl_ipc_field *ret, fl_err *err);

static fl_status read_children(schema_reader *r, int64_t table, int32_t depth, fl_ipc_field *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0, at = fl_flat_vector(r->f, table, 5, 4, &n);
    if (n > COLUMNS_MAX || depth > DEPTH_MAX)
        return fl_ipc_corrupt(r->file->file, "its schema is too large", err);
    ret->n_children = (int32_t)n;
    FL_TRY(FL_NEW_ARRAY(r->arena, n + 1, &ret->children, err));
    FL_TRY(FL_NEW_ARRAY(r->arena, n + 1, &ret->schema.children, err));
    for (int64_t i = 0; i < n; i++) {
        FL_TRY(read_field(r, fl_flat_element(r->f, at + 4 * i), depth + 1, &ret->children[i], err));
        ret->schema.children[i] = &ret->children[i].schema;
    }
    ret->schema.n_children = n;
cleanup:
    return st;
}

/* A column of a dictionary has the indices' buffers; its values lie in batches of their own. */
static fl_status read_dictionary(schema_reader *r, int64_t encoding, fl_ipc_field *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t index = fl_flat_table(r->f, encoding, 1);
    fl_ipc_field *values = NULL;
    FL_TRY(FL_NEW(r->arena, &values, err));
    *values = *ret;
    values->dictionary = -1;
    ret->dictionary = fl_flat_int(r->f, encoding, 0, 8, 0);
    ret->values = values;
    ret->children = NULL;
    ret->n_children = 0;
    ret->offset_bytes = ret->width = 0;
    ret->schema.children = NULL;
    ret->schema.n_children = 0;
    if (index != 0) {
        FL_TRY(set_type(r, FL_IPC_INT, index, ret, err));
    } else {
        ret->n_buffers = 2;
        ret->width = 32;
        ret->schema.format = "i";
    }
    ret->schema.dictionary = &values->schema;
cleanup:
    return st;
}

/* What the field says of an extension type, as the C data interface writes metadata. */
static fl_status read_metadata(schema_reader *r, int64_t table, fl_ipc_field *ret, fl_err *err)
{
    static const char key[] = "ARROW:extension:name";
    fl_status st = FL_OK;
    int64_t n = 0, at = fl_flat_vector(r->f, table, 6, 4, &n);
    for (int64_t i = 0; i < n && ret->schema.metadata == NULL; i++) {
        int64_t pair = fl_flat_element(r->f, at + 4 * i);
        fl_str name = fl_flat_str(r->f, pair, 0), value = fl_flat_str(r->f, pair, 1);
        if (!fl_str_is_equal(name, fl_str_of(key)) || value.len > INT32_MAX / 2)
            continue;
        int32_t numbers[] = {1, (int32_t)name.len, (int32_t)value.len};
        char *text = NULL;
        FL_TRY(fl_arena_get(r->arena, 12 + name.len + value.len, (void **)&text, err));
        memcpy(text, numbers, 8);
        memcpy(text + 8, name.data, (size_t)name.len);
        memcpy(text + 8 + name.len, &numbers[2], 4);
        memcpy(text + 12 + name.len, value.data, (size_t)value.len);
        ret->schema.metadata = text;
    }
cleanup:
    return st;
}

static fl_status read_field(schema_reader *r, int64_t table, int32_t depth, fl_ipc_field *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str name;
    int64_t encoding = fl_flat_table(r->f, table, 4);
    int32_t nodes = r->nodes, buffers = r->buffers;
    FL_TRY(fl_arena_copy_str(r->arena, fl_flat_str(r->f, table, 0), &name, err));
    *ret = (fl_ipc_field){.dictionary = -1, .first_node = r->nodes, .first_buffer = r->buffers};
    ret->schema.name = name.data;
    ret->schema.flags = ARROW_FLAG_NULLABLE;
    ret->schema.release = release_nothing;
    FL_TRY(set_type(r, fl_flat_int(r->f, table, 2, 1, 0), fl_flat_table(r->f, table, 3), ret, err));
    r->nodes++;
    r->buffers += ret->n_buffers;
    FL_TRY(read_children(r, table, depth, ret, err));
    FL_TRY(read_metadata(r, table, ret, err));
    if (encoding != 0) {
        FL_TRY(read_dictionary(r, encoding, ret, err));
        r->nodes = nodes + 1;
        r->buffers = buffers + ret->n_buffers;
    }
cleanup:
    return st;
}

/* Numbers nodes and buffers of a dictionary's values as those of a batch of their own. */
static void renumber(fl_ipc_field *field, int32_t *node, int32_t *buffer)
{
    field->first_node = (*node)++;
    field->first_buffer = *buffer;
    *buffer += field->n_buffers;
    for (int32_t i = 0; i < field->n_children; i++)
        renumber(&field->children[i], node, buffer);
}

static void renumber_values(fl_ipc_field *field)
{
    int32_t node = 0, buffer = 0;
    for (int32_t i = 0; i < field->n_children; i++)
        renumber_values(&field->children[i]);
    if (field->values == NULL)
        return;
    renumber(field->values, &node, &buffer);
    for (int32_t i = 0; i < field->values->n_children; i++)
        renumber_values(&field->values->children[i]);
}

fl_status fl_ipc_schema_read(fl_arena *arena, fl_flat *f, int64_t schema, fl_ipc_file *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0, at = fl_flat_vector(f, schema, 1, 4, &n);
    schema_reader r = {.arena = arena, .f = f, .file = ret};
    if (fl_flat_int(f, schema, 0, 2, 0) != 0)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%s\" is of big-endian numbers, which are not read", ret->file->path);
    if (n > COLUMNS_MAX || schema == 0)
        return fl_ipc_corrupt(ret->file, "its schema is malformed", err);
    ret->n_columns = (int32_t)n;
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &ret->columns, err));
    for (int64_t i = 0; i < n; i++) {
        FL_TRY(read_field(&r, fl_flat_element(f, at + 4 * i), 0, &ret->columns[i], err));
        renumber_values(&ret->columns[i]);
    }
    if (f->is_bad)
        st = fl_ipc_corrupt(ret->file, "its schema is malformed", err);
cleanup:
    return st;
}

fl_status fl_ipc_schema_of(fl_arena *arena, const fl_ipc_file *file, const int32_t *cols, int32_t n,
                           struct ArrowSchema *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = (struct ArrowSchema){.format = "+s", .name = "", .n_children = n, .release = release_nothing};
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &ret->children, err));
    for (int32_t i = 0; i < n; i++)
        ret->children[i] = &file->columns[cols[i]].schema;
cleanup:
    return st;
}
