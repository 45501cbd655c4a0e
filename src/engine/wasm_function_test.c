/* Functions in WebAssembly under running queries: tiers that take over from each other, versions that replace each other. */
#include "engine/internal.h"

#include "base/clock.h"
#include "base/spin.h"
#include "udf/wasm/function.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#define MODULES "test/udf/modules/"
#define CREATE(name, module) "CREATE OR REPLACE FUNCTION " name " LANGUAGE wasm AS '" MODULES module ".wasm'"
#define QUERY_THREADS 2
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SWAPS 50
#else
#define SWAPS 300 /* FLETCH_SWAPS in the environment says another number */
#endif

static fl_engine *open_engine(fl_session **ret)
{
    fl_engine *engine = NULL;
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options), .plugin_dir = FLETCH_PLUGIN_DIR};
    if (fl_engine_open(&options, &engine, &err) != FL_OK || fl_session_open(engine, ret, &err) != FL_OK)
        fail_msg("%s", err.message);
    return engine;
}

static fl_status run(fl_session *session, const char *sql, fl_err *err)
{
    struct ArrowArrayStream rows;
    fl_status st = fl_session_query(session, sql, &rows, err);
    if (st == FL_OK)
        rows.release(&rows);
    return st;
}

static void must_run(fl_session *session, const char *sql)
{
    fl_err err = {0};
    if (run(session, sql, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
}

/* The one number of a query; INT64_MIN: it failed. */
static int64_t number_of(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    int64_t number = INT64_MIN;
    if (fl_session_query(session, sql, &rows, NULL) != FL_OK)
        return number;
    if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        number = ((const int64_t *)batch.children[0]->buffers[1])[batch.children[0]->offset];
        batch.release(&batch);
    }
    rows.release(&rows);
    return number;
}

static wasm_function *function_of(fl_engine *engine, const char *name)
{
    fl_udf *udf = fl_udf_store_active(&engine->functions, fl_str_of(name));
    assert_non_null(udf);
    return udf->state;
}

/* Rows that functions were called for. */
static int64_t rows_of(const fl_engine *engine, fl_metric tier)
{
    return fl_metrics_value(engine->memory.metrics, tier);
}

static void test_tiers(void **state)
{
    (void)state;
    static const char text[] = "SELECT max(plus(range)) FROM range(10000)";
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    fl_wasm_hold_compiler(true);
    must_run(session, CREATE("plus", "plus_one"));
    wasm_function *f = function_of(engine, "plus");
    assert_int_equal(number_of(session, text), 10000);
    assert_int_equal(rows_of(engine, FL_METRIC_WASM_UDF_INTERPRETER_CALLS), 10000);
    assert_int_equal(rows_of(engine, FL_METRIC_WASM_UDF_JIT_CALLS), 0);
    assert_int_equal(atomic_load(&f->state), WASM_COMPILES);
    fl_wasm_hold_compiler(false);
    assert_int_equal(fl_wasm_wait_compiled(f, NULL, NULL), FL_OK);
    assert_int_equal(number_of(session, text), 10000);
    assert_int_equal(rows_of(engine, FL_METRIC_WASM_UDF_INTERPRETER_CALLS), 10000);
    assert_int_equal(rows_of(engine, FL_METRIC_WASM_UDF_JIT_CALLS), 10000);
    fl_session_close(session);
    fl_engine_close(engine);
}

typedef struct held {
    fl_session *session;
    const char *sql;
    int64_t number;
} held;

static void *query_held(void *ctx)
{
    held *h = ctx;
    h->number = number_of(h->session, h->sql);
    return NULL;
}

/* Aggregates, too: their states outlive the change. */
static void test_tiers_of_aggregates(void **state)
{
    (void)state;
    static const char text[] = "SELECT remainders(range) FROM range(10000) WHERE range % 512 < 300";
    static const char call[] =
        "CREATE AGGREGATE FUNCTION tedious(x bigint) RETURNS bigint LANGUAGE wasm AS '" MODULES "aggregates.wasm'";
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    fl_wasm_hold_compiler(true);
    must_run(session, "CREATE AGGREGATE FUNCTION remainders(x bigint) RETURNS bigint LANGUAGE wasm AS '" MODULES
                      "aggregates.wasm'");
    wasm_function *f = function_of(engine, "remainders");
    assert_int_equal(number_of(session, text), 300);
    assert_int_equal(atomic_load(&f->state), WASM_COMPILES);
    must_run(session, call);
    held h = {.session = session, .sql = "SELECT tedious(range * 100000) FROM range(100)"};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, query_held, &h), 0);
    fl_wasm_hold_compiler(false);
    pthread_join(thread, NULL);
    assert_int_equal(h.number, 4950 * 100000);
    assert_int_equal(fl_wasm_wait_compiled(f, NULL, NULL), FL_OK);
    assert_int_equal(number_of(session, text), 300);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* A module is compiled once, however often it is asked. */
static void test_compiled_once(void **state)
{
    (void)state;
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    must_run(session, CREATE("plus", "plus_one"));
    for (int32_t i = 0; i < 1000; i++)
        assert_int_equal(number_of(session, "SELECT sum(plus(range)) FROM range(100)"), 100 * 101 / 2);
    assert_int_equal(fl_wasm_wait_compiled(function_of(engine, "plus"), NULL, NULL), FL_OK);
    assert_int_equal(number_of(session, "SELECT sum(plus(range)) FROM range(100)"), 100 * 101 / 2);
    assert_int_equal(rows_of(engine, FL_METRIC_WASM_UDF_INTERPRETER_CALLS) +
                         rows_of(engine, FL_METRIC_WASM_UDF_JIT_CALLS),
                     1001 * 100);
    assert_int_equal(fl_metrics_value(engine->memory.metrics, FL_METRIC_WASM_UDF_COMPILE_DURATION), 1);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* Compiled code takes over between two batches of a query that began interpreted. */
static void test_takes_over(void **state)
{
    (void)state;
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    held h = {.session = session, .sql = "SELECT sum(plus(range)) FROM range(3000000)"};
    pthread_t thread;
    fl_wasm_hold_compiler(true);
    must_run(session, CREATE("plus", "plus_one"));
    assert_int_equal(pthread_create(&thread, NULL, query_held, &h), 0);
    while (rows_of(engine, FL_METRIC_WASM_UDF_INTERPRETER_CALLS) == 0)
        fl_spin_pause();
    fl_wasm_hold_compiler(false);
    pthread_join(thread, NULL);
    assert_int_equal(h.number, 3000000ll * 3000001 / 2);
    assert_int_equal(
        rows_of(engine, FL_METRIC_WASM_UDF_INTERPRETER_CALLS) + rows_of(engine, FL_METRIC_WASM_UDF_JIT_CALLS), 3000000);
    assert_true(rows_of(engine, FL_METRIC_WASM_UDF_JIT_CALLS) > 0);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* A call that takes too many steps to be interpreted waits for its code; one without an end is stopped by its timeout. */
static void test_long_calls(void **state)
{
    (void)state;
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    fl_err err = {0};
    must_run(session, CREATE("long_loop", "loops"));
    assert_int_equal(number_of(session, "SELECT long_loop(30)"), 30000000ll * 29999999 / 2);
    must_run(session, CREATE("endless", "loops"));
    must_run(session, "SET timeout = 200");
    int64_t began_ns = fl_clock_ns(NULL);
    assert_int_equal(run(session, "SELECT endless(1)", &err), FL_ERR_TIMEOUT);
    assert_true(fl_clock_ns(NULL) - began_ns < 5000000000);
    must_run(session, "SET timeout = 0");
    assert_int_equal(number_of(session, "SELECT long_loop(1)"), 1000000ll * 999999 / 2);
    fl_session_close(session);
    fl_engine_close(engine);
}

typedef struct querier {
    pthread_t thread;
    fl_engine *engine;
    _Atomic bool *is_over;
    int64_t queries, wrong;
} querier;

/* Each query sees one version, whole. */
static void *query_on(void *ctx)
{
    querier *q = ctx;
    fl_session *session = NULL;
    q->wrong += fl_session_open(q->engine, &session, NULL) != FL_OK;
    while (!atomic_load(q->is_over) && q->wrong == 0) {
        int64_t sum = number_of(session, "SELECT sum(plus(range)) FROM range(5000)"), all = 5000ll * 4999 / 2;
        q->wrong += sum != all + 5000 && sum != all + 10000;
        q->queries++;
    }
    fl_session_close(session);
    return NULL;
}

static void test_swaps(void **state)
{
    (void)state;
    const char *wanted = getenv("FLETCH_SWAPS");
    int32_t n = wanted != NULL ? atoi(wanted) : SWAPS, failed = 0;
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    querier queriers[QUERY_THREADS] = {0};
    _Atomic bool is_over = false;
    must_run(session, CREATE("plus", "plus_one"));
    for (int32_t i = 0; i < QUERY_THREADS; i++) {
        queriers[i] = (querier){.engine = engine, .is_over = &is_over};
        assert_int_equal(pthread_create(&queriers[i].thread, NULL, query_on, &queriers[i]), 0);
    }
    for (int32_t i = 0; i < n; i++)
        failed += run(session, i % 2 == 0 ? CREATE("plus", "plus_two") : CREATE("plus", "plus_one"), NULL) != FL_OK;
    atomic_store(&is_over, true);
    int64_t queries = 0;
    for (int32_t i = 0; i < QUERY_THREADS; i++) {
        pthread_join(queriers[i].thread, NULL);
        failed += queriers[i].wrong != 0;
        queries += queriers[i].queries;
    }
    assert_int_equal(failed, 0);
    assert_true(queries > 0);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* Versions that are not active are kept as code alone, and answer again when they are made active. */
static void test_old_versions(void **state)
{
    (void)state;
    const char *call = "SELECT plus(40::bigint)";
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    must_run(session, CREATE("plus", "plus_one"));
    must_run(session, CREATE("plus", "plus_two"));
    assert_int_equal(engine->functions.n, 2);
    for (int32_t round = 0; round < 4; round++) {
        int64_t active = round % 2 == 0 ? 2 : 1;
        assert_int_equal(number_of(session, call), 40 + active);
        for (int32_t i = 0; i < engine->functions.n; i++) {
            const fl_udf_entry *entry = &engine->functions.items[i];
            assert_int_equal(entry->is_active, entry->udf->version == active);
            bool is_loaded = entry->udf->loader == NULL || atomic_load(&entry->udf->loaded) != NULL;
            assert_int_equal(is_loaded, entry->is_active);
        }
        assert_int_equal(fl_session_rollback_function(session, "plus", 3 - active, NULL), FL_OK);
    }
    fl_session_close(session);
    fl_engine_close(engine);
}

/* The lines of a plan, one below the other. */
static fl_text explain(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    fl_text text;
    fl_err err = {0};
    fl_text_init(&text, NULL);
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        const struct ArrowArray *lines = batch.children[0];
        const int32_t *offsets = (const int32_t *)lines->buffers[1] + lines->offset;
        for (int64_t i = 0; i < lines->length; i++)
            fl_text_addf(&text, "%.*s\n", offsets[i + 1] - offsets[i], (const char *)lines->buffers[2] + offsets[i]);
        batch.release(&batch);
        batch = (struct ArrowArray){0};
    }
    rows.release(&rows);
    return text;
}

static void assert_explained(fl_session *session, const char *sql, const char *wanted)
{
    fl_text text = explain(session, sql);
    if (strstr(text.data, wanted) == NULL)
        fail_msg("%s\n%shas no\n%s", sql, text.data, wanted);
    fl_text_drop(&text);
}

/* EXPLAIN says how a function is called now and why; EXPLAIN ANALYZE what became of its rows. */
static void test_explained(void **state)
{
    (void)state;
    static const char *const ready[] = {"plus", "fib", "vowels", "remainders"};
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    fl_wasm_hold_compiler(true);
    must_run(session, CREATE("plus", "plus_one"));
    must_run(session, CREATE("fib", "loops"));
    must_run(session,
             "CREATE FUNCTION vowels(x text) RETURNS integer LANGUAGE wasm AS '" MODULES "texts.wasm' ON ERROR NULL");
    assert_explained(session, "EXPLAIN SELECT plus(range) FROM range(10)",
                     "\nfunction plus: wasm: interpreted: compiled code is not ready\n");
    assert_explained(session, "EXPLAIN ANALYZE SELECT sum(plus(range)) FROM range(5000)",
                     "compiled code is not ready; 5000 rows: 5000 interpreted\n");
    must_run(session, "CREATE AGGREGATE FUNCTION remainders(x bigint) RETURNS bigint LANGUAGE wasm AS '" MODULES
                      "aggregates.wasm'");
    assert_explained(session, "EXPLAIN ANALYZE SELECT remainders(range) FROM range(5000)",
                     "compiled code is not ready; 5000 rows: 5000 interpreted\n");
    fl_wasm_hold_compiler(false);
    for (int64_t i = 0; i < FL_LEN(ready); i++)
        assert_int_equal(fl_wasm_wait_compiled(function_of(engine, ready[i]), NULL, NULL), FL_OK);
    assert_explained(session, "EXPLAIN ANALYZE SELECT sum(plus(range)) FROM range(5000)",
                     "\nfunction plus: wasm: compiled: batch loop that holds the body; 5000 rows: 5000 compiled\n");
    assert_explained(
        session,
        "EXPLAIN ANALYZE SELECT remainders(range) FILTER (WHERE range > 9) FROM range(5000) GROUP BY range % 2",
        "\nfunction remainders: wasm: compiled: batch loop around its update; 4990 rows: 4990 compiled\n");
    assert_explained(session, "EXPLAIN (ANALYZE, FORMAT JSON) SELECT remainders(range) FROM range(5000)",
                     "\"how\":\"wasm: compiled: batch loop around its update\",\"rows\":{\"compiled\":5000}}]");
    assert_explained(session, "EXPLAIN (ANALYZE, FORMAT JSON) SELECT sum(plus(range)) FROM range(5000)",
                     "\"functions\":[{\"name\":\"plus\",\"how\":\"wasm: compiled: batch loop that holds the "
                     "body\",\"rows\":{\"compiled\":5000}}]");
    assert_explained(
        session, "EXPLAIN SELECT fib(range::integer) FROM range(10)",
        "\nfunction fib: wasm: compiled: batch loop that calls the body: it has loops, calls or the like\n");
    assert_explained(
        session, "EXPLAIN SELECT vowels(range::text) FROM range(10)",
        "\nfunction vowels: wasm: compiled: batch loop that calls the body: it has loops, calls or the like\n");
    fl_session_close(session);
    fl_engine_close(engine);
}

/* What calls took decides which of two predicates goes first, where none of them can fail. */
static void test_measured_order(void **state)
{
    (void)state;
    static const char text[] = "EXPLAIN SELECT a FROM t WHERE fib(a % 20) > 100 AND vowels(b) > 1",
                      dear[] = "SELECT count(*) FROM t WHERE a <= 200 AND fib(22 + a % 2) > 100",
                      both[] = "SELECT count(*) FROM t WHERE fib(a % 20) > 100 AND vowels(b) > 1";
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    must_run(session,
             "CREATE FUNCTION fib(n integer) RETURNS bigint LANGUAGE wasm AS '" MODULES "loops.wasm' ON ERROR NULL");
    must_run(session,
             "CREATE FUNCTION vowels(x text) RETURNS integer LANGUAGE wasm AS '" MODULES "texts.wasm' ON ERROR NULL");
    must_run(session, "CREATE TABLE t AS SELECT range::integer AS a, 'text ' || range AS b FROM range(5000)");
    assert_int_equal(fl_wasm_wait_compiled(function_of(engine, "fib"), NULL, NULL), FL_OK);
    assert_int_equal(fl_wasm_wait_compiled(function_of(engine, "vowels"), NULL, NULL), FL_OK);
    assert_explained(session, text, "filters: (fib((a % 20)) > 100) AND (vowels(b) > 1)"); /* as is to be expected */
    int64_t rows = number_of(session, both);
    must_run(session, "SELECT count(*) FROM t WHERE vowels(b) > 1");
    must_run(session, dear);
    assert_true(fl_wasm_cost_ns(&function_of(engine, "fib")->udf->func) >
                fl_wasm_cost_ns(&function_of(engine, "vowels")->udf->func));
    assert_explained(session, text, "filters: (vowels(b) > 1) AND (fib((a % 20)) > 100)"); /* as it was seen */
    assert_int_equal(number_of(session, both), rows);
    must_run(session, "SET optimizer = 'none'");
    assert_int_equal(number_of(session, both), rows);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* A function is not tried on rows of a sample: it may take any time for what is kept from it. */
static void test_not_sampled(void **state)
{
    (void)state;
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    must_run(session, CREATE("endless", "loops"));
    must_run(session, "CREATE TABLE t AS SELECT range::integer AS a FROM range(1000)");
    must_run(session, "SET timeout = 20000");
    int64_t before = rows_of(engine, FL_METRIC_WASM_UDF_JIT_CALLS);
    assert_int_equal(number_of(session, "SELECT count(*) FROM t WHERE endless(a) > 3 AND a < 0"), 0);
    assert_int_equal(number_of(session, "SELECT count(*) FROM t WHERE a < 0 AND endless(a) > 3"), 0);
    assert_int_equal(rows_of(engine, FL_METRIC_WASM_UDF_JIT_CALLS), before);
    fl_session_close(session);
    fl_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiers),          cmocka_unit_test(test_tiers_of_aggregates),
        cmocka_unit_test(test_compiled_once),  cmocka_unit_test(test_takes_over),
        cmocka_unit_test(test_long_calls),     cmocka_unit_test(test_swaps),
        cmocka_unit_test(test_old_versions),   cmocka_unit_test(test_explained),
        cmocka_unit_test(test_measured_order), cmocka_unit_test(test_not_sampled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
