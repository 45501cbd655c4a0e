/* Sizes for people: format_bytes and its kin, parse_formatted_bytes, and bar, which draws a number. */
#include "base/number.h"
#include "func/text/text.h"

#include <math.h>
#include <stdio.h>

/* ---- sizes --------------------------------------------------------------------------------------------------------- */

/* One digit behind the point, cut off, in the greatest unit of which there is one. */
static fl_status put_size(fl_call *call, int32_t row, int64_t unit, const char *const *names, fl_err *err)
{
    int64_t x = fl_text_arg_i64(call, 0, row);
    uint64_t size = x < 0 ? 0 - (uint64_t)x : (uint64_t)x, per = 1;
    char out[48];
    int n = 0, len;
    while (names[n + 1] != NULL && size / per >= (uint64_t)unit) {
        per *= (uint64_t)unit;
        n++;
    }
    uint64_t rest = (uint64_t)((fl_u128)(size % per) * 10 / per);
    const char *sign = x < 0 ? "-" : "";
    if (n == 0)
        len = snprintf(out, sizeof(out), "%s%llu %s", sign, (unsigned long long)size, size == 1 ? "byte" : "bytes");
    else
        len = snprintf(out, sizeof(out), "%s%llu.%llu %s", sign, (unsigned long long)(size / per),
                       (unsigned long long)rest, names[n]);
    return fl_text_keep(call, (fl_str){out, len}, &fl_ret_view(call)[row], err);
}

static const char *const binary_names[] = {"", "KiB", "MiB", "GiB", "TiB", "PiB", NULL};
static const char *const decimal_names[] = {"", "kB", "MB", "GB", "TB", "PB", NULL};

static fl_status format_binary(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++)
        st = put_size(call, row, 1024, binary_names, err);
    return st;
}

static fl_status format_decimal(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++)
        st = put_size(call, row, 1000, decimal_names, err);
    return st;
}

/* PostgreSQL's: a unit is left when there would be ten times as many of it as make the next; halves are rounded away from zero. */
static fl_status size_pretty(fl_call *call, fl_err *err)
{
    static const char *const names[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        int64_t x = fl_text_arg_i64(call, 0, row);
        uint64_t size = x < 0 ? 0 - (uint64_t)x : (uint64_t)x, halves = size >> 9;
        char out[48];
        int n = size < 10240 ? 0 : 1;
        for (; n > 0 && n < 5 && halves >= 20479; n++)
            halves >>= 10;
        int len = snprintf(out, sizeof(out), "%s%llu %s", x < 0 ? "-" : "",
                           (unsigned long long)(n == 0 ? size : (halves + 1) / 2), names[n]);
        st = fl_text_keep(call, (fl_str){out, len}, &fl_ret_view(call)[row], err);
    }
    return st;
}

static bool unit_of(fl_str name, uint64_t *ret)
{
    static const struct {
        const char *names[4];
        uint64_t unit;
    } units[] = {{{"b", "byte", "bytes"}, 1}, {{"kb", "k"}, 1000},          {{"mb", "m"}, 1000000},
                 {{"gb", "g"}, 1000000000},   {{"tb", "t"}, 1000000000000}, {{"kib"}, 1ull << 10},
                 {{"mib"}, 1ull << 20},       {{"gib"}, 1ull << 30},        {{"tib"}, 1ull << 40}};
    for (int i = 0; i < FL_LEN(units); i++)
        for (int k = 0; k < 4 && units[i].names[k] != NULL; k++)
            if (fl_str_is_equal_nocase(name, fl_str_of(units[i].names[k]))) {
                *ret = units[i].unit;
                return true;
            }
    return false;
}

static fl_status parse_bytes(fl_call *call, fl_err *err)
{
    for (int32_t row = 0; row < call->rows; row++) {
        fl_str x = fl_text_arg(call, 0, row);
        char number[32] = {0};
        int64_t at = 0, n = 0;
        uint64_t unit;
        fl_ret_u64(call)[row] = 0;
        if (!fl_call_wants(call, row))
            continue;
        while (at < x.len && x.data[at] == ' ')
            at++;
        while (at < x.len && n < 31 && ((x.data[at] >= '0' && x.data[at] <= '9') || x.data[at] == '.'))
            number[n++] = x.data[at++];
        while (at < x.len && x.data[at] == ' ')
            at++;
        while (x.len > at && x.data[x.len - 1] == ' ')
            x.len--;
        double size = 0;
        if (fl_double_parse((fl_str){number, n}, &size) != 0 || !unit_of((fl_str){x.data + at, x.len - at}, &unit) ||
            size * (double)unit >= 18446744073709551616.0) {
            fl_status st = FL_FAIL(err, FL_ERR_VALUE, "\"%.*s\" is no size", (int)(x.len < 60 ? x.len : 60), x.data);
            fl_err_hint(err, "sizes are written as 16 KiB, 1.5 GB, 100 bytes");
            return fl_err_state(err, "22023", st);
        }
        fl_ret_u64(call)[row] = (uint64_t)(size * (double)unit);
    }
    return FL_OK;
}

/* ---- bar ----------------------------------------------------------------------------------------------------------- */

#define BAR_WIDTH_MAX 1000

/* Eighths of a character from the left, U+258F to U+2589; eight are U+2588. All have three bytes. */
static int64_t put_eighths(int eighths, char *ret)
{
    return fl_utf8_encode((uint32_t)(0x2590 - eighths), ret);
}

static fl_status bar_arg(const fl_call *call, int32_t row, double ret[4])
{
    for (int32_t i = 0; i < 4; i++) {
        const fl_vec *arg = &call->args[i < call->n_args ? i : 0];
        ret[i] = i < call->n_args ? ((const double *)arg->data)[fl_vec_row(arg, row)] : 80;
    }
    return FL_OK;
}

static fl_status bar(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        double a[4];
        char *out;
        int64_t len = 0, columns = 0;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        FL_TRY(bar_arg(call, row, a));
        double x = a[0], min = a[1], max = a[2], width = a[3];
        if (!(width >= 1 && width <= BAR_WIDTH_MAX))
            return fl_err_state(
                err, "22023",
                FL_FAIL(err, FL_ERR_VALUE, "a bar is 1 to %d characters wide, not %g", BAR_WIDTH_MAX, width));
        if (!isfinite(min) || !isfinite(max))
            return fl_err_state(err, "22023", FL_FAIL(err, FL_ERR_VALUE, "the ends of a bar are finite"));
        double filled = !(x > min) ? 0 : x >= max ? width : width * ((x - min) / (max - min));
        int64_t eighths = filled > 0 ? (int64_t)(filled * 8) : 0, whole = (int64_t)width;
        FL_TRY(fl_call_room(call, 3 * whole + 8, &out, err));
        for (; eighths > 0; columns++, eighths -= 8) /* a width of 9.5 has room for half a tenth */
            len += put_eighths(eighths >= 8 ? 8 : (int)eighths, out + len);
        for (; columns < whole; columns++)
            out[len++] = ' ';
        fl_ret_view(call)[row] = fl_view_of(out, len);
    }
cleanup:
    return st;
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("format_bytes", "format_bytes(n): a size in KiB, MiB, ...",
                 {FL_ARGS(FL_I64), FL_UTF8, 0, format_binary}),
    FL_TEXT_FUNC("formatReadableDecimalSize", "formatReadableDecimalSize(n): a size in kB, MB, ...",
                 {FL_ARGS(FL_I64), FL_UTF8, 0, format_decimal}),
    FL_TEXT_FUNC("pg_size_pretty", "pg_size_pretty(n): a size in bytes, kB, MB, ... of 1024 each",
                 {FL_ARGS(FL_I64), FL_UTF8, 0, size_pretty}),
    FL_TEXT_FUNC("parse_formatted_bytes", "parse_formatted_bytes(x): the bytes of a size as '16 KiB'",
                 {FL_ARGS(FL_UTF8), FL_U64, FL_CAN_FAIL, parse_bytes}),
    FL_TEXT_FUNC("bar", "bar(x, min, max [, width]): a bar that is as wide (80 characters) as x is near to max",
                 {FL_ARGS(FL_F64, FL_F64, FL_F64), FL_UTF8, FL_CAN_FAIL, bar},
                 {FL_ARGS(FL_F64, FL_F64, FL_F64, FL_F64), FL_UTF8, FL_CAN_FAIL, bar}),
};

FL_FUNC_SET(size, funcs);
