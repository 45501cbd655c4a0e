/* Casts between numbers: plain loops, compiled once per instruction set. */
#include "exec/cast_kernel.h"

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define KERNELS PASTE(fl_cast_kernels_, FL_SIMD)

#define LOOP(from_t, to_t)                                                \
    static void from_t##_##to_t(const void *from, int32_t rows, void *to) \
    {                                                                     \
        const from_t *x = from;                                           \
        to_t *ret = to;                                                   \
        for (int32_t row = 0; row < rows; row++)                          \
            ret[row] = (to_t)x[row];                                      \
    }
#define LOOPS(from_t)      \
    LOOP(from_t, uint8_t)  \
    LOOP(from_t, uint16_t) \
    LOOP(from_t, uint32_t) \
    LOOP(from_t, uint64_t) \
    LOOP(from_t, float)    \
    LOOP(from_t, double)
LOOPS(int8_t)
LOOPS(int16_t)
LOOPS(int32_t)
LOOPS(int64_t)
LOOPS(uint8_t)
LOOPS(uint16_t)
LOOPS(uint32_t)
LOOPS(uint64_t)
LOOP(float, double)

#define TO_INTEGER(from_t) {from_t##_uint8_t, from_t##_uint16_t, from_t##_uint32_t, from_t##_uint64_t}
#define FROM_ALL(to_t)                                                                                               \
    int8_t_##to_t, int16_t_##to_t, int32_t_##to_t, int64_t_##to_t, uint8_t_##to_t, uint16_t_##to_t, uint32_t_##to_t, \
        uint64_t_##to_t

const fl_cast_kernels KERNELS = {
    .to_integer = {TO_INTEGER(int8_t), TO_INTEGER(int16_t), TO_INTEGER(int32_t), TO_INTEGER(int64_t),
                   TO_INTEGER(uint8_t), TO_INTEGER(uint16_t), TO_INTEGER(uint32_t), TO_INTEGER(uint64_t)},
    .to_f32 = {FROM_ALL(float)},
    .to_f64 = {FROM_ALL(double), float_double},
};
