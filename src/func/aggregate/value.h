/* What aggregates of any type share: a value that is kept beyond its batch, and a column made of such values. */
#ifndef FL_FUNC_AGGREGATE_VALUE_H
#define FL_FUNC_AGGREGATE_VALUE_H

#include "arrow/value.h"
#include "exec/agg.h"

/* A value in the call's heap. States hold pointers to these: a state is aligned to 8 bytes, a value wants 16. */
typedef struct fl_kept {
    fl_value value;
    char *room; /* for the bytes of a text, used again by the next one */
    int64_t room_bytes;
} fl_kept;

/** Keeps `value` in *kept, which is made when it is NULL. */
static inline fl_status fl_kept_set(fl_agg_call *call, fl_kept **kept, const fl_value *value, fl_err *err)
{
    fl_status st = FL_OK;
    if (*kept == NULL)
        FL_TRY(FL_NEW(call->heap, kept, err));
    fl_kept *to = *kept;
    if (value->is_null || !fl_type_is_string(value->type))
        return fl_value_copy(call->heap, value, &to->value, err);
    if (value->s.len > to->room_bytes) {
        FL_TRY(fl_arena_get(call->heap, value->s.len * 2, (void **)&to->room, err));
        to->room_bytes = value->s.len * 2;
    }
    if (value->s.len > 0)
        memcpy(to->room, value->s.data, (size_t)value->s.len);
    to->value = *value;
    to->value.s.data = to->room;
cleanup:
    return st;
}

/** Appends a kept value, of which NULL has nothing. */
static inline fl_status fl_kept_save(const fl_kept *kept, fl_spill_bytes *to, fl_err *err)
{
    return kept != NULL ? fl_spill_value_save(to, &kept->value, err) : FL_OK;
}

/** The value of *kept again, where it is not NULL, from *from on. The type is one that lasts. */
static inline fl_status fl_kept_load(fl_agg_call *call, fl_kept **kept, fl_type type, const uint8_t **from, fl_err *err)
{
    fl_status st = FL_OK;
    if (*kept == NULL)
        return FL_OK;
    FL_TRY(FL_NEW(call->heap, kept, err));
    st = fl_spill_value_load(from, type, call->heap, &(*kept)->value, err);
cleanup:
    return st;
}

/** The result column of any type: values[i] in row i, NULL where it is NULL. */
static inline fl_status fl_kept_finish(fl_agg_call *call, const fl_value *const *values, int32_t count, fl_vec *ret,
                                       fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec made;
    FL_TRY(fl_vec_from_values(call->heap, call->ret_type, values, count, &made, err));
    for (int32_t i = 0; i < count; i++)
        if (values[i] == NULL || values[i]->is_null)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
    made.valid = ret->valid;
    *ret = made;
cleanup:
    return st;
}

#endif
