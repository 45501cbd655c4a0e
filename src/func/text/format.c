/* printf(format, ...) with C's specifiers, and format(format, ...), which has two forms: that of PostgreSQL with %s, %I, %L where the
 * text has a percent sign, else that of DuckDB and Python with {}, {1}, {:>8.2f}.
 *
 * Values come as integers, doubles, decimals, booleans, and all others as texts; a specifier takes what it can show. */
#include "arrow/value.h"
#include "base/number.h"
#include "func/text/text.h"

#include <math.h>
#include <stdio.h>

#define WIDTH_MAX 1000000
#define PRECISION_MAX 1000

typedef struct spec {
    char fill[4]; /* a character */
    int fill_len;
    char align;           /* < > ^, 0: as the value's kind has it */
    char sign;            /* + or a space: what stands before numbers that are not negative */
    char thousands;       /* between groups of three digits; 0: nothing */
    bool is_bits;         /* digits to other bases are those of two's complement */
    bool has_base;        /* 0x before hexadecimal digits */
    bool has_zeros;       /* fill numbers with zeros behind the sign */
    int width, precision; /* precision -1: none */
    char type;            /* 0: as the value's kind has it */
} spec;

static const spec plain = {.fill = " ", .fill_len = 1, .precision = -1};

static fl_status fail(fl_err *err, const char *what, fl_str format)
{
    return fl_err_state(err, "22023",
                        FL_FAIL(err, FL_ERR_VALUE, "the format \"%.*s\" %s", (int)(format.len < 60 ? format.len : 60),
                                format.data, what));
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

static void pad(fl_text *to, const spec *s, int64_t n)
{
    for (; n > 0; n--)
        fl_text_add(to, (fl_str){s->fill, s->fill_len});
}

/* Adds what was made of a value, of so many characters, between what fills the width. */
static void add_padded(fl_text *to, const spec *s, fl_str text, char align)
{
    int64_t left = s->width - fl_utf8_count(text.data, text.len);
    int64_t before = align == '<' ? 0 : align == '^' ? left / 2 : left;
    if (left < 0)
        left = before = 0;
    pad(to, s, before);
    fl_text_add(to, text);
    pad(to, s, left - before);
}

/* A number as its sign or base and its digits, which zeros may come between. */
static void add_number(fl_text *to, const spec *s, fl_str head, fl_str digits, char align)
{
    char room[1400];
    int64_t len = 0, zeros = s->has_zeros && s->align == 0 ? s->width - head.len - digits.len : 0;
    if (zeros <= 0 && head.len + digits.len <= (int64_t)sizeof(room)) {
        memcpy(room, head.data, (size_t)head.len);
        memcpy(room + head.len, digits.data, (size_t)digits.len);
        len = head.len + digits.len;
        add_padded(to, s, (fl_str){room, len}, align);
        return;
    }
    fl_text_add(to, head);
    for (; zeros > 0; zeros--)
        fl_text_add_char(to, '0');
    fl_text_add(to, digits);
}

/* Puts the mark between groups of three digits in front of the point; returns the length. */
static int64_t group(const char *digits, int64_t len, char mark, char *ret)
{
    int64_t whole = 0, out = 0;
    while (whole < len && digits[whole] >= '0' && digits[whole] <= '9')
        whole++;
    for (int64_t i = 0; i < len; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0)
            ret[out++] = mark;
        ret[out++] = digits[i];
    }
    return out;
}

static char sign_of(const spec *s, bool is_negative)
{
    return is_negative ? '-' : s->sign;
}

static fl_status add_integer(fl_text *to, const spec *s, int64_t x, char align)
{
    char digits[72], grouped[96], head[4];
    int base = s->type == 'x' || s->type == 'X' ? 16 : s->type == 'o' ? 8 : s->type == 'b' || s->type == 'B' ? 2 : 10;
    bool is_negative = x < 0 && (base == 10 || !s->is_bits);
    uint64_t rest = is_negative ? 0 - (uint64_t)x : (uint64_t)x;
    int64_t at = sizeof(digits), n = 0;
    do {
        digits[--at] = (s->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[rest % (uint64_t)base];
        rest /= (uint64_t)base;
    } while (rest != 0);
    if (sign_of(s, is_negative) != 0)
        head[n++] = sign_of(s, is_negative);
    if (s->has_base && base != 10) {
        head[n++] = '0';
        if (base != 8)
            head[n++] = s->type;
    }
    fl_str text = {digits + at, (int64_t)sizeof(digits) - at};
    if (s->thousands != 0)
        text = (fl_str){grouped, group(text.data, text.len, s->thousands, grouped)};
    add_number(to, s, (fl_str){head, n}, text, align);
    return FL_OK;
}

static fl_status add_double(fl_text *to, const spec *s, double x, char align)
{
    char digits[PRECISION_MAX + 400], grouped[PRECISION_MAX + 600], pattern[16], head[1];
    int64_t len, n = 0;
    if (sign_of(s, signbit(x) != 0 && !isnan(x)) != 0)
        head[n++] = sign_of(s, signbit(x) != 0 && !isnan(x));
    x = fabs(x);
    if (!isfinite(x)) {
        bool is_large = s->type == 'F' || s->type == 'E' || s->type == 'G';
        len = snprintf(digits, sizeof(digits), "%s", isnan(x) ? (is_large ? "NAN" : "nan") : is_large ? "INF" : "inf");
    } else if (s->type == 0 && s->precision < 0) {
        len = fl_double_print(x, digits);
        if (memchr(digits, '.', (size_t)len) == NULL && memchr(digits, 'e', (size_t)len) == NULL)
            len += snprintf(digits + len, 3, ".0");
    } else {
        snprintf(pattern, sizeof(pattern), "%%%s.*%c", s->has_base ? "#" : "", s->type == 0 ? 'g' : s->type);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        len = snprintf(digits, sizeof(digits), pattern, s->precision < 0 ? 6 : s->precision, x);
#pragma GCC diagnostic pop
    }
    fl_str text = {digits, len};
    if (s->thousands != 0)
        text = (fl_str){grouped, group(digits, len, s->thousands, grouped)};
    add_number(to, s, (fl_str){head, n}, text, align);
    return FL_OK;
}

static void add_text(fl_text *to, const spec *s, fl_str text, char align)
{
    if (s->precision >= 0)
        text.len = fl_utf8_offset(text.data, text.len, s->precision);
    add_padded(to, s, text, align);
}

static bool is_one_of(char c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static fl_status fail_kind(fl_err *err, char type, fl_type value)
{
    return fl_err_state(
        err, "22023",
        FL_FAIL(err, FL_ERR_VALUE, "the specifier %c shows no value of type %s", type, FL_TYPE_NAME(value)));
}

/* is_c: as printf has it, where all is at the right. */
static fl_status add_value(fl_call *call, fl_text *to, const spec *s, int32_t arg, int32_t row, bool is_c, fl_err *err)
{
    fl_value value;
    char align = s->align != 0 ? s->align : '>', text_align = s->align != 0 ? s->align : is_c ? '>' : '<', small[8];
    fl_status st = fl_value_from_vec(call->heap, &call->args[arg], row, &value, err);
    if (st != FL_OK)
        return st;
    FL_ASSERT(!value.is_null);
    if (value.type.id == FL_BOOL && is_one_of(s->type, "diuxXob")) {
        value.i = value.b;
        value.type = FL_TYPE(FL_I64);
    }
    if (value.type.id == FL_I64 && is_one_of(s->type, "feEgGF")) {
        value.f = (double)value.i;
        value.type = FL_TYPE(FL_F64);
    }
    if (value.type.id == FL_DECIMAL && (s->type != 's' || s->precision >= 0)) {
        fl_value number;
        FL_ASSERT(fl_value_cast(&value, FL_TYPE(FL_F64), &number, NULL) == FL_OK);
        value = number;
    }
    switch (value.type.id) {
    case FL_I64:
        if (s->type == 'c') {
            if (value.i < 1 || value.i > 0x10FFFF || (value.i >= 0xD800 && value.i < 0xE000))
                return FL_FAIL(err, FL_ERR_LIMIT, "%lld is no character's code point", (long long)value.i);
            add_padded(to, s, (fl_str){small, fl_utf8_encode((uint32_t)value.i, small)}, text_align);
            return FL_OK;
        }
        return s->type == 0 || is_one_of(s->type, "diuxXobBs") ? add_integer(to, s, value.i, align)
                                                               : fail_kind(err, s->type, value.type);
    case FL_F64: {
        spec own = *s;
        own.type = s->type == 's' ? 0 : s->type;
        return own.type == 0 || is_one_of(own.type, "feEgGF") ? add_double(to, &own, value.f, align)
                                                              : fail_kind(err, s->type, value.type);
    }
    default:
        if (s->type != 0 && s->type != 's')
            return fail_kind(err, s->type, value.type);
        if (value.type.id == FL_UTF8) {
            add_text(to, s, value.s, text_align);
            return FL_OK;
        }
        fl_text text;
        fl_text_init(&text, NULL);
        fl_value_print(&text, &value);
        st = fl_text_status(&text, err);
        if (st == FL_OK)
            add_text(to, s, fl_text_str(&text), text_align);
        fl_text_drop(&text);
        return st;
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static bool read_number(fl_str x, int64_t *at, int max, int *ret)
{
    int64_t from = *at;
    *ret = 0;
    for (; *at < x.len && x.data[*at] >= '0' && x.data[*at] <= '9' && *ret <= max; ++*at)
        *ret = *ret * 10 + (x.data[*at] - '0');
    return *at > from && *ret <= max;
}

static char char_at(fl_str x, int64_t at)
{
    return at < x.len ? x.data[at] : 0;
}

/* What may follow the flags: width, precision. */
static bool read_sizes(fl_str x, int64_t *at, spec *s)
{
    char c = char_at(x, *at);
    if (c >= '0' && c <= '9' && !read_number(x, at, WIDTH_MAX, &s->width))
        return false;
    if (char_at(x, *at) != '.')
        return true;
    ++*at;
    c = char_at(x, *at);
    s->precision = 0;
    return !(c >= '0' && c <= '9') || read_number(x, at, PRECISION_MAX, &s->precision);
}

/* Behind a %: flags, width, precision, lengths (which say nothing here), the specifier. */
static bool read_c_spec(fl_str x, int64_t *at, spec *s)
{
    s->is_bits = true;
    for (; is_one_of(char_at(x, *at), "-+ #0,'_"); ++*at) {
        char c = x.data[*at];
        if (c == '-')
            s->align = '<';
        else if (c == '+' || (c == ' ' && s->sign == 0))
            s->sign = c;
        else if (c == '#')
            s->has_base = true;
        else if (c == '0')
            s->has_zeros = true;
        else
            s->thousands = c;
    }
    if (!read_sizes(x, at, s))
        return false;
    while (is_one_of(char_at(x, *at), "hlLqjzt"))
        ++*at;
    s->type = char_at(x, *at);
    ++*at;
    return is_one_of(s->type, "diuxXofFeEgGsc");
}

/* Behind a colon: [[fill]align][sign][#][0][width][,][.precision][type]. */
static bool read_python_spec(fl_str x, int64_t *at, spec *s)
{
    int width = *at < x.len ? fl_utf8_width(x.data + *at, x.len - *at) : 0;
    if (width > 0 && is_one_of(char_at(x, *at + width), "<>^") && x.data[*at] != '}') {
        memcpy(s->fill, x.data + *at, (size_t)width);
        s->fill_len = width;
        *at += width;
    }
    if (is_one_of(char_at(x, *at), "<>^"))
        s->align = x.data[(*at)++];
    if (is_one_of(char_at(x, *at), "+- ")) {
        s->sign = x.data[*at] == '-' ? 0 : x.data[*at];
        ++*at;
    }
    if (char_at(x, *at) == '#') {
        s->has_base = true;
        ++*at;
    }
    if (char_at(x, *at) == '0') {
        s->has_zeros = true;
        ++*at;
    }
    char c = char_at(x, *at);
    if (c >= '0' && c <= '9' && !read_number(x, at, WIDTH_MAX, &s->width))
        return false;
    if (is_one_of(char_at(x, *at), ",_'"))
        s->thousands = x.data[(*at)++];
    if (!read_sizes(x, at, s))
        return false;
    if (char_at(x, *at) == 't' && *at + 1 < x.len) { /* DuckDB's {:t_} */
        s->thousands = x.data[*at + 1];
        *at += 2;
    }
    if (char_at(x, *at) != '}')
        s->type = x.data[(*at)++];
    return s->type == 0 || is_one_of(s->type, "dxXobBfFeEgGsc");
}

/* ---- the three forms ----------------------------------------------------------------------------------------------- */

static fl_status add_printf(fl_call *call, int32_t row, fl_text *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str x = fl_text_arg(call, 0, row);
    int32_t arg = 1;
    for (int64_t at = 0; at < x.len && st == FL_OK;) {
        spec s = plain;
        if (x.data[at] != '%' || char_at(x, at + 1) == '%') {
            fl_text_add_char(to, x.data[at]);
            at += x.data[at] == '%' ? 2 : 1;
            continue;
        }
        at++;
        if (!read_c_spec(x, &at, &s))
            return fail(err, "has a specifier that is not known", x);
        if (arg >= call->n_args)
            return fail(err, "asks for more values than there are", x);
        st = add_value(call, to, &s, arg++, row, true, err);
    }
    return st;
}

static fl_status add_python(fl_call *call, int32_t row, fl_text *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str x = fl_text_arg(call, 0, row);
    int32_t next = 0;
    for (int64_t at = 0; at < x.len && st == FL_OK; at++) {
        spec s = plain;
        char c = x.data[at];
        int arg;
        if ((c != '{' && c != '}') || char_at(x, at + 1) == c) {
            fl_text_add_char(to, c);
            at += c == '{' || c == '}';
            continue;
        }
        if (c == '}')
            return fail(err, "has a } without a {", x);
        at++;
        if (!read_number(x, &at, 1000, &arg))
            arg = next++;
        if (char_at(x, at) == ':') {
            at++;
            if (!read_python_spec(x, &at, &s))
                return fail(err, "has a specifier that is not known", x);
        }
        if (char_at(x, at) != '}')
            return fail(err, "has a { without a }", x);
        if (arg + 1 >= call->n_args)
            return fail(err, "asks for more values than there are", x);
        st = add_value(call, to, &s, arg + 1, row, false, err);
    }
    return st;
}

/* An identifier as it is written in a query, a value as a literal. */
static void quote(fl_text *to, fl_str text, char mark)
{
    bool is_plain = mark == '"' && text.len > 0 && !(text.data[0] >= '0' && text.data[0] <= '9');
    for (int64_t i = 0; i < text.len && is_plain; i++) {
        char c = text.data[i];
        is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    }
    if (!is_plain)
        fl_text_add_char(to, mark);
    for (int64_t i = 0; i < text.len; i++) {
        if (text.data[i] == mark)
            fl_text_add_char(to, mark);
        fl_text_add_char(to, text.data[i]);
    }
    if (!is_plain)
        fl_text_add_char(to, mark);
}

static fl_status add_sql_value(fl_call *call, fl_text *to, const spec *s, int32_t arg, int32_t row, fl_err *err)
{
    fl_value value;
    fl_text text, quoted;
    fl_text_init(&text, NULL);
    fl_text_init(&quoted, NULL);
    fl_status st = fl_value_from_vec(call->heap, &call->args[arg], row, &value, err);
    if (st == FL_OK && value.is_null && s->type == 'I')
        st = fl_err_state(err, "22004", FL_FAIL(err, FL_ERR_VALUE, "null cannot be an identifier"));
    if (st == FL_OK && !value.is_null)
        fl_value_print(&text, &value);
    fl_str plain_text = text.len > 0 ? fl_text_str(&text) : FL_STR("");
    if (s->type == 's')
        fl_text_add(&quoted, plain_text);
    else if (value.is_null)
        fl_text_add(&quoted, FL_STR("NULL"));
    else
        quote(&quoted, plain_text, s->type == 'I' ? '"' : '\'');
    if (st == FL_OK)
        st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_text_status(&quoted, err);
    if (st == FL_OK)
        add_padded(to, s, quoted.len > 0 ? fl_text_str(&quoted) : FL_STR(""), s->align == '<' ? '<' : '>');
    fl_text_drop(&text);
    fl_text_drop(&quoted);
    return st;
}

/* %[place$][-][width]s, I or L. */
static fl_status add_sql(fl_call *call, int32_t row, fl_text *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str x = fl_text_arg(call, 0, row);
    int32_t next = 1;
    for (int64_t at = 0; at < x.len && st == FL_OK; at++) {
        spec s = plain;
        int arg = 0;
        if (x.data[at] != '%' || char_at(x, at + 1) == '%') {
            fl_text_add_char(to, x.data[at]);
            at += x.data[at] == '%';
            continue;
        }
        int64_t from = ++at;
        if (read_number(x, &at, WIDTH_MAX, &arg) && char_at(x, at) == '$') {
            next = arg;
            at++;
        } else {
            at = from;
        }
        if (char_at(x, at) == '-') {
            s.align = '<';
            at++;
        }
        char c = char_at(x, at);
        s.type = c >= '0' && c <= '9' && !read_number(x, &at, WIDTH_MAX, &s.width) ? 0 : char_at(x, at);
        if (!is_one_of(s.type, "sIL"))
            return fail(err, "has a specifier that is not known", x);
        if (next < 1 || next >= call->n_args)
            return fail(err, "asks for more values than there are", x);
        st = add_sql_value(call, to, &s, next++, row, err);
    }
    return st;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

typedef fl_status (*adder)(fl_call *call, int32_t row, fl_text *to, fl_err *err);

static fl_status put_row(fl_call *call, int32_t row, adder add, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text_clear(text);
    FL_TRY(add(call, row, text, err));
    FL_TRY(fl_text_status(text, err));
    if (text->len > FL_TEXT_BYTES_MAX)
        return fl_text_fail_long(err);
    FL_TRY(fl_call_work(call, text->len + 16, err));
    FL_TRY(fl_text_keep(call, text->len == 0 ? FL_STR("") : fl_text_str(text), &fl_ret_view(call)[row], err));
cleanup:
    return st;
}

static bool has_null(const fl_call *call, int32_t row)
{
    for (int32_t a = 0; a < call->n_args; a++)
        if (!fl_vec_is_valid(&call->args[a], row))
            return true;
    return false;
}

static fl_status run(fl_call *call, bool is_c, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows; row++) {
        bool is_sql = false, is_null = !fl_vec_is_valid(&call->args[0], row);
        fl_ret_view(call)[row] = (fl_view){0};
        if (!is_null && !is_c) {
            fl_str x = fl_text_arg(call, 0, row);
            is_sql = x.len > 0 && memchr(x.data, '%', (size_t)x.len) != NULL;
        }
        if (is_null || (!is_sql && has_null(call, row)))
            fl_bit_clear(fl_call_valid(call), row);
        else if (fl_call_wants(call, row))
            FL_TRY(put_row(call, row, is_c ? add_printf : is_sql ? add_sql : add_python, &text, err));
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status printf_of(fl_call *call, fl_err *err)
{
    return run(call, true, err);
}

static fl_status format(fl_call *call, fl_err *err)
{
    return run(call, false, err);
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_run run_, fl_func_choice *ret, fl_err *err)
{
    if (n_args < 1 || n_args > FL_FUNC_ARGS_MAX || (args[0].id != FL_UTF8 && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a format and up to %d values were expected", FL_FUNC_ARGS_MAX - 1);
    *ret = (fl_func_choice){
        .args = {FL_TYPE(FL_UTF8)}, .n_args = n_args, .ret = FL_TYPE(FL_UTF8), .traits = FL_CAN_FAIL, .run = run_};
    for (int32_t i = 1; i < n_args; i++)
        ret->args[i] = fl_type_is_integer(args[i])                         ? FL_TYPE(FL_I64)
                       : fl_type_is_float(args[i])                         ? FL_TYPE(FL_F64)
                       : args[i].id == FL_BOOL || args[i].id == FL_DECIMAL ? args[i]
                                                                           : FL_TYPE(FL_UTF8);
    return FL_OK;
}

static fl_status resolve_printf(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, printf_of, ret, err);
}

static fl_status resolve_format(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, format, ret, err);
}

#define TRAITS (FL_PURE | FL_SETS_VALID | FL_CONST_ARGS | FL_OFFSETS_ARGS)

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "printf", .traits = TRAITS | FL_ANY_TYPE, .resolve = resolve_printf,
     .doc = "printf(format, ...): the values at the places of %d, %s, %8.2f, %x and the like"},
    {FL_DESC(fl_func_desc), .name = "format", .traits = TRAITS | FL_ANY_TYPE, .resolve = resolve_format,
     .doc =
         "format(format, ...): the values at the places of %s, %I, %L, or in a format without % of {}, {0}, {:>8.2f}"},
};

FL_FUNC_SET(format, funcs);
