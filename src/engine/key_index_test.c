/* An index of unique keys takes rows in as a whole or not at all, and outlives a statement that fails. */
#include "engine/internal.h"

#include "store/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 5000 /* several pieces */

/* Two keys: on a, and on b. */
static const fl_field fields[] = {{.name = {"a", 1}, .type = {.id = FL_I64}},
                                  {.name = {"b", 1}, .type = {.id = FL_I64}}};
static const int32_t first_cols[] = {0}, second_cols[] = {1};
static const fl_table_key keys[] = {{.name = {"by_a", 4}, .cols = first_cols, .n_cols = 1},
                                    {.name = {"by_b", 4}, .cols = second_cols, .n_cols = 1}};
static fl_table table = {.fields = fields, .n_cols = 2, .keys = keys, .n_keys = 2};

/* Rows of a and b from these numbers on; the row at `odd` has other_a and other_b. */
static fl_segment *make_rows(int64_t a, int64_t b, int64_t n, int64_t odd, int64_t other_a, int64_t other_b)
{
    static const fl_type types[] = {{.id = FL_I64}, {.id = FL_I64}};
    int64_t *values = malloc((size_t)n * 16);
    fl_segment_builder *builder = NULL;
    fl_segment *segment = NULL;
    fl_vec vecs[2];
    assert_non_null(values);
    for (int64_t i = 0; i < n; i++) {
        values[i] = i == odd ? other_a : a + i;
        values[n + i] = i == odd ? other_b : b + i;
    }
    fl_vec_set_flat(&vecs[0], types[0], values, NULL);
    fl_vec_set_flat(&vecs[1], types[1], values + n, NULL);
    assert_int_equal(fl_segment_builder_new(NULL, types, 2, FL_SEGMENT_TABLE, &builder, NULL), FL_OK);
    assert_int_equal(fl_segment_builder_add(builder, vecs, NULL, (int32_t)n, NULL), FL_OK);
    assert_int_equal(fl_segment_builder_finish(builder, &segment, NULL), FL_OK);
    fl_segment_builder_free(builder);
    free(values);
    return segment;
}

static fl_status add(fl_key_index *index, fl_segment *segment)
{
    fl_status st = fl_key_index_add(index, &segment, 1, NULL, NULL);
    fl_segment_unref(segment);
    return st;
}

/* Where a row is refused, by whichever key and wherever it stands, none of those before it stays. */
static void test_all_or_nothing(void **state)
{
    (void)state;
    static const int64_t places[] = {0, 1, 2047, 2048, 2049, ROWS - 1};
    fl_key_index *index = NULL;
    assert_int_equal(fl_key_index_new(NULL, &table, 1, &index, NULL), FL_OK);
    assert_int_equal(add(index, make_rows(0, 0, ROWS, -1, 0, 0)), FL_OK);
    for (int64_t p = 0; p < FL_LEN(places); p++) {
        int64_t from = 100000; /* the same rows each time: none of them may stay */
        assert_int_equal(add(index, make_rows(from, from, ROWS, places[p], 7, from - 1)), FL_ERR_CONSTRAINT);
        assert_true(fl_key_index_is_whole(index));
        assert_int_equal(add(index, make_rows(from, from, ROWS, places[p], from - 1, 7)), FL_ERR_CONSTRAINT);
        assert_true(fl_key_index_is_whole(index));
        assert_int_equal(add(index, make_rows(from, from, ROWS, places[p], from + 1, from - 1)),
                         places[p] == 1 ? FL_OK : FL_ERR_CONSTRAINT); /* twice among themselves, but for itself */
        assert_true(fl_key_index_is_whole(index));
        if (places[p] == 1) { /* they stay: take them out again */
            uint64_t rows[ROWS / 64 + 1];
            fl_segment *segment = make_rows(from, from, ROWS, places[p], from + 1, from - 1);
            memset(rows, 0xFF, sizeof(rows));
            assert_int_equal(fl_key_index_remove_rows(index, segment, rows, NULL, NULL), FL_OK);
            fl_segment_unref(segment);
        }
    }
    assert_int_equal(add(index, make_rows(100000, 100000, ROWS, -1, 0, 0)), FL_OK);
    assert_int_equal(add(index, make_rows(100000 + ROWS - 1, 500000, 1, -1, 0, 0)), FL_ERR_CONSTRAINT);
    assert_int_equal(add(index, make_rows(0, 500000, 1, -1, 0, 0)), FL_ERR_CONSTRAINT);
    fl_key_index_free(index);
}

/* The same of several segments at once. */
static void test_segments(void **state)
{
    (void)state;
    fl_key_index *index = NULL;
    fl_segment *segments[] = {make_rows(0, 0, ROWS, -1, 0, 0), make_rows(ROWS, ROWS, ROWS, 3000, 12, ROWS + 3000)};
    assert_int_equal(fl_key_index_new(NULL, &table, 1, &index, NULL), FL_OK);
    assert_int_equal(fl_key_index_add(index, segments, 2, NULL, NULL), FL_ERR_CONSTRAINT);
    assert_true(fl_key_index_is_whole(index));
    assert_int_equal(fl_key_index_add(index, segments, 1, NULL, NULL), FL_OK);
    assert_int_equal(fl_key_index_add(index, segments, 1, NULL, NULL), FL_ERR_CONSTRAINT);
    fl_segment_unref(segments[0]);
    fl_segment_unref(segments[1]);
    fl_key_index_free(index);
}

/* How many of the rows are new. */
static int64_t add_new(fl_key_index *index, int32_t key, fl_segment *segment)
{
    uint64_t is_new[ROWS / 64 + 2] = {0};
    assert_int_equal(fl_key_index_add_new(index, segment, key, is_new, NULL, NULL), FL_OK);
    int64_t n = fl_bitmap_count(is_new, segment->rows);
    fl_segment_unref(segment);
    return n;
}

/* Rows whose keys are there are left out, those that came earlier in the same call included. */
static void test_new_rows(void **state)
{
    (void)state;
    uint64_t is_new[ROWS / 64 + 2] = {0};
    fl_key_index *index = NULL;
    fl_segment *segment = make_rows(20000, 0, 1, -1, 0, 0);
    assert_int_equal(fl_key_index_new(NULL, &table, 1, &index, NULL), FL_OK);
    assert_int_equal(add_new(index, -1, make_rows(0, 0, ROWS, -1, 0, 0)), ROWS);
    assert_int_equal(add_new(index, -1, make_rows(0, 50000, ROWS, -1, 0, 0)), 0);
    assert_int_equal(add_new(index, -1, make_rows(ROWS - 10, 50000, 30, -1, 0, 0)), 20);
    assert_int_equal(add_new(index, -1, make_rows(10000, 60000, ROWS, 4000, 10001, 99999)), ROWS - 1);
    assert_int_equal(add_new(index, -1, make_rows(10000, 70000, ROWS, 2, 99999, 70002)), 2);
    assert_int_equal(add_new(index, 0, make_rows(1000, 80000, 5, -1, 0, 0)), 0);
    assert_int_equal(add(index, make_rows(10000 + ROWS - 1, 90000, 1, -1, 0, 0)), FL_ERR_CONSTRAINT);
    assert_int_equal(fl_key_index_failed(index), 0);
    assert_true(fl_key_index_is_whole(index));
    assert_int_equal(fl_key_index_add_new(index, segment, 0, is_new, NULL, NULL), FL_ERR_CONSTRAINT);
    assert_int_equal(fl_key_index_failed(index), 1);
    assert_false(fl_key_index_is_whole(index));
    fl_segment_unref(segment);
    fl_key_index_free(index);
}

/* What stops on the way leaves an index that says so. */
static void test_stopped(void **state)
{
    (void)state;
    fl_key_index *index = NULL;
    fl_interrupt interrupt = {0};
    fl_segment *segment = make_rows(0, 0, ROWS, -1, 0, 0);
    fl_interrupt_begin(&interrupt);
    fl_interrupt_request(&interrupt);
    assert_int_equal(fl_key_index_new(NULL, &table, 1, &index, NULL), FL_OK);
    assert_int_equal(fl_key_index_add(index, &segment, 1, &interrupt, NULL), FL_ERR_CANCELLED);
    assert_false(fl_key_index_is_whole(index));
    fl_segment_unref(segment);
    fl_key_index_free(index);
}

static fl_status run(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_status st = fl_session_query(session, sql, &rows, NULL);
    if (st == FL_OK)
        rows.release(&rows);
    return st;
}

/* Whether the catalog has an index of the rows that the table has now. */
static bool has_index(fl_engine *engine)
{
    fl_table *t = fl_engine_table(engine, FL_STR("t"));
    fl_key_index *index = fl_engine_take_key_index(engine, FL_STR("t"));
    bool has = index != NULL && fl_key_index_version(index) == t->version && fl_key_index_is_whole(index);
    if (index != NULL)
        fl_engine_give_key_index(engine, FL_STR("t"), index);
    fl_table_unref(t);
    return has;
}

static void test_statements_that_fail(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        fl_status wanted;
    } statements[] = {
        {"INSERT INTO t SELECT x, x FROM range(5000) r(x)", FL_OK},
        {"INSERT INTO t SELECT x, x FROM range(5500, 4000, -1) r(x)", FL_ERR_CONSTRAINT},
        {"INSERT INTO t VALUES (7000, 1)", FL_OK},
        {"INSERT INTO t VALUES (7000, 1)", FL_ERR_CONSTRAINT},
        {"INSERT INTO t VALUES (9223372036854775807 + 1, 1)", FL_ERR_RANGE},
        {"INSERT INTO t VALUES (NULL, 1)", FL_ERR_CONSTRAINT},
        {"UPDATE t SET a = 3 WHERE a >= 4000", FL_ERR_CONSTRAINT},
        {"UPDATE t SET a = a + 1", FL_OK},
        {"INSERT INTO t VALUES (0, 0), (5001, 0), (7000, 0)", FL_OK},
        {"DELETE FROM t WHERE a = 17", FL_OK},
        {"INSERT INTO t VALUES (18, 0)", FL_ERR_CONSTRAINT},
        {"INSERT INTO t VALUES (17, 0)", FL_OK},
    };
    fl_engine_options options = {.size = sizeof(options)};
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    assert_int_equal(fl_engine_open(&options, &engine, NULL), FL_OK);
    assert_int_equal(fl_session_open(engine, &session, NULL), FL_OK);
    assert_int_equal(run(session, "CREATE TABLE t (a bigint PRIMARY KEY, b bigint)"), FL_OK);
    for (int64_t i = 0; i < FL_LEN(statements); i++) {
        fl_status st = run(session, statements[i].sql);
        if (st != statements[i].wanted || !has_index(engine))
            fail_msg("%s: %d, not %d, index %d", statements[i].sql, st, statements[i].wanted, has_index(engine));
    }
    fl_session_close(session);
    fl_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_new_rows),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_statements_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
