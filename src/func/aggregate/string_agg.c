/* string_agg(x, separator): texts that are not null, with each one's separator in front of it but for the first; without a
 * separator with commas. Values of other types are cast to text. */
#include "exec/agg.h"

#include "arrow/vec.h"

#define BYTES_MAX ((int64_t)1 << 30)

typedef struct state {
    char *data; /* in the call's heap */
    int64_t len, capacity;
    int64_t first_separator; /* its length; it lies at data's start and is left out of the answer */
    int64_t has;
} state;

static fl_status add(state *s, fl_str text, fl_arena *heap, fl_err *err)
{
    if (text.len == 0)
        return FL_OK;
    if (s->len + text.len > s->capacity) {
        char *grown;
        int64_t capacity = (s->len + text.len) * 2 + 32;
        if (s->len + text.len > BYTES_MAX)
            return FL_FAIL(err, FL_ERR_LIMIT, "the text would be longer than 1 GB");
        fl_status st = fl_arena_get(heap, capacity, (void **)&grown, err);
        if (st != FL_OK)
            return st;
        if (s->len > 0)
            memcpy(grown, s->data, (size_t)s->len);
        s->data = grown;
        s->capacity = capacity;
    }
    memcpy(s->data + s->len, text.data, (size_t)text.len);
    s->len += text.len;
    return FL_OK;
}

static fl_str separator_of(const fl_agg_call *call, int32_t row)
{
    if (call->n_args < 2)
        return FL_STR(",");
    return fl_vec_is_valid(&call->args[1], row) ? fl_vec_str(&call->args[1], row) : (fl_str){0};
}

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        if (!fl_vec_is_valid(&call->args[0], list[i]))
            continue;
        fl_str separator = separator_of(call, list[i]);
        if (!s->has)
            s->first_separator = separator.len;
        s->has = true;
        FL_TRY(add(s, separator, call->heap, err));
        FL_TRY(add(s, fl_vec_str(&call->args[0], list[i]), call->heap, err));
    }
cleanup:
    return st;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    state *a = into;
    const state *b = from;
    if (!b->has)
        return FL_OK;
    if (!a->has) {
        a->has = true;
        a->first_separator = b->first_separator;
    }
    return add(a, (fl_str){b->data, b->len}, call->heap, err);
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    (void)call;
    (void)err;
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        int64_t len = s->len - s->first_separator;
        ((fl_view *)(uintptr_t)ret->data)[i] = fl_view_of(len > 0 ? s->data + s->first_separator : "", len);
        if (!s->has)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
    }
    return FL_OK;
}

static const fl_agg_kernel kernel = {.state_bytes = (int32_t)sizeof(state),
                                     .state_kind = FL_STATE_LATE,
                                     .update_groups = update_groups,
                                     .combine = combine,
                                     .finish = finish};

static fl_status resolve(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    fl_type type = n_args > 0 && args[0].id == FL_BINARY ? args[0] : FL_TYPE(FL_UTF8);
    if (n_args < 1 || n_args > 2 || (n_args == 2 && args[1].id != FL_NULL && args[1].id != type.id))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a value and a separator were expected");
    if (args[0].id != FL_NULL && !fl_type_is_string(args[0]) && !fl_cast_exists(args[0], type))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a value that has a text was expected");
    *ret = (fl_agg_choice){.args = {type, type}, .n_args = n_args, .ret = type, .kernel = &kernel};
    return FL_OK;
}

#define AGG(text, help) {FL_DESC(fl_agg_desc), .name = text, .takes_any_type = true, .resolve = resolve, .doc = help}

static const fl_agg_desc aggs[] = {
    AGG("string_agg",
        "string_agg(x [, separator] [ORDER BY ...]): all texts that are not null, with separators between"),
    AGG("group_concat", "group_concat(x [, separator] [ORDER BY ...]): as string_agg"),
    AGG("listagg", "listagg(x [, separator] [ORDER BY ...]): as string_agg"),
};

FL_AGG_SET(string_agg, aggs);
