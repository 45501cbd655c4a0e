/* Chooses the instruction set for decoding. */
#include "format/parquet/kernel.h"

#include "base/simd.h"

extern const fl_pq_kernels fl_pq_kernels_baseline;
extern const fl_pq_kernels fl_pq_kernels_avx2;
extern const fl_pq_kernels fl_pq_kernels_avx512;

const fl_pq_kernels *fl_pq_kernels_choose(void)
{
    return FL_SIMD_CHOOSE(fl_pq_kernels);
}
