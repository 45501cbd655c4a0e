/* What is encoded is what is decoded: hybrid runs, deltas and packed values, of every width, beside the readers' functions. */
#include "format/parquet/encode.h"

#include "format/parquet/delta.h"
#include "format/parquet/hybrid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_MAX 3000
#define PADDING 64

static uint32_t state_of_random = 1;

static uint32_t next_random(void)
{
    state_of_random = state_of_random * 1664525u + 1013904223u;
    return state_of_random >> 8;
}

/* Readers look a register past the end. */
static void pad(fl_text *text)
{
    char *room = fl_text_room(text, PADDING);
    assert_non_null(room);
    memset(room, 0xA5, PADDING);
}

/* Values of which some repeat, in runs of all lengths. */
static void fill(uint32_t *values, int64_t n, uint32_t max)
{
    for (int64_t i = 0; i < n;) {
        uint32_t value = max == UINT32_MAX ? next_random() << 8 ^ next_random() : next_random() % (max + 1);
        int64_t run = next_random() % 3 == 0 ? next_random() % 40 + 1 : 1;
        for (; run > 0 && i < n; run--)
            values[i++] = value;
    }
}

static void check_hybrid(int64_t n, int32_t width)
{
    static uint32_t values[N_MAX], got[N_MAX + PADDING];
    const fl_pq_kernels *kernels = fl_pq_kernels_choose();
    fl_text text;
    fl_pq_hybrid h;
    fl_text_init(&text, NULL);
    fill(values, n, width == 32 ? UINT32_MAX : (1u << width) - 1);
    fl_pq_hybrid_write(&text, values, n, width);
    int64_t bytes = text.len;
    pad(&text);
    fl_pq_hybrid_init(&h, (const uint8_t *)text.data, bytes, (uint32_t)width);
    assert_true(fl_pq_hybrid_read(&h, kernels, n, got));
    if (n > 0)
        assert_memory_equal(values, got, (size_t)n * 4);
    fl_text_drop(&text);
}

static void test_hybrid(void **state)
{
    (void)state;
    for (int32_t width = 0; width <= 32; width++)
        for (int64_t n = 0; n <= N_MAX; n = n < 40 ? n + 1 : n * 3)
            check_hybrid(n, width);
}

static void check_delta(const void *values, int64_t n, int32_t width)
{
    static char got[N_MAX * 8 + 64 * PADDING];
    fl_text text;
    fl_text_init(&text, NULL);
    fl_pq_delta_write(&text, values, n, width);
    int64_t bytes = text.len;
    pad(&text);
    assert_int_equal(fl_pq_delta_count((const uint8_t *)text.data, bytes), n);
    assert_int_equal(fl_pq_delta_read((const uint8_t *)text.data, bytes, n, width, got), bytes);
    if (n > 0)
        assert_memory_equal(values, got, (size_t)(n * width));
    int64_t told = fl_pq_delta_bytes(values, n, width);
    assert_true(told <= bytes + bytes / 4 + 64 && bytes <= told + told / 4 + 128);
    fl_text_drop(&text);
}

static void test_delta(void **state)
{
    (void)state;
    static int64_t wide[N_MAX];
    static int32_t narrow[N_MAX];
    for (int64_t n = 0; n <= N_MAX; n = n < 140 ? n + 1 : n * 2 + 5) {
        for (int64_t i = 0; i < n; i++) {
            wide[i] = (int64_t)((uint64_t)next_random() << 40 ^ (uint64_t)next_random() << 20 ^ next_random());
            narrow[i] = (int32_t)(next_random() << 8 ^ next_random());
        }
        check_delta(wide, n, 8);
        check_delta(narrow, n, 4);
        for (int64_t i = 0; i < n; i++) {
            wide[i] = i % 3 == 0 ? INT64_MIN : i % 3 == 1 ? INT64_MAX : 0; /* differences wrap around */
            narrow[i] = (int32_t)(i * 7 - 1000);
        }
        check_delta(wide, n, 8);
        check_delta(narrow, n, 4);
    }
}

static void test_bits(void **state)
{
    (void)state;
    assert_int_equal(fl_pq_bits_of(0), 0);
    assert_int_equal(fl_pq_bits_of(1), 1);
    assert_int_equal(fl_pq_bits_of(255), 8);
    assert_int_equal(fl_pq_bits_of(256), 9);
    assert_int_equal(fl_pq_bits_of(UINT64_MAX), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hybrid), cmocka_unit_test(test_delta),
                                       cmocka_unit_test(test_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
