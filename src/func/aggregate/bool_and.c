/* Aggregates of booleans: bool_and (every), bool_or, count_if. */
#include "exec/agg.h"

#include "arrow/vec.h"

/* ---- booleans ------------------------------------------------------------------------------------------------------ */

/* A state is two bits: whether a true was seen, whether a false was. */
enum { SEEN_FALSE = 1, SEEN_TRUE = 2 };

static fl_status bool_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                             int32_t count, fl_err *err)
{
    (void)err;
    const fl_vec *x = &call->args[0];
    for (int32_t i = 0; i < count; i++)
        if (fl_is_valid(x->valid, list[i]))
            *(int64_t *)(states[i] + offset) |= fl_bit_get(x->data, list[i]) ? SEEN_TRUE : SEEN_FALSE;
    return FL_OK;
}

static fl_status bool_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    *(int64_t *)into |= *(const int64_t *)from;
    return FL_OK;
}

static void bool_finish(uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret, bool is_and)
{
    for (int32_t i = 0; i < count; i++) {
        int64_t seen = *(const int64_t *)(states[i] + offset);
        if (seen == 0)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
        fl_bit_put((uint64_t *)(uintptr_t)ret->data, i, is_and ? !(seen & SEEN_FALSE) : (seen & SEEN_TRUE) != 0);
    }
}

#define BOOL(name, is_and)                                                                                   \
    static fl_status name##_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, \
                                   fl_vec *ret, fl_err *err)                                                 \
    {                                                                                                        \
        (void)call;                                                                                          \
        (void)err;                                                                                           \
        bool_finish(states, offset, count, ret, is_and);                                                     \
        return FL_OK;                                                                                        \
    }                                                                                                        \
    static const fl_agg_kernel name##_kernel = {.state_bytes = 8,                                            \
                                                .state_kind = FL_STATE_PLAIN,                                \
                                                .update_groups = bool_groups,                                \
                                                .combine = bool_combine,                                     \
                                                .finish = name##_finish};                                    \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)    \
    {                                                                                                        \
        if (n_args != 1 || (args[0].id != FL_BOOL && args[0].id != FL_NULL))                                 \
            return FL_FAIL(err, FL_ERR_FUNCTION, "a boolean was expected");                                  \
        *ret = (fl_agg_choice){.args = {FL_TYPE(FL_BOOL)},                                                   \
                               .n_args = 1,                                                                  \
                               .ret = FL_TYPE(FL_BOOL),                                                      \
                               .never_fails = true,                                                          \
                               .kernel = &name##_kernel};                                                    \
        return FL_OK;                                                                                        \
    }
BOOL(bool_and, true)
BOOL(bool_or, false)

/* ---- count_if ------------------------------------------------------------------------------------------------------ */

typedef struct count_state {
    int64_t seen, n; /* not null; true */
} count_state;

static fl_status count_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                              int32_t count, fl_err *err)
{
    (void)err;
    const fl_vec *x = &call->args[0];
    for (int32_t i = 0; i < count; i++) {
        count_state *s = (count_state *)(states[i] + offset);
        if (!fl_is_valid(x->valid, list[i]))
            continue;
        s->seen++;
        s->n += fl_bit_get(x->data, list[i]);
    }
    return FL_OK;
}

static fl_status count_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    ((count_state *)into)->seen += ((const count_state *)from)->seen;
    ((count_state *)into)->n += ((const count_state *)from)->n;
    return FL_OK;
}

static fl_status count_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                              fl_err *err)
{
    (void)call;
    (void)err;
    for (int32_t i = 0; i < count; i++) {
        const count_state *s = (const count_state *)(states[i] + offset);
        ((int64_t *)(uintptr_t)ret->data)[i] = s->n;
        if (s->seen == 0)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
    }
    return FL_OK;
}

static const fl_agg_kernel count_kernel = {.state_bytes = (int32_t)sizeof(count_state),
                                           .state_kind = FL_STATE_PLAIN,
                                           .update_groups = count_groups,
                                           .combine = count_combine,
                                           .finish = count_finish};

static fl_status resolve_count_if(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1 || (args[0].id != FL_BOOL && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a boolean was expected");
    *ret = (fl_agg_choice){
        .args = {FL_TYPE(FL_BOOL)}, .n_args = 1, .ret = FL_TYPE(FL_I64), .never_fails = true, .kernel = &count_kernel};
    return FL_OK;
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "bool_and", .ignores_distinct = true, .ignores_order = true, .skips_nulls = true,
     .merge = "bool_and", .resolve = resolve_bool_and, .doc = "bool_and(x): whether all are true"},
    {FL_DESC(fl_agg_desc), .name = "every", .ignores_distinct = true, .ignores_order = true, .skips_nulls = true,
     .merge = "every", .resolve = resolve_bool_and, .doc = "every(x): whether all are true"},
    {FL_DESC(fl_agg_desc), .name = "bool_or", .ignores_distinct = true, .ignores_order = true, .skips_nulls = true,
     .merge = "bool_or", .resolve = resolve_bool_or, .doc = "bool_or(x): whether one is true"},
    {FL_DESC(fl_agg_desc), .name = "count_if", .ignores_order = true, .skips_nulls = true, .merge = "sum",
     .resolve = resolve_count_if, .doc = "count_if(x): rows in which x is true; null where it is null in all"},
};

FL_AGG_SET(bool_and, aggs);
