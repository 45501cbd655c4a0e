/* = <> < <= > >= over every type, and IS [NOT] DISTINCT FROM. Both sides have their common type when they arrive, but for
 * decimals and times that no type holds both of (fl_type_is_scaled_apart): these are compared as they are. */
#include "arrow/value.h"
#include "base/simd.h"
#include "exec/func.h"
#include "func/compare/kernel.h"

/* -1 where the type is not one of the fixed-width kernels'. */
static int kernel_type(const fl_vec *vec)
{
    switch (vec->type.id) {
    case FL_I8:
        return FL_COMPARE_I8;
    case FL_I16:
        return FL_COMPARE_I16;
    case FL_I32:
    case FL_DATE:
        return FL_COMPARE_I32;
    case FL_I64:
    case FL_TIME:
    case FL_TIMESTAMP:
    case FL_TIMESTAMPTZ:
        return FL_COMPARE_I64;
    case FL_U8:
        return FL_COMPARE_U8;
    case FL_U16:
        return FL_COMPARE_U16;
    case FL_U32:
        return FL_COMPARE_U32;
    case FL_U64:
        return FL_COMPARE_U64;
    case FL_F32:
        return FL_COMPARE_F32;
    case FL_F64:
        return FL_COMPARE_F64;
    case FL_DECIMAL:
        return vec->width == 8 ? FL_COMPARE_I64 : -1;
    default:
        return -1;
    }
}

static bool holds(fl_compare_op op, int order)
{
    switch (op) {
    case FL_EQ:
        return order == 0;
    case FL_NE:
        return order != 0;
    case FL_LT:
        return order < 0;
    case FL_LE:
        return order <= 0;
    case FL_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static fl_compare_op mirrored(fl_compare_op op)
{
    static const fl_compare_op other[] = {FL_EQ, FL_NE, FL_GT, FL_GE, FL_LT, FL_LE};
    return other[op];
}

#define PUT(row, on) bits[(row) >> 6] |= (uint64_t)(on) << ((row) & 63)

static void compare_views(const fl_vec *a, const fl_vec *b, fl_compare_op op, int32_t rows, uint64_t *bits)
{
    const fl_view *x = a->data, *y = b->data;
    bool one = b->layout == FL_CONST;
    if (op == FL_EQ || op == FL_NE) {
        bool wanted = op == FL_EQ;
        for (int32_t row = 0; row < rows; row++)
            PUT(row, fl_view_is_equal(&x[row], &y[one ? 0 : row]) == wanted);
        return;
    }
    for (int32_t row = 0; row < rows; row++)
        PUT(row, holds(op, fl_view_compare(&x[row], &y[one ? 0 : row])));
}

static fl_status compare_values(fl_call *call, const fl_vec *a, const fl_vec *b, fl_compare_op op, uint64_t *bits,
                                fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        fl_value x, y;
        if (!fl_vec_is_valid(a, row) || !fl_vec_is_valid(b, row))
            continue;
        fl_status st = fl_value_from_vec(call->heap, a, row, &x, err);
        if (st == FL_OK)
            st = fl_value_from_vec(call->heap, b, row, &y, err);
        if (st != FL_OK)
            return st;
        PUT(row, holds(op, fl_value_compare(&x, &y)));
    }
    return FL_OK;
}

static fl_i128 scaled_at(const fl_vec *vec, int32_t row)
{
    return vec->type.id == FL_DATE ? ((const int32_t *)vec->data)[fl_vec_row(vec, row)] : fl_vec_i128(vec, row);
}

static void compare_scaled(const fl_vec *a, const fl_vec *b, fl_compare_op op, int32_t rows, uint64_t *bits)
{
    for (int32_t row = 0; row < rows; row++)
        PUT(row, holds(op, fl_value_compare_scaled(scaled_at(a, row), a->type, scaled_at(b, row), b->type)));
}

static fl_status compare(fl_call *call, fl_compare_op op, fl_err *err)
{
    const fl_vec *a = &call->args[0], *b = &call->args[1];
    uint64_t *bits = fl_ret_bits(call);
    int32_t rows = call->rows;
    if (a->layout == FL_CONST && b->layout != FL_CONST) {
        const fl_vec *swap = a;
        a = b;
        b = swap;
        op = mirrored(op);
    }
    int type = kernel_type(a);
    if (fl_type_is_scaled_apart(a->type, b->type)) {
        memset(bits, 0, (size_t)fl_bitmap_words(rows) * 8);
        compare_scaled(a, b, op, rows, bits);
        return FL_OK;
    }
    if (type >= 0 && type == kernel_type(b)) {
        const fl_compare_kernels *kernels = FL_SIMD_CHOOSE(fl_compare_kernels);
        (b->layout == FL_CONST ? kernels->constant : kernels->rows)[type][op](a->data, b->data, rows, bits);
        return FL_OK;
    }
    memset(bits, 0, (size_t)fl_bitmap_words(rows) * 8);
    if (fl_type_is_string(a->type)) {
        compare_views(a, b, op, rows, bits);
        return FL_OK;
    }
    if (a->type.id == FL_DECIMAL) {
        for (int32_t row = 0; row < rows; row++) {
            fl_i128 x = fl_vec_i128(a, row), y = fl_vec_i128(b, row);
            PUT(row, holds(op, (x > y) - (x < y)));
        }
        return FL_OK;
    }
    if (a->type.id == FL_BOOL) {
        for (int32_t row = 0; row < rows; row++) {
            int x = a->layout == FL_CONST ? *(const uint8_t *)a->data : fl_bit_get(a->data, row);
            int y = b->layout == FL_CONST ? *(const uint8_t *)b->data : fl_bit_get(b->data, row);
            PUT(row, holds(op, x - y));
        }
        return FL_OK;
    }
    return compare_values(call, a, b, op, bits, err);
}

static fl_status run_eq(fl_call *call, fl_err *err)
{
    return compare(call, FL_EQ, err);
}
static fl_status run_ne(fl_call *call, fl_err *err)
{
    return compare(call, FL_NE, err);
}
static fl_status run_lt(fl_call *call, fl_err *err)
{
    return compare(call, FL_LT, err);
}
static fl_status run_le(fl_call *call, fl_err *err)
{
    return compare(call, FL_LE, err);
}
static fl_status run_gt(fl_call *call, fl_err *err)
{
    return compare(call, FL_GT, err);
}
static fl_status run_ge(fl_call *call, fl_err *err)
{
    return compare(call, FL_GE, err);
}

/* Nulls count as a value of their own. */
static fl_status distinct(fl_call *call, bool wants_distinct, fl_err *err)
{
    fl_status st = compare(call, FL_NE, err);
    uint64_t *bits = fl_ret_bits(call);
    if (st != FL_OK)
        return st;
    for (int32_t row = 0; row < call->rows; row++) {
        bool a = fl_vec_is_valid(&call->args[0], row), b = fl_vec_is_valid(&call->args[1], row);
        bool is_distinct = a && b ? fl_bit_get(bits, row) : a != b;
        fl_bit_put(bits, row, is_distinct == wants_distinct);
    }
    return FL_OK;
}

static fl_status run_distinct(fl_call *call, fl_err *err)
{
    return distinct(call, true, err);
}
static fl_status run_not_distinct(fl_call *call, fl_err *err)
{
    return distinct(call, false, err);
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_type common;
    if (n_args != 2 || !fl_type_common_in(ret->arena, args[0], args[1], &common))
        return FL_FAIL(err, FL_ERR_FUNCTION, "these types do not compare");
    if (common.id == FL_NULL)
        common = FL_TYPE(FL_UTF8);
    for (int32_t i = 0; i < 2; i++) {
        ret->args[i] = common;
        if (fl_type_is_scaled_apart(args[0], args[1]))
            ret->args[i] = fl_type_is_integer(args[i]) ? FL_TYPE_DECIMAL(fl_type_int_digits(args[i]), 0) : args[i];
    }
    ret->n_args = 2;
    ret->ret = FL_TYPE(FL_BOOL);
    return FL_OK;
}

#define RESOLVE(op)                                                                                      \
    static fl_status resolve_##op(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                    \
        ret->run = run_##op;                                                                             \
        return resolve(args, n_args, ret, err);                                                          \
    }
RESOLVE(eq)
RESOLVE(ne)
RESOLVE(lt)
RESOLVE(le)
RESOLVE(gt)
RESOLVE(ge)
RESOLVE(distinct)
RESOLVE(not_distinct)

#define COMPARE(sign, op, mirrored_sign, text)                                           \
    {FL_DESC(fl_func_desc),                                                              \
     .name = sign,                                                                       \
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_COMPARES | FL_ANY_TYPE, \
     .mirror = mirrored_sign,                                                            \
     .resolve = resolve_##op,                                                            \
     .doc = text}
#define DISTINCT(sign, op, text)                                    \
    {FL_DESC(fl_func_desc),                                         \
     .name = sign,                                                  \
     .traits = FL_PURE | FL_CONST_ARGS | FL_COMPARES | FL_ANY_TYPE, \
     .mirror = sign,                                                \
     .resolve = resolve_##op,                                       \
     .doc = text}

static const fl_func_desc funcs[] = {
    COMPARE("=", eq, "=", "a = b"),
    COMPARE("<>", ne, "<>", "a <> b"),
    COMPARE("<", lt, ">", "a < b"),
    COMPARE("<=", le, ">=", "a <= b"),
    COMPARE(">", gt, "<", "a > b"),
    COMPARE(">=", ge, "<=", "a >= b"),
    DISTINCT("is_distinct_from", distinct, "a IS DISTINCT FROM b: as <>, but nulls are equal"),
    DISTINCT("is_not_distinct_from", not_distinct, "a IS NOT DISTINCT FROM b: as =, but nulls are equal"),
};

FL_FUNC_SET(compare, funcs);
