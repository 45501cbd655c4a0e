/* substring, left, right, split_part: parts of a text, as views into it. Positions count characters from one; where substring
 * finds a text instead of a position, it is a regular expression (PostgreSQL, section 9.7.3). */
#include "func/text/regex.h"
#include "func/text/text.h"

#include "base/utf8.h"

/* Characters [from, to) of x, counted from 0; a negative `from` is 0. */
static fl_status part(fl_call *call, int32_t row, int64_t from, int64_t to, fl_err *err)
{
    fl_str x = fl_text_arg(call, 0, row);
    if (from < 0)
        from = 0;
    int64_t start = from == 0 ? 0 : fl_utf8_offset(x.data, x.len, from);
    int64_t len = to <= from        ? 0
                  : to == INT64_MAX ? x.len - start
                                    : fl_utf8_offset(x.data + start, x.len - start, to - from);
    fl_ret_view(call)[row] = fl_view_of(len == 0 ? "" : x.data + start, len);
    return fl_call_work(call, (start + len) / 8, err);
}

static fl_status substring2(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        int64_t from = fl_text_arg_i64(call, 1, row);
        st = part(call, row, from > 0 ? from - 1 : 0, INT64_MAX, err);
    }
    return st;
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
        fl_status st = part(call, row, from > 0 ? from - 1 : 0, end <= 0 ? 0 : end == INT64_MAX ? end : end - 1, err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

/* A constant pattern, compiled once; one with a mistake is told about when a row asks for it. */
static fl_status prepare_pattern(const fl_func_desc *func, fl_arena *arena, const fl_value *const *args, int32_t n_args,
                                 void **ret, fl_err *err)
{
    (void)func;
    fl_regex *regex;
    (void)err;
    *ret = NULL;
    if (n_args == 2 && args[1] != NULL && !args[1]->is_null && args[1]->type.id == FL_UTF8 &&
        fl_regex_compile(arena, args[1]->s, 0, &regex, NULL) == FL_OK)
        *ret = regex;
    return FL_OK;
}

/* The leftmost match, or its first group where the pattern has one; null where there is none. */
static fl_status substring_regex(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_regex_run run;
    uint64_t *own_valid = NULL;
    fl_regex *regex = NULL;
    fl_str compiled = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        bool found;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(&call->args[0], row) || !fl_vec_is_valid(&call->args[1], row))
            continue;
        fl_str x = fl_text_arg(call, 0, row), pattern = fl_text_arg(call, 1, row);
        if (regex == NULL || (call->state == NULL && !fl_str_is_equal(pattern, compiled))) {
            regex = call->state;
            compiled = pattern;
            if (regex == NULL)
                FL_TRY(fl_regex_compile(call->heap, pattern, 0, &regex, err));
            FL_TRY(fl_regex_run_init(&run, regex, true, call->heap, err));
        }
        fl_regex_begin(&run, x);
        FL_TRY(fl_regex_search(&run, 0, &found, err));
        const int64_t *cap = run.caps + (run.n_caps > 2 ? 2 : 0);
        if (found && cap[0] >= 0 && cap[1] >= 0) {
            fl_ret_view(call)[row] = fl_view_of(cap[1] == cap[0] ? "" : x.data + cap[0], cap[1] - cap[0]);
            continue;
        }
        if (own_valid == NULL)
            FL_TRY(fl_call_own_valid(call, &own_valid, err));
        fl_bit_clear(own_valid, row);
    }
cleanup:
    return st;
}

static fl_status left(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t n = fl_text_arg_i64(call, 1, row);
        st = part(call, row, 0, n >= 0 ? n : fl_utf8_count(x.data, x.len) + n, err);
    }
    return st;
}

static fl_status right(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t n = fl_text_arg_i64(call, 1, row);
        st = part(call, row, n < 0 ? (n == INT64_MIN ? INT64_MAX - 1 : -n) : fl_utf8_count(x.data, x.len) - n,
                  INT64_MAX, err);
    }
    return st;
}

/* The n-th field between separators, from the end where n is negative; empty where there are fewer. */
static fl_status field(fl_call *call, fl_str x, fl_str sep, int64_t n, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t at = 0, hit;
    *ret = n == 1 || n == -1 ? x : (fl_str){x.data, 0};
    if (sep.len == 0)
        return FL_OK;
    if (n < 0) {
        int64_t fields = 0;
        for (hit = -sep.len; hit >= 0 || fields == 0; fields++)
            FL_TRY(fl_text_find(call, x, hit + sep.len, sep, &hit, err));
        n = n < -fields ? fields + 1 : fields + 1 + n;
    }
    FL_TRY(fl_text_find(call, x, 0, sep, &hit, err));
    for (; n > 1 && hit >= 0; n--) {
        at = hit + sep.len;
        FL_TRY(fl_text_find(call, x, at, sep, &hit, err));
    }
    *ret = n > 1 ? (fl_str){x.data, 0} : (fl_str){x.data + at, (hit < 0 ? x.len : hit) - at};
cleanup:
    return st;
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
        fl_str found;
        fl_status st = field(call, fl_text_arg(call, 0, row), fl_text_arg(call, 1, row), n, &found, err);
        if (st != FL_OK)
            return st;
        ret[row] = fl_view_of(found.data, found.len);
    }
    return FL_OK;
}

#define POSITIONS                                                          \
    {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, 0, substring2},                    \
    {                                                                      \
        FL_ARGS(FL_UTF8, FL_I64, FL_I64), FL_UTF8, FL_CAN_FAIL, substring3 \
    }

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC_PREPARED(
        "substring",
        "substring(x, from [, count]): characters of x, counted from one; substring(x, pattern): what "
        "matches a regular expression, or its first group",
        prepare_pattern, POSITIONS, {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, FL_CAN_FAIL | FL_GIVES_NULL, substring_regex}),
    FL_TEXT_FUNC("substr", "substr(x, from [, count]): characters of x, counted from one", POSITIONS),
    FL_TEXT_FUNC("left", "left(x, n): the first n characters; all but the last -n where n is negative",
                 {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, 0, left}),
    FL_TEXT_FUNC("right", "right(x, n): the last n characters; all but the first -n where n is negative",
                 {FL_ARGS(FL_UTF8, FL_I64), FL_UTF8, 0, right}),
    FL_TEXT_FUNC("split_part", "split_part(x, separator, n): the n-th field",
                 {FL_ARGS(FL_UTF8, FL_UTF8, FL_I64), FL_UTF8, FL_CAN_FAIL, split_part}),
};

FL_FUNC_SET(substring, funcs);
