/* Scanning JSON: chunks of lines in parallel, or whole files where they cannot be cut; records parsed a batch at a time.
 *
 * A batch's records are parsed when it begins, whichever columns are wanted, so that broken JSON never passes; their values
 * are put in order by column, and made vectors of when a column is read. Where a column wants numbers as they are written,
 * the batch is read and parsed once more, with all numbers as texts: few columns do, and parsing to doubles is fast. */
#include "base/interrupt.h"
#include "format/file_scan.h"
#include "format/json/build.h"
#include "format/json/table.h"

typedef struct json_worker {
    fl_scan_worker base;
    fl_json_chunk chunk;
    const fl_json_source *source; /* of the chunk */
    fl_arena records;             /* trees and vectors of the batch */
    fl_arena own;
    yyjson_val ***values; /* per column of the table: a value a row, or NULL where the column is not wanted */
    int32_t room;         /* rows that they have room for */
    int64_t begin, end;   /* of the chunk; of a stream `end` may lie behind the text's */
    int64_t row;          /* the batch's first, in the chunk */
    int32_t rows;         /* of the batch */
    fl_json_chunk again;  /* the same chunk, for records that are parsed so that numbers keep their digits: */
    yyjson_val ***exact;  /* their values, as `values`; NULL: none of the batch yet */
    uint64_t *is_exact;   /* rows of the batch that were parsed so */
} json_worker;

static const fl_file_scan *scan_of(const json_worker *w)
{
    return (const fl_file_scan *)w->base.scan;
}

static const fl_json_table *table_of(const json_worker *w)
{
    return (const fl_json_table *)scan_of(w)->table;
}

static const fl_scan_ops scan_ops;

/* windows: what is read alone; NULL: all of the files. */
static fl_status make_scan(fl_table *base, const fl_scan_request *request, const fl_text_windows *windows,
                           fl_scan **ret, fl_err *err)
{
    const fl_json_table *table = (const fl_json_table *)base;
    fl_file_scan *scan = NULL;
    fl_status st = fl_file_scan_new(base, &scan_ops, request, (int64_t)sizeof(*scan), &scan, err);
    if (st != FL_OK)
        return st;
    if (windows != NULL)
        fl_file_scan_cut_windows(scan, windows);
    for (int32_t f = 0; windows == NULL && f < table->base.n_files; f++) {
        bool is_whole = table->sources[f].layout != FL_JSON_LINES;
        fl_file_scan_cut(scan, f, table->sources[f].start, is_whole);
    }
    *ret = &scan->scan;
    return FL_OK;
}

fl_status fl_json_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    return make_scan(table, request, NULL, ret, err);
}

fl_status fl_json_sample_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    const fl_text_windows *windows = NULL;
    fl_status st = fl_json_find_windows((fl_json_table *)table, request->memory, &windows, err);
    return st == FL_OK ? make_scan(table, request, windows, ret, err) : st;
}

static void worker_free(fl_scan_worker *base)
{
    json_worker *w = (json_worker *)base;
    fl_json_chunk_drop(&w->chunk);
    fl_json_chunk_drop(&w->again);
    fl_arena_drop(&w->records);
    fl_arena_drop(&w->own);
    fl_free(w);
}

static fl_status worker_new(fl_scan *base, fl_memory *memory, fl_scan_worker **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_file_scan *scan = (const fl_file_scan *)base;
    json_worker *w = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*w), (void **)&w, err));
    w->base.scan = base;
    fl_json_chunk_init(&w->chunk, memory);
    fl_json_chunk_init(&w->again, memory);
    fl_arena_init(&w->records, memory);
    fl_arena_init(&w->own, memory);
    FL_TRY(FL_NEW_ARRAY(&w->own, scan->table->table.n_cols, &w->values, err));
    *ret = &w->base;
    return FL_OK;
cleanup:
    if (w != NULL)
        worker_free(&w->base);
    return st;
}

static fl_status load_chunk(json_worker *w, fl_json_chunk *chunk, fl_err *err)
{
    if (w->source->layout != FL_JSON_LINES)
        return fl_json_chunk_read_whole(chunk, w->source, err);
    return fl_json_chunk_read_lines(chunk, w->source, w->begin, w->end, err);
}

/* Whether the chunk is one of several of a morsel, and another one follows. */
static bool has_more(const json_worker *w)
{
    return w->source->layout == FL_JSON_LINES && fl_text_file_is_stream(w->source->file) &&
           w->end < fl_text_file_bytes(w->source->file);
}

/* A stream's next chunks, up to one with records, or to its end. */
static fl_status load_on(json_worker *w, fl_err *err)
{
    fl_status st = FL_OK;
    do {
        w->begin = w->end;
        w->end = w->begin + table_of(w)->base.piece_bytes;
        FL_TRY(fl_interrupt_check(scan_of(w)->memory->interrupt, err));
        FL_TRY(load_chunk(w, &w->chunk, err));
    } while (w->chunk.count == 0 && has_more(w));
cleanup:
    return st;
}

static fl_status load_morsel(json_worker *w, int64_t number, fl_err *err)
{
    fl_file_piece piece = fl_file_scan_piece(scan_of(w), number);
    w->source = &table_of(w)->sources[piece.file];
    w->begin = piece.begin;
    w->end = piece.end;
    if (w->source->layout != FL_JSON_LINES || !fl_text_file_is_stream(w->source->file))
        return load_chunk(w, &w->chunk, err);
    w->end = w->begin;
    return load_on(w, err);
}

static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    fl_status st = FL_OK;
    json_worker *w = (json_worker *)base;
    w->row = w->rows = 0;
    do {
        FL_TRY(fl_file_scan_claim((fl_file_scan *)base->scan, ret_any, ret_morsel, err));
        if (*ret_any)
            FL_TRY(load_morsel(w, *ret_morsel, err));
    } while (*ret_any && w->chunk.count == 0);
cleanup:
    return st;
}

/* A key that no record of the sample had would be lost. */
static fl_status fail_key(const json_worker *w, yyjson_val *key, fl_err *err)
{
    fl_str name = fl_json_text(key);
    fl_err complaint;
    int shown = (int)(name.len < 80 ? name.len : 80);
    FL_FAIL(&complaint, FL_ERR_COLUMN, "the key \"%.*s\" is in none of the records that were looked at for columns",
            shown, name.data);
    fl_err_hint(&complaint, "sample_size = -1 looks at all records, columns = {'%.*s': 'text', ...} names those wanted",
                shown, name.data);
    return fl_json_fail_at(w->source, fl_text_piece_offset(&w->chunk.text, name.data) - 1, &complaint, err);
}

/* Room for a value a row of each column that is wanted. */
static fl_status make_room(const json_worker *w, fl_arena *arena, int32_t rows, yyjson_val ***values, fl_err *err)
{
    const fl_file_scan *scan = scan_of(w);
    yyjson_val **block = NULL;
    fl_status st = FL_NEW_ARRAY(arena, (int64_t)scan->n_slots * rows, &block, err);
    for (int32_t i = 0; i < scan->n_slots && st == FL_OK; i++)
        values[scan->cols[i]] = block + (int64_t)i * rows;
    return st;
}

/* Puts a record's values in their columns; the last of equal keys counts. */
static fl_status spread_record(const json_worker *w, int32_t row, yyjson_val *record, yyjson_val ***values, fl_err *err)
{
    const fl_json_table *table = table_of(w);
    int32_t at = 0, n = table->base.table.n_cols;
    yyjson_obj_iter iter = yyjson_obj_iter_with(record);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        int32_t col = fl_json_find_name(table->keys, &table->index, n, at, fl_json_text(key));
        if (col < 0 && table->columns.fields == NULL)
            return fail_key(w, key, err);
        if (col >= 0 && values[col] != NULL)
            values[col][row] = yyjson_obj_iter_get_val(key);
        at = col + 1;
    }
    return FL_OK;
}

static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    json_worker *w = (json_worker *)base;
    const fl_file_scan *scan = scan_of(w);
    w->row += w->rows;
    if (w->row == w->chunk.count && has_more(w)) {
        FL_TRY(load_on(w, err));
        w->row = 0;
    }
    int64_t left = w->chunk.count - w->row;
    w->rows = (int32_t)(left < scan->rows_max ? left : scan->rows_max);
    fl_arena_reset(&w->records);
    w->exact = NULL;
    if (w->rows > w->room) { /* twice as many each time, up to whole batches: records may have 100,000 keys */
        int32_t room = w->room * 2 > w->rows ? w->room * 2 : w->rows;
        w->room = room < scan->rows_max ? room : scan->rows_max;
        FL_TRY(make_room(w, &w->own, w->room, w->values, err));
    }
    for (int32_t i = 0; i < scan->n_slots; i++)
        memset(w->values[scan->cols[i]], 0, (size_t)w->rows * sizeof(yyjson_val *));
    for (int32_t row = 0; row < w->rows; row++) {
        yyjson_val *record = NULL;
        FL_TRY(fl_json_parse(&w->chunk, w->source, w->row + row, false, &w->records, &record, err));
        FL_TRY(spread_record(w, row, record, w->values, err));
    }
    atomic_fetch_add_explicit(&base->scan->rows_done, w->rows, memory_order_relaxed);
    *ret_rows = w->rows;
cleanup:
    return st;
}

/* The column's values of the batch once more, with numbers as they are written. Rows are parsed for the first column that wants
 * them and kept for others. */
static fl_status parse_again(json_worker *w, int32_t col, const uint64_t *mask, yyjson_val **values, fl_err *err)
{
    fl_status st = FL_OK;
    if (w->exact == NULL) {
        FL_TRY(load_chunk(w, &w->again, err));
        if (w->again.count != w->chunk.count)
            return FL_FAIL(err, FL_ERR_IO, "\"%s\" changed while it was read", w->source->file->file->path);
        FL_TRY(FL_NEW_ARRAY(&w->records, fl_bitmap_words(w->rows), &w->is_exact, err));
        FL_TRY(FL_NEW_ARRAY(&w->records, scan_of(w)->table->table.n_cols, &w->exact, err));
        FL_TRY(make_room(w, &w->records, w->rows, w->exact, err));
    }
    for (int32_t row = 0; row < w->rows; row++) {
        yyjson_val *record = NULL;
        values[row] = NULL;
        if (mask != NULL && !fl_bit_get(mask, row))
            continue;
        if (!fl_bit_get(w->is_exact, row)) {
            FL_TRY(fl_json_parse(&w->again, w->source, w->row + row, true, &w->records, &record, err));
            FL_TRY(spread_record(w, row, record, w->exact, err));
            fl_bit_set(w->is_exact, row);
        }
        values[row] = w->exact[col][row];
    }
cleanup:
    return st;
}

static bool is_misfit(fl_status st)
{
    return st == FL_ERR_VALUE || st == FL_ERR_RANGE || st == FL_ERR_COLUMN;
}

/* Says where the value lies: a text's and a number's place is known, any other's is that of its key's value. */
static fl_status fail_misfit(json_worker *w, int32_t col, const fl_json_chunk *chunk, fl_json_misfit *misfit,
                             fl_err *err)
{
    int64_t at = 0;
    if (misfit->text != NULL) {
        at = fl_text_piece_offset(&chunk->text, misfit->text) - (misfit->is_string ? 1 : 0);
    } else {
        fl_status st = load_chunk(w, &w->again, err);
        if (st != FL_OK)
            return st;
        at = fl_json_find_key(&w->again, w->row + misfit->row, table_of(w)->keys[col]);
    }
    if (table_of(w)->columns.fields == NULL)
        fl_err_hint(&misfit->complaint,
                    "the first records have another type there; sample_size = -1 looks at all of them");
    return fl_json_fail_at(w->source, at, &misfit->complaint, err);
}

static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    json_worker *w = (json_worker *)base;
    int32_t col = scan_of(w)->cols[slot];
    const fl_field *field = &scan_of(w)->table->table.fields[col];
    bool is_guessed = table_of(w)->columns.fields == NULL;
    fl_json_misfit misfit;
    yyjson_val **values = w->values[col], **exact = NULL;
    if (mask != NULL) { /* what is not wanted is NULL, which costs nothing */
        FL_TRY(FL_NEW_ARRAY(&w->records, w->rows, &values, err));
        for (int32_t row = 0; row < w->rows; row++)
            values[row] = fl_bit_get(mask, row) ? w->values[col][row] : NULL;
    }
    st = fl_json_build(&w->records, field, is_guessed, values, w->rows, ret, &misfit, err);
    if (is_misfit(st) && (misfit.needs_digits || misfit.text == NULL)) { /* texts of numbers, or their places */
        FL_TRY(FL_NEW_ARRAY(&w->records, w->rows, &exact, err));
        FL_TRY(parse_again(w, col, mask, exact, err));
        st = fl_json_build(&w->records, field, is_guessed, exact, w->rows, ret, &misfit, err);
    }
    if (is_misfit(st))
        st = fail_misfit(w, col, exact != NULL ? &w->again : &w->chunk, &misfit, err);
cleanup:
    return st;
}

static const fl_scan_ops scan_ops = {.worker_new = worker_new,
                                     .worker_free = worker_free,
                                     .claim = claim,
                                     .next = next,
                                     .read = read,
                                     .free = fl_file_scan_free};
