/* Zones: offsets before, between and behind the transitions of the database, local times that are missing or come twice,
 * fixed offsets, names that are none. */
#include "base/zone.h"

#include "base/datetime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t seconds(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute)
{
    return fl_days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

static void test_offsets(void **state)
{
    (void)state;
    fl_arena arena;
    const fl_zone *berlin, *sydney;
    fl_arena_init(&arena, NULL);
    assert_int_equal(fl_zone_open(&arena, FL_STR("Europe/Berlin"), &berlin, NULL), FL_OK);
    assert_int_equal(fl_zone_open(&arena, FL_STR("Australia/Sydney"), &sydney, NULL), FL_OK);
    assert_int_equal(fl_zone_offset(berlin, seconds(1850, 1, 1, 0, 0)), 3208); /* local mean time */
    assert_int_equal(fl_zone_offset(berlin, seconds(2024, 3, 31, 0, 59)), 3600);
    assert_int_equal(fl_zone_offset(berlin, seconds(2024, 3, 31, 1, 0)), 7200);
    assert_int_equal(fl_zone_offset(berlin, seconds(2024, 10, 27, 0, 59)), 7200);
    assert_int_equal(fl_zone_offset(berlin, seconds(2024, 10, 27, 1, 0)), 3600);
    assert_int_equal(fl_zone_offset(berlin, seconds(2100, 7, 1, 0, 0)), 7200); /* by the rule in the file's last line */
    assert_int_equal(fl_zone_offset(berlin, seconds(2100, 1, 1, 0, 0)), 3600);
    assert_int_equal(fl_zone_offset(sydney, seconds(2100, 1, 1, 0, 0)), 39600); /* summer spans the new year */
    assert_int_equal(fl_zone_offset(sydney, seconds(2100, 7, 1, 0, 0)), 36000);
    fl_arena_drop(&arena);
}

static void test_local(void **state)
{
    (void)state;
    fl_arena arena;
    const fl_zone *berlin;
    fl_arena_init(&arena, NULL);
    assert_int_equal(fl_zone_open(&arena, FL_STR("Europe/Berlin"), &berlin, NULL), FL_OK);
    assert_int_equal(fl_zone_offset_local(berlin, seconds(2024, 3, 31, 1, 59)), 3600);
    assert_int_equal(fl_zone_offset_local(berlin, seconds(2024, 3, 31, 2, 30)), 3600); /* missing */
    assert_int_equal(fl_zone_offset_local(berlin, seconds(2024, 3, 31, 3, 0)), 7200);
    assert_int_equal(fl_zone_offset_local(berlin, seconds(2024, 10, 27, 1, 59)), 7200);
    assert_int_equal(fl_zone_offset_local(berlin, seconds(2024, 10, 27, 2, 30)), 3600); /* twice */
    assert_int_equal(fl_zone_offset_local(berlin, seconds(2024, 10, 27, 3, 0)), 3600);
    fl_arena_drop(&arena);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        fl_str name;
        int64_t offset;
    } fixed[] = {{{"UTC", 3}, 0}, {{"z", 1}, 0}, {{"+02", 3}, -7200}, {{"-05:30", 6}, 19800}, {{"UTC+3", 5}, -10800}};
    static const char *const none[] = {"",   "Nowhere/Atlantis", "../../../etc/passwd", "/etc/passwd", "Europe", "a b",
                                       "+99"};
    fl_arena arena;
    const fl_zone *zone;
    fl_arena_init(&arena, NULL);
    for (int64_t i = 0; i < FL_LEN(fixed); i++) {
        assert_int_equal(fl_zone_open(&arena, fixed[i].name, &zone, NULL), FL_OK);
        assert_int_equal(fl_zone_offset(zone, 0), fixed[i].offset);
        assert_int_equal(fl_zone_offset_local(zone, 0), fixed[i].offset);
    }
    for (int64_t i = 0; i < FL_LEN(none); i++) {
        fl_err err = {0};
        assert_int_equal(fl_zone_open(&arena, fl_str_of(none[i]), &zone, &err), FL_ERR_VALUE);
        assert_string_equal(err.sqlstate, "22023");
    }
    fl_arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_offsets), cmocka_unit_test(test_local),
                                       cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
