/* MD5 (RFC 1321) in one pass over a text in memory. The sine table is computed: floor(2^32 * |sin(i)|). */
#include "md5.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint32_t rotate(uint32_t x, int bits)
{
    return x << bits | x >> (32 - bits);
}

static void add_block(uint32_t state[4], const uint8_t block[64])
{
    static const int shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t words[16];
    for (int i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] | (uint32_t)block[4 * i + 1] << 8 | (uint32_t)block[4 * i + 2] << 16 |
                   (uint32_t)block[4 * i + 3] << 24;

    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (int i = 0; i < 64; i++) {
        uint32_t mix;
        int word;
        switch (i / 16) {
        case 0:
            mix = (b & c) | (~b & d);
            word = i;
            break;
        case 1:
            mix = (d & b) | (~d & c);
            word = (5 * i + 1) % 16;
            break;
        case 2:
            mix = b ^ c ^ d;
            word = (3 * i + 5) % 16;
            break;
        default:
            mix = c ^ (b | ~d);
            word = 7 * i % 16;
        }
        uint32_t sine = (uint32_t)(4294967296.0 * fabs(sin(i + 1)));
        uint32_t next = b + rotate(a + mix + words[word] + sine, shifts[i / 16][i % 4]);
        a = d;
        d = c;
        c = b;
        b = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void md5_hex(const void *data, size_t bytes, char ret_hex[33])
{
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    const uint8_t *at = data;
    size_t left = bytes;
    for (; left >= 64; at += 64, left -= 64)
        add_block(state, at);

    /* the rest, a one bit, zeros, and the length in bits: one block or two */
    uint8_t tail[128] = {0};
    if (left > 0)
        memcpy(tail, at, left);
    tail[left] = 0x80;
    size_t tail_bytes = left < 56 ? 64 : 128;
    for (int i = 0; i < 8; i++)
        tail[tail_bytes - 8 + (size_t)i] = (uint8_t)((uint64_t)bytes * 8 >> (8 * i));
    for (size_t block = 0; block < tail_bytes; block += 64)
        add_block(state, tail + block);

    for (int i = 0; i < 16; i++)
        snprintf(ret_hex + (ptrdiff_t)2 * i, 3, "%02x", state[i / 4] >> (8 * (i % 4)) & 0xff);
}
