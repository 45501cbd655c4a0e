/* Scanning JSON: chunks of lines in parallel, or whole files where they cannot be cut; records parsed a batch at a time.
 *
 * A batch's records are parsed when it begins, whichever columns are wanted, so that broken JSON never passes; their values
 * are put in order by column, and made vectors of when a column is read. */
#include "format/json/build.h"
#include "format/json/table.h"

typedef struct json_scan {
    fl_scan base;
    fl_json_table *table;
    fl_arena arena;
    int32_t *cols;
    int32_t n_slots;
    int32_t rows_max;
    int64_t n_chunks;
    int64_t *first_chunk; /* per file, and the end */
    _Atomic int64_t next;
    _Atomic bool is_checked; /* whether the files were compared with what they were when opened */
} json_scan;

typedef struct json_worker {
    fl_scan_worker base;
    fl_json_chunk chunk;
    const fl_json_source *source; /* of the chunk */
    fl_arena records;             /* trees and vectors of the batch */
    fl_arena own;
    yyjson_val ***values; /* per column of the table: a value a row, or NULL where the column is not wanted */
    int64_t row;          /* the batch's first, in the chunk */
    int32_t rows;         /* of the batch */
} json_worker;

static json_scan *scan_of(const json_worker *w)
{
    return (json_scan *)w->base.scan;
}

static void scan_free(fl_scan *base)
{
    json_scan *scan = (json_scan *)base;
    fl_arena_drop(&scan->arena);
    fl_table_unref(&scan->table->base);
    fl_free(scan);
}

static const fl_scan_ops scan_ops;

fl_status fl_json_scan_new(fl_table *base, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    fl_status st = FL_OK;
    json_scan *scan = NULL;
    fl_json_table *table = (fl_json_table *)base;
    FL_ASSERT(request->rows_max > 0);
    FL_TRY(fl_alloc_zero(request->memory, (int64_t)sizeof(*scan), (void **)&scan, err));
    scan->base.ops = &scan_ops;
    scan->base.rows_total = (int64_t)base->rows;
    scan->table = (fl_json_table *)fl_table_ref(base);
    fl_arena_init(&scan->arena, request->memory);
    scan->rows_max = request->rows_max;
    scan->n_slots = request->n_cols;
    FL_TRY(FL_NEW_ARRAY(&scan->arena, request->n_cols, &scan->cols, err));
    for (int32_t i = 0; i < request->n_cols; i++)
        scan->cols[i] = request->cols[i];
    FL_TRY(FL_NEW_ARRAY(&scan->arena, table->n_sources + 1, &scan->first_chunk, err));
    for (int32_t f = 0; f < table->n_sources; f++) {
        const fl_json_source *source = &table->sources[f];
        int64_t bytes = source->file->bytes - source->start;
        scan->first_chunk[f] = scan->n_chunks;
        scan->n_chunks +=
            source->layout == FL_JSON_LINES ? (bytes + table->chunk_bytes - 1) / table->chunk_bytes : bytes > 0;
    }
    scan->first_chunk[table->n_sources] = scan->n_chunks;
    *ret = &scan->base;
    return FL_OK;
cleanup:
    if (scan != NULL)
        scan_free(&scan->base);
    return st;
}

static void worker_free(fl_scan_worker *base)
{
    json_worker *w = (json_worker *)base;
    fl_json_chunk_drop(&w->chunk);
    fl_arena_drop(&w->records);
    fl_arena_drop(&w->own);
    fl_free(w);
}

static fl_status worker_new(fl_scan *base, fl_memory *memory, fl_scan_worker **ret, fl_err *err)
{
    fl_status st = FL_OK;
    json_scan *scan = (json_scan *)base;
    json_worker *w = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*w), (void **)&w, err));
    w->base.scan = base;
    fl_json_chunk_init(&w->chunk, memory);
    fl_arena_init(&w->records, memory);
    fl_arena_init(&w->own, memory);
    FL_TRY(FL_NEW_ARRAY(&w->own, scan->table->base.n_cols, &w->values, err));
    for (int32_t i = 0; i < scan->n_slots; i++)
        if (w->values[scan->cols[i]] == NULL)
            FL_TRY(FL_NEW_ARRAY(&w->own, scan->rows_max, &w->values[scan->cols[i]], err));
    *ret = &w->base;
    return FL_OK;
cleanup:
    if (w != NULL)
        worker_free(&w->base);
    return st;
}

static fl_status load_chunk(json_worker *w, int64_t chunk, fl_err *err)
{
    json_scan *scan = scan_of(w);
    const fl_json_table *table = scan->table;
    int32_t f = 0;
    while (chunk >= scan->first_chunk[f + 1])
        f++;
    w->source = &table->sources[f];
    if (w->source->layout != FL_JSON_LINES)
        return fl_json_chunk_read_whole(&w->chunk, w->source, err);
    int64_t begin = w->source->start + (chunk - scan->first_chunk[f]) * table->chunk_bytes,
            bytes = w->source->file->bytes;
    int64_t end = begin + table->chunk_bytes < bytes ? begin + table->chunk_bytes : bytes;
    return fl_json_chunk_read_lines(&w->chunk, w->source, begin, end, err);
}

/* The workers are at the end: were the files the same all the time? */
static fl_status check_files(json_scan *scan, fl_err *err)
{
    if (atomic_exchange(&scan->is_checked, true))
        return FL_OK;
    for (int32_t f = 0; f < scan->table->n_sources; f++) {
        fl_status st = fl_file_check_same(scan->table->sources[f].file, err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    json_worker *w = (json_worker *)base;
    json_scan *scan = scan_of(w);
    w->row = w->rows = 0;
    for (;;) {
        int64_t chunk = atomic_fetch_add(&scan->next, 1);
        if (chunk >= scan->n_chunks) {
            *ret_any = false;
            return check_files(scan, err);
        }
        fl_status st = load_chunk(w, chunk, err);
        if (st != FL_OK)
            return st;
        if (w->chunk.count == 0)
            continue;
        *ret_any = true;
        *ret_morsel = chunk;
        return FL_OK;
    }
}

static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    json_worker *w = (json_worker *)base;
    json_scan *scan = scan_of(w);
    const fl_table *table = &scan->table->base;
    w->row += w->rows;
    int64_t left = w->chunk.count - w->row;
    w->rows = (int32_t)(left < scan->rows_max ? left : scan->rows_max);
    fl_arena_reset(&w->records);
    for (int32_t i = 0; i < scan->n_slots; i++)
        memset(w->values[scan->cols[i]], 0, (size_t)w->rows * sizeof(yyjson_val *));
    for (int32_t row = 0; row < w->rows; row++) {
        yyjson_val *record = NULL;
        FL_TRY(fl_json_parse(&w->chunk, w->source, w->row + row, &w->records, &record, err));
        fl_json_spread(table->fields, table->n_cols, record, w->values, row);
    }
    atomic_fetch_add_explicit(&scan->base.rows_done, w->rows, memory_order_relaxed);
    *ret_rows = w->rows;
cleanup:
    return st;
}

static fl_status fail_misfit(const json_worker *w, fl_json_misfit *misfit, fl_err *err)
{
    const json_scan *scan = scan_of(w);
    int64_t at = w->chunk.offset + w->chunk.records[w->row + misfit->row].start;
    if (misfit->text != NULL)
        at = fl_json_chunk_offset(&w->chunk, misfit->text);
    if (!scan->table->has_columns)
        fl_err_hint(&misfit->complaint,
                    "the first records have another type there; sample_size = -1 looks at all of them");
    return fl_json_fail_at(w->source, at, &misfit->complaint, err);
}

static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    json_worker *w = (json_worker *)base;
    const json_scan *scan = scan_of(w);
    int32_t col = scan->cols[slot];
    fl_json_misfit misfit;
    yyjson_val **values = w->values[col];
    if (mask != NULL) { /* what is not wanted is NULL, which costs nothing */
        fl_status st = FL_NEW_ARRAY(&w->records, w->rows, &values, err);
        if (st != FL_OK)
            return st;
        for (int32_t row = 0; row < w->rows; row++)
            values[row] = fl_bit_get(mask, row) ? w->values[col][row] : NULL;
    }
    fl_status st = fl_json_build(&w->records, &scan->table->base.fields[col], values, w->rows, ret, &misfit, err);
    return st == FL_ERR_VALUE || st == FL_ERR_RANGE ? fail_misfit(w, &misfit, err) : st;
}

static const fl_scan_ops scan_ops = {.worker_new = worker_new,
                                     .worker_free = worker_free,
                                     .claim = claim,
                                     .next = next,
                                     .read = read,
                                     .free = scan_free};
