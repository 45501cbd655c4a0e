/* Loops of casts between numbers, one set per instruction set (cast_simd.c is compiled for each). They cut off what does not
 * fit: the caller knows that every row wanted does. */
#ifndef FL_EXEC_CAST_KERNEL_H
#define FL_EXEC_CAST_KERNEL_H

#include <stdint.h>

typedef void (*fl_cast_loop)(const void *from, int32_t rows, void *ret);

#define FL_CAST_INTEGERS 8 /* from: int8 .. int64, uint8 .. uint64, as fl_type_id has them */

typedef struct fl_cast_kernels {
    fl_cast_loop to_integer[FL_CAST_INTEGERS][4]; /* to: log2 of the width; bits that are cut off have no sign */
    fl_cast_loop to_f32[FL_CAST_INTEGERS];
    fl_cast_loop to_f64[FL_CAST_INTEGERS + 1]; /* from: also float32 */
} fl_cast_kernels;

extern const fl_cast_kernels fl_cast_kernels_baseline, fl_cast_kernels_avx2, fl_cast_kernels_avx512;

#endif
