/* R17, R18, R28: statements of every kind, each made to fail at each of its allocations, calls of the system and looks at an interrupt
 * (test/faults.h). Those that spill are in fault_spill_test.c. */
#include "base/arena.h"
#include "base/fault.h"

#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GIVES(n_rows, text) {.sql = (text), .rows = (n_rows)}
#define VARIES(n_rows, text) {.sql = (text), .rows = (n_rows), .flags = FAULT_VARIES}
#define TELLS(n_rows, text) {.sql = (text), .rows = (n_rows), .flags = FAULT_TELLS}
#define AFTER(put_back, n_rows, text) {.sql = (text), .rows = (n_rows), .before = (put_back)}
#define RUN(function, n_rows, text) {.sql = (text), .rows = (n_rows), .run = (function)}

static const char *const tables[] = {
    "CREATE TABLE t AS SELECT range AS a, range % 4 AS b, 'a longer text, number ' || range AS s FROM range(12)",
    "CREATE TABLE m AS SELECT range AS i, (range * 1.25)::decimal(20, 3) AS d, date '2024-01-01' + range::integer AS "
    "t, "
    "[range, range + 1] AS l, {'x': range, 'y': 'text ' || range} AS st, CASE WHEN range % 3 > 0 THEN range * 0.5 END "
    "AS x "
    "FROM range(12)",
    "CREATE TABLE k (a bigint PRIMARY KEY, s text NOT NULL)",
    "INSERT INTO k SELECT range, 'text ' || range FROM range(12)",
    "CREATE VIEW v AS SELECT b, count(*) AS n, max(s) AS s FROM t GROUP BY b",
};

/* ---- queries ------------------------------------------------------------------------------------------------------------ */

static const fault_statement queries[] = {
    GIVES(1, "SELECT 1"),
    GIVES(8, "SELECT a, b FROM t WHERE a > 3 ORDER BY b DESC, a"),
    GIVES(3, "SELECT a, s FROM t ORDER BY s DESC LIMIT 3"),
    GIVES(3, "SELECT DISTINCT b FROM t ORDER BY 1 LIMIT 3 OFFSET 1"),
    GIVES(4, "SELECT DISTINCT ON (b) b, a, s FROM t ORDER BY b, a DESC"),
    GIVES(3, "VALUES (1, 'one'), (2, 'two'), (3, NULL)"),
    GIVES(4, "SELECT b, s FROM v ORDER BY n, b"),

    /* groups and aggregates */
    GIVES(4, "SELECT b, count(*), sum(a), min(s), avg(a) FROM t GROUP BY b"),
    GIVES(1, "SELECT count(DISTINCT s), string_agg(s, ',' ORDER BY a), sum(DISTINCT b) FROM t"),
    GIVES(4, "SELECT b, array_agg(s ORDER BY a DESC), string_agg(DISTINCT s, ';' ORDER BY s) FROM t GROUP BY b"),
    GIVES(4, "SELECT b, median(a), quantile_cont(a, [0.25, 0.75]), mode(s), var_pop(a) FROM t GROUP BY b HAVING "
             "count(*) > 2"),
    GIVES(4, "SELECT b, count(*) FILTER (WHERE a > 5), arg_max(s, a), bool_or(a = 3), bit_xor(a), bit_or(a::bit "
             "varying), bitstring_agg(a, 0, 20) FROM t GROUP BY b"),
    GIVES(
        12,
        "SELECT b, s, count(*), sum(a), min(s) FROM (SELECT a, b, s FROM t ORDER BY b, s LIMIT 99) AS t GROUP BY b, s"),
    GIVES(12,
          "SELECT (a, s), {'x': [a], 'y': s}, greatest([a], [b]), (a, b)::struct(p text, q text), array_agg((b, s)) "
          "FROM t GROUP BY a, b, s"),
    GIVES(12, "SELECT d, l, st, count(*) FROM m GROUP BY d, l, st"),

    /* joins */
    GIVES(12, "SELECT t.a, u.s FROM t JOIN t AS u ON t.a = u.b"),
    GIVES(15, "SELECT t.a, u.s FROM t LEFT JOIN t AS u ON t.a = u.b AND u.a < 7"),
    GIVES(16, "SELECT t.a, u.s FROM t RIGHT JOIN t AS u ON t.b = u.a AND t.s <> u.s"),
    GIVES(20, "SELECT t.a FROM t FULL JOIN t AS u ON t.a = u.b"),
    GIVES(4, "SELECT a, s FROM t SEMI JOIN m ON t.a = m.i AND m.d < 5"),
    GIVES(8, "SELECT a, s FROM t ANTI JOIN m ON t.a = m.i AND m.d < 5"),
    GIVES(12, "SELECT a, a IN (SELECT b FROM t) OR a = 7 FROM t"),
    GIVES(66, "SELECT t.a, u.s FROM t JOIN t AS u ON t.a < u.a"),
    GIVES(49, "SELECT t.a, u.s FROM t LEFT JOIN t AS u ON t.a * 2 < u.a + t.b AND t.s <> u.s"),
    GIVES(144, "SELECT t.a, u.b FROM t CROSS JOIN t AS u"),
    GIVES(
        12,
        "SELECT t.a, u.s FROM (SELECT a FROM t ORDER BY a LIMIT 99) AS t JOIN (SELECT b, s FROM t ORDER BY b LIMIT 99) "
        "AS u ON t.a = u.b"),
    GIVES(12, "SELECT t.a, u.s FROM (SELECT a, s FROM t ORDER BY s, a LIMIT 99) AS t LEFT JOIN (SELECT b, s FROM t "
              "ORDER BY s, "
              "b LIMIT 99) AS u ON t.s = u.s AND t.a = u.b AND u.b < 5"),
    GIVES(12, "SELECT t.a, k.s, m.d FROM t, k, m WHERE t.a = k.a AND k.a = m.i AND m.x IS DISTINCT FROM 3"),

    /* subqueries, what is shared, set operations */
    GIVES(4, "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.b = t.a)"),
    GIVES(12, "SELECT a, (SELECT max(u.a) FROM t u WHERE u.b = t.b) FROM t"),
    GIVES(12, "SELECT a, (SELECT string_agg(u.s, ',' ORDER BY u.a) FROM t u WHERE u.a < t.a AND u.b <> t.b) FROM t"),
    GIVES(8, "SELECT a FROM t WHERE a NOT IN (SELECT b FROM t)"),
    GIVES(1, "SELECT a FROM t WHERE a >= ALL (SELECT u.a FROM t AS u WHERE u.s <> t.s)"),
    GIVES(24, "SELECT t.a, u.e FROM t, LATERAL (SELECT unnest([t.a, t.b]) AS e) AS u"),
    GIVES(1, "SELECT min(COLUMNS('[ab]')) AS \"x_\\0\", count(*) FROM t"),
    GIVES(6, "SELECT * LIKE 's%' FROM t WHERE COLUMNS('[ab]') > 1"),
    GIVES(12, "PIVOT t ON b USING sum(a) AS n, count(*) AS c GROUP BY s"),
    GIVES(1, "PIVOT t ON s USING max(a), count(b)"),
    GIVES(24, "UNPIVOT t ON a, b INTO NAME n VALUE v"),
    GIVES(3, "SUMMARIZE t"),
    GIVES(12, "SELECT t.a, u.s FROM t ASOF LEFT JOIN t AS u ON t.b = u.b AND t.a > u.a"),
    GIVES(12, "SELECT t.a, u.s FROM t POSITIONAL JOIN t AS u"),
    GIVES(5, "SELECT a FROM t TABLESAMPLE BERNOULLI (100) USING SAMPLE 5 (reservoir, 3)"),
    GIVES(18, "SELECT a, x FROM t, generate_series(1, b) WITH ORDINALITY AS g(x, o)"),
    GIVES(3, "SELECT a FROM t ORDER BY b FETCH FIRST 2 ROWS WITH TIES"),
    GIVES(6, "SELECT a FROM t ORDER BY a LIMIT 50%"),
    GIVES(12, "SELECT a, a < ANY ([b, 5]), s LIKE ANY (string_split(s, ' ')) FROM t"),
    GIVES(24, "SELECT a FROM t UNION ALL BY NAME SELECT b, s FROM t"),
    GIVES(12, "SELECT a, (SELECT count(*) FROM m RIGHT JOIN (VALUES (t.a), (1)) AS v(x) ON m.i = v.x) FROM t"),
    GIVES(12, "SELECT a, (WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r WHERE n < t.b) SELECT sum(n) FROM "
              "r) FROM t"),
    GIVES(5, "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n % 4 + 1 FROM r) SEARCH DEPTH FIRST BY n SET o "
             "CYCLE n SET c USING p SELECT n, c FROM r ORDER BY o"),
    GIVES(4, "WITH RECURSIVE r(n, k, s) USING KEY (k) AS (SELECT 1, 0, 'x' UNION SELECT n + 1, n % 4, repeat(r.s, 2) "
             "FROM r, (SELECT count(*) AS c FROM recurring.r) AS q WHERE n < 6 AND c < 9) SELECT * FROM r"),
    GIVES(12,
          "WITH c AS (SELECT a, s, random() AS x FROM t) SELECT c.a, d.s FROM c, c AS d WHERE c.a = d.a AND c.x = d.x"),
    GIVES(12, "WITH c AS (SELECT a FROM t) SELECT * FROM c, c AS d WHERE c.a = d.a"),
    GIVES(4, "WITH c AS (SELECT b, sum(a) AS n FROM t GROUP BY b) SELECT c.b, d.n FROM c JOIN c AS d ON c.n = d.n "
             "ORDER BY 1"),
    GIVES(12,
          "SELECT row_number() OVER w, lag(s, 2, 'a longer text for none') OVER w, sum(a) OVER w, min(s) OVER w FROM t "
          "WINDOW w AS (PARTITION BY b ORDER BY s DESC)"),
    GIVES(12,
          "SELECT min(a) OVER (ORDER BY s ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW), "
          "count(DISTINCT s) OVER (ORDER BY a RANGE 3 PRECEDING), array_agg(s ORDER BY a DESC) OVER (PARTITION BY b), "
          "nth_value(s, 2 IGNORE NULLS) OVER () FROM t"),
    GIVES(8, "SELECT a FROM t QUALIFY row_number() OVER (PARTITION BY b ORDER BY s) <= 2"),
    GIVES(12, "SELECT a FROM t UNION SELECT b FROM t"),
    GIVES(24, "SELECT a, s FROM t UNION ALL SELECT b, upper(s) FROM t"),
    GIVES(4, "SELECT a FROM t INTERSECT ALL SELECT b FROM t"),
    GIVES(4, "SELECT b, b FROM t INTERSECT SELECT a, b FROM t"),
    GIVES(8, "SELECT b FROM t EXCEPT ALL SELECT a FROM t"),
    GIVES(8, "SELECT a, s FROM t EXCEPT SELECT a, s FROM t WHERE a < 4"),

    /* expressions */
    GIVES(12, "SELECT upper(s) || '!', s LIKE '%1%', a::text, date '2024-01-01' + a::integer FROM t"),
    GIVES(12,
          "SELECT regexp_replace(s, '[aeiou]+', '_'), s ~ 'number .$', s SIMILAR TO '%(1|2)', split_part(s, ',', 2), "
          "md5(s), levenshtein(s, 'text') FROM t"),
    GIVES(12,
          "SELECT lpad(s, 40, '-'), replace(s, 'text', 'TEXT'), concat_ws('/', a, b, s), s ILIKE '%NUMBER 1_' FROM t"),
    GIVES(12, "SELECT CASE WHEN a > 5 THEN a * 1.5 ELSE -a END, coalesce(nullif(b, 2), a) FROM t"),
    GIVES(12,
          "SELECT d * d, d / 3, round(d, 1), d::text::decimal(10, 1), (d + 0.00001)::double, sum(d) FROM m GROUP BY d"),
    GIVES(12, "SELECT l || [i], l[1:1], list_sort(l, 'DESC'), l @> [i], flatten([l, l]), array_to_string(l, '-'), "
              "st.y, l::text, st::text FROM m"),
    GIVES(12,
          "SELECT '[1, 2, NULL]'::bigint[], '{1,2}'::text[], string_to_array(i::text || ',x', ','), [i, 1] < l FROM m"),
    GIVES(12,
          "SELECT make_interval(days => 3, secs => a::double), to_char(timestamp '2024-05-06 07:08:09', 'Month YYYY'), "
          "('10:00+02'::timetz + interval '1 hour') AT TIME ZONE 'Asia/Tokyo', to_char(interval '1 day', 'DD HH24'), "
          "to_number(a::text || '-', '9G999S'), to_char(a, '9.99EEEE'), to_char(a, 'RN') FROM t"),
    GIVES(12, "SELECT jsonb_path_query_array('{\"a\": [1, {\"b\": \"x\"}]}', '$.a[*] ? (@.b like_regex \"x\" || @ > "
              "$y).type()', "
              "'{\"y\": 0}'), '[\"2020-01-01\"]' @? ('$[' || (a % 2)::text || '].datetime()') FROM t"),
    GIVES(12,
          "SELECT json_transform('{\"a\": [1, \"x\"], \"b\": {\"c\": ' || a || '}}', '{\"a\": [\"INTEGER\"], \"b\": "
          "{\"c\": \"DECIMAL(9, 2)\"}}') FROM t"),
    GIVES(12, "SELECT date_trunc('month', t), extract(dow FROM t), strftime(t, '%Y %j'), t + interval '1 month', "
              "age(t, date '2020-02-29') FROM m"),
    GIVES(24, "SELECT i, unnest(l) AS e FROM m"),
    GIVES(12, "SELECT TRY_CAST(s AS integer), TRY_CAST(a::text AS decimal(3, 1)), ARRAY(SELECT u.a FROM t AS u WHERE "
              "u.b = t.b "
              "ORDER BY 1) FROM t"),

    /* types over others */
    GIVES(12, "SELECT MAP {s: a}, map_concat(MAP {a: s}, MAP {b: 'x'})[a], map_keys(MAP {s: l}), "
              "('{' || s[1:1] || '=' || a || '}')::map(text, bigint)::text FROM t JOIN m ON a = i"),
    GIVES(12, "SELECT to_json(st)::struct(x bigint, y text), to_json(l)::bigint[], to_json(st)::map(text, json), "
              "to_json(MAP {i: l})::map(bigint, bigint[]), (to_json(st) - 'x') || to_json(l), to_json(st) #>> '{y}' "
              "FROM m"),
    GIVES(24, "SELECT i, e.key, e.value, e.fullkey FROM m, json_each(to_json(st)) AS e"),
    GIVES(24, "SELECT i, json_array_elements(to_json(l)) FROM m"),
    GIVES(12,
          "SELECT md5(s)::uuid, (a % 2)::text::enum('0', '1'), a::bit, '10:00+02'::timetz, count(*) FROM t GROUP BY "
          "ALL"),

    /* what is told of plans, tables and settings */
    TELLS(1, "EXPLAIN SELECT a FROM t WHERE a > 3"),
    VARIES(2, "EXPLAIN ANALYZE SELECT b, count(*) FROM t GROUP BY b"),
    TELLS(1, "EXPLAIN (FORMAT json, MEMO, WHY NOT choose_build_side) SELECT a FROM t"),
    TELLS(
        35,
        "EXPLAIN (WHY, MEMO, COSTS, PROPERTIES, WHY NOT choose_build_side) SELECT t.a FROM t JOIN t AS u ON t.a = u.b "
        "WHERE t.a > 3"),
    GIVES(3, "DESCRIBE t"),
    GIVES(2, "DESCRIBE SELECT l, st FROM m"),
    GIVES(4, "SHOW TABLES"),
    GIVES(1, "SHOW threads"),
};

/* ---- files -------------------------------------------------------------------------------------------------------------- */

#define CODEC(name)                                                                                                    \
    GIVES(1, "SELECT count(*), sum(id), min(word), max(word), sum(real), bool_and(flag) FROM 'test/data/parquet/" name \
             ".parquet' WHERE small <> 3")

static const fault_statement files[] = {
    CODEC("codec_none"),
    CODEC("codec_snappy"),
    CODEC("codec_gzip"),
    CODEC("codec_brotli"),
    CODEC("codec_zstd"),
    CODEC("codec_lz4"),
    CODEC("delta"),
    CODEC("delta_length"),
    CODEC("byte_stream_split"),
    CODEC("v2_zstd"),
    CODEC("dictionary_fallback"),
    CODEC("row_groups"),
    GIVES(4, "FROM 'test/data/parquet/nested.parquet'"),
    GIVES(8, "FROM 'test/data/parquet/variant_shredded.parquet'"),
    GIVES(29, "FROM 'test/data/parquet/variant_types.parquet'"),
    GIVES(3, "FROM 'test/data/parquet/types.parquet'"),
    GIVES(6, "FROM 'test/data/parquet/part_*.parquet' ORDER BY 1"),
    GIVES(1, "SELECT count(*), min(a.word) FROM 'test/data/parquet/row_groups.parquet' AS a JOIN "
             "'test/data/parquet/codec_zstd.parquet' AS b ON a.id = b.id WHERE b.id BETWEEN 100 AND 200"),
    GIVES(4, "SELECT *, born + 1 FROM 'test/data/csv/people.csv'"),
    GIVES(3, "SELECT * FROM read_csv('test/data/csv/types.csv', header = true, nullstr = 'NA', all_varchar = true)"),
    GIVES(2, "FROM 'test/data/csv/quoted_newline.csv'"),
    GIVES(4, "FROM 'test/data/csv/people.csv.gz'"),
    GIVES(4, "FROM 'test/data/csv/people.csv.zst'"),
    GIVES(2, "FROM read_csv('test/data/csv/utf16.csv', types = {'note': 'text'}, nullstr = ['a', 'b'])"),
    GIVES(5, "FROM 'test/data/hive/csv/*/*/*.csv'"),
    GIVES(3, "SELECT * FROM read_csv(['test/data/csv/by_name_1.csv', 'test/data/csv/by_name_3.csv'], union_by_name = "
             "true, filename = true)"),
    GIVES(3, "FROM 'test/data/json/people.ndjson'"),
    GIVES(3, "SELECT name, tags[1], home.city FROM 'test/data/json/people.json'"),
    GIVES(2, "FROM 'test/data/json/escapes.ndjson'"),
    GIVES(5, "DESCRIBE FROM 'test/data/parquet/codec_gzip.parquet'"),
};

/* ---- statements that change something ------------------------------------------------------------------------------------ */

static const fault_statement changes[] = {
    AFTER(NULL, 0, "CREATE OR REPLACE TABLE copied AS SELECT * FROM t ORDER BY s DESC"),
    AFTER(NULL, 0, "CREATE OR REPLACE TABLE copied AS FROM 'test/data/parquet/nested.parquet'"),
    AFTER(NULL, 0, "CREATE OR REPLACE TABLE made (a bigint PRIMARY KEY, s text DEFAULT 'none', UNIQUE (s, a))"),
    AFTER(NULL, 0, "CREATE OR REPLACE VIEW seen AS SELECT a, count(*) AS n FROM t GROUP BY a"),
    AFTER("CREATE OR REPLACE TABLE an AS SELECT a, a % 3 AS b, s FROM t", 0, "ANALYZE an"),
    AFTER("CREATE OR REPLACE TABLE an AS SELECT a, a % 3 AS b, s FROM t", 0, "CREATE UNIQUE INDEX an_key ON an (a, s)"),
    AFTER("CREATE OR REPLACE TABLE an AS SELECT a FROM t", 0, "DROP TABLE an"),
    AFTER("DEALLOCATE ALL", 0, "PREPARE p (bigint, text) AS SELECT a, s FROM t WHERE a > $1 AND s <> $2"),
    AFTER("DEALLOCATE ALL", 7, "PREPARE p AS SELECT a, s FROM t WHERE a > $1 AND s LIKE $2; EXECUTE p (4, 'a%')"),
    AFTER("DEALLOCATE ALL; CREATE OR REPLACE TABLE an (a bigint PRIMARY KEY, s text)", 0,
          "PREPARE p (bigint, text) AS INSERT INTO an VALUES ($1, $2); EXECUTE p (4, 'a'); DEALLOCATE p"),
    AFTER("RESET ALL", 0,
          "SET memory_limit = '100MB'; SET disabled_rules = 'push_filter,order_joins'; RESET vector_size"),
    AFTER("RESET ALL", 4, "SET optimizer = 'none'; SELECT b, max(s) FROM t WHERE a > 2 GROUP BY b"),
};

/* A table of two segments, of which the first has a deleted row, with the index of its key. */
#define TABLE                                                                                                      \
    "CREATE OR REPLACE TABLE w (a bigint PRIMARY KEY, b bigint NOT NULL, s text, l bigint[]); "                    \
    "INSERT INTO w SELECT range, range % 12, 'a longer text, number ' || range % 9, [range, 1] FROM range(2090); " \
    "INSERT INTO w SELECT range, range % 12, 'x', [range, 1] FROM range(9000, 9040); "                             \
    "DELETE FROM w WHERE a > 600 AND a < 1000 AND a % 7 = 0"

#define CHANGES(text) \
    {.sql = (text),   \
     .before = TABLE, \
     .check = "SELECT sum(a * 31 + b * 7 + coalesce(length(s), 5) * 3 + len(l)), count(*), count(s) FROM w"}

/* All of it or nothing. */
static const fault_statement row_changes[] = {
    CHANGES("UPDATE w SET a = a + 20000, s = s || '!' WHERE b = 2"),
    CHANGES("UPDATE w SET s = NULL, l = [a] WHERE a = (SELECT max(a) FROM w)"),
    CHANGES("UPDATE w SET b = t.b FROM t WHERE t.a = w.a"),
    CHANGES("DELETE FROM w WHERE b = 1"),
    CHANGES("DELETE FROM w WHERE a % 3 = 0"),
    CHANGES("DELETE FROM w USING t WHERE t.a = w.b"),
    CHANGES("INSERT INTO w SELECT a + 20000, b, s, l FROM w WHERE b = 0"),
    CHANGES("INSERT INTO w VALUES (-1, 2, 'three', [4]), (-2, 3, NULL, NULL)"),
    CHANGES("TRUNCATE w"),
    CHANGES("INSERT INTO w SELECT a * 2, b, s, l FROM w WHERE b = 0 ON CONFLICT DO NOTHING"),
    CHANGES("INSERT INTO w AS o SELECT a * 2, b, 'again', l FROM w WHERE b = 0 ON CONFLICT (a) DO UPDATE SET s = "
            "excluded.s || "
            "o.s, b = o.b + 1 WHERE o.b < 7"),
    CHANGES(
        "MERGE INTO w USING t ON w.a = t.a * 100 WHEN MATCHED AND t.a < 4 THEN DELETE WHEN MATCHED THEN UPDATE SET s = "
        "t.s, l = [t.b] WHEN NOT MATCHED THEN INSERT (a, b) VALUES (-t.a, t.b)"),
    CHANGES(
        "WITH d AS (DELETE FROM w WHERE b = 3 RETURNING a, b, s, l) INSERT INTO w SELECT a + 50000, b, s, l FROM d"),
};

/* Tables that refer to each other, with rules and a sequence. */
#define FAMILY                                                                                                    \
    "DROP TABLE IF EXISTS fc CASCADE; DROP TABLE IF EXISTS fp CASCADE; DROP TABLE IF EXISTS fp2; "                \
    "CREATE TABLE fp (k bigint PRIMARY KEY, v text CHECK (length(v) < 90), g bigint GENERATED ALWAYS AS (k * 2) " \
    "STORED, n bigint DEFAULT 4); INSERT INTO fp (k, v) SELECT range, 'a longer text, number ' || range FROM "    \
    "range(40); "                                                                                                 \
    "CREATE TABLE fc (p bigint REFERENCES fp ON DELETE CASCADE ON UPDATE CASCADE, u text); "                      \
    "INSERT INTO fc SELECT range % 40, 'a longer text for ' || range FROM range(100)"

#define RULED(row_count, text) {.sql = (text), .rows = (row_count), .before = FAMILY}
#define RULED_CHANGES(row_count, text)                                                                                 \
    {.sql = (text),                                                                                                    \
     .rows = (row_count),                                                                                              \
     .before = FAMILY,                                                                                                 \
     .check = "SELECT sum(k), count(*), sum(g), sum(n), max(v), (SELECT count(p) FROM fc), (SELECT count(*) FROM fc) " \
              "FROM fp"}

static const fault_statement ruled[] = {
    RULED_CHANGES(2,
                  "INSERT INTO fp (k, v) VALUES (100, 'a new one of these texts'), (101, NULL) RETURNING k, v, g + n"),
    RULED_CHANGES(3, "UPDATE fp SET v = v || '!', n = k FROM t WHERE t.a = fp.k AND t.a < 3 RETURNING fp.*, t.s"),
    RULED_CHANGES(0, "UPDATE fp SET k = k + 1000 WHERE k < 9"),
    RULED_CHANGES(5, "DELETE FROM fp WHERE k < 5 RETURNING v"),
    RULED_CHANGES(0, "INSERT INTO fc SELECT k, v FROM fp"),
    RULED_CHANGES(0, "ALTER TABLE fp ADD COLUMN m text DEFAULT 'another longer text, here', ADD CHECK (m <> v)"),
    RULED_CHANGES(
        0,
        "ALTER TABLE fp ADD UNIQUE (v), ALTER n TYPE double USING n + 0, ALTER v SET NOT NULL, ALTER n SET DEFAULT 5"),
    RULED(0, "ALTER TABLE fp DROP COLUMN v, DROP COLUMN g"),
    RULED(0, "ALTER TABLE fp RENAME COLUMN k TO kk"),
    RULED(0, "ALTER TABLE fp RENAME TO fp2"),
    RULED(0, "ALTER TABLE fc DROP CONSTRAINT fc_p_fkey"),
    RULED(0, "DROP TABLE fp CASCADE"),
    AFTER("DROP TABLE IF EXISTS counted; DROP SEQUENCE IF EXISTS sq", 0,
          "CREATE SEQUENCE sq START 5; CREATE TABLE counted (i serial, j integer GENERATED ALWAYS AS IDENTITY, x "
          "bigint DEFAULT "
          "nextval('sq')); INSERT INTO counted DEFAULT VALUES; DROP TABLE counted; DROP SEQUENCE sq"),
};

/* ---- calls of the library ------------------------------------------------------------------------------------------------ */

/* A query by builder, from its first step to its rows. */
static fl_status run_builder(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    struct ArrowArrayStream rows = {0};
    fl_builder *q = fl_query_from(f->session, "t");
    fl_builder_where(fl_builder_join(q, "t u", "left", "t.a = u.b"), "t.a > 1 AND t.s <> ''");
    fl_builder_where(fl_builder_agg(fl_builder_group_by(q, "t.b AS k"), "count(*) AS n"), "n > 0");
    fl_builder_skip(fl_builder_take(fl_builder_order_by(q, "n DESC, k"), 3), 1);
    fl_status st = fl_builder_run(q, &rows, err);
    if (st == FL_OK)
        st = fault_read(&rows, 0, ret, err);
    fl_builder_free(q);
    return st;
}

static fl_status run_explain(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    char *text = NULL;
    uint64_t hash = 0;
    fl_builder *q = fl_builder_select(fl_query_from(f->session, "t"), "a, upper(s) AS s");
    fl_status st = fl_builder_explain(q, &text, err);
    if (st == FL_OK)
        st = fl_builder_plan_hash(q, &hash, err);
    *ret = (fault_answer){.sum = hash};
    fl_text_free(text);
    fl_builder_free(q);
    return st;
}

static fl_status run_prepared(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    struct ArrowArrayStream rows = {0};
    fl_statement *prepared = NULL;
    fl_status st = fl_session_prepare(f->session, statement->sql, strlen(statement->sql), &prepared, err);
    if (st == FL_OK)
        st = fl_statement_bind_int64(prepared, 1, 4, err);
    if (st == FL_OK)
        st = fl_statement_bind_text(prepared, 2, "a longer text, number 7", 23, err);
    for (int32_t i = 0; i < 2 && st == FL_OK; i++) {
        st = fl_statement_execute(prepared, &rows, err);
        if (st == FL_OK)
            st = fault_read(&rows, 0, ret, err);
    }
    fl_statement_close(prepared);
    return st;
}

/* Rows of a stream of another's become a table, which is read and goes. */
static fl_status run_registered(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    static const fault_statement read = {.sql = "SELECT i, d, t, l, st, x FROM registered WHERE i <> 3"};
    struct ArrowArrayStream rows = {0};
    fl_status st = fl_session_query(f->session, statement->sql, &rows, err);
    if (st == FL_OK)
        st = fl_session_register(f->session, "registered", &rows, true, err);
    return st == FL_OK ? fault_query(f, &read, ret, err) : st;
}

/* Reads a stream in part, another one behind it, and lets go of both. */
static fl_status run_half(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    struct ArrowArrayStream first = {0}, second = {0};
    fault_answer answer;
    fl_status st = fl_session_query(f->session, statement->sql, &first, err);
    if (st != FL_OK)
        return st;
    st = fl_session_query(f->session, "SHOW queries", &second, err);
    if (st == FL_OK)
        st = fault_read(&second, 0, &answer, err);
    fl_status first_st = fault_read(&first, 1, ret, st == FL_OK ? err : NULL);
    return st == FL_OK ? first_st : st;
}

/* Another session's stream is stopped, which it says when it is read. */
static fl_status run_kill(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    struct ArrowArrayStream rows = {0};
    fl_session *other = NULL;
    fault_answer answer;
    char text[64] = "KILL 0";
    fl_status st = fl_session_open(f->engine, &other, err);
    if (st != FL_OK)
        return st;
    st = fl_session_query(other, statement->sql, &rows, err);
    if (st == FL_OK) {
        pthread_mutex_lock(&f->engine->lock);
        if (f->engine->running != NULL)
            snprintf(text, sizeof(text), "KILL %lld", (long long)f->engine->running->id);
        pthread_mutex_unlock(&f->engine->lock);
        fault_statement kill = {.sql = text};
        st = fault_query(f, &kill, &answer, err);
        fl_err stopped = {0};
        fl_status read = fault_read(&rows, st == FL_OK ? 0 : 1, &answer, &stopped);
        if (st == FL_OK && read != FL_ERR_CANCELLED) {
            st = read;
            *err = stopped;
        }
    }
    fl_session_close(other);
    *ret = (fault_answer){0};
    return st;
}

static const fault_statement calls[] = {
    RUN(run_builder, 2, "a query by builder"),
    RUN(run_explain, 0, "a builder's plan and hash"),
    RUN(run_prepared, 6, "SELECT a, s FROM t WHERE a > $1 AND s <> $2"),
    {.sql = "SELECT * FROM m", .rows = 11, .run = run_registered, .before = "DROP TABLE IF EXISTS registered"},
    RUN(run_half, 2048, "SELECT range, range % 7 FROM range(1000000)"),
    RUN(run_half, 250, "FROM 'test/data/parquet/row_groups.parquet'"),
    RUN(run_kill, 0, "SELECT range FROM range(3000000)"),
};

/* Partitions that are large where batches have two rows. */
#define MANY "(SELECT a, a % 9 AS b, 'a longer text, number ' || a AS s FROM range(80) AS r(a)) AS q"
static const fault_statement large_partitions[] = {
    GIVES(80,
          "SELECT dense_rank() OVER w, max(a) OVER (w ROWS 3 PRECEDING), sum(a) OVER w, lag(s IGNORE NULLS) OVER w, "
          "min(a) OVER (w ROWS 3 PRECEDING EXCLUDE CURRENT ROW) FROM " MANY " WINDOW w AS (ORDER BY b)"),
    GIVES(80, "SELECT count(DISTINCT b) OVER (ORDER BY s ROWS 2 PRECEDING), array_agg(s ORDER BY b) OVER (ORDER BY s "
              "ROWS 1 PRECEDING), max(s) OVER (ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) "
              "FROM " MANY),
};

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

static fl_status open_and_close(const fl_system *system, fl_err *err)
{
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    fl_status st = fl_engine_open_on(system, NULL, &engine, err);
    if (st == FL_OK)
        st = fl_session_open(engine, &session, err);
    fl_session_close(session);
    fl_engine_close(engine);
    return st;
}

static void test_opening(void **state)
{
    (void)state;
    owned_system owned;
    fl_err err = {0};
    fl_status st = FL_ERR_MEMORY;
    owned_system_init(&owned);
    for (int64_t n = 1; st != FL_OK; n++) {
        fl_fault_arm(FL_FAULT_ALLOC, n);
        st = open_and_close(&owned.system, &err);
        assert_true(st == (fl_fault_is_armed(FL_FAULT_ALLOC) ? FL_OK : FL_ERR_MEMORY));
        fl_fault_arm(FL_FAULT_ALLOC, 0);
    }
}

/* ---- all of them -------------------------------------------------------------------------------------------------------- */

#define TRY(f, list) faults_try(f, list, sizeof(list) / sizeof(list[0]))

/* Where each object is a chunk of its own there are ten times as many to fail, and each try takes longer. */
#define TRIES_MAX (FL_ARENA_IS_EXACT ? 200 : INT64_MAX)

static void test_statements(void **state)
{
    (void)state;
    static faults f;
    faults_open(&f, tables, sizeof(tables) / sizeof(tables[0]));
    f.right_every = 4;
    f.tries_max = TRIES_MAX;
    TRY(&f, queries);
    TRY(&f, files);
    TRY(&f, changes);
    TRY(&f, row_changes);
    TRY(&f, ruled);
    TRY(&f, calls);
    faults_run(&f, "SET vector_size = 2");
    TRY(&f, large_partitions);
    assert_true(f.n_statements >= 100);
    faults_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_opening), cmocka_unit_test(test_statements)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
