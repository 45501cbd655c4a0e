/* Numbers by PostgreSQL's patterns (section 9.8, table 9.30): 9 and 0 for digits, . D , G, S MI PL SG PR for signs, FM, TH, L, text in
 * quotes.
 *
 * The digits of a pattern in front of the point take those of the number from the right; in front of it stand blanks, or zeros from the
 * first 0 on. A sign that the pattern does not ask for stands in front of the first digit, a blank for numbers that are not negative.
 * A number that is too long is shown as ##. */
#include "func/time/to_char_number.h"

#include "arrow/value.h"

#include <math.h>
#include <stdio.h>

#define DIGITS_MAX 350 /* of a double */

typedef enum part {
    PART_NINE,
    PART_ZERO,
    PART_GROUP,
    PART_POINT,
    PART_S,
    PART_MI,
    PART_PL,
    PART_SG,
    PART_PR,
    PART_TH,
    PART_FM,
    PART_L
} part;

static const struct {
    const char *text;
    part part;
} parts[] = {{"9", PART_NINE},  {"0", PART_ZERO}, {",", PART_GROUP}, {"G", PART_GROUP}, {".", PART_POINT},
             {"D", PART_POINT}, {"SG", PART_SG},  {"S", PART_S},     {"MI", PART_MI},   {"PL", PART_PL},
             {"PR", PART_PR},   {"TH", PART_TH},  {"FM", PART_FM},   {"L", PART_L}};

/* What is not supported, so that it is not taken for text. */
static const char *const others[] = {"EEEE", "RN", "V"};

static bool begins(fl_str text, int64_t at, const char *word)
{
    int64_t len = (int64_t)strlen(word);
    return text.len - at >= len && fl_str_is_equal_nocase((fl_str){text.data + at, len}, (fl_str){word, len});
}

/* What a pattern asks for as a whole. */
typedef struct plan {
    int before, after;                                       /* digits in front of the point and behind it */
    int first_zero;                                          /* among those in front; -1: none */
    int last_zero;                                           /* among those behind; -1: none */
    bool is_bare;                                            /* FM */
    bool has_point, has_s, s_is_first, has_pr, has_own_sign; /* has_own_sign: MI or SG stands for it */
} plan;

static fl_status fail_pattern(fl_str pattern, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_UNSUPPORTED, "the pattern \"%.*s\" for numbers is not supported",
                   (int)(pattern.len < 60 ? pattern.len : 60), pattern.data);
}

/* The part that begins at *at, which moves behind it; false: it is text. */
static bool next_part(fl_str pattern, int64_t *at, part *ret)
{
    for (int64_t i = 0; i < FL_LEN(parts); i++)
        if (begins(pattern, *at, parts[i].text)) {
            *at += (int64_t)strlen(parts[i].text);
            *ret = parts[i].part;
            return true;
        }
    return false;
}

/* Quoted text, or a character: where it ends, and what is shown of it. */
static int64_t text_end(fl_str pattern, int64_t at, fl_str *ret)
{
    if (pattern.data[at] != '"') {
        *ret = (fl_str){pattern.data + at, 1};
        return at + 1;
    }
    int64_t end = at + 1;
    while (end < pattern.len && pattern.data[end] != '"')
        end++;
    *ret = (fl_str){pattern.data + at + 1, end - at - 1};
    return end < pattern.len ? end + 1 : end;
}

static fl_status read_plan(fl_str pattern, plan *ret, fl_err *err)
{
    *ret = (plan){.first_zero = -1, .last_zero = -1};
    for (int64_t at = 0; at < pattern.len;) {
        part p;
        fl_str text;
        for (int64_t i = 0; i < FL_LEN(others); i++)
            if (begins(pattern, at, others[i]))
                return fail_pattern(pattern, err);
        if (!next_part(pattern, &at, &p)) {
            at = text_end(pattern, at, &text);
            continue;
        }
        switch (p) {
        case PART_NINE:
        case PART_ZERO:
            if (p == PART_ZERO && !ret->has_point && ret->first_zero < 0)
                ret->first_zero = ret->before;
            if (p == PART_ZERO && ret->has_point)
                ret->last_zero = ret->after;
            *(ret->has_point ? &ret->after : &ret->before) += 1;
            break;
        case PART_POINT:
            if (ret->has_point)
                return fl_err_state(err, "42601", FL_FAIL(err, FL_ERR_SYNTAX, "a pattern has one decimal point"));
            ret->has_point = true;
            break;
        case PART_FM:
            ret->is_bare = true;
            break;
        case PART_S:
            ret->has_s = true;
            ret->s_is_first = ret->before + ret->after == 0;
            break;
        case PART_PR:
            ret->has_pr = true;
            break;
        case PART_MI:
        case PART_SG:
            ret->has_own_sign = true;
            break;
        default:
            break;
        }
    }
    if (ret->before + ret->after > DIGITS_MAX / 2)
        return fail_pattern(pattern, err);
    return FL_OK;
}

/* ---- the number ---------------------------------------------------------------------------------------------------- */

typedef struct number {
    char digits[2 * DIGITS_MAX + 8]; /* of the whole part, then of the fraction */
    int whole;                       /* digits of the whole part, 0 where it is zero */
    bool is_negative, is_too_long;
} number;

static void split(number *n, const char *text, const plan *p)
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

static void read_decimal(number *n, fl_i128 value, int scale, const plan *p)
{
    char text[64], *end = text + sizeof(text);
    int cut = scale - p->after;
    bool is_negative = value < 0;
    fl_u128 rest = is_negative ? 0 - (fl_u128)value : (fl_u128)value;
    if (cut > 0) {
        fl_u128 unit = (fl_u128)fl_pow10_i128[cut];
        rest = rest / unit + (rest % unit >= unit - rest % unit);
        scale = p->after;
    }
    *--end = 0;
    for (int i = 0; i < scale || rest != 0; i++) {
        if (i == scale && scale > 0)
            *--end = '.';
        *--end = (char)('0' + (int)(rest % 10));
        rest /= 10;
        if (i + 1 == scale && rest == 0)
            *--end = '.';
    }
    if (is_negative)
        *--end = '-';
    split(n, end, p);
}

static void read_double(number *n, double value, const plan *p)
{
    char text[2 * DIGITS_MAX + 8];
    if (!isfinite(value)) {
        *n = (number){.digits = "#", .whole = 1, .is_negative = value < 0, .is_too_long = true};
        return;
    }
    snprintf(text, sizeof(text), "%.*f", p->after, value);
    split(n, text, p);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

typedef struct writer {
    const plan *plan;
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
    const plan *p = w->plan;
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

static void put_part(writer *w, part p, const char *spelled)
{
    bool is_negative = w->number->is_negative, is_bare = w->plan->is_bare;
    switch (p) {
    case PART_NINE:
    case PART_ZERO:
        if (w->at < w->plan->before)
            put_before(w);
        else
            put_after(w);
        break;
    case PART_GROUP:
        if (w->has_begun)
            fl_text_add_char(w->to, ',');
        else if (!is_bare)
            fl_text_add_char(w->to, ' ');
        break;
    case PART_POINT:
        put_sign(w);
        if (w->plan->after > 0 || w->number->is_too_long)
            fl_text_add_char(w->to, '.');
        break;
    case PART_S: /* in front it is the sign of the first digit */
        if (!w->plan->s_is_first)
            fl_text_add_char(w->to, is_negative ? '-' : '+');
        break;
    case PART_MI:
        if (is_negative || !is_bare)
            fl_text_add_char(w->to, is_negative ? '-' : ' ');
        break;
    case PART_PL:
        if (!is_negative || !is_bare)
            fl_text_add_char(w->to, is_negative ? ' ' : '+');
        break;
    case PART_SG:
        fl_text_add_char(w->to, is_negative ? '-' : '+');
        break;
    case PART_PR:
        if (is_negative || !is_bare)
            fl_text_add_char(w->to, is_negative ? '>' : ' ');
        break;
    case PART_TH:
        if (!is_negative && !w->plan->has_point && !w->number->is_too_long)
            for (const char *c = ending_of(w->number); *c != 0; c++)
                fl_text_add_char(w->to, spelled[0] == 't' ? fl_char_lower(*c) : *c);
        break;
    case PART_L: /* there is no currency */
        fl_text_add_char(w->to, ' ');
        break;
    case PART_FM:
        break;
    }
}

static void put_number(const plan *p, const number *n, fl_str pattern, fl_text *to)
{
    writer w = {.plan = p, .number = n, .to = to, .is_signed = p->has_own_sign || (p->has_s && !p->s_is_first)};
    for (int64_t at = 0; at < pattern.len;) {
        part which;
        fl_str text;
        int64_t begin = at;
        if (next_part(pattern, &at, &which)) {
            put_part(&w, which, pattern.data + begin);
        } else {
            at = text_end(pattern, at, &text);
            fl_text_add(to, text);
        }
    }
}

static fl_status put_row(fl_call *call, int32_t row, fl_text *text, fl_err *err)
{
    fl_status st = FL_OK;
    plan p;
    number n = {0};
    const fl_vec *x = &call->args[0];
    int64_t at = fl_vec_row(x, row);
    fl_str pattern = fl_vec_str(&call->args[1], row);
    char *out;
    FL_TRY(read_plan(pattern, &p, err));
    if (x->type.id == FL_F64)
        read_double(&n, ((const double *)x->data)[at], &p);
    else
        read_decimal(&n, fl_vec_i128(x, row), x->type.scale, &p);
    bool is_zero = true; /* -0.001 by 9.9 has no sign */
    for (int i = 0; i < n.whole + p.after && is_zero; i++)
        is_zero = n.digits[i] == '0';
    n.is_negative &= !is_zero;
    fl_text_clear(text);
    put_number(&p, &n, pattern, text);
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
