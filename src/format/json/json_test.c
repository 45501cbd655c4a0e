/* The JSON reader through its table and scan: layouts, types, nesting, places of faults, chunks and threads. Files live in
 * memory. */
#include "format/json/table.h"

#include "table_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static fl_memory memory;

static table_source source_of(const char *data, const fl_option *options, int32_t n_options)
{
    return (table_source){&fl_format_json, data, (int64_t)strlen(data), options, n_options};
}

static void check_read(const char *data, const fl_option *options, int32_t n_options, const char *wanted)
{
    table_source source = source_of(data, options, n_options);
    table_check_text(&source, wanted, &memory);
}

static void reads_layouts(void **state)
{
    (void)state;
    const char *wanted = "a bigint, b text\n1|x\n2|NULL\n";
    check_read("{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2}\n", NULL, 0, wanted);
    check_read("\xEF\xBB\xBF\n{\"a\": 1, \"b\": \"x\"}\r\n\r\n{\"b\": null, \"a\": 2}", NULL, 0, wanted);
    check_read("[{\"a\": 1, \"b\": \"x\"},{\"a\": 2}]", NULL, 0, wanted);
    check_read(" [\n {\n\"a\": 1, \"b\": \"x\"\n}\n,\n {\"a\": 2} ]\n", NULL, 0, wanted);
    check_read("{\n\"a\": 1,\n\"b\": \"x\"\n}\n{\n\"a\": 2\n}\n", NULL, 0, wanted);
    check_read("{\"a\": \"]}\\\"[{\"}\n{\"a\": \"\\u00e9\"}\n", NULL, 0, "a text\n]}\"[{\n\xC3\xA9\n");
}

static void finds_types(void **state)
{
    (void)state;
    check_read("{\"b\": true, \"i\": -9223372036854775808, \"r\": 1.5, \"m\": 1}\n{\"b\": false, \"i\": 2, \"r\": 2, "
               "\"m\": \"x\"}\n",
               NULL, 0, "b boolean, i bigint, r double, m text\ntrue|-9223372036854775808|1.5|1\nfalse|2|2|x\n");
    check_read("{\"d\": \"2024-01-31\", \"t\": \"2024-01-31T12:00:00\", \"z\": \"2024-01-31T12:00:00Z\", \"x\": "
               "\"2024-01-31\"}\n"
               "{\"d\": \"1999-12-31\", \"t\": \"2024-01-31\", \"z\": \"2024-01-31 12:00:00+01\", \"x\": \"12\"}\n",
               NULL, 0,
               "d date, t timestamp, z timestamptz, x text\n"
               "2024-01-31|2024-01-31 12:00:00|2024-01-31 12:00:00+00|2024-01-31\n"
               "1999-12-31|2024-01-31 00:00:00|2024-01-31 11:00:00+00|12\n");
    check_read("{\"n\": null, \"o\": {}, \"l\": []}\n", NULL, 0, "n text, o text, l text[]\nNULL|{}|[]\n");
    check_read("{\"m\": 1}\n{\"m\": [1, {\"a\": 2}]}\n{\"m\": \"x\"}\n{\"m\": true}\n", NULL, 0,
               "m text\n1\n[1,{\"a\":2}]\nx\ntrue\n");
    check_read("{\"a\": 1, \"a\": 2}\n", NULL, 0, "a bigint\n2\n"); /* the last one counts */
}

static void reads_nested_values(void **state)
{
    (void)state;
    check_read("{\"s\": {\"a\": 1, \"b\": [1, null]}, \"l\": [{\"x\": 1}, {\"y\": \"z\"}]}\n{\"s\": null, \"l\": "
               "[]}\n{\"s\": {\"b\": []}}\n",
               NULL, 0,
               "s struct(a bigint, b bigint[]), l struct(x bigint, y text)[]\n"
               "{'a': 1, 'b': [1, NULL]}|[{'x': 1, 'y': NULL}, {'x': NULL, 'y': z}]\n"
               "NULL|[]\n"
               "{'a': NULL, 'b': []}|NULL\n");
}

static void takes_options(void **state)
{
    (void)state;
    fl_field fields[] = {{.name = FL_STR("b")}, {.name = FL_STR("a")}};
    fl_value names[] = {{.type = FL_TYPE(FL_UTF8), .s = FL_STR("integer")},
                        {.type = FL_TYPE(FL_UTF8), .s = FL_STR("date")}};
    fl_option columns = {.name = FL_STR("columns"),
                         .value = {.type = {.id = FL_STRUCT, .n_fields = 2, .fields = fields}, .list = {names, 2}}};
    check_read("{\"a\": \"2024-01-31\", \"b\": \"7\", \"c\": 1}\n{\"b\": 8}\n", &columns, 1,
               "b integer, a date\n7|2024-01-31\n8|NULL\n");
    fl_option wrong = {.name = FL_STR("sample"), .value = {.type = FL_TYPE(FL_I64), .i = 1}};
    fl_table *table = NULL;
    table_source source = source_of("{}", &wrong, 1);
    assert_int_equal(table_open(&source, &memory, &table, NULL), FL_ERR_CONFIG);
}

static void check_fault(const char *data, const char *sqlstate, int64_t line, int64_t column)
{
    fl_option sample = {.name = FL_STR("sample_size"), .value = {.type = FL_TYPE(FL_I64), .i = 1}};
    table_source source = source_of(data, &sample, 1);
    table_check_fails(&source, sqlstate, line, column, &memory);
}

static void names_places_of_faults(void **state)
{
    (void)state;
    check_fault("{\"a\": 1}\n{\"a\": 2\n", "22000", 2, 8);
    check_fault("{\"a\": 1}\n{\"a\" 2}\n", "22000", 2, 6);
    check_fault("{\"a\": 1}\n\n7\n", "22000", 3, 1);
    check_fault("{\"a\": \"\\ud800\"}\n", "22000", 1, 14); /* behind the half of a pair */
    check_fault("{\"a\": \"caf\xE9\"}\n", "22021", 1, 11);
    check_fault("{\"a\": 1}\n{\"a\": 1e999}\n", "22003", 2, 7);
    check_fault("{\"a\": 1}\n{\"a\": 18446744073709551615}\n", "22003", 2, 7);
    check_fault("{\"a\": 1}\n{\"a\": \"oops\"}\n", "22P02", 2, 7);
    check_fault("{\"a\": 1}\n{\"a\": \"007\"}\n", "22P02", 2, 7);
    check_fault("{\"a\": 1}\n{\"a\": true}\n", "22P02", 2, 7);
    check_fault("{\"a\": true}\n{\"a\": 1}\n", "22P02", 2, 7);
    check_fault("{\"a\": 1}\n{\"a\": 1.5}\n", "22P02", 2, 7);
    check_fault("{\"a\": [1]}\n{\"a\": [1, 2.5]}\n", "22P02", 2, 11);
    check_fault("{\"a\": [1]}\n{\"a\": [1, {}]}\n", "22P02", 2, 7);
    check_fault("{\"a\": 1}\n{\"x\": \"}\\\"\", \"a\":  {}}\n", "42703", 2, 2);
    check_fault("{\"a\": {\"b\": 1}}\n{\"a\": {\"b\": 1, \"c\": 2}}\n", "42703", 2, 16);
    check_fault("{\"a\": 1, \"b\": 2}\n{\"b\": [\"}\", {}], \"a\":  {}}\n", "22P02", 2, 24);
    check_fault("{\"a\": 1, \"b\": \"x\"}\n{\"b\": \"\\\"}\", \"a\":  {}}\n", "22P02", 2, 20);
    check_fault("{\"a\": \"2024-01-31\"}\n{\"a\": \"2024-01-31 12:00:00\"}\n", "22P02", 2, 7);
    check_fault("[{\"a\": 1}, {\"a\": 2}", "22000", 1, 20);
    check_fault("[{\"a\": 1}\n {\"a\": 2}]", "22000", 2, 2);
    check_fault("[{\"a\": 1}] x", "22000", 1, 12);
    check_fault("[{\"a\": 1}, ]", "22000", 1, 12);
    check_fault("", "22000", 0, 0);
    check_fault("\x1F\x8B\x08", "XX001", 0, 0);
    char deep[400] = "{\"a\": ";
    memset(deep + 6, '[', 150);
    memset(deep + 156, ']', 150);
    strcpy(deep + 306, "}\n");
    check_fault(deep, "54000", 1, 1);
}

static void make_records(fl_text *text, int records)
{
    static const char *const values[] = {
        "\"plain\"", "\"a\\\"b\"",      "null",
        "\"\"",      "\"caf\xC3\xA9\"", "\"a text that is longer than a view holds inside\""};
    for (int i = 0; i < records; i++)
        fl_text_addf(text, "{\"n\": %d, \"s\": %s, \"l\": [%d, null]}%s", i, values[i * 5 % FL_LEN(values)], i,
                     i % 7 == 0 ? "\r\n\n" : "\n");
}

static void chunks_give_the_same_rows(void **state)
{
    (void)state;
    fl_text data;
    fl_text_init(&data, NULL);
    make_records(&data, 200);
    table_source source = source_of(data.data, NULL, 0);
    table_check_pieces(&source, 140, &memory);
    fl_text_drop(&data);
}

static void faults_leave_no_trace(void **state)
{
    (void)state;
    fl_text data;
    fl_text_init(&data, NULL);
    make_records(&data, 40);
    table_source source = source_of(data.data, NULL, 0);
    table_check_faults(&source, &(table_scan){.rows_max = 7, .piece_bytes = 300}, &memory);
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
        cmocka_unit_test_teardown(reads_layouts, leaves_no_memory),
        cmocka_unit_test_teardown(finds_types, leaves_no_memory),
        cmocka_unit_test_teardown(reads_nested_values, leaves_no_memory),
        cmocka_unit_test_teardown(takes_options, leaves_no_memory),
        cmocka_unit_test_teardown(names_places_of_faults, leaves_no_memory),
        cmocka_unit_test_teardown(chunks_give_the_same_rows, leaves_no_memory),
        cmocka_unit_test_teardown(faults_leave_no_trace, leaves_no_memory),
    };
    fl_memory_init(&memory, NULL, "test", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
