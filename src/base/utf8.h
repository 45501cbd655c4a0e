/* UTF-8: validating, stepping, counting. */
#ifndef FL_BASE_UTF8_H
#define FL_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes of the well-formed character at p (1 to 4), or 0 when the bytes are no UTF-8 (overlong, surrogate, cut off). */
int fl_utf8_width(const char *p, int64_t left);

/** Offset of the first byte that breaks UTF-8, or -1 when all is well-formed. */
int64_t fl_utf8_check(const char *data, int64_t bytes);

/** Whether all is well-formed: fl_utf8_check without the place, about an instruction a byte. */
bool fl_utf8_is_valid(const char *data, int64_t bytes);

/** Whether a byte is the second, third or fourth of a character. */
static inline bool fl_utf8_is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/** Whether well-formed text would end within a character if it ended at `end`. The three bytes before it are read. */
static inline bool fl_utf8_is_cut_at(const char *end)
{
    return (unsigned char)end[-1] >= 0xC0 || (unsigned char)end[-2] >= 0xE0 || (unsigned char)end[-3] >= 0xF0;
}

/** Characters in well-formed text. */
int64_t fl_utf8_count(const char *data, int64_t bytes);

/** Byte offset of character `n` (from 0) in well-formed text; `bytes` when there are fewer. */
int64_t fl_utf8_offset(const char *data, int64_t bytes, int64_t n);

/** The code point of the character at p, of which `left` ≥ 1 bytes may be read; *ret_width is its bytes. Text is checked where
 *  it comes in, so what is no UTF-8 is a mistake of ours: it is U+FFFD, a byte at a time, and nothing behind it is read. */
uint32_t fl_utf8_decode(const char *p, int64_t left, int *ret_width);

/** Writes a code point (≤ 0x10FFFF, no surrogate) as 1 to 4 bytes; returns how many. */
int fl_utf8_encode(uint32_t code, char *ret);

#endif
