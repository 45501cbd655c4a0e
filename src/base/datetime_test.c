/* datetime: near days are taken apart as counting through the calendar says, and far ones as near ones. */
#include "base/datetime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_calendar(void **state)
{
    (void)state;
    fl_civil day = fl_civil_from_days(-FL_NEAR_DAYS - 1000); /* far */
    for (int32_t days = -FL_NEAR_DAYS - 1000; days <= FL_NEAR_DAYS + 1000; days++) {
        fl_civil found = fl_civil_from_days(days);
        if (found.year != day.year || found.month != day.month || found.day != day.day)
            fail_msg("day %d is %d-%d-%d, not %d-%d-%d", days, found.year, found.month, found.day, day.year, day.month,
                     day.day);
        if (++day.day > fl_days_in_month(day.year, day.month)) {
            day.day = 1;
            day.year += day.month == 12;
            day.month = day.month % 12 + 1;
        }
    }
    fl_civil epoch = fl_civil_from_days(0);
    assert_int_equal(epoch.year, 1970);
    assert_int_equal(epoch.month, 1);
    assert_int_equal(epoch.day, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calendar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
