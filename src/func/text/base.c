/* Bytes and numbers in other bases, as DuckDB names them: hex, unhex, bin, unbin, to_base, to_base64, from_base64. */
#include "func/text/text.h"

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* ---- numbers ------------------------------------------------------------------------------------------------------- */

/* The digits of x to the base 2^bits, the last in ret[63]; returns where they begin. */
static int digits_of(uint64_t x, int bits, char ret[64])
{
    int at = 64;
    do {
        ret[--at] = digits[x & ((1u << bits) - 1)];
        x >>= bits;
    } while (x != 0);
    return at;
}

static fl_status of_integer(fl_call *call, int bits, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        char out[64];
        int at = digits_of((uint64_t)fl_text_arg_i64(call, 0, row), bits, out);
        st = fl_text_keep(call, (fl_str){out + at, 64 - at}, &fl_ret_view(call)[row], err);
    }
    return st;
}

static fl_status hex_integer(fl_call *call, fl_err *err)
{
    return of_integer(call, 4, err);
}

static fl_status bin_integer(fl_call *call, fl_err *err)
{
    return of_integer(call, 1, err);
}

static fl_status fail_base(fl_err *err, const char *what, int64_t value)
{
    return fl_err_state(err, "22023", FL_FAIL(err, FL_ERR_VALUE, "to_base: %s, not %lld", what, (long long)value));
}

static fl_status to_base(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t x = fl_text_arg_i64(call, 0, row), base = fl_text_arg_i64(call, 1, row),
                least = call->n_args > 2 ? fl_text_arg_i64(call, 2, row) : 0;
        char out[64];
        int64_t at = 64;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        if (base < 2 || base > 36)
            return fail_base(err, "a base is in 2 to 36", base);
        if (x < 0)
            return fail_base(err, "a number is not negative", x);
        if (least < 0 || least > 64)
            return fail_base(err, "a length is in 0 to 64", least);
        do {
            out[--at] = digits[x % base];
            x /= base;
        } while (x != 0 || 64 - at < least);
        fl_status st = fl_text_keep(call, (fl_str){out + at, 64 - at}, &fl_ret_view(call)[row], err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

/* ---- bytes --------------------------------------------------------------------------------------------------------- */

static fl_status of_bytes(fl_call *call, int bits, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t len = 0;
        char *out;
        if (x.len > FL_TEXT_BYTES_MAX / 8) {
            fl_ret_view(call)[row] = (fl_view){0};
            if (fl_call_wants(call, row))
                return fl_text_fail_long(err);
            continue;
        }
        FL_TRY(fl_call_room(call, x.len * 8 / bits + 1, &out, err));
        for (int64_t i = 0; i < x.len; i++)
            for (int shift = 8 - bits; shift >= 0; shift -= bits)
                out[len++] = digits[(uint8_t)x.data[i] >> shift & ((1u << bits) - 1)];
        FL_TRY(fl_call_work(call, len / 4, err));
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

static fl_status hex_bytes(fl_call *call, fl_err *err)
{
    return of_bytes(call, 4, err);
}

static fl_status bin_bytes(fl_call *call, fl_err *err)
{
    return of_bytes(call, 1, err);
}

static int digit_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : 16;
}

/* Digits that do not fill the first byte are its low ones. */
static fl_status to_bytes(fl_call *call, int bits, fl_err *err)
{
    fl_status st = FL_OK;
    int per_byte = 8 / bits;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t len = (x.len + per_byte - 1) / per_byte, from_end = x.len;
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        FL_TRY(fl_call_room(call, len + 1, &out, err));
        memset(out, 0, (size_t)len + 1);
        for (int64_t i = 0; i < x.len; i++, from_end--) {
            int value = digit_value(x.data[i]);
            if (value >= 1 << bits)
                return fl_err_state(err, "22023",
                                    FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no number of %s digits",
                                            (int)(x.len < 60 ? x.len : 60), x.data,
                                            bits == 4 ? "hexadecimal" : "binary"));
            int64_t byte = len - 1 - (from_end - 1) / per_byte;
            out[byte] = (char)((uint8_t)out[byte] << bits | value);
        }
        FL_TRY(fl_call_work(call, x.len, err));
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

static fl_status unhex(fl_call *call, fl_err *err)
{
    return to_bytes(call, 4, err);
}

static fl_status unbin(fl_call *call, fl_err *err)
{
    return to_bytes(call, 1, err);
}

/* ---- base64, on one line ------------------------------------------------------------------------------------------- */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static fl_status to_base64(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t len = 0;
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (x.len > FL_TEXT_BYTES_MAX / 2) {
            if (fl_call_wants(call, row))
                return fl_text_fail_long(err);
            continue;
        }
        FL_TRY(fl_call_room(call, (x.len + 2) / 3 * 4 + 1, &out, err));
        for (int64_t i = 0; i < x.len; i += 3) {
            int64_t left = x.len - i;
            uint32_t bits = (uint32_t)(uint8_t)x.data[i] << 16;
            bits |= left > 1 ? (uint32_t)(uint8_t)x.data[i + 1] << 8 : 0;
            bits |= left > 2 ? (uint8_t)x.data[i + 2] : 0;
            for (int64_t d = 0; d < 4; d++)
                out[len++] = d <= left ? base64_digits[bits >> (18 - 6 * d) & 63] : '=';
        }
        FL_TRY(fl_call_work(call, len, err));
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

/* Four digits make three bytes, the last four also two or one; -1 where they are none. */
static int64_t decode_base64(fl_str x, char *ret)
{
    int64_t len = 0;
    if (x.len % 4 != 0)
        return -1;
    for (int64_t i = 0; i < x.len; i += 4) {
        uint32_t bits = 0;
        int pads = 0;
        for (int64_t d = i; d < i + 4; d++) {
            const char *digit = x.data[d] != 0 ? strchr(base64_digits, x.data[d]) : NULL;
            pads += x.data[d] == '=';
            if ((digit == NULL || pads > 0) && (x.data[d] != '=' || d < i + 2 || i + 4 < x.len))
                return -1;
            bits = bits << 6 | (uint32_t)(digit != NULL ? digit - base64_digits : 0);
        }
        for (int b = 0; b < 3 - pads; b++)
            ret[len++] = (char)(bits >> (16 - 8 * b));
    }
    return len;
}

static fl_status from_base64(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        FL_TRY(fl_call_room(call, x.len + 1, &out, err));
        int64_t len = decode_base64(x, out);
        if (len < 0)
            return fl_err_state(
                err, "22023",
                FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no base64 data", (int)(x.len < 60 ? x.len : 60), x.data));
        FL_TRY(fl_call_work(call, 2 * x.len, err));
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("hex", "hex(x): the hexadecimal digits of an integer's 64 bits, or of a text's or bytea's bytes",
                 {FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, hex_bytes},
                 {FL_ARGS(FL_BINARY), FL_UTF8, FL_CAN_FAIL, hex_bytes}, {FL_ARGS(FL_I64), FL_UTF8, 0, hex_integer},
                 {FL_ARGS(FL_U64), FL_UTF8, 0, hex_integer}),
    FL_TEXT_FUNC("bin", "bin(x): the binary digits of an integer's 64 bits, or of a text's or bytea's bytes",
                 {FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, bin_bytes},
                 {FL_ARGS(FL_BINARY), FL_UTF8, FL_CAN_FAIL, bin_bytes}, {FL_ARGS(FL_I64), FL_UTF8, 0, bin_integer},
                 {FL_ARGS(FL_U64), FL_UTF8, 0, bin_integer}),
    FL_TEXT_FUNC("to_base", "to_base(n, base [, length]): the digits of n, with zeros in front up to a length",
                 {FL_ARGS(FL_I64, FL_I64), FL_UTF8, FL_CAN_FAIL, to_base},
                 {FL_ARGS(FL_I64, FL_I64, FL_I64), FL_UTF8, FL_CAN_FAIL, to_base}),
    FL_TEXT_FUNC("unhex", "unhex(x): the bytes of hexadecimal digits",
                 {FL_ARGS(FL_UTF8), FL_BINARY, FL_CAN_FAIL, unhex}),
    FL_TEXT_FUNC("unbin", "unbin(x): the bytes of binary digits", {FL_ARGS(FL_UTF8), FL_BINARY, FL_CAN_FAIL, unbin}),
    FL_TEXT_FUNC("to_base64", "to_base64(x): bytes in base64, on one line",
                 {FL_ARGS(FL_BINARY), FL_UTF8, FL_CAN_FAIL, to_base64},
                 {FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, to_base64}),
    FL_TEXT_FUNC("from_base64", "from_base64(x): the bytes that base64 stands for",
                 {FL_ARGS(FL_UTF8), FL_BINARY, FL_CAN_FAIL, from_base64}),
};

FL_FUNC_SET(base, funcs);
