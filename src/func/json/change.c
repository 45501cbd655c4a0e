/* JSON made of JSON: json, json_pretty, json_normalize, json_strip_nulls, json_structure; json_merge_patch (RFC 7396),
 * json_merge_patch_diff, json_deep_merge; json_concat, json_delete; json_set, json_insert, json_replace, json_remove. */
#include "func/json/change.h"

#include "arrow/value.h"

#include <stdlib.h>

static fl_status put_row(fl_call *call, int32_t row, fl_json_changer change, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_json_work work;
    yyjson_mut_val *value = NULL;
    size_t len = 0;
    fl_json_begin(&work, call);
    fl_text_clear(text);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&work.memory.alc);
    if (doc == NULL) {
        st = fl_json_fail_memory(&work, err);
        goto cleanup;
    }
    FL_TRY(change(&work, doc, row, &value, err));
    const char *out =
        value != NULL ? yyjson_mut_val_write_opts(value, YYJSON_WRITE_NOFLAG, &work.memory.alc, &len, NULL) : NULL;
    if (out == NULL) {
        st = fl_json_fail_memory(&work, err);
        goto cleanup;
    }
    fl_text_add(text, (fl_str){out, (int64_t)len});
    FL_TRY(fl_call_work(call, (int64_t)len, err));
cleanup:
    fl_json_end(&work);
    return st;
}

fl_status fl_json_change(fl_call *call, fl_json_changer change, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_json_wants(call, row))
            continue;
        FL_TRY(put_row(call, row, change, &text, err));
        FL_TRY(fl_json_keep(call, row, &text, err));
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

fl_status fl_json_read_arg(fl_json_work *work, yyjson_mut_doc *doc, int32_t arg, int32_t row, yyjson_mut_val **ret,
                           fl_err *err)
{
    yyjson_val *value = NULL;
    fl_status st = fl_json_read(work, fl_vec_str(&work->call->args[arg], row), &value, err);
    if (st != FL_OK)
        return st;
    *ret = yyjson_val_mut_copy(doc, value);
    return *ret != NULL ? FL_OK : fl_json_fail_memory(work, err);
}

/* ---- printing ------------------------------------------------------------------------------------------------------ */

static fl_status print(fl_call *call, yyjson_write_flag flags, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_json_work work;
        yyjson_val *value = NULL;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_json_wants(call, row))
            continue;
        fl_text_clear(&text);
        fl_json_begin(&work, call);
        st = fl_json_read(&work, fl_vec_str(&call->args[0], row), &value, err);
        if (st == FL_OK)
            st = fl_json_print_value(&work, value, flags, &text, err);
        fl_json_end(&work);
        FL_TRY(st);
        FL_TRY(fl_json_keep(call, row, &text, err));
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status plain(fl_call *call, fl_err *err)
{
    return print(call, YYJSON_WRITE_NOFLAG, err);
}
static fl_status pretty(fl_call *call, fl_err *err)
{
    return print(call, YYJSON_WRITE_PRETTY, err);
}

/* ---- json_normalize, json_strip_nulls ------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
    yyjson_mut_val *const *x = a, *const *y = b;
    size_t len_x = yyjson_mut_get_len(*x), len_y = yyjson_mut_get_len(*y);
    int order = memcmp(yyjson_mut_get_str(*x), yyjson_mut_get_str(*y), len_x < len_y ? len_x : len_y);
    return order != 0 ? order : (len_x > len_y) - (len_x < len_y);
}

/* Members in the order of their names. */
static fl_status sort_members(fl_json_work *work, yyjson_mut_val *value, fl_err *err)
{
    fl_status st = FL_OK;
    size_t i, max;
    yyjson_mut_val *key, *member, **keys = NULL;
    int64_t n = 0;
    if (yyjson_mut_is_arr(value)) {
        yyjson_mut_arr_foreach(value, i, max, member)
        {
            FL_TRY(sort_members(work, member, err));
        }
        return FL_OK;
    }
    if (!yyjson_mut_is_obj(value))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(work->call->heap, (int64_t)yyjson_mut_obj_size(value) * 2 + 2, &keys, err));
    yyjson_mut_obj_foreach(value, i, max, key, member)
    {
        FL_TRY(sort_members(work, member, err));
        keys[2 * n] = key;
        keys[2 * n++ + 1] = member;
    }
    qsort(keys, (size_t)n, 2 * sizeof(*keys), compare_names);
    yyjson_mut_obj_clear(value);
    for (int64_t k = 0; k < n; k++)
        yyjson_mut_obj_add(value, keys[2 * k], keys[2 * k + 1]);
    st = fl_call_work(work->call, 16 * n, err);
cleanup:
    return st;
}

static fl_status normalized(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    fl_status st = fl_json_read_arg(work, doc, 0, row, ret, err);
    return st != FL_OK ? st : sort_members(work, *ret, err);
}

static void strip(yyjson_mut_val *value)
{
    size_t i, max;
    yyjson_mut_val *key, *member;
    if (yyjson_mut_is_arr(value)) {
        yyjson_mut_arr_foreach(value, i, max, member)
        {
            strip(member);
        }
    } else if (yyjson_mut_is_obj(value)) {
        yyjson_mut_obj_iter members;
        yyjson_mut_obj_iter_init(value, &members);
        while ((key = yyjson_mut_obj_iter_next(&members)) != NULL) {
            member = yyjson_mut_obj_iter_get_val(key);
            if (yyjson_mut_is_null(member))
                yyjson_mut_obj_iter_remove(&members);
            else
                strip(member);
        }
    }
}

static fl_status stripped(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    fl_status st = fl_json_read_arg(work, doc, 0, row, ret, err);
    if (st == FL_OK)
        strip(*ret);
    return st;
}

/* ---- json_structure ------------------------------------------------------------------------------------------------ */

static const char *type_name(yyjson_val *value)
{
    return yyjson_is_str(value)    ? "VARCHAR"
           : yyjson_is_null(value) ? "NULL"
           : yyjson_is_bool(value) ? "BOOLEAN"
           : yyjson_is_uint(value) ? "UBIGINT"
           : yyjson_is_sint(value) ? "BIGINT"
                                   : "DOUBLE";
}

/* The type that holds both: numbers meet, NULL gives way, all else is JSON. */
static yyjson_mut_val *common(yyjson_mut_doc *doc, yyjson_mut_val *a, yyjson_mut_val *b)
{
    size_t i, max;
    yyjson_mut_val *key, *member;
    if (a == NULL || yyjson_mut_equals_str(a, "NULL"))
        return b;
    if (yyjson_mut_equals_str(b, "NULL") || yyjson_mut_equals(a, b))
        return a;
    if (yyjson_mut_is_arr(a) && yyjson_mut_is_arr(b)) {
        yyjson_mut_val *ret = yyjson_mut_arr(doc);
        yyjson_mut_arr_append(ret, common(doc, yyjson_mut_arr_get_first(a), yyjson_mut_arr_get_first(b)));
        return ret;
    }
    if (yyjson_mut_is_obj(a) && yyjson_mut_is_obj(b)) {
        yyjson_mut_obj_foreach(b, i, max, key, member)
        {
            yyjson_mut_val *old = yyjson_mut_obj_getn(a, yyjson_mut_get_str(key), yyjson_mut_get_len(key));
            yyjson_mut_val *name = yyjson_mut_val_mut_copy(doc, key);
            yyjson_mut_val *type = yyjson_mut_val_mut_copy(doc, common(doc, old, member));
            yyjson_mut_obj_put(a, name, type);
        }
        return a;
    }
    const char *x = yyjson_mut_get_str(a), *y = yyjson_mut_get_str(b);
    if (x != NULL && y != NULL && strstr("UBIGINT DOUBLE", x) != NULL && strstr("UBIGINT DOUBLE", y) != NULL)
        return yyjson_mut_str(doc, strcmp(x, "DOUBLE") == 0 || strcmp(y, "DOUBLE") == 0 ? "DOUBLE" : "BIGINT");
    return yyjson_mut_str(doc, "JSON");
}

static yyjson_mut_val *structure_of(yyjson_mut_doc *doc, yyjson_val *value)
{
    size_t i, max;
    yyjson_val *key, *member;
    if (yyjson_is_arr(value)) {
        yyjson_mut_val *ret = yyjson_mut_arr(doc), *element = yyjson_mut_str(doc, "NULL");
        yyjson_arr_foreach(value, i, max, member)
        {
            element = common(doc, element, structure_of(doc, member));
        }
        yyjson_mut_arr_append(ret, element);
        return ret;
    }
    if (!yyjson_is_obj(value))
        return yyjson_mut_str(doc, type_name(value));
    yyjson_mut_val *ret = yyjson_mut_obj(doc);
    yyjson_obj_foreach(value, i, max, key, member)
    {
        yyjson_mut_obj_add(ret, yyjson_val_mut_copy(doc, key), structure_of(doc, member));
    }
    return ret;
}

static fl_status structured(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    yyjson_val *value = NULL;
    fl_status st = fl_json_read(work, fl_vec_str(&work->call->args[0], row), &value, err);
    if (st != FL_OK)
        return st;
    *ret = structure_of(doc, value);
    return work->memory.failure.code == FL_OK ? FL_OK : fl_json_fail_memory(work, err);
}

/* ---- merging ------------------------------------------------------------------------------------------------------- */

static fl_status merge_patched(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    fl_status st = fl_json_read_arg(work, doc, 0, row, ret, err);
    for (int32_t a = 1; a < work->call->n_args && st == FL_OK; a++) {
        yyjson_mut_val *patch = NULL;
        st = fl_json_read_arg(work, doc, a, row, &patch, err);
        if (st == FL_OK)
            *ret = yyjson_mut_merge_patch(doc, *ret, patch);
        if (st == FL_OK && *ret == NULL)
            st = fl_json_fail_memory(work, err);
    }
    return st;
}

/* The patch that makes b of a; NULL where there is nothing to change. */
static yyjson_mut_val *difference(yyjson_mut_doc *doc, yyjson_val *a, yyjson_val *b)
{
    size_t i, max;
    yyjson_val *key, *member;
    if (!yyjson_is_obj(a) || !yyjson_is_obj(b))
        return yyjson_equals(a, b) ? NULL : yyjson_val_mut_copy(doc, b);
    yyjson_mut_val *ret = yyjson_mut_obj(doc);
    yyjson_obj_foreach(a, i, max, key, member)
    {
        yyjson_val *other = yyjson_obj_getn(b, yyjson_get_str(key), yyjson_get_len(key));
        yyjson_mut_val *change = other != NULL ? difference(doc, member, other) : yyjson_mut_null(doc);
        if (change != NULL)
            yyjson_mut_obj_add(ret, yyjson_val_mut_copy(doc, key), change);
    }
    yyjson_obj_foreach(b, i, max, key, member)
    {
        if (yyjson_obj_getn(a, yyjson_get_str(key), yyjson_get_len(key)) == NULL)
            yyjson_mut_obj_add(ret, yyjson_val_mut_copy(doc, key), yyjson_val_mut_copy(doc, member));
    }
    return yyjson_mut_obj_size(ret) > 0 ? ret : NULL;
}

static fl_status differing(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    fl_status st = FL_OK;
    yyjson_val *a = NULL, *b = NULL;
    FL_TRY(fl_json_read(work, fl_vec_str(&work->call->args[0], row), &a, err));
    FL_TRY(fl_json_read(work, fl_vec_str(&work->call->args[1], row), &b, err));
    *ret = difference(doc, a, b);
    if (*ret == NULL)
        *ret = yyjson_mut_obj(doc);
    if (work->memory.failure.code != FL_OK)
        st = fl_json_fail_memory(work, err);
cleanup:
    return st;
}

/* Members of both; where both have one, objects are merged, null changes nothing, all else comes from b. */
static yyjson_mut_val *deep_merge(yyjson_mut_doc *doc, yyjson_mut_val *a, yyjson_mut_val *b)
{
    size_t i, max;
    yyjson_mut_val *key, *member;
    if (!yyjson_mut_is_obj(a) || !yyjson_mut_is_obj(b))
        return yyjson_mut_is_null(b) ? a : b;
    yyjson_mut_obj_foreach(b, i, max, key, member)
    {
        yyjson_mut_val *old = yyjson_mut_obj_getn(a, yyjson_mut_get_str(key), yyjson_mut_get_len(key));
        yyjson_mut_val *merged = old != NULL ? deep_merge(doc, yyjson_mut_val_mut_copy(doc, old), member) : member;
        yyjson_mut_obj_put(a, yyjson_mut_val_mut_copy(doc, key), yyjson_mut_val_mut_copy(doc, merged));
    }
    return a;
}

static fl_status deep_merged(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    fl_status st = fl_json_read_arg(work, doc, 0, row, ret, err);
    for (int32_t a = 1; a < work->call->n_args && st == FL_OK; a++) {
        yyjson_mut_val *other = NULL;
        st = fl_json_read_arg(work, doc, a, row, &other, err);
        if (st == FL_OK)
            *ret = deep_merge(doc, *ret, other);
        if (st == FL_OK && work->memory.failure.code != FL_OK)
            st = fl_json_fail_memory(work, err);
    }
    return st;
}

/* j || k, as PostgreSQL has it: members of both, the second's win; elements of both, where what is no array is one of its own. */
static fl_status joined(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    fl_status st = FL_OK;
    size_t i, max;
    yyjson_mut_val *other = NULL, *key, *item;
    FL_TRY(fl_json_read_arg(work, doc, 0, row, ret, err));
    FL_TRY(fl_json_read_arg(work, doc, 1, row, &other, err));
    if (yyjson_mut_is_obj(*ret) && yyjson_mut_is_obj(other)) {
        yyjson_mut_obj_foreach(other, i, max, key, item)
        {
            yyjson_mut_obj_put(*ret, yyjson_mut_val_mut_copy(doc, key), yyjson_mut_val_mut_copy(doc, item));
        }
    } else {
        yyjson_mut_val *list = yyjson_mut_arr(doc), *sides[] = {*ret, other};
        for (int s = 0; s < 2; s++) {
            if (!yyjson_mut_is_arr(sides[s])) {
                yyjson_mut_arr_append(list, sides[s]);
                continue;
            }
            yyjson_mut_arr_foreach(sides[s], i, max, item)
            {
                yyjson_mut_arr_append(list, yyjson_mut_val_mut_copy(doc, item));
            }
        }
        *ret = list;
    }
    if (work->memory.failure.code != FL_OK || *ret == NULL)
        st = fl_json_fail_memory(work, err);
cleanup:
    return st;
}

static void take_name(yyjson_mut_val *from, fl_str name)
{
    if (yyjson_mut_is_obj(from)) {
        yyjson_mut_obj_remove_strn(from, name.data, (size_t)name.len);
        return;
    }
    yyjson_mut_arr_iter items = yyjson_mut_arr_iter_with(from);
    for (yyjson_mut_val *item; (item = yyjson_mut_arr_iter_next(&items)) != NULL;)
        if (yyjson_mut_equals_strn(item, name.data, (size_t)name.len))
            yyjson_mut_arr_iter_remove(&items);
}

/* j - 'a' without a member, or the elements that are that string; j - ['a', 'b'] without several; j - 0 without an element, from the end
 * where it is negative. */
static fl_status lessened(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    const fl_vec *what = &work->call->args[1];
    fl_status st = fl_json_read_arg(work, doc, 0, row, ret, err);
    if (st != FL_OK)
        return st;
    if (!yyjson_mut_is_ctn(*ret) || (what->type.id == FL_I64 && !yyjson_mut_is_arr(*ret)))
        return fl_err_state(err, "22023",
                            FL_FAIL(err, FL_ERR_VALUE, "nothing can be taken away from %s",
                                    yyjson_mut_is_ctn(*ret) ? "an object by number" : "a single JSON value"));
    if (what->type.id == FL_I64) {
        int64_t index = ((const int64_t *)what->data)[fl_vec_row(what, row)], n = (int64_t)yyjson_mut_arr_size(*ret);
        index = index < 0 ? n + index : index;
        if (index >= 0 && index < n)
            yyjson_mut_arr_remove(*ret, (size_t)index);
        return FL_OK;
    }
    if (what->type.id == FL_UTF8) {
        take_name(*ret, fl_vec_str(what, row));
        return FL_OK;
    }
    fl_list_entry names = ((const fl_list_entry *)what->data)[fl_vec_row(what, row)];
    for (int64_t i = names.start; i < (int64_t)names.start + names.len; i++)
        if (fl_vec_is_valid(what->child, i))
            take_name(*ret, fl_vec_str(what->child, i));
    return fl_call_work(work->call, 16 * (int64_t)names.len, err);
}

/* ---- one value ------------------------------------------------------------------------------------------------------ */

typedef struct rights {
    bool may_add, may_replace;
} rights;

/* Puts a value at the end of a path (NULL: takes away what is there), as far as there is a right to; objects on the way are made. */
static fl_status put_at(fl_json_work *work, yyjson_mut_doc *doc, fl_str path, rights may, yyjson_mut_val *new_value,
                        yyjson_mut_val **root, fl_err *err)
{
    fl_status st = FL_OK;
    yyjson_mut_val *at = *root;
    int64_t next = 1;
    fl_json_step step;
    bool is_step;
    if (path.len == 0 || path.data[0] != '$')
        return fl_err_state(err, "22023",
                            FL_FAIL(err, FL_ERR_VALUE, "%s takes paths as $.a[0]", work->call->func->name));
    FL_TRY(fl_json_next_step(path, &next, &step, &is_step, err));
    if (!is_step) {
        *root = may.may_replace && new_value != NULL ? new_value : *root;
        return FL_OK;
    }
    for (;;) {
        fl_json_step after;
        bool is_more;
        FL_TRY(fl_json_next_step(path, &next, &after, &is_more, err));
        yyjson_mut_val *child = NULL;
        int64_t n = (int64_t)yyjson_mut_arr_size(at), index = step.is_from_end ? n - step.index : step.index;
        bool is_member = step.name.data != NULL && yyjson_mut_is_obj(at);
        bool is_element = step.name.data == NULL && yyjson_mut_is_arr(at) && index >= 0 && index <= n;
        if (!is_member && !is_element)
            return FL_OK; /* nothing is there, and nothing can be */
        child = is_member   ? yyjson_mut_obj_getn(at, step.name.data, (size_t)step.name.len)
                : index < n ? yyjson_mut_arr_get(at, (size_t)index)
                            : NULL;
        yyjson_mut_val *put =
            is_more ? (child == NULL && may.may_add && new_value != NULL ? yyjson_mut_obj(doc) : NULL) : new_value;
        if (!is_more && child != NULL && new_value == NULL) {
            if (is_member)
                yyjson_mut_obj_remove_strn(at, step.name.data, (size_t)step.name.len);
            else
                yyjson_mut_arr_remove(at, (size_t)index);
        } else if (put != NULL && (child != NULL ? may.may_replace : may.may_add)) {
            if (is_member)
                yyjson_mut_obj_put(at, yyjson_mut_strncpy(doc, step.name.data, (size_t)step.name.len), put);
            else if (child != NULL)
                yyjson_mut_arr_replace(at, (size_t)index, put);
            else
                yyjson_mut_arr_append(at, put);
            child = put;
        }
        if (!is_more || child == NULL)
            break;
        at = child;
        step = after;
    }
    if (work->memory.failure.code != FL_OK)
        st = fl_json_fail_memory(work, err);
cleanup:
    return st;
}

static fl_status put_value(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, rights may, yyjson_mut_val **ret,
                           fl_err *err)
{
    fl_status st = FL_OK;
    yyjson_mut_val *value = NULL;
    FL_TRY(fl_json_read_arg(work, doc, 0, row, ret, err));
    if (work->call->n_args > 2)
        FL_TRY(fl_json_read_arg(work, doc, 2, row, &value, err));
    st = put_at(work, doc, fl_vec_str(&work->call->args[1], row), may, value, ret, err);
cleanup:
    return st;
}

static fl_status setting(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    return put_value(work, doc, row, (rights){true, true}, ret, err);
}
static fl_status inserting(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    return put_value(work, doc, row, (rights){true, false}, ret, err);
}
static fl_status replacing(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    return put_value(work, doc, row, (rights){false, true}, ret, err);
}
static fl_status removing(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret, fl_err *err)
{
    return put_value(work, doc, row, (rights){false, false}, ret, err);
}

#define RUN(name, change)                             \
    static fl_status name(fl_call *call, fl_err *err) \
    {                                                 \
        return fl_json_change(call, change, err);     \
    }
RUN(normalize, normalized)
RUN(strip_nulls, stripped)
RUN(structure, structured)
RUN(merge_patch, merge_patched)
RUN(merge_patch_diff, differing)
RUN(merge_deep, deep_merged)
RUN(join, joined)
RUN(lessen, lessened)
RUN(set, setting)
RUN(insert, inserting)
RUN(replace, replacing)
RUN(take_away, removing)

static fl_status resolve_delete(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    bool fits = n_args == 2 && (fl_type_is_text(args[0]) || args[0].id == FL_NULL);
    bool is_list = fits && args[1].id == FL_LIST && fl_type_is_text(args[1].fields[0].type);
    bool is_number = fits && fl_type_is_integer(args[1]) && fl_cast_is_implicit(args[1], FL_TYPE(FL_I64), NULL);
    if (!fits || (!is_list && !is_number && !fl_type_is_text(args[1]) && args[1].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "JSON and a name, a list of names or an element's number were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), FL_TYPE(is_number ? FL_I64 : FL_UTF8)},
                            .n_args = 2,
                            .ret = FL_TYPE_JSON,
                            .run = lessen};
    return is_list ? fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->args[1], err) : FL_OK;
}

#define FUNC(name_, more, run_, help, ...)                                                             \
    {                                                                                                  \
        FL_DESC(fl_func_desc), .name = name_, .traits = FL_JSON_TRAITS, .doc = help, .n_overloads = 1, \
            .overloads = (const fl_func_overload[])                                                    \
        {                                                                                              \
            {                                                                                          \
                FL_ARGS(__VA_ARGS__), FL_OF_JSON, more, run_                                           \
            }                                                                                          \
        }                                                                                              \
    }

static const fl_func_desc funcs[] = {
    FUNC("json", 0, plain, "json(x): a JSON text without blanks; an error where it is none", FL_UTF8),
    FUNC("json_pretty", 0, pretty, "json_pretty(j): a line for each value", FL_UTF8),
    FUNC("json_normalize", 0, normalize, "json_normalize(j): members in the order of their names, without blanks",
         FL_UTF8),
    FUNC("json_strip_nulls", 0, strip_nulls, "json_strip_nulls(j): without members that are null", FL_UTF8),
    FUNC("json_structure", 0, structure, "json_structure(j): the types of its values, as JSON", FL_UTF8),
    FUNC("json_merge_patch", FL_VARIADIC, merge_patch,
         "json_merge_patch(j, k, ...): j changed by k; null takes a member away", FL_UTF8, FL_UTF8),
    FUNC("json_merge_patch_diff", 0, merge_patch_diff, "json_merge_patch_diff(j, k): the patch that makes k of j",
         FL_UTF8, FL_UTF8),
    FUNC("json_deep_merge", FL_VARIADIC, merge_deep,
         "json_deep_merge(j, k, ...): members of both; null changes nothing", FL_UTF8, FL_UTF8),
    FUNC("json_concat", 0, join, "json_concat(j, k), j || k: members or elements of both", FL_UTF8, FL_UTF8),
    {FL_DESC(fl_func_desc), .name = "json_delete", .traits = FL_JSON_TRAITS, .resolve = resolve_delete,
     .doc = "json_delete(j, what), j - what: without a member, a list of members, or an element"},
    FUNC("json_set", 0, set, "json_set(j, path, k): k at a path, whether or not something is there", FL_UTF8, FL_UTF8,
         FL_UTF8),
    FUNC("json_insert", 0, insert, "json_insert(j, path, k): k at a path, where nothing is", FL_UTF8, FL_UTF8, FL_UTF8),
    FUNC("json_replace", 0, replace, "json_replace(j, path, k): k at a path, where something is", FL_UTF8, FL_UTF8,
         FL_UTF8),
    FUNC("json_remove", 0, take_away, "json_remove(j, path): without what is at a path", FL_UTF8, FL_UTF8),
};

FL_FUNC_SET(json_change, funcs);
