/* Rows that are read while a query runs: their order, early ends, errors on the way, several streams at once, other threads; and that
 * what nobody reads is bounded, also where one morsel becomes very many rows. */
#include "engine/internal.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS 4000000
#define CLIENTS 16 /* sessions and threads that work at once */
#define LIMIT_BYTES (100ll << 20)
#define LARGE_LIMIT_BYTES (32ll << 20)
#define SMALL_LIMIT_BYTES (16ll << 20)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIDE 2000 /* rows of each side of a product */
#else
#define SIDE 10000
#endif

/* ---- no lock is held over a pause: the linker leads these calls here ------------------------------------------------- */

int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);
void __real_fl_fiber_pause(fl_fiber *fiber);
void __wrap_fl_fiber_pause(fl_fiber *fiber);

static _Thread_local int32_t n_locks; /* that the thread holds */
static _Atomic int64_t n_pauses, n_pauses_locked;

int __wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
    n_locks++;
    return __real_pthread_mutex_lock(lock);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
    n_locks--;
    return __real_pthread_mutex_unlock(lock);
}

void __wrap_fl_fiber_pause(fl_fiber *fiber)
{
    atomic_fetch_add(&n_pauses, 1);
    atomic_fetch_add(&n_pauses_locked, n_locks > 0);
    __real_fl_fiber_pause(fiber);
}

static void test_no_lock_was_held(void **state)
{
    (void)state;
    assert_true(atomic_load(&n_pauses) > 0);
    assert_int_equal(atomic_load(&n_pauses_locked), 0);
}

static fl_engine *open_limited(int32_t threads, int64_t limit_bytes)
{
    fl_engine_options options = {.size = sizeof(options), .threads = threads, .memory_limit_bytes = limit_bytes};
    fl_engine *engine = NULL;
    assert_int_equal(fl_engine_open(&options, &engine, NULL), FL_OK);
    return engine;
}

static fl_engine *open_engine(int32_t threads)
{
    return open_limited(threads, 0);
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
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    batch.release(&batch);
    fl_session_interrupt(
        session); /* no call is under way: it is meant for the stream, but not for what begins behind it */
    struct ArrowArrayStream other = ask(session, "SELECT range FROM range(1000000000000)");
    assert_int_not_equal(rows.get_next(&rows, &batch), 0);
    assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_CANCELLED);
    rows.release(&rows);
    rows = other;
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

/* ---- one morsel of very many rows ------------------------------------------------------------------------------------ */

/* What was read of a stream of bigints, in its order. */
typedef struct answer {
    int64_t rows;
    uint64_t sum;
    uint64_t order;   /* depends on it */
    int64_t unsorted; /* rows that are not one more than the one before */
} answer;

static int64_t text_value(const struct ArrowArray *column, int64_t row)
{
    const int32_t *offsets = column->buffers[1];
    return offsets[row + 1] - offsets[row];
}

/* Reads up to `batches`; what get_next said last. Texts count by their lengths. */
static int read_answer(struct ArrowArrayStream *rows, int64_t batches, answer *ret)
{
    struct ArrowSchema schema = {0};
    assert_int_equal(rows->get_schema(rows, &schema), 0);
    bool is_text = strcmp(schema.children[0]->format, "u") == 0;
    schema.release(&schema);
    int64_t last = ret->rows - 1;
    for (int64_t i = 0; i < batches; i++) {
        struct ArrowArray batch = {0};
        int rc = rows->get_next(rows, &batch);
        if (rc != 0 || batch.release == NULL)
            return rc;
        const struct ArrowArray *column = batch.children[0];
        const int64_t *values = column->buffers[1];
        for (int64_t r = 0; r < batch.length; r++) {
            int64_t value = is_text ? text_value(column, r) : values[r];
            ret->unsorted += value != last + 1;
            last = value;
            ret->sum += (uint64_t)value;
            ret->order = (ret->order ^ (uint64_t)value) * 0x9E3779B97F4A7C15u;
        }
        ret->rows += batch.length;
        batch.release(&batch);
    }
    return 0;
}

static answer ask_answer(fl_session *session, const char *sql)
{
    answer a = {0};
    fl_err err = {0};
    struct ArrowArrayStream rows = ask(session, sql);
    if (read_answer(&rows, INT64_MAX, &a) != 0) {
        (void)fl_stream_error(&rows, &err);
        fail_msg("%s: %s", sql, err.message);
    }
    rows.release(&rows);
    return a;
}

static void set(fl_session *session, const char *sql)
{
    struct ArrowArrayStream none = ask(session, sql);
    none.release(&none);
}

/* 10^8 rows of one morsel: 800 MB, were they kept. */
static void test_a_product_in_bounded_memory(void **state)
{
    (void)state;
    char product[256], both[512];
    int64_t n = (int64_t)SIDE * SIDE;
    snprintf(product, sizeof(product), "SELECT a.range * %d + b.range FROM range(%d) a, range(%d) b", SIDE, SIDE, SIDE);
    snprintf(both, sizeof(both), "%s UNION ALL SELECT %lld + a.range * %d + b.range FROM range(%d) a, range(%d) b",
             product, (long long)n, SIDE, SIDE, SIDE);
    for (int32_t threads = 1; threads <= 3; threads++) {
        fl_engine *engine = open_limited(threads, LIMIT_BYTES);
        fl_session *session = open_session(engine);
        answer a = ask_answer(session, threads == 2 ? both : product);
        int64_t rows = threads == 2 ? 2 * n : n;
        assert_int_equal(a.rows, rows);
        assert_int_equal(a.unsorted, 0);
        assert_int_equal(a.sum, (uint64_t)rows * (uint64_t)(rows - 1) / 2);
        assert_true(atomic_load(&engine->memory.peak_bytes) < LIMIT_BYTES);
        fl_session_close(session);
        fl_engine_close(engine);
    }
}

/* Queries one of whose morsels has more rows than the limit leaves room for. */
static const char *const large[] = {
    "SELECT a.range + b.range FROM range(2500) a JOIN range(2500) b ON a.range % 1 = b.range % 1",
    "SELECT a.range + b.range FROM range(3500) a LEFT JOIN range(3500) b ON a.range % 2 = b.range % 2 AND a.range < "
    "3000",
    "SELECT a.range + coalesce(b.range, 0) FROM range(3700) a FULL JOIN range(3700) b ON a.range % 2 = b.range % 3",
    "SELECT repeat('a text that takes room', 20) || u FROM (SELECT array_agg(range) AS l FROM range(100000)) t, "
    "unnest(t.l) AS x(u)",
    "SELECT a.range FROM range(2200) a, range(2200) b INTERSECT ALL SELECT a.range FROM range(2200) a, range(2200) b",
    "SELECT a.range * 3000 + b.range FROM range(3000) a, range(3000) b WHERE (a.range + b.range) % 7 < 5 LIMIT 6000000",
};

/* Sanitizers take a minute and more for the largest: there, every third is asked. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define EACH 3
#else
#define EACH 1
#endif

static void test_large_morsels(void **state)
{
    (void)state;
    for (size_t q = 0; q < sizeof(large) / sizeof(*large); q += EACH) {
        answer expected = {0};
        for (int32_t threads = 1; threads <= 2; threads++) {
            fl_engine *engine = open_limited(threads, LARGE_LIMIT_BYTES);
            fl_session *session = open_session(engine);
            answer a = ask_answer(session, large[q]);
            assert_true(a.rows > 0);
            if (threads == 1)
                expected = a;
            assert_int_equal(a.rows, expected.rows);
            assert_int_equal(a.sum, expected.sum);
            assert_true(atomic_load(&engine->memory.peak_bytes) < LARGE_LIMIT_BYTES);
            fl_session_close(session);
            fl_engine_close(engine);
        }
    }
}

/* Rows that lie on the disk while some of what is made of them is read: what one worker has in hands while it pauses, others wait for. */
static const char *const spilled[] = {
    "SELECT a.range + b.range FROM range(300000) a JOIN range(300000) b ON a.range % 30000 = b.range % 30000",
    "SELECT a.range + b.range FROM range(15) a JOIN range(300000) b ON a.range % 1 = b.range - b.range",
    "SELECT coalesce(a.range, 0) + coalesce(b.range, 0) FROM range(300000) a FULL JOIN range(300000) b ON a.range % "
    "70000 = b.range % 60000",
    "SELECT max('the group number ' || range) FROM range(400000) GROUP BY range",
    "SELECT range % 100000 FROM range(1000000) INTERSECT ALL SELECT range % 150000 FROM range(1000000)",
    "SELECT range FROM range(1000000) ORDER BY 'the text ' || range % 1000, range",
    "WITH c AS MATERIALIZED (SELECT range AS a, 'the text ' || range AS s FROM range(300000)) "
    "SELECT x.a + y.range FROM c x, range(20) y UNION ALL SELECT a FROM c",
};

static void test_what_lies_on_the_disk(void **state)
{
    (void)state;
    for (size_t q = EACH - 1; q < sizeof(spilled) / sizeof(*spilled); q += EACH) {
        answer expected = {0};
        for (int32_t threads = 1; threads <= 3; threads++) {
            fl_engine *engine = open_limited(threads, threads == 1 ? 0 : SMALL_LIMIT_BYTES);
            fl_session *session = open_session(engine);
            answer a = ask_answer(session, spilled[q]);
            if (threads == 1)
                expected = a;
            assert_int_equal(a.rows, expected.rows);
            assert_int_equal(a.sum, expected.sum);
            fl_session_close(session);
            fl_engine_close(engine);
        }
    }
}

/* Rows come in one order, whatever is done in how many pieces. */
static const char *const ordered[] = {
    "SELECT a.range * 700 + b.range FROM range(700) a, range(700) b",
    "SELECT a.range * 1000 + b.range FROM range(1500) a LEFT JOIN range(400) b ON a.range % 2 = b.range % 2",
    "SELECT a.range + b.range * 7 FROM range(300000) a JOIN range(6) b ON a.range % 3 = b.range % 3",
    "SELECT u FROM range(3000) r, unnest([r.range, r.range + 1, 7]) AS x(u) UNION ALL SELECT a.range FROM range(500) "
    "a, "
    "range(500) b",
    "SELECT a.range * 300 + b.range FROM range(1000) a, range(300) b WHERE (a.range * b.range) % 11 < 3 LIMIT 50000 "
    "OFFSET 1000",
};

static void test_the_order_is_the_same(void **state)
{
    (void)state;
    static const int32_t vectors[] = {2048, 1, 2};
    for (size_t q = 0; q < sizeof(ordered) / sizeof(*ordered); q++) {
        answer expected = {0};
        for (int32_t threads = 1; threads <= 4; threads += threads)
            for (size_t v = 0; v < sizeof(vectors) / sizeof(*vectors); v++) {
                char sql[64];
                fl_engine *engine = open_engine(threads);
                fl_session *session = open_session(engine);
                snprintf(sql, sizeof(sql), "SET vector_size = %d", vectors[v]);
                set(session, sql);
                answer a = ask_answer(session, ordered[q]);
                if (expected.rows == 0)
                    expected = a;
                assert_int_equal(a.rows, expected.rows);
                assert_int_equal(a.order, expected.order);
                fl_session_close(session);
                fl_engine_close(engine);
            }
    }
}

#define ENDLESS "SELECT a.range + b.range FROM range(1000000) a, range(100000) b"

static int64_t used_when_idle(fl_engine *engine)
{
    int64_t used = 0, now = 0;
    do {
        used = now;
        usleep(20000);
        now = atomic_load(&engine->memory.used_bytes);
    } while (now != used);
    return used;
}

/* A reader that stops early pays for what it read; threads of the pool go back in the middle of a morsel. */
static void test_a_product_that_is_left(void **state)
{
    (void)state;
    for (int32_t threads = 1; threads <= 3; threads++) {
        fl_engine *engine = open_limited(threads, LIMIT_BYTES);
        fl_session *session = open_session(engine);
        int64_t started_ns = fl_clock_ns(NULL);
        struct ArrowArrayStream rows = ask(session, ENDLESS), other = {0}, sorted = {0};
        answer a = {0}, b = {0};
        pthread_t thread;
        assert_int_equal(read_answer(&rows, 1, &a), 0);
        assert_true(fl_clock_ns(NULL) - started_ns < 2000000000); /* milliseconds, and what a loaded machine takes */
        assert_true(used_when_idle(engine) < LIMIT_BYTES / 2);
        other = ask(session, ENDLESS); /* beside it */
        assert_int_equal(read_answer(&other, 20, &b), 0);
        assert_int_equal(ask_answer(session, "SELECT range FROM range(1000000)").unsorted, 0);
        assert_int_equal(read_answer(&rows, 20, &a), 0);
        sorted = ask(session, "SELECT a.range FROM range(3000) a, (SELECT range FROM range(1000) ORDER BY 1 DESC) b");
        other.release(&other);
        fl_session_close(session);
        assert_int_equal(read_answer(&rows, 20, &a), 0);
        assert_int_equal(pthread_create(&thread, NULL, release, &rows), 0);
        pthread_join(thread, NULL);
        b = (answer){0};
        assert_int_equal(read_answer(&sorted, INT64_MAX, &b), 0);
        assert_int_equal(b.rows, 3000000);
        fl_workers_counts counts;
        fl_workers_count(engine->workers, &counts);
        assert_int_equal(counts.sleeps_beside_work, 0);
        fl_engine_close(engine);
        sorted.release(&sorted);
    }
}

static void test_a_product_fails_or_is_stopped(void **state)
{
    (void)state;
    for (int32_t threads = 1; threads <= 3; threads++) {
        fl_engine *engine = open_limited(threads, LIMIT_BYTES);
        fl_session *session = open_session(engine);
        struct ArrowArrayStream rows =
            ask(session, "SELECT 10 / (a.range * 3000 + b.range - 5000000) FROM range(3000) a, range(3000) b");
        struct ArrowArray batch = {0};
        answer a = {0};
        fl_err err = {0};
        assert_int_not_equal(read_answer(&rows, INT64_MAX, &a), 0);
        assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_DIVISION);
        assert_true(a.rows <= 5000000);
        rows.release(&rows);
        rows = ask(session, ENDLESS);
        assert_int_equal(read_answer(&rows, 10, &a), 0);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, session), 0);
        while (rows.get_next(&rows, &batch) == 0)
            batch.release(&batch);
        pthread_join(thread, NULL);
        assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_CANCELLED);
        rows.release(&rows);
        set(session, "SET timeout = 200");
        rows = ask(session, ENDLESS);
        usleep(300000); /* between calls no time passes for it */
        while (rows.get_next(&rows, &batch) == 0)
            batch.release(&batch);
        assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_TIMEOUT);
        rows.release(&rows);
        set(session, "SET timeout = 0");
        assert_int_equal(ask_answer(session, "SELECT a.range FROM range(100) a, range(100) b").rows, 10000);
        fl_session_close(session);
        fl_engine_close(engine);
    }
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
        cmocka_unit_test(test_rows_come_in_order),
        cmocka_unit_test(test_an_unread_stream_is_bounded),
        cmocka_unit_test(test_errors_on_the_way),
        cmocka_unit_test(test_streams_outlive_their_session),
        cmocka_unit_test(test_interrupt_and_timeout),
        cmocka_unit_test(test_a_product_in_bounded_memory),
        cmocka_unit_test(test_large_morsels),
        cmocka_unit_test(test_the_order_is_the_same),
        cmocka_unit_test(test_what_lies_on_the_disk),
        cmocka_unit_test(test_a_product_that_is_left),
        cmocka_unit_test(test_a_product_fails_or_is_stopped),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_no_lock_was_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
