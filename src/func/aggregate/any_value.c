/* Aggregates that answer with one of their values, of any type: any_value, first, last, arg_min, arg_max. */
#include "func/aggregate/top_n.h"
#include "func/aggregate/value.h"

static fl_type type_of(fl_type type)
{
    return type.id == FL_NULL ? FL_TYPE(FL_UTF8) : type;
}

/* ---- any_value, first, last ---------------------------------------------------------------------------------------- */

typedef struct state {
    fl_kept *kept; /* NULL: none yet */
} state;

static fl_status one_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                            int32_t count, bool takes_null, bool takes_last, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        fl_value here;
        if ((s->kept != NULL && !takes_last) || (!takes_null && !fl_is_valid(call->args[0].valid, list[i])))
            continue;
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], list[i], &here, err));
        FL_TRY(fl_kept_set(call, &s->kept, &here, err));
    }
cleanup:
    return st;
}

static fl_status one_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const fl_value **values = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &values, err));
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        values[i] = s->kept != NULL ? &s->kept->value : NULL;
    }
    st = fl_kept_finish(call, values, count, ret, err);
cleanup:
    return st;
}

static fl_status one_save(fl_agg_call *call, const void *from, fl_spill_bytes *to, fl_err *err)
{
    (void)call;
    return fl_kept_save(((const state *)from)->kept, to, err);
}

static fl_status one_load(fl_agg_call *call, void *into, const uint8_t *from, fl_err *err)
{
    return fl_kept_load(call, &((state *)into)->kept, call->arg_types[0], &from, err);
}

#define ONE(name, kind, rows, takes_null, takes_last)                                                               \
    static fl_status name##_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, \
                                   int32_t count, fl_err *err)                                                      \
    {                                                                                                               \
        return one_groups(call, states, offset, list, count, takes_null, takes_last, err);                          \
    }                                                                                                               \
    static fl_status name##_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)                   \
    {                                                                                                               \
        (void)call;                                                                                                 \
        (void)err;                                                                                                  \
        state *a = into;                                                                                            \
        const state *b = from;                                                                                      \
        if (b->kept != NULL && (a->kept == NULL || (takes_last)))                                                   \
            *a = *b;                                                                                                \
        return FL_OK;                                                                                               \
    }                                                                                                               \
    static const fl_agg_kernel name##_kernel = {.state_bytes = (int32_t)sizeof(state),                              \
                                                .state_kind = kind,                                                 \
                                                .wanted = rows,                                                     \
                                                .update_groups = name##_groups,                                     \
                                                .combine = name##_combine,                                          \
                                                .finish = one_finish,                                               \
                                                .save = one_save,                                                   \
                                                .load = one_load};                                                  \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)           \
    {                                                                                                               \
        if (n_args != 1)                                                                                            \
            return FL_FAIL(err, FL_ERR_FUNCTION, "one argument was expected");                                      \
        *ret = (fl_agg_choice){                                                                                     \
            .args = {type_of(args[0])}, .n_args = 1, .ret = type_of(args[0]), .kernel = &name##_kernel};            \
        return FL_OK;                                                                                               \
    }
ONE(any_value, FL_STATE_SAVED, FL_ROWS_ALL, false, false)
ONE(first, FL_STATE_LATE, FL_ROWS_FIRST, true, false)
ONE(last, FL_STATE_LATE, FL_ROWS_LAST, true, true)

/* ---- arg_min, arg_max ---------------------------------------------------------------------------------------------- */

typedef struct arg_state {
    fl_kept *x, *key; /* NULL: none yet */
} arg_state;

/* Whether the key is better than the one kept; of equal ones the first stays. */
static bool is_better(const fl_kept *kept, const fl_value *key, bool is_max)
{
    if (kept == NULL)
        return true;
    if (kept->value.is_null || key->is_null)
        return kept->value.is_null && !key->is_null;
    int order = fl_value_compare(key, &kept->value);
    return is_max ? order > 0 : order < 0;
}

/* Which nulls count: none, those of x, or those of what orders x, too, which are behind all else. */
typedef enum arg_nulls { NULLS_NONE, NULLS_OF_X, NULLS_LAST } arg_nulls;

static fl_status arg_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                            int32_t count, bool is_max, arg_nulls nulls, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *xs = &call->args[0], *keys = &call->args[1];
    for (int32_t i = 0; i < count; i++) {
        arg_state *s = (arg_state *)(states[i] + offset);
        fl_value key, x;
        if ((nulls == NULLS_NONE && !fl_is_valid(xs->valid, list[i])) ||
            (nulls != NULLS_LAST && !fl_is_valid(keys->valid, list[i])))
            continue;
        FL_TRY(fl_value_from_vec(call->heap, keys, list[i], &key, err));
        if (!is_better(s->key, &key, is_max))
            continue;
        FL_TRY(fl_value_from_vec(call->heap, xs, list[i], &x, err));
        FL_TRY(fl_kept_set(call, &s->key, &key, err));
        FL_TRY(fl_kept_set(call, &s->x, &x, err));
    }
cleanup:
    return st;
}

static fl_status arg_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    const fl_value **values = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &values, err));
    for (int32_t i = 0; i < count; i++) {
        const arg_state *s = (const arg_state *)(states[i] + offset);
        values[i] = s->x != NULL ? &s->x->value : NULL;
    }
    st = fl_kept_finish(call, values, count, ret, err);
cleanup:
    return st;
}

static fl_status arg_save(fl_agg_call *call, const void *from, fl_spill_bytes *to, fl_err *err)
{
    (void)call;
    const arg_state *s = from;
    fl_status st = fl_kept_save(s->x, to, err);
    return st == FL_OK ? fl_kept_save(s->key, to, err) : st;
}

static fl_status arg_load(fl_agg_call *call, void *into, const uint8_t *from, fl_err *err)
{
    arg_state *s = into;
    fl_status st = fl_kept_load(call, &s->x, call->arg_types[0], &from, err);
    return st == FL_OK ? fl_kept_load(call, &s->key, call->arg_types[1], &from, err) : st;
}

#define ARG(name, is_max, nulls)                                                                                    \
    static fl_status name##_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, \
                                   int32_t count, fl_err *err)                                                      \
    {                                                                                                               \
        return arg_groups(call, states, offset, list, count, is_max, nulls, err);                                   \
    }                                                                                                               \
    static fl_status name##_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)                   \
    {                                                                                                               \
        (void)call;                                                                                                 \
        (void)err;                                                                                                  \
        arg_state *a = into;                                                                                        \
        const arg_state *b = from;                                                                                  \
        if (b->key != NULL && is_better(a->key, &b->key->value, is_max))                                            \
            *a = *b;                                                                                                \
        return FL_OK;                                                                                               \
    }                                                                                                               \
    static const fl_agg_kernel name##_kernel = {.state_bytes = (int32_t)sizeof(arg_state),                          \
                                                .state_kind = FL_STATE_SAVED,                                       \
                                                .update_groups = name##_groups,                                     \
                                                .combine = name##_combine,                                          \
                                                .finish = arg_finish,                                               \
                                                .save = arg_save,                                                   \
                                                .load = arg_load};                                                  \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)           \
    {                                                                                                               \
        if (n_args == 3 && nulls == NULLS_NONE)                                                                     \
            return fl_top_n_resolve_by(args, n_args, is_max, ret, err);                                             \
        if (n_args != 2)                                                                                            \
            return FL_FAIL(err, FL_ERR_FUNCTION, "a value and what orders it were expected");                       \
        *ret = (fl_agg_choice){.args = {type_of(args[0]), type_of(args[1])},                                        \
                               .n_args = 2,                                                                         \
                               .ret = type_of(args[0]),                                                             \
                               .kernel = &name##_kernel};                                                           \
        return FL_OK;                                                                                               \
    }
ARG(arg_min, false, NULLS_NONE)
ARG(arg_max, true, NULLS_NONE)
ARG(arg_min_null, false, NULLS_OF_X)
ARG(arg_max_null, true, NULLS_OF_X)
ARG(arg_min_nulls_last, false, NULLS_LAST)
ARG(arg_max_nulls_last, true, NULLS_LAST)

#define AGG(text, op, help) \
    {FL_DESC(fl_agg_desc), .name = text, .takes_any_type = true, .resolve = resolve_##op, .doc = help}
#define AGG_UNORDERED(text, op, help)                                                               \
    {FL_DESC(fl_agg_desc), .name = text,           .ignores_distinct = true, .ignores_order = true, \
     .obeys_order = true,  .takes_any_type = true, .resolve = resolve_##op,  .doc = help}

static const fl_agg_desc aggs[] = {
    AGG_UNORDERED("any_value", any_value,
                  "any_value(x [ORDER BY ...]): one of the values that are not null, the first in that order"),
    AGG("first", first, "first(x [ORDER BY ...]): the first row's value, null or not"),
    AGG("last", last, "last(x [ORDER BY ...]): the last row's value, null or not"),
    AGG_UNORDERED(
        "arg_min", arg_min,
        "arg_min(x, y [, n] [ORDER BY ...]): x where y is least, of rows without a null; of the n least as a list"),
    AGG_UNORDERED("min_by", arg_min, "min_by(x, y): as arg_min"),
    AGG_UNORDERED("arg_max", arg_max,
                  "arg_max(x, y [, n] [ORDER BY ...]): x where y is greatest, of rows without a null; of the n "
                  "greatest as a list"),
    AGG_UNORDERED("arg_min_null", arg_min_null, "arg_min_null(x, y): as arg_min, also where x is null"),
    AGG_UNORDERED("arg_max_null", arg_max_null, "arg_max_null(x, y): as arg_max, also where x is null"),
    AGG_UNORDERED(
        "arg_min_nulls_last", arg_min_nulls_last,
        "arg_min_nulls_last(x, y): as arg_min, also where x is null; a null y counts where there is no other"),
    AGG_UNORDERED(
        "arg_max_nulls_last", arg_max_nulls_last,
        "arg_max_nulls_last(x, y): as arg_max, also where x is null; a null y counts where there is no other"),
    AGG_UNORDERED("max_by", arg_max, "max_by(x, y): as arg_max"),
};

FL_AGG_SET(any_value, aggs);
