/* Text as readers see it: strip_accents, nfc_normalize, and functions that count what is one character to the eye, which may be
 * several code points (Unicode Standard Annex 29). */
#include "func/text/text.h"

#include <utf8proc.h>

/* ---- normalization ------------------------------------------------------------------------------------------------- */

/* Text goes through in pieces that end where a character begins which nothing in front of it combines with. */
#define PIECE_BYTES 4096

static bool is_start(fl_str x, int64_t at)
{
    int width;
    if (fl_utf8_is_continuation(x.data[at]))
        return false;
    uint32_t code = fl_utf8_decode(x.data + at, x.len - at, &width);
    if (code < 0x300)
        return true;
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)code);
    /* Hangul vowels and finals (U+1160 to U+11FF) combine though their class is 0 */
    return property->combining_class == 0 && (code < 0x1100 || (code > 0x11FF && code < 0xAC00) || code > 0xD7FF) &&
           property->boundclass != UTF8PROC_BOUNDCLASS_EXTEND &&
           property->boundclass != UTF8PROC_BOUNDCLASS_SPACINGMARK;
}

static int64_t piece_end(fl_str x, int64_t begin)
{
    int64_t end = begin + PIECE_BYTES;
    while (end < x.len && !is_start(x, end))
        end++;
    return end < x.len ? end : x.len;
}

static bool is_ascii(fl_str x)
{
    for (int64_t i = 0; i < x.len; i++)
        if ((uint8_t)x.data[i] >= 0x80)
            return false;
    return true;
}

/* Code points of a piece, composed or with their marks left out, as text behind out[len]. */
static int64_t map_piece(fl_str x, utf8proc_option_t options, utf8proc_int32_t *codes, int64_t room, char *ret)
{
    utf8proc_ssize_t n =
        utf8proc_decompose((const utf8proc_uint8_t *)x.data, x.len, codes, room, options & ~UTF8PROC_COMPOSE);
    if (n < 0 || n > room)
        return -1;
    n = utf8proc_normalize_utf32(codes, n, options);
    int64_t len = 0;
    for (utf8proc_ssize_t i = 0; i < n; i++)
        len += fl_utf8_encode((uint32_t)codes[i], ret + len);
    return len;
}

/* A code point decomposes into at most 4, and grows from 2 bytes to 3 for each of 3 at the most. */
static fl_status map_row(fl_call *call, fl_str x, utf8proc_option_t options, fl_view *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char *out = NULL;
    utf8proc_int32_t *codes = NULL;
    int64_t len = 0, capacity = 0;
    if (is_ascii(x)) {
        *ret = fl_view_of(x.len == 0 ? "" : x.data, x.len);
        return fl_call_work(call, x.len / 4, err);
    }
    if (x.len > FL_TEXT_BYTES_MAX / 4)
        return fl_text_fail_long(err);
    FL_TRY(fl_call_room(call, 4 * x.len + 16, &out, err));
    for (int64_t at = 0, end; at < x.len; at = end) {
        end = piece_end(x, at);
        int64_t room = 4 * (end - at) + 16;
        if (room > capacity) {
            FL_TRY(FL_NEW_ARRAY(call->heap, room, &codes, err));
            capacity = room;
        }
        int64_t more = map_piece((fl_str){x.data + at, end - at}, options, codes, capacity, out + len);
        if (more < 0)
            return FL_FAIL(err, FL_ERR_VALUE, "the text cannot be normalized");
        len += more;
        FL_TRY(fl_call_work(call, 16 * (end - at), err));
    }
    FL_ASSERT(len <= 4 * x.len + 16);
    *ret = fl_view_of(out, len);
cleanup:
    return st;
}

static fl_status map(fl_call *call, utf8proc_option_t options, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_ret_view(call)[row] = (fl_view){0};
        if (fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row))
            st = map_row(call, fl_text_arg(call, 0, row), options, &fl_ret_view(call)[row], err);
    }
    return st;
}

static fl_status strip_accents(fl_call *call, fl_err *err)
{
    return map(call, UTF8PROC_STABLE | UTF8PROC_STRIPMARK | UTF8PROC_DECOMPOSE | UTF8PROC_COMPOSE, err);
}

static fl_status nfc_normalize(fl_call *call, fl_err *err)
{
    return map(call, UTF8PROC_STABLE | UTF8PROC_COMPOSE, err);
}

/* ---- graphemes ----------------------------------------------------------------------------------------------------- */

/* Goes on by a grapheme: where the one ends that begins at `at`. */
static int64_t grapheme_end(fl_str x, int64_t at)
{
    utf8proc_int32_t state = 0;
    int width;
    uint32_t code = fl_utf8_decode(x.data + at, x.len - at, &width);
    for (at += width; at < x.len; at += width) {
        uint32_t next = fl_utf8_decode(x.data + at, x.len - at, &width);
        if (code < 0x300 && next < 0x300
                ? !(code == '\r' && next == '\n')
                : utf8proc_grapheme_break_stateful((utf8proc_int32_t)code, (utf8proc_int32_t)next, &state))
            break;
        code = next;
    }
    return at;
}

static fl_status count_graphemes(fl_call *call, fl_str x, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = 0;
    for (int64_t at = 0, end; at < x.len && st == FL_OK; at = end, ++*ret) {
        end = grapheme_end(x, at);
        st = fl_call_work(call, 4 * (end - at), err);
    }
    return st;
}

/* The place behind n graphemes from `at` on, or the text's end. */
static fl_status skip_graphemes(fl_call *call, fl_str x, int64_t at, int64_t n, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    for (int64_t end; n > 0 && at < x.len && st == FL_OK; at = end, n--) {
        end = grapheme_end(x, at);
        st = fl_call_work(call, 4 * (end - at), err);
    }
    *ret = at;
    return st;
}

static fl_status length_grapheme(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++)
        st = count_graphemes(call, fl_text_arg(call, 0, row), &fl_ret_i64(call)[row], err);
    return st;
}

/* Graphemes [from, to) of the text, counted from 0 and cut to what there is. */
static fl_status put_range(fl_call *call, int32_t row, fl_str x, int64_t from, int64_t to, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t begin, end;
    from = from > 0 ? from : 0;
    FL_TRY(skip_graphemes(call, x, 0, from, &begin, err));
    FL_TRY(skip_graphemes(call, x, begin, to > from ? to - from : 0, &end, err));
    fl_ret_view(call)[row] = fl_view_of(end == begin ? "" : x.data + begin, end - begin);
cleanup:
    return st;
}

static bool is_wanted(const fl_call *call, int32_t row)
{
    bool wanted = fl_call_wants(call, row);
    for (int32_t a = 0; a < call->n_args; a++)
        wanted &= fl_vec_is_valid(&call->args[a], row);
    return wanted;
}

/* A number below zero leaves so many out at the other end. */
static fl_status left_or_right(fl_call *call, bool is_left, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t all;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!is_wanted(call, row))
            continue;
        fl_str x = fl_text_arg(call, 0, row);
        int64_t n = fl_text_arg_i64(call, 1, row);
        FL_TRY(count_graphemes(call, x, &all, err));
        n = n < 0 ? (n <= -all ? 0 : all + n) : n > all ? all : n;
        FL_TRY(is_left ? put_range(call, row, x, 0, n, err) : put_range(call, row, x, all - n, all, err));
    }
cleanup:
    return st;
}

static fl_status left_grapheme(fl_call *call, fl_err *err)
{
    return left_or_right(call, true, err);
}

static fl_status right_grapheme(fl_call *call, fl_err *err)
{
    return left_or_right(call, false, err);
}

/* From a place counted from one, or from the end where it is negative; a length below zero counts back from there (DuckDB). */
static fl_status substring_grapheme(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t all;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!is_wanted(call, row))
            continue;
        fl_str x = fl_text_arg(call, 0, row);
        FL_TRY(count_graphemes(call, x, &all, err));
        int64_t from = fl_text_arg_i64(call, 1, row), n = call->n_args > 2 ? fl_text_arg_i64(call, 2, row) : INT32_MAX;
        from = from > INT32_MAX ? INT32_MAX : from < INT32_MIN ? INT32_MIN : from;
        n = n > INT32_MAX ? INT32_MAX : n < INT32_MIN ? INT32_MIN : n;
        from = from > 0 ? from - 1 : from < 0 ? all + from : -1;
        FL_TRY(n >= 0 ? put_range(call, row, x, from, from + n, err) : put_range(call, row, x, from + n, from, err));
    }
cleanup:
    return st;
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("strip_accents", "strip_accents(x): letters without their accents",
                 {FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, strip_accents}),
    FL_TEXT_FUNC("nfc_normalize", "nfc_normalize(x): letters and their accents as one code point where there is one",
                 {FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, nfc_normalize}),
    FL_TEXT_FUNC("length_grapheme", "length_grapheme(x): characters as the eye counts them",
                 {FL_ARGS(FL_UTF8), FL_I64, 0, length_grapheme}),
    FL_TEXT_FUNC("left_grapheme", "left_grapheme(x, n): as left, by characters that the eye counts",
                 {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, 0, left_grapheme}),
    FL_TEXT_FUNC("right_grapheme", "right_grapheme(x, n): as right, by characters that the eye counts",
                 {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, 0, right_grapheme}),
    FL_TEXT_FUNC("substring_grapheme",
                 "substring_grapheme(x, from [, n]): as substring, by characters that the eye counts",
                 {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, 0, substring_grapheme},
                 {FL_ARGS(FL_UTF8, FL_I64, FL_I64), FL_UTF8, 0, substring_grapheme}),
};

FL_FUNC_SET(grapheme, funcs);
