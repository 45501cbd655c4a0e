/* A table of one or several files: opening them, its name and version, what scans share with it.
 *
 * A reader (Parquet, CSV, JSON) puts its own struct around fl_files_table and says the rest in a fl_files_reader; its
 * fl_format_desc.open is one call of fl_files_table_open. Every read of a file compares it with what it was when the
 * table was opened (fl_file_read_at): a table never has rows of two states of a file. A table may outlive the statement
 * that opened it (format/files_cache.h): its memory is a budget of its own, which can be put below another one. */
#ifndef FL_FORMAT_FILES_TABLE_H
#define FL_FORMAT_FILES_TABLE_H

#include "base/file.h"
#include "format/file_sample.h"
#include "format/options.h"
#include "format/text_file.h"

typedef struct fl_files_table {
    fl_table table;
    fl_memory memory; /* all that the table keeps; below what it was opened with */
    fl_arena arena;
    fl_file **files;
    fl_text_file *texts; /* per file, where they are text; `learn` makes them */
    int32_t n_files;
    const fl_option *options; /* as they were given */
    int32_t n_options;
    const fl_file_sampling *sampling;
    fl_file_sample sample;
    bool has_counted; /* table.rows is no estimate */
    const struct fl_text_windows
        *windows;        /* of a sample of text files (format/text_sample.h); the sample's lock guards it */
    int64_t piece_bytes; /* of a text file: what its morsels are cut to. Tests make it small */
} fl_files_table;

typedef struct fl_files_reader {
    const fl_format_desc *format;
    const fl_table_ops *ops;
    const fl_option_desc *options; /* offsets are those in the reader's table */
    int64_t n_options;
    int64_t table_bytes;  /* of the reader's table */
    const void *defaults; /* a table with the options' defaults and piece_bytes */
    /** Finds columns, their types and the number of rows; files are open, options read. `memory` is for what the table
     *  does not keep. Also hashes into table.version what changes the rows, but for files and types. */
    fl_status (*learn)(fl_files_table *table, fl_memory *memory, fl_err *err);
} fl_files_reader;

/** Makes the reader's table. FL_ERR_CONFIG (no file, options), FL_ERR_TABLE (58P01), and what `learn` fails with. */
fl_status fl_files_table_open(const fl_files_reader *reader, fl_memory *memory, const fl_str *paths, int64_t n_paths,
                              const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err);

/** Whether the table is what these arguments of fl_files_table_open made. */
bool fl_files_table_is_of(const fl_files_table *table, const fl_format_desc *format, const fl_str *paths,
                          int64_t n_paths, const fl_option *options, int32_t n_options);

/** fl_table_ops of tables that have a `sampling`. */
fl_status fl_files_table_sample(fl_table *table, fl_memory *memory, const int32_t *cols, int32_t n_cols,
                                fl_vec *ret_vecs, fl_table_sample *ret, fl_err *err);
fl_status fl_files_table_sample_stats(fl_table *table, fl_memory *memory, int32_t col, fl_col_stats *ret, fl_err *err);
fl_status fl_files_table_sample_rows(fl_table *table, fl_memory *memory, double *ret, fl_err *err);

#define FL_FILE_SAMPLE_OPS                                                        \
    .sample = fl_files_table_sample, .sample_stats = fl_files_table_sample_stats, \
    .sample_rows = fl_files_table_sample_rows

/** fl_table_ops.free: closes the files and drops the arena. */
void fl_files_table_free(fl_table *table);

#endif
