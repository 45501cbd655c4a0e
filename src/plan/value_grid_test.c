/* Grids against counted rows: columns whose values are drawn, their figures as a sample gives them, and how many rows of two and
 * three of them have one value; keys, texts, nulls, columns that nothing is known of; failures of memory. */
#include "plan/value_grid.h"

#include "base/fault.h"
#include "plan/sample_stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define VALUES 3000
#define ROWS 50000
#define PICKS 2048
#define COLUMNS 4

static fl_memory memory;
static fl_arena arena;

/* A column of whole numbers below VALUES, or of texts of them. */
typedef struct column {
    double counts[VALUES];
    double rows;
    fl_col_stats stats;
} column;

static column columns[COLUMNS];

static uint64_t random_of(int64_t row)
{
    uint64_t z = (uint64_t)row * 0x9E3779B97F4A7C15ull + 1;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

/* Values of a share of the rows: the power of an even number in [0, 1). */
static int64_t draw(int64_t row, double power)
{
    return (int64_t)(pow((double)(random_of(row) >> 11) / (double)(1ll << 53), power) * VALUES);
}

static fl_type type_of(bool is_text)
{
    return FL_TYPE(is_text ? FL_UTF8 : FL_I64);
}

static void find_stats(column *c, bool is_text, const int64_t *sample, int32_t n)
{
    static fl_view views[ROWS];
    static char chars[ROWS][16];
    const int64_t starts[] = {0, n};
    fl_vec vec;
    const fl_vec *vecs[] = {&vec};
    for (int32_t i = 0; i < n; i++)
        views[i] = fl_view_of(chars[i], snprintf(chars[i], sizeof(chars[i]), "%08lld", (long long)sample[i]));
    fl_vec_set_flat(&vec, type_of(is_text), is_text ? (const void *)views : sample, NULL);
    fl_sampled_column sampled = {.column = {.type = vec.type, .vecs = vecs, .n_vecs = 1, .starts = starts},
                                 .sample = {.rows = n, .likeness = 1},
                                 .rows = c->rows,
                                 .distinct_max = INFINITY};
    c->stats = (fl_col_stats){.null_fraction = -1, .distinct = -1};
    assert_int_equal(fl_sample_stats_add(&sampled, &arena, &memory, &c->stats, NULL), FL_OK);
}

/* power 0: a key. */
static void make_column(int32_t at, double power, bool is_text)
{
    static int64_t sample[PICKS];
    column *c = &columns[at];
    *c = (column){.rows = power > 0 ? ROWS : VALUES};
    int32_t n = 0;
    for (int64_t row = 0; row < (int64_t)c->rows; row++) {
        int64_t value = power > 0 ? draw(row + at * 1000000, power) : row;
        c->counts[value]++;
        if (random_of(-row - at) % (uint64_t)c->rows < PICKS && n < PICKS)
            sample[n++] = value;
    }
    find_stats(c, is_text, sample, n);
}

static double counted_share(const int32_t *list, int32_t n)
{
    double sum = 0;
    for (int32_t v = 0; v < VALUES; v++) {
        double product = 1;
        for (int32_t i = 0; i < n; i++)
            product *= columns[list[i]].counts[v] / columns[list[i]].rows;
        sum += product;
    }
    return sum;
}

static fl_status make_grid(bool is_text, fl_value_grid *ret)
{
    fl_grid_column of[COLUMNS];
    for (int32_t i = 0; i < COLUMNS; i++)
        of[i] = (fl_grid_column){&columns[i].stats, columns[i].rows};
    return fl_value_grid_make(&arena, type_of(is_text), of, COLUMNS, ret, NULL);
}

static void check_shares(bool is_text, double factor)
{
    const int32_t lists[][3] = {{0, 1, -1}, {1, 0, -1}, {0, 2, -1}, {1, 2, -1}, {1, 3, -1}, {0, 1, 2}, {3, 2, 1}};
    fl_value_grid grid;
    assert_int_equal(make_grid(is_text, &grid), FL_OK);
    for (size_t i = 0; i < FL_LEN(lists); i++) {
        int32_t n = lists[i][2] < 0 ? 2 : 3;
        double share = fl_value_grid_share(&grid, lists[i], n), counted = counted_share(lists[i], n);
        if (!(share < counted * factor && share > counted / factor))
            fail_msg("columns %d, %d, %d: %g, counted %g", lists[i][0], lists[i][1], lists[i][2], share, counted);
    }
    for (int32_t i = 0; i < COLUMNS; i++)
        assert_true(fabs(fl_value_grid_share(&grid, &i, 1) - 1) < 0.02);
}

static void shares_are_those_that_are_counted(void **state)
{
    (void)state;
    for (int is_text = 0; is_text < 2; is_text++) {
        make_column(0, 0, is_text != 0);
        make_column(1, 3, is_text != 0);
        make_column(2, 4, is_text != 0);
        make_column(3, 1, is_text != 0);
        check_shares(is_text != 0, is_text != 0 ? 2 : 1.35);
    }
}

/* The first column's values are some of the second's, the third's are none of the first's. */
static void few_values_meet_few(void **state)
{
    (void)state;
    fl_value_grid grid;
    const int32_t meets[] = {0, 1}, misses[] = {0, 2}, unknown[] = {1, 3};
    for (int32_t i = 0; i < COLUMNS; i++)
        columns[i] = (column){.rows = ROWS, .stats = {.null_fraction = 0, .distinct = 100, .has_bounds = i < 3}};
    columns[1].stats.distinct = 1000;
    columns[0].stats.min = columns[0].stats.max = columns[1].stats.min = columns[1].stats.max = columns[2].stats.min =
        columns[2].stats.max = (fl_value){.type = FL_TYPE(FL_I64)};
    columns[0].stats.max.i = 99;
    columns[1].stats.max.i = 999;
    columns[2].stats.min.i = 500;
    columns[2].stats.max.i = 599;
    columns[3].stats.null_fraction = 0.5;
    assert_int_equal(make_grid(false, &grid), FL_OK);
    assert_true(fabs(fl_value_grid_share(&grid, meets, 2) * 1000 - 1) < 0.05);
    assert_true(fl_value_grid_share(&grid, misses, 2) < 1e-6);
    assert_true(fabs(fl_value_grid_share(&grid, unknown, 2) * 1000 - 0.5) < 0.05);
}

static void failures_are_told(void **state)
{
    (void)state;
    bool is_untouched = false;
    make_column(0, 0, false);
    make_column(1, 3, false);
    make_column(2, 4, false);
    make_column(3, 1, false);
    for (int64_t n = 1; !is_untouched; n++) {
        fl_value_grid grid;
        fl_arena kept = arena;
        fl_arena_init(&arena, &memory);
        fl_fault_arm(FL_FAULT_ALLOC, n);
        fl_status st = make_grid(false, &grid);
        is_untouched = fl_fault_is_armed(FL_FAULT_ALLOC);
        fl_fault_arm(FL_FAULT_ALLOC, 0);
        assert_int_equal(st, is_untouched ? FL_OK : FL_ERR_MEMORY);
        fl_arena_drop(&arena);
        arena = kept;
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
        TEST(shares_are_those_that_are_counted),
        TEST(few_values_meet_few),
        TEST(failures_are_told),
    };
    fl_memory_init(&memory, NULL, "test", 0);
    fl_arena_init(&arena, &memory);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
