/* Files that are one value each: their names, texts and bytes. */
#include "engine/whole_files.h"

#include "base/file.h"
#include "base/file_glob.h"
#include "base/utf8.h"
#include "engine/filled_table.h"

#define FILE_BYTES_MAX (1 << 30) /* as of any text */

typedef struct function {
    const char *name;
    const char *columns;
    bool is_read, is_text;
} function;

static const function functions[] = {
    {"glob", "file:t", false, false},
    {"read_text", "filename:t content:t size:i last_modified:z", true, true},
    {"read_blob", "filename:t content:x size:i last_modified:z", true, false},
};

static fl_status add_file(fl_session *session, const function *f, fl_str path, fl_filled_table *table, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file *file = NULL;
    fl_arena arena; /* of one file's bytes */
    char *bytes = NULL;
    int64_t bad = -1;
    fl_arena_init(&arena, &session->statement_memory);
    fl_fill_text(table, path);
    if (f->is_read) {
        FL_TRY(fl_file_open(session->statement_memory.system, path, &file, err));
        if (file->bytes > FILE_BYTES_MAX) {
            st = FL_FAIL(err, FL_ERR_LIMIT, "\"%.*s\" has more than 1 GB: the limit of a value", FL_STR_ARG(path));
            goto cleanup;
        }
        FL_TRY(fl_arena_get(&arena, file->bytes + 1, (void **)&bytes, err));
        FL_TRY(fl_file_read_at(file, 0, bytes, file->bytes, err));
        bad = f->is_text ? fl_utf8_check(bytes, file->bytes) : -1;
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
    }
    FL_TRY(fl_filled_table_end_row(table, err));
cleanup:
    fl_file_unref(file);
    fl_arena_drop(&arena);
    return st;
}

static fl_status add_files(fl_session *session, const function *f, const fl_value *pattern, fl_arena *arena,
                           fl_filled_table *table, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *paths = NULL;
    int64_t n = 0;
    if (pattern->is_null || pattern->type.id != FL_UTF8)
        return FL_FAIL(err, FL_ERR_TYPE, "%s takes the name of a file, a pattern or a list of them", f->name);
    st = fl_file_glob(arena, pattern->s, &paths, &n, err);
    if (st == FL_ERR_TABLE && !f->is_read) { /* a pattern without files is no error here */
        fl_err_clear(err);
        return FL_OK;
    }
    for (int64_t i = 0; i < n && st == FL_OK; i++) {
        st = fl_interrupt_check(&session->interrupt, err);
        if (st == FL_OK)
            st = add_file(session, f, paths[i], table, err);
    }
    return st;
}

fl_status fl_whole_files_call(fl_session *session, fl_str name, const fl_value *args, int32_t n_args, fl_table **ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const function *f = NULL;
    fl_filled_table table = {0};
    fl_arena arena;
    *ret = NULL;
    for (int64_t i = 0; i < FL_LEN(functions); i++)
        if (fl_str_is_equal_nocase(name, fl_str_of(functions[i].name)))
            f = &functions[i];
    if (f == NULL)
        return FL_OK;
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "%s takes the name of a file, a pattern or a list of them", f->name);
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_filled_table_begin(&table, &session->engine->memory, &arena, f->columns, err));
    bool is_list = args[0].type.id == FL_LIST && !args[0].is_null;
    for (int64_t i = 0; i < (is_list ? args[0].list.n : 1); i++)
        FL_TRY(add_files(session, f, is_list ? &args[0].list.items[i] : &args[0], &arena, &table, err));
    FL_TRY(fl_filled_table_finish(&table, fl_str_of(f->name), ret, err));
cleanup:
    fl_filled_table_drop(&table);
    fl_arena_drop(&arena);
    return st;
}

void fl_whole_files_offer(fl_nearest *near)
{
    for (int64_t i = 0; i < FL_LEN(functions); i++)
        fl_nearest_offer(near, fl_str_of(functions[i].name));
}
