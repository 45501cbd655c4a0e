/* Comparison kernels over fixed-width values, one set per instruction set (kernel_simd.c is compiled for each). */
#ifndef FL_FUNC_COMPARE_KERNEL_H
#define FL_FUNC_COMPARE_KERNEL_H

#include <stdint.h>

typedef enum fl_compare_op { FL_EQ, FL_NE, FL_LT, FL_LE, FL_GT, FL_GE, FL_COMPARE_OPS } fl_compare_op;

typedef enum fl_compare_type {
    FL_COMPARE_I8,
    FL_COMPARE_I16,
    FL_COMPARE_I32,
    FL_COMPARE_I64,
    FL_COMPARE_U8,
    FL_COMPARE_U16,
    FL_COMPARE_U32,
    FL_COMPARE_U64,
    FL_COMPARE_F32,
    FL_COMPARE_F64,
    FL_COMPARE_TYPES
} fl_compare_type;

/** Compares a[i] with b[i] (or with b[0]) for `rows` rows into bits; the tail of the last word is 0. */
typedef void (*fl_compare_run)(const void *a, const void *b, int32_t rows, uint64_t *bits);

typedef struct fl_compare_kernels {
    fl_compare_run rows[FL_COMPARE_TYPES][FL_COMPARE_OPS];     /* column with column */
    fl_compare_run constant[FL_COMPARE_TYPES][FL_COMPARE_OPS]; /* column with constant */
} fl_compare_kernels;

extern const fl_compare_kernels fl_compare_kernels_baseline, fl_compare_kernels_avx2, fl_compare_kernels_avx512;

#endif
