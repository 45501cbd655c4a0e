/* substring, left, right, split_part: parts of a text, as views into it. Positions count characters from one. */
#define _GNU_SOURCE /* memmem */

#include "func/text/text.h"

#include "base/utf8.h"

/* Characters [from, to) of x, counted from 0; a negative `from` is 0. */
static fl_view part(fl_str x, int64_t from, int64_t to)
{
    if (from < 0)
        from = 0;
    if (to <= from)
        return fl_view_of("", 0);
    int64_t start = from == 0 ? 0 : fl_utf8_offset(x.data, x.len, from);
    int64_t len = to == INT64_MAX ? x.len - start : fl_utf8_offset(x.data + start, x.len - start, to - from);
    return fl_view_of(x.data + start, len);
}

static fl_status substring2(fl_call *call, fl_err *err)
{
    (void)err;
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t from = fl_text_arg_i64(call, 1, row);
        ret[row] = part(fl_text_arg(call, 0, row), from > 0 ? from - 1 : 0, INT64_MAX);
    }
    return FL_OK;
}

static fl_status substring3(fl_call *call, fl_err *err)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t from = fl_text_arg_i64(call, 1, row), count = fl_text_arg_i64(call, 2, row), end;
        ret[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        if (count < 0)
            return fl_err_state(err, "22011",
                                FL_FAIL(err, FL_ERR_VALUE, "negative length %lld of a substring", (long long)count));
        if (__builtin_add_overflow(from, count, &end))
            end = INT64_MAX;
        ret[row] = part(fl_text_arg(call, 0, row), from > 0 ? from - 1 : 0, end == INT64_MAX ? end : end - 1);
    }
    return FL_OK;
}

static fl_status left(fl_call *call, fl_err *err)
{
    (void)err;
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t n = fl_text_arg_i64(call, 1, row);
        ret[row] = part(x, 0, n >= 0 ? n : fl_utf8_count(x.data, x.len) + n);
    }
    return FL_OK;
}

static fl_status right(fl_call *call, fl_err *err)
{
    (void)err;
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t n = fl_text_arg_i64(call, 1, row);
        ret[row] = part(x, n < 0 ? (n == INT64_MIN ? INT64_MAX - 1 : -n) : fl_utf8_count(x.data, x.len) - n, INT64_MAX);
    }
    return FL_OK;
}

/* The n-th field between separators, from the end where n is negative; empty where there are fewer. */
static fl_str field(fl_str x, fl_str sep, int64_t n)
{
    if (sep.len == 0)
        return n == 1 || n == -1 ? x : (fl_str){x.data, 0};
    if (n < 0) {
        int64_t fields = 1;
        for (fl_str rest = x;;) {
            const char *hit = memmem(rest.data, (size_t)rest.len, sep.data, (size_t)sep.len);
            if (hit == NULL)
                break;
            fields++;
            rest.len -= hit + sep.len - rest.data;
            rest.data = hit + sep.len;
        }
        n = n < -fields ? fields + 1 : fields + 1 + n;
    }
    for (;;) {
        const char *hit = memmem(x.data, (size_t)x.len, sep.data, (size_t)sep.len);
        if (n == 1)
            return hit == NULL ? x : (fl_str){x.data, hit - x.data};
        if (hit == NULL)
            return (fl_str){x.data, 0};
        x.len -= hit + sep.len - x.data;
        x.data = hit + sep.len;
        n--;
    }
}

static fl_status split_part(fl_call *call, fl_err *err)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t n = fl_text_arg_i64(call, 2, row);
        ret[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        if (n == 0)
            return fl_err_state(err, "22023",
                                FL_FAIL(err, FL_ERR_VALUE, "split_part counts fields from 1, or from -1 at the end"));
        fl_str s = field(fl_text_arg(call, 0, row), fl_text_arg(call, 1, row), n);
        ret[row] = fl_view_of(s.data, s.len);
    }
    return FL_OK;
}

#define SUBSTRING(name)                                                               \
    FL_TEXT_FUNC(name, name "(x, from [, count]): characters of x, counted from one", \
                 {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, 0, substring2},                  \
                 {FL_ARGS(FL_UTF8, FL_I64, FL_I64), FL_UTF8, FL_CAN_FAIL, substring3})

static const fl_func_desc funcs[] = {
    SUBSTRING("substring"),
    SUBSTRING("substr"),
    FL_TEXT_FUNC("left", "left(x, n): the first n characters; all but the last -n where n is negative",
                 {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, 0, left}),
    FL_TEXT_FUNC("right", "right(x, n): the last n characters; all but the first -n where n is negative",
                 {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, 0, right}),
    FL_TEXT_FUNC("split_part", "split_part(x, separator, n): the n-th field",
                 {FL_ARGS(FL_UTF8, FL_UTF8, FL_I64), FL_UTF8, FL_CAN_FAIL, split_part}),
};

FL_FUNC_SET(substring, funcs);
