/* The group table: finds or makes the row of each key. One table serves grouping, DISTINCT and set operations.
 *
 * Open addressing with linear probing over 8-byte entries: 16 bits of the hash as a tag, 48 bits of row pointer. A batch is
 * looked up in steps (probe, then compare column by column), so that loops are typed and misses overlap. Rows live in a
 * row store and never move; nulls are equal. One thread at a time. */
#ifndef FL_EXEC_GROUP_TABLE_H
#define FL_EXEC_GROUP_TABLE_H

#include "exec/rows.h"

typedef struct fl_group_table {
    fl_row_store store;
    int32_t n_keys; /* the layout's first columns */
    uint64_t *entries;
    int64_t n_entries; /* power of two */
    uint16_t *scratch; /* four lists of rows_max */
    int32_t rows_max;
} fl_group_table;

/** The layout is borrowed; its first n_keys columns are the keys. */
fl_status fl_group_table_init(fl_group_table *table, const fl_row_layout *layout, int32_t n_keys, int32_t rows_max,
                              fl_memory *memory, fl_err *err);
void fl_group_table_drop(fl_group_table *table);

/** The rows of the keys in list[0 .. count) with the given hashes (parallel to list). Unknown keys get a new row where
 *  `inserts`, NULL otherwise. count ≤ rows_max. */
fl_status fl_group_table_find(fl_group_table *table, const fl_vec *keys, const uint16_t *list, int32_t count,
                              const uint64_t *hashes, bool inserts, uint8_t **ret_rows, fl_err *err);

/** Takes over a row (of the same layout, from another table's store) whose key is not in the table yet, or gives the row
 *  that has the same key. The row's memory must outlive this table. */
fl_status fl_group_table_adopt(fl_group_table *table, uint8_t *row, uint8_t **ret_known, fl_err *err);

#endif
