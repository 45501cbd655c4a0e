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

fl_status fl_runtime_filter_announce_threshold(fl_exec *exec, fl_col_id col, bool is_descending, bool keeps_nulls,
                                               fl_runtime_filter **ret, fl_err *err)
{
    fl_runtime_filter *filter = NULL;
    fl_status st = fl_runtime_filter_announce(exec, col, NULL, &filter, err);
    if (st != FL_OK)
        return st;
    filter->is_threshold = true;
    filter->is_descending = is_descending;
    filter->keeps_nulls = keeps_nulls;
    atomic_store(&filter->bound, is_descending ? INT64_MIN : INT64_MAX);
    *ret = filter;
    return FL_OK;
}

void fl_runtime_filter_fill(fl_runtime_filter *filter)
{
    FL_ASSERT(!filter->is_filled && (filter->bits == NULL || filter->min <= filter->max));
    if (filter->bits != NULL) {
        int64_t range = filter->max - filter->min + 1;
        if (fl_bitmap_count(filter->bits, range) == range)
            filter->bits = NULL;
    }
    filter->is_filled = true;
}

void fl_runtime_filter_sharpen(fl_runtime_filter *filter, int64_t bound)
{
    FL_ASSERT(filter->is_threshold);
    int64_t known = atomic_load(&filter->bound);
    while ((filter->is_descending ? bound > known : bound < known) &&
           !atomic_compare_exchange_weak(&filter->bound, &known, bound))
        ;
    atomic_store_explicit(&filter->has_bound, true, memory_order_release);
}

void fl_runtime_filter_range(const fl_runtime_filter *filter, int64_t *ret_min, int64_t *ret_max)
{
    FL_ASSERT(fl_runtime_filter_is_open(filter));
    *ret_min = filter->min;
    *ret_max = filter->max;
    if (filter->is_threshold) {
        int64_t bound = atomic_load_explicit(&filter->bound, memory_order_relaxed);
        *ret_min = filter->is_descending ? bound : INT64_MIN;
        *ret_max = filter->is_descending ? INT64_MAX : bound;
    }
}

#define APPLY(type)                                                                           \
    do {                                                                                      \
        const type *x = vec->data;                                                            \
        for (int32_t w = 0; w * 64 < rows; w++) {                                             \
            uint64_t word = mask[w], out = 0;                                                 \
            uint64_t valid = vec->valid != NULL ? vec->valid[w] : ~0ull;                      \
            int32_t end = rows - w * 64 < 64 ? rows - w * 64 : 64;                            \
            if (word == 0)                                                                    \
                continue;                                                                     \
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
            mask[w] = word & (filter->keeps_nulls ? out | ~valid : out & valid);              \
        }                                                                                     \
    } while (0)

void fl_runtime_filter_apply(const fl_runtime_filter *filter, const fl_vec *vec, int32_t rows, uint64_t *mask)
{
    int64_t min = 0, max = 0;
    fl_runtime_filter_range(filter, &min, &max);
    uint64_t range = (uint64_t)max - (uint64_t)min;
    const uint64_t *bits = filter->bits;
    FL_ASSERT(vec->width == 4 || vec->width == 8);
    if (min > max) {
        memset(mask, 0, (size_t)fl_bitmap_words(rows) * 8);
        return;
    }
    if (vec->layout != FL_FLAT) /* a constant passes or not as a whole; the operator itself decides */
        return;
    if (vec->width == 4)
        APPLY(int32_t);
    else if (vec->width == 8)
        APPLY(int64_t);
}
