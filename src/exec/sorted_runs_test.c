/* Runs that left memory become one order again: in one piece or range by range, of few runs or of more than are merged at once. */
#include "exec/sorted_runs.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT_BYTES (24ll << 20) /* so that a worker's share is the least there is, and few pages fit in it */
#define WORKERS 12
#define BATCH 512

typedef struct fixture {
    fl_memory memory;
    fl_interrupt interrupt;
    fl_exec exec; /* as much of a run as merging looks at */
    fl_session_state session;
    fl_worker worker;
    fl_row_layout layout;
    fl_sort_column columns[2];
    fl_sorted_runs runs;
    int64_t n; /* rows that were written */
    bool *is_seen;
} fixture;

/* Columns: a key that is often the same or null, a text that decides between many, and the row's number. */
static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    fl_type types[] = {FL_TYPE(FL_I32), FL_TYPE(FL_UTF8), FL_TYPE(FL_I64)};
    fl_memory_init(&f->memory, NULL, "test", LIMIT_BYTES);
    f->memory.interrupt = &f->interrupt;
    f->session.vector_rows = BATCH;
    f->exec.context.memory = &f->memory;
    f->exec.context.session = &f->session;
    f->exec.context.temp_directory = FL_STR("/tmp");
    f->exec.n_workers = WORKERS;
    f->exec.workers = &f->worker;
    f->worker.exec = &f->exec;
    pthread_mutex_init(&f->exec.spill_lock, NULL);
    fl_arena_init(&f->exec.arena, NULL);
    assert_int_equal(fl_row_layout_init(&f->layout, &f->exec.arena, types, 3, 0, NULL), FL_OK);
    f->columns[0] = (fl_sort_column){.col = 0, .is_descending = true, .nulls_first = true};
    f->columns[1] = (fl_sort_column){.col = 1};
    fl_sorted_runs_init(&f->runs, &f->exec, &f->layout, f->columns, 2);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_sorted_runs_drop(&f->runs);
    if (f->exec.spill_file != NULL)
        assert_int_equal(fl_spill_file_stats(f->exec.spill_file).used_bytes, 0);
    fl_spill_file_free(f->exec.spill_file);
    pthread_mutex_destroy(&f->exec.spill_lock);
    fl_arena_drop(&f->exec.arena);
    assert_int_equal(atomic_load(&f->memory.used_bytes), 0);
    free(f->is_seen);
    free(f);
    return 0;
}

static uint64_t chance(int64_t i)
{
    return fl_hash_u64((uint64_t)i, 17);
}

/* Rows with the next numbers, in a store of their own, whose place goes by the number. */
static void make_rows(fixture *f, fl_row_store *store, uint8_t **rows, int64_t n)
{
    static char texts[BATCH][48];
    static int32_t keys[BATCH];
    static fl_view views[BATCH];
    static int64_t numbers[BATCH];
    uint64_t valid[BATCH / 64];
    uint16_t list[BATCH];
    fl_row_store_init(store, &f->layout, NULL);
    for (int64_t start = 0; start < n; start += BATCH) {
        int32_t count = n - start < BATCH ? (int32_t)(n - start) : BATCH;
        fl_vec vecs[3];
        for (int32_t i = 0; i < count; i++) {
            uint64_t word = chance(f->n + i);
            int64_t len = (int64_t)(word >> 20) % 40;
            list[i] = (uint16_t)i;
            keys[i] = (int32_t)(word % 50);
            numbers[i] = f->n + i;
            memset(texts[i], 'x', (size_t)len);
            if (len > 0)
                texts[i][len - 1] = (char)('a' + word % 3);
            views[i] = fl_view_of(texts[i], len);
            fl_bit_put(valid, i, word % 11 != 0);
        }
        fl_vec_set_flat(&vecs[0], f->layout.types[0], keys, valid);
        fl_vec_set_flat(&vecs[1], f->layout.types[1], views, NULL);
        fl_vec_set_flat(&vecs[2], f->layout.types[2], numbers, NULL);
        assert_int_equal(fl_row_store_add(store, count, rows + start, NULL), FL_OK);
        for (int32_t c = 0; c < 3; c++)
            assert_int_equal(fl_rows_write(&f->layout, c, &vecs[c], list, count, rows + start, &store->heap, NULL),
                             FL_OK);
        for (int32_t i = 0; i < count; i++) {
            uint64_t place = fl_sorted_run_place(1, numbers[i] / 100);
            memcpy(rows[start + i], &place, 8);
        }
        f->n += count;
    }
}

/* A run of n rows. */
static void write_run(fixture *f, fl_sorted_runs *to, int64_t n)
{
    uint8_t **rows = calloc((size_t)n + 1, sizeof(*rows));
    fl_row_store store;
    make_rows(f, &store, rows, n);
    assert_int_equal(fl_sort_rows(NULL, &f->layout, to->columns, to->n_columns, rows, n, NULL, NULL), FL_OK);
    assert_int_equal(fl_sorted_runs_add(to, rows, n, NULL), FL_OK);
    fl_row_store_drop(&store);
    free(rows);
}

static int64_t number_of(const fixture *f, const uint8_t *row)
{
    int64_t number = 0;
    memcpy(&number, row + f->layout.offsets[2], sizeof(number));
    return number;
}

/* The row as it was made, and not seen before. */
static void check_row(fixture *f, const uint8_t *row)
{
    int64_t number = number_of(f, row);
    uint64_t word = chance(number);
    int32_t key = 0;
    fl_view view;
    assert_true(number >= 0 && number < f->n && !f->is_seen[number]);
    f->is_seen[number] = true;
    memcpy(&key, row + f->layout.offsets[0], sizeof(key));
    memcpy(&view, row + f->layout.offsets[1], sizeof(view));
    assert_int_equal(fl_row_is_null(&f->layout, row, 0), word % 11 == 0);
    assert_true(word % 11 == 0 || key == (int32_t)(word % 50));
    assert_int_equal(view.len, (word >> 20) % 40);
    for (uint32_t i = 0; i + 1 < view.len; i++)
        assert_int_equal(fl_view_data(&view)[i], 'x');
}

/* Reads a range; `last`: a row before it, whose keys lie in `keep`, where the last one's are afterwards. Returns how many rows it has. */
static int64_t read_range(fixture *f, const fl_sorted_runs *runs, fl_run_merger *merger, int64_t range, uint8_t *last,
                          fl_arena *keep)
{
    uint8_t *rows[BATCH];
    int64_t total = 0;
    assert_int_equal(fl_run_merger_seek(merger, range, NULL), FL_OK);
    for (;;) {
        int32_t n = 0;
        assert_int_equal(fl_run_merger_next(merger, BATCH, rows, &n, NULL), FL_OK);
        for (int32_t i = 0; i < n; i++) {
            const uint8_t *before = i > 0 ? rows[i - 1] : total > 0 || last[0] != 0xFF ? last : NULL;
            int order =
                before == NULL ? -1 : fl_sort_compare(&f->layout, runs->columns, runs->n_columns, before, rows[i]);
            assert_true(order <= 0);
            assert_true(order < 0 || fl_row_hash(before) <= fl_row_hash(rows[i])); /* equal ones by their place */
            check_row(f, rows[i]);
        }
        if (n == 0)
            return total;
        total += n;
        char *text = NULL;
        fl_view view;
        memcpy(last, rows[n - 1], (size_t)f->layout.bytes);
        memcpy(&view, last + f->layout.offsets[1], sizeof(view));
        if (view.len > FL_VIEW_INLINE_MAX) {
            assert_int_equal(fl_arena_get(keep, view.len, (void **)&text, NULL), FL_OK);
            memcpy(text, view.ptr, view.len);
            view.ptr = text;
            memcpy(last + f->layout.offsets[1], &view, sizeof(view));
        }
    }
}

/* Reads all ranges one behind the other: each row once, in order. */
static void read_all(fixture *f, const fl_sorted_runs *runs)
{
    fl_run_merger *merger = NULL;
    fl_arena keep;
    uint8_t last[128];
    int64_t total = 0;
    f->is_seen = realloc(f->is_seen, (size_t)f->n + 1);
    memset(f->is_seen, 0, (size_t)f->n + 1);
    memset(last, 0xFF, sizeof(last));
    assert_true(f->layout.bytes <= (int32_t)sizeof(last));
    fl_arena_init(&keep, NULL);
    assert_int_equal(fl_run_merger_new(runs, &merger, NULL), FL_OK);
    for (int64_t range = 0; range < runs->n_ranges; range++)
        total += read_range(f, runs, merger, range, last, &keep);
    assert_int_equal(total, f->n);
    fl_run_merger_free(merger);
    fl_arena_drop(&keep);
}

static void test_runs_are_merged(void **state)
{
    fixture *f = *state;
    static const int64_t sizes[] = {1, 700, 0, 3000};
    for (int64_t i = 0; i < FL_LEN(sizes); i++)
        write_run(f, &f->runs, sizes[i]);
    assert_int_equal(fl_sorted_runs_finish(&f->runs, NULL, NULL), FL_OK);
    assert_int_equal(f->runs.n_ranges, 1);
    read_all(f, &f->runs);
}

/* Ranges are read in any order, by one who goes on or by others, and hold each row once. */
static void test_ranges(void **state)
{
    fixture *f = *state;
    fl_run_merger *mergers[2] = {NULL, NULL};
    fl_arena keep;
    int64_t total = 0;
    write_run(f, &f->runs, 40000);
    write_run(f, &f->runs, 30000);
    assert_int_equal(fl_sorted_runs_finish(&f->runs, NULL, NULL), FL_OK);
    assert_true(f->runs.n_ranges > 3);
    read_all(f, &f->runs);
    memset(f->is_seen, 0, (size_t)f->n);
    fl_arena_init(&keep, NULL);
    for (int32_t m = 0; m < 2; m++)
        assert_int_equal(fl_run_merger_new(&f->runs, &mergers[m], NULL), FL_OK);
    for (int64_t i = 0, n = f->runs.n_ranges; i < n; i++) { /* the last one first, every second one by the other */
        uint8_t last[128];
        memset(last, 0xFF, sizeof(last));
        total += read_range(f, &f->runs, mergers[i % 2], n - 1 - i, last, &keep);
    }
    assert_int_equal(total, f->n);
    for (int32_t m = 0; m < 2; m++)
        fl_run_merger_free(mergers[m]);
    fl_arena_drop(&keep);
}

/* More runs than pages of them fit: some are merged to fewer, also more than once. */
static void test_many_runs(void **state)
{
    fixture *f = *state;
    fl_sorted_runs other;
    fl_sorted_runs_init(&other, &f->exec, &f->layout, f->columns, 2);
    for (int64_t i = 0; i < 9; i++)
        write_run(f, &f->runs, 1500 + i * 100);
    for (int64_t i = 0; i < 4; i++)
        write_run(f, &other, 900);
    assert_int_equal(fl_sorted_runs_take(&f->runs, &other, NULL), FL_OK);
    assert_int_equal(other.n, 0);
    assert_int_equal(f->runs.n, 13);
    assert_int_equal(fl_sorted_runs_finish(&f->runs, NULL, NULL), FL_OK);
    assert_true(f->runs.n < 13 && f->runs.n >= 1);
    read_all(f, &f->runs);
    fl_sorted_runs_drop(&other);
}

/* Without columns rows come by their place alone, as they were read. */
static void test_places_alone(void **state)
{
    fixture *f = *state;
    fl_sorted_runs runs;
    fl_run_merger *merger = NULL;
    uint8_t *made[2 * BATCH], *rows[BATCH];
    fl_row_store store;
    int64_t at = 0;
    int32_t n = 0;
    fl_sorted_runs_init(&runs, &f->exec, &f->layout, NULL, 0);
    assert_int_equal(fl_sorted_runs_begin(&runs, NULL), FL_OK);
    for (int32_t piece = 0; piece < 4; piece++) { /* appended one behind the other */
        make_rows(f, &store, made, 2 * BATCH);
        assert_int_equal(fl_sorted_runs_append(&runs, made, 2 * BATCH, NULL), FL_OK);
        fl_row_store_drop(&store);
    }
    write_run(f, &runs, 3000);
    assert_int_equal(fl_sorted_runs_finish(&runs, NULL, NULL), FL_OK);
    assert_int_equal(fl_run_merger_new(&runs, &merger, NULL), FL_OK);
    for (int64_t range = 0; range < runs.n_ranges; range++) {
        assert_int_equal(fl_run_merger_seek(merger, range, NULL), FL_OK);
        do {
            assert_int_equal(fl_run_merger_next(merger, BATCH, rows, &n, NULL), FL_OK);
            for (int32_t i = 0; i < n; i++)
                assert_int_equal(number_of(f, rows[i]), at++);
        } while (n > 0);
    }
    assert_int_equal(at, f->n);
    fl_run_merger_free(merger);
    fl_sorted_runs_drop(&runs);
}

static fl_status emit(void *ctx, fl_worker *worker, uint8_t **rows, int32_t n, fl_err *err)
{
    (void)worker;
    (void)err;
    fixture *f = ctx;
    for (int32_t i = 0; i < n; i++)
        check_row(f, rows[i]);
    return FL_OK;
}

/* Workers take a range at a time, which is their morsel. */
static void test_readers(void **state)
{
    fixture *f = *state;
    fl_run_reader readers[2] = {{0}, {0}};
    _Atomic int64_t next = 0;
    bool any = true;
    write_run(f, &f->runs, 30000);
    write_run(f, &f->runs, 30000);
    assert_int_equal(fl_sorted_runs_finish(&f->runs, NULL, NULL), FL_OK);
    f->is_seen = calloc((size_t)f->n, 1);
    for (int64_t i = 0; any; i++) {
        assert_int_equal(fl_run_reader_next(&readers[i % 2], &f->runs, &next, &f->worker, emit, f, &any, NULL), FL_OK);
        assert_int_equal(f->worker.morsel, i);
        assert_int_equal(any, i < f->runs.n_ranges);
    }
    for (int64_t i = 0; i < f->n; i++)
        assert_true(f->is_seen[i]);
    fl_run_reader_drop(&readers[0]);
    fl_run_reader_drop(&readers[1]);
}

/* Who is asked to stop stops, and gives all back. */
static void test_stopped(void **state)
{
    fixture *f = *state;
    fl_run_merger *merger = NULL;
    write_run(f, &f->runs, 5000);
    write_run(f, &f->runs, 5000);
    assert_int_equal(fl_sorted_runs_finish(&f->runs, NULL, NULL), FL_OK);
    assert_int_equal(fl_run_merger_new(&f->runs, &merger, NULL), FL_OK);
    fl_interrupt_request(&f->interrupt);
    assert_int_equal(fl_run_merger_seek(merger, 0, NULL), FL_ERR_CANCELLED);
    fl_run_merger_free(merger);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_runs_are_merged), TEST(test_ranges),  TEST(test_many_runs),
        TEST(test_places_alone),    TEST(test_readers), TEST(test_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
