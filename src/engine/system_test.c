/* An engine on a system of a test's own: its clock says when now() is and when a statement's time is over, its files need not exist,
 * its disk's faults are errors with names. */
#include "engine/internal.h"

#include "owned_system.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    owned_system owned;
    fl_engine *engine;
    fl_session *session;
    fl_err err;
    char text[256]; /* the answer's first value */
} fixture;

static void open_fixture(fixture *f, int32_t threads)
{
    fl_engine_options options = {.size = sizeof(options), .threads = threads};
    assert_int_equal(fl_engine_open_on(&f->owned.system, &options, &f->engine, &f->err), FL_OK);
    assert_int_equal(fl_session_open(f->engine, &f->session, &f->err), FL_OK);
}

static void close_fixture(fixture *f)
{
    fl_session_close(f->session);
    fl_engine_close(f->engine);
}

/* The first value of the answer, which must be a bigint; nothing where there is none. */
static fl_status ask(fl_session *session, const char *sql, char ret[256], fl_err *err)
{
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    ret[0] = 0;
    fl_status st = fl_session_query(session, sql, &rows, err);
    if (st != FL_OK)
        return st;
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    if (batch.release != NULL && batch.n_children > 0 && batch.length > 0) {
        const int64_t *value = batch.children[0]->buffers[1];
        snprintf(ret, 256, "%lld", (long long)*value);
    }
    if (batch.release != NULL)
        batch.release(&batch);
    rows.release(&rows);
    return FL_OK;
}

static void assert_answer(fixture *f, const char *sql, const char *wanted)
{
    if (ask(f->session, sql, f->text, &f->err) != FL_OK)
        fail_msg("%s: %s", sql, f->err.message);
    assert_string_equal(f->text, wanted);
}

static void test_now(void **state)
{
    fixture f = {0};
    (void)state;
    owned_system_init(&f.owned);
    f.owned.owns_clock = true;
    f.owned.wall_us = 1234567890123456;
    open_fixture(&f, 2);
    assert_answer(&f, "SELECT now()", "1234567890123456");
    f.owned.wall_us += 1;
    assert_answer(&f, "SELECT now()", "1234567890123457");
    close_fixture(&f);
}

/* The time of a statement is over when the clock says so, and not before: however long it takes. */
static void test_timeout(void **state)
{
    static const char sql[] = "SELECT count(*) FROM range(3000000) AS r(i) WHERE i % 7 = 3";
    fixture f = {0};
    (void)state;
    owned_system_init(&f.owned);
    f.owned.owns_clock = true;
    open_fixture(&f, 2);
    assert_answer(&f, "SET timeout = 1", "");
    assert_answer(&f, sql, "428571");
    int64_t looks = f.owned.looks;
    assert_answer(&f, sql, "428571");
    looks = f.owned.looks - looks;
    assert_true(looks > 1000);
    for (int64_t share = 1; share < 10; share += 2) { /* somewhere in the statement an hour passes at once */
        f.owned.jump_look = f.owned.looks + looks * share / 10;
        f.owned.jump_ns = 3600ll * 1000000000;
        assert_int_equal(ask(f.session, sql, f.text, &f.err), FL_ERR_TIMEOUT);
        assert_string_equal(f.err.sqlstate, "57014");
        assert_answer(&f, sql, "428571");
    }
    close_fixture(&f);
}

/* A statement that waits for another's changes does so by the test's clock: a day takes no time. */
static void test_waiting(void **state)
{
    fixture f = {0};
    fl_session *other = NULL;
    (void)state;
    owned_system_init(&f.owned);
    f.owned.owns_clock = true;
    open_fixture(&f, 1);
    assert_int_equal(fl_session_open(f.engine, &other, &f.err), FL_OK);
    assert_int_equal(fl_session_begin_change(other, &f.err), FL_OK);
    assert_answer(&f, "SET timeout = 86400000", "");
    assert_int_equal(ask(f.session, "CREATE TABLE t (a integer)", f.text, &f.err), FL_ERR_TIMEOUT);
    assert_non_null(strstr(f.err.hint, "waited for another statement"));
    assert_true(f.owned.waits > 1000000);
    assert_true(f.owned.now_ns >= 86400ll * 1000000000);
    fl_session_end_change(other);
    assert_answer(&f, "CREATE TABLE t (a integer)", "");
    fl_session_close(other);
    close_fixture(&f);
}

static void test_random(void **state)
{
    static const char sql[] = "SELECT (random() * 1000000000)::bigint";
    char first[256];
    fixture f = {0};
    (void)state;
    owned_system_init(&f.owned);
    f.owned.owns_random = true;
    f.owned.random = 17;
    open_fixture(&f, 1);
    assert_int_equal(ask(f.session, sql, first, &f.err), FL_OK);
    assert_answer(&f, sql, first);
    close_fixture(&f);
    open_fixture(&f, 1);
    assert_answer(&f, sql, first);
    f.owned.owns_random = false;
    assert_int_equal(ask(f.session, sql, f.text, &f.err), FL_OK);
    assert_string_not_equal(f.text, first);
    close_fixture(&f);
}

/* ---- a file that is on no disk ---- */

static bool is_broken;

static const char contents[] = "a,b\n1,x\n2,y\n39,z\n";

static int look(const fl_system *system, const char *path, bool follows_links, fl_file_info *ret)
{
    if (strcmp(path, "nowhere/one.csv") != 0 && strcmp(path, "nowhere") != 0)
        return -ENOENT;
    *ret = (fl_file_info){.kind = strlen(path) > 7 ? FL_FILE_REGULAR : FL_FILE_FOLDER,
                          .bytes = (int64_t)sizeof(contents) - 1};
    return 0;
}

static int look_open(const fl_system *system, int fd, fl_file_info *ret)
{
    assert_int_equal(fd, 1000000);
    return look(system, "nowhere/one.csv", true, ret);
}

static int open_file(const fl_system *system, const char *path)
{
    fl_file_info info;
    int result = look(system, path, true, &info);
    return result < 0 ? result : 1000000;
}

static void close_file(const fl_system *system, int fd)
{
    assert_int_equal(fd, 1000000);
}

static int64_t read_at(const fl_system *system, int fd, int64_t offset, void *ret, int64_t bytes)
{
    int64_t left = (int64_t)sizeof(contents) - 1 - offset;
    bytes = bytes < left ? bytes : left;
    if (is_broken)
        return -EIO;
    memcpy(ret, contents + offset, (size_t)bytes);
    return bytes;
}

static int list(const fl_system *system, const char *folder, bool (*each)(void *ctx, const char *name), void *ctx)
{
    if (strcmp(folder, "nowhere/") != 0 && strcmp(folder, "nowhere") != 0)
        return -ENOENT;
    (void)(each(ctx, "one.csv") && each(ctx, "two.txt"));
    return 0;
}

static void test_files(void **state)
{
    fixture f = {0};
    (void)state;
    owned_system_init(&f.owned);
    f.owned.system.look = look;
    f.owned.system.look_open = look_open;
    f.owned.system.open = open_file;
    f.owned.system.close = close_file;
    f.owned.system.read_at = read_at;
    f.owned.system.list = list;
    open_fixture(&f, 2);
    assert_answer(&f, "SELECT sum(a)::bigint FROM 'nowhere/one.csv'", "42");
    assert_answer(&f, "SELECT count(*) FROM 'nowhere/*.csv'", "3");
    assert_int_equal(ask(f.session, "SELECT * FROM 'nowhere/ones.csv'", f.text, &f.err), FL_ERR_TABLE);
    assert_non_null(strstr(f.err.hint, "nowhere/one.csv"));
    is_broken = true;
    assert_int_equal(ask(f.session, "SELECT max(a) FROM 'nowhere/one.csv'", f.text, &f.err), FL_ERR_IO);
    assert_non_null(strstr(f.err.message, "Input/output error"));
    is_broken = false;
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_now), cmocka_unit_test(test_timeout),
                                       cmocka_unit_test(test_waiting), cmocka_unit_test(test_random),
                                       cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
