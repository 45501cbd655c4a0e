/* Merging: the groups that several workers found become one result.
 *
 * Tables with a complete index are merged place by place, in pieces of the array; others by partitions of the hash. Pieces
 * and partitions are done by all workers. Rows stay where they are: of a group that several workers have, one row is kept
 * and the others are combined into it. */
#ifndef FL_EXEC_GROUP_MERGE_H
#define FL_EXEC_GROUP_MERGE_H

#include "exec/exec.h"
#include "exec/group_table.h"

#define FL_GROUP_PARTITIONS 16

typedef struct fl_group_result {
    fl_group_table *tables; /* one, or one per partition of the hash */
    int32_t n_tables;
    uint8_t **
        rows[FL_GROUP_PARTITIONS]; /* by table: its rows, as far as possible in the order in which they lie in memory */
    int64_t n_rows[FL_GROUP_PARTITIONS];
    fl_arena heaps[FL_GROUP_PARTITIONS]; /* of combined states */
} fl_group_result;

/** Adds the states of `row` to those of `into`, a row of the same group. */
typedef fl_status (*fl_group_combine)(void *ctx, uint8_t *into, const uint8_t *row, fl_arena *heap, fl_err *err);

/** Merges tables of one layout; their rows must outlive the result, and one table may be moved into it. combine NULL: rows
 *  are keys alone. ret is dropped with fl_group_result_drop also after a failure. */
fl_status fl_group_merge(fl_exec *exec, const fl_row_layout *layout, int32_t n_keys, fl_group_table *const *tables,
                         int32_t n, fl_group_combine combine, void *ctx, fl_group_result *ret, fl_err *err);
void fl_group_result_drop(fl_group_result *result);

/** The table of the result that holds a hash. */
static inline int32_t fl_group_result_table(const fl_group_result *result, uint64_t hash)
{
    return result->n_tables == 1 ? 0 : (int32_t)(hash >> 60);
}

#endif
