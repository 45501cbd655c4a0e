/* Variance, standard deviation, covariance, correlation and regression, over doubles; the first two of integers
 * and narrow decimals over whole numbers (exact_variance.h).
 *
 * One pass by Youngs and Cramer's update ("Some results relevant to choice of sum and sum-of-product algorithms", 1971): a
 * state holds sums and sums of squared deviations, so a large offset does not eat the digits.
 *
 * Where a sum of finite values is not finite, all answers are errors, as PostgreSQL has it. Values that are not finite
 * themselves make those sums of deviations NaN that they are part of. */
#include "exec/agg.h"

#include "base/bitmap.h"
#include "func/aggregate/exact_variance.h"
#include "func/aggregate/scaled.h"

typedef struct state {
    double n;
    double sx, sxx; /* sum, and sum of squared deviations from the mean */
    double sy, syy, sxy;
    bool is_x_special, is_y_special; /* an infinity or NaN was among them */
} state;

static void add_one(state *s, double x)
{
    s->n += 1;
    s->sx += x;
    if (FL_UNLIKELY(!isfinite(x))) {
        s->is_x_special = true;
        s->sxx = NAN;
    } else if (s->n > 1) {
        double d = x * s->n - s->sx;
        s->sxx += d * d / (s->n * (s->n - 1));
    }
}

static fl_status one_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                            int32_t count, fl_err *err)
{
    (void)err;
    const double *x = call->args[0].data;
    for (int32_t i = 0; i < count; i++)
        if (fl_is_valid(call->args[0].valid, list[i]))
            add_one((state *)(states[i] + offset), x[list[i]]);
    return FL_OK;
}

/* Arguments come as (y, x), as in SQL. */
static fl_status two_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                            int32_t count, fl_err *err)
{
    (void)err;
    const double *ys = call->args[0].data, *xs = call->args[1].data;
    for (int32_t i = 0; i < count; i++) {
        state *s = (state *)(states[i] + offset);
        if (!fl_is_valid(call->args[0].valid, list[i]) || !fl_is_valid(call->args[1].valid, list[i]))
            continue;
        double x = xs[list[i]], y = ys[list[i]];
        s->n += 1;
        s->sx += x;
        s->sy += y;
        if (FL_UNLIKELY(!isfinite(x) || !isfinite(y))) {
            s->is_x_special |= !isfinite(x);
            s->is_y_special |= !isfinite(y);
        }
        if (s->n > 1) {
            double dx = x * s->n - s->sx, dy = y * s->n - s->sy, scale = 1 / (s->n * (s->n - 1));
            s->sxx += dx * dx * scale;
            s->syy += dy * dy * scale;
            s->sxy += dx * dy * scale;
        }
        if (s->is_x_special)
            s->sxx = s->sxy = NAN;
        if (s->is_y_special)
            s->syy = s->sxy = NAN;
    }
    return FL_OK;
}

static fl_status combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    state *a = into;
    const state *b = from;
    if (b->n == 0)
        return FL_OK;
    if (a->n == 0) {
        *a = *b;
        return FL_OK;
    }
    double n = a->n + b->n, weight = a->n * b->n / n;
    double dx = a->sx / a->n - b->sx / b->n, dy = a->sy / a->n - b->sy / b->n;
    a->sxx += b->sxx + weight * dx * dx;
    a->syy += b->syy + weight * dy * dy;
    a->sxy += b->sxy + weight * dx * dy;
    a->sx += b->sx;
    a->sy += b->sy;
    a->n = n;
    a->is_x_special |= b->is_x_special;
    a->is_y_special |= b->is_y_special;
    return FL_OK;
}

/* Whether finite values made a sum that is not. */
static bool is_beyond(const state *s)
{
    return (!s->is_x_special && !(isfinite(s->sx) && isfinite(s->sxx))) ||
           (!s->is_y_special && !(isfinite(s->sy) && isfinite(s->syy))) ||
           (!s->is_x_special && !s->is_y_special && !isfinite(s->sxy));
}

/* Each answer: from how many rows on there is one, and its formula; null is said by `is_null`. */
#define ANSWER(name, rows_min, is_null, formula)                                                               \
    static fl_status name##_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count,   \
                                   fl_vec *ret, fl_err *err)                                                   \
    {                                                                                                          \
        (void)call;                                                                                            \
        for (int32_t i = 0; i < count; i++) {                                                                  \
            const state *s = (const state *)(states[i] + offset);                                              \
            bool is_beyond_range = is_beyond(s), none = s->n < (rows_min) || (is_null);                        \
            double answer = none ? 0 : (formula);                                                              \
            if (is_beyond_range || (!isfinite(answer) && !s->is_x_special && !s->is_y_special))                \
                return FL_FAIL(err, FL_ERR_RANGE, #name " of finite numbers is out of range for type double"); \
            ((double *)(uintptr_t)ret->data)[i] = answer;                                                      \
            if (none)                                                                                          \
                fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);                                            \
        }                                                                                                      \
        return FL_OK;                                                                                          \
    }
ANSWER(var_pop, 1, false, s->sxx / s->n)
ANSWER(var_samp, 2, false, s->sxx / (s->n - 1))
ANSWER(stddev_pop, 1, false, sqrt(s->sxx / s->n))
ANSWER(stddev_samp, 2, false, sqrt(s->sxx / (s->n - 1)))
ANSWER(sem, 1, false, sqrt(s->sxx / s->n) / sqrt(s->n))
ANSWER(corr, 1, s->sxx == 0 || s->syy == 0, fl_quotient_of_root(s->sxy, s->sxx, s->syy))
ANSWER(covar_pop, 1, false, s->sxy / s->n)
ANSWER(covar_samp, 2, false, s->sxy / (s->n - 1))
ANSWER(regr_slope, 1, s->sxx == 0, s->sxy / s->sxx)
ANSWER(regr_intercept, 1, s->sxx == 0, (s->sy - fl_quotient(s->sx, s->sxy, s->sxx, 1)) / s->n)
ANSWER(regr_r2, 1, s->sxx == 0, s->syy == 0 ? 1 : fl_quotient(s->sxy, s->sxy, s->sxx, s->syy))
ANSWER(regr_avgx, 1, false, s->sx / s->n)
ANSWER(regr_avgy, 1, false, s->sy / s->n)
ANSWER(regr_sxx, 1, false, s->sxx)
ANSWER(regr_syy, 1, false, s->syy)
ANSWER(regr_sxy, 1, false, s->sxy)

static fl_status regr_count_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count,
                                   fl_vec *ret, fl_err *err)
{
    (void)call;
    (void)err;
    for (int32_t i = 0; i < count; i++)
        ((int64_t *)(uintptr_t)ret->data)[i] = (int64_t)((const state *)(states[i] + offset))->n;
    return FL_OK;
}

static fl_status resolve(const fl_type *args, int32_t n_args, int32_t wanted, const fl_agg_kernel *kernel,
                         fl_agg_choice *ret, fl_err *err)
{
    bool fits = n_args == wanted;
    for (int32_t i = 0; i < n_args; i++)
        fits &= fl_type_is_numeric(args[i]) || args[i].id == FL_NULL;
    if (!fits)
        return FL_FAIL(err, FL_ERR_FUNCTION, "%s expected", wanted == 1 ? "a number was" : "two numbers were");
    *ret = (fl_agg_choice){
        .args = {FL_TYPE(FL_F64), FL_TYPE(FL_F64)}, .n_args = wanted, .ret = FL_TYPE(FL_F64), .kernel = kernel};
    return FL_OK;
}

#define RESOLVE(name, answer, groups, wanted)                                                             \
    static const fl_agg_kernel name##_kernel = {.state_bytes = (int32_t)sizeof(state),                    \
                                                .state_kind = FL_STATE_PLAIN,                             \
                                                .update_groups = groups,                                  \
                                                .combine = combine,                                       \
                                                .finish = answer##_finish};                               \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err) \
    {                                                                                                     \
        return resolve(args, n_args, wanted, &name##_kernel, ret, err);                                   \
    }
#define RESOLVE_TWO(name) RESOLVE(name, name, two_groups, 2)

/* Over doubles, or without rounding where values allow it. */
#define RESOLVE_ONE(name)                                                                                 \
    RESOLVE(name##_of_doubles, name, one_groups, 1)                                                       \
    static fl_status resolve_##name(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err) \
    {                                                                                                     \
        fl_status st = resolve_##name##_of_doubles(args, n_args, ret, err);                               \
        if (st == FL_OK && fl_exact_variance_takes(args[0], &ret->args[0]))                               \
            ret->kernel = &fl_exact_##name;                                                               \
        return st;                                                                                        \
    }
RESOLVE_ONE(var_pop)
RESOLVE_ONE(var_samp)
RESOLVE_ONE(stddev_pop)
RESOLVE_ONE(stddev_samp)
RESOLVE(sem, sem, one_groups, 1)
RESOLVE_TWO(corr)
RESOLVE_TWO(covar_pop)
RESOLVE_TWO(covar_samp)
RESOLVE_TWO(regr_slope)
RESOLVE_TWO(regr_intercept)
RESOLVE_TWO(regr_r2)
RESOLVE_TWO(regr_avgx)
RESOLVE_TWO(regr_avgy)
RESOLVE_TWO(regr_sxx)
RESOLVE_TWO(regr_syy)
RESOLVE_TWO(regr_sxy)

static const fl_agg_kernel regr_count_kernel = {.state_bytes = (int32_t)sizeof(state),
                                                .state_kind = FL_STATE_PLAIN,
                                                .update_groups = two_groups,
                                                .combine = combine,
                                                .finish = regr_count_finish};

static fl_status resolve_regr_count(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    fl_status st = resolve(args, n_args, 2, &regr_count_kernel, ret, err);
    ret->ret = FL_TYPE(FL_I64);
    return st;
}

#define AGG(text, op, help) \
    {FL_DESC(fl_agg_desc), .name = text, .ignores_order = true, .resolve = resolve_##op, .doc = help}

static const fl_agg_desc aggs[] = {
    AGG("var_pop", var_pop, "var_pop(x): variance of all values"),
    AGG("var_samp", var_samp, "var_samp(x): variance of a sample; null of fewer than two"),
    AGG("variance", var_samp, "variance(x): as var_samp"),
    AGG("stddev_pop", stddev_pop, "stddev_pop(x): standard deviation of all values"),
    AGG("stddev_samp", stddev_samp, "stddev_samp(x): standard deviation of a sample; null of fewer than two"),
    AGG("stddev", stddev_samp, "stddev(x): as stddev_samp"),
    AGG("sem", sem, "sem(x): standard error of the mean, of all values"),
    AGG("corr", corr, "corr(y, x): coefficient of correlation"),
    AGG("covar_pop", covar_pop, "covar_pop(y, x): covariance of all pairs"),
    AGG("covar_samp", covar_samp, "covar_samp(y, x): covariance of a sample; null of fewer than two"),
    AGG("regr_slope", regr_slope, "regr_slope(y, x): slope of the least-squares line"),
    AGG("regr_intercept", regr_intercept, "regr_intercept(y, x): where the least-squares line meets x = 0"),
    AGG("regr_r2", regr_r2, "regr_r2(y, x): square of the coefficient of correlation"),
    AGG("regr_avgx", regr_avgx, "regr_avgx(y, x): mean of x"),
    AGG("regr_avgy", regr_avgy, "regr_avgy(y, x): mean of y"),
    AGG("regr_sxx", regr_sxx, "regr_sxx(y, x): squared deviations of x, added up"),
    AGG("regr_syy", regr_syy, "regr_syy(y, x): squared deviations of y, added up"),
    AGG("regr_sxy", regr_sxy, "regr_sxy(y, x): products of deviations, added up"),
    {FL_DESC(fl_agg_desc), .name = "regr_count", .ignores_order = true, .empty_is_zero = true,
     .resolve = resolve_regr_count, .doc = "regr_count(y, x): pairs without a null"},
};

FL_AGG_SET(statistics, aggs);
