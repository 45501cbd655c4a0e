/* Scans of files: made, cut into morsels, claimed. */
#include "format/file_scan.h"

#include "base/interrupt.h"
#include "format/text_sample.h"

void fl_file_scan_free(fl_scan *base)
{
    fl_file_scan *scan = (fl_file_scan *)base;
    fl_arena_drop(&scan->arena);
    fl_table_unref(&scan->table->table);
    fl_free(scan);
}

fl_status fl_file_scan_new(fl_table *table, const fl_scan_ops *ops, const fl_scan_request *request, int64_t bytes,
                           fl_file_scan **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file_scan *scan = NULL;
    FL_ASSERT(request->rows_max > 0);
    FL_TRY(fl_alloc_zero(request->memory, bytes, (void **)&scan, err));
    scan->scan.ops = ops;
    scan->scan.rows_total = (int64_t)table->rows;
    scan->table = (fl_files_table *)fl_table_ref(table);
    scan->memory = request->memory;
    fl_arena_init(&scan->arena, request->memory);
    scan->bounds = request->bounds;
    scan->n_slots = request->n_cols;
    scan->rows_max = request->rows_max;
    scan->is_sparse = request->is_sparse;
    FL_TRY(FL_NEW_ARRAY(&scan->arena, request->n_cols + 1, &scan->cols, err)); /* there may be none */
    for (int32_t i = 0; i < request->n_cols; i++) {
        FL_ASSERT(request->cols[i] >= 0 && request->cols[i] < table->n_cols);
        scan->cols[i] = request->cols[i];
    }
    FL_TRY(FL_NEW_ARRAY(&scan->arena, scan->table->n_files, &scan->cuts, err));
    *ret = scan;
    return FL_OK;
cleanup:
    if (scan != NULL)
        fl_file_scan_free(&scan->scan);
    return st;
}

void fl_file_scan_cut(fl_file_scan *scan, int32_t file, int64_t begin, bool is_whole)
{
    const fl_text_file *text = &scan->table->texts[file];
    int64_t bytes = fl_text_file_bytes(text) - begin;
    is_whole |= fl_text_file_is_stream(text);
    scan->scan.has_large_morsels |= is_whole;
    int64_t piece_bytes = is_whole && bytes > 0 ? bytes : scan->table->piece_bytes;
    scan->cuts[file] = (fl_file_cut){scan->n_morsels, begin, piece_bytes};
    scan->n_morsels += (bytes + piece_bytes - 1) / piece_bytes;
}

void fl_file_scan_cut_windows(fl_file_scan *scan, const fl_text_windows *windows)
{
    scan->windows = windows;
    scan->n_morsels = windows->n;
}

fl_status fl_file_scan_claim(fl_file_scan *scan, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    fl_status st = fl_interrupt_check(scan->memory->interrupt, err);
    if (st != FL_OK)
        return st;
    *ret_morsel = atomic_fetch_add(&scan->next, 1);
    *ret_any = *ret_morsel < scan->n_morsels;
    return FL_OK;
}

fl_file_piece fl_file_scan_piece(const fl_file_scan *scan, int64_t number)
{
    int32_t low = 0, high = scan->table->n_files - 1;
    if (scan->windows != NULL)
        return scan->windows->pieces[number];
    while (low < high) { /* the last file that begins at or before the piece; empty ones begin where the next does */
        int32_t middle = high - (high - low) / 2;
        if (scan->cuts[middle].first_piece <= number)
            low = middle;
        else
            high = middle - 1;
    }
    const fl_file_cut *cut = &scan->cuts[low];
    int64_t begin = cut->begin + (number - cut->first_piece) * cut->piece_bytes;
    int64_t bytes = fl_text_file_bytes(&scan->table->texts[low]);
    return (fl_file_piece){low, begin, begin + cut->piece_bytes < bytes ? begin + cut->piece_bytes : bytes};
}
