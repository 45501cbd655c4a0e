/* Maps: map, map_from_entries, map_concat make them; map_extract, map_extract_value (m[k]), map_contains look a key up; map_keys,
 * map_values, map_entries show what is in them. A map lies as a list of structs of key and value (arrow/type.h). */
#include "exec/map_keys.h"
#include "func/list/list.h"

static bool is_map(fl_type type)
{
    return type.extension == FL_MAP;
}

/* The keys or values of all maps of a vector, one behind another; false: there are none, only empty maps and nulls. */
static fl_status parts_of(fl_call *call, const fl_vec *map, int32_t part, fl_vec *ret, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec entries;
    *ret_any = map->child != NULL && map->child_rows > 0;
    if (!*ret_any)
        return FL_OK;
    FL_TRY(fl_vec_flatten(call->heap, map->child, map->child_rows, &entries, err));
    FL_TRY(fl_vec_flatten(call->heap, &entries.child[part], map->child_rows, ret, err));
cleanup:
    return st;
}

/* ---- making -------------------------------------------------------------------------------------------------------- */

/* Makes the result's entries of keys and values in the order of its lists, which are there. */
static fl_status finish(fl_call *call, const fl_list_values *keys, const fl_list_values *values, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *entry = NULL, *parts = NULL;
    fl_type type = call->ret->type;
    const fl_list_values *from[] = {keys, values};
    FL_ASSERT(keys->n == values->n && is_map(type));
    FL_TRY(FL_NEW(call->heap, &entry, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, 2, &parts, err));
    for (int p = 0; p < 2; p++) {
        const fl_value **ptrs = NULL;
        FL_TRY(FL_NEW_ARRAY(call->heap, from[p]->n + 1, &ptrs, err));
        for (int64_t i = 0; i < from[p]->n; i++)
            ptrs[i] = &from[p]->values[i];
        FL_TRY(fl_vec_from_values(call->heap, type.fields[0].type.fields[p].type, ptrs, from[p]->n, &parts[p], err));
    }
    fl_vec_set_flat(entry, type.fields[0].type, NULL, NULL);
    entry->child = parts;
    entry->child_rows = keys->n;
    call->ret->child = entry;
    call->ret->child_rows = keys->n;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t faulty = -1;
        if (!fl_call_wants(call, row) || !fl_is_valid(call->ret->valid, row))
            continue;
        FL_TRY(fl_map_faulty_key(call, &parts[0], ((const fl_list_entry *)call->ret->data)[row], &faulty, err));
        if (faulty >= 0)
            return fl_map_fail_key(call, &parts[0], faulty, err);
    }
cleanup:
    return st;
}

/* map([keys], [values]) */
static fl_status zip(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_values parts[2] = {{0}, {0}};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = parts[0].n;
        for (int p = 0; p < 2 && call->n_args == 2 && fl_list_wants(call, row); p++) {
            fl_value *items;
            int32_t n;
            FL_TRY(fl_list_read(call, &call->args[p], row, &items, &n, err));
            for (int32_t i = 0; i < n; i++)
                FL_TRY(fl_list_add_value(call, &parts[p], &items[i], err));
        }
        if (parts[0].n != parts[1].n)
            return fl_err_state(err, "22023",
                                FL_FAIL(err, FL_ERR_VALUE, "a map was given %lld keys and %lld values",
                                        (long long)(parts[0].n - start), (long long)(parts[1].n - start)));
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(parts[0].n - start)};
    }
    st = finish(call, &parts[0], &parts[1], err);
cleanup:
    return st;
}

/* Structs or rows of two fields. */
static fl_status from_entries(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_values parts[2] = {{0}, {0}};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = parts[0].n;
        fl_value *items;
        int32_t n = 0;
        if (fl_list_wants(call, row))
            FL_TRY(fl_list_read(call, &call->args[0], row, &items, &n, err));
        for (int32_t i = 0; i < n; i++) {
            if (items[i].is_null)
                return fl_err_state(err, "22004", FL_FAIL(err, FL_ERR_VALUE, "an entry of a map cannot be null"));
            for (int p = 0; p < 2; p++)
                FL_TRY(fl_list_add_value(call, &parts[p], &items[i].list.items[p], err));
        }
        ret[row] = (fl_list_entry){(int32_t)start, n};
    }
    st = finish(call, &parts[0], &parts[1], err);
cleanup:
    return st;
}

/* Adds a map's entries; a key that is there already gets the new value. */
static fl_status add_map(fl_call *call, const fl_vec *map, int32_t row, fl_list_values *keys, fl_list_values *values,
                         int64_t start, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *items;
    int32_t n = 0;
    if (fl_vec_is_valid(map, row))
        FL_TRY(fl_list_read(call, map, row, &items, &n, err));
    for (int32_t i = 0; i < n; i++) {
        const fl_value *entry = items[i].list.items;
        int64_t at = start;
        FL_TRY(fl_call_work(call, 8 * (keys->n - start), err));
        while (at < keys->n && fl_value_compare(&keys->values[at], &entry[0]) != 0)
            at++;
        if (at < keys->n) {
            values->values[at] = entry[1];
            continue;
        }
        FL_TRY(fl_list_add_value(call, keys, &entry[0], err));
        FL_TRY(fl_list_add_value(call, values, &entry[1], err));
    }
cleanup:
    return st;
}

static fl_status concat(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_values keys = {0}, values = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = keys.n;
        for (int32_t a = 0; a < call->n_args && fl_call_wants(call, row); a++)
            FL_TRY(add_map(call, &call->args[a], row, &keys, &values, start, err));
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(keys.n - start)};
    }
    st = finish(call, &keys, &values, err);
cleanup:
    return st;
}

/* ---- looking up ---------------------------------------------------------------------------------------------------- */

/* rows[row] = where among all entries the key of that row is; -1: it is not there. */
static fl_status find(fl_call *call, int32_t **ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec keys;
    bool any;
    int32_t *rows = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, call->rows + 1, &rows, err));
    FL_TRY(parts_of(call, &call->args[0], 0, &keys, &any, err));
    for (int32_t row = 0; row < call->rows; row++) {
        fl_value wanted, key;
        rows[row] = -1;
        if (!any || !fl_list_wants(call, row))
            continue;
        fl_arena_mark mark = fl_arena_mark_get(call->heap);
        fl_list_entry entry = fl_list_entry_of(&call->args[0], row);
        FL_TRY(fl_value_from_vec(call->heap, &call->args[1], row, &wanted, err));
        FL_TRY(fl_call_work(call, 16 * (int64_t)entry.len, err));
        for (int32_t i = 0; i < entry.len && rows[row] < 0; i++) {
            FL_TRY(fl_value_from_vec(call->heap, &keys, entry.start + i, &key, err));
            if (fl_value_compare(&key, &wanted) == 0)
                rows[row] = entry.start + i;
        }
        fl_arena_rewind(call->heap, mark);
    }
    *ret_rows = rows;
cleanup:
    return st;
}

static fl_status extract_value(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *rows = NULL;
    fl_vec values = {0};
    bool any;
    FL_TRY(find(call, &rows, err));
    FL_TRY(parts_of(call, &call->args[0], 1, &values, &any, err));
    st = fl_list_gather_one(call, any ? &values : NULL, any ? call->args[0].child_rows : 0, rows, err);
cleanup:
    return st;
}

/* As a list of the value, or of nothing. */
static fl_status extract_list(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *rows = NULL;
    fl_vec values = {0};
    fl_list_rows picked = {0};
    bool any;
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    FL_TRY(find(call, &rows, err));
    FL_TRY(parts_of(call, &call->args[0], 1, &values, &any, err));
    for (int32_t row = 0; row < call->rows; row++) {
        ret[row] = (fl_list_entry){(int32_t)picked.n, rows[row] >= 0};
        if (rows[row] >= 0)
            FL_TRY(fl_list_add_row(call, &picked, rows[row], err));
    }
    st = fl_list_finish_rows(call, &values, &picked, err);
cleanup:
    return st;
}

static fl_status contains(fl_call *call, fl_err *err)
{
    int32_t *rows = NULL;
    fl_status st = find(call, &rows, err);
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++)
        fl_bit_put(fl_ret_bits(call), row, rows[row] >= 0);
    return st;
}

/* ---- what is in them ----------------------------------------------------------------------------------------------- */

/* The lists stay, and only their elements become others. */
static fl_status show(fl_call *call, int32_t part, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *child = NULL;
    const fl_vec *map = &call->args[0];
    bool any;
    FL_TRY(FL_NEW(call->heap, &child, err));
    FL_TRY(parts_of(call, map, part, child, &any, err));
    if (!any) {
        fl_list_values none = {0};
        memset((void *)(uintptr_t)call->ret->data, 0, (size_t)call->rows * sizeof(fl_list_entry));
        return fl_list_finish_values(call, &none, err);
    }
    memcpy((void *)(uintptr_t)call->ret->data, map->data, (size_t)call->rows * sizeof(fl_list_entry));
    call->ret->child = child;
    call->ret->child_rows = map->child_rows;
cleanup:
    return st;
}

static fl_status show_keys(fl_call *call, fl_err *err)
{
    return show(call, 0, err);
}
static fl_status show_values(fl_call *call, fl_err *err)
{
    return show(call, 1, err);
}
static fl_status show_entries(fl_call *call, fl_err *err)
{
    (void)err;
    const fl_vec *map = &call->args[0];
    memcpy((void *)(uintptr_t)call->ret->data, map->data, (size_t)call->rows * sizeof(fl_list_entry));
    call->ret->child = map->child;
    call->ret->child_rows = map->child_rows;
    return FL_OK;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_type known(fl_type type)
{
    return type.id == FL_NULL ? FL_TYPE(FL_UTF8) : type;
}

static fl_status resolve_zip(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type parts[2] = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)};
    bool fits = n_args == 0 || n_args == 2;
    for (int32_t i = 0; i < n_args && fits; i++)
        fits = fl_list_is(args[i]) || args[i].id == FL_NULL;
    if (!fits)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list of keys and one of values were expected");
    *ret = (fl_func_choice){.n_args = n_args, .run = zip};
    for (int32_t i = 0; i < n_args; i++) {
        if (fl_list_is(args[i]))
            parts[i] = known(args[i].fields[0].type);
        fl_status st = fl_type_list_of(arena, parts[i], &ret->args[i], err);
        if (st != FL_OK)
            return st;
    }
    return fl_type_map_of(arena, parts[0], parts[1], &ret->ret, err);
}

static fl_status resolve_from_entries(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args != 1 || !fl_list_is(args[0]) || args[0].fields[0].type.id != FL_STRUCT ||
        args[0].fields[0].type.n_fields != 2)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list of structs of key and value was expected");
    fl_type entry = args[0].fields[0].type;
    *ret = (fl_func_choice){.args = {args[0]}, .n_args = 1, .run = from_entries};
    return fl_type_map_of(arena, known(entry.fields[0].type), known(entry.fields[1].type), &ret->ret, err);
}

/* What is null, or empty, and has no type of its own. */
static fl_status as_map(fl_arena *arena, fl_type type, fl_type key, fl_type *ret, fl_err *err)
{
    *ret = type;
    return type.id == FL_NULL ? fl_type_map_of(arena, known(key), FL_TYPE(FL_UTF8), ret, err) : FL_OK;
}

static fl_status resolve_concat(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type common = FL_TYPE(FL_NULL);
    for (int32_t i = 0; i < n_args; i++)
        if ((!is_map(args[i]) && args[i].id != FL_NULL) || !fl_type_common_in(arena, common, args[i], &common))
            return FL_FAIL(err, FL_ERR_FUNCTION, "maps of one type were expected");
    if (n_args < 1 || n_args > FL_FUNC_ARGS_MAX)
        return FL_FAIL(err, FL_ERR_FUNCTION, "maps were expected");
    fl_status st = as_map(arena, common, FL_TYPE(FL_NULL), &common, err);
    if (st != FL_OK)
        return st;
    *ret = (fl_func_choice){.n_args = n_args, .ret = common, .run = concat};
    for (int32_t i = 0; i < n_args; i++)
        ret->args[i] = common;
    return FL_OK;
}

/* The key is cast to the type of keys, where one of both holds them. */
static fl_status resolve_key(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = ret->arena;
    fl_type map, common;
    if (n_args != 2)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a map and a key of its were expected");
    FL_TRY(as_map(arena, args[0], args[1], &map, err));
    if (!is_map(map) || !fl_type_common_in(arena, fl_type_map_key(map), args[1], &common))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a map and a key of its were expected");
    *ret = (fl_func_choice){.args = {map, common}, .n_args = 2, .arena = arena};
    if (!fl_type_is_equal(common, fl_type_map_key(map)))
        st = fl_type_map_of(arena, common, fl_type_map_value(map), &ret->args[0], err);
cleanup:
    return st;
}

static fl_status resolve_value(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_status st = resolve_key(args, n_args, ret, err);
    if (st != FL_OK)
        return st;
    ret->ret = fl_type_map_value(ret->args[0]);
    ret->run = extract_value;
    return FL_OK;
}

static fl_status resolve_list(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_status st = resolve_key(args, n_args, ret, err);
    if (st != FL_OK)
        return st;
    ret->run = extract_list;
    return fl_type_list_of(ret->arena, fl_type_map_value(ret->args[0]), &ret->ret, err);
}

static fl_status resolve_contains(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_status st = resolve_key(args, n_args, ret, err);
    ret->ret = FL_TYPE(FL_BOOL);
    ret->run = contains;
    return st;
}

static fl_status resolve_show(const fl_type *args, int32_t n_args, int32_t part, fl_func_run run, fl_func_choice *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = ret->arena;
    fl_type map;
    if (n_args != 1 || (!is_map(args[0]) && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a map was expected");
    FL_TRY(as_map(arena, args[0], FL_TYPE(FL_NULL), &map, err));
    fl_type entry = map.fields[0].type;
    *ret = (fl_func_choice){.args = {map}, .n_args = 1, .run = run};
    st = fl_type_list_of(arena, part < 0 ? entry : entry.fields[part].type, &ret->ret, err);
cleanup:
    return st;
}

#define RESOLVE_SHOW(part_name, number)                                                                         \
    static fl_status resolve_##part_name(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                           \
        return resolve_show(args, n_args, number, show_##part_name, ret, err);                                  \
    }
RESOLVE_SHOW(keys, 0)
RESOLVE_SHOW(values, 1)
RESOLVE_SHOW(entries, -1)

#define FUNC(text, more, op, help)                                                                           \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_ANY_TYPE | (more), .resolve = resolve_##op, \
     .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("map", FL_NULL_GIVES_NULL | FL_CAN_FAIL, zip, "map(keys, values): the map of two lists, MAP {k: v, ...}"),
    FUNC("map_from_entries", FL_NULL_GIVES_NULL | FL_CAN_FAIL, from_entries,
         "map_from_entries(l): the map of a list of structs of key and value"),
    FUNC("map_concat", FL_CAN_FAIL, concat, "map_concat(m, n, ...): all entries; of one key the last map's"),
    FUNC("map_extract_value", FL_SETS_VALID, value,
         "map_extract_value(m, k), m[k]: the value of a key; null where it is not there"),
    FUNC("map_extract", FL_NULL_GIVES_NULL, list, "map_extract(m, k): the list of the key's value, else an empty one"),
    FUNC("element_at", FL_NULL_GIVES_NULL, list, "element_at(m, k): as map_extract"),
    FUNC("map_contains", FL_NULL_GIVES_NULL, contains, "map_contains(m, k): whether the key is there"),
    FUNC("map_keys", FL_NULL_GIVES_NULL, keys, "map_keys(m): the keys as a list"),
    FUNC("map_values", FL_NULL_GIVES_NULL, values, "map_values(m): the values as a list"),
    FUNC("map_entries", FL_NULL_GIVES_NULL, entries, "map_entries(m): a list of structs of key and value"),
};

FL_FUNC_SET(maps, funcs);
