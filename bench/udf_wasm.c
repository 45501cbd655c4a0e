/* What WebAssembly's engines cost by themselves, without a query around: calls one by one, loading, compiling, native code from a cache.
 *
 *     udf_wasm PLUGIN MODULE CALLS      prints a name and a number a line; of MODULE the function score(f64, f64, i32) → f64 is called
 *     udf_wasm PLUGIN MODULE            without calls
 *
 * Relies on: src/udf/wasm/runtime.h alone, the border between fletch and the plugin. */
#include "udf/wasm/runtime.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 7

static fl_wasm_fault fault;

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *must(void *made)
{
    if (made == NULL) {
        fprintf(stderr, "%s\n", fault.message);
        exit(1);
    }
    return made;
}

static uint8_t *read_module(const char *path, size_t *ret_n)
{
    FILE *file = must(fopen(path, "rb"));
    uint8_t *bytes = must(malloc(16 << 20));
    *ret_n = fread(bytes, 1, 16 << 20, file);
    fclose(file);
    return bytes;
}

/* Nanoseconds of a call, the best of the runs. */
static double time_calls(const fl_wasm_engine_ops *engine, void *module, int calls)
{
    const fl_wasm_limits limits = {.memory_bytes = 64 << 20, .table_elements = 1000};
    void *instance = must(engine->instance_new(module, &limits, NULL, NULL, &fault));
    void *score = must(engine->find(instance, "score", &fault));
    double best = 1e18;
    for (int run = 0; run < RUNS; run++) {
        double begin = now_ns();
        for (int i = 0; i < calls; i++) {
            double price = i, quantity = i % 7;
            uint64_t values[3] = {0, 0, (uint64_t)(i % 5)};
            memcpy(&values[0], &price, 8);
            memcpy(&values[1], &quantity, 8);
            if (!engine->call(instance, score, values, 3, NULL, NULL, &fault))
                must(NULL);
        }
        double ns = (now_ns() - begin) / calls;
        best = ns < best ? ns : best;
    }
    engine->instance_free(instance);
    return best;
}

int main(int argc, char **argv)
{
    size_t n, native_n;
    uint8_t *native;
    double compiles = 1e18, loads = 1e18, interprets = 1e18;
    if (argc < 3)
        return 2;
    double begin = now_ns();
    void *plugin = must(dlopen(argv[1], RTLD_NOW));
    fl_wasm_runtime_open open;
    *(void **)&open = must(dlsym(plugin, FL_WASM_RUNTIME_SYMBOL));
    const fl_wasm_runtime *runtime = must((void *)open(fault.message, sizeof(fault.message)));
    printf("open, ms\t%f\n", (now_ns() - begin) / 1e6);
    uint8_t *bytes = read_module(argv[2], &n);
    for (int run = 0; run < RUNS; run++) {
        begin = now_ns();
        void *interpreted = must(runtime->interpreter->module_new(bytes, n, false, &fault));
        double loaded = now_ns();
        void *compiled = must(runtime->compiler->module_new(bytes, n, false, &fault));
        double done = now_ns();
        if (!runtime->serialize(compiled, &native, &native_n, &fault))
            must(NULL);
        double from = now_ns();
        void *cached = must(runtime->deserialize(native, native_n, false, &fault));
        double to = now_ns();
        interprets = loaded - begin < interprets ? loaded - begin : interprets;
        compiles = done - loaded < compiles ? done - loaded : compiles;
        loads = to - from < loads ? to - from : loads;
        runtime->compiler->module_free(cached);
        runtime->compiler->module_free(compiled);
        runtime->interpreter->module_free(interpreted);
        free(native);
    }
    printf("loaded by the interpreter, ms\t%f\ncompiled, ms\t%f\nnative code loaded, ms\t%f\n", interprets / 1e6,
           compiles / 1e6, loads / 1e6);
    if (argc > 3) {
        int calls = atoi(argv[3]);
        void *module = must(runtime->interpreter->module_new(bytes, n, false, &fault));
        printf("interpreted\t%f\n", time_calls(runtime->interpreter, module, calls));
        module = must(runtime->compiler->module_new(bytes, n, false, &fault));
        printf("compiled, with limits\t%f\n", time_calls(runtime->compiler, module, calls));
        module = must(runtime->compiler->module_new(bytes, n, true, &fault));
        printf("compiled, without\t%f\n", time_calls(runtime->compiler, module, calls));
    }
    free(bytes);
    return 0;
}
