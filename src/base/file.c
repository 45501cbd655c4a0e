/* Opening, reading and finding files. */
#include "base/file.h"

#include "base/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file in the same folder whose name is nearest, for the hint. */
static void hint_nearest(const char *path, fl_err *err)
{
    const char *slash = strrchr(path, '/');
    fl_str name = fl_str_of(slash == NULL ? path : slash + 1);
    char folder[4096] = ".";
    if (slash != NULL) {
        int64_t len = slash == path ? 1 : slash - path;
        if (len >= (int64_t)sizeof(folder))
            return;
        memcpy(folder, path, (size_t)len);
        folder[len] = 0;
    }
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        fl_err_hint(err, "the folder \"%s\" does not exist or cannot be read", folder);
        return;
    }
    char best[256] = "";
    int64_t best_common = 0;
    int64_t files = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        files++;
        fl_str other = fl_str_of(entry->d_name);
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
        if (common * 10 >= longer * 6 && common > best_common && other.len < (int64_t)sizeof(best)) {
            best_common = common;
            memcpy(best, other.data, (size_t)other.len + 1);
        }
    }
    closedir(dir);
    if (best[0] != 0)
        fl_err_hint(err, "did you mean \"%s%s%s\"?", slash == NULL ? "" : folder,
                    slash == NULL || slash == path ? "" : "/", best);
    else
        fl_err_hint(err, "the folder \"%s\" holds %lld other files", folder, (long long)files);
}

static fl_status fail_missing(const char *path, fl_err *err)
{
    FL_FAIL(err, FL_ERR_TABLE, "there is no file \"%s\"", path);
    fl_err_state(err, "58P01", FL_ERR_TABLE);
    hint_nearest(path, err);
    return FL_ERR_TABLE;
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
}

static int64_t modified_ns(const struct stat *info)
{
    return (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
}

fl_status fl_file_open(fl_str path, fl_file **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file *file = NULL;
    int fd = -1;
    if (path.len > 0 && memchr(path.data, 0, (size_t)path.len) != NULL)
        return FL_FAIL(err, FL_ERR_IO, "a file name cannot hold a NUL byte");
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*file), (void **)&file, err));
    FL_TRY(fl_alloc(NULL, path.len + 1, (void **)&file->path, err));
    memcpy(file->path, path.data, (size_t)path.len);
    file->path[path.len] = 0;
    do /* O_NONBLOCK: a FIFO without a writer must not hang the open */
        fd = fl_fault_is_due(FL_FAULT_OPEN) ? (errno = EIO, -1)
                                            : open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        st = errno == ENOENT || errno == ENOTDIR
                 ? fail_missing(file->path, err)
                 : FL_FAIL(err, FL_ERR_IO, "cannot open \"%s\": %s", file->path, strerror(errno));
        goto cleanup;
    }
    struct stat info;
    if (fstat(fd, &info) != 0) {
        st = FL_FAIL(err, FL_ERR_IO, "cannot open \"%s\": %s", file->path, strerror(errno));
        goto cleanup;
    }
    if (!S_ISREG(info.st_mode)) {
        st = FL_FAIL(err, FL_ERR_IO, "\"%s\" is %s; a regular file was expected", file->path, kind_of(info.st_mode));
        if (S_ISDIR(info.st_mode))
            fl_err_hint(err, "to read all its files write '%s/*.parquet'", file->path);
        goto cleanup;
    }
    atomic_store(&file->refs, 1);
    file->fd = fd;
    file->bytes = info.st_size;
    file->modified_ns = modified_ns(&info);
    *ret = file;
    return FL_OK;
cleanup:
    if (fd >= 0)
        close(fd);
    if (file != NULL)
        fl_free(file->path);
    fl_free(file);
    return st;
}

fl_file *fl_file_ref(fl_file *file)
{
    atomic_fetch_add(&file->refs, 1);
    return file;
}

void fl_file_unref(fl_file *file)
{
    if (file == NULL || atomic_fetch_sub(&file->refs, 1) != 1)
        return;
    close(file->fd);
    fl_free(file->path);
    fl_free(file);
}

/* A writer sets the time before it changes bytes: what was read before a check that passes is as it was at open. */
static fl_status check_same(const fl_file *file, fl_err *err)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0)
        return FL_FAIL(err, FL_ERR_IO, "cannot read \"%s\": %s", file->path, strerror(errno));
    if (info.st_size != file->bytes || modified_ns(&info) != file->modified_ns)
        return FL_FAIL(err, FL_ERR_IO, "\"%s\" changed while it was read", file->path);
    return FL_OK;
}

fl_status fl_file_read_at(fl_file *file, int64_t offset, void *ret, int64_t bytes, fl_err *err)
{
    char *to = ret;
    int64_t done = 0;
    while (done < bytes) {
        ssize_t got = fl_fault_is_due(FL_FAULT_READ)
                          ? (errno = EIO, -1)
                          : pread(file->fd, to + done, (size_t)(bytes - done), offset + done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FL_FAIL(err, FL_ERR_IO, "cannot read \"%s\" at byte %lld: %s", file->path,
                           (long long)(offset + done), strerror(errno));
        if (got == 0)
            return FL_FAIL(err, FL_ERR_IO,
                           "\"%s\" changed while it was read: it had %lld bytes, and now ends at byte %lld", file->path,
                           (long long)file->bytes, (long long)(offset + done));
        done += got;
    }
    return check_same(file, err);
}

bool fl_file_is_pattern(fl_str path)
{
    for (int64_t i = 0; i < path.len; i++)
        if (path.data[i] == '*' || path.data[i] == '?' || path.data[i] == '[')
            return true;
    return false;
}

fl_status fl_file_glob(fl_arena *arena, fl_str pattern, fl_str **ret_paths, int64_t *ret_count, fl_err *err)
{
    fl_status st = FL_OK;
    glob_t found = {0};
    fl_str text = {0};
    fl_str *paths = NULL;
    FL_TRY(fl_arena_copy_str(arena, pattern, &text, err));
    if (!fl_file_is_pattern(pattern)) {
        FL_TRY(FL_NEW_ARRAY(arena, 1, &paths, err));
        paths[0] = text;
        *ret_paths = paths;
        *ret_count = 1;
        return FL_OK;
    }
    int rc = glob(text.data, GLOB_ERR, NULL, &found);
    if (rc == GLOB_NOMATCH) {
        FL_FAIL(err, FL_ERR_TABLE, "no file matches \"%s\"", text.data);
        st = fl_err_state(err, "58P01", FL_ERR_TABLE);
        goto cleanup;
    }
    if (rc != 0) {
        st = FL_FAIL(err, FL_ERR_IO, "cannot list \"%s\": %s", text.data,
                     rc == GLOB_NOSPACE ? "out of memory" : strerror(errno));
        goto cleanup;
    }
    FL_TRY(FL_NEW_ARRAY(arena, found.gl_pathc, &paths, err));
    for (size_t i = 0; i < found.gl_pathc; i++)
        FL_TRY(fl_arena_copy_str(arena, fl_str_of(found.gl_pathv[i]), &paths[i], err));
    *ret_paths = paths;
    *ret_count = (int64_t)found.gl_pathc;
cleanup:
    globfree(&found);
    return st;
}
