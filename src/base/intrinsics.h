/* Instructions by name, for *_simd.c files, where the processor that is built for has such; each use stands behind FL_SIMD_avx512,
 * FL_SIMD_avx2 or __SSE2__, and has plain C beside it. */
#ifndef FL_BASE_INTRINSICS_H
#define FL_BASE_INTRINSICS_H

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#endif
