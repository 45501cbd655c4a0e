/* Numbers as a table: range() and generate_series(). */
#ifndef FL_STORE_RANGE_TABLE_H
#define FL_STORE_RANGE_TABLE_H

#include "plan/table.h"

/** A table of one bigint column `name`: start, start + step, … below `stop` (above, for negative steps), with the stop itself
 *  when `is_closed`. FL_ERR_VALUE for a step of 0. */
fl_status fl_range_table_new(fl_memory *memory, fl_str name, int64_t start, int64_t stop, int64_t step, bool is_closed,
                             fl_table **ret, fl_err *err);

#endif
