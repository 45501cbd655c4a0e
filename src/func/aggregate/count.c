/* count(*), count(x). */
#include "exec/agg.h"

#include "base/bitmap.h"

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    (void)err;
    const uint64_t *valid = call->n_args > 0 ? call->args[0].valid : NULL;
    for (int32_t i = 0; i < count && valid == NULL; i++)
        ++*(int64_t *)(states[i] + offset);
    for (int32_t i = 0; i < count && valid != NULL; i++)
        *(int64_t *)(states[i] + offset) += fl_bit_get(valid, list[i]);
    return FL_OK;
}

static fl_status update_all(fl_agg_call *call, void *state, const uint64_t *mask, int32_t rows, fl_err *err)
{
    (void)err;
    const uint64_t *valid = call->n_args > 0 ? call->args[0].valid : NULL;
    int64_t n = 0;
    if (mask == NULL && valid == NULL) {
        n = rows;
    } else {
        for (int64_t w = 0; w < fl_bitmap_words(rows); w++) {
            uint64_t word = (mask != NULL ? mask[w] : ~0ull) & (valid != NULL ? valid[w] : ~0ull);
            if (w == fl_bitmap_words(rows) - 1)
                word &= fl_bitmap_tail(rows);
            n += __builtin_popcountll(word);
        }
    }
    *(int64_t *)state += n;
    return FL_OK;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    *(int64_t *)into += *(const int64_t *)from;
    return FL_OK;
}

static void subtract(void *into, const void *from)
{
    *(int64_t *)into -= *(const int64_t *)from;
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    (void)call;
    (void)err;
    for (int32_t i = 0; i < count; i++)
        ((int64_t *)(uintptr_t)ret->data)[i] = *(const int64_t *)(states[i] + offset);
    return FL_OK;
}

static const fl_agg_kernel kernel = {.state_bytes = 8,
                                     .state_kind = FL_STATE_PLAIN,
                                     .is_masked = true,
                                     .update_groups = update_groups,
                                     .update_all = update_all,
                                     .combine = combine,
                                     .subtract = subtract,
                                     .finish = finish};

static fl_status resolve(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args > 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "count takes one argument or *");
    *ret = (fl_agg_choice){.n_args = n_args, .ret = FL_TYPE(FL_I64), .never_fails = true, .kernel = &kernel};
    if (n_args == 1)
        ret->args[0] = args[0];
    return FL_OK;
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "count", .ignores_order = true, .empty_is_zero = true, .skips_nulls = true,
     .answer = FL_ANSWER_COUNT, .merge = "sum", .takes_any_type = true, .resolve = resolve,
     .doc = "count(*): rows; count(x): those in which x is not null"},
};

FL_AGG_SET(count, aggs);
