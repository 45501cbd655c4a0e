/* list_value (what [a, b] calls), list_extract (l[i]), list_contains (x = ANY (l)), len, cardinality. */
#include "func/list/list.h"

#include "base/utf8.h"

/* ---- list_value ---------------------------------------------------------------------------------------------------- */

static fl_status make_list(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = call->n_args, total = n * call->rows;
    fl_value *values = NULL;
    const fl_value **ptrs = NULL;
    fl_vec *child = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, total + 1, &values, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, total + 1, &ptrs, err));
    FL_TRY(FL_NEW(call->heap, &child, err));
    for (int64_t i = 0; i < total; i++) {
        FL_TRY(fl_value_from_vec(call->heap, &call->args[i % n], i / n, &values[i], err));
        ptrs[i] = &values[i];
    }
    FL_TRY(fl_vec_from_values(call->heap, call->ret->type.fields[0].type, ptrs, total, child, err));
    fl_list_entry *entries = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++)
        entries[row] = (fl_list_entry){(int32_t)(row * n), (int32_t)n};
    call->ret->child = child;
    call->ret->child_rows = total;
cleanup:
    return st;
}

static fl_status resolve_make(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type common = FL_TYPE(FL_NULL);
    for (int32_t i = 0; i < n_args; i++)
        if (!fl_type_common_in(arena, common, args[i], &common))
            return FL_FAIL(err, FL_ERR_FUNCTION, "items of a list must have a common type");
    if (common.id == FL_NULL)
        common = FL_TYPE(n_args == 0 ? FL_I32 : FL_UTF8);
    ret->n_args = n_args < FL_FUNC_ARGS_MAX ? n_args : FL_FUNC_ARGS_MAX;
    for (int32_t i = 0; i < ret->n_args; i++)
        ret->args[i] = common;
    ret->run = make_list;
    return fl_type_list_of(arena, common, &ret->ret, err);
}

/* ---- list_extract -------------------------------------------------------------------------------------------------- */

/* Counted from one, negative from the end; null where there is no such element. */
static fl_status extract(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *list = &call->args[0];
    const fl_list_entry *entries = list->data;
    int32_t *rows = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, call->rows + 1, &rows, err));
    for (int32_t row = 0; row < call->rows; row++) {
        rows[row] = -1;
        if (!fl_vec_is_valid(list, row) || !fl_vec_is_valid(&call->args[1], row))
            continue;
        int64_t i = fl_arg_i64(call, 1)[row], len = entries[row].len;
        i = i < 0 ? len + i : i - 1;
        if (i >= 0 && i < len)
            rows[row] = (int32_t)(entries[row].start + i);
    }
    st = fl_list_gather_one(call, list->child, list->child_rows, rows, err);
cleanup:
    return st;
}

static fl_status resolve_extract(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 2 || !fl_list_is(args[0]) ||
        (args[1].id != FL_NULL && !fl_cast_is_implicit(args[1], FL_TYPE(FL_I64), NULL)))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list and an integer were expected");
    *ret = (fl_func_choice){
        .args = {args[0], FL_TYPE(FL_I64)}, .n_args = 2, .ret = args[0].fields[0].type, .run = extract};
    return FL_OK;
}

/* ---- list_contains ------------------------------------------------------------------------------------------------- */

/* As x = ANY (l): null where x is not found but a null element might have been it. */
static fl_status contains(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *list = &call->args[0], *x = &call->args[1];
    const fl_list_entry *entries = list->data;
    for (int32_t row = 0; row < call->rows; row++) {
        bool found = false, unknown = false;
        fl_bit_clear(fl_ret_bits(call), row);
        if (!fl_vec_is_valid(list, row) || (!fl_vec_is_valid(x, row) && entries[row].len > 0)) {
            fl_bit_clear(fl_call_valid(call), row);
            continue;
        }
        fl_value wanted, item;
        if (entries[row].len > 0)
            FL_TRY(fl_value_from_vec(call->heap, x, row, &wanted, err));
        for (int32_t i = 0; i < entries[row].len && !found; i++) {
            FL_TRY(fl_value_from_vec(call->heap, list->child, entries[row].start + i, &item, err));
            FL_TRY(fl_call_work(call, 32, err));
            unknown |= item.is_null;
            found = !item.is_null && fl_value_compare(&item, &wanted) == 0;
        }
        if (found)
            fl_bit_set(fl_ret_bits(call), row);
        else if (unknown)
            fl_bit_clear(fl_call_valid(call), row);
    }
cleanup:
    return st;
}

static fl_status resolve_contains(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type element, common;
    if (n_args != 2 || !fl_list_is(args[0]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list was expected");
    element = args[0].fields[0].type;
    if (!fl_type_common_in(arena, element, args[1], &common))
        return FL_FAIL(err, FL_ERR_FUNCTION, "the list's elements have another type");
    *ret = (fl_func_choice){.args = {args[0], element}, .n_args = 2, .ret = FL_TYPE(FL_BOOL), .run = contains};
    if (!fl_type_is_equal(common, element)) {
        ret->args[1] = common;
        return fl_type_list_of(arena, common, &ret->args[0], err);
    }
    return FL_OK;
}

/* ---- len ----------------------------------------------------------------------------------------------------------- */

static fl_status len_list(fl_call *call, fl_err *err)
{
    (void)err;
    const fl_list_entry *entries = call->args[0].data;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_i64(call)[row] = entries[row].len;
    return FL_OK;
}

static fl_status len_text(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_vec_str(&call->args[0], row);
        fl_ret_i64(call)[row] = fl_utf8_count(x.data, x.len);
    }
    return FL_OK;
}

static fl_status resolve_len(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    bool is_text = n_args == 1 && (fl_type_is_text(fl_type_plain(args[0])) || args[0].id == FL_NULL);
    if (n_args != 1 || (!is_text && args[0].id != FL_LIST))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list or text was expected");
    *ret = (fl_func_choice){.args = {is_text ? FL_TYPE(FL_UTF8) : args[0]},
                            .n_args = 1,
                            .ret = FL_TYPE(FL_I64),
                            .run = is_text ? len_text : len_list};
    return FL_OK;
}

static fl_status resolve_cardinality(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1 || args[0].id != FL_LIST)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list or map was expected");
    return resolve_len(args, n_args, ret, err);
}

#define FUNC(text, more, op, help)                                                                           \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_ANY_TYPE | (more), .resolve = resolve_##op, \
     .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("list_value", 0, make, "list_value(a, b, ...): the list [a, b, ...]"),
    FUNC("list_extract", FL_SETS_VALID, extract,
         "l[i]: an element counted from one, from the end where i is negative; null where there is none"),
    FUNC("list_contains", FL_SETS_VALID, contains, "list_contains(l, x): whether x is an element of l"),
    FUNC("len", FL_NULL_GIVES_NULL, len, "len(l): elements of a list, characters of a text"),
    FUNC("cardinality", FL_NULL_GIVES_NULL, cardinality, "cardinality(l): elements of a list, entries of a map"),
};

FL_FUNC_SET(list, funcs);
