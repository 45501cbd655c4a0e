/* Groups that left memory piece by piece come back whole: each once, with all that workers had of it, and with the rows that lie
 * beside it; in piles that are split where they are large. */
#include "exec/spilled_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORKERS 3
#define BATCH 512
#define SEED 5

typedef struct fixture {
    fl_memory memory;
    fl_interrupt interrupt;
    fl_exec exec; /* as much of a run as groups look at */
    fl_session_state session;
    fl_worker worker;
    fl_node_actual actual;
    fl_row_layout groups, beside;
    const fl_row_layout *layouts[2];
    fl_group_kinds kinds;
    fl_group_piles piles;
    int64_t n_groups; /* keys are 0 .. n_groups - 1 */
    int64_t *counts;  /* of a group's rows that were taken in */
    bool *is_out;
    int64_t n_out, n_loaded, level_max;
    bool splits_once; /* complete asks for a split of each pile of level 0 */
} fixture;

/* Room of a group's row. */
typedef struct sums {
    int64_t rows;
    int64_t beside; /* rows that were found beside it */
} sums;

static fl_status combine(void *ctx, uint8_t *into, const uint8_t *row, fl_arena *heap, fl_err *err)
{
    (void)heap;
    (void)err;
    int32_t at = ((const fixture *)ctx)->groups.extra_offset;
    ((sums *)(into + at))->rows += ((const sums *)(row + at))->rows;
    ((sums *)(into + at))->beside += ((const sums *)(row + at))->beside;
    return FL_OK;
}

static int64_t key_of(const fl_row_layout *layout, const uint8_t *row)
{
    int64_t key = 0;
    memcpy(&key, row + layout->offsets[0], sizeof(key));
    return key;
}

/* Counts a pile's rows beside its groups, which must all be of it. */
static fl_status complete(void *ctx, fl_worker *worker, fl_group_pile *pile, bool *ret_is_split, fl_err *err)
{
    (void)worker;
    fixture *f = ctx;
    f->n_loaded++;
    f->level_max = pile->level > f->level_max ? pile->level : f->level_max;
    *ret_is_split = f->splits_once && pile->level == 0 && fl_group_pile_can_split(pile);
    for (int64_t p = 0; p < pile->rows[1].n_pages && !*ret_is_split; p++) {
        fl_row_page page;
        fl_arena heap;
        fl_arena_init(&heap, &f->memory);
        assert_int_equal(fl_spilled_rows_read(&pile->rows[1], p, &heap, &page, err), FL_OK);
        for (int64_t r = 0; r < page.n; r++) {
            int64_t key = key_of(&f->beside, page.rows[r]);
            uint16_t zero = 0;
            uint8_t *row = NULL;
            char text[32];
            snprintf(text, sizeof(text), "the group of number %lld", (long long)key);
            fl_view view = fl_view_of(text, (int64_t)strlen(text));
            fl_vec keys[2];
            fl_vec_set_flat(&keys[0], FL_TYPE(FL_I64), &key, NULL);
            fl_vec_set_flat(&keys[1], FL_TYPE(FL_UTF8), &view, NULL);
            assert_int_equal(fl_group_table_find(&pile->table, keys, &zero, 1, SEED, false, &row, err), FL_OK);
            assert_non_null(row);
            ((sums *)(row + f->groups.extra_offset))->beside++;
        }
        fl_row_page_drop(&page);
        fl_arena_drop(&heap);
    }
    return FL_OK;
}

static fl_status emit(void *ctx, fl_worker *worker, uint8_t **rows, int32_t count, fl_err *err)
{
    (void)worker;
    (void)err;
    fixture *f = ctx;
    for (int32_t i = 0; i < count; i++) {
        int64_t key = key_of(&f->groups, rows[i]);
        const sums *s = (const sums *)(rows[i] + f->groups.extra_offset);
        char text[32];
        fl_view view;
        assert_true(key >= 0 && key < f->n_groups && !f->is_out[key]);
        f->is_out[key] = true;
        f->n_out++;
        assert_int_equal(s->rows, f->counts[key]);
        assert_int_equal(s->beside, f->counts[key]);
        memcpy(&view, rows[i] + f->groups.offsets[1], sizeof(view));
        snprintf(text, sizeof(text), "the group of number %lld", (long long)key);
        assert_true(fl_str_is_equal(fl_view_str(&view), fl_str_of(text)));
    }
    return FL_OK;
}

static const fl_group_pile_ops ops = {.complete = complete, .emit = emit};

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    fl_type types[] = {FL_TYPE(FL_I64), FL_TYPE(FL_UTF8), FL_TYPE(FL_I32)};
    fl_memory_init(&f->memory, NULL, "test", 0);
    f->memory.interrupt = &f->interrupt;
    f->session.vector_rows = BATCH;
    f->session.seed = SEED;
    f->exec.context.memory = &f->memory;
    f->exec.context.session = &f->session;
    f->exec.context.temp_directory = FL_STR("/tmp");
    f->exec.n_workers = WORKERS;
    f->exec.workers = &f->worker;
    f->worker.exec = &f->exec;
    f->worker.actual = &f->actual;
    pthread_mutex_init(&f->exec.spill_lock, NULL);
    fl_arena_init(&f->exec.arena, NULL);
    assert_int_equal(fl_row_layout_init(&f->groups, &f->exec.arena, types, 2, (int32_t)sizeof(sums), NULL), FL_OK);
    assert_int_equal(fl_row_layout_init(&f->beside, &f->exec.arena, types, 3, 0, NULL), FL_OK);
    f->layouts[0] = &f->groups;
    f->layouts[1] = &f->beside;
    f->kinds = (fl_group_kinds){
        .exec = &f->exec, .n_kinds = 2, .n_keys = 2, .layouts = f->layouts, .combine = combine, .ctx = f};
    fl_group_piles_init(&f->piles, &f->kinds, &ops);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_group_piles_drop(&f->piles);
    if (f->exec.spill_file != NULL)
        assert_int_equal(fl_spill_file_stats(f->exec.spill_file).used_bytes, 0);
    fl_spill_file_free(f->exec.spill_file);
    pthread_mutex_destroy(&f->exec.spill_lock);
    fl_arena_drop(&f->exec.arena);
    assert_int_equal(atomic_load(&f->memory.used_bytes), 0);
    free(f->counts);
    free(f->is_out);
    free(f);
    return 0;
}

static void write_column(const fl_row_layout *layout, int32_t col, const void *data, int32_t n, uint8_t **rows,
                         fl_row_store *store)
{
    uint16_t list[BATCH];
    fl_vec vec;
    for (int32_t i = 0; i < n; i++)
        list[i] = (uint16_t)i;
    fl_vec_set_flat(&vec, layout->types[col], data, NULL);
    assert_int_equal(fl_rows_write(layout, col, &vec, list, n, rows, &store->heap, NULL), FL_OK);
}

/* A worker takes rows with these keys in: each in its group, and beside it. */
static void take_in(fixture *f, fl_group_table *table, fl_row_store *beside, const int64_t *keys, int32_t n)
{
    static char texts[BATCH][32];
    static fl_view views[BATCH];
    static int32_t numbers[BATCH];
    uint16_t list[BATCH];
    uint8_t *rows[BATCH];
    fl_vec vecs[2];
    for (int32_t i = 0; i < n; i++) {
        snprintf(texts[i], sizeof(texts[i]), "the group of number %lld", (long long)keys[i]);
        views[i] = fl_view_of(texts[i], (int64_t)strlen(texts[i]));
        numbers[i] = i;
        list[i] = (uint16_t)i;
        f->counts[keys[i]]++;
    }
    fl_vec_set_flat(&vecs[0], FL_TYPE(FL_I64), keys, NULL);
    fl_vec_set_flat(&vecs[1], FL_TYPE(FL_UTF8), views, NULL);
    assert_int_equal(fl_group_table_find(table, vecs, list, n, SEED, true, rows, NULL), FL_OK);
    for (int32_t i = 0; i < n; i++)
        ((sums *)(rows[i] + f->groups.extra_offset))->rows++;
    assert_int_equal(fl_row_store_add(beside, n, rows, NULL), FL_OK);
    write_column(&f->beside, 0, keys, n, rows, beside);
    write_column(&f->beside, 1, views, n, rows, beside);
    write_column(&f->beside, 2, numbers, n, rows, beside);
}

/* Workers take n rows in, whose keys come again and again, and write what they have after each `every` of them. */
static void spill_rows(fixture *f, int64_t n_groups, int64_t n, int64_t every)
{
    f->n_groups = n_groups;
    f->counts = calloc((size_t)n_groups, sizeof(*f->counts));
    f->is_out = calloc((size_t)n_groups, 1);
    for (int32_t w = 0; w < WORKERS; w++) {
        fl_group_parts parts = {0};
        fl_row_store beside;
        fl_group_table table;
        int64_t keys[BATCH];
        fl_row_store_init(&beside, &f->beside, &f->memory);
        assert_int_equal(fl_group_table_init(&table, &f->groups, 2, BATCH, &f->memory, NULL), FL_OK);
        for (int64_t at = w * BATCH, kept = 0; at < n; at += WORKERS * BATCH) {
            int32_t count = n - at < BATCH ? (int32_t)(n - at) : BATCH;
            for (int32_t i = 0; i < count; i++)
                keys[i] = (at + i) * 7919 % n_groups;
            take_in(f, &table, &beside, keys, count);
            kept += count;
            if (kept < every && at + WORKERS * BATCH < n)
                continue;
            kept = 0;
            assert_int_equal(fl_group_parts_divide(&f->kinds, &parts, 0, &table.store, true, NULL), FL_OK);
            assert_int_equal(fl_group_parts_divide(&f->kinds, &parts, 1, &beside, false, NULL), FL_OK);
            fl_group_table_drop(&table);
            fl_row_store_drop(&beside);
            assert_int_equal(fl_group_table_init(&table, &f->groups, 2, BATCH, &f->memory, NULL), FL_OK);
        }
        assert_int_equal(fl_group_piles_add(&f->piles, &parts, NULL), FL_OK);
        fl_group_parts_drop(&f->kinds, &parts);
        fl_group_table_drop(&table);
        fl_row_store_drop(&beside);
    }
}

static void put_all_out(fixture *f)
{
    bool any = true;
    for (int64_t morsel = 0; any; morsel++) {
        assert_int_equal(fl_group_piles_run(&f->piles, &f->worker, f, &any, NULL), FL_OK);
        assert_int_equal(f->worker.morsel, morsel);
    }
    assert_int_equal(f->n_out, f->n_groups);
}

static void test_groups_come_back(void **state)
{
    fixture *f = *state;
    spill_rows(f, 5000, 40000, 3000);
    put_all_out(f);
    assert_int_equal(f->n_loaded, FL_SPILL_PARTITIONS);
    assert_int_equal(f->level_max, 0);
}

/* Piles that are too large for a worker's share are split by the next bits of the hash. */
static void test_large_piles_are_split(void **state)
{
    fixture *f = *state;
    f->exec.n_workers = 64; /* so that each has the least */
    f->memory.limit_bytes = 96ll << 20;
    spill_rows(f, 300000, 320000, 20000);
    put_all_out(f);
    assert_true(f->n_loaded > FL_SPILL_PARTITIONS);
    assert_true(f->level_max > 0);
}

/* Who completes groups may ask for it, too: then rows beside them are split with them. */
static void test_asked_for(void **state)
{
    fixture *f = *state;
    f->splits_once = true;
    spill_rows(f, 3000, 20000, 2000);
    put_all_out(f);
    assert_int_equal(f->level_max, 1);
}

/* One group, with all its rows, cannot be split. */
static void test_one_group(void **state)
{
    fixture *f = *state;
    f->splits_once = true;
    spill_rows(f, 1, 20000, 2000);
    put_all_out(f);
    assert_int_equal(f->level_max, 0);
    assert_int_equal(f->counts[0], 20000);
}

/* What nobody spilled needs no pile. */
static void test_nothing(void **state)
{
    fixture *f = *state;
    fl_group_parts parts = {0};
    bool any = true;
    assert_int_equal(fl_group_piles_add(&f->piles, &parts, NULL), FL_OK);
    assert_int_equal(fl_group_piles_run(&f->piles, &f->worker, f, &any, NULL), FL_OK);
    assert_false(any);
}

/* Who is asked to stop stops, and all is given back. */
static void test_stopped(void **state)
{
    fixture *f = *state;
    fl_err err = {0};
    bool any = false;
    spill_rows(f, 5000, 20000, 3000);
    fl_interrupt_request(&f->interrupt);
    assert_int_equal(fl_group_piles_run(&f->piles, &f->worker, f, &any, &err), FL_ERR_CANCELLED);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_groups_come_back), TEST(test_large_piles_are_split),
        TEST(test_asked_for),        TEST(test_one_group),
        TEST(test_nothing),          TEST(test_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
