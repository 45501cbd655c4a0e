/* Names of files that are being written are random: several processes may write the same file at once, and the last one to rename wins
 * with what all of them wrote. */
#include "udf/folder.h"

#include <errno.h>
#include <stdio.h>

static fl_status fail(const char *what, const char *path, int64_t failure, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_IO, "cannot %s \"%s\": %s", what, path, fl_system_reason(failure));
}

fl_status fl_udf_folder_check(const fl_system *system, const char *path, bool *ret_is_there, fl_err *err)
{
    fl_file_info info;
    int failure = fl_system_look(system, path, true, &info);
    *ret_is_there = failure == 0;
    if (failure == -ENOENT)
        return FL_OK;
    if (failure != 0)
        return fail("look at", path, failure, err);
    if (info.kind != FL_FILE_FOLDER)
        return FL_FAIL(err, FL_ERR_CONFIG, "\"%s\" is no folder, and cannot keep functions", path);
    if (info.others_may_write) {
        fl_status st = FL_FAIL(err, FL_ERR_CONFIG,
                               "the folder \"%s\" keeps functions, and others than you may write to it: "
                               "what lies there is not run",
                               path);
        fl_err_hint(err, "it must be yours (or root's) and writable for its owner alone: chmod go-w");
        return st;
    }
    return FL_OK;
}

/* The names in the folder that a path lies in are on the disk. */
static int sync_above(const fl_system *system, const char *path)
{
    char above[FL_UDF_PATH_BYTES];
    snprintf(above, sizeof(above), "%s", path);
    char *slash = strrchr(above, '/');
    if (slash != NULL)
        *(slash == above ? slash + 1 : slash) = 0;
    return fl_system_sync_folder(system, slash != NULL ? above : ".");
}

fl_status fl_udf_folder_make(const fl_system *system, const char *path, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_there = false;
    FL_TRY(fl_udf_folder_check(system, path, &is_there, err));
    if (is_there)
        return FL_OK;
    int failure = fl_system_make_folder(system, path);
    if (failure == 0)
        failure = sync_above(system, path);
    if (failure != 0 && failure != -EEXIST)
        return fail("make the folder", path, failure, err);
    st = fl_udf_folder_check(system, path, &is_there, err);
cleanup:
    return st;
}

fl_status fl_udf_file_read(const fl_system *system, const char *path, int64_t bytes_max, char **ret, int64_t *ret_bytes,
                           fl_err *err)
{
    fl_status st = FL_OK;
    fl_file_info info = {0};
    char *bytes = NULL;
    int fd = fl_system_open(system, path);
    if (fd == -ENOENT)
        return fl_err_state(err, "58P01", FL_FAIL(err, FL_ERR_TABLE, "there is no file \"%s\"", path));
    if (fd < 0)
        return fail("open", path, fd, err);
    int64_t got = fl_system_look_open(system, fd, &info);
    if (got == 0 && info.kind != FL_FILE_REGULAR) {
        st = FL_FAIL(err, FL_ERR_IO, "\"%s\" is no file", path);
        goto cleanup;
    }
    if (got == 0 && info.bytes > bytes_max) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "\"%s\" has %lld bytes, it should have no more than %lld", path,
                     (long long)info.bytes, (long long)bytes_max);
        goto cleanup;
    }
    FL_TRY(fl_alloc(NULL, info.bytes + 1, (void **)&bytes, err));
    if (got == 0)
        got = fl_system_read_at(system, fd, 0, bytes, info.bytes);
    if (got < 0)
        FL_TRY(fail("read", path, got, err));
    *ret = bytes;
    *ret_bytes = got;
    bytes = NULL;
cleanup:
    fl_system_close(system, fd);
    fl_free(bytes);
    return st;
}

fl_status fl_udf_file_write(const fl_system *system, const char *folder, const char *name, const fl_str *parts,
                            int32_t n_parts, bool lasts, fl_err *err)
{
    char path[FL_UDF_PATH_BYTES], made[FL_UDF_PATH_BYTES];
    uint64_t random = 0;
    int64_t at = 0;
    int failure = fl_system_random(system, &random, (int64_t)sizeof(random));
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= FL_UDF_PATH_BYTES ||
        snprintf(made, sizeof(made), "%s/%s.%016llx" FL_UDF_FILE_UNFINISHED, folder, name,
                 (unsigned long long)random) >= FL_UDF_PATH_BYTES)
        failure = -ENAMETOOLONG;
    if (failure != 0)
        return fail("write", path, failure, err);
    int fd = fl_system_make(system, made);
    if (fd < 0)
        return fail("make", made, fd, err);
    for (int32_t i = 0; i < n_parts && failure == 0; i++) {
        failure = fl_system_write_at(system, fd, at, parts[i].data, parts[i].len);
        at += parts[i].len;
    }
    if (failure == 0 && lasts)
        failure = fl_system_sync(system, fd);
    fl_system_close(system, fd);
    if (failure == 0)
        failure = fl_system_rename(system, made, path);
    if (failure != 0)
        fl_system_remove(system, made);
    else if (lasts)
        failure = fl_system_sync_folder(system, folder);
    return failure == 0 ? FL_OK : fail("write", path, failure, err);
}
