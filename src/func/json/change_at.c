/* jsonb_set, jsonb_insert, jsonb_delete_path (j #- path): a value of JSON is changed where a list of names and numbers leads, as PostgreSQL
 * has it (9.16). jsonb_exists, jsonb_exists_any, jsonb_exists_all (j ? 'a', j ?| list, j ?& list): whether names are there. */
#include "func/json/change.h"

typedef enum change_kind {
    SET,
    INSERT,
    DELETE,
} change_kind;

/* What is to be done at the end of a path. */
typedef struct change {
    fl_json_work *work;
    yyjson_mut_doc *doc;
    change_kind kind;
    bool flag; /* SET: what is missing is made; INSERT: behind the element */
    yyjson_mut_val *value;
    const fl_vec *names; /* of the path: [first, first + n) */
    int64_t first, n;
} change;

/* A step that is an element's number: *ret_index counts from the beginning, -1 for one before it. */
static fl_status read_index(const change *c, int64_t step, int64_t n_elements, int64_t *ret, fl_err *err)
{
    fl_str name = fl_vec_str(c->names, c->first + step);
    int64_t index = 0;
    bool is_negative = name.len > 1 && name.data[0] == '-';
    bool is_number = name.len > is_negative && name.len - is_negative <= 10;
    for (int64_t i = is_negative; i < name.len && is_number; i++) {
        is_number = name.data[i] >= '0' && name.data[i] <= '9';
        index = index * 10 + (name.data[i] - '0');
    }
    if (!is_number)
        return fl_err_state(err, "22P02",
                            FL_FAIL(err, FL_ERR_VALUE, "element %lld of the path is no number: \"%.*s\"",
                                    (long long)step + 1, FL_STR_ARG(name)));
    index = is_negative ? n_elements - index : index;
    *ret = index < 0 ? -1 : index;
    return FL_OK;
}

static fl_status change_object(const change *c, yyjson_mut_val *object, int64_t step, yyjson_mut_val **ret_next,
                               fl_err *err)
{
    fl_str name = fl_vec_str(c->names, c->first + step);
    yyjson_mut_val *known = yyjson_mut_obj_getn(object, name.data, (size_t)name.len);
    *ret_next = NULL;
    if (step < c->n - 1) {
        *ret_next = known;
        return FL_OK;
    }
    if (c->kind == DELETE) {
        yyjson_mut_obj_remove_strn(object, name.data, (size_t)name.len);
        return FL_OK;
    }
    if (c->kind == INSERT && known != NULL) {
        fl_status st = FL_FAIL(err, FL_ERR_VALUE, "there is a member \"%.*s\" already", FL_STR_ARG(name));
        fl_err_hint(err, "jsonb_set replaces it");
        return fl_err_state(err, "22023", st);
    }
    if (known != NULL || c->kind == INSERT || c->flag)
        yyjson_mut_obj_put(object, yyjson_mut_strncpy(c->doc, name.data, (size_t)name.len), c->value);
    return FL_OK;
}

static fl_status change_array(const change *c, yyjson_mut_val *array, int64_t step, yyjson_mut_val **ret_next,
                              fl_err *err)
{
    int64_t n = (int64_t)yyjson_mut_arr_size(array), at = 0;
    fl_status st = read_index(c, step, n, &at, err);
    *ret_next = NULL;
    if (st != FL_OK)
        return st;
    bool is_there = at >= 0 && at < n;
    if (step < c->n - 1)
        *ret_next = is_there ? yyjson_mut_arr_get(array, (size_t)at) : NULL;
    else if (c->kind == DELETE && is_there)
        yyjson_mut_arr_remove(array, (size_t)at);
    else if (c->kind == SET && is_there)
        yyjson_mut_arr_replace(array, (size_t)at, c->value);
    else if (c->kind == INSERT || (c->kind == SET && c->flag)) {
        at = at < 0 ? 0 : at > n ? n : c->kind == INSERT && c->flag && is_there ? at + 1 : at;
        yyjson_mut_arr_insert(array, c->value, (size_t)at);
    }
    return FL_OK;
}

/* Follows the path as far as there is something, and changes what is at its end. */
static fl_status change_row(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, change_kind kind, bool flag,
                            yyjson_mut_val **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *path = &work->call->args[1];
    fl_list_entry entry = ((const fl_list_entry *)path->data)[fl_vec_row(path, row)];
    change c = {.work = work,
                .doc = doc,
                .kind = kind,
                .flag = flag,
                .names = path->child,
                .first = entry.start,
                .n = entry.len};
    FL_TRY(fl_json_read_arg(work, doc, 0, row, ret, err));
    if (kind != DELETE)
        FL_TRY(fl_json_read_arg(work, doc, 2, row, &c.value, err));
    if (!yyjson_mut_is_ctn(*ret))
        return fl_err_state(err, "22023", FL_FAIL(err, FL_ERR_VALUE, "a single JSON value has no paths"));
    yyjson_mut_val *at = *ret, *next = NULL;
    for (int64_t step = 0; step < c.n; step++, at = next) {
        if (!fl_vec_is_valid(c.names, c.first + step))
            return fl_err_state(err, "22004",
                                FL_FAIL(err, FL_ERR_VALUE, "element %lld of the path is null", (long long)step + 1));
        if (yyjson_mut_is_obj(at))
            FL_TRY(change_object(&c, at, step, &next, err));
        else
            FL_TRY(change_array(&c, at, step, &next, err));
        if (next == NULL || !yyjson_mut_is_ctn(next))
            break;
    }
    FL_TRY(fl_call_work(work->call, 16 * c.n, err));
    if (work->memory.failure.code != FL_OK)
        st = fl_json_fail_memory(work, err);
cleanup:
    return st;
}

static bool flag_of(const fl_json_work *work, int32_t row, bool otherwise)
{
    const fl_vec *flag = &work->call->args[3];
    return work->call->n_args > 3 ? fl_bit_get(flag->data, fl_vec_row(flag, row)) : otherwise;
}

static fl_status setting(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    return change_row(work, doc, row, SET, flag_of(work, row, true), ret, err);
}

static fl_status inserting(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    return change_row(work, doc, row, INSERT, flag_of(work, row, false), ret, err);
}

static fl_status deleting(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    return change_row(work, doc, row, DELETE, false, ret, err);
}

static fl_status set(fl_call *call, fl_err *err)
{
    return fl_json_change(call, setting, err);
}

static fl_status insert(fl_call *call, fl_err *err)
{
    return fl_json_change(call, inserting, err);
}

static fl_status take_away(fl_call *call, fl_err *err)
{
    return fl_json_change(call, deleting, err);
}

/* ---- names ---------------------------------------------------------------------------------------------------------- */

/* Whether it is an object's member, an array's string, or the string itself. */
static bool has_name(yyjson_val *value, fl_str name)
{
    size_t i, max;
    yyjson_val *item;
    if (yyjson_is_obj(value))
        return yyjson_obj_getn(value, name.data, (size_t)name.len) != NULL;
    if (!yyjson_is_arr(value))
        return yyjson_equals_strn(value, name.data, (size_t)name.len);
    yyjson_arr_foreach(value, i, max, item)
    {
        if (yyjson_equals_strn(item, name.data, (size_t)name.len))
            return true;
    }
    return false;
}

/* wants: what one name must be for the answer to be known; the answer is that then. */
static fl_status test(fl_call *call, bool is_list, bool wants, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *names = &call->args[1];
    for (int32_t row = 0; row < call->rows; row++) {
        bool is = false;
        if (fl_json_wants(call, row)) {
            fl_json_work work;
            yyjson_val *value = NULL;
            fl_json_begin(&work, call);
            st = fl_json_read(&work, fl_vec_str(&call->args[0], row), &value, err);
            if (st == FL_OK && !is_list) {
                is = has_name(value, fl_vec_str(names, row));
            } else if (st == FL_OK) {
                fl_list_entry entry = ((const fl_list_entry *)names->data)[fl_vec_row(names, row)];
                is = !wants;
                for (int64_t i = entry.start; is != wants && i < (int64_t)entry.start + entry.len; i++)
                    if (fl_vec_is_valid(names->child, i) && has_name(value, fl_vec_str(names->child, i)) == wants)
                        is = wants;
                st = fl_call_work(call, 16 * (int64_t)entry.len, err);
            }
            fl_json_end(&work);
        }
        fl_bit_put(fl_ret_bits(call), row, is);
        FL_TRY(st);
    }
cleanup:
    return st;
}

static fl_status has(fl_call *call, fl_err *err)
{
    return test(call, false, true, err);
}

static fl_status has_any(fl_call *call, fl_err *err)
{
    return test(call, true, true, err);
}

static fl_status has_all(fl_call *call, fl_err *err)
{
    return test(call, true, false, err);
}

/* ---- descriptors ---------------------------------------------------------------------------------------------------- */

static bool is_list_of_texts(fl_type type)
{
    return type.id == FL_LIST && type.extension == FL_PLAIN &&
           (fl_type_is_text(type.fields[0].type) || type.fields[0].type.id == FL_NULL);
}

static bool is_json(fl_type type)
{
    return type.id == FL_NULL || fl_type_is_text(type) || type.extension == FL_JSON;
}

/* (j, path) with n_values more of JSON, and a flag where there is one argument more */
static fl_status choose(const fl_type *args, int32_t n_args, int32_t n_values, fl_type result, fl_func_run run,
                        fl_func_choice *ret, fl_err *err)
{
    bool fits = n_args >= 2 + n_values && n_args <= 2 + n_values * 2 && is_json(args[0]);
    fits = fits && (is_list_of_texts(args[1]) || args[1].id == FL_NULL || fl_type_is_text(args[1]));
    fits = fits && (n_args < 3 || is_json(args[2])) && (n_args < 4 || args[3].id == FL_BOOL || args[3].id == FL_NULL);
    if (!fits)
        return FL_FAIL(err, FL_ERR_FUNCTION, "JSON and a list of names were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8), FL_TYPE(FL_BOOL)},
                            .n_args = n_args,
                            .ret = result,
                            .run = run,
                            .arena = ret->arena};
    return fl_type_list_of(ret->arena, FL_TYPE(FL_UTF8), &ret->args[1], err);
}

static fl_status resolve_set(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return choose(args, n_args, 1, FL_TYPE_JSON, set, ret, err);
}

static fl_status resolve_insert(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return choose(args, n_args, 1, FL_TYPE_JSON, insert, ret, err);
}

static fl_status resolve_delete(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return choose(args, n_args, 0, FL_TYPE_JSON, take_away, ret, err);
}

static fl_status resolve_any(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return choose(args, n_args, 0, FL_TYPE(FL_BOOL), has_any, ret, err);
}

static fl_status resolve_all(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return choose(args, n_args, 0, FL_TYPE(FL_BOOL), has_all, ret, err);
}

#define FUNC(name_, resolve_, help) \
    {FL_DESC(fl_func_desc), .name = name_, .traits = FL_JSON_TRAITS, .resolve = resolve_, .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("jsonb_set", resolve_set,
         "jsonb_set(j, path, k [, makes]): k at the end of a list of names; what is missing there is made, unless "
         "makes is false"),
    FUNC("jsonb_insert", resolve_insert,
         "jsonb_insert(j, path, k [, behind]): k as a new member, or before (behind) the element at the end of a list "
         "of names"),
    FUNC("jsonb_delete_path", resolve_delete,
         "jsonb_delete_path(j, path), j #- path: without what is at the end of a list of names"),
    {FL_DESC(fl_func_desc), .name = "jsonb_exists", .traits = FL_JSON_TRAITS,
     .doc = "jsonb_exists(j, name), j ? name: whether an object has the member, or an array the string",
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, 0, has}}, .n_overloads = 1},
    FUNC("jsonb_exists_any", resolve_any, "jsonb_exists_any(j, names), j ?| names: whether any of them is there"),
    FUNC("jsonb_exists_all", resolve_all, "jsonb_exists_all(j, names), j ?& names: whether all of them are"),
};

FL_FUNC_SET(json_change_at, funcs);
