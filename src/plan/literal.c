/* Types of literals beside values: as many digits as the text has. */
#include "plan/literal.h"

#include "base/datetime.h"

#define EXPONENT_MAX 1000 /* beyond it no number has a decimal, but for zero */

/* Digits of the numbers in a text, in front of the point and behind it. */
typedef struct digits {
    int64_t whole, scale;
    int64_t zeros; /* of the scale: nothing but zeros follow */
} digits;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Reads digits, a point, an exponent from `at` on; gives where the number ends. False: no number is there. */
static bool read_number(fl_str text, int64_t *at, digits *ret)
{
    int64_t i = *at, exponent = 0, n_digits = 0, zeros = 0;
    digits d = {0};
    while (i < text.len && text.data[i] == '0')
        i++, n_digits++;
    for (; i < text.len && is_digit(text.data[i]); i++, n_digits++)
        d.whole++;
    if (i < text.len && text.data[i] == '.')
        for (i++; i < text.len && is_digit(text.data[i]); i++, n_digits++) {
            d.scale++;
            zeros = text.data[i] == '0' ? zeros + 1 : 0;
        }
    if (n_digits == 0)
        return false;
    if (i < text.len && (text.data[i] | 32) == 'e') {
        int64_t k = i + 1, value = 0;
        bool is_negative = k < text.len && text.data[k] == '-';
        k += k < text.len && (text.data[k] == '-' || text.data[k] == '+');
        for (i = k; i < text.len && is_digit(text.data[i]); i++)
            value = value < EXPONENT_MAX ? value * 10 + (text.data[i] - '0') : value;
        if (i == k)
            return false;
        exponent = is_negative ? -value : value;
    }
    d.zeros = zeros;
    d.whole += exponent;
    d.scale -= exponent;
    if (d.scale < 0)
        d.scale = 0;
    if (d.whole < 0)
        d.whole = 0;
    if (exponent > 0)
        d.zeros = d.zeros > exponent ? d.zeros - exponent : 0;
    if (d.zeros > d.scale)
        d.zeros = d.scale;
    *ret = d;
    *at = i;
    return true;
}

/* The digits of all numbers in the text together; for a list's elements, `is_list`, else the text is one number. */
static bool count_digits(fl_str text, bool is_list, digits *ret)
{
    bool is_first = true;
    *ret = (digits){0};
    if (!is_list) {
        while (text.len > 0 && is_space(text.data[text.len - 1]))
            text.len--;
        while (text.len > 0 && is_space(text.data[0]))
            text.data++, text.len--;
        if (text.len > 0 && (text.data[0] == '-' || text.data[0] == '+'))
            text.data++, text.len--;
        int64_t at = 0;
        return read_number(text, &at, ret) && at == text.len;
    }
    for (int64_t at = 0; at < text.len;) {
        digits one;
        if ((!is_digit(text.data[at]) && text.data[at] != '.') || !read_number(text, &at, &one)) {
            at++;
            continue;
        }
        int64_t kept = one.scale - one.zeros, kept_all = ret->scale - ret->zeros;
        ret->whole = one.whole > ret->whole ? one.whole : ret->whole;
        ret->scale = one.scale > ret->scale ? one.scale : ret->scale;
        ret->zeros = ret->scale - (kept > kept_all ? kept : kept_all);
        is_first = false;
    }
    return !is_first;
}

static fl_status decimal_type(fl_str text, bool is_list, fl_type beside, fl_type *ret, fl_err *err)
{
    digits d;
    *ret = beside;
    if (!count_digits(text, is_list, &d))
        return FL_OK;
    if (d.whole + d.scale > FL_DECIMAL_PRECISION_MAX) { /* zeros at the end say nothing */
        int64_t spare = d.whole + d.scale - FL_DECIMAL_PRECISION_MAX;
        d.scale -= spare < d.zeros ? spare : d.zeros;
    }
    if (d.whole + d.scale > FL_DECIMAL_PRECISION_MAX)
        return FL_FAIL(err, FL_ERR_RANGE, "the number \"%.*s\" has more than %d digits", FL_STR_ARG(text),
                       FL_DECIMAL_PRECISION_MAX);
    *ret = FL_TYPE_DECIMAL(d.whole + d.scale > 0 ? d.whole + d.scale : 1, d.scale);
    return FL_OK;
}

/* Nanoseconds reach from 1677 to 2262 only; what lies outside of that is no value of the neighbour's, but a time all the same. */
static fl_type timestamp_type(fl_str text, bool is_list, fl_type beside)
{
    int64_t ns;
    bool zoned;
    fl_type type = FL_TYPE(beside.id);
    if (beside.unit == FL_NANO && (is_list || fl_timestamp_parse_ns(text, &ns, &zoned) != 2))
        type.unit = FL_NANO;
    return type;
}

static fl_status literal_type(fl_arena *arena, fl_str text, bool is_list, fl_type beside, fl_type *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type element;
    if (beside.id == FL_DECIMAL)
        return decimal_type(text, is_list, beside, ret, err);
    *ret = beside;
    if (fl_type_is_timestamp(beside)) {
        *ret = timestamp_type(text, is_list, beside);
    } else if (beside.id == FL_TIME || beside.id == FL_INTERVAL) {
        ret->scale = 0;
    } else if (beside.id == FL_LIST) {
        FL_TRY(literal_type(arena, text, true, beside.fields[0].type, &element, err));
        if (!fl_type_is_equal(element, beside.fields[0].type))
            FL_TRY(fl_type_list_of(arena, element, ret, err));
    }
cleanup:
    return st;
}

fl_status fl_literal_type(fl_arena *arena, fl_str text, fl_type beside, fl_type *ret, fl_err *err)
{
    return literal_type(arena, text, false, beside, ret, err);
}
