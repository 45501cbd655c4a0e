/* Hashing. Two kinds, for two purposes:
 * - identity (`fl_hash_bytes`): XXH3 with a fixed seed, stable across processes: plan hashes, dictionaries' fingerprints;
 * - tables (`fl_hash_u64`, `fl_hash_str`): a multiply-mix seeded per query (Lemire & Kaser's folded multiply, as wyhash
 *   uses it), so that hostile keys cannot be prepared. High bits choose the partition, low bits the slot. */
#ifndef FL_BASE_HASH_H
#define FL_BASE_HASH_H

#include "base/str.h"

/** XXH3-64 of bytes with the project's fixed seed. */
uint64_t fl_hash_bytes(const void *data, int64_t bytes);

static inline uint64_t fl_hash_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/** Mixes b into a: order matters. Stable, not seeded. */
static inline uint64_t fl_hash_combine(uint64_t a, uint64_t b)
{
    return fl_hash_fold(a ^ 0x9E3779B97F4A7C15ull, b ^ 0xD6E8FEB86659FD93ull);
}

static inline uint64_t fl_hash_u64(uint64_t value, uint64_t seed)
{
    return fl_hash_fold(value ^ seed, 0x9E3779B97F4A7C15ull ^ (seed << 1 | 1));
}

static inline uint64_t fl_hash_load(const char *p, int64_t len) /* up to 8 bytes */
{
    uint64_t word = 0;
    if (len >= 8) {
        memcpy(&word, p, 8);
    } else if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + len - 4, 4);
        word = low | (uint64_t)high << 32;
    } else if (len > 0) {
        word = (uint64_t)(uint8_t)p[0] | (uint64_t)(uint8_t)p[len >> 1] << 8 | (uint64_t)(uint8_t)p[len - 1] << 16;
    }
    return word;
}

static inline uint64_t fl_hash_str(const char *data, int64_t len, uint64_t seed)
{
    uint64_t h = seed ^ (uint64_t)len * 0xA0761D6478BD642Full;
    const char *p = data;
    int64_t left = len;
    while (left > 16) {
        uint64_t a, b;
        memcpy(&a, p, 8);
        memcpy(&b, p + 8, 8);
        h = fl_hash_fold(a ^ h, b ^ 0xE7037ED1A0B428DBull);
        p += 16;
        left -= 16;
    }
    uint64_t a = left > 8 ? fl_hash_load(p, 8) : fl_hash_load(p, left);
    uint64_t b = left > 8 ? fl_hash_load(p + 8, left - 8) : 0;
    return fl_hash_fold(a ^ h ^ 0x8EBC6AF09C88C6E3ull, b ^ h ^ 0x589965CC75374CC3ull);
}

#endif
