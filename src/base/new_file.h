/* Files that are written, and the two streams that a process has: /dev/stdout and /dev/stderr, whose bytes are gone when they are written.
 *
 * Files are written beside their place and take it when they are whole, so that nobody ever sees half of one, and what was
 * there before stays until then. What is not committed leaves nothing behind. */
#ifndef FL_BASE_NEW_FILE_H
#define FL_BASE_NEW_FILE_H

#include "base/arena.h"
#include "base/str.h"
#include "base/system.h"

typedef struct fl_new_file {
    const fl_system *system;
    const char *path;      /* where it is to be */
    const char *temporary; /* where it is meanwhile: in the same folder; a name that begins with a dot; NULL: nowhere */
    int fd;                /* negative: closed between writes */
    int64_t bytes;         /* written */
    bool was_there;        /* a file of the name, when it was begun */
    bool is_placed;
    bool is_stream;
} fl_new_file;

/** Begins a file that will be at `path`, in a folder that is there. 58P01: there is no such folder; 42809: there is a folder, or what
 *  else is no regular file, at the place; 42501, 58030: it cannot be written there. `arena` keeps its names. */
fl_status fl_new_file_open(fl_arena *arena, fl_str path, fl_new_file *ret, fl_err *err);

/** Writes behind what was written. 53100: the disk is full. */
fl_status fl_new_file_write(fl_new_file *file, fl_str bytes, fl_err *err);

/** Closes it until the next write. */
void fl_new_file_rest(fl_new_file *file);

/** Puts it into its place. */
fl_status fl_new_file_commit(fl_new_file *file, fl_err *err);

/** Takes away what was not committed; of what was, too, where it took nobody's place and `with_committed`. May be called again. */
void fl_new_file_drop(fl_new_file *file, bool with_committed);

/** What a failure to write at `path` is called: by its reason, 42501 for one. */
fl_status fl_new_file_fail(const fl_system *system, const char *path, const char *what, int failure, fl_err *err);

#endif
