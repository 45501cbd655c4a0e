/* The plugin's symbol. */
#include "engines.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wasmtime.h>

bool fl_wasm_fail(fl_wasm_fault *fault, fl_wasm_fault_kind kind, const char *format, ...)
{
    va_list args;
    fault->kind = kind;
    fault->backtrace[0] = 0;
    va_start(args, format);
    vsnprintf(fault->message, sizeof(fault->message), format, args);
    va_end(args);
    return false;
}

static const fl_wasm_runtime runtime = {
    .abi = FL_WASM_RUNTIME_ABI,
    .version = "wasmtime " WASMTIME_VERSION " (optimized, canonical NaNs), wasm3 0.5.0",
    .validate = fl_wasmtime_validate,
    .interpreter = &fl_wasm3_ops,
    .compiler = &fl_wasmtime_ops,
    .serialize = fl_wasmtime_serialize,
    .deserialize = fl_wasmtime_deserialize,
};

__attribute__((visibility("default"))) const fl_wasm_runtime *fletch_wasm_runtime(char *message, size_t bytes);

const fl_wasm_runtime *fletch_wasm_runtime(char *message, size_t bytes)
{
    return fl_wasmtime_open(message, bytes) ? &runtime : NULL;
}
