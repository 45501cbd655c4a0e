/* The scoring function of example/udf in each language whose module is checked in: the same answers as in C here, interpreted and
 * compiled, a row and a batch at a time. */
#include "engine/internal.h"

#include "base/metrics.h"
#include "udf/wasm/function.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS 2000 /* prices from -3 to 25, quantities from 0 to 9, bonuses from -2 to 25 */

static double price_of(int64_t row)
{
    return (double)(row % 29) - 3 + 0.25 * (double)(row % 4);
}

static double score(double price, double quantity, int64_t bonus)
{
    static const double rates[] = {1.0, 1.05, 1.1, 1.25};
    double sum = 0, weight = 1;
    for (int64_t i = 0; i <= (bonus < 0 ? 0 : bonus > 20 ? 20 : bonus); i++) {
        sum += price * quantity * weight * rates[i % 4];
        weight /= 2;
    }
    return sum > 100 ? sum : sum / 2;
}

static void check(fl_session *session, const char *language)
{
    static const char text[] =
        "SELECT score(range % 29 - 3 + 0.25::double * (range % 4), (range % 10)::double, (range % 28 - 2)::integer) "
        "FROM range(2000)";
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    fl_err err = {0};
    int64_t row = 0;
    if (fl_session_query(session, text, &rows, &err) != FL_OK)
        fail_msg("%s: %s", language, err.message);
    while (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        const double *values = (const double *)batch.children[0]->buffers[1] + batch.children[0]->offset;
        for (int64_t i = 0; i < batch.length; i++, row++)
            if (values[i] != score(price_of(row), (double)(row % 10), row % 28 - 2))
                fail_msg("%s: row %lld is %.17g", language, (long long)row, values[i]);
        batch.release(&batch);
    }
    rows.release(&rows);
    assert_int_equal(row, ROWS);
}

/* Rows that functions were called for. */
static int64_t rows_of(const fl_engine *engine, fl_metric tier)
{
    return fl_metrics_value(engine->memory.metrics, tier);
}

static void test_languages(void **state)
{
    (void)state;
    static const char *const languages[] = {"c", "cpp", "rust", "assemblyscript"};
    fl_session *session = NULL;
    fl_engine *engine = NULL;
    fl_engine_options options = {.size = sizeof(options), .plugin_dir = FLETCH_PLUGIN_DIR};
    assert_int_equal(fl_engine_open(&options, &engine, NULL), FL_OK);
    assert_int_equal(fl_session_open(engine, &session, NULL), FL_OK);
    for (int64_t i = 0; i < FL_LEN(languages); i++) {
        char text[200];
        struct ArrowArrayStream rows;
        fl_err err = {0};
        fl_wasm_hold_compiler(true);
        snprintf(text, sizeof(text),
                 "CREATE OR REPLACE FUNCTION score LANGUAGE wasm AS 'test/udf/modules/score_%s.wasm'", languages[i]);
        if (fl_session_query(session, text, &rows, &err) != FL_OK)
            fail_msg("%s: %s", languages[i], err.message);
        rows.release(&rows);
        wasm_function *f = fl_udf_store_active(&engine->functions, FL_STR("score"))->state;
        assert_non_null(f->interpreted);
        check(session, languages[i]);
        assert_int_equal(rows_of(engine, FL_METRIC_WASM_UDF_INTERPRETER_CALLS), ROWS * (i + 1));
        fl_wasm_hold_compiler(false);
        assert_int_equal(fl_wasm_wait_compiled(f, NULL, NULL), FL_OK);
        check(session, languages[i]);
        assert_int_equal(rows_of(engine, FL_METRIC_WASM_UDF_JIT_CALLS), ROWS * (i + 1));
    }
    fl_session_close(session);
    fl_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
