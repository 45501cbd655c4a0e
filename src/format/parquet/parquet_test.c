/* The Parquet reader through its table and scan: values, nested shapes, pruning, pieces and threads, options, damage.
 *
 * Relies on: test/data/parquet (made by test/data/make.py) and test/format/parquet/data (made by the script beside
 * it). */
#include "format/parquet/table.h"

#include "table_rows.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define DATA "test/data/parquet/"
#define OWN "test/format/parquet/data/"

static fl_memory memory;

static fl_status open_table(const char *path, fl_table **ret, fl_err *err)
{
    fl_str name = fl_str_of(path);
    return fl_format_parquet.open(&memory, &name, 1, NULL, 0, ret, err);
}

/* Scans all columns; bound may be NULL. */
static fl_status scan(fl_table *table, int32_t rows_max, const fl_scan_bound *bound, table_rows *r, fl_err *err)
{
    table_scan how = {.rows_max = rows_max, .bounds = bound, .n_bounds = bound != NULL};
    fl_status st = table_scan_rows(table, &how, &memory, r, err);
    assert_true(st != FL_OK || r->is_passed);
    return st;
}

static fl_status scan_file(const char *path, int32_t rows_max, table_rows *r, fl_err *err)
{
    fl_table *table = NULL;
    fl_status st = open_table(path, &table, err);
    if (st == FL_OK)
        st = scan(table, rows_max, NULL, r, err);
    fl_table_unref(table);
    return st;
}

static void check_text(const char *path, const char *expected)
{
    static const int32_t sizes[] = {1, 2, 3, 2048};
    for (int i = 0; i < 4; i++) {
        fl_err err = {0};
        fl_text text;
        fl_text_init(&text, &memory);
        table_rows r = {.text = &text};
        if (scan_file(path, sizes[i], &r, &err) != FL_OK)
            fail_msg("%s", err.message);
        fl_text_add_char(&text, 0);
        assert_string_equal(text.data, expected);
        fl_text_drop(&text);
    }
}

/* ---- values ---- */

static void test_every_codec_and_encoding_gives_the_same_rows(void **state)
{
    (void)state;
    static const char *const names[] = {
        "codec_none",   "codec_snappy",        "codec_zstd",   "codec_lz4",    "codec_gzip",
        "codec_brotli", "dictionary_fallback", "delta",        "delta_length", "byte_stream_split",
        "v2_zstd",      "row_groups",          "no_statistics"};
    static const int32_t sizes[] = {1, 7, 64, 2048, 5000};
    uint64_t first = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (int s = 0; s < 5; s++) {
            fl_err err = {0};
            char path[128];
            table_rows r = {0};
            snprintf(path, sizeof(path), DATA "%s.parquet", names[i]);
            if (scan_file(path, sizes[s], &r, &err) != FL_OK)
                fail_msg("%s", err.message);
            assert_int_equal(r.rows, 3000);
            if (first == 0)
                first = r.hash;
            if (r.hash != first)
                fail_msg("%s in batches of %d gives other values", names[i], sizes[s]);
        }
}

static void test_types(void **state)
{
    (void)state;
    const char *expected =
        "true|-128|-32768|-2147483648|-9223372036854775808|0|0|0|0|0.5|0.1|1.50|1.500|12345678901234567890123456.789||"
        "\\x|"
        "1969-12-31|00:00:00|1999-12-31 23:59:59.5|2024-01-31 12:00:00.000001|2024-01-31 12:00:00+00\n"
        "false|127|32767|2147483647|9223372036854775807|255|65535|4294967295|18446744073709551615|-1.25|NaN|-9999999."
        "99|"
        "-0.001|-1.000|Gr\303\274\303\237e \360\237\246\206|\\x00ff|2024-02-29|23:59:59.999999|1970-01-01 00:00:00|"
        "1900-01-01 00:00:00|1970-01-01 00:00:00+00\n"
        "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL\n";
    check_text(DATA "types.parquet", expected);
    check_text(DATA "types_v2_pages.parquet", expected);
    check_text(DATA "types_int96.parquet", "2024-01-31 12:00:00.000001\n1900-01-01 00:00:00\nNULL\n");
    check_text(DATA "decimal_as_integer.parquet",
               "1.50|1.500|12345678901234567890123456.789\n-9999999.99|-0.001|-1.000\nNULL|NULL|NULL\n");
    check_text(DATA "fixed_binary.parquet", "\\x61626364\n\\x00010203\nNULL\n");
    check_text(DATA "all_null.parquet", "NULL|NULL\nNULL|NULL\nNULL|NULL\nNULL|NULL\nNULL|NULL\n");
    check_text(DATA "required.parquet", "1|a\n2|b\n3|c\n");
    check_text(DATA "no_rows.parquet", "");
}

static void test_nested(void **state)
{
    (void)state;
    const char *expected = "1|[1, 2, 3]|{'a': 1, 'b': x}|[{'k': p, 'v': 1}, {'k': q, 'v': NULL}]|[[1], [2, 3]]|{'in': "
                           "{'x': 1.5}}|[a, bb]\n"
                           "2|[]|{'a': NULL, 'b': y}|[]|[[]]|{'in': NULL}|['', NULL]\n"
                           "3|NULL|NULL|NULL|NULL|NULL|[]\n"
                           "4|[NULL, 5]|{'a': 4, 'b': NULL}|[NULL]|[NULL, [4]]|{'in': {'x': NULL}}|NULL\n";
    check_text(DATA "nested.parquet", expected);
    check_text(DATA "nested_v2_pages.parquet", expected);
}

/* ---- skipping ---- */

static void test_statistics_prune_row_groups_and_pages(void **state)
{
    (void)state;
    fl_err err = {0};
    fl_table *table = NULL;
    assert_int_equal(open_table(DATA "row_groups.parquet", &table, &err), FL_OK);
    fl_value low = {.type = FL_TYPE(FL_I64), .i = 1000}, high = {.type = FL_TYPE(FL_I64), .i = 1009};
    fl_scan_bound bound = {.slot = 0, .has_low = true, .has_high = true, .low = low, .high = high};
    table_rows r = {0};
    assert_int_equal(scan(table, 2048, &bound, &r, &err), FL_OK);
    assert_int_equal(r.pruned, 11); /* of 12 groups of 250 rows */
    assert_int_equal(r.rows, 250);
    fl_table_unref(table);
    assert_int_equal(open_table(OWN "pieces_indexed.parquet", &table, &err), FL_OK);
    bound.low.i = 150000;
    bound.high.i = 150009;
    r = (table_rows){0};
    assert_int_equal(scan(table, 2048, &bound, &r, &err), FL_OK);
    assert_in_range(r.rows, 10, 30000); /* a page or two of 300,000 rows */
    fl_table_unref(table);
}

static void test_bounds_never_lose_rows(void **state)
{
    (void)state;
    for (int64_t low = -1; low <= 3000; low += 97)
        for (int64_t width = 0; width <= 1000; width += 250) {
            fl_err err = {0};
            fl_table *table = NULL;
            fl_text text;
            fl_text_init(&text, &memory);
            assert_int_equal(open_table(DATA "row_groups.parquet", &table, &err), FL_OK);
            fl_value a = {.type = FL_TYPE(FL_I64), .i = low}, b = {.type = FL_TYPE(FL_I64), .i = low + width};
            fl_scan_bound bound = {.slot = 0, .has_low = true, .has_high = true, .low = a, .high = b};
            table_rows r = {.text = &text};
            assert_int_equal(scan(table, 64, &bound, &r, &err), FL_OK);
            fl_text_add_char(&text, 0);
            int64_t wanted = 0;
            for (char *line = text.data; *line != 0; line = strchr(line, '\n') + 1) {
                int64_t id = atoll(line);
                wanted += id >= low && id <= low + width;
            }
            int64_t from = low < 0 ? 0 : low, to = low + width > 2999 ? 2999 : low + width;
            assert_int_equal(wanted, to >= from ? to - from + 1 : 0);
            fl_text_drop(&text);
            fl_table_unref(table);
        }
}

/* Columns that are read in some batches only must find their place again. */
static void check_late_reads(const char *path, int32_t rows_max, int every)
{
    fl_err err = {0};
    fl_table *table = NULL;
    fl_scan *s = NULL;
    fl_scan_worker *w = NULL;
    int32_t cols[] = {0, 1, 2};
    assert_int_equal(open_table(path, &table, &err), FL_OK);
    fl_scan_request request = {.cols = cols, .n_cols = 3, .rows_max = rows_max, .memory = &memory};
    assert_int_equal(table->ops->scan_new(table, &request, &s, &err), FL_OK);
    assert_int_equal(s->ops->worker_new(s, &memory, &w, &err), FL_OK);
    int64_t morsel = 0, row = 0, batch = 0;
    fl_arena arena;
    fl_arena_init(&arena, &memory);
    for (bool any = true; any;) {
        assert_int_equal(s->ops->claim(w, &any, &morsel, &err), FL_OK);
        for (int32_t rows = any; rows > 0; row += rows, batch++) {
            assert_int_equal(s->ops->next(w, &rows, &err), FL_OK);
            for (int32_t slot = 0; slot < 3 && rows > 0; slot++) {
                fl_vec vec;
                fl_value value;
                if ((batch + slot) % every != 0)
                    continue;
                if (s->ops->read(w, slot, NULL, &vec, &err) != FL_OK)
                    fail_msg("%s", err.message);
                for (int32_t i = 0; i < rows; i += 1 + rows / 3) {
                    fl_arena_reset(&arena);
                    assert_int_equal(fl_value_from_vec(&arena, &vec, i, &value, &err), FL_OK);
                    int64_t at = row + i;
                    if (slot == 0) {
                        assert_int_equal(value.i, at);
                    } else if (slot == 1) {
                        assert_int_equal(value.is_null, at % 1000 == 0);
                        if (!value.is_null)
                            assert_int_equal(value.s.data[value.s.len - 1], '0' + at / 50000);
                    } else {
                        assert_int_equal(value.list.n, at % 10000 == 0 ? 2 : 0);
                        if (value.list.n > 0)
                            assert_int_equal(value.list.items[1].i, at + 1);
                    }
                }
            }
        }
    }
    assert_int_equal(row, 300000);
    fl_arena_drop(&arena);
    s->ops->worker_free(w);
    s->ops->free(s);
    fl_table_unref(table);
}

static void test_columns_may_be_read_late(void **state)
{
    (void)state;
    for (int every = 1; every <= 40; every += 13) {
        check_late_reads(OWN "pieces.parquet", 2048, every);
        check_late_reads(OWN "pieces_indexed.parquet", 2048, every);
        check_late_reads(OWN "pieces_indexed.parquet", 500, every);
    }
}

/* ---- threads ---- */

typedef struct worker_run {
    fl_scan *scan;
    _Atomic int64_t *sum;
    _Atomic int64_t *words;
} worker_run;

static void *run_worker(void *arg)
{
    worker_run *run = arg;
    fl_scan *s = run->scan;
    fl_scan_worker *w = NULL;
    fl_err err = {0};
    int64_t morsel = 0, sum = 0, words = 0;
    if (s->ops->worker_new(s, &memory, &w, &err) != FL_OK)
        return NULL;
    for (bool any = true; any;) {
        if (s->ops->claim(w, &any, &morsel, &err) != FL_OK)
            break;
        for (int32_t rows = any; rows > 0;) {
            fl_vec ids, text;
            if (s->ops->next(w, &rows, &err) != FL_OK || rows == 0)
                break;
            if (s->ops->read(w, 0, NULL, &ids, &err) != FL_OK || s->ops->read(w, 1, NULL, &text, &err) != FL_OK)
                break;
            for (int32_t i = 0; i < rows; i++) {
                sum += ((const int64_t *)ids.data)[i];
                if (fl_vec_is_valid(&text, i))
                    words += fl_vec_str(&text, i).len;
            }
        }
    }
    s->ops->worker_free(w);
    atomic_fetch_add(run->sum, sum);
    atomic_fetch_add(run->words, words);
    return NULL;
}

static void test_workers_share_a_row_group(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        fl_err err = {0};
        fl_table *table = NULL;
        fl_scan *s = NULL;
        pthread_t threads[3];
        int32_t cols[] = {0, 1};
        _Atomic int64_t sum = 0, words = 0;
        assert_int_equal(open_table(OWN "pieces_indexed.parquet", &table, &err), FL_OK);
        fl_scan_request request = {.cols = cols, .n_cols = 2, .rows_max = 2048, .memory = &memory};
        assert_int_equal(table->ops->scan_new(table, &request, &s, &err), FL_OK);
        worker_run run = {s, &sum, &words};
        for (int i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, run_worker, &run);
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(sum, 299999ll * 300000 / 2);
        assert_int_equal(words, (300000 - 300) * 31);
        s->ops->free(s);
        fl_table_unref(table);
    }
}

/* ---- tables ---- */

static void test_statistics_of_a_table(void **state)
{
    (void)state;
    fl_err err = {0};
    fl_table *table = NULL;
    fl_col_stats stats;
    assert_int_equal(open_table(DATA "row_groups.parquet", &table, &err), FL_OK);
    assert_int_equal((int64_t)table->rows, 3000);
    table->ops->stats(table, 0, &stats);
    assert_true(stats.has_bounds);
    assert_int_equal(stats.min.i, 0);
    assert_int_equal(stats.max.i, 2999);
    assert_int_equal((int64_t)stats.distinct, 3000);
    assert_int_equal((int64_t)stats.null_fraction, 0);
    table->ops->stats(table, 1, &stats); /* small: ten values */
    assert_int_equal((int64_t)stats.distinct, 10);
    table->ops->stats(table, 2, &stats); /* word: every 17th is null */
    assert_true(stats.has_bounds);
    assert_memory_equal(stats.max.s.data, "word9", 5);
    assert_true(stats.null_fraction > 0.058 && stats.null_fraction < 0.060);
    assert_true(stats.distinct >= 45 && stats.distinct <= 60);
    table->ops->stats(table, 3, &stats); /* real: NaN is above every maximum */
    assert_false(stats.has_bounds);
    fl_table_unref(table);
}

static void test_several_files(void **state)
{
    (void)state;
    fl_err err = {0};
    fl_table *table = NULL;
    fl_str parts[] = {FL_STR(DATA "part_1.parquet"), FL_STR(DATA "part_2.parquet"), FL_STR(DATA "part_3.parquet")};
    assert_int_equal(fl_format_parquet.open(&memory, parts, 3, NULL, 0, &table, &err), FL_OK);
    fl_text text;
    fl_text_init(&text, &memory);
    table_rows r = {.text = &text};
    assert_int_equal(scan(table, 2048, NULL, &r, &err), FL_OK);
    fl_text_add_char(&text, 0);
    assert_string_equal(text.data, "1|0\n2|0\n2|1\n3|0\n3|1\n3|2\n");
    fl_text_drop(&text);
    fl_table_unref(table);
    table = NULL;
    fl_str nulls[] = {FL_STR(DATA "required.parquet"), FL_STR(OWN "small.parquet")};
    assert_int_equal(fl_format_parquet.open(&memory, nulls, 1, NULL, 0, &table, &err), FL_OK);
    assert_false(table->fields[0].nullable);
    fl_table_unref(table);
    assert_int_equal(fl_format_parquet.open(&memory, nulls, 2, NULL, 0, &table, &err), FL_OK);
    assert_true(table->fields[0].nullable);
    fl_table_unref(table);
    table = NULL;
    fl_str name[] = {FL_STR(OWN "small.parquet"), FL_STR(OWN "small_other_name.parquet")};
    assert_int_equal(fl_format_parquet.open(&memory, name, 2, NULL, 0, &table, &err), FL_ERR_FORMAT);
    assert_non_null(strstr(err.message, "small_other_name.parquet"));
    assert_non_null(strstr(err.message, "\"t\""));
    fl_str type[] = {FL_STR(OWN "small.parquet"), FL_STR(OWN "small_other_type.parquet")};
    assert_int_equal(fl_format_parquet.open(&memory, type, 2, NULL, 0, &table, &err), FL_ERR_TYPE);
    assert_non_null(strstr(err.message, "bigint"));
    assert_null(table);
}

static void test_options(void **state)
{
    (void)state;
    fl_err err = {0};
    fl_table *table = NULL;
    fl_str path = FL_STR(DATA "bad_checksum.parquet");
    fl_option off = {.name = FL_STR("verify_checksums"), .value = {.type = FL_TYPE(FL_BOOL), .b = false}};
    table_rows r = {0};
    assert_int_equal(fl_format_parquet.open(&memory, &path, 1, &off, 1, &table, &err), FL_OK);
    assert_int_equal(scan(table, 2048, NULL, &r, &err), FL_OK);
    fl_table_unref(table);
    fl_option wrong = {.name = FL_STR("verify_checksum"), .value = off.value};
    assert_int_equal(fl_format_parquet.open(&memory, &path, 1, &wrong, 1, &table, &err), FL_ERR_CONFIG);
    assert_non_null(strstr(err.hint, "verify_checksums"));
    fl_option text = {.name = FL_STR("binary_as_string"), .value = {.type = FL_TYPE(FL_BOOL), .b = true}};
    path = FL_STR(DATA "types.parquet");
    assert_int_equal(fl_format_parquet.open(&memory, &path, 1, &text, 1, &table, &err), FL_OK);
    assert_int_equal(table->fields[15].type.id, FL_UTF8);
    assert_int_equal(scan(table, 2048, NULL, &r, &err), FL_ERR_CORRUPT); /* its bytes are no text */
    assert_non_null(strstr(err.message, "UTF-8"));
    fl_table_unref(table);
}

/* ---- damage ---- */

typedef struct bytes {
    uint8_t *data;
    int64_t n;
} bytes;

static bytes load(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    bytes b = {.n = ftell(file)};
    rewind(file);
    b.data = malloc((size_t)b.n);
    assert_int_equal(fread(b.data, 1, (size_t)b.n, file), b.n);
    fclose(file);
    return b;
}

static fl_status scan_bytes(const uint8_t *data, int64_t n, table_rows *r, fl_err *err)
{
    fl_table *table = NULL;
    table_source source = {&fl_format_parquet, data, n, NULL, 0};
    fl_status st = table_open(&source, &memory, &table, err);
    if (st == FL_OK)
        st = scan(table, 2048, NULL, r, err);
    fl_table_unref(table);
    return st;
}

/* R1 */
static void test_no_prefix_is_a_file(void **state)
{
    (void)state;
    static const char *const names[] = {DATA "required.parquet", DATA "nested.parquet"};
    for (int f = 0; f < 2; f++) {
        bytes b = load(names[f]);
        for (int64_t n = 0; n < b.n; n++) {
            fl_err err = {0};
            table_rows r = {0};
            uint8_t *exact = malloc((size_t)n + 1);
            memcpy(exact, b.data, (size_t)n);
            assert_int_equal(scan_bytes(exact, n, &r, &err), FL_ERR_CORRUPT);
            assert_non_null(strstr(err.message, "/proc/self/fd/"));
            free(exact);
        }
        free(b.data);
    }
}

/* R5: a million columns or row groups in a footer that has the bytes for them. */
static void test_counts_have_limits(void **state)
{
    (void)state;
    /* fields 1 (version), 2 (a million schema elements) */
    static const uint8_t columns[] = {0x15, 0x02, 0x19, 0xFC, 0xC0, 0x84, 0x3D};
    /* fields 1, 2 (root with one child; "a": int32, required), 3 (rows), 4 (a million row groups) */
    static const uint8_t groups[] = {0x15, 0x02, 0x19, 0x2C, 0x48, 0x01, 'r',  0x15, 0x02, 0x00, 0x15, 0x02, 0x25,
                                     0x00, 0x18, 0x01, 'a',  0x00, 0x16, 0x00, 0x19, 0xFC, 0xC0, 0x84, 0x3D};
    static const struct {
        const uint8_t *head;
        size_t bytes;
        const char *word;
    } cases[] = {{columns, sizeof(columns), "columns"}, {groups, sizeof(groups), "row groups"}};
    const size_t footer = 5000000, n = 4 + footer + 8;
    uint8_t *data = malloc(n);
    for (int64_t i = 0; i < FL_LEN(cases); i++) {
        fl_err err = {0};
        table_rows r = {0};
        memset(data, 0, n);
        memcpy(data, "PAR1", 4);
        memcpy(data + 4, cases[i].head, cases[i].bytes);
        for (int b = 0; b < 4; b++)
            data[n - 8 + (size_t)b] = (uint8_t)(footer >> 8 * b);
        memcpy(data + n - 4, "PAR1", 4);
        assert_int_equal(scan_bytes(data, (int64_t)n, &r, &err), FL_ERR_LIMIT);
        assert_non_null(strstr(err.message, cases[i].word));
    }
    free(data);
}

/* R2: with checksums a flipped bit of a page gives an error or changes nothing; elsewhere at least nothing breaks. */
static void test_flipped_bits(void **state)
{
    (void)state;
    static const char *const names[] = {DATA "codec_zstd.parquet", DATA "delta.parquet", DATA "nested.parquet"};
    for (int f = 0; f < 3; f++) {
        bytes b = load(names[f]);
        fl_err err = {0};
        table_rows whole = {0};
        assert_int_equal(scan_bytes(b.data, b.n, &whole, &err), FL_OK);
        int64_t footer = b.n - 8 - (b.data[b.n - 8] | b.data[b.n - 7] << 8 | b.data[b.n - 6] << 16);
        int64_t refused = 0, flips = 0;
        for (int64_t bit = 0; bit < b.n * 8; bit += 1 + b.n * 8 / 1500) {
            table_rows r = {0};
            b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            fl_status st = scan_bytes(b.data, b.n, &r, &err);
            b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (bit / 8 < footer) {
                flips++;
                refused += st != FL_OK;
                if (st == FL_OK && r.rows == whole.rows && r.hash != whole.hash)
                    fail_msg("%s with bit %lld flipped gives wrong rows", names[f], (long long)bit);
            }
        }
        assert_true(refused * 2 > flips); /* the others hit statistics in page headers, or the indexes */
        free(b.data);
    }
}

static void test_errors_say_where(void **state)
{
    (void)state;
    fl_err err = {0};
    table_rows r = {0};
    assert_int_equal(scan_file(DATA "bad_checksum.parquet", 2048, &r, &err), FL_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "bad_checksum.parquet"));
    assert_non_null(strstr(err.message, "row group 0"));
    assert_non_null(strstr(err.message, "\"word\""));
    assert_non_null(strstr(err.message, "checksum"));
    assert_int_equal(scan_file(DATA "bad_truncated.parquet", 2048, &r, &err), FL_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "footer missing, "));
    assert_int_equal(scan_file(DATA "bad_text.parquet", 2048, &r, &err), FL_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "is no Parquet file"));
    assert_int_equal(scan_file(DATA "bad_empty.parquet", 2048, &r, &err), FL_ERR_CORRUPT);
}

/* R9 */
static void test_a_file_that_changes_is_noticed(void **state)
{
    (void)state;
    char path[64];
    fl_err err = {0};
    fl_table *table = NULL;
    bytes b = load(DATA "codec_none.parquet");
    int fd = table_file_new(b.data, b.n, path);
    assert_int_equal(open_table(path, &table, &err), FL_OK);
    assert_int_equal(ftruncate(fd, b.n / 3), 0);
    table_rows r = {0};
    assert_int_equal(scan(table, 2048, NULL, &r, &err), FL_ERR_IO);
    assert_non_null(strstr(err.message, "changed while it was read"));
    fl_table_unref(table);
    close(fd);
    free(b.data);
}

static void test_memory_limit(void **state)
{
    (void)state;
    fl_err err = {0};
    fl_memory small;
    fl_table *table = NULL;
    fl_scan *s = NULL;
    fl_scan_worker *w = NULL;
    int32_t cols[] = {0, 1, 2};
    assert_int_equal(open_table(OWN "pieces.parquet", &table, &err), FL_OK);
    fl_memory_init(&small, NULL, "query", 400000);
    fl_scan_request request = {.cols = cols, .n_cols = 3, .rows_max = 2048, .memory = &small};
    assert_int_equal(table->ops->scan_new(table, &request, &s, &err), FL_OK);
    fl_status st = s->ops->worker_new(s, &small, &w, &err);
    bool any = false;
    int32_t rows = 0;
    int64_t morsel = 0;
    if (st == FL_OK)
        st = s->ops->claim(w, &any, &morsel, &err);
    if (st == FL_OK)
        st = s->ops->next(w, &rows, &err);
    for (int32_t i = 0; st == FL_OK && i < 3; i++) {
        fl_vec vec;
        st = s->ops->read(w, i, NULL, &vec, &err);
    }
    assert_int_equal(st, FL_ERR_MEMORY);
    if (w != NULL)
        s->ops->worker_free(w);
    s->ops->free(s);
    assert_int_equal(atomic_load(&small.used_bytes), 0);
    fl_table_unref(table);
}

/* R17, R18 */
static void test_everything_that_can_fail(void **state)
{
    (void)state;
    static const char *const names[] = {DATA "nested.parquet", DATA "dictionary_fallback.parquet", DATA "delta.parquet",
                                        OWN "small.parquet"};
    for (int f = 0; f < 4; f++) {
        bytes b = load(names[f]);
        table_source source = {&fl_format_parquet, b.data, b.n, NULL, 0};
        table_check_faults(&source, &(table_scan){.rows_max = 1000}, &memory);
        free(b.data);
    }
}

static void test_encrypted_files_are_refused_by_name(void **state)
{
    (void)state;
    fl_err err = {0};
    table_rows r = {0};
    bytes b = load(DATA "required.parquet");
    memcpy(b.data + b.n - 4, "PARE", 4);
    assert_int_equal(scan_bytes(b.data, b.n, &r, &err), FL_ERR_CONFIG);
    assert_non_null(strstr(err.message, "encrypted"));
    free(b.data);
}

static int check_leaks(void **state)
{
    (void)state;
    return atomic_load(&memory.used_bytes) != 0;
}

#define TEST(function) cmocka_unit_test_teardown(function, check_leaks)

int main(void)
{
    fl_memory_init(&memory, NULL, "test", (int64_t)1 << 30);
    const struct CMUnitTest tests[] = {
        TEST(test_every_codec_and_encoding_gives_the_same_rows),
        TEST(test_types),
        TEST(test_nested),
        TEST(test_statistics_prune_row_groups_and_pages),
        TEST(test_bounds_never_lose_rows),
        TEST(test_columns_may_be_read_late),
        TEST(test_workers_share_a_row_group),
        TEST(test_statistics_of_a_table),
        TEST(test_several_files),
        TEST(test_options),
        TEST(test_no_prefix_is_a_file),
        TEST(test_counts_have_limits),
        TEST(test_flipped_bits),
        TEST(test_errors_say_where),
        TEST(test_a_file_that_changes_is_noticed),
        TEST(test_memory_limit),
        TEST(test_everything_that_can_fail),
        TEST(test_encrypted_files_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
