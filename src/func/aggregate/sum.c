/* sum and avg. Whole numbers and decimals add up in 128 bits, exactly, or in 64 a batch where bounds prove that this does;
 * of wide decimals, which may leave 128 bits, the times that they did are counted. Doubles add up in doubles.
 *
 * The sum of integers up to 32 bits is a bigint, of 64 bits a decimal(38,0), of decimal(p,s) a decimal(38,s); more is an
 * error. The average of anything exact is a double. A sum of finite doubles that is not finite is an error; values that are
 * not finite themselves are kept apart, so that it does not matter when they come. */
#include "exec/agg.h"

#include "base/bitmap.h"
#include "base/simd.h"
#include "func/aggregate/sum_kernel.h"

#include <math.h>

typedef fl_i128 __attribute__((aligned(8))) i128_state;

typedef struct exact_state {
    i128_state sum;
    int64_t count;
} exact_state;

/* The sum is `sum` + `carry` * 2^128: what lies between may leave 128 bits where the whole fits. */
typedef struct wide_state {
    exact_state exact; /* in front: what knows narrow states reads wide ones, too */
    int64_t carry;
} wide_state;

typedef struct double_state {
    double sum;     /* of finite values */
    double special; /* infinities and NaN, added up; 0: none */
    int64_t count;
} double_state;

/* ---- exact -------------------------------------------------------------------------------------------------------- */

/* Rows by group, a loop for each stored type. */
#define GROUPS(suffix, type)                                                                                     \
    static void groups_##suffix(const fl_vec *arg, uint8_t *const *states, int32_t offset, const uint16_t *list, \
                                int32_t count)                                                                   \
    {                                                                                                            \
        const type *x = arg->data;                                                                               \
        if (arg->valid == NULL) {                                                                                \
            for (int32_t i = 0; i < count; i++) {                                                                \
                exact_state *s = (exact_state *)(states[i] + offset);                                            \
                s->sum += x[list[i]];                                                                            \
                s->count++;                                                                                      \
            }                                                                                                    \
            return;                                                                                              \
        }                                                                                                        \
        for (int32_t i = 0; i < count; i++) {                                                                    \
            exact_state *s = (exact_state *)(states[i] + offset);                                                \
            bool on = fl_bit_get(arg->valid, list[i]);                                                           \
            s->sum += on ? x[list[i]] : 0;                                                                       \
            s->count += on;                                                                                      \
        }                                                                                                        \
    }
GROUPS(i8, int8_t)
GROUPS(i16, int16_t)
GROUPS(i32, int32_t)
GROUPS(i64, int64_t)
GROUPS(u8, uint8_t)
GROUPS(u16, uint16_t)
GROUPS(u32, uint32_t)
GROUPS(u64, uint64_t)

static void add_wide(wide_state *s, fl_i128 x)
{
    fl_i128 sum;
    if (FL_UNLIKELY(__builtin_add_overflow(s->exact.sum, x, &sum)))
        s->carry += x < 0 ? -1 : 1;
    s->exact.sum = sum;
}

static fl_status wide_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                             int32_t count, fl_err *err)
{
    (void)err;
    const fl_vec *arg = &call->args[0];
    if (arg->width == 8) { /* 2^64 rows of them would fit */
        groups_i64(arg, states, offset, list, count);
        return FL_OK;
    }
    const fl_i128 *x = arg->data;
    for (int32_t i = 0; i < count; i++) {
        wide_state *s = (wide_state *)(states[i] + offset);
        bool on = fl_is_valid(arg->valid, list[i]);
        add_wide(s, on ? x[list[i]] : 0);
        s->exact.count += on;
    }
    return FL_OK;
}

static fl_status exact_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                              int32_t count, fl_err *err)
{
    (void)err;
    const fl_vec *arg = &call->args[0];
    switch (arg->type.id) {
    case FL_I8:
        groups_i8(arg, states, offset, list, count);
        break;
    case FL_I16:
        groups_i16(arg, states, offset, list, count);
        break;
    case FL_I32:
        groups_i32(arg, states, offset, list, count);
        break;
    case FL_U8:
        groups_u8(arg, states, offset, list, count);
        break;
    case FL_U16:
        groups_u16(arg, states, offset, list, count);
        break;
    case FL_U32:
        groups_u32(arg, states, offset, list, count);
        break;
    case FL_U64:
        groups_u64(arg, states, offset, list, count);
        break;
    default:
        FL_ASSERT(arg->width == 8);
        groups_i64(arg, states, offset, list, count);
    }
    return FL_OK;
}

/* How many rows add up in 64 bits for certain: a multiple of 64; 0: bounds are too wide or not known. */
static int32_t rows_in_64_bits(const fl_vec *arg)
{
    fl_bounds b = fl_vec_bounds(arg);
    if (!b.is_known || arg->width > 8)
        return 0;
    fl_i128 far = -b.low > b.high ? -b.low : b.high;
    if (far > INT64_MAX / 64)
        return 0;
    int64_t rows = INT64_MAX / (far > 0 ? (int64_t)far : 1);
    return rows > INT32_MAX ? INT32_MAX / 64 * 64 : (int32_t)rows / 64 * 64;
}

static int64_t sum_narrow(const fl_vec *arg, const uint64_t *mask, int32_t row, int32_t rows)
{
    const fl_sum_kernels *kernels = FL_SIMD_CHOOSE(fl_sum_kernels);
    bool is_unsigned = fl_type_is_integer(arg->type) && !fl_type_is_signed(arg->type);
    fl_sum_run run = (is_unsigned ? kernels->of_unsigned : kernels->of_signed)[__builtin_ctz(arg->width)];
    return run((const uint8_t *)arg->data + (int64_t)row * arg->width, mask == NULL ? NULL : mask + row / 64,
               arg->valid == NULL ? NULL : arg->valid + row / 64, rows);
}

/* The sum of 64 words, whatever they are: both halves add up in 64 bits. */
static inline fl_i128 sum_of_64(const int64_t *x)
{
    uint64_t low = 0;
    int64_t high = 0;
    for (int32_t i = 0; i < 64; i++) {
        low += (uint32_t)x[i];
        high += (int32_t)((uint64_t)x[i] >> 32);
    }
    return (fl_i128)high * (1ll << 32) + low;
}

static fl_i128 sum_words(const fl_vec *arg, const uint64_t *mask, int32_t rows)
{
    const int64_t *x = arg->data;
    fl_i128 sum = 0;
    for (int32_t row = 0; row < rows; row += 64) {
        uint64_t word = (mask != NULL ? mask[row / 64] : ~0ull) & (arg->valid != NULL ? arg->valid[row / 64] : ~0ull);
        if (rows - row < 64)
            word &= fl_bitmap_tail(rows);
        if (word == ~0ull) {
            sum += sum_of_64(x + row);
            continue;
        }
        for (; word != 0; word &= word - 1)
            sum += x[row + __builtin_ctzll(word)];
    }
    return sum;
}

/* `wide`, the state that s is part of, is NULL where the sum cannot leave 128 bits. */
static void add(exact_state *s, wide_state *wide, fl_i128 x)
{
    if (wide != NULL)
        add_wide(wide, x);
    else
        s->sum += x;
}

/* Sums of as many rows as fit into 64 bits, or row by row where nothing is known of them. */
static void add_steps(const fl_vec *arg, exact_state *s, wide_state *wide, const uint64_t *mask, int32_t rows)
{
    int32_t step = rows_in_64_bits(arg);
    for (int32_t row = 0; row < rows && step > 0; row += step) {
        add(s, wide, sum_narrow(arg, mask, row, rows - row < step ? rows - row : step));
        if (rows - row <= step)
            break;
    }
    for (int32_t row = 0; row < rows && step == 0; row++)
        if (fl_is_valid(mask, row) && fl_is_valid(arg->valid, row))
            add(s, wide, arg->type.id == FL_U64 ? (fl_i128)((const uint64_t *)arg->data)[row] : fl_vec_i128(arg, row));
}

/* Adds all rows of the mask. */
static void add_all(const fl_agg_call *call, exact_state *s, wide_state *wide, const uint64_t *mask, int32_t rows)
{
    fl_vec arg = call->args[0];
    bool is_proved = rows_in_64_bits(&arg) >= rows;
    if (!is_proved && arg.width == 8 && arg.type.id != FL_U64) { /* to measure them would cost as much */
        add(s, wide, sum_words(&arg, mask, rows));
    } else {
        if (!is_proved) { /* what was proved may be far from what is there */
            arg.has_bounds = false;
            fl_vec_measure(&arg, rows);
        }
        add_steps(&arg, s, wide, mask, rows);
    }
    for (int64_t w = 0; w < fl_bitmap_words(rows); w++) {
        uint64_t word = (mask != NULL ? mask[w] : ~0ull) & (arg.valid != NULL ? arg.valid[w] : ~0ull);
        s->count += __builtin_popcountll(w == fl_bitmap_words(rows) - 1 ? word & fl_bitmap_tail(rows) : word);
    }
}

static fl_status exact_all(fl_agg_call *call, void *state, const uint64_t *mask, int32_t rows, fl_err *err)
{
    (void)err;
    add_all(call, state, NULL, mask, rows);
    return FL_OK;
}

static fl_status wide_all(fl_agg_call *call, void *state, const uint64_t *mask, int32_t rows, fl_err *err)
{
    (void)err;
    wide_state *s = state;
    add_all(call, &s->exact, s, mask, rows);
    return FL_OK;
}

static fl_status exact_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    exact_state *a = into;
    const exact_state *b = from;
    a->sum += b->sum;
    a->count += b->count;
    return FL_OK;
}

static fl_status wide_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    wide_state *a = into;
    const wide_state *b = from;
    add_wide(a, b->exact.sum);
    a->carry += b->carry;
    a->exact.count += b->exact.count;
    return FL_OK;
}

static void exact_subtract(void *into, const void *from)
{
    exact_state *a = into;
    const exact_state *b = from;
    a->sum -= b->sum;
    a->count -= b->count;
}

static void wide_subtract(void *into, const void *from)
{
    wide_state *a = into;
    const wide_state *b = from;
    fl_i128 sum;
    if (FL_UNLIKELY(__builtin_sub_overflow(a->exact.sum, b->exact.sum, &sum)))
        a->carry += b->exact.sum < 0 ? 1 : -1;
    a->exact.sum = sum;
    a->carry -= b->carry;
    a->exact.count -= b->exact.count;
}

static bool has_carry(const fl_agg_call *call)
{
    return call->arg_types[0].id == FL_DECIMAL && fl_type_width(call->arg_types[0]) == 16;
}

static fl_status sum_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                            fl_err *err)
{
    bool is_wide = call->ret_type.id == FL_DECIMAL, may_carry = has_carry(call);
    fl_i128 limit = is_wide ? fl_pow10_i128[37] * 10 - 1 : INT64_MAX;
    for (int32_t i = 0; i < count; i++) {
        const exact_state *s = (const exact_state *)(states[i] + offset);
        if (s->count == 0) {
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
            continue;
        }
        bool fits = !may_carry || ((const wide_state *)s)->carry == 0; /* 2^127 is more than 38 digits */
        if (!fits || s->sum > limit || s->sum < -limit - !is_wide)
            return FL_FAIL(err, FL_ERR_RANGE, "sum is out of range for type %s", FL_TYPE_NAME(call->ret_type));
        if (is_wide)
            ((fl_i128 *)(uintptr_t)ret->data)[i] = s->sum;
        else
            ((int64_t *)(uintptr_t)ret->data)[i] = (int64_t)s->sum;
    }
    return FL_OK;
}

static fl_status avg_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                            fl_err *err)
{
    (void)err;
    double unit = call->arg_types[0].id == FL_DECIMAL ? (double)fl_pow10_i128[call->arg_types[0].scale] : 1;
    bool may_carry = has_carry(call);
    for (int32_t i = 0; i < count; i++) {
        const exact_state *s = (const exact_state *)(states[i] + offset);
        if (s->count == 0) {
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
            continue;
        }
        long double sum = (long double)s->sum;
        if (may_carry)
            sum += (long double)((const wide_state *)s)->carry * 0x1p128L;
        ((double *)(uintptr_t)ret->data)[i] = (double)(sum / (long double)s->count / (long double)unit);
    }
    return FL_OK;
}

/* ---- doubles ------------------------------------------------------------------------------------------------------ */

static void add_double(double_state *s, double x)
{
    double sum = s->sum + x;
    s->count++;
    if (FL_UNLIKELY(!isfinite(sum)) && !isfinite(x))
        s->special += x;
    else
        s->sum = sum;
}

static fl_status double_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err)
{
    (void)err;
    const double *x = call->args[0].data;
    const uint64_t *valid = call->args[0].valid;
    for (int32_t i = 0; i < count; i++)
        if (fl_is_valid(valid, list[i]))
            add_double((double_state *)(states[i] + offset), x[list[i]]);
    return FL_OK;
}

static double sum_of_lanes(const double lanes[8])
{
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

/* The rows again, where the sum of all is not finite. */
static void add_apart(double_state *s, const double *x, const uint64_t *mask, const uint64_t *valid, int32_t rows)
{
    double lanes[8] = {0};
    for (int32_t row = 0; row < rows; row++) {
        if (!fl_is_valid(mask, row) || !fl_is_valid(valid, row))
            continue;
        if (isfinite(x[row]))
            lanes[row & 7] += x[row];
        else
            s->special += x[row];
    }
    s->sum += sum_of_lanes(lanes);
}

static fl_status double_all(fl_agg_call *call, void *state, const uint64_t *mask, int32_t rows, fl_err *err)
{
    (void)err;
    const double *x = call->args[0].data;
    const uint64_t *valid = call->args[0].valid;
    double_state *s = state;
    double lanes[8] = {0}; /* by row position: the same sum on every machine */
    for (int32_t w = 0; w * 64 < rows; w++) {
        uint64_t word = (mask != NULL ? mask[w] : ~0ull) & (valid != NULL ? valid[w] : ~0ull);
        if (rows - w * 64 < 64)
            word &= fl_bitmap_tail(rows);
        const double *from = x + w * 64;
        if (word == ~0ull)
            for (int32_t i = 0; i < 64; i += 8)
                for (int32_t lane = 0; lane < 8; lane++)
                    lanes[lane] += from[i + lane];
        else
            for (uint64_t bits = word; bits != 0; bits &= bits - 1) {
                int row = __builtin_ctzll(bits);
                lanes[row & 7] += from[row];
            }
        s->count += __builtin_popcountll(word);
    }
    double sum = sum_of_lanes(lanes);
    if (isfinite(sum))
        s->sum += sum;
    else
        add_apart(s, x, mask, valid, rows);
    return FL_OK;
}

static fl_status double_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    double_state *a = into;
    const double_state *b = from;
    a->sum += b->sum;
    a->special += b->special;
    a->count += b->count;
    return FL_OK;
}

static fl_status double_finish(uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret, bool is_avg,
                               fl_err *err)
{
    for (int32_t i = 0; i < count; i++) {
        const double_state *s = (const double_state *)(states[i] + offset);
        bool is_special = s->special != 0; /* NaN, too */
        if (!is_special && !isfinite(s->sum))
            return FL_FAIL(err, FL_ERR_RANGE, "the sum of finite numbers is out of range for type double");
        if (s->count == 0)
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
        else
            ((double *)(uintptr_t)ret->data)[i] = is_special ? s->special : is_avg ? s->sum / (double)s->count : s->sum;
    }
    return FL_OK;
}

static fl_status double_sum_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count,
                                   fl_vec *ret, fl_err *err)
{
    (void)call;
    return double_finish(states, offset, count, ret, false, err);
}

static fl_status double_avg_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count,
                                   fl_vec *ret, fl_err *err)
{
    (void)call;
    return double_finish(states, offset, count, ret, true, err);
}

/* ---- intervals ---------------------------------------------------------------------------------------------------- */

typedef struct interval_state {
    int64_t months, days;
    i128_state nanos;
    int64_t count;
} interval_state;

static fl_status interval_groups(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                                 int32_t count, fl_err *err)
{
    (void)err;
    const fl_interval *x = call->args[0].data;
    for (int32_t i = 0; i < count; i++) {
        interval_state *s = (interval_state *)(states[i] + offset);
        if (!fl_is_valid(call->args[0].valid, list[i]))
            continue;
        s->months += x[list[i]].months;
        s->days += x[list[i]].days;
        s->nanos += x[list[i]].nanos;
        s->count++;
    }
    return FL_OK;
}

static fl_status interval_combine(fl_agg_call *call, void *into, const void *from, fl_err *err)
{
    (void)call;
    (void)err;
    interval_state *a = into;
    const interval_state *b = from;
    a->months += b->months;
    a->days += b->days;
    a->nanos += b->nanos;
    a->count += b->count;
    return FL_OK;
}

static void interval_subtract(void *into, const void *from)
{
    interval_state *a = into;
    const interval_state *b = from;
    a->months -= b->months;
    a->days -= b->days;
    a->nanos -= b->nanos;
    a->count -= b->count;
}

static fl_status interval_finish(uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret, bool is_avg,
                                 fl_err *err)
{
    for (int32_t i = 0; i < count; i++) {
        interval_state s = *(const interval_state *)(states[i] + offset);
        if (s.count == 0) {
            fl_bit_clear((uint64_t *)(uintptr_t)ret->valid, i);
            continue;
        }
        if (is_avg) { /* what does not divide flows down: months into days, days into time */
            int64_t months = s.months / s.count, days_rest = s.months % s.count * 30 + s.days;
            int64_t days = days_rest / s.count;
            s.nanos = ((fl_i128)(days_rest % s.count) * 86400000000000LL + s.nanos) / s.count;
            s.months = months;
            s.days = days;
        }
        if (s.months != (int32_t)s.months || s.days != (int32_t)s.days || s.nanos != (int64_t)s.nanos)
            return fl_err_state(err, "22008", FL_FAIL(err, FL_ERR_RANGE, "the sum of intervals is out of range"));
        ((fl_interval *)(uintptr_t)ret->data)[i] = (fl_interval){(int32_t)s.months, (int32_t)s.days, (int64_t)s.nanos};
    }
    return FL_OK;
}

static fl_status interval_sum_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count,
                                     fl_vec *ret, fl_err *err)
{
    (void)call;
    return interval_finish(states, offset, count, ret, false, err);
}

static fl_status interval_avg_finish(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count,
                                     fl_vec *ret, fl_err *err)
{
    (void)call;
    return interval_finish(states, offset, count, ret, true, err);
}

/* ---- resolution --------------------------------------------------------------------------------------------------- */

#define KERNEL(prefix, finish_fn, all_fn, ...)       \
    {.state_bytes = (int32_t)sizeof(prefix##_state), \
     .state_kind = FL_STATE_PLAIN,                   \
     .update_groups = prefix##_groups,               \
     .update_all = all_fn,                           \
     .combine = prefix##_combine,                    \
     .finish = finish_fn,                            \
     __VA_ARGS__}

static const fl_agg_kernel exact_sum =
    KERNEL(exact, sum_finish, exact_all, .is_masked = true, .subtract = exact_subtract);
static const fl_agg_kernel exact_avg =
    KERNEL(exact, avg_finish, exact_all, .is_masked = true, .subtract = exact_subtract);
static const fl_agg_kernel wide_sum = KERNEL(wide, sum_finish, wide_all, .is_masked = true, .subtract = wide_subtract);
static const fl_agg_kernel wide_avg = KERNEL(wide, avg_finish, wide_all, .is_masked = true, .subtract = wide_subtract);
static const fl_agg_kernel double_sum = KERNEL(double, double_sum_finish, double_all);
static const fl_agg_kernel double_avg = KERNEL(double, double_avg_finish, double_all);
static const fl_agg_kernel interval_sum = KERNEL(interval, interval_sum_finish, NULL, .subtract = interval_subtract);
static const fl_agg_kernel interval_avg = KERNEL(interval, interval_avg_finish, NULL, .subtract = interval_subtract);

static fl_status resolve(const fl_type *args, int32_t n_args, bool is_avg, fl_agg_choice *ret, fl_err *err)
{
    fl_type type = n_args == 1 ? args[0] : FL_TYPE(FL_UTF8);
    *ret = (fl_agg_choice){.n_args = 1};
    if (type.id == FL_NULL)
        type = FL_TYPE(FL_F64);
    ret->args[0] = type;
    if (type.id == FL_INTERVAL) {
        ret->ret = type;
        ret->kernel = is_avg ? &interval_avg : &interval_sum;
    } else if (fl_type_is_float(type)) {
        ret->args[0] = ret->ret = FL_TYPE(FL_F64);
        ret->kernel = is_avg ? &double_avg : &double_sum;
    } else if (fl_type_is_numeric(type)) {
        bool wide = type.id == FL_I64 || type.id == FL_U64;
        ret->ret = is_avg                  ? FL_TYPE(FL_F64)
                   : type.id == FL_DECIMAL ? FL_TYPE_DECIMAL(38, type.scale)
                   : wide                  ? FL_TYPE_DECIMAL(38, 0)
                                           : FL_TYPE(FL_I64);
        if (type.id == FL_DECIMAL && fl_type_width(type) == 16)
            ret->kernel = is_avg ? &wide_avg : &wide_sum;
        else
            ret->kernel = is_avg ? &exact_avg : &exact_sum;
        ret->never_fails = ret->kernel == &exact_avg || ret->kernel == &exact_sum; /* before there are 2^32 rows */
    } else {
        return FL_FAIL(err, FL_ERR_FUNCTION, "a number or interval was expected");
    }
    return FL_OK;
}

static fl_status resolve_sum(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    return resolve(args, n_args, false, ret, err);
}

static fl_status resolve_avg(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    return resolve(args, n_args, true, ret, err);
}

static const fl_agg_desc aggs[] = {
    {FL_DESC(fl_agg_desc), .name = "sum", .ignores_order = true, .skips_nulls = true, .merge = "sum",
     .resolve = resolve_sum, .doc = "sum(x): of numbers or intervals; null of no rows"},
    {FL_DESC(fl_agg_desc), .name = "avg", .ignores_order = true, .skips_nulls = true, .resolve = resolve_avg,
     .doc = "avg(x): the mean, of numbers a double, or of intervals; null of no rows"},
};

FL_AGG_SET(sum, aggs);
