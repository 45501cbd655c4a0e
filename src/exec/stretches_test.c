/* Rows of several stores come in the order of pipelines and morsels, whoever kept them, in memory or on the disk. */
#include "exec/spill.h"
#include "exec/spilled_stretches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WORKERS 3
#define MORSELS 40
#define PIPELINES 2
#define ROWS_MAX 100000

typedef struct fixture {
    fl_memory memory;
    fl_interrupt interrupt;
    fl_exec exec; /* as much of a run as gathering looks at */
    fl_row_layout layout;
    fl_row_store stores[WORKERS];
    fl_stretches stretches[WORKERS];
    fl_stretched_rows rows[WORKERS];
} fixture;

static int set_up(void **state)
{
    static fixture f;
    fl_type type = FL_TYPE(FL_I64);
    f = (fixture){0};
    fl_memory_init(&f.memory, NULL, "test", 0);
    f.memory.interrupt = &f.interrupt;
    f.exec.context.memory = &f.memory;
    fl_arena_init(&f.exec.arena, &f.memory);
    assert_int_equal(fl_row_layout_init(&f.layout, &f.exec.arena, &type, 1, 0, NULL), FL_OK);
    for (int32_t w = 0; w < WORKERS; w++) {
        fl_row_store_init(&f.stores[w], &f.layout, &f.memory);
        f.rows[w] = (fl_stretched_rows){&f.stores[w], &f.stretches[w]};
    }
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    for (int32_t w = 0; w < WORKERS; w++) {
        fl_row_store_drop(&f->stores[w]);
        fl_stretches_drop(&f->stretches[w]);
    }
    fl_arena_drop(&f->exec.arena);
    assert_int_equal(f->memory.used_bytes, 0);
    return 0;
}

/* The worker keeps rows with the numbers from `first` on. */
static void keep(fixture *f, int32_t worker, int32_t pipeline, int64_t morsel, int32_t n, int64_t first)
{
    fl_worker w = {.exec = &f->exec, .id = worker, .pipeline = pipeline, .morsel = morsel};
    uint8_t *rows[64];
    int64_t numbers[64];
    uint16_t list[64];
    fl_vec vec;
    for (int32_t i = 0; i < n; i++) {
        numbers[i] = first + i;
        list[i] = (uint16_t)i;
    }
    fl_vec_set_flat(&vec, FL_TYPE(FL_I64), numbers, NULL);
    assert_int_equal(fl_row_store_add(&f->stores[worker], n, rows, NULL), FL_OK);
    assert_int_equal(fl_rows_write(&f->layout, 0, &vec, list, n, rows, &f->stores[worker].heap, NULL), FL_OK);
    assert_int_equal(fl_stretches_add(&f->stretches[worker], &w, n, NULL), FL_OK);
}

/* Workers take morsels in turns of chance, and each its own in order; the numbers of rows go by the morsels. */
static void test_rows_come_as_they_were_read(void **state)
{
    fixture *f = *state;
    static uint8_t *rows[ROWS_MAX];
    int64_t starts[PIPELINES * MORSELS], n = 0, n_stretches = 0, first[PIPELINES * MORSELS];
    uint64_t seed = 3;
    for (int32_t p = 0; p < PIPELINES; p++)
        for (int64_t m = 0; m < MORSELS; m++) {
            int32_t batches = (int32_t)(seed >> 40) % 4; /* a morsel may have no rows */
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            int32_t worker = (int32_t)(seed >> 33) % WORKERS;
            first[n_stretches] = n;
            n_stretches += batches > 0;
            for (int32_t b = 0; b < batches; b++, n += 64)
                keep(f, worker, p, m, 64, n);
        }
    assert_true(n > 1000 && n <= ROWS_MAX);
    assert_int_equal(f->stretches[0].n + f->stretches[1].n + f->stretches[2].n, n_stretches);
    assert_int_equal(fl_stretches_gather(&f->exec, f->rows, WORKERS, rows, starts, NULL), FL_OK);
    for (int64_t i = 0; i < n; i++) {
        int64_t number = 0;
        memcpy(&number, rows[i] + f->layout.offsets[0], sizeof(number));
        assert_int_equal(number, i);
    }
    assert_memory_equal(starts, first, (size_t)n_stretches * sizeof(*starts));
}

/* The same with workers that write what they have now and then, also in the middle of a morsel. */
static void test_pages_come_as_their_rows_were_read(void **state)
{
    fixture *f = *state;
    fl_spilled_stretches spilled[WORKERS], *parts[WORKERS];
    fl_ordered_pages pages = {0};
    int64_t n = 0, at = 0;
    uint64_t seed = 5;
    f->exec.context.temp_directory = FL_STR("/tmp");
    pthread_mutex_init(&f->exec.spill_lock, NULL);
    for (int32_t w = 0; w < WORKERS; w++) {
        fl_spilled_stretches_init(&spilled[w], &f->layout, NULL);
        parts[w] = &spilled[w];
    }
    for (int32_t p = 0; p < PIPELINES; p++)
        for (int64_t m = 0; m < MORSELS; m++) {
            int32_t worker = (int32_t)((seed = seed * 6364136223846793005ull + 1442695040888963407ull) >> 33) % WORKERS;
            for (int32_t b = (int32_t)(seed >> 40) % 4; b > 0; b--, n += 64) {
                keep(f, worker, p, m, 64, n);
                if ((seed >> (20 + b)) % 3 == 0) {
                    assert_int_equal(fl_spilled_stretches_write(&spilled[worker], &f->exec, &f->stores[worker],
                                                                &f->stretches[worker], NULL),
                                     FL_OK);
                    assert_int_equal(f->stretches[worker].n, 0);
                    fl_row_store_drop(&f->stores[worker]);
                }
            }
        }
    for (int32_t w = 0; w < WORKERS; w++)
        assert_int_equal(fl_spilled_stretches_write(&spilled[w], &f->exec, &f->stores[w], &f->stretches[w], NULL),
                         FL_OK);
    assert_int_equal(fl_ordered_pages_gather(&f->exec, parts, WORKERS, &pages, NULL), FL_OK);
    assert_true(n > 1000 && pages.rows.rows == n && pages.rows.n_pages > MORSELS);
    for (int64_t p = 0; p < pages.rows.n_pages; p++) {
        fl_row_page page;
        assert_int_equal(pages.starts[p], at);
        assert_true(fl_bit_get(pages.begins, p)); /* none of the stretches is longer than a page */
        assert_int_equal(fl_spilled_rows_read(&pages.rows, p, &f->exec.arena, &page, NULL), FL_OK);
        for (int64_t r = 0; r < page.n; r++, at++) {
            int64_t number = 0;
            memcpy(&number, page.rows[r] + f->layout.offsets[0], sizeof(number));
            assert_int_equal(number, at);
        }
        fl_row_page_drop(&page);
    }
    assert_int_equal(at, n);
    for (int32_t w = 0; w < WORKERS; w++)
        fl_spilled_stretches_drop(&spilled[w]);
    fl_ordered_pages_drop(&pages);
    fl_spill_file_free(f->exec.spill_file);
    pthread_mutex_destroy(&f->exec.spill_lock);
}

static void test_batches_of_a_morsel_are_one_stretch(void **state)
{
    fixture *f = *state;
    keep(f, 0, 0, 7, 3, 0);
    keep(f, 0, 0, 7, 2, 3);
    keep(f, 0, 1, 7, 1, 5); /* the same number in another pipeline */
    assert_int_equal(f->stretches[0].n, 2);
    assert_int_equal(f->stretches[0].items[0].n_rows, 5);
    assert_true(fl_stretches_go_on(&f->stretches[0], &(fl_worker){.pipeline = 1, .morsel = 7}));
    assert_false(fl_stretches_go_on(&f->stretches[0], &(fl_worker){.pipeline = 0, .morsel = 7}));
    assert_false(fl_stretches_go_on(&f->stretches[1], &(fl_worker){0}));
}

static void test_gathering_stops(void **state)
{
    fixture *f = *state;
    uint8_t *rows[8];
    assert_int_equal(fl_stretches_gather(&f->exec, f->rows, WORKERS, rows, NULL, NULL), FL_OK); /* of nothing */
    keep(f, 1, 0, 0, 4, 0);
    fl_interrupt_request(&f->interrupt);
    assert_int_equal(fl_stretches_gather(&f->exec, f->rows, WORKERS, rows, NULL, NULL), FL_ERR_CANCELLED);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rows_come_as_they_were_read),
        TEST(test_pages_come_as_their_rows_were_read),
        TEST(test_batches_of_a_morsel_are_one_stretch),
        TEST(test_gathering_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
