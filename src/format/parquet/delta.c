/* DELTA_BINARY_PACKED: a head (block size, miniblocks per block, count, first value), then blocks of a least delta, the
 * miniblocks' bit widths, and the deltas above the least, packed. Sums wrap around, as the format says. */
#include "format/parquet/delta.h"

#include <string.h>

#define BLOCK_VALUES_MAX (1 << 20)

typedef struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad;
} cursor;

typedef struct head {
    int64_t block;
    int64_t miniblocks;
    int64_t count;
    int64_t first;
} head;

static uint64_t read_varint(cursor *c)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 70 && c->at < c->end; shift += 7) {
        uint8_t byte = *c->at++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7F) << shift : 0;
        if (byte < 0x80)
            return value;
    }
    c->is_bad = true;
    return 0;
}

static int64_t read_zigzag(cursor *c)
{
    uint64_t raw = read_varint(c);
    return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

static bool read_head(cursor *c, head *ret)
{
    uint64_t block = read_varint(c), miniblocks = read_varint(c), count = read_varint(c);
    int64_t first = read_zigzag(c);
    if (c->is_bad || block == 0 || block > BLOCK_VALUES_MAX || miniblocks == 0 || miniblocks > block ||
        block % miniblocks != 0 || (block / miniblocks) % 8 != 0 || count > INT32_MAX)
        return false;
    *ret = (head){(int64_t)block, (int64_t)miniblocks, (int64_t)count, first};
    return true;
}

int64_t fl_pq_delta_count(const uint8_t *data, int64_t bytes)
{
    cursor c = {data, data + bytes, false};
    head h;
    return read_head(&c, &h) ? h.count : -1;
}

static inline uint64_t load_bits(const uint8_t *from, int64_t bit, int width)
{
    uint64_t low;
    memcpy(&low, from + (bit >> 3), 8);
    int shift = (int)(bit & 7);
    uint64_t value = low >> shift;
    if (shift > 0 && shift + width > 64)
        value |= (uint64_t)from[(bit >> 3) + 8] << (64 - shift);
    return width == 64 ? value : value & ((1ull << width) - 1);
}

/* One miniblock's sums; returns the last one. */
static uint64_t sum_miniblock(const uint8_t *from, int bits, int64_t n, uint64_t last, uint64_t least, int width,
                              void *to)
{
    int64_t bit = 0;
    if (width == 4) {
        uint32_t *out = to;
        for (int64_t i = 0; i < n; i++, bit += bits)
            out[i] = (uint32_t)(last += least + load_bits(from, bit, bits));
    } else {
        uint64_t *out = to;
        for (int64_t i = 0; i < n; i++, bit += bits)
            out[i] = last += least + load_bits(from, bit, bits);
    }
    return last;
}

int64_t fl_pq_delta_read(const uint8_t *data, int64_t bytes, int64_t n, int width, void *to)
{
    cursor c = {data, data + bytes, false};
    head h;
    if (!read_head(&c, &h))
        return -1;
    int64_t count = h.count < n ? h.count : n;
    uint64_t last = (uint64_t)h.first;
    if (count > 0) {
        uint32_t narrow = (uint32_t)last;
        memcpy(to, width == 4 ? (void *)&narrow : (void *)&last, (size_t)width);
    }
    int64_t per_miniblock = h.block / h.miniblocks;
    int64_t done = 1, all = 1; /* written, and passed in the stream */
    while (all < h.count) {
        uint64_t least = (uint64_t)read_zigzag(&c);
        const uint8_t *bits = c.at;
        if (c.is_bad || h.miniblocks > c.end - c.at)
            return -1;
        c.at += h.miniblocks;
        for (int64_t m = 0; m < h.miniblocks && all < h.count; m++) {
            int64_t packed = per_miniblock / 8 * bits[m];
            int64_t take = h.count - all < per_miniblock ? h.count - all : per_miniblock;
            if (bits[m] > 64)
                return -1;
            if (packed > c.end - c.at) { /* a last miniblock may come without its padding */
                if ((take * bits[m] + 7) / 8 > c.end - c.at)
                    return -1;
                packed = c.end - c.at;
            }
            int64_t wanted = count - done < take ? count - done : take;
            if (wanted > 0) {
                last = sum_miniblock(c.at, bits[m], wanted, last, least, width, (uint8_t *)to + done * width);
                done += wanted;
            }
            all += take;
            c.at += packed;
        }
    }
    return c.at - data;
}
