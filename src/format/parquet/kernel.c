/* Chooses the instruction set for decoding. */
#include "format/parquet/kernel.h"

#include <stdlib.h>
#include <string.h>

extern const fl_pq_kernels fl_pq_kernels_baseline;
extern const fl_pq_kernels fl_pq_kernels_avx2;
extern const fl_pq_kernels fl_pq_kernels_avx512;

const fl_pq_kernels *fl_pq_kernels_choose(void)
{
#if defined(__x86_64__)
    const char *wanted = getenv("FLETCH_SIMD");
    bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
    bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
                      __builtin_cpu_supports("avx512vbmi2");
    if (has_avx512 && (wanted == NULL || strcmp(wanted, "avx512") == 0))
        return &fl_pq_kernels_avx512;
    if (has_avx2 && (wanted == NULL || strcmp(wanted, "baseline") != 0))
        return &fl_pq_kernels_avx2;
#endif
    return &fl_pq_kernels_baseline;
}
