/* approx_count_distinct(x): how many different values there are, to about 1.6 %, in 4 KB a group.
 *
 * HyperLogLog (Flajolet, Fusy, Gandouet & Meunier 2007) with 64-bit hashes: a register keeps the longest run of zeros that its share of
 * the hashes begins with. Small numbers are estimated from the registers that are still empty. */
#include "arrow/value.h"
#include "exec/agg.h"

#include <math.h>

#define REGISTERS_LOG2 12
#define REGISTERS (1 << REGISTERS_LOG2)

typedef struct state {
    uint8_t *registers; /* in the call's heap; NULL: no value yet */
} state;

/* The values' hash does not spread over all bits: a finalizer does (Steele, Lea & Flood 2014). */
static uint64_t spread(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        fl_value value;
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        if (s->registers == NULL)
            FL_TRY(FL_NEW_ARRAY(call->heap, REGISTERS, &s->registers, err));
        fl_arena_mark mark = fl_arena_mark_get(call->heap);
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], list[i], &value, err));
        uint64_t hash = spread(fl_value_hash(&value));
        fl_arena_rewind(call->heap, mark);
        uint8_t *at = &s->registers[hash >> (64 - REGISTERS_LOG2)];
        uint64_t rest =
            hash << REGISTERS_LOG2 | (1ull << (REGISTERS_LOG2 - 1)); /* a bit at the end, so that there is one */
        uint8_t zeros = (uint8_t)(__builtin_clzll(rest) + 1);
        *at = zeros > *at ? zeros : *at;
    }
cleanup:
    return st;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    state *a = into;
    const state *b = from;
    if (b->registers == NULL)
        return FL_OK;
    if (a->registers == NULL) {
        fl_status st = FL_NEW_ARRAY(call->heap, REGISTERS, &a->registers, err);
        if (st != FL_OK)
            return st;
    }
    for (int i = 0; i < REGISTERS; i++)
        a->registers[i] = b->registers[i] > a->registers[i] ? b->registers[i] : a->registers[i];
    return FL_OK;
}

static int64_t estimate(const uint8_t *registers)
{
    double sum = 0;
    int empty = 0;
    for (int i = 0; i < REGISTERS; i++) {
        sum += ldexp(1, -registers[i]);
        empty += registers[i] == 0;
    }
    double found = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * (REGISTERS / sum);
    if (found <= 2.5 * REGISTERS && empty > 0)
        found = REGISTERS * log((double)REGISTERS / empty);
    return (int64_t)llround(found);
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    (void)call;
    (void)err;
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        ((int64_t *)(uintptr_t)ret->data)[i] = s->registers != NULL ? estimate(s->registers) : 0;
    }
    return FL_OK;
}

static fl_status save(fl_agg_call *call, const void *from, fl_spill_bytes *to, fl_err *err)
{
    (void)call;
    const state *s = from;
    return s->registers != NULL ? fl_spill_bytes_add(to, s->registers, REGISTERS, err) : FL_OK;
}

static fl_status load(fl_agg_call *call, void *into, const uint8_t *from, fl_err *err)
{
    state *s = into;
    if (s->registers == NULL)
        return FL_OK;
    fl_status st = FL_NEW_ARRAY(call->heap, REGISTERS, &s->registers, err);
    if (st == FL_OK)
        memcpy(s->registers, from, REGISTERS);
    return st;
}

static const fl_agg_kernel kernel = {.state_bytes = (int32_t)sizeof(state),
                                     .state_kind = FL_STATE_SAVED,
                                     .update_groups = update_groups,
                                     .combine = combine,
                                     .finish = finish,
                                     .save = save,
                                     .load = load};

static fl_status resolve(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one argument was expected");
    *ret = (fl_agg_choice){.args = {args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[0]},
                           .n_args = 1,
                           .ret = FL_TYPE(FL_I64),
                           .never_fails = true,
                           .kernel = &kernel};
    return FL_OK;
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "approx_count_distinct", .ignores_distinct = true, .ignores_order = true,
     .empty_is_zero = true, .skips_nulls = true, .takes_any_type = true, .resolve = resolve,
     .doc = "approx_count_distinct(x): how many different values there are, to about 1.6 %"},
};

FL_AGG_SET(distinct_sketch, aggs);
