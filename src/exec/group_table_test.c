/* The group table with an index: the same groups as by hash alone, whatever the ranges say, for each way in which a key can
 * lie in a vector; dictionaries that change; merging of tables that saw different rows is tested through SQL. */
#include "exec/group_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS 64
#define SEED 42

typedef struct fixture {
    fl_arena arena;
    fl_row_layout layout;
    fl_group_table indexed, hashed;
    uint16_t list[ROWS];
} fixture;

static void begin(fixture *f, const fl_type *types, int32_t n_keys, const fl_key_range *ranges)
{
    *f = (fixture){0};
    fl_arena_init(&f->arena, NULL);
    assert_int_equal(fl_row_layout_init(&f->layout, &f->arena, types, n_keys, 8, NULL), FL_OK);
    assert_int_equal(fl_group_table_init(&f->indexed, &f->layout, n_keys, ROWS, NULL, NULL), FL_OK);
    assert_int_equal(fl_group_table_init(&f->hashed, &f->layout, n_keys, ROWS, NULL, NULL), FL_OK);
    assert_int_equal(fl_group_table_add_index(&f->indexed, ranges, NULL), FL_OK);
    for (int32_t i = 0; i < ROWS; i++)
        f->list[i] = (uint16_t)i;
}

static void end(fixture *f)
{
    fl_group_table_drop(&f->indexed);
    fl_group_table_drop(&f->hashed);
    fl_arena_drop(&f->arena);
}

/* Rows of one group stay together: both tables must tell the same pairs of rows apart, in this batch and in all before,
 * which each row remembers by the number in its extra room. */
static void check_batch(fixture *f, const fl_vec *keys)
{
    uint8_t *a[ROWS], *b[ROWS], *again[ROWS];
    static int64_t numbers;
    assert_int_equal(fl_group_table_find(&f->indexed, keys, f->list, ROWS, SEED, true, a, NULL), FL_OK);
    assert_int_equal(fl_group_table_find(&f->hashed, keys, f->list, ROWS, SEED, true, b, NULL), FL_OK);
    assert_int_equal(fl_group_table_find(&f->indexed, keys, f->list, ROWS, SEED, false, again, NULL), FL_OK);
    for (int32_t i = 0; i < ROWS; i++) {
        int64_t *x = (int64_t *)(a[i] + f->layout.extra_offset), *y = (int64_t *)(b[i] + f->layout.extra_offset);
        if (*x == 0 && *y == 0)
            *x = *y = ++numbers;
        assert_int_equal(*x, *y);
        assert_ptr_equal(a[i], again[i]);
        assert_true(fl_rows_are_same(&f->layout, f->indexed.n_keys, a[i], b[i]));
    }
    uint8_t *rows[16 * ROWS];
    assert_true(fl_group_table_rows_max(&f->hashed) <= 16 * ROWS);
    int64_t n_indexed, n_hashed;
    assert_int_equal(fl_group_table_list(&f->indexed, rows, &n_indexed, NULL), FL_OK);
    assert_int_equal(fl_group_table_list(&f->hashed, rows, &n_hashed, NULL), FL_OK);
    assert_int_equal(n_indexed, n_hashed);
}

static void test_ranges(void **state)
{
    (void)state;
    static const fl_key_range ranges[] = {{-3, 10}, {0, 1}, {100, 5}, {INT64_MIN, 4}, {INT64_MAX - 3, 4}};
    static const uint8_t types[] = {FL_I8,  FL_I16, FL_I32, FL_I64,  FL_U8,
                                    FL_U16, FL_U32, FL_U64, FL_DATE, FL_TIMESTAMP};
    for (int32_t r = 0; r < FL_LEN(ranges); r++)
        for (int32_t t = 0; t < FL_LEN(types); t++) {
            fixture f;
            fl_type type = FL_TYPE(types[t]);
            uint64_t data[ROWS], valid = 0x7FFFFFFFFFFFFFF7ull;
            begin(&f, &type, 1, &ranges[r]);
            assert_true(f.indexed.index.is_complete);
            for (int32_t batch = 0; batch < 4; batch++) {
                fl_vec key;
                for (int32_t i = 0; i < ROWS; i++) { /* around the range's ends, and anywhere */
                    uint64_t x = i % 3 == 0 ? (uint64_t)rand() * 0x9E3779B97F4A7C15ull
                                            : (uint64_t)ranges[r].min + (uint64_t)(i % 15 - 2);
                    memcpy((char *)data + i * fl_type_width(type), &x, (size_t)fl_type_width(type));
                }
                fl_vec_set_flat(&key, type, data, batch % 2 == 0 ? NULL : &valid);
                check_batch(&f, &key);
            }
            fl_vec key;
            fl_vec_set_const(&key, type, data);
            check_batch(&f, &key);
            fl_vec_set_const(&key, type, NULL);
            check_batch(&f, &key);
            end(&f);
        }
}

static void test_decimals_and_booleans(void **state)
{
    (void)state;
    static const fl_key_range ranges[] = {{-5, 20}, {0, 2}};
    const fl_type types[] = {FL_TYPE_DECIMAL(38, 2), FL_TYPE(FL_BOOL)};
    fl_i128 wide[ROWS];
    int64_t narrow[ROWS];
    uint64_t bits = 0xF0F0123456789ABCull, valid = 0xAAAAFFFF5555FFFFull;
    uint8_t on = 1;
    fixture f;
    fl_vec keys[2];
    begin(&f, types, 2, ranges);
    for (int32_t i = 0; i < ROWS; i++) {
        wide[i] = i % 5 == 0 ? ((fl_i128)1 << 70) + i % 10 : i % 30 - 10;
        narrow[i] = i % 40 - 15;
    }
    fl_vec_set_flat(&keys[0], types[0], wide, NULL);
    fl_vec_set_flat(&keys[1], types[1], &bits, &valid);
    check_batch(&f, keys);
    keys[0].data = narrow; /* the same type, stored in eight bytes */
    keys[0].width = 8;
    check_batch(&f, keys);
    fl_vec_set_const(&keys[1], types[1], &on);
    check_batch(&f, keys);
    end(&f);
}

static void test_dictionaries(void **state)
{
    (void)state;
    static const char *const words[] = {"red", "green", "blue", "a colour of more than twelve letters", ""};
    const fl_type types[] = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)};
    fl_view views[2][5], flat[ROWS];
    uint32_t codes[2][ROWS];
    fl_vec dicts[2], keys[2];
    uint64_t valid = ~(1ull << 17);
    fixture f;
    begin(&f, types, 2, NULL);
    assert_false(f.indexed.index.is_complete);
    for (int32_t d = 0; d < 2; d++) {
        for (int32_t w = 0; w < 5; w++) /* the second has the words in another order */
            views[d][w] = fl_view_of(words[(w * 2 + d) % 5], (int64_t)strlen(words[(w * 2 + d) % 5]));
        fl_vec_set_flat(&dicts[d], types[0], views[d], NULL);
    }
    uint64_t ids[] = {fl_dict_id_new(), fl_dict_id_new()};
    for (int32_t batch = 0; batch < 12; batch++) {
        for (int32_t k = 0; k < 2; k++) {
            int32_t d = (batch / 3 + k * (batch / 5)) % 2;
            for (int32_t i = 0; i < ROWS; i++)
                codes[k][i] = (uint32_t)rand() % 5;
            keys[k] = (fl_vec){.type = types[k],
                               .layout = FL_DICT,
                               .width = 4,
                               .data = codes[k],
                               .child = &dicts[d],
                               .child_rows = 5,
                               .dict_id = ids[d],
                               .valid = k == 0 ? &valid : NULL};
        }
        check_batch(&f, keys);
        if (batch % 4 == 3) { /* now the second key comes as plain text */
            for (int32_t i = 0; i < ROWS; i++)
                flat[i] = fl_view_of(words[i % 5], (int64_t)strlen(words[i % 5]));
            fl_vec_set_flat(&keys[1], types[1], flat, NULL);
            keys[0].child = &dicts[batch / 4 % 2];
            keys[0].dict_id = ids[batch / 4 % 2];
            check_batch(&f, keys);
        }
    }
    assert_true(f.indexed.index.n_places == 36);
    end(&f);
}

/* Appended rows have their keys and hashes; of a sixteenth of them it is known how many had a row already. */
static void test_appending(void **state)
{
    fixture f;
    int64_t x[ROWS];
    fl_vec key;
    uint8_t *rows[ROWS], *found[ROWS];
    int64_t n_sampled = 0;
    begin(&f, &(fl_type){.id = FL_I64}, 1, NULL);
    for (int32_t batch = 0; batch < 200; batch++) {
        for (int32_t i = 0; i < ROWS; i++)
            x[i] = (batch % 100) * ROWS + i; /* each comes twice */
        fl_vec_set_flat(&key, (fl_type){.id = FL_I64}, x, NULL);
        assert_int_equal(fl_group_table_append(&f.hashed, &key, f.list, ROWS, SEED, rows, NULL), FL_OK);
        for (int32_t i = 0; i < ROWS; i++) {
            assert_int_equal(*(int64_t *)(rows[i] + f.layout.offsets[0]), x[i]);
            assert_false(fl_row_is_null(&f.layout, rows[i], 0));
        }
        if (batch == 99) {
            assert_int_equal(f.hashed.n_known, 0);
            n_sampled = f.hashed.n_sampled;
        }
    }
    assert_true(f.hashed.has_doubles && f.hashed.store.rows == 200 * ROWS);
    assert_in_range(n_sampled, 100 * ROWS / 32, 100 * ROWS / 8);
    assert_int_equal(f.hashed.n_sampled, 2 * n_sampled);
    assert_int_equal(f.hashed.n_known, n_sampled);
    assert_int_equal(f.hashed.n_hashed, n_sampled);
    /* looking up goes on behind it: a key has one row from here on */
    for (int32_t again = 0; again < 2; again++) {
        assert_int_equal(fl_group_table_find(&f.hashed, &key, f.list, ROWS, SEED, true, found, NULL), FL_OK);
        for (int32_t i = 0; i < ROWS; i++) {
            assert_true(fl_rows_are_same(&f.layout, 1, found[i], rows[i]));
            assert_true(again == 0 || found[i] == rows[i]);
            rows[i] = found[i];
        }
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranges), cmocka_unit_test(test_decimals_and_booleans),
                                       cmocka_unit_test(test_dictionaries), cmocka_unit_test(test_appending)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
