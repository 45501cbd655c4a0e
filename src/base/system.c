/* The table of the system that the process runs on, and what stands in front of every table: the one file of the library that calls
 * the system for clocks, files and randomness (tools/check_system.py). */
#include "base/system.h"

#include "base/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define RANDOM_BYTES 256 /* what getrandom gives whole, whatever signals come */

/* ---- the system's own ---------------------------------------------------------------------------------------------- */

static int64_t ns_of(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t clock_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return ns_of(now);
}

static int64_t own_monotonic_ns(const fl_system *system)
{
    return clock_of(CLOCK_MONOTONIC);
}

static int64_t own_process_ns(const fl_system *system)
{
    return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static int64_t own_wall_us(const fl_system *system)
{
    return clock_of(CLOCK_REALTIME) / 1000;
}

static int own_wait(const fl_system *system, pthread_cond_t *woken, pthread_mutex_t *lock, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    return -pthread_cond_timedwait(woken, lock, &until);
}

static int failed(int result)
{
    return result < 0 ? -errno : result;
}

static int64_t failed_64(int64_t result)
{
    return result < 0 ? -errno : result;
}

/* O_NONBLOCK: a FIFO without a writer must not hang the open. */
static int own_open(const fl_system *system, const char *path)
{
    return failed(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

static int own_make(const fl_system *system, const char *path)
{
    return failed(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600));
}

static int own_create(const fl_system *system, const char *path)
{
    return failed(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666));
}

static int own_edit(const fl_system *system, const char *path)
{
    return failed(open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
}

/* Of the open file, not of the process: two that one process has open lock each other out, too. */
static int own_lock(const fl_system *system, int fd)
{
    return failed(flock(fd, LOCK_EX | LOCK_NB));
}

/* Where the file system knows no files without a name, one is made and its name taken away at once. */
static int own_make_temporary(const fl_system *system, const char *folder)
{
    char path[PATH_BYTES];
    int fd = open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return failed(fd);
    if (snprintf(path, sizeof(path), "%s/fletch-XXXXXX", folder) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return failed(fd);
}

static void own_close(const fl_system *system, int fd)
{
    close(fd);
}

static int64_t own_read_at(const fl_system *system, int fd, int64_t offset, void *ret, int64_t bytes)
{
    return failed_64(pread(fd, ret, (size_t)bytes, offset));
}

static int64_t own_write_at(const fl_system *system, int fd, int64_t offset, const void *from, int64_t bytes)
{
    return failed_64(offset < 0 ? write(fd, from, (size_t)bytes) : pwrite(fd, from, (size_t)bytes, offset));
}

static int own_resize(const fl_system *system, int fd, int64_t bytes)
{
    return failed(ftruncate(fd, bytes));
}

static int own_punch(const fl_system *system, int fd, int64_t offset, int64_t bytes)
{
    return failed(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes));
}

static void own_prefetch(const fl_system *system, int fd, int64_t offset, int64_t bytes)
{
    (void)posix_fadvise(fd, offset, bytes, POSIX_FADV_WILLNEED);
}

static int own_sync(const fl_system *system, int fd)
{
    return failed(fdatasync(fd));
}

static int own_sync_folder(const fl_system *system, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = failed(fsync(fd));
    close(fd);
    return result;
}

static int own_rename(const fl_system *system, const char *from, const char *to)
{
    return failed(rename(from, to));
}

static int own_remove(const fl_system *system, const char *path)
{
    return failed(unlink(path));
}

static int own_make_folder(const fl_system *system, const char *path)
{
    return failed(mkdir(path, 0700));
}

static int own_create_folder(const fl_system *system, const char *path)
{
    return failed(mkdir(path, 0777));
}

static int own_remove_folder(const fl_system *system, const char *path)
{
    return failed(rmdir(path));
}

static int own_touch(const fl_system *system, const char *path)
{
    return failed(utimensat(AT_FDCWD, path, NULL, 0));
}

static int info_of(int result, const struct stat *info, fl_file_info *ret)
{
    if (result < 0)
        return -errno;
    mode_t mode = info->st_mode;
    *ret = (fl_file_info){.kind = S_ISREG(mode)    ? FL_FILE_REGULAR
                                  : S_ISDIR(mode)  ? FL_FILE_FOLDER
                                  : S_ISFIFO(mode) ? FL_FILE_FIFO
                                  : S_ISSOCK(mode) ? FL_FILE_SOCKET
                                  : S_ISLNK(mode)  ? FL_FILE_LINK
                                                   : FL_FILE_DEVICE,
                          .device = info->st_dev,
                          .inode = info->st_ino,
                          .bytes = info->st_size,
                          .modified_ns = ns_of(info->st_mtim),
                          .changed_ns = ns_of(info->st_ctim),
                          .others_may_write =
                              (info->st_uid != geteuid() && info->st_uid != 0) || (mode & (S_IWGRP | S_IWOTH)) != 0};
    return 0;
}

static int own_look(const fl_system *system, const char *path, bool follows_links, fl_file_info *ret)
{
    struct stat info;
    int result = follows_links ? stat(path, &info) : lstat(path, &info);
    return info_of(result, &info, ret);
}

static int own_look_open(const fl_system *system, int fd, fl_file_info *ret)
{
    struct stat info;
    int result = fstat(fd, &info);
    return info_of(result, &info, ret);
}

static int64_t own_read_link(const fl_system *system, const char *path, char *ret, int64_t bytes)
{
    return failed_64(readlink(path, ret, (size_t)bytes));
}

static int own_list(const fl_system *system, const char *folder, bool (*each)(void *ctx, const char *name), void *ctx)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return -errno;
    int failure = 0;
    for (bool goes_on = true; goes_on;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        failure = entry == NULL ? -errno : 0; /* 0: the end */
        goes_on = entry != NULL &&
                  (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || each(ctx, entry->d_name));
    }
    closedir(dir);
    return failure;
}

static int own_random(const fl_system *system, void *ret, int64_t bytes)
{
    for (int64_t at = 0; at < bytes; at += RANDOM_BYTES) {
        size_t piece = (size_t)(bytes - at < RANDOM_BYTES ? bytes - at : RANDOM_BYTES);
        ssize_t got = getrandom((char *)ret + at, piece, 0);
        if (got != (ssize_t)piece)
            return got < 0 ? -errno : -EIO;
    }
    return 0;
}

const fl_system fl_system_own = {.monotonic_ns = own_monotonic_ns,
                                 .process_ns = own_process_ns,
                                 .wall_us = own_wall_us,
                                 .wait = own_wait,
                                 .open = own_open,
                                 .make = own_make,
                                 .create = own_create,
                                 .edit = own_edit,
                                 .lock = own_lock,
                                 .make_temporary = own_make_temporary,
                                 .close = own_close,
                                 .read_at = own_read_at,
                                 .write_at = own_write_at,
                                 .resize = own_resize,
                                 .punch = own_punch,
                                 .prefetch = own_prefetch,
                                 .sync = own_sync,
                                 .sync_folder = own_sync_folder,
                                 .rename = own_rename,
                                 .remove = own_remove,
                                 .make_folder = own_make_folder,
                                 .create_folder = own_create_folder,
                                 .remove_folder = own_remove_folder,
                                 .touch = own_touch,
                                 .look = own_look,
                                 .look_open = own_look_open,
                                 .read_link = own_read_link,
                                 .list = own_list,
                                 .random = own_random};

/* ---- in front of every table --------------------------------------------------------------------------------------- */

static const fl_system *table_of(const fl_system *system)
{
    return system != NULL ? system : &fl_system_own;
}

/* Calls once more while a signal came in between; an armed fault strikes instead of a call. */
#define CALL(fault, result, call)                          \
    do                                                     \
        (result) = fl_fault_is_due(fault) ? -EIO : (call); \
    while ((result) == -EINTR)

int fl_system_open(const fl_system *system, const char *path)
{
    int fd;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_OPEN, fd, t->open(t, path));
    return fd;
}

int fl_system_make(const fl_system *system, const char *path)
{
    int fd;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_OPEN, fd, t->make(t, path));
    return fd;
}

int fl_system_create(const fl_system *system, const char *path)
{
    int fd;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_OPEN, fd, t->create(t, path));
    return fd;
}

int fl_system_edit(const fl_system *system, const char *path)
{
    int fd;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_OPEN, fd, t->edit(t, path));
    return fd;
}

/* Others' locks are no fault of the system: none is armed for it. */
int fl_system_lock(const fl_system *system, int fd)
{
    int result;
    const fl_system *t = table_of(system);
    do
        result = t->lock(t, fd);
    while (result == -EINTR);
    return result;
}

int fl_system_make_temporary(const fl_system *system, const char *folder)
{
    int fd;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_OPEN, fd, t->make_temporary(t, folder));
    return fd;
}

void fl_system_close(const fl_system *system, int fd)
{
    const fl_system *t = table_of(system);
    t->close(t, fd);
}

int64_t fl_system_read_at(const fl_system *system, int fd, int64_t offset, void *ret, int64_t bytes)
{
    const fl_system *t = table_of(system);
    int64_t done = 0, got = 1;
    while (done < bytes && got > 0) {
        CALL(FL_FAULT_READ, got, t->read_at(t, fd, offset + done, (char *)ret + done, bytes - done));
        if (got < 0)
            return got;
        done += got;
    }
    return done;
}

int fl_system_write_at(const fl_system *system, int fd, int64_t offset, const void *from, int64_t bytes)
{
    const fl_system *t = table_of(system);
    int64_t done = 0, got = 0;
    while (done < bytes) {
        CALL(FL_FAULT_WRITE, got,
             t->write_at(t, fd, offset < 0 ? offset : offset + done, (const char *)from + done, bytes - done));
        if (got <= 0) /* nothing and no reason: there is no room */
            return got < 0 ? (int)got : -ENOSPC;
        done += got;
    }
    return 0;
}

int fl_system_resize(const fl_system *system, int fd, int64_t bytes)
{
    int result;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_WRITE, result, t->resize(t, fd, bytes));
    return result;
}

/* Giving back is part of cleaning up: no fault is armed for it. */
int fl_system_punch(const fl_system *system, int fd, int64_t offset, int64_t bytes)
{
    int result;
    const fl_system *t = table_of(system);
    do
        result = t->punch(t, fd, offset, bytes);
    while (result == -EINTR);
    return result;
}

void fl_system_prefetch(const fl_system *system, int fd, int64_t offset, int64_t bytes)
{
    const fl_system *t = table_of(system);
    t->prefetch(t, fd, offset, bytes);
}

int fl_system_sync(const fl_system *system, int fd)
{
    int result;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_WRITE, result, t->sync(t, fd));
    return result;
}

int fl_system_sync_folder(const fl_system *system, const char *path)
{
    int result;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_WRITE, result, t->sync_folder(t, path));
    return result;
}

int fl_system_rename(const fl_system *system, const char *from, const char *to)
{
    int result;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_WRITE, result, t->rename(t, from, to));
    return result;
}

int fl_system_remove(const fl_system *system, const char *path)
{
    const fl_system *t = table_of(system);
    return t->remove(t, path);
}

int fl_system_make_folder(const fl_system *system, const char *path)
{
    int result;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_WRITE, result, t->make_folder(t, path));
    return result;
}

int fl_system_create_folder(const fl_system *system, const char *path)
{
    int result;
    const fl_system *t = table_of(system);
    CALL(FL_FAULT_WRITE, result, t->create_folder(t, path));
    return result;
}

/* Part of cleaning up, as remove is: no fault is armed for it. */
int fl_system_remove_folder(const fl_system *system, const char *path)
{
    const fl_system *t = table_of(system);
    return t->remove_folder(t, path);
}

int fl_system_touch(const fl_system *system, const char *path)
{
    const fl_system *t = table_of(system);
    return t->touch(t, path);
}

int fl_system_look(const fl_system *system, const char *path, bool follows_links, fl_file_info *ret)
{
    const fl_system *t = table_of(system);
    return t->look(t, path, follows_links, ret);
}

int fl_system_look_open(const fl_system *system, int fd, fl_file_info *ret)
{
    const fl_system *t = table_of(system);
    return t->look_open(t, fd, ret);
}

int64_t fl_system_read_link(const fl_system *system, const char *path, char *ret, int64_t bytes)
{
    const fl_system *t = table_of(system);
    return t->read_link(t, path, ret, bytes);
}

int fl_system_list(const fl_system *system, const char *folder, bool (*each)(void *ctx, const char *name), void *ctx)
{
    const fl_system *t = table_of(system);
    return t->list(t, folder, each, ctx);
}

int fl_system_random(const fl_system *system, void *ret, int64_t bytes)
{
    int result;
    const fl_system *t = table_of(system);
    do
        result = t->random(t, ret, bytes);
    while (result == -EINTR);
    return result;
}

void fl_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool fl_system_wait(const fl_system *system, pthread_cond_t *woken, pthread_mutex_t *lock, int64_t until_ns)
{
    const fl_system *t = table_of(system);
    return t->wait(t, woken, lock, until_ns) != -ETIMEDOUT;
}

const char *fl_system_reason(int64_t failure)
{
    return strerror((int)-failure);
}
