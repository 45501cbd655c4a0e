/* array_agg(x): all values, nulls too, as a list; null of no rows. */
#include "arrow/value.h"
#include "exec/agg.h"
#include "exec/rows.h"

typedef struct state {
    fl_value *items; /* in the call's heap */
    int64_t n, capacity;
} state;

static fl_status reserve(state *s, int64_t more, fl_arena *heap, fl_err *err)
{
    if (s->n + more <= s->capacity)
        return FL_OK;
    fl_value *grown;
    int64_t capacity = (s->n + more) * 2;
    if (s->n + more > INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "a list would have more than 2,147,483,647 elements");
    fl_status st = FL_NEW_ARRAY(heap, capacity, &grown, err);
    if (st != FL_OK)
        return st;
    if (s->n > 0)
        memcpy(grown, s->items, (size_t)s->n * sizeof(*grown));
    s->items = grown;
    s->capacity = capacity;
    return FL_OK;
}

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        fl_value value;
        FL_TRY(reserve(s, 1, call->heap, err));
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], list[i], &value, err));
        FL_TRY(fl_value_copy(call->heap, &value, &s->items[s->n], err));
        s->n++;
    }
cleanup:
    return st;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    state *a = into;
    const state *b = from;
    fl_status st = reserve(a, b->n, call->heap, err);
    if (st != FL_OK || b->n == 0)
        return st;
    memcpy(a->items + a->n, b->items, (size_t)b->n * sizeof(*b->items));
    a->n += b->n;
    return FL_OK;
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *lists = NULL;
    const fl_value **ptrs = NULL;
    fl_vec made;
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &lists, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &ptrs, err));
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        lists[i] = (fl_value){.type = call->ret_type, .is_null = s->n == 0, .list = {s->items, s->n}};
        ptrs[i] = &lists[i];
        if (s->n == 0)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
    }
    FL_TRY(fl_vec_from_values(call->heap, call->ret_type, ptrs, count, &made, err));
    ret->data = made.data;
    ret->child = made.child;
    ret->child_rows = made.child_rows;
cleanup:
    return st;
}

static const fl_agg_kernel kernel = {.state_bytes = (int32_t)sizeof(state),
                                     .state_kind = FL_STATE_LATE,
                                     .update_groups = update_groups,
                                     .combine = combine,
                                     .finish = finish};

static fl_status resolve(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one argument was expected");
    *ret =
        (fl_agg_choice){.args = {args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[0]}, .n_args = 1, .kernel = &kernel};
    return fl_type_list_of(arena, ret->args[0], &ret->ret, err);
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "array_agg", .takes_any_type = true, .resolve = resolve,
     .doc = "array_agg(x [ORDER BY ...]): all values as a list, nulls too"},
    {FL_DESC(fl_agg_desc), .name = "list", .takes_any_type = true, .resolve = resolve,
     .doc = "list(x [ORDER BY ...]): as array_agg"},
};

FL_AGG_SET(array_agg, aggs);
