/* The hot loops of decoding, compiled once per instruction set (kernel_simd.c) and chosen at run time.
 *
 * Inputs may be read up to 64 bytes past their end, outputs written up to 64 bytes past theirs: both lie in padded
 * buffers. */
#ifndef FL_FORMAT_PARQUET_KERNEL_H
#define FL_FORMAT_PARQUET_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fl_pq_kernels {
    const char *name;
    /** Unpacks n values of `width` (0 to 32) bits, least significant first, from bit `bit` of `from` on. */
    void (*unpack)(const uint8_t *from, int64_t bit, int width, int64_t n, uint32_t *to);
    /** The largest of n codes; 0 when there are none. */
    uint32_t (*max_u32)(const uint32_t *codes, int64_t n);
    /** Whether low <= values[i] <= high for all n. */
    bool (*is_within_8)(const int64_t *values, int64_t n, int64_t low, int64_t high);
    /** Codes below 256 as bytes. */
    void (*narrow)(const uint32_t *codes, int64_t n, uint8_t *to);
    /** How many of n bytes are `value`. */
    int64_t (*count_equal)(const uint8_t *data, int64_t n, uint8_t value);
    /** How many of n pairs have rep[i] <= rep_max and def[i] >= def_min. */
    int64_t (*count_slots)(const uint8_t *rep, const uint8_t *def, int64_t n, uint8_t rep_max, uint8_t def_min);
    /** to[i] = values[codes[i]]. */
    void (*gather_4)(const uint32_t *values, const uint32_t *codes, int64_t n, uint32_t *to);
    void (*gather_8)(const uint64_t *values, const uint32_t *codes, int64_t n, uint64_t *to);
    /** Puts dense values where bits [bit, bit + n) of `valid` are set, as to[0 .. n). Other slots get a value that may
     *  be read: zero, or the one that comes next (`dense` has one more than there are bits set, zero). */
    void (*spread_4)(const uint32_t *dense, const uint64_t *valid, int64_t bit, int64_t n, uint32_t *to);
    void (*spread_8)(const uint64_t *dense, const uint64_t *valid, int64_t bit, int64_t n, uint64_t *to);
    /** Whether all bytes are below 128. */
    bool (*is_ascii)(const uint8_t *data, int64_t bytes);
    /** to[i] = from's i-th value, whose byte b lies at from[b * n + i]. width: 2, 4, 8, or any. */
    void (*unsplit)(const uint8_t *from, int64_t n, int64_t width, uint8_t *to);
} fl_pq_kernels;

/** The best set that this processor has, or the one that FLETCH_SIMD names (baseline, avx2, avx512) if it has that. */
const fl_pq_kernels *fl_pq_kernels_choose(void);

#endif
