/* 64 bytes at once, as bit masks: for kernels that are compiled once per instruction set (*_simd.c, see base/simd.h). */
#ifndef FL_BASE_BLOCK_SIMD_H
#define FL_BASE_BLOCK_SIMD_H

#include "base/intrinsics.h"

#include <stdint.h>

#define FL_BLOCK_BYTES 64

#if defined(FL_SIMD_avx512)
typedef __m512i fl_block;

static inline fl_block fl_block_load(const char *p)
{
    return _mm512_loadu_si512(p);
}

static inline uint64_t fl_block_equal(const fl_block *b, char c)
{
    return _mm512_cmpeq_epi8_mask(*b, _mm512_set1_epi8(c));
}

static inline uint64_t fl_block_high(const fl_block *b)
{
    return _mm512_movepi8_mask(*b);
}
#elif defined(FL_SIMD_avx2)
typedef struct fl_block {
    __m256i half[2];
} fl_block;

static inline fl_block fl_block_load(const char *p)
{
    return (fl_block){{_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 32))}};
}

static inline uint64_t fl_block_equal(const fl_block *b, char c)
{
    __m256i wanted = _mm256_set1_epi8(c);
    uint64_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b->half[0], wanted));
    return low | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b->half[1], wanted)) << 32;
}

static inline uint64_t fl_block_high(const fl_block *b)
{
    return (uint32_t)_mm256_movemask_epi8(b->half[0]) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b->half[1]) << 32;
}
#elif defined(__SSE2__)
typedef struct fl_block {
    __m128i quarter[4];
} fl_block;

static inline fl_block fl_block_load(const char *p)
{
    fl_block b;
    for (int i = 0; i < 4; i++)
        b.quarter[i] = _mm_loadu_si128((const __m128i *)(p + i * 16));
    return b;
}

static inline uint64_t fl_block_equal(const fl_block *b, char c)
{
    __m128i wanted = _mm_set1_epi8(c);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b->quarter[i], wanted)) << (i * 16);
    return mask;
}

static inline uint64_t fl_block_high(const fl_block *b)
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(b->quarter[i]) << (i * 16);
    return mask;
}
#else
typedef const char *fl_block;

static inline fl_block fl_block_load(const char *p)
{
    return p;
}

static inline uint64_t fl_block_equal(const fl_block *b, char c)
{
    uint64_t mask = 0;
    for (int i = 0; i < FL_BLOCK_BYTES; i++)
        mask |= (uint64_t)((*b)[i] == c) << i;
    return mask;
}

static inline uint64_t fl_block_high(const fl_block *b)
{
    uint64_t mask = 0;
    for (int i = 0; i < FL_BLOCK_BYTES; i++)
        mask |= (uint64_t)((uint8_t)(*b)[i] >> 7) << i;
    return mask;
}
#endif

#endif
