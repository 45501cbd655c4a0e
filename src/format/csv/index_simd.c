/* The structural pass, once per instruction set: bit masks of 64 bytes, then positions. */
#include "format/csv/index.h"

#include "base/block_simd.h"

/* Bit i of the result: the exclusive or of bits 0 .. i. */
static inline uint64_t prefix_xor(uint64_t bits)
{
    for (int shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

/* Which bytes are inside of quotes; tests on the way that quotes open and close at the borders of fields. */
static inline uint64_t quoted(const fl_block *b, uint64_t quotes, uint64_t borders, uint64_t used, int last,
                              fl_csv_state *s)
{
    uint64_t inside = prefix_xor(quotes) ^ s->inside;
    uint64_t open = quotes & inside, close = quotes & ~inside;
    uint64_t ends = borders & ~inside;
    uint64_t may_open = (ends | close) << 1 | s->can_open;
    uint64_t behind_close = (close << 1 | s->was_close) & used;
    if ((open & ~may_open) != 0 || (behind_close & ~(ends | quotes | fl_block_equal(b, '\r'))) != 0)
        s->flags |= FL_CSV_FAULT_QUOTE;
    s->can_open = (ends | close) >> last & 1;
    s->was_close = close >> last & 1;
    s->inside = 0 - (inside >> last & 1);
    return inside;
}

static void index_bytes(const char *data, int64_t from, int64_t to, fl_csv_marks marks, fl_csv_state *s, uint32_t *at,
                        int64_t *count, uint32_t *ends, int64_t *lines)
{
    int64_t n = *count, line = *lines;
    uint64_t any_high = 0, any_nul = 0;
    for (; from < to; from += FL_BLOCK_BYTES) {
        int last = to - from >= FL_BLOCK_BYTES ? FL_BLOCK_BYTES - 1 : (int)(to - from) - 1;
        uint64_t used = ~0ull >> (FL_BLOCK_BYTES - 1 - last);
        fl_block b = fl_block_load(data + from);
        uint64_t newlines = fl_block_equal(&b, marks.newline) & used;
        uint64_t borders = (fl_block_equal(&b, marks.delim) & used) | newlines;
        uint64_t quotes = marks.quote == 0 ? 0 : fl_block_equal(&b, marks.quote) & used;
        any_high |= fl_block_high(&b) & used;
        any_nul |= fl_block_equal(&b, 0) & used;
        if ((quotes | s->inside | s->was_close) != 0) {
            uint64_t inside = quoted(&b, quotes, borders, used, last, s);
            borders &= ~inside;
            newlines &= ~inside;
        } else {
            s->can_open = borders >> last & 1;
        }
        for (uint64_t left = newlines; left != 0; left &= left - 1)
            ends[line++] = (uint32_t)(n + __builtin_popcountll(borders & ((left & -left) - 1)));
        for (uint64_t left = borders; left != 0; left &= left - 1)
            at[n++] = (uint32_t)from + (uint32_t)__builtin_ctzll(left);
    }
    *count = n;
    *lines = line;
    s->flags |= (any_high != 0 ? FL_CSV_HAS_HIGH : 0) | (any_nul != 0 ? FL_CSV_FAULT_NUL : 0);
}

static int64_t count_bytes(const char *data, int64_t bytes, char wanted)
{
    int64_t count = 0, at = 0;
    for (; at + FL_BLOCK_BYTES <= bytes; at += FL_BLOCK_BYTES) {
        fl_block b = fl_block_load(data + at);
        count += __builtin_popcountll(fl_block_equal(&b, wanted));
    }
    for (; at < bytes; at++)
        count += data[at] == wanted;
    return count;
}

#define JOIN(a, b) a##b
#define NAME(set) JOIN(fl_csv_kernels_, set)

const fl_csv_kernels NAME(FL_SIMD) = {index_bytes, count_bytes};
