/* Order words and runs against what sorting and grouping say of the same values: of each type, in each way in which they can lie
 * in a vector, with values that are near to each other, the extremes among them. */
#include "exec/order_words.h"

#include "exec/runs.h"
#include "exec/sorter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ROWS 48

typedef struct fixture {
    fl_arena arena;
    fl_row_layout layout;
    uint16_t list[ROWS];
    uint8_t *rows[ROWS]; /* the vector's values as rows */
} fixture;

static void begin(fixture *f, fl_type type, const fl_vec *vec)
{
    uint8_t *block = NULL;
    *f = (fixture){0};
    fl_arena_init(&f->arena, NULL);
    assert_int_equal(fl_row_layout_init(&f->layout, &f->arena, &type, 1, 0, NULL), FL_OK);
    assert_int_equal(fl_arena_get_zero(&f->arena, (int64_t)ROWS * f->layout.bytes, (void **)&block, NULL), FL_OK);
    for (int32_t i = 0; i < ROWS; i++) {
        f->list[i] = (uint16_t)i;
        f->rows[i] = block + (ptrdiff_t)i * f->layout.bytes;
    }
    assert_int_equal(fl_rows_write(&f->layout, 0, vec, f->list, ROWS, f->rows, &f->arena, NULL), FL_OK);
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* Each pair of rows, both ways round; of null rows words say nothing. */
static void check_words(fixture *f, const fl_vec *vec, bool is_descending)
{
    uint64_t words[ROWS];
    const fl_sort_column column = {.is_descending = is_descending};
    fl_order_words(vec, f->list, ROWS, is_descending, words);
    for (int32_t a = 0; a < ROWS; a++)
        for (int32_t b = 0; b < ROWS; b++) {
            if (!fl_vec_is_valid(vec, a) || !fl_vec_is_valid(vec, b))
                continue;
            int order = words[a] != words[b] ? (words[a] < words[b] ? -1 : 1) : 0;
            if (order == 0 && !fl_order_word_decides(vec->type, is_descending ? ~words[a] : words[a])) {
                order = fl_order_compare_tied(vec, a, f->rows[b] + f->layout.offsets[0]);
                order = is_descending ? -order : order;
            }
            assert_int_equal(sign(order), sign(fl_sort_compare(&f->layout, &column, 1, f->rows[a], f->rows[b])));
            if (fl_order_words_decide(vec->type))
                assert_true(fl_order_word_decides(vec->type, words[a]));
        }
}

/* With all rows, and with some left out. */
static void check_runs(fixture *f, const fl_vec *vec)
{
    for (int32_t step = 1; step < 4; step++) {
        uint16_t list[ROWS];
        uint8_t starts[ROWS] = {0};
        int32_t n = 0;
        for (int32_t i = step == 3 ? 5 : 0; i < ROWS; i += step == 3 ? 1 : step)
            list[n++] = (uint16_t)i;
        fl_runs_mark(vec, list, n, starts);
        for (int32_t i = 1; i < n; i++)
            assert_int_equal(starts[i], !fl_rows_are_same(&f->layout, 1, f->rows[list[i - 1]], f->rows[list[i]]));
    }
}

static void check(fl_type type, const fl_vec *vec)
{
    fixture f;
    begin(&f, type, vec);
    check_words(&f, vec, false);
    check_words(&f, vec, true);
    check_runs(&f, vec);
    fl_arena_drop(&f.arena);
}

/* Flat with and without nulls, and as a constant. */
static void check_layouts(fl_type type, const void *data)
{
    const uint64_t valid = 0xFFEFFFFFFF3F7DFDull;
    fl_vec vec;
    fl_vec_set_flat(&vec, type, data, NULL);
    check(type, &vec);
    vec.valid = &valid;
    check(type, &vec);
    if (type.id != FL_BOOL) {
        fl_vec_set_const(&vec, type, data);
        check(type, &vec);
    }
}

/* Bytes that are mostly 0 or 255, so that many values are equal or next to each other. */
static void fill(uint8_t *data, int32_t bytes, int32_t width)
{
    static uint32_t state = 7;
    for (int32_t i = 0; i < bytes; i++) {
        state = state * 1664525 + 1013904223;
        uint8_t byte = (uint8_t)(state >> 24);
        data[i] = i % width == 0 || i % width == width - 1 ? byte & 0x83 : byte & 16 ? 255 : 0;
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const uint8_t types[] = {FL_BOOL, FL_I8,  FL_I16, FL_I32, FL_I64,  FL_U8,   FL_U16,
                                    FL_U32,  FL_U64, FL_F32, FL_F64, FL_DATE, FL_TIME, FL_TIMESTAMP};
    for (int32_t t = 0; t < FL_LEN(types); t++)
        for (int32_t round = 0; round < 20; round++) {
            fl_type type = FL_TYPE(types[t]);
            int32_t width = type.id == FL_BOOL ? 1 : fl_type_width(type);
            uint64_t data[ROWS];
            fill((uint8_t *)data, ROWS * 8, width);
            check_layouts(type, data);
        }
}

static void test_doubles(void **state)
{
    (void)state;
    double data[ROWS];
    const double values[] = {NAN, -0.0, 0.0, INFINITY, -INFINITY, 5e-324, -5e-324, 1.5};
    for (int32_t i = 0; i < ROWS; i++)
        data[i] = values[i * 5 / 3 % FL_LEN(values)];
    check_layouts(FL_TYPE(FL_F64), data);
}

static void test_decimals(void **state)
{
    (void)state;
    fl_i128 wide[ROWS];
    int64_t narrow[ROWS];
    fl_vec vec;
    for (int32_t i = 0; i < ROWS; i++) {
        narrow[i] = (i * 7 % 11 - 5) * (i % 3 == 0 ? INT64_MAX / 5 : 1);
        wide[i] = (fl_i128)narrow[i] * (i % 4 == 0 ? 3 : 1) + (i % 2);
    }
    wide[3] = INT64_MAX, wide[4] = (fl_i128)INT64_MAX + 1, wide[5] = INT64_MIN, wide[6] = (fl_i128)INT64_MIN - 1;
    check_layouts(FL_TYPE_DECIMAL(18, 2), narrow);
    check_layouts(FL_TYPE_DECIMAL(38, 2), wide);
    fl_vec_set_flat(&vec, FL_TYPE_DECIMAL(38, 2), narrow, NULL);
    vec.width = 8;
    check(FL_TYPE_DECIMAL(38, 2), &vec);
}

static void test_strings(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "a",
                                        "ab",
                                        "abcdefg",
                                        "abcdefgh",
                                        "abcdefgi",
                                        "abcdefgh1",
                                        "\xC3\xA9t\xC3\xA9",
                                        "a text that is long",
                                        "a text that is lone",
                                        "b",
                                        "\x01"};
    fl_view views[ROWS];
    uint32_t codes[ROWS];
    fl_vec vec, values;
    for (int32_t i = 0; i < ROWS; i++) {
        codes[i] = (uint32_t)(i * 5 / 2 % FL_LEN(texts));
        views[i] = fl_view_of(texts[codes[i]], (int64_t)strlen(texts[codes[i]]));
    }
    check_layouts(FL_TYPE(FL_UTF8), views);
    check_layouts(FL_TYPE(FL_BINARY), views);
    fl_view all[FL_LEN(texts)];
    for (int32_t i = 0; i < FL_LEN(texts); i++)
        all[i] = fl_view_of(texts[i], (int64_t)strlen(texts[i]));
    fl_vec_set_flat(&values, FL_TYPE(FL_UTF8), all, NULL);
    vec = (fl_vec){.type = FL_TYPE(FL_UTF8),
                   .layout = FL_DICT,
                   .width = 4,
                   .data = codes,
                   .child = &values,
                   .child_rows = FL_LEN(texts),
                   .dict_id = fl_dict_id_new()};
    check(FL_TYPE(FL_UTF8), &vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
