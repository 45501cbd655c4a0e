/* Regular expressions: what matches where, which patterns are refused, and that no pattern blows up. */
#include "func/text/regex.c" /* both ways of searching */

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* "2-5" for a match of bytes 2 to 5, "2-5 3-4" with a group, "-" for a group without part in it, "no" for none. */
static void check_way(const char *pattern, uint32_t flags, const char *text, const char *expected,
                      fl_status (*search)(fl_regex_run *run, int64_t start, bool *ret_found, fl_err *err))
{
    bool is_found = false;
    fl_arena arena;
    fl_regex *regex;
    fl_regex_run run;
    char found[256] = "no";
    fl_arena_init(&arena, NULL);
    assert_int_equal(fl_regex_compile(&arena, fl_str_of(pattern), flags, &regex, NULL), FL_OK);
    assert_int_equal(fl_regex_run_init(&run, regex, true, &arena, NULL), FL_OK);
    fl_regex_begin(&run, fl_str_of(text));
    assert_int_equal(search(&run, 0, &is_found, NULL), FL_OK);
    if (is_found) {
        int at = 0;
        for (int i = 0; i < run.n_caps; i += 2) {
            if (run.caps[i] < 0 || run.caps[i + 1] < 0)
                at += snprintf(found + at, sizeof(found) - (size_t)at, "%s-", i > 0 ? " " : "");
            else
                at += snprintf(found + at, sizeof(found) - (size_t)at, "%s%d-%d", i > 0 ? " " : "", (int)run.caps[i],
                               (int)run.caps[i + 1]);
        }
    }
    if (strcmp(found, expected) != 0)
        print_error("%s in %s\n", pattern, text);
    assert_string_equal(found, expected);
    assert_int_equal(fl_regex_run_init(&run, regex, false, &arena, NULL), FL_OK);
    fl_regex_begin(&run, fl_str_of(text));
    assert_int_equal(search(&run, 0, &is_found, NULL), FL_OK);
    assert_int_equal(is_found, strcmp(expected, "no") != 0);
    fl_arena_drop(&arena);
}

static void check(const char *pattern, uint32_t flags, const char *text, const char *expected)
{
    check_way(pattern, flags, text, expected, search_together);
    check_way(pattern, flags, text, expected, fl_regex_search);
}

static void test_matches(void **state)
{
    (void)state;
    check("", 0, "", "0-0");
    check("a", 0, "bab", "1-2");
    check("a|ab", 0, "ab", "0-1"); /* the first alternative, not the longest */
    check("(a*)(b?)", 0, "aab", "0-3 0-2 2-3");
    check("(a)|(b)", 0, "b", "0-1 - 0-1");
    check("x*", 0, "axx", "0-0");
    check("x+?", 0, "axx", "1-2");
    check("<.*?>", 0, "<a><b>", "0-3");
    check("<.*>", 0, "<a><b>", "0-6");
    check("a{2,3}", 0, "aaaa", "0-3");
    check("a{2,3}?", 0, "aaaa", "0-2");
    check("a{0}b", 0, "ab", "1-2");
    check("(?:ab)+", 0, "xababx", "1-5");
    check("(a|b)*c", 0, "xabac", "1-5 3-4");
    check("^a|b$", 0, "cab", "2-3");
    check("(()|a)+b", 0, "aab", "0-3 1-2 0-0"); /* a group keeps what it had in an earlier round */
    check("a{,2}", 0, "xa{,2}", "1-6");         /* no repetition: the text itself */
}

static void test_characters(void **state)
{
    (void)state;
    check("[^a-c]", 0, "abcd", "3-4");
    check("[]a]+", 0, "x]a", "1-3");
    check("[a\\-z]+", 0, "m-z", "1-3");
    check("[[:digit:]_]+", 0, "ab1_2c", "2-5");
    check("\\d+\\s\\w+", 0, "a 12 bc", "2-7");
    check("[\\D]", 0, "12x", "2-3");
    check("\\x41\\u00e9", 0, "xA\xc3\xa9", "1-4");
    check(".", 0, "\xe6\x97\xa5", "0-3");
    check("[\xc3\xa0-\xc3\xbc]", 0, "z\xc3\xa9", "1-3");
    check("ABC", FL_REGEX_NO_CASE, "xabcx", "1-4");
    check("[A-C]+", FL_REGEX_NO_CASE, "xabcx", "1-4");
    check("[^A]", FL_REGEX_NO_CASE, "aAb", "2-3");
    check("\xc3\x89", FL_REGEX_NO_CASE, "\xc3\xa9", "0-2");
    check("a.b", FL_REGEX_LITERAL, "axb a.b", "4-7");
}

static void test_borders(void **state)
{
    (void)state;
    check("^b", 0, "a\nb", "no");
    check("^b", FL_REGEX_LINES, "a\nb", "2-3");
    check("a$", FL_REGEX_LINES, "a\nb", "0-1");
    check("a.b", 0, "a\nb", "0-3");
    check("a.b", FL_REGEX_LINES, "a\nb", "no");
    check("\\bcat\\b", 0, "concat cat", "7-10");
    check("\\Bcat", 0, "cat concat", "7-10");
    check("\\mc", 0, "ac c", "3-4");
    check("c\\M", 0, "ca c", "3-4");
    check("\\Aa\\Z", 0, "a", "0-1");
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "(",       ")",      "a)",     "(a",         "[a",  "[",    "*a",
        "+",       "a**",    "a{2,1}", "a{1001}",    "a{1", "\\",   "(?=a)",
        "(?<x>a)", "(a)\\1", "[b-a]",  "[[:nope:]]", "\\q", "\\x4", "(?:(?:a{1000}){1000}){1000}"};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        fl_arena arena;
        fl_regex *regex;
        fl_err err = {0};
        fl_arena_init(&arena, NULL);
        if (fl_regex_compile(&arena, fl_str_of(patterns[i]), 0, &regex, &err) == FL_OK)
            fail_msg("%s was taken", patterns[i]);
        assert_int_equal(err.code, FL_ERR_VALUE);
        assert_string_equal(err.sqlstate, "2201B");
        fl_arena_drop(&arena);
    }
    uint32_t flags = 0;
    assert_int_equal(fl_regex_flags(FL_STR("gi"), &flags, NULL), FL_OK);
    assert_int_equal(flags, FL_REGEX_GLOBAL | FL_REGEX_NO_CASE);
    assert_int_equal(fl_regex_flags(FL_STR("z"), &flags, NULL), FL_ERR_VALUE);
}

/* Patterns that take a backtracking matcher exponential time, nesting that would be deep, repetitions of nothing. */
static void test_bounded(void **state)
{
    (void)state;
    char text[2001], deep[1200];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    int64_t start = fl_clock_ns(NULL);
    check("^(a+)+$", 0, text, "0-2000 0-2000");
    check("(a|a)*b", 0, text, "no");
    check("(a*)*c", 0, text, "no");
    check("(?:(?:(?:){1000}){1000}){1000}", 0, "", "0-0");
    assert_true(fl_clock_ns(NULL) - start < 5000000000);
    fl_arena arena;
    fl_regex *regex;
    memset(deep, '(', 600);
    memset(deep + 600, ')', 599);
    deep[1199] = 0;
    fl_arena_init(&arena, NULL);
    assert_int_equal(fl_regex_compile(&arena, fl_str_of(deep), 0, &regex, NULL), FL_ERR_VALUE);
    fl_arena_drop(&arena);
}

/* All matches of a text, depth first with its memory and by threads, which have none: the same, whatever failed before. */
static void test_all_matches(void **state)
{
    static const char *const patterns[] = {"a*b|a",      "(a|b)*c|b",     "(a*)*b|a",  "(()|a)+b|a",
                                           "a*?b|a|",    "(?:a|ab)*c|ab", "\\ba*b|a",  "a{2,3}b|a",
                                           "(a|aa)*$|a", "[ab]*c|.",      "(?:|b)*c|a"};
    (void)state;
    uint32_t random = 1;
    for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
        for (int round = 0; round < 300; round++) {
            fl_arena arena;
            fl_regex *regex;
            fl_regex_run runs[2];
            char text[40];
            int64_t len = round % 39;
            for (int64_t i = 0; i < len; i++) {
                random = random * 1664525 + 1013904223;
                text[i] = "aaabbc"[(random >> 16) % 6];
            }
            fl_arena_init(&arena, NULL);
            assert_int_equal(fl_regex_compile(&arena, fl_str_of(patterns[p]), 0, &regex, NULL), FL_OK);
            for (int way = 0; way < 2; way++) {
                assert_int_equal(fl_regex_run_init(&runs[way], regex, true, &arena, NULL), FL_OK);
                fl_regex_begin(&runs[way], (fl_str){text, len});
            }
            for (int64_t at = 0; at <= len;) {
                bool found[2];
                assert_int_equal(search_depth_first(&runs[0], at, &found[0], NULL), FL_OK);
                assert_int_equal(search_together(&runs[1], at, &found[1], NULL), FL_OK);
                if (found[0] != found[1] || (found[0] && memcmp(runs[0].caps, runs[1].caps, sizeof(runs[0].caps)) != 0))
                    fail_msg("%s in %.*s from %d: %d-%d, and %d-%d by threads", patterns[p], (int)len, text, (int)at,
                             (int)runs[0].caps[0], (int)runs[0].caps[1], (int)runs[1].caps[0], (int)runs[1].caps[1]);
                if (!found[0])
                    break;
                at = runs[0].caps[1] > runs[0].caps[0] ? runs[0].caps[1] : runs[0].caps[1] + 1;
            }
            fl_arena_drop(&arena);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches), cmocka_unit_test(test_characters), cmocka_unit_test(test_borders),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_bounded),    cmocka_unit_test(test_all_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
