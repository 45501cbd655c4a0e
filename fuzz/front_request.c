/* Fuzzing requests: any text is run as a query that is a JSON object, in a session of its own with one worker, 64 MB and 200 ms; explained
 * and hashed, too. Nothing may crash, leak or run on; errors say a place and are UTF-8.
 *
 * Requests that name a file are passed over: files have targets of their own (format_*.c). */
#include "base/clock.h"
#include "base/utf8.h"
#include "fletch/fletch.h"
#include "front/expr/request.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(cond)  \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

#define BYTES_MAX 8000
#define CALL_NS_MAX 5000000000ll /* far above the timeout: sanitizers and a busy machine slow things down */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const char prepare[] =
    "SET threads = 1; SET memory_limit = '64MB';"
    "CREATE TABLE t (id integer, g smallint, x double, d decimal(12,2), s text, day date, at timestamp, ok boolean, l "
    "integer[],"
    " p struct(a integer, b struct(c text)));"
    "INSERT INTO t VALUES (1, 1, 0.5, 10.25, 'one', '2024-01-31', '2024-01-31 10:00:00', true, [1, 2], {'a': 1, 'b': "
    "{'c': 'x'}}),"
    " (2, 1, -1.5, -3.00, 'two', '2024-02-29', '1969-12-31 23:59:59.5', false, [], NULL),"
    " (NULL, NULL, 'NaN', NULL, NULL, NULL, '9999-12-31 00:00:00', true, NULL, {'a': NULL, 'b': NULL})";

static bool names_file(fl_str json)
{
    fl_request request;
    fl_ast_statement statement;
    fl_request_init(&request, NULL);
    bool is_request = fl_request_parse(&request, json, &statement, NULL) == FL_OK;
    bool is_file = is_request && statement.query->body->select->from->kind == FL_AST_TABLE_FILE;
    fl_request_drop(&request);
    return is_file;
}

static void check_error(const fl_err *err)
{
    CHECK(err->code != FL_ERR_INTERNAL && err->message[0] != 0);
    CHECK(fl_utf8_is_valid(err->message, (int64_t)strlen(err->message)));
    CHECK(fl_utf8_is_valid(err->hint, (int64_t)strlen(err->hint)));
}

static void drain(struct ArrowArrayStream *rows)
{
    for (;;) {
        struct ArrowArray array;
        fl_err err = {0};
        if (rows->get_next(rows, &array) != 0) {
            CHECK(fl_stream_error(rows, &err) != FL_OK);
            check_error(&err);
            break;
        }
        if (array.release == NULL)
            break;
        array.release(&array);
    }
    rows->release(rows);
}

static void must_run(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_status st = fl_session_query(session, sql, &rows, NULL);
    CHECK(st == FL_OK || st == FL_ERR_TIMEOUT); /* a busy machine stops for longer at times */
    if (st == FL_OK)
        rows.release(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fl_engine_options options = {.size = sizeof(options), .threads = 1, .memory_limit_bytes = 64 << 20};
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    const char *json = (const char *)data;
    char *text = NULL;
    uint64_t hash = 0;
    if (bytes > BYTES_MAX || names_file((fl_str){json, (int64_t)bytes}))
        return 0;
    CHECK(fl_engine_open(&options, &engine, &err) == FL_OK);
    CHECK(fl_session_open(engine, &session, &err) == FL_OK);
    must_run(session, prepare);
    must_run(session, "SET timeout = 200");
    int64_t began = fl_clock_ns(NULL);
    if (fl_session_plan_hash_json(session, json, bytes, &hash, &err) != FL_OK)
        check_error(&err);
    if (fl_session_explain_json(session, json, bytes, &text, &err) == FL_OK)
        fl_text_free(text);
    else
        check_error(&err);
    if (fl_session_query_json(session, json, bytes, &rows, &err) == FL_OK)
        drain(&rows);
    else
        check_error(&err);
    CHECK(fl_clock_ns(NULL) - began < CALL_NS_MAX);
    must_run(session, "SET timeout = 0"); /* whatever it was, the session goes on */
    must_run(session, "SELECT 1");
    fl_session_close(session);
    fl_engine_close(engine);
    return 0;
}
