/* Loops of + - * over numbers, one set per instruction set (kernel_simd.c is compiled for each). Whole numbers wrap around:
 * rows of nulls and rows that nobody wants hold anything. */
#ifndef FL_FUNC_ARITH_KERNEL_H
#define FL_FUNC_ARITH_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fl_arith_op { FL_ARITH_ADD, FL_ARITH_SUB, FL_ARITH_MUL, FL_ARITH_OPS } fl_arith_op;

/* Stored numbers: signed by log2 of their width, then unsigned. */
typedef enum fl_arith_type {
    FL_ARITH_I8,
    FL_ARITH_I16,
    FL_ARITH_I32,
    FL_ARITH_I64,
    FL_ARITH_U8,
    FL_ARITH_U16,
    FL_ARITH_U32,
    FL_ARITH_U64,
    FL_ARITH_TYPES
} fl_arith_type;

typedef void (*fl_arith_run)(const void *a, const void *b, int32_t rows, void *ret);

/** Whether some row's result may have wrapped around; false is a proof for all. */
typedef bool (*fl_arith_check)(const void *a, const void *b, int32_t rows, void *ret);

typedef struct fl_arith_kernels {
    fl_arith_run plain[FL_ARITH_OPS][4]; /* by log2 of the width: wrapped bits have no sign */
    fl_arith_check checked[FL_ARITH_OPS][FL_ARITH_TYPES];
    fl_arith_check f32[FL_ARITH_OPS], f64[FL_ARITH_OPS];       /* wrapped around: is not finite */
    bool (*negate[4])(const void *a, int32_t rows, void *ret); /* of signed ones, checked */
} fl_arith_kernels;

extern const fl_arith_kernels fl_arith_kernels_baseline, fl_arith_kernels_avx2, fl_arith_kernels_avx512;

#endif
