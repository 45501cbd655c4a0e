/* Statistics of tables whose true figures are known: of uniform and skewed columns of all types, from a sample, from ANALYZE,
 * and exactly where the table is small; the sample of rows; the sketch. */
#include "plan/distinct_estimate.h"
#include "store/distinct_sketch.h"
#include "store/memory_table.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BATCH FL_VECTOR_ROWS
#define MANY 1000000

/* The value of a row: writes the column's bytes, or false for null. Texts are written as views of `chars`. */
typedef bool (*value_maker)(int64_t row, void *ret, char chars[64]);

static uint64_t random_of(int64_t row)
{
    uint64_t z = (uint64_t)row * 0x9E3779B97F4A7C15ull + 1;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

/* A table of one column; keys: whether it is unique. */
static fl_table *make_table(fl_type type, int64_t rows, value_maker maker, bool is_key)
{
    fl_segment_builder *builder = NULL;
    fl_segment *segments[64];
    int32_t n = 0, width = fl_type_is_string(type) ? (int32_t)sizeof(fl_view) : fl_type_width(type);
    char *data = malloc((size_t)width * BATCH), (*chars)[64] = malloc((size_t)64 * BATCH);
    assert_int_equal(fl_segment_builder_new(NULL, &type, 1, FL_SEGMENT_TABLE, &builder, NULL), FL_OK);
    for (int64_t start = 0; start < rows; start += BATCH) {
        uint64_t valid[BATCH / 64] = {0};
        int32_t count = (int32_t)(rows - start < BATCH ? rows - start : BATCH);
        for (int32_t i = 0; i < count; i++) {
            memset(data + (size_t)i * (size_t)width, 0, (size_t)width);
            if (maker(start + i, data + (size_t)i * (size_t)width, chars[i]))
                fl_bit_set(valid, i);
        }
        fl_vec vec;
        fl_vec_set_flat(&vec, type, data, valid);
        assert_int_equal(fl_segment_builder_add(builder, &vec, NULL, count, NULL), FL_OK);
        if (fl_segment_builder_is_full(builder))
            assert_int_equal(fl_segment_builder_finish(builder, &segments[n++], NULL), FL_OK);
    }
    if (fl_segment_builder_rows(builder) > 0)
        assert_int_equal(fl_segment_builder_finish(builder, &segments[n++], NULL), FL_OK);
    fl_segment_builder_free(builder);
    free(data);
    free(chars);
    fl_table *table = NULL;
    fl_field field = {.name = FL_STR("x"), .type = type, .nullable = true};
    assert_int_equal(fl_memory_table_new(NULL, FL_STR("t"), &field, 1, segments, n, &table, NULL), FL_OK);
    for (int32_t i = 0; i < n; i++)
        fl_segment_unref(segments[i]);
    int32_t col = 0;
    fl_table_key key = {.name = FL_STR("k"), .cols = &col, .n_cols = 1};
    if (is_key)
        assert_int_equal(fl_memory_table_set_keys(table, &key, 1, NULL), FL_OK);
    return table;
}

/* What must hold of any column. */
static fl_col_stats checked_stats(fl_table *table)
{
    fl_col_stats stats;
    double shares = 0;
    table->ops->stats(table, 0, &stats);
    assert_true(stats.distinct >= 1 && stats.distinct <= fmax(table->rows, 1));
    assert_true(stats.null_fraction >= 0 && stats.null_fraction <= 1);
    for (int32_t i = 0; i < stats.n_common; i++) {
        shares += stats.common[i].share;
        assert_true(stats.common[i].share > 0);
        assert_true(i == 0 || stats.common[i].share <= stats.common[i - 1].share);
        assert_false(stats.common[i].value.is_null);
    }
    assert_true(shares <= 1 - stats.null_fraction + 1e-9);
    assert_true(stats.n_histogram == 0 || stats.n_histogram >= 2);
    for (int32_t i = 0; i < stats.n_histogram; i++) {
        const fl_value *v = &stats.histogram[i];
        assert_false(v->is_null);
        assert_true(i == 0 || fl_value_compare(v - 1, v) <= 0);
        if (stats.has_bounds)
            assert_true(fl_value_compare(v, &stats.min) >= 0 && fl_value_compare(v, &stats.max) <= 0);
        for (int32_t k = 0; k < stats.n_common; k++)
            assert_int_not_equal(fl_value_compare(v, &stats.common[k].value), 0);
    }
    return stats;
}

static void assert_near(double value, double truth, double factor)
{
    if (!(value <= truth * factor && value >= truth / factor))
        fail_msg("%g is not within a factor of %g of %g", value, factor, truth);
}

/* ---- distributions -------------------------------------------------------------------------------------------------- */

static int64_t uniform_values;

static bool uniform(int64_t row, void *ret, char chars[64])
{
    (void)chars;
    *(int64_t *)ret = (int64_t)(random_of(row) % (uint64_t)uniform_values) * 3;
    return true;
}

/* Zipf's law over ten million values, by the inverse of the harmonic sum. */
static bool zipf(int64_t row, void *ret, char chars[64])
{
    (void)chars;
    double u = (double)(random_of(row) >> 11) / (double)(1ll << 53) * (log(1e7 + 0.5) - log(0.5));
    *(int64_t *)ret = (int64_t)(0.5 * exp(u) + 0.5);
    return true;
}

static double count_distinct(value_maker maker, int64_t rows, int64_t value_max)
{
    int64_t value = 0, count = 0;
    uint64_t *map = calloc((size_t)fl_bitmap_words(value_max + 1), 8);
    for (int64_t row = 0; row < rows; row++) {
        maker(row, &value, NULL);
        count += !fl_bit_get(map, value);
        fl_bit_set(map, value);
    }
    free(map);
    return (double)count;
}

static void uniform_columns(void **state)
{
    (void)state;
    const int64_t counts[] = {5, 1000, 20000, 200000, 10000000};
    for (size_t i = 0; i < FL_LEN(counts); i++) {
        uniform_values = counts[i];
        fl_table *table = make_table(FL_TYPE(FL_I64), MANY, uniform, false);
        double truth = count_distinct(uniform, MANY, counts[i] * 3);
        fl_col_stats stats = checked_stats(table);
        assert_near(stats.distinct, truth, 1.5);
        assert_int_equal(stats.n_common, counts[i] == 5 ? 5 : 0);
        assert_int_equal(stats.n_histogram, counts[i] == 5 ? 0 : 65);
        assert_int_equal(stats.source, FL_STATS_SAMPLE);
        for (int32_t h = 0; h < stats.n_histogram; h++)
            assert_true(fabs((double)stats.histogram[h].i / (double)(counts[i] * 3) - h / 64.0) < 0.02);
        assert_int_equal(fl_memory_table_analyze(table, NULL, NULL), FL_OK);
        stats = checked_stats(table);
        assert_near(stats.distinct, truth, 1.03);
        assert_int_equal(stats.source, FL_STATS_ANALYZE);
        fl_table_unref(table);
    }
}

static void skewed_columns(void **state)
{
    (void)state;
    fl_table *table = make_table(FL_TYPE(FL_I64), MANY, zipf, false);
    double truth = count_distinct(zipf, MANY, 10000001);
    for (int round = 0; round < 2; round++) {
        fl_col_stats stats = checked_stats(table);
        assert_near(stats.distinct, truth, round == 0 ? 2 : 1.03);
        assert_true(stats.n_common >= 24);
        for (int32_t i = 0; i < 10; i++) { /* value k has log(k + 0.5) − log(k − 0.5) of all */
            double k = (double)stats.common[i].value.i;
            assert_near(stats.common[i].share, log((k + 0.5) / (k - 0.5)) / log(2e7 + 1), 1.2);
        }
        assert_int_equal(stats.n_histogram, 65);
        assert_int_equal(fl_memory_table_analyze(table, NULL, NULL), FL_OK);
    }
    fl_table_unref(table);
}

static bool each_four_times(int64_t row, void *ret, char chars[64])
{
    (void)chars;
    *(int64_t *)ret = row / 4 * 100;
    return true;
}

static bool own_number(int64_t row, void *ret, char chars[64])
{
    (void)chars;
    *(int64_t *)ret = row * 7;
    return true;
}

static void clustered_and_unique_columns(void **state)
{
    (void)state;
    fl_table *table = make_table(FL_TYPE(FL_I64), MANY, each_four_times, false);
    assert_near(checked_stats(table).distinct, MANY / 4.0, 2.5);
    fl_table_unref(table);
    table = make_table(FL_TYPE(FL_I64), MANY, own_number, false);
    assert_near(checked_stats(table).distinct, MANY, 1.01);
    fl_table_unref(table);
    table = make_table(FL_TYPE(FL_I64), MANY, own_number, true);
    fl_col_stats stats = checked_stats(table);
    assert_true(stats.distinct == MANY && stats.source == FL_STATS_EXACT && stats.n_common == 0);
    fl_table_unref(table);
}

static bool constant(int64_t row, void *ret, char chars[64])
{
    (void)row;
    (void)chars;
    *(int32_t *)ret = 42;
    return true;
}

static bool mostly_null(int64_t row, void *ret, char chars[64])
{
    (void)chars;
    *(int32_t *)ret = (int32_t)(random_of(row) % 50);
    return random_of(row * 2 + 1) % 100 == 0;
}

static bool nothing(int64_t row, void *ret, char chars[64])
{
    (void)row;
    (void)ret;
    (void)chars;
    return false;
}

static bool two_values(int64_t row, void *ret, char chars[64])
{
    (void)chars;
    *(int32_t *)ret = random_of(row) % 4 == 0 ? 1000000 : -1000000;
    return true;
}

static void few_values(void **state)
{
    (void)state;
    fl_table *table = make_table(FL_TYPE(FL_I32), 100000, constant, false);
    fl_col_stats stats = checked_stats(table);
    assert_true(stats.distinct == 1 && stats.source == FL_STATS_EXACT); /* its bounds say it */
    assert_true(stats.n_common == 1 && stats.common[0].share == 1 && stats.common[0].value.i == 42);
    assert_int_equal(stats.n_histogram, 0);
    fl_table_unref(table);
    table = make_table(FL_TYPE(FL_I32), 100000, two_values, false);
    stats = checked_stats(table);
    assert_true(stats.distinct == 2 && stats.n_common == 2);
    assert_near(stats.common[0].share, 0.75, 1.02);
    assert_int_equal(stats.common[0].value.i, -1000000);
    fl_table_unref(table);
    table = make_table(FL_TYPE(FL_DATE), MANY, mostly_null, false);
    stats = checked_stats(table);
    assert_near(stats.null_fraction, 0.99, 1.01);
    assert_near(stats.distinct, 50, 1.3);
    fl_table_unref(table);
    table = make_table(FL_TYPE(FL_I32), 100000, nothing, false);
    stats = checked_stats(table);
    assert_true(stats.null_fraction == 1 && stats.distinct == 1 && !stats.has_bounds);
    assert_true(stats.n_common == 0 && stats.n_histogram == 0);
    fl_table_unref(table);
    table = make_table(FL_TYPE(FL_I32), 0, nothing, false);
    table->ops->stats(table, 0, &stats);
    assert_true(stats.distinct < 0 && !stats.has_bounds && stats.n_common == 0);
    assert_int_equal(fl_memory_table_analyze(table, NULL, NULL), FL_OK);
    fl_table_unref(table);
}

static void small_tables_are_counted(void **state)
{
    (void)state;
    uniform_values = 1000;
    fl_table *table = make_table(FL_TYPE(FL_I64), 5000, uniform, false);
    fl_col_stats stats = checked_stats(table);
    assert_true(stats.distinct == count_distinct(uniform, 5000, 3000) && stats.source == FL_STATS_EXACT);
    fl_table_unref(table);
}

/* ---- types ---------------------------------------------------------------------------------------------------------- */

static bool odd_doubles(int64_t row, void *ret, char chars[64])
{
    (void)chars;
    uint64_t r = random_of(row);
    double values[] = {NAN, -NAN, INFINITY, -INFINITY, 0.0, -0.0};
    *(double *)ret = r % 10 < 6 ? values[r % 10] : (double)(int64_t)(r >> 40) - 8e6;
    return true;
}

static bool long_decimals(int64_t row, void *ret, char chars[64])
{
    (void)chars;
    fl_i128 value = ((fl_i128)(random_of(row) % 30000) - 15000) * ((fl_i128)1 << 70);
    memcpy(ret, &value, sizeof(value));
    return true;
}

static bool texts(int64_t row, void *ret, char chars[64])
{
    uint64_t r = random_of(row);
    int len = snprintf(chars, 64, "https://example.org/%s/%05d", r % 2 == 0 ? "archive" : "a", (int)(r >> 40) % 30000);
    fl_view view = r % 16 == 0 ? fl_view_of("home", 4) : fl_view_of(chars, len);
    memcpy(ret, &view, sizeof(view));
    return true;
}

static bool words(int64_t row, void *ret, char chars[64])
{
    (void)chars;
    static const char *const of[] = {"", "ab", "abc", "DELIVER IN PERSON", "DELIVER IN PARIS"};
    const char *word = of[random_of(row) % FL_LEN(of)];
    fl_view view = fl_view_of(word, (int64_t)strlen(word));
    memcpy(ret, &view, sizeof(view));
    return true;
}

static void other_types(void **state)
{
    (void)state;
    fl_table *table = make_table(FL_TYPE(FL_F64), 300000, odd_doubles, false);
    fl_col_stats stats = checked_stats(table);
    assert_true(stats.n_common == 4); /* NaN is one value, and so is zero */
    assert_near(stats.common[0].share, 0.2, 1.2);
    assert_near(stats.common[1].share, 0.2, 1.2);
    assert_true(isnan(stats.common[0].value.f) || isnan(stats.common[1].value.f));
    assert_int_equal(stats.n_histogram, 65);
    fl_table_unref(table);
    table = make_table(FL_TYPE_DECIMAL(38, 2), 300000, long_decimals, false);
    assert_near(checked_stats(table).distinct, 30000, 1.3);
    fl_table_unref(table);
    table = make_table(FL_TYPE(FL_UTF8), 300000, texts, false);
    for (int round = 0; round < 2; round++) {
        stats = checked_stats(table);
        assert_near(stats.distinct, 59300, round == 0 ? 1.5 : 1.03);
        assert_int_equal(stats.n_common, 1);
        assert_true(fl_str_is_equal(stats.common[0].value.s, FL_STR("home")));
        assert_near(stats.common[0].share, 1.0 / 16, 1.2);
        assert_int_equal(stats.n_histogram, 65);
        assert_int_equal(fl_memory_table_analyze(table, NULL, NULL), FL_OK);
    }
    fl_table_unref(table);
    table = make_table(FL_TYPE(FL_UTF8), 300000, words, false);
    stats = checked_stats(table);
    assert_true(stats.distinct == 5 && stats.n_common == 5 && stats.n_histogram == 0);
    fl_table_unref(table);
}

/* ---- the sample ----------------------------------------------------------------------------------------------------- */

static void *ask(void *table)
{
    static const int32_t col = 0;
    fl_table_sample sample;
    fl_vec vec;
    fl_table *t = table;
    assert_int_equal(t->ops->sample(t, NULL, &col, 1, &vec, &sample, NULL), FL_OK);
    (void)checked_stats(t);
    return (void *)(uintptr_t)vec.data;
}

static void samples(void **state)
{
    (void)state;
    const int64_t sizes[] = {0, 1, 2047, 2048, 2049, 3000, 200000, 500000};
    for (size_t i = 0; i < FL_LEN(sizes); i++) {
        fl_table *table = make_table(FL_TYPE(FL_I64), sizes[i], own_number, false);
        int32_t rows = (int32_t)(sizes[i] < FL_SAMPLE_ROWS_MAX ? sizes[i] : FL_SAMPLE_ROWS_MAX);
        const int32_t cols[] = {0, 0};
        fl_table_sample one, two;
        fl_vec vecs[3];
        assert_int_equal(table->ops->sample(table, NULL, cols, 1, vecs, &one, NULL), FL_OK);
        assert_int_equal(table->ops->sample(table, NULL, cols, 2, vecs + 1, &two, NULL), FL_OK);
        assert_int_equal(one.rows, rows);
        assert_int_equal(two.rows, rows);
        for (int32_t row = 0; row < rows; row++) {
            int64_t value = ((const int64_t *)vecs[0].data)[row];
            assert_int_equal(value, ((const int64_t *)vecs[2].data)[row]);
            assert_true(value % 7 == 0 && value / 7 < sizes[i]);
            assert_true(row == 0 || value > ((const int64_t *)vecs[0].data)[row - 1]);
        }
        fl_table_unref(table);
    }
}

static void several_ask_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    void *first = NULL, *data = NULL;
    fl_table *table = make_table(FL_TYPE(FL_UTF8), 300000, texts, false);
    for (size_t i = 0; i < FL_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, table), 0);
    for (size_t i = 0; i < FL_LEN(threads); i++) {
        pthread_join(threads[i], &data);
        first = i == 0 ? data : first;
        assert_ptr_equal(data, first);
    }
    fl_table_unref(table);
}

/* ---- counting ------------------------------------------------------------------------------------------------------- */

static void sketches_count(void **state)
{
    (void)state;
    fl_distinct_sketch *sketch = calloc(1, sizeof(*sketch));
    fl_work work = fl_work_of(NULL);
    int64_t done = 0;
    assert_true(fl_distinct_sketch_count(sketch) < 0.5);
    for (int64_t wanted = 1; wanted <= 10000000; wanted *= 10) {
        for (; done < wanted; done++) {
            fl_vec vec;
            fl_vec_set_flat(&vec, FL_TYPE(FL_I64), &done, NULL);
            assert_int_equal(fl_distinct_sketch_add(sketch, &vec, NULL, 1, &work, NULL), FL_OK);
        }
        assert_near(fl_distinct_sketch_count(sketch), (double)wanted, 1.025);
    }
    free(sketch);
}

static void estimates_are_within_what_can_be(void **state)
{
    (void)state;
    fl_frequencies once = {0}, often = {0};
    for (int i = 0; i < 100; i++) {
        fl_frequencies_add(&once, 1);
        fl_frequencies_add(&often, 1000);
    }
    assert_true(fabs(fl_distinct_estimate(&once, 1e6) - 1e6) < 1);
    assert_true(fl_distinct_estimate(&once, 100) == 100);
    assert_true(fl_distinct_estimate(&often, 1e9) == 100);
    assert_true(fl_distinct_estimate(&(fl_frequencies){0}, 10) == 0);
}

/* A version of a table with other rows at its end: what is known goes on with it as long as these are few, within its bounds. */
static void versions_inherit(void **state)
{
    (void)state;
    const int64_t rows = 400000;
    uniform_values = 50;
    fl_table *old = make_table(FL_TYPE(FL_I64), rows, uniform, false);
    for (int64_t more = 0; more <= rows / 4; more = more * 4 + 1000) {
        fl_col_stats before = checked_stats(old), after;
        fl_table *table = make_table(FL_TYPE(FL_I64), rows + more, uniform, false);
        fl_table_sample sample, sample_before;
        fl_vec vec, vec_before;
        int32_t col = 0;
        assert_int_equal(old->ops->sample(old, NULL, &col, 1, &vec_before, &sample_before, NULL), FL_OK);
        fl_memory_table_inherit(table, old, (double)more);
        after = checked_stats(table);
        assert_int_equal(table->ops->sample(table, NULL, &col, 1, &vec, &sample, NULL), FL_OK);
        assert_near(after.distinct, 50, 1.1);
        assert_int_equal(vec.data == vec_before.data, more * 16 < rows + more);
        assert_int_equal(sample.rows, FL_SAMPLE_ROWS_MAX);
        assert_int_equal(after.n_common, before.n_common);
        fl_table_unref(table);
    }
    fl_table_unref(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_columns),
        cmocka_unit_test(skewed_columns),
        cmocka_unit_test(clustered_and_unique_columns),
        cmocka_unit_test(few_values),
        cmocka_unit_test(small_tables_are_counted),
        cmocka_unit_test(other_types),
        cmocka_unit_test(samples),
        cmocka_unit_test(versions_inherit),
        cmocka_unit_test(several_ask_at_once),
        cmocka_unit_test(sketches_count),
        cmocka_unit_test(estimates_are_within_what_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
