/* The C API as an embedder uses it: queries, parameters, registered streams, cancelling. */
#include "fletch/fletch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

typedef struct fixture {
    fl_engine *engine;
    fl_session *session;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    fl_err err = {0};
    assert_int_equal(fl_engine_open(NULL, &f.engine, &err), FL_OK);
    assert_int_equal(fl_session_open(f.engine, &f.session, &err), FL_OK);
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

/* The single bigint that a stream gives. */
static int64_t only_value(struct ArrowArrayStream *rows)
{
    struct ArrowArray batch = {0};
    assert_int_equal(rows->get_next(rows, &batch), 0);
    assert_non_null(batch.release);
    assert_int_equal(batch.length, 1);
    int64_t value = ((const int64_t *)batch.children[0]->buffers[1])[0];
    batch.release(&batch);
    rows->release(rows);
    return value;
}

static int64_t ask(fixture *f, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_err err = {0};
    if (fl_session_query(f->session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    return only_value(&rows);
}

/* Runs a statement without reading its rows; how many rows it changed. */
static int64_t change(fixture *f, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_err err = {0};
    if (fl_session_query(f->session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    rows.release(&rows);
    return fl_session_changed_rows(f->session);
}

static void test_changes_tell_their_rows(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    assert_int_equal(fl_session_changed_rows(f->session), -1);
    assert_int_equal(change(f, "CREATE TABLE t (a bigint PRIMARY KEY, b bigint)"), -1);
    assert_string_equal(fl_session_command(f->session), "CREATE TABLE");
    assert_int_equal(change(f, "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)"), 3);
    assert_string_equal(fl_session_command(f->session), "INSERT");
    assert_int_equal(change(f, "UPDATE t SET b = 5 WHERE a > 1"), 2);
    assert_int_equal(change(f, "UPDATE t SET b = 5 WHERE a > 100"), 0);
    assert_int_equal(change(f, "INSERT INTO t VALUES (1, 9), (4, 9) ON CONFLICT DO NOTHING RETURNING a"), 1);
    assert_int_equal(change(f, "INSERT INTO t VALUES (1, 9), (5, 9) ON CONFLICT (a) DO UPDATE SET b = 7"), 2);
    assert_string_equal(fl_session_command(f->session), "INSERT");
    assert_int_equal(change(f, "MERGE INTO t USING (VALUES (5), (6)) s(x) ON a = x WHEN MATCHED THEN DELETE"), 1);
    assert_string_equal(fl_session_command(f->session), "MERGE");
    assert_int_equal(change(f, "PREPARE p AS DELETE FROM t WHERE a = $1; EXECUTE p (4)"), 1);
    assert_string_equal(fl_session_command(f->session), "DELETE");
    assert_int_equal(ask(f, "WITH d AS (DELETE FROM t RETURNING b) SELECT sum(b)::bigint FROM d"), 17);
    assert_int_equal(fl_session_changed_rows(f->session), -1);
    assert_string_equal(fl_session_command(f->session), "");
    assert_int_equal(change(f, "INSERT INTO t VALUES (1, 1), (2, 2)"), 2);
    assert_int_equal(fl_session_query(f->session, "INSERT INTO t VALUES (3, 3), (1, 1)", &rows, &err),
                     FL_ERR_CONSTRAINT);
    assert_int_equal(fl_session_changed_rows(f->session), -1);
    assert_int_equal(change(f, "DELETE FROM t"), 2);
    assert_int_equal(change(f, "TRUNCATE t"), -1);
}

static void test_query(void **state)
{
    assert_int_equal(ask(*state, "SELECT count(*) FROM range(100000) WHERE range % 3 = 0"), 33334);
    assert_int_equal(ask(*state, "CREATE TABLE t(a bigint); INSERT INTO t VALUES (1), (2); SELECT count(*) FROM t"), 2);
}

static void test_error_keeps_the_session(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    assert_int_equal(fl_session_query(f->session, "SELECT rnge FROM range(3)", &rows, &err), FL_ERR_COLUMN);
    assert_string_equal(err.sqlstate, "42703");
    assert_int_equal(err.position, 8);
    assert_non_null(strstr(err.hint, "range"));
    assert_int_equal(ask(f, "SELECT count(*) FROM range(7)"), 7);
}

static void test_parameters(void **state)
{
    fixture *f = *state;
    fl_statement *statement = NULL;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    const char *sql = "SELECT count(*) FROM range(100) WHERE range < $1";
    assert_int_equal(fl_session_prepare(f->session, sql, strlen(sql), &statement, &err), FL_OK);
    assert_int_equal(fl_statement_params(statement), 1);
    assert_int_equal(fl_statement_execute(statement, &rows, &err), FL_ERR_PARAMETER);
    for (int64_t n = 0; n < 50; n += 10) {
        assert_int_equal(fl_statement_bind_int64(statement, 1, n, &err), FL_OK);
        assert_int_equal(fl_statement_execute(statement, &rows, &err), FL_OK);
        assert_int_equal(only_value(&rows), n);
    }
    assert_int_equal(fl_statement_bind_int64(statement, 2, 1, &err), FL_ERR_PARAMETER);
    fl_statement_close(statement);
}

/* Parameters by name are bound by the number that their name has. */
static void test_parameters_by_name(void **state)
{
    fixture *f = *state;
    fl_statement *statement = NULL;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    const char *sql = "SELECT $high::bigint - $low::bigint + $HIGH::bigint";
    assert_int_equal(fl_session_prepare(f->session, sql, strlen(sql), &statement, &err), FL_OK);
    assert_int_equal(fl_statement_params(statement), 2);
    assert_string_equal(fl_statement_param_name(statement, 1), "high");
    assert_string_equal(fl_statement_param_name(statement, 2), "low");
    assert_string_equal(fl_statement_param_name(statement, 3), "");
    assert_int_equal(fl_statement_find_param(statement, "LOW"), 2);
    assert_int_equal(fl_statement_find_param(statement, "middle"), 0);
    assert_int_equal(fl_statement_find_param(statement, NULL), 0);
    assert_int_equal(fl_statement_bind_int64(statement, fl_statement_find_param(statement, "high"), 10, &err), FL_OK);
    assert_int_equal(fl_statement_execute(statement, &rows, &err), FL_ERR_PARAMETER);
    assert_non_null(strstr(err.message, "$low"));
    assert_int_equal(fl_statement_bind_int64(statement, fl_statement_find_param(statement, "low"), 3, &err), FL_OK);
    assert_int_equal(fl_statement_execute(statement, &rows, &err), FL_OK);
    assert_int_equal(only_value(&rows), 17);
    fl_statement_close(statement);
    assert_int_equal(fl_session_prepare(f->session, "SELECT $1", 9, &statement, &err), FL_OK);
    assert_string_equal(fl_statement_param_name(statement, 1), "");
    fl_statement_close(statement);
}

/* A value that is none of the parameter's type is told with the parameter's number or name. */
static void test_values_that_do_not_fit(void **state)
{
    static const char *const texts[] = {"SELECT $1::integer + $2::date", "SELECT $n::integer + $day::date"};
    static const char *const told[] = {"parameter $2: ", "parameter $day: "};
    fixture *f = *state;
    fl_err err = {0};
    for (int i = 0; i < 2; i++) {
        fl_statement *statement = NULL;
        assert_int_equal(fl_session_prepare(f->session, texts[i], strlen(texts[i]), &statement, &err), FL_OK);
        assert_int_not_equal(fl_statement_bind_text(statement, 2, "no day", 6, &err), FL_OK);
        assert_memory_equal(err.message, told[i], strlen(told[i]));
        fl_statement_close(statement);
    }
}

/* Text comes in as UTF-8 or not at all: kernels rely on it. */
static void test_text_that_is_no_utf8(void **state)
{
    static const char *const bad[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "abc\x80"};
    fixture *f = *state;
    fl_statement *statement = NULL;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    const char *sql = "SELECT length(regexp_replace($1::text, '.', 'z', 'g'))::bigint";
    assert_int_equal(fl_session_prepare(f->session, sql, strlen(sql), &statement, &err), FL_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(fl_statement_bind_text(statement, 1, bad[i], strlen(bad[i]), &err), FL_ERR_VALUE);
        assert_string_equal(err.sqlstate, "22021");
    }
    assert_int_equal(fl_statement_execute(statement, &rows, &err), FL_ERR_PARAMETER); /* nothing was bound */
    assert_int_equal(fl_statement_bind_text(statement, 1, "\xc3\xa4\xf0\x9f\x98\x80", 6, &err), FL_OK);
    assert_int_equal(fl_statement_execute(statement, &rows, &err), FL_OK);
    assert_int_equal(only_value(&rows), 2);
    fl_statement_close(statement);
}

/* What was made from a session outlives it as a handle that fails. */
static void test_handles_of_a_closed_session(void **state)
{
    fixture *f = *state;
    fl_session *session = NULL;
    fl_statement *statements[3];
    struct ArrowArrayStream rows;
    uint64_t hash;
    fl_err err = {0};
    assert_int_equal(fl_session_open(f->engine, &session, &err), FL_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fl_session_prepare(session, "SELECT $1 || 'x'", 16, &statements[i], &err), FL_OK);
    assert_int_equal(fl_statement_bind_text(statements[0], 1, "a text of some length", 21, &err), FL_OK);
    fl_builder *builder = fl_query_from(session, "range(3)");
    fl_statement_close(statements[1]); /* from the middle of the session's list */
    fl_session_close(session);
    assert_int_equal(fl_statement_execute(statements[0], &rows, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_statement_bind_text(statements[0], 1, "b", 1, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_statement_bind_null(statements[2], 1, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_statement_params(statements[2]), 1);
    fl_builder_where(builder, "range > 1");
    assert_int_equal(fl_builder_run(builder, &rows, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_builder_plan_hash(builder, &hash, &err), FL_ERR_CONFIG);
    fl_builder_free(builder);
    fl_statement_close(statements[0]);
    fl_statement_close(statements[2]);
}

static void test_missing_texts(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_statement *statement = NULL;
    uint64_t hash;
    fl_err err = {0};
    assert_int_equal(fl_session_query(f->session, NULL, &rows, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_session_query_text(f->session, NULL, 3, &rows, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_session_prepare(f->session, NULL, 3, &statement, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_session_plan_hash(f->session, NULL, &hash, &err), FL_ERR_CONFIG);
    fl_builder *builder = fl_builder_join(fl_query_from(f->session, NULL), NULL, NULL, NULL);
    assert_int_not_equal(fl_builder_run(builder, &rows, &err), FL_OK);
    fl_builder_free(builder);
    builder = fl_builder_where(fl_query_from(f->session, "range(3)"), NULL);
    assert_int_not_equal(fl_builder_run(builder, &rows, &err), FL_OK);
    fl_builder_free(builder);
    assert_int_equal(fl_session_prepare(f->session, "SELECT $1", 9, &statement, &err), FL_OK);
    assert_int_equal(fl_statement_bind_text(statement, 1, NULL, 3, &err), FL_ERR_CONFIG);
    fl_statement_close(statement);
    assert_int_equal(ask(f, "SELECT count(*) FROM range(3)"), 3);
}

/* An interrupt that comes between calls, and a deadline that is over, stop nothing that comes later. */
static void test_late_interrupt(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_statement *statement = NULL;
    fl_err err = {0};
    assert_int_equal(fl_session_prepare(f->session, "SELECT length($1)::bigint", 25, &statement, &err), FL_OK);
    fl_session_interrupt(f->session);
    assert_int_equal(fl_statement_bind_text(statement, 1, "a text of some length", 21, &err), FL_OK);
    fl_session_interrupt(f->session);
    fl_builder *builder = fl_builder_where(fl_query_from(f->session, "range(3)"), "range > 1");
    assert_int_equal(fl_builder_run(builder, &rows, &err), FL_OK);
    rows.release(&rows);
    fl_builder_free(builder);
    assert_int_equal(fl_statement_execute(statement, &rows, &err), FL_OK);
    assert_int_equal(only_value(&rows), 21);
    assert_int_equal(
        fl_session_query(f->session, "SET timeout = 1; SELECT sum(range) FROM range(100000000000)", &rows, &err),
        FL_ERR_TIMEOUT);
    assert_int_equal(fl_statement_bind_text(statement, 1, "another", 7, &err), FL_OK);
    fl_statement_close(statement);
    assert_int_equal(ask(f, "RESET timeout; SELECT count(*) FROM range(3)"), 3);
}

/* The count that a statement of one parameter gives for a value: of text, or of a number where that is NULL. */
static int64_t count_with(fixture *f, const char *sql, const char *text, double number)
{
    fl_statement *statement = NULL;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    assert_int_equal(fl_session_prepare(f->session, sql, strlen(sql), &statement, &err), FL_OK);
    if (text != NULL)
        assert_int_equal(fl_statement_bind_text(statement, 1, text, strlen(text), &err), FL_OK);
    else if (number > -1e18 && number < 1e18 && number == (double)(int64_t)number)
        assert_int_equal(fl_statement_bind_int64(statement, 1, (int64_t)number, &err), FL_OK);
    else
        assert_int_equal(fl_statement_bind_double(statement, 1, number, &err), FL_OK);
    if (fl_statement_execute(statement, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    fl_statement_close(statement);
    return only_value(&rows);
}

/* A double that is no integer is not rounded to one: it would be found among values that it does not equal. */
static void test_double_beside_integer(void **state)
{
    fixture *f = *state;
    fl_statement *statement = NULL;
    fl_err err = {0};
    static const char *const texts[] = {"SELECT count(*) FROM range(3) r(x) WHERE x = $1",
                                        "SELECT count(*) FROM range(3) r(x) WHERE x::smallint IN ($1, 7)",
                                        "SELECT count(*) FROM range(3) r(x) WHERE x BETWEEN 0 AND $1",
                                        "SELECT count(*) FROM range(3) r(x) LIMIT $1"};
    for (int64_t i = 0; i < (int64_t)(sizeof(texts) / sizeof(*texts)); i++) {
        err = (fl_err){0};
        assert_int_equal(fl_session_prepare(f->session, texts[i], strlen(texts[i]), &statement, &err), FL_OK);
        assert_int_equal(fl_statement_bind_double(statement, 1, 1.54, &err), FL_ERR_VALUE);
        assert_string_equal(err.sqlstate, "22P02");
        assert_non_null(strstr(err.message, "1.54"));
        assert_int_equal(fl_statement_bind_double(statement, 1, 2.0, &err), FL_OK);
        fl_statement_close(statement);
    }
    assert_int_equal(count_with(f, "SELECT count(*) FROM range(3) r(x) WHERE x < $1::double", NULL, 1.5), 2);
}

/* A parameter beside a decimal or a timestamp keeps the digits of its value. */
static void test_parameter_digits(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    const char *make = "CREATE TABLE d (x decimal(3,1), s timestamp(3), n timestamp(9)); INSERT INTO d VALUES "
                       "(1.5, '2024-01-01 00:00:00.123', '2024-01-01 00:00:00.123456789'), "
                       "(2.0, '2024-01-01', '2024-01-01'); SELECT count(*) FROM d";
    assert_int_equal(ask(f, make), 2);
    const char *equal = "SELECT count(*) FROM d WHERE x = $1", *sum = "SELECT count(*) FROM d WHERE x + $1 = 1.75";
    assert_int_equal(count_with(f, equal, "1.54", 0), 0);
    assert_int_equal(count_with(f, equal, "1.50", 0), 1);
    assert_int_equal(count_with(f, equal, NULL, 1.54), 0);
    assert_int_equal(count_with(f, equal, NULL, 1.5), 1);
    assert_int_equal(count_with(f, equal, NULL, 2), 1);
    assert_int_equal(count_with(f, equal, NULL, 100000), 0);
    assert_int_equal(count_with(f, equal, NULL, 1.5e300), 0);
    assert_int_equal(count_with(f, sum, NULL, 0.25), 1);
    assert_int_equal(count_with(f, "SELECT count(*) FROM d WHERE x IN ($1, 2.04)", "1.54", 0), 0);
    assert_int_equal(count_with(f, "SELECT count(*) FROM d WHERE s = $1", "2024-01-01 00:00:00.1234", 0), 0);
    assert_int_equal(count_with(f, "SELECT count(*) FROM d WHERE n = $1", "2024-01-01 00:00:00.123456789", 0), 1);
    assert_int_equal(count_with(f, "SELECT count(*) FROM d WHERE n > $1", "0001-01-01", 0), 2);
    /* of no type of its own: text, as EXECUTE has it */
    assert_int_equal(count_with(f, "SELECT length($1)::bigint", NULL, 42), 2);
    assert_int_equal(count_with(f, "SELECT count(*) FROM (SELECT $1 AS a) t WHERE a = '42'", NULL, 42), 1);
    assert_int_equal(count_with(f, "SELECT count(*) FROM (SELECT $1 AS a) t WHERE a = '0.25'", NULL, 0.25), 1);
    fl_statement *statement = NULL;
    assert_int_equal(fl_session_prepare(f->session, equal, strlen(equal), &statement, &err), FL_OK);
    assert_int_equal(fl_statement_bind_text(statement, 1, "x", 1, &err), FL_ERR_VALUE);
    assert_int_equal(fl_statement_bind_bool(statement, 1, true, &err), FL_ERR_TYPE);
    fl_statement_close(statement);
    assert_int_equal(fl_session_query(f->session, "DROP TABLE d", &rows, &err), FL_OK);
    rows.release(&rows);
}

/* Queries that mean different things have different plans. */
static void test_plan_hashes(void **state)
{
    static const char *const different[] = {
        "SELECT string_agg(b, ',' ORDER BY a) FROM h",
        "SELECT string_agg(b, ',' ORDER BY a DESC) FROM h",
        "SELECT string_agg(b, ',' ORDER BY a NULLS FIRST) FROM h",
        "SELECT string_agg(b, ',' ORDER BY a DESC NULLS LAST) FROM h",
        "SELECT string_agg(b, ',' ORDER BY b) FROM h",
        "SELECT string_agg(b, ',' ORDER BY a, b) FROM h",
        "SELECT string_agg(b, ';' ORDER BY a) FROM h",
        "SELECT string_agg(b, ',') FROM h",
        "SELECT string_agg(DISTINCT b, ',') FROM h",
        "SELECT string_agg(DISTINCT b, ',' ORDER BY b) FROM h",
        "SELECT string_agg(b, ',') FILTER (WHERE a > 1) FROM h",
        "SELECT string_agg(b, ',' ORDER BY a) FILTER (WHERE a > 1) FROM h",
        "SELECT any_value(b) FROM h",
        "SELECT any_value(b ORDER BY a) FROM h",
        "SELECT any_value(b ORDER BY a DESC) FROM h",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY a) FROM h",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY a DESC) FROM h",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM h",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a DESC) FROM h",
        "SELECT b::integer FROM h",
        "SELECT TRY_CAST(b AS integer) FROM h",
        "SELECT a = ANY (SELECT a FROM h) FROM h",
        "SELECT a = ALL (SELECT a FROM h) FROM h",
    };
    fixture *f = *state;
    uint64_t hashes[sizeof(different) / sizeof(different[0])];
    fl_err err = {0};
    assert_int_equal(ask(f, "CREATE TABLE h (a integer, b text); SELECT count(*) FROM h"), 0);
    for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
        assert_int_equal(fl_session_plan_hash(f->session, different[i], &hashes[i], &err), FL_OK);
        for (size_t k = 0; k < i; k++)
            if (hashes[k] == hashes[i])
                fail_msg("one plan: %s, %s", different[k], different[i]);
    }
    assert_int_equal(ask(f, "DROP TABLE h; SELECT 1::bigint"), 1);
}

static void test_register(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    const char *sql =
        "SELECT range AS a, range::text AS b, range::decimal(12,2) AS c, CASE WHEN range % 2 = 0 THEN range END AS d, "
        "range % 3 = 0 AS e FROM range(5000)";
    assert_int_equal(fl_session_query(f->session, sql, &rows, &err), FL_OK);
    assert_int_equal(fl_session_register(f->session, "made", &rows, false, &err), FL_OK);
    assert_null(rows.release);
    assert_int_equal(ask(f, "SELECT count(*) FROM made WHERE a::text = b AND c = a"), 5000);
    assert_int_equal(ask(f, "SELECT count(d) FROM made"), 2500);
    assert_int_equal(ask(f, "SELECT count(*) FROM made WHERE e"), 1667);
    assert_int_equal(fl_session_query(f->session, "SELECT 1 AS a", &rows, &err), FL_OK);
    assert_int_equal(fl_session_register(f->session, "MADE", &rows, false, &err), FL_ERR_DUPLICATE);
    assert_int_equal(ask(f, "SELECT count(*) FROM made"), 5000);
}

static void test_register_refuses(void **state)
{
    static const struct {
        const char *name;
        fl_status status;
        const char *sqlstate;
    } bad[] = {{NULL, FL_ERR_CONFIG, "22023"}, {"", FL_ERR_CONFIG, "22023"}, {"t\xc3", FL_ERR_VALUE, "22021"}};
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(fl_session_query(f->session, "SELECT 1 AS a", &rows, &err), FL_OK);
        assert_int_equal(fl_session_register(f->session, bad[i].name, &rows, true, &err), bad[i].status);
        assert_string_equal(err.sqlstate, bad[i].sqlstate);
        assert_null(rows.release); /* in any case */
    }
    assert_int_equal(fl_session_register(f->session, "t", NULL, true, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_session_register(f->session, "t", &rows, true, &err), FL_ERR_CORRUPT); /* twice */
    assert_int_equal(ask(f, "SELECT 1::bigint"), 1);
}

/* A producer that never ends, and somebody who has enough at its third batch. */
typedef struct endless {
    struct ArrowArrayStream rows;
    fl_session *session;
    int batches;
} endless;

static int endless_schema(struct ArrowArrayStream *self, struct ArrowSchema *ret)
{
    endless *e = self->private_data;
    return e->rows.get_schema(&e->rows, ret);
}

static void release_batch(struct ArrowArray *array)
{
    array->release = NULL;
}

static int endless_next(struct ArrowArrayStream *self, struct ArrowArray *ret)
{
    static const int64_t value = 1;
    static const void *none[] = {NULL}, *buffers[] = {NULL, &value};
    static struct ArrowArray column;
    static struct ArrowArray *children[] = {&column};
    endless *e = self->private_data;
    column = (struct ArrowArray){.length = 1, .n_buffers = 2, .buffers = buffers, .release = release_batch};
    *ret = (struct ArrowArray){
        .length = 1, .n_buffers = 1, .buffers = none, .n_children = 1, .children = children, .release = release_batch};
    if (++e->batches == 3)
        fl_session_interrupt(e->session);
    return 0;
}

static const char *endless_error(struct ArrowArrayStream *self)
{
    (void)self;
    return NULL;
}

static void endless_release(struct ArrowArrayStream *self)
{
    endless *e = self->private_data;
    e->rows.release(&e->rows);
    self->release = NULL;
}

static void test_register_is_interrupted(void **state)
{
    fixture *f = *state;
    endless e = {.session = f->session};
    struct ArrowArrayStream stream = {.get_schema = endless_schema,
                                      .get_next = endless_next,
                                      .get_last_error = endless_error,
                                      .release = endless_release,
                                      .private_data = &e};
    fl_err err = {0};
    assert_int_equal(fl_session_query(f->session, "SELECT 1::bigint AS a", &e.rows, &err), FL_OK);
    assert_int_equal(fl_session_register(f->session, "endless", &stream, false, &err), FL_ERR_CANCELLED);
    assert_null(stream.release);
    assert_int_equal(e.batches, 3);
    assert_int_equal(ask(f, "SELECT 1::bigint"), 1);
}

/* Inserts 100 rows one by one, by a session of its own. */
static void *insert_rows(void *ptr)
{
    fl_engine *engine = ptr;
    fl_session *session = NULL;
    struct ArrowArrayStream rows;
    if (fl_session_open(engine, &session, NULL) != FL_OK)
        return ptr;
    for (int i = 0; i < 100; i++)
        if (fl_session_query(session, "INSERT INTO shared VALUES (1)", &rows, NULL) == FL_OK)
            rows.release(&rows);
    fl_session_close(session);
    return NULL;
}

static void test_writers_wait_for_each_other(void **state)
{
    fixture *f = *state;
    pthread_t threads[4];
    void *failed = NULL;
    ask(f, "CREATE TABLE shared (a integer); SELECT count(*) FROM shared");
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, insert_rows, f->engine), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(ask(f, "SELECT count(*) FROM shared"), 400);
}

/* A counter's value in the engine's text; -1: there is none. */
static long long metric_of(fl_engine *engine, const char *name)
{
    char *text = NULL, line[128];
    long long value = -1;
    assert_int_equal(fl_engine_metrics(engine, &text, NULL), FL_OK);
    snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(text, line);
    if (at != NULL)
        value = strtoll(at + strlen(line), NULL, 10);
    fl_text_free(text);
    return value;
}

/* Engines count apart; sessions of one together, while others read. */
static void test_metrics(void **state)
{
    fixture *f = *state, other = {0};
    pthread_t thread;
    void *failed = NULL;
    assert_int_equal(fl_engine_open(NULL, &other.engine, NULL), FL_OK);
    assert_int_equal(metric_of(f->engine, "query_planning_duration_seconds_count"), 0);
    ask(f, "CREATE TABLE shared (a integer); SELECT count(*) FROM shared");
    long long plans = metric_of(f->engine, "query_planning_duration_seconds_count"), last = 0;
    assert_int_equal(pthread_create(&thread, NULL, insert_rows, f->engine), 0);
    for (int i = 0; i < 100; i++) {
        long long now = metric_of(f->engine, "query_plan_complexity_count");
        assert_true(now >= last);
        last = now;
    }
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_true(metric_of(f->engine, "query_planning_duration_seconds_count") >= plans + 100);
    assert_int_equal(metric_of(f->engine, "query_plan_complexity_count"),
                     metric_of(f->engine, "query_planning_duration_seconds_count"));
    assert_int_equal(metric_of(other.engine, "query_planning_duration_seconds_count"), 0);
    assert_int_equal(metric_of(other.engine, "no_such_metric"), -1);
    fl_engine_close(other.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_query, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_tell_their_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_error_keeps_the_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parameters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parameters_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values_that_do_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_that_is_no_utf8, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_handles_of_a_closed_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_interrupt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parameter_digits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_double_beside_integer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plan_hashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_register, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_register_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_register_is_interrupted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_writers_wait_for_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_metrics, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
