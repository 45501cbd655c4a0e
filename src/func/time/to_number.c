/* to_number(text, pattern): a number by PostgreSQL's patterns (section 9.8), which to_char writes.
 *
 * A digit or a point of the pattern takes a digit or the point of the text, or nothing; blanks in front of it and one sign are passed over.
 * Other parts take what they stand for where it is there, and text takes as many characters, whatever they are. The call stands for a
 * cast of the text of such a number to a decimal that has room for the pattern's digits. */
#include "exec/func.h"
#include "func/time/number_pattern.h"
#include "plan/expr.h"

#include <stdio.h>

#define DIGITS_MAX 38
#define ANY_SCALE 10 /* of patterns that are no constants */
#define READ "number text"

typedef struct reader {
    const fl_number_pattern *pattern;
    fl_str text;
    int64_t at;
    char sign;           /* 0: none was found */
    bool has_point;      /* it was read */
    int whole, fraction; /* digits that were read */
    char *to;            /* they go here, and the point */
    int64_t n;
} reader;

static bool is_at_end(const reader *r)
{
    return r->at >= r->text.len;
}

static bool sees(const reader *r, char c)
{
    return !is_at_end(r) && r->text.data[r->at] == c;
}

static void pass_character(reader *r)
{
    do
        r->at++;
    while (!is_at_end(r) && ((uint8_t)r->text.data[r->at] & 0xc0) == 0x80);
}

/* Passes over so many characters, but for those of which numbers are made. */
static void pass_others(reader *r, int count)
{
    for (int i = 0; i < count && !is_at_end(r) && memchr("0123456789.,+-", r->text.data[r->at], 14) == NULL; i++)
        pass_character(r);
}

/* A sign in front of the first digit; < is one where PR is asked for. */
static void read_first_sign(reader *r)
{
    bool is_minus = sees(r, '-') || (r->pattern->has_pr && sees(r, '<'));
    if (!is_minus && !sees(r, '+'))
        return;
    r->sign = is_minus ? '-' : '+';
    r->at++;
}

/* A sign behind the digits: where S stands for it, right behind the last; where another part does, also in the place of a
 * digit, as FM leaves out digits: 5.01- by FM9.999999MI. */
static void read_last_sign(reader *r, bool has_read)
{
    const fl_number_pattern *p = r->pattern;
    int64_t at = r->at + p->has_s;
    bool may_stand = p->has_s ? has_read : !has_read && (p->has_pl || p->has_mi || p->has_sg);
    if (!may_stand || at >= r->text.len || (r->text.data[at] != '-' && r->text.data[at] != '+'))
        return;
    r->sign = r->text.data[at];
    r->at = at;
}

/* A digit, or the point, if it is one; what is neither is passed over. */
static void read_digit(reader *r, bool is_point)
{
    bool has_read = false;
    if (sees(r, ' '))
        r->at++;
    if (!is_point && r->sign == 0 && r->whole + r->fraction == 0)
        read_first_sign(r);
    if (is_at_end(r))
        return;
    char c = r->text.data[r->at];
    if (c >= '0' && c <= '9') {
        has_read = !r->has_point || r->fraction < r->pattern->after;
        if (has_read)
            *(r->has_point ? &r->fraction : &r->whole) += 1;
    } else {
        has_read = c == '.' && r->pattern->has_point && !r->has_point;
        r->has_point |= has_read;
    }
    if (has_read)
        r->to[r->n++] = c;
    if (r->sign == 0 && r->whole + r->fraction > 0)
        read_last_sign(r, has_read);
    pass_character(r);
}

/* MI, PL, SG: the sign, if it is one that the part stands for. */
static void read_sign(reader *r, bool takes_minus, bool takes_plus)
{
    if ((takes_minus && sees(r, '-')) || (takes_plus && sees(r, '+')))
        r->sign = r->text.data[r->at++];
    else
        pass_others(r, 1);
}

static void read_part(reader *r, fl_number_part part)
{
    switch (part) {
    case FL_PART_NINE:
    case FL_PART_ZERO:
    case FL_PART_POINT:
        read_digit(r, part == FL_PART_POINT);
        break;
    case FL_PART_COMMA:
    case FL_PART_GROUP:
        if (sees(r, ',') && !r->pattern->is_bare)
            r->at++;
        break;
    case FL_PART_MI:
        read_sign(r, true, false);
        break;
    case FL_PART_PL:
        read_sign(r, false, true);
        break;
    case FL_PART_SG:
        read_sign(r, true, true);
        break;
    case FL_PART_L:
        pass_others(r, 1);
        break;
    case FL_PART_TH:
        if (!r->pattern->has_point)
            pass_others(r, 2);
        break;
    default:
        break;
    }
}

/* Reads into r->to, which has room for the pattern's digits, a point and a sign. What V moves behind the point is moved. */
static void read_text(reader *r, fl_str pattern)
{
    for (int64_t at = 0; at < pattern.len && !is_at_end(r);) {
        fl_number_part part;
        fl_str text;
        if (fl_number_part_next(pattern, &at, &part)) {
            read_part(r, part);
            continue;
        }
        at = fl_number_text_end(pattern, at, &text);
        for (int64_t i = 0; i < text.len && !is_at_end(r); i++)
            if (((uint8_t)text.data[i] & 0xc0) != 0x80)
                pass_character(r);
    }
}

static fl_status read_row(fl_call *call, int32_t row, fl_err *err)
{
    fl_status st = FL_OK;
    fl_number_pattern p;
    fl_str pattern = fl_vec_str(&call->args[1], row);
    char *out;
    FL_TRY(fl_number_pattern_read(pattern, &p, err));
    if (p.has_exponent || p.is_roman)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "to_number does not read %s", p.is_roman ? "RN" : "EEEE");
    int64_t room = p.before + p.after + 24;
    FL_TRY(fl_call_room(call, room, &out, err));
    FL_TRY(fl_call_work(call, 8 * pattern.len + 32, err));
    reader r = {.pattern = &p, .text = fl_vec_str(&call->args[0], row), .to = out + 1};
    read_text(&r, pattern);
    if (r.whole + r.fraction == 0)
        return fl_err_state(err, "22P02",
                            FL_FAIL(err, FL_ERR_VALUE, "no digit by the pattern \"%.*s\" was found in \"%.*s\"",
                                    (int)(pattern.len < 60 ? pattern.len : 60), pattern.data,
                                    (int)(r.text.len < 60 ? r.text.len : 60), r.text.data));
    if (p.shift > 0)
        r.n += snprintf(r.to + r.n, 16, "e-%d", p.shift);
    FL_ASSERT(1 + r.n < room && r.whole + r.fraction <= p.before + p.after + 1); /* a point may take a digit */
    out[0] = r.sign == '-' ? '-' : '+';
    fl_ret_view(call)[row] = fl_view_of(out, r.n + 1);
cleanup:
    return st;
}

static fl_status read_rows(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows && st == FL_OK; row++) {
        fl_ret_view(call)[row] = (fl_view){0};
        if (fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row) && fl_vec_is_valid(&call->args[1], row))
            st = read_row(call, row, err);
    }
    return st;
}

static fl_status expand(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                        int32_t pos, const fl_expr **ret, fl_err *err)
{
    (void)func;
    fl_status st = FL_OK;
    const fl_expr *text = NULL;
    int digits = DIGITS_MAX, scale = ANY_SCALE;
    FL_ASSERT(n_args == 2);
    if (fl_expr_is_const(args[1]) && !args[1]->value->is_null) {
        fl_number_pattern p;
        FL_TRY(fl_number_pattern_read(args[1]->value->s, &p, err));
        scale = p.after + p.shift;
        digits = p.before + p.after > scale ? p.before + p.after : scale;
        digits = digits < 1 ? 1 : digits > DIGITS_MAX ? DIGITS_MAX : digits;
        scale = scale > digits ? digits : scale;
    }
    FL_TRY(fl_expr_call(plan, fl_str_of(READ), args, n_args, pos, &text, err));
    fl_type type = {.id = FL_DECIMAL, .precision = (uint8_t)digits, .scale = (int8_t)scale};
    st = fl_expr_cast(plan, text, type, false, pos, ret, err);
cleanup:
    return st;
}

#define FORM {FL_ARGS(FL_UTF8, FL_UTF8), FL_UTF8, FL_CAN_FAIL, read_rows}
#define TRAITS (FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_CAN_FAIL)

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = READ, .traits = TRAITS, .n_overloads = 1, .doc = "what to_number casts",
     .overloads = (const fl_func_overload[]){FORM}},
    {FL_DESC(fl_func_desc), .name = "to_number", .traits = TRAITS, .n_overloads = 1, .expand = expand,
     .overloads = (const fl_func_overload[]){FORM},
     .doc = "to_number(text, pattern): a decimal by a pattern such as '9G999D99'"},
};

FL_FUNC_SET(to_number, funcs);
