/* Files that are one value each: their names, texts and bytes. */
#include "engine/file_functions.h"

#include "base/file.h"
#include "base/utf8.h"

#define FILE_BYTES_MAX (1 << 30) /* as of any text */

static fl_status add_name(fl_session *session, const fl_file_function *f, fl_str path, const fl_option *options,
                          int32_t n_options, fl_arena *arena, fl_filled_table *table, fl_err *err)
{
    (void)session, (void)f, (void)options, (void)n_options, (void)arena;
    fl_fill_text(table, path);
    return fl_filled_table_end_row(table, err);
}

static fl_status add_contents(fl_session *session, bool is_text, fl_str path, fl_filled_table *table, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file *file = NULL;
    fl_arena arena; /* of one file's bytes */
    char *bytes = NULL;
    int64_t bad = -1;
    fl_arena_init(&arena, &session->statement_memory);
    fl_fill_text(table, path);
    FL_TRY(fl_file_open(session->statement_memory.system, path, &file, err));
    if (file->bytes > FILE_BYTES_MAX) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "\"%.*s\" has more than 1 GB: the limit of a value", FL_STR_ARG(path));
        goto cleanup;
    }
    FL_TRY(fl_arena_get(&arena, file->bytes + 1, (void **)&bytes, err));
    FL_TRY(fl_file_read_at(file, 0, bytes, file->bytes, err));
    bad = is_text ? fl_utf8_check(bytes, file->bytes) : -1;
    if (bad >= 0) {
        FL_FAIL(err, FL_ERR_FORMAT, "\"%.*s\": the byte 0x%02x at %lld is no UTF-8", FL_STR_ARG(path),
                (uint8_t)bytes[bad], (long long)bad);
        fl_err_hint(err, "read_blob gives bytes as they are");
        st = fl_err_state(err, "22021", FL_ERR_FORMAT);
        goto cleanup;
    }
    fl_fill_text(table, (fl_str){bytes, file->bytes});
    fl_fill_number(table, file->bytes);
    fl_fill_number(table, file->modified_ns / 1000);
    FL_TRY(fl_filled_table_end_row(table, err));
cleanup:
    fl_file_unref(file);
    fl_arena_drop(&arena);
    return st;
}

static fl_status add_text(fl_session *session, const fl_file_function *f, fl_str path, const fl_option *options,
                          int32_t n_options, fl_arena *arena, fl_filled_table *table, fl_err *err)
{
    (void)f, (void)options, (void)n_options, (void)arena;
    return add_contents(session, true, path, table, err);
}

static fl_status add_blob(fl_session *session, const fl_file_function *f, fl_str path, const fl_option *options,
                          int32_t n_options, fl_arena *arena, fl_filled_table *table, fl_err *err)
{
    (void)f, (void)options, (void)n_options, (void)arena;
    return add_contents(session, false, path, table, err);
}

const fl_file_function fl_whole_file_functions[] = {
    {.name = "glob", .columns = "file:t", .may_find_none = true, .add = add_name},
    {.name = "read_text", .columns = "filename:t content:t size:i last_modified:z", .add = add_text},
    {.name = "read_blob", .columns = "filename:t content:x size:i last_modified:z", .add = add_blob},
    {0},
};
