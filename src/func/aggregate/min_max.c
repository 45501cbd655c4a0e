/* min and max, over every type but nested ones. NaN is greatest. */
#include "func/aggregate/top_n.h"
#include "exec/agg.h"

#include "base/bitmap.h"

#include <math.h>

/* One state for all types: the value as it lies in a vector (up to 16 bytes), and whether there is one. */
typedef struct state {
    uint8_t value[16];
    int64_t has;
} state;

static bool less_f64(double a, double b)
{
    return isnan(b) ? !isnan(a) : a < b;
}

static bool less_interval(fl_interval a, fl_interval b)
{
    fl_i128 x = ((fl_i128)a.months * 30 + a.days) * 86400000000000LL + a.nanos;
    fl_i128 y = ((fl_i128)b.months * 30 + b.days) * 86400000000000LL + b.nanos;
    return x < y;
}

#define LESS(a, b) ((a) < (b))

#define MIN_MAX(suffix, type, less)                                                                                   \
    static fl_status groups_##suffix(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, \
                                     int32_t count, bool is_max)                                                      \
    {                                                                                                                 \
        const type *x = call->args[0].data;                                                                           \
        const uint64_t *valid = call->args[0].valid;                                                                  \
        for (int32_t i = 0; i < count; i++) {                                                                         \
            state *s = (state *)(states[i] + offset);                                                                 \
            if (!fl_is_valid(valid, list[i]))                                                                         \
                continue;                                                                                             \
            type v = x[list[i]], old;                                                                                 \
            memcpy(&old, s->value, sizeof(type));                                                                     \
            if (!s->has || (is_max ? less(old, v) : less(v, old)))                                                    \
                memcpy(s->value, &v, sizeof(type));                                                                   \
            s->has = 1;                                                                                               \
        }                                                                                                             \
        return FL_OK;                                                                                                 \
    }                                                                                                                 \
    static void all_##suffix(const fl_vec *arg, state *s, const uint64_t *mask, int32_t rows, bool is_max)            \
    {                                                                                                                 \
        const type *x = arg->data;                                                                                    \
        type best;                                                                                                    \
        memcpy(&best, s->value, sizeof(type));                                                                        \
        bool has = s->has;                                                                                            \
        for (int32_t w = 0; w * 64 < rows; w++) {                                                                     \
            uint64_t word = (mask != NULL ? mask[w] : ~0ull) & (arg->valid != NULL ? arg->valid[w] : ~0ull);          \
            if (rows - w * 64 < 64)                                                                                   \
                word &= fl_bitmap_tail(rows);                                                                         \
            if (word == 0)                                                                                            \
                continue;                                                                                             \
            if (!has)                                                                                                 \
                best = x[w * 64 + __builtin_ctzll(word)];                                                             \
            has = true;                                                                                               \
            if (word == ~0ull) {                                                                                      \
                for (int32_t i = 0; i < 64; i++) {                                                                    \
                    type v = x[w * 64 + i];                                                                           \
                    best = (is_max ? less(best, v) : less(v, best)) ? v : best;                                       \
                }                                                                                                     \
            } else {                                                                                                  \
                for (; word != 0; word &= word - 1) {                                                                 \
                    type v = x[w * 64 + __builtin_ctzll(word)];                                                       \
                    best = (is_max ? less(best, v) : less(v, best)) ? v : best;                                       \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
        memcpy(s->value, &best, sizeof(type));                                                                        \
        s->has = has;                                                                                                 \
    }
MIN_MAX(i8, int8_t, LESS)
MIN_MAX(i16, int16_t, LESS)
MIN_MAX(i32, int32_t, LESS)
MIN_MAX(i64, int64_t, LESS)
MIN_MAX(u8, uint8_t, LESS)
MIN_MAX(u16, uint16_t, LESS)
MIN_MAX(u32, uint32_t, LESS)
MIN_MAX(u64, uint64_t, LESS)
MIN_MAX(f32, float, less_f64)
MIN_MAX(f64, double, less_f64)
MIN_MAX(i128, fl_i128, LESS)
MIN_MAX(interval, fl_interval, less_interval)

static fl_status keep_view(state *s, const fl_view *v, fl_arena *heap, fl_err *err)
{
    fl_view copy = *v;
    if (v->len > FL_VIEW_INLINE_MAX) {
        char *chars = NULL;
        fl_status st = fl_arena_get(heap, v->len, (void **)&chars, err);
        if (st != FL_OK)
            return st;
        memcpy(chars, v->ptr, v->len);
        copy.ptr = chars;
    }
    memcpy(s->value, &copy, 16);
    s->has = 1;
    return FL_OK;
}

static fl_status groups_view(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                             int32_t count, bool is_max, fl_err *err)
{
    const fl_view *x = call->args[0].data;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        fl_view old;
        memcpy(&old, s->value, 16);
        int order = s->has ? fl_view_compare(&x[list[i]], &old) : 0;
        if (s->has && (is_max ? order <= 0 : order >= 0))
            continue;
        fl_status st = keep_view(s, &x[list[i]], call->heap, err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

static fl_status groups_bool(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                             int32_t count, bool is_max)
{
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        uint8_t v = fl_bit_get(call->args[0].data, list[i]);
        if (!s->has || (is_max ? v > s->value[0] : v < s->value[0]))
            s->value[0] = v;
        s->has = 1;
    }
    return FL_OK;
}

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, bool is_max, fl_err *err)
{
#define CASE(id, suffix) \
    case id:             \
        return groups_##suffix(call, states, offset, list, count, is_max);
    switch (call->args[0].type.id) {
        CASE(FL_I8, i8)
        CASE(FL_I16, i16)
        CASE(FL_I32, i32)
        CASE(FL_DATE, i32)
        CASE(FL_U8, u8)
        CASE(FL_U16, u16)
        CASE(FL_U32, u32)
        CASE(FL_U64, u64)
        CASE(FL_F32, f32)
        CASE(FL_F64, f64)
        CASE(FL_INTERVAL, interval)
        CASE(FL_BOOL, bool)
    case FL_UTF8:
    case FL_BINARY:
        return groups_view(call, states, offset, list, count, is_max, err);
    case FL_DECIMAL:
        if (fl_type_width(call->args[0].type) == 16) {
            fl_vec wide;
            if (call->args[0].width == 16)
                return groups_i128(call, states, offset, list, count, is_max);
            fl_arena scratch;
            fl_arena_init(&scratch, NULL);
            int32_t rows = count == 0 ? 0 : list[count - 1] + 1;
            fl_status st = fl_vec_flatten(&scratch, &call->args[0], rows, &wide, err);
            fl_agg_call inner = *call;
            inner.args = &wide;
            if (st == FL_OK)
                st = groups_i128(&inner, states, offset, list, count, is_max);
            fl_arena_drop(&scratch);
            return st;
        }
        return groups_i64(call, states, offset, list, count, is_max);
    default:
        return groups_i64(call, states, offset, list, count, is_max);
    }
#undef CASE
}

static fl_status update_all(fl_agg_call *call, void *s, const uint64_t *mask, int32_t rows, bool is_max, fl_err *err)
{
    const fl_vec *arg = &call->args[0];
#define CASE(id, suffix)                          \
    case id:                                      \
        all_##suffix(arg, s, mask, rows, is_max); \
        return FL_OK;
    switch (arg->type.id) {
        CASE(FL_I8, i8)
        CASE(FL_I16, i16)
        CASE(FL_I32, i32)
        CASE(FL_DATE, i32)
        CASE(FL_I64, i64)
        CASE(FL_TIME, i64)
        CASE(FL_TIMESTAMP, i64)
        CASE(FL_TIMESTAMPTZ, i64)
        CASE(FL_U8, u8)
        CASE(FL_U16, u16)
        CASE(FL_U32, u32)
        CASE(FL_U64, u64)
        CASE(FL_F32, f32)
        CASE(FL_F64, f64)
        CASE(FL_INTERVAL, interval)
    case FL_DECIMAL:
        if (fl_type_width(arg->type) == 8) {
            all_i64(arg, s, mask, rows, is_max);
            return FL_OK;
        }
        if (arg->width == 16) {
            all_i128(arg, s, mask, rows, is_max);
            return FL_OK;
        }
        break;
    default:
        break;
    }
#undef CASE
    for (int32_t row = 0; row < rows; row++) { /* strings, booleans, wide decimals: through the grouped kernel */
        uint16_t list[1] = {(uint16_t)row};
        uint8_t *states[1] = {s};
        if (mask != NULL && !fl_bit_get(mask, row))
            continue;
        fl_status st = update_groups(call, states, 0, list, 1, is_max, err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

/* The types that most keys and measures are of, without the way through a vector. false: it is another one. */
static inline bool combine_plain(fl_type type, state *a, const state *b, bool is_max)
{
#define CASE(id, type, less)                      \
    case id: {                                    \
        type old, v;                              \
        memcpy(&old, a->value, sizeof(type));     \
        memcpy(&v, b->value, sizeof(type));       \
        if (is_max ? less(old, v) : less(v, old)) \
            memcpy(a->value, &v, sizeof(type));   \
        return true;                              \
    }
    switch (type.id) {
        CASE(FL_I32, int32_t, LESS)
        CASE(FL_DATE, int32_t, LESS)
        CASE(FL_I64, int64_t, LESS)
        CASE(FL_TIMESTAMP, int64_t, LESS)
        CASE(FL_TIMESTAMPTZ, int64_t, LESS)
        CASE(FL_F64, double, less_f64)
    default:
        return false;
    }
#undef CASE
}

static inline fl_status combine(fl_agg_call *call, void *into, const void *from, bool is_max, fl_err *err)
{
    const state *b = from;
    state *a = into;
    if (!b->has || (a->has && combine_plain(call->arg_types[0], a, b, is_max)))
        return FL_OK;
    if (!a->has && !fl_type_is_string(call->arg_types[0])) {
        *a = *b;
        return FL_OK;
    }
    uint64_t bits = b->value[0];
    uint8_t *states[1] = {into};
    uint16_t list[1] = {0};
    fl_i128 value;
    fl_vec vec;
    memcpy(&value, b->value, 16);
    fl_vec_set_flat(&vec, call->arg_types[0],
                    call->arg_types[0].id == FL_BOOL ? (const void *)&bits : (const void *)&value, NULL);
    fl_agg_call inner = *call;
    inner.args = &vec;
    return update_groups(&inner, states, 0, list, 1, is_max, err);
}

static fl_status finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err)
{
    (void)err;
    uint8_t *data = (uint8_t *)(uintptr_t)ret->data;
    int32_t width = fl_type_width(call->ret_type);
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        if (!s->has)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
        else if (call->ret_type.id == FL_BOOL)
            fl_bit_put((uint64_t *)data, i, s->value[0]);
        else
            memcpy(data + (int64_t)i * width, s->value, (size_t)width);
    }
    return FL_OK;
}

static fl_status save_text(fl_agg_call *call, const void *from, fl_spill_bytes *to, fl_err *err)
{
    (void)call;
    fl_view view;
    memcpy(&view, ((const state *)from)->value, 16);
    return view.len > FL_VIEW_INLINE_MAX ? fl_spill_bytes_add(to, view.ptr, view.len, err) : FL_OK;
}

static fl_status load_text(fl_agg_call *call, void *into, const uint8_t *from, fl_err *err)
{
    state *s = into;
    fl_view view;
    memcpy(&view, s->value, 16);
    view.ptr = view.len > FL_VIEW_INLINE_MAX ? (const char *)from : view.ptr;
    return s->has ? keep_view(s, &view, call->heap, err) : FL_OK;
}

#define SIDE(name, is_max)                                                                                          \
    static fl_status name##_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list, \
                                   int32_t count, fl_err *err)                                                      \
    {                                                                                                               \
        return update_groups(call, states, offset, list, count, is_max, err);                                       \
    }                                                                                                               \
    static fl_status name##_all(fl_agg_call *call, void *s, const uint64_t *mask, int32_t rows, fl_err *err)        \
    {                                                                                                               \
        return update_all(call, s, mask, rows, is_max, err);                                                        \
    }                                                                                                               \
    static fl_status name##_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)                   \
    {                                                                                                               \
        return combine(call, into, from, is_max, err);                                                              \
    }                                                                                                               \
    static const fl_agg_kernel name##_kernel = {.state_bytes = (int32_t)sizeof(state),                              \
                                                .state_kind = FL_STATE_PLAIN,                                       \
                                                .update_groups = name##_groups,                                     \
                                                .update_all = name##_all,                                           \
                                                .combine = name##_combine,                                          \
                                                .finish = finish};                                                  \
    static const fl_agg_kernel name##_text_kernel = {.state_bytes = (int32_t)sizeof(state),                         \
                                                     .state_kind = FL_STATE_SAVED,                                  \
                                                     .update_groups = name##_groups,                                \
                                                     .update_all = name##_all,                                      \
                                                     .combine = name##_combine,                                     \
                                                     .finish = finish,                                              \
                                                     .save = save_text,                                             \
                                                     .load = load_text};                                            \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)           \
    {                                                                                                               \
        if (n_args == 2)                                                                                            \
            return fl_top_n_resolve(args, n_args, is_max, ret, err);                                                \
        if (n_args != 1 || fl_type_is_nested(args[0]))                                                              \
            return FL_FAIL(err, FL_ERR_FUNCTION, "one argument that has an order was expected");                    \
        fl_type type = args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[0];                                          \
        *ret = (fl_agg_choice){.args = {type},                                                                      \
                               .n_args = 1,                                                                         \
                               .ret = type,                                                                         \
                               .never_fails = true,                                                                 \
                               .kernel = fl_type_is_string(type) ? &name##_text_kernel : &name##_kernel};           \
        return FL_OK;                                                                                               \
    }
SIDE(min, false)
SIDE(max, true)

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "min", .ignores_distinct = true, .ignores_order = true, .skips_nulls = true,
     .answer = FL_ANSWER_MIN, .merge = "min", .takes_any_type = true, .resolve = resolve_min,
     .doc = "min(x): the least value; min(x, n): the n least ones as a list"},
    {FL_DESC(fl_agg_desc), .name = "max", .ignores_distinct = true, .ignores_order = true, .skips_nulls = true,
     .answer = FL_ANSWER_MAX, .merge = "max", .takes_any_type = true, .resolve = resolve_max,
     .doc = "max(x): the greatest value; max(x, n): the n greatest ones as a list"},
};

FL_AGG_SET(min_max, aggs);
