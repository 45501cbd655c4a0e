/* Validating UTF-8 by vectors. This file is compiled once per instruction set; FL_SIMD is the set's name.
 *
 * Keiser and Lemire's lookup algorithm (Validating UTF-8 In Less Than One Instruction Per Byte, 2021, section 6): three
 * tables of 16 entries, by the high and low nibble of the byte before and the high nibble of the byte itself, each give the
 * faults that are still possible; what all three agree on is wrong. Third and fourth bytes of a character are told by what
 * stands two and three bytes before. Here the bytes before come from loads at shifted addresses, so that a block may begin
 * anywhere behind the third byte, and the last one just overlaps the one before. */
#include "base/utf8_kernel.h"

#include "base/block_simd.h"

#include <string.h>

#if defined(__SSSE3__)

#if defined(__AVX2__)
#define LANES 32
typedef __m256i lanes;
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(p))
#define ALL(c) _mm256_set1_epi8((char)(c))
#define AND _mm256_and_si256
#define OR _mm256_or_si256
#define XOR _mm256_xor_si256
#define LOOK_UP _mm256_shuffle_epi8
#define LESS_TO_ZERO _mm256_subs_epu8
#define SHIFT_RIGHT_4(v) _mm256_srli_epi16(v, 4)
#define TABLE(t) _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(t)))
#define IS_ZERO(v) _mm256_testz_si256(v, v)
#define HIGH_BITS _mm256_movemask_epi8
#define BEHIND_ZEROS(v, n) _mm256_alignr_epi8(v, _mm256_permute2x128_si256(v, v, 0x08), 16 - (n))
#else
#define LANES 16
typedef __m128i lanes;
#define LOAD(p) _mm_loadu_si128((const __m128i *)(p))
#define ALL(c) _mm_set1_epi8((char)(c))
#define AND _mm_and_si128
#define OR _mm_or_si128
#define XOR _mm_xor_si128
#define LOOK_UP _mm_shuffle_epi8
#define LESS_TO_ZERO _mm_subs_epu8
#define SHIFT_RIGHT_4(v) _mm_srli_epi16(v, 4)
#define TABLE(t) _mm_load_si128((const __m128i *)(t))
#define IS_ZERO(v) (_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) == 0xFFFF)
#define HIGH_BITS _mm_movemask_epi8
#define BEHIND_ZEROS(v, n) _mm_slli_si128(v, n)
#endif

/* Faults of a byte and the one before it. */
enum {
    TOO_SHORT = 1,           /* a lead byte, and no continuation behind it */
    TOO_LONG = 2,            /* ASCII, and a continuation behind it */
    OVERLONG_3 = 4,          /* E0 80..9F */
    TOO_LARGE = 8,           /* F4 90.. and F5..FF 80.. */
    SURROGATE = 16,          /* ED A0..BF */
    OVERLONG_2 = 32,         /* C0, C1 */
    OVERLONG_4 = 64,         /* F0 80..8F; also F5..FF with 80..8F, which TOO_LARGE leaves out */
    TWO_CONTINUATIONS = 128, /* no fault by itself: allowed for third and fourth bytes */
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS
};

static const uint8_t before_high[16] __attribute__((aligned(16))) = {TOO_LONG,
                                                                     TOO_LONG,
                                                                     TOO_LONG,
                                                                     TOO_LONG,
                                                                     TOO_LONG,
                                                                     TOO_LONG,
                                                                     TOO_LONG,
                                                                     TOO_LONG,
                                                                     TWO_CONTINUATIONS,
                                                                     TWO_CONTINUATIONS,
                                                                     TWO_CONTINUATIONS,
                                                                     TWO_CONTINUATIONS,
                                                                     TOO_SHORT | OVERLONG_2,
                                                                     TOO_SHORT,
                                                                     TOO_SHORT | OVERLONG_3 | SURROGATE,
                                                                     TOO_SHORT | TOO_LARGE | OVERLONG_4};
static const uint8_t before_low[16] __attribute__((aligned(16))) = {CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4,
                                                                    CARRY | OVERLONG_2,
                                                                    CARRY,
                                                                    CARRY,
                                                                    CARRY | TOO_LARGE,
                                                                    CARRY | TOO_LARGE | OVERLONG_4,
                                                                    CARRY | TOO_LARGE | OVERLONG_4,
                                                                    CARRY | TOO_LARGE | OVERLONG_4,
                                                                    CARRY | TOO_LARGE | OVERLONG_4,
                                                                    CARRY | TOO_LARGE | OVERLONG_4,
                                                                    CARRY | TOO_LARGE | OVERLONG_4,
                                                                    CARRY | TOO_LARGE | OVERLONG_4,
                                                                    CARRY | TOO_LARGE | OVERLONG_4,
                                                                    CARRY | TOO_LARGE | OVERLONG_4 | SURROGATE,
                                                                    CARRY | TOO_LARGE | OVERLONG_4,
                                                                    CARRY | TOO_LARGE | OVERLONG_4};
static const uint8_t own_high[16]
    __attribute__((aligned(16))) = {TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | OVERLONG_4,
                                    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
                                    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
                                    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT,
                                    TOO_SHORT};

/* Faults of bytes, told by themselves and the bytes one, two and three places before them. */
static inline lanes faults_of(lanes own, lanes before, lanes before_2, lanes before_3)
{
    const lanes nibble = ALL(0x0F);
    lanes pairs = AND(AND(LOOK_UP(TABLE(before_high), AND(SHIFT_RIGHT_4(before), nibble)),
                          LOOK_UP(TABLE(before_low), AND(before, nibble))),
                      LOOK_UP(TABLE(own_high), AND(SHIFT_RIGHT_4(own), nibble)));
    lanes is_third = LESS_TO_ZERO(before_2, ALL(0xE0 - 0x80)), is_fourth = LESS_TO_ZERO(before_3, ALL(0xF0 - 0x80));
    return XOR(AND(OR(is_third, is_fourth), ALL(0x80)), pairs); /* two continuations, if and only if they must be */
}

/* Of the LANES bytes at p, in front of which three more can be read. */
static inline lanes faults_at(const uint8_t *p)
{
    return faults_of(LOAD(p), LOAD(p - 1), LOAD(p - 2), LOAD(p - 3));
}

/* Of the first bytes of a text. */
static inline lanes faults_at_start(lanes own)
{
    return faults_of(own, BEHIND_ZEROS(own, 1), BEHIND_ZEROS(own, 2), BEHIND_ZEROS(own, 3));
}

/* Whether the last six bytes of a text, whose first three are known to be right so far, end in order. */
static bool is_end_valid(const uint8_t *tail)
{
    uint8_t padded[LANES + 3] = {0};
    memcpy(padded, tail, 6);
    return IS_ZERO(faults_at(padded + 3));
}

/* Up to 16 bytes with zeros behind them: by two loads that overlap. */
static inline __m128i load_up_to_16(const uint8_t *text, int64_t bytes)
{
    uint64_t low = 0, high = 0;
    if (bytes >= 8) {
        int unused = (int)(16 - bytes) * 4; /* bits, twice: a shift by 64 is none */
        memcpy(&low, text, 8);
        memcpy(&high, text + bytes - 8, 8);
        high = high >> unused >> unused;
    } else if (bytes >= 4) {
        uint32_t first, last;
        memcpy(&first, text, 4);
        memcpy(&last, text + bytes - 4, 4);
        low = first | (uint64_t)last << ((bytes - 4) * 8);
    } else if (bytes > 0) {
        low = text[0] | (uint64_t)text[bytes / 2] << (bytes / 2 * 8) | (uint64_t)text[bytes - 1] << ((bytes - 1) * 8);
    }
    return _mm_set_epi64x((int64_t)high, (int64_t)low);
}

/* Fewer than LANES bytes with zeros behind them. */
static inline lanes load_part(const uint8_t *text, int64_t bytes)
{
#if defined(__AVX2__)
    static const uint8_t places[32] = {0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,
                                       11,   12,   13,   14,   15,   0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                       0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
    if (bytes < 16)
        return _mm256_zextsi128_si256(load_up_to_16(text, bytes));
    __m128i low = _mm_loadu_si128((const __m128i *)text);
    __m128i high = _mm_loadu_si128((const __m128i *)(text + bytes - 16));
    __m128i unused = _mm_loadu_si128((const __m128i *)(places + 32 - bytes));
    return _mm256_set_m128i(_mm_shuffle_epi8(high, unused), low);
#else
    return load_up_to_16(text, bytes);
#endif
}

static bool is_valid(const char *data, int64_t bytes)
{
    const uint8_t *text = (const uint8_t *)data, *end = text + bytes, *at = text + LANES;
    FL_ASSERT(bytes >= 0);
    if (bytes < LANES) { /* a character that is cut off shows at the zero behind it */
        lanes own = load_part(text, bytes);
        return HIGH_BITS(own) == 0 || IS_ZERO(faults_at_start(own));
    }
    lanes own = LOAD(text), faults = faults_at_start(own);
    if (bytes < LANES + 3) /* too short for a block with three bytes in front of it that is the last one */
        return IS_ZERO(faults) && is_end_valid(end - 6);
    bool is_ascii = false; /* so far, and so nothing is unfinished */
    for (; end - at >= FL_BLOCK_BYTES; at += FL_BLOCK_BYTES) {
        fl_block block = fl_block_load((const char *)at);
        if (fl_block_high(&block) == 0) {
            if (!is_ascii && fl_utf8_is_cut_at((const char *)at))
                return false;
            is_ascii = true;
            continue;
        }
        is_ascii = false;
        for (int i = 0; i < FL_BLOCK_BYTES; i += LANES)
            faults = OR(faults, faults_at(at + i));
    }
    for (; end - at >= LANES; at += LANES)
        faults = OR(faults, faults_at(at));
    faults = OR(faults, faults_at(end - LANES)); /* what is left, and some bytes before it once more */
    return IS_ZERO(faults) && !fl_utf8_is_cut_at(data + bytes);
}

#else

static bool is_valid(const char *data, int64_t bytes)
{
    for (int64_t i = 0; i < bytes;) {
        int width = fl_utf8_width(data + i, bytes - i);
        if (width == 0)
            return false;
        i += width;
    }
    return true;
}

#endif

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

const fl_utf8_kernels PASTE(fl_utf8_kernels_, FL_SIMD) = {.is_valid = is_valid};
