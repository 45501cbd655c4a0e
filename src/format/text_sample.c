/* Picking windows. They are as long as it takes to have the rows that are wanted of a place, as far as the rows that were looked
 * at for columns tell. */
#include "format/text_sample.h"

#define WINDOW_BYTES_MIN 4096
#define WINDOW_BYTES_MAX (32 << 10) /* that are read and parsed for a column, eight times */
#define LINE_BYTES_MAX (8 << 10)    /* windows of few lines tell little, and lines are read whole */
#define ROOM 1.25                   /* lines are cut off at both ends */

/* A number below n (≥ 1), the same ones on every machine. Places at even distances would all meet one phase of what recurs in a
 * file, so numbers must not follow from each other in a simple way (Steele, Lea & Flood 2014, "SplitMix"). */
static int64_t draw(uint64_t *random, int64_t n)
{
    uint64_t z = *random += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return (int64_t)((unsigned __int128)(z ^ z >> 31) * (uint64_t)n >> 64);
}

/* The files' lines one after the other. */
typedef struct lines {
    const fl_files_table *table;
    const fl_text_cutter *cutter;
    int64_t bytes;
    int64_t window_bytes;
    int32_t n_parts;
} lines;

static int64_t bytes_of(const lines *l, int32_t file)
{
    int64_t bytes = fl_text_file_bytes(&l->table->texts[file]) - l->cutter->start(l->cutter->ctx, file);
    return bytes > 0 ? bytes : 0;
}

static lines look(const fl_files_table *table, const fl_text_cutter *cutter)
{
    lines l = {.table = table, .cutter = cutter};
    for (int32_t f = 0; f < table->n_files; f++)
        l.bytes += bytes_of(&l, f);
    double line = table->table.rows >= 1 ? (double)l.bytes / table->table.rows : (double)l.bytes;
    double wanted = line * (FL_SAMPLE_ROWS_MAX / FL_SAMPLE_PLACES_MAX) * ROOM;
    l.window_bytes = wanted < WINDOW_BYTES_MIN   ? WINDOW_BYTES_MIN
                     : wanted > WINDOW_BYTES_MAX ? WINDOW_BYTES_MAX
                                                 : (int64_t)wanted;
    int64_t n = (l.bytes + l.window_bytes - 1) / l.window_bytes;
    l.n_parts = line > LINE_BYTES_MAX ? 0 : n < FL_SAMPLE_PLACES_MAX ? (int32_t)n : FL_SAMPLE_PLACES_MAX;
    return l;
}

/* The window that begins at byte `at` of all lines, or before it, where its file ends too early; not before `behind` ends. */
static fl_file_piece window_at(const lines *l, int64_t at, const fl_file_piece *behind)
{
    int32_t file = 0;
    for (; file < l->table->n_files - 1 && at >= bytes_of(l, file); file++)
        at -= bytes_of(l, file);
    int64_t start = l->cutter->start(l->cutter->ctx, file), end = fl_text_file_bytes(&l->table->texts[file]);
    int64_t begin = start + at + l->window_bytes <= end ? start + at : end - l->window_bytes;
    if (behind != NULL && behind->file == file && begin < behind->end)
        begin = behind->end;
    begin = begin < start ? start : begin;
    return (fl_file_piece){file, begin, begin + l->window_bytes < end ? begin + l->window_bytes : end};
}

static fl_status find(const lines *l, fl_text_windows *to, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t random = (uint64_t)l->bytes << 8;
    for (int32_t i = 0; i < l->n_parts; i++) {
        int64_t start = (int64_t)((fl_i128)l->bytes * i / l->n_parts);
        int64_t room = (int64_t)((fl_i128)l->bytes * (i + 1) / l->n_parts) - start - l->window_bytes;
        int64_t at = start + (room > 0 ? draw(&random, room) : 0);
        fl_file_piece piece = window_at(l, at, to->n > 0 ? &to->pieces[to->n - 1] : NULL);
        int32_t rows = 0;
        if (piece.begin < piece.end)
            FL_TRY(l->cutter->cut(l->cutter->ctx, &piece, &rows, err));
        if (rows == 0)
            continue;
        to->pieces[to->n] = piece;
        to->rows[to->n++] = rows;
    }
cleanup:
    return st;
}

/* Where all rows were counted there is nothing to estimate. */
static double estimate_rows(const lines *l, const fl_text_windows *windows)
{
    double rows = 0, bytes = 0;
    for (int32_t i = 0; i < windows->n; i++) {
        rows += windows->rows[i];
        bytes += (double)(windows->pieces[i].end - windows->pieces[i].begin);
    }
    bool tells = !l->table->has_counted && 2 * windows->n > FL_SAMPLE_PLACES_MAX;
    return tells ? rows * ((double)l->bytes / bytes) : l->table->table.rows;
}

fl_status fl_text_windows_find(fl_files_table *table, const fl_text_cutter *cutter, const fl_text_windows **ret,
                               fl_err *err)
{
    fl_status st = FL_OK;
    fl_text_windows *made = NULL;
    if (table->windows == NULL) {
        lines l = look(table, cutter);
        FL_TRY(FL_NEW(&table->sample.arena, &made, err));
        FL_TRY(find(&l, made, err));
        table->sample.rows = estimate_rows(&l, made);
        table->windows = made;
    }
    *ret = table->windows;
cleanup:
    return st;
}

int64_t fl_text_windows_rows_of(const fl_scan *scan, int64_t window)
{
    return ((const fl_file_scan *)scan)->windows->rows[window];
}
