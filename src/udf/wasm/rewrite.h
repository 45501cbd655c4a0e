/* Modules of users as engines run them: with what they import inside, with a loop over columns, and, for an interpreter that cannot be
 * stopped, with a count of steps.
 *
 * What is added goes behind what there is, so that no number in the module changes:
 *
 * - Imported functions become functions of the module: the few that there are (WASI's, AssemblyScript's abort) grant nothing. No engine
 *   is asked for host functions, and a module cannot reach out of itself.
 * - `fletch_batch(n, column …, result)` calls a function, or an aggregate's update, for n rows, whose arguments lie one after the other in columns. These are
 *   in a memory of their own, so that the module's allocator never meets them. Where the function's body has neither loops nor calls it stands in the loop itself, which is three times as fast.
 * - `fletch_steps`, a global, is counted down in each function and round of a loop. What finds it at 0 sets it to -1 and traps, so that a trap
 *   of the module's own is never taken for this one. The interpreter's form always counts, the compiled one where the function declares its
 *   fuel: both count the same.
 *
 * The module must be valid: what reads a global beyond its own would read ours. */
#ifndef FL_UDF_WASM_REWRITE_H
#define FL_UDF_WASM_REWRITE_H

#include "base/text.h"
#include "udf/wasm/binary.h"

#define WASM_BATCH_EXPORT "fletch_batch"
#define WASM_MEMORY_EXPORT "fletch_memory"
#define WASM_COLUMNS_EXPORT "fletch_columns"
#define WASM_STEPS_EXPORT "fletch_steps"

typedef struct wasm_rewriting {
    int32_t batch_func;  /* -1: no loop */
    bool is_interpreted; /* NaNs are made canonical, and growth is held in bounds, as the compiler does by itself */
    bool counts_steps;   /* out: false where the body in the loop is all that runs, which takes one step */
    int64_t fuel;        /* steps of each row in the loop, where they are counted */
    bool is_spliced;     /* out: the function's body stands in the loop, and ends by itself */
} wasm_rewriting;

/** Whether all imports are among those that there are, and memories are as they can be: FL_ERR_FUNCTION names what is not. */
fl_status fl_wasm_check_imports(const wasm_module *module, fl_err *err);

/** Adds the rewritten module's bytes to `ret`. FL_ERR_UNSUPPORTED for instructions that are not known, where steps are counted. */
fl_status fl_wasm_rewrite(const wasm_module *module, wasm_rewriting *what, fl_text *ret, fl_err *err);

#endif
