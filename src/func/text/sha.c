/* sha1 and sha256 (FIPS 180-4), and the halves of an MD5. The digests of texts are hexadecimal digits, as in DuckDB; sha256 of a bytea is
 * one, as in PostgreSQL. */
#include "func/text/text.h"

static uint32_t rotate(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static uint32_t load(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void sha1_block(uint32_t *state, const uint8_t *block)
{
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 16; i++)
        w[i] = load(block + 4 * i);
    for (int i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 31);
    int i = 0;
#define STEPS(mix, constant)                                          \
    for (int end = i + 20; i < end; i++) {                            \
        uint32_t sum = rotate(a, 27) + (mix) + e + (constant) + w[i]; \
        e = d;                                                        \
        d = c;                                                        \
        c = rotate(b, 2);                                             \
        b = a;                                                        \
        a = sum;                                                      \
    }
    STEPS((b & c) | (~b & d), 0x5a827999)
    STEPS(b ^ c ^ d, 0x6ed9eba1)
    STEPS((b & c) | (b & d) | (c & d), 0x8f1bbcdc)
    STEPS(b ^ c ^ d, 0xca62c1d6)
#undef STEPS
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

static void sha256_block(uint32_t *state, const uint8_t *block)
{
    static const uint32_t constants[64] = {
        /* the fractions of the cube roots of the first 64 primes */
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
    uint32_t w[64], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6],
                    h = state[7];
    for (int i = 0; i < 16; i++)
        w[i] = load(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t low = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t high = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + low + w[i - 7] + high;
    }
    for (int i = 0; i < 64; i++) {
        uint32_t high = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t low = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t first = h + high + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        uint32_t second = low + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + second;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

/* Both digest blocks of 64 bytes, behind which the length in bits stands; they differ in the block and in the words of the state. */
typedef struct method {
    void (*block)(uint32_t *state, const uint8_t *block);
    int words;
    uint32_t initial[8];
} method;

static const method sha1_method = {sha1_block, 5, {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
static const method sha256_method = {
    sha256_block, 8, {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};

static fl_status digest(fl_call *call, const method *how, fl_str x, uint8_t ret[32], fl_err *err)
{
    uint32_t state[8];
    uint8_t tail[128] = {0};
    int64_t whole = x.len & ~(int64_t)63, rest = x.len - whole, padded = rest < 56 ? 64 : 128;
    memcpy(state, how->initial, sizeof(state));
    for (int64_t i = 0; i < whole; i += 64) {
        how->block(state, (const uint8_t *)x.data + i);
        fl_status st = fl_call_work(call, 256, err);
        if (st != FL_OK)
            return st;
    }
    if (rest > 0)
        memcpy(tail, x.data + whole, (size_t)rest);
    tail[rest] = 0x80;
    uint64_t bits = (uint64_t)x.len * 8;
    for (int i = 0; i < 8; i++)
        tail[padded - 1 - i] = (uint8_t)(bits >> (8 * i));
    for (int64_t i = 0; i < padded; i += 64)
        how->block(state, tail + i);
    for (int i = 0; i < 4 * how->words; i++)
        ret[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
    return FL_OK;
}

static fl_status run(fl_call *call, const method *how, fl_err *err)
{
    static const char digits[] = "0123456789abcdef";
    bool is_text = call->ret->type.id == FL_UTF8;
    int64_t bytes = 4LL * how->words, len = is_text ? 2 * bytes : bytes;
    for (int32_t row = 0; row < call->rows; row++) {
        uint8_t found[32];
        char *out;
        fl_status st = fl_call_room(call, len, &out, err);
        if (st == FL_OK)
            st = digest(call, how, fl_text_arg(call, 0, row), found, err);
        if (st != FL_OK)
            return st;
        for (int64_t i = 0; i < bytes && is_text; i++) {
            out[2 * i] = digits[found[i] >> 4];
            out[2 * i + 1] = digits[found[i] & 15];
        }
        if (!is_text)
            memcpy(out, found, (size_t)bytes);
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
    return FL_OK;
}

static fl_status sha1(fl_call *call, fl_err *err)
{
    return run(call, &sha1_method, err);
}

static fl_status sha256(fl_call *call, fl_err *err)
{
    return run(call, &sha256_method, err);
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("sha1", "sha1(x): SHA-1 in hexadecimal digits", {FL_ARGS(FL_UTF8), FL_UTF8, 0, sha1},
                 {FL_ARGS(FL_BINARY), FL_UTF8, 0, sha1}),
    FL_TEXT_FUNC("sha256", "sha256(x): SHA-256, of a text in hexadecimal digits, of a bytea as bytes",
                 {FL_ARGS(FL_UTF8), FL_UTF8, 0, sha256}, {FL_ARGS(FL_BINARY), FL_BINARY, 0, sha256}),
};

FL_FUNC_SET(sha, funcs);
