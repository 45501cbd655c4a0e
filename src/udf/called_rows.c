/* Lists of rows, and how messages show one. */
#include "udf/called_rows.h"

#include "base/utf8.h"

fl_status fl_called_rows_list(fl_call *call, bool takes_nulls, int32_t **ret_list, int32_t *ret_count, fl_err *err)
{
    fl_status st = FL_OK;
    const uint64_t *valid = takes_nulls ? NULL : call->ret->valid;
    int32_t count = 0;
    *ret_count = call->rows;
    *ret_list = NULL;
    if (call->mask == NULL && valid == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->heap, call->rows + 1, ret_list, err));
    for (int32_t i = 0; i < call->rows; i++) {
        if (fl_call_wants(call, i) && fl_is_valid(valid, i))
            (*ret_list)[count++] = i;
        else if (fl_type_is_string(call->ret->type))
            fl_ret_view(call)[i] = (fl_view){0};
    }
    *ret_count = count;
cleanup:
    return st;
}

int64_t fl_called_rows_bytes(const fl_vec *vec, const int32_t *list, int32_t count)
{
    int64_t bytes = 0;
    FL_ASSERT(fl_type_is_string(vec->type));
    for (int32_t i = 0; i < count; i++) {
        int32_t row = fl_called_row(list, i);
        bytes += fl_vec_is_valid(vec, row) ? fl_vec_str(vec, row).len : 0;
    }
    return bytes;
}

void fl_called_row_print(fl_arena *heap, const fl_vec *args, int32_t n_args, int32_t row, fl_text *text)
{
    int64_t begin = text->len;
    for (int32_t i = 0; i < n_args && text->len - begin < FL_CALLED_ROW_BYTES_MAX; i++) {
        fl_value value;
        if (i > 0)
            fl_text_add(text, FL_STR(", "));
        if (fl_value_from_vec(heap, &args[i], fl_vec_row(&args[i], row), &value, NULL) == FL_OK)
            fl_value_print_sql(text, &value);
    }
    for (int64_t cut = begin + FL_CALLED_ROW_BYTES_MAX; text->len - begin > FL_CALLED_ROW_BYTES_MAX; cut--)
        if (!fl_utf8_is_continuation(text->data[cut]))
            text->len = cut;
}
