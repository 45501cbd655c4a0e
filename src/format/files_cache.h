/* Tables of files that were opened before: who names the same files in the same way gets the same table again, and plans
 * without opening files, reading footers or looking for types.
 *
 * A table is given again while every file is what it was when the table was opened: the path leads to the same inode on the
 * same device, with the same size, time of modification and time of change, none of which a writer can leave as it was but
 * within a tick of the clock; so tables of files that changed just before they were opened are not kept (fl_file_keep).
 * Patterns are the caller's business: a list of paths is what counts, so a file more is another table. Errors are not kept.
 *
 * A table that waits here holds no file open. Binding takes the files of a table in use: they stay open until the
 * statement ends (fl_files_in_use), as those of a table that was just opened do, so that a statement has the rows of the
 * files that it was bound to, even if others take their names meanwhile. A table named twice in a statement is looked at
 * once: it is of one state of its files.
 *
 * What is kept is charged to the parent budget, and bounded: the least recently used go first. fl_files_cache_give_up is for
 * fl_memory.give_up of a budget above it. Any number of threads may use a cache; a fl_files_in_use is one session's. */
#ifndef FL_FORMAT_FILES_CACHE_H
#define FL_FORMAT_FILES_CACHE_H

#include "format/files_table.h"

#define FL_FILES_CACHE_TABLES_MAX 1000
#define FL_FILES_CACHE_BYTES_MAX (64ll << 20)

typedef struct fl_files_cache fl_files_cache;

/* A table that a statement was bound to, of whose files the first ones are kept open. */
typedef struct fl_file_use {
    fl_files_table *table;
    uint64_t hash; /* of what it was opened with */
    int32_t n_kept;
} fl_file_use;

typedef struct fl_files_in_use {
    fl_file_use *items;
    int64_t n, capacity;
} fl_files_in_use;

/* What a cache holds and did. */
typedef struct fl_files_cache_figures {
    int64_t tables, bytes;
    int64_t hits;   /* tables that were given again */
    int64_t misses; /* tables that were opened */
} fl_files_cache_figures;

/** A cache without tables; memory: what they are charged to while they are kept. */
fl_status fl_files_cache_new(fl_memory *memory, fl_files_cache **ret, fl_err *err);
void fl_files_cache_free(fl_files_cache *cache); /* NULL does nothing */

/** A table as format->open makes it of these arguments (all formats' are fl_files_tables), a reference for the caller: one
 *  that is kept, if its files are as they were, else a new one. `memory`: what opening is charged to. Fails as format->open
 *  does. */
fl_status fl_files_cache_open(fl_files_cache *cache, fl_files_in_use *in_use, const fl_format_desc *format,
                              fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_option *options,
                              int32_t n_options, fl_table **ret, fl_err *err);

/** Ends what a statement was bound to: its files are let go. Scans that still run open them again as they read. */
void fl_files_in_use_end(fl_files_in_use *in_use);
void fl_files_in_use_drop(fl_files_in_use *in_use);

/** Frees tables that nobody uses, the least recently used first, until `bytes` are free. Whether any was. */
bool fl_files_cache_give_up(void *cache, int64_t bytes);

fl_files_cache_figures fl_files_cache_look(fl_files_cache *cache);

#endif
