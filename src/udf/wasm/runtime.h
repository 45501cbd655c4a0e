/* What a WebAssembly engine gives: the table that the plugin `fletch_wasm` exports, and that language.c calls.
 *
 * Two engines have the same calls: one interprets a module at once, the other compiles it first. Plain C types alone cross this border, as
 * the plugin is a library of its own that sees none of ours. A fault is written into the caller's record. */
#ifndef FL_UDF_WASM_RUNTIME_H
#define FL_UDF_WASM_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_WASM_RUNTIME_ABI 3
#define FL_WASM_RUNTIME_SYMBOL "fletch_wasm_runtime"

typedef enum fl_wasm_fault_kind {
    FL_WASM_FINE,
    FL_WASM_INVALID,     /* no module, or not a valid one */
    FL_WASM_UNSUPPORTED, /* by this engine: the other may know it */
    FL_WASM_TRAP,        /* the function's own: division by zero, an access out of bounds */
    FL_WASM_STOPPED,     /* shall_stop said so */
    FL_WASM_STEPS,       /* fletch_steps was at 0 */
    FL_WASM_FUEL,        /* the same, where the function declared so many: the caller's word, not an engine's */
    FL_WASM_LIMIT,       /* memory, table or stack beyond what is allowed */
    FL_WASM_NO_MEMORY,
} fl_wasm_fault_kind;

typedef struct fl_wasm_fault {
    fl_wasm_fault_kind kind;
    char message[256];
    char backtrace[512]; /* of traps: a frame a line, innermost first; may be empty */
} fl_wasm_fault;

typedef struct fl_wasm_limits {
    int64_t memory_bytes;
    int64_t table_elements;
} fl_wasm_limits;

/* Whether a call shall end; asked every few milliseconds, in any thread that calls. */
typedef bool (*fl_wasm_shall_stop)(void *ctx);

typedef enum fl_wasm_memory {
    FL_WASM_OWN_MEMORY,
    FL_WASM_COLUMNS,
    FL_WASM_MEMORIES
} fl_wasm_memory; /* fletch_memory, fletch_columns */

typedef struct fl_wasm_engine_ops {
    const char *name;
    /** Makes a module of bytes that `validate` found good; `ends_by_itself`: none of its exported functions that are called loops. Any
     *  thread. */
    void *(*module_new)(const uint8_t *bytes, size_t n, bool ends_by_itself, fl_wasm_fault *fault);
    void (*module_free)(void *module);
    /** Instances are independent; one thread at a time uses one. `ctx` of shall_stop is set for each call. Runs the start function. */
    void *(*instance_new)(void *module, const fl_wasm_limits *limits, fl_wasm_shall_stop shall_stop, void *ctx,
                          fl_wasm_fault *fault);
    void (*instance_free)(void *instance);
    /** An exported function: a handle, NULL when there is none. */
    void *(*find)(void *instance, const char *name, fl_wasm_fault *fault);
    /** Calls with n values (numbers' bits, of 32-bit ones the low half) and puts the result, if there is one, into values[0]. */
    bool (*call)(void *instance, void *func, uint64_t *values, int32_t n, bool (*shall_stop)(void *ctx), void *ctx,
                 fl_wasm_fault *fault);
    /** No call follows soon. From its first call to its rest an instance keeps the clock going that ends calls, so that no call has to start
     *  it; freeing one is rest enough. */
    void (*rest)(void *instance);
    /** A memory: NULL when the module has none. It may lie elsewhere after each call and growth. */
    uint8_t *(*memory)(void *instance, fl_wasm_memory which, size_t *ret_bytes);
    /** Adds pages of 64 KB; false beyond the limits. */
    bool (*grow)(void *instance, fl_wasm_memory which, uint32_t pages);
    /** Sets fletch_steps, which the interpreter has no more than INT32_MAX of; nothing where the module does not count them. */
    void (*set_steps)(void *instance, int64_t steps);
} fl_wasm_engine_ops;

typedef struct fl_wasm_runtime {
    uint32_t abi; /* FL_WASM_RUNTIME_ABI */
    const char *version;
    /** Whether the bytes are a valid module of the features that functions have. */
    bool (*validate)(const uint8_t *bytes, size_t n, fl_wasm_fault *fault);
    const fl_wasm_engine_ops *interpreter, *compiler;
    /** Native code of a compiled module, in memory of free(3); and a module of it. Only bytes that were made here, by this version and
     *  for these processors, may be given back. */
    bool (*serialize)(void *module, uint8_t **ret, size_t *ret_n, fl_wasm_fault *fault);
    void *(*deserialize)(const uint8_t *bytes, size_t n, bool ends_by_itself, fl_wasm_fault *fault);
} fl_wasm_runtime;

/** The plugin's one symbol: "fletch_wasm_runtime". NULL and a message where an engine cannot start. */
typedef const fl_wasm_runtime *(*fl_wasm_runtime_open)(char *message, size_t bytes);

#endif
