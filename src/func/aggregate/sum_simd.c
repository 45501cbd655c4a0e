/* Masked sums: 64 rows at a time, which are all taken, none, or by their bits. Where registers allow, a bit switches a lane
 * without a branch, so that a mask costs the same however it looks. */
#include "func/aggregate/sum_kernel.h"

#include "base/intrinsics.h"

#include <stddef.h>

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define KERNELS PASTE(fl_sum_kernels_, FL_SIMD)

#if defined(FL_SIMD_avx512)
#define LANES 1 /* the compiler's loop by bits is faster than row by row */
#else
#define LANES 0
#endif

/* Without lanes that a bit can switch, rows are visited one by one: those of all groups together are the batch's. */
#define BY_BITS(type)                                                                        \
    static inline uint64_t by_bits_##type(const type *x, uint64_t word, int32_t rows)        \
    {                                                                                        \
        uint64_t sum = 0;                                                                    \
        if (LANES)                                                                           \
            for (int32_t i = 0; i < rows; i++)                                               \
                sum += (uint64_t)(int64_t)x[i] & (0 - (word >> i & 1));                      \
        else                                                                                 \
            for (uint64_t bits = word & (~0ull >> (64 - rows)); bits != 0; bits &= bits - 1) \
                sum += (uint64_t)(int64_t)x[__builtin_ctzll(bits)];                          \
        return sum;                                                                          \
    }
BY_BITS(int8_t)
BY_BITS(int16_t)
BY_BITS(int32_t)
BY_BITS(uint8_t)
BY_BITS(uint16_t)
BY_BITS(uint32_t)
BY_BITS(uint64_t)

static inline uint64_t by_bits_int64_t(const int64_t *x, uint64_t word, int32_t rows)
{
#if defined(FL_SIMD_avx512)
    if (rows == 64) {
        __m512i sum = _mm512_setzero_si512(), other = _mm512_setzero_si512();
        for (int i = 0; i < 64; i += 16) {
            sum = _mm512_mask_add_epi64(sum, (__mmask8)(word >> i), sum, _mm512_loadu_si512(x + i));
            other = _mm512_mask_add_epi64(other, (__mmask8)(word >> (i + 8)), other, _mm512_loadu_si512(x + i + 8));
        }
        return (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(sum, other));
    }
#elif defined(FL_SIMD_avx2)
    if (rows ==
        64) { /* a lane is on where its bit of the word is: four bits at a time are moved to where they are tested */
        __m256i bit = _mm256_setr_epi64x(1, 2, 4, 8), words = _mm256_set1_epi64x((int64_t)word),
                sum = _mm256_setzero_si256();
        for (int i = 0; i < 64; i += 4) {
            __m256i on = _mm256_cmpeq_epi64(_mm256_and_si256(words, bit), bit);
            sum = _mm256_add_epi64(sum, _mm256_and_si256(on, _mm256_loadu_si256((const __m256i *)(x + i))));
            words = _mm256_srli_epi64(words, 4);
        }
        int64_t lanes[4];
        _mm256_storeu_si256((__m256i *)lanes, sum);
        return (uint64_t)lanes[0] + (uint64_t)lanes[1] + (uint64_t)lanes[2] + (uint64_t)lanes[3];
    }
#endif
    return by_bits_uint64_t((const uint64_t *)x, word, rows);
}

#define SUM(suffix, type)                                                                                        \
    static inline uint64_t every_##suffix(const type *x, int32_t rows)                                           \
    {                                                                                                            \
        uint64_t sum = 0;                                                                                        \
        for (int32_t i = 0; i < rows; i++)                                                                       \
            sum += (uint64_t)(int64_t)x[i];                                                                      \
        return sum;                                                                                              \
    }                                                                                                            \
    static int64_t sum_##suffix(const void *data, const uint64_t *mask, const uint64_t *valid, int32_t rows)     \
    {                                                                                                            \
        const type *x = data;                                                                                    \
        uint64_t sum = 0;                                                                                        \
        if (mask == NULL && valid == NULL)                                                                       \
            return (int64_t)every_##suffix(x, rows);                                                             \
        for (int32_t row = 0; row < rows; row += 64) {                                                           \
            uint64_t word = (mask == NULL ? ~0ull : mask[row >> 6]) & (valid == NULL ? ~0ull : valid[row >> 6]); \
            if (rows - row < 64)                                                                                 \
                sum += by_bits_##type(x + row, word, rows - row);                                                \
            else if (word == ~0ull)                                                                              \
                sum += every_##suffix(x + row, 64);                                                              \
            else if (word != 0)                                                                                  \
                sum += by_bits_##type(x + row, word, 64);                                                        \
        }                                                                                                        \
        return (int64_t)sum;                                                                                     \
    }
SUM(i8, int8_t)
SUM(i16, int16_t)
SUM(i32, int32_t)
SUM(i64, int64_t)
SUM(u8, uint8_t)
SUM(u16, uint16_t)
SUM(u32, uint32_t)
SUM(u64, uint64_t)

const fl_sum_kernels KERNELS = {.of_signed = {sum_i8, sum_i16, sum_i32, sum_i64},
                                .of_unsigned = {sum_u8, sum_u16, sum_u32, sum_u64}};
