/* Aggregates that give bit strings: bit_and, bit_or, bit_xor of bit strings (PostgreSQL, section 9.21), and bitstring_agg(x, min, max)
 * as DuckDB has it, whose bit k says whether min + k was among the values. A bit string lies as text of 0 and 1. */
#include "func/aggregate/bit_string.h"

#include "base/bitmap.h"

#define BITS_MAX (1 << 26) /* that numbers ask for, as func/bit/bit.c has it */

typedef struct state {
    char *bits; /* in the call's heap; of nobody else, as they are changed in place */
    int64_t n;
    int64_t has;
} state;

/* ---- of bit strings -------------------------------------------------------------------------------------------------- */

static fl_status start(fl_agg_call *call, state *s, fl_str bits, fl_err *err)
{
    fl_status st = fl_arena_get(call->heap, bits.len + 1, (void **)&s->bits, err);
    if (st != FL_OK)
        return st;
    if (bits.len > 0)
        memcpy(s->bits, bits.data, (size_t)bits.len);
    s->n = bits.len;
    s->has = 1;
    return FL_OK;
}

/* By the characters themselves, which differ in their last bit. */
static fl_status add(fl_agg_call *call, state *s, fl_str bits, char op, fl_err *err)
{
    if (!s->has)
        return start(call, s, bits, err);
    if (s->n != bits.len)
        return fl_err_state(err, "22026",
                            FL_FAIL(err, FL_ERR_VALUE, "%s of bit strings of different lengths, %lld and %lld",
                                    call->agg->name, (long long)s->n, (long long)bits.len));
    for (int64_t i = 0; i < s->n; i++)
        s->bits[i] = (char)(op == '&'   ? s->bits[i] & bits.data[i]
                            : op == '|' ? s->bits[i] | bits.data[i]
                                        : '0' + (s->bits[i] != bits.data[i]));
    return FL_OK;
}

static fl_status update(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, int32_t count,
                        char op, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count && st == FL_OK; i++)
        if (fl_vec_is_valid(&call->args[0], list[i]))
            st = add(call, (state *)(states[i] + offset), fl_vec_str(&call->args[0], list[i]), op, err);
    return st;
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    (void)call;
    (void)err;
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        ((fl_view *)(uintptr_t)ret->data)[i] = s->n > 0 ? fl_view_of(s->bits, s->n) : (fl_view){0};
        if (!s->has)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
    }
    return FL_OK;
}

static fl_status save(fl_agg_call *call, const void *from, fl_spill_bytes *to, fl_err *err)
{
    (void)call;
    const state *s = from;
    return fl_spill_bytes_add(to, s->bits, s->n, err);
}

static fl_status load(fl_agg_call *call, void *into, const uint8_t *from, fl_err *err)
{
    state *s = into;
    return s->has ? start(call, s, (fl_str){(const char *)from, s->n}, err) : FL_OK;
}

#define BITS(name, op)                                                                                              \
    static fl_status name##_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, \
                                   int32_t count, fl_err *err)                                                      \
    {                                                                                                               \
        return update(call, states, offset, list, count, op, err);                                                  \
    }                                                                                                               \
    static fl_status name##_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)                   \
    {                                                                                                               \
        const state *s = from;                                                                                      \
        return s->has ? add(call, into, (fl_str){s->bits, s->n}, op, err) : FL_OK;                                  \
    }                                                                                                               \
    const fl_agg_kernel fl_bit_string_##name = {.state_bytes = (int32_t)sizeof(state),                              \
                                                .state_kind = FL_STATE_SAVED,                                       \
                                                .update_groups = name##_groups,                                     \
                                                .combine = name##_combine,                                          \
                                                .finish = finish,                                                   \
                                                .save = save,                                                       \
                                                .load = load};
BITS(and, '&')
BITS(or, '|')
BITS(xor, '#')

/* ---- of numbers ------------------------------------------------------------------------------------------------------ */

/* All bits of the range, none set. min and max are the same in all rows. */
static fl_status start_range(fl_agg_call *call, state *s, int64_t min, int64_t max, fl_err *err)
{
    int64_t n;
    if (min > max)
        return fl_err_state(err, "22023",
                            FL_FAIL(err, FL_ERR_VALUE, "bitstring_agg's least value %lld is above its greatest, %lld",
                                    (long long)min, (long long)max));
    if (__builtin_sub_overflow(max, min, &n) || n >= BITS_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "bitstring_agg's range, %lld to %lld, is longer than %d bits", (long long)min,
                       (long long)max, BITS_MAX);
    fl_status st = fl_arena_get(call->heap, n + 1, (void **)&s->bits, err);
    if (st != FL_OK)
        return st;
    memset(s->bits, '0', (size_t)n + 1);
    s->n = n + 1;
    s->has = 1;
    return FL_OK;
}

static fl_status number_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    const int64_t *x = call->args[0].data, *min = call->args[1].data, *max = call->args[2].data;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        int32_t row = list[i];
        if (!fl_is_valid(call->args[0].valid, row))
            continue;
        if (!fl_is_valid(call->args[1].valid, row) || !fl_is_valid(call->args[2].valid, row))
            return fl_err_state(err, "22004",
                                FL_FAIL(err, FL_ERR_VALUE, "bitstring_agg's least and greatest value are not null"));
        if (!s->has)
            FL_TRY(start_range(call, s, min[row], max[row], err));
        if (x[row] < min[row] || x[row] > max[row])
            return fl_err_state(err, "22003",
                                FL_FAIL(err, FL_ERR_VALUE,
                                        "bitstring_agg's value %lld is outside its range, %lld to %lld",
                                        (long long)x[row], (long long)min[row], (long long)max[row]));
        s->bits[x[row] - min[row]] = '1';
    }
cleanup:
    return st;
}

static const fl_agg_kernel number_kernel = {.state_bytes = (int32_t)sizeof(state),
                                            .state_kind = FL_STATE_SAVED,
                                            .update_groups = number_groups,
                                            .combine = or_combine,
                                            .finish = finish,
                                            .save = save,
                                            .load = load};

static bool is_integer(fl_type type)
{
    return fl_type_is_integer(type) || type.id == FL_NULL;
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 3 || !is_integer(args[0]) || !is_integer(args[1]) || !is_integer(args[2]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "an integer, the least that there may be and the greatest were expected");
    *ret = (fl_agg_choice){.args = {FL_TYPE(FL_I64), FL_TYPE(FL_I64), FL_TYPE(FL_I64)},
                           .n_args = 3,
                           .ret = {.id = FL_UTF8, .extension = FL_BIT},
                           .kernel = &number_kernel};
    return FL_OK;
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "bitstring_agg", .ignores_distinct = true, .ignores_order = true,
     .skips_nulls = true, .n_row_args = 1, .resolve = resolve,
     .doc = "bitstring_agg(x, min, max): a bit for each number from min to max, set for those that are there"},
};

FL_AGG_SET(bit_string, aggs);
