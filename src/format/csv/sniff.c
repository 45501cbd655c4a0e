/* Finding out what a CSV file holds, by looking at its first rows: dialect, header, names, types.
 *
 * A column's type is the narrowest that all its sampled values are of; what comes later must agree, or the scan fails with
 * the value's place. The first line is a header when a cell in it is not of its column's type and does not look like a
 * value of another form of it, or, where all columns are text, when its cells are distinct, and none is empty or looks like
 * a number or time. */
#include "format/csv/table.h"
#include "format/csv/values.h"
#include "base/names.h"
#include "base/nearest.h"
#include "base/strptime.h"

typedef struct column_sample {
    uint32_t kinds;
    bool has_values;
    fl_csv_forms forms; /* that are left, while kinds say that there are any */
    bool has_digits;    /* not words like "inf" alone, which are names as well */
    fl_str head;        /* the first line's cell */
    bool head_is_quoted;
} column_sample;

typedef struct sniffer {
    fl_csv_table *table;
    fl_memory *memory;
    column_sample *columns;
    int32_t n_cols;
    fl_csv_chunk chunk;
    int64_t rows;  /* sampled, the first lines included */
    int64_t bytes; /* that they took */
    bool is_all;   /* every byte was sampled */
    bool is_head_whole;
    bool has_first; /* a file that is not empty was seen */
} sniffer;

/* ---- the first bytes ---- */

/* Whether the text holds a line that is not blank as a whole, for all that quotes may do. */
static bool has_line(fl_str text)
{
    int64_t i = 0;
    while (i < text.len && (text.data[i] == '\n' || text.data[i] == '\r'))
        i++;
    for (; i < text.len; i++)
        if (text.data[i] == '\n' || (text.data[i] == '\r' && i + 1 < text.len && text.data[i + 1] != '\n'))
            return true;
    return false;
}

/* The file's first bytes from its first line on, as many as hold that line. */
static fl_status look_at_head(sniffer *s, int32_t f, fl_text_piece *head_piece, fl_str *ret_text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_file *file = &s->table->files[f];
    fl_csv_layout *layout = &file->layout;
    int64_t left = s->table->options.skip, at = 0;
    FL_TRY(fl_text_file_begin(file->file, s->table->base.files[f], &s->table->options.text, head_piece, &layout->start,
                              err));
    at = layout->start;
    layout->skipped = 0;
    for (;;) {
        const char *head = fl_text_piece_data(head_piece);
        int64_t bytes = head_piece->len;
        char newline =
            memchr(head, '\n', (size_t)bytes) == NULL && memchr(head, '\r', (size_t)bytes) != NULL ? '\r' : '\n';
        for (const char *end; left > 0 && (end = memchr(head + at, newline, (size_t)(bytes - at))) != NULL; left--) {
            at = end + 1 - head;
            layout->skipped++;
        }
        *ret_text = (fl_str){head + at, bytes - at};
        s->is_head_whole = fl_text_piece_is_last(head_piece, file->file);
        if (s->is_head_whole || (left == 0 && has_line(*ret_text)) || bytes - at > FL_TEXT_LINE_BYTES_MAX)
            break;
        FL_TRY(fl_text_piece_read_on(head_piece, file->file, err));
    }
    layout->start = left > 0 ? fl_text_file_bytes(file->file) : at;
    if (left > 0)
        ret_text->len = 0;
cleanup:
    return st;
}

/* Lines before the table that are none of it are left out, unless it was said where the table begins. n_cols: that it must have; 0: any number
 * above 1. */
static void leave_out_titles(const sniffer *s, fl_csv_file *file, fl_str text, bool has_delim, int32_t n_cols,
                             int32_t *ret_fields)
{
    const fl_csv_options *o = &s->table->options;
    fl_csv_dialect other;
    int32_t fields = 1;
    int64_t bytes = 0;
    if (o->has_skip || o->null_padding)
        return;
    int32_t titles =
        fl_csv_count_titles(text, s->is_head_whole, &file->layout.dialect, has_delim, &other, &fields, &bytes);
    if (titles == 0 || (n_cols > 0 && fields != n_cols))
        return;
    FL_ASSERT(bytes <= text.len && fields > 1);
    file->layout.dialect = other;
    file->layout.start += bytes;
    file->layout.skipped += titles;
    *ret_fields = fields;
}

/* Dialect of one file; all have the first one's but for the ends of lines. */
static fl_status find_layout(sniffer *s, int32_t f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_file *file = &s->table->files[f];
    fl_csv_wishes wishes = s->table->options.wishes;
    fl_str text = {0};
    int32_t fields = 1, n_cols = s->has_first ? s->n_cols : s->table->options.columns.n;
    bool agree = true;
    fl_text_piece head = {.memory = s->memory};
    FL_TRY(look_at_head(s, f, &head, &text, err));
    bool is_empty = file->layout.start == fl_text_file_bytes(file->file);
    if (s->has_first) {
        const fl_csv_dialect *first = &s->table->files[s->table->first].layout.dialect;
        wishes = (fl_csv_wishes){.has_quote = true,
                                 .has_escape = true,
                                 .has_comment = true,
                                 .trims = first->trims,
                                 .delim = fl_csv_delim(first),
                                 .quote = first->quote,
                                 .escape = first->escape,
                                 .comment = first->comment};
    }
    bool prefers_tab = fl_text_file_has_ending(file->file, FL_STR(".tsv"));
    file->layout.dialect = fl_csv_dialect_find(text, s->is_head_whole, prefers_tab, &wishes, &fields, &agree);
    if (!is_empty && (fields == 1 || !agree) && n_cols != 1)
        leave_out_titles(s, file, text, wishes.delim.len > 0, n_cols, &fields);
    if (!is_empty && !s->has_first) {
        s->has_first = true;
        s->table->first = f;
        s->n_cols = fields;
    }
cleanup:
    fl_text_piece_drop(&head);
    return st;
}

/* ---- values ---- */

/* The cell's text; quotes inside are taken apart only where there are any. */
static fl_status cell_text(const fl_csv_dialect *d, fl_arena *arena, fl_str field, fl_str *ret, bool *ret_quoted,
                           fl_err *err)
{
    char *copy = NULL;
    *ret = fl_csv_field_text(d, field, ret_quoted);
    if (!*ret_quoted || memchr(ret->data, d->escape, (size_t)ret->len) == NULL)
        return FL_OK;
    fl_status st = fl_arena_get(arena, ret->len, (void **)&copy, err);
    if (st == FL_OK)
        *ret = (fl_str){copy, fl_csv_unquote(d, *ret, copy)};
    return st;
}

/* As fl_csv_kinds_of, with the formats that were said. */
static uint32_t kinds_of(const fl_csv_options *o, fl_str text, uint32_t wanted)
{
    char buffer[FL_CSV_NUMBER_BYTES];
    const uint32_t numbers = FL_CSV_I64 | FL_CSV_DECIMAL | FL_CSV_F64;
    uint32_t formatted =
        (o->date_format.len > 0 ? FL_CSV_DATE : 0) | (o->timestamp_format.len > 0 ? FL_CSV_TIMESTAMP : 0);
    int64_t us;
    formatted |= o->date_format.len > 0 ? FL_CSV_DATE_FORM : 0;
    formatted |= o->timestamp_format.len > 0 ? FL_CSV_TIMESTAMP_FORM : 0;
    uint32_t kinds = fl_csv_kinds_of(text, wanted & ~formatted & ~(o->decimal_separator != 0 ? numbers : 0));
    if (o->decimal_separator != 0)
        kinds |= fl_csv_kinds_of(fl_csv_number(o, text, buffer), wanted & numbers);
    if ((wanted & formatted & FL_CSV_DATE) != 0 && fl_strptime(text, o->date_format, &us) == FL_STRPTIME_OK)
        kinds |= FL_CSV_DATE;
    if ((wanted & formatted & FL_CSV_TIMESTAMP) != 0 && fl_strptime(text, o->timestamp_format, &us) == FL_STRPTIME_OK)
        kinds |= FL_CSV_TIMESTAMP;
    return kinds;
}

/* A format that was said goes before a number that its texts may be, too. */
static fl_type type_of(const fl_csv_options *o, uint32_t kinds)
{
    if (o->date_format.len > 0 && (kinds & FL_CSV_DATE) != 0)
        return FL_TYPE(FL_DATE);
    if (o->timestamp_format.len > 0 && (kinds & FL_CSV_TIMESTAMP) != 0)
        return FL_TYPE(FL_TIMESTAMP);
    return fl_csv_type_of(kinds);
}

/* Which kinds of another form than ISO's are left with this value. */
static uint32_t forms_of(const fl_csv_options *o, column_sample *c, fl_str text)
{
    uint32_t wanted =
        (o->date_format.len > 0 ? 0 : FL_CSV_DATE_FORM) | (o->timestamp_format.len > 0 ? 0 : FL_CSV_TIMESTAMP_FORM);
    if ((c->kinds & wanted) == 0 || !fl_csv_forms_add(&c->forms, text))
        return 0;
    return wanted & (c->forms.has_times ? FL_CSV_TIMESTAMP_FORM : FL_CSV_DATE_FORM);
}

static void add_value(sniffer *s, int32_t col, fl_str text, bool is_quoted)
{
    column_sample *c = &s->columns[col];
    if (fl_csv_is_null(&s->table->options, text, is_quoted, text.len > 0))
        return;
    c->has_values = true;
    c->has_digits |= !fl_csv_is_number_word(text);
    if (c->kinds != 0)
        c->kinds &= kinds_of(&s->table->options, text, c->kinds) | forms_of(&s->table->options, c, text);
}

static void add_rows(sniffer *s, const fl_csv_dialect *d, int64_t first)
{
    for (int64_t row = first; row < s->chunk.rows; row++)
        for (int32_t col = 0; col < s->n_cols; col++) {
            if (s->columns[col].kinds == 0)
                continue;
            bool is_quoted;
            fl_str text = fl_csv_field_text(d, fl_csv_chunk_field(&s->chunk, row, col), &is_quoted);
            add_value(s, col, text, is_quoted);
        }
}

/* ---- the first line ---- */

static fl_status keep_head(sniffer *s, const fl_csv_dialect *d, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t col = 0; col < s->n_cols; col++) {
        fl_str text;
        FL_TRY(cell_text(d, &s->table->base.arena, fl_csv_chunk_field(&s->chunk, 0, col), &text,
                         &s->columns[col].head_is_quoted, err));
        FL_TRY(fl_arena_copy_str(&s->table->base.arena, text, &s->columns[col].head, err));
    }
cleanup:
    return st;
}

static bool is_distinct(const sniffer *s)
{
    for (int32_t i = 0; i < s->n_cols; i++)
        for (int32_t j = 0; j < i && j < 200; j++) /* beyond that many columns a double is no argument any more */
            if (fl_str_is_equal_nocase(s->columns[i].head, s->columns[j].head))
                return false;
    return true;
}

static bool names_agree(const sniffer *s)
{
    const fl_csv_options *o = &s->table->options;
    for (int32_t i = 0; i < s->n_cols; i++)
        if (o->columns.fields == NULL || !fl_str_is_equal_nocase(o->columns.fields[i].name, s->columns[i].head))
            return false;
    return true;
}

/* Whether the first line's cell may well be a value of a column of this kind, though not one that is read as it. */
static bool looks_like_value(fl_str cell, uint32_t kind)
{
    if (kind == FL_CSV_BOOL)
        return false;
    if (kind >= FL_CSV_DATE)
        return fl_csv_looks_like_time(cell);
    return fl_csv_looks_like_number(cell) || fl_csv_is_number_word(cell);
}

/* Whether there are columns that are said to be no text, and if so whether the first line's cells are values of them. */
static bool has_declared_values(const sniffer *s, bool *ret_fit)
{
    const fl_csv_options *o = &s->table->options;
    bool has_any = false;
    *ret_fit = true;
    for (int32_t i = 0; i < s->n_cols; i++) {
        const column_sample *c = &s->columns[i];
        fl_value value;
        if (fl_type_is_string(o->columns.fields[i].type) || fl_csv_is_null(o, c->head, c->head_is_quoted, false))
            continue;
        has_any = true;
        *ret_fit &= looks_like_value(c->head, FL_CSV_I64) || looks_like_value(c->head, FL_CSV_DATE) ||
                    fl_value_from_text(o->columns.fields[i].type, c->head, &value, NULL) == FL_OK;
    }
    return has_any;
}

static bool find_header(const sniffer *s)
{
    const fl_csv_options *o = &s->table->options;
    int32_t against = 0, in_favour = 0, empty = 0, typed = 0;
    bool fits = false;
    if (o->has_header)
        return o->header;
    if (names_agree(s))
        return true;
    if (o->columns.fields != NULL && has_declared_values(s, &fits))
        return !fits;
    for (int32_t i = 0; i < s->n_cols; i++) {
        const column_sample *c = &s->columns[i];
        uint32_t own = kinds_of(o, c->head, FL_CSV_ANY);
        empty += c->head.len == 0;
        typed += (own != 0 && !fl_csv_is_number_word(c->head)) || fl_csv_looks_like_number(c->head) ||
                 fl_csv_looks_like_time(c->head);
        if (c->head.len == 0 || !c->has_values || c->kinds == 0 || fl_csv_is_null(o, c->head, c->head_is_quoted, false))
            continue;
        uint32_t type = c->kinds & -c->kinds;
        fits = (own & type) != 0 || looks_like_value(c->head, type);
        in_favour += !fits;
        against += fits;
    }
    if (in_favour + against > 0)
        return in_favour > 0;
    return empty == 0 && typed == 0 && is_distinct(s);
}

/* Another file's first line has to say the same. */
static fl_status check_head_line(sniffer *s, const fl_csv_file *file, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t col = 0; col < s->n_cols; col++) {
        bool is_quoted;
        fl_str text;
        FL_TRY(cell_text(&file->layout.dialect, &s->table->base.arena, fl_csv_chunk_field(&s->chunk, 0, col), &text,
                         &is_quoted, err));
        if (!fl_str_is_equal_nocase(text, s->columns[col].head)) {
            FL_FAIL(err, FL_ERR_FORMAT, "column %d is \"%.*s\", but \"%.*s\" in \"%s\"", col + 1, FL_STR_ARG(text),
                    FL_STR_ARG(s->columns[col].head), s->table->base.files[s->table->first]->path);
            fl_err_hint(err, "files of one table have the same columns in the same order");
            fl_text_file_err_at(file->file, 1, 1, err);
            return FL_ERR_FORMAT;
        }
    }
cleanup:
    return st;
}

/* ---- a file ---- */

static fl_status sample_file(sniffer *s, int32_t f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_file *file = &s->table->files[f];
    const fl_csv_options *o = &s->table->options;
    fl_csv_position before = FL_CSV_AT_START;
    int64_t at = file->layout.start;
    bool is_first = true, is_model = f == s->table->first;
    while (at < fl_text_file_bytes(file->file) && (is_first || o->sample_rows < 0 || s->rows < o->sample_rows)) {
        FL_TRY(fl_csv_chunk_read(&s->chunk, file->file, at, at + FL_TEXT_SAMPLE_BYTES, err));
        FL_TRY(fl_csv_chunk_index(&s->chunk, file->file, &file->layout, before, false, err));
        fl_str own = fl_csv_chunk_own(&s->chunk);
        fl_csv_pass(&file->layout.dialect, own.data, own.len, &before);
        bool has_head = is_first && s->chunk.rows > 0;
        if (has_head)
            file->first_line = s->chunk.text.offset + s->chunk.starts[0];
        if (has_head && is_model)
            FL_TRY(keep_head(s, &file->layout.dialect, err));
        else if (has_head && s->table->has_header)
            FL_TRY(check_head_line(s, file, err));
        add_rows(s, &file->layout.dialect, has_head && (is_model || s->table->has_header) ? 1 : 0);
        s->rows += s->chunk.rows;
        s->bytes += s->chunk.end - at;
        is_first = is_first && s->chunk.rows == 0;
        at = s->chunk.end;
    }
    s->is_all &= at == fl_text_file_bytes(file->file);
    if (!is_model)
        return FL_OK;
    s->table->has_header = s->rows > 0 && find_header(s);
    for (int32_t col = 0; col < s->n_cols && s->rows > 0 && !s->table->has_header; col++)
        add_value(s, col, s->columns[col].head, s->columns[col].head_is_quoted);
cleanup:
    return st;
}

/* ---- the table's columns ---- */

/* Cells as names: an empty one gets its number, a second one of the same name a number behind it. */
static fl_status make_names(sniffer *s, fl_field *fields, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = &s->table->base.arena;
    fl_str *names = NULL;
    const fl_option_texts *said = &s->table->options.names;
    FL_TRY(FL_NEW_ARRAY(arena, s->n_cols, &names, err));
    if (said->n > s->n_cols)
        return FL_FAIL(err, FL_ERR_CONFIG, "read_csv's names are %d, but \"%s\" has %d column%s", said->n,
                       s->table->base.files[0]->path, s->n_cols, s->n_cols == 1 ? "" : "s");
    for (int32_t col = 0; col < s->n_cols; col++) {
        names[col] = col < said->n ? said->items[col] : s->columns[col].head;
        if (names[col].len == 0 || (col >= said->n && !s->table->has_header))
            FL_TRY(fl_arena_format(arena, &names[col], err, "column%d", col));
    }
    FL_TRY(fl_names_tell_apart(arena, s->memory, names, s->n_cols, &s->table->base.table.note, err));
    for (int32_t col = 0; col < s->n_cols; col++)
        fields[col].name = names[col];
cleanup:
    return st;
}

/* Types that were said take the place of guesses. */
static fl_status take_types(fl_csv_table *table, fl_field *fields, fl_err *err)
{
    const fl_option_fields *types = &table->options.types;
    int32_t n = table->base.table.n_cols;
    if (types->n > n)
        return FL_FAIL(err, FL_ERR_CONFIG, "read_csv's types are %d, but \"%s\" has %d column%s", types->n,
                       table->base.files[0]->path, n, n == 1 ? "" : "s");
    for (int32_t i = 0; i < types->n; i++) {
        int32_t col = types->fields[i].name.data == NULL ? i : 0;
        while (types->fields[i].name.data != NULL && col < n &&
               !fl_str_is_equal_nocase(fields[col].name, types->fields[i].name))
            col++;
        if (col == n) {
            fl_nearest near;
            FL_FAIL(err, FL_ERR_CONFIG, "read_csv's types name a column \"%.*s\", which \"%s\" does not have",
                    FL_STR_ARG(types->fields[i].name), table->base.files[0]->path);
            fl_err_state(err, "42703", FL_ERR_CONFIG);
            fl_nearest_init(&near, types->fields[i].name);
            for (int32_t other = 0; other < n; other++)
                fl_nearest_offer(&near, fields[other].name);
            fl_nearest_hint(&near, err);
            return FL_ERR_CONFIG;
        }
        fl_type found = fields[col].type;
        fields[col].type = types->fields[i].type;
        table->is_said[col] = true;
        bool is_time = fields[col].type.id == FL_DATE || fields[col].type.id == FL_TIMESTAMP;
        if (!is_time || !fl_type_is_equal(found, fields[col].type))
            table->formats[col] = (fl_str){0};
    }
    return FL_OK;
}

static fl_status make_fields(sniffer *s, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_table *table = s->table;
    fl_field *fields = NULL;
    table->base.table.n_cols = s->n_cols;
    FL_TRY(FL_NEW_ARRAY(&table->base.arena, s->n_cols + 1, &table->is_said, err));
    FL_TRY(FL_NEW_ARRAY(&table->base.arena, s->n_cols + 1, &table->formats, err));
    if (table->options.columns.fields != NULL) {
        memset(table->is_said, true, (size_t)s->n_cols);
        table->base.table.fields = table->options.columns.fields;
        return FL_OK;
    }
    FL_TRY(FL_NEW_ARRAY(&table->base.arena, s->n_cols, &fields, err));
    FL_TRY(make_names(s, fields, err));
    for (int32_t col = 0; col < s->n_cols; col++) {
        const column_sample *c = &s->columns[col];
        fields[col].type =
            type_of(&table->options, table->options.all_varchar || !c->has_values || !c->has_digits ? 0 : c->kinds);
        fields[col].nullable = true;
        bool is_other = c->kinds != 0 && fields[col].type.id != FL_UTF8 &&
                        (c->kinds & -c->kinds & (FL_CSV_DATE_FORM | FL_CSV_TIMESTAMP_FORM)) != 0;
        if (is_other)
            FL_TRY(fl_csv_forms_format(&c->forms, &table->base.arena, &table->formats[col], err));
    }
    FL_TRY(take_types(table, fields, err));
    table->base.table.fields = fields;
cleanup:
    return st;
}

static void estimate_rows(sniffer *s)
{
    fl_csv_table *table = s->table;
    double bytes = 0, headers = table->has_header ? table->base.n_files : 0;
    for (int32_t f = 0; f < table->base.n_files; f++)
        bytes += fl_text_file_estimate_bytes(table->files[f].file) - (double)table->files[f].layout.start;
    double rows = s->is_all || s->bytes == 0 ? (double)s->rows : (double)s->rows * (bytes / (double)s->bytes);
    table->base.table.rows = rows > headers ? rows - headers : 0;
    table->base.has_counted = s->is_all;
}

fl_status fl_csv_sniff(fl_csv_table *table, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    sniffer s = {.table = table, .memory = memory, .is_all = true};
    fl_csv_chunk_init(&s.chunk, memory);
    for (int32_t f = 0; f < table->base.n_files; f++)
        FL_TRY(find_layout(&s, f, err));
    if (table->options.columns.fields != NULL)
        s.n_cols = table->options.columns.n;
    for (int32_t f = 0; f < table->base.n_files; f++) {
        table->files[f].layout.n_cols = s.n_cols;
        table->files[f].layout.pads = table->options.null_padding;
        table->files[f].layout.skips = table->options.ignore_errors;
        table->files[f].layout.keeps = table->options.store_rejects;
    }
    if (!s.has_first && table->options.columns.fields == NULL) {
        st = FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" is empty: it has neither a header nor rows to find columns by",
                     table->base.files[0]->path);
        fl_err_hint(err, "name them: columns = {'a': 'integer', 'b': 'text'}");
        goto cleanup;
    }
    FL_TRY(fl_alloc_zero(memory, (int64_t)s.n_cols * (int64_t)sizeof(*s.columns), (void **)&s.columns, err));
    for (int32_t col = 0; col < s.n_cols; col++)
        s.columns[col].kinds = table->options.candidates, s.columns[col].forms = FL_CSV_FORMS_ANY;
    for (int32_t f = table->first; f < table->base.n_files; f++)
        FL_TRY(sample_file(&s, f, err));
    FL_TRY(make_fields(&s, err));
    estimate_rows(&s);
cleanup:
    fl_free(s.columns);
    fl_csv_chunk_drop(&s.chunk);
    return st;
}
