/* Functions with FUEL: interpreted and compiled, called for a row and in the loop over columns, they end at the same step, with the same
 * error. */
#include "engine/internal.h"

#include "udf/wasm/function.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MODULES "test/udf/modules/"

static fl_engine *open_engine(fl_session **ret)
{
    fl_engine *engine = NULL;
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options), .plugin_dir = FLETCH_PLUGIN_DIR};
    if (fl_engine_open(&options, &engine, &err) != FL_OK || fl_session_open(engine, ret, &err) != FL_OK)
        fail_msg("%s", err.message);
    return engine;
}

/* The one number of a query; INT64_MIN: it failed. */
static int64_t number_of(fl_session *session, const char *sql, fl_err *err)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    int64_t number = INT64_MIN;
    if (fl_session_query(session, sql, &rows, err) != FL_OK)
        return number;
    if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        if (batch.n_children > 0)
            number = ((const int64_t *)batch.children[0]->buffers[1])[batch.children[0]->offset];
        batch.release(&batch);
    } else {
        (void)fl_stream_error(&rows, err);
    }
    rows.release(&rows);
    return number;
}

static void create(fl_session *session, const char *signature, const char *module, const char *clauses, int64_t fuel)
{
    char sql[512];
    fl_err err = {0};
    struct ArrowArrayStream rows;
    snprintf(sql, sizeof(sql), "CREATE OR REPLACE %s LANGUAGE wasm %s AS '" MODULES "%s.wasm' FUEL %lld", signature,
             clauses, module, (long long)fuel);
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    rows.release(&rows);
}

static void wait_compiled(fl_engine *engine, const char *name)
{
    fl_udf *udf = fl_udf_store_active(&engine->functions, fl_str_of(name));
    assert_non_null(udf);
    assert_int_equal(fl_wasm_wait_compiled(udf->state, NULL, NULL), FL_OK);
}

#define ROWS 20

/* Rows that a function answers for, bit by bit: others ran out. */
static int64_t answered(fl_session *session, const char *name)
{
    char sql[256];
    fl_err err = {0};
    snprintf(sql, sizeof(sql),
             "SELECT sum(CASE WHEN %s(n::integer) IS NULL THEN 0 ELSE 1 << n::integer END)::bigint "
             "FROM range(%d) AS t(n)",
             name, ROWS);
    int64_t bits = number_of(session, sql, &err);
    if (bits == INT64_MIN)
        fail_msg("%s: %s", sql, err.message);
    return bits;
}

static void check_same_step(void)
{
    static const struct {
        const char *name, *signature;
        int32_t n_at_least; /* rows that a fuel of 100 is enough for */
    } functions[] = {{"fib", "FUNCTION fib(n integer) RETURNS bigint", 8},
                     {"collatz", "FUNCTION collatz(n bigint) RETURNS integer", 20}};
    static const int64_t fuels[] = {1, 2, 3, 4, 5, 8, 10, 13, 21, 50, 100, 1000, 10000, INT64_MAX};
    for (int64_t f = 0; f < FL_LEN(functions); f++) {
        int64_t last = 0;
        for (int64_t i = 0; i < FL_LEN(fuels); i++) {
            fl_session *session = NULL;
            fl_engine *engine = open_engine(&session);
            fl_wasm_hold_compiler(true);
            create(session, functions[f].signature, "loops", "ON ERROR NULL", fuels[i]);
            int64_t interpreted = answered(session, functions[f].name);
            assert_int_equal(fl_metrics_value(engine->memory.metrics, FL_METRIC_WASM_UDF_JIT_CALLS), 0);
            fl_wasm_hold_compiler(false);
            wait_compiled(engine, functions[f].name);
            int64_t compiled = answered(session, functions[f].name);
            assert_true(fl_metrics_value(engine->memory.metrics, FL_METRIC_WASM_UDF_JIT_CALLS) > 0);
            if (interpreted != compiled)
                fail_msg("%s with FUEL %lld: rows %llx and %llx", functions[f].name, (long long)fuels[i],
                         (unsigned long long)interpreted, (unsigned long long)compiled);
            assert_int_equal(interpreted & last, last); /* more fuel answers more */
            last = interpreted;
            if (fuels[i] == 100)
                assert_true(__builtin_popcountll((unsigned long long)interpreted) >= functions[f].n_at_least);
            fl_session_close(session);
            fl_engine_close(engine);
        }
        assert_int_equal(last, (1 << ROWS) - 1);
    }
}

/* Each tier's error for a statement, word for word. */
static void assert_fails(const char *signature, const char *name, const char *module, int64_t fuel, const char *sql,
                         const char *message)
{
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    for (int32_t is_compiled = 0; is_compiled < 2; is_compiled++) {
        fl_err err = {0};
        fl_wasm_hold_compiler(!is_compiled);
        create(session, signature, module, "", fuel);
        if (is_compiled)
            wait_compiled(engine, name);
        if (number_of(session, sql, &err) != INT64_MIN)
            fail_msg("%s: answered", sql);
        assert_string_equal(err.message, message);
        assert_string_equal(err.sqlstate, "38000");
        assert_string_equal(err.hint, "");
    }
    fl_session_close(session);
    fl_engine_close(engine);
}

static void check_errors(void)
{
    assert_fails("FUNCTION fib(n integer) RETURNS bigint", "fib", "loops", 100,
                 "SELECT max(fib(n::integer)) FROM range(9, 30) AS t(n)",
                 "function fib(9): it takes more than the 100 steps of its FUEL");
    assert_fails("FUNCTION endless(n integer) RETURNS integer", "endless", "loops", 1000000, "SELECT endless(1)",
                 "function endless(1): it takes more than the 1000000 steps of its FUEL");
    assert_fails("AGGREGATE FUNCTION tedious(x bigint) RETURNS bigint", "tedious", "aggregates", 5,
                 "SELECT tedious(n) FROM range(60) AS t(n)",
                 "aggregate tedious(11): it takes more than the 5 steps of its FUEL");
}

/* More steps than are interpreted: the call is made again as compiled code, which has them all. */
static void check_much_fuel(void)
{
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    fl_err err = {0};
    create(session, "FUNCTION long_loop(n integer) RETURNS bigint", "loops", "", 5500001);
    assert_int_equal(number_of(session, "SELECT long_loop(range::integer + 21) FROM range(1)", &err),
                     20999999ll * 21000000 / 2);
    assert_int_equal(number_of(session, "SELECT long_loop(range::integer + 30) FROM range(1)", &err), INT64_MIN);
    assert_string_equal(err.message, "function long_loop(30): it takes more than the 5500001 steps of its FUEL");
    fl_session_close(session);
    fl_engine_close(engine);
}

/* A trap of the function's own is told as that, also where it comes at the last step. */
static void check_traps(void)
{
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    fl_err err = {0};
    create(session, "FUNCTION divide(a integer, b integer) RETURNS integer", "traps", "", 1);
    assert_int_equal(number_of(session, "SELECT divide(range::integer, 0)::bigint FROM range(1)", &err), INT64_MIN);
    assert_string_equal(err.message, "function divide(0, 0): integer divide by zero");
    assert_int_equal(number_of(session, "SELECT divide(range::integer + 42, 6)::bigint FROM range(1)", &err), 7);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* A call for whole columns has the steps of all its rows. */
static void check_columns(void)
{
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    fl_err err = {0};
    static const char sql[] = "SELECT sum(rows_at_once(range::integer))::bigint FROM range(100)";
    create(session, "FUNCTION rows_at_once(a integer) RETURNS integer", "columns", "", 1);
    assert_int_equal(number_of(session, sql, &err), 100 * 100); /* each round of its loop writes several rows */
    assert_int_equal(number_of(session, "SELECT rows_at_once(range::integer)::bigint FROM range(1)", &err), INT64_MIN);
    assert_string_equal(err.message, "function rows_at_once(0): it takes more than the 1 steps of its FUEL");
    fl_session_close(session);
    fl_engine_close(engine);
}

/* Vectors are counted, too, by the compiled form alone. */
static void check_vectors(void)
{
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    fl_err err = {0};
    create(session, "FUNCTION norm4(a double, b double, c double, d double) RETURNS double", "simd", "", 1);
    assert_int_equal(number_of(session, "SELECT norm4(range::double + 1, 2, 4, 10)::bigint FROM range(1)", &err), 121);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* One test of all: traps are signals, whose handlers cmocka takes back behind each. */
static void test_fuel(void **state)
{
    (void)state;
    check_same_step();
    check_errors();
    check_much_fuel();
    check_traps();
    check_columns();
    check_vectors();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fuel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
