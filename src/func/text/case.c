/* upper, lower, initcap, and the mapping itself (case.h). */
#include "func/text/case.h"

#include "base/utf8.h"
#include "func/text/text.h"

#include <utf8proc.h>

uint32_t fl_case_lower(uint32_t code)
{
    if (code < 0x80)
        return (uint8_t)fl_char_lower((char)code);
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
}

uint32_t fl_case_upper(uint32_t code)
{
    if (code < 0x80)
        return code >= 'a' && code <= 'z' ? code - 32 : code;
    if (code == 0xDF) /* the sharp s has no simple large form in Unicode; utf8proc has one of its own */
        return code;
    return (uint32_t)utf8proc_toupper((utf8proc_int32_t)code);
}

bool fl_case_is_word(uint32_t code)
{
    if (code < 0x80)
        return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z');
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

/* Of bytes that are no UTF-8, which only a mistake of ours lets in, each becomes a question mark: U+FFFD would need more room. */
static int put(uint32_t code, int width, char *ret)
{
    return fl_utf8_encode(code == 0xFFFD && width == 1 ? '?' : code, ret);
}

static int64_t map_piece(fl_str text, bool to_upper, char *ret)
{
    int64_t len = 0;
    for (int64_t i = 0; i < text.len;) {
        uint8_t byte = (uint8_t)text.data[i];
        if (byte < 0x80) {
            ret[len++] = (char)(to_upper ? fl_case_upper(byte) : fl_case_lower(byte));
            i++;
            continue;
        }
        int width;
        uint32_t code = fl_utf8_decode(text.data + i, text.len - i, &width);
        len += put(to_upper ? fl_case_upper(code) : fl_case_lower(code), width, ret + len);
        i += width;
    }
    return len;
}

fl_status fl_case_map(fl_call *call, fl_str text, bool to_upper, char *ret, int64_t *ret_len, fl_err *err)
{
    int64_t len = 0;
    for (int64_t at = 0, end; at < text.len; at = end) {
        end = fl_text_piece_end(text, at);
        len += map_piece((fl_str){text.data + at, end - at}, to_upper, ret + len);
        fl_status st = fl_call_work(call, 2 * (end - at), err);
        if (st != FL_OK)
            return st;
    }
    FL_ASSERT(len <= fl_case_room(text.len));
    *ret_len = len;
    return FL_OK;
}

static fl_status map(fl_call *call, bool to_upper, fl_err *err)
{
    fl_status st = FL_OK;
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        char small[64], *out = small;
        int64_t len = 0;
        if (x.len > 12)
            FL_TRY(fl_call_room(call, fl_case_room(x.len), &out, err));
        FL_TRY(fl_case_map(call, x, to_upper, out, &len, err));
        if (out == small) /* may have grown beyond what a view holds */
            FL_TRY(fl_text_keep(call, (fl_str){small, len}, &ret[row], err));
        else
            ret[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

static fl_status upper(fl_call *call, fl_err *err)
{
    return map(call, true, err);
}
static fl_status lower(fl_call *call, fl_err *err)
{
    return map(call, false, err);
}

/* The first letter of each word large, the others small; words are runs of letters and digits. */
static fl_status initcap(fl_call *call, fl_err *err)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        char *out;
        fl_status st = fl_call_room(call, fl_case_room(x.len), &out, err);
        if (st != FL_OK)
            return st;
        int64_t len = 0;
        bool in_word = false;
        for (int64_t i = 0; i < x.len;) {
            int width;
            uint32_t code = fl_utf8_decode(x.data + i, x.len - i, &width);
            len += put(in_word ? fl_case_lower(code) : fl_case_upper(code), width, out + len);
            in_word = fl_case_is_word(code);
            i += width;
            st = fl_call_work(call, 8, err);
            if (st != FL_OK)
                return st;
        }
        ret[row] = fl_view_of(out, len);
    }
    return FL_OK;
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("upper", "upper(x): letters made large", {FL_ARGS(FL_UTF8), FL_UTF8, 0, upper}),
    FL_TEXT_FUNC("ucase", "ucase(x): as upper", {FL_ARGS(FL_UTF8), FL_UTF8, 0, upper}),
    FL_TEXT_FUNC("lower", "lower(x): letters made small", {FL_ARGS(FL_UTF8), FL_UTF8, 0, lower}),
    FL_TEXT_FUNC("lcase", "lcase(x): as lower", {FL_ARGS(FL_UTF8), FL_UTF8, 0, lower}),
    FL_TEXT_FUNC("initcap", "initcap(x): the first letter of each word large, the others small",
                 {FL_ARGS(FL_UTF8), FL_UTF8, 0, initcap}),
};

FL_FUNC_SET(case_map, funcs);
