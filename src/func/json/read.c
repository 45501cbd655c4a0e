/* Reading from JSON: json_extract (->), json_extract_string (->>), json_value, json_exists, json_type, json_array_length, json_keys,
 * json_contains, json_valid, and PostgreSQL's json_extract_path and json_typeof. */
#include "func/json/json.h"

#include "exec/pieces.h"

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

/* What is made of the value at the end of a path; *ret_is_null where nothing is. */
typedef fl_status (*reader)(fl_json_work *work, yyjson_val *value, int32_t row, fl_text *text, bool *ret_is_null,
                            fl_err *err);

/* The value that the row's path leads to: a text, or an element's number; without one it is all. */
static fl_status value_at(fl_json_work *work, int32_t row, yyjson_val **ret, fl_err *err)
{
    fl_call *call = work->call;
    yyjson_val *root = NULL;
    fl_status st = fl_json_read(work, fl_vec_str(&call->args[0], row), &root, err);
    *ret = root;
    if (st != FL_OK || call->n_args < 2)
        return st;
    const fl_vec *path = &call->args[1];
    if (path->type.id != FL_I64)
        return fl_json_find(root, fl_vec_str(path, row), ret, err);
    int64_t index = ((const int64_t *)path->data)[fl_vec_row(path, row)], n = (int64_t)yyjson_arr_size(root);
    index = index < 0 ? n + index : index;
    *ret = index >= 0 && index < n ? yyjson_arr_get(root, (size_t)index) : NULL;
    return FL_OK;
}

static fl_status put_row(fl_call *call, int32_t row, reader reads, fl_text *text, bool *ret_is_null, fl_err *err)
{
    fl_status st = FL_OK;
    fl_json_work work;
    yyjson_val *value = NULL;
    fl_json_begin(&work, call);
    fl_text_clear(text);
    FL_TRY(value_at(&work, row, &value, err));
    *ret_is_null = value == NULL;
    if (value != NULL)
        FL_TRY(reads(&work, value, row, text, ret_is_null, err));
cleanup:
    fl_json_end(&work);
    return st;
}

/* is_text: what the reader adds is the result; others write theirs themselves. */
static fl_status run(fl_call *call, reader reads, bool is_text, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    fl_text text;
    fl_text_init(&text, NULL);
    FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t row = 0; row < call->rows; row++) {
        bool is_null = true;
        if (is_text)
            fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_json_wants(call, row))
            continue;
        FL_TRY(put_row(call, row, reads, &text, &is_null, err));
        if (is_null)
            fl_bit_clear(valid, row);
        else if (is_text)
            FL_TRY(fl_json_keep(call, row, &text, err));
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

/* ---- json_extract and its kin -------------------------------------------------------------------------------------- */

static fl_status read_json(fl_json_work *work, yyjson_val *value, int32_t row, fl_text *text, bool *ret_is_null,
                           fl_err *err)
{
    (void)row;
    (void)ret_is_null;
    return fl_json_print_value(work, value, YYJSON_WRITE_NOFLAG, text, err);
}

/* JSON's null is no text. */
static fl_status read_plain(fl_json_work *work, yyjson_val *value, int32_t row, fl_text *text, bool *ret_is_null,
                            fl_err *err)
{
    (void)row;
    *ret_is_null = yyjson_is_null(value);
    return *ret_is_null ? FL_OK : fl_json_print_plain(work, value, text, err);
}

/* Neither objects nor arrays are. */
static fl_status read_scalar(fl_json_work *work, yyjson_val *value, int32_t row, fl_text *text, bool *ret_is_null,
                             fl_err *err)
{
    (void)row;
    *ret_is_null = yyjson_is_null(value) || yyjson_is_ctn(value);
    return *ret_is_null ? FL_OK : fl_json_print_value(work, value, YYJSON_WRITE_NOFLAG, text, err);
}

static fl_status extract(fl_call *call, fl_err *err)
{
    return run(call, read_json, true, err);
}
static fl_status extract_string(fl_call *call, fl_err *err)
{
    return run(call, read_plain, true, err);
}
static fl_status value_of(fl_call *call, fl_err *err)
{
    return run(call, read_scalar, true, err);
}

/* ---- several paths -------------------------------------------------------------------------------------------------- */

static fl_status put_list(fl_call *call, int32_t row, bool is_plain, fl_pieces *pieces, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_json_work work;
    yyjson_val *root = NULL;
    fl_list_entry paths = ((const fl_list_entry *)call->args[1].data)[fl_vec_row(&call->args[1], row)];
    fl_json_begin(&work, call);
    fl_text_clear(text);
    int64_t *ends = NULL; /* where each one's text ends; below zero: it is null */
    FL_TRY(FL_NEW_ARRAY(call->heap, paths.len + 1, &ends, err));
    FL_TRY(fl_json_read(&work, fl_vec_str(&call->args[0], row), &root, err));
    for (int32_t i = 0; i < paths.len; i++) {
        yyjson_val *value = NULL;
        if (fl_vec_is_valid(call->args[1].child, paths.start + i))
            FL_TRY(fl_json_find(root, fl_vec_str(call->args[1].child, paths.start + i), &value, err));
        bool is_null = value == NULL || (is_plain && yyjson_is_null(value));
        if (!is_null)
            FL_TRY(is_plain ? fl_json_print_plain(&work, value, text, err)
                            : fl_json_print_value(&work, value, YYJSON_WRITE_NOFLAG, text, err));
        ends[i] = is_null ? -1 : text->len;
    }
    FL_TRY(fl_text_status(text, err));
    char *out = NULL;
    int64_t from = 0;
    FL_TRY(fl_call_room(call, text->len + 1, &out, err)); /* stays, and so does what lies in front of it */
    if (text->len > 0)
        memcpy(out, text->data, (size_t)text->len);
    for (int32_t i = 0; i < paths.len; i++) {
        int64_t end = ends[i] < 0 ? from : ends[i];
        FL_TRY(fl_pieces_add(call, pieces, (fl_str){out + from, end - from}, ends[i] < 0, err));
        from = end;
    }
    return FL_OK;
cleanup:
    fl_json_end(&work);
    return st;
}

static fl_status lists(fl_call *call, bool is_plain, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n;
        if (fl_json_wants(call, row))
            FL_TRY(put_list(call, row, is_plain, &pieces, &text, err));
        fl_pieces_end_row(call, &pieces, row, start);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status extract_list(fl_call *call, fl_err *err)
{
    return lists(call, false, err);
}
static fl_status extract_string_list(fl_call *call, fl_err *err)
{
    return lists(call, true, err);
}

/* ---- what there is -------------------------------------------------------------------------------------------------- */

static fl_status read_type(fl_json_work *work, yyjson_val *value, int32_t row, fl_text *text, bool *ret_is_null,
                           fl_err *err)
{
    (void)work;
    (void)row;
    (void)ret_is_null;
    (void)err;
    const char *name = yyjson_is_obj(value)    ? "OBJECT"
                       : yyjson_is_arr(value)  ? "ARRAY"
                       : yyjson_is_str(value)  ? "VARCHAR"
                       : yyjson_is_null(value) ? "NULL"
                       : yyjson_is_bool(value) ? "BOOLEAN"
                       : yyjson_is_uint(value) ? "UBIGINT"
                       : yyjson_is_sint(value) ? "BIGINT"
                                               : "DOUBLE";
    fl_text_add(text, fl_str_of(name));
    return FL_OK;
}

static fl_status read_typeof(fl_json_work *work, yyjson_val *value, int32_t row, fl_text *text, bool *ret_is_null,
                             fl_err *err)
{
    (void)work;
    (void)row;
    (void)ret_is_null;
    (void)err;
    const char *name = yyjson_is_obj(value)    ? "object"
                       : yyjson_is_arr(value)  ? "array"
                       : yyjson_is_str(value)  ? "string"
                       : yyjson_is_null(value) ? "null"
                       : yyjson_is_bool(value) ? "boolean"
                                               : "number";
    fl_text_add(text, fl_str_of(name));
    return FL_OK;
}

static fl_status read_length(fl_json_work *work, yyjson_val *value, int32_t row, fl_text *text, bool *ret_is_null,
                             fl_err *err)
{
    (void)text;
    (void)ret_is_null;
    (void)err;
    fl_ret_u64(work->call)[row] = yyjson_arr_size(value);
    return FL_OK;
}

static fl_status type_of(fl_call *call, fl_err *err)
{
    return run(call, read_type, true, err);
}
static fl_status typeof_of(fl_call *call, fl_err *err)
{
    return run(call, read_typeof, true, err);
}
static fl_status array_length(fl_call *call, fl_err *err)
{
    memset((void *)(uintptr_t)call->ret->data, 0, (size_t)call->rows * 8);
    return run(call, read_length, false, err);
}

static fl_status exists(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_json_work work;
        yyjson_val *value = NULL;
        fl_bit_clear(fl_ret_bits(call), row);
        if (!fl_json_wants(call, row))
            continue;
        fl_json_begin(&work, call);
        st = value_at(&work, row, &value, err);
        fl_bit_put(fl_ret_bits(call), row, value != NULL);
        fl_json_end(&work);
    }
    return st;
}

static fl_status valid_json(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_json_work work;
        bool is_valid = false;
        if (fl_json_wants(call, row)) {
            fl_json_begin(&work, call);
            st = fl_json_is_valid(&work, fl_vec_str(&call->args[0], row), &is_valid, err);
            fl_json_end(&work);
        }
        fl_bit_put(fl_ret_bits(call), row, is_valid);
    }
    return st;
}

/* ---- json_keys ----------------------------------------------------------------------------------------------------- */

static fl_status put_keys(fl_call *call, int32_t row, fl_pieces *pieces, bool *ret_is_null, fl_err *err)
{
    fl_status st = FL_OK;
    fl_json_work work;
    yyjson_val *value = NULL, *key;
    yyjson_obj_iter keys;
    fl_json_begin(&work, call); /* names stay where they are: in the tree */
    FL_TRY(value_at(&work, row, &value, err));
    *ret_is_null = value == NULL;
    yyjson_obj_iter_init(value, &keys);
    while ((key = yyjson_obj_iter_next(&keys)) != NULL) {
        fl_str name = fl_json_str(key);
        if (name.len > 0 && memchr(name.data, 0, (size_t)name.len) != NULL)
            return fl_err_state(err, "22P05",
                                FL_FAIL(err, FL_ERR_VALUE, "a JSON string with \\u0000 cannot be a text"));
        FL_TRY(fl_pieces_add(call, pieces, name, false, err));
    }
cleanup:
    return st;
}

static fl_status keys(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    uint64_t *valid = NULL;
    FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n;
        bool is_null = false;
        if (fl_json_wants(call, row))
            FL_TRY(put_keys(call, row, &pieces, &is_null, err));
        if (is_null)
            fl_bit_clear(valid, row);
        fl_pieces_end_row(call, &pieces, row, start);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    return st;
}

/* ---- json_contains ------------------------------------------------------------------------------------------------- */

/* Whether all of an object's members are in the other's, all elements of an array in the other one, or the values are the same. */
static bool covers(yyjson_val *whole, yyjson_val *part)
{
    size_t i, max, j, other_max;
    yyjson_val *key, *value, *other;
    if (yyjson_is_obj(whole) && yyjson_is_obj(part)) {
        yyjson_obj_foreach(part, i, max, key, value)
        {
            other = yyjson_obj_getn(whole, yyjson_get_str(key), yyjson_get_len(key));
            if (other == NULL || !covers(other, value))
                return false;
        }
        return true;
    }
    if (yyjson_is_arr(whole) && yyjson_is_arr(part)) {
        yyjson_arr_foreach(part, i, max, value)
        {
            bool found = false;
            yyjson_arr_foreach(whole, j, other_max, other)
            {
                found = covers(other, value);
                if (found)
                    break;
            }
            if (!found)
                return false;
        }
        return true;
    }
    return yyjson_equals(whole, part);
}

static bool contains_value(yyjson_val *whole, yyjson_val *part)
{
    size_t i, max;
    yyjson_val *key, *value;
    if (covers(whole, part))
        return true;
    if (yyjson_is_arr(whole)) {
        yyjson_arr_foreach(whole, i, max, value)
        {
            if (contains_value(value, part))
                return true;
        }
    } else if (yyjson_is_obj(whole)) {
        yyjson_obj_foreach(whole, i, max, key, value)
        {
            if (contains_value(value, part))
                return true;
        }
    }
    return false;
}

static fl_status contains_row(fl_call *call, int32_t row, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_json_work work;
    yyjson_val *whole = NULL, *part = NULL;
    fl_json_begin(&work, call);
    FL_TRY(fl_json_read(&work, fl_vec_str(&call->args[0], row), &whole, err));
    FL_TRY(fl_json_read(&work, fl_vec_str(&call->args[1], row), &part, err));
    *ret = contains_value(whole, part);
cleanup:
    fl_json_end(&work);
    return st;
}

static fl_status contains(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        bool found = false;
        if (fl_json_wants(call, row))
            st = contains_row(call, row, &found, err);
        fl_bit_put(fl_ret_bits(call), row, found);
    }
    return st;
}

/* ---- PostgreSQL's paths: a name or a number after the other -------------------------------------------------------- */

static yyjson_val *step_by_text(yyjson_val *from, fl_str step)
{
    int64_t index = 0, at = step.len > 1 && step.data[0] == '-';
    if (yyjson_is_obj(from))
        return yyjson_obj_getn(from, step.data, (size_t)step.len);
    if (!yyjson_is_arr(from) || step.len == 0)
        return NULL;
    for (int64_t i = at; i < step.len; i++) {
        if (step.data[i] < '0' || step.data[i] > '9' || index > INT32_MAX)
            return NULL;
        index = index * 10 + (step.data[i] - '0');
    }
    index = at > 0 ? (int64_t)yyjson_arr_size(from) - index : index;
    return index >= 0 ? yyjson_arr_get(from, (size_t)index) : NULL;
}

static fl_list_entry entry_of(const fl_vec *list, int32_t row)
{
    return ((const fl_list_entry *)list->data)[fl_vec_row(list, row)];
}

static fl_status put_path_row(fl_call *call, int32_t row, bool is_plain, fl_text *text, bool *ret_is_null, fl_err *err)
{
    fl_status st = FL_OK;
    fl_json_work work;
    yyjson_val *value = NULL;
    fl_json_begin(&work, call);
    fl_text_clear(text);
    FL_TRY(fl_json_read(&work, fl_vec_str(&call->args[0], row), &value, err));
    const fl_vec *list = call->args[1].type.id == FL_LIST ? &call->args[1] : NULL;
    for (int32_t a = 1; a < call->n_args && value != NULL && list == NULL; a++)
        value = step_by_text(value, fl_vec_str(&call->args[a], row));
    for (int32_t i = 0; list != NULL && i < entry_of(list, row).len && value != NULL; i++) {
        int64_t at = (int64_t)entry_of(list, row).start + i;
        value = fl_vec_is_valid(list->child, at) ? step_by_text(value, fl_vec_str(list->child, at)) : NULL;
    }
    *ret_is_null = value == NULL || (is_plain && yyjson_is_null(value));
    if (!*ret_is_null)
        FL_TRY(is_plain ? fl_json_print_plain(&work, value, text, err)
                        : fl_json_print_value(&work, value, YYJSON_WRITE_NOFLAG, text, err));
cleanup:
    fl_json_end(&work);
    return st;
}

static fl_status by_path(fl_call *call, bool is_plain, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    fl_text text;
    fl_text_init(&text, NULL);
    FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t row = 0; row < call->rows; row++) {
        bool is_null = false;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_json_wants(call, row))
            continue;
        FL_TRY(put_path_row(call, row, is_plain, &text, &is_null, err));
        if (is_null)
            fl_bit_clear(valid, row);
        else
            FL_TRY(fl_json_keep(call, row, &text, err));
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status extract_path(fl_call *call, fl_err *err)
{
    return by_path(call, false, err);
}
static fl_status extract_path_text(fl_call *call, fl_err *err)
{
    return by_path(call, true, err);
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_status resolve_path(const fl_type *args, int32_t n_args, fl_func_run one, fl_func_run several, fl_type made,
                              fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    bool fits = n_args == 2 && (args[0].id == FL_UTF8 || args[0].id == FL_NULL);
    bool is_list = fits && args[1].id == FL_LIST && args[1].fields[0].type.id == FL_UTF8;
    bool is_number = fits && fl_type_is_integer(args[1]) && fl_cast_is_implicit(args[1], FL_TYPE(FL_I64), NULL);
    if (!fits || (!is_list && !is_number && args[1].id != FL_UTF8 && args[1].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION,
                       "a JSON text and a path, an element's number or a list of paths were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), is_list ? args[1] : FL_TYPE(is_number ? FL_I64 : FL_UTF8)},
                            .n_args = 2,
                            .ret = made,
                            .run = is_list ? several : one};
    return is_list ? fl_type_list_of(arena, made, &ret->ret, err) : FL_OK;
}

static fl_status resolve_extract(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_path(args, n_args, extract, extract_list, FL_TYPE_JSON, ret, err);
}

static fl_status resolve_string(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_path(args, n_args, extract_string, extract_string_list, FL_TYPE(FL_UTF8), ret, err);
}

/* j #> '{a,0}': names and numbers as a list. */
static fl_status resolve_list(const fl_type *args, int32_t n_args, fl_type made, fl_func_run run_, fl_func_choice *ret,
                              fl_err *err)
{
    fl_arena *arena = ret->arena;
    bool fits = n_args == 2 && (fl_type_is_text(args[0]) || args[0].id == FL_NULL) &&
                (args[1].id == FL_NULL || (args[1].id == FL_LIST && fl_type_is_text(args[1].fields[0].type)));
    if (!fits)
        return FL_FAIL(err, FL_ERR_FUNCTION, "JSON and a list of names were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8)}, .n_args = 2, .ret = made, .run = run_};
    return fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->args[1], err);
}

static fl_status resolve_at(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_list(args, n_args, FL_TYPE_JSON, extract_path, ret, err);
}

static fl_status resolve_text_at(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_list(args, n_args, FL_TYPE(FL_UTF8), extract_path_text, ret, err);
}

static fl_status resolve_keys(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    for (int32_t i = 0; i < n_args; i++)
        if (args[i].id != FL_UTF8 && args[i].id != FL_NULL)
            return FL_FAIL(err, FL_ERR_FUNCTION, "a JSON text and a path were expected");
    if (n_args < 1 || n_args > 2)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a JSON text and a path were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)}, .n_args = n_args, .run = keys};
    return fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->ret, err);
}

#define RESOLVED(name_, resolve_, help) \
    {FL_DESC(fl_func_desc), .name = name_, .traits = FL_JSON_TRAITS | FL_GIVES_NULL, .resolve = resolve_, .doc = help}
#define FUNC(name_, more, help, ...)                       \
    {FL_DESC(fl_func_desc),                                \
     .name = name_,                                        \
     .traits = FL_JSON_TRAITS | (more),                    \
     .doc = help,                                          \
     .overloads = (const fl_func_overload[]){__VA_ARGS__}, \
     .n_overloads = (int32_t)FL_LEN(((const fl_func_overload[]){__VA_ARGS__}))}
#define WITH_PATH(ret_, run_)                    \
    {FL_ARGS(FL_UTF8), ret_, 0, run_},           \
    {                                            \
        FL_ARGS(FL_UTF8, FL_UTF8), ret_, 0, run_ \
    }

static const fl_func_desc funcs[] = {
    RESOLVED(
        "json_extract", resolve_extract,
        "json_extract(j, path): the JSON at a path ($.a[0], /a/0, a name, an element's number), or a list of such"),
    RESOLVED("->", resolve_extract, "j -> path: as json_extract"),
    RESOLVED("json_extract_string", resolve_string, "json_extract_string(j, path): its text; null for JSON's null"),
    RESOLVED("->>", resolve_string, "j ->> path: as json_extract_string"),
    RESOLVED("#>", resolve_at, "j #> path: the JSON at a list of names and numbers"),
    RESOLVED("#>>", resolve_text_at, "j #>> path: its text"),
    FUNC("json_extract_path", FL_GIVES_NULL, "json_extract_path(j, a, b, ...): the JSON at these names and numbers",
         {FL_ARGS(FL_UTF8, FL_UTF8), FL_OF_JSON, FL_VARIADIC, extract_path}),
    FUNC("json_extract_path_text", FL_GIVES_NULL,
         "json_extract_path_text(j, a, b, ...): the text at these names and numbers",
         {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, FL_VARIADIC, extract_path_text}),
    FUNC("json_value", FL_GIVES_NULL, "json_value(j, path): the JSON there, if it is neither an object nor an array",
         {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, 0, value_of}),
    FUNC("json_exists", 0, "json_exists(j, path): whether there is something at a path",
         {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, 0, exists}),
    FUNC("json_type", FL_GIVES_NULL,
         "json_type(j [, path]): OBJECT, ARRAY, VARCHAR, BIGINT, UBIGINT, DOUBLE, BOOLEAN or NULL",
         WITH_PATH(FL_UTF8, type_of)),
    FUNC("json_typeof", FL_GIVES_NULL, "json_typeof(j): object, array, string, number, boolean or null",
         {FL_ARGS(FL_UTF8), FL_UTF8, 0, typeof_of}),
    FUNC("json_array_length", FL_GIVES_NULL, "json_array_length(j [, path]): elements of an array, 0 of all else",
         WITH_PATH(FL_U64, array_length)),
    RESOLVED("json_keys", resolve_keys, "json_keys(j [, path]): the names of an object's members"),
    FUNC("json_contains", 0, "json_contains(j, k): whether k is in j, at any depth",
         {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, 0, contains}),
    FUNC("json_valid", 0, "json_valid(x): whether a text is JSON", {FL_ARGS(FL_UTF8), FL_BOOL, 0, valid_json}),
};

FL_FUNC_SET(json_read, funcs);
