/* Lists made of elements of other lists: list_resize, list_select, list_where, list_zip, list_intersect, list_grade_up, and lists
 * without their first or last element. */
#include "func/list/list.h"

static fl_status fail_null(const fl_call *call, fl_err *err)
{
    return fl_err_state(err, "22004",
                        FL_FAIL(err, FL_ERR_VALUE, "%s takes no null in its second list", call->func->name));
}

/* The rows of the first argument's child that make up the result's list; -1 is null. */
typedef fl_status (*picker)(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err);

static fl_status pick(fl_call *call, picker picked, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_rows rows = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    const fl_vec *child = call->args[0].child;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = rows.n;
        if (fl_list_wants(call, row))
            FL_TRY(picked(call, row, &rows, err));
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(rows.n - start)};
    }
    if (child != NULL && call->args[0].child_rows > 0)
        return fl_list_finish_rows(call, child, &rows, err);
    fl_list_values nulls = {0}; /* whatever was picked of no elements is null */
    fl_value null = {.type = call->ret->type.fields[0].type, .is_null = true};
    for (int64_t i = 0; i < rows.n; i++)
        FL_TRY(fl_list_add_value(call, &nulls, &null, err));
    st = fl_list_finish_values(call, &nulls, err);
cleanup:
    return st;
}

/* ---- list_select, list_where --------------------------------------------------------------------------------------- */

/* Places are counted from one, or from the end; null where there is none. */
static fl_status pick_selected(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_entry list = fl_list_entry_of(&call->args[0], row), places = fl_list_entry_of(&call->args[1], row);
    const fl_vec *child = call->args[1].child;
    for (int32_t i = places.start; i < places.start + places.len; i++) {
        fl_value place;
        FL_TRY(fl_value_from_vec(call->heap, child, i, &place, err));
        if (place.is_null)
            return fail_null(call, err);
        int64_t at = place.i < 0 ? list.len + place.i : place.i - 1;
        FL_TRY(fl_list_add_row(call, to, at >= 0 && at < list.len ? list.start + (int32_t)at : -1, err));
    }
cleanup:
    return st;
}

static fl_status select_of(fl_call *call, fl_err *err)
{
    return pick(call, pick_selected, err);
}

static fl_status pick_where(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_entry list = fl_list_entry_of(&call->args[0], row), mask = fl_list_entry_of(&call->args[1], row);
    for (int32_t i = 0; i < mask.len; i++) {
        fl_value wanted;
        FL_TRY(fl_value_from_vec(call->heap, call->args[1].child, mask.start + i, &wanted, err));
        if (wanted.is_null)
            return fail_null(call, err);
        if (wanted.b)
            FL_TRY(fl_list_add_row(call, to, i < list.len ? list.start + i : -1, err));
    }
cleanup:
    return st;
}

static fl_status where(fl_call *call, fl_err *err)
{
    return pick(call, pick_where, err);
}

/* ---- first and last ------------------------------------------------------------------------------------------------ */

static fl_status pop(fl_call *call, int32_t front, fl_err *err)
{
    (void)err;
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_list_entry list = {0};
        if (fl_vec_is_valid(&call->args[0], row))
            list = fl_list_entry_of(&call->args[0], row);
        ret[row] = list.len > 0 ? (fl_list_entry){list.start + front, list.len - 1} : (fl_list_entry){0};
    }
    call->ret->child = call->args[0].child;
    call->ret->child_rows = call->args[0].child_rows;
    return FL_OK;
}

static fl_status pop_front(fl_call *call, fl_err *err)
{
    return pop(call, 1, err);
}

static fl_status pop_back(fl_call *call, fl_err *err)
{
    return pop(call, 0, err);
}

/* ---- list_intersect ------------------------------------------------------------------------------------------------ */

typedef struct ordered {
    fl_value *values;
    int32_t *order;
    int32_t n;
} ordered;

static fl_status read_ordered(fl_call *call, int32_t arg, int32_t row, ordered *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *spare = NULL, n;
    FL_TRY(fl_list_read(call, &call->args[arg], row, &ret->values, &n, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &ret->order, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &spare, err));
    FL_TRY(fl_list_sort(call, ret->values, n, false, false, ret->order, spare, err));
    while (n > 0 && ret->values[ret->order[n - 1]].is_null)
        n--;
    ret->n = n;
cleanup:
    return st;
}

/* Each value that is in both lists once, where it first is in the first one; null is in none. */
static fl_status pick_common(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    ordered a, b;
    bool *is_common = NULL;
    fl_list_entry list = fl_list_entry_of(&call->args[0], row);
    FL_TRY(read_ordered(call, 0, row, &a, err));
    FL_TRY(read_ordered(call, 1, row, &b, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, list.len + 1, &is_common, err));
    for (int32_t i = 0, at = 0; i < a.n; i++) {
        int order = -1;
        if (i > 0 && fl_value_compare(&a.values[a.order[i - 1]], &a.values[a.order[i]]) == 0)
            continue;
        while (at < b.n && (order = fl_value_compare(&b.values[b.order[at]], &a.values[a.order[i]])) < 0)
            at++;
        is_common[a.order[i]] = at < b.n && order == 0;
    }
    for (int32_t i = 0; i < list.len; i++)
        if (is_common[i])
            FL_TRY(fl_list_add_row(call, to, list.start + i, err));
    st = fl_call_work(call, 32 * ((int64_t)a.n + b.n), err);
cleanup:
    return st;
}

/* With nothing is nothing: the second list may be null. */
static fl_status intersect(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++)
        if (!fl_vec_is_valid(&call->args[0], row))
            fl_bit_clear(fl_call_valid(call), row);
    return pick(call, pick_common, err);
}

/* ---- list_resize --------------------------------------------------------------------------------------------------- */

#define RESIZE_MAX 100000000

static fl_status resize(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_values values = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = values.n;
        fl_value filler = {.type = call->ret->type.fields[0].type, .is_null = true}, item;
        bool is_list = fl_vec_is_valid(&call->args[0], row);
        int64_t n = fl_vec_is_valid(&call->args[1], row) ? fl_arg_i64(call, 1)[row] : 0;
        if (!is_list)
            fl_bit_clear(fl_call_valid(call), row);
        if (is_list && fl_call_wants(call, row)) {
            fl_list_entry list = fl_list_entry_of(&call->args[0], row);
            if (n < 0 || n > RESIZE_MAX)
                return fl_err_state(err, "22023",
                                    FL_FAIL(err, FL_ERR_VALUE, "a list cannot have %lld elements", (long long)n));
            if (call->n_args > 2)
                FL_TRY(fl_value_from_vec(call->heap, &call->args[2], row, &filler, err));
            for (int64_t i = 0; i < n; i++) {
                if (i < list.len)
                    FL_TRY(fl_value_from_vec(call->heap, call->args[0].child, list.start + i, &item, err));
                FL_TRY(fl_list_add_value(call, &values, i < list.len ? &item : &filler, err));
            }
        }
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(values.n - start)};
    }
    st = fl_list_finish_values(call, &values, err);
cleanup:
    return st;
}

/* ---- list_grade_up ------------------------------------------------------------------------------------------------- */

static fl_status fail_order(fl_str word, fl_err *err)
{
    return fl_err_state(err, "22023",
                        FL_FAIL(err, FL_ERR_VALUE, "ASC or DESC, NULLS FIRST or NULLS LAST were expected, not \"%.*s\"",
                                FL_STR_ARG(word)));
}

static fl_status read_order(fl_call *call, int32_t row, bool *is_descending, bool *nulls_first, fl_err *err)
{
    fl_str order = call->n_args > 1 ? fl_vec_str(&call->args[1], row) : FL_STR("ASC");
    fl_str nulls = call->n_args > 2 ? fl_vec_str(&call->args[2], row) : FL_STR("");
    *is_descending = fl_str_is_equal_nocase(order, FL_STR("DESC"));
    if (!*is_descending && !fl_str_is_equal_nocase(order, FL_STR("ASC")))
        return fail_order(order, err);
    *nulls_first = call->n_args > 2 ? fl_str_is_equal_nocase(nulls, FL_STR("NULLS FIRST")) : *is_descending;
    if (call->n_args > 2 && !*nulls_first && !fl_str_is_equal_nocase(nulls, FL_STR("NULLS LAST")))
        return fail_order(nulls, err);
    return FL_OK;
}

/* Where each element would be taken from to sort the list, from one. */
static fl_status grade_up(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_values places = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = places.n;
        if (fl_list_wants(call, row)) {
            fl_value *values = NULL, place = {.type = FL_TYPE(FL_I64)};
            int32_t *order = NULL, *spare = NULL, n;
            bool is_descending, nulls_first;
            FL_TRY(read_order(call, row, &is_descending, &nulls_first, err));
            FL_TRY(fl_list_read(call, &call->args[0], row, &values, &n, err));
            FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &order, err));
            FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &spare, err));
            FL_TRY(fl_list_sort(call, values, n, is_descending, nulls_first, order, spare, err));
            for (int32_t i = 0; i < n; i++) {
                place.i = order[i] + 1;
                FL_TRY(fl_list_add_value(call, &places, &place, err));
            }
        }
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(places.n - start)};
    }
    st = fl_list_finish_values(call, &places, err);
cleanup:
    return st;
}

/* ---- list_zip ------------------------------------------------------------------------------------------------------ */

/* How many rows lists of the row make together: as many as the longest has, or the shortest. */
static int32_t zipped_length(const fl_call *call, int32_t row, int32_t n_lists)
{
    const fl_vec *cut = n_lists < call->n_args ? &call->args[n_lists] : NULL;
    bool is_cut = cut != NULL && fl_vec_is_valid(cut, row) && fl_bit_get(cut->data, fl_vec_row(cut, row));
    int32_t n = -1;
    for (int32_t a = 0; a < n_lists; a++) {
        int32_t len = fl_vec_is_valid(&call->args[a], row) ? fl_list_entry_of(&call->args[a], row).len : 0;
        if (n < 0 || (is_cut ? len < n : len > n))
            n = len;
    }
    return n;
}

static fl_status zip(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_values rows = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    fl_type type = call->ret->type.fields[0].type;
    int32_t n_lists = type.n_fields;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = rows.n;
        int32_t n = fl_call_wants(call, row) ? zipped_length(call, row, n_lists) : 0;
        for (int32_t i = 0; i < n; i++) {
            fl_value *items = NULL, made = {.type = type};
            FL_TRY(FL_NEW_ARRAY(call->heap, n_lists, &items, err));
            for (int32_t a = 0; a < n_lists; a++) {
                const fl_vec *list = &call->args[a];
                fl_list_entry entry = fl_vec_is_valid(list, row) ? fl_list_entry_of(list, row) : (fl_list_entry){0};
                items[a] = (fl_value){.type = type.fields[a].type, .is_null = true};
                if (i < entry.len)
                    FL_TRY(fl_value_from_vec(call->heap, list->child, entry.start + i, &items[a], err));
            }
            made.list.items = items;
            made.list.n = n_lists;
            FL_TRY(fl_list_add_value(call, &rows, &made, err));
        }
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(rows.n - start)};
    }
    st = fl_list_finish_values(call, &rows, err);
cleanup:
    return st;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_status fail_types(const char *wanted, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_FUNCTION, "%s expected", wanted);
}

static fl_status resolve_with(const fl_type *args, int32_t n_args, uint8_t element, fl_func_run run,
                              fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args != 2 || !fl_list_is(args[0]) || (!fl_list_is(args[1]) && args[1].id != FL_NULL))
        return fail_types("two lists were", err);
    fl_type second = fl_list_is(args[1]) ? args[1].fields[0].type : FL_TYPE(FL_NULL);
    if (second.id != FL_NULL && !fl_cast_is_implicit(second, FL_TYPE(element), NULL))
        return fail_types(
            element == FL_BOOL ? "a list and a list of booleans were" : "a list and a list of integers were", err);
    *ret = (fl_func_choice){.args = {args[0]}, .n_args = 2, .ret = args[0], .traits = FL_CAN_FAIL, .run = run};
    return fl_type_list_of(arena, FL_TYPE(element), &ret->args[1], err);
}

static fl_status resolve_select(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_with(args, n_args, FL_I64, select_of, ret, err);
}

static fl_status resolve_where(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_with(args, n_args, FL_BOOL, where, ret, err);
}

static fl_status resolve_pop_of(const fl_type *args, int32_t n_args, fl_func_run run, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1 || !fl_list_is(args[0]))
        return fail_types("a list was", err);
    *ret = (fl_func_choice){.args = {args[0]}, .n_args = 1, .ret = args[0], .run = run};
    return FL_OK;
}

static fl_status resolve_pop_front(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_pop_of(args, n_args, pop_front, ret, err);
}

static fl_status resolve_pop_back(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_pop_of(args, n_args, pop_back, ret, err);
}

static fl_status resolve_intersect(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type list = {0};
    if (n_args != 2 || (!fl_list_is(args[0]) && !fl_list_is(args[1])) ||
        !fl_type_common_in(arena, args[0], args[1], &list))
        return fail_types("two lists with a common type of elements were", err);
    *ret = (fl_func_choice){.args = {list, list}, .n_args = 2, .ret = list, .run = intersect};
    return FL_OK;
}

static fl_status resolve_resize(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type element = {0};
    if (n_args < 2 || n_args > 3 || !fl_list_is(args[0]) ||
        (args[1].id != FL_NULL && !fl_cast_is_implicit(args[1], FL_TYPE(FL_I64), NULL)))
        return fail_types("a list, a number of elements and a value were", err);
    element = args[0].fields[0].type;
    if (n_args == 3 && !fl_type_common_in(arena, element, args[2], &element))
        return fail_types("a value of the elements' type was", err);
    *ret = (fl_func_choice){
        .args = {args[0], FL_TYPE(FL_I64), element}, .n_args = n_args, .traits = FL_CAN_FAIL, .run = resize};
    fl_status st = fl_type_list_of(arena, element, &ret->args[0], err);
    ret->ret = ret->args[0];
    return st;
}

static fl_status resolve_grade_up(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args < 1 || n_args > 3 || !fl_list_is(args[0]))
        return fail_types("a list was", err);
    for (int32_t i = 1; i < n_args; i++)
        if (args[i].id != FL_UTF8 && args[i].id != FL_NULL)
            return fail_types("ASC or DESC, NULLS FIRST or NULLS LAST were", err);
    *ret = (fl_func_choice){.args = {args[0], FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)},
                            .n_args = n_args,
                            .traits = n_args > 1 ? FL_CAN_FAIL : 0,
                            .run = grade_up};
    return fl_type_list_of(arena, FL_TYPE(FL_I64), &ret->ret, err);
}

/* Lists, and whether to cut at the end. The elements are rows: structs with fields f1, f2, ... */
static fl_status resolve_zip(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    static const char *const names[FL_FUNC_ARGS_MAX] = {"f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8"};
    fl_arena *arena = ret->arena;
    fl_field *fields = NULL;
    int32_t n_lists = n_args > 1 && args[n_args - 1].id == FL_BOOL ? n_args - 1 : n_args;
    if (n_args < 1 || n_args > FL_FUNC_ARGS_MAX)
        return fail_types("one to eight lists were", err);
    fl_status st = FL_NEW_ARRAY(arena, n_lists, &fields, err);
    *ret = (fl_func_choice){.n_args = n_args, .run = zip};
    for (int32_t i = 0; i < n_lists && st == FL_OK; i++) {
        if (!fl_list_is(args[i]) && args[i].id != FL_NULL)
            return fail_types("lists were", err);
        fields[i] = (fl_field){.name = fl_str_of(names[i]),
                               .nullable = true,
                               .type = fl_list_is(args[i]) ? args[i].fields[0].type : FL_TYPE(FL_UTF8)};
        if (fields[i].type.id == FL_NULL)
            fields[i].type = FL_TYPE(FL_UTF8);
        st = fl_type_list_of(arena, fields[i].type, &ret->args[i], err);
    }
    if (n_lists < n_args)
        ret->args[n_lists] = FL_TYPE(FL_BOOL);
    if (st == FL_OK)
        st = fl_type_check_size(fields, n_lists, err);
    if (st == FL_OK)
        st = fl_type_list_of(arena, (fl_type){.id = FL_STRUCT, .n_fields = n_lists, .fields = fields}, &ret->ret, err);
    return st;
}

#define FUNC(text, more, op, help)                                                                           \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_ANY_TYPE | (more), .resolve = resolve_##op, \
     .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("list_select", FL_NULL_GIVES_NULL, select, "list_select(l, places): the elements at these places, from one"),
    FUNC("list_where", FL_NULL_GIVES_NULL, where,
         "list_where(l, booleans): the elements at whose places there is true"),
    FUNC("array_pop_front", FL_NULL_GIVES_NULL, pop_front, "array_pop_front(l): the list without its first element"),
    FUNC("array_pop_back", FL_NULL_GIVES_NULL, pop_back, "array_pop_back(l): the list without its last element"),
    FUNC("list_intersect", FL_SETS_VALID, intersect, "list_intersect(l, m): each value that is in both lists, once"),
    FUNC("list_resize", FL_SETS_VALID, resize, "list_resize(l, n [, x]): n elements, new ones are x (null)"),
    FUNC("list_grade_up", FL_NULL_GIVES_NULL, grade_up,
         "list_grade_up(l [, order [, nulls]]): the places of the elements in the order of list_sort"),
    FUNC("list_zip", 0, zip,
         "list_zip(l, m, ... [, cut]): a list of rows with an element of each list, as many as the longest has, or the "
         "shortest"),
};

FL_FUNC_SET(list_pick, funcs);
