/* UUIDs: bytes, order, texts (base/uuid.h). */
#include "base/uuid.h"

#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PLAIN "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"

static void test_bytes(void **state)
{
    (void)state;
    uint8_t bytes[FL_UUID_BYTES], back[FL_UUID_BYTES];
    for (int first = 0; first < 256; first++) {
        for (int i = 0; i < FL_UUID_BYTES; i++)
            bytes[i] = (uint8_t)(first + i * 37);
        fl_uuid_to_bytes(fl_uuid_of_bytes(bytes), back);
        assert_memory_equal(bytes, back, FL_UUID_BYTES);
    }
}

/* The order of numbers is that of bytes. */
static void test_order(void **state)
{
    (void)state;
    static const char *const sorted[] = {"00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001",
                                         "00000000-0000-0001-0000-000000000000", "7fffffff-ffff-ffff-ffff-ffffffffffff",
                                         "80000000-0000-0000-0000-000000000000", PLAIN,
                                         "ffffffff-ffff-ffff-ffff-ffffffffffff"};
    for (int64_t i = 1; i < FL_LEN(sorted); i++) {
        __int128 low, high;
        assert_true(fl_uuid_parse(fl_str_of(sorted[i - 1]), &low));
        assert_true(fl_uuid_parse(fl_str_of(sorted[i]), &high));
        assert_true(low < high);
    }
}

static void test_forms(void **state)
{
    (void)state;
    static const char *const same[] = {PLAIN,
                                       "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
                                       "a0eebc999c0b4ef8bb6d6bb9bd380a11",
                                       "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
                                       "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
                                       "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}"};
    for (int64_t i = 0; i < FL_LEN(same); i++) {
        char text[FL_UUID_TEXT + 1] = {0};
        __int128 uuid;
        assert_true(fl_uuid_parse(fl_str_of(same[i]), &uuid));
        fl_uuid_print(uuid, text);
        assert_string_equal(text, PLAIN);
    }
}

static void test_none(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       "{}",
                                       "-",
                                       "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
                                       PLAIN "1",
                                       PLAIN "-",
                                       "-" PLAIN,
                                       "{" PLAIN,
                                       PLAIN "}",
                                       "a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a11",
                                       "a0eeb-c999c0b4ef8bb6d6bb9bd380a11",
                                       "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                                       " " PLAIN};
    for (int64_t i = 0; i < FL_LEN(none); i++) {
        __int128 uuid;
        assert_false(fl_uuid_parse(fl_str_of(none[i]), &uuid));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_forms), cmocka_unit_test(test_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
