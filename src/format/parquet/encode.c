/* Hybrid runs, bit packing, deltas. */
#include "format/parquet/encode.h"

#define GROUP 8
#define RUN_MIN 8             /* equal values that are worth a run */
#define PACKED_GROUPS_MAX 512 /* of a packed run: its head stays small */
#define DELTA_BLOCK 128
#define DELTA_MINI 32 /* values of a miniblock: a block has four */
#define DELTA_MINIS (DELTA_BLOCK / DELTA_MINI)
#define VARINT_BYTES 10

int32_t fl_pq_bits_of(uint64_t max)
{
    return max == 0 ? 0 : 64 - __builtin_clzll(max);
}

static int64_t put_varint(char *to, uint64_t value)
{
    int64_t n = 0;
    for (; value >= 0x80; value >>= 7)
        to[n++] = (char)(value | 0x80);
    to[n++] = (char)value;
    return n;
}

static void add_varint(fl_text *to, uint64_t value)
{
    char *room = fl_text_room(to, VARINT_BYTES);
    if (room != NULL)
        to->len += put_varint(room, value);
}

/* ---- packing ------------------------------------------------------------------------------------------------------- */

/* Puts values of up to 32 bits side by side, 64 bits of them at a time. Room for 8 bytes more is needed. */
static int64_t pack_into(char *to, const uint32_t *values, int64_t n, int32_t width)
{
    uint64_t word = 0;
    int32_t filled = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        word |= (uint64_t)values[i] << filled;
        filled += width;
        if (filled >= 32) {
            uint32_t low = (uint32_t)word;
            memcpy(to + at, &low, 4);
            at += 4;
            word >>= 32;
            filled -= 32;
        }
    }
    memcpy(to + at, &word, 8);
    return at + (filled + 7) / 8;
}

void fl_pq_pack(fl_text *to, const uint32_t *values, int64_t n, int32_t width)
{
    int64_t groups = (n + GROUP - 1) / GROUP, bytes = groups * width;
    char *room = fl_text_room(to, bytes + 16);
    if (room == NULL || width == 0)
        return;
    int64_t done = pack_into(room, values, n, width);
    if (done < bytes)
        memset(room + done, 0, (size_t)(bytes - done));
    to->len += bytes;
}

/* ---- hybrid -------------------------------------------------------------------------------------------------------- */

void fl_pq_hybrid_write_run(fl_text *to, uint32_t value, int64_t n, int32_t width)
{
    if (n == 0)
        return;
    add_varint(to, (uint64_t)n << 1);
    char *room = fl_text_room(to, 8);
    if (room == NULL)
        return;
    memcpy(room, &value, 4);
    to->len += (width + 7) / 8;
}

static void write_packed(fl_text *to, const uint32_t *values, int64_t n, int32_t width)
{
    while (n > 0) {
        int64_t groups = (n + GROUP - 1) / GROUP;
        groups = groups < PACKED_GROUPS_MAX ? groups : PACKED_GROUPS_MAX;
        int64_t part = groups * GROUP < n ? groups * GROUP : n;
        add_varint(to, (uint64_t)groups << 1 | 1);
        fl_pq_pack(to, values, part, width);
        values += part;
        n -= part;
    }
}

/* A packed run ends at a whole group, so that only the last one of all is filled up. */
void fl_pq_hybrid_write(fl_text *to, const uint32_t *values, int64_t n, int32_t width)
{
    int64_t packed = 0, at = 0; /* values [packed, at) are still to be packed */
    if (width == 0) {
        fl_pq_hybrid_write_run(to, 0, n, 0);
        return;
    }
    while (at < n) {
        int64_t end = at + 1;
        while (end < n && values[end] == values[at])
            end++;
        int64_t missing = (GROUP - (at - packed) % GROUP) % GROUP; /* that the open group still takes */
        if (end - at - missing < RUN_MIN) {
            at = end;
            continue;
        }
        write_packed(to, values + packed, at + missing - packed, width);
        fl_pq_hybrid_write_run(to, values[at], end - at - missing, width);
        packed = at = end;
    }
    write_packed(to, values + packed, n - packed, width);
}

/* ---- deltas -------------------------------------------------------------------------------------------------------- */

static uint64_t load(const void *values, int64_t i, int32_t width)
{
    return width == 4 ? (uint64_t)(int64_t)((const int32_t *)values)[i] : ((const uint64_t *)values)[i];
}

/* The block's deltas, of which there are up to DELTA_BLOCK, less the least of them; *ret_n_minis: miniblocks with values. Deltas wrap
 * around, of 32 bits as readers of those compute them. */
typedef struct delta_block {
    uint64_t deltas[DELTA_BLOCK];
    int64_t least;
    int32_t bits[DELTA_MINIS];
    int32_t n;
} delta_block;

static void make_block(delta_block *b, const void *values, int64_t from, int64_t n, int32_t width)
{
    b->n = (int32_t)(n < DELTA_BLOCK ? n : DELTA_BLOCK);
    b->least = INT64_MAX;
    for (int32_t i = 0; i < b->n; i++) {
        uint64_t delta = load(values, from + i, width) - load(values, from + i - 1, width);
        if (width == 4)
            delta = (uint64_t)(int64_t)(int32_t)(uint32_t)delta;
        b->deltas[i] = delta;
        b->least = (int64_t)delta < b->least ? (int64_t)delta : b->least;
    }
    for (int32_t m = 0; m < DELTA_MINIS; m++) {
        uint64_t all = 0;
        for (int32_t i = m * DELTA_MINI; i < (m + 1) * DELTA_MINI && i < b->n; i++) {
            b->deltas[i] -= (uint64_t)b->least;
            if (width == 4)
                b->deltas[i] = (uint32_t)b->deltas[i];
            all |= b->deltas[i];
        }
        b->bits[m] = fl_pq_bits_of(all);
    }
}

static int64_t pack_deltas(char *to, const uint64_t *deltas, int32_t n, int32_t bits)
{
    int64_t bytes = (int64_t)bits * DELTA_MINI / 8;
    if (bits <= 32) {
        uint32_t narrow[DELTA_MINI] = {0};
        for (int32_t i = 0; i < n; i++)
            narrow[i] = (uint32_t)deltas[i];
        (void)pack_into(to, narrow, DELTA_MINI, bits);
        return bytes;
    }
    unsigned __int128 word = 0;
    int32_t filled = 0;
    int64_t at = 0;
    memset(to, 0, (size_t)bytes);
    for (int32_t i = 0; i < n; i++) {
        word |= (unsigned __int128)deltas[i] << filled;
        filled += bits;
        while (filled >= 8 && at < bytes) {
            int32_t whole = filled >= 64 ? 8 : filled / 8;
            uint64_t low = (uint64_t)word;
            memcpy(to + at, &low, (size_t)whole);
            at += whole;
            word >>= whole * 8;
            filled -= whole * 8;
        }
    }
    if (filled > 0 && at < bytes)
        to[at] = (char)word;
    return bytes;
}

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

void fl_pq_delta_write(fl_text *to, const void *values, int64_t n, int32_t width)
{
    add_varint(to, DELTA_BLOCK);
    add_varint(to, DELTA_MINIS);
    add_varint(to, (uint64_t)n);
    add_varint(to, zigzag(n > 0 ? (int64_t)load(values, 0, width) : 0));
    for (int64_t at = 1; at < n; at += DELTA_BLOCK) {
        delta_block b;
        make_block(&b, values, at, n - at, width);
        char *room = fl_text_room(to, VARINT_BYTES + DELTA_MINIS + DELTA_BLOCK * 8 + 16);
        if (room == NULL)
            return;
        int64_t len = put_varint(room, zigzag(b.least));
        for (int32_t m = 0; m < DELTA_MINIS; m++)
            room[len++] = (char)b.bits[m];
        for (int32_t m = 0; m < DELTA_MINIS && m * DELTA_MINI < b.n; m++) {
            int32_t left = b.n - m * DELTA_MINI;
            len += pack_deltas(room + len, b.deltas + m * DELTA_MINI, left < DELTA_MINI ? left : DELTA_MINI, b.bits[m]);
        }
        to->len += len;
    }
}

int64_t fl_pq_delta_bytes(const void *values, int64_t n, int32_t width)
{
    int64_t bytes = 0;
    for (int64_t at = 1; at < n; at += DELTA_BLOCK) {
        delta_block b;
        make_block(&b, values, at, n - at, width);
        bytes += 4 + DELTA_MINIS;
        for (int32_t m = 0; m < DELTA_MINIS; m++)
            bytes += b.bits[m] * DELTA_MINI / 8;
    }
    return bytes;
}
