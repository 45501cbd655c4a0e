/* Reading patterns of numbers: which parts there are, and which may stand together. */
#include "func/time/number_pattern.h"

/* The longest of those that begin alike come first. */
static const struct {
    const char *text;
    fl_number_part part;
} parts[] = {{"9", FL_PART_NINE},  {"0", FL_PART_ZERO},       {",", FL_PART_COMMA}, {"G", FL_PART_GROUP},
             {".", FL_PART_POINT}, {"D", FL_PART_POINT},      {"SG", FL_PART_SG},   {"SP", FL_PART_SPELLED},
             {"S", FL_PART_S},     {"MI", FL_PART_MI},        {"PL", FL_PART_PL},   {"PR", FL_PART_PR},
             {"TH", FL_PART_TH},   {"FM", FL_PART_FM},        {"L", FL_PART_L},     {"RN", FL_PART_ROMAN},
             {"V", FL_PART_V},     {"EEEE", FL_PART_EXPONENT}};

bool fl_number_part_next(fl_str pattern, int64_t *at, fl_number_part *ret)
{
    FL_ASSERT(*at >= 0 && *at < pattern.len);
    for (int64_t i = 0; i < FL_LEN(parts); i++) {
        fl_str part = fl_str_of(parts[i].text);
        if (pattern.len - *at >= part.len && fl_str_is_equal_nocase((fl_str){pattern.data + *at, part.len}, part)) {
            *at += part.len;
            *ret = parts[i].part;
            return true;
        }
    }
    return false;
}

int64_t fl_number_text_end(fl_str pattern, int64_t at, fl_str *ret)
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

static fl_status fail(fl_err *err, const char *message)
{
    return fl_err_state(err, "42601", FL_FAIL(err, FL_ERR_SYNTAX, "%s in a pattern of numbers", message));
}

static fl_status take_digit(fl_number_pattern *p, bool is_zero, fl_err *err)
{
    if (p->has_pr)
        return fail(err, "a digit behind PR");
    if (is_zero && !p->has_point && p->first_zero < 0)
        p->first_zero = p->before;
    if (is_zero && p->has_point)
        p->last_zero = p->after;
    *(p->has_point ? &p->after : &p->before) += 1;
    p->shift += p->has_shift && !is_zero;
    return FL_OK;
}

static fl_status take_sign(fl_number_pattern *p, fl_number_part part, fl_err *err)
{
    bool has_other = p->has_mi || p->has_pl || p->has_sg;
    if (part == FL_PART_S && p->has_s)
        return fail(err, "S twice");
    if (part == FL_PART_S ? has_other || p->has_pr : p->has_s)
        return fail(err, "S and another sign");
    if (part == FL_PART_PR && has_other)
        return fail(err, "PR and another sign");
    if (part == FL_PART_S)
        p->s_is_first = p->before + p->after == 0;
    p->has_s |= part == FL_PART_S;
    p->has_mi |= part == FL_PART_MI;
    p->has_pl |= part == FL_PART_PL;
    p->has_sg |= part == FL_PART_SG;
    p->has_pr |= part == FL_PART_PR;
    return FL_OK;
}

static fl_status take(fl_number_pattern *p, fl_number_part part, fl_err *err)
{
    if (p->has_exponent)
        return fail(err, "something behind EEEE");
    switch (part) {
    case FL_PART_NINE:
    case FL_PART_ZERO:
        return take_digit(p, part == FL_PART_ZERO, err);
    case FL_PART_POINT:
        if (p->has_point)
            return fail(err, "a second decimal point");
        if (p->has_shift)
            return fail(err, "V and a decimal point");
        p->has_point = true;
        return FL_OK;
    case FL_PART_V:
        if (p->has_point)
            return fail(err, "V and a decimal point");
        p->has_shift = true;
        return FL_OK;
    case FL_PART_S:
    case FL_PART_MI:
    case FL_PART_PL:
    case FL_PART_SG:
    case FL_PART_PR:
        return take_sign(p, part, err);
    case FL_PART_FM:
        p->is_bare = true;
        return FL_OK;
    case FL_PART_ROMAN:
        p->is_roman = true;
        return FL_OK;
    case FL_PART_EXPONENT:
        if (p->is_bare || p->has_shift || p->is_roman || p->has_s || p->has_mi || p->has_pl || p->has_sg || p->has_pr)
            return fail(err, "EEEE beside other parts than digits and a decimal point");
        p->has_exponent = true;
        return FL_OK;
    default:
        return FL_OK;
    }
}

fl_status fl_number_pattern_read(fl_str pattern, fl_number_pattern *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = (fl_number_pattern){.first_zero = -1, .last_zero = -1};
    for (int64_t at = 0; at < pattern.len;) {
        fl_number_part part;
        fl_str text;
        if (fl_number_part_next(pattern, &at, &part))
            FL_TRY(take(ret, part, err));
        else
            at = fl_number_text_end(pattern, at, &text);
    }
    if (ret->before + ret->after > FL_NUMBER_PATTERN_DIGITS_MAX)
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "a pattern of numbers has at most %d digits, and this one %d",
                     FL_NUMBER_PATTERN_DIGITS_MAX, ret->before + ret->after);
    FL_ASSERT(st != FL_OK ||
              (ret->shift <= ret->before && ret->first_zero < ret->before && ret->last_zero < ret->after + 1));
cleanup:
    return st;
}
