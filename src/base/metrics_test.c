/* Counters that several threads add to, histograms, and the text that Prometheus reads. */
#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#define THREADS 8
#define ADDITIONS 10000

static fl_metrics *make(int32_t n_threads)
{
    fl_metrics *metrics = NULL;
    assert_int_equal(fl_metrics_new(n_threads, &metrics, NULL), FL_OK);
    return metrics;
}

static void *add_many(void *ctx)
{
    for (int32_t i = 0; i < ADDITIONS; i++) {
        fl_metrics_add(ctx, FL_METRIC_FILTER_MERGES, 3);
        fl_metrics_observe(ctx, FL_METRIC_QUERY_PLAN_COMPLEXITY, i);
    }
    return NULL;
}

/* Nothing is lost, whether threads have shards of their own or not. */
static void test_threads(void **state)
{
    (void)state;
    for (int32_t n = 1; n <= 1000; n *= 10) {
        fl_metrics *metrics = make(n);
        pthread_t threads[THREADS];
        for (int32_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, add_many, metrics), 0);
        for (int32_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(fl_metrics_value(metrics, FL_METRIC_FILTER_MERGES), 3 * THREADS * ADDITIONS);
        assert_int_equal(fl_metrics_value(metrics, FL_METRIC_QUERY_PLAN_COMPLEXITY), THREADS * ADDITIONS);
        assert_int_equal(fl_metrics_value(metrics, FL_METRIC_PREDICATE_PUSHDOWNS), 0);
        fl_metrics_free(metrics);
    }
}

static void test_nowhere(void **state)
{
    (void)state;
    fl_metrics_add(NULL, FL_METRIC_FILTER_MERGES, 1);
    fl_metrics_observe(NULL, FL_METRIC_QUERY_PLAN_COMPLEXITY, 1);
    fl_metrics_free(NULL);
}

static void assert_has(const fl_text *text, const char *lines)
{
    assert_int_equal(text->st, FL_OK);
    if (memmem(text->data, (size_t)text->len, lines, strlen(lines)) == NULL)
        fail_msg("%.*s\nhas no\n%s", (int)text->len, text->data, lines);
}

/* A bound belongs to its bucket; what is beyond the last one counts as +Inf; sums are exact, in seconds. */
static void test_text(void **state)
{
    (void)state;
    fl_metrics *metrics = make(2);
    fl_text text;
    fl_text_init(&text, NULL);
    fl_metrics_add(metrics, FL_METRIC_WASM_UDF_CACHE_HITS, 7);
    fl_metrics_observe(metrics, FL_METRIC_QUERY_PLAN_COMPLEXITY, 0);
    fl_metrics_observe(metrics, FL_METRIC_QUERY_PLAN_COMPLEXITY, 5);
    fl_metrics_observe(metrics, FL_METRIC_QUERY_PLAN_COMPLEXITY, 6);
    fl_metrics_observe(metrics, FL_METRIC_QUERY_PLAN_COMPLEXITY, 1000000);
    fl_metrics_observe(metrics, FL_METRIC_QUERY_PLANNING_DURATION, 250);
    fl_metrics_observe(metrics, FL_METRIC_QUERY_PLANNING_DURATION, 1250000001);
    fl_metrics_observe(metrics, FL_METRIC_QUERY_PLANNING_DURATION, -5);
    fl_metrics_print(&text, metrics);
    assert_has(&text, "# TYPE wasm_udf_cache_hits_total counter\nwasm_udf_cache_hits_total 7\n");
    assert_has(&text, "# TYPE wasm_udf_cache_misses_total counter\nwasm_udf_cache_misses_total 0\n");
    assert_has(&text, "# HELP query_plan_complexity Operators of the plan");
    assert_has(&text, "# TYPE query_plan_complexity histogram\n"
                      "query_plan_complexity_bucket{le=\"1\"} 1\n"
                      "query_plan_complexity_bucket{le=\"2\"} 1\n"
                      "query_plan_complexity_bucket{le=\"5\"} 2\n"
                      "query_plan_complexity_bucket{le=\"10\"} 3\n");
    assert_has(&text, "query_plan_complexity_bucket{le=\"10000\"} 3\n"
                      "query_plan_complexity_bucket{le=\"+Inf\"} 4\n"
                      "query_plan_complexity_sum 1000011\n"
                      "query_plan_complexity_count 4\n");
    assert_has(&text, "query_planning_duration_seconds_bucket{le=\"2.5e-07\"} 2\n");
    assert_has(&text, "query_planning_duration_seconds_bucket{le=\"1\"} 2\n"
                      "query_planning_duration_seconds_bucket{le=\"10\"} 3\n"
                      "query_planning_duration_seconds_bucket{le=\"+Inf\"} 3\n"
                      "query_planning_duration_seconds_sum 1.250000251\n"
                      "query_planning_duration_seconds_count 3\n");
    fl_text_drop(&text);
    fl_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
