/* Lists made of several arguments: list_concat, list_append, list_prepend, and array_cat, which l || x calls.
 *
 * A null list counts as an empty one, two of them give null (PostgreSQL, section 9.19); a null element is an element. */
#include "func/list/list.h"
#include "plan/expr.h"

static fl_status add_arg(fl_call *call, int32_t arg, int32_t row, bool is_element, fl_list_values *to, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *vec = &call->args[arg];
    fl_value value;
    if (is_element) {
        FL_TRY(fl_value_from_vec(call->heap, vec, row, &value, err));
        return fl_list_add_value(call, to, &value, err);
    }
    fl_list_entry entry = fl_vec_is_valid(vec, row) ? fl_list_entry_of(vec, row) : (fl_list_entry){0};
    for (int32_t i = 0; i < entry.len; i++) {
        FL_TRY(fl_value_from_vec(call->heap, vec->child, entry.start + i, &value, err));
        FL_TRY(fl_list_add_value(call, to, &value, err));
    }
cleanup:
    return st;
}

static fl_status join(fl_call *call, int32_t element, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_values values = {0};
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = values.n;
        bool any = element >= 0;
        for (int32_t a = 0; a < call->n_args; a++) {
            any |= fl_vec_is_valid(&call->args[a], row);
            FL_TRY(add_arg(call, a, row, a == element, &values, err));
        }
        if (!any)
            fl_bit_clear(fl_call_valid(call), row);
        ret[row] = (fl_list_entry){(int32_t)start, (int32_t)(values.n - start)};
    }
    st = fl_list_finish_values(call, &values, err);
cleanup:
    return st;
}

static fl_status concat(fl_call *call, fl_err *err)
{
    return join(call, -1, err);
}

static fl_status append(fl_call *call, fl_err *err)
{
    return join(call, 1, err);
}

static fl_status prepend(fl_call *call, fl_err *err)
{
    return join(call, 0, err);
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_type element_of(fl_type list)
{
    return fl_list_is(list) ? list.fields[0].type : FL_TYPE(FL_NULL);
}

static fl_status choose(fl_arena *arena, fl_type element, int32_t at, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_type list = {0};
    fl_status st = fl_type_list_of(arena, element, &list, err);
    *ret = (fl_func_choice){.n_args = n_args < FL_FUNC_ARGS_MAX ? n_args : FL_FUNC_ARGS_MAX, .ret = list};
    for (int32_t i = 0; i < ret->n_args; i++)
        ret->args[i] = i == at ? element : list;
    ret->run = at < 0 ? concat : at == 0 ? prepend : append;
    return st;
}

static fl_status resolve_concat(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_type common = FL_TYPE(FL_NULL);
    bool any = false;
    for (int32_t i = 0; i < n_args; i++) {
        any |= fl_list_is(args[i]);
        if ((!fl_list_is(args[i]) && args[i].id != FL_NULL) ||
            !fl_type_common_in(ret->arena, common, element_of(args[i]), &common))
            return FL_FAIL(err, FL_ERR_FUNCTION, "lists with a common type of elements were expected");
    }
    if (!any)
        return FL_FAIL(err, FL_ERR_FUNCTION, "lists were expected");
    return choose(ret->arena, common, -1, n_args, ret, err);
}

static fl_status resolve_element(const fl_type *args, int32_t n_args, int32_t at, fl_func_choice *ret, fl_err *err)
{
    fl_type common;
    if (n_args != 2 || (!fl_list_is(args[1 - at]) && args[1 - at].id != FL_NULL) ||
        !fl_type_common_in(ret->arena, element_of(args[1 - at]), args[at], &common))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list and a value of its elements' type were expected");
    return choose(ret->arena, common.id == FL_NULL ? FL_TYPE(FL_UTF8) : common, at, 2, ret, err);
}

static fl_status resolve_append(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_element(args, n_args, 1, ret, err);
}

static fl_status resolve_prepend(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve_element(args, n_args, 0, ret, err);
}

/* Two lists, or a list and an element on either side. */
static fl_status resolve_cat(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args != 2)
        return FL_FAIL(err, FL_ERR_FUNCTION, "two lists, or a list and an element were expected");
    if (resolve_concat(args, n_args, ret, NULL) == FL_OK)
        return FL_OK;
    for (int32_t at = 1; at >= 0; at--) {
        ret->arena = arena;
        if (fl_list_is(args[1 - at]) && resolve_element(args, n_args, at, ret, NULL) == FL_OK)
            return FL_OK;
    }
    return FL_FAIL(err, FL_ERR_FUNCTION, "two lists, or a list and an element were expected");
}

/* list_prepend with its arguments the other way round. */
static fl_status expand_push_front(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                                   int32_t pos, const fl_expr **ret, fl_err *err)
{
    (void)func;
    FL_ASSERT(n_args == 2);
    return fl_expr_call_args(plan, "list_prepend", pos, ret, err, 2, args[1], args[0]);
}

#define FUNC(text, op, help)                                                                                        \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_SETS_VALID | FL_ANY_TYPE, .resolve = resolve_##op, \
     .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("list_concat", concat, "list_concat(l, m, ...): the elements of all lists"),
    FUNC("array_concat", concat, "array_concat(l, m, ...): as list_concat"),
    FUNC("list_cat", concat, "list_cat(l, m, ...): as list_concat"),
    FUNC("array_cat", cat, "array_cat(l, m), l || m: the elements of both lists; either side may be an element"),
    FUNC("list_append", append, "list_append(l, x): the list with x behind it"),
    FUNC("array_append", append, "array_append(l, x): as list_append"),
    FUNC("list_prepend", prepend, "list_prepend(x, l): the list with x in front of it"),
    {FL_DESC(fl_func_desc), .name = "array_push_front", .traits = FL_PURE | FL_ANY_TYPE, .resolve = resolve_append,
     .expand = expand_push_front, .doc = "array_push_front(l, x): as list_prepend(x, l)"},
    FUNC("array_prepend", prepend, "array_prepend(x, l): as list_prepend"),
};

FL_FUNC_SET(list_join, funcs);
