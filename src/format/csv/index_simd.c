/* The structural pass, once per instruction set: bit masks of 64 bytes, then positions. */
#include "format/csv/index.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define BLOCK 64

#if defined(FL_SIMD_avx512)
typedef __m512i block;

static inline block load(const char *p)
{
    return _mm512_loadu_si512(p);
}

static inline uint64_t equal(const block *b, char c)
{
    return _mm512_cmpeq_epi8_mask(*b, _mm512_set1_epi8(c));
}

static inline uint64_t high(const block *b)
{
    return _mm512_movepi8_mask(*b);
}
#elif defined(FL_SIMD_avx2)
typedef struct block {
    __m256i half[2];
} block;

static inline block load(const char *p)
{
    return (block){{_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 32))}};
}

static inline uint64_t equal(const block *b, char c)
{
    __m256i wanted = _mm256_set1_epi8(c);
    uint64_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b->half[0], wanted));
    return low | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b->half[1], wanted)) << 32;
}

static inline uint64_t high(const block *b)
{
    return (uint32_t)_mm256_movemask_epi8(b->half[0]) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b->half[1]) << 32;
}
#elif defined(__SSE2__)
typedef struct block {
    __m128i quarter[4];
} block;

static inline block load(const char *p)
{
    block b;
    for (int i = 0; i < 4; i++)
        b.quarter[i] = _mm_loadu_si128((const __m128i *)(p + i * 16));
    return b;
}

static inline uint64_t equal(const block *b, char c)
{
    __m128i wanted = _mm_set1_epi8(c);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b->quarter[i], wanted)) << (i * 16);
    return mask;
}

static inline uint64_t high(const block *b)
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(b->quarter[i]) << (i * 16);
    return mask;
}
#else
typedef const char *block;

static inline block load(const char *p)
{
    return p;
}

static inline uint64_t equal(const block *b, char c)
{
    uint64_t mask = 0;
    for (int i = 0; i < BLOCK; i++)
        mask |= (uint64_t)((*b)[i] == c) << i;
    return mask;
}

static inline uint64_t high(const block *b)
{
    uint64_t mask = 0;
    for (int i = 0; i < BLOCK; i++)
        mask |= (uint64_t)((uint8_t)(*b)[i] >> 7) << i;
    return mask;
}
#endif

/* Bit i of the result: the exclusive or of bits 0 .. i. */
static inline uint64_t prefix_xor(uint64_t bits)
{
    for (int shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

/* Which bytes are inside of quotes; tests on the way that quotes open and close at the borders of fields. */
static inline uint64_t quoted(const block *b, uint64_t quotes, uint64_t borders, uint64_t used, int last,
                              fl_csv_state *s)
{
    uint64_t inside = prefix_xor(quotes) ^ s->inside;
    uint64_t open = quotes & inside, close = quotes & ~inside;
    uint64_t ends = borders & ~inside;
    uint64_t may_open = (ends | close) << 1 | s->can_open;
    uint64_t behind_close = (close << 1 | s->was_close) & used;
    if ((open & ~may_open) != 0 || (behind_close & ~(ends | quotes | equal(b, '\r'))) != 0)
        s->flags |= FL_CSV_FAULT_QUOTE;
    s->can_open = (ends | close) >> last & 1;
    s->was_close = close >> last & 1;
    s->inside = 0 - (inside >> last & 1);
    return inside;
}

static void index_bytes(const char *data, int64_t from, int64_t to, fl_csv_marks marks, fl_csv_state *s, uint32_t *at,
                        int64_t *count, uint32_t *ends, int64_t *lines)
{
    int64_t n = *count, line = *lines;
    uint64_t any_high = 0, any_nul = 0;
    for (; from < to; from += BLOCK) {
        int last = to - from >= BLOCK ? BLOCK - 1 : (int)(to - from) - 1;
        uint64_t used = ~0ull >> (BLOCK - 1 - last);
        block b = load(data + from);
        uint64_t newlines = equal(&b, marks.newline) & used;
        uint64_t borders = (equal(&b, marks.delim) & used) | newlines;
        uint64_t quotes = marks.quote == 0 ? 0 : equal(&b, marks.quote) & used;
        any_high |= high(&b) & used;
        any_nul |= equal(&b, 0) & used;
        if ((quotes | s->inside | s->was_close) != 0) {
            uint64_t inside = quoted(&b, quotes, borders, used, last, s);
            borders &= ~inside;
            newlines &= ~inside;
        } else {
            s->can_open = borders >> last & 1;
        }
        for (uint64_t left = newlines; left != 0; left &= left - 1)
            ends[line++] = (uint32_t)(n + __builtin_popcountll(borders & ((left & -left) - 1)));
        for (uint64_t left = borders; left != 0; left &= left - 1)
            at[n++] = (uint32_t)from + (uint32_t)__builtin_ctzll(left);
    }
    *count = n;
    *lines = line;
    s->flags |= (any_high != 0 ? FL_CSV_HAS_HIGH : 0) | (any_nul != 0 ? FL_CSV_FAULT_NUL : 0);
}

static int64_t count_bytes(const char *data, int64_t bytes, char wanted)
{
    int64_t count = 0, at = 0;
    for (; at + BLOCK <= bytes; at += BLOCK) {
        block b = load(data + at);
        count += __builtin_popcountll(equal(&b, wanted));
    }
    for (; at < bytes; at++)
        count += data[at] == wanted;
    return count;
}

#define JOIN(a, b) a##b
#define NAME(set) JOIN(fl_csv_kernels_, set)

const fl_csv_kernels NAME(FL_SIMD) = {index_bytes, count_bytes};
