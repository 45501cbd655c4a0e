/* Patterns of names and texts (base/glob.h). */
#include "base/glob.h"

#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_matches(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool expected;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"?", "", false},
        {"?", "é", true},
        {"??", "é", false},
        {"a*c", "abbc", true},
        {"a*c", "abcd", false},
        {"*ab?", "abcabd", true},
        {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},
        {"[^a]", "b", true},
        {"a[]]b", "a]b", true},
        {"a[b-]c", "a-c", true},
        {"[a", "[a", true},
        {"a\\*b", "a*b", true},
        {"a\\*b", "axb", false},
        {"a\\", "a\\", true},
        {"**a", "bba", true},
        {"*a*b*c", "xaxbxc", true},
        {"*a*b*c", "xbxaxc", false},
    };
    for (int64_t i = 0; i < FL_LEN(cases); i++)
        if (fl_glob_matches(fl_str_of(cases[i].pattern), fl_str_of(cases[i].text)) != cases[i].expected)
            fail_msg("%s and %s: %s expected", cases[i].pattern, cases[i].text, cases[i].expected ? "a match" : "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
