/* Sorting rows of the row layout by some of its columns.
 *
 * Keys are normalized to words that compare as numbers do (Kuiper & Mühleisen 2023), made one at a time for rows that tie.
 * Large inputs are cut by sampled splitters into ranges that workers sort on their own (Axtmann et al. 2017, "IPS4o"). */
#ifndef FL_EXEC_SORTER_H
#define FL_EXEC_SORTER_H

#include "exec/exec.h"
#include "exec/order_words.h"
#include "exec/rows.h"

typedef struct fl_sort_column {
    int32_t col; /* of the layout */
    bool is_descending;
    bool nulls_first;
} fl_sort_column;

/** Sorts row pointers; equal rows keep their order. exec: whose workers help, for finish(); NULL in a worker: all is done on
 *  this thread. Needs about 34 bytes a row while it runs. */
fl_status fl_sort_rows(fl_exec *exec, const fl_row_layout *layout, const fl_sort_column *columns, int32_t n_columns,
                       uint8_t **rows, int64_t n, fl_memory *memory, fl_err *err);

/** Order of two rows by the columns: below, at or above zero. */
int fl_sort_compare(const fl_row_layout *layout, const fl_sort_column *columns, int32_t n_columns, const uint8_t *a,
                    const uint8_t *b);

/* What orders a row by a column before all else: rows of different heads are in their order, first by rank (of nulls and others),
 * then by word. */
typedef struct fl_sort_head {
    uint64_t word;
    int32_t rank;
} fl_sort_head;

/** Whether rows of the same head are equal in a column of the type: its word is the whole value. */
bool fl_sort_head_decides(fl_type type);

fl_sort_head fl_sort_head_of(const fl_row_layout *layout, const fl_sort_column *column, const uint8_t *row);

#endif
