/* The builder of the C API: the same plan and the same rows as SQL's, and errors that name the step and the place in it. */
#include "fletch/fletch.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STEPS_MAX 8

/* A call: {"where", "a > 1"}, {"take", "10"}; of a join also its kind and condition: {"join", "t", "left", "a = b"}. */
typedef const char *step[4];

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
    run_sql(&f, "CREATE TABLE orders AS SELECT range AS id, range % 4 AS region, range * 2 AS amount FROM range(1000)");
    run_sql(&f, "CREATE TABLE regions AS SELECT range AS region, 'r' || range AS name FROM range(3)");
    run_sql(&f, "CREATE VIEW small AS SELECT * FROM orders WHERE amount < 100");
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

static fl_builder *build(fixture *f, const step *steps)
{
    fl_builder *q = fl_query_from(f->session, steps[0][1]);
    for (int i = 1; i < STEPS_MAX && steps[i][0] != NULL; i++) {
        const char *name = steps[i][0], *text = steps[i][1];
        if (strcmp(name, "where") == 0)
            fl_builder_where(q, text);
        else if (strcmp(name, "select") == 0)
            fl_builder_select(q, text);
        else if (strcmp(name, "group_by") == 0)
            fl_builder_group_by(q, text);
        else if (strcmp(name, "agg") == 0)
            fl_builder_agg(q, text);
        else if (strcmp(name, "order_by") == 0)
            fl_builder_order_by(q, text);
        else if (strcmp(name, "take") == 0)
            fl_builder_take(q, atoll(text));
        else if (strcmp(name, "skip") == 0)
            fl_builder_skip(q, atoll(text));
        else if (strcmp(name, "join") == 0)
            fl_builder_join(q, text, steps[i][2], steps[i][3]);
        else if (strcmp(name, "window") == 0)
            fl_builder_window(q, text);
        else if (strcmp(name, "qualify") == 0)
            fl_builder_qualify(q, text);
        else if (strcmp(name, "sample") == 0)
            fl_builder_sample(q, text);
        else if (strcmp(name, "copy_to") == 0)
            fl_builder_copy_to(q, text, steps[i][2]);
        else if (strcmp(name, "set") == 0)
            fl_builder_set(q, text, steps[i][2]);
        else if (strcmp(name, "pivot") == 0)
            fl_builder_pivot(q, text, steps[i][2], steps[i][3]);
        else if (strcmp(name, "unpivot") == 0)
            fl_builder_unpivot(q, text, steps[i][2], steps[i][3]);
        else
            fail_msg("no step %s", name);
    }
    return q;
}

/* Rows of a stream, which is released. */
static int64_t count_rows(struct ArrowArrayStream *rows)
{
    int64_t n = 0;
    for (;;) {
        struct ArrowArray batch = {0};
        assert_int_equal(rows->get_next(rows, &batch), 0);
        if (batch.release == NULL)
            break;
        n += batch.length;
        batch.release(&batch);
    }
    rows->release(rows);
    return n;
}

static const struct {
    step steps[STEPS_MAX];
    const char *sql;
} equal[] = {
    {{{"from", "orders"}}, "SELECT * FROM orders"},
    {{{"from", "range(10) AS r"}, {"where", "r.range > 3"}}, "SELECT * FROM range(10) r WHERE range > 3"},
    {{{"from", "(SELECT id FROM orders) o"}, {"select", "o.id"}}, "SELECT id FROM (SELECT id FROM orders) x"},
    {{{"from", "small"}, {"select", "DISTINCT region"}}, "SELECT DISTINCT region FROM small"},
    {{{"from", "orders"},
      {"where", "amount > 100"},
      {"group_by", "region"},
      {"agg", "sum(amount) AS total"},
      {"order_by", "total DESC"},
      {"take", "3"}},
     "select REGION, sum(AMOUNT) as t from ORDERS where amount > 100 group by region order by t desc limit 3"},

    /* conditions of several calls, none reaching over */
    {{{"from", "orders"},
      {"where", "id < 10 OR amount > 1990"},
      {"where", "region = 1"},
      {"where", "id <> 5 AND id <> 9"}},
     "SELECT * FROM orders WHERE (id < 10 OR amount > 1990) AND region = 1 AND id <> 5 AND id <> 9"},

    /* windows */
    {{{"from", "orders"},
      {"window", "w AS (PARTITION BY region ORDER BY id)"},
      {"select", "id, row_number() OVER w AS n"},
      {"qualify", "n <= 3"},
      {"order_by", "id"}},
     "SELECT id, row_number() OVER w AS n FROM orders WINDOW w AS (PARTITION BY region ORDER BY id) QUALIFY n <= 3 "
     "ORDER BY id"},
    {{{"from", "orders"},
      {"group_by", "region"},
      {"window", "w AS (ORDER BY sum(amount))"},
      {"agg", "rank() OVER w AS r"},
      {"qualify", "r < 5"},
      {"qualify", "region > 0"}},
     "SELECT region, rank() OVER (ORDER BY sum(amount)) AS r FROM orders GROUP BY region QUALIFY r < 5 AND region > 0"},
    {{{"from", "orders"}, {"select", "id, rank() OVER (ORDER BY amount) AS r"}, {"where", "r = 1"}},
     "SELECT * FROM (SELECT id, rank() OVER (ORDER BY amount) AS r FROM orders) x WHERE r = 1"},

    /* sets of groups */
    {{{"from", "orders"}, {"group_by", "ROLLUP (region, id)"}, {"agg", "count(*) AS n"}},
     "SELECT region, id, count(*) AS n FROM orders GROUP BY ROLLUP (region, id)"},
    {{{"from", "orders"}, {"group_by", "GROUPING SETS ((region, id), (region), ())"}, {"agg", "sum(amount)"}},
     "SELECT region, id, sum(amount) FROM orders GROUP BY GROUPING SETS ((region, id), (region), ())"},
    {{{"from", "orders"}, {"group_by", "region, CUBE (id)"}, {"agg", "count(*), grouping(id)"}, {"where", "id > 1"}},
     "SELECT * FROM (SELECT region, id, count(*), grouping(id) FROM orders GROUP BY region, CUBE (id)) x WHERE id > 1"},

    /* set operations */
    {{{"from", "orders"}, {"select", "region"}, {"set", "union all", "(SELECT region FROM regions)"}},
     "SELECT region FROM orders UNION ALL SELECT region FROM regions"},
    {{{"from", "regions"}, {"set", "intersect", "regions"}, {"order_by", "region"}, {"take", "3"}},
     "SELECT * FROM regions INTERSECT SELECT * FROM regions ORDER BY region LIMIT 3"},
    {{{"from", "regions"}, {"set", "union", "regions"}, {"set", "union", "regions"}, {"set", "except", "regions"}},
     "SELECT * FROM regions UNION SELECT * FROM regions UNION SELECT * FROM regions EXCEPT SELECT * FROM regions"},
    {{{"from", "orders"}, {"set", "union all by name", "regions"}, {"where", "region = 1"}},
     "SELECT * FROM (SELECT * FROM orders UNION ALL BY NAME SELECT * FROM regions) x WHERE region = 1"},
    {{{"from", "regions"}, {"take", "2"}, {"set", "except all", "regions"}, {"select", "name"}},
     "SELECT name FROM ((SELECT * FROM regions LIMIT 2) EXCEPT ALL SELECT * FROM regions) x"},

    /* pivots and samples */
    {{{"from", "orders"}, {"pivot", "region IN (1, 2)", "sum(amount), count(*) AS n", "id"}},
     "PIVOT orders ON region IN (1, 2) USING sum(amount), count(*) AS n GROUP BY id"},
    {{{"from", "orders"}, {"where", "id < 10"}, {"pivot", "region", NULL, NULL}, {"order_by", "id"}},
     "PIVOT (SELECT * FROM orders WHERE id < 10) ON region ORDER BY id"},
    {{{"from", "orders"}, {"unpivot", "id, region", "n", "v"}, {"where", "v > 3"}},
     "SELECT * FROM orders UNPIVOT (v FOR n IN (id, region)) WHERE v > 3"},
    {{{"from", "orders"}, {"unpivot", "COLUMNS(* EXCLUDE (amount))", NULL, NULL}}, "UNPIVOT orders ON id, region"},
    {{{"from", "orders"}, {"sample", "reservoir(10 ROWS) REPEATABLE (3)"}, {"where", "id > 1"}},
     "SELECT * FROM orders WHERE id > 1 USING SAMPLE reservoir(10 ROWS) REPEATABLE (3)"},
    {{{"from", "orders o"}, {"join", "regions r", "asof left", "o.id >= r.region"}, {"select", "id, name"}},
     "SELECT id, name FROM orders o ASOF LEFT JOIN regions r ON o.id >= r.region"},
    {{{"from", "orders o"}, {"join", "regions r", "positional", NULL}, {"select", "id, name"}},
     "SELECT id, name FROM orders o POSITIONAL JOIN regions r"},

    /* joins of every kind */
    {{{"from", "orders o"}, {"join", "regions r", "inner", "o.region = r.region"}, {"select", "id, name"}},
     "SELECT id, name FROM orders o JOIN regions r ON o.region = r.region"},
    {{{"from", "orders o"}, {"join", "regions r", "LEFT", "o.region = r.region AND id > 5"}},
     "SELECT * FROM orders o LEFT JOIN regions r ON o.region = r.region AND id > 5"},
    {{{"from", "orders o"}, {"join", "regions r", "right", "o.region = r.region"}},
     "SELECT * FROM orders o RIGHT JOIN regions r ON o.region = r.region"},
    {{{"from", "orders o"}, {"join", "regions r", "full", "o.region = r.region"}},
     "SELECT * FROM orders o FULL JOIN regions r ON o.region = r.region"},
    {{{"from", "orders o"}, {"join", "regions r", "semi", "o.region = r.region"}},
     "SELECT * FROM orders o SEMI JOIN regions r ON o.region = r.region"},
    {{{"from", "orders o"}, {"join", "regions r", "anti", "o.region = r.region"}},
     "SELECT * FROM orders o ANTI JOIN regions r ON o.region = r.region"},
    {{{"from", "regions a"}, {"join", "regions b", "cross", NULL}}, "SELECT * FROM regions a CROSS JOIN regions b"},
    {{{"from", "orders o"},
      {"join", "regions r", "inner", "o.region = r.region"},
      {"join", "regions s", "left", "s.region = o.id"}},
     "SELECT * FROM orders o JOIN regions r ON o.region = r.region LEFT JOIN regions s ON s.region = o.id"},
    {{{"from", "orders"}, {"where", "id < 10"}, {"join", "regions", "inner", "orders.region = regions.region"}},
     "SELECT * FROM (SELECT * FROM orders WHERE id < 10) o JOIN regions r ON o.region = r.region"},

    /* grouping */
    {{{"from", "orders"},
      {"group_by", "region, id % 2 AS odd"},
      {"group_by", "amount > 5"},
      {"agg", "count(*), max(id) AS top"}},
     "SELECT region, id % 2, amount > 5, count(*), max(id) FROM orders GROUP BY region, id % 2, amount > 5"},
    {{{"from", "orders"}, {"agg", "count(*), sum(amount)"}}, "SELECT count(*), sum(amount) FROM orders"},
    {{{"from", "orders"}, {"group_by", "region"}, {"agg", "count(*) AS n"}, {"where", "n > 10"}},
     "SELECT * FROM (SELECT region, count(*) AS n FROM orders GROUP BY region) q WHERE n > 10"},
    {{{"from", "orders"}, {"group_by", "region"}, {"agg", "count(*) AS n"}, {"group_by", "n"}, {"agg", "sum(region)"}},
     "SELECT n, sum(region) FROM (SELECT region, count(*) AS n FROM orders GROUP BY region) q GROUP BY n"},

    /* order, limits, lists behind lists */
    {{{"from", "orders"}, {"order_by", "region"}, {"order_by", "id DESC NULLS LAST"}, {"skip", "5"}, {"take", "10"}},
     "SELECT * FROM orders ORDER BY region, id DESC NULLS LAST LIMIT 10 OFFSET 5"},
    {{{"from", "orders"}, {"take", "10"}, {"skip", "5"}}, "SELECT * FROM (SELECT * FROM orders LIMIT 10) q OFFSET 5"},
    {{{"from", "regions"}, {"order_by", "ALL DESC"}}, "SELECT * FROM regions ORDER BY ALL DESC"},
    {{{"from", "orders"}, {"take", "10"}, {"where", "id > 3"}},
     "SELECT * FROM (SELECT * FROM orders LIMIT 10) q WHERE id > 3"},
    {{{"from", "orders"}, {"select", "id + 1 AS a, * EXCLUDE (id)"}, {"select", "a * 2"}},
     "SELECT a * 2 FROM (SELECT id + 1 AS a, region, amount FROM orders) q"},

    /* files */
    {{{"from", "'test/data/csv/people.csv'"}, {"take", "2"}}, "SELECT * FROM 'test/data/csv/people.csv' LIMIT 2"},
    {{{"from", "test/data/csv/people.csv"},
      {"join", "(FROM 'test/data/csv/people.csv') b", "cross", NULL},
      {"agg", "count(*)"}},
     "SELECT count(*) FROM 'test/data/csv/people.csv' a, (FROM 'test/data/csv/people.csv') b"},
};

static void test_same_as_sql(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(equal) / sizeof(equal[0]); i++) {
        struct ArrowArrayStream rows;
        fl_err err = {0};
        uint64_t by_builder = 0, by_sql = 0;
        fl_builder *q = build(f, equal[i].steps);
        if (fl_builder_plan_hash(q, &by_builder, &err) != FL_OK || fl_builder_run(q, &rows, &err) != FL_OK)
            fail_msg("%s: %s", equal[i].sql, err.message);
        int64_t n = count_rows(&rows);
        if (fl_session_plan_hash(f->session, equal[i].sql, &by_sql, &err) != FL_OK ||
            fl_session_query(f->session, equal[i].sql, &rows, &err) != FL_OK)
            fail_msg("%s: %s", equal[i].sql, err.message);
        assert_int_equal(n, count_rows(&rows));
        if (by_builder != by_sql)
            fail_msg("%s: plan hash %" PRIx64 " from the builder, %" PRIx64 " from SQL", equal[i].sql, by_builder,
                     by_sql);
        fl_builder_free(q);
    }
}

/* Each with the first step that is wrong, the place in its text (from 1; 0: none), and a part of message or hint. */
static const struct {
    step steps[STEPS_MAX];
    const char *sqlstate;
    int64_t position;
    const char *part;
} wrong[] = {
    {{{"from", "ordrs"}}, "42P01", 1, "from: "},
    {{{"from", "ordrs"}}, "42P01", 1, "orders"},
    {{{"from", "orders; DROP TABLE orders"}}, "42601", 7, "from: syntax error at or near \";\""},
    {{{"from", "orders, regions"}}, "42601", 7, "from: "},
    {{{"from", "orders JOIN regions ON true"}}, "42601", 8, "from: "},
    {{{"from", "no/such.parquet"}}, "58P01", 1, "from: "},
    {{{"from", ""}}, "42601", 1, "from: "},
    {{{"from", "orders"}, {"where", "id > 0"}, {"where", "5 < amuont"}},
     "42703",
     5,
     "where: there is no column \"amuont\"\n  5 < amuont\n      ^"},
    {{{"from", "orders"}, {"where", "5 < amuont"}}, "42703", 5, "amount"},
    {{{"from", "orders"}, {"where", "id > 1) UNION SELECT 1, 2, (3"}},
     "42601",
     7,
     "where: syntax error at or near \")\""},
    {{{"from", "orders"}, {"where", "id > 1 UNION SELECT 1"}}, "42601", 8, "where: "},
    {{{"from", "orders"}, {"where", "true; DELETE FROM orders"}}, "42601", 5, "where: "},
    {{{"from", "orders"}, {"where", ";true"}}, "42601", 1, "where: "},
    {{{"from", "orders"}, {"where", "true -- "}, {"where", "id > 'x"}},
     "42601",
     6,
     "where: a string that begins on line 1 of the statement has no end"},
    {{{"from", "orders"}, {"where", "/* "}}, "42601", 1, "where: "},
    {{{"from", "orders"}, {"where", "id"}}, "42804", 1, "where: argument of WHERE must be boolean"},
    {{{"from", "orders"}, {"where", "true ORDER BY id"}}, "42601", 6, "where: "},
    {{{"from", "orders"}, {"where", "id = $1"}}, "42P02", 6, "where: "},
    {{{"from", "orders"}, {"where", "'äö' = 'ü' AND x"}}, "42703", 19, "\n                 ^"},
    {{{"from", "orders"}, {"where", "id > 0 AND\namuont > 1"}}, "42703", 12, "\n  amuont > 1\n  ^"},
    {{{"from", "orders"}, {"select", "id, amount FROM regions"}}, "42601", 12, "select: "},
    {{{"from", "orders"}, {"select", "sqare(id)"}}, "42883", 1, "select: "},
    {{{"from", "orders"}, {"select", "id, 1 / (id - id)"}}, "22012", 7, "select: division by zero"},
    {{{"from", "orders"}, {"select", "id"}, {"select", "amount"}}, "42703", 1, "select: "},
    {{{"from", "orders"}, {"group_by", "regoin"}, {"agg", "count(*)"}}, "42703", 1, "group_by: "},
    {{{"from", "orders"}, {"group_by", "ROLLUP (idd)"}, {"agg", "count(*)"}}, "42703", 9, "group_by: "},
    {{{"from", "orders"}, {"window", "w (ORDER BY id)"}}, "42601", 3, "window: "},
    {{{"from", "orders"}, {"window", "w AS (ORDER BY idd)"}, {"select", "rank() OVER w"}}, "42703", 16, "window: "},
    {{{"from", "orders"}, {"qualify", "id > 1"}}, "42601", 1, "qualify: "},
    {{{"from", "orders"}, {"sample", "101%"}}, "2202H", 1, "sample: "},
    {{{"from", "orders"}, {"sample", "5) WHERE (1"}}, "42601", 2, "sample: "},
    {{{"from", "orders"}, {"set", "minus", "orders"}}, "42601", 0, "set: the kind is union"},
    {{{"from", "orders"}, {"set", "union", "regions"}}, "42601", 0, "columns"},
    {{{"from", "orders"}, {"set", "union", "regoins"}}, "42P01", 1, "set: "},
    {{{"from", "orders"}, {"pivot", "regoin", NULL, NULL}}, "42703", 1, "pivot: "},
    {{{"from", "orders"}, {"pivot", "region", "amount", NULL}}, "42803", 1, "pivot: "},
    {{{"from", "orders"}, {"group_by", "id"}, {"pivot", "region", NULL, NULL}}, "42601", 0, "pivot: group_by"},
    {{{"from", "orders"}, {"unpivot", "id, regoin", NULL, NULL}}, "42703", 5, "unpivot: "},
    {{{"from", "orders"}, {"unpivot", "id", "n m", NULL}}, "42601", 3, "unpivot: "},
    {{{"from", "orders"}, {"group_by", "region HAVING true"}, {"agg", "count(*)"}}, "42601", 8, "group_by: "},
    {{{"from", "orders"}, {"group_by", "region"}, {"agg", "sum(amount), id"}}, "42803", 14, "agg: "},
    {{{"from", "orders"}, {"group_by", "region"}, {"agg", "sum(amount"}}, "42601", 11, "agg: "},
    {{{"from", "orders"}, {"group_by", "region"}}, "42601", 0, "group_by: group_by is followed by agg"},
    {{{"from", "orders"}, {"group_by", "region"}, {"where", "true"}}, "42601", 0, "where: group_by is followed by agg"},
    {{{"from", "orders"}, {"group_by", "region"}, {"select", "id"}}, "42601", 0, "select: group_by is followed by agg"},
    {{{"from", "orders"}, {"order_by", "id, amont DESC"}}, "42703", 5, "order_by: "},
    {{{"from", "orders"}, {"order_by", "id LIMIT 1"}}, "42601", 4, "order_by: "},
    {{{"from", "orders"}, {"order_by", "id"}, {"order_by", "ALL"}}, "42601", 0, "order_by: "},
    {{{"from", "orders"}, {"join", "regins", "inner", "true"}}, "42P01", 1, "join: "},
    {{{"from", "orders"}, {"join", "regions", "inner", "orders.region = regions.regin"}}, "42703", 17, "join: "},
    {{{"from", "orders"}, {"join", "regions", "inner", "true CROSS JOIN regions"}}, "42601", 6, "join: "},
    {{{"from", "orders"}, {"join", "regions", "inner", NULL}}, "42601", 0, "join: a join needs a condition"},
    {{{"from", "orders"}, {"join", "regions", "cross", "true"}},
     "42601",
     0,
     "join: a cross or positional join has no condition"},
    {{{"from", "orders"}, {"join", "regions", "sideways", "true"}}, "42601", 0, "join: the kind of a join is"},
    {{{"from", "orders"}, {"join", "orders", "cross", NULL}}, "42712", 1, "join: "},
    {{{"from", "orders"}, {"where", "region = 'n\xff'"}}, "22021", 12, "where: "},
    {{{"from", "ord\xc3rs"}}, "22021", 4, "from: "},
    {{{"from", "orders"}, {"join", "regions", "inn\xc3r", "true"}}, "42601", 0, "join: the kind of a join is"},
    {{{"from", "orders"}, {"take", "-1"}}, "42601", 0, "take: "},
    {{{"from", "orders"}, {"copy_to", ""}}, "42601", 0, "copy_to: "},
    {{{"from", "orders"}, {"copy_to", "a.csv", "(HEADER"}}, "42601", 8, "copy_to: "},
    {{{"from", "orders"}, {"copy_to", "a.csv"}, {"take", "1"}}, "42601", 0, "take: copy_to is the last step"},
    {{{"from", "orders"}, {"skip", "-1"}}, "42601", 0, "skip: "},
    {{{"from", "orders"}, {"where", "a >"}, {"select", "b >"}, {"take", "-1"}},
     "42601",
     4,
     "where: "}, /* the first one */
};

static void test_errors(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct ArrowArrayStream rows;
        fl_err err = {0};
        char *plan = NULL;
        uint64_t hash = 0;
        fl_builder *q = build(f, wrong[i].steps);
        if (fl_builder_run(q, &rows, &err) == FL_OK)
            fail_msg("case %zu: no error, but %s was expected", i, wrong[i].part);
        bool has_part = strstr(err.message, wrong[i].part) != NULL || strstr(err.hint, wrong[i].part) != NULL;
        if (strcmp(err.sqlstate, wrong[i].sqlstate) != 0 || err.position != wrong[i].position || !has_part)
            fail_msg("case %zu: %s at %" PRId64 ": %s | %s; expected %s at %" PRId64 ": %s", i, err.sqlstate,
                     err.position, err.message, err.hint, wrong[i].sqlstate, wrong[i].position, wrong[i].part);
        bool is_known_before_it_runs = err.sqlstate[0] == '4' && strcmp(err.sqlstate, "42P02") != 0;
        if (is_known_before_it_runs) { /* then every call that ends a chain tells it */
            assert_int_not_equal(fl_builder_plan_hash(q, &hash, NULL), FL_OK);
            assert_int_not_equal(fl_builder_explain(q, &plan, NULL), FL_OK);
        }
        fl_builder_free(q);
    }
}

static void test_goes_on_after_a_run(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    char *plan = NULL;
    fl_builder *q = build(f, (step[STEPS_MAX]){{"from", "orders"},
                                               {"where", "amount > 100"},
                                               {"group_by", "region"},
                                               {"agg", "sum(amount) AS total"},
                                               {"order_by", "total DESC"},
                                               {"take", "3"}});
    assert_int_equal(fl_builder_explain(q, &plan, &err), FL_OK);
    assert_non_null(strstr(plan, "topk"));
    fl_text_free(plan);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(fl_builder_run(q, &rows, &err), FL_OK);
        assert_int_equal(count_rows(&rows), 3);
    }
    fl_builder_where(q, "total > 0"); /* behind the limit: filters its rows */
    fl_builder_agg(q, "count(*) AS n");
    fl_builder_where(q, "n = 3");
    assert_int_equal(fl_builder_run(q, &rows, &err), FL_OK);
    assert_int_equal(count_rows(&rows), 1);
    fl_builder_free(q);
}

/* The builder keeps no pointer into what it is given. */
static void test_texts_are_copied(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    char text[32];
    snprintf(text, sizeof(text), "regions");
    fl_builder *q = fl_query_from(f->session, text);
    snprintf(text, sizeof(text), "name <> 'r1'");
    fl_builder_where(q, text);
    memset(text, '(', sizeof(text) - 1);
    assert_int_equal(fl_builder_run(q, &rows, &err), FL_OK);
    assert_int_equal(count_rows(&rows), 2);
    fl_builder_free(q);
}

static void test_copies_to_a_file(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    const char *path = "builder_copy.csv";
    fl_builder *q = fl_query_from(f->session, "orders");
    fl_builder_copy_to(fl_builder_take(fl_builder_order_by(q, "id"), 3), path, "(FORMAT csv, DELIM ';')");
    assert_int_equal(fl_builder_run(q, &rows, &err), FL_OK);
    assert_int_equal(count_rows(&rows), 1);
    fl_builder_free(q);
    q = fl_query_from(f->session, path);
    assert_int_equal(fl_builder_run(q, &rows, &err), FL_OK);
    assert_int_equal(count_rows(&rows), 3);
    fl_builder_free(q);
    q = fl_query_from(f->session, "orders");
    fl_builder_copy_to(q, path, "(FORMAT no_such)");
    assert_int_equal(fl_builder_run(q, &rows, &err), FL_ERR_CONFIG);
    assert_string_equal(err.sqlstate, "22023");
    fl_builder_free(q);
    remove(path);
}

static void test_many_steps(void **state)
{
    fixture *f = *state;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    fl_builder *q = fl_query_from(f->session, "orders");
    for (int i = 0; i < 2000; i++)
        fl_builder_where(q, "id >= 0");
    assert_int_equal(fl_builder_run(q, &rows, &err), FL_OK);
    assert_int_equal(count_rows(&rows), 1000);
    for (int i = 0; i < 2000; i++)
        fl_builder_take(q, 10);
    assert_int_equal(fl_builder_run(q, &rows, &err), FL_ERR_LIMIT);
    fl_builder_free(q);
    q = fl_query_from(f->session, "orders");
    for (int i = 0; i < 2000; i++)
        fl_builder_join(q, "regions", "cross", NULL);
    assert_int_equal(fl_builder_run(q, &rows, &err), FL_ERR_LIMIT);
    fl_builder_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_as_sql, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_goes_on_after_a_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_texts_are_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copies_to_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_steps, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
