/* Finding the files, and their function. */
#include "engine/file_functions.h"

#include "base/file_glob.h"

static const fl_file_function *const groups[] = {fl_whole_file_functions, fl_parquet_functions, fl_csv_functions};

static const fl_file_function *find(fl_str name)
{
    for (int64_t g = 0; g < FL_LEN(groups); g++)
        for (const fl_file_function *f = groups[g]; f->name != NULL; f++)
            if (fl_str_is_equal_nocase(name, fl_str_of(f->name)))
                return f;
    return NULL;
}

typedef struct call {
    fl_session *session;
    const fl_file_function *function;
    const fl_option *options;
    int32_t n_options;
    fl_arena *arena;
    fl_filled_table *table;
} call;

static fl_status add_files(const call *c, const fl_value *pattern, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_file_function *f = c->function;
    fl_str *paths = NULL;
    int64_t n = 0;
    if (pattern->is_null || pattern->type.id != FL_UTF8)
        return FL_FAIL(err, FL_ERR_TYPE, "%s takes the name of a file, a pattern or a list of them", f->name);
    st = fl_file_glob(c->arena, pattern->s, &paths, &n, err);
    if (st == FL_ERR_TABLE && f->may_find_none) {
        fl_err_clear(err);
        return FL_OK;
    }
    for (int64_t i = 0; i < n && st == FL_OK; i++) {
        st = fl_interrupt_check(&c->session->interrupt, err);
        if (st == FL_OK)
            st = f->add(c->session, f, paths[i], c->options, c->n_options, c->arena, c->table, err);
    }
    return st;
}

fl_status fl_file_function_call(fl_session *session, fl_str name, const fl_value *args, int32_t n_args,
                                const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_filled_table table = {0};
    fl_arena arena;
    const fl_file_function *f = find(name);
    *ret = NULL;
    if (f == NULL)
        return FL_OK;
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "%s takes the name of a file, a pattern or a list of them", f->name);
    if (n_options > 0 && !f->has_options) {
        st = FL_FAIL(err, FL_ERR_FUNCTION, "%s has no option \"%.*s\"", f->name, FL_STR_ARG(options[0].name));
        fl_err_at(err, options[0].pos);
        return st;
    }
    fl_arena_init(&arena, &session->statement_memory);
    call c = {session, f, options, n_options, &arena, &table};
    FL_TRY(fl_filled_table_begin(&table, &session->engine->memory, &arena, f->columns, err));
    bool is_list = args[0].type.id == FL_LIST && !args[0].is_null;
    for (int64_t i = 0; i < (is_list ? args[0].list.n : 1); i++)
        FL_TRY(add_files(&c, is_list ? &args[0].list.items[i] : &args[0], err));
    FL_TRY(fl_filled_table_finish(&table, fl_str_of(f->name), ret, err));
cleanup:
    fl_filled_table_drop(&table);
    fl_arena_drop(&arena);
    return st;
}

void fl_file_functions_offer(fl_nearest *near)
{
    for (int64_t g = 0; g < FL_LEN(groups); g++)
        for (const fl_file_function *f = groups[g]; f->name != NULL; f++)
            fl_nearest_offer(near, fl_str_of(f->name));
}
