/* What calls of a function took a row, by batches whose time was taken. Once there are enough of them this is what the optimizer is told
 * (fl_func_desc.cost_ns). Thread-safe. */
#ifndef FL_UDF_CALL_TIMES_H
#define FL_UDF_CALL_TIMES_H

#include <stdatomic.h>
#include <stdint.h>

#define FL_CALL_TIMES_ROWS_MIN 64 /* of fewer a row pays for the batch */

typedef struct fl_call_times {
    _Atomic int64_t ns, rows;
} fl_call_times;

static inline void fl_call_times_add(fl_call_times *times, int64_t ns, int64_t rows)
{
    atomic_fetch_add(&times->ns, ns);
    atomic_fetch_add(&times->rows, rows);
}

/** Nanoseconds a row; `expected_ns` where too little was measured. */
static inline double fl_call_times_row_ns(const fl_call_times *times, double expected_ns)
{
    int64_t rows = atomic_load(&times->rows);
    return rows < FL_CALL_TIMES_ROWS_MIN ? expected_ns : (double)atomic_load(&times->ns) / (double)rows;
}

#endif
