/* Holds the rows that a scan puts out against the order that it is asked for, where its table only claims to have it. A plan that
 * relies on a false claim would give wrong rows; so the scan fails.
 *
 * Who reads no further, since a limit has its rows, has them checked against all that might stand before them: the scan goes on, with
 * the columns of the order alone, until rows begin of which the table's statistics say that they come later (fl_scan_ops.is_apart).
 *
 * Each worker compares neighbours within its morsel. Of each morsel that is done the first and the last row are kept, in the order
 * of morsels; one that comes to stand between two others is compared with both, so that in the end all neighbours were. */
#ifndef FL_OP_SCAN_ORDER_CHECK_H
#define FL_OP_SCAN_ORDER_CHECK_H

#include "exec/exec.h"

typedef struct fl_order_check fl_order_check;
typedef struct fl_order_check_worker fl_order_check_worker;

/** For a scan that fl_scan_checks_order. In the run's arena, shared by workers; to be dropped. */
fl_status fl_order_check_new(fl_exec *exec, const fl_node *node, fl_order_check **ret, fl_err *err);
void fl_order_check_drop(fl_order_check *check); /* NULL does nothing */

fl_status fl_order_check_worker_new(fl_order_check *check, fl_memory *memory, fl_order_check_worker **ret, fl_err *err);
void fl_order_check_worker_free(fl_order_check_worker *worker); /* NULL does nothing */

/** The scan's output columns, by place, that are looked at. */
const int32_t *fl_order_check_cols(const fl_order_check_worker *worker, int32_t *ret_n);

/** The next rows of the worker's morsel, of the scan's output columns. FL_ERR_CORRUPT, naming column and place. */
fl_status fl_order_check_rows(fl_order_check_worker *worker, const fl_batch *batch, const fl_scan *scan, int64_t morsel,
                              fl_err *err);

/** The worker's morsel is done. Thread-safe among workers. FL_ERR_CORRUPT. */
fl_status fl_order_check_end(fl_order_check_worker *worker, const fl_scan *scan, int64_t morsel, fl_err *err);

#endif
