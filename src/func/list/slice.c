/* list_slice(x, from, to), which l[from:to] calls: part of a list or of a text, both ends included.
 *
 * Positions count from one, negative ones from the end. What lies outside is left out, so that a slice never fails; an
 * empty range gives an empty list or text. A list's slice is another entry over the same elements. */
#include "base/utf8.h"
#include "exec/func.h"

/* Elements [*start, *start + n) of `len`, counted from 0; returns n. */
static int64_t range_of(int64_t from, int64_t to, int64_t len, int64_t *start)
{
    from = from < 0 ? from + len + 1 : from;
    to = to < 0 ? to + len + 1 : to;
    from = from < 1 ? 1 : from;
    to = to > len ? len : to;
    *start = from - 1;
    return to < from ? 0 : to - from + 1;
}

static fl_status slice_list(fl_call *call, fl_err *err)
{
    (void)err;
    const fl_list_entry *lists = call->args[0].data;
    fl_list_entry *ret = (fl_list_entry *)(uintptr_t)call->ret->data;
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start, n = 0;
        if (fl_vec_is_valid(&call->args[0], row))
            n = range_of(fl_arg_i64(call, 1)[row], fl_arg_i64(call, 2)[row], lists[row].len, &start);
        ret[row] = n == 0 ? (fl_list_entry){0} : (fl_list_entry){(int32_t)(lists[row].start + start), (int32_t)n};
    }
    call->ret->child = call->args[0].child;
    call->ret->child_rows = call->args[0].child_rows;
    return FL_OK;
}

static fl_status slice_text(fl_call *call, fl_err *err)
{
    (void)err;
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        ret[row] = (fl_view){0};
        if (!fl_vec_is_valid(&call->args[0], row))
            continue;
        fl_str x = fl_vec_str(&call->args[0], row);
        int64_t start,
            n = range_of(fl_arg_i64(call, 1)[row], fl_arg_i64(call, 2)[row], fl_utf8_count(x.data, x.len), &start);
        if (n == 0)
            continue;
        int64_t at = fl_utf8_offset(x.data, x.len, start);
        ret[row] = fl_view_of(x.data + at, fl_utf8_offset(x.data + at, x.len - at, n));
    }
    return FL_OK;
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    bool is_text = n_args == 3 && (args[0].id == FL_UTF8 || args[0].id == FL_NULL);
    if (n_args != 3 || (!is_text && args[0].id != FL_LIST))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list or a text and two positions were expected");
    for (int32_t i = 1; i < 3; i++)
        if (args[i].id != FL_NULL && !fl_cast_is_implicit(args[i], FL_TYPE(FL_I64), NULL))
            return FL_FAIL(err, FL_ERR_FUNCTION, "positions are integers");
    fl_type type = is_text ? FL_TYPE(FL_UTF8) : args[0];
    *ret = (fl_func_choice){.args = {type, FL_TYPE(FL_I64), FL_TYPE(FL_I64)},
                            .n_args = 3,
                            .ret = type,
                            .run = is_text ? slice_text : slice_list};
    return FL_OK;
}

#define SLICE(text, help) \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_NULL_GIVES_NULL, .resolve = resolve, .doc = help}

static const fl_func_desc funcs[] = {
    SLICE("list_slice", "list_slice(x, from, to): as x[from:to], part of a list or of a text, both ends included"),
    SLICE("array_slice", "array_slice(x, from, to): as list_slice"),
};

FL_FUNC_SET(slice, funcs);
