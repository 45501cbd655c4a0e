/* The rows of a batch that a user's function is called for, whatever its language: those that are wanted and, unless the function takes
 * nulls, have none. A list of row numbers; NULL stands for all rows, so that columns may be passed as they lie. */
#ifndef FL_UDF_CALLED_ROWS_H
#define FL_UDF_CALLED_ROWS_H

#include "base/text.h"
#include "exec/func.h"

#define FL_CALLED_ROW_BYTES_MAX 200 /* of a row's arguments, in messages */

/** The rows to call for, ascending: *ret_count of them in *ret_list, which is NULL where it is all rows of the call and else lies in the
 *  call's heap. Results of the others are set where the type is text or binary: empty. */
fl_status fl_called_rows_list(fl_call *call, bool takes_nulls, int32_t **ret_list, int32_t *ret_count, fl_err *err);

/** The i-th row of a list. */
static inline int32_t fl_called_row(const int32_t *list, int32_t i)
{
    return list != NULL ? list[i] : i;
}

/** Bytes of a text's or binary's values in the first `count` rows of a list; a null has none. */
int64_t fl_called_rows_bytes(const fl_vec *vec, const int32_t *list, int32_t count);

/** Adds a row's arguments as messages show them, up to FL_CALLED_ROW_BYTES_MAX bytes of whole characters. The heap is for the values. */
void fl_called_row_print(fl_arena *heap, const fl_vec *args, int32_t n_args, int32_t row, fl_text *text);

#endif
