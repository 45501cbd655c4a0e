/* Where runs begin: of all widths, with and without gaps in the list, with nulls, of floats, words and codes. */
#include "exec/runs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 64

/* `wanted`: a digit a row, 1 where a run begins; the first one is the caller's. */
static void assert_starts(const fl_vec *key, const uint16_t *list, const char *wanted)
{
    uint8_t starts[ROWS] = {0};
    int32_t n = (int32_t)strlen(wanted);
    fl_runs_mark(key, list, n, starts);
    for (int32_t i = 0; i < n; i++)
        assert_int_equal(starts[i], wanted[i] - '0');
}

static const uint16_t all[] = {0, 1, 2, 3, 4, 5, 6, 7}, some[] = {0, 2, 3, 5, 7}, tail[] = {3, 4, 5, 6, 7};

static void test_integers_of_all_widths(void **state)
{
    (void)state;
    static const int8_t values[] = {1, 1, 2, 2, 2, 1, 3, 3};
    static const fl_type types[] = {
        FL_TYPE(FL_I8), FL_TYPE(FL_I16), FL_TYPE(FL_I32), FL_TYPE(FL_I64), {.id = FL_DECIMAL, .precision = 38}};
    for (int64_t t = 0; t < FL_LEN(types); t++) {
        _Alignas(16) uint8_t data[8 * 16] = {0};
        int32_t width = fl_type_width(types[t]);
        uint64_t valid = 0xDB; /* rows 2 and 5 are null */
        fl_vec key;
        for (int32_t i = 0; i < 8; i++) /* the highest byte decides, too */
            data[i * width + width - 1] = (uint8_t)values[i];
        fl_vec_set_flat(&key, types[t], data, NULL);
        assert_starts(&key, all, "00100110");
        assert_starts(&key, some, "01011");
        assert_starts(&key, tail, "00110");
        fl_vec_set_flat(&key, types[t], data, &valid);
        assert_starts(&key, all, "00110110");
        assert_starts(&key, (const uint16_t[]){2, 5, 6}, "001"); /* nulls are equal, whatever lies there */
    }
}

static void test_floats_and_bits(void **state)
{
    (void)state;
    double doubles[] = {0.0, -0.0, (double)NAN, -(double)NAN, 1, (double)INFINITY, (double)INFINITY, 2};
    float floats[8];
    uint64_t bits = 0x2C; /* 0 0 1 1 0 1 0 0 */
    fl_vec key;
    for (int32_t i = 0; i < 8; i++)
        floats[i] = (float)doubles[i];
    fl_vec_set_flat(&key, FL_TYPE(FL_F64), doubles, NULL);
    assert_starts(&key, all, "00101101");
    fl_vec_set_flat(&key, FL_TYPE(FL_F32), floats, NULL);
    assert_starts(&key, all, "00101101");
    fl_vec_set_flat(&key, FL_TYPE(FL_BOOL), &bits, NULL);
    assert_starts(&key, all, "00101110");
}

static void test_words_and_codes(void **state)
{
    (void)state;
    const char *same = "a name that is long", *again = "a name that is long";
    fl_view words[] = {fl_view_of(same, 19), fl_view_of(again, 19), fl_view_of(same, 18), fl_view_of("a", 1)};
    uint32_t codes[] = {0, 0, 1, 2, 3, 3, 0, 1};
    fl_vec child, key;
    fl_vec_set_flat(&child, FL_TYPE(FL_UTF8), words, NULL);
    assert_starts(&child, all, "0011");
    key = (fl_vec){.type = FL_TYPE(FL_UTF8), .layout = FL_DICT, .data = codes, .child = &child};
    assert_starts(&key, all, "00011010"); /* codes 0 and 1 are the same word */
}

/* What an earlier key marked stays; a constant and nothing but nulls mark nothing. */
static void test_keys_add_up(void **state)
{
    (void)state;
    int32_t values[] = {1, 1, 2, 2};
    uint8_t starts[4] = {1, 1, 0, 0};
    fl_vec key;
    fl_vec_set_flat(&key, FL_TYPE(FL_I32), values, NULL);
    fl_runs_mark(&key, all, 4, starts);
    assert_memory_equal(starts, ((const uint8_t[]){1, 1, 1, 0}), 4);
    fl_vec_set_const(&key, FL_TYPE(FL_I32), values);
    assert_starts(&key, all, "0000");
    fl_vec_set_const(&key, FL_TYPE(FL_NULL), NULL);
    assert_starts(&key, all, "0000");
    assert_starts(&key, all, "");
}

/* Pairs need not be neighbours, nor ascend. */
static void test_pairs(void **state)
{
    (void)state;
    static const uint16_t rows[] = {7, 0, 3, 5, 2}, others[] = {1, 0, 6, 2, 5};
    int64_t values[] = {4, 8, 1, 5, 0, 1, 5, 8};
    double doubles[] = {0, -0.0, (double)NAN, 1, 0, 1, 1, 0.0};
    uint64_t valid = 0xDF; /* row 5 is null */
    uint8_t marks[5] = {0};
    fl_vec key;
    fl_vec_set_flat(&key, FL_TYPE(FL_I64), values, NULL);
    fl_runs_mark_pairs(&key, rows, others, 5, marks);
    assert_memory_equal(marks, ((const uint8_t[]){0, 0, 0, 0, 0}), 5);
    fl_vec_set_flat(&key, FL_TYPE(FL_F64), doubles, NULL);
    fl_runs_mark_pairs(&key, rows, others, 3, marks);
    assert_memory_equal(marks, ((const uint8_t[]){0, 0, 0, 0, 0}), 5);
    fl_vec_set_flat(&key, FL_TYPE(FL_I64), values, &valid);
    fl_runs_mark_pairs(&key, rows, others, 5, marks);
    assert_memory_equal(marks, ((const uint8_t[]){0, 0, 0, 1, 1}), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_of_all_widths),
        cmocka_unit_test(test_floats_and_bits),
        cmocka_unit_test(test_words_and_codes),
        cmocka_unit_test(test_keys_add_up),
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
