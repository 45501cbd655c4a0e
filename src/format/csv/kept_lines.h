/* store_rejects: lines that a scan leaves out, told to the session's log (format/rejects.h).
 *
 * A worker knows a line's place in its piece of the file. How many lines the pieces have is counted as they are read; where all before one
 * were, its lines have numbers when the scan ends. */
#ifndef FL_FORMAT_CSV_KEPT_LINES_H
#define FL_FORMAT_CSV_KEPT_LINES_H

#include "format/csv/bad_lines.h"
#include "format/file_scan.h"
#include "format/rejects.h"

typedef struct fl_csv_kept_lines {
    fl_rejects *log; /* NULL: nothing is kept */
    const fl_csv_table *table;
    const fl_file_scan *scan;
    int64_t number;         /* of the scan in the log */
    _Atomic int64_t *lines; /* of each piece and 1; 0: it was not read */
    int64_t *first_lines;
} fl_csv_kept_lines;

/* A worker at a chunk of a piece. */
typedef struct fl_csv_keeper {
    fl_csv_kept_lines *kept;
    int64_t piece;
    const fl_csv_file *file;
    int64_t lines;   /* of the piece, before the chunk */
    int64_t at;      /* in the chunk's text, up to where lines are counted; 0: to its beginning */
    int64_t counted; /* lines before `at` */
} fl_csv_keeper;

/** Where the table says so and there is a log. FL_ERR_MEMORY. */
fl_status fl_csv_keep_begin(fl_csv_kept_lines *kept, const fl_csv_table *table, fl_file_scan *scan, fl_err *err);

/** Gives the lines their numbers. May be called of one that was not begun. */
void fl_csv_keep_end(fl_csv_kept_lines *kept);

/** Tells the chunk's lines that have another number of fields; of one with a field that cannot be read (an fl_csv_on_bad). */
fl_status fl_csv_keep_uneven(fl_csv_keeper *keeper, const fl_csv_chunk *chunk, fl_err *err);
fl_status fl_csv_keep_bad(void *keeper, const fl_csv_chunk *chunk, int64_t row, int32_t col, fl_str text, fl_err *err);

/** Counts the chunk's lines to its piece; gives how many the piece has so far. */
int64_t fl_csv_keep_count(const fl_csv_keeper *keeper, const fl_csv_chunk *chunk);

#endif
