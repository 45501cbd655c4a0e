/* Statistics of row groups, as far as they may be believed. */
#include "format/parquet/table.h"

void fl_pq_table_stats(fl_table *base, int32_t col, fl_col_stats *ret)
{
    (void)base, (void)col;
    *ret = (fl_col_stats){.null_fraction = -1, .distinct = -1};
}
