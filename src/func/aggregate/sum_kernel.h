/* Sums of whole numbers in 64 bits, one set of loops per instruction set (sum_simd.c is compiled for each). */
#ifndef FL_FUNC_AGGREGATE_SUM_KERNEL_H
#define FL_FUNC_AGGREGATE_SUM_KERNEL_H

#include <stdint.h>

/** Sum of x[row] over the rows that are in both bitmaps (NULL: all). The caller knows that it fits. */
typedef int64_t (*fl_sum_run)(const void *x, const uint64_t *mask, const uint64_t *valid, int32_t rows);

typedef struct fl_sum_kernels {
    fl_sum_run of_signed[4]; /* by log2 of the width */
    fl_sum_run of_unsigned[4];
} fl_sum_kernels;

extern const fl_sum_kernels fl_sum_kernels_baseline, fl_sum_kernels_avx2, fl_sum_kernels_avx512;

#endif
