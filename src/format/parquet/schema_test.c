/* The ways to write lists and maps, by the examples in the format's description; types; limits. */
#include "format/parquet/metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { REQUIRED, OPTIONAL, REPEATED };

#define GROUP(called, repeats, children) \
    {.name = FL_STR(called), .physical = -1, .converted = -1, .repetition = (repeats), .n_children = (children)}
#define LIST_GROUP(called, repeats) \
    {.name = FL_STR(called), .physical = -1, .converted = 3, .repetition = (repeats), .n_children = 1}
#define MAP_GROUP(called, repeats) \
    {.name = FL_STR(called), .physical = -1, .converted = 1, .repetition = (repeats), .n_children = 1}
#define INT32(called, repeats) \
    {.name = FL_STR(called), .physical = FL_PQ_INT32, .converted = -1, .repetition = (repeats)}
#define TEXT(called, repeats) \
    {.name = FL_STR(called), .physical = FL_PQ_BYTE_ARRAY, .converted = 0, .repetition = (repeats)}

static fl_arena arena;

static fl_status build(const fl_pq_element *elements, int64_t n, fl_pq_metadata *meta)
{
    fl_err err = {0};
    *meta = (fl_pq_metadata){0};
    return fl_pq_schema_build(&arena, elements, n, meta, &err);
}

static void check(const fl_pq_element *elements, int64_t n, const char *expected)
{
    fl_pq_metadata meta;
    assert_int_equal(build(elements, n, &meta), FL_OK);
    assert_string_equal(FL_TYPE_NAME(meta.fields[0].type), expected);
}

#define CHECK(elements, expected) check((elements), FL_LEN(elements), (expected))

static void test_lists_of_three_levels(void **state)
{
    (void)state;
    const fl_pq_element list[] = {GROUP("root", 0, 1), LIST_GROUP("l", OPTIONAL), GROUP("list", REPEATED, 1),
                                  INT32("element", OPTIONAL)};
    CHECK(list, "integer[]");
    fl_pq_metadata meta;
    assert_int_equal(build(list, 4, &meta), FL_OK);
    assert_int_equal(meta.leaves[0].def_max, 3);
    assert_int_equal(meta.leaves[0].rep_max, 1);
    assert_int_equal(meta.columns[0].def, 1);
    assert_int_equal(meta.columns[0].item_def, 2);
    assert_memory_equal(meta.leaves[0].path.data, "l.list.element", 14);
    const fl_pq_element twice[] = {GROUP("root", 0, 1),        LIST_GROUP("l", OPTIONAL),
                                   GROUP("list", REPEATED, 1), LIST_GROUP("element", OPTIONAL),
                                   GROUP("list", REPEATED, 1), TEXT("element", REQUIRED)};
    CHECK(twice, "text[][]");
}

static void test_lists_of_two_levels(void **state)
{
    (void)state;
    const fl_pq_element plain[] = {GROUP("root", 0, 1), LIST_GROUP("l", OPTIONAL), INT32("element", REPEATED)};
    CHECK(plain, "integer[]");
    const fl_pq_element two_fields[] = {GROUP("root", 0, 1), LIST_GROUP("l", OPTIONAL), GROUP("element", REPEATED, 2),
                                        TEXT("str", REQUIRED), INT32("num", REQUIRED)};
    CHECK(two_fields, "struct(str text, num integer)[]");
    const fl_pq_element array[] = {GROUP("root", 0, 1), LIST_GROUP("l", OPTIONAL), GROUP("array", REPEATED, 1),
                                   TEXT("str", REQUIRED)};
    CHECK(array, "struct(str text)[]");
    const fl_pq_element tuple[] = {GROUP("root", 0, 1), LIST_GROUP("l", OPTIONAL), GROUP("l_tuple", REPEATED, 1),
                                   TEXT("str", REQUIRED)};
    CHECK(tuple, "struct(str text)[]");
    const fl_pq_element bare[] = {GROUP("root", 0, 1), INT32("l", REPEATED)};
    CHECK(bare, "integer[]");
    fl_pq_metadata meta;
    assert_int_equal(build(bare, 2, &meta), FL_OK);
    assert_int_equal(meta.leaves[0].def_max, 1);
    assert_int_equal(meta.columns[0].def, 0);
    const fl_pq_element bare_group[] = {GROUP("root", 0, 1), GROUP("l", REPEATED, 2), INT32("a", OPTIONAL),
                                        INT32("b", REQUIRED)};
    CHECK(bare_group, "struct(a integer, b integer)[]");
}

static void test_maps(void **state)
{
    (void)state;
    const fl_pq_element map[] = {GROUP("root", 0, 1), MAP_GROUP("m", OPTIONAL), GROUP("key_value", REPEATED, 2),
                                 TEXT("key", REQUIRED), INT32("value", OPTIONAL)};
    CHECK(map, "map(text, integer)");
    const fl_pq_element old[] = {GROUP("root", 0, 1), MAP_GROUP("m", OPTIONAL), GROUP("map", REPEATED, 2),
                                 TEXT("str", REQUIRED), INT32("num", REQUIRED)};
    CHECK(old, "map(text, integer)");
}

static void test_types(void **state)
{
    (void)state;
    static const struct {
        fl_pq_element element;
        const char *type;
    } cases[] = {
        {{.physical = FL_PQ_INT32, .converted = 11}, "utinyint"},
        {{.physical = FL_PQ_INT64, .converted = -1, .logical = 10, .bit_width = 64}, "ubigint"},
        {{.physical = FL_PQ_INT32, .converted = 6}, "date"},
        {{.physical = FL_PQ_INT64, .converted = 5, .precision = 15, .scale = 2}, "decimal(15,2)"},
        {{.physical = FL_PQ_FIXED, .type_length = 16, .converted = 5, .precision = 38, .scale = 10}, "decimal(38,10)"},
        {{.physical = FL_PQ_FIXED, .type_length = 2, .converted = -1, .logical = 15}, "real"},
        {{.physical = FL_PQ_BYTE_ARRAY, .converted = -1, .logical = 12}, "json"},
        {{.physical = FL_PQ_BYTE_ARRAY, .converted = -1}, "bytea"},
        {{.physical = FL_PQ_INT64, .converted = 8}, "time"},
        {{.physical = FL_PQ_INT64, .converted = 10}, "timestamp"},
        {{.physical = FL_PQ_INT64, .converted = -1, .logical = 8, .unit = 2, .is_utc = true}, "timestamptz"},
        {{.physical = FL_PQ_FIXED, .type_length = 12, .converted = 21}, "interval"},
    };
    for (int64_t i = 0; i < FL_LEN(cases); i++) {
        fl_type wanted;
        fl_pq_metadata meta;
        fl_pq_element elements[] = {GROUP("root", 0, 1), cases[i].element};
        elements[1].name = FL_STR("c");
        assert_int_equal(build(elements, 2, &meta), FL_OK);
        if (fl_type_from_name(fl_str_of(cases[i].type), -1, -1, &wanted))
            assert_true(fl_type_is_equal(meta.fields[0].type, wanted));
        else
            assert_string_equal(FL_TYPE_NAME(meta.fields[0].type), cases[i].type);
    }
}

/* R5 */
static void test_limits(void **state)
{
    (void)state;
    fl_pq_metadata meta;
    static fl_pq_element deep[10001];
    for (int64_t i = 0; i < FL_LEN(deep); i++)
        deep[i] = (fl_pq_element)GROUP("g", OPTIONAL, 1);
    deep[FL_LEN(deep) - 1] = (fl_pq_element)INT32("leaf", OPTIONAL);
    assert_int_equal(build(deep, FL_LEN(deep), &meta), FL_ERR_LIMIT);
    const fl_pq_element liar[] = {GROUP("root", 0, 1), GROUP("g", OPTIONAL, 1000000), INT32("a", OPTIONAL)};
    assert_int_equal(build(liar, 3, &meta), FL_ERR_CORRUPT);
    const fl_pq_element childless[] = {GROUP("root", 0, 1), GROUP("g", OPTIONAL, 0)};
    assert_int_equal(build(childless, 2, &meta), FL_ERR_CORRUPT);
    const fl_pq_element left_over[] = {GROUP("root", 0, 1), INT32("a", OPTIONAL), INT32("b", OPTIONAL)};
    assert_int_equal(build(left_over, 3, &meta), FL_ERR_CORRUPT);
    const fl_pq_element too_few[] = {GROUP("root", 0, 2), INT32("a", OPTIONAL)};
    assert_int_equal(build(too_few, 2, &meta), FL_ERR_CORRUPT);
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
        cmocka_unit_test(test_lists_of_three_levels),
        cmocka_unit_test(test_lists_of_two_levels),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
