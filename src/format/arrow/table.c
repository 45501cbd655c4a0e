/* read_arrow: finding a file's schema and batches, and the table of files with the same columns. */
#include "format/arrow/table.h"

#include "base/interrupt.h"
#include "base/names.h"
#include "format/arrow/ipc.h"
#include "format/arrow/schema.h"
#include "store/arrow_stream.h"

#define HEAD_BYTES_MAX (256 << 20)
#define FOOTER_END_BYTES (4 + FL_IPC_MAGIC_BYTES)
#define FILE_BEGIN 8 /* the magic word and what fills it up */
#define VERSION_LEAST 3

/* ---- messages ------------------------------------------------------------------------------------------------------ */

static fl_status read_bytes(fl_arena *arena, fl_file *file, int64_t at, int64_t bytes, const uint8_t **ret, fl_err *err)
{
    fl_status st = FL_OK;
    void *room = NULL;
    if (at < 0 || bytes < 0 || bytes > HEAD_BYTES_MAX || at > file->bytes || bytes > file->bytes - at)
        return fl_ipc_corrupt(file, "it ends before a message does", err);
    FL_TRY(fl_arena_get(arena, bytes + 8, &room, err));
    FL_TRY(fl_file_read_at(file, at, room, bytes, err));
    *ret = room;
cleanup:
    return st;
}

static uint32_t load_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

fl_status fl_ipc_message_read(fl_arena *arena, fl_file *file, int64_t at, fl_ipc_message *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const uint8_t *head = NULL;
    *ret = (fl_ipc_message){.end = at};
    if (at == file->bytes) /* a stream may end without saying so */
        return FL_OK;
    FL_TRY(read_bytes(arena, file, at, 4, &head, err));
    int64_t bytes = load_u32(head);
    at += 4;
    if (bytes == FL_IPC_MARK) {
        FL_TRY(read_bytes(arena, file, at, 4, &head, err));
        bytes = load_u32(head);
        at += 4;
    }
    ret->end = at;
    if (bytes == 0)
        return FL_OK;
    FL_TRY(read_bytes(arena, file, at, bytes, &head, err));
    ret->flat = (fl_flat){.data = head, .bytes = bytes};
    int64_t root = fl_flat_root(&ret->flat), version = fl_flat_int(&ret->flat, root, 0, 2, 0);
    ret->kind = (int32_t)fl_flat_int(&ret->flat, root, 1, 1, 0);
    ret->header = fl_flat_table(&ret->flat, root, 2);
    ret->body_at = at + bytes;
    ret->body_bytes = fl_flat_int(&ret->flat, root, 3, 8, 0);
    if (ret->flat.is_bad || ret->header == 0 || ret->body_bytes < 0 || ret->body_bytes > file->bytes - ret->body_at)
        return fl_ipc_corrupt(file, "a message's head is malformed", err);
    if (version < VERSION_LEAST)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%s\" is of an Arrow version before 0.15, which is not read",
                       file->path);
    ret->end = ret->body_at + ret->body_bytes;
cleanup:
    return st;
}

/* ---- batches ------------------------------------------------------------------------------------------------------- */

static fl_status add_batch(fl_ipc_file *to, fl_ipc_message *m, int64_t at, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_dictionary = m->kind == FL_IPC_DICTIONARY;
    int64_t table = is_dictionary ? fl_flat_table(&m->flat, m->header, 1) : m->header;
    fl_ipc_batch batch = {
        .at = at, .rows = fl_flat_int(&m->flat, table, 0, 8, 0), .n_dictionaries = to->n_dictionaries};
    if (batch.rows < 0 || batch.rows > INT32_MAX || m->flat.is_bad)
        return fl_ipc_corrupt(to->file, "a batch has an impossible number of rows", err);
    if (!is_dictionary) {
        FL_TRY(fl_grow(NULL, (void **)&to->batches, &to->batches_capacity, to->n_batches + 1, (int64_t)sizeof(batch),
                       err));
        to->batches[to->n_batches++] = batch;
        return FL_OK;
    }
    batch.id = fl_flat_int(&m->flat, m->header, 0, 8, 0);
    if (fl_flat_int(&m->flat, m->header, 2, 1, 0) != 0)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%s\" has a dictionary that grows between batches, which is not read",
                       to->file->path);
    FL_TRY(fl_grow(NULL, (void **)&to->dictionaries, &to->dictionaries_capacity, to->n_dictionaries + 1,
                   (int64_t)sizeof(batch), err));
    to->dictionaries[to->n_dictionaries++] = batch;
cleanup:
    return st;
}

/* Message after message. */
static fl_status learn_stream(fl_arena *arena, fl_ipc_file *file, fl_arena *scratch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ipc_message m;
    fl_work work = fl_work_of(arena->memory);
    int64_t at = 0;
    FL_TRY(fl_ipc_message_read(scratch, file->file, at, &m, err));
    if (m.kind != FL_IPC_SCHEMA)
        return fl_ipc_corrupt(file->file, "it does not begin with a schema", err);
    FL_TRY(fl_ipc_schema_read(arena, &m.flat, m.header, file, err));
    while (m.kind != 0) {
        at = m.end;
        fl_arena_reset(scratch);
        FL_TRY(fl_work_add(&work, 1000, err));
        FL_TRY(fl_ipc_message_read(scratch, file->file, at, &m, err));
        if (m.kind == FL_IPC_BATCH || m.kind == FL_IPC_DICTIONARY)
            FL_TRY(add_batch(file, &m, at, err));
    }
cleanup:
    return st;
}

/* The blocks that a footer lists: dictionaries before batches. */
static fl_status learn_blocks(fl_ipc_file *file, fl_flat *footer, int64_t root, int32_t slot, fl_arena *scratch,
                              fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0, at = fl_flat_vector(footer, root, slot, 24, &n);
    fl_work work = fl_work_of(scratch->memory);
    fl_arena arena;
    fl_arena_init(&arena, scratch->memory);
    for (int64_t i = 0; i < n; i++) {
        fl_ipc_message m;
        int64_t place = fl_flat_i64(footer, at + 24 * i);
        fl_arena_reset(&arena);
        FL_TRY(fl_work_add(&work, 1000, err));
        FL_TRY(fl_ipc_message_read(&arena, file->file, place, &m, err));
        if (m.kind != (slot == 2 ? FL_IPC_DICTIONARY : FL_IPC_BATCH)) {
            st = fl_ipc_corrupt(file->file, "its footer leads to something else than a batch", err);
            goto cleanup;
        }
        FL_TRY(add_batch(file, &m, place, err));
    }
cleanup:
    fl_arena_drop(&arena);
    return st;
}

static fl_status learn_file(fl_arena *arena, fl_ipc_file *file, fl_arena *scratch, fl_err *err)
{
    fl_status st = FL_OK;
    const uint8_t *end = NULL, *footer = NULL;
    int64_t bytes = file->file->bytes;
    if (bytes < FILE_BEGIN + FOOTER_END_BYTES)
        return fl_ipc_corrupt(file->file, "it is cut off", err);
    FL_TRY(read_bytes(scratch, file->file, bytes - FOOTER_END_BYTES, FOOTER_END_BYTES, &end, err));
    int64_t footer_bytes = load_u32(end);
    if (memcmp(end + 4, FL_IPC_MAGIC, FL_IPC_MAGIC_BYTES) != 0)
        return fl_ipc_corrupt(file->file, "it is cut off: it does not end as it begins", err);
    FL_TRY(read_bytes(scratch, file->file, bytes - FOOTER_END_BYTES - footer_bytes, footer_bytes, &footer, err));
    fl_flat f = {.data = footer, .bytes = footer_bytes};
    int64_t root = fl_flat_root(&f);
    FL_TRY(fl_ipc_schema_read(arena, &f, fl_flat_table(&f, root, 1), file, err));
    FL_TRY(learn_blocks(file, &f, root, 2, scratch, err));
    FL_TRY(learn_blocks(file, &f, root, 3, scratch, err));
    if (f.is_bad)
        st = fl_ipc_corrupt(file->file, "its footer is malformed", err);
cleanup:
    return st;
}

/* Moves a list that grew into the table's arena. */
static fl_status keep_list(fl_arena *arena, fl_ipc_batch **list, int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ipc_batch *kept = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &kept, err));
    if (n > 0)
        memcpy(kept, *list, (size_t)n * sizeof(*kept));
cleanup:
    fl_free(*list);
    *list = kept;
    return st;
}

static fl_status learn_one(fl_arena *arena, fl_ipc_file *file, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena scratch;
    const uint8_t *begin = NULL;
    fl_arena_init(&scratch, memory);
    FL_TRY(fl_file_hold(file->file, err));
    if (file->file->bytes < FILE_BEGIN) {
        st = fl_ipc_corrupt(file->file, "it is cut off", err);
        goto release;
    }
    st = read_bytes(&scratch, file->file, 0, FILE_BEGIN, &begin, err);
    if (st != FL_OK)
        goto release;
    if (memcmp(begin, "FEA1", 4) == 0)
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%s\" is a Feather file of version 1, which is not read",
                     file->file->path);
    else if (memcmp(begin, FL_IPC_MAGIC, FL_IPC_MAGIC_BYTES) == 0)
        st = learn_file(arena, file, &scratch, err);
    else
        st = learn_stream(arena, file, &scratch, err);
release:
    fl_file_release(file->file);
    fl_status kept = keep_list(arena, &file->batches, file->n_batches, st == FL_OK ? err : NULL);
    if (kept == FL_OK)
        kept = keep_list(arena, &file->dictionaries, file->n_dictionaries, st == FL_OK ? err : NULL);
    else
        fl_free(file->dictionaries);
    st = st == FL_OK ? kept : st;
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

/* ---- the table ----------------------------------------------------------------------------------------------------- */

/* A stream of a schema and no batches: its import says what types the columns have. */
static int give_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret)
{
    *ret = *(const struct ArrowSchema *)stream->private_data;
    return 0;
}

static int give_end(struct ArrowArrayStream *stream, struct ArrowArray *ret)
{
    (void)stream;
    ret->release = NULL;
    return 0;
}

static const char *give_no_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return NULL;
}

static void release_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

static fl_status type_columns(fl_arena *arena, const fl_ipc_file *file, fl_memory *memory, fl_field **ret, fl_err *err)
{
    fl_status st = FL_OK;
    struct ArrowSchema schema;
    fl_arrow_import import = {0};
    int32_t *all = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, file->n_columns + 1, &all, err));
    for (int32_t i = 0; i < file->n_columns; i++)
        all[i] = i;
    FL_TRY(fl_ipc_schema_of(arena, file, all, file->n_columns, &schema, err));
    struct ArrowArrayStream stream = {.get_schema = give_schema,
                                      .get_next = give_end,
                                      .get_last_error = give_no_error,
                                      .release = release_stream,
                                      .private_data = &schema};
    FL_TRY(fl_arrow_import_stream(memory, NULL, &stream, &import, err));
    FL_TRY(FL_NEW_ARRAY(arena, file->n_columns + 1, ret, err));
    for (int32_t i = 0; i < file->n_columns; i++) {
        (*ret)[i].nullable = true;
        FL_TRY(fl_arena_copy_str(arena, import.fields[i].name, &(*ret)[i].name, err));
        FL_TRY(fl_type_copy(arena, import.fields[i].type, &(*ret)[i].type, err));
    }
cleanup:
    fl_arrow_import_drop(&import);
    return st;
}

static fl_status check_same(const fl_arrow_table *table, int32_t f, const fl_field *first, const fl_field *fields,
                            fl_err *err)
{
    const fl_ipc_file *a = &table->files[0], *b = &table->files[f];
    if (a->n_columns != b->n_columns)
        return FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" has %d columns, but \"%s\" has %d", b->file->path, b->n_columns,
                       a->file->path, a->n_columns);
    for (int32_t i = 0; i < a->n_columns; i++) {
        if (!fl_str_is_equal(first[i].name, fields[i].name))
            return FL_FAIL(err, FL_ERR_FORMAT, "column %d of \"%s\" is \"%.*s\", but \"%.*s\" in \"%s\"", i + 1,
                           b->file->path, FL_STR_ARG(fields[i].name), FL_STR_ARG(first[i].name), a->file->path);
        if (!fl_type_is_equal(first[i].type, fields[i].type))
            return FL_FAIL(err, FL_ERR_FORMAT, "column \"%.*s\" of \"%s\" is %s, but %s in \"%s\"",
                           FL_STR_ARG(fields[i].name), b->file->path, FL_TYPE_NAME(fields[i].type),
                           FL_TYPE_NAME(first[i].type), a->file->path);
    }
    return FL_OK;
}

static fl_status learn(fl_files_table *base, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arrow_table *table = (fl_arrow_table *)base;
    fl_field *first = NULL;
    int64_t morsels = 0;
    FL_TRY(FL_NEW_ARRAY(&base->arena, base->n_files, &table->files, err));
    for (int32_t f = 0; f < base->n_files; f++) {
        fl_ipc_file *file = &table->files[f];
        fl_field *fields = NULL;
        file->file = base->files[f];
        FL_TRY(learn_one(&base->arena, file, memory, err));
        FL_TRY(type_columns(&base->arena, file, memory, &fields, err));
        if (f == 0)
            first = fields;
        else
            FL_TRY(check_same(table, f, first, fields, err));
        file->first_morsel = morsels;
        morsels += file->n_batches;
        for (int64_t i = 0; i < file->n_batches; i++)
            base->table.rows += (double)file->batches[i].rows;
    }
    base->has_counted = true;
    base->table.fields = first;
    base->table.n_cols = table->files[0].n_columns;
cleanup:
    return st;
}

/* The rows that a scan gives are those of the batches. */
static void facts(fl_table *base, int32_t col, fl_table_facts *ret)
{
    (void)col;
    *ret = (fl_table_facts){.nulls = -1, .rows = (int64_t)base->rows};
}

static const fl_table_ops table_ops = {.scan_new = fl_arrow_scan_new, .facts = facts, .free = fl_files_table_free};

static const fl_arrow_table defaults = {0};

static const fl_files_reader reader = {.format = &fl_format_arrow,
                                       .ops = &table_ops,
                                       .table_bytes = (int64_t)sizeof(fl_arrow_table),
                                       .defaults = &defaults,
                                       .learn = learn};

static fl_status table_open(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_option *given,
                            int32_t n_given, fl_table **ret, fl_err *err)
{
    return fl_files_table_open(&reader, memory, paths, n_paths, given, n_given, ret, err);
}

static const char *const suffixes[] = {".arrow", ".arrows", ".feather", ".ipc", NULL};

const fl_format_desc fl_format_arrow = {
    .size = (uint32_t)sizeof(fl_format_desc),
    .name = "arrow",
    .function = "read_arrow",
    .suffixes = suffixes,
    .open = table_open,
    .doc = "read_arrow(file) gives the rows of one or several Arrow IPC files or streams",
};
