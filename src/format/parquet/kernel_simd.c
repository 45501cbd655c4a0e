/* Decoding loops. This file is compiled once per instruction set; FL_SIMD is the set's name.
 *
 * Unpacking: a value of up to 25 bits that begins anywhere in a byte lies within 4 bytes. One byte shuffle brings each
 * value's 4 bytes into its 32-bit lane, a variable shift and a mask do the rest; both are the same for every step of a
 * run, because 8 values take a whole number of bytes. The idea of shuffle, shift, mask is Willhalm et al.'s (2009). */
#include "format/parquet/kernel.h"

#include <string.h>

#if defined(FL_SIMD_avx2) || defined(FL_SIMD_avx512)
#include <immintrin.h>
#endif

#define SHUFFLED_WIDTH_MAX 25

static void unpack_each(const uint8_t *from, int64_t bit, int width, int64_t n, uint32_t *to)
{
    uint64_t mask = (1ull << width) - 1;
    for (int64_t i = 0; i < n; i++) {
        uint64_t word;
        memcpy(&word, from + (bit >> 3), 8);
        to[i] = (uint32_t)(word >> (bit & 7) & mask);
        bit += width;
    }
}

#if defined(FL_SIMD_avx512)
static void unpack_shuffled(const uint8_t *from, int64_t bit, int width, int64_t n, uint32_t *to)
{
    from += bit >> 3;
    uint8_t at[64] __attribute__((aligned(64)));
    uint32_t shift[16] __attribute__((aligned(64)));
    for (int lane = 0; lane < 16; lane++) {
        int first = (int)(bit & 7) + lane * width;
        shift[lane] = (uint32_t)(first & 7);
        for (int b = 0; b < 4; b++)
            at[lane * 4 + b] = (uint8_t)((first >> 3) + b);
    }
    __m512i index = _mm512_load_si512(at);
    __m512i shifts = _mm512_load_si512(shift);
    __m512i mask = _mm512_set1_epi32((int)((1u << width) - 1));
    for (int64_t i = 0; i < n; i += 16, from += 2 * width) {
        __m512i bytes = _mm512_permutexvar_epi8(index, _mm512_loadu_si512(from));
        _mm512_storeu_si512(to + i, _mm512_and_si512(_mm512_srlv_epi32(bytes, shifts), mask));
    }
}
#elif defined(FL_SIMD_avx2)
static void unpack_shuffled(const uint8_t *from, int64_t bit, int width, int64_t n, uint32_t *to)
{
    from += bit >> 3;
    int half = (int)(bit & 7) + 4 * width; /* the bit at which the upper four lanes begin */
    uint8_t at[32] __attribute__((aligned(32)));
    uint32_t shift[8] __attribute__((aligned(32)));
    for (int lane = 0; lane < 8; lane++) {
        int first = lane < 4 ? (int)(bit & 7) + lane * width : (half & 7) + (lane - 4) * width;
        shift[lane] = (uint32_t)(first & 7);
        for (int b = 0; b < 4; b++)
            at[lane * 4 + b] = (uint8_t)((first >> 3) + b);
    }
    __m256i index = _mm256_load_si256((const __m256i *)at);
    __m256i shifts = _mm256_load_si256((const __m256i *)shift);
    __m256i mask = _mm256_set1_epi32((int)((1u << width) - 1));
    for (int64_t i = 0; i < n; i += 8, from += width) {
        __m256i bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)from)),
                                                _mm_loadu_si128((const __m128i *)(from + (half >> 3))), 1);
        bytes = _mm256_shuffle_epi8(bytes, index);
        _mm256_storeu_si256((__m256i *)(to + i), _mm256_and_si256(_mm256_srlv_epi32(bytes, shifts), mask));
    }
}
#else
#define unpack_shuffled unpack_each
#endif

static void unpack(const uint8_t *from, int64_t bit, int width, int64_t n, uint32_t *to)
{
    if (width == 0)
        memset(to, 0, (size_t)n * 4);
    else if (width <= SHUFFLED_WIDTH_MAX)
        unpack_shuffled(from, bit, width, n, to);
    else
        unpack_each(from, bit, width, n, to);
}

static uint32_t max_u32(const uint32_t *codes, int64_t n)
{
    uint32_t max = 0;
    for (int64_t i = 0; i < n; i++)
        max = codes[i] > max ? codes[i] : max;
    return max;
}

static bool is_within_8(const int64_t *values, int64_t n, int64_t low, int64_t high)
{
    int64_t least = high, greatest = low;
    for (int64_t i = 0; i < n; i++) {
        least = values[i] < least ? values[i] : least;
        greatest = values[i] > greatest ? values[i] : greatest;
    }
    return least >= low && greatest <= high;
}

static void narrow(const uint32_t *restrict codes, int64_t n, uint8_t *restrict to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (uint8_t)codes[i];
}

static int64_t count_equal(const uint8_t *data, int64_t n, uint8_t value)
{
    int64_t count = 0;
    while (n > 0) {
        int64_t take = n < 192 ? n : 192; /* a byte holds the count, so that bytes are what is added */
        uint8_t part = 0;
        for (int64_t i = 0; i < take; i++)
            part = (uint8_t)(part + (data[i] == value));
        count += part;
        data += take;
        n -= take;
    }
    return count;
}

static int64_t count_slots(const uint8_t *rep, const uint8_t *def, int64_t n, uint8_t rep_max, uint8_t def_min)
{
    int64_t count = 0;
    while (n > 0) {
        int64_t take = n < 192 ? n : 192; /* as above */
        uint8_t part = 0;
        for (int64_t i = 0; i < take; i++)
            part = (uint8_t)(part + ((rep[i] <= rep_max) & (def[i] >= def_min)));
        count += part;
        rep += take;
        def += take;
        n -= take;
    }
    return count;
}

static void gather_4(const uint32_t *restrict values, const uint32_t *restrict codes, int64_t n, uint32_t *restrict to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = values[codes[i]];
}

static void gather_8(const uint64_t *restrict values, const uint32_t *restrict codes, int64_t n, uint64_t *restrict to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = values[codes[i]];
}

/* The 64 bits of `valid` from `bit` on, as far as the map has them: it has a word more than its bits need. */
static inline uint64_t bits_at(const uint64_t *valid, int64_t bit)
{
    int shift = (int)(bit & 63);
    uint64_t word = valid[bit >> 6] >> shift;
    return shift == 0 ? word : word | valid[(bit >> 6) + 1] << (64 - shift);
}

#if defined(FL_SIMD_avx512)
static void spread_4(const uint32_t *dense, const uint64_t *valid, int64_t bit, int64_t n, uint32_t *to)
{
    for (int64_t i = 0; i < n; i += 64) {
        uint64_t word = bits_at(valid, bit + i);
        for (int64_t j = i; j < n && j < i + 64; j += 16, word >>= 16) {
            __mmask16 mask = (__mmask16)(j + 16 <= n ? word : word & ((1ull << (n - j)) - 1));
            _mm512_storeu_si512(to + j, _mm512_maskz_expandloadu_epi32(mask, dense));
            dense += __builtin_popcount(mask);
        }
    }
}

static void spread_8(const uint64_t *dense, const uint64_t *valid, int64_t bit, int64_t n, uint64_t *to)
{
    for (int64_t i = 0; i < n; i += 64) {
        uint64_t word = bits_at(valid, bit + i);
        for (int64_t j = i; j < n && j < i + 64; j += 8, word >>= 8) {
            __mmask8 mask = (__mmask8)(j + 8 <= n ? word : word & ((1ull << (n - j)) - 1));
            _mm512_storeu_si512(to + j, _mm512_maskz_expandloadu_epi64(mask, dense));
            dense += __builtin_popcount(mask);
        }
    }
}
#else
#define SPREAD                                          \
    for (int64_t i = 0; i < n; i += 64) {               \
        uint64_t word = bits_at(valid, bit + i);        \
        int64_t end = n - i < 64 ? n : i + 64;          \
        for (int64_t j = i; j < end; j++, word >>= 1) { \
            to[j] = *dense;                             \
            dense += word & 1;                          \
        }                                               \
    }

static void spread_4(const uint32_t *dense, const uint64_t *valid, int64_t bit, int64_t n, uint32_t *to)
{
    SPREAD
}

static void spread_8(const uint64_t *dense, const uint64_t *valid, int64_t bit, int64_t n, uint64_t *to)
{
    SPREAD
}
#endif

static bool is_ascii(const uint8_t *data, int64_t bytes)
{
    uint8_t seen = 0;
    for (int64_t i = 0; i < bytes; i++)
        seen |= data[i];
    return seen < 128;
}

static void unsplit_4(const uint8_t *restrict from, int64_t n, uint8_t *restrict to)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t value = (uint32_t)from[i] | (uint32_t)from[n + i] << 8 | (uint32_t)from[2 * n + i] << 16 |
                         (uint32_t)from[3 * n + i] << 24;
        memcpy(to + i * 4, &value, 4);
    }
}

static void unsplit_8(const uint8_t *restrict from, int64_t n, uint8_t *restrict to)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t value = 0;
        for (int b = 0; b < 8; b++)
            value |= (uint64_t)from[b * n + i] << (8 * b);
        memcpy(to + i * 8, &value, 8);
    }
}

static void unsplit(const uint8_t *from, int64_t n, int64_t width, uint8_t *to)
{
    if (width == 4) {
        unsplit_4(from, n, to);
    } else if (width == 8) {
        unsplit_8(from, n, to);
    } else {
        for (int64_t b = 0; b < width; b++)
            for (int64_t i = 0; i < n; i++)
                to[i * width + b] = from[b * n + i];
    }
}

#define NAME_OF_SET(set) fl_pq_kernels_##set
#define NAME_OF(set) NAME_OF_SET(set)
#define TEXT_OF_SET(set) #set
#define TEXT_OF(set) TEXT_OF_SET(set)

extern const fl_pq_kernels NAME_OF(FL_SIMD);
const fl_pq_kernels NAME_OF(FL_SIMD) = {
    .name = TEXT_OF(FL_SIMD),
    .unpack = unpack,
    .max_u32 = max_u32,
    .is_within_8 = is_within_8,
    .narrow = narrow,
    .count_equal = count_equal,
    .count_slots = count_slots,
    .gather_4 = gather_4,
    .gather_8 = gather_8,
    .spread_4 = spread_4,
    .spread_8 = spread_8,
    .is_ascii = is_ascii,
    .unsplit = unsplit,
};
