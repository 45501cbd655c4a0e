/* Writing beside, renaming when whole. */
#include "base/new_file.h"

#include "base/file.h"

#include <errno.h>

#define TRIES 16

fl_status fl_new_file_fail(const fl_system *system, const char *path, const char *what, int failure, fl_err *err)
{
    const char *reason = fl_system_reason(failure);
    FL_ASSERT(failure < 0);
    switch (-failure) {
    case ENOENT:
        FL_FAIL(err, FL_ERR_IO, "cannot %s \"%s\": there is no such folder", what, path);
        fl_file_hint_nearest(system, path, err);
        return fl_err_state(err, "58P01", FL_ERR_IO);
    case EACCES:
    case EPERM:
    case EROFS:
        FL_FAIL(err, FL_ERR_IO, "cannot %s \"%s\": %s", what, path, reason);
        fl_err_hint(err, "the folder of the file must be one that you may write to");
        return fl_err_state(err, "42501", FL_ERR_IO);
    case EISDIR:
    case ENOTDIR:
        FL_FAIL(err, FL_ERR_IO, "cannot %s \"%s\": %s", what, path, reason);
        return fl_err_state(err, "42809", FL_ERR_IO);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        FL_FAIL(err, FL_ERR_IO, "cannot %s \"%s\": the disk is full (%s)", what, path, reason);
        fl_err_hint(err, "nothing was left there: what was written is taken away");
        return fl_err_state(err, "53100", FL_ERR_IO);
    default:
        return FL_FAIL(err, FL_ERR_IO, "cannot %s \"%s\": %s", what, path, reason);
    }
}

static fl_status check_place(fl_new_file *file, fl_err *err)
{
    fl_file_info info;
    int failure = fl_system_look(file->system, file->path, true, &info);
    if (failure < 0)
        return FL_OK; /* nothing is there, or making it says what is wrong */
    file->was_there = true;
    if (info.kind == FL_FILE_REGULAR)
        return FL_OK;
    FL_FAIL(err, FL_ERR_IO, "cannot write \"%s\": it is %s", file->path,
            info.kind == FL_FILE_FOLDER ? "a directory" : "no regular file");
    if (info.kind == FL_FILE_FOLDER)
        fl_err_hint(err, "name a file in it: '%s/data.parquet'", file->path);
    return fl_err_state(err, "42809", FL_ERR_IO);
}

/* A name in the same folder that nobody has: a dot, the file's name, some random digits. */
static fl_status make_beside(fl_new_file *file, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    const char *slash = strrchr(file->path, '/');
    int folder_len = slash == NULL ? 0 : (int)(slash - file->path) + 1;
    const char *base = file->path + folder_len;
    for (int i = 0; i < TRIES; i++) {
        uint64_t number = 0;
        fl_str name;
        int failure = fl_system_random(file->system, &number, (int64_t)sizeof(number));
        if (failure < 0)
            return fl_new_file_fail(file->system, file->path, "write", failure, err);
        FL_TRY(fl_arena_format(arena, &name, err, "%.*s.%.200s.%016llx", folder_len, file->path, base,
                               (unsigned long long)number));
        file->temporary = name.data;
        file->fd = fl_system_create(file->system, file->temporary);
        if (file->fd >= 0)
            return FL_OK;
        file->temporary = NULL;
        if (file->fd != -EEXIST)
            break;
    }
    st = fl_new_file_fail(file->system, file->path, "write", file->fd, err);
cleanup:
    return st;
}

/* The number of a stream that the process has; negative: it is none of them. */
static int stream_of(fl_str path)
{
    return fl_str_is_equal(path, FL_STR("/dev/stdout")) ? 1 : fl_str_is_equal(path, FL_STR("/dev/stderr")) ? 2 : -1;
}

fl_status fl_new_file_open(fl_arena *arena, fl_str path, fl_new_file *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str copy;
    fl_new_file file = {.system = fl_memory_system(arena->memory), .fd = -1};
    if (path.len == 0 || memchr(path.data, 0, (size_t)path.len) != NULL)
        return FL_FAIL(err, FL_ERR_IO, "a file's name is not empty, and holds no NUL");
    FL_TRY(fl_arena_format(arena, &copy, err, "%.*s", FL_STR_ARG(path)));
    file.path = copy.data;
    file.fd = stream_of(copy);
    file.is_stream = file.fd >= 0;
    if (file.is_stream) {
        file.temporary = file.path;
        *ret = file;
        return FL_OK;
    }
    FL_TRY(check_place(&file, err));
    FL_TRY(make_beside(&file, arena, err));
    *ret = file;
cleanup:
    return st;
}

fl_status fl_new_file_write(fl_new_file *file, fl_str bytes, fl_err *err)
{
    FL_ASSERT(file->temporary != NULL && !file->is_placed);
    if (bytes.len == 0)
        return FL_OK;
    int failure = 0;
    if (file->fd < 0)
        failure = file->fd = fl_system_edit(file->system, file->temporary);
    if (failure >= 0)
        failure = fl_system_write_at(file->system, file->fd, file->is_stream ? -1 : file->bytes, bytes.data, bytes.len);
    if (failure < 0)
        return fl_new_file_fail(file->system, file->path, "write", failure, err);
    file->bytes += bytes.len;
    return FL_OK;
}

void fl_new_file_rest(fl_new_file *file)
{
    if (file->is_stream)
        return;
    if (file->fd >= 0)
        fl_system_close(file->system, file->fd);
    file->fd = -1;
}

fl_status fl_new_file_commit(fl_new_file *file, fl_err *err)
{
    FL_ASSERT(file->temporary != NULL && !file->is_placed);
    if (file->is_stream) {
        file->is_placed = true;
        return FL_OK;
    }
    fl_new_file_rest(file);
    int failure = fl_system_rename(file->system, file->temporary, file->path);
    if (failure < 0)
        return fl_new_file_fail(file->system, file->path, "write", failure, err);
    file->is_placed = true;
    return FL_OK;
}

void fl_new_file_drop(fl_new_file *file, bool with_committed)
{
    fl_new_file_rest(file);
    if (file->temporary == NULL || file->is_stream)
        return;
    if (!file->is_placed)
        (void)fl_system_remove(file->system, file->temporary);
    else if (with_committed && !file->was_there)
        (void)fl_system_remove(file->system, file->path);
    file->temporary = NULL;
}
