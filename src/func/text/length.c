/* length, octet_length, bit_length, ascii, chr. */
#include "func/text/text.h"

#include "base/utf8.h"

static fl_status length(fl_call *call, fl_err *err)
{
    int32_t *ret = fl_ret_i32(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        ret[row] = (int32_t)fl_utf8_count(x.data, x.len);
        fl_status st = fl_call_work(call, x.len / 8, err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

static fl_status octets(fl_call *call, fl_err *err)
{
    (void)err;
    int32_t *ret = fl_ret_i32(call);
    for (int32_t row = 0; row < call->rows; row++)
        ret[row] = (int32_t)fl_text_arg(call, 0, row).len;
    return FL_OK;
}

static fl_status bits(fl_call *call, fl_err *err)
{
    int32_t *ret = fl_ret_i32(call);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t n = fl_text_arg(call, 0, row).len * 8;
        ret[row] = (int32_t)n;
        if (n > INT32_MAX && fl_call_wants(call, row))
            return FL_FAIL(err, FL_ERR_RANGE, "%lld bits are out of range for type integer", (long long)n);
    }
    return FL_OK;
}

static fl_status ascii(fl_call *call, fl_err *err)
{
    (void)err;
    int32_t *ret = fl_ret_i32(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int width;
        ret[row] = x.len == 0 ? 0 : (int32_t)fl_utf8_decode(x.data, x.len, &width);
    }
    return FL_OK;
}

static fl_status chr(fl_call *call, fl_err *err)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t code = fl_text_arg_i64(call, 0, row);
        char out[4];
        ret[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        if (code < 0)
            return fl_err_state(err, "22023",
                                FL_FAIL(err, FL_ERR_VALUE, "code point %lld is negative", (long long)code));
        if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
            return FL_FAIL(err, FL_ERR_LIMIT, "%lld is no character's code point", (long long)code);
        ret[row] = fl_view_of(out, fl_utf8_encode((uint32_t)code, out));
    }
    return FL_OK;
}

#define LENGTH(name)                                                                                              \
    FL_TEXT_FUNC(name, name "(x): characters of a text, bytes of a bytea", {FL_ARGS(FL_UTF8), FL_I32, 0, length}, \
                 {FL_ARGS(FL_BINARY), FL_I32, 0, octets})

static const fl_func_desc funcs[] = {
    LENGTH("length"),
    LENGTH("char_length"),
    LENGTH("character_length"),
    FL_TEXT_FUNC("octet_length", "octet_length(x): bytes", {FL_ARGS(FL_UTF8), FL_I32, 0, octets},
                 {FL_ARGS(FL_BINARY), FL_I32, 0, octets}),
    FL_TEXT_FUNC("strlen", "strlen(x): bytes", {FL_ARGS(FL_UTF8), FL_I32, 0, octets}),
    FL_TEXT_FUNC("bit_length", "bit_length(x): bits", {FL_ARGS(FL_UTF8), FL_I32, FL_CAN_FAIL, bits},
                 {FL_ARGS(FL_BINARY), FL_I32, FL_CAN_FAIL, bits}),
    FL_TEXT_FUNC("ascii", "ascii(x): the code point of the first character, 0 of the empty text",
                 {FL_ARGS(FL_UTF8), FL_I32, 0, ascii}),
    FL_TEXT_FUNC("chr", "chr(n): the character of code point n", {FL_ARGS(FL_I64), FL_UTF8, FL_CAN_FAIL, chr}),
};

FL_FUNC_SET(length, funcs);
