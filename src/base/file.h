/* Files: the one place where paths become open files. Reading is by pread, never mmap: another process may truncate a
 * file under a scan, and that must be an error, not a signal.
 *
 * Only regular files are opened (no directory, FIFO, device, socket). A handle is counted and may be read from many
 * threads at once. The first handles of the process keep their file open, up to half of what the system allows; those
 * beyond open it when they are read, and look whether it is still the same one. So any number of files can be a table. */
#ifndef FL_BASE_FILE_H
#define FL_BASE_FILE_H

#include "base/memory.h"
#include "base/str.h"

#include <pthread.h>

typedef struct fl_file {
    _Atomic int32_t refs;
    bool is_kept_open;
    pthread_mutex_t lock; /* of fd and n_holds, where it is not kept open */
    int fd;               /* negative: closed */
    int32_t n_holds;
    uint64_t device, inode; /* at open */
    int64_t bytes;
    int64_t modified_ns;
    char *path; /* as given */
} fl_file;

/** Opens a regular file for reading. FL_ERR_TABLE (58P01) when there is none, with the nearest file name in the same
 *  folder as hint; FL_ERR_IO for everything else, with the system's reason. */
fl_status fl_file_open(fl_str path, fl_file **ret, fl_err *err);

fl_file *fl_file_ref(fl_file *file);
void fl_file_unref(fl_file *file);

/** Keeps the file open until it is released, which spares readers of many pieces opening it for each. FL_ERR_IO when it
 *  cannot be opened again, or is another file by now. */
fl_status fl_file_hold(fl_file *file, fl_err *err);
void fl_file_release(fl_file *file);

/** Reads exactly `bytes` bytes at `offset`, as they were at open: FL_ERR_IO when the file's size or modification time is
 *  another by now ("changed while it was read"), or the system fails. Retries EINTR and short reads. */
fl_status fl_file_read_at(fl_file *file, int64_t offset, void *ret, int64_t bytes, fl_err *err);

#endif
