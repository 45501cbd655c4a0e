/* Opening and reading files. */
#include "base/file.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <sys/resource.h>

#define KEPT_MAX 256    /* files that are kept open: more save little */
#define KEPT_UNKNOWN 32 /* where the system does not say how many there may be */

/* Clocks of file systems tick: every 4 ms or less where times have nanoseconds, every second or two elsewhere. What is written
 * in the tick of the last change leaves the times as they were. So a file is believed by its times only if it was at rest for
 * longer than a tick when it was opened. What remains: file systems of other machines whose clock is far behind this
 * one's, and writes through a memory map, whose times come late. */
#define SETTLED_NS 2000000000ll

/* Files that are kept open, in the whole process. */
static _Atomic int32_t n_kept;

/* Of the names in a folder the one that is nearest to another. */
typedef struct nearest_name {
    fl_str name;
    int64_t files;
    int64_t best_common;
    char best[256];
} nearest_name;

static bool offer_name(void *ctx, const char *text)
{
    nearest_name *near = ctx;
    fl_str name = near->name, other = fl_str_of(text);
    if (text[0] == '.')
        return true;
    near->files++;
    int64_t common = 0; /* letters that agree from either end: enough for a hint about one name */
    while (common < name.len && common < other.len &&
           fl_char_lower(name.data[common]) == fl_char_lower(other.data[common]))
        common++;
    int64_t from_end = 0;
    while (from_end < name.len - common && from_end < other.len - common &&
           fl_char_lower(name.data[name.len - 1 - from_end]) == fl_char_lower(other.data[other.len - 1 - from_end]))
        from_end++;
    common += from_end;
    int64_t longer = name.len > other.len ? name.len : other.len;
    if (common * 10 >= longer * 6 && common > near->best_common && other.len < (int64_t)sizeof(near->best)) {
        near->best_common = common;
        memcpy(near->best, other.data, (size_t)other.len + 1);
    }
    return true;
}

void fl_file_hint_nearest(const fl_system *system, const char *path, fl_err *err)
{
    const char *slash = strrchr(path, '/');
    nearest_name near = {.name = fl_str_of(slash == NULL ? path : slash + 1)};
    char folder[4096] = ".";
    if (slash != NULL) {
        int64_t len = slash == path ? 1 : slash - path;
        if (len >= (int64_t)sizeof(folder))
            return;
        memcpy(folder, path, (size_t)len);
        folder[len] = 0;
    }
    if (fl_system_list(system, folder, offer_name, &near) < 0)
        fl_err_hint(err, "the folder \"%s\" does not exist or cannot be read", folder);
    else if (near.best[0] != 0)
        fl_err_hint(err, "did you mean \"%s%s%s\"?", slash == NULL ? "" : folder,
                    slash == NULL || slash == path ? "" : "/", near.best);
    else
        fl_err_hint(err, "the folder \"%s\" holds %lld other files", folder, (long long)near.files);
    int64_t len =
        path[0] == '/' ? 0 : fl_system_read_link(system, "/proc/self/cwd", folder, (int64_t)sizeof(folder) - 1);
    if (len > 0)
        fl_err_hint_add(err, "paths begin in \"%.*s\"", (int)len, folder);
}

static fl_status fail_missing(const fl_system *system, const char *path, fl_err *err)
{
    char target[PATH_MAX];
    int64_t len = fl_system_read_link(system, path, target, (int64_t)sizeof(target) - 1);
    if (len > 0) {
        FL_FAIL(err, FL_ERR_TABLE, "\"%s\" is a link to \"%.*s\", which does not exist", path, (int)len, target);
        return fl_err_state(err, "58P01", FL_ERR_TABLE);
    }
    FL_FAIL(err, FL_ERR_TABLE, "there is no file \"%s\"", path);
    fl_err_state(err, "58P01", FL_ERR_TABLE);
    fl_file_hint_nearest(system, path, err);
    return FL_ERR_TABLE;
}

static const char *kind_name(fl_file_kind kind)
{
    switch (kind) {
    case FL_FILE_REGULAR:
        return "a file";
    case FL_FILE_FOLDER:
        return "a directory";
    case FL_FILE_FIFO:
        return "a FIFO";
    case FL_FILE_SOCKET:
        return "a socket";
    case FL_FILE_LINK:
        return "a link";
    case FL_FILE_DEVICE:
        return "a device";
    }
    return "something else";
}

static bool may_keep_open(void)
{
    struct rlimit limit;
    int64_t most = KEPT_UNKNOWN;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        most = limit.rlim_cur / 4 < KEPT_MAX ? (int64_t)limit.rlim_cur / 4 : KEPT_MAX; /* scans hold others */
    if (atomic_fetch_add(&n_kept, 1) < most)
        return true;
    atomic_fetch_sub(&n_kept, 1);
    return false;
}

static void close_file(fl_file *file)
{
    if (file->fd >= 0)
        fl_system_close(file->system, file->fd);
    file->fd = -1;
}

static fl_status open_file(fl_file *file, fl_file_info *ret_info, fl_err *err)
{
    int fd = fl_system_open(file->system, file->path);
    if (fd == -ENOENT || fd == -ENOTDIR)
        return fail_missing(file->system, file->path, err);
    int failure = fd < 0 ? fd : fl_system_look_open(file->system, fd, ret_info);
    if (failure >= 0) {
        file->fd = fd;
        return FL_OK;
    }
    FL_FAIL(err, FL_ERR_IO, "cannot open \"%s\": %s", file->path, fl_system_reason(failure));
    if (failure == -EMFILE)
        fl_err_hint(err, "the process may open more files after: ulimit -n 4096");
    if (fd >= 0)
        fl_system_close(file->system, fd);
    return FL_ERR_IO;
}

fl_status fl_file_open(const fl_system *system, fl_str path, fl_file **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file *file = NULL;
    fl_file_info info;
    int64_t now_ns = fl_clock_wall_us(system) * 1000;
    if (path.len > 0 && memchr(path.data, 0, (size_t)path.len) != NULL)
        return FL_FAIL(err, FL_ERR_IO, "a file name cannot hold a NUL byte");
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*file), (void **)&file, err));
    file->fd = -1;
    file->system = system;
    FL_TRY(fl_alloc(NULL, path.len + 1, (void **)&file->path, err));
    memcpy(file->path, path.data, (size_t)path.len);
    file->path[path.len] = 0;
    FL_TRY(open_file(file, &info, err));
    if (info.kind != FL_FILE_REGULAR) {
        st = FL_FAIL(err, FL_ERR_IO, "\"%s\" is %s; a regular file was expected", file->path, kind_name(info.kind));
        if (info.kind == FL_FILE_FOLDER)
            fl_err_hint(err, "to read all its files write '%s%s*.parquet'", file->path,
                        fl_str_has_suffix(path, FL_STR("/")) ? "" : "/");
        else
            fl_err_hint(err, "put it in a file, which is read at more than one place, or register its rows as a table "
                             "(fl_session_register)");
        goto cleanup;
    }
    atomic_store(&file->refs, 1);
    pthread_mutex_init(&file->lock, NULL);
    file->device = info.device;
    file->inode = info.inode;
    file->bytes = info.bytes;
    file->modified_ns = info.modified_ns;
    file->changed_ns = info.changed_ns;
    file->is_settled = now_ns - file->changed_ns > SETTLED_NS;
    if (may_keep_open()) {
        file->n_holds = file->n_keeps = 1;
    } else {
        close_file(file);
    }
    *ret = file;
    return FL_OK;
cleanup:
    if (file != NULL) {
        close_file(file);
        fl_free(file->path);
    }
    fl_free(file);
    return st;
}

void fl_file_unref(fl_file *file)
{
    if (file == NULL || atomic_fetch_sub(&file->refs, 1) != 1)
        return;
    FL_ASSERT(file->n_holds == file->n_keeps);
    atomic_fetch_sub(&n_kept, file->n_keeps);
    close_file(file);
    pthread_mutex_destroy(&file->lock);
    fl_free(file->path);
    fl_free(file);
}

static fl_status fail_changed(const fl_file *file, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_IO, "\"%s\" changed while it was read", file->path);
}

static bool is_same(const fl_file *file, const fl_file_info *info)
{
    return info->bytes == file->bytes && info->modified_ns == file->modified_ns;
}

/* A writer sets the time before it changes bytes: what was read before a check that passes is as it was at open. */
static fl_status check_same(const fl_file *file, fl_err *err)
{
    fl_file_info info;
    int failure = fl_system_look_open(file->system, file->fd, &info);
    if (failure < 0)
        return FL_FAIL(err, FL_ERR_IO, "cannot read \"%s\": %s", file->path, fl_system_reason(failure));
    return is_same(file, &info) ? FL_OK : fail_changed(file, err);
}

/* As fl_file_keep wants it: a change of owner or rights counts, too. */
static bool has_same_identity(const fl_file *file, const fl_file_info *info)
{
    return info->kind == FL_FILE_REGULAR && info->device == file->device && info->inode == file->inode &&
           is_same(file, info) && info->changed_ns == file->changed_ns;
}

/* The path may lead to another file by now, or to none. */
static fl_status reopen(fl_file *file, fl_err *err)
{
    fl_file_info info;
    fl_status st = open_file(file, &info, err);
    if (st == FL_ERR_TABLE)
        return fail_changed(file, err);
    if (st != FL_OK)
        return st;
    if (info.device != file->device || info.inode != file->inode || !is_same(file, &info)) {
        close_file(file);
        return fail_changed(file, err);
    }
    return FL_OK;
}

fl_status fl_file_hold(fl_file *file, fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&file->lock);
    if (file->fd < 0)
        st = reopen(file, err);
    file->n_holds += st == FL_OK;
    pthread_mutex_unlock(&file->lock);
    return st;
}

static void release_locked(fl_file *file)
{
    FL_ASSERT(file->n_holds > 0 && file->fd >= 0);
    if (--file->n_holds == 0)
        close_file(file);
}

void fl_file_release(fl_file *file)
{
    if (file == NULL)
        return;
    pthread_mutex_lock(&file->lock);
    release_locked(file);
    pthread_mutex_unlock(&file->lock);
}

/* What is open may not be what the path leads to any more; what is opened is looked at when it is open, so that there is no
 * moment in between. */
static bool is_unchanged(fl_file *file, bool opens)
{
    fl_file_info info;
    if (opens && file->fd < 0)
        return open_file(file, &info, NULL) == FL_OK && has_same_identity(file, &info);
    return fl_system_look(file->system, file->path, true, &info) == 0 && has_same_identity(file, &info);
}

bool fl_file_keep(fl_file *file, bool *ret_is_kept)
{
    if (!file->is_settled)
        return false;
    bool has_room = may_keep_open();
    pthread_mutex_lock(&file->lock);
    bool is_same = is_unchanged(file, has_room);
    bool keeps = has_room && is_same;
    file->n_holds += keeps;
    file->n_keeps += keeps;
    if (file->n_holds == 0)
        close_file(file);
    pthread_mutex_unlock(&file->lock);
    if (has_room && !keeps)
        atomic_fetch_sub(&n_kept, 1);
    *ret_is_kept = keeps;
    return is_same;
}

void fl_file_let_go(fl_file *file)
{
    pthread_mutex_lock(&file->lock);
    FL_ASSERT(file->n_keeps > 0);
    file->n_keeps--;
    release_locked(file);
    pthread_mutex_unlock(&file->lock);
    atomic_fetch_sub(&n_kept, 1);
}

static fl_status read_open(fl_file *file, int64_t offset, void *ret, int64_t bytes, fl_err *err)
{
    int64_t got = fl_system_read_at(file->system, file->fd, offset, ret, bytes);
    if (got < 0)
        return FL_FAIL(err, FL_ERR_IO, "cannot read \"%s\" from byte %lld on: %s", file->path, (long long)offset,
                       fl_system_reason(got));
    if (got < bytes)
        return FL_FAIL(err, FL_ERR_IO, "\"%s\" changed while it was read: it had %lld bytes, and now ends at byte %lld",
                       file->path, (long long)file->bytes, (long long)(offset + got));
    return check_same(file, err);
}

fl_status fl_file_read_at(fl_file *file, int64_t offset, void *ret, int64_t bytes, fl_err *err)
{
    fl_status st = fl_file_hold(file, err);
    if (st != FL_OK)
        return st;
    st = read_open(file, offset, ret, bytes, err);
    fl_file_release(file);
    return st;
}
