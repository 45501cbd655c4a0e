/* Writing Arrow IPC: a chunk of rows is a record batch. The stream's schema comes first; a file ends with a footer that has the schema
 * again and says where the batches lie. */
#include "base/interrupt.h"
#include "base/uuid.h"
#include "format/arrow/flat.h"
#include "format/arrow/ipc.h"
#include "format/arrow/pack_buffer.h"
#include "format/options.h"
#include "plan/writer.h"

#define CHUNK_ROWS 122880
#define CHUNK_BYTES (128ll << 20)
#define BODY_ALIGNMENT 64
#define NOT_PACKED (-1)

typedef struct arrow_options {
    int32_t codec; /* FL_IPC_LZ4, FL_IPC_ZSTD, NOT_PACKED */
    int64_t rows;
} arrow_options;

/* A batch that lies in the file. */
typedef struct placed_batch {
    int64_t at, body_bytes;
    int32_t head_bytes;
} placed_batch;

typedef struct arrow_writer {
    fl_writer base;
    arrow_options options;
    bool is_file; /* else a stream */
    const fl_field *fields;
    int32_t n_fields;
    placed_batch *batches;
    int64_t n_batches, capacity;
    fl_arena arena;
} arrow_writer;

/* ---- options ------------------------------------------------------------------------------------------------------- */

static fl_status read_codec(fl_arena *arena, const fl_value *value, void *ret_i32, fl_err *err)
{
    (void)arena, (void)err;
    static const struct {
        const char *name;
        int32_t codec;
    } known[] = {{"none", NOT_PACKED}, {"uncompressed", NOT_PACKED}, {"lz4", FL_IPC_LZ4}, {"zstd", FL_IPC_ZSTD}};
    if (value->is_null || value->type.id != FL_UTF8)
        return FL_ERR_TYPE;
    for (int64_t i = 0; i < FL_LEN(known); i++)
        if (fl_str_is_equal_nocase(value->s, fl_str_of(known[i].name))) {
            *(int32_t *)ret_i32 = known[i].codec;
            return FL_OK;
        }
    return FL_ERR_TYPE;
}

static fl_status read_rows(fl_arena *arena, const fl_value *value, void *ret_i64, fl_err *err)
{
    (void)arena, (void)err;
    if (value->is_null || !fl_type_is_signed(value->type) || value->i < 1 || value->i > INT32_MAX / 2)
        return FL_ERR_TYPE;
    *(int64_t *)ret_i64 = (value->i + 63) / 64 * 64;
    return FL_OK;
}

#define AT(field) (int32_t)offsetof(arrow_options, field)
#define CODECS "'none', 'lz4' or 'zstd'"

static const fl_option_desc known[] = {
    {"compression", CODECS, read_codec, AT(codec), -1},
    {"codec", CODECS, read_codec, AT(codec), -1},
    {"row_group_size", "a number of rows", read_rows, AT(rows), -1},
    {"chunk_size", "a number of rows", read_rows, AT(rows), -1},
};

/* ---- the schema ---------------------------------------------------------------------------------------------------- */

static int32_t unit_of(uint8_t unit)
{
    return unit == FL_SECOND  ? FL_IPC_SECOND
           : unit == FL_MILLI ? FL_IPC_MILLI
           : unit == FL_MICRO ? FL_IPC_MICRO
                              : FL_IPC_NANO;
}

/* The type's number, and the fields of its table. */
static int32_t type_fields(fl_type type, fl_flat_field *ret, int32_t *ret_n, int64_t *ret_zone)
{
    int32_t n = 0;
    if (type.extension == FL_UUID) {
        ret[n++] = (fl_flat_field){0, 4, FL_UUID_BYTES, NULL};
        *ret_n = n;
        return FL_IPC_FIXED_BINARY;
    }
    if (type.extension == FL_MAP) {
        ret[n++] = (fl_flat_field){0, 1, 0, NULL}; /* keys are in no order */
        *ret_n = n;
        return FL_IPC_MAP;
    }
    FL_ASSERT(type.extension == FL_PLAIN || type.extension == FL_JSON);
    switch (type.id) {
    case FL_NULL:
        *ret_n = 0;
        return FL_IPC_NULL;
    case FL_BOOL:
        *ret_n = 0;
        return FL_IPC_BOOL;
    case FL_F32:
    case FL_F64:
        ret[n++] = (fl_flat_field){0, 2, type.id == FL_F32 ? 1 : 2, NULL};
        *ret_n = n;
        return FL_IPC_FLOAT;
    case FL_DECIMAL:
        ret[n++] = (fl_flat_field){0, 4, type.precision, NULL};
        ret[n++] = (fl_flat_field){1, 4, type.scale, NULL};
        ret[n++] = (fl_flat_field){2, 4, 128, NULL};
        *ret_n = n;
        return FL_IPC_DECIMAL;
    case FL_UTF8:
    case FL_BINARY:
        *ret_n = 0;
        return type.id == FL_UTF8 ? FL_IPC_UTF8 : FL_IPC_BINARY;
    case FL_DATE:
        ret[n++] = (fl_flat_field){0, 2, 0, NULL}; /* days: not what is meant where nothing is said */
        *ret_n = n;
        return FL_IPC_DATE;
    case FL_TIME:
        ret[n++] = (fl_flat_field){0, 2, FL_IPC_MICRO, NULL};
        ret[n++] = (fl_flat_field){1, 4, 64, NULL};
        *ret_n = n;
        return FL_IPC_TIME;
    case FL_TIMESTAMP:
    case FL_TIMESTAMPTZ:
        ret[n++] = (fl_flat_field){0, 2, unit_of(type.unit), NULL};
        if (type.id == FL_TIMESTAMPTZ)
            ret[n++] = (fl_flat_field){1, 4, 0, ret_zone};
        *ret_n = n;
        return FL_IPC_TIMESTAMP;
    case FL_INTERVAL:
        ret[n++] = (fl_flat_field){0, 2, 2, NULL}; /* months, days, nanoseconds */
        *ret_n = n;
        return FL_IPC_INTERVAL;
    case FL_LIST:
    case FL_STRUCT:
        *ret_n = 0;
        return type.id == FL_LIST ? FL_IPC_LIST : FL_IPC_STRUCT;
    default:
        FL_ASSERT(fl_type_is_integer(type));
        ret[n++] = (fl_flat_field){0, 4, (int64_t)fl_type_width(type) * 8, NULL};
        ret[n++] = (fl_flat_field){1, 1, fl_type_is_signed(type), NULL};
        *ret_n = n;
        return FL_IPC_INT;
    }
}

/* What fields are to the map around them: its entries, or an entry's key and value. Entries and keys are never null. */
typedef enum role { ROLE_NONE, ROLE_ENTRIES, ROLE_PARTS } role;

static void write_fields(fl_text *text, int64_t from, const fl_field *fields, int32_t n, role role);

/* The name of an extension type, as the only pair of a field's metadata. */
static void write_metadata(fl_text *text, int64_t from, fl_str name)
{
    int64_t key = 0, value = 0;
    fl_flat_field pair[] = {{0, 4, 0, &key}, {1, 4, 0, &value}};
    fl_flat_write_vector(text, from, 1, 4);
    int64_t first = text->len;
    fl_text_add(text, (fl_str){"\0\0\0\0", 4});
    fl_flat_write_table(text, first, pair, (int32_t)FL_LEN(pair));
    fl_flat_write_str(text, key, FL_STR("ARROW:extension:name"));
    fl_flat_write_str(text, value, name);
}

static void write_field(fl_text *text, int64_t from, const fl_field *field, bool is_required, role inner)
{
    fl_flat_field of_type[FL_FLAT_FIELDS_MAX];
    int32_t n = 0;
    int64_t name = 0, type = 0, children = 0, zone = 0, metadata = 0;
    int32_t kind = type_fields(field->type, of_type, &n, &zone);
    uint8_t extension = field->type.extension;
    bool is_named = extension == FL_JSON || extension == FL_UUID;
    fl_flat_field fields[] = {{0, 4, 0, &name}, {1, 1, !is_required, NULL}, {2, 1, kind, NULL},
                              {3, 4, 0, &type}, {5, 4, 0, &children},       {6, 4, 0, &metadata}};
    fl_flat_write_table(text, from, fields, (int32_t)FL_LEN(fields) - !is_named);
    fl_flat_write_str(text, name, field->name.len == 0 ? FL_STR("item") : field->name);
    if (is_named)
        write_metadata(text, metadata, extension == FL_JSON ? FL_STR("arrow.json") : FL_STR("arrow.uuid"));
    fl_flat_write_table(text, type, of_type, n);
    if (zone != 0)
        fl_flat_write_str(text, zone, FL_STR("UTC"));
    if (extension == FL_MAP) {
        fl_field entries = {.name = FL_STR("entries"), .type = field->type.fields[0].type};
        write_fields(text, children, &entries, 1, ROLE_ENTRIES);
        return;
    }
    write_fields(text, children, field->type.fields, field->type.n_fields, inner);
}

static void write_fields(fl_text *text, int64_t from, const fl_field *fields, int32_t n, role role)
{
    fl_flat_write_vector(text, from, n, 4);
    int64_t first = text->len;
    for (int32_t i = 0; i < n; i++)
        fl_text_add(text, (fl_str){"\0\0\0\0", 4});
    for (int32_t i = 0; i < n; i++)
        write_field(text, first + 4 * (int64_t)i, &fields[i], role == ROLE_ENTRIES || (role == ROLE_PARTS && i == 0),
                    role == ROLE_ENTRIES ? ROLE_PARTS : ROLE_NONE);
}

static void write_schema(fl_text *text, int64_t from, const fl_field *fields, int32_t n)
{
    int64_t at = 0;
    fl_flat_field of_schema[] = {{1, 4, 0, &at}};
    fl_flat_write_table(text, from, of_schema, 1);
    write_fields(text, at, fields, n, ROLE_NONE);
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

static void pad(fl_text *text, int64_t alignment)
{
    char *room = fl_text_room(text, alignment);
    if (room == NULL)
        return;
    int64_t n = (alignment - text->len % alignment) % alignment;
    memset(room, 0, (size_t)n);
    text->len += n;
}

/* Begins a head; what the message is about is to be written where *ret_header points from. */
static void begin_head(fl_text *head, int32_t kind, int64_t body_bytes, int64_t *ret_header)
{
    fl_flat_field fields[] = {
        {0, 2, FL_IPC_VERSION_5, NULL}, {1, 1, kind, NULL}, {2, 4, 0, ret_header}, {3, 8, body_bytes, NULL}};
    fl_flat_begin(head);
    fl_flat_write_table(head, 0, fields, (int32_t)FL_LEN(fields));
}

/* Puts a head into the stream: the mark, its length with what fills it up, itself. */
static void put_head(fl_text *to, fl_text *head)
{
    uint32_t mark = FL_IPC_MARK;
    pad(head, FL_IPC_ALIGNMENT);
    int32_t bytes = (int32_t)head->len;
    fl_text_add(to, (fl_str){(const char *)&mark, 4});
    fl_text_add(to, (fl_str){(const char *)&bytes, 4});
    fl_text_add_text(to, head);
}

static fl_status begin(fl_writer *base, fl_text *to, fl_err *err)
{
    const arrow_writer *writer = (const arrow_writer *)base;
    fl_text head;
    int64_t header = 0;
    fl_text_init(&head, to->memory);
    if (writer->is_file)
        fl_text_add(to, (fl_str){FL_IPC_MAGIC "\0\0", 8});
    begin_head(&head, FL_IPC_SCHEMA, 0, &header);
    write_schema(&head, header, writer->fields, writer->n_fields);
    put_head(to, &head);
    fl_text_drop(&head);
    return fl_text_status(to, err);
}

/* ---- bodies -------------------------------------------------------------------------------------------------------- */

/* Rows of a vector: those in a list, or the first n. */
typedef struct rows_of {
    const fl_vec *vec;
    const int64_t *rows;
    int64_t n;
} rows_of;

typedef struct body_writer {
    fl_arena *arena;
    int32_t codec;
    fl_text body, raw;
    fl_text nodes, buffers; /* as the head has them: two numbers each */
    fl_work work;
} body_writer;

static void add_pair(fl_text *to, int64_t a, int64_t b)
{
    fl_text_add(to, (fl_str){(const char *)&a, 8});
    fl_text_add(to, (fl_str){(const char *)&b, 8});
}

/* Makes a buffer of what is in `raw`. */
static fl_status put_buffer(body_writer *w, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t at = w->body.len;
    FL_TRY(fl_text_status(&w->raw, err));
    if (w->codec == NOT_PACKED)
        fl_text_add(&w->body, fl_text_str(&w->raw));
    else
        FL_TRY(fl_ipc_pack(w->codec, fl_text_str(&w->raw), &w->body, err));
    add_pair(&w->buffers, at, w->body.len - at);
    pad(&w->body, BODY_ALIGNMENT);
    fl_text_clear(&w->raw);
    st = fl_text_status(&w->body, err);
cleanup:
    return st;
}

static int64_t row_at(const rows_of *from, int64_t i)
{
    return from->rows == NULL ? i : from->rows[i];
}

static bool is_there(const rows_of *from, int64_t i)
{
    int64_t row = row_at(from, i);
    return from->vec->type.id != FL_NULL && fl_vec_is_valid(from->vec, row);
}

/* The bitmap of rows that are not null, none where all are there; *ret_nulls. */
static fl_status write_validity(body_writer *w, const rows_of *from, int32_t n, int64_t rows, int64_t *ret_nulls,
                                fl_err *err)
{
    fl_status st = FL_OK;
    int64_t at = 0, bytes = (rows + 7) / 8;
    bool has_bits = false;
    *ret_nulls = 0;
    for (int32_t p = 0; p < n; p++)
        has_bits |= from[p].vec->valid != NULL || from[p].vec->type.id == FL_NULL;
    char *room = has_bits ? fl_text_room(&w->raw, bytes) : NULL;
    if (room == NULL)
        return put_buffer(w, err);
    memset(room, 0, (size_t)bytes);
    for (int32_t p = 0; p < n; p++)
        for (int64_t i = 0; i < from[p].n; i++, at++) {
            FL_TRY(fl_work_add(&w->work, 1, err));
            if (is_there(&from[p], i))
                room[at >> 3] = (char)(room[at >> 3] | 1 << (at & 7));
            else
                ++*ret_nulls;
        }
    w->raw.len = *ret_nulls > 0 ? bytes : 0;
    st = put_buffer(w, err);
cleanup:
    return st;
}

static fl_status write_bits(body_writer *w, const rows_of *from, int32_t n, int64_t rows, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t at = 0, bytes = (rows + 7) / 8;
    char *room = fl_text_room(&w->raw, bytes);
    if (room == NULL)
        return fl_text_status(&w->raw, err);
    memset(room, 0, (size_t)bytes);
    for (int32_t p = 0; p < n; p++)
        for (int64_t i = 0; i < from[p].n; i++, at++) {
            FL_TRY(fl_work_add(&w->work, 1, err));
            if (is_there(&from[p], i) && fl_bit_get(from[p].vec->data, fl_vec_row(from[p].vec, row_at(&from[p], i))))
                room[at >> 3] = (char)(room[at >> 3] | 1 << (at & 7));
        }
    w->raw.len += bytes;
    st = put_buffer(w, err);
cleanup:
    return st;
}

/* Values of fixed width; decimals have 128 bits. */
static fl_status write_fixed(body_writer *w, const rows_of *from, int32_t n, int64_t rows, fl_type type, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t width = type.id == FL_DECIMAL ? 16 : fl_type_width(type);
    char *room = fl_text_room(&w->raw, rows * width);
    if (room == NULL)
        return fl_text_status(&w->raw, err);
    w->raw.len += rows * width;
    for (int32_t p = 0; p < n; p++) {
        const fl_vec *vec = from[p].vec;
        FL_TRY(fl_work_add(&w->work, from[p].n / 8, err));
        if (from[p].rows == NULL && vec->layout == FL_FLAT && vec->width == width && type.extension != FL_UUID) {
            memcpy(room, vec->data, (size_t)(from[p].n * width));
            room += from[p].n * width;
            continue;
        }
        for (int64_t i = 0; i < from[p].n; i++, room += width) {
            int64_t row = row_at(&from[p], i);
            if (!is_there(&from[p], i)) {
                memset(room, 0, (size_t)width);
            } else if (type.extension == FL_UUID) {
                fl_uuid_to_bytes(fl_vec_i128(vec, row), (uint8_t *)room);
            } else if (type.id == FL_DECIMAL) {
                fl_i128 value = fl_vec_i128(vec, row);
                memcpy(room, &value, 16);
            } else {
                memcpy(room, (const char *)vec->data + fl_vec_row(vec, row) * width, (size_t)width);
            }
        }
    }
    st = put_buffer(w, err);
cleanup:
    return st;
}

static fl_status fail_large(fl_err *err)
{
    FL_FAIL(err, FL_ERR_LIMIT, "a batch of Arrow has more than 2 GB of characters or elements in a column");
    fl_err_hint(err, "ROW_GROUP_SIZE makes batches of fewer rows");
    return FL_ERR_LIMIT;
}

static fl_status write_strings(body_writer *w, const rows_of *from, int32_t n, int64_t rows, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t end = 0;
    int32_t *offsets = NULL;
    FL_TRY(fl_arena_get(w->arena, (rows + 1) * 4, (void **)&offsets, err));
    int64_t at = 0;
    offsets[0] = 0;
    for (int32_t p = 0; p < n; p++)
        for (int64_t i = 0; i < from[p].n; i++) {
            FL_TRY(fl_work_add(&w->work, 1, err));
            end += is_there(&from[p], i) ? fl_vec_str(from[p].vec, row_at(&from[p], i)).len : 0;
            if (end > INT32_MAX)
                return fail_large(err);
            offsets[++at] = (int32_t)end;
        }
    fl_text_add(&w->raw, (fl_str){(const char *)offsets, (rows + 1) * 4});
    FL_TRY(put_buffer(w, err));
    char *room = fl_text_room(&w->raw, end);
    if (room == NULL)
        return fl_text_status(&w->raw, err);
    w->raw.len += end;
    for (int32_t p = 0; p < n; p++)
        for (int64_t i = 0; i < from[p].n; i++)
            if (is_there(&from[p], i)) {
                fl_str s = fl_vec_str(from[p].vec, row_at(&from[p], i));
                if (s.len > 0)
                    memcpy(room, s.data, (size_t)s.len);
                room += s.len;
            }
    st = put_buffer(w, err);
cleanup:
    return st;
}

static fl_status write_column(body_writer *w, const rows_of *from, int32_t n, fl_type type, fl_err *err);

/* The elements of lists, as rows of their vector. */
static fl_status write_list(body_writer *w, const rows_of *from, int32_t n, int64_t rows, fl_type type, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *offsets = NULL;
    rows_of *children = NULL;
    int64_t at = 0, end = 0;
    FL_TRY(fl_arena_get(w->arena, (rows + 1) * 4, (void **)&offsets, err));
    FL_TRY(FL_NEW_ARRAY(w->arena, n + 1, &children, err));
    offsets[0] = 0;
    for (int32_t p = 0; p < n; p++) {
        const fl_vec *vec = from[p].vec;
        int64_t *elements = NULL, count = 0;
        bool is_null = vec->type.id == FL_NULL;
        for (int64_t i = 0; i < from[p].n; i++)
            if (is_there(&from[p], i))
                count += ((const fl_list_entry *)vec->data)[fl_vec_row(vec, row_at(&from[p], i))].len;
        FL_TRY(fl_arena_get(w->arena, (count + 1) * 8, (void **)&elements, err));
        count = 0;
        for (int64_t i = 0; i < from[p].n; i++) {
            fl_list_entry entry = {0};
            if (is_there(&from[p], i))
                entry = ((const fl_list_entry *)vec->data)[fl_vec_row(vec, row_at(&from[p], i))];
            FL_TRY(fl_work_add(&w->work, entry.len + 1, err));
            for (int32_t k = 0; k < entry.len; k++)
                elements[count++] = (int64_t)entry.start + k;
            end += entry.len;
            if (end > INT32_MAX)
                return fail_large(err);
            offsets[++at] = (int32_t)end;
        }
        children[p] = (rows_of){is_null ? vec : vec->child, elements, count};
    }
    fl_text_add(&w->raw, (fl_str){(const char *)offsets, (rows + 1) * 4});
    FL_TRY(put_buffer(w, err));
    st = write_column(w, children, n, type.fields[0].type, err);
cleanup:
    return st;
}

static fl_status write_struct(body_writer *w, const rows_of *from, int32_t n, fl_type type, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t f = 0; f < type.n_fields; f++) {
        rows_of *children = NULL;
        FL_TRY(FL_NEW_ARRAY(w->arena, n + 1, &children, err));
        for (int32_t p = 0; p < n; p++) {
            const fl_vec *vec = from[p].vec;
            children[p] = from[p];
            if (vec->type.id == FL_NULL)
                continue;
            children[p].vec = &vec->child[f];
            if (vec->layout == FL_CONST) { /* all rows are the child's first one */
                int64_t *rows = NULL;
                FL_TRY(FL_NEW_ARRAY(w->arena, from[p].n + 1, &rows, err));
                children[p].rows = rows;
            }
        }
        FL_TRY(write_column(w, children, n, type.fields[f].type, err));
    }
cleanup:
    return st;
}

static fl_status write_column(body_writer *w, const rows_of *from, int32_t n, fl_type type, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t rows = 0, nulls = 0;
    for (int32_t p = 0; p < n; p++)
        rows += from[p].n;
    if (type.id == FL_NULL) {
        add_pair(&w->nodes, rows, rows);
        return fl_text_status(&w->nodes, err);
    }
    FL_TRY(write_validity(w, from, n, rows, &nulls, err));
    add_pair(&w->nodes, rows, nulls);
    switch (type.id) {
    case FL_BOOL:
        st = write_bits(w, from, n, rows, err);
        break;
    case FL_UTF8:
    case FL_BINARY:
        st = write_strings(w, from, n, rows, err);
        break;
    case FL_LIST:
        st = write_list(w, from, n, rows, type, err);
        break;
    case FL_STRUCT:
        st = write_struct(w, from, n, type, err);
        break;
    default:
        st = write_fixed(w, from, n, rows, type, err);
    }
cleanup:
    return st;
}

static void write_batch_head(fl_text *head, const body_writer *w, int64_t rows)
{
    int64_t header = 0, nodes = 0, buffers = 0, packing = 0;
    bool is_packed = w->codec != NOT_PACKED;
    begin_head(head, FL_IPC_BATCH, w->body.len, &header);
    fl_flat_field fields[] = {
        {0, 8, rows, NULL}, {1, 4, 0, &nodes}, {2, 4, 0, &buffers}, {3, is_packed ? 4 : 0, 0, &packing}};
    fl_flat_write_table(head, header, fields, (int32_t)FL_LEN(fields));
    fl_flat_write_vector(head, nodes, w->nodes.len / 16, 8);
    fl_text_add_text(head, &w->nodes);
    fl_flat_write_vector(head, buffers, w->buffers.len / 16, 8);
    fl_text_add_text(head, &w->buffers);
    if (is_packed) {
        fl_flat_field of_packing[] = {{0, 1, w->codec, NULL}};
        fl_flat_write_table(head, packing, of_packing, 1);
    }
}

static fl_status encode(fl_writer *base, const fl_batch *batches, int32_t n, fl_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    const arrow_writer *writer = (const arrow_writer *)base;
    fl_memory *memory = chunk->bytes.memory;
    fl_arena arena;
    fl_text head;
    rows_of *from = NULL;
    placed_batch *placed = NULL;
    fl_arena_init(&arena, memory);
    fl_text_init(&head, memory);
    body_writer w = {.arena = &arena, .codec = writer->options.codec, .work = fl_work_of(memory)};
    fl_text_init(&w.body, memory);
    fl_text_init(&w.raw, memory);
    fl_text_init(&w.nodes, memory);
    fl_text_init(&w.buffers, memory);
    FL_TRY(FL_NEW(&chunk->arena, &placed, err));
    for (int32_t c = 0; c < writer->n_fields; c++) {
        fl_arena_reset(&arena);
        FL_TRY(FL_NEW_ARRAY(&arena, n + 1, &from, err));
        for (int32_t b = 0; b < n; b++)
            from[b] = (rows_of){&batches[b].vec[c], NULL, batches[b].rows};
        FL_TRY(write_column(&w, from, n, writer->fields[c].type, err));
    }
    write_batch_head(&head, &w, chunk->rows);
    put_head(&chunk->bytes, &head);
    *placed = (placed_batch){.head_bytes = (int32_t)chunk->bytes.len, .body_bytes = w.body.len};
    fl_text_add_text(&chunk->bytes, &w.body);
    chunk->more = placed;
    st = fl_text_status(&chunk->bytes, err);
cleanup:
    fl_text_drop(&w.body);
    fl_text_drop(&w.raw);
    fl_text_drop(&w.nodes);
    fl_text_drop(&w.buffers);
    fl_text_drop(&head);
    fl_arena_drop(&arena);
    return st;
}

static fl_status place(fl_writer *base, fl_chunk *chunk, int64_t offset, fl_err *err)
{
    fl_status st = FL_OK;
    arrow_writer *writer = (arrow_writer *)base;
    FL_TRY(fl_grow(writer->arena.memory, (void **)&writer->batches, &writer->capacity, writer->n_batches + 1,
                   (int64_t)sizeof(*writer->batches), err));
    placed_batch *placed = &writer->batches[writer->n_batches++];
    *placed = *(const placed_batch *)chunk->more;
    placed->at = offset;
cleanup:
    return st;
}

static fl_status finish(fl_writer *base, int64_t offset, fl_text *tail, fl_err *err)
{
    const arrow_writer *writer = (const arrow_writer *)base;
    (void)offset;
    uint32_t end[2] = {FL_IPC_MARK, 0};
    int64_t schema = 0, batches = 0;
    fl_text_add(tail, (fl_str){(const char *)end, 8});
    if (!writer->is_file)
        return fl_text_status(tail, err);
    fl_text footer;
    fl_text_init(&footer, tail->memory);
    fl_flat_field fields[] = {{0, 2, FL_IPC_VERSION_5, NULL}, {1, 4, 0, &schema}, {3, 4, 0, &batches}};
    fl_flat_begin(&footer);
    fl_flat_write_table(&footer, 0, fields, (int32_t)FL_LEN(fields));
    write_schema(&footer, schema, writer->fields, writer->n_fields);
    fl_flat_write_vector(&footer, batches, writer->n_batches, 8);
    for (int64_t i = 0; i < writer->n_batches; i++) {
        const placed_batch *b = &writer->batches[i];
        add_pair(&footer, b->at, b->head_bytes);
        fl_text_add(&footer, (fl_str){(const char *)&b->body_bytes, 8});
    }
    int32_t bytes = (int32_t)footer.len;
    fl_text_add_text(tail, &footer);
    fl_text_add(tail, (fl_str){(const char *)&bytes, 4});
    fl_text_add(tail, FL_STR(FL_IPC_MAGIC));
    fl_text_drop(&footer);
    return fl_text_status(tail, err);
}

static void writer_free(fl_writer *base)
{
    arrow_writer *writer = (arrow_writer *)base;
    fl_free(writer->batches);
    fl_arena_drop(&writer->arena);
    fl_free(writer);
}

static const fl_writer_ops ops = {
    .begin = begin, .encode = encode, .place = place, .finish = finish, .free = writer_free};

static fl_status open_kind(bool is_file, fl_memory *memory, const fl_field *fields, int32_t n_fields,
                           const fl_option *options, int32_t n_options, fl_writer **ret, fl_err *err)
{
    fl_status st = FL_OK;
    arrow_writer *writer = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*writer), (void **)&writer, err));
    fl_arena_init(&writer->arena, memory);
    writer->is_file = is_file;
    writer->fields = fields;
    writer->n_fields = n_fields;
    writer->options = (arrow_options){.codec = NOT_PACKED, .rows = CHUNK_ROWS};
    FL_TRY(fl_options_read("COPY", known, FL_LEN(known), options, n_options, &writer->arena, &writer->options, err));
    writer->base = (fl_writer){.ops = &ops,
                               .suffix = is_file ? FL_STR(".arrow") : FL_STR(".arrows"),
                               .chunk_rows = writer->options.rows,
                               .chunk_bytes = CHUNK_BYTES};
    *ret = &writer->base;
    return FL_OK;
cleanup:
    if (writer != NULL)
        writer_free(&writer->base);
    return st;
}

static fl_status open_file(fl_memory *memory, const fl_field *fields, int32_t n_fields, const fl_option *options,
                           int32_t n_options, fl_writer **ret, fl_err *err)
{
    return open_kind(true, memory, fields, n_fields, options, n_options, ret, err);
}

static fl_status open_stream(fl_memory *memory, const fl_field *fields, int32_t n_fields, const fl_option *options,
                             int32_t n_options, fl_writer **ret, fl_err *err)
{
    return open_kind(false, memory, fields, n_fields, options, n_options, ret, err);
}

static const char *const file_suffixes[] = {".arrow", ".feather", ".ipc", NULL};
static const char *const stream_suffixes[] = {".arrows", NULL};

const fl_writer_desc fl_writer_arrow = {.size = (uint32_t)sizeof(fl_writer_desc),
                                        .extensions = FL_KNOWS(FL_JSON) | FL_KNOWS(FL_UUID) | FL_KNOWS(FL_MAP),
                                        .name = "arrow",
                                        .suffixes = file_suffixes,
                                        .reader = "read_arrow",
                                        .open = open_file,
                                        .doc =
                                            "COPY … TO 'file.arrow' (COMPRESSION, ROW_GROUP_SIZE) writes an IPC file"};

const fl_writer_desc fl_writer_arrows = {
    .size = (uint32_t)sizeof(fl_writer_desc),
    .extensions = FL_KNOWS(FL_JSON) | FL_KNOWS(FL_UUID) | FL_KNOWS(FL_MAP),
    .name = "arrows",
    .suffixes = stream_suffixes,
    .reader = "read_arrow",
    .open = open_stream,
    .doc = "COPY … TO 'file.arrows' (COMPRESSION, ROW_GROUP_SIZE) writes an IPC stream"};
