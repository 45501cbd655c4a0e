/* skewness, kurtosis, kurtosis_pop, over doubles.
 *
 * One pass over central moments, by the update of Pébay ("Formulas for robust, one-pass parallel computation of covariances
 * and arbitrary-order statistical moments", 2008): powers of the values themselves would eat the digits. Moments of finite
 * values that are not finite are an error. */
#include "exec/agg.h"

#include "base/bitmap.h"
#include "func/aggregate/scaled.h"

typedef struct state {
    double n, mean;
    double m2, m3, m4; /* sums of powers of the deviations from the mean */
    bool is_special;   /* an infinity or NaN was among the values */
} state;

/* A single value is the moments (1, x, 0, 0, 0). */
static void add(state *a, const state *b)
{
    double n = a->n + b->n, d = b->mean - a->mean, d_n = d / n, product = a->n * b->n;
    state sum = {.n = n, .mean = a->mean + d_n * b->n, .is_special = a->is_special || b->is_special};
    sum.m2 = a->m2 + b->m2 + d * d_n * product;
    sum.m3 = a->m3 + b->m3 + d * d_n * d_n * product * (a->n - b->n) + 3 * d_n * (a->n * b->m2 - b->n * a->m2);
    sum.m4 = a->m4 + b->m4 + d * d_n * d_n * d_n * product * (a->n * a->n - product + b->n * b->n) +
             6 * d_n * d_n * (a->n * a->n * b->m2 + b->n * b->n * a->m2) + 4 * d_n * (a->n * b->m3 - b->n * a->m3);
    *a = sum;
}

static fl_status update_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    (void)err;
    const double *x = call->args[0].data;
    for (int32_t i = 0; i < count; i++) {
        state one = {.n = 1, .mean = x[list[i]], .is_special = !isfinite(x[list[i]])};
        if (fl_is_valid(call->args[0].valid, list[i]))
            add((state *)(states[i] + offset), &one);
    }
    return FL_OK;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    if (((const state *)from)->n > 0)
        add(into, from);
    return FL_OK;
}

static fl_status finish(uint8_t *const *states, int32_t offset, int32_t count, double rows_min,
                        double (*formula)(const state *), fl_vec *ret, fl_err *err)
{
    for (int32_t i = 0; i < count; i++) {
        const state *s = (const state *)(states[i] + offset);
        bool none = s->n < rows_min || s->m2 == 0; /* equal values have no shape */
        double answer = none ? 0 : s->is_special ? NAN : formula(s);
        if (!s->is_special && !(isfinite(s->m2) && isfinite(answer)))
            return FL_FAIL(err, FL_ERR_RANGE, "a moment of finite numbers is out of range for type double");
        ((double *)(uintptr_t)ret->data)[i] = answer;
        if (none)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
    }
    return FL_OK;
}

static double skewness(const state *s)
{
    double root = sqrt(s->m2);
    return sqrt(s->n * (s->n - 1)) / (s->n - 2) * sqrt(s->n) * fl_quotient(s->m3, 1, s->m2, root);
}

static double kurtosis_pop(const state *s)
{
    return fl_quotient(s->n, s->m4, s->m2, s->m2) - 3;
}

static double kurtosis(const state *s)
{
    return (s->n - 1) / ((s->n - 2) * (s->n - 3)) * ((s->n + 1) * (kurtosis_pop(s) + 3) - 3 * (s->n - 1));
}

#define MOMENT(name, rows_min)                                                                                         \
    static fl_status name##_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count,           \
                                   fl_vec *ret, fl_err *err)                                                           \
    {                                                                                                                  \
        (void)call;                                                                                                    \
        return finish(states, offset, count, rows_min, name, ret, err);                                                \
    }                                                                                                                  \
    static const fl_agg_kernel name##_kernel = {.state_bytes = (int32_t)sizeof(state),                                 \
                                                .state_kind = FL_STATE_PLAIN,                                          \
                                                .update_groups = update_groups,                                        \
                                                .combine = combine,                                                    \
                                                .finish = name##_finish};                                              \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)              \
    {                                                                                                                  \
        if (n_args != 1 || (!fl_type_is_numeric(args[0]) && args[0].id != FL_NULL))                                    \
            return FL_FAIL(err, FL_ERR_FUNCTION, "a number was expected");                                             \
        *ret =                                                                                                         \
            (fl_agg_choice){.args = {FL_TYPE(FL_F64)}, .n_args = 1, .ret = FL_TYPE(FL_F64), .kernel = &name##_kernel}; \
        return FL_OK;                                                                                                  \
    }
MOMENT(skewness, 3)
MOMENT(kurtosis, 4)
MOMENT(kurtosis_pop, 2)

#define AGG(text, help) \
    {FL_DESC(fl_agg_desc), .name = #text, .ignores_order = true, .resolve = resolve_##text, .doc = help}

static const fl_agg_desc aggs[] = {
    AGG(skewness, "skewness(x): skewness of a sample; null of fewer than three"),
    AGG(kurtosis, "kurtosis(x): excess kurtosis of a sample; null of fewer than four"),
    AGG(kurtosis_pop, "kurtosis_pop(x): excess kurtosis of all values; null of fewer than two"),
};

FL_AGG_SET(moments, aggs);
