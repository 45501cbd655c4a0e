/* Times of day with an offset: parts, order, texts (base/time_zoned.h). */
#include "base/time_zoned.h"

#include "base/datetime.h"
#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_parts(void **state)
{
    (void)state;
    static const int64_t locals[] = {0, 1, 36000000000, FL_US_PER_DAY - 1, FL_US_PER_DAY};
    static const int32_t offsets[] = {-FL_TIME_OFFSET_MAX, -3600, -1, 0, 1, 9000, FL_TIME_OFFSET_MAX};
    for (int64_t i = 0; i < FL_LEN(locals); i++) {
        for (int64_t k = 0; k < FL_LEN(offsets); k++) {
            int64_t zoned = fl_time_zoned_of(locals[i], offsets[k]);
            assert_int_equal(fl_time_zoned_local(zoned), locals[i]);
            assert_int_equal(fl_time_zoned_offset(zoned), offsets[k]);
        }
    }
}

/* By the moment, then the eastern ones first. */
static void test_order(void **state)
{
    (void)state;
    static const char *const sorted[] = {"00:00+15:59:59", "00:00+02", "23:00+15",      "10:00+02",
                                         "08:00+00",       "06:00-02", "23:59:59.5-08", "24:00-15:59"};
    for (int64_t i = 1; i < FL_LEN(sorted); i++) {
        int64_t low, high;
        assert_int_equal(fl_time_zoned_parse(fl_str_of(sorted[i - 1]), &low), 0);
        assert_int_equal(fl_time_zoned_parse(fl_str_of(sorted[i]), &high), 0);
        assert_true(low < high);
    }
}

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"04:05:06.789-08", "04:05:06.789-08"},
        {"4:05 Z", "04:05:00+00"},
        {"04:05", "04:05:00+00"},
        {"04:05+02:30", "04:05:00+02:30"},
        {"04:05-02:30:15", "04:05:00-02:30:15"},
        {"24:00+00", "24:00:00+00"},
        {"00:00-00:30", "00:00:00-00:30"},
        {"04:05:06.123456+15:59:59", "04:05:06.123456+15:59:59"},
    };
    for (int64_t i = 0; i < FL_LEN(cases); i++) {
        char text[33] = {0};
        int64_t zoned;
        assert_int_equal(fl_time_zoned_parse(fl_str_of(cases[i].text), &zoned), 0);
        assert_true(fl_time_zoned_print(zoned, text) <= 32);
        assert_string_equal(text, cases[i].printed);
    }
}

static void test_faults(void **state)
{
    (void)state;
    static const char *const none[] = {"", "x", "+02", "10:00+", "10:00+x", "2024-01-02"};
    static const char *const far[] = {"25:00+00", "10:60+00", "10:00+16", "10:00-16"};
    int64_t zoned;
    for (int64_t i = 0; i < FL_LEN(none); i++)
        assert_int_equal(fl_time_zoned_parse(fl_str_of(none[i]), &zoned), 1);
    for (int64_t i = 0; i < FL_LEN(far); i++)
        assert_int_equal(fl_time_zoned_parse(fl_str_of(far[i]), &zoned), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_texts), cmocka_unit_test(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
