/* Places of lines, and what is said of them. */
#include "format/csv/kept_lines.h"

#include "base/utf8.h"

#include <stdio.h>

#define TEXT_BYTES_MAX 10000 /* of a line */
#define SHOWN_BYTES 80       /* of a value */

static fl_status name_columns(const fl_csv_table *table, fl_text *text, fl_err *err)
{
    for (int32_t i = 0; i < table->base.table.n_cols; i++) {
        const fl_field *field = &table->base.table.fields[i];
        fl_text_addf(text, "%s'%.*s': '", i > 0 ? ", " : "{", FL_STR_ARG(field->name));
        fl_type_print(text, field->type);
        fl_text_add_char(text, '\'');
    }
    fl_text_add_char(text, '}');
    return fl_text_status(text, err);
}

static fl_status add_files(const fl_csv_kept_lines *kept, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_csv_table *table = kept->table;
    fl_text columns, given;
    fl_text_init(&columns, NULL);
    fl_text_init(&given, NULL);
    FL_TRY(name_columns(table, &columns, err));
    for (int32_t i = 0; i < table->base.n_options; i++) {
        fl_text_addf(&given, "%s%.*s = ", i > 0 ? ", " : "", FL_STR_ARG(table->base.options[i].name));
        fl_value_print_sql(&given, &table->base.options[i].value);
    }
    FL_TRY(fl_text_status(&given, err));
    for (int32_t f = 0; f < table->base.n_files; f++) {
        const fl_csv_layout *layout = &table->files[f].layout;
        const fl_csv_dialect *d = &layout->dialect;
        fl_reject_file file = {.scan = kept->number,
                               .file = f,
                               .path = fl_str_of(table->base.files[f]->path),
                               .delim = fl_csv_delim(d),
                               .quote = {&d->quote, d->quote != 0},
                               .escape = {&d->escape, d->escape != 0},
                               .newline = d->newline == '\r' ? FL_STR("\\r") : FL_STR("\\n"),
                               .columns = fl_text_str(&columns),
                               .date_format = fl_csv_format_of(table, FL_DATE),
                               .timestamp_format = fl_csv_format_of(table, FL_TIMESTAMP),
                               .options = fl_text_str(&given),
                               .skipped = layout->skipped,
                               .has_header = table->has_header};
        FL_TRY(fl_rejects_add_file(kept->log, &file, err));
    }
cleanup:
    fl_text_drop(&columns);
    fl_text_drop(&given);
    return st;
}

fl_status fl_csv_keep_begin(fl_csv_kept_lines *kept, const fl_csv_table *table, fl_file_scan *scan, fl_err *err)
{
    fl_status st = FL_OK;
    fl_rejects *log = scan->memory != NULL ? scan->memory->rejects : NULL;
    if (!table->options.store_rejects || log == NULL)
        return FL_OK;
    *kept = (fl_csv_kept_lines){.table = table, .scan = scan};
    FL_TRY(FL_NEW_ARRAY(&scan->arena, scan->n_morsels + 1, &kept->lines, err));
    FL_TRY(FL_NEW_ARRAY(&scan->arena, scan->n_morsels + 1, &kept->first_lines, err));
    kept->log = log;
    kept->number = fl_rejects_begin(log);
    st = add_files(kept, err);
cleanup:
    return st;
}

void fl_csv_keep_end(fl_csv_kept_lines *kept)
{
    if (kept->log == NULL)
        return;
    const fl_csv_table *table = kept->table;
    for (int32_t f = 0; f < table->base.n_files; f++) {
        int64_t line = 1 + table->files[f].layout.skipped;
        bool is_last = f + 1 == table->base.n_files;
        int64_t end = is_last ? kept->scan->n_morsels : kept->scan->cuts[f + 1].first_piece;
        for (int64_t p = kept->scan->cuts[f].first_piece; p < end; p++) {
            int64_t lines = atomic_load(&kept->lines[p]);
            kept->first_lines[p] = line;
            line = line < 0 || lines == 0 ? -1 : line + lines - 1;
        }
    }
    fl_rejects_end(kept->log, kept->number, kept->first_lines);
}

static int64_t count_lines(const fl_csv_chunk *chunk, int64_t from, int64_t to)
{
    return fl_csv_kernels_choose()->count(fl_text_piece_data(&chunk->text) + from, to - from, chunk->newline);
}

/* Lines of the piece before a place in the chunk's text. Places mostly ascend. */
static int64_t line_of(fl_csv_keeper *k, const fl_csv_chunk *chunk, int64_t at)
{
    int64_t begin = chunk->begin - chunk->text.offset;
    if (k->at < begin || k->at > at) {
        k->at = begin;
        k->counted = 0;
    }
    k->counted += count_lines(chunk, k->at, at);
    k->at = at;
    return k->lines + k->counted;
}

static fl_status add(fl_csv_keeper *k, const fl_csv_chunk *chunk, int64_t begin, int64_t end, int64_t at, int32_t col,
                     fl_str name, const char *kind, fl_str message, fl_err *err)
{
    const char *data = fl_text_piece_data(&chunk->text);
    int64_t len = end - begin < TEXT_BYTES_MAX ? end - begin : TEXT_BYTES_MAX;
    while (len > 0 && (data[begin + len - 1] == '\r' || data[begin + len - 1] == '\n'))
        len--;
    while (len > 0 && len < end - begin && !fl_utf8_is_valid(data + begin, len))
        len--;
    fl_reject reject = {.scan = k->kept->number,
                        .file = (int32_t)(k->file - k->kept->table->files),
                        .piece = k->piece,
                        .line = line_of(k, chunk, begin),
                        .line_at = chunk->text.offset + begin,
                        .at = chunk->text.offset + at,
                        .column = col,
                        .column_name = name,
                        .kind = kind,
                        .text = {data + begin, len},
                        .message = message};
    return fl_rejects_add(k->kept->log, &reject, err);
}

fl_status fl_csv_keep_uneven(fl_csv_keeper *k, const fl_csv_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_csv_table *table = k->kept->table;
    char message[128];
    for (int64_t i = 0; k->kept->log != NULL && i < chunk->n_skipped && st == FL_OK; i++) {
        const fl_csv_uneven *u = &chunk->uneven[i];
        bool has_more = u->fields > chunk->n_cols;
        int32_t col = has_more ? chunk->n_cols : u->fields;
        fl_str name = has_more ? (fl_str){0} : table->base.table.fields[col].name;
        snprintf(message, sizeof(message), "expected %d fields, found %d", chunk->n_cols, u->fields);
        st = add(k, chunk, u->begin, u->end, u->at, col, name, has_more ? "TOO MANY COLUMNS" : "MISSING COLUMNS",
                 fl_str_of(message), err);
    }
    return st;
}

fl_status fl_csv_keep_bad(void *keeper, const fl_csv_chunk *chunk, int64_t row, int32_t col, fl_str text, fl_err *err)
{
    fl_csv_keeper *k = keeper;
    const fl_field *field = &k->kept->table->base.table.fields[col];
    const char *data = fl_text_piece_data(&chunk->text);
    int64_t line = row + chunk->first, end = chunk->index.at[(line + 1) * chunk->n_cols - 1];
    int shown = (int)(text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES);
    while (shown > 0 && !fl_utf8_is_valid(text.data, shown))
        shown--;
    fl_text message;
    fl_text_init(&message, chunk->text.memory);
    fl_text_addf(&message, "\"%.*s\"%s is no ", shown, text.data, shown < text.len ? "..." : "");
    fl_type_print(&message, field->type);
    fl_text_addf(&message, " (column \"%.*s\")", FL_STR_ARG(field->name));
    fl_status st = fl_text_status(&message, err);
    if (st == FL_OK)
        st = add(k, chunk, chunk->starts[line], end, fl_csv_chunk_field(chunk, row, col).data - data, col, field->name,
                 "CAST", fl_text_str(&message), err);
    fl_text_drop(&message);
    return st;
}

int64_t fl_csv_keep_count(const fl_csv_keeper *k, const fl_csv_chunk *chunk)
{
    if (k->kept->log == NULL)
        return 0;
    fl_str own = fl_csv_chunk_own(chunk);
    int64_t lines = k->lines + fl_csv_kernels_choose()->count(own.data, own.len, chunk->newline);
    atomic_store(&k->kept->lines[k->piece], lines + 1);
    return lines;
}
