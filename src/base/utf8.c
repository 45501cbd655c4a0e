/* UTF-8 by hand: the few functions that hot loops need; case mapping and normal forms are a library's business. */
#include "base/utf8.h"

#include "base/simd.h"
#include "base/utf8_kernel.h"

#include <stdatomic.h>
#include <string.h>

int fl_utf8_width(const char *p, int64_t left)
{
    const unsigned char *s = (const unsigned char *)p;
    if (left < 1)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2)
        return 0;
    if (s[0] < 0xE0)
        return left >= 2 && (s[1] & 0xC0) == 0x80 ? 2 : 0;
    if (s[0] < 0xF0) {
        if (left < 3 || (s[1] & 0xC0) != 0x80 || (s[2] & 0xC0) != 0x80)
            return 0;
        if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] >= 0xA0))
            return 0;
        return 3;
    }
    if (s[0] > 0xF4 || left < 4 || (s[1] & 0xC0) != 0x80 || (s[2] & 0xC0) != 0x80 || (s[3] & 0xC0) != 0x80)
        return 0;
    if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] >= 0x90))
        return 0;
    return 4;
}

bool fl_utf8_is_valid(const char *data, int64_t bytes)
{
    static _Atomic(const fl_utf8_kernels *) chosen; /* short texts are many: choosing would cost more than they do */
    const fl_utf8_kernels *kernels = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (FL_UNLIKELY(kernels == NULL)) {
        kernels = FL_SIMD_CHOOSE(fl_utf8_kernels);
        atomic_store_explicit(&chosen, kernels, memory_order_relaxed);
    }
    return kernels->is_valid(data, bytes);
}

int64_t fl_utf8_check(const char *data, int64_t bytes)
{
    if (bytes <= 0 || fl_utf8_is_valid(data, bytes))
        return -1;
    int64_t i = 0;
    for (int width; i < bytes && (width = fl_utf8_width(data + i, bytes - i)) > 0;)
        i += width;
    FL_ASSERT(i < bytes);
    return i;
}

/* How many of the eight bytes go on with a character. */
static inline int continuations(uint64_t word)
{
    return __builtin_popcountll(word >> 7 & ~(word >> 6) & 0x0101010101010101ull);
}

int64_t fl_utf8_count(const char *data, int64_t bytes)
{
    int64_t count = bytes, i = 0;
    uint64_t word;
    for (; i + 8 <= bytes; i += 8) {
        memcpy(&word, data + i, 8);
        count -= continuations(word);
    }
    if (i == bytes)
        return count;
    if (bytes < 8) {
        for (; i < bytes; i++)
            count -= fl_utf8_is_continuation(data[i]);
        return count;
    }
    memcpy(&word, data + bytes - 8, 8); /* with some that were counted */
    return count - continuations(word >> 8 * (8 - (bytes - i)));
}

int64_t fl_utf8_offset(const char *data, int64_t bytes, int64_t n)
{
    int64_t i = 0;
    for (uint64_t word; n > 8 && i + 8 <= bytes; i += 8) { /* a word begins at most eight characters */
        memcpy(&word, data + i, 8);
        n -= 8 - continuations(word);
    }
    while (i < bytes && fl_utf8_is_continuation(data[i])) /* the rest of the character that the last word began */
        i++;
    while (n > 0 && i < bytes) {
        i++;
        while (i < bytes && fl_utf8_is_continuation(data[i]))
            i++;
        n--;
    }
    return i;
}

uint32_t fl_utf8_decode(const char *p, int64_t left, int *ret_width)
{
    const unsigned char *s = (const unsigned char *)p;
    FL_ASSERT(left >= 1);
    int width = fl_utf8_width(p, left);
    *ret_width = width > 0 ? width : 1;
    switch (width) {
    case 1:
        return s[0];
    case 2:
        return (uint32_t)(s[0] & 0x1F) << 6 | (s[1] & 0x3F);
    case 3:
        return (uint32_t)(s[0] & 0x0F) << 12 | (uint32_t)(s[1] & 0x3F) << 6 | (s[2] & 0x3F);
    case 4:
        return (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3F) << 12 | (uint32_t)(s[2] & 0x3F) << 6 |
               (s[3] & 0x3F);
    default:
        return 0xFFFD;
    }
}

int fl_utf8_encode(uint32_t code, char *ret)
{
    if (code < 0x80) {
        ret[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        ret[0] = (char)(0xC0 | code >> 6);
        ret[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        ret[0] = (char)(0xE0 | code >> 12);
        ret[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        ret[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    ret[0] = (char)(0xF0 | code >> 18);
    ret[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    ret[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    ret[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}
