/* Wrapping arithmetic as plain loops, compiled once per instruction set; the checked ones or what went wrong into a flag that
 * is read once, so that they have no branch either. */
#include "func/arith/kernel.h"

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define KERNELS PASTE(fl_arith_kernels_, FL_SIMD)

/* ---- plain -------------------------------------------------------------------------------------------------------- */

/* Narrow ones are computed in 32 bits: C would promote them to int, whose overflow is undefined. */
#define PLAIN(name, type, wide, op)                                          \
    static void name(const void *va, const void *vb, int32_t rows, void *vr) \
    {                                                                        \
        const type *a = va, *b = vb;                                         \
        type *ret = vr;                                                      \
        for (int32_t row = 0; row < rows; row++)                             \
            ret[row] = (type)((wide)a[row] op(wide) b[row]);                 \
    }
#define PLAIN3(suffix, type, wide)     \
    PLAIN(add_##suffix, type, wide, +) \
    PLAIN(sub_##suffix, type, wide, -) \
    PLAIN(mul_##suffix, type, wide, *)
PLAIN3(8, uint8_t, uint32_t)
PLAIN3(16, uint16_t, uint32_t)
PLAIN3(32, uint32_t, uint32_t)
PLAIN3(64, uint64_t, uint64_t)

/* ---- checked ------------------------------------------------------------------------------------------------------ */

/* Sums: the sign of a result that wrapped around differs from both operands' (differences: from the minuend's, whose sign
 * differs from the subtrahend's). Unsigned: the carry, or the borrow, comes out. */
#define CARRY(name, type, op, wrapped)                                       \
    static bool name(const void *va, const void *vb, int32_t rows, void *vr) \
    {                                                                        \
        const type *a = va, *b = vb;                                         \
        type *ret = vr;                                                      \
        type bad = 0;                                                        \
        for (int32_t row = 0; row < rows; row++) {                           \
            type x = a[row], y = b[row], r = (type)(x op y);                 \
            ret[row] = r;                                                    \
            bad |= (type)(wrapped);                                          \
        }                                                                    \
        return bad >> (sizeof(type) * 8 - 1) != 0;                           \
    }
#define CARRIES(bits, type)                               \
    CARRY(add_i##bits, type, +, (x ^ r) & (y ^ r))        \
    CARRY(sub_i##bits, type, -, (x ^ y) & (x ^ r))        \
    CARRY(add_u##bits, type, +, (x & y) | ((x | y) & ~r)) \
    CARRY(sub_u##bits, type, -, (~x & y) | ((~x | y) & r))
CARRIES(8, uint8_t)
CARRIES(16, uint16_t)
CARRIES(32, uint32_t)
CARRIES(64, uint64_t)

/* Products of up to 32 bits are computed in twice the width, to see what is lost. */
#define PRODUCT(suffix, type, wide)                                                  \
    static bool mul_##suffix(const void *va, const void *vb, int32_t rows, void *vr) \
    {                                                                                \
        const type *a = va, *b = vb;                                                 \
        type *ret = vr;                                                              \
        wide bad = 0;                                                                \
        for (int32_t row = 0; row < rows; row++) {                                   \
            wide r = (wide)a[row] * (wide)b[row];                                    \
            ret[row] = (type)r;                                                      \
            bad |= r ^ (wide)(type)r;                                                \
        }                                                                            \
        return bad != 0;                                                             \
    }
PRODUCT(i8, int8_t, int32_t)
PRODUCT(i16, int16_t, int32_t)
PRODUCT(i32, int32_t, int64_t)
PRODUCT(u8, uint8_t, uint32_t)
PRODUCT(u16, uint16_t, uint32_t)
PRODUCT(u32, uint32_t, uint64_t)

#define PRODUCT64(suffix, type)                                                      \
    static bool mul_##suffix(const void *va, const void *vb, int32_t rows, void *vr) \
    {                                                                                \
        const type *a = va, *b = vb;                                                 \
        type *ret = vr;                                                              \
        bool bad = false;                                                            \
        for (int32_t row = 0; row < rows; row++)                                     \
            bad |= __builtin_mul_overflow(a[row], b[row], &ret[row]);                \
        return bad;                                                                  \
    }
PRODUCT64(i64, int64_t)
PRODUCT64(u64, uint64_t)

/* Negative both before and after: only the least number is. */
#define NEGATE(bits)                                                  \
    static bool negate_##bits(const void *va, int32_t rows, void *vr) \
    {                                                                 \
        const uint##bits##_t *a = va;                                 \
        uint##bits##_t *ret = vr, bad = 0;                            \
        for (int32_t row = 0; row < rows; row++) {                    \
            uint##bits##_t x = a[row], r = (uint##bits##_t)(0 - x);   \
            ret[row] = r;                                             \
            bad |= x & r;                                             \
        }                                                             \
        return bad >> (bits - 1) != 0;                                \
    }
NEGATE(8)
NEGATE(16)
NEGATE(32)
NEGATE(64)

#define FLOAT(name, type, op)                                                \
    static bool name(const void *va, const void *vb, int32_t rows, void *vr) \
    {                                                                        \
        const type *a = va, *b = vb;                                         \
        type *ret = vr;                                                      \
        int bad = 0;                                                         \
        for (int32_t row = 0; row < rows; row++) {                           \
            type r = a[row] op b[row];                                       \
            ret[row] = r;                                                    \
            bad |= !(r - r == 0); /* NaN for what is not finite */           \
        }                                                                    \
        return bad != 0;                                                     \
    }
#define FLOATS(suffix, type)     \
    FLOAT(add_##suffix, type, +) \
    FLOAT(sub_##suffix, type, -) \
    FLOAT(mul_##suffix, type, *)
FLOATS(f32, float)
FLOATS(f64, double)

#define PLAIN_ROW(op) {op##_8, op##_16, op##_32, op##_64}
#define CHECKED_ROW(op) {op##_i8, op##_i16, op##_i32, op##_i64, op##_u8, op##_u16, op##_u32, op##_u64}

const fl_arith_kernels KERNELS = {
    .plain = {PLAIN_ROW(add), PLAIN_ROW(sub), PLAIN_ROW(mul)},
    .checked = {CHECKED_ROW(add), CHECKED_ROW(sub), CHECKED_ROW(mul)},
    .f32 = {add_f32, sub_f32, mul_f32},
    .f64 = {add_f64, sub_f64, mul_f64},
    .negate = {negate_8, negate_16, negate_32, negate_64},
};
