/* Requests: each beside the SQL that means the same (test/expr/requests.txt), errors that come late, texts that are no JSON, memory. */
#include "engine/internal.h"

#include "arrow_text.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ITEMS "test/expr/items.ndjson"
#define PAIRS "test/expr/requests.txt"
#define LINE_BYTES_MAX 2000

typedef struct fixture {
    fl_engine *engine;
    fl_session *session;
} fixture;

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
    run_sql(&f, "CREATE TABLE items AS SELECT * FROM '" ITEMS "'");
    run_sql(&f, "CREATE TABLE numbers AS SELECT range AS i FROM range(3000000)");
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

/* Names, types and rows as text; the stream is released. */
static void read_all(struct ArrowArrayStream *rows, struct text *ret)
{
    struct ArrowSchema schema;
    assert_int_equal(rows->get_schema(rows, &schema), 0);
    for (int64_t c = 0; c < schema.n_children; c++)
        text_addf(ret, "%s %s\n", schema.children[c]->name, schema.children[c]->format);
    for (;;) {
        struct ArrowArray batch;
        assert_int_equal(rows->get_next(rows, &batch), 0);
        if (batch.release == NULL)
            break;
        for (int64_t row = 0; row < batch.length; row++)
            for (int64_t c = 0; c < batch.n_children; c++) {
                if (arrow_is_null(schema.children[c], batch.children[c], row))
                    text_add(ret, "NULL", 4);
                else
                    arrow_text(schema.children[c], batch.children[c], row, ret);
                text_add(ret, c + 1 < batch.n_children ? "|" : "\n", 1);
            }
        batch.release(&batch);
    }
    schema.release(&schema);
    rows->release(rows);
    text_add(ret, "", 1);
}

static void check_pair(fixture *f, const char *json, const char *sql)
{
    struct ArrowArrayStream rows;
    struct text by_json = {0}, by_sql = {0};
    uint64_t json_hash = 0, sql_hash = 1;
    fl_err err = {0};
    if (fl_session_query_json(f->session, json, strlen(json), &rows, &err) != FL_OK)
        fail_msg("%s: %s", json, err.message);
    read_all(&rows, &by_json);
    if (fl_session_query(f->session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    read_all(&rows, &by_sql);
    if (strcmp(by_json.data, by_sql.data) != 0)
        fail_msg("%s\n%s\n%s\n%s", json, by_json.data, sql, by_sql.data);
    assert_int_equal(fl_session_plan_hash_json(f->session, json, strlen(json), &json_hash, &err), FL_OK);
    assert_int_equal(fl_session_plan_hash(f->session, sql, &sql_hash, &err), FL_OK);
    if (json_hash != sql_hash)
        fail_msg("not one plan:\n%s\n%s", json, sql);
    free(by_json.data);
    free(by_sql.data);
}

static void test_pairs(void **state)
{
    char json[LINE_BYTES_MAX], sql[LINE_BYTES_MAX];
    int32_t pairs = 0;
    FILE *file = fopen(PAIRS, "r");
    assert_non_null(file);
    while (fgets(json, sizeof(json), file) != NULL) {
        json[strcspn(json, "\n")] = 0;
        if (json[0] == 0 || json[0] == '#')
            continue;
        assert_non_null(fgets(sql, sizeof(sql), file));
        sql[strcspn(sql, "\n")] = 0;
        if (strncmp(json, "json ", 5) != 0 || strncmp(sql, "sql  ", 5) != 0)
            fail_msg("no pair of json and sql: %s", json);
        check_pair(*state, json + 5, sql + 5);
        pairs++;
    }
    fclose(file);
    assert_true(pairs >= 40);
}

/* An error of rows that are read after the call is told by its place, too, though the request's text is gone. */
static void test_late_error(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    struct ArrowArray batch;
    fl_err err = {0};
    char *json = strdup("{\"from\": \"numbers\", \"select\": [\"i\", \"mod(7, 2900000 - i) as m\"]}");
    assert_int_equal(fl_session_query_json(f->session, json, strlen(json), &rows, &err), FL_OK);
    memset(json, 'x', strlen(json));
    free(json);
    int failed = 0;
    while ((failed = rows.get_next(&rows, &batch)) == 0 && batch.release != NULL)
        batch.release(&batch);
    assert_int_not_equal(failed, 0);
    assert_int_equal(fl_stream_error(&rows, &err), FL_ERR_DIVISION);
    assert_string_equal(err.message, "at /select/1: division by zero\n  mod(7, 2900000 - i) as m\n  ^");
    assert_int_equal(err.position, 1);
    rows.release(&rows);
}

/* Rows outlive their session, and what tells their errors with them. */
static void test_outlives_session(void **state)
{
    fixture *f = *state;
    fl_session *session = NULL;
    struct ArrowArrayStream rows;
    struct ArrowArray batch;
    fl_err err = {0};
    static const char json[] = "{\"from\": \"numbers\"}";
    assert_int_equal(fl_session_open(f->engine, &session, &err), FL_OK);
    assert_int_equal(fl_session_query_json(session, json, strlen(json), &rows, &err), FL_OK);
    fl_session_close(session);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    batch.release(&batch);
    rows.release(&rows);
}

static void test_no_json(void **state)
{
    static const struct {
        const char *json;
        const char *part;
    } wrong[] = {{"", "line 1, column 1"},
                 {"nul", "no JSON"},
                 {"{\"from\": \"items\"", "no JSON"},
                 {"{\"from\": \"items\"}\n x", "line 2, column 2"},
                 {"{\"from\": \"items\",}", "no JSON"},
                 {"{'from': 'items'}", "no JSON"},
                 {"{\"from\": \"items\", \"limit\": 01}", "no JSON"},
                 {"{\"from\": \"items\", \"limit\": NaN}", "no JSON"},
                 {"{\"from\": \"it\xFFms\"}", "UTF-8"},
                 {"{\"from\": \"\xC3\"}", "UTF-8"},
                 {"{\"from\": \"\\ud800\"}", "surrogate"},
                 {"{\"from\": \"\\udc00\\ud800\"}", "surrogate"},
                 {"\xEF\xBB\xBF{\"from\": \"items\"}", "no JSON"}};
    fixture *f = *state;
    struct ArrowArrayStream rows;
    uint64_t hash = 0;
    fl_err err = {0};
    for (int64_t i = 0; i < FL_LEN(wrong); i++) {
        fl_status st = fl_session_query_json(f->session, wrong[i].json, strlen(wrong[i].json), &rows, &err);
        if (st != FL_ERR_SYNTAX || strcmp(err.sqlstate, "42601") != 0 || strstr(err.message, wrong[i].part) == NULL)
            fail_msg("%s: %s %s", wrong[i].json, err.sqlstate, err.message);
    }
    char *deep = malloc(1000000);
    memset(deep, '[', 1000000);
    assert_int_equal(fl_session_plan_hash_json(f->session, deep, 1000000, &hash, &err), FL_ERR_SYNTAX);
    free(deep);
    assert_int_equal(fl_session_query_json(f->session, NULL, 0, &rows, &err), FL_ERR_CONFIG);
}

/* A message that is too long ends behind a character. */
static void test_long_message(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    for (int32_t shift = 0; shift < 4; shift++) {
        struct text json = {0};
        text_addf(&json, "{\"from\": \"items\", \"filter\": {\"%.*s", shift, "abcd");
        for (int32_t i = 0; i < 400; i++)
            text_add(&json, "é€", 5);
        text_addf(&json, "\": {\"$x\": 1}}}");
        assert_int_not_equal(fl_session_query_json(f->session, json.data, json.len, &rows, &err), FL_OK);
        assert_true(fl_utf8_is_valid(err.message, (int64_t)strlen(err.message)));
        assert_null(strchr(err.message, '?'));
        free(json.data);
    }
}

/* What a refused request took is given back, and one that is too large for the session's memory is refused. */
static void test_memory(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    struct text json = {0};
    fl_err err = {0};
    int64_t before = f->session->memory.used_bytes;
    text_addf(&json, "{\"from\": \"items\", \"filter\": {\"qty\": {\"$in\": [0");
    for (int32_t i = 0; i < 300000; i++)
        text_addf(&json, ",%d", i);
    text_addf(&json, "]}}, \"limit\": \"x\"}");
    assert_int_equal(fl_session_query_json(f->session, json.data, json.len, &rows, &err), FL_ERR_SYNTAX);
    assert_int_equal(f->session->memory.used_bytes, before);
    run_sql(f, "SET memory_limit = '16MB'");
    assert_int_equal(fl_session_query_json(f->session, json.data, json.len, &rows, &err), FL_ERR_MEMORY);
    assert_string_equal(err.sqlstate, "53200");
    run_sql(f, "RESET memory_limit");
    assert_int_equal(f->session->memory.used_bytes, before);
    free(json.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),   cmocka_unit_test(test_late_error),   cmocka_unit_test(test_outlives_session),
        cmocka_unit_test(test_no_json), cmocka_unit_test(test_long_message), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
