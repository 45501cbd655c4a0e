/* How often values are met: entropy(x), in bits, histogram(x), a map, and approx_top_k(x, k), the k most frequent values, which is exact here. Values come in
 * order, so that equal ones follow each other. */
#include "func/aggregate/value.h"

#include <math.h>

/* ---- runs of equal values ------------------------------------------------------------------------------------------ */

typedef struct run {
    fl_kept *value; /* NULL: none yet */
    int64_t n;
} run;

/* Counts the value in the run, or begins another with it, which the caller keeps (n is 1); gives how long the one before was. */
static int64_t go_on(run *r, const fl_value *value)
{
    int64_t ended = r->n;
    if (r->n > 0 && fl_value_compare(&r->value->value, value) == 0) {
        r->n++;
        return 0;
    }
    r->n = 1;
    return ended;
}

/* ---- entropy ------------------------------------------------------------------------------------------------------- */

typedef struct entropy_state {
    run run;
    double n, sum; /* of c log c over the runs that ended */
} entropy_state;

static double weight_of(int64_t n)
{
    return n > 0 ? (double)n * log2((double)n) : 0;
}

static fl_status entropy_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                                int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        entropy_state *s = (entropy_state *)(states[i] + offset);
        fl_value here;
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], list[i], &here, err));
        int64_t ended = go_on(&s->run, &here);
        if (s->run.n == 1)
            FL_TRY(fl_kept_set(call, &s->run.value, &here, err));
        s->sum += weight_of(ended);
        s->n += 1;
    }
cleanup:
    return st;
}

static fl_status entropy_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                                fl_err *err)
{
    (void)call;
    (void)err;
    for (int32_t i = 0; i < count; i++) {
        const entropy_state *s = (const entropy_state *)(states[i] + offset);
        double answer = s->n > 0 ? log2(s->n) - (s->sum + weight_of(s->run.n)) / s->n : 0;
        ((double *)(uintptr_t)ret->data)[i] = answer > 0 ? answer : 0;
    }
    return FL_OK;
}

/* What is fed in order comes to one state alone. */
static fl_status no_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)into;
    (void)from;
    return FL_FAIL(err, FL_ERR_INTERNAL, "an ordered aggregate was fed in parts");
}

static const fl_agg_kernel entropy_kernel = {.state_bytes = (int32_t)sizeof(entropy_state),
                                             .state_kind = FL_STATE_LATE,
                                             .update_groups = entropy_groups,
                                             .combine = no_combine,
                                             .finish = entropy_finish};

static fl_status resolve_entropy(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one argument was expected");
    *ret = (fl_agg_choice){.args = {args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[0]},
                           .n_args = 1,
                           .ret = FL_TYPE(FL_F64),
                           .kernel = &entropy_kernel};
    return FL_OK;
}

/* ---- approx_top_k -------------------------------------------------------------------------------------------------- */

#define TOP_MAX 1000000

typedef struct counted {
    fl_value value;
    int64_t n;
} counted;

typedef struct top_state {
    run run;
    counted *best; /* in the call's heap, in descending order; of equally frequent values the first stays in front */
    int64_t k, n_best;
} top_state;

static fl_status end_run(fl_agg_call *call, top_state *s, int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    if (n == 0 || (s->n_best == s->k && s->best[s->k - 1].n >= n))
        return FL_OK;
    int64_t at = s->n_best < s->k ? s->n_best++ : s->k - 1;
    for (; at > 0 && s->best[at - 1].n < n; at--)
        s->best[at] = s->best[at - 1];
    s->best[at].n = n;
    st = fl_value_copy(call->heap, &s->run.value->value, &s->best[at].value, err);
    return st;
}

static fl_status read_k(fl_agg_call *call, top_state *s, int32_t row, fl_err *err)
{
    const fl_vec *k = &call->args[1];
    s->k = fl_is_valid(k->valid, row) ? ((const int64_t *)k->data)[row] : 0;
    if (s->k < 1 || s->k > TOP_MAX)
        return fl_err_state(
            err, "22023",
            FL_FAIL(err, FL_ERR_VALUE, "approx_top_k gives 1 to %d values, not %lld", TOP_MAX, (long long)s->k));
    return FL_NEW_ARRAY(call->heap, s->k, &s->best, err);
}

static fl_status top_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                            int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        top_state *s = (top_state *)(states[i] + offset);
        fl_value here;
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        if (s->best == NULL)
            FL_TRY(read_k(call, s, list[i], err));
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], list[i], &here, err));
        int64_t ended = go_on(&s->run, &here);
        if (s->run.n > 1)
            continue;
        FL_TRY(end_run(call, s, ended, err));
        FL_TRY(fl_kept_set(call, &s->run.value, &here, err));
    }
cleanup:
    return st;
}

static fl_status top_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *lists = NULL;
    const fl_value **values = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &lists, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &values, err));
    for (int32_t i = 0; i < count; i++) {
        top_state *s = (top_state *)(states[i] + offset);
        fl_value *items = NULL;
        if (s->best == NULL)
            continue;
        FL_TRY(end_run(call, s, s->run.n, err));
        s->run.n = 0;
        FL_TRY(FL_NEW_ARRAY(call->heap, s->n_best + 1, &items, err));
        for (int64_t b = 0; b < s->n_best; b++)
            items[b] = s->best[b].value;
        lists[i] = (fl_value){.type = call->ret_type, .list = {items, s->n_best}};
        values[i] = &lists[i];
    }
    st = fl_kept_finish(call, values, count, ret, err);
cleanup:
    return st;
}

static const fl_agg_kernel top_kernel = {.state_bytes = (int32_t)sizeof(top_state),
                                         .state_kind = FL_STATE_LATE,
                                         .update_groups = top_groups,
                                         .combine = no_combine,
                                         .finish = top_finish};

static fl_status resolve_top(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args != 2 || (args[1].id != FL_NULL && !fl_cast_is_implicit(args[1], FL_TYPE(FL_I64), NULL)))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a value and a number of values were expected");
    *ret = (fl_agg_choice){.args = {args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[0], FL_TYPE(FL_I64)},
                           .n_args = 2,
                           .kernel = &top_kernel};
    return fl_type_list_of(arena, ret->args[0], &ret->ret, err);
}

/* ---- histogram ----------------------------------------------------------------------------------------------------- */

/* Values in ascending order, with how often they were met. */
typedef struct histogram_state {
    run run;
    counted *counts; /* in the call's heap */
    int64_t n, capacity;
} histogram_state;

static fl_status note_run(fl_agg_call *call, histogram_state *s, int64_t n, fl_err *err)
{
    fl_status st = FL_OK;
    if (n == 0)
        return FL_OK;
    if (s->n == s->capacity) {
        counted *grown = NULL;
        int64_t capacity = s->n * 2 + 8;
        FL_TRY(FL_NEW_ARRAY(call->heap, capacity, &grown, err));
        if (s->n > 0)
            memcpy(grown, s->counts, (size_t)s->n * sizeof(*grown));
        s->counts = grown;
        s->capacity = capacity;
    }
    s->counts[s->n].n = n;
    st = fl_value_copy(call->heap, &s->run.value->value, &s->counts[s->n].value, err);
    s->n += st == FL_OK;
cleanup:
    return st;
}

static fl_status histogram_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                                  int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < count; i++) {
        histogram_state *s = (histogram_state *)(states[i] + offset);
        fl_value here;
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], list[i], &here, err));
        int64_t ended = go_on(&s->run, &here);
        if (s->run.n > 1)
            continue;
        FL_TRY(note_run(call, s, ended, err));
        FL_TRY(fl_kept_set(call, &s->run.value, &here, err));
    }
cleanup:
    return st;
}

static fl_status histogram_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *maps = NULL;
    const fl_value **values = NULL;
    fl_type entry = call->ret_type.fields[0].type;
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &maps, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, count + 1, &values, err));
    for (int32_t i = 0; i < count; i++) {
        histogram_state *s = (histogram_state *)(states[i] + offset);
        fl_value *entries = NULL, *parts = NULL;
        FL_TRY(note_run(call, s, s->run.n, err));
        s->run.n = 0;
        if (s->n == 0)
            continue;
        FL_TRY(FL_NEW_ARRAY(call->heap, s->n, &entries, err));
        FL_TRY(FL_NEW_ARRAY(call->heap, 2 * s->n, &parts, err));
        for (int64_t k = 0; k < s->n; k++) {
            parts[2 * k] = s->counts[k].value;
            parts[2 * k + 1] = (fl_value){.type = FL_TYPE(FL_U64), .u = (uint64_t)s->counts[k].n};
            entries[k] = (fl_value){.type = entry, .list = {&parts[2 * k], 2}};
        }
        maps[i] = (fl_value){.type = call->ret_type, .list = {entries, s->n}};
        values[i] = &maps[i];
    }
    st = fl_kept_finish(call, values, count, ret, err);
cleanup:
    return st;
}

static const fl_agg_kernel histogram_kernel = {.state_bytes = (int32_t)sizeof(histogram_state),
                                               .state_kind = FL_STATE_LATE,
                                               .update_groups = histogram_groups,
                                               .combine = no_combine,
                                               .finish = histogram_finish};

static fl_status resolve_histogram(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one argument was expected");
    *ret = (fl_agg_choice){
        .args = {args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[0]}, .n_args = 1, .kernel = &histogram_kernel};
    return fl_type_map_of(arena, ret->args[0], FL_TYPE(FL_U64), &ret->ret, err);
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "histogram", .is_sorted = true, .takes_any_type = true, .resolve = resolve_histogram,
     .doc = "histogram(x): a map of each value to how often it is met"},
    {FL_DESC(fl_agg_desc), .name = "entropy", .is_sorted = true, .empty_is_zero = true, .takes_any_type = true,
     .resolve = resolve_entropy, .doc = "entropy(x): how many bits tell which value a row has"},
    {FL_DESC(fl_agg_desc), .name = "approx_top_k", .is_sorted = true, .n_row_args = 1, .takes_any_type = true,
     .resolve = resolve_top, .doc = "approx_top_k(x, k): the k values that are met most often, as a list"},
};

FL_AGG_SET(frequency, aggs);
