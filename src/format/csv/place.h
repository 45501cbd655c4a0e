/* Where and why a CSV file is broken: exact lines and columns, found by reading from the start again.
 *
 * Scans work in pieces and at speed, and only notice that something is wrong. What is told to people comes from here: the
 * first fault in the file's order, by a plain state machine, byte for byte. Lines count LFs (CRs where they end lines)
 * from 1, also those inside of quotes; columns count bytes from 1. */
#ifndef FL_FORMAT_CSV_PLACE_H
#define FL_FORMAT_CSV_PLACE_H

#include "format/csv/dialect.h"
#include "format/text_file.h"

typedef struct fl_csv_layout {
    fl_csv_dialect dialect;
    int64_t start;   /* offset of the first line: behind a byte order mark and what is skipped */
    int64_t skipped; /* lines before it */
    int32_t n_cols;  /* fields that a line must have */
    bool pads;       /* a line may have fewer: the others are empty */
    bool skips;      /* lines with another number are left out, */
    bool keeps;      /* and told */
} fl_csv_layout;

/** Fills `err` with the first fault of structure (ragged line, quotes, NUL byte) that begins before `offset`, or, where
 *  there is none, with `complaint` at the place of `offset`. Gives the code back. FL_ERR_IO when the file cannot be read.
 *  Cost: O(offset). */
fl_status fl_csv_fail_at(fl_text_file *file, const fl_csv_layout *layout, int64_t offset, const fl_err *complaint,
                         fl_err *err) __attribute__((cold));

/** Fills `err` with the first fault of structure in the whole file. Cost: O(file). */
fl_status fl_csv_fail_structure(fl_text_file *file, const fl_csv_layout *layout, fl_err *err);

#endif
