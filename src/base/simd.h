/* Which instruction set the kernels use: the best that the processor has, or what FLETCH_SIMD says (baseline, avx2,
 * avx512; never more than the processor has). Read once per process. */
#ifndef FL_BASE_SIMD_H
#define FL_BASE_SIMD_H

typedef enum fl_simd { FL_SIMD_LEVEL_BASELINE, FL_SIMD_LEVEL_AVX2, FL_SIMD_LEVEL_AVX512 } fl_simd;

fl_simd fl_simd_level(void);

/** Chooses among the builds of a table: FL_SIMD_CHOOSE(fl_compare_kernels). Elsewhere than on x86-64 there is one. */
#if defined(__x86_64__)
#define FL_SIMD_CHOOSE(name)                                  \
    (fl_simd_level() == FL_SIMD_LEVEL_AVX512 ? &name##_avx512 \
     : fl_simd_level() == FL_SIMD_LEVEL_AVX2 ? &name##_avx2   \
                                             : &name##_baseline)
#define FL_SIMD_ALL(name) &name##_baseline, &name##_avx2, &name##_avx512 /* in the order of levels */
#else
#define FL_SIMD_CHOOSE(name) (&name##_baseline)
#define FL_SIMD_ALL(name) &name##_baseline
#endif

#endif
