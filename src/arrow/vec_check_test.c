/* What is wrong with a vector is named, and nothing is wrong with one that is as it should be. */
#include "arrow/vec_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LONG_TEXT "a text of more than twelve bytes"

static void assert_sound(const fl_vec *vec, const uint64_t *mask, int64_t rows)
{
    const char *fault = fl_vec_fault(vec, mask, rows);
    if (fault != NULL)
        fail_msg("%s", fault);
}

static void test_views(void **state)
{
    (void)state;
    uint64_t valid = 7, mask = 5;
    fl_view views[] = {fl_view_of("ab", 2), fl_view_of(LONG_TEXT, (int64_t)strlen(LONG_TEXT)), fl_view_of("", 0)};
    fl_vec vec;
    fl_vec_set_flat(&vec, FL_TYPE(FL_UTF8), views, &valid);
    assert_sound(&vec, NULL, 3);
    views[0].rest[3] = 'x';
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
    valid = 6; /* a null row's view may be any */
    assert_sound(&vec, NULL, 3);
    views[1].prefix[0] = 'b';
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
    assert_sound(&vec, &mask, 3); /* and that of a row which is not wanted */
    views[2] = fl_view_of("\xFF", 1);
    assert_non_null(fl_vec_fault(&vec, &mask, 3));
    vec.type = FL_TYPE(FL_BINARY);
    assert_sound(&vec, &mask, 3);
}

static void test_offsets(void **state)
{
    (void)state;
    int32_t offsets[] = {0, 2, 2, 5};
    fl_vec vec;
    fl_vec_set_flat(&vec, FL_TYPE(FL_UTF8), offsets, NULL);
    vec.form = FL_OFFSETS;
    vec.width = 4;
    vec.chars = "abcde";
    assert_sound(&vec, NULL, 3);
    offsets[1] = 3;
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
    offsets[1] = 2;
    offsets[0] = -1;
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
    offsets[0] = 0;
    vec.width = 16;
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
}

static void test_dictionaries(void **state)
{
    (void)state;
    fl_view values[] = {fl_view_of("a", 1), fl_view_of("c", 1), fl_view_of("b", 1)};
    uint32_t codes[] = {1, 0, 2};
    uint64_t mask = 3;
    fl_vec dict, vec = {.type = FL_TYPE(FL_UTF8), .layout = FL_DICT, .data = codes, .child = &dict, .child_rows = 3};
    fl_vec_set_flat(&dict, FL_TYPE(FL_UTF8), values, NULL);
    assert_sound(&vec, NULL, 3);
    vec.is_sorted_dict = true;
    assert_sound(&vec, &mask, 3);
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
    vec.is_sorted_dict = false;
    vec.child_rows = 2; /* no code is beyond, also of a row that is not wanted */
    assert_non_null(fl_vec_fault(&vec, &mask, 3));
    vec.child_rows = 3;
    dict.valid = &mask;
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
}

static void test_numbers(void **state)
{
    (void)state;
    int64_t values[] = {1, 100, 3};
    uint64_t mask = 5;
    uint8_t neither = 2;
    fl_vec vec;
    fl_vec_set_flat(&vec, FL_TYPE(FL_I64), values, NULL);
    assert_sound(&vec, NULL, 3);
    vec.has_bounds = true;
    vec.low = 0;
    vec.high = 10;
    assert_sound(&vec, &mask, 3);
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
    vec.has_bounds = false;
    vec.width = 4;
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
    vec.data = NULL;
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
    assert_sound(&vec, NULL, 0);
    fl_vec_set_const(&vec, FL_TYPE(FL_BOOL), &neither);
    assert_non_null(fl_vec_fault(&vec, NULL, 3));
    fl_vec_set_const(&vec, FL_TYPE(FL_BOOL), NULL);
    assert_sound(&vec, NULL, 3);
}

static void test_nested(void **state)
{
    (void)state;
    static const fl_field field = {.name = {"a", 1}, .type = {.id = FL_I64}};
    fl_list_entry entries[] = {{0, 2}, {2, 1}};
    int64_t values[] = {1, 2, 3};
    uint64_t mask = 1;
    fl_vec child, vec;
    fl_vec_set_flat(&child, FL_TYPE(FL_I64), values, NULL);
    fl_vec_set_flat(&vec, (fl_type){.id = FL_LIST, .n_fields = 1, .fields = &field}, entries, NULL);
    vec.child = &child;
    vec.child_rows = 3;
    assert_sound(&vec, NULL, 2);
    entries[1].len = 2;
    assert_non_null(fl_vec_fault(&vec, NULL, 2));
    assert_sound(&vec, &mask, 2);
    fl_vec_set_flat(&vec, (fl_type){.id = FL_STRUCT, .n_fields = 1, .fields = &field}, NULL, NULL);
    assert_non_null(fl_vec_fault(&vec, NULL, 2));
    vec.child = &child;
    assert_sound(&vec, NULL, 2);
    child.has_bounds = true; /* of 0 alone */
    assert_non_null(fl_vec_fault(&vec, &mask, 2));
    mask = 2;
    vec.valid = (const uint64_t[]){1}; /* the row that is wanted is null, and the other is not wanted */
    assert_sound(&vec, &mask, 2);
}

static void test_batches(void **state)
{
    (void)state;
    uint64_t mask[2] = {0x3, 0};
    fl_batch batch = {.rows = 64, .kept = 64};
    assert_null(fl_batch_fault(&batch));
    batch.kept = 63;
    assert_non_null(fl_batch_fault(&batch));
    batch.mask = mask;
    batch.kept = 2;
    assert_null(fl_batch_fault(&batch));
    batch.kept = 1;
    assert_non_null(fl_batch_fault(&batch));
    batch.kept = 2;
    batch.rows = 70;
    assert_null(fl_batch_fault(&batch));
    mask[1] = 1ull << 40; /* a tail that is not cleared */
    assert_non_null(fl_batch_fault(&batch));
    assert_null(fl_list_fault((const uint16_t[]){0, 3, 4}, 3, 5));
    assert_non_null(fl_list_fault((const uint16_t[]){0, 3, 5}, 3, 5));
    assert_non_null(fl_list_fault((const uint16_t[]){0, 3, 3}, 3, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),   cmocka_unit_test(test_offsets), cmocka_unit_test(test_dictionaries),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_nested),  cmocka_unit_test(test_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
