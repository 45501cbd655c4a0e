/* Lists and structs: levels and dense values of leaf columns, put together as trees of vectors. */
#ifndef FL_FORMAT_PARQUET_NESTED_H
#define FL_FORMAT_PARQUET_NESTED_H

#include "format/parquet/reader.h"

void fl_pq_levels_drop(fl_pq_levels *levels);

/** Reads rows [row, row + rows) of a column with the readers and levels of its leaves (node->leaves of each). The tree
 *  lies in the arena, values in `levels`; both are valid until the next read. */
fl_status fl_pq_nested_read(fl_pq_reader *readers, const fl_pq_node *node, int64_t row, int64_t rows, fl_arena *arena,
                            fl_pq_levels *levels, fl_vec *ret, fl_err *err);

#endif
