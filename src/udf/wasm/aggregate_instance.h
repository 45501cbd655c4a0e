/* Instances of aggregates in WebAssembly, with room for states in the module's memory. An instance serves one run, and is in a pool between
 * two calls of it. Thread-safe, but for what is done with an instance that was taken. */
#ifndef FL_UDF_WASM_AGGREGATE_INSTANCE_H
#define FL_UDF_WASM_AGGREGATE_INSTANCE_H

#include "udf/wasm/column_loop.h"

#define CHUNK_ROWS 1024

/* Rows, and the states that they are for, of one call of the loop. */
typedef struct chunk {
    int32_t n, n_slots, end;
    int32_t rows[CHUNK_ROWS];
    uint32_t pointers[CHUNK_ROWS];
    uint8_t *states[CHUNK_ROWS];
} chunk;

typedef struct aggregate_instance {
    wasm_local local;
    fl_wasm_fault_kind fault;        /* of the call that failed */
    uint64_t run;                    /* which it serves, and no other: nothing leaks from one query to the next */
    struct aggregate_instance *next; /* in the pool */
    void *init, *update, *combine, *finish;
    uint32_t at; /* slots for states in the module's memory */
    chunk rows;
} aggregate_instance;

struct wasm_aggregate {
    fl_agg_kernel kernel;
    wasm_function *function;
    const char *init, *update, *combine, *finish;
    int32_t state_bytes; /* as the module says, rounded up to words */
    int32_t n_slots;     /* in the module, at least 2 */
    pthread_mutex_t lock;
    aggregate_instance *pool; /* instances that nobody uses */
    int32_t n_pool;
};

/** One that served this run before, or a new one, which is charged to `memory` until it is given back. */
fl_status fl_aggregate_instance_take(wasm_aggregate *of, uint64_t run, fl_memory *memory, aggregate_instance **ret,
                                     fl_err *err);

/** One that failed (`st`) is not used again. NULL: none was taken. */
void fl_aggregate_instance_give_back(wasm_aggregate *of, aggregate_instance *a, fl_status st);
void fl_aggregate_instance_free(aggregate_instance *a);

/** Calls an export with n values, which may take `fuel` steps; the result is values[0]. a->fault says what was wrong. */
bool fl_aggregate_instance_try(aggregate_instance *a, void *func, int64_t fuel, uint64_t *values, int32_t n,
                               fl_memory *memory, fl_wasm_fault *fault);

/** The same without a bound, and with the fault as an error. */
fl_status fl_aggregate_instance_call(aggregate_instance *a, void *func, uint64_t *values, int32_t n, fl_memory *memory,
                                     fl_err *err);

/** Words a call's fault; `args`, which may be empty, are the row's. */
fl_status fl_aggregate_instance_fail(const aggregate_instance *a, const fl_wasm_fault *fault, fl_str args,
                                     const fl_memory *memory, fl_err *err);

/** Whether an instance's failure is not the last word: code that is compiled can take longer, and there is some now. *st is the failure, or
 *  that of waiting for the code. */
bool fl_aggregate_instance_can_try_again(const wasm_aggregate *of, const aggregate_instance *a, fl_memory *memory,
                                         fl_status *st, fl_err *err);

#endif
