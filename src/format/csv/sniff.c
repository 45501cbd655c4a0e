/* Finding out what a CSV file holds, by looking at its first rows: dialect, header, names, types.
 *
 * A column's type is the narrowest that all its sampled values are of; what comes later must agree, or the scan fails with
 * the value's place. The first line is a header when a cell in it is not of its column's type, or, where all columns are
 * text, when its cells are distinct and none is empty. */
#include "format/csv/table.h"
#include "format/csv/values.h"

typedef struct column_sample {
    uint32_t kinds;
    bool has_values;
    fl_str head; /* the first line's cell */
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
} sniffer;

/* ---- the first bytes ---- */

/* Dialect of one file; all have the first one's but for the ends of lines. */
static fl_status find_layout(sniffer *s, int32_t f, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_file *file = &s->table->files[f];
    fl_csv_wishes wishes = s->table->options.wishes;
    int64_t bytes = 0;
    int32_t fields;
    char *head = NULL;
    FL_TRY(fl_text_file_begin(s->memory, file->file, &head, &bytes, &file->layout.start, err));
    if (f > 0) {
        const fl_csv_dialect *first = &s->table->files[0].layout.dialect;
        wishes = (fl_csv_wishes){true, true, true, first->delim, first->quote, first->escape};
    }
    fl_str text = {head + file->layout.start, bytes - file->layout.start};
    bool prefers_tab = fl_str_has_suffix(fl_str_of(file->file->path), FL_STR(".tsv"));
    file->layout.dialect = fl_csv_dialect_find(text, bytes == file->file->bytes, prefers_tab, &wishes, &fields);
    if (f == 0)
        s->n_cols = s->table->options.columns.fields != NULL ? s->table->options.columns.n : fields;
    file->layout.n_cols = s->n_cols;
cleanup:
    fl_free(head);
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

static void add_value(sniffer *s, int32_t col, fl_str text, bool is_quoted)
{
    column_sample *c = &s->columns[col];
    if (fl_csv_is_null(&s->table->options, text, is_quoted, text.len > 0))
        return;
    c->has_values = true;
    if (c->kinds != 0)
        c->kinds &= fl_csv_kinds_of(text, c->kinds);
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

static bool find_header(const sniffer *s)
{
    const fl_csv_options *o = &s->table->options;
    int32_t against = 0, in_favour = 0, empty = 0, typed = 0;
    if (o->has_header)
        return o->header;
    if (names_agree(s))
        return true;
    for (int32_t i = 0; i < s->n_cols; i++) {
        const column_sample *c = &s->columns[i];
        uint32_t own = fl_csv_kinds_of(c->head, FL_CSV_ANY);
        empty += c->head.len == 0;
        typed += own != 0;
        if (c->head.len == 0 || !c->has_values || c->kinds == 0)
            continue;
        uint32_t type = c->kinds & -c->kinds;
        bool fits = (own & type) != 0 || (type == FL_CSV_I64 && (own & FL_CSV_F64) != 0);
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
                    FL_STR_ARG(s->columns[col].head), s->table->files[0].file->path);
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
    bool inside = false, escaped = false;
    int64_t at = file->layout.start;
    bool is_first = true;
    while (at < file->file->bytes && (is_first || o->sample_rows < 0 || s->rows < o->sample_rows)) {
        int64_t end = at + FL_TEXT_SAMPLE_BYTES < file->file->bytes ? at + FL_TEXT_SAMPLE_BYTES : file->file->bytes;
        FL_TRY(fl_csv_chunk_read(&s->chunk, file->file, at, end, err));
        FL_TRY(fl_csv_chunk_index(&s->chunk, file->file, &file->layout, inside, escaped, false, err));
        fl_str own = fl_csv_chunk_own(&s->chunk);
        inside = fl_csv_is_inside_after(&file->layout.dialect, own.data, own.len, inside, &escaped);
        bool has_head = is_first && s->chunk.rows > 0;
        if (has_head)
            file->first_line = s->chunk.text.offset + s->chunk.starts[0];
        if (has_head && f == 0)
            FL_TRY(keep_head(s, &file->layout.dialect, err));
        else if (has_head && s->table->has_header)
            FL_TRY(check_head_line(s, file, err));
        add_rows(s, &file->layout.dialect, has_head && (f == 0 || s->table->has_header) ? 1 : 0);
        s->rows += s->chunk.rows;
        s->bytes += end - at;
        is_first = is_first && s->chunk.rows == 0;
        at = end;
    }
    s->is_all &= at == file->file->bytes;
    if (f > 0)
        return FL_OK;
    s->table->has_header = s->rows > 0 && find_header(s);
    for (int32_t col = 0; col < s->n_cols && s->rows > 0 && !s->table->has_header; col++)
        add_value(s, col, s->columns[col].head, s->columns[col].head_is_quoted);
cleanup:
    return st;
}

/* ---- the table's columns ---- */

static bool is_taken(const fl_field *fields, int32_t count, fl_str name)
{
    for (int32_t i = 0; i < count; i++)
        if (fl_str_is_equal_nocase(fields[i].name, name))
            return true;
    return false;
}

/* Cells as names: an empty one gets its number, a second one of the same name a number behind it. */
static fl_status make_name(sniffer *s, int32_t col, fl_field *fields, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = &s->table->base.arena;
    fl_str name = s->columns[col].head;
    if (!s->table->has_header || name.len == 0)
        FL_TRY(fl_arena_format(arena, &name, err, "column%d", col));
    fl_str base = name;
    for (int32_t number = 1; is_taken(fields, col, name); number++)
        FL_TRY(fl_arena_format(arena, &name, err, "%.*s_%d", FL_STR_ARG(base), number));
    fields[col].name = name;
cleanup:
    return st;
}

static fl_status make_fields(sniffer *s, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_table *table = s->table;
    fl_field *fields = NULL;
    table->base.table.n_cols = s->n_cols;
    if (table->options.columns.fields != NULL) {
        table->base.table.fields = table->options.columns.fields;
        return FL_OK;
    }
    FL_TRY(FL_NEW_ARRAY(&table->base.arena, s->n_cols, &fields, err));
    for (int32_t col = 0; col < s->n_cols; col++) {
        const column_sample *c = &s->columns[col];
        FL_TRY(make_name(s, col, fields, err));
        fields[col].type = fl_csv_type_of(table->options.all_varchar || !c->has_values ? 0 : c->kinds);
        fields[col].nullable = true;
    }
    table->base.table.fields = fields;
cleanup:
    return st;
}

static void estimate_rows(sniffer *s)
{
    fl_csv_table *table = s->table;
    double bytes = 0, headers = table->has_header ? table->base.n_files : 0;
    for (int32_t f = 0; f < table->base.n_files; f++)
        bytes += (double)(table->files[f].file->bytes - table->files[f].layout.start);
    double rows = s->is_all || s->bytes == 0 ? (double)s->rows : (double)s->rows * (bytes / (double)s->bytes);
    table->base.table.rows = rows > headers ? rows - headers : 0;
}

fl_status fl_csv_sniff(fl_csv_table *table, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    sniffer s = {.table = table, .memory = memory, .is_all = true};
    fl_csv_chunk_init(&s.chunk, memory);
    for (int32_t f = 0; f < table->base.n_files; f++)
        FL_TRY(find_layout(&s, f, err));
    if (table->files[0].file->bytes == table->files[0].layout.start && table->options.columns.fields == NULL) {
        st = FL_FAIL(err, FL_ERR_FORMAT, "\"%s\" is empty: it has neither a header nor rows to find columns by",
                     table->files[0].file->path);
        fl_err_hint(err, "name them: columns = {'a': 'integer', 'b': 'text'}");
        goto cleanup;
    }
    FL_TRY(fl_alloc_zero(memory, (int64_t)s.n_cols * (int64_t)sizeof(*s.columns), (void **)&s.columns, err));
    for (int32_t col = 0; col < s.n_cols; col++)
        s.columns[col].kinds = FL_CSV_ANY;
    for (int32_t f = 0; f < table->base.n_files; f++)
        FL_TRY(sample_file(&s, f, err));
    FL_TRY(make_fields(&s, err));
    estimate_rows(&s);
cleanup:
    fl_free(s.columns);
    fl_csv_chunk_drop(&s.chunk);
    return st;
}
