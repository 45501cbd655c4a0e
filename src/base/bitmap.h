/* Bitmaps: one bit a row in 64-bit words, least significant bit first, as Arrow's validity and boolean buffers are.
 *
 * A bitmap of n bits has fl_bitmap_words(n) words. Bits past n in the last word are unspecified unless a function says
 * that it clears them ("tail cleared"). NULL stands for "all ones" where a parameter is named valid or mask. */
#ifndef FL_BASE_BITMAP_H
#define FL_BASE_BITMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline int64_t fl_bitmap_words(int64_t bits)
{
    return (bits + 63) >> 6;
}

static inline bool fl_bit_get(const uint64_t *map, int64_t i)
{
    return (map[i >> 6] >> (i & 63)) & 1;
}

static inline void fl_bit_set(uint64_t *map, int64_t i)
{
    map[i >> 6] |= 1ull << (i & 63);
}

static inline void fl_bit_clear(uint64_t *map, int64_t i)
{
    map[i >> 6] &= ~(1ull << (i & 63));
}

static inline void fl_bit_put(uint64_t *map, int64_t i, bool on)
{
    uint64_t bit = 1ull << (i & 63);
    map[i >> 6] = (map[i >> 6] & ~bit) | (on ? bit : 0);
}

/** Whether row i is valid: a NULL map has no nulls. */
static inline bool fl_is_valid(const uint64_t *valid, int64_t i)
{
    return valid == NULL || fl_bit_get(valid, i);
}

/** The bits of the last word of an n-bit map that count. */
static inline uint64_t fl_bitmap_tail(int64_t bits)
{
    return (bits & 63) == 0 ? ~0ull : (1ull << (bits & 63)) - 1;
}

/** Clears the first n ones, of which there are as many at least. */
static inline void fl_bitmap_clear_first(uint64_t *map, int64_t n)
{
    for (int64_t w = 0; n > 0; w++) {
        int64_t ones = __builtin_popcountll(map[w]);
        if (ones <= n) {
            map[w] = 0;
            n -= ones;
            continue;
        }
        for (; n > 0; n--)
            map[w] &= map[w] - 1;
    }
}

static inline void fl_bitmap_fill(uint64_t *map, int64_t bits, bool on)
{
    memset(map, on ? 0xFF : 0, (size_t)fl_bitmap_words(bits) * 8);
}

/** Ones among the first `bits` bits. */
static inline int64_t fl_bitmap_count(const uint64_t *map, int64_t bits)
{
    int64_t count = 0, words = bits >> 6;
    for (int64_t w = 0; w < words; w++)
        count += __builtin_popcountll(map[w]);
    if ((bits & 63) != 0)
        count += __builtin_popcountll(map[words] & fl_bitmap_tail(bits));
    return count;
}

static inline bool fl_bitmap_is_empty(const uint64_t *map, int64_t bits)
{
    int64_t words = bits >> 6;
    for (int64_t w = 0; w < words; w++)
        if (map[w] != 0)
            return false;
    return (bits & 63) == 0 || (map[words] & fl_bitmap_tail(bits)) == 0;
}

/** Row numbers of the ones among the first `bits` (≤ 65,536) bits, ascending; returns how many. `ret` has room for
 *  `bits` entries. */
static inline int32_t fl_bitmap_to_list(const uint64_t *map, int64_t bits, uint16_t *ret)
{
    int32_t count = 0;
    int64_t words = fl_bitmap_words(bits);
    for (int64_t w = 0; w < words; w++) {
        uint64_t word = map[w];
        if (w == words - 1)
            word &= fl_bitmap_tail(bits);
        while (word != 0) {
            ret[count++] = (uint16_t)(w * 64 + __builtin_ctzll(word));
            word &= word - 1;
        }
    }
    return count;
}

/** Copies `bits` bits that start at bit `offset` of `from` to bit 0 of `to`; tail cleared. */
void fl_bitmap_copy(uint64_t *to, const void *from, int64_t offset, int64_t bits);

#endif
