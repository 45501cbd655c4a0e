/* What the files of this plugin share: the two engines, and how faults are written. */
#ifndef FL_PLUGIN_WASM_ENGINES_H
#define FL_PLUGIN_WASM_ENGINES_H

#include "udf/wasm/runtime.h"

extern const fl_wasm_engine_ops fl_wasm3_ops, fl_wasmtime_ops;

/** Starts the compiling engine, once; false and a message where it cannot. */
bool fl_wasmtime_open(char *message, size_t bytes);
bool fl_wasmtime_validate(const uint8_t *bytes, size_t n, fl_wasm_fault *fault);
bool fl_wasmtime_serialize(void *module, uint8_t **ret, size_t *ret_n, fl_wasm_fault *fault);
void *fl_wasmtime_deserialize(const uint8_t *bytes, size_t n, bool ends_by_itself, fl_wasm_fault *fault);

/** Writes a fault; always false, so that a call may return it. */
bool fl_wasm_fail(fl_wasm_fault *fault, fl_wasm_fault_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
