/* The n best rows of a group (top_n.h): kept in order in the call's heap; of equal ones those that came first. */
#include "func/aggregate/top_n.h"

#include "func/aggregate/value.h"

#define TOP_MAX 1000000

typedef struct item {
    fl_value key, value; /* value: of arg_min, arg_max alone */
} item;

typedef struct state {
    item *items; /* NULL: no row yet */
    int64_t n, capacity, wanted;
} state;

static bool is_better(const fl_value *a, const fl_value *b, bool is_max)
{
    int order = fl_value_compare(a, b);
    return is_max ? order > 0 : order < 0;
}

static fl_status reserve(fl_agg_call *call, state *s, fl_err *err)
{
    item *grown;
    if (s->n < s->capacity)
        return FL_OK;
    int64_t capacity = s->n * 2 + 4;
    fl_status st = FL_NEW_ARRAY(call->heap, capacity, &grown, err);
    if (st != FL_OK)
        return st;
    if (s->n > 0)
        memcpy(grown, s->items, (size_t)s->n * sizeof(*grown));
    s->items = grown;
    s->capacity = capacity;
    return FL_OK;
}

/* Puts a row in its place, where it is among the best; its values are copied if they are not the heap's already. */
static fl_status add(fl_agg_call *call, state *s, const item *row, bool is_max, bool is_kept, bool has_value,
                     fl_err *err)
{
    fl_status st = FL_OK;
    if (s->n == s->wanted && !is_better(&row->key, &s->items[s->n - 1].key, is_max))
        return FL_OK;
    if (s->n < s->wanted) {
        FL_TRY(reserve(call, s, err));
        s->n++;
    }
    int64_t low = 0, high = s->n - 1; /* behind all that are no worse */
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (is_better(&row->key, &s->items[middle].key, is_max))
            high = middle;
        else
            low = middle + 1;
    }
    memmove(&s->items[low + 1], &s->items[low], (size_t)(s->n - 1 - low) * sizeof(*s->items));
    s->items[low] = *row;
    if (!is_kept) {
        FL_TRY(fl_value_copy(call->heap, &row->key, &s->items[low].key, err));
        if (has_value)
            FL_TRY(fl_value_copy(call->heap, &row->value, &s->items[low].value, err));
    }
cleanup:
    return st;
}

static fl_status read_wanted(const fl_vec *n, int32_t row, state *s, fl_err *err)
{
    s->wanted = fl_is_valid(n->valid, row) ? ((const int64_t *)n->data)[row] : 0;
    if (s->wanted >= 1 && s->wanted <= TOP_MAX)
        return FL_OK;
    int64_t given = s->wanted;
    s->wanted = 0;
    return fl_err_state(
        err, "22023",
        FL_FAIL(err, FL_ERR_VALUE, "the number of rows is in 1 to %d, not %lld", TOP_MAX, (long long)given));
}

static fl_status update(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, int32_t count,
                        bool is_max, bool has_value, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *values = &call->args[0], *keys = &call->args[has_value ? 1 : 0], *n = &call->args[has_value ? 2 : 1];
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        item row = {0};
        if (!fl_is_valid(values->valid, list[i]) || !fl_is_valid(keys->valid, list[i]))
            continue;
        if (s->wanted == 0)
            FL_TRY(read_wanted(n, list[i], s, err));
        FL_TRY(fl_value_from_vec(call->heap, keys, list[i], &row.key, err));
        if (has_value)
            FL_TRY(fl_value_from_vec(call->heap, values, list[i], &row.value, err));
        FL_TRY(add(call, s, &row, is_max, false, has_value, err));
    }
cleanup:
    return st;
}

static fl_status merge(fl_agg_call *call, void *into, const void *from, bool is_max, bool has_value, fl_err *err)
{
    fl_status st = FL_OK;
    state *a = into;
    const state *b = from;
    a->wanted = a->wanted > 0 ? a->wanted : b->wanted;
    for (int64_t i = 0; i < b->n && st == FL_OK; i++)
        st = add(call, a, &b->items[i], is_max, true, has_value, err);
    return st;
}

static fl_status finish_lists(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, bool has_value,
                              fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *lists = NULL;
    const fl_value **values = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &lists, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &values, err));
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        fl_value *items = NULL;
        if (s->n == 0)
            continue;
        FL_TRY(FL_NEW_ARRAY(call->heap, s->n, &items, err));
        for (int64_t k = 0; k < s->n; k++)
            items[k] = has_value ? s->items[k].value : s->items[k].key;
        lists[i] = (fl_value){.type = call->ret_type, .list = {items, s->n}};
        values[i] = &lists[i];
    }
    st = fl_kept_finish(call, values, count, ret, err);
cleanup:
    return st;
}

static fl_status save_items(const void *from, bool has_value, fl_spill_bytes *to, fl_err *err)
{
    fl_status st = FL_OK;
    const state *s = from;
    for (int64_t i = 0; i < s->n; i++) {
        FL_TRY(fl_spill_value_save(to, &s->items[i].key, err));
        if (has_value)
            FL_TRY(fl_spill_value_save(to, &s->items[i].value, err));
    }
cleanup:
    return st;
}

static fl_status load_items(fl_agg_call *call, void *into, const uint8_t *from, bool has_value, fl_err *err)
{
    fl_status st = FL_OK;
    state *s = into;
    s->items = NULL;
    s->capacity = s->n;
    FL_TRY(FL_NEW_ARRAY(call->heap, s->n + 1, &s->items, err));
    for (int64_t i = 0; i < s->n; i++) {
        FL_TRY(fl_spill_value_load(&from, call->arg_types[has_value ? 1 : 0], call->heap, &s->items[i].key, err));
        if (has_value)
            FL_TRY(fl_spill_value_load(&from, call->arg_types[0], call->heap, &s->items[i].value, err));
    }
cleanup:
    return st;
}

#define SIDE(name, is_max, has_value)                                                                               \
    static fl_status name##_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, \
                                   int32_t count, fl_err *err)                                                      \
    {                                                                                                               \
        return update(call, states, offset, list, count, is_max, has_value, err);                                   \
    }                                                                                                               \
    static fl_status name##_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)                   \
    {                                                                                                               \
        return merge(call, into, from, is_max, has_value, err);                                                     \
    }                                                                                                               \
    static fl_status name##_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count,        \
                                   fl_vec *ret, fl_err *err)                                                        \
    {                                                                                                               \
        return finish_lists(call, states, offset, count, has_value, ret, err);                                      \
    }                                                                                                               \
    static fl_status name##_save(fl_agg_call *call, const void *from, fl_spill_bytes *to, fl_err *err)              \
    {                                                                                                               \
        (void)call;                                                                                                 \
        return save_items(from, has_value, to, err);                                                                \
    }                                                                                                               \
    static fl_status name##_load(fl_agg_call *call, void *into, const uint8_t *from, fl_err *err)                   \
    {                                                                                                               \
        return load_items(call, into, from, has_value, err);                                                        \
    }                                                                                                               \
    static const fl_agg_kernel name##_kernel = {.state_bytes = (int32_t)sizeof(state),                              \
                                                .state_kind = FL_STATE_SAVED,                                       \
                                                .update_groups = name##_groups,                                     \
                                                .combine = name##_combine,                                          \
                                                .finish = name##_finish,                                            \
                                                .save = name##_save,                                                \
                                                .load = name##_load};
SIDE(min_n, false, false)
SIDE(max_n, true, false)
SIDE(arg_min_n, false, true)
SIDE(arg_max_n, true, true)

/* Stand in the places of min and its kin, whose answers are values and not lists: what rules know of those does not hold here. */
static fl_status resolve_never(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    (void)args;
    (void)n_args;
    (void)ret;
    return FL_FAIL(err, FL_ERR_FUNCTION, "this aggregate is chosen by another");
}

#define DESC(name_) \
    {FL_DESC(fl_agg_desc), .name = name_, .ignores_order = true, .takes_any_type = true, .resolve = resolve_never}
static const fl_agg_desc min_desc = DESC("min_n"), max_desc = DESC("max_n"), arg_min_desc = DESC("arg_min_n"),
                         arg_max_desc = DESC("arg_max_n");

static bool is_number(fl_type type)
{
    return type.id == FL_NULL || fl_cast_is_implicit(type, FL_TYPE(FL_I64), NULL);
}

static fl_type type_of(fl_type type)
{
    return type.id == FL_NULL ? FL_TYPE(FL_UTF8) : type;
}

fl_status fl_top_n_resolve(const fl_type *args, int32_t n_args, bool is_max, fl_agg_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args != 2 || !is_number(args[1]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a value and a number of rows were expected");
    *ret = (fl_agg_choice){.agg = is_max ? &max_desc : &min_desc,
                           .args = {type_of(args[0]), FL_TYPE(FL_I64)},
                           .n_args = 2,
                           .kernel = is_max ? &max_n_kernel : &min_n_kernel};
    return fl_type_list_of(arena, ret->args[0], &ret->ret, err);
}

fl_status fl_top_n_resolve_by(const fl_type *args, int32_t n_args, bool is_max, fl_agg_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args != 3 || !is_number(args[2]))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a value, what orders it and a number of rows were expected");
    *ret = (fl_agg_choice){.agg = is_max ? &arg_max_desc : &arg_min_desc,
                           .args = {type_of(args[0]), type_of(args[1]), FL_TYPE(FL_I64)},
                           .n_args = 3,
                           .kernel = is_max ? &arg_max_n_kernel : &arg_min_n_kernel};
    return fl_type_list_of(arena, ret->args[0], &ret->ret, err);
}
