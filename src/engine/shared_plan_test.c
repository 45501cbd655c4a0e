/* Plans are frozen: one plan that is optimized runs in many sessions at once, and gives each the same rows. The thread
 * sanitizer watches that no run writes into what another reads. */
#include "engine/internal.h"
#include "front/sql/sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#define THREADS 8
#define RUNS 4

static const char *const statements[] = {
    "SELECT a, s FROM t WHERE a % 3 = 1 AND s LIKE '%7%'",
    "SELECT b, count(*), sum(a), min(s), count(DISTINCT s) FROM t GROUP BY b ORDER BY b",
    "SELECT t.a, u.s FROM t JOIN u ON t.b = u.b WHERE u.s <> 'x' AND t.a < 100",
    "SELECT t.a, u.s FROM t LEFT JOIN u ON t.a = u.b ORDER BY t.a DESC LIMIT 7",
    "SELECT a FROM t WHERE a IN (SELECT b FROM u) OR a NOT IN (SELECT b + 1 FROM u)",
    "SELECT a, (SELECT max(u.s) FROM u WHERE u.b = t.b) FROM t WHERE a < 50",
    "SELECT a FROM t UNION SELECT b FROM u",
    "WITH c AS MATERIALIZED (SELECT b, count(*) AS n FROM t GROUP BY b) SELECT x.n FROM c AS x JOIN c AS y ON x.b = "
    "y.b",
    "SELECT x FROM u, unnest([b, b + 1]) AS l(x) WHERE x <> 1",
};

typedef struct fixture {
    fl_engine *engine;
    fl_session *sessions[THREADS];
    const fl_query *query;
    _Atomic int64_t rows[THREADS * RUNS];
    _Atomic int32_t failures;
} fixture;

typedef struct runner {
    fixture *f;
    int32_t number;
} runner;

static int64_t count_rows(const fl_rows *rows)
{
    int64_t n = 0;
    for (int64_t i = 0; i < rows->n_segments; i++)
        n += rows->segments[i]->rows;
    return n;
}

static void *run(void *ctx)
{
    runner *r = ctx;
    fl_session *session = r->f->sessions[r->number];
    for (int32_t i = 0; i < RUNS; i++) {
        fl_rows rows = {0};
        fl_err err = {0};
        int64_t started_ns = fl_session_begin(session);
        fl_status st = fl_session_run_plan(session, r->f->query, NULL, 0, FL_SEGMENT_RESULT, &r->f->engine->memory,
                                           &rows, NULL, &err);
        if (st != FL_OK)
            r->f->failures++;
        else
            r->f->rows[r->number * RUNS + i] = count_rows(&rows);
        fl_rows_drop(&rows);
        (void)fl_session_end(session, started_ns, st, &err);
    }
    return NULL;
}

static void run_sql(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_err err = {0};
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    rows.release(&rows);
}

static void check(fixture *f, const char *sql)
{
    fl_arena arena;
    fl_sql_parser parser = {0};
    fl_sql_bound bound = {0};
    fl_ast_statement *ast = NULL;
    fl_err err = {0};
    pthread_t threads[THREADS];
    runner runners[THREADS];
    fl_session *first = f->sessions[0];
    int64_t started_ns = fl_session_begin(first);
    fl_arena_init(&arena, &f->engine->memory);
    assert_int_equal(fl_sql_parser_init(&parser, &f->engine->memory, fl_str_of(sql), &err), FL_OK);
    assert_int_equal(fl_sql_parser_next(&parser, &arena, &ast, &err), FL_OK);
    if (fl_session_bind_only(first, &arena, fl_str_of(sql), ast, &bound, &err) != FL_OK ||
        fl_session_optimize(first, &bound.query, NULL, 0, NULL, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    (void)fl_session_end(first, started_ns, FL_OK, &err);
    f->query = &bound.query;
    for (int32_t i = 0; i < THREADS; i++) {
        runners[i] = (runner){f, i};
        assert_int_equal(pthread_create(&threads[i], NULL, run, &runners[i]), 0);
    }
    for (int32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(f->failures, 0);
    assert_true(f->rows[0] > 0);
    for (int32_t i = 0; i < THREADS * RUNS; i++)
        assert_int_equal(f->rows[i], f->rows[0]);
    fl_sql_bound_drop(&bound);
    fl_sql_parser_drop(&parser);
    fl_arena_drop(&arena);
}

static void test_one_plan_in_many_sessions(void **state)
{
    (void)state;
    static fixture f;
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options), .threads = 2};
    assert_int_equal(fl_engine_open(&options, &f.engine, &err), FL_OK);
    for (int32_t i = 0; i < THREADS; i++)
        assert_int_equal(fl_session_open(f.engine, &f.sessions[i], &err), FL_OK);
    run_sql(f.sessions[0], "CREATE TABLE t AS SELECT i AS a, i % 10 AS b, 'text ' || i AS s FROM range(3000) AS r(i)");
    run_sql(f.sessions[0], "CREATE TABLE u AS SELECT i AS b, 'word ' || i AS s FROM range(20) AS r(i)");
    for (int64_t i = 0; i < FL_LEN(statements); i++)
        check(&f, statements[i]);
    for (int32_t i = 0; i < THREADS; i++)
        fl_session_close(f.sessions[i]);
    fl_engine_close(f.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_plan_in_many_sessions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
