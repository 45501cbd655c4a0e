/* Runs: rows side by side that agree in their keys. Nulls are equal, as are NaNs; -0 is 0. */
#ifndef FL_EXEC_RUNS_H
#define FL_EXEC_RUNS_H

#include "arrow/vec.h"

/** Sets starts[i], i ≥ 1, where row list[i] differs from row list[i - 1] in the key; others stay as they are. The list ascends. The
 *  key is flat or constant, strings lie in any way; not for lists, structs and intervals. */
void fl_runs_mark(const fl_vec *key, const uint16_t *list, int32_t count, uint8_t *starts);

/** Sets marks[i] where row rows[i] differs from row others[i] in the key; others stay as they are. Keys as above. */
void fl_runs_mark_pairs(const fl_vec *key, const uint16_t *rows, const uint16_t *others, int32_t count, uint8_t *marks);

#endif
