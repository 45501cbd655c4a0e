/* Functions that take whole columns: <name>_batch(rows, columns, result) → 0, or 1 + the row that it fails for.
 *
 * A column is what Arrow has, and lies in the module's own memory, in what its `alloc` gave: `wasm_column` in columns.c. Rows that are not
 * wanted are left out before, so the function sees only rows to answer; after a fault it is called again, a row at a time, so that the
 * error has its row. */
#ifndef FL_UDF_WASM_COLUMNS_H
#define FL_UDF_WASM_COLUMNS_H

#include "udf/wasm/instance.h"

/** Calls with the rows of the list (NULL: the first `count`), and puts the results there; null ones are cleared in `valid`. A fault is
 *  told by `fault`, with FL_OK: the instance is not to be used again. */
fl_status fl_wasm_call_columns(wasm_local *local, fl_call *call, const int32_t *list, int32_t count, uint64_t *valid,
                               fl_wasm_fault *fault, fl_err *err);

#endif
