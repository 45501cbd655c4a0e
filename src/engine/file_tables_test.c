/* Files as tables, as sessions see them when the engine keeps the tables: how often they are opened, what a pattern finds,
 * notes, budgets, sessions in several threads. What is done to files is src/format/files_cache_test.c's matter. */
#include "engine/internal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#define PARQUET "test/data/parquet/row_groups.parquet"
#define ROUNDS 100

static char folder[64];

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* Files that are old enough to be believed by their times. */
static int make_files(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/fletch-tables-XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_file("p1.csv", "a,b\n1,x\n2,y\n");
    write_file("p2.csv", "a,b\n3,z\n");
    write_file("note.csv", "a,a\n1,2\n");
    sleep(2);
    usleep(200000);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    static const char *const names[] = {"p1.csv", "p2.csv", "p3.csv", "note.csv"};
    for (int64_t i = 0; i < FL_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void open_engine(int64_t limit_bytes, fl_engine **ret_engine, fl_session **ret_session)
{
    fl_engine_options options = {.size = sizeof(options), .threads = 2, .memory_limit_bytes = limit_bytes};
    assert_int_equal(fl_engine_open(&options, ret_engine, NULL), FL_OK);
    assert_int_equal(fl_session_open(*ret_engine, ret_session, NULL), FL_OK);
}

/* Runs a statement; `%s` in it is the folder. The first value of its first row, or -1. */
static int64_t ask(fl_session *session, const char *sql)
{
    char text[1024];
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    fl_err err = {0};
    int64_t value = -1;
    snprintf(text, sizeof(text), sql, folder, folder, folder);
    if (fl_session_query(session, text, &rows, &err) != FL_OK)
        fail_msg("%s: %s", text, err.message);
    if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
        if (batch.n_children > 0 && batch.length > 0)
            value = ((const int64_t *)batch.children[0]->buffers[1])[0];
        batch.release(&batch);
    }
    rows.release(&rows);
    return value;
}

static void check_figures(const fl_engine *engine, int64_t misses, int64_t hits)
{
    fl_files_cache_figures figures = fl_files_cache_look(engine->files);
    assert_int_equal(figures.misses, misses);
    assert_int_equal(figures.hits, hits);
}

static void files_are_opened_once(void **state)
{
    (void)state;
    fl_engine *engine = NULL;
    fl_session *session = NULL, *other = NULL;
    open_engine(0, &engine, &session);
    ask(session, "CREATE VIEW v AS FROM '%s/p1.csv'");
    check_figures(engine, 1, 0);
    assert_int_equal(ask(session, "SELECT count(*) FROM v"), 2);
    assert_int_equal(ask(session, "SELECT count(*) FROM v a, v b, '%s/p1.csv' c"), 8); /* one look */
    check_figures(engine, 1, 2);
    ask(session, "PREPARE p AS SELECT count(*) FROM v WHERE a > $1");
    assert_int_equal(ask(session, "EXECUTE p(1)"), 1);
    assert_int_equal(ask(session, "EXECUTE p(0)"), 2);
    check_figures(engine, 1, 5);
    assert_int_equal(fl_session_open(engine, &other, NULL), FL_OK);
    assert_int_equal(ask(other, "SELECT count(*) FROM v"), 2);
    check_figures(engine, 1, 6);
    assert_int_equal(ask(other, "SELECT count(*) FROM read_csv('%s/p1.csv', all_varchar = true)"), 2);
    check_figures(engine, 2, 6);
    fl_session_close(other);
    fl_session_close(session);
    fl_engine_close(engine);
}

static void a_pattern_is_listed_each_time(void **state)
{
    (void)state;
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    open_engine(0, &engine, &session);
    assert_int_equal(ask(session, "SELECT count(*) FROM '%s/p*.csv'"), 3);
    assert_int_equal(ask(session, "SELECT count(*) FROM '%s/p*.csv'"), 3);
    check_figures(engine, 1, 1);
    write_file("p3.csv", "a,b\n4,x\n5,y\n");
    assert_int_equal(ask(session, "SELECT count(*) FROM '%s/p*.csv'"), 5);
    check_figures(engine, 2, 1);
    write_file("p3.csv", "a,b\n4,x\n");
    assert_int_equal(ask(session, "SELECT count(*) FROM '%s/p*.csv'"), 4);
    fl_session_close(session);
    fl_engine_close(engine);
}

static void notes_come_each_time(void **state)
{
    (void)state;
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    open_engine(0, &engine, &session);
    for (int i = 0; i < 3; i++) {
        ask(session, "FROM '%s/note.csv'");
        assert_non_null(strstr(session->notes, "note.csv"));
        ask(session, "SELECT 1");
        assert_string_equal(session->notes, "");
    }
    check_figures(engine, 1, 2);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* A query that needs all of the engine's memory gets that of tables nobody uses, too. */
static void queries_come_before_tables(void **state)
{
    (void)state;
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    char sql[256];
    open_engine(24 << 20, &engine, &session);
    for (int i = 0; i < 600; i++) {
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM read_csv('%%s/p1.csv', nullstr = 'none %d')", i);
        assert_int_equal(ask(session, sql), 2);
    }
    fl_files_cache_figures before = fl_files_cache_look(engine->files);
    assert_int_equal(before.tables, 600);
    int64_t block_bytes = engine->memory.limit_bytes - before.bytes / 2;
    void *block = NULL;
    assert_int_equal(fl_alloc(&session->statement_memory, block_bytes, &block, NULL), FL_OK);
    fl_files_cache_figures after = fl_files_cache_look(engine->files);
    assert_true(after.tables > 200 && after.tables < 350);
    fl_free(block);
    fl_session_close(session);
    fl_engine_close(engine);
}

static void *query_often(void *engine)
{
    fl_session *session = NULL;
    if (fl_session_open(engine, &session, NULL) != FL_OK)
        return NULL;
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(ask(session, "SELECT count(*) FROM '" PARQUET "' WHERE id >= 0"), 3000);
        assert_int_equal(ask(session, "SELECT count(*) FROM '%s/p1.csv' a, '%s/p2.csv' b"), 2);
    }
    fl_session_close(session);
    return NULL;
}

static void sessions_share_tables(void **state)
{
    (void)state;
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    pthread_t thread;
    open_engine(0, &engine, &session);
    assert_int_equal(pthread_create(&thread, NULL, query_often, engine), 0);
    query_often(engine);
    pthread_join(thread, NULL);
    fl_files_cache_figures figures = fl_files_cache_look(engine->files);
    assert_int_equal(figures.hits + figures.misses, 2 * 3 * ROUNDS);
    assert_true(figures.misses <= 6); /* both at once, at the most */
    assert_int_equal(figures.tables, 3);
    fl_session_close(session);
    fl_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_opened_once), cmocka_unit_test(a_pattern_is_listed_each_time),
        cmocka_unit_test(notes_come_each_time),  cmocka_unit_test(queries_come_before_tables),
        cmocka_unit_test(sessions_share_tables),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
