/* bit_and, bit_or, bit_xor of integers; those of bit strings are bit_string.c's. */
#include "func/aggregate/bit_string.h"

#include "base/bitmap.h"

typedef struct state {
    uint64_t bits; /* sign-extended, whatever the width: the operators don't care */
    int64_t has;
} state;

typedef enum bit_op { BIT_AND, BIT_OR, BIT_XOR } bit_op;

static void add(state *s, uint64_t x, bit_op op)
{
    s->bits = !s->has ? x : op == BIT_AND ? s->bits & x : op == BIT_OR ? s->bits | x : s->bits ^ x;
    s->has = 1;
}

static uint64_t read(const fl_vec *vec, int32_t row)
{
    switch (vec->width) {
    case 1:
        return (uint64_t)((const int8_t *)vec->data)[row];
    case 2:
        return (uint64_t)((const int16_t *)vec->data)[row];
    case 4:
        return (uint64_t)((const int32_t *)vec->data)[row];
    default:
        return ((const uint64_t *)vec->data)[row];
    }
}

static void update(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, int32_t count,
                   bit_op op)
{
    for (int32_t i = 0; i < count; i++)
        if (fl_is_valid(call->args[0].valid, list[i]))
            add((state *)(states[i] + offset), read(&call->args[0], list[i]), op);
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    (void)err;
    int32_t width = fl_type_width(call->ret_type);
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        memcpy((uint8_t *)(uintptr_t)ret->data + (int64_t)i * width, &s->bits,
               (size_t)width); /* the low bytes come first */
        if (!s->has)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
    }
    return FL_OK;
}

static fl_status resolve(const fl_type *args, int32_t n_args, const fl_agg_kernel *kernel,
                         const fl_agg_kernel *of_bit_strings, fl_agg_choice *ret, fl_err *err)
{
    if (n_args == 1 && args[0].extension == FL_BIT) {
        *ret = (fl_agg_choice){.args = {args[0]}, .n_args = 1, .ret = args[0], .kernel = of_bit_strings};
        return FL_OK;
    }
    if (n_args != 1 || args[0].extension != FL_PLAIN || !(fl_type_is_integer(args[0]) || args[0].id == FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "an integer or a bit string was expected");
    fl_type type = args[0].id == FL_NULL ? FL_TYPE(FL_I32) : args[0];
    *ret = (fl_agg_choice){.args = {type}, .n_args = 1, .ret = type, .never_fails = true, .kernel = kernel};
    return FL_OK;
}

#define BITS(name, op, of_bit_strings)                                                                              \
    static fl_status name##_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, \
                                   int32_t count, fl_err *err)                                                      \
    {                                                                                                               \
        (void)err;                                                                                                  \
        update(call, states, offset, list, count, op);                                                              \
        return FL_OK;                                                                                               \
    }                                                                                                               \
    static fl_status name##_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)                   \
    {                                                                                                               \
        (void)call;                                                                                                 \
        (void)err;                                                                                                  \
        if (((const state *)from)->has)                                                                             \
            add(into, ((const state *)from)->bits, op);                                                             \
        return FL_OK;                                                                                               \
    }                                                                                                               \
    static const fl_agg_kernel name##_kernel = {.state_bytes = (int32_t)sizeof(state),                              \
                                                .state_kind = FL_STATE_PLAIN,                                       \
                                                .update_groups = name##_groups,                                     \
                                                .combine = name##_combine,                                          \
                                                .finish = finish};                                                  \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)           \
    {                                                                                                               \
        return resolve(args, n_args, &name##_kernel, &of_bit_strings, ret, err);                                    \
    }
BITS(bit_and, BIT_AND, fl_bit_string_and)
BITS(bit_or, BIT_OR, fl_bit_string_or)
BITS(bit_xor, BIT_XOR, fl_bit_string_xor)

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "bit_and", .ignores_distinct = true, .ignores_order = true, .skips_nulls = true,
     .takes_any_type = true, .merge = "bit_and", .resolve = resolve_bit_and, .doc = "bit_and(x): bits set in all"},
    {FL_DESC(fl_agg_desc), .name = "bit_or", .ignores_distinct = true, .ignores_order = true, .skips_nulls = true,
     .takes_any_type = true, .merge = "bit_or", .resolve = resolve_bit_or, .doc = "bit_or(x): bits set in any"},
    {FL_DESC(fl_agg_desc), .name = "bit_xor", .ignores_order = true, .skips_nulls = true, .takes_any_type = true,
     .merge = "bit_xor", .resolve = resolve_bit_xor, .doc = "bit_xor(x): bits set in an odd number"},
};

FL_AGG_SET(bit_and, aggs);
