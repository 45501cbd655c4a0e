/* Samples of text files: rows of windows are rows of the file, whatever quotes hold; windows that cannot be cut are left out; how
 * many rows there are; small files and arrays; failures of all kinds. Files live in memory. */
#include "format/text_sample.h"

#include "table_rows.h"

#include "base/fault.h"
#include "base/interrupt.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define ROWS 30000
#define FEW_ROWS 700 /* in several windows */

extern const fl_format_desc fl_format_csv, fl_format_json;

static fl_memory memory;

/* ---- files, in which all follows from a row's number ---- */

static void word_of(int64_t id, fl_text *to)
{
    fl_text_addf(to, "word %lld", (long long)(id % 7));
}

/* The text of a field without quotes: lines of more fields, some of them longer than others. */
static void note_of(int64_t id, fl_text *to)
{
    for (int64_t i = 0; i < id % 5 * 3; i++)
        fl_text_addf(to, "%lld,\"x\"\n", (long long)(id + i));
}

static void add_quoted(fl_text *to, const fl_text *text, char escape)
{
    fl_text_addf(to, "\"");
    for (int64_t i = 0; i < text->len; i++)
        fl_text_addf(to, "%s%c", text->data[i] == '"' ? (escape == '"' ? "\"" : "\\") : "", text->data[i]);
    fl_text_addf(to, "\"");
}

static void make_csv(fl_text *to, int64_t rows, char escape, const char *newline)
{
    fl_text note;
    fl_text_init(&note, NULL);
    fl_text_addf(to, "id,note,word%s", newline);
    for (int64_t id = 0; id < rows; id++) {
        note.len = 0;
        note_of(id, &note);
        fl_text_addf(to, "%lld,", (long long)id);
        add_quoted(to, &note, escape);
        fl_text_addf(to, ",");
        word_of(id, to);
        fl_text_addf(to, "%s", newline);
    }
    fl_text_drop(&note);
}

static void make_json(fl_text *to, int64_t rows, bool is_array)
{
    for (int64_t id = 0; id < rows; id++) {
        fl_text_addf(to, "%s{\"id\": %lld, \"note\": \"\\n\", \"word\": \"",
                     !is_array ? ""
                     : id == 0 ? "["
                               : ",",
                     (long long)id);
        word_of(id, to);
        fl_text_addf(to, "\"}\n");
    }
    fl_text_addf(to, is_array ? "]" : "");
}

static fl_table *open_text(const fl_format_desc *format, const fl_text *data, const fl_option *options,
                           int32_t n_options)
{
    fl_table *table = NULL;
    table_source source = {format, data->data, data->len, options, n_options};
    assert_int_equal(table_open(&source, &memory, &table, NULL), FL_OK);
    return table;
}

/* ---- what is checked of all ---- */

static void check_row(const fl_vec *ids, const fl_vec *words, int32_t row, int64_t rows)
{
    fl_text wanted;
    int64_t id = ((const int64_t *)ids->data)[row];
    fl_text_init(&wanted, NULL);
    word_of(id, &wanted);
    assert_true(fl_vec_is_valid(ids, row) && id >= 0 && id < rows);
    assert_true(fl_str_is_equal(fl_vec_str(words, row), (fl_str){wanted.data, wanted.len}));
    fl_text_drop(&wanted);
}

static void check_sample(fl_table *table, int64_t rows, int32_t places_min)
{
    const int32_t cols[] = {0, 2};
    fl_vec vecs[2];
    fl_table_sample sample;
    fl_col_stats stats;
    double counted = 0;
    assert_int_equal(table->ops->sample(table, &memory, cols, 2, vecs, &sample, NULL), FL_OK);
    assert_true(sample.n_places >= places_min && sample.rows <= FL_SAMPLE_ROWS_MAX);
    assert_true(sample.rows > 0 && (sample.n_places == 0 || sample.place_ends[sample.n_places - 1] == sample.rows));
    for (int32_t i = 0; i < sample.rows; i++)
        check_row(&vecs[0], &vecs[1], i, rows);
    assert_int_equal(table->ops->sample_rows(table, &memory, &counted, NULL), FL_OK);
    assert_true(fabs(counted / (double)rows - 1) < 0.1);
    assert_int_equal(table->ops->sample_stats(table, &memory, 2, &stats, NULL), FL_OK);
    assert_true(stats.n_common == 7 && stats.distinct == 7 && stats.null_fraction == 0);
    assert_true(fabs(stats.common[0].share - 1.0 / 7) < 0.03);
}

static fl_option text_option(const char *name, const char *value)
{
    return (fl_option){.name = fl_str_of(name), .value = {.type = FL_TYPE(FL_UTF8), .s = fl_str_of(value)}};
}

/* ---- tests ---- */

static void rows_of_csv_are_rows(void **state)
{
    (void)state;
    fl_option escape[] = {text_option("escape", "\\"), text_option("quote", "\"")},
              comment = text_option("comment", "#");
    for (int how = 0; how < 4; how++) {
        fl_text data;
        fl_text_init(&data, NULL);
        make_csv(&data, ROWS, how == 1 ? '\\' : '"', how == 2 ? "\r\n" : "\n");
        fl_table *table = open_text(&fl_format_csv, &data, how == 3 ? &comment : escape, how == 1 ? 2 : how == 3);
        check_sample(table, ROWS, FL_SAMPLE_PLACES_MAX);
        fl_table_unref(table);
        fl_text_drop(&data);
    }
}

static void rows_of_json_are_rows(void **state)
{
    (void)state;
    fl_text data;
    fl_text_init(&data, NULL);
    make_json(&data, ROWS, false);
    fl_table *table = open_text(&fl_format_json, &data, NULL, 0);
    check_sample(table, ROWS, FL_SAMPLE_PLACES_MAX);
    fl_table_unref(table);
    fl_text_drop(&data);
}

static int32_t sampled_rows(fl_table *table)
{
    const int32_t col = 0;
    fl_vec vec;
    fl_table_sample sample;
    assert_int_equal(table->ops->sample(table, &memory, &col, 1, &vec, &sample, NULL), FL_OK);
    return sample.rows;
}

static void arrays_have_no_sample(void **state)
{
    (void)state;
    fl_text data;
    fl_text_init(&data, NULL);
    make_json(&data, 1000, true);
    fl_table *table = open_text(&fl_format_json, &data, NULL, 0);
    assert_int_equal(sampled_rows(table), 0);
    fl_table_unref(table);
    fl_text_drop(&data);
}

static void small_files_are_whole(void **state)
{
    (void)state;
    const int32_t col = 0;
    fl_text data;
    fl_text_init(&data, NULL);
    fl_text_addf(&data, "id,name\n1,one\n2,two\n3,three\n");
    fl_table *table = open_text(&fl_format_csv, &data, NULL, 0);
    fl_col_stats stats;
    assert_int_equal(sampled_rows(table), 3);
    assert_int_equal(table->ops->sample_stats(table, &memory, col, &stats, NULL), FL_OK);
    assert_true(stats.distinct == 3 && stats.source == FL_STATS_EXACT);
    fl_table_unref(table);
    data.len = 0;
    fl_text_addf(&data, "id,name\n");
    table = open_text(&fl_format_csv, &data, NULL, 0);
    assert_int_equal(sampled_rows(table), 0);
    fl_table_unref(table);
    fl_text_drop(&data);
}

/* What lies in quotes looks like nothing, or like rows of other types: there are no windows, and no rows that are none. */
static void what_cannot_be_cut_is_left_out(void **state)
{
    (void)state;
    const char *const insides[] = {"only text\n", "text,which,has,more\n", "x,\"\"y\"\",z\n"};
    for (size_t i = 0; i < FL_LEN(insides); i++) {
        fl_text data;
        fl_text_init(&data, NULL);
        make_csv(&data, ROWS / 2, '"', "\n");
        fl_text_addf(&data, "%d,\"", ROWS / 2);
        for (int64_t end = data.len * 2; data.len < end;)
            fl_text_addf(&data, "%s", insides[i]);
        fl_text_addf(&data, "\",word %d\n", ROWS / 2 % 7);
        fl_table *table = open_text(&fl_format_csv, &data, NULL, 0);
        const int32_t cols[] = {0, 2};
        fl_vec vecs[2];
        fl_table_sample sample;
        assert_int_equal(table->ops->sample(table, &memory, cols, 2, vecs, &sample, NULL), FL_OK);
        assert_in_range(sample.n_places, 3, 5);
        for (int32_t row = 0; row < sample.rows; row++)
            check_row(&vecs[0], &vecs[1], row, ROWS / 2 + 1);
        fl_table_unref(table);
        fl_text_drop(&data);
    }
}

/* What is wrong with a file is for its scan to tell. */
static void broken_files_have_what_can_be_read(void **state)
{
    (void)state;
    fl_text data;
    fl_text_init(&data, NULL);
    make_json(&data, ROWS, false);
    for (int64_t at = data.len / 10 * 7; at < data.len; at++)
        data.data[at] = data.data[at] == '\n' ? '\n' : '{';
    fl_table *table = open_text(&fl_format_json, &data, NULL, 0);
    assert_int_equal(sampled_rows(table), FL_SAMPLE_ROWS_MAX / 4); /* the second round has a place that is broken */
    fl_table_unref(table);
    fl_text_drop(&data);
}

static void check_failures(const fl_format_desc *format, const fl_text *data)
{
    static const struct {
        fl_fault fault;
        fl_status status;
    } kinds[] = {{FL_FAULT_ALLOC, FL_ERR_MEMORY}, {FL_FAULT_READ, FL_ERR_IO}, {FL_FAULT_INTERRUPT, FL_ERR_CANCELLED}};
    const int32_t cols[] = {0, 2};
    for (size_t kind = 0; kind < FL_LEN(kinds); kind++) {
        bool is_untouched = false;
        for (int64_t n = 1; !is_untouched; n++) {
            fl_table *table = open_text(format, data, NULL, 0);
            fl_table_sample sample;
            fl_vec vecs[2];
            fl_interrupt interrupt = {0};
            fl_memory statement;
            fl_interrupt_begin(&interrupt);
            fl_memory_init(&statement, &memory, "statement", 0);
            statement.interrupt = &interrupt;
            fl_fault_arm(kinds[kind].fault, n);
            fl_status st = table->ops->sample(table, &statement, cols, 2, vecs, &sample, NULL);
            is_untouched = fl_fault_is_armed(kinds[kind].fault);
            fl_fault_arm(kinds[kind].fault, 0);
            assert_int_equal(st, is_untouched ? FL_OK : kinds[kind].status);
            assert_int_equal(atomic_load(&statement.used_bytes), 0);
            check_sample(table, FEW_ROWS, 0); /* what failed once is tried again */
            fl_table_unref(table);
            assert_int_equal(atomic_load(&memory.used_bytes), 0);
            assert_true(n < 10000);
        }
    }
}

static void failures_leave_nothing_behind(void **state)
{
    (void)state;
    fl_text data;
    fl_text_init(&data, NULL);
    make_csv(&data, FEW_ROWS, '"', "\n");
    check_failures(&fl_format_csv, &data);
    data.len = 0;
    make_json(&data, FEW_ROWS, false);
    check_failures(&fl_format_json, &data);
    fl_text_drop(&data);
}

static int leaves_no_memory(void **state)
{
    (void)state;
    return atomic_load(&memory.used_bytes) == 0 ? 0 : -1;
}

#define TEST(function) cmocka_unit_test_teardown(function, leaves_no_memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_of_csv_are_rows),           TEST(rows_of_json_are_rows),
        TEST(arrays_have_no_sample),          TEST(small_files_are_whole),
        TEST(what_cannot_be_cut_is_left_out), TEST(broken_files_have_what_can_be_read),
        TEST(failures_leave_nothing_behind),
    };
    fl_memory_init(&memory, NULL, "test", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
