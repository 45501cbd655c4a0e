/* R17, R18, R28: every allocation, open and read of a statement is made to fail in turn, and every look at its interrupt
 * finds a request: the error is clean, the next query is right, and (under the address sanitizer) nothing leaks. */
#include "base/arena.h"
#include "base/fault.h"
#include "fletch/fletch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TRIES_MAX 20000
/* Where each object is a chunk of its own there are ten times as many to fail, and each try takes longer. */
#define STEP (FL_ARENA_IS_EXACT ? 23 : 1)

static const char *const statements[] = {
    "SELECT 1",
    "SELECT a, b FROM t WHERE a > 3 ORDER BY b DESC",
    "SELECT b, count(*), sum(a), min(s), avg(a) FROM t GROUP BY b",
    "SELECT count(DISTINCT s), string_agg(s, ',' ORDER BY a) FROM t",
    "SELECT t.a, u.s FROM t JOIN t AS u ON t.a = u.b",
    "SELECT t.a, u.s FROM t LEFT JOIN t AS u ON t.a = u.b AND u.a < 5",
    "SELECT t.a FROM t FULL JOIN t AS u ON t.a = u.b",
    "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.b = t.a)",
    "SELECT a, (SELECT max(u.a) FROM t u WHERE u.b = t.b) FROM t",
    "SELECT a FROM t WHERE a NOT IN (SELECT b FROM t)",
    "SELECT a FROM t UNION SELECT b FROM t",
    "SELECT a FROM t INTERSECT ALL SELECT b FROM t",
    "SELECT DISTINCT b FROM t ORDER BY 1 LIMIT 3 OFFSET 1",
    "SELECT upper(s) || '!', s LIKE '%1%', a::text, date '2024-01-01' + a::integer FROM t",
    "SELECT CASE WHEN a > 5 THEN a * 1.5 ELSE -a END FROM t",
    "SELECT [a, b], {'x': 1} FROM t",
    "SELECT (a, s), {'x': [a], 'y': s}, greatest([a], [b]), (a, b)::struct(p text, q text), array_agg((b, s)) FROM t "
    "GROUP BY a, b, s",
    "SELECT make_interval(days => 3, secs => a::double) FROM t",
    "WITH c AS (SELECT a, s, random() AS x FROM t) SELECT * FROM c, c AS d WHERE c.a = d.a",
    "WITH c AS (SELECT a FROM t) SELECT * FROM c, c AS d WHERE c.a = d.a",
    "SELECT t.a, u.s FROM (SELECT a FROM t ORDER BY a LIMIT 99) AS t JOIN (SELECT b, s FROM t ORDER BY b LIMIT 99) AS "
    "u ON t.a = u.b",
    "SELECT t.a, u.s FROM (SELECT a, s FROM t ORDER BY s, a LIMIT 99) AS t LEFT JOIN (SELECT b, s FROM t ORDER BY s, b "
    "LIMIT 99) AS u "
    "ON t.s = u.s AND t.a = u.b AND u.b < 5",
    "SELECT b, s, count(*), sum(a), min(s) FROM (SELECT a, b, s FROM t ORDER BY b, s LIMIT 99) AS t GROUP BY b, s",
    "EXPLAIN ANALYZE SELECT count(*) FROM t",
    "EXPLAIN (FORMAT json, MEMO, WHY NOT choose_build_side) SELECT a FROM t",
    "EXPLAIN (WHY, MEMO, COSTS, PROPERTIES, WHY NOT choose_build_side) SELECT t.a FROM t JOIN t AS u ON t.a = u.b "
    "WHERE t.a > 3",
    "SELECT count(*) FROM 'test/data/csv/people.csv'",
    "CREATE OR REPLACE TABLE copied AS SELECT * FROM t",
    "DESCRIBE t",
    "SHOW TABLES",
};

/* Reads to the end, or to an error, which it gives. */
static fl_status drain(struct ArrowArrayStream *rows, fl_err *err)
{
    struct ArrowArray batch = {0};
    while (rows->get_next(rows, &batch) == 0 && batch.release != NULL)
        batch.release(&batch);
    fl_status st = fl_stream_error(rows, err);
    rows->release(rows);
    return st;
}

static void check_session(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    fl_err err = {0};
    if (fl_session_query(session, "SELECT count(*) FROM t", &rows, &err) != FL_OK)
        fail_msg("after %s: %s", sql, err.message);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    assert_int_equal(((const int64_t *)batch.children[0]->buffers[1])[0], 12);
    batch.release(&batch);
    rows.release(&rows);
}

static void fail_each(fl_session *session, const char *sql, fl_fault fault)
{
    for (int64_t n = 1; n <= TRIES_MAX; n++) {
        struct ArrowArrayStream rows = {0};
        fl_err err = {0};
        fl_fault_arm(fault, n);
        fl_status st = fl_session_query(session, sql, &rows, &err);
        bool untouched = fl_fault_is_armed(fault);
        if (st == FL_OK)
            st = drain(&rows, &err);
        untouched = untouched && fl_fault_is_armed(fault);
        fl_fault_arm(fault, 0);
        bool is_expected = fault == FL_FAULT_INTERRUPT ? st == FL_ERR_CANCELLED
                                                       : st == FL_ERR_MEMORY || st == FL_ERR_IO || st == FL_ERR_CORRUPT;
        if (st != FL_OK && !is_expected)
            fail_msg("%s, fault %d at %lld: %s", sql, (int)fault, (long long)n, err.message);
        if (untouched) {
            if (st != FL_OK)
                fail_msg("%s, without a fault: %s", sql, err.message);
            check_session(session, sql);
            return;
        }
        if (n % 16 == 0)
            check_session(session, sql);
    }
    fail_msg("%s: still failing after %d tries", sql, TRIES_MAX);
}

/* A query by builder, from its first step to its rows. */
static void fail_each_of_builder(fl_session *session)
{
    for (int64_t n = 1; n <= TRIES_MAX; n++) {
        struct ArrowArrayStream rows = {0};
        fl_err err = {0};
        fl_fault_arm(FL_FAULT_ALLOC, n);
        fl_builder *q = fl_query_from(session, "t");
        fl_builder_where(fl_builder_join(q, "t u", "left", "t.a = u.b"), "t.a > 1 AND t.s <> ''");
        fl_builder_where(fl_builder_agg(fl_builder_group_by(q, "t.b AS k"), "count(*) AS n"), "n > 0");
        fl_builder_skip(fl_builder_take(fl_builder_order_by(q, "n DESC, k"), 3), 1);
        fl_status st = fl_builder_run(q, &rows, &err);
        bool untouched = fl_fault_is_armed(FL_FAULT_ALLOC);
        if (st == FL_OK)
            st = drain(&rows, &err);
        fl_builder_free(q);
        untouched = untouched && fl_fault_is_armed(FL_FAULT_ALLOC);
        fl_fault_arm(FL_FAULT_ALLOC, 0);
        if (st != FL_OK && st != FL_ERR_MEMORY)
            fail_msg("the builder, fault at %lld: %s", (long long)n, err.message);
        if (untouched) {
            assert_int_equal(st, FL_OK);
            check_session(session, "a query by builder");
            return;
        }
    }
    fail_msg("the builder still fails after %d tries", TRIES_MAX);
}

static void test_faults(void **state)
{
    (void)state;
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options), .threads = 1};
    assert_int_equal(fl_engine_open(&options, &engine, &err), FL_OK);
    assert_int_equal(fl_session_open(engine, &session, &err), FL_OK);
    assert_int_equal(fl_session_query(session,
                                      "CREATE TABLE t AS SELECT range AS a, range % 4 AS b, 'a longer text, number ' "
                                      "|| range AS s FROM range(12)",
                                      &rows, &err),
                     FL_OK);
    rows.release(&rows);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        fail_each(session, statements[i], FL_FAULT_ALLOC);
        fail_each(session, statements[i], FL_FAULT_OPEN);
        fail_each(session, statements[i], FL_FAULT_READ);
        fail_each(session, statements[i], FL_FAULT_INTERRUPT);
    }
    fail_each_of_builder(session);
    fl_session_close(session);
    fl_engine_close(engine);
}

static void run_all(fl_session *session, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ArrowArrayStream rows;
        fl_err err = {0};
        if (fl_session_query(session, list[i], &rows, &err) != FL_OK)
            fail_msg("%s: %s", list[i], err.message);
        rows.release(&rows);
    }
}

/* ---- statements whose rows are read as they come, and that spill ---------------------------------------------------------- */

static const char *const spilling[] = {
    "SELECT range, 'a longer text, number ' || range FROM range(40000)",
    "SELECT a FROM t WHERE a < 0 ORDER BY a",
    "SELECT a FROM t WHERE a < 0 ORDER BY a LIMIT 3",
    "SELECT count(*), min(s), sum(n) FROM (SELECT range % 9001 AS k, min('a longer text ' || range) AS s, count(*) AS "
    "n FROM "
    "range(16000) GROUP BY 1) AS q",
    "SELECT range % 3, count(DISTINCT 'a longer text ' || range), median(range) FROM range(16000) GROUP BY 1",
    "SELECT count(*), max(s) FROM (SELECT range % 2000 AS k, string_agg('a text ' || range, ',' ORDER BY range) AS s "
    "FROM "
    "range(16000) GROUP BY 1) AS q",
    "SELECT count(*) FROM (SELECT 'a longer text ' || range FROM range(16000) EXCEPT ALL SELECT 'a longer text ' || "
    "range * 2 "
    "FROM range(16000)) AS q",
    "SELECT * FROM (SELECT range AS i, 'a longer text ' || range AS s FROM range(30000) ORDER BY range % 1000, s) AS q "
    "WHERE random() < 0.001",
    "SELECT range, 'a longer text ' || range AS s FROM range(20000) ORDER BY s DESC LIMIT 9 OFFSET 15000",
    "WITH c AS MATERIALIZED (SELECT range AS i, 'a longer text ' || range AS s FROM range(40000)) "
    "SELECT count(*), max(s) FROM c UNION ALL SELECT sum(i), min(s) FROM c",
};

/* Joins, with less memory. */
static const char *const spilling_joins[] = {
    "SELECT sum(l.i), max(r.s) FROM (SELECT i, i * 7 % 1601 AS k, repeat('x', 200) || i AS s FROM range(600) AS r(i)) "
    "AS l JOIN "
    "(SELECT i, i * 5 % 1601 AS k, repeat('y', 200) || i AS s FROM range(580) AS r(i)) AS r ON l.k = r.k WHERE l.s <> "
    "r.s",
    "SELECT count(*), max(r.s[1]) FROM (SELECT i, i * 7 % 1601 AS k, repeat('x', 200) || i AS s FROM range(1000) AS "
    "r(i)) AS l FULL JOIN (SELECT i, CASE WHEN i < 990 THEN 7 ELSE i END AS k, [repeat('y', 200), i::text] AS s FROM "
    "range(1000) AS r(i)) AS r ON l.k = r.k AND l.s <> r.s[1]",
    "SELECT count(*) FROM (SELECT i, i % 9 AS k, repeat('x', 200) || i AS s FROM range(9) AS r(i)) AS l LEFT JOIN "
    "(SELECT i, repeat('y', 200) || i AS s FROM range(1500) AS r(i)) AS r ON l.k * 150 > r.i AND l.s <> r.s",
};

#define SPILLING_TRIES 60 /* of each fault: the statements are long */

/* Every so many allocations, opens, reads and looks, so that the last one is behind the statement's end. */
static void fail_some_of_spilling(fl_session *session, const char *sql, fl_fault fault)
{
    int64_t step = 1;
    for (int64_t n = 1;; n += step) {
        struct ArrowArrayStream rows = {0};
        fl_err err = {0};
        fl_fault_arm(fault, n);
        fl_status st = fl_session_query(session, sql, &rows, &err);
        bool untouched = fl_fault_is_armed(fault);
        if (st == FL_OK)
            st = drain(&rows, &err);
        untouched = untouched && fl_fault_is_armed(fault);
        fl_fault_arm(fault, 0);
        bool is_expected = fault == FL_FAULT_INTERRUPT ? st == FL_ERR_CANCELLED
                                                       : st == FL_ERR_MEMORY || st == FL_ERR_IO || st == FL_ERR_CORRUPT;
        if (st != FL_OK && !is_expected)
            fail_msg("%s, fault %d at %lld: %s", sql, (int)fault, (long long)n, err.message);
        if (untouched) {
            assert_int_equal(st, FL_OK);
            check_session(session, sql);
            return;
        }
        if (FL_ARENA_IS_EXACT)
            step = 1 + n / 2;
        else
            step += n / SPILLING_TRIES / 4 > step ? step / 2 + 1 : 0;
    }
}

static void test_faults_of_spilling(void **state)
{
    (void)state;
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    static const char *const list[] = {"CREATE TABLE t AS SELECT range AS a FROM range(12)", "SET memory_limit = '3MB'",
                                       "SET threads = 1"};
    static const char *const of_joins[] = {"SET memory_limit = '400kB'", "SET vector_size = 64"};
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options), .threads = 1};
    assert_int_equal(fl_engine_open(&options, &engine, &err), FL_OK);
    assert_int_equal(fl_session_open(engine, &session, &err), FL_OK);
    run_all(session, list, sizeof(list) / sizeof(list[0]));
    for (size_t i = 0; i < sizeof(spilling) / sizeof(spilling[0]); i++)
        for (fl_fault fault = 0; fault < FL_FAULT_COUNT; fault++)
            fail_some_of_spilling(session, spilling[i], fault);
    run_all(session, of_joins, sizeof(of_joins) / sizeof(of_joins[0]));
    for (size_t i = 0; i < sizeof(spilling_joins) / sizeof(spilling_joins[0]); i++)
        for (fl_fault fault = 0; fault < FL_FAULT_COUNT; fault++)
            fail_some_of_spilling(session, spilling_joins[i], fault);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* ---- statements that change rows: all of it or nothing ------------------------------------------------------------------- */

static const char *const changes[] = {
    "UPDATE w SET a = a + 20000, s = s || '!' WHERE b = 2",
    "UPDATE w SET s = NULL, l = [a] WHERE a = (SELECT max(a) FROM w)",
    "UPDATE w SET b = t.b FROM t WHERE t.a = w.a",
    "DELETE FROM w WHERE b = 1",
    "DELETE FROM w WHERE a % 3 = 0",
    "INSERT INTO w SELECT a + 20000, b, s, l FROM w WHERE b = 0",
};

/* A table of two segments, of which the first has a deleted row, with the index of its key. */
static void make_table(fl_session *session)
{
    static const char *const list[] = {
        "CREATE OR REPLACE TABLE w (a bigint PRIMARY KEY, b bigint NOT NULL, s text, l bigint[])",
        "INSERT INTO w SELECT range, range % 12, 'a longer text, number ' || range % 9, [range, 1] FROM range(4090)",
        "INSERT INTO w SELECT range, range % 12, 'x', [range, 1] FROM range(9000, 9040)",
        "DELETE FROM w WHERE a > 600 AND a < 1000 AND a % 7 = 0"};
    run_all(session, list, sizeof(list) / sizeof(list[0]));
}

static int64_t sum_of_rows(fl_session *session)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    fl_err err = {0};
    static const char sql[] =
        "SELECT (sum(a * 31 + b * 7 + coalesce(length(s), 5) * 3 + len(l)) * 1000 + count(*))::bigint FROM w";
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s", err.message);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    int64_t sum = ((const int64_t *)batch.children[0]->buffers[1])[0];
    batch.release(&batch);
    rows.release(&rows);
    return sum;
}

static void fail_each_of_change(fl_session *session, const char *sql, fl_fault fault)
{
    make_table(session);
    int64_t before = sum_of_rows(session);
    run_all(session, &sql, 1);
    int64_t after = sum_of_rows(session);
    for (int64_t n = 1; n <= TRIES_MAX; n += STEP) {
        struct ArrowArrayStream rows = {0};
        fl_err err = {0};
        make_table(session);
        fl_fault_arm(fault, n);
        fl_status st = fl_session_query(session, sql, &rows, &err);
        bool untouched = fl_fault_is_armed(fault);
        fl_fault_arm(fault, 0);
        if (st == FL_OK)
            (void)drain(&rows, &err);
        int64_t sum = sum_of_rows(session); /* it may be done, and its answer fail for want of memory */
        if (sum != after && (st == FL_OK || sum != before))
            fail_msg("%s, fault %d at %lld: changed a part of the rows", sql, (int)fault, (long long)n);
        if (untouched) {
            assert_int_equal(st, FL_OK);
            return;
        }
    }
    fail_msg("%s: still failing after %d tries", sql, TRIES_MAX);
}

static void test_changes(void **state)
{
    (void)state;
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options), .threads = 1};
    static const char *const begin = "CREATE TABLE t AS SELECT range AS a, range % 4 AS b FROM range(12)";
    assert_int_equal(fl_engine_open(&options, &engine, &err), FL_OK);
    assert_int_equal(fl_session_open(engine, &session, &err), FL_OK);
    run_all(session, &begin, 1);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        fail_each_of_change(session, changes[i], FL_FAULT_ALLOC);
        fail_each_of_change(session, changes[i], FL_FAULT_INTERRUPT);
    }
    fl_session_close(session);
    fl_engine_close(engine);
}

static void test_engine_open(void **state)
{
    (void)state;
    for (int64_t n = 1; n <= TRIES_MAX; n++) {
        fl_engine *engine = NULL;
        fl_err err = {0};
        fl_fault_arm(FL_FAULT_ALLOC, n);
        fl_status st = fl_engine_open(NULL, &engine, &err);
        bool untouched = fl_fault_is_armed(FL_FAULT_ALLOC);
        fl_fault_arm(FL_FAULT_ALLOC, 0);
        assert_true(st == FL_OK || st == FL_ERR_MEMORY);
        if (st == FL_OK)
            fl_engine_close(engine);
        if (untouched)
            return;
    }
    fail_msg("opening still fails");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_engine_open), cmocka_unit_test(test_faults),
                                       cmocka_unit_test(test_faults_of_spilling), cmocka_unit_test(test_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
