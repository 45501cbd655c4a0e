/* UUIDs of RFC 9562 as one number, whose order is that of their bytes. */
#ifndef FL_BASE_UUID_H
#define FL_BASE_UUID_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define FL_UUID_BYTES 16
#define FL_UUID_TEXT 36

/** The number of 16 bytes: big-endian, with the first bit turned, so that it is compared as a signed one. */
static inline __int128 fl_uuid_of_bytes(const uint8_t bytes[16])
{
    unsigned __int128 number = 0;
    for (int i = 0; i < 16; i++)
        number = number << 8 | bytes[i];
    return (__int128)(number ^ (unsigned __int128)1 << 127);
}

/** The reverse. */
static inline void fl_uuid_to_bytes(__int128 uuid, uint8_t ret[16])
{
    unsigned __int128 number = (unsigned __int128)uuid ^ (unsigned __int128)1 << 127;
    for (int i = 15; i >= 0; i--, number >>= 8)
        ret[i] = (uint8_t)number;
}

/** Writes FL_UUID_TEXT characters, small letters with hyphens; no zero behind them. */
void fl_uuid_print(__int128 uuid, char *ret);

/** Reads what PostgreSQL reads: 32 digits of any case, a hyphen behind any four of them, in braces or not. */
bool fl_uuid_parse(fl_str text, __int128 *ret);

#endif
