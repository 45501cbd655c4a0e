/* Samples of files: which places are picked, that rows of all columns are the same rows, what cannot be read, failures of all
 * kinds, threads, and that a file that changed has another sample.
 *
 * Relies on: test/data/parquet and test/format/parquet/data (made by the scripts beside them). */
#include "format/file_sample.h"

#include "format/files_cache.h"
#include "format/files_table.h"

#include "base/fault.h"
#include "base/interrupt.h"
#include "base/workers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DATA "test/data/parquet/"
#define OWN "test/format/parquet/data/"
#define PIECES_ROWS 300000

extern const fl_format_desc fl_format_parquet;

static fl_memory memory;

static fl_table *open_table(const char *path)
{
    fl_table *table = NULL;
    fl_str name = fl_str_of(path);
    assert_int_equal(fl_format_parquet.open(&memory, &name, 1, NULL, 0, &table, NULL), FL_OK);
    return table;
}

/* ---- places ---- */

typedef struct fake_scan {
    fl_scan scan;
    const int64_t *rows;
} fake_scan;

static int64_t fake_rows(const fl_scan *scan, int64_t morsel)
{
    return ((const fake_scan *)scan)->rows[morsel];
}

static void check_places(const int64_t *rows, int64_t n_morsels)
{
    fl_arena arena;
    fl_file_places places, again;
    fake_scan scan = {.rows = rows};
    int64_t total = 0;
    fl_arena_init(&arena, &memory);
    for (int64_t m = 0; m < n_morsels; m++)
        total += rows[m];
    assert_int_equal(fl_file_places_pick(&arena, &scan.scan, n_morsels, fake_rows, &places, NULL), FL_OK);
    assert_int_equal(fl_file_places_pick(&arena, &scan.scan, n_morsels, fake_rows, &again, NULL), FL_OK);
    assert_true(places.n <= FL_FILE_SAMPLE_PLACES && (places.n > 0) == (total > 0));
    assert_true(!places.is_whole || total <= FL_SAMPLE_ROWS_MAX);
    int32_t sum = 0;
    for (int32_t i = 0; i < places.n; i++) {
        const fl_file_place *p = &places.items[i];
        sum += p->n_rows;
        assert_true(p->morsel < n_morsels && p->n_rows > 0);
        assert_int_equal(places.ends[i], sum);
        assert_true((int64_t)p->batch * FL_FILE_SAMPLE_BATCH_ROWS + p->rows[p->n_rows - 1] < rows[p->morsel]);
        for (int32_t r = 1; r < p->n_rows; r++)
            assert_true(p->rows[r] > p->rows[r - 1]);
        assert_int_equal(p->morsel, again.items[i].morsel);
        assert_memory_equal(p->rows, again.items[i].rows, (size_t)p->n_rows * sizeof(*p->rows));
    }
    assert_true(sum <= FL_SAMPLE_ROWS_MAX && sum <= total);
    if (places.is_whole)
        assert_int_equal(sum, total);
    fl_arena_drop(&arena);
}

static void places_lie_all_over_a_table(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 2, 7, 2047, 2048, 2049, 3000, 20000, 122880};
    int64_t rows[300];
    for (size_t i = 0; i < FL_LEN(sizes); i++)
        for (int64_t n = 0; n <= (int64_t)FL_LEN(rows); n = n * 2 + 1) {
            for (int64_t m = 0; m < n; m++)
                rows[m] = m % 3 == 2 ? 1 + m : sizes[i];
            check_places(rows, n);
        }
}

/* ---- columns ---- */

static fl_table_sample sample_of(fl_table *table, const int32_t *cols, int32_t n_cols, fl_vec *ret_vecs)
{
    fl_table_sample sample;
    assert_int_equal(table->ops->sample(table, &memory, cols, n_cols, ret_vecs, &sample, NULL), FL_OK);
    return sample;
}

static fl_col_stats stats_of(fl_table *table, int32_t col)
{
    fl_col_stats stats;
    assert_int_equal(table->ops->sample_stats(table, &memory, col, &stats, NULL), FL_OK);
    return stats;
}

/* The same file's: six words, a run of rows each. */
static void check_figures(fl_table *table)
{
    const int32_t id = 0, word = 1, pair = 2;
    fl_col_stats stats = stats_of(table, id);
    assert_true(stats.source == FL_STATS_SAMPLE && stats.n_common == 0 && stats.n_histogram == 0);
    assert_true(stats.has_bounds && stats.distinct > PIECES_ROWS / 1.1 && stats.distinct <= PIECES_ROWS);
    stats = stats_of(table, word);
    assert_true(stats.distinct >= stats.n_common && stats.distinct <= 8 && stats.n_histogram != 1);
    for (int32_t i = 0; i < stats.n_common; i++)
        assert_int_equal(stats.common[i].value.s.len, strlen("a word of some length, number 0"));
    assert_int_equal(stats_of(table, pair).n_common, 0);
}

/* Of pieces.parquet, in which the word follows from the row's number. */
static void check_pieces(fl_table *table)
{
    const int32_t id = 0, word = 1, pair = 2, both[] = {1, 0}, all[] = {0, 1, 2};
    fl_vec ids, words, vecs[3];
    fl_table_sample sample = sample_of(table, both, 2, vecs);
    fl_table_sample of_ids = sample_of(table, &id, 1, &ids), of_words = sample_of(table, &word, 1, &words);
    assert_true(sample.rows >= 512 && sample.rows <= FL_SAMPLE_ROWS_MAX && sample.n_places >= 2);
    assert_int_equal(sample.rows, of_ids.rows < of_words.rows ? of_ids.rows : of_words.rows);
    assert_int_equal(sample.place_ends[sample.n_places - 1], sample.rows);
    assert_true(of_ids.likeness > 20 && sample.likeness >= of_ids.likeness); /* ids ascend */
    int32_t is_in_part[2] = {0};
    for (int32_t i = 0; i < sample.rows; i++) {
        char wanted[64];
        int64_t row = ((const int64_t *)vecs[1].data)[i];
        assert_int_equal(row, ((const int64_t *)ids.data)[i]);
        assert_true(row >= 0 && row < PIECES_ROWS);
        is_in_part[row >= PIECES_ROWS / 2]++;
        assert_true(fl_vec_is_valid(&vecs[0], i) == (row % 1000 != 0));
        if (row % 1000 == 0)
            continue;
        snprintf(wanted, sizeof(wanted), "a word of some length, number %d", (int)(row / 50000));
        assert_true(fl_str_is_equal(fl_vec_str(&vecs[0], i), fl_str_of(wanted)));
        assert_true(fl_str_is_equal(fl_vec_str(&words, i), fl_str_of(wanted)));
    }
    assert_true(is_in_part[0] == is_in_part[1]);
    assert_int_equal(sample_of(table, &pair, 1, vecs).rows, 0); /* lists have none */
    assert_int_equal(sample_of(table, all, 3, vecs).rows, 0);
    assert_int_equal(sample_of(table, all, 0, vecs).rows, 0);
}

static void rows_are_the_same_in_all_columns(void **state)
{
    (void)state;
    const char *paths[] = {OWN "pieces.parquet", OWN "pieces_indexed.parquet"};
    for (size_t i = 0; i < FL_LEN(paths); i++) {
        fl_table *table = open_table(paths[i]);
        check_pieces(table);
        check_figures(table);
        fl_table_unref(table);
    }
}

static void small_tables_are_whole(void **state)
{
    (void)state;
    const int32_t col = 0;
    fl_vec vec;
    fl_table *table = open_table(OWN "small.parquet");
    fl_table_sample sample = sample_of(table, &col, 1, &vec);
    assert_true(sample.rows == 3 && sample.n_places == 0 && sample.likeness == 1);
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(((const int32_t *)vec.data)[i], i + 1);
    fl_col_stats stats = stats_of(table, col);
    assert_true(stats.distinct == 3 && stats.source == FL_STATS_EXACT && stats.n_histogram == 3);
    fl_table_unref(table);
    table = open_table(DATA "no_rows.parquet");
    assert_int_equal(sample_of(table, &col, 1, &vec).rows, 0);
    assert_int_equal(stats_of(table, col).n_histogram, 0);
    fl_table_unref(table);
    table = open_table(DATA "all_null.parquet");
    sample = sample_of(table, &col, 1, &vec);
    for (int32_t i = 0; i < sample.rows; i++)
        assert_false(fl_vec_is_valid(&vec, i));
    fl_table_unref(table);
    fl_str parts[] = {FL_STR(DATA "part_1.parquet"), FL_STR(DATA "part_2.parquet"), FL_STR(DATA "part_3.parquet")};
    assert_int_equal(fl_format_parquet.open(&memory, parts, 3, NULL, 0, &table, NULL), FL_OK);
    assert_int_equal(sample_of(table, &col, 1, &vec).rows, 6);
    fl_table_unref(table);
}

/* Every type, codec and encoding. */
static void samples_have_the_values_of_the_table(void **state)
{
    (void)state;
    static const char *const names[] = {"types",         "types_v2_pages",   "types_int96",       "decimal_as_integer",
                                        "fixed_binary",  "codec_zstd",       "codec_gzip",        "dictionary_fallback",
                                        "delta",         "delta_length",     "byte_stream_split", "row_groups",
                                        "no_statistics", "decimal_wide_fits"};
    for (size_t f = 0; f < FL_LEN(names); f++) {
        char path[128];
        snprintf(path, sizeof(path), DATA "%s.parquet", names[f]);
        fl_table *table = open_table(path);
        for (int32_t col = 0; col < table->n_cols; col++) {
            fl_vec vec;
            fl_value value;
            fl_col_stats stats;
            fl_table_sample sample = sample_of(table, &col, 1, &vec);
            fl_arena arena;
            fl_arena_init(&arena, &memory);
            assert_true(sample.rows > 0 || fl_type_is_nested(vec.type));
            table->ops->stats(table, col, &stats);
            for (int32_t i = 0; i < sample.rows; i++) {
                assert_int_equal(fl_value_from_vec(&arena, &vec, i, &value, NULL), FL_OK);
                if (value.is_null || !stats.has_bounds)
                    continue;
                assert_true(fl_value_compare(&value, &stats.min) >= 0 && fl_value_compare(&value, &stats.max) <= 0);
            }
            fl_arena_drop(&arena);
        }
        fl_table_unref(table);
    }
}

/* ---- what goes wrong ---- */

static void what_cannot_be_read_has_no_sample(void **state)
{
    (void)state;
    static const char *const names[] = {"bad_checksum", "bad_text_cut_by_value_plain", "decimal_beyond", "time_beyond"};
    for (size_t f = 0; f < FL_LEN(names); f++) {
        char path[128];
        int32_t n_without = 0;
        snprintf(path, sizeof(path), DATA "%s.parquet", names[f]);
        fl_table *table = open_table(path);
        for (int round = 0; round < 2; round++)
            for (int32_t col = 0; col < table->n_cols; col++) {
                fl_vec vec;
                n_without += sample_of(table, &col, 1, &vec).rows == 0;
            }
        assert_true(n_without >= 2);
        fl_table_unref(table);
    }
}

/* A page that takes long to unpack: a scan reads it, a sample does not, and other columns have theirs. */
static void a_large_page_has_no_sample(void **state)
{
    (void)state;
    const int32_t cols[] = {0, 1};
    fl_vec vecs[2];
    fl_table *table = open_table(OWN "large_page.parquet");
    for (int round = 0; round < 2; round++) {
        assert_int_equal(sample_of(table, &cols[0], 1, vecs).rows, 0);
        assert_int_equal(sample_of(table, cols, 2, vecs).rows, 0);
        assert_true(sample_of(table, &cols[1], 1, vecs).rows > 0);
    }
    fl_table_unref(table);
}

static void failures_leave_nothing_behind(void **state)
{
    (void)state;
    static const struct {
        fl_fault fault;
        fl_status status;
    } kinds[] = {{FL_FAULT_ALLOC, FL_ERR_MEMORY}, {FL_FAULT_READ, FL_ERR_IO}, {FL_FAULT_INTERRUPT, FL_ERR_CANCELLED}};
    const int32_t cols[] = {0, 1};
    for (size_t kind = 0; kind < FL_LEN(kinds); kind++) {
        bool is_untouched = false;
        for (int64_t n = 1; !is_untouched; n++) {
            fl_table *table = open_table(OWN "pieces_indexed.parquet");
            fl_table_sample sample;
            fl_vec vecs[2];
            fl_interrupt interrupt = {0};
            fl_memory statement;
            fl_interrupt_begin(&interrupt);
            fl_memory_init(&statement, &memory, "statement", 0);
            statement.interrupt = &interrupt;
            fl_fault_arm(kinds[kind].fault, n);
            fl_status st = table->ops->sample(table, &statement, cols, 2, vecs, &sample, NULL);
            if (st == FL_OK)
                (void)stats_of(table, cols[0]); /* it is there */
            is_untouched = fl_fault_is_armed(kinds[kind].fault);
            fl_fault_arm(kinds[kind].fault, 0);
            /* an index that cannot be read is done without */
            assert_true(st == FL_OK || (!is_untouched && st == kinds[kind].status));
            assert_int_equal(atomic_load(&statement.used_bytes), 0);
            check_pieces(table); /* what failed once is tried again */
            check_figures(table);
            fl_table_unref(table);
            assert_int_equal(atomic_load(&memory.used_bytes), 0);
            assert_true(n < 10000);
        }
    }
}

/* ---- kept tables ---- */

static void copy_file(const char *from, const char *to)
{
    char buffer[4096];
    size_t n;
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    if (in == NULL || out == NULL)
        abort();
    do {
        n = fread(buffer, 1, sizeof(buffer), in);
        assert_int_equal(fwrite(buffer, 1, n, out), n);
    } while (n == sizeof(buffer));
    fclose(in);
    fclose(out);
}

static void a_changed_file_has_another_sample(void **state)
{
    (void)state;
    const int32_t col = 0;
    char path[] = "/tmp/fletch_sample_XXXXXX";
    int fd = mkstemp(path);
    fl_files_cache *cache = NULL;
    fl_files_in_use in_use = {0};
    fl_str name = fl_str_of(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(fl_files_cache_new(&memory, &cache, NULL), FL_OK);
    for (int round = 0; round < 2; round++) {
        fl_table *table = NULL;
        fl_vec vec;
        copy_file(round == 0 ? OWN "small.parquet" : DATA "row_groups.parquet", path);
        assert_int_equal(
            fl_files_cache_open(cache, &in_use, &fl_format_parquet, &memory, &name, 1, NULL, 0, &table, NULL), FL_OK);
        assert_int_equal(sample_of(table, &col, 1, &vec).rows > 3, round == 1);
        if (round == 0) { /* the table is of the file that was: it has no column more */
            const int32_t other = 1;
            fl_table_sample sample;
            copy_file(DATA "row_groups.parquet", path);
            assert_int_equal(table->ops->sample(table, &memory, &other, 1, &vec, &sample, NULL), FL_ERR_IO);
        }
        fl_table_unref(table);
        fl_files_in_use_end(&in_use);
    }
    fl_files_in_use_drop(&in_use);
    fl_files_cache_free(cache);
    unlink(path);
}

static void samples_are_kept_and_counted(void **state)
{
    (void)state;
    const int32_t cols[] = {0, 1};
    fl_files_cache *cache = NULL;
    fl_files_in_use in_use = {0};
    fl_str name = FL_STR(OWN "pieces.parquet");
    int64_t bytes = 0;
    const void *data = NULL;
    assert_int_equal(fl_files_cache_new(&memory, &cache, NULL), FL_OK);
    for (int round = 0; round < 3; round++) {
        fl_table *table = NULL;
        fl_vec vecs[2];
        assert_int_equal(
            fl_files_cache_open(cache, &in_use, &fl_format_parquet, &memory, &name, 1, NULL, 0, &table, NULL), FL_OK);
        fl_files_cache_figures figures = fl_files_cache_look(cache);
        assert_true(round == 0 || figures.bytes > bytes); /* those of the sample are noted when the table is taken */
        bytes = round == 0 ? figures.bytes : bytes;
        (void)sample_of(table, cols, 2, vecs);
        assert_true(round == 0 || vecs[0].data == data);
        data = vecs[0].data;
        fl_table_unref(table);
        fl_files_in_use_end(&in_use);
    }
    assert_int_equal(fl_files_cache_look(cache).hits, 2);
    fl_files_in_use_drop(&in_use);
    fl_files_cache_free(cache);
}

static fl_status ask(void *ctx, int32_t worker, fl_err *err)
{
    (void)err;
    fl_table *table = ctx;
    for (int32_t i = 0; i < 4; i++) {
        const int32_t col = (i + worker) % 2;
        fl_vec vec;
        (void)sample_of(table, &col, 1, &vec);
    }
    return FL_OK;
}

static void several_ask_at_once(void **state)
{
    (void)state;
    fl_workers *workers = NULL;
    assert_int_equal(fl_workers_new(4, &workers, NULL), FL_OK);
    for (int round = 0; round < 20; round++) {
        fl_table *table = open_table(OWN "pieces.parquet");
        assert_int_equal(fl_workers_each(workers, 4, 4, ask, table, NULL, NULL), FL_OK);
        fl_table_unref(table);
    }
    fl_workers_free(workers);
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
        TEST(places_lie_all_over_a_table),
        TEST(rows_are_the_same_in_all_columns),
        TEST(small_tables_are_whole),
        TEST(samples_have_the_values_of_the_table),
        TEST(what_cannot_be_read_has_no_sample),
        TEST(a_large_page_has_no_sample),
        TEST(failures_leave_nothing_behind),
        TEST(a_changed_file_has_another_sample),
        TEST(samples_are_kept_and_counted),
        TEST(several_ask_at_once),
    };
    fl_memory_init(&memory, NULL, "test", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
