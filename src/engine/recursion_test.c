/* What the rounds of a recursion share: a table that each round joins is read once, whatever number of rounds there are, but where it cannot stay
 * the same. EXPLAIN ANALYZE says how many rows came from it. */
#include "engine/internal.h"

#include "arrow_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static fl_engine *engine;
static fl_session *session;

/* A column of text, a line a row; the stream is released. */
static void ask(const char *sql, struct text *ret)
{
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    fl_err err = {0};
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    assert_int_equal(rows.get_schema(&rows, &schema), 0);
    for (;;) {
        struct ArrowArray batch;
        assert_int_equal(rows.get_next(&rows, &batch), 0);
        if (batch.release == NULL)
            break;
        for (int64_t row = 0; row < batch.length && batch.n_children > 0; row++) {
            arrow_text(schema.children[0], batch.children[0], row, ret);
            text_add(ret, "\n", 1);
        }
        batch.release(&batch);
    }
    text_add(ret, "", 1);
    schema.release(&schema);
    rows.release(&rows);
}

static int set_up(void **state)
{
    (void)state;
    struct text text = {0};
    assert_int_equal(fl_engine_open(NULL, &engine, NULL), FL_OK);
    assert_int_equal(fl_session_open(engine, &session, NULL), FL_OK);
    ask("CREATE TABLE steps AS SELECT i::integer AS a, ((i * 7 + 3) % 1000)::integer AS b FROM range(1000) AS r(i)",
        &text);
    free(text.data);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fl_session_close(session);
    fl_engine_close(engine);
    return 0;
}

/* Rows that the scan of `steps` gave. */
static long read_rows(const char *sql)
{
    struct text text = {0};
    char *explain = NULL;
    assert_true(asprintf(&explain, "EXPLAIN ANALYZE %s", sql) > 0);
    ask(explain, &text);
    const char *scan = strstr(text.data, "table: steps"), *actual = scan != NULL ? strstr(scan, "actual ") : NULL;
    assert_non_null(scan);
    long rows = actual == NULL ? 0 : strtol(actual + strlen("actual "), NULL, 10); /* none: it did not run */
    free(explain);
    free(text.data);
    return rows;
}

static void builds_once(void **state)
{
    (void)state;
    assert_int_equal(
        read_rows("WITH RECURSIVE r(n, d) AS (SELECT 1, 0 UNION ALL SELECT s.b, d + 1 FROM r JOIN steps s ON s.a = r.n "
                  "WHERE d < 50) SELECT count(*) FROM r"),
        1000);
    assert_int_equal(
        read_rows("WITH RECURSIVE r(n, d) AS (SELECT 1, 0 UNION ALL SELECT n + 1, d + 1 FROM r "
                  "WHERE d < 50 AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.a = -r.n)) SELECT count(*) FROM r"),
        1000);
    assert_int_equal(
        read_rows(
            "WITH RECURSIVE r(n, d) AS (SELECT 1, 0 FROM range(0) UNION ALL SELECT s.b, d + 1 FROM r JOIN steps s "
            "ON s.a = r.n) SELECT count(*) FROM r"),
        0);
}

/* A random row may be another in each round: each reads what its filter lets through. */
static void builds_again(void **state)
{
    (void)state;
    assert_int_equal(
        read_rows("WITH RECURSIVE r(n, d) AS (SELECT 1, 0 UNION ALL SELECT s.b, d + 1 FROM r JOIN "
                  "(SELECT a, b FROM steps WHERE random() >= 0) s ON s.a = r.n WHERE d < 50) SELECT count(*) FROM r"),
        50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(builds_once), cmocka_unit_test(builds_again)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
