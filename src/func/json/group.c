/* json_group_array(x) and json_group_object(name, x): the values of all rows as one JSON text, nulls too; null of no rows. */
#include "exec/agg.h"
#include "func/json/json.h"

#define BYTES_MAX ((int64_t)1 << 30)

typedef struct state {
    char *data; /* in the call's heap; each value with a comma in front, so that parts can be put together */
    int64_t len, capacity;
} state;

static fl_status add(state *s, fl_str text, fl_arena *heap, fl_err *err)
{
    if (s->len + text.len > BYTES_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "the text would be longer than 1 GB");
    if (s->len + text.len > s->capacity) {
        char *grown;
        int64_t capacity = (s->len + text.len) * 2 + 32;
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

static fl_status add_row(fl_agg_call *call, int32_t row, fl_text *text, fl_err *err)
{
    fl_value value;
    fl_status st = FL_OK;
    fl_text_clear(text);
    fl_text_add_char(text, ',');
    if (call->n_args == 2) {
        if (!fl_is_valid(call->args[0].valid, row))
            return fl_err_state(err, "22004", FL_FAIL(err, FL_ERR_VALUE, "the name of a member cannot be null"));
        fl_text_add_json(text, fl_vec_str(&call->args[0], row));
        fl_text_add_char(text, ':');
    }
    st = fl_value_from_vec(call->heap, &call->args[call->n_args - 1], row, &value, err);
    if (st == FL_OK)
        st = fl_json_add_value(&value, text, err);
    return st == FL_OK ? fl_text_status(text, err) : st;
}

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t i = 0; i < count; i++) {
        FL_TRY(add_row(call, list[i], &text, err));
        FL_TRY(add((state *)(states[i] + offset), fl_text_str(&text), call->heap, err));
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    const state *b = from;
    return b->len > 0 ? add(into, (fl_str){b->data, b->len}, call->heap, err) : FL_OK;
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    bool is_array = call->n_args == 1;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        fl_view *to = (fl_view *)(uintptr_t)ret->data + i;
        *to = (fl_view){0};
        if (s->len == 0) {
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
            continue;
        }
        fl_status st = add(s, is_array ? FL_STR("]") : FL_STR("}"), call->heap, err);
        if (st != FL_OK)
            return st;
        s->data[0] = is_array ? '[' : '{';
        *to = fl_view_of(s->data, s->len);
    }
    return FL_OK;
}

static const fl_agg_kernel kernel = {.state_bytes = (int32_t)sizeof(state),
                                     .state_kind = FL_STATE_LATE,
                                     .update_groups = update_groups,
                                     .combine = combine,
                                     .finish = finish};

static fl_type type_of(fl_type type)
{
    return type.id == FL_NULL ? FL_TYPE(FL_UTF8) : type;
}

static fl_status resolve_array(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one value was expected");
    *ret = (fl_agg_choice){.args = {type_of(args[0])}, .n_args = 1, .ret = FL_TYPE_JSON, .kernel = &kernel};
    return FL_OK;
}

static fl_status resolve_object(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 2 || (!fl_type_is_text(fl_type_plain(args[0])) && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a name and a value were expected");
    *ret = (fl_agg_choice){
        .args = {FL_TYPE(FL_UTF8), type_of(args[1])}, .n_args = 2, .ret = FL_TYPE_JSON, .kernel = &kernel};
    return FL_OK;
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "json_group_array", .takes_any_type = true, .resolve = resolve_array,
     .doc = "json_group_array(x [ORDER BY ...]): all values as a JSON array, nulls too"},
    {FL_DESC(fl_agg_desc), .name = "json_group_object", .takes_any_type = true, .resolve = resolve_object,
     .doc = "json_group_object(name, x [ORDER BY ...]): a JSON object of all rows"},
};

FL_AGG_SET(json_group, aggs);
