/* Snappy's raw format: a varint with the size, then elements. The two low bits of an element's tag say what it is:
 * 0 = literal bytes, 1 to 3 = a copy from 1 to 3, 2 or 4 bytes of offset back. Elements have at most 64 bytes but for
 * long literals. */
#include "format/parquet/snappy.h"

#include <stdbool.h>
#include <string.h>

#define REGISTER 16
#define ELEMENT_MAX 64

static const char bad_data[] = "bad snappy data";

typedef uint8_t bytes16 __attribute__((vector_size(16)));

static inline bytes16 load_register(const uint8_t *from)
{
    bytes16 value;
    memcpy(&value, from, sizeof(value));
    return value;
}

static inline void store16(uint8_t *to, bytes16 value)
{
    memcpy(to, &value, sizeof(value));
}

static inline void copy16(uint8_t *to, const uint8_t *from)
{
    store16(to, load_register(from));
}

static inline uint32_t load16(const uint8_t *from)
{
    uint16_t value;
    memcpy(&value, from, 2);
    return value;
}

static inline uint32_t load32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, 4);
    return value;
}

/* A copy whose source and target overlap within a register: the bytes repeat with the offset as their period. From 8
 * bytes of offset on it goes in steps of 8; below that the period is spelt out for as long as 8 bytes first. */
static inline void copy_pattern(uint8_t *to, int64_t offset, int64_t len)
{
    const uint8_t *from = to - offset;
    uint8_t *end = to + len;
    if (offset >= 8) {
        for (; to < end; to += 8, from += 8)
            memcpy(to, from, 8);
        return;
    }
    uint8_t period[8];
    for (int i = 0; i < 8; i++)
        period[i] = from[i % offset];
    int64_t step = 8 - 8 % offset; /* as many whole periods as fit in 8 bytes */
    for (; to < end; to += step)
        memcpy(to, period, 8);
}

/* What a tag says: bytes of output (0: too rare for the usual way, ask the tag), bytes to the next tag, and the
 * offset's high bits. */
typedef struct tag_entry {
    uint8_t len;
    uint8_t step;
    uint16_t high;
} tag_entry;

#define LITERAL(t) {((t) >> 2) < 60 ? ((t) >> 2) + 1 : 0, ((t) >> 2) + 1, 0}
#define COPY_1(t) {4 + ((t) >> 2 & 7), 1, ((t) & 0xE0) << 3}
#define COPY_2(t) {((t) >> 2) + 1, 2, 0}
#define COPY_4(t) {0, 4, 0}
#define TAGS_4(t) LITERAL(t), COPY_1((t) + 1), COPY_2((t) + 2), COPY_4((t) + 3)
#define TAGS_16(t) TAGS_4(t), TAGS_4((t) + 4), TAGS_4((t) + 8), TAGS_4((t) + 12)
#define TAGS_64(t) TAGS_16(t), TAGS_16((t) + 16), TAGS_16((t) + 32), TAGS_16((t) + 48)

static const tag_entry tags[256] = {TAGS_64(0), TAGS_64(64), TAGS_64(128), TAGS_64(192)};
static const uint32_t offset_mask[4] = {0, 0xFF, 0xFFFF, 0xFFFFFFFF};

/* Any element, with all its checks: long literals, long copies, copies that overlap. Returns the output's new end, NULL
 * when the element is bad; *at is behind the tag, and then behind the element. */
static uint8_t *read_element(uint32_t tag, const uint8_t **at, const uint8_t *end, uint8_t *to, uint8_t *out,
                             uint8_t *out_end)
{
    const uint8_t *from = *at;
    tag_entry t = tags[tag];
    int64_t len = t.len;
    if ((tag & 3) == 0) {
        if (len == 0) {
            int64_t extra = t.step - 60;
            if (extra > end - from)
                return NULL;
            len = (int64_t)(load32(from) & (0xFFFFFFFFu >> (32 - 8 * extra))) + 1;
            from += extra;
        }
        if (len > end - from || len > out_end - out)
            return NULL;
        if (len <= ELEMENT_MAX)
            for (int i = 0; i < ELEMENT_MAX; i += REGISTER)
                copy16(out + i, from + i);
        else
            memcpy(out, from, (size_t)len);
        *at = from + len;
        return out + len;
    }
    if (len == 0)
        len = (tag >> 2) + 1;
    int64_t offset = (load32(from) & offset_mask[tag & 3]) | t.high;
    if (t.step > end - from || offset == 0 || offset > out - to || len > out_end - out)
        return NULL;
    if (offset >= REGISTER)
        for (int i = 0; i < ELEMENT_MAX; i += REGISTER)
            copy16(out + i, out + i - offset);
    else
        copy_pattern(out, offset, len);
    *at = from + t.step;
    return out + len;
}

const char *fl_pq_unsnappy(const uint8_t *from, int64_t from_bytes, uint8_t *to, int64_t to_bytes)
{
    const uint8_t *at = from, *end = from + from_bytes;
    uint8_t *out = to, *out_end = to + to_bytes;
    uint64_t size = 0;
    int shift = 0;
    do {
        if (at == end || shift > 28)
            return "bad snappy header";
        size |= (uint64_t)(*at & 0x7F) << shift;
        shift += 7;
    } while (*at++ >= 128);
    if ((int64_t)size != to_bytes)
        return "its size differs from the page header's";
    /* The usual step is a literal of up to 16 bytes, or none, and then a copy of up to 16 bytes that does not overlap
     * its source: a load and a store each. In numbers the literal is always there, in text seldom, so that the one
     * branch that depends on the data is foreseen well. */
    const uint8_t *fast_end = end - ELEMENT_MAX;
    uint8_t *fast_out_end = out_end - 2 * REGISTER;
    while (at < fast_end && out < fast_out_end) {
        size_t tag = *at++;
        while (at < fast_end && out < fast_out_end) {
            if ((tag & 3) == 0) {
                size_t len = (tag >> 2) + 1;
                if (__builtin_expect(len > REGISTER, 0))
                    break;
                size_t next = at[len];
                copy16(out, at);
                out += len;
                at += len + 1;
                tag = next;
                if (__builtin_expect((tag & 3) == 0, 0))
                    continue;
            }
            size_t kind = tag & 3, next = at[kind];
            size_t len = tags[tag].len;
            size_t offset = (load16(at) & offset_mask[kind]) | tags[tag].high;
            if (__builtin_expect((len - 1 >= REGISTER) | (offset < len) | (offset > (size_t)(out - to)), 0))
                break;
            copy16(out, out - offset);
            out += len;
            at += kind + 1;
            tag = next;
        }
        out = read_element((uint32_t)tag, &at, end, to, out, out_end);
        if (out == NULL)
            return bad_data;
    }
    while (at < end) {
        uint32_t tag = *at++;
        out = read_element(tag, &at, end, to, out, out_end);
        if (out == NULL)
            return bad_data;
    }
    return out == out_end ? NULL : bad_data;
}
