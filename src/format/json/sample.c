/* Windows of JSON files: a newline ends a record wherever it stands, in files that have a record a line. Others have no windows. */
#include "format/json/records.h"
#include "format/json/table.h"

typedef struct cutting {
    const fl_json_table *table;
    fl_json_chunk chunk;
} cutting;

static int64_t start_of(const void *ctx, int32_t file)
{
    const fl_json_source *source = &((const cutting *)ctx)->table->sources[file];
    return source->layout == FL_JSON_LINES && !fl_text_file_is_stream(source->file) ? source->start
                                                                                    : FL_TEXT_BYTES_UNKNOWN;
}

static fl_status cut(void *ctx, fl_file_piece *piece, int32_t *ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    cutting *c = ctx;
    const fl_json_source *source = &c->table->sources[piece->file];
    const fl_text_piece *text = &c->chunk.text;
    *ret_rows = 0;
    FL_TRY(fl_text_piece_read(&c->chunk.text, source->file, piece->begin, piece->end, err));
    const char *begin = fl_text_piece_data(text) + (piece->begin - text->offset),
               *end = begin + (piece->end - piece->begin);
    const char *first = piece->begin == source->start ? begin : memchr(begin, '\n', (size_t)(end - begin));
    const char *last = memrchr(begin, '\n', (size_t)(end - begin));
    if (first == NULL || last == NULL || first == last)
        return FL_OK;
    first += piece->begin == source->start ? 0 : 1;
    *piece = (fl_file_piece){piece->file, fl_text_piece_offset(text, first), fl_text_piece_offset(text, last) + 1};
    FL_TRY(fl_json_chunk_read_lines(&c->chunk, source, piece->begin, piece->end, err));
    *ret_rows = (int32_t)c->chunk.count;
cleanup:
    return st;
}

fl_status fl_json_find_windows(fl_json_table *table, fl_memory *memory, const fl_text_windows **ret, fl_err *err)
{
    cutting c = {.table = table};
    fl_text_cutter cutter = {.ctx = &c, .start = start_of, .cut = cut};
    fl_json_chunk_init(&c.chunk, memory);
    fl_status st = fl_text_windows_find(&table->base, &cutter, ret, err);
    fl_json_chunk_drop(&c.chunk);
    return st;
}
