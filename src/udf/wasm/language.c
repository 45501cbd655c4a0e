/* LANGUAGE wasm: modules become functions. */
#include "udf/wasm/function.h"

#include "base/clock.h"
#include "base/text.h"
#include "udf/plugin.h"
#include "udf/wasm/instruction.h"
#include "udf/wasm/rewrite.h"

#include <stdlib.h>

#define LOOK_NS 10000000 /* between looks at whether the statement was stopped */

static _Atomic bool is_held;

void fl_wasm_hold_compiler(bool holds)
{
    atomic_store(&is_held, holds);
}

fl_status fl_wasm_fail(const fl_wasm_fault *fault, const char *name, fl_err *err)
{
    switch (fault->kind) {
    case FL_WASM_NO_MEMORY:
        return FL_FAIL(err, FL_ERR_MEMORY, "%s", fault->message);
    case FL_WASM_LIMIT:
    case FL_WASM_STEPS:
        return FL_FAIL(err, FL_ERR_LIMIT, "function %s: %s", name, fault->message);
    default:
        break;
    }
    bool is_trap = fault->kind == FL_WASM_TRAP; /* of its start */
    fl_status st = FL_FAIL(err, is_trap ? FL_ERR_VALUE : FL_ERR_FUNCTION, "function %s: %s", name, fault->message);
    fl_err_state(err, is_trap ? "38000" : "42P13", st);
    return st;
}

/* ---- compiling ---- */

static void *load_native(const wasm_function *f, fl_str code)
{
    fl_wasm_fault fault = {0};
    return f->runtime->deserialize((const uint8_t *)code.data, (size_t)code.len, f->ends_by_itself, &fault);
}

static void *read_code(const wasm_function *f, const uint8_t key[FL_DIGEST_SHA256_BYTES])
{
    void *block = NULL, *module = NULL;
    fl_str code;
    if (fl_code_cache_get(f->udf->cache, key, &block, &code))
        module = load_native(f, code);
    fl_free(block);
    fl_metrics_add(f->udf->metrics, module != NULL ? FL_METRIC_WASM_UDF_CACHE_HITS : FL_METRIC_WASM_UDF_CACHE_MISSES,
                   1);
    return module;
}

static void keep_code(const wasm_function *f, void *module, const uint8_t key[FL_DIGEST_SHA256_BYTES])
{
    fl_wasm_fault fault = {0};
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (f->runtime->serialize(module, &bytes, &n, &fault))
        fl_code_cache_put(f->udf->cache, key, (fl_str){(const char *)bytes, (int64_t)n});
    free(bytes);
}

static void publish(wasm_function *f, void *module, const fl_wasm_fault *fault)
{
    pthread_mutex_lock(&f->lock);
    f->compile_fault = *fault;
    atomic_store(&f->compiled, module);
    atomic_store(&f->state, module != NULL ? WASM_COMPILED : WASM_NOT_COMPILED);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void *compile_code(const wasm_function *f, fl_wasm_fault *fault)
{
    int64_t began_ns = fl_clock_ns(NULL);
    void *module =
        f->runtime->compiler->module_new((const uint8_t *)f->code.data, (size_t)f->code.len, f->ends_by_itself, fault);
    if (module == NULL)
        return NULL;
    atomic_fetch_add(&fl_code_counted.compiles, 1);
    fl_metrics_observe(f->udf->metrics, FL_METRIC_WASM_UDF_COMPILE_DURATION, fl_clock_ns(NULL) - began_ns);
    return module;
}

static void *compile(void *ctx)
{
    wasm_function *f = ctx;
    uint8_t key[FL_DIGEST_SHA256_BYTES];
    fl_wasm_fault fault = {0};
    pthread_mutex_lock(&f->lock);
    while (atomic_load(&is_held))
        (void)fl_system_wait(NULL, &f->changed, &f->lock, fl_clock_ns(NULL) + LOOK_NS);
    pthread_mutex_unlock(&f->lock);
    bool has_name = f->udf->cache != NULL && fl_wasm_name_code(f, key, NULL) == FL_OK;
    void *module = f->native.len > 0 ? load_native(f, f->native) : NULL;
    bool is_given = module != NULL;
    if (!is_given && has_name)
        module = read_code(f, key);
    bool is_compiled = module == NULL;
    if (is_compiled)
        module = compile_code(f, &fault);
    publish(f, module, &fault);
    if (is_given)
        atomic_fetch_add(&fl_code_counted.signed_uses, 1);
    if (is_given && has_name)
        fl_code_cache_put(f->udf->cache, key, f->native);
    else if (is_compiled && module != NULL && has_name)
        keep_code(f, module, key);
    fl_free((void *)f->native.data);
    f->native = (fl_str){0};
    return NULL;
}

fl_status fl_wasm_wait_compiled(wasm_function *f, fl_interrupt *interrupt, fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&f->lock);
    while (atomic_load(&f->state) == WASM_COMPILES && (st = fl_interrupt_check(interrupt, err)) == FL_OK)
        (void)fl_system_wait(NULL, &f->changed, &f->lock, fl_clock_ns(NULL) + LOOK_NS);
    if (st == FL_OK && atomic_load(&f->state) == WASM_NOT_COMPILED)
        st = fl_wasm_fail(&f->compile_fault, f->udf->func.name, err);
    pthread_mutex_unlock(&f->lock);
    return st;
}

/* ---- loading ---- */

static fl_status open_runtime(const fl_wasm_runtime **ret, fl_err *err)
{
    char message[256] = "";
    void *symbol = NULL;
    fl_wasm_runtime_open start;
    fl_status st = fl_plugin_open("fletch_wasm", FL_WASM_RUNTIME_SYMBOL, &symbol, err);
    if (st != FL_OK)
        return st;
    memcpy(&start, &symbol, sizeof(start)); /* ISO C has no cast from data to functions */
    *ret = start(message, sizeof(message));
    if (*ret == NULL || (*ret)->abi != FL_WASM_RUNTIME_ABI)
        return FL_FAIL(err, FL_ERR_CONFIG, "the plugin fletch_wasm.so does not work: %s",
                       *ret == NULL ? message : "it is of another version");
    return FL_OK;
}

static fl_status validate(const fl_wasm_runtime *runtime, fl_str bytes, const char *what, fl_err *err)
{
    fl_wasm_fault fault = {0};
    if (runtime->validate((const uint8_t *)bytes.data, (size_t)bytes.len, &fault))
        return FL_OK;
    return FL_FAIL(err, FL_ERR_CORRUPT, "%s is not valid: %s", what, fault.message);
}

/* The first of these exports that takes one i32, and gives one or nothing. */
static const char *find_func(const wasm_module *module, const char *const *names, int32_t n_results)
{
    for (; *names != NULL; names++) {
        const wasm_export *export = fl_wasm_find_export(module, fl_str_of(*names), WASM_FUNC);
        const wasm_type *type = export == NULL ? NULL : wasm_type_of(module, export->index);
        if (type != NULL && type->n_params == 1 && type->params[0] == WASM_I32 && type->n_results == n_results &&
            (n_results == 0 || type->results[0] == WASM_I32))
            return *names;
    }
    return NULL;
}

bool fl_wasm_takes_texts(const fl_function_declaration *d)
{
    bool takes = false;
    for (int32_t i = 0; i < d->n_params; i++)
        takes |= fl_type_is_string(d->params[i].type);
    return takes;
}

/* Both forms of the module: with a count of steps for the interpreter, with a loop over columns to be compiled. */
static fl_status make_modules(wasm_function *f, const wasm_module *module, int32_t func, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_wasm_fault fault = {0};
    int64_t fuel = f->udf->declaration.fuel;
    wasm_rewriting counted = {.batch_func = -1, .is_interpreted = true, .counts_steps = true};
    wasm_rewriting looped = {.batch_func = f->has_loop ? func : -1, .counts_steps = fuel > 0, .fuel = fuel};
    fl_text_init(&text, NULL);
    if (fl_wasm_can_interpret(module)) {
        FL_TRY(fl_wasm_rewrite(module, &counted, &text, err));
        FL_TRY(validate(f->runtime, fl_text_str(&text), "the module as it was rewritten", err));
        f->interpreted =
            f->runtime->interpreter->module_new((const uint8_t *)text.data, (size_t)text.len, false, &fault);
        if (f->interpreted == NULL)
            FL_TRY(fl_wasm_fail(&fault, f->name, err));
    }
    fl_text_clear(&text);
    FL_TRY(fl_wasm_rewrite(module, &looped, &text, err));
    FL_TRY(validate(f->runtime, fl_text_str(&text), "the module as it was rewritten", err));
    f->is_spliced = looped.is_spliced;
    f->ends_by_itself =
        looped.is_spliced && f->aggregate == NULL && module->start < 0; /* which runs with each instance */
    st = fl_arena_copy_str(&f->udf->arena, fl_text_str(&text), &f->code, err);
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status load(fl_udf *udf, fl_err *err)
{
    static const char *const allocs[] = {"alloc", "malloc", NULL}, *const frees[] = {"free", NULL};
    fl_status st = FL_OK;
    wasm_function *f = NULL;
    wasm_module module;
    int32_t func = -1;
    fl_arena scratch;
    fl_arena_init(&scratch, NULL);
    FL_TRY(fl_wasm_read(&scratch, udf->declaration.code, &module, err));
    FL_TRY(fl_wasm_check_imports(&module, err));
    FL_TRY(FL_NEW(&udf->arena, &f, err));
    pthread_mutex_init(&f->lock, NULL);
    fl_condition_init(&f->changed);
    f->udf = udf;
    udf->state = f;
    FL_TRY(open_runtime(&f->runtime, err));
    FL_TRY(validate(f->runtime, udf->declaration.code, "the module", err));
    f->name = udf->declaration.name.data;
    FL_TRY(udf->declaration.is_aggregate ? fl_wasm_aggregate_check(f, &module, &func, err)
                                         : fl_wasm_check_signature(f, &module, &func, err));
    f->has_loop = f->aggregate != NULL || (!f->takes_columns && !fl_type_is_string(udf->declaration.returns));
    f->alloc = find_func(&module, allocs, 1);
    f->dealloc = find_func(&module, frees, 0);
    if ((fl_wasm_takes_texts(&udf->declaration) || f->takes_columns) && f->alloc == NULL) {
        st = FL_FAIL(err, FL_ERR_FUNCTION, "the function takes %s, but the module exports no alloc(i32) → i32",
                     f->takes_columns ? "columns" : "text or binary");
        fl_err_hint(err, "export alloc (or malloc), which gives memory for them");
        goto cleanup;
    }
    FL_TRY(make_modules(f, &module, func, err));
    if (udf->native != NULL)
        FL_TRY(fl_wasm_take_native(f, udf->native, err));
    if (f->aggregate != NULL && f->interpreted != NULL)
        FL_TRY(fl_wasm_aggregate_start(f, err));
    udf->run = fl_wasm_run;
    if (f->takes_columns)
        udf->func.traits |= FL_CONST_ARGS;
    udf->func.local_new = fl_wasm_local_new;
    udf->func.local_free = fl_wasm_local_free;
    udf->func.explain = fl_wasm_explain;
    udf->func.cost_ns = fl_wasm_cost_ns;
    udf->agg.explain = fl_wasm_explain_aggregate;
    if (pthread_create(&f->compiler, NULL, compile, f) != 0)
        FL_TRY(FL_FAIL(err, FL_ERR_MEMORY, "no thread can be started to compile function %s", f->name));
    f->has_compiler = true;
    if (f->aggregate != NULL && f->interpreted == NULL)
        st = fl_wasm_aggregate_start(f, err);
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

static void unload(fl_udf *udf)
{
    wasm_function *f = udf->state;
    if (f == NULL)
        return;
    if (f->has_compiler)
        pthread_join(f->compiler, NULL);
    fl_free((void *)f->native.data);
    fl_wasm_aggregate_free(f);
    if (f->interpreted != NULL)
        f->runtime->interpreter->module_free(f->interpreted);
    if (atomic_load(&f->compiled) != NULL)
        f->runtime->compiler->module_free(atomic_load(&f->compiled));
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
}

const fl_udf_language fl_wasm_language = {
    .size = sizeof(fl_udf_language),
    .name = "wasm",
    .doc = "an export of a WebAssembly module",
    .load = load,
    .unload = unload,
    .compile = fl_wasm_compile,
    .deployed = FL_METRIC_WASM_UDFS_DEPLOYED,
};
