/* The orders in which the rows of a table of segments come, by what the segments know of themselves. */
#ifndef FL_STORE_TABLE_ORDER_H
#define FL_STORE_TABLE_ORDER_H

#include "plan/table.h"
#include "store/segment.h"

/** Each column by itself that is in order over all segments, and the order `declared` that the rows were put in (n_keys 0: none),
 *  which stands first. Each is found in the direction and with the nulls that its rows have. What is given lies in the arena.
 *  Cost: O(segments · columns), values are compared at the seams alone. */
fl_status fl_table_order_find(fl_arena *arena, fl_segment *const *segments, int64_t n_segments, int32_t n_cols,
                              const fl_table_order *declared, const fl_table_order **ret, int32_t *ret_n, fl_err *err);

/** What is wrong with an order that the rows are said to be in, NULL: nothing is. Looks at all rows; for assertions. */
const char *fl_table_order_fault(fl_segment *const *segments, int64_t n_segments, const fl_table_order *order);

#endif
