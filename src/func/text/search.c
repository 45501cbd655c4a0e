/* strpos, starts_with and the like; replace, translate, overlay; reverse, repeat. */
#include "func/text/char_set.h"
#include "func/text/text.h"

#include "base/utf8.h"

static fl_status strpos(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *ret = fl_ret_i32(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row), y = fl_text_arg(call, 1, row);
        int64_t at = 0;
        if (y.len > 0)
            FL_TRY(fl_text_find(call, x, 0, y, &at, err));
        ret[row] = at < 0 ? 0 : (int32_t)fl_utf8_count(x.data, at) + 1;
    }
cleanup:
    return st;
}

static fl_status contains(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str y = fl_text_arg(call, 1, row);
        int64_t at = 0;
        if (y.len > 0)
            FL_TRY(fl_text_find(call, fl_text_arg(call, 0, row), 0, y, &at, err));
        fl_bit_put(fl_ret_bits(call), row, at >= 0);
    }
cleanup:
    return st;
}

#define TEST(name, test)                                                         \
    static fl_status name(fl_call *call, fl_err *err)                            \
    {                                                                            \
        (void)err;                                                               \
        for (int32_t row = 0; row < call->rows; row++) {                         \
            fl_str x = fl_text_arg(call, 0, row), y = fl_text_arg(call, 1, row); \
            fl_bit_put(fl_ret_bits(call), row, test);                            \
        }                                                                        \
        return FL_OK;                                                            \
    }
TEST(starts_with, y.len == 0 || fl_str_has_prefix(x, y))
TEST(ends_with, y.len == 0 || fl_str_has_suffix(x, y))

static fl_status starts_with_range(fl_arena *arena, const fl_value *const *args, int32_t n_args, fl_func_range *ret,
                                   fl_err *err)
{
    return n_args != 2 || args[1] == NULL || args[1]->is_null ? FL_OK
                                                              : fl_text_prefix_range(arena, args[1]->s, ret, err);
}

static fl_status count_hits(fl_call *call, fl_str x, fl_str from, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = 0;
    for (int64_t at = 0; from.len > 0;) {
        FL_TRY(fl_text_find(call, x, at, from, &at, err));
        if (at < 0)
            break;
        ++*ret;
        at += from.len;
    }
cleanup:
    return st;
}

static fl_status replace_row(fl_call *call, fl_str x, fl_str from, fl_str to, fl_view *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t hits, len = 0, hit;
    char *out;
    FL_TRY(count_hits(call, x, from, &hits, err));
    if (hits == 0) {
        *ret = fl_view_of(x.len == 0 ? "" : x.data, x.len);
        return FL_OK;
    }
    if (to.len > from.len && hits > (FL_TEXT_BYTES_MAX - x.len) / (to.len - from.len))
        return fl_text_fail_long(err);
    FL_TRY(fl_call_room(call, x.len + hits * (to.len - from.len) + 1, &out, err));
    for (int64_t at = 0;; at = hit + from.len) {
        FL_TRY(fl_text_find(call, x, at, from, &hit, err));
        int64_t kept = (hit < 0 ? x.len : hit) - at;
        if (kept > 0)
            memcpy(out + len, x.data + at, (size_t)kept);
        len += kept;
        if (hit < 0)
            break;
        if (to.len > 0)
            memcpy(out + len, to.data, (size_t)to.len);
        len += to.len;
    }
    FL_ASSERT(len == x.len + hits * (to.len - from.len));
    *ret = fl_view_of(out, len);
cleanup:
    return st;
}

static fl_status replace(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++)
        st = replace_row(call, fl_text_arg(call, 0, row), fl_text_arg(call, 1, row), fl_text_arg(call, 2, row),
                         &fl_ret_view(call)[row], err);
    return st;
}

/* Each character found in `from` becomes the one at its place in `to`, or goes where `to` is shorter. */
static fl_status translate(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_view *ret = fl_ret_view(call);
    fl_char_set set = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row), from = fl_text_arg(call, 1, row), to = fl_text_arg(call, 2, row);
        char *out;
        int64_t len = 0;
        FL_TRY(fl_char_set_make(call, from, to, &set, err));
        FL_TRY(fl_call_room(call, x.len * 4 + 1, &out, err));
        for (int64_t i = 0; i < x.len;) {
            int width;
            fl_str put;
            uint32_t code = fl_utf8_decode(x.data + i, x.len - i, &width);
            if (!fl_char_set_find(&set, code, &put))
                put = (fl_str){x.data + i, width};
            if (put.len > 0)
                memcpy(out + len, put.data, (size_t)put.len);
            len += put.len;
            i += width;
            FL_TRY(fl_call_work(call, 8, err));
        }
        ret[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

static fl_status overlay(fl_call *call, fl_err *err)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        ret[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        fl_str x = fl_text_arg(call, 0, row), y = fl_text_arg(call, 1, row);
        int64_t from = fl_text_arg_i64(call, 2, row), behind;
        int64_t count = call->n_args == 4 ? fl_text_arg_i64(call, 3, row) : fl_utf8_count(y.data, y.len);
        if (from <= 0)
            return fl_err_state(
                err, "22011",
                FL_FAIL(err, FL_ERR_VALUE, "overlay counts characters from 1, not %lld", (long long)from));
        if (__builtin_add_overflow(from - 1, count, &behind))
            behind = INT64_MAX;
        int64_t head = fl_utf8_offset(x.data, x.len, from - 1),
                tail = fl_utf8_offset(x.data, x.len, behind < 0 ? 0 : behind);
        int64_t len = head + y.len + (x.len - tail);
        char *out;
        fl_status st = fl_call_work(call, x.len / 8, err);
        if (st != FL_OK)
            return st;
        st = len > FL_TEXT_BYTES_MAX ? fl_text_fail_long(err) : fl_call_room(call, len + 1, &out, err);
        if (st != FL_OK)
            return st;
        if (head > 0)
            memcpy(out, x.data, (size_t)head);
        if (y.len > 0)
            memcpy(out + head, y.data, (size_t)y.len);
        if (x.len > tail)
            memcpy(out + head + y.len, x.data + tail, (size_t)(x.len - tail));
        ret[row] = fl_view_of(out, len);
    }
    return FL_OK;
}

static fl_status reverse(fl_call *call, fl_err *err)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        char *out;
        fl_status st = fl_call_room(call, x.len + 1, &out, err);
        if (st != FL_OK)
            return st;
        for (int64_t i = 0; i < x.len;) {
            int width = fl_utf8_width(x.data + i, x.len - i);
            width = width > 0 ? width : 1;
            memcpy(out + x.len - i - width, x.data + i, (size_t)width);
            i += width;
            st = fl_call_work(call, 4, err);
            if (st != FL_OK)
                return st;
        }
        ret[row] = fl_view_of(out, x.len);
    }
    return FL_OK;
}

static fl_status repeat(fl_call *call, fl_err *err)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t n = fl_text_arg_i64(call, 1, row);
        ret[row] = (fl_view){0};
        if (!fl_call_wants(call, row) || n <= 0 || x.len == 0)
            continue;
        if (n > FL_TEXT_BYTES_MAX / x.len)
            return fl_text_fail_long(err);
        char *out;
        fl_status st = fl_call_room(call, n * x.len, &out, err);
        if (st != FL_OK)
            return st;
        st = fl_text_fill(call, out, n * x.len, x, err);
        if (st != FL_OK)
            return st;
        ret[row] = fl_view_of(out, n * x.len);
    }
    return FL_OK;
}

#define TWO_TEXTS FL_ARGS(FL_UTF8, FL_UTF8)
#define THREE_TEXTS FL_ARGS(FL_UTF8, FL_UTF8, FL_UTF8)

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("strpos", "strpos(x, y): where y first lies in x, counted from one; else 0",
                 {TWO_TEXTS, FL_I32, 0, strpos}),
    FL_TEXT_FUNC("instr", "instr(x, y): as strpos", {TWO_TEXTS, FL_I32, 0, strpos}),
    FL_TEXT_FUNC_RANGED("starts_with", "starts_with(x, y): whether x begins with y", NULL, starts_with_range,
                        {TWO_TEXTS, FL_BOOL, 0, starts_with}),
    FL_TEXT_FUNC_RANGED("prefix", "prefix(x, y): as starts_with", NULL, starts_with_range,
                        {TWO_TEXTS, FL_BOOL, 0, starts_with}),
    FL_TEXT_FUNC_RANGED("^@", "x ^@ y: as starts_with", NULL, starts_with_range, {TWO_TEXTS, FL_BOOL, 0, starts_with}),
    FL_TEXT_FUNC("suffix", "suffix(x, y): as ends_with", {TWO_TEXTS, FL_BOOL, 0, ends_with}),
    FL_TEXT_FUNC("ends_with", "ends_with(x, y): whether x ends with y", {TWO_TEXTS, FL_BOOL, 0, ends_with}),
    FL_TEXT_FUNC("contains", "contains(x, y): whether y lies in x", {TWO_TEXTS, FL_BOOL, 0, contains}),
    FL_TEXT_FUNC("replace", "replace(x, a, b): every a in x becomes b", {THREE_TEXTS, FL_UTF8, 0, replace}),
    FL_TEXT_FUNC("translate", "translate(x, a, b): every character of a becomes the one at its place in b",
                 {THREE_TEXTS, FL_UTF8, 0, translate}),
    FL_TEXT_FUNC("overlay", "overlay(x PLACING y FROM a FOR n): y instead of n characters from the a-th",
                 {FL_ARGS(FL_UTF8, FL_UTF8, FL_I64), FL_UTF8, FL_CAN_FAIL, overlay},
                 {FL_ARGS(FL_UTF8, FL_UTF8, FL_I64, FL_I64), FL_UTF8, FL_CAN_FAIL, overlay}),
    FL_TEXT_FUNC("reverse", "reverse(x): the characters backwards", {FL_ARGS(FL_UTF8), FL_UTF8, 0, reverse}),
    FL_TEXT_FUNC("repeat", "repeat(x, n): n times x", {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, FL_CAN_FAIL, repeat}),
};

FL_FUNC_SET(search, funcs);
