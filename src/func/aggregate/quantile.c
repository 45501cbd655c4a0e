/* median, mad, quantile_cont (percentile_cont), quantile_disc (percentile_disc), mode.
 *
 * quantile_cont lies between two values, as a double; it finds them by selection, in time that grows with the rows. NaN is
 * greatest. The others answer with one of the values, of any type, and are fed in order (fl_agg_desc.is_sorted). The
 * fraction is one, or a list of them, which gives a list. A negative one counts from the greatest value. */
#include "func/aggregate/value.h"

#include "base/bitmap.h"

#include <math.h>
#include <stdlib.h>

/* ---- fractions ----------------------------------------------------------------------------------------------------- */

/* What stands beside the first value that counts; it reads no column, so it is the same for all rows. */
typedef struct fractions {
    fl_value value; /* a double, or a list of doubles */
} fractions;

static fl_status check_fraction(const fl_value *value, fl_err *err)
{
    if (!value->is_null && !(fabs(value->f) <= 1))
        return FL_FAIL(err, FL_ERR_RANGE, "a quantile's fraction is between 0 and 1, not %g", value->f);
    return FL_OK;
}

static fl_status read_fractions(fl_agg_call *call, int32_t row, fractions **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value here;
    if (call->n_args < 2 || *ret != NULL)
        return FL_OK;
    FL_TRY(FL_NEW(call->heap, ret, err));
    FL_TRY(fl_value_from_vec(call->heap, &call->args[1], row, &here, err));
    FL_TRY(fl_value_copy(call->heap, &here, &(*ret)->value, err));
    if (here.is_null || here.type.id != FL_LIST)
        return check_fraction(&here, err);
    for (int64_t i = 0; i < here.list.n; i++)
        FL_TRY(check_fraction(&here.list.items[i], err));
cleanup:
    return st;
}

/* ---- quantile_cont ------------------------------------------------------------------------------------------------- */

typedef struct cont_state {
    double *values; /* in the call's heap */
    int64_t n, capacity;
    fractions *at;      /* NULL: not read yet, or median */
    int64_t is_ordered; /* the values are, for frames that slide */
} cont_state;

static fl_status cont_reserve(cont_state *s, int64_t more, fl_arena *heap, fl_err *err)
{
    double *grown;
    if (s->n + more <= s->capacity)
        return FL_OK;
    int64_t capacity = (s->n + more) * 2 + 8;
    fl_status st = fl_arena_get(heap, capacity * 8, (void **)&grown, err);
    if (st != FL_OK)
        return st;
    if (s->n > 0)
        memcpy(grown, s->values, (size_t)s->n * 8);
    s->values = grown;
    s->capacity = capacity;
    return FL_OK;
}

static fl_status cont_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                             int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    const double *x = call->args[0].data;
    for (int32_t i = 0; i < count; i++) {
        cont_state *s = (cont_state *)(states[i] + offset);
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        FL_TRY(cont_reserve(s, 1, call->heap, err));
        FL_TRY(read_fractions(call, list[i], &s->at, err));
        s->values[s->n++] = x[list[i]];
    }
cleanup:
    return st;
}

static fl_status cont_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    cont_state *a = into;
    const cont_state *b = from;
    fl_status st = cont_reserve(a, b->n, call->heap, err);
    if (st != FL_OK || b->n == 0)
        return st;
    memcpy(a->values + a->n, b->values, (size_t)b->n * 8);
    a->n += b->n;
    a->at = a->at != NULL ? a->at : b->at;
    return FL_OK;
}

/* The values, and the fractions behind them, of the type that the answer has. */
static fl_status cont_save(fl_agg_call *call, const void *state, fl_spill_bytes *to, fl_err *err)
{
    (void)call;
    const cont_state *s = state;
    fl_status st = fl_spill_bytes_add(to, s->values, s->n * 8, err);
    return st == FL_OK && s->at != NULL ? fl_spill_value_save(to, &s->at->value, err) : st;
}

static fl_status cont_load(fl_agg_call *call, void *state, const uint8_t *from, fl_err *err)
{
    fl_status st = FL_OK;
    cont_state *s = state;
    bool has_fractions = s->at != NULL;
    s->values = NULL;
    s->at = NULL;
    s->capacity = s->n;
    if (s->n > 0) {
        FL_TRY(fl_arena_get(call->heap, s->n * 8, (void **)&s->values, err));
        memcpy(s->values, from, (size_t)s->n * 8);
        from += s->n * 8;
    }
    if (has_fractions) {
        FL_TRY(FL_NEW(call->heap, &s->at, err));
        FL_TRY(fl_spill_value_load(&from, call->ret_type, call->heap, &s->at->value, err));
    }
cleanup:
    return st;
}

static inline bool is_less(double a, double b)
{
    return (a < b) | (isnan(b) & !isnan(a)); /* without a branch */
}

/* Moves the values of v[low .. high) that are less than the pivot, or as large where `with_equal`, to the front; returns where the others
 * begin. No branch depends on the values: which way it went could not be foretold. */
static int64_t put_first(double *v, int64_t low, int64_t high, double pivot, bool with_equal)
{
    int64_t end = low;
    for (int64_t i = low; i < high; i++) {
        double x = v[i];
        v[i] = v[end];
        v[end] = x;
        end += with_equal ? !is_less(pivot, x) : is_less(x, pivot);
    }
    return end;
}

/* Orders all values that differ: -0 comes before 0. */
static inline bool comes_before(double a, double b)
{
    return is_less(a, b) || (a == b && signbit(a) && !signbit(b));
}

static int compare_values(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return comes_before(y, x) - comes_before(x, y);
}

/* How many of the ordered values come before x. */
static int64_t find_place(const double *v, int64_t n, double x)
{
    int64_t low = 0;
    while (n > 0) {
        int64_t half = n / 2;
        bool is = comes_before(v[low + half], x);
        low = is ? low + half + 1 : low;
        n = is ? n - half - 1 : half;
    }
    return low;
}

static fl_status cont_slide(fl_agg_call *call, void *state, const uint16_t *list, int32_t count, bool adds, fl_err *err)
{
    fl_status st = FL_OK;
    cont_state *s = state;
    const double *x = call->args[0].data;
    if (!s->is_ordered && s->n > 1)
        qsort(s->values, (size_t)s->n, sizeof(*s->values), compare_values);
    s->is_ordered = true;
    for (int32_t i = 0; i < count; i++) {
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        if (adds)
            FL_TRY(cont_reserve(s, 1, call->heap, err));
        if (adds)
            FL_TRY(read_fractions(call, list[i], &s->at, err));
        int64_t at = find_place(s->values, s->n, x[list[i]]);
        FL_ASSERT(adds || at < s->n); /* it was put in */
        size_t behind = (size_t)(s->n - at) * sizeof(*s->values);
        if (adds) {
            memmove(s->values + at + 1, s->values + at, behind);
            s->values[at] = x[list[i]];
            s->n++;
        } else {
            memmove(s->values + at, s->values + at + 1, behind - sizeof(*s->values));
            s->n--;
        }
    }
cleanup:
    return st;
}

/* Moves the value of rank k to its place (Hoare 1961, "Find"): no larger one is in front of it, no smaller one behind. The pivot is the
 * median of three, so that sorted input is no bad case; what is the same as it is put aside, so that many of one value are none, either. */
static double select_rank(double *v, int64_t n, int64_t k)
{
    int64_t low = 0, high = n;
    FL_ASSERT(k >= 0 && k < n);
    while (high - low > 1) {
        double a = v[low], b = v[low + (high - low) / 2], c = v[high - 1];
        double pivot = is_less(a, b) ? (is_less(b, c)   ? b
                                        : is_less(a, c) ? c
                                                        : a)
                                     : (is_less(a, c)   ? a
                                        : is_less(b, c) ? c
                                                        : b);
        int64_t middle = put_first(v, low, high, pivot, false);
        if (k < middle) {
            high = middle;
            continue;
        }
        low = put_first(v, middle, high, pivot, true);
        if (k < low)
            break;
    }
    return v[k];
}

/* The value beside the one of rank k, which was put in its place. */
static double neighbour(const double *v, int64_t n, int64_t k, bool is_below)
{
    int64_t start = is_below ? 0 : k + 1, end = is_below ? k : n;
    FL_ASSERT(start < end);
    double ret = v[start];
    for (int64_t i = start + 1; i < end; i++)
        ret = is_less(v[i], ret) != is_below ? v[i] : ret;
    return ret;
}

/* The value at a fraction of the way from the first to the last, between two values in proportion. */
static double interpolate(const cont_state *s, double fraction)
{
    double at = fabs(fraction) * (double)(s->n - 1);
    int64_t low = (int64_t)floor(at);
    double part = at - (double)low;
    bool is_descending = signbit(fraction);
    int64_t rank = is_descending ? s->n - 1 - low : low;
    double value = s->is_ordered ? s->values[rank] : select_rank(s->values, s->n, rank);
    if (part == 0)
        return value;
    double next = s->is_ordered ? s->values[is_descending ? rank - 1 : rank + 1]
                                : neighbour(s->values, s->n, rank, is_descending);
    double step = next - value;
    if (isinf(step) && isfinite(value) && isfinite(next)) /* farther apart than a double holds */
        return value * (1 - part) + next * part;
    return value + part * step;
}

static fl_status cont_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                             fl_err *err)
{
    (void)call;
    (void)err;
    double *out = (double *)(uintptr_t)ret->data;
    for (int32_t i = 0; i < count; i++) {
        const cont_state *s = (const cont_state *)(states[i] + offset);
        out[i] = 0;
        if (s->n == 0 || (s->at != NULL && s->at->value.is_null))
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
        else
            out[i] = interpolate(s, s->at != NULL ? s->at->value.f : 0.5);
    }
    return FL_OK;
}

static fl_status cont_list_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *lists = NULL;
    const fl_value **values = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &lists, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &values, err));
    for (int32_t i = 0; i < count; i++) {
        const cont_state *s = (const cont_state *)(states[i] + offset);
        if (s->n == 0 || s->at->value.is_null)
            continue;
        fl_value *items = NULL;
        const fl_value *at = &s->at->value;
        FL_TRY(FL_NEW_ARRAY(call->heap, at->list.n + 1, &items, err));
        for (int64_t f = 0; f < at->list.n; f++) {
            items[f] = (fl_value){.type = FL_TYPE(FL_F64), .is_null = at->list.items[f].is_null};
            if (!items[f].is_null)
                items[f].f = interpolate(s, at->list.items[f].f);
        }
        lists[i] = (fl_value){.type = call->ret_type, .list = {items, at->list.n}};
        values[i] = &lists[i];
    }
    st = fl_kept_finish(call, values, count, ret, err);
cleanup:
    return st;
}

static const fl_agg_kernel cont_kernel = {.state_bytes = (int32_t)sizeof(cont_state),
                                          .state_kind = FL_STATE_SAVED,
                                          .update_groups = cont_groups,
                                          .combine = cont_combine,
                                          .slide = cont_slide,
                                          .finish = cont_finish,
                                          .save = cont_save,
                                          .load = cont_load};
static const fl_agg_kernel cont_list_kernel = {.state_bytes = (int32_t)sizeof(cont_state),
                                               .state_kind = FL_STATE_SAVED,
                                               .update_groups = cont_groups,
                                               .combine = cont_combine,
                                               .slide = cont_slide,
                                               .finish = cont_list_finish,
                                               .save = cont_save,
                                               .load = cont_load};

/* The median of the distances from the median. */
static fl_status mad_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    double *out = (double *)(uintptr_t)ret->data;
    for (int32_t i = 0; i < count; i++) {
        const cont_state *s = (const cont_state *)(states[i] + offset);
        cont_state distances = {.n = s->n};
        out[i] = 0;
        if (s->n == 0) {
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
            continue;
        }
        double median = interpolate(s, 0.5);
        FL_TRY(FL_NEW_ARRAY(call->heap, s->n, &distances.values, err));
        for (int64_t k = 0; k < s->n; k++)
            distances.values[k] = fabs(s->values[k] - median);
        out[i] = interpolate(&distances, 0.5);
    }
cleanup:
    return st;
}

static const fl_agg_kernel mad_kernel = {.state_bytes = (int32_t)sizeof(cont_state),
                                         .state_kind = FL_STATE_SAVED,
                                         .update_groups = cont_groups,
                                         .combine = cont_combine,
                                         .slide = cont_slide,
                                         .finish = mad_finish,
                                         .save = cont_save,
                                         .load = cont_load};

static fl_status resolve_mad(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1 || (!fl_type_is_numeric(args[0]) && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a number was expected");
    *ret = (fl_agg_choice){.args = {FL_TYPE(FL_F64)}, .n_args = 1, .ret = FL_TYPE(FL_F64), .kernel = &mad_kernel};
    return FL_OK;
}

static fl_status resolve_median(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1 || (!fl_type_is_numeric(args[0]) && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a number was expected");
    *ret = (fl_agg_choice){.args = {FL_TYPE(FL_F64)}, .n_args = 1, .ret = FL_TYPE(FL_F64), .kernel = &cont_kernel};
    return FL_OK;
}

/* The type of the fraction: a double, or a list of doubles. */
static fl_status fraction_type(const fl_type *args, int32_t n_args, fl_arena *arena, fl_type *ret, fl_err *err)
{
    bool is_list = n_args == 2 && args[1].id == FL_LIST;
    fl_type given = n_args != 2 ? FL_TYPE(FL_NULL) : is_list ? args[1].fields[0].type : args[1];
    if (n_args != 2 || (!fl_type_is_numeric(given) && given.id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a value and a fraction were expected");
    *ret = FL_TYPE(FL_F64);
    return is_list ? fl_type_list_of(arena, FL_TYPE(FL_F64), ret, err) : FL_OK;
}

static fl_status resolve_cont(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    fl_type fraction;
    fl_status st = fraction_type(args, n_args, ret->arena, &fraction, err);
    if (st != FL_OK)
        return st;
    if (!fl_type_is_numeric(args[0]) && args[0].id != FL_NULL)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a number was expected");
    *ret = (fl_agg_choice){.args = {FL_TYPE(FL_F64), fraction},
                           .n_args = 2,
                           .ret = fraction,
                           .kernel = fraction.id == FL_LIST ? &cont_list_kernel : &cont_kernel};
    return FL_OK;
}

/* ---- quantile_disc ------------------------------------------------------------------------------------------------- */

typedef struct disc_state {
    fl_value *items; /* in the call's heap, in order */
    int64_t n, capacity;
    fractions *at;
} disc_state;

static fl_status disc_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                             int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        disc_state *s = (disc_state *)(states[i] + offset);
        fl_value here;
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        if (s->n == s->capacity) {
            fl_value *grown;
            int64_t capacity = s->n * 2 + 4;
            FL_TRY(FL_NEW_ARRAY(call->heap, capacity, &grown, err));
            if (s->n > 0)
                memcpy(grown, s->items, (size_t)s->n * sizeof(*grown));
            s->items = grown;
            s->capacity = capacity;
        }
        FL_TRY(read_fractions(call, list[i], &s->at, err));
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], list[i], &here, err));
        FL_TRY(fl_value_copy(call->heap, &here, &s->items[s->n], err));
        s->n++;
    }
cleanup:
    return st;
}

/* The first value of which at least the fraction of all lies at or before it. */
static const fl_value *value_at(const disc_state *s, const fl_value *fraction)
{
    if (fraction->is_null)
        return NULL;
    int64_t nth = (int64_t)ceil(fabs(fraction->f) * (double)s->n);
    nth = nth < 1 ? 1 : nth;
    return &s->items[signbit(fraction->f) ? s->n - nth : nth - 1];
}

static fl_status disc_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *lists = NULL;
    const fl_value **values = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &lists, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &values, err));
    for (int32_t i = 0; i < count; i++) {
        const disc_state *s = (const disc_state *)(states[i] + offset);
        if (s->n == 0 || s->at->value.is_null)
            continue;
        const fl_value *at = &s->at->value;
        if (at->type.id != FL_LIST) {
            values[i] = value_at(s, at);
            continue;
        }
        fl_value *items = NULL;
        FL_TRY(FL_NEW_ARRAY(call->heap, at->list.n + 1, &items, err));
        for (int64_t f = 0; f < at->list.n; f++) {
            const fl_value *item = value_at(s, &at->list.items[f]);
            items[f] = item != NULL ? *item : (fl_value){.type = call->arg_types[0], .is_null = true};
        }
        lists[i] = (fl_value){.type = call->ret_type, .list = {items, at->list.n}};
        values[i] = &lists[i];
    }
    st = fl_kept_finish(call, values, count, ret, err);
cleanup:
    return st;
}

/* What is fed in order comes to one state alone. */
static fl_status no_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)into;
    (void)from;
    return FL_FAIL(err, FL_ERR_INTERNAL, "an ordered aggregate was fed in parts");
}

static const fl_agg_kernel disc_kernel = {.state_bytes = (int32_t)sizeof(disc_state),
                                          .state_kind = FL_STATE_LATE,
                                          .update_groups = disc_groups,
                                          .combine = no_combine,
                                          .finish = disc_finish};

static fl_status resolve_disc(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_type fraction;
    fl_status st = fraction_type(args, n_args, arena, &fraction, err);
    if (st != FL_OK)
        return st;
    fl_type type = args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[0];
    *ret = (fl_agg_choice){.args = {type, fraction}, .n_args = 2, .ret = type, .kernel = &disc_kernel};
    return fraction.id == FL_LIST ? fl_type_list_of(arena, type, &ret->ret, err) : FL_OK;
}

/* ---- mode ---------------------------------------------------------------------------------------------------------- */

typedef struct mode_state {
    fl_kept *best, *run; /* the value met most often so far, and the one under way */
    int64_t best_n, run_n;
} mode_state;

static void end_run(mode_state *s)
{
    if (s->run_n <= s->best_n)
        return;
    fl_kept *spare = s->best;
    s->best = s->run;
    s->best_n = s->run_n;
    s->run = spare;
    s->run_n = 0;
}

static fl_status mode_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                             int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        mode_state *s = (mode_state *)(states[i] + offset);
        fl_value here;
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], list[i], &here, err));
        if (s->run_n == 0 || fl_value_compare(&s->run->value, &here) != 0) {
            end_run(s);
            FL_TRY(fl_kept_set(call, &s->run, &here, err));
            s->run_n = 0;
        }
        s->run_n++;
    }
cleanup:
    return st;
}

static fl_status mode_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    const fl_value **values = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &values, err));
    for (int32_t i = 0; i < count; i++) {
        mode_state *s = (mode_state *)(states[i] + offset);
        end_run(s);
        values[i] = s->best != NULL ? &s->best->value : NULL;
    }
    st = fl_kept_finish(call, values, count, ret, err);
cleanup:
    return st;
}

static const fl_agg_kernel mode_kernel = {.state_bytes = (int32_t)sizeof(mode_state),
                                          .state_kind = FL_STATE_LATE,
                                          .update_groups = mode_groups,
                                          .combine = no_combine,
                                          .finish = mode_finish};

static fl_status resolve_mode(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one argument was expected");
    fl_type type = args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[0];
    *ret = (fl_agg_choice){.args = {type}, .n_args = 1, .ret = type, .kernel = &mode_kernel};
    return FL_OK;
}

#define CONT(text, within, help)                                                                               \
    {FL_DESC(fl_agg_desc),    .name = text, .ignores_order = true, .n_row_args = 1, .is_within_group = within, \
     .resolve = resolve_cont, .doc = help}
#define DISC(text, within, help)                                                                  \
    {FL_DESC(fl_agg_desc),      .name = text,           .is_sorted = true,       .n_row_args = 1, \
     .is_within_group = within, .takes_any_type = true, .resolve = resolve_disc, .doc = help}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "median", .ignores_order = true, .resolve = resolve_median,
     .doc = "median(x): the middle value, or the mean of the two in the middle"},
    {FL_DESC(fl_agg_desc), .name = "mad", .ignores_order = true, .resolve = resolve_mad,
     .doc = "mad(x): the median of the distances from the median"},
    CONT("quantile_cont", false, "quantile_cont(x, f): the value at a fraction of the way, between two in proportion"),
    CONT("percentile_cont", true, "percentile_cont(f) WITHIN GROUP (ORDER BY x): as quantile_cont(x, f)"),
    DISC("quantile_disc", false, "quantile_disc(x, f): the first value at or behind a fraction of all"),
    DISC("quantile", false, "quantile(x, f): as quantile_disc"),
    DISC("percentile_disc", true, "percentile_disc(f) WITHIN GROUP (ORDER BY x): as quantile_disc(x, f)"),
    {FL_DESC(fl_agg_desc), .name = "mode", .is_sorted = true, .takes_any_type = true, .resolve = resolve_mode,
     .doc = "mode(x), mode() WITHIN GROUP (ORDER BY x): the value met most often, the first in order of several"},
};

FL_AGG_SET(quantile, aggs);
