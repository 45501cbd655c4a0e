/* Files that are one table although they differ: columns found by name, and columns that a file has no bytes for, its own name and the
 * values in the names of its folders (Hive's partitions: "year=2024/month=1/a.parquet").
 *
 * Each file is a table of its own; a scan goes through them in order and reads each by its own reader. What is constant in a file is
 * compared before it is read: a file whose year is another is passed over. */
#ifndef FL_FORMAT_UNITED_FILES_H
#define FL_FORMAT_UNITED_FILES_H

#include "base/arena.h"
#include "base/nearest.h"
#include "plan/table.h"

typedef struct fl_united_wishes {
    bool by_name;        /* columns are the ones of all files, by name; else those of the first */
    fl_str filename;     /* the name of the column with the file's name; empty: none */
    bool has_hive, hive; /* said; and whether folders are columns. Not said: where all files have the same keys */
    bool hive_autocast;  /* types of partitions are found by looking: date, timestamp or bigint, else text */
    fl_value hive_types; /* a struct, {'year': 'integer'}; of type FL_NULL: none */
} fl_united_wishes;

/** Takes the options that say how files are put together out of `options` (whose first *n_options are those left), and whether they ask for
 *  more than files one after the other. FL_ERR_CONFIG with the place for a wrong value. */
fl_status fl_united_wishes_take(const char *function, fl_arena *arena, fl_option *options, int32_t *n_options,
                                const fl_str *paths, int64_t n_paths, fl_united_wishes *ret, bool *ret_any,
                                fl_err *err);

/** Offers the names of these options to who looks for the nearest one. */
void fl_united_offer_options(fl_nearest *near);

/** Opens one file as a table: a reference for the caller. */
typedef struct fl_united_opener {
    void *ctx;
    fl_status (*open)(void *ctx, fl_str path, const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err);
    const char *
        types_option; /* of fl_format_desc: by which columns of one name become of one type; NULL: their values are converted */
    bool has_all_types;
} fl_united_opener;

/** Makes one table of the files. FL_ERR_TYPE (42804) where columns of one name have types that do not meet, FL_ERR_CONFIG (22023; 42703 for
 *  a column that there is not) where a folder's value is not of the type that was said, and what opening fails with. */
fl_status fl_united_files_open(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_united_wishes *wishes,
                               const fl_option *options, int32_t n_options, const fl_united_opener *opener,
                               fl_table **ret, fl_err *err);

#endif
