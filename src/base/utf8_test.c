/* UTF-8 is what table 3-7 of the Unicode standard says: every sequence of up to three bytes, and every four whose first is a
 * lead byte of four, at places around the borders of vectors, by each instruction set that the processor has. */
#include "base/simd.h"
#include "base/utf8_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Table 3-7: ranges of the bytes of well-formed characters. */
static const uint8_t well_formed[][4][2] = {
    {{0x00, 0x7F}},
    {{0xC2, 0xDF}, {0x80, 0xBF}},
    {{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}},
    {{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}},
    {{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}},
};

static int64_t first_fault(const uint8_t *text, int64_t bytes)
{
    for (int64_t i = 0; i < bytes;) {
        int width = 0;
        for (size_t row = 0; row < sizeof(well_formed) / sizeof(well_formed[0]) && width == 0; row++) {
            int n = 0;
            while (n < 4 && well_formed[row][n][1] != 0 && i + n < bytes && text[i + n] >= well_formed[row][n][0] &&
                   text[i + n] <= well_formed[row][n][1])
                n++;
            if (n > 0 && (n == 4 || well_formed[row][n][1] == 0))
                width = n;
        }
        if (width == 0)
            return i;
        i += width;
    }
    return -1;
}

static const fl_utf8_kernels *const kernels[] = {FL_SIMD_ALL(fl_utf8_kernels)};

/* The text, at the end of memory of its own, so that a read behind it is seen under the address sanitizer. */
static void check(const uint8_t *text, int64_t bytes)
{
    bool is_valid = first_fault(text, bytes) < 0;
    for (int level = 0; level <= (int)fl_simd_level(); level++)
        if (kernels[level]->is_valid((const char *)text, bytes) != is_valid)
            fail_msg("instruction set %d: %lld bytes that begin with %02x %02x %02x %02x are %s", level,
                     (long long)bytes, text[0], text[1], text[2], text[3], is_valid ? "well-formed" : "not");
}

static void test_all_short_sequences(void **state)
{
    (void)state;
    uint8_t text[8] = {0};
    for (uint32_t n = 0; n < 1u << 24; n++) {
        text[0] = (uint8_t)(n >> 16);
        text[1] = (uint8_t)(n >> 8);
        text[2] = (uint8_t)n;
        bool is_valid = first_fault(text, 3) < 0;
        for (int level = 0; level <= (int)fl_simd_level(); level++)
            assert_int_equal(kernels[level]->is_valid((const char *)text, 3), is_valid);
    }
    for (uint32_t n = 0; n < 1u << 16; n++) /* every end of a character of four, and two bytes before it */
        for (uint32_t end = 0; end < 256; end += 0x3F) {
            text[0] = (uint8_t)(0xF0 + (n >> 12));
            text[1] = (uint8_t)(n >> 4);
            text[2] = (uint8_t)(0x70 + (n & 15) * 8);
            text[3] = (uint8_t)end;
            check(text, 4);
        }
}

/* Each kind of fault, and each well-formed border, at every place of texts that are longer than two blocks of any set. */
static void test_places(void **state)
{
    static const char *const pieces[] = {"a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                         "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
                                         /* and what is none */
                                         "\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z", "\xe0\x9f\xbf", "\xe1\x80",
                                         "\xe1z\x80", "\xed\xa0\x80", "\xe1\x80z", "\xf0\x8f\xbf\xbf", "\xf1\x80\x80",
                                         "\xf1\x80\x80z", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe",
                                         "\xc2\x80\x80", "\xe1\x80\x80\x80", "\xf1\x80\x80\x80\x80"};
    (void)state;
    for (int filler = 0; filler < 2; filler++)
        for (int64_t bytes = 0; bytes <= 200; bytes++)
            for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
                int64_t len = (int64_t)strlen(pieces[p]);
                for (int64_t at = 0; at + len <= bytes; at += bytes < 80 ? 1 : 3) {
                    uint8_t *text = malloc((size_t)bytes); /* of the exact size */
                    for (int64_t i = 0; i < bytes; i++)    /* ASCII, or characters of two bytes where they fit */
                        text[i] = filler == 0 ? 'x' : (i % 2 == at % 2) ? 0xC3 : 0xA4;
                    if (filler == 1 && at % 2 == 1)
                        text[0] = 'x';
                    if (filler == 1)
                        for (int64_t i = at + len; i < bytes; i++)
                            text[i] = (i - at - len) % 2 == 1 ? 0xA4 : i + 1 < bytes ? 0xC3 : 'x';
                    memcpy(text + at, pieces[p], (size_t)len);
                    check(text, bytes);
                    assert_int_equal(fl_utf8_check((const char *)text, bytes), first_fault(text, bytes));
                    free(text);
                }
            }
}

/* Characters are counted by words of the text: each length and place of a character. */
static void test_characters_are_counted(void **state)
{
    (void)state;
    const char text[] = "a\xC3\xA4\xE4\xB8\xAD"
                        "bc\xF0\x9F\x98\x80 d\xD0\xB6\xE8\xAA\x9E"
                        "efgh\xC3\xA4";
    for (int64_t from = 0; from < (int64_t)sizeof(text); from++)
        for (int64_t end = from; end < (int64_t)sizeof(text); end++) {
            int64_t count = 0;
            for (int64_t i = from; i < end; i++)
                count += !fl_utf8_is_continuation(text[i]);
            assert_int_equal(fl_utf8_count(text + from, end - from), count);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_characters_are_counted),
                                       cmocka_unit_test(test_all_short_sequences), cmocka_unit_test(test_places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
