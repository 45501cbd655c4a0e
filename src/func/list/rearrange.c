/* Lists made of elements of one list: list_reverse, list_sort, list_reverse_sort, list_distinct, array_remove, flatten.
 *
 * Each picks rows of the child vector, which are gathered at the end. */
#include "func/list/list.h"

/* Adds the rows of the child that make up the result's list for `row`. */
typedef fl_status (*picker)(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err);

static fl_status rearrange(fl_call *call, const fl_vec *child, picker pick, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_rows rows = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = rows.n;
        if (fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row))
            FL_TRY(pick(call, row, &rows, err));
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(rows.n - start)};
    }
    st = fl_list_finish_rows(call, child, &rows, err);
cleanup:
    return st;
}

/* ---- list_reverse -------------------------------------------------------------------------------------------------- */

static fl_status pick_reverse(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_entry entry = fl_list_entry_of(&call->args[0], row);
    for (int32_t i = entry.len - 1; i >= 0 && st == FL_OK; i--)
        st = fl_list_add_row(call, to, entry.start + i, err);
    return st;
}

static fl_status reverse(fl_call *call, fl_err *err)
{
    return rearrange(call, call->args[0].child, pick_reverse, err);
}

/* ---- list_sort ----------------------------------------------------------------------------------------------------- */

/* 'ASC' or 'DESC', 'NULLS FIRST' or 'NULLS LAST'; as in ORDER BY, ascending order ends with null and descending order
 * begins with it. */
static fl_status read_order(fl_call *call, int32_t row, bool *is_descending, bool *nulls_first, fl_err *err)
{
    fl_str order = call->n_args > 1 ? fl_vec_str(&call->args[1], row) : FL_STR("ASC");
    *is_descending = fl_str_is_equal_nocase(order, FL_STR("DESC"));
    if (!*is_descending && !fl_str_is_equal_nocase(order, FL_STR("ASC"))) {
        FL_FAIL(err, FL_ERR_VALUE, "the order of list_sort is ASC or DESC, not \"%.*s\"", FL_STR_ARG(order));
        return fl_err_state(err, "22023", FL_ERR_VALUE);
    }
    *nulls_first = *is_descending;
    if (call->n_args < 3)
        return FL_OK;
    fl_str nulls = fl_vec_str(&call->args[2], row);
    *nulls_first = fl_str_is_equal_nocase(nulls, FL_STR("NULLS FIRST"));
    if (!*nulls_first && !fl_str_is_equal_nocase(nulls, FL_STR("NULLS LAST"))) {
        FL_FAIL(err, FL_ERR_VALUE, "list_sort puts NULLS FIRST or NULLS LAST, not \"%.*s\"", FL_STR_ARG(nulls));
        return fl_err_state(err, "22023", FL_ERR_VALUE);
    }
    return FL_OK;
}

static fl_status add_sorted(fl_call *call, int32_t row, bool is_descending, bool nulls_first, fl_list_rows *to,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *values = NULL;
    int32_t *order = NULL, *spare = NULL, n;
    FL_TRY(fl_list_read(call, &call->args[0], row, &values, &n, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &order, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &spare, err));
    FL_TRY(fl_list_sort(call, values, n, is_descending, nulls_first, order, spare, err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_list_add_row(call, to, fl_list_entry_of(&call->args[0], row).start + order[i], err));
cleanup:
    return st;
}

static fl_status pick_sort(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err)
{
    bool is_descending, nulls_first;
    fl_status st = fl_list_wants(call, row) ? read_order(call, row, &is_descending, &nulls_first, err) : FL_DONE;
    if (st == FL_DONE) /* a null argument: the list is null */
        return FL_OK;
    return st != FL_OK ? st : add_sorted(call, row, is_descending, nulls_first, to, err);
}

static fl_status sort(fl_call *call, fl_err *err)
{
    return rearrange(call, call->args[0].child, pick_sort, err);
}

static fl_status pick_reverse_sort(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err)
{
    return add_sorted(call, row, true, true, to, err);
}

static fl_status reverse_sort(fl_call *call, fl_err *err)
{
    return rearrange(call, call->args[0].child, pick_reverse_sort, err);
}

/* ---- list_distinct ------------------------------------------------------------------------------------------------- */

/* Marks the first of equal values; no null is one. */
static fl_status mark_first(fl_call *call, int32_t row, bool **ret, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *values = NULL;
    int32_t *order = NULL, *spare = NULL, n;
    FL_TRY(fl_list_read(call, &call->args[0], row, &values, &n, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &order, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, &spare, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, n + 1, ret, err));
    FL_TRY(fl_list_sort(call, values, n, false, false, order, spare, err));
    FL_TRY(fl_call_work(call, 16 * (int64_t)n, err));
    for (int32_t i = 0; i < n && !values[order[i]].is_null; i++)
        (*ret)[order[i]] = i == 0 || fl_value_compare(&values[order[i - 1]], &values[order[i]]) != 0;
    *ret_n = n;
cleanup:
    return st;
}

static fl_status pick_distinct(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    bool *is_first = NULL;
    int32_t n;
    FL_TRY(mark_first(call, row, &is_first, &n, err));
    for (int32_t i = 0; i < n; i++)
        if (is_first[i])
            FL_TRY(fl_list_add_row(call, to, fl_list_entry_of(&call->args[0], row).start + i, err));
cleanup:
    return st;
}

static fl_status distinct(fl_call *call, fl_err *err)
{
    return rearrange(call, call->args[0].child, pick_distinct, err);
}

static fl_status unique(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        bool *is_first = NULL;
        int32_t n = 0;
        fl_ret_i64(call)[row] = 0;
        if (fl_vec_is_valid(&call->args[0], row))
            FL_TRY(mark_first(call, row, &is_first, &n, err));
        for (int32_t i = 0; i < n; i++)
            fl_ret_i64(call)[row] += is_first[i];
    }
cleanup:
    return st;
}

/* ---- array_remove -------------------------------------------------------------------------------------------------- */

/* Null is removed by null. */
static fl_status pick_others(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_entry entry = fl_list_entry_of(&call->args[0], row);
    fl_value wanted, item;
    FL_TRY(fl_value_from_vec(call->heap, &call->args[1], row, &wanted, err));
    for (int32_t i = 0; i < entry.len; i++) {
        FL_TRY(fl_value_from_vec(call->heap, call->args[0].child, entry.start + i, &item, err));
        FL_TRY(fl_call_work(call, 32, err));
        bool is_removed =
            item.is_null || wanted.is_null ? item.is_null && wanted.is_null : fl_value_compare(&item, &wanted) == 0;
        if (!is_removed)
            FL_TRY(fl_list_add_row(call, to, entry.start + i, err));
    }
cleanup:
    return st;
}

static fl_status remove_value(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++)
        if (!fl_vec_is_valid(&call->args[0], row))
            fl_bit_clear(fl_call_valid(call), row);
    return rearrange(call, call->args[0].child, pick_others, err);
}

/* ---- flatten ------------------------------------------------------------------------------------------------------- */

static fl_status pick_flat(fl_call *call, int32_t row, fl_list_rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *inner = call->args[0].child;
    fl_list_entry outer = fl_list_entry_of(&call->args[0], row);
    for (int32_t i = outer.start; i < outer.start + outer.len; i++) {
        fl_list_entry entry = fl_vec_is_valid(inner, i) ? fl_list_entry_of(inner, i) : (fl_list_entry){0};
        for (int32_t k = 0; k < entry.len; k++)
            FL_TRY(fl_list_add_row(call, to, entry.start + k, err));
    }
cleanup:
    return st;
}

static fl_status flatten(fl_call *call, fl_err *err)
{
    const fl_vec *inner = call->args[0].child;
    return rearrange(call, inner == NULL ? NULL : inner->child, pick_flat, err);
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_status resolve_one(const fl_type *args, int32_t n_args, fl_func_run run, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1 || !fl_list_is(args[0]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list was expected");
    *ret = (fl_func_choice){.args = {args[0]}, .n_args = 1, .ret = args[0], .run = run};
    return FL_OK;
}

#define RESOLVE_ONE(name)                                                                                  \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                      \
        return resolve_one(args, n_args, name, ret, err);                                                  \
    }
RESOLVE_ONE(reverse)
RESOLVE_ONE(reverse_sort)
RESOLVE_ONE(distinct)

static fl_status resolve_sort(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args < 1 || n_args > 3 || !fl_list_is(args[0]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list was expected");
    for (int32_t i = 1; i < n_args; i++)
        if (args[i].id != FL_UTF8 && args[i].id != FL_NULL)
            return FL_FAIL(err, FL_ERR_FUNCTION, "ASC or DESC, NULLS FIRST or NULLS LAST were expected");
    *ret = (fl_func_choice){.args = {args[0], FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)},
                            .n_args = n_args,
                            .ret = args[0],
                            .traits = n_args > 1 ? FL_CAN_FAIL : 0,
                            .run = sort};
    return FL_OK;
}

static fl_status resolve_unique(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_status st = resolve_one(args, n_args, unique, ret, err);
    ret->ret = FL_TYPE(FL_I64);
    return st;
}

static fl_status resolve_remove(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type common, list = {0};
    if (n_args != 2 || !fl_list_is(args[0]) || !fl_type_common_in(ret->arena, args[0].fields[0].type, args[1], &common))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list and a value of its elements' type were expected");
    fl_status st = fl_type_list_of(arena, common, &list, err);
    *ret = (fl_func_choice){.args = {list, common}, .n_args = 2, .ret = list, .run = remove_value};
    return st;
}

static fl_status resolve_flatten(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1 || !fl_list_is(args[0]) || !fl_list_is(args[0].fields[0].type))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list of lists was expected");
    *ret = (fl_func_choice){.args = {args[0]}, .n_args = 1, .ret = args[0].fields[0].type, .run = flatten};
    return FL_OK;
}

#define FUNC(text, more, op, help)                                                                           \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_ANY_TYPE | (more), .resolve = resolve_##op, \
     .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("list_reverse", FL_NULL_GIVES_NULL, reverse, "list_reverse(l): the elements from the end"),
    FUNC("array_reverse", FL_NULL_GIVES_NULL, reverse, "array_reverse(l): as list_reverse"),
    FUNC("list_sort", FL_NULL_GIVES_NULL, sort,
         "list_sort(l [, 'ASC' | 'DESC' [, 'NULLS FIRST' | 'NULLS LAST']]): in order"),
    FUNC("array_sort", FL_NULL_GIVES_NULL, sort, "array_sort(l [, order [, nulls]]): as list_sort"),
    FUNC("list_reverse_sort", FL_NULL_GIVES_NULL, reverse_sort,
         "list_reverse_sort(l): in descending order, nulls first"),
    FUNC("list_distinct", FL_NULL_GIVES_NULL, distinct,
         "list_distinct(l): each value once, where it is first, without null"),
    FUNC("array_distinct", FL_NULL_GIVES_NULL, distinct, "array_distinct(l): as list_distinct"),
    FUNC("list_unique", FL_NULL_GIVES_NULL, unique, "list_unique(l): how many different values, without null"),
    FUNC("array_remove", FL_SETS_VALID, remove, "array_remove(l, x): the elements that are not x"),
    FUNC("flatten", FL_NULL_GIVES_NULL, flatten, "flatten(l): the elements of a list of lists, one behind the other"),
};

FL_FUNC_SET(rearrange, funcs);
