/* Searching for a text, once per instruction set. */
#define _GNU_SOURCE /* memmem */

#include "func/text/find.h"

#include "base/block_simd.h"

#include <string.h>

/* Bytes compared per byte of text before the search changes over: in texts of all kinds it is about one. */
#define COMPARED_MAX 16

/* The first of the places in a block of `at` that hold the needle; *compared grows by the bytes that were compared for it. */
static inline const char *first_of(const char *at, uint64_t places, const char *needle, int64_t n, int64_t *compared)
{
    for (; places != 0; places &= places - 1) {
        const char *place = at + __builtin_ctzll(places);
        if (n <= 2 || memcmp(place + 1, needle + 1, (size_t)n - 2) == 0)
            return place;
        *compared += n;
    }
    return NULL;
}

/* Where first and last byte of the needle agree: a bit for each of the block's bytes. */
static inline uint64_t places_in(const char *at, const char *needle, int64_t n)
{
    fl_block first = fl_block_load(at), last = fl_block_load(at + n - 1);
    return fl_block_equal(&first, needle[0]) & fl_block_equal(&last, needle[n - 1]);
}

/* The same of a text that has fewer places than a block. */
static const char *find_short(const char *text, int64_t len, const char *needle, int64_t n)
{
    char copy[2 * FL_BLOCK_BYTES]; /* what is behind the text is not its own to read */
    int64_t places = len - n + 1, compared = 0;
    if (places <= 0)
        return NULL;
    if (n > FL_BLOCK_BYTES)
        return memmem(text, (size_t)len, needle, (size_t)n);
    memcpy(copy, text, (size_t)len);
    memset(copy + len, 0, sizeof(copy) - (size_t)len);
    const char *hit = first_of(copy, places_in(copy, needle, n) & ((1ull << places) - 1), needle, n, &compared);
    return hit == NULL ? NULL : text + (hit - copy);
}

static const char *find(const char *text, int64_t len, const char *needle, int64_t n)
{
    int64_t at = 0, compared = 0, last = len - n + 1 - FL_BLOCK_BYTES; /* where the last block begins */
    if (last < 0)
        return find_short(text, len, needle, n);
    for (;;) {
        const char *hit = first_of(text + at, places_in(text + at, needle, n), needle, n, &compared);
        if (hit != NULL || at == last)
            return hit;
        if (compared > COMPARED_MAX * (at + FL_BLOCK_BYTES)) /* places agree all the time, as in "aaaa" */
            return memmem(text + at, (size_t)(len - at), needle, (size_t)n); /* linear */
        at = at + FL_BLOCK_BYTES < last ? at + FL_BLOCK_BYTES : last;
    }
}

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

const fl_find_kernels PASTE(fl_find_kernels_, FL_SIMD) = {.find = find};
