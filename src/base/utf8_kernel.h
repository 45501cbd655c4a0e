/* The loop over whole texts, compiled once per instruction set (utf8_simd.c) and chosen by base/simd.h. */
#ifndef FL_BASE_UTF8_KERNEL_H
#define FL_BASE_UTF8_KERNEL_H

#include "base/status.h"
#include "base/utf8.h"

typedef struct fl_utf8_kernels {
    /** Whether all of it is UTF-8. Reads no byte outside of the text. */
    bool (*is_valid)(const char *data, int64_t bytes);
} fl_utf8_kernels;

extern const fl_utf8_kernels fl_utf8_kernels_baseline, fl_utf8_kernels_avx2, fl_utf8_kernels_avx512;

#endif
