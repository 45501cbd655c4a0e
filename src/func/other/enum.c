/* What enums are made of: enum_code, enum_first, enum_last, enum_range, enum_range_boundary. All but the last read the type alone. */
#include "arrow/value.h"
#include "exec/func.h"

static fl_type names_of(const fl_call *call)
{
    fl_type type = call->args[0].type;
    return type.extension == FL_ENUM ? type : call->args[1].type;
}

static fl_status code(fl_call *call, fl_err *err)
{
    (void)err;
    memcpy(fl_ret_u32(call), call->args[0].data, (size_t)call->rows * 4);
    return FL_OK;
}

static void put_name(fl_call *call, int32_t which)
{
    fl_str name = names_of(call).fields[which].name;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_view(call)[row] = fl_view_of(name.data, name.len);
}

static fl_status first(fl_call *call, fl_err *err)
{
    (void)err;
    put_name(call, 0);
    return FL_OK;
}

static fl_status last(fl_call *call, fl_err *err)
{
    (void)err;
    put_name(call, names_of(call).n_fields - 1);
    return FL_OK;
}

/* A bound's place among the names; `otherwise` for null. */
static fl_status bound_at(const fl_vec *bound, int32_t row, int32_t otherwise, int32_t *ret, fl_err *err)
{
    fl_value value;
    *ret = otherwise;
    if (bound->type.extension != FL_ENUM || !fl_vec_is_valid(bound, row))
        return FL_OK;
    fl_status st = fl_value_from_vec(NULL, bound, row, &value, err);
    *ret = (int32_t)value.i;
    return st;
}

/* The names between two values, both included; null is an open end. Of one argument: all. */
static fl_status range(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = names_of(call);
    fl_vec *child = NULL;
    fl_view *views = NULL;
    FL_TRY(FL_NEW(call->heap, &child, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, type.n_fields + 1, &views, err));
    for (int32_t i = 0; i < type.n_fields; i++)
        views[i] = fl_view_of(type.fields[i].name.data, type.fields[i].name.len);
    fl_vec_set_flat(child, FL_TYPE(FL_UTF8), views, NULL);
    call->ret->child = child; /* all rows have parts of the one list */
    call->ret->child_rows = type.n_fields;
    for (int32_t row = 0; row < call->rows; row++) {
        int32_t from = 0, to = type.n_fields - 1;
        if (call->n_args == 2) {
            FL_TRY(bound_at(&call->args[0], row, from, &from, err));
            FL_TRY(bound_at(&call->args[1], row, to, &to, err));
        }
        ((fl_list_entry *)(uintptr_t)call->ret->data)[row] = (fl_list_entry){from, to >= from ? to - from + 1 : 0};
    }
cleanup:
    return st;
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_type made, fl_func_run run, fl_func_choice *ret,
                         fl_err *err)
{
    if (n_args != 1 || args[0].extension != FL_ENUM)
        return FL_FAIL(err, FL_ERR_FUNCTION, "an enum was expected");
    *ret = (fl_func_choice){.args = {args[0]}, .n_args = 1, .ret = made, .run = run};
    return FL_OK;
}

static fl_status resolve_code(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, FL_TYPE(FL_U32), code, ret, err);
}
static fl_status resolve_first(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, FL_TYPE(FL_UTF8), first, ret, err);
}
static fl_status resolve_last(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, FL_TYPE(FL_UTF8), last, ret, err);
}

static fl_status resolve_range(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_status st = resolve(args, n_args, FL_TYPE(FL_NULL), range, ret, err);
    return st != FL_OK ? st : fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->ret, err);
}

static fl_status resolve_boundary(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    bool fits = n_args == 2 && (args[0].extension == FL_ENUM || args[1].extension == FL_ENUM);
    fl_type type = FL_TYPE(FL_NULL);
    if (fits)
        type = args[args[0].extension == FL_ENUM ? 0 : 1];
    for (int32_t i = 0; i < n_args && fits; i++)
        fits = args[i].id == FL_NULL || fl_type_is_equal(args[i], type);
    if (!fits)
        return FL_FAIL(err, FL_ERR_FUNCTION, "two values of one enum were expected");
    *ret = (fl_func_choice){.args = {type, type}, .n_args = 2, .run = range};
    return fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->ret, err);
}

#define FUNC(name_, more, resolver, help) \
    {FL_DESC(fl_func_desc), .name = name_, .traits = FL_PURE | FL_ANY_TYPE | (more), .resolve = resolver, .doc = help}

static const fl_func_desc funcs[] = {
    FUNC("enum_code", FL_NULL_GIVES_NULL, resolve_code, "enum_code(x): the place of a value in its enum, from 0"),
    FUNC("enum_first", 0, resolve_first, "enum_first(x): the first value of x's enum"),
    FUNC("enum_last", 0, resolve_last, "enum_last(x): the last value of x's enum"),
    FUNC("enum_range", 0, resolve_range, "enum_range(x): all values of x's enum"),
    FUNC("enum_range_boundary", 0, resolve_boundary,
         "enum_range_boundary(a, b): the values from a to b; null is an open end"),
};

FL_FUNC_SET(enums, funcs);
