/* Which claims about a chunk or page are believed: each is held against nullability, counts, type and the other bound. */
#include "format/parquet/metadata.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define BYTES(...) ((fl_str){(const char *)(__VA_ARGS__), (int64_t)sizeof(__VA_ARGS__)})
#define I32(value) BYTES((const int32_t[]){(value)})
#define I64(value) BYTES((const int64_t[]){(value)})
#define F64(value) BYTES((const double[]){(value)})

static fl_arena arena;

/* A column as its schema element makes it. */
static fl_pq_leaf leaf_of(fl_pq_element e)
{
    fl_pq_metadata meta = {0};
    fl_err err = {0};
    e.name = FL_STR("c");
    fl_pq_element elements[2] = {{.name = FL_STR("schema"), .physical = -1, .converted = -1, .n_children = 1}, e};
    if (fl_pq_schema_build(&arena, elements, 2, &meta, &err) != FL_OK)
        print_error("%s\n", err.message);
    assert_int_equal(meta.n_leaves, 1);
    return meta.leaves[0];
}

static fl_pq_leaf plain(fl_pq_physical physical, int32_t repetition)
{
    return leaf_of((fl_pq_element){.physical = (int32_t)physical, .converted = -1, .repetition = repetition});
}

/* What is believed: "min", "max", "null", or nothing, in this order. */
static void check_zone(fl_pq_leaf leaf, fl_pq_claim claim, const char *wanted)
{
    fl_pq_zone zone;
    char got[32];
    fl_pq_zone_of(&leaf, &claim, &zone);
    snprintf(got, sizeof(got), "%s%s%s", zone.has_min ? "min " : "", zone.has_max ? "max " : "",
             zone.is_all_null ? "null " : "");
    assert_string_equal(got, wanted);
}

static void holds_nulls_against_the_column(void **state)
{
    (void)state;
    fl_pq_leaf required = plain(FL_PQ_INT32, 0), optional = plain(FL_PQ_INT32, 1);
    check_zone(required, (fl_pq_claim){.rows = 10, .null_count = -1, .is_all_null = true}, "");
    check_zone(required, (fl_pq_claim){.rows = 10, .null_count = 10, .is_all_null = true}, "");
    check_zone(required, (fl_pq_claim){.min = I32(1), .max = I32(2), .rows = 10, .null_count = 1}, "");
    check_zone(required, (fl_pq_claim){.min = I32(1), .max = I32(2), .rows = 10, .null_count = -1}, "min max ");
    check_zone(optional, (fl_pq_claim){.rows = 10, .null_count = -1, .is_all_null = true}, "");
    check_zone(optional, (fl_pq_claim){.rows = 10, .null_count = 9, .is_all_null = true}, "");
    check_zone(optional, (fl_pq_claim){.rows = 10, .null_count = 11}, "");
    check_zone(optional, (fl_pq_claim){.rows = 10, .null_count = 10}, "null ");
    check_zone(optional, (fl_pq_claim){.min = I32(1), .max = I32(2), .rows = 10, .null_count = 10}, "");
    check_zone(optional, (fl_pq_claim){.min = I32(1), .max = I32(2), .rows = 10, .null_count = 3}, "min max ");
}

static void holds_bounds_against_the_type(void **state)
{
    (void)state;
    fl_pq_leaf i32 = plain(FL_PQ_INT32, 1), f64 = plain(FL_PQ_DOUBLE, 1), i96 = plain(FL_PQ_INT96, 1);
    fl_pq_leaf i8 = leaf_of(
        (fl_pq_element){.physical = FL_PQ_INT32, .converted = -1, .logical = 10, .bit_width = 8, .is_signed = true});
    fl_pq_leaf time = leaf_of((fl_pq_element){.physical = FL_PQ_INT64, .converted = -1, .logical = 7, .unit = 2});
    fl_pq_leaf d4 =
        leaf_of((fl_pq_element){.physical = FL_PQ_INT32, .converted = -1, .logical = 5, .precision = 4, .scale = 2});
    fl_pq_leaf d50 = leaf_of(
        (fl_pq_element){.physical = FL_PQ_BYTE_ARRAY, .converted = -1, .logical = 5, .precision = 50, .scale = 2});
    fl_pq_leaf fixed = leaf_of((fl_pq_element){.physical = FL_PQ_FIXED, .converted = -1, .type_length = 2});
    check_zone(i32, (fl_pq_claim){.min = I32(3), .max = I32(2), .rows = 1}, "");
    check_zone(i32, (fl_pq_claim){.min = I64(1), .max = I32(2), .rows = 1}, "");
    check_zone(i32, (fl_pq_claim){.min = I32(1), .rows = 1}, "min ");
    check_zone(f64, (fl_pq_claim){.min = F64(1), .max = F64(2), .rows = 1}, "min "); /* NaN may lie above */
    check_zone(f64, (fl_pq_claim){.min = F64(NAN), .max = F64(2), .rows = 1}, "");
    check_zone(f64, (fl_pq_claim){.min = F64(1), .max = F64(NAN), .rows = 1}, "");
    check_zone(f64, (fl_pq_claim){.min = F64(0.0), .max = F64(-0.0), .rows = 1}, "min "); /* they are equal */
    check_zone(f64, (fl_pq_claim){.min = F64(2), .max = F64(1), .rows = 1}, "");
    check_zone(i8, (fl_pq_claim){.min = I32(-128), .max = I32(127), .rows = 1}, "min max ");
    check_zone(i8, (fl_pq_claim){.min = I32(0), .max = I32(300), .rows = 1}, "");
    check_zone(time, (fl_pq_claim){.min = I64(-1), .max = I64(5), .rows = 1}, "");
    check_zone(d4, (fl_pq_claim){.min = I32(-9999), .max = I32(9999), .rows = 1}, "min max ");
    check_zone(d4, (fl_pq_claim){.min = I32(0), .max = I32(10000), .rows = 1}, "");
    check_zone(d50, (fl_pq_claim){.min = FL_STR("\x00"), .max = FL_STR("\x01\xFF"), .rows = 1}, "min max ");
    check_zone(d50, (fl_pq_claim){.min = FL_STR("\xFF"), .max = FL_STR("\x01"), .rows = 1}, "min max "); /* -1 */
    check_zone(d50, (fl_pq_claim){.min = FL_STR("\x01"), .max = FL_STR("\x7F_________________"), .rows = 1}, "");
    check_zone(fixed, (fl_pq_claim){.min = FL_STR("a"), .max = FL_STR("bb"), .rows = 1}, "min max "); /* cut off */
    check_zone(fixed, (fl_pq_claim){.min = FL_STR("a"), .max = FL_STR("bbb"), .rows = 1}, "");
    check_zone(i96, (fl_pq_claim){.min = FL_STR("............"), .rows = 1}, "");
}

/* Chunk statistics by what their order is known to be. */
static void believes_orders_that_are_known(void **state)
{
    (void)state;
    fl_pq_zone zone;
    fl_pq_leaf text = leaf_of((fl_pq_element){.physical = FL_PQ_BYTE_ARRAY, .converted = 0});
    fl_pq_leaf geometry = leaf_of((fl_pq_element){.physical = FL_PQ_BYTE_ARRAY, .converted = -1, .logical = 17});
    fl_pq_chunk new = {
        .stats = {.min_value = FL_STR("a"), .max_value = FL_STR("b"), .null_count = -1, .is_max_exact = true}};
    fl_pq_chunk cut = new,
                old = {.stats = {.min = FL_STR("a"), .max = FL_STR("b"), .null_count = -1, .is_max_exact = true}};
    cut.stats.is_max_exact = false;
    assert_true(text.is_order_known);
    assert_false(geometry.is_order_known);
    text.has_type_order = true;
    fl_pq_chunk_zone(&text, &new, 5, &zone);
    assert_true(zone.has_min && zone.has_max);
    fl_pq_chunk_zone(&text, &cut, 5, &zone); /* rounded up or not, who knows */
    assert_true(zone.has_min && !zone.has_max);
    fl_pq_chunk_zone(&text, &old, 5, &zone); /* in the order of signed bytes */
    assert_false(zone.has_min || zone.has_max);
    text.has_type_order = false;
    fl_pq_chunk_zone(&text, &new, 5, &zone);
    assert_false(zone.has_min || zone.has_max);
    fl_pq_leaf i32 = plain(FL_PQ_INT32, 0);
    fl_pq_chunk numbers = {.stats = {.min = I32(-1), .max = I32(1), .null_count = -1, .is_max_exact = true}};
    fl_pq_chunk_zone(&i32, &numbers, 5, &zone); /* signed numbers have one order */
    assert_true(zone.has_min && zone.has_max);
    fl_pq_leaf u32 = leaf_of((fl_pq_element){.physical = FL_PQ_INT32, .converted = 13});
    fl_pq_chunk_zone(&u32, &numbers, 5, &zone);
    assert_false(zone.has_min || zone.has_max);
}

static int set_up(void **state)
{
    (void)state;
    fl_arena_init(&arena, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fl_arena_drop(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_nulls_against_the_column),
        cmocka_unit_test(holds_bounds_against_the_type),
        cmocka_unit_test(believes_orders_that_are_known),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
