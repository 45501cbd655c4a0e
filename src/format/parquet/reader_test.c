/* What no writer at hand makes any more: levels packed with the most significant bit first. */
#include "format/parquet/reader.c"

#include <setjmp.h>

#include <cmocka.h>

static void test_oldest_levels(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 1, 2, 3, 3, 2, 1, 0, 2, 2, 1};
    uint8_t packed[16] = {0};
    uint32_t got[64];
    fl_err err = {0};
    fl_pq_hybrid levels = {0};
    fl_pq_reader r = {0};
    fl_pq_pool_init(&r.pool, NULL);
    for (int64_t i = 0; i < FL_LEN(values); i++) /* 2 bits each, from the top of each byte down */
        packed[i / 4] |= (uint8_t)(values[i] << (6 - 2 * (i % 4)));
    assert_int_equal(turn_levels(&r, packed, FL_LEN(values), 2, &levels, &err), FL_OK);
    assert_true(fl_pq_hybrid_read(&levels, fl_pq_kernels_choose(), FL_LEN(values), got));
    for (int64_t i = 0; i < FL_LEN(values); i++)
        assert_int_equal(got[i], values[i]);
    assert_false(fl_pq_hybrid_read(&levels, fl_pq_kernels_choose(), 1, got));
    fl_pq_pool_drop(&r.pool);
}

static void test_widths_of_levels(void **state)
{
    (void)state;
    assert_int_equal(level_width(0), 0);
    assert_int_equal(level_width(1), 1);
    assert_int_equal(level_width(3), 2);
    assert_int_equal(level_width(4), 3);
    assert_int_equal(level_width(100), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oldest_levels),
        cmocka_unit_test(test_widths_of_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
