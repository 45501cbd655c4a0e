/* Functions in Python in this process: values there and back, rows and batches, what they raise. Left out where the plugin is not built. */
#include "engine/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#define CREATE(signature, text) "CREATE OR REPLACE FUNCTION f" signature " LANGUAGE python AS $$\n" text "$$"

#if defined(__SANITIZE_ADDRESS__)
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

/* Python and what it loads go with the process. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libpython3\nleak:libcrypto\nleak:/numpy/\nleak:/python3.\nleak:libblas\nleak:liblapack\n";
}
#endif

static fl_engine *open_engine(uint32_t allowed, fl_session **ret)
{
    fl_engine *engine = NULL;
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options), .plugin_dir = FLETCH_PLUGIN_DIR, .allow_python = allowed};
    if (fl_engine_open(&options, &engine, &err) != FL_OK || fl_session_open(engine, ret, &err) != FL_OK)
        fail_msg("%s", err.message);
    return engine;
}

/* The first value of a query as text; an error's message. */
static const char *answer(fl_session *session, const char *sql, fl_err *err)
{
    static char text[1024];
    char query[4096];
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    *err = (fl_err){0};
    snprintf(query, sizeof(query), "SELECT coalesce((%s)::text, 'null')", sql);
    if (fl_session_query(session, query, &rows, err) != FL_OK)
        return err->message;
    if (rows.get_next(&rows, &batch) != 0) {
        fl_stream_error(&rows, err);
        rows.release(&rows);
        return err->message;
    }
    const struct ArrowArray *column = batch.children[0];
    const int32_t *offsets = (const int32_t *)column->buffers[1] + column->offset;
    snprintf(text, sizeof(text), "%.*s", (int)(offsets[1] - offsets[0]), (const char *)column->buffers[2] + offsets[0]);
    batch.release(&batch);
    rows.release(&rows);
    return text;
}

static void create(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_err err = {0};
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s: %s", sql, err.message, err.hint);
    rows.release(&rows);
}

static void is_answer(fl_session *session, const char *sql, const char *expected)
{
    fl_err err;
    assert_string_equal(answer(session, sql, &err), expected);
}

static void test_values(void **state)
{
    fl_session *session;
    fl_engine *engine = open_engine(FL_PYTHON_ALLOWED | FL_PYTHON_IN_PROCESS, &session);
    static const char *const types[][2] = {
        {"boolean", "true"},
        {"smallint", "-32768"},
        {"integer", "-2147483648"},
        {"bigint", "9223372036854775807"},
        {"double", "0.1"},
        {"real", "0.5"},
        {"text", "smörgås"},
        {"date", "0001-01-01"},
        {"date", "2024-02-29"},
        {"time", "23:59:59.999999"},
        {"timestamp", "1969-12-31 23:59:59.999999"},
        {"timestamp", "2024-02-29 12:00:00"},
    };
    (void)state;
    for (int64_t i = 0; i < FL_LEN(types); i++) {
        char sql[512];
        snprintf(sql, sizeof(sql),
                 "CREATE OR REPLACE FUNCTION f(x %s) RETURNS %s LANGUAGE python AS $$\ndef f(x): return x\n$$",
                 types[i][0], types[i][0]);
        create(session, sql);
        snprintf(sql, sizeof(sql), "f('%s'::%s)::text", types[i][1], types[i][0]);
        is_answer(session, sql, types[i][1]);
        snprintf(sql, sizeof(sql), "f(null::%s)::text", types[i][0]);
        is_answer(session, sql, "null");
        snprintf(sql, sizeof(sql),
                 "CREATE OR REPLACE FUNCTION f(x %s) RETURNS %s LANGUAGE python AS $$\nimport fletch\n"
                 "@fletch.batch\ndef f(x): return x\n$$",
                 types[i][0], types[i][0]);
        create(session, sql);
        snprintf(sql, sizeof(sql), "f('%s'::%s)::text", types[i][1], types[i][0]);
        is_answer(session, sql, types[i][1]);
    }
    fl_session_close(session);
    fl_engine_close(engine);
}

static void test_nulls(void **state)
{
    fl_session *session;
    fl_engine *engine = open_engine(FL_PYTHON_ALLOWED | FL_PYTHON_IN_PROCESS, &session);
    (void)state;
    create(session, CREATE("(x bigint, y text) RETURNS text CALLED ON NULL INPUT",
                           "def f(x, y): return None if x is None else f'{x} {y}'\n"));
    is_answer(session, "f(1, null)", "1 None");
    is_answer(session, "f(null, 'a')", "null");
    is_answer(session, "SELECT string_agg(f(nullif(range, 1), 'a'), ',' ORDER BY range) FROM range(3)", "0 a,2 a");
    create(session, CREATE("(x bigint) RETURNS bigint CALLED ON NULL INPUT",
                           "import fletch\n@fletch.batch\ndef f(x): return x.filled(-1)\n"));
    is_answer(session, "SELECT sum(f(nullif(range, 1))) FROM range(4)", "4");
    create(session,
           CREATE("(x bigint) RETURNS bigint",
                  "import fletch\n@fletch.batch\ndef f(x): return [None if v % 2 else v for v in x.tolist()]\n"));
    is_answer(session, "SELECT sum(f(range)) * 100 + count(f(range)) FROM range(4)", "202");
    fl_session_close(session);
    fl_engine_close(engine);
}

static void test_rows_not_wanted(void **state)
{
    fl_session *session;
    fl_engine *engine = open_engine(FL_PYTHON_ALLOWED | FL_PYTHON_IN_PROCESS, &session);
    (void)state;
    create(session, CREATE("(x bigint) RETURNS bigint", "def f(x): return 100 // x\n"));
    is_answer(session, "SELECT sum(CASE WHEN range % 7 > 0 THEN f(range % 7) END) FROM range(5000)", "174316");
    fl_session_close(session);
    fl_engine_close(engine);
}

static void test_errors(void **state)
{
    fl_session *session;
    fl_engine *engine = open_engine(FL_PYTHON_ALLOWED | FL_PYTHON_IN_PROCESS, &session);
    struct ArrowArrayStream rows;
    fl_err err;
    (void)state;
    create(session, CREATE("(x bigint, y text) RETURNS bigint", "def f(x, y):\n    return 10 // (x - 3)\n"));
    assert_string_equal(answer(session, "SELECT sum(f(range, 'a')) FROM range(9)", &err),
                        "function f(3, 'a'): ZeroDivisionError: integer division or modulo by zero");
    assert_string_equal(err.sqlstate, "38000");
    assert_non_null(strstr(err.hint, "line 3, in f\n  return 10 // (x - 3)"));
    create(session, CREATE("(x bigint) RETURNS bigint ON ERROR NULL", "def f(x):\n    return 10 // (x - 3)\n"));
    is_answer(session, "SELECT count(f(range)) FROM range(9)", "8");
    create(session, CREATE("(x bigint) RETURNS bigint", "def f(x): return 'a'\n"));
    assert_string_equal(answer(session, "f(1)", &err), "function f(1): it gave a value of type str, it RETURNS bigint");
    assert_int_equal(fl_session_query(session, CREATE("(x bigint) RETURNS bigint", "def f(x) return 1\n"), &rows, &err),
                     FL_ERR_FUNCTION);
    assert_non_null(strstr(err.message, "SyntaxError: expected ':', line 2"));
    assert_int_equal(
        fl_session_query(session, CREATE("(x bigint) RETURNS bigint", "def g(x): return 1\n"), &rows, &err),
        FL_ERR_FUNCTION);
    assert_string_equal(err.message, "function f: the text defines no function f, but g");
    fl_session_close(session);
    fl_engine_close(engine);
}

static void test_stopped(void **state)
{
    static const char *const texts[] = {
        CREATE("(x bigint) RETURNS bigint", "def f(x):\n    while True: pass\n"),
        CREATE("(x bigint) RETURNS bigint ON ERROR NULL", "def f(x):\n    while True: pass\n"),
        CREATE("(x bigint) RETURNS bigint", "import fletch\n@fletch.batch\ndef f(x):\n    while True: pass\n"),
        CREATE("(x bigint) RETURNS bigint", "import time\ndef f(x):\n    while True: time.sleep(0.01)\n"),
    };
    fl_session *session;
    fl_engine *engine = open_engine(FL_PYTHON_ALLOWED | FL_PYTHON_IN_PROCESS, &session);
    fl_err err;
    (void)state;
    for (int64_t i = 0; i < FL_LEN(texts); i++) {
        create(session, texts[i]);
        create(session, "SET timeout = 100");
        (void)answer(session, "SELECT sum(f(range)) FROM range(5000)", &err);
        assert_int_equal(err.code, FL_ERR_TIMEOUT);
        create(session, "SET timeout = 0");
        create(session, CREATE("(x bigint) RETURNS bigint", "def f(x): return x + 1\n"));
        is_answer(session, "f(1)", "2");
    }
    fl_session_close(session);
    fl_engine_close(engine);
}

static void test_not_allowed(void **state)
{
    fl_session *session;
    fl_engine *engine = open_engine(0, &session);
    struct ArrowArrayStream rows;
    fl_err err;
    (void)state;
    assert_int_equal(
        fl_session_query(session, CREATE("(x bigint) RETURNS bigint", "def f(x): return 1\n"), &rows, &err),
        FL_ERR_CONFIG);
    assert_string_equal(err.sqlstate, "42501");
    fl_session_close(session);
    fl_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_nulls),   cmocka_unit_test(test_rows_not_wanted),
        cmocka_unit_test(test_errors), cmocka_unit_test(test_stopped), cmocka_unit_test(test_not_allowed),
    };
    if (access(FLETCH_PLUGIN_DIR "/fletch_python_here.so", R_OK) != 0) {
        printf("fletch_python_here.so is not built: there were no headers of Python\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
