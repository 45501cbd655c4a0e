/* Searching for a text, once per instruction set. */
#define _GNU_SOURCE /* memmem */

#include "func/text/find.h"

#include "base/block_simd.h"

#include <string.h>

/* Bytes compared per byte of text before the search changes over: in texts of all kinds it is about one. */
#define COMPARED_MAX 16

static const char *find(const char *text, int64_t len, const char *needle, int64_t n)
{
    int64_t at = 0, compared = 0;
    for (; at + n - 1 + FL_BLOCK_BYTES <= len; at += FL_BLOCK_BYTES) {
        fl_block first = fl_block_load(text + at), last = fl_block_load(text + at + n - 1);
        uint64_t places = fl_block_equal(&first, needle[0]) & fl_block_equal(&last, needle[n - 1]);
        for (; places != 0; places &= places - 1) {
            const char *place = text + at + __builtin_ctzll(places);
            if (n <= 2 || memcmp(place + 1, needle + 1, (size_t)n - 2) == 0)
                return place;
            compared += n;
        }
        if (compared >
            COMPARED_MAX * (at + FL_BLOCK_BYTES)) { /* places agree all the time, as in "aaaa": two ways are linear */
            at += FL_BLOCK_BYTES;
            break;
        }
    }
    return len - at < n ? NULL : memmem(text + at, (size_t)(len - at), needle, (size_t)n);
}

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

const fl_find_kernels PASTE(fl_find_kernels_, FL_SIMD) = {.find = find};
