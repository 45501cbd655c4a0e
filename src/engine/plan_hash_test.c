/* Plan hash, shape hash and equality of plans (plan/plan_hash.h): which texts ask the same thing, and which do not. */
#include "engine/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

typedef struct fixture {
    fl_engine *engine;
    fl_session *session;
} fixture;

/* A query that was bound. */
typedef struct bound {
    fl_sql_parser parser;
    fl_arena arena;
    fl_sql_bound bound;
} bound;

static void run_sql(fixture *f, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_err err = {0};
    if (fl_session_query(f->session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    rows.release(&rows);
}

static int set_up(void **state)
{
    static fixture f;
    fl_err err = {0};
    assert_int_equal(fl_engine_open(NULL, &f.engine, &err), FL_OK);
    assert_int_equal(fl_session_open(f.engine, &f.session, &err), FL_OK);
    run_sql(&f, "CREATE TABLE t (a integer, b integer, c text, d double, l integer[], n decimal(9,2), at date)");
    run_sql(&f, "CREATE TABLE u (x integer, y integer, z text)");
    run_sql(&f, "CREATE TABLE v (x integer, y integer, z text)");
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_session_close(f->session);
    fl_engine_close(f->engine);
    return 0;
}

static void bind(fixture *f, const char *sql, bound *ret)
{
    fl_ast_statement *ast = NULL;
    fl_err err = {0};
    *ret = (bound){0};
    fl_arena_init(&ret->arena, &f->session->statement_memory);
    if (fl_sql_parser_init(&ret->parser, &f->session->statement_memory, fl_str_of(sql), &err) != FL_OK ||
        fl_sql_parser_next(&ret->parser, &ret->arena, &ast, &err) != FL_OK ||
        fl_session_bind_only(f->session, &ret->arena, fl_str_of(sql), ast, &ret->bound, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
}

static void drop(bound *b)
{
    fl_sql_bound_drop(&b->bound);
    fl_sql_parser_drop(&b->parser);
    fl_arena_drop(&b->arena);
}

/* Whether two texts are one query; hashes and comparisons, in both directions, have to say the same. */
static bool is_same(fixture *f, const char *const pair[2], bool literals)
{
    bound a, b;
    uint64_t hash_a = 0, hash_b = 0;
    bool is_equal = false, is_equal_back = false, is_itself = false;
    fl_err err = {0};
    int64_t started_ns = fl_session_begin(f->session);
    bind(f, pair[0], &a);
    bind(f, pair[1], &b);
    const fl_query *x = &a.bound.query, *y = &b.bound.query;
    assert_int_equal(fl_plan_hash(x, literals, &hash_a, &err), FL_OK);
    assert_int_equal(fl_plan_hash(y, literals, &hash_b, &err), FL_OK);
    assert_int_equal(fl_plan_is_equal(x, y, literals, &is_equal, &err), FL_OK);
    assert_int_equal(fl_plan_is_equal(y, x, literals, &is_equal_back, &err), FL_OK);
    assert_int_equal(fl_plan_is_equal(x, x, literals, &is_itself, &err), FL_OK);
    if (is_equal != is_equal_back || is_equal != (hash_a == hash_b) || !is_itself)
        fail_msg("equal: %d, back: %d, hashes equal: %d, itself: %d\n%s\n%s", is_equal, is_equal_back, hash_a == hash_b,
                 is_itself, pair[0], pair[1]);
    drop(&a);
    drop(&b);
    assert_int_equal(fl_session_end(f->session, started_ns, FL_OK, &err), FL_OK);
    return is_equal;
}

static void check(fixture *f, const char *const pair[2], bool literals, bool expected)
{
    if (is_same(f, pair, literals) != expected)
        fail_msg("%s %s:\n%s\n%s", expected ? "not one" : "one", literals ? "plan" : "shape", pair[0], pair[1]);
}

static void test_same_plan(void **state)
{
    static const char *const same[][2] = {
        /* names */
        {"SELECT a FROM t", "select T.A as first from T as T"},
        {"SELECT a AS p, b AS q FROM t AS o WHERE o.a > 1", "SELECT r.a, r.b FROM t AS r WHERE r.a > 1"},
        {"SELECT count(*) AS n FROM t", "SELECT count(*) FROM t AS other"},
        {"SELECT p FROM (SELECT a + 1 AS p FROM t) AS s", "SELECT q FROM (SELECT a + 1 AS q FROM t) AS r"},
        {"WITH m AS MATERIALIZED (SELECT a FROM t) SELECT p.a FROM m AS p, m AS q WHERE p.a < q.a",
         "WITH k AS MATERIALIZED (SELECT a FROM t) SELECT g.a FROM k AS g, k AS h WHERE g.a < h.a"},
        {"SELECT a FROM t ORDER BY a", "SELECT a AS k FROM t ORDER BY k ASC"},
        {"SELECT a, count(*) FROM t GROUP BY a", "SELECT a, count(*) FROM t GROUP BY 1"},
        {"SELECT * FROM range(10)", "SELECT range FROM RANGE(0, 10)"},
        {"SELECT * FROM (VALUES (1, 'p'), (2, 'q')) AS v(i, s)",
         "SELECT * FROM (VALUES (1, 'p'), (2, 'q')) AS w(k, l)"},

        /* comparisons from either side */
        {"SELECT a FROM t WHERE a = b", "SELECT a FROM t WHERE b = a"},
        {"SELECT a FROM t WHERE a <> b", "SELECT a FROM t WHERE b != a"},
        {"SELECT a FROM t WHERE 1 < a", "SELECT a FROM t WHERE a > 1"},
        {"SELECT a FROM t WHERE a <= b", "SELECT a FROM t WHERE b >= a"},
        {"SELECT a FROM t WHERE a >= 3", "SELECT a FROM t WHERE 3 <= a"},
        {"SELECT a FROM t WHERE a < d", "SELECT a FROM t WHERE d > a"},
        {"SELECT a FROM t WHERE a IS DISTINCT FROM b", "SELECT a FROM t WHERE b IS DISTINCT FROM a"},
        {"SELECT a FROM t WHERE '2020-01-01' < at", "SELECT a FROM t WHERE at > '2020-01-01'"},
        {"SELECT a FROM t JOIN u ON a = x", "SELECT a FROM t JOIN u ON x = a"},
        {"SELECT a FROM t WHERE 1 < a AND NOT b = a", "SELECT a FROM t WHERE NOT a = b AND a > 1"},

        /* sums and products */
        {"SELECT a + b FROM t", "SELECT b + a FROM t"},
        {"SELECT a * 2 FROM t", "SELECT 2 * a FROM t"},
        {"SELECT n * d FROM t", "SELECT d * n FROM t"},
        {"SELECT at + 1 FROM t", "SELECT 1 + at FROM t"},
        {"SELECT a * (b + 1) FROM t", "SELECT (1 + b) * a FROM t"},
        {"SELECT sum(a * b) FROM t WHERE a + b > 3", "SELECT sum(b * a) FROM t WHERE 3 < b + a"},

        /* conditions in any order */
        {"SELECT a FROM t WHERE a > 1 AND b > 2", "SELECT a FROM t WHERE b > 2 AND a > 1"},
        {"SELECT a FROM t WHERE a > 1 OR b > 2 OR c = 'x'", "SELECT a FROM t WHERE c = 'x' OR 2 < b OR a > 1"},
        {"SELECT a FROM t WHERE (a = 1 AND b = 2) OR (a = 2 AND b = 1)",
         "SELECT a FROM t WHERE (b = 1 AND a = 2) OR (b = 2 AND a = 1)"},
        {"SELECT a FROM t WHERE a BETWEEN 1 AND 5", "SELECT a FROM t WHERE a <= 5 AND a >= 1"},
        {"SELECT a FROM t WHERE a IN (1, 2, 3)", "SELECT a FROM t WHERE a IN (3, 1, 2, 1)"},
        {"SELECT a FROM t LEFT JOIN u ON a = x AND b = y", "SELECT a FROM t LEFT JOIN u ON y = b AND x = a"},
        {"SELECT CASE WHEN a = b AND d > 1 THEN 1 END FROM t", "SELECT CASE WHEN 1 < d AND b = a THEN 1 END FROM t"},
        {"SELECT count(*) FILTER (WHERE a = b AND d > 1) FROM t",
         "SELECT count(*) FILTER (WHERE d > 1 AND b = a) FROM t"},
        {"SELECT a FROM t GROUP BY a HAVING sum(b) > 1 AND min(b) < 2",
         "SELECT a FROM t GROUP BY a HAVING sum(b) > 1 AND 2 > min(b)"},
        {"SELECT a FROM t ORDER BY a = b", "SELECT a FROM t ORDER BY b = a"},

        /* subqueries */
        {"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE x = a)",
         "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u AS k WHERE a = k.x)"},
        {"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE x = a) AND b IN (SELECT y FROM u)",
         "SELECT a FROM t WHERE b IN (SELECT y FROM u) AND EXISTS (SELECT 1 FROM u WHERE a = x)"},
        {"SELECT a FROM t WHERE a > (SELECT avg(b) FROM t) OR b > (SELECT min(a) FROM t AS s WHERE s.b = t.a)",
         "SELECT a FROM t WHERE b > (SELECT min(a) FROM t AS r WHERE t.a = r.b) OR (SELECT avg(b) FROM t) < a"},
        {"WITH m AS MATERIALIZED (SELECT x FROM u) SELECT a FROM t WHERE a IN (SELECT x FROM m) AND b IN (SELECT x "
         "FROM u)",
         "WITH m AS MATERIALIZED (SELECT x FROM u) SELECT a FROM t WHERE b IN (SELECT x FROM u) AND a IN (SELECT x "
         "FROM "
         "m)"},
        {"SELECT p.a FROM t AS p, t AS q WHERE p.a = q.b", "SELECT s.a FROM t AS s, t AS r WHERE r.b = s.a"},
        {"SELECT a, random() FROM t", "SELECT a, random() AS r FROM t"},
    };
    for (size_t i = 0; i < FL_LEN(same); i++) {
        check(*state, same[i], true, true);
        check(*state, same[i], false, true);
    }
}

static void test_other_plan(void **state)
{
    static const char *const other[][2] = {
        /* what is put out, and in which order */
        {"SELECT a FROM t", "SELECT b FROM t"},
        {"SELECT a, b FROM t", "SELECT b, a FROM t"},
        {"SELECT a, b + 1 FROM t", "SELECT b + 1, a FROM t"},
        {"SELECT a FROM t", "SELECT a, a FROM t"},
        {"SELECT x FROM u", "SELECT x FROM v"},
        {"SELECT DISTINCT a FROM t", "SELECT a FROM t"},

        /* expressions */
        {"SELECT a - b FROM t", "SELECT b - a FROM t"},
        {"SELECT a / b FROM t", "SELECT b / a FROM t"},
        {"SELECT c || 'x' FROM t", "SELECT 'x' || c FROM t"},
        {"SELECT a FROM t WHERE a < b", "SELECT a FROM t WHERE b < a"},
        {"SELECT a FROM t WHERE a < b", "SELECT a FROM t WHERE a <= b"},
        {"SELECT a FROM t WHERE a = 1 AND b = 2 OR d = 3", "SELECT a FROM t WHERE a = 1 AND (b = 2 OR d = 3)"},
        {"SELECT a::text FROM t", "SELECT a::bigint FROM t"},
        {"SELECT c::integer FROM t", "SELECT TRY_CAST(c AS integer) FROM t"},
        {"SELECT {'p': a} FROM t", "SELECT {'q': a} FROM t"},
        {"SELECT {'p': 1} FROM t", "SELECT {'q': 1} FROM t"},
        {"SELECT CASE WHEN a = 1 THEN a ELSE b END FROM t", "SELECT CASE WHEN a = 1 THEN b ELSE a END FROM t"},

        /* aggregates, orders */
        {"SELECT string_agg(c, ',' ORDER BY a) FROM t", "SELECT string_agg(c, ',' ORDER BY a DESC) FROM t"},
        {"SELECT string_agg(c, ',' ORDER BY a) FROM t", "SELECT string_agg(c, ',' ORDER BY b) FROM t"},
        {"SELECT string_agg(c, ',') FROM t", "SELECT string_agg(c, ',' ORDER BY c) FROM t"},
        {"SELECT count(a) FROM t", "SELECT count(DISTINCT a) FROM t"},
        {"SELECT count(a) FROM t", "SELECT count(*) FROM t"},
        {"SELECT sum(a) FROM t", "SELECT sum(a) FILTER (WHERE b > 1) FROM t"},
        {"SELECT sum(a) FILTER (WHERE b > 1) FROM t", "SELECT sum(a) FILTER (WHERE a > 1) FROM t"},
        {"SELECT sum(b) FROM t GROUP BY a", "SELECT sum(b) FROM t GROUP BY d"},
        {"SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC"},
        {"SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a NULLS FIRST"},
        {"SELECT a FROM t ORDER BY a, b", "SELECT a FROM t ORDER BY b, a"},
        {"SELECT a FROM t", "SELECT a FROM t LIMIT 5"},

        /* joins, sets, subqueries */
        {"SELECT a FROM t JOIN u ON a = x", "SELECT a FROM t LEFT JOIN u ON a = x"},
        {"SELECT a FROM t SEMI JOIN u ON a = x", "SELECT a FROM t ANTI JOIN u ON a = x"},
        {"SELECT a FROM t JOIN u ON a = x", "SELECT a FROM t JOIN u ON a = y"},
        {"SELECT p.a FROM t AS p JOIN t AS q ON p.a = q.b", "SELECT p.a FROM t AS p JOIN t AS q ON p.b = q.a"},
        {"SELECT p.a FROM t AS p, t AS q", "SELECT q.a FROM t AS p, t AS q"},
        {"SELECT p.i FROM (VALUES (1), (2)) AS p(i), (VALUES (1), (2)) AS q(i) WHERE p.i < q.i",
         "SELECT p.i FROM (VALUES (1), (2)) AS p(i), (VALUES (1), (2)) AS q(i) WHERE q.i < p.i"},
        {"SELECT a FROM t UNION SELECT x FROM u", "SELECT a FROM t UNION ALL SELECT x FROM u"},
        {"SELECT a FROM t INTERSECT SELECT x FROM u", "SELECT a FROM t EXCEPT SELECT x FROM u"},
        {"SELECT a, b FROM t EXCEPT SELECT x, y FROM u", "SELECT a, b FROM t EXCEPT SELECT y, x FROM u"},
        {"SELECT a = ANY (SELECT x FROM u) FROM t", "SELECT a = ALL (SELECT x FROM u) FROM t"},
        {"SELECT a < ANY (SELECT x FROM u) FROM t", "SELECT a > ANY (SELECT x FROM u) FROM t"},
        {"SELECT a IN (SELECT x FROM u) FROM t", "SELECT a IN (SELECT y FROM u) FROM t"},
        {"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t AS s WHERE s.a = t.b)",
         "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t AS s WHERE s.b = t.a)"},
        {"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t AS s WHERE s.a = t.b)",
         "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t AS s WHERE s.a = s.b)"},
        {"SELECT k FROM (SELECT 1 AS i) AS g LEFT JOIN (SELECT x, coalesce(y, 0) AS k FROM u) AS s ON s.x = i",
         "SELECT coalesce(y, 0) FROM (SELECT 1 AS i) AS g LEFT JOIN (SELECT x, y FROM u) AS s ON s.x = i"},
        {"SELECT e FROM t, unnest(l) AS s(e)", "SELECT e FROM t LEFT JOIN unnest(l) AS s(e) ON true"},

        /* rows that are made twice or once */
        {"SELECT r < 0.5, r > 0.7 FROM (SELECT random() AS r FROM t) AS s",
         "SELECT r < 0.5, q > 0.7 FROM (SELECT random() AS r, random() AS q FROM t) AS s"},
        {"WITH m AS MATERIALIZED (SELECT random() AS r FROM t), k AS MATERIALIZED (SELECT random() AS r FROM t) "
         "SELECT * FROM (SELECT a FROM t WHERE d IN (SELECT r FROM m)) AS s, m",
         "WITH m AS MATERIALIZED (SELECT random() AS r FROM t), k AS MATERIALIZED (SELECT random() AS r FROM t) "
         "SELECT * FROM (SELECT a FROM t WHERE d IN (SELECT r FROM m)) AS s, k"},
        {"SELECT a FROM t WHERE $1 > $2::integer", "SELECT a FROM t WHERE $1::integer < $1"},
    };
    for (size_t i = 0; i < FL_LEN(other); i++) {
        check(*state, other[i], true, false);
        check(*state, other[i], false, false);
    }
}

/* Of one shape, but not one plan: literals differ. */
static void test_same_shape(void **state)
{
    static const char *const same[][2] = {
        {"SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = 2"},
        {"SELECT a FROM t WHERE a < 1", "SELECT a FROM t WHERE 22 > a"},
        {"SELECT a FROM t WHERE a > 1", "SELECT a FROM t WHERE a > -1"},
        {"SELECT a FROM t WHERE c = 'x'", "SELECT a FROM t WHERE c = 'something longer than a view holds'"},
        {"SELECT a FROM t WHERE c LIKE 'x%'", "SELECT a FROM t WHERE c LIKE '%y%z'"},
        {"SELECT a FROM t WHERE at < '2020-01-01'", "SELECT a FROM t WHERE at < '1999-12-31'"},
        {"SELECT a FROM t WHERE n > 1.5", "SELECT a FROM t WHERE n > 10.25"},
        {"SELECT n * 1.5 FROM t", "SELECT n * 10.25 FROM t"},
        {"SELECT at + interval '1 day' FROM t", "SELECT at + interval '2 months' FROM t"},
        {"SELECT a FROM t WHERE a BETWEEN 1 AND 2", "SELECT a FROM t WHERE a BETWEEN 30 AND 40"},
        {"SELECT a FROM t WHERE a = 1 OR b = 2", "SELECT a FROM t WHERE b = 1 OR a = 3"},
        {"SELECT a = 1 AND true FROM t", "SELECT a = 2 AND false FROM t"},

        /* lists */
        {"SELECT a FROM t WHERE a IN (1, 2)", "SELECT a FROM t WHERE a IN (7, 8)"},
        {"SELECT a FROM t WHERE a IN (1, 2)", "SELECT a FROM t WHERE a IN (1, 2, 3, 4, 5, 6, 7, 8, 9)"},
        {"SELECT a FROM t WHERE a IN (1)", "SELECT a FROM t WHERE a IN (1, 2, 3)"},
        {"SELECT a FROM t WHERE c IN ('p', 'q')", "SELECT a FROM t WHERE c IN ('r', 's', 't')"},
        {"SELECT a FROM t WHERE a NOT IN (1, 2)", "SELECT a FROM t WHERE a NOT IN (3, 4, 5)"},
        {"SELECT * FROM (VALUES (1, 'p'), (2, 'q')) AS s", "SELECT * FROM (VALUES (3, 'r'), (4, 's')) AS s"},
        {"SELECT p + 1 FROM (VALUES (1), (2)) AS s(p)", "SELECT p + 2 FROM (VALUES (3), (4)) AS s(p)"},

        /* in every place */
        {"SELECT a + 1 FROM t", "SELECT a + 2 FROM t"},
        {"SELECT a FROM t LIMIT 5", "SELECT a FROM t LIMIT 6"},
        {"SELECT a FROM t LIMIT 5 OFFSET 3", "SELECT a FROM t LIMIT 50 OFFSET 4"},
        {"SELECT a FROM t ORDER BY a % 2, b", "SELECT a FROM t ORDER BY a % 3, b"},
        {"SELECT sum(a + 1) FROM t", "SELECT sum(a + 2) FROM t"},
        {"SELECT sum(a) FILTER (WHERE b > 1) FROM t", "SELECT sum(a) FILTER (WHERE b > 2) FROM t"},
        {"SELECT string_agg(c, ',' ORDER BY a % 2) FROM t", "SELECT string_agg(c, '; ' ORDER BY a % 3) FROM t"},
        {"SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY a) FROM t",
         "SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY a) FROM t"},
        {"SELECT a % 2, count(*) FROM t GROUP BY a % 2", "SELECT a % 5, count(*) FROM t GROUP BY a % 5"},
        {"SELECT a FROM t GROUP BY a HAVING count(*) > 1", "SELECT a FROM t GROUP BY a HAVING count(*) > 2"},
        {"SELECT p FROM (SELECT a + 1 AS p FROM t) AS s WHERE p > 2",
         "SELECT p FROM (SELECT a + 3 AS p FROM t) AS s WHERE p > 4"},
        {"SELECT max(p) FROM (SELECT a * 2 AS p FROM t) AS s ORDER BY max(p)",
         "SELECT max(p) FROM (SELECT a * 3 AS p FROM t) AS s ORDER BY max(p)"},
        {"SELECT a + 1 FROM t UNION SELECT x + 1 FROM u", "SELECT a + 2 FROM t UNION SELECT x + 3 FROM u"},
        {"SELECT a FROM t JOIN u ON a = x AND y > 1", "SELECT a FROM t JOIN u ON a = x AND y > 2"},
        {"SELECT CASE WHEN a = 1 THEN 'p' ELSE 'q' END FROM t", "SELECT CASE WHEN a = 2 THEN 'r' ELSE 's' END FROM t"},
        {"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE x = a AND y > 1)",
         "SELECT a FROM t WHERE EXISTS (SELECT 2 FROM u WHERE x = a AND y > 3)"},
        {"SELECT * FROM range(10)", "SELECT * FROM range(5, 20)"},
        {"SELECT * FROM read_csv('test/data/csv/people.csv', header => true)",
         "SELECT * FROM read_csv('test/data/csv/people.csv', header => true, delim => ',')"},
    };
    for (size_t i = 0; i < FL_LEN(same); i++) {
        check(*state, same[i], true, false);
        check(*state, same[i], false, true);
    }
}

/* What is neither text nor literal counts in the shape. */
static void test_other_shape(void **state)
{
    static const char *const other[][2] = {
        {"SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = 'x'::text::integer"},
        {"SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = 1 AND a = 2"},
        {"SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE b = 1"},
        {"SELECT a FROM t WHERE a IN (1, 2)", "SELECT a FROM t WHERE b IN (1, 2)"},
        {"SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = $1"},
        {"SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a <> 1"},
        {"SELECT a FROM t LIMIT 5", "SELECT a FROM t"},
        {"SELECT * FROM (VALUES (1)) AS s", "SELECT * FROM (VALUES ('p')) AS s"},
        {"SELECT * FROM range(10)", "SELECT * FROM generate_series(0, 10)"},
        {"SELECT p FROM (SELECT a + 1 AS p, a + 2 AS q FROM t) AS s WHERE p > 1",
         "SELECT q FROM (SELECT a + 1 AS p, a + 2 AS q FROM t) AS s WHERE p > 1"},
        {"SELECT p.a FROM t AS p JOIN t AS q ON p.a = q.b AND p.a > 1",
         "SELECT p.a FROM t AS p JOIN t AS q ON p.a = q.b AND q.a > 2"},
    };
    for (size_t i = 0; i < FL_LEN(other); i++) {
        check(*state, other[i], true, false);
        check(*state, other[i], false, false);
    }
}

/* Files and options that a table's name does not tell. */
static void test_tables(void **state)
{
    static const char *const other[][2] = {
        {"SELECT * FROM range(10)", "SELECT * FROM range(11)"},
        {"SELECT * FROM range(0, 10, 1)", "SELECT * FROM range(0, 10, 2)"},
        {"SELECT * FROM read_csv('test/data/csv/people.csv')",
         "SELECT * FROM read_csv('test/data/csv/people.csv', header => true)"},
        {"SELECT * FROM read_csv('test/data/csv/people.csv', columns => "
         "{'id': 'bigint', 'name': 'text', 'born': 'date', 'score': 'double', 'active': 'boolean'})",
         "SELECT * FROM read_csv('test/data/csv/people.csv', columns => "
         "{'key': 'bigint', 'name': 'text', 'born': 'date', 'score': 'double', 'active': 'boolean'})"},
        {"SELECT * FROM read_csv(['test/data/csv/people.csv', 'test/data/csv/people.csv'])",
         "SELECT * FROM read_csv(['test/data/csv/people.csv', 'test/data/csv/../csv/people.csv'])"},
    };
    for (size_t i = 0; i < FL_LEN(other); i++)
        check(*state, other[i], true, false);
}

/* A hash is made of names and values: what else an engine has, or had, does not matter. */
static void test_other_engine(void **state)
{
    fixture *f = *state, other;
    uint64_t here = 0, there = 0;
    fl_err err = {0};
    const char *sql = "SELECT a, sum(b) FROM t JOIN u ON a = x WHERE a > 1 GROUP BY a ORDER BY a LIMIT 3";
    assert_int_equal(fl_engine_open(NULL, &other.engine, &err), FL_OK);
    assert_int_equal(fl_session_open(other.engine, &other.session, &err), FL_OK);
    run_sql(&other, "CREATE TABLE w AS SELECT * FROM range(3)");
    run_sql(&other, "CREATE TABLE u (x integer, y integer, z text)");
    run_sql(&other, "CREATE TABLE t (a integer, b integer, c text, d double, l integer[], n decimal(9,2), at date)");
    run_sql(&other, "SELECT count(*) FROM t, u, w");
    assert_int_equal(fl_session_plan_hash(f->session, sql, &here, &err), FL_OK);
    assert_int_equal(fl_session_plan_hash(other.session, sql, &there, &err), FL_OK);
    assert_true(here == there);
    fl_session_close(other.session);
    fl_engine_close(other.engine);
}

/* As a tree this expression has 2^60 parts, as a graph 60: it is walked once. */
static void test_shared_parts(void **state)
{
    char sql[2][4096];
    for (int at = 0; at < 2; at++) {
        int n = snprintf(sql[at], sizeof(sql[at]), "SELECT a AS a0");
        for (int i = 0; i < 60; i++)
            n += snprintf(sql[at] + n, sizeof(sql[at]) - (size_t)n, ", a%d * 2 + a%d AS a%d", i, i, i + 1);
        snprintf(sql[at] + n, sizeof(sql[at]) - (size_t)n, " FROM t WHERE a = %d", at);
    }
    check(*state, (const char *const[]){sql[0], sql[0]}, true, true);
    check(*state, (const char *const[]){sql[0], sql[1]}, true, false);
    check(*state, (const char *const[]){sql[0], sql[1]}, false, true);
}

/* A comparison fails where memory does, and gives its own back. */
static void test_no_memory(void **state)
{
    fixture *f = *state;
    bound a, b;
    int64_t started_ns = fl_session_begin(f->session);
    fl_err err = {0};
    bind(f,
         "WITH m AS MATERIALIZED (SELECT a, l, row_number FROM t, unnest(l) WITH ORDINALITY AS s(e, row_number)) "
         "SELECT a, string_agg(c, ',' ORDER BY d) FROM t JOIN u ON a = x AND y IN (1, 2) WHERE EXISTS (SELECT 1 FROM m "
         "WHERE m.a = t.a) GROUP BY a ORDER BY a LIMIT 3",
         &a);
    bind(f, "SELECT a + b FROM t", &b);
    for (int64_t n = 1, passed = 0; !passed; n++) {
        bool is_equal = true;
        assert_true(n < 1000);
        fl_fault_arm(FL_FAULT_ALLOC, n);
        fl_status st = fl_plan_is_equal(&a.bound.query, &b.bound.query, true, &is_equal, &err);
        passed = fl_fault_is_armed(FL_FAULT_ALLOC);
        fl_fault_arm(FL_FAULT_ALLOC, 0);
        assert_int_equal(st, passed ? FL_OK : FL_ERR_MEMORY);
        assert_int_equal(is_equal, !passed);
    }
    drop(&a);
    drop(&b);
    assert_int_equal(fl_session_end(f->session, started_ns, FL_OK, &err), FL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_engine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shared_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
