/* Runs one hot kernel over data that it makes, for test/instruction_counts.py, which counts the instructions inside of it.
 *
 *     hot_kernels utf8_long | utf8_short       prints the bytes that went through the kernel
 *
 * Text is of words, of whose characters one in ten is beyond ASCII (two to four bytes), as one text or as values of 10 to 80
 * bytes. */
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES (1 << 20)

static int64_t make_text(char *text)
{
    static const char *const foreign[] = {"ä", "ж", "中", "語", "😀"};
    uint32_t random = 1;
    int64_t len = 0;
    while (len + 8 < TEXT_BYTES) {
        random = random * 1664525 + 1013904223;
        if ((random >> 16) % 10 == 0) {
            const char *character = foreign[(random >> 20) % 5];
            memcpy(text + len, character, strlen(character));
            len += (int64_t)strlen(character);
        } else {
            text[len++] = (random >> 16) % 7 == 0 ? ' ' : (char)('a' + (random >> 20) % 26);
        }
    }
    return len;
}

int main(int argc, char **argv)
{
    static char text[TEXT_BYTES];
    int64_t len = make_text(text), checked = 0;
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "utf8_long") == 0) {
        checked = len;
        if (fl_utf8_check(text, len) >= 0)
            return 1;
    } else if (strcmp(argv[1], "utf8_short") == 0) {
        for (int64_t at = 0; at < len;) {
            int64_t end = at + 10 + checked % 71;
            end = end < len ? end : len;
            while (end < len && ((unsigned char)text[end] & 0xC0) == 0x80)
                end++;
            if (fl_utf8_check(text + at, end - at) >= 0)
                return 1;
            checked += end - at;
            at = end;
        }
    } else {
        return 2;
    }
    printf("%lld\n", (long long)checked);
    return 0;
}
