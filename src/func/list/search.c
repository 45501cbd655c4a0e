/* Looking into lists: array_position, array_positions, array_length; @>, <@ and && with their names in DuckDB. */
#include "func/list/list.h"

/* ---- positions ----------------------------------------------------------------------------------------------------- */

/* Whether element i of the row's list is the wanted value; null is null here. */
static fl_status is_at(fl_call *call, int32_t at, const fl_value *wanted, bool *ret, fl_err *err)
{
    fl_value item;
    fl_status st = fl_value_from_vec(call->heap, call->args[0].child, at, &item, err);
    if (st == FL_OK)
        st = fl_call_work(call, 32, err);
    if (st == FL_OK)
        *ret = item.is_null || wanted->is_null ? item.is_null && wanted->is_null : fl_value_compare(&item, wanted) == 0;
    return st;
}

static fl_status position(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_value wanted;
        int32_t found = 0;
        if (fl_vec_is_valid(&call->args[0], row)) {
            fl_list_entry entry = fl_list_entry_of(&call->args[0], row);
            FL_TRY(fl_value_from_vec(call->heap, &call->args[1], row, &wanted, err));
            for (int32_t i = 0; i < entry.len && found == 0; i++) {
                bool is_here;
                FL_TRY(is_at(call, entry.start + i, &wanted, &is_here, err));
                found = is_here ? i + 1 : 0;
            }
        }
        fl_ret_i32(call)[row] = found;
        if (found == 0)
            fl_bit_clear(fl_call_valid(call), row);
    }
cleanup:
    return st;
}

static fl_status positions(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_values values = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_value wanted, place = {.type = FL_TYPE(FL_I32)};
        int64_t start = values.n;
        if (fl_vec_is_valid(&call->args[0], row)) {
            fl_list_entry entry = fl_list_entry_of(&call->args[0], row);
            FL_TRY(fl_value_from_vec(call->heap, &call->args[1], row, &wanted, err));
            for (int32_t i = 0; i < entry.len; i++) {
                bool is_here;
                FL_TRY(is_at(call, entry.start + i, &wanted, &is_here, err));
                place.i = i + 1;
                if (is_here)
                    FL_TRY(fl_list_add_value(call, &values, &place, err));
            }
        } else {
            fl_bit_clear(fl_call_valid(call), row);
        }
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(values.n - start)};
    }
    st = fl_list_finish_values(call, &values, err);
cleanup:
    return st;
}

/* ---- sets ---------------------------------------------------------------------------------------------------------- */

/* A list's values in order, without nulls: null equals nothing here. */
typedef struct ordered {
    fl_value *values;
    int32_t *order;
    int32_t n;
    bool has_null;
} ordered;

static fl_status read_ordered(fl_call *call, int32_t arg, int32_t row, ordered *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *spare = NULL, n;
    FL_TRY(fl_list_read(call, &call->args[arg], row, &ret->values, &n, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &ret->order, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &spare, err));
    FL_TRY(fl_list_sort(call, ret->values, n, false, false, ret->order, spare, err));
    ret->n = n;
    while (ret->n > 0 && ret->values[ret->order[ret->n - 1]].is_null)
        ret->n--;
    ret->has_null = ret->n < n;
cleanup:
    return st;
}

/* Of the values of b, walking both in order: whether all are in a, whether one is. */
static void compare_sets(const ordered *a, const ordered *b, bool *ret_all, bool *ret_any)
{
    int32_t at = 0;
    *ret_all = !b->has_null;
    *ret_any = false;
    for (int32_t i = 0; i < b->n; i++) {
        int order = -1;
        while (at < a->n && (order = fl_value_compare(&a->values[a->order[at]], &b->values[b->order[i]])) < 0)
            at++;
        bool is_in = at < a->n && order == 0;
        *ret_all &= is_in;
        *ret_any |= is_in;
    }
}

static fl_status test_sets(fl_call *call, int32_t whole, bool wants_all, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        ordered a, b;
        bool all, any;
        fl_bit_clear(fl_ret_bits(call), row);
        if (!fl_list_wants(call, row))
            continue;
        FL_TRY(read_ordered(call, whole, row, &a, err));
        FL_TRY(read_ordered(call, 1 - whole, row, &b, err));
        compare_sets(&a, &b, &all, &any);
        if (wants_all ? all : any)
            fl_bit_set(fl_ret_bits(call), row);
    }
cleanup:
    return st;
}

static fl_status has_all(fl_call *call, fl_err *err)
{
    return test_sets(call, 0, true, err);
}

static fl_status is_in(fl_call *call, fl_err *err)
{
    return test_sets(call, 1, true, err);
}

static fl_status has_any(fl_call *call, fl_err *err)
{
    return test_sets(call, 0, false, err);
}

/* ---- array_length -------------------------------------------------------------------------------------------------- */

/* Of the first dimension the elements, of the next those of the first element; null where there are none (PostgreSQL). */
static fl_status length_of(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++) {
        const fl_vec *list = &call->args[0];
        int64_t dimension = fl_vec_is_valid(&call->args[1], row) ? fl_arg_i64(call, 1)[row] : 0, at = row;
        fl_list_entry entry = {0};
        while (dimension > 0) {
            entry = fl_list_is(list->type) && fl_vec_is_valid(list, at)
                        ? ((const fl_list_entry *)list->data)[fl_vec_row(list, at)]
                        : (fl_list_entry){0};
            dimension = entry.len == 0 ? 0 : dimension - 1;
            list = list->child;
            at = entry.start;
        }
        fl_ret_i32(call)[row] = entry.len;
        if (entry.len == 0)
            fl_bit_clear(fl_call_valid(call), row);
    }
    return FL_OK;
}

static fl_status length(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++) {
        bool is_valid = fl_vec_is_valid(&call->args[0], row);
        fl_ret_i32(call)[row] = is_valid ? fl_list_entry_of(&call->args[0], row).len : 0;
        if (!is_valid)
            fl_bit_clear(fl_call_valid(call), row);
    }
    return FL_OK;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_status resolve_place(const fl_type *args, int32_t n_args, fl_func_run run, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type common, list = {0};
    if (n_args != 2 || !fl_list_is(args[0]) || !fl_type_common_in(ret->arena, args[0].fields[0].type, args[1], &common))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list and a value of its elements' type were expected");
    fl_status st = fl_type_list_of(arena, common, &list, err);
    *ret = (fl_func_choice){.args = {list, common}, .n_args = 2, .ret = FL_TYPE(FL_I32), .run = run};
    return st;
}

static fl_status resolve_position(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_place(args, n_args, position, ret, err);
}

static fl_status resolve_positions(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_status st = resolve_place(args, n_args, positions, ret, err);
    return st != FL_OK ? st : fl_type_list_of(arena, FL_TYPE(FL_I32), &ret->ret, err);
}

static fl_status resolve_sets(const fl_type *args, int32_t n_args, fl_func_run run, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type common, list = {0};
    if (n_args != 2 || (!fl_list_is(args[0]) && !fl_list_is(args[1])) ||
        !fl_type_common_in(ret->arena, args[0], args[1], &list))
        return FL_FAIL(err, FL_ERR_FUNCTION, "two lists with a common type of elements were expected");
    common = list.fields[0].type;
    fl_status st = fl_type_list_of(arena, common, &list, err);
    *ret = (fl_func_choice){.args = {list, list}, .n_args = 2, .ret = FL_TYPE(FL_BOOL), .run = run};
    return st;
}

#define RESOLVE_SETS(name)                                                                                 \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                      \
        return resolve_sets(args, n_args, name, ret, err);                                                 \
    }
RESOLVE_SETS(has_all)
RESOLVE_SETS(is_in)
RESOLVE_SETS(has_any)

static fl_status resolve_length(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args < 1 || n_args > 2 || !fl_list_is(args[0]) ||
        (n_args == 2 && args[1].id != FL_NULL && !fl_cast_is_implicit(args[1], FL_TYPE(FL_I64), NULL)))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list and a dimension were expected");
    *ret = (fl_func_choice){.args = {args[0], FL_TYPE(FL_I64)},
                            .n_args = n_args,
                            .ret = FL_TYPE(FL_I32),
                            .run = n_args == 1 ? length : length_of};
    return FL_OK;
}

#define FUNC(text, more, op, help)                                                                           \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_ANY_TYPE | (more), .resolve = resolve_##op, \
     .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("array_position", FL_SETS_VALID, position, "array_position(l, x): where x first is in l, from one; else null"),
    FUNC("list_position", FL_SETS_VALID, position, "list_position(l, x): as array_position"),
    FUNC("list_indexof", FL_SETS_VALID, position, "list_indexof(l, x): as array_position"),
    FUNC("array_positions", FL_SETS_VALID, positions, "array_positions(l, x): all places of x in l"),
    FUNC("@>", FL_NULL_GIVES_NULL, has_all, "l @> m: whether every element of m is in l"),
    FUNC("list_has_all", FL_NULL_GIVES_NULL, has_all, "list_has_all(l, m): as l @> m"),
    FUNC("array_has_all", FL_NULL_GIVES_NULL, has_all, "array_has_all(l, m): as l @> m"),
    FUNC("<@", FL_NULL_GIVES_NULL, is_in, "l <@ m: whether every element of l is in m"),
    FUNC("&&", FL_NULL_GIVES_NULL, has_any, "l && m: whether the lists have an element in common"),
    FUNC("list_has_any", FL_NULL_GIVES_NULL, has_any, "list_has_any(l, m): as l && m"),
    FUNC("array_has_any", FL_NULL_GIVES_NULL, has_any, "array_has_any(l, m): as l && m"),
    FUNC("array_length", FL_SETS_VALID, length,
         "array_length(l): elements of a list; array_length(l, n): of its n-th dimension, null where it is empty"),
};

FL_FUNC_SET(list_search, funcs);
