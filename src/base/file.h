/* Files: the one place where paths become open files. Reading is by pread, never mmap: another process may truncate a
 * file under a scan, and that must be an error, not a signal.
 *
 * Only regular files are opened (no directory, FIFO, device, socket). A handle is counted and may be read from many
 * threads at once. It keeps its file open where the process may keep one more: up to half of what the system allows.
 * Beyond that, and when it was let go, the file is opened while it is read, and must still be the same one. So any number
 * of files can be a table, and a handle that waits to be used again holds none. */
#ifndef FL_BASE_FILE_H
#define FL_BASE_FILE_H

#include "base/memory.h"
#include "base/str.h"
#include "base/system.h"

typedef struct fl_file {
    _Atomic int32_t refs;
    const fl_system *system; /* by which it was opened */
    pthread_mutex_t lock;    /* of fd, n_holds and n_keeps */
    int fd;                  /* negative: closed, as nobody holds it */
    int32_t n_holds;
    int32_t n_keeps;        /* of the holds: those that count in the process */
    uint64_t device, inode; /* at open */
    int64_t bytes;
    int64_t modified_ns;
    int64_t changed_ns; /* of content or of what is said about it: nobody can set this time */
    bool is_settled;    /* its last change was so long before it was opened that a later one has another time */
    char *path;         /* as given */
} fl_file;

/** Opens a regular file for reading, by a system that must outlive it (NULL: the system's own). FL_ERR_TABLE (58P01) when there is none, with the nearest file name in the same
 *  folder as hint; FL_ERR_IO for everything else, with the system's reason. */
fl_status fl_file_open(const fl_system *system, fl_str path, fl_file **ret, fl_err *err);

void fl_file_unref(fl_file *file);

/** Whether the path still leads to the file as it was at open, in all that the system says of it (inode, size, times), and
 *  it is one that may be believed this way (is_settled). If so, and the process may keep one more file open, this one stays
 *  open until fl_file_let_go: *ret_is_kept. A file that was opened anew is kept in the same way: n_keeps says so. */
bool fl_file_keep(fl_file *file, bool *ret_is_kept);
void fl_file_let_go(fl_file *file);

/** Keeps the file open until it is released, which spares readers of many pieces opening it for each. FL_ERR_IO when it
 *  cannot be opened again, or is another file by now. */
fl_status fl_file_hold(fl_file *file, fl_err *err);
void fl_file_release(fl_file *file);

/** Reads exactly `bytes` bytes at `offset`, as they were at open: FL_ERR_IO when the file's size or modification time is
 *  another by now ("changed while it was read"), or the system fails. Retries EINTR and short reads. */
fl_status fl_file_read_at(fl_file *file, int64_t offset, void *ret, int64_t bytes, fl_err *err);

/** Hints at the name in the same folder that is nearest to one that there is not. */
void fl_file_hint_nearest(const fl_system *system, const char *path, fl_err *err);

#endif
