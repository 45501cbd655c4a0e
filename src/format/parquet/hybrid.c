/* Walking runs. A header with zero values is passed over; it takes a byte, so that the walk ends. */
#include "format/parquet/hybrid.h"

#include "base/bitmap.h"

void fl_pq_hybrid_init(fl_pq_hybrid *h, const uint8_t *data, int64_t bytes, uint32_t width)
{
    *h = (fl_pq_hybrid){.at = data, .end = data + bytes, .width = width};
}

void fl_pq_hybrid_init_packed(fl_pq_hybrid *h, const uint8_t *data, int64_t values, uint32_t width)
{
    *h = (fl_pq_hybrid){.packed = data, .left = values, .width = width, .is_packed = true};
}

static bool next_run(fl_pq_hybrid *h)
{
    while (h->left == 0) {
        uint64_t head = 0;
        int shift = 0;
        uint8_t byte;
        do {
            if (h->at == h->end || shift > 35)
                return false;
            byte = *h->at++;
            head |= (uint64_t)(byte & 0x7F) << shift;
            shift += 7;
        } while (byte >= 0x80);
        int64_t bytes_left = h->end - h->at;
        h->is_packed = head & 1;
        if (h->is_packed) {
            int64_t groups = (int64_t)(head >> 1);
            if (h->width > 0 && groups > bytes_left / h->width) {
                /* some writers cut the last group's padding off */
                h->left = bytes_left * 8 / h->width;
                h->packed = h->at;
                h->packed_bit = 0;
                h->at = h->end;
                if (h->left == 0)
                    return false;
                return true;
            }
            h->packed = h->at;
            h->packed_bit = 0;
            h->left = groups * 8;
            h->at += groups * h->width;
        } else {
            uint32_t bytes = (h->width + 7) / 8;
            if (bytes > bytes_left)
                return false;
            h->value = 0;
            for (uint32_t b = 0; b < bytes; b++)
                h->value |= (uint32_t)h->at[b] << (8 * b);
            if (h->width < 32 && h->value >> h->width != 0)
                return false;
            h->at += bytes;
            h->left = (int64_t)(head >> 1);
        }
    }
    return true;
}

static inline void pass(fl_pq_hybrid *h, int64_t n)
{
    h->packed_bit += n * h->width;
    h->left -= n;
}

bool fl_pq_hybrid_read(fl_pq_hybrid *h, const fl_pq_kernels *kernels, int64_t n, uint32_t *to)
{
    while (n > 0) {
        if (h->left == 0 && !next_run(h))
            return false;
        int64_t take = n < h->left ? n : h->left;
        if (h->is_packed) {
            kernels->unpack(h->packed, h->packed_bit, (int)h->width, take, to);
        } else {
            uint32_t value = h->value;
            for (int64_t i = 0; i < take; i++)
                to[i] = value;
        }
        pass(h, take);
        to += take;
        n -= take;
    }
    return true;
}

bool fl_pq_hybrid_skip(fl_pq_hybrid *h, int64_t n)
{
    while (n > 0) {
        if (h->left == 0 && !next_run(h))
            return false;
        int64_t take = n < h->left ? n : h->left;
        pass(h, take);
        n -= take;
    }
    return true;
}

/* Ors n bits of `from`, from bit `bit` on, into the map at bit `at`. */
static int64_t or_bits(const uint8_t *from, int64_t bit, int64_t n, uint64_t *map, int64_t at)
{
    int64_t ones = 0;
    while (n > 0) {
        int64_t take = 64 - (at & 63);
        if (take > n)
            take = n;
        uint64_t word;
        memcpy(&word, from + (bit >> 3), 8);
        word >>= bit & 7;
        if ((bit & 7) != 0 && take > 64 - (bit & 7))
            word |= (uint64_t)from[(bit >> 3) + 8] << (64 - (bit & 7));
        if (take < 64)
            word &= (1ull << take) - 1;
        map[at >> 6] |= word << (at & 63);
        ones += __builtin_popcountll(word);
        bit += take;
        at += take;
        n -= take;
    }
    return ones;
}

static void set_bits(uint64_t *map, int64_t at, int64_t n)
{
    while (n > 0) {
        int64_t take = 64 - (at & 63);
        if (take > n)
            take = n;
        map[at >> 6] |= (take < 64 ? (1ull << take) - 1 : ~0ull) << (at & 63);
        at += take;
        n -= take;
    }
}

bool fl_pq_hybrid_read_bits(fl_pq_hybrid *h, int64_t n, uint64_t *map, int64_t at, int64_t *ret_ones)
{
    int64_t ones = 0;
    while (n > 0) {
        if (h->left == 0 && !next_run(h))
            return false;
        int64_t take = n < h->left ? n : h->left;
        if (h->is_packed) {
            ones += or_bits(h->packed, h->packed_bit, take, map, at);
        } else if (h->value != 0) {
            set_bits(map, at, take);
            ones += take;
        }
        pass(h, take);
        at += take;
        n -= take;
    }
    *ret_ones = ones;
    return true;
}
