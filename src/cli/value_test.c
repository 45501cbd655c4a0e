/* Arrow values as text and JSON, for each type that the library exports, and the names of types. */
#include "cli/text.c"
#include "cli/value.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_value(const char *format, const void *data, int64_t row, const char *text, const char *json)
{
    const void *buffers[2] = {NULL, data};
    struct ArrowSchema schema = {.format = format, .name = ""};
    struct ArrowArray array = {.length = row + 1, .n_buffers = 2, .buffers = buffers};
    fl_cli_text out = {0};
    fl_cli_value_add_text(&out, &schema, &array, row);
    fl_cli_text_add_char(&out, 0);
    assert_string_equal(out.data, text);
    out.len = 0;
    fl_cli_value_add_json(&out, &schema, &array, row);
    fl_cli_text_add_char(&out, 0);
    assert_string_equal(out.data, json);
    fl_cli_text_drop(&out);
}

static void prints_integers(void **state)
{
    (void)state;
    check_value("i", (int32_t[]){7, -8}, 1, "-8", "-8");
    check_value("l", (int64_t[]){9007199254740992}, 0, "9007199254740992", "9007199254740992");
    check_value("l", (int64_t[]){-9007199254740993}, 0, "-9007199254740993", "\"-9007199254740993\"");
    check_value("L", (uint64_t[]){UINT64_MAX}, 0, "18446744073709551615", "\"18446744073709551615\"");
    check_value("c", (int8_t[]){-128}, 0, "-128", "-128");
    check_value("b", (uint8_t[]){2}, 1, "true", "true");
}

static void prints_doubles(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text, *json;
    } cases[] = {{0.1, "0.1", "0.1"},
                 {1, "1", "1.0"},
                 {-0.0, "-0", "-0.0"},
                 {100, "100", "100.0"},
                 {1e15, "1e+15", "1e+15"},
                 {123456789012345, "123456789012345", "123456789012345.0"},
                 {1e-5, "1e-05", "1e-05"},
                 {0.0001, "0.0001", "0.0001"},
                 {1.0 / 3, "0.3333333333333333", "0.3333333333333333"},
                 {5e-324, "5e-324", "5e-324"},
                 {2.5e-4, "0.00025", "0.00025"},
                 {1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308"},
                 {INFINITY, "Infinity", "\"Infinity\""},
                 {-INFINITY, "-Infinity", "\"-Infinity\""},
                 {NAN, "NaN", "\"NaN\""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_value("g", &cases[i].value, 0, cases[i].text, cases[i].json);
    check_value("f", (float[]){0.1f}, 0, "0.1", "0.1");
    check_value("f", (float[]){16777216.0f}, 0, "1.6777216e+07", "1.6777216e+07");
}

static void prints_decimals(void **state)
{
    (void)state;
    check_value("d:15,2", (i128[]){150}, 0, "1.50", "\"1.50\"");
    check_value("d:15,2", (i128[]){-5}, 0, "-0.05", "\"-0.05\"");
    check_value("d:38,0", (i128[]){0}, 0, "0", "\"0\"");
}

static void prints_times(void **state)
{
    (void)state;
    check_value("tdD", (int32_t[]){19782}, 0, "2024-02-29", "\"2024-02-29\"");
    check_value("tdD", (int32_t[]){-719163}, 0, "0001-12-31 BC", "\"0001-12-31 BC\"");
    check_value("ttu", (int64_t[]){45000500000}, 0, "12:30:00.5", "\"12:30:00.5\"");
    check_value("tsu:", (int64_t[]){1709209800000000}, 0, "2024-02-29 12:30:00", "\"2024-02-29 12:30:00\"");
    check_value("tsu:UTC", (int64_t[]){-1}, 0, "1969-12-31 23:59:59.999999+00", "\"1969-12-31 23:59:59.999999+00\"");
    check_value("tsn:", (int64_t[]){1}, 0, "1970-01-01 00:00:00.000000001", "\"1970-01-01 00:00:00.000000001\"");
    struct {
        int32_t months, days;
        int64_t nanos;
    } intervals[] = {{14, 3, 14706000000000}, {0, 0, 0}, {-1, 1, -1000}, {0, -1, 3600000000000}};
    check_value("tin", intervals, 0, "1 year 2 mons 3 days 04:05:06", "\"1 year 2 mons 3 days 04:05:06\"");
    check_value("tin", intervals, 1, "00:00:00", "\"00:00:00\"");
    check_value("tin", intervals, 2, "-1 mons +1 day -00:00:00.000001", "\"-1 mons +1 day -00:00:00.000001\"");
    check_value("tin", intervals, 3, "-1 days +01:00:00", "\"-1 days +01:00:00\"");
}

static void prints_texts_and_nested_values(void **state)
{
    (void)state;
    fl_cli_text out = {0};
    const char chars[] = "a\"b\x0A";
    int32_t offsets[] = {0, 3, 4, 4}, list[] = {0, 2, 3};
    uint8_t valid = 3; /* the third text is NULL */
    const void *text_buffers[] = {&valid, offsets, chars}, *list_buffers[] = {NULL, list}, *struct_buffers[] = {NULL};
    struct ArrowSchema item = {.format = "u", .name = "it's"}, *items[] = {&item};
    struct ArrowSchema lists = {.format = "+l", .n_children = 1, .children = items};
    struct ArrowSchema object = {.format = "+s", .n_children = 1, .children = items};
    struct ArrowArray texts = {.length = 3, .n_buffers = 3, .buffers = text_buffers}, *children[] = {&texts};
    struct ArrowArray outer = {
        .length = 2, .n_buffers = 2, .buffers = list_buffers, .n_children = 1, .children = children};
    struct ArrowArray objects = {
        .length = 3, .n_buffers = 1, .buffers = struct_buffers, .n_children = 1, .children = children};
    fl_cli_value_add_text(&out, &lists, &outer, 0);
    fl_cli_value_add_json(&out, &lists, &outer, 0);
    fl_cli_value_add_text(&out, &lists, &outer, 1);
    fl_cli_value_add_json(&out, &object, &objects, 0);
    fl_cli_value_add_json(&out, &object, &objects, 2);
    fl_cli_type_add_name(&out, &lists);
    fl_cli_type_add_name(&out, &object);
    item.format = "z";
    fl_cli_value_add_text(&out, &item, &texts, 0);
    fl_cli_text_add_char(&out, 0);
    assert_string_equal(
        out.data, "['a\"b', '\n'][\"a\\\"b\",\"\\n\"][NULL]{\"it's\":\"a\\\"b\"}{\"it's\":null}text[]struct(\"it's\" "
                  "text)\\x612262");
    fl_cli_text_drop(&out);
}

static void measures_text(void **state)
{
    (void)state;
    assert_int_equal(fl_cli_display_width("abc", 3), 3);
    assert_int_equal(fl_cli_display_width("caf\xC3\xA9", 5), 4);
    assert_int_equal(fl_cli_display_width("e\xCC\x81", 3), 1);                    /* a combining mark */
    assert_int_equal(fl_cli_display_width("\xE6\xBC\xA2\xF0\x9F\xA6\x86", 7), 4); /* wide ones */
    fl_cli_text out = {0};
    fl_cli_text_add_json(&out, "\x01\xFFx\xED\xA0\x80", 6); /* no UTF-8, a surrogate */
    fl_cli_text_add_char(&out, 0);
    assert_string_equal(out.data, "\"\\u0001\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    fl_cli_text_drop(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_integers), cmocka_unit_test(prints_doubles),
        cmocka_unit_test(prints_decimals), cmocka_unit_test(prints_times),
        cmocka_unit_test(measures_text),   cmocka_unit_test(prints_texts_and_nested_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
