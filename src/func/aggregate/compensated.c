/* Sums of doubles that carry along what rounding loses (Neumaier 1974): fsum, favg; and what is made of such sums: wavg, geomean; and
 * product. Where finite values make a result that is none, it is an error. */
#include "exec/agg.h"

#include "base/bitmap.h"

#include <math.h>

typedef struct state {
    double sum, lost;
    double weights, weights_lost; /* of wavg */
    double n;
    bool is_special; /* an infinity or NaN was among the values */
} state;

static void add(double *sum, double *lost, double x)
{
    double next = *sum + x;
    if (isfinite(next))
        *lost += fabs(*sum) >= fabs(x) ? *sum - next + x : x - next + *sum;
    *sum = next;
}

static fl_status sum_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                            int32_t count, fl_err *err)
{
    (void)err;
    const double *x = call->args[0].data;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        add(&s->sum, &s->lost, x[list[i]]);
        s->is_special |= !isfinite(x[list[i]]);
        s->n += 1;
    }
    return FL_OK;
}

/* Pairs with a null do not count. */
static fl_status weighted_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                                 int32_t count, fl_err *err)
{
    (void)err;
    const double *x = call->args[0].data, *w = call->args[1].data;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        int32_t row = list[i];
        if (!fl_is_valid(call->args[0].valid, row) || !fl_is_valid(call->args[1].valid, row))
            continue;
        add(&s->sum, &s->lost, x[row] * w[row]);
        add(&s->weights, &s->weights_lost, w[row]);
        s->is_special |= !isfinite(x[row]) || !isfinite(w[row]);
        s->n += 1;
    }
    return FL_OK;
}

/* The sum is of logarithms; that of zero takes the mean to zero. */
static fl_status log_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                            int32_t count, fl_err *err)
{
    const double *x = call->args[0].data;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        if (x[list[i]] < 0)
            return fl_err_state(err, "2201E",
                                FL_FAIL(err, FL_ERR_VALUE, "there is no geometric mean of a negative number"));
        add(&s->sum, &s->lost, log(x[list[i]]));
        s->is_special |= x[list[i]] == 0 || !isfinite(x[list[i]]);
        s->n += 1;
    }
    return FL_OK;
}

static fl_status product_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                                int32_t count, fl_err *err)
{
    (void)err;
    const double *x = call->args[0].data;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        s->sum = s->n == 0 ? x[list[i]] : s->sum * x[list[i]];
        s->is_special |= !isfinite(x[list[i]]);
        s->n += 1;
    }
    return FL_OK;
}

static fl_status sum_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    state *a = into;
    const state *b = from;
    add(&a->sum, &a->lost, b->sum);
    add(&a->weights, &a->weights_lost, b->weights);
    a->lost += b->lost;
    a->weights_lost += b->weights_lost;
    a->n += b->n;
    a->is_special |= b->is_special;
    return FL_OK;
}

static fl_status product_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    state *a = into;
    const state *b = from;
    if (b->n == 0)
        return FL_OK;
    a->sum = a->n == 0 ? b->sum : a->sum * b->sum;
    a->n += b->n;
    a->is_special |= b->is_special;
    return FL_OK;
}

static double total(double sum, double lost)
{
    return isfinite(sum) ? sum + lost : sum;
}

#define ANSWER(of, is_null, formula)                                                                       \
    static fl_status of##_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, \
                                 fl_vec *ret, fl_err *err)                                                 \
    {                                                                                                      \
        for (int32_t i = 0; i < count; i++) {                                                              \
            const state *s = (const state *)(states[i] + offset);                                          \
            bool none = s->n == 0 || (is_null);                                                            \
            double answer = none ? 0 : (formula);                                                          \
            if (!isfinite(answer) && !s->is_special)                                                       \
                return FL_FAIL(err, FL_ERR_RANGE, "%s of finite numbers is out of range for type double",  \
                               call->agg->name);                                                           \
            ((double *)(uintptr_t)ret->data)[i] = answer;                                                  \
            if (none)                                                                                      \
                fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);                                        \
        }                                                                                                  \
        return FL_OK;                                                                                      \
    }
ANSWER(fsum, false, total(s->sum, s->lost))
ANSWER(favg, false, total(s->sum, s->lost) / s->n)
ANSWER(wavg, total(s->weights, s->weights_lost) == 0, total(s->sum, s->lost) / total(s->weights, s->weights_lost))
ANSWER(geomean, false, exp(total(s->sum, s->lost) / s->n))
ANSWER(product, false, s->sum)

#define RESOLVE(name, wanted, groups, combine_)                                                                       \
    static const fl_agg_kernel name##_kernel = {.state_bytes = (int32_t)sizeof(state),                                \
                                                .state_kind = FL_STATE_PLAIN,                                         \
                                                .update_groups = groups,                                              \
                                                .combine = combine_,                                                  \
                                                .finish = name##_finish};                                             \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)             \
    {                                                                                                                 \
        bool fits = n_args == (wanted);                                                                               \
        for (int32_t i = 0; i < n_args; i++)                                                                          \
            fits &= fl_type_is_numeric(args[i]) || args[i].id == FL_NULL;                                             \
        if (!fits)                                                                                                    \
            return FL_FAIL(err, FL_ERR_FUNCTION, "%s expected", (wanted) == 1 ? "a number was" : "two numbers were"); \
        *ret = (fl_agg_choice){.args = {FL_TYPE(FL_F64), FL_TYPE(FL_F64)},                                            \
                               .n_args = (wanted),                                                                    \
                               .ret = FL_TYPE(FL_F64),                                                                \
                               .kernel = &name##_kernel};                                                             \
        return FL_OK;                                                                                                 \
    }
RESOLVE(fsum, 1, sum_groups, sum_combine)
RESOLVE(favg, 1, sum_groups, sum_combine)
RESOLVE(wavg, 2, weighted_groups, sum_combine)
RESOLVE(geomean, 1, log_groups, sum_combine)
RESOLVE(product, 1, product_groups, product_combine)

#define AGG(text, help) \
    {FL_DESC(fl_agg_desc), .name = #text, .ignores_order = true, .resolve = resolve_##text, .doc = help}

static const fl_agg_desc aggs[] = {
    AGG(fsum, "fsum(x): the sum, with what rounding would lose"),
    AGG(favg, "favg(x): the mean of such a sum"),
    AGG(wavg, "wavg(x, weight): the mean of x weighted; null where the weights are nothing"),
    AGG(geomean, "geomean(x): the geometric mean"),
    AGG(product, "product(x): all values multiplied"),
};

FL_AGG_SET(compensated, aggs);
