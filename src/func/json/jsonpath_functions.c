/* PostgreSQL's functions of SQL/JSON paths: jsonb_path_exists (j @? path), jsonb_path_match (j @@ path), jsonb_path_query and its kin. With _tz
 * behind the name a time without a zone may be compared with one that has a zone. */
#include "func/json/jsonpath.h"

#include "exec/pieces.h"
#include "func/json/json.h"

static fl_status prepare(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                         void **ret, fl_err *err)
{
    fl_err why = {0};
    const fl_jsonpath *path = NULL;
    (void)func;
    *ret = NULL;
    if (n_args < 2 || args[1] == NULL || args[1]->is_null)
        return FL_OK;
    fl_status st = fl_jsonpath_parse(arena, args[1]->s, &path, &why);
    if (st == FL_OK)
        *ret = (void *)(uintptr_t)path;
    if (st == FL_OK || st == FL_ERR_VALUE || st == FL_ERR_UNSUPPORTED || st == FL_ERR_LIMIT)
        return FL_OK; /* a mistake is told when a row asks for it */
    if (err != NULL)
        *err = why;
    return st;
}

/* How a function differs from the others. */
typedef struct manner {
    bool is_silent;
    bool uses_zone;
} manner;

/* Readies a row's run; the caller has begun its work. */
static fl_status begin_run(fl_json_work *work, int32_t row, fl_jsonpath_run *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_call *call = work->call;
    const manner *how = call->func->ctx;
    *ret =
        (fl_jsonpath_run){.work = work, .path = call->state, .is_silent = how->is_silent, .uses_zone = how->uses_zone};
    FL_TRY(fl_json_read(work, fl_vec_str(&call->args[0], row), &ret->root, err));
    if (call->state == NULL)
        FL_TRY(fl_jsonpath_parse(call->heap, fl_vec_str(&call->args[1], row), &ret->path, err));
    if (call->n_args > 2) {
        FL_TRY(fl_json_read(work, fl_vec_str(&call->args[2], row), &ret->variables, err));
        if (!yyjson_is_obj(ret->variables))
            return fl_err_state(err, "22023",
                                FL_FAIL(err, FL_ERR_VALUE, "variables of a path are given as a JSON object"));
    }
    if (call->n_args > 3)
        ret->is_silent |= fl_bit_get(fl_arg_bits(call, 3), fl_vec_row(&call->args[3], row));
cleanup:
    return st;
}

/* ---- true or false --------------------------------------------------------------------------------------------------- */

typedef fl_status (*asker)(fl_jsonpath_run *run, bool *ret, bool *ret_is_null, fl_err *err);

static fl_status ask_exists(fl_jsonpath_run *run, bool *ret, bool *ret_is_null, fl_err *err)
{
    return fl_jsonpath_exists(run, ret, ret_is_null, err);
}

/* A single true, false or null. */
static fl_status ask_match(fl_jsonpath_run *run, bool *ret, bool *ret_is_null, fl_err *err)
{
    fl_jsonpath_items found;
    bool has_failed;
    fl_status st = fl_jsonpath_query(run, &found, &has_failed, err);
    *ret = false;
    *ret_is_null = true;
    if (st != FL_OK)
        return st;
    if (found.n == 1 && yyjson_is_bool(found.values[0])) {
        *ret = yyjson_get_bool(found.values[0]);
        *ret_is_null = false;
    } else if (!(found.n == 1 && yyjson_is_null(found.values[0])) && !run->is_silent) {
        return fl_err_state(
            err, "22038", FL_FAIL(err, FL_ERR_VALUE, "the path leads to no single true or false, as a condition does"));
    }
    return FL_OK;
}

static fl_status run_asker(fl_call *call, asker ask, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_json_work work;
        fl_jsonpath_run run;
        bool is = false, is_null = true;
        fl_bit_clear(fl_ret_bits(call), row);
        if (!fl_json_wants(call, row))
            continue;
        fl_json_begin(&work, call);
        st = begin_run(&work, row, &run, err);
        if (st == FL_OK)
            st = ask(&run, &is, &is_null, err);
        fl_json_end(&work);
        fl_bit_put(fl_ret_bits(call), row, is);
        if (is_null)
            fl_bit_clear(valid, row);
    }
cleanup:
    return st;
}

static fl_status exists(fl_call *call, fl_err *err)
{
    return run_asker(call, ask_exists, err);
}

static fl_status match(fl_call *call, fl_err *err)
{
    return run_asker(call, ask_match, err);
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

static fl_status put_array(fl_json_work *work, const fl_jsonpath_items *found, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text_add_char(text, '[');
    for (int64_t i = 0; i < found->n; i++) {
        if (i > 0)
            fl_text_add_char(text, ',');
        FL_TRY(fl_json_print_value(work, found->values[i], YYJSON_WRITE_NOFLAG, text, err));
    }
    fl_text_add_char(text, ']');
cleanup:
    return st;
}

static fl_status run_values(fl_call *call, bool is_array, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    fl_text text;
    fl_text_init(&text, NULL);
    FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_json_work work;
        fl_jsonpath_run run;
        fl_jsonpath_items found = {0};
        bool has_failed;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_json_wants(call, row))
            continue;
        fl_json_begin(&work, call);
        fl_text_clear(&text);
        st = begin_run(&work, row, &run, err);
        if (st == FL_OK)
            st = fl_jsonpath_query(&run, &found, &has_failed, err);
        if (st == FL_OK && is_array)
            st = put_array(&work, &found, &text, err);
        else if (st == FL_OK && found.n > 0)
            st = fl_json_print_value(&work, found.values[0], YYJSON_WRITE_NOFLAG, &text, err);
        fl_json_end(&work);
        if (st == FL_OK && (is_array || found.n > 0))
            st = fl_json_keep(call, row, &text, err);
        else
            fl_bit_clear(valid, row);
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status query_array(fl_call *call, fl_err *err)
{
    return run_values(call, true, err);
}

static fl_status query_first(fl_call *call, fl_err *err)
{
    return run_values(call, false, err);
}

static fl_status put_pieces(fl_call *call, int32_t row, fl_pieces *pieces, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_json_work work;
    fl_jsonpath_run run;
    fl_jsonpath_items found;
    bool has_failed;
    fl_json_begin(&work, call); /* what is made stays in the heap, and so does the tree under it */
    FL_TRY(begin_run(&work, row, &run, err));
    FL_TRY(fl_jsonpath_query(&run, &found, &has_failed, err));
    for (int64_t i = 0; i < found.n; i++) {
        fl_str kept;
        fl_text_clear(text);
        FL_TRY(fl_json_print_value(&work, found.values[i], YYJSON_WRITE_NOFLAG, text, err));
        FL_TRY(fl_text_status(text, err));
        FL_TRY(fl_arena_copy_str(call->heap, fl_text_str(text), &kept, err));
        FL_TRY(fl_pieces_add(call, pieces, kept, false, err));
    }
cleanup:
    return st;
}

static fl_status query(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n;
        if (fl_json_wants(call, row))
            FL_TRY(put_pieces(call, row, &pieces, &text, err));
        fl_pieces_end_row(call, &pieces, row, start);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    fl_text_drop(&text);
    return st;
}

/* ---- descriptors ----------------------------------------------------------------------------------------------------- */

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args < 2 || n_args > 4 || (n_args > 3 && args[3].id != FL_BOOL && args[3].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "JSON, a path, variables and whether errors are silent were expected");
    for (int32_t i = 0; i < n_args && i < 3; i++)
        if (!fl_type_is_text(args[i]) && args[i].id != FL_NULL)
            return FL_FAIL(err, FL_ERR_FUNCTION, "JSON and a path were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8), FL_TYPE(FL_BOOL)},
                            .n_args = n_args};
    return FL_OK;
}

#define RESOLVE(name, made, run_)                                                                          \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                      \
        fl_status st = resolve(args, n_args, ret, err);                                                    \
        ret->ret = made;                                                                                   \
        ret->run = run_;                                                                                   \
        return st;                                                                                         \
    }
RESOLVE(exists, FL_TYPE(FL_BOOL), exists)
RESOLVE(match, FL_TYPE(FL_BOOL), match)
RESOLVE(array, FL_TYPE_JSON, query_array)
RESOLVE(first, FL_TYPE_JSON, query_first)

static fl_status resolve_query(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_status st = resolve(args, n_args, ret, err);
    ret->run = query;
    return st == FL_OK ? fl_type_list_of(arena, FL_TYPE_JSON, &ret->ret, err) : st;
}

static const manner plain = {0}, silent = {.is_silent = true}, zoned = {.uses_zone = true};
static const fl_func_param params[] = {{.name = "target"},
                                       {.name = "path"},
                                       {.name = "vars", .otherwise = "{}"},
                                       {.name = "silent", .otherwise = "false"}};

#define FUNC(name_, resolver, how, traits_, help) \
    {FL_DESC(fl_func_desc),                       \
     .name = name_,                               \
     .traits = FL_JSON_TRAITS | (traits_),        \
     .resolve = resolve_##resolver,               \
     .prepare = prepare,                          \
     .ctx = (void *)(uintptr_t)&(how),            \
     .params = params,                            \
     .n_params = (int32_t)FL_LEN(params),         \
     .doc = help}
#define BOTH(name_, resolver, traits_, help)           \
    FUNC(name_, resolver, plain, traits_, name_ help), \
        FUNC(name_ "_tz", resolver, zoned, traits_, "as " name_ ", comparing times with and without zones")
#define ARGS "(j, path [, vars [, silent]]): "

static const fl_func_desc funcs[] = {
    BOTH("jsonb_path_exists", exists, FL_GIVES_NULL, ARGS "whether an SQL/JSON path leads to anything"),
    BOTH("jsonb_path_match", match, FL_GIVES_NULL, ARGS "what a path that is a condition comes to"),
    BOTH("jsonb_path_query", query, FL_ROWS, ARGS "the values that a path leads to, a row each"),
    BOTH("jsonb_path_query_array", array, 0, ARGS "the values that a path leads to, as an array"),
    BOTH("jsonb_path_query_first", first, FL_GIVES_NULL, ARGS "the first value that a path leads to"),
    FUNC("jsonb_path_exists_opr", exists, silent, FL_GIVES_NULL,
         "jsonb_path_exists_opr(j, path), j @? path: as jsonb_path_exists, silently"),
    FUNC("jsonb_path_match_opr", match, silent, FL_GIVES_NULL,
         "jsonb_path_match_opr(j, path), j @@ path: as jsonb_path_match, silently"),
};

FL_FUNC_SET(jsonpath, funcs);
