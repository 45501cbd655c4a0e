/* Rows that are read while a query runs: their order, early ends, errors on the way, several streams at once, other threads; and that
 * what nobody reads is bounded. */
#include "engine/internal.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS 4000000
#define CLIENTS 16 /* sessions and threads that work at once */

static fl_engine *open_engine(int32_t threads)
{
    fl_engine_options options = {.size = sizeof(options), .threads = threads};
    fl_engine *engine = NULL;
    assert_int_equal(fl_engine_open(&options, &engine, NULL), FL_OK);
    return engine;
}

static fl_session *open_session(fl_engine *engine)
{
    fl_session *session = NULL;
    assert_int_equal(fl_session_open(engine, &session, NULL), FL_OK);
    return session;
}

static struct ArrowArrayStream ask(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows = {0};
    fl_err err = {0};
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    return rows;
}

/* Reads some batches of one bigint that counts up from *next; whether the end was seen. */
static bool read_some(struct ArrowArrayStream *rows, int32_t batches, int64_t *next)
{
    for (int32_t i = 0; i < batches; i++) {
        struct ArrowArray batch = {0};
        assert_int_equal(rows->get_next(rows, &batch), 0);
        if (batch.release == NULL)
            return true;
        const int64_t *values = batch.children[0]->buffers[1];
        for (int64_t r = 0; r < batch.length; r++)
            assert_int_equal(values[r], (*next)++);
        batch.release(&batch);
    }
    return false;
}

static void test_rows_come_in_order(void **state)
{
    (void)state;
    for (int32_t threads = 1; threads <= 4; threads++) {
        fl_engine *engine = open_engine(threads);
        fl_session *session = open_session(engine);
        struct ArrowArrayStream rows = ask(session, "SELECT range FROM range(4000000)");
        int64_t next = 0;
        assert_true(read_some(&rows, INT32_MAX, &next));
        assert_int_equal(next, ROWS);
        assert_true(read_some(&rows, 1, &next)); /* the end stays the end */
        rows.release(&rows);
        rows = ask(session, "SELECT range FROM range(2000000) UNION ALL SELECT range + 2000000 FROM range(2000000)");
        next = 0;
        assert_true(read_some(&rows, INT32_MAX, &next));
        assert_int_equal(next, ROWS);
        rows.release(&rows);
        fl_session_close(session);
        fl_engine_close(engine);
    }
}

/* A query over 10^12 rows: gathered, it would end by its memory or never. */
static void test_an_unread_stream_is_bounded(void **state)
{
    (void)state;
    fl_engine *engine = open_engine(3);
    fl_session *session = open_session(engine);
    struct ArrowArrayStream rows = ask(session, "SELECT range FROM range(1000000000000)");
    int64_t next = 0, used = 0, now = 0;
    assert_false(read_some(&rows, 10, &next));
    do { /* until nobody works on it */
        used = now;
        usleep(20000);
        now = atomic_load(&engine->memory.used_bytes);
    } while (now != used);
    assert_true(used < 64 << 20);
    fl_workers_counts counts;
    fl_workers_count(engine->workers, &counts);
    assert_int_equal(counts.sleeps_beside_work, 0);
    struct ArrowArrayStream other = ask(session, "SELECT range FROM range(4000000)"); /* beside it */
    int64_t of_other = 0;
    assert_true(read_some(&other, INT32_MAX, &of_other));
    other.release(&other);
    assert_false(read_some(&rows, 10, &next)); /* it goes on where it was */
    rows.release(&rows);
    fl_session_close(session);
    fl_engine_close(engine);
}

static void test_errors_on_the_way(void **state)
{
    (void)state;
    fl_engine *engine = open_engine(2);
    fl_session *session = open_session(engine);
    struct ArrowArrayStream rows = ask(session, "SELECT 10 / (range - 3999999) FROM range(4000000)");
    struct ArrowArray batch = {0};
    fl_err err = {0};
    int rc = 0;
    assert_int_equal(fl_stream_error(&rows, &err), FL_OK);
    while ((rc = rows.get_next(&rows, &batch)) == 0) {
        assert_non_null(batch.release);
        batch.release(&batch);
    }
    assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_DIVISION);
    assert_string_equal(err.sqlstate, "22012");
    assert_non_null(strstr(rows.get_last_error(&rows), "division by zero"));
    assert_int_equal(rows.get_next(&rows, &batch), rc); /* no row comes behind */
    rows.release(&rows);
    /* a statement whose rows nobody reads fails before the next one begins */
    assert_int_equal(fl_session_query(session,
                                      "SELECT 10 / (range - 3999999) FROM range(4000000); CREATE TABLE t(a bigint)",
                                      &rows, &err),
                     FL_ERR_DIVISION);
    assert_int_equal(fl_session_query(session, "FROM t", &rows, &err), FL_ERR_TABLE);
    fl_session_close(session);
    fl_engine_close(engine);
}

static void *release(void *stream)
{
    struct ArrowArrayStream *rows = stream;
    rows->release(rows);
    return NULL;
}

static void test_streams_outlive_their_session(void **state)
{
    (void)state;
    fl_engine *engine = open_engine(2);
    fl_session *session = open_session(engine);
    struct ArrowArrayStream rows = ask(session, "SELECT range FROM range(4000000)");
    struct ArrowArrayStream sorted = ask(session, "SELECT range FROM range(1000000) ORDER BY range");
    pthread_t thread;
    int64_t next = 0;
    assert_false(read_some(&rows, 2, &next));
    fl_session_close(session);
    assert_true(read_some(&rows, INT32_MAX, &next));
    assert_int_equal(next, ROWS);
    fl_engine_close(engine); /* the streams hold it */
    assert_int_equal(pthread_create(&thread, NULL, release, &sorted), 0);
    pthread_join(thread, NULL);
    rows.release(&rows);
}

/* Until a read hears it. */
static void *interrupt_soon(void *session)
{
    for (int32_t i = 0; i < 200; i++) {
        usleep(1000);
        fl_session_interrupt(session);
    }
    return NULL;
}

static void test_interrupt_and_timeout(void **state)
{
    (void)state;
    fl_engine *engine = open_engine(2);
    fl_session *session = open_session(engine);
    struct ArrowArrayStream rows = ask(session, "SELECT range FROM range(1000000000000)");
    struct ArrowArray batch = {0};
    fl_err err = {0};
    fl_session_interrupt(session); /* no call is under way */
    for (int32_t i = 0; i < 20; i++) {
        assert_int_equal(rows.get_next(&rows, &batch), 0);
        batch.release(&batch);
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, session), 0);
    while (rows.get_next(&rows, &batch) == 0)
        batch.release(&batch);
    pthread_join(thread, NULL);
    assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_CANCELLED);
    assert_string_equal(err.sqlstate, "57014");
    rows.release(&rows);
    rows = ask(session, "SET timeout = 300");
    rows.release(&rows);
    rows = ask(session, "SELECT range FROM range(1000000000000)");
    usleep(400000); /* between calls no time passes for it */
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    do
        batch.release(&batch);
    while (rows.get_next(&rows, &batch) == 0);
    assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_TIMEOUT);
    rows.release(&rows);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* ---- many at once --------------------------------------------------------------------------------------------------- */

typedef struct client {
    fl_engine *engine;
    int32_t number;
    int64_t until_ns;
} client;

/* For how long: FLETCH_STRESS_SECONDS, else long enough for some rounds. */
static int64_t stress_ns(void)
{
    const char *seconds = getenv("FLETCH_STRESS_SECONDS");
    return seconds != NULL ? strtoll(seconds, NULL, 10) * 1000000000 : 500000000;
}

static void *interrupt_once(void *session)
{
    usleep(500);
    fl_session_interrupt(session);
    return NULL;
}

/* Reads until the query is stopped, or ended before it was. */
static void read_stopped(fl_session *session, struct ArrowArrayStream *rows)
{
    struct ArrowArray batch = {0};
    pthread_t other;
    int rc = 0;
    assert_int_equal(pthread_create(&other, NULL, interrupt_once, session), 0);
    while ((rc = rows->get_next(rows, &batch)) == 0 && batch.release != NULL)
        batch.release(&batch);
    pthread_join(other, NULL);
    if (rc != 0)
        assert_int_equal(fl_stream_error(rows, NULL), FL_ERR_CANCELLED);
}

/* Streams that are read, half read, released by others, cancelled. */
static void *use(void *ptr)
{
    client *c = ptr;
    fl_session *session = open_session(c->engine);
    for (int32_t round = 0; round < 4 || fl_clock_ns(NULL) < c->until_ns; round++) {
        int64_t next = 0;
        struct ArrowArrayStream rows = ask(session, "SELECT range FROM range(300000)"), more = {0};
        switch ((c->number + round) % 4) {
        case 0:
            assert_true(read_some(&rows, INT32_MAX, &next));
            assert_int_equal(next, 300000);
            break;
        case 1:
            read_some(&rows, 1, &next);
            break;
        case 2:
            read_stopped(session, &rows);
            break;
        default:
            more = ask(session, "SELECT range % 1000, count(*) FROM range(100000) GROUP BY 1");
            more.release(&more);
            assert_true(read_some(&rows, INT32_MAX, &next));
        }
        pthread_t other;
        assert_int_equal(pthread_create(&other, NULL, release, &rows), 0);
        pthread_join(other, NULL);
    }
    fl_session_close(session);
    return NULL;
}

static void test_many_at_once(void **state)
{
    (void)state;
    fl_engine *engine = open_engine(3);
    pthread_t threads[CLIENTS];
    client clients[CLIENTS];
    for (int32_t i = 0; i < CLIENTS; i++) {
        clients[i] = (client){engine, i, fl_clock_ns(NULL) + stress_ns()};
        assert_int_equal(pthread_create(&threads[i], NULL, use, &clients[i]), 0);
    }
    for (int32_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    fl_workers_counts counts;
    fl_workers_count(engine->workers, &counts);
    assert_true(counts.turns > 0);
    assert_int_equal(counts.sleeps_beside_work, 0);
    fl_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_come_in_order),    cmocka_unit_test(test_an_unread_stream_is_bounded),
        cmocka_unit_test(test_errors_on_the_way),     cmocka_unit_test(test_streams_outlive_their_session),
        cmocka_unit_test(test_interrupt_and_timeout), cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
