/* Sorting rows of the row layout by some of its columns.
 *
 * Keys are normalized to bytes that compare as memcmp does (Kuiper & Mühleisen 2023): fixed-width keys of up to 16 bytes in
 * all are radix-sorted; longer ones and strings are compared by their first 8 bytes, then by value. */
#ifndef FL_EXEC_SORTER_H
#define FL_EXEC_SORTER_H

#include "exec/rows.h"

typedef struct fl_sort_column {
    int32_t col; /* of the layout */
    bool is_descending;
    bool nulls_first;
} fl_sort_column;

/** Sorts row pointers. Not stable. Needs about 24 bytes a row while it runs. */
fl_status fl_sort_rows(const fl_row_layout *layout, const fl_sort_column *columns, int32_t n_columns, uint8_t **rows,
                       int64_t n, fl_memory *memory, fl_err *err);

/** Order of two rows by the columns: below, at or above zero. */
int fl_sort_compare(const fl_row_layout *layout, const fl_sort_column *columns, int32_t n_columns, const uint8_t *a,
                    const uint8_t *b);

#endif
