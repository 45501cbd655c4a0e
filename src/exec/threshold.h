/* The threshold of a top-k: rows whose first key alone is worse than the worst row kept are dropped without being written. */
#ifndef FL_EXEC_THRESHOLD_H
#define FL_EXEC_THRESHOLD_H

#include "exec/sorter.h"

/** Keeps of list[0 .. count) the rows whose key may still win against column `column` of the threshold's row; returns how
 *  many. What it keeps may lose all the same: it tells nothing of equal keys, NaN, and types that are no numbers or times. */
int32_t fl_threshold_filter(const fl_row_layout *layout, const fl_sort_column *column, const uint8_t *threshold,
                            const fl_vec *key, uint16_t *list, int32_t count);

#endif
