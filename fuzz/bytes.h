/* A fuzzer's input that is taken byte by byte: what a target builds from it, it decides by them. Behind the end all are 0. */
#ifndef FL_FUZZ_BYTES_H
#define FL_FUZZ_BYTES_H

#include <stddef.h>
#include <stdint.h>

typedef struct input {
    const uint8_t *at;
    const uint8_t *end;
} input;

static inline uint8_t take(input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

#endif
