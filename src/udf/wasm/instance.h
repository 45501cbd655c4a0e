/* Instances of a module: a worker's own memory and globals in one of the two engines, and how values come into its calls and out.
 *
 * An instance belongs to one worker in one query, and one thread at a time uses it. A call that failed may have left it as it should not
 * be: it is dropped then, and the next call makes another. */
#ifndef FL_UDF_WASM_INSTANCE_H
#define FL_UDF_WASM_INSTANCE_H

#include "plan/call_tally.h"
#include "udf/wasm/function.h"

#define WASM_VALUES_MAX 32 /* of a call: eight arguments, each a pointer, a length and whether it is null */

/* Zeroed but for `function` where it has no instance. */
typedef struct wasm_local {
    wasm_function *function;
    const fl_wasm_engine_ops *engine;
    void *instance, *func, *batch, *alloc, *dealloc;
    uint32_t room_at;      /* the module's memory for texts, or columns */
    uint32_t room_bytes;   /* of it */
    fl_memory *charged_to; /* the query's budget, for as long as the instance is the query's */
    int64_t charged_bytes;
    int32_t n_batches; /* some of which are measured */
    int64_t rows[2];   /* called for: interpreted, compiled */
    fl_call_tally *tally;
} wasm_local;

#define WASM_STEPS 5000000     /* of an interpreted call: some 50 ms, then it is compiled first */
#define WASM_NO_FUEL INT64_MAX /* of calls that are no calls of the function: there is always enough */

/** An instance in the engine that there is: the compiling one, once it is through. What was there before goes. Limits are the budget's. */
fl_status fl_wasm_instance_make(wasm_local *local, fl_memory *memory, fl_err *err);
void fl_wasm_instance_drop(wasm_local *local);

/** Charges what the instance's memories have grown by since the last time; given back when it is dropped, or before. FL_ERR_MEMORY when
 *  the budget has no more. */
fl_status fl_wasm_charge(wasm_local *local, fl_memory *memory, fl_err *err);
void fl_wasm_uncharge(wasm_local *local);

/** An export by name; NULL name: NULL. */
fl_status fl_wasm_find(wasm_local *local, const char *name, void **ret, fl_err *err);
bool fl_wasm_is_compiled(const wasm_local *local);

/** Calls an export with n values, and puts the result into values[0]; the call may take `fuel` steps. False: `fault` says why, FL_WASM_FUEL
 *  that it took more, FL_WASM_STEPS that it is to be made again as compiled code. */
bool fl_wasm_call(wasm_local *local, void *func, int64_t fuel, uint64_t *values, int32_t n, fl_interrupt *interrupt,
                  fl_wasm_fault *fault);

/** Steps that a call of the function for so many rows may take. */
int64_t fl_wasm_fuel(const wasm_function *function, int32_t rows);

/** Room for so many bytes in the module's memory, at local->room_at; it is used again and again. */
bool fl_wasm_make_room(wasm_local *local, uint64_t bytes, fl_interrupt *interrupt, fl_wasm_fault *fault);

/** The values of a row's arguments, up to WASM_VALUES_MAX; texts are copied into the module's memory. */
bool fl_wasm_put_arguments(wasm_local *local, const fl_vec *args, int32_t n_args, int32_t row, fl_interrupt *interrupt,
                           uint64_t *values, int32_t *ret_n, fl_wasm_fault *fault);

/** The bits of a number, date or boolean, those of less than 64 bits extended. */
int64_t fl_wasm_read_number(const fl_vec *vec, int64_t row);

/** Puts a result's bits into a row of `ret`, which is flat: NaNs canonical. FL_ERR_RANGE for integers that are too large. */
fl_status fl_wasm_put_number(fl_vec *ret, int32_t row, uint64_t bits, const char *function, fl_err *err);

#endif
