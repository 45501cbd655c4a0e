/* Sums of 128 bits, sums of squares of 192. The variance is (n * squares - sum * sum) / (n * n); that difference is taken in 256 bits
 * and rounded once. Up to 2^63 rows nothing overflows: each value has 64 bits at most. */
#include "func/aggregate/exact_variance.h"

#include "base/bitmap.h"

#include <math.h>

typedef unsigned __int128 u128;

/* Of 8-byte words, the lowest first. */
typedef struct state {
    int64_t n;
    uint64_t sum[2]; /* in two's complement */
    uint64_t squares[3];
} state;

typedef struct u256 {
    uint64_t words[4];
} u256;

/* ---- adding up ---------------------------------------------------------------------------------------------------- */

static inline u128 low_of(const uint64_t *words)
{
    return (u128)words[1] << 64 | words[0];
}

static inline void put_low(uint64_t *words, u128 value)
{
    words[0] = (uint64_t)value;
    words[1] = (uint64_t)(value >> 64);
}

static inline void add_squares(state *s, u128 squares, uint64_t above)
{
    u128 sum = low_of(s->squares) + squares;
    put_low(s->squares, sum);
    s->squares[2] += above + (sum < squares);
}

static inline void add_one(state *s, fl_i128 x)
{
    uint64_t magnitude = (uint64_t)(x < 0 ? -x : x);
    s->n++;
    put_low(s->sum, low_of(s->sum) + (u128)x);
    add_squares(s, (u128)magnitude * magnitude, 0);
}

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    (void)err;
    const fl_vec *arg = &call->args[0];
    const int64_t *values = arg->data;
    bool is_plain = arg->type.id != FL_U64 && arg->width == 8;
    for (int32_t i = 0; i < count; i++) {
        if (!fl_is_valid(arg->valid, list[i]))
            continue;
        fl_i128 x = is_plain                 ? values[list[i]]
                    : arg->type.id == FL_U64 ? (fl_i128)(uint64_t)values[list[i]]
                                             : fl_vec_i128(arg, list[i]);
        add_one((state *)(states[i] + offset), x);
    }
    return FL_OK;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    state *a = into;
    const state *b = from;
    a->n += b->n;
    put_low(a->sum, low_of(a->sum) + low_of(b->sum));
    add_squares(a, low_of(b->squares), b->squares[2]);
    return FL_OK;
}

/* ---- answering ---------------------------------------------------------------------------------------------------- */

/* The product of a number of n words (3 at most) and one word. */
static u256 times(const uint64_t *words, int32_t n, uint64_t by)
{
    u256 ret = {{0}};
    u128 carry = 0;
    for (int32_t i = 0; i < n; i++) {
        carry += (u128)words[i] * by;
        ret.words[i] = (uint64_t)carry;
        carry >>= 64;
    }
    ret.words[n] = (uint64_t)carry;
    return ret;
}

/* a + b, or a - b, `shift` words up. */
static void add_to(u256 *a, const u256 *b, int32_t shift, bool subtracts)
{
    uint64_t carry = 0;
    for (int32_t i = shift; i < 4; i++) {
        u128 x = a->words[i], y = (u128)b->words[i - shift] + carry;
        carry = subtracts ? x < y : (uint64_t)((x + y) >> 64);
        a->words[i] = (uint64_t)(subtracts ? x - y : x + y);
    }
}

static double to_double(const u256 *a)
{
    int32_t top = 3;
    while (top > 1 && a->words[top] == 0)
        top--;
    u128 digits = (u128)a->words[top] << 64 | a->words[top - 1];
    bool is_cut = false;
    for (int32_t i = 0; i < top - 1; i++)
        is_cut |= a->words[i] != 0;
    return ldexp((double)(digits | is_cut), 64 * (top - 1)); /* what is cut off decides ties alone */
}

/* The sum of squared deviations from the mean, times n. */
static double deviations(const state *s)
{
    fl_i128 sum = (fl_i128)low_of(s->sum);
    uint64_t magnitude[2];
    put_low(magnitude, sum < 0 ? -(u128)sum : (u128)sum);
    u256 ret = times(s->squares, 3, (uint64_t)s->n);
    for (int32_t i = 0; i < 2; i++) {
        u256 part = times(magnitude, 2, magnitude[i]);
        add_to(&ret, &part, i, true);
    }
    return to_double(&ret);
}

static fl_status finish(const fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, bool is_sample,
                        bool is_root, fl_vec *ret)
{
    double *answers = (double *)(uintptr_t)ret->data;
    double unit = call->arg_types[0].id == FL_DECIMAL ? (double)fl_pow10_i128[call->arg_types[0].scale] : 1;
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        if (s->n < 1 + is_sample) {
            answers[i] = 0;
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
            continue;
        }
        double variance = deviations(s) / (double)((u128)s->n * (u128)(s->n - is_sample));
        answers[i] = is_root ? sqrt(variance) / unit : variance / (unit * unit);
    }
    return FL_OK;
}

bool fl_exact_variance_takes(fl_type type, fl_type *ret_arg)
{
    bool is_kept = type.id == FL_U64 || (type.id == FL_DECIMAL && fl_type_width(type) == 8);
    if (!is_kept && !fl_type_is_integer(type))
        return false;
    *ret_arg = is_kept ? type : FL_TYPE(FL_I64);
    return true;
}

#define KERNEL(name, is_sample, is_root)                                                                     \
    static fl_status finish_##name(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, \
                                   fl_vec *ret, fl_err *err)                                                 \
    {                                                                                                        \
        (void)err;                                                                                           \
        return finish(call, states, offset, count, is_sample, is_root, ret);                                 \
    }                                                                                                        \
    const fl_agg_kernel fl_exact_##name = {.state_bytes = (int32_t)sizeof(state),                            \
                                           .state_kind = FL_STATE_PLAIN,                                     \
                                           .update_groups = update_groups,                                   \
                                           .combine = combine,                                               \
                                           .finish = finish_##name};
KERNEL(var_pop, false, false)
KERNEL(var_samp, true, false)
KERNEL(stddev_pop, false, true)
KERNEL(stddev_samp, true, true)
