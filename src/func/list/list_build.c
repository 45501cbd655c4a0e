/* Sorting values, and lists that are made element by element (list.h). */
#include "func/list/list.h"

static bool is_before(const fl_value *a, const fl_value *b, bool is_descending, bool nulls_first)
{
    if (a->is_null || b->is_null)
        return a->is_null != b->is_null && a->is_null == nulls_first;
    int order = fl_value_compare(a, b);
    return is_descending ? order > 0 : order < 0;
}

fl_status fl_list_sort(fl_call *call, const fl_value *values, int32_t n, bool is_descending, bool nulls_first,
                       int32_t *order, int32_t *spare, fl_err *err)
{
    for (int32_t i = 0; i < n; i++)
        order[i] = i;
    for (int64_t width = 1; width < n; width *= 2) { /* runs are merged in pairs, the left one first where equal */
        for (int64_t start = 0; start < n; start += 2 * width) {
            int64_t middle = start + width < n ? start + width : n, end = middle + width < n ? middle + width : n;
            int64_t a = start, b = middle;
            for (int64_t to = start; to < end; to++) {
                bool takes_right = a == middle || (b < end && is_before(&values[order[b]], &values[order[a]],
                                                                        is_descending, nulls_first));
                spare[to] = takes_right ? order[b++] : order[a++];
                fl_status st = fl_call_work(call, 16, err);
                if (st != FL_OK)
                    return st;
            }
        }
        memcpy(order, spare, (size_t)n * sizeof(*order));
    }
    return FL_OK;
}

static fl_status grow(fl_call *call, void *items, int64_t n, int64_t *capacity, int64_t bytes, fl_err *err)
{
    void *grown = NULL;
    if (n < *capacity)
        return FL_OK;
    if (n >= INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "lists would have more than 2,147,483,647 elements");
    int64_t wanted = n * 2 + 64;
    fl_status st = fl_arena_get(call->heap, wanted * bytes, &grown, err);
    if (st != FL_OK)
        return st;
    st = fl_work_copy(&call->work, grown, *(void **)items, n * bytes, err);
    if (st != FL_OK)
        return st;
    *(void **)items = grown;
    *capacity = wanted;
    return FL_OK;
}

fl_status fl_list_add_row(fl_call *call, fl_list_rows *to, int32_t row, fl_err *err)
{
    fl_status st = grow(call, &to->rows, to->n, &to->capacity, (int64_t)sizeof(*to->rows), err);
    if (st == FL_OK)
        st = fl_call_work(call, 4, err);
    if (st == FL_OK)
        to->rows[to->n++] = row;
    return st;
}

fl_status fl_list_add_value(fl_call *call, fl_list_values *to, const fl_value *value, fl_err *err)
{
    fl_status st = grow(call, &to->values, to->n, &to->capacity, (int64_t)sizeof(*to->values), err);
    if (st == FL_OK)
        st = fl_call_work(call, 32, err);
    if (st == FL_OK)
        to->values[to->n++] = *value;
    return st;
}

fl_status fl_list_finish_rows(fl_call *call, const fl_vec *child, const fl_list_rows *rows, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *made = NULL;
    fl_list_values none = {0};
    if (rows->n == 0)
        return fl_list_finish_values(call, &none, err);
    FL_TRY(FL_NEW(call->heap, &made, err));
    FL_TRY(fl_vec_gather32(call->heap, child, rows->rows, rows->n, made, err));
    call->ret->child = made;
    call->ret->child_rows = rows->n;
cleanup:
    return st;
}

fl_status fl_list_finish_values(fl_call *call, const fl_list_values *values, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_value **ptrs = NULL;
    fl_vec *made = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, values->n + 1, &ptrs, err));
    FL_TRY(FL_NEW(call->heap, &made, err));
    for (int64_t i = 0; i < values->n; i++)
        ptrs[i] = &values->values[i];
    FL_TRY(fl_vec_from_values(call->heap, call->ret->type.fields[0].type, ptrs, values->n, made, err));
    call->ret->child = made;
    call->ret->child_rows = values->n;
cleanup:
    return st;
}

fl_status fl_list_gather_one(fl_call *call, const fl_vec *child, int64_t child_rows, const int32_t *rows, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec gathered, flat;
    if (child == NULL || child_rows == 0) { /* nothing but empty lists and nulls */
        for (int32_t row = 0; row < call->rows; row++)
            fl_bit_clear(fl_call_valid(call), row);
        bool is_bits = call->ret->type.id == FL_BOOL;
        memset((void *)(uintptr_t)call->ret->data, 0,
               is_bits ? (size_t)fl_bitmap_words(call->rows) * 8 : (size_t)call->rows * (size_t)call->ret->width);
        if (!fl_type_is_nested(call->ret->type))
            return FL_OK;
        const fl_value **none = NULL;
        FL_TRY(FL_NEW_ARRAY(call->heap, call->rows + 1, &none, err));
        return fl_vec_from_values(call->heap, call->ret->type, none, call->rows, call->ret, err);
    }
    FL_TRY(fl_vec_gather32(call->heap, child, rows, call->rows, &gathered, err));
    FL_TRY(fl_vec_flatten(call->heap, &gathered, call->rows, &flat, err));
    if (call->ret->type.id == FL_BOOL) { /* bits stay where the evaluator looks for them */
        memcpy((void *)(uintptr_t)call->ret->data, flat.data, (size_t)fl_bitmap_words(call->rows) * 8);
        for (int32_t row = 0; row < call->rows; row++)
            if (!fl_is_valid(flat.valid, row))
                fl_bit_clear(fl_call_valid(call), row);
        return FL_OK;
    }
    flat.type = call->ret->type;
    *call->ret = flat;
cleanup:
    return st;
}
