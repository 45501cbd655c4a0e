/* Writing JSON: an object a row, a line each; or, with ARRAY, as the elements of one array. Numbers keep their digits, and those of double
 * have a point; NaN and infinity, which JSON does not know, times and bytes are strings. */
#include "base/interrupt.h"
#include "format/options.h"
#include "format/pack.h"
#include "format/print.h"
#include "plan/writer.h"

#define CHUNK_ROWS 65536
#define CHUNK_BYTES (16ll << 20)

typedef struct json_options {
    bool is_array;
    fl_packing packing;
} json_options;

typedef struct json_writer {
    fl_writer base;
    json_options options;
    const fl_field *fields;
    int32_t n_fields;
    fl_str *keys; /* as they are written, with the colon */
    fl_arena arena;
} json_writer;

#define AT(field) (int32_t)offsetof(json_options, field)

static const fl_option_desc known[] = {
    {"array", FL_OPTION_BOOL, fl_option_bool, AT(is_array), -1},
    {"compression", FL_OPTION_PACKING, fl_option_packing, AT(packing), -1},
};

/* ---- values -------------------------------------------------------------------------------------------------------- */

static fl_status add_printed(fl_text *text, const fl_vec *vec, int64_t row, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text printed;
    fl_text_init(&printed, text->memory);
    FL_TRY(fl_print_value(&printed, vec, row, arena, err));
    FL_TRY(fl_text_status(&printed, err));
    fl_text_add_json(text, fl_text_str(&printed));
cleanup:
    fl_text_drop(&printed);
    return st;
}

/* A double has a point or an exponent, so that it is read as one. */
static fl_status add_float(fl_text *text, const fl_vec *vec, int64_t row, fl_arena *arena, fl_err *err)
{
    int64_t at = text->len;
    fl_status st = fl_print_value(text, vec, row, arena, err);
    if (st != FL_OK || text->st != FL_OK)
        return st;
    fl_str printed = {text->data + at, text->len - at};
    bool has_digits = printed.data[printed.len - 1] >= '0' && printed.data[printed.len - 1] <= '9';
    if (!has_digits) {
        text->len = at;
        return add_printed(text, vec, row, arena, err);
    }
    if (memchr(printed.data, '.', (size_t)printed.len) == NULL &&
        memchr(printed.data, 'e', (size_t)printed.len) == NULL)
        fl_text_add(text, FL_STR(".0"));
    return FL_OK;
}

static fl_status add_value(fl_text *text, const fl_vec *vec, int64_t row, fl_arena *arena, fl_err *err);

/* An object whose names are the texts of the keys. */
static fl_status add_map(fl_text *text, const fl_vec *vec, int64_t row, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_entry entry = ((const fl_list_entry *)vec->data)[fl_vec_row(vec, row)];
    fl_print_char(text, '{');
    for (int32_t i = 0; i < entry.len; i++) {
        int64_t at = fl_vec_row(vec->child, (int64_t)entry.start + i);
        if (i > 0)
            fl_print_char(text, ',');
        FL_TRY(add_printed(text, &vec->child->child[0], at, arena, err));
        fl_print_char(text, ':');
        FL_TRY(add_value(text, &vec->child->child[1], at, arena, err));
    }
    fl_print_char(text, '}');
cleanup:
    return st;
}

/* JSON within a line: ends of lines stand between its values alone, since strings hold none as such. */
static void add_line(fl_text *text, fl_str json)
{
    for (int64_t from = 0, i = 0; i <= json.len; i++) {
        if (i < json.len && json.data[i] != '\n' && json.data[i] != '\r')
            continue;
        fl_text_add(text, (fl_str){json.data + from, i - from});
        if (i < json.len)
            fl_print_char(text, ' ');
        from = i + 1;
    }
}

static fl_status add_value(fl_text *text, const fl_vec *vec, int64_t row, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = vec->type;
    if (type.id == FL_NULL || !fl_vec_is_valid(vec, row)) {
        fl_text_add(text, FL_STR("null"));
        return FL_OK;
    }
    if (type.extension == FL_JSON) {
        add_line(text, fl_vec_str(vec, row));
    } else if (type.extension == FL_MAP) {
        return add_map(text, vec, row, arena, err);
    } else if (type.id == FL_UTF8) {
        fl_text_add_json(text, fl_vec_str(vec, row));
    } else if (fl_type_is_float(type)) {
        return add_float(text, vec, row, arena, err);
    } else if (type.id == FL_BOOL || fl_type_is_numeric(type)) {
        return fl_print_value(text, vec, row, arena, err);
    } else if (type.id == FL_STRUCT) {
        fl_print_char(text, '{');
        for (int32_t i = 0; i < type.n_fields; i++) {
            if (i > 0)
                fl_print_char(text, ',');
            fl_text_add_json(text, type.fields[i].name);
            fl_print_char(text, ':');
            FL_TRY(add_value(text, &vec->child[i], fl_vec_row(vec, row), arena, err));
        }
        fl_print_char(text, '}');
    } else if (type.id == FL_LIST) {
        fl_list_entry entry = ((const fl_list_entry *)vec->data)[fl_vec_row(vec, row)];
        fl_print_char(text, '[');
        for (int32_t i = 0; i < entry.len; i++) {
            if (i > 0)
                fl_print_char(text, ',');
            FL_TRY(add_value(text, vec->child, (int64_t)entry.start + i, arena, err));
        }
        fl_print_char(text, ']');
    } else {
        return add_printed(text, vec, row, arena, err);
    }
cleanup:
    return st;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static fl_status encode(fl_writer *base, const fl_batch *batches, int32_t n, fl_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    const json_writer *writer = (const json_writer *)base;
    fl_text *text = &chunk->bytes;
    fl_work work = fl_work_of(text->memory);
    fl_arena arena;
    bool is_first = true;
    fl_arena_init(&arena, text->memory);
    for (int32_t b = 0; b < n; b++)
        for (int32_t row = 0; row < batches[b].rows; row++) {
            FL_TRY(fl_work_add(&work, writer->n_fields, err));
            if (!is_first && writer->options.is_array)
                fl_text_add(text, FL_STR(",\n"));
            is_first = false;
            fl_print_char(text, '{');
            for (int32_t c = 0; c < writer->n_fields; c++) {
                fl_text_add(text, writer->keys[c]);
                FL_TRY(add_value(text, &batches[b].vec[c], row, &arena, err));
            }
            fl_text_add(text, writer->options.is_array ? FL_STR("}") : FL_STR("}\n"));
            if (arena.bytes > 0)
                fl_arena_reset(&arena);
        }
    FL_TRY(fl_text_status(text, err));
    st = fl_pack(writer->options.packing, text, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

static fl_status begin(fl_writer *base, fl_text *head, fl_err *err)
{
    const json_writer *writer = (const json_writer *)base;
    if (writer->options.is_array)
        fl_text_add(head, FL_STR("[\n"));
    return fl_pack(writer->options.packing, head, err);
}

static fl_status finish(fl_writer *base, int64_t offset, fl_text *tail, fl_err *err)
{
    const json_writer *writer = (const json_writer *)base;
    (void)offset;
    if (writer->options.is_array)
        fl_text_add(tail, FL_STR("\n]\n"));
    return fl_pack(writer->options.packing, tail, err);
}

static void writer_free(fl_writer *base)
{
    json_writer *writer = (json_writer *)base;
    fl_arena_drop(&writer->arena);
    fl_free(writer);
}

static const fl_writer_ops ops = {.begin = begin, .encode = encode, .finish = finish, .free = writer_free};

/* `"key":`, behind a comma but for the first one. */
static fl_status make_keys(json_writer *writer, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text key;
    fl_text_init(&key, writer->arena.memory);
    FL_TRY(FL_NEW_ARRAY(&writer->arena, writer->n_fields + 1, &writer->keys, err));
    for (int32_t i = 0; i < writer->n_fields; i++) {
        fl_text_clear(&key);
        if (i > 0)
            fl_text_add_char(&key, ',');
        fl_text_add_json(&key, writer->fields[i].name);
        fl_text_add_char(&key, ':');
        FL_TRY(fl_text_status(&key, err));
        FL_TRY(fl_arena_copy_str(&writer->arena, fl_text_str(&key), &writer->keys[i], err));
    }
cleanup:
    fl_text_drop(&key);
    return st;
}

/* What stands between two chunks of an array, packed as they are. */
static fl_status make_separator(json_writer *writer, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text separator;
    if (!writer->options.is_array)
        return FL_OK;
    fl_text_init(&separator, writer->arena.memory);
    fl_text_add(&separator, FL_STR(",\n"));
    FL_TRY(fl_pack(writer->options.packing, &separator, err));
    FL_TRY(fl_text_status(&separator, err));
    st = fl_arena_copy_str(&writer->arena, fl_text_str(&separator), &writer->base.separator, err);
cleanup:
    fl_text_drop(&separator);
    return st;
}

static fl_status open(fl_memory *memory, const fl_field *fields, int32_t n_fields, const fl_option *options,
                      int32_t n_options, fl_writer **ret, fl_err *err)
{
    static const fl_str packed[] = {{".json", 5}, {".json.gz", 8}, {".json.zst", 9}};
    fl_status st = FL_OK;
    json_writer *writer = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*writer), (void **)&writer, err));
    fl_arena_init(&writer->arena, memory);
    writer->base = (fl_writer){.ops = &ops, .chunk_rows = CHUNK_ROWS, .chunk_bytes = CHUNK_BYTES};
    writer->fields = fields;
    writer->n_fields = n_fields;
    FL_TRY(fl_options_read("COPY", known, FL_LEN(known), options, n_options, &writer->arena, &writer->options, err));
    FL_TRY(make_keys(writer, err));
    FL_TRY(make_separator(writer, err));
    writer->base.suffix = packed[writer->options.packing];
    *ret = &writer->base;
    return FL_OK;
cleanup:
    if (writer != NULL)
        writer_free(&writer->base);
    return st;
}

static const char *const suffixes[] = {".json", ".ndjson", ".jsonl", NULL};

const fl_writer_desc fl_writer_json = {.size = (uint32_t)sizeof(fl_writer_desc),
                                       .extensions = FL_KNOWS(FL_JSON) | FL_KNOWS(FL_MAP),
                                       .name = "json",
                                       .suffixes = suffixes,
                                       .reader = "read_json",
                                       .open = open,
                                       .doc = "COPY … TO 'file.ndjson' (ARRAY, COMPRESSION) writes an object a row"};

const fl_writer_desc fl_writer_ndjson = {.size = (uint32_t)sizeof(fl_writer_desc),
                                         .extensions = FL_KNOWS(FL_JSON) | FL_KNOWS(FL_MAP),
                                         .name = "ndjson",
                                         .reader = "read_json",
                                         .open = open,
                                         .doc = "another name of json"};
