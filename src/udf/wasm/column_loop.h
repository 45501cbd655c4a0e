/* The loop over columns that the compiled form of a function, or of an aggregate's update, has (rewrite.h): one call for many rows.
 *
 * A fault is of some row: who wants to know of which calls row by row. */
#ifndef FL_UDF_WASM_COLUMN_LOOP_H
#define FL_UDF_WASM_COLUMN_LOOP_H

#include "udf/wasm/instance.h"

typedef struct wasm_loop {
    const fl_vec *args;
    int32_t n_args;
    const uint32_t *states; /* of an aggregate, for each row a pointer in the module's memory; else NULL */
    const fl_type *returns; /* NULL: nothing */
    const int32_t *list;    /* rows; NULL: the first `count` */
    int32_t count;          /* at least 1 */
} wasm_loop;

/** Calls the function for those rows. *ret_results: a value for each, as wide as it is passed, valid until the next call; not set where
 *  nothing is returned. False: some call failed, and the instance is not to be used again. */
bool fl_wasm_call_loop(wasm_local *local, const wasm_loop *loop, fl_interrupt *interrupt, const uint8_t **ret_results,
                       fl_wasm_fault *fault);

/** Calls the function of `call` by its loop for the rows of the list (NULL: the first `count`). *ret_fault: some call failed, with FL_OK, and
 *  the instance is gone. */
fl_status fl_wasm_run_loop(wasm_local *local, fl_call *call, const int32_t *list, int32_t count, bool *ret_fault,
                           fl_err *err);

#endif
