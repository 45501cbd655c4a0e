/* JSON as rows: json_array_elements, json_array_elements_text, json_object_keys, json_each, json_tree, jsonb_each. Each gives a list, whose
 * elements are rows where the function stands in FROM or a select list (FL_ROWS).
 *
 * json_each and json_tree tell of each value what DuckDB tells: its key, its number in the document (values and names are counted in the
 * order in which they are written, from 0), in a tree its parent's, and its path. */
#include "arrow/value.h"
#include "func/json/json.h"

/* Lists that grow row by row. */
typedef struct rows {
    fl_value *values; /* in the call's heap */
    int64_t n, capacity;
} rows;

static fl_status add(fl_call *call, rows *to, const fl_value *value, fl_err *err)
{
    fl_status st = FL_OK;
    if (to->n == to->capacity) {
        fl_value *values = NULL;
        int64_t capacity = to->n * 2 + 64;
        if (to->n >= INT32_MAX)
            return FL_FAIL(err, FL_ERR_LIMIT, "lists would have more than 2,147,483,647 elements");
        FL_TRY(FL_NEW_ARRAY(call->heap, capacity, &values, err));
        FL_TRY(fl_work_copy(&call->work, values, to->values, to->n * (int64_t)sizeof(*values), err));
        to->values = values;
        to->capacity = capacity;
    }
    to->values[to->n++] = *value;
cleanup:
    return st;
}

/* The result's child of all values. */
static fl_status finish(fl_call *call, const rows *from, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_value **ptrs = NULL;
    fl_vec *child = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, from->n + 1, &ptrs, err));
    FL_TRY(FL_NEW(call->heap, &child, err));
    for (int64_t i = 0; i < from->n; i++)
        ptrs[i] = &from->values[i];
    FL_TRY(fl_vec_from_values(call->heap, call->ret->type.fields[0].type, ptrs, from->n, child, err));
    call->ret->child = child;
    call->ret->child_rows = from->n;
cleanup:
    return st;
}

/* ---- values of rows ------------------------------------------------------------------------------------------------ */

static fl_status keep_text(fl_json_work *work, fl_text *text, fl_type type, fl_value *ret, fl_err *err)
{
    *ret = (fl_value){.type = type};
    fl_status st = fl_text_status(text, err);
    return st != FL_OK ? st : fl_arena_copy_str(work->call->heap, fl_text_str(text), &ret->s, err);
}

static fl_status json_of(fl_json_work *work, yyjson_val *value, fl_value *ret, fl_err *err)
{
    fl_text text;
    fl_text_init(&text, NULL);
    fl_status st = fl_json_print_value(work, value, YYJSON_WRITE_NOFLAG, &text, err);
    if (st == FL_OK)
        st = keep_text(work, &text, FL_TYPE_JSON, ret, err);
    fl_text_drop(&text);
    return st;
}

/* Null of JSON's null. */
static fl_status text_of(fl_json_work *work, yyjson_val *value, fl_value *ret, fl_err *err)
{
    fl_text text;
    *ret = (fl_value){.type = FL_TYPE(FL_UTF8), .is_null = true};
    if (yyjson_is_null(value))
        return FL_OK;
    fl_text_init(&text, NULL);
    fl_status st = fl_json_print_plain(work, value, &text, err);
    if (st == FL_OK)
        st = keep_text(work, &text, FL_TYPE(FL_UTF8), ret, err);
    fl_text_drop(&text);
    return st;
}

static fl_status fail_kind(yyjson_val *value, const char *wanted, fl_err *err)
{
    return fl_err_state(err, "22023",
                        FL_FAIL(err, FL_ERR_VALUE, "the JSON is no %s but %s", wanted,
                                yyjson_is_obj(value)   ? "an object"
                                : yyjson_is_arr(value) ? "an array"
                                                       : "a single value"));
}

typedef fl_status (*adder)(fl_json_work *work, int32_t row, yyjson_val *value, rows *to, fl_err *err);

static fl_status run(fl_call *call, adder add_row, fl_err *err)
{
    fl_status st = FL_OK;
    rows made = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = made.n;
        if (fl_json_wants(call, row)) {
            fl_json_work work;
            yyjson_val *value;
            fl_json_begin(&work, call); /* what is made stays in the heap, and so does the tree under it */
            FL_TRY(fl_json_read(&work, fl_vec_str(&call->args[0], row), &value, err));
            FL_TRY(add_row(&work, row, value, &made, err));
        }
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(made.n - start)};
    }
    st = finish(call, &made, err);
cleanup:
    return st;
}

/* ---- arrays and objects -------------------------------------------------------------------------------------------- */

static fl_status add_elements(fl_json_work *work, int32_t row, yyjson_val *value, rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_text = fl_type_is_text(work->call->ret->type.fields[0].type);
    size_t i, n;
    yyjson_val *item;
    (void)row;
    if (!yyjson_is_arr(value))
        return fail_kind(value, "array", err);
    yyjson_arr_foreach(value, i, n, item)
    {
        fl_value made;
        FL_TRY(is_text ? text_of(work, item, &made, err) : json_of(work, item, &made, err));
        FL_TRY(add(work->call, to, &made, err));
    }
cleanup:
    return st;
}

static fl_status add_keys(fl_json_work *work, int32_t row, yyjson_val *value, rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    size_t i, n;
    yyjson_val *name, *member;
    (void)row;
    if (!yyjson_is_obj(value))
        return fail_kind(value, "object", err);
    yyjson_obj_foreach(value, i, n, name, member)
    {
        fl_value made;
        (void)member;
        FL_TRY(text_of(work, name, &made, err));
        FL_TRY(add(work->call, to, &made, err));
    }
cleanup:
    return st;
}

/* Key and value of each member. */
static fl_status add_members(fl_json_work *work, int32_t row, yyjson_val *value, rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = work->call->ret->type.fields[0].type;
    size_t i, n;
    yyjson_val *name, *member;
    (void)row;
    if (!yyjson_is_obj(value))
        return fail_kind(value, "object", err);
    yyjson_obj_foreach(value, i, n, name, member)
    {
        fl_value made = {.type = type}, *parts = NULL;
        FL_TRY(FL_NEW_ARRAY(work->call->heap, 2, &parts, err));
        FL_TRY(text_of(work, name, &parts[0], err));
        FL_TRY(fl_type_is_text(type.fields[1].type) ? text_of(work, member, &parts[1], err)
                                                    : json_of(work, member, &parts[1], err));
        made.list.items = parts;
        made.list.n = 2;
        FL_TRY(add(work->call, to, &made, err));
    }
cleanup:
    return st;
}

/* ---- json_each, json_tree ------------------------------------------------------------------------------------------ */

enum { PART_KEY, PART_VALUE, PART_TYPE, PART_ATOM, PART_ID, PART_PARENT, PART_FULLKEY, PART_PATH, PARTS };

typedef struct walk {
    fl_json_work *work;
    rows *to;
    const yyjson_val *root; /* of the document, in whose memory all values lie one behind another */
    bool is_deep;           /* json_tree: all of it; else the values right below */
} walk;

static const char *type_name(yyjson_val *value)
{
    return yyjson_is_obj(value)    ? "OBJECT"
           : yyjson_is_arr(value)  ? "ARRAY"
           : yyjson_is_str(value)  ? "VARCHAR"
           : yyjson_is_null(value) ? "NULL"
           : yyjson_is_bool(value) ? "BOOLEAN"
           : yyjson_is_uint(value) ? "UBIGINT"
           : yyjson_is_sint(value) ? "BIGINT"
                                   : "DOUBLE";
}

/* $.a, $."a b", $[0] */
static fl_status path_below(walk *w, fl_str path, yyjson_val *name, int64_t index, fl_str *ret, fl_err *err)
{
    fl_text text;
    fl_text_init(&text, NULL);
    fl_text_add(&text, path);
    if (name == NULL) {
        fl_text_addf(&text, "[%lld]", (long long)index);
    } else {
        fl_str s = fl_json_str(name);
        bool is_plain = s.len > 0;
        for (int64_t i = 0; i < s.len; i++)
            is_plain &= (s.data[i] >= '0' && s.data[i] <= '9') ||
                        ((s.data[i] | 32) >= 'a' && (s.data[i] | 32) <= 'z') || s.data[i] == '_';
        fl_text_addf(&text, is_plain ? ".%.*s" : ".\"%.*s\"", FL_STR_ARG(s));
    }
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(w->work->call->heap, fl_text_str(&text), ret, err);
    fl_text_drop(&text);
    return st;
}

static fl_status add_value(walk *w, yyjson_val *name, int64_t index, yyjson_val *value, int64_t parent, fl_str path,
                           fl_str full, fl_err *err)
{
    fl_status st = FL_OK;
    fl_call *call = w->work->call;
    fl_value row = {.type = call->ret->type.fields[0].type}, *parts = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, PARTS, &parts, err));
    parts[PART_KEY] = (fl_value){.type = FL_TYPE(FL_UTF8), .is_null = true};
    if (name != NULL) {
        FL_TRY(text_of(w->work, name, &parts[PART_KEY], err));
    } else if (index >= 0) {
        parts[PART_KEY].is_null = false;
        FL_TRY(fl_arena_format(call->heap, &parts[PART_KEY].s, err, "%lld", (long long)index));
    }
    FL_TRY(json_of(w->work, value, &parts[PART_VALUE], err));
    parts[PART_TYPE] = (fl_value){.type = FL_TYPE(FL_UTF8), .s = fl_str_of(type_name(value))};
    parts[PART_ATOM] = parts[PART_VALUE];
    parts[PART_ATOM].is_null = yyjson_is_ctn(value) || yyjson_is_null(value);
    parts[PART_ID] = (fl_value){.type = FL_TYPE(FL_U64), .u = (uint64_t)(value - w->root)};
    parts[PART_PARENT] = (fl_value){.type = FL_TYPE(FL_U64), .u = (uint64_t)parent, .is_null = parent < 0};
    parts[PART_FULLKEY] = (fl_value){.type = FL_TYPE(FL_UTF8), .s = full};
    parts[PART_PATH] = (fl_value){.type = FL_TYPE(FL_UTF8), .s = path};
    row.list.items = parts;
    row.list.n = PARTS;
    st = add(call, w->to, &row, err);
cleanup:
    return st;
}

static fl_status walk_below(walk *w, yyjson_val *value, int64_t parent, fl_str path, fl_err *err)
{
    fl_status st = FL_OK;
    size_t i, n;
    yyjson_val *name = NULL, *item;
    yyjson_obj_iter members;
    yyjson_obj_iter_init(value, &members);
    n = yyjson_is_obj(value) ? yyjson_obj_size(value) : yyjson_arr_size(value);
    for (i = 0; i < n; i++) {
        fl_str full;
        if (yyjson_is_obj(value)) {
            name = yyjson_obj_iter_next(&members);
            item = yyjson_obj_iter_get_val(name);
        } else {
            item = i == 0 ? yyjson_arr_get_first(value) : unsafe_yyjson_get_next(item);
        }
        FL_TRY(fl_call_work(w->work->call, 64, err));
        FL_TRY(path_below(w, path, name, (int64_t)i, &full, err));
        FL_TRY(add_value(w, name, (int64_t)i, item, parent, path, full, err));
        if (w->is_deep)
            FL_TRY(walk_below(w, item, item - w->root, full, err));
    }
cleanup:
    return st;
}

/* Where the walk begins: the document, or what a path leads to. */
static fl_status begin_walk(walk *w, int32_t row, yyjson_val *root, yyjson_val **ret, fl_str *ret_path, fl_err *err)
{
    fl_call *call = w->work->call;
    *ret = root;
    *ret_path = FL_STR("$");
    if (call->n_args < 2)
        return FL_OK;
    *ret_path = fl_vec_str(&call->args[1], row);
    return fl_json_find(root, *ret_path, ret, err);
}

static fl_status add_each(fl_json_work *work, int32_t row, yyjson_val *value, rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    walk w = {.work = work, .to = to, .root = value};
    fl_str path;
    FL_TRY(begin_walk(&w, row, value, &value, &path, err));
    if (value == NULL)
        return FL_OK;
    st = yyjson_is_ctn(value) ? walk_below(&w, value, -1, path, err)
                              : add_value(&w, NULL, -1, value, -1, path, path, err);
cleanup:
    return st;
}

static fl_status add_tree(fl_json_work *work, int32_t row, yyjson_val *value, rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    walk w = {.work = work, .to = to, .root = value, .is_deep = true};
    fl_str path;
    FL_TRY(begin_walk(&w, row, value, &value, &path, err));
    if (value == NULL)
        return FL_OK;
    FL_TRY(add_value(&w, NULL, -1, value, -1, path, path, err));
    st = walk_below(&w, value, value - w.root, path, err);
cleanup:
    return st;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_status run_elements(fl_call *call, fl_err *err)
{
    return run(call, add_elements, err);
}
static fl_status run_keys(fl_call *call, fl_err *err)
{
    return run(call, add_keys, err);
}
static fl_status run_members(fl_call *call, fl_err *err)
{
    return run(call, add_members, err);
}
static fl_status run_each(fl_call *call, fl_err *err)
{
    return run(call, add_each, err);
}
static fl_status run_tree(fl_call *call, fl_err *err)
{
    return run(call, add_tree, err);
}

static fl_status resolve(const fl_type *args, int32_t n_args, int32_t n_max, fl_type element, fl_func_run run_,
                         fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    for (int32_t i = 0; i < n_args; i++)
        if (!fl_type_is_text(args[i]) && args[i].id != FL_NULL)
            return FL_FAIL(err, FL_ERR_FUNCTION, "JSON was expected");
    if (n_args < 1 || n_args > n_max)
        return FL_FAIL(err, FL_ERR_FUNCTION, "JSON was expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)}, .n_args = n_args, .run = run_};
    return fl_type_list_of(arena, element, &ret->ret, err);
}

static fl_type struct_of(const fl_field *fields, int32_t n)
{
    return (fl_type){.id = FL_STRUCT, .n_fields = n, .fields = fields};
}

static const fl_field json_members[] = {{FL_STR_INIT("key"), {.id = FL_UTF8}, true},
                                        {FL_STR_INIT("value"), FL_TYPE_JSON, true}};
static const fl_field text_members[] = {{FL_STR_INIT("key"), {.id = FL_UTF8}, true},
                                        {FL_STR_INIT("value"), {.id = FL_UTF8}, true}};
static const fl_field values[PARTS] = {
    [PART_KEY] = {FL_STR_INIT("key"), {.id = FL_UTF8}, true},
    [PART_VALUE] = {FL_STR_INIT("value"), FL_TYPE_JSON, true},
    [PART_TYPE] = {FL_STR_INIT("type"), {.id = FL_UTF8}, true},
    [PART_ATOM] = {FL_STR_INIT("atom"), FL_TYPE_JSON, true},
    [PART_ID] = {FL_STR_INIT("id"), {.id = FL_U64}, true},
    [PART_PARENT] = {FL_STR_INIT("parent"), {.id = FL_U64}, true},
    [PART_FULLKEY] = {FL_STR_INIT("fullkey"), {.id = FL_UTF8}, true},
    [PART_PATH] = {FL_STR_INIT("path"), {.id = FL_UTF8}, true},
};

#define RESOLVE(name, n_max, element, run_)                                                                \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                      \
        return resolve(args, n_args, n_max, element, run_, ret, err);                                      \
    }
RESOLVE(elements, 1, FL_TYPE_JSON, run_elements)
RESOLVE(elements_text, 1, FL_TYPE(FL_UTF8), run_elements)
RESOLVE(keys, 1, FL_TYPE(FL_UTF8), run_keys)
RESOLVE(members, 1, struct_of(json_members, 2), run_members)
RESOLVE(members_text, 1, struct_of(text_members, 2), run_members)
RESOLVE(each, 2, struct_of(values, PARTS), run_each)
RESOLVE(tree, 2, struct_of(values, PARTS), run_tree)

#define FUNC(name_, resolver, help)                                                                           \
    {FL_DESC(fl_func_desc), .name = name_, .traits = FL_JSON_TRAITS | FL_ROWS, .resolve = resolve_##resolver, \
     .doc = help}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "json_array_elements", .traits = FL_JSON_TRAITS | FL_ROWS, .row_name = "value",
     .resolve = resolve_elements, .doc = "json_array_elements(j): the elements of an array, a row each"},
    {FL_DESC(fl_func_desc), .name = "json_array_elements_text", .traits = FL_JSON_TRAITS | FL_ROWS, .row_name = "value",
     .resolve = resolve_elements_text, .doc = "json_array_elements_text(j): the texts of elements, a row each"},
    FUNC("json_object_keys", keys, "json_object_keys(j): the names of an object's members, a row each"),
    FUNC("jsonb_each", members, "jsonb_each(j): key and value of an object's members, a row each"),
    FUNC("json_each_text", members_text, "json_each_text(j): key and text of an object's members, a row each"),
    FUNC("json_each", each, "json_each(j [, path]): the values right below, a row each"),
    FUNC("json_tree", tree, "json_tree(j [, path]): all values, a row each"),
};

FL_FUNC_SET(json_elements, funcs);
