/* Tables of files in tests and fuzz targets: bytes opened as a file in memory, and what a scan of them gives.
 *
 * What must hold of every reader is checked here: where pieces begin is no matter of content, and a call that fails says
 * why and leaves nothing behind. A check that does not hold says so and aborts, which ends a unit test as well as a
 * fuzzer. */
#ifndef FLETCH_TEST_TABLE_ROWS_H
#define FLETCH_TEST_TABLE_ROWS_H

#include "base/text.h"
#include "plan/table.h"

/* A file that is read, and how. */
typedef struct table_source {
    const fl_format_desc *format;
    const void *data;
    int64_t bytes;
    const fl_option *options;
    int32_t n_options;
} table_source;

/* How a table is scanned, by one worker. */
typedef struct table_scan {
    int32_t rows_max;
    int64_t piece_bytes; /* of text files; 0: as the reader has it */
    const fl_scan_bound *bounds;
    int32_t n_bounds;
    int32_t cols_max;                                /* columns that are read; 0: all */
    int64_t batches_max;                             /* 0: all */
    int64_t every;                                   /* a column is read in one batch of so many; 0: in all */
    void (*after_batch)(void *ctx, int64_t batches); /* may be NULL */
    void *ctx;
} table_scan;

/* What a scan gives. */
typedef struct table_rows {
    int64_t rows;
    int64_t pruned; /* morsels */
    bool is_passed; /* the scan counted as many rows as it has */
    uint64_t hash;  /* over all values in order */
    fl_text *text;  /* all values as text: "1|x\n"; may be NULL */
} table_rows;

/** A file in memory: its descriptor, to be closed; `path` names it as long as it is open. */
int table_file_new(const void *data, int64_t bytes, char path[64]);

/** Opens the bytes as a file. */
fl_status table_open(const table_source *source, fl_memory *memory, fl_table **ret, fl_err *err);

/** Scans a table; adds to what is in *ret. */
fl_status table_scan_rows(fl_table *table, const table_scan *scan, fl_memory *memory, table_rows *ret, fl_err *err);

/** Checks names, types and rows: "a bigint, b text\n1|x\n". */
void table_check_text(const table_source *source, const char *wanted, fl_memory *memory);

/** Checks that opening or scanning fails with a SQLSTATE at a place of the file. */
void table_check_fails(const table_source *source, const char *sqlstate, int64_t line, int64_t column,
                       fl_memory *memory);

/** Checks that pieces of every size up to `piece_bytes_max` give the rows that the whole file gives. */
void table_check_pieces(const table_source *source, int64_t piece_bytes_max, fl_memory *memory);

/** Checks (R17, R18) that when the n-th allocation, open or read fails, for n = 1, 2, … until nothing is left to fail,
 *  the code fits, a message is there, and no memory stays in use. */
void table_check_faults(const table_source *source, const table_scan *scan, fl_memory *memory);

/** A fuzz target of a reader of text: any bytes, under options that the first one chooses (at most 8). */
void table_fuzz_text(const fl_format_desc *format, int32_t (*choose_options)(uint8_t choice, fl_option *ret),
                     const uint8_t *data, size_t bytes);

#endif
