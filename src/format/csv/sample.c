/* Windows of CSV files; a stream has none. Whether one begins inside of quotes cannot be known for sure without what lies before it, so it is taken for
 * what it looks like: the state under which all of its lines have the right number of fields, quotes stand where they may, and
 * values of the first lines are of their columns' types. Outside of quotes is tried first; where neither fits, or
 * it is neither, as in a comment, there is no window. A wrong guess makes figures wrong, and nothing else. */
#include "format/csv/table.h"
#include "format/csv/values.h"

#define LINES_READ 64 /* for their values */

typedef struct cutting {
    const fl_csv_table *table;
    fl_csv_chunk chunk;
} cutting;

static int64_t start_of(const void *ctx, int32_t file)
{
    const fl_csv_file *f = &((const cutting *)ctx)->table->files[file];
    return fl_text_file_is_stream(f->file) ? FL_TEXT_BYTES_UNKNOWN : f->layout.start;
}

/* Whether a text may be of the type: those that are guessed are looked at. */
static bool is_of(fl_type type, fl_str text)
{
    double real;
    int64_t number;
    int32_t days;
    bool truth;
    switch (type.id) {
    case FL_BOOL:
        return fl_csv_read_bool(text, &truth);
    case FL_I32:
    case FL_I64:
        return fl_csv_read_i64(text, &number);
    case FL_F64:
        return fl_csv_read_f64(text, &real);
    case FL_DATE:
        return fl_csv_read_date(text, &days);
    case FL_TIMESTAMP:
        return fl_csv_read_timestamp(text, false, &number);
    default:
        return true;
    }
}

static bool has_values(const cutting *c, const fl_csv_layout *layout)
{
    const fl_csv_options *o = &c->table->options;
    int64_t rows = c->chunk.rows < LINES_READ ? c->chunk.rows : LINES_READ;
    if (o->date_format.len > 0 || o->timestamp_format.len > 0 || o->decimal_separator != 0)
        return true; /* numbers of fields must do */
    for (int64_t row = 0; row < rows; row++)
        for (int32_t col = 0; col < layout->n_cols; col++) {
            bool is_quoted = false;
            fl_type type = c->table->base.table.fields[col].type;
            fl_str text = fl_csv_field_text(&layout->dialect, fl_csv_chunk_field(&c->chunk, row, col), &is_quoted);
            bool is_text = fl_type_is_string(type) || fl_csv_column_format(c->table, col).len > 0;
            if (!is_text && !fl_csv_is_null(&c->table->options, text, is_quoted, is_text) && !is_of(type, text))
                return false;
        }
    return true;
}

static fl_status cut(void *ctx, fl_file_piece *piece, int32_t *ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    cutting *c = ctx;
    const fl_csv_file *file = &c->table->files[piece->file];
    const fl_csv_layout *layout = &file->layout;
    *ret_rows = 0;
    FL_TRY(fl_csv_chunk_read(&c->chunk, file->file, piece->begin, piece->end, err));
    for (int is_inside = 0; is_inside < (layout->dialect.quote != 0 ? 2 : 1); is_inside++) {
        fl_str lines = {0};
        fl_csv_position before = {.is_inside = is_inside != 0};
        FL_TRY(fl_csv_chunk_index_whole(&c->chunk, layout, before, &lines, err));
        if (c->chunk.rows == 0)
            continue;
        int64_t begin = fl_text_piece_offset(&c->chunk.text, lines.data);
        bool has_header = c->table->has_header && file->first_line >= begin && file->first_line < begin + lines.len;
        c->chunk.first = has_header ? 1 : 0;
        c->chunk.rows -= c->chunk.first;
        if (!has_values(c, layout))
            continue;
        *piece = (fl_file_piece){piece->file, begin, begin + lines.len};
        *ret_rows = (int32_t)c->chunk.rows;
        break;
    }
cleanup:
    return st;
}

fl_status fl_csv_find_windows(fl_csv_table *table, fl_memory *memory, const fl_text_windows **ret, fl_err *err)
{
    cutting c = {.table = table};
    fl_text_cutter cutter = {.ctx = &c, .start = start_of, .cut = cut};
    fl_csv_chunk_init(&c.chunk, memory);
    fl_status st = fl_text_windows_find(&table->base, &cutter, ret, err);
    fl_csv_chunk_drop(&c.chunk);
    return st;
}
