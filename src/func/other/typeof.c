/* pg_typeof: the type of an expression by its name. */
#include "exec/func.h"

static fl_status name_of(fl_call *call, const char *name, fl_err *err)
{
    int64_t len = (int64_t)strlen(name);
    char *out;
    fl_status st = fl_call_room(call, len + 1, &out, err);
    if (st != FL_OK)
        return st;
    memcpy(out, name, (size_t)len);
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_view(call)[row] = fl_view_of(out, len);
    return FL_OK;
}

static fl_status known(fl_call *call, fl_err *err)
{
    char name[256];
    return name_of(call, fl_type_name(call->args[0].type, name, sizeof(name)), err);
}

static fl_status unknown(fl_call *call, fl_err *err)
{
    return name_of(call, "unknown", err);
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one argument was expected");
    bool is_known = args[0].id != FL_NULL;
    *ret = (fl_func_choice){.args = {is_known ? args[0] : FL_TYPE(FL_UTF8)},
                            .n_args = 1,
                            .ret = FL_TYPE(FL_UTF8),
                            .run = is_known ? known : unknown};
    return FL_OK;
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "pg_typeof", .traits = FL_PURE | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_ANY_TYPE,
     .resolve = resolve, .doc = "pg_typeof(x): the name of x's type"},
    {FL_DESC(fl_func_desc), .name = "typeof", .traits = FL_PURE | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_ANY_TYPE,
     .resolve = resolve, .doc = "typeof(x): the name of x's type"},
};

FL_FUNC_SET(typeof, funcs);
