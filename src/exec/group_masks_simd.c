/* Which rows belong to a group: pointers are compared 64 at a time, and become a word of bits. */
#include "exec/group_masks.h"

#include "base/intrinsics.h"

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define KERNEL PASTE(fl_group_masks_kernel_, FL_SIMD)

static inline uint64_t word_of(uint8_t *const *groups, const uint8_t *group)
{
    uint64_t word = 0;
#if defined(FL_SIMD_avx512)
    __m512i wanted = _mm512_set1_epi64((int64_t)(uintptr_t)group);
    for (int i = 0; i < 64; i += 8)
        word |= (uint64_t)_mm512_cmpeq_epi64_mask(_mm512_loadu_si512(groups + i), wanted) << i;
#elif defined(FL_SIMD_avx2)
    __m256i wanted = _mm256_set1_epi64x((int64_t)(uintptr_t)group);
    for (int i = 0; i < 64; i += 4) {
        __m256i same = _mm256_cmpeq_epi64(_mm256_loadu_si256((const __m256i *)(groups + i)), wanted);
        word |= (uint64_t)(uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(same)) << i;
    }
#else
    for (int i = 0; i < 64; i++)
        word |= (uint64_t)(groups[i] == group) << i;
#endif
    return word;
}

static void run(uint8_t *const *groups, const uint8_t *group, int32_t rows, uint64_t *bits)
{
    int32_t row = 0;
    for (; row + 64 <= rows; row += 64)
        bits[row >> 6] = word_of(groups + row, group);
    if (row < rows) {
        uint64_t word = 0;
        for (int32_t i = 0; i < rows - row; i++)
            word |= (uint64_t)(groups[row + i] == group) << i;
        bits[row >> 6] = word;
    }
}

const fl_group_masks_run KERNEL = run;
