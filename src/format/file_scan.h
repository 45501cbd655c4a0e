/* A scan of a table of files: the columns wanted, and which worker takes which morsel.
 *
 * Readers put their own struct around fl_file_scan. Parquet numbers its row groups; text files are cut at fixed offsets
 * into pieces, whose lines are a morsel each:
 *
 *     fl_file_scan_cut(scan, f, begin)                   per file, in their order
 *     while (fl_file_scan_claim(scan, &any, &n, …), any)
 *         fl_file_scan_piece(scan, n)                    which bytes of which file
 *
 * A scan is shared by its workers: after it was made, only claim() changes it, atomically. */
#ifndef FL_FORMAT_FILE_SCAN_H
#define FL_FORMAT_FILE_SCAN_H

#include "format/files_table.h"

/* How a text file is cut. */
typedef struct fl_file_cut {
    int64_t first_piece;
    int64_t begin; /* of the first piece */
    int64_t piece_bytes;
} fl_file_cut;

typedef struct fl_file_scan {
    fl_scan scan;
    fl_files_table *table;
    fl_memory *memory; /* the query's */
    fl_arena arena;
    fl_scan_bounds *bounds;
    int32_t *cols; /* per slot: the table's column */
    int32_t n_slots;
    int32_t rows_max;
    bool is_sparse;
    fl_file_cut *cuts;                     /* per file */
    const struct fl_text_windows *windows; /* its morsels, where it is read for a sample; else NULL */
    int64_t n_morsels;
    _Atomic int64_t next; /* morsel to be claimed */
} fl_file_scan;

/* Bytes [begin, end) of a file. */
typedef struct fl_file_piece {
    int32_t file;
    int64_t begin, end;
} fl_file_piece;

/** Makes a scan in `bytes` cleared bytes that begin with a fl_file_scan; it has no morsels yet. */
fl_status fl_file_scan_new(fl_table *table, const fl_scan_ops *ops, const fl_scan_request *request, int64_t bytes,
                           fl_file_scan **ret, fl_err *err);

/** fl_scan_ops.free, for readers whose scan owns nothing but the arena. */
void fl_file_scan_free(fl_scan *scan);

/** Adds the file's pieces, from `begin` on; `is_whole`, and where it is a stream: one piece, however long. */
void fl_file_scan_cut(fl_file_scan *scan, int32_t file, int64_t begin, bool is_whole);

/** Makes the windows of a sample its morsels. */
void fl_file_scan_cut_windows(fl_file_scan *scan, const struct fl_text_windows *windows);

/** Takes the next morsel; *ret_any is false when none is left. FL_ERR_CANCELLED and FL_ERR_TIMEOUT. */
fl_status fl_file_scan_claim(fl_file_scan *scan, bool *ret_any, int64_t *ret_morsel, fl_err *err);

fl_file_piece fl_file_scan_piece(const fl_file_scan *scan, int64_t number);

#endif
