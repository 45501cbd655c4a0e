/* Instances of compiled modules: as new whoever had their place before, and as many as are asked for. */
#include "engine/internal.h"

#include "udf/wasm/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MODULES "test/udf/modules/"
#define ROUNDS 100
#define INSTANCES_AT_ONCE 300 /* for so many the pool has no place */

static fl_engine *open_engine(fl_session **ret)
{
    fl_engine *engine = NULL;
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options), .plugin_dir = FLETCH_PLUGIN_DIR};
    if (fl_engine_open(&options, &engine, &err) != FL_OK || fl_session_open(engine, ret, &err) != FL_OK)
        fail_msg("%s", err.message);
    return engine;
}

/* The one number of a query. */
static int64_t number_of(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    int64_t number = INT64_MIN;
    fl_err err = {0};
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        if (batch.n_children > 0)
            number = ((const int64_t *)batch.children[0]->buffers[1])[batch.children[0]->offset];
        batch.release(&batch);
    }
    rows.release(&rows);
    return number;
}

static wasm_function *create(fl_engine *engine, fl_session *session, const char *name)
{
    char sql[256];
    struct ArrowArrayStream rows;
    fl_err err = {0};
    snprintf(sql, sizeof(sql), "CREATE FUNCTION %s LANGUAGE wasm AS '" MODULES "traps.wasm' VOLATILE", name);
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s", err.message);
    rows.release(&rows);
    wasm_function *f = fl_udf_store_active(&engine->functions, fl_str_of(name))->state;
    assert_int_equal(fl_wasm_wait_compiled(f, NULL, NULL), FL_OK);
    return f;
}

static void make(wasm_local *local, wasm_function *f)
{
    fl_err err = {0};
    *local = (wasm_local){.function = f};
    if (fl_wasm_instance_make(local, NULL, &err) != FL_OK)
        fail_msg("%s", err.message);
    assert_true(fl_wasm_is_compiled(local));
}

static int64_t call(wasm_local *local, int32_t argument)
{
    uint64_t value = (uint64_t)argument;
    fl_wasm_fault fault = {0};
    if (!fl_wasm_call(local, local->func, WASM_NO_FUEL, &value, 1, NULL, &fault))
        fail_msg("%s", fault.message);
    return (int32_t)(uint32_t)value;
}

/* An instance writes whatever another could find; the next one, in the same place, finds nothing. Of two functions, as places are given
 * to those that had them before. */
static void test_as_new(void **state)
{
    (void)state;
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    wasm_function *functions[] = {create(engine, session, "leftover"), create(engine, session, "calls")};
    for (int32_t i = 0; i < ROUNDS; i++) {
        wasm_local local, other;
        make(&local, functions[0]);
        make(&other, functions[1]);
        assert_int_equal(call(&local, i + 1), 0);
        assert_int_equal(call(&other, 0), 1);
        assert_true(call(&local, i + 1) != 0); /* it would be found */
        assert_int_equal(call(&other, 0), 2);
        fl_wasm_instance_drop(i % 2 == 0 ? &local : &other);
        fl_wasm_instance_drop(i % 2 == 0 ? &other : &local);
    }
    for (int32_t i = 0; i < ROUNDS; i++) {
        assert_int_equal(number_of(session, "SELECT max(calls(range::integer))::bigint FROM range(10)"), 10);
        assert_int_equal(number_of(session, "SELECT leftover(range::integer)::bigint FROM range(1, 2)"), 0);
    }
    fl_session_close(session);
    fl_engine_close(engine);
}

static void test_many_at_once(void **state)
{
    (void)state;
    static wasm_local locals[INSTANCES_AT_ONCE];
    fl_session *session = NULL;
    fl_engine *engine = open_engine(&session);
    wasm_function *f = create(engine, session, "leftover");
    for (int32_t round = 0; round < 2; round++) {
        for (int32_t i = 0; i < INSTANCES_AT_ONCE; i++) {
            make(&locals[i], f);
            assert_int_equal(call(&locals[i], i + 1), 0);
        }
        for (int32_t i = 0; i < INSTANCES_AT_ONCE; i++)
            fl_wasm_instance_drop(&locals[i]);
    }
    fl_session_close(session);
    fl_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_new),
        cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
