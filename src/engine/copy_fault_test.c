/* COPY, EXPORT DATABASE and IMPORT DATABASE, made to fail at each of their allocations, calls of the system and looks at an interrupt
 * (test/faults.h): nothing is left behind, and what was there before stays. */
#include "base/arena.h"
#include "base/fault.h"

#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <ftw.h>
#include <unistd.h>

#include <cmocka.h>

#define OLD "what was there before\n"

static char folder[] = "/tmp/fletch-copy-XXXXXX"; /* where the statements write: the working folder meanwhile */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind;
    return place->level == 0 ? 0 : remove(path);
}

static void clear_folder(void)
{
    nftw(".", remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static int n_entries, n_hidden;

static int count_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind;
    n_entries += place->level > 0;
    n_hidden += place->level > 0 && path[place->base] == '.';
    return 0;
}

static void count_entries(void)
{
    n_entries = n_hidden = 0;
    nftw(".", count_entry, 8, FTW_PHYS);
}

static void put_old(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(OLD, file);
    fclose(file);
}

static bool is_old(const char *path)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = 0;
    fclose(file);
    return strcmp(text, OLD) == 0;
}

/* Where there was nothing there is nothing after a failure, or all: the count of rows may fail to leave. */
static fl_status run_new(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    static int whole;
    clear_folder();
    fl_status st = fault_query(f, statement, ret, err);
    count_entries();
    assert_int_equal(n_hidden, 0);
    if (st == FL_OK)
        whole = n_entries;
    else if (n_entries != 0 && n_entries != whole)
        fail_msg("%s: %d of %d files after %s", statement->sql, n_entries, whole, err->message);
    return st;
}

/* Where there was a file it is there after a failure, or the new one is. */
static fl_status run_over(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    clear_folder();
    put_old("old.csv");
    fl_status st = fault_query(f, statement, ret, err);
    count_entries();
    assert_int_equal(n_entries, 1);
    assert_true(st != FL_OK || !is_old("old.csv"));
    return st;
}

#define COPY(text) {.sql = (text), .rows = 1, .run = run_new}

static const char *const tables[] = {
    "CREATE TABLE t AS SELECT range AS a, range % 4 AS b, 'a longer text, number ' || range AS s, [range, NULL] AS l, "
    "{'x': range, 'y': ['text ' || range]} AS st, CASE WHEN range % 3 > 0 THEN range * 0.5 END AS x, "
    "range::decimal(30, 2) "
    "AS d FROM range(12)",
    "CREATE TABLE k (a bigint PRIMARY KEY, s text NOT NULL)",
    "CREATE VIEW v AS SELECT a, s FROM k",
};

static const fault_statement writes[] = {
    COPY("COPY t TO 'a.csv'"),
    COPY("COPY (SELECT a, s FROM t ORDER BY s) TO 'a.csv.gz' (FORCE_QUOTE *)"),
    COPY("COPY t TO 'a.parquet'"),
    COPY("COPY t TO 'a.parquet' (COMPRESSION zstd, ROW_GROUP_SIZE 64)"),
    COPY("COPY t TO 'a.txt' (FORMAT text)"),
    COPY("COPY t TO 'a.csv' (DELIM '||')"),
    COPY("COPY t TO 'a.parquet' (ENCRYPTION_CONFIG {'footer_key': '0123456789abcdef'})"),
    COPY("COPY t TO 'a.ndjson'"),
    COPY("COPY t TO 'a.json' (ARRAY true, COMPRESSION zstd)"),
    COPY("COPY t TO 'a.arrow'"),
    COPY("COPY t TO 'a.arrows' (COMPRESSION lz4)"),
    COPY("COPY t TO 'parts' (FORMAT csv, PARTITION_BY (b))"),
    COPY("COPY t TO 'parts' (FORMAT parquet, PARTITION_BY b, FILE_SIZE_BYTES 100, ROW_GROUP_SIZE 64)"),
    COPY("COPY t TO 'workers' (FORMAT ndjson, PER_THREAD_OUTPUT)"),
    {.sql = "EXPORT DATABASE 'whole' (FORMAT parquet)", .run = run_new},
    {.sql = "COPY t TO 'old.csv'", .rows = 1, .run = run_over},
};

static const fault_statement reads[] = {
    {.sql = "COPY k FROM 'k.csv'", .rows = 1, .before = "TRUNCATE k", .check = "FROM k"},
    {.sql = "COPY k (s, a) FROM 'k.parquet'", .rows = 1, .before = "TRUNCATE k", .check = "FROM k"},
    {.sql = "COPY k FROM 'k.ndjson'", .rows = 1, .before = "TRUNCATE k", .check = "FROM k"},
    {.sql = "COPY k FROM 'k.arrow'", .rows = 1, .before = "TRUNCATE k", .check = "FROM k"},
    {.sql = "FROM 'k.arrows'", .rows = 12},
    {.sql = "FROM read_parquet('e.parquet', encryption_config = {'footer_key': '0123456789abcdef'})", .rows = 12},
    {.sql = "FROM parquet_metadata('k.parquet')", .rows = 2},
    {.sql = "FROM parquet_schema('k.parquet')", .rows = 3},
    {.sql = "FROM parquet_file_metadata('k.parquet')", .rows = 1},
    {.sql = "FROM sniff_csv('dates.csv')", .rows = 1},
    {.sql = "FROM 'dates.csv'", .rows = 12},
    {.sql = "FROM read_csv('k.csv', union_by_name = true, types = {'a': 'double'})", .rows = 12},
    {.sql = "FROM read_parquet(['k.parquet', 'm.parquet'], union_by_name = true, file_row_number = true)", .rows = 24},
    {.sql = "FROM read_json(['k.ndjson', 'm.ndjson'], union_by_name = true, filename = true)", .rows = 24},
};

static const fault_statement imports[] = {
    {.sql = "IMPORT DATABASE 'db'",
     .before = "DROP VIEW IF EXISTS j; DROP VIEW IF EXISTS v; DROP TABLE IF EXISTS i; DROP TABLE IF EXISTS k; DROP "
               "TABLE IF EXISTS t",
     .check = "SHOW TABLES"},
};

#define TRY(f, list) faults_try(f, list, sizeof(list) / sizeof(list[0]))

/* Where each object is a chunk of its own there are ten times as many to fail, and each try takes longer. */
#define TRIES_MAX (FL_ARENA_IS_EXACT ? 200 : 2000)

static void test_copies(void **state)
{
    (void)state;
    static faults f;
    faults_open(&f, tables, sizeof(tables) / sizeof(tables[0]));
    f.tries_max = TRIES_MAX;
    f.right_every = 7;
    TRY(&f, writes);
    clear_folder();
    faults_run(&f, "COPY (SELECT range AS a, 'text ' || range AS s FROM range(12)) TO 'k.csv'");
    faults_run(&f, "COPY (SELECT 'text ' || range AS s, range AS a FROM range(12)) TO 'k.parquet'");
    faults_run(&f, "COPY (FROM 'k.csv') TO 'k.ndjson'");
    faults_run(&f, "COPY (FROM 'k.csv') TO 'k.arrow'");
    faults_run(&f, "COPY (FROM 'k.csv') TO 'k.arrows' (COMPRESSION zstd)");
    faults_run(&f, "COPY (SELECT 'text ' || range AS s, range AS a FROM range(12)) TO 'e.parquet' (ENCRYPTION_CONFIG "
                   "{'footer_key': '0123456789abcdef'})");
    faults_run(&f, "COPY (SELECT 'text ' || range AS s, range * 0.5 AS a FROM range(12)) TO 'm.parquet'");
    faults_run(&f, "COPY (SELECT 'text ' || range AS s, range * 0.5 AS a FROM range(12)) TO 'm.ndjson'");
    faults_run(&f, "COPY (SELECT range AS a, (range + 1) || '/02/2020' AS d FROM range(12)) TO 'dates.csv'");
    faults_run(&f, "CREATE TABLE i AS FROM 'k.csv'; CREATE VIEW j AS SELECT s FROM i");
    faults_run(&f, "EXPORT DATABASE 'db'; DROP VIEW j; DROP TABLE i; DROP VIEW v; DROP TABLE t; DROP TABLE k");
    TRY(&f, imports);
    faults_run(&f, "DROP VIEW IF EXISTS v; DROP TABLE IF EXISTS k");
    faults_run(&f, tables[1]);
    TRY(&f, reads);
    faults_close(&f);
}

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_folder(void **state)
{
    (void)state;
    clear_folder();
    return chdir("/") != 0 || rmdir(folder) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_copies)};
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
