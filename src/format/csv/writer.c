/* Writing CSV (RFC 4180): a line a row, NULL as an empty field, quotes where a field would be read as something else. Times may be told
 * to have another form before they come here (front/sql/bind_copy.c). */
#include "base/interrupt.h"
#include "format/options.h"
#include "format/pack.h"
#include "format/print.h"
#include "plan/writer.h"

#define CHUNK_ROWS 65536
#define CHUNK_BYTES (16ll << 20)
#define DELIM_MAX 4

typedef struct csv_options {
    fl_str delim;       /* of at most DELIM_MAX bytes */
    char quote, escape; /* 0: none */
    bool has_escape, header;
    fl_str nullstr;
    fl_packing packing;
    const fl_value *forced; /* names of columns that always have quotes; NULL: none */
} csv_options;

typedef struct csv_writer {
    fl_writer base;
    csv_options options;
    const fl_field *fields;
    int32_t n_fields;
    bool *is_forced;   /* by column */
    bool is_hard[256]; /* characters with which a field has quotes */
    fl_arena arena;
} csv_writer;

/* ---- options ------------------------------------------------------------------------------------------------------- */

static fl_status read_char(fl_arena *arena, const fl_value *value, void *ret_char, fl_err *err)
{
    (void)arena, (void)err;
    if (value->is_null || value->type.id != FL_UTF8 || value->s.len > 1)
        return FL_ERR_TYPE;
    *(char *)ret_char = value->s.len == 0 ? 0 : value->s.data[0];
    return (uint8_t)*(char *)ret_char >= 0x80 || strchr("\n\r", *(char *)ret_char) != NULL ? FL_ERR_TYPE : FL_OK;
}

static fl_status read_delim(fl_arena *arena, const fl_value *value, void *ret_str, fl_err *err)
{
    fl_status st = fl_option_text(arena, value, ret_str, err);
    fl_str *delim = ret_str;
    if (st != FL_OK)
        return st;
    if (fl_str_is_equal(*delim, FL_STR("\\t")))
        *delim = FL_STR("\t");
    bool is_good = delim->len >= 1 && delim->len <= DELIM_MAX && (delim->len > 1 || (uint8_t)delim->data[0] < 0x80);
    for (int64_t i = 0; i < delim->len && is_good; i++)
        is_good = delim->data[i] != 0 && delim->data[i] != '\n' && delim->data[i] != '\r';
    return is_good ? FL_OK : FL_ERR_TYPE;
}

static bool has_byte(fl_str text, char byte)
{
    return byte != 0 && text.len > 0 && memchr(text.data, byte, (size_t)text.len) != NULL;
}

static fl_status read_header(fl_arena *arena, const fl_value *value, void *ret_bool, fl_err *err)
{
    bool is_text = !value->is_null && value->type.id == FL_UTF8;
    if (is_text &&
        (fl_str_is_equal_nocase(value->s, FL_STR("on")) || fl_str_is_equal_nocase(value->s, FL_STR("off")))) {
        *(bool *)ret_bool = value->s.len == 2;
        return FL_OK;
    }
    if (!value->is_null && fl_type_is_signed(value->type) && (value->i == 0 || value->i == 1)) {
        *(bool *)ret_bool = value->i == 1;
        return FL_OK;
    }
    return fl_option_bool(arena, value, ret_bool, err);
}

static fl_status read_forced(fl_arena *arena, const fl_value *value, void *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *copy = NULL;
    bool is_list = value->type.id == FL_LIST;
    if (value->is_null || (!is_list && value->type.id != FL_UTF8))
        return FL_ERR_TYPE;
    FL_TRY(FL_NEW(arena, &copy, err));
    FL_TRY(fl_value_copy(arena, value, copy, err));
    *(const fl_value **)ret = copy;
cleanup:
    return st;
}

#define AT(field) (int32_t)offsetof(csv_options, field)
#define DELIM "one character of ASCII, such as ',', or up to 4 bytes"
#define FORCED "the names of columns, or *"

static const fl_option_desc known[] = {
    {"delim", DELIM, read_delim, AT(delim), -1},
    {"delimiter", DELIM, read_delim, AT(delim), -1},
    {"sep", DELIM, read_delim, AT(delim), -1},
    {"quote", "one character of ASCII, or ''", read_char, AT(quote), -1},
    {"escape", "one character of ASCII", read_char, AT(escape), AT(has_escape)},
    {"header", FL_OPTION_BOOL, read_header, AT(header), -1},
    {"null", FL_OPTION_TEXT, fl_option_text, AT(nullstr), -1},
    {"nullstr", FL_OPTION_TEXT, fl_option_text, AT(nullstr), -1},
    {"force_quote", FORCED, read_forced, AT(forced), -1},
    {"compression", FL_OPTION_PACKING, fl_option_packing, AT(packing), -1},
};

static fl_status check_options(const csv_options *o, fl_err *err)
{
    if (has_byte(o->delim, o->quote) || (o->quote != 0 && has_byte(o->delim, o->escape)))
        return FL_FAIL(err, FL_ERR_CONFIG, "COPY's delim cannot be its quote or escape, too");
    for (int64_t i = 0; i < o->nullstr.len; i++)
        if (has_byte(o->delim, o->nullstr.data[i]) || strchr("\n\r", o->nullstr.data[i]) != NULL ||
            (o->quote != 0 && o->nullstr.data[i] == o->quote))
            return FL_FAIL(err, FL_ERR_CONFIG, "COPY's text for NULL holds no delim, quote or line's end");
    return FL_OK;
}

/* FORCE_QUOTE: which columns. */
static fl_status find_forced(csv_writer *writer, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_value *forced = writer->options.forced;
    FL_TRY(FL_NEW_ARRAY(&writer->arena, writer->n_fields + 1, &writer->is_forced, err));
    if (forced == NULL)
        return FL_OK;
    const fl_value *items = forced->type.id == FL_LIST ? forced->list.items : forced;
    for (int64_t i = 0; i < (forced->type.id == FL_LIST ? forced->list.n : 1); i++) {
        bool is_all = fl_str_is_equal(items[i].s, FL_STR("*")), is_found = is_all;
        for (int32_t c = 0; c < writer->n_fields; c++)
            if (is_all || fl_str_is_equal_nocase(writer->fields[c].name, items[i].s))
                is_found = writer->is_forced[c] = true;
        if (!is_found)
            return FL_FAIL(err, FL_ERR_COLUMN, "there is no column \"%.*s\" to quote", FL_STR_ARG(items[i].s));
    }
cleanup:
    return st;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static inline void add_delim(const csv_writer *writer, fl_text *text)
{
    if (writer->options.delim.len == 1)
        fl_print_char(text, writer->options.delim.data[0]);
    else
        fl_text_add(text, writer->options.delim);
}

static void add_quoted(const csv_options *o, fl_text *text, fl_str field)
{
    fl_print_char(text, o->quote);
    for (int64_t i = 0; i < field.len; i++) {
        if (field.data[i] == o->quote || (field.data[i] == o->escape && o->escape != 0))
            fl_print_char(text, o->escape);
        fl_print_char(text, field.data[i]);
    }
    fl_print_char(text, o->quote);
}

/* Whether the field, as it is, would be read as several, as NULL, as a comment, as one that apostrophes quote, or trimmed. */
static bool needs_quotes(const csv_writer *writer, fl_str field)
{
    if (fl_str_is_equal(field, writer->options.nullstr) || field.len == 0)
        return true;
    if (field.data[0] == '#' || field.data[0] == '\'' || field.data[0] == ' ' || field.data[field.len - 1] == ' ')
        return true;
    for (int64_t i = 0; i < field.len; i++)
        if (writer->is_hard[(uint8_t)field.data[i]])
            return true;
    return false;
}

static void add_field(const csv_writer *writer, fl_text *text, fl_str field, bool is_forced)
{
    if (writer->options.quote != 0 && (is_forced || needs_quotes(writer, field)))
        add_quoted(&writer->options, text, field);
    else
        fl_text_add(text, field);
}

/* What is printed of these has nothing that asks for quotes, unless a delimiter was chosen that numbers hold. */
static bool is_plain(const csv_writer *writer, int32_t col)
{
    fl_type type = writer->fields[col].type;
    char delim = writer->options.delim.len == 1 ? writer->options.delim.data[0] : 0;
    bool is_number = fl_type_is_integer(type) || fl_type_is_decimal(type) || fl_type_is_float(type) ||
                     type.id == FL_DATE || type.id == FL_BOOL;
    bool is_apart = delim == ',' || delim == '\t' || delim == ';' || delim == '|';
    return is_number && is_apart && writer->options.nullstr.len == 0 && !writer->is_forced[col];
}

static fl_status add_value(const csv_writer *writer, fl_text *text, fl_text *scratch, const fl_vec *vec, int64_t row,
                           int32_t col, bool is_plain, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    if (vec->type.id == FL_NULL || !fl_vec_is_valid(vec, row)) {
        fl_text_add(text, writer->options.nullstr);
    } else if (is_plain) {
        st = fl_print_value(text, vec, row, arena, err);
    } else if (vec->type.id == FL_UTF8) {
        add_field(writer, text, fl_vec_str(vec, row), writer->is_forced[col]);
    } else {
        fl_text_clear(scratch);
        FL_TRY(fl_print_value(scratch, vec, row, arena, err));
        FL_TRY(fl_text_status(scratch, err));
        add_field(writer, text, fl_text_str(scratch), writer->is_forced[col]);
    }
cleanup:
    return st;
}

static fl_status encode(fl_writer *base, const fl_batch *batches, int32_t n, fl_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    const csv_writer *writer = (const csv_writer *)base;
    fl_text scratch, *text = &chunk->bytes;
    fl_arena arena;
    fl_work work = fl_work_of(text->memory);
    bool *plain = NULL;
    fl_text_init(&scratch, text->memory);
    fl_arena_init(&arena, text->memory);
    FL_TRY(FL_NEW_ARRAY(&chunk->arena, writer->n_fields + 1, &plain, err));
    for (int32_t c = 0; c < writer->n_fields; c++)
        plain[c] = is_plain(writer, c);
    for (int32_t b = 0; b < n; b++)
        for (int32_t row = 0; row < batches[b].rows; row++) {
            FL_TRY(fl_work_add(&work, writer->n_fields, err));
            for (int32_t c = 0; c < writer->n_fields; c++) {
                if (c > 0)
                    add_delim(writer, text);
                FL_TRY(add_value(writer, text, &scratch, &batches[b].vec[c], row, c, plain[c], &arena, err));
            }
            fl_print_char(text, '\n');
            if (arena.bytes > 0)
                fl_arena_reset(&arena);
        }
    FL_TRY(fl_text_status(text, err));
    st = fl_pack(writer->options.packing, text, err);
cleanup:
    fl_text_drop(&scratch);
    fl_arena_drop(&arena);
    return st;
}

static fl_status begin(fl_writer *base, fl_text *head, fl_err *err)
{
    const csv_writer *writer = (const csv_writer *)base;
    for (int32_t c = 0; c < writer->n_fields && writer->options.header; c++) {
        if (c > 0)
            add_delim(writer, head);
        add_field(writer, head, writer->fields[c].name, false);
    }
    if (writer->options.header)
        fl_text_add_char(head, '\n');
    return fl_pack(writer->options.packing, head, err);
}

static fl_status finish(fl_writer *base, int64_t offset, fl_text *tail, fl_err *err)
{
    (void)base, (void)offset, (void)tail, (void)err;
    return FL_OK;
}

static void writer_free(fl_writer *base)
{
    csv_writer *writer = (csv_writer *)base;
    fl_arena_drop(&writer->arena);
    fl_free(writer);
}

static const fl_writer_ops ops = {.begin = begin, .encode = encode, .finish = finish, .free = writer_free};

static const char *const suffixes[] = {".csv", ".tsv", NULL};

static fl_status open(fl_memory *memory, const fl_field *fields, int32_t n_fields, const fl_option *options,
                      int32_t n_options, fl_writer **ret, fl_err *err)
{
    static const fl_str packed[] = {{".csv", 4}, {".csv.gz", 7}, {".csv.zst", 8}};
    fl_status st = FL_OK;
    csv_writer *writer = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*writer), (void **)&writer, err));
    fl_arena_init(&writer->arena, memory);
    writer->base = (fl_writer){.ops = &ops, .chunk_rows = CHUNK_ROWS, .chunk_bytes = CHUNK_BYTES};
    writer->fields = fields;
    writer->n_fields = n_fields;
    csv_options *o = &writer->options;
    *o = (csv_options){.delim = FL_STR(","), .quote = '"', .header = true, .nullstr = FL_STR("")};
    FL_TRY(fl_options_read("COPY", known, FL_LEN(known), options, n_options, &writer->arena, o, err));
    if (!o->has_escape)
        o->escape = o->quote;
    FL_TRY(check_options(o, err));
    FL_TRY(find_forced(writer, err));
    writer->base.suffix = packed[o->packing];
    writer->is_hard['\n'] = writer->is_hard['\r'] = true;
    for (int64_t i = 0; i < o->delim.len; i++) /* a field that ended in part of it would take its beginning */
        writer->is_hard[(uint8_t)o->delim.data[i]] = true;
    for (const char *c = ",;\t|"; *c != 0 && n_fields == 1; c++) /* who reads a single column looks for them */
        writer->is_hard[(uint8_t)*c] = true;
    writer->is_hard[(uint8_t)o->quote] = writer->is_hard[(uint8_t)o->escape] = true;
    writer->is_hard[0] = true;
    *ret = &writer->base;
    return FL_OK;
cleanup:
    if (writer != NULL)
        writer_free(&writer->base);
    return st;
}

const fl_writer_desc fl_writer_csv = {.size = (uint32_t)sizeof(fl_writer_desc),
                                      .extensions = UINT32_MAX,
                                      .name = "csv",
                                      .suffixes = suffixes,
                                      .reader = "read_csv",
                                      .open = open,
                                      .doc =
                                          "COPY … TO 'file.csv' (HEADER, DELIM, QUOTE, ESCAPE, NULLSTR, FORCE_QUOTE, "
                                          "COMPRESSION) writes a line a row"};
