/* Lines that are left out because somebody asked for it (ignore_errors): those with a value that is none of its column's type. Lines with
 * another number of fields go before, where chunks are cut. */
#ifndef FL_FORMAT_CSV_BAD_LINES_H
#define FL_FORMAT_CSV_BAD_LINES_H

#include "format/csv/table.h"

/** Takes lines of an indexed chunk away in which a field of any column cannot be read; gives how many. */
int64_t fl_csv_drop_bad_lines(const fl_csv_table *table, const fl_csv_dialect *dialect, fl_csv_chunk *chunk);

#endif
