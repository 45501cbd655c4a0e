/* || (null with null), concat and concat_ws (nulls are left out). */
#include "func/text/text.h"

/* Room for a result: inside the view when it is short. */
static fl_status room(fl_call *call, int64_t len, char *small, char **ret, fl_err *err)
{
    *ret = small;
    if (len <= FL_VIEW_INLINE_MAX)
        return FL_OK;
    if (len > FL_TEXT_BYTES_MAX)
        return fl_text_fail_long(err);
    return fl_call_room(call, len, ret, err);
}

static fl_status join2(fl_call *call, fl_err *err)
{
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str a = fl_text_arg(call, 0, row), b = fl_text_arg(call, 1, row);
        char small[FL_VIEW_INLINE_MAX], *out;
        fl_status st = room(call, a.len + b.len, small, &out, err);
        if (st == FL_OK)
            st = fl_call_work(call, (a.len + b.len) / 8, err);
        if (st != FL_OK)
            return st;
        if (a.len > 0)
            memcpy(out, a.data, (size_t)a.len);
        if (b.len > 0)
            memcpy(out + a.len, b.data, (size_t)b.len);
        ret[row] = fl_view_of(out, a.len + b.len);
    }
    return FL_OK;
}

/* Text (or a literal without a type) with anything that casts to text; bytea with bytea. */
static fl_status resolve_join(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 2)
        return FL_FAIL(err, FL_ERR_FUNCTION, "|| has two sides");
    fl_type a = args[0], b = args[1];
    bool is_binary =
        (a.id == FL_BINARY && (b.id == FL_BINARY || b.id == FL_NULL)) || (b.id == FL_BINARY && a.id == FL_NULL);
    bool is_text = !is_binary && (a.id == FL_UTF8 || b.id == FL_UTF8 || a.id == FL_NULL || b.id == FL_NULL);
    if (!is_text && !is_binary)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one side of || must be text");
    fl_type type = FL_TYPE(is_text ? FL_UTF8 : FL_BINARY);
    *ret = (fl_func_choice){.args = {type, type}, .n_args = 2, .ret = type, .run = join2};
    return FL_OK;
}

/* An argument's text; booleans say t and f here, as in PostgreSQL, where a cast says true and false. */
static fl_str text_of(const fl_call *call, int32_t i, int32_t row)
{
    const fl_vec *arg = &call->args[i];
    if (arg->type.id != FL_BOOL)
        return fl_vec_str(arg, row);
    bool on = arg->layout == FL_CONST ? *(const uint8_t *)arg->data & 1 : fl_bit_get(arg->data, row);
    return on ? FL_STR("t") : FL_STR("f");
}

static fl_status join_row(fl_call *call, int32_t row, int32_t from, fl_str sep, fl_view *ret, fl_err *err)
{
    int64_t len = 0, n = 0;
    for (int32_t i = from; i < call->n_args; i++)
        if (fl_vec_is_valid(&call->args[i], row))
            len += text_of(call, i, row).len + (n++ > 0 ? sep.len : 0);
    char small[FL_VIEW_INLINE_MAX], *out;
    fl_status st = room(call, len, small, &out, err);
    if (st == FL_OK)
        st = fl_call_work(call, len / 8, err);
    if (st != FL_OK)
        return st;
    int64_t at = 0;
    n = 0;
    for (int32_t i = from; i < call->n_args; i++) {
        if (!fl_vec_is_valid(&call->args[i], row))
            continue;
        fl_str x = text_of(call, i, row);
        if (n++ > 0 && sep.len > 0) {
            memcpy(out + at, sep.data, (size_t)sep.len);
            at += sep.len;
        }
        if (x.len > 0)
            memcpy(out + at, x.data, (size_t)x.len);
        at += x.len;
    }
    *ret = fl_view_of(out, len);
    return FL_OK;
}

static fl_status concat(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++)
        st = join_row(call, row, 0, (fl_str){"", 0}, &fl_ret_view(call)[row], err);
    return st;
}

static fl_status concat_ws(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_vec_is_valid(&call->args[0], row))
            fl_bit_clear(fl_call_valid(call), row);
        else
            st = join_row(call, row, 1, fl_text_arg(call, 0, row), &fl_ret_view(call)[row], err);
    }
    return st;
}

static fl_status resolve_all(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args == 0)
        return FL_FAIL(err, FL_ERR_FUNCTION, "an argument was expected");
    ret->n_args = n_args < FL_FUNC_ARGS_MAX ? n_args : FL_FUNC_ARGS_MAX;
    for (int32_t i = 0; i < ret->n_args; i++)
        ret->args[i] = FL_TYPE(args[i].id == FL_BOOL && n_args <= FL_FUNC_ARGS_MAX ? FL_BOOL : FL_UTF8);
    ret->ret = FL_TYPE(FL_UTF8);
    return FL_OK;
}

static fl_status resolve_concat(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    ret->run = concat;
    return resolve_all(args, n_args, ret, err);
}

static fl_status resolve_concat_ws(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    ret->run = concat_ws;
    ret->traits = FL_SETS_VALID;
    if (n_args > 0 && args[0].id != FL_UTF8 && args[0].id != FL_NULL)
        return FL_FAIL(err, FL_ERR_FUNCTION, "the separator must be text");
    return resolve_all(args, n_args, ret, err);
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "||", .traits = FL_ANY_TYPE | FL_TEXT_TRAITS, .resolve = resolve_join,
     .doc = "a || b: a, then b"},
    {FL_DESC(fl_func_desc), .name = "concat", .traits = FL_ANY_TYPE | (FL_TEXT_TRAITS & ~(uint32_t)FL_NULL_GIVES_NULL),
     .resolve = resolve_concat, .doc = "concat(a, b, ...): all of them that are not null"},
    {FL_DESC(fl_func_desc), .name = "concat_ws",
     .traits = FL_ANY_TYPE | (FL_TEXT_TRAITS & ~(uint32_t)FL_NULL_GIVES_NULL), .resolve = resolve_concat_ws,
     .doc = "concat_ws(separator, a, b, ...): all that are not null, with the separator between"},
};

FL_FUNC_SET(concat, funcs);
