/* What runs is shown and can be stopped by others; a statement waits for memory while others work that have it. */
#include "engine/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT_BYTES (64ll << 20)

typedef struct fixture {
    fl_engine *engine;
    fl_session *session, *other;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    fl_engine_options options = {.size = sizeof(options), .threads = 2, .memory_limit_bytes = LIMIT_BYTES};
    assert_int_equal(fl_engine_open(&options, &f.engine, NULL), FL_OK);
    assert_int_equal(fl_session_open(f.engine, &f.session, NULL), FL_OK);
    assert_int_equal(fl_session_open(f.engine, &f.other, NULL), FL_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_session_close(f->session);
    fl_session_close(f->other);
    fl_engine_close(f->engine);
    return 0;
}

static fl_status ask(fl_session *session, const char *sql, struct ArrowArrayStream *ret, fl_err *err)
{
    *ret = (struct ArrowArrayStream){0};
    return fl_session_query(session, sql, ret, err);
}

/* The rows of SHOW queries as lines; how many there are. */
static int64_t show(fl_session *session, char *ret, size_t bytes)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    int64_t n = 0;
    ret[0] = 0;
    assert_int_equal(ask(session, "SHOW queries", &rows, NULL), FL_OK);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    for (; batch.release != NULL && n < batch.length; n++)
        for (int64_t c = 0; c < batch.n_children; c++) {
            const int32_t *offsets = batch.children[c]->buffers[1];
            size_t used = strlen(ret);
            snprintf(ret + used, bytes - used, "%.*s|", offsets[n + 1] - offsets[n],
                     (const char *)batch.children[c]->buffers[2] + offsets[n]);
        }
    if (batch.release != NULL)
        batch.release(&batch);
    rows.release(&rows);
    return n;
}

/* A stream that is killed between two reads: the next one says so, though there are rows. */
static void kill_stream(fixture *f, const char *sql)
{
    struct ArrowArrayStream rows, none;
    struct ArrowArray batch = {0};
    char lines[4096], kill[64];
    fl_err err = {0};
    assert_int_equal(ask(f->session, sql, &rows, &err), FL_OK);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    batch.release(&batch);
    usleep(50000); /* until nobody works on it */
    assert_int_equal(show(f->other, lines, sizeof(lines)), 1);
    snprintf(kill, sizeof(kill), "KILL %lld", strtoll(lines, NULL, 10));
    assert_int_equal(ask(f->other, kill, &none, &err), FL_OK);
    none.release(&none);
    assert_int_not_equal(rows.get_next(&rows, &batch), 0);
    assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_CANCELLED);
    assert_int_equal(show(f->other, lines, sizeof(lines)), 0);
    rows.release(&rows);
}

static void test_killed_between_reads(void **state)
{
    kill_stream(*state, "SELECT range FROM range(1000000000000)");
    kill_stream(*state,
                "SELECT a.range + b.range FROM range(1000000) a, range(100000) b"); /* in the middle of a morsel */
}

static void test_shown_and_killed(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows, none;
    struct ArrowArray batch = {0};
    char lines[4096], kill[64];
    fl_err err = {0};
    assert_int_equal(show(f->other, lines, sizeof(lines)), 0);
    assert_int_equal(ask(f->session, "  SELECT range FROM range(1000000000000)  ; ", &rows, &err), FL_OK);
    assert_int_equal(show(f->other, lines, sizeof(lines)), 1);
    assert_non_null(strstr(lines, "|is read|"));
    assert_non_null(strstr(lines, "|SELECT range FROM range(1000000000000)|"));
    long long id = strtoll(lines, NULL, 10);
    snprintf(kill, sizeof(kill), "KILL %lld", id + 1000);
    assert_int_equal(ask(f->other, kill, &none, &err), FL_ERR_PARAMETER);
    assert_int_equal(err.position, 6);
    assert_int_equal(ask(f->other, "KILL me", &none, &err), FL_ERR_SYNTAX);
    snprintf(kill, sizeof(kill), "KILL %lld", id);
    assert_int_equal(ask(f->other, kill, &none, &err), FL_OK);
    none.release(&none);
    while (rows.get_next(&rows, &batch) == 0)
        batch.release(&batch);
    assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_CANCELLED);
    assert_int_equal(show(f->other, lines, sizeof(lines)), 0); /* it ended with that */
    rows.release(&rows);
    assert_int_equal(ask(f->session, "SELECT 1", &rows, &err), FL_OK); /* the session goes on */
    rows.release(&rows);
}

typedef struct call {
    fl_session *session;
    const char *sql;
    fl_status st;
    _Atomic bool has_ended;
} call;

static void *run(void *ptr)
{
    call *c = ptr;
    struct ArrowArrayStream rows;
    c->st = ask(c->session, c->sql, &rows, NULL);
    if (c->st == FL_OK)
        rows.release(&rows);
    atomic_store(&c->has_ended, true);
    return NULL;
}

/* The engine's memory is gone while one statement works: another waits until there is some, or it is killed. */
static void test_waits_for_memory(void **state)
{
    fixture *f = *state;
    call works = {.session = f->session, .sql = "SELECT sum(range % 7) FROM range(1000000000000)"};
    char lines[4096], kill[64];
    pthread_t thread, waiter;
    struct ArrowArrayStream none;
    assert_int_equal(pthread_create(&thread, NULL, run, &works), 0);
    while (show(f->other, lines, sizeof(lines)) == 0 || strstr(lines, "|works|") == NULL)
        usleep(1000);
    long long id = strtoll(lines, NULL, 10);
    int64_t taken = 0;
    for (int i = 0; i < 20; i++) { /* what it gives back when it has begun is taken, too */
        int64_t more = LIMIT_BYTES - (1 << 19) - atomic_load(&f->engine->memory.used_bytes);
        if (more > 0)
            assert_int_equal(fl_memory_charge(&f->engine->memory, more, NULL), FL_OK);
        taken += more > 0 ? more : 0;
        usleep(2000);
    }
    for (int round = 0; round < 2; round++) {
        call waits = {.session = f->other, .sql = "SELECT sum(range) FROM range(1000)"};
        fl_session *third = NULL;
        assert_int_equal(fl_session_open(f->engine, &third, NULL), FL_OK);
        assert_int_equal(pthread_create(&waiter, NULL, run, &waits), 0);
        while (show(third, lines, sizeof(lines)) != 2 || strstr(lines, "|waits for memory|") == NULL)
            usleep(1000);
        assert_false(atomic_load(&waits.has_ended));
        if (round == 0) {
            snprintf(kill, sizeof(kill), "KILL %lld", strtoll(lines, NULL, 10)); /* the last one comes first */
            assert_int_equal(ask(third, kill, &none, NULL), FL_OK);
            none.release(&none);
        } else {
            fl_memory_release(&f->engine->memory, taken);
        }
        pthread_join(waiter, NULL);
        assert_int_equal(waits.st, round == 0 ? FL_ERR_CANCELLED : FL_OK);
        fl_session_close(third);
    }
    snprintf(kill, sizeof(kill), "KILL %lld", id);
    assert_int_equal(ask(f->other, kill, &none, NULL), FL_OK);
    none.release(&none);
    pthread_join(thread, NULL);
    assert_int_equal(works.st, FL_ERR_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shown_and_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_between_reads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waits_for_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
