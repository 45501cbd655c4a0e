/* What is known of a vector's order, against what each row's comparison with the one before it tells; and that looking stops. */
#include "arrow/vec_order.h"

#include "arrow/value.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 100000 /* several stretches and blocks */

static void assert_order(const fl_vec *vec, int64_t rows, bool ascends, bool descends)
{
    fl_vec_order order = fl_vec_order_of(vec, rows);
    assert_int_equal(order.ascends, ascends);
    assert_int_equal(order.descends, descends);
}

/* One value out of order is found wherever it stands, also where blocks and stretches meet. */
static void test_one_value_is_out_of_order(void **state)
{
    (void)state;
    static const int64_t places[] = {1, 1023, 1024, 1025, 16383, 16384, 16385, 32768, MANY - 1};
    int64_t *values = malloc(MANY * sizeof(*values));
    fl_vec vec;
    assert_non_null(values);
    fl_vec_set_flat(&vec, FL_TYPE(FL_I64), values, NULL);
    for (int32_t sign = -1; sign <= 1; sign += 2) {
        for (int64_t i = 0; i < MANY; i++)
            values[i] = sign * (i / 3);
        assert_order(&vec, MANY, sign > 0, sign < 0);
        for (int64_t p = 0; p < FL_LEN(places); p++) {
            int64_t kept = values[places[p]];
            values[places[p]] = -sign * MANY;
            assert_order(&vec, MANY, false, false);
            assert_order(&vec, places[p], sign > 0 || places[p] < 4, sign < 0 || places[p] < 4);
            values[places[p]] = kept;
        }
    }
    free(values);
}

static void test_numbers_that_are_none(void **state)
{
    (void)state;
    double ascending[] = {-(double)INFINITY, -1, -0.0, 0.0, -0.0, 2, (double)INFINITY, (double)NAN, (double)NAN};
    double descending[] = {(double)NAN, 1, 0.0, -0.0}, neither[] = {1, (double)NAN, 2};
    fl_vec vec;
    fl_vec_set_flat(&vec, FL_TYPE(FL_F64), ascending, NULL);
    assert_order(&vec, FL_LEN(ascending), true, false);
    fl_vec_set_flat(&vec, FL_TYPE(FL_F64), descending, NULL);
    assert_order(&vec, FL_LEN(descending), false, true);
    fl_vec_set_flat(&vec, FL_TYPE(FL_F64), neither, NULL);
    assert_order(&vec, FL_LEN(neither), false, false);
    assert_int_equal(fl_double_compare((double)NAN, (double)NAN), 0);
    assert_int_equal(fl_double_compare((double)NAN, (double)INFINITY), 1);
    assert_int_equal(fl_double_compare(-0.0, 0.0), 0);
}

static void test_nulls_stand_at_an_end(void **state)
{
    (void)state;
    int32_t values[] = {5, 1, 2, 9};
    uint64_t first = 0x6, last = 0x6 << 1, between = 0x5, none = 0;
    fl_vec vec;
    fl_vec_set_flat(&vec, FL_TYPE(FL_I32), values, &first);
    fl_vec_order order = fl_vec_order_of(&vec, 3);
    assert_true(order.ascends && !order.descends && order.nulls_first && !order.nulls_last);
    fl_vec_set_flat(&vec, FL_TYPE(FL_I32), values, &last);
    assert_false(fl_vec_order_of(&vec, 3).nulls_last);
    fl_vec_set_flat(&vec, FL_TYPE(FL_I32), values + 1, &(uint64_t){0x3});
    order = fl_vec_order_of(&vec, 3);
    assert_true(order.ascends && !order.nulls_first && order.nulls_last);
    fl_vec_set_flat(&vec, FL_TYPE(FL_I32), values, &between);
    order = fl_vec_order_of(&vec, 3);
    assert_false(order.ascends || order.descends || order.nulls_first || order.nulls_last);
    fl_vec_set_flat(&vec, FL_TYPE(FL_I32), values, &none);
    order = fl_vec_order_of(&vec, 3);
    assert_true(order.ascends && order.descends && order.nulls_first && order.nulls_last);
}

/* Codes are in another order than their values. */
static void test_dictionaries(void **state)
{
    (void)state;
    fl_view words[] = {fl_view_of("zebra", 5), fl_view_of("ant", 3), fl_view_of("a long name of a cow", 20)};
    uint32_t ascending[] = {2, 2, 1, 0, 0}, not[] = {0, 1, 2};
    fl_vec child, vec;
    fl_vec_set_flat(&child, FL_TYPE(FL_UTF8), words, NULL);
    vec = (fl_vec){.type = FL_TYPE(FL_UTF8), .layout = FL_DICT, .data = ascending, .child = &child};
    assert_order(&vec, FL_LEN(ascending), true, false);
    vec.data = not;
    assert_order(&vec, 2, false, true);
    assert_order(&vec, 3, false, true);
    assert_true(fl_vec_compare(&vec, 1, &vec, 2) > 0);
}

/* Numbers, bits, words: a request is seen before the end, and without one the answer is the same. */
static void test_it_stops(void **state)
{
    (void)state;
    static const fl_type_id types[] = {FL_I8, FL_I64, FL_BOOL, FL_UTF8};
    fl_view *values = calloc(MANY * 8, sizeof(*values));
    assert_non_null(values);
    for (int64_t t = 0; t < FL_LEN(types); t++) {
        fl_interrupt interrupt = {.is_requested = false};
        fl_work work = {&interrupt, FL_WORK_STEPS};
        fl_vec_order order;
        fl_vec vec;
        fl_vec_set_flat(&vec, FL_TYPE(types[t]), values, NULL);
        assert_int_equal(fl_vec_find_order(&vec, MANY * 8, &work, &order, NULL), FL_OK);
        assert_true(order.ascends && order.descends);
        fl_interrupt_request(&interrupt);
        assert_int_equal(fl_vec_find_order(&vec, MANY * 8, &work, &order, NULL), FL_ERR_CANCELLED);
    }
    free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_value_is_out_of_order),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_nulls_stand_at_an_end),
        cmocka_unit_test(test_dictionaries),
        cmocka_unit_test(test_it_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
