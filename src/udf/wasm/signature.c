/* Types of SQL and of WebAssembly. */
#include "arrow/type.h"
#include "base/nearest.h"
#include "base/text.h"
#include "udf/wasm/function.h"

int32_t fl_wasm_values_of(fl_type type, uint8_t ret[2])
{
    switch (type.id) {
    case FL_BOOL:
    case FL_I8:
    case FL_I16:
    case FL_I32:
    case FL_U8:
    case FL_U16:
    case FL_U32:
    case FL_DATE:
        ret[0] = WASM_I32;
        return 1;
    case FL_I64:
    case FL_U64:
    case FL_TIME:
    case FL_TIMESTAMP:
    case FL_TIMESTAMPTZ:
        ret[0] = WASM_I64;
        return 1;
    case FL_F32:
        ret[0] = WASM_F32;
        return 1;
    case FL_F64:
        ret[0] = WASM_F64;
        return 1;
    case FL_UTF8:
    case FL_BINARY:
        ret[0] = ret[1] = WASM_I32;
        return 2;
    default:
        return 0;
    }
}

static uint8_t result_of(fl_type type)
{
    uint8_t values[2] = {0};
    return fl_wasm_values_of(type, values) == 2 ? WASM_I64 : values[0];
}

static fl_status fail_export(const fl_udf *udf, const wasm_module *module, fl_err *err)
{
    fl_nearest near;
    fl_str name = udf->declaration.name;
    fl_status st = FL_FAIL(err, FL_ERR_FUNCTION, "the module exports no function \"%.*s\"", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < module->n_exports; i++)
        if (module->exports[i].kind == WASM_FUNC)
            fl_nearest_offer(&near, module->exports[i].name);
    fl_err_hint(err, "a function is called as its export is");
    if (near.count > 0)
        fl_nearest_hint(&near, err);
    return st;
}

static fl_status fail_type(fl_type type, fl_err *err)
{
    fl_status st =
        FL_FAIL(err, FL_ERR_TYPE, "the type %s cannot be passed to a function in WebAssembly", FL_TYPE_NAME(type));
    fl_err_hint(err, "it can be a number of up to 64 bits, a boolean, date, time, timestamp, text or binary");
    return st;
}

/* The type that the declaration asks for. */
static fl_status wanted_type(fl_udf *udf, wasm_type *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_function_declaration *d = &udf->declaration;
    uint8_t *params = NULL, values[2] = {0};
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(&udf->arena, d->n_params * 3 + 2, &params, err));
    for (int32_t i = 0; i < d->n_params; i++) {
        int32_t k = fl_wasm_values_of(d->params[i].type, values);
        if (k == 0)
            return fail_type(d->params[i].type, err);
        memcpy(params + n, values, (size_t)k);
        n += k;
        if (d->takes_nulls)
            params[n++] = WASM_I32;
    }
    if (fl_wasm_values_of(d->returns, values) == 0)
        return fail_type(d->returns, err);
    params[n] = result_of(d->returns);
    *ret = (wasm_type){.params = params, .n_params = n, .results = params + n, .n_results = 1};
cleanup:
    return st;
}

/* Numbers as the export has them. */
static fl_status take_signature(fl_udf *udf, const wasm_type *type, fl_err *err)
{
    fl_status st = FL_OK;
    fl_function_param *params = NULL;
    fl_type types[FL_FUNC_ARGS_MAX + 1];
    if (type->n_results != 1 || type->n_params > FL_FUNC_ARGS_MAX) {
        fl_str found;
        FL_TRY(fl_wasm_print_type(&udf->arena, type, &found, err));
        st = FL_FAIL(err, FL_ERR_FUNCTION,
                     "the module's function is of type %.*s: its parameters and RETURNS must be written",
                     FL_STR_ARG(found));
        fl_err_hint(err, "CREATE FUNCTION f(x double) RETURNS double …");
        return st;
    }
    for (int32_t i = 0; i <= type->n_params; i++) {
        uint8_t value = i < type->n_params ? type->params[i] : type->results[0];
        types[i] = value == WASM_I32   ? FL_TYPE(FL_I32)
                   : value == WASM_I64 ? FL_TYPE(FL_I64)
                   : value == WASM_F32 ? FL_TYPE(FL_F32)
                                       : FL_TYPE(FL_F64);
        if (value != WASM_I32 && value != WASM_I64 && value != WASM_F32 && value != WASM_F64)
            return FL_FAIL(err, FL_ERR_FUNCTION, "the module's function takes vectors or references");
    }
    FL_TRY(FL_NEW_ARRAY(&udf->arena, type->n_params + 1, &params, err));
    for (int32_t i = 0; i < type->n_params; i++)
        params[i].type = types[i];
    udf->declaration.params = params;
    udf->declaration.n_params = type->n_params;
    udf->declaration.returns = types[type->n_params];
    udf->declaration.has_signature = true;
cleanup:
    return st;
}

static bool is_same(const wasm_type *a, const wasm_type *b)
{
    return a->n_params == b->n_params && a->n_results == b->n_results &&
           memcmp(a->params, b->params, (size_t)a->n_params) == 0 &&
           memcmp(a->results, b->results, (size_t)a->n_results) == 0;
}

/* Chooses <name>_batch, where there is one that takes whole columns. */
static fl_status find_batch(wasm_function *f, const wasm_module *module, int32_t *ret_func, fl_err *err)
{
    fl_status st = FL_OK;
    static const uint8_t values[] = {WASM_I32, WASM_I32, WASM_I32, WASM_I32};
    static const wasm_type wanted = {.params = values, .n_params = 3, .results = values, .n_results = 1};
    fl_str name;
    wasm_type unused;
    FL_TRY(fl_arena_format(&f->udf->arena, &name, err, "%s_batch", f->name));
    const wasm_export *export = fl_wasm_find_export(module, name, WASM_FUNC);
    if (export == NULL || !is_same(&wanted, wasm_type_of(module, export->index)))
        return FL_OK;
    f->takes_columns = true;
    f->export = name.data;
    *ret_func = export->index;
    if (f->udf->declaration.has_signature)
        return wanted_type(f->udf, &unused, err); /* whether its types can be passed at all */
    st = FL_FAIL(err, FL_ERR_FUNCTION, "a function that takes whole columns needs its parameters and RETURNS written");
    fl_err_hint(err, "CREATE FUNCTION %s(x double) RETURNS double …", f->name);
cleanup:
    return st;
}

fl_status fl_wasm_check_signature(wasm_function *f, const wasm_module *module, int32_t *ret_func, fl_err *err)
{
    fl_status st = FL_OK;
    wasm_type wanted;
    fl_str expected, found;
    fl_udf *udf = f->udf;
    FL_TRY(find_batch(f, module, ret_func, err));
    if (f->takes_columns)
        return FL_OK;
    const wasm_export *export = fl_wasm_find_export(module, udf->declaration.name, WASM_FUNC);
    if (export == NULL)
        return fail_export(udf, module, err);
    f->export = f->name;
    *ret_func = export->index;
    const wasm_type *type = wasm_type_of(module, export->index);
    if (!udf->declaration.has_signature)
        return take_signature(udf, type, err);
    FL_TRY(wanted_type(udf, &wanted, err));
    if (is_same(&wanted, type))
        return FL_OK;
    FL_TRY(fl_wasm_print_type(&udf->arena, &wanted, &expected, err));
    FL_TRY(fl_wasm_print_type(&udf->arena, type, &found, err));
    st = FL_FAIL(err, FL_ERR_FUNCTION, "the declaration asks for a function of type %.*s, the module's is %.*s",
                 FL_STR_ARG(expected), FL_STR_ARG(found));
    fl_err_state(err, "42P13", st);
cleanup:
    return st;
}
