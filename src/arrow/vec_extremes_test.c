/* The extremes of vectors of all types beside what comes of comparing value by value: with and without nulls, NaN, of dictionaries
 * with values that no row has, of decimals of both widths. */
#include "arrow/vec_extremes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ROWS_MAX 300

static uint64_t state = 5;

static int64_t random_below(int64_t n)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (int64_t)((state >> 33) % (uint64_t)n);
}

static fl_i128 data[ROWS_MAX];
static char texts[ROWS_MAX][40];
static fl_view dictionary[7];

static void fill(fl_type type, int32_t width, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        fl_i128 bits = (fl_i128)random_below(INT32_MAX) << random_below(90) ^ random_below(INT32_MAX);
        double number = random_below(9) == 0 ? (random_below(2) ? (double)NAN : (double)INFINITY)
                                             : (double)random_below(1000) - 500.5;
        float single = (float)number;
        fl_view view = fl_view_of(texts[i], snprintf(texts[i], 40, "text %d, of any length", (int)random_below(999)) -
                                                (int)random_below(15));
        bits = random_below(2) ? bits : -bits;
        const void *from = type.id == FL_F64         ? (const void *)&number
                           : type.id == FL_F32       ? (const void *)&single
                           : fl_type_is_string(type) ? (const void *)&view
                                                     : (const void *)&bits;
        memcpy((uint8_t *)data + i * width, from, (size_t)width);
    }
}

static void check(const fl_vec *vec, int64_t rows)
{
    fl_arena arena;
    fl_value min, max, low = {.is_null = true}, high = {.is_null = true}, value;
    fl_arena_init(&arena, NULL);
    assert_int_equal(fl_vec_extremes(&arena, vec, rows, &min, &max, NULL), FL_OK);
    for (int64_t i = 0; i < rows; i++) {
        assert_int_equal(fl_value_from_vec(&arena, vec, i, &value, NULL), FL_OK);
        if (value.is_null)
            continue;
        low = low.is_null || fl_value_compare(&value, &low) < 0 ? value : low;
        high = high.is_null || fl_value_compare(&value, &high) > 0 ? value : high;
    }
    assert_int_equal(min.is_null, low.is_null);
    assert_int_equal(max.is_null, high.is_null);
    assert_true(low.is_null || (fl_value_compare(&min, &low) == 0 && fl_value_compare(&max, &high) == 0));
    fl_arena_drop(&arena);
}

static void test_types(void **unused)
{
    (void)unused;
    static const fl_type types[] = {
        FL_TYPE(FL_BOOL),
        FL_TYPE(FL_I8),
        FL_TYPE(FL_I16),
        FL_TYPE(FL_I32),
        FL_TYPE(FL_I64),
        FL_TYPE(FL_U8),
        FL_TYPE(FL_U16),
        FL_TYPE(FL_U32),
        FL_TYPE(FL_U64),
        FL_TYPE(FL_F32),
        FL_TYPE(FL_F64),
        FL_TYPE(FL_UTF8),
        FL_TYPE(FL_DATE),
        FL_TYPE(FL_TIME),
        FL_TYPE(FL_TIMESTAMP),
        {.id = FL_DECIMAL, .precision = 12},
        {.id = FL_DECIMAL, .precision = 30},
    };
    for (int round = 0; round < 400; round++)
        for (int64_t t = 0; t < FL_LEN(types); t++) {
            uint64_t valid[ROWS_MAX / 64 + 1];
            fl_vec vec;
            int64_t rows = random_below(ROWS_MAX), nulls = random_below(4);
            for (int64_t i = 0; i < FL_LEN(valid); i++)
                valid[i] = nulls == 0        ? 0
                           : random_below(2) ? ~0ull
                                             : (uint64_t)random_below(INT32_MAX) * 0x100000001ull;
            fl_vec_set_flat(&vec, types[t], data, nulls == 3 ? NULL : valid);
            fill(types[t], types[t].id == FL_BOOL ? 8 : vec.width, types[t].id == FL_BOOL ? ROWS_MAX / 64 + 1 : rows);
            check(&vec, rows);
        }
}

static void test_dictionaries(void **unused)
{
    (void)unused;
    static uint32_t codes[ROWS_MAX];
    for (int round = 0; round < 200; round++) {
        fl_vec dict, vec;
        uint64_t valid[ROWS_MAX / 64 + 1];
        int64_t rows = random_below(ROWS_MAX), used = 1 + random_below(FL_LEN(dictionary));
        for (int64_t i = 0; i < FL_LEN(dictionary); i++)
            dictionary[i] = fl_view_of(texts[i], snprintf(texts[i], 40, "%d, a value", (int)random_below(99)));
        for (int64_t i = 0; i < rows; i++)
            codes[i] = (uint32_t)random_below(used);
        for (int64_t i = 0; i < FL_LEN(valid); i++)
            valid[i] = (uint64_t)random_below(INT32_MAX) * 0x100000001ull;
        fl_vec_set_flat(&dict, FL_TYPE(FL_UTF8), dictionary, NULL);
        fl_vec_set_flat(&vec, FL_TYPE(FL_UTF8), codes, random_below(2) ? valid : NULL);
        vec.layout = FL_DICT;
        vec.width = 4;
        vec.child = &dict;
        vec.child_rows = FL_LEN(dictionary);
        check(&vec, rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_types), cmocka_unit_test(test_dictionaries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
