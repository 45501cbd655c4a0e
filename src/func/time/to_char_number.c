/* Numbers by PostgreSQL's patterns (section 9.8, table 9.30): 9 and 0 for digits, . D , G V, S MI PL SG PR for signs, FM, TH, L, text in
 * quotes; EEEE and RN, which stand for the whole number.
 *
 * The digits of a pattern in front of the point take those of the number from the right; in front of it stand blanks, or zeros from the
 * first 0 on. A sign that the pattern does not ask for stands in front of the first digit, a blank for numbers that are not negative.
 * A number that is too long is shown as ##. */
#include "func/time/to_char_number.h"

#include "func/time/number_pattern.h"

#include "arrow/value.h"

#include <math.h>
#include <stdio.h>

#define DIGITS_MAX 350 /* of a double */
#define ROMAN_WIDTH 15

/* ---- the number ---------------------------------------------------------------------------------------------------- */

typedef struct number {
    char digits[2 * DIGITS_MAX + 8]; /* of the whole part, then of the fraction */
    int whole;                       /* digits of the whole part, 0 where it is zero */
    bool is_negative, is_too_long;
} number;

static void split(number *n, const char *text, const fl_number_pattern *p)
{
    int len = 0;
    n->is_negative = *text == '-';
    text += n->is_negative;
    while (*text == '0')
        text++;
    for (; *text >= '0' && *text <= '9'; text++)
        n->digits[len++] = *text;
    n->whole = len;
    text += *text == '.';
    for (int i = 0; i < p->after; i++)
        n->digits[len++] = *text >= '0' && *text <= '9' ? *text++ : '0';
    n->is_too_long = n->whole > p->before || p->before == 0; /* zero, too, needs a place in front of the point */
}

/* Writes the digits of a number of so many behind the point (fewer than none: zeros are missing) to the end of `end`; returns where they
 * begin. At most FL_NUMBER_PATTERN_DIGITS_MAX zeros are missing. */
static char *put_digits(char *end, fl_u128 rest, int scale)
{
    *--end = 0;
    for (int i = scale; i < 0; i++)
        *--end = '0';
    for (int i = 0; i < scale || rest != 0; i++) {
        if (i == scale && scale > 0)
            *--end = '.';
        *--end = (char)('0' + (int)(rest % 10));
        rest /= 10;
        if (i + 1 == scale && rest == 0)
            *--end = '.';
    }
    return end;
}

static fl_u128 round_off(fl_u128 value, int digits)
{
    fl_u128 unit = (fl_u128)fl_pow10_i128[digits];
    return value / unit + (value % unit >= unit - value % unit);
}

static void read_decimal(number *n, fl_i128 value, int scale, const fl_number_pattern *p)
{
    char text[64 + FL_NUMBER_PATTERN_DIGITS_MAX], *end = text + sizeof(text);
    fl_u128 rest = value < 0 ? 0 - (fl_u128)value : (fl_u128)value;
    scale -= p->shift;
    if (scale > p->after) {
        rest = round_off(rest, scale - p->after);
        scale = p->after;
    }
    end = put_digits(end, rest, scale);
    if (value < 0)
        *--end = '-';
    split(n, end, p);
}

static void read_double(number *n, double value, const fl_number_pattern *p)
{
    char text[2 * DIGITS_MAX + 8];
    if (!isfinite(value)) {
        *n = (number){.digits = "#", .whole = 1, .is_negative = value < 0, .is_too_long = true};
        return;
    }
    value *= p->shift > 0 ? pow(10, p->shift) : 1;
    if (!isfinite(value)) {
        *n = (number){.digits = "#", .whole = 1, .is_negative = value < 0, .is_too_long = true};
        return;
    }
    snprintf(text, sizeof(text), "%.*f", p->after, value);
    split(n, text, p);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

typedef struct writer {
    const fl_number_pattern *plan;
    const number *number;
    fl_text *to;
    int at;         /* digit of the pattern in front of the point */
    int at_after;   /* behind it */
    bool is_signed; /* the sign is written, or nothing asks for it here */
    bool has_begun; /* a digit is written */
} writer;

/* The sign in front of the first digit. */
static void put_sign(writer *w)
{
    bool is_negative = w->number->is_negative;
    if (w->is_signed)
        return;
    w->is_signed = true;
    if (w->plan->has_pr) {
        if (is_negative || !w->plan->is_bare)
            fl_text_add_char(w->to, is_negative ? '<' : ' ');
    } else if (w->plan->has_s) {
        fl_text_add_char(w->to, is_negative ? '-' : '+');
    } else if (is_negative || !w->plan->is_bare) {
        fl_text_add_char(w->to, is_negative ? '-' : ' ');
    }
}

/* Digits that are shown behind the point: with FM none of the zeros behind the pattern's last 0. */
static int fraction_digits(const writer *w)
{
    int last = w->plan->after - 1;
    while (w->plan->is_bare && last > w->plan->last_zero && w->number->digits[w->number->whole + last] == '0')
        last--;
    return last + 1;
}

static void put_before(writer *w)
{
    const fl_number_pattern *p = w->plan;
    int shown = w->number->whole, lead;
    bool has_zero = p->first_zero >= 0;
    if (shown == 0 && fraction_digits(w) == 0 && !has_zero) /* there is a digit at least */
        shown = w->at == p->before - 1 ? -1 : 0;
    lead = p->before - (shown < 0 ? 1 : shown);
    int i = w->at++;
    if (w->number->is_too_long || i >= lead || (has_zero && i >= p->first_zero)) {
        put_sign(w);
        w->has_begun = true;
        fl_text_add_char(w->to, w->number->is_too_long  ? '#'
                                : i < lead || shown < 0 ? '0'
                                                        : w->number->digits[i - lead]);
    } else if (!p->is_bare) {
        fl_text_add_char(w->to, ' ');
    }
}

static void put_after(writer *w)
{
    int i = w->at_after++;
    put_sign(w);
    if (w->number->is_too_long)
        fl_text_add_char(w->to, '#');
    else if (i < fraction_digits(w))
        fl_text_add_char(w->to, w->number->digits[w->number->whole + i]);
}

static const char *ending_of(const number *n)
{
    char last = n->whole > 0 ? n->digits[n->whole - 1] : '0', tens = n->whole > 1 ? n->digits[n->whole - 2] : '0';
    return tens == '1' ? "TH" : last == '1' ? "ST" : last == '2' ? "ND" : last == '3' ? "RD" : "TH";
}

static void put_part(writer *w, fl_number_part p, const char *spelled)
{
    bool is_negative = w->number->is_negative, is_bare = w->plan->is_bare;
    switch (p) {
    case FL_PART_NINE:
    case FL_PART_ZERO:
        if (w->at < w->plan->before)
            put_before(w);
        else
            put_after(w);
        break;
    case FL_PART_GROUP:
    case FL_PART_COMMA:
        if (w->has_begun)
            fl_text_add_char(w->to, ',');
        else if (!is_bare)
            fl_text_add_char(w->to, ' ');
        break;
    case FL_PART_POINT:
        put_sign(w);
        if (w->plan->after > 0 || w->number->is_too_long)
            fl_text_add_char(w->to, '.');
        break;
    case FL_PART_S: /* in front it is the sign of the first digit */
        if (!w->plan->s_is_first)
            fl_text_add_char(w->to, is_negative ? '-' : '+');
        break;
    case FL_PART_MI:
        if (is_negative || !is_bare)
            fl_text_add_char(w->to, is_negative ? '-' : ' ');
        break;
    case FL_PART_PL:
        if (!is_negative || !is_bare)
            fl_text_add_char(w->to, is_negative ? ' ' : '+');
        break;
    case FL_PART_SG:
        fl_text_add_char(w->to, is_negative ? '-' : '+');
        break;
    case FL_PART_PR:
        if (is_negative || !is_bare)
            fl_text_add_char(w->to, is_negative ? '>' : ' ');
        break;
    case FL_PART_TH:
        if (!is_negative && !w->plan->has_point && !w->number->is_too_long)
            for (const char *c = ending_of(w->number); *c != 0; c++)
                fl_text_add_char(w->to, spelled[0] == 't' ? fl_char_lower(*c) : *c);
        break;
    case FL_PART_L: /* there is no currency */
        fl_text_add_char(w->to, ' ');
        break;
    case FL_PART_FM:
    case FL_PART_V:
    case FL_PART_SPELLED:
    case FL_PART_ROMAN: /* which has its own way */
    case FL_PART_EXPONENT:
        break;
    }
}

static void put_number(const fl_number_pattern *p, const number *n, fl_str pattern, fl_text *to)
{
    writer w = {.plan = p, .number = n, .to = to, .is_signed = p->has_mi || p->has_sg || (p->has_s && !p->s_is_first)};
    for (int64_t at = 0; at < pattern.len;) {
        fl_number_part which;
        fl_str text;
        int64_t begin = at;
        if (fl_number_part_next(pattern, &at, &which)) {
            put_part(&w, which, pattern.data + begin);
        } else {
            at = fl_number_text_end(pattern, at, &text);
            fl_text_add(to, text);
        }
    }
}

/* ---- exponents and Roman numerals ---------------------------------------------------------------------------------- */

/* 1.23e+03, with a blank in front of what is not negative; what is no number is as wide as one. */
static void put_exponent(const fl_number_pattern *p, const fl_vec *x, int32_t row, fl_text *to)
{
    char text[FL_NUMBER_PATTERN_DIGITS_MAX + 64], digits[64];
    if (x->type.id == FL_F64) {
        double value = ((const double *)x->data)[fl_vec_row(x, row)];
        int len = p->before + p->after + 6;
        if (isfinite(value)) {
            fl_text_addf(to, signbit(value) ? "%.*e" : " %.*e", p->after, value);
            return;
        }
        for (int i = 0; i < len; i++)
            fl_text_add_char(to, i == 0 ? ' ' : i == p->before + 1 ? '.' : '#');
        return;
    }
    fl_i128 value = fl_vec_i128(x, row);
    fl_u128 rest = value < 0 ? 0 - (fl_u128)value : (fl_u128)value;
    const char *first = put_digits(digits + sizeof(digits), rest, 0);
    int n = (int)strlen(first), exponent = rest == 0 ? 0 : n - 1 - x->type.scale;
    if (n > p->after + 1) {
        rest = round_off(rest, n - 1 - p->after);
        first = put_digits(digits + sizeof(digits), rest, 0);
        exponent += (int)strlen(first) > p->after + 1; /* 9.99 became 10.0 */
        n = p->after + 1;
    }
    int len = 0;
    for (int i = 0; i <= p->after; i++) {
        text[len++] = i < n ? first[i] : '0';
        if (i == 0 && p->after > 0)
            text[len++] = '.';
    }
    fl_text_addf(to, "%c%.*se%+03d", value < 0 ? '-' : ' ', len, text, exponent);
}

/* Rounded to a whole number from 1 to 3999; 0: it is none. */
static int roman_of(const fl_vec *x, int32_t row)
{
    int64_t at = fl_vec_row(x, row);
    if (x->type.id == FL_F64) {
        double value = rint(((const double *)x->data)[at]);
        return value >= 1 && value <= 3999 ? (int)value : 0;
    }
    fl_i128 value = fl_vec_i128(x, row);
    if (value < 0)
        return 0;
    fl_u128 whole = x->type.scale > 0 ? round_off((fl_u128)value, x->type.scale) : (fl_u128)value;
    return whole >= 1 && whole <= 3999 ? (int)whole : 0;
}

static void put_roman(int value, bool is_bare, bool is_lower, fl_text *to)
{
    static const struct {
        int value;
        const char *letters;
    } signs[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
                 {40, "XL"},  {10, "X"},   {9, "IX"},  {5, "V"},    {4, "IV"},  {1, "I"}};
    char text[ROMAN_WIDTH + 1] = ""; /* MMMDCCCLXXXVIII is the longest */
    int len = 0;
    for (int i = 0; value == 0 && i < ROMAN_WIDTH; i++)
        text[len++] = '#';
    for (int64_t i = 0; i < FL_LEN(signs); i++)
        for (; value >= signs[i].value; value -= signs[i].value)
            for (const char *c = signs[i].letters; *c != 0; c++)
                text[len++] = is_lower ? fl_char_lower(*c) : *c;
    FL_ASSERT(len <= ROMAN_WIDTH);
    fl_text_addf(to, "%*s", is_bare ? 0 : ROMAN_WIDTH, text);
}

/* Beside a Roman numeral only text and blanks are shown. */
static void put_roman_pattern(const fl_number_pattern *p, int value, fl_str pattern, fl_text *to)
{
    for (int64_t at = 0; at < pattern.len;) {
        fl_number_part part;
        fl_str text;
        int64_t begin = at;
        if (!fl_number_part_next(pattern, &at, &part)) {
            at = fl_number_text_end(pattern, at, &text);
            fl_text_add(to, text);
        } else if (part == FL_PART_ROMAN) {
            put_roman(value, p->is_bare, pattern.data[begin] == 'r', to);
        } else if (part == FL_PART_L || ((part == FL_PART_GROUP || part == FL_PART_COMMA) && !p->is_bare)) {
            fl_text_add_char(to, ' ');
        }
    }
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

static void put_plain(const fl_number_pattern *p, const fl_vec *x, int32_t row, fl_str pattern, fl_text *to)
{
    number n = {0};
    bool is_zero = true; /* -0.001 by 9.9 has no sign */
    if (x->type.id == FL_F64)
        read_double(&n, ((const double *)x->data)[fl_vec_row(x, row)], p);
    else
        read_decimal(&n, fl_vec_i128(x, row), x->type.scale, p);
    for (int i = 0; i < n.whole + p->after && is_zero; i++)
        is_zero = n.digits[i] == '0';
    n.is_negative &= !is_zero;
    put_number(p, &n, pattern, to);
}

static fl_status put_row(fl_call *call, int32_t row, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_number_pattern p;
    const fl_vec *x = &call->args[0];
    fl_str pattern = fl_vec_str(&call->args[1], row);
    char *out;
    FL_TRY(fl_number_pattern_read(pattern, &p, err));
    fl_text_clear(text);
    if (p.has_exponent)
        put_exponent(&p, x, row, text);
    else if (p.is_roman)
        put_roman_pattern(&p, roman_of(x, row), pattern, text);
    else
        put_plain(&p, x, row, pattern, text);
    FL_TRY(fl_text_status(text, err));
    FL_TRY(fl_call_work(call, 8 * pattern.len + 64, err));
    FL_TRY(fl_call_room(call, text->len + 1, &out, err));
    if (text->len > 0)
        memcpy(out, text->data, (size_t)text->len);
    fl_ret_view(call)[row] = fl_view_of(out, text->len);
cleanup:
    return st;
}

fl_status fl_to_char_number(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_ret_view(call)[row] = (fl_view){0};
        if (fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row) && fl_vec_is_valid(&call->args[1], row))
            st = put_row(call, row, &text, err);
    }
    fl_text_drop(&text);
    return st;
}
