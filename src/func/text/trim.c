/* trim (btrim), ltrim, rtrim: views without the characters of a set at the ends; spaces where none is given.
 * lpad, rpad: filled up or cut to a number of characters. */
#include "func/text/char_set.h"
#include "func/text/text.h"

#include "base/utf8.h"

/* Takes characters of the set away from the ends. */
static fl_status strip(fl_call *call, const fl_char_set *set, bool at_start, bool at_end, fl_str *x, fl_err *err)
{
    fl_str none;
    int width;
    fl_status st = FL_OK;
    while (at_start && x->len > 0 && fl_char_set_find(set, fl_utf8_decode(x->data, x->len, &width), &none)) {
        x->data += width;
        x->len -= width;
        FL_TRY(fl_call_work(call, 8, err));
    }
    while (at_end && x->len > 0) {
        int64_t start = x->len - 1;
        while (start > 0 && fl_utf8_is_continuation(x->data[start]))
            start--;
        if (!fl_char_set_find(set, fl_utf8_decode(x->data + start, x->len - start, &width), &none))
            break;
        x->len = start;
        FL_TRY(fl_call_work(call, 8, err));
    }
cleanup:
    return st;
}

static fl_status run_trim(fl_call *call, bool at_start, bool at_end, fl_err *err)
{
    fl_status st = FL_OK;
    fl_view *ret = fl_ret_view(call);
    fl_char_set set = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        FL_TRY(fl_char_set_make(call, call->n_args == 2 ? fl_text_arg(call, 1, row) : FL_STR(" "), (fl_str){0}, &set,
                                err));
        FL_TRY(strip(call, &set, at_start, at_end, &x, err));
        ret[row] = fl_view_of(x.len == 0 ? "" : x.data, x.len);
    }
cleanup:
    return st;
}

#define TRIM(name, at_start, at_end)                  \
    static fl_status name(fl_call *call, fl_err *err) \
    {                                                 \
        return run_trim(call, at_start, at_end, err); \
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
        st = fl_text_fill(call, to, pad_len, fill, err);
        if (st != FL_OK)
            return st;
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
