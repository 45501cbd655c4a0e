/* Rows that went to the disk come back as they were: texts short and long, nested values, nulls, states that point at more; by partitions, and
 * with a block that was changed told as such by the file. */
#include "exec/spill.h"
#include "exec/spilled_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 20000

typedef struct fixture {
    fl_memory memory;
    fl_arena arena;
    fl_row_layout layout;
    fl_row_store store;
    fl_spill_file *file;
} fixture;

/* Columns: a number, a text of 0 to 40 characters, a list of texts; the room behind them points at the number's own text. */
static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    fl_field element = {.name = FL_STR("item"), .type = FL_TYPE(FL_UTF8), .nullable = true};
    fl_memory_init(&f->memory, NULL, "test", 0);
    fl_arena_init(&f->arena, &f->memory);
    fl_field *field = NULL;
    assert_int_equal(FL_NEW(&f->arena, &field, NULL), FL_OK);
    *field = element;
    fl_type list = {.id = FL_LIST, .n_fields = 1, .fields = field};
    fl_type types[] = {FL_TYPE(FL_I64), FL_TYPE(FL_UTF8), list};
    assert_int_equal(fl_row_layout_init(&f->layout, &f->arena, types, 3, 8, NULL), FL_OK);
    fl_row_store_init(&f->store, &f->layout, &f->memory);
    assert_int_equal(fl_spill_file_new(&f->memory, FL_STR("/tmp"), NULL, &f->file, NULL), FL_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    fl_spill_file_free(f->file);
    fl_row_store_drop(&f->store);
    fl_arena_drop(&f->arena);
    assert_int_equal(atomic_load(&f->memory.used_bytes), 0);
    free(f);
    return 0;
}

static fl_value text_of(fl_arena *arena, int64_t i, int64_t len)
{
    char *chars = NULL;
    assert_int_equal(fl_arena_get(arena, len + 1, (void **)&chars, NULL), FL_OK);
    for (int64_t c = 0; c < len; c++)
        chars[c] = (char)('a' + (i + c) % 26);
    return (fl_value){.type = FL_TYPE(FL_UTF8), .s = {chars, len}};
}

static void fill(fixture *f)
{
    for (int64_t i = 0; i < ROWS; i++) {
        uint8_t *row = NULL;
        uint16_t zero = 0;
        fl_vec vec;
        fl_arena scratch;
        fl_arena_init(&scratch, NULL);
        fl_value items[3] = {
            text_of(&scratch, i, i % 30), {.type = FL_TYPE(FL_UTF8), .is_null = true}, text_of(&scratch, i, 1)};
        fl_value values[3] = {{.type = FL_TYPE(FL_I64), .i = i, .is_null = i % 7 == 0},
                              text_of(&scratch, i, i % 41),
                              {.type = f->layout.types[2], .list = {items, i % 4}, .is_null = i % 5 == 0}};
        values[1].is_null = i % 11 == 0;
        assert_int_equal(fl_row_store_add(&f->store, 1, &row, NULL), FL_OK);
        for (int32_t c = 0; c < 3; c++) {
            assert_int_equal(fl_value_to_vec(&scratch, &values[c], &vec, NULL), FL_OK);
            vec.type = f->layout.types[c];
            assert_int_equal(fl_rows_write(&f->layout, c, &vec, &zero, 1, &row, &f->store.heap, NULL), FL_OK);
        }
        *(uint64_t *)row = (uint64_t)i * 0x9E3779B97F4A7C15ull;
        char *own = NULL;
        assert_int_equal(fl_arena_get(&f->store.heap, 24, (void **)&own, NULL), FL_OK);
        snprintf(own, 24, "%lld", (long long)i);
        memcpy(row + f->layout.extra_offset, &own, 8);
        fl_arena_drop(&scratch);
    }
}

static fl_status save(void *ctx, const uint8_t *row, fl_spill_bytes *to, fl_err *err)
{
    fixture *f = ctx;
    const char *own = NULL;
    memcpy(&own, row + f->layout.extra_offset, 8);
    return fl_spill_bytes_add(to, own, (int64_t)strlen(own), err);
}

static fl_status load(void *ctx, uint8_t *row, const uint8_t *from, int64_t bytes, fl_arena *heap, fl_err *err)
{
    fixture *f = ctx;
    char *own = NULL;
    fl_status st = fl_arena_get(heap, bytes + 1, (void **)&own, err);
    if (st != FL_OK)
        return st;
    memcpy(own, from, (size_t)bytes);
    own[bytes] = 0;
    memcpy(row + f->layout.extra_offset, &own, 8);
    return FL_OK;
}

/* Reads all pages and holds each row against the one that was written. */
static int64_t compare_all(fixture *f, const fl_spilled_rows *spilled, uint8_t *const *written)
{
    int64_t n = 0;
    for (int64_t i = 0; i < spilled->n_pages; i++) {
        fl_row_page page;
        fl_arena heap;
        fl_arena_init(&heap, &f->memory);
        assert_int_equal(fl_spilled_rows_read(spilled, i, &heap, &page, NULL), FL_OK);
        for (int64_t r = 0; r < page.n; r++) {
            const char *own = NULL;
            memcpy(&own, page.rows[r] + f->layout.extra_offset, 8);
            int64_t number = strtoll(own, NULL, 10);
            assert_true(fl_rows_are_same(&f->layout, 3, page.rows[r], written[number]));
            assert_int_equal(fl_row_hash(page.rows[r]), fl_row_hash(written[number]));
            n++;
        }
        fl_row_page_drop(&page);
        fl_arena_drop(&heap);
    }
    assert_int_equal(n, spilled->rows);
    return n;
}

static uint8_t **list_rows(fixture *f)
{
    uint8_t **rows = calloc(ROWS, sizeof(*rows));
    int64_t n = 0;
    for (fl_row_block *b = f->store.first; b != NULL; b = b->next)
        for (int32_t i = 0; i < b->rows; i++)
            rows[n++] = b->data + (int64_t)i * f->layout.bytes;
    assert_int_equal(n, ROWS);
    return rows;
}

static void test_rows_come_back(void **state)
{
    fixture *f = *state;
    fl_spilled_rows spilled;
    fl_row_states states = {f, save, load};
    fill(f);
    uint8_t **rows = list_rows(f);
    fl_spilled_rows_init(&spilled, &f->layout, &states);
    assert_int_equal(fl_spilled_rows_add(&spilled, f->file, rows, ROWS / 2, NULL), FL_OK);
    assert_int_equal(fl_spilled_rows_add(&spilled, f->file, rows + ROWS / 2, ROWS / 2, NULL), FL_OK);
    assert_int_equal(compare_all(f, &spilled, rows), ROWS);
    assert_true(spilled.n_pages > 4);
    fl_spilled_rows_drop(&spilled);
    assert_int_equal(fl_spill_file_stats(f->file).used_bytes, 0);
    free(rows);
}

static void test_partitions(void **state)
{
    fixture *f = *state;
    fl_spilled_rows parts[FL_SPILL_PARTITIONS];
    fl_row_states states = {f, save, load};
    int64_t n = 0;
    fill(f);
    uint8_t **rows = list_rows(f);
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        fl_spilled_rows_init(&parts[p], &f->layout, &states);
    assert_int_equal(fl_spilled_rows_divide(parts, 1, f->file, &f->store, NULL), FL_OK);
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++) {
        n += compare_all(f, &parts[p], rows);
        assert_true(parts[p].rows > ROWS / FL_SPILL_PARTITIONS / 2);
        fl_spilled_rows_drop(&parts[p]);
    }
    assert_int_equal(n, ROWS);
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_partitions, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
