/* Lines that are left out because somebody asked for it (ignore_errors): those with a value that is none of its column's type. Lines with
 * another number of fields go before, where chunks are cut. */
#ifndef FL_FORMAT_CSV_BAD_LINES_H
#define FL_FORMAT_CSV_BAD_LINES_H

#include "format/csv/table.h"

/** Is told of a field that cannot be read: its row of the chunk, before any is taken away, its column and text. */
typedef fl_status (*fl_csv_on_bad)(void *ctx, const fl_csv_chunk *chunk, int64_t row, int32_t col, fl_str text,
                                   fl_err *err);

/** Takes lines of an indexed chunk away in which a field of any column cannot be read; *ret: how many. on_bad may be NULL; fails as that
 *  does. */
fl_status fl_csv_drop_bad_lines(const fl_csv_table *table, const fl_csv_dialect *dialect, fl_csv_chunk *chunk,
                                fl_csv_on_bad on_bad, void *ctx, int64_t *ret, fl_err *err);

#endif
