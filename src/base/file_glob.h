/* Patterns of file names, as in FROM 'logs/2024-*.csv'.
 *
 *     *  any characters of a name      ?  one character     [a-z] [!a-z]  one of a set, or one that is not
 *     **  folders, any number of them, also none            {a,b}  either: a pattern for each
 *     \*  the character itself, as [*] does
 *
 * A name that exists is that file, whatever it has in it: 'data[1].csv' needs no escape. Names that begin with a dot are
 * matched by a dot alone. Folders match no last part of a pattern; ** does not go through links. */
#ifndef FL_BASE_FILE_GLOB_H
#define FL_BASE_FILE_GLOB_H

#include "base/arena.h"

/** Expands a path into existing files, each once, sorted by name, in the arena. A path without wildcards gives itself,
 *  existing or not, as each name of {a,b} does. No match is FL_ERR_TABLE (58P01), a folder that cannot be listed
 *  FL_ERR_IO, too many alternatives FL_ERR_LIMIT. */
fl_status fl_file_glob(fl_arena *arena, fl_str pattern, fl_str **ret_paths, int64_t *ret_count, fl_err *err);

#endif
