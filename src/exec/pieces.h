/* Lists of texts that a function makes of its arguments: pieces are views into them, or of the call's heap. */
#ifndef FL_EXEC_PIECES_H
#define FL_EXEC_PIECES_H

#include "exec/func.h"

typedef struct fl_pieces {
    fl_view *views; /* in the call's heap */
    bool *is_null;
    int64_t n, capacity;
} fl_pieces;

static inline fl_status fl_pieces_add(fl_call *call, fl_pieces *to, fl_str text, bool is_null, fl_err *err)
{
    fl_status st = FL_OK;
    if (to->n == to->capacity) {
        fl_view *views = NULL;
        bool *nulls = NULL;
        int64_t capacity = to->n * 2 + 64;
        if (to->n >= INT32_MAX)
            return FL_FAIL(err, FL_ERR_LIMIT, "lists would have more than 2,147,483,647 elements");
        FL_TRY(FL_NEW_ARRAY(call->heap, capacity, &views, err));
        FL_TRY(FL_NEW_ARRAY(call->heap, capacity, &nulls, err));
        if (to->n > 0) {
            FL_TRY(fl_work_copy(&call->work, views, to->views, to->n * (int64_t)sizeof(*views), err));
            FL_TRY(fl_work_copy(&call->work, nulls, to->is_null, to->n * (int64_t)sizeof(*nulls), err));
        }
        to->views = views;
        to->is_null = nulls;
        to->capacity = capacity;
    }
    to->views[to->n] = fl_view_of(text.len == 0 ? "" : text.data, text.len);
    to->is_null[to->n++] = is_null;
cleanup:
    return st;
}

/** The list in `row` is the pieces from number `start` on. */
static inline void fl_pieces_end_row(fl_call *call, const fl_pieces *pieces, int32_t row, int64_t start)
{
    ((fl_list_entry *)(uintptr_t)call->ret->data)[row] = (fl_list_entry){(int32_t)start, (int32_t)(pieces->n - start)};
}

/** Makes the result's child of all pieces. */
static inline fl_status fl_pieces_finish(fl_call *call, const fl_pieces *pieces, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *child = NULL;
    uint64_t *valid = NULL;
    fl_view *views = pieces->views;
    FL_TRY(FL_NEW(call->heap, &child, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, fl_bitmap_words(pieces->n) + 1, &valid, err));
    if (views == NULL)
        FL_TRY(FL_NEW(call->heap, &views, err));
    for (int64_t i = 0; i < pieces->n; i++)
        fl_bit_put(valid, i, !pieces->is_null[i]);
    FL_ASSERT(call->ret->type.id == FL_LIST && call->ret->type.fields[0].type.id == FL_UTF8);
    fl_vec_set_flat(child, call->ret->type.fields[0].type, views, valid);
    call->ret->child = child;
    call->ret->child_rows = pieces->n;
cleanup:
    return st;
}

#endif
