/* Where a sample of text files is read: windows of whole lines, one of each of up to 8 parts of the files that have as many bytes.
 *
 * Where a line begins is for the reader to say (fl_text_cutter); a window that it cannot cut is left out. They are found once a
 * table, with the lock of its sample held, and tell how many rows there are: those of a byte of the windows. */
#ifndef FL_FORMAT_TEXT_SAMPLE_H
#define FL_FORMAT_TEXT_SAMPLE_H

#include "format/file_scan.h"

typedef struct fl_text_windows {
    int32_t n;
    fl_file_piece pieces[FL_SAMPLE_PLACES_MAX]; /* a line begins where each does, and ends where it ends */
    int32_t rows[FL_SAMPLE_PLACES_MAX];         /* in them, at least 1 */
} fl_text_windows;

typedef struct fl_text_cutter {
    void *ctx;
    /** Where the lines of a file begin. */
    int64_t (*start)(const void *ctx, int32_t file);
    /** Cuts the piece to the whole lines in it and counts its rows; 0: it cannot. What is wrong with the file is for its scan to
     *  tell: FL_ERR_MEMORY, FL_ERR_IO, FL_ERR_CANCELLED, FL_ERR_TIMEOUT. */
    fl_status (*cut)(void *ctx, fl_file_piece *piece, int32_t *ret_rows, fl_err *err);
} fl_text_cutter;

/** The table's windows; found at the first call. */
fl_status fl_text_windows_find(fl_files_table *table, const fl_text_cutter *cutter, const fl_text_windows **ret,
                               fl_err *err);

/** fl_file_sampling.rows_of of a scan of windows. */
int64_t fl_text_windows_rows_of(const fl_scan *scan, int64_t window);

#endif
