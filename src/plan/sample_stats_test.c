/* Figures from samples whose rows lie together: what is frequent all over the table is common, what is frequent in one place is
 * not; how many values there are where places have values of their own; failures of memory. */
#include "plan/sample_stats.h"

#include "base/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define PLACES FL_SAMPLE_PLACES_MAX
#define PLACE_ROWS (FL_SAMPLE_ROWS_MAX / PLACES)
#define SPAN 2048
#define TABLE_ROWS 1e6

static fl_memory memory;
static fl_arena arena;
static int64_t values[FL_SAMPLE_ROWS_MAX];

/* The value of a row of a place. */
typedef int64_t (*value_maker)(int32_t place, int32_t row);

static uint64_t random_of(int64_t row)
{
    uint64_t z = (uint64_t)row * 0x9E3779B97F4A7C15ull + 1;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

static fl_status find_stats(value_maker maker, double likeness, fl_col_stats known, fl_col_stats *ret)
{
    static int32_t ends[PLACES];
    static fl_vec vec;
    static const fl_vec *vecs[] = {&vec};
    static const int64_t starts[] = {0, FL_SAMPLE_ROWS_MAX};
    for (int32_t p = 0; p < PLACES; p++) {
        ends[p] = (p + 1) * PLACE_ROWS;
        for (int32_t i = 0; i < PLACE_ROWS; i++)
            values[p * PLACE_ROWS + i] = maker(p, i);
    }
    fl_vec_set_flat(&vec, FL_TYPE(FL_I64), values, NULL);
    fl_sampled_column column = {
        .column = {.type = vec.type, .vecs = vecs, .n_vecs = 1, .starts = starts},
        .sample = {.rows = FL_SAMPLE_ROWS_MAX, .n_places = PLACES, .place_ends = ends, .likeness = likeness},
        .place_rows = SPAN,
        .rows = TABLE_ROWS,
        .distinct_max = INFINITY};
    *ret = known;
    return fl_sample_stats_add(&column, &arena, &memory, ret, NULL);
}

static fl_col_stats stats_of(value_maker maker, double likeness)
{
    const fl_col_stats unknown = {.null_fraction = -1, .distinct = -1};
    fl_col_stats ret;
    assert_int_equal(find_stats(maker, likeness, unknown, &ret), FL_OK);
    assert_int_equal(ret.source, FL_STATS_SAMPLE);
    return ret;
}

static void assert_near(double value, double truth, double factor)
{
    if (!(value <= truth * factor && value >= truth / factor))
        fail_msg("%g is not within a factor of %g of %g", value, factor, truth);
}

static int64_t a_tenth_is_7(int32_t place, int32_t row)
{
    uint64_t random = random_of(place * SPAN + row);
    return random % 10 == 0 ? 7 : (int64_t)(random >> 20) % 100000 + 1000;
}

static int64_t a_place_is_7(int32_t place, int32_t row)
{
    return place == 3 ? 7 : (int64_t)(random_of(place * SPAN + row) >> 20) % 100000 + 1000;
}

static void common_values_are_common_all_over(void **state)
{
    (void)state;
    fl_col_stats stats = stats_of(a_tenth_is_7, 1);
    assert_int_equal(stats.n_common, 1);
    assert_int_equal(stats.common[0].value.i, 7);
    assert_near(stats.common[0].share, 0.1, 1.2);
    assert_int_equal(stats.n_histogram, FL_HISTOGRAM_PARTS + 1);
    assert_near(stats.distinct, 100000, 1.5);
    assert_int_equal(stats_of(a_place_is_7, 1).n_common, 0);
}

static int64_t ascending(int32_t place, int32_t row)
{
    return place * 125000 + row * (SPAN / PLACE_ROWS);
}

static int64_t ascending_in_hundreds(int32_t place, int32_t row)
{
    return ascending(place, row) / 100;
}

static int64_t ascending_in_weekdays(int32_t place, int32_t row)
{
    return (place * 5 + row) % 40 / 8 * 11 + place % 2;
}

static void places_have_values_of_their_own(void **state)
{
    (void)state;
    assert_near(stats_of(ascending, 200).distinct, TABLE_ROWS, 1.1);
    assert_near(stats_of(ascending_in_hundreds, 200).distinct, TABLE_ROWS / 100, 1.5);
    assert_true(stats_of(ascending_in_weekdays, 10).distinct <= 20); /* all places have the same ones */
}

static void few_places_make_few_parts(void **state)
{
    (void)state;
    fl_col_stats stats = stats_of(ascending, 200), bounded = {.null_fraction = 0, .distinct = -1, .has_bounds = true};
    assert_in_range(stats.n_histogram, 2, 16);
    bounded.min = (fl_value){.type = FL_TYPE(FL_I64)};
    bounded.max = (fl_value){.type = FL_TYPE(FL_I64), .i = 1000000};
    assert_int_equal(find_stats(ascending, 200, bounded, &stats), FL_OK);
    assert_int_equal(stats.n_histogram, 0);
}

static void footers_may_know_better(void **state)
{
    (void)state;
    fl_col_stats stats, known = {.null_fraction = 0, .distinct = 30000, .source = FL_STATS_FOOTER, .has_bounds = true};
    known.min = (fl_value){.type = FL_TYPE(FL_I64)};
    known.max = (fl_value){.type = FL_TYPE(FL_I64), .i = 110000};
    assert_int_equal(find_stats(a_tenth_is_7, 1, known, &stats), FL_OK);
    assert_true(stats.distinct == 30000 && stats.source == FL_STATS_SAMPLE);
    known.distinct = 110001; /* what lies between the bounds */
    assert_int_equal(find_stats(a_tenth_is_7, 1, known, &stats), FL_OK);
    assert_true(stats.distinct < 110000);
}

static void failures_are_told(void **state)
{
    (void)state;
    bool is_untouched = false;
    for (int64_t n = 1; !is_untouched; n++) {
        const fl_col_stats unknown = {.null_fraction = -1, .distinct = -1};
        fl_col_stats stats;
        fl_arena_drop(&arena);
        fl_fault_arm(FL_FAULT_ALLOC, n);
        fl_status st = find_stats(a_tenth_is_7, 1, unknown, &stats);
        is_untouched = fl_fault_is_armed(FL_FAULT_ALLOC);
        fl_fault_arm(FL_FAULT_ALLOC, 0);
        assert_int_equal(st, is_untouched ? FL_OK : FL_ERR_MEMORY);
    }
}

static int drops_all(void **state)
{
    (void)state;
    fl_arena_drop(&arena);
    return atomic_load(&memory.used_bytes) == 0 ? 0 : -1;
}

#define TEST(function) cmocka_unit_test_teardown(function, drops_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(common_values_are_common_all_over),
        TEST(places_have_values_of_their_own),
        TEST(few_places_make_few_parts),
        TEST(footers_may_know_better),
        TEST(failures_are_told),
    };
    fl_memory_init(&memory, NULL, "test", 0);
    fl_arena_init(&arena, &memory);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
