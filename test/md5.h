/* MD5 of a text, for sqllogictest files that give long results as a hash. Not for anything where safety counts. */
#ifndef FLETCH_TEST_MD5_H
#define FLETCH_TEST_MD5_H

#include <stddef.h>

/** Writes the 32 hexadecimal digits of the MD5 of `bytes` bytes at `data`, and a zero, to `ret_hex`. */
void md5_hex(const void *data, size_t bytes, char ret_hex[33]);

#endif
