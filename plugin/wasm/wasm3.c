/* The interpreter. A module of wasm3 belongs to one runtime, so ours are bytes, which each instance reads again: microseconds.
 *
 * wasm3 trusts its modules: what comes here was validated. It cannot be stopped: it counts steps (udf/wasm/rewrite.h). */
#include "engines.h"

#include <m3_env.h>
#include <stdlib.h>
#include <string.h>
#include <wasm3.h>

#define PAGE_BYTES 65536
#define START_STEPS 10000000
#define STACK_BYTES 65536 /* of its values; a call takes some hundred bytes of the thread's own stack beside them */

typedef struct module {
    size_t n;
    uint8_t bytes[];
} module;

typedef struct instance {
    IM3Environment environment;
    IM3Runtime runtime;
    IM3Module module;
    IM3Global steps;
} instance;

static void *module_new(const uint8_t *bytes, size_t n, bool ends_by_itself, fl_wasm_fault *fault)
{
    (void)ends_by_itself;
    module *made = malloc(sizeof(*made) + n);
    if (made == NULL) {
        fl_wasm_fail(fault, FL_WASM_NO_MEMORY, "out of memory: a module of %zu bytes", n);
        return NULL;
    }
    made->n = n;
    memcpy(made->bytes, bytes, n);
    return made;
}

static void module_free(void *made)
{
    free(made);
}

static void instance_free(void *ptr)
{
    instance *made = ptr;
    if (made == NULL)
        return;
    if (made->runtime != NULL)
        m3_FreeRuntime(made->runtime);
    if (made->environment != NULL)
        m3_FreeEnvironment(made->environment);
    free(made);
}

/* What a call came to. */
static bool fail_result(const instance *made, M3Result result, fl_wasm_fault *fault)
{
    M3TaggedValue steps = {0};
    if (result == m3Err_trapUnreachable && made->steps != NULL && m3_GetGlobal(made->steps, &steps) == m3Err_none &&
        steps.value.i32 == UINT32_MAX)
        return fl_wasm_fail(fault, FL_WASM_STEPS, "the function takes too many steps to be interpreted");
    if (result == m3Err_wasmMemoryOverflow)
        return fl_wasm_fail(fault, FL_WASM_LIMIT, "the module's memory is larger than its limit");
    if (result == m3Err_trapStackOverflow)
        return fl_wasm_fail(fault, FL_WASM_LIMIT, "the function calls itself too deep");
    if (strncmp(result, "[trap] ", 7) == 0)
        return fl_wasm_fail(fault, FL_WASM_TRAP, "%s", result + 7);
    return fl_wasm_fail(fault, result == m3Err_mallocFailed ? FL_WASM_NO_MEMORY : FL_WASM_UNSUPPORTED, "%s", result);
}

static void set_steps(void *ptr, int64_t steps)
{
    instance *made = ptr;
    M3TaggedValue value = {.type = c_m3Type_i32, .value.i32 = (uint32_t)(steps < INT32_MAX ? steps : INT32_MAX)};
    if (made->steps != NULL)
        (void)m3_SetGlobal(made->steps, &value); /* it is an i32 that may be set */
}

/* memoryLimit alone bounds what is allocated, but lets memory.grow succeed beyond it: the module's own maximum makes it fail there. */
static void limit_pages(IM3Module module, int64_t bytes)
{
    u32 pages = (u32)(bytes / PAGE_BYTES > 0 ? bytes / PAGE_BYTES : 1);
    if (module->memoryInfo.maxPages == 0 || module->memoryInfo.maxPages > pages)
        module->memoryInfo.maxPages = pages;
}

static void *instance_new(void *ptr, const fl_wasm_limits *limits, fl_wasm_shall_stop shall_stop, void *ctx,
                          fl_wasm_fault *fault)
{
    const module *from = ptr;
    M3Result result = m3Err_mallocFailed;
    instance *made = calloc(1, sizeof(*made));
    (void)shall_stop;
    (void)ctx;
    if (made == NULL) {
        fl_wasm_fail(fault, FL_WASM_NO_MEMORY, "out of memory: an instance");
        return NULL;
    }
    made->environment = m3_NewEnvironment();
    made->runtime = made->environment == NULL ? NULL : m3_NewRuntime(made->environment, STACK_BYTES, NULL);
    if (made->runtime != NULL) {
        made->runtime->memoryLimit = (u32)(limits->memory_bytes < UINT32_MAX ? limits->memory_bytes : UINT32_MAX);
        result = m3_ParseModule(made->environment, &made->module, from->bytes, (uint32_t)from->n);
    }
    if (result == m3Err_none) {
        limit_pages(made->module, limits->memory_bytes);
        result = m3_LoadModule(made->runtime, made->module);
        if (result != m3Err_none)
            m3_FreeModule(made->module);
    }
    if (result == m3Err_none) {
        made->steps = m3_FindGlobal(made->module, "fletch_steps");
        set_steps(made, START_STEPS);
        result = m3_RunStart(made->module);
    }
    if (result == m3Err_none)
        return made;
    fail_result(made, result, fault);
    instance_free(made);
    return NULL;
}

static void *find(void *ptr, const char *name, fl_wasm_fault *fault)
{
    instance *made = ptr;
    IM3Function func = NULL;
    M3Result result = m3_FindFunction(&func, made->runtime, name);
    if (result == m3Err_none)
        return func;
    if (result == m3Err_functionLookupFailed)
        fl_wasm_fail(fault, FL_WASM_FINE, "there is no function %s", name);
    else
        fail_result(made, result, fault);
    return NULL;
}

static bool call(void *ptr, void *func, uint64_t *values, int32_t n, fl_wasm_shall_stop shall_stop, void *ctx,
                 fl_wasm_fault *fault)
{
    const void *pointers[64];
    (void)shall_stop;
    (void)ctx;
    for (int32_t i = 0; i < n && i < 64; i++)
        pointers[i] = &values[i];
    M3Result result = m3_Call(func, (uint32_t)n, pointers);
    if (result == m3Err_none && m3_GetRetCount(func) == 1) {
        pointers[0] = &values[0];
        values[0] = 0;
        result = m3_GetResults(func, 1, pointers);
    }
    return result == m3Err_none || fail_result(ptr, result, fault);
}

static void rest(void *ptr)
{
    (void)ptr; /* it has no clock */
}

static uint8_t *memory(void *ptr, fl_wasm_memory which, size_t *ret_bytes)
{
    uint32_t bytes = 0;
    uint8_t *at = which == FL_WASM_OWN_MEMORY ? m3_GetMemory(((instance *)ptr)->runtime, &bytes, 0)
                                              : NULL; /* it knows one memory */
    *ret_bytes = at == NULL ? 0 : bytes;
    return at;
}

static bool grow(void *ptr, fl_wasm_memory which, uint32_t pages)
{
    IM3Runtime runtime = ((instance *)ptr)->runtime;
    uint64_t wanted = (uint64_t)runtime->memory.numPages + pages;
    return which == FL_WASM_OWN_MEMORY && wanted * PAGE_BYTES <= runtime->memoryLimit &&
           ResizeMemory(runtime, (u32)wanted) == m3Err_none;
}

const fl_wasm_engine_ops fl_wasm3_ops = {
    .name = "interpreted",
    .module_new = module_new,
    .module_free = module_free,
    .instance_new = instance_new,
    .instance_free = instance_free,
    .find = find,
    .call = call,
    .rest = rest,
    .memory = memory,
    .grow = grow,
    .set_steps = set_steps,
};
