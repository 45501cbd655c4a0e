/* R17, R18, R28: statements that spill, each made to fail at each of its allocations, calls of the system (a full disk and flipped bits
 * too) and looks at an interrupt (test/faults.h). */
#include "base/arena.h"

#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Wide rows: few of them do not fit. */
#define WIDE(letter) "repeat('" letter "', 200) || i AS s"
#define ROWS(n) "(SELECT i, " WIDE("x") " FROM range(" #n ") AS r(i)) AS q"
#define JOINED(name, letter, n, key) "(SELECT i, " key " AS k, " WIDE(letter) " FROM range(" #n ") AS r(i)) AS " name
#define LEFT(n, key) JOINED("l", "x", n, key)
#define RIGHT(n, key) JOINED("r", "y", n, key)

#define SPILLS(n_rows, kb, text) {.sql = (text), .rows = (n_rows), .limit_kb = (kb)}

static const fault_statement statements[] = {
    /* ---- sorts ---- */
    SPILLS(900, 800, "SELECT i, s FROM " ROWS(900) " ORDER BY i % 100, s"),
    SPILLS(1200, 1300,
           "SELECT s, i, [i, 1], i * 1.5, date '2024-01-01' + i::integer FROM " ROWS(1200) " ORDER BY s DESC, i"),
    SPILLS(9, 800, "SELECT i, s FROM " ROWS(900) " ORDER BY s DESC, i LIMIT 9 OFFSET 700"),
    SPILLS(60, 500, "SELECT DISTINCT ON (i % 60) i, s FROM " ROWS(500) " ORDER BY i % 60, s"),
    SPILLS(900, 700, "SELECT i, CASE WHEN i % 5 > 0 THEN s END AS z FROM " ROWS(900) " ORDER BY z NULLS FIRST, i DESC"),

    /* ---- windows ---- */
    SPILLS(
        900, 600,
        "SELECT i, s, lag(s) OVER (PARTITION BY i % 90 ORDER BY s), sum(i) OVER (PARTITION BY i % 90) FROM " ROWS(900)),
    SPILLS(
        900, 500,
        "SELECT s, row_number() OVER (ORDER BY s), sum(i) OVER (ORDER BY s ROWS UNBOUNDED PRECEDING) FROM " ROWS(900)),

    /* ---- groups ---- */
    SPILLS(900, 500, "SELECT i * 7 % 1601, min(s), count(*) FROM " ROWS(900) " GROUP BY 1"),
    SPILLS(900, 500, "SELECT s, sum(i), avg(i), count(*) FROM " ROWS(900) " GROUP BY s"),
    SPILLS(900, 500, "SELECT s, i % 3, max(i * 1.25), bool_and(i > 3) FROM " ROWS(900) " GROUP BY 1, 2"),
    SPILLS(900, 500, "SELECT [i, 1], {'x': s}, count(*) FROM " ROWS(900) " GROUP BY 1, 2"),
    SPILLS(450, 500, "SELECT i % 450, arg_min(s, i), max_by(i, s) FROM " ROWS(900) " GROUP BY 1"),
    SPILLS(450, 1100,
           "SELECT i % 450, array_agg(s ORDER BY i DESC), string_agg(s, ',' ORDER BY s) FROM " ROWS(900) " GROUP BY 1"),
    SPILLS(3, 800, "SELECT i % 3, list_sort(array_agg(s)) FROM " ROWS(900) " GROUP BY 1"),
    SPILLS(3, 500, "SELECT i % 3, count(DISTINCT s), min(i) FROM " ROWS(900) " GROUP BY 1"),
    SPILLS(1, 600, "SELECT count(DISTINCT s), max(s), sum(DISTINCT i) FROM " ROWS(900)),
    SPILLS(2, 800, "SELECT i % 2, median(i), quantile_cont(i, [0.25, 0.75]), mode(s) FROM " ROWS(900) " GROUP BY 1"),
    SPILLS(300, 1000,
           "SELECT i % 300, string_agg(DISTINCT s, ';' ORDER BY s), var_pop(i) FROM " ROWS(900) " GROUP BY 1"),
    SPILLS(900, 450, "SELECT DISTINCT s, i % 7 FROM " ROWS(900)),

    /* what is kept of many rows does not spill */
    {.sql = "SELECT first(s ORDER BY i % 7, i), last(s), last(DISTINCT s ORDER BY s) FROM " ROWS(900), .rows = 1},

    /* ---- set operations ---- */
    SPILLS(1200, 450,
           "SELECT s FROM " ROWS(
               900) " UNION SELECT s FROM (SELECT repeat('x', 200) || i + 300 AS s FROM range(900) AS r(i)) AS p"),
    SPILLS(450, 450, "SELECT s FROM " ROWS(900) " EXCEPT ALL SELECT repeat('x', 200) || i * 2 FROM range(900) AS r(i)"),
    SPILLS(450, 450, "SELECT s FROM " ROWS(900) " EXCEPT SELECT repeat('x', 200) || i * 2 FROM range(900) AS r(i)"),
    SPILLS(450, 450, "SELECT s FROM " ROWS(900) " INTERSECT SELECT repeat('x', 200) || i * 2 FROM range(900) AS r(i)"),
    SPILLS(450, 450,
           "SELECT s FROM " ROWS(900) " INTERSECT ALL SELECT repeat('x', 200) || i * 2 FROM range(900) AS r(i)"),

    /* ---- joins ---- */
    SPILLS(1, 350,
           "SELECT sum(l.i), max(r.s) FROM " LEFT(600, "i * 7 % 1601") " JOIN " RIGHT(
               580, "i * 5 % 1601") " ON l.k = r.k WHERE l.s <> r.s"),
    SPILLS(1, 350,
           "SELECT sum(l.i), max(r.s), count(*) FROM " LEFT(600, "i * 7 % 1601") " LEFT JOIN " RIGHT(
               580, "i * 5 % 1601") " ON l.k = r.k AND l.s <> r.s"),
    SPILLS(1, 350,
           "SELECT sum(l.i), max(r.s), count(*) FROM " LEFT(600, "i * 7 % 1601") " RIGHT JOIN " RIGHT(
               580, "i * 5 % 1601") " ON l.k = r.k AND l.s <> r.s"),
    SPILLS(1, 350,
           "SELECT sum(l.i), max(r.s), count(*), max(l.s) FROM " LEFT(600, "i * 7 % 1601") " FULL JOIN " RIGHT(
               580, "i * 5 % 1601") " ON l.k = r.k AND l.s <> r.s"),
    SPILLS(1, 350,
           "SELECT count(*), max(l.s) FROM " LEFT(600, "i * 7 % 1601") " SEMI JOIN " RIGHT(
               580, "i * 5 % 1601") " ON l.k = r.k AND l.s <> r.s"),
    SPILLS(1, 350,
           "SELECT count(*), max(l.s) FROM " LEFT(600, "i * 7 % 1601") " ANTI JOIN " RIGHT(
               580, "i * 5 % 1601") " ON l.k = r.k AND l.s <> r.s"),
    SPILLS(1, 350,
           "SELECT count(*), max(l.s) FROM " LEFT(600, "i * 7 % 1601") " WHERE l.s NOT IN (SELECT s FROM " RIGHT(
               580, "i") ")"),
    SPILLS(2, 350,
           "SELECT x, count(*), max(s) FROM (SELECT l.s, l.s IN (SELECT repeat('x', 200) || i * 3 FROM range(600) AS "
           "u(i)) OR l.i = 4 AS x FROM " LEFT(900, "i") ") AS q GROUP BY x"),
    SPILLS(1, 400,
           "SELECT count(*), max(r.s[1]) FROM " LEFT(
               1000, "i * 7 % 1601") " FULL JOIN (SELECT i, CASE WHEN i < 990 THEN 7 ELSE i END AS k, [repeat('y', "
                                     "200), i::text] AS s FROM "
                                     "range(1000) AS r(i)) AS r ON l.k = r.k AND l.s <> r.s[1]"),
    SPILLS(
        1, 400,
        "SELECT count(*) FROM (SELECT i, i % 9 AS k, repeat('x', 200) || i AS s FROM range(9) AS r(i)) AS l LEFT JOIN "
        "(SELECT i, repeat('y', 200) || i AS s FROM range(1500) AS r(i)) AS r ON l.k * 150 > r.i AND l.s <> r.s"),
    SPILLS(1, 500,
           "SELECT count(*), max(l.s), min(r.s) FROM " LEFT(900, "'a text ' || i") " JOIN " RIGHT(
               900, "'a text ' || i * 2") " ON l.k = r.k"),
    SPILLS(
        1, 800,
        "SELECT count(*), max(l.s), min(r.s) FROM (SELECT * FROM " LEFT(
            900, "i % 600") " ORDER BY k) AS l JOIN (SELECT * FROM " RIGHT(900,
                                                                           "i % 700") " ORDER BY k) AS r ON l.k = r.k"),

    /* ---- hash joins of rows whose order somebody relies on ---- */
    SPILLS(818, 500, "SELECT a, c, s FROM placed JOIN " ROWS(1000) " ON k = i ORDER BY a"),
    SPILLS(900, 400, "SELECT a, c, repeat('x', 200) || k IN (SELECT s FROM " ROWS(1000) ") FROM placed ORDER BY a"),
    SPILLS(82, 400,
           "SELECT a, c FROM placed WHERE NOT EXISTS (SELECT 1 FROM " ROWS(
               1000) " WHERE k = i AND s > a::text) ORDER BY a"),

    /* ---- rows that are read more than once, subqueries ---- */
    SPILLS(2, 550,
           "WITH c AS MATERIALIZED (SELECT i, s FROM " ROWS(
               900) ") SELECT count(*), max(s) FROM c UNION ALL SELECT sum(i), min(s) FROM c"),
    SPILLS(1, 550,
           "WITH c AS MATERIALIZED (SELECT i, s FROM " ROWS(
               900) ") SELECT count(*), max(d.s) FROM c JOIN c AS d ON c.i = d.i + 1"),
    SPILLS(1, 1000,
           "SELECT count(*), sum(m) FROM (SELECT l.i, (SELECT count(*) FROM " RIGHT(
               600, "i % 300") " WHERE r.k = l.k AND r.s > l.s) AS m FROM " LEFT(600, "i % 400") ") AS q"),
    SPILLS(1, 350,
           "SELECT count(*), max(s) FROM " LEFT(900, "i % 400") " WHERE EXISTS (SELECT 1 FROM " RIGHT(
               600, "i * 2") " WHERE r.k = l.k AND r.s > l.s)"),
};

/* All rows are spilled when the first ones are read. */
static fl_status run_half(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    struct ArrowArrayStream rows = {0};
    fl_status st = fl_session_query(f->session, statement->sql, &rows, err);
    return st == FL_OK ? fault_read(&rows, 1, ret, err) : st;
}

static const fault_statement half_read[] = {
    {.sql = "SELECT i, s FROM " ROWS(900) " ORDER BY i % 100, s", .rows = 64, .limit_kb = 800, .run = run_half},
};

#define TRY(f, list) faults_try(f, list, sizeof(list) / sizeof(list[0]))

/* Of each kind of fault. What comes before the rows is alike in all of them, and tried whole in fault_test.c. */
#define TRIES_MAX (FL_ARENA_IS_EXACT ? 40 : 100)

static int64_t tries_max = TRIES_MAX;

static void test_spilling(void **state)
{
    (void)state;
    static faults f;
    static const char *const list[] = {
        "SET vector_size = 64",
        "CREATE TABLE placed AS SELECT i // 3 AS a, CASE WHEN i % 11 > 0 THEN i * 7 % 911 END AS k, "
        "i AS c FROM range(900) AS r(i) ORDER BY a, c"};
    faults_open(&f, list, 2);
    f.tries_max = tries_max;
    f.right_every = 8;
    TRY(&f, statements);
    TRY(&f, half_read);
    assert_true(f.n_spilling >= 30);
    faults_close(&f);
}

/* With the argument "all" every place fails, which takes some minutes. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_spilling)};
    if (argc > 1 && strcmp(argv[1], "all") == 0)
        tries_max = INT64_MAX;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
