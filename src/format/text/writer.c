/* Writing rows in PostgreSQL's text form, as COPY has it without a format: fields between tabs, NULL as \N, and what would be read as
 * something else behind a backslash. */
#include "base/interrupt.h"
#include "format/options.h"
#include "format/print.h"
#include "plan/writer.h"

#define CHUNK_ROWS 65536
#define CHUNK_BYTES (16ll << 20)

typedef struct text_options {
    fl_str delim, null;
    bool header;
} text_options;

typedef struct text_writer {
    fl_writer base;
    text_options options;
    const fl_field *fields;
    int32_t n_fields;
    fl_arena arena;
} text_writer;

static fl_status read_delim(fl_arena *arena, const fl_value *value, void *ret_str, fl_err *err)
{
    static const char letters[] = "\n\r\\.abcdefghijklmnopqrstuvwxyz0123456789"; /* which may follow a backslash */
    fl_status st = fl_option_text(arena, value, ret_str, err);
    fl_str *delim = ret_str;
    if (st == FL_OK && fl_str_is_equal(*delim, FL_STR("\\t")))
        *delim = FL_STR("\t");
    bool is_good = st == FL_OK && delim->len == 1 && (uint8_t)delim->data[0] < 0x80 && delim->data[0] != 0 &&
                   strchr(letters, delim->data[0]) == NULL;
    return st == FL_OK && !is_good ? FL_ERR_TYPE : st;
}

#define AT(field) (int32_t)offsetof(text_options, field)
#define DELIM "one character of ASCII that is no letter, digit or backslash"

static const fl_option_desc known[] = {
    {"delim", DELIM, read_delim, AT(delim), -1},
    {"delimiter", DELIM, read_delim, AT(delim), -1},
    {"null", FL_OPTION_TEXT, fl_option_text, AT(null), -1},
    {"nullstr", FL_OPTION_TEXT, fl_option_text, AT(null), -1},
    {"header", FL_OPTION_BOOL, fl_option_bool, AT(header), -1},
};

static void add_field(const text_writer *writer, fl_text *text, fl_str field)
{
    static const char codes[] = "\b\f\n\r\t\v", letters[] = "bfnrtv";
    for (int64_t i = 0; i < field.len; i++) {
        char c = field.data[i];
        const char *code = c == 0 ? NULL : strchr(codes, c);
        if (code != NULL || c == '\\' || c == writer->options.delim.data[0])
            fl_print_char(text, '\\');
        fl_print_char(text, code != NULL ? letters[code - codes] : c);
    }
}

static fl_status encode(fl_writer *base, const fl_batch *batches, int32_t n, fl_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    const text_writer *writer = (const text_writer *)base;
    fl_text scratch, *text = &chunk->bytes;
    fl_arena arena;
    fl_work work = fl_work_of(text->memory);
    fl_text_init(&scratch, text->memory);
    fl_arena_init(&arena, text->memory);
    for (int32_t b = 0; b < n; b++)
        for (int32_t row = 0; row < batches[b].rows; row++) {
            FL_TRY(fl_work_add(&work, writer->n_fields, err));
            for (int32_t c = 0; c < writer->n_fields; c++) {
                const fl_vec *vec = &batches[b].vec[c];
                if (c > 0)
                    fl_print_char(text, writer->options.delim.data[0]);
                if (vec->type.id == FL_NULL || !fl_vec_is_valid(vec, row)) {
                    fl_text_add(text, writer->options.null);
                    continue;
                }
                fl_text_clear(&scratch);
                FL_TRY(fl_print_value(&scratch, vec, row, &arena, err));
                FL_TRY(fl_text_status(&scratch, err));
                add_field(writer, text, fl_text_str(&scratch));
            }
            fl_print_char(text, '\n');
            if (arena.bytes > 0)
                fl_arena_reset(&arena);
        }
    st = fl_text_status(text, err);
cleanup:
    fl_text_drop(&scratch);
    fl_arena_drop(&arena);
    return st;
}

static fl_status begin(fl_writer *base, fl_text *head, fl_err *err)
{
    const text_writer *writer = (const text_writer *)base;
    for (int32_t c = 0; c < writer->n_fields && writer->options.header; c++) {
        if (c > 0)
            fl_text_add(head, writer->options.delim);
        add_field(writer, head, writer->fields[c].name);
    }
    if (writer->options.header)
        fl_text_add_char(head, '\n');
    return fl_text_status(head, err);
}

static fl_status finish(fl_writer *base, int64_t offset, fl_text *tail, fl_err *err)
{
    (void)base, (void)offset, (void)tail, (void)err;
    return FL_OK;
}

static void writer_free(fl_writer *base)
{
    text_writer *writer = (text_writer *)base;
    fl_arena_drop(&writer->arena);
    fl_free(writer);
}

static const fl_writer_ops ops = {.begin = begin, .encode = encode, .finish = finish, .free = writer_free};

static fl_status open(fl_memory *memory, const fl_field *fields, int32_t n_fields, const fl_option *options,
                      int32_t n_options, fl_writer **ret, fl_err *err)
{
    fl_status st = FL_OK;
    text_writer *writer = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*writer), (void **)&writer, err));
    fl_arena_init(&writer->arena, memory);
    writer->base =
        (fl_writer){.ops = &ops, .suffix = FL_STR(".txt"), .chunk_rows = CHUNK_ROWS, .chunk_bytes = CHUNK_BYTES};
    writer->fields = fields;
    writer->n_fields = n_fields;
    writer->options = (text_options){.delim = FL_STR("\t"), .null = FL_STR("\\N")};
    FL_TRY(fl_options_read("COPY", known, FL_LEN(known), options, n_options, &writer->arena, &writer->options, err));
    *ret = &writer->base;
    return FL_OK;
cleanup:
    if (writer != NULL)
        writer_free(&writer->base);
    return st;
}

static const char *const suffixes[] = {".txt", NULL};

const fl_writer_desc fl_writer_text = {
    .size = (uint32_t)sizeof(fl_writer_desc),
    .name = "text",
    .suffixes = suffixes,
    .reader = "",
    .open = open,
    .doc = "COPY … TO STDOUT (FORMAT text, DELIMITER, NULL, HEADER) writes rows in PostgreSQL's text form"};
