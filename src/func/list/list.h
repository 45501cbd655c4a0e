/* What functions of lists share: telling lists, reading their elements, and making lists element by element.
 *
 * A result is made in one of two ways: of rows of the argument's child vector, which are gathered (`fl_list_rows`), or of
 * values, where elements come from several arguments. */
#ifndef FL_FUNC_LIST_LIST_H
#define FL_FUNC_LIST_LIST_H

#include "arrow/value.h"
#include "exec/func.h"

static inline bool fl_list_is(fl_type type)
{
    return type.id == FL_LIST && type.extension == FL_PLAIN && type.n_fields == 1;
}

static inline fl_list_entry fl_list_entry_of(const fl_vec *list, int32_t row)
{
    return ((const fl_list_entry *)list->data)[fl_vec_row(list, row)];
}

/** Whether no argument of the row is null, and the row is asked for. */
static inline bool fl_list_wants(const fl_call *call, int32_t row)
{
    bool wanted = fl_call_wants(call, row);
    for (int32_t a = 0; a < call->n_args && wanted; a++)
        wanted = fl_vec_is_valid(&call->args[a], row);
    return wanted;
}

/** The elements of a row's list, in the call's heap. */
static inline fl_status fl_list_read(fl_call *call, const fl_vec *list, int32_t row, fl_value **ret, int32_t *ret_n,
                                     fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_entry entry = fl_list_entry_of(list, row);
    FL_TRY(FL_NEW_ARRAY(call->heap, entry.len + 1, ret, err));
    for (int32_t i = 0; i < entry.len; i++) {
        FL_TRY(fl_value_from_vec(call->heap, list->child, entry.start + i, &(*ret)[i], err));
        FL_TRY(fl_call_work(call, 16, err));
    }
    *ret_n = entry.len;
cleanup:
    return st;
}

/** Puts `order` (0 .. n - 1) in the order of the values, nulls at one end; equal ones stay as they are. `spare` has room for n. */
fl_status fl_list_sort(fl_call *call, const fl_value *values, int32_t n, bool is_descending, bool nulls_first,
                       int32_t *order, int32_t *spare, fl_err *err);

/* Rows of a child vector, or values, that grow in the call's heap. */
typedef struct fl_list_rows {
    int32_t *rows;
    int64_t n, capacity;
} fl_list_rows;

typedef struct fl_list_values {
    fl_value *values;
    int64_t n, capacity;
} fl_list_values;

fl_status fl_list_add_row(fl_call *call, fl_list_rows *to, int32_t row, fl_err *err);
fl_status fl_list_add_value(fl_call *call, fl_list_values *to, const fl_value *value, fl_err *err);

/** Makes the result's child: the rows of `child`, or the values. Entries are written by the caller. */
fl_status fl_list_finish_rows(fl_call *call, const fl_vec *child, const fl_list_rows *rows, fl_err *err);
fl_status fl_list_finish_values(fl_call *call, const fl_list_values *values, fl_err *err);

/** Makes the result of one row of `child` for each of the call's; null where rows[row] is below zero, and where nothing is (NULL, no
 *  rows). For kernels with FL_SETS_VALID. */
fl_status fl_list_gather_one(fl_call *call, const fl_vec *child, int64_t child_rows, const int32_t *rows, fl_err *err);

#endif
