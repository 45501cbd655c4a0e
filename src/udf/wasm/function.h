/* A function in WebAssembly: its module in both forms, and what becomes of it from its deployment on.
 *
 * ABI. A number is passed as i32 (boolean, integers to 32 bits, date), i64 (bigint, time, timestamps), f32 or f64. Text and
 * binary are two i32, pointer and length, in memory that the module gave by `alloc(i32) → i32` (or malloc); they are returned
 * as an i64, pointer · 2³² + length, which is read before the next call; -1 is null. A function that is CALLED ON NULL INPUT
 * gets an i32 behind each argument, 1 where it is null. A function of whole columns is called as columns.h says.
 *
 * A module is interpreted until its code is compiled, which begins with its deployment; calls change over between two
 * batches. A function is immutable but for what is atomic or guarded by its lock: any number of workers call it, each by an
 * instance of its own (instance.h). */
#ifndef FL_UDF_WASM_FUNCTION_H
#define FL_UDF_WASM_FUNCTION_H

#include "base/text.h"
#include "udf/call_times.h"
#include "udf/code_cache.h"
#include "udf/function.h"
#include "udf/wasm/binary.h"
#include "udf/wasm/runtime.h"

#include <pthread.h>

typedef struct wasm_aggregate wasm_aggregate;

typedef enum wasm_compile_state { WASM_COMPILES, WASM_COMPILED, WASM_NOT_COMPILED } wasm_compile_state;

typedef struct wasm_function {
    fl_udf *udf;
    const fl_wasm_runtime *runtime;
    const char *name;
    const char *export;          /* that is called; NULL: an aggregate, which has several */
    const char *alloc, *dealloc; /* exports; NULL: there is none */
    bool takes_columns;          /* the export is one of columns.c */
    bool has_loop;               /* its compiled form gets a loop over columns, of an aggregate around its update */
    bool is_spliced;             /* that loop holds the body */
    bool ends_by_itself;         /* and nothing else of the module runs */
    void *interpreted;           /* module; NULL: it has what the interpreter has not */
    fl_str code;                 /* to be compiled */
    fl_str native; /* of it, that came with the module and may be believed; empty: none. Of fl_alloc; the compiler's */
    _Atomic(void *) compiled; /* module; NULL: not yet */
    _Atomic(int) state;       /* wasm_compile_state */
    pthread_t compiler;       /* thread, until it is joined */
    bool has_compiler;
    fl_call_times times[2];    /* interpreted, compiled */
    wasm_aggregate *aggregate; /* NULL: a scalar function */
    const char *state_export;  /* of an aggregate: gives the bytes of a state */
    pthread_mutex_t lock;      /* guards what follows, and the waiting for state */
    pthread_cond_t changed;
    fl_wasm_fault compile_fault; /* once state is WASM_NOT_COMPILED it stays as it is */
} wasm_function;

/** The wasm types that a declaration's types are passed as: values of one argument, 0 when the type cannot be passed. */
int32_t fl_wasm_values_of(fl_type type, uint8_t ret[2]);

/** Whether an argument is text or binary. */
bool fl_wasm_takes_texts(const fl_function_declaration *d);

/** Completes or checks the declaration of a scalar function against the module's exports, and chooses the one that is called, whose number
 *  is *ret_func. FL_ERR_FUNCTION says what was declared and what was found. */
fl_status fl_wasm_check_signature(wasm_function *function, const wasm_module *module, int32_t *ret_func, fl_err *err);

/* ---- calls (call.c) ---- */

/** fl_func_run, fl_func_desc.local_new and local_free. */
fl_status fl_wasm_run(fl_call *call, fl_err *err);
fl_status fl_wasm_local_new(fl_call *call, void **ret, fl_err *err);
void fl_wasm_local_free(const fl_func_desc *func, void *local);

/** Words the fault of a call for a row, with the row's arguments: FL_ERR_VALUE (38000), FL_ERR_LIMIT, FL_ERR_MEMORY, or why the
 *  statement was stopped. */
fl_status fl_wasm_fail_row(const fl_call *call, int32_t row, const fl_wasm_fault *fault, fl_err *err);

/** Words a fault that belongs to no row. */
fl_status fl_wasm_fail(const fl_wasm_fault *fault, const char *name, fl_err *err);

/* ---- aggregates (aggregate.c) ---- */

/** Checks an aggregate's exports against its declaration; *ret_update is the number of its update. FL_ERR_FUNCTION says what was found. */
fl_status fl_wasm_aggregate_check(wasm_function *f, const wasm_module *module, int32_t *ret_update, fl_err *err);

/** Asks the module for the bytes of a state, once there is a form of it that can be called, and makes the kernel. */
fl_status fl_wasm_aggregate_start(wasm_function *f, fl_err *err);

/** Frees its instances; no call is under way. Does nothing for a scalar function. */
void fl_wasm_aggregate_free(wasm_function *f);

/* ---- EXPLAIN and cost (explain.c) ---- */

/** fl_func_desc.explain and cost_ns, fl_agg_desc.explain. */
void fl_wasm_explain(const fl_func_desc *func, fl_text *text);
void fl_wasm_explain_aggregate(const fl_agg_desc *agg, fl_text *text);
double fl_wasm_cost_ns(const fl_func_desc *func);

/* ---- native code (language.c, native.c) ---- */

/** Waits until the function is compiled, or cannot be: FL_ERR_FUNCTION. Looks at the interrupt meanwhile. */
fl_status fl_wasm_wait_compiled(wasm_function *function, fl_interrupt *interrupt, fl_err *err);

/** fl_udf_language.compile. */
fl_status fl_wasm_compile(const fl_udf *udf, fl_interrupt *interrupt, fl_native_code *ret, fl_text *ret_code,
                          fl_text *ret_runtime, fl_err *err);

/** The name of the function's native code: of the module as it is compiled, by whom, and in which of the two engines. */
fl_status fl_wasm_name_code(const wasm_function *f, uint8_t ret[FL_DIGEST_SHA256_BYTES], fl_err *err);

/** Keeps a copy of native code that came with the module, where it is what this function needs. */
fl_status fl_wasm_take_native(wasm_function *f, const fl_native_code *native, fl_err *err);

/** For tests: compiling waits while this is set. */
void fl_wasm_hold_compiler(bool holds);

extern const fl_udf_language fl_wasm_language;

#endif
