/* The CSV reader through its table and scan: dialects, headers, types, quotes, places of faults, chunks and threads. Files
 * live in memory. */
#include "base/simd.h"
#include "format/csv/table.h"
#include "format/rejects.h"

#include "table_rows.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static fl_memory memory;

static table_source source_of(const char *data, int64_t bytes, const fl_option *options, int32_t n_options)
{
    return (table_source){&fl_format_csv, data, bytes, options, n_options};
}

static void check_read(const char *data, const fl_option *options, int32_t n_options, const char *wanted)
{
    table_source source = source_of(data, (int64_t)strlen(data), options, n_options);
    table_check_text(&source, wanted, &memory);
}

static fl_option text_option(const char *name, const char *value)
{
    return (fl_option){.name = fl_str_of(name), .value = {.type = FL_TYPE(FL_UTF8), .s = fl_str_of(value)}};
}

static fl_option bool_option(const char *name, bool value)
{
    return (fl_option){.name = fl_str_of(name), .value = {.type = FL_TYPE(FL_BOOL), .b = value}};
}

/* ---- what is found by looking ---- */

static void finds_dialects(void **state)
{
    (void)state;
    check_read("a,b\n1,x\n", NULL, 0, "a bigint, b text\n1|x\n");
    check_read("a;b\n1,5;x\n2,5;y\n", NULL, 0, "a text, b text\n1,5|x\n2,5|y\n");
    check_read("a\tb\n1\ttwo words\n", NULL, 0, "a bigint, b text\n1|two words\n");
    check_read("a|b\n1|\n", NULL, 0, "a bigint, b text\n1|NULL\n");
    check_read("a,b\r\n1,x\r\n2,\"y\"\r\n", NULL, 0, "a bigint, b text\n1|x\n2|y\n");
    check_read("a,b\r1,x\r2,y\r", NULL, 0, "a bigint, b text\n1|x\n2|y\n");
    check_read("\xEF\xBB\xBF"
               "a,b\n1,x",
               NULL, 0, "a bigint, b text\n1|x\n");
    check_read("a\n1\n\n2\n", NULL, 0, "a bigint\n1\nNULL\n2\n");
    check_read("a,b\n\n1,2\n\n\n3,4\n\n", NULL, 0, "a bigint, b bigint\n1|2\n3|4\n");
}

static void finds_types(void **state)
{
    (void)state;
    check_read("i,r,d,t,z,b,s\n1,1.5,2024-02-29,2024-01-31 12:00:00,2024-01-31T12:00:00Z,true,x\n"
               "-2,2,1999-12-31,1999-12-31 23:59:59.5,1999-12-31 23:00:00+01:00,FALSE,12x\n",
               NULL, 0,
               "i bigint, r double, d date, t timestamp, z timestamptz, b boolean, s text\n"
               "1|1.5|2024-02-29|2024-01-31 12:00:00|2024-01-31 12:00:00+00|true|x\n"
               "-2|2|1999-12-31|1999-12-31 23:59:59.5|1999-12-31 22:00:00+00|false|12x\n");
    check_read("a,b,c\n1,,2024-01-31\n1.5,,2024-01-31 01:02:03\n", NULL, 0,
               "a double, b text, c timestamp\n1|NULL|2024-01-31 00:00:00\n1.5|NULL|2024-01-31 01:02:03\n");
    check_read("a\n9223372036854775807\n9223372036854775808\n", NULL, 0,
               "a decimal(38,0)\n9223372036854775807\n9223372036854775808\n"); /* a double would lose digits */
    check_read("a\n2023-02-29\n", NULL, 0, "a text\n2023-02-29\n");
    check_read("a\n 7 \n8\n", NULL, 0, "a bigint\n7\n8\n");
    check_read("a,b,c\n01234,+5,-\n0,6,1\n", NULL, 0, "a text, b text, c text\n01234|+5|-\n0|6|1\n");
    check_read("a,b,c\n\"007\",0,-007\n1,0.5,-8\n", NULL, 0, "a text, b double, c bigint\n007|0|-7\n1|0.5|-8\n");
    check_read("a,b\n1,nan\n-inf,Nan\n", NULL, 0, "a double, b text\n1|nan\n-Infinity|Nan\n");
    check_read("a,b\n1e3,0.1\n-.5,12345678901234567890.5\n", NULL, 0,
               "a double, b double\n1000|0.1\n-0.5|1.2345678901234567e+19\n");
}

static void finds_headers(void **state)
{
    (void)state;
    check_read("1,x\n2,y\n", NULL, 0, "column0 bigint, column1 text\n1|x\n2|y\n");
    check_read("a,b\nx,y\n", NULL, 0, "a text, b text\nx|y\n");
    check_read("a,b\n", NULL, 0, "a text, b text\n");
    check_read("1,b\n", NULL, 0, "column0 bigint, column1 text\n1|b\n");
    check_read("a,,a\n1,2,3\n", NULL, 0, "a bigint, column1 bigint, a_1 bigint\n1|2|3\n");
    fl_option no = bool_option("header", false), yes = bool_option("header", true);
    check_read("12:30:00,x\n12:31:00,y\n", NULL, 0, "column0 time, column1 text\n12:30:00|x\n12:31:00|y\n");
    check_read("$5,x\n$6,y\n", NULL, 0, "column0 text, column1 text\n$5|x\n$6|y\n");
    check_read("01234,x\n01235,y\n", NULL, 0, "column0 text, column1 text\n01234|x\n01235|y\n");
    check_read("9223372036854775808,x\n1,y\n", NULL, 0,
               "column0 decimal(38,0), column1 text\n9223372036854775808|x\n1|y\n");
    check_read("2024-02-30,x\n2024-02-28,y\n", NULL, 0, "column0 text, column1 text\n2024-02-30|x\n2024-02-28|y\n");
    check_read("a,b\nx,y\n", &no, 1, "column0 text, column1 text\na|b\nx|y\n");
    check_read("1,2\n3,4\n", &yes, 1, "1 bigint, 2 bigint\n3|4\n");
}

static void reads_quotes(void **state)
{
    (void)state;
    check_read("a,b\n1,\"x,y\"\n2,\"say \"\"x\"\"\"\n3,\"two\nlines\"\n4,\"\"\n5,\n", NULL, 0,
               "a bigint, b text\n1|x,y\n2|say \"x\"\n3|two\nlines\n4|\n5|NULL\n");
    check_read("a,b\n\"1\",x\n\"\",y\n", NULL, 0, "a bigint, b text\n1|x\nNULL|y\n");
    fl_option none = text_option("quote", ""), escape = text_option("escape", "\\"), single = text_option("quote", "'");
    check_read("a,b\n1,5\" disk\n", &none, 1, "a bigint, b text\n1|5\" disk\n");
    check_read("a,b\n1,\"x\\\"y,\\\\\"\n", &escape, 1, "a bigint, b text\n1|x\"y,\\\n");
    check_read("a,b\n1,'x,''y'\n", &single, 1, "a bigint, b text\n1|x,'y\n");
}

static void leaves_out_comments(void **state)
{
    (void)state;
    fl_option semicolon = text_option("comment", ";"), none = text_option("comment", "");
    check_read("# c\na;b\n1;2\n3;4\n", NULL, 0, "a bigint, b bigint\n1|2\n3|4\n");
    check_read("# it's \"odd\na,b\n1,\"x\n# no comment\"\n# a \"quote\n2,y\n# end", NULL, 0,
               "a bigint, b text\n1|x\n# no comment\n2|y\n");
    check_read("#id,b\n1,2\n", NULL, 0, "#id bigint, b bigint\n1|2\n");
    check_read("#fff,1\n#000,2\n", NULL, 0, "column0 text, column1 bigint\n#fff|1\n#000|2\n");
    check_read(";x\na,b\n1,2\n;\n;,,,\n3,4\n", &semicolon, 1, "a bigint, b bigint\n1|2\n3|4\n");
    check_read(";x\na\n1\n\n;y\n2\n", &semicolon, 1, "a bigint\n1\nNULL\n2\n");
    check_read("#a,b\n#1,2\n", &none, 1, "#a text, b bigint\n#1|2\n");
}

static void trims_fields(void **state)
{
    (void)state;
    fl_option trim = bool_option("trim", true);
    check_read("a, \"b\" ,c\n1, \"x, \"\"y\"\"\" , z \n2,\" p \", q r\r\n", &trim, 1,
               "a bigint, b text, c text\n1|x, \"y\"|z\n2| p |q r\n");
    check_read("a,b\n , \"\"\n  7 ,\"two\n lines\" \n", &trim, 1, "a bigint, b text\nNULL|\n7|two\n lines\n");
    check_read("a,b\n1, x \n", NULL, 0, "a bigint, b text\n1| x \n");
    table_source source = source_of("a,b\n1,\"x\" y\n", 12, &trim, 1);
    table_check_fails(&source, "22000", 2, 7, &memory);
}

static void skips_lines(void **state)
{
    (void)state;
    fl_option two = {.name = FL_STR("skip"), .value = {.type = FL_TYPE(FL_I64), .i = 2}};
    fl_option many = {.name = FL_STR("skip"), .value = {.type = FL_TYPE(FL_I64), .i = 9}};
    check_read("a \"title\nof two lines\na,b\n1,2\n", &two, 1, "a bigint, b bigint\n1|2\n");
    check_read("title\r\n\r\na,b\r\n1,2\r\n", &two, 1, "a bigint, b bigint\n1|2\n");
    table_source source = source_of("a,b\n1,2\n", 8, &many, 1);
    table_check_fails(&source, "22000", 0, 0, &memory);
    source = source_of("x\ny\na,b\n1,2\n3\n", 14, &two, 1);
    table_check_fails(&source, "22000", 5, 1, &memory);
    /* titles are found, where the lines behind them agree */
    check_read("title\n\na,b\n1,2\n3,4\n", NULL, 0, "a bigint, b bigint\n1|2\n3|4\n");
    check_read("a title, it is\n\na;b;c\n1;2;3\n", NULL, 0, "a bigint, b bigint, c bigint\n1|2|3\n");
    source = source_of("title\na,b\n1,2\n3\n", 16, NULL, 0);
    table_check_fails(&source, "22000", 2, 1, &memory);
}

static void finds_forms_of_dates(void **state)
{
    (void)state;
    check_read("a\n31/12/2020\n01/02/2020\n", NULL, 0, "a date\n2020-12-31\n2020-02-01\n");
    check_read("a\n12/31/2020\n01/02/2020\n", NULL, 0, "a date\n2020-12-31\n2020-01-02\n");
    check_read("a\n1.2.2020 3:04\n", NULL, 0, "a timestamp\n2020-02-01 03:04:00\n");
    check_read("a\n1.2.2020 3:04:05 PM\n2.2.2020 12:00:00 am\n", NULL, 0,
               "a timestamp\n2020-02-01 15:04:05\n2020-02-02 00:00:00\n");
    check_read("a\n1.2.2020\n1/2/2020\n", NULL, 0, "a text\n1.2.2020\n1/2/2020\n");
    check_read("a\n1.2.2020\n1.2.2020 10:00\n", NULL, 0, "a text\n1.2.2020\n1.2.2020 10:00\n");
    check_read("a\n31.2.2020\n", NULL, 0, "a text\n31.2.2020\n");
}

static void cuts_by_several_bytes(void **state)
{
    (void)state;
    fl_option two = text_option("delim", "||"), padded[] = {two, bool_option("null_padding", true)};
    check_read("a||b\n1||x|y\n2||\"||\"\n", &two, 1, "a bigint, b text\n1|x|y\n2|||\n");
    check_read("a||b||c\n1||x\n2||y||z\n", padded, 2, "a bigint, b text, c text\n1|x|NULL\n2|y|z\n");
    check_read("a|||b\n1||2\n", &two, 1, "a bigint, |b bigint\n1|2\n");
    table_source source = source_of("a||b\n1||\"x\"|\n", 13, &two, 1);
    table_check_fails(&source, "22000", 2, 8, &memory);
    fl_text data;
    fl_text_init(&data, NULL);
    fl_text_add(&data, FL_STR("n||s\n"));
    for (int i = 0; i < 60; i++)
        fl_text_addf(&data, "%d||%s\n", i, i % 3 == 0 ? "\"a||b\nc\"" : i % 3 == 1 ? "x|y" : "|z");
    source = source_of(data.data, data.len, &two, 1);
    table_check_pieces(&source, 40, &memory);
    fl_text_drop(&data);
}

static void takes_options(void **state)
{
    (void)state;
    fl_option na = text_option("nullstr", "NA"), texts = bool_option("all_varchar", true);
    check_read("a,b\n1,NA\nNA,\n3,\"NA\"\n", &na, 1, "a bigint, b text\n1|NULL\nNULL|\n3|NA\n");
    check_read("a,b\n1,2\n", &texts, 1, "a text, b text\n1|2\n");
    fl_field fields[] = {{.name = FL_STR("a")}, {.name = FL_STR("b")}, {.name = FL_STR("c")}};
    fl_value names[] = {{.type = FL_TYPE(FL_UTF8), .s = FL_STR("integer")},
                        {.type = FL_TYPE(FL_UTF8), .s = FL_STR("decimal(6,2)")},
                        {.type = FL_TYPE(FL_UTF8), .s = FL_STR("time")}};
    fl_option columns = {.name = FL_STR("columns"),
                         .value = {.type = {.id = FL_STRUCT, .n_fields = 3, .fields = fields}, .list = {names, 3}}};
    check_read("1,2.5,12:30\n,,\n", &columns, 1,
               "a integer, b decimal(6,2), c time\n1|2.50|12:30:00\nNULL|NULL|NULL\n");
    check_read("A,B,C\n1,2.5,12:30\n", &columns, 1, "a integer, b decimal(6,2), c time\n1|2.50|12:30:00\n");
    check_read("", &columns, 1, "a integer, b decimal(6,2), c time\n");
}

/* ---- faults ---- */

#define CHECK_FAULT(data, sqlstate, line, column)                            \
    do {                                                                     \
        table_source source = source_of("" data, sizeof(data) - 1, NULL, 0); \
        table_check_fails(&source, sqlstate, line, column, &memory);         \
    } while (0)

static void names_places_of_faults(void **state)
{
    (void)state;
    CHECK_FAULT("a,b,c\n1,2,3\n4,5\n", "22000", 3, 1);
    CHECK_FAULT("a,b\n1,2\n3,4,5\n6,7\n", "22000", 3, 1);
    CHECK_FAULT("a,b\n1,\"x\ny\"\n2\n", "22000", 4, 1);
    CHECK_FAULT("a,b\n1,\"never closed\n2,x\n", "22000", 2, 3);
    CHECK_FAULT("a,b\n1,\"x\"\n1,5\" disk\n", "22000", 3, 4);
    CHECK_FAULT("a,b\n1,\"x\"y\n", "22000", 2, 6);
    CHECK_FAULT("a,b\n\"x\"\r,1\n", "22000", 2, 5);
    CHECK_FAULT("a,b\n1,caf\xE9\n", "22021", 2, 6);
    CHECK_FAULT("a,b\n1,x\0y\n", "22021", 2, 4);
    CHECK_FAULT("", "22000", 0, 0);
    CHECK_FAULT("\x1F\x8B\x08\x00", "XX001", 0, 0);
    fl_option sample = {.name = FL_STR("sample_size"), .value = {.type = FL_TYPE(FL_I64), .i = 2}};
    fl_text text;
    fl_text_init(&text, NULL);
    fl_text_add(&text, FL_STR("a,b\n"));
    for (int i = 0; i < 100000; i++)
        fl_text_add(&text, FL_STR("1,2\n"));
    fl_text_add(&text, FL_STR("3,oops\n"));
    table_source source = source_of(text.data, text.len, &sample, 1);
    table_check_fails(&source, "22P02", 100002, 3, &memory);
    fl_text_drop(&text);
}

static void refuses_options(void **state)
{
    (void)state;
    fl_option wrong[] = {text_option("delimm", ","), text_option("delim", ",,,,,"),     text_option("header", "yes"),
                         text_option("delim", "\""), bool_option("auto_detect", false), text_option("columns", "a")};
    for (int64_t i = 0; i < FL_LEN(wrong); i++) {
        fl_table *table = NULL;
        fl_err err = {0};
        table_source source = source_of("a\n1\n", 4, &wrong[i], 1);
        assert_int_equal(table_open(&source, &memory, &table, &err), i == 4 ? FL_ERR_UNSUPPORTED : FL_ERR_CONFIG);
    }
}

/* ---- chunks, kernels, threads ---- */

static void make_rows(fl_text *text, int rows)
{
    static const char *const texts[] = {
        "plain",         "\"a,b\"",    "\"two\nlines\"",
        "\"\"\"q\"\"\"", "",           "\"\"",
        "caf\xC3\xA9",   "\"\n\n\n\"", "a text that is longer than a view holds inside"};
    fl_text_add(text, FL_STR("n,s,r\n"));
    for (int i = 0; i < rows; i++)
        fl_text_addf(text, "%d,%s,%d.5%s", i, texts[i * 7 % FL_LEN(texts)], i % 50, i % 11 == 0 ? "\r\n" : "\n");
}

static void chunks_give_the_same_rows(void **state)
{
    (void)state;
    fl_text data;
    fl_option escape = text_option("escape", "\\");
    fl_text_init(&data, NULL);
    make_rows(&data, 200);
    table_source source = source_of(data.data, data.len, NULL, 0);
    table_check_pieces(&source, 140, &memory);
    for (int64_t i = 0; i + 1 < data.len; i++) /* "" inside of a quoted text becomes \" */
        if (data.data[i] == '"' && data.data[i + 1] == '"' && data.data[i - 1] != ',')
            data.data[i++] = '\\';
    source = source_of(data.data, data.len, &escape, 1);
    table_check_pieces(&source, 140, &memory);
    fl_text_drop(&data);
}

extern const fl_csv_kernels fl_csv_kernels_baseline, fl_csv_kernels_avx2, fl_csv_kernels_avx512;

static void kernels_agree(void **state)
{
    (void)state;
    static const char bytes[] = "ab,,\n\"\"\r\xC3";
    static const fl_csv_kernels *const kernels[] = {FL_SIMD_ALL(fl_csv_kernels)};
    int n = (int)fl_simd_level() + 1;
    char data[600] = {0};
    uint32_t random = 12345;
    for (int round = 0; round < 500; round++) {
        uint32_t at[3][512], ends[3][512];
        int64_t count[3] = {0}, lines[3] = {0};
        fl_csv_state states[3];
        int64_t len = round % 500;
        for (int64_t i = 0; i < len; i++) {
            random = random * 1664525 + 1013904223;
            data[i] = bytes[(random >> 16) % (sizeof(bytes) - 1)];
        }
        for (int k = 0; k < n; k++) {
            memset(&states[k], 0, sizeof(states[k]));
            states[k].can_open = 1;
            int64_t cut = len / 3;
            kernels[k]->index(data, 0, cut, (fl_csv_marks){',', '"', '\n'}, &states[k], at[k], &count[k], ends[k],
                              &lines[k]);
            kernels[k]->index(data, cut, len, (fl_csv_marks){',', '"', '\n'}, &states[k], at[k], &count[k], ends[k],
                              &lines[k]);
            assert_int_equal(count[k], count[0]);
            assert_int_equal(lines[k], lines[0]);
            assert_memory_equal(at[k], at[0], (size_t)count[0] * 4);
            assert_memory_equal(ends[k], ends[0], (size_t)lines[0] * 4);
            assert_memory_equal(&states[k], &states[0], sizeof(states[0]));
            assert_int_equal(kernels[k]->count(data, len, '"'), kernels[0]->count(data, len, '"'));
        }
    }
}

typedef struct shared_sum {
    fl_scan *scan;
    _Atomic int64_t rows;
    _Atomic int64_t sum;
} shared_sum;

static void *sum_rows(void *arg)
{
    shared_sum *s = arg;
    fl_scan_worker *worker = NULL;
    int64_t morsel;
    assert_int_equal(s->scan->ops->worker_new(s->scan, &memory, &worker, NULL), FL_OK);
    for (bool any = true; any;) {
        assert_int_equal(s->scan->ops->claim(worker, &any, &morsel, NULL), FL_OK);
        for (int32_t rows = any; rows > 0;) {
            fl_vec vec;
            assert_int_equal(s->scan->ops->next(worker, &rows, NULL), FL_OK);
            if (rows > 0)
                assert_int_equal(s->scan->ops->read(worker, 0, NULL, &vec, NULL), FL_OK);
            for (int32_t i = 0; i < rows; i++)
                atomic_fetch_add(&s->sum, ((const int64_t *)vec.data)[i]);
            atomic_fetch_add(&s->rows, rows);
        }
    }
    s->scan->ops->worker_free(worker);
    return NULL;
}

static void workers_share_chunks(void **state)
{
    (void)state;
    enum { ROWS = 3000, WORKERS = 4 };
    fl_text data;
    fl_table *table = NULL;
    int32_t col = 0;
    fl_scan_request request = {.cols = &col, .n_cols = 1, .rows_max = 64, .memory = &memory};
    fl_text_init(&data, NULL);
    make_rows(&data, ROWS);
    table_source source = source_of(data.data, data.len, NULL, 0);
    assert_int_equal(table_open(&source, &memory, &table, NULL), FL_OK);
    ((fl_files_table *)table)->piece_bytes = 97;
    shared_sum s = {0};
    pthread_t threads[WORKERS];
    assert_int_equal(table->ops->scan_new(table, &request, &s.scan, NULL), FL_OK);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sum_rows, &s), 0);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(s.rows, ROWS);
    assert_int_equal(s.sum, (int64_t)ROWS * (ROWS - 1) / 2);
    s.scan->ops->free(s.scan);
    fl_table_unref(table);
    fl_text_drop(&data);
}

static void faults_leave_no_trace(void **state)
{
    (void)state;
    fl_text data;
    fl_text_init(&data, NULL);
    make_rows(&data, 40);
    table_source source = source_of(data.data, data.len, NULL, 0);
    table_check_faults(&source, &(table_scan){.rows_max = 7, .piece_bytes = 300}, &memory);
    fl_option keeps[] = {bool_option("store_rejects", true), bool_option("header", true)};
    fl_text_add(&data, FL_STR("1,2\n3,4,5,6\nx,y,z\n"));
    assert_int_equal(fl_rejects_new(NULL, &memory.rejects, NULL), FL_OK);
    source = source_of(data.data, data.len, keeps, 2);
    table_check_faults(&source, &(table_scan){.rows_max = 7, .piece_bytes = 300}, &memory);
    fl_rejects_free(memory.rejects);
    memory.rejects = NULL;
    fl_text_drop(&data);
}

static int leaves_no_memory(void **state)
{
    (void)state;
    return memory.used_bytes == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(finds_dialects, leaves_no_memory),
        cmocka_unit_test_teardown(finds_types, leaves_no_memory),
        cmocka_unit_test_teardown(finds_headers, leaves_no_memory),
        cmocka_unit_test_teardown(reads_quotes, leaves_no_memory),
        cmocka_unit_test_teardown(leaves_out_comments, leaves_no_memory),
        cmocka_unit_test_teardown(skips_lines, leaves_no_memory),
        cmocka_unit_test_teardown(trims_fields, leaves_no_memory),
        cmocka_unit_test_teardown(finds_forms_of_dates, leaves_no_memory),
        cmocka_unit_test_teardown(cuts_by_several_bytes, leaves_no_memory),
        cmocka_unit_test_teardown(takes_options, leaves_no_memory),
        cmocka_unit_test_teardown(names_places_of_faults, leaves_no_memory),
        cmocka_unit_test_teardown(refuses_options, leaves_no_memory),
        cmocka_unit_test_teardown(chunks_give_the_same_rows, leaves_no_memory),
        cmocka_unit_test_teardown(kernels_agree, leaves_no_memory),
        cmocka_unit_test_teardown(workers_share_chunks, leaves_no_memory),
        cmocka_unit_test_teardown(faults_leave_no_trace, leaves_no_memory),
    };
    fl_memory_init(&memory, NULL, "test", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
