/* Statements that spill, on a system of a test's own: a full disk and flipped bits are errors with names, the session goes on, and
 * space is given back. */
#include "engine/internal.h"

#include "owned_system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    owned_system owned;
    fl_engine *engine;
    fl_session *session;
} fixture;

static void open_fixture(fixture *f, int32_t threads, const char *const *settings, int32_t n)
{
    fl_engine_options options = {.size = sizeof(options), .threads = threads};
    fl_err err = {0};
    owned_system_init(&f->owned);
    assert_int_equal(fl_engine_open_on(&f->owned.system, &options, &f->engine, &err), FL_OK);
    assert_int_equal(fl_session_open(f->engine, &f->session, &err), FL_OK);
    for (int32_t i = 0; i < n; i++) {
        struct ArrowArrayStream rows;
        if (fl_session_query(f->session, settings[i], &rows, &err) != FL_OK)
            fail_msg("%s: %s", settings[i], err.message);
        rows.release(&rows);
    }
}

static void close_fixture(fixture *f)
{
    assert_int_equal(atomic_load(&f->session->spill_quota.used_bytes), 0);
    assert_true(atomic_load(&f->session->spill_quota.peak_bytes) > 0);
    fl_session_close(f->session);
    fl_engine_close(f->engine);
}

/* The first value of the answer, which is a bigint, or how the statement failed. */
static fl_status ask(fixture *f, const char *sql, int64_t *ret, fl_err *err)
{
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    fl_status st = fl_session_query(f->session, sql, &rows, err);
    if (st != FL_OK)
        return st;
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    *ret = ((const int64_t *)batch.children[0]->buffers[1])[0];
    batch.release(&batch);
    rows.release(&rows);
    return FL_OK;
}

static void assert_answer(fixture *f, const char *sql, int64_t wanted)
{
    fl_err err = {0};
    int64_t value = 0;
    if (ask(f, sql, &value, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    assert_int_equal(value, wanted);
}

static void assert_fails(fixture *f, const char *sql, const char *sqlstate)
{
    fl_err err = {0};
    int64_t value = 0;
    assert_int_not_equal(ask(f, sql, &value, &err), FL_OK);
    assert_string_equal(err.sqlstate, sqlstate);
}

/* ---- groups and set operations -------------------------------------------------------------------------------------- */

static void check_faults(fixture *f, const char *sql, int64_t wanted)
{
    assert_answer(f, sql, wanted);
    f->owned.bit_flipped = 4096 * 8 * 3 + 5;
    assert_fails(f, sql, "XX001");
    f->owned.bit_flipped = -1;
    for (int64_t room = 0; room < 600 << 10; room += 200 << 10) {
        f->owned.room_bytes = room;
        assert_fails(f, sql, "53100");
    }
    f->owned.room_bytes = -1;
    assert_answer(f, sql, wanted);
}

static void check_groups(int32_t threads)
{
    static const char *const settings[] = {"SET memory_limit = '6MB'"};
    fixture f;
    memset(&f, 0, sizeof(f));
    open_fixture(&f, threads, settings, 1);
    check_faults(
        &f,
        "SELECT count(*) FROM (SELECT i * 7 % 40009 AS k, min('a text of some length ' || i) AS s, count(*) AS n "
        "FROM range(80000) AS r(i) GROUP BY 1) AS q WHERE length(s) > 22",
        40009);
    check_faults(&f, "SELECT count(DISTINCT 'a text of some length ' || i * 7 % 60013) FROM range(80000) AS r(i)",
                 60013);
    check_faults(
        &f,
        "SELECT count(*) FROM (SELECT i % 9001 AS k, string_agg('a text ' || i, ',' ORDER BY i DESC) AS s FROM "
        "range(60000) AS r(i) GROUP BY 1) AS q WHERE length(s) > 50",
        9001);
    check_faults(
        &f,
        "SELECT count(*) FROM (SELECT 'a text of some length ' || i FROM range(40000) AS r(i) EXCEPT SELECT 'a "
        "text of some length ' || i * 2 FROM range(40000) AS r(i)) AS q",
        20000);
    close_fixture(&f);
}

static void test_groups(void **state)
{
    (void)state;
    check_groups(1);
    check_groups(2);
}

/* ---- joins -------------------------------------------------------------------------------------------------------- */

static void check_join(int32_t threads)
{
    static const char *const settings[] = {"SET memory_limit = '4MB'"};
    fixture f;
    memset(&f, 0, sizeof(f));
    open_fixture(&f, threads, settings, 1);
    check_faults(
        &f,
        "SELECT count(*) FROM (SELECT i * 7 % 40009 AS k, repeat('x', 100) || i AS s FROM range(40000) AS r(i)) AS l "
        "LEFT JOIN (SELECT i * 5 % 40009 AS k, repeat('y', 100) || i AS s FROM range(40000) AS r(i)) AS r "
        "ON l.k = r.k AND l.s <> r.s",
        40000);
    close_fixture(&f);
}

static void test_joins(void **state)
{
    (void)state;
    check_join(1);
    check_join(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_groups), cmocka_unit_test(test_joins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
