/* Least and greatest value of a column: plain loops, compiled once per instruction set. */
#include "arrow/bounds.h"

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define KERNELS PASTE(fl_bounds_kernels_, FL_SIMD)

#define EXTREMES(suffix, type, wide)                                                       \
    static void of_##suffix(const void *data, int64_t rows, wide *ret_low, wide *ret_high) \
    {                                                                                      \
        const type *x = data;                                                              \
        type low = x[0], high = x[0];                                                      \
        for (int64_t row = 0; row < rows; row++) {                                         \
            low = x[row] < low ? x[row] : low;                                             \
            high = x[row] > high ? x[row] : high;                                          \
        }                                                                                  \
        *ret_low = low;                                                                    \
        *ret_high = high;                                                                  \
    }
EXTREMES(i8, int8_t, int64_t)
EXTREMES(i16, int16_t, int64_t)
EXTREMES(i32, int32_t, int64_t)
EXTREMES(i64, int64_t, int64_t)
EXTREMES(u8, uint8_t, uint64_t)
EXTREMES(u16, uint16_t, uint64_t)
EXTREMES(u32, uint32_t, uint64_t)
EXTREMES(u64, uint64_t, uint64_t)

const fl_bounds_kernels KERNELS = {.of_signed = {of_i8, of_i16, of_i32, of_i64},
                                   .of_unsigned = {of_u8, of_u16, of_u32, of_u64}};
