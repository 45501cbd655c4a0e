/* Comparison loops: 64 rows become 64 bytes, which become a word of bits. Compiled once per instruction set: the loops are
 * plain C that the compiler turns into its registers; only the packing is by hand. NaN equals NaN and is greatest. */
#include "func/compare/kernel.h"

#include "base/intrinsics.h"

#include <string.h>

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define KERNELS PASTE(fl_compare_kernels_, FL_SIMD)

static inline uint64_t pack(const uint8_t *bytes)
{
#if defined(FL_SIMD_avx512)
    return _mm512_test_epi8_mask(_mm512_loadu_si512(bytes), _mm512_set1_epi8(1));
#elif defined(FL_SIMD_avx2)
    uint64_t low = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(_mm256_loadu_si256((const __m256i *)bytes), 7));
    uint64_t high =
        (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(_mm256_loadu_si256((const __m256i *)(bytes + 32)), 7));
    return low | high << 32;
#elif defined(__SSE2__)
    uint64_t word = 0;
    for (int i = 0; i < 4; i++) {
        __m128i v = _mm_slli_epi16(_mm_loadu_si128((const __m128i *)(bytes + i * 16)), 7);
        word |= (uint64_t)(uint16_t)_mm_movemask_epi8(v) << (i * 16);
    }
    return word;
#else
    uint64_t word = 0, eight;
    for (int i = 0; i < 8; i++) { /* the product brings the low bit of each byte to the highest one */
        memcpy(&eight, bytes + i * 8, 8);
        word |= (eight & 0x0101010101010101) * 0x0102040810204080 >> 56 << (i * 8);
    }
    return word;
#endif
}

#define LOOP(test)                               \
    uint8_t bytes[64];                           \
    int32_t row = 0;                             \
    for (; row + 64 <= rows; row += 64) {        \
        for (int32_t i = 0; i < 64; i++)         \
            bytes[i] = (uint8_t)(test);          \
        bits[row >> 6] = pack(bytes);            \
    }                                            \
    if (row < rows) {                            \
        uint64_t word = 0;                       \
        for (int32_t i = 0; i < rows - row; i++) \
            word |= (uint64_t)(test) << i;       \
        bits[row >> 6] = word;                   \
    }

#define KERNEL(name, type, op, test)                                                              \
    static void name##_##op##_rows(const void *va, const void *vb, int32_t rows, uint64_t *bits)  \
    {                                                                                             \
        const type *a = va, *b = vb;                                                              \
        LOOP(test(a[row + i], b[row + i]))                                                        \
    }                                                                                             \
    static void name##_##op##_const(const void *va, const void *vb, int32_t rows, uint64_t *bits) \
    {                                                                                             \
        const type *a = va;                                                                       \
        const type c = *(const type *)vb;                                                         \
        LOOP(test(a[row + i], c))                                                                 \
    }

#define EQ(x, y) ((x) == (y))
#define NE(x, y) ((x) != (y))
#define LT(x, y) ((x) < (y))
#define LE(x, y) ((x) <= (y))
#define GT(x, y) ((x) > (y))
#define GE(x, y) ((x) >= (y))

/* With NaN: x != x says that x is one. */
#define FLOAT_EQ(x, y) (((x) == (y)) | (((x) != (x)) & ((y) != (y))))
#define FLOAT_LT(x, y) (((x) < (y)) | (((x) == (x)) & ((y) != (y))))
#define FLOAT_NE(x, y) (!FLOAT_EQ(x, y))
#define FLOAT_GT(x, y) FLOAT_LT(y, x)
#define FLOAT_LE(x, y) (!FLOAT_LT(y, x))
#define FLOAT_GE(x, y) (!FLOAT_LT(x, y))

#define ALL(name, type, prefix)        \
    KERNEL(name, type, eq, prefix##EQ) \
    KERNEL(name, type, ne, prefix##NE) \
    KERNEL(name, type, lt, prefix##LT) \
    KERNEL(name, type, le, prefix##LE) \
    KERNEL(name, type, gt, prefix##GT) \
    KERNEL(name, type, ge, prefix##GE)

ALL(i8, int8_t, )
ALL(i16, int16_t, )
ALL(i32, int32_t, )
ALL(i64, int64_t, )
ALL(u8, uint8_t, )
ALL(u16, uint16_t, )
ALL(u32, uint32_t, )
ALL(u64, uint64_t, )
ALL(f32, float, FLOAT_)
ALL(f64, double, FLOAT_)

#define ROW(name, kind) \
    {name##_eq_##kind, name##_ne_##kind, name##_lt_##kind, name##_le_##kind, name##_gt_##kind, name##_ge_##kind}
#define TABLE(kind)                                                                 \
    {ROW(i8, kind),  ROW(i16, kind), ROW(i32, kind), ROW(i64, kind), ROW(u8, kind), \
     ROW(u16, kind), ROW(u32, kind), ROW(u64, kind), ROW(f32, kind), ROW(f64, kind)}

const fl_compare_kernels KERNELS = {.rows = TABLE(rows), .constant = TABLE(const)};
