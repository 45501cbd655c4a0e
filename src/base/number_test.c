/* number: doubles and floats are printed as trying ever more digits prints them. */
#include "base/number.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEED 17
#define TRIALS 100000

static uint64_t next(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15ull;
    uint64_t x = *seed;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static void check_double(double value)
{
    char text[32], wanted[32];
    int32_t len = fl_double_print(value, text);
    if (fabs(value) < 1e15 && value == trunc(value)) {
        snprintf(wanted, sizeof(wanted), "%.0f", value);
    } else {
        for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
            snprintf(wanted, sizeof(wanted), "%.*g", digits, value);
            if (strtod(wanted, NULL) == value)
                break;
        }
    }
    assert_string_equal(text, wanted);
    assert_int_equal(len, strlen(wanted));
}

static void check_float(float value)
{
    char text[32], wanted[32];
    int32_t len = fl_float_print(value, text);
    for (int digits = FLT_DIG; digits <= FLT_DECIMAL_DIG; digits++) {
        snprintf(wanted, sizeof(wanted), "%.*g", digits, (double)value);
        if (strtof(wanted, NULL) == value)
            break;
    }
    assert_string_equal(text, wanted);
    assert_int_equal(len, strlen(wanted));
}

static void test_any_bits(void **state)
{
    (void)state;
    uint64_t seed = SEED;
    for (int i = 0; i < TRIALS; i++) {
        uint64_t bits = next(&seed);
        uint32_t low = (uint32_t)bits;
        double d;
        float f;
        memcpy(&d, &bits, 8);
        memcpy(&f, &low, 4);
        if (isfinite(d))
            check_double(d);
        if (isfinite(f))
            check_float(f);
    }
}

/* Most numbers are of a size that people write, and many have few digits. */
static void test_usual_sizes(void **state)
{
    (void)state;
    uint64_t seed = SEED;
    for (int i = 0; i < TRIALS; i++) {
        uint64_t bits = next(&seed);
        double value = ldexp((double)(int64_t)(bits >> 11), (int)(bits % 128) - 116);
        check_double(value);
        check_float((float)value);
        check_double((double)(bits % 1000000) / pow(10, (double)(bits % 13)));
        check_float((float)(bits % 10000) / 100);
    }
}

/* Powers of two, whose steps differ on both sides, powers of ten, where one digit more is needed, and what lies beside them. */
static void test_borders(void **state)
{
    (void)state;
    for (int e = -1074; e < 1024; e++)
        for (int side = -1; side <= 1; side++) {
            double value = ldexp(1, e);
            check_double(side == 0 ? value : nextafter(value, side * INFINITY));
            if (e >= -149 && e < 128)
                check_float(side == 0 ? (float)value : nextafterf((float)value, (float)side * INFINITY));
        }
    for (int e = -30; e < 30; e++)
        for (int sign = -1; sign <= 1; sign += 2) {
            double value = sign * pow(10, e);
            check_double(value);
            check_double(nextafter(value, INFINITY));
            check_double(nextafter(value, -INFINITY));
            check_float((float)value);
            check_float(nextafterf((float)value, INFINITY));
            check_float(nextafterf((float)value, -INFINITY));
        }
    check_double(0.0);
    check_double(-0.0);
    check_float(0.0f);
    check_float(-0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_any_bits),
        cmocka_unit_test(test_usual_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
