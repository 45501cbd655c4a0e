/* url_encode, url_decode (RFC 3986), and hive_partition_component, which writes names and values of folders that way. */
#include "func/text/text.h"

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

static int64_t encode(fl_str x, char *ret)
{
    static const char digits[] = "0123456789ABCDEF";
    int64_t len = 0;
    for (int64_t i = 0; i < x.len; i++) {
        uint8_t byte = (uint8_t)x.data[i];
        if (is_plain(x.data[i])) {
            ret[len++] = x.data[i];
            continue;
        }
        ret[len++] = '%';
        ret[len++] = digits[byte >> 4];
        ret[len++] = digits[byte & 15];
    }
    return len;
}

static fl_status url_encode(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        if (x.len > FL_TEXT_BYTES_MAX / 3)
            return fl_text_fail_long(err);
        FL_TRY(fl_call_room(call, 3 * x.len + 1, &out, err));
        fl_ret_view(call)[row] = fl_view_of(out, encode(x, out));
        FL_TRY(fl_call_work(call, 2 * x.len, err));
    }
cleanup:
    return st;
}

static int value_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* A percent sign without two digits behind it stands for itself. */
static fl_status url_decode(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        int64_t len = 0;
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        FL_TRY(fl_call_room(call, x.len + 1, &out, err));
        for (int64_t i = 0; i < x.len; i++) {
            int high = x.data[i] == '%' && i + 2 < x.len ? value_of(x.data[i + 1]) : -1;
            int low = high >= 0 ? value_of(x.data[i + 2]) : -1;
            out[len++] = low >= 0 ? (char)(high << 4 | low) : x.data[i];
            i += low >= 0 ? 2 : 0;
        }
        if (!fl_utf8_is_valid(out, len))
            return fl_err_state(err, "22021",
                                FL_FAIL(err, FL_ERR_VALUE, "what \"%.*s\" stands for is no UTF-8",
                                        (int)(x.len < 60 ? x.len : 60), x.data));
        FL_TRY(fl_call_work(call, 2 * x.len, err));
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

static fl_status partition(fl_call *call, fl_err *err)
{
    static const fl_str missing = {"__HIVE_DEFAULT_PARTITION__", 26};
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        char *out;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_vec_is_valid(&call->args[0], row)) {
            fl_bit_clear(fl_call_valid(call), row);
            continue;
        }
        bool has_value = fl_vec_is_valid(&call->args[1], row);
        fl_str name = fl_text_arg(call, 0, row), value = has_value ? fl_text_arg(call, 1, row) : missing;
        if (!fl_call_wants(call, row))
            continue;
        if (name.len + value.len > FL_TEXT_BYTES_MAX / 4)
            return fl_text_fail_long(err);
        FL_TRY(fl_call_room(call, 3 * (name.len + value.len) + 2, &out, err));
        int64_t len = encode(name, out);
        out[len++] = '=';
        len += encode(value, out + len);
        fl_ret_view(call)[row] = fl_view_of(out, len);
        FL_TRY(fl_call_work(call, 2 * len, err));
    }
cleanup:
    return st;
}

static fl_status resolve_partition(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 2 || (args[0].id != FL_UTF8 && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a name and a value were expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8), FL_TYPE(FL_UTF8)},
                            .n_args = 2,
                            .ret = FL_TYPE(FL_UTF8),
                            .traits = FL_CAN_FAIL,
                            .run = partition};
    return FL_OK;
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("url_encode", "url_encode(x): bytes other than letters, digits and -._~ become %20 and the like",
                 {FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, url_encode}),
    FL_TEXT_FUNC("url_decode", "url_decode(x): what url_encode wrote",
                 {FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, url_decode}),
    {FL_DESC(fl_func_desc), .name = "hive_partition_component",
     .traits = FL_PURE | FL_SETS_VALID | FL_CONST_ARGS | FL_OFFSETS_ARGS, .resolve = resolve_partition,
     .doc = "hive_partition_component(name, value): the folder name=value, both as url_encode writes them"},
};

FL_FUNC_SET(url, funcs);
