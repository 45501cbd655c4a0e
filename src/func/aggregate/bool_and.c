/* bool_and (every), bool_or; any_value (the first value met that is not null). */
#include "exec/agg.h"

#include "arrow/value.h"

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
    static const fl_agg_kernel name##_kernel = {                                                             \
        .state_bytes = 8, .update_groups = bool_groups, .combine = bool_combine, .finish = name##_finish};   \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)    \
    {                                                                                                        \
        if (n_args != 1 || (args[0].id != FL_BOOL && args[0].id != FL_NULL))                                 \
            return FL_FAIL(err, FL_ERR_FUNCTION, "a boolean was expected");                                  \
        *ret = (fl_agg_choice){                                                                              \
            .args = {FL_TYPE(FL_BOOL)}, .n_args = 1, .ret = FL_TYPE(FL_BOOL), .kernel = &name##_kernel};     \
        return FL_OK;                                                                                        \
    }
BOOL(bool_and, true)
BOOL(bool_or, false)

/* ---- any_value ----------------------------------------------------------------------------------------------------- */

typedef struct any_state {
    const fl_value *value; /* in the call's heap; NULL: none yet */
} any_state;

static fl_status any_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                            int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        any_state *s = (any_state *)(states[i] + offset);
        if (s->value != NULL || !fl_is_valid(call->args[0].valid, list[i]))
            continue;
        fl_value here, *kept;
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], list[i], &here, err));
        FL_TRY(FL_NEW(call->heap, &kept, err));
        FL_TRY(fl_value_copy(call->heap, &here, kept, err));
        s->value = kept;
    }
cleanup:
    return st;
}

static fl_status any_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    if (((any_state *)into)->value == NULL)
        *(any_state *)into = *(const any_state *)from;
    return FL_OK;
}

/* One value to its row, through a constant vector of it. */
static fl_status any_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    int32_t width = fl_type_width(call->ret_type);
    uint8_t *data = (uint8_t *)(uintptr_t)ret->data;
    for (int32_t i = 0; i < count; i++) {
        const any_state *s = (const any_state *)(states[i] + offset);
        fl_vec constant, flat;
        if (s->value == NULL) {
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
            continue;
        }
        FL_TRY(fl_value_to_vec(call->heap, s->value, &constant, err));
        FL_TRY(fl_vec_flatten(call->heap, &constant, 1, &flat, err));
        if (call->ret_type.id == FL_BOOL)
            fl_bit_put((uint64_t *)data, i, fl_bit_get(flat.data, 0));
        else
            memcpy(data + (int64_t)i * width, flat.data, (size_t)width);
    }
cleanup:
    return st;
}

static const fl_agg_kernel any_kernel = {.state_bytes = (int32_t)sizeof(any_state),
                                         .update_groups = any_groups,
                                         .combine = any_combine,
                                         .finish = any_finish};

static fl_status resolve_any(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1 || fl_type_is_nested(args[0]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "one argument was expected, no list or struct");
    fl_type type = args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[0];
    *ret = (fl_agg_choice){.args = {type}, .n_args = 1, .ret = type, .kernel = &any_kernel};
    return FL_OK;
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "bool_and", .ignores_distinct = true, .ignores_order = true,
     .resolve = resolve_bool_and, .doc = "bool_and(x): whether all are true"},
    {FL_DESC(fl_agg_desc), .name = "every", .ignores_distinct = true, .ignores_order = true,
     .resolve = resolve_bool_and, .doc = "every(x): whether all are true"},
    {FL_DESC(fl_agg_desc), .name = "bool_or", .ignores_distinct = true, .ignores_order = true,
     .resolve = resolve_bool_or, .doc = "bool_or(x): whether one is true"},
    {FL_DESC(fl_agg_desc), .name = "any_value", .ignores_distinct = true, .ignores_order = true, .resolve = resolve_any,
     .doc = "any_value(x): one of the values that are not null"},
};

FL_AGG_SET(bool_and, aggs);
