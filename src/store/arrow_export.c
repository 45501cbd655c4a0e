/* Segments leave as an ArrowArrayStream. Each array holds a reference to its segment; what had to be copied lies in an
 * arena of the array.
 *
 * Types over others leave as Arrow has them: JSON and UUIDs as its extension types arrow.json and arrow.uuid, enums as dictionaries, maps
 * as maps; bit strings and times with an offset, for which there is nothing, as their text. */
#include "store/arrow_stream.h"

#include "arrow/value.h"
#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct exported {
    fl_memory *memory;
    fl_arena arena;
    fl_field *fields;
    int32_t n_cols;
    fl_str zone; /* of timestamptz columns, for who shows them */
    fl_segment_feed feed;
    fl_err err; /* of the get_next that failed */
} exported;

/* A feed of segments that are there. */
typedef struct segment_list {
    fl_memory *memory;
    int64_t n, next;
    fl_segment *items[];
} segment_list;

/* ---- schema ------------------------------------------------------------------------------------------------------- */

static void schema_release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL)
            schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    if (schema->dictionary != NULL && schema->dictionary->release != NULL)
        schema->dictionary->release(schema->dictionary);
    free(schema->dictionary);
    free(schema->children);
    free((void *)(uintptr_t)schema->format);
    free((void *)(uintptr_t)schema->name);
    free((void *)(uintptr_t)schema->metadata);
    schema->release = NULL;
}

#define FORMAT_BYTES 96

static void format_of(fl_type type, fl_str zone, char *ret, size_t bytes)
{
    static const char *const plain[FL_TYPE_COUNT] = {
        [FL_NULL] = "n",   [FL_BOOL] = "b",       [FL_I8] = "c",    [FL_I16] = "s",    [FL_I32] = "i",
        [FL_I64] = "l",    [FL_U8] = "C",         [FL_U16] = "S",   [FL_U32] = "I",    [FL_U64] = "L",
        [FL_F32] = "f",    [FL_F64] = "g",        [FL_UTF8] = "u",  [FL_BINARY] = "z", [FL_DATE] = "tdD",
        [FL_TIME] = "ttu", [FL_INTERVAL] = "tin", [FL_LIST] = "+l", [FL_STRUCT] = "+s"};
    static const char units[] = {[FL_MICRO] = 'u', [FL_SECOND] = 's', [FL_MILLI] = 'm', [FL_NANO] = 'n'};
    if (type.extension == FL_UUID)
        snprintf(ret, bytes, "w:16");
    else if (type.extension == FL_MAP)
        snprintf(ret, bytes, "+m");
    else if (type.extension == FL_TIMETZ)
        snprintf(ret, bytes, "u");
    else if (type.id == FL_DECIMAL)
        snprintf(ret, bytes, "d:%d,%d", type.precision, type.scale);
    else if (fl_type_is_timestamp(type))
        snprintf(ret, bytes, "ts%c:%.*s", units[type.unit], type.id == FL_TIMESTAMPTZ ? (int)zone.len : 0, zone.data);
    else
        snprintf(ret, bytes, "%s", plain[type.id]);
}

/* Arrow's name of an extension type, as metadata: a count of pairs, then each text behind its length. */
static bool fill_metadata(struct ArrowSchema *schema, fl_type type)
{
    static const char key[] = "ARROW:extension:name", more[] = "ARROW:extension:metadata";
    const char *name = type.extension == FL_JSON ? "arrow.json" : type.extension == FL_UUID ? "arrow.uuid" : NULL;
    if (name == NULL)
        return true;
    const fl_str texts[] = {fl_str_of(key), fl_str_of(name), fl_str_of(more), FL_STR("")};
    char *at = calloc(1, 128);
    int32_t pairs = 2;
    schema->metadata = at;
    if (at == NULL)
        return false;
    memcpy(at, &pairs, 4);
    at += 4;
    for (int64_t i = 0; i < FL_LEN(texts); i++) {
        int32_t len = (int32_t)texts[i].len;
        memcpy(at, &len, 4);
        memcpy(at + 4, texts[i].data, (size_t)len);
        at += 4 + len;
    }
    return true;
}

static bool fill_schema(struct ArrowSchema *schema, fl_str name, fl_type type, bool nullable, fl_str zone)
{
    char format[FORMAT_BYTES];
    memset(schema, 0, sizeof(*schema));
    format_of(type, zone, format, sizeof(format));
    schema->release = schema_release;
    schema->format = strdup(format);
    schema->name = strndup(name.data == NULL ? "" : name.data, (size_t)name.len);
    schema->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
    if (schema->format == NULL || schema->name == NULL || !fill_metadata(schema, type))
        return false;
    if (type.extension == FL_ENUM) {
        schema->flags |= ARROW_FLAG_DICTIONARY_ORDERED;
        schema->dictionary = calloc(1, sizeof(*schema->dictionary));
        return schema->dictionary != NULL && fill_schema(schema->dictionary, FL_STR(""), FL_TYPE(FL_UTF8), false, zone);
    }
    if (type.n_fields == 0)
        return true;
    schema->children = calloc((size_t)type.n_fields, sizeof(*schema->children));
    if (schema->children == NULL)
        return false;
    for (int32_t i = 0; i < type.n_fields; i++) {
        schema->children[i] = calloc(1, sizeof(struct ArrowSchema));
        if (schema->children[i] == NULL)
            return false;
        schema->n_children = i + 1;
        bool is_entry = type.extension == FL_MAP;
        fl_str child = is_entry ? FL_STR("entries") : type.id == FL_LIST ? FL_STR("item") : type.fields[i].name;
        bool is_nullable = !is_entry && (type.id == FL_LIST || type.fields[i].nullable);
        if (!fill_schema(schema->children[i], child, type.fields[i].type, is_nullable, zone))
            return false;
    }
    return true;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    exported *e = stream->private_data;
    fl_type root = FL_TYPE(FL_STRUCT);
    root.n_fields = e->n_cols;
    root.fields = e->fields;
    if (!fill_schema(out, FL_STR(""), root, false, e->zone)) {
        schema_release(out);
        FL_FAIL(&e->err, FL_ERR_MEMORY, "there is no memory for the schema");
        return ENOMEM;
    }
    return 0;
}

/* ---- arrays ------------------------------------------------------------------------------------------------------- */

/* The root array's holder; children share its lifetime. */
typedef struct array_holder {
    fl_segment *segment;
    fl_arena arena;
} array_holder;

static void child_release(struct ArrowArray *array)
{
    array->release = NULL;
}

static void root_release(struct ArrowArray *array)
{
    array_holder *holder = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release != NULL)
            array->children[i]->release(array->children[i]);
    fl_segment_unref(holder->segment);
    fl_arena_drop(&holder->arena);
    fl_free(holder);
    array->release = NULL;
}

static int64_t count_nulls(const uint64_t *valid, int64_t rows)
{
    return valid == NULL ? 0 : rows - fl_bitmap_count(valid, rows);
}

/* Offsets of lists, and their elements. Arrow's lists follow each other; ours may lie in any order, overlap, or belong to
 * null rows: then the elements are put into order. */
static fl_status order_list(fl_arena *arena, const fl_vec *vec, int64_t rows, int32_t **ret_offsets, fl_vec *ret_child,
                            int64_t *ret_child_rows, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_list_entry *entries = vec->data;
    int32_t *offsets = NULL, *list = NULL;
    int64_t total = 0, n = 0;
    bool is_ordered = true;
    FL_TRY(fl_arena_get(arena, (rows + 1) * 4, (void **)&offsets, err));
    for (int64_t i = 0; i < rows; i++) {
        offsets[i] = entries[i].start;
        total += fl_is_valid(vec->valid, i) ? entries[i].len : 0;
        is_ordered &= i + 1 == rows || entries[i].start + entries[i].len == entries[i + 1].start;
    }
    offsets[rows] = rows > 0 ? entries[rows - 1].start + entries[rows - 1].len : 0;
    *ret_offsets = offsets;
    if (vec->child != NULL)
        *ret_child = vec->child[0];
    else
        fl_vec_set_const(ret_child, vec->type.fields[0].type, NULL);
    *ret_child_rows = vec->child != NULL ? vec->child_rows : 0;
    ret_child->type.fields = vec->type.fields[0].type.fields;
    if (is_ordered)
        return FL_OK;
    if (total > INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "a column of lists has more than 2^31 elements within %lld rows",
                       (long long)rows);
    FL_TRY(fl_arena_get(arena, total * 4 + 64, (void **)&list, err));
    for (int64_t i = 0; i < rows; i++) {
        offsets[i] = (int32_t)n;
        for (int32_t k = 0; fl_is_valid(vec->valid, i) && k < entries[i].len; k++)
            list[n++] = entries[i].start + k;
    }
    offsets[rows] = (int32_t)n;
    fl_vec unordered = *ret_child;
    FL_TRY(fl_vec_gather32(arena, &unordered, list, n, ret_child, err));
    *ret_child_rows = n;
cleanup:
    return st;
}

/* The names of an enum, which the codes number. */
static fl_status export_names(fl_arena *arena, fl_type type, struct ArrowArray **ret, fl_err *err)
{
    fl_status st = FL_OK;
    struct ArrowArray *names = NULL;
    const void **buffers = NULL;
    int32_t *offsets = NULL;
    char *chars = NULL;
    int64_t bytes = 0;
    FL_ASSERT(type.extension == FL_ENUM);
    for (int32_t i = 0; i < type.n_fields; i++)
        bytes += type.fields[i].name.len;
    if (bytes > INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "the names of an enum are longer than 2 GB");
    FL_TRY(FL_NEW(arena, &names, err));
    FL_TRY(FL_NEW_ARRAY(arena, 3, &buffers, err));
    FL_TRY(FL_NEW_ARRAY(arena, type.n_fields + 1, &offsets, err));
    FL_TRY(fl_arena_get(arena, bytes + 1, (void **)&chars, err));
    for (int32_t i = 0; i < type.n_fields; i++) {
        fl_str name = type.fields[i].name;
        memcpy(chars + offsets[i], name.data, (size_t)name.len);
        offsets[i + 1] = offsets[i] + (int32_t)name.len;
    }
    buffers[1] = offsets;
    buffers[2] = chars;
    *names = (struct ArrowArray){.length = type.n_fields, .n_buffers = 3, .buffers = buffers, .release = child_release};
    *ret = names;
cleanup:
    return st;
}

static fl_status export_uuids(fl_arena *arena, const fl_vec *vec, int64_t rows, const void **ret, fl_err *err)
{
    uint8_t *out = NULL;
    fl_status st = fl_arena_get_zero(arena, rows * 16 + 16, (void **)&out, err);
    for (int64_t i = 0; i < rows && st == FL_OK; i++)
        if (fl_is_valid(vec->valid, i))
            fl_uuid_to_bytes(fl_vec_i128(vec, i), out + 16 * i);
    *ret = out;
    return st;
}

/* Values as a column of their texts. */
static fl_status print_column(fl_arena *arena, const fl_vec *vec, int64_t rows, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_view *views = NULL;
    fl_text text;
    fl_text_init(&text, arena->memory);
    FL_TRY(fl_arena_get_zero(arena, rows * (int64_t)sizeof(*views) + 64, (void **)&views, err));
    for (int64_t i = 0; i < rows; i++) {
        fl_value value;
        fl_str kept;
        if (!fl_is_valid(vec->valid, i))
            continue;
        FL_TRY(fl_value_from_vec(arena, vec, i, &value, err));
        fl_text_clear(&text);
        fl_value_print(&text, &value);
        FL_TRY(fl_text_status(&text, err));
        FL_TRY(fl_arena_copy_str(arena, fl_text_str(&text), &kept, err));
        views[i] = fl_view_of(kept.data, kept.len);
    }
    fl_vec_set_flat(ret, FL_TYPE(FL_UTF8), views, vec->valid);
cleanup:
    fl_text_drop(&text);
    return st;
}

/* type: the column's, which lives as long as the stream; the vector's own fields may have gone with its plan. */
static fl_status export_column(fl_arena *arena, const fl_vec *from, fl_type type, int64_t rows, struct ArrowArray *out,
                               fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec vec = *from;
    const void **buffers = NULL;
    memset(out, 0, sizeof(*out));
    vec.type.n_fields = type.n_fields;
    vec.type.fields = type.fields;
    FL_TRY(FL_NEW_ARRAY(arena, 3, &buffers, err));
    if (vec.layout != FL_FLAT)
        FL_TRY(fl_vec_flatten(arena, &vec, rows, &vec, err));
    if (type.extension == FL_TIMETZ)
        FL_TRY(print_column(arena, &vec, rows, &vec, err));
    out->length = rows;
    out->null_count = vec.type.id == FL_NULL ? rows : count_nulls(vec.valid, rows);
    out->buffers = buffers;
    out->release = child_release;
    out->n_buffers = 2;
    buffers[0] = vec.valid;
    buffers[1] = vec.data;
    if (vec.type.id == FL_NULL) {
        out->n_buffers = 0;
    } else if (fl_type_is_string(vec.type) && vec.form == FL_OFFSETS && vec.width == 4) {
        out->n_buffers = 3;
        buffers[2] = vec.chars;
    } else if (fl_type_is_string(vec.type)) { /* views or 64-bit offsets: tables put out as they are */
        int64_t bytes = 0;
        int32_t *offsets = NULL;
        char *chars = NULL;
        FL_TRY(fl_vec_flatten(arena, &vec, rows, &vec, err));
        const fl_view *views = vec.data;
        for (int64_t i = 0; i < rows; i++)
            bytes += fl_is_valid(vec.valid, i) ? views[i].len : 0;
        if (bytes > INT32_MAX)
            return FL_FAIL(err, FL_ERR_LIMIT, "a column of text is longer than 2 GB within %lld rows", (long long)rows);
        FL_TRY(fl_arena_get(arena, (rows + 1) * 4, (void **)&offsets, err));
        FL_TRY(fl_arena_get(arena, bytes + 1, (void **)&chars, err));
        bytes = 0;
        offsets[0] = 0;
        for (int64_t i = 0; i < rows; i++) {
            if (fl_is_valid(vec.valid, i)) {
                memcpy(chars + bytes, fl_view_data(&views[i]), views[i].len);
                bytes += views[i].len;
            }
            offsets[i + 1] = (int32_t)bytes;
        }
        out->n_buffers = 3;
        buffers[1] = offsets;
        buffers[2] = chars;
    } else if (type.extension == FL_UUID) {
        FL_TRY(export_uuids(arena, &vec, rows, &buffers[1], err));
    } else if (type.extension == FL_ENUM) {
        FL_TRY(export_names(arena, type, &out->dictionary, err));
    } else if (vec.type.id == FL_DECIMAL && vec.width == 8) {
        fl_i128 *wide = NULL;
        FL_TRY(fl_arena_get(arena, rows * 16 + 16, (void **)&wide, err));
        for (int64_t i = 0; i < rows; i++)
            wide[i] = ((const int64_t *)vec.data)[i];
        buffers[1] = wide;
    } else if (vec.type.id == FL_LIST || vec.type.id == FL_STRUCT) {
        const fl_vec *children = vec.child;
        int64_t child_rows = rows;
        fl_vec elements;
        out->n_buffers = 1;
        if (vec.type.id == FL_LIST) {
            int32_t *offsets = NULL;
            FL_TRY(order_list(arena, &vec, rows, &offsets, &elements, &child_rows, err));
            children = &elements;
            buffers[1] = offsets;
            out->n_buffers = 2;
        }
        FL_TRY(FL_NEW_ARRAY(arena, vec.type.n_fields + 1, &out->children, err));
        for (int32_t i = 0; i < vec.type.n_fields; i++) {
            FL_TRY(FL_NEW(arena, &out->children[i], err));
            fl_vec none; /* a column that is all null may have no fields */
            fl_vec_set_const(&none, type.fields[i].type, NULL);
            FL_TRY(export_column(arena, children != NULL ? &children[i] : &none, type.fields[i].type, child_rows,
                                 out->children[i], err));
            out->n_children = i + 1;
        }
    }
cleanup:
    return st;
}

static int errno_of(fl_status st)
{
    switch (st) {
    case FL_ERR_MEMORY:
        return ENOMEM;
    case FL_ERR_CANCELLED:
        return ECANCELED;
    case FL_ERR_TIMEOUT:
        return ETIMEDOUT;
    case FL_ERR_IO:
        return EIO;
    default:
        return EINVAL;
    }
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    exported *e = stream->private_data;
    fl_status st = FL_OK;
    fl_err err = {0};
    array_holder *holder = NULL;
    memset(out, 0, sizeof(*out));
    fl_segment *segment = NULL;
    if (e->err.code != FL_OK) /* rows are missing: none comes any more */
        return errno_of(e->err.code);
    st = e->feed.next(e->feed.ctx, &segment, &err);
    if (st != FL_OK)
        goto cleanup;
    if (segment == NULL) /* the end: a released array */
        return 0;
    st = fl_alloc_zero(e->memory, (int64_t)sizeof(*holder), (void **)&holder, &err);
    if (st != FL_OK)
        goto cleanup;
    fl_arena_init(&holder->arena, e->memory);
    if ((st = FL_NEW_ARRAY(&holder->arena, e->n_cols + 1, &out->children, &err)) != FL_OK)
        goto cleanup;
    if ((st = FL_NEW_ARRAY(&holder->arena, 1, &out->buffers, &err)) != FL_OK)
        goto cleanup;
    for (int32_t c = 0; c < e->n_cols; c++) {
        FL_ASSERT(segment->vecs[c].type.id == e->fields[c].type.id); /* what get_schema said */
        if ((st = FL_NEW(&holder->arena, &out->children[c], &err)) != FL_OK)
            goto cleanup;
        if ((st = export_column(&holder->arena, &segment->vecs[c], e->fields[c].type, segment->rows, out->children[c],
                                &err)) != FL_OK)
            goto cleanup;
    }
    FL_ASSERT(segment->n_cols == e->n_cols && segment->n_deleted == 0); /* an array has all rows of its segment */
    holder->segment = segment;
    out->length = segment->rows;
    out->n_buffers = 1;
    out->n_children = e->n_cols;
    out->release = root_release;
    out->private_data = holder;
    return 0;
cleanup:
    if (holder != NULL)
        fl_arena_drop(&holder->arena);
    fl_free(holder);
    fl_segment_unref(segment);
    memset(out, 0, sizeof(*out));
    e->err = err;
    return errno_of(st);
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    exported *e = stream->private_data;
    return e->err.message[0] != 0 ? e->err.message : NULL;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    exported *e = stream->private_data;
    fl_arena_drop(&e->arena);
    fl_segment_feed feed = e->feed;
    fl_free(e);
    stream->release = NULL;
    feed.release(feed.ctx); /* last: the budget may go with it */
}

fl_status fl_arrow_export_feed(fl_memory *memory, const fl_field *fields, int32_t n_cols, const fl_segment_feed *feed,
                               struct ArrowArrayStream *ret, fl_err *err)
{
    fl_status st = FL_OK;
    exported *e = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*e), (void **)&e, err));
    e->memory = memory;
    fl_arena_init(&e->arena, memory);
    FL_TRY(FL_NEW_ARRAY(&e->arena, n_cols + 1, &e->fields, err));
    for (int32_t i = 0; i < n_cols; i++) {
        e->fields[i].nullable = fields[i].nullable;
        FL_TRY(fl_arena_copy_str(&e->arena, fields[i].name, &e->fields[i].name, err));
        FL_TRY(fl_type_copy(&e->arena, fields[i].type, &e->fields[i].type, err));
    }
    e->n_cols = n_cols;
    e->zone = FL_STR("UTC");
    e->feed = *feed;
    *ret = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = stream_release,
                                     .private_data = e};
    return FL_OK;
cleanup:
    if (e != NULL)
        fl_arena_drop(&e->arena);
    fl_free(e);
    return st;
}

fl_status fl_arrow_export_set_zone(const struct ArrowArrayStream *stream, fl_str zone, fl_err *err)
{
    exported *e = stream->private_data;
    FL_ASSERT(stream->get_next == get_next && zone.len < FORMAT_BYTES - 8);
    return fl_arena_copy_str(&e->arena, zone, &e->zone, err);
}

fl_status fl_arrow_export_error(const struct ArrowArrayStream *stream, fl_err *ret)
{
    if (stream->get_next != get_next)
        return FL_OK;
    const exported *e = stream->private_data;
    if (ret != NULL)
        *ret = e->err;
    return e->err.code;
}

static fl_status next_of_list(void *ctx, fl_segment **ret, fl_err *err)
{
    segment_list *list = ctx;
    (void)err;
    *ret = list->next < list->n ? list->items[list->next] : NULL;
    if (*ret != NULL)
        list->items[list->next++] = NULL;
    return FL_OK;
}

static void release_list(void *ctx)
{
    segment_list *list = ctx;
    for (int64_t i = list->next; i < list->n; i++)
        fl_segment_unref(list->items[i]);
    fl_free(list);
}

fl_status fl_arrow_export(fl_memory *memory, const fl_field *fields, int32_t n_cols, fl_segment *const *segments,
                          int64_t n_segments, struct ArrowArrayStream *ret, fl_err *err)
{
    segment_list *list = NULL;
    fl_status st =
        fl_alloc_zero(memory, (int64_t)sizeof(*list) + n_segments * (int64_t)sizeof(fl_segment *), (void **)&list, err);
    if (st != FL_OK)
        return st;
    for (int64_t i = 0; i < n_segments; i++)
        if (segments[i]->rows > 0)
            list->items[list->n++] = fl_segment_ref(segments[i]);
    fl_segment_feed feed = {.next = next_of_list, .release = release_list, .ctx = list};
    st = fl_arrow_export_feed(memory, fields, n_cols, &feed, ret, err);
    if (st != FL_OK)
        release_list(list);
    return st;
}
