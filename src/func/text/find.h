/* Where a text lies in another: the first and the last byte are compared 64 places at a time, and what is between only
 * where both agree (Muła, SIMD-friendly algorithms for substring searching). Where they agree too often, libc's memmem, which is
 * linear, takes over. One build per instruction set. */
#ifndef FL_FUNC_TEXT_FIND_H
#define FL_FUNC_TEXT_FIND_H

#include <stdint.h>

typedef struct fl_find_kernels {
    /** The leftmost place of needle[0 .. n), n >= 1, in text[0 .. len); NULL: none. Nothing behind the text is read. */
    const char *(*find)(const char *text, int64_t len, const char *needle, int64_t n);
} fl_find_kernels;

extern const fl_find_kernels fl_find_kernels_baseline;
extern const fl_find_kernels fl_find_kernels_avx2;
extern const fl_find_kernels fl_find_kernels_avx512;

#endif
