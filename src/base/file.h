/* Files: the one place where paths become open files. Reading is by pread, never mmap: another process may truncate a
 * file under a scan, and that must be an error, not a signal.
 *
 * Only regular files are opened (no directory, FIFO, device, socket). A handle is counted and may be read from many
 * threads at once. */
#ifndef FL_BASE_FILE_H
#define FL_BASE_FILE_H

#include "base/arena.h"

typedef struct fl_file {
    _Atomic int32_t refs;
    int fd;
    int64_t bytes;       /* at open */
    int64_t modified_ns; /* at open */
    char *path;          /* as given */
} fl_file;

/** Opens a regular file for reading. FL_ERR_TABLE (58P01) when there is none, with the nearest file name in the same
 *  folder as hint; FL_ERR_IO for everything else, with the system's reason. */
fl_status fl_file_open(fl_str path, fl_file **ret, fl_err *err);

fl_file *fl_file_ref(fl_file *file);
void fl_file_unref(fl_file *file);

/** Reads exactly `bytes` bytes at `offset`, as they were at open: FL_ERR_IO when the file's size or modification time is
 *  another by now ("changed while it was read"), or the system fails. Retries EINTR and short reads. */
fl_status fl_file_read_at(fl_file *file, int64_t offset, void *ret, int64_t bytes, fl_err *err);

/** Expands a path that may hold * ? [..] and ** into existing files, sorted by name, in the arena. A path without
 *  wildcards gives itself, existing or not. No match is FL_ERR_TABLE with the nearest name. */
fl_status fl_file_glob(fl_arena *arena, fl_str pattern, fl_str **ret_paths, int64_t *ret_count, fl_err *err);

/** Whether the text has a wildcard of fl_file_glob. */
bool fl_file_is_pattern(fl_str path);

#endif
