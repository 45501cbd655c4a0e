/* Run-time filters: a bitmap test per row that is still selected. */
#include "exec/runtime_filter.h"

fl_status fl_runtime_filter_announce(fl_exec *exec, fl_col_id col, const fl_stage *build, fl_runtime_filter **ret,
                                     fl_err *err)
{
    fl_runtime_filter *filter = NULL;
    fl_status st = FL_NEW(&exec->arena, &filter, err);
    if (st != FL_OK)
        return st;
    filter->col = col;
    filter->build = build;
    filter->next = exec->runtime_filters;
    exec->runtime_filters = filter;
    *ret = filter;
    return FL_OK;
}

fl_runtime_filter *fl_runtime_filter_find(fl_exec *exec, fl_col_id col, fl_runtime_filter *after)
{
    fl_runtime_filter *f = after == NULL ? exec->runtime_filters : after->next;
    while (f != NULL && (f->col.n != col.n || f->hidden > 0 || f->is_closed))
        f = f->next;
    return f;
}

void fl_runtime_filter_fill(fl_runtime_filter *filter)
{
    if (filter->bits != NULL) {
        int64_t range = filter->max - filter->min + 1;
        if (fl_bitmap_count(filter->bits, range) == range)
            filter->bits = NULL;
    }
    filter->is_filled = true;
}

#define APPLY(type)                                                                           \
    do {                                                                                      \
        const type *x = vec->data;                                                            \
        for (int32_t w = 0; w * 64 < rows; w++) {                                             \
            uint64_t word = mask[w], out = 0;                                                 \
            if (vec->valid != NULL)                                                           \
                word &= vec->valid[w];                                                        \
            int32_t end = rows - w * 64 < 64 ? rows - w * 64 : 64;                            \
            if (word == 0) {                                                                  \
                mask[w] = 0;                                                                  \
                continue;                                                                     \
            }                                                                                 \
            if (bits == NULL) {                                                               \
                for (int32_t i = 0; i < end; i++)                                             \
                    out |= (uint64_t)((uint64_t)x[w * 64 + i] - (uint64_t)min <= range) << i; \
            } else {                                                                          \
                for (int32_t i = 0; i < end; i++) {                                           \
                    uint64_t at = (uint64_t)(int64_t)x[w * 64 + i] - (uint64_t)min;           \
                    uint64_t in = at <= range;                                                \
                    at = in ? at : 0;                                                         \
                    out |= (in & (bits[at >> 6] >> (at & 63))) << i;                          \
                }                                                                             \
            }                                                                                 \
            mask[w] = word & out;                                                             \
        }                                                                                     \
    } while (0)

void fl_runtime_filter_apply(const fl_runtime_filter *filter, const fl_vec *vec, int32_t rows, uint64_t *mask)
{
    int64_t min = filter->min;
    uint64_t range = (uint64_t)filter->max - (uint64_t)filter->min;
    const uint64_t *bits = filter->bits;
    if (filter->min > filter->max) {
        memset(mask, 0, (size_t)fl_bitmap_words(rows) * 8);
        return;
    }
    if (vec->layout != FL_FLAT) /* a constant passes or not as a whole; the join itself decides */
        return;
    if (vec->width == 4)
        APPLY(int32_t);
    else if (vec->width == 8)
        APPLY(int64_t);
}
