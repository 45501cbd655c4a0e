/* The instruction set, found once. Two threads may find it at the same time: they find the same. */
#include "base/simd.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The best that the processor has. */
static fl_simd detect_best(void)
{
    fl_simd level = FL_SIMD_LEVEL_BASELINE;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
        level = FL_SIMD_LEVEL_AVX2;
    if (level == FL_SIMD_LEVEL_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2"))
        level = FL_SIMD_LEVEL_AVX512;
#endif
    return level;
}

static fl_simd detect(void)
{
    const char *wanted = getenv("FLETCH_SIMD");
    fl_simd level = detect_best();
    if (wanted != NULL && strcmp(wanted, "baseline") == 0)
        level = FL_SIMD_LEVEL_BASELINE;
    else if (wanted != NULL && strcmp(wanted, "avx2") == 0 && level > FL_SIMD_LEVEL_AVX2)
        level = FL_SIMD_LEVEL_AVX2;
    return level;
}

fl_simd fl_simd_level(void)
{
    static _Atomic int known; /* level + 1; 0 = not found yet */
    int level = atomic_load_explicit(&known, memory_order_relaxed);
    if (level == 0) {
        level = (int)detect() + 1;
        atomic_store_explicit(&known, level, memory_order_relaxed);
    }
    return (fl_simd)(level - 1);
}
