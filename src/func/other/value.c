/* Functions of values of any type: hash, constant_or_null, error, cast_to_type, can_cast_implicitly. */
#include "arrow/value.h"
#include "base/hash.h"
#include "exec/func.h"
#include "plan/expr.h"

/* ---- hash ---------------------------------------------------------------------------------------------------------- */

#define NULL_HASH 0x9E3779B97F4A7C15ull

static fl_status hash(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        uint64_t sum = 0;
        fl_arena_mark mark = fl_arena_mark_get(call->heap);
        for (int32_t a = 0; a < call->n_args; a++) {
            fl_value value;
            FL_TRY(fl_value_from_vec(call->heap, &call->args[a], row, &value, err));
            uint64_t one = value.is_null ? NULL_HASH : fl_value_hash(&value);
            sum = a == 0 ? one : fl_hash_combine(sum, one);
        }
        fl_arena_rewind(call->heap, mark);
        fl_ret_u64(call)[row] = sum;
        FL_TRY(fl_call_work(call, 16 * call->n_args, err));
    }
cleanup:
    return st;
}

static fl_status resolve_hash(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args < 1 || n_args > FL_FUNC_ARGS_MAX)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one to %d values were expected", FL_FUNC_ARGS_MAX);
    *ret = (fl_func_choice){.n_args = n_args, .ret = FL_TYPE(FL_U64), .run = hash};
    for (int32_t i = 0; i < n_args; i++)
        ret->args[i] = args[i].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[i];
    return FL_OK;
}

/* ---- constant_or_null ---------------------------------------------------------------------------------------------- */

static fl_status expand_unless_null(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                                    int32_t pos, const fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *tests[FL_FUNC_ARGS_MAX], *cases[3];
    fl_value null = {.type = args[0]->type, .is_null = true};
    (void)func;
    for (int32_t i = 1; i < n_args; i++)
        FL_TRY(fl_expr_is_null(plan, args[i], pos, &tests[i - 1], err));
    FL_TRY(fl_expr_or(plan, tests, n_args - 1, pos, &cases[0], err));
    FL_TRY(fl_expr_const(plan, &null, pos, &cases[1], err));
    cases[2] = args[0];
    st = fl_expr_case(plan, cases, 3, pos, ret, err);
cleanup:
    return st;
}

static fl_status resolve_unless_null(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args < 2 || n_args > FL_FUNC_ARGS_MAX)
        return FL_FAIL(err, FL_ERR_FUNCTION, "two to %d values were expected", FL_FUNC_ARGS_MAX);
    *ret = (fl_func_choice){.n_args = n_args};
    for (int32_t i = 0; i < n_args; i++)
        ret->args[i] = args[i].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[i];
    ret->ret = ret->args[0];
    return FL_OK;
}

/* ---- error --------------------------------------------------------------------------------------------------------- */

static fl_status raise_error(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        fl_str text = fl_vec_str(&call->args[0], row);
        text = text.len > 0 ? text : FL_STR("an error without words");
        return fl_err_state(err, "P0001",
                            FL_FAIL(err, FL_ERR_VALUE, "%.*s", (int)(text.len < 400 ? text.len : 400), text.data));
    }
    return FL_OK;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_status expand_cast(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                             int32_t pos, const fl_expr **ret, fl_err *err)
{
    (void)func;
    FL_ASSERT(n_args == 2);
    return fl_expr_cast(plan, args[0], args[1]->type, false, pos, ret, err);
}

static fl_status can_cast(fl_call *call, fl_err *err)
{
    (void)err;
    bool can = fl_cast_is_implicit(call->args[0].type, call->args[1].type, NULL);
    for (int32_t row = 0; row < call->rows; row++)
        fl_bit_put(fl_ret_bits(call), row, can);
    return FL_OK;
}

static fl_status resolve_two(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 2)
        return FL_FAIL(err, FL_ERR_FUNCTION, "two values were expected");
    *ret = (fl_func_choice){.n_args = 2, .run = can_cast};
    for (int32_t i = 0; i < 2; i++)
        ret->args[i] = args[i].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[i];
    return FL_OK;
}

static fl_status resolve_cast(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_status st = resolve_two(args, n_args, ret, err);
    if (st == FL_OK && !fl_type_is_equal(ret->args[0], ret->args[1]) && !fl_cast_exists(ret->args[0], ret->args[1]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "there is no such cast");
    if (st == FL_OK)
        ret->ret = ret->args[1];
    return st;
}

static fl_status resolve_can_cast(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_status st = resolve_two(args, n_args, ret, err);
    if (st == FL_OK)
        ret->ret = FL_TYPE(FL_BOOL);
    return st;
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "hash", .traits = FL_PURE | FL_ANY_TYPE, .resolve = resolve_hash,
     .doc = "hash(x, ...): a number that equal values share, the same in every run"},
    {FL_DESC(fl_func_desc), .name = "constant_or_null", .traits = FL_PURE | FL_ANY_TYPE, .resolve = resolve_unless_null,
     .expand = expand_unless_null, .doc = "constant_or_null(x, y, ...): x, null where any of the others is"},
    {FL_DESC(fl_func_desc), .name = "error", .traits = FL_PURE | FL_NULL_GIVES_NULL,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, raise_error}}, .n_overloads = 1,
     .doc = "error(text): raises that error"},
    {FL_DESC(fl_func_desc), .name = "cast_to_type", .traits = FL_PURE | FL_ANY_TYPE, .resolve = resolve_cast,
     .expand = expand_cast, .doc = "cast_to_type(x, y): x as a value of y's type"},
    {FL_DESC(fl_func_desc), .name = "can_cast_implicitly", .traits = FL_PURE | FL_ANY_TYPE, .resolve = resolve_can_cast,
     .doc = "can_cast_implicitly(x, y): whether x's type becomes y's without being asked"},
};

FL_FUNC_SET(value, funcs);
