/* Plans are frozen: what was chosen is copied out into one block, which many sessions run at once, and gives each the same rows as
 * the plan that it was chosen in. The block lies on pages of its own that cannot be written meanwhile, so whoever tries crashes.
 *
 * The program is linked with --wrap for malloc, realloc and free: that gives the copy its pages, and shows that it is one block. */
#include "base/fault.h"
#include "engine/internal.h"
#include "front/sql/sql.h"
#include "plan/explain.h"
#include "plan/plan_copy.h"
#include "plan/plan_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#define THREADS 8
#define RUNS 4

static const char *const statements[] = {
    "SELECT a, s FROM t WHERE a % 3 = 1 AND s LIKE '%7%'",
    "SELECT b, count(*), sum(a), min(s), count(DISTINCT s) FROM t GROUP BY b ORDER BY b",
    "SELECT t.a, u.s FROM t JOIN u ON t.b = u.b WHERE u.s <> 'x' AND t.a < 100",
    "SELECT t.a, u.s FROM t LEFT JOIN u ON t.a = u.b ORDER BY t.a DESC LIMIT 7",
    "SELECT a FROM t WHERE a IN (SELECT b FROM u) OR a NOT IN (SELECT b + 1 FROM u)",
    "SELECT a, (SELECT max(u.s) FROM u WHERE u.b = t.b) FROM t WHERE a < 50",
    "SELECT a FROM t UNION SELECT b FROM u",
    "WITH c AS MATERIALIZED (SELECT b, count(*) AS n FROM t GROUP BY b) SELECT x.n FROM c AS x JOIN c AS y ON x.b = "
    "y.b",
    "SELECT x FROM u, unnest([b, b + 1]) AS l(x) WHERE x <> 1",
};

/* What the questions of TPC-H are asked of: few rows, of the types that they have there. */
static const char *const tables[] = {
    "CREATE TABLE region AS SELECT i AS r_regionkey, ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'][i + 1] AS "
    "r_name, 'none' AS r_comment FROM range(5) AS r(i)",
    "CREATE TABLE nation AS SELECT i AS n_nationkey, ['BRAZIL', 'FRANCE', 'GERMANY', 'CANADA', 'SAUDI ARABIA'][i % 5 + "
    "1] AS n_name, i % 5 AS n_regionkey, 'none' AS n_comment FROM range(25) AS r(i)",
    "CREATE TABLE supplier AS SELECT i AS s_suppkey, 'Supplier ' || i AS s_name, 'street' AS s_address, i % 25 AS "
    "s_nationkey, '13-' || i AS s_phone, (i * 7)::decimal(15,2) AS s_acctbal, 'none' AS s_comment FROM range(40) AS "
    "r(i)",
    "CREATE TABLE customer AS SELECT i AS c_custkey, 'Customer ' || i AS c_name, 'street' AS c_address, i % 25 AS "
    "c_nationkey, '13-' || i AS c_phone, (i * 3)::decimal(15,2) AS c_acctbal, 'BUILDING' AS c_mktsegment, 'none' AS "
    "c_comment FROM range(60) AS r(i)",
    "CREATE TABLE part AS SELECT i AS p_partkey, 'forest green ' || i AS p_name, 'Manufacturer#1' AS p_mfgr, 'Brand#' "
    "|| (10 + i % 20) AS p_brand, 'ECONOMY ANODIZED STEEL' AS p_type, i % 50 + 1 AS p_size, 'MED BOX' AS p_container, "
    "i::decimal(15,2) AS p_retailprice, 'none' AS p_comment FROM range(80) AS r(i)",
    "CREATE TABLE partsupp AS SELECT i % 80 AS ps_partkey, i % 40 AS ps_suppkey, i AS ps_availqty, "
    "(i % 9)::decimal(15,2) AS ps_supplycost, 'none' AS ps_comment FROM range(160) AS r(i)",
    "CREATE TABLE orders AS SELECT i AS o_orderkey, i % 60 AS o_custkey, 'F' AS o_orderstatus, i::decimal(15,2) AS "
    "o_totalprice, date '1993-01-01' + (i * 7 % 1800)::integer AS o_orderdate, '1-URGENT' AS o_orderpriority, 'Clerk' "
    "AS o_clerk, 0 AS o_shippriority, 'none' AS o_comment FROM range(300) AS r(i)",
    "CREATE TABLE lineitem AS SELECT i % 300 AS l_orderkey, i % 80 AS l_partkey, i % 40 AS l_suppkey, i % 7 AS "
    "l_linenumber, (i % 50)::decimal(15,2) AS l_quantity, i::decimal(15,2) AS l_extendedprice, 0.05::decimal(15,2) AS "
    "l_discount, 0.02::decimal(15,2) AS l_tax, ['R', 'A', 'N'][i % 3 + 1] AS l_returnflag, 'O' AS l_linestatus, date "
    "'1993-02-01' + (i * 11 % 1800)::integer AS l_shipdate, date '1993-03-01' + (i * 11 % 1800)::integer AS "
    "l_commitdate, date '1993-03-15' + (i * 11 % 1800)::integer AS l_receiptdate, 'DELIVER IN PERSON' AS "
    "l_shipinstruct, ['AIR', 'MAIL', 'SHIP'][i % 3 + 1] AS l_shipmode, 'none' AS l_comment FROM range(1200) AS r(i)",
};

/* ---- blocks on pages of their own ---- */

#define PAGE 4096
#define BLOCKS_MAX 256

typedef struct block {
    char *start;
    size_t asked;
} block;

static block blocks[BLOCKS_MAX];    /* that are taken */
static _Thread_local bool is_paged; /* all that this thread takes now is */

void *__real_malloc(size_t bytes);
void *__real_realloc(void *at, size_t bytes);
void __real_free(void *at);
void *__wrap_malloc(size_t bytes);
void *__wrap_realloc(void *at, size_t bytes);
void __wrap_free(void *at);

static size_t on_pages(size_t bytes)
{
    return (bytes + PAGE - 1) & ~(size_t)(PAGE - 1);
}

void *__wrap_malloc(size_t bytes)
{
    block *free_one = blocks;
    if (!is_paged)
        return __real_malloc(bytes);
    while (free_one->start != NULL)
        assert_true(++free_one < blocks + BLOCKS_MAX);
    void *start = mmap(NULL, on_pages(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(start != MAP_FAILED);
    *free_one = (block){start, bytes};
    return start;
}

void __wrap_free(void *at)
{
    for (block *b = blocks; at != NULL && b < blocks + BLOCKS_MAX; b++)
        if (b->start == at) {
            assert_int_equal(munmap(at, on_pages(b->asked)), 0);
            *b = (block){0};
            return;
        }
    __real_free(at);
}

void *__wrap_realloc(void *at, size_t bytes)
{
    for (const block *b = blocks; at != NULL && b < blocks + BLOCKS_MAX; b++)
        if (b->start == at) {
            void *grown = __wrap_malloc(bytes);
            memcpy(grown, at, b->asked < bytes ? b->asked : bytes);
            __wrap_free(at);
            return grown;
        }
    return __real_realloc(at, bytes);
}

/* The one block that is taken. */
static const block *only_block(void)
{
    const block *ret = NULL;
    for (const block *b = blocks; b < blocks + BLOCKS_MAX; b++)
        if (b->start != NULL) {
            assert_null(ret);
            ret = b;
        }
    return ret;
}

/* ---- running ---- */

typedef struct fixture {
    fl_engine *engine;
    fl_session *sessions[THREADS];
    const fl_query *query;
    _Atomic int64_t rows[THREADS * RUNS];
    _Atomic int32_t failures;
} fixture;

typedef struct runner {
    fixture *f;
    int32_t number;
} runner;

static int64_t count_rows(const fl_rows *rows)
{
    int64_t n = 0;
    for (int64_t i = 0; i < rows->n_segments; i++)
        n += rows->segments[i]->rows;
    return n;
}

static void *run(void *ctx)
{
    runner *r = ctx;
    fl_session *session = r->f->sessions[r->number];
    for (int32_t i = 0; i < RUNS; i++) {
        fl_rows rows = {0};
        fl_err err = {0};
        int64_t started_ns = fl_session_begin(session);
        fl_status st = fl_session_run_plan(session, r->f->query, NULL, 0, FL_SEGMENT_RESULT, &r->f->engine->memory,
                                           &rows, NULL, &err);
        if (st != FL_OK)
            r->f->failures++;
        else
            r->f->rows[r->number * RUNS + i] = count_rows(&rows);
        fl_rows_drop(&rows);
        (void)fl_session_end(session, started_ns, st, &err);
    }
    return NULL;
}

static void run_sql(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    fl_err err = {0};
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    rows.release(&rows);
}

static void run_in_threads(fixture *f)
{
    pthread_t threads[THREADS];
    runner runners[THREADS];
    for (int32_t i = 0; i < THREADS; i++) {
        runners[i] = (runner){f, i};
        assert_int_equal(pthread_create(&threads[i], NULL, run, &runners[i]), 0);
    }
    for (int32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(f->failures, 0);
    for (int32_t i = 0; i < THREADS * RUNS; i++)
        assert_int_equal(f->rows[i], f->rows[0]);
}

static void assert_same(const fl_query *query, const fl_query *copy)
{
    fl_err err = {0};
    fl_text texts[2];
    for (int32_t literals = 0; literals < 2; literals++) {
        uint64_t hashes[2] = {0};
        bool is_equal = false;
        assert_int_equal(fl_plan_hash(query, literals, &hashes[0], &err), FL_OK);
        assert_int_equal(fl_plan_hash(copy, literals, &hashes[1], &err), FL_OK);
        assert_int_equal(fl_plan_is_equal(query, copy, literals, &is_equal, &err), FL_OK);
        assert_true(is_equal && hashes[0] == hashes[1]);
    }
    for (int32_t i = 0; i < 2; i++) {
        fl_explain explain = {.query = i == 0 ? query : copy};
        fl_text_init(&texts[i], NULL);
        fl_explain_text(&texts[i], &explain);
        fl_explain_json(&texts[i], &explain);
    }
    assert_string_equal(texts[0].data, texts[1].data);
    fl_text_drop(&texts[0]);
    fl_text_drop(&texts[1]);
    assert_int_equal(copy->n_outputs, query->n_outputs);
    for (int32_t i = 0; i < copy->n_outputs; i++)
        assert_true(fl_str_is_equal(copy->names[i], query->names[i]));
}

/* Each allocation of the copy fails in turn: nothing is left of it. */
static void copy_without_memory(const fl_query *query)
{
    fl_memory memory;
    fl_query copy = {0};
    fl_err err = {0};
    fl_memory_init(&memory, NULL, "test", 0);
    for (int64_t n = 1;; n++) {
        fl_fault_arm(FL_FAULT_ALLOC, n);
        fl_status st = fl_query_copy(query, &memory, &copy, &err);
        bool is_untouched = fl_fault_is_armed(FL_FAULT_ALLOC);
        fl_fault_arm(FL_FAULT_ALLOC, 0);
        if (is_untouched) {
            assert_int_equal(st, FL_OK);
            break;
        }
        assert_int_equal(st, FL_ERR_MEMORY);
        assert_int_equal(memory.used_bytes, 0);
        assert_null(copy.plan);
    }
    fl_plan_unref(copy.plan);
    assert_int_equal(memory.used_bytes, 0);
}

static void check(fixture *f, const char *sql, bool has_rows)
{
    fl_arena arena;
    fl_sql_parser parser = {0};
    fl_sql_bound bound = {0};
    fl_ast_statement *ast = NULL;
    fl_memory memory;
    fl_query copy;
    fl_err err = {0};
    fl_session *first = f->sessions[0];
    int64_t started_ns = fl_session_begin(first);
    fl_arena_init(&arena, &f->engine->memory);
    fl_memory_init(&memory, NULL, "test", 0);
    assert_int_equal(fl_sql_parser_init(&parser, &f->engine->memory, fl_str_of(sql), &err), FL_OK);
    assert_int_equal(fl_sql_parser_next(&parser, &arena, &ast, &err), FL_OK);
    if (fl_session_bind_only(first, &arena, fl_str_of(sql), ast, &bound, &err) != FL_OK ||
        fl_session_optimize_open(first, &bound.query, NULL, 0, NULL, &err) != FL_OK)
        fail_msg("%s: %s", sql, err.message);
    (void)fl_session_end(first, started_ns, FL_OK, &err);
    copy_without_memory(&bound.query);
    is_paged = true;
    fl_status st = fl_query_copy(&bound.query, &memory, &copy, &err);
    is_paged = false;
    assert_int_equal(st, FL_OK);
    const block *pages =
        only_block(); /* with a header of the allocator's and the bytes that are charged, nothing else */
    assert_int_equal((int64_t)pages->asked, memory.used_bytes + 16);
    assert_ptr_equal(pages->start + 16, copy.plan);
    assert_same(&bound.query, &copy);
    f->query = &bound.query;
    run(&(runner){f, 0});
    int64_t rows = f->rows[0];
    assert_true(rows > 0 || !has_rows);
    fl_sql_bound_drop(&bound); /* with the plan that it was chosen in */
    f->query = &copy;
    assert_int_equal(mprotect(pages->start, on_pages(pages->asked), PROT_READ), 0);
    run_in_threads(f);
    assert_int_equal(mprotect(pages->start, on_pages(pages->asked), PROT_READ | PROT_WRITE), 0);
    assert_int_equal(f->rows[0], rows);
    fl_plan_unref(copy.plan);
    assert_null(only_block());
    assert_int_equal(memory.used_bytes, 0);
    fl_sql_parser_drop(&parser);
    fl_arena_drop(&arena);
}

static void test_one_plan_in_many_sessions(void **state)
{
    fixture *f = *state;
    for (int64_t i = 0; i < FL_LEN(statements); i++)
        check(f, statements[i], true);
}

static void test_tpch(void **state)
{
    char path[64], sql[8192];
    for (int q = 1; q <= 22; q++) {
        snprintf(path, sizeof(path), "bench/tpch/q%02d.sql", q);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        sql[fread(sql, 1, sizeof(sql) - 1, file)] = 0;
        fclose(file);
        check(*state, sql, false);
    }
}

static int begin(void **state)
{
    static fixture f;
    fl_err err = {0};
    fl_engine_options options = {.size = sizeof(options), .threads = 2};
    assert_int_equal(fl_engine_open(&options, &f.engine, &err), FL_OK);
    for (int32_t i = 0; i < THREADS; i++)
        assert_int_equal(fl_session_open(f.engine, &f.sessions[i], &err), FL_OK);
    run_sql(f.sessions[0], "CREATE TABLE t AS SELECT i AS a, i % 10 AS b, 'text ' || i AS s FROM range(3000) AS r(i)");
    run_sql(f.sessions[0], "CREATE TABLE u AS SELECT i AS b, 'word ' || i AS s FROM range(20) AS r(i)");
    for (int64_t i = 0; i < FL_LEN(tables); i++)
        run_sql(f.sessions[0], tables[i]);
    *state = &f;
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    for (int32_t i = 0; i < THREADS; i++)
        fl_session_close(f->sessions[i]);
    fl_engine_close(f->engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_plan_in_many_sessions), cmocka_unit_test(test_tpch)};
    return cmocka_run_group_tests(tests, begin, end);
}
