/* md5 and its halves, to_hex, encode and decode. */
#include "func/text/text.h"

/* ---- MD5 (RFC 1321) ------------------------------------------------------------------------------------------------ */

static void md5_block(uint32_t state[4], const uint8_t *block)
{
    static const uint8_t shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    static const uint32_t sines[64] = {
        /* floor(2^32 |sin(i + 1)|) */
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
        0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
        0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
        0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
        0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
        0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
        0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
    uint32_t words[16], a = state[0], b = state[1], c = state[2], d = state[3];
    memcpy(words, block, 64);
    for (int i = 0; i < 64; i++) {
        uint32_t mix;
        int word;
        if (i < 16) {
            mix = (b & c) | (~b & d);
            word = i;
        } else if (i < 32) {
            mix = (d & b) | (~d & c);
            word = (5 * i + 1) % 16;
        } else if (i < 48) {
            mix = b ^ c ^ d;
            word = (3 * i + 5) % 16;
        } else {
            mix = c ^ (b | ~d);
            word = 7 * i % 16;
        }
        uint32_t sum = a + mix + sines[i] + words[word];
        int shift = shifts[i / 16][i % 4];
        a = d;
        d = c;
        c = b;
        b += sum << shift | sum >> (32 - shift);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

static const char hex_digits[] = "0123456789abcdef";

static fl_status md5_of(fl_call *call, fl_str x, uint8_t ret[16], fl_err *err)
{
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    uint8_t tail[128] = {0};
    int64_t whole = x.len & ~(int64_t)63, rest = x.len - whole, padded = rest < 56 ? 64 : 128;
    for (int64_t i = 0; i < whole; i += 64) {
        md5_block(state, (const uint8_t *)x.data + i);
        fl_status st = fl_call_work(call, 128, err);
        if (st != FL_OK)
            return st;
    }
    if (rest > 0)
        memcpy(tail, x.data + whole, (size_t)rest);
    tail[rest] = 0x80;
    uint64_t bits = (uint64_t)x.len * 8;
    memcpy(tail + padded - 8, &bits, 8);
    for (int64_t i = 0; i < padded; i += 64)
        md5_block(state, tail + i);
    memcpy(ret, state, 16);
    return FL_OK;
}

static fl_status md5_hex(fl_call *call, fl_str x, char ret[32], fl_err *err)
{
    uint8_t bytes[16];
    fl_status st = md5_of(call, x, bytes, err);
    for (int i = 0; i < 16 && st == FL_OK; i++) {
        ret[2 * i] = hex_digits[bytes[i] >> 4];
        ret[2 * i + 1] = hex_digits[bytes[i] & 15];
    }
    return st;
}

static fl_status md5(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        char *out;
        fl_status st = fl_call_room(call, 32, &out, err);
        if (st == FL_OK)
            st = md5_hex(call, fl_text_arg(call, 0, row), out, err);
        if (st != FL_OK)
            return st;
        fl_ret_view(call)[row] = fl_view_of(out, 32);
    }
    return FL_OK;
}

/* Half of a digest, as a number whose first byte is the lowest. */
static fl_status md5_half(fl_call *call, int from, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        uint8_t bytes[16];
        fl_status st = md5_of(call, fl_text_arg(call, 0, row), bytes, err);
        if (st != FL_OK)
            return st;
        memcpy(&fl_ret_u64(call)[row], bytes + from, 8);
    }
    return FL_OK;
}

static fl_status md5_upper(fl_call *call, fl_err *err)
{
    return md5_half(call, 0, err);
}

static fl_status md5_lower(fl_call *call, fl_err *err)
{
    return md5_half(call, 8, err);
}

static fl_status hex_of(fl_call *call, int32_t row, uint64_t x, fl_err *err)
{
    char digits[16];
    int at = 16;
    do {
        digits[--at] = hex_digits[x & 15];
        x >>= 4;
    } while (x != 0);
    return fl_text_keep(call, (fl_str){digits + at, 16 - at}, &fl_ret_view(call)[row], err);
}

static fl_status to_hex_i32(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++)
        st = hex_of(call, row, (uint32_t)fl_arg_i32(call, 0)[fl_vec_row(&call->args[0], row)], err);
    return st;
}

static fl_status to_hex_i64(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++)
        st = hex_of(call, row, (uint64_t)fl_text_arg_i64(call, 0, row), err);
    return st;
}

/* ---- encode, decode ------------------------------------------------------------------------------------------------ */

typedef enum encoding { ENCODING_HEX, ENCODING_BASE64, ENCODING_ESCAPE } encoding;

static fl_status encoding_of(fl_str name, encoding *ret, fl_err *err)
{
    static const char *const names[] = {"hex", "base64", "escape"};
    for (int i = 0; i < 3; i++) {
        if (fl_str_is_equal_nocase(name, fl_str_of(names[i]))) {
            *ret = (encoding)i;
            return FL_OK;
        }
    }
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "there is no encoding \"%.*s\"", FL_STR_ARG(name));
    fl_err_hint(err, "encodings are hex, base64 and escape");
    return fl_err_state(err, "22023", st);
}

#define PIECE_BYTES (3 * 65536) /* of three bytes, so that base64 goes on where it left off */

static const char base64_digits[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Lines of 76 characters, as in PostgreSQL. `line` is what the last one has so far. */
static int64_t base64_encode(fl_str x, int64_t *line, char *ret)
{
    int64_t len = 0;
    for (int64_t i = 0; i < x.len; i += 3) {
        if (*line == 76) {
            ret[len++] = '\n';
            *line = 0;
        }
        int64_t left = x.len - i;
        uint32_t bits = (uint32_t)(uint8_t)x.data[i] << 16;
        bits |= left > 1 ? (uint32_t)(uint8_t)x.data[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint8_t)x.data[i + 2] : 0;
        ret[len++] = base64_digits[bits >> 18];
        ret[len++] = base64_digits[bits >> 12 & 63];
        ret[len++] = left > 1 ? base64_digits[bits >> 6 & 63] : '=';
        ret[len++] = left > 2 ? base64_digits[bits & 63] : '=';
        *line += 4;
    }
    return len;
}

static int64_t hex_encode(fl_str x, char *ret)
{
    for (int64_t i = 0; i < x.len; i++) {
        ret[2 * i] = hex_digits[(uint8_t)x.data[i] >> 4];
        ret[2 * i + 1] = hex_digits[x.data[i] & 15];
    }
    return 2 * x.len;
}

static int64_t escape_encode(fl_str x, char *ret)
{
    int64_t len = 0;
    for (int64_t i = 0; i < x.len; i++) {
        uint8_t c = (uint8_t)x.data[i];
        if (c == 0 || c >= 0x80) {
            ret[len++] = '\\';
            ret[len++] = (char)('0' + (c >> 6));
            ret[len++] = (char)('0' + (c >> 3 & 7));
            ret[len++] = (char)('0' + (c & 7));
        } else {
            if (c == '\\')
                ret[len++] = '\\';
            ret[len++] = (char)c;
        }
    }
    return len;
}

static fl_status encode(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        encoding how;
        char *out;
        int64_t len = 0, line = 0;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        FL_TRY(encoding_of(fl_text_arg(call, 1, row), &how, err));
        if (x.len > FL_TEXT_BYTES_MAX / 4)
            return fl_text_fail_long(err);
        FL_TRY(fl_call_room(call, x.len * 4 + 8, &out, err));
        for (int64_t at = 0; at < x.len; at += PIECE_BYTES) {
            fl_str piece = {x.data + at, x.len - at < PIECE_BYTES ? x.len - at : PIECE_BYTES};
            len += how == ENCODING_HEX      ? hex_encode(piece, out + len)
                   : how == ENCODING_BASE64 ? base64_encode(piece, &line, out + len)
                                            : escape_encode(piece, out + len);
            FL_TRY(fl_call_work(call, 2 * piece.len, err));
        }
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static int hex_value(char c)
{
    c = fl_char_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static fl_status fail_decode(fl_err *err, encoding how, fl_str x)
{
    static const char *const names[] = {"hexadecimal", "base64", "escaped"};
    return fl_err_state(
        err, how == ENCODING_ESCAPE ? "22P02" : "22023",
        FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no %s data", (int)(x.len < 60 ? x.len : 60), x.data, names[how]));
}

static int64_t hex_decode(fl_str x, char *ret)
{
    int64_t len = 0;
    for (int64_t i = 0; i < x.len; i++) {
        if (is_space(x.data[i]))
            continue;
        int high = hex_value(x.data[i]), low = i + 1 < x.len ? hex_value(x.data[i + 1]) : -1;
        if (high < 0 || low < 0)
            return -1;
        ret[len++] = (char)(high << 4 | low);
        i++;
    }
    return len;
}

static int64_t base64_decode(fl_str x, char *ret)
{
    uint32_t bits = 0;
    int have = 0, ends = 0;
    int64_t len = 0;
    for (int64_t i = 0; i < x.len; i++) {
        if (is_space(x.data[i]))
            continue;
        const char *digit = memchr(base64_digits, x.data[i], sizeof(base64_digits));
        if (x.data[i] == '=' && have >= 2)
            ends++;
        else if (digit == NULL || ends > 0)
            return -1;
        bits = bits << 6 | (uint32_t)(digit == NULL ? 0 : digit - base64_digits);
        if (++have < 4)
            continue;
        for (int b = 0; b < 3 - ends; b++)
            ret[len++] = (char)(bits >> (16 - 8 * b));
        have = 0;
        bits = 0;
        if (ends > 0) {
            while (++i < x.len)
                if (!is_space(x.data[i]))
                    return -1;
        }
    }
    return have == 0 ? len : -1;
}

static int64_t escape_decode(fl_str x, char *ret)
{
    int64_t len = 0;
    for (int64_t i = 0; i < x.len; i++) {
        if (x.data[i] != '\\') {
            ret[len++] = x.data[i];
        } else if (i + 1 < x.len && x.data[i + 1] == '\\') {
            ret[len++] = '\\';
            i++;
        } else {
            int value = 0;
            for (int d = 1; d <= 3; d++) {
                char c = i + d < x.len ? x.data[i + d] : 'x';
                if (c < '0' || c > (d == 1 ? '3' : '7'))
                    return -1;
                value = value * 8 + (c - '0');
            }
            ret[len++] = (char)value;
            i += 3;
        }
    }
    return len;
}

static fl_status decode(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        encoding how;
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        fl_status st = encoding_of(fl_text_arg(call, 1, row), &how, err);
        if (st == FL_OK)
            st = fl_call_room(call, x.len + 4, &out, err);
        if (st != FL_OK)
            return st;
        int64_t len = how == ENCODING_HEX      ? hex_decode(x, out)
                      : how == ENCODING_BASE64 ? base64_decode(x, out)
                                               : escape_decode(x, out);
        if (len < 0)
            return fail_decode(err, how, x);
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
    return FL_OK;
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("md5", "md5(x): MD5 in hexadecimal digits", {FL_ARGS(FL_UTF8), FL_UTF8, 0, md5},
                 {FL_ARGS(FL_BINARY), FL_UTF8, 0, md5}),
    FL_TEXT_FUNC("md5_number_upper", "md5_number_upper(x): the first half of the MD5, as a number",
                 {FL_ARGS(FL_UTF8), FL_U64, 0, md5_upper}),
    FL_TEXT_FUNC("md5_number_lower", "md5_number_lower(x): the second half of the MD5, as a number",
                 {FL_ARGS(FL_UTF8), FL_U64, 0, md5_lower}),
    FL_TEXT_FUNC("to_hex", "to_hex(n): hexadecimal digits, of two's complement where n is negative",
                 {FL_ARGS(FL_I32), FL_UTF8, 0, to_hex_i32}, {FL_ARGS(FL_I64), FL_UTF8, 0, to_hex_i64}),
    FL_TEXT_FUNC("encode", "encode(bytes, 'hex' | 'base64' | 'escape'): bytes as text",
                 {FL_ARGS(FL_BINARY, FL_UTF8), FL_UTF8, FL_CAN_FAIL, encode}),
    FL_TEXT_FUNC("decode", "decode(text, 'hex' | 'base64' | 'escape'): the bytes that encode wrote",
                 {FL_ARGS(FL_UTF8, FL_UTF8), FL_BINARY, FL_CAN_FAIL, decode}),
};

FL_FUNC_SET(digest, funcs);
