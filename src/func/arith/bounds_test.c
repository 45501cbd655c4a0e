/* Bounds are proofs: for every interval of small numbers the bounds of each operator hold every result, and where they say
 * less than the type's range the plain loops are right. The checked loops raise their flag exactly where a result is lost
 * (products of 64 bits included), on every instruction set. */
#include "base/simd.h"
#include "func/arith/kernel.h"
#include "plan/bounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define FAR 6 /* intervals lie within -FAR .. FAR */

extern const fl_func_set fl_func_set_arith;

static const fl_func_desc *func_of(const char *name)
{
    for (int32_t i = 0; i < fl_func_set_arith.n_funcs; i++)
        if (strcmp(fl_func_set_arith.funcs[i].name, name) == 0)
            return &fl_func_set_arith.funcs[i];
    return NULL;
}

static bool apply(char sign, int64_t a, int64_t b, int64_t *ret)
{
    if ((sign == '/' || sign == '%') && b == 0)
        return false;
    *ret = sign == '+' ? a + b : sign == '-' ? a - b : sign == '*' ? a * b : sign == '/' ? a / b : a % b;
    return true;
}

static void every_result_lies_within(void **state)
{
    (void)state;
    fl_expr arg = {.kind = FL_EXPR_COLUMN, .type = FL_TYPE(FL_I64)};
    const fl_expr *args[] = {&arg, &arg};
    for (const char *sign = "+-*/%"; *sign != 0; sign++) {
        fl_expr call = {.kind = FL_EXPR_CALL, .n_args = 2, .type = FL_TYPE(FL_I64), .args = args};
        call.func = func_of((char[]){*sign, 0});
        for (int low_a = -FAR; low_a <= FAR; low_a++)
            for (int high_a = low_a; high_a <= FAR; high_a++)
                for (int low_b = -FAR; low_b <= FAR; low_b++)
                    for (int high_b = low_b; high_b <= FAR; high_b++) {
                        fl_bounds in[] = {{true, low_a, high_a}, {true, low_b, high_b}};
                        fl_bounds out = fl_expr_bounds_step(&call, in);
                        int64_t r, least = INT64_MAX, most = INT64_MIN;
                        for (int a = low_a; a <= high_a; a++)
                            for (int b = low_b; b <= high_b; b++)
                                if (apply(*sign, a, b, &r)) {
                                    least = r < least ? r : least;
                                    most = r > most ? r : most;
                                }
                        assert_true(least > most || !out.is_known || (out.low <= least && out.high >= most));
                        if (*sign != '/' && *sign != '%') /* and they are no wider than need be */
                            assert_true(out.is_known && out.low == least && out.high == most);
                    }
    }
}

static void negation_turns_them_round(void **state)
{
    (void)state;
    fl_expr arg = {.kind = FL_EXPR_COLUMN, .type = FL_TYPE(FL_I8)};
    const fl_expr *args[] = {&arg};
    fl_expr call = {.kind = FL_EXPR_CALL, .n_args = 1, .type = FL_TYPE(FL_I8), .args = args};
    call.func = func_of("-");
    fl_bounds in = {true, -128, 5}, out = fl_expr_bounds_step(&call, &in);
    assert_true(out.is_known && out.low == -5 && out.high == 128);
    assert_false(fl_bounds_fit(out, call.type));
}

static void what_is_too_wide_is_unknown(void **state)
{
    (void)state;
    fl_type type = FL_TYPE_DECIMAL(38, 0);
    fl_i128 most = fl_pow10_i128[37] * 10 - 1;
    fl_expr arg = {.kind = FL_EXPR_COLUMN, .type = type};
    const fl_expr *args[] = {&arg, &arg};
    for (const char *sign = "+*"; *sign != 0; sign++) {
        fl_expr call = {.kind = FL_EXPR_CALL, .n_args = 2, .type = type, .args = args};
        fl_bounds in[] = {{true, -most, most}, {true, -most, most}};
        call.func = func_of((char[]){*sign, 0});
        assert_false(fl_expr_bounds_step(&call, in).is_known);
    }
    fl_vec vec = {.type = type};
    fl_vec_set_bounds(&vec, (fl_bounds){true, 0, (fl_i128)INT64_MAX + 1});
    assert_false(vec.has_bounds);
    fl_vec_set_bounds(&vec, (fl_bounds){true, INT64_MIN, INT64_MAX});
    assert_true(vec.has_bounds && vec.low == INT64_MIN && vec.high == INT64_MAX);
}

/* Casts are monotonic; a smaller scale rounds halves away from zero. */
static void casts_hold_what_they_round(void **state)
{
    (void)state;
    fl_expr arg = {.kind = FL_EXPR_COLUMN, .type = FL_TYPE_DECIMAL(5, 2)};
    const fl_expr *args[] = {&arg};
    fl_expr cast = {.kind = FL_EXPR_CAST, .n_args = 1, .type = FL_TYPE_DECIMAL(5, 0), .args = args};
    fl_bounds in = {true, -150, 249}, out = fl_expr_bounds_step(&cast, &in);
    assert_true(out.is_known && out.low == -2 && out.high == 2);
    cast.type = FL_TYPE_DECIMAL(8, 4);
    out = fl_expr_bounds_step(&cast, &in);
    assert_true(out.is_known && out.low == -15000 && out.high == 24900);
    cast.type = FL_TYPE(FL_F64);
    assert_false(fl_expr_bounds_step(&cast, &in).is_known);
}

/* ---- kernels ------------------------------------------------------------------------------------------------------ */

#define ROWS 67 /* more than a register, and a tail */

static bool exact(int op, fl_i128 a, fl_i128 b, fl_i128 *ret)
{
    if (op == FL_ARITH_MUL)
        return !__builtin_mul_overflow(a, b, ret);
    *ret = op == FL_ARITH_ADD ? a + b : a - b;
    return true;
}

static void put(void *to, int type, int row, int64_t value)
{
    memcpy((uint8_t *)to + row * (1 << type % 4), &value, (size_t)1 << type % 4);
}

static fl_i128 get(const void *from, int type, int row)
{
    fl_type stored = FL_TYPE(FL_I8 + type);
    uint64_t bits = 0;
    memcpy(&bits, (const uint8_t *)from + row * (1 << type % 4), (size_t)1 << type % 4);
    int unused = 64 - fl_type_width(stored) * 8;
    return fl_type_is_signed(stored) ? (fl_i128)((int64_t)(bits << unused) >> unused) : (fl_i128)bits;
}

/* Numbers around the ends, the middle and the roots of a type's range. */
static int edges(int type, int64_t *ret)
{
    fl_type stored = FL_TYPE(FL_I8 + type);
    int n = 0, half = fl_type_width(stored) * 4;
    for (int i = -2; i <= 2; i++) {
        ret[n++] = (int64_t)((uint64_t)fl_type_int_min(stored) + (uint64_t)i);
        ret[n++] = (int64_t)((uint64_t)fl_type_int_max(stored) + (uint64_t)i);
        ret[n++] = i;
        ret[n++] = ((int64_t)1 << half) + i;
        ret[n++] = ((int64_t)1 << (half - 1)) + i;
        ret[n++] = -((int64_t)1 << (half - 1)) + i;
    }
    return n;
}

static void check_pair(const fl_arith_kernels *kernels, int op, int type, int64_t a, int64_t b)
{
    fl_type stored = FL_TYPE(FL_I8 + type);
    int64_t x[ROWS] = {0}, y[ROWS] = {0}, checked[ROWS], plain[ROWS];
    int row = (int)(((uint64_t)a * 31 + (uint64_t)b) % ROWS);
    put(x, type, row, a);
    put(y, type, row, b);
    fl_i128 want = 0;
    bool fits = exact(op, get(x, type, row), get(y, type, row), &want) && want >= fl_type_int_min(stored) &&
                want <= fl_type_int_max(stored);
    assert_int_equal(kernels->checked[op][type](x, y, ROWS, checked), !fits);
    kernels->plain[op][type % 4](x, y, ROWS, plain);
    assert_memory_equal(plain, checked, ROWS << type % 4);
    if (fits)
        assert_true(get(plain, type, row) == want);
}

static void flags_say_what_is_lost(void **state)
{
    (void)state;
    const fl_arith_kernels *sets[] = {FL_SIMD_ALL(fl_arith_kernels)};
    for (int level = 0; level <= (int)fl_simd_level(); level++)
        for (int op = 0; op < FL_ARITH_OPS; op++)
            for (int type = 0; type < FL_ARITH_TYPES; type++) {
                int64_t values[64];
                int n = edges(type, values);
                for (int i = 0; i < n; i++)
                    for (int j = 0; j < n; j++)
                        check_pair(sets[level], op, type, values[i], values[j]);
                for (int a = -128; a < 256 && type % 4 == 0; a++)
                    for (int b = -128; b < 256; b += 3)
                        check_pair(sets[level], op, type, a, b);
            }
}

static void only_the_least_has_no_counterpart(void **state)
{
    (void)state;
    const fl_arith_kernels *sets[] = {FL_SIMD_ALL(fl_arith_kernels)};
    for (int level = 0; level <= (int)fl_simd_level(); level++)
        for (int type = FL_ARITH_I8; type <= FL_ARITH_I64; type++) {
            int64_t values[64];
            int n = edges(type, values);
            for (int i = 0; i < n; i++) {
                int64_t x[ROWS] = {0}, ret[ROWS];
                put(x, type, i, values[i]);
                fl_i128 value = get(x, type, i);
                bool is_least = value == fl_type_int_min(FL_TYPE(FL_I8 + type));
                assert_int_equal(sets[level]->negate[type](x, ROWS, ret), is_least);
                assert_true(is_least || get(ret, type, i) == -value);
            }
        }
}

static void measuring_finds_the_ends(void **state)
{
    (void)state;
    for (int type = 0; type < FL_ARITH_TYPES; type++) {
        int64_t values[64], data[ROWS] = {0};
        int n = edges(type, values);
        for (int i = 0; i < n; i++) {
            fl_vec vec;
            put(data, type, i, values[i]);
            fl_vec_set_flat(&vec, FL_TYPE(FL_I8 + type), data, NULL);
            fl_vec_measure(&vec, ROWS);
            assert_true(fl_vec_bounds_hold(&vec, NULL, ROWS));
            fl_bounds b = fl_vec_bounds(&vec);
            bool low = false, high = false;
            for (int row = 0; row < ROWS; row++) {
                low |= get(data, type, row) == b.low;
                high |= get(data, type, row) == b.high;
            }
            assert_true((low && high) || (type == FL_ARITH_U64 && !vec.has_bounds));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_result_lies_within),    cmocka_unit_test(negation_turns_them_round),
        cmocka_unit_test(what_is_too_wide_is_unknown), cmocka_unit_test(casts_hold_what_they_round),
        cmocka_unit_test(flags_say_what_is_lost),      cmocka_unit_test(only_the_least_has_no_counterpart),
        cmocka_unit_test(measuring_finds_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
