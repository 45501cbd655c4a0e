/* A record batch as an array of the C data interface. What the head says is held against the file's and the buffers' lengths here, what
 * values say by whoever imports the array (store/arrow_stream.h). */
#include "base/buffer.h"
#include "format/arrow/ipc.h"
#include "format/arrow/pack_buffer.h"
#include "format/arrow/table.h"

#include <stdlib.h>

#define ALIGNMENT 64
#define NOT_PACKED (-1)

/* All that an array needs; it goes with the array's root. */
typedef struct array_memory {
    fl_arena arena;
    fl_buffer **buffers;
    int64_t n, capacity;
} array_memory;

typedef struct batch_reader {
    fl_memory *memory;
    const fl_ipc_file *file;
    const fl_ipc_batch *batch;
    fl_ipc_message message;
    int64_t nodes, n_nodes, buffers, n_buffers; /* places in the head */
    int32_t codec;
    array_memory *kept;
} batch_reader;

static void release_child(struct ArrowArray *array)
{
    array->release = NULL;
}

static void free_memory(array_memory *kept)
{
    if (kept == NULL)
        return;
    for (int64_t i = 0; i < kept->n; i++)
        fl_buffer_unref(kept->buffers[i]);
    fl_free(kept->buffers);
    fl_arena_drop(&kept->arena);
    fl_free(kept);
}

static void release_root(struct ArrowArray *array)
{
    free_memory(array->private_data);
    array->release = NULL;
}

fl_status fl_ipc_corrupt(const fl_file *file, const char *what, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is no sound Arrow file: %s", file->path, what);
}

static fl_status corrupt(const batch_reader *r, const fl_ipc_field *field, const char *what, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_CORRUPT, "\"%s\" is no sound Arrow file: column \"%s\" of the batch at byte %lld %s",
                   r->file->file->path, field->schema.name, (long long)r->batch->at, what);
}

/* ---- buffers ------------------------------------------------------------------------------------------------------- */

static fl_status keep_buffer(batch_reader *r, int64_t bytes, fl_buffer **ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_grow(r->memory, (void **)&r->kept->buffers, &r->kept->capacity, r->kept->n + 1,
                   (int64_t)sizeof(*r->kept->buffers), err));
    FL_TRY(fl_buffer_new(r->memory, bytes, ret, err));
    r->kept->buffers[r->kept->n++] = *ret;
cleanup:
    return st;
}

static fl_status unpack(batch_reader *r, const fl_ipc_field *field, fl_str packed, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_buffer *buffer = NULL;
    int64_t bytes = fl_ipc_unpacked_bytes(packed);
    if (bytes < 0)
        return corrupt(r, field, "has a packed buffer of an impossible length", err);
    FL_TRY(keep_buffer(r, bytes, &buffer, err));
    const char *wrong = fl_ipc_unpack(r->codec, packed, (char *)buffer->data);
    if (wrong != NULL)
        return corrupt(r, field, wrong, err);
    *ret = (fl_str){(const char *)buffer->data, bytes};
cleanup:
    return st;
}

/* Buffer number i of the batch. */
static fl_status read_buffer(batch_reader *r, const fl_ipc_field *field, int32_t i, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_buffer *buffer = NULL;
    const fl_ipc_message *m = &r->message;
    if (i >= r->n_buffers)
        return corrupt(r, field, "lacks a buffer", err);
    int64_t at = fl_flat_i64(&m->flat, r->buffers + 16 * (int64_t)i);
    int64_t bytes = fl_flat_i64(&m->flat, r->buffers + 16 * (int64_t)i + 8);
    if (at < 0 || bytes < 0 || at > m->body_bytes || bytes > m->body_bytes - at)
        return corrupt(r, field, "has a buffer outside of the batch", err);
    *ret = (fl_str){"", 0};
    if (bytes == 0)
        return FL_OK;
    FL_TRY(keep_buffer(r, bytes, &buffer, err));
    FL_TRY(fl_file_read_at(r->file->file, m->body_at + at, buffer->data, bytes, err));
    *ret = (fl_str){(const char *)buffer->data, bytes};
    if (r->codec != NOT_PACKED)
        st = unpack(r, field, *ret, ret, err);
cleanup:
    return st;
}

/* ---- arrays -------------------------------------------------------------------------------------------------------- */

static int64_t offset_at(const fl_ipc_field *field, fl_str offsets, int64_t i)
{
    int64_t wide = 0;
    int32_t narrow = 0;
    if (field->offset_bytes == 8) {
        memcpy(&wide, offsets.data + 8 * i, 8);
        return wide;
    }
    memcpy(&narrow, offsets.data + 4 * i, 4);
    return narrow;
}

/* Whether the buffers hold so many rows; *ret_end: the last offset. */
static fl_status check_buffers(const batch_reader *r, const fl_ipc_field *field, const fl_str *buffers, int64_t rows,
                               int64_t nulls, int64_t *ret_end, fl_err *err)
{
    *ret_end = 0;
    if (field->n_buffers > 0 && buffers[0].len > 0 && buffers[0].len < (rows + 7) / 8)
        return corrupt(r, field, "has too few bits of validity", err);
    if (field->n_buffers > 0 && buffers[0].len == 0 && nulls > 0)
        return corrupt(r, field, "has nulls, but no bits of validity", err);
    if (field->width > 0 && buffers[1].len < (rows * field->width + 7) / 8)
        return corrupt(r, field, "has too few values", err);
    if (field->offset_bytes > 0 && rows > 0) {
        if (buffers[1].len / field->offset_bytes < rows + 1)
            return corrupt(r, field, "has too few offsets", err);
        *ret_end = offset_at(field, buffers[1], rows);
        if (*ret_end < 0 || (field->n_buffers == 3 && *ret_end > buffers[2].len))
            return corrupt(r, field, "has too few characters", err);
    }
    return FL_OK;
}

static fl_status read_array(batch_reader *r, const fl_ipc_field *field, struct ArrowArray *ret, fl_err *err);

/* The last batch of the dictionary before this one of rows. */
static fl_status read_values(batch_reader *r, const fl_ipc_field *field, struct ArrowArray *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t i = r->batch->n_dictionaries - 1;
    while (i >= 0 && r->file->dictionaries[i].id != field->dictionary)
        i--;
    if (i < 0)
        return corrupt(r, field, "has no dictionary", err);
    batch_reader values = {.memory = r->memory, .file = r->file, .batch = &r->file->dictionaries[i], .kept = r->kept};
    FL_TRY(fl_ipc_message_read(&r->kept->arena, r->file->file, values.batch->at, &values.message, err));
    int64_t batch = fl_flat_table(&values.message.flat, values.message.header, 1);
    values.nodes = fl_flat_vector(&values.message.flat, batch, 1, 16, &values.n_nodes);
    values.buffers = fl_flat_vector(&values.message.flat, batch, 2, 16, &values.n_buffers);
    int64_t packing = fl_flat_table(&values.message.flat, batch, 3);
    values.codec = packing == 0 ? NOT_PACKED : (int32_t)fl_flat_int(&values.message.flat, packing, 0, 1, FL_IPC_LZ4);
    st = read_array(&values, field->values, ret, err);
cleanup:
    return st;
}

static fl_status read_children(batch_reader *r, const fl_ipc_field *field, int64_t least_rows, struct ArrowArray *ret,
                               fl_err *err)
{
    fl_status st = FL_OK;
    struct ArrowArray *children = NULL;
    FL_TRY(FL_NEW_ARRAY(&r->kept->arena, field->n_children + 1, &children, err));
    FL_TRY(FL_NEW_ARRAY(&r->kept->arena, field->n_children + 1, &ret->children, err));
    for (int32_t i = 0; i < field->n_children; i++) {
        FL_TRY(read_array(r, &field->children[i], &children[i], err));
        if (children[i].length < least_rows)
            return corrupt(r, field, "has children of too few rows", err);
        ret->children[i] = &children[i];
    }
    ret->n_children = field->n_children;
cleanup:
    return st;
}

static fl_status read_array(batch_reader *r, const fl_ipc_field *field, struct ArrowArray *ret, fl_err *err)
{
    fl_status st = FL_OK;
    static const int64_t zeros[2] = {0, 0}; /* the offsets of no rows */
    fl_str buffers[3] = {{"", 0}, {"", 0}, {"", 0}};
    int64_t end = 0;
    if (field->first_node >= r->n_nodes)
        return corrupt(r, field, "is not in it", err);
    int64_t rows = fl_flat_i64(&r->message.flat, r->nodes + 16 * (int64_t)field->first_node);
    int64_t nulls = fl_flat_i64(&r->message.flat, r->nodes + 16 * (int64_t)field->first_node + 8);
    if (rows < 0 || nulls < 0 || nulls > rows || rows > INT32_MAX)
        return corrupt(r, field, "has an impossible number of rows", err);
    for (int32_t i = 0; i < field->n_buffers; i++)
        FL_TRY(read_buffer(r, field, field->first_buffer + i, &buffers[i], err));
    FL_TRY(check_buffers(r, field, buffers, rows, nulls, &end, err));
    *ret = (struct ArrowArray){
        .length = rows, .null_count = nulls, .n_buffers = field->n_buffers, .release = release_child};
    FL_TRY(FL_NEW_ARRAY(&r->kept->arena, 4, &ret->buffers, err));
    for (int32_t i = 0; i < field->n_buffers; i++)
        ret->buffers[i] = i == 0 && buffers[0].len == 0 ? NULL : buffers[i].data;
    if (field->offset_bytes > 0 && rows == 0)
        ret->buffers[1] = zeros;
    bool is_list = field->offset_bytes > 0 && field->n_buffers == 2;
    FL_TRY(read_children(r, field, is_list ? end : rows, ret, err));
    if (field->dictionary >= 0) {
        FL_TRY(FL_NEW(&r->kept->arena, &ret->dictionary, err));
        FL_TRY(read_values(r, field, ret->dictionary, err));
    }
cleanup:
    return st;
}

fl_status fl_ipc_batch_read(fl_memory *memory, const fl_ipc_file *file, const fl_ipc_batch *batch, const int32_t *cols,
                            int32_t n, struct ArrowArray *ret, fl_err *err)
{
    fl_status st = FL_OK;
    batch_reader r = {.memory = memory, .file = file, .batch = batch};
    struct ArrowArray *children = NULL;
    *ret = (struct ArrowArray){0};
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*r.kept), (void **)&r.kept, err));
    fl_arena_init(&r.kept->arena, memory);
    FL_TRY(fl_ipc_message_read(&r.kept->arena, file->file, batch->at, &r.message, err));
    fl_flat *f = &r.message.flat;
    r.nodes = fl_flat_vector(f, r.message.header, 1, 16, &r.n_nodes);
    r.buffers = fl_flat_vector(f, r.message.header, 2, 16, &r.n_buffers);
    int64_t packing = fl_flat_table(f, r.message.header, 3);
    r.codec = packing == 0 ? NOT_PACKED : (int32_t)fl_flat_int(f, packing, 0, 1, FL_IPC_LZ4);
    if (f->is_bad || (r.codec != NOT_PACKED && r.codec != FL_IPC_LZ4 && r.codec != FL_IPC_ZSTD)) {
        st = fl_ipc_corrupt(file->file, "a batch's head is malformed", err);
        goto cleanup;
    }
    *ret = (struct ArrowArray){.length = batch->rows, .n_buffers = 1, .n_children = n};
    FL_TRY(FL_NEW_ARRAY(&r.kept->arena, 1, &ret->buffers, err));
    FL_TRY(FL_NEW_ARRAY(&r.kept->arena, n + 1, &ret->children, err));
    FL_TRY(FL_NEW_ARRAY(&r.kept->arena, n + 1, &children, err));
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(read_array(&r, &file->columns[cols[i]], &children[i], err));
        if (children[i].length != batch->rows) {
            st = corrupt(&r, &file->columns[cols[i]], "has another number of rows", err);
            goto cleanup;
        }
        ret->children[i] = &children[i];
    }
    ret->private_data = r.kept;
    ret->release = release_root;
    return FL_OK;
cleanup:
    free_memory(r.kept);
    *ret = (struct ArrowArray){0};
    return st;
}
