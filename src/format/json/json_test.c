/* The JSON reader through its table and scan: layouts, types, nesting, places of faults, chunks and threads. Files live in
 * memory. */
#include "format/json/table.h"

#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static fl_memory memory;

static fl_status open_bytes(const char *data, int64_t bytes, const fl_option *options, int32_t n_options,
                            fl_table **ret, fl_err *err)
{
    char path[64];
    int fd = memfd_create("json", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, data, (size_t)bytes) == bytes);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    fl_str name = fl_str_of(path);
    fl_status st = fl_format_json.open(&memory, &name, 1, options, n_options, ret, err);
    close(fd);
    return st;
}

static fl_status add_batch(fl_scan_worker *worker, const fl_table *table, int32_t rows, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_vec vecs[8];
    fl_arena_init(&arena, &memory);
    for (int32_t i = 0; i < table->n_cols; i++)
        FL_TRY(worker->scan->ops->read(worker, i, NULL, &vecs[i], err));
    for (int32_t row = 0; row < rows; row++)
        for (int32_t i = 0; i < table->n_cols; i++) {
            fl_value value;
            FL_TRY(fl_value_from_vec(&arena, &vecs[i], row, &value, err));
            fl_value_print(text, &value);
            fl_text_add_char(text, i == table->n_cols - 1 ? '\n' : '|');
        }
cleanup:
    fl_arena_drop(&arena);
    return st;
}

/* All rows as text, in order. */
static fl_status scan_text(fl_table *table, int64_t chunk_bytes, int32_t rows_max, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_scan *scan = NULL;
    fl_scan_worker *worker = NULL;
    int32_t cols[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    int64_t morsel;
    fl_scan_request request = {.cols = cols, .n_cols = table->n_cols, .rows_max = rows_max, .memory = &memory};
    ((fl_files_table *)table)->piece_bytes = chunk_bytes;
    FL_TRY(table->ops->scan_new(table, &request, &scan, err));
    FL_TRY(scan->ops->worker_new(scan, &memory, &worker, err));
    for (bool any = true; any;) {
        FL_TRY(scan->ops->claim(worker, &any, &morsel, err));
        for (int32_t rows = any; rows > 0;) {
            FL_TRY(scan->ops->next(worker, &rows, err));
            if (rows > 0)
                FL_TRY(add_batch(worker, table, rows, text, err));
        }
    }
cleanup:
    if (worker != NULL)
        scan->ops->worker_free(worker);
    if (scan != NULL)
        scan->ops->free(scan);
    return st;
}

/* Names, types and rows of a file as one text. */
static fl_status read_bytes(const char *data, int64_t bytes, const fl_option *options, int32_t n_options, fl_text *text,
                            fl_err *err)
{
    fl_table *table = NULL;
    fl_status st = open_bytes(data, bytes, options, n_options, &table, err);
    if (st != FL_OK)
        return st;
    for (int32_t i = 0; i < table->n_cols; i++) {
        fl_text_add(text, table->fields[i].name);
        fl_text_add_char(text, ' ');
        fl_type_print(text, table->fields[i].type);
        fl_text_add(text, i == table->n_cols - 1 ? FL_STR("\n") : FL_STR(", "));
    }
    st = scan_text(table, FL_TEXT_PIECE_BYTES, 3, text, err);
    fl_table_unref(table);
    return st;
}

static void check_read(const char *data, const fl_option *options, int32_t n_options, const char *wanted)
{
    fl_text text;
    fl_err err = {0};
    fl_text_init(&text, NULL);
    fl_status st = read_bytes(data, (int64_t)strlen(data), options, n_options, &text, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(st, FL_OK);
    assert_string_equal(text.data, wanted);
    fl_text_drop(&text);
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
    assert_int_equal(open_bytes("{}", 2, &wrong, 1, &table, NULL), FL_ERR_CONFIG);
}

static void check_fault(const char *data, const char *sqlstate, int line, int column)
{
    fl_text text;
    fl_err err = {0};
    fl_option sample = {.name = FL_STR("sample_size"), .value = {.type = FL_TYPE(FL_I64), .i = 1}};
    fl_text_init(&text, NULL);
    fl_status st = read_bytes(data, (int64_t)strlen(data), &sample, 1, &text, &err);
    assert_int_not_equal(st, FL_OK);
    assert_int_equal(st, err.code);
    assert_string_equal(err.sqlstate, sqlstate);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    fl_text_drop(&text);
}

static void names_places_of_faults(void **state)
{
    (void)state;
    check_fault("{\"a\": 1}\n{\"a\": 2\n", "22000", 2, 8);
    check_fault("{\"a\": 1}\n{\"a\" 2}\n", "22000", 2, 6);
    check_fault("{\"a\": 1}\n\n7\n", "22000", 3, 1);
    check_fault("{\"a\": \"\\ud800\"}\n", "22000", 1, 14); /* behind the half of a pair */
    check_fault("{\"a\": \"caf\xE9\"}\n", "22021", 1, 11);
    check_fault("{\"a\": 1e999}\n", "22003", 1, 1);
    check_fault("{\"a\": 18446744073709551616}\n", "22003", 1, 1);
    check_fault("{\"a\": 1}\n{\"a\": 18446744073709551615}\n", "22003", 2, 1);
    check_fault("{\"a\": 1}\n{\"a\": \"oops\"}\n", "22P02", 2, 8);
    check_fault("{\"a\": 1}\n{\"a\": 1.5}\n", "22P02", 2, 1);
    check_fault("{\"a\": [1]}\n{\"a\": [1, {}]}\n", "22P02", 2, 1);
    check_fault("[{\"a\": 1}, {\"a\": 2}", "22000", 1, 20);
    check_fault("[{\"a\": 1}\n {\"a\": 2}]", "22000", 2, 2);
    check_fault("[{\"a\": 1}] x", "22000", 1, 12);
    check_fault("[{\"a\": 1}, ]", "22000", 1, 12);
    check_fault("", "22000", 0, 0);
    check_fault("[]", "22000", 0, 0);
    check_fault("\x1F\x8B\x08", "0A000", 0, 0);
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
    fl_text data, whole, pieces;
    fl_table *table = NULL;
    fl_text_init(&data, NULL);
    fl_text_init(&whole, NULL);
    fl_text_init(&pieces, NULL);
    make_records(&data, 200);
    assert_int_equal(open_bytes(data.data, data.len, NULL, 0, &table, NULL), FL_OK);
    assert_int_equal(scan_text(table, FL_TEXT_PIECE_BYTES, 2048, &whole, NULL), FL_OK);
    for (int64_t chunk = 1; chunk < 140; chunk++) {
        fl_text_clear(&pieces);
        assert_int_equal(scan_text(table, chunk, 1 + (int32_t)chunk % 5, &pieces, NULL), FL_OK);
        assert_true(fl_str_is_equal(fl_text_str(&whole), fl_text_str(&pieces)));
    }
    fl_table_unref(table);
    fl_text_drop(&data);
    fl_text_drop(&whole);
    fl_text_drop(&pieces);
}

/* The n-th allocation, open or read fails, for n = 1, 2, ... until the reading passes untouched. */
static void faults_leave_no_trace(void **state)
{
    (void)state;
    static const fl_fault faults[] = {FL_FAULT_ALLOC, FL_FAULT_OPEN, FL_FAULT_READ};
    fl_text data, text;
    fl_text_init(&data, NULL);
    fl_text_init(&text, NULL);
    make_records(&data, 40);
    for (int64_t kind = 0; kind < FL_LEN(faults); kind++)
        for (int64_t n = 1;; n++) {
            fl_err err = {0};
            fl_table *table = NULL;
            fl_text_clear(&text);
            fl_fault_arm(faults[kind], n);
            fl_status st = open_bytes(data.data, data.len, NULL, 0, &table, &err);
            if (st == FL_OK)
                st = scan_text(table, 300, 7, &text, &err);
            bool is_untouched = fl_fault_is_armed(faults[kind]);
            fl_fault_arm(faults[kind], 0);
            fl_table_unref(table);
            assert_int_equal(memory.used_bytes, 0);
            if (is_untouched) {
                assert_int_equal(st, FL_OK);
                break;
            }
            assert_true(st == FL_OK || err.message[0] != 0); /* the text's own allocation may be the one that fails */
        }
    fl_text_drop(&data);
    fl_text_drop(&text);
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
