/* Functions in Python are made: which runtime, and what the declaration says to it. */
#include "udf/python/function.h"

#include "arrow/type.h"
#include "base/utf8.h"
#include "udf/plugin.h"

int32_t fl_python_type_of(fl_type type, int32_t *ret_unit)
{
    static const int8_t types[FL_TYPE_COUNT] = {
        [FL_BOOL] = 1 + FL_PYTHON_BOOL,
        [FL_I8] = 1 + FL_PYTHON_I8,
        [FL_I16] = 1 + FL_PYTHON_I16,
        [FL_I32] = 1 + FL_PYTHON_I32,
        [FL_I64] = 1 + FL_PYTHON_I64,
        [FL_U8] = 1 + FL_PYTHON_U8,
        [FL_U16] = 1 + FL_PYTHON_U16,
        [FL_U32] = 1 + FL_PYTHON_U32,
        [FL_U64] = 1 + FL_PYTHON_U64,
        [FL_F32] = 1 + FL_PYTHON_F32,
        [FL_F64] = 1 + FL_PYTHON_F64,
        [FL_UTF8] = 1 + FL_PYTHON_TEXT,
        [FL_BINARY] = 1 + FL_PYTHON_BINARY,
        [FL_DATE] = 1 + FL_PYTHON_DATE,
        [FL_TIME] = 1 + FL_PYTHON_TIME,
        [FL_TIMESTAMP] = 1 + FL_PYTHON_TIMESTAMP,
        [FL_TIMESTAMPTZ] = 1 + FL_PYTHON_TIMESTAMPTZ,
    };
    static const int32_t units[] = {[FL_MICRO] = FL_PYTHON_MICROS,
                                    [FL_SECOND] = FL_PYTHON_SECONDS,
                                    [FL_MILLI] = FL_PYTHON_MILLIS,
                                    [FL_NANO] = FL_PYTHON_NANOS};
    *ret_unit = fl_type_is_timestamp(type) ? units[type.unit] : 0;
    return types[type.id] - 1;
}

static fl_status open_runtime(bool is_in_process, const fl_python_runtime **ret, fl_err *err)
{
    const char *name = is_in_process ? "fletch_python_here" : "fletch_python";
    void *symbol = NULL;
    fl_python_runtime_open start;
    fl_status st = fl_plugin_open(name, FL_PYTHON_RUNTIME_SYMBOL, &symbol, err);
    if (st != FL_OK)
        return st;
    memcpy(&start, &symbol, sizeof(start)); /* ISO C has no cast from data to functions */
    *ret = start();
    if ((*ret)->abi != FL_PYTHON_RUNTIME_ABI)
        return FL_FAIL(err, FL_ERR_CONFIG, "the plugin %s.so is of another version", name);
    return FL_OK;
}

static fl_status fail_type(fl_type type, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "a function in Python cannot have %s as argument or result",
                           FL_TYPE_NAME(type));
    fl_err_hint(err, "numbers, boolean, text, binary, date, time and timestamps can be passed; cast the others to one");
    return st;
}

static fl_status check_types(python_function *f, fl_python_declaration *ret, fl_err *err)
{
    const fl_function_declaration *d = &f->udf->declaration;
    int32_t unit;
    if (!d->has_signature) {
        ret->n_args = -1;
        return FL_OK;
    }
    ret->n_args = d->n_params;
    for (int32_t i = 0; i <= d->n_params; i++) {
        fl_type type = i < d->n_params ? d->params[i].type : d->returns;
        int32_t *to = i < d->n_params ? &f->types[i] : &f->types[FL_FUNC_ARGS_MAX];
        *to = fl_python_type_of(type, &unit);
        if (*to < 0)
            return fail_type(type, err);
        if (i < d->n_params)
            ret->types[i] = *to;
        else
            ret->returns = *to;
    }
    return FL_OK;
}

/* As a parameter's name in SQL: letters, digits and underscores, and unlike those before it. Others are left out: it is not needed. */
static bool is_name(const char *name, const fl_function_param *before, int32_t n_before)
{
    fl_str text = fl_str_of(name);
    bool is = text.len > 0 && fl_utf8_is_valid(text.data, text.len);
    for (int64_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)fl_char_lower(text.data[i]);
        is &= c >= 0x80 || c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && i > 0);
    }
    for (int32_t i = 0; i < n_before; i++)
        is &= !fl_str_is_equal_nocase(before[i].name, text);
    return is;
}

/* Takes the signature that the text's annotations say. The worker that told them ran the text: what it says is looked at. */
static fl_status take_signature(fl_udf *udf, fl_python_signature *said, fl_err *err)
{
    static const fl_type_id types[FL_PYTHON_TYPES] = {
        [FL_PYTHON_BOOL] = FL_BOOL,           [FL_PYTHON_I64] = FL_I64,      [FL_PYTHON_F64] = FL_F64,
        [FL_PYTHON_DATE] = FL_DATE,           [FL_PYTHON_TIME] = FL_TIME,    [FL_PYTHON_TEXT] = FL_UTF8,
        [FL_PYTHON_TIMESTAMP] = FL_TIMESTAMP, [FL_PYTHON_BINARY] = FL_BINARY};
    fl_status st = FL_OK;
    fl_function_declaration *d = &udf->declaration;
    fl_function_param *params = NULL;
    int32_t n = said->n_args;
    bool is_good = n >= 0 && n <= FL_PYTHON_ARGS_MAX;
    for (int32_t i = 0; is_good && i <= n; i++) {
        int32_t type = i < n ? said->types[i] : said->returns;
        is_good = type >= 0 && type < FL_PYTHON_TYPES && types[type] != FL_NULL;
    }
    if (!is_good)
        return FL_FAIL(err, FL_ERR_FUNCTION, "function %s: its annotations say no types", d->name.data);
    FL_TRY(FL_NEW_ARRAY(&udf->arena, n + 1, &params, err));
    for (int32_t i = 0; i < n; i++) {
        params[i].type = FL_TYPE(types[said->types[i]]);
        said->names[i][FL_PYTHON_NAME_BYTES - 1] = 0;
        if (is_name(said->names[i], params, i))
            FL_TRY(fl_arena_copy_str(&udf->arena, fl_str_of(said->names[i]), &params[i].name, err));
    }
    d->params = params;
    d->n_params = n;
    d->returns = FL_TYPE(types[said->returns]);
    d->has_signature = true;
cleanup:
    return st;
}

/* A fault of the text. */
static fl_status fail_load(const fl_python_fault *fault, const char *name, fl_interrupt *interrupt, fl_err *err)
{
    fl_status st = FL_OK;
    switch (fault->kind) {
    case FL_PYTHON_NO_MEMORY:
        return FL_FAIL(err, FL_ERR_MEMORY, "%s", fault->message);
    case FL_PYTHON_STOPPED:
        st = fl_interrupt_check(interrupt, err);
        return st != FL_OK ? st : FL_FAIL(err, FL_ERR_CANCELLED, "function %s was stopped", name);
    case FL_PYTHON_REFUSED:
        st = FL_FAIL(err, FL_ERR_CONFIG, "%s", fault->message);
        break;
    default:
        st = FL_FAIL(err, FL_ERR_FUNCTION, "function %s: %s", name, fault->message);
        fl_err_state(err, fault->kind == FL_PYTHON_CODE ? "42P13" : "38000", st);
    }
    if (fault->traceback[0] != 0)
        fl_err_hint(err, "%s", fault->traceback);
    return st;
}

fl_status fl_python_load(fl_udf *udf, const fl_python_settings *settings, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_function_declaration *d = &udf->declaration;
    fl_python_declaration declaration = {.name = d->name.data,
                                         .code = d->code.data,
                                         .code_bytes = (size_t)d->code.len,
                                         .takes_nulls = d->takes_nulls,
                                         .errors_are_null = d->errors_are_null,
                                         .is_repeatable = d->volatility != FL_FUNCTION_VOLATILE,
                                         .module_path = settings->module_path,
                                         .may_be_unconfined = settings->may_be_unconfined};
    python_function *f = NULL;
    fl_python_signature said = {0};
    fl_python_fault fault = {.row = -1};
    if (!settings->is_allowed) {
        st = FL_FAIL(err, FL_ERR_CONFIG, "LANGUAGE python is not allowed");
        fl_err_state(err, "42501", st);
        fl_err_hint(err, "--allow-python turns it on");
        return st;
    }
    if (d->is_aggregate) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "aggregates cannot be written in Python");
        fl_err_hint(err, "LANGUAGE wasm has them");
        return st;
    }
    if (d->fuel > 0) {
        st = FL_FAIL(err, FL_ERR_SYNTAX, "a function of LANGUAGE python takes no FUEL");
        fl_err_hint(err, "LANGUAGE wasm counts steps; timeout bounds a statement");
        return st;
    }
    FL_TRY(FL_NEW(&udf->arena, &f, err));
    f->udf = udf;
    FL_TRY(check_types(f, &declaration, err));
    f->is_in_process = settings->is_in_process;
    FL_TRY(open_runtime(settings->is_in_process, &f->runtime, err));
    f->function = f->runtime->function_new(&declaration, fl_interrupt_shall_stop, udf->interrupt, &said, &fault);
    if (f->function == NULL) {
        st = fail_load(&fault, d->name.data, udf->interrupt, err);
        if (fault.kind == FL_PYTHON_CODE && !d->has_signature && fault.traceback[0] == 0)
            fl_err_hint(err,
                        "annotations say types, as in def %s(x: float) -> float; or the declaration does: "
                        "%s(x double) RETURNS double, --signature \"(x double) -> double\"",
                        d->name.data, d->name.data);
        goto cleanup;
    }
    udf->state = f;
    f->form = said.form > 0 && said.form < FL_PYTHON_FORMS ? (fl_python_form)said.form : FL_PYTHON_BY_ROW;
    if (!d->has_signature) {
        FL_TRY(take_signature(udf, &said, err));
        FL_TRY(check_types(f, &declaration, err));
    }
    udf->run = fl_python_run;
    udf->func.local_new = fl_python_local_new;
    udf->func.local_free = fl_python_local_free;
    udf->func.explain = fl_python_explain;
    udf->func.cost_ns = fl_python_cost_ns;
    if (f->form != FL_PYTHON_BY_ROW)
        udf->func.traits |= FL_MANY_ROWS;
cleanup:
    return st;
}

void fl_python_unload(fl_udf *udf)
{
    python_function *f = udf->state;
    if (f != NULL)
        f->runtime->function_free(f->function);
}
