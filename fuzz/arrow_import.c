/* Fuzzing Arrow import: the input describes a stream of record batches, which is built here, imported, exported and
 * imported again; nothing may crash, leak, or read past a buffer.
 *
 * What a producer can get wrong without lying about memory is the input's: formats, lengths, offsets, null counts, numbers
 * of buffers and children, absent buffers, dictionaries, the bytes of buffers. Buffers are as long as their array's length
 * and offset need (which only the producer knows), and offsets within characters are kept below the characters' end:
 * the interface tells no sizes, so that no importer could check these. What is exported must follow the specification. */
#include "store/arrow_stream.h"
#include "bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond)  \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

#define DEPTH_MAX 4
#define CHILDREN_MAX 3
#define ROWS_MAX 300
#define CHARS 64 /* of one column of text */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* ---- the input ---- */

static int64_t take_rows(input *in)
{
    uint8_t b = take(in);
    return b < 250 ? b % 70 : b == 250 ? ROWS_MAX : b - 251;
}

/* ---- the producer: everything is allocated one by one, so that the address sanitizer knows every end ---- */

typedef struct producer {
    input in;
    int32_t batches;
    int32_t failures;
    uint8_t shape[256]; /* the bytes that made the schema, from which arrays take theirs */
} producer;

static const char *const formats[] = {
    "n",    "b",   "c",   "C",     "s",      "S",       "i",       "I",         "l",
    "L",    "f",   "g",   "u",     "U",      "z",       "Z",       "tdD",       "tdm",
    "tts",  "ttm", "ttu", "ttn",   "ttx",    "tss:",    "tsm:UTC", "tsu:",      "tsn:Europe/Berlin",
    "tsx:", "tin", "tiM", "d:9,2", "d:18,0", "d:38,10", "d:5,9",   "d:9,2,256", "d:,",
    "+l",   "+L",  "+s",  "+m",    "e",      "vu",      "w:7",     "",          "\xff",
    "u",    "+s",  "+l",  "i",     "l"};

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    free(schema->children);
    if (schema->dictionary != NULL) {
        schema->dictionary->release(schema->dictionary);
        free(schema->dictionary);
    }
    schema->release = NULL;
}

static void *zeroed(size_t count, size_t bytes)
{
    void *p = calloc(count > 0 ? count : 1, bytes);
    CHECK(p != NULL);
    return p;
}

static void make_schema(input *in, struct ArrowSchema *schema, const char *format, int depth)
{
    uint8_t bits = take(in);
    *schema = (struct ArrowSchema){.format = format,
                                   .name = (bits & 1) != 0 ? NULL : "c",
                                   .release = release_schema,
                                   .flags = (bits & 2) != 0 ? 0 : ARROW_FLAG_NULLABLE};
    int64_t n = depth == 0           ? 1 + take(in) % CHILDREN_MAX
                : format[0] != '+'   ? (bits & 64) != 0 && depth < DEPTH_MAX
                : depth >= DEPTH_MAX ? 0
                : (bits & 4) != 0    ? take(in) % CHILDREN_MAX
                                     : 1;
    schema->children = zeroed((size_t)n, sizeof(*schema->children));
    for (int64_t i = 0; i < n; i++) {
        schema->children[i] = zeroed(1, sizeof(struct ArrowSchema));
        make_schema(in, schema->children[i], formats[take(in) % FL_LEN(formats)], depth + 1);
        schema->n_children = i + 1;
    }
    if (depth > 0 && depth < DEPTH_MAX && (bits & 0x98) == 0x98) {
        schema->dictionary = zeroed(1, sizeof(struct ArrowSchema));
        make_schema(in, schema->dictionary, formats[take(in) % FL_LEN(formats)], depth + 1);
    }
}

static void release_array(struct ArrowArray *array)
{
    int64_t n_buffers = ((int64_t *)array->private_data)[0], n_children = ((int64_t *)array->private_data)[1];
    for (int64_t i = 0; i < n_buffers; i++)
        free((void *)(uintptr_t)array->buffers[i]);
    free(array->buffers);
    for (int64_t i = 0; i < n_children; i++) {
        array->children[i]->release(array->children[i]);
        free(array->children[i]);
    }
    free(array->children);
    if (array->dictionary != NULL) {
        array->dictionary->release(array->dictionary);
        free(array->dictionary);
    }
    free(array->private_data);
    array->release = NULL;
}

static uint8_t *take_buffer(input *in, size_t bytes)
{
    uint8_t *ret = malloc(bytes > 0 ? bytes : 1);
    CHECK(ret != NULL);
    uint8_t salt = take(in);
    for (size_t i = 0; i < bytes; i++)
        ret[i] = in->at < in->end && i < 32 ? take(in) : (salt & 1) != 0 ? (uint8_t)(salt * (i + 1)) : 0;
    return ret;
}

/* Offsets of n entries that ascend and end at or below `end`, unless the input wants them broken. */
static uint8_t *take_offsets(input *in, int64_t n, bool wide, int64_t end, bool broken)
{
    uint8_t *ret = take_buffer(in, (size_t)(n + 1) * (wide ? 8 : 4));
    if (broken)
        return ret;
    int64_t last = 0;
    for (int64_t i = 0; i <= n; i++) {
        last += ret[i * (wide ? 8 : 4)] % 5;
        last = last < end ? last : end;
        if (wide)
            ((int64_t *)ret)[i] = last;
        else
            ((int32_t *)ret)[i] = (int32_t)last;
    }
    return ret;
}

static size_t bytes_of(const char *f, int64_t slots)
{
    size_t n = (size_t)slots;
    if (f[0] == 'b')
        return (n + 7) / 8;
    if (f[0] == 'd' || strcmp(f, "tin") == 0)
        return n * 16;
    if (f[0] == 'c' || f[0] == 'C')
        return n;
    if (f[0] == 's' || f[0] == 'S')
        return n * 2;
    if (strchr("iIf", f[0]) != NULL || strcmp(f, "tdD") == 0 || strcmp(f, "tts") == 0 || strcmp(f, "ttm") == 0)
        return n * 4;
    return n * 8;
}

/* rows: what the parent needs. The array may be longer, may begin later, or may say that it is shorter. */
static void make_array(input *in, const struct ArrowSchema *schema, struct ArrowArray *array, int64_t rows,
                       bool is_root)
{
    const char *f = schema->format;
    uint8_t bits = take(in);
    int64_t offset = (bits & 1) != 0 ? take(in) % 20 : 0;
    int64_t length = (bits & 2) != 0 ? take_rows(in) : rows;
    int64_t slots = offset + length;
    bool is_text = strcmp(f, "u") == 0 || strcmp(f, "z") == 0,
         is_wide_text = strcmp(f, "U") == 0 || strcmp(f, "Z") == 0;
    int64_t *counts = zeroed(2, sizeof(int64_t));
    *array = (struct ArrowArray){.length = length,
                                 .offset = offset,
                                 .release = release_array,
                                 .private_data = counts,
                                 .null_count = (bits & 4) != 0   ? -1
                                               : (bits & 8) != 0 ? take(in)
                                                                 : 0};
    array->buffers = zeroed(3, sizeof(void *));
    counts[0] = 3;
    if ((bits & 12) != 0)
        array->buffers[0] = take_buffer(in, (size_t)(slots + 7) / 8);
    int64_t child_rows = slots;
    array->n_buffers = f[0] == 'n' ? 0 : strcmp(f, "+s") == 0 ? 1 : is_text || is_wide_text ? 3 : 2;
    if (schema->dictionary != NULL) {
        array->n_buffers = 2;
        array->buffers[1] = take_buffer(in, bytes_of(f, slots));
    } else if (is_text || is_wide_text) {
        bool broken = (bits & 0x30) == 0x30;
        uint8_t *offsets = take_offsets(in, slots, is_wide_text, CHARS, broken);
        for (int64_t i = 0; broken && i <= slots; i++) /* in any order, but not beyond what nobody could check */
            if (is_wide_text)
                ((int64_t *)offsets)[i] %= CHARS + 1;
            else
                ((int32_t *)offsets)[i] %= CHARS + 1;
        array->buffers[1] = offsets;
        array->buffers[2] = take_buffer(in, CHARS);
    } else if (strcmp(f, "+l") == 0 || strcmp(f, "+L") == 0) {
        child_rows = take_rows(in);
        array->buffers[1] = take_offsets(in, slots, f[1] == 'L', child_rows, (bits & 0x30) == 0x30);
    } else if (f[0] != 'n' && f[0] != '+') {
        array->buffers[1] = take_buffer(in, bytes_of(f, slots));
    }
    int64_t n_children = schema->n_children;
    if ((bits & 0xC0) == 0xC0) { /* what an array lacks, or says wrongly */
        switch (take(in) % 8) {
        case 0:
            free((void *)(uintptr_t)array->buffers[1]), array->buffers[1] = NULL;
            break;
        case 1:
            free((void *)(uintptr_t)array->buffers[2]), array->buffers[2] = NULL;
            break;
        case 2:
            array->n_buffers--;
            break;
        case 3:
            n_children = n_children > 0 ? n_children - 1 : 0;
            break;
        case 4:
            array->length = (bits & 1) != 0 ? -1 : INT64_MIN;
            break;
        case 5:
            array->offset = (bits & 1) != 0 ? -1 : INT64_MAX;
            break;
        case 6:
            array->length = length > 0 ? length - 1 : 0;
            break;
        default:
            array->n_buffers = -1;
            break;
        }
    }
    array->children = zeroed((size_t)n_children, sizeof(*array->children));
    for (int64_t i = 0; i < n_children; i++) {
        array->children[i] = zeroed(1, sizeof(struct ArrowArray));
        make_array(in, schema->children[i], array->children[i], child_rows, false);
        array->n_children = counts[1] = i + 1;
    }
    if (schema->dictionary != NULL && !is_root && (bits & 0xF0) != 0x50) {
        array->dictionary = zeroed(1, sizeof(struct ArrowArray));
        make_array(in, schema->dictionary, array->dictionary, take_rows(in), false);
    }
}

static int give_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    producer *p = stream->private_data;
    input in = {p->shape, p->shape + sizeof(p->shape)};
    uint8_t way = take(&in);
    if (way == 255)
        return EIO;
    make_schema(&in, out, way == 254 ? "l" : "+s", 0);
    return 0;
}

static int give_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    producer *p = stream->private_data;
    struct ArrowSchema schema;
    *out = (struct ArrowArray){0};
    if (p->batches-- <= 0)
        return p->failures;
    CHECK(give_schema(stream, &schema) == 0);
    make_array(&p->in, &schema, out, take_rows(&p->in), true);
    schema.release(&schema);
    return 0;
}

static const char *give_error(struct ArrowArrayStream *stream)
{
    return ((producer *)stream->private_data)->failures > 1 ? NULL : "the producer failed";
}

static void release_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

/* ---- the consumer ---- */

static void read_array(const struct ArrowSchema *schema, const struct ArrowArray *array, uint64_t *hash)
{
    const char *f = schema->format;
    CHECK(array->length >= 0 && array->offset == 0 && array->n_children == schema->n_children);
    CHECK(array->null_count >= 0 && array->null_count <= array->length);
    if (array->n_buffers > 0 && array->buffers[0] == NULL)
        CHECK(array->null_count == 0);
    for (int64_t i = 0; array->n_buffers > 0 && array->buffers[0] != NULL && i < (array->length + 7) / 8; i++)
        *hash += ((const uint8_t *)array->buffers[0])[i];
    if (f[0] == 'u' || f[0] == 'z' || strcmp(f, "+l") == 0) {
        const int32_t *offsets = array->buffers[1];
        int64_t end = f[0] == '+' ? array->children[0]->length : CHARS * ROWS_MAX;
        CHECK(offsets[0] >= 0);
        for (int64_t i = 0; i < array->length; i++)
            CHECK(offsets[i] <= offsets[i + 1]);
        CHECK(offsets[array->length] <= end);
        for (int32_t i = offsets[0]; f[0] != '+' && i < offsets[array->length]; i++)
            *hash = *hash * 31 + ((const uint8_t *)array->buffers[2])[i];
    } else if (array->n_buffers > 1) {
        for (size_t i = 0; i < bytes_of(f, array->length); i++)
            *hash = *hash * 31 + ((const uint8_t *)array->buffers[1])[i];
    }
    for (int64_t i = 0; i < array->n_children; i++)
        read_array(schema->children[i], array->children[i], hash);
}

static void read_stream(struct ArrowArrayStream *stream, uint64_t *hash)
{
    struct ArrowSchema schema;
    CHECK(stream->get_schema(stream, &schema) == 0);
    for (;;) {
        struct ArrowArray array;
        if (stream->get_next(stream, &array) != 0) {
            CHECK(stream->get_last_error(stream) != NULL);
            break;
        }
        if (array.release == NULL)
            break;
        for (int64_t i = 0; i < array.n_children; i++)
            read_array(schema.children[i], array.children[i], hash);
        array.release(&array);
    }
    schema.release(&schema);
}

static void export_and_read(fl_memory *memory, const fl_arrow_import *import)
{
    struct ArrowArrayStream stream;
    fl_arrow_import again;
    fl_err err = {0};
    uint64_t hash = 0;
    CHECK(fl_arrow_export(memory, import->fields, import->n_cols, import->segments, import->n_segments, &stream,
                          &err) == FL_OK);
    read_stream(&stream, &hash);
    stream.release(&stream);
    CHECK(fl_arrow_export(memory, import->fields, import->n_cols, import->segments, import->n_segments, &stream,
                          &err) == FL_OK);
    /* our own streams are always taken, but for memory */
    fl_status st = fl_arrow_import_stream(memory, NULL, &stream, &again, &err);
    CHECK(st == FL_OK || st == FL_ERR_MEMORY || st == FL_ERR_IO);
    if (st == FL_OK)
        fl_arrow_import_drop(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    producer p = {.in = {data, data + bytes}};
    fl_memory memory;
    fl_err err = {0};
    fl_arrow_import import;
    if (bytes < 2)
        return 0;
    uint8_t head = take(&p.in);
    p.batches = head % 4;
    p.failures = (head & 0x80) != 0 ? 1 + (head >> 6) % 2 : 0;
    size_t shape = take(&p.in) % 64u;
    for (size_t i = 0; i < shape; i++)
        p.shape[i] = take(&p.in);
    struct ArrowArrayStream stream = {.get_schema = give_schema,
                                      .get_next = give_next,
                                      .get_last_error = give_error,
                                      .release = release_stream,
                                      .private_data = &p};
    fl_memory_init(&memory, NULL, "fuzz", 64 << 20);
    fl_status st = fl_arrow_import_stream(&memory, NULL, &stream, &import, &err);
    CHECK(stream.release == NULL);
    if (st == FL_OK) {
        export_and_read(&memory, &import);
        fl_arrow_import_drop(&import);
    } else {
        CHECK(err.message[0] != 0);
    }
    CHECK(memory.used_bytes == 0);
    return 0;
}
