/* trim (btrim), ltrim, rtrim: views without the characters of a set at the ends; spaces where none is given.
 * lpad, rpad: filled up or cut to a number of characters. */
#include "func/text/text.h"

#include "base/utf8.h"

/* Whether the character of `width` bytes at p is in the set. */
static bool has(fl_str set, const char *p, int width)
{
    if (width == 1)
        return set.len > 0 && memchr(set.data, *p, (size_t)set.len) != NULL;
    for (int64_t i = 0; i < set.len;) {
        int step = fl_utf8_width(set.data + i, set.len - i);
        if (step == width && memcmp(set.data + i, p, (size_t)width) == 0)
            return true;
        i += step > 0 ? step : 1;
    }
    return false;
}

static fl_str strip(fl_str x, fl_str set, bool at_start, bool at_end)
{
    while (at_start && x.len > 0) {
        int width = fl_utf8_width(x.data, x.len);
        if (width == 0 || !has(set, x.data, width))
            break;
        x.data += width;
        x.len -= width;
    }
    while (at_end && x.len > 0) {
        int64_t start = x.len - 1;
        while (start > 0 && ((uint8_t)x.data[start] & 0xC0) == 0x80)
            start--;
        if (!has(set, x.data + start, (int)(x.len - start)))
            break;
        x.len = start;
    }
    return x;
}

static fl_status run_trim(fl_call *call, bool at_start, bool at_end)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = strip(fl_text_arg(call, 0, row), call->n_args == 2 ? fl_text_arg(call, 1, row) : FL_STR(" "),
                         at_start, at_end);
        ret[row] = fl_view_of(x.len == 0 ? "" : x.data, x.len);
    }
    return FL_OK;
}

#define TRIM(name, at_start, at_end)                  \
    static fl_status name(fl_call *call, fl_err *err) \
    {                                                 \
        (void)err;                                    \
        return run_trim(call, at_start, at_end);      \
    }
TRIM(btrim, true, true)
TRIM(ltrim, true, false)
TRIM(rtrim, false, true)

static fl_status pad(fl_call *call, bool at_start, fl_err *err)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        ret[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        fl_str x = fl_text_arg(call, 0, row), fill = call->n_args == 3 ? fl_text_arg(call, 2, row) : FL_STR(" ");
        int64_t n = fl_text_arg_i64(call, 1, row), chars = fl_utf8_count(x.data, x.len);
        if (n < 0)
            n = 0;
        if (n <= chars || fill.len == 0) {
            int64_t cut = n < chars ? fl_utf8_offset(x.data, x.len, n) : x.len;
            ret[row] = fl_view_of(cut == 0 ? "" : x.data, cut);
            continue;
        }
        int64_t fill_chars = fl_utf8_count(fill.data, fill.len), wanted = n - chars;
        int64_t rest = fl_utf8_offset(fill.data, fill.len, wanted % fill_chars);
        if (wanted / fill_chars > FL_TEXT_BYTES_MAX / fill.len)
            return fl_text_fail_long(err);
        int64_t pad_len = wanted / fill_chars * fill.len + rest;
        if (pad_len + x.len > FL_TEXT_BYTES_MAX)
            return fl_text_fail_long(err);
        char *out;
        fl_status st = fl_call_room(call, pad_len + x.len, &out, err);
        if (st != FL_OK)
            return st;
        char *to = at_start ? out : out + x.len;
        for (int64_t i = 0; i < pad_len; i += fill.len)
            memcpy(to + i, fill.data, (size_t)(pad_len - i < fill.len ? pad_len - i : fill.len));
        if (x.len > 0)
            memcpy(at_start ? out + pad_len : out, x.data, (size_t)x.len);
        ret[row] = fl_view_of(out, pad_len + x.len);
    }
    return FL_OK;
}

static fl_status lpad(fl_call *call, fl_err *err)
{
    return pad(call, true, err);
}
static fl_status rpad(fl_call *call, fl_err *err)
{
    return pad(call, false, err);
}

#define TRIM_FUNC(name, run, what)                                                   \
    FL_TEXT_FUNC(name, name "(x [, characters]): x without these (spaces) at " what, \
                 {FL_ARGS(FL_UTF8), FL_UTF8, 0, run}, {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, 0, run})
#define PAD_FUNC(name, run, what)                                                           \
    FL_TEXT_FUNC(name, name "(x, n [, fill]): x filled up " what " or cut to n characters", \
                 {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, FL_CAN_FAIL, run},                     \
                 {FL_ARGS(FL_UTF8, FL_I64, FL_UTF8), FL_UTF8, FL_CAN_FAIL, run})

static const fl_func_desc funcs[] = {
    TRIM_FUNC("trim", btrim, "both ends"),  TRIM_FUNC("btrim", btrim, "both ends"),
    TRIM_FUNC("ltrim", ltrim, "the start"), TRIM_FUNC("rtrim", rtrim, "the end"),
    PAD_FUNC("lpad", lpad, "in front"),     PAD_FUNC("rpad", rpad, "at the end"),
};

FL_FUNC_SET(trim, funcs);
