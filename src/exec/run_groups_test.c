/* Groups within runs: against a list of the groups of a run, for one other key and for several, with nulls, in batches of all sizes, under
 * hashes that are the same for different keys; runs that are cut into stretches come together. */
#include "exec/rows.h"

/* How many different hashes there are; 0: as many as fl_rows_hash has. */
static uint64_t hashes_max;
static void hash_badly(const fl_vec *keys, int32_t n_keys, const uint16_t *list, int32_t count, uint64_t seed,
                       uint64_t *ret)
{
    fl_rows_hash(keys, n_keys, list, count, seed, ret);
    for (int32_t i = 0; i < count && hashes_max > 0; i++)
        ret[i] %= hashes_max;
}

#define fl_rows_hash hash_badly
#include "exec/run_groups.c"
#undef fl_rows_hash

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BATCH_MAX 64
#define GROUPS_MAX 20000
#define SEED 42

/* What the keys of a group are: a run, a number, maybe null, and a text. */
typedef struct group {
    int64_t run;
    int64_t x; /* -1: null */
    int64_t y;
} group;

typedef struct fixture {
    fl_memory memory;
    fl_interrupt interrupt;
    fl_exec exec; /* as much of a run as joining looks at */
    fl_row_layout layout;
    fl_row_store store;
    fl_run_groups groups;
    int32_t n_keys;
    group known[GROUPS_MAX]; /* in the order of the store */
    int32_t n_known, begin;
    int64_t run; /* of the last row */
    uint64_t random;
} fixture;

static uint64_t draw(fixture *f, uint64_t n)
{
    f->random = f->random * 6364136223846793005ull + 1442695040888963407ull;
    return (f->random >> 33) % n;
}

static void begin(fixture *f, fl_type x, int32_t n_keys)
{
    const fl_type types[] = {FL_TYPE(FL_I32), x, FL_TYPE(FL_UTF8)};
    memset(f, 0, sizeof(*f));
    f->random = 7;
    f->run = -1;
    f->n_keys = n_keys;
    fl_memory_init(&f->memory, NULL, "test", 0);
    f->memory.interrupt = &f->interrupt;
    f->exec.context.memory = &f->memory;
    fl_arena_init(&f->exec.arena, &f->memory);
    assert_int_equal(fl_row_layout_init(&f->layout, &f->exec.arena, types, n_keys, 8, NULL), FL_OK);
    fl_row_store_init(&f->store, &f->layout, &f->memory);
    assert_int_equal(fl_run_groups_init(&f->groups, &f->store, 1, n_keys, BATCH_MAX, SEED, NULL), FL_OK);
}

static void end(fixture *f)
{
    fl_run_groups_drop(&f->groups);
    fl_run_groups_drop(&f->groups);
    fl_row_store_drop(&f->store);
    fl_arena_drop(&f->exec.arena);
    assert_int_equal(f->memory.used_bytes, 0);
}

/* The number of a group among those known, which becomes one of them. */
static int32_t find_known(fixture *f, const group *g)
{
    for (int32_t i = f->begin; i < f->n_known; i++)
        if (memcmp(&f->known[i], g, sizeof(*g)) == 0)
            return i;
    assert_true(f->n_known < GROUPS_MAX);
    f->known[f->n_known] = *g;
    return f->n_known++;
}

/* Looks a batch of the groups up, in every second row of it; the extra room of a group's row holds 1 + its number. */
static void look_up(fixture *f, const group *rows, int32_t count, bool cuts)
{
    static char texts[BATCH_MAX][40];
    int32_t runs[2 * BATCH_MAX];
    int64_t numbers[2 * BATCH_MAX];
    fl_view views[2 * BATCH_MAX];
    uint64_t valid[3];
    uint16_t list[BATCH_MAX];
    uint8_t starts[BATCH_MAX] = {0}, *found[BATCH_MAX];
    int32_t width = fl_type_width(f->layout.types[1]), n_fresh = 0, n_before = f->n_known, wanted[BATCH_MAX];
    fl_vec keys[3];
    fl_bitmap_fill(valid, 2 * BATCH_MAX, true);
    memset(numbers, 0, sizeof(numbers));
    for (int32_t i = 0; i < count; i++) {
        int32_t at = 2 * i;
        list[i] = (uint16_t)at;
        runs[at] = (int32_t)rows[i].run;
        memcpy((char *)numbers + (int64_t)at * width, &rows[i].x, (size_t)width);
        if (rows[i].x < 0)
            fl_bit_clear(valid, at);
        snprintf(texts[i], sizeof(texts[i]), "%s text %d", rows[i].y % 2 == 0 ? "a" : "one that is long",
                 (int)rows[i].y);
        views[at] = fl_view_of(texts[i], (int64_t)strlen(texts[i]));
        starts[i] = (i == 0 && cuts) || rows[i].run != f->run;
        f->run = rows[i].run;
        f->begin = starts[i] ? f->n_known : f->begin;
        wanted[i] = find_known(f, &(group){rows[i].run, rows[i].x, f->n_keys > 2 ? rows[i].y : 0});
    }
    fl_vec_set_flat(&keys[0], FL_TYPE(FL_I32), runs, NULL);
    fl_vec_set_flat(&keys[1], f->layout.types[1], numbers, valid);
    fl_vec_set_flat(&keys[2], FL_TYPE(FL_UTF8), views, NULL);
    assert_int_equal(fl_run_groups_find(&f->groups, keys, list, count, starts, found, &n_fresh, NULL), FL_OK);
    assert_int_equal(n_fresh, f->n_known - n_before);
    assert_int_equal(f->store.rows, f->n_known);
    for (int32_t i = 0; i < count; i++) {
        int64_t *number = (int64_t *)(found[i] + f->layout.extra_offset);
        *number = *number == 0 && wanted[i] >= n_before ? wanted[i] + 1 : *number;
        assert_int_equal(*number, wanted[i] + 1);
        for (int32_t k = 0; k < f->n_keys; k++) {
            uint16_t match = (uint16_t)i, differ[1];
            int32_t n_differ = 0;
            fl_rows_match(&f->layout, k, &keys[k], list, found, &match, 1, differ, &n_differ);
            assert_int_equal(n_differ, 0);
        }
    }
}

/* Rows of runs that last for up to run_max of them, among so many numbers. */
static void look_up_many(fixture *f, int32_t batches, uint64_t run_max, uint64_t numbers)
{
    int64_t run = f->run + 1;
    uint64_t left = run_max;
    for (int32_t b = 0; b < batches; b++) {
        group rows[BATCH_MAX];
        int32_t count = (int32_t)draw(f, BATCH_MAX + 1);
        for (int32_t i = 0; i < count; i++) {
            if (left-- == 0) {
                left = draw(f, run_max);
                run++;
            }
            rows[i] = (group){run, (int64_t)draw(f, numbers + 1) - 1, (int64_t)draw(f, 3)};
        }
        look_up(f, rows, count, draw(f, 10) == 0);
    }
}

static const fl_type number_types[] = {FL_TYPE(FL_I8), FL_TYPE(FL_U16), FL_TYPE(FL_DATE), FL_TYPE(FL_I64)};
static fixture f;

static void test_one_other_key(void **state)
{
    (void)state;
    for (int32_t t = 0; t < FL_LEN(number_types); t++) {
        begin(&f, number_types[t], 2);
        look_up_many(&f, 40, 5, 4);
        look_up_many(&f, 40, 200, 100);
        look_up_many(&f, 20, 1, 100);
        end(&f);
    }
}

static void test_several_other_keys_and_same_hashes(void **state)
{
    (void)state;
    static const uint64_t modes[] = {0, 1, 2, 5};
    for (int32_t m = 0; m < FL_LEN(modes); m++) {
        hashes_max = modes[m];
        begin(&f, FL_TYPE(FL_I64), 3);
        look_up_many(&f, 40, 5, 4);
        look_up_many(&f, 40, 100, 10);
        look_up_many(&f, 20, 1, 10);
        end(&f);
    }
    hashes_max = 0;
}

/* The directory grows in a run, and is small again behind it. */
static void test_a_large_run(void **state)
{
    (void)state;
    for (int32_t n_keys = 2; n_keys <= 3; n_keys++) {
        begin(&f, FL_TYPE(FL_I64), n_keys);
        look_up_many(&f, 5, 5, 4);
        look_up_many(&f, 150, 1000000, 100000);
        assert_true(f.groups.n_entries >= 8192);
        look_up_many(&f, 60, 5, 4);
        assert_int_equal(f.groups.n_entries, ENTRIES_MIN);
        end(&f);
    }
}

/* fl_group_combine: how many rows of the store a group was. */
static fl_status count_up(void *ctx, uint8_t *into, const uint8_t *row, fl_arena *heap, fl_err *err)
{
    int32_t offset = ((fixture *)ctx)->layout.extra_offset;
    (void)heap;
    (void)err;
    *(int64_t *)(into + offset) += *(const int64_t *)(row + offset);
    return FL_OK;
}

/* Cuts the rows of the store into stretches, in which there may be runs of any length, and none of its rows twice. */
static void test_runs_are_joined(void **state)
{
    (void)state;
    static uint8_t *rows[GROUPS_MAX], *whole[GROUPS_MAX];
    static int64_t starts[GROUPS_MAX + 1];
    static const int32_t runs_max[] = {1, 3, 40, 2000};
    for (int32_t r = 0; r < FL_LEN(runs_max); r++) {
        int64_t n = 0, n_stretches = 0, left = 0;
        begin(&f, FL_TYPE(FL_I64), 3);
        int64_t run = 0;
        for (int32_t i = 0; i < 4000; i++) {
            bool is_cut = draw(&f, 50) == 0;
            left = left == 0 ? 1 + (int64_t)draw(&f, (uint64_t)runs_max[r]) : left;
            look_up(&f, &(group){run, (int64_t)draw(&f, 6) - 1, (int64_t)draw(&f, 3)}, 1, is_cut);
            if ((is_cut && f.store.rows > n) || n == 0)
                starts[n_stretches++] = n;
            n = f.store.rows;
            run += --left == 0;
        }
        starts[n_stretches] = n;
        n = 0;
        for (fl_row_block *b = f.store.first; b != NULL; b = b->next)
            for (int32_t i = 0; i < b->rows; i++) {
                rows[n] = b->data + (int64_t)i * f.layout.bytes;
                *(int64_t *)(rows[n++] + f.layout.extra_offset) = 1;
            }
        int64_t n_whole = 0, kept = 0;
        for (int64_t i = 0; i < n; i++) { /* each with its first one, of all that are known */
            int64_t w = n_whole - 1;
            while (w >= 0 && !fl_rows_are_same(&f.layout, 3, whole[w], rows[i]))
                w--;
            if (w < 0)
                whole[n_whole++] = rows[i];
        }
        assert_int_equal(fl_run_groups_join(&f.exec, &f.layout, 1, 3, rows, starts, n_stretches, count_up, &f,
                                            &f.exec.arena, &kept, NULL),
                         FL_OK);
        assert_int_equal(kept, n_whole);
        int64_t total = 0;
        for (int64_t i = 0; i < kept; i++) {
            assert_ptr_equal(rows[i], whole[i]);
            total += *(int64_t *)(rows[i] + f.layout.extra_offset);
        }
        assert_int_equal(total, n);
        end(&f);
    }
}

static void test_joining_stops(void **state)
{
    (void)state;
    uint8_t *rows[8];
    int64_t kept = -1;
    begin(&f, FL_TYPE(FL_I64), 2);
    assert_int_equal(fl_run_groups_join(&f.exec, &f.layout, 1, 2, rows, (const int64_t[]){0}, 0, count_up, &f,
                                        &f.exec.arena, &kept, NULL),
                     FL_OK); /* nothing */
    assert_int_equal(kept, 0);
    look_up(&f, &(group){1, 2, 0}, 1, true);
    rows[0] = f.store.first->data;
    fl_interrupt_request(&f.interrupt);
    assert_int_equal(fl_run_groups_join(&f.exec, &f.layout, 1, 2, rows, (const int64_t[]){0, 1}, 1, count_up, &f,
                                        &f.exec.arena, &kept, NULL),
                     FL_ERR_CANCELLED);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_other_key), cmocka_unit_test(test_several_other_keys_and_same_hashes),
        cmocka_unit_test(test_a_large_run),   cmocka_unit_test(test_runs_are_joined),
        cmocka_unit_test(test_joining_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
