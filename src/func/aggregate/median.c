/* median(x): the middle value, or the mean of the two in the middle, as a double. NaN is greatest. */
#include "exec/agg.h"

#include "base/bitmap.h"

#include <math.h>

typedef struct state {
    double *values; /* in the call's heap */
    int64_t n, capacity;
} state;

static fl_status reserve(state *s, int64_t more, fl_arena *heap, fl_err *err)
{
    double *grown;
    if (s->n + more <= s->capacity)
        return FL_OK;
    int64_t capacity = (s->n + more) * 2 + 8;
    fl_status st = fl_arena_get(heap, capacity * 8, (void **)&grown, err);
    if (st != FL_OK)
        return st;
    if (s->n > 0)
        memcpy(grown, s->values, (size_t)s->n * 8);
    s->values = grown;
    s->capacity = capacity;
    return FL_OK;
}

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    const double *x = call->args[0].data;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        fl_status st = reserve(s, 1, call->heap, err);
        if (st != FL_OK)
            return st;
        s->values[s->n++] = x[list[i]];
    }
    return FL_OK;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    state *a = into;
    const state *b = from;
    fl_status st = reserve(a, b->n, call->heap, err);
    if (st != FL_OK || b->n == 0)
        return st;
    memcpy(a->values + a->n, b->values, (size_t)b->n * 8);
    a->n += b->n;
    return FL_OK;
}

static bool is_less(double a, double b)
{
    return isnan(b) ? !isnan(a) : a < b;
}

/* Moves the value of rank k to its place (Hoare 1961, "Find"); smaller ones end up in front of it. The pivot is the median
 * of three, so that sorted input is no bad case. */
static double select_rank(double *v, int64_t n, int64_t k)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        double a = v[low], b = v[low + (high - low) / 2], c = v[high];
        double pivot = is_less(a, b) ? (is_less(b, c)   ? b
                                        : is_less(a, c) ? c
                                                        : a)
                                     : (is_less(a, c)   ? a
                                        : is_less(b, c) ? c
                                                        : b);
        int64_t i = low, j = high;
        while (i <= j) {
            while (is_less(v[i], pivot))
                i++;
            while (is_less(pivot, v[j]))
                j--;
            if (i <= j) {
                double swap = v[i];
                v[i++] = v[j];
                v[j--] = swap;
            }
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return v[k];
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    (void)call;
    (void)err;
    double *out = (double *)(uintptr_t)ret->data;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        if (s->n == 0) {
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
            continue;
        }
        double upper = select_rank(s->values, s->n, s->n / 2);
        out[i] = upper;
        if (s->n % 2 == 0) {
            double lower = s->values[0];
            for (int64_t v = 1; v < s->n / 2; v++)
                lower = is_less(lower, s->values[v]) ? s->values[v] : lower;
            out[i] = lower + (upper - lower) / 2;
        }
    }
    return FL_OK;
}

static const fl_agg_kernel kernel = {
    .state_bytes = (int32_t)sizeof(state), .update_groups = update_groups, .combine = combine, .finish = finish};

static fl_status resolve(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1 || (!fl_type_is_numeric(args[0]) && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a number was expected");
    *ret = (fl_agg_choice){.args = {FL_TYPE(FL_F64)}, .n_args = 1, .ret = FL_TYPE(FL_F64), .kernel = &kernel};
    return FL_OK;
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "median", .ignores_order = true, .resolve = resolve,
     .doc = "median(x): the middle value, or the mean of the two in the middle"},
};

FL_AGG_SET(median, aggs);
