/* The system beside us: clocks, files, randomness. All that the library asks of it goes through one table of functions, so that
 * a test can put its own in place: a clock that stands still, a disk that is full, a read that flips a bit.
 *
 * A table reaches the code by the budget of what it works with (fl_memory.system; NULL = fl_system_own), as the interrupt
 * does. A test copies fl_system_own, replaces what it wants to own, and may put the copy at the front of a struct of its
 * own. Code calls the fl_system_... functions below, not the table: they stand in for NULL, try again where a signal came in
 * between, go on behind short reads and writes, and are where armed faults strike (base/fault.h). Clocks have
 * base/clock.h in front, which costs nothing where the table is the system's own.
 *
 * What fails gives a negative errno, -ENOSPC for example, in the table as in the functions. Thread-safe. */
#ifndef FL_BASE_SYSTEM_H
#define FL_BASE_SYSTEM_H

#include "base/status.h"

#include <pthread.h>

typedef enum fl_file_kind {
    FL_FILE_REGULAR,
    FL_FILE_FOLDER,
    FL_FILE_FIFO,
    FL_FILE_SOCKET,
    FL_FILE_LINK, /* where links are not followed */
    FL_FILE_DEVICE
} fl_file_kind;

typedef struct fl_file_info {
    fl_file_kind kind;
    uint64_t device, inode;
    int64_t bytes;
    int64_t modified_ns, changed_ns; /* since 1970-01-01 UTC */
    bool others_may_write; /* it is somebody else's (and not root's), or more than its owner may write to it */
} fl_file_info;

typedef struct fl_system fl_system;

struct fl_system {
    /* ---- clocks ---- */
    int64_t (*monotonic_ns)(const fl_system *system);
    int64_t (*process_ns)(const fl_system *system); /* processor time of the whole process */
    int64_t (*wall_us)(const fl_system *system);    /* since 1970-01-01 UTC */
    /** pthread_cond_wait on a condition of fl_condition_init, until monotonic_ns is `until_ns`. 0 or -ETIMEDOUT. */
    int (*wait)(const fl_system *system, pthread_cond_t *woken, pthread_mutex_t *lock, int64_t until_ns);

    /* ---- files: descriptors are the table's own matter, 0 or more ---- */
    int (*open)(const fl_system *system, const char *path); /* for reading; must not hang on a FIFO */
    int (*make)(const fl_system *system,
                const char *path); /* anew, for reading and writing: -EEXIST; only the owner may */
    int (*create)(const fl_system *system, const char *path); /* as make, for whom the process's mask lets */
    int (*edit)(const fl_system *system, const char *path);   /* for reading and writing; made where there is none */
    int (*lock)(const fl_system *system, int fd); /* until it is closed, or its process ends; -EAGAIN: another has it */
    int (*make_temporary)(const fl_system *system, const char *folder); /* without a name, gone when closed or killed */
    void (*close)(const fl_system *system, int fd);
    int64_t (*read_at)(const fl_system *system, int fd, int64_t offset, void *ret, int64_t bytes); /* may give fewer */
    /* offset negative: where the file is, as streams are written */
    int64_t (*write_at)(const fl_system *system, int fd, int64_t offset, const void *from, int64_t bytes);
    int (*resize)(const fl_system *system, int fd, int64_t bytes);
    /** Gives back the disk's space of a range, which reads as zeros then. -EOPNOTSUPP where that cannot be. */
    int (*punch)(const fl_system *system, int fd, int64_t offset, int64_t bytes);
    void (*prefetch)(const fl_system *system, int fd, int64_t offset, int64_t bytes); /* soon to be read: a hint */
    int (*sync)(const fl_system *system, int fd);                  /* contents and size are on the disk */
    int (*sync_folder)(const fl_system *system, const char *path); /* its names are */
    int (*rename)(const fl_system *system, const char *from, const char *to);
    int (*remove)(const fl_system *system, const char *path);
    int (*make_folder)(const fl_system *system, const char *path); /* -EEXIST; only the owner may */
    int (*create_folder)(const fl_system *system,
                         const char *path); /* as make_folder, for whom the process's mask lets */
    int (*remove_folder)(const fl_system *system, const char *path); /* an empty one */
    int (*touch)(const fl_system *system, const char *path);         /* it was modified now */
    int (*look)(const fl_system *system, const char *path, bool follows_links, fl_file_info *ret);
    int (*look_open)(const fl_system *system, int fd, fl_file_info *ret);
    int64_t (*read_link)(const fl_system *system, const char *path, char *ret, int64_t bytes); /* its length; no zero */
    /** Calls each(ctx, name) for the names in a folder, in no order, but for "." and ".."; until it says false. */
    int (*list)(const fl_system *system, const char *folder, bool (*each)(void *ctx, const char *name), void *ctx);

    /* ---- randomness ---- */
    int (*random)(const fl_system *system, void *ret, int64_t bytes); /* nobody can guess it */
};

/** The table of the system that the process runs on. */
extern const fl_system fl_system_own;

/* As the entries above; `system` may be NULL: the system's own. */

int fl_system_open(const fl_system *system, const char *path);
int fl_system_make(const fl_system *system, const char *path);
int fl_system_create(const fl_system *system, const char *path);
int fl_system_edit(const fl_system *system, const char *path);
int fl_system_lock(const fl_system *system, int fd);
int fl_system_make_temporary(const fl_system *system, const char *folder);
void fl_system_close(const fl_system *system, int fd);

/** Reads up to `bytes`: fewer only at the end of the file. */
int64_t fl_system_read_at(const fl_system *system, int fd, int64_t offset, void *ret, int64_t bytes);

/** Writes all of it: 0, or the reason. How much of it is written then, nobody knows. */
int fl_system_write_at(const fl_system *system, int fd, int64_t offset, const void *from, int64_t bytes);
int fl_system_resize(const fl_system *system, int fd, int64_t bytes);
int fl_system_punch(const fl_system *system, int fd, int64_t offset, int64_t bytes);
void fl_system_prefetch(const fl_system *system, int fd, int64_t offset, int64_t bytes);
int fl_system_sync(const fl_system *system, int fd);
int fl_system_sync_folder(const fl_system *system, const char *path);
int fl_system_rename(const fl_system *system, const char *from, const char *to);
int fl_system_remove(const fl_system *system, const char *path);
int fl_system_make_folder(const fl_system *system, const char *path);
int fl_system_create_folder(const fl_system *system, const char *path);
int fl_system_remove_folder(const fl_system *system, const char *path);
int fl_system_touch(const fl_system *system, const char *path);
int fl_system_look(const fl_system *system, const char *path, bool follows_links, fl_file_info *ret);
int fl_system_look_open(const fl_system *system, int fd, fl_file_info *ret);
int64_t fl_system_read_link(const fl_system *system, const char *path, char *ret, int64_t bytes);
int fl_system_list(const fl_system *system, const char *folder, bool (*each)(void *ctx, const char *name), void *ctx);
int fl_system_random(const fl_system *system, void *ret, int64_t bytes);

/** Makes a condition for fl_system_wait. */
void fl_condition_init(pthread_cond_t *condition);

/** Waits until the condition is signalled or the clock of base/clock.h is at `until_ns`: false then. May wake without a
 *  reason, as pthread_cond_wait does. */
bool fl_system_wait(const fl_system *system, pthread_cond_t *woken, pthread_mutex_t *lock, int64_t until_ns);

/** What a negative errno means, in the system's words. */
const char *fl_system_reason(int64_t failure);

#endif
