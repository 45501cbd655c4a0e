/* Lines of files that were left out (store_rejects), kept for whoever asks for them: a session's log, to which budgets lead.
 *
 * Workers add lines by their place in a piece of the file, as they find them; what line of the file that is is known when the pieces before
 * are counted, and said at the scan's end. Thread-safe. The log holds a bounded number of lines; what comes behind is counted alone. */
#ifndef FL_FORMAT_REJECTS_H
#define FL_FORMAT_REJECTS_H

#include "base/arena.h"
#include "base/str.h"

#define FL_REJECTS_MAX 100000

typedef struct fl_reject {
    struct fl_reject *next;
    int64_t scan;
    int32_t file;
    int64_t piece;       /* of the scan; negative: `line` is the file's */
    int64_t line;        /* within the piece, from 0; then of the file, from 1. Negative: not known */
    int64_t line_at, at; /* bytes of the file before the line and before the fault */
    int32_t column;      /* from 0 */
    fl_str column_name;  /* data NULL: none */
    const char *kind;    /* "CAST", "MISSING COLUMNS", "TOO MANY COLUMNS" */
    fl_str text;         /* the line */
    fl_str message;
} fl_reject;

/* A file of a scan that keeps what it leaves out. */
typedef struct fl_reject_file {
    struct fl_reject_file *next;
    int64_t scan;
    int32_t file;
    fl_str path, delim, quote, escape, newline, columns, date_format, timestamp_format, options;
    int64_t skipped;
    bool has_header;
} fl_reject_file;

typedef struct fl_rejects fl_rejects;

fl_status fl_rejects_new(fl_memory *memory, fl_rejects **ret, fl_err *err);
void fl_rejects_free(fl_rejects *log);

/** The number of a scan that begins. */
int64_t fl_rejects_begin(fl_rejects *log);

/** Adds a copy. What is beyond FL_REJECTS_MAX is left out. FL_ERR_MEMORY. */
fl_status fl_rejects_add(fl_rejects *log, const fl_reject *reject, fl_err *err);
fl_status fl_rejects_add_file(fl_rejects *log, const fl_reject_file *file, fl_err *err);

/** The scan ends: first_lines[p] is the file's line that piece p begins in, negative where that is not known. */
void fl_rejects_end(fl_rejects *log, int64_t scan, const int64_t *first_lines);

/** Calls `each` for all that there is, in order of scans and, within them, as they were added. */
fl_status fl_rejects_each(fl_rejects *log, fl_status (*each)(void *ctx, const fl_reject *reject, fl_err *err),
                          void *ctx, fl_err *err);
fl_status fl_rejects_each_file(fl_rejects *log, fl_status (*each)(void *ctx, const fl_reject_file *file, fl_err *err),
                               void *ctx, fl_err *err);

#endif
